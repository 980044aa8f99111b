/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Completions and wait queues. Times are in jiffies of virtual time (HZ).
 *
 * wait_event() works as the kernel's: the entry is queued, the condition is
 * looked at, the task sleeps until woken. A condition that becomes true without
 * a wake-up is a lost wake-up here too.
 */
#ifndef VFIOSIM_KAPI_WAIT_H
#define VFIOSIM_KAPI_WAIT_H

#include <vfiosim/kapi/lock.h>
#include <vfiosim/kapi/sched.h>

#define MAX_SCHEDULE_TIMEOUT LONG_MAX
#define TASK_RUNNING 0
#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
#define TASK_WAKEKILL 0x100
#define TASK_KILLABLE (TASK_WAKEKILL | TASK_UNINTERRUPTIBLE)
#define TASK_NORMAL (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)

#define jiffies get_jiffies()

static inline unsigned long msecs_to_jiffies(unsigned int milliseconds)
{
	return ((unsigned long)milliseconds * HZ + 999) / 1000;
}

static inline unsigned int jiffies_to_msecs(unsigned long j)
{
	return j * (1000 / HZ);
}

static inline bool time_after(unsigned long a, unsigned long b)
{
	return (long)(b - a) < 0;
}
#define time_before(a, b) time_after(b, a)
#define time_after_eq(a, b) (!time_after(b, a))

/* ---- completions ---- */
struct completion {
	unsigned int done;
	unsigned int initialised;
};

#define COMPLETION_INITIALIZER(x) { .done = 0, .initialised = 1 }
#define COMPLETION_INITIALIZER_ONSTACK(x) COMPLETION_INITIALIZER(x)
#define DECLARE_COMPLETION(x) struct completion x = COMPLETION_INITIALIZER(x)
#define DECLARE_COMPLETION_ONSTACK(x) DECLARE_COMPLETION(x)

/*
 * Follows kernel/sched/completion.c. complete() lets one waiter through, or the next that
 * comes; complete_all() everybody, until reinit_completion(). Both in any context; all
 * waits may sleep. try_ takes what wait_ would, or returns false; done only looks.
 * Interruptible and killable forms: 0, or -ERESTARTSYS by a signal.
 */
void init_completion(struct completion *x) KAPI(init_completion);
void reinit_completion(struct completion *x) KAPI(reinit_completion);
void complete(struct completion *x) KAPI(complete);
void complete_all(struct completion *x) KAPI(complete_all);
bool completion_done(struct completion *x) KAPI(completion_done);
bool try_wait_for_completion(struct completion *x) KAPI(try_wait_for_completion);
void wait_for_completion(struct completion *x) KAPI(wait_for_completion);
/* Timeouts: 0 when it passed, else the jiffies left, at least 1. */
unsigned long wait_for_completion_timeout(struct completion *x, unsigned long timeout)
	KAPI(wait_for_completion_timeout);
int wait_for_completion_interruptible(struct completion *x)
	KAPI(wait_for_completion_interruptible);
long wait_for_completion_interruptible_timeout(struct completion *x, unsigned long timeout)
	KAPI(wait_for_completion_interruptible_timeout);
int wait_for_completion_killable(struct completion *x) KAPI(wait_for_completion_killable);
long wait_for_completion_killable_timeout(struct completion *x, unsigned long timeout)
	KAPI(wait_for_completion_killable_timeout);

/* ---- wait queues ---- */
struct wait_queue_entry;
typedef int (*wait_queue_func_t)(struct wait_queue_entry *entry, unsigned int mode, int flags,
				 void *key);

typedef struct wait_queue_head {
	spinlock_t lock;
	struct list_head head;
} wait_queue_head_t;

typedef struct wait_queue_entry {
	unsigned int flags;
	unsigned short woken;
	unsigned short state;		/* that the task sleeps in: wake-ups name a mode */
	void *private;
	wait_queue_func_t func;
	struct list_head entry;
} wait_queue_entry_t;

#define WQ_FLAG_EXCLUSIVE 0x01

#define __WAIT_QUEUE_HEAD_INITIALIZER(name)			\
	{ .lock = __SPIN_LOCK_UNLOCKED((name).lock),		\
	  .head = LIST_HEAD_INIT((name).head) }
#define DECLARE_WAIT_QUEUE_HEAD(name) \
	wait_queue_head_t name = __WAIT_QUEUE_HEAD_INITIALIZER(name)

/*
 * Follows kernel/sched/wait.c. Entries are the caller's and are on the queue until it is
 * removed; @func runs under queue->lock, which is innermost. Any context. Exclusive ones go
 * to the tail. waitqueue_active() takes no lock: whether the answer still holds is the
 * caller's affair.
 */
void __init_waitqueue_head(wait_queue_head_t *queue, const char *name)
	KAPI(__init_waitqueue_head);
#define init_waitqueue_head(queue) __init_waitqueue_head(queue, #queue)

static inline void init_waitqueue_func_entry(wait_queue_entry_t *entry, wait_queue_func_t func)
{
	entry->flags = 0;
	entry->woken = 0;
	entry->state = TASK_RUNNING;
	entry->private = NULL;
	entry->func = func;
	INIT_LIST_HEAD(&entry->entry);
}

