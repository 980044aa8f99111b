// SPDX-License-Identifier: GPL-2.0-only
/* Spinlocks, mutexes, reader-writer semaphores, and the detectors around them. */
#include <vfiosim/kapi.h>

#include "simtest.h"

struct locks {
	struct mutex a, b;
	struct rw_semaphore sem;
	spinlock_t spin;
	int count, order[4];
};

static void init_locks(void *fixture)
{
	struct locks *l = fixture;

	mutex_init(&l->a);
	mutex_init(&l->b);
	init_rwsem(&l->sem);
	spin_lock_init(&l->spin);
}

static void add_under_mutex(void *fixture)
{
	struct locks *l = fixture;
	int seen;

	for (int i = 0; i < 5; i++) {
		mutex_lock(&l->a);
		seen = l->count;
		cond_resched();
		l->count = seen + 1;
		mutex_unlock(&l->a);
	}
}

static void expect_ten(void *fixture)
{
	vfiosim_expect(((struct locks *)fixture)->count == 10);
}

START_TEST(a_mutex_admits_one_task_at_a_time)
{
	static const struct vfiosim_scenario scenario = {
		.name = "mutex", .fixture_size = sizeof(struct locks),
		.setup = init_locks, .teardown = expect_ten,
		.tasks = { { "alice", add_under_mutex }, { "bob", add_under_mutex } },
	};

	assert_scenario_ok_random(&scenario, 50);
	assert_scenario_repeats(&scenario);
}
END_TEST

static void take_a_then_b(void *fixture)
{
	struct locks *l = fixture;

	mutex_lock(&l->a);
	mutex_lock(&l->b);
	mutex_unlock(&l->b);
	mutex_unlock(&l->a);
}

static void take_b_then_a(void *fixture)
{
	struct locks *l = fixture;

	mutex_lock(&l->b);
	mutex_lock(&l->a);
	mutex_unlock(&l->a);
	mutex_unlock(&l->b);
}

static const struct vfiosim_scenario ab_ba = {
	.name = "ab-ba", .fixture_size = sizeof(struct locks), .setup = init_locks,
	.tasks = { { "alice", take_a_then_b }, { "bob", take_b_then_a } },
};

START_TEST(an_inversion_is_found_without_the_deadlock)
{
	assert_scenario_detects("lock-inversion", &ab_ba);
	ck_assert_ptr_nonnull(strstr(run_failure()->message, "l->a while it holds l->b"));
}
END_TEST

START_TEST(a_deadlock_names_both_tasks_and_their_locks)
{
	struct vfiosim_scenario scenario = ab_ba;
	const char *message;
	unsigned int seed;

	scenario.tolerate = "lock-inversion";
	for (seed = 1; seed < 100; seed++)
		if (simtest_run_random(&scenario, seed) == VFIOSIM_DEADLOCK)
			break;
	ck_assert_uint_lt(seed, 100);
	message = run_failure()->message;
	ck_assert_ptr_nonnull(strstr(message, "alice waits in mutex_lock(fixture#1.b)"));
	ck_assert_ptr_nonnull(strstr(message, "bob waits in mutex_lock(fixture#1.a)"));
	ck_assert_ptr_nonnull(strstr(message, "holding l->a"));
	ck_assert_ptr_nonnull(strstr(message, "take_b_then_a"));
}
END_TEST

static void recurse(void *fixture)
{
	struct locks *l = fixture;

	init_locks(l);
	mutex_lock(&l->a);
	mutex_lock(&l->a);
}

static void sleep_under_spinlock(void *fixture)
{
	struct locks *l = fixture;

	init_locks(l);
	spin_lock(&l->spin);
	mutex_lock(&l->a);
}

static void exit_with_lock(void *fixture)
{
	struct locks *l = fixture;

	init_locks(l);
	mutex_lock(&l->a);
}

static void sleep_with_irqs_off(void *fixture)
{
	struct locks *l = fixture;
	unsigned long flags;

	init_locks(l);
	spin_lock_irqsave(&l->spin, flags);
	spin_unlock_irqrestore(&l->spin, flags);
	msleep(1);
	spin_lock_irq(&l->spin);
	spin_unlock(&l->spin);
	msleep(1);
	vfiosim_expect(false);
}

static void lock_uninitialised(void *fixture)
{
	mutex_lock(&((struct locks *)fixture)->a);
}

static void end_read_of_writer(void *fixture)
{
	struct locks *l = fixture;

	init_locks(l);
	down_write(&l->sem);
	up_read(&l->sem);
}

static void take_two_of_a_class(void *fixture)
{
	struct mutex *locks = fixture;

	for (int i = 0; i < 2; i++)
		mutex_init(&locks[i]);
	mutex_lock(&locks[0]);
	mutex_lock(&locks[1]);
	mutex_unlock(&locks[1]);
	mutex_unlock(&locks[0]);
}

static void assert_not_held(void *fixture)
{
	struct locks *l = fixture;

	init_locks(l);
	lockdep_assert_held(&l->a);
}

