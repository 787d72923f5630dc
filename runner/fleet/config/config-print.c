/* SPDX-License-Identifier: MIT */

/* A configuration as the file that says the same, and what can be wrong with it as a whole. */

#include "fleet/config/config.h"

#include <cjson/cJSON.h>
#include <ctype.h>

#include "fleet/ledger/pg.h"
#include "fleet/queue/redis.h"
#include "util/util.h"

/* ------------------------------------------------------------------- print */

/* Of a URL only the password is one; what is no URL is hidden as a whole. */
static char *masked(const char *text)
{
	const char *scheme = strstr(text, "://"), *user = scheme ? scheme + 3 : NULL;
	const char *end = user ? user + strcspn(user, "/?") : NULL;
	const char *at = user ? memrchr(user, '@', (size_t)(end - user)) : NULL;
	const char *colon = at ? memchr(user, ':', (size_t)(at - user)) : NULL;
	char *ret = NULL;

	if (!user || strstr(text, "password="))
		return strdup("***");
	/* An @ that is no part of what we take for the address: we may have cut the password. */
	if (!colon)
		return strdup(at || !strchr(user, '@') ? text : "***");
	return asprintf(&ret, "%.*s:***%s", (int)(colon - text), text, at) < 0 ? NULL : ret;
}

static char *quoted(const char *text)
{
	cJSON *item = cJSON_CreateString(text);
	char *ret = item ? cJSON_PrintUnformatted(item) : NULL;

	cJSON_Delete(item);
	return ret;
}

static int write_string(FILE *to, const char *text)
{
	_cleanup_free_ char *json = quoted(text);

	return json ? fprintf(to, "%s", json) : -ENOMEM;
}

static int write_list(FILE *to, const char *text)
{
	char item[2048];
	size_t len;

	fputc('[', to);
	for (const char *sep = ""; *text; text += len + (text[len] == ',')) {
		text += strspn(text, " ");
		len = strcspn(text, ",");
		if (len == 0)
			continue;
		(void)snprintf(item, sizeof(item), "%.*s", (int)len, text);
		fputs(sep, to);
		if (write_string(to, item) < 0)
			return -ENOMEM;
		sep = ", ";
	}
	fputc(']', to);
	return 0;
}

static int write_value(FILE *to, const struct config_key *k, const char *text, bool secrets)
{
	_cleanup_free_ char *hidden = NULL;

	if (k->kind == CONFIG_NUMBER || k->kind == CONFIG_BOOL)
		return fputs(text, to) < 0 ? -EIO : 0;
	if (k->kind == CONFIG_LIST || k->kind == CONFIG_LIMITS)
		return write_list(to, text);
	if ((k->flags & CONFIG_SECRET) && !secrets) {
		hidden = masked(text);
		return hidden ? write_string(to, hidden) : -ENOMEM;
	}
	return write_string(to, text);
}

static size_t section_length(const char *path)
{
	const char *dot = strchr(path, '.');

	return dot ? (size_t)(dot - path) : 0;
}

static bool same_section(const char *a, const char *b)
{
	size_t n = section_length(a);

	return n == section_length(b) && strncmp(a, b, n) == 0;
}

/* Keys of one section stand together in the table, so its order is that of the file. */
static int next_given(const struct fleet_config *c, int i)
{
	for (i++; config_keys[i].path; i++) {
		if (c->values[i].text)
			return i;
	}
	return -1;
}

static int write_key(FILE *to, const struct fleet_config *c, int i, int next, bool secrets,
		     bool annotate)
{
	const struct config_key *k = &config_keys[i];
	size_t section = section_length(k->path);
	bool ends = next < 0 || !same_section(k->path, config_keys[next].path);
	int r;

	fprintf(to, "%s\"%s\": ", section ? "\t\t" : "\t", k->path + section + (section > 0));
	r = write_value(to, k, c->values[i].text, secrets);
	if (!ends || (next >= 0 && !section))
		fputc(',', to);
	if (annotate)
		fprintf(to, " // %s", c->values[i].from);
	fputc('\n', to);
	if (ends && section)
		fprintf(to, "\t}%s\n", next >= 0 ? "," : "");
	return MIN_OF(r, 0);
}

int config_write(FILE *to, const struct fleet_config *c, bool secrets, bool annotate)
{
	const char *before = "";
	int r = 0;

	fputs("{\n", to);
	for (int i = next_given(c, -1), next; i >= 0 && r == 0; i = next) {
		const char *path = config_keys[i].path;

		next = next_given(c, i);
		if (section_length(path) && !same_section(path, before))
			fprintf(to, "\t\"%.*s\": {\n", (int)section_length(path), path);
		before = path;
		r = write_key(to, c, i, next, secrets, annotate);
	}
	fputs("}\n", to);
	return r < 0 ? r : ferror(to) ? -EIO : 0;
}

/* ------------------------------------------------------------------- check */

