#!/bin/bash
# SPDX-License-Identifier: MIT
# The archive of a submission, fetched from servers that are wrong in every way (fetch-server.py).
. "$(dirname "$0")/lib.sh"
driver=$build/tests/runner/fetch-driver

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
	-subj /CN=files -addext subjectAltName=IP:127.0.0.1 \
	-keyout "$scratch/key.pem" -out "$scratch/ca.pem" 2>"$scratch/openssl.log"
cat "$scratch/key.pem" "$scratch/ca.pem" >"$scratch/server.pem"
python3 "$(dirname "$0")/fetch-server.py" "$scratch" >"$scratch/server.log" 2>&1 </dev/null &
servers+=("files:$!")
until_true 200 test -s "$scratch/port" || {
	sed 's/^/# /' "$scratch/server.log"
	exit 1
}
port=$(cat "$scratch/port")
canary=$(cat "$scratch/canary")
here=http://127.0.0.1:$port
sha=$(printf 'PK\005\006%018d' 0 | tr 0 '\0' | sha256sum | cut -d' ' -f1)

# Hosts and networks that the server is reached by; the rest is refused as it is everywhere.
trusting=(--host "127.0.0.1:$port" --host "[::1]:$port" --host "localhost:$port"
	--network 127.0.0.1/32 --network ::1/128)

# fetch [OPTION VALUE]... -- URL[ SHA256]...: in one process
fetch() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	printf '%s\n' "$@" | timeout 60 "$driver" "${options[@]}" 2>&1
}
open() { fetch "${trusting[@]}" -- "$@"; }
requests() { grep -c '^[A-Z]* /' "$scratch/requests"; }

# ---- what works
like 'an archive is fetched, sealed, and its hash told' \
	"^done status=200 size=22 sha=${sha:0:8} redirects=0 reused=0 retry=0 fd=sealed from=$here/ok text=: $" \
	"$(open "$here/ok?X-Amz-Signature=secret")"
like 'over IPv6' "^done .*from=http://\[::1\]:$port/ok" "$(open "http://[::1]:$port/ok")"
like 'the hash that it has to have' '^done ' "$(open "$here/ok $sha")"
like 'another hash: it was overwritten' "^changed .*sha=${sha:0:8} .*fd=none" \
	"$(open "$here/ok ${sha/?????/00000}")"
out=$(open "$here/ok" "$here/ok" "$here/status/404" "$here/ok" "$here/hops/1" "$here/ok")
equal 'the connection is kept: over archives, errors and redirects' '0 1 1 1 1 1' \
	"$(grep -o 'reused=.' <<<"$out" | cut -d= -f2 | xargs)" "$out"
like 'three redirects are followed' '^done .*redirects=3 ' "$(open "$here/hops/3")"
like 'as large as is allowed' '^done .*size=1000 ' \
	"$(fetch "${trusting[@]}" --max 1000 -- "$here/size/1000")"
like 'odd spellings of an allowed address are that address' '^done ' \
	"$(open "http://127.1:$port/ok")"

# ---- the submission's affair
for status in 400 401 403 404 410; do
	like "$status: gone" "^gone status=$status .*fd=none" "$(open "$here/status/$status")"
done
like 'a page of errors without end is not read to its end' '^gone status=404 ' \
	"$(open "$here/missing-forever")"
like 'nothing, in 0 bytes' '^empty status=200 ' "$(open "$here/empty")"
like 'nothing, by status' '^empty status=204 ' "$(open "$here/nothing")"
like 'too large by its own word: nothing of it is read' '^too-large status=200 size=0 ' \
	"$(fetch "${trusting[@]}" --max 1000 -- "$here/length/1001")"
for length in 52428801 99999999999 99999999999999999999999; do
	like "a length of $length" '^too-large ' "$(open "$here/length/$length")"
done
like 'too large, and does not say so' '^too-large ' \
	"$(fetch "${trusting[@]}" --max 1000 -- "$here/size-unsaid/1001")"
like 'a body without end' '^too-large ' "$(fetch "${trusting[@]}" --max 3000000 -- "$here/endless")"
like 'chunks without end' '^too-large ' \
	"$(fetch "${trusting[@]}" --max 3000000 -- "$here/chunked-forever")"

# ---- may succeed later
for status in 500 502 503 408 429 206 304; do
	like "$status: again" \
		"^again status=$status .*text=$here/status/$status: the server answered $status" \
		"$(open "$here/status/$status")"
