// SPDX-License-Identifier: GPL-2.0-only
/* Superblocks: building, walking, killing; device numbers. */
#include "steptest.h"

#include "pfs.h"

static int visits KSTATE;
static struct super_block *seen KSTATE;

static void pin(void *unused)
{
	vfiosim_expect(pfs_pin() == 0);
	seen = pfs_mnt->mnt_sb;
}

static void unpin(void *unused)
{
	pfs_unpin();
}

static void visit(struct super_block *sb, void *unused)
{
	visits++;
	vfiosim_expect(sb->s_root && (sb->s_flags & SB_BORN));
}

static void walk(void *unused)
{
	iterate_supers(visit, NULL);
}

/* I-9, FS-76, FS-77: it took s_count in time, s_umount too late */
START_TEST(walker_that_is_late_skips_and_frees_the_superblock)
{
	static const struct vfiosim_scenario scenario = {
		.name = "walker-late", .check = fs_invariants_hold, .setup = pin,
		.tasks = { { "T1", unpin }, { "sync", walk } },
	};

	step_begin(&scenario);
	step_until("sync", ENG_OP_DOWN_READ, "s_umount");
	ck_assert_int_eq(seen->s_count, 2);
	step_out("T1");
	ck_assert_ptr_null(seen->s_root);
	ck_assert_int_eq(seen->s_count, 1);
	ck_assert_int_eq(event_count("sb_last_count"), 0);
	step_out("sync");
	ck_assert_int_eq(visits, 0);
	ck_assert_int_eq(event_count("sb_last_count"), 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

static void pin_6_12(void *unused)
{
	kernel_version = KERNEL_6_12;
	pin(NULL);
}

/* FS-78: the module stays as long as a walker holds the superblock */
START_TEST(kernel_6_12_keeps_the_module_for_a_walker)
{
	static const struct vfiosim_scenario scenario = {
		.name = "walker-late-6.12", .check = fs_invariants_hold, .setup = pin_6_12,
		.tasks = { { "T1", unpin }, { "sync", walk } },
	};

	step_begin(&scenario);
	step_until("sync", ENG_OP_DOWN_READ, "s_umount");
	step_out("T1");
	ck_assert_int_eq(pfs_module.refcnt.counter, 2);
	ck_assert(seen->s_flags & SB_DYING);
	ck_assert(seen->s_flags & SB_DEAD);
	step_out("sync");
	ck_assert_int_eq(pfs_module.refcnt.counter, 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

/* FS-78: 5.14 lets it go before */
START_TEST(kernel_5_14_drops_the_module_before_the_walker_is_done)
{
	static const struct vfiosim_scenario scenario = {
		.name = "walker-late-5.14", .check = fs_invariants_hold, .setup = pin,
		.tasks = { { "T1", unpin }, { "sync", walk } },
	};

	step_begin(&scenario);
	step_until("sync", ENG_OP_DOWN_READ, "s_umount");
	step_out("T1");
	ck_assert_int_eq(pfs_module.refcnt.counter, 1);
	ck_assert_int_eq(seen->s_count, 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

/* FS-51, FS-77: visible from the list on, but neither born nor active */
START_TEST(walker_waits_for_a_superblock_that_is_being_built)
{
	static const struct vfiosim_scenario scenario = {
		.name = "walker-early", .check = fs_invariants_hold, .teardown = unpin,
		.tasks = { { "T1", pin }, { "sync", walk } },
	};

	step_begin(&scenario);
	step_past("T1", ENG_OP_SPIN_UNLOCK, "sb_lock", 2);
	ck_assert_int_eq(pfs_supers(), 1);
	step_until("sync", ENG_OP_DOWN_READ, "s_umount");
	while (!step_blocked("sync"))
		step_once("sync");
	step_out("T1");
	step_out("sync");
	ck_assert_int_eq(visits, 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

static void reclaim(void *unused)
{
	visits = super_cache_scan(seen);
}

/* I-11, FS-178, FS-206 */
START_TEST(shrinker_gives_up_during_teardown)
{
	static const struct vfiosim_scenario scenario = {
		.name = "shrinker", .check = fs_invariants_hold, .setup = pin,
		.tasks = { { "T1", unpin }, { "kswapd", reclaim } },
	};

	step_begin(&scenario);
	step_until("kswapd", ENG_OP_DOWN_READ_TRYLOCK, "s_umount");
	/* T1 holds s_umount and waits for the list that the shrinker has read-locked. */
	while (!step_blocked("T1"))
		step_once("T1");
	step_out("kswapd");
	ck_assert_int_eq(visits, 0);
	step_out("T1");
	step_finish(VFIOSIM_OK);
}
END_TEST

START_TEST(shrinker_scans_a_live_superblock)
{
	static const struct vfiosim_scenario scenario = {
		.name = "shrinker-alone", .setup = pin, .teardown = unpin,
		.tasks = { { "kswapd", reclaim } },
	};

	step_all(&scenario, VFIOSIM_OK);
	ck_assert_int_eq(visits, 1);
}
END_TEST

/* ---- numbers ---- */

static void exhaust(void *unused)
{
	dev_t dev, first;

	vfiosim_expect(get_anon_bdev(&first) == 0);
	anon_bdev_minor_max = MINOR(first) + 1;
	vfiosim_expect(get_anon_bdev(&dev) == 0 && MINOR(dev) == MINOR(first) + 1);
	vfiosim_expect(get_anon_bdev(&dev) == -EMFILE);
	vfiosim_expect(pfs_pin() == -EMFILE);
	vfiosim_expect(pfs_is_gone());
	free_anon_bdev(first);
	vfiosim_expect(pfs_pin() == 0);
	vfiosim_expect(pfs_mnt->mnt_sb->s_dev == first);
	pfs_unpin();
	free_anon_bdev(dev + 1);
	free_anon_bdev(first + 1);
}

/* FS-20, FS-54, ERR-6 */
START_TEST(exhausted_device_numbers_are_emfile)
{
	static const struct vfiosim_scenario scenario = {
		.name = "exhaust", .tolerate = "warn", .tasks = { { "T1", exhaust } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

/* ---- who looks after whom ---- */

static void hold_the_root(void *unused)
{
	struct dentry *root;

	pin(NULL);
	root = dget(pfs_mnt->mnt_root);
	pfs_unpin();
	vfiosim_expect(!root->d_sb->s_root);
	dput(root);
}

/* FS-73 */
START_TEST(root_dentry_in_use_is_complained_about)
{
	static const struct vfiosim_scenario scenario = {
		.name = "busy-root", .tasks = { { "T1", hold_the_root } },
	};

	step_all_finds(&scenario, "warn");
	ck_assert_int_eq(event_count("dentry_busy count 2"), 1);
}
END_TEST

static void reactivate(void *unused)
{
	struct super_block *sb;

	pin(NULL);
	sb = seen;
	atomic_inc(&sb->s_active);
	pfs_unpin();
	vfiosim_expect(sb->s_active.counter == 1 && sb->s_root);
	deactivate_super(sb);
	vfiosim_expect(!sb->s_root);
	vfiosim_expect(pfs_is_gone());
}

/* FS-68, FS-69 */
START_TEST(superblock_lives_until_its_last_active_reference)
{
	static const struct vfiosim_scenario scenario = {
		.name = "grab", .tasks = { { "T1", reactivate } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void try_pin(void *unused)
{
	visits = pfs_pin();
}

/* FS-72: nothing was in it, so nothing is shut down */
START_TEST(superblock_without_a_root_is_not_shut_down)
{
	static const struct vfiosim_scenario scenario = {
		.name = "no-root", .tasks = { { "T1", try_pin } },
	};
	const char *site;
	unsigned int nth = 0;

	do {
		site = step_fault(&scenario, nth++);
	} while (site && strcmp(site, "inode"));
	ck_assert_ptr_nonnull(site);
	step_finish(VFIOSIM_OK);
	ck_assert_int_eq(event_count("sb_inactive"), 0);
	expect_order((const char *const[]){ "sb_killed", "sb_unlist", "anon_dev_put",
					    "module_put", "sb_last_count", "fc_free", "pin_fail",
					    "sb_freed", NULL });
}
END_TEST

STEPTEST_MAIN("super",
	walker_that_is_late_skips_and_frees_the_superblock,
	kernel_6_12_keeps_the_module_for_a_walker,
	kernel_5_14_drops_the_module_before_the_walker_is_done,
	walker_waits_for_a_superblock_that_is_being_built,
	shrinker_gives_up_during_teardown,
	shrinker_scans_a_live_superblock,
	exhausted_device_numbers_are_emfile,
	root_dentry_in_use_is_complained_about,
	superblock_lives_until_its_last_active_reference,
	superblock_without_a_root_is_not_shut_down)
