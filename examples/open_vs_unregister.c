// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program opens a device while its administrator unbinds it.
 *
 * Whoever comes first wins, and nobody is hurt: either the open finds no such
 * device any more, or it gets a file, and then the unbind waits until that file
 * and the group are closed again. In no order may the open return a file of a
 * device that is gone.
 */
#include "vfiosim.h"

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *alice;
};

static void setup(void *data)
{
	struct world *w = data;

	w->device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .bars = { { .size = 0x4000 } } });
	w->alice = vfiosim_process("alice");
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
}

static void alice(void *data)
{
	struct world *w = data;
	struct vfiosim_user user;

	if (vfiosim_user_open(&user, w->alice, w->device) < 0)
		return;
	/* Whatever the administrator is at by now: this file is good until closed. */
	vfiosim_expect(vfiosim_bar_size(w->alice, user.device, 0) == 0x4000);
	vfiosim_user_close(&user);
}

static void admin(void *data)
{
	struct world *w = data;

	vfiosim_expect(vfiosim_unbind(NULL, w->device) == 0);
}

static void nothing_left(void *data)
{
	vfiosim_expect(vfiosim_peek("pins", NULL) == 0);
	vfiosim_expect(vfiosim_peek("superblocks", NULL) == 0);
}

static const struct vfiosim_scenario open_vs_unregister = {
	.name = "open_vs_unregister",
	.summary = "a device is opened while it is unbound: refused, or waited for",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = nothing_left,
	.tasks = { { "alice", alice }, { "admin", admin } },
};

VFIOSIM_PROGRAM(&open_vs_unregister);
