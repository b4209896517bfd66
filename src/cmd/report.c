/* bondgate report: one page for those who answer for the policy: what it did, what it would do, and what waits for a person. */
#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/open.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/report_page.h"
#include "cmd/state.h"
#include "store/people.h"

#define SOON (14 * USEC_DAY)

struct report {
	struct open_options options;
	usec since, now;
	struct page page;
	struct policy *policy;
	struct page_section *would_rules, *would_packages, *refused_rules, *refused_packages, *projects, *incidents, *reviews, *exemptions,
		*requests, *break_glass;
	size_t receipts, refusals, would, exempted, whole, without_facts;
	usec first, last;
};

/* ---- the evidence ---- */

static struct str last_word(struct str words)
{
	ptrdiff_t blank = str_rchr(words, ' ');

	return blank < 0 ? words : str_skip(words, (size_t)blank + 1);
}

static struct str day_of(struct report *r, usec time)
{
	char when[TIME_TEXT];

	time_format_utc(time, when);
	return arena_str(r->page.arena, (struct str){when, 10});
}

static void count_receipt(struct report *r, const struct evidence *e, struct str package)
{
	struct str rule = last_word(e->decision);

	r->receipts++;
	if (str_starts(e->decision, STR("report "))) {
		r->would++;
		page_row(&r->page, r->would_rules, &rule, 1);
		page_row(&r->page, r->would_packages, (struct str[]){package, rule, e->project}, 3);
	} else if (str_starts(e->decision, STR("allow exempt"))) {
		r->exempted++;
	}
}

static void count_refusal(struct report *r, const struct evidence *e, struct str package)
{
	struct str rule = last_word(e->decision);

	r->refusals++;
	r->whole += e->version.n == 0;
	page_row(&r->page, r->refused_rules, &rule, 1);
	page_row(&r->page, r->refused_packages, (struct str[]){package, rule}, 2);
	page_row(&r->page, r->projects, (struct str[]){e->project.n ? e->project : e->identity, e->client, rule}, 3);
}

static int look(void *arg, const struct evidence *e)
{
	struct report *r = arg;
	CLEANUP_ARENA struct arena *scratch = arena_new(MIB);
	struct str package;

	if (!scratch)
		return -ENOMEM;
	package = e->name.n ? arena_printf(scratch, "%s:%.*s%s%.*s", ecosystem_name(e->ecosystem), STR_ARG(e->name), e->version.n ? "@" : "",
	                                   STR_ARG(e->version))
	                    : STR("");
	if (!r->first)
		r->first = e->time;
	r->last = e->time;
	if (e->kind == EVIDENCE_RECEIPT)
		count_receipt(r, e, package);
	else if (e->kind == EVIDENCE_REFUSAL)
		count_refusal(r, e, package);
	else if (e->kind == EVIDENCE_INCIDENT)
		page_row(&r->page, r->incidents, (struct str[]){day_of(r, e->time), package, e->decision, e->detail}, 4);
	r->without_facts += (e->kind == EVIDENCE_RECEIPT || e->kind == EVIDENCE_REFUSAL) && e->version.n && !e->facts.n;
	return arena_failed(r->page.arena) ? -ENOMEM : 0;
}

/* ---- the policy ---- */

static struct str source_of(struct report *r, const struct policy_source *s)
{
	return s->line ? arena_printf(r->page.arena, "%.*s:%u", STR_ARG(s->file), s->line) : s->file;
}

/* A day that a policy names ends where the next one begins: the last moment is shown, as it was written. */
static void review(struct report *r, struct str what, struct str owner, usec by, const struct policy_source *source)
{
	if (by <= 0 || by == USEC_NEVER || by > r->now + SOON)
		return;
	page_row(&r->page, r->reviews,
	         (struct str[]){by <= r->now ? STR("overdue") : STR("soon"), day_of(r, by - 1), what, owner, source_of(r, source)}, 5);
}

static struct str package_text(struct report *r, const struct purl *p)
{
	return arena_printf(r->page.arena, "%s:%.*s%s%.*s", ecosystem_name(p->ecosystem), STR_ARG(p->name), p->version.n ? "@" : "",
	                    STR_ARG(p->version));
}

static void ending(struct report *r, struct str what, struct str owner, struct str reason, usec expires, struct str source)
{
	if (expires > r->now + SOON || (expires <= r->now && expires < r->since))
		return;
	page_row(&r->page, r->exemptions,
	         (struct str[]){expires <= r->now ? STR("ended") : STR("ends"), day_of(r, expires - 1), what, owner, reason, source}, 6);
}

