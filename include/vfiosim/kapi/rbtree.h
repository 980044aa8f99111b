/* SPDX-License-Identifier: GPL-2.0-only */
/* Red-black trees with the kernel's names. */
#ifndef VFIOSIM_KAPI_RBTREE_H
#define VFIOSIM_KAPI_RBTREE_H

#include <vfiosim/kapi/types.h>

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
} __attribute__((aligned(sizeof(long))));

struct rb_root {
	struct rb_node *rb_node;
};

/* Remembers the leftmost node. */
struct rb_root_cached {
	struct rb_root rb_root;
	struct rb_node *rb_leftmost;
};

#define RB_ROOT (struct rb_root) { NULL }
#define RB_ROOT_CACHED (struct rb_root_cached) { { NULL }, NULL }
#define rb_parent(node) ((struct rb_node *)((node)->__rb_parent_color & ~3UL))
#define rb_entry(ptr, type, member) container_of(ptr, type, member)
#define rb_first_cached(root) ((root)->rb_leftmost)
#define RB_EMPTY_ROOT(root) (READ_ONCE((root)->rb_node) == NULL)
#define RB_EMPTY_NODE(node) ((node)->__rb_parent_color == (unsigned long)(node))
#define RB_CLEAR_NODE(node) ((node)->__rb_parent_color = (unsigned long)(node))

/*
 * Recomputes what @node keeps about its subtree from @node and its children;
 * false when nothing changed, so that the nodes above need no look.
 */
typedef bool (*rb_update_fn)(struct rb_node *node);

static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	node->__rb_parent_color = (unsigned long)parent;
	node->rb_left = NULL;
	node->rb_right = NULL;
	*link = node;
}

/* @node was linked as a leaf; restores the balance. @update may be NULL. */
void rb_insert_augmented(struct rb_node *node, struct rb_root *root, rb_update_fn update)
	SIM(rb_insert_augmented);
void rb_erase_augmented(struct rb_node *node, struct rb_root *root, rb_update_fn update)
	SIM(rb_erase_augmented);
/* Something that @update looks at changed in @node. */
void rb_update_path(struct rb_node *node, rb_update_fn update) SIM(rb_update_path);

static inline void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	rb_insert_augmented(node, root, NULL);
}

static inline void rb_erase(struct rb_node *node, struct rb_root *root)
{
	rb_erase_augmented(node, root, NULL);
}

/* In order; NULL behind the last. The owner of the root locks. */
struct rb_node *rb_first(const struct rb_root *root) KAPI(rb_first);
struct rb_node *rb_last(const struct rb_root *root) KAPI(rb_last);
struct rb_node *rb_next(const struct rb_node *node) KAPI(rb_next);
struct rb_node *rb_prev(const struct rb_node *node) KAPI(rb_prev);

#endif
