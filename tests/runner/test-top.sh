#!/bin/bash
# SPDX-License-Identifier: MIT
# sandbox-runner top on a terminal: what it shows, what its keys do, and that the terminal is as it
# was.
set -u
. "$(dirname "$0")/lib.sh"
unset "${!SANDBOX_RUNNER_@}"
redis_start || exit 1
printf '{ "redis": { "url": "%s", "timeout": "1s" } }' "$redis_url" >"$scratch/config.json"
tap_program top python3 "$(dirname "$0")/top.py" "$build/runner/fleet/sandbox-runner" \
	"$redis_socket" \
	"$scratch/config.json"
finish
