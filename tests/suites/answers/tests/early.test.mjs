import assert from 'node:assert/strict'
import { test } from 'node:test'

const get = async (name) => fetch(`http://localhost:8000/a/${name}`)

// A result for the last test, and memory that is full before it is reached.
test('early', async () => { process.stdout.write(Buffer.from(await (await get('early')).arrayBuffer())) })
test('many keys', async () => { assert.deepEqual(await (await get('keys')).json(), { right: true }) })
test('last', async () => { assert.equal((await get('')).status, 500) })
