// SPDX-License-Identifier: GPL-2.0-only
/*
 * Birth, fork and death of address spaces. Follows kernel/fork.c (dup_mmap,
 * mmput) and exit_mmap() of mm/mmap.c.
 *
 * Lock order (outer first):
 *
 *   parent's mmap_lock		write
 *     child's mmap_lock	write, nested
 *       i_mmap_rwsem		write, per VMA
 *       page-table locks	the child's, then the parent's
 *
 * The child's VMA enters the file's tree behind the parent's *before* entries
 * are copied: a walk either finds the copy, or had cleared the original.
 */
#include "mm_internal.h"

#define TASK_SIZE_64 0x7ffffffff000UL
/* Fixed, so that addresses repeat between runs. */
#define MMAP_BASE (TASK_SIZE_64 - (160UL << 20))
#define START_BRK 0x555555600000UL

/* Refs: one user and one count, owned by the caller. */
struct mm_struct *mm_alloc(void)
{
	struct mm_struct *mm;

	mm = __kmalloc_named(sizeof(*mm), GFP_KERNEL | __GFP_ZERO, "mm_struct");
	if (!mm)
		return NULL;
	init_rwsem(&mm->mmap_lock);
	mm->mm_users.counter = 1;
	mm->mm_count.counter = 1;
	mm->task_size = TASK_SIZE_64;
	mm->mmap_base = MMAP_BASE;
	mm->start_brk = START_BRK;
	mm->brk = START_BRK;
	return mm;
}

void mmget(struct mm_struct *mm)
{
	atomic_inc(&mm->mm_users);
}

bool mmget_not_zero(struct mm_struct *mm)
{
	return atomic_inc_not_zero(&mm->mm_users);
}

void mmgrab(struct mm_struct *mm)
{
	atomic_inc(&mm->mm_count);
}

void mmdrop(struct mm_struct *mm)
{
	if (!atomic_dec_and_test(&mm->mm_count))
		return;
	BUG_ON(mm->map_count || mm->pgd.root);
	kfree(mm);
}

/* ---- mmap_lock ---- */

void mmap_read_lock(struct mm_struct *mm)
{
	down_read(&mm->mmap_lock);
}

bool mmap_read_trylock(struct mm_struct *mm)
{
	return down_read_trylock(&mm->mmap_lock);
}

void mmap_read_unlock(struct mm_struct *mm)
{
	up_read(&mm->mmap_lock);
}

void mmap_write_lock(struct mm_struct *mm)
{
	down_write(&mm->mmap_lock);
}

int mmap_write_lock_killable(struct mm_struct *mm)
{
	return down_write_killable(&mm->mmap_lock);
}

void mmap_write_unlock(struct mm_struct *mm)
{
	up_write(&mm->mmap_lock);
}

/* ---- fork ---- */

static void copy_totals(struct mm_struct *mm, const struct mm_struct *oldmm)
{
	mm->total_vm = oldmm->total_vm;
	mm->data_vm = oldmm->data_vm;
	mm->exec_vm = oldmm->exec_vm;
	mm->stack_vm = oldmm->stack_vm;
	mm->mmap_base = oldmm->mmap_base;
	mm->start_brk = oldmm->start_brk;
	mm->brk = oldmm->brk;
	mm->def_flags = oldmm->def_flags & ~VM_LOCKED;
	mm->has_sealed = oldmm->has_sealed;
}

/* The child's VMA, in no set and no tree. Refs: takes none on the file. */
static struct vm_area_struct *dup_vma(struct mm_struct *mm, struct vm_area_struct *parent)
{
	struct vm_area_struct *vma;
	unsigned long charge = parent->vm_flags & VM_ACCOUNT ? vma_pages(parent) : 0;

	if (charge && security_vm_enough_memory_mm(parent->vm_mm, charge))
		return NULL;
	vma = vm_area_dup(parent);
	if (!vma)
		goto err_uncharge;
	vma->vm_mm = mm;
	/* VM_WIPEONFORK: the child's memory is fresh, so it has no family either. */
	if ((!(vma->vm_flags & VM_WIPEONFORK) && anon_vma_fork(vma, parent)) ||
	    vma_set_prealloc())
		goto err_free;
	vma->vm_flags &= ~VM_LOCKED;
	return vma;

err_free:
	unlink_anon_vmas(vma);
	vm_area_free(vma);
err_uncharge:
	vm_unacct_memory(charge);
	return NULL;
}

static void link_file(struct vm_area_struct *vma, struct vm_area_struct *parent)
{
	if (!vma->vm_file)
		return;
	get_file(vma->vm_file);
	vma_link_file_after(vma, parent);
}

static void link_set(struct vm_area_struct *vma)
{
	vma_set_insert(&vma->vm_mm->mm_vmas, vma);
	vma->vm_mm->map_count++;
}

