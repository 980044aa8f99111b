// SPDX-License-Identifier: GPL-2.0-only
/*
 * Joining neighbours. Follows vma_merge() of mm/mmap.c (5.14, 6.1) and
 * vma_merge_new_range(), vma_merge_existing_range() of mm/vma.c (6.12, 6.18).
 *
 * Lock order: as vma_model.c; callers hold mmap_lock for write.
 *
 * Who survives: the predecessor if it takes part, else the successor. A VMA that
 * is swallowed sees neither open nor close. Nothing with a flag of VM_SPECIAL is
 * ever joined, so a device's mapping only gets more pieces.
 */
#include "mm_internal.h"

static bool has_close(const struct vm_area_struct *vma)
{
	return vma->vm_ops && vma->vm_ops->close;
}

/* 5.14 and 6.1: a VMA with close takes no part. Later ones: it is never deleted. */
static bool can_remove(const struct vm_area_struct *vma)
{
	return kernel_version < KERNEL_6_12 || !has_close(vma);
}

static bool inherited_pages(const struct vm_area_struct *vma)
{
	return vma && vma->anon_vma_chain && vma->anon_vma_chain->next;
}

static bool flags_and_file_agree(const struct vma_merge *merge, const struct vm_area_struct *vma)
{
	if ((vma->vm_flags ^ merge->flags) & ~VM_SOFTDIRTY)
		return false;
	if (vma->vm_file != merge->file)
		return false;
	return kernel_version >= KERNEL_6_12 || !has_close(vma);
}

static bool old_anon_rule(const struct anon_vma *wanted, const struct vm_area_struct *vma)
{
	const struct anon_vma *anon_vma = vma_anon_vma(vma);

	if ((!wanted || !anon_vma) && vma->anon_vma_chain && !vma->anon_vma_chain->next)
		return true;
	return wanted == anon_vma;
}

/*
 * May @vma and what is joined to it have the same private pages? Up to 6.12 the
 * existing neighbour must have an anon_vma of its own when only one side has
 * one; 6.18 also lets it take over that of the other side. Never across a fork.
 */
static bool anon_vmas_agree(const struct vma_merge *merge, const struct vm_area_struct *vma)
{
	const struct vm_area_struct *source = merge->middle ? merge->middle : merge->copied_from;
	const struct anon_vma *wanted = source ? vma_anon_vma(source) : NULL;
	const struct anon_vma *anon_vma = vma_anon_vma(vma);

	if (kernel_version < KERNEL_6_18)
		return old_anon_rule(wanted, vma);
	if (!anon_vma && wanted)
		return merge->growing || !inherited_pages(source);
	if (anon_vma && !wanted)
		return !inherited_pages(vma);
	return anon_vma == wanted;
}

static bool can_merge_after(const struct vma_merge *merge)
{
	const struct vm_area_struct *prev = merge->prev;

	return prev && prev->vm_end == merge->start && flags_and_file_agree(merge, prev) &&
	       anon_vmas_agree(merge, prev) && prev->vm_pgoff + vma_pages(prev) == merge->pgoff;
}

static bool can_merge_before(const struct vma_merge *merge)
{
	const struct vm_area_struct *next = merge->next;

	return next && next->vm_start == merge->end && flags_and_file_agree(merge, next) &&
	       anon_vmas_agree(merge, next) &&
	       next->vm_pgoff == merge->pgoff + ((merge->end - merge->start) >> PAGE_SHIFT);
}

static bool ends_agree(const struct vma_merge *merge)
{
	const struct anon_vma *left = vma_anon_vma(merge->prev);
	const struct anon_vma *right = vma_anon_vma(merge->next);

	return !left || !right || left == right;
}

/* @dst takes over @src's private pages; it has a chain already or none. */
static int dup_anon_vma(struct vm_area_struct *dst, const struct vm_area_struct *src)
{
	if (dst->anon_vma_chain || !src || !src->anon_vma_chain)
		return 0;
	return anon_vma_clone(dst, src);
}

/* Which neighbours take part; both only if they agree with each other. */
static void choose_sides(const struct vma_merge *merge, bool *left, bool *right)
{
	if (!*left || !*right || ends_agree(merge))
		return;
	if (kernel_version == KERNEL_6_1 && merge->plain_mmap)
		*left = false;
	else
		*right = false;
}

/*
 * Cover the free range [start, end) by growing its neighbours; the VMA that now
 * holds it, or NULL: nothing agrees, or memory ran out.
 */
