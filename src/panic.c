// SPDX-License-Identifier: GPL-2.0-only
/*
 * The taint flags. Follows kernel/panic.c; a set that only grows, no locks. Of
 * no consequence in the model but to those who ask.
 */
#include <vfiosim/kapi/panic.h>

#include "engine.h"

static KSTATE unsigned long tainted_mask;

void add_taint(unsigned int flag, enum lockdep_ok lockdep_ok)
{
	eng_event("taint", NULL, "flag %u", flag);
	tainted_mask |= 1UL << flag;
}

unsigned long get_taint(void)
{
	return tainted_mask;
}
