// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlock(2), munlock(2), mlockall(2), munlockall(2). Follows mm/mlock.c.
 *
 * Lock order: mm->mmap_lock (write for the flags, then read for the pages), then
 * i_mmap_rwsem for splits and merges, then page-table locks.
 *
 * Nothing is ever reclaimed here; what shows is the flag, which splits mappings and
 * makes madvise refuse them, the limit, and the pages that are faulted in.
 */
#include <asm/mman.h>

#include "mm_internal.h"

#define CAP_IPC_LOCK 14

/* Locks: holds mmap_lock for write. Refs: on failure a first split stays. */
static int mlock_fixup(struct vm_area_struct **vmap, unsigned long start, unsigned long end,
		       unsigned int newflags)
{
	struct vm_area_struct *vma = *vmap;
	unsigned long pages = (end - start) >> PAGE_SHIFT;
	bool was_locked = vma->vm_flags & VM_LOCKED;

	if (newflags == vma->vm_flags || vma->vm_flags & VM_SPECIAL)
		return 0;
	vma = vma_modify_flags(vma, start, end, newflags);
	if (IS_ERR(vma))
		return PTR_ERR(vma);
	vma->vm_flags = newflags;
	if (!(newflags & VM_LOCKED))
		vma->vm_mm->locked_vm -= pages;
	else if (!was_locked)
		vma->vm_mm->locked_vm += pages;
	*vmap = vma;
	return 0;
}

/* Mapping by mapping; a hole ends the walk, what lies before it stays changed. */
static int apply_vma_lock_flags(struct mm_struct *mm, unsigned long start, unsigned long end,
				unsigned int locked)
{
	struct vm_area_struct *vma;
	int ret = 0;

	if (end < start)
		return -EINVAL;
	while (!ret && start < end) {
		vma = find_vma(mm, start);
		if (!vma || vma->vm_start > start)
			return -ENOMEM;
		ret = mlock_fixup(&vma, start, vma->vm_end < end ? vma->vm_end : end,
				  (vma->vm_flags & ~VM_LOCKED) | locked);
		start = vma->vm_end;
	}
	return ret;
}

/* Pages of [start, start + len) that are locked already. */
static unsigned long count_mm_mlocked_page_nr(struct mm_struct *mm, unsigned long start,
					      unsigned long len)
{
	unsigned long end = start + len, bytes = 0;
	struct vm_area_struct *vma = find_vma(mm, start);

	for (; vma && vma->vm_start < end; vma = vma_next(vma)) {
		unsigned long from = vma->vm_start > start ? vma->vm_start : start;

		if (vma->vm_flags & VM_LOCKED)
			bytes += (vma->vm_end < end ? vma->vm_end : end) - from;
	}
	return bytes >> PAGE_SHIFT;
}

static bool may_lock(struct mm_struct *mm, unsigned long start, unsigned long len)
{
	unsigned long limit = memlock_limit >> PAGE_SHIFT;
	unsigned long locked = (len >> PAGE_SHIFT) + mm->locked_vm;

	if (locked > limit && !capable(CAP_IPC_LOCK))
		locked -= count_mm_mlocked_page_nr(mm, start, len);
	return locked <= limit || capable(CAP_IPC_LOCK);
}

/* mlock(2). Context: may sleep. Locks: takes and drops mmap_lock twice. */
long ksys_mlock(unsigned long addr, size_t len)
{
	struct mm_struct *mm = get_current()->mm;
	int ret = -ENOMEM;

	if (!memlock_limit && !capable(CAP_IPC_LOCK))
		return -EPERM;
	len = PAGE_ALIGN(len + (addr & ~PAGE_MASK));
	addr &= PAGE_MASK;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (may_lock(mm, addr, len))
		ret = apply_vma_lock_flags(mm, addr, addr + len, VM_LOCKED);
	mmap_write_unlock(mm);
	if (ret)
		return ret;
	ret = __mm_populate(addr, len, false);
	if (ret == -EFAULT)
		return -ENOMEM;
	return ret == -ENOMEM ? -EAGAIN : ret;
}

/* munlock(2). Context: may sleep. Locks: takes and drops mmap_lock. */
long ksys_munlock(unsigned long addr, size_t len)
{
	struct mm_struct *mm = get_current()->mm;
	int ret;

	len = PAGE_ALIGN(len + (addr & ~PAGE_MASK));
	addr &= PAGE_MASK;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	ret = apply_vma_lock_flags(mm, addr, addr + len, 0);
	mmap_write_unlock(mm);
	return ret;
}

/* What cannot be locked stays as it is; errors of single mappings are ignored. */
static void lock_everything(struct mm_struct *mm, unsigned int locked)
{
	struct vm_area_struct *vma;
	unsigned long at = 0;

	while ((vma = find_vma(mm, at))) {
		mlock_fixup(&vma, vma->vm_start, vma->vm_end,
			    (vma->vm_flags & ~VM_LOCKED) | locked);
		at = vma->vm_end;
	}
}

/* mlockall(2), without MCL_ONFAULT. Locks: takes and drops mmap_lock. */
long ksys_mlockall(int flags)
{
	struct mm_struct *mm = get_current()->mm;
	int ret = -ENOMEM;

	if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE))
		return -EINVAL;
	if (!memlock_limit && !capable(CAP_IPC_LOCK))
		return -EPERM;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (!(flags & MCL_CURRENT) || mm->total_vm <= memlock_limit >> PAGE_SHIFT ||
	    capable(CAP_IPC_LOCK)) {
		mm->def_flags = (mm->def_flags & ~VM_LOCKED) |
				(flags & MCL_FUTURE ? VM_LOCKED : 0);
		if (flags & MCL_CURRENT)
			lock_everything(mm, VM_LOCKED);
		ret = 0;
	}
	mmap_write_unlock(mm);
	if (!ret && flags & MCL_CURRENT)
		mm_populate(0, mm->task_size);
	return ret;
}

/* munlockall(2). Locks: takes and drops mmap_lock. */
long ksys_munlockall(void)
{
	struct mm_struct *mm = get_current()->mm;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	mm->def_flags &= ~VM_LOCKED;
	lock_everything(mm, 0);
	mmap_write_unlock(mm);
	return 0;
}
