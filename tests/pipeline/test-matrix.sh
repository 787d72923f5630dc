#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Small submissions of many stacks (tests/matrix/README.md), each zipped in another way. As it is it
# passes all tests; with its seeded bug (tests/matrix/bugs/NAME.patch) exactly the tests fail that
# the patch names, and its packages come from the store. MATRIX="NAME..." runs only these.
#
# Nothing is there before: the first run on a machine installs a thousand packages, which is most of
# its time.
. "$(dirname "$0")/lib.sh"

matrix=$source_dir/tests/matrix
hurl=$matrix/challenge
vitest=$matrix/challenge-vitest

# The same challenge for servers that listen where they want.
any_port=$scratch/any-port
cp -r "$hurl" "$any_port"
sed -i 's/"port": 8000,/&\n\t"any_port": true,/' "$any_port/challenge.json"

zipped() { # FOLDER ZIP STYLE...
	python3 "$matrix/zip.py" "$@"
}

explain() {
	member .reason
	member .log
	tail -12 "$scratch/stderr"
}

stage_note() {
	member ".stages.find(s => s.name === '$1').note"
}

passes_all() { # NAME CHALLENGE
	grade "$scratch/$1.zip" "$2"
	equal "$label: AC" "AC 0" "$(member .verdict) $status" "$(explain)"
}

seed_bug() { # NAME: a copy of the submission with its bug, zipped
	local copy=$scratch/buggy/$1
	mkdir -p "$scratch/buggy"
	cp -r "$matrix/submissions/$1" "$copy"
	patch --silent --strip=1 --directory="$copy" <"$matrix/bugs/$1.patch" || return 1
	zipped "$copy" "$scratch/$1.zip"
	rm -rf "$copy"
}

fails_where_it_should() { # NAME CHALLENGE
	local expected failed
	if ! seed_bug "$1"; then
		fail "$label: the bug applies"
		return
	fi
	grade "$scratch/$1.zip" "$2"
	expected=$(sed -n 's/^Fails: //p' "$matrix/bugs/$1.patch" | sort)
	failed=$(member \
			'.tests.cases.filter(c => c.status !== "passed").map(c => c.name).join("\n")' \
			| sort)
	equal "$label: its bug is found, at the right test" "PARTIAL 1 $expected" \
		"$(member .verdict) $status $failed" "$(explain)"
	like "$label: its packages are stored" '^stored' "$(stage_note deps)"
	case $1 in *prisma*)
		like "$label: so is its client" '^Prisma [67][.0-9]*( with adapter-pg)?, stored$' \
			"$(stage_note generate)" ;;
	esac
}

submission() { # NAME CHALLENGE STYLE...
	local name=$1 challenge=$2 label=$1
	shift 2
	[ "$challenge" != "$vitest" ] || label="$name, by Vitest"
	case " ${MATRIX:-$name} " in
	*" $name "*) ;;
	*) return ;;
	esac
	zipped "$matrix/submissions/$name" "$scratch/$name.zip" "$@"
	passes_all "$name" "$challenge"
	fails_where_it_should "$name" "$challenge"
	rm -f "$scratch/$name.zip"
}

submission express-pg "$hurl" wrapped modules git
submission express4-postgresjs "$any_port" slash stored
submission http-pg "$hurl" stored
submission fastify-knex "$hurl" wrapped folders
submission koa-sequelize "$hurl" macos wrapped
submission hono-drizzle "$hurl" git
submission nest-typeorm "$hurl" wrapped folders modules
submission express-prisma6 "$hurl" wrapped macos
submission hono-prisma7 "$hurl" stored folders
submission express-swc-bun "$hurl" slash wrapped
submission express-mikro "$hurl" wrapped stored
submission tsnode-nodemon "$hurl" windows wrapped backslash
submission strip-types "$hurl" folders
submission cluster-pg "$hurl" windows wrapped
submission dotenv-nolock "$hurl" windows modules
submission compose-pgmigrate "$hurl" wrapped git
submission fastify-esbuild "$hurl" macos folders

submission express-pg "$vitest" wrapped
submission hono-drizzle "$vitest" wrapped

if [ -z "${MATRIX:-}" ]; then
	equal "each has a line in the README" "$(ls "$matrix/submissions")" \
		"$(sed -n 's/^| `\([^`]*\)`.*/\1/p' "$matrix/README.md" | sort)"
	equal "and a bug" "$(ls "$matrix/submissions")" "$(ls "$matrix/bugs" | sed 's/\.patch$//')"
	equal "every test finds a bug" "$(sed -n 's/^# @test //p' "$hurl"/tests/*.hurl | sort)" \
		"$(sed -n 's/^Fails: //p' "$matrix"/bugs/*.patch | sort -u)"
fi
finish
