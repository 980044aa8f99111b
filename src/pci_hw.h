/* SPDX-License-Identifier: GPL-2.0-only */
/* A PCI function as hardware: what stands behind configuration space and BARs. */
#ifndef VFIOSIM_PCI_HW_H
#define VFIOSIM_PCI_HW_H

#include <vfiosim/kapi/pci.h>

struct pci_hw {
	struct pci_dev *dev;
	struct pci_model model;
	u8 config[PCI_CFG_SPACE_SIZE];
	phys_addr_t bar_address[6];	/* what firmware wrote there; 0: none */
	struct iomem_window windows[6];
	struct list_head words;		/* what RAM BARs were told, see pci_hw.c */
	u32 edu_inverter;
	u32 edu_factorial;
	unsigned int resets;		/* for checkers */
};

/* Refs: @dev owns the hardware until pci_hw_destroy(). On -ENOMEM it has none. */
int pci_hw_create(struct pci_dev *dev, const struct pci_model *model) SIM(pci_hw_create);
void pci_hw_destroy(struct pci_dev *dev) SIM(pci_hw_destroy);
/* What the wires carry: no step, no lock. Outside of the 256 bytes all is zero. */
u32 pci_hw_read_config(struct pci_dev *dev, int where, unsigned int size)
	SIM(pci_hw_read_config);
void pci_hw_write_config(struct pci_dev *dev, int where, unsigned int size, u32 value)
	SIM(pci_hw_write_config);
void pci_hw_reset(struct pci_dev *dev) SIM(pci_hw_reset);

#endif
