/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RCU. A grace period is a step of its own, taken by the "rcu" task: enabled
 * once every reader that was inside when a callback was queued has left.
 * Callbacks run in softirq context and may not sleep.
 */
#ifndef VFIOSIM_KAPI_RCU_H
#define VFIOSIM_KAPI_RCU_H

#include <vfiosim/kapi/atomic.h>
#include <vfiosim/kapi/list.h>
#include <vfiosim/kapi/sched.h>

/*
 * A read section: nests, may not sleep. call_rcu(): any context; @func runs in softirq context
 * after a grace period, and then owns what @head lies in. synchronize_rcu() waits for one grace
 * period, rcu_barrier() for all callbacks queued so far: both may sleep, and deadlock inside
 * a read section. Follow kernel/rcu/tree.c.
 */
void rcu_read_lock(void) KAPI(rcu_read_lock);
void rcu_read_unlock(void) KAPI(rcu_read_unlock);
bool rcu_read_lock_held(void) KAPI(rcu_read_lock_held);
void call_rcu(struct callback_head *head, void (*func)(struct callback_head *head))
	KAPI(call_rcu);
void synchronize_rcu(void) KAPI(synchronize_rcu);
void rcu_barrier(void) KAPI(rcu_barrier);
/* Frees @object after a grace period; @head lies inside it. */
void kvfree_call_rcu(struct callback_head *head, void *object) KAPI(kvfree_call_rcu);
#define kfree_rcu(object, member) kvfree_call_rcu(&(object)->member, object)
/* Callbacks that wait for their grace period. */
unsigned int rcu_pending_callbacks(void) SIM(rcu_pending_callbacks);

#define __rcu
#define rcu_dereference(p) shared_READ_ONCE(p)
#define rcu_dereference_protected(p, condition) (p)
#define rcu_dereference_raw(p) READ_ONCE(p)
#define rcu_access_pointer(p) READ_ONCE(p)
#define rcu_assign_pointer(p, value) shared_WRITE_ONCE(p, value)
#define RCU_INIT_POINTER(p, value) WRITE_ONCE(p, value)

#define list_add_rcu(entry, head) list_add(entry, head)
#define list_del_rcu(entry) __list_del_rcu(entry)
#define list_for_each_entry_rcu(pos, head, member) list_for_each_entry(pos, head, member)

/* The next pointer stays: readers that stand here go on. */
static inline void __list_del_rcu(struct list_head *entry)
{
	__list_del_entry(entry);
	entry->prev = LIST_POISON2;
}

#endif
