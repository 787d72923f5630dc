#!/bin/bash
# SPDX-License-Identifier: MIT
# The configuration of sandbox-runner: which source counts, what is refused and how it is said, what
# is shown. No server, no jail.
set -u
. "$(dirname "$0")/../pipeline/lib.sh"
runner=$build/runner/fleet/sandbox-runner
config=$scratch/runner.json
mkdir "$scratch/challenges"
unset "${!SANDBOX_RUNNER_@}"

write() { cat >"$config"; }
run_config() { "$runner" config "$@" 2>&1; }
# shown KEY [OPTION...]: the line of a key as print shows it, with where it comes from.
shown() {
	local key=$1
	shift
	run_config print --effective --config "$config" "$@" | grep -E "^\s*\"$key\": " |
		sed -E 's/^\s+//; s/,( \/\/)/\1/'
}
# refused NAME PATTERN: what stands in the file is refused, with exit code 2.
refused() {
	local out status
	out=$(run_config print --config "$config")
	status=$?
	equal "$1: exit code" 2 $status "$out"
	like "$1: what is said" "$2" "$out"
}

# ---------------------------------------------------------------- precedence
write <<'EOS'
{
	// of one worker
	"slots": 3, /* not the processors */
	"challenges": "challenges",
	"redis": { "timeout": "1s" }
}
EOS
equal "a default" '"depth": 10000 // default' "$(shown depth)"
equal "the file instead of the default" "\"slots\": 3 // $config" "$(shown slots)"
equal "the environment instead of the file" '"slots": 4 // SANDBOX_RUNNER_SLOTS' \
	"$(SANDBOX_RUNNER_SLOTS=4 shown slots)"
equal "the flag instead of the environment" '"slots": 5 // --slots' \
	"$(SANDBOX_RUNNER_SLOTS=4 shown slots --slots 5)"
equal "an empty variable says nothing" "\"slots\": 3 // $config" \
	"$(SANDBOX_RUNNER_SLOTS= shown slots)"
equal "a key in a section, by its variable" '"timeout": "3s" // SANDBOX_RUNNER_REDIS_TIMEOUT' \
	"$(SANDBOX_RUNNER_REDIS_TIMEOUT=3s run_config print --config "$config" |
		sed -nE 's/^\s+("timeout".*)/\1/p')"
equal "a list in the environment" \
	'"hosts": ["a.example", "b.example"] // SANDBOX_RUNNER_FETCH_HOSTS' \
	"$(SANDBOX_RUNNER_FETCH_HOSTS=a.example,b.example shown hosts)"
equal "a folder of the file is relative to it" \
	"\"challenges\": \"$scratch/challenges\" // $config" "$(shown challenges)"
equal "a folder of a flag is relative to where one stands" \
	"\"challenges\": \"/x\" // --challenges" \
	"$(cd / && shown challenges --challenges x | sed 's|//x|/x|')"
equal "the file by its variable" "\"slots\": 3 // $config" \
	"$(SANDBOX_RUNNER_CONFIG=$config run_config print |
		sed -nE 's/^\s+("slots".*),( \/\/)/\1\2/p')"
equal "a long time in days" '"keep": "30d" // --queue-keep' "$(shown keep --queue-keep 30d)"
equal "without --effective defaults are not shown" 0 \
	"$(run_config print --config "$config" | grep -c '// default')"

# ------------------------------------------------------------------- secrets
echo 'redis://:from-a-file@127.0.0.1' >"$scratch/secret"
equal "a secret in a file of its own" \
	'"url": "redis://:***@127.0.0.1" // SANDBOX_RUNNER_REDIS_URL_FILE' \
	"$(SANDBOX_RUNNER_REDIS_URL_FILE=$scratch/secret shown url)"
equal "passwords are not shown" '"url": "postgresql://u:***@h/d" // SANDBOX_RUNNER_LEDGER_URL' \
	"$(SANDBOX_RUNNER_LEDGER_URL='postgresql://u:p@h/d' shown url | grep postgres)"
equal "nor those of another form" '"url": "***" // SANDBOX_RUNNER_LEDGER_URL' \
	"$(SANDBOX_RUNNER_LEDGER_URL='host=h password=p' shown url | grep LEDGER)"
like "a secret said twice is refused" \
	'SANDBOX_RUNNER_REDIS_URL and SANDBOX_RUNNER_REDIS_URL_FILE say the same' \
	"$(SANDBOX_RUNNER_REDIS_URL=redis://x SANDBOX_RUNNER_REDIS_URL_FILE=$scratch/secret \
		run_config print)"
like "a secret's file that is not there is named" \
	"SANDBOX_RUNNER_REDIS_URL_FILE: $scratch/nothing cannot be read" \
	"$(SANDBOX_RUNNER_REDIS_URL_FILE=$scratch/nothing run_config print)"

