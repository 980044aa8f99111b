/* SPDX-License-Identifier: GPL-2.0-only */
/* Blocking notifier chains (VF-191). */
#ifndef VFIOSIM_KAPI_NOTIFIER_H
#define VFIOSIM_KAPI_NOTIFIER_H

#include <vfiosim/kapi/lock.h>

struct notifier_block {
	int (*notifier_call)(struct notifier_block *block, unsigned long action, void *data);
	struct notifier_block *next;
	int priority;
};

struct blocking_notifier_head {
	struct rw_semaphore rwsem;
	struct notifier_block *head;
};

#define NOTIFY_DONE 0x0000
#define NOTIFY_OK 0x0001
#define NOTIFY_STOP_MASK 0x8000
#define NOTIFY_BAD (NOTIFY_STOP_MASK | 0x0002)
#define NOTIFY_STOP (NOTIFY_OK | NOTIFY_STOP_MASK)

#define BLOCKING_INIT_NOTIFIER_HEAD(name)		\
	do {						\
		init_rwsem(&(name)->rwsem);		\
		(name)->head = NULL;			\
	} while (0)
#define BLOCKING_NOTIFIER_INIT(name) \
	{ .rwsem = __RWSEM_INITIALIZER((name).rwsem), .head = NULL }
#define BLOCKING_NOTIFIER_HEAD(name) \
	struct blocking_notifier_head name = BLOCKING_NOTIFIER_INIT(name)

/*
 * Locks: chain->rwsem, for write to change the chain (0; -ENOENT if @block is not on it), for
 * read while it is called: a callback may not change its own chain. All may sleep. The call
 * returns the last callback's value; NOTIFY_STOP_MASK in it ends the walk. kernel/notifier.c.
 */
int blocking_notifier_chain_register(struct blocking_notifier_head *chain,
				     struct notifier_block *block)
	KAPI(blocking_notifier_chain_register);
int blocking_notifier_chain_unregister(struct blocking_notifier_head *chain,
				       struct notifier_block *block)
	KAPI(blocking_notifier_chain_unregister);
int blocking_notifier_call_chain(struct blocking_notifier_head *chain, unsigned long action,
				 void *data) KAPI(blocking_notifier_call_chain);

#endif