static void look_at_policy(struct report *r)
{
	const struct approved_publisher *publishers;
	const struct exemption *exemptions;
	const struct approval *approvals;

	for (size_t i = 0, n = policy_approvals(r->policy, &approvals); i < n; i++)
		review(r, package_text(r, &approvals[i].package), approvals[i].owner, approvals[i].review_by, &approvals[i].source);
	for (size_t i = 0, n = policy_publishers(r->policy, &publishers); i < n; i++)
		review(r, publishers[i].set.n ? publishers[i].set : publishers[i].name, publishers[i].owner, publishers[i].review_by,
		       &publishers[i].source);
	for (size_t i = 0, n = policy_exemptions(r->policy, &exemptions); i < n; i++)
		ending(r, package_text(r, &exemptions[i].package), exemptions[i].owner, exemptions[i].reason, exemptions[i].expires,
		       source_of(r, &exemptions[i].source));
}

/* ---- people ---- */

static int look_at_request(void *arg, const struct request *q)
{
	struct report *r = arg;
	struct str package = arena_printf(r->page.arena, "%s:%.*s@%.*s", ecosystem_name(q->ecosystem), STR_ARG(q->name), STR_ARG(q->version));
	struct str number = arena_printf(r->page.arena, "%lld", (long long)q->id);

	if (q->break_glass && q->created >= r->since)
		page_row(&r->page, r->break_glass, (struct str[]){day_of(r, q->created), package, q->person, q->reason}, 4);
	if (q->state == REQUEST_OPEN || q->state == REQUEST_HALF)
		page_row(&r->page, r->requests,
		         (struct str[]){number, day_of(r, q->created), package, q->person, q->reason, str_of(request_state_name(q->state))}, 6);
	if (q->state == REQUEST_APPROVED && !q->break_glass && q->expires)
		ending(r, package, q->person, q->reason, q->expires, arena_printf(r->page.arena, "request %lld", (long long)q->id));
	return arena_failed(r->page.arena) ? -ENOMEM : 0;
}

/* ---- the page ---- */

static struct page_section *counted(struct report *r, const char *key, const char *title, const char *nothing, size_t most)
{
	struct page_section *s = page_section(&r->page, key, title, nothing);

	s->counted = true;
	s->most = most;
	return s;
}

#define COLUMNS(section, ...) \
	do { \
		const char *const names_[] = {__VA_ARGS__}; \
		memcpy((section)->columns, names_, sizeof(names_)); \
	} while (0)

static void lay_out(struct report *r)
{
	r->would_rules =
		counted(r, "would_refuse_rules", "What `enforce` would have refused, by rule", "nothing: no rule in mode report spoke", 0);
	COLUMNS(r->would_rules, "rule", "count");
	r->would_packages = counted(r, "would_refuse", "… and the packages", "none", 15);
	COLUMNS(r->would_packages, "package", "rule", "project", "count");
	r->refused_rules = counted(r, "refused_rules", "What was refused, by rule", "nothing was refused", 0);
	COLUMNS(r->refused_rules, "rule", "count");
	r->refused_packages = counted(r, "refused", "… and the packages", "none", 15);
	COLUMNS(r->refused_packages, "package", "rule", "count");
	r->projects = counted(r, "refused_projects", "Refusals by project", "none", 15);
	COLUMNS(r->projects, "project", "client", "rule", "count");
	r->reviews = page_section(&r->page, "reviews", "Reviews that are overdue or due within 14 days", "none");
	COLUMNS(r->reviews, "state", "review-by", "what", "owner", "source");
	r->exemptions = page_section(&r->page, "exemptions", "Exemptions that ended, or end within 14 days", "none");
	COLUMNS(r->exemptions, "state", "expires", "package", "owner", "reason", "source");
	r->requests = page_section(&r->page, "requests", "Requests that wait for a decision", "none");
	COLUMNS(r->requests, "id", "since", "package", "person", "reason", "state");
	r->break_glass = page_section(&r->page, "break_glass", "Break-glass", "never used");
	COLUMNS(r->break_glass, "day", "package", "person", "reason");
	r->incidents = page_section(&r->page, "incidents", "Incidents", "none");
	r->incidents->most = 20;
	COLUMNS(r->incidents, "day", "package", "what", "detail");
}

