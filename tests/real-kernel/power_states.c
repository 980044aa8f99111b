// SPDX-License-Identifier: GPL-2.0-only
/*
 * D3hot through the power management register, and VFIO_DEVICE_FEATURE's low power
 * state: what they do to a mapping and to accesses by file.
 * docs/observed/real-kernel-vfio.md, 7.
 */
#include "nvme_and_edu.h"

#define POWER_MANAGEMENT 1
#define CONTROL 4

static void look(struct world *w, const char *when)
{
	uint32_t value;

	vfiosim_say("%s: mapped %d", when, vfiosim_present(w->p, w->address));
	say_touch("  touch", w->p, w->address);
	say("  pread", vfiosim_pread(w->p, w->user.device, &value, 4, 0));
	say_touch("  touch", w->p, w->address);
}

static void power_register(struct world *w)
{
	static const uint16_t states[] = { 3, 0 };
	unsigned int at = capability(w, POWER_MANAGEMENT);

	vfiosim_say("has power management: %d", at != 0);
	if (!at)
		return;
	for (int i = 0; i < 2; i++) {
		uint16_t value = (read_config(w, at + CONTROL, 2) & ~3) | states[i];

		vfiosim_load(w->p, w->address, NULL);
		say("write the state", vfiosim_pwrite(w->p, w->user.device, &value, 2,
						      REGION(7) + at + CONTROL));
		vfiosim_say("state %u", read_config(w, at + CONTROL, 2) & 3);
		look(w, states[i] ? "D3hot" : "D0");
	}
}

static void feature(struct world *w, const char *what, uint32_t flags)
{
	struct vfio_device_feature arg = { .argsz = sizeof(arg), .flags = flags };

	say(what, vfiosim_ioctl(w->p, w->user.device, VFIO_DEVICE_FEATURE, &arg));
}

static void low_power(struct world *w)
{
	const uint32_t set = VFIO_DEVICE_FEATURE_SET, probe = VFIO_DEVICE_FEATURE_PROBE;
	const uint32_t entry = VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY;
	const uint32_t leave = VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;

	vfiosim_load(w->p, w->address, NULL);
	feature(w, "probe entry", probe | set | entry);
	feature(w, "get entry", VFIO_DEVICE_FEATURE_GET | entry);
	feature(w, "exit first", set | leave);
	feature(w, "entry", set | entry);
	look(w, "low power");
	feature(w, "entry again", set | entry);
	read_config(w, 0, 4);
	say_touch("config space read, touch", w->p, w->address);
	feature(w, "exit", set | leave);
	look(w, "awake");
	feature(w, "exit again", set | leave);
}

static void use(struct world *w, struct vfiosim_device *device)
{
	vfiosim_expect(vfiosim_user_open(&w->user, w->p, device) == 0);
	w->address = vfiosim_mmap(w->p, 0, PAGE, PROT_READ, MAP_SHARED, w->user.device, 0);
	vfiosim_expect(w->address > 0);
	power_register(w);
	low_power(w);
	vfiosim_munmap(w->p, w->address, PAGE);
	vfiosim_user_close(&w->user);
}

static void user(void *data)
{
	struct world *w = data;

	vfiosim_say("a device with power management");
	use(w, w->nvme);
	vfiosim_say("a device without");
	use(w, w->edu);
	vfiosim_exit(w->p);
}

static const struct vfiosim_scenario power_states = {
	.name = "power_states",
	.summary = "D3hot and the low power feature: mappings and accesses by file",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&power_states);
