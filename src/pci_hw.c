// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI functions as hardware. No kernel original: this is what the kernel talks to.
 *
 * Owns each function's configuration registers and what its BARs hold. Takes no
 * lock: hardware carries out one access at a time. Effects of a register write
 * (decoding off, power state, resets) happen inside the write.
 */
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/pci.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>

#include "engine.h"
#include "pci_hw.h"

/* Where capabilities lie, those that a function has. */
#define CAP_PM 0x40
#define CAP_MSI 0x50
#define CAP_EXP 0x70
#define CAP_MSIX 0xb0
#define CAP_AF 0xc0

/* Firmware leaves decoding of both spaces and error reporting on. */
#define COMMAND_AT_BOOT (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_SERR)
#define COMMAND_WRITABLE 0x0547

/* Addresses are handed out upwards and never reused, so that they repeat. */
static u64 pci_next_port KSTATE = 0xc000;
static u64 pci_next_mem32 KSTATE = 0xc0000000;
static u64 pci_next_mem64 KSTATE = 0x380000000000;	/* 56 TiB */

struct ram_word {
	struct list_head list;
	unsigned int bar;
	u64 offset;
	u64 value;
};

static void put16(u8 *config, int where, u16 value)
{
	config[where] = value;
	config[where + 1] = value >> 8;
}

static void put32(u8 *config, int where, u32 value)
{
	put16(config, where, value);
	put16(config, where + 2, value >> 16);
}

static u16 get16(const u8 *config, int where)
{
	return config[where] | config[where + 1] << 8;
}

static u32 get32(const u8 *config, int where)
{
	return get16(config, where) | (u32)get16(config, where + 2) << 16;
}

/* ---- BARs ---- */

static bool bar_is_64bit(const struct pci_bar_model *bar)
{
	return bar->flags & IORESOURCE_MEM_64;
}

static u64 pci_assign_address(const struct pci_bar_model *bar)
{
	u64 size = bar->flags & IORESOURCE_IO ? bar->size : PAGE_ALIGN(bar->size);
	u64 *next = &pci_next_mem32;
	u64 address;

	if (bar->flags & IORESOURCE_IO)
		next = &pci_next_port;
	else if (bar_is_64bit(bar))
		next = &pci_next_mem64;
	address = (*next + size - 1) & ~(size - 1);
	*next = address + size;
	return address;
}

static u32 bar_type_bits(const struct pci_bar_model *bar)
{
	if (bar->flags & IORESOURCE_IO)
		return PCI_BASE_ADDRESS_SPACE_IO;
	return (bar_is_64bit(bar) ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0) |
	       (bar->flags & IORESOURCE_PREFETCH ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0);
}

static void bar_write_registers(struct pci_hw *hw, unsigned int bar, u64 address)
{
	const struct pci_bar_model *model = &hw->model.bar[bar];
	int where = PCI_BASE_ADDRESS_0 + 4 * bar;

	put32(hw->config, where, (u32)address | bar_type_bits(model));
	if (bar_is_64bit(model))
		put32(hw->config, where + 4, address >> 32);
}

/* Whether the registers hold what firmware assigned: elsewhere nothing decodes. */
static bool bar_is_in_place(const struct pci_hw *hw, unsigned int bar)
{
	int where = PCI_BASE_ADDRESS_0 + 4 * bar;
	u64 address = get32(hw->config, where) & ~0xfU;

	if (hw->dev->is_virtfn)
		return true;
	if (bar_is_64bit(&hw->model.bar[bar]))
		address |= (u64)get32(hw->config, where + 4) << 32;
	return address == hw->bar_address[bar];
}

bool pci_hw_memory_on(const struct pci_dev *dev)
{
	const struct pci_hw *hw = dev->hw;

	if (hw->model.pm && (hw->config[CAP_PM + PCI_PM_CTRL] & PCI_PM_CTRL_STATE_MASK))
		return false;
	return dev->no_command_memory ||
	       (get16(hw->config, PCI_COMMAND) & PCI_COMMAND_MEMORY);
}

static struct ram_word *ram_find(struct pci_hw *hw, unsigned int bar, u64 offset)
{
	struct ram_word *word;

