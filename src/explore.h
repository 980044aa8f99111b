/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An exploration: one scenario, many runs, what came of them. Shared by the
 * strategies (explore.c, random.c, statehash.c), which decide what to run next,
 * and by the reports, which show it.
 */
#ifndef VFIOSIM_EXPLORE_H
#define VFIOSIM_EXPLORE_H

#include <glib.h>

#include "sched.h"

/* By enum vfiosim_kernel, ended by NULL. */
extern const char *const kernel_names[] SIM(kernel_names);

/* A detector that fired, and how often. */
struct outcome {
	char detector[32];
	uint64_t runs;
};

struct exploration {
	const struct vfiosim_scenario *scenario;
	struct vfiosim_options options;	/* with the defaults filled in */
	struct run_config config;	/* what every run has in common */

	uint64_t runs;			/* that went to their end */
	uint64_t cut;			/* dropped: another run covers the rest */
	uint64_t steps;			/* carried out, without re-execution */
	uint64_t states;		/* distinct ones, where states are told apart */
	uint64_t restored;		/* times that a snapshot was restored */
	uint64_t reexecuted;		/* times that a prefix was run again */
	uint64_t depth_max;
	uint64_t pieces;		/* of the tree that a shard has met */
	uint64_t digest;		/* sum over runs of their traces' digests */
	uint64_t faults_reached;	/* the most fault sites of one run */
	unsigned int tasks;		/* the most tasks that could run at once */

	enum vfiosim_verdict verdict;
	bool stopped;
	const char *why_stopped;	/* NULL: nothing was left to do */
	struct finding finding;		/* of the first failing run */
	GArray *schedule;		/* of struct decision: that run's */
	GArray *outcomes;		/* of struct outcome, by name */
	size_t live_bytes;		/* of a snapshot at the first menu */

	int64_t started_us;
	int64_t deadline_us;		/* 0: none */
	int64_t next_look_us;		/* at the clock, for progress and checkpoints */
	int64_t next_save_us;
	/* What the strategy can say and do between runs; NULL: nothing. */
	double (*fraction_done)(const struct exploration *x);
	bool (*save)(const struct exploration *x);
	void *strategy;
	double estimates[4];		/* of the number of runs, the last ones */
	unsigned int n_estimates;
	bool estimated;			/* when it was stopped: */
	double total, total_error;	/* how many runs there seem to be */
};

/* @options may be NULL: all defaults. The clock of the budget starts here. */
void exploration_init(struct exploration *x, const struct vfiosim_scenario *scenario,
		      const struct vfiosim_options *options) SIM(exploration_init);
void exploration_clear(struct exploration *x) SIM(exploration_clear);
/* Runs the strategy that the options name. */
void exploration_run(struct exploration *x) SIM(exploration_run);

/* For strategies: begin a run by @script, count a finished one, look at budgets. */
void exploration_begin(const struct exploration *x, const struct decision *script,
		       size_t length) SIM(exploration_begin);
void exploration_finish(struct exploration *x, uint64_t trace) SIM(exploration_finish);
/* Keeps @decisions as the failing schedule, whatever failed before, and stops. */
void exploration_does_not_repeat(struct exploration *x, const struct decision *decisions,
				 size_t n, const char *what) SIM(exploration_does_not_repeat);
/* Stops when as many runs were made as may be. */
bool exploration_is_spent(struct exploration *x) SIM(exploration_is_spent);
void exploration_stop(struct exploration *x, enum vfiosim_verdict verdict, const char *why)
	SIM(exploration_stop);

/*
 * How many runs there seem to be, and how far from that the last four estimates were,
 * one for each doubling; false as long as nothing can be said.
 */
bool exploration_estimate(const struct exploration *x, double *total, double *error)
	SIM(exploration_estimate);

/* The count of @detector among @outcomes, which stay sorted; made if it is the first. */
struct outcome *outcome_of(GArray *outcomes, const char *detector) SIM(outcome_of);

/*
 * Set @values to the next combination of the data choices among @decisions from
 * @first to @end, in dictionary order; false when all are tried. @faults_used counts
 * those before @first.
 */
bool exploration_next_data(const struct exploration *x, const struct decision *decisions,
			   size_t first, size_t end, unsigned int faults_used, GArray *values)
	SIM(exploration_next_data);
unsigned int exploration_count_faults(const struct decision *d, size_t n)
	SIM(exploration_count_faults);

/* The search has ended: keep what is left of it, or forget that there was a checkpoint. */
void exploration_leave(struct exploration *x) SIM(exploration_leave);

/* Set by the handler of SIGINT; strategies end at the next run. */
extern volatile int exploration_interrupted SIM(exploration_interrupted);

/* Each goes on until nothing is left, a budget is spent or a run fails, and sets @x->verdict. */
void explore_depth_first(struct exploration *x) SIM(explore_depth_first);
void explore_random(struct exploration *x) SIM(explore_random);
void explore_states(struct exploration *x) SIM(explore_states);

#endif
