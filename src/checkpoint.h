/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a search in a file, to go on with later. The search can be left
 * after every run; the file holds the path to the last one and what is left to
 * try at each node of it.
 */
#ifndef VFIOSIM_CHECKPOINT_H
#define VFIOSIM_CHECKPOINT_H

#include "dpor.h"
#include "explore.h"

/* Is options.checkpoint a file that this exploration can resume from? */
bool checkpoint_check(const struct exploration *x, GError **error) SIM(checkpoint_check);

/*
 * Save and load counts, and for the depth-first search the path, with its @n
 * decisions. @dpor may be NULL. Saving replaces the file in one go.
 */
bool checkpoint_save(const struct exploration *x, struct dpor *dpor,
		     const struct decision *decisions, size_t n) SIM(checkpoint_save);

/* A node as it was saved, and its step's data choices. */
struct saved_node {
	struct node node;
	uint16_t data[64];
	unsigned int n_data;
	/* Or what a step that is asleep would free; see dpor_extent(). */
	bool is_extent;
	unsigned int extent_task;
	size_t extent_depth, extent_start, extent_size;
};

/* What was saved: counts into @x; the path as an array of struct saved_node. */
GArray *checkpoint_load(struct exploration *x, GError **error) SIM(checkpoint_load);

#endif
