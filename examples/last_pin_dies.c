// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last device leaves vfio's filesystem while another one arrives.
 *
 * Each bound device holds one pin. Unbinding the last one unmounts the
 * filesystem and kills its superblock; binding the first one makes a new one.
 * When both happen at once, the newcomer either takes over the old mount in time
 * or finds none and mounts afresh. There is never a mount without a pin, and
 * never a pin without a mount.
 */
#include "vfiosim.h"

struct world {
	struct vfiosim_device *old, *new;
};

static void setup(void *data)
{
	struct world *w = data;

	w->old = vfiosim_plug(&(struct vfiosim_device_desc){ .name = "0000:01:00.0" });
	w->new = vfiosim_plug(&(struct vfiosim_device_desc){ .name = "0000:02:00.0" });
	vfiosim_expect(vfiosim_bind(NULL, w->old, "vfio-pci") == 0);
	vfiosim_threads(NULL, 2);
}

static void alice(void *data)
{
	vfiosim_expect(vfiosim_unbind(NULL, ((struct world *)data)->old) == 0);
}

static void bob(void *data)
{
	vfiosim_expect(vfiosim_bind(NULL, ((struct world *)data)->new, "vfio-pci") == 0);
}

static void one_pin_left(void *data)
{
	struct world *w = data;

	vfiosim_expect_peek("pins", NULL, 1);
	vfiosim_expect_peek("superblocks", NULL, 1);
	vfiosim_expect(vfiosim_unbind(NULL, w->new) == 0);
	vfiosim_expect_peek("superblocks", NULL, 0);
}

static const struct vfiosim_scenario last_pin_dies = {
	.name = "last_pin_dies",
	.summary = "the last unbind unmounts vfio's filesystem while a bind mounts it",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = one_pin_left,
	.tasks = { { "alice", alice }, { "bob", bob } },
};

VFIOSIM_PROGRAM(&last_pin_dies);
