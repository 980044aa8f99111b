// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocking notifier chains (VF-191). Follows kernel/notifier.c.
 *
 * Lock order: chain->rwsem; callbacks run under it, shared.
 */
#include <vfiosim/kapi/notifier.h>
#include <vfiosim/kapi/atomic.h>
#include <vfiosim/kapi/bug.h>

#include "engine.h"

/* Higher priority first, then in order of registration. A second entry is refused. */
static void insert_block(struct blocking_notifier_head *chain, struct notifier_block *block)
{
	struct notifier_block **at = &chain->head;

	for (; *at; at = &(*at)->next) {
		if (*at == block) {
			WARN(1, "a notifier block is registered twice");
			return;
		}
		if (block->priority > (*at)->priority)
			break;
	}
	block->next = *at;
	shared_WRITE_ONCE(*at, block);
}

/* Context: may sleep. Locks: takes and drops the chain's lock. */
int blocking_notifier_chain_register(struct blocking_notifier_head *chain,
				     struct notifier_block *block)
{
	down_write(&chain->rwsem);
	insert_block(chain, block);
	up_write(&chain->rwsem);
	return 0;
}

static int remove_block(struct blocking_notifier_head *chain, struct notifier_block *block)
{
	struct notifier_block **at = &chain->head;

	for (; *at; at = &(*at)->next) {
		if (*at != block)
			continue;
		shared_WRITE_ONCE(*at, block->next);
		return 0;
	}
	return -ENOENT;
}

/* Waits for callbacks that run. */
int blocking_notifier_chain_unregister(struct blocking_notifier_head *chain,
				       struct notifier_block *block)
{
	int ret;

	down_write(&chain->rwsem);
	ret = remove_block(chain, block);
	up_write(&chain->rwsem);
	return ret;
}

/* The last callback's answer. An empty chain is seen without the lock. */
int blocking_notifier_call_chain(struct blocking_notifier_head *chain, unsigned long action,
				 void *data)
{
	struct notifier_block *block, *next;
	int ret = NOTIFY_DONE;

	if (!shared_READ_ONCE(chain->head))
		return NOTIFY_DONE;
	down_read(&chain->rwsem);
	for (block = chain->head; block; block = next) {
		next = block->next;
		ret = block->notifier_call(block, action, data);
		if (ret & NOTIFY_STOP_MASK)
			break;
	}
	up_read(&chain->rwsem);
	return ret;
}
