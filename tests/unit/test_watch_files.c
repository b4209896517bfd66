#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "gate/watch_files.h"

/* What happens to the files, step by step; after each, the change is awaited, and one change only. */
struct scene {
	struct loop *loop;
	struct file_watch *watch;
	struct loop_timer *deadline;
	void (*const *steps)(void);
	size_t step, count;
	int changes; /* since the last step */
};

static char folder[200];

static const char *at(const char *name)
{
	static char paths[4][400];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, 400, "%s/%s", folder, name);
	return path;
}

static void put(const char *name, struct str text)
{
	assert_int_equal(file_replace(at(name), text, 0600, NULL), 0);
}

static void too_late(void *arg)
{
	struct scene *s = arg;

	fail_msg("the change of step %zu was not seen within 30 s", s->step);
}

static void take_step(void *arg);

/* Long enough after the change for a second call of the same change to come. */
static void settle(void *arg)
{
	struct scene *s = arg;

	assert_int_equal(s->changes, 1);
	if (s->step == s->count)
		loop_stop(s->loop);
	else
		take_step(s);
}

static void take_step(void *arg)
{
	struct scene *s = arg;

	s->changes = 0;
	s->deadline = loop_after(s->loop, 30 * USEC_SECOND, too_late, s);
	s->steps[s->step++]();
}

static void on_change(void *arg)
{
	struct scene *s = arg;

	if (s->changes++ > 0)
		return;
	loop_cancel(s->deadline);
	loop_after(s->loop, 500000, settle, s);
}

static void play(const char *const *names, size_t names_count, void (*const *steps)(void), size_t count)
{
	struct scene s = {.steps = steps, .count = count};
	const char *paths[4];

	for (size_t i = 0; i < names_count; i++)
		paths[i] = at(names[i]);
	assert_int_equal(loop_new(&s.loop, NULL), 0);
	s.watch = file_watch_start(s.loop, paths, names_count, on_change, &s);
	loop_after(s.loop, 0, take_step, &s);
	loop_run(s.loop);
	file_watch_stop(s.watch);
	loop_free(s.loop);
}

static void replace(void)
{
	put("policy", STR("second"));
}

static void write_in_place(void)
{
	int fd = open(at("policy"), O_WRONLY | O_TRUNC | O_CLOEXEC);

	for (int i = 0; i < 20; i++)
		assert_int_equal(write(fd, "more\n", 5), 5);
	close(fd);
}

static void vanish(void)
{
	assert_int_equal(unlink(at("policy")), 0);
}

static void appear(void)
{
	put("policy", STR("again"));
}

static void change_both(void)
{
	put("policy", STR("third"));
	put("other", STR("third"));
}

static void change_the_other(void)
{
	put("other", STR("fourth"));
}

static void every_kind_of_change_is_told_once(void **state)
{
	(void)state;
	static const char *const names[] = {"policy", "other"};
	static void (*const steps[])(void) = {replace, write_in_place, vanish, appear, change_both, change_the_other};

	put("policy", STR("first"));
	put("other", STR("first"));
	play(names, 2, steps, sizeof(steps) / sizeof(*steps));
	unlink(at("policy"));
	unlink(at("other"));
}

/* A volume of Kubernetes: policy -> ..data/policy, ..data -> ..one, and the update turns ..data by rename. */
static void turn_link(void)
{
	assert_int_equal(symlink("..two", at("..tmp")), 0);
	assert_int_equal(rename(at("..tmp"), at("..data")), 0);
}

static void a_turned_link_on_the_way_is_seen(void **state)
{
	(void)state;
	static const char *const names[] = {"policy"};
	static void (*const steps[])(void) = {turn_link};

	assert_int_equal(mkdir(at("..one"), 0700), 0);
	assert_int_equal(mkdir(at("..two"), 0700), 0);
	put("..one/policy", STR("same length 1"));
	put("..two/policy", STR("same length 2"));
	assert_int_equal(symlink("..one", at("..data")), 0);
	assert_int_equal(symlink("..data/policy", at("policy")), 0);
	play(names, 1, steps, 1);
	unlink(at("policy"));
	unlink(at("..data"));
	unlink(at("..one/policy"));
	unlink(at("..two/policy"));
	rmdir(at("..one"));
	rmdir(at("..two"));
}

static void make_folder_and_file(void)
{
	assert_int_equal(mkdir(at("later"), 0700), 0);
	put("later/policy", STR("first"));
}

static void replace_in_it(void)
{
	put("later/policy", STR("second"));
}

/* Nothing tells of the new folder: the look every five seconds finds it, and from then on it is watched. */
static void a_folder_may_come_later(void **state)
{
	(void)state;
	static const char *const names[] = {"later/policy"};
	static void (*const steps[])(void) = {make_folder_and_file, replace_in_it};

	play(names, 1, steps, 2);
	unlink(at("later/policy"));
	rmdir(at("later"));
}

struct quiet {
	struct loop *loop;
	int changes;
};

static void count_change(void *arg)
{
	((struct quiet *)arg)->changes++;
}

static void put_beside(void *arg)
{
	(void)arg;
	put("beside", STR("text"));
}

static void stop(void *arg)
{
	loop_stop(((struct quiet *)arg)->loop);
}

static void what_happens_beside_is_no_change(void **state)
{
	(void)state;
	struct quiet q = {0};
	const char *path = at("policy");
	struct file_watch *w;

	put("policy", STR("first"));
	assert_int_equal(loop_new(&q.loop, NULL), 0);
	w = file_watch_start(q.loop, &path, 1, count_change, &q);
	for (int i = 0; i < 6; i++)
		loop_after(q.loop, i * 100000, put_beside, NULL);
	loop_after(q.loop, 1200000, stop, &q);
	loop_run(q.loop);
	assert_int_equal(q.changes, 0);
	file_watch_stop(w);
	loop_free(q.loop);
	unlink(at("policy"));
	unlink(at("beside"));
}

static void stop_watching(void *arg)
{
	struct scene *s = arg;

	s->changes++;
	file_watch_stop(s->watch);
	loop_cancel(s->deadline);
}

static void replace_now(void *arg)
{
	(void)arg;
	replace();
}

static void a_watch_may_be_stopped_from_its_callback(void **state)
{
	(void)state;
	struct scene s = {0};
	const char *path = at("policy");

	put("policy", STR("first"));
	assert_int_equal(loop_new(&s.loop, NULL), 0);
	s.watch = file_watch_start(s.loop, &path, 1, stop_watching, &s);
	s.deadline = loop_after(s.loop, 30 * USEC_SECOND, too_late, &s);
	loop_after(s.loop, 0, replace_now, NULL);
	loop_run(s.loop); /* ends, since the watch was all that was left */
	assert_int_equal(s.changes, 1);
	loop_free(s.loop);
	unlink(at("policy"));
}

static void a_watch_alone_keeps_no_loop_running(void **state)
{
	(void)state;
	struct quiet q = {0};
	const char *path = at("policy");
	struct file_watch *w;

	assert_int_equal(loop_new(&q.loop, NULL), 0);
	w = file_watch_start(q.loop, &path, 1, count_change, &q);
	loop_run(q.loop);
	file_watch_stop(w);
	file_watch_stop(NULL);
	loop_free(q.loop);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/bondgate-watch-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_change_is_told_once),
		cmocka_unit_test(a_turned_link_on_the_way_is_seen),
		cmocka_unit_test(a_folder_may_come_later),
		cmocka_unit_test(what_happens_beside_is_no_change),
		cmocka_unit_test(a_watch_may_be_stopped_from_its_callback),
		cmocka_unit_test(a_watch_alone_keeps_no_loop_running),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
