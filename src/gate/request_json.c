#include "gate/request_json.h"

#include "gate/people_call.h"

static void member(struct json_writer *w, const char *key, struct str value)
{
	jw_key(w, str_of(key));
	if (value.n)
		jw_str(w, value);
	else
		jw_null(w);
}

static void member_time(struct json_writer *w, const char *key, usec time)
{
	char text[TIME_TEXT];

	if (time)
		time_format_utc(time, text);
	member(w, key, time ? str_of(text) : STR_NULL);
}

static void write_rules(struct json_writer *w, struct str rules)
{
	struct str word;

	jw_key(w, STR("rules"));
	jw_array(w);
	while (str_split(&rules, ' ', &word))
		if (word.n)
			jw_str(w, word);
	jw_array_end(w);
}

void request_write(struct json_writer *w, const struct request *r, bool needs_second, usec now, struct arena *a, struct str message)
{
	bool waits = r->state == REQUEST_OPEN || r->state == REQUEST_HALF;
	char lasts[TIME_TEXT];

	duration_format(r->lasts, lasts);
	jw_object(w);
	jw_member_int(w, "id", r->id);
	jw_member_str(w, "kind", r->break_glass ? STR("break-glass") : STR("request"));
	jw_member_str(w, "package", package_text(a, r->ecosystem, r->name, r->version));
	write_rules(w, r->rules);
	member(w, "severity", r->severity);
	member(w, "reason", r->reason);
	member(w, "person", r->person);
	member(w, "team", r->team);
	jw_member_bool(w, "break_glass", r->break_glass);
	jw_member_str(w, "state", str_of(r->state == REQUEST_APPROVED && r->expires <= now ? "ended" : request_state_name(r->state)));
	jw_member_int(w, "approvals_needed", !waits ? 0 : needs_second && r->state == REQUEST_OPEN ? 2 : 1);
	member_time(w, "created", r->created);
	jw_member_str(w, "lasts", str_of(lasts));
	member(w, "refusal", r->refusal);
	member(w, "first_approver", r->first_approver);
	member(w, "decided_by", r->decided_by);
	member_time(w, "decided", r->decided);
	member(w, "note", r->note);
	member_time(w, "expires", r->expires);
	if (message.n)
		jw_member_str(w, "message", message);
	jw_object_end(w);
}
