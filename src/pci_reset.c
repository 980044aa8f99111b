// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets, saved state and power states of PCI devices.
 * Kernel original: drivers/pci/pci.c.
 *
 * Lock order (outer first):
 *
 *   what a driver holds (vfio-pci: memory_lock)
 *     device_lock(dev)			(only ever tried from there)
 *     device locks of a whole bus	(only ever tried, in list order)
 *
 * While a device is locked for a reset, user accesses to its configuration space
 * wait (block_cfg_access).
 */
#include <vfiosim/kapi/pci.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>

#include "engine.h"
#include "pci_hw.h"

struct pci_saved_state {
	u32 config_space[16];
	u16 devctl;
};

void pci_set_master(struct pci_dev *dev)
{
	u16 command;

	pci_read_config_word(dev, PCI_COMMAND, &command);
	pci_write_config_word(dev, PCI_COMMAND, command | PCI_COMMAND_MASTER);
	dev->is_busmaster = true;
}

void pci_clear_master(struct pci_dev *dev)
{
	u16 command;

	pci_read_config_word(dev, PCI_COMMAND, &command);
	if (command & PCI_COMMAND_MASTER)
		pci_write_config_word(dev, PCI_COMMAND, command & ~PCI_COMMAND_MASTER);
	dev->is_busmaster = false;
}

void pci_intx(struct pci_dev *dev, int enable)
{
	u16 command, wanted;

	pci_read_config_word(dev, PCI_COMMAND, &command);
	wanted = enable ? command & ~PCI_COMMAND_INTX_DISABLE :
			  command | PCI_COMMAND_INTX_DISABLE;
	if (wanted != command)
		pci_write_config_word(dev, PCI_COMMAND, wanted);
}

bool pci_intx_mask_supported(struct pci_dev *dev)
{
	return !dev->broken_intx_masking && dev->pin;
}

/* ---- saved state ---- */

int pci_save_state(struct pci_dev *dev)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dev->saved_config_space); i++)
		pci_read_config_dword(dev, 4 * i, &dev->saved_config_space[i]);
	if (dev->pcie_cap)
		pci_read_config_word(dev, dev->pcie_cap + PCI_EXP_DEVCTL, &dev->saved_devctl);
	dev->state_saved = true;
	return 0;
}

/* Backwards, so that the BARs are in place before decoding is switched on. */
void pci_restore_state(struct pci_dev *dev)
{
	int i;

	if (!dev->state_saved)
		return;
	if (dev->pcie_cap)
		pci_write_config_word(dev, dev->pcie_cap + PCI_EXP_DEVCTL, dev->saved_devctl);
	for (i = ARRAY_SIZE(dev->saved_config_space) - 1; i >= 0; i--) {
		u32 value = dev->saved_config_space[i];
		u32 now;

		pci_read_config_dword(dev, 4 * i, &now);
		if (now != value)
			pci_write_config_dword(dev, 4 * i, value);
	}
	dev->state_saved = false;
}

/* Refs: the copy is the caller's. NULL when nothing was saved or memory ran out. */
struct pci_saved_state *pci_store_saved_state(struct pci_dev *dev)
{
	struct pci_saved_state *state;

	if (!dev->state_saved)
		return NULL;
	state = kzalloc(sizeof(struct pci_saved_state), GFP_KERNEL);
	if (!state)
		return NULL;
	memcpy(state->config_space, dev->saved_config_space, sizeof(state->config_space));
	state->devctl = dev->saved_devctl;
	return state;
}

int pci_load_saved_state(struct pci_dev *dev, struct pci_saved_state *state)
{
	dev->state_saved = false;
	if (!state)
		return 0;
	if (eng_fail_here("pci_load_saved_state"))
		return -EINVAL;
	memcpy(dev->saved_config_space, state->config_space, sizeof(state->config_space));
	dev->saved_devctl = state->devctl;
	dev->state_saved = true;
	return 0;
}

