// SPDX-License-Identifier: GPL-2.0-only
/* Pins of pseudo filesystems, alone and against each other. */
#include "steptest.h"

#include "pfs.h"

static struct inode *made KSTATE;
static int errors[4] KSTATE;

static void pin(void *n)
{
	errors[0] = pfs_pin();
}

static void pin_too(void *n)
{
	errors[1] = pfs_pin();
}

static void pin_third(void *n)
{
	errors[2] = pfs_pin();
}

static void unpin(void *unused)
{
	pfs_unpin();
}

static void pin_and_unpin(void *unused)
{
	vfiosim_expect(pfs_pin() == 0);
	pfs_unpin();
}

static void make(void *unused)
{
	made = pfs_inode_new();
}

static void unmake(void *unused)
{
	pfs_inode_put(made);
}

static void unpin_all(void *unused)
{
	while (pfs_count > 0)
		pfs_unpin();
	vfiosim_expect(pfs_is_gone());
}

/* Task @name has seen an empty pair, and has mounted; it has not retaken the lock. */
static void mounted_not_published(const char *name)
{
	step_past(name, ENG_OP_SPIN_LOCK, "pin_fs_lock", 1);
	step_until(name, ENG_OP_SPIN_LOCK, "pin_fs_lock");
}

static unsigned int minor_of(struct vfsmount *mnt)
{
	return MINOR(mnt->mnt_sb->s_dev);
}

/* ---- golden traces ---- */

/* FS-15, FS-40, FS-47..FS-51, FS-55, FS-59, FS-60, FS-182: T-1 */
START_TEST(first_pin_mounts_in_the_golden_order)
{
	static const struct vfiosim_scenario scenario = {
		.name = "first-pin", .check = fs_invariants_hold,
		.teardown = unmake, .tasks = { { "bind", make } },
	};

	step_begin(&scenario);
	step_out("bind");
	expect_order((const char *const[]){
		"pin_enter count 0", "fc_alloc", "module_get", "sb_new", "module_get",
		"inode_new listed", "dentry_new", "sb_active", "dentry_get count 2", "sb_born",
		"dentry_get count 3", "mnt_new", "dentry_put count 2", "module_put", "fc_free",
		"pin_publish", "mnt_get", "pin_done count 1", "mnt_put count 1",
		"inode_new state 0x7 unlisted", NULL });
	ck_assert_int_eq(real_mount(pfs_mnt)->mnt_count, 1);
	ck_assert_int_eq(pfs_mnt->mnt_sb->s_active.counter, 1);
	ck_assert_int_eq(pfs_mnt->mnt_sb->s_count, 1);
	ck_assert_int_eq(pfs_mnt->mnt_root->d_count.counter, 2);
	ck_assert_int_eq(pfs_module.refcnt.counter, 2);
	step_finish(VFIOSIM_OK);
}
END_TEST

static void make_two(void *unused)
{
	vfiosim_expect(pfs_pin() == 0);
}

static void unmake_two(void *unused)
{
	pfs_inode_put(made);
	pfs_unpin();
}

/* FS-16, FS-183: T-2 */
START_TEST(second_pin_only_counts)
{
	static const struct vfiosim_scenario scenario = {
		.name = "second-pin", .check = fs_invariants_hold,
		.setup = make_two, .teardown = unmake_two, .tasks = { { "bind", make } },
	};
	size_t before;

	step_begin(&scenario);
	before = trace_count();
	step_out("bind");
	event_next(&before, "mnt_get");
	event_next(&before, "pin_done count 2 created 0 lost 0");
	event_next(&before, "inode_new unlisted");
	ck_assert_int_eq(event_count("sb_new"), 1);
	ck_assert_int_eq(real_mount(pfs_mnt)->mnt_count, 2);
	step_finish(VFIOSIM_OK);
}
END_TEST

static const char *const teardown_order[] = {
	"release_enter count 0", "pin_clear", "mnt_put count 0", "mnt_doomed", "mnt_cleanup",
	"dentry_put count 1", "sb_killed s_active 0", "dentry_put count 0", "inode_put count 0",
	"inode_final", "inode_evict", "inode_clear", "sb_inactive", "sb_unlist", "anon_dev_put",
	"module_put", "sb_last_count", "release_done", "mnt_freed", "sb_freed", NULL,
};

