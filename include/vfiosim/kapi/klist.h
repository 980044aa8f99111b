/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists that can be walked while their nodes come and go: a node that is
 * removed stays linked, but unseen, until the last walker has left it.
 */
#ifndef VFIOSIM_KAPI_KLIST_H
#define VFIOSIM_KAPI_KLIST_H

#include <vfiosim/kapi/list.h>

struct klist;

struct klist_node {
	struct klist *n_klist;
	struct list_head n_node;
	unsigned int n_ref;		/* the list's own, and one for each walker on it */
	bool n_dead;
};

/* @get and @put keep the object around a node alive for walkers; may be NULL. */
struct klist {
	struct list_head k_list;
	void (*get)(struct klist_node *node);
	void (*put)(struct klist_node *node);
};

struct klist_iter {
	struct klist *i_klist;
	struct klist_node *i_cur;
};

/*
 * klist_add_tail() takes a reference with ->get, klist_del() ends it when nobody stands on the
 * node any more: ->put then runs in the last walker. Any context.
 */
void klist_init(struct klist *klist, void (*get)(struct klist_node *node),
		void (*put)(struct klist_node *node)) KAPI(klist_init);
void klist_add_tail(struct klist_node *node, struct klist *klist) KAPI(klist_add_tail);
void klist_del(struct klist_node *node) KAPI(klist_del);
/* As klist_del(), but waits until the last walker has left the node. */
void klist_remove(struct klist_node *node) KAPI(klist_remove);
bool klist_node_attached(const struct klist_node *node) KAPI(klist_node_attached);
void klist_iter_init_node(struct klist *klist, struct klist_iter *iter,
			  struct klist_node *node) KAPI(klist_iter_init_node);
struct klist_node *klist_next(struct klist_iter *iter) KAPI(klist_next);
void klist_iter_exit(struct klist_iter *iter) KAPI(klist_iter_exit);

#endif
