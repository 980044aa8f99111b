// SPDX-License-Identifier: GPL-2.0-only
/*
 * mprotect(2), VMA by VMA. Follows mm/mprotect.c.
 *
 * Lock order: mm->mmap_lock (write), then i_mmap_rwsem for splits and merges,
 * then page-table locks.
 */
#include <asm/mman.h>

#include "mm_internal.h"

#define ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)

/*
 * Private memory that becomes writable is charged; it stays so when it is made
 * read-only again, except (6.12) anonymous memory that was never written.
 */
static int charge_writable(struct vm_area_struct *vma, unsigned long pages,
			   unsigned int *newflags, unsigned long *charged)
{
	const unsigned int never = VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE;
	unsigned int oldflags = vma->vm_flags;

	if (!(*newflags & VM_WRITE)) {
		if (kernel_version >= KERNEL_6_12 && oldflags & VM_ACCOUNT &&
		    vma_is_anonymous(vma) && !vma->anon_vma_chain)
			*newflags &= ~VM_ACCOUNT;
		return 0;
	}
	if (!may_expand_vm(vma->vm_mm, *newflags, 0))
		return -ENOMEM;
	if (oldflags & never)
		return 0;
	if (security_vm_enough_memory_mm(vma->vm_mm, pages))
		return -ENOMEM;
	*charged = pages;
	*newflags |= VM_ACCOUNT;
	return 0;
}

/*
 * Give [start, end) of *vma @newflags; *vma becomes the VMA that holds the range.
 *
 * Locks: holds mmap_lock for write.
 * Refs:  on failure a first split stays, the flags do not change.
 */
static int mprotect_fixup(struct vm_area_struct **vmap, unsigned long start, unsigned long end,
			  unsigned int newflags)
{
	struct vm_area_struct *vma = *vmap;
	unsigned int oldflags = vma->vm_flags;
	unsigned long pages = (end - start) >> PAGE_SHIFT, charged = 0;
	int ret;

	if (oldflags & VM_SEALED)
		return -EPERM;
	if (newflags == oldflags)
		return 0;
	ret = charge_writable(vma, pages, &newflags, &charged);
	if (ret)
		return ret;
	vma = vma_modify_flags(vma, start, end, newflags);
	if (IS_ERR(vma)) {
		vm_unacct_memory(charged);
		return PTR_ERR(vma);
	}
	if (oldflags & ~newflags & VM_ACCOUNT)
		vm_unacct_memory(pages);
	vma->vm_flags = newflags;
	vma->vm_page_prot = vm_pgprot_modify(vma->vm_page_prot, newflags);
	change_protection(vma, start, end);
	eng_event("mprotect", vma, "%lx-%lx flags %x", start, end, newflags);
	vm_stat_account(vma->vm_mm, oldflags, -(long)pages);
	vm_stat_account(vma->vm_mm, newflags, pages);
	/* Locked memory is never to fault: what a write must copy is copied now. */
	if ((oldflags & (VM_WRITE | VM_SHARED | VM_LOCKED)) == VM_LOCKED && newflags & VM_WRITE)
		populate_vma_page_range(vma, start, end, &start);
	*vmap = vma;
	return 0;
}

static int protect_one(struct vm_area_struct **vmap, unsigned long start, unsigned long end,
		       unsigned int rights)
{
	struct vm_area_struct *vma = *vmap;
	unsigned int newflags = (vma->vm_flags & ~ACCESS_FLAGS) | rights;
	int ret;

	/* VM_MAY* lie four bits above the rights that they allow. */
	if (newflags & ~(newflags >> 4) & ACCESS_FLAGS)
		return -EACCES;
	if (vma->vm_ops && vma->vm_ops->mprotect) {
		ret = vma->vm_ops->mprotect(vma, start, end, newflags);
		if (ret)
			return ret;
	}
	return mprotect_fixup(vmap, start, end, newflags);
}

/* What lies before the first hole or the first refusal is changed, and stays so. */
static int protect_range(struct mm_struct *mm, unsigned long start, unsigned long end,
			 unsigned int rights)
{
	struct vm_area_struct *vma;
	int ret;

	while (start < end) {
		vma = find_vma(mm, start);
		if (!vma || vma->vm_start > start)
			return -ENOMEM;
		ret = protect_one(&vma, start, vma->vm_end < end ? vma->vm_end : end, rights);
		if (ret)
			return ret;
		/* It may have swallowed what follows; that has these rights then. */
		start = vma->vm_end;
	}
	return 0;
}

static unsigned int rights_of(unsigned long prot)
{
	return (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) |
	       (prot & PROT_EXEC ? VM_EXEC : 0);
}

/* mprotect(2). Context: may sleep. Locks: takes and drops mmap_lock for write. */
long ksys_mprotect(unsigned long addr, size_t len, unsigned long prot)
{
	const unsigned long grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	struct mm_struct *mm = get_current()->mm;
	int ret;

	prot &= ~(unsigned long)(PROT_GROWSDOWN | PROT_GROWSUP);
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (!len)
		return 0;
	len = PAGE_ALIGN(len);
	if (addr + len <= addr)
		return -ENOMEM;
	if (prot & ~(unsigned long)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
		return -EINVAL;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	ret = protect_range(mm, addr, addr + len, rights_of(prot));
	mmap_write_unlock(mm);
	return ret;
}