static void add_headlines(struct report *r)
{
	struct arena *a = r->page.arena;

	if (!r->first) {
		page_headline(&r->page, STR("nothing was recorded in this time: no client has asked, or --since is too short"));
		return;
	}
	page_headline(&r->page, arena_printf(a, "%zu artifacts handed out, %zu refusals; recorded from %.*s to %.*s", r->receipts, r->refusals,
	                                     STR_ARG(day_of(r, r->first)), STR_ARG(day_of(r, r->last))));
	page_headline(&r->page,
	              arena_printf(a, "%zu of those handed out would have been refused if every rule in mode report were enforced", r->would));
	page_headline(&r->page, arena_printf(a, "%zu were handed out because of an exemption", r->exempted));
	if (r->whole)
		page_headline(&r->page, arena_printf(a, "%zu refusals were of whole packages, which are not judged by version", r->whole));
	if (r->without_facts)
		page_headline(&r->page, arena_printf(a, "%zu records were made without what they were decided on: simulate cannot judge them",
		                                     r->without_facts));
}

static int make_page(struct report *r, struct err *err)
{
	const struct evidence_filter filter = {.kind = -1, .ecosystem = -1, .since = r->since, .with_facts = true};
	struct advisories *advisories = NULL;
	CLEANUP_BUF struct buf dir = BUF(4096);
	struct store *s;
	int result = state_open(r->options.state, STORE_READ, &s, err);

	if (result < 0)
		return result;
	lay_out(r);
	r->page.since = day_of(r, r->since);
	r->page.until = day_of(r, r->now);
	result = state_dir(r->options.state, &dir, err);
	if (result == 0)
		result = load_rules(r->options.policy, buf_cstr(&dir), r->page.arena, &r->policy, &advisories, NULL, NULL, err);
	advisories_unref(advisories);
	if (result == 0)
		result = store_evidence(s, &filter, look, r, err);
	if (result == 0) {
		look_at_policy(r);
		result = store_requests(s, false, look_at_request, r, err);
	}
	store_close(s);
	if (result == -ENOMEM || (result == 0 && arena_failed(r->page.arena)))
		return err_set(err, -ENOMEM, "no memory: more to report than can be held; take a shorter --since");
	add_headlines(r);
	return result;
}

int cmd_report(int argc, char **argv)
{
	struct report r = {.now = time_now()};
	const char *since = "30d";
	bool json = false, markdown = false, done;
	const struct option_row rows[] = {
		{.name = "since", .argument = "WHEN", .help = "from then on: a duration (30d) or a time (2026-01-31)", .value = &since},
		{.name = "markdown", .help = "for a wiki, a mail or an issue", .flag = &markdown},
		{.name = "json", .help = "machine-readable", .flag = &json},
		{.name = "policy", .argument = "FILE", .help = "the policy (default $BONDGATE_POLICY)", .value = &r.options.policy},
		{.name = "state", .argument = "DIR", .help = "where state is kept (default $BONDGATE_STATE)", .value = &r.options.state},
	};
	const struct command_usage usage = {
		"report [--since WHEN] [--markdown | --json] [OPTIONS]",
		"One page: what was refused, what rules in mode report would have refused, reviews that are overdue, exemptions about\n"
		"to end, requests that wait, break-glass and incidents.",
		rows, sizeof(rows) / sizeof(rows[0])};
	CLEANUP_ARENA struct arena *a = arena_new(512 * MIB);
	struct err err = {0};
	int words, code;

	code = options_read(&usage, argc, argv, &words, &done);
	if (code || done)
		return code;
	if (words || (json && markdown))
		return usage_error(&usage, words ? "report takes options only" : "--json or --markdown, not both");
	if (moment_parse(str_of(since), r.now, &r.since, &err) < 0)
		return usage_error(&usage, "%s", err.text);
	log_set_level(LOG_ERROR);
	r.page.arena = a;
	code = a ? make_page(&r, &err) : err_set(&err, -ENOMEM, "no memory");
	if (code == 0)
		page_print(&r.page, json ? PAGE_JSON : markdown ? PAGE_MARKDOWN : PAGE_TERMINAL);
	else
		fprintf(stderr, "bondgate: %s\n", err.text);
	page_free(&r.page);
	policy_unref(r.policy);
	return code < 0 ? EXIT_CANNOT : EXIT_NOTHING;
}
