// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reduction: as many runs as there are traces, and each of them. What is
 * compared with is brute force, every schedule run and told apart by trace.
 */
#include <glib.h>
#include <stdio.h>

#include "simtest.h"
#include "workloads.h"

/* The traces of an exploration. */
struct traces {
	GHashTable *set;
	uint64_t twice;
};

static void on_run(void *data, enum vfiosim_verdict verdict, uint64_t trace)
{
	struct traces *t = data;

	if (!g_hash_table_add(t->set, g_memdup2(&trace, sizeof(trace))))
		t->twice++;
}

static uint64_t collect(const struct vfiosim_scenario *scenario, struct vfiosim_options options,
			struct traces *t)
{
	struct vfiosim_report *report;
	uint64_t runs;

	*t = (struct traces){
		.set = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
	};
	options.on_run = on_run;
	options.data = t;
	options.keep_going = true;
	options.no_minimize = true;
	vfiosim_explore(scenario, &options, &report);
	runs = vfiosim_report_runs(report);
	vfiosim_report_free(report);
	return runs;
}

static bool contains(const struct traces *all, const struct traces *some)
{
	GHashTableIter i;
	gpointer trace;

	g_hash_table_iter_init(&i, some->set);
	while (g_hash_table_iter_next(&i, &trace, NULL))
		if (!g_hash_table_contains(all->set, trace))
			return false;
	return true;
}

static const struct {
	unsigned int tasks, rounds;
	uint64_t traces;		/* (NK)! / (K!)^N */
} w1_sizes[] = {
	{ 2, 1, 2 }, { 2, 2, 6 }, { 2, 4, 70 }, { 2, 8, 12870 }, { 3, 1, 6 }, { 3, 2, 90 },
	{ 3, 3, 1680 }, { 3, 4, 34650 }, { 4, 2, 2520 }, { 5, 1, 120 },
};

START_TEST(w1_takes_as_many_runs_as_the_formula_says)
{
	struct vfiosim_report *report;
	enum vfiosim_verdict verdict;

	verdict = vfiosim_explore(workload_w1(w1_sizes[_i].tasks, w1_sizes[_i].rounds), NULL,
				  &report);
	if (verdict != VFIOSIM_OK)
		fputs(vfiosim_report_text(report), stderr);
	ck_assert_int_eq(verdict, VFIOSIM_OK);
	ck_assert_uint_eq(vfiosim_report_runs(report), w1_sizes[_i].traces);
	ck_assert_uint_eq(vfiosim_report_cut(report), 0);
	vfiosim_report_free(report);
}
END_TEST

static const struct {
	unsigned int openers;
	uint64_t traces;
} w3_sizes[] = { { 2, 32 }, { 3, 504 }, { 4, 14472 } };

START_TEST(w3_takes_as_many_runs_as_other_tools_count_traces)
{
	struct vfiosim_report *report;
	enum vfiosim_verdict verdict;

	verdict = vfiosim_explore(workload_w3(w3_sizes[_i].openers), NULL, &report);
	if (verdict != VFIOSIM_OK)
		fputs(vfiosim_report_text(report), stderr);
	ck_assert_int_eq(verdict, VFIOSIM_OK);
	ck_assert_uint_eq(vfiosim_report_runs(report), w3_sizes[_i].traces);
	vfiosim_report_free(report);
}
END_TEST

/* Explore by both ways of backtracking, and by brute force; all must agree. */
static void check_against_brute_force(const struct vfiosim_scenario *scenario,
				      struct vfiosim_options options, uint64_t runs_max)
{
	struct traces all, some, snapshots;
	uint64_t runs;

