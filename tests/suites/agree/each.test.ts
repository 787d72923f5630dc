import { describe, expect, it, test } from 'vitest'

test.each([1, 2, 3])('number %i', (n) => { expect(n).toBeLessThan(3) })
test.each([[1, 1, 2], [2, 2, 5]])('%i + %i = %i', (a, b, sum) => { expect(a + b).toBe(sum) })
test.each([{ a: 1, name: 'one' }, { a: 2, name: 'two' }])('$name is $a', ({ a }) => { expect(a).toBe(1) })
test.each`
	a    | b    | sum
	${1} | ${1} | ${2}
	${2} | ${2} | ${5}
`('$a + $b = $sum', ({ a, b, sum }) => { expect(a + b).toBe(sum) })
test.for([[1, 2], [3, 3]])('for %i %i', ([a, b], { expect }) => { expect(a).toBe(b) })
describe.each(['x', 'y'])('block %s', (name) => {
	it('is x', () => { expect(name).toBe('x') })
	it.skip.each([1])('skipped %i', () => {})
})
describe.each([])('none %s', () => { it('never', () => {}) })
it.each([['%s %d %j %o %%', 1]])('%s with %j', () => {})
