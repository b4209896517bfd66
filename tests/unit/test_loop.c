#include "unit.h"

#include <pthread.h>

#include "gate/loop.h"

enum { THREADS = 4, POSTS = 2000 };

struct tally {
	struct loop *loop;
	int count, last[THREADS];
	int works;
	bool in_order;
};

struct post {
	struct tally *tally;
	int thread, number;
};

static void count_post(void *arg)
{
	struct post *p = arg;
	struct tally *t = p->tally;

	if (p->number != t->last[p->thread]++)
		t->in_order = false;
	t->count++;
	if (t->count == THREADS * POSTS)
		loop_stop(t->loop);
}

static void *post_many(void *arg)
{
	struct post *posts = arg;

	for (int i = 0; i < POSTS; i++)
		loop_post(posts[i].tally->loop, count_post, &posts[i]);
	return NULL;
}

static void never(void *arg)
{
	(void)arg;
	fail_msg("this timer must not fire");
}

static void messages_of_a_thread_arrive_in_order(void **state)
{
	(void)state;
	static struct post posts[THREADS][POSTS];
	struct tally t = {.in_order = true};
	struct loop_timer *keep_alive;
	pthread_t threads[THREADS];

	assert_int_equal(loop_new(&t.loop, NULL), 0);
	keep_alive = loop_after(t.loop, USEC_HOUR, never, NULL);
	for (int i = 0; i < THREADS; i++) {
		for (int j = 0; j < POSTS; j++)
			posts[i][j] = (struct post){&t, i, j};
		assert_int_equal(pthread_create(&threads[i], NULL, post_many, posts[i]), 0);
	}
	loop_run(t.loop);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	loop_cancel(keep_alive);
	loop_free(t.loop);
	assert_int_equal(t.count, THREADS * POSTS);
	assert_true(t.in_order);
}

struct job {
	struct tally *tally;
	pthread_t worker, loop_thread;
	int value;
};

static void do_job(void *arg)
{
	struct job *j = arg;

	j->worker = pthread_self();
	j->value++;
}

static void job_done(void *arg)
{
	struct job *j = arg;

	assert_int_equal(j->value, 1);
	assert_false(pthread_equal(j->worker, j->loop_thread));
	assert_true(pthread_equal(pthread_self(), j->loop_thread));
	j->tally->works++;
}

static void work_runs_elsewhere_and_is_done_here(void **state)
{
	(void)state;
	struct tally t = {0};
	struct job jobs[50];

	assert_int_equal(loop_new(&t.loop, NULL), 0);
	for (int i = 0; i < 50; i++) {
		jobs[i] = (struct job){.tally = &t, .loop_thread = pthread_self()};
		loop_work(t.loop, do_job, job_done, &jobs[i]);
	}
	loop_run(t.loop);
	loop_free(t.loop);
	assert_int_equal(t.works, 50);
}

static void a_stop_waits_for_work_under_way(void **state)
{
	(void)state;
	struct tally t = {0};
	struct job job = {.tally = &t, .loop_thread = pthread_self()};

	assert_int_equal(loop_new(&t.loop, NULL), 0);
	loop_work(t.loop, do_job, job_done, &job);
	loop_stop(t.loop);
	loop_run(t.loop);
	assert_int_equal(t.works, 1);
	loop_free(t.loop);
}

static void note(void *arg)
{
	(*(int *)arg)++;
}

static void timers_fire_once_or_are_cancelled(void **state)
{
	(void)state;
	int fired = 0;
	struct loop *l;
	usec before = time_monotonic();

	assert_int_equal(loop_new(&l, NULL), 0);
	loop_after(l, 0, note, &fired);
	loop_after(l, 20000, note, &fired);
	loop_cancel(loop_after(l, 1000, never, NULL));
	loop_run(l);
	assert_int_equal(fired, 2);
	assert_true(time_monotonic() - before >= 20000);
	loop_after(l, USEC_HOUR, never, NULL); /* freed with the loop */
	loop_free(l);
}

static void what_was_posted_before_running_runs(void **state)
{
	(void)state;
	int ran = 0;
	struct loop *l;

	assert_int_equal(loop_new(&l, NULL), 0);
	loop_post(l, note, &ran);
	loop_post(l, note, &ran);
	loop_run(l);
	assert_int_equal(ran, 2);
	loop_post(l, note, &ran);
	loop_free(l);
	assert_int_equal(ran, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_a_thread_arrive_in_order), cmocka_unit_test(work_runs_elsewhere_and_is_done_here),
		cmocka_unit_test(a_stop_waits_for_work_under_way), cmocka_unit_test(timers_fire_once_or_are_cancelled),
		cmocka_unit_test(what_was_posted_before_running_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
