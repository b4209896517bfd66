/* What of MSBuild's language a reader needs: properties. Conditions are not evaluated: which of them hold depends on the machine
 * and the build, so every value that a property may have is kept. */
#ifndef BONDGATE_SCAN_MSBUILD_H
#define BONDGATE_SCAN_MSBUILD_H

#include "codec/xml.h"
#include "scan/readers.h"

struct msbuild_property {
	struct str name, value;
	bool conditional;
	struct msbuild_property *next; /* the one set before it */
};

enum { MSBUILD_VALUES = 8 };

/* Adds the properties of a document to *properties. -ENOMEM. */
int msbuild_properties(struct arena *a, const struct xml_node *project, struct msbuild_property **properties);
/* Every text that "$(Version)" and the like may stand for: at most MSBUILD_VALUES; the count. What is not known stays as it is. */
size_t msbuild_expand(struct arena *a, const struct msbuild_property *properties, struct str text, struct str ret[MSBUILD_VALUES]);

#endif
