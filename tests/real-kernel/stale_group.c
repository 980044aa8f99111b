// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group file, with and without a container, whose last device has been unbound
 * and perhaps bound again. docs/observed/real-kernel-vfio.md, 8. (5.14's unbind
 * would wait for the container for ever.)
 */
#include "machine.h"

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *p;
	struct vfiosim_user user;
	char path[VFIOSIM_PATH_MAX];
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc edu = DEVICE_EDU;
	struct world *w = data;

	w->device = vfiosim_plug(&edu);
	w->p = vfiosim_process("user");
}

static void try_all(struct world *w)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	say("  status", vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_GET_STATUS, &status));
	say("  device", vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_GET_DEVICE_FD,
				      vfiosim_device_name(w->device)));
	say("  unset", vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	say("  set", vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_SET_CONTAINER,
				   &w->user.container));
	say("  iommu", vfiosim_ioctl(w->p, w->user.container, VFIO_SET_IOMMU,
				     VFIO_TYPE1v2_IOMMU));
}

static void one_case(struct world *w, const char *what, bool attached)
{
	int fresh;

	vfiosim_say("%s", what);
	say("  bind", vfiosim_bind(NULL, w->device, "vfio-pci"));
	vfiosim_expect(vfiosim_user_open(&w->user, w->p, w->device) == 0);
	vfiosim_close(w->p, w->user.device);
	w->user.device = -1;
	if (!attached)
		vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_UNSET_CONTAINER, 0);
	say(" unbind", vfiosim_unbind(NULL, w->device));
	vfiosim_group_path(w->device, w->path);
	say_ok("  the node", vfiosim_open(w->p, w->path, O_RDWR));
	try_all(w);
	say(" bind again", vfiosim_bind(NULL, w->device, "vfio-pci"));
	try_all(w);
	fresh = say_ok("  the node", vfiosim_open(w->p, w->path, O_RDWR));
	vfiosim_close(w->p, fresh);
	vfiosim_user_close(&w->user);
	say(" closed; unbind", vfiosim_unbind(NULL, w->device));
}

static void user(void *data)
{
	struct world *w = data;

	one_case(w, "group file alone", false);
	one_case(w, "group file with a container", true);
	vfiosim_exit(w->p);
}

static const struct vfiosim_scenario stale_group = {
	.name = "stale_group",
	.summary = "a group file outlives the last device of its group",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&stale_group);
