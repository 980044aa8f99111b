// SPDX-License-Identifier: GPL-2.0-only
/*
 * mincore(2) and msync(2): asking for pages, and sending them home. Follows
 * mm/mincore.c and mm/msync.c.
 *
 * Lock order: mm->mmap_lock (read); msync drops it around ->fsync, which may take
 * the inode's lock, outer to it.
 */
#include <asm/mman.h>

#include "mm_internal.h"

/*
 * Is the page in memory: mapped, or in the file's cache? Device memory has no
 * pages, so its entries do not count.
 */
static bool page_is_resident(struct vm_area_struct *vma, unsigned long addr)
{
	struct address_space *mapping = vma->vm_file ? vma->vm_file->f_mapping : NULL;
	pte_t *pte = vma->vm_flags & VM_PFNMAP ? NULL : pte_find(vma->vm_mm, addr);

	if (pte) {
		eng_point(ENG_OP_PTE, pte, ENG_READ);
		if (*pte & PTE_PRESENT)
			return true;
	}
	if (!mapping)
		return false;
	eng_point(ENG_OP_PLAIN_READ, &mapping->i_pages, ENG_READ);
	return filemap_peek(mapping, linear_page_index(vma, addr));
}

/*
 * mincore(2): bit 0 of @vec's n-th byte says whether page n is in memory. What
 * lies before a hole is told all the same.
 *
 * Context: may sleep. Locks: takes and drops mmap_lock for read.
 */
long ksys_mincore(unsigned long addr, size_t len, u8 *vec)
{
	struct mm_struct *mm = get_current()->mm;
	unsigned long end = addr + PAGE_ALIGN(len);
	struct vm_area_struct *vma;
	int ret = 0;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (addr > mm->task_size || len > mm->task_size - addr)
		return -ENOMEM;
	mmap_read_lock(mm);
	for (; addr < end && !ret; addr += PAGE_SIZE, vec++) {
		vma = find_vma(mm, addr);
		if (!vma || vma->vm_start > addr)
			ret = -ENOMEM;
		else
			*vec = page_is_resident(vma, addr);
	}
	mmap_read_unlock(mm);
	return ret;
}

/* Locks: holds mmap_lock for read; drops and takes it. */
static int sync_file_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	loff_t from = (loff_t)linear_page_index(vma, start) << PAGE_SHIFT;
	struct mm_struct *mm = vma->vm_mm;
	struct file *file = get_file(vma->vm_file);
	int ret = -EINVAL;

	mmap_read_unlock(mm);
	if (file->f_op->fsync)
		ret = file->f_op->fsync(file, from, from + (loff_t)(end - start) - 1, 1);
	fput(file);
	mmap_read_lock(mm);
	return ret;
}

/* Locks: holds mmap_lock for read. */
static int sync_range(struct mm_struct *mm, unsigned long start, unsigned long end, int flags)
{
	struct vm_area_struct *vma;
	bool hole = false;
	unsigned long stop;
	int ret;

	for (; start < end; start = stop) {
		vma = find_vma(mm, start);
		if (!vma)
			return -ENOMEM;
		if (start < vma->vm_start) {
			start = vma->vm_start;
			hole = true;
			if (flags == MS_ASYNC || start >= end)
				return -ENOMEM;
		}
		if (flags & MS_INVALIDATE && vma->vm_flags & VM_LOCKED)
			return -EBUSY;
		stop = vma->vm_end < end ? vma->vm_end : end;
		if (!(flags & MS_SYNC) || !vma->vm_file || !(vma->vm_flags & VM_SHARED))
			continue;
		ret = sync_file_range(vma, start, stop);
		if (ret)
			return ret;
	}
	return hole ? -ENOMEM : 0;
}

/* msync(2). Context: may sleep. Locks: takes and drops mmap_lock for read. */
long ksys_msync(unsigned long addr, size_t len, int flags)
{
	struct mm_struct *mm = get_current()->mm;
	unsigned long end = addr + PAGE_ALIGN(len);
	int ret;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || addr & ~PAGE_MASK)
		return -EINVAL;
	if (flags & MS_ASYNC && flags & MS_SYNC)
		return -EINVAL;
	if (end < addr)
		return -ENOMEM;
	if (end == addr)
		return 0;
	mmap_read_lock(mm);
	ret = sync_range(mm, addr, end, flags);
	mmap_read_unlock(mm);
	return ret;
}
