// SPDX-License-Identifier: GPL-2.0-only
/*
 * The patch's story, from bind to unbind: "vfio: Create vfio_fs_type with inode
 * per device".
 *
 * Two devices in two groups are bound: each gets an inode of its own on vfio's
 * private filesystem, which the first one mounts. Three processes open them,
 * with several files per device, and map their registers: alice opens the
 * network card, bob the disk, alice's group file travels to bob over a socket
 * so that he can open the card as well, and carol is bob's fork. Files are
 * duplicated and closed. The card's memory is switched off, which takes its
 * mappings, and only its, away from all three; and on again, which lets them
 * fault back in. At last the card is unbound while carol still has one page of
 * it: the administrator waits, carol is asked at 0, 10 and 20 seconds, and when
 * her page goes the unbind goes through. With the disk goes the filesystem.
 *
 * "story run --timeline" shows it with one column for each of them.
 */
#include <linux/vfio.h>
#include <string.h>

#include "vfiosim.h"

#define BAR_SIZE 0x4000
#define PAGE 0x1000

struct world {
	struct vfiosim_device *card, *disk;
	struct vfiosim_process *admin, *alice, *bob, *carol;
	struct vfiosim_user alices_card, bobs_disk;
	int alices_second, alices_dup, bobs_group, bobs_card, event;
	int64_t alice_card, alice_card_again, bob_card, bob_disk;
	struct vfiosim_gate carol_is_last;
	bool unbound;
};

/* The numbers behind /dev: pins on the filesystem, its superblocks. */
static void expect_pins(long pins)
{
	vfiosim_expect_peek("pins", NULL, pins);
	vfiosim_expect_peek("superblocks", NULL, pins > 0);
	vfiosim_expect_peek("inodes", NULL, pins);
}

static void expect_touch(const char *who, struct vfiosim_process *process, int64_t address,
			 enum vfiosim_touch expected)
{
	enum vfiosim_touch touch = vfiosim_load(process, address, NULL);

	vfiosim_say("%s: %s", who, vfiosim_touch_name(touch));
	vfiosim_expect(touch == expected);
}

static void setup(void *data)
{
	struct world *w = data;
	struct vfiosim_device_desc desc = {
		.bars = { { .size = BAR_SIZE } }, .design = VFIOSIM_ADDRESS_SPACE,
	};

	desc.name = "0000:01:00.0";
	w->card = vfiosim_plug(&desc);
	desc.name = "0000:02:00.0";
	w->disk = vfiosim_plug(&desc);
	w->admin = vfiosim_process("admin");
	w->alice = vfiosim_process("alice");
	w->bob = vfiosim_process("bob");
}

static void devices_are_bound(struct world *w)
{
	expect_pins(0);
	vfiosim_expect(vfiosim_bind(w->admin, w->card, "vfio-pci") == 0);
	expect_pins(1);
	vfiosim_expect(vfiosim_bind(w->admin, w->disk, "vfio-pci") == 0);
	expect_pins(2);
}

static void alice_opens_the_card(struct world *w)
{
	struct vfiosim_user *user = &w->alices_card;

	vfiosim_expect(vfiosim_user_open(user, w->alice, w->card) == 0);
	w->alices_second = vfiosim_ioctl(w->alice, user->group, VFIO_GROUP_GET_DEVICE_FD,
					 vfiosim_device_name(w->card));
	w->alices_dup = vfiosim_dup(w->alice, w->alices_second);
	w->alice_card = vfiosim_bar_map(w->alice, user->device, 0);
	w->alice_card_again = vfiosim_bar_map(w->alice, w->alices_dup, 0);
}

/* A group can be opened once; but its file may be handed on. */
static void bob_opens_both(struct world *w)
{
	int sockets[2];

	vfiosim_expect(vfiosim_user_open(&w->bobs_disk, w->bob, w->disk) == 0);
	w->bob_disk = vfiosim_bar_map(w->bob, w->bobs_disk.device, 0);
	vfiosim_expect(vfiosim_socketpair(w->alice, w->bob, sockets) == 0);
	vfiosim_expect(vfiosim_send_fd(w->alice, sockets[0], w->alices_card.group) == 0);
	w->bobs_group = vfiosim_recv_fd(w->bob, sockets[1]);
	w->bobs_card = vfiosim_ioctl(w->bob, w->bobs_group, VFIO_GROUP_GET_DEVICE_FD,
				     vfiosim_device_name(w->card));
	w->bob_card = vfiosim_bar_map(w->bob, w->bobs_card, 0);
	vfiosim_close(w->alice, sockets[0]);
	vfiosim_close(w->bob, sockets[1]);
}

