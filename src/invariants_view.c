// SPDX-License-Identifier: GPL-2.0-only
/*
 * See invariants_view.h.
 *
 * Owns the view, which is rebuilt before it is used. No locks: between two steps
 * nobody runs.
 */
#define VFIOSIM_HOST
#include <vfiosim/kapi/lock.h>

#include "invariants_view.h"
#include "run.h"

struct view view[KINDS] = {
	[FILES] = { "file" },
	[CONTAINERS] = { "container" },
	[PUTS] = { "do_work" },
	[TABLES] = { "files_struct" },
};

bool view_take(void)
{
	return view_fill(view, KINDS, false);
}

bool is_live(const void *pointer)
{
	const struct object *object = arena_holds(pointer) ? arena_object(pointer) : NULL;

	return object && object->state == OBJECT_LIVE;
}

/* cond_resched() in the middle of a system call or an exit; a scenario's own yield is not. */
static bool is_in_a_call(const struct pending *pending)
{
	return pending->access == ENG_READ && is_live(pending->object) &&
	       ((const struct task_struct *)pending->object)->in_syscall;
}

/* In one of the waits of unregister, or not in the kernel at all. */
static bool task_is_outside(const struct task *task, const struct pending *pending, bool *waiting)
{
	for (unsigned int i = 0; i < task->n_held; i++)
		if (task->held[i].name != lockdep_no_validate)
			return false;
	switch (pending->op) {
	case ENG_OP_YIELD:
		return !is_in_a_call(pending);
	case ENG_OP_START:
	case ENG_OP_RUN_WORK:
	case ENG_OP_GRACE_PERIOD:
		return true;
	case ENG_OP_WAIT_COMPLETION:
	case ENG_OP_WAIT_EVENT:
		*waiting = true;
		return pending->blocking && !task->wait.ready(task->wait.arg);
	default:
		return false;
	}
}

bool view_is_quiet(bool *waiting_out)
{
	bool waiting = false;

	for (unsigned int i = 0; i < ENGINE->n_tasks; i++) {
		const struct task *task = &ENGINE->tasks[i];

		if (!task->ended && !task_is_outside(task, &ENGINE->pending[i], &waiting))
			return false;
	}
	if (waiting_out)
		*waiting_out = waiting;
	return true;
}
