// SPDX-License-Identifier: GPL-2.0-only
/*
 * Red-black trees whose nodes may keep a summary of their subtree. Written from
 * the textbook rules; names and struct layout follow lib/rbtree.c.
 *
 * No locks: whoever owns the root protects it.
 *
 * Rules: the root is black, a red node has black children, and every way down
 * from a node to a missing child meets the same number of black nodes.
 */
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/rbtree.h>

#define RED 0UL
#define BLACK 1UL

static bool is_red(const struct rb_node *node)
{
	return node && !(node->__rb_parent_color & BLACK);
}

static void set_color(struct rb_node *node, unsigned long color)
{
	node->__rb_parent_color = (node->__rb_parent_color & ~BLACK) | color;
}

static void set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->__rb_parent_color = (unsigned long)parent | (node->__rb_parent_color & BLACK);
}

/* Put @node where @old hangs below @parent (NULL: at the root). */
static void replace_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old,
			  struct rb_node *node)
{
	if (!parent)
		root->rb_node = node;
	else if (parent->rb_left == old)
		parent->rb_left = node;
	else
		parent->rb_right = node;
}

/*
 * Turn @top's child on the side away from @left into its parent. Summaries of
 * both are recomputed; nothing above changes, since the set below stays.
 */
static void rotate(struct rb_root *root, struct rb_node *top, bool left, rb_update_fn update)
{
	struct rb_node *up = left ? top->rb_right : top->rb_left;
	struct rb_node *inner = left ? up->rb_left : up->rb_right;
	struct rb_node *parent = rb_parent(top);

	if (left) {
		top->rb_right = inner;
		up->rb_left = top;
	} else {
		top->rb_left = inner;
		up->rb_right = top;
	}
	if (inner)
		set_parent(inner, top);
	replace_child(root, parent, top, up);
	set_parent(up, parent);
	set_parent(top, up);
	if (update) {
		update(top);
		update(up);
	}
}

void rb_update_path(struct rb_node *node, rb_update_fn update)
{
	while (node && update(node))
		node = rb_parent(node);
}

void rb_insert_augmented(struct rb_node *node, struct rb_root *root, rb_update_fn update)
{
	struct rb_node *parent, *grand, *uncle;
	bool left;

	if (update) {
		update(node);
		rb_update_path(rb_parent(node), update);
	}
	while ((parent = rb_parent(node)) && is_red(parent)) {
		grand = rb_parent(parent);	/* exists: the root is black */
		left = parent == grand->rb_left;
		uncle = left ? grand->rb_right : grand->rb_left;
		if (is_red(uncle)) {
			set_color(parent, BLACK);
			set_color(uncle, BLACK);
			set_color(grand, RED);
			node = grand;
			continue;
		}
		if (node == (left ? parent->rb_right : parent->rb_left)) {
			rotate(root, parent, left, update);
			parent = node;
		}
		set_color(parent, BLACK);
		set_color(grand, RED);
		rotate(root, grand, !left, update);
		break;
	}
	set_color(root->rb_node, BLACK);
}

/*
 * The ways through @node (which may be missing) below @parent lack one black
 * node; move the lack up until a red node or a rotation can pay for it.
 */
static void erase_rebalance(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
			    rb_update_fn update)
{
	struct rb_node *sibling, *inner, *outer;
	bool left;

	while (parent && !is_red(node)) {
		left = node == parent->rb_left;
		sibling = left ? parent->rb_right : parent->rb_left;
		if (is_red(sibling)) {
			set_color(sibling, BLACK);
			set_color(parent, RED);
			rotate(root, parent, left, update);
			sibling = left ? parent->rb_right : parent->rb_left;
		}
		inner = left ? sibling->rb_left : sibling->rb_right;
		outer = left ? sibling->rb_right : sibling->rb_left;
		if (!is_red(inner) && !is_red(outer)) {
			set_color(sibling, RED);
			node = parent;
			parent = rb_parent(node);
			continue;
		}
		if (!is_red(outer)) {
			set_color(inner, BLACK);
			set_color(sibling, RED);
			rotate(root, sibling, !left, update);
			outer = sibling;
			sibling = inner;
		}
		set_color(sibling, parent->__rb_parent_color & BLACK);
		set_color(parent, BLACK);
		set_color(outer, BLACK);
		rotate(root, parent, left, update);
		return;
	}
	if (node)
		set_color(node, BLACK);
}

/* Let @next, the leftmost node right of @node, take @node's place and colour. */
static struct rb_node *swap_with_next(struct rb_root *root, struct rb_node *node,
				      struct rb_node *next, unsigned long *color)
{
	struct rb_node *child = next->rb_right;
	struct rb_node *parent = rb_parent(next);

	*color = next->__rb_parent_color & BLACK;
	if (parent == node) {
		parent = next;
	} else {
		parent->rb_left = child;
		if (child)
			set_parent(child, parent);
		next->rb_right = node->rb_right;
		set_parent(node->rb_right, next);
	}
	next->rb_left = node->rb_left;
	set_parent(node->rb_left, next);
	replace_child(root, rb_parent(node), node, next);
	next->__rb_parent_color = node->__rb_parent_color;
	return parent;
}

/*
 * Up from @parent until nothing changes, but at least past @next: its summary is
 * the one of its old place and may agree by chance where those above do not.
 */
static void update_after_erase(struct rb_node *parent, const struct rb_node *next,
			       rb_update_fn update)
{
	bool above = !next;

	for (struct rb_node *up = parent; up; up = rb_parent(up)) {
		bool changed = update(up);

		if (up == next)
			above = true;
		else if (above && !changed)
			break;
	}
}

void rb_erase_augmented(struct rb_node *node, struct rb_root *root, rb_update_fn update)
{
	struct rb_node *child, *parent, *next = NULL;
	unsigned long color;

	if (node->rb_left && node->rb_right) {
		next = node->rb_right;
		while (next->rb_left)
			next = next->rb_left;
		child = next->rb_right;
		parent = swap_with_next(root, node, next, &color);
	} else {
		child = node->rb_left ? node->rb_left : node->rb_right;
		parent = rb_parent(node);
		color = node->__rb_parent_color & BLACK;
		replace_child(root, parent, node, child);
		if (child)
			set_parent(child, parent);
	}
	if (update)
		update_after_erase(parent, next, update);
	if (color == BLACK)
		erase_rebalance(root, child, parent, update);
	RB_CLEAR_NODE(node);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_right)
		node = node->rb_right;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *parent;

	if (node->rb_right)
		return rb_first(&(struct rb_root){ node->rb_right });
	while ((parent = rb_parent(node)) && node == parent->rb_right)
		node = parent;
	return parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	struct rb_node *parent;

	if (node->rb_left)
		return rb_last(&(struct rb_root){ node->rb_left });
	while ((parent = rb_parent(node)) && node == parent->rb_left)
		node = parent;
	return parent;
}
