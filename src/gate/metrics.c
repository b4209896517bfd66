#include "gate/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>

void metric_write(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	buf_printf(out, "# HELP bondgate_%s %s.\n# TYPE bondgate_%s %s\nbondgate_%s %" PRIu64 "\n", name, help, name, type, name, value);
}

void metrics_write(struct metrics *m, struct buf *out)
{
#define X(field, name, type, help) metric_write(out, name, type, help, atomic_load_explicit(&m->field, memory_order_relaxed));
	METRICS(X)
#undef X
}
