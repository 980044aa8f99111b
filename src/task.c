// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a task knows about itself: signals, context, time, capabilities, and the
 * work that it does on its way back to user mode. Follows kernel/signal.c,
 * kernel/task_work.c and kernel/sched/core.c. No locks: each function is one step.
 */
#include <vfiosim/kapi/sched.h>
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/fs.h>

#include "context.h"

const unsigned long jiffies_per_second = HZ;

unsigned long get_jiffies(void)
{
	return eng_now() / (1000000000ULL / HZ);
}

pid_t task_pid_nr(struct task_struct *task)
{
	return task->pid;
}

/* ---- signals ---- */

bool fatal_signal_pending(struct task_struct *task)
{
	return task->pending & SIGKILL_BIT;
}

bool signal_pending(struct task_struct *task)
{
	return task->pending & (~task->blocked | SIGKILL_BIT);
}

/* Wakes the task only by being looked at: waits that listen to signals end. */
void send_sig(int signal, struct task_struct *task)
{
	eng_point(ENG_OP_SIGNAL, &task->pending, ENG_WRITE);
	task->pending |= 1UL << (signal - 1);
}

/* ---- context ---- */

void cond_resched(void)
{
	might_sleep();
	eng_point(ENG_OP_YIELD, current, ENG_READ);
}

/* The kernel warns (DEBUG_ATOMIC_SLEEP) and goes on into undefined trouble. */
void might_sleep(void)
{
	const struct task_struct *task = current;
	const char *why;

	if (likely(may_sleep(task)))
		return;
	why = task->in_interrupt ? "in an interrupt" :
	      task->rcu_read_lock_nesting ? "in an RCU read section" :
	      task->preempt_count ? "with a spinlock held" : "with interrupts off";
	eng_fail("sleeping-while-atomic", NULL, "%s may sleep %s", task->comm, why);
}

bool capable(int capability)
{
	const struct cred *cred = current->cred;

	return !cred || cred->capabilities >> capability & 1;
}

/* ---- task work ---- */

/* In place of the list once the task is past its last run of it. */
static struct callback_head exited = { NULL, NULL };

/* Context: any. -ESRCH when the task will not look any more (FS-123). */
int task_work_add(struct task_struct *task, struct callback_head *work,
		  enum task_work_notify_mode notify)
{
	eng_point(ENG_OP_TASK_WORK, &task->task_works, ENG_WRITE);
	if (task->task_works == &exited) {
		eng_only_read();
		return -ESRCH;
	}
	work->next = task->task_works;
	task->task_works = work;
	return 0;
}

/*
 * Newest first; work that is added by work is run as well. A task that exits
 * closes the list when it is empty (FS-122, FS-123).
 *
 * Context: may sleep, holds no locks.
 */
void task_work_run(void)
{
	struct task_struct *task = current;
	struct callback_head *work, *next;

	for (;;) {
		eng_point(ENG_OP_TASK_WORK, &task->task_works, ENG_WRITE);
		work = task->task_works;
		if (work == &exited)
			return;
		task->task_works = !work && task->flags & PF_EXITING ? &exited : NULL;
		if (!work)
			return;
		for (; work; work = next) {
			next = work->next;
			work->func(work);
			cond_resched();
		}
	}
}
