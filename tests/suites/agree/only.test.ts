import { describe, expect, it } from 'vitest'

describe('some', () => {
	it('not this one', () => {})
	it.only('this one', () => { expect(1).toBe(1) })
	it.only('and this', () => { expect(1).toBe(2) })
})
describe('others', () => { it('no', () => {}) })
