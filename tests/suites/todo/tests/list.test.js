const request = require('supertest')
const axios = require('axios')
const fs = require('fs')
const path = require('path')

const base = 'http://localhost:8000'
const titles = JSON.parse(fs.readFileSync(path.join(__dirname, 'titles.json'), 'utf8'))

describe('list', () => {
  const added = []

  beforeAll(async () => {
    for (const title of titles) {
      const { data } = await axios.post(`${base}/todos`, { title })
      added.push(data)
    }
  })

  afterAll(() => fs.writeFileSync('written-by-the-suite.txt', 'suites may write beside themselves'))

  it('has all of them, oldest first', async () => {
    const { body } = await request(base).get('/todos').expect(200).expect('Content-Type', /json/)
    const ids = body.map((todo) => todo.id)
    expect(ids).toEqual([...ids].sort((a, b) => a - b))
    expect(body).toEqual(expect.arrayContaining(added))
  })

  it.each([[0], [1], [2]])('has number %i', async (i) => {
    const { data } = await axios.get(`${base}/todos/${added[i].id}`)
    expect(data.title).toBe(titles[i])
  })

  test('done=false has all that are not done', async () => {
    await axios.patch(`${base}/todos/${added[0].id}`, { done: true })
    const { body } = await request(base).get('/todos?done=false')
    expect(body.every((todo) => !todo.done)).toBe(true)
    expect(body.length).toBeGreaterThanOrEqual(2)
  })
})
