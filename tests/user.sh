# SPDX-License-Identifier: MIT
# For tests of what an ordinary user can do: sourced, by tests that run as root.

# A copy of what was built that everybody may read: the tree itself may lie in a home directory.
copy_for_user() { # DIR: becomes the copy of the build
	local to=$1 file
	mkdir -p "$to/lib" "$to/runner/isolate" "$to/runner/inside" "$to/tests/jail"
	for file in "$SANDBOX_BUILD"/lib/libsandbox.so* "$SANDBOX_BUILD"/runner/sandbox-* \
		"$SANDBOX_BUILD"/runner/isolate/sandbox-* "$SANDBOX_BUILD"/runner/inside/sandbox-* \
		"$SANDBOX_BUILD"/tests/jail/probe; do
		[ -d "$file" ] || cp -P "$file" "$to${file#"$SANDBOX_BUILD"}"
	done
	cp -r "$SANDBOX_BUILD/policies" "$to"
	chmod -R a+rX "$to"
}

# Sets `as_user`, the words that run a command as a user without privileges, subordinate ids or a
# delegated group: "${as_user[@]}" COMMAND...
become() { # UID [NAME=VALUE...]
	local uid=$1
	shift
	as_user=(env -u XDG_RUNTIME_DIR -u XDG_DATA_HOME -u XDG_STATE_HOME -u XDG_CONFIG_HOME
		-u SANDBOX_STORE -u SANDBOX_ISOLATE_CONFIG HOME=/nonexistent SANDBOX_LANE=user "$@"
		setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all)
}
