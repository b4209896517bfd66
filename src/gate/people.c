#include "gate/people.h"

#include "base/limits.h"

enum { TOKEN_LENGTH_MOST = 200 };

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* What "Basic" carries; what is not base64 ends it. */
static struct str decode_basic(struct arena *a, struct str text)
{
	char *out = arena_alloc(a, text.n + 1);
	uint32_t bits = 0;
	int have = 0;
	size_t n = 0;

	for (size_t i = 0; out && i < text.n; i++) {
		int digit = base64_digit(text.p[i]);

		if (digit < 0)
			break;
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (char)(bits >> have);
		}
	}
	return (struct str){out, out ? n : 0};
}

struct str people_token_in(struct arena *a, struct str authorization)
{
	struct str secret = STR_NULL;

	if (authorization.n > 16 * KIB)
		return STR_NULL;
	if (str_starts_nocase(authorization, STR("bearer "))) {
		secret = str_trim(str_skip(authorization, 7));
	} else if (str_starts_nocase(authorization, STR("basic "))) {
		ptrdiff_t colon;

		secret = decode_basic(a, str_trim(str_skip(authorization, 6)));
		colon = str_chr(secret, ':');
		/* Either half: npm's _auth is "name:secret", other tools put a token where the name belongs. */
		if (colon >= 0)
			secret = str_starts(secret, STR("bg_")) ? str_take(secret, (size_t)colon) : str_skip(secret, (size_t)colon + 1);
	}
	return str_starts(secret, STR("bg_")) && secret.n <= TOKEN_LENGTH_MOST ? secret : STR_NULL;
}
