// SPDX-License-Identifier: GPL-2.0-only
/* Inodes: references, eviction, memory that is reused. */
#include "steptest.h"

#include "mm_internal.h"
#include "pfs.h"

static struct inode *made KSTATE;
static struct vm_area_struct *stale_vma KSTATE;

static void make(void *unused)
{
	made = pfs_inode_new();
	vfiosim_expect(!IS_ERR(made));
}

static void unmake(void *unused)
{
	pfs_inode_put(made);
}

static void hold_twice(void *unused)
{
	make(NULL);
	ihold(made);
	vfiosim_expect(made->i_count.counter == 2);
	iput(made);
	vfiosim_expect(made->i_count.counter == 1 && made->i_state == I_DIRTY);
	iput(NULL);
}

/* FS-89, FS-90 */
START_TEST(only_the_last_reference_ends_an_inode)
{
	static const struct vfiosim_scenario scenario = {
		.name = "hold-twice", .check = fs_invariants_hold, .teardown = unmake,
		.tasks = { { "T1", hold_twice } },
	};

	/* INV-11 is about device inodes, which are held once. */
	step_all_finds(&scenario, "inv-11");
}
END_TEST

static const struct vfiosim_scenario two_references = {
	.name = "hold-twice", .teardown = unmake, .tasks = { { "T1", hold_twice } },
};

START_TEST(references_are_counted)
{
	step_all(&two_references, VFIOSIM_OK);
	ck_assert_int_eq(event_count("inode_evict"), 2);
}
END_TEST

static void put_twice(void *unused)
{
	make(NULL);
	ihold(made);
	iput(made);
	iput(made);
	iput(made);
}

/* FS-90: after the grace period it would be a use after free, before it a BUG */
START_TEST(put_of_an_evicted_inode_is_a_bug)
{
	static const struct vfiosim_scenario scenario = {
		.name = "put-evicted", .tasks = { { "T1", put_twice } },
	};

	step_all_finds(&scenario, "bug");
}
END_TEST

static void count_below_zero(void *unused)
{
	struct inode *inode;

	make(NULL);
	inode = made;
	inode->i_count.counter = 0;
	iput(inode);
}

/* FS-91, FS-193: the kernel's lock-free path is silent */
START_TEST(i_count_below_zero_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "count-below-zero", .tasks = { { "T1", count_below_zero } },
	};

	step_all_finds(&scenario, INODE_COUNT);
}
END_TEST

static void hold_a_dead_one(void *unused)
{
	make(NULL);
	made->i_count.counter = 0;
	ihold(made);
}

/* FS-89, FS-193 */
START_TEST(reference_on_a_dead_inode_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "hold-dead", .tasks = { { "T1", hold_a_dead_one } },
	};

	step_all_finds(&scenario, INODE_COUNT);
}
END_TEST

static void put_an_error(void *unused)
{
	iput(ERR_PTR(-ENOMEM));
}

/* FS-5, FS-90, FS-193 */
START_TEST(put_of_an_error_pointer_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "put-error", .tasks = { { "T1", put_an_error } },
	};

	step_all_finds(&scenario, ERROR_POINTER);
}
END_TEST

/* ---- eviction ---- */

static void leave_a_vma(struct inode *inode)
{
	stale_vma = vm_area_alloc(NULL);
	stale_vma->vm_end = PAGE_SIZE;
	vma_interval_tree_insert(stale_vma, &inode->i_data.i_mmap);
}

static void evict_mapped(void *unused)
{
	make(NULL);
	leave_a_vma(made);
	pfs_inode_put(made);
}

/* FS-98, FS-100, FS-189, INV-16 */
START_TEST(eviction_with_a_linked_vma_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "evict-mapped", .tasks = { { "T1", evict_mapped } },
	};

	step_all_finds(&scenario, STALE_MAPPING);
}
END_TEST

static void evict_with_writers(void *unused)
{
	make(NULL);
	made->i_data.i_mmap_writable = 1;
	pfs_inode_put(made);
}

/* FS-189 */
START_TEST(eviction_with_counted_writers_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "evict-writers", .tasks = { { "T1", evict_with_writers } },
	};

	step_all_finds(&scenario, STALE_MAPPING);
}
END_TEST

static void reuse(void *unused)
{
	struct inode *old = made;

	leave_a_vma(old);
	old->i_data.wb_err = 5;
	old->i_data.i_mmap_writable = 1;
	pfs_inode_put(old);
	rcu_barrier();
	make(NULL);
	vfiosim_expect(pfs_mnt->mnt_sb->s_root->d_inode == old || made == old);
	vfiosim_expect(mapping_tree_holds(&old->i_data.i_mmap, stale_vma));
	vfiosim_expect(old->i_data.i_mmap_writable == 0 && old->i_data.wb_err == 0);
	vma_interval_tree_remove(stale_vma, &old->i_data.i_mmap);
	vm_area_free(stale_vma);
}

