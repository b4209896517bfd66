#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "policy/look_alike.h"
#include "policy/policy.h"
#include "policy/skeleton.h"

static void names_that_are_taken_for_others(void **state)
{
	(void)state;
	static const struct {
		enum ecosystem ecosystem;
		const char *name, *resembles; /* NULL: nothing */
	} rows[] = {
		/* a slip */
		{ECOSYSTEM_NPM, "lodahs", "lodash"}, {ECOSYSTEM_NPM, "loadsh", "lodash"}, {ECOSYSTEM_NPM, "expresss", "express"},
		{ECOSYSTEM_NPM, "epxress", "express"}, {ECOSYSTEM_NPM, "husy", "husky"}, {ECOSYSTEM_NPM, "mongose", "mongoose"},
		{ECOSYSTEM_NPM, "webpakc", "webpack"}, {ECOSYSTEM_NPM, "discrod.js", "discord.js"},
		{ECOSYSTEM_NPM, "jsonwebtokken", "jsonwebtoken"}, {ECOSYSTEM_NPM, "regeneraor-runteime", "regenerator-runtime"},
		{ECOSYSTEM_NPM, "react-hok-form", "react-hook-form"}, {ECOSYSTEM_NPM, "colorss", "colors"},
		/* another writing of the same */
		{ECOSYSTEM_NPM, "crossenv", "cross-env"}, {ECOSYSTEM_NPM, "cross_env", "cross-env"}, {ECOSYSTEM_NPM, "node.fetch", "node-fetch"},
		{ECOSYSTEM_NPM, "lodash.js", "lodash"}, {ECOSYSTEM_NPM, "lodash-js", "lodash"}, {ECOSYSTEM_NPM, "lodashjs", "lodash"},
		{ECOSYSTEM_NPM, "Lodash", "lodash"}, {ECOSYSTEM_NPM, "discordjs", "discord.js"},
		/* letters that look like others */
		{ECOSYSTEM_NPM, "l0dash", "lodash"}, {ECOSYSTEM_NPM, "1odash", "lodash"}, {ECOSYSTEM_NPM, "Iodash", "lodash"},
		{ECOSYSTEM_NPM, "l\xd0\xbe" "dash", "lodash"}, {ECOSYSTEM_NPM, "\xd0\xb0xi\xd0\xbes", "axios"}, {ECOSYSTEM_NPM, "lod\xe2\x80\x8b" "ash", "lodash"},
		{ECOSYSTEM_NPM, "\xef\xbd\x8codash", "lodash"}, {ECOSYSTEM_NPM, "rnongoose", "mongoose"}, {ECOSYSTEM_NPM, "vvebpack", "webpack"},
		/* scopes */
		{ECOSYSTEM_NPM, "types-node", "@types/node"}, {ECOSYSTEM_NPM, "@type/node", "@types"}, {ECOSYSTEM_NPM, "angular-core", "@angular/core"},
		{ECOSYSTEM_NPM, "@babel_core", "@babel/core"}, {ECOSYSTEM_NPM, "@bable/core", "@babel"}, {ECOSYSTEM_NPM, "@angulr/anything", "@angular"},
		{ECOSYSTEM_NPM, "@opezneppelin/contracts", "@openzeppelin"}, {ECOSYSTEM_NPM, "@\xd0\xb0ngular/core", "@angular"},
		/* NuGet, whatever the case */
		{ECOSYSTEM_NUGET, "NewtonsoftJson", "Newtonsoft.Json"}, {ECOSYSTEM_NUGET, "Newtonsoft-Json", "Newtonsoft.Json"},
		{ECOSYSTEM_NUGET, "newtonsof.json", "Newtonsoft.Json"}, {ECOSYSTEM_NUGET, "Newt0nsoft.Json", "Newtonsoft.Json"},
		{ECOSYSTEM_NUGET, "C\xd0\xbestura.Fody", "Costura.Fody"}, {ECOSYSTEM_NUGET, "AutoMaper", "AutoMapper"},
		{ECOSYSTEM_NUGET, "Acm\xd0\xb5.Widgets", "a name in Latin letters"}, {ECOSYSTEM_NUGET, "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80", NULL},
		/* honest */
		{ECOSYSTEM_NPM, "lodash", NULL}, {ECOSYSTEM_NPM, "@types/anything", NULL}, {ECOSYSTEM_NPM, "preact", NULL}, {ECOSYSTEM_NPM, "vite", NULL},
		{ECOSYSTEM_NPM, "vue", NULL}, {ECOSYSTEM_NPM, "vuex", NULL}, {ECOSYSTEM_NPM, "nuxt", NULL}, {ECOSYSTEM_NPM, "gaxios", NULL},
		{ECOSYSTEM_NPM, "through", NULL}, {ECOSYSTEM_NPM, "npm-run-all2", NULL}, {ECOSYSTEM_NPM, "camel-case", NULL}, {ECOSYSTEM_NPM, "jsdoc", NULL},
		{ECOSYSTEM_NPM, "less-loader", NULL}, {ECOSYSTEM_NPM, "@acme/lodash", NULL}, {ECOSYSTEM_NPM, "babel-runtime", NULL},
		{ECOSYSTEM_NPM, "my-own-thing", NULL}, {ECOSYSTEM_NPM, "", NULL}, {ECOSYSTEM_NPM, "@", NULL}, {ECOSYSTEM_NPM, "@/", NULL},
		{ECOSYSTEM_NPM, "a", NULL}, {ECOSYSTEM_NPM, "\xff\xfe", NULL},
		{ECOSYSTEM_NUGET, "newtonsoft.json", NULL}, {ECOSYSTEM_NUGET, "Microsoft.Extensions.Loging", NULL}, {ECOSYSTEM_NUGET, "Acme.Json", NULL},
		{ECOSYSTEM_NUGET, "NLog2", NULL},
	};
	struct policy *p = policy_builtin();
	size_t wrong = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str found = policy_resembles(p, rows[i].ecosystem, str_of(rows[i].name));

		if (str_eq(found, str_of(rows[i].resembles)))
			continue;
		print_error("%s: \"%.*s\" and not \"%s\"\n", rows[i].name, STR_ARG(found), rows[i].resembles ? rows[i].resembles : "");
		wrong++;
	}
	policy_unref(p);
	assert_int_equal(wrong, 0);
}

