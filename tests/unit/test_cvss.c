#include "unit.h"

#include "advisory/internal.h"

struct row {
	const char *vector;
	int score; /* tenths; -1: refused */
};

static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int got = cvss_score(str_of(rows[i].vector));

		if (got != rows[i].score && !(got == -EINVAL && rows[i].score < 0))
			fail_msg("%s: %d, not %d", rows[i].vector, got, rows[i].score);
	}
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

/* The three of the specification's section 3.3, and others of the public database. */
static void version_2(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"AV:N/AC:L/Au:N/C:N/I:N/A:C", 78},
		{"AV:N/AC:L/Au:N/C:C/I:C/A:C", 100},
		{"AV:L/AC:H/Au:N/C:C/I:C/A:C", 62},
		{"(AV:N/AC:M/Au:N/C:N/I:P/A:N)", 43},
		{"AV:N/AC:L/Au:N/C:P/I:P/A:P", 75},
		{"AV:N/AC:L/Au:N/C:N/I:N/A:N", 0},
		{"AV:N/AC:L/Au:N/C:P/I:P/A:P/E:F/RL:OF/RC:C", 75}, /* the base score, whatever follows */
		{"AV:N/AC:L/Au:N/C:P/I:P", -1},
		{"AV:X/AC:L/Au:N/C:P/I:P/A:P", -1},
		{"AV:N/AV:N/AC:L/Au:N/C:P/I:P/A:P", -1},
		{"", -1},
		{"()", -1},
		{"AV:", -1},
	};

	CHECK(rows);
}

static void version_3(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98}, {"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64},
		{"CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31}, {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0},  {"CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", -1},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", -1},
	};

	CHECK(rows);
}

/* The first ones are from the specification's own examples. */
static void version_4_as_in_the_examples(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 73},
		{"CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 77},
		{"CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N", 83},
		{"CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", 46},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 51},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 100},
	};

	CHECK(rows);
}

