#!/bin/bash
# SPDX-License-Identifier: MIT
# Prisma 6.3, whose client wants a native engine: a submission as students hand it in, unchanged,
# with npm packages alone (prisma/engine.cjs). Its tests need enums, decimals, transactions and
# error codes.
. "$(dirname "$0")/lib.sh"

here=$source_dir/tests/pipeline/prisma

accepted() { # NAME SUBMISSION
	grade "$2" "$here/challenge"
	equal "$1: accepted" AC "$(member .verdict)" "$(tail -20 "$scratch/stderr")"
	like "$1: by the wasm engine" '^Prisma 6\.3\.0 with the wasm engine' \
		"$(member '.stages.find(s => s.name === "generate").note')"
}

accepted "CommonJS" "$here/submission"

# Modules; the project's own build generates the client once more, and a seed asks where nobody is.
cp -r "$here/submission" "$scratch/again"
cat >"$scratch/again/src/seed.ts" <<'END'
import { Prisma, PrismaClient } from '@prisma/client';
await new PrismaClient().$transaction(async (tx) => tx.user.count());
const elsewhere = new PrismaClient({ datasourceUrl: 'postgresql://app@127.0.0.1:1/app' });
const error = await elsewhere.user.count().catch((e: unknown) => e);
if (!(error instanceof Prisma.PrismaClientInitializationError)) throw error;
END
"$node" -e 'const fs = require("fs"), file = process.argv[1], p = JSON.parse(fs.readFileSync(file));
	p.type = "module";
	p.scripts = { build: "prisma generate && tsc",
		start: "node dist/seed.js && node dist/index.js" };
	fs.writeFileSync(file, JSON.stringify(p));' "$scratch/again/package.json"
accepted "modules" "$scratch/again"
finish
