/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which schedules still have to be run: source-set dynamic partial-order
 * reduction with sleep sets, over the path that is being explored.
 *
 * Two schedules that differ only in the order of steps that commute are one
 * trace. This file keeps the path as a stack of nodes, one for each step, knows
 * by vector clocks which steps happen before which, and notes for each race
 * that could go the other way a task to try at the node before it. It drives
 * nothing: explore.c does.
 */
#ifndef VFIOSIM_DPOR_H
#define VFIOSIM_DPOR_H

#include "sched.h"

/* A point of the path: what could run there, and the step that was taken. */
struct node {
	/* What the menu offered, as bits of tasks. */
	uint64_t enabled;
	uint64_t timeouts;
	uint64_t signals;
	uint64_t available;		/* all that the bounds leave */
	uint64_t known;			/* tasks that exist */
	/* What to do about it. */
	uint64_t backtrack;		/* to be explored, being explored, or done */
	uint64_t done;
	uint64_t sleep;			/* no need to explore: covered elsewhere */
	uint64_t sleep_reads;		/* of these, whose step only reads */
	uint64_t sleep_frees;		/* of these, whose step frees something */
	/* The step, an event of the trace. Events count from 1: 0 is none. */
	uint64_t flipped;		/* tasks that it let run, or stopped, by another object */
	uint64_t digest;		/* of the trace up to and including the step */
	const void *object;
	uint32_t slot;			/* of the object */
	uint32_t before_on_object;	/* event */
	uint32_t before_of_task;	/* event */
	uint32_t before_flip;		/* event that flipped some task */
	int16_t serial;			/* counts the task's own events from 1 */
	uint8_t task;
	uint8_t how;
	uint8_t hows_left;		/* bits of enum eng_wake still to try */
	uint8_t op;
	uint8_t access;
	uint8_t frees;
	uint8_t failed;
	/* worst case over the variants (data, how) of the same task's step */
	uint8_t any_write;
	uint8_t any_free;
	/* Where the bounds stand before the step. */
	uint8_t previous;		/* the task that ran last */
	uint16_t preemptions;
	uint16_t timeouts_used;
	uint16_t faults_used;
	uint16_t faults_here;		/* in the step */
	/* For explore.c. */
	uint32_t decision;		/* index of the step's first decision */
};

struct dpor_config {
	bool reduce;			/* false: every available task at every node */
	bool sleep;
	int preemptions_max;		/* -1: no bound */
	uint32_t timeouts_max;		/* early ones, in a run; UINT32_MAX: no bound */
	size_t full_depth;		/* nodes above this take every available task */
};

struct dpor;

/* @config is copied. The caller frees it, with its path. */
struct dpor *dpor_new(const struct dpor_config *config) SIM(dpor_new);
void dpor_free(struct dpor *dpor) SIM(dpor_free);

/* The part of struct dpor that everybody may read: it comes first there. */
struct path {
	struct node *nodes;
	size_t depth;
};

static inline size_t dpor_depth(const struct dpor *dpor)
{
	return ((const struct path *)dpor)->depth;
}

static inline struct node *dpor_node(struct dpor *dpor, size_t depth)
{
	return &((const struct path *)dpor)->nodes[depth];
}

/* Is the path as long as it can get? */
bool dpor_is_full(const struct dpor *dpor) SIM(dpor_is_full);
/* Add the node for @menu; false if the path is full. */
bool dpor_push(struct dpor *dpor, const struct menu *menu) SIM(dpor_push);
/* Drop the last node. Its step, if any, is forgotten first. */
void dpor_pop(struct dpor *dpor) SIM(dpor_pop);
/* Choose the next task at the last node; false when nothing is left to try there. */
bool dpor_pick(struct dpor *dpor) SIM(dpor_pick);
/*
 * The chosen step was carried out. @blocking: its operation has a condition.
 * @data: a hash of its data choices.
 */
void dpor_step(struct dpor *dpor, const struct step *step, bool blocking, uint64_t data)
	SIM(dpor_step);
/* Forget the last node's step: another variant of it is to be run. */
void dpor_unstep(struct dpor *dpor) SIM(dpor_unstep);
/* The run ended while @task was blocked in @pending: that races as well. */
void dpor_blocked(struct dpor *dpor, unsigned int task, const struct pending *pending)
	SIM(dpor_blocked);
/* The last step failed the run, and so kept every other task from running. */
void dpor_failed(struct dpor *dpor) SIM(dpor_failed);
/* The same for every schedule of one trace, and different for different traces. */
uint64_t dpor_digest(const struct dpor *dpor) SIM(dpor_digest);

/* What the sleeping steps free, one by one, to be kept in a checkpoint. */
bool dpor_extent(const struct dpor *dpor, size_t index, const char **start, size_t *size,
		 size_t *depth, unsigned int *task) SIM(dpor_extent);
void dpor_forget_extents(struct dpor *d) SIM(dpor_forget_extents);
void dpor_add_extent(struct dpor *dpor, const char *start, size_t size, size_t depth,
		     unsigned int task) SIM(dpor_add_extent);

static inline uint64_t dpor_mix(uint64_t a, uint64_t b)
{
	uint64_t x = (a ^ (b + 0x9e3779b97f4a7c15ULL)) * 0xff51afd7ed558ccdULL;

	x ^= x >> 32;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ (x >> 29);
}

#endif
