// SPDX-License-Identifier: GPL-2.0-only
/*
 * brk(2) and remap_file_pages(2): the two old ways to change what is mapped.
 * Follows mm/mmap.c (5.14: brk, do_brk_flags, remap_file_pages) and mm/vma.c.
 *
 * Lock order: mm->mmap_lock (write; read behind the detach of a shrinking brk),
 * then as in mmap.c and munmap.c.
 */
#include <asm/mman.h>
#include <linux/mman.h>

#include "mm_internal.h"

/* ---- brk ---- */

/* One free page is kept behind the new end. */
static bool is_free_behind(struct mm_struct *mm, unsigned long oldbrk, unsigned long newbrk)
{
	struct vm_area_struct *next = find_vma(mm, oldbrk);

	return !next || newbrk + PAGE_SIZE <= next->vm_start;
}

/* 5.14 clears what may lie in the way before it looks at the limits. */
static int check_brk_limits(struct mm_struct *mm, unsigned long addr, unsigned long len,
			    unsigned int flags)
{
	unsigned long pages = len >> PAGE_SHIFT;

	if (flags & VM_LOCKED && !mlock_future_ok(mm, len))
		return -EAGAIN;
	if (kernel_version < KERNEL_6_1 && do_munmap(mm, addr, len, false))
		return -ENOMEM;
	if (!may_expand_vm(mm, flags, pages) || mm->map_count > sysctl_max_map_count)
		return -ENOMEM;
	return security_vm_enough_memory_mm(mm, pages);
}

/* A neighbour grows, or NULL; from 6.1 on only the one below does. */
static struct vm_area_struct *extend(struct mm_struct *mm, unsigned long addr, unsigned long len,
				     unsigned int flags)
{
	struct vma_merge merge = {
		.mm = mm, .start = addr, .end = addr + len, .pgoff = addr >> PAGE_SHIFT,
		.flags = flags,
	};
	struct vm_area_struct *next;
	struct vma_iter iter;

	next = vma_set_find(&mm->mm_vmas, addr, &iter);
	merge.prev = next ? vma_iter_peek_prev(&iter) : vma_set_last(&mm->mm_vmas);
	if (kernel_version < KERNEL_6_1)
		merge.next = next;
	return vma_merge_new_range(&merge);
}

static struct vm_area_struct *new_brk_vma(struct mm_struct *mm, unsigned long addr,
					  unsigned long len, unsigned int flags)
{
	struct vm_area_struct *vma = vm_area_alloc(mm);

	if (!vma)
		return NULL;
	if (vma_set_prealloc()) {
		vm_area_free(vma);
		return NULL;
	}
	vma->vm_ops = NULL;
	vma->vm_start = addr;
	vma->vm_end = addr + len;
	vma->vm_pgoff = addr >> PAGE_SHIFT;
	vma->vm_flags = flags;
	vma->vm_page_prot = vm_get_page_prot(flags);
	vma_link(mm, vma);
	return vma;
}

/* Locks: holds mmap_lock for write. */
static int do_brk_flags(struct mm_struct *mm, unsigned long addr, unsigned long len)
{
	unsigned int flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC |
			     VM_ACCOUNT | mm->def_flags;
	struct vm_area_struct *vma;
	int ret;

	if (addr + len > mm->task_size)
		return -ENOMEM;
	ret = check_brk_limits(mm, addr, len, flags);
	if (ret)
		return ret;
	vma = extend(mm, addr, len, flags);
	if (!vma)
		vma = new_brk_vma(mm, addr, len, flags);
	if (!vma) {
		vm_unacct_memory(len >> PAGE_SHIFT);
		return -ENOMEM;
	}
	vm_stat_account(mm, flags, len >> PAGE_SHIFT);
	if (flags & VM_LOCKED)
		mm->locked_vm += len >> PAGE_SHIFT;
	vma->vm_flags |= VM_SOFTDIRTY;
	return 0;
}

/* Later kernels want the old end to be mapped; 5.14 unmaps whatever is there. */
static int shrink_brk(struct mm_struct *mm, unsigned long oldbrk, unsigned long newbrk)
{
	struct vm_area_struct *vma = find_vma(mm, newbrk);

	if (kernel_version >= KERNEL_6_1 && (!vma || vma->vm_start >= oldbrk))
		return -EINVAL;
	return do_munmap(mm, newbrk, oldbrk - newbrk, true);
}

