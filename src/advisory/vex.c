/* VEX documents: OpenVEX (openvex.dev, specification 0.2.0) and the vulnerabilities of CycloneDX (cyclonedx.org, 1.4 to 1.6). Both are read into a list
 * of statements first, which is applied in the order of their times: of two on the same the later one counts. */
#include "advisory/internal.h"

#include <stdlib.h>

#include "base/limits.h"
#include "codec/json.h"

enum { NAMES = 64, PRODUCTS = 20000, WHY_BYTES = 500, STATEMENTS = 200000 };

struct statement {
	usec time;
	size_t order;
	bool not_affected;
	struct str names[NAMES];
	size_t name_count;
	struct str *products; /* purls, or (CycloneDX) references to components */
	size_t product_count;
	struct str justification, detail;
};

struct vex {
	struct advisories *into;
	struct arena *arena;
	struct json_reader r;
	const char *name;
	usec document_time;
	struct statement **statements;
	size_t count, room;
	struct map components; /* bom-ref -> struct str of the purl */
	size_t skipped;
	struct err *err;
};

static struct str text_of(struct vex *v)
{
	struct str text = STR_NULL;

	if (json_peek(&v->r) == JSON_STRING)
		json_string_decoded(&v->r, v->arena, &text);
	else
		json_skip(&v->r, NULL);
	return text;
}

static void skip_statement(struct vex *v, struct str what, const char *why)
{
	if (v->skipped++ == 0)
		err_set(v->err, -EBADMSG, "%s: %.*s: %s; this statement is skipped", v->name, STR_ARG(str_take(what, 120)), why);
}

static struct statement *begin(struct vex *v)
{
	struct statement *s = ARENA_NEW(v->arena, struct statement);

	if (!s || v->count == STATEMENTS) {
		json_fail(&v->r, "too many statements");
		return NULL;
	}
	*s = (struct statement){.order = v->count};
	if (v->count == v->room) {
		size_t room = v->room ? 2 * v->room : 64;
		struct statement **longer = realloc(v->statements, room * sizeof(struct statement *));

		if (!longer) {
			json_fail(&v->r, "no memory");
			return NULL;
		}
		v->statements = longer;
		v->room = room;
	}
	v->statements[v->count++] = s;
	return s;
}

static void add_name(struct statement *s, struct str name)
{
	if (name.n && s->name_count < NAMES)
		s->names[s->name_count++] = name;
}

/* A list that doubles in the arena. */
static void add_product(struct vex *v, struct statement *s, struct str product)
{
	if (!product.n)
		return;
	if (s->product_count == PRODUCTS) {
		json_fail(&v->r, "a statement about too many products");
		return;
	}
	if ((s->product_count & (s->product_count - 1)) == 0) {
		struct str *longer = ARENA_ARRAY(v->arena, struct str, s->product_count ? 2 * s->product_count : 1);

		if (!longer) {
			json_fail(&v->r, "no memory");
			return;
		}
		if (s->product_count)
			memcpy(longer, s->products, s->product_count * sizeof(struct str));
		s->products = longer;
	}
	s->products[s->product_count++] = product;
}

/* ---- OpenVEX ---- */

static void read_vulnerability(struct vex *v, struct statement *s)
{
	struct str key;

	if (json_peek(&v->r) != JSON_OBJECT) {
		add_name(s, text_of(v));
		return;
	}
	json_enter_object(&v->r);
	while (json_next_member(&v->r, &key)) {
		if (json_raw_equals(key, STR("name"))) {
			add_name(s, text_of(v));
		} else if (json_raw_equals(key, STR("aliases")) && json_peek(&v->r) == JSON_ARRAY) {
			json_enter_array(&v->r);
			while (json_next_item(&v->r))
				add_name(s, text_of(v));
		} else {
			json_skip(&v->r, NULL);
		}
	}
}

/* The purl among the identifiers, else "@id" when it is one itself. */
static struct str read_component(struct vex *v, struct statement *s)
{
	struct str key, inner, id = STR_NULL, purl = STR_NULL;
	size_t parts = 0;

	if (json_peek(&v->r) != JSON_OBJECT)
		return text_of(v);
	json_enter_object(&v->r);
	while (json_next_member(&v->r, &key)) {
		if (json_raw_equals(key, STR("@id"))) {
			id = text_of(v);
		} else if (json_raw_equals(key, STR("identifiers")) && json_peek(&v->r) == JSON_OBJECT) {
			json_enter_object(&v->r);
			while (json_next_member(&v->r, &inner)) {
				if (json_raw_equals(inner, STR("purl")))
					purl = text_of(v);
				else
					json_skip(&v->r, NULL);
			}
		} else if (s && json_raw_equals(key, STR("subcomponents")) && json_peek(&v->r) == JSON_ARRAY) {
			json_enter_array(&v->r);
			while (json_next_item(&v->r)) {
				add_product(v, s, read_component(v, NULL));
				parts++;
			}
		} else {
			json_skip(&v->r, NULL);
		}
	}
	/* The product is what somebody ships; the part of it is what the statement is about. */
	return parts ? STR_NULL : purl.n ? purl : id;
}

