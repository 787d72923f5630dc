#!/bin/bash
# SPDX-License-Identifier: MIT
# What `meson install` puts where, and that another project can build against it.
set -u
. "$(dirname "$0")/../tap.sh"
build=${SANDBOX_BUILD:?is set by tests/run.sh}
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
report "meson install succeeds" \
	"$(meson install -C "$build" --no-rebuild --destdir "$dest" >"$dest/log" 2>&1 ||
		cat "$dest/log")"
for file in bin/sandbox-run include/sandbox/sandbox.h share/sandbox/policies/base.json \
	libexec/sandbox/sandbox-inside libexec/sandbox/sandbox-inside-test \
	man/man1/sandbox-run.1 man/man1/sandbox-isolate.1 man/man3/libsandbox.3 \
	man/man5/sandbox-policy.5 \
	bash-completion/completions/sandbox-run bash-completion/completions/sandbox-isolate \
	zsh/site-functions/_sandbox-run fish/vendor_completions.d/sandbox-run.fish; do
	report "$file is installed" \
		"$(find "$dest" -path "*/$file" -type f | grep -q . || echo missing)"
done
library=$(find "$dest" -name libsandbox.so.0 | head -1)
report "libsandbox.so.0 is installed" "$([ -n "$library" ] || echo missing)"
pc=$(find "$dest" -name libsandbox.pc | head -1)

cat >"$dest/caller.c" <<'C'
#include <sandbox/sandbox.h>
#include <stdio.h>
int main(void)
{
	struct sbx_error err = { 0 };
	struct sbx_policy *p = NULL;
	int r = sbx_policy_parse(&p, "{\"memory\": 1}", 13, "text", NULL, &err);

	printf("%s %d %s\n", sbx_version(), r < 0, err.stage);
	return 0;
}
C
flags=$(PKG_CONFIG_PATH=$(dirname "$pc") PKG_CONFIG_SYSROOT_DIR=$dest pkg-config --cflags \
		--libs libsandbox)
# shellcheck disable=SC2086
report "a caller builds with what pkg-config says" \
	"$(gcc "$dest/caller.c" -o "$dest/caller" $flags 2>&1)"
report "pkg-config knows where the policies are" \
	"$([ -f "$dest$(PKG_CONFIG_PATH=$(dirname "$pc") \
		pkg-config --variable=policydir libsandbox)/base.json" ] || echo "not there")"
said=$(LD_LIBRARY_PATH=$(dirname "$library") "$dest/caller" 2>&1)
report "and runs" "$([ "$said" = "0.1.0 1 policy" ] || echo "it said: $said")"
finish