int pci_load_and_free_saved_state(struct pci_dev *dev, struct pci_saved_state **state)
{
	int ret = pci_load_saved_state(dev, *state);

	kfree(*state);
	*state = NULL;
	return ret;
}

/* ---- power ---- */

/* Coming out of D3hot a device without soft reset has lost its BARs: put them back. */
int pci_set_power_state(struct pci_dev *dev, pci_power_t state)
{
	pci_power_t old = dev->current_state;
	u16 control;

	if (!dev->pm_cap || state == old)
		return 0;
	if (state > PCI_D3hot)
		state = PCI_D3hot;
	pci_read_config_word(dev, dev->pm_cap + PCI_PM_CTRL, &control);
	pci_write_config_word(dev, dev->pm_cap + PCI_PM_CTRL,
			      (control & ~PCI_PM_CTRL_STATE_MASK) | state);
	dev->current_state = state;
	eng_event("power_state", &dev->dev, "D%d to D%d", old, state);
	if (old == PCI_D3hot && !(control & PCI_PM_CTRL_NO_SOFT_RESET)) {
		struct resource *res = dev->resource;
		int bar;

		for (bar = 0; bar < 6; bar++)
			if (res[bar].flags & IORESOURCE_MEM)
				pci_write_config_dword(dev, PCI_BASE_ADDRESS_0 + 4 * bar,
						       res[bar].start);
		for (bar = 0; bar < 5; bar++)
			if (res[bar].flags & IORESOURCE_MEM_64)
				pci_write_config_dword(dev, PCI_BASE_ADDRESS_1 + 4 * bar,
						       res[bar].start >> 32);
	}
	return 0;
}

/* ---- resets of one function ---- */

static int pcie_flr(struct pci_dev *dev, bool probe)
{
	if (!(dev->hw->model.resets & PCI_RESET_FLR) || !dev->pcie_cap)
		return -ENOTTY;
	if (!probe)
		pci_write_config_word(dev, dev->pcie_cap + PCI_EXP_DEVCTL,
				      PCI_EXP_DEVCTL_BCR_FLR);
	return 0;
}

static int pci_af_flr(struct pci_dev *dev, bool probe)
{
	if (!dev->af_cap)
		return -ENOTTY;
	if (!probe)
		pci_write_config_byte(dev, dev->af_cap + PCI_AF_CTRL, PCI_AF_CTRL_FLR);
	return 0;
}

static int pci_pm_reset(struct pci_dev *dev, bool probe)
{
	u16 control;

	if (!dev->pm_cap || !(dev->hw->model.resets & PCI_RESET_PM))
		return -ENOTTY;
	pci_read_config_word(dev, dev->pm_cap + PCI_PM_CTRL, &control);
	if (control & PCI_PM_CTRL_NO_SOFT_RESET)
		return -ENOTTY;
	if (probe)
		return 0;
	if (dev->current_state != PCI_D0)
		return -EINVAL;
	control &= ~PCI_PM_CTRL_STATE_MASK;
	pci_write_config_word(dev, dev->pm_cap + PCI_PM_CTRL, control | PCI_D3hot);
	pci_write_config_word(dev, dev->pm_cap + PCI_PM_CTRL, control | PCI_D0);
	return 0;
}

/* Pull the reset line of @bus: everything on and below it is reset. */
static int pci_bridge_secondary_bus_reset(struct pci_bus *bus)
{
	struct pci_dev *dev;

	bus->resets++;
	eng_event("bus_reset", &bus->self->dev, "bus %u", bus->number);
	list_for_each_entry(dev, &bus->devices, bus_list) {
		eng_point(ENG_OP_WRITE_ONCE, dev->hw->config, ENG_WRITE);
		pci_hw_reset(dev);
		if (dev->subordinate)
			pci_bridge_secondary_bus_reset(dev->subordinate);
	}
	return bus->self->hw->model.reset_fails ? -ENOTTY : 0;
}

