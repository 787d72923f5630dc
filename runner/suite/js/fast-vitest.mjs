// SPDX-License-Identifier: MIT
// What `vitest` is in the fast way: the real runner and the real matchers, put together as Vitest's
// own test module does, without what a suite of this way does not use (vi, snapshots, poll).

import { afterAll, afterEach, beforeAll, beforeEach, describe, getCurrentTest, it, onTestFailed,
	onTestFinished, suite, test } from '@vitest/runner';
import { addCustomEqualityTesters, ASYMMETRIC_MATCHERS_OBJECT, chai, ChaiStyleAssertions,
	customMatchers, getState, GLOBAL_EXPECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend,
	setState } from '@vitest/expect';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(ChaiStyleAssertions);
chai.use(JestAsymmetricMatchers);

export function createExpect(task) {
	const expect = (value, message) => {
		setState({ assertionCalls: getState(expect).assertionCalls + 1 }, expect);
		const assertion = chai.expect(value, message);
		const current = task || getCurrentTest();
		return current ? assertion.withTest(current) : assertion;
	};
	Object.assign(expect, chai.expect);
	Object.assign(expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT]);
	expect.getState = () => getState(expect);
	expect.setState = (state) => setState(state, expect);
	setState({
		...(getState(globalThis[GLOBAL_EXPECT]) || {}),
		assertionCalls: 0,
		isExpectingAssertions: false,
		isExpectingAssertionsError: null,
		expectedAssertionsNumber: null,
		expectedAssertionsNumberErrorGen: null,
		currentTestName: task ? task.fullTestName ?? '' : undefined,
	}, expect);
	expect.assert = chai.assert;
	expect.extend = (matchers) => chai.expect.extend(expect, matchers);
	expect.addEqualityTesters = (testers) => addCustomEqualityTesters(testers);
	expect.soft = (...args) => expect(...args).withContext({ soft: true });
	expect.unreachable = (message) => {
		chai.assert.fail(`expected${message ? ` "${message}" ` : ' '}not to be reached`);
	};
	chai.util.addMethod(expect, 'assertions', (expected) => {
		expect.setState({
			expectedAssertionsNumber: expected,
			expectedAssertionsNumberErrorGen: () => new Error('expected number of assertions to be ' +
				`${expected}, but got ${expect.getState().assertionCalls}`),
		});
	});
	chai.util.addMethod(expect, 'hasAssertions', () => {
		expect.setState({
			isExpectingAssertions: true,
			isExpectingAssertionsError: new Error('expected any number of assertion, but got none'),
		});
	});
	expect.extend(customMatchers);
	return expect;
}

const expect = createExpect();
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, writable: true, configurable: true });

export function assertionState(task) {
	return task.context._local ? task.context.expect.getState() : getState(globalThis[GLOBAL_EXPECT]);
}

export function resetAssertions(name) {
	setState({
		assertionCalls: 0,
		isExpectingAssertions: false,
		isExpectingAssertionsError: null,
		expectedAssertionsNumber: null,
		expectedAssertionsNumberErrorGen: null,
		currentTestName: name,
	}, globalThis[GLOBAL_EXPECT]);
}

// All that a suite may import; publish.mjs checks the names.
export const api = { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFailed,
	onTestFinished, suite, test, assert: chai.assert };
