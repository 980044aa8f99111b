/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sharing an exploration out: over processes of this machine, or as shards for
 * any job engine, whose reports are added up again.
 *
 * The schedules are told apart by how they begin. The tree of all beginnings of
 * one length is walked by each shard in the same order, with every task tried at
 * each node (so that no shard depends on what another one finds), and the n-th
 * beginning belongs to shard n modulo the number of shards.
 */
#ifndef VFIOSIM_SHARD_H
#define VFIOSIM_SHARD_H

#include "report.h"

/*
 * As vfiosim_explore(), with options->jobs and options->shard_* honoured.
 * Returns NULL only if a checkpoint cannot be read.
 */
struct vfiosim_report *explore_shared(const struct vfiosim_scenario *scenario,
				      const struct vfiosim_options *options, GError **error)
	SIM(explore_shared);

#endif
