/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Carrying out operations of recorded traces on modelled processes, and looking
 * at what they leave. Called by one task, which acts for every process in turn.
 */
#ifndef VFIOSIM_MMRUN_H
#define VFIOSIM_MMRUN_H

#include <vfiosim/kapi/types.h>

#include "mmop.h"

/*
 * Starts process 0 on a kernel of @version, with a shared zero page or not, and with
 * that vm.overcommit_memory: an empty window of @pages at @base between two guards.
 */
void mmrun_start(enum kernel_version version, bool zeropage, unsigned int overcommit, u64 base,
		 unsigned int pages) SIM(mmrun_start);
/* Ends all processes and gives back every file. */
void mmrun_end(void) SIM(mmrun_end);

/* Step number @token is what a write stores. */
void mmrun_operation(const struct mmop *op, u64 token, struct mmop_result *result)
	SIM(mmrun_operation);

/* Whether @proc was started and has not exited. */
bool mmrun_alive(unsigned int proc) SIM(mmrun_alive);
/*
 * The mappings of @proc in the window, at most @max; returns how many. @hint is
 * what the caller expects: it makes finding the description's number cheap.
 */
unsigned int mmrun_mappings(unsigned int proc, struct mmop_vma *vmas, unsigned int max,
			    const struct mmop_vma *hint, unsigned int hints) SIM(mmrun_mappings);

enum mmrun_page {
	MMRUN_ABSENT,
	MMRUN_FILE,
	MMRUN_PRIVATE,
	MMRUN_ZERO,
	MMRUN_PFN,
};
/* What each page of the window holds, an enum mmrun_page each. */
void mmrun_pages(unsigned int proc, u8 *pages) SIM(mmrun_pages);

#endif
