// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots: everything that a run has changed, copied to a buffer and back, at
 * a menu (all tasks suspended, the driver running).
 *
 * Order in the buffer: head, struct engine up to its tables, pending operations,
 * for each task itself and the live part of its stack, statics, lock order, heap.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "memcheck.h"
#include "run.h"
#include "statics.h"
#include "trace.h"

struct head {
	size_t n;
	ssize_t diverged;
	enum phase phase;
	void *fixture;
	u32 over : 1, failed : 1;
	u32 n_findings;
};

#define ENGINE_HEAD offsetof(struct engine, pending)

static size_t task_bytes(const struct task *task)
{
	return offsetof(struct task, held) + task->n_held * sizeof(task->held[0]);
}

static size_t stack_bytes(const struct task *task)
{
	if (!(ENGINE->alive >> task->number & 1))
		return 0;
	return task->fiber.stack_low + task->fiber.stack_size - (char *)task->fiber.sp;
}

bool snapshot_possible(void)
{
#ifdef VFIOSIM_ASAN
	return false;
#else
	static int traced = -1;
	char line[128];
	FILE *status;

	if (traced >= 0)
		return !traced;
	traced = !FIBER_CAN_BE_COPIED || running_on_valgrind();
	status = traced ? NULL : fopen("/proc/self/status", "re");
	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, "TracerPid:", 10))
			traced = strtol(line + 10, NULL, 10) != 0;
	if (status)
		fclose(status);
	return !traced;
#endif
}

size_t snapshot_size(void)
{
	size_t sum = sizeof(struct head) + ENGINE_HEAD +
		     ENGINE->n_tasks * sizeof(struct pending) + statics_size() +
		     lockdep_size() + arena_heap_size();

	for (unsigned int i = 0; i < ENGINE->n_tasks; i++)
		sum += task_bytes(&ENGINE->tasks[i]) + stack_bytes(&ENGINE->tasks[i]);
	return sum;
}

void snapshot_save(void *buffer)
{
	struct head head = {
		.n = run.n, .diverged = run.diverged, .phase = run.phase, .fixture = run.fixture,
		.over = run.over, .failed = run.failed, .n_findings = run.n_findings,
	};
	char *to = mempcpy(buffer, &head, sizeof(head));

	to = mempcpy(to, ENGINE, ENGINE_HEAD);
	to = mempcpy(to, ENGINE->pending, ENGINE->n_tasks * sizeof(struct pending));
	for (unsigned int i = 0; i < ENGINE->n_tasks; i++) {
		const struct task *task = &ENGINE->tasks[i];

		to = mempcpy(to, task, task_bytes(task));
		to = mempcpy(to, task->fiber.sp, stack_bytes(task));
	}
	to = statics_save(to);
	to = lockdep_save(to);
	arena_heap_save(to);
}

static const char *take(void *to, const char *from, size_t size)
{
	memcpy(to, from, size);
	return from + size;
}

static const char *restore_tasks(const char *from)
{
	from = take(ENGINE->pending, from, ENGINE->n_tasks * sizeof(struct pending));
	for (unsigned int i = 0; i < ENGINE->n_tasks; i++) {
		struct task *task = &ENGINE->tasks[i];

		from = take(task, from, task_bytes((const struct task *)from));
		from = take(task->fiber.sp, from, stack_bytes(task));
	}
	return from;
}

void snapshot_restore(const void *buffer, const struct decision *decisions)
{
	const char *from = buffer;
	struct head head;

	from = take(&head, from, sizeof(head));
	run.n = head.n;
	run.script_n = run.fast_until = head.n;
	run.diverged = head.diverged;
	run.phase = head.phase;
	run.over = head.over;
	run.failed = head.failed;
	run.n_findings = head.n_findings;
	run.in_task = false;
	run.fixture = head.fixture;
	if (decisions != run.decisions)
		memcpy(run.decisions, decisions, head.n * sizeof(*decisions));
	from = take(ENGINE, from, ENGINE_HEAD);
	from = restore_tasks(from);
	from = statics_restore(from);
	from = lockdep_restore(from);
	arena_heap_restore(from);
}

/* ---- hashing ---- */

/*
 * What of a task decides its future; time counts as what is left until the deadline.
 * One task's hash does not wait for another's.
 */
static u64 hash_task(const struct task *task)
{
	const struct pending *pending = &ENGINE->pending[task->number];
	u64 left = task->wait.deadline == ENG_FOREVER ? ENG_FOREVER
						       : task->wait.deadline - ENGINE->now;
	u64 hash = hash_pair(task->number | pending->op << 8 | pending->blocking << 16,
			     (unsigned long)pending->object, pending->blocking ? left : 0);

	for (unsigned int i = 0; i < task->n_held; i++)
		hash = hash_word(hash, (unsigned long)task->held[i].lock);
	return hash_bytes(0, &task->ts, sizeof(task->ts)) +
	       hash_bytes(hash, task->fiber.sp, stack_bytes(task));
}

/*
 * Dead slots of a stack count too: what a task left there is the same whenever it comes this way
 * again, so at worst equal states are told apart. Memcheck is told that this is meant.
 */
uint64_t snapshot_hash(void)
{
	u64 hash = hash_word(run.phase, ENGINE->alive);

	for (u64 left = ENGINE->alive; left; left &= left - 1)
		hash = hash_word(hash, hash_task(&ENGINE->tasks[__builtin_ctzll(left)]));
	hash = statics_hash(hash);
	hash = arena_heap_hash(hash);
	VALGRIND_MAKE_MEM_DEFINED(&hash, sizeof(hash));
	return hash;
}
