/* Rule 4: the same name and version with another hash is an incident. Like is compared with like. */
#include "registry/npm/build_hash.h"

/* The next token of an integrity text that starts with `prefix`; a text may hold several of one algorithm. */
static bool next_token(struct str *rest, struct str prefix, struct str *ret)
{
	struct str token;

	while (str_split(rest, ' ', &token)) {
		ptrdiff_t options = str_chr(token, '?');

		if (!str_starts(token, prefix))
			continue;
		*ret = options >= 0 ? str_take(token, (size_t)options) : token;
		return true;
	}
	return false;
}

/* All tokens of one algorithm must agree: clients accept bytes that fit any of them. */
static enum hash_change compare_algorithm(struct str pin, struct str now, struct str prefix)
{
	bool compared = false;

	for (;;) {
		struct str a, b;
		bool more_a = next_token(&pin, prefix, &a), more_b = next_token(&now, prefix, &b);

		if (!more_a && !more_b)
			return compared ? HASH_SAME : HASH_NOT_COMPARABLE;
		if (!more_a || !more_b)
			return compared ? HASH_DIFFERS : HASH_NOT_COMPARABLE;
		if (!str_eq(a, b))
			return HASH_DIFFERS;
		compared = true;
	}
}

enum hash_change hash_compare(struct str pin_integrity, struct str pin_shasum, struct str integrity, struct str shasum)
{
	static const struct str algorithms[] = {STR("sha512-"), STR("sha384-"), STR("sha256-")};

	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		enum hash_change change = compare_algorithm(pin_integrity, integrity, algorithms[i]);

		if (change != HASH_NOT_COMPARABLE)
			return change;
	}
	if (pin_shasum.n && shasum.n)
		return str_eq_nocase(pin_shasum, shasum) ? HASH_SAME : HASH_DIFFERS;
	if (pin_integrity.n && str_eq(pin_integrity, integrity))
		return HASH_SAME;
	/* A pin that nothing of today can be compared with was exchanged, not completed. */
	return pin_integrity.n || pin_shasum.n ? HASH_DIFFERS : HASH_NOT_COMPARABLE;
}