/* What FIRST's own calculator says of vectors drawn by chance, threat and environmental metrics among them. */
static void version_4_as_the_reference_calculator(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:A/VC:N/VI:L/VA:L/SC:H/SI:N/SA:L", 20},
		{"CVSS:4.0/AV:P/AC:L/AT:N/PR:L/UI:A/VC:H/VI:L/VA:H/SC:N/SI:N/SA:L/MAV:A/MPR:L/MUI:X/MSA:L/AU:Y", 53},
		{"CVSS:4.0/AV:P/AC:L/AT:P/PR:H/UI:P/VC:N/VI:N/VA:N/SC:L/SI:L/SA:H", 21},
		{"CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:L/MVI:L/AU:N", 48},
		{"CVSS:4.0/AV:L/AC:H/AT:P/PR:L/UI:N/VC:H/VI:L/VA:H/SC:N/SI:H/SA:N", 70},
		{"CVSS:4.0/AV:N/AC:H/AT:P/PR:H/UI:N/VC:L/VI:L/VA:L/SC:H/SI:N/SA:H/IR:H/MUI:A/MVA:L/MSC:X/S:N", 45},
		{"CVSS:4.0/AV:L/AC:L/AT:N/PR:H/UI:P/VC:L/VI:N/VA:L/SC:H/SI:N/SA:L", 42},
		{"CVSS:4.0/AV:P/AC:H/AT:P/PR:N/UI:P/VC:L/VI:H/VA:N/SC:H/SI:N/SA:N/MAV:N/MAT:X/MVC:H/MVA:H/MSC:N/MSI:S", 94},
		{"CVSS:4.0/AV:L/AC:L/AT:P/PR:N/UI:A/VC:H/VI:H/VA:H/SC:L/SI:N/SA:L", 71},
		{"CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:A/VC:H/VI:N/VA:H/SC:N/SI:H/SA:H/CR:H/IR:M/MAV:N/MAC:L/MVC:X/MSA:S/S:P/AU:Y", 86},
		{"CVSS:4.0/AV:L/AC:H/AT:N/PR:L/UI:A/VC:N/VI:H/VA:H/SC:N/SI:N/SA:L", 44},
		{"CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:P/VC:N/VI:L/VA:L/SC:H/SI:H/SA:H/E:X/CR:H/IR:M/MAT:X/S:P", 47},
		{"CVSS:4.0/AV:L/AC:H/AT:P/PR:N/UI:N/VC:L/VI:L/VA:H/SC:L/SI:N/SA:N", 59},
		{"CVSS:4.0/AV:N/AC:H/AT:N/PR:L/UI:A/VC:N/VI:N/VA:N/SC:H/SI:N/SA:H/CR:X/IR:X/AR:X/MAV:P/MAT:N/MUI:A/MVI:N/MSC:N/MSI:X/MSA:S", 41},
		{"CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:P/VC:L/VI:H/VA:H/SC:H/SI:L/SA:H", 60},
		{"CVSS:4.0/AV:L/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:H/SI:N/SA:L/E:P/MSA:X", 21},
		{"CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:A/VC:N/VI:N/VA:N/SC:H/SI:H/SA:H", 47},
		{"CVSS:4.0/AV:P/AC:H/AT:P/PR:N/UI:N/VC:H/VI:N/VA:L/SC:L/SI:L/SA:H/CR:L/IR:X/AR:X/MAC:H/MVI:X/MVA:H/MSI:H/AU:X", 59},
		{"CVSS:4.0/AV:L/AC:H/AT:N/PR:N/UI:N/VC:H/VI:L/VA:H/SC:H/SI:H/SA:N", 72},
		{"CVSS:4.0/AV:P/AC:L/AT:P/PR:N/UI:A/VC:L/VI:N/VA:L/SC:H/SI:H/SA:L/E:A/IR:M/MVC:L/MSC:X", 23},
		{"CVSS:4.0/AV:A/AC:L/AT:N/PR:N/UI:P/VC:H/VI:N/VA:L/SC:N/SI:N/SA:H", 83},
		{"CVSS:4.0/AV:L/AC:H/AT:N/PR:L/UI:P/VC:L/VI:N/VA:N/SC:H/SI:N/SA:H/E:X/MAT:X/MPR:H/MVA:L/MSA:H/AU:N", 21},
		{"CVSS:4.0/AV:N/AC:H/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:H/SI:L/SA:L", 72},
		{"CVSS:4.0/AV:N/AC:H/AT:N/PR:H/UI:A/VC:H/VI:N/VA:N/SC:H/SI:H/SA:H/MAC:L/MAT:X/MPR:L/MVC:X/AU:Y", 84},
		{"CVSS:4.0/AV:P/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:H/SI:H/SA:H", 85},
		{"CVSS:4.0/AV:A/AC:H/AT:N/PR:L/UI:P/VC:L/VI:N/VA:L/SC:H/SI:H/SA:N/E:A/MAV:A/MVC:N/S:P/AU:Y", 21},
		{"CVSS:4.0/AV:N/AC:H/AT:N/PR:H/UI:P/VC:N/VI:N/VA:N/SC:L/SI:N/SA:L", 20},
		{"CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:L/SI:L/SA:H/E:X/CR:X/MAV:X/MSC:X/MSA:H/AU:X", 93},
		{"CVSS:4.0/AV:N/AC:H/AT:N/PR:H/UI:N/VC:N/VI:N/VA:L/SC:N/SI:H/SA:N", 46},
		{"CVSS:4.0/AV:A/AC:L/AT:N/PR:N/UI:P/VC:L/VI:H/VA:L/SC:L/SI:N/SA:L/AR:H/MAV:P/MAC:H/MVI:X/MSC:X/S:N", 44},
		{"CVSS:4.0/AV:L/AC:L/AT:P/PR:H/UI:A/VC:H/VI:N/VA:N/SC:N/SI:N/SA:H", 56},
		{"CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:P/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N/E:U/AR:H/MAV:A/MAC:X/MVA:L/MSI:H/MSA:L/S:N/AU:X", 9},
		{"CVSS:4.0/AV:A/AC:H/AT:P/PR:L/UI:A/VC:H/VI:H/VA:L/SC:L/SI:L/SA:N", 53},
		{"CVSS:4.0/AV:A/AC:H/AT:N/PR:L/UI:A/VC:L/VI:H/VA:H/SC:H/SI:H/SA:L/AR:X/MAC:H/MUI:X/MVI:H/MVA:H/MSI:L/MSA:S", 73},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:P/VC:N/VI:H/VA:H/SC:L/SI:H/SA:N", 83},
		{"CVSS:4.0/AV:A/AC:H/AT:N/PR:H/UI:N/VC:H/VI:H/VA:L/SC:L/SI:L/SA:L/E:U/CR:H/IR:H/AR:L/MAT:P/MPR:N/MVI:N", 22},
		{"CVSS:4.0/AV:A/AC:L/AT:P/PR:L/UI:P/VC:N/VI:L/VA:N/SC:N/SI:H/SA:L", 20},
		{"CVSS:4.0/AV:A/AC:H/AT:P/PR:L/UI:N/VC:N/VI:N/VA:L/SC:H/SI:H/SA:H/CR:X/MPR:H/MVC:L/MVA:X/AU:N", 52},
		{"CVSS:4.0/AV:L/AC:H/AT:N/PR:H/UI:P/VC:N/VI:L/VA:H/SC:H/SI:N/SA:N", 56},
		{"CVSS:4.0/AV:L/AC:H/AT:N/PR:L/UI:N/VC:L/VI:L/VA:N/SC:H/SI:H/SA:H", 52},
	};

	CHECK(rows);
}

static void version_4_refuses_what_is_none(void **state)
{
	(void)state;
#define BASE "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
	static const struct row rows[] = {
		{BASE, 93},
		{BASE "/S:P/AU:Y/R:U/V:C/RE:H/U:Amber", 93},
		{BASE "/U:Purple", -1},
		{BASE "/AV:N", -1},
		{BASE "/ZZ:N", -1},
		{BASE "/E", -1},
		{BASE "/E:", -1},
		{BASE "/E:AA", -1},
		{BASE "/MSC:S", -1},
		{"CVSS:4.0/MAV:L/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", -1},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N", -1},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:S", -1},
		{"CVSS:4.0/", -1},
		{"CVSS:4.0", -1},
	};

	CHECK(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_2),
		cmocka_unit_test(version_3),
		cmocka_unit_test(version_4_as_in_the_examples),
		cmocka_unit_test(version_4_as_the_reference_calculator),
		cmocka_unit_test(version_4_refuses_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
