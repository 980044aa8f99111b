// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two functions that the IOMMU cannot tell apart: one group, two devices.
 *
 * Each has an inode of its own, so memory of one can be switched off without a
 * page of the other being lost. One of them can be unbound while the other is in
 * use: the unbind waits for its own files only, not for the group.
 */
#include "one_device.h"

struct world {
	struct one_device one;
	struct vfiosim_device *other;
};

static void setup(void *data)
{
	struct world *w = data;

	w->other = plugged_device("0000:01:00.1", 1);
	setup_bound(&w->one);
	vfiosim_expect(vfiosim_bind(NULL, w->other, "vfio-pci") == 0);
	vfiosim_expect_peek("pins", NULL, 2);
	open_and_map(&w->one);
}

static void alice(void *data)
{
	struct world *w = data;
	struct vfiosim_process *me = w->one.alice;
	int file = open_device(me, w->one.user.group, w->other);
	int64_t bar = w->one.bar, other_bar = vfiosim_bar_map(me, file, 0);

	vfiosim_expect(vfiosim_load(me, bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(me, other_bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_memory_space(me, file, false) == 0);
	vfiosim_expect(vfiosim_present(me, bar) && !vfiosim_present(me, other_bar));

	vfiosim_munmap(me, other_bar, vfiosim_bar_size(me, file, 0));
	vfiosim_close(me, file);
	vfiosim_expect(vfiosim_unbind(NULL, w->other) == 0);
	vfiosim_expect_peek("pins", NULL, 1);
	vfiosim_expect(vfiosim_load(me, bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_say("one unbound, the other in use");
	vfiosim_munmap(me, bar, BAR_SIZE);
	vfiosim_user_close(&w->one.user);
}

static const struct vfiosim_scenario two_devices_one_group = {
	.name = "two_devices_one_group",
	.summary = "devices of one group are zapped and unbound one by one",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "alice", alice } },
};

VFIOSIM_PROGRAM(&two_devices_one_group);
