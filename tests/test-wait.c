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
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
