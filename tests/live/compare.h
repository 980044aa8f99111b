/* SPDX-License-Identifier: GPL-2.0-only */
/* A sequence of operations on both kernels, the live one and the model. */
#ifndef TESTS_LIVE_COMPARE_H
#define TESTS_LIVE_COMPARE_H

#include "generate.h"
#include "mmreplay.h"

/* The trace of @count operations as the live kernel has them; impossible ones are left out. */
struct mmtrace *record_operations(const struct mmop *ops, unsigned int count,
				  unsigned int window, const char *seed, const char *profile);
/* A random sequence. */
struct mmtrace *record_random(const struct profile *profile, uint64_t seed, unsigned int count);

/*
 * Replays @trace in a process of its own, since the model may crash. Returns the
 * first step that differs, 0 if none does, and in *text what differs.
 */
unsigned int compare(const struct mmtrace *trace, const struct mmreplay_options *options,
		     char **text);

/* The shortest part of @trace found that still differs, recorded anew. */
struct mmtrace *minimise(const struct mmtrace *trace, const struct mmreplay_options *options);

#endif
