import assert from 'node:assert/strict'
import { test } from 'node:test'

// Its bytes are what a test process tells its parent.
test('raw', async () => {
	const answer = await fetch('http://localhost:8000/a/forged')
	process.stdout.write(Buffer.from(await answer.arrayBuffer()))
	await new Promise((resolve) => setTimeout(resolve, 50))
	assert.fail('and yet it fails')
})
test('after', async () => { assert.equal((await fetch('http://localhost:8000/')).status, 500) })
