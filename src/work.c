// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work queues, timers and delayed work. Follows kernel/workqueue.c and
 * kernel/time/timer.c as far as callers can tell: work starts in order, as many
 * at once as the queue allows, an item never twice at once.
 *
 * Lock order: none; a queue's own lock would be held within single steps only.
 */
#include <vfiosim/kapi/work.h>
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/rcu.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/wait.h>

#include "engine.h"

#define ACTIVE_DEFAULT 16
#define NS_PER_JIFFY (1000000000ULL / HZ)

struct workqueue_struct {
	const char *name;
	u32 max_active;
	u32 workers;
	u32 running;
	u32 pending;
	u32 numbers;			/* given to items so far */
	u32 flushers;
	bool dying;
	struct list_head works;
	struct list_head current_works;	/* struct worker */
};

/* On the stack of the task that works. */
struct worker {
	struct list_head list;
	struct work_struct *work;	/* may be freed by its own function */
	u32 number;
};

static struct workqueue_struct events KSTATE = {
	.name = "events",
	.max_active = ACTIVE_DEFAULT,
	.works = LIST_HEAD_INIT(events.works),
	.current_works = LIST_HEAD_INIT(events.current_works),
};
struct workqueue_struct *const system_wq = &events;

static struct {
	u32 outstanding;		/* work items queued and not finished, all queues */
	u32 watchers;			/* tasks in flush_everything() */
} all_work KSTATE = { 0 };

/* ---- the queue ---- */

void __init_work(struct work_struct *work, work_func_t func, const char *name)
{
	*work = (struct work_struct){ .func = func, .name = name };
	INIT_LIST_HEAD(&work->entry);
}

static bool is_current(const struct workqueue_struct *queue, const struct work_struct *work)
{
	const struct worker *worker;

	list_for_each_entry(worker, &queue->current_works, list)
		if (worker->work == work)
			return true;
	return false;
}

/* The first item that nobody is working on already. */
static struct work_struct *first_runnable(const struct workqueue_struct *queue)
{
	struct work_struct *work;

	list_for_each_entry(work, &queue->works, entry)
		if (!is_current(queue, work))
			return work;
	return NULL;
}

static bool has_something_to_do(const void *arg)
{
	const struct workqueue_struct *queue = arg;

	return queue->dying || first_runnable(queue);
}

static void take_off(struct workqueue_struct *queue, struct work_struct *work)
{
	list_del_init(&work->entry);
	work->pending = 0;
	queue->pending--;
}

static void check_context_after(void)
{
	const struct task_struct *task = current;

	if (task->preempt_count || task->rcu_read_lock_nesting || task->irqs_disabled)
		eng_fail("bug", NULL, "a work function returned in atomic context");
}

/* Somebody who waits for the end must see it happen in a step on the queue. */
static void announce_end(struct workqueue_struct *queue)
{
	if (queue->flushers || all_work.watchers)
		eng_point(ENG_OP_RUN_WORK, queue, ENG_WRITE);
}

static void work_on(struct workqueue_struct *queue, struct work_struct *work)
{
	struct worker worker = { .work = work, .number = work->number };
	work_func_t func = work->func;

	take_off(queue, work);
	list_add_tail(&worker.list, &queue->current_works);
	queue->running++;
	eng_event("work_run", work, "%s", work->name);
	func(work);
	check_context_after();
	announce_end(queue);
	queue->running--;
	list_del(&worker.list);
	all_work.outstanding--;
}

static void worker_main(void *arg)
{
	struct workqueue_struct *queue = arg;
	struct work_struct *work;

	for (;;) {
		eng_wait(ENG_OP_RUN_WORK, queue, ENG_WRITE, has_something_to_do, queue,
			 ENG_FOREVER, ENG_UNINTERRUPTIBLE);
		work = first_runnable(queue);
		if (!work)
			break;
		work_on(queue, work);
	}
	queue->workers--;
}

/* One idle worker for each item that waits, as long as the queue allows. */
static void add_worker(struct workqueue_struct *queue)
{
	if (queue->pending <= queue->workers - queue->running ||
	    queue->workers >= queue->max_active)
		return;
	queue->workers++;
	eng_spawn_background(queue->name, worker_main, queue);
}

static void insert_work(struct workqueue_struct *queue, struct work_struct *work)
{
	work->pending = 1;
	work->queue = queue;
	work->number = ++queue->numbers;
	list_add_tail(&work->entry, &queue->works);
	queue->pending++;
	all_work.outstanding++;
	eng_event("work_queue", work, "%s", work->name);
	add_worker(queue);
}

/* Context: any. False when it is queued already. */
bool queue_work(struct workqueue_struct *queue, struct work_struct *work)
{
	if (unlikely(!work->func))
		eng_fail("bug", work, "a work item is queued that was never initialised");
	eng_point(ENG_OP_QUEUE_WORK, queue, ENG_WRITE);
	if (work->pending) {
		eng_only_read();
		return false;
	}
	if (queue->dying)
		eng_fail("bug", work, "work is queued on a queue that is being destroyed");
	insert_work(queue, work);
	return true;
}

