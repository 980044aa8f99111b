/* SPDX-License-Identifier: GPL-2.0-only */
/* The world of scenarios that use one device with power management and FLR, and one without. */
#ifndef VFIOSIM_TESTS_NVME_AND_EDU_H
#define VFIOSIM_TESTS_NVME_AND_EDU_H

#include "machine.h"

#define FIRST_CAPABILITY 0x34

struct world {
	struct vfiosim_device *nvme, *edu;
	struct vfiosim_process *p;
	struct vfiosim_user user;
	int64_t address;
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc nvme = DEVICE_NVME, edu = DEVICE_EDU;
	struct world *w = data;

	w->nvme = vfiosim_plug(&nvme);
	w->edu = vfiosim_plug(&edu);
	vfiosim_bind(NULL, w->nvme, "vfio-pci");
	vfiosim_bind(NULL, w->edu, "vfio-pci");
	w->p = vfiosim_process("user");
}

static uint32_t read_config(struct world *w, unsigned int offset, int size)
{
	uint32_t value = 0;

	vfiosim_expect(vfiosim_pread(w->p, w->user.device, &value, size,
				     REGION(7) + offset) == size);
	return value;
}

/* Where the capability is in config space; 0: the device has none. */
static unsigned int capability(struct world *w, uint8_t id)
{
	unsigned int at = read_config(w, FIRST_CAPABILITY, 1);

	while (at && read_config(w, at, 1) != id)
		at = read_config(w, at + 1, 1);
	return at;
}

static void teardown(void *data)
{
	struct world *w = data;

	vfiosim_unbind(NULL, w->nvme);
	vfiosim_unbind(NULL, w->edu);
}

#endif
