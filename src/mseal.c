// SPDX-License-Identifier: GPL-2.0-only
/*
 * mseal(2), since 6.10: VMAs that stay as they are until the address space ends.
 * Follows mm/mseal.c. Who would change one asks for VM_SEALED itself: munmap.c,
 * mprotect.c, mremap.c, madvise.c.
 *
 * Lock order: mm->mmap_lock (write), then i_mmap_rwsem for splits and merges.
 */
#include "mm_internal.h"

static bool range_is_mapped(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	for (; start < end; start = vma->vm_end) {
		vma = find_vma(mm, start);
		if (!vma || vma->vm_start > start)
			return false;
	}
	return true;
}

/* Locks: holds mmap_lock for write. Refs: on failure what lies before stays sealed. */
static int seal_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	for (; start < end; start = vma->vm_end) {
		vma = find_vma(mm, start);
		if (vma->vm_flags & VM_SEALED)
			continue;
		vma = vma_modify_flags(vma, start, vma->vm_end < end ? vma->vm_end : end,
				       vma->vm_flags | VM_SEALED);
		if (IS_ERR(vma))
			return PTR_ERR(vma);
		vma->vm_flags |= VM_SEALED;
		mm->has_sealed = true;
	}
	return 0;
}

/* Context: may sleep. Locks: takes and drops mmap_lock for write. */
long ksys_mseal(unsigned long addr, size_t len, unsigned long flags)
{
	struct mm_struct *mm = get_current()->mm;
	unsigned long end = addr + PAGE_ALIGN(len);
	int ret = -ENOMEM;

	if (kernel_version < KERNEL_6_12)
		return -ENOSYS;
	if (flags || addr & ~PAGE_MASK || (len && !PAGE_ALIGN(len)) || end < addr)
		return -EINVAL;
	if (end == addr)
		return 0;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (range_is_mapped(mm, addr, end))
		ret = seal_range(mm, addr, end);
	mmap_write_unlock(mm);
	return ret;
}
