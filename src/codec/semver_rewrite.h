/* The rewritings that a range's text goes through before its words are read, as in node-semver. They work in place, on a copy
 * that belongs to the range, and only ever shorten it; `n` is the length before, the result the length after. */
#ifndef BONDGATE_CODEC_SEMVER_REWRITE_H
#define BONDGATE_CODEC_SEMVER_REWRITE_H

#include "base/arena.h"
#include "base/str.h"

/* x, X and * stand for any number. */
bool semver_is_x(char c);

/* A copy without blanks at the ends and with every run of blanks made one space. p == NULL: the arena is full. */
struct str semver_squeeze(struct arena *a, struct str text);
/* Takes "+build" out, wherever it stands. */
size_t semver_strip_builds(char *text, size_t n);
/* Takes the blank between an operator and its version out: "> 1.2 ~> 3" becomes ">1.2 ~3". */
size_t semver_join_operators(char *text, size_t n);
/* Takes the first star out of a word that cannot be read otherwise, so that "1.2.3*" is 1.2.3. */
struct str semver_without_star(char *text, size_t n);

#endif
