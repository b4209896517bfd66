/* The shape of a name, as an eye that reads quickly sees it: letters of other alphabets that look like Latin ones, digits that look like letters
 * and pairs that look like one letter become what they look like, separators become one. Two names of one shape are taken for each other.
 * The look-alikes of letters are a small choice out of the Unicode consortium's confusables (UTS #39), those that occur in attacks. */
#ifndef BONDGATE_POLICY_SKELETON_H
#define BONDGATE_POLICY_SKELETON_H

#include "base/str.h"

enum { SKELETON_BYTES = 64, SKELETON_WORDS = 12 };

struct skeleton {
	char letters[SKELETON_BYTES]; /* without separators */
	uint8_t n;
	uint8_t words;                    /* between separators */
	uint8_t word_end[SKELETON_WORDS]; /* where each ends in `letters` */
	bool mixed;                       /* Latin letters, and among them others that look like Latin ones */
	uint64_t mask;                    /* one bit a letter that occurs: two shapes of few edits differ in few bits */
};

/* False when the name is too long or of too many words to be compared. `capital_i`: an I is read as an l, which it looks like. */
bool skeleton_make(struct str name, bool capital_i, struct skeleton *ret);

static inline struct str skeleton_letters(const struct skeleton *s)
{
	return (struct str){s->letters, s->n};
}

/* Do these two differ by little, and in the way of slips and imitations rather than of honest siblings (one letter more in front, another short
 * word, a plural, a number)? `target` is the one that is imitated; `most`: one edit or two, of
 * which two are asked for only where the name is long. */
bool skeleton_is_near(const struct skeleton *name, const struct skeleton *target, int most);
/* By their masks alone: false where it is out of the question. */
static inline bool skeleton_may_be_near(uint64_t mask, uint64_t other, int most)
{
	return __builtin_popcountll(mask ^ other) <= 2 * most;
}

/* Edits between two texts of at most SKELETON_BYTES (Damerau-Levenshtein in its restricted form, where neighbours change places as one edit);
 * 3 when there are more than two. */
unsigned skeleton_edits(struct str a, struct str b);

#endif
