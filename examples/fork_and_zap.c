// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hole of Linux 6.1, seen on a live kernel: a child's mappings survive a zap.
 *
 * The driver of that time kept a list of VMAs, made in its fault handler. fork()
 * calls ->open of the child's VMA, which takes its page table entries away, and
 * copies the parent's entries *after* that. The child has entries, has not
 * faulted, so it is not on the list: memory is switched off, and it reads on
 * through what should be gone. Zapping through the address space of the device's
 * inode finds the child like everybody else.
 */
#include "vfiosim.h"

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *alice, *child;
};

static void setup(struct world *w, enum vfiosim_design design)
{
	w->device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .bars = { { .size = 0x4000 } }, .design = design });
	w->alice = vfiosim_process("alice");
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
}

static void setup_vma_list(void *data)
{
	setup(data, VFIOSIM_VMA_LIST);
}

static void setup_address_space(void *data)
{
	setup(data, VFIOSIM_ADDRESS_SPACE);
}

/* What the child's touch gives when memory is off. */
static enum vfiosim_touch touch_after_zap(struct world *w)
{
	struct vfiosim_user user;
	enum vfiosim_touch touch;
	int64_t bar;

	vfiosim_expect(vfiosim_user_open(&user, w->alice, w->device) == 0);
	bar = vfiosim_bar_map(w->alice, user.device, 0);
	vfiosim_expect(vfiosim_load(w->alice, bar, NULL) == VFIOSIM_TOUCH_OK);
	w->child = vfiosim_fork(w->alice, "child");
	vfiosim_expect(vfiosim_memory_space(w->alice, user.device, false) == 0);
	vfiosim_expect(vfiosim_load(w->alice, bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
	touch = vfiosim_load(w->child, bar, NULL);
	vfiosim_say("child reads with memory off: %s", vfiosim_touch_name(touch));
	return touch;
}

static void alice_has_a_hole(void *data)
{
	vfiosim_expect(touch_after_zap(data) == VFIOSIM_TOUCH_OK);
}

static void alice_has_none(void *data)
{
	vfiosim_expect(touch_after_zap(data) == VFIOSIM_SIGBUS_ADRERR);
}

static const struct vfiosim_scenario fork_and_zap_6_1 = {
	.name = "fork_and_zap_6_1",
	.summary = "6.1's list of VMAs misses a forked child: it reads with memory off",
	.kernel = VFIOSIM_KERNEL_6_1,
	.tolerate = "pte-while-memory-off",
	.fixture_size = sizeof(struct world),
	.setup = setup_vma_list,
	.tasks = { { "alice", alice_has_a_hole } },
};

static const struct vfiosim_scenario fork_and_zap = {
	.name = "fork_and_zap",
	.summary = "the zap through the inode's address space finds a forked child",
	.kernel = VFIOSIM_KERNEL_6_1,
	.fixture_size = sizeof(struct world),
	.setup = setup_address_space,
	.tasks = { { "alice", alice_has_none } },
};

VFIOSIM_PROGRAM(&fork_and_zap_6_1, &fork_and_zap);
