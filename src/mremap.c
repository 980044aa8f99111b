// SPDX-License-Identifier: GPL-2.0-only
/*
 * mremap(2): shrinking, growing, moving. Follows mm/mremap.c of 5.14, with what
 * 6.1, 6.12 and 6.18 do differently.
 *
 * Lock order (outer first):
 *
 *   mm->mmap_lock		write
 *     i_mmap_rwsem		write: link of the destination; moving "backwards"
 *       page-table locks	source and destination
 *
 * A move makes the destination and links it *behind* the source in the file's
 * tree before any entry moves: a walk finds an entry at its old place, or later
 * at the new one.
 */
#include <asm/mman.h>
#include <linux/mman.h>

#include "mm_internal.h"

struct remap {
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	unsigned long addr;
	unsigned long old_len;
	unsigned long new_len;
	unsigned long flags;
	unsigned long new_addr;		/* wanted, then found */
	bool unlocked;			/* mmap_lock was downgraded */
	bool locked;			/* VM_LOCKED: what was added is faulted in */
};

static bool has_target(const struct remap *remap)
{
	return remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
}

static struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	return vma && vma->vm_start <= addr ? vma : NULL;
}

/* ---- checks ---- */

static int check_flags(const struct remap *remap, unsigned long new_len_given,
		       unsigned long old_len_given)
{
	unsigned long flags = remap->flags;
	bool resized = kernel_version < KERNEL_6_18 ? old_len_given != new_len_given :
		       remap->old_len != remap->new_len;

	if (flags & ~(unsigned long)(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
		return -EINVAL;
	if (has_target(remap) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if (flags & MREMAP_DONTUNMAP && resized)
		return -EINVAL;
	if (remap->addr & ~PAGE_MASK || !remap->new_len)
		return -EINVAL;
	if (kernel_version >= KERNEL_6_18 && remap->new_len > remap->mm->task_size)
		return -EINVAL;
	return 0;
}

static int check_target(const struct remap *remap)
{
	unsigned long target = remap->new_addr, size = remap->mm->task_size;

	if (target & ~PAGE_MASK)
		return -EINVAL;
	if (remap->new_len > size || target > size - remap->new_len)
		return -EINVAL;
	if (remap->addr + remap->old_len > target && target + remap->new_len > remap->addr)
		return -EINVAL;
	if (remap->mm->map_count + 2 >= sysctl_max_map_count - 3)
		return -ENOMEM;
	return 0;
}

/* May the VMA at addr be moved or grown so? (MM-83) */
static int check_source(const struct remap *remap, unsigned long old_len)
{
	struct vm_area_struct *vma = remap->vma;
	unsigned long grown = remap->new_len - old_len, pgoff;

	if (!vma)
		return -EFAULT;
	if (vma->vm_flags & VM_SEALED)
		return -EPERM;
	if (!old_len && !(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return -EINVAL;
	if (remap->flags & MREMAP_DONTUNMAP && vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP))
		return -EINVAL;
	if (old_len > vma->vm_end - remap->addr)
		return -EFAULT;
	if (remap->new_len == old_len)
		return 0;
	pgoff = linear_page_index(vma, remap->addr);
	if (pgoff + (remap->new_len >> PAGE_SHIFT) < pgoff)
		return -EINVAL;
	if (vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP))
		return -EFAULT;
	if (vma->vm_flags & VM_LOCKED && !mlock_future_ok(remap->mm, grown))
		return -EAGAIN;
	if (!may_expand_vm(remap->mm, vma->vm_flags, grown >> PAGE_SHIFT))
		return -ENOMEM;
	return 0;
}

/* ---- moving ---- */

static int ask_driver(const struct remap *remap)
{
	struct vm_area_struct *vma = remap->vma;
	unsigned long end = remap->addr + remap->old_len;
	int ret = 0;

	if (!vma->vm_ops || !vma->vm_ops->may_split)
		return 0;
	if (vma->vm_start != remap->addr)
		ret = vma->vm_ops->may_split(vma, remap->addr);
	if (!ret && vma->vm_end != end)
		ret = vma->vm_ops->may_split(vma, end);
	return ret;
}

/*
 * Move the entries; if that or the driver fails, move them back.
 *
 * Return: 0; -errno with everything at its old place, and the new VMA empty.
 */
static int move_entries(const struct remap *remap, struct vm_area_struct *vma,
			struct vm_area_struct *new_vma, bool need_rmap_locks)
{
	unsigned long moved;
	int ret = 0;

	moved = move_page_tables(vma, remap->addr, new_vma, remap->new_addr, remap->old_len,
				 need_rmap_locks);
	if (moved < remap->old_len)
		ret = -ENOMEM;
	else if (vma->vm_ops && vma->vm_ops->mremap)
		ret = vma->vm_ops->mremap(new_vma);
	if (ret)
		move_page_tables(new_vma, remap->new_addr, vma, remap->addr, moved, true);
	return ret;
}

/* Unmap [addr, addr + len), of which @vma's part gave its charge to the new place. */
static void unmap_source(const struct remap *remap, struct vm_area_struct *vma,
			 unsigned long addr, unsigned long len)
{
	unsigned long start = vma->vm_start, end = vma->vm_end;
	bool account = vma->vm_flags & VM_ACCOUNT && !(remap->flags & MREMAP_DONTUNMAP);
	struct vm_area_struct *rest;

	if (account)
		vma->vm_flags &= ~VM_ACCOUNT;
	if (do_munmap(remap->mm, addr, len, false) < 0) {
		/* Both places stay; the charge of the old one has to be made up for. */
		if (account)
			vm_committed_as += len >> PAGE_SHIFT;
		start = end = addr;
	}
	if (!account)
		return;
	if (start < addr) {
		rest = vma_lookup(remap->mm, addr - 1);
		if (rest)
			rest->vm_flags |= VM_ACCOUNT;
	}
	if (end > addr + len) {
		rest = vma_lookup(remap->mm, addr + len);
		if (rest)
			rest->vm_flags |= VM_ACCOUNT;
	}
}

/* MREMAP_DONTUNMAP: the old VMA stays, empty, without a share in private pages. */
static void keep_source(const struct remap *remap, struct vm_area_struct *vma,
			struct vm_area_struct *new_vma)
{
	vma->vm_flags &= ~VM_LOCKED;
	if (new_vma != vma && vma->vm_start == remap->addr &&
	    vma->vm_end == remap->addr + remap->old_len)
		unlink_anon_vmas(vma);
}

static unsigned long move_charge(const struct remap *remap)
{
	if (!(remap->vma->vm_flags & VM_ACCOUNT))
		return 0;
	if (remap->flags & MREMAP_DONTUNMAP)
		return remap->new_len >> PAGE_SHIFT;
	return remap->new_len > remap->old_len ?
	       (remap->new_len - remap->old_len) >> PAGE_SHIFT : 0;
}

/* The new place counts as locked; MREMAP_DONTUNMAP takes the lock along instead. */
static void count_locked(struct remap *remap, unsigned int vm_flags, int ret)
{
	if (!(vm_flags & VM_LOCKED) || (remap->flags & MREMAP_DONTUNMAP && !ret))
		return;
	remap->mm->locked_vm += remap->new_len >> PAGE_SHIFT;
	remap->locked = !ret;
}

/*
 * The destination is free and chosen. Locks: holds mmap_lock for write.
 * Return: the new address or -errno, with the source as it was.
 */
static long move_vma(struct remap *remap)
{
	struct vm_area_struct *vma = remap->vma, *new_vma;
	unsigned long charge = move_charge(remap);
	bool need_rmap_locks;
	int ret;

	if (remap->mm->map_count >= sysctl_max_map_count - 3)
		return -ENOMEM;
	ret = ask_driver(remap);
	if (ret)
		return ret;
	if (charge && security_vm_enough_memory_mm(remap->mm, charge))
		return -ENOMEM;
	new_vma = copy_vma(&vma, remap->new_addr, remap->new_len,
			   linear_page_index(vma, remap->addr), &need_rmap_locks);
	if (!new_vma) {
		vm_unacct_memory(charge);
		return -ENOMEM;
	}
	ret = move_entries(remap, vma, new_vma, need_rmap_locks);
	vm_stat_account(remap->mm, vma->vm_flags, remap->new_len >> PAGE_SHIFT);
	count_locked(remap, vma->vm_flags, ret);
	eng_event("mremap", new_vma, "from %O, result %d", vma, ret);
	if (ret) {
		/* The charge goes with the pages of the VMA that is unmapped. */
		vm_committed_as += vma->vm_flags & VM_ACCOUNT ?
				   (remap->new_len >> PAGE_SHIFT) - charge : 0;
		do_munmap(remap->mm, remap->new_addr, remap->new_len, false);
		return ret;
	}
	if (remap->flags & MREMAP_DONTUNMAP)
		keep_source(remap, vma, new_vma);
	else if (remap->old_len)
		unmap_source(remap, vma, remap->addr, remap->old_len);
	return remap->new_addr;
}

/* Find the place for the destination; MREMAP_FIXED cleared it before. */
static long place_and_move(struct remap *remap)
{
	struct vm_area_struct *vma = remap->vma;
	unsigned long map_flags = 0, addr;

	if (remap->flags & MREMAP_FIXED)
		map_flags |= MAP_FIXED;
	if (vma->vm_flags & VM_MAYSHARE)
		map_flags |= MAP_SHARED;
	addr = get_unmapped_area(vma->vm_file, has_target(remap) ? remap->new_addr : 0,
				 remap->new_len, linear_page_index(vma, remap->addr), map_flags);
	if (IS_ERR((void *)addr))
		return addr;
	remap->new_addr = addr;
	return move_vma(remap);
}

/* ---- the three ways ---- */

static int cut_tail(struct remap *remap)
{
	int ret = do_munmap(remap->mm, remap->addr + remap->new_len,
			    remap->old_len - remap->new_len, false);

	if (ret)
		return ret;
	remap->old_len = remap->new_len;
	remap->vma = vma_lookup(remap->mm, remap->addr);
	return 0;
}

/*
 * One VMA to a given place. Up to 6.12 the target goes before the source is
 * looked at closely (and 5.14 does not look at all); 6.18 looks first.
 */
static long mremap_to(struct remap *remap)
{
	unsigned long source_len = remap->old_len;
	int ret = 0;

	if (kernel_version >= KERNEL_6_1 && !remap->vma)
		return -EFAULT;
	if (kernel_version >= KERNEL_6_18) {
		if (source_len > remap->new_len)
			source_len = remap->new_len;
		ret = check_source(remap, source_len);
		if (ret)
			return ret;
	}
	if (remap->flags & MREMAP_FIXED) {
		ret = do_munmap(remap->mm, remap->new_addr, remap->new_len, false);
		if (ret)
			return ret;
		remap->vma = vma_lookup(remap->mm, remap->addr);
	}
	if (remap->old_len > remap->new_len)
		ret = cut_tail(remap);
	if (!ret && !remap->vma)
		ret = -EFAULT;
	if (!ret && kernel_version < KERNEL_6_18)
		ret = check_source(remap, remap->old_len);
	if (!ret && remap->flags & MREMAP_DONTUNMAP &&
	    !may_expand_vm(remap->mm, remap->vma->vm_flags, remap->old_len >> PAGE_SHIFT))
		ret = -ENOMEM;
	return ret ? ret : place_and_move(remap);
}

static bool can_expand_in_place(const struct remap *remap)
{
	struct vm_area_struct *vma = remap->vma, *next = vma_next(vma);
	unsigned long end = remap->addr + remap->new_len;

	if (vma->vm_end != remap->addr + remap->old_len || end < vma->vm_end)
		return false;
	if (next && next->vm_start < end)
		return false;
	return !IS_ERR((void *)get_unmapped_area(NULL, vma->vm_start, end - vma->vm_start, 0,
						 MAP_FIXED));
}

static long expand_in_place(struct remap *remap)
{
	struct vm_area_struct *vma = remap->vma;
	unsigned long delta = remap->new_len - remap->old_len, pages = delta >> PAGE_SHIFT;
	unsigned long charge = vma->vm_flags & VM_ACCOUNT ? pages : 0;

	if (charge && security_vm_enough_memory_mm(remap->mm, charge))
		return -ENOMEM;
	vma = vma_merge_extend(vma, delta);
	if (!vma) {
		vm_unacct_memory(charge);
		return -ENOMEM;
	}
	vm_stat_account(remap->mm, vma->vm_flags, pages);
	if (vma->vm_flags & VM_LOCKED) {
		remap->mm->locked_vm += pages;
		remap->locked = true;
	}
	return remap->addr;
}

static long expand(struct remap *remap)
{
	int ret = check_source(remap, remap->old_len);

	if (ret)
		return ret;
	if (can_expand_in_place(remap))
		return expand_in_place(remap);
	if (!(remap->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	return place_and_move(remap);
}

/* Same size or smaller, in place: only 6.1 and later look whether addr is mapped. */
static long shrink(struct remap *remap)
{
	int ret;

	if (kernel_version >= KERNEL_6_1 && !remap->vma)
		return -EFAULT;
	if (remap->old_len == remap->new_len)
		return remap->addr;
	ret = do_munmap(remap->mm, remap->addr + remap->new_len,
			remap->old_len - remap->new_len, true);
	remap->unlocked = ret == 1;
	return ret < 0 ? ret : (long)remap->addr;
}

/*
 * 6.18: MREMAP_FIXED without a change of size takes VMA after VMA, holes between
 * them included. A failure leaves those before it moved.
 */
static long move_many(const struct remap *whole)
{
	unsigned long end = whole->addr + whole->old_len, from = whole->addr;
	struct vm_area_struct *vma = vma_lookup(whole->mm, from);
	long ret = -EFAULT, first = 0;

	while (vma && from < end && vma->vm_start < end) {
		struct remap part = *whole;
		bool custom = vma->vm_file && vma->vm_file->f_op->get_unmapped_area;

		if (custom && (first || vma->vm_end < end))
			return -EFAULT;
		part.vma = vma;
		part.addr = vma->vm_start > from ? vma->vm_start : from;
		part.new_addr = whole->new_addr + (part.addr - whole->addr);
		from = vma->vm_end < end ? vma->vm_end : end;
		part.old_len = from - part.addr;
		part.new_len = part.old_len;
		ret = mremap_to(&part);
		if (IS_ERR((void *)ret))
			return ret;
		if (!first)
			first = ret;
		vma = find_vma(whole->mm, from);
	}
	return first ? first : ret;
}

static long do_mremap(struct remap *remap)
{
	int ret;

	remap->vma = vma_lookup(remap->mm, remap->addr);
	/* 6.18 looks at a given target first, and then at each VMA of the source. */
	if (remap->vma && remap->vma->vm_flags & VM_SEALED &&
	    (kernel_version < KERNEL_6_18 || !has_target(remap)))
		return -EPERM;
	if (!has_target(remap)) {
		if (remap->old_len >= remap->new_len)
			return shrink(remap);
		return expand(remap);
	}
	/* 6.1 and 6.12 miss an unmapped source before they look at the target. */
	if (!remap->vma && kernel_version >= KERNEL_6_1 && kernel_version < KERNEL_6_18)
		return -EFAULT;
	ret = check_target(remap);
	if (ret)
		return ret;
	if (kernel_version >= KERNEL_6_18 && remap->flags & MREMAP_FIXED &&
	    remap->old_len == remap->new_len)
		return move_many(remap);
	return mremap_to(remap);
}

/* mremap(2). Context: may sleep. Locks: takes and drops mmap_lock. */
long ksys_mremap(unsigned long addr, unsigned long old_len, unsigned long new_len,
		 unsigned long flags, unsigned long new_addr)
{
	struct remap remap = {
		.mm = get_current()->mm, .addr = addr, .old_len = PAGE_ALIGN(old_len),
		.new_len = PAGE_ALIGN(new_len), .flags = flags, .new_addr = new_addr,
	};
	long ret = check_flags(&remap, new_len, old_len);

	if (ret)
		return ret;
	if (mmap_write_lock_killable(remap.mm))
		return -EINTR;
	ret = do_mremap(&remap);
	if (remap.unlocked)
		mmap_read_unlock(remap.mm);
	else
		mmap_write_unlock(remap.mm);
	if (remap.locked && remap.new_len > remap.old_len)
		mm_populate(ret + remap.old_len, remap.new_len - remap.old_len);
	return ret;
}
