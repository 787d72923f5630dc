#!/bin/bash
# SPDX-License-Identifier: MIT
# sandbox-keeper, which makes students' databases on an operator's server: a judge that somebody has
# taken over gets no more of them than another, and what the server says reaches the log as lines
# that are short and plain.
. "$(dirname "$0")/lib.sh"
keeper=$build/runner/database/sandbox-keeper

postgres_start || exit 1
ask() { # TIMES SQL [OPTION...]
	timeout 200 python3 "$source_dir/tests/runner/keeper.py" "$keeper" "$postgres_url" "$@" \
		2>"$scratch/stderr"
}

# --- a judge that takes and takes
said=$(ask 30 '')
like "thirty databases in a row are given" '^given 30, at most [1-9], nothing refused' "$said"
like "and all are dropped" 'left 0, ended 0$' "$said"
# a template cannot be dropped
said=$(ask 30 "UPDATE pg_database SET datistemplate = true WHERE datname LIKE 'sbx%'")
like "what cannot be dropped is not more and more" \
	'^given 8, at most 8, -122 8 databases of earlier' "$said"
like "and the operator is told" 'refused: a judge has 8 databases already' \
	"$(cat "$scratch/stderr")"
sql "UPDATE pg_database SET datistemplate = false WHERE datname LIKE 'sbx%'"
until_one="DO 'BEGIN FOR i IN 1..600 LOOP
	EXIT WHEN (SELECT count(*) FROM pg_database WHERE datname LIKE ''sbx%'') = 1;
	PERFORM pg_sleep(0.05);
END LOOP; END'"
like "the next one finds what is left" 'left 0, ended 0$' "$(ask 1 "$until_one")"

# --- notices
sql 'CREATE DATABASE talkative'
psql -X -q "${postgres_url/@\/postgres/@\/talkative}" -c "
	CREATE FUNCTION talk() RETURNS event_trigger LANGUAGE plpgsql AS
	\$\$BEGIN
		RAISE WARNING E'\\x1b[31mred\\n{\"level\":\"error\"} %', repeat('x', 10000);
	END\$\$;
	CREATE EVENT TRIGGER talk ON ddl_command_end EXECUTE FUNCTION talk();"
said=$(ask 30 '' --template talkative)
like "a template that talks: databases are made of it" '^given 30,' "$said"
equal "its words are lines without control characters" "" \
	"$(grep -Pa '[^\x20-\x7e]' "$scratch/stderr")"
like "with where they are from" '^sandbox-keeper: the server: WARNING: .\[31mred.' \
	"$(head -1 "$scratch/stderr")"
equal "which are short" 0 "$(awk 'length > 300' "$scratch/stderr" | wc -l)"
equal "and not without end" 20 "$(wc -l <"$scratch/stderr")"
finish
