import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'

test('and by node:test, which takes .js for a module as package.json says', () => {
	assert.equal(z.coerce.number().parse('7'), 7)
})
