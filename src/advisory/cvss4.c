/* CVSS v4.0 scores (FIRST, specification document revision 1.2, section 8): the MacroVector's score less the mean of the distances to
 * the next lower ones. Everything is whole numbers, so that a tie is rounded up as the specification says, and not as binary fractions fall. */
#include "advisory/internal.h"

enum metric { AV, AC, AT, PR, UI, VC, VI, VA, SC, SI, SA, E, CR, IR, AR, METRICS };

/* What a metric may say, best for the attacker first: the place is the severity level. `modified`: an environmental metric M… may
 * replace it, with the same values and X; the subsequent system's also with S, which lies in front. X alone stands for the first value. */
static const struct row {
	const char *name, *values;
	int first; /* level of the first value */
	bool needed, modified;
} rows[METRICS] = {
	[AV] = {"AV", "NALP", 0, true, true},  [AC] = {"AC", "LH", 0, true, true},    [AT] = {"AT", "NP", 0, true, true},
	[PR] = {"PR", "NLH", 0, true, true},   [UI] = {"UI", "NPA", 0, true, true},   [VC] = {"VC", "HLN", 0, true, true},
	[VI] = {"VI", "HLN", 0, true, true},   [VA] = {"VA", "HLN", 0, true, true},   [SC] = {"SC", "HLN", 1, true, true},
	[SI] = {"SI", "HLN", 1, true, true},   [SA] = {"SA", "HLN", 1, true, true},   [E] = {"E", "APU", 0, false, false},
	[CR] = {"CR", "HML", 0, false, false}, [IR] = {"IR", "HML", 0, false, false}, [AR] = {"AR", "HML", 0, false, false},
};

/* Scores of the MacroVectors in tenths (section 8.3): by EQ1 and EQ2, then EQ3 with EQ6 (00, 01, 10, 11, 21), EQ4, EQ5. */
// clang-format off
static const uint8_t scores[6][5][3][3] = {
	{ /* EQ1 0, EQ2 0 */
		{{100, 98, 95}, {100, 93, 91}, {93, 89, 81}},
		{{99, 95, 92}, {96, 87, 81}, {90, 80, 68}},
		{{98, 95, 90}, {93, 89, 81}, {88, 78, 69}},
		{{95, 92, 84}, {92, 81, 65}, {80, 70, 48}},
		{{92, 82, 72}, {79, 69, 50}, {69, 55, 27}}},
	{ /* EQ1 0, EQ2 1 */
		{{99, 95, 92}, {95, 90, 84}, {92, 82, 72}},
		{{97, 92, 85}, {91, 83, 71}, {81, 71, 53}},
		{{95, 92, 85}, {92, 80, 70}, {84, 71, 50}},
		{{93, 85, 73}, {82, 72, 59}, {70, 52, 30}},
		{{86, 75, 52}, {71, 52, 29}, {63, 29, 17}}},
	{ /* EQ1 1, EQ2 0 */
		{{98, 94, 91}, {94, 86, 77}, {87, 74, 63}},
		{{95, 87, 81}, {89, 74, 64}, {75, 63, 49}},
		{{94, 88, 76}, {86, 74, 59}, {72, 57, 52}},
		{{89, 77, 67}, {76, 58, 50}, {57, 52, 25}},
		{{83, 70, 54}, {65, 58, 26}, {53, 21, 13}}},
	{ /* EQ1 1, EQ2 1 */
		{{95, 88, 76}, {90, 75, 61}, {77, 68, 52}},
		{{90, 76, 70}, {77, 62, 53}, {66, 59, 30}},
		{{89, 76, 62}, {74, 57, 47}, {61, 57, 24}},
		{{78, 67, 58}, {59, 57, 23}, {52, 29, 16}},
		{{71, 59, 30}, {58, 26, 15}, {23, 13, 6}}},
	{ /* EQ1 2, EQ2 0 */
		{{93, 86, 75}, {86, 74, 56}, {70, 52, 40}},
		{{87, 72, 58}, {74, 61, 34}, {54, 40, 22}},
		{{85, 74, 62}, {72, 55, 46}, {53, 34, 19}},
		{{75, 55, 51}, {57, 41, 19}, {36, 19, 8}},
		{{64, 51, 20}, {47, 21, 11}, {24, 9, 4}}},
	{ /* EQ1 2, EQ2 1 */
		{{88, 73, 60}, {73, 59, 41}, {54, 45, 20}},
		{{75, 53, 50}, {55, 40, 20}, {43, 22, 11}},
		{{75, 58, 40}, {61, 48, 20}, {46, 17, 8}},
		{{55, 45, 21}, {51, 18, 9}, {18, 7, 2}},
		{{53, 24, 14}, {24, 12, 5}, {10, 3, 1}}},
};
// clang-format on

