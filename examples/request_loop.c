// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel asks for a device back: once at once, then every ten seconds.
 *
 * While an unbind waits for a user, vfio-pci signals the eventfd that the user
 * registered for that purpose. A polite program hears the third request, closes
 * everything, and the unbind goes through. Twenty seconds of virtual time.
 */
#include <linux/vfio.h>
#include <string.h>

#include "vfiosim.h"

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *alice;
	struct vfiosim_user user;
	int event;
};

/* SET_IRQS with one eventfd for the request interrupt. */
static int hear_requests(struct world *w)
{
	char buffer[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
	struct vfio_irq_set *set = (void *)buffer;

	*set = (struct vfio_irq_set){
		.argsz = sizeof(buffer),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_REQ_IRQ_INDEX,
		.count = 1,
	};
	memcpy(set->data, &w->event, sizeof(int32_t));
	return vfiosim_ioctl(w->alice, w->user.device, VFIO_DEVICE_SET_IRQS, set);
}

static void setup(void *data)
{
	struct world *w = data;

	w->device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .bars = { { .size = 0x4000 } } });
	w->alice = vfiosim_process("alice");
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&w->user, w->alice, w->device) == 0);
	w->event = vfiosim_eventfd(w->alice, 0, 0);
	vfiosim_expect(hear_requests(w) == 0);
}

static void alice(void *data)
{
	struct world *w = data;

	for (int requests = 0; requests < 3;) {
		uint64_t count = 0;

		vfiosim_expect(vfiosim_read(w->alice, w->event, &count, sizeof(count)) == 8);
		requests += count;
		vfiosim_say("asked %d times", requests);
	}
	vfiosim_user_close(&w->user);
}

static void admin(void *data)
{
	struct world *w = data;

	vfiosim_expect(vfiosim_unbind(NULL, w->device) == 0);
	vfiosim_say("unbound");
}

static const struct vfiosim_scenario request_loop = {
	.name = "request_loop",
	.summary = "an unbind asks the user at 0, 10 and 20 seconds; the user gives in",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "alice", alice }, { "admin", admin } },
};

VFIOSIM_PROGRAM(&request_loop);
