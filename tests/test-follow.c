// SPDX-License-Identifier: GPL-2.0-only
/*
 * Comparing traces: a core follows itself under every schedule and every fault,
 * and does not follow another one. Cores of kernel trees: tests/tree-514.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core-scenarios.h"
#include "explore.h"
#include "follow.h"
#include "simtest.h"

struct wanted {
	GPtrArray *schedules;		/* of GArray of struct decision */
	struct exploration x;
};

static void keep(void *data, enum vfiosim_verdict verdict, uint64_t trace)
{
	struct wanted *w = data;
	const struct decision *d;
	size_t n = run_decisions(&d);
	GArray *copy = g_array_sized_new(FALSE, FALSE, sizeof(*d), n);

	g_array_append_vals(copy, d, n);
	g_ptr_array_add(w->schedules, copy);
}

static void explore(struct wanted *w, const struct vfiosim_scenario *scenario,
		    unsigned int faults)
{
	struct vfiosim_options options = {
		.keep_going = true, .runs_max = 60, .faults_max = faults,
		.preemptions_bounded = true, .preemptions_max = 1,
		.on_run = keep, .data = w,
	};

	w->schedules = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
	exploration_init(&w->x, scenario, &options);
	exploration_run(&w->x);
}

static void forget(struct wanted *w)
{
	g_ptr_array_unref(w->schedules);
	exploration_clear(&w->x);
}

static char *compare(const struct wanted *w, guint i, const char *a, const char *b,
		     struct follow_count *count)
{
	const GArray *schedule = g_ptr_array_index(w->schedules, i);

	return follow_compare(&w->x.config, a, b, (const struct decision *)schedule->data,
			      schedule->len, count);
}

static const struct {
	const struct vfiosim_scenario *scenario;
	unsigned int faults;
	guint least;
} followed[] = {
	{ &core_whole_life, 0, 1 },
	{ &core_whole_life, 1, 40 },
	{ &core_two_opens, 0, 20 },
	{ &core_open_and_unbind, 0, 20 },
	{ &core_busy_unbind, 0, 1 },
};

START_TEST(a_core_leaves_the_same_trace_twice)
{
	struct follow_count count = { 0 };
	struct wanted w;

	explore(&w, followed[_i].scenario, followed[_i].faults);
	for (guint i = 0; i < w.schedules->len; i++) {
		char *difference = compare(&w, i, "port", "port", &count);

		ck_assert_msg(!difference, "schedule %u: %s", i, difference);
	}
	ck_assert_uint_ge(count.runs, followed[_i].least);
	ck_assert_uint_gt(count.events, count.steps);
	ck_assert_uint_eq(count.marks + count.unreached + count.too_long, 0);
	forget(&w);
}
END_TEST

START_TEST(another_core_leaves_another_trace)
{
	struct follow_count count = { 0 };
	struct wanted w;
	char *difference;

	explore(&w, &core_duplicate, 0);
	difference = compare(&w, 0, "port", "merged", &count);
	ck_assert_ptr_nonnull(difference);
	ck_assert_ptr_nonnull(strstr(difference, "one core: "));
	ck_assert_ptr_nonnull(strstr(difference, "the other: "));
	g_free(difference);
	forget(&w);
}
END_TEST

START_TEST(a_core_that_is_not_there_is_named)
{
	struct follow_count count = { 0 };
	struct wanted w;
	char *difference;

	explore(&w, &core_duplicate, 0);
	difference = compare(&w, 0, "port", "nix", &count);
	ck_assert_str_eq(difference, "no core nix");
	g_free(difference);
	forget(&w);
}
END_TEST

static Suite *follow_suite(void)
{
	Suite *suite = suite_create("follow");
	TCase *tcase = tcase_create("follow");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, a_core_leaves_the_same_trace_twice, 0,
			    sizeof(followed) / sizeof(*followed));
	tcase_add_test(tcase, another_core_leaves_another_trace);
	tcase_add_test(tcase, a_core_that_is_not_there_is_named);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return simtest_main(follow_suite());
}
