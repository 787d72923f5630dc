import { describe, expect, it } from 'vitest'

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('nobody waits', () => {
	it('a rejection', async () => { void Promise.reject(new Error('lost')); await wait(20) })
	it('an exception', async () => { setTimeout(() => { throw new Error('thrown later') }, 1); await wait(30) })
	it('innocent', () => { expect(1).toBe(1) })
})