	list_for_each_entry(word, &hw->words, list)
		if (word->bar == bar && word->offset == (offset & ~7ULL))
			return word;
	return NULL;
}

/*
 * RAM is kept as the eight-byte words that were ever written, so that a BAR of
 * megabytes costs what a scenario uses of it. The words belong to the machine:
 * no modelled allocation, and none that could fail.
 */
static void ram_io(struct pci_hw *hw, unsigned int bar, u64 offset, bool write, u64 *value,
		   unsigned int size)
{
	struct ram_word *word = ram_find(hw, bar, offset);
	unsigned int shift = 8 * (offset & 7);
	u64 mask = ~0ULL >> (64 - 8 * size);

	if (!write) {
		*value = word ? word->value >> shift & mask : 0;
		return;
	}
	if (!word) {
		word = kzalloc(sizeof(struct ram_word), GFP_KERNEL | __GFP_NOFAIL);
		word->bar = bar;
		word->offset = offset & ~7ULL;
		list_add_tail(&word->list, &hw->words);
	}
	word->value = (word->value & ~(mask << shift)) | (*value & mask) << shift;
}

static u32 edu_read(const struct pci_hw *hw, u64 offset)
{
	switch (offset) {
	case 0x00:
		return 0x010000ed;
	case 0x04:
		return hw->edu_inverter;
	case 0x08:
		return hw->edu_factorial;
	case 0x20:
		return 0;	/* computing takes no time here */
	default:
		return ~0U;
	}
}

static void edu_write(struct pci_hw *hw, u64 offset, u32 value)
{
	u32 factorial = 1;

	if (offset == 0x04)
		hw->edu_inverter = ~value;
	if (offset != 0x08)
		return;
	for (; value > 0 && factorial; value--)
		factorial *= value;
	hw->edu_factorial = factorial;
}

static bool bar_io(struct iomem_window *window, u64 offset, bool write, u64 *value,
		   unsigned int size)
{
	struct pci_hw *hw = window->owner;
	unsigned int bar = window - hw->windows;

	if (!pci_hw_memory_on(hw->dev) || !bar_is_in_place(hw, bar))
		return false;
	switch (hw->model.bar[bar].kind) {
	case PCI_BAR_RAM:
		ram_io(hw, bar, offset, write, value, size);
		break;
	case PCI_BAR_EDU:
		if (write)
			edu_write(hw, offset, *value);
		else
			*value = edu_read(hw, offset);
		break;
	default:
		if (!write)
			*value = (0x5a000000ULL | offset) & ~0ULL >> (64 - 8 * size);
		break;
	}
	return true;
}

static void bar_create(struct pci_hw *hw, unsigned int bar)
{
	const struct pci_bar_model *model = &hw->model.bar[bar];
	struct resource *res = &hw->dev->resource[bar];
	struct iomem_window *window = &hw->windows[bar];

	hw->bar_address[bar] = pci_assign_address(model);
	bar_write_registers(hw, bar, hw->bar_address[bar]);
	res->start = hw->bar_address[bar];
	res->end = res->start + model->size - 1;
	res->flags = model->flags;
	if (model->flags & IORESOURCE_IO)
		return;
	window->start = res->start;
	window->size = model->size;
	window->io = bar_io;
	window->owner = hw;
	iomem_add(window);
}

/* ---- configuration space ---- */

/* Links a capability in front of the list; its offset, or 0 when it is absent. */
static u8 cap_link(struct pci_hw *hw, bool present, u8 id, u8 where)
{
	if (!present)
		return 0;
	hw->config[where] = id;
	hw->config[where + 1] = hw->config[PCI_CAPABILITY_LIST];
	hw->config[PCI_CAPABILITY_LIST] = where;
	put16(hw->config, PCI_STATUS, get16(hw->config, PCI_STATUS) | PCI_STATUS_CAP_LIST);
	return where;
}

