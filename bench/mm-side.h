/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations that bench/mm times, on the live kernel and in the model. */
#ifndef BENCH_MM_SIDE_H
#define BENCH_MM_SIDE_H

#include <stdbool.h>
#include <stddef.h>

struct side {
	const char *name;
	/* A new file of @pages as the one that is mapped; the one before is gone. */
	void (*file)(unsigned long pages);
	/* Shared, readable and writable, at a fixed address. */
	void (*map)(unsigned long addr, unsigned long pages, unsigned long pgoff);
	void (*unmap)(unsigned long addr, unsigned long pages);
	void (*protect)(unsigned long addr, unsigned long pages, bool write);
	void (*move)(unsigned long addr, unsigned long pages, unsigned long to);
	void (*store)(unsigned long addr);
	void (*drop)(unsigned long addr, unsigned long pages);	/* the entries, not the data */
	void (*punch)(unsigned long pgoff);
	void (*fork)(void);		/* timed */
	void (*end_child)(void);	/* not timed */
	void (*call)(void);		/* a system call that does nothing; NULL: none */
};

extern const struct side live_side;
extern const struct side model_side;

/* Runs @body in the model, as a run of its own; false if the run failed. */
bool in_model(void (*body)(void *data), void *data);
/* Bytes that the model's heap has taken so far, headers and slack included. */
size_t model_bytes(void);

#endif
