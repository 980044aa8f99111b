/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work queues, delayed work and timers.
 *
 * Work runs on tasks of its own ("kworker"), when the schedule says so. A work
 * item never runs twice at once, and may be queued again from when it starts.
 */
#ifndef VFIOSIM_KAPI_WORK_H
#define VFIOSIM_KAPI_WORK_H

#include <vfiosim/kapi/list.h>

struct work_struct;
struct workqueue_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	struct list_head entry;
	work_func_t func;
	struct workqueue_struct *queue;	/* the one it is on, or was on last */
	u32 pending;			/* queued and not started */
	u32 number;			/* among those that were ever on ->queue */
	const char *name;
};

struct timer_list {
	struct list_head entry;
	u64 expires_ns;
	void (*function)(struct timer_list *timer);
	u32 pending;
};

struct delayed_work {
	struct work_struct work;
	struct timer_list timer;
	struct workqueue_struct *queue;
};

/*
 * Follows kernel/workqueue.c. @work may be used again, and its memory given back, once it
 * is neither queued nor running: cancel_work_sync() and flush_work() see to that.
 */
void __init_work(struct work_struct *work, work_func_t func, const char *name)
	KAPI(__init_work);
void __init_delayed_work(struct delayed_work *work, work_func_t func, const char *name)
	KAPI(__init_delayed_work);
/* The timer of each delayed work: queues it. Softirq context. */
void delayed_work_timer_fn(struct timer_list *timer) KAPI(delayed_work_timer_fn);

#define __WORK_INITIALIZER(work, f) \
	{ .entry = LIST_HEAD_INIT((work).entry), .func = (f), .name = #f }
#define DECLARE_WORK(work, f) struct work_struct work = __WORK_INITIALIZER(work, f)
#define DECLARE_DELAYED_WORK(work_, f)						\
	struct delayed_work work_ = {						\
		.work = __WORK_INITIALIZER((work_).work, f),			\
		.timer = { .entry = LIST_HEAD_INIT((work_).timer.entry),	\
			   .function = delayed_work_timer_fn },			\
	}
#define INIT_WORK(work, f) __init_work(work, f, #f)
#define INIT_DELAYED_WORK(work, f) __init_delayed_work(work, f, #f)

static inline struct delayed_work *to_delayed_work(struct work_struct *work)
{
	return container_of(work, struct delayed_work, work);
}

/* What schedule_work() and schedule_delayed_work() queue on. */
extern struct workqueue_struct *const system_wq KAPI(system_wq);

/*
 * A queue that runs up to @max_active items at once (0: the default of 16); NULL without
 * memory. Context: may sleep. The caller owns it; destroy_workqueue() drains it first.
 */
struct workqueue_struct *__alloc_workqueue(const char *name, unsigned int max_active)
	KAPI(__alloc_workqueue);
#define WQ_UNBOUND 0x2
#define WQ_MEM_RECLAIM 0x8
#define alloc_workqueue(name, flags, max_active) __alloc_workqueue(name, max_active)
#define alloc_ordered_workqueue(name, flags) __alloc_workqueue(name, 1)
#define create_singlethread_workqueue(name) __alloc_workqueue(name, 1)
#define create_workqueue(name) __alloc_workqueue(name, 0)
void destroy_workqueue(struct workqueue_struct *queue) KAPI(destroy_workqueue);
/*
 * Wait for what was queued before the call; drain also for what that queues in turn.
 * Context: may sleep; not from one of the queue's own items.
 */
void flush_workqueue(struct workqueue_struct *queue) KAPI(flush_workqueue);
void drain_workqueue(struct workqueue_struct *queue) KAPI(drain_workqueue);

/*
 * Queue: true, or false when it waits on a queue already. Context: any.
 * flush_work() waits for the last queueing to have run: true if it waited. cancel_work()
 * takes it off, true if it was on; _sync also waits until it runs nowhere. Both that wait
 * may sleep, and deadlock when the item needs a lock that the caller holds.
 */
bool queue_work(struct workqueue_struct *queue, struct work_struct *work) KAPI(queue_work);
bool schedule_work(struct work_struct *work) KAPI(schedule_work);
bool flush_work(struct work_struct *work) KAPI(flush_work);
bool cancel_work(struct work_struct *work) KAPI(cancel_work);
bool cancel_work_sync(struct work_struct *work) KAPI(cancel_work_sync);
bool work_pending(const struct work_struct *work) KAPI(work_pending);
void flush_scheduled_work(void) KAPI(flush_scheduled_work);

/*
 * The same after @delay jiffies. mod_delayed_work() changes the time of one that waits
 * already, and returns whether it did; flush_delayed_work() does not wait for the time.
 */
bool queue_delayed_work(struct workqueue_struct *queue, struct delayed_work *work,
			unsigned long delay) KAPI(queue_delayed_work);
bool schedule_delayed_work(struct delayed_work *work, unsigned long delay)
	KAPI(schedule_delayed_work);
bool mod_delayed_work(struct workqueue_struct *queue, struct delayed_work *work,
		      unsigned long delay) KAPI(mod_delayed_work);
bool flush_delayed_work(struct delayed_work *work) KAPI(flush_delayed_work);
bool cancel_delayed_work(struct delayed_work *work) KAPI(cancel_delayed_work);
bool cancel_delayed_work_sync(struct delayed_work *work) KAPI(cancel_delayed_work_sync);

/*
 * Timers; kernel/time/timer.c. @function runs in softirq context, once, when the virtual
 * time is there. mod_timer() and del_timer() return whether it was pending, and may be
 * called in any context; del_timer_sync() also waits until it runs nowhere, so not from
 * @function and not with a lock that @function takes. @expires is absolute, @delay not.
 */
void __timer_setup(struct timer_list *timer, void (*function)(struct timer_list *timer))
	KAPI(__timer_setup);
#define timer_setup(timer, function, flags) __timer_setup(timer, function)
int mod_timer(struct timer_list *timer, unsigned long expires) KAPI(mod_timer);
void add_timer_in(struct timer_list *timer, unsigned long delay) SIM(add_timer_in);
int del_timer(struct timer_list *timer) KAPI(del_timer);
int del_timer_sync(struct timer_list *timer) KAPI(del_timer_sync);
int timer_pending(const struct timer_list *timer) KAPI(timer_pending);

/*
 * For tests and shutdown: until no work, delayed work or RCU callback is left,
 * those that these queue in turn included. May sleep.
 */
void flush_everything(void) SIM(flush_everything);

#endif
