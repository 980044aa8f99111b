/* SPDX-License-Identifier: GPL-2.0-only */
/* might_sleep() for callers at every step: the question without a call. */
#ifndef VFIOSIM_CONTEXT_H
#define VFIOSIM_CONTEXT_H

#include <vfiosim/kapi/sched.h>

#include "engine.h"

static inline bool may_sleep(const struct task_struct *task)
{
	return !(task->preempt_count | task->irqs_disabled | task->rcu_read_lock_nesting |
		 task->in_interrupt);
}

static inline void must_be_able_to_sleep(void)
{
	if (unlikely(!may_sleep(eng_current())))
		might_sleep();		/* says why, and ends the run */
}

#endif
