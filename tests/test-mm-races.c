// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver switches its memory off (lock, zap, switch, unlock) while something
 * else happens to the same mappings: MM-185. Afterwards no entry may show the
 * device and every touch is SIGBUS. Drivers that get it wrong must be found.
 */
#include "mmrace.h"
#include "mmtest.h"

#define RUNS 150
#define RUNS_TO_FIND 3000

static const struct partner {
	const char *what;
	void (*run)(void *);
	void (*other)(void *);	/* a third task, or NULL */
} partners[] = {
	{ "fault", touch_new, NULL },
	{ "two faults", touch_new, touch_same },
	{ "mmap", map_and_touch, NULL },
	{ "fork", fork_it, NULL },
	{ "fork and a fault", fork_it, touch_same },
	{ "mremap", move_it, NULL },
	{ "mremap and a fault", move_it, touch_new },
	{ "split and merge", split_it, NULL },
	{ "munmap", unmap_part, NULL },
	{ "second zap", switch_off, NULL },
};

static struct vfiosim_scenario scenario_with(const struct partner *partner, int kernel)
{
	struct vfiosim_scenario scenario = {
		.name = partner->what, .setup = setup, .teardown = teardown,
		.check = mm_invariants_hold,
		.kernel = VFIOSIM_KERNEL_5_14 + kernel,
		.tasks = { { "zap", switch_off }, { "partner", partner->run } },
	};

	if (partner->other)
		scenario.tasks[2] = (struct vfiosim_task){ "other", partner->other };
	return scenario;
}

START_TEST(a_zap_against_anything_leaves_no_entry)
{
	wrong = RIGHT;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++) {
		struct vfiosim_scenario scenario = scenario_with(&partners[_i], kernel);

		assert_scenario_ok_random(&scenario, RUNS);
	}
}
END_TEST

/* MM-144, MM-185: the last column */
static const struct {
	const char *what;
	enum wrong wrong;
	unsigned int partner;
	const char *detector;
} mistakes[] = {
	{ "memory state tested before the lock", TEST_BEFORE_LOCK, 0, "expectation" },
	{ "entry made after the unlock", INSERT_AFTER_UNLOCK, 0, "expectation" },
	{ "zap before the lock", ZAP_BEFORE_LOCK, 0, "expectation" },
	{ "zap and switch under two holds", TWO_HOLDS, 0, "expectation" },
	{ "entries made in ->mmap", FILL_IN_MMAP, 2, "expectation" },	/* MM-41, MM-139 */
	{ "remap_pfn_range for each fault", REMAP_PER_FAULT, 1, "bug" },
};

START_TEST(a_wrong_driver_is_found)
{
	struct vfiosim_scenario scenario;
	const struct finding *failure = NULL;

	wrong = mistakes[_i].wrong;
	scenario = scenario_with(&partners[mistakes[_i].partner], KERNEL_5_14);
	for (unsigned int seed = 1; seed <= RUNS_TO_FIND && !failure; seed++) {
		simtest_run_random(&scenario, seed);
		failure = run_failure();
	}
	ck_assert_msg(failure != NULL, "%s: not found", mistakes[_i].what);
	ck_assert_str_eq(failure->detector, mistakes[_i].detector);
}
END_TEST

/* ---- stale translations (MM-58, MM-262) ---- */

static void setup_tlb(void *unused)
{
	setup(NULL);
	tlb_modelled = true;
}

static void unmaps_all(void *unused)
{
	share_space();
	vfiosim_expect(!unmap(0, 4));
	leave();
}

/* When the device is off an access must not get through any more. */
static void loads(void *unused)
{
	bool off;

	share_space();
	off = !shared_READ_ONCE(memory_on);
	if (!load(0))
		vfiosim_expect(!off);
	leave();
}

/* The detector that fires, or "". */
static const char *explore_tlb(int kernel, void (*clears)(void *))
{
	static char detector[32];
	const struct vfiosim_scenario scenario = {
		.name = "tlb", .setup = setup_tlb, .teardown = teardown,
		.kernel = VFIOSIM_KERNEL_5_14 + kernel,
		.tasks = { { "zap", switch_off }, { "munmap", clears }, { "load", loads } },
	};
	const struct vfiosim_options options = {
		.strategy = VFIOSIM_EXHAUSTIVE, .runs_max = 1000000,
	};
	struct vfiosim_report *report;
	enum vfiosim_verdict verdict;
	const char *found;

	wrong = RIGHT;
	verdict = vfiosim_explore(&scenario, &options, &report);
	found = vfiosim_report_detector(report);
	snprintf(detector, sizeof(detector), "%s", found ? found : verdict ? "stopped" : "");
	vfiosim_report_free(report);
	return detector;
}

/*
 * In 5.14 an unmapped VMA leaves the tree before processors forget it: a zap does
 * not meet it, and returns while another thread still reaches the device.
 */
START_TEST(a_zap_can_miss_a_stale_translation_in_5_14_only)
{
	ck_assert_str_eq(explore_tlb(KERNEL_5_14, unmaps_all), "expectation");
	ck_assert_str_eq(explore_tlb(KERNEL_6_1, unmaps_all), "");
	ck_assert_str_eq(explore_tlb(KERNEL_6_12, unmaps_all), "");
}
END_TEST

/* MM-158: each VMA's flush is complete before the zap goes on. */
START_TEST(a_zap_itself_leaves_no_stale_translation)
{
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		ck_assert_str_eq(explore_tlb(kernel, switch_off), "");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("mm-races");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_zap_against_anything_leaves_no_entry, 0,
			    ARRAY_SIZE(partners));
	tcase_add_loop_test(tc, a_wrong_driver_is_found, 0, ARRAY_SIZE(mistakes));
	tcase_add_test(tc, a_zap_can_miss_a_stale_translation_in_5_14_only);
	tcase_add_test(tc, a_zap_itself_leaves_no_stale_translation);
	return mm_main("mm-races", tc);
}
