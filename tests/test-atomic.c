// SPDX-License-Identifier: GPL-2.0-only
/* Atomics return what the kernel's return; refcount_t saturates; kref releases once. */
#include <vfiosim/kapi.h>

#include "simtest.h"

static void arithmetic(void *fixture)
{
	atomic_t v = ATOMIC_INIT(2);

	vfiosim_expect(atomic_add_return(3, &v) == 5);
	vfiosim_expect(atomic_fetch_add(1, &v) == 5);
	vfiosim_expect(atomic_sub_return(2, &v) == 4);
	vfiosim_expect(!atomic_dec_and_test(&v));
	vfiosim_expect(atomic_xchg(&v, 1) == 3);
	vfiosim_expect(atomic_dec_and_test(&v));
	vfiosim_expect(atomic_add_negative(-1, &v));
	atomic_set(&v, INT_MAX);
	atomic_inc(&v);
	vfiosim_expect(atomic_read(&v) == INT_MIN);
}

static void conditional(void *fixture)
{
	atomic_long_t v = ATOMIC_LONG_INIT(1);
	long old = 5;

	vfiosim_expect(atomic_long_inc_not_zero(&v));
	vfiosim_expect(atomic_long_dec_if_positive(&v) == 1);
	vfiosim_expect(atomic_long_dec_if_positive(&v) == 0);
	vfiosim_expect(atomic_long_dec_if_positive(&v) == -1);
	vfiosim_expect(atomic_long_read(&v) == 0);
	vfiosim_expect(!atomic_long_inc_not_zero(&v));
	vfiosim_expect(atomic_long_cmpxchg(&v, 1, 9) == 0 && atomic_long_read(&v) == 0);
	vfiosim_expect(!atomic_long_try_cmpxchg(&v, &old, 9) && old == 0);
	vfiosim_expect(atomic_long_try_cmpxchg(&v, &old, 9) && atomic_long_read(&v) == 9);
	vfiosim_expect(!atomic_long_add_unless(&v, 1, 9));
	vfiosim_expect(!atomic_long_dec_unless_positive(&v));
	vfiosim_expect(atomic_long_inc_unless_negative(&v) && atomic_long_read(&v) == 10);
	atomic_long_set(&v, -1);
	vfiosim_expect(!atomic_long_inc_unless_negative(&v));
}

START_TEST(operations_return_what_the_kernel_s_return)
{
	assert_runs(arithmetic);
	assert_runs(conditional);
}
END_TEST

static void overflow(void *fixture)
{
	refcount_t refs = REFCOUNT_INIT(REFCOUNT_MAX);

	refcount_inc(&refs);
}

static void leak_last(void *fixture)
{
	refcount_t refs = REFCOUNT_INIT(1);

	refcount_dec(&refs);
}

static void stay_saturated(void *fixture)
{
	refcount_t refs = REFCOUNT_INIT(REFCOUNT_SATURATED);

	refcount_inc(&refs);
	vfiosim_expect(!refcount_dec_and_test(&refs));
	vfiosim_expect(refcount_read(&refs) == (unsigned int)REFCOUNT_SATURATED);
}

START_TEST(a_refcount_saturates_and_warns_once)
{
	assert_detects("refcount", overflow);
	ck_assert_ptr_nonnull(strstr(run_failure()->message, "overflow"));
	assert_detects("refcount", leak_last);
	assert_runs(stay_saturated);
}
END_TEST

static void count_by_more_than_one(void *fixture)
{
	refcount_t refs = REFCOUNT_INIT(1);

	refcount_add(4, &refs);
	vfiosim_expect(refcount_add_not_zero(2, &refs) && refcount_read(&refs) == 7);
	vfiosim_expect(!refcount_sub_and_test(6, &refs) && !refcount_dec_not_one(&refs));
	vfiosim_expect(refcount_dec_if_one(&refs) && refcount_read(&refs) == 0);
	vfiosim_expect(!refcount_dec_if_one(&refs));
	vfiosim_expect(!refcount_inc_not_zero(&refs) && !refcount_add_not_zero(2, &refs));
	refcount_set(&refs, 3);
	vfiosim_expect(refcount_dec_not_one(&refs) && refcount_sub_and_test(2, &refs));
}

