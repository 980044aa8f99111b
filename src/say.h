/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the result lines of vfiosim_say() go. */
#ifndef VFIOSIM_SAY_H
#define VFIOSIM_SAY_H

#include <stdio.h>

#include <vfiosim/kapi/types.h>

/* NULL: nowhere, which is how it is while runs are explored. */
void say_to(FILE *stream) SIM(say_to);

#endif
