// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container, group, device, mapping: closed in each of the 24 possible orders.
 *
 * Three rules explain all of them. A device is released when both its file and
 * all mappings are gone. A group can be opened again (it is EBUSY until then)
 * when its file is closed and the device is released. The container keeps its
 * IOMMU until the group is gone, even if its own file was closed first. No order
 * makes close() or munmap() fail. A real 6.12 kernel does the same.
 */
#include "one_device.h"

enum { CONTAINER, GROUP, DEVICE, MAPPING };

static int reopen_group(struct one_device *w)
{
	char path[VFIOSIM_PATH_MAX];
	int fd = vfiosim_open(NULL, vfiosim_group_path(w->device, path), O_RDWR);

	return fd < 0 ? fd : vfiosim_close(NULL, fd);
}

static void close_in_order(struct one_device *w, const int order[4])
{
	const int user = 1 << GROUP | 1 << DEVICE | 1 << MAPPING;
	int closed = 0;

	vfiosim_expect(vfiosim_user_open(&w->user, w->alice, w->device) == 0);
	w->bar = vfiosim_bar_map(w->alice, w->user.device, 0);
	for (int i = 0; i < 4; i++) {
		int fds[] = { w->user.container, w->user.group, w->user.device };

		vfiosim_expect((order[i] == MAPPING ? vfiosim_munmap(w->alice, w->bar, BAR_SIZE) :
				vfiosim_close(w->alice, fds[order[i]])) == 0);
		closed |= 1 << order[i];
		vfiosim_expect(reopen_group(w) == ((closed & user) == user ? 0 : -EBUSY));
	}
	vfiosim_say("%d%d%d%d: ok", order[0], order[1], order[2], order[3]);
}

static void alice(void *data)
{
	for (int n = 0; n < 256; n++) {
		const int order[] = { n >> 6, n >> 4 & 3, n >> 2 & 3, n & 3 };

		if ((1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3]) == 0xf)
			close_in_order(data, order);
	}
}

static const struct vfiosim_scenario close_orders = {
	.name = "close_orders",
	.summary = "container, group, device and mapping closed in all 24 orders",
	.fixture_size = sizeof(struct one_device),
	.setup = setup_bound,
	.tasks = { { "alice", alice } },
};

VFIOSIM_PROGRAM(&close_orders);
