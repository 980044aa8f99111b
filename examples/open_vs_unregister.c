// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program opens a device while its administrator unbinds it.
 *
 * Whoever comes first wins, and nobody is hurt: either the open finds no such
 * device any more, or it gets a file, and then the unbind waits until that file
 * and the group are closed again. In no order may the open return a file of a
 * device that is gone.
 */
#include "one_device.h"

static void alice(void *data)
{
	struct one_device *w = data;

	if (vfiosim_user_open(&w->user, w->alice, w->device) < 0)
		return;
	/* Whatever the administrator is at by now: this file is good until closed. */
	vfiosim_expect(vfiosim_bar_size(w->alice, w->user.device, 0) == BAR_SIZE);
	vfiosim_user_close(&w->user);
}

static void admin(void *data)
{
	struct one_device *w = data;

	vfiosim_expect(vfiosim_unbind(NULL, w->device) == 0);
}

static void nothing_left(void *data)
{
	vfiosim_expect_peek("pins", NULL, 0);
	vfiosim_expect_peek("superblocks", NULL, 0);
}

static const struct vfiosim_scenario open_vs_unregister = {
	.name = "open_vs_unregister",
	.summary = "a device is opened while it is unbound: refused, or waited for",
	.fixture_size = sizeof(struct one_device),
	.setup = setup_bound,
	.teardown = nothing_left,
	.tasks = { { "alice", alice }, { "admin", admin } },
};

VFIOSIM_PROGRAM(&open_vs_unregister);
