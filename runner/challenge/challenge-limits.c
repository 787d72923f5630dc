/* SPDX-License-Identifier: MIT */

/* "limits" of challenge.json: a table of keys with their units and ranges, and the defaults. */

#include "challenge/challenge-limits.h"

#include "pipeline/units.h"
#include "cli/options.h"
#include "util/util.h"

/* One limit: its key, where it goes, and what it may be. */
enum limit_unit { LIMIT_SIZE, LIMIT_TIME, LIMIT_COUNT, LIMIT_CPU };

struct limit_key {
	const char *name;
	enum limit_unit unit;
	size_t offset;
	uint64_t min, max;
};

#define LIMIT(name, unit, min, max)                                            \
	{                                                                      \
#name, unit, offsetof(struct challenge_limits, name), min, max \
	}
#define TIME(name, max)                                                                 \
	{                                                                               \
#name, LIMIT_TIME, offsetof(struct challenge_limits, name##_ns), 1, max \
	}
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define MINUTE (60 * NSEC_PER_SEC)

static const struct limit_key limit_keys[] = {
	LIMIT(memory, LIMIT_SIZE, 32 * MIB, 64 * GIB),
	LIMIT(disk, LIMIT_SIZE, MIB, 64 * GIB),
	LIMIT(output, LIMIT_SIZE, 4096, 64 * MIB),
	LIMIT(database_disk, LIMIT_SIZE, 16 * MIB, 64 * GIB),
	LIMIT(database_memory, LIMIT_SIZE, 64 * MIB, 64 * GIB),
	LIMIT(pids, LIMIT_COUNT, 16, 32768),
	{ "cpu", LIMIT_CPU, offsetof(struct challenge_limits, cpu_milli), 10, 256000 },
	TIME(boot, 10 * MINUTE),
	TIME(tests, 60 * MINUTE),
	TIME(install, 60 * MINUTE),
	TIME(build, 60 * MINUTE),
	TIME(cpu_time, 600 * MINUTE),
};

const struct challenge_limits challenge_default_limits = {
	.memory = 512 * MIB,
	.disk = 256 * MIB,
	.output = MIB,
	.database_disk = 128 * MIB,
	.database_memory = 128 * MIB,
	.pids = 256,
	.cpu_milli = 2000,
	.boot_ns = 10 * NSEC_PER_SEC,
	.tests_ns = 60 * NSEC_PER_SEC,
	.install_ns = 300 * NSEC_PER_SEC,
	.build_ns = 60 * NSEC_PER_SEC,
	.cpu_time_ns = 60 * NSEC_PER_SEC,
};

static const struct limit_key *limit_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(limit_keys); i++) {
		if (streq(limit_keys[i].name, name))
			return &limit_keys[i];
	}
	return NULL;
}

static int limit_range(struct json_config *cfg, const cJSON *v, const struct limit_key *k)
{
	char min[UNITS_TEXT], max[UNITS_TEXT];

	switch (k->unit) {
	case LIMIT_SIZE:
		return json_config_error(cfg, v, "this must be from %s to %s",
					 units_size(min, k->min), units_size(max, k->max));
	case LIMIT_TIME:
		return json_config_error(cfg, v, "this must be above 0 and at most %s",
					 units_duration(max, k->max));
	case LIMIT_COUNT:
		return json_config_error(cfg, v, "this must be a whole number from %llu to %llu",
					 (unsigned long long)k->min, (unsigned long long)k->max);
	case LIMIT_CPU:
		return json_config_error(cfg, v,
					 "this must be a number of processors, from 0.01 to 256, "
					 "like 1.5");
	}
	return -EINVAL;
}

static int limit_text(struct json_config *cfg, const cJSON *v, const struct limit_key *k,
		      uint64_t *ret)
{
	bool size = k->unit == LIMIT_SIZE;
	const char *why = size ? "write a number and K, M or G in quotes, like \"512M\""
			       : "write a number and ms, s or m in quotes, like \"10s\"";

	if (cJSON_IsString(v) && (size ? parse_size(v->valuestring, ret, &why)
				       : parse_duration(v->valuestring, ret, &why)) == 0)
		return 0;
	return json_config_error(cfg, v, "not a %s: %s", size ? "size" : "duration", why);
}

/* The number that `v` means in the unit of `k`; -EINVAL when it is of another form. */
static int limit_value(struct json_config *cfg, const cJSON *v, const struct limit_key *k,
		       uint64_t *ret)
{
	if (k->unit == LIMIT_COUNT || k->unit == LIMIT_CPU) {
		double scale = k->unit == LIMIT_CPU ? 1000 : 1;

		if (!cJSON_IsNumber(v) || v->valuedouble < 0 || v->valuedouble > 1e9 ||
		    (scale == 1 && (double)(int64_t)v->valuedouble != v->valuedouble))
			return limit_range(cfg, v, k);
		*ret = (uint64_t)(v->valuedouble * scale + 0.5);
		return 0;
	}
	return limit_text(cfg, v, k, ret);
}

static int set_limit(struct json_config *cfg, const cJSON *v, void *data)
{
	struct challenge_limits *limits = data;
	const struct limit_key *k = limit_of(v->string);
	uint64_t value;
	int r;

	r = limit_value(cfg, v, k, &value);
	if (r < 0)
		return r;
	if (value < k->min || value > k->max)
		return limit_range(cfg, v, k);
	if (k->unit == LIMIT_COUNT || k->unit == LIMIT_CPU)
		*(uint32_t *)((char *)limits + k->offset) = (uint32_t)value;
	else
		*(uint64_t *)((char *)limits + k->offset) = value;
	return 0;
}

int challenge_set_limits(struct json_config *cfg, const cJSON *v, struct challenge_limits *ret)
{
	struct json_key keys[ARRAY_SIZE(limit_keys)];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		keys[i] = (struct json_key){ limit_keys[i].name, set_limit };
	return json_config_object(cfg, v, keys, ARRAY_SIZE(keys), ret);
}
