import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFailed, onTestFinished } from 'vitest'

const seen: string[] = []

beforeEach(() => { seen.push('each') })
afterAll(() => { seen.length = 0 })

describe('order', () => {
	beforeAll(() => { seen.push('all'); return () => { seen.push('cleanup') } })
	beforeEach(() => () => { seen.push('undo') })
	it('first', () => { expect(seen).toEqual(['all', 'each']) })
	it('second', () => { expect(seen).toEqual(['all', 'each', 'undo', 'each']) })
	it('finishes', () => { onTestFinished(() => { seen.push('finished') }); onTestFailed(() => { seen.push('failed') }) })
	it('third', () => { expect(seen.slice(-2)).toEqual(['finished', 'each']) })
})

describe('beforeAll throws', () => {
	beforeAll(() => { throw new Error('before all') })
	it('one', () => {})
	it.skip('two', () => {})
	describe('deeper', () => { it('three', () => {}) })
})

describe('beforeAll rejects', () => {
	beforeAll(async () => { await Promise.reject(new TypeError('rejected')) })
	it('one', () => {})
})

describe('beforeEach throws', () => {
	beforeEach(() => { throw new Error('before each') })
	it('one', () => {})
	it('two', () => { expect(1).toBe(2) })
})

describe('afterEach throws', () => {
	afterEach(() => { throw new Error('after each') })
	it('one', () => {})
	it('two', () => { expect(1).toBe(2) })
})

describe('afterAll throws', () => {
	afterAll(() => { throw new Error('after all') })
	it('one', () => {})
	it('two', () => { expect(1).toBe(2) })
})

describe('a hook takes too long', () => {
	beforeAll(() => new Promise(() => {}), 50)
	it('one', () => {})
})

describe('after all that', () => { it('still runs', () => {}) })
