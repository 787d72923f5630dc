# Reads what a command says to --help; writes a line for each subcommand and option:
#     command|NAME|TEXT
#     option|LETTER|NAME|ARGUMENT|optional or not|TEXT
# Several options may share a line. No backslash and no apostrophe in here: three shells quote this.

function option(word, following,   name, argument)
{
	name = argument = substr(word, 3)
	sub(/[^a-z0-9-].*/, "", name)
	sub(/^[a-z0-9-]+/, "", argument)
	if (!(name in letters)) {
		order[++n] = name
		letters[name] = optional[name] = arguments[name] = texts[name] = ""
	}
	if (letter != "")
		letters[name] = letter
	if (argument ~ /^.=/)
		optional[name] = "optional"
	sub(/^[^=]*=/, "", argument)
	sub(/[^A-Z].*/, "", argument)
	if (argument == "" && following ~ /^[[A-Z]/ && index($0, word " " following))
		argument = following
	if (argument != "")
		arguments[name] = argument
	letter = ""
	last = name
}

# The usage, up to the first empty line. "sandbox-run policy check ...": a subcommand.
!ended {
	ended = /^$/
	sub(/^usage:/, "")
	if ($1 ~ /^sandbox-run(ner)?$/ && $2 ~ /^[a-z]+$/ && $3 ~ /^[a-z]+$/)
		print "command|" $3 "|"
	for (i = 1; i <= NF; i++)
		if ($i ~ /^--[a-z]/)
			option($i, $(i + 1))
	last = ""
	next
}

/^Commands:/ { commands = 1; next }
/^$/ { commands = 0 }
commands { name = $1; $1 = ""; print "command|" name "|" substr($0, 2); next }

/^ +-/ {
	letter = last = ""
	found = 0
	for (i = 1; i <= NF; i++) {
		if ($i ~ /^-[A-Za-z],$/) {
			letter = substr($i, 2, 1)
		} else if ($i ~ /^--[a-z]/ && (i == 1 || found || letter != "")) {
			option($i, $(i + 1))
			found++
		}
	}
	if (found == 1 && match($0, /[^ ]  +[^ -]/))
		texts[last] = substr($0, RSTART + RLENGTH - 1)
	next
}

# More lines of the text of the last option.
/^ +[^ ]/ && last != "" { sub(/^ +/, texts[last] == "" ? "" : " "); texts[last] = texts[last] $0; next }
{ last = "" }

END {
	for (i = 1; i <= n; i++) {
		name = order[i]
		gsub(/[|]/, "/", texts[name])
		print "option|" letters[name] "|" name "|" arguments[name] "|" optional[name] "|" texts[name]
	}
}