/* The bus's reset, for a function that has the bus to itself. */
static int pci_parent_bus_reset(struct pci_dev *dev, bool probe)
{
	if (pci_is_root_bus(dev->bus) || dev->subordinate || !dev->bus->can_reset ||
	    !list_is_singular(&dev->bus->devices))
		return -ENOTTY;
	return probe ? 0 : pci_bridge_secondary_bus_reset(dev->bus);
}

static int pci_dev_reset_slot_function(struct pci_dev *dev, bool probe)
{
	struct pci_dev *other;

	if (!dev->slot || !dev->slot->can_reset)
		return -ENOTTY;
	list_for_each_entry(other, &dev->bus->devices, bus_list)
		if (other != dev && other->slot == dev->slot)
			return -ENOTTY;
	if (!probe)
		pci_hw_reset(dev);
	return 0;
}

/* The kernel's order: the first method that the device has is the one used. */
static int pci_reset_by_first_method(struct pci_dev *dev, bool probe)
{
	static int (*const methods[])(struct pci_dev *dev, bool probe) = {
		pcie_flr, pci_af_flr, pci_pm_reset, pci_dev_reset_slot_function,
		pci_parent_bus_reset,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		ret = methods[i](dev, probe);
		if (ret != -ENOTTY)
			return ret;
	}
	return -ENOTTY;
}

int pci_probe_reset_function(struct pci_dev *dev)
{
	return pci_reset_by_first_method(dev, true);
}

/* Locks: the caller holds the device lock. */
int __pci_reset_function_locked(struct pci_dev *dev)
{
	if (eng_fail_here("pci_reset_function"))
		return -ENOTTY;
	return pci_reset_by_first_method(dev, false);
}

bool pci_cfg_access_trylock(struct pci_dev *dev)
{
	eng_point(ENG_OP_WRITE_ONCE, &dev->block_cfg_access, ENG_WRITE);
	if (dev->block_cfg_access) {
		eng_only_read();
		return false;
	}
	dev->block_cfg_access = true;
	return true;
}

void pci_cfg_access_unlock(struct pci_dev *dev)
{
	eng_point(ENG_OP_WRITE_ONCE, &dev->block_cfg_access, ENG_WRITE);
	WARN_ON(!dev->block_cfg_access);
	dev->block_cfg_access = false;
}

/* Locks: returns holding the device lock and keeping users out, or neither. */
static bool pci_dev_trylock(struct pci_dev *dev)
{
	if (!pci_cfg_access_trylock(dev))
		return false;
	if (device_trylock(&dev->dev))
		return true;
	pci_cfg_access_unlock(dev);
	return false;
}

static bool users_are_in(const void *arg)
{
	const struct pci_dev *dev = arg;

	return !dev->block_cfg_access;
}

/* Locks: as pci_dev_trylock(), but waits. */
static void pci_dev_lock(struct pci_dev *dev)
{
	eng_wait(ENG_OP_WAIT_EVENT, &dev->block_cfg_access, ENG_WRITE, users_are_in, dev,
		 ENG_FOREVER, ENG_UNINTERRUPTIBLE);
	dev->block_cfg_access = true;
	device_lock(&dev->dev);
}

static void pci_dev_unlock(struct pci_dev *dev)
{
	device_unlock(&dev->dev);
	pci_cfg_access_unlock(dev);
}

