// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faulting pages in on behalf of somebody: MAP_POPULATE, mlock, MADV_POPULATE_*,
 * and drivers that want a page of user memory. Follows mm/gup.c.
 *
 * Lock order: mm->mmap_lock (read), then what the fault takes.
 */
#include "mm_internal.h"

/* What a fault for somebody else ends in: an errno, never a signal. */
static int vm_fault_to_errno(vm_fault_t fault)
{
	if (fault & VM_FAULT_OOM)
		return -ENOMEM;
	if (fault & (VM_FAULT_HWPOISON | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV))
		return -EFAULT;
	return 0;
}

static struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	return vma && vma->vm_start <= addr ? vma : NULL;
}

/* What the walk of the page tables finds: is the page there, and good enough? */
static bool needs_fault(struct mm_struct *mm, unsigned long addr, bool write)
{
	pte_t *pte = pte_find(mm, addr);

	if (!pte) {
		eng_point(ENG_OP_PTE, &mm->pgd, ENG_READ);
		return true;
	}
	eng_point(ENG_OP_PTE, pte, ENG_READ);
	return !(*pte & PTE_PRESENT) || (write && !(*pte & PTE_WRITE));
}

/* Locks: holds mmap_lock for read. */
static int faultin_page(struct vm_area_struct *vma, unsigned long addr, bool write)
{
	int ret = 0;

	while (!ret && needs_fault(vma->vm_mm, addr, write)) {
		ret = vm_fault_to_errno(handle_mm_fault(vma, addr,
							write ? FAULT_FLAG_WRITE : 0));
		if (fatal_signal_pending(get_current()))
			return -EINTR;
	}
	return ret;
}

/*
 * As if the task touched each page of [start, end), which lies in @vma; pages
 * that a write must copy are written. *@at: where it stopped.
 *
 * Context: may sleep. Locks: holds mmap_lock for read.
 */
int populate_vma_page_range(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			    unsigned long *at)
{
	const bool write = (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE;
	int ret = 0;

	if (!(vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC)))
		ret = -EFAULT;
	for (*at = start; !ret && *at < end; *at += ret ? 0 : PAGE_SIZE)
		ret = faultin_page(vma, *at, write);
	return ret;
}

/*
 * Fault in whatever is mapped in [start, start + len), but no device memory. With
 * @ignore_errors a page that cannot be had ends the work on its VMA only.
 *
 * Context: may sleep. Locks: takes and drops mmap_lock for read.
 */
int __mm_populate(unsigned long start, unsigned long len, bool ignore_errors)
{
	struct mm_struct *mm = get_current()->mm;
	unsigned long end = start + len, stop;
	struct vm_area_struct *vma;
	int ret = 0;

	mmap_read_lock(mm);
	while (!ret && start < end && (vma = find_vma(mm, start)) && vma->vm_start < end) {
		stop = vma->vm_end < end ? vma->vm_end : end;
		if (start < vma->vm_start)
			start = vma->vm_start;
		if (!(vma->vm_flags & (VM_IO | VM_PFNMAP)))
			ret = populate_vma_page_range(vma, start, stop, &start);
		if (ignore_errors)
			ret = 0;
		start = stop;
	}
	mmap_read_unlock(mm);
	return ret;
}

void mm_populate(unsigned long addr, unsigned long len)
{
	__mm_populate(addr, len, true);
}

/*
 * MADV_POPULATE_READ and _WRITE: what the mapping does not permit is -EINVAL, a
 * page that cannot be had -EFAULT or -ENOMEM, a hole -ENOMEM.
 *
 * Context: may sleep. Locks: holds mmap_lock for read.
 */
int faultin_page_range(struct mm_struct *mm, unsigned long start, unsigned long end, bool write)
{
	struct vm_area_struct *vma;
	int ret = 0;

	for (; !ret && start < end; start += PAGE_SIZE) {
		vma = vma_lookup(mm, start);
		if (!vma)
			return -ENOMEM;
		if (vma->vm_flags & (VM_IO | VM_PFNMAP) ||
		    !(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
			return -EINVAL;
		ret = faultin_page(vma, start, write);
	}
	return ret;
}

/*
 * One fault at @addr for a caller that holds no page: device memory included.
 *
 * Context: may sleep. Locks: holds mmap_lock for read.
 * Return:  0; -EFAULT where a task of @mm would get a signal; -ENOMEM.
 */
int fixup_user_fault(struct mm_struct *mm, unsigned long addr, unsigned int flags)
{
	struct vm_area_struct *vma = vma_lookup(mm, addr);

	if (!vma || !(vma->vm_flags & (flags & FAULT_FLAG_WRITE ? VM_WRITE : VM_READ)))
		return -EFAULT;
	return vm_fault_to_errno(handle_mm_fault(vma, addr, flags));
}
