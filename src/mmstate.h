/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the address spaces of a trace look like after a step, as a reader of the
 * trace knows it: a list of mappings and a string of page states per process.
 */
#ifndef VFIOSIM_MMSTATE_H
#define VFIOSIM_MMSTATE_H

#include <glib.h>

#include "mmop.h"
#include "mmtext.h"

/* At most every page of the window is a mapping. */
struct mmstate_proc {
	unsigned int nvma;
	struct mmop_vma vma[MMOP_WINDOW_MAX];
	char state[MMOP_WINDOW_MAX];	/* . - F A Z ? o */
};

struct mmstate {
	unsigned int window;		/* pages */
	unsigned int procs;		/* ids given out; never reused */
	unsigned int descs;		/* successful opens */
	unsigned int shared_anon;	/* successful shared anonymous mmaps */
	unsigned int files;		/* bit per file that was created */
	struct mmstate_proc *proc[MMOP_PROCS_MAX];	/* NULL: not alive */
};

/* One change of a process: a splice of its list, or new page states. */
struct mmstate_change {
	uint8_t proc;
	bool pages;
	uint16_t start;		/* index in the list, or page */
	uint16_t removed;	/* mappings */
	uint16_t count;		/* mappings inserted, or pages */
	uint32_t at;		/* of the first one in the trace's store */
};

/* Process 0 lives in an empty window. mmstate_clear() frees what all processes hold. */
void mmstate_init(struct mmstate *state, unsigned int window) SIM(mmstate_init);
void mmstate_clear(struct mmstate *state) SIM(mmstate_clear);

/* Whether @op can be carried out at all: its process lives, its range lies in the window. */
bool mmstate_possible(const struct mmstate *state, const struct mmop *op, struct mmtext_why *why)
	SIM(mmstate_possible);
/* If it can be: what it does to processes, files and counters. */
bool mmstate_operation(struct mmstate *state, const struct mmop *op,
		       const struct mmop_result *result, struct mmtext_why *why)
	SIM(mmstate_operation);

/* Makes @to a copy of @from, a state of the same trace. */
void mmstate_copy(struct mmstate *to, const struct mmstate *from) SIM(mmstate_copy);

/* Carries out one kind of change. False with @why if it does not fit; nothing is changed then. */
bool mmstate_splice(struct mmstate *state, const struct mmstate_change *change,
		    const struct mmop_vma *inserted, struct mmtext_why *why) SIM(mmstate_splice);
bool mmstate_pages(struct mmstate *state, const struct mmstate_change *change, const char *states,
		   struct mmtext_why *why) SIM(mmstate_pages);
/* A page is in state '.' exactly where no mapping is. */
bool mmstate_consistent(const struct mmstate *state, unsigned int proc, struct mmtext_why *why)
	SIM(mmstate_consistent);

bool mmstate_same_vma(const struct mmop_vma *a, const struct mmop_vma *b) SIM(mmstate_same_vma);
/* Whether @b continues @a in every visible respect. */
bool mmstate_continues(const struct mmop_vma *a, const struct mmop_vma *b)
	SIM(mmstate_continues);
/* Joins whatever continues, in place; returns the new length of the list. */
unsigned int mmstate_join(struct mmop_vma *vma, unsigned int nvma) SIM(mmstate_join);

#endif