done
out=$(open "$here/flaky" "$here/flaky")
equal '503, then it is there' 'again done' "$(cut -d' ' -f1 <<<"$out" | xargs)" "$out"
like 'Retry-After is told' 'retry=7000 ' "$out"
like 'and bounded' 'retry=3600000 ' "$(open "$here/slow-down/99999999")"
like 'fewer bytes than were announced' '^again ' "$(open "$here/too-long")"
like 'closed without an answer' '^again ' "$(open "$here/close")"
like 'garbage' '^again ' "$(open "$here/garbage")"
like 'a negative length' '^again ' "$(open "$here/length/-1")"
like 'a redirect to nowhere' '^again status=302 ' "$(open "$here/nowhere")"
like 'nobody listens' '^again status=0 ' \
	"$(fetch --host localhost:1 --network 127.0.0.0/8 --network ::1/128 \
		-- http://localhost:1/x)"
like 'a name that does not exist' '^again status=0 ' \
	"$(fetch --host nowhere.invalid -- http://nowhere.invalid/x)"
like 'a head without end' '^again .*head is larger than' "$(open "$here/heads")"
like '100 Continue without end' '^again .*head is larger than' "$(open "$here/continues")"
for path in loris loris-head silent; do
	like "$path: it stalls" '^again .*sends too slowly' \
		"$(fetch "${trusting[@]}" --stall-ms 300 --stall-bytes 5000 -- "$here/$path")"
	like "$path: the deadline" '^again .*not fetched in time' \
		"$(fetch "${trusting[@]}" --total-ms 300 -- "$here/$path")"
done

# ---- what an answer must not bring about
out=$(open "$here/too-short" "$here/ok")
equal 'more bytes than were announced are nobody else'\''s answer' "done done" \
	"$(cut -d' ' -f1 <<<"$out" | xargs)" "$out"
equal 'and the next archive is its own' 2 "$(grep -c "size=22 sha=${sha:0:8}" <<<"$out")" "$out"
out=$(open "$here/gzip")
like 'a compressed answer is not decoded' "^done .*size=$(cat "$scratch/gzip-size") " "$out"
like 'what the transfer decodes is bounded' '^too-large ' \
	"$(fetch "${trusting[@]}" --max 100000 -- "$here/transfer-gzip")"

# ---- where it may not go
before=$(requests)
like 'a host that is not listed' '^refused .*not in the list' \
	"$(open "http://example.org/x?secret")"
like 'another port of a listed host' '^refused .*not in the list' \
	"$(open "http://127.0.0.1:$canary/x")"
like 'another scheme' '^refused .*only http: and https:' "$(open "ftp://127.0.0.1:$port/x")"
for scheme in gopher dict redis ldap smb scp telnet tftp; do
	out=$(open "$scheme://127.0.0.1:$port/x")
	[[ $out = refused* ]] || break
done
like 'and all others' '^refused ' "$out"
like 'a file' '^refused .*files are not fetched' "$(open "file:///etc/passwd")"
like 'plain http where https is wanted' '^refused .*only https:' \
	"$(fetch "${trusting[@]}" --https-only 1 -- "$here/ok")"
like 'user:password@' '^refused .*user:password@' "$(open "http://user:word@127.0.0.1:$port/ok")"
equal 'which is not shown' 0 "$(open "http://user:word@127.0.0.1:$port/ok" | grep -c word@127)"
like 'a host behind a confusing @' '^refused ' "$(open "http://127.0.0.1:$port@example.org/ok")"
like 'a host behind a backslash' '^refused ' "$(open "http://example.org\\@127.0.0.1:$port/ok")"
like 'a line end in the URL' '^refused ' "$(open "http://127.0.0.1:$port/"$'\r'"ok")"
like 'no URL at all' '^refused ' "$(open "::::")"
like 'a URL of 5 KB' '^refused .*longer than' "$(open "$here/$(printf '%05000d' 0)")"
equal 'none of these has asked the server anything' "$before" "$(requests)"