__attribute__((format(printf, 4, 5))) static int wrong(const struct fleet_config *c,
						       const char *path, char why[CONFIG_WHY],
						       const char *fmt, ...)
{
	const struct config_value *v = &c->values[config_key_index(path)];
	char text[CONFIG_WHY / 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (v->text)
		(void)snprintf(why, CONFIG_WHY, "%s (%.300s): %s", path, v->from, text);
	else
		(void)snprintf(why, CONFIG_WHY, "%s: %s", path, text);
	return -EINVAL;
}

/* What leases and results name: see queue.h. */
static bool is_id(const char *text)
{
	size_t n = strlen(text);

	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_.:@-", *p))
			return false;
	return n > 0 && n <= 48;
}

static int check_secrets(const struct fleet_config *c, char why[CONFIG_WHY])
{
	if (c->open_secret) {
		copy_string(why, CONFIG_WHY, c->open_secret);
		return -EINVAL;
	}
	if (c->written_by_all) {
		(void)snprintf(why, CONFIG_WHY,
			       "the configuration can be changed by all users of this machine: "
			       "chmod o-w it");
		return -EINVAL;
	}
	for (const struct config_key *k = config_keys; k->path && c->read_by_all; k++) {
		const struct config_value *v = &c->values[k - config_keys];
		_cleanup_free_ char *hidden = NULL;
		char variable[CONFIG_NAME];

		if (!(k->flags & CONFIG_SECRET) || v->rank != CONFIG_FROM_FILE || !v->text)
			continue;
		hidden = masked(v->text);
		if (hidden && streq(hidden, v->text))
			continue;
		config_variable_name(k, variable);
		return wrong(c, k->path, why,
			     "it has a password, and all users may read it there: chmod o-r, or "
			     "name a file with it in $%s_FILE",
			     variable);
	}
	return 0;
}

static int check_required(const struct fleet_config *c, char why[CONFIG_WHY])
{
	for (const struct config_key *k = config_keys; k->path; k++) {
		const struct config_value *v = &c->values[k - config_keys];
		char variable[CONFIG_NAME];

		if (!(k->flags & CONFIG_REQUIRED) || (v->text && *v->text))
			continue;
		config_variable_name(k, variable);
		return wrong(
			c, k->path, why, "a worker needs it: %s. Say it in the file, or in $%s%s",
			k->help, variable,
			k->flags & CONFIG_SECRET ? " (or name a file with it in that and _FILE)"
						 : "");
	}
	if (!c->challenges && c->compat.devforces == DEVFORCES_OFF)
		return wrong(c, "challenges", why, "a worker needs the folder with its challenges");
	if (c->challenges && access(c->challenges, R_OK | X_OK) < 0)
		return wrong(c, "challenges", why, "%.200s: %s", c->challenges, strerror(errno));
	return 0;
}

/* What is no URL will never answer; neither text has the password in it. */
static int check_postgres(const struct fleet_config *c, const char *path, const char *url,
			  char why[CONFIG_WHY])
{
	struct sbx_error err = { 0 };
	struct pg *p = NULL;
	int r = url ? pg_open(&p, url, "sandbox-runner", &err) : 0;

	pg_free(p);
	return r < 0 ? wrong(c, path, why,
			     "%s (postgresql://USER@HOST:PORT/DATABASE, or host=... dbname=...)",
			     err.text)
		     : 0;
}

static int check_urls(const struct fleet_config *c, char why[CONFIG_WHY])
{
	struct redis_url u = { 0 };
	struct sbx_error err = { 0 };
	int r = c->redis.url ? redis_url_parse(c->redis.url, &u, &err) : 0;

	redis_url_done(&u);
	if (r < 0)
		return wrong(c, "redis.url", why, "%s", err.text);
	r = check_postgres(c, "ledger.url", c->ledger.url, why);
	if (r == 0)
		r = check_postgres(c, "database.url", c->database.url, why);
	if (r == 0)
		r = check_postgres(c, "compat.database_url", c->compat.database_url, why);
	return r;
}

int config_check(const struct fleet_config *c, bool serving, char why[CONFIG_WHY])
{
	int r = serving ? check_required(c, why) : 0;

	if (r == 0)
		r = check_urls(c, why);
	if (serving && r == 0)
		r = check_secrets(c, why);
	if (r < 0)
		return r;
	if (!is_id(c->name ? c->name : ""))
		return wrong(c, "name", why,
			     "at most 48 letters, digits and _ . : @ - are possible");
	/* Renewed each third of it; a command that waits longer than that would lose the lease. */
	if (c->redis.timeout_ns * 3 > c->queue.lease_ns * 2)
		return wrong(c, "redis.timeout", why,
			     "at most two thirds of queue.lease, or a slow answer loses leases");
	if (c->database.provider == DATABASE_SERVER && !c->database.url)
		return wrong(c, "database.url", why, "database.provider \"server\" needs it");
	if (c->database.provider == DATABASE_SERVER && c->database.isolation && !c->database.shared)
		return wrong(c, "database.shared", why, "database.isolation \"schema\" needs it");
	if (c->compat.devforces != DEVFORCES_OFF && !c->compat.database_url)
		return wrong(
			c, "compat.database_url", why,
			"compat.devforces needs DevForces' database: challenges are read there");
	return 0;
}

const char *config_needs_restart(const struct fleet_config *a, const struct fleet_config *b)
{
	for (size_t i = 0; config_keys[i].path; i++) {
		const char *x = a->values[i].text, *y = b->values[i].text;

		if ((config_keys[i].flags & CONFIG_RESTART) && !streq(x ? x : "", y ? y : ""))
			return config_keys[i].path;
	}
	return NULL;
}
