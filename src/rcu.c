// SPDX-License-Identifier: GPL-2.0-only
/*
 * RCU with grace periods as steps of a task of their own.
 *
 * A reader notes the clock when it enters; a callback advances it and notes it
 * as well. The callback may run once no reader is inside that entered before.
 * That is the weakest promise the kernel makes, so nothing that it would allow
 * is hidden here. Follows kernel/rcu/ in effect, not in mechanism.
 */
#include <vfiosim/kapi/rcu.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/wait.h>

#include "engine.h"

/* In a queue of its own, since callback_head has no room for the clock. */
struct rcu_item {
	struct rcu_item *next;
	struct callback_head *head;
	void (*func)(struct callback_head *head);
	void *to_free;
	u32 stamp;
};

static struct {
	u32 clock;
	u32 queued, done;
	struct rcu_item *first, *last;
	struct task_struct *task;
} rcu KSTATE = { .clock = 1 };

void rcu_read_lock(void)
{
	struct task_struct *task = current;

	if (!task->rcu_read_lock_nesting) {
		eng_point(ENG_OP_RCU_READ_LOCK, &rcu, ENG_READ);
		task->rcu_entered = rcu.clock;
	}
	task->rcu_read_lock_nesting++;
}

void rcu_read_unlock(void)
{
	struct task_struct *task = current;

	if (!task->rcu_read_lock_nesting)
		eng_fail("bug", NULL, "%s leaves an RCU read section that it is not in",
			 task->comm);
	if (task->rcu_read_lock_nesting == 1)
		eng_point(ENG_OP_RCU_READ_UNLOCK, &rcu, ENG_READ);
	task->rcu_read_lock_nesting--;
}

bool rcu_read_lock_held(void)
{
	return current->rcu_read_lock_nesting;
}

static bool entered_before(const struct task_struct *task, const void *stamp)
{
	return task->rcu_read_lock_nesting && task->rcu_entered < *(const u32 *)stamp;
}

/* @arg: the clock of the update. */
static bool grace_period_is_over(const void *arg)
{
	return !eng_any_task(entered_before, arg);
}

static bool has_ready_callback(const void *arg)
{
	return rcu.first && grace_period_is_over(&rcu.first->stamp);
}

/* Context: softirq. */
static void run_callback(struct rcu_item *item)
{
	current->in_interrupt++;
	eng_event("rcu_run", item->to_free ? item->to_free : item->head, NULL);
	if (item->to_free)
		kfree(item->to_free);
	else
		item->func(item->head);
	current->in_interrupt--;
	kfree(item);
}

static void rcu_main(void *unused)
{
	struct rcu_item *item;

	for (;;) {
		eng_wait(ENG_OP_GRACE_PERIOD, &rcu, ENG_WRITE, has_ready_callback, NULL,
			 ENG_FOREVER, ENG_UNINTERRUPTIBLE);
		while (has_ready_callback(NULL)) {
			item = rcu.first;
			rcu.first = item->next;
			if (!rcu.first)
				rcu.last = NULL;
			run_callback(item);
			rcu.done++;
		}
	}
}

static void queue(struct callback_head *head, void (*func)(struct callback_head *head),
		  void *to_free, const void *site)
{
	struct rcu_item *item;

	eng_point(ENG_OP_CALL_RCU, &rcu, ENG_WRITE);
	item = eng_alloc_nofail(sizeof(*item), "rcu_item", true, site);
	item->head = head;
	item->func = func;
	item->to_free = to_free;
	item->stamp = ++rcu.clock;
	if (rcu.last)
		rcu.last->next = item;
	else
		rcu.first = item;
	rcu.last = item;
	rcu.queued++;
	eng_event("rcu_queue", to_free ? to_free : head, NULL);
	if (!rcu.task)
		rcu.task = eng_spawn_background("rcu", rcu_main, NULL);
}

/* Context: any. Refs: @head belongs to RCU until @func has it. */
void call_rcu(struct callback_head *head, void (*func)(struct callback_head *head))
{
	queue(head, func, NULL, __builtin_return_address(0));
}

void kvfree_call_rcu(struct callback_head *head, void *object)
{
	queue(head, NULL, object, __builtin_return_address(0));
}

/* Context: may sleep, not inside a read section. */
void synchronize_rcu(void)
{
	u32 stamp;

	might_sleep();
	eng_point(ENG_OP_SYNCHRONIZE_RCU, &rcu, ENG_WRITE);
	stamp = ++rcu.clock;
	eng_wait(ENG_OP_SYNCHRONIZE_RCU, &rcu, ENG_WRITE, grace_period_is_over, &stamp,
		 ENG_FOREVER, ENG_UNINTERRUPTIBLE);
}

static bool is_past(const void *arg)
{
	return (int)(rcu.done - *(const u32 *)arg) >= 0;
}

/* Context: may sleep. Waits for the callbacks that were queued before. */
void rcu_barrier(void)
{
	u32 target;

	might_sleep();
	eng_point(ENG_OP_SYNCHRONIZE_RCU, &rcu, ENG_WRITE);
	target = rcu.queued;
	eng_wait(ENG_OP_SYNCHRONIZE_RCU, &rcu, ENG_WRITE, is_past, &target, ENG_FOREVER,
		 ENG_UNINTERRUPTIBLE);
}

unsigned int rcu_pending_callbacks(void)
{
	return rcu.queued - rcu.done;
}