/* Locks: holds mmap_lock for write. Return: as do_munmap(), or an error. */
static int move_brk(struct mm_struct *mm, unsigned long brk)
{
	unsigned long newbrk = PAGE_ALIGN(brk), oldbrk = PAGE_ALIGN(mm->brk);

	if (newbrk == oldbrk)
		return 0;
	if (brk <= mm->brk)
		return shrink_brk(mm, oldbrk, newbrk);
	if (!is_free_behind(mm, oldbrk, newbrk))
		return -ENOMEM;
	return do_brk_flags(mm, oldbrk, newbrk - oldbrk);
}

/*
 * brk(2) as the kernel has it: the new end, or the old one if it cannot move.
 *
 * Context: may sleep. Locks: takes and drops mmap_lock.
 */
unsigned long ksys_brk(unsigned long brk)
{
	struct mm_struct *mm = get_current()->mm;
	unsigned long old;
	int ret;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	old = mm->brk;
	ret = brk < mm->start_brk ? -EINVAL : move_brk(mm, brk);
	if (ret >= 0)
		mm->brk = brk;
	if (ret == 1)
		mmap_read_unlock(mm);
	else
		mmap_write_unlock(mm);
	if (ret < 0)
		return old;
	if (PAGE_ALIGN(brk) > PAGE_ALIGN(old) && mm->def_flags & VM_LOCKED)
		mm_populate(PAGE_ALIGN(old), PAGE_ALIGN(brk) - PAGE_ALIGN(old));
	return brk;
}

/* ---- remap_file_pages ---- */

/* Do mappings of one file, all with the same flags, cover [start, start + size)? */
static bool is_one_view(struct vm_area_struct *vma, unsigned long start, unsigned long size)
{
	struct vm_area_struct *next = vma;
	unsigned long end = vma->vm_end;

	while (end < start + size) {
		next = vma_next(next);
		if (!next || next->vm_start != end || next->vm_file != vma->vm_file ||
		    next->vm_flags != vma->vm_flags)
			return false;
		end = next->vm_end;
	}
	return true;
}

/* Locks: holds mmap_lock for write. *flags: those of the mapping made. */
static long remap_view(struct mm_struct *mm, unsigned long start, unsigned long size,
		       unsigned long pgoff, unsigned long *flags)
{
	struct vm_area_struct *vma = find_vma(mm, start);
	struct file *file;
	unsigned long prot;
	long ret;

	if (!vma || vma->vm_start > start || !(vma->vm_flags & VM_SHARED) ||
	    !is_one_view(vma, start, size))
		return -EINVAL;
	prot = (vma->vm_flags & VM_READ ? PROT_READ : 0) |
	       (vma->vm_flags & VM_WRITE ? PROT_WRITE : 0) |
	       (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0);
	*flags = (*flags & MAP_NONBLOCK) | MAP_SHARED | MAP_FIXED | MAP_POPULATE;
	if (vma->vm_flags & VM_LOCKED)
		*flags |= MAP_LOCKED;
	file = get_file(vma->vm_file);
	ret = do_mmap(file, start, size, prot, *flags, pgoff);
	fput(file);
	return ret;
}

/*
 * remap_file_pages(2), as it has been since it is only emulated: a new shared
 * mapping of the same file over the old one. If the driver refuses it, the old
 * one is gone.
 *
 * Context: may sleep. Locks: takes and drops mmap_lock.
 */
long ksys_remap_file_pages(unsigned long start, unsigned long size, unsigned long prot,
			   unsigned long pgoff, unsigned long flags)
{
	struct mm_struct *mm = get_current()->mm;
	long ret;

	start &= PAGE_MASK;
	size &= PAGE_MASK;
	if (prot || start + size <= start || pgoff + (size >> PAGE_SHIFT) < pgoff)
		return -EINVAL;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	ret = remap_view(mm, start, size, pgoff, &flags);
	mmap_write_unlock(mm);
	if (IS_ERR((void *)ret))
		return ret;
	if (flags & MAP_LOCKED || !(flags & MAP_NONBLOCK))
		mm_populate(start, size);
	return 0;
}
