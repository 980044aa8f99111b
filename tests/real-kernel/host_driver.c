// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group that a driver of the host's has a device in: who may own it, and when.
 * docs/observed/real-kernel-vfio.md, 9. (5.14 stops the machine where a driver of
 * the host's is bound to a group in use.)
 */
#include "machine.h"

struct world {
	struct vfiosim_device *card, *edu;
	struct vfiosim_process *p;
	struct vfiosim_user user;
	char path[VFIOSIM_PATH_MAX];
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc card = DEVICE_BUS_CARD, edu = DEVICE_BUS_EDU;
	struct world *w = data;

	w->card = vfiosim_plug(&card);
	w->edu = vfiosim_plug(&edu);
	w->p = vfiosim_process("user");
	/* It may have come with its driver. */
	vfiosim_unbind(NULL, w->card);
}

static void say_status(struct world *w)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	long ret = vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_GET_STATUS, &status);

	vfiosim_say("  status %s flags %u", vfiosim_error_name(ret), status.flags);
}

static void attach(struct world *w)
{
	say("  set container", vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_SET_CONTAINER,
					     &w->user.container));
	say("  set iommu", vfiosim_ioctl(w->p, w->user.container, VFIO_SET_IOMMU,
					 VFIO_TYPE1v2_IOMMU));
	say_status(w);
	w->user.device = say_ok("  device", vfiosim_ioctl(w->p, w->user.group,
							  VFIO_GROUP_GET_DEVICE_FD,
							  vfiosim_device_name(w->edu)));
}

static void open_files(struct world *w)
{
	w->user = (struct vfiosim_user){ w->p, -1, -1, -1 };
	w->user.container = vfiosim_open(w->p, "/dev/vfio/vfio", O_RDWR);
	w->user.group = say_ok("  group", vfiosim_open(w->p, vfiosim_group_path(w->edu, w->path),
						       O_RDWR));
	say_status(w);
}

static void owned_by_the_host(struct world *w)
{
	say("card with the host's driver", vfiosim_bind(NULL, w->card, "host"));
	say("bind the other to vfio-pci", vfiosim_bind(NULL, w->edu, "vfio-pci"));
	open_files(w);
	attach(w);
	vfiosim_user_close(&w->user);
}

static void owned_by_vfio(struct world *w)
{
	say("card without a driver", vfiosim_unbind(NULL, w->card));
	open_files(w);
	attach(w);
	say("bind the card to the host's driver", vfiosim_bind(NULL, w->card, "host"));
	say_status(w);
	vfiosim_close(w->p, w->user.device);
	w->user.device = -1;
	say("the same, no device open", vfiosim_bind(NULL, w->card, "host"));
	vfiosim_close(w->p, w->user.group);
	w->user.group = -1;
	say("the same, group closed", vfiosim_bind(NULL, w->card, "host"));
	vfiosim_user_close(&w->user);
}

static void last_device_leaves(struct world *w)
{
	vfiosim_unbind(NULL, w->card);
	vfiosim_say("the last vfio device leaves while the group file is open");
	open_files(w);
	say("unbind", vfiosim_unbind(NULL, w->edu));
	say_ok("  the node", vfiosim_open(w->p, w->path, O_RDWR));
	say_status(w);
	say("bind the card to the host's driver", vfiosim_bind(NULL, w->card, "host"));
	vfiosim_user_close(&w->user);
}

static void user(void *data)
{
	struct world *w = data;

	owned_by_the_host(w);
	owned_by_vfio(w);
	last_device_leaves(w);
	vfiosim_exit(w->p);
	vfiosim_unbind(NULL, w->card);
}

static const struct vfiosim_scenario host_driver = {
	.name = "host_driver",
	.summary = "a driver of the host's and vfio want devices of one group",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&host_driver);
