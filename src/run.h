/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a run, shared by the host-side files of the engine.
 *
 * struct engine lies at the start of the arena: all of it that is in use is
 * copied by a snapshot. struct run lies outside: what the explorer asked for and
 * what the run answered.
 */
#ifndef VFIOSIM_RUN_H
#define VFIOSIM_RUN_H

#define VFIOSIM_HOST
#include <vfiosim/kapi/sched.h>

#include "arena.h"
#include "fiber.h"
#include "sched.h"

#define HELD_MAX 24
#define FINDINGS_MAX 16
#define RUN_DATA_MAX 64
#define RUN_FREED_MAX 256

enum phase {
	PHASE_IDLE,
	PHASE_SETUP,
	PHASE_RUN,
	PHASE_TEARDOWN,
};

struct held_lock {
	const void *lock;
	const char *name;
	u16 class;
	u8 shared;
	u8 trylock;
};

/* What a blocked task waits for; only meaningful while pending.blocking. */
struct wait_state {
	bool (*ready)(const void *arg);
	const void *arg;
	u64 deadline;		/* absolute, or ENG_FOREVER */
	u64 since;		/* when it began */
	u8 mode;
	u8 how;			/* the answer */
	u8 hung;		/* reported */
};

struct task {
	struct fiber fiber;
	void *frame;		/* of the choice point, for backtraces */
	void (*body)(void *arg);
	void *arg;
	struct wait_state wait;
	/* A wait with a timeout that expires again and again is hung as well. */
	const void *retried_object;
	u64 retried_since;
	u8 number;
	u8 background;		/* does not keep the run alive */
	u8 ended;
	u8 n_held;
	struct task_struct *acting;	/* whom get_current() returns: &ts by default */
	struct task_struct ts;
	struct held_lock held[HELD_MAX];	/* last: only those in use are copied */
};

struct engine {
	struct task_struct *acting;	/* these three as struct eng_front says */
	u64 steps;
	u32 current;
	u32 n_tasks;
	u64 now;
	u64 next_pid;
	/* Bits are task numbers. */
	u64 alive;
	u64 blocking;		/* pending operation has a condition */
	u64 background;
	void (*at_end)(void);	/* eng_at_end() */
	void *history;		/* of calls; NULL: none is kept */
	struct eng_promise *promises;	/* newest first */
	struct heap heap;
	/* Last: only those in use are copied. */
	struct pending pending[TASKS_MAX];
	struct task tasks[TASKS_MAX];
};

_Static_assert(offsetof(struct engine, acting) == offsetof(struct eng_front, acting) &&
	       offsetof(struct engine, steps) == offsetof(struct eng_front, steps) &&
	       offsetof(struct engine, current) == offsetof(struct eng_front, number),
	       "struct engine begins as engine.h says");

#define ENGINE ((struct engine *)ARENA_BASE)

struct run {
	size_t n;			/* decisions taken */
	size_t fast_until;		/* the script may be followed without looking up */
	size_t script_n;
	struct decision *decisions;
	const struct vfiosim_scenario *scenario;
	void *fixture;
	struct fiber driver;
	struct menu menu;
	struct step step;
	run_chooser *choose;		/* while run_steps_by() goes on */
	void *choose_data;
	void (*fill_data)(void *data);	/* run_data_when_asked() */
	void *fill_data_for;
	uint64_t steps_max;
	uint64_t faults_reached;
	ssize_t diverged;		/* index of the decision that did not fit, or -1 */
	enum phase phase;
	bool in_task;			/* a task's stack is the current one */
	bool over;
	bool failed;
	bool faults;
	bool announced_read;
	bool clean_stacks;
	unsigned int setup_task;
	u16 data_n, data_next;		/* run_next_data() */
	u16 n_freed;
	unsigned int n_findings;
	u16 data[RUN_DATA_MAX];		/* a new run clears what stands above */
	const void *freed[RUN_FREED_MAX];
	struct finding failure;
	struct finding findings[FINDINGS_MAX];
};

extern struct run run SIM(run);

static inline struct task *current_task(void)
{
	return &ENGINE->tasks[ENGINE->current];
}

static inline void set_current_task(struct task *task)
{
	ENGINE->current = task->number;
	ENGINE->acting = task->acting;
}

/* Leaves the current task for good: the run is over. */
void run_abandon(void) SIM(run_abandon) __attribute__((noreturn));

/* ---- lockdep.c ---- */
/* The order of lock classes, as far as this run has shown it; part of snapshots. */
void lockdep_reset(void) SIM(lockdep_reset);
size_t lockdep_size(void) SIM(lockdep_size);
void *lockdep_save(void *buffer) SIM(lockdep_save);
const void *lockdep_restore(const void *buffer) SIM(lockdep_restore);

/* ---- detect.c ---- */
/* Whether the scenario's list names it: then its finding fails no run. */
bool detector_tolerated(const char *detector) SIM(detector_tolerated);
/* Reports, and ends the run. */
void report_deadlock(void) SIM(report_deadlock);
/* Once for each wait; the run goes on. */
void report_hung(struct task *task, u64 since) SIM(report_hung);
/* Once for each promise; the run goes on. */
void report_in_vain(const struct eng_promise *promise, const char *why) SIM(report_in_vain);
/* After the teardown: writes into freed memory, then leaks. */
void check_at_rest(void) SIM(check_at_rest);
void check_use(const void *object, const struct task *task) SIM(check_use);
/* Ends the run; returns only where no task's stack is the current one. */
void eng_vfail(const char *detector, const void *object, const char *format, va_list args)
	SIM(eng_vfail);

/* ---- crash.c ---- */
/* Once; a signal that a modelled access raises becomes a finding. Not with ASan or Valgrind. */
void crash_install(void) SIM(crash_install);

#endif
