# SPDX-License-Identifier: MIT
#
# Reads what the guest sent and prints it as one TAP stream, each test with the name of its lane and
# program. What is missing is a failure: a program without a plan, or with other tests than planned,
# one that the guest did not finish, and a guest that did not come to its end.
# Needs -v dir=DIR, where doctor's output goes.

function result(good, name) {
	printf "%s %d - %s\n", good ? "ok" : "not ok", ++count, name
}

function finish(status, seconds) {
	if (plan == "" || plan != seen || (status != 0 && !failed)) {
		result(0, program ": the whole program")
		printf "# exit status %s, %s tests planned, %d reported\n", status,
			plan == "" ? "no" : plan, seen
	}
	printf "# %s: %d tests in %d s\n", program, seen, seconds
	program = ""
}

{ sub(/\r$/, "") }

/^@kernel / { print "# guest: Linux " $2; next }
/^@begin / { program = $2; plan = ""; seen = failed = 0; next }
/^@doctor / { doctor = $2; file = dir "/doctor-" doctor ".txt"; printf "" >file; next }
/^@stderr / { print "# stderr: " substr($0, 9); next }
/^@end / && doctor != "" {
	close(file)
	result($2 == 0, "vm-" doctor ": doctor finds nothing that fails")
	if ($2 != 0)
		print "# exit status " $2 "; it is in " file
	doctor = ""
	next
}
/^@end / && program != "" { finish($2, $3); next }
/^@done / { done = 1; printf "# the guest ran for %d s\n", $2; next }

doctor != "" { print >file; next }
/^$/ { next }
program == "" { print "# " $0; next }

/^1\.\.[0-9]+/ { plan = substr($1, 4); next }
/^(not )?ok / {
	good = $1 == "ok"
	name = $0
	sub(/^(not )?ok *[0-9]* *(- *)?/, "", name)
	result(good, program ": " name)
	seen++
	failed += !good
	next
}
/^#/ { print; next }
{ print "# " $0 }

END {
	if (program != "")
		finish("unknown (the guest ended in it)", 0)
	result(done, "the guest boots and comes to its end")
	printf "1..%d\n", count
}
