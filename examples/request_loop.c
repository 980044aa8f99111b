// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel asks for a device back: once at once, then every ten seconds.
 *
 * While an unbind waits for a user, vfio-pci signals the eventfd that the user
 * registered for that purpose. A polite program hears the third request, closes
 * everything, and the unbind goes through. Twenty seconds of virtual time.
 */
#include "one_device.h"

struct world {
	struct one_device one;
	int event;
};

/* SET_IRQS takes a head and, behind it, one eventfd: here for the request interrupt. */
static void setup(void *data)
{
	struct world *w = data;
	struct { struct vfio_irq_set head; int fd; } set = { {
		.argsz = sizeof(set), .index = VFIO_PCI_REQ_IRQ_INDEX, .count = 1,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER } };

	setup_mapped(&w->one);
	set.fd = w->event = vfiosim_eventfd(w->one.alice, 0, 0);
	vfiosim_expect(vfiosim_ioctl(w->one.alice, w->one.user.device, VFIO_DEVICE_SET_IRQS,
				     &set) == 0);
}

static void alice(void *data)
{
	struct world *w = data;

	for (int requests = 0; requests < 3;) {
		uint64_t count = 0;

		vfiosim_expect(vfiosim_read(w->one.alice, w->event, &count, sizeof(count)) == 8);
		requests += count;
		vfiosim_say("asked %d times", requests);
	}
	vfiosim_munmap(w->one.alice, w->one.bar, BAR_SIZE);
	vfiosim_user_close(&w->one.user);
}

static void admin(void *data)
{
	vfiosim_expect(vfiosim_unbind(NULL, ((struct world *)data)->one.device) == 0);
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
