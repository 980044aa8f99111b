// SPDX-License-Identifier: GPL-2.0-only
/* Each detector of the engine is shown to fire, and what it says. */
#include <stdio.h>

#include <vfiosim/kapi.h>

#include "simtest.h"
#include "symbols.h"

struct thing {
	struct mutex lock;
	refcount_t refs;
	struct list_head list;
	struct thing *other;
	int value;
};

static struct thing *__attribute__((noinline)) new_thing(void)
{
	struct thing *thing = kzalloc(sizeof(*thing), GFP_KERNEL);

	mutex_init(&thing->lock);
	refcount_set(&thing->refs, 1);
	INIT_LIST_HEAD(&thing->list);
	return thing;
}

static void lock_after_free(void *fixture)
{
	struct thing *thing = new_thing();

	kfree(thing);
	mutex_lock(&thing->lock);
}

static void follow_pointer_after_free(void *fixture)
{
	struct thing *thing = new_thing();

	thing->other = thing;
	kfree(thing);
	thing->other->value = 1;
}

static void write_after_free(void *fixture)
{
	struct thing *thing = new_thing();

	kfree(thing);
	thing->value = 1;
}

static void free_twice(void *fixture)
{
	struct thing *thing = new_thing();

	kfree(thing);
	kfree(thing);
}

static void free_the_middle(void *fixture)
{
	kfree(&new_thing()->value);
}

static void leak(void *fixture)
{
	new_thing();
}

static void get_from_zero(void *fixture)
{
	struct thing *thing = new_thing();

	vfiosim_expect(refcount_dec_and_test(&thing->refs));
	refcount_inc(&thing->refs);
	kfree(thing);
}

static void put_too_often(void *fixture)
{
	struct thing *thing = new_thing();

	vfiosim_expect(refcount_dec_and_test(&thing->refs));
	vfiosim_expect(!refcount_dec_and_test(&thing->refs));
	kfree(thing);
}

static void delete_twice(void *fixture)
{
	struct thing *thing = new_thing();

	list_del(&thing->list);
	list_del(&thing->list);
}

static void dereference_null(void *fixture)
{
	struct thing **thing = fixture;

	(*thing)->value = 1;
}

static int __attribute__((noinline)) divide(int a, int b)
{
	return a / b;
}

static void divide_by_zero(void *fixture)
{
	volatile int zero = fixture == NULL, one = 1;

	vfiosim_expect(divide(one, zero) != 7);
}

static int __attribute__((noinline)) recurse(volatile int *depth)
{
	volatile int more[64] = { *depth };

	more[1] = *depth + 1;
	return more[1] ? recurse(&more[1]) + more[0] : 0;
}

static void overflow_the_stack(void *fixture)
{
	volatile int depth = 0;

	recurse(&depth);
}

static void use_what_was_never_set(void *fixture)
{
	struct thing *thing = kmalloc(sizeof(*thing), GFP_KERNEL);

	thing->other->value = 1;
}

static void hit_bug(void *fixture)
{
	BUG_ON(fixture != NULL);
}

static void hit_warning(void *fixture)
{
	vfiosim_expect(WARN_ON(fixture != NULL));
}

static void expect_the_false(void *fixture)
{
	vfiosim_expect(!fixture);
}

static void sleep_in_rcu(void *fixture)
{
	rcu_read_lock();
	msleep(10);
	rcu_read_unlock();
}

static void allocate_under_spinlock(void *fixture)
{
	spinlock_t *lock = fixture;

	spin_lock_init(lock);
	spin_lock(lock);
	kfree(kmalloc(8, GFP_KERNEL));
	spin_unlock(lock);
}

static void wait_for_nobody(void *fixture)
{
	struct completion *done = fixture;

	init_completion(done);
	wait_for_completion(done);
}

static void poll_for_ever(void *fixture)
{
	struct completion *done = fixture;

	init_completion(done);
	while (!wait_for_completion_timeout(done, 10 * HZ))
		continue;
}

