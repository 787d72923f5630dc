import axios from 'axios'
import { expect, it } from 'vitest'

const get = async (name: string) => (await axios.get(`http://localhost:8000/a/${name}`)).data

it('before', async () => { expect(await get('')).toEqual({ ok: true }) })
it('nobody waits for any of them', async () => {
	for (const one of await get('many'))
		Promise.reject(new Error(one))
	await new Promise((resolve) => setTimeout(resolve, 50))
})
it('the next', async () => {
	await new Promise((resolve) => setTimeout(resolve, 50))
	expect(await get('')).toEqual({ ok: true })
})
