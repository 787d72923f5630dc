/* SPDX-License-Identifier: MIT */

/*
 * How the submission finds its database: the variables that its .env files name for it, and the
 * names of the database and its users, wherever it writes them. The host gives the variables its
 * own values, and the one database and its roles those names.
 */

#include "inside/inspect/dotenv.h"
#include "inside/inspect/identity.h"
#include "inside/inspect/inspect.h"
#include "util/util.h"

#define MAX_NAME 64

struct found {
	struct identity identity;
	struct {
		char name[MAX_NAME + 1];
		enum database_part part;
	} variables[RECORD_MAX_VARIABLES];
	unsigned n;
};

/* A name that a shell could export; the others exist only in the file. */
static bool is_variable(const char *s, size_t n)
{
	if (n == 0 || n > MAX_NAME || (*s >= '0' && *s <= '9'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] == '-' || s[i] == '.')
			return false;
	return true;
}

static void add_variable(struct found *f, const struct dotenv_entry *e, enum database_part part)
{
	if (f->n == RECORD_MAX_VARIABLES || !is_variable(e->name, e->name_size))
		return;
	for (unsigned i = 0; i < f->n; i++)
		if (strlen(f->variables[i].name) == e->name_size &&
		    memcmp(f->variables[i].name, e->name, e->name_size) == 0)
			return;
	memcpy(f->variables[f->n].name, e->name, e->name_size);
	f->variables[f->n].name[e->name_size] = '\0';
	f->variables[f->n++].part = part;
}

static int visit(const struct walk_file *file, void *data)
{
	enum identity_source source = dotenv_is_example(file->name) ? IDENTITY_EXAMPLE
								    : IDENTITY_DOTENV;
	struct found *f = data;
	struct dotenv_entry e;
	size_t at = 0;

	while (dotenv_next(file->text, file->size, &at, &e)) {
		enum database_part part = dotenv_part(&e);

		if (part == PART_NONE)
			continue;
		add_variable(f, &e, part);
		if (part == PART_URL)
			identity_url(&f->identity, source, e.value, e.value_size);
		else if (part == PART_NAME)
			identity_name(&f->identity, source, e.value, e.value_size);
		else if (part == PART_USER)
			identity_role(&f->identity, e.value, e.value_size);
	}
	return 0;
}

static int put_found(const struct found *f, int out)
{
	char text[MAX_NAME + 16];
	int r = 0;

	for (unsigned i = 0; i < f->n && r == 0; i++) {
		(void)snprintf(text, sizeof(text), "%s:%s",
			       database_part_name(f->variables[i].part), f->variables[i].name);
		r = records_put_string(out, RECORD_DATABASE_VARIABLE, text);
	}
	if (r == 0 && f->identity.source != IDENTITY_NONE)
		r = records_put_string(out, RECORD_DATABASE_NAME, f->identity.name);
	for (unsigned i = 0; i < f->identity.n_roles && r == 0; i++)
		r = records_put_string(out, RECORD_DATABASE_ROLE, f->identity.roles[i]);
	return r;
}

int inspect_dotenv(int root, int out)
{
	_cleanup_free_ struct found *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	r = dotenv_files(root, visit, f);
	if (r == 0)
		r = identity_scan(root, &f->identity);
	return r == 0 ? put_found(f, out) : r;
}