# Listed as hosts, not as networks: judged by the address.
suspicious=(--host "127.0.0.1:$port" --host "localhost:$port" --host "[::1]:$port" \
		--host "[::ffff:7f00:1]:$port"
	--host '[::ffff:10.0.0.1]' --host '[64:ff9b::a00:1]' --host 0.0.0.0:"$port" \
		--host 10.0.0.1 --host 169.254.169.254
	--host '[fe80::1]' --host '[fd00::1]' --host 100.64.0.1 --host 224.0.0.1)
for url in "$here" "http://127.1:$port" "http://0x7f000001:$port" "http://2130706433:$port" \
	"http://017700000001:$port" \
	"http://localhost:$port" "http://[::1]:$port" "http://[::ffff:127.0.0.1]:$port" \
	'http://[::ffff:10.0.0.1]' \
	'http://[64:ff9b::a00:1]' "http://0:$port" http://10.0.0.1 http://169.254.169.254 \
	'http://[fe80::1]' \
	'http://[fd00::1]' http://100.64.0.1 http://224.0.0.1; do
	like "refused by its address: $url" '^refused .*which is [A-Za-z4 -]+: refused' \
		"$(fetch "${suspicious[@]}" -- "$url/latest/meta-data")"
done
equal 'none of these has asked the server anything either' "$before" "$(requests)"

# ---- redirects
redirect() { open "$here/redirect?to=$1"; }
like 'a redirect to a host that is not listed' '^refused .*it redirects: the host example.org' \
	"$(redirect http://example.org/)"
like 'to another port' '^refused .*it redirects: the host 127.0.0.1, port' \
	"$(redirect "http://127.0.0.1:$canary/")"
like 'to an address that is not public' '^refused .*it redirects: ' "$(redirect http://10.0.0.1/)"
like 'to a listed host with such an address' '^refused .*leads to 127.0.0.1, which is loopback' \
	"$(fetch --host "[::1]:$port" --host "localhost:$port" --host "127.0.0.1:$port" \
		--network ::1/128 -- \
		"http://[::1]:$port/redirect?to=http://127.0.0.1:$port/ok")"
like 'to a file' '^refused .*less safe' \
	"$(fetch "${trusting[@]}" --file-root / -- "$here/redirect?to=file:///etc/passwd")"
like 'to a password' '^refused .*user:password@' "$(redirect "http://a:b@127.0.0.1:$port/ok")"
like 'to an empty host' '^(refused|again) ' "$(redirect http:///ok)"
like 'four redirects' '^refused .*more than 3 times' "$(open "$here/hops/4")"
like 'a circle' '^refused .*more than 3 times' "$(open "$here/loop")"
check 'nobody has been where he may not' test ! -e "$scratch/canary-touched"

# ---- TLS
secure=https://127.0.0.1:$(cat "$scratch/tls")
over_tls=("${trusting[@]}" --host "${secure#https://}")
like 'over TLS' '^done ' \
	"$(fetch "${over_tls[@]}" --ca "$scratch/ca.pem" --https-only 1 -- "$secure/ok")"
like 'not with a certificate that nobody vouches for' '^again .*certificate' \
	"$(fetch "${over_tls[@]}" -- "$secure/ok")"
like 'nor with one of another name' '^again .*certificate' \
	"$(fetch --host "localhost:${secure##*:}" --network 127.0.0.0/8 --network ::1/128 \
		--ca "$scratch/ca.pem" -- "https://localhost:${secure##*:}/ok")"
like 'no redirect leads from https to http' '^refused .*less safe' \
	"$(fetch "${over_tls[@]}" --ca "$scratch/ca.pem" -- "$secure/redirect?to=$here/ok")"
like 'one may lead from http to https' '^done .*redirects=1' \
	"$(fetch "${over_tls[@]}" --ca "$scratch/ca.pem" -- "$here/redirect?to=$secure/ok")"

# ---- what leaves us
: >"$scratch/requests"
mkdir "$scratch/home"
printf 'machine 127.0.0.1 login spy password netrc-secret\n' >"$scratch/home/.netrc"
out=$(HOME=$scratch/home NETRC=$scratch/home/.netrc http_proxy=http://127.0.0.1:$canary \
		ALL_PROXY=http://127.0.0.1:$canary \
	HTTPS_PROXY=http://127.0.0.1:$canary open "$here/redirect?to=/ok" "$here/ok")
equal 'neither proxy nor netrc of the environment' 'done done' \
	"$(cut -d' ' -f1 <<<"$out" | xargs)" "$out"
check 'the proxy was not asked' test ! -e "$scratch/canary-touched"
equal 'no cookie, referer or credentials are sent' 0 \
	"$(grep -ciE '^(cookie|referer|authorization|proxy-authorization|range):' \
		"$scratch/requests")"
equal 'only what is needed is' 'Accept Accept-Encoding Host User-Agent' \
	"$(grep -oE '^[A-Za-z-]+:' "$scratch/requests" | LC_ALL=C sort -u | tr -d : |
		LC_ALL=C sort | xargs)"
