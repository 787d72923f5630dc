#!/bin/bash
# SPDX-License-Identifier: MIT
# What installs of pnpm, yarn and bun take over from each other: stored tarballs, and trees to which
# the difference is made. A registry of our own lies, is asked for nothing it has given, and goes
# away.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

registry=$scratch/registry work=$scratch/work
mkdir -p "$registry" "$work" "$scratch/home"
tools=$(readlink -f "$store/runtime/node")
everybodys=$store store=$scratch/store
mkdir -m 700 "$store" "$store/runtime"
ln -s "$tools" "$store/runtime/node"

serve() { # starts the registry, at the port that it had before if there was one
	rm -f "$registry/port"
	mkfifo "$scratch/hold" 2>/dev/null
	"$node" "$source_dir/tests/pipeline/hostile/registry.cjs" "$registry" ${port:+"$port"} \
		<"$scratch/hold" 2>"$scratch/registry.log" &
	server=$!
	exec 9>"$scratch/hold"
	while [ ! -e "$registry/port" ] && kill -0 "$server" 2>/dev/null; do sleep 0.02; done
	port=$(cat "$registry/port") at=http://127.0.0.1:$(cat "$registry/port")
}

close_registry() {
	exec 9>&-
	wait "$server" 2>/dev/null
}

project() { # NAME PACKAGE...: a submission without a lockfile; $spec is its manager
	local folder=$work/$1 list=
	shift
	mkdir -p "$folder"
	for name; do list="$list${list:+, }\"$name\": \"1.0.0\""; done
	echo "{ \"name\": \"shop\", \"packageManager\": \"$spec\", \"dependencies\": { $list } }" \
		>"$folder/package.json"
}

warm() { # NAME
	HOME=$scratch/home npm_config_registry=${at:-} \
		"$run" deps warm --store "$store" "$work/$1" 2>&1
}

newest() { # FOLDER of the store
	echo "$store/$1/$(ls -t "$store/$1" | grep -v '\.' | head -1)"
}

# Gives the submission the lockfile that is resolved for it.
lock() { # NAME
	warm "$1" >"$scratch/said" || cat "$scratch/said"
	cp "$(newest lock)/lockfile" "$work/$1/$file"
}

# What pnpm notes about an install, and how its programs spell the way to a package, is not
# compared.
tree() {
	(cd "$(newest deps)/node_modules" && find . ! -name '.modules.yaml' \
			! -name '.pnpm-workspace-state*' ! -path '*/.bin/*' \
		-printf '%y %m %p %l\n' | sort &&
		find . -type f ! -name '.modules.yaml' ! -name '.pnpm-workspace-state*' \
		! -path '*/.bin/*' -print0 | sort -z | xargs -0 sha256sum)
}

forget() { # KIND...
	local folder
	for folder; do rm -rf "${store:?}/$folder"; done
}

asked() { # how many tarballs the registry was asked for since the last time
	grep -c '\.tgz' "$registry/asked"
	: >"$registry/asked"
}

# fine-a becomes another package, in the way of each lockfile.
poison() { # NAME
	local lockfile=$work/$1/$file evil sum url=$at/evil/-/evil-1.0.0.tgz
	evil=$(cat "$registry/evil.digest")
	case $kind in
	pnpm)
		sum="{integrity: $evil, tarball: $url}"
		sed -i -E "/^  fine-a@1\.0\.0:/,/integrity/s|\{integrity: .*\}|$sum|" "$lockfile"
		;;
	yarn)
		sed -i -E -e "/^fine-a@/,/integrity/s|resolved .*|resolved \"$url\"|" \
			-e "/^fine-a@/,/integrity/s|integrity .*|integrity $evil|" "$lockfile"
		;;
	bun)
		sum="\"$url\", {}, \"$evil\"]"
		sed -i -E "/\"fine-a\": \[/s|\"\", \{\}, \".*\"\]|$sum|" "$lockfile"
		;;
	berry)
		sum=$(sed -n '/^"evil@/,/checksum/s/.*checksum: //p' "$work/evil/$file")
		sed -i -E "/^\"fine-a@/,/checksum/{
			s|resolution: .*|resolution: \"evil@npm:1.0.0\"|
			s|checksum: .*|checksum: $sum|
		}" "$lockfile"
		;;
	esac
}