/* 5.14: file's tree, set, entries, open. A failed copy is opened all the same. */
static int finish_old(struct vm_area_struct *vma, struct vm_area_struct *parent)
{
	int ret;

	link_file(vma, parent);
	link_set(vma);
	ret = copy_page_range(vma, parent);
	vma_open(vma);
	return ret;
}

/* 6.1 and later: set, open, file's tree, entries. */
static int finish_new(struct vm_area_struct *vma, struct vm_area_struct *parent)
{
	link_set(vma);
	vma_open(vma);
	link_file(vma, parent);
	return copy_page_range(vma, parent);
}

static int dup_one(struct mm_struct *mm, struct vm_area_struct *parent)
{
	struct vm_area_struct *vma;

	if (parent->vm_flags & VM_DONTCOPY) {
		vm_stat_account(mm, parent->vm_flags, -(long)vma_pages(parent));
		return 0;
	}
	if (fatal_signal_pending(get_current()))
		return -EINTR;
	vma = dup_vma(mm, parent);
	if (!vma)
		return -ENOMEM;
	if (kernel_version < KERNEL_6_1)
		return finish_old(vma, parent);
	return finish_new(vma, parent);
}

/*
 * Copy @oldmm's VMAs to the new, empty @mm.
 *
 * Locks: takes and drops both mmap_locks.
 * Refs:  each copy owns one on its file. On failure (the caller reports ENOMEM)
 *	  what was linked stays; mmput() tears it down.
 */
int dup_mmap(struct mm_struct *mm, struct mm_struct *oldmm)
{
	struct vm_area_struct *parent, *ahead;
	struct vma_iter iter;
	int ret = 0;

	if (mmap_write_lock_killable(oldmm))
		return -EINTR;
	down_write_nested(&mm->mmap_lock, SINGLE_DEPTH_NESTING);
	copy_totals(mm, oldmm);
	if (oldmm->ksm_entered && kernel_version < KERNEL_6_12)
		ret = ksm_enter(mm);
	parent = vma_set_first(&oldmm->mm_vmas, &iter);
	for (; !ret && parent; parent = vma_iter_next(&iter)) {
		ahead = vma_iter_ahead(&iter);
		if (ahead)
			vma_interval_tree_prefetch(ahead);
		ret = dup_one(mm, parent);
	}
	/* From 6.12 on a child that ksmd does not know is no failure. */
	if (!ret && oldmm->ksm_entered && kernel_version >= KERNEL_6_12)
		ksm_enter(mm);
	mmap_write_unlock(mm);
	mmap_write_unlock(oldmm);
	return ret;
}

/* ---- exit ---- */

static void unlink_all(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	struct vma_iter iter;

	vma = vma_set_first(&mm->mm_vmas, &iter);
	for (; vma; vma = vma_iter_next(&iter))
		unlink_file_vma(vma);
	free_pgtables(mm, 0, ~0UL);
	tlb_flush(mm);
}

static void remove_all(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	struct vma_iter iter;
	unsigned long accounted = 0;

	while ((vma = vma_set_first(&mm->mm_vmas, &iter))) {
		vma_set_erase(&mm->mm_vmas, vma);
		mm->map_count--;
		if (vma->vm_flags & VM_ACCOUNT)
			accounted += vma_pages(vma);
		remove_vma(vma);
	}
	vm_unacct_memory(accounted);
}

/*
 * The last user is gone: clear everything, unlink everything, then close and let
 * go. Walks of a file's tree may meet these VMAs until the unlink, which waits
 * for them; they need no reference on the mm.
 *
 * Locks: none up to 6.1; mmap_lock from 6.12 on, read while clearing.
 */
static void exit_mmap(struct mm_struct *mm)
{
	const bool locked = kernel_version >= KERNEL_6_12;
	struct vm_area_struct *vma;
	struct vma_iter iter;

	eng_event("exit_mmap", mm, "%d mappings", mm->map_count);
	if (locked)
		mmap_read_lock(mm);
	vma = vma_set_first(&mm->mm_vmas, &iter);
	for (; vma; vma = vma_iter_next(&iter))
		zap_range_gather(vma, vma->vm_start, vma->vm_end, ZAP_ALL);
	if (locked) {
		mmap_read_unlock(mm);
		mmap_write_lock(mm);
	}
	unlink_all(mm);
	remove_all(mm);
	if (locked)
		mmap_write_unlock(mm);
}

/* Context: may sleep. Refs: drops one user; the last one takes everything down. */
void mmput(struct mm_struct *mm)
{
	if (!atomic_dec_and_test(&mm->mm_users))
		return;
	exit_mmap(mm);
	mmdrop(mm);
}