bool schedule_work(struct work_struct *work)
{
	return queue_work(system_wq, work);
}

bool work_pending(const struct work_struct *work)
{
	eng_point(ENG_OP_READ_ONCE, work, ENG_READ);
	return work->pending;
}

/* ---- flushing ---- */

struct flush {
	const struct workqueue_struct *queue;
	const struct work_struct *work;	/* NULL: all items */
	u32 last;			/* items up to this number */
};

static bool concerns(const struct flush *flush, const struct work_struct *work, u32 number)
{
	return (!flush->work || flush->work == work) && (s32)(number - flush->last) <= 0;
}

static bool is_flushed(const void *arg)
{
	const struct flush *flush = arg;
	const struct work_struct *work;
	const struct worker *worker;

	list_for_each_entry(worker, &flush->queue->current_works, list)
		if (concerns(flush, worker->work, worker->number))
			return false;
	list_for_each_entry(work, &flush->queue->works, entry)
		if (concerns(flush, work, work->number))
			return false;
	return true;
}

/* Context: may sleep. Returns whether there was something to wait for. */
static bool flush(struct workqueue_struct *queue, const struct work_struct *work)
{
	struct flush wanted = { .queue = queue, .work = work };

	might_sleep();
	eng_point(ENG_OP_FLUSH_WORK, queue, ENG_WRITE);
	wanted.last = queue->numbers;
	if (is_flushed(&wanted)) {
		eng_only_read();
		return false;
	}
	queue->flushers++;
	eng_wait(ENG_OP_FLUSH_WORK, queue, ENG_WRITE, is_flushed, &wanted, ENG_FOREVER,
		 ENG_UNINTERRUPTIBLE);
	queue->flushers--;
	return true;
}

bool flush_work(struct work_struct *work)
{
	return work->queue && flush(work->queue, work);
}

void flush_workqueue(struct workqueue_struct *queue)
{
	flush(queue, NULL);
}

void flush_scheduled_work(void)
{
	flush(system_wq, NULL);
}

/* Until the items that items queue are done as well. */
void drain_workqueue(struct workqueue_struct *queue)
{
	while (flush(queue, NULL))
		continue;
}

/* False when it was not queued; it may be running. */
bool cancel_work(struct work_struct *work)
{
	struct workqueue_struct *queue = work->queue;

	if (!queue)
		return false;
	eng_point(ENG_OP_QUEUE_WORK, queue, ENG_WRITE);
	if (!work->pending) {
		eng_only_read();
		return false;
	}
	take_off(queue, work);
	all_work.outstanding--;
	return true;
}

/* Context: may sleep. Nobody runs the item afterwards. */
bool cancel_work_sync(struct work_struct *work)
{
	bool was_pending = cancel_work(work);

	flush_work(work);
	return was_pending;
}

/* ---- life of a queue ---- */

struct workqueue_struct *__alloc_workqueue(const char *name, unsigned int max_active)
{
	struct workqueue_struct *queue =
		__kmalloc_named(sizeof(*queue), GFP_KERNEL | __GFP_ZERO, "workqueue");

	if (!queue)
		return NULL;
	queue->name = name;
	queue->max_active = max_active ? max_active : ACTIVE_DEFAULT;
	INIT_LIST_HEAD(&queue->works);
	INIT_LIST_HEAD(&queue->current_works);
	return queue;
}

static bool has_no_workers(const void *queue)
{
	return !((const struct workqueue_struct *)queue)->workers;
}

/* Context: may sleep. All work is done first. */
void destroy_workqueue(struct workqueue_struct *queue)
{
	drain_workqueue(queue);
	eng_point(ENG_OP_WRITE_ONCE, queue, ENG_WRITE);
	queue->dying = true;
	eng_wait(ENG_OP_FLUSH_WORK, queue, ENG_WRITE, has_no_workers, queue, ENG_FOREVER,
		 ENG_UNINTERRUPTIBLE);
	kfree(queue);
}

/* ---- timers ---- */

static struct {
	struct list_head list;		/* by rising expiry, then by age */
	struct timer_list *running;
	struct task_struct *task;
} timers KSTATE = { .list = LIST_HEAD_INIT(timers.list) };

static struct timer_list *first_timer(void)
{
	return list_first_entry_or_null(&timers.list, struct timer_list, entry);
}

static u64 first_expiry(void)
{
	return first_timer() ? first_timer()->expires_ns : ENG_FOREVER;
}

static bool is_due(const void *unused)
{
	return first_expiry() <= eng_now();
}

static void fire(struct timer_list *timer)
{
	list_del_init(&timer->entry);
	timer->pending = 0;
	timers.running = timer;
	current->in_interrupt++;
	timer->function(timer);
	current->in_interrupt--;
	eng_point(ENG_OP_TIMER, &timers, ENG_WRITE);
	timers.running = NULL;
}

static u64 time_left(void)
{
	u64 expiry = first_expiry();

	if (expiry == ENG_FOREVER)
		return ENG_FOREVER;
	return expiry > eng_now() ? expiry - eng_now() : 0;
}