static void caps_create(struct pci_hw *hw)
{
	const struct pci_model *model = &hw->model;
	struct pci_dev *dev = hw->dev;

	dev->af_cap = cap_link(hw, model->resets & PCI_RESET_AF_FLR, PCI_CAP_ID_AF, CAP_AF);
	dev->msix_cap = cap_link(hw, model->msix, PCI_CAP_ID_MSIX, CAP_MSIX);
	dev->pcie_cap = cap_link(hw, model->pcie, PCI_CAP_ID_EXP, CAP_EXP);
	dev->msi_cap = cap_link(hw, model->msi, PCI_CAP_ID_MSI, CAP_MSI);
	dev->pm_cap = cap_link(hw, model->pm, PCI_CAP_ID_PM, CAP_PM);
	if (dev->af_cap) {
		hw->config[CAP_AF + PCI_AF_LENGTH] = 6;
		hw->config[CAP_AF + PCI_AF_CAP] = PCI_AF_CAP_TP | PCI_AF_CAP_FLR;
	}
	if (dev->pcie_cap) {
		put16(hw->config, CAP_EXP + PCI_EXP_FLAGS, 2);
		put32(hw->config, CAP_EXP + PCI_EXP_DEVCAP,
		      model->resets & PCI_RESET_FLR ? PCI_EXP_DEVCAP_FLR : 0);
	}
	if (dev->msix_cap)
		put16(hw->config, CAP_MSIX + PCI_MSIX_FLAGS, 3);	/* 4 vectors */
	if (dev->pm_cap)
		put16(hw->config, CAP_PM + PCI_PM_CTRL,
		      model->no_soft_reset ? PCI_PM_CTRL_NO_SOFT_RESET : 0);
}

static void header_create(struct pci_hw *hw)
{
	const struct pci_model *model = &hw->model;

	put16(hw->config, PCI_VENDOR_ID, model->vendor);
	put16(hw->config, PCI_DEVICE_ID, model->device);
	put32(hw->config, PCI_CLASS_REVISION, model->class << 8);
	hw->config[PCI_HEADER_TYPE] = model->hdr_type;
	put16(hw->config, PCI_COMMAND, hw->dev->is_virtfn ? 0 : COMMAND_AT_BOOT);
	hw->config[PCI_INTERRUPT_PIN] = hw->dev->is_virtfn ? 0 : 1;
}

int pci_hw_create(struct pci_dev *dev, const struct pci_model *model)
{
	struct pci_hw *hw = kzalloc(sizeof(struct pci_hw), GFP_KERNEL);
	unsigned int bar;

	if (!hw)
		return -ENOMEM;
	hw->dev = dev;
	hw->model = *model;
	dev->hw = hw;
	INIT_LIST_HEAD(&hw->words);
	header_create(hw);
	caps_create(hw);
	for (bar = 0; bar < ARRAY_SIZE(model->bar); bar++)
		if (model->bar[bar].size)
			bar_create(hw, bar);
	return 0;
}

void pci_hw_destroy(struct pci_dev *dev)
{
	struct pci_hw *hw = dev->hw;
	struct ram_word *word, *next;
	unsigned int bar;

	if (!hw)
		return;
	for (bar = 0; bar < ARRAY_SIZE(hw->windows); bar++)
		if (hw->windows[bar].size)
			iomem_remove(&hw->windows[bar]);
	list_for_each_entry_safe(word, next, &hw->words, list) {
		list_del(&word->list);
		kfree(word);
	}
	kfree(hw);
}

/* What a reset of any kind leaves: decoding off, BARs blank, D0. RAM keeps its content. */
void pci_hw_reset(struct pci_dev *dev)
{
	struct pci_hw *hw = dev->hw;
	unsigned int bar;

	hw->resets++;
	eng_event("pci_hw_reset", &dev->dev, "%u", hw->resets);
	put16(hw->config, PCI_COMMAND, 0);
	for (bar = 0; bar < ARRAY_SIZE(hw->model.bar) && !dev->is_virtfn; bar++)
		if (hw->model.bar[bar].size)
			bar_write_registers(hw, bar, 0);
	if (dev->pm_cap)
		hw->config[CAP_PM + PCI_PM_CTRL] &= ~PCI_PM_CTRL_STATE_MASK;
	hw->edu_inverter = 0;
	hw->edu_factorial = 0;
}

