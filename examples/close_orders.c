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
#include <errno.h>
#include <fcntl.h>

#include "vfiosim.h"

enum { CONTAINER, GROUP, DEVICE, MAPPING };

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

static int reopen_group(struct world *w)
{
	char path[VFIOSIM_PATH_MAX];
	int fd = vfiosim_open(NULL, vfiosim_group_path(w->device, path), O_RDWR);

	if (fd >= 0)
		vfiosim_close(NULL, fd);
	return fd < 0 ? fd : 0;
}

static void close_in_order(struct world *w, const int order[4])
{
	struct vfiosim_user user;
	bool closed[4] = { false };
	int64_t bar;

	vfiosim_expect(vfiosim_user_open(&user, w->alice, w->device) == 0);
	bar = vfiosim_bar_map(w->alice, user.device, 0);
	vfiosim_expect(bar > 0);
	for (int i = 0; i < 4; i++) {
		int fds[] = { user.container, user.group, user.device };
		int ret = order[i] == MAPPING ? vfiosim_munmap(w->alice, bar, 0x4000) :
						vfiosim_close(w->alice, fds[order[i]]);
		bool free;

		closed[order[i]] = true;
		free = closed[GROUP] && closed[DEVICE] && closed[MAPPING];
		vfiosim_expect(ret == 0);
		vfiosim_expect(reopen_group(w) == (free ? 0 : -EBUSY));
	}
	vfiosim_say("%d%d%d%d: ok", order[0], order[1], order[2], order[3]);
}

static void alice(void *data)
{
	for (int n = 0; n < 256; n++) {
		const int order[] = { n >> 6 & 3, n >> 4 & 3, n >> 2 & 3, n & 3 };
		int seen = 1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3];

		if (seen == 0xf)
			close_in_order(data, order);
	}
}

static const struct vfiosim_scenario close_orders = {
	.name = "close_orders",
	.summary = "container, group, device and mapping closed in all 24 orders",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "alice", alice } },
};

VFIOSIM_PROGRAM(&close_orders);
