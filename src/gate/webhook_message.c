#include "gate/webhook_message.h"

#include "base/limits.h"
#include "codec/json.h"

enum { DETAIL_MOST = 1500 };

unsigned webhook_event_of(const struct evidence *e)
{
	switch (e->kind) {
	case EVIDENCE_REQUEST:
		return WEBHOOK_REQUEST;
	case EVIDENCE_DECISION:
		return WEBHOOK_DECISION;
	case EVIDENCE_INCIDENT:
		return WEBHOOK_INCIDENT;
	case EVIDENCE_BREAK_GLASS:
		return WEBHOOK_BREAK_GLASS;
	default:
		return 0;
	}
}

static const char *title_of(const struct evidence *e)
{
	switch (e->kind) {
	case EVIDENCE_REQUEST:
		return "Bondgate: an exception is asked for";
	case EVIDENCE_DECISION:
		return "Bondgate: a request is decided";
	case EVIDENCE_INCIDENT:
		return "Bondgate: INCIDENT";
	case EVIDENCE_BREAK_GLASS:
		return "Bondgate: BREAK-GLASS";
	default:
		return "Bondgate";
	}
}

static void add_package(struct buf *out, const struct evidence *e)
{
	if (e->name.n)
		buf_printf(out, "%s:%.*s%s%.*s", ecosystem_name(e->ecosystem), STR_ARG(e->name), e->version.n ? "@" : "", STR_ARG(e->version));
}

/* Slack's three letters of markup; mentions and links need them. */
static void add_slack(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '&':
			buf_add_str(out, STR("&amp;"));
			break;
		case '<':
			buf_add_str(out, STR("&lt;"));
			break;
		case '>':
			buf_add_str(out, STR("&gt;"));
			break;
		default:
			buf_add_char(out, text.p[i]);
		}
	}
}

/* Links and images of Markdown need brackets. */
static void add_teams(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		buf_add_char(out, text.p[i] == '[' ? '(' : text.p[i] == ']' ? ')' : text.p[i]);
}

/* "npm:axios@1.14.1: request 7, by kim: to lift cooldown (low): …" */
static void add_line(struct buf *out, const struct evidence *e)
{
	struct str detail = str_take(e->detail, DETAIL_MOST);

	add_package(out, e);
	if (e->name.n)
		buf_add_str(out, STR(": "));
	buf_add_str(out, e->decision);
	if (e->identity.n)
		buf_printf(out, ", by %.*s", STR_ARG(e->identity));
	if (detail.n)
		buf_printf(out, ": %.*s", STR_ARG(detail));
}

static void member(struct json_writer *w, const char *key, struct str value)
{
	jw_key(w, str_of(key));
	if (value.n)
		jw_str(w, value);
	else
		jw_null(w);
}

static void generic(struct json_writer *w, const struct evidence *e, struct str gate, struct str line)
{
	CLEANUP_BUF struct buf package = BUF(4 * KIB);
	char when[TIME_TEXT];

	time_format_utc(e->time, when);
	add_package(&package, e);
	jw_object(w);
	jw_member_str(w, "event", str_of(evidence_kind_name(e->kind)));
	jw_member_str(w, "text", line);
	jw_member_str(w, "time", str_of(when));
	jw_member_str(w, "gate", gate);
	jw_member_int(w, "seq", e->seq);
	member(w, "package", buf_str(&package));
	member(w, "decision", e->decision);
	member(w, "person", e->identity);
	member(w, "team", e->project);
	member(w, "client", e->client);
	member(w, "detail", str_take(e->detail, DETAIL_MOST));
	jw_object_end(w);
}

static void slack(struct json_writer *w, const struct evidence *e, struct str line)
{
	CLEANUP_BUF struct buf text = BUF(32 * KIB);

	buf_printf(&text, "*%s*\n", title_of(e));
	add_slack(&text, line);
	jw_object(w);
	jw_member_str(w, "text", buf_str(&text));
	jw_object_end(w);
}

static void text_block(struct json_writer *w, struct str text, const char *weight)
{
	jw_object(w);
	jw_member_str(w, "type", STR("TextBlock"));
	jw_member_str(w, "text", text);
	jw_member_bool(w, "wrap", true);
	jw_member_str(w, "weight", str_of(weight));
	jw_object_end(w);
}

/* An adaptive card in a message, as the workflows of Teams take it. */
static void teams(struct json_writer *w, const struct evidence *e, struct str line)
{
	CLEANUP_BUF struct buf text = BUF(32 * KIB);

	add_teams(&text, line);
	jw_object(w);
	jw_member_str(w, "type", STR("message"));
	jw_key(w, STR("attachments"));
	jw_array(w);
	jw_object(w);
	jw_member_str(w, "contentType", STR("application/vnd.microsoft.card.adaptive"));
	jw_key(w, STR("content"));
	jw_object(w);
	jw_member_str(w, "type", STR("AdaptiveCard"));
	jw_member_str(w, "version", STR("1.4"));
	jw_key(w, STR("body"));
	jw_array(w);
	text_block(w, str_of(title_of(e)), "Bolder");
	text_block(w, buf_str(&text), "Default");
	jw_array_end(w);
	jw_object_end(w);
	jw_object_end(w);
	jw_array_end(w);
	jw_object_end(w);
}

void webhook_message(enum webhook_format format, const struct evidence *e, struct str gate, struct buf *out)
{
	CLEANUP_BUF struct buf line = BUF(16 * KIB);
	struct json_writer w;

	add_line(&line, e);
	jw_init(&w, out);
	switch (format) {
	case WEBHOOK_GENERIC:
		generic(&w, e, gate, buf_str(&line));
		break;
	case WEBHOOK_SLACK:
		slack(&w, e, buf_str(&line));
		break;
	case WEBHOOK_TEAMS:
		teams(&w, e, buf_str(&line));
		break;
	}
}
