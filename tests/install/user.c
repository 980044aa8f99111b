// SPDX-License-Identifier: GPL-2.0-only
/*
 * A libcheck test of somebody who links the library: with a mutex_lock() and a
 * list_head of its own, and a driver in another file that uses the kernel's.
 */
#include <check.h>
#include <stdlib.h>
#include <vfiosim.h>

struct list_head { int mine; };

static int calls_of_ours;
extern const struct vfiosim_scenario driver_scenario;

void mutex_lock(struct list_head *list);

void mutex_lock(struct list_head *list)
{
	list->mine++;
	calls_of_ours++;
}

START_TEST(our_names_stay_ours)
{
	const enum vfiosim_strategy strategies[] = { VFIOSIM_EXHAUSTIVE, VFIOSIM_STATES };
	struct list_head list = { 0 };

	mutex_lock(&list);
	for (int i = 0; i < 2; i++) {
		struct vfiosim_options options = { .strategy = strategies[i], .runs_max = 100 };
		struct vfiosim_report *report = NULL;
		enum vfiosim_verdict verdict =
			vfiosim_explore(&driver_scenario, &options, &report);

		ck_assert_msg(verdict == VFIOSIM_OK, "%s", vfiosim_report_text(report));
		ck_assert_uint_gt(vfiosim_report_runs(report), 1);
		vfiosim_report_free(report);
	}
	ck_assert_int_eq(calls_of_ours, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("user");
	TCase *tc = tcase_create("user");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, our_names_stay_ours);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
