/* SPDX-License-Identifier: MIT */

/*
 * How each manager is called. Common to all: no install script is run (install-scripts.c does that,
 * later and one by one), nothing asks or reports, the result is a plain node_modules, and caches
 * lie on the file system of the project, where they may be linked from.
 */

#include "deps/manager.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/util.h"

#define NODE "/opt/node/bin/node"
#define NPM_CLI "/opt/node/lib/node_modules/npm/bin/npm-cli.js"

static void add_all(struct words *w, const char *const *list)
{
	for (; *list; list++)
		words_add(w, *list);
}

static int npm_command(enum manager_step step, const char *const *own, bool legacy_peers,
		       const struct npm_registry *r, struct words *ret)
{
	/* clang-format off */
	static const char *const install[] = { "ci", "--include=dev", NULL };
	static const char *const difference[] = {
		"install", "--include=dev", "--prefer-offline", NULL,
	};
	static const char *const resolve[] = {
		"install", "--package-lock-only", "--include=dev", NULL,
	};
	static const char *const always[] = {
		NODE, NPM_CLI, "--ignore-scripts", "--no-audit", "--no-fund",
		"--no-update-notifier", "--no-progress", "--no-color", "--loglevel=warn", "--userconfig=/app/.none",
		"--globalconfig=/app/.none-global", "--cache=/tmp/npm",
		"--replace-registry-host=always", "--fetch-retries=2",
		"--fetch-retry-mintimeout=1000", "--fetch-timeout=60000", NULL,
	};
	/* clang-format on */
	int e;

	add_all(ret, always);
	add_all(ret, step == MANAGER_RESOLVE      ? resolve
		     : step == MANAGER_DIFFERENCE ? difference
		     : own                        ? own + 1
						  : install);
	if (legacy_peers)
		words_add(ret, "--legacy-peer-deps");
	if (r->insecure)
		words_add(ret, "--strict-ssl=false");
	if (r->cafile)
		words_add(ret, "--cafile=" MANAGER_CA);
	e = words_print(ret, "--registry=%s", r->url);
	if (e == 0 && r->proxy)
		e = words_print(ret, "--https-proxy=%s", r->proxy);
	if (e == 0 && r->proxy)
		e = words_print(ret, "--proxy=%s", r->proxy);
	return e;
}

static int pnpm_command(const struct manager *m, enum manager_step step,
			const struct npm_registry *r, struct words *ret)
{
	/* clang-format off */
	static const char *const always[] = {
		"install", "--ignore-scripts",
		"--reporter=append-only", "--store-dir=/app/.cache",
		"--package-import-method=hardlink",
		"--virtual-store-dir=node_modules/.pnpm", "--config.side-effects-cache=false",
		"--config.update-notifier=false", "--config.engine-strict=false",
		"--config.manage-package-manager-versions=false", "--config.pm-on-fail=ignore",
		"--config.package-manager-strict=false", "--config.modules-cache-max-age=0",
		"--config.fetch-retries=2", "--config.fetch-retry-mintimeout=1000",
		"--config.fetch-retry-maxtimeout=10000", NULL,
	};
	/* clang-format on */
	words_add(ret, NODE);
	words_add(ret, strtoul(m->version, NULL, 10) < 11 ? MANAGER_DIR "/pnpm/bin/pnpm.cjs"
							  : MANAGER_DIR "/pnpm/bin/pnpm.mjs");
	add_all(ret, always);
	words_add(ret, step == MANAGER_RESOLVE ? "--lockfile-only" : "--frozen-lockfile");
	if (step == MANAGER_RESOLVE)
		words_add(ret, "--no-frozen-lockfile");
	return words_print(ret, "--registry=%s", r->url);
}

static int yarn_command(enum manager_step step, const struct npm_registry *r, struct words *ret)
{
	/* clang-format off */
	static const char *const always[] = {
		NODE, MANAGER_DIR "/yarn/bin/yarn.js", "install", "--ignore-scripts",
		"--non-interactive", "--no-progress", "--no-default-rc", "--ignore-engines",
		"--network-timeout=60000", "--cache-folder=/app/.cache", "--production=false", NULL,
	};
	/* clang-format on */
	add_all(ret, always);
	if (step != MANAGER_RESOLVE)
		words_add(ret, "--frozen-lockfile");
	return words_print(ret, "--registry=%s", r->url);
}

static int berry_command(const struct manager *m, enum manager_step step, struct words *ret)
{
	words_add(ret, NODE);
	words_add(ret, MANAGER_DIR "/@yarnpkg/cli-dist/bin/yarn.js");
	words_add(ret, "install");
	if (strtoul(m->version, NULL, 10) >= 3)
		words_add(ret,
			  step == MANAGER_RESOLVE ? "--mode=update-lockfile" : "--mode=skip-build");
	words_add(ret, step == MANAGER_RESOLVE ? "--no-immutable" : "--immutable");
	return 0;
}

