#include "gate/people.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "base/map.h"
#include "store/adopted.h"

enum { HASH_BYTES = 32, BASIC_MOST = 1024, SECRET_MOST = 256, TOKENS_ARENA = 64 * 1024 * 1024, BREAK_GLASS_SEEN = 256 };

struct known_token {
	struct token token;
	_Atomic usec used; /* noted last */
};

/* Every token of the store, by the hash of its secret. A look-up tells by its duration at most something about the hash of what was sent. */
struct people {
	pthread_mutex_t making; /* held while what was decided is read and put in force: of two at once the older must not come last */
	int64_t granted;        /* the store's version of what is in force; under `making` */
	pthread_mutex_t lock;
	struct arena *arena;
	struct map by_hash;
	int64_t version;              /* of the store, that these are from; -1: none yet */
	size_t waiting;               /* requests without a decision */
	usec alone[BREAK_GLASS_SEEN]; /* when the exceptions end that somebody made alone */
	size_t alone_count;
};

struct people *people_new(void)
{
	struct people *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->making, NULL);
	p->version = p->granted = -1;
	return p;
}

void people_free(struct people *p)
{
	if (!p)
		return;
	map_free(&p->by_hash);
	arena_free(p->arena);
	pthread_mutex_destroy(&p->lock);
	pthread_mutex_destroy(&p->making);
	free(p);
}

/* ---- reading them ---- */

struct reading {
	struct arena *arena;
	struct map by_hash;
	size_t waiting, alone_count;
	usec alone[BREAK_GLASS_SEEN];
};

static int count_request(void *arg, const struct request *q)
{
	struct reading *r = arg;

	r->waiting += q->state == REQUEST_OPEN || q->state == REQUEST_HALF;
	if (q->break_glass && q->state == REQUEST_APPROVED && r->alone_count < BREAK_GLASS_SEEN)
		r->alone[r->alone_count++] = q->expires;
	return 0;
}

static int keep_token(void *arg, const struct token *t)
{
	struct reading *r = arg;
	struct known_token *k = ARENA_NEW(r->arena, struct known_token);

	if (!k || t->hash.n != HASH_BYTES)
		return k ? 0 : -ENOMEM;
	k->token = *t;
	k->token.id = arena_str(r->arena, t->id);
	k->token.person = arena_str(r->arena, t->person);
	k->token.team = arena_str(r->arena, t->team);
	k->token.hash = arena_str(r->arena, t->hash);
	atomic_init(&k->used, t->last_used);
	return arena_failed(r->arena) ? -ENOMEM : map_put(&r->by_hash, k->token.hash, k);
}

int people_refresh(struct people *p, struct store *s, struct err *err)
{
	struct reading fresh = {0};
	struct arena *old_arena;
	struct map old_map;
	int64_t version, known;
	int r = store_people_version(s, &version, err);

	if (r < 0)
		return r;
	pthread_mutex_lock(&p->lock);
	known = p->version;
	pthread_mutex_unlock(&p->lock);
	if (version == known)
		return 0;
	/* The number is read before the tokens: a change between the two is seen at the next look. */
	fresh.arena = arena_new(TOKENS_ARENA);
	r = fresh.arena ? store_tokens(s, keep_token, &fresh, err) : -ENOMEM;
	if (r == 0)
		r = store_requests(s, false, count_request, &fresh, err);
	if (r < 0) {
		map_free(&fresh.by_hash);
		arena_free(fresh.arena);
		return err && err->code ? r : err_set(err, r, "cannot read the tokens: %s", err_name(r));
	}
	pthread_mutex_lock(&p->lock);
	old_arena = p->arena;
	old_map = p->by_hash;
	p->arena = fresh.arena;
	p->by_hash = fresh.by_hash;
	p->version = version;
	p->waiting = fresh.waiting;
	p->alone_count = fresh.alone_count;
	memcpy(p->alone, fresh.alone, sizeof(p->alone));
	pthread_mutex_unlock(&p->lock);
	map_free(&old_map);
	arena_free(old_arena);
	return 0;
}

void people_metrics(struct people *p, usec now, struct buf *out)
{
	size_t waiting, alone = 0;

	pthread_mutex_lock(&p->lock);
	waiting = p->waiting;
	for (size_t i = 0; i < p->alone_count; i++)
		alone += p->alone[i] > now;
	pthread_mutex_unlock(&p->lock);
	metric_write(out, "requests_open", "gauge", "Requests for exceptions that wait for a decision", waiting);
	metric_write(out, "break_glass_active", "gauge", "Exceptions in force that one person made alone", alone);
}

