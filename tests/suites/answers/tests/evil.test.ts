import axios from 'axios'
import { expect, it } from 'vitest'

const get = async (name: string) => (await axios.get(`http://localhost:8000/a/${name}`)).data

// What nobody caught is what the server answered: it must not get lost.
it('nobody waits', async () => {
	const data = await get('evil')
	Promise.reject(data)
	await new Promise((resolve) => setTimeout(resolve, 50))
})
it('throws', async () => { throw await get('evil') })
it('the next', async () => {
	await new Promise((resolve) => setTimeout(resolve, 50))
	expect(await get('')).toEqual({ ok: false })
})
