#!/bin/dash
# SPDX-License-Identifier: MIT
#
# Process 1 of the guest: a host with cgroup v2 and every controller, on which the jail suite runs
# in lanes, as root and as an ordinary user. The kernel's command line says lanes=LANE,LANE and
# maybe only=PROGRAM.
#
# The console is for the kernel. What test programs print goes out over the second serial port, in
# lines, as it is printed; lines of this script begin with "@" (report.awk reads both). Over the
# third port a byte goes out every few seconds: a guest that is silent there is frozen.
export PATH=/usr/sbin:/usr/bin

build=/opt/sandbox
program_time=300 # seconds for one test program
user_groups=/sys/fs/cgroup/user.slice/user-1500.slice
own_group=$user_groups/user@1500.service/tests
login_group=$user_groups/session-1.scope
group=$own_group # of the user's lane

end() {
	sync
	busybox reboot -f
}

mount_all() {
	busybox mount -t proc proc /proc
	busybox mount -t sysfs sysfs /sys
	busybox mount -t devtmpfs dev /dev
	mkdir -p /dev/pts /dev/shm
	busybox mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
	ln -sf pts/ptmx /dev/ptmx
	busybox mount -t tmpfs -o mode=1777 tmpfs /dev/shm
	busybox mount -t tmpfs -o mode=755 tmpfs /run
	busybox mount -t tmpfs -o mode=1777 tmpfs /tmp
	busybox mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
	ln -s /proc/self/fd /dev/fd
}

# The image's maker may have been anybody.
own_files() {
	chown -hR 0:0 /usr /etc /opt /root
	chown -R 1500:1500 /home/judge
	chmod 0700 /root
	chmod 1777 /var/tmp
	chmod 4755 /usr/bin/newuidmap /usr/bin/newgidmap
}

# As systemd does: the group of the user's manager is marked and belongs to the user, with the files
# that the kernel lists for it; the user's processes sit in groups below. A login by ssh has a group
# beside it, which is root's.
delegate() {
	local dir=/sys/fs/cgroup part file
	for part in user.slice user-1500.slice user@1500.service; do
		echo "+cpu +memory +pids" >$dir/cgroup.subtree_control
		dir=$dir/$part
		mkdir $dir
	done
	chown 1500:1500 $dir
	setfattr -n user.delegate -v 1 $dir
	for file in $(cat /sys/kernel/cgroup/delegate); do
		[ ! -e "$dir/$file" ] || chown 1500:1500 "$dir/$file"
	done
	mkdir $own_group $login_group
	chown -R 1500:1500 $own_group
	install -d -o 1500 -g 1500 -m 0700 /run/user/1500
}

# Runs as the lane's user, with the environment that a login gives.
as() { # LANE COMMAND...
	local lane=$1
	shift
	(
		if [ "$lane" = root ]; then
			cd /root || exit
			exec env -i PATH="$PATH" HOME=/root USER=root SANDBOX_LANE=root \
				$variables "$@"
		fi
		sh -c 'echo $PPID' >"$group/cgroup.procs"
		cd /home/judge || exit
		exec env -i PATH="$PATH" HOME=/home/judge USER=judge \
			XDG_RUNTIME_DIR=/run/user/1500 SANDBOX_LANE=user $variables \
			setpriv --reuid 1500 --regid 1500 --init-groups --inh-caps=-all "$@"
	)
}

# The port is a terminal: programs write to it line by line, and what they wrote before they hung or
# took the guest down has arrived.
run_test() { # LANE NAME COMMAND...
	local lane=$1 name=$2 start status
	shift 2
	[ -z "$only" ] || [ "$only" = "${name##*/}" ] || return
	start=$(cut -d. -f1 /proc/uptime)
	echo "@begin vm-$lane/$name"
	as "$lane" timeout -k 5 $program_time "$@" </dev/null 2>/tmp/stderr
	status=$?
	[ $status = 0 ] || tail -60 /tmp/stderr | awk '{ print "@stderr " $0 }'
	echo # should the last line have no end
	echo "@end $status $(($(cut -d. -f1 /proc/uptime) - start))"
}

delegations() {
	run_test user delegation $build/tests/delegation.sh delegated
	group=$login_group
	run_test user no-delegation $build/tests/delegation.sh session
	group=$own_group
}

doctor() { # LANE
	echo "@doctor $1"
	as "$1" $build/runner/sandbox-run doctor --color never 2>&1 </dev/null
	echo "@end $? 0"
}

argument() { # NAME: its value on the kernel's command line
	sed -n "s/.*\<$1=\([^ ]*\).*/\1/p" /proc/cmdline
}

main() {
	local lane test
	# SANDBOX_SLOW: as many times slower than the host: what is repeated is repeated less, what
	# has a short time has more of it.
	variables="SANDBOX_BUILD=$build SANDBOX_PROBE=$build/tests/jail/probe SANDBOX_SLOW=10
		CMOCKA_MESSAGE_OUTPUT=TAP"
	lanes=$(argument lanes | tr , ' ')
	only=$(argument only)
	busybox ip link set lo up
	busybox modprobe vsock
	delegate
	echo "@kernel $(uname -r)"
	for lane in $lanes; do
		doctor "$lane"
		for test in $build/tests/jail/test-*; do
			run_test "$lane" "jail/${test##*/}" "$test"
		done
		[ "$lane" = root ] || delegations
		run_test "$lane" leftovers $build/tests/leftovers.sh
	done
	echo "@done $(cut -d. -f1 /proc/uptime)"
}

mount_all
own_files
busybox hostname guest
busybox stty -F /dev/ttyS1 raw -echo
while echo; do sleep 2; done >/dev/ttyS2 2>/dev/null &
main >/dev/ttyS1 2>/dev/console
end