struct vm_area_struct *vma_merge_new_range(struct vma_merge *merge)
{
	struct vm_area_struct *prev = merge->prev, *next = merge->next;
	struct vma_change change = { .start = merge->start, .end = merge->end };
	bool left, right;

	if (merge->flags & VM_SPECIAL)
		return NULL;
	left = can_merge_after(merge);
	right = can_merge_before(merge);
	choose_sides(merge, &left, &right);
	if (left && right && !can_remove(next))
		right = false;
	if (!left && !right)
		return NULL;
	change.vma = left ? prev : next;
	if (left)
		change.start = prev->vm_start;
	change.pgoff = left ? prev->vm_pgoff : merge->pgoff;
	if (right)
		change.end = next->vm_end;
	if (left && right)
		change.remove = next;
	if (dup_anon_vma(change.vma, merge->copied_from) ||
	    (change.remove && dup_anon_vma(change.vma, change.remove)) || vma_set_prealloc())
		return NULL;
	vma_commit(&change);
	return change.vma;
}

/* All of @middle becomes @merge->flags and its neighbours swallow it. */
static struct vm_area_struct *join_whole(struct vma_merge *merge, bool left, bool right)
{
	struct vm_area_struct *prev = merge->prev, *next = merge->next, *middle = merge->middle;
	struct vma_change change = { .vma = left ? prev : next, .remove = middle };

	change.start = left ? prev->vm_start : middle->vm_start;
	change.pgoff = left ? prev->vm_pgoff : middle->vm_pgoff;
	change.end = right && !left ? next->vm_end : middle->vm_end;
	vma_commit(&change);
	if (!left || !right)
		return change.vma;
	/* The second one goes under a hold of its own: a walker may see the step. */
	change.end = next->vm_end;
	change.remove = next;
	vma_commit(&change);
	return prev;
}

/* The border between @middle and the neighbour that grows moves; none goes. */
static struct vm_area_struct *move_border(struct vma_merge *merge, bool left)
{
	struct vm_area_struct *middle = merge->middle;
	struct vma_change change = { .vma = merge->prev, .adjust = middle };

	if (left) {
		change.start = merge->prev->vm_start;
		change.end = merge->end;
		change.pgoff = merge->prev->vm_pgoff;
		change.adjust_start = merge->end;
		vma_commit(&change);
		return merge->prev;
	}
	change.vma = middle;
	change.start = middle->vm_start;
	change.end = merge->start;
	change.pgoff = middle->vm_pgoff;
	change.adjust = merge->next;
	change.adjust_start = merge->start;
	vma_commit(&change);
	return merge->next;
}

/*
 * [start, end) of @middle gets @merge->flags: the VMA that holds it afterwards,
 * NULL when the neighbours do not agree, ERR_PTR(-ENOMEM) from 6.12 on when memory
 * ran out (before that the merge silently does not happen).
 */
static struct vm_area_struct *vma_merge_existing_range(struct vma_merge *merge)
{
	struct vm_area_struct *middle = merge->middle, *prev = merge->prev, *next = merge->next;
	bool whole = merge->start == middle->vm_start && merge->end == middle->vm_end;
	bool left, right;
	int ret;

	if (merge->flags & VM_SPECIAL)
		return NULL;
	left = merge->start == middle->vm_start && can_merge_after(merge);
	right = merge->end == middle->vm_end && can_merge_before(merge);
	choose_sides(merge, &left, &right);
	if ((!left && !right) || (whole && !can_remove(middle)))
		return NULL;
	if (left && right && !can_remove(next))
		right = false;
	if (left && right && next->anon_vma_chain)
		ret = dup_anon_vma(prev, next);
	else
		ret = dup_anon_vma(left ? prev : next, middle);
	if (!ret)
		ret = vma_set_prealloc();
	if (ret)
		return kernel_version >= KERNEL_6_12 ? ERR_PTR(ret) : NULL;
	if (whole)
		return join_whole(merge, left, right);
	return move_border(merge, left);
}

static int isolate(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	int ret = 0;

	if (vma->vm_start < start)
		ret = split_vma(vma, start, true);
	if (!ret && vma->vm_end > end)
		ret = split_vma(vma, end, false);
	return ret;
}

/*
 * [start, end) of @vma is about to get @flags: the VMA that has exactly this
 * range (@vma itself, the original) or that swallowed it (with @flags already).
 *
 * Locks: holds mmap_lock for write.
 * Refs:  ERR_PTR: a first split stays, nothing else.
 */