bool waitqueue_active(wait_queue_head_t *queue) KAPI(waitqueue_active);
void add_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry) KAPI(add_wait_queue);
void add_wait_queue_exclusive(wait_queue_head_t *queue, wait_queue_entry_t *entry)
	KAPI(add_wait_queue_exclusive);
void remove_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry)
	KAPI(remove_wait_queue);
/* For callers that hold queue->lock. */
void __add_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry)
	KAPI(__add_wait_queue);
void __remove_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry)
	KAPI(__remove_wait_queue);
void __wake_up_locked_key(wait_queue_head_t *queue, unsigned int mode, void *key)
	KAPI(__wake_up_locked_key);
void init_wait_entry(wait_queue_entry_t *entry, int flags) KAPI(init_wait_entry);
/* Queues @entry; -ERESTARTSYS instead when a signal that @state hears is pending. */
long prepare_to_wait_event(wait_queue_head_t *queue, wait_queue_entry_t *entry, int state)
	KAPI(prepare_to_wait_event);
void finish_wait(wait_queue_head_t *queue, wait_queue_entry_t *entry) KAPI(finish_wait);
/* Sleeps until @entry is woken; returns the jiffies left of @timeout. */
long wait_woken_entry(wait_queue_head_t *queue, wait_queue_entry_t *entry, int state,
		      long timeout) SIM(wait_woken_entry);
/* Wakes all non-exclusive waiters and @nr exclusive ones (0: all). */
void __wake_up(wait_queue_head_t *queue, unsigned int mode, int nr, void *key)
	KAPI(__wake_up);
#define wake_up(queue) __wake_up(queue, TASK_NORMAL, 1, NULL)
#define wake_up_nr(queue, nr) __wake_up(queue, TASK_NORMAL, nr, NULL)
#define wake_up_all(queue) __wake_up(queue, TASK_NORMAL, 0, NULL)
#define wake_up_interruptible(queue) __wake_up(queue, TASK_INTERRUPTIBLE, 1, NULL)
#define wake_up_interruptible_all(queue) __wake_up(queue, TASK_INTERRUPTIBLE, 0, NULL)
#define wake_up_poll(queue, mask) \
	__wake_up(queue, TASK_NORMAL, 1, (void *)(unsigned long)(mask))
#define wake_up_locked_poll(queue, mask) \
	__wake_up_locked_key(queue, TASK_NORMAL, (void *)(unsigned long)(mask))

/* Jiffies left (at least 1) when @condition held, 0 at the timeout, or -ERESTARTSYS. */
#define ___wait_event(queue, condition, state, timeout)				\
	({									\
		long wait_left_ = (timeout);					\
		wait_queue_entry_t wait_entry_;					\
										\
		init_wait_entry(&wait_entry_, 0);				\
		for (;;) {							\
			long wait_signal_ =					\
				prepare_to_wait_event(&(queue), &wait_entry_, state); \
										\
			if (condition) {					\
				wait_left_ = wait_left_ ? wait_left_ : 1;	\
				break;						\
			}							\
			if (wait_signal_ || !wait_left_) {			\
				wait_left_ = wait_signal_;			\
				break;						\
			}							\
			wait_left_ = wait_woken_entry(&(queue), &wait_entry_, state, \
						      wait_left_);		\
		}								\
		finish_wait(&(queue), &wait_entry_);				\
		wait_left_;							\
	})

#define wait_event(queue, condition)						\
	do {									\
		might_sleep();							\
		if (!(condition))						\
			(void)___wait_event(queue, condition, TASK_UNINTERRUPTIBLE, \
					    MAX_SCHEDULE_TIMEOUT);		\
	} while (0)
#define __wait_event_error(queue, condition, state)				\
	({									\
		long wait_result_ = 0;						\
										\
		might_sleep();							\
		if (!(condition))						\
			wait_result_ = ___wait_event(queue, condition, state,	\
						     MAX_SCHEDULE_TIMEOUT);	\
		(int)(wait_result_ < 0 ? wait_result_ : 0);			\
	})
#define __wait_event_left(queue, condition, state, timeout)			\
	({									\
		long wait_result_ = (timeout);					\
										\
		might_sleep();							\
		if (!(condition))						\
			wait_result_ = ___wait_event(queue, condition, state,	\
						     wait_result_);		\
		else if (!wait_result_)						\
			wait_result_ = 1;					\
		wait_result_;							\
	})
#define wait_event_interruptible(queue, condition) \
	__wait_event_error(queue, condition, TASK_INTERRUPTIBLE)
#define wait_event_killable(queue, condition) \
	__wait_event_error(queue, condition, TASK_KILLABLE)
#define wait_event_timeout(queue, condition, timeout) \
	__wait_event_left(queue, condition, TASK_UNINTERRUPTIBLE, timeout)
#define wait_event_interruptible_timeout(queue, condition, timeout) \
	__wait_event_left(queue, condition, TASK_INTERRUPTIBLE, timeout)

/* Sleeps @timeout jiffies; signals end it early, the rest is returned. */
long schedule_timeout_interruptible(long timeout) KAPI(schedule_timeout_interruptible);
long schedule_timeout_uninterruptible(long timeout) KAPI(schedule_timeout_uninterruptible);

#endif
