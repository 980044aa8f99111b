/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traces of address-space operations, recorded on a live kernel: the file
 * format "mmtrace 1" (docs/mm-trace-format.md) in memory, read and written.
 */
#ifndef VFIOSIM_MMTRACE_H
#define VFIOSIM_MMTRACE_H

#include <glib.h>

#include "mmop.h"
#include "mmstate.h"

struct mmtrace_step {
	struct mmop op;
	struct mmop_result result;
	uint32_t line;		/* in the file, from 1 */
	uint32_t change;	/* the first one */
	uint32_t changes;
};

struct mmtrace {
	char *name;		/* of the file, for messages */
	char *release;		/* of the recorded kernel */
	char *machine;
	char *seed;		/* a number or "-" */
	char *profile;
	char *features;		/* words, one space before each */
	bool calls;		/* uses operations that plain traces do not have */
	uint64_t base;		/* address of window page 0 */
	unsigned int window;	/* pages */
	unsigned int overcommit;
	unsigned int unmerged;
	GArray *steps;		/* struct mmtrace_step */
	GArray *changes;	/* struct mmstate_change */
	GArray *vmas;		/* struct mmop_vma */
	GString *states;
};

#define MMTRACE_ERROR (g_quark_from_static_string("mmtrace"))

/*
 * The trace that @text of @length bytes holds; the caller frees it. NULL with a
 * message "name:line: reason" if it is malformed in any way.
 */
struct mmtrace *mmtrace_parse(const char *name, const char *text, size_t length, GError **error)
	SIM(mmtrace_parse);
struct mmtrace *mmtrace_load(const char *path, GError **error) SIM(mmtrace_load);
struct mmtrace *mmtrace_new(const char *name) SIM(mmtrace_new);
void mmtrace_free(struct mmtrace *trace) SIM(mmtrace_free);

/* The text of @trace, which mmtrace_parse() takes. */
GString *mmtrace_write(const struct mmtrace *trace) SIM(mmtrace_write);

/*
 * Add a step: what happened, and what it changed from @before to @after, two
 * states that differ by nothing else. For recorders.
 */
void mmtrace_record(struct mmtrace *trace, const struct mmop *op,
		    const struct mmop_result *result, const struct mmstate *before,
		    const struct mmstate *after) SIM(mmtrace_record);

/*
 * Brings @state, which is at the step before @step, to the state after it.
 * Cannot fail: mmtrace_parse() has tried.
 */
void mmtrace_apply(const struct mmtrace *trace, const struct mmtrace_step *step,
		   struct mmstate *state) SIM(mmtrace_apply);

typedef struct mmtrace mmtrace;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(mmtrace, mmtrace_free)

#endif
