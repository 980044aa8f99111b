// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completions and wait queues. Follows kernel/sched/completion.c and wait.c.
 *
 * Lock order: a wait queue's lock is innermost; wake functions run under it.
 * A completion's own lock is folded into the step: complete() does not touch the
 * object after the step in which a waiter can leave.
 */
#include <vfiosim/kapi/wait.h>
#include <vfiosim/kapi/bug.h>

#include "engine.h"

#define NS_PER_JIFFY (1000000000ULL / HZ)

static u64 jiffies_to_ns(unsigned long timeout)
{
	return timeout >= MAX_SCHEDULE_TIMEOUT ? ENG_FOREVER : timeout * NS_PER_JIFFY;
}

static unsigned int mode_of(int state)
{
	if (state & TASK_INTERRUPTIBLE)
		return ENG_INTERRUPTIBLE;
	return state & TASK_WAKEKILL ? ENG_KILLABLE : ENG_UNINTERRUPTIBLE;
}

/* ---- completions ---- */

void init_completion(struct completion *x)
{
	*x = (struct completion){ .done = 0, .initialised = 1 };
}

void reinit_completion(struct completion *x)
{
	eng_point(ENG_OP_WRITE_ONCE, x, ENG_WRITE);
	x->done = 0;
}

static void check_completion(const struct completion *x)
{
	if (unlikely(x->initialised != 1))
		eng_fail("bug", x, "a completion is used that was never initialised");
}

void complete(struct completion *x)
{
	check_completion(x);
	eng_point(ENG_OP_COMPLETE, x, ENG_WRITE);
	if (x->done != UINT_MAX)
		x->done++;
}

void complete_all(struct completion *x)
{
	check_completion(x);
	eng_point(ENG_OP_COMPLETE, x, ENG_WRITE);
	x->done = UINT_MAX;
}

bool completion_done(struct completion *x)
{
	eng_point(ENG_OP_READ_ONCE, x, ENG_READ);
	return x->done;
}

static void consume(struct completion *x)
{
	if (x->done != UINT_MAX)
		x->done--;
}

bool try_wait_for_completion(struct completion *x)
{
	check_completion(x);
	eng_point(ENG_OP_WAIT_COMPLETION, x, ENG_WRITE);
	if (!x->done) {
		eng_only_read();
		return false;
	}
	consume(x);
	return true;
}

static bool is_done(const void *x)
{
	return ((const struct completion *)x)->done;
}

/* Jiffies left (at least 1), 0 at the timeout, -ERESTARTSYS for a signal. */
static long wait_for(struct completion *x, unsigned long timeout, int state)
{
	u64 start = eng_now();
	unsigned long passed;

	might_sleep();
	check_completion(x);
	switch (eng_wait(ENG_OP_WAIT_COMPLETION, x, ENG_WRITE, is_done, x,
			 jiffies_to_ns(timeout), mode_of(state))) {
	case ENG_TIMEOUT:
		return 0;
	case ENG_SIGNAL:
		return -ERESTARTSYS;
	case ENG_READY:
		break;
	}
	consume(x);
	if (timeout >= MAX_SCHEDULE_TIMEOUT)
		return timeout;
	passed = (eng_now() - start) / NS_PER_JIFFY;
	return passed < timeout ? timeout - passed : 1;
}

void wait_for_completion(struct completion *x)
{
	wait_for(x, MAX_SCHEDULE_TIMEOUT, TASK_UNINTERRUPTIBLE);
}

unsigned long wait_for_completion_timeout(struct completion *x, unsigned long timeout)
{
	return wait_for(x, timeout, TASK_UNINTERRUPTIBLE);
}

int wait_for_completion_interruptible(struct completion *x)
{
	long left = wait_for(x, MAX_SCHEDULE_TIMEOUT, TASK_INTERRUPTIBLE);

	return left < 0 ? left : 0;
}

long wait_for_completion_interruptible_timeout(struct completion *x, unsigned long timeout)
{
	return wait_for(x, timeout, TASK_INTERRUPTIBLE);
}

int wait_for_completion_killable(struct completion *x)
{
	long left = wait_for(x, MAX_SCHEDULE_TIMEOUT, TASK_KILLABLE);

	return left < 0 ? left : 0;
}

long wait_for_completion_killable_timeout(struct completion *x, unsigned long timeout)
{
	return wait_for(x, timeout, TASK_KILLABLE);
}

/* ---- wait queues ---- */

void __init_waitqueue_head(wait_queue_head_t *queue, const char *name)
{
	__spin_lock_init(&queue->lock, name);
	INIT_LIST_HEAD(&queue->head);
}

bool waitqueue_active(wait_queue_head_t *queue)
{
	eng_point(ENG_OP_READ_ONCE, queue, ENG_READ);
	return !list_empty(&queue->head);
}

void __add_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	list_add(&entry->entry, &queue->head);
}

void __remove_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	list_del(&entry->entry);
}

static bool queue_is_unlocked(const void *queue)
{
	return !((const wait_queue_head_t *)queue)->lock.owner;
}

/* The queue's lock would be held within one step only: the step stands for it. */
static void queue_step(wait_queue_head_t *queue, enum eng_op op)
{
	eng_wait(op, queue, ENG_WRITE, queue_is_unlocked, queue, ENG_FOREVER,
		 ENG_UNINTERRUPTIBLE);
}

