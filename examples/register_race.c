// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two administrators bind the same device to vfio-pci at the same moment.
 *
 * The driver core takes the device lock around the whole of a probe, and looks
 * at dev->driver under it: the second writer finds the device taken and gets
 * EBUSY. One registration, one inode, one pin on vfio's filesystem, whatever
 * the order; the pin goes again with the unbind.
 *
 * "register_race faults" lets each step fail once. It shows two things that 5.14
 * gets wrong: a probe that fails after the driver's own returns success (VF-202),
 * and a group is leaked when there is no memory for its deferred put.
 */
#include <errno.h>

#include "vfiosim.h"

struct world {
	struct vfiosim_device *device;
	int won, busy, failed;
};

static void setup(void *data)
{
	struct world *w = data;

	w->device = vfiosim_plug(&(struct vfiosim_device_desc){ .name = "0000:01:00.0" });
	vfiosim_threads(NULL, 2);
}

static void administrator(void *data)
{
	struct world *w = data;
	int ret = vfiosim_bind(NULL, w->device, "vfio-pci");

	*(ret == 0 ? &w->won : ret == -EBUSY ? &w->busy : &w->failed) += 1;
}

/* With memory running out ("faults") nobody may win; but a pin there is for each winner. */
static void one_winner(void *data)
{
	struct world *w = data;

	vfiosim_expect(w->won <= 1 && w->won + w->busy + w->failed == 2);
	vfiosim_expect(w->failed || w->won == 1);
	vfiosim_expect_peek("pins", NULL, w->won);
	if (w->won)
		vfiosim_expect(vfiosim_unbind(NULL, w->device) == 0);
	vfiosim_expect_peek("pins", NULL, 0);
}

static const struct vfiosim_scenario register_race = {
	.name = "register_race",
	.summary = "two administrators bind one device: one wins, one gets EBUSY",
	.fixture_size = sizeof(struct world), .setup = setup, .teardown = one_winner,
	.tasks = { { "alice", administrator }, { "bob", administrator } },
};

VFIOSIM_PROGRAM(&register_race);
