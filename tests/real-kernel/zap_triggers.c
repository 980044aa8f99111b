// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which writes to a device's config space take its mappings away, and which do
 * not. docs/observed/real-kernel-vfio.md, 7.
 */
#include "machine.h"

#define COMMAND 4
#define BAR0_REGISTER 0x10

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *p;
	struct vfiosim_user user;
	int64_t address;
	uint16_t command;
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc ivshmem = DEVICE_IVSHMEM;
	struct world *w = data;

	w->device = vfiosim_plug(&ivshmem);
	vfiosim_bind(NULL, w->device, "vfio-pci");
	w->p = vfiosim_process("user");
	vfiosim_expect(vfiosim_user_open(&w->user, w->p, w->device) == 0);
	w->address = vfiosim_mmap(w->p, 0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
				  w->user.device, REGION(2));
	vfiosim_expect(w->address > 0);
}

static long config(struct world *w, unsigned int offset, uint32_t value, int size)
{
	return vfiosim_pwrite(w->p, w->user.device, &value, size, REGION(7) + offset);
}

/* The page is there, the write happens, then: is it still there, and can it be touched? */
static void attempt(struct world *w, const char *what, unsigned int offset, uint32_t value,
		    int size)
{
	long written;
	bool there;

	config(w, COMMAND, w->command | 2, 2);
	vfiosim_load(w->p, w->address, NULL);
	written = config(w, offset, value, size);
	there = vfiosim_present(w->p, w->address);
	vfiosim_say("%s: wrote %ld, still mapped %d, touch %s", what, written, there,
		    vfiosim_touch_name(vfiosim_load(w->p, w->address, NULL)));
}

static void user(void *data)
{
	struct world *w = data;
	uint16_t now = 0;

	vfiosim_pread(w->p, w->user.device, &w->command, 2, REGION(7) + COMMAND);
	vfiosim_say("memory enabled at first open: %d", !!(w->command & 2));
	attempt(w, "COMMAND, 2 bytes, memory off", COMMAND, w->command & ~2, 2);
	attempt(w, "COMMAND, 1 byte, memory off", COMMAND, w->command & 0xfd, 1);
	attempt(w, "COMMAND, 4 bytes, memory off", COMMAND, w->command & ~2, 4);
	attempt(w, "COMMAND, same value", COMMAND, w->command | 2, 2);
	attempt(w, "COMMAND, I/O bit toggled", COMMAND, (w->command | 2) ^ 1, 2);
	attempt(w, "1 byte behind COMMAND", COMMAND + 1, w->command >> 8, 1);
	attempt(w, "BAR register, all ones", BAR0_REGISTER, 0xffffffff, 4);
	config(w, COMMAND, w->command & ~2, 2);
	vfiosim_pread(w->p, w->user.device, &now, 2, REGION(7) + COMMAND);
	vfiosim_say("memory bit reads back as written: %d", !(now & 2));
	vfiosim_exit(w->p);
}

static void teardown(void *data)
{
	struct world *w = data;

	vfiosim_unbind(NULL, w->device);
}

static const struct vfiosim_scenario zap_triggers = {
	.name = "zap_triggers",
	.summary = "which config writes take a device's mappings away",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&zap_triggers);
