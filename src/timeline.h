/* SPDX-License-Identifier: GPL-2.0-only */
/* A traced run as a picture: one column for each process, task and worker. */
#ifndef VFIOSIM_TIMELINE_H
#define VFIOSIM_TIMELINE_H

#include <stdio.h>

#include <vfiosim/kapi/types.h>

/*
 * Prints the events of the last traced run to @stream, in columns narrow enough
 * for lines of @width (0: as wide as they like). See docs/trace.md.
 */
void timeline_print(FILE *stream, unsigned int width) SIM(timeline_print);

/* "VFIO_GROUP_SET_CONTAINER" for its number, or NULL. */
const char *ioctl_name(unsigned int request) SIM(ioctl_name);

#endif