static bool is_not_affected(struct str status)
{
	return str_eq(status, STR("not_affected")) || str_eq(status, STR("fixed"));
}

static usec time_of(struct vex *v)
{
	usec time = 0;

	time_parse(text_of(v), &time);
	return time;
}

static void read_openvex_statement(struct vex *v)
{
	struct statement *s = begin(v);
	struct str key;

	if (!s)
		return;
	json_enter_object(&v->r);
	while (json_next_member(&v->r, &key)) {
		if (json_raw_equals(key, STR("vulnerability"))) {
			read_vulnerability(v, s);
		} else if (json_raw_equals(key, STR("products")) && json_peek(&v->r) == JSON_ARRAY) {
			json_enter_array(&v->r);
			while (json_next_item(&v->r))
				add_product(v, s, read_component(v, s));
		} else if (json_raw_equals(key, STR("status"))) {
			s->not_affected = is_not_affected(text_of(v));
		} else if (json_raw_equals(key, STR("justification"))) {
			s->justification = text_of(v);
		} else if (json_raw_equals(key, STR("impact_statement")) || json_raw_equals(key, STR("status_notes"))) {
			s->detail = text_of(v);
		} else if (json_raw_equals(key, STR("timestamp"))) {
			s->time = time_of(v);
		} else {
			json_skip(&v->r, NULL);
		}
	}
}

/* ---- CycloneDX ---- */

static void read_analysis(struct vex *v, struct statement *s)
{
	struct str key, state;

	if (json_peek(&v->r) != JSON_OBJECT) {
		json_skip(&v->r, NULL);
		return;
	}
	json_enter_object(&v->r);
	while (json_next_member(&v->r, &key)) {
		if (json_raw_equals(key, STR("state"))) {
			state = text_of(v);
			s->not_affected = str_eq(state, STR("not_affected")) || str_eq(state, STR("false_positive")) ||
			                  str_eq(state, STR("resolved")) || str_eq(state, STR("resolved_with_pedigree"));
		} else if (json_raw_equals(key, STR("justification"))) {
			s->justification = text_of(v);
		} else if (json_raw_equals(key, STR("detail"))) {
			s->detail = text_of(v);
		} else if (json_raw_equals(key, STR("lastUpdated")) || json_raw_equals(key, STR("firstIssued"))) {
			usec time = time_of(v);

			s->time = time > s->time ? time : s->time;
		} else {
			json_skip(&v->r, NULL);
		}
	}
}

static void read_affects(struct vex *v, struct statement *s)
{
	struct str key, ref = STR_NULL;
	bool narrowed = false;

	json_enter_object(&v->r);
	while (json_next_member(&v->r, &key)) {
		narrowed = narrowed || json_raw_equals(key, STR("versions"));
		if (json_raw_equals(key, STR("ref")))
			ref = text_of(v);
		else
			json_skip(&v->r, NULL);
	}
	if (narrowed)
		skip_statement(v, ref, "what is said of single versions of it is not read");
	else
		add_product(v, s, ref);
}

static void read_references(struct vex *v, struct statement *s)
{
	struct str key;

	json_enter_array(&v->r);
	while (json_next_item(&v->r)) {
		json_enter_object(&v->r);
		while (json_next_member(&v->r, &key)) {
			if (json_raw_equals(key, STR("id")))
				add_name(s, text_of(v));
			else
				json_skip(&v->r, NULL);
		}
	}
}

static void read_cyclonedx_vulnerability(struct vex *v)
{
	struct statement *s = begin(v);
	struct str key;

	if (!s)
		return;
	json_enter_object(&v->r);
	while (json_next_member(&v->r, &key)) {
		if (json_raw_equals(key, STR("id"))) {
			add_name(s, text_of(v));
		} else if (json_raw_equals(key, STR("references")) && json_peek(&v->r) == JSON_ARRAY) {
			read_references(v, s);
		} else if (json_raw_equals(key, STR("analysis"))) {
			read_analysis(v, s);
		} else if (json_raw_equals(key, STR("affects")) && json_peek(&v->r) == JSON_ARRAY) {
			json_enter_array(&v->r);
			while (json_next_item(&v->r))
				read_affects(v, s);
		} else {
			json_skip(&v->r, NULL);
		}
	}
}

static void read_components(struct vex *v)
{
	struct str key;

	if (json_peek(&v->r) != JSON_ARRAY) {
		json_skip(&v->r, NULL);
		return;
	}
	json_enter_array(&v->r);
	while (json_next_item(&v->r)) {
		struct str ref = STR_NULL, *purl = ARENA_NEW(v->arena, struct str);

		if (!purl) {
			json_fail(&v->r, "no memory");
			return;
		}
		*purl = STR_NULL;
		json_enter_object(&v->r);
		while (json_next_member(&v->r, &key)) {
			if (json_raw_equals(key, STR("bom-ref")))
				ref = text_of(v);
			else if (json_raw_equals(key, STR("purl")))
				*purl = text_of(v);
			else if (json_raw_equals(key, STR("components")))
				read_components(v);
			else
				json_skip(&v->r, NULL);
		}
		if (ref.n && purl->n && map_put(&v->components, ref, purl) < 0)
			json_fail(&v->r, "no memory");
	}
}

