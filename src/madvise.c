// SPDX-License-Identifier: GPL-2.0-only
/*
 * madvise(2), VMA by VMA; a hole does not end the walk. Follows mm/madvise.c.
 *
 * Lock order: mm->mmap_lock (write for advice that changes flags, else read), then
 * i_mmap_rwsem for splits and merges, then page-table locks.
 */
#include <asm/mman.h>
#include <linux/falloc.h>

#include "mm_internal.h"

bool config_no_huge_pages KSTATE;
bool config_no_ksm KSTATE;

static bool changes_flags(int behavior)
{
	switch (behavior) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
		return true;
	default:
		return false;
	}
}

static bool behavior_is_known(int behavior)
{
	switch (behavior) {
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_REMOVE:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return true;
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
		return !config_no_huge_pages;
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
		return !config_no_ksm;
	default:
		return changes_flags(behavior);
	}
}

/* Refs: the slot goes with the mm; ksmd, its user, is not modelled. */
int ksm_enter(struct mm_struct *mm)
{
	if (mm->ksm_entered)
		return 0;
	if (eng_fail_here("ksm_mm_slot"))
		return -ENOMEM;
	mm->ksm_entered = true;
	return 0;
}

/* Memory that others may see, or that is no memory, is left alone without an error. */
static int ksm_madvise(const struct vm_area_struct *vma, int behavior, unsigned int *flags)
{
	if (behavior == MADV_UNMERGEABLE) {
		*flags &= ~VM_MERGEABLE;
		return 0;
	}
	if (*flags & (VM_MERGEABLE | VM_SHARED | VM_MAYSHARE | VM_SPECIAL))
		return 0;
	if (ksm_enter(vma->vm_mm))
		return -EAGAIN;
	*flags |= VM_MERGEABLE;
	return 0;
}

/* The flags that @vma shall have; -EINVAL where a device's mapping says no. */
static int new_flags(const struct vm_area_struct *vma, int behavior, unsigned int *flags)
{
	switch (behavior) {
	case MADV_NORMAL:
		*flags &= ~(VM_RAND_READ | VM_SEQ_READ);
		return 0;
	case MADV_SEQUENTIAL:
		*flags = (*flags & ~VM_RAND_READ) | VM_SEQ_READ;
		return 0;
	case MADV_RANDOM:
		*flags = (*flags & ~VM_SEQ_READ) | VM_RAND_READ;
		return 0;
	case MADV_DONTFORK:
		*flags |= VM_DONTCOPY;
		return 0;
	case MADV_DOFORK:
		*flags &= ~VM_DONTCOPY;
		return vma->vm_flags & VM_IO ? -EINVAL : 0;
	case MADV_DONTDUMP:
		*flags |= VM_DONTDUMP;
		return 0;
	case MADV_WIPEONFORK:
		*flags |= VM_WIPEONFORK;
		return vma->vm_file || vma->vm_flags & VM_SHARED ? -EINVAL : 0;
	case MADV_KEEPONFORK:
		*flags &= ~VM_WIPEONFORK;
		return 0;
	case MADV_HUGEPAGE:
		*flags = (*flags & ~VM_NOHUGEPAGE) | VM_HUGEPAGE;
		return 0;
	case MADV_NOHUGEPAGE:
		*flags = (*flags & ~VM_HUGEPAGE) | VM_NOHUGEPAGE;
		return 0;
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
		return ksm_madvise(vma, behavior, flags);
	default:	/* MADV_DODUMP */
		*flags &= ~VM_DONTDUMP;
		return vma->vm_flags & VM_SPECIAL ? -EINVAL : 0;
	}
}

/* Locks: holds mmap_lock for write. */
static int update_flags(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			int behavior)
{
	unsigned int flags = vma->vm_flags;
	int ret = new_flags(vma, behavior, &flags);

	if (ret || flags == vma->vm_flags)
		return ret;
	vma = vma_modify_flags(vma, start, end, flags);
	if (IS_ERR(vma)) {
		ret = PTR_ERR(vma);
		/* Running out of memory is EAGAIN; before 6.1 out of mappings was ENOMEM. */
		if (ret == -ENOMEM && (kernel_version >= KERNEL_6_1 ||
				       get_current()->mm->map_count < sysctl_max_map_count))
			ret = -EAGAIN;
		return ret;
	}
	vma->vm_flags = flags;
	return 0;
}

/*
 * MADV_REMOVE punches a hole into the file.
 *
 * Locks: holds mmap_lock for read; drops it meanwhile, since the punch zaps.
 */
