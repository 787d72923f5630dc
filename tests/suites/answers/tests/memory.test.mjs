import assert from 'node:assert/strict'
import { test } from 'node:test'

const get = async (name) => (await fetch(`http://localhost:8000/a/${name}`)).json()

// What Node does to show this difference fills the memory of the process.
test('before', async () => { assert.deepEqual(await get(''), { ok: true }) })
test('many keys', async () => { assert.deepEqual(await get('keys'), { right: true }) })
test('after', async () => { assert.deepEqual(await get(''), { ok: true }) })
