// SPDX-License-Identifier: GPL-2.0-only
/* idr, ida and xarray give out what the kernel's give out. */
#include <vfiosim/kapi.h>

#include "simtest.h"

static void numbers(void *fixture)
{
	struct idr idr = IDR_INIT(idr);
	int id;
	int *entry;

	vfiosim_expect(idr_alloc(&idr, &id, 0, 3, GFP_KERNEL) == 0);
	vfiosim_expect(idr_alloc(&idr, &idr, 0, 3, GFP_KERNEL) == 1);
	vfiosim_expect(idr_alloc(&idr, &id, 2, 3, GFP_KERNEL) == 2);
	vfiosim_expect(idr_alloc(&idr, &id, 0, 3, GFP_KERNEL) == -ENOSPC);
	vfiosim_expect(idr_find(&idr, 1) == &idr && !idr_find(&idr, 77));
	vfiosim_expect(idr_remove(&idr, 0) == &id && !idr_remove(&idr, 0));
	vfiosim_expect(idr_alloc(&idr, &id, 0, 0, GFP_KERNEL) == 0);
	vfiosim_expect(idr_alloc(&idr, &id, 200, 0, GFP_KERNEL) == 200);
	vfiosim_expect(idr_replace(&idr, &idr, 200) == &id);
	idr_remove(&idr, 1);
	id = 1;
	entry = idr_get_next(&idr, &id);
	vfiosim_expect(id == 2 && entry == &id);
	idr_remove(&idr, 0);
	idr_remove(&idr, 2);
	idr_remove(&idr, 200);
	vfiosim_expect(idr_is_empty(&idr));
	idr_destroy(&idr);
}

static void cyclic(void *fixture)
{
	struct idr idr = IDR_INIT(idr);

	vfiosim_expect(idr_alloc_cyclic(&idr, &idr, 1, 4, GFP_KERNEL) == 1);
	idr_remove(&idr, 1);
	vfiosim_expect(idr_alloc_cyclic(&idr, &idr, 1, 4, GFP_KERNEL) == 2);
	vfiosim_expect(idr_alloc_cyclic(&idr, &idr, 1, 4, GFP_KERNEL) == 3);
	vfiosim_expect(idr_alloc_cyclic(&idr, &idr, 1, 4, GFP_KERNEL) == 1);
	idr_destroy(&idr);
}

static void ida(void *fixture)
{
	struct ida ida = IDA_INIT(ida);

	vfiosim_expect(ida_alloc_range(&ida, 1, 2, GFP_KERNEL) == 1);
	vfiosim_expect(ida_alloc_range(&ida, 1, 2, GFP_KERNEL) == 2);
	vfiosim_expect(ida_alloc_range(&ida, 1, 2, GFP_KERNEL) == -ENOSPC);
	vfiosim_expect(ida_alloc_min(&ida, 100, GFP_KERNEL) == 100);
	ida_free(&ida, 1);
	vfiosim_expect(ida_alloc(&ida, GFP_KERNEL) == 0);
	vfiosim_expect(ida_alloc(&ida, GFP_KERNEL) == 1);
	ida_destroy(&ida);
	vfiosim_expect(ida_is_empty(&ida));
}

static void xarray(void *fixture)
{
	struct xarray *xa = fixture;
	unsigned long index, sum = 0;
	void *entry;

	xa_init(xa);
	vfiosim_expect(!xa_store(xa, 1UL << 40, xa, GFP_KERNEL));
	vfiosim_expect(!xa_store(xa, 3, &sum, GFP_KERNEL));
	vfiosim_expect(xa_load(xa, 3) == &sum && !xa_load(xa, 4));
	xa_lock(xa);
	vfiosim_expect(__xa_cmpxchg(xa, 3, NULL, xa, GFP_KERNEL) == &sum);
	vfiosim_expect(!__xa_cmpxchg(xa, 5, NULL, xa, GFP_KERNEL));
	vfiosim_expect(__xa_erase(xa, 5) == xa);
	xa_unlock(xa);
	xa_for_each(xa, index, entry)
		sum += index;
	vfiosim_expect(sum == 3 + (1UL << 40));
	vfiosim_expect(xa_erase(xa, 3) == &sum && !xa_empty(xa));
	xa_destroy(xa);
	vfiosim_expect(xa_empty(xa));
}

static const struct {
	const char *what;
	void (*body)(void *fixture);
} bodies[] = {
	{ "the lowest free number is given", numbers },
	{ "cyclic allocation goes on, then wraps", cyclic },
	{ "ida gives the lowest free number of a range", ida },
	{ "xarray takes any index", xarray },
};

START_TEST(numbers_are_the_kernel_s)
{
	assert_runs(bodies[_i].body);
}
END_TEST

static void store_one(void *fixture)
{
	struct xarray *xa = fixture;
	void *old;

	xa_init(xa);
	old = xa_store(xa, 1, xa, GFP_KERNEL);
	vfiosim_expect(!old || (xa_is_err(old) && xa_err(old) == -ENOMEM));
	xa_destroy(xa);
}

START_TEST(a_failed_store_returns_an_encoded_error)
{
	static const struct vfiosim_scenario scenario = {
		.name = "store", .fixture_size = sizeof(struct xarray),
		.tasks = { { "alone", store_one } },
	};

	assert_scenario_survives_faults(&scenario, 1);
}
END_TEST

static void free_unallocated(void *fixture)
{
	ida_free(fixture, 3);
}

START_TEST(freeing_a_free_number_warns)
{
	assert_detects("warn", free_unallocated);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("idr");
	TCase *tc = tcase_create("idr");

	tcase_add_loop_test(tc, numbers_are_the_kernel_s, 0, ARRAY_SIZE(bodies));
	tcase_add_test(tc, a_failed_store_returns_an_encoded_error);
	tcase_add_test(tc, freeing_a_free_number_warns);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
