/* SPDX-License-Identifier: GPL-2.0-only */
/* Replays recorded traces in the model and compares every step. */
#ifndef VFIOSIM_MMREPLAY_H
#define VFIOSIM_MMREPLAY_H

#include "mmtrace.h"

/* Levels of comparison of docs/mm-trace-format.md, and one that trusts no header. */
#define MMREPLAY_RESULTS 1
#define MMREPLAY_JOINED 2
#define MMREPLAY_EXACT 3
/* Exact whatever the header says of unmerged neighbours, and '?' and 'o' as the kernel has them. */
#define MMREPLAY_FORCED 4

/* Whether the recorded kernel answered first reads of private memory with the zero page. */
enum mmreplay_zeropage {
	MMREPLAY_ZEROPAGE_AUTO,	/* it did, unless that fails and the other gets further */
	MMREPLAY_ZEROPAGE_MAPPED,
	MMREPLAY_ZEROPAGE_FORBIDDEN,
};

struct mmreplay_options {
	unsigned int level;	/* at most; 0: the highest that the header allows */
	enum mmreplay_zeropage zeropage;
	bool no_values;		/* of reads */
};

struct mmreplay_report {
	unsigned int level;	/* that was compared at */
	bool zeropage;		/* the modelled kernel had one */
	unsigned int steps;	/* replayed, the differing one included */
	unsigned int difference;	/* the first step that differs, from 1; 0: none */
	char *text;		/* what differs, lines; NULL if nothing does */
};

/* One run of the engine, or two. The caller clears the report. */
void mmreplay(const struct mmtrace *trace, const struct mmreplay_options *options,
	      struct mmreplay_report *report) SIM(mmreplay);
void mmreplay_report_clear(struct mmreplay_report *report) SIM(mmreplay_report_clear);

/* The modelled version nearest to a release such as "6.1.0-18-amd64". */
enum kernel_version mmreplay_kernel(const char *release) SIM(mmreplay_kernel);

#endif
