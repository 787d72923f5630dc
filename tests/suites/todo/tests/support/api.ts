import axios, { type AxiosInstance } from 'axios'

export interface Todo {
	id: number
	title: string
	done: boolean
}

export const api: AxiosInstance = axios.create({
	baseURL: 'http://localhost:8000',
	validateStatus: () => true,
})

export async function add(title: string): Promise<Todo> {
	return (await api.post<Todo>('/todos', { title })).data
}
