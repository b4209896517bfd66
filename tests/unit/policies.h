/* What the tests of policy files share: one day, secrets that are there, a policy from text. */
#ifndef BONDGATE_TESTS_POLICIES_H
#define BONDGATE_TESTS_POLICIES_H

#include <stdio.h>

#include "policy/model.h"

static usec noon; /* 2026-11-20 12:00 UTC */

#define KEY_A "RWQBAgMEBQYHCAECAwQFBgcIAQIDBAUGBwgBAgMEBQYHCAECAwQFBgcI"

__attribute__((unused)) static int setup(void **state)
{
	(void)state;
	return time_parse(STR("2026-11-20T12:00:00Z"), &noon);
}

__attribute__((unused)) static int token(void *arg, struct str kind, struct str name, struct buf *ret, struct err *err)
{
	(void)arg;
	if (str_eq(kind, STR("env")) && str_eq(name, STR("CHAT_URL")))
		buf_add_str(ret, STR("https://chat.acme.example/hook/s3cret?sig=1\n"));
	else if (str_eq(kind, STR("env")) || str_eq(kind, STR("file")))
		buf_add_str(ret, STR("s3cret"));
	else
		return err_set(err, -ENOENT, "%.*s is not set", STR_ARG(name));
	return 0;
}

__attribute__((unused)) static const struct policy_environment environment = {.token = token};

__attribute__((unused)) static struct policy *load(const char *text)
{
	struct policy *p = NULL;
	struct err err = {0};

	if (policy_load(str_of(text), STR("bondgate.yaml"), noon, &environment, &p, NULL, &err) < 0)
		fail_msg("%s\n%s", err.text, text);
	return p;
}

__attribute__((unused)) static const char everything[] =
	"version: 1\n"
	"registries: {npm: {keys: [/k1.json, /k2.json], require-signature: true, provenance: {fulcio-ca-file: /f.pem, rekor-key-file: /r.pem}}}\n"
	"cooldown: {new-dependency: 20d, install-script: 21d, new-binary: 22d, remote-dependency: 23d, security-fix: 1d}\n"
	"deny: {publishers: [\"npm-user:mallory\", \"nuget-owner:Evil\", \"trusted-publisher:github.com/evil/*\"]}\n"
	"rules: {look-alike: {mode: enforce}, new-binary: {mode: report}}\n"
	"allow:\n"
	"  mode: report\n"
	"  roots:\n"
	"    - {name: \"npm:@angular/*\", reason: platform, owner: web-team, review-by: 2027-03-01}\n"
	"    - {name: \"npm:left-pad@^1.3.0\", reason: old, owner: jo, review-by: 2026-11-01}\n"
	"  publishers:\n"
	"    - {publisher: \"publisher-set:partners\", reason: contract, owner: platform, review-by: 2027-03-01}\n"
	"    - {publisher: \"npm-user:Acme-Bot\", reason: ours, owner: platform, review-by: 2026-01-01}\n"
	"    - {publisher: \"publisher-set:microsoft\", reason: vendor, owner: platform, review-by: 2027-03-01}\n"
	"publisher-sets:\n"
	"  partners: [\"npm-scope:@partner\", \"trusted-publisher:github.com/Partner/*\", \"nuget-owner:Partner.Inc\"]\n"
	"continuity: {mode: enforce, hold: until-decided}\n"
	"look-alike: {names: [\"npm:acme-tool\"], exclude: [\"npm:preact*\"]}\n"
	"approvals: {second-person-at: critical, longest: 14d, break-glass: 4h, import-keys: [" KEY_A "]}\n"
	"teams: [{name: web, policy: /etc/web.yaml}, {name: data, policy: /etc/data.yaml}]\n"
	"webhooks:\n"
	"  - {url: {env: CHAT_URL}, events: [request, break-glass], format: slack}\n"
	"  - {url: \"https://hooks.acme.example/in?x=1\", token: {env: T}, ca-file: /ca.pem}\n"
	"advisories:\n"
	"  feeds:\n"
	"    - {name: osv, url: \"https://advisories.acme.example/all.zip\", every: 6h, priority: 10, key: " KEY_A ", token: {env: T}}\n"
	"    - {name: own, url: \"http://127.0.0.1:8080/own.zip\"}\n"
	"  brake: {projects: 20, days: 7}\n"
	"  vex: [/etc/vex]\n"
	"  ignore: [{id: GHSA-xvch-5gv4-984h, package: \"npm:minimist@<1.2.6\", reason: ours, owner: jo, expires: 2026-12-31}, {id: CVE-1, reason: x, owner: "
	"jo, expires: 2026-01-01}]\n"
	"scan: {hosts: [mirror.acme.example]}\n";

#endif
