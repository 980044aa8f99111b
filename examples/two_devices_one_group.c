// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two functions that the IOMMU cannot tell apart: one group, two devices.
 *
 * Each has an inode of its own, so memory of one can be switched off without a
 * page of the other being lost. One of them can be unbound while the other is in
 * use: the unbind waits for its own files only, not for the group.
 */
#include <linux/vfio.h>

#include "vfiosim.h"

struct world {
	struct vfiosim_device *left, *right;
	struct vfiosim_process *alice;
};

static void setup(void *data)
{
	struct world *w = data;
	struct vfiosim_device_desc desc = { .group = 1, .bars = { { .size = 0x4000 } },
					    .design = VFIOSIM_ADDRESS_SPACE };

	desc.name = "0000:01:00.0";
	w->left = vfiosim_plug(&desc);
	desc.name = "0000:01:00.1";
	w->right = vfiosim_plug(&desc);
	w->alice = vfiosim_process("alice");
	vfiosim_expect(vfiosim_bind(NULL, w->left, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_bind(NULL, w->right, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_peek("pins", NULL) == 2);
}

static void alice(void *data)
{
	struct world *w = data;
	struct vfiosim_user user;
	int64_t bar, other_bar;
	int other;

	vfiosim_expect(vfiosim_user_open(&user, w->alice, w->left) == 0);
	other = vfiosim_ioctl(w->alice, user.group, VFIO_GROUP_GET_DEVICE_FD,
			      vfiosim_device_name(w->right));
	bar = vfiosim_bar_map(w->alice, user.device, 0);
	other_bar = vfiosim_bar_map(w->alice, other, 0);
	vfiosim_expect(vfiosim_load(w->alice, bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(w->alice, other_bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_memory_space(w->alice, other, false) == 0);
	vfiosim_expect(vfiosim_present(w->alice, bar));
	vfiosim_expect(!vfiosim_present(w->alice, other_bar));

	vfiosim_munmap(w->alice, other_bar, 0x4000);
	vfiosim_close(w->alice, other);
	vfiosim_expect(vfiosim_unbind(NULL, w->right) == 0);
	vfiosim_expect(vfiosim_peek("pins", NULL) == 1);
	vfiosim_expect(vfiosim_load(w->alice, bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_say("one unbound, the other in use");
	vfiosim_munmap(w->alice, bar, 0x4000);
	vfiosim_user_close(&user);
}

static const struct vfiosim_scenario two_devices_one_group = {
	.name = "two_devices_one_group",
	.summary = "devices of one group are zapped and unbound one by one",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "alice", alice } },
};

VFIOSIM_PROGRAM(&two_devices_one_group);
