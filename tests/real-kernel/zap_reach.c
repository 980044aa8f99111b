// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of mapping of one device, touched; then its memory goes off, then on.
 * Which are turned off, which stay, what comes back, and what it holds.
 * docs/observed/real-kernel-vfio.md, 7.
 */
#include "machine.h"

#define RW (PROT_READ | PROT_WRITE)
#define WINDOW 0x200000000000ULL
#define SLOT (64 * PAGE)
#define RAM REGION(2)

enum slot {
	PLAIN, SECOND_FD, CLOSED_DUP, READ_ONLY, BAR0, HOLE, SPLIT, MOVED, SHRUNK, NO_ACCESS,
	OVERLAP, SLOTS
};

static const char *const slot_names[SLOTS] = {
	"plain", "second fd", "closed dup", "read only", "BAR0", "hole", "split", "moved",
	"shrunk", "no access", "overlap",
};

struct world {
	struct vfiosim_device *device, *other;
	struct vfiosim_process *p, *child, *q;
	struct vfiosim_user user, other_user;
	int second;
	int64_t foreign;
};

static uint64_t place(enum slot slot)
{
	return WINDOW + slot * 4 * SLOT;
}

static void setup(void *data)
{
	static const struct vfiosim_device_desc ivshmem = DEVICE_IVSHMEM, edu = DEVICE_EDU;
	struct world *w = data;

	w->device = vfiosim_plug(&ivshmem);
	w->other = vfiosim_plug(&edu);
	vfiosim_bind(NULL, w->device, "vfio-pci");
	vfiosim_bind(NULL, w->other, "vfio-pci");
	w->p = vfiosim_process("user");
	w->q = vfiosim_process("other");
	vfiosim_expect(vfiosim_user_open(&w->user, w->p, w->device) == 0);
	vfiosim_expect(vfiosim_user_open(&w->other_user, w->q, w->other) == 0);
}

static void map_slot(struct world *w, enum slot slot, int fd, uint64_t offset, int protection)
{
	int64_t address = vfiosim_mmap(w->p, place(slot), 8 * PAGE, protection,
				       MAP_SHARED | MAP_FIXED, fd, offset);

	vfiosim_expect(address == (int64_t)place(slot));
	for (int page = 0; page < 8; page++)
		vfiosim_load(w->p, place(slot) + page * PAGE, NULL);
}

static void map_everything(struct world *w)
{
	int duplicate = vfiosim_dup(w->p, w->user.device);

	w->second = vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_GET_DEVICE_FD,
				  vfiosim_device_name(w->device));
	for (enum slot slot = 0; slot < SLOTS; slot++) {
		int fd = slot == SECOND_FD ? w->second : slot == CLOSED_DUP ? duplicate :
			 w->user.device;

		if (slot == BAR0)
			vfiosim_mmap(w->p, place(BAR0), PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
		else
			map_slot(w, slot, fd, RAM + (slot == OVERLAP ? 0 : slot * SLOT),
				 slot == READ_ONLY ? PROT_READ : RW);
	}
	vfiosim_load(w->p, place(BAR0), NULL);
	vfiosim_close(w->p, duplicate);
	vfiosim_store(w->p, place(PLAIN), 1234);
}

static void operate(struct world *w)
{
	vfiosim_munmap(w->p, place(HOLE) + 3 * PAGE, PAGE);
	vfiosim_mprotect(w->p, place(SPLIT) + 3 * PAGE, PAGE, PROT_READ);
	vfiosim_mremap(w->p, place(MOVED), 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       place(MOVED) + SLOT);
	vfiosim_mremap(w->p, place(SHRUNK), 8 * PAGE, 4 * PAGE, 0, 0);
	vfiosim_mprotect(w->p, place(NO_ACCESS), 8 * PAGE, PROT_NONE);
	w->child = vfiosim_fork(w->p, "child");
}

static void look_at(struct vfiosim_process *process, const char *whose, enum slot slot)
{
	uint64_t address = place(slot) + (slot == MOVED ? SLOT : 0);
	enum vfiosim_touch first = vfiosim_load(process, address, NULL);
	enum vfiosim_touch third = slot == BAR0 ? first :
				   vfiosim_load(process, address + 3 * PAGE, NULL);

	vfiosim_say("  %s%s: %s, %s", whose, slot_names[slot], vfiosim_touch_name(first),
		    vfiosim_touch_name(third));
}

static void look(struct world *w, const char *when)
{
	vfiosim_say("%s", when);
	for (enum slot slot = 0; slot < SLOTS; slot++)
		look_at(w->p, "", slot);
	for (enum slot slot = 0; slot < SLOTS; slot++)
		look_at(w->child, "child's ", slot);
	vfiosim_say("  another device: %s",
		    vfiosim_touch_name(vfiosim_load(w->q, w->foreign, NULL)));
}

static void user(void *data)
{
	struct world *w = data;
	uint32_t value = 0, word = 0;

	w->foreign = vfiosim_bar_map(w->q, w->other_user.device, 0);
	vfiosim_load(w->q, w->foreign, NULL);
	map_everything(w);
	operate(w);
	look(w, "touched");
	vfiosim_memory_space(w->p, w->user.device, false);
	look(w, "memory off");
	say("pread of the BAR", vfiosim_pread(w->p, w->user.device, &word, 4, RAM));
	say("pread of the config space",
	    vfiosim_pread(w->p, w->user.device, &word, 2, REGION(7)));
	vfiosim_memory_space(w->p, w->second, true);
	look(w, "memory on through another fd");
	vfiosim_load(w->p, place(PLAIN), &value);
	vfiosim_say("what was stored: %u", value);
	vfiosim_exit(w->child);
	vfiosim_exit(w->p);
	vfiosim_exit(w->q);
}

static void teardown(void *data)
{
	struct world *w = data;

	vfiosim_unbind(NULL, w->device);
	vfiosim_unbind(NULL, w->other);
}

static const struct vfiosim_scenario zap_reach = {
	.name = "zap_reach",
	.summary = "every kind of mapping of a device before, while and after its memory is off",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tolerate = "warn,pte-while-off",
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&zap_reach);
