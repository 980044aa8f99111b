// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of a file's mappings: every VMA that shows it, by file page. Does what
 * mm/interval_tree.c does for its callers. That is a red-black tree through the
 * VMAs, so each level of a walk misses the cache; this is a B+ tree of wide nodes,
 * where a walk reads one VMA after another in the order of the leaves.
 *
 * Lock order: mapping->i_mmap_rwsem, held by the caller (write to change).
 *
 * Order: ascending vm_pgoff; among equals, new ones last, except a fork's copy,
 * which stands directly behind its parent. So a walk meets the source of a fork
 * or a move before the destination.
 *
 * Each entry has its reach: the last file page that the VMA, or any VMA below,
 * shows. It is kept in 32 bits and stays at the top from there on, so it can send
 * a walk to a VMA in vain but never past one. Node memory does not fail: the
 * kernel needs none.
 */
#include "mm_internal.h"

#define FANOUT 34		/* fills the size classes of leaves and of other nodes */
#define REACH_MAX (~0U)
#define AHEAD 4			/* VMAs fetched in front of a walk */

struct mapping_node {
	struct mapping_node *parent;
	u16 n;
	bool leaf;
	u32 ref[FANOUT];	/* eng_ref() of a VMA, or of the node below */
	u32 reach[FANOUT];
	unsigned long first[];	/* not in leaves: no vm_pgoff below is lower */
};

static struct node_pool leaves KSTATE = {
	.size = sizeof(struct mapping_node), .name = "mapping_leaf",
};

static struct node_pool branches KSTATE = {
	.size = sizeof(struct mapping_node) + FANOUT * sizeof(unsigned long),
	.name = "mapping_branch",
};

static inline struct vm_area_struct *vma_at(const struct mapping_node *leaf, unsigned int slot)
{
	return eng_deref(leaf->ref[slot]);
}

static inline struct mapping_node *child_at(const struct mapping_node *node, unsigned int slot)
{
	return eng_deref(node->ref[slot]);
}

