// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists whose walkers do not block changes. Kernel original: lib/klist.c.
 *
 * Owns nothing of its own, takes no lock. The kernel has a spinlock in each list
 * that every operation here takes once and drops before it returns or calls a
 * hook. Between two choice points a task runs alone, so one choice point in
 * front of the operation is the same thing, and lets two walks commute.
 */
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/klist.h>

#include "engine.h"

void klist_init(struct klist *klist, void (*get)(struct klist_node *node),
		void (*put)(struct klist_node *node))
{
	INIT_LIST_HEAD(&klist->k_list);
	klist->get = get;
	klist->put = put;
}

/* Refs: +1 on the object around @node, by the get hook, until it leaves the list. */
void klist_add_tail(struct klist_node *node, struct klist *klist)
{
	node->n_klist = klist;
	node->n_dead = false;
	node->n_ref = 1;
	if (klist->get)
		klist->get(node);

	eng_point(ENG_OP_WRITE_ONCE, klist, ENG_WRITE);
	list_add_tail(&node->n_node, &klist->k_list);
}

bool klist_node_attached(const struct klist_node *node)
{
	return node->n_klist != NULL;
}

/* Drop one reference of @node; true if it left the list, whose put hook is then due. */
static bool klist_dec_and_del(struct klist_node *node)
{
	if (--node->n_ref)
		return false;
	WARN_ON(!node->n_dead);
	list_del(&node->n_node);
	node->n_klist = NULL;
	return true;
}

static void klist_put(struct klist_node *node, bool kill)
{
	struct klist *klist = node->n_klist;

	eng_point(ENG_OP_WRITE_ONCE, klist, kill ? ENG_WRITE : ENG_READ);
	if (kill)
		node->n_dead = true;
	if (klist_dec_and_del(node) && klist->put)
		klist->put(node);
}

/*
 * Take @node off: walkers no longer see it, those that stand on it may go on.
 *
 * Refs: drops the list's own reference, and through the put hook the one that
 *       klist_add_tail() took on the object, now or when the last walker leaves.
 */
void klist_del(struct klist_node *node)
{
	klist_put(node, true);
}

static bool klist_node_left(const void *node)
{
	return !klist_node_attached(node);
}

/* Context: sleeps until nobody walks on @node, so that its memory may go. */
void klist_remove(struct klist_node *node)
{
	klist_del(node);
	if (klist_node_attached(node))
		eng_wait(ENG_OP_WAIT_EVENT, node, ENG_READ, klist_node_left, node,
			 ENG_FOREVER, ENG_UNINTERRUPTIBLE);
}

/* Start a walk behind @node, or at the head when it is NULL or off the list. */
void klist_iter_init_node(struct klist *klist, struct klist_iter *iter,
			  struct klist_node *node)
{
	iter->i_klist = klist;
	iter->i_cur = NULL;
	if (!node || !node->n_klist)
		return;
	node->n_ref++;
	iter->i_cur = node;
}

void klist_iter_exit(struct klist_iter *iter)
{
	if (iter->i_cur)
		klist_put(iter->i_cur, false);
	iter->i_cur = NULL;
}

/*
 * The next live node, or NULL at the end.
 *
 * Refs: +1 on the node until the walk moves on or ends.
 */
struct klist_node *klist_next(struct klist_iter *iter)
{
	struct klist *klist = iter->i_klist;
	struct klist_node *last = iter->i_cur;
	struct list_head *pos;
	bool left;

	eng_point(ENG_OP_READ_ONCE, klist, ENG_READ);
	pos = last ? last->n_node.next : klist->k_list.next;
	left = last && klist_dec_and_del(last);

	iter->i_cur = NULL;
	for (; pos != &klist->k_list; pos = pos->next) {
		struct klist_node *node = list_entry(pos, struct klist_node, n_node);

		if (node->n_dead)
			continue;
		node->n_ref++;
		iter->i_cur = node;
		break;
	}

	if (left && klist->put)
		klist->put(last);
	return iter->i_cur;
}
