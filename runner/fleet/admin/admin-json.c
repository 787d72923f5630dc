/* SPDX-License-Identifier: MIT */

#include "fleet/admin/admin-json.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/program.h"

static int print(cJSON *o, char *text)
{
	int code = text && printf("%s\n", text) > 0 ? EXIT_OK : EXIT_FAILED;

	free(text);
	cJSON_Delete(o);
	return code;
}

int admin_print_json(cJSON *o)
{
	return print(o, o ? cJSON_Print(o) : NULL);
}

int admin_print_json_line(cJSON *o)
{
	return print(o, o ? cJSON_PrintUnformatted(o) : NULL);
}

cJSON *admin_event_json(const struct queue_event *e)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "entry", e->entry);
	cJSON_AddStringToObject(o, "id", e->id);
	cJSON_AddStringToObject(o, "student", e->student);
	cJSON_AddStringToObject(o, "contest", e->contest);
	cJSON_AddStringToObject(o, "challenge", e->challenge);
	cJSON_AddStringToObject(o, "verdict", e->verdict);
	admin_put(o, "passed", e->passed);
	admin_put(o, "total", e->total);
	admin_put(o, "judge_rev", e->judge_rev);
	cJSON_AddNumberToObject(o, "points", (double)e->points / 1000);
	cJSON_AddNumberToObject(o, "max_points", (double)e->max_points / 1000);
	admin_put(o, "submitted_ms", e->submitted_ms);
	return o;
}
