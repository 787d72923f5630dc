// SPDX-License-Identifier: MIT
//
// A browser for tests that are shell scripts: Chromium without a window, by the DevTools protocol over a
// pipe (no port). A command is a line on stdin, `NAME<tab>ARGUMENT`; its answer is a line on stdout.
//
//   open URL         in a new tab; waits until it is loaded
//   close            the tab
//   eval JS          its value: texts as they are, all else as JSON
//   until JS         asks until it is true, and answers its value; `TIMEOUT ...` after a minute
//   size W H         of the window; phone if it is narrow
//   dark yes|no      the colour scheme that the user prefers
//   type TEXT        into what has the focus, as keys
//   key NAME         Tab, Enter
//   errors           what the console has complained of since the last time, `-` if nothing
//   picture FILE     of the whole page
//   end              of the browser

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';

const [program, profile] = process.argv.slice(2);
const UNTIL_MS = 60000;
const browser = spawn(program, ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
	'--no-first-run', '--disable-background-networking', '--disable-extensions', '--hide-scrollbars',
	`--user-data-dir=${profile}`, '--remote-debugging-pipe'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const waiting = new Map(); // id of a call -> its promise
const listeners = new Set();
let calls = 0;
let session;
let target;
let complaints = [];

function call(method, params = {}, sessionId = session) {
	const id = ++calls;
	browser.stdio[3].write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
	return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

function take(message) {
	const { id, method, params, error, result } = message;
	if (id) {
		const { resolve, reject } = waiting.get(id);
		waiting.delete(id);
		if (error) reject(new Error(error.message));
		else resolve(result);
		return;
	}
	if (method === 'Runtime.exceptionThrown')
		complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
	else if (method === 'Runtime.consoleAPICalled' && params.type === 'error')
		complaints.push(params.args.map((one) => one.value ?? one.description).join(' '));
	else if (method === 'Log.entryAdded' && params.entry.level === 'error')
		complaints.push(`${params.entry.source}: ${params.entry.text} ${params.entry.url ?? ''}`);
	listeners.forEach((listener) => listener(method));
}

let rest = '';
browser.stdio[4].setEncoding('utf8').on('data', (chunk) => {
	const parts = (rest + chunk).split('\0');
	rest = parts.pop();
	parts.forEach((part) => take(JSON.parse(part)));
});
let ending = false;
browser.on('exit', () => process.exit(ending ? 0 : 1));
browser.on('error', () => process.exit(1));

function event(name) {
	return new Promise((resolve) => {
		const listener = (method) => method === name && listeners.delete(listener) && resolve();
		listeners.add(listener);
	});
}

async function evaluate(expression) {
	const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
	if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
	return result.value;
}

const commands = {
	async open(url) {
		({ targetId: target } = await call('Target.createTarget', { url: 'about:blank' }, null));
		({ sessionId: session } = await call('Target.attachToTarget', { targetId: target, flatten: true }, null));
		await Promise.all([call('Page.enable'), call('Runtime.enable'), call('Log.enable')]);
		const loaded = event('Page.loadEventFired');
		await call('Page.navigate', { url });
		await loaded;
		return 'ok';
	},
	async close() {
		await call('Target.closeTarget', { targetId: target }, null);
		return 'ok';
	},
	eval: evaluate,
	async until(js) {
		const end = Date.now() + UNTIL_MS;
		for (;;) {
			const value = await evaluate(`(() => { try { return ${js} } catch (e) { return false } })()`);
			if (value) return value;
			if (Date.now() > end) return `TIMEOUT ${await evaluate('document.body.innerText')}`;
			await evaluate('new Promise((done) => setTimeout(done, 30))');
		}
	},
	async size(text) {
		const [width, height] = text.split(' ').map(Number);
		await call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: width < 600 ? 2 : 1, mobile: width < 600 });
		return 'ok';
	},
	async dark(yes) {
		const value = yes === 'yes' ? 'dark' : 'light';
		await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
		return 'ok';
	},
	async type(text) {
		await call('Input.insertText', { text });
		return 'ok';
	},
	async key(name) {
		const code = { Tab: 9, Enter: 13 }[name];
		const about = { key: name, code: name, windowsVirtualKeyCode: code, ...(name === 'Enter' ? { text: '\r' } : {}) };
		await call('Input.dispatchKeyEvent', { type: 'keyDown', ...about });
		await call('Input.dispatchKeyEvent', { type: 'keyUp', ...about });
		return 'ok';
	},
	async errors() {
		const said = complaints.join(' | ');
		complaints = [];
		return said || '-';
	},
	async picture(file) {
		const { data } = await call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
		writeFileSync(file, Buffer.from(data, 'base64'));
		return 'ok';
	},
};

for await (const line of createInterface({ input: process.stdin })) {
	const [name, ...argument] = line.split('\t');
	if (name === 'end') break;
	const value = await commands[name](argument.join('\t')).catch((error) => `FAILED ${error.message}`);
	const text = typeof value === 'string' ? value : JSON.stringify(value) ?? 'undefined';
	process.stdout.write(`${text.replaceAll('\n', '\\n')}\n`);
}
ending = true; // its exit is ours
await call('Browser.close', {}, null).catch(() => {});
