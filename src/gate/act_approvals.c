/* Somebody else's signed approvals: shown, taken in; and this gate's own, given out. */
#include "base/limits.h"
#include "codec/minisign.h"
#include "gate/approval_list.h"
#include "gate/form.h"
#include "gate/people_call.h"

static int write_each(void *arg, const struct imported_approval *i)
{
	struct people_call *c = arg;
	char ends[TIME_TEXT];

	time_format_utc(i->ends, ends);
	jw_object(&c->json);
	jw_member_str(&c->json, "list", i->list);
	jw_member_str(&c->json, "signer", i->signer);
	jw_member_str(&c->json, "package", package_text(c->arena, i->ecosystem, i->name, i->version));
	jw_member_str(&c->json, "reason", i->reason);
	jw_member_str(&c->json, "owner", i->owner);
	jw_member_str(&c->json, "ends", str_of(ends));
	jw_member_bool(&c->json, "ended", i->ends <= c->now);
	jw_object_end(&c->json);
	return c->out->error;
}

void act_approvals(struct people_call *c)
{
	struct err err = {0};
	int r;

	jw_object(&c->json);
	jw_key(&c->json, STR("approvals"));
	jw_array(&c->json);
	r = store_approvals(c->store, write_each, c, &err);
	jw_array_end(&c->json);
	jw_object_end(&c->json);
	if (r < 0)
		call_failed(c, r, &err);
}

void act_approvals_export(struct people_call *c)
{
	struct str name = str_starts(c->query, STR("name=")) ? plain_text(c->arena, str_skip(c->query, 5), 64) : STR("approvals");
	struct err err = {0};
	size_t count;
	int r = approval_list_write(name, c->rules->policy, c->store, c->now, c->out, &count, &err);

	if (r < 0)
		call_failed(c, r, &err);
}

/* The keys of the policy; one that cannot be read counts as none, so nothing is taken that should not be. */
static size_t import_keys(const struct policy *p, struct minisign_public keys[static 8])
{
	const struct policy_trust *trust = policy_trust(p);
	size_t n = 0;

	for (size_t i = 0; i < trust->import_key_count && n < 8; i++)
		if (minisign_public_parse(trust->import_keys[i], &keys[n], NULL) == 0)
			n++;
	return n;
}

static int verify(struct people_call *c, struct str list, struct str signature, char signer[static MINISIGN_ID_TEXT], struct err *err)
{
	struct minisign_public keys[8];
	struct minisign_verified verified;
	size_t n = import_keys(c->rules->policy, keys);
	int r;

	if (n == 0)
		return err_set(err, -EACCES, "the policy names no key whose lists may be imported: add it under approvals.import-keys");
	r = minisign_verify(keys, n, signature, list, &verified, err);
	if (r == 0)
		minisign_id_text(keys[verified.key].id, signer);
	return r;
}

/* One list may not be taken over by another signer: who signed `acme` first goes on signing it until the list is gone. */
struct signed_by {
	struct str list, signer;
	bool other;
};

static int look_at_signer(void *arg, const struct imported_approval *i)
{
	struct signed_by *s = arg;

	if (str_eq(i->list, s->list) && !str_eq(i->signer, s->signer))
		s->other = true;
	return 0;
}

static int replace(struct people_call *c, struct approval_list *list, struct str signer, struct err *err)
{
	struct signed_by by = {list->name, signer, false};
	struct evidence record =
		call_record(c, EVIDENCE_ADMIN, STR("approvals imported"),
	                arena_printf(c->arena, "%zu of the list %.*s, signed by %.*s", list->count, STR_ARG(list->name), STR_ARG(signer)));
	int r = store_approvals(c->store, look_at_signer, &by, err);

	if (r == 0 && by.other)
		return err_set(err, -EEXIST,
		               "the list %.*s was signed by another key so far: import an empty list by that key first, or use another name",
		               STR_ARG(list->name));
	for (size_t i = 0; i < list->count; i++)
		list->array[i].signer = signer;
	return r < 0 ? r : store_approvals_replace(c->store, list->name, list->array, list->count, &record, err);
}

void act_approvals_import(struct people_call *c)
{
	struct approval_list list = {0};
	char signer[MINISIGN_ID_TEXT] = "";
	struct err err = {0};
	struct form f;
	int r = form_parse(c->body, "list signature", c->arena, &f, &err);

	if (r == 0 && (!form_get(&f, "list").n || !form_get(&f, "signature").n))
		r = err_set(&err, -EINVAL, "a list and its signature are needed");
	/* Nothing of the list is read before its signature holds. */
	if (r == 0)
		r = verify(c, form_get(&f, "list"), form_get(&f, "signature"), signer, &err);
	if (r == 0)
		r = approval_list_parse(form_get(&f, "list"), c->now, c->arena, &list, &err);
	if (r == 0)
		r = replace(c, &list, str_of(signer), &err);
	if (r == -EACCES || r == -ENOKEY || r == -EKEYREJECTED)
		call_refuse(c, 403, "%s", err.text);
	else if (r == -EBADMSG)
		call_refuse(c, 400, "%s", err.text);
	else if (r < 0)
		call_failed(c, r, &err);
	if (r < 0)
		return;
	jw_object(&c->json);
	jw_member_str(&c->json, "list", list.name);
	jw_member_str(&c->json, "signer", str_of(signer));
	jw_member_int(&c->json, "approvals", (int64_t)list.count);
	jw_member_int(&c->json, "ended", (int64_t)list.ended);
	jw_member_str(&c->json, "message",
	              arena_printf(c->arena, "%zu approvals of %.*s are in force%s", list.count, STR_ARG(list.name),
	                           list.ended ? "; those that have ended are left out" : ""));
	jw_object_end(&c->json);
}