/* ---- the document ---- */

static void read_document(struct vex *v, bool *ret_known)
{
	struct str key;

	json_enter_object(&v->r);
	while (json_next_member(&v->r, &key)) {
		bool openvex = json_raw_equals(key, STR("statements")), cyclonedx = json_raw_equals(key, STR("vulnerabilities"));

		if (openvex || cyclonedx) {
			*ret_known = true;
			json_enter_array(&v->r);
			while (json_next_item(&v->r))
				(openvex ? read_openvex_statement : read_cyclonedx_vulnerability)(v);
		} else if (json_raw_equals(key, STR("timestamp"))) {
			v->document_time = time_of(v);
		} else if (json_raw_equals(key, STR("components"))) {
			read_components(v);
		} else {
			*ret_known = *ret_known || json_raw_equals(key, STR("bomFormat"));
			json_skip(&v->r, NULL);
		}
	}
}

static int by_time(const void *a, const void *b)
{
	const struct statement *x = *(struct statement *const *)a, *y = *(struct statement *const *)b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* What a person reads: the standard word, and what was written beside it. */
static struct str why_of(struct vex *v, const struct statement *s)
{
	struct str detail = str_take(s->detail, WHY_BYTES);

	if (!s->not_affected)
		return STR_NULL;
	if (s->justification.n && detail.n)
		return arena_printf(v->arena, "%.*s: %.*s (%s)", STR_ARG(str_take(s->justification, 100)), STR_ARG(detail), v->name);
	return arena_printf(v->arena, "%.*s (%s)",
	                    STR_ARG(s->justification.n ? str_take(s->justification, 100)
	                            : detail.n         ? detail
	                                               : STR("not affected")),
	                    v->name);
}

/* "urn:cdx:SERIAL/1#ref" names a component of a document by its serial number. */
static struct str purl_of(struct vex *v, struct str product)
{
	ptrdiff_t hash = str_starts(product, STR("urn:cdx:")) ? str_chr(product, '#') : -1;
	const struct str *purl = map_get(&v->components, hash < 0 ? product : str_skip(product, (size_t)hash + 1));

	return purl ? *purl : product;
}

static int apply_to(struct vex *v, const struct statement *s, struct str product, struct str why, size_t *applied)
{
	struct str text = purl_of(v, product);
	struct purl purl;
	struct err ignored = {0};

	if (purl_parse(v->arena, text, &purl, &ignored) < 0) {
		skip_statement(v, text, "neither an npm nor a NuGet package URL");
		return 0;
	}
	for (size_t i = 0; i < s->name_count; i++) {
		int r = advisories_mark(v->into, purl.ecosystem, purl.name, purl.version, s->names[i], why);

		if (r < 0)
			return r;
	}
	*applied += s->name_count > 0;
	return 0;
}

static int apply(struct vex *v, size_t *ret_statements)
{
	size_t applied = 0;

	/* The document's own time may stand behind its statements. */
	for (size_t i = 0; i < v->count; i++)
		if (!v->statements[i]->time)
			v->statements[i]->time = v->document_time;
	if (v->count)
		qsort(v->statements, v->count, sizeof(struct statement *), by_time);
	for (size_t i = 0; i < v->count; i++) {
		const struct statement *s = v->statements[i];
		struct str why = why_of(v, s);

		if (s->not_affected && !why.p)
			return -ENOMEM;
		for (size_t k = 0; k < s->product_count; k++) {
			int r = apply_to(v, s, s->products[k], why, &applied);

			if (r < 0)
				return r;
		}
	}
	*ret_statements = applied;
	return 0;
}

int advisories_add_vex(struct advisories *a, struct str text, const char *name, size_t *ret_statements, size_t *ret_skipped,
                       struct err *err)
{
	struct vex v = {.into = a, .arena = arena_new(512 * MIB), .name = name, .err = err};
	bool known = false;
	size_t statements = 0;
	struct err why = {0};
	int r;

	if (!v.arena)
		return err_set(err, -ENOMEM, "no memory");
	json_init(&v.r, text);
	read_document(&v, &known);
	r = json_finish(&v.r, &why);
	if (r < 0)
		r = err_set(err, r, "cannot read %s: %s", name, why.text);
	else if (!known)
		r = err_set(err, -EBADMSG, "%s is neither an OpenVEX document (no statements) nor a CycloneDX one (no vulnerabilities)", name);
	else if ((r = apply(&v, &statements)) < 0)
		err_set(err, r, "no memory for the statements of %s", name);
	if (r == 0) {
		*ret_statements = statements;
		*ret_skipped = v.skipped;
	}
	free(v.statements);
	map_free(&v.components);
	arena_free(v.arena);
	return r;
}
