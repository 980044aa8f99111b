// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interleavings of MM-185, all of them: a driver switches its memory off while
 * something else happens to its mappings. Without an argument the short ones in
 * the oldest and the newest design of the kernel; with "all" each in every kernel.
 */
#include "mmrace.h"
#include "simtest.h"

#define RUNS_MAX 3000000

static bool in_full;

static void unmap_all(void *unused)
{
	share_space();
	vfiosim_expect(!unmap(0, 4));
	leave();
}

/* It may find the device, or nothing mapped. */
static void touch_any(void *unused)
{
	share_space();
	load(0);
	leave();
}

static void exits(void *unused)
{
	struct mm_struct *fresh = mm_alloc();

	share_space();
	vfiosim_expect(!dup_mmap(fresh, mm));
	leave();
	mmput(fresh);
}

static const struct partner {
	const char *what;
	struct vfiosim_task others[2];
	bool is_long;
} partners[] = {
	/* MM-142, MM-143, MM-145: check and insertion against lock, zap and switch */
	{ "a fault", { { "touch", touch_new } } },
	/* MM-140: the second one finds the entry of the first */
	{ "two faults", { { "touch", touch_new }, { "other", touch_same } }, true },
	/* MM-41, MM-171: nothing to find before the link, and one pass is enough */
	{ "mmap and a fault", { { "mmap", map_and_touch } } },
	/* MM-100 */
	{ "fork", { { "fork", fork_it } } },
	/* MM-91, MM-149 */
	{ "mremap", { { "mremap", move_it } } },
	{ "split and merge", { { "mprotect", split_it } } },
	/* MM-54, MM-55 */
	{ "munmap of a part", { { "munmap", unmap_part } } },
	{ "munmap of all", { { "munmap", unmap_all } } },
	/* An access meets a table that is being freed. */
	{ "munmap of all and a touch", { { "munmap", unmap_all }, { "touch", touch_any } } },
	/* MM-108 */
	{ "exit of a child", { { "exit", exits } } },
	{ "a second zap", { { "again", switch_off } } },
	{ "fork and a fault", { { "fork", fork_it }, { "touch", touch_same } } },
	{ "mremap and a fault", { { "mremap", move_it }, { "touch", touch_new } } },
};

static struct vfiosim_scenario scenario_with(const struct partner *partner, int kernel)
{
	struct vfiosim_scenario scenario = {
		.name = partner->what, .setup = setup, .teardown = teardown,
		.kernel = VFIOSIM_KERNEL_5_14 + kernel,
		.tasks = { { "zap", switch_off }, partner->others[0], partner->others[1] },
	};

	return scenario;
}

static void explore_one(const struct partner *partner, int kernel)
{
	const struct vfiosim_scenario scenario = scenario_with(partner, kernel);
	const struct vfiosim_options options = {
		.strategy = VFIOSIM_EXHAUSTIVE, .runs_max = RUNS_MAX,
	};
	struct vfiosim_report *report;
	enum vfiosim_verdict verdict = vfiosim_explore(&scenario, &options, &report);

	ck_assert_msg(verdict == VFIOSIM_OK, "%s, kernel %d: %s", partner->what, kernel,
		      vfiosim_report_text(report));
	if (in_full)
		printf("%s, kernel %d: %llu schedules\n", partner->what, kernel,
		       (unsigned long long)vfiosim_report_runs(report));
	vfiosim_report_free(report);
}

/* MM-185: "no present PTE of the range, later touches SIGBUS", in every schedule */
START_TEST(no_schedule_leaves_an_entry)
{
	wrong = RIGHT;
	if (partners[_i].is_long && !in_full)
		return;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		if (in_full || kernel == KERNEL_5_14 || kernel == KERNEL_6_12)
			explore_one(&partners[_i], kernel);
}
END_TEST

/* ---- a file whose pages move into a mapping that comes first in a walk ---- */

static void setup_joining(void *unused)
{
	int fd;

	world_begin();
	fd = plain_file(4);
	device = file_of(fd);
	mapped(fd, 0, 2, RW, SHARED, 2);
	mapped(fd, 14, 2, RW, SHARED, 0);
	expect_long(store(0, 1) | store(1, 1), 0);
	files = get_current()->files;
}

static void join_it(void *unused)
{
	share_space();
	vfiosim_expect(move(0, 2, 2, 16) == AT(16));
	leave();
}

static void clear_it(void *unused)
{
	unmap_mapping_range(device->f_mapping, 0, 0, 1);
}

static void joined_and_empty(void *unused)
{
	act_in(mm);
	expect_layout("14-18rws0");
	for (long page = 14; page < 18; page++)
		vfiosim_expect(!present(page));
	world_end();
}

static void explore_move(const struct vfiosim_scenario *scenario)
{
	const struct vfiosim_options options = {
		.strategy = VFIOSIM_EXHAUSTIVE, .runs_max = RUNS_MAX,
	};
	struct vfiosim_report *report;

	ck_assert_msg(vfiosim_explore(scenario, &options, &report) == VFIOSIM_OK, "%s",
		      vfiosim_report_text(report));
	vfiosim_report_free(report);
}

/* MM-91: the walk meets the joined mapping before the source; the tree is locked for it */
START_TEST(a_move_into_an_earlier_mapping_hides_no_entry_from_a_zap)
{
	const struct vfiosim_scenario scenario = {
		.name = "joining move", .setup = setup_joining, .teardown = joined_and_empty,
		.kernel = VFIOSIM_KERNEL_5_14 + _i,
		.tasks = { { "zap", clear_it }, { "mremap", join_it } },
	};

	explore_move(&scenario);
}
END_TEST

static int refuse_move(struct vm_area_struct *vma)
{
	return -EBUSY;
}

static void setup_refusing(void *unused)
{
	static const struct vm_operations_struct refusing = { .mremap = refuse_move };
	int fd;

	world_begin();
	fd = plain_file(4);
	device = file_of(fd);
	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(store(0, 1) | store(1, 1), 0);
	vma_at(0)->vm_ops = &refusing;
	files = get_current()->files;
}

static void fail_to_move(void *unused)
{
	share_space();
	expect_long(move(0, 2, 2, 16), -EBUSY);
	leave();
}

static void back_and_empty(void *unused)
{
	act_in(mm);
	expect_layout("0-2rws0");
	vfiosim_expect(!present(0) && !present(1));
	world_end();
}

/* MM-91: going back, the entries move to what the walk has met already */
START_TEST(a_move_that_is_undone_hides_no_entry_from_a_zap)
{
	const struct vfiosim_scenario scenario = {
		.name = "undone move", .setup = setup_refusing, .teardown = back_and_empty,
		.kernel = VFIOSIM_KERNEL_5_14 + _i,
		.tasks = { { "zap", clear_it }, { "mremap", fail_to_move } },
	};

	explore_move(&scenario);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("mm-explore");
	TCase *tc = tcase_create("mm-explore");

	in_full = argc > 1 && !strcmp(argv[1], "all");
	tcase_set_timeout(tc, in_full ? 3600 : 60);
	tcase_add_loop_test(tc, no_schedule_leaves_an_entry, 0, ARRAY_SIZE(partners));
	tcase_add_loop_test(tc, a_move_into_an_earlier_mapping_hides_no_entry_from_a_zap, 0,
			    KERNEL_6_18 + 1);
	tcase_add_loop_test(tc, a_move_that_is_undone_hides_no_entry_from_a_zap, 0,
			    KERNEL_6_18 + 1);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
