// SPDX-License-Identifier: GPL-2.0-only
/* Completions, wait queues, timeouts in virtual time, signals. */
#include <vfiosim/kapi.h>

#include "simtest.h"

struct world {
	struct completion done;
	wait_queue_head_t queue;
	struct task_struct *waiter;
	int ready, woken, calls;
	long result;
	unsigned long when;
};

static void init_world(void *fixture)
{
	struct world *w = fixture;

	init_completion(&w->done);
	init_waitqueue_head(&w->queue);
}

static void completions_count(void *fixture)
{
	struct world *w = fixture;

	init_world(w);
	complete(&w->done);
	complete(&w->done);
	vfiosim_expect(completion_done(&w->done));
	wait_for_completion(&w->done);
	vfiosim_expect(try_wait_for_completion(&w->done));
	vfiosim_expect(!try_wait_for_completion(&w->done));
	complete_all(&w->done);
	wait_for_completion(&w->done);
	vfiosim_expect(completion_done(&w->done));
	reinit_completion(&w->done);
	vfiosim_expect(!completion_done(&w->done));
}

static void time_out(void *fixture)
{
	struct world *w = fixture;
	unsigned long start = jiffies;

	init_world(w);
	vfiosim_expect(wait_for_completion_timeout(&w->done, 10 * HZ) == 0);
	vfiosim_expect(jiffies - start == 10 * HZ);
	vfiosim_expect(wait_for_completion_timeout(&w->done, 0) == 0);
	complete(&w->done);
	vfiosim_expect(wait_for_completion_timeout(&w->done, 5) == 5);
	vfiosim_expect(wait_event_timeout(w->queue, w->ready, 3) == 0);
	vfiosim_expect(wait_event_timeout(w->queue, !w->ready, 3) == 3);
	vfiosim_expect(schedule_timeout_uninterruptible(HZ) == 0);
}

START_TEST(a_completion_counts)
{
	assert_runs(completions_count);
}
END_TEST

START_TEST(timeouts_pass_in_virtual_time)
{
	assert_runs(time_out);
}
END_TEST

static void wait_interruptibly(void *fixture)
{
	struct world *w = fixture;

	w->waiter = current;
	w->result = wait_for_completion_interruptible_timeout(&w->done, 10 * HZ);
}

static void send_term(void *fixture)
{
	struct world *w = fixture;

	while (!w->waiter)
		msleep(10);
	msleep(1000);
	send_sig(15, w->waiter);
}

static void expect_interrupted(void *fixture)
{
	vfiosim_expect(((struct world *)fixture)->result == -ERESTARTSYS);
}

START_TEST(a_signal_ends_an_interruptible_wait)
{
	static const struct vfiosim_scenario scenario = {
		.name = "signal", .fixture_size = sizeof(struct world),
		.setup = init_world, .teardown = expect_interrupted,
		.tasks = { { "waiter", wait_interruptibly }, { "killer", send_term } },
	};

	assert_scenario_ok(&scenario);
	assert_scenario_ok_random(&scenario, 30);
}
END_TEST

static void wait_killably(void *fixture)
{
	struct world *w = fixture;

	w->waiter = current;
	w->result = wait_for_completion_killable_timeout(&w->done, 2 * HZ);
}

static void expect_timed_out(void *fixture)
{
	vfiosim_expect(((struct world *)fixture)->result == 0);
}