/* ---- the header ---- */

static const struct str secret_prefix = {"bg_", 3};

/* The part of "name:password" that is a token: npm puts it in either place. */
static struct str secret_of_pair(struct str pair)
{
	ptrdiff_t colon = str_chr(pair, ':');

	if (colon < 0)
		return pair;
	if (str_starts(str_skip(pair, (size_t)colon + 1), secret_prefix))
		return str_skip(pair, (size_t)colon + 1);
	return str_take(pair, (size_t)colon);
}

static struct str decode_basic(struct str text, unsigned char room[static BASIC_MOST])
{
	unsigned char padded[BASIC_MOST + 4];
	size_t n = text.n, padding = 0;
	int decoded;

	while (n && text.p[n - 1] == '=')
		n--;
	if (n == 0 || n > BASIC_MOST)
		return STR_NULL;
	memcpy(padded, text.p, n);
	while ((n + padding) % 4)
		padded[n + padding++] = '=';
	decoded = EVP_DecodeBlock(room, padded, (int)(n + padding));
	return decoded > (int)padding ? (struct str){(const char *)room, (size_t)decoded - padding} : STR_NULL;
}

static struct str secret_of_header(struct str authorization, unsigned char room[static BASIC_MOST])
{
	struct str secret = STR_NULL;

	if (str_starts_nocase(authorization, STR("bearer ")))
		secret = str_trim(str_skip(authorization, 7));
	else if (str_starts_nocase(authorization, STR("basic ")))
		secret = secret_of_pair(decode_basic(str_trim(str_skip(authorization, 6)), room));
	return str_starts(secret, secret_prefix) && secret.n <= SECRET_MOST ? secret : STR_NULL;
}

static void judge(const struct token *t, usec now, struct arena *a, struct identity *ret)
{
	ret->id = arena_str(a, t->id);
	ret->person = arena_str(a, t->person);
	ret->team = arena_str(a, t->team);
	if (t->revoked) {
		ret->state = TOKEN_REVOKED;
		ret->ended = t->revoked;
	} else if (t->expires <= now) {
		ret->state = TOKEN_EXPIRED;
		ret->ended = t->expires;
	} else {
		ret->state = TOKEN_VALID;
		ret->roles = t->roles;
	}
}

void people_identify(struct gate *g, struct str authorization, usec now, struct arena *a, struct identity *ret)
{
	unsigned char room[BASIC_MOST], hash[HASH_BYTES];
	struct str secret = secret_of_header(authorization, room);
	struct known_token *k = NULL;
	bool note = false;

	*ret = (struct identity){.state = TOKEN_NONE};
	if (!secret.n)
		return;
	ret->state = TOKEN_UNKNOWN;
	if (EVP_Digest(secret.p, secret.n, hash, NULL, EVP_sha256(), NULL) == 1) {
		struct people *p = g->people;

		pthread_mutex_lock(&p->lock);
		k = map_get(&p->by_hash, (struct str){(const char *)hash, HASH_BYTES});
		if (k && CRYPTO_memcmp(k->token.hash.p, hash, HASH_BYTES) == 0) {
			judge(&k->token, now, a, ret);
			note = ret->state == TOKEN_VALID && now - atomic_load(&k->used) >= USEC_MINUTE;
			if (note)
				atomic_store(&k->used, now);
		}
		pthread_mutex_unlock(&p->lock);
	}
	OPENSSL_cleanse(room, sizeof(room));
	if (note)
		store_token_used(g->store, ret->id, now);
}

struct str people_refusal(const struct identity *who, struct arena *a)
{
	char when[TIME_TEXT];

	switch (who->state) {
	case TOKEN_UNKNOWN:
		return STR("this token is not known to this gate: ask its administrator for one (bondgate token create)");
	case TOKEN_EXPIRED:
	case TOKEN_REVOKED:
		time_format_utc(who->ended, when);
		return arena_printf(a, "the token %.*s of %.*s %s %.10s: ask the gate's administrator for another one (bondgate token create)",
		                    STR_ARG(who->id), STR_ARG(who->person), who->state == TOKEN_EXPIRED ? "expired on" : "was revoked on", when);
	case TOKEN_NONE:
	case TOKEN_VALID:
		break;
	}
	return STR_NULL;
}

