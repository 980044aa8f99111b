/* SPDX-License-Identifier: GPL-2.0-only */
/* The real machine's devices, and which of them stands for a scenario's. */
#ifndef VFIOSIM_HOST_MACHINE_H
#define VFIOSIM_HOST_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "vfiosim.h"

struct real_device {
	char name[16];			/* "0000:00:04.0" */
	int group;			/* IOMMU group */
	uint64_t bar_size[6];
	bool bar_is_io[6];
	bool can_reset;
	char driver[32];		/* its host driver at start, or "" */
	bool taken;
	unsigned int scenario_group;	/* desc->group of who took it; 0: alone */
};

/* Reads the inventory from sysfs, once. */
void machine_read(void);

/* Whose behaviour this machine's kernel has: the newest that is not newer than it. */
enum vfiosim_kernel machine_kernel(void);

/*
 * The device that can play the part of @desc: its BARs are as large as asked for,
 * or larger if none fits exactly; devices of one scenario group share one, others
 * do not. @shares: another device of the scenario has the same group number.
 * NULL if the machine has none left.
 */
struct real_device *machine_take(const struct vfiosim_device_desc *desc, bool shares);

/* All devices are free again. */
void machine_give_back(void);

/* The name of @device's current driver into @buffer, "" for none. */
void machine_driver(const struct real_device *device, char *buffer, int size);

#endif
