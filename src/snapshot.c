// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots: everything that a run has changed, copied to a buffer and back, at
 * a menu (all tasks suspended, the driver running).
 *
 * Order in the buffer: head, struct engine (tasks in use), stacks (their live
 * part), statics, lock order, heap.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static size_t engine_size(void)
{
	return offsetof(struct engine, tasks) + ENGINE->n_tasks * sizeof(struct task);
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
	size_t sum = sizeof(struct head) + engine_size() + statics_size() + lockdep_size() +
		     arena_heap_size();

	for (unsigned int i = 0; i < ENGINE->n_tasks; i++)
		sum += stack_bytes(&ENGINE->tasks[i]);
	return sum;
}

void snapshot_save(void *buffer)
{
	struct head head = {
		.n = run.n, .diverged = run.diverged, .phase = run.phase, .fixture = run.fixture,
		.over = run.over, .failed = run.failed, .n_findings = run.n_findings,
	};
	char *to = mempcpy(buffer, &head, sizeof(head));

	to = mempcpy(to, ENGINE, engine_size());
	for (unsigned int i = 0; i < ENGINE->n_tasks; i++)
		to = mempcpy(to, ENGINE->tasks[i].fiber.sp, stack_bytes(&ENGINE->tasks[i]));
	to = statics_save(to);
	to = lockdep_save(to);
	arena_heap_save(to);
}

static const char *take(void *to, const char *from, size_t size)
{
	memcpy(to, from, size);
	return from + size;
}

static const char *restore_engine(const char *from)
{
	const struct engine *saved = (const void *)from;
	size_t size = offsetof(struct engine, tasks) + saved->n_tasks * sizeof(struct task);

	return take(ENGINE, from, size);
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
	from = restore_engine(from);
	for (unsigned int i = 0; i < ENGINE->n_tasks; i++)
		from = take(ENGINE->tasks[i].fiber.sp, from, stack_bytes(&ENGINE->tasks[i]));
	from = statics_restore(from);
	from = lockdep_restore(from);
	arena_heap_restore(from);
}

/* ---- hashing ---- */

static u64 mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

/* A stack holds what ASan keeps others out of. */
static NO_ASAN u64 hash_bytes(u64 hash, const void *bytes, size_t size)
{
	const char *at = bytes;
	u64 word;

	for (; size >= sizeof(word); at += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = mix(hash, word);
	}
	word = size;
	memcpy(&word, at, size);
	return mix(hash, word);
}

/* What of a task decides its future; time counts as what is left until the deadline. */
static u64 hash_task(u64 hash, const struct task *task)
{
	const struct pending *pending = &ENGINE->pending[task->number];
	u64 left = task->wait.deadline == ENG_FOREVER ? ENG_FOREVER
						       : task->wait.deadline - ENGINE->now;

	hash = mix(hash, task->number);
	hash = mix(hash, (unsigned long)pending->object);
	hash = mix(hash, pending->op | pending->blocking << 8);
	hash = mix(hash, pending->blocking ? left : 0);
	for (unsigned int i = 0; i < task->n_held; i++)
		hash = mix(hash, (unsigned long)task->held[i].lock);
	hash = hash_bytes(hash, &task->ts, sizeof(task->ts));
	return hash_bytes(hash, task->fiber.sp, stack_bytes(task));
}

/*
 * Dead slots of a stack count too: what a task left there is the same whenever it comes this way
 * again, so at worst equal states are told apart. Memcheck is told that this is meant.
 */
uint64_t snapshot_hash(void)
{
	u64 hash = mix(run.phase, ENGINE->alive);
	const void *start;
	size_t size;

	for (u64 left = ENGINE->alive; left; left &= left - 1)
		hash = hash_task(hash, &ENGINE->tasks[__builtin_ctzll(left)]);
	for (unsigned int n = 0; statics_range(n, &start, &size); n++)
		hash = hash_bytes(hash, start, size);
	hash = arena_heap_hash(hash);
	VALGRIND_MAKE_MEM_DEFINED(&hash, sizeof(hash));
	return hash;
}
