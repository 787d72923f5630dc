const dayjs = require('dayjs')
const { version } = require('dayjs/package.json')

test('packages are found by Jest', () => {
	expect(dayjs('2024-02-29').isBefore('2024-03-01')).toBe(true)
})

test('at the version that the lockfile says', () => {
	expect(version).toBe('1.11.10')
})