bool people_team_proven(struct gate *g, struct str authorization, struct str team, usec now, struct arena *a, struct str *ret_person)
{
	struct identity who;

	people_identify(g, authorization, now, a, &who);
	if (who.state != TOKEN_VALID)
		return false;
	*ret_person = who.person;
	return team.n && str_eq(who.team, team);
}

/* ---- persons, roles, rules ---- */

bool same_person(struct str a, struct str b)
{
	const struct str local = STR("local:");

	if (str_starts_nocase(a, local))
		a = str_skip(a, local.n);
	if (str_starts_nocase(b, local))
		b = str_skip(b, local.n);
	return str_eq_nocase(str_trim(a), str_trim(b));
}

static const struct {
	struct str name;
	unsigned bit;
} roles[] = {
	{{"requester", 9}, ROLE_REQUESTER},
	{{"approver", 8}, ROLE_APPROVER},
	{{"admin", 5}, ROLE_ADMIN},
	{{"auditor", 7}, ROLE_AUDITOR},
};

/* The next word of a list with blanks or commas between. */
static bool next_word(struct str *rest, struct str *ret)
{
	size_t n = 0;

	while (rest->n && (rest->p[0] == ' ' || rest->p[0] == ','))
		*rest = str_skip(*rest, 1);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != ',')
		n++;
	*ret = str_take(*rest, n);
	*rest = str_skip(*rest, n);
	return n > 0;
}

int roles_parse(struct str text, unsigned *ret, struct err *err)
{
	unsigned bits = 0;
	struct str word;

	while (next_word(&text, &word)) {
		size_t i = 0;

		while (i < sizeof(roles) / sizeof(roles[0]) && !str_eq(roles[i].name, word))
			i++;
		if (i == sizeof(roles) / sizeof(roles[0]))
			return err_set(err, -EINVAL, "\"%.*s\" is no role; there are requester, approver, admin and auditor", STR_ARG(word));
		bits |= roles[i].bit;
	}
	if (!bits)
		return err_set(err, -EINVAL, "which role? requester, approver, admin or auditor");
	*ret = bits;
	return 0;
}

struct str roles_format(struct arena *a, unsigned bits)
{
	CLEANUP_BUF struct buf out = BUF(KIB);

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (bits & roles[i].bit)
			buf_printf(&out, "%s%.*s", out.n ? " " : "", STR_ARG(roles[i].name));
	return arena_str(a, buf_str(&out));
}

int rules_parse(struct str text, uint32_t *ret, struct err *err)
{
	enum reason_code code;
	uint32_t bits = 0;
	struct str word;

	while (next_word(&text, &word)) {
		if (reason_code_parse(word, &code) < 0 || code == REASON_EXEMPT || code == REASON_UNKNOWN)
			return err_set(err, -EINVAL, "\"%.*s\" is no rule; the refusal names them: bondgate explain", STR_ARG(word));
		bits |= UINT32_C(1) << code;
	}
	*ret = bits;
	return 0;
}

struct str rules_format(struct arena *a, uint32_t bits)
{
	CLEANUP_BUF struct buf out = BUF(2 * KIB);

	for (int code = 0; code < REASON_CODE_COUNT; code++)
		if (bits & UINT32_C(1) << code)
			buf_printf(&out, "%s%s", out.n ? " " : "", reason_code_name((enum reason_code)code));
	return arena_str(a, buf_str(&out));
}

/* ---- what they decided ---- */

struct granting {
	usec now;
	struct arena *arena;
	struct exemption *exemptions;
	struct approval *approvals;
	struct str *adopted;
	size_t adopted_count, adopted_room, exemption_count, exemption_room, approval_count, approval_room;
	unsigned position; /* within the list that the last approval was of */
	struct str list;
};

/* Room for one item more in an array of the arena, which grows by halves. */
static void *room_for_one(struct arena *a, void *array, size_t count, size_t *room, size_t size)
{
	void *larger;

	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 16;
	larger = arena_alloc_array(a, *room, size);
	if (larger && count)
		memcpy(larger, array, count * size);
	return larger;
}

