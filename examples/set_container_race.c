// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bug of 5.14, fixed in 5.19: two threads attach one group at once.
 *
 * vfio_group_set_container() first asks whether the group has users, and much
 * later says that it has one. Nothing is locked in between, so both threads may
 * find none. The group is then linked into two containers' lists with one node,
 * has two users and will only ever lose one of them: its containers stay for
 * ever, and so would an unbind. One thread after the other is fine: the second
 * gets EINVAL. "vfiosim explore set_container_race" finds the schedule.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>

#include "vfiosim.h"

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *p;
	int group, containers[2], won;
	char path[VFIOSIM_PATH_MAX];
};

static void setup(void *data)
{
	struct world *w = data;

	w->device = vfiosim_plug(&(struct vfiosim_device_desc){ .name = "0000:01:00.0" });
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
	w->p = vfiosim_process("user");
	vfiosim_threads(w->p, 2);
	w->group = vfiosim_open(w->p, vfiosim_group_path(w->device, w->path), O_RDWR);
	for (int i = 0; i < 2; i++)
		w->containers[i] = vfiosim_open(w->p, "/dev/vfio/vfio", O_RDWR);
}

static void attach(struct world *w, int container)
{
	long ret = vfiosim_ioctl(w->p, w->group, VFIO_GROUP_SET_CONTAINER, &container);

	vfiosim_expect(ret == 0 || ret == -EINVAL);
	w->won += ret == 0;
}

static void first(void *data)
{
	struct world *w = data;

	attach(w, w->containers[0]);
}

static void second(void *data)
{
	struct world *w = data;

	attach(w, w->containers[1]);
}

static void teardown(void *data)
{
	struct world *w = data;

	vfiosim_expect(w->won == 1);
	vfiosim_exit(w->p);
	vfiosim_unbind(NULL, w->device);
}

static const struct vfiosim_scenario set_container_race = {
	.name = "set_container_race",
	.summary = "two threads attach one group to two containers: 5.14 lets both win",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tasks = { { "first", first }, { "second", second } },
};

VFIOSIM_PROGRAM(&set_container_race);
