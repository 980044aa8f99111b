// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order of locks of section H: each call keeps it, and a driver that does not
 * is found before anything blocks.
 */
#include <vfiosim/kapi/rcu.h>

#include "mmtest.h"

static struct rw_semaphore driver_lock KSTATE;
static struct spinlock spin KSTATE;
static int fd KSTATE;

static vm_fault_t locked_fault(struct vm_fault *vmf)
{
	vm_fault_t ret;

	down_read(&driver_lock);
	ret = vmf_insert_pfn(vmf->vma, vmf->address, DEVICE_PFN + vmf->pgoff);
	up_read(&driver_lock);
	return ret;
}

static int locked_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = locked_fault };

	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	return 0;
}

static void zap(void)
{
	unmap_mapping_range(mapping_of_fd(fd), 0, 0, 1);
}

/* mmap_lock, driver lock, i_mmap_rwsem: the order of a device with an inode of its own. */
static void usual_order(void)
{
	static const struct file_operations fops = { .mmap = locked_mmap };

	__init_rwsem(&driver_lock, "driver_lock");
	__spin_lock_init(&spin, "spin");
	fd = device_file();
	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(store(0, 1), 0);
	down_write(&driver_lock);
	zap();
	up_write(&driver_lock);
	expect_long(store(0, 1), 0);
}

/* ---- what is allowed ---- */

/* MM-183: under mmap_lock; MM-179: sleeping under all these locks */
static void zap_under_mmap_lock(void)
{
	mmap_write_lock(mm);
	zap();
	might_sleep();
	mmap_write_unlock(mm);
	down_write(&driver_lock);
	might_sleep();
	up_write(&driver_lock);
	i_mmap_lock_write(mapping_of_fd(fd));
	might_sleep();
	i_mmap_unlock_write(mapping_of_fd(fd));
}

/* MM-178: two address spaces at once, in a fork only: the parent's first */
static void fork_nests(void)
{
	struct mm_struct *child = mm_alloc();

	expect_long(dup_mmap(child, mm), 0);
	mmput(child);
}

/* ---- what is not ---- */

/* MM-180: user memory is touched under the lock that its fault takes */
static void touch_under_driver_lock(void)
{
	down_write(&driver_lock);
	load(1);
}

/* MM-181: the old problem, driver lock and then mmap_lock */
static void mmap_lock_under_driver_lock(void)
{
	down_write(&driver_lock);
	mmap_read_lock(mm);
}

/* MM-182: a walk of the tree that takes the driver's lock */
static void driver_lock_in_a_walk(void)
{
	i_mmap_lock_write(mapping_of_fd(fd));
	down_read(&driver_lock);
}

/* MM-178: mmap_lock inside i_mmap_rwsem */
static void mmap_lock_in_a_walk(void)
{
	i_mmap_lock_write(mapping_of_fd(fd));
	mmap_read_lock(mm);
}

/* MM-183 */
static void zap_under_a_spinlock(void)
{
	spin_lock(&spin);
	zap();
}

/* MM-183 */
static void zap_in_an_rcu_section(void)
{
	rcu_read_lock();
	zap();
}

static const struct {
	void (*act)(void);
	const char *detector;	/* NULL: nothing is wrong */
} rows[] = {
	{ zap_under_mmap_lock, NULL },
	{ fork_nests, NULL },
	{ touch_under_driver_lock, "lock-inversion" },
	{ mmap_lock_under_driver_lock, "lock-inversion" },
	{ driver_lock_in_a_walk, "lock-inversion" },
	{ mmap_lock_in_a_walk, "lock-inversion" },
	{ zap_under_a_spinlock, "sleeping-while-atomic" },
	{ zap_in_an_rcu_section, "sleeping-while-atomic" },
};
static int row;

static void row_body(void)
{
	usual_order();
	rows[row].act();
}

START_TEST(locks_have_one_order)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++) {
		if (rows[row].detector)
			assert_mm_detects(kernel, row_body, rows[row].detector);
		else
			assert_mm(kernel, row_body);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("mm-locks");

	tcase_add_loop_test(tc, locks_have_one_order, 0, ARRAY_SIZE(rows));
	return mm_main("mm-locks", tc);
}
