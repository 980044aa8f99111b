// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VGA arbiter: who is to be asked about legacy VGA ranges.
 * Kernel original: drivers/gpu/vga/vgaarb.c.
 *
 * Owns the list of clients, under vga_lock. The kernel makes an entry for each VGA
 * device as it appears; here a fixed table does, since machines have few.
 */
#include <vfiosim/kapi/vgaarb.h>

#include "engine.h"

#define VGA_CLIENTS_MAX 4

static struct {
	struct pci_dev *pdev;
	void *cookie;
	unsigned int (*set_decode)(void *cookie, bool decode);
} vga_clients[VGA_CLIENTS_MAX] KSTATE;

static spinlock_t vga_lock KSTATE = __SPIN_LOCK_UNLOCKED(vga_lock);

/* The slot of @pdev, or a free one, or -ENODEV. Locks: holds vga_lock. */
static int vga_slot(const struct pci_dev *pdev)
{
	int i, free = -ENODEV;

	for (i = VGA_CLIENTS_MAX - 1; i >= 0; i--) {
		if (vga_clients[i].pdev == pdev)
			return i;
		if (!vga_clients[i].pdev)
			free = i;
	}
	return free;
}

int vga_client_register(struct pci_dev *pdev, void *cookie,
			unsigned int (*set_decode)(void *cookie, bool decode))
{
	int slot;

	if (pdev->class >> 8 != 0x0300)
		return -ENODEV;
	spin_lock(&vga_lock);
	slot = vga_slot(pdev);
	if (slot >= 0) {
		vga_clients[slot].pdev = set_decode ? pdev : NULL;
		vga_clients[slot].cookie = cookie;
		vga_clients[slot].set_decode = set_decode;
	}
	spin_unlock(&vga_lock);
	return slot < 0 ? slot : 0;
}

unsigned int vga_arbiter_ask(bool decode)
{
	unsigned int i, asked = 0;

	for (i = 0; i < VGA_CLIENTS_MAX; i++) {
		if (!vga_clients[i].set_decode)
			continue;
		vga_clients[i].set_decode(vga_clients[i].cookie, decode);
		asked++;
	}
	return asked;
}
