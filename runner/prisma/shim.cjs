// SPDX-License-Identifier: MIT
//
// Loaded into the programs of a submission whose Prisma client has no native engine: a client that is
// made without an adapter gets one for DATABASE_URL. Clients of its own that are given an adapter, and
// everything else, are as they were.
'use strict';

const Module = require('module');
const load = Module._load;
const wrapped = new WeakSet();

function adapter(url) {
	const { PrismaPg } = require('@prisma/adapter-pg');
	return new PrismaPg({ connectionString: url });
}

function url(options) {
	const sources = options.datasources || {};
	const given = options.datasourceUrl || (Object.values(sources)[0] || {}).url;
	return given || process.env.DATABASE_URL;
}

function wrap(exported) {
	const Client = exported.PrismaClient;
	if (typeof Client !== 'function' || wrapped.has(Client)) return;
	class PrismaClient extends Client {
		constructor(options = {}) {
			if (options.adapter || options.accelerateUrl) {
				super(options);
				return;
			}
			const { datasources, datasourceUrl, ...rest } = options;
			super({ ...rest, adapter: adapter(url({ datasources, datasourceUrl })) });
		}
	}
	wrapped.add(PrismaClient);
	try {
		exported.PrismaClient = PrismaClient;
	} catch {
		// An object that cannot be changed stays as it is.
	}
}

Module._load = function () {
	const exported = load.apply(this, arguments);
	if (exported && typeof exported === 'object' && Object.hasOwn(exported, 'PrismaClient') &&
	    exported.Prisma && exported.Prisma.prismaVersion)
		wrap(exported);
	return exported;
};
