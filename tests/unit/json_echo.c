/* The side of the oracle that speaks C. From standard input: a length as eight hexadecimal digits, a document of that
 * many bytes, and so on. For each, to standard output: one letter (A accepted, D accepted with duplicate keys, L a limit,
 * R refused), a length in the same form, and the document as read and written again, or why not. */
#include <stdio.h>

#include "json_rewrite.h"

static void answer(char letter, struct str text)
{
	printf("%c%08zx", letter, text.n);
	fwrite(text.p, 1, text.n, stdout);
}

static int one_document(struct str text)
{
	CLEANUP_BUF struct buf out = BUF(256 * MIB);
	struct err skip_err = {0}, err = {0};
	bool duplicates;
	int skipped = skip_all(text, &skip_err), r = rewrite(text, &out, &duplicates, &err);

	if (skipped != r) {
		fprintf(stderr, "json_skip says %d (%s), the pull functions %d (%s)\n", skipped, skip_err.text, r, err.text);
		return 1;
	}
	if (r < 0)
		answer(r == -EFBIG ? 'L' : 'R', str_of(err.text));
	else
		answer(duplicates ? 'D' : 'A', buf_str(&out));
	return 0;
}

int main(void)
{
	unsigned n;

	while (scanf("%8x", &n) == 1) {
		/* Of the exact size, so that the sanitizer sees a read past the end. */
		CLEANUP_FREE char *document = malloc(n ? n : 1);

		if (!document || fread(document, 1, n, stdin) != n) {
			fprintf(stderr, "the document is cut off\n");
			return 1;
		}
		if (one_document((struct str){document, n}))
			return 1;
	}
	return 0;
}