static const struct {
	const char *what;
	const char *detector;
	void (*body)(void *fixture);
} misuses[] = {
	{ "a mutex is taken twice", "deadlock", recurse },
	{ "a mutex is taken under a spinlock", "sleeping-while-atomic", sleep_under_spinlock },
	{ "a task sleeps with interrupts off", "sleeping-while-atomic", sleep_with_irqs_off },
	{ "a task ends with a lock", "exit-with-lock", exit_with_lock },
	{ "a lock was never initialised", "bug", lock_uninitialised },
	{ "a writer ends a read", "unlock-by-stranger", end_read_of_writer },
	{ "two locks of one class nest", "lock-inversion", take_two_of_a_class },
	{ "an asserted lock is not held", "bug", assert_not_held },
};

START_TEST(each_misuse_has_its_detector)
{
	assert_detects(misuses[_i].detector, misuses[_i].body);
}
END_TEST

static void unlock_a(void *fixture)
{
	struct locks *l = fixture;

	while (!mutex_is_locked(&l->a))
		msleep(10);
	mutex_unlock(&l->a);
}

static void lock_a_and_wait(void *fixture)
{
	struct locks *l = fixture;

	mutex_lock(&l->a);
	msleep(100);
	mutex_unlock(&l->a);
}

START_TEST(only_the_owner_may_unlock)
{
	static const struct vfiosim_scenario scenario = {
		.name = "stranger", .fixture_size = sizeof(struct locks), .setup = init_locks,
		.tasks = { { "alice", lock_a_and_wait }, { "bob", unlock_a } },
	};

	assert_scenario_detects("unlock-by-stranger", &scenario);
}
END_TEST

/* ---- reader-writer semaphores ---- */

static void read_twice(void *fixture)
{
	struct locks *l = fixture;

	down_read(&l->sem);
	msleep(50);
	down_read_nested(&l->sem, SINGLE_DEPTH_NESTING);
	up_read(&l->sem);
	up_read(&l->sem);
}

static void write_once(void *fixture)
{
	struct locks *l = fixture;

	msleep(10);
	down_write(&l->sem);
	l->order[l->count++] = 'w';
	up_write(&l->sem);
}

static void write_at_once(void *fixture)
{
	struct locks *l = fixture;

	down_write(&l->sem);
	up_write(&l->sem);
}

START_TEST(a_recursive_read_behind_a_writer_deadlocks)
{
	static const struct vfiosim_scenario scenario = {
		.name = "recursive-read", .fixture_size = sizeof(struct locks),
		.setup = init_locks,
		.tasks = { { "reader", read_twice }, { "writer", write_once } },
	};

	assert_scenario_detects("deadlock", &scenario);
	ck_assert_ptr_nonnull(strstr(run_failure()->message, "writer waits in down_write"));
}
END_TEST

static void read_long(void *fixture)
{
	struct locks *l = fixture;

	down_read(&l->sem);
	msleep(50);
	l->order[l->count++] = 'r';
	up_read(&l->sem);
}

static void read_late(void *fixture)
{
	struct locks *l = fixture;

	msleep(20);
	down_read(&l->sem);
	l->order[l->count++] = 'l';
	up_read(&l->sem);
}

static void expect_fair_order(void *fixture)
{
	struct locks *l = fixture;

	vfiosim_expect(l->order[0] == 'r' && l->order[1] == 'w' && l->order[2] == 'l');
}

START_TEST(a_queued_writer_goes_before_later_readers)
{
	static const struct vfiosim_scenario scenario = {
		.name = "fair", .fixture_size = sizeof(struct locks),
		.setup = init_locks, .teardown = expect_fair_order,
		.tasks = { { "reader", read_long }, { "writer", write_once },
			   { "late", read_late } },
	};

	assert_scenario_ok(&scenario);
	ck_assert_uint_eq(simtest_trace_count("down_write("), 2);
}
END_TEST

static void trylocks(void *fixture)
{
	struct locks *l = fixture;

	init_locks(l);
	vfiosim_expect(mutex_trylock(&l->a));
	vfiosim_expect(!mutex_trylock(&l->a));
	vfiosim_expect(mutex_is_locked(&l->a));
	mutex_unlock(&l->a);
	down_read(&l->sem);
	vfiosim_expect(!down_write_trylock(&l->sem));
	vfiosim_expect(down_read_trylock(&l->sem));
	up_read(&l->sem);
	up_read(&l->sem);
	vfiosim_expect(down_write_trylock(&l->sem));
	vfiosim_expect(!down_read_trylock(&l->sem));
	downgrade_write(&l->sem);
	lockdep_assert_held_read(&l->sem);
	up_read(&l->sem);
	vfiosim_expect(!rwsem_is_locked(&l->sem));
	vfiosim_expect(spin_trylock(&l->spin));
	vfiosim_expect(!spin_trylock(&l->spin));
	spin_unlock(&l->spin);
}

