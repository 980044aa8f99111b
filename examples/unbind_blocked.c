// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapping keeps a device from being unbound.
 *
 * All files are closed, but one page of a BAR is still mapped, and a mapping
 * holds its file. The administrator's write to "unbind" blocks, for minutes if
 * need be; the page can be touched all the while. It ends when the page is
 * unmapped, with nothing left of the device's inode.
 */
#include <linux/vfio.h>

#include "vfiosim.h"

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *alice;
	int64_t bar;
	bool unbound;
};

static void setup(void *data)
{
	struct world *w = data;
	struct vfiosim_user user;

	w->device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .bars = { { .size = 0x4000 } } });
	w->alice = vfiosim_process("alice");
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&user, w->alice, w->device) == 0);
	w->bar = vfiosim_bar_map(w->alice, user.device, 0);
	vfiosim_user_close(&user);
	vfiosim_munmap(w->alice, w->bar + 0x1000, 0x3000);
}

static void alice(void *data)
{
	struct world *w = data;

	vfiosim_sleep_ms(60 * 1000);
	vfiosim_say("after a minute: %s", w->unbound ? "unbound" : "still blocked");
	vfiosim_expect(!w->unbound);
	vfiosim_expect(vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_munmap(w->alice, w->bar, 0x1000) == 0);
}

static void admin(void *data)
{
	struct world *w = data;
	int ret = vfiosim_unbind(NULL, w->device);

	w->unbound = true;
	vfiosim_say("unbind: %s", vfiosim_error_name(ret));
	vfiosim_expect(ret == 0);
	vfiosim_expect(vfiosim_peek("pins", NULL) == 0);
}

static const struct vfiosim_scenario unbind_blocked = {
	.name = "unbind_blocked",
	.summary = "one mapped page holds up an unbind until it is unmapped",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "alice", alice }, { "admin", admin } },
};

VFIOSIM_PROGRAM(&unbind_blocked);
