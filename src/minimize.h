/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making a failing schedule easy to read: the same failure with the fewest
 * preemptions, then the fewest steps and tasks; and the nearest schedule that
 * passes.
 */
#ifndef VFIOSIM_MINIMIZE_H
#define VFIOSIM_MINIMIZE_H

#include "explore.h"

struct cost {
	unsigned int faults;
	unsigned int preemptions;	/* switches away from a task that could go on */
	size_t steps;
	unsigned int tasks;		/* that took a step */
};

struct minimized {
	GArray *decisions;		/* of struct decision */
	struct cost cost;
	struct cost found;		/* before */
	uint64_t runs;			/* that it took */
	bool fewest_proven;		/* all schedules with fewer preemptions were run */
	GArray *passing;		/* of struct decision, or NULL */
	size_t passing_step;		/* where it leaves the failing one, from 1 */
	unsigned int passing_task;	/* who goes there instead */
};

/* @x holds a failing schedule. */
void minimize(const struct exploration *x, struct minimized *m) SIM(minimize);
/* Only measure the schedule as it was found. */
void minimize_not(const struct exploration *x, struct minimized *m) SIM(minimize_not);
void minimized_clear(struct minimized *m) SIM(minimized_clear);

#endif
