import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import axios, { AxiosError } from 'axios'
import { readFileSync } from 'node:fs'

interface Todo {
	id: number
	title: string
	done: boolean
}

const base: string = `http://localhost:${process.env.PORT}`
const api = axios.create({ baseURL: base, validateStatus: () => true })

describe('todos', () => {
	let todo: Todo

	beforeAll(async () => {
		const r = await api.get('/todos')
		expect(r.status).toBe(200)
	})

	afterAll(async () => {
		await api.delete(`/todos/${todo.id}`)
	})

	it('adds', async () => {
		const r = await axios.post<Todo>(base + '/todos', { title: 'milk' })
		todo = r.data
		expect(r.status).toBe(201)
		expect(r.data).toStrictEqual({ id: todo.id, title: 'milk', done: false })
		expect(r.headers['content-type']).toContain('json')
	})

	it('reads', async () => {
		const { data } = await api.get(`/todos/${todo.id}`)
		expect(data).toEqual(todo)
		expect(data).toMatchObject({ title: expect.stringMatching(/^m/) })
	})

	it('is wrong about the title', async () => {
		const { data } = await api.get(`/todos/${todo.id}`)
		expect(data).toEqual({ id: todo.id, title: 'bread', done: true })
	})

	it('throws on 404', async () => {
		await expect(axios.get(base + '/todos/999')).rejects.toThrow('404')
		await expect(axios.get(base + '/todos/999')).rejects.toBeInstanceOf(AxiosError)
	})

	it('is not caught', async () => {
		await axios.get(base + '/todos/999')
	})

	it('takes fetch', async () => {
		const r = await fetch(base + '/todos', { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } })
		expect(r.status).toBe(400)
		expect(await r.json()).toHaveProperty('error', expect.any(String))
	})

	it('sends a form', async () => {
		const form = new FormData()
		form.append('a', new Blob(['x']), 'a.txt')
		const r = await api.post('/todos', form)
		expect(r.status).toBe(400)
	})

	it('reads its own folder', () => {
		expect(readFileSync('package.json', 'utf8')).toContain('name')
	})

	it('nobody listens there', async () => {
		await axios.get('http://localhost:1/')
	})
})
