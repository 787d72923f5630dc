import { describe, expect, test } from '@jest/globals'
import { api } from './support/api'

describe('types', () => {
	test('a todo has three members', async () => {
		const { data } = await api.post('/todos', { title: 'types' })
		expect(Object.keys(data as object).sort()).toEqual(['done', 'id', 'title'])
	})
	test('an unknown one is a 404', async () => {
		expect((await api.get('/todos/999999')).status).toBe(404)
	})
})