void add_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	entry->flags &= ~WQ_FLAG_EXCLUSIVE;
	queue_step(queue, ENG_OP_WAIT_EVENT);
	__add_wait_queue(queue, entry);
}

/* Exclusive waiters stand behind the others, in order. */
void add_wait_queue_exclusive(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	entry->flags |= WQ_FLAG_EXCLUSIVE;
	queue_step(queue, ENG_OP_WAIT_EVENT);
	list_add_tail(&entry->entry, &queue->head);
}

void remove_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	queue_step(queue, ENG_OP_WAIT_EVENT);
	__remove_wait_queue(queue, entry);
}

/* Wakes the task that waits, if it sleeps in a state of @mode, and takes it off the queue. */
static int autoremove_wake(wait_queue_entry_t *entry, unsigned int mode, int flags, void *key)
{
	if (entry->woken || !(entry->state & mode))
		return 0;
	entry->woken = 1;
	list_del_init(&entry->entry);
	return 1;
}

void init_wait_entry(wait_queue_entry_t *entry, int flags)
{
	init_waitqueue_func_entry(entry, autoremove_wake);
	entry->flags = flags;
	entry->private = current;
}

long prepare_to_wait_event(wait_queue_head_t *queue, wait_queue_entry_t *entry, int state)
{
	unsigned int mode = mode_of(state);

	queue_step(queue, ENG_OP_WAIT_EVENT);
	entry->woken = 0;
	if ((mode == ENG_INTERRUPTIBLE && signal_pending(current)) ||
	    (mode == ENG_KILLABLE && fatal_signal_pending(current))) {
		list_del_init(&entry->entry);
		return -ERESTARTSYS;
	}
	entry->state = state;
	if (list_empty(&entry->entry) && entry->flags & WQ_FLAG_EXCLUSIVE)
		list_add_tail(&entry->entry, &queue->head);
	else if (list_empty(&entry->entry))
		list_add(&entry->entry, &queue->head);
	return 0;
}

static bool is_woken(const void *entry)
{
	return ((const wait_queue_entry_t *)entry)->woken;
}

long wait_woken_entry(wait_queue_head_t *queue, wait_queue_entry_t *entry, int state,
		      long timeout)
{
	u64 start = eng_now();
	enum eng_wake how;
	long passed;

	how = eng_wait(ENG_OP_WAIT_EVENT, queue, ENG_WRITE, is_woken, entry,
		       jiffies_to_ns(timeout), mode_of(state));
	entry->state = TASK_RUNNING;
	if (how == ENG_TIMEOUT)
		return 0;
	if (timeout >= MAX_SCHEDULE_TIMEOUT)
		return timeout;
	passed = (eng_now() - start) / NS_PER_JIFFY;
	return passed < timeout ? timeout - passed : 0;
}

/* An entry that was woken is off the queue already, and needs no lock to see it. */
void finish_wait(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	if (list_empty(&entry->entry))
		return;
	queue_step(queue, ENG_OP_WAIT_EVENT);
	list_del_init(&entry->entry);
}

static bool has_foreign_entry(const wait_queue_head_t *queue)
{
	const wait_queue_entry_t *entry;

	list_for_each_entry(entry, &queue->head, entry)
		if (entry->func != autoremove_wake)
			return true;
	return false;
}

static void wake_entries(wait_queue_head_t *queue, unsigned int mode, int nr, void *key)
{
	wait_queue_entry_t *entry, *next;

	list_for_each_entry_safe(entry, next, &queue->head, entry) {
		unsigned int flags = entry->flags;

		if (entry->func(entry, mode, 0, key) && flags & WQ_FLAG_EXCLUSIVE && !--nr)
			break;
	}
}

void __wake_up_locked_key(wait_queue_head_t *queue, unsigned int mode, void *key)
{
	wake_entries(queue, mode, 1, key);
}

/*
 * A queue on which only tasks wait needs one step. Wake functions of others
 * (virqfd) may hold choice points of their own, so these run with the lock held.
 */
void __wake_up(wait_queue_head_t *queue, unsigned int mode, int nr, void *key)
{
	queue_step(queue, ENG_OP_WAKE_UP);
	if (!has_foreign_entry(queue)) {
		wake_entries(queue, mode, nr, key);
		return;
	}
	spin_lock(&queue->lock);
	wake_entries(queue, mode, nr, key);
	spin_unlock(&queue->lock);
}

/* ---- sleeping ---- */

static long sleep_for(long timeout, unsigned int mode)
{
	u64 start = eng_now();
	u64 passed;

	might_sleep();
	if (eng_wait(ENG_OP_SLEEP, current, ENG_READ, eng_never, NULL, jiffies_to_ns(timeout),
		     mode) == ENG_TIMEOUT)
		return 0;
	passed = (eng_now() - start) / NS_PER_JIFFY;
	return passed < timeout ? timeout - (long)passed : 0;
}

long schedule_timeout_interruptible(long timeout)
{
	return sleep_for(timeout, ENG_INTERRUPTIBLE);
}

long schedule_timeout_uninterruptible(long timeout)
{
	return sleep_for(timeout, ENG_UNINTERRUPTIBLE);
}

void msleep(unsigned int milliseconds)
{
	sleep_for(msecs_to_jiffies(milliseconds) + 1, ENG_UNINTERRUPTIBLE);
}
