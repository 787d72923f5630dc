import { beforeAll, describe, expect, it } from 'vitest'
import { add, api, type Todo } from './support/api'

describe('adding', () => {
	let todo: Todo

	beforeAll(async () => {
		todo = await add('milk')
	})

	it('answers with the new todo', () => {
		expect(todo).toStrictEqual({ id: todo.id, title: 'milk', done: false })
	})

	it('can be read back', async () => {
		const { status, data } = await api.get(`/todos/${todo.id}`)
		expect(status).toBe(200)
		expect(data).toEqual(todo)
	})

	it.each(['', 7, null])('refuses the title %j', async (title) => {
		const { status, data } = await api.post('/todos', { title })
		expect(status).toBe(400)
		expect(data).toHaveProperty('error')
	})
})