static void pci_dev_save_and_disable(struct pci_dev *dev)
{
	pci_set_power_state(dev, PCI_D0);
	pci_save_state(dev);
	pci_write_config_word(dev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
}

static int reset_function_locked(struct pci_dev *dev)
{
	int ret;

	pci_dev_save_and_disable(dev);
	ret = __pci_reset_function_locked(dev);
	pci_restore_state(dev);
	return ret;
}

int pci_try_reset_function(struct pci_dev *dev)
{
	int ret;

	if (pci_probe_reset_function(dev))
		return -ENOTTY;
	if (!pci_dev_trylock(dev))
		return -EAGAIN;
	ret = reset_function_locked(dev);
	pci_dev_unlock(dev);
	return ret;
}

int pci_reset_function(struct pci_dev *dev)
{
	int ret;

	if (pci_probe_reset_function(dev))
		return -ENOTTY;
	pci_dev_lock(dev);
	ret = reset_function_locked(dev);
	pci_dev_unlock(dev);
	return ret;
}

/* ---- resets of a bus or a slot: all functions locked, saved, reset, restored ---- */

/* The functions of a reset domain: of @slot, or of all of @bus and what is below. */
struct reset_domain {
	struct pci_bus *bus;
	struct pci_slot *slot;
};

static bool in_domain(const struct reset_domain *domain, const struct pci_dev *dev)
{
	return !domain->slot || dev->slot == domain->slot;
}

static void domain_unlock_until(const struct reset_domain *domain, struct pci_dev *end)
{
	struct pci_dev *dev = end;

	list_for_each_entry_continue_reverse(dev, &domain->bus->devices, bus_list) {
		if (!in_domain(domain, dev))
			continue;
		if (dev->subordinate) {
			struct reset_domain below = { dev->subordinate, NULL };

			domain_unlock_until(&below, list_entry(&dev->subordinate->devices,
							       struct pci_dev, bus_list));
		}
		pci_dev_unlock(dev);
	}
}

static void domain_unlock(const struct reset_domain *domain)
{
	domain_unlock_until(domain, list_entry(&domain->bus->devices, struct pci_dev, bus_list));
}

/* Locks: returns holding every device lock of the domain, or none. */
static bool domain_trylock(const struct reset_domain *domain)
{
	struct pci_dev *dev;

	list_for_each_entry(dev, &domain->bus->devices, bus_list) {
		struct reset_domain below = { dev->subordinate, NULL };

		if (!in_domain(domain, dev))
			continue;
		if (!pci_dev_trylock(dev))
			goto err_unlock;
		if (dev->subordinate && !domain_trylock(&below)) {
			pci_dev_unlock(dev);
			goto err_unlock;
		}
	}
	return true;

err_unlock:
	domain_unlock_until(domain, dev);
	return false;
}

static void domain_for_each(const struct reset_domain *domain, void (*fn)(struct pci_dev *dev))
{
	struct pci_dev *dev;

	list_for_each_entry(dev, &domain->bus->devices, bus_list) {
		if (!in_domain(domain, dev))
			continue;
		fn(dev);
		if (dev->subordinate) {
			struct reset_domain below = { dev->subordinate, NULL };

			domain_for_each(&below, fn);
		}
	}
}

static int domain_reset(const struct reset_domain *domain)
{
	if (!domain->slot)
		return pci_bridge_secondary_bus_reset(domain->bus);
	domain_for_each(domain, pci_hw_reset);
	return 0;
}

int pci_probe_reset_slot(struct pci_slot *slot)
{
	return slot && slot->can_reset ? 0 : -ENOTTY;
}

int pci_probe_reset_bus(struct pci_bus *bus)
{
	return bus->self && bus->can_reset ? 0 : -ENOTTY;
}

/*
 * Reset the slot of @dev, or its bus: all functions of it, or -EAGAIN when one of
 * their device locks is taken.
 */
int pci_reset_bus(struct pci_dev *dev)
{
	struct reset_domain domain = { dev->bus, NULL };
	int ret;

	if (!pci_probe_reset_slot(dev->slot))
		domain.slot = dev->slot;
	else if (pci_probe_reset_bus(dev->bus))
		return -ENOTTY;
	if (!domain_trylock(&domain))
		return -EAGAIN;
	domain_for_each(&domain, pci_dev_save_and_disable);
	ret = domain_reset(&domain);
	domain_for_each(&domain, pci_restore_state);
	domain_unlock(&domain);
	return ret;
}