static int grant_request(void *arg, const struct request *r)
{
	struct granting *g = arg;
	uint32_t bits = 0;

	if (r->state != REQUEST_APPROVED || r->expires <= g->now || rules_parse(r->rules, &bits, NULL) < 0)
		return 0;
	bits &= ~RULES_NEVER_LIFTED;
	if (!bits || !r->version.n)
		return 0;
	g->exemptions = room_for_one(g->arena, g->exemptions, g->exemption_count, &g->exemption_room, sizeof(*g->exemptions));
	if (!g->exemptions)
		return -ENOMEM;
	g->exemptions[g->exemption_count++] = (struct exemption){
		.package = {r->ecosystem, arena_str(g->arena, r->name), arena_str(g->arena, r->version)},
		.rules = bits,
		.reason = arena_printf(g->arena, "%s%.*s", r->break_glass ? "break-glass: " : "", STR_ARG(r->reason)),
		.owner = arena_str(g->arena, r->person),
		.approved_by = r->break_glass        ? STR("break-glass")
	                   : r->first_approver.n ? arena_printf(g->arena, "%.*s and %.*s", STR_ARG(r->first_approver), STR_ARG(r->decided_by))
	                                         : arena_str(g->arena, r->decided_by),
		.expires = r->expires,
		.source = {STR("request"), (unsigned)r->id},
	};
	return arena_failed(g->arena) ? -ENOMEM : 0;
}

static int grant_approval(void *arg, const struct imported_approval *i)
{
	struct granting *g = arg;

	g->position = str_eq(g->list, i->list) ? g->position + 1 : 1;
	if (g->position == 1)
		g->list = arena_str(g->arena, i->list);
	if (i->ends <= g->now)
		return 0;
	g->approvals = room_for_one(g->arena, g->approvals, g->approval_count, &g->approval_room, sizeof(*g->approvals));
	if (!g->approvals)
		return -ENOMEM;
	g->approvals[g->approval_count++] = (struct approval){
		.package = {i->ecosystem, arena_str(g->arena, i->name), arena_str(g->arena, i->version)},
		.reason = arena_str(g->arena, i->reason),
		.owner = arena_str(g->arena, i->owner),
		.review_by = i->ends,
		.ends = i->ends,
		.source = {arena_printf(g->arena, "approvals:%.*s", STR_ARG(i->list)), g->position},
	};
	return arena_failed(g->arena) ? -ENOMEM : 0;
}

/* Names past the room are known again when the gate has seen them. */
static int grant_name(void *arg, const struct adopted *one)
{
	struct granting *g = arg;

	g->adopted = room_for_one(g->arena, g->adopted, g->adopted_count, &g->adopted_room, sizeof(*g->adopted));
	if (!g->adopted)
		return -ENOMEM;
	g->adopted[g->adopted_count++] = arena_printf(g->arena, "%s:%.*s", ecosystem_name(one->ecosystem), STR_ARG(one->name));
	return arena_failed(g->arena) ? -ENOMEM : 0;
}

int people_grants(struct store *s, usec now, struct arena *a, struct policy_grants *ret, struct err *err)
{
	struct granting g = {.now = now, .arena = a};
	int r = store_requests(s, false, grant_request, &g, err);

	if (r == 0)
		r = store_approvals(s, grant_approval, &g, err);
	if (r == 0)
		r = store_adopted_names(s, grant_name, &g, err);
	if (r == -ENOMEM)
		return err_set(err, r, "no memory for what people approved");
	if (r == 0)
		*ret = (struct policy_grants){g.exemptions, g.exemption_count, g.approvals, g.approval_count, g.adopted, g.adopted_count};
	return r;
}

int people_put_in_force(struct gate *g, struct err *err)
{
	struct people *p = g->people;
	struct policy_grants grants;
	struct arena *a = NULL;
	int64_t version;
	int r;

	pthread_mutex_lock(&p->making);
	r = people_refresh(p, g->store, err);
	/* The number before what it counts: a change between the two is seen at the next look. */
	r = r < 0 ? r : store_people_version(g->store, &version, err);
	if (r == 0 && version != p->granted) {
		a = arena_new(64 * MIB);
		r = a ? people_grants(g->store, g->now(), a, &grants, err) : err_set(err, -ENOMEM, "no memory for what people approved");
		if (r == 0) {
			gate_set_grants(g, TAKE_PTR(a), &grants);
			p->granted = version;
		}
	}
	pthread_mutex_unlock(&p->making);
	arena_free(a);
	return r;
}
