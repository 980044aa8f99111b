// SPDX-License-Identifier: GPL-2.0-only
/* The invariants: each holds in ordinary runs, and each can be seen to break. */
#include "steptest.h"

#include "fdtest.h"
#include "mm_internal.h"
#include "pfs.h"

static struct inode *device KSTATE;
static struct vm_area_struct *vma KSTATE;
static struct super_block *super KSTATE;

static void world(void *unused)
{
	device = pfs_inode_new();
	super = pfs_mnt->mnt_sb;
	process_begin();
	note_fd(1);
}

/* Ways to break one invariant by hand, and what is broken by it first. */
static void pair_without_mount(void)
{
	pfs_mnt = NULL;
}

static void mount_with_a_reference_more(void)
{
	real_mount(pfs_mnt)->mnt_count++;
}

static void pin_that_nobody_made(void)
{
	pfs_count++;
	real_mount(pfs_mnt)->mnt_count++;
}

static void mount_without_pins(void)
{
	real_mount(pfs_mnt)->mnt_count = 0;
	((struct pin_pair *)pin_pair_peek(0))->balance = 0;
	pfs_count = 0;
	pfs_mnt = NULL;
}

static void s_active_more(void)
{
	super->s_active.counter++;
}

static void s_count_less(void)
{
	super->s_count = 0;
}

static void root_dentry_more(void)
{
	super->s_root->d_count.counter++;
}

static void module_less(void)
{
	pfs_module.refcnt.counter = 1;
}

static void same_number(void)
{
	struct vfsmount *second = vfs_kern_mount(&pfs_type, SB_KERNMOUNT, "x", NULL);

	second->mnt_sb->s_dev = super->s_dev;
}

static void active_without_root(void)
{
	super->s_root = NULL;
}

static void i_count_more(void)
{
	device->i_count.counter = 2;
}

static void inode_on_a_list(void)
{
	list_add(&device->i_sb_list, &super->s_inodes);
}

static void shared_inode_less(void)
{
	anon_inode_shared()->i_count.counter = 1;
}

static void link_vma(unsigned long flags)
{
	vma = vm_area_alloc(NULL);
	vma->vm_end = PAGE_SIZE;
	vma->vm_flags = flags;
	vma->vm_file = files_peek(get_current()->files, 0);
	vma_interval_tree_insert(vma, &device->i_data.i_mmap);
}

static void vma_in_another_tree(void)
{
	link_vma(0);
}

static void shared_vma_not_counted(void)
{
	link_vma(VM_SHARED);
	vma->vm_file->f_mapping = &device->i_data;
	vma->vm_file->f_installed_mapping = &device->i_data;
	vma->vm_file->f_count.counter = 2;
}

static void freeing_with_a_vma(void)
{
	shared_vma_not_counted();
	device->i_data.i_mmap_writable = 1;
	device->i_state |= I_FREEING;
	vma->vm_file->f_mapping->host = vma->vm_file->f_inode;
	vma->vm_file->f_mapping = &device->i_data;
}

static void slot_without_reference(void)
{
	struct files_struct *files = get_current()->files;

	files->fd_array[1] = files->fd_array[0];
}

static void redirected_to_a_dead_inode(void)
{
	files_peek(get_current()->files, 0)->f_mapping = &device->i_data;
	device->i_state |= I_FREEING;
}

static void released_but_used(void)
{
	files_peek(get_current()->files, 0)->f_released = true;
}

static void one_file_less(void)
{
	files_stat.nr_files--;
}

static void table_nobody_counts(void)
{
	get_current()->files->count.counter = 0;
}

static const struct {
	int number;
	void (*breaks)(void);
} ways[] = {
	{ 1, pair_without_mount },
	{ 2, mount_with_a_reference_more },
	{ 3, pin_that_nobody_made },
	{ 4, mount_without_pins },
	{ 5, s_active_more },
	{ 6, s_count_less },
	{ 7, root_dentry_more },
	{ 8, module_less },
	{ 9, same_number },
	{ 10, active_without_root },
	{ 11, i_count_more },
	{ 12, inode_on_a_list },
	{ 13, shared_inode_less },
	{ 14, vma_in_another_tree },
	{ 15, shared_vma_not_counted },
	{ 16, freeing_with_a_vma },
	{ 17, slot_without_reference },
	{ 18, redirected_to_a_dead_inode },
	{ 19, released_but_used },
	{ 20, one_file_less },
	{ 21, table_nobody_counts },
};

static int way KSTATE;
static int broken KSTATE;

static void break_one(void *unused)
{
	const struct invariant *found;
	const void *object;

	world(NULL);
	found = fs_invariants_broken(&object);
	vfiosim_expect(!found);
	ways[way].breaks();
	found = fs_invariants_broken(&object);
	broken = found ? found->number : 0;
	/* Nothing after this is of interest, and little would survive it. */
	eng_fail("enough", NULL, "seen");
}

/* INV-1..INV-21, FS-28..FS-31, FS-80, FS-109, FS-152 */
START_TEST(each_invariant_sees_what_breaks_it)
{
	static const struct vfiosim_scenario scenario = {
		.name = "break", .tasks = { { "T1", break_one } },
	};

	ck_assert_uint_eq(ARRAY_SIZE(ways), fs_invariants_count);
	for (size_t n = 0; n < ARRAY_SIZE(ways); n++) {
		step_begin(&scenario);
		way = n;
		run_end();
		ck_assert_msg(broken == ways[n].number, "INV-%d: the first one broken is INV-%d",
			      ways[n].number, broken);
	}
}
END_TEST

static void ordinary(void *unused)
{
	world(NULL);
	process_end();
	pfs_inode_put(device);
}

START_TEST(invariants_hold_in_an_ordinary_life)
{
	static const struct vfiosim_scenario scenario = {
		.name = "ordinary", .check = fs_invariants_hold,
		.tasks = { { "T1", ordinary } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void break_the_pair(void *unused)
{
	world(NULL);
	pfs_count = -1;
	cond_resched();
}

START_TEST(broken_invariant_is_reported_by_its_number)
{
	static const struct vfiosim_scenario scenario = {
		.name = "report", .check = fs_invariants_hold,
		.tasks = { { "T1", break_the_pair } },
	};

	step_all_finds(&scenario, "inv-1");
	ck_assert_ptr_nonnull(strstr(run_failure()->message, "pin-pair"));
}
END_TEST

STEPTEST_MAIN("invariants_fs",
	each_invariant_sees_what_breaks_it,
	invariants_hold_in_an_ordinary_life,
	broken_invariant_is_reported_by_its_number)
