// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a device is switched off: nobody may reach its registers any more.
 *
 * Alice has mapped the BAR through two files, one closed since; bob is her child.
 * The write to the command register finds all these mappings through the inode
 * that the device's files share, and leaves the other device's alone.
 */
#include "one_device.h"

struct world {
	struct one_device nic;
	int64_t second, disk_bar;
	struct vfiosim_process *bob;
};

static void setup(void *data)
{
	struct world *w = data;
	struct vfiosim_process *alice;
	struct vfiosim_user disk;
	int again;

	setup_mapped(&w->nic);
	alice = w->nic.alice;
	vfiosim_expect(vfiosim_user_open(&disk, alice, bound_device("0000:02:00.0", 2)) == 0);
	w->disk_bar = vfiosim_bar_map(alice, disk.device, 0);
	again = open_device(alice, w->nic.user.group, w->nic.device);
	w->second = vfiosim_bar_map(alice, again, 0);
	vfiosim_close(alice, again);
	w->bob = vfiosim_fork(alice, "bob");
}

static void everybody_touches(struct world *w, enum vfiosim_touch nic)
{
	vfiosim_expect(vfiosim_load(w->nic.alice, w->nic.bar, NULL) == nic);
	vfiosim_expect(vfiosim_load(w->nic.alice, w->second, NULL) == nic);
	vfiosim_expect(vfiosim_load(w->bob, w->nic.bar, NULL) == nic);
	vfiosim_expect(vfiosim_load(w->bob, w->disk_bar, NULL) == VFIOSIM_TOUCH_OK);
}

static void bob(void *data)
{
	struct world *w = data;

	everybody_touches(w, VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_memory_space(w->bob, w->nic.user.device, false) == 0);
	everybody_touches(w, VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_memory_space(w->bob, w->nic.user.device, true) == 0);
	everybody_touches(w, VFIOSIM_TOUCH_OK);
}

static const struct vfiosim_scenario zap_everyone = {
	.name = "zap_everyone",
	.summary = "memory off: every mapping of the device is emptied, no other",
	.kernel = VFIOSIM_KERNEL_6_12, .core = "merged",
	.fixture_size = sizeof(struct world), .setup = setup, .tasks = { { "bob", bob } },
};

VFIOSIM_PROGRAM(&zap_everyone);
