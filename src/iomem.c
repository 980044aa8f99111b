// SPDX-License-Identifier: GPL-2.0-only
/*
 * Physical addresses that are not RAM. Kernel originals: kernel/resource.c (the
 * claims) and asm-generic/io.h; the windows stand for the machine's buses.
 *
 * Owns the list of windows and the list of claims. Takes no lock: each operation is
 * one step, and windows change only while a device is plugged or
 * unplugged.
 */
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/io.h>
#include <vfiosim/kapi/lock.h>

#include "engine.h"

static struct list_head iomem_windows KSTATE = LIST_HEAD_INIT(iomem_windows);
static struct list_head iomem_claims KSTATE = LIST_HEAD_INIT(iomem_claims);

static bool resources_overlap(const struct resource *a, const struct resource *b)
{
	return a->start <= b->end && b->start <= a->end &&
	       (a->flags & b->flags & (IORESOURCE_MEM | IORESOURCE_IO));
}

/*
 * Claim @res for a driver. The kernel walks a tree under resource_lock; one
 * choice point in front of the walk stands for the lock, which is never held
 * across anything else.
 */
int request_resource(struct resource *res)
{
	struct resource *other;

	if (eng_fail_here("request_resource"))
		return -EBUSY;
	eng_point(ENG_OP_WRITE_ONCE, &iomem_claims, ENG_WRITE);
	list_for_each_entry(other, &iomem_claims, claims)
		if (resources_overlap(other, res))
			return -EBUSY;
	list_add_tail(&res->claims, &iomem_claims);
	return 0;
}

void release_resource(struct resource *res)
{
	eng_point(ENG_OP_WRITE_ONCE, &iomem_claims, ENG_WRITE);
	list_del_init(&res->claims);
}

void iomem_add(struct iomem_window *window)
{
	list_add_tail(&window->list, &iomem_windows);
}

void iomem_remove(struct iomem_window *window)
{
	list_del(&window->list);
}

static struct iomem_window *iomem_find(phys_addr_t addr)
{
	struct iomem_window *window;

	list_for_each_entry(window, &iomem_windows, list)
		if (addr >= window->start && addr - window->start < window->size)
			return window;
	return NULL;
}

bool iomem_access(phys_addr_t addr, bool write, u64 *value, unsigned int size)
{
	struct iomem_window *window = iomem_find(addr);

	if (window && window->io(window, addr - window->start, write, value, size))
		return true;
	if (!write)
		*value = ~0ULL >> (64 - 8 * size);
	return false;
}

/*
 * A kernel mapping of device memory. The cookie is the physical address itself:
 * the modelled kernel has no page tables of its own, so there is nothing to set up.
 * NULL means that the kernel's own tables could not be allocated.
 */
void *ioremap(phys_addr_t addr, size_t size)
{
	if (eng_fail_here("ioremap"))
		return NULL;
	return (void *)addr;
}

/* Nothing to undo: see ioremap(). */
void iounmap(void *cookie)
{
	WARN_ON(!cookie);
}

u64 ioread(void *cookie, u64 offset, unsigned int size)
{
	u64 value;

	iomem_access((phys_addr_t)cookie + offset, false, &value, size);
	return value;
}

void iowrite(void *cookie, u64 offset, u64 value, unsigned int size)
{
	iomem_access((phys_addr_t)cookie + offset, true, &value, size);
}
