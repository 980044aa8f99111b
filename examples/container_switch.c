// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group moves from one container to another.
 *
 * It cannot while a device file is open (EBUSY). Once it is out, the old
 * container has no IOMMU any more, since this was its last group; and in the new
 * one no device can be opened until an IOMMU has been chosen there (EINVAL).
 */
#include "one_device.h"

static void expect(const char *what, long result, long error)
{
	vfiosim_say("%s: %s", what, vfiosim_error_name(result < 0 ? result : 0));
	vfiosim_expect(result < 0 ? result == error : error == 0);
}

static void alice(void *data)
{
	struct one_device *w = data;
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
	expect("open the device without an IOMMU",
	       open_device(me, user.group, w->device), -EINVAL);
	expect("set the IOMMU",
	       vfiosim_ioctl(me, second, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), 0);
	user.device = open_device(me, user.group, w->device);
	expect("open the device", user.device, 0);
	vfiosim_user_close(&user);
	vfiosim_close(me, second);
}

static const struct vfiosim_scenario container_switch = {
	.name = "container_switch",
	.summary = "a group leaves one container and joins another",
	.fixture_size = sizeof(struct one_device),
	.setup = setup_bound,
	.tasks = { { "alice", alice } },
};

VFIOSIM_PROGRAM(&container_switch);
