import assert from 'node:assert/strict'
import { before, describe, it, test } from 'node:test'

const base = 'http://localhost:8000'
const send = (method, path, body) => fetch(base + path, {
	method, body: body && JSON.stringify(body), headers: body && { 'content-type': 'application/json' },
})

describe('change', () => {
	let todo

	before(async () => {
		todo = await (await send('POST', '/todos', { title: 'to be changed' })).json()
	})

	it('done', async () => {
		const answer = await send('PATCH', `/todos/${todo.id}`, { done: true })
		assert.equal(answer.status, 200)
		assert.deepEqual(await answer.json(), { ...todo, done: true })
	})

	it('only done ones are listed', async () => {
		const list = await (await send('GET', '/todos?done=true')).json()
		assert.ok(list.some((one) => one.id === todo.id))
		assert.ok(list.every((one) => one.done))
	})

	it('refuses what is no title', async (t) => {
		for (const title of ['', 7, null])
			await t.test(String(title), async () => {
				assert.equal((await send('PATCH', `/todos/${todo.id}`, { title })).status, 400)
			})
	})
})

test('delete', async () => {
	const { id } = await (await send('POST', '/todos', { title: 'gone' })).json()
	assert.equal((await send('DELETE', `/todos/${id}`)).status, 204)
	assert.equal((await send('GET', `/todos/${id}`)).status, 404)
})