/* Metrics that no score depends on, and what they may say. */
static const struct {
	const char *name, *values;
} supplemental[] = {{"S", "XNP"}, {"AU", "XNY"}, {"R", "XAUI"}, {"V", "XDC"}, {"RE", "XLMH"}};

struct vector {
	int level[METRICS];
	bool given[METRICS], modified[METRICS];
};

/* The level that a value stands for, or -1. */
static int level_of(enum metric m, char value, bool modified)
{
	const char *at = strchr(rows[m].values, value);

	if (modified && value == 'S' && (m == SI || m == SA))
		return 0;
	return at ? rows[m].first + (int)(at - rows[m].values) : -1;
}

static int read_scored(struct vector *v, enum metric m, char value, bool modified)
{
	int level = level_of(m, value, modified);
	bool *given = modified ? &v->modified[m] : &v->given[m];

	if (*given || (modified && !v->given[m]))
		return -EINVAL;
	*given = true;
	/* "Not defined" leaves what stands there, or what is worst. */
	if (value == 'X' && (modified || !rows[m].needed))
		return 0;
	if (level < 0)
		return -EINVAL;
	v->level[m] = level;
	return 0;
}

static int read_supplemental(struct str name, struct str value)
{
	static const struct str urgencies[] = {STR("X"), STR("Clear"), STR("Green"), STR("Amber"), STR("Red")};

	for (size_t i = 0; str_eq(name, STR("U")) && i < sizeof(urgencies) / sizeof(urgencies[0]); i++)
		if (str_eq(value, urgencies[i]))
			return 0;
	for (size_t i = 0; i < sizeof(supplemental) / sizeof(supplemental[0]); i++)
		if (str_eq(name, str_of(supplemental[i].name)))
			return value.n == 1 && strchr(supplemental[i].values, value.p[0]) ? 0 : -EINVAL;
	return -EINVAL;
}

static int read_metric(struct vector *v, struct str part)
{
	ptrdiff_t colon = str_chr(part, ':');
	struct str name, value;

	if (colon <= 0 || (size_t)colon + 1 >= part.n)
		return -EINVAL;
	name = str_take(part, (size_t)colon);
	value = str_skip(part, (size_t)colon + 1);
	if (!value.p[0])
		return -EINVAL;
	for (int m = 0; m < METRICS; m++) {
		bool modified = rows[m].modified && name.n == 3 && name.p[0] == 'M' && str_eq(str_skip(name, 1), str_of(rows[m].name));

		if (modified || str_eq(name, str_of(rows[m].name)))
			return value.n == 1 ? read_scored(v, (enum metric)m, value.p[0], modified) : -EINVAL;
	}
	return read_supplemental(name, value);
}

/* The order of the metrics is fixed: base, threat, environmental. So a modified metric comes after what it modifies. */
static int read_vector(struct str rest, struct vector *ret)
{
	struct str part;

	*ret = (struct vector){0};
	while (str_split(&rest, '/', &part)) {
		int r = read_metric(ret, part);

		if (r < 0)
			return r;
	}
	for (int m = 0; m < METRICS; m++)
		if (rows[m].needed && !ret->given[m])
			return -EINVAL;
	return 0;
}

/* ---- the classes (section 8.2, tables 24 to 29) ---- */

struct classes {
	int eq1, eq2, eq3, eq4, eq5, eq6;
};

static struct classes classify(const int l[METRICS])
{
	struct classes c = {.eq5 = l[E]};
	bool all = !l[AV] && !l[PR] && !l[UI], any = !l[AV] || !l[PR] || !l[UI];

	c.eq1 = all ? 0 : any && l[AV] != 3 ? 1 : 2;
	c.eq2 = l[AC] || l[AT];
	c.eq3 = !l[VC] && !l[VI] ? 0 : !l[VC] || !l[VI] || !l[VA] ? 1 : 2;
	c.eq4 = !l[SI] || !l[SA] ? 0 : l[SC] == 1 || l[SI] == 1 || l[SA] == 1 ? 1 : 2;
	c.eq6 = !((!l[CR] && !l[VC]) || (!l[IR] && !l[VI]) || (!l[AR] && !l[VA]));
	return c;
}

/* The score of a MacroVector, or -1 when there is none. */
static int score_of(struct classes c)
{
	if (c.eq1 > 2 || c.eq2 > 1 || c.eq3 > 2 || c.eq4 > 2 || c.eq5 > 2 || c.eq6 > 1 || (c.eq3 == 2 && c.eq6 == 0))
		return -1;
	return scores[c.eq1 * 2 + c.eq2][c.eq3 == 2 ? 4 : c.eq3 * 2 + c.eq6][c.eq4][c.eq5];
}

/* ---- distances ---- */