# -------------------------------------------------------------------- errors
write <<<'{ "redis": { "ulr": "x" } }'
refused "a misspelt key" \
	"$config:1:[0-9]+: there is no key \"ulr\"; did you mean \"url\"\? \(\\$\.redis\.ulr\)"
write <<<'{ "slots": 2, "slots": 3 }'
refused "a key that comes twice" 'the key "slots" comes twice'
write <<<'{ "slots": "many" }'
refused "a text for a number" "$config:1:[0-9]+: this must be a number \(\\$\.slots\)"
write <<<'{ "slots": 0 }'
refused "a number out of range" 'not a whole number from 1 to 1024'
write <<<'{ "drain_timeout": "5" }'
refused "a time without its unit" '"5" .*write it like "15s"'
write <<<'{ "fetch": { "max_size": "1T" } }'
refused "a size of an unknown unit" 'write it like "50M"'
write <<<'{ "fetch": { "max_size": "51M" } }'
refused "a size out of range" 'from 1 KiB to 50 MiB'
write <<<'{ "fetch": [] }'
refused "a list for a section" 'this must be an object'
write <<<'{ "fetch": { "hosts": "a.example" } }'
refused "a text for a list" 'this must be a list of strings'
write <<<'{ "compat": { "devforces": "on" } }'
refused "an unknown choice" '"on" is not one of off, publish, publish\+rank'
write <<<'{ "allow_unenforced": ["memroy"] }'
refused "an unknown limit" '"memroy" is not one of memory, swap'
write <<<'{ "name": "a b" }'
refused "a name that is no id" 'name .*letters, digits'
write <<<'{ "redis": { "timeout": "30s" } }'
refused "a timeout that would lose leases" "redis.timeout .*two thirds of queue.lease"
write <<<'{ "redis": { "url": "foo" } }'
refused "a Redis that is no URL" "redis.url \\($config\\): the Redis URL has .*redis://"
write <<<'{ "ledger": { "url": "mysql://u:hunter2@h/d" } }'
refused "a ledger of another kind" 'ledger.url .*postgresql://'
for text in bar 'postgresql://u:hunter2@h/d?nonsense=1'; do
	write <<<"{ \"ledger\": { \"url\": \"$text\" } }"
	refused "a ledger that cannot be read: ${text%%:*}" \
		'ledger.url .*cannot be read.*postgresql://USER@HOST'
	equal "its password is not said" 0 \
		"$(run_config print --config "$config" | grep -c hunter2)"
done
write <<<'{ "compat": { "database_url": "http://h" } }'
refused "the database of DevForces" 'compat.database_url .*postgresql://'
write <<<'{ "database": { "provider": "server" } }'
refused "a provider without its URL" 'database.url: .*needs it'
write <<<'{ "slots": 2'
refused "a file that is cut off" "$config:[0-9]+:[0-9]+: this is not JSON"
printf '{ "name": "\xff" }' >"$config"
refused "a file that is not UTF-8" 'not UTF-8'
: >"$config"
refused "an empty file" 'this is not JSON'
rm "$config"
refused "a file that is not there" 'the configuration cannot be read: No such file'
mkdir "$config"
refused "a folder" 'the configuration cannot be read'
rmdir "$config"
like "a misspelt variable" \
	'SANDBOX_RUNNER_LEDGR_URL: no key has this variable; did you mean SANDBOX_RUNNER_LEDGER_URL' \
	"$(SANDBOX_RUNNER_LEDGR_URL=x run_config print)"
like "a wrong value of a variable names it" 'SANDBOX_RUNNER_SLOTS: "x" is not a whole number' \
	"$(SANDBOX_RUNNER_SLOTS=x run_config print)"
like "a wrong value of a flag names it" '\-\-slots: "x" is not a whole number' \
	"$(run_config print --slots x)"
like "an unknown flag" 'unknown option --slot; did you mean --slots' "$(run_config print --slot 2)"

# --------------------------------------------------------------------- check
write <<<'{ "challenges": "challenges" }'
like "check says what a worker needs" 'ledger.url: a worker needs it' \
	"$(run_config check --config "$config")"
check "and is content when all is there" \
	"$runner" config check --config "$config" --ledger-url postgresql://h/d
write <<<'{ "challenges": "elsewhere" }'
like "check looks for the challenges" 'challenges .*elsewhere: No such file' \
	"$(run_config check --config "$config" --ledger-url postgresql://h/d)"
like "run refuses the same" 'sandbox-runner run: challenges .*elsewhere: No such file' \
	"$("$runner" run --config "$config" --ledger-url postgresql://h/d 2>&1)"

