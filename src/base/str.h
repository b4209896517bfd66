/* Text as pointer plus length. A `struct str` owns nothing; it is valid as long as what it points into.
 * Text is NUL-terminated only where libc asks for it (str_dup). */
#ifndef BONDGATE_BASE_STR_H
#define BONDGATE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NULL ((struct str){NULL, 0})
/* For printf: printf("%.*s", STR_ARG(s)). Longer than INT_MAX is cut. */
#define STR_ARG(s) (int)((s).n > 0x7fffffff ? 0x7fffffff : (s).n), ((s).p ? (s).p : "")

static inline struct str str_of(const char *nul_terminated)
{
	return (struct str){nul_terminated, nul_terminated ? strlen(nul_terminated) : 0};
}

static inline struct str str_range(const char *from, const char *to)
{
	return (struct str){from, (size_t)(to - from)};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII letters compare without case. */
bool str_eq_nocase(struct str a, struct str b);

/* memcmp order, a prefix sorts first: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Offset of the first `c` (or of the first occurrence of `needle`), or -1. */
ptrdiff_t str_chr(struct str s, char c);
ptrdiff_t str_rchr(struct str s, char c);
ptrdiff_t str_find(struct str s, struct str needle);

/* `s` without its first `n` bytes / only its first `n` bytes; `n` is clamped to the length. */
struct str str_skip(struct str s, size_t n);
struct str str_take(struct str s, size_t n);

/* Without ASCII blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str s);

/* Cuts `*rest` at the first `sep`: true and the part before it in `*ret_part`; the last part is the rest.
 * False when nothing is left. An empty text yields nothing; "a," yields "a" and "". */
bool str_split(struct str *rest, char sep, struct str *ret_part);

/* A NUL-terminated copy made by malloc, or NULL when memory is out. The caller frees it. */
char *str_dup(struct str s);

/* Decimal digits only, the whole text, no overflow: 0, or -EINVAL / -ERANGE and *ret untouched. */
int str_to_u64(struct str s, uint64_t *ret);
int str_to_i64(struct str s, int64_t *ret);

/* Does `text` match `pattern`, where `*` stands for any run of bytes (also `/`) and everything else for itself?
 * Linear in practice: one level of backtracking. */
bool str_glob(struct str pattern, struct str text);
/* The same without regard to the case of ASCII letters. */
bool str_glob_nocase(struct str pattern, struct str text);

/* Lower-case hexadecimal of `n` bytes into `out`, which must hold 2*n + 1 bytes. */
void hex_encode(const void *bytes, size_t n, char *out);
/* 0 or -EINVAL; `text` must be exactly 2*n digits, either case. */
int hex_decode(struct str text, void *out, size_t n);

#endif
