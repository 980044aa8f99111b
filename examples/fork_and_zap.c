// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hole of Linux 6.1, seen on a live kernel: a child's mappings survive a zap.
 *
 * The driver of that time kept a list of VMAs, made in its fault handler. fork()
 * calls ->open of the child's VMA, which takes its page table entries away, and
 * copies the parent's entries *after* that. The child has entries, has not
 * faulted, so it is not on the list: memory is switched off, and it reads on
 * through what should be gone. 6.12 zaps through the address space of the
 * device's inode, and finds the child like everybody else.
 */
#include "one_device.h"

/* What the child's touch gives when memory is off. */
static enum vfiosim_touch touch_after_zap(struct one_device *w)
{
	struct vfiosim_process *child;
	enum vfiosim_touch touch;

	vfiosim_expect(vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_TOUCH_OK);
	child = vfiosim_fork(w->alice, "child");
	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, false) == 0);
	vfiosim_expect(vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
	touch = vfiosim_load(child, w->bar, NULL);
	vfiosim_say("child reads with memory off: %s", vfiosim_touch_name(touch));
	return touch;
}

static void alice_of_6_1(void *data)
{
	vfiosim_expect(touch_after_zap(data) == VFIOSIM_TOUCH_OK);
}

static void alice(void *data)
{
	vfiosim_expect(touch_after_zap(data) == VFIOSIM_SIGBUS_ADRERR);
}

static const struct vfiosim_scenario fork_and_zap_6_1 = {
	.name = "fork_and_zap_6_1",
	.summary = "6.1's list of VMAs misses a forked child: it reads with memory off",
	.kernel = VFIOSIM_KERNEL_6_1, .core = "port", .tolerate = "pte-while-memory-off",
	.fixture_size = sizeof(struct one_device), .setup = setup_mapped,
	.tasks = { { "alice", alice_of_6_1 } },
};

static const struct vfiosim_scenario fork_and_zap = {
	.name = "fork_and_zap",
	.summary = "the zap through the inode's address space finds a forked child",
	.kernel = VFIOSIM_KERNEL_6_12, .core = "merged",
	.fixture_size = sizeof(struct one_device), .setup = setup_mapped,
	.tasks = { { "alice", alice } },
};

VFIOSIM_PROGRAM(&fork_and_zap_6_1, &fork_and_zap);