# What print shows of a whole configuration is one, secrets aside.
write <<'EOS'
{ "name": "w", "slots": 2, "challenges": "challenges", "allow_unenforced": ["memory", "swap"],
  "redis": { "url": "unix:///run/redis", "prefix": "p:{q}:" }, "ledger": { "url": "postgresql:///d" },
  "fetch": { "hosts": ["*.example"], "https_only": true }, "log": { "level": "debug" } }
EOS
run_config print --effective --config "$config" >"$scratch/again.json"
equal "what print shows is a configuration that says the same" \
	"$(sed 's| //.*||' "$scratch/again.json")" \
	"$(run_config print --effective --config "$scratch/again.json" | sed 's| //.*||')"
for part in slot judge intake self-test; do
	out=$("$runner" $part 3<&- 4<&- 2>&1)
	status=$?
	equal "$part is not for people" \
		"2 sandbox-runner $part: this is a part of sandbox-runner run" "$status $out"
done
# ------------------------------------------------------------------ passwords
write <<EOS
{ "challenges": "challenges", "ledger": { "url": "postgresql://u:hunter2@db/x" } }
EOS
chmod 644 "$config"
out=$(run_config check --config "$config")
equal "a password that all users may read: exit code" 2 $? "$out"
like "and how to mend it" 'ledger.url .*chmod o-r.*SANDBOX_RUNNER_LEDGER_URL_FILE' "$out"
equal "which does not show it" 0 "$(grep -c hunter2 <<<"$out")"
chmod 640 "$config"
equal "a file for a few" "0 " "$(run_config check --config "$config"; echo $? | tr '\n' ' ')"
chmod 666 "$config"
like "a file that all users may change" 'can be changed by all users .*chmod o-w' \
	"$(run_config check --config "$config" --ledger-url postgresql://h/d |
		sed 's/ledger.url.*//')"
chmod 640 "$config"

# Files of secrets: who may read them.
export SANDBOX_RUNNER_REDIS_URL_FILE=$scratch/secret
secret() { # MODE [OWNER[:GROUP]]
	chmod "$1" "$scratch/secret"
	[ $# -lt 2 ] || chown "$2" "$scratch/secret"
}
secret 600
equal "a file of a secret that is ours alone" "0" \
	"$(run_config check --config "$config" >&2; echo $?)"
for mode in 644 604 640; do
	secret $mode
	out=$(run_config check --config "$config")
	equal "a secret of mode $mode: exit code" 2 $? "$out"
	like "and what to do" \
		"REDIS_URL_FILE: $scratch/secret can be read by .*\(mode 0$mode\).*chmod 0600" \
		"$out"
	equal "which does not show it" 0 "$(grep -c from-a-file <<<"$out")"
done
secret 620
like "one that its group may change" 'can be changed by its group' \
	"$(run_config check --config "$config")"
secret 644
equal "who only looks at the fleet may read it all the same" 0 \
	"$(run_config print --config "$config" >/dev/null; echo $?)"
equal "one of the shell's" 0 \
	"$(SANDBOX_RUNNER_REDIS_URL_FILE=<(echo redis://h) run_config check \
		--config "$config" >&2; echo $?)"
if [ "$(id -u)" = 0 ]; then
	secret 600 1234
	like "one of somebody else's" 'belongs to user 1234, .*chown root' \
		"$(run_config check --config "$config")"
	chmod 711 "$scratch" && chmod 755 "$scratch/challenges" && chgrp 65534 "$config"
	as_user() {
		setpriv --reuid=65534 --regid=65534 --clear-groups "$runner" config \
			check --config "$config" 2>&1
	}
	secret 640 root:65534
	equal "root's, given to us by its group" "0" "$(as_user >&2; echo $?)"
	secret 644 root:65534
	like "and to all" 'can be read by all users .*chmod 0640' "$(as_user)"
	secret 600 65534
	equal "our own, as a user" "0" "$(as_user >&2; echo $?)"
	# as Kubernetes, Docker and systemd mount them
	mounted() { # OPTIONS
		unshare -m sh -c 'mount -t tmpfs x "$1/mount" && echo redis://h >"$1/mount/url" &&
			chmod 444 "$1/mount/url" && mount -o "remount,$2" "$1/mount" &&
			export SANDBOX_RUNNER_REDIS_URL_FILE=$1/mount/url &&
			exec "$3" config check --config "$4"' \
			sh "$scratch" "$1" "$runner" "$config" 2>&1
	}
	mkdir "$scratch/mount"
	equal "one that was mounted for us, read-only and in memory" "0" \
		"$(mounted ro >&2; echo $?)"
	like "one in memory that is somebody's" 'can be read by all users' "$(mounted rw)"
fi
unset SANDBOX_RUNNER_REDIS_URL_FILE
equal "a URL that is wrong does not show its password either" 0 \
	"$(run_config print --effective --redis-url 'redis://:hunter2/3@db' --config "$config" |
		grep -c hunter2)"
finish