static void never_end(void *fixture)
{
	atomic_t *count = fixture;

	for (;;)
		atomic_inc(count);
}

static const struct {
	const char *what;
	const char *detector;
	void (*body)(void *fixture);
	const char *message;		/* a part of it */
	bool needs_poison;		/* a memory checker stops the program instead */
} cases[] = {
	{ "a lock in freed memory is taken", "use-after-free", lock_after_free,
	  "thing#1: alone uses it after it was freed by alone in lock_after_free()", true },
	{ "a pointer in freed memory is followed", "use-after-free",
	  follow_pointer_after_free, "in follow_pointer_after_free", true },
	{ "freed memory is written", "use-after-free", write_after_free,
	  "thing#1: written to after it was freed", true },
	{ "memory is freed twice", "double-free", free_twice,
	  "thing#1: alone frees it again in free_twice()", false },
	{ "the middle of an object is freed", "bad-free", free_the_middle,
	  "no allocation returned", false },
	{ "an object is left", "leak", leak, "thing#1 from new_thing()", false },
	{ "a reference is taken on 0", "refcount", get_from_zero, "addition on 0", false },
	{ "a reference is dropped on 0", "refcount", put_too_often, "underflow", false },
	{ "a list entry is deleted twice", "use-after-free", delete_twice,
	  "deleted list entry", true },
	{ "NULL is dereferenced", "crash", dereference_null,
	  "dereferenced NULL in dereference_null", true },
	{ "a division by zero", "crash", divide_by_zero, "divided by zero in divide", true },
	{ "the stack overflows", "stack-overflow", overflow_the_stack, "recurse", true },
	{ "memory that was never set is used", "crash", use_what_was_never_set,
	  "never set", true },
	{ "BUG_ON", "bug", hit_bug, "fixture != NULL at test-detect.c", false },
	{ "WARN_ON", "warn", hit_warning, "fixture != NULL at test-detect.c", false },
	{ "an expectation fails", "expectation", expect_the_false, "!fixture", false },
	{ "sleeping in an RCU read section", "sleeping-while-atomic", sleep_in_rcu,
	  "alone may sleep in an RCU read section", false },
	{ "allocating with GFP_KERNEL under a spinlock", "sleeping-while-atomic",
	  allocate_under_spinlock, "with a spinlock held", false },
	{ "nobody completes", "deadlock", wait_for_nobody,
	  "alone waits in wait_for_completion(fixture#1", false },
	{ "a wait is retried for ever", "hung-task", poll_for_ever,
	  "alone waits in wait_for_completion", false },
	{ "a loop without end", "step-limit", never_end, "no end after", false },
};

START_TEST(each_detector_fires)
{
	if (cases[_i].needs_poison && simtest_has_memory_checker())
		return;
	assert_detects(cases[_i].detector, cases[_i].body);
	ck_assert_msg(strstr(run_failure()->message, cases[_i].message),
		      "%s: \"%s\" is not in \"%s\"", cases[_i].what, cases[_i].message,
		      run_failure()->message);
}
END_TEST

static const struct {
	void (*body)(void *fixture);
	const char *detector, *function;
	bool needs_poison;
} failed_in[] = {
	{ hit_bug, "bug", "hit_bug", false },
	{ dereference_null, "crash", "dereference_null", true },
};

START_TEST(the_stack_of_a_failed_task_ends_where_it_failed)
{
	const void *frames[24];
	bool found = false;

	if (failed_in[_i].needs_poison && simtest_has_memory_checker())
		return;
	assert_detects(failed_in[_i].detector, failed_in[_i].body);
	for (size_t n = run_stack(run_failure()->task, frames, 24); n && !found; n--)
		found = !strcmp(symbol_function(frames[n - 1]), failed_in[_i].function);
	ck_assert_msg(found, "%s is not on the stack", failed_in[_i].function);
}
END_TEST

static struct thing *volatile keeper KSTATE = NULL;

