// SPDX-License-Identifier: GPL-2.0-only
/*
 * The set of VMAs of one address space, ordered by address. The kernel used a
 * red-black tree with a list up to 6.0 and a maple tree (lib/maple_tree.c) since; this is a B+ tree
 * (32 entries to a node, keyed by vm_start), which does the same for callers.
 *
 * Lock order: no locks of its own; mm->mmap_lock protects it.
 *
 * Nodes are freed when empty and joined with a neighbour when both are small.
 * Node memory never fails here: kernels before 6.1 need none, and for later
 * ones the callers announce the failure where the kernel preallocates
 * (vma_set_prealloc()), before anything has changed.
 */
#include "mm_internal.h"

#define FANOUT 32
#define LEVELS 12
#define AHEAD 4			/* VMAs fetched in front of a walk */

struct vma_node {
	u16 n;
	bool leaf;
	struct vma_node *prev;		/* leaves only */
	struct vma_node *next;
	unsigned long key[FANOUT];	/* leaf: vm_start; else the lower bound of ref[] */
	u32 ref[FANOUT];		/* eng_ref() of a VMA, or of the node below */
};					/* key[0] of an inner node means nothing */

static struct node_pool nodes KSTATE = {
	.size = sizeof(struct vma_node), .name = "vma_node",
};

struct vma_path {
	struct vma_node *node[LEVELS];
	unsigned int slot[LEVELS];
	int depth;			/* index of the leaf */
};

static inline struct vm_area_struct *vma_in(const struct vma_node *leaf, unsigned int slot)
{
	return eng_deref(leaf->ref[slot]);
}

static inline struct vma_node *child_in(const struct vma_node *node, unsigned int slot)
{
	return eng_deref(node->ref[slot]);
}

int vma_set_prealloc(void)
{
	if (kernel_version >= KERNEL_6_1 && eng_fail_here("maple_node"))
		return -ENOMEM;
	return 0;
}

/* The last entry whose key is <= @addr; 0 when there is none. */
static unsigned int search(const struct vma_node *node, unsigned long addr)
{
	const unsigned long *key = node->key;
	unsigned int base = 0, n = node->n;

	while (n > 1) {
		unsigned int half = n / 2;

		base = key[base + half] <= addr ? base + half : base;
		n -= half;
	}
	return base;
}

static struct vma_node *new_node(bool leaf)
{
	struct vma_node *node = node_alloc(&nodes);

	node->n = 0;
	node->leaf = leaf;
	node->prev = NULL;
	node->next = NULL;
	return node;
}

/* The leaf to look for @addr in; that of the last look more often than not. */
static struct vma_node *descend(struct vma_set *set, unsigned long addr)
{
	struct vma_node *node = set->last;

	if (node && node->key[0] <= addr &&
	    (addr <= node->key[node->n - 1] || !node->next || addr < node->next->key[0]))
		return node;
	for (node = set->root; node && !node->leaf;)
		node = child_in(node, search(node, addr));
	set->last = node;
	return node;
}

/*
 * The leaf of @addr, if nothing above it has to change; else NULL. Between two
 * leaves only the bounds above can tell to which one an address belongs.
 */
static struct vma_node *leaf_alone(const struct vma_set *set, unsigned long addr, bool grows)
{
	struct vma_node *node = set->last;

	if (!node || addr <= node->key[0] || (addr > node->key[node->n - 1] && node->next))
		return NULL;
	return (grows ? node->n < FANOUT : node->n > FANOUT / 4) ? node : NULL;
}

static void descend_path(const struct vma_set *set, unsigned long addr, struct vma_path *path)
{
	struct vma_node *node = set->root;
	int depth = 0;

	for (;; depth++) {
		path->node[depth] = node;
		path->slot[depth] = search(node, addr);
		if (node->leaf)
			break;
		node = child_in(node, path->slot[depth]);
	}
	path->depth = depth;
}

struct vm_area_struct *vma_iter_load(const struct vma_iter *iter)
{
	return iter->node ? vma_in(iter->node, iter->slot) : NULL;
}

struct vm_area_struct *vma_iter_next(struct vma_iter *iter)
{
	if (iter->node && ++iter->slot >= iter->node->n) {
		iter->node = iter->node->next;
		iter->slot = 0;
	}
	/* The VMAs of a walk lie anywhere: each would be a miss of the cache. */
	if (iter->node && iter->slot + AHEAD < iter->node->n)
		__builtin_prefetch(vma_in(iter->node, iter->slot + AHEAD));
	return vma_iter_load(iter);
}

