/* SPDX-License-Identifier: MIT */

/* --help: the rows of a command's table as text, at most 80 columns wide. */

#include "cli/option-help.h"
#include "cli/program.h"
#include <stdio.h>
#include <string.h>

const struct option_spec option_common[] = {
	{ OPTION_FLAG, 'h', "help", NULL, NULL, "print this help" },
	{ OPTION_STRING, 0, "config", "FILE", NULL,
	  "defaults of options, in JSON (default: ~/.config/sandbox/run.json, "
	  "/etc/sandbox/run.json)" },
	{ OPTION_FLAG, 0, "no-config", NULL, NULL, "read no file of defaults" },
};

size_t option_common_count(void)
{
	return program.defaults ? OPTION_COMMON_NO_CONFIG + 1 : OPTION_COMMON_HELP + 1;
}

size_t option_common_names(const char **ret)
{
	for (size_t i = 0; i < option_common_count(); i++)
		ret[i] = option_common[i].name;
	return option_common_count();
}

/* Words of `text` from column `indent` on, where the cursor is, in lines of at most 80 columns. */
static void print_wrapped(const char *text, int indent)
{
	int column = indent;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + 1 + len > 80) {
			printf("\n%*s", indent, "");
			column = indent;
		}
		column += printf("%s%.*s", column > indent ? " " : "", len, text);
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_option(const struct option_spec *o)
{
	const int indent = 26;
	char left[80];
	int n;

	n = o->letter ? snprintf(left, sizeof(left), "  -%c, --%s", o->letter, o->name)
		      : snprintf(left, sizeof(left), "      --%s", o->name);
	if (o->argument && n > 0 && n < (int)sizeof(left))
		n += snprintf(left + n, sizeof(left) - (size_t)n,
			      o->kind == OPTION_OPTIONAL ? "[=%s]" : " %s", o->argument);
	fputs(left, stdout);
	if (n >= indent)
		printf("\n%*s", indent, "");
	else
		printf("%*s", indent - n, "");
	print_wrapped(o->help, indent);
}

static void print_common(void)
{
	printf("\nOptions of every command:\n");
	for (size_t i = 0; i < option_common_count(); i++)
		print_option(&option_common[i]);
	if (program.defaults)
		printf("Each option can be set in the environment: --no-config is "
		       "%sNO_CONFIG.\n",
		       program.variable);
}

void options_help(const struct command *c)
{
	bool general = true;

	printf("usage: %s %s\n\n%s\n\nExamples:\n%s\n", program.name, c->synopsis, c->summary,
	       c->examples);
	for (const struct option_spec *o = c->options; o->kind != OPTION_END; o++) {
		if (o->kind == OPTION_GROUP) {
			printf("\n%s:\n", o->help);
			general = false;
			continue;
		}
		if (general)
			printf("\nOptions:\n");
		general = false;
		print_option(o);
	}
	print_common();
	printf("\n%s\n", c->epilog);
}
