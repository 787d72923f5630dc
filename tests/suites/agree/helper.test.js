import { expect, test } from 'vitest'
import { status } from './helpers'

test('a helper', async () => { expect(await status('/todos')).toBe(200) })
test('a helper, again', async () => { expect(await status('/todos/x')).toBe(200) })
