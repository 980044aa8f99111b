// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a device is switched off: nobody may reach its registers any more.
 *
 * Two processes have mapped a BAR through different files, one of them closed
 * since. The write to the command register finds all these mappings through the
 * inode that the device's files share, drops every page table entry, and touches
 * nothing of the other device. A touch is a SIGBUS until memory is on again;
 * then each page comes back with a fault.
 */
#include <linux/vfio.h>

#include "vfiosim.h"

struct world {
	struct vfiosim_device *nic, *disk;
	struct vfiosim_process *alice, *bob;
};

static void setup(void *data)
{
	struct world *w = data;
	struct vfiosim_device_desc desc = { .bars = { { .size = 0x4000 } },
					    .design = VFIOSIM_ADDRESS_SPACE };

	desc.name = "0000:01:00.0";
	w->nic = vfiosim_plug(&desc);
	desc.name = "0000:02:00.0";
	w->disk = vfiosim_plug(&desc);
	w->alice = vfiosim_process("alice");
	vfiosim_expect(vfiosim_bind(NULL, w->nic, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_bind(NULL, w->disk, "vfio-pci") == 0);
}

static void expect_touch(struct vfiosim_process *who, int64_t bar, enum vfiosim_touch touch)
{
	vfiosim_expect(vfiosim_load(who, bar, NULL) == touch);
	vfiosim_expect(vfiosim_present(who, bar) == (touch == VFIOSIM_TOUCH_OK));
}

static void story(void *data)
{
	struct world *w = data;
	struct vfiosim_user nic, disk;
	int64_t bar, second, other;
	int again;

	vfiosim_expect(vfiosim_user_open(&nic, w->alice, w->nic) == 0);
	vfiosim_expect(vfiosim_user_open(&disk, w->alice, w->disk) == 0);
	again = vfiosim_ioctl(w->alice, nic.group, VFIO_GROUP_GET_DEVICE_FD,
			      vfiosim_device_name(w->nic));
	bar = vfiosim_bar_map(w->alice, nic.device, 0);
	second = vfiosim_bar_map(w->alice, again, 0);
	other = vfiosim_bar_map(w->alice, disk.device, 0);
	vfiosim_close(w->alice, again);
	w->bob = vfiosim_fork(w->alice, "bob");
	expect_touch(w->alice, bar, VFIOSIM_TOUCH_OK);
	expect_touch(w->alice, second, VFIOSIM_TOUCH_OK);
	expect_touch(w->bob, bar, VFIOSIM_TOUCH_OK);
	expect_touch(w->alice, other, VFIOSIM_TOUCH_OK);

	vfiosim_expect(vfiosim_memory_space(w->bob, nic.device, false) == 0);
	vfiosim_expect(!vfiosim_present(w->alice, bar));
	expect_touch(w->alice, bar, VFIOSIM_SIGBUS_ADRERR);
	expect_touch(w->alice, second, VFIOSIM_SIGBUS_ADRERR);
	expect_touch(w->bob, bar, VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_present(w->alice, other));

	vfiosim_expect(vfiosim_memory_space(w->alice, nic.device, true) == 0);
	vfiosim_expect(!vfiosim_present(w->bob, bar));
	expect_touch(w->bob, bar, VFIOSIM_TOUCH_OK);
}

static const struct vfiosim_scenario zap_everyone = {
	.name = "zap_everyone",
	.summary = "memory off: every mapping of the device is emptied, no other",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "story", story } },
};

VFIOSIM_PROGRAM(&zap_everyone);