	options.runs_max = runs_max;
	options.strategy = VFIOSIM_NAIVE;
	if (collect(scenario, options, &all) < runs_max) {
		options.strategy = VFIOSIM_EXHAUSTIVE;
		options.backtracking = VFIOSIM_REEXECUTE;
		runs = collect(scenario, options, &some);
		options.backtracking = VFIOSIM_SNAPSHOT;
		collect(scenario, options, &snapshots);
		ck_assert_msg(contains(&some, &all), "%s %s: %u of %u traces found", scenario->name,
			      scenario->summary ?: "", g_hash_table_size(some.set),
			      g_hash_table_size(all.set));
		ck_assert_msg(contains(&all, &some), "%s %s: %u traces where there are %u",
			      scenario->name, scenario->summary ?: "",
			      g_hash_table_size(some.set), g_hash_table_size(all.set));
		ck_assert(contains(&some, &snapshots) && contains(&snapshots, &some));
		if (!options.preemptions_bounded) {
			ck_assert_uint_eq(some.twice, 0);
			ck_assert_uint_eq(runs, g_hash_table_size(all.set));
		}
		g_hash_table_unref(some.set);
		g_hash_table_unref(snapshots.set);
	}
	g_hash_table_unref(all.set);
}

START_TEST(w2_takes_no_more_runs_than_it_has_traces)
{
	check_against_brute_force(&workload_w2, (struct vfiosim_options){ 0 }, 1000000);
}
END_TEST

START_TEST(w3_takes_no_more_runs_than_it_has_traces)
{
	check_against_brute_force(workload_w3(2), (struct vfiosim_options){ 0 }, 1000000);
}
END_TEST

/* libcheck runs each seed as a test of its own; a hundred programs are made from each. */
START_TEST(random_programs_take_one_run_for_each_trace)
{
	static const uint32_t timeouts_max[] = { 0, 1, 2, UINT32_MAX };

	for (unsigned int k = 0; k < 25; k++)
		check_against_brute_force(workload_random(100 * _i + k),
					  (struct vfiosim_options){
						  .timeouts_max = timeouts_max[k % 4] }, 3000);
}
END_TEST

START_TEST(a_preemption_bound_loses_no_trace_within_it)
{
	for (unsigned int k = 0; k < 10; k++)
		check_against_brute_force(workload_random(10000 + 100 * _i + k),
					  (struct vfiosim_options){ .preemptions_bounded = true,
								    .preemptions_max = k % 3 },
					  3000);
}
END_TEST

static const struct {
	const char *what;
	const struct vfiosim_scenario *scenario;
	const char *detector;
} bugs[] = {
	{ "w2 looks up without the lock", &workload_w2_bug, NULL },
	{ "w3 opens what is unregistered", NULL, NULL },
	{ "two locks in two orders", &workload_abba, "deadlock" },
};

START_TEST(a_seeded_bug_is_found_in_the_first_tens_of_runs)
{
	const struct vfiosim_scenario *scenario = bugs[_i].scenario ?: workload_w3_bug(2);
	struct vfiosim_report *report;

	if (simtest_has_memory_checker() && !bugs[_i].detector)
		return;
	vfiosim_explore(scenario, NULL, &report);
	ck_assert_msg(vfiosim_report_detector(report), "%s: nothing found", bugs[_i].what);
	if (bugs[_i].detector)
		ck_assert_str_eq(vfiosim_report_detector(report), bugs[_i].detector);
	ck_assert_uint_le(vfiosim_report_runs(report), 50);
	vfiosim_report_free(report);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dpor");
	TCase *counts = tcase_create("counts");
	TCase *brute = tcase_create("brute force");

	tcase_set_timeout(counts, 60);
	tcase_add_loop_test(counts, w1_takes_as_many_runs_as_the_formula_says, 0,
			    G_N_ELEMENTS(w1_sizes));
	tcase_add_loop_test(counts, w3_takes_as_many_runs_as_other_tools_count_traces, 0,
			    G_N_ELEMENTS(w3_sizes));
	tcase_add_loop_test(counts, a_seeded_bug_is_found_in_the_first_tens_of_runs, 0,
			    G_N_ELEMENTS(bugs));
	suite_add_tcase(suite, counts);
	tcase_set_timeout(brute, 60);
	tcase_add_test(brute, w2_takes_no_more_runs_than_it_has_traces);
	tcase_add_test(brute, w3_takes_no_more_runs_than_it_has_traces);
	tcase_add_loop_test(brute, random_programs_take_one_run_for_each_trace, 0, 10);
	tcase_add_loop_test(brute, a_preemption_bound_loses_no_trace_within_it, 0, 10);
	suite_add_tcase(suite, brute);
	return simtest_main(suite);
}
