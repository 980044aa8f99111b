// SPDX-License-Identifier: GPL-2.0-only
/*
 * The port by itself: every fault, one at a time; the races that it gets right;
 * and those that it loses, since 5.14 does. The recorded traces of what happens
 * without races and faults are in test-core-traces.c.
 */
#include <string.h>

#include "core-scenarios.h"
#include "simtest.h"

/* VF-312 to VF-340: each row of section K by failing exactly one step. */
static const struct {
	const char *what;
	const struct vfiosim_scenario *scenario;
	unsigned int least;
} fault_sweeps[] = {
	{ "VF-317 to VF-335: bind, open, map, close, unbind", &core_whole_life, 40 },
	{ "VF-318, VF-323, VF-324: registration by hand", &core_reregister, 12 },
	{ "VF-312 to VF-316: loading the module", &core_module_reload, 6 },
	{ "VF-338 to VF-340: a fake group", &core_noiommu_life, 12 },
};

/* What the kernel itself leaves behind when just this step fails. */
static const struct {
	const char *site, *detector, *why;
} leftovers[] = {
	{ "string", "leak", "VF-349: without its name the node cannot be deleted" },
	{ "do_work", "leak", "VF-326: the reference that a callback took is never put" },
	{ "do_work", "invariant", "VF-326: so the group stays, and VF-227 tells" },
};

static bool is_leftover(const char *site, const struct finding *failure)
{
	for (unsigned int i = 0; i < sizeof(leftovers) / sizeof(*leftovers); i++)
		if (!strcmp(leftovers[i].site, site) &&
		    !strcmp(leftovers[i].detector, failure->detector))
			return true;
	return false;
}

START_TEST(every_single_fault_leaves_the_invariants_whole)
{
	const struct finding *failure;
	unsigned int nth = 0;

	do {
		simtest_run_fault(fault_sweeps[_i].scenario, ++nth);
		failure = run_failure();
		ck_assert_msg(!failure || is_leftover(simtest_failed_site(), failure),
			      "%s, fault %u (%s): %s: %.300s", fault_sweeps[_i].what, nth,
			      simtest_failed_site(), failure->detector, failure->message);
	} while (simtest_failed_site());
	ck_assert_uint_gt(nth, fault_sweeps[_i].least);
}
END_TEST

static const struct {
	const char *what;
	const struct vfiosim_scenario *scenario;
	unsigned int preemptions;
} good_races[] = {
	{ "VF-245: two first pins", &core_two_first_binds, 1 },
	{ "VF-75, VF-246, VF-247: a last release and a first pin", &core_last_pin_and_first, 1 },
	{ "VF-255: an open and an unregister", &core_open_and_unbind, 1 },
	{ "VF-259: a close of the group and an unregister", &core_close_and_unbind, 1 },
	{ "VF-282: a close of the container and SET_CONTAINER", &core_container_close_and_set, 3 },
	{ "VF-283: two SET_IOMMU", &core_two_set_iommu, 3 },
	{ "VF-284: two opens of one group", &core_two_opens, 3 },
	{ "VF-68, VF-243: an open and a register", &core_bind_and_open, 1 },
	{ "VF-256, VF-262: an open and a waiting unregister", &core_busy_unbind, 1 },
	{ "VF-310: an open of a group that goes", &core_open_and_destroy, 1 },
	{ "VF-285, VF-295: a group that comes and goes", &core_churn, 0 },
	{ "VF-241: two registrations, forced", &core_forced_duplicate, 1 },
	{ "VF-382: a second object", &core_duplicate, 1 },
	{ "VF-225: bound again beside a neighbour", &core_rebind, 1 },
	{ "VF-223: two kinds of group", &core_mixed_kinds, 1 },
};

/*
 * Where the engine cannot go back to a branch point (Valgrind, ASan) each run
 * begins anew, so that only a few random schedules are affordable.
 */
static bool can_explore(void)
{
	return snapshot_possible() && !simtest_has_memory_checker();
}

static enum vfiosim_verdict explore(const struct vfiosim_scenario *scenario,
				    unsigned int preemptions, struct vfiosim_report **report)
{
	const struct vfiosim_options options = {
		.preemptions_bounded = true, .preemptions_max = preemptions,
	};

	return vfiosim_explore(scenario, &options, report);
}

START_TEST(the_port_wins_the_races_that_locks_and_references_exclude)
{
	struct vfiosim_report *report = NULL;
	enum vfiosim_verdict verdict;

	if (!can_explore()) {
		assert_scenario_ok_random(good_races[_i].scenario, 10);
		return;
	}
	verdict = explore(good_races[_i].scenario, good_races[_i].preemptions, &report);
	ck_assert_msg(verdict == VFIOSIM_OK, "%s: %.400s", good_races[_i].what,
		      vfiosim_report_text(report));
	vfiosim_report_free(report);
}
END_TEST