static int bun_command(const struct manager *m, enum manager_step step,
		       const struct npm_registry *r, struct words *ret)
{
	/* clang-format off */
	static const char *const always[] = {
		"install", "--ignore-scripts", "--no-progress", "--no-summary",
		"--backend=hardlink", "--cache-dir=/app/.cache", "--linker=hoisted", NULL,
	};
	/* clang-format on */
	int e = words_print(ret, MANAGER_DIR "/%s/bin/bun", m->package);

	add_all(ret, always);
	words_add(ret, step == MANAGER_RESOLVE ? "--lockfile-only" : "--frozen-lockfile");
	if (r->cafile)
		words_add(ret, "--cafile=" MANAGER_CA);
	return e ? e : words_print(ret, "--registry=%s", r->url);
}

int manager_command(const struct manager *m, enum manager_step step, const char *const *own,
		    bool legacy_peers, const struct npm_registry *r, struct words *ret)
{
	switch (m->kind) {
	case MANAGER_NPM:
		return npm_command(step, own, legacy_peers, r, ret);
	case MANAGER_PNPM:
		return pnpm_command(m, step, r, ret);
	case MANAGER_YARN:
		return yarn_command(step, r, ret);
	case MANAGER_BERRY:
		return berry_command(m, step, ret);
	case MANAGER_BUN:
		return bun_command(m, step, r, ret);
	}
	return -EINVAL;
}

static int berry_environment(const struct manager *m, const struct npm_registry *r,
			     struct words *ret)
{
	/* clang-format off */
	static const char *const always[] = {
		"YARN_NODE_LINKER=node-modules", "YARN_ENABLE_SCRIPTS=false",
		"YARN_ENABLE_TELEMETRY=false", "YARN_ENABLE_PROGRESS_BARS=false",
		"YARN_ENABLE_COLORS=false", "YARN_ENABLE_GLOBAL_CACHE=true",
		"YARN_GLOBAL_FOLDER=/app/.cache", "YARN_IGNORE_PATH=true",
		"YARN_ENABLE_IMMUTABLE_CACHE=false", "YARN_HTTP_TIMEOUT=60000",
		"YARN_ENABLE_MIRROR=false", NULL,
	};
	/* clang-format on */
	int e;

	add_all(ret, always);
	if (r->cafile)
		words_add(ret, strtoul(m->version, NULL, 10) < 4
				       ? "YARN_CA_FILE_PATH=" MANAGER_CA
				       : "YARN_HTTPS_CA_FILE_PATH=" MANAGER_CA);
	if (r->insecure)
		words_add(ret, "YARN_ENABLE_STRICT_SSL=false");
	e = words_print(ret, "YARN_NPM_REGISTRY_SERVER=%s", r->url);
	if (e == 0 && starts_with(r->url, "http:"))
		e = words_print(ret, "YARN_UNSAFE_HTTP_WHITELIST=*");
	if (e == 0 && r->proxy)
		e = words_print(ret, "YARN_HTTP_PROXY=%s", r->proxy);
	if (e == 0 && r->proxy)
		e = words_print(ret, "YARN_HTTPS_PROXY=%s", r->proxy);
	return e;
}

int manager_environment(const struct manager *m, const struct npm_registry *r, struct words *ret)
{
	int e = 0;

	words_add(ret, "PATH=/opt/node/bin:/usr/bin:/bin");
	words_add(ret, "HOME=/tmp");
	words_add(ret, "LANG=C.UTF-8");
	words_add(ret, "TZ=UTC");
	words_add(ret, "CI=1");
	if (m->kind == MANAGER_NPM)
		return 0;
	if (r->cafile)
		words_add(ret, "NODE_EXTRA_CA_CERTS=" MANAGER_CA);
	if (m->kind == MANAGER_BERRY)
		return berry_environment(m, r, ret);
	/* "packageManager": "yarn@1" is not "yarn@1.22.22" for it. */
	if (m->kind == MANAGER_YARN)
		words_add(ret, "SKIP_YARN_COREPACK_CHECK=1");
	/* Without the slash at its end; for the shell's rewriting of yarn.lock. */
	if (m->kind == MANAGER_YARN)
		e = words_print(ret, "REGISTRY=%.*s",
				(int)(strlen(r->url) - (r->url[strlen(r->url) - 1] == '/')),
				r->url);
	if (e == 0 && r->proxy)
		e = words_print(ret, "HTTPS_PROXY=%s", r->proxy);
	if (e == 0 && r->proxy)
		e = words_print(ret, "HTTP_PROXY=%s", r->proxy);
	return e;
}

char *manager_npmrc(const struct npm_registry *r, const char *let_through)
{
	char *text;
	int n;

	/* The last line of a key counts: what is let through can never replace what is ours. */
	n = asprintf(
		&text, "%s\nregistry=%s\nfund=false\naudit=false\nignore-scripts=true\n%s%s%s%s%s",
		let_through ? let_through : "", r->url, r->cafile ? "cafile=" MANAGER_CA "\n" : "",
		r->insecure ? "strict-ssl=false\n" : "", r->proxy ? "https-proxy=" : "",
		r->proxy ? r->proxy : "", r->proxy ? "\n" : "");
	return n < 0 ? NULL : text;
}
