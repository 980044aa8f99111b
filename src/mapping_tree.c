// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of a file's mappings: every VMA that shows it, by file page. Follows
 * mm/interval_tree.c.
 *
 * Lock order: mapping->i_mmap_rwsem, held by the caller (write to change).
 *
 * Order: ascending vm_pgoff; among equals, new ones last, except a fork's copy,
 * which stands directly behind its parent. So a walk meets the source of a fork
 * or a move before the destination.
 */
#include "mm_internal.h"

#define vma_of(node) rb_entry(node, struct vm_area_struct, shared_rb)

static inline unsigned long last_page(const struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

static bool update_last(struct rb_node *node)
{
	struct vm_area_struct *vma = vma_of(node);
	unsigned long last = last_page(vma);

	if (node->rb_left && vma_of(node->rb_left)->shared_last > last)
		last = vma_of(node->rb_left)->shared_last;
	if (node->rb_right && vma_of(node->rb_right)->shared_last > last)
		last = vma_of(node->rb_right)->shared_last;
	if (vma->shared_last == last)
		return false;
	vma->shared_last = last;
	return true;
}

static void insert_below(struct rb_root_cached *root, struct vm_area_struct *vma,
			 struct rb_node *parent, struct rb_node **link)
{
	vma->shared_last = last_page(vma);
	if (!parent || (parent == root->rb_leftmost && link == &parent->rb_left))
		root->rb_leftmost = &vma->shared_rb;
	if (!parent || (parent == root->rb_rightmost && link == &parent->rb_right))
		root->rb_rightmost = &vma->shared_rb;
	rb_link_node(&vma->shared_rb, parent, link);
	rb_insert_augmented(&vma->shared_rb, &root->rb_root, update_last);
}

void vma_interval_tree_insert(struct vm_area_struct *vma, struct rb_root_cached *root)
{
	struct rb_node **link = &root->rb_root.rb_node, *parent = NULL;

	/* Most new mappings go to the end. */
	if (*link && vma->vm_pgoff >= vma_of(root->rb_rightmost)->vm_pgoff) {
		parent = root->rb_rightmost;
		link = &parent->rb_right;
	}
	while (*link) {
		parent = *link;
		link = vma->vm_pgoff < vma_of(parent)->vm_pgoff ? &parent->rb_left :
								  &parent->rb_right;
	}
	insert_below(root, vma, parent, link);
}

/* @vma has the same first page as @prev, which is in the tree. */
void vma_interval_tree_insert_after(struct vm_area_struct *vma, struct vm_area_struct *prev,
				    struct rb_root_cached *root)
{
	struct rb_node *parent = &prev->shared_rb, **link = &parent->rb_right;

	BUG_ON(vma->vm_pgoff != prev->vm_pgoff);
	while (*link) {
		parent = *link;
		link = &parent->rb_left;
	}
	insert_below(root, vma, parent, link);
}

void vma_interval_tree_remove(struct vm_area_struct *vma, struct rb_root_cached *root)
{
	BUG_ON(RB_EMPTY_NODE(&vma->shared_rb));
	if (root->rb_leftmost == &vma->shared_rb)
		root->rb_leftmost = rb_next(&vma->shared_rb);
	if (root->rb_rightmost == &vma->shared_rb)
		root->rb_rightmost = rb_prev(&vma->shared_rb);
	rb_erase_augmented(&vma->shared_rb, &root->rb_root, update_last);
}

/* The first of @vma's subtree, which reaches @first, that overlaps [first, last]. */
static struct vm_area_struct *first_below(struct vm_area_struct *vma, unsigned long first,
					  unsigned long last)
{
	struct rb_node *left, *right;

	for (;;) {
		left = vma->shared_rb.rb_left;
		if (left && vma_of(left)->shared_last >= first) {
			vma = vma_of(left);
			continue;
		}
		if (vma->vm_pgoff > last)
			return NULL;
		if (last_page(vma) >= first)
			return vma;
		right = vma->shared_rb.rb_right;
		if (!right || vma_of(right)->shared_last < first)
			return NULL;
		vma = vma_of(right);
	}
}

struct vm_area_struct *vma_interval_tree_iter_first(struct rb_root_cached *root,
						    unsigned long first, unsigned long last)
{
	struct rb_node *top = root->rb_root.rb_node;

	if (!top || vma_of(top)->shared_last < first)
		return NULL;
	return first_below(vma_of(top), first, last);
}

struct vm_area_struct *vma_interval_tree_iter_next(struct vm_area_struct *vma,
						   unsigned long first, unsigned long last)
{
	struct rb_node *node = &vma->shared_rb, *right = node->rb_right, *child;

	for (;;) {
		if (right && vma_of(right)->shared_last >= first)
			return first_below(vma_of(right), first, last);
		do {
			child = node;
			node = rb_parent(node);
			if (!node)
				return NULL;
		} while (child == node->rb_right);
		vma = vma_of(node);
		if (vma->vm_pgoff > last)
			return NULL;
		if (last_page(vma) >= first)
			return vma;
		right = node->rb_right;
	}
}
