// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking VMAs out of an address space. Follows __do_munmap(), unmap_region() of
 * mm/mmap.c (5.14) and the vms_ functions of mm/vma.c (6.12).
 *
 * Lock order (outer first):
 *
 *   mm->mmap_lock		write; read from the detach on, for munmap(2)
 *     i_mmap_rwsem		write, per VMA, for the unlink
 *       page-table lock	per entry
 *
 * The order is the point: leave the set, clear the entries, leave the file's
 * tree, free tables, close, drop the file. Between any two of these a walk of the
 * tree may still meet the VMA and clear the same entries.
 */
#include "mm_internal.h"

static bool range_is_sealed(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	if (!mm->has_sealed)
		return false;
	for (vma = find_vma(mm, start); vma && vma->vm_start < end; vma = vma_next(vma))
		if (vma->vm_flags & VM_SEALED)
			return true;
	return false;
}

/*
 * Cut the VMAs at both ends of the request. Up to 6.1 the VMA that is left
 * keeps the lower rest and the doomed part is new; from 6.12 on the rests are
 * new and the original goes (MM-50, MM-51).
 *
 * Refs: on failure a first cut stays.
 */
static int cut_ends(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start,
		    unsigned long end)
{
	bool new_rests = kernel_version >= KERNEL_6_12;
	int ret;

	if (start > vma->vm_start) {
		if (end < vma->vm_end && mm->map_count >= sysctl_max_map_count)
			return -ENOMEM;
		if (vma->vm_flags & VM_SEALED)
			return -EPERM;
		ret = __split_vma(vma, start, new_rests);
		if (ret)
			return ret;
	}
	/* Only now: the cut at the start stays. */
	if (range_is_sealed(mm, start, end))
		return -EPERM;
	if (start <= vma->vm_start && end <= vma->vm_end)
		return end == vma->vm_end ? 0 : __split_vma(vma, end, !new_rests);
	vma = find_vma(mm, end - 1);
	if (vma && vma->vm_start < end && vma->vm_end > end)
		return __split_vma(vma, end, !new_rests);
	return 0;
}

#define for_each_detached(vms, i, vma)						\
	for (i = 0; i < (vms)->nr_vmas && ((vma) = (vms)->vma[i]); i++)

/*
 * Which VMAs [start, end) holds, from the one at @start on, and the two around them:
 * the set, which they are about to leave, knows it now.
 */
static void collect(struct vma_munmap *vms, struct vma_iter start)
{
	struct vm_area_struct *first = vma_iter_load(&start), *vma;
	struct vma_iter iter = start;
	unsigned int count = 0;

	for (vma = first; vma && vma->vm_start < vms->end; vma = vma_iter_next(&iter))
		count++;
	vms->prev = vma_iter_peek_prev(&start);
	vms->next = vma;
	vms->vma = vms->few;
	if (count > ARRAY_SIZE(vms->few))
		vms->vma = __kmalloc_named(count * sizeof(vma), GFP_KERNEL | __GFP_NOFAIL,
					   "doomed_vmas");
	for (vma = first; vms->nr_vmas < count; vma = vma_iter_next(&start))
		vms->vma[vms->nr_vmas++] = vma;
}

static void forget(struct vma_munmap *vms)
{
	if (vms->vma != vms->few)
		kfree(vms->vma);
	vms->nr_vmas = 0;
}

static void detach(struct vma_munmap *vms, struct vma_iter start)
{
	struct mm_struct *mm = vms->mm;
	struct vm_area_struct *vma;
	unsigned int i;

	collect(vms, start);
	for_each_detached(vms, i, vma) {
		vma_set_erase(&mm->mm_vmas, vma);
		mm->map_count--;
		vms->nr_pages += vma_pages(vma);
		if (vma->vm_flags & VM_ACCOUNT)
			vms->nr_accounted += vma_pages(vma);
	}
}

/*
 * Everything in [start, end) leaves the set, in one step as seen by others; it
 * stays in its file's tree and keeps its entries.
 *
 * Locks: holds mmap_lock for write.
 * Refs:  on failure nothing has left; a first cut stays.
 */
