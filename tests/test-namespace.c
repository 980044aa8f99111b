// SPDX-License-Identifier: GPL-2.0-only
/* Mounts: counting, the last put, and where the clean-up runs. */
#include "steptest.h"

#include "pfs.h"

static struct vfsmount *mnt KSTATE;
static struct mount *taken KSTATE;

static void mount_internal(void *unused)
{
	mnt = vfs_kern_mount(&pfs_type, SB_KERNMOUNT, "pfs", NULL);
	vfiosim_expect(!IS_ERR(mnt));
	taken = real_mount(mnt);
}

static void mount_plain(void *unused)
{
	mnt = vfs_kern_mount(&pfs_type, 0, "source", NULL);
	vfiosim_expect(!IS_ERR(mnt) && mnt->mnt_flags == 0);
	taken = real_mount(mnt);
}

static void put(void *unused)
{
	mntput(mnt);
}

static void two_references(void *unused)
{
	mount_internal(NULL);
	mntget(mnt);
}

/* I-14, FS-61, FS-63 */
START_TEST(one_of_two_last_puts_cleans_up)
{
	static const struct vfiosim_scenario scenario = {
		.name = "mntput-vs-mntput", .setup = two_references,
		.tasks = { { "T1", put }, { "T2", put } },
	};

	step_begin(&scenario);
	step_until("T1", ENG_OP_SPIN_LOCK, "mount_lock");
	step_until("T2", ENG_OP_SPIN_LOCK, "mount_lock");
	step_once("T1");
	ck_assert(step_blocked("T2"));
	step_out("T1");
	ck_assert_int_eq(event_count("mnt_doomed"), 0);
	step_out("T2");
	ck_assert_int_eq(event_count("mnt_doomed"), 1);
	step_finish(VFIOSIM_OK);
	ck_assert_int_eq(event_count("mnt_freed"), 1);
}
END_TEST

static void put_and_look(void *unused)
{
	mntput(mnt);
	vfiosim_expect(pfs_is_gone());
}

/* FS-64, FS-67 */
START_TEST(internal_mount_is_cleaned_up_in_the_callers_context)
{
	static const struct vfiosim_scenario scenario = {
		.name = "internal", .setup = mount_internal, .tasks = { { "T1", put_and_look } },
	};

	step_all(&scenario, VFIOSIM_OK);
	ck_assert_int_eq(event_count("mnt_cleanup_queued"), 0);
}
END_TEST

static void put_then_return(void *unused)
{
	mntput(mnt);
	vfiosim_expect(pfs_supers() == 1 && (taken->mnt.mnt_flags & MNT_DOOMED));
	task_work_run();
	vfiosim_expect(pfs_is_gone());
}

/* FS-65 */
START_TEST(plain_mount_is_cleaned_up_on_the_way_to_user_mode)
{
	static const struct vfiosim_scenario scenario = {
		.name = "plain", .setup = mount_plain, .tasks = { { "T1", put_then_return } },
	};

	step_all(&scenario, VFIOSIM_OK);
	ck_assert_int_eq(event_count("mnt_cleanup_queued route task_work"), 1);
}
END_TEST

static void put_as_kthread(void *unused)
{
	get_current()->flags |= PF_KTHREAD;
	mntput(mnt);
	vfiosim_expect(pfs_supers() == 1);
}

/* FS-65 */
START_TEST(kernel_thread_leaves_a_plain_mount_to_a_work_item)
{
	static const struct vfiosim_scenario scenario = {
		.name = "plain-kthread", .setup = mount_plain,
		.tasks = { { "T1", put_as_kthread } },
	};

	step_all(&scenario, VFIOSIM_OK);
	ck_assert_int_eq(event_count("mnt_cleanup_queued route delayed"), 1);
	ck_assert(pfs_is_gone());
}
END_TEST

static dev_t expected_kills[2] KSTATE;
static unsigned int nr_killed KSTATE;

static void check_kill(struct super_block *sb)
{
	vfiosim_expect(nr_killed < 2 && sb->s_dev == expected_kills[nr_killed]);
	nr_killed++;
	kill_anon_super(sb);
}

static void put_two_as_kthread(void *unused)
{
	struct vfsmount *first, *second;

	pfs_type.kill_sb = check_kill;
	mount_plain(NULL);
	first = mnt;
	mount_plain(NULL);
	second = mnt;
	get_current()->flags |= PF_KTHREAD;
	expected_kills[0] = second->mnt_sb->s_dev;
	expected_kills[1] = first->mnt_sb->s_dev;
	mntput(first);
	mntput(second);
	vfiosim_expect(pfs_supers() == 2);
}

static void both_are_killed(void *unused)
{
	vfiosim_expect(nr_killed == 2 && pfs_is_gone());
}

/* FS-65, FS-122: one work item for both, the newest first */
START_TEST(one_work_item_cleans_up_all_mounts_the_newest_first)
{
	static const struct vfiosim_scenario scenario = {
		.name = "two-plain-kthread", .teardown = both_are_killed,
		.tasks = { { "T1", put_two_as_kthread } },
	};

	step_all(&scenario, VFIOSIM_OK);
	ck_assert_int_eq(event_count("mnt_cleanup_queued route delayed"), 2);
}
END_TEST

