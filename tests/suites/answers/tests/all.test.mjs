import axios from 'axios'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { describe, it, test } from 'node:test'

const attacks = JSON.parse(fs.readFileSync('tests/attacks.json'))
const get = async (name, within = {}) => (await axios.get(`http://localhost:8000/a/${name}`, within)).data
const soon = () => ({ timeout: 400, signal: AbortSignal.timeout(800) })

function merge(into, from) {
	for (const key in from) {
		if (typeof from[key] === 'object')
			merge(into[key] ??= {}, from[key])
		else
			into[key] = from[key]
	}
}

describe('attacks', () => {
	it('before', async () => { assert.deepEqual(await get(''), { ok: true }) })
	for (const name of [...attacks, 'deep'])
		it(name, async () => { assert.deepEqual(await get(name, soon()), { right: true }) })
	it('after', async () => { assert.deepEqual(await get(''), { ok: true }) })
	it('nobody else listens', async () => { assert.deepEqual(await get('seen'), [`tcp6 ${'0'.repeat(32)}:1F41`]) })
})

describe('pollution', () => {
	it('merges', async () => {
		const data = await get('merge')
		merge({}, data)
		assert.equal(data.wrong, 2)
	})
	it('wrong', async () => { assert.deepEqual(await get(''), { ok: false }) })
	it('right', async () => { assert.deepEqual(await get(''), { ok: true }) })
})

test('throws', async () => { throw await get('evil') })
test('nobody waits', async () => {
	const data = await get('evil')
	Promise.reject(data)
})
test('the next', async () => { await new Promise((resolve) => setTimeout(resolve, 50)) })
