/* The pieces of node-semver's grammar that versions and ranges share; nobody outside codec needs them.
 * A cursor over the text; every function returns false and may leave the cursor anywhere when the grammar does not fit. */
#ifndef BONDGATE_CODEC_SEMVER_LEX_H
#define BONDGATE_CODEC_SEMVER_LEX_H

#include "base/buf.h"
#include "codec/semver.h"

/* JavaScript's Number.MAX_SAFE_INTEGER. What is larger is kept as SEMVER_TOO_BIG until it turns out to be needed. */
#define SEMVER_NUMBER_MAX ((uint64_t)9007199254740991)
#define SEMVER_TOO_BIG UINT64_MAX

struct semver_lex {
	const char *p, *end;
	bool loose;
};

static inline bool semver_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool semver_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool semver_is_identifier_char(char c)
{
	return semver_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Is there anything in `id`, and only digits? */
bool semver_is_numeric(struct str id);
/* A numeric identifier's digits without leading zeros; another identifier as it is. */
struct str semver_identifier(struct str id);
/* Order of two identifiers: numbers below words, numbers by size, words by ASCII. */
int semver_compare_identifiers(struct str a, struct str b);

/* Blanks around the text taken off; JavaScript's trim() for ASCII. */
struct str semver_trim(struct str text);
/* One run of digits; without leading zeros unless loose. */
bool semver_lex_number(struct semver_lex *l, uint64_t *ret);
/* Identifiers between dots; `zeros`: a number may start with 0. */
bool semver_lex_identifiers(struct semver_lex *l, bool zeros, struct str *ret);
/* What may follow the patch number, to the end of the text: -prerelease and +build. Loose texts may leave out the hyphen,
 * and then "1.2.34.5" is 1.2.3-4.5: there *patch changes. */
bool semver_lex_tail(struct semver_lex *l, uint64_t *patch, struct str *ret_pre, struct str *ret_build);

/* As semver_parse, but tells a text outside the grammar (-EINVAL) from one with a number or a length past the limit (-ERANGE). */
int semver_read(struct str text, unsigned flags, struct semver *ret);
/* Appends "1.2.3-rc.1". */
void semver_write(struct buf *out, const struct semver *v);

#endif
