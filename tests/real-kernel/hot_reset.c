// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two devices on one bus, in one group: what a hot reset wants to see, and what it
 * does to the mappings of both. docs/observed/real-kernel-vfio.md, 7 and 9.
 */
#include "machine.h"

struct world {
	struct vfiosim_device *card, *edu;
	struct vfiosim_process *p;
	struct vfiosim_user user;
	int second;
	int64_t address, other;
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc card = DEVICE_BUS_CARD, edu = DEVICE_BUS_EDU;
	struct world *w = data;

	w->card = vfiosim_plug(&card);
	w->edu = vfiosim_plug(&edu);
	vfiosim_bind(NULL, w->edu, "vfio-pci");
	w->p = vfiosim_process("user");
}

static void hot_reset(struct world *w, const char *what, int fd)
{
	struct {
		struct vfio_pci_hot_reset head;
		int fd;
	} arg = { { .argsz = sizeof(arg), .count = 1 }, fd };

	vfiosim_load(w->p, w->address, NULL);
	if (w->other > 0)
		vfiosim_load(w->p, w->other, NULL);
	say(what, vfiosim_ioctl(w->p, w->user.device, VFIO_DEVICE_PCI_HOT_RESET, &arg));
	vfiosim_say("  still mapped %d", vfiosim_present(w->p, w->address));
	say_touch("  touch", w->p, w->address);
	if (w->other <= 0)
		return;
	vfiosim_say("  the other still mapped %d", vfiosim_present(w->p, w->other));
	say_touch("  touch of the other", w->p, w->other);
}

static void info(struct world *w)
{
	struct {
		struct vfio_pci_hot_reset_info head;
		struct vfio_pci_dependent_device devices[8];
	} arg = { { .argsz = sizeof(arg.head) } };

	say("info, no room", vfiosim_ioctl(w->p, w->user.device,
					   VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &arg));
	vfiosim_say("  count %u", arg.head.count);
	arg.head.argsz = sizeof(arg);
	say("info", vfiosim_ioctl(w->p, w->user.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
				  &arg));
	vfiosim_say("  count %u, one group %d, one bus %d", arg.head.count,
		    arg.devices[0].group_id == arg.devices[1].group_id,
		    arg.devices[0].bus == arg.devices[1].bus);
}

static void user(void *data)
{
	struct world *w = data;

	/* It may have come with a driver of the host's. */
	vfiosim_unbind(NULL, w->card);
	vfiosim_expect(vfiosim_user_open(&w->user, w->p, w->edu) == 0);
	w->address = vfiosim_bar_map(w->p, w->user.device, 0);
	hot_reset(w, "neighbour without a driver", w->user.group);
	vfiosim_bind(NULL, w->card, "vfio-pci");
	hot_reset(w, "neighbour with vfio-pci, not open", w->user.group);
	w->second = vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_GET_DEVICE_FD,
				  vfiosim_device_name(w->card));
	w->other = vfiosim_bar_map(w->p, w->second, 0);
	info(w);
	hot_reset(w, "both open", w->user.group);
	hot_reset(w, "a container's file", w->user.container);
	hot_reset(w, "a device's file", w->second);
	hot_reset(w, "no file", 999);
	vfiosim_memory_space(w->p, w->second, false);
	hot_reset(w, "memory of the other off", w->user.group);
	vfiosim_exit(w->p);
}

static void teardown(void *data)
{
	struct world *w = data;

	vfiosim_unbind(NULL, w->edu);
	vfiosim_unbind(NULL, w->card);
}

static const struct vfiosim_scenario hot_reset_scenario = {
	.name = "hot_reset",
	.summary = "a hot reset of a bus with two devices",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&hot_reset_scenario);
