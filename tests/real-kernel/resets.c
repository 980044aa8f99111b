// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets of one function: by ioctl, through its capability, by sysfs, with memory
 * on and off. docs/observed/real-kernel-vfio.md, 7.
 */
#include "nvme_and_edu.h"

#define COMMAND 4
#define PCI_EXPRESS 0x10
#define DEVICE_CONTROL 8
#define INITIATE_FLR 0x8000

static void write_config(struct world *w, unsigned int offset, uint32_t value, int size)
{
	say("  config write", vfiosim_pwrite(w->p, w->user.device, &value, size,
					     REGION(7) + offset));
}

static void ioctl_reset(struct world *w)
{
	say("  reset", vfiosim_ioctl(w->p, w->user.device, VFIO_DEVICE_RESET, 0));
}

static void flr(struct world *w)
{
	unsigned int control = capability(w, PCI_EXPRESS) + DEVICE_CONTROL;

	write_config(w, control, read_config(w, control, 2) | INITIATE_FLR, 2);
	vfiosim_say("  the bit reads back: %d", !!(read_config(w, control, 2) & INITIATE_FLR));
}

static void sysfs_reset(struct world *w)
{
	say_ok("  sysfs", vfiosim_sysfs_reset(NULL, w->nvme));
}

/* A hot reset wants group files; this is none. */
static void wrong_file(struct world *w)
{
	struct {
		struct vfio_pci_hot_reset head;
		int fd;
	} arg = { { .argsz = sizeof(arg), .count = 1 }, w->user.container };

	say("  hot reset", vfiosim_ioctl(w->p, w->user.device, VFIO_DEVICE_PCI_HOT_RESET, &arg));
}

/* The page is there, then @act, then: is it still there, and what does a touch find? */
static void attempt(struct world *w, const char *what, void (*act)(struct world *w))
{
	bool there;

	vfiosim_say("%s", what);
	vfiosim_load(w->p, w->address, NULL);
	act(w);
	there = vfiosim_present(w->p, w->address);
	vfiosim_say("  still mapped %d, memory on %d, touch %s", there,
		    !!(read_config(w, COMMAND, 2) & 2),
		    vfiosim_touch_name(vfiosim_load(w->p, w->address, NULL)));
}

static void use(struct world *w, struct vfiosim_device *device)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	vfiosim_expect(vfiosim_user_open(&w->user, w->p, device) == 0);
	vfiosim_ioctl(w->p, w->user.device, VFIO_DEVICE_GET_INFO, &info);
	vfiosim_say("flags %u", info.flags);
	w->address = vfiosim_bar_map(w->p, w->user.device, 0);
	vfiosim_expect(w->address > 0);
}

static void user(void *data)
{
	struct world *w = data;

	use(w, w->edu);
	attempt(w, "DEVICE_RESET of a device without reset", ioctl_reset);
	vfiosim_munmap(w->p, w->address, MIB(1));
	vfiosim_user_close(&w->user);

	use(w, w->nvme);
	attempt(w, "DEVICE_RESET", ioctl_reset);
	attempt(w, "FLR through the capability", flr);
	attempt(w, "reset by sysfs", sysfs_reset);
	attempt(w, "hot reset with a container's file", wrong_file);
	vfiosim_memory_space(w->p, w->user.device, false);
	attempt(w, "DEVICE_RESET, memory off", ioctl_reset);
	attempt(w, "FLR, memory off", flr);
	vfiosim_memory_space(w->p, w->user.device, true);
	say_touch("memory on again, touch", w->p, w->address);
	vfiosim_exit(w->p);
}

static const struct vfiosim_scenario resets = {
	.name = "resets",
	.summary = "resets of one function, with memory on and off",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&resets);
