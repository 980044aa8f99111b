// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container, group, device file and mapping, closed in all 24 orders. After each
 * step: can the group be opened again, does the device still answer, and who
 * holds the modules. docs/observed/real-kernel-vfio.md, 3 and 4.
 */
#include "machine.h"

enum thing { CONTAINER, GROUP, DEVICE, MAPPING, THINGS };

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *p;
	struct vfiosim_user user;
	int64_t address;
	bool open[THINGS];
	char path[VFIOSIM_PATH_MAX];
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc edu = DEVICE_EDU;
	struct world *w = data;

	w->device = vfiosim_plug(&edu);
	vfiosim_bind(NULL, w->device, "vfio-pci");
	w->p = vfiosim_process("user");
}

static void end(struct world *w, enum thing thing)
{
	switch (thing) {
	case CONTAINER:
		vfiosim_close(w->p, w->user.container);
		break;
	case GROUP:
		vfiosim_close(w->p, w->user.group);
		break;
	case DEVICE:
		vfiosim_close(w->p, w->user.device);
		break;
	default:
		vfiosim_munmap(w->p, w->address, MIB(1));
	}
	w->open[thing] = false;
}

/* Opening the group again ends what the attempt itself makes. */
static const char *reopen(struct world *w)
{
	int fd = vfiosim_open(w->p, w->path, O_RDWR);

	if (fd < 0)
		return vfiosim_error_name(fd);
	vfiosim_close(w->p, fd);
	return "ok";
}

static void look(struct world *w, const char *step)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_group_status status = { .argsz = sizeof(status) };
	const char *touch = "-";
	long device = -1, group = -1;

	if (w->open[DEVICE])
		device = vfiosim_ioctl(w->p, w->user.device, VFIO_DEVICE_GET_INFO, &info);
	if (w->open[GROUP])
		group = vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_GET_STATUS, &status);
	if (w->open[MAPPING])
		touch = vfiosim_touch_name(vfiosim_load(w->p, w->address, NULL));
	vfiosim_say("  %s: reopen %s, device %s, group %s flags %u, touch %s, type1 refs %d", step,
		    reopen(w), w->open[DEVICE] ? vfiosim_error_name(device) : "-",
		    w->open[GROUP] ? vfiosim_error_name(group) : "-", status.flags,
		    touch, vfiosim_module_refs("vfio_iommu_type1"));
}

static void one_order(struct world *w, const enum thing order[THINGS])
{
	static const char *const names[THINGS] = { "container", "group", "device", "mapping" };

	vfiosim_say("%s, %s, %s, %s", names[order[0]], names[order[1]], names[order[2]],
		    names[order[3]]);
	vfiosim_user_open(&w->user, w->p, w->device);
	w->address = vfiosim_bar_map(w->p, w->user.device, 0);
	for (int i = 0; i < THINGS; i++)
		w->open[i] = true;
	for (int i = 0; i < THINGS; i++) {
		end(w, order[i]);
		look(w, names[order[i]]);
	}
}

static void user(void *data)
{
	struct world *w = data;

	vfiosim_group_path(w->device, w->path);
	for (int code = 0; code < 256; code++) {
		enum thing order[THINGS] = { code >> 6, code >> 4 & 3, code >> 2 & 3, code & 3 };
		unsigned int seen = 0;

		for (int i = 0; i < THINGS; i++)
			seen |= 1U << order[i];
		if (seen == 15)
			one_order(w, order);
	}
	vfiosim_exit(w->p);
}

static void teardown(void *data)
{
	struct world *w = data;

	vfiosim_unbind(NULL, w->device);
}

static const struct vfiosim_scenario close_orders_all = {
	.name = "close_orders_all",
	.summary = "container, group, device and mapping end in all 24 orders",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&close_orders_all);
