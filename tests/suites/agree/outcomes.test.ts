import { assert, describe, expect, it, suite, test } from 'vitest'

enum Kind { A = 'a', B = 'b' }

test('at the top', () => {
	expect(1).toBe(1)
})

describe('values', () => {
	it('toBe', () => { expect('a').toBe('b') })
	it('toEqual', () => { expect({ a: 1, b: [1, { c: undefined }] }).toEqual({ a: 1, b: [1, {}] }) })
	it('toStrictEqual', () => { expect({ a: 1, b: undefined }).toStrictEqual({ a: 1 }) })
	it('not', () => { expect([1, 2]).not.toContain(2) })
	it('long', () => { expect('x'.repeat(5000)).toBe('y'.repeat(5000)) })
	it('maps', () => { expect(new Map([[1, new Set([2])]])).toEqual(new Map([[1, new Set([3])]])) })
	it('enum', () => { expect(Kind.A).toBe(Kind.B) })
	it('NaN and zero', () => { expect(NaN).toBe(NaN); expect(0).toBe(-0) })
	it('asymmetric', () => { expect({ id: 7 }).toEqual({ id: expect.any(String) }) })
	it('length', () => { expect([1]).toHaveLength(2) })
	it('close', () => { expect(0.1 + 0.2).toBeCloseTo(0.3, 5) })
	it('greater', () => { expect(1).toBeGreaterThan(2) })
	it('throws', () => { expect(() => { throw new TypeError('no') }).toThrow(RangeError) })
	it('message', () => { expect(1, 'with words').toBe(2) })
	it('chai', () => { expect([1]).to.have.lengthOf(2) })
	it('assert', () => { assert.equal(1, 2, 'assertion') })
	it('one of', () => { expect(3).toBeOneOf([1, 2]) })
	it('satisfies', () => { expect(3).toSatisfy((n: number) => n > 5) })
})

describe('ends', () => {
	it('an error', () => { throw new Error('plain') })
	it('a text', () => { throw 'a text' })
	it('nothing', () => { throw undefined })
	it('an object', () => { throw { code: 7, message: 'thing' } })
	it('a cause', () => { throw new Error('outer', { cause: new Error('inner') }) })
	it('a rejection', async () => { await Promise.reject(new Error('rejected')) })
	it('resolves', async () => { await expect(Promise.resolve(1)).resolves.toBe(2) })
	it('rejects', async () => { await expect(Promise.resolve(1)).rejects.toThrow() })
	it('unreachable', () => { expect.unreachable('here') })
	it('soft', () => { expect.soft(1).toBe(2); expect.soft(3).toBe(4) })
	it('assertions', () => { expect.assertions(2); expect(1).toBe(1) })
	it('hasAssertions', () => { expect.hasAssertions() })
	it('own expect', ({ expect }) => { expect.assertions(1); expect(1).toBe(2) })
	it.fails('fails as it should', () => { expect(1).toBe(2) })
	it.fails('should have failed', () => { expect(1).toBe(1) })
})

describe('not run', () => {
	it.skip('skipped', () => { throw new Error('never') })
	it.todo('to do')
	it.skipIf(true)('skipIf', () => {})
	it.runIf(false)('runIf', () => {})
	it.skipIf(false)('skipIf not', () => {})
	it('skips itself', (context) => { context.skip('because') })
	it('without a body')
})

describe.skip('skipped block', () => {
	it('inside', () => {})
	describe('deeper', () => { it('inside, too', () => {}) })
})

describe.todo('block to do')
describe('empty', () => {})
suite('suite is describe', () => { test('works', () => {}) })

describe('outer', () => {
	describe('inner', () => {
		it('same name', () => {})
		it('same name', () => { expect(1).toBe(2) })
	})
	describe('inner', () => { it('same name', () => {}) })
	it('odd > name', () => {})
	it('ünïcödé 🎉 "quotes"', () => { expect('ä').toBe('å') })
	it(function named() {}.name, () => {})
})
