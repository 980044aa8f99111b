/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plain accesses: kernel-side code that was compiled with -fsanitize=thread
 * calls the functions of tsan.c (and not libtsan's) at each load and store.
 *
 * A race is two accesses to the same bytes by two tasks, one of them a write,
 * not both of them marked (READ_ONCE, WRITE_ONCE), and neither ordered before
 * the other by what the tasks did to locks, references, completions and so on.
 */
#ifndef VFIOSIM_TSAN_H
#define VFIOSIM_TSAN_H

#include "engine.h"

/* Plain accesses of this run are looked at. */
extern bool tsan_watching SIM(tsan_watching);
/* Callbacks of the scenario (check) are not part of the run. */
extern unsigned int tsan_paused SIM(tsan_paused);

/* Is there any instrumented code in this program? */
bool tsan_present(void) SIM(tsan_present);
/*
 * A run begins: forget all accesses. @watch: report races; @points: each plain
 * access is a choice point.
 */
void tsan_begin(bool watch, bool points) SIM(tsan_begin);
/* The current task carries out @op on @object. */
void tsan_sync(enum eng_op op, const void *object) SIM(tsan_sync);

#endif
