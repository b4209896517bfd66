/* CVSS v3.0 and v3.1 base scores, from the specification's section 7.1 ("Base Metrics Equations"), v2 base scores from that
 * version's section 3.2.1, and what severities are called. */
#include "advisory/internal.h"

static const char *const severity_names[] = {"unknown", "low", "moderate", "high", "critical"};

const char *severity_name(enum severity s)
{
	return (unsigned)s <= SEVERITY_CRITICAL ? severity_names[s] : "unknown";
}

int severity_parse(struct str text, enum severity *ret)
{
	for (unsigned i = SEVERITY_LOW; i <= SEVERITY_CRITICAL; i++) {
		if (str_eq_nocase(text, str_of(severity_names[i]))) {
			*ret = (enum severity)i;
			return 0;
		}
	}
	if (!str_eq_nocase(text, STR("medium")))
		return -EINVAL;
	*ret = SEVERITY_MODERATE;
	return 0;
}

enum metric { AV, AC, PR, UI, S, C, I, A, METRICS };

/* A value of a metric and its weight in thousandths. The weights of PR with a changed scope are in the second column. */
static const struct weight {
	enum metric metric;
	char value;
	double weight, changed;
} weights[] = {
	{AV, 'N', 0.85, 0.85}, {AV, 'A', 0.62, 0.62}, {AV, 'L', 0.55, 0.55}, {AV, 'P', 0.2, 0.2},  {AC, 'L', 0.77, 0.77},
	{AC, 'H', 0.44, 0.44}, {PR, 'N', 0.85, 0.85}, {PR, 'L', 0.62, 0.68}, {PR, 'H', 0.27, 0.5}, {UI, 'N', 0.85, 0.85},
	{UI, 'R', 0.62, 0.62}, {S, 'U', 0, 0},        {S, 'C', 1, 1},        {C, 'H', 0.56, 0.56}, {C, 'L', 0.22, 0.22},
	{C, 'N', 0, 0},        {I, 'H', 0.56, 0.56},  {I, 'L', 0.22, 0.22},  {I, 'N', 0, 0},       {A, 'H', 0.56, 0.56},
	{A, 'L', 0.22, 0.22},  {A, 'N', 0, 0},
};

static const char *const metric_names[METRICS] = {"AV", "AC", "PR", "UI", "S", "C", "I", "A"};

static const struct weight *weight_of(enum metric m, char value)
{
	for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++)
		if (weights[i].metric == m && weights[i].value == value)
			return &weights[i];
	return NULL;
}

/* Temporal and environmental metrics may follow; they do not change the base score. */
static int read_metrics(struct str rest, const struct weight *ret[METRICS])
{
	struct str part;

	while (str_split(&rest, '/', &part)) {
		ptrdiff_t colon = str_chr(part, ':');

		for (size_t m = 0; colon > 0 && m < METRICS; m++) {
			if (!str_eq(str_take(part, (size_t)colon), str_of(metric_names[m])))
				continue;
			if (ret[m] || part.n != (size_t)colon + 2)
				return -EINVAL;
			ret[m] = weight_of((enum metric)m, part.p[colon + 1]);
			if (!ret[m])
				return -EINVAL;
		}
	}
	for (size_t m = 0; m < METRICS; m++)
		if (!ret[m])
			return -EINVAL;
	return 0;
}

static double power(double base, unsigned exponent)
{
	double result = 1;

	while (exponent--)
		result *= base;
	return result;
}

/* The smallest number of tenths that is not below `score`, as version 3.1 defines it (appendix A): in integers, so that
 * 4.000000001 from binary fractions does not become 4.1. */
static int round_up_tenths(double score)
{
	int64_t hundred_thousandths = (int64_t)(score * 100000 + 0.5);

	return (int)((hundred_thousandths + 9999) / 10000);
}

int cvss3_score(struct str vector)
{
	const struct weight *m[METRICS] = {0};
	double lost, impact, exploitability, sum;
	bool changed;

	if (!str_starts(vector, STR("CVSS:3.0/")) && !str_starts(vector, STR("CVSS:3.1/")))
		return -EINVAL;
	if (read_metrics(str_skip(vector, 9), m) < 0)
		return -EINVAL;
	changed = m[S]->value == 'C';
	lost = 1 - (1 - m[C]->weight) * (1 - m[I]->weight) * (1 - m[A]->weight);
	impact = changed ? 7.52 * (lost - 0.029) - 3.25 * power(lost - 0.02, 15) : 6.42 * lost;
	if (impact <= 0)
		return 0;
	exploitability = 8.22 * m[AV]->weight * m[AC]->weight * (changed ? m[PR]->changed : m[PR]->weight) * m[UI]->weight;
	sum = (impact + exploitability) * (changed ? 1.08 : 1);
	return round_up_tenths(sum < 10 ? sum : 10);
}

/* ---- v2 ---- */

/* Weights in thousandths, in the order of the vector. */
static const struct {
	const char *name;
	char values[4];
	int weights[3];
} metrics2[6] = {
	{"AV", "LAN", {395, 646, 1000}}, {"AC", "HML", {350, 610, 710}}, {"Au", "MSN", {450, 560, 704}},
	{"C", "NPC", {0, 275, 660}},     {"I", "NPC", {0, 275, 660}},    {"A", "NPC", {0, 275, 660}},
};

static int read_metrics2(struct str rest, int64_t ret[6])
{
	struct str part;
	size_t given = 0;

	while (str_split(&rest, '/', &part)) {
		ptrdiff_t colon = str_chr(part, ':');

		for (size_t m = 0; colon > 0 && m < 6; m++) {
			const char *at;

			if (!str_eq(str_take(part, (size_t)colon), str_of(metrics2[m].name)))
				continue;
			at = part.n == (size_t)colon + 2 && part.p[colon + 1] ? strchr(metrics2[m].values, part.p[colon + 1]) : NULL;
			if (!at || (given & (size_t)1 << m))
				return -EINVAL;
			given |= (size_t)1 << m;
			ret[m] = metrics2[m].weights[at - metrics2[m].values];
		}
	}
	return given == 0x3f ? 0 : -EINVAL;
}

int cvss2_score(struct str vector)
{
	const int64_t whole = 1000000000; /* three factors of thousandths */
	int64_t w[6], lost, sum;

	if (vector.n > 1 && vector.p[0] == '(' && vector.p[vector.n - 1] == ')')
		vector = str_take(str_skip(vector, 1), vector.n - 2);
	if (read_metrics2(vector, w) < 0)
		return -EINVAL;
	lost = whole - (1000 - w[3]) * (1000 - w[4]) * (1000 - w[5]);
	if (lost == 0)
		return 0;
	/* ((0.6 * 10.41 * lost) + (0.4 * 20 * exploitability) - 1.5) * 1.176, in units of 10^-15; then to tenths, half up. */
	sum = (6246 * lost + 8000 * w[0] * w[1] * w[2] - 1500 * whole) * 1176;
	return sum <= 0 ? 0 : (int)((sum + 50000000000000) / 100000000000000);
}

int cvss_score(struct str vector)
{
	if (str_starts(vector, STR("CVSS:4")))
		return cvss4_score(vector);
	return str_starts(vector, STR("CVSS:3")) ? cvss3_score(vector) : cvss2_score(vector);
}

enum severity severity_of_score(int tenths)
{
	if (tenths >= 90)
		return SEVERITY_CRITICAL;
	if (tenths >= 70)
		return SEVERITY_HIGH;
	return tenths >= 40 ? SEVERITY_MODERATE : SEVERITY_LOW;
}
