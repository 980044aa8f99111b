// SPDX-License-Identifier: GPL-2.0-only
/*
 * The examples, all of them: each leaves the same trace every time, and under
 * many schedules ends as its story says.
 */
#include <string.h>

#include "simtest.h"

extern const struct vfiosim_scenario *const __start_vfiosim_scenarios[];
extern const struct vfiosim_scenario *const __stop_vfiosim_scenarios[];

static const struct vfiosim_scenario *example(const char *name)
{
	const struct vfiosim_scenario *const *at = __start_vfiosim_scenarios;

	for (; at < __stop_vfiosim_scenarios; at++)
		if (*at && !strcmp((*at)->name, name))
			return *at;
	ck_abort_msg("no example is called %s", name);
}

START_TEST(each_example_leaves_the_same_trace_twice)
{
	const struct vfiosim_scenario *const *at = __start_vfiosim_scenarios;
	unsigned int n = 0;

	for (; at < __stop_vfiosim_scenarios; at++) {
		if (!*at)
			continue;
		assert_scenario_repeats(*at);
		n++;
	}
	ck_assert_uint_ge(n, 19);
}
END_TEST

/* @runs is exact where the verdict is OK, and a budget where it is BUDGET. */
static const struct {
	const char *name;
	enum vfiosim_verdict verdict;
	uint64_t runs;
	const char *what;
} outcomes[] = {
	{ "lock_counter", VFIOSIM_OK, 1680, "9! / (3! 3! 3!) orders of the lock" },
	{ "kref_lookup", VFIOSIM_OK, 0, "the lock keeps the object while it is found" },
	{ "unregister_openers", VFIOSIM_OK, 0, "openers are waited for or turned away" },
	{ "abba_deadlock", VFIOSIM_DEADLOCK, 0, "each holds what the other wants" },
	{ "lost_wakeup", VFIOSIM_DEADLOCK, 0, "the wake-up came before the sleep" },
	{ "register_race", VFIOSIM_OK, 0, "one wins, in every order" },
	{ "open_vs_unregister", VFIOSIM_BUDGET, 500, "refused or waited for" },
	{ "last_pin_dies", VFIOSIM_BUDGET, 500, "no mount without a pin" },
	{ "unbind_blocked", VFIOSIM_BUDGET, 500, "the mapping is waited for" },
	{ "request_loop", VFIOSIM_BUDGET, 500, "three requests, whoever runs" },
	{ "story", VFIOSIM_BUDGET, 100, "the story ends well" },
	{ "zap_everyone", VFIOSIM_OK, 0, "nobody reaches a device that is off" },
	{ "two_devices_one_group", VFIOSIM_BUDGET, 100, "one of two is taken away" },
	{ "fork_and_zap_6_1", VFIOSIM_OK, 0, "the child is missed, always" },
	{ "fork_and_zap", VFIOSIM_OK, 0, "the child is found, always" },
	{ "mremap_and_zap_5_14", VFIOSIM_OK, 0, "the moved mapping is missed" },
	{ "mremap_and_zap", VFIOSIM_OK, 0, "the moved mapping is found" },
};

START_TEST(each_example_ends_as_told_under_many_schedules)
{
	const struct vfiosim_options options = {
		.runs_max = outcomes[_i].verdict == VFIOSIM_BUDGET ? outcomes[_i].runs : 5000,
		.no_minimize = true,
	};
	struct vfiosim_report *report = NULL;
	enum vfiosim_verdict verdict =
		vfiosim_explore(example(outcomes[_i].name), &options, &report);

	ck_assert_msg(verdict == outcomes[_i].verdict, "%s: %s\n%s", outcomes[_i].name,
		      outcomes[_i].what, vfiosim_report_text(report));
	if (outcomes[_i].runs)
		ck_assert_uint_eq(vfiosim_report_runs(report), outcomes[_i].runs);
	vfiosim_report_free(report);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("examples");
	TCase *tc = tcase_create("examples");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, each_example_leaves_the_same_trace_twice);
	tcase_add_loop_test(tc, each_example_ends_as_told_under_many_schedules, 0,
			    sizeof(outcomes) / sizeof(outcomes[0]));
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