START_TEST(a_killable_wait_ignores_other_signals)
{
	static const struct vfiosim_scenario scenario = {
		.name = "not-fatal", .fixture_size = sizeof(struct world),
		.setup = init_world, .teardown = expect_timed_out,
		.tasks = { { "waiter", wait_killably }, { "killer", send_term } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

static void wait_for_ready(void *fixture)
{
	struct world *w = fixture;

	wait_event(w->queue, READ_ONCE(w->ready));
	w->woken++;
}

static void make_ready(void *fixture)
{
	struct world *w = fixture;

	shared_WRITE_ONCE(w->ready, 1);
	wake_up_all(&w->queue);
}

static void expect_both_woken(void *fixture)
{
	vfiosim_expect(((struct world *)fixture)->woken == 2);
}

START_TEST(no_wake_up_is_lost)
{
	static const struct vfiosim_scenario scenario = {
		.name = "wake", .fixture_size = sizeof(struct world),
		.setup = init_world, .teardown = expect_both_woken,
		.tasks = { { "a", wait_for_ready }, { "b", wait_for_ready },
			   { "waker", make_ready } },
	};

	assert_scenario_ok_random(&scenario, 200);
}
END_TEST

static void make_ready_silently(void *fixture)
{
	shared_WRITE_ONCE(((struct world *)fixture)->ready, 1);
}

START_TEST(a_condition_without_a_wake_up_is_a_deadlock)
{
	static const struct vfiosim_scenario scenario = {
		.name = "silent", .fixture_size = sizeof(struct world), .setup = init_world,
		.tasks = { { "waiter", wait_for_ready }, { "silent", make_ready_silently } },
	};

	assert_scenario_detects("deadlock", &scenario);
}
END_TEST

struct counted_entry {
	wait_queue_entry_t entry;
	struct world *world;
	bool locked;
};

static int count_call(wait_queue_entry_t *entry, unsigned int mode, int flags, void *key)
{
	struct counted_entry *counted = container_of(entry, struct counted_entry, entry);

	counted->world->calls += (long)key;
	counted->locked = spin_is_locked(&counted->world->queue.lock);
	return 0;
}

static void wake_function(void *fixture)
{
	struct world *w = fixture;
	struct counted_entry counted = { .world = w };

	init_world(w);
	init_waitqueue_func_entry(&counted.entry, count_call);
	add_wait_queue(&w->queue, &counted.entry);
	vfiosim_expect(waitqueue_active(&w->queue));
	wake_up_poll(&w->queue, 4);
	remove_wait_queue(&w->queue, &counted.entry);
	wake_up_poll(&w->queue, 4);
	vfiosim_expect(w->calls == 4 && counted.locked);
}

START_TEST(a_wake_function_runs_under_the_queue_s_lock)
{
	assert_runs(wake_function);
}
END_TEST

static void use_uninitialised(void *fixture)
{
	complete(fixture);
}

START_TEST(an_uninitialised_completion_is_a_bug)
{
	assert_detects("bug", use_uninitialised);
}
END_TEST

/* ---- each way to wait, and each thing that may end it ---- */

#define LIMIT (10 * HZ)
#define EARLY (HZ + 1)			/* when the event comes */
#define LATE (20 * HZ + 2)		/* when everything is done, as no wait goes on for ever */
#define LEFT (LIMIT - EARLY)
#define BROKEN (-ERESTARTSYS)

static long completion_plain(struct world *w)
{
	wait_for_completion(&w->done);
	return 0;
}

static long completion_timeout(struct world *w)
{
	return wait_for_completion_timeout(&w->done, LIMIT);
}

static long completion_interruptible(struct world *w)
{
	return wait_for_completion_interruptible(&w->done);
}

static long completion_interruptible_timeout(struct world *w)
{
	return wait_for_completion_interruptible_timeout(&w->done, LIMIT);
}

static long completion_killable(struct world *w)
{
	return wait_for_completion_killable(&w->done);
}

static long completion_killable_timeout(struct world *w)
{
	return wait_for_completion_killable_timeout(&w->done, LIMIT);
}

static long event_plain(struct world *w)
{
	wait_event(w->queue, READ_ONCE(w->ready));
	return 0;
}

static long event_timeout(struct world *w)
{
	return wait_event_timeout(w->queue, READ_ONCE(w->ready), LIMIT);
}

static long event_interruptible(struct world *w)
{
	return wait_event_interruptible(w->queue, READ_ONCE(w->ready));
}

static long event_interruptible_timeout(struct world *w)
{
	return wait_event_interruptible_timeout(w->queue, READ_ONCE(w->ready), LIMIT);
}

static long event_killable(struct world *w)
{
	return wait_event_killable(w->queue, READ_ONCE(w->ready));
}

static long sleep_interruptible(struct world *w)
{
	return schedule_timeout_interruptible(LIMIT);
}

static long sleep_uninterruptible(struct world *w)
{
	return schedule_timeout_uninterruptible(LIMIT);
}

enum event { IT_IS_DONE, NOTHING, TERM, KILL, EVENTS };

static const struct {
	const char *what;
	long (*wait)(struct world *w);
	struct {
		long result;
		unsigned long when;
	} by[EVENTS];
} waits[] = {
	{ "wait_for_completion", completion_plain,
	  { { 0, EARLY }, { 0, LATE }, { 0, LATE }, { 0, LATE } } },
	{ "wait_for_completion_timeout", completion_timeout,
	  { { LEFT, EARLY }, { 0, LIMIT }, { 0, LIMIT }, { 0, LIMIT } } },
	{ "wait_for_completion_interruptible", completion_interruptible,
	  { { 0, EARLY }, { 0, LATE }, { BROKEN, EARLY }, { BROKEN, EARLY } } },
	{ "wait_for_completion_interruptible_timeout", completion_interruptible_timeout,
	  { { LEFT, EARLY }, { 0, LIMIT }, { BROKEN, EARLY }, { BROKEN, EARLY } } },
	{ "wait_for_completion_killable", completion_killable,
	  { { 0, EARLY }, { 0, LATE }, { 0, LATE }, { BROKEN, EARLY } } },
	{ "wait_for_completion_killable_timeout", completion_killable_timeout,
	  { { LEFT, EARLY }, { 0, LIMIT }, { 0, LIMIT }, { BROKEN, EARLY } } },
	{ "wait_event", event_plain,
	  { { 0, EARLY }, { 0, LATE }, { 0, LATE }, { 0, LATE } } },
	{ "wait_event_timeout", event_timeout,
	  { { LEFT, EARLY }, { 0, LIMIT }, { 0, LIMIT }, { 0, LIMIT } } },
	{ "wait_event_interruptible", event_interruptible,
	  { { 0, EARLY }, { 0, LATE }, { BROKEN, EARLY }, { BROKEN, EARLY } } },
	{ "wait_event_interruptible_timeout", event_interruptible_timeout,
	  { { LEFT, EARLY }, { 0, LIMIT }, { BROKEN, EARLY }, { BROKEN, EARLY } } },
	{ "wait_event_killable", event_killable,
	  { { 0, EARLY }, { 0, LATE }, { 0, LATE }, { BROKEN, EARLY } } },
	{ "schedule_timeout_interruptible", sleep_interruptible,
	  { { 0, LIMIT }, { 0, LIMIT }, { LEFT, EARLY }, { LEFT, EARLY } } },
	{ "schedule_timeout_uninterruptible", sleep_uninterruptible,
	  { { 0, LIMIT }, { 0, LIMIT }, { 0, LIMIT }, { 0, LIMIT } } },
};

static unsigned int wait_row;
static enum event event_now;

static void wait_as_told(void *fixture)
{
	struct world *w = fixture;

	w->waiter = current;
	w->result = waits[wait_row].wait(w);
	w->when = jiffies;
}

static void finish(struct world *w)
{
	shared_WRITE_ONCE(w->ready, 1);
	wake_up(&w->queue);
	complete(&w->done);
}

static void make_event(void *fixture)
{
	struct world *w = fixture;

	msleep(1000);
	if (event_now == IT_IS_DONE)
		finish(w);
	else if (event_now != NOTHING)
		send_sig(event_now == TERM ? 15 : 9, w->waiter);
	msleep(19000);
	finish(w);
}

static void expect_as_told(void *fixture)
{
	const struct world *w = fixture;

	vfiosim_expect(w->result == waits[wait_row].by[event_now].result);
	vfiosim_expect(w->when == waits[wait_row].by[event_now].when);
}

START_TEST(each_wait_ends_by_what_it_listens_to)
{
	static const struct vfiosim_scenario scenario = {
		.name = "wait", .fixture_size = sizeof(struct world),
		.setup = init_world, .teardown = expect_as_told,
		.tasks = { { "waiter", wait_as_told }, { "other", make_event } },
	};

	wait_row = _i / EVENTS;
	event_now = _i % EVENTS;
	assert_scenario_ok(&scenario);
}
END_TEST

static void wake_interruptible(void *fixture)
{
	struct world *w = fixture;

	msleep(10);
	shared_WRITE_ONCE(w->ready, 1);
	wake_up_interruptible(&w->queue);
}

static void wait_for_ready_interruptibly(void *fixture)
{
	struct world *w = fixture;

	vfiosim_expect(wait_event_interruptible(w->queue, READ_ONCE(w->ready)) == 0);
}

START_TEST(wake_up_interruptible_leaves_the_others_asleep)
{
	struct vfiosim_scenario scenario = {
		.name = "mode", .fixture_size = sizeof(struct world), .setup = init_world,
		.tasks = { { "waiter", wait_for_ready_interruptibly },
			   { "waker", wake_interruptible } },
	};

	assert_scenario_ok(&scenario);
	scenario.tasks[0].run = wait_for_ready;
	assert_scenario_detects("deadlock", &scenario);
}
END_TEST

static void be_exclusive(void *fixture)
{
	struct world *w = fixture;
	wait_queue_entry_t entry;

	init_wait_entry(&entry, WQ_FLAG_EXCLUSIVE);
	vfiosim_expect(!prepare_to_wait_event(&w->queue, &entry, TASK_UNINTERRUPTIBLE));
	wait_woken_entry(&w->queue, &entry, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
	finish_wait(&w->queue, &entry);
	w->woken++;
}

static void wake_one_by_one(void *fixture)
{
	struct world *w = fixture;

	msleep(10);
	shared_WRITE_ONCE(w->ready, 1);
	wake_up(&w->queue);
	msleep(10);
	vfiosim_expect(w->woken == 2);		/* one of the two, and who is not exclusive */
	wake_up(&w->queue);
	msleep(10);
	vfiosim_expect(w->woken == 3);
}

START_TEST(a_wake_up_wakes_one_exclusive_waiter_and_all_others)
{
	static const struct vfiosim_scenario scenario = {
		.name = "exclusive", .fixture_size = sizeof(struct world), .setup = init_world,
		.tasks = { { "first", be_exclusive }, { "second", be_exclusive },
			   { "third", wait_for_ready }, { "waker", wake_one_by_one } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wait");
	TCase *tc = tcase_create("wait");

	tcase_add_test(tc, a_completion_counts);
	tcase_add_test(tc, timeouts_pass_in_virtual_time);
	tcase_add_test(tc, a_signal_ends_an_interruptible_wait);
	tcase_add_test(tc, a_killable_wait_ignores_other_signals);
	tcase_add_test(tc, no_wake_up_is_lost);
	tcase_add_test(tc, a_condition_without_a_wake_up_is_a_deadlock);
	tcase_add_test(tc, a_wake_function_runs_under_the_queue_s_lock);
	tcase_add_test(tc, an_uninitialised_completion_is_a_bug);
	tcase_add_loop_test(tc, each_wait_ends_by_what_it_listens_to, 0,
			    ARRAY_SIZE(waits) * EVENTS);
	tcase_add_test(tc, wake_up_interruptible_leaves_the_others_asleep);
	tcase_add_test(tc, a_wake_up_wakes_one_exclusive_waiter_and_all_others);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
