// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group moves from one container to another.
 *
 * It cannot while a device file is open (EBUSY). Once it is out, the old
 * container has no IOMMU any more, since this was its last group; and in the new
 * one no device can be opened until an IOMMU has been chosen there (EINVAL).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>

#include "vfiosim.h"

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *alice;
};

static void setup(void *data)
{
	struct world *w = data;

	w->device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .bars = { { .size = 0x4000 } } });
	w->alice = vfiosim_process("alice");
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
}

static void expect(const char *what, long result, long error)
{
	vfiosim_say("%s: %s", what, vfiosim_error_name(result < 0 ? result : 0));
	vfiosim_expect(result < 0 ? result == error : error == 0);
}

static void alice(void *data)
{
	struct world *w = data;
	const char *name = vfiosim_device_name(w->device);
	struct vfiosim_process *me = w->alice;
	struct vfiosim_user user;
	int second;

	vfiosim_expect(vfiosim_user_open(&user, me, w->device) == 0);
	second = vfiosim_open(me, "/dev/vfio/vfio", O_RDWR);
	expect("leave with a device open",
	       vfiosim_ioctl(me, user.group, VFIO_GROUP_UNSET_CONTAINER, 0), -EBUSY);
	vfiosim_close(me, user.device);
	expect("leave", vfiosim_ioctl(me, user.group, VFIO_GROUP_UNSET_CONTAINER, 0), 0);
	expect("set the IOMMU of an empty container",
	       vfiosim_ioctl(me, user.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), -EINVAL);
	expect("enter the other one",
	       vfiosim_ioctl(me, user.group, VFIO_GROUP_SET_CONTAINER, &second), 0);
	user.device = vfiosim_ioctl(me, user.group, VFIO_GROUP_GET_DEVICE_FD, name);
	expect("open the device without an IOMMU", user.device, -EINVAL);
	expect("set the IOMMU",
	       vfiosim_ioctl(me, second, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), 0);
	user.device = vfiosim_ioctl(me, user.group, VFIO_GROUP_GET_DEVICE_FD, name);
	expect("open the device", user.device, 0);
	vfiosim_user_close(&user);
	vfiosim_close(me, second);
}

static const struct vfiosim_scenario container_switch = {
	.name = "container_switch",
	.summary = "a group leaves one container and joins another",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "alice", alice } },
};

VFIOSIM_PROGRAM(&container_switch);