static const char *const inode_end_order[] = {
	"inode_put count 0", "inode_final state 0x27", "inode_clear state 0x60",
	"release_enter count 0", "inode_rcu_free", "inode_rcu_free", "dentry_rcu_free",
	"mnt_freed", "sb_freed", NULL,
};

/* FS-21, FS-24, FS-67..FS-76, FS-94, FS-184: T-3 */
START_TEST(last_release_tears_down_in_the_golden_order)
{
	static const struct vfiosim_scenario scenario = {
		.name = "last-release", .check = fs_invariants_hold,
		.setup = make, .tasks = { { "unbind", unmake } },
	};

	step_begin(&scenario);
	step_out("unbind");
	ck_assert(pfs_is_gone());
	step_finish(VFIOSIM_OK);
	expect_order(teardown_order);
	expect_order(inode_end_order);
}
END_TEST

static void be_6_12(void *unused)
{
	kernel_version = KERNEL_6_12;
	make(NULL);
}

/* FS-78, FS-79, FS-94, FS-184: what 6.12 does in another order */
START_TEST(kernel_6_12_drops_the_module_last)
{
	static const struct vfiosim_scenario scenario = {
		.name = "last-release-6.12", .check = fs_invariants_hold,
		.setup = be_6_12, .tasks = { { "unbind", unmake } },
	};

	step_all(&scenario, VFIOSIM_OK);
	expect_order((const char *const[]){
		"inode_final state 0xb8", "inode_clear state 0x180", "sb_inactive",
		"anon_dev_put", "sb_last_count", "sb_unlist", "module_put", "sb_freed", NULL });
}
END_TEST

/* ---- interleavings ---- */

static const struct vfiosim_scenario two_pins = {
	.name = "pin-vs-pin", .check = fs_invariants_hold, .teardown = unpin_all,
	.tasks = { { "T1", pin }, { "T2", pin_too } },
};

/* I-1, FS-16, FS-17, FS-29 */
START_TEST(loser_of_two_creators_destroys_its_own_mount)
{
	struct vfsmount *winner;

	step_begin(&two_pins);
	mounted_not_published("T1");
	mounted_not_published("T2");
	ck_assert_int_eq(pfs_supers(), 2);
	step_out("T1");
	winner = pfs_mnt;
	step_out("T2");
	ck_assert_ptr_eq(pfs_mnt, winner);
	ck_assert_int_eq(pfs_count, 2);
	ck_assert_int_eq(pfs_supers(), 1);
	ck_assert_int_eq(event_count("pin_done lost 1"), 1);
	expect_order((const char *const[]){ "pin_done count 2 created 1 lost 1", "mnt_doomed",
					    "sb_unlist", "anon_dev_put", NULL });
	step_finish(VFIOSIM_OK);
}
END_TEST