/* The lock is taken for the last reference only. */
static void drop_under_lock(void *fixture)
{
	struct {
		spinlock_t spin;
		struct mutex mutex;
	} l;
	refcount_t refs = REFCOUNT_INIT(2);
	atomic_t count = ATOMIC_INIT(2);

	spin_lock_init(&l.spin);
	mutex_init(&l.mutex);
	vfiosim_expect(!refcount_dec_and_lock(&refs, &l.spin) && !spin_is_locked(&l.spin));
	vfiosim_expect(refcount_dec_and_lock(&refs, &l.spin) && lockdep_is_held(&l.spin));
	spin_unlock(&l.spin);
	vfiosim_expect(!atomic_dec_and_lock(&count, &l.spin) && !spin_is_locked(&l.spin));
	vfiosim_expect(atomic_dec_and_lock(&count, &l.spin) && lockdep_is_held(&l.spin));
	spin_unlock(&l.spin);
	refcount_set(&refs, 2);
	vfiosim_expect(!refcount_dec_and_mutex_lock(&refs, &l.mutex));
	vfiosim_expect(!mutex_is_locked(&l.mutex));
	vfiosim_expect(refcount_dec_and_mutex_lock(&refs, &l.mutex));
	mutex_unlock(&l.mutex);
	atomic_set(&count, 1);
	vfiosim_expect(atomic_dec_and_mutex_lock(&count, &l.mutex));
	mutex_unlock(&l.mutex);
}

static void add_on_zero(void *fixture)
{
	refcount_t refs = REFCOUNT_INIT(0);

	refcount_inc(&refs);
}

static void drop_too_many(void *fixture)
{
	refcount_t refs = REFCOUNT_INIT(1);

	refcount_sub_and_test(2, &refs);
}

START_TEST(references_are_counted_in_any_number)
{
	assert_runs(count_by_more_than_one);
	assert_runs(drop_under_lock);
	assert_detects("refcount", add_on_zero);
	ck_assert_ptr_nonnull(strstr(run_failure()->message, "addition on 0"));
	assert_detects("refcount", drop_too_many);
	ck_assert_ptr_nonnull(strstr(run_failure()->message, "underflow"));
}
END_TEST

struct shared {
	struct mutex lock;
	struct kref kref;
	int releases;
	bool released_with_lock;
};

static void init_shared(void *fixture)
{
	struct shared *s = fixture;

	mutex_init(&s->lock);
	kref_init(&s->kref);
	kref_get(&s->kref);
}

static void release_shared(struct kref *kref)
{
	struct shared *s = container_of(kref, struct shared, kref);

	s->releases++;
	s->released_with_lock = mutex_is_locked(&s->lock);
	mutex_unlock(&s->lock);
}

static void put_shared(void *fixture)
{
	struct shared *s = fixture;

	kref_put_mutex(&s->kref, release_shared, &s->lock);
}

static void expect_one_release(void *fixture)
{
	struct shared *s = fixture;

	vfiosim_expect(s->releases == 1 && s->released_with_lock);
	vfiosim_expect(!kref_get_unless_zero(&s->kref));
}

START_TEST(the_last_of_two_puts_releases_with_the_lock_held)
{
	static const struct vfiosim_scenario scenario = {
		.name = "puts", .fixture_size = sizeof(struct shared),
		.setup = init_shared, .teardown = expect_one_release,
		.tasks = { { "first", put_shared }, { "second", put_shared } },
	};

	assert_scenario_ok_random(&scenario, 100);
}
END_TEST

static const struct step *only_step_of(void (*body)(void *))
{
	struct vfiosim_scenario scenario = {
		.name = "step", .fixture_size = 64, .tasks = { { "alone", body } },
	};
	static struct step step;

	run_begin(&(struct run_config){ .scenario = &scenario });
	while (run_menu())
		step = *run_step(0, ENG_READY);
	ck_assert_int_eq(run_end(), VFIOSIM_OK);
	return &step;
}

static void fail_cmpxchg(void *fixture)
{
	atomic_cmpxchg(fixture, 1, 2);
}

static void do_cmpxchg(void *fixture)
{
	atomic_cmpxchg(fixture, 0, 2);
}

static void fail_inc_not_zero(void *fixture)
{
	refcount_inc_not_zero(fixture);
}

START_TEST(a_failed_conditional_operation_counts_as_a_read)
{
	ck_assert_int_eq(only_step_of(fail_cmpxchg)->access, ENG_READ);
	ck_assert_int_eq(only_step_of(do_cmpxchg)->access, ENG_WRITE);
	ck_assert_int_eq(only_step_of(fail_inc_not_zero)->access, ENG_READ);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("atomic");
	TCase *tc = tcase_create("atomic");

	tcase_add_test(tc, operations_return_what_the_kernel_s_return);
	tcase_add_test(tc, a_refcount_saturates_and_warns_once);
	tcase_add_test(tc, references_are_counted_in_any_number);
	tcase_add_test(tc, the_last_of_two_puts_releases_with_the_lock_held);
	tcase_add_test(tc, a_failed_conditional_operation_counts_as_a_read);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
