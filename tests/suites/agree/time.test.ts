import { describe, expect, it, test } from 'vitest'

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('too long', async () => { await wait(500) }, 50)
test('too long, with options', { timeout: 50 }, async () => { await new Promise(() => {}) })
test('after it', () => {})

let tries = 0
test('third time lucky', { retry: 3 }, () => { expect(++tries).toBe(3) })
test('never lucky', { retry: 2 }, () => { expect(1).toBe(2) })
let rounds = 0
test('repeats', { repeats: 2 }, () => { expect(++rounds).toBeLessThan(3) })

describe.concurrent('together', () => {
	it('a', async ({ expect }) => { await wait(20); expect(1).toBe(1) })
	it('b', async ({ expect }) => { await wait(5); expect(1).toBe(2) })
	it('c', async () => { await wait(1); throw new Error('c') })
})
test.concurrent('alone together', async () => { await wait(1) })
describe.sequential('in order', () => { it('d', () => {}) })
describe('shuffled? no', { concurrent: true }, () => { it('e', async () => { await wait(1) }) })
test('done callbacks are no more', () => {})

describe('nothing keeps the process alive', () => {
	it('but the time limit', { timeout: 30 }, () => new Promise(() => {}))
	it('and the next test', () => {})
})
