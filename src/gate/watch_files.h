/* Tells when files that are read again (policy, certificates, advisories) have changed, however that is done: written in place,
 * replaced by rename, removed and made again, or by turning a symbolic link on the way, as Kubernetes does with its volumes. */
#ifndef BONDGATE_GATE_WATCH_FILES_H
#define BONDGATE_GATE_WATCH_FILES_H

#include "gate/loop.h"

struct file_watch;

/* Calls changed(arg) on the loop when at least one of the `count` files is another than before, once for all that happens within
 * 200 ms. Their folders are watched by inotify; every 5 s the files are looked at in any case (network drives, links that lead elsewhere).
 * What is there now, when this is called, is the state that later ones are compared with. The paths are copied; a file or its folder
 * may not exist yet. Never keeps a loop running by itself, never blocks it once it runs. Aborts when memory is out. */
struct file_watch *file_watch_start(struct loop *l, const char *const *paths, size_t count, void (*changed)(void *arg), void *arg);

/* On the loop, or after loop_run and before loop_free; also from within `changed`, which is not called again. NULL does nothing. */
void file_watch_stop(struct file_watch *w);

#endif