u32 pci_hw_read_config(struct pci_dev *dev, int where, unsigned int size)
{
	const u8 *config = dev->hw->config;
	u32 value = 0;
	unsigned int i;

	for (i = 0; i < size; i++)
		if (where + i < PCI_CFG_SPACE_SIZE)
			value |= (u32)config[where + i] << (8 * i);
	return value;
}

/* Which bits of the register at @where a BAR of this size lets change. */
static u8 bar_mask(const struct pci_hw *hw, int where)
{
	unsigned int bar = (where - PCI_BASE_ADDRESS_0) / 4;
	unsigned int shift = 8 * (where % 4);
	u64 size = hw->model.bar[bar].size;

	if (!size && bar && bar_is_64bit(&hw->model.bar[bar - 1])) {
		size = hw->model.bar[bar - 1].size;
		shift += 32;
	} else if (size) {
		size = size < 16 ? 16 : size;
	}
	return size ? ~(size - 1) >> shift : 0;
}

static u8 config_mask(const struct pci_hw *hw, int where)
{
	if (where == PCI_COMMAND || where == PCI_COMMAND + 1)
		return (hw->dev->is_virtfn ? PCI_COMMAND_MASTER : COMMAND_WRITABLE) >>
		       (8 * (where - PCI_COMMAND));
	if (where >= PCI_BASE_ADDRESS_0 && where < PCI_BASE_ADDRESS_0 + 24 &&
	    hw->model.hdr_type == PCI_HEADER_TYPE_NORMAL)
		return hw->dev->is_virtfn ? 0 : bar_mask(hw, where);
	if (where == PCI_INTERRUPT_LINE || where == PCI_CACHE_LINE_SIZE ||
	    where == PCI_LATENCY_TIMER)
		return 0xff;
	if (hw->dev->pm_cap && where == CAP_PM + PCI_PM_CTRL)
		return PCI_PM_CTRL_STATE_MASK;
	if (hw->dev->pcie_cap && (where == CAP_EXP + PCI_EXP_DEVCTL ||
				  where == CAP_EXP + PCI_EXP_DEVCTL + 1))
		return where == CAP_EXP + PCI_EXP_DEVCTL ? 0xff : 0x7f;
	if (hw->dev->msi_cap && where >= CAP_MSI + 2 && where < CAP_MSI + 0x18)
		return 0xff;
	if (hw->dev->msix_cap && where == CAP_MSIX + PCI_MSIX_FLAGS + 1)
		return 0xc0;
	return 0;
}

/* What else a write does, by the byte it reaches. */
static void config_effect(struct pci_dev *dev, int where, u8 old, u8 value)
{
	struct pci_hw *hw = dev->hw;

	if (dev->pcie_cap && where == CAP_EXP + PCI_EXP_DEVCTL + 1 &&
	    (value & PCI_EXP_DEVCTL_BCR_FLR >> 8) && (hw->model.resets & PCI_RESET_FLR))
		pci_hw_reset(dev);
	if (dev->af_cap && where == CAP_AF + PCI_AF_CTRL && (value & PCI_AF_CTRL_FLR))
		pci_hw_reset(dev);
	if (dev->pm_cap && where == CAP_PM + PCI_PM_CTRL && !hw->model.no_soft_reset &&
	    (old & PCI_PM_CTRL_STATE_MASK) == PCI_D3hot &&
	    (value & PCI_PM_CTRL_STATE_MASK) == PCI_D0)
		pci_hw_reset(dev);
}

void pci_hw_write_config(struct pci_dev *dev, int where, unsigned int size, u32 value)
{
	struct pci_hw *hw = dev->hw;
	unsigned int i;

	for (i = 0; i < size && where + i < PCI_CFG_SPACE_SIZE; i++) {
		u8 *reg = &hw->config[where + i];
		u8 byte = value >> (8 * i);
		u8 mask = config_mask(hw, where + i);
		u8 old = *reg;

		*reg = (old & ~mask) | (byte & mask);
		config_effect(dev, where + i, old, byte);
	}
}