static const struct {
	const char *what;
	const struct vfiosim_scenario *scenario;
	unsigned int preemptions;
	const char *detector;
} lost_races[] = {
	{ "VF-271: two SET_CONTAINER", &core_set_container_twice, 1, "invariant" },
	{ "VF-271: and the last unbind", &core_set_container_twice_unseen, 1, "deadlock" },
	{ "VF-272: UNSET and SET", &core_unset_and_set, 1, "invariant" },
	{ "VF-274: GET_DEVICE_FD and UNSET", &core_get_device_and_unset, 1, "crash" },
	{ "VF-25: the group that both find missing", &core_two_binds_of_a_group, 1, "leak" },
	{ "VF-53: the status while a neighbour goes", &core_status_and_unbind, 1, "expectation" },
	{ "VF-265: the warning after the install", &core_noiommu_open_and_gone, 1,
	  "use-after-free" },
};

START_TEST(the_port_loses_the_races_that_5_14_loses)
{
	struct vfiosim_report *report = NULL;
	enum vfiosim_verdict verdict;
	const char *detector;

	if (!can_explore())
		return;
	verdict = explore(lost_races[_i].scenario, lost_races[_i].preemptions, &report);
	detector = vfiosim_report_detector(report);
	ck_assert_msg(verdict != VFIOSIM_OK && detector &&
		      !strcmp(lost_races[_i].detector, detector), "%s: wanted %s, got %.400s",
		      lost_races[_i].what, lost_races[_i].detector, vfiosim_report_text(report));
	vfiosim_report_free(report);
}
END_TEST

/* VF-251: one preemption and one failing step, together. */
START_TEST(a_group_that_was_opened_while_its_register_failed_is_used_again)
{
	const struct vfiosim_options options = {
		.preemptions_bounded = true, .preemptions_max = 1, .faults_max = 1,
		.no_minimize = true,
	};
	struct vfiosim_report *report = NULL;

	if (!can_explore())
		return;
	vfiosim_explore(&core_failed_bind_and_open, &options, &report);
	ck_assert_msg(strstr(vfiosim_report_text(report), "was used again"), "%.400s",
		      vfiosim_report_text(report));
	vfiosim_report_free(report);
}
END_TEST

/* The scenarios of this file that setup, waits and check() make hard to repeat. */
START_TEST(each_run_repeats_step_by_step)
{
	static const enum vfiosim_strategy strategies[] = { VFIOSIM_EXHAUSTIVE, VFIOSIM_RANDOM };
	const bool brief = !snapshot_possible() || simtest_has_memory_checker();

	for (unsigned int i = 0; core_scenarios[i]; i++) {
		const struct vfiosim_options options = {
			.strategy = strategies[_i & 1], .faults_max = _i >> 1,
			.timeouts_max = _i >> 1, .runs_max = brief ? 1 : 25,
			.backtracking = VFIOSIM_REEXECUTE, .seed = 7,
			.check_determinism = true, .keep_going = true, .no_minimize = true,
		};
		struct vfiosim_report *report = NULL;
		const char *detector;

		vfiosim_explore(core_scenarios[i], &options, &report);
		detector = vfiosim_report_detector(report);
		ck_assert_msg(!detector || strcmp(detector, "nondeterminism"), "%s: %.400s",
			      core_scenarios[i]->name, vfiosim_report_text(report));
		vfiosim_report_free(report);
	}
}
END_TEST

static Suite *vfio_core_suite(void)
{
	Suite *suite = suite_create("vfio_core");
	TCase *faults = tcase_create("faults"), *races = tcase_create("races");

	tcase_set_timeout(faults, 60);
	tcase_set_timeout(races, 60);
	tcase_add_loop_test(faults, every_single_fault_leaves_the_invariants_whole, 0,
			    sizeof(fault_sweeps) / sizeof(*fault_sweeps));
	tcase_add_loop_test(races, the_port_wins_the_races_that_locks_and_references_exclude, 0,
			    sizeof(good_races) / sizeof(*good_races));
	tcase_add_test(races,
		       a_group_that_was_opened_while_its_register_failed_is_used_again);
	tcase_add_loop_test(races, the_port_loses_the_races_that_5_14_loses, 0,
			    sizeof(lost_races) / sizeof(*lost_races));
	tcase_add_loop_test(races, each_run_repeats_step_by_step, 0, 4);
	suite_add_tcase(suite, faults);
	suite_add_tcase(suite, races);
	return suite;
}

int main(void)
{
	return simtest_main(vfio_core_suite());
}