open "$here/a/../b/./c%2e%2e/d?x=/../&y=1#part" >/dev/null
check 'path and query are sent as they were signed' \
	grep -qF 'GET /a/../b/./c%2e%2e/d?x=/../&y=1 HTTP/1.1' "$scratch/requests"
out=$(for url in ok status/404 status/503 size/70000 loop close \
		"redirect?to=http://example.org/?X-Amz-Signature=SECRET"; do
	fetch "${trusting[@]}" --max 60000 \
		-- "$here/$url$([[ $url = *\?* ]] || echo '?X-Amz-Signature=SECRET')"
done)
equal 'seven fetches of a signed URL' 7 "$(grep -c . <<<"$out")"
equal 'no signature is in what they say' 0 "$(grep -c SECRET <<<"$out")"

# ---- cancelled
mkfifo "$scratch/cancel"
exec 7<>"$scratch/cancel"
for path in hold/1 silent; do
	printf '%s\n' "$here/$path" >"$scratch/urls"
	timeout 60 "$driver" "${trusting[@]}" --cancel-fd 7 <"$scratch/urls" >"$scratch/cancelled" &
	fetching=$!
	asked=GET.*/$path
	until_true 400 grep -q "$asked" "$scratch/requests"
	[ "$path" = silent ] || until_true 400 grep -q 'holds 1' "$scratch/events"
	echo >&7
	wait $fetching
	like "cancelled in the middle: $path" '^cancelled .*fd=none' "$(cat "$scratch/cancelled")"
	read -r -u 7
done
echo >&7
like 'cancelled before it begins' '^cancelled ' \
	"$(printf '%s\n' "$here/ok" | "$driver" "${trusting[@]}" --cancel-fd 7)"
exec 7>&-

# ---- files
mkdir -p "$scratch/files/sub" "$scratch/outside"
echo secret >"$scratch/outside/x"
printf 'PK\005\006%018d' 0 | tr 0 '\0' >"$scratch/files/sub/a b.zip"
ln -s ../../outside/x "$scratch/files/link"
ln -s /sub "$scratch/files/absolute"
mkfifo "$scratch/files/fifo"
files() { fetch --file-root "$scratch/files" -- "$@"; }
like 'a file of the folder' \
	"^done .*size=22 sha=${sha:0:8} .*fd=sealed from=file:///sub/a%20b.zip" \
	"$(files file:///sub/a%20b.zip)"
like 'links stay in the folder' '^done ' "$(files file:///absolute/a%20b.zip)"
like 'and do not lead out of it' '^gone ' "$(files file:///link)"
like 'nor does ..' '^gone ' \
	"$(files file:///../outside/x file:///sub/%2e%2e/%2e%2e/outside/x | uniq -w 5)"
like 'a folder or fifo is no archive' '^refused .*not a file' \
	"$(files file:///sub file:///fifo | tail -1)"
like 'nor is a file of another host' '^refused ' "$(files file://example.org/sub/a%20b.zip)"
like 'too large' '^too-large ' \
	"$(fetch --file-root "$scratch/files" --max 21 -- file:///sub/a%20b.zip)"
like 'without the folder it is ours' '^again .*fetch.file_root' \
	"$(fetch --file-root "$scratch/nowhere" -- file:///x)"

# ---- mistakes in the lists are found at once
for host in '' '*' '*.' 'a b' 'http://a' 'a:0' 'a:70000' 'a:' '[::1' '*.[::1]' 'a/b' 'é.org' \
	'a.'; do
	like "no host: '$host'" '^options: .*this is no host' "$(fetch --host "$host" --)"
done
for network in '' 10.0.0.0 10.0.0.0/33 ::1/129 10.0.0/8 a/8 10.0.0.0/ 10.0.0.0/-1; do
	like "no network: '$network'" '^options: .*this is no network' \
		"$(fetch --network "$network" --)"
done

finish
