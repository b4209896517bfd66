#include "codec/base64.h"
#include "policy/load.h"

enum { LIMIT_SECRET_BYTES = 16 * 1024 };

/* It will stand in a header of HTTP, where a control byte would begin another one. */
static bool usable(struct str secret)
{
	for (size_t i = 0; i < secret.n; i++)
		if ((unsigned char)secret.p[i] < ' ' || (unsigned char)secret.p[i] >= 0x7f)
			return false;
	return secret.n > 0;
}

static int secret_fetch(struct loader *l, const struct key *k, const struct yaml_node *node, struct secret *s)
{
	CLEANUP_BUF struct buf value = BUF(LIMIT_SECRET_BYTES);
	struct err err = {0};
	int r;

	if (!l->environment || !l->environment->token)
		return 0;
	r = l->environment->token(l->environment->arg, s->kind, s->name, &value, &err);
	if (r < 0 || value.error < 0)
		return yaml_error(l->err, l->file, node, "%s: %s", k->path, err.text[0] ? err.text : "the secret could not be read");
	s->value = arena_str(l->p->arena, str_trim(buf_str(&value)));
	explicit_bzero(value.p, value.n);
	if (!usable(s->value))
		return yaml_error(l->err, l->file, node, "%s: what {%.*s: %.*s} holds is empty or not one line of ASCII", k->path, STR_ARG(s->kind),
		                  STR_ARG(s->name));
	return 0;
}

int secret_read(struct loader *l, const struct key *k, const struct yaml_node *node, struct secret *ret)
{
	const struct yaml_node *source = node->kind == YAML_MAP && node->count == 1 ? node->first : NULL;

	if (node->kind == YAML_SCALAR)
		return yaml_error(l->err, l->file, node, "%s: a secret does not belong in the policy; write {env: NAME} or {file: PATH}", k->path);
	if (!source || source->kind != YAML_SCALAR || source->text.n == 0 ||
	    (!str_eq(source->key, STR("env")) && !str_eq(source->key, STR("file"))))
		return yaml_error(l->err, l->file, node, "%s: write {env: NAME} or {file: PATH}", k->path);
	for (size_t i = 0; i < source->text.n; i++)
		if ((unsigned char)source->text.p[i] < ' ' || source->text.p[i] == 0x7f)
			return yaml_error(l->err, l->file, source, "%s: control characters do not belong in a name or path", k->path);
	ret->kind = arena_str(l->p->arena, source->key);
	ret->name = arena_str(l->p->arena, source->text);
	if (!ret->kind.p || !ret->name.p)
		return err_set(l->err, -ENOMEM, "%.*s: out of memory", STR_ARG(l->file));
	return secret_fetch(l, k, source, ret);
}

int secret_authorization(struct policy *p, const struct secret *token, const struct secret *basic, struct str *ret)
{
	struct str encoded;

	*ret = (struct str){"", 0};
	if (token->value.n) {
		*ret = arena_printf(p->arena, "Bearer %.*s", STR_ARG(token->value));
	} else if (basic && basic->value.n) {
		encoded = base64_encode(p->arena, basic->value);
		*ret = arena_printf(p->arena, "Basic %.*s", STR_ARG(encoded));
	}
	return ret->p ? 0 : -ENOMEM;
}
