// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hole of Linux 5.14 and 6.1: a mapping that was moved survives a zap.
 *
 * mremap() makes the new VMA first, calling ->open, then moves the page table
 * entries over, then calls ->close of the old VMA, which takes it off the
 * driver's list. The new VMA has all the entries and is on no list: with memory
 * switched off it can still be read. On a live 6.1 kernel the same happens, with
 * a warning. The zap through the inode's address space cannot miss it.
 */
#include <sys/mman.h>

#include "vfiosim.h"

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *alice;
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

static enum vfiosim_touch touch_after_move_and_zap(struct world *w)
{
	struct vfiosim_user user;
	enum vfiosim_touch touch;
	int64_t bar, there, moved;

	vfiosim_expect(vfiosim_user_open(&user, w->alice, w->device) == 0);
	bar = vfiosim_bar_map(w->alice, user.device, 0);
	vfiosim_expect(vfiosim_load(w->alice, bar, NULL) == VFIOSIM_TOUCH_OK);
	there = vfiosim_mmap(w->alice, 0, 0x4000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moved = vfiosim_mremap(w->alice, bar, 0x4000, 0x4000, MREMAP_MAYMOVE | MREMAP_FIXED,
			       there);
	vfiosim_expect(moved == there && vfiosim_present(w->alice, moved));
	vfiosim_expect(vfiosim_memory_space(w->alice, user.device, false) == 0);
	touch = vfiosim_load(w->alice, moved, NULL);
	vfiosim_say("moved mapping with memory off: %s", vfiosim_touch_name(touch));
	return touch;
}

static void alice_has_a_hole(void *data)
{
	vfiosim_expect(touch_after_move_and_zap(data) == VFIOSIM_TOUCH_OK);
}

static void alice_has_none(void *data)
{
	vfiosim_expect(touch_after_move_and_zap(data) == VFIOSIM_SIGBUS_ADRERR);
}

static const struct vfiosim_scenario mremap_and_zap_5_14 = {
	.name = "mremap_and_zap_5_14",
	.summary = "5.14's list of VMAs misses a moved mapping: it is read with memory off",
	.tolerate = "pte-while-memory-off",
	.fixture_size = sizeof(struct world),
	.setup = setup_vma_list,
	.tasks = { { "alice", alice_has_a_hole } },
};

static const struct vfiosim_scenario mremap_and_zap = {
	.name = "mremap_and_zap",
	.summary = "the zap through the inode's address space finds a moved mapping",
	.fixture_size = sizeof(struct world),
	.setup = setup_address_space,
	.tasks = { { "alice", alice_has_none } },
};

VFIOSIM_PROGRAM(&mremap_and_zap_5_14, &mremap_and_zap);
