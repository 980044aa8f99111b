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
#include "one_device.h"

struct world {
	struct one_device one;
	int group, containers[2], taken, won;
};

static void setup(void *data)
{
	struct world *w = data;
	char path[VFIOSIM_PATH_MAX];

	setup_bound(&w->one);
	vfiosim_threads(w->one.alice, 2);
	w->group = vfiosim_open(w->one.alice, vfiosim_group_path(w->one.device, path), O_RDWR);
	for (int i = 0; i < 2; i++)
		w->containers[i] = vfiosim_open(w->one.alice, "/dev/vfio/vfio", O_RDWR);
}

static void attach(void *data)
{
	struct world *w = data;
	int container = w->containers[w->taken++];
	long ret = vfiosim_ioctl(w->one.alice, w->group, VFIO_GROUP_SET_CONTAINER, &container);

	vfiosim_expect(ret == 0 || ret == -EINVAL);
	w->won += ret == 0;
}

static void teardown(void *data)
{
	struct world *w = data;

	vfiosim_expect(w->won == 1);
	vfiosim_exit(w->one.alice);
	vfiosim_unbind(NULL, w->one.device);
}

static const struct vfiosim_scenario set_container_race = {
	.name = "set_container_race",
	.summary = "two threads attach one group to two containers: 5.14 lets both win",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tasks = { { "first", attach }, { "second", attach } },
};

VFIOSIM_PROGRAM(&set_container_race);
