import axios from 'axios'
import dayjs from 'dayjs'
import { expect, it } from 'vitest'
import { Todo } from './support/todo'

const url = 'http://localhost:8000/todos'

it('is what the schema says', async () => {
	const { data } = await axios.post(url, { title: dayjs('2024-02-28').add(1, 'day').format('D MMM') })
	expect(Todo.parse(data).title).toBe('29 Feb')
})

it('is in the list', async () => {
	expect(Todo.array().parse((await axios.get(url)).data).length).toBeGreaterThan(0)
})
