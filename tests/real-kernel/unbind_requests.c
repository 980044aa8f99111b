// SPDX-License-Identifier: GPL-2.0-only
/*
 * An unbind that waits asks for the device every ten seconds, and meanwhile hands
 * no new file of it out. docs/observed/real-kernel-vfio.md, 8.
 */
#include <string.h>

#include "machine.h"

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *p;
	struct vfiosim_user user;
	int event;
	bool unbound;
	struct vfiosim_gate ready, done;
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc edu = DEVICE_EDU;
	struct world *w = data;

	w->device = vfiosim_plug(&edu);
	vfiosim_bind(NULL, w->device, "vfio-pci");
	w->p = vfiosim_process("user");
}

static void listen(struct world *w)
{
	char buffer[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
	struct vfio_irq_set *set = (void *)buffer;

	w->event = vfiosim_eventfd(w->p, 0, O_NONBLOCK);
	*set = (struct vfio_irq_set){
		.argsz = sizeof(buffer), .index = VFIO_PCI_REQ_IRQ_INDEX, .count = 1,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
	};
	memcpy(set->data, &w->event, sizeof(int32_t));
	say("listen", vfiosim_ioctl(w->p, w->user.device, VFIO_DEVICE_SET_IRQS, set));
}

static void count_requests(struct world *w, const char *when)
{
	uint64_t requests = 0;

	vfiosim_read(w->p, w->event, &requests, sizeof(requests));
	vfiosim_say("%s: %d requests, unbound %d", when, (int)requests, w->unbound);
}

static void user(void *data)
{
	struct world *w = data;
	int64_t address;
	long fd;

	vfiosim_expect(vfiosim_user_open(&w->user, w->p, w->device) == 0);
	listen(w);
	vfiosim_gate_open(&w->ready);
	vfiosim_sleep_ms(2000);
	count_requests(w, "after 2 s");
	fd = say_ok("another device file", vfiosim_ioctl(w->p, w->user.group,
							 VFIO_GROUP_GET_DEVICE_FD,
							 vfiosim_device_name(w->device)));
	vfiosim_close(w->p, fd);
	vfiosim_sleep_ms(10 * 1000);
	count_requests(w, "after 12 s");
	address = vfiosim_bar_map(w->p, w->user.device, 0);
	vfiosim_close(w->p, w->user.device);
	w->user.device = -1;
	vfiosim_sleep_ms(10 * 1000);
	count_requests(w, "after 22 s, only a mapping left");
	say_touch("touch", w->p, address);
	vfiosim_munmap(w->p, address, MIB(1) - PAGE);
	vfiosim_sleep_ms(300);
	vfiosim_say("one page left: unbound %d", w->unbound);
	say_touch("touch of it", w->p, address + MIB(1) - PAGE);
	vfiosim_munmap(w->p, address + MIB(1) - PAGE, PAGE);
	vfiosim_gate_wait(&w->done);
	count_requests(w, "unmapped");
	vfiosim_exit(w->p);
}

static void admin(void *data)
{
	struct world *w = data;

	vfiosim_gate_wait(&w->ready);
	vfiosim_unbind(NULL, w->device);
	w->unbound = true;
	vfiosim_gate_open(&w->done);
}

static const struct vfiosim_scenario unbind_requests = {
	.name = "unbind_requests",
	.summary = "an unbind that waits asks for the device every ten seconds",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "user", user }, { "admin", admin } },
};

VFIOSIM_PROGRAM(&unbind_requests);
