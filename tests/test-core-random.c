// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made-up steps on the port: whatever users, drivers and buses do one after
 * another, and whichever single step fails, the invariants of section J.1 hold,
 * nobody waits for ever, and everything is given back.
 *
 * tests/tree-514 runs this program on the port and on a tree's core, and wants the
 * same rows from both: "test-core-random FIRST COUNT STEPS [faults]".
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core-script.h"
#include "sched.h"
#include "simtest.h"

#define STEPS 60

/* VF-281: a host driver was bound beside users, and 5.14 stops there. */
static bool is_the_fatal_stop(const struct finding *failure)
{
	return !strcmp(failure->detector, "bug") && strstr(failure->message, "nb_verify");
}

/* What this program's world wants of an allocation, and not the kernel. */
static bool is_our_own(const struct finding *failure)
{
	return !strcmp(failure->detector, "bug") && strstr(failure->message, "core-");
}

/* VF-208..VF-227, whatever is done. VF-227: and everything is given back at the end. */
START_TEST(invariants_hold_whatever_is_done_in_turn)
{
	const struct finding *failure;

	core_run_made_up(_i, STEPS, 0);
	failure = run_failure();
	ck_assert_msg(!failure || is_the_fatal_stop(failure), "seed %d: %s: %s", _i,
		      failure->detector, failure->message);
}
END_TEST

/*
 * VF-326: a deferred put that cannot be queued never comes. VF-202, VF-244: a probe that
 * fails late unregisters, may wait for users, and leaves its unbound entry behind.
 */
static bool is_meant(const char *failed)
{
	return !strcmp(failed, "do_work") || !strcmp(failed, "device_add_groups");
}

/* VF-352: and whatever fails. */
START_TEST(invariants_hold_whichever_step_fails)
{
	const char *failed = core_run_made_up(_i, STEPS, _i + 1);
	const struct finding *failure = run_failure();

	ck_assert_msg(!failure || is_the_fatal_stop(failure) || is_our_own(failure) ||
			      is_meant(failed),
		      "seed %d, %s fails: %s: %s", _i, failed, failure->detector,
		      failure->message);
}
END_TEST

/* A sequence that does next to nothing would prove nothing. */
START_TEST(made_up_steps_reach_everything)
{
	static const char *const reached[] = {
		"step=\"bind A\" ret=0", "step=\"start_unbind", "step=\"start_unplug",
		"step=\"signal", ",ub1", ",d2,", "be1", "D1", "step=\"mmap D", "u3", "ret=-16",
		"ret=-19", "ret=-1 ", "ret=-13", "ret=-24", "ret=-25", "node=noiommu-",
		"step=\"external_dev", "step=\"unload\" ret=0", "step=\"load\" ret=0",
		"igone", "n2", "warn=1", "step=\"fork\" ret=0",
	};
	g_autoptr(GString) all = g_string_new(NULL);

	for (uint32_t seed = 0; seed < 100; seed++) {
		core_run_made_up(seed, STEPS, 0);
		g_string_append(all, core_log);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(reached); i++)
		ck_assert_msg(strstr(all->str, reached[i]), "no row has %s", reached[i]);
}
END_TEST

static void show(uint32_t seed, unsigned int steps, uint32_t fault)
{
	const char *failed = core_run_made_up(seed, steps, fault);

	printf("## %u %s\n%s\n", seed, failed ? failed : "", core_log);
	if (run_failure())
		printf("ended by %s\n", run_failure()->detector);
}

static int show_all(char **argv)
{
	uint32_t first = strtoul(argv[1], NULL, 10), count = strtoul(argv[2], NULL, 10);

	core_check_invariants = false;
	for (uint32_t i = first; i < first + count; i++)
		show(i, strtoul(argv[3], NULL, 10), argv[4] ? i + 1 : 0);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	SRunner *runner;
	Suite *suite;
	TCase *tcase;
	int failed;

	simtest_take_core();
	if (argc > 3)
		return show_all(argv);
	suite = suite_create("core-random");
	tcase = tcase_create("made up");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, invariants_hold_whatever_is_done_in_turn, 0, 100);
	tcase_add_loop_test(tcase, invariants_hold_whichever_step_fails, 0, 100);
	tcase_add_test(tcase, made_up_steps_reach_everything);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
