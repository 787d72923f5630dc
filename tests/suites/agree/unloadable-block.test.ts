import { describe, it } from 'vitest'

describe('good', () => { it('fine', () => {}) })
describe('bad', () => {
	it('declared', () => {})
	throw new Error('in the block')
})