/* I-2, FS-18 */
START_TEST(failed_creator_does_not_look_again)
{
	static const uint16_t fail[] = { 1 };

	step_begin_with(&two_pins, true);
	mounted_not_published("T1");
	step_until("T2", ENG_OP_SPIN_UNLOCK, "sb_lock");
	step_out("T1");
	ck_assert_ptr_nonnull(pfs_mnt);
	/* T2's next step allocates its superblock. */
	run_next_data(fail, 1);
	step_once("T2");
	step_out("T2");
	ck_assert_int_eq(errors[0], 0);
	ck_assert_int_eq(errors[1], -ENOMEM);
	ck_assert_int_eq(pfs_count, 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

/* I-3, FS-19 */
START_TEST(slow_creator_publishes_after_others_came_and_went)
{
	static const struct vfiosim_scenario scenario = {
		.name = "slow-creator", .check = fs_invariants_hold, .teardown = unpin_all,
		.tasks = { { "T1", pin }, { "T2", pin_and_unpin } },
	};

	step_begin(&scenario);
	mounted_not_published("T1");
	step_out("T2");
	ck_assert_ptr_null(pfs_mnt);
	ck_assert_int_eq(pfs_supers(), 1);
	step_out("T1");
	ck_assert_ptr_nonnull(pfs_mnt);
	ck_assert_int_eq(pfs_count, 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

/* I-4, FS-23, INV-9 */
START_TEST(pin_during_teardown_builds_a_second_superblock)
{
	static const struct vfiosim_scenario scenario = {
		.name = "release-vs-pin", .check = fs_invariants_hold,
		.setup = make_two, .teardown = unpin_all,
		.tasks = { { "T1", unpin }, { "T2", pin } },
	};
	unsigned int old;

	step_begin(&scenario);
	old = minor_of(pfs_mnt);
	step_past("T1", ENG_OP_SPIN_UNLOCK, "pin_fs_lock", 1);
	ck_assert_ptr_null(pfs_mnt);
	step_out("T2");
	ck_assert_int_eq(pfs_supers(), 2);
	ck_assert_uint_ne(minor_of(pfs_mnt), old);
	step_out("T1");
	ck_assert_int_eq(pfs_supers(), 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

/* I-5, FS-29: INV-2 counts the creator that has not given its own back */
START_TEST(creator_holds_one_more_until_its_last_step)
{
	static const struct vfiosim_scenario scenario = {
		.name = "publish-vs-pair", .check = fs_invariants_hold, .teardown = unpin_all,
		.tasks = { { "T1", pin }, { "T2", pin_and_unpin } },
	};

	step_begin(&scenario);
	mounted_not_published("T1");
	step_past("T1", ENG_OP_SPIN_UNLOCK, "pin_fs_lock", 1);
	ck_assert_int_eq(real_mount(pfs_mnt)->mnt_count, 2);
	step_out("T2");
	ck_assert_int_eq(real_mount(pfs_mnt)->mnt_count, 2);
	ck_assert_int_eq(pfs_count, 1);
	step_out("T1");
	ck_assert_int_eq(real_mount(pfs_mnt)->mnt_count, 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

static void make_fails(void *unused)
{
	made = pfs_inode_new();
	errors[0] = IS_ERR(made) ? PTR_ERR(made) : 0;
}

/* I-5b, ERR-11 */
START_TEST(mount_survives_on_the_other_tasks_pin)
{
	static const struct vfiosim_scenario scenario = {
		.name = "fail-vs-pin", .check = fs_invariants_hold, .teardown = unpin_all,
		.tasks = { { "T1", make_fails }, { "T2", pin_too } },
	};
	static const uint16_t fail[] = { 1 };

	step_begin_with(&scenario, true);
	mounted_not_published("T1");
	step_past("T1", ENG_OP_SPIN_UNLOCK, "pin_fs_lock", 1);
	step_out("T2");
	step_past("T1", ENG_OP_ATOMIC_RMW, "mount", 1);
	while (!step_is_at("T1", ENG_OP_SPIN_UNLOCK, "mount_lock"))
		step_once("T1");
	run_next_data(fail, 1);
	step_out("T1");
	ck_assert_int_eq(errors[0], -ENOMEM);
	ck_assert_int_eq(pfs_count, 1);
	ck_assert_int_eq(pfs_supers(), 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

static struct vfsmount *held KSTATE;

static void pin_and_hold(void *unused)
{
	vfiosim_expect(pfs_pin() == 0);
	held = mntget(pfs_mnt);
}

static void put_held(void *unused)
{
	mntput(held);
}

/* I-6, FS-25 */
START_TEST(unpublished_mount_dies_in_the_extra_put)
{
	static const struct vfiosim_scenario scenario = {
		.name = "extra-mntget", .check = fs_invariants_hold,
		.setup = pin_and_hold, .teardown = unpin_all,
		.tasks = { { "T1", unpin }, { "T2", pin_too }, { "T3", put_held } },
	};

	step_begin(&scenario);
	step_out("T1");
	ck_assert_ptr_null(pfs_mnt);
	ck_assert_int_eq(pfs_supers(), 1);
	step_out("T2");
	ck_assert_int_eq(pfs_supers(), 2);
	ck_assert_ptr_ne(pfs_mnt, held);
	step_out("T3");
	ck_assert_int_eq(pfs_supers(), 1);
	ck_assert_int_eq(real_mount(pfs_mnt)->mnt_count, 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

static void visit(struct super_block *sb, void *seen)
{
	++*(int *)seen;
	cond_resched();
}

static void walk(void *unused)
{
	iterate_supers(visit, &errors[3]);
}

/* I-7, I-10, FS-24, FS-68, FS-77 */
START_TEST(last_put_waits_for_a_walker)
{
	static const struct vfiosim_scenario scenario = {
		.name = "release-vs-walker", .check = fs_invariants_hold,
		.setup = make_two, .tasks = { { "T1", unpin }, { "sync", walk } },
	};

	step_begin(&scenario);
	step_until("sync", ENG_OP_YIELD, "");
	while (!step_blocked("T1"))
		step_once("T1");
	ck_assert_int_eq(event_count("sb_inactive"), 0);
	step_once("sync");
	while (!step_can_run("T1"))
		step_once("sync");
	step_out("T1");
	step_out("sync");
	ck_assert_int_eq(errors[3], 1);
	step_finish(VFIOSIM_OK);
	ck_assert_int_eq(event_count("sb_freed"), 1);
}
END_TEST

/* I-8, FS-54 */
START_TEST(losers_device_number_is_free_at_once)
{
	static const struct vfiosim_scenario scenario = {
		.name = "three-creators", .check = fs_invariants_hold, .teardown = unpin_all,
		.tasks = { { "T1", pin }, { "T2", pin_too }, { "T3", pin_third } },
	};
	unsigned int first, second;

	step_begin(&scenario);
	mounted_not_published("T1");
	mounted_not_published("T2");
	step_past("T3", ENG_OP_SPIN_UNLOCK, "pin_fs_lock", 1);
	step_out("T1");
	first = minor_of(pfs_mnt);
	step_out("T2");
	second = first + 1;
	step_past("T3", ENG_OP_SPIN_UNLOCK, "sb_lock", 2);
	ck_assert_uint_eq(MINOR(container_of(pfs_type.fs_supers.first, struct super_block,
					     s_instances)->s_dev), second);
	step_out("T3");
	ck_assert_int_eq(pfs_count, 3);
	step_finish(VFIOSIM_OK);
}
END_TEST

/* ---- misuse ---- */

static void underflow(void *unused)
{
	pfs_unpin();
	vfiosim_expect(pfs_count == -1 && !pfs_mnt);
	vfiosim_expect(pfs_pin() == 0);
	vfiosim_expect(pfs_count == 0 && pfs_mnt);
}

/* FS-14, FS-26, FS-28, FS-191 */
START_TEST(release_without_a_pin_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "underflow", .tasks = { { "T1", underflow } },
	};

	step_all_finds(&scenario, PIN_COUNT);
}
END_TEST

static void underflow_to_the_end(void *unused)
{
	underflow(NULL);
	pfs_unpin();
	vfiosim_expect(pfs_count == -1 && pfs_mnt);
}

/* FS-26, FS-192: the kernel's own way on, to a pointer that dangles */
START_TEST(underflow_leaves_the_mount_pointer_dangling)
{
	static const struct vfiosim_scenario scenario = {
		.name = "underflow-on", .tolerate = PIN_COUNT,
		.tasks = { { "T1", underflow_to_the_end } },
	};

	step_all_finds(&scenario, MOUNT_PUBLISHED);
}
END_TEST

/* ---- failures ---- */

static void check_gone(void *unused)
{
	if (errors[0])
		vfiosim_expect(pfs_is_gone());
	else
		pfs_inode_put(made);
}

static const struct vfiosim_scenario first_pin = {
	.name = "first-pin", .check = fs_invariants_hold, .teardown = check_gone,
	.tasks = { { "bind", make_fails } },
};

/* ERR-1..ERR-11, FS-20, FS-45, FS-46, FS-53, FS-59, FS-72, FS-172, FS-173 */
static const struct {
	const char *site;
	int error;
} first_pin_sites[] = {
	{ "fs_context", -ENOMEM },		/* ERR-1 */
	{ "pseudo_fs_context", -ENOMEM },	/* ERR-2, FS-41 */
	{ "fc_source", -ENOMEM },		/* ERR-3 */
	{ "fs_context_parse_param", -EACCES },	/* ERR-4 */
	{ "super_block", -ENOMEM },		/* ERR-5, FS-52 */
	{ "sb_security", -ENOMEM },
	{ "sb_freeze_rwsem", -ENOMEM },
	{ "sb_shrinker", -ENOMEM },
	{ "sb_lru", -ENOMEM },
	{ "anon_bdev_space", -EMFILE },		/* ERR-6 */
	{ "ida", -ENOMEM },			/* ERR-6, and the mount's number: ERR-10 */
	{ "inode", -ENOMEM },			/* ERR-7, ERR-11 */
	{ "inode_security", -ENOMEM },
	{ "dentry", -ENOMEM },			/* ERR-8 */
	{ "sb_set_mnt_opts", -EACCES },		/* ERR-9 */
	{ "mount", -ENOMEM },			/* ERR-10 */
	{ "mnt_devname", -ENOMEM },
	{ "mnt_percpu", -ENOMEM },
};

static int expected_error(const char *site)
{
	for (size_t i = 0; i < ARRAY_SIZE(first_pin_sites); i++) {
		if (!strcmp(site, first_pin_sites[i].site))
			return first_pin_sites[i].error;
	}
	ck_abort_msg("fault point \"%s\" is not in the table", site);
	return 0;
}

START_TEST(failed_first_pin_leaves_nothing)
{
	bool seen[ARRAY_SIZE(first_pin_sites)] = { false };
	const char *site;

	for (unsigned int nth = 0; (site = step_fault(&first_pin, nth)); nth++) {
		ck_assert_msg(errors[0] == expected_error(site), "%s: errno %d", site, errors[0]);
		for (size_t i = 0; i < ARRAY_SIZE(first_pin_sites); i++)
			seen[i] |= !strcmp(site, first_pin_sites[i].site);
		step_finish(VFIOSIM_OK);
	}
	step_finish(VFIOSIM_OK);
	for (size_t i = 0; i < ARRAY_SIZE(first_pin_sites); i++)
		ck_assert_msg(seen[i], "%s was not reached", first_pin_sites[i].site);
}
END_TEST

/* FS-4, FS-187, ERR-11: T-6 */
START_TEST(failed_inode_tears_the_fresh_mount_down_again)
{
	const char *site = NULL;
	unsigned int nth = 0, last = 0;

	for (; (site = step_fault(&first_pin, nth)); nth++) {
		if (!strcmp(site, "inode"))
			last = nth;
		run_end();
	}
	run_end();
	ck_assert_str_eq(step_fault(&first_pin, last), "inode");
	ck_assert_int_eq(errors[0], -ENOMEM);
	ck_assert_int_eq(event_count("inode_rcu_free"), 1);
	expect_order((const char *const[]){ "pin_publish", "pin_done count 1",
					    "mnt_put count 1", NULL });
	expect_order(teardown_order);
	step_finish(VFIOSIM_OK);
}
END_TEST

/* ---- the fields ---- */

static void check_fields(void *unused)
{
	struct super_block *sb;

	vfiosim_expect(pfs_pin() == 0);
	sb = pfs_mnt->mnt_sb;
	vfiosim_expect(sb->s_magic == PFS_MAGIC && !strcmp(sb->s_id, "pfs"));
	vfiosim_expect((u32)sb->s_flags == 0xe0400000);
	vfiosim_expect(sb->s_flags >> 32 == 0xffffffff);
	vfiosim_expect(!sb->s_iflags && !sb->s_xattr && !sb->s_d_op && !sb->s_bdev && sb->s_bdi);
	vfiosim_expect(sb->s_op->statfs && !sb->s_op->alloc_inode && !sb->s_op->evict_inode);
	vfiosim_expect(MAJOR(sb->s_dev) == 0 && MINOR(sb->s_dev) >= 1);
	vfiosim_expect(sb->s_blocksize == PAGE_SIZE && sb->s_blocksize_bits == PAGE_SHIFT);
	vfiosim_expect(sb->s_time_gran == 1 && sb->s_maxbytes == LONG_MAX);
	vfiosim_expect(sb->s_user_ns == &init_user_ns);
	vfiosim_expect(sb->s_root->d_parent == sb->s_root && !strcmp(sb->s_root->d_name, "/"));
	vfiosim_expect(!sb->s_root->d_op);
	vfiosim_expect(pfs_mnt->mnt_flags == MNT_INTERNAL && !real_mount(pfs_mnt)->mnt_ns);
	vfiosim_expect(!strcmp(real_mount(pfs_mnt)->mnt_devname, "pfs"));
	vfiosim_expect(graft_tree(pfs_mnt) == -EINVAL);
}

static void check_root_inode(void *unused)
{
	const struct inode *root = pfs_mnt->mnt_sb->s_root->d_inode;

	vfiosim_expect(root->i_ino == 1 && root->i_nlink == 1 && !root->i_state);
	vfiosim_expect(root->i_mode == (S_IFDIR | 0600) && !root->i_flags);
	vfiosim_expect(!list_empty(&root->i_sb_list) && hlist_unhashed(&root->i_hash));
	vfiosim_expect(root->i_count.counter == 1);
	vfiosim_expect(root->i_fop->open((struct inode *)root, NULL) == -ENXIO);
	pfs_unpin();
}

/* FS-42, FS-43, FS-55..FS-58, FS-66 */
START_TEST(superblock_has_the_fields_of_a_pinned_pseudo_filesystem)
{
	static const struct vfiosim_scenario scenario = {
		.name = "fields", .teardown = check_root_inode,
		.tasks = { { "bind", check_fields } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void check_anon_fields(void *unused)
{
	struct inode *inode;

	made = inode = pfs_inode_new();
	vfiosim_expect(!IS_ERR(inode));
	vfiosim_expect(inode->i_count.counter == 1 && inode->i_nlink == 1);
	vfiosim_expect(inode->i_state == 0x7 && inode->i_mode == 0600);
	vfiosim_expect(!S_ISREG(inode->i_mode) && !S_ISCHR(inode->i_mode));
	vfiosim_expect(inode->i_flags == S_PRIVATE && inode->i_ino > 0);
	vfiosim_expect(inode->i_mapping == &inode->i_data && inode->i_data.host == inode);
	vfiosim_expect(inode->i_data.a_ops->set_page_dirty && !inode->i_data.a_ops->direct_IO);
	vfiosim_expect(!inode->i_data.i_mmap_writable && !inode->i_data.wb_err);
	vfiosim_expect(!inode->i_data.flags && !inode->i_size && !inode->i_rdev);
	vfiosim_expect(!inode->i_cdev && !inode->i_private && !inode->i_writecount);
	vfiosim_expect(inode->i_blkbits == PAGE_SHIFT && inode->i_fop->open(inode, NULL) == -ENXIO);
	vfiosim_expect(inode_on_no_list(inode) && !inode->i_dentry.first);
}

/* FS-84..FS-88, INV-12 */
START_TEST(anonymous_inode_has_exactly_its_fields)
{
	static const struct vfiosim_scenario scenario = {
		.name = "anon-fields", .teardown = unmake,
		.tasks = { { "bind", check_anon_fields } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void pin_when_exiting(void *unused)
{
	get_current()->flags |= PF_EXITING;
	pfs_pin();
}

/* FS-40, FS-150, FS-196 */
START_TEST(mounting_late_in_exit_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "pin-in-exit", .tasks = { { "T1", pin_when_exiting } },
	};

	step_all_finds(&scenario, NO_NSPROXY);
}
END_TEST

static void pin_under_a_spinlock(void *unused)
{
	static DEFINE_SPINLOCK(lock);

	vfiosim_expect(pfs_pin() == 0);
	spin_lock(&lock);
	pfs_unpin();
}

/* FS-22, FS-176, FS-179, FS-199 */
START_TEST(release_in_atomic_context_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "release-atomic", .tasks = { { "T1", pin_under_a_spinlock } },
	};

	step_all_finds(&scenario, "sleeping-while-atomic");
}
END_TEST

STEPTEST_MAIN("pseudofs",
	first_pin_mounts_in_the_golden_order,
	second_pin_only_counts,
	last_release_tears_down_in_the_golden_order,
	kernel_6_12_drops_the_module_last,
	loser_of_two_creators_destroys_its_own_mount,
	failed_creator_does_not_look_again,
	slow_creator_publishes_after_others_came_and_went,
	pin_during_teardown_builds_a_second_superblock,
	creator_holds_one_more_until_its_last_step,
	mount_survives_on_the_other_tasks_pin,
	unpublished_mount_dies_in_the_extra_put,
	last_put_waits_for_a_walker,
	losers_device_number_is_free_at_once,
	release_without_a_pin_is_found,
	underflow_leaves_the_mount_pointer_dangling,
	failed_first_pin_leaves_nothing,
	failed_inode_tears_the_fresh_mount_down_again,
	superblock_has_the_fields_of_a_pinned_pseudo_filesystem,
	anonymous_inode_has_exactly_its_fields,
	mounting_late_in_exit_is_found,
	release_in_atomic_context_is_found)
