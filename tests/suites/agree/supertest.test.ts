import { describe, expect, test } from 'vitest'
import request from 'supertest'

const base = `http://localhost:${process.env.PORT}`

describe('supertest', () => {
	test('list', async () => {
		const r = await request(base).get('/todos').expect(200).expect('Content-Type', /json/)
		expect(Array.isArray(r.body)).toBe(true)
	})
	test('wrong status', async () => {
		await request(base).get('/todos').expect(418)
	})
})
