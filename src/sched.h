/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running one scenario, step by step. This is what the explorer drives.
 *
 * A run is: run_begin(), then while run_menu() offers a transition, run_step()
 * with one of them, then run_end(). Each step switches into one task, which
 * carries out its pending operation and goes on alone to its next choice point.
 * The menu shows each task's pending operation *before* it happens.
 *
 * Data choices (eng_choose, eng_fail_here) happen inside steps. Their values
 * come from the run's script while it lasts and are 0 after it; all of them are
 * recorded in run->decisions, beside the task choices, so that
 *
 *	schedule = the list of decisions; replay = run with that list as script.
 *
 * While the script lasts, tasks switch directly to each other and the driver is
 * not asked: re-executing a prefix costs one switch per preemption.
 */
#ifndef VFIOSIM_SCHED_H
#define VFIOSIM_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include <vfiosim.h>

/* Kernel-side tests that include this have another use for the word. */
#pragma push_macro("current")
#undef current

#define TASKS_MAX 64
#define DECISIONS_MAX 65536

/* A task's next operation, as announced at its choice point. */
struct pending {
	const void *object;
	uint8_t op;		/* enum eng_op */
	uint8_t access;		/* enum eng_access, the worst case */
	uint8_t blocking;	/* has a condition: enabled only while that holds */
	uint8_t can_time_out;
	uint8_t can_be_interrupted;
};

/* What could happen next. Bits are task numbers. */
struct menu {
	uint64_t enabled;	/* pending operation can be carried out */
	uint64_t timeouts;	/* blocked, and its timeout may fire */
	uint64_t signals;	/* blocked, and a pending signal would end the wait */
	unsigned int current;	/* the task that ran last */
	const struct pending *pending;	/* by task number */
};

/* A step that was carried out, with the access that it turned out to be. */
struct step {
	const void *object;
	uint8_t task;
	uint8_t how;		/* enum eng_wake */
	uint8_t op;
	uint8_t access;
	uint8_t freed;		/* how many objects it freed: run_freed() names them */
};

enum decision_kind {
	DECIDE_TASK,		/* value = task number, how = enum eng_wake */
	DECIDE_DATA,		/* value < bound; what = name of the choice or fault site */
};

struct decision {
	uint8_t kind;
	uint8_t how;
	uint8_t op;
	uint8_t fault;		/* a DECIDE_DATA made by eng_fail_here() */
	uint16_t value;
	uint16_t bound;
	const void *object;
	const char *what;
};

struct run_config {
	const struct vfiosim_scenario *scenario;
	const struct decision *script;	/* copied */
	size_t script_length;
	bool tracing;			/* fill the event ring */
	bool memory;			/* with tracing: allocations and frees are events */
	bool faults;			/* eng_fail_here() is a choice */
	bool races;			/* look for data races among plain accesses */
	bool plain_points;		/* each plain access is a choice point */
	bool clean_stacks;		/* of what earlier runs left there, which states show */
	uint64_t steps_max;		/* 0: default */
};

struct finding {
	char detector[32];
	char message[480];
	int task;			/* -1: the run as a whole */
	uint64_t step;
};

/* All that a finding may have as its detector, docs/detectors.md; ends with NULL. */
extern const char *const detector_names[] SIM(detector_names);

/* The kernel version of scenarios that name none; set it between runs. */
extern enum vfiosim_kernel run_kernel_default SIM(run_kernel_default);
static inline enum vfiosim_kernel run_kernel(const struct vfiosim_scenario *scenario)
{
	return scenario->kernel ? scenario->kernel : run_kernel_default;
}

/*
 * Resets all kernel-side state to its boot image and runs the scenario's setup.
 * A run that is under way is dropped without its run_end(); so does
 * snapshot_restore(), which also comes back from a run that has ended.
 */
void run_begin(const struct run_config *config) SIM(run_begin);
/* NULL when the run is over: all tasks ended, a failure, or nothing can run. */
const struct menu *run_menu(void) SIM(run_menu);
/* Carry out one transition; returns the step as it turned out. */
const struct step *run_step(unsigned int task, enum eng_wake how) SIM(run_step);
/*
 * Says which step comes next, in the driver's stead, after @step led to @menu; false: the driver
 * itself must look. Called at a choice point, on the stack of the task that stands there.
 */
typedef bool run_chooser(void *data, const struct step *step, const struct menu *menu,
			 unsigned int *task_out, enum eng_wake *how_out);
/*
 * As run_step(), and on with what @choose says. Returns the last step; @choose saw all others.
 * This is for speed: a step costs no switch unless another task comes next.
 */
const struct step *run_steps_by(unsigned int task, enum eng_wake how, run_chooser *choose,
			     void *data) SIM(run_steps_by);
/*
 * The data choices of the next run_step() take these values, in order, and 0
 * after them. Copied.
 */
void run_next_data(const uint16_t *values, size_t count) SIM(run_next_data);
/* @fill says run_next_data() if the next step has a data choice. */
void run_data_when_asked(void (*fill)(void *data), void *data) SIM(run_data_when_asked);
/* The objects that the last run_step() freed: for dependence, a write of all of each. */
const void *const *run_freed(void) SIM(run_freed);
/*
 * The next run_menu() first carries out the decisions that lie behind those taken,
 * up to the @until-th; a restored snapshot goes on to a later point this way.
 */
void run_follow(size_t until) SIM(run_follow);
/* Teardown, leak and rest checks; then the verdict. */
enum vfiosim_verdict run_end(void) SIM(run_end);

const struct finding *run_failure(void) SIM(run_failure);	/* the first one, or NULL */
size_t run_decisions(const struct decision **decisions_out) SIM(run_decisions);
/* Where the script ceased to fit: an index into the decisions, or -1. */
long run_divergence(void) SIM(run_divergence);
/* Tasks that have not ended, background ones included. */
uint64_t run_alive(void) SIM(run_alive);
uint64_t run_trace_hash(void) SIM(run_trace_hash);	/* of all steps, by names, not addresses */
const char *run_task_name(unsigned int task) SIM(run_task_name);

/* Return addresses of a task as it is now, innermost first; how many were stored. */
size_t run_stack(unsigned int task, const void **frames, size_t frames_max) SIM(run_stack);

/* What is known of an arena object, freed or not; false if it is not one. */
struct object_info {
	const void *start;
	size_t size;
	const char *type;
	const void *alloc_site;
	const void *free_site;		/* NULL while it lives */
	int alloc_task, free_task;	/* -1: setup or teardown */
};
bool object_lookup(const void *pointer, struct object_info *info_out) SIM(object_lookup);

/*
 * Snapshots of all kernel-side state, stacks included, at a menu. Not available
 * under Valgrind, ASan or a debugger: snapshot_possible() says so. The decisions
 * that led there are not in the buffer: whoever restores brings them, or says
 * run_decisions() if the run's list still begins with them.
 */
bool snapshot_possible(void) SIM(snapshot_possible);
size_t snapshot_size(void) SIM(snapshot_size);	/* bytes that snapshot_save() would need now */
void snapshot_save(void *buffer) SIM(snapshot_save);
void snapshot_restore(const void *buffer, const struct decision *decisions)
	SIM(snapshot_restore);
/* 64-bit hash of the state that decides the future (no counters, no trace). */
uint64_t snapshot_hash(void) SIM(snapshot_hash);

/* Name of an object ("inode#3.i_mmap_rwsem"); valid until the next call. */
const char *object_name(const void *object) SIM(object_name);

#pragma pop_macro("current")

#endif
