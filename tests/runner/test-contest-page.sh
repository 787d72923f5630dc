#!/bin/bash
# SPDX-License-Identifier: MIT
# examples/contest-page in a browser, with a real queue and worker: what it shows, what it survives,
# and that what people write stays text.
. "$(dirname "$0")/worker.sh"
pictures=${PICTURES:-} # a folder: keeps what it saw
chromium=$(command -v chromium-headless-shell || command -v chromium) || {
	fail "a browser is installed" "Debian's chromium-headless-shell"
	finish
	exit 1
}
web='' browser=''
stop_all() {
	local pid
	[ -z "$browser" ] || printf 'end\t\n' >&5
	for pid in $worker $web; do
		kill "$pid" 2>/dev/null
	done
	for pid in $worker $web $browser; do
		wait "$pid" 2>/dev/null
	done
}

# ------------------------------------------------------------------ a fleet
mkdir -p "$scratch/archives" "$scratch/challenges"
cp -r "$source_dir/examples/todo/challenge" "$scratch/challenges/todo"
zip_folder "$source_dir/examples/todo/submissions/correct" "$scratch/archives/correct.zip"
zip_folder "$source_dir/examples/todo/submissions/wrong" "$scratch/archives/wrong.zip"
mkdir "$scratch/hostile"
cat >"$scratch/hostile/server.js" <<'JS'
throw new Error('<img src=x onerror="window.pwned=1"><script>window.pwned=1</script> \u202Egnp.exe ' + 'w'.repeat(1500));
JS
echo '{"scripts":{"start":"node server.js"}}' >"$scratch/hostile/package.json"
zip_folder "$scratch/hostile" "$scratch/archives/hostile.zip"
worker_config <<JSON || exit 1
{
	"name": "w1", "slots": 1, "challenges": "challenges", "store": "$store",
	"redis": { "url": "$redis_url", "timeout": "1s" },
	"ledger": { "url": "$postgres_url" },
	"queue": { "intake": ["submissions"] },
	"fetch": { "file_root": "archives" }
}
JSON
"$runner" admin contest set autumn --rules icpc --starts "$(date -u -d -1hour +%FT%TZ)" \
	--ends "$(date -u -d +2hour +%FT%TZ)" --config "$config" >/dev/null || exit 1
worker_start

submit() { # ID STUDENT ARCHIVE
	"$runner" submit "$scratch/archives/$3.zip" --id "$1" --student "$2" --challenge todo \
		--contest autumn \
		--no-follow --quiet --config "$config" >/dev/null
}
judged() { # ID STUDENT ARCHIVE
	submit "$@"
	await "$1 is judged" is_in_state "$1" done
}

# ---------------------------------------------------------- page and browser
cp -r "$source_dir/examples/contest-page" "$scratch/page"
(cd "$scratch/page" && npm ci --no-audit --no-fund >"$scratch/npm.log" 2>&1) || {
	fail "the page's package is installed" "$(cat "$scratch/npm.log")"
	finish
	exit 1
}
web_start() { # [PORT]
	: >"$scratch/web.out"
	REDIS_URL=$redis_url CONTEST=autumn CHALLENGES=todo PORT=${1:-0} \
		"$node" "$scratch/page/server.mjs" \
		>"$scratch/web.out" 2>>"$scratch/web.err" </dev/null &
	web=$!
	until_true 400 grep -q http "$scratch/web.out" ||
		fail "the page's server starts" "$(cat "$scratch/web.err")"
	url=$(cat "$scratch/web.out")
}
web_stop() {
	kill "$web"
	wait "$web" 2>/dev/null
	web=
}
web_start
mkfifo "$scratch/to" "$scratch/from"
"$node" "$source_dir/tests/runner/browser.mjs" "$chromium" "$scratch/profile" <"$scratch/to" \
	>"$scratch/from" \
	2>"$scratch/browser.err" &
browser=$!
exec 5>"$scratch/to" 6<"$scratch/from"

page() { # COMMAND [ARGUMENT]
	local answer
	printf '%s\t%s\n' "$1" "$(tr -d '\n\t' <<<"${2:-}")" >&5
	IFS= read -r -t 120 answer <&6 ||
		answer="the browser ended: $(tail -5 "$scratch/browser.err")"
	printf '%s\n' "$answer"
}
shows() { # NAME JS: waits until it is true
	local answer
	answer=$(page until "$2")
	case $answer in
	TIMEOUT* | FAILED* | 'the browser ended'*) fail "$1" "waited for: $2" "$answer" \
		"$(tail -5 "$scratch/web.err")" ;;
	*) pass "$1" ;;
	esac
}
# answer STUDENT PATH [BODY [TYPE]]: the status of what the server answers
answer() {
	"$node" -e 'const [url, student, body, type] = process.argv.slice(1);
		const headers = { ...(student ? { Cookie: `student=${student}` } : {}),
			...(body ? { "Content-Type": type } : {}) };
		fetch(url, { method: body ? "POST" : "GET", body: body || undefined, headers })
			.then((r) => { console.log(r.status); process.exit(); });' \
		"$url$2" "$1" "${3:-}" "${4:-application/json}"
}
picture() { # NAME
	[ -z "$pictures" ] || page picture "$pictures/$1.png" >/dev/null
}
text='(id) => document.getElementById(id).innerText'
shown() { echo "($text)('$1').includes('$2')"; }

