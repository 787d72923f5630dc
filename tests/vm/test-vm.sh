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
deadline=840 # seconds, less than tests/run.sh gives; software emulation needs a few minutes

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
"$here/image.sh" "$build" "$vm/kernel" "$image" 2>"$vm/log" ||
	bail "image.sh could not make the guest's disk:" "$(<"$vm/log")"

arguments="console=ttyS0 root=/dev/nvme0n1 rw rootfstype=ext4 rootflags=noinit_itable quiet panic=-1
	init=/usr/sbin/init lanes=$lanes only=${SANDBOX_VM_ONLY:-}"
# The kernel has its NVMe and ext4 drivers built in: no initrd. A panic reboots, which ends QEMU.
accel=${SANDBOX_VM_ACCEL:-tcg,thread=multi}
timeout -k 10 $deadline qemu-system-x86_64 -accel "$accel" -cpu max -smp 2 -m 2048 -nodefaults \
	-no-user-config -display none -no-reboot -serial "file:$vm/console" \
	-serial "file:$vm/results" -kernel "$vm/kernel/vmlinuz" \
	-drive "file=$image,format=raw,if=none,id=disk,cache=unsafe" \
	-device nvme,drive=disk,serial=disk \
	-append "$(echo $arguments)" \
	</dev/null >"$vm/log" 2>&1 &
qemu=$!
wait $qemu
status=$?
qemu=

touch "$vm/results"
awk -v dir="$vm" -f "$here/report.awk" "$vm/results" >"$vm/tap"
cat "$vm/tap"
if ! grep -q '^@done ' "$vm/results"; then
	[ $status != 124 ] || echo "# the guest was ended after $deadline s"
	sed 's/^/# qemu: /' "$vm/log"
	tail -40 "$vm/console" | tr -d '\r' | sed 's/^/# console: /'
fi
! grep -q '^not ok' "$vm/tap"
