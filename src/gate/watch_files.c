#include "gate/watch_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

enum {
	SETTLE_MS = 200,
	/* A folder that never comes to rest (a build runs in it) must not put off the look for ever. */
	SETTLE_AT_MOST = 10,
	POLL_MS = 5000,
};

/* By what one state of a file is told from another, through all symbolic links. All zero: there is none. */
struct look {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct folder {
	uv_fs_event_t event;
	struct file_watch *watch;
	char *path;
};

struct file_watch {
	struct loop *loop;
	void (*changed)(void *arg);
	void *arg;
	char **paths;
	struct look *known, *seen; /* `seen` belongs to the worker while `looking` */
	size_t count;
	struct folder *folders;
	size_t folder_count;
	uv_timer_t poll, settle;
	int put_off;
	bool looking, again; /* a look is under way; something happened since it began */
	bool stopped;
	size_t holders; /* open handles and looks under way: the last one frees */
};

static void *need(void *p)
{
	if (!p)
		abort();
	return p;
}

static void look_at(const char *path, struct look *ret)
{
	struct stat st;

	memset(ret, 0, sizeof(*ret)); /* padding too: looks are compared as bytes */
	if (stat(path, &st) < 0)
		return;
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	ret->size = st.st_size;
	ret->modified = st.st_mtim;
	ret->changed = st.st_ctim;
}

static void look_at_all(void *arg)
{
	struct file_watch *w = arg;

	for (size_t i = 0; i < w->count; i++)
		look_at(w->paths[i], &w->seen[i]);
}

static void let_go(struct file_watch *w)
{
	if (--w->holders > 0)
		return;
	for (size_t i = 0; i < w->count; i++)
		free(w->paths[i]);
	for (size_t i = 0; i < w->folder_count; i++)
		free(w->folders[i].path);
	free(w->paths);
	free(w->folders);
	free(w->known);
	free(w->seen);
	free(w);
}

static void on_closed(uv_handle_t *h)
{
	let_go(h->data);
}

static void on_folder_closed(uv_handle_t *h)
{
	struct folder *f = h->data;

	let_go(f->watch);
}

static void look(struct file_watch *w);

static void on_event(uv_fs_event_t *event, const char *name, int events, int status);

/* A folder that was made anew, or only now exists, has lost its watch or never had one. One that cannot be watched is left to the poll. */
static void watch_folders(struct file_watch *w)
{
	for (size_t i = 0; i < w->folder_count; i++) {
		struct folder *f = &w->folders[i];

		uv_fs_event_stop(&f->event);
		uv_fs_event_start(&f->event, on_event, f->path, 0);
	}
}

static void on_looked(void *arg)
{
	struct file_watch *w = arg;
	bool differs = memcmp(w->known, w->seen, w->count * sizeof(*w->known)) != 0;
	bool again = w->again;

	w->looking = w->again = false;
	if (!w->stopped && differs) {
		memcpy(w->known, w->seen, w->count * sizeof(*w->known));
		watch_folders(w);
		w->changed(w->arg); /* may stop the watch */
	}
	if (!w->stopped && again)
		look(w);
	let_go(w);
}

static void look(struct file_watch *w)
{
	if (w->looking) {
		w->again = true;
		return;
	}
	w->looking = true;
	w->holders++;
	loop_work(w->loop, look_at_all, on_looked, w);
}

static void on_settled(uv_timer_t *timer)
{
	struct file_watch *w = timer->data;

	w->put_off = 0;
	look(w);
}

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
	struct folder *f = event->data;
	struct file_watch *w = f->watch;

	(void)name; /* the change may be in a link that leads to the file under another name */
	(void)events;
	(void)status;
	if (w->stopped)
		return;
	if (uv_is_active((uv_handle_t *)&w->settle) && w->put_off >= SETTLE_AT_MOST)
		return;
	w->put_off++;
	uv_update_time(loop_uv(w->loop));
	uv_timer_start(&w->settle, on_settled, SETTLE_MS, 0);
}

static void on_poll(uv_timer_t *timer)
{
	struct file_watch *w = timer->data;

	/* Not in the middle of a burst: its end brings a look anyway. */
	if (!uv_is_active((uv_handle_t *)&w->settle))
		look(w);
}

/* "." for a bare name, "/" for what lies in the root. */
static char *folder_of(const char *path)
{
	struct str whole = str_of(path);
	ptrdiff_t slash = str_rchr(whole, '/');

	if (slash < 0)
		return need(str_dup(STR(".")));
	return need(str_dup(slash == 0 ? STR("/") : str_take(whole, (size_t)slash)));
}

static void add_folder(struct file_watch *w, const char *path)
{
	CLEANUP_FREE char *folder = folder_of(path);
	struct folder *f;

	for (size_t i = 0; i < w->folder_count; i++)
		if (str_eq(str_of(w->folders[i].path), str_of(folder)))
			return;
	f = &w->folders[w->folder_count++];
	f->watch = w;
	f->path = TAKE_PTR(folder);
	uv_fs_event_init(loop_uv(w->loop), &f->event);
	uv_unref((uv_handle_t *)&f->event);
	f->event.data = f;
	w->holders++;
}

static void add_timer(struct file_watch *w, uv_timer_t *timer)
{
	uv_timer_init(loop_uv(w->loop), timer);
	uv_unref((uv_handle_t *)timer);
	timer->data = w;
	w->holders++;
}

struct file_watch *file_watch_start(struct loop *l, const char *const *paths, size_t count, void (*changed)(void *arg), void *arg)
{
	struct file_watch *w = need(calloc(1, sizeof(*w)));
	size_t room = count ? count : 1;

	*w = (struct file_watch){.loop = l, .changed = changed, .arg = arg, .count = count};
	w->paths = need(calloc(room, sizeof(*w->paths)));
	w->known = need(calloc(room, sizeof(*w->known)));
	w->seen = need(calloc(room, sizeof(*w->seen)));
	/* The handles' addresses must stay: as many folders as there are files is the most. */
	w->folders = need(calloc(room, sizeof(*w->folders)));
	add_timer(w, &w->poll);
	add_timer(w, &w->settle);
	for (size_t i = 0; i < count; i++) {
		w->paths[i] = need(str_dup(str_of(paths[i])));
		add_folder(w, paths[i]);
	}
	/* Watched first, looked at second: what happens in between is seen. */
	watch_folders(w);
	look_at_all(w);
	memcpy(w->known, w->seen, count * sizeof(*w->known));
	uv_update_time(loop_uv(l));
	uv_timer_start(&w->poll, on_poll, POLL_MS, POLL_MS);
	return w;
}

void file_watch_stop(struct file_watch *w)
{
	if (!w || w->stopped)
		return;
	w->stopped = true;
	uv_close((uv_handle_t *)&w->poll, on_closed);
	uv_close((uv_handle_t *)&w->settle, on_closed);
	for (size_t i = 0; i < w->folder_count; i++)
		uv_close((uv_handle_t *)&w->folders[i].event, on_folder_closed);
}
