// SPDX-License-Identifier: GPL-2.0-only
/* Races whose calls must look as if one came after the other, for bug-run. */
#include <fcntl.h>
#include <linux/vfio.h>

#include <vfiosim.h>

struct world {
	struct vfiosim_process *alice;
	struct vfiosim_device *device;
	int group, container;
};

static void setup(void *fixture)
{
	struct world *w = fixture;
	char path[VFIOSIM_PATH_MAX];

	w->alice = vfiosim_process("alice");
	vfiosim_threads(w->alice, 2);
	w->device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .bars = { { .size = 0x1000 } } });
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
	w->container = vfiosim_open(w->alice, "/dev/vfio/vfio", O_RDWR);
	w->group = vfiosim_open(w->alice, vfiosim_group_path(w->device, path), O_RDWR);
	vfiosim_expect(vfiosim_ioctl(w->alice, w->group, VFIO_GROUP_SET_CONTAINER,
				     &w->container) == 0);
}

static void detach(void *fixture)
{
	struct world *w = fixture;

	vfiosim_ioctl(w->alice, w->group, VFIO_GROUP_UNSET_CONTAINER, 0);
}

static const struct vfiosim_scenario calls_two_detach = {
	.name = "calls-two-detach",
	.summary = "two threads take one group out of its container",
	.core = "merged",
	.spec = &vfiosim_vfio_spec,
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "first", detach }, { "second", detach } },
};

VFIOSIM_PROGRAM(&calls_two_detach);
