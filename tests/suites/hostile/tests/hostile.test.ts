import { describe, expect, it } from 'vitest'
import axios from 'axios'

const base = 'http://localhost:8000'

// What careless tests do with answers.
function merge(into: any, from: any) {
	for (const key in from) {
		if (typeof from[key] === 'object' && key !== 'self')
			merge(into[key] ??= {}, from[key])
		else
			into[key] = from[key]
	}
}

describe('hostile', () => {
	it('before', async () => { expect((await axios.get(base + '/')).status).toBe(200) })
	it('merges', async () => {
		const { data } = await axios.get(base + '/merge')
		merge({}, data)
		expect(data).toEqual({ right: true })
	})
	it('the attack', { timeout: 10000 }, async () => {
		expect((await axios.get(base + '/attack', { timeout: 1500 })).data).toEqual({ right: true })
	})
	it('after', async () => { expect((await axios.get(base + '/')).status).toBe(200) })
	it.skip('skipped', () => {})
})
