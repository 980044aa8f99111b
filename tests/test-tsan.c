// SPDX-License-Identifier: GPL-2.0-only
/* Data races among plain accesses, and preemption at them. */
#include <string.h>

#include "plain-access.h"
#include "simtest.h"

static const struct {
	const char *what;
	const struct vfiosim_scenario *scenario;
	const char *detector;		/* NULL: all is well */
} cases[] = {
	{ "a counter without a lock", &plain_unlocked, "data-race" },
	{ "a counter under a lock", &plain_locked, NULL },
	{ "written before a completion, read after it", &plain_completed, NULL },
	{ "both sides marked", &plain_marked, NULL },
	{ "one side marked", &plain_half_marked, "data-race" },
	{ "a write under a lock held for reading", &plain_readers, "data-race" },
	{ "two bytes of one word", &plain_neighbours, NULL },
};

START_TEST(plain_accesses_that_nothing_orders_are_a_race)
{
	struct vfiosim_options options = { .races = true, .plain_points = _i % 2 };
	struct vfiosim_report *report;
	const char *detector;

	/* Each case without and with choice points at its accesses. */
	vfiosim_explore(cases[_i / 2].scenario, &options, &report);
	detector = vfiosim_report_detector(report);
	if (cases[_i / 2].detector)
		ck_assert_msg(detector && !strcmp(detector, cases[_i / 2].detector), "%s: %s",
			      cases[_i / 2].what, detector ? detector : "nothing found");
	else
		ck_assert_msg(!detector, "%s: %s", cases[_i / 2].what,
			      vfiosim_report_text(report));
	vfiosim_report_free(report);
}
END_TEST

START_TEST(a_race_names_both_tasks_and_functions)
{
	struct vfiosim_options options = { .races = true };
	struct vfiosim_report *report;
	const char *text;

	vfiosim_explore(&plain_half_marked, &options, &report);
	text = vfiosim_report_text(report);
	ck_assert_msg(strstr(text, "p writes it in write_plainly() and q reads it in read_once()"),
		      "%s", text);
	vfiosim_report_free(report);
}
END_TEST

START_TEST(without_choice_points_at_accesses_an_update_is_never_lost)
{
	ck_assert_int_eq(vfiosim_explore(&plain_lost_update, NULL, NULL), VFIOSIM_OK);
}
END_TEST

START_TEST(with_choice_points_at_accesses_an_update_can_be_lost)
{
	/* Not watched for races, which would end the run before the loss shows. */
	struct vfiosim_options options = { .plain_points = true };
	struct vfiosim_report *report;

	ck_assert_int_eq(vfiosim_explore(&plain_unlocked, &options, &report), VFIOSIM_VIOLATION);
	ck_assert_str_eq(vfiosim_report_detector(report), "data-race");
	vfiosim_report_free(report);
	ck_assert_int_eq(vfiosim_explore(&plain_lost_update, &options, &report),
			 VFIOSIM_VIOLATION);
	ck_assert_str_eq(vfiosim_report_detector(report), "expectation");
	vfiosim_report_free(report);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tsan");
	TCase *all = tcase_create("plain accesses");

	tcase_add_loop_test(all, plain_accesses_that_nothing_orders_are_a_race, 0,
			    2 * sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(all, a_race_names_both_tasks_and_functions);
	tcase_add_test(all, without_choice_points_at_accesses_an_update_is_never_lost);
	tcase_add_test(all, with_choice_points_at_accesses_an_update_can_be_lost);
	suite_add_tcase(suite, all);
	return simtest_main(suite);
}