START_TEST(trylocks_never_wait)
{
	assert_runs(trylocks);
}
END_TEST

/* ---- waits that a signal ends ---- */

struct waiter {
	struct locks locks;
	struct task_struct *task;
	int results[2];
};

static int lock_interruptible(struct locks *l)
{
	return mutex_lock_interruptible(&l->a);
}

static int lock_killable(struct locks *l)
{
	return mutex_lock_killable(&l->a);
}

static int read_interruptible(struct locks *l)
{
	return down_read_interruptible(&l->sem);
}

static int read_killable(struct locks *l)
{
	return down_read_killable(&l->sem);
}

static int write_killable(struct locks *l)
{
	return down_write_killable(&l->sem);
}

static const struct {
	const char *what;
	int (*lock)(struct locks *l);
	int by_term, by_kill;
} breakable[] = {
	{ "mutex_lock_interruptible", lock_interruptible, -EINTR, -EINTR },
	{ "mutex_lock_killable", lock_killable, 0, -EINTR },
	{ "down_read_interruptible", read_interruptible, -EINTR, -EINTR },
	{ "down_read_killable", read_killable, 0, -EINTR },
	{ "down_write_killable", write_killable, 0, -EINTR },
};

static unsigned int breakable_row;

static void unlock(struct locks *l)
{
	if (lockdep_is_held(&l->a))
		mutex_unlock(&l->a);
	else if (l->sem.owner)
		up_write(&l->sem);
	else
		up_read(&l->sem);
}

static void wait_for_the_lock(void *fixture)
{
	struct waiter *w = fixture;

	w->task = current;
	for (int i = 0; i < 2; i++) {
		msleep(20);
		w->results[i] = breakable[breakable_row].lock(&w->locks);
		if (!w->results[i])
			unlock(&w->locks);
		w->task->pending = 0;
		msleep(1000);
	}
}

static void hold_and_signal(void *fixture)
{
	struct waiter *w = fixture;

	for (int i = 0; i < 2; i++) {
		mutex_lock(&w->locks.a);
		down_write(&w->locks.sem);
		msleep(100);
		send_sig(i ? 9 : 15, w->task);
		msleep(100);
		up_write(&w->locks.sem);
		mutex_unlock(&w->locks.a);
		msleep(900);
	}
}

static void init_waiter(void *fixture)
{
	init_locks(&((struct waiter *)fixture)->locks);
}

static void expect_broken(void *fixture)
{
	struct waiter *w = fixture;

	vfiosim_expect(w->results[0] == breakable[breakable_row].by_term);
	vfiosim_expect(w->results[1] == breakable[breakable_row].by_kill);
	vfiosim_expect(!rwsem_is_contended(&w->locks.sem));
}

START_TEST(a_signal_ends_the_wait_for_a_lock)
{
	static const struct vfiosim_scenario scenario = {
		.name = "broken", .fixture_size = sizeof(struct waiter),
		.setup = init_waiter, .teardown = expect_broken,
		.tasks = { { "waiter", wait_for_the_lock }, { "holder", hold_and_signal } },
	};

	breakable_row = _i;
	assert_scenario_ok(&scenario);
}
END_TEST

static void hold_for_read(void *fixture)
{
	struct locks *l = fixture;

	down_read(&l->sem);
	msleep(50);
	up_read(&l->sem);
}

static void try_to_write(void *fixture)
{
	struct locks *l = fixture;

	for (int i = 0; i < 4; i++) {
		if (!down_write_trylock(&l->sem))
			continue;
		vfiosim_expect(list_empty(&l->sem.wait_list));
		up_write(&l->sem);
	}
}

START_TEST(a_trylock_does_not_overtake_a_queued_writer)
{
	static const struct vfiosim_scenario scenario = {
		.name = "overtake", .fixture_size = sizeof(struct locks), .setup = init_locks,
		.tasks = { { "reader", hold_for_read }, { "writer", write_at_once },
			   { "trier", try_to_write } },
	};

	assert_scenario_ok_random(&scenario, 200);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lock");
	TCase *tc = tcase_create("lock");

	tcase_add_test(tc, a_mutex_admits_one_task_at_a_time);
	tcase_add_test(tc, an_inversion_is_found_without_the_deadlock);
	tcase_add_test(tc, a_deadlock_names_both_tasks_and_their_locks);
	tcase_add_loop_test(tc, each_misuse_has_its_detector, 0, ARRAY_SIZE(misuses));
	tcase_add_test(tc, only_the_owner_may_unlock);
	tcase_add_test(tc, a_recursive_read_behind_a_writer_deadlocks);
	tcase_add_test(tc, a_queued_writer_goes_before_later_readers);
	tcase_add_test(tc, trylocks_never_wait);
	tcase_add_loop_test(tc, a_signal_ends_the_wait_for_a_lock, 0, ARRAY_SIZE(breakable));
	tcase_add_test(tc, a_trylock_does_not_overtake_a_queued_writer);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