struct vm_area_struct *vma_iter_ahead(const struct vma_iter *iter)
{
	if (!iter->node || iter->slot + 2 >= iter->node->n)
		return NULL;
	return vma_in(iter->node, iter->slot + 2);
}

/* The VMA before the one at @iter, which stays where it is. */
struct vm_area_struct *vma_iter_peek_prev(const struct vma_iter *iter)
{
	const struct vma_node *node = iter->node;

	if (!node)
		return NULL;
	if (iter->slot)
		return vma_in(node, iter->slot - 1);
	return node->prev ? vma_in(node->prev, node->prev->n - 1) : NULL;
}

/* A node's bound can lie inside the VMA before it: that one may cover @addr. */
static struct vm_area_struct *step_back(struct vma_iter *iter, unsigned long addr)
{
	struct vm_area_struct *prev = vma_iter_peek_prev(iter);

	if (!prev || prev->vm_end <= addr)
		return vma_iter_load(iter);
	iter->node = iter->node->prev;
	iter->slot = iter->node->n - 1;
	return prev;
}

/* The VMA with the lowest end above @addr. */
struct vm_area_struct *vma_set_find(struct vma_set *set, unsigned long addr,
				    struct vma_iter *iter)
{
	struct vm_area_struct *vma;

	iter->node = descend(set, addr);
	if (!iter->node)
		return NULL;
	iter->slot = search(iter->node, addr);
	vma = vma_iter_load(iter);
	if (iter->node->key[iter->slot] > addr)
		return step_back(iter, addr);
	return vma->vm_end > addr ? vma : vma_iter_next(iter);
}

struct vm_area_struct *vma_set_first(struct vma_set *set, struct vma_iter *iter)
{
	return vma_set_find(set, 0, iter);
}

struct vm_area_struct *vma_set_last(struct vma_set *set)
{
	struct vma_node *node = descend(set, ~0UL);

	return node ? vma_in(node, node->n - 1) : NULL;
}

static void put_at(struct vma_node *node, unsigned int at, unsigned long key,
		   const void *below)
{
	unsigned int tail = node->n - at;

	if (tail) {
		memmove(&node->key[at + 1], &node->key[at], tail * sizeof(node->key[0]));
		memmove(&node->ref[at + 1], &node->ref[at], tail * sizeof(node->ref[0]));
	}
	node->key[at] = key;
	node->ref[at] = eng_ref(below);
	node->n++;
}

static void take_from(struct vma_node *node, unsigned int at)
{
	unsigned int tail = --node->n - at;

	memmove(&node->key[at], &node->key[at + 1], tail * sizeof(node->key[0]));
	memmove(&node->ref[at], &node->ref[at + 1], tail * sizeof(node->ref[0]));
}

/* Append the entries of @from, beginning with @first, to @to. */
static void move_tail(struct vma_node *to, struct vma_node *from, unsigned int first)
{
	unsigned int count = from->n - first;

	memcpy(&to->key[to->n], &from->key[first], count * sizeof(to->key[0]));
	memcpy(&to->ref[to->n], &from->ref[first], count * sizeof(to->ref[0]));
	to->n += count;
	from->n = first;
}

static void link_leaf(struct vma_node *node, struct vma_node *right)
{
	right->prev = node;
	right->next = node->next;
	if (node->next)
		node->next->prev = right;
	node->next = right;
}

static void unlink_leaf(struct vma_node *node)
{
	if (node->prev)
		node->prev->next = node->next;
	if (node->next)
		node->next->prev = node->prev;
}

/*
 * Make room in the full @node. Addresses often come in ascending or descending
 * order: at the ends of the set, the full half stays full.
 */
static struct vma_node *split_node(struct vma_node *node, unsigned int at)
{
	struct vma_node *right = new_node(node->leaf);
	unsigned int keep = FANOUT / 2;

	if (at == FANOUT && !node->next)
		keep = FANOUT;
	else if (at <= 1 && node->leaf && !node->prev)
		keep = at;
	move_tail(right, node, keep);
	if (node->leaf)
		link_leaf(node, right);
	return right;
}

static void grow_root(struct vma_set *set, struct vma_node *right, unsigned long key)
{
	struct vma_node *root = new_node(false);

	put_at(root, 0, 0, set->root);
	put_at(root, 1, key, right);
	set->root = root;
	set->height++;
	BUG_ON(set->height > LEVELS);
}