static void keep_for_good(void *unused)
{
	mnt = kern_mount(&pfs_type);
	vfiosim_expect(!IS_ERR(mnt));
	mntget(mnt);
	mntput(mnt);
	vfiosim_expect(real_mount(mnt)->mnt_count == 1);
	kern_unmount(mnt);
	vfiosim_expect(pfs_is_gone());
}

/* FS-66 */
START_TEST(kern_mount_ends_only_with_kern_unmount)
{
	static const struct vfiosim_scenario scenario = {
		.name = "kern-mount", .tasks = { { "T1", keep_for_good } },
	};

	step_all(&scenario, VFIOSIM_OK);
	ck_assert_int_eq(event_count("rcu_queue"), event_count("rcu_run"));
}
END_TEST

static void put_once_too_often(void *unused)
{
	mount_internal(NULL);
	real_mount(mnt)->mnt_count = 0;
	mntput(mnt);
}

/* FS-63 */
START_TEST(mount_count_below_zero_warns)
{
	static const struct vfiosim_scenario scenario = {
		.name = "mntput-twice", .tasks = { { "T1", put_once_too_often } },
	};

	step_all_finds(&scenario, "warn");
}
END_TEST

static void nothing_to_mount(void *unused)
{
	vfiosim_expect(PTR_ERR(vfs_kern_mount(NULL, 0, "x", NULL)) == -EINVAL);
	mntput(NULL);
	vfiosim_expect(!mntget(NULL));
}

static void get_tree_twice(void *unused)
{
	struct fs_context *fc = fs_context_for_mount(&pfs_type, SB_KERNMOUNT);

	vfiosim_expect(!IS_ERR(fc) && fc->need_free && fc->global && fc->purpose == 0);
	vfiosim_expect(PTR_ERR(vfs_create_mount(fc)) == -EINVAL);
	vfiosim_expect(vfs_get_tree(fc) == 0);
	vfiosim_expect(rwsem_is_locked(&fc->root->d_sb->s_umount));
	vfiosim_expect(vfs_get_tree(fc) == -EBUSY);
	up_write(&fc->root->d_sb->s_umount);
	put_fs_context(fc);
	vfiosim_expect(pfs_is_gone());
}

/* FS-44, FS-46..FS-49, FS-59, FS-61, FS-63 */
START_TEST(contexts_and_mounts_refuse_what_makes_no_sense)
{
	static const struct vfiosim_scenario scenario = {
		.name = "refuse",
		.tasks = { { "T1", nothing_to_mount }, { "T2", get_tree_twice } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void mount_two(void *unused)
{
	struct vfsmount *a, *b;

	a = vfs_kern_mount(&pfs_type, SB_KERNMOUNT, "a", NULL);
	b = vfs_kern_mount(&pfs_type, SB_KERNMOUNT, NULL, NULL);
	vfiosim_expect(a->mnt_sb != b->mnt_sb && pfs_supers() == 2);
	vfiosim_expect(!strcmp(real_mount(a)->mnt_devname, "a"));
	vfiosim_expect(!strcmp(real_mount(b)->mnt_devname, "none"));
	vfiosim_expect(real_mount(b)->mnt_id != real_mount(a)->mnt_id);
	mntput(a);
	mntput(b);
}

/* FS-45, FS-49, FS-59 */
START_TEST(each_mount_has_a_superblock_of_its_own)
{
	static const struct vfiosim_scenario scenario = {
		.name = "two-mounts", .tasks = { { "T1", mount_two } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void lock_held(void *unused)
{
	mount_internal(NULL);
	lock_mount_hash();
	vfiosim_expect(mnt_get_count(taken) == 1);
	unlock_mount_hash();
	mntput(mnt);
}

/* FS-62 */
START_TEST(sum_of_the_counters_is_read_under_mount_lock)
{
	static const struct vfiosim_scenario scenario = {
		.name = "sum", .tasks = { { "T1", lock_held } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void read_without_lock(void *unused)
{
	mount_internal(NULL);
	mnt_get_count(taken);
}

START_TEST(sum_without_mount_lock_is_a_bug)
{
	static const struct vfiosim_scenario scenario = {
		.name = "sum-unlocked", .tasks = { { "T1", read_without_lock } },
	};

	step_begin(&scenario);
	run_end();
	ck_assert_ptr_nonnull(run_failure());
}
END_TEST

STEPTEST_MAIN("namespace",
	one_of_two_last_puts_cleans_up,
	internal_mount_is_cleaned_up_in_the_callers_context,
	plain_mount_is_cleaned_up_on_the_way_to_user_mode,
	kernel_thread_leaves_a_plain_mount_to_a_work_item,
	one_work_item_cleans_up_all_mounts_the_newest_first,
	kern_mount_ends_only_with_kern_unmount,
	mount_count_below_zero_warns,
	contexts_and_mounts_refuse_what_makes_no_sense,
	each_mount_has_a_superblock_of_its_own,
	sum_of_the_counters_is_read_under_mount_lock,
	sum_without_mount_lock_is_a_bug)
