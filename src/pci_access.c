// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access to PCI configuration space. Kernel original: drivers/pci/access.c.
 *
 * The kernel's raw pci_lock covers one access each and is never held across
 * anything: here an access is one choice point. Accesses for user space wait
 * while a reset keeps users out (block_cfg_access).
 */
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/pci.h>
#include <vfiosim/kapi/sched.h>

#include "engine.h"
#include "pci_hw.h"

static u32 config_read(struct pci_dev *dev, int where, unsigned int size)
{
	eng_point(ENG_OP_READ_ONCE, dev->hw->config, ENG_READ);
	return pci_hw_read_config(dev, where, size);
}

static void config_write(struct pci_dev *dev, int where, unsigned int size, u32 value)
{
	eng_point(ENG_OP_WRITE_ONCE, dev->hw->config, ENG_WRITE);
	eng_event("config_write", &dev->dev, "%x = %x (%u)", where, value, size);
	pci_hw_write_config(dev, where, size, value);
}

int pci_read_config_byte(struct pci_dev *dev, int where, u8 *value)
{
	*value = config_read(dev, where, 1);
	return 0;
}

int pci_read_config_word(struct pci_dev *dev, int where, u16 *value)
{
	*value = config_read(dev, where, 2);
	return 0;
}

int pci_read_config_dword(struct pci_dev *dev, int where, u32 *value)
{
	*value = config_read(dev, where, 4);
	return 0;
}

int pci_write_config_byte(struct pci_dev *dev, int where, u8 value)
{
	config_write(dev, where, 1, value);
	return 0;
}

int pci_write_config_word(struct pci_dev *dev, int where, u16 value)
{
	config_write(dev, where, 2, value);
	return 0;
}

int pci_write_config_dword(struct pci_dev *dev, int where, u32 value)
{
	config_write(dev, where, 4, value);
	return 0;
}

int pci_find_capability(struct pci_dev *dev, int cap)
{
	u32 where = pci_hw_read_config(dev, PCI_CAPABILITY_LIST, 1);

	while (where && pci_hw_read_config(dev, where, 1) != cap)
		where = pci_hw_read_config(dev, where + PCI_CAP_LIST_NEXT, 1);
	return where;
}

static bool users_may_access(const void *arg)
{
	const struct pci_dev *dev = arg;

	return !dev->block_cfg_access;
}

/* Context: sleeps while a reset of the device is under way. */
static void pci_wait_cfg(struct pci_dev *dev)
{
	might_sleep();
	eng_wait(ENG_OP_WAIT_EVENT, &dev->block_cfg_access, ENG_READ, users_may_access, dev,
		 ENG_FOREVER, ENG_UNINTERRUPTIBLE);
}

int pci_user_read_config(struct pci_dev *dev, int where, unsigned int size, u32 *value)
{
	if (where & (size - 1))
		return -EINVAL;
	if (eng_fail_here("pci_user_read_config"))
		return -EINVAL;
	pci_wait_cfg(dev);
	*value = config_read(dev, where, size);
	return 0;
}

int pci_user_write_config(struct pci_dev *dev, int where, unsigned int size, u32 value)
{
	if (where & (size - 1))
		return -EINVAL;
	if (eng_fail_here("pci_user_write_config"))
		return -EINVAL;
	pci_wait_cfg(dev);
	config_write(dev, where, size, value);
	return 0;
}
