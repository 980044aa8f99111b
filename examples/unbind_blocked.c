// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapping keeps a device from being unbound.
 *
 * All files are closed, but one page of a BAR is still mapped, and a mapping
 * holds its file. The administrator's write to "unbind" blocks, for minutes if
 * need be; the page can be touched all the while. It ends when the page is
 * unmapped, with nothing left of the device's inode.
 */
#include "one_device.h"

struct world {
	struct one_device one;
	bool unbound;
};

static void setup(void *data)
{
	struct one_device *w = data;

	setup_mapped(w);
	vfiosim_user_close(&w->user);
	vfiosim_munmap(w->alice, w->bar + PAGE, BAR_SIZE - PAGE);
}

static void alice(void *data)
{
	struct world *w = data;

	vfiosim_sleep_ms(60 * 1000);
	vfiosim_say("after a minute: %s", w->unbound ? "unbound" : "still blocked");
	vfiosim_expect(!w->unbound);
	vfiosim_expect(vfiosim_load(w->one.alice, w->one.bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_munmap(w->one.alice, w->one.bar, PAGE) == 0);
}

static void admin(void *data)
{
	struct world *w = data;
	int ret = vfiosim_unbind(NULL, w->one.device);

	w->unbound = true;
	vfiosim_say("unbind: %s", vfiosim_error_name(ret));
	vfiosim_expect(ret == 0);
	vfiosim_expect_peek("pins", NULL, 0);
}

static const struct vfiosim_scenario unbind_blocked = {
	.name = "unbind_blocked",
	.summary = "one mapped page holds up an unbind until it is unmapped",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "alice", alice }, { "admin", admin } },
};

VFIOSIM_PROGRAM(&unbind_blocked);
