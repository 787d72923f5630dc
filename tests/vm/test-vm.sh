#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The jail suite on another host: Debian's kernel in QEMU, where cgroup v2 has every controller,
# as root and as an ordinary user with a delegated group.
#
# The guest is a kernel and a disk made of files; nothing of the host is changed for it. Both, the
# console's log and what doctor says are in vm/ of the build tree. By hand:
#   SANDBOX_VM_LANES   which of "root,user" (both)
#   SANDBOX_VM_ONLY    one test program, as test-life, or delegation
#   SANDBOX_VM_ACCEL   an accelerator of QEMU ("tcg,thread=multi"; kvm hangs on some nested hosts)
set -uo pipefail
here=$(dirname "$(readlink -f "$0")")
build=${SANDBOX_BUILD:?is set by tests/run.sh}
lanes=${SANDBOX_VM_LANES:-root,user}
deadline=1400 # seconds, less than tests/run.sh gives; software emulation needs a few minutes
patience=120 # seconds of silence after which the guest is frozen; it gives a sign every two

vm=$build/vm
image=$vm/disk.ext4
qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null; rm -f "$image"' EXIT
trap 'exit 130' INT TERM

bail() {
	printf 'not ok 1 - the guest boots and comes to its end\n'
	printf '%s\n' "$@" | sed 's/^/# /'
	printf '1..1\n'
	exit 1
}

for program in qemu-system-x86_64 busybox mke2fs newuidmap setfattr; do
	command -v $program >/dev/null || bail "$program is not installed:
apt-get install qemu-system-x86 busybox-static e2fsprogs uidmap attr"
done

mkdir -p "$vm"
rm -f "$vm"/{console,results,doctor-root.txt,doctor-user.txt}
"$here/kernel.sh" "$vm/kernel" 2>"$vm/log" || bail "$(<"$vm/log")"

arguments="console=ttyS0 root=/dev/nvme0n1 rw rootfstype=ext4 rootflags=noinit_itable quiet panic=-1
	8250.nr_uarts=4 init=/usr/sbin/init lanes=$lanes only=${SANDBOX_VM_ONLY:-}"

# The kernel has its NVMe and ext4 drivers built in: no initrd. A panic reboots, which ends QEMU.
boot() { # ACCEL
	"$here/image.sh" "$build" "$vm/kernel" "$image" 2>"$vm/log" ||
		bail "image.sh could not make the guest's disk:" "$(<"$vm/log")"
	rm -f "$vm"/{console,results,alive}
	touch "$vm/alive" "$vm/results"
	qemu-system-x86_64 -accel "$1" -cpu max -smp 2 -m 2048 -nodefaults \
		-no-user-config -display none -no-reboot -serial "file:$vm/console" \
		-serial "file:$vm/results" -serial "file:$vm/alive" -kernel "$vm/kernel/vmlinuz" \
		-drive "file=$image,format=raw,if=none,id=disk,cache=unsafe" \
		-device nvme,drive=disk,serial=disk \
		-append "$(echo $arguments)" \
		</dev/null >"$vm/log" 2>&1 &
	qemu=$!
}

# Until the guest has ended. It is ended here when it was silent for too long, or the time is over.
watch() {
	local now size last=-1 since=$SECONDS
	frozen=
	while kill -0 $qemu 2>/dev/null; do
		size=$(stat -c %s "$vm/alive")
		now=$SECONDS
		[ "$size" = "$last" ] || { last=$size since=$now; }
		[ $((now - since)) -lt $patience ] || { frozen=1; break; }
		[ $now -lt $deadline ] || break
		sleep 1
	done
	kill -KILL $qemu 2>/dev/null
	wait $qemu 2>/dev/null
	qemu=
}

# The emulator with a thread for each processor was seen to freeze once in some dozens of runs: the
# guest's own timer, which ends a test program after five minutes, did not fire any more. That says
# nothing of what is tested here, so a frozen guest, and nothing else, is booted again, on one
# thread.
boot "${SANDBOX_VM_ACCEL:-tcg,thread=multi}"
watch
if [ -n "$frozen" ]; then
	echo "# the guest gave no sign of life for $patience s, and is booted again"
	tail -qn 5 "$vm/results" "$vm/console" | tr -d '\r' | sed 's/^/# frozen: /'
	boot tcg,thread=single
	watch
fi

awk -v dir="$vm" -f "$here/report.awk" "$vm/results" >"$vm/tap"
cat "$vm/tap"
if ! grep -q '^@done ' "$vm/results"; then
	[ $SECONDS -lt $deadline ] || echo "# the guest was ended after $deadline s"
	[ -z "$frozen" ] || echo "# the guest gave no sign of life for $patience s"
	sed 's/^/# qemu: /' "$vm/log"
	tail -40 "$vm/console" | tr -d '\r' | sed 's/^/# console: /'
fi
! grep -q '^not ok' "$vm/tap"
