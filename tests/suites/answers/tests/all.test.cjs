const axios = require('axios')
const attacks = require('./attacks.json')

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
	it('before', async () => { expect(await get('')).toEqual({ ok: true }) })
	it.each(attacks)('%s', async (name) => { expect(await get(name, soon())).toEqual({ right: true }) }, 20000)
	it('after', async () => { expect(await get('')).toEqual({ ok: true }) })
	it('nobody else listens', async () => { expect(await get('seen')).toEqual([`tcp6 ${'0'.repeat(32)}:1F41`]) }, 20000)
})

it('throws', async () => { throw await get('evil') })

describe('pollution', () => {
	it('merges', async () => {
		const data = await get('merge')
		merge({}, data)
		expect(data.wrong).toBe(2)
	})
	it('wrong', async () => { expect(await get('')).toEqual({ ok: false }) })
	it('right', async () => { expect(await get('')).toEqual({ ok: true }) })
})
