/* SPDX-License-Identifier: GPL-2.0-only */
/* The VGA arbiter, as far as drivers leave pointers with it. */
#ifndef VFIOSIM_KAPI_VGAARB_H
#define VFIOSIM_KAPI_VGAARB_H

#include <vfiosim/kapi/pci.h>

#define VGA_DECODE_NORMAL 0xc
#define VGA_DECODE_ALL 0xf

/*
 * Tell the arbiter whom to ask about @pdev; NULL takes it back. It may call at
 * any time from then on. -ENODEV unless the device is a VGA one.
 */
int vga_client_register(struct pci_dev *pdev, void *cookie,
			unsigned int (*set_decode)(void *cookie, bool decode))
	KAPI(vga_client_register);
/* Ask every client, as another VGA device's arrival makes it do; how many there were. */
unsigned int vga_arbiter_ask(bool decode) SIM(vga_arbiter_ask);

#endif
