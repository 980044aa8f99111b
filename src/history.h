/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls of a run with their intervals, where the scenario has a sequential
 * specification (struct vfiosim_scenario.spec); else nothing is kept and nothing
 * is a choice point.
 */
#ifndef VFIOSIM_HISTORY_H
#define VFIOSIM_HISTORY_H

#include <vfiosim/kapi/types.h>

#include <vfiosim.h>

/* Bytes of the run's memory that a history takes. */
extern const size_t history_size SIM(history_size);

bool history_is_kept(void) SIM(history_is_kept);
/* Of the current task, which must not be in another one. A choice point. */
void history_call(const struct vfiosim_call *call) SIM(history_call);
/* The end of that call. A choice point; asks whether the history so far fits. */
void history_return(long result) SIM(history_return);

#endif
