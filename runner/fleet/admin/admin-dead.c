/* SPDX-License-Identifier: MIT */

/* admin dead: payloads that made no sense, and submissions that were given up. */

#include <stdio.h>
#include <stdlib.h>

#include "fleet/admin/admin-json.h"
#include "fleet/admin/admin.h"
#include "util/util.h"

#define PAGE 100

static void print_letter(const struct queue_letter *l)
{
	cJSON *o;

	if (!admin_opt.json) {
		printf("%s  %-7s  %s", l->entry, l->kind, l->id);
		admin_put_line(stdout, *l->id ? "  " : "", l->reason);
		if (*l->payload)
			admin_put_line(stdout, "    ", l->payload);
		return;
	}
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "entry", l->entry);
	cJSON_AddStringToObject(o, "kind", l->kind);
	cJSON_AddStringToObject(o, "id", l->id);
	cJSON_AddStringToObject(o, "reason", l->reason);
	cJSON_AddStringToObject(o, "payload", l->payload);
	(void)admin_print_json_line(o);
}

static int list(struct admin *a, struct queue *q)
{
	_cleanup_free_ struct queue_letter *page = calloc(PAGE, sizeof(*page));
	uint64_t left = admin_opt.limit.text ? admin_opt.limit.value : PAGE;
	const char *after = NULL;
	int n = PAGE;

	if (!page)
		return EXIT_INFRASTRUCTURE;
	while (left > 0 && n == PAGE) {
		n = queue_dead_list(q, after, page, PAGE, &a->err);
		if (n < 0)
			return admin_failed(a);
		for (int i = 0; i < n && left > 0; i++, left--)
			print_letter(&page[i]);
		after = n > 0 ? page[n - 1].entry : after;
	}
	return EXIT_OK;
}

static int requeue(struct admin *a, struct queue *q, const char *entry)
{
	int r = queue_dead_requeue(q, entry, &a->err);

	if (r < 0)
		return admin_failed(a);
	if (r == 0)
		return admin_complain(
			a, EXIT_FAILED,
			"there is no dead letter %s, or its payload was too long to be kept",
			entry);
	return EXIT_OK;
}

static int purge(struct admin *a, struct queue *q, const char *entry)
{
	int n;

	if (!entry && !admin_opt.all)
		return usage_error("admin", "dead purge takes an ENTRY, or --all");
	n = queue_dead_purge(q, entry, &a->err);
	if (n < 0)
		return admin_failed(a);
	printf("%d removed\n", n);
	return n == 0 && entry ? EXIT_FAILED : EXIT_OK;
}

int admin_dead(struct admin *a, int argc, char **argv)
{
	bool ls = streq(argv[0], "ls"), again = streq(argv[0], "requeue");
	struct queue *q;

	if (!ls && !again && !streq(argv[0], "purge"))
		return usage_error("admin", "dead takes ls, requeue ENTRY or purge [ENTRY]");
	if (again && argc != 2)
		return usage_error("admin", "dead requeue takes an ENTRY, as dead ls shows them");
	q = admin_queue(a);
	if (!q)
		return EXIT_INFRASTRUCTURE;
	if (ls)
		return list(a, q);
	return again ? requeue(a, q, argv[1]) : purge(a, q, argc > 1 ? argv[1] : NULL);
}
