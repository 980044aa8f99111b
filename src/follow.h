/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same schedule on two vfio cores: do they leave the same trace of events?
 * What may differ, and why, is listed in docs/model/trees.md.
 */
#ifndef VFIOSIM_FOLLOW_H
#define VFIOSIM_FOLLOW_H

#include <glib.h>

#include "sched.h"

struct follow_count {
	uint64_t runs;
	uint64_t steps;		/* carried out by both */
	uint64_t events;	/* of both, equal */
	uint64_t marks;		/* lockless accesses that only @leader announces */
	uint64_t unreached;	/* runs that preempt at such a mark: see --plain-points */
	uint64_t too_long;	/* runs of more events than a trace holds: not compared */
};

/*
 * Runs @decisions on core @leader, then the same schedule on core @follower, and
 * adds to @count. @config->plain_points counts for the follower only.
 *
 * Return: NULL if the traces are the same, else where they first differ.
 */
char *follow_compare(const struct run_config *config, const char *leader, const char *follower,
		     const struct decision *decisions, size_t n, struct follow_count *count)
	SIM(follow_compare);

#endif
