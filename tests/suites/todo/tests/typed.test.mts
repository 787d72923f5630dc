import assert from 'node:assert/strict'
import { test } from 'node:test'

interface Problem { error: string }

test('an error says what is wrong', async () => {
	const answer: Response = await fetch('http://localhost:8000/todos/nothing')
	const problem = await answer.json() as Problem
	assert.equal(typeof problem.error, 'string')
})
