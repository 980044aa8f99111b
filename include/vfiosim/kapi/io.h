/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical addresses outside RAM: what answers a load or a store there, which
 * driver claimed the range (the resource tree), and the kernel's own accesses.
 */
#ifndef VFIOSIM_KAPI_IO_H
#define VFIOSIM_KAPI_IO_H

#include <vfiosim/kapi/list.h>

#define IORESOURCE_IO 0x00000100
#define IORESOURCE_MEM 0x00000200
#define IORESOURCE_PREFETCH 0x00002000
#define IORESOURCE_MEM_64 0x00100000
#define IORESOURCE_EXCLUSIVE 0x08000000
#define IORESOURCE_BUSY 0x80000000

/*
 * A range of physical addresses, with the kernel's meaning of @end (inclusive).
 * Claims are kept in one flat list: a claim fails when it overlaps another.
 */
struct resource {
	phys_addr_t start;
	phys_addr_t end;
	const char *name;
	unsigned long flags;
	struct list_head claims;
};

static inline u64 resource_size(const struct resource *res)
{
	return res->end - res->start + 1;
}

/* 0, or -EBUSY when any part of @res is claimed already. */
int request_resource(struct resource *res) KAPI(request_resource);
void release_resource(struct resource *res) KAPI(release_resource);

/*
 * Something that answers to loads and stores (a BAR). @io carries out one access
 * of @size bytes (1, 2, 4, 8) at @offset; false when nothing answers: the bus
 * then completes a load with all ones and drops a store.
 */
struct iomem_window {
	phys_addr_t start;
	u64 size;
	bool (*io)(struct iomem_window *window, u64 offset, bool write, u64 *value,
		   unsigned int size);
	void *owner;
	struct list_head list;
};

/* From now on, and no more. The window stays the caller's; any context, no choice point. */
void iomem_add(struct iomem_window *window) SIM(iomem_add);
void iomem_remove(struct iomem_window *window) SIM(iomem_remove);

/*
 * One access to physical address @addr, by a page table entry or by the kernel.
 * Returns false when nothing answered; *value is then all ones for a load.
 * Context: any; no choice point (the caller announced the access).
 */
bool iomem_access(phys_addr_t addr, bool write, u64 *value, unsigned int size)
	SIM(iomem_access);

/* Kernel mappings; the cookie remembers the physical address. */
void *ioremap(phys_addr_t addr, size_t size) KAPI(ioremap);
void iounmap(void *cookie) KAPI(iounmap);
u64 ioread(void *cookie, u64 offset, unsigned int size) SIM(ioread);
void iowrite(void *cookie, u64 offset, u64 value, unsigned int size) SIM(iowrite);

#endif
