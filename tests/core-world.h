/* SPDX-License-Identifier: GPL-2.0-only */
/* What host-side tests need of core-driver.h, without the kernel's names. */
#ifndef VFIOSIM_TESTS_CORE_WORLD_H
#define VFIOSIM_TESTS_CORE_WORLD_H

#include <stdbool.h>

/* The symbols are those of core-driver.h. */
void core_setup(void) __asm__("vfiosim_core_setup");
void core_teardown(void) __asm__("vfiosim_core_teardown");
bool core_is_flushing(void) __asm__("vfiosim_core_is_flushing");
extern const unsigned int core_settling __asm__("vfiosim_core_settling");

#endif
