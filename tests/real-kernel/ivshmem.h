/* SPDX-License-Identifier: GPL-2.0-only */
/* The world of scenarios that have one device, opened by one process. */
#ifndef VFIOSIM_TESTS_IVSHMEM_H
#define VFIOSIM_TESTS_IVSHMEM_H

#include "machine.h"

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *p;
	struct vfiosim_user user;
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc ivshmem = DEVICE_IVSHMEM;
	struct world *w = data;

	w->device = vfiosim_plug(&ivshmem);
	vfiosim_bind(NULL, w->device, "vfio-pci");
	w->p = vfiosim_process("user");
	vfiosim_expect(vfiosim_user_open(&w->user, w->p, w->device) == 0);
}

static void teardown(void *data)
{
	struct world *w = data;

	vfiosim_unbind(NULL, w->device);
}

#endif
