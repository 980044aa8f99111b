/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel-side state that is not on the heap: our own section vfiosim_kstate, and
 * the writable data of cores that were loaded from files. All of it returns to
 * its boot image before each run, and is part of snapshots.
 */
#ifndef VFIOSIM_STATICS_H
#define VFIOSIM_STATICS_H

#include <vfiosim/kapi/types.h>

/*
 * statics_add() (kapi/types.h) adds [@start, @start + @size), as it is now, to what is
 * reset. Between runs only. What is inside of a range that is known is known; a range
 * takes the place of those inside of it.
 */
void statics_reset(void) SIM(statics_reset);
/*
 * Whoever lets kernel-side code run sets this. From a statics_hash() until then it is known
 * which lines differ from the boot image, and only these are saved and restored.
 */
extern bool statics_written SIM(statics_written);
/* How much statics_save() would write now. */
size_t statics_size(void) SIM(statics_size);
/* Return: the end of what was written or read. */
char *statics_save(char *to) SIM(statics_save);
const char *statics_restore(const char *from) SIM(statics_restore);
/* The @n-th range; false when there are no more. */
bool statics_range(unsigned int n, const void **start, size_t *size) SIM(statics_range);
/* @hash, and with it all that differs from the boot image. */
u64 statics_hash(u64 hash) SIM(statics_hash);
/* A number for @address that is the same in every process, or -1 if it is not one of ours. */
long statics_offset(const void *address) SIM(statics_offset);

#endif
