// SPDX-License-Identifier: MIT
//
// Streams of Redis for any number of followers, each from where it was: a follower names the last
// entry that it has seen, gets all that came after it, and then what comes. Nothing is lost or told
// twice, whoever was away meanwhile: the follower, this process, or Redis.
//
// One connection blocks for all. Who is new catches up by XRANGE on the other one, and joins when it
// has all that the blocking reader has seen.

import { setTimeout as pause } from 'node:timers/promises';

const BATCH = 200;
const BLOCK_MS = 250; // as long as a new stream may wait for its turn
export const BEGINNING = '0-0';

// Ids are MILLISECONDS-NUMBER. True if a comes before b.
export function isBefore(a, b) {
	const [aMs, aSeq] = a.split('-').map(Number);
	const [bMs, bSeq] = b.split('-').map(Number);
	return aMs !== bMs ? aMs < bMs : aSeq < bSeq;
}

export const isEntryId = (text) => typeof text === 'string' && /^\d{1,15}-\d{1,9}$/.test(text);

export class Streams {
	#commands; // connection for everything that answers at once
	#reader; // connection that blocks
	#feeds = new Map(); // key -> { last, followers }
	#ended = false;

	constructor(commands, reader) {
		this.#commands = commands;
		this.#reader = reader;
		this.#read();
	}

	// entry(id, fields) for each entry after `after` (undefined: from now on), current(id) once, when
	// all that there was has been told: what comes is after `id`. Returns a function that ends it.
	follow(key, after, { entry, current }) {
		const follower = { cursor: after, entry, current, ended: false };
		this.#catchUp(key, follower);
		return () => {
			follower.ended = true;
			this.#leave(key, follower);
		};
	}

	end() {
		this.#ended = true;
	}

	async #catchUp(key, follower) {
		while (!follower.ended && !this.#ended) {
			try {
				if (await this.#caughtUp(key, follower)) return follower.current?.(follower.cursor);
			} catch {
				await pause(BLOCK_MS); // Redis is away; the connections come back by themselves
			}
		}
	}

	async #caughtUp(key, follower) {
		if (follower.cursor === undefined) {
			const [newest] = await this.#commands.xRevRange(key, '+', '-', { COUNT: 1 });
			follower.cursor = newest?.id ?? BEGINNING;
		}
		const entries = await this.#commands.xRange(key, `(${follower.cursor}`, '+', { COUNT: BATCH });
		entries.forEach((entry) => this.#deliver(follower, entry));
		return entries.length < BATCH && !follower.ended && this.#join(key, follower);
	}

	// Only who has seen what the reader has seen may join. Who is ahead skips until the reader is there.
	#join(key, follower) {
		const feed = this.#feeds.get(key);
		if (!feed) {
			this.#feeds.set(key, { last: follower.cursor, followers: new Set([follower]) });
			return true;
		}
		if (isBefore(follower.cursor, feed.last)) return false;
		feed.followers.add(follower);
		return true;
	}

	#leave(key, follower) {
		const feed = this.#feeds.get(key);
		feed?.followers.delete(follower);
		if (feed?.followers.size === 0) this.#feeds.delete(key);
	}

	#deliver(follower, { id, message }) {
		if (follower.ended || !isBefore(follower.cursor, id)) return;
		follower.cursor = id;
		follower.entry(id, message);
	}

	async #read() {
		while (!this.#ended) {
			try {
				if (this.#feeds.size > 0) await this.#readOnce();
				else await pause(BLOCK_MS);
			} catch {
				await pause(BLOCK_MS);
			}
		}
	}

	async #readOnce() {
		const wanted = [...this.#feeds].map(([key, feed]) => ({ key, id: feed.last }));
		const answer = await this.#reader.xRead(wanted, { BLOCK: BLOCK_MS, COUNT: BATCH });
		for (const { name, messages } of answer ?? []) {
			const feed = this.#feeds.get(name);
			// it may have been left meanwhile, and begun anew from elsewhere
			if (feed?.last !== wanted.find((one) => one.key === name).id) continue;
			for (const entry of messages) {
				feed.last = entry.id;
				feed.followers.forEach((follower) => this.#deliver(follower, entry));
			}
		}
	}
}
