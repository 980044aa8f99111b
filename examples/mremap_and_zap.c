// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hole of Linux 5.14 and 6.1: a mapping that was moved survives a zap.
 *
 * mremap() makes the new VMA first, calling ->open, then moves the page table
 * entries over, then calls ->close of the old VMA, which takes it off the
 * driver's list. The new VMA has all the entries and is on no list: with memory
 * switched off it can still be read. On a live 6.1 kernel the same happens, with
 * a warning. 6.12's zap through the inode's address space cannot miss it.
 */
#include "one_device.h"

static enum vfiosim_touch touch_after_move_and_zap(struct one_device *w)
{
	int64_t there = vfiosim_mmap(w->alice, 0, BAR_SIZE, PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	enum vfiosim_touch touch;

	vfiosim_expect(vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_mremap(w->alice, w->bar, BAR_SIZE, BAR_SIZE,
				      MREMAP_MAYMOVE | MREMAP_FIXED, there) == there);
	vfiosim_expect(vfiosim_present(w->alice, there));
	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, false) == 0);
	touch = vfiosim_load(w->alice, there, NULL);
	vfiosim_say("moved mapping with memory off: %s", vfiosim_touch_name(touch));
	return touch;
}

static void alice_of_5_14(void *data)
{
	vfiosim_expect(touch_after_move_and_zap(data) == VFIOSIM_TOUCH_OK);
}

static void alice(void *data)
{
	vfiosim_expect(touch_after_move_and_zap(data) == VFIOSIM_SIGBUS_ADRERR);
}

static const struct vfiosim_scenario mremap_and_zap_5_14 = {
	.name = "mremap_and_zap_5_14",
	.summary = "5.14's list of VMAs misses a moved mapping: it is read with memory off",
	.kernel = VFIOSIM_KERNEL_5_14, .core = "port", .tolerate = "pte-while-memory-off",
	.fixture_size = sizeof(struct one_device), .setup = setup_mapped,
	.tasks = { { "alice", alice_of_5_14 } },
};

static const struct vfiosim_scenario mremap_and_zap = {
	.name = "mremap_and_zap",
	.summary = "the zap through the inode's address space finds a moved mapping",
	.kernel = VFIOSIM_KERNEL_6_12, .core = "merged",
	.fixture_size = sizeof(struct one_device), .setup = setup_mapped,
	.tasks = { { "alice", alice } },
};

VFIOSIM_PROGRAM(&mremap_and_zap_5_14, &mremap_and_zap);