plain=(fine-a fine-b fine-c fine-d fine-e fine-f fine-g fine-h)

try_manager() { # KIND SPEC LOCKFILE
	local alone whole
	kind=$1 spec=$2 file=$3
	rm -rf "${work:?}"/*
	forget deps tarballs lock
	project plain "${plain[@]}"
	project victim "${plain[@]}" fine-new
	project evil evil
	lock plain
	[ "$kind" != berry ] || lock evil # whose sum no other way tells
	forget deps tarballs
	lock victim
	alone=$(tree)

	forget deps tarballs
	asked >/dev/null
	touch "$registry/lying"
	like "$kind: a tarball that is not what the lockfile says" \
		'CE: The dependencies cannot be installed' "$(warm plain)"
	rm "$registry/lying"
	like "$kind: the honest one is taken afterwards" 'ready' "$(warm plain)"
	whole=$(tree)

	like "$kind: one package more is a difference" 'from an earlier one' "$(warm victim)"
	equal "$kind: which gives the tree of a whole install" "" "$(diff <(echo "$alone") <(tree))"
	project fewer "${plain[@]:1}"
	equal "$kind: one package less is no difference" "" \
		"$(warm fewer | grep -E 'from an earlier|CE:|IE:')"
	like "$kind: but nothing is copied" '^[1-9]' \
		"$(find "$(newest deps)/node_modules" -name index.js -links +1 | wc -l)"
	forget deps
	asked >/dev/null
	touch "$registry/lying"
	like "$kind: what is stored is taken from there" 'ready' "$(warm plain)"
	rm "$registry/lying"
	equal "$kind: the registry is not asked" 0 "$(asked)"
	equal "$kind: and is the same" "" "$(diff <(echo "$whole") <(tree))"

	forget deps
	cp -r "$work/plain" "$work/attacker"
	poison attacker
	like "$kind: an attacker's own install goes on" 'ready|CE:' "$(warm attacker)"
	like "$kind: so does the other's" 'ready' "$(warm victim)"
	equal "$kind: which gets what it would get alone" "" "$(diff <(echo "$alone") <(tree))"
	like "$kind: the store is whole" ', 0 damaged$' \
		"$("$run" deps verify --store "$store" 2>&1)"

	forget deps
	close_registry
	like "$kind: without the registry, all tarballs stored" 'ready' "$(warm victim)"
	equal "$kind: the tree is the same" "" "$(diff <(echo "$alone") <(tree))"
	forget deps
	find "$store/tarballs" -type f | head -1 | xargs rm
	like "$kind: one that is missing is our failure" \
		'(registry|127\.0\.0\.1).*does not answer' "$(warm victim)"
	serve
}

# The managers themselves come from the real registry, if another test did not need them before.
mkdir "$store/manager"
for spec in pnpm@10.34.9 yarn@1.22.22 yarn@4.18.1 bun@1.4.5; do
	entry=$(grep -lsx "label $spec" "$everybodys"/manager/*.info)
	[ -z "$entry" ] || cp -a "${entry%.info}" "${entry%.info}".* "$store/manager"
	project manager yocto-queue
	"$run" deps warm --store "$store" "$work/manager" >"$scratch/said" 2>&1 ||
		cat "$scratch/said"
done
equal "the managers are there" 4 "$(find "$store/manager" -name '*.info' | wc -l)"
forget deps lock tarballs
serve
try_manager pnpm pnpm@10.34.9 pnpm-lock.yaml
try_manager yarn yarn@1.22.22 yarn.lock
try_manager berry yarn@4.18.1 yarn.lock
try_manager bun bun@1.4.5 bun.lock
close_registry
finish
