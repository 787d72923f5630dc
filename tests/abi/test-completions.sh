#!/bin/bash
# SPDX-License-Identifier: MIT
# What the shells complete is what the commands say of themselves in --help.
set -u
. "$(dirname "$0")/../tap.sh"
build=${SANDBOX_BUILD:?is set by tests/run.sh}
cd "${SANDBOX_SOURCE:?is set by tests/run.sh}" || exit 1
completions=$build/docs/completions
export PATH=$build/runner:$build/runner/fleet:$build/runner/isolate:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ------------------------------------------------------------------------------ bash
. "$completions/sandbox-run"
for command in sandbox-run sandbox-isolate; do
	report "bash knows how to complete $command" \
		"$(complete -p $command 2>&1 | grep -q -- '-F _sandbox' ||
			complete -p $command 2>&1)"
done

in_bash() { # WORD...: what is offered for the last one, a line each
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_sandbox
	printf '%s\n' "${COMPREPLY[@]}"
}

# The options that a --help lists: those that its lines begin with.
listed() {
	"$@" --help | sed -nE 's/^ +(-[A-Za-z], )?(--[a-z][a-z-]*).*/\2/p' | sort -u |
		grep . || echo "$* --help lists nothing"
}

commands=$(sandbox-run --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
report "sandbox-run has commands" "$([ "$(wc -w <<<"$commands")" -ge 5 ] || echo "$commands")"
report "bash completes the commands" \
	"$(diff <(echo "$commands" | sort) <(in_bash sandbox-run "" | grep -v '^-' | sort))"
for command in $commands; do
	[ "$command" != help ] || continue
	report "bash completes every option of sandbox-run $command" \
		"$(comm -23 <(listed sandbox-run "$command") \
			<(in_bash sandbox-run "$command" -- | sort -u))"
done
report "bash completes every option of sandbox-isolate" \
	"$(comm -23 <(listed sandbox-isolate) <(in_bash sandbox-isolate -- | sort -u))"

report "bash completes the commands of sandbox-runner" \
	"$(diff <(sandbox-runner --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' |
		sort) \
		<(in_bash sandbox-runner "" | grep -v '^-' | sort))"
report "bash completes what sandbox-runner admin does" \
	"$(diff \
		<(sandbox-runner admin --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' |
			sort) \
		<(in_bash sandbox-runner admin "" | grep -v '^-' | sort))"
report "bash completes every option of sandbox-runner run" \
	"$(comm -23 <(listed sandbox-runner run) <(in_bash sandbox-runner run -- | sort -u))"

offers() { # NAME EXPECTED WORD...
	local name=$1 expected=$2 offered
	shift 2
	offered=$(in_bash "$@" | xargs)
	report "$name" "$([ "$offered" = "$expected" ] || echo "offered: $offered")"
}
offers "bash completes a policy" classic-judge sandbox-run exec --policy clas
offers "bash completes a policy behind =" classic-judge sandbox-run exec --policy = clas
offers "bash completes a policy behind its letter" classic-judge sandbox-run exec -p clas
offers "bash completes the colours" "auto always never" sandbox-run grade --color ""
offers "bash completes the kinds of suites" "vitest" sandbox-run init-challenge --suite v
offers "bash completes the formats of reports" "html= junit= ctrf= tap=" sandbox-run explain \
	--report ""
offers "bash has no words for a size" "" sandbox-run exec --memory ""
offers "bash leaves the words of the jailed command alone" "" sandbox-run exec -- --mem
offers "bash completes the commands of policy" show sandbox-run policy sh

# ------------------------------------------------------------------------------ fish
if command -v fish >/dev/null; then
	report "fish reads its completion" "$(fish -n "$completions/sandbox-run.fish" 2>&1)"
	in_fish() {
		HOME=$work fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
			"$completions/sandbox-run.fish" "$1" | cut -f1 | sort -u
	}
	report "fish completes the commands" \
		"$(diff <(echo "$commands" | sort) <(in_fish "sandbox-run "))"
	report "fish completes every option of sandbox-run exec" \
		"$(comm -23 <(listed sandbox-run exec) <(in_fish "sandbox-run exec --"))"
	report "fish completes every option of sandbox-isolate" \
		"$(comm -23 <(listed sandbox-isolate) <(in_fish "sandbox-isolate --"))"
	report "fish completes a policy" \
		"$(in_fish "sandbox-run exec --policy=clas" | grep -vx -- --policy=classic-judge)"
else
	pass "fish completes the same # SKIP fish is not installed"
fi

# ------------------------------------------------------------------------------- zsh
# In a terminal of its own, as completion happens nowhere else; the wait ends when it is seen.
cat >"$work/type.zsh" <<'ZSH'
zmodload zsh/zpty zsh/zselect
until_seen() {
	local part all=
	while [[ $all != *$1* ]]; do
		zpty -r shell part && all+=$part || zselect -t 2
	done
}
zpty -b shell "TERM=dumb zsh -f -i"
zpty -w shell "unsetopt zle_bracketed_paste; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; PS1='RE''ADY'"
until_seen READY
zpty -w -n shell "$2"$'\t'
until_seen $3
zpty -d shell
ZSH
in_zsh() { # NAME TYPED EXPECTED
	report "zsh completes $1" \
		"$(timeout 60 zsh -f "$work/type.zsh" "$work" "$2" "$3" 2>&1 ||
			echo "never saw $3")"
}
if command -v zsh >/dev/null; then
	cp "$completions/_sandbox-run" "$work/"
	report "zsh reads its completion" "$(zsh -n "$work/_sandbox-run" 2>&1)"
	in_zsh "a command" "sandbox-run gr" "grade"
	in_zsh "an option" "sandbox-run exec --mem" "--memory="
	in_zsh "a policy" "sandbox-run exec --policy=clas" "classic-judge"
	in_zsh "an option of sandbox-isolate" "sandbox-isolate --clean" "--cleanup"
else
	pass "zsh completes the same # SKIP zsh is not installed"
fi
finish