/* FS-83, FS-100: the next owner starts life with the stale VMA in its tree */
START_TEST(reused_memory_inherits_what_the_constructor_sets)
{
	static const struct vfiosim_scenario scenario = {
		.name = "inherit", .tolerate = STALE_MAPPING, .setup = make, .teardown = unmake,
		.tasks = { { "T1", reuse } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void put_with_pages(void *unused)
{
	made->i_data.nrpages = 1;
	iput(made);
}

static void put_with_private(void *unused)
{
	static struct list_head buffer;

	list_add(&buffer, &made->i_data.private_list);
	iput(made);
}

static void put_on_lru(void *unused)
{
	struct inode *inode = made;

	inode->i_state |= I_FREEING | I_CLEAR;
	inode->i_state &= ~I_CLEAR;
	clear_inode(inode);
	clear_inode(inode);
}

/* FS-95, FS-97, FS-98, FS-203 */
static const struct {
	const char *what;
	void (*body)(void *unused);
} clear_bugs[] = {
	{ "a page is left", put_with_pages },
	{ "a private buffer is left", put_with_private },
	{ "it is cleared twice", put_on_lru },
};

START_TEST(clear_inode_insists_on_an_empty_inode)
{
	for (size_t i = 0; i < ARRAY_SIZE(clear_bugs); i++) {
		const struct vfiosim_scenario scenario = {
			.name = clear_bugs[i].what, .setup = make,
			.tasks = { { "T1", clear_bugs[i].body } },
		};

		step_begin(&scenario);
		run_end();
		ck_assert_msg(run_failure() && !strcmp(run_failure()->detector, "bug"), "%s",
			      clear_bugs[i].what);
	}
}
END_TEST

static void redirect_and_put(void *unused)
{
	static struct address_space elsewhere KSTATE;

	made->i_mapping = &elsewhere;
	pfs_inode_put(made);
	vfiosim_expect(!(elsewhere.flags & AS_EXITING));
}

/* FS-96 */
START_TEST(redirected_mapping_is_not_truncated)
{
	static const struct vfiosim_scenario scenario = {
		.name = "redirected", .setup = make, .tasks = { { "T1", redirect_and_put } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

/* ---- the superblock goes first ---- */

static void leak_and_unpin(void *unused)
{
	pfs_unpin();
}

/* FS-7, FS-86, FS-190: the kernel is silent, the inode is on no list */
START_TEST(unlisted_inode_that_outlives_its_superblock_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "unpin-first", .setup = make, .tasks = { { "T1", leak_and_unpin } },
	};

	step_all_finds(&scenario, INODE_OUTLIVES_SUPER);
	ck_assert_int_eq(event_count("busy_report"), 0);
}
END_TEST

static void unpin_then_put(void *unused)
{
	struct inode *inode = made;

	pfs_unpin();
	rcu_barrier();
	msleep(100);
	iput(inode);
}

/* FS-7, FS-95: iput() reads i_sb->s_op of a superblock whose memory went */
START_TEST(put_after_the_superblock_is_a_use_after_free)
{
	static const struct vfiosim_scenario scenario = {
		.name = "unpin-first-put-later", .tolerate = INODE_OUTLIVES_SUPER,
		.setup = make, .tasks = { { "T1", unpin_then_put } },
	};

	step_all_finds(&scenario, "use-after-free");
}
END_TEST

static void leak_listed(void *unused)
{
	vfiosim_expect(pfs_pin() == 0);
	made = new_inode(pfs_mnt->mnt_sb);
	pfs_unpin();
}

/* FS-74, FS-75, FS-82 */
START_TEST(listed_inode_is_reported_as_busy)
{
	static const struct vfiosim_scenario scenario = {
		.name = "busy", .tolerate = INODE_OUTLIVES_SUPER ",leak",
		.tasks = { { "T1", leak_listed } },
	};

	step_begin(&scenario);
	run_end();
	ck_assert_int_eq(event_count("busy_report pfs"), 1);
	ck_assert(!IS_ERR(made->i_sb) && !IS_ERR(made->i_mapping));
}
END_TEST

static void leak_listed_6_12(void *unused)
{
	kernel_version = KERNEL_6_12;
	leak_listed(NULL);
	vfiosim_expect(IS_ERR(made->i_sb) && IS_ERR(made->i_mapping));
}

/* FS-75 */
START_TEST(kernel_6_12_poisons_what_is_busy)
{
	static const struct vfiosim_scenario scenario = {
		.name = "busy-6.12", .tasks = { { "T1", leak_listed_6_12 } },
	};

	step_all_finds(&scenario, "warn");
}
END_TEST

static void list_and_drop(void *unused)
{
	struct inode *inode;

	vfiosim_expect(pfs_pin() == 0);
	inode = new_inode(pfs_mnt->mnt_sb);
	vfiosim_expect(pfs_mnt->mnt_sb->s_inodes.next == &inode->i_sb_list);
	vfiosim_expect(!inode->i_state && !inode->i_flags);
	iput(inode);
	vfiosim_expect(list_is_singular(&pfs_mnt->mnt_sb->s_inodes));
	pfs_unpin();
}

/* FS-81, FS-82, FS-92, FS-93 */
START_TEST(unhashed_inode_is_evicted_by_its_last_put)
{
	static const struct vfiosim_scenario scenario = {
		.name = "listed", .check = fs_invariants_hold, .teardown = NULL,
		.tasks = { { "T1", list_and_drop } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

/* ---- interleavings ---- */

static void unmake_and_wait(void *unused)
{
	pfs_inode_put(made);
}

static void read_in_rcu(void *unused)
{
	struct inode *inode = made;

	rcu_read_lock();
	shared_read(&inode->i_mode);
	vfiosim_expect(inode->i_mode == 0600);
	rcu_read_unlock();
}

/* I-18, FS-99, FS-205 */
START_TEST(reader_in_an_rcu_section_sees_intact_memory)
{
	static const struct vfiosim_scenario scenario = {
		.name = "iput-vs-rcu", .setup = make,
		.tasks = { { "T1", unmake_and_wait }, { "T2", read_in_rcu } },
	};

	step_begin(&scenario);
	step_until("T2", ENG_OP_READ_ONCE, "inode");
	step_out("T1");
	ck_assert_int_eq(event_count("inode_clear"), 2);
	ck_assert_int_eq(event_count("inode_rcu_free"), 0);
	step_out("T2");
	step_finish(VFIOSIM_OK);
	ck_assert_int_eq(event_count("inode_rcu_free"), 2);
}
END_TEST

static void put_both(void *unused)
{
	iput(made);
}

static void make_and_hold(void *unused)
{
	make(NULL);
	ihold(made);
}

static void unpin(void *unused)
{
	pfs_unpin();
}

/* FS-90: the lock is taken for the last one only, and one of the two is the last */
START_TEST(two_last_puts_evict_once)
{
	static const struct vfiosim_scenario scenario = {
		.name = "iput-vs-iput", .setup = make_and_hold, .teardown = unpin,
		.tasks = { { "T1", put_both }, { "T2", put_both } },
	};

	step_begin(&scenario);
	step_until("T1", ENG_OP_ATOMIC_RMW, "");
	step_until("T2", ENG_OP_ATOMIC_RMW, "");
	step_out("T1");
	ck_assert_int_eq(event_count("inode_evict"), 0);
	step_out("T2");
	ck_assert_int_eq(event_count("inode_evict"), 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

static void numbers(void *unused)
{
	unsigned int first = get_next_ino();

	vfiosim_expect(first && get_next_ino() != first);
}

/* FS-85, FS-177 */
START_TEST(inode_numbers_differ_and_are_never_zero)
{
	static const struct vfiosim_scenario scenario = {
		.name = "numbers", .tasks = { { "T1", numbers } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

STEPTEST_MAIN("inode",
	only_the_last_reference_ends_an_inode,
	references_are_counted,
	put_of_an_evicted_inode_is_a_bug,
	i_count_below_zero_is_found,
	reference_on_a_dead_inode_is_found,
	put_of_an_error_pointer_is_found,
	eviction_with_a_linked_vma_is_found,
	eviction_with_counted_writers_is_found,
	reused_memory_inherits_what_the_constructor_sets,
	clear_inode_insists_on_an_empty_inode,
	redirected_mapping_is_not_truncated,
	unlisted_inode_that_outlives_its_superblock_is_found,
	put_after_the_superblock_is_a_use_after_free,
	listed_inode_is_reported_as_busy,
	kernel_6_12_poisons_what_is_busy,
	unhashed_inode_is_evicted_by_its_last_put,
	reader_in_an_rcu_section_sees_intact_memory,
	two_last_puts_evict_once,
	inode_numbers_differ_and_are_never_zero)
