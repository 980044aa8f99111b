/* SPDX-License-Identifier: GPL-2.0-only */
/* Recording: operations on the live kernel become a trace in memory. */
#ifndef TESTS_LIVE_RECORD_H
#define TESTS_LIVE_RECORD_H

#include "mmtrace.h"

struct recording;

/* NULL if this machine does not allow it; *why says what. */
struct recording *recording_start(unsigned int window, const char **why);
/* What the address spaces look like now. */
const struct mmstate *recording_state(const struct recording *recording);
/* Whether a process has descriptor @handle open: its description, or -1. */
int recording_desc(const struct recording *recording, unsigned int proc, unsigned int handle);
bool recording_dropped(const struct recording *recording, unsigned int file);

/* Carries out @op, which must be possible in the state, and records what it did. */
void recording_step(struct recording *recording, const struct mmop *op);

/* Ends all processes; the trace is the caller's. */
struct mmtrace *recording_finish(struct recording *recording, const char *seed,
				 const char *profile);

#endif
