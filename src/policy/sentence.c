#include "policy/sentence.h"

#include <time.h>

enum { SENTENCE_BYTES = 200, LIMIT_DETAIL = 120 };

void sentence_ascii(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		/* One mark for a whole character of several bytes. */
		if (c >= 0x80 && c < 0xc0)
			continue;
		buf_add_char(out, c >= ' ' && c < 0x7f ? (char)c : '?');
	}
}

void sentence_time(struct buf *out, usec time)
{
	time_t seconds = (time_t)((time + USEC_MINUTE - 1) / USEC_MINUTE * 60);
	struct tm tm;
	char text[24];

	if (time < USEC_NEVER - USEC_DAY && gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm))
		buf_printf(out, "%s UTC", text);
	else
		buf_add_str(out, STR("never"));
}

/* "cleared 2026-04-07 00:21 UTC", or that only a person ends it. */
static void add_end(struct buf *out, const struct reason *reason)
{
	if (reason->until == USEC_NEVER) {
		buf_add_str(out, STR("held until a person decides"));
	} else {
		buf_add_str(out, STR("cleared "));
		sentence_time(out, reason->until);
	}
}

static void add_name(struct buf *out, struct str name, size_t most)
{
	sentence_ascii(out, str_take(name, most));
	if (name.n > most)
		buf_add_str(out, STR("..."));
}

static void cooldown_rule(struct buf *out, const struct reason *reason, usec now)
{
	char wait[TIME_TEXT], age[TIME_TEXT];
	usec from = reason->until - reason->wait;

	duration_format(reason->wait, wait);
	duration_format_rough(now > from ? now - from : 0, age);
	if (reason->about == ABOUT_PACKAGE)
		buf_printf(out, "is of a package that is %s old; this gate waits %s for new packages (cooldown)", age, wait);
	else if (reason->about == ABOUT_FIX)
		buf_printf(out, "is a security fix, published %s ago; this gate waits %s for fixes (cooldown)", age, wait);
	else if (now > from)
		buf_printf(out, "was published %s ago; this gate waits %s (cooldown)", age, wait);
	else
		buf_printf(out, "was published just now; this gate waits %s (cooldown)", wait);
	buf_add_str(out, STR(": "));
	add_end(out, reason);
}

static void held_rule(struct buf *out, const struct version_facts *facts, const struct reason *reason)
{
	buf_add_str(out, STR("needs exactly "));
	add_name(out, facts->held_dependency, 60);
	buf_add_str(out, STR(", which is not cleared (dependency-held): "));
	if (reason->until == USEC_NEVER)
		buf_add_str(out, STR("until a person decides"));
	else
		add_end(out, reason);
}

/* What it gained; the wait stands in `explain`, the end says enough here. */
static void gain_rule(struct buf *out, const struct version_facts *facts, const struct reason *reason)
{
	const struct trust_facts *t = &facts->trust;

	if (reason->code == REASON_INSTALL_SCRIPT) {
		buf_add_str(out, STR("gained code that runs on install: "));
		add_name(out, t->install_script, 40);
	} else if (reason->code == REASON_NEW_BINARY) {
		buf_add_str(out, STR("gained a command or native code: "));
		add_name(out, t->binary, 40);
	} else if (reason->code == REASON_REMOTE_DEPENDENCY) {
		buf_add_str(out, STR("gained a dependency on an address: "));
		add_name(out, t->remote_dependency, 50);
	} else if (reason->about == ABOUT_PACKAGE) {
		buf_add_str(out, STR("is of a package that is new and not known here, needed by "));
		add_name(out, facts->reached_from, 40);
	} else {
		buf_add_str(out, STR("gained a dependency that is young or not known here: "));
		add_name(out, t->dependency, 40);
	}
	buf_printf(out, " (%s): ", reason_code_name(reason->code));
	add_end(out, reason);
}

static void publisher_rule(struct buf *out, const struct version_facts *facts, const struct reason *reason)
{
	/* The evidence is a sentence of its own, as long as it has to be: its beginning tells most. */
	buf_add_str(out, STR("changed hands: "));
	add_name(out, facts->trust.continuity, 80);
	buf_add_str(out, STR(" (publisher-changed): "));
	add_end(out, reason);
}

