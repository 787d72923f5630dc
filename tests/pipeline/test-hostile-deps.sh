#!/bin/bash
# SPDX-License-Identifier: MIT
# Packages and lockfiles that attack: a registry of our own, on loopback, has packages whose
# tarballs and install scripts try to get out, to stay, and to reach what other submissions are
# given.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry=$scratch/registry
mkdir -p "$registry" "$scratch/home"
mkfifo "$scratch/hold"
exec 9<>"$scratch/hold"
"$node" "$source_dir/tests/pipeline/hostile/registry.cjs" "$registry" <"$scratch/hold" \
	2>"$scratch/registry.log" 9>&- &
server=$!
while [ ! -e "$registry/port" ] && kill -0 "$server" 2>/dev/null; do sleep 0.02; done
port=$(cat "$registry/port")

empty_store() {
	rm -rf "$scratch/store"
	mkdir -m 700 "$scratch/store" && ln -s "$store/runtime" "$scratch/store/runtime"
}

warm() { # SUBMISSION
	HOME=$scratch/home npm_config_registry=http://127.0.0.1:$port/ \
		"$run" deps warm --store "$scratch/store" "$registry/$1" 2>&1
}

# The entry that was made last.
newest() {
	echo "$scratch/store/deps/$(ls -t "$scratch/store/deps" | grep -v '\.' |
			head -1)/node_modules"
}

tree() {
	(cd "$(newest)" && find . -printf '%y %m %p %l\n' | sort && find . -type f -print0 |
			sort -z | xargs -0 sha256sum)
}

# What another one has installed must not change what VICTIM gets.
poison() { # NAME ATTACKER VICTIM
	local alone
	empty_store
	warm "$3" >/dev/null
	alone=$(tree)
	empty_store
	like "$1: the attacker's own install goes on" 'ready|CE:' "$(warm "$2")"
	like "$1: so does the other's" 'ready' "$(warm "$3")"
	equal "$1: which gets what it would get alone" "" "$(diff <(echo "$alone") <(tree))"
}

empty_store
warm plain >/dev/null
like "honest packages are reused" 'from an earlier one' "$(warm victim)"
poison "two digests for one package" two-digests victim
poison "a program of the same name" rival-tool tool-victim
poison "another file for a program" other-bin tool-victim
poison "another package without a digest" no-digest no-digest-victim

# One store from here on: what hostile ones leave is looked at in the end.
empty_store
warm plain >/dev/null
like "a digest of another package" \
	'CE: "fine-a" in the registry is not what package-lock.json says' "$(warm wrong-digest)"
like "a tarball that leads out" 'CE: A package is not one that npm can unpack .*path contains' \
	"$(warm odd)"
like "a script that leaves programs behind" 'ready' "$(warm daemon)"
equal "they are not there any more" 0 "$(pgrep -fc 'evil.js|/opt/new/aa')"
equal "and reached no other entry" "module.exports = 'fine-b 1.0.0';" \
	"$(cat "$scratch"/store/deps/*/node_modules/fine-b/index.js | grep -v 'by script')"
like "a script that closes a file" 'CE: .*which cannot be read' "$(warm closed)"
like "a script that closes the folder" 'CE: .*is gone, or closed' "$(warm shut)"
like "a script that links to a file outside" 'CE: .*leads out of the folder' "$(warm leads)"
like "a script that fills the disk" 'CE: The install script of the package fills 1.0.0 was ended' \
	"$(warm fills)"
like "a script that forks for ever" 'ready|CE:' "$(warm bomb)"
for name in junk up file; do
	like "a forged client of Prisma ($name)" 'CE: prisma generate made no client' \
		"$(warm "forged-$name")"
done
said=$(warm screen)
like "a script that writes to the terminal" 'CE: The install script of the package screen' "$said"
equal "is shown without control characters" "" "$(tr -d '\n\t -~' <<<"$said")"
like "names with control characters" 'ready' "$(warm names)"
like "the store is whole" ', 0 damaged$' "$("$run" deps verify --store "$scratch/store" 2>&1)"
like "honest packages are still reused" 'from an earlier one' "$(warm victim)"
equal "and are what they should be" "10 x fine" \
	"$(cat "$(newest)"/fine-[a-j]/index.js |
		grep -c "^module.exports = 'fine-. 1.0.0';$") x fine"
find "$scratch/store/deps" -path '*/names/*evil*' -exec sh -c 'echo >"$1"' sh {} \;
said=$("$run" deps verify --store "$scratch/store" 2>&1)
like "a damaged file is named" 'node_modules/names/.*evil.* has another' "$said"
equal "without control characters" "" "$(tr -d '\n\t -~' <<<"$said")"
equal "nothing is left behind" 0 "$(find "$scratch/store/tmp" -mindepth 1 2>/dev/null | wc -l)"

exec 9>&-
kill "$server" 2>/dev/null
wait "$server" 2>/dev/null
finish