# ------------------------------------------------------------- what it shows
equal "the page is loaded" ok "$(page open "$url")"
page size '1280 900' >/dev/null
shows "it is live" "$(shown live live)"
shows "a contest without results says so" "$(shown board-empty Nobody)"
equal "nothing is complained of" - "$(page errors)"

judged a1 ada wrong
judged b1 bob correct
shows "a result appears by itself" \
	"document.querySelector('tr[data-student=bob]').innerText.includes('✓')"
equal "who has solved more is first" 'bob ada' \
	"$(page eval "[...document.querySelectorAll('tbody tr')]
		.map((r) => r.dataset.student).join(' ')")"
judged a2 ada correct
shows "the leaderboard changes when the next one comes" \
	"document.querySelector('tr[data-student=ada]').innerText.includes('+1')"

# ------------------------------------------------- one's own, by the keyboard
equal "nobody's submissions are shown to nobody" 401 "$(answer '' submissions/a1)"
equal "another's are not there" 404 "$(answer bob submissions/a1)"
equal "nor is its log" 404 "$(answer bob submissions/a1/events)"
equal "a form of another site hands nothing in" 400 \
	"$(answer bob submissions 'challenge=todo&url=https://x.example/a.zip' \
		application/x-www-form-urlencoded)"
equal "an address that is none is refused" 400 \
	"$(answer bob submissions '{"challenge":"todo","url":"javascript:alert(1)"}')"
equal "a challenge that is not offered, too" 400 \
	"$(answer bob submissions '{"challenge":"x","url":"https://x.example/a.zip"}')"
equal "files beside the page are not served" 404 "$(answer bob public/../server.mjs)"
like "no script but the page's own may run" \
	"default-src 'none'; script-src 'self'; style-src 'self'" "$(page eval \
	"fetch('/').then((r) => r.headers.get('content-security-policy'))")"
page eval "document.getElementById('student').focus()" >/dev/null
page type ada >/dev/null
page key Enter >/dev/null
shows "who has entered sees what they handed in" \
	"document.querySelectorAll('#mine li').length === 2"
shows "and their row" "document.querySelector('tr.own').dataset.student === 'ada'"
page eval "document.querySelector('#mine a[href=\"#a1\"]').focus()" >/dev/null
page key Enter >/dev/null
shows "a submission opens" "$(shown submission-verdict PARTIAL)"
shows "with its stages" "$(shown stages Tests)"
shows "and the tests that failed" "document.querySelectorAll('#failed-list li').length > 0"
equal "nothing is complained of" - "$(page errors)"
picture desktop

page eval "document.getElementById('url').focus()" >/dev/null
page type 'https://archives.invalid/a.zip' >/dev/null
page key Enter >/dev/null
shows "what is handed in is followed" "location.hash.length > 30"
# the worker may fetch nothing from there, so that it is our failure
shows "to its end" "$(shown submission-verdict IE)"
equal "the queue has it as the form said" "ada autumn todo https://archives.invalid/a.zip" \
	"$(redis hmget "sbx:{q}:job:$(page eval 'location.hash.slice(1)')" student contest \
		challenge url | paste -sd' ')"

# ------------------------------------ live, with a server that goes and comes
# A submission that is being judged for as long as the test likes.
line() { # KIND TEXT
	redis xadd 'sbx:{q}:log:live' '*' kind "$1" text "$2" >/dev/null
}
redis hset 'sbx:{q}:job:live' student ada contest autumn challenge todo state running rev 1 \
	submitted "$(date +%s%3N)" >/dev/null
line state queued
line state running
line stage '{"stage":"fetch","done":true,"ms":3.25,"note":"17 KiB"}'
line stage '{"stage":"deps","done":false}'
line log 'line 1'
page eval "location.hash = 'live'" >/dev/null
shows "a running one shows the stage it is in" \
	"document.querySelector('.stages .going').dataset.stage === 'deps'"
line stage '{"stage":"deps","done":true,"ms":1250,"note":"npm ci, 71 packages"}'
line stage '{"stage":"test","done":false}'
line log 'line 2'
shows "stages come as they happen" \
	"document.querySelector('.stages .going').dataset.stage === 'test'"