static void everybody_touches(struct world *w, enum vfiosim_touch card)
{
	expect_touch("alice, card", w->alice, w->alice_card, card);
	expect_touch("alice, card again", w->alice, w->alice_card_again, card);
	expect_touch("bob, card", w->bob, w->bob_card, card);
	expect_touch("carol, card", w->carol, w->bob_card, card);
	expect_touch("bob, disk", w->bob, w->bob_disk, VFIOSIM_TOUCH_OK);
	expect_touch("carol, disk", w->carol, w->bob_disk, VFIOSIM_TOUCH_OK);
}

static void expect_ptes(struct world *w, long card, long disk)
{
	vfiosim_expect_peek("ptes", w->card, card);
	vfiosim_expect_peek("ptes", w->disk, disk);
}

static void memory_goes_off_and_on(struct world *w)
{
	everybody_touches(w, VFIOSIM_TOUCH_OK);
	expect_ptes(w, 4, 2);
	vfiosim_expect(vfiosim_memory_space(w->bob, w->bobs_card, false) == 0);
	expect_ptes(w, 0, 2);
	everybody_touches(w, VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_memory_space(w->bob, w->bobs_card, true) == 0);
	expect_ptes(w, 0, 2);
	everybody_touches(w, VFIOSIM_TOUCH_OK);
	expect_ptes(w, 4, 2);
}

/* Carol wants to hear when the card is asked for. */
static void carol_listens(struct world *w)
{
	char buffer[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
	struct vfio_irq_set *set = (void *)buffer;

	w->event = vfiosim_eventfd(w->carol, 0, 0);
	*set = (struct vfio_irq_set){
		.argsz = sizeof(buffer),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_REQ_IRQ_INDEX,
		.count = 1,
	};
	memcpy(set->data, &w->event, sizeof(int32_t));
	vfiosim_expect(vfiosim_ioctl(w->carol, w->bobs_card, VFIO_DEVICE_SET_IRQS, set) == 0);
}

/* What is left of the card is one page in carol's memory. */
static void the_others_leave(struct world *w)
{
	carol_listens(w);
	vfiosim_exit(w->alice);
	vfiosim_munmap(w->bob, w->bob_card, BAR_SIZE);
	vfiosim_close(w->bob, w->bobs_card);
	vfiosim_close(w->bob, w->bobs_group);
	vfiosim_munmap(w->carol, w->bob_card + PAGE, BAR_SIZE - PAGE);
	vfiosim_close(w->carol, w->bobs_card);
	vfiosim_close(w->carol, w->bobs_group);
}

static void carol_gives_in(struct world *w)
{
	uint64_t requests = 0;

	vfiosim_gate_open(&w->carol_is_last);
	vfiosim_sleep_ms(25 * 1000);
	vfiosim_expect(!w->unbound);
	expect_touch("carol, card", w->carol, w->bob_card, VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_read(w->carol, w->event, &requests, sizeof(requests)) == 8);
	vfiosim_say("carol was asked %d times", (int)requests);
	vfiosim_expect(requests == 3);
	vfiosim_munmap(w->carol, w->bob_card, PAGE);
}

static void story(void *data)
{
	struct world *w = data;

	devices_are_bound(w);
	alice_opens_the_card(w);
	bob_opens_both(w);
	w->carol = vfiosim_fork(w->bob, "carol");
	vfiosim_close(w->alice, w->alices_second);
	vfiosim_close(w->alice, w->alices_dup);
	memory_goes_off_and_on(w);
	the_others_leave(w);
	carol_gives_in(w);
}

static void unbinder(void *data)
{
	struct world *w = data;

	vfiosim_gate_wait(&w->carol_is_last);
	vfiosim_expect(vfiosim_unbind(w->admin, w->card) == 0);
	w->unbound = true;
	expect_pins(1);
}

static void the_disk_goes_too(void *data)
{
	struct world *w = data;

	vfiosim_exit(w->bob);
	vfiosim_exit(w->carol);
	vfiosim_expect(vfiosim_unbind(w->admin, w->disk) == 0);
	expect_pins(0);
}

static const struct vfiosim_scenario scenario = {
	.name = "story",
	.summary = "two devices, three processes: from bind to zap to unbind",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = the_disk_goes_too,
	.tasks = { { "story", story }, { "unbinder", unbinder } },
};

VFIOSIM_PROGRAM(&scenario);
