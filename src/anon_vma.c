// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which VMAs have had private pages, and with whom they may be joined.
 * Follows mm/rmap.c as far as joining depends on it: a VMA's chain holds its own
 * anon_vma first, then those it inherited through fork.
 *
 * Locks: mmap_lock of the VMA's mm. The kernel's anon_vma lock orders walks from
 * a page to its VMAs; nothing here walks that way (no reclaim, no migration), and
 * the counters of an anon_vma that processes share change in one step, without
 * a choice point. A fault that lacks one needs mmap_lock for read only: the step
 * from the test to the new chain has no choice point either.
 */
#include "mm_internal.h"

static struct anon_vma *anon_vma_alloc(void)
{
	struct anon_vma *anon_vma = __kmalloc_named(sizeof(*anon_vma), GFP_KERNEL, "anon_vma");

	if (anon_vma) {
		anon_vma->parent = anon_vma;
		anon_vma->refs = 0;
		anon_vma->num_children = 1;	/* its own parent */
		anon_vma->num_active_vmas = 0;
	}
	return anon_vma;
}

/* Put @anon_vma in front of @vma's chain, or behind what is there. */
static int chain_add(struct vm_area_struct *vma, struct anon_vma *anon_vma, bool front)
{
	struct anon_vma_chain **link = &vma->anon_vma_chain, *avc;

	avc = __kmalloc_named(sizeof(*avc), GFP_KERNEL, "anon_vma_chain");
	if (!avc)
		return -ENOMEM;
	while (!front && *link)
		link = &(*link)->next;
	avc->anon_vma = anon_vma;
	avc->next = *link;
	*link = avc;
	anon_vma->refs++;
	return 0;
}

/* Take @vma out of the families it is in. */
void unlink_anon_vmas(struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc, *next;

	if (vma->anon_vma_chain)
		vma->anon_vma_chain->anon_vma->num_active_vmas--;
	/* A parent outlives its children: first all counts, then all memory. */
	for (avc = vma->anon_vma_chain; avc; avc = avc->next) {
		if (!--avc->anon_vma->refs)
			avc->anon_vma->parent->num_children--;
	}
	for (avc = vma->anon_vma_chain; avc; avc = next) {
		next = avc->next;
		if (!avc->anon_vma->refs)
			kfree(avc->anon_vma);
		kfree(avc);
	}
	vma->anon_vma_chain = NULL;
}

/* A failed copy: nothing of it counted as active yet. */
static void chain_drop(struct vm_area_struct *vma)
{
	if (vma->anon_vma_chain)
		vma->anon_vma_chain->anon_vma->num_active_vmas++;
	unlink_anon_vmas(vma);
}

static int chain_copy(struct vm_area_struct *dst, const struct vm_area_struct *src)
{
	const struct anon_vma_chain *avc;

	for (avc = src->anon_vma_chain; avc; avc = avc->next) {
		if (chain_add(dst, avc->anon_vma, false)) {
			chain_drop(dst);
			return -ENOMEM;
		}
	}
	return 0;
}

/* @dst, which has none, joins all of @src's families: a split, a move, a merge. */
int anon_vma_clone(struct vm_area_struct *dst, const struct vm_area_struct *src)
{
	int ret = chain_copy(dst, src);

	if (!ret && dst->anon_vma_chain)
		dst->anon_vma_chain->anon_vma->num_active_vmas++;
	return ret;
}

/* An inherited anon_vma that no VMA owns any more and with a single child. */
static struct anon_vma *find_reusable(const struct vm_area_struct *src)
{
	const struct anon_vma_chain *avc;

	for (avc = src->anon_vma_chain->next; avc; avc = avc->next) {
		const struct anon_vma *anon_vma = avc->anon_vma;

		if (kernel_version >= KERNEL_6_1 ?
		    anon_vma->num_children < 2 && !anon_vma->num_active_vmas :
		    anon_vma->num_children + anon_vma->num_active_vmas < 2)
			return avc->anon_vma;
	}
	return NULL;
}

static void move_to_front(struct vm_area_struct *vma, struct anon_vma *anon_vma)
{
	struct anon_vma_chain **link = &vma->anon_vma_chain, *avc;

	while ((*link)->anon_vma != anon_vma)
		link = &(*link)->next;
	avc = *link;
	*link = avc->next;
	avc->next = vma->anon_vma_chain;
	vma->anon_vma_chain = avc;
}

/* The child's @vma inherits @parent's families and starts one of its own. */
int anon_vma_fork(struct vm_area_struct *vma, const struct vm_area_struct *parent)
{
	struct anon_vma *anon_vma;

	if (!parent->anon_vma_chain)
		return 0;
	if (chain_copy(vma, parent))
		return -ENOMEM;
	anon_vma = find_reusable(parent);
	if (anon_vma) {
		move_to_front(vma, anon_vma);
		anon_vma->num_active_vmas++;
		return 0;
	}
	anon_vma = anon_vma_alloc();
	if (!anon_vma || chain_add(vma, anon_vma, true)) {
		kfree(anon_vma);
		chain_drop(vma);
		return -ENOMEM;
	}
	anon_vma->num_active_vmas = 1;
	anon_vma->num_children = 0;
	anon_vma->parent = vma_anon_vma(parent);
	anon_vma->parent->num_children++;
	return 0;
}

/* The neighbour's anon_vma, if a later mprotect could make the two one VMA. */
static struct anon_vma *reusable_neighbour(const struct vm_area_struct *a,
					   const struct vm_area_struct *b,
					   const struct vm_area_struct *neighbour)
{
	const unsigned int differ_ok = VM_READ | VM_WRITE | VM_EXEC | VM_SOFTDIRTY;

	if (a->vm_end != b->vm_start || a->vm_file != b->vm_file ||
	    (a->vm_flags ^ b->vm_flags) & ~differ_ok ||
	    b->vm_pgoff != a->vm_pgoff + vma_pages(a))
		return NULL;
	if (!neighbour->anon_vma_chain || neighbour->anon_vma_chain->next)
		return NULL;
	return vma_anon_vma(neighbour);
}

static struct anon_vma *find_mergeable_anon_vma(const struct vm_area_struct *vma)
{
	struct anon_vma *anon_vma = NULL;
	struct vm_area_struct *near;
	struct vma_iter iter, next;

	vma_set_find(&vma->vm_mm->mm_vmas, vma->vm_start, &iter);
	next = iter;
	near = vma_iter_next(&next);
	if (near)
		anon_vma = reusable_neighbour(vma, near, near);
	near = vma_iter_peek_prev(&iter);
	if (!anon_vma && near)
		anon_vma = reusable_neighbour(near, vma, near);
	return anon_vma;
}

/*
 * @vma is about to get its first private page.
 *
 * Context: a fault; mmap_lock read.
 * Refs:    on success @vma has a chain; -ENOMEM leaves none.
 */
int anon_vma_prepare(struct vm_area_struct *vma)
{
	struct anon_vma *anon_vma, *fresh = NULL;

	if (vma->anon_vma_chain)
		return 0;
	anon_vma = find_mergeable_anon_vma(vma);
	if (!anon_vma) {
		fresh = anon_vma_alloc();
		anon_vma = fresh;
	}
	if (!anon_vma || chain_add(vma, anon_vma, true)) {
		kfree(fresh);
		return -ENOMEM;
	}
	anon_vma->num_active_vmas++;
	return 0;
}