static void leak_a_chain(void *fixture)
{
	keeper = new_thing();
	keeper->other = new_thing();
}

START_TEST(a_leak_shows_who_still_refers_to_it)
{
	assert_detects("leak", leak_a_chain);
	ck_assert_ptr_nonnull(strstr(run_failure()->message,
				     "thing#2 from new_thing() <- thing#1+0x"));
	ck_assert_ptr_nonnull(strstr(run_failure()->message, " <- keeper"));
}
END_TEST

static void wait_long(void *fixture)
{
	wait_for_completion(fixture);
}

static void complete_late(void *fixture)
{
	init_completion(fixture);
	msleep(130 * 1000);
	complete(fixture);
}

START_TEST(a_wait_of_two_minutes_is_a_hung_task)
{
	static const struct vfiosim_scenario scenario = {
		.name = "late", .fixture_size = sizeof(struct completion),
		.tasks = { { "late", complete_late }, { "waiter", wait_long } },
	};

	assert_scenario_detects("hung-task", &scenario);
	ck_assert_ptr_nonnull(strstr(run_failure()->message, "for 130 s waiter waits"));
}
END_TEST

static void wait_then_free(void *fixture)
{
	struct thing **shared = fixture;

	mutex_lock(&(*shared)->lock);
	msleep(50);
	kfree(*shared);
	for (int i = 0; i < 3; i++)
		msleep(50);
}

static void wait_for_freed_lock(void *fixture)
{
	struct thing **shared = fixture;

	msleep(10);
	mutex_lock(&(*shared)->lock);
}

static void make_shared(void *fixture)
{
	*(struct thing **)fixture = new_thing();
}

START_TEST(a_task_that_waits_on_freed_memory_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "freed-lock", .fixture_size = sizeof(void *), .setup = make_shared,
		.tasks = { { "owner", wait_then_free }, { "waiter", wait_for_freed_lock } },
	};

	if (simtest_has_memory_checker())
		return;
	assert_scenario_detects("use-after-free", &scenario);
	ck_assert_ptr_nonnull(strstr(run_failure()->message, "waiter"));
}
END_TEST

START_TEST(a_tolerated_finding_does_not_fail_the_run)
{
	static const struct vfiosim_scenario scenario = {
		.name = "tolerant", .tolerate = "hung-task,warn", .fixture_size = 16,
		.tasks = { { "alone", hit_warning } },
	};

	assert_scenario_ok(&scenario);
	ck_assert_uint_eq(simtest_trace_count("*** warn"), 1);
}
END_TEST

static bool count_is_small(const void *fixture)
{
	return *(const int *)fixture < 3;
}

static void count_up(void *fixture)
{
	for (int i = 0; i < 5; i++) {
		cond_resched();
		++*(int *)fixture;
	}
}

START_TEST(the_scenario_s_check_is_asked_after_each_step)
{
	static const struct vfiosim_scenario scenario = {
		.name = "check", .fixture_size = sizeof(int), .check = count_is_small,
		.tasks = { { "counter", count_up } },
	};

	assert_scenario_detects("expectation", &scenario);
	ck_assert_uint_eq(simtest_trace_count("cond_resched"), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("detect");
	TCase *tc = tcase_create("detect");

	tcase_add_loop_test(tc, each_detector_fires, 0, ARRAY_SIZE(cases));
	tcase_add_loop_test(tc, the_stack_of_a_failed_task_ends_where_it_failed, 0,
			    ARRAY_SIZE(failed_in));
	tcase_add_test(tc, a_leak_shows_who_still_refers_to_it);
	tcase_add_test(tc, a_wait_of_two_minutes_is_a_hung_task);
	tcase_add_test(tc, a_task_that_waits_on_freed_memory_is_found);
	tcase_add_test(tc, a_tolerated_finding_does_not_fail_the_run);
	tcase_add_test(tc, the_scenario_s_check_is_asked_after_each_step);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
