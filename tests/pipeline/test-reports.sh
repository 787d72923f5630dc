#!/bin/bash
# SPDX-License-Identifier: MIT
# The reports of a result say the same as the result, in forms that their readers accept; hostile
# texts stay texts.
. "$(dirname "$0")/lib.sh"

cd "$scratch" || exit 1
reports=html=r.html,junit=r.xml,ctrf=r.ctrf.json,tap=r.tap

# What Jenkins, GitLab and their like have in common.
cat >junit.rng <<'RNG'
<grammar xmlns="http://relaxng.org/ns/structure/1.0" datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
	<define name="counts">
		<attribute name="tests"><data type="nonNegativeInteger"/></attribute>
		<attribute name="failures"><data type="nonNegativeInteger"/></attribute>
		<attribute name="errors"><data type="nonNegativeInteger"/></attribute>
		<attribute name="time"><data type="decimal"/></attribute>
	</define>
	<define name="why">
		<optional><attribute name="type"/></optional>
		<attribute name="message"/>
		<text/>
	</define>
	<start><element name="testsuites">
		<attribute name="name"/>
		<ref name="counts"/>
		<oneOrMore><element name="testsuite">
			<attribute name="name"/>
			<ref name="counts"/>
			<attribute name="skipped"><data type="nonNegativeInteger"/></attribute>
			<optional><attribute name="timestamp"><data type="dateTime"/></attribute></optional>
			<oneOrMore><element name="testcase">
				<attribute name="name"/>
				<attribute name="classname"/>
				<attribute name="time"><data type="decimal"/></attribute>
				<optional><choice>
					<element name="skipped"><ref name="why"/></element>
					<element name="failure"><ref name="why"/></element>
					<element name="error"><ref name="why"/></element>
				</choice></optional>
			</element></oneOrMore>
		</element></oneOrMore>
	</element></start>
</grammar>
RNG

# Of the report as JUnit: numbers XPATH...
numbers() {
	local one
	for one; do xmllint --xpath "number($one)" r.xml; done | xargs
}

# What every report of result.json must agree on.
agree() { # NAME
	local name=$1 total passed own
	total=$(member .tests.run) passed=$(member .tests.passed)
	own=$(member '.verdict.match(/^(AC|PARTIAL|WA)$/) &&
		(r.tests.failed || r.verdict === "AC") ? 0 : 1')
	check "$name: JUnit holds to what CI systems take" xmllint --noout --relaxng junit.rng r.xml
	equal "$name: JUnit counts its cases" "$((total + own))" \
		"$(xmllint --xpath 'count(//testcase)' r.xml)"
	equal "$name: JUnit's sums are those of its cases" \
		"$(numbers 'count(//testcase)' 'count(//failure)' 'count(//error)' \
			'count(//skipped)')" \
		"$(numbers 'sum(//testsuite/@tests)' 'sum(//testsuite/@failures)' \
			'sum(//testsuite/@errors)' 'sum(//testsuite/@skipped)')"
	equal "$name: and those of the whole" \
		"$(numbers 'sum(//testsuite/@tests)' 'sum(//testsuite/@failures)' \
			'sum(//testsuite/@errors)')" \
		"$(numbers /testsuites/@tests /testsuites/@failures /testsuites/@errors)"
	equal "$name: TAP begins as TAP 14" "TAP version 14" "$(head -1 r.tap)"
	equal "$name: TAP's plan is met" "1..$((total + own)) $((total + own))" \
		"$(sed -n 2p r.tap) $(grep -cE '^(not )?ok [0-9]+' r.tap)"
	equal "$name: TAP knows what passed" "$passed" "$(grep -cE '^ok ' r.tap)"
	equal "$name: the page holds the verdict" 1 \
		"$(grep -c "<span class=\"verdict $(member .verdict)\">" r.html)"
	equal "$name: the page needs nothing from outside" "" \
		"$(grep -nEi -e '<(script|link|img|iframe|object|embed|base)|src=|href=|url\(' \
			-e '@import|javascript:| on[a-z]+=' r.html)"
	check "$name: and forbids it" grep -q "default-src 'none'" r.html
	equal "$name: the page is well-formed" "" \
		"$(xmllint --html --noout r.html 2>&1 | grep ' error : ' |
			grep -vE 'Tag [a-z]+ invalid')"
}

# CTRF by the schema that its own package brings.
ctrf_dir=$build/tests/npm-ctrf
if [ ! -d "$ctrf_dir/node_modules/ctrf" ]; then
	mkdir -p "$ctrf_dir"
	printf '{ "private": true, "dependencies": { "ctrf": "0.3.0" } }\n' \
		>"$ctrf_dir/package.json"
	# This Node brings certificates of its own, and does not look at the system's.
	system=/etc/ssl/certs/ca-certificates.crt
	[ ! -f $system ] || export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$system}"
	(cd "$ctrf_dir" && PATH=$store/runtime/node/bin:$PATH "$node" \
		"$store/runtime/node/lib/node_modules/npm/bin/npm-cli.js" install --no-audit \
		--no-fund --ignore-scripts --no-package-lock) >"$scratch/npm" 2>&1 ||
		cat "$scratch/npm" >&2
