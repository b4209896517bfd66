/* What is served of a packument: its cleared slices. One truth for every form (DESIGN rule 2), tags repaired (rule 6). */
#ifndef BONDGATE_REGISTRY_NPM_RENDER_H
#define BONDGATE_REGISTRY_NPM_RENDER_H

#include "registry/npm/packument.h"

/* What the decisions made of a packument at one moment. */
struct npm_cut {
	const bool *shown; /* by version index; a ghost may be shown */
	usec now;
	usec tag_hold;      /* the cooldown that a tag moved back is held for (rule 6); 0: not */
	struct str message; /* policyRestrictions.message; used when something is hidden */
};

struct npm_tag_out {
	struct str tag, target;
};
/* The tags to serve (rule 6): in the upstream's order; `latest` repaired or held; dangling ones dropped. *ret in the arena. */
size_t npm_tags_repair(const struct npm_packument *p, const struct npm_cut *cut, struct arena *a, const struct npm_tag_out **ret);

struct npm_form {
	bool abbreviated;
	struct str base;             /* "http://gate:4873/npm/": tarball URLs become base + "name/-/file" */
	struct str keep_host_prefix; /* tarballs whose URL starts with this ("https://host/") stay as they are; empty: all are rewritten */
};

/* Pieces go to `write` in order; together they are one JSON document. `p` must stay mapped until it returns. -ENOMEM or 0. */
struct npm_sink {
	void (*write)(void *arg, const void *bytes, size_t n);
	void *arg;
};
int npm_render_packument(const struct npm_packument *p, const struct npm_cut *cut, const struct npm_form *form, struct arena *a,
                         const struct npm_sink *sink);
/* One version, full form. */
void npm_render_version(const struct npm_packument *p, size_t index, const struct npm_form *form, const struct npm_sink *sink);
/* {"latest":"1.2.3"} */
int npm_render_tags(const struct npm_packument *p, const struct npm_cut *cut, struct arena *a, const struct npm_sink *sink);
/* The version that a tag or version text names among the shown ones, or -1. */
ptrdiff_t npm_resolve(const struct npm_packument *p, const struct npm_cut *cut, struct arena *a, struct str version_or_tag);

#endif