/* The vectors of highest severity of a class (section 8.2), as levels of the metrics that the class looks at; -1 ends. */
struct highest {
	int levels[5][6];
	size_t count;
	int depth; /* how many steps the class spans */
};

static const enum metric metrics1[] = {AV, PR, UI}, metrics2[] = {AC, AT}, metrics36[] = {VC, VI, VA, CR, IR, AR},
						 metrics4[] = {SC, SI, SA};

static const struct highest highest1[] = {{{{0, 0, 0}}, 1, 1}, {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, 3, 4}, {{{3, 0, 0}, {1, 1, 1}}, 2, 5}};
static const struct highest highest2[] = {{{{0, 0}}, 1, 1}, {{{1, 0}, {0, 1}}, 2, 2}};
static const struct highest highest36[] = {
	{{{0}}, 1, 7},
	{{{0, 0, 1, 1, 1, 0}, {0, 0, 0, 1, 1, 1}}, 2, 6},
	{{{1, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0}}, 2, 8},
	{{{1, 0, 1, 0, 1, 0}, {1, 0, 0, 0, 1, 1}, {0, 1, 0, 1, 0, 1}, {0, 1, 1, 1, 0, 0}, {1, 1, 0, 0, 0, 1}}, 5, 8},
	{{{1, 1, 1, 0, 0, 0}}, 1, 10},
};
static const struct highest highest4[] = {{{{1, 0, 0}}, 1, 6}, {{{1, 1, 1}}, 1, 5}, {{{2, 2, 2}}, 1, 4}};

/* Steps down from the first highest vector that is nowhere below this one. */
static int steps_below(const int level[METRICS], const enum metric *metrics, size_t count, const struct highest *h)
{
	for (size_t i = 0; i < h->count; i++) {
		int steps = 0;
		bool above = true;

		for (size_t m = 0; m < count; m++) {
			steps += level[metrics[m]] - h->levels[i][m];
			above = above && level[metrics[m]] >= h->levels[i][m];
		}
		if (above)
			return steps;
	}
	return 0;
}

/* The next lower score for EQ3 and EQ6, which are judged together: from 00 two ways lead down, and the higher one counts. */
static int lower36(struct classes c)
{
	struct classes third = c, sixth = c;

	third.eq3++;
	sixth.eq6++;
	if (c.eq3 == 0 && c.eq6 == 0)
		return score_of(third) > score_of(sixth) ? score_of(third) : score_of(sixth);
	return c.eq3 == 1 && c.eq6 == 0 ? score_of(sixth) : score_of(third);
}

/* Common to all depths (1, 2, 4, 5, 6, 7, 8, 10). */
enum { COMMON = 840 };

int cvss4_score(struct str vector)
{
	static const struct str prefix = STR("CVSS:4.0/");
	struct vector v;
	const int *l = v.level;
	struct classes c, next;
	int lower[5], count = 0, own;
	int64_t lost = 0, score;

	if (!str_starts(vector, prefix) || read_vector(str_skip(vector, prefix.n), &v) < 0)
		return -EINVAL;
	if (l[VC] == 2 && l[VI] == 2 && l[VA] == 2 && l[SC] == 3 && l[SI] == 3 && l[SA] == 3)
		return 0;
	c = classify(l);
	own = score_of(c);
	next = c, next.eq1++, lower[0] = score_of(next);
	next = c, next.eq2++, lower[1] = score_of(next);
	lower[2] = lower36(c);
	next = c, next.eq4++, lower[3] = score_of(next);
	next = c, next.eq5++, lower[4] = score_of(next);
	const struct {
		const struct highest *highest;
		int steps;
	} eq[4] = {
		{&highest1[c.eq1], steps_below(l, metrics1, 3, &highest1[c.eq1])},
		{&highest2[c.eq2], steps_below(l, metrics2, 2, &highest2[c.eq2])},
		{&highest36[c.eq3 == 2 ? 4 : c.eq3 * 2 + c.eq6], steps_below(l, metrics36, 6, &highest36[c.eq3 == 2 ? 4 : c.eq3 * 2 + c.eq6])},
		{&highest4[c.eq4], steps_below(l, metrics4, 3, &highest4[c.eq4])},
	};

	for (size_t i = 0; i < 5; i++) {
		if (lower[i] < 0)
			continue;
		count++;
		/* Within EQ5 there is no distance, but it takes part in the mean. */
		if (i < 4)
			lost += (int64_t)(own - lower[i]) * eq[i].steps * (COMMON / eq[i].highest->depth);
	}
	if (count == 0)
		return own;
	/* own - lost / (COMMON * count), half up. */
	score = (2 * ((int64_t)own * COMMON * count - lost) + (int64_t)COMMON * count) / (2 * (int64_t)COMMON * count);
	return score < 0 ? 0 : score > 100 ? 100 : (int)score;
}