/* The distance against a plain and slow one. */
static unsigned slow_distance(struct str a, struct str b)
{
	unsigned d[70][70];

	for (unsigned i = 0; i <= a.n; i++)
		for (unsigned j = 0; j <= b.n; j++) {
			unsigned best = i == 0 ? j : j == 0 ? i : d[i - 1][j - 1] + (a.p[i - 1] != b.p[j - 1]);

			if (i && j && d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (i && j && d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[a.n][b.n];
}

static void the_distance_is_right_within_two(void **state)
{
	(void)state;
	srand(11);
	for (int round = 0; round < 20000; round++) {
		char a[16], b[16];
		size_t n = (size_t)rand() % 12, m;
		unsigned slow, fast;

		for (size_t i = 0; i < n; i++)
			a[i] = (char)('a' + rand() % 3);
		memcpy(b, a, n);
		m = n;
		for (int k = rand() % 4; k > 0; k--) {
			size_t at = m ? (size_t)rand() % m : 0;

			if (rand() % 3 == 0 && m < 15) {
				memmove(b + at + 1, b + at, m - at);
				b[at] = (char)('a' + rand() % 3);
				m++;
			} else if (rand() % 2 && m) {
				memmove(b + at, b + at + 1, m - at - 1);
				m--;
			} else if (m) {
				b[at] = (char)('a' + rand() % 3);
			}
		}
		slow = slow_distance((struct str){a, n}, (struct str){b, m});
		fast = skeleton_edits((struct str){a, n}, (struct str){b, m});
		if (fast != (slow < 3 ? slow : 3))
			fail_msg("%.*s %.*s: %u and not %u", (int)n, a, (int)m, b, fast, slow);
	}
}

static void only_what_was_added_is_protected(void **state)
{
	(void)state;
	struct look_alikes *l = look_alikes_new();

	assert_int_equal(look_alikes_add(l, ECOSYSTEM_NPM, STR("acme-widgets")), 0);
	assert_int_equal(look_alikes_add(l, ECOSYSTEM_NPM, STR("acme-widgets")), 0);
	assert_int_equal(look_alikes_add(l, ECOSYSTEM_NPM, STR("@acme-corp/tools")), 0);
	assert_int_equal(look_alikes_add(l, ECOSYSTEM_NPM, STR("@globex-labs")), 0);
	assert_int_equal(look_alikes_add(l, ECOSYSTEM_NUGET, STR("Acme.Widgets")), 0);
	assert_int_equal(look_alikes_finish(l), 0);
	assert_true(str_eq(look_alikes_find(l, ECOSYSTEM_NPM, STR("acme-widget")), STR_NULL)); /* a plural */
	assert_true(str_eq(look_alikes_find(l, ECOSYSTEM_NPM, STR("acme-wigdets")), STR("acme-widgets")));
	assert_true(str_eq(look_alikes_find(l, ECOSYSTEM_NPM, STR("@acmecorp/tools")), STR("@acme-corp")));
	assert_true(str_eq(look_alikes_find(l, ECOSYSTEM_NPM, STR("@globexlabs/anything")), STR("@globex-labs")));
	assert_true(look_alikes_have(l, ECOSYSTEM_NPM, STR("@globex-labs/anything")));
	assert_true(look_alikes_have(l, ECOSYSTEM_NUGET, STR("acme.widgets")));
	assert_false(look_alikes_have(l, ECOSYSTEM_NPM, STR("acme.widgets")));
	assert_true(str_eq(look_alikes_find(l, ECOSYSTEM_NUGET, STR("acme_wigdets")), STR("Acme.Widgets")));
	assert_false(look_alikes_find(l, ECOSYSTEM_NPM, STR("lodahs")).n);
	look_alikes_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_are_taken_for_others),
		cmocka_unit_test(the_distance_is_right_within_two),
		cmocka_unit_test(only_what_was_added_is_protected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