static int remove_pages(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	const unsigned int wanted = VM_SHARED | (kernel_version < KERNEL_6_1 ? VM_WRITE :
						 VM_MAYWRITE);
	struct file *file = vma->vm_file;
	loff_t offset;
	int ret;

	if (vma->vm_flags & VM_LOCKED || !file)
		return -EINVAL;
	if ((vma->vm_flags & wanted) != wanted)
		return -EACCES;
	offset = (loff_t)linear_page_index(vma, start) << PAGE_SHIFT;
	get_file(file);
	mmap_read_unlock(vma->vm_mm);
	if (file->f_op->fallocate)
		ret = file->f_op->fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					    offset, end - start);
	else
		ret = -ENODEV;
	fput(file);
	mmap_read_lock(get_current()->mm);
	return ret;
}

/* Locks: holds mmap_lock for read. */
static int advise_vma(struct vm_area_struct *vma, unsigned long start, unsigned long end,
		      int behavior)
{
	const bool special = vma->vm_flags & (VM_LOCKED | VM_PFNMAP);

	switch (behavior) {
	case MADV_DONTNEED:
		if (special)
			return -EINVAL;
		zap_range(vma, start, end, ZAP_ALL);
		return 0;
	case MADV_FREE:
		if (special || !vma_is_anonymous(vma))
			return -EINVAL;
		/* Pages go when memory runs short: at once, or not before the end. */
		if (eng_choose("lazyfree", 2))
			zap_range(vma, start, end, ZAP_ALL);
		return 0;
	case MADV_COLD:
		return special ? -EINVAL : 0;
	case MADV_PAGEOUT:
		if (special)
			return -EINVAL;
		swap_out_range(vma, start, end);
		return 0;
	case MADV_REMOVE:
		return remove_pages(vma, start, end);
	default:	/* hints without an effect on what the model shows */
		return 0;
	}
}

/* Sealed memory keeps what nobody may write: private and without a file (MM-266). */
static bool seal_forbids(const struct vm_area_struct *vma, int behavior)
{
	if (!(vma->vm_flags & VM_SEALED) || !vma_is_anonymous(vma) || vma->vm_flags & VM_WRITE)
		return false;
	switch (behavior) {
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_REMOVE:
	case MADV_DONTFORK:
	case MADV_WIPEONFORK:
		return true;
	default:
		return false;
	}
}

/* Everything mapped is done, also behind a hole; then the hole is reported. */
static int walk(struct mm_struct *mm, unsigned long start, unsigned long end, int behavior)
{
	struct vm_area_struct *vma;
	bool hole = false;
	int ret;

	while (start < end) {
		unsigned long stop;

		vma = find_vma(mm, start);
		if (!vma || vma->vm_start >= end)
			return -ENOMEM;
		if (vma->vm_start > start) {
			hole = true;
			start = vma->vm_start;
		}
		stop = vma->vm_end < end ? vma->vm_end : end;
		if (seal_forbids(vma, behavior))
			return -EPERM;
		if (changes_flags(behavior))
			ret = update_flags(vma, start, stop, behavior);
		else
			ret = advise_vma(vma, start, stop, behavior);
		if (ret)
			return ret;
		start = stop;
	}
	return hole ? -ENOMEM : 0;
}

static int advise_for_read(struct mm_struct *mm, unsigned long start, unsigned long end,
			   int behavior)
{
	int ret;

	mmap_read_lock(mm);
	if (behavior == MADV_POPULATE_READ || behavior == MADV_POPULATE_WRITE)
		ret = faultin_page_range(mm, start, end, behavior == MADV_POPULATE_WRITE);
	else
		ret = walk(mm, start, end, behavior);
	mmap_read_unlock(mm);
	return ret;
}

/* madvise(2). Context: may sleep. Locks: takes and drops mmap_lock. */
long ksys_madvise(unsigned long addr, size_t len, int behavior)
{
	struct mm_struct *mm = get_current()->mm;
	unsigned long end = addr + PAGE_ALIGN(len);
	int ret;

	if (!behavior_is_known(behavior) || addr & ~PAGE_MASK)
		return -EINVAL;
	if ((len && !PAGE_ALIGN(len)) || end < addr)
		return -EINVAL;
	if (end == addr)
		return 0;
	if (!changes_flags(behavior))
		return advise_for_read(mm, addr, end, behavior);
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	ret = walk(mm, addr, end, behavior);
	mmap_write_unlock(mm);
	return ret;
}