fi
cat >"$scratch/ctrf.cjs" <<'JS'
const { createRequire } = require("node:module");
const fs = require("node:fs");
const load = createRequire(process.argv[2] + "/node_modules/ctrf/package.json");
const path = require("node:path");
const schema = JSON.parse(fs.readFileSync(path.join(process.argv[2], "node_modules/ctrf/dist/ctrf-schema-0.0.json")));
const Ajv = [load("ajv/dist/2020"), load("ajv")].map((m) => m.default ?? m)[/2020-12/.test(schema.$schema) ? 0 : 1];
const ajv = new Ajv({ strict: false });
const formats = load("ajv-formats");
(formats.default ?? formats)(ajv);
const validate = ajv.compile(schema);
const report = JSON.parse(fs.readFileSync(process.argv[3]));
if (!validate(report)) console.log(JSON.stringify(validate.errors));
const { summary, tests } = report.results;
const count = (s) => tests.filter((t) => t.status === s).length;
for (const s of ["passed", "failed", "skipped", "pending", "other"])
	if (summary[s] !== count(s)) console.log(`${s}: ${summary[s]} in the summary, ${count(s)} tests`);
if (summary.tests !== tests.length) console.log(`tests: ${summary.tests}, ${tests.length}`);
if (!(summary.start > 1.6e12 && summary.stop >= summary.start)) console.log("start, stop");
JS
ctrf() { # NAME
	equal "$1: CTRF holds to its schema and its sums" "" \
		"$("$node" ctrf.cjs "$ctrf_dir" r.ctrf.json 2>&1)"
}

# --------------------------------------------------------------------- a real judgement
todo=$source_dir/examples/todo
grade "$todo/submissions/wrong" "$todo/challenge" --report "$reports"
equal "reports do not change the verdict" PARTIAL "$(member .verdict)"
agree "tests that failed"
ctrf "tests that failed"
check "the page shows what was expected" grep -q 'status 400\|<pre>' r.html
equal "every failing test is open on the page" \
	"$(member '.tests.cases.filter(c => c.failure).length')" \
	"$(grep -c '<details class="test" open>' r.html)"
check "memory was looked at over time" test "$(member .samples.rows.length)" -ge 1
equal "samples are in order, within the run" true \
	"$(member '.samples.rows.every((s, i, all) =>
		s[0] <= r.wall_ms && (!i || s[0] > all[i - 1][0]))')"
like "when it began is told" '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$' "$(member .began_at)"

"$run" explain result.json --color never >explained
equal "explain prints what grade printed" "$(sed -E 's/ +[0-9]+ ms.*//' stderr)" \
	"$(sed -E 's/ +[0-9]+ ms.*//' explained)"
cp r.xml first.xml && cp r.tap first.tap && cp r.html first.html && cp r.ctrf.json first.ctrf.json
"$run" explain result.json -q --report "$reports" >/dev/null
for file in xml tap html ctrf.json; do
	equal "explain makes the same report ($file)" "" "$(diff "first.$file" "r.$file")"
done
equal "a report can go to stdout" "TAP version 14" \
	"$("$run" explain result.json --report tap=- 2>/dev/null | head -1)"

grade "$todo/submissions/wrong" "$todo/challenge" --reveal none --report "$reports"
check "reveal none: no name of a test is in any report" \
	bash -c '! grep -qE "add: answers|list: is empty" r.html r.xml r.tap r.ctrf.json'

# ---------------------------------------------------------------- before there are tests
printf 'no zip' >bad.zip
grade bad.zip "$todo/challenge" --report "$reports"
equal "a broken archive: CE" CE "$(member .verdict)"
agree "a broken archive"
ctrf "a broken archive"
equal "a broken archive fails in JUnit" 1 "$(xmllint --xpath 'count(//failure[@type="CE"])' r.xml)"
check "a broken archive fails in TAP" grep -q '^not ok 1 - submission: CE' r.tap

mkdir -m 700 empty-store
rm -f result.json
"$run" grade "$todo/submissions/correct" --challenge "$todo/challenge" \
	--store "$scratch/empty-store" \
	--json=result.json --report "$reports" >/dev/null 2>stderr
equal "without a runtime: exit code" 4 $?
equal "without a runtime: the result says IE" IE "$(member .verdict)"
like "without a runtime: and why" 'runtime|install' "$(member .error.text)"
agree "without a runtime"
equal "a failure of ours is an error in JUnit, not a failure" "1 0" \
	"$(xmllint --xpath 'concat(count(//error), " ", count(//failure))' r.xml)"