static inline unsigned long last_page(const struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

static inline u32 to_reach(unsigned long page)
{
	return page < REACH_MAX ? page : REACH_MAX;
}

static inline unsigned int slot_of(const struct mapping_node *node, const void *below)
{
	const u32 ref = eng_ref(below);
	const unsigned int n = node->n;
	unsigned int slot = 0;

	while (slot < n && node->ref[slot] != ref)
		slot++;
	BUG_ON(slot == n);
	return slot;
}

/* The highest reach in @node; @most if one has that, which no one exceeds. */
static u32 highest_reach(const struct mapping_node *node, u32 most)
{
	u32 highest = 0;

	for (unsigned int slot = 0; slot < node->n && highest != most; slot++)
		highest = node->reach[slot] > highest ? node->reach[slot] : highest;
	return highest;
}

/* ---- what the nodes above know ---- */

/* Something that reaches @reach has come to @node. */
static inline void raise_reach(const struct mapping_node *node, u32 reach)
{
	struct mapping_node *parent;
	unsigned int slot;

	for (; (parent = node->parent); node = parent) {
		slot = slot_of(parent, node);
		if (parent->reach[slot] >= reach)
			return;
		parent->reach[slot] = reach;
	}
}

/* Whether a neighbour of @slot reaches @reach: then the nodes above know of that. */
static inline bool neighbour_reaches(const struct mapping_node *node, int slot, u32 reach)
{
	return (slot > 0 && node->reach[slot - 1] >= reach) ||
	       (slot + 1 < node->n && node->reach[slot + 1] >= reach);
}

/* Something that reached @gone has left @node, which is not empty. */
static void lower_reach(const struct mapping_node *node, u32 gone)
{
	struct mapping_node *parent;
	u32 highest;

	for (; (parent = node->parent); node = parent) {
		unsigned int slot = slot_of(parent, node);

		if (parent->reach[slot] > gone)
			return;
		highest = highest_reach(node, gone);
		if (highest == gone)
			return;
		parent->reach[slot] = highest;
	}
}

/* ---- nodes ---- */

static struct mapping_node *new_node(bool leaf)
{
	struct mapping_node *node = node_alloc(leaf ? &leaves : &branches);

	node->parent = NULL;
	node->n = 0;
	node->leaf = leaf;
	return node;
}

static void free_node(struct mapping_node *node)
{
	node_free(node->leaf ? &leaves : &branches, node);
}

/* Who stands at @slot of @node now says so. */
static inline void settle(struct mapping_node *node, unsigned int slot)
{
	if (node->leaf)
		vma_at(node, slot)->shared_leaf = node;
	else
		child_at(node, slot)->parent = node;
}

static void put_at(struct mapping_node *node, unsigned int at, const void *below, u32 reach,
		   unsigned long first)
{
	unsigned int tail = node->n - at;

	/* Most come last. */
	if (tail) {
		memmove(&node->ref[at + 1], &node->ref[at], tail * sizeof(node->ref[0]));
		memmove(&node->reach[at + 1], &node->reach[at], tail * sizeof(node->reach[0]));
		if (!node->leaf)
			memmove(&node->first[at + 1], &node->first[at],
				tail * sizeof(node->first[0]));
	}
	node->ref[at] = eng_ref(below);
	node->reach[at] = reach;
	if (!node->leaf)
		node->first[at] = first;
	node->n++;
	settle(node, at);
}

static void take_from(struct mapping_node *node, unsigned int at)
{
	unsigned int tail = --node->n - at;

	memmove(&node->ref[at], &node->ref[at + 1], tail * sizeof(node->ref[0]));
	memmove(&node->reach[at], &node->reach[at + 1], tail * sizeof(node->reach[0]));
	if (!node->leaf)
		memmove(&node->first[at], &node->first[at + 1], tail * sizeof(node->first[0]));
}

/* Append the entries of @from, beginning with @slot, to @to. */
static void move_tail(struct mapping_node *to, struct mapping_node *from, unsigned int slot)
{
	unsigned int count = from->n - slot, at = to->n;

	memcpy(&to->ref[at], &from->ref[slot], count * sizeof(to->ref[0]));
	memcpy(&to->reach[at], &from->reach[slot], count * sizeof(to->reach[0]));
	if (!to->leaf)
		memcpy(&to->first[at], &from->first[slot], count * sizeof(to->first[0]));
	to->n += count;
	from->n = slot;
	for (; at < to->n; at++)
		settle(to, at);
}

static struct mapping_node *last_leaf(struct mapping_node *node)
{
	while (node && !node->leaf)
		node = child_at(node, node->n - 1);
	return node;
}

static unsigned long first_below(const struct mapping_node *node)
{
	return node->leaf ? vma_at(node, 0)->vm_pgoff : node->first[0];
}

static void insert_at(struct mapping_tree *tree, struct mapping_node *node, unsigned int at,
		      const void *below, u32 reach, unsigned long first);

/* @right, not empty, joins the tree behind @node. */
static void add_behind(struct mapping_tree *tree, struct mapping_node *node,
		       struct mapping_node *right)
{
	u32 left_reach = highest_reach(node, REACH_MAX);
	u32 right_reach = highest_reach(right, REACH_MAX);
	unsigned int slot;

	if (!node->parent) {
		struct mapping_node *root = new_node(false);

		put_at(root, 0, node, left_reach, 0);
		put_at(root, 1, right, right_reach, first_below(right));
		tree->root = root;
		return;
	}
	slot = slot_of(node->parent, node);
	node->parent->reach[slot] = left_reach;
	insert_at(tree, node->parent, slot + 1, right, right_reach, first_below(right));
}

/* Where pages are mapped in ascending order, the leaves stay full. */
static void insert_at(struct mapping_tree *tree, struct mapping_node *node, unsigned int at,
		      const void *below, u32 reach, unsigned long first)
{
	unsigned int keep = FANOUT / 2;
	struct mapping_node *right, *taker = node;

	if (node->n < FANOUT) {
		put_at(node, at, below, reach, first);
		if (!neighbour_reaches(node, at, reach))
			raise_reach(node, reach);
		return;
	}
	if (at == FANOUT && last_leaf(node) == tree->last)
		keep = FANOUT;
	right = new_node(node->leaf);
	move_tail(right, node, keep);
	if (at > keep || keep == FANOUT) {
		taker = right;
		at -= keep;
	}
	put_at(taker, at, below, reach, first);
	add_behind(tree, node, right);
	if (tree->last == node)
		tree->last = right;
	raise_reach(taker->parent, reach);
}

/* The small @node takes in its right neighbour below the same parent, if that is small. */
static void join_right(struct mapping_tree *tree, struct mapping_node *node)
{
	struct mapping_node *parent = node->parent, *right;
	unsigned int slot = slot_of(parent, node);

	if (slot + 1 >= parent->n)
		return;
	right = child_at(parent, slot + 1);
	if (node->n + right->n > FANOUT * 3 / 4)
		return;
	move_tail(node, right, 0);
	parent->reach[slot] = highest_reach(node, REACH_MAX);
	take_from(parent, slot + 1);
	if (tree->last == right)
		tree->last = node;
	free_node(right);
}

static void erase_at(struct mapping_tree *tree, struct mapping_node *node, unsigned int at)
{
	struct mapping_node *parent = node->parent;
	u32 gone = node->reach[at];
	bool known = neighbour_reaches(node, at, gone);

	take_from(node, at);
	if (node->n) {
		if (!known)
			lower_reach(node, gone);
		if (parent && node->n < FANOUT / 4)
			join_right(tree, node);
		return;
	}
	if (parent)
		erase_at(tree, parent, slot_of(parent, node));
	else
		tree->root = NULL;
	if (tree->last == node)
		tree->last = last_leaf(tree->root);
	free_node(node);
}

static void shrink_root(struct mapping_tree *tree)
{
	struct mapping_node *root = tree->root;

	while (root && !root->leaf && root->n == 1) {
		tree->root = child_at(root, 0);
		tree->root->parent = NULL;
		free_node(root);
		root = tree->root;
	}
}

/* ---- the tree ---- */

/* Behind the last entry of @leaf that begins at @pgoff or before. */
static unsigned int slot_behind(const struct mapping_node *leaf, unsigned long pgoff)
{
	unsigned int low = 0, high = leaf->n;

	/* Most come last, and each VMA that need not be read is a miss of the cache less. */
	if (vma_at(leaf, high - 1)->vm_pgoff <= pgoff)
		return high;
	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (vma_at(leaf, middle)->vm_pgoff <= pgoff)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The last child that begins at @pgoff or before; if there is none, the first. */
static unsigned int child_for(const struct mapping_node *node, unsigned long pgoff)
{
	unsigned int low = 0, n = node->n;

	while (n > 1) {
		unsigned int half = n / 2;

		low = node->first[low + half] <= pgoff ? low + half : low;
		n -= half;
	}
	return low;
}

/* The leaf for a new entry at @pgoff; bounds that are too high come down on the way. */
static struct mapping_node *leaf_for(struct mapping_tree *tree, unsigned long pgoff)
{
	struct mapping_node *node = tree->last;

	/* Most new mappings go to the end. */
	if (vma_at(node, node->n - 1)->vm_pgoff <= pgoff)
		return node;
	for (node = tree->root; !node->leaf;) {
		unsigned int slot = child_for(node, pgoff);

		if (node->first[slot] > pgoff)
			node->first[slot] = pgoff;
		node = child_at(node, slot);
	}
	return node;
}

void vma_interval_tree_insert(struct vm_area_struct *vma, struct mapping_tree *tree)
{
	u32 reach = to_reach(last_page(vma));
	struct mapping_node *leaf;

	BUG_ON(vma->shared_leaf);
	if (!tree->root) {
		tree->root = tree->last = new_node(true);
		put_at(tree->root, 0, vma, reach, vma->vm_pgoff);
		return;
	}
	leaf = leaf_for(tree, vma->vm_pgoff);
	insert_at(tree, leaf, slot_behind(leaf, vma->vm_pgoff), vma, reach, vma->vm_pgoff);
}

/* @vma has the same first page as @prev, which is in the tree. */
void vma_interval_tree_insert_after(struct vm_area_struct *vma, struct vm_area_struct *prev,
				    struct mapping_tree *tree)
{
	struct mapping_node *leaf = prev->shared_leaf;

	BUG_ON(vma->vm_pgoff != prev->vm_pgoff || vma->shared_leaf);
	insert_at(tree, leaf, slot_of(leaf, prev) + 1, vma, to_reach(last_page(vma)),
		  vma->vm_pgoff);
}

void vma_interval_tree_remove(struct vm_area_struct *vma, struct mapping_tree *tree)
{
	struct mapping_node *leaf = vma->shared_leaf;

	BUG_ON(!leaf);
	vma->shared_leaf = NULL;
	erase_at(tree, leaf, slot_of(leaf, vma));
	shrink_root(tree);
}

/* ---- walks ---- */

/* At the next entry of @leaf that overlaps [first, last]; *over: none can follow. */
static inline struct vm_area_struct *next_in_leaf(struct mapping_iter *iter, unsigned long first,
						  unsigned long last, bool *over)
{
	const struct mapping_node *leaf = iter->leaf;
	const u32 wanted = to_reach(first);
	struct vm_area_struct *vma;

	for (; iter->slot < leaf->n; iter->slot++) {
		if (leaf->reach[iter->slot] < wanted)
			continue;
		if (iter->slot + AHEAD < leaf->n)
			__builtin_prefetch(vma_at(leaf, iter->slot + AHEAD));
		vma = vma_at(leaf, iter->slot);
		*over = vma->vm_pgoff > last;
		if (*over)
			return NULL;
		if (last_page(vma) >= first)
			return vma;
	}
	return NULL;
}

/* The first leaf at or behind @slot of @node with an entry that reaches @wanted. */
static struct mapping_node *next_leaf(const struct mapping_node *node, unsigned int slot,
				      u32 wanted, unsigned long last)
{
	for (;;) {
		while (slot < node->n && node->reach[slot] < wanted)
			slot++;
		if (slot < node->n) {
			if (node->first[slot] > last)
				return NULL;
			node = child_at(node, slot);
			slot = 0;
			if (node->leaf)
				return (struct mapping_node *)node;
			continue;
		}
		if (!node->parent)
			return NULL;
		slot = slot_of(node->parent, node) + 1;
		node = node->parent;
	}
}

/* The first overlapping VMA at @iter or behind it. */
static struct vm_area_struct *search(struct mapping_iter *iter, unsigned long first,
				     unsigned long last)
{
	struct mapping_node *leaf = iter->leaf;
	struct vm_area_struct *vma;
	bool over = false;

	for (;;) {
		vma = next_in_leaf(iter, first, last, &over);
		if (vma || over || !leaf->parent)
			return vma;
		leaf = next_leaf(leaf->parent, slot_of(leaf->parent, leaf) + 1, to_reach(first),
				 last);
		if (!leaf)
			return NULL;
		*iter = (struct mapping_iter){ .leaf = leaf };
	}
}

struct vm_area_struct *vma_interval_tree_iter_first(struct mapping_iter *iter,
						    const struct mapping_tree *tree,
						    unsigned long first, unsigned long last)
{
	struct mapping_node *root = tree->root;

	if (root && !root->leaf)
		root = next_leaf(root, 0, to_reach(first), last);
	*iter = (struct mapping_iter){ .leaf = root };
	return root ? search(iter, first, last) : NULL;
}

/* @iter is where it was left; the tree has not changed since. */
struct vm_area_struct *vma_interval_tree_iter_next(struct mapping_iter *iter,
						   unsigned long first, unsigned long last)
{
	iter->slot++;
	return search(iter, first, last);
}

void vma_interval_tree_prefetch(const struct vm_area_struct *vma)
{
	const char *leaf = (const char *)vma->shared_leaf;

	for (size_t at = 0; leaf && at < sizeof(struct mapping_node); at += 64)
		__builtin_prefetch(leaf + at);
}

/* ---- for checkers ---- */

bool mapping_tree_holds(const struct mapping_tree *tree, const struct vm_area_struct *vma)
{
	const struct mapping_node *node = vma->shared_leaf;

	while (node && node->parent)
		node = node->parent;
	return node && node == tree->root;
}

static bool entry_is_right(const struct mapping_node *node, unsigned int slot,
			   unsigned long *floor);

static bool node_is_right(const struct mapping_node *node, unsigned long *floor)
{
	for (unsigned int slot = 0; slot < node->n; slot++) {
		if (!entry_is_right(node, slot, floor))
			return false;
	}
	return node->n && node->n <= FANOUT;
}

static bool entry_is_right(const struct mapping_node *node, unsigned int slot,
			   unsigned long *floor)
{
	const struct mapping_node *child;
	const struct vm_area_struct *vma;

	if (node->leaf) {
		vma = vma_at(node, slot);
		if (vma->vm_pgoff < *floor)
			return false;
		*floor = vma->vm_pgoff;
		return vma->shared_leaf == node && node->reach[slot] == to_reach(last_page(vma));
	}
	child = child_at(node, slot);
	if (slot && node->first[slot] < *floor)
		return false;
	if (node->first[slot] > *floor)
		*floor = node->first[slot];
	return child->parent == node && node->reach[slot] == highest_reach(child, REACH_MAX) &&
	       node_is_right(child, floor);
}

/* Keys ascend, and what each node says of those below is true. */
bool mapping_tree_is_right(const struct mapping_tree *tree)
{
	unsigned long floor = 0;

	return !tree->root || (!tree->root->parent && node_is_right(tree->root, &floor) &&
			       tree->last == last_leaf(tree->root));
}
