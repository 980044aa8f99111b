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

int main(void)
{
	TCase *tc = tcase_create("mm-races");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_zap_against_anything_leaves_no_entry, 0,
			    ARRAY_SIZE(partners));
	tcase_add_loop_test(tc, a_wrong_driver_is_found, 0, ARRAY_SIZE(mistakes));
	return mm_main("mm-races", tc);
}