struct vm_area_struct *vma_modify_flags(struct vm_area_struct *vma, unsigned long start,
					unsigned long end, unsigned int flags)
{
	struct vma_merge merge = {
		.mm = vma->vm_mm, .middle = vma, .start = start, .end = end,
		.pgoff = linear_page_index(vma, start), .flags = flags, .file = vma->vm_file,
	};
	struct vm_area_struct *merged;
	struct vma_iter iter;
	int ret;

	vma_set_find(&vma->vm_mm->mm_vmas, vma->vm_start, &iter);
	if (start == vma->vm_start)
		merge.prev = vma_iter_peek_prev(&iter);
	if (end == vma->vm_end)
		merge.next = vma_iter_next(&iter);
	merged = vma_merge_existing_range(&merge);
	if (merged)
		return merged;
	ret = isolate(vma, start, end);
	return ret ? ERR_PTR(ret) : vma;
}

/* mremap grows @vma by @delta bytes in place; from 6.1 on it may join a successor. */
struct vm_area_struct *vma_merge_extend(struct vm_area_struct *vma, unsigned long delta)
{
	struct vma_merge merge = {
		.mm = vma->vm_mm, .prev = vma, .copied_from = vma, .growing = true,
		.start = vma->vm_end, .end = vma->vm_end + delta,
		.pgoff = vma->vm_pgoff + vma_pages(vma), .flags = vma->vm_flags,
		.file = vma->vm_file,
	};
	struct vma_change change = {
		.vma = vma, .start = vma->vm_start, .end = vma->vm_end + delta,
		.pgoff = vma->vm_pgoff,
	};
	struct vm_area_struct *next = vma_next(vma);

	if (kernel_version >= KERNEL_6_12 || (kernel_version == KERNEL_6_1 && !has_close(vma))) {
		merge.next = next;
		return vma_merge_new_range(&merge);
	}
	vma_commit(&change);
	return vma;
}

/* The copy of @vma that a move makes when it joins no neighbour. */
static struct vm_area_struct *duplicate_at(struct vm_area_struct *vma, unsigned long addr,
					   unsigned long len, pgoff_t pgoff)
{
	struct vm_area_struct *copy = vm_area_dup(vma);

	if (!copy)
		return NULL;
	copy->vm_start = addr;
	copy->vm_end = addr + len;
	copy->vm_pgoff = pgoff;
	if (anon_vma_clone(copy, vma)) {
		vm_area_free(copy);
		return NULL;
	}
	if (copy->vm_file)
		get_file(copy->vm_file);
	vma_open(copy);
	/* Since 6.1 the set may want memory, here after the driver was told. */
	if (vma_set_prealloc()) {
		remove_vma(copy);
		return NULL;
	}
	vma_link(vma->vm_mm, copy);
	return copy;
}

/*
 * The destination of a move, in set and tree: part of a neighbour or new.
 * @source is updated when the destination swallowed it. @need_rmap_locks: a walk
 * may meet the destination before the source.
 *
 * Locks: holds mmap_lock for write.
 * Refs:  +1 on the file if it is new; NULL on failure, with nothing changed.
 */
struct vm_area_struct *copy_vma(struct vm_area_struct **source, unsigned long addr,
				unsigned long len, pgoff_t pgoff, bool *need_rmap_locks)
{
	struct vm_area_struct *vma = *source, *merged;
	unsigned long old_start = vma->vm_start;
	struct vma_merge merge = {
		.mm = vma->vm_mm, .copied_from = vma, .start = addr, .end = addr + len,
		.pgoff = pgoff, .flags = vma->vm_flags, .file = vma->vm_file,
	};
	struct vma_iter iter;

	/* Memory without private pages is renumbered, so that it joins more easily. */
	if (vma_is_anonymous(vma) && !vma->anon_vma_chain)
		merge.pgoff = addr >> PAGE_SHIFT;
	merge.next = vma_set_find(&vma->vm_mm->mm_vmas, addr, &iter);
	merge.prev = merge.next ? vma_iter_peek_prev(&iter) : vma_set_last(&vma->vm_mm->mm_vmas);
	*need_rmap_locks = false;
	merged = vma_merge_new_range(&merge);
	if (!merged)
		return duplicate_at(vma, addr, len, merge.pgoff);
	if (old_start >= merged->vm_start && old_start < merged->vm_end)
		*source = merged;
	*need_rmap_locks = merged->vm_pgoff <= (*source)->vm_pgoff;
	return merged;
}
