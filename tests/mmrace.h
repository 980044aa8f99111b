/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device whose memory can be switched off (lock, zap, switch, unlock), and what
 * else may happen to its mappings meanwhile: the world of MM-185. Afterwards no
 * entry may show the device, and every touch is SIGBUS.
 */
#ifndef VFIOSIM_MMRACE_H
#define VFIOSIM_MMRACE_H

#include "mmworld.h"

static struct file *device KSTATE;
static struct mm_struct *child KSTATE;
static struct files_struct *files KSTATE;
static struct rw_semaphore memory_lock KSTATE;
static bool memory_on KSTATE;

/* How a wrong driver is wrong (MM-144). Chosen by the test, so not part of a run. */
enum wrong { RIGHT, TEST_BEFORE_LOCK, INSERT_AFTER_UNLOCK, ZAP_BEFORE_LOCK, TWO_HOLDS,
	     FILL_IN_MMAP, REMAP_PER_FAULT };
static enum wrong wrong;

static vm_fault_t insert(struct vm_fault *vmf)
{
	unsigned long pfn = DEVICE_PFN + vmf->pgoff;

	if (wrong != REMAP_PER_FAULT)
		return vmf_insert_pfn(vmf->vma, vmf->address, pfn);
	return io_remap_pfn_range(vmf->vma, vmf->address, pfn, PAGE_SIZE,
				  vmf->vma->vm_page_prot) ? VM_FAULT_SIGBUS : VM_FAULT_NOPAGE;
}

static vm_fault_t fault(struct vm_fault *vmf)
{
	vm_fault_t ret = VM_FAULT_SIGBUS;
	bool on = shared_READ_ONCE(memory_on);

	down_read(&memory_lock);
	if (wrong != TEST_BEFORE_LOCK)
		on = memory_on;
	if (on && wrong != INSERT_AFTER_UNLOCK)
		ret = insert(vmf);
	up_read(&memory_lock);
	if (on && wrong == INSERT_AFTER_UNLOCK)
		ret = insert(vmf);
	return ret;
}

static int device_mmap_locked(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = fault };
	int ret = 0;

	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	if (wrong != FILL_IN_MMAP)
		return 0;
	down_read(&memory_lock);
	if (memory_on)
		ret = remap_pfn_range(vma, vma->vm_start, DEVICE_PFN + vma->vm_pgoff,
				      vma->vm_end - vma->vm_start, vma->vm_page_prot);
	up_read(&memory_lock);
	return ret;
}

static const struct file_operations fops = { .mmap = device_mmap_locked };

static void zap(void)
{
	unmap_mapping_range(device->f_mapping, 0, 6LL << 40, true);
}

MMTEST void switch_off(void *unused)
{
	if (wrong == ZAP_BEFORE_LOCK)
		zap();
	down_write(&memory_lock);
	if (wrong != ZAP_BEFORE_LOCK)
		zap();
	if (wrong == TWO_HOLDS) {
		up_write(&memory_lock);
		down_write(&memory_lock);
	}
	shared_WRITE_ONCE(memory_on, false);
	up_write(&memory_lock);
}

/* ---- the world: pages 0 to 3 mapped, the first two touched ---- */

MMTEST void setup(void *unused)
{
	int fd;

	world_begin();
	__init_rwsem(&memory_lock, "memory_lock");
	memory_on = true;
	fd = device_file();
	device = file_of(fd);
	device->f_op = &fops;
	mapped(fd, 0, 4, RW, SHARED, 0);
	if (wrong != FILL_IN_MMAP)
		expect_long(store(0, 1) | store(1, 1), 0);
	child = NULL;
	files = get_current()->files;
}

static void no_entry_is_left(struct mm_struct *space)
{
	struct vm_area_struct *vma = find_vma(space, 0);

	act_in(space);
	for (; vma; vma = vma_next(vma)) {
		for (long page = page_of(vma->vm_start); page < page_of(vma->vm_end); page++) {
			vfiosim_expect(!present(page));
			expect_long(load(page), ADRERR);
		}
	}
}

MMTEST void teardown(void *unused)
{
	vfiosim_expect(!memory_on);
	vfiosim_expect(mm_invariants_hold(NULL));
	if (child) {
		no_entry_is_left(child);
		mmput(child);
	}
	no_entry_is_left(mm);
	world_end();
}

/* ---- partners ---- */

static void share_space(void)
{
	get_current()->mm = mm;
}

static void leave(void)
{
	get_current()->mm = NULL;
}

MMTEST void touch_new(void *unused)
{
	share_space();
	store(0, 1);
	store(2, 1);
	leave();
}

MMTEST void touch_same(void *unused)
{
	share_space();
	load(2);
	leave();
}

MMTEST void map_and_touch(void *unused)
{
	share_space();
	get_current()->files = files;
	mapped(0, 8, 2, RW, SHARED, 4);
	if (wrong != FILL_IN_MMAP)
		store(8, 1);
	get_current()->files = NULL;
	leave();
}

MMTEST void fork_it(void *unused)
{
	struct mm_struct *fresh = mm_alloc();

	share_space();
	vfiosim_expect(!dup_mmap(fresh, mm));
	child = fresh;
	leave();
}

MMTEST void move_it(void *unused)
{
	share_space();
	vfiosim_expect(move(0, 4, 4, 16) == AT(16));
	leave();
}

MMTEST void split_it(void *unused)
{
	share_space();
	vfiosim_expect(!protect(1, 2, R));
	vfiosim_expect(!protect(1, 2, RW));
	leave();
}

MMTEST void unmap_part(void *unused)
{
	share_space();
	vfiosim_expect(!unmap(1, 2));
	leave();
}

#endif