static void timer_main(void *unused)
{
	for (;;) {
		eng_wait(ENG_OP_TIMER, &timers, ENG_WRITE, is_due, NULL, time_left(),
			 ENG_UNINTERRUPTIBLE);
		if (first_timer())
			fire(first_timer());
	}
}

void __timer_setup(struct timer_list *timer, void (*function)(struct timer_list *timer))
{
	*timer = (struct timer_list){ .function = function };
	INIT_LIST_HEAD(&timer->entry);
}

static void insert_timer(struct timer_list *timer)
{
	struct timer_list *after;

	list_for_each_entry_reverse(after, &timers.list, entry)
		if (after->expires_ns <= timer->expires_ns)
			break;
	list_add(&timer->entry, &after->entry);
	timer->pending = 1;
}

/* The task sleeps until the first expiry, whatever it was when it fell asleep. */
static void retime(void)
{
	if (!timers.task)
		timers.task = eng_spawn_background("timer", timer_main, NULL);
	else if (!timers.running)
		eng_set_deadline(timers.task, first_expiry());
}

static int set_timer(struct timer_list *timer, u64 expires_ns)
{
	int was_pending;

	if (unlikely(!timer->function))
		eng_fail("bug", timer, "a timer is started that was never initialised");
	eng_point(ENG_OP_TIMER, &timers, ENG_WRITE);
	was_pending = timer->pending;
	if (was_pending)
		list_del_init(&timer->entry);
	timer->expires_ns = expires_ns;
	insert_timer(timer);
	retime();
	return was_pending;
}

int mod_timer(struct timer_list *timer, unsigned long expires)
{
	return set_timer(timer, expires * NS_PER_JIFFY);
}

void add_timer_in(struct timer_list *timer, unsigned long delay)
{
	set_timer(timer, eng_now() + delay * NS_PER_JIFFY);
}

int timer_pending(const struct timer_list *timer)
{
	eng_point(ENG_OP_READ_ONCE, timer, ENG_READ);
	return timer->pending;
}

int del_timer(struct timer_list *timer)
{
	eng_point(ENG_OP_TIMER, &timers, ENG_WRITE);
	if (!timer->pending) {
		eng_only_read();
		return 0;
	}
	list_del_init(&timer->entry);
	timer->pending = 0;
	retime();
	return 1;
}

static bool is_not_running(const void *timer)
{
	return timers.running != timer;
}

/* Context: not from the timer itself. It does not run when this returns. */
int del_timer_sync(struct timer_list *timer)
{
	int was_pending = del_timer(timer);

	eng_wait(ENG_OP_TIMER, &timers, ENG_WRITE, is_not_running, timer, ENG_FOREVER,
		 ENG_UNINTERRUPTIBLE);
	return was_pending;
}

/* ---- delayed work ---- */

void delayed_work_timer_fn(struct timer_list *timer)
{
	struct delayed_work *work = container_of(timer, struct delayed_work, timer);

	queue_work(work->queue, &work->work);
}

void __init_delayed_work(struct delayed_work *work, work_func_t func, const char *name)
{
	__init_work(&work->work, func, name);
	__timer_setup(&work->timer, delayed_work_timer_fn);
	work->queue = NULL;
}

bool queue_delayed_work(struct workqueue_struct *queue, struct delayed_work *work,
			unsigned long delay)
{
	eng_point(ENG_OP_QUEUE_WORK, queue, ENG_WRITE);
	if (work->work.pending || work->timer.pending) {
		eng_only_read();
		return false;
	}
	if (!delay)
		return queue_work(queue, &work->work);
	work->queue = queue;
	add_timer_in(&work->timer, delay);
	return true;
}

bool schedule_delayed_work(struct delayed_work *work, unsigned long delay)
{
	return queue_delayed_work(system_wq, work, delay);
}

bool mod_delayed_work(struct workqueue_struct *queue, struct delayed_work *work,
		      unsigned long delay)
{
	bool was_pending = cancel_delayed_work(work);

	queue_delayed_work(queue, work, delay);
	return was_pending;
}

bool cancel_delayed_work(struct delayed_work *work)
{
	if (del_timer(&work->timer))
		return true;
	return cancel_work(&work->work);
}

bool cancel_delayed_work_sync(struct delayed_work *work)
{
	bool was_pending = del_timer_sync(&work->timer);

	return cancel_work_sync(&work->work) || was_pending;
}

/* Does not wait for the delay: the work is queued at once. */
bool flush_delayed_work(struct delayed_work *work)
{
	if (del_timer_sync(&work->timer))
		queue_work(work->queue, &work->work);
	return flush_work(&work->work);
}

/* ---- everything ---- */

static bool nothing_is_left(const void *unused)
{
	return !all_work.outstanding && !rcu_pending_callbacks() && !first_timer() &&
	       !timers.running;
}

void flush_everything(void)
{
	might_sleep();
	all_work.watchers++;
	eng_wait(ENG_OP_FLUSH_WORK, &all_work, ENG_WRITE, nothing_is_left, NULL, ENG_FOREVER,
		 ENG_UNINTERRUPTIBLE);
	all_work.watchers--;
}
