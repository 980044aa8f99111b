/* SPDX-License-Identifier: GPL-2.0-only */
/* Taint: what the kernel remembers about dubious things that it was told to do. */
#ifndef VFIOSIM_KAPI_PANIC_H
#define VFIOSIM_KAPI_PANIC_H

#include <vfiosim/kapi/types.h>

#define TAINT_USER 6

enum lockdep_ok {
	LOCKDEP_STILL_OK,
	LOCKDEP_NOW_UNRELIABLE,
};

/* Context: any. Nothing takes a flag away again. */
void add_taint(unsigned int flag, enum lockdep_ok lockdep_ok) KAPI(add_taint);
/* A bit per flag. */
unsigned long get_taint(void) KAPI(get_taint);

#endif
