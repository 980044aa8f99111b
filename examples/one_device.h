/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where most examples begin: one device with one BAR of four pages, bound to
 * vfio-pci, and alice, who may have opened and mapped it. A fixture of one's own
 * begins with a struct one_device; these are the setup callbacks for it.
 */
#ifndef VFIOSIM_EXAMPLES_ONE_DEVICE_H
#define VFIOSIM_EXAMPLES_ONE_DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/mman.h>

#include "vfiosim.h"

#define PAGE 0x1000
#define BAR_SIZE (4 * PAGE)

struct one_device {
	struct vfiosim_device *device;
	struct vfiosim_process *alice;
	struct vfiosim_user user;	/* from setup_mapped() on, as the next */
	int64_t bar;
};

/* Devices of one @group, if it is not 0, share an IOMMU group. */
static inline struct vfiosim_device *plugged_device(const char *name, unsigned int group)
{
	return vfiosim_plug(&(struct vfiosim_device_desc){
		.name = name, .group = group, .bars = { { .size = BAR_SIZE } } });
}

static inline struct vfiosim_device *bound_device(const char *name, unsigned int group)
{
	struct vfiosim_device *device = plugged_device(name, group);

	vfiosim_expect(vfiosim_bind(NULL, device, "vfio-pci") == 0);
	return device;
}

static inline void setup_bound(void *data)
{
	struct one_device *w = data;

	w->device = bound_device("0000:01:00.0", 1);
	w->alice = vfiosim_process("alice");
}

static inline void open_and_map(struct one_device *w)
{
	vfiosim_expect(vfiosim_user_open(&w->user, w->alice, w->device) == 0);
	w->bar = vfiosim_bar_map(w->alice, w->user.device, 0);
	vfiosim_expect(w->bar > 0);
}

static inline void setup_mapped(void *data)
{
	setup_bound(data);
	open_and_map(data);
}

/* One more file of @device through @group. */
static inline int open_device(struct vfiosim_process *process, int group,
			      struct vfiosim_device *device)
{
	return vfiosim_ioctl(process, group, VFIO_GROUP_GET_DEVICE_FD,
			     vfiosim_device_name(device));
}

#endif
