# SPDX-License-Identifier: MIT
# The table of fleet.sh, from what was measured.
function per(ms) { return ms / n }
function line(name, ms) { printf "      %-58s %8.1f\n", name, per(ms) }

$1 == "latency" { p50 = $2; p95 = $3 }
$1 == "alone" { alone = $2 }
$1 == "stage" { stages = stages sprintf("%s%s %s", stages == "" ? "" : ", ", $2, $3) }
$1 == "group" { group[$2] = $3 / 1000; all += $3 / 1000 }
$1 == "floor" { floor[$2] = $3; floors += $3 }
$1 == "floor-wall" { floor_wall = $2 * 1000 }
$1 == "machine" { machine[++rows] = $2 - $3; if (rows == 2) machine[2] = $2 - $3 }
$1 == "part" {
	named[$2] += $5
	if ($2 != "worker") { next }
	program[$3] += $5
	processes[$3] += $4
	if ($3 ~ /^(node|libuv-worker|V8Worker|DelayedTaskSche|SignalInspector|npm|sh)/)
		student += $5
	else if ($3 ~ /^postgres$/)
		database += $5
	else
		ours += $5
}
END {
	printf "%s, %s databases, %d slots: %d submissions in %.1f s: %.0f per minute\n", example, provider, slots, n, s, n / s * 60
	printf "      from judging to verdict: p50 %d ms, p95 %d ms; handed in to verdict, when it is alone: p50 %d ms\n", p50, p95, alone
	printf "      stages, p50 ms: %s\n", stages
	printf "    processor time of a submission, ms %40.1f\n", per(all)
	line("the student's server", student)
	line(provider == "server" ? "the server of all databases" : "the student's database", database + group["students"])
	line("ours: worker, judges, jails, unpacking, migration, tests", ours)
	for (p in program)
		if (per(program[p]) >= 0.05 && p !~ /^(node|libuv-worker|V8Worker|DelayedTaskSche|SignalInspector|npm|sh|postgres)$/)
			printf "        %-56s %8.1f  (%.1f processes)\n", p, per(program[p]), processes[p] / n
	line("the worker's processes, from their end to nothing", group["worker"] - named["worker"])
	line("Redis", group["redis"])
	line("the ledger", group["ledger"])
	printf "    of the whole machine meanwhile: %.1f, kernel threads %.1f (with what else ran there)\n", per(machine[1]), per(machine[2])
	if (!floors)
		exit
	printf "    floor, without jails and judge: %.1f (server %.1f, database %.1f, migration %.1f, tester %.1f), wall %d ms\n", floors,
		floor["server"], floor["database"], floor["migration"], floor["tester"], floor_wall
	printf "    ratio to the floor: %.2f\n", per(all) / floors
}