int vms_gather_munmap_vmas(struct vma_munmap *vms, struct mm_struct *mm, unsigned long start,
			   unsigned long end)
{
	const int map_count = mm->map_count;
	struct vm_area_struct *vma;
	struct vma_iter iter;
	int ret;

	*vms = (struct vma_munmap){ .mm = mm, .start = start, .end = end };
	vma = vma_set_find(&mm->mm_vmas, start, &iter);
	if (!vma || vma->vm_start >= end) {
		vms->prev = vma ? vma_iter_peek_prev(&iter) : vma_set_last(&mm->mm_vmas);
		vms->next = vma;
		return 0;
	}
	ret = cut_ends(mm, vma, start, end);
	if (!ret)
		ret = vma_set_prealloc();
	if (ret)
		return ret;
	if (mm->map_count != map_count)
		vma_set_find(&mm->mm_vmas, start, &iter);
	detach(vms, iter);
	return 0;
}

/* The request is given up before anything was cleared: the VMAs come back, cut. */
void vms_abort_munmap_vmas(struct vma_munmap *vms)
{
	struct vm_area_struct *vma;
	unsigned int i;

	for_each_detached(vms, i, vma) {
		vma_set_insert(&vms->mm->mm_vmas, vma);
		vms->mm->map_count++;
	}
	forget(vms);
}

/* From 6.1 on device memory is flushed here, while a walk still meets the VMA. */
static void clear_one(struct vm_area_struct *vma)
{
	zap_range_gather(vma, vma->vm_start, vma->vm_end, ZAP_ALL);
	if (kernel_version >= KERNEL_6_1 && vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP))
		tlb_flush(vma->vm_mm);
}

/* Clear the entries of all VMAs, then unlink all, then free tables. */
void vms_clear_ptes(struct vma_munmap *vms)
{
	struct vm_area_struct *vma;
	unsigned long floor = 0, ceiling = vms->mm->task_size;
	unsigned int i;

	if (vms->cleared || !vms->nr_vmas)
		return;
	for_each_detached(vms, i, vma)
		clear_one(vma);
	for_each_detached(vms, i, vma)
		unlink_file_vma(vma);
	if (vms->next)
		ceiling = vms->next->vm_start;
	if (vms->prev)
		floor = vms->prev->vm_end;
	free_pgtables(vms->mm, floor, ceiling);
	tlb_flush(vms->mm);
	vms->cleared = true;
}

/* 6.12, MAP_FIXED: close runs before the new mapping's ->mmap. */
void vms_close_vmas(struct vma_munmap *vms)
{
	struct vm_area_struct *vma;
	unsigned int i;

	for_each_detached(vms, i, vma)
		vma_close(vma);
}

/*
 * The end of the VMAs: statistics, close, the file's reference, memory.
 *
 * Locks: mmap_lock, for read or write.
 */
void vms_complete_munmap_vmas(struct vma_munmap *vms)
{
	struct vm_area_struct *vma;
	unsigned int i;

	vms_clear_ptes(vms);
	for_each_detached(vms, i, vma) {
		vm_stat_account(vms->mm, vma->vm_flags, -(long)vma_pages(vma));
		if (vma->vm_flags & VM_LOCKED)
			vms->mm->locked_vm -= vma_pages(vma);
		remove_vma(vma);
	}
	forget(vms);
	vm_unacct_memory(vms->nr_accounted);
}

/* Readers may come in, unless a stack next to the hole could grow into it. */
static bool may_downgrade(const struct vma_munmap *vms)
{
	struct vm_area_struct *next;

	if (kernel_version >= KERNEL_6_12)
		return true;
	next = find_vma(vms->mm, vms->end);
	return !next || !(next->vm_flags & VM_GROWSDOWN);
}

/*
 * Unmap [start, start + len), holes included.
 *
 * Locks:  holds mmap_lock for write; if @downgrade it may be held for read
 *	   afterwards.
 * Return: 0; 1: the lock is now held for read; -errno.
 */
int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long len, bool downgrade)
{
	struct vma_munmap vms;
	int ret;

	if (start & ~PAGE_MASK || start > mm->task_size || len > mm->task_size - start)
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (!len)
		return -EINVAL;
	ret = vms_gather_munmap_vmas(&vms, mm, start, start + len);
	if (ret || !vms.nr_vmas)
		return ret;
	downgrade = downgrade && may_downgrade(&vms);
	if (downgrade)
		downgrade_write(&mm->mmap_lock);
	vms_complete_munmap_vmas(&vms);
	return downgrade;
}

/* munmap(2). Context: may sleep. Locks: takes and drops mmap_lock. */
long ksys_munmap(unsigned long addr, size_t len)
{
	struct mm_struct *mm = get_current()->mm;
	int ret;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	ret = do_munmap(mm, addr, len, true);
	if (ret == 1)
		mmap_read_unlock(mm);
	else
		mmap_write_unlock(mm);
	return ret < 0 ? ret : 0;
}
