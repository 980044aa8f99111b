// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sparse arrays of 64-bit words: page tables and page caches. Stands for the tables that
 * mm/memory.c walks and for lib/xarray.c.
 *
 * A node covers 32 slots. Levels without a branch are left out, so a handful of
 * neighbouring pages needs one node of 272 bytes instead of the four tables of
 * 4 KiB that the processor wants, and a million pages need four levels.
 * The address of a slot stays the same as long as its node lives.
 *
 * No locks: whoever owns the root protects it. Nothing here is a choice point,
 * and only a missing node can make radix_slot() fail.
 */
#include "mm_internal.h"

#define BITS RADIX_BITS
#define SLOTS RADIX_SLOTS
#define SLOT_MASK RADIX_MASK

static bool covers(const struct radix_node *node, unsigned long index)
{
	return !((node->prefix ^ index) >> (node->shift + BITS));
}

static unsigned long slot_of(const struct radix_node *node, unsigned long index)
{
	return index >> node->shift & SLOT_MASK;
}

static struct radix_node *child(const struct radix_node *node, unsigned long slot)
{
	return (struct radix_node *)node->slot[slot];
}

u64 *radix_find(struct radix *radix, unsigned long index)
{
	struct radix_node *node = radix->last;

	if (node && node->prefix == (index & ~SLOT_MASK))
		return &node->slot[index & SLOT_MASK];
	for (node = radix->root; node; node = child(node, slot_of(node, index))) {
		if (!covers(node, index))
			return NULL;
		if (!node->shift) {
			radix->last = node;
			return &node->slot[index & SLOT_MASK];
		}
	}
	return NULL;
}

static struct radix_node *new_node(const char *what, unsigned long index, unsigned int shift)
{
	struct radix_node *node;

	node = __kmalloc_named(sizeof(*node), GFP_KERNEL | __GFP_ZERO, what);
	if (node) {
		node->prefix = index >> (shift + BITS) << (shift + BITS);
		node->shift = shift;
	}
	return node;
}

/* The level where the ways to @index and to @node part. */
static unsigned int shift_of_branch(const struct radix_node *node, unsigned long index)
{
	unsigned int top = 63 - __builtin_clzl(node->prefix ^ index);

	return top / BITS * BITS;
}

/* Hang a new leaf for @index at @link, with a branch if a node is there already. */
static struct radix_node *grow(struct radix_node **link, unsigned long index, const char *what)
{
	struct radix_node *leaf, *branch, *old = *link;

	leaf = new_node(what, index, 0);
	if (!leaf)
		return NULL;
	if (!old) {
		*link = leaf;
		return leaf;
	}
	branch = new_node(what, index, shift_of_branch(old, index));
	if (!branch) {
		kfree(leaf);
		return NULL;
	}
	branch->slot[slot_of(branch, index)] = (u64)leaf;
	branch->slot[slot_of(branch, old->prefix)] = (u64)old;
	*link = branch;
	return leaf;
}

/* The slot of @index, with the nodes above it; NULL when memory runs out. */
u64 *radix_slot(struct radix *radix, unsigned long index, const char *what)
{
	struct radix_node **link = &radix->root, *node;
	u64 *slot = radix_find(radix, index);

	if (slot)
		return slot;
	while ((node = *link) && covers(node, index))
		link = (struct radix_node **)&node->slot[slot_of(node, index)];
	node = grow(link, index, what);
	if (!node)
		return NULL;
	radix->last = node;
	return &node->slot[index & SLOT_MASK];
}

/* The first leaf that holds indexes in [*index, end); *index goes up to the first of them. */
static struct radix_node *next_leaf(struct radix_node *node, unsigned long *index,
				    unsigned long end)
{
	struct radix_node *found;

	if (node->prefix >= end || node->prefix + (1UL << (node->shift + BITS)) <= *index)
		return NULL;
	if (node->prefix > *index)
		*index = node->prefix;
	if (!node->shift)
		return node;
	for (unsigned long n = slot_of(node, *index); n < SLOTS; n++) {
		if (node->prefix + (n << node->shift) >= end)
			return NULL;
		if (!child(node, n))
			continue;
		found = next_leaf(child(node, n), index, end);
		if (found)
			return found;
	}
	return NULL;
}

u64 *radix_next_slow(struct radix *radix, unsigned long *index, unsigned long end,
		     unsigned long *nr)
{
	struct radix_node *leaf;

	/* Most often it exists, and the way down is straight. */
	if (radix_find(radix, *index))
		return radix_in_leaf(radix->last, *index, end, nr);
	leaf = radix->root ? next_leaf(radix->root, index, end) : NULL;
	if (!leaf)
		return NULL;
	radix->last = leaf;
	return radix_in_leaf(leaf, *index, end, nr);
}

static bool is_empty(const struct radix_node *node)
{
	for (int n = 0; n < SLOTS; n++) {
		if (node->slot[n])
			return false;
	}
	return true;
}

/* Free what is empty at or below *link and lies wholly inside [first, end). */
static void prune(struct radix *radix, u64 *link, unsigned long first, unsigned long end)
{
	struct radix_node *node = (struct radix_node *)*link;
	unsigned long size = 1UL << (node->shift + BITS);

	if (node->prefix >= end || node->prefix + size <= first)
		return;
	if (node->shift) {
		unsigned long n = first > node->prefix ? slot_of(node, first) : 0;

		for (; n < SLOTS && node->prefix + (n << node->shift) < end; n++) {
			if (node->slot[n])
				prune(radix, &node->slot[n], first, end);
		}
	} else if (node->prefix < first || node->prefix + size > end) {
		return;
	}
	if (!is_empty(node))
		return;
	if (radix->last == node)
		radix->last = NULL;
	kfree(node);
	*link = 0;
}

/* Give back empty nodes; leaves only if they lie wholly inside [first, end). */
void radix_prune(struct radix *radix, unsigned long first, unsigned long end)
{
	if (radix->root)
		prune(radix, (u64 *)&radix->root, first, end);
}
