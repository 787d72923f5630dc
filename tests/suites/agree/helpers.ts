import axios from 'axios'

export const base = `http://localhost:${process.env.PORT}`
export type Answer = { status: number }
export async function status(path: string): Promise<number> {
	return (await axios.get(base + path, { validateStatus: () => true })).status
}