static void signature_rule(struct buf *out, const struct version_facts *facts)
{
	if (facts->trust.signature == SIGNATURE_ABSENT)
		buf_add_str(out, STR("has no signature, which this gate asks for (signature-invalid): do not install it"));
	else if (facts->trust.signature == SIGNATURE_UNKNOWN)
		buf_add_str(out, STR("has a signature that could not be checked (signature-invalid): held until a person decides"));
	else
		buf_add_str(out, STR("has a signature that does not fit (signature-invalid): do not install it"));
}

static void exempt_rule(struct buf *out, const struct reason *reason)
{
	buf_printf(out, "is exempt from %s until ", reason_code_name(reason->lifted));
	sentence_time(out, reason->until);
}

void sentence_rule(struct buf *out, const struct version_facts *facts, const struct reason *reason, usec now)
{
	/* Rules whose words never change; the rest have functions. */
	static const char *const fixed[REASON_CODE_COUNT] = {
		[REASON_DENIED] = "is on this gate's deny list (denied)",
		[REASON_NAMESPACE] = "is an internal name that no registry here serves (namespace): asked for nowhere else",
		[REASON_HASH_CHANGED] = "came with another hash than before (hash-changed): do not install it",
		[REASON_MANIFEST_MISMATCH] = "holds something else than its metadata says (manifest-mismatch): do not install it",
		[REASON_UNKNOWN] = "is not in its registry (unknown)",
		[REASON_UNVERIFIABLE] = "has no hash to check its bytes against (unverifiable): held until a person decides",
	};

	switch (reason->code) {
	case REASON_COOLDOWN:
		cooldown_rule(out, reason, now);
		break;
	case REASON_DEPENDENCY_HELD:
		held_rule(out, facts, reason);
		break;
	case REASON_EXEMPT:
		exempt_rule(out, reason);
		break;
	case REASON_NOT_APPROVED:
		if (facts->reach_pending)
			buf_add_str(out, STR("is no approved root; whether one needs it is still being found out (not-approved): held until then"));
		else if (facts->trust.unproven.n)
			buf_add_str(out, STR("names an approved source, which was not verified (not-approved): held until a person decides"));
		else
			buf_add_str(out, STR("is not an approved root and no approved root needs it (not-approved): held until a person decides"));
		break;
	case REASON_PUBLISHER_CHANGED:
		publisher_rule(out, facts, reason);
		break;
	case REASON_INSTALL_SCRIPT:
	case REASON_NEW_BINARY:
	case REASON_REMOTE_DEPENDENCY:
	case REASON_NEW_DEPENDENCY:
		gain_rule(out, facts, reason);
		break;
	case REASON_LOOK_ALIKE:
		buf_add_str(out, STR("has a name that resembles "));
		add_name(out, facts->resembles, 60);
		buf_add_str(out, STR(" (look-alike): held until a person decides"));
		break;
	case REASON_SIGNATURE_INVALID:
		signature_rule(out, facts);
		break;
	case REASON_MALWARE:
	case REASON_VULNERABLE:
		buf_add_str(out, reason->code == REASON_MALWARE ? STR("is known malware (malware") : STR("has a known vulnerability (vulnerable"));
		if (reason->source.n) {
			buf_add_str(out, STR(", "));
			sentence_ascii(out, str_take(reason->source, 40));
		}
		buf_add_str(out, reason->code == REASON_MALWARE ? STR("): do not install it") : STR("): use a fixed version"));
		break;
	case REASON_WITHDRAWN:
		if (facts->withdrawal == WITHDRAWN_PLACEHOLDER)
			buf_add_str(out, STR("is of a package that its registry replaced for security (withdrawn): held until a person decides"));
		else if (facts->withdrawal == WITHDRAWN_OLD)
			buf_add_str(out, STR("is gone from its registry (withdrawn); this gate still has it"));
		else
			buf_add_str(out, STR("vanished from its registry soon after publication (withdrawn): held until a person decides"));
		break;
	default:
		buf_add_str(out, str_of(fixed[reason->code]));
		break;
	}
}