static void insert_at(struct vma_set *set, struct vma_path *path, int depth, unsigned int at,
		      unsigned long key, const void *below)
{
	struct vma_node *node = path->node[depth], *right;
	unsigned long border;

	if (node->n < FANOUT) {
		put_at(node, at, key, below);
		return;
	}
	right = split_node(node, at);
	border = right->n ? right->key[0] : key;
	if (at > node->n || node->n == FANOUT)
		put_at(right, at - node->n, key, below);
	else
		put_at(node, at, key, below);
	if (depth)
		insert_at(set, path, depth - 1, path->slot[depth - 1] + 1, border, right);
	else
		grow_root(set, right, border);
}

/* @vma overlaps none of the set. */
void vma_set_insert(struct vma_set *set, struct vm_area_struct *vma)
{
	unsigned long key = vma->vm_start;
	struct vma_node *leaf = leaf_alone(set, key, true);
	struct vma_path path;
	unsigned int at;

	if (leaf) {
		put_at(leaf, search(leaf, key) + 1, key, vma);
		return;
	}
	set->last = NULL;
	if (!set->root) {
		set->root = new_node(true);
		set->height = 1;
		put_at(set->root, 0, key, vma);
		return;
	}
	descend_path(set, key, &path);
	leaf = path.node[path.depth];
	at = path.slot[path.depth];
	if (leaf->key[at] < key)
		at++;
	if (leaf->n < FANOUT)
		set->last = leaf;
	insert_at(set, &path, path.depth, at, key, vma);
}

/* The small @node takes in its right neighbour below the same parent, if that is small. */
static void join_right(struct vma_path *path, int depth)
{
	struct vma_node *node = path->node[depth], *parent = path->node[depth - 1], *right;
	unsigned int at = path->slot[depth - 1];

	if (at + 1 >= parent->n)
		return;
	right = child_in(parent, at + 1);
	if (node->n + right->n > FANOUT * 3 / 4)
		return;
	if (!node->leaf)
		right->key[0] = parent->key[at + 1];
	else
		unlink_leaf(right);
	move_tail(node, right, 0);
	take_from(parent, at + 1);
	node_free(&nodes, right);
}

static void erase_at(struct vma_set *set, struct vma_path *path, int depth)
{
	struct vma_node *node = path->node[depth];

	take_from(node, path->slot[depth]);
	if (node->n && depth && node->n < FANOUT / 4)
		join_right(path, depth);
	if (node->n)
		return;
	if (node->leaf)
		unlink_leaf(node);
	node_free(&nodes, node);
	if (depth)
		erase_at(set, path, depth - 1);
	else
		set->root = NULL;
}

static void shrink_root(struct vma_set *set)
{
	struct vma_node *root = set->root;

	while (root && !root->leaf && root->n == 1) {
		set->root = child_in(root, 0);
		set->height--;
		node_free(&nodes, root);
		root = set->root;
	}
	if (!root)
		set->height = 0;
}

void vma_set_erase(struct vma_set *set, struct vm_area_struct *vma)
{
	struct vma_node *leaf = leaf_alone(set, vma->vm_start, false);
	struct vma_path path;
	unsigned int at;

	if (leaf) {
		at = search(leaf, vma->vm_start);
		BUG_ON(vma_in(leaf, at) != vma);
		take_from(leaf, at);
		return;
	}
	BUG_ON(!set->root);
	set->last = NULL;
	descend_path(set, vma->vm_start, &path);
	BUG_ON(vma_in(path.node[path.depth], path.slot[path.depth]) != vma);
	erase_at(set, &path, path.depth);
	shrink_root(set);
}

/* Change @vma's start; the order of the set stays the same. */
void vma_set_move_start(struct vma_set *set, struct vm_area_struct *vma, unsigned long start)
{
	struct vma_node *leaf;
	struct vma_path path;
	int depth;

	descend_path(set, vma->vm_start, &path);
	depth = path.depth;
	leaf = path.node[depth];
	BUG_ON(vma_in(leaf, path.slot[depth]) != vma);
	if (start > vma->vm_start && path.slot[depth] + 1 == leaf->n && leaf->next) {
		/* It may pass the bound of the next leaf. */
		vma_set_erase(set, vma);
		vma->vm_start = start;
		vma_set_insert(set, vma);
		return;
	}
	path.node[depth]->key[path.slot[depth]] = start;
	vma->vm_start = start;
	if (path.slot[depth])
		return;
	while (depth--) {
		if (path.slot[depth]) {
			path.node[depth]->key[path.slot[depth]] = start;
			return;
		}
	}
}