# -------------------------------------------------------------------------- hostile texts
cat >hostile.cjs <<'JS'
const nasty = "</title></pre><script>alert(1)</script> ]]> & \" ' \u001b[31m \u0000 \ufffe \u202e # \\ \n--- \nok 99 - forged";
const test = (name, status, extra) => ({ name, group: nasty, file: nasty, line: 3, points: 1, hidden: false, status, duration_ms: 1.5, ...extra });
require("node:fs").writeFileSync("result.json", JSON.stringify({
	schema: "sandbox-result/1", version: nasty, challenge: nasty, submission: nasty, began_at: "2026-01-02T03:04:05.678Z",
	verdict: "PARTIAL", reason: nasty, exit_code: 1, score: 1, max_score: 3, points: 1, max_points: 3,
	tests: { total: 3, run: 3, passed: 1, failed: 1, skipped: 1, reveal: "all", cases: [
		test(nasty, "passed"), test(nasty + 2, "skipped"),
		test(nasty + 3, "failed", { failure: { message: nasty, request: nasty, expected: nasty, actual: nasty, line: 4, column: 1 } }) ] },
	stages: [{ name: nasty, start_ms: 0, wall_ms: 1e300, note: nasty }, { name: "test", start_ms: -5, wall_ms: 10, note: null }],
	wall_ms: 12, limits: { memory: -1, cpu: 1e308 }, usage: { memory_peak: 1e300, cpu_ms: -4 }, enforced: { memory: nasty },
	notes: [nasty, 7], unenforced: [nasty], log: nasty, detected: [{ what: nasty, text: nasty }, 4],
	samples: { columns: [], rows: [[0, 1, 2, 3, 4], ["x"], 5, [1e300, 1e300, 1e300, -1, 1e300], []] },
}).replace("\\u0000", "\\u0001"));
JS
"$node" hostile.cjs
"$run" explain result.json --report "$reports" >explained 2>stderr
equal "a hostile result can be explained" 0 $? "$(cat stderr)"
equal "no escape sequence reaches the terminal" "" \
	"$(grep -nP '[\x00-\x08\x0b-\x1f\x7f]' explained)"
agree "hostile texts"
ctrf "hostile texts"
equal "the page has no element that a text brought" 0 "$(grep -ci '<script' r.html)"
equal "JUnit keeps the text" 1 \
	"$(xmllint --xpath 'count(//failure[contains(@message, "<script>alert(1)</script>")])' \
		r.xml)"
equal "no line of TAP is forged" "" "$(grep -E '^ok 99' r.tap)"
equal "reports hold no control byte" "" "$(grep -nP '[\x00-\x08\x0b-\x1f\x7f]' r.html r.xml r.tap)"

explained() { # NAME PATTERN CONTENT
	printf '%s' "$3" >wrong.json
	like "$1" "$2" "$("$run" explain wrong.json 2>&1)"
}
explained "not JSON is said" 'not JSON' '{ "schema": '
explained "another JSON is said" 'no result' '{ "schema": "sandbox-exec/1" }'
explained "an empty result is no crash" 'no result' '{}'
explained "a bare result is no crash" 'points' '{ "schema": "sandbox-result/1", "verdict": "AC" }'

# --------------------------------------------------------------------- the command line
refused() { # NAME PATTERN OPTION...
	local name=$1 pattern=$2 out
	shift 2
	out=$("$run" grade "$todo/submissions/correct" --challenge "$todo/challenge" "$@" 2>&1)
	equal "$name: exit code" 2 $? "$out"
	like "$name: message" "$pattern" "$out"
}
refused "an unknown format" 'html, junit, ctrf and tap' --report pdf=x
refused "a report without a file" 'html=report.html' --report html
refused "a folder that is not there" 'No such file' --report tap=/no/such/dir/x
refused "two things on stdout" 'only one' --report tap=-,junit=-
refused "a report and the result on stdout" 'only one' --json --report tap=-
like "policy check of a device" 'a policy is a file' "$("$run" policy check /dev/null 2>&1)"

# ---------------------------------------------------------------------------- test --report
cat >server.cjs <<'JS'
require("node:http").createServer((req, res) => res.end("{}")).listen(0, "127.0.0.1", function () {
	console.log(this.address().port);
});
JS
printf '# @test good\nGET {{base}}/\nHTTP 200\n\n' >a.hurl
printf '# @test bad <&>\n# @hint see <README>\nGET {{base}}/\nHTTP 404\n' >>a.hurl
coproc "$node" server.cjs
read -r port <&"${COPROC[0]}"
rm -f result.json
"$run" test --url "http://127.0.0.1:$port" --report "$reports" a.hurl 2>stderr
equal "test: exit code" 1 $? "$(cat stderr)"
printf '{ "tests": { "run": 2, "passed": 1, "failed": 1 }, "verdict": "PARTIAL" }' >result.json
agree "test"
ctrf "test"
equal "a hint of the author is in every report" 4 \
	"$(grep -l 'see .*README' r.html r.xml r.ctrf.json r.tap | wc -l)"
kill "$COPROC_PID"
wait "$COPROC_PID" 2>/dev/null
finish