picture running
lines="[...document.querySelectorAll('#log div')].map((d) => d.textContent).join(' ')"
shows "lines too" "$lines === 'line 1 line 2'"
equal "nothing is complained of" - "$(page errors)"

web_stop
shows "without its server the page says so" "$(shown banner 'is lost')"
line log 'line 3'
judged c1 cid correct
web_start "$(sed 's/.*:\([0-9]*\).*/\1/' <<<"$url")"
shows "when it is back nothing is lost, and nothing twice" "$lines === 'line 1 line 2 line 3'"
shows "nor is the result that came meanwhile" "document.querySelector('tr[data-student=cid]')"
shows "and all is well again" "$(shown live live)"

page close >/dev/null
line log 'line 4'
judged d1 dan wrong
page open "${url}#live" >/dev/null
page size '1280 900' >/dev/null
shows "a tab that was closed and opened again has lost nothing" \
	"$lines === 'line 1 line 2 line 3 line 4'"
shows "nor has its leaderboard" "document.querySelector('tr[data-student=dan]')"
page errors >/dev/null

# ---------------------------------------------------------- Redis goes away
redis_stop
shows "without Redis the page says so" "$(shown banner 'cannot be reached')"
shows "and keeps what it shows" \
	"document.querySelectorAll('tbody tr').length === 4 && $lines.endsWith('line 4')"
picture away
equal "handing in says so, too" 503 \
	"$(answer ada submissions '{"challenge":"todo","url":"https://x.example/a.zip"}')"
redis_start
shows "when it is back, the page says that" "document.getElementById('banner').hidden"
line log 'line 5'
judged d2 dan correct
shows "logs go on" "$lines === 'line 1 line 2 line 3 line 4 line 5'"
shows "and results" "document.querySelector('tr[data-student=dan]').innerText.includes('✓')"
page close >/dev/null
# a browser that comes to a page whose Redis is away
redis_stop
page open "${url}#live" >/dev/null
page size '1280 900' >/dev/null
shows "a page that is opened without Redis says so" "$(shown banner 'cannot be reached')"
redis_start
shows "and fills when it is back" \
	"document.querySelectorAll('tbody tr').length === 4 && $lines.endsWith('line 5')"
redis hset 'sbx:{q}:job:live' state done verdict WA passed 0 total 9 >/dev/null
line state 'done WA' # what it says is there before it is said, as the queue does it
shows "its end is shown" "$(shown submission-verdict WA)"
page errors >/dev/null

# ------------------------------------------------------- what people may write
long=$(printf 'x%.0s' {1..3000})
redis hset contest-page:names bob '<img src=x onerror="window.pwned=1">' cid \
	$'\u202eevil \u2067 name' \
	dan "<b>$long</b>" >/dev/null
judged h1 ada hostile
page eval "location.hash = 'h1'" >/dev/null
shows "names are text" \
	"document.querySelector('tr[data-student=bob] bdi').textContent === '<img src=x onerror=\"window.pwned=1\">'"
shows "what a submission prints is text" "($text)('log').includes('<script>window.pwned=1')"
shows "nor do they reverse what they stand in" \
	"document.querySelector('tr[data-student=cid] bdi').textContent === 'evil  name'"
equal "no element came of it" 0 \
	"$(page eval "document.querySelectorAll('body img, body script, tbody b').length")"
equal "nothing of it ran" undefined "$(page eval 'String(window.pwned)')"
equal "a name from right to left leaves the rest of its row as it is" ltr \
	"$(page eval \
		"getComputedStyle(document.querySelector('tr[data-student=cid] td')).direction")"
line log "<script>window.pwned=1</script>$long"
page eval "location.hash = 'live'" >/dev/null
shows "a line without end is text, too" "$lines.endsWith('xxxx')"
picture hostile
for width in 1280 768 360; do
	page size "$width 800" >/dev/null
	shows "at $width pixels nothing is wider than the window" \
		"innerWidth === $width && [document.documentElement, document.getElementById('board-scroll')].every(
		(e) => e.scrollWidth <= e.clientWidth)"
done
picture phone
page dark yes >/dev/null
picture phone-dark
page size '1280 900' >/dev/null
page eval "location.hash = 'a1'" >/dev/null
shows "dark as the system is" \
	"getComputedStyle(document.body).backgroundColor === 'rgb(16, 20, 27)' && $(shown stages \
		Tests)"
picture dark
"$runner" admin retry a1 --config "$config" >/dev/null
shows "one that is judged again is shown anew" \
	"$lines === '8 of 13 tests passed. 8 of 13 tests passed.'"
equal "each field has a label" '' \
	"$(page eval "[...document.querySelectorAll('input, select')]
		.filter((e) => !e.labels.length).map((e) => e.id).join(' ')")"
equal "nothing is complained of" - "$(page errors)"
equal "nor by the page's server, but of Redis" '' "$(grep -v '^redis: ' "$scratch/web.err")"
finish