struct str sentence_detail(const struct version_facts *facts, const struct reason *reason)
{
	if (reason->code == REASON_NOT_APPROVED && !facts->reach_pending)
		return str_take(facts->trust.unproven, LIMIT_DETAIL);
	return reason->code == REASON_MANIFEST_MISMATCH ? str_take(facts->mismatch, LIMIT_DETAIL) : STR_NULL;
}

/* The reason that decides: a denial, else the hold that ends last. */
static const struct reason *deciding(const struct decision *d)
{
	const struct reason *best = NULL;

	for (size_t i = 0; i < d->reason_count; i++) {
		const struct reason *r = &d->reasons[i];

		if (r->mode != MODE_ENFORCE || r->verdict != d->verdict || r->code == REASON_EXEMPT)
			continue;
		if (!best || (r->verdict == VERDICT_HOLD && r->until > best->until))
			best = r;
	}
	return best;
}

static void add_package(struct buf *out, const struct version_facts *facts)
{
	sentence_ascii(out, facts->name);
	if (facts->version.n)
		buf_add_char(out, '@');
	sentence_ascii(out, facts->version);
}

/* The end tells more than the scope, so a long name loses its beginning. */
static void add_cut(struct buf *out, struct str text, size_t room)
{
	if (text.n <= room) {
		buf_add_str(out, text);
	} else if (room > 3) {
		buf_add_str(out, STR("..."));
		buf_add_str(out, str_skip(text, text.n - (room - 3)));
	}
}

/* "axios@1.14.1 is cleared": nothing to ask. */
static struct str cleared_sentence(struct arena *a, struct str package)
{
	CLEANUP_BUF struct buf out = BUF(SENTENCE_BYTES);
	static const char cleared[] = " is cleared";

	add_cut(&out, package, SENTENCE_BYTES - sizeof(cleared));
	buf_add_str(&out, str_of(cleared));
	return arena_str(a, buf_str(&out));
}

struct str decision_sentence(struct arena *a, const struct version_facts *facts, const struct decision *d, usec now)
{
	CLEANUP_BUF struct buf package = BUF(2048), rule = BUF(512), out = BUF(SENTENCE_BYTES);
	const struct reason *reason = deciding(d);
	struct str detail;
	const char *ask = decision_may_be_requested(d) ? ". Ask: bondgate request " : ". Ask: bondgate explain ";
	const size_t prefix = sizeof("npm:") - 1, fixed = strlen(ask) + 1;
	const char *ecosystem = ecosystem_name(facts->ecosystem);
	size_t used, room;

	add_package(&package, facts);
	if (!reason)
		return cleared_sentence(a, buf_str(&package));
	detail = sentence_detail(facts, reason);
	sentence_rule(&rule, facts, reason, now);
	used = rule.n + fixed;
	room = SENTENCE_BYTES > used ? SENTENCE_BYTES - used : 0;
	/* Twice whole; else the name in front is cut; else both, and the command is left without its argument. */
	if (2 * package.n + prefix + 2 <= room) {
		add_cut(&out, buf_str(&package), package.n);
		room -= 2 * package.n + prefix + 2;
	} else {
		bool command = package.n + prefix + 2 + 16 <= room;

		add_cut(&out, buf_str(&package), command ? room - package.n - prefix - 2 : room);
		if (!command)
			buf_clear(&package);
		room = 0;
	}
	buf_add_char(&out, ' ');
	buf_add_str(&out, buf_str(&rule));
	if (detail.n && detail.n + 2 <= room) {
		buf_add_str(&out, STR(": "));
		sentence_ascii(&out, detail);
	}
	if (package.n)
		buf_printf(&out, "%s%s:%.*s", ask, ecosystem, STR_ARG(buf_str(&package)));
	else
		buf_add_str(&out, str_take(str_of(ask), strlen(ask) - 1));
	return arena_str(a, buf_str(&out));
}
