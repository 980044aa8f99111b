// SPDX-License-Identifier: GPL-2.0-only
/*
 * The type1 IOMMU backend: groups in domains, DMA ranges, pinned pages.
 * Kernel original: drivers/vfio/vfio_iommu_type1.c of 5.14.
 *
 * Lock order (outer first):
 *
 *   vfio.iommu_drivers_lock	(the core, around open, release, attach)
 *     iommu->lock		(everything in struct vfio_iommu)
 *       iommu group mutex	(attach, detach)
 *       mm->mmap_lock		(pinning; faults pages in, so a driver's fault
 *				 handler runs below)
 *
 * What the IOMMU maps is physical: a zap of the processes' mappings does not
 * reach it.
 */
#define KBUILD_MODNAME vfio_iommu_type1

#include <vfiosim/kapi/mm_types.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/uaccess.h>
#include <vfiosim/kapi/vfio.h>

#include "engine.h"
#include "mm_internal.h"

DECLARE_MODULE(vfio);

#define DMA_ENTRY_LIMIT 65535
#define FAULTS_MAX 8	/* a page that keeps vanishing is given up as EFAULT */

struct vfio_iommu {
	struct mutex lock;
	struct list_head domain_list;
	struct list_head external_groups;	/* of devices without an IOMMU: mdev */
	struct list_head dma_list;		/* by iova */
	struct blocking_notifier_head notifier;
	unsigned int dma_avail;
	bool v2;
	bool nesting;
	bool container_open;
};

struct vfio_domain {
	struct iommu_domain *domain;
	struct list_head next;
	struct list_head group_list;
};

struct vfio_iommu_group {
	struct iommu_group *iommu_group;
	struct list_head next;
};

/* A pinned page: of memory, or of a BAR (no page). */
struct vfio_pin {
	struct list_head next;
	dma_addr_t iova;
	unsigned long pfn;
	struct page *page;
	unsigned int count;			/* by external users */
};

struct vfio_dma {
	struct list_head next;
	dma_addr_t iova;
	unsigned long vaddr;
	size_t size;
	int prot;
	bool iommu_mapped;
	struct mm_struct *mm;			/* +1 grab */
	struct list_head pins;
};

/* ---- pinning user memory ---- */

/* A frame number for a page of memory: its place in the arena, out of reach of BARs. */
static unsigned long page_frame(const struct page *page)
{
	return (unsigned long)page >> 3 | 1UL << 50;
}

static bool pte_allows(pte_t pte, bool write)
{
	return pte & PTE_PRESENT && !(pte & PTE_PROTNONE) && (!write || pte & PTE_WRITE);
}

/* Locks: holds the mmap_lock for reading. Refs: on success +1 hold on the page, if any. */
static int pin_present_page(struct mm_struct *mm, unsigned long vaddr, bool write,
			    struct vfio_pin *pin)
{
	struct vm_area_struct *vma = find_vma(mm, vaddr);
	unsigned int faults;

	if (!vma || vma->vm_start > vaddr || !(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
		return -EFAULT;
	for (faults = 0; faults < FAULTS_MAX; faults++) {
		pte_t *slot = pte_find(mm, vaddr);
		pte_t pte = slot ? pte_lock(slot) : 0;

		if (pte_allows(pte, write) && !(pte & PTE_ZERO)) {
			pin->page = pte_page(pte);
			if (pin->page)
				pin->page->held++;
			pin->pfn = pin->page ? page_frame(pin->page) : pte_pfn(pte);
			return 0;
		}
		/* A page is pinned for good: never the shared zero page. */
		if (handle_mm_fault(vma, vaddr & PAGE_MASK, FAULT_FLAG_WRITE) &
		    (VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV))
			return -EFAULT;
	}
	return -EFAULT;
}

/* Context: may sleep. Locks: takes and drops the mmap_lock. */
static int vaddr_get_pfn(struct mm_struct *mm, unsigned long vaddr, int prot,
			 struct vfio_pin *pin)
{
	int ret;

	mmap_read_lock(mm);
	ret = pin_present_page(mm, vaddr, prot & IOMMU_WRITE, pin);
	mmap_read_unlock(mm);
	return ret;
}

static void vfio_unpin(struct vfio_pin *pin)
{
	list_del(&pin->next);
	if (pin->page)
		put_page(pin->page);
	kfree(pin);
}

/* Refs: the pin belongs to @dma. ERR_PTR on failure. */
static struct vfio_pin *vfio_pin_page(struct vfio_dma *dma, dma_addr_t iova)
{
	struct vfio_pin *pin = kzalloc(sizeof(struct vfio_pin), GFP_KERNEL);
	int ret;

	if (!pin)
		return ERR_PTR(-ENOMEM);
	pin->iova = iova;
	ret = vaddr_get_pfn(dma->mm, dma->vaddr + (iova - dma->iova), dma->prot, pin);
	if (ret) {
		kfree(pin);
		return ERR_PTR(ret);
	}
	list_add_tail(&pin->next, &dma->pins);
	return pin;
}

/* ---- DMA ranges ---- */

static struct vfio_dma *vfio_find_dma(struct vfio_iommu *iommu, dma_addr_t start, size_t size)
{
	struct vfio_dma *dma;

	list_for_each_entry(dma, &iommu->dma_list, next)
		if (start < dma->iova + dma->size && dma->iova < start + size)
			return dma;
	return NULL;
}

static void vfio_link_dma(struct vfio_iommu *iommu, struct vfio_dma *fresh)
{
	struct vfio_dma *dma;

	list_for_each_entry(dma, &iommu->dma_list, next)
		if (dma->iova > fresh->iova)
			break;
	list_add_tail(&fresh->next, &dma->next);
	iommu->dma_avail--;
}

/* Into every domain, or into none. */
static int vfio_iommu_map(struct vfio_iommu *iommu, const struct vfio_pin *pin, int prot)
{
	struct vfio_domain *domain;
	int ret;

	list_for_each_entry(domain, &iommu->domain_list, next) {
		ret = iommu_map(domain->domain, pin->iova, (phys_addr_t)pin->pfn << PAGE_SHIFT,
				PAGE_SIZE, prot);
		if (ret)
			goto err_unmap;
	}
	return 0;

err_unmap:
	list_for_each_entry_continue_reverse(domain, &iommu->domain_list, next)
		iommu_unmap(domain->domain, pin->iova, PAGE_SIZE);
	return ret;
}

static void vfio_unmap_unpin(struct vfio_iommu *iommu, struct vfio_dma *dma)
{
	struct vfio_domain *domain;
	struct vfio_pin *pin, *next;

	list_for_each_entry(domain, &iommu->domain_list, next)
		iommu_unmap(domain->domain, dma->iova, dma->size);
	list_for_each_entry_safe(pin, next, &dma->pins, next)
		vfio_unpin(pin);
}

static void vfio_remove_dma(struct vfio_iommu *iommu, struct vfio_dma *dma)
{
	vfio_unmap_unpin(iommu, dma);
	list_del(&dma->next);
	mmdrop(dma->mm);
	kfree(dma);
	iommu->dma_avail++;
}

static void vfio_iommu_unmap_unpin_all(struct vfio_iommu *iommu)
{
	while (!list_empty(&iommu->dma_list))
		vfio_remove_dma(iommu, list_first_entry(&iommu->dma_list, struct vfio_dma, next));
}

/* Page by page; a failure takes back what this call did. */
static int vfio_pin_map_dma(struct vfio_iommu *iommu, struct vfio_dma *dma, size_t size)
{
	while (dma->size < size) {
		struct vfio_pin *pin = vfio_pin_page(dma, dma->iova + dma->size);
		int ret;

		if (IS_ERR(pin))
			return PTR_ERR(pin);
		ret = vfio_iommu_map(iommu, pin, dma->prot);
		if (ret) {
			vfio_unpin(pin);
			return ret;
		}
		dma->size += PAGE_SIZE;
	}
	dma->iommu_mapped = true;
	return 0;
}

static int vfio_dma_check(const struct vfio_iommu_type1_dma_map *map)
{
	if (!(map->flags & (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)))
		return -EINVAL;
	if (!map->size || (map->size | map->iova | map->vaddr) & ~PAGE_MASK)
		return -EINVAL;
	if (map->iova + map->size - 1 < map->iova || map->vaddr + map->size - 1 < map->vaddr)
		return -EINVAL;
	return 0;
}

static struct vfio_dma *vfio_alloc_dma(const struct vfio_iommu_type1_dma_map *map)
{
	struct vfio_dma *dma = kzalloc(sizeof(struct vfio_dma), GFP_KERNEL);

	if (!dma)
		return NULL;
	dma->iova = map->iova;
	dma->vaddr = map->vaddr;
	dma->prot = (map->flags & VFIO_DMA_MAP_FLAG_READ ? IOMMU_READ : 0) |
		    (map->flags & VFIO_DMA_MAP_FLAG_WRITE ? IOMMU_WRITE : 0);
	dma->mm = get_current()->mm;
	mmgrab(dma->mm);
	INIT_LIST_HEAD(&dma->pins);
	return dma;
}

/* Context: may sleep. Locks: takes and drops iommu->lock. */
static int vfio_dma_do_map(struct vfio_iommu *iommu, const struct vfio_iommu_type1_dma_map *map)
{
	struct vfio_dma *dma;
	int ret = vfio_dma_check(map);

	if (ret)
		return ret;
	mutex_lock(&iommu->lock);
	if (vfio_find_dma(iommu, map->iova, map->size)) {
		ret = -EEXIST;
		goto out_unlock;
	}
	if (!iommu->dma_avail) {
		ret = -ENOSPC;
		goto out_unlock;
	}
	dma = get_current()->mm ? vfio_alloc_dma(map) : NULL;
	if (!dma) {
		ret = -ENOMEM;
		goto out_unlock;
	}
	vfio_link_dma(iommu, dma);
	/* Without a domain (mdev only) pages are pinned when somebody asks for them. */
	if (list_empty(&iommu->domain_list))
		dma->size = map->size;
	else
		ret = vfio_pin_map_dma(iommu, dma, map->size);
	if (ret)
		vfio_remove_dma(iommu, dma);
out_unlock:
	mutex_unlock(&iommu->lock);
	return ret;
}

/* Type1 v2 does not split a range: an unmap that would is refused. */
static bool vfio_would_split(struct vfio_iommu *iommu,
			     const struct vfio_iommu_type1_dma_unmap *unmap)
{
	struct vfio_dma *first, *last;

	first = vfio_find_dma(iommu, unmap->iova, 1);
	last = vfio_find_dma(iommu, unmap->iova + unmap->size - 1, 1);
	return (first && first->iova != unmap->iova) ||
	       (last && last->iova + last->size != unmap->iova + unmap->size);
}

static bool vfio_has_external_pins(const struct vfio_dma *dma)
{
	struct vfio_pin *pin;

	list_for_each_entry(pin, &dma->pins, next)
		if (pin->count)
			return true;
	return false;
}

/*
 * Tell users of pinned pages that the range goes; they unpin from the callback,
 * so iommu->lock is dropped, and whoever finds the range afterwards looks again.
 */
static void vfio_notify_dma_unmap(struct vfio_iommu *iommu, struct vfio_dma *dma)
{
	struct vfio_iommu_type1_dma_unmap unmap = { .iova = dma->iova, .size = dma->size };

	mutex_unlock(&iommu->lock);
	blocking_notifier_call_chain(&iommu->notifier, VFIO_IOMMU_NOTIFY_DMA_UNMAP, &unmap);
	mutex_lock(&iommu->lock);
}

static size_t vfio_dma_unmap_range(struct vfio_iommu *iommu, dma_addr_t iova, size_t size)
{
	struct vfio_dma *dma;
	size_t done = 0;
	int retries = 0;

	while ((dma = vfio_find_dma(iommu, iova, size))) {
		if (vfio_has_external_pins(dma)) {
			BUG_ON(++retries > 10);
			vfio_notify_dma_unmap(iommu, dma);
			continue;
		}
		done += dma->size;
		vfio_remove_dma(iommu, dma);
	}
	return done;
}

/* Returns how much was unmapped in unmap->size; an empty range is no error. */
static int vfio_dma_do_unmap(struct vfio_iommu *iommu,
			     struct vfio_iommu_type1_dma_unmap *unmap)
{
	bool all = unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL;
	int ret = -EINVAL;

	mutex_lock(&iommu->lock);
	if (all) {
		if (unmap->iova || unmap->size)
			goto out_unlock;
		unmap->size = vfio_dma_unmap_range(iommu, 0, ~0UL);
		ret = 0;
		goto out_unlock;
	}
	if (!unmap->size || (unmap->size | unmap->iova) & ~PAGE_MASK ||
	    unmap->iova + unmap->size - 1 < unmap->iova)
		goto out_unlock;
	if (iommu->v2 && vfio_would_split(iommu, unmap))
		goto out_unlock;
	unmap->size = vfio_dma_unmap_range(iommu, unmap->iova, unmap->size);
	ret = 0;
out_unlock:
	mutex_unlock(&iommu->lock);
	return ret;
}

/* ---- groups ---- */

static struct vfio_iommu_group *find_in(struct list_head *list, struct iommu_group *group)
{
	struct vfio_iommu_group *entry;

	list_for_each_entry(entry, list, next)
		if (entry->iommu_group == group)
			return entry;
	return NULL;
}

static bool vfio_has_group(struct vfio_iommu *iommu, struct iommu_group *group)
{
	struct vfio_domain *domain;

	list_for_each_entry(domain, &iommu->domain_list, next)
		if (find_in(&domain->group_list, group))
			return true;
	return find_in(&iommu->external_groups, group);
}

/* The one bus of all members; mixed groups are refused. */
static int vfio_bus_type(struct device *dev, void *data)
{
	struct bus_type **bus = data;

	if (*bus && *bus != dev->bus)
		return -EINVAL;
	*bus = dev->bus;
	return 0;
}

/* What is mapped already, into a domain that joins. */
static int vfio_iommu_replay(struct vfio_iommu *iommu, struct vfio_domain *domain)
{
	struct vfio_dma *dma;
	struct vfio_pin *pin;
	int ret;

	list_for_each_entry(dma, &iommu->dma_list, next) {
		list_for_each_entry(pin, &dma->pins, next) {
			ret = iommu_map(domain->domain, pin->iova,
					(phys_addr_t)pin->pfn << PAGE_SHIFT, PAGE_SIZE,
					dma->prot);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static void vfio_domain_free(struct vfio_domain *domain)
{
	iommu_domain_free(domain->domain);
	kfree(domain);
}

/* Refs: a new domain with @group attached, or ERR_PTR with nothing left. */
static struct vfio_domain *vfio_domain_create(struct vfio_iommu *iommu, struct bus_type *bus,
					      struct iommu_group *group)
{
	struct vfio_domain *domain = kzalloc(sizeof(struct vfio_domain), GFP_KERNEL);
	int ret;

	if (!domain)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&domain->group_list);
	domain->domain = iommu_domain_alloc(bus);
	if (!domain->domain) {
		kfree(domain);
		return ERR_PTR(-EIO);
	}
	ret = iommu_attach_group(domain->domain, group);
	if (ret)
		goto err_free;
	ret = vfio_iommu_replay(iommu, domain);
	if (ret)
		goto err_detach;
	return domain;

err_detach:
	iommu_detach_group(domain->domain, group);
err_free:
	vfio_domain_free(domain);
	return ERR_PTR(ret);
}

/* A group that shares page tables with an existing domain joins it. */
static int vfio_attach_domain(struct vfio_iommu *iommu, struct bus_type *bus,
			      struct vfio_iommu_group *entry)
{
	struct vfio_domain *domain;
	int ret;

	if (!iommu_capable(bus, IOMMU_CAP_INTR_REMAP))
		return -EPERM;
	if (!list_empty(&iommu->domain_list)) {
		domain = list_first_entry(&iommu->domain_list, struct vfio_domain, next);
		ret = iommu_attach_group(domain->domain, entry->iommu_group);
		if (ret)
			return ret;
	} else {
		domain = vfio_domain_create(iommu, bus, entry->iommu_group);
		if (IS_ERR(domain))
			return PTR_ERR(domain);
		list_add(&domain->next, &iommu->domain_list);
	}
	list_add(&entry->next, &domain->group_list);
	return 0;
}

static int vfio_attach_new(struct vfio_iommu *iommu, struct iommu_group *group)
{
	struct vfio_iommu_group *entry;
	struct bus_type *bus = NULL;
	int ret;

	entry = kzalloc(sizeof(struct vfio_iommu_group), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	entry->iommu_group = group;
	ret = iommu_group_for_each_dev(group, &bus, vfio_bus_type);
	if (ret)
		goto err_free;
	if (bus && iommu_present(bus)) {
		ret = vfio_attach_domain(iommu, bus, entry);
		if (ret)
			goto err_free;
	} else {
		list_add(&entry->next, &iommu->external_groups);
	}
	return 0;

err_free:
	kfree(entry);
	return ret;
}

static int vfio_iommu_type1_attach_group(void *iommu_data, struct iommu_group *group)
{
	struct vfio_iommu *iommu = iommu_data;
	int ret;

	mutex_lock(&iommu->lock);
	ret = vfio_has_group(iommu, group) ? -EINVAL : vfio_attach_new(iommu, group);
	mutex_unlock(&iommu->lock);
	eng_event("type1_attach", iommu, "group %d: %d", iommu_group_id(group), ret);
	return ret;
}

/* The last group of the last domain takes every mapping with it. */
static void vfio_detach_from_domain(struct vfio_iommu *iommu, struct vfio_domain *domain,
				    struct vfio_iommu_group *entry)
{
	iommu_detach_group(domain->domain, entry->iommu_group);
	list_del(&entry->next);
	kfree(entry);
	if (!list_empty(&domain->group_list))
		return;
	if (list_is_singular(&iommu->domain_list) && list_empty(&iommu->external_groups))
		vfio_iommu_unmap_unpin_all(iommu);
	list_del(&domain->next);
	vfio_domain_free(domain);
}

static void vfio_detach_any(struct vfio_iommu *iommu, struct iommu_group *group)
{
	struct vfio_iommu_group *entry = find_in(&iommu->external_groups, group);
	struct vfio_domain *domain;

	if (entry) {
		list_del(&entry->next);
		kfree(entry);
		if (list_empty(&iommu->external_groups) && list_empty(&iommu->domain_list))
			vfio_iommu_unmap_unpin_all(iommu);
		return;
	}
	list_for_each_entry(domain, &iommu->domain_list, next) {
		entry = find_in(&domain->group_list, group);
		if (!entry)
			continue;
		vfio_detach_from_domain(iommu, domain, entry);
		return;
	}
}

static void vfio_iommu_type1_detach_group(void *iommu_data, struct iommu_group *group)
{
	struct vfio_iommu *iommu = iommu_data;

	mutex_lock(&iommu->lock);
	vfio_detach_any(iommu, group);
	mutex_unlock(&iommu->lock);
	eng_event("type1_detach", iommu, "group %d", iommu_group_id(group));
}

/* ---- life ---- */

static void *vfio_iommu_type1_open(unsigned long arg)
{
	struct vfio_iommu *iommu;

	if (arg != VFIO_TYPE1_IOMMU && arg != VFIO_TYPE1v2_IOMMU &&
	    arg != VFIO_TYPE1_NESTING_IOMMU)
		return ERR_PTR(-EINVAL);
	iommu = kzalloc(sizeof(struct vfio_iommu), GFP_KERNEL);
	if (!iommu)
		return ERR_PTR(-ENOMEM);
	mutex_init(&iommu->lock);
	INIT_LIST_HEAD(&iommu->domain_list);
	INIT_LIST_HEAD(&iommu->external_groups);
	INIT_LIST_HEAD(&iommu->dma_list);
	BLOCKING_INIT_NOTIFIER_HEAD(&iommu->notifier);
	iommu->dma_avail = DMA_ENTRY_LIMIT;
	iommu->v2 = arg != VFIO_TYPE1_IOMMU;
	iommu->nesting = arg == VFIO_TYPE1_NESTING_IOMMU;
	iommu->container_open = true;
	return iommu;
}

static void vfio_iommu_type1_release(void *iommu_data)
{
	struct vfio_iommu *iommu = iommu_data;
	struct vfio_iommu_group *entry, *next;

	list_for_each_entry_safe(entry, next, &iommu->external_groups, next) {
		list_del(&entry->next);
		kfree(entry);
	}
	vfio_iommu_unmap_unpin_all(iommu);
	while (!list_empty(&iommu->domain_list)) {
		struct vfio_domain *domain =
			list_first_entry(&iommu->domain_list, struct vfio_domain, next);

		list_del(&domain->next);
		vfio_domain_free(domain);
	}
	kfree(iommu);
}

/* Nobody is left who could make a mapping valid again. */
static void vfio_iommu_type1_notify(void *iommu_data, enum vfio_iommu_notify_type event)
{
	struct vfio_iommu *iommu = iommu_data;

	if (event != VFIO_IOMMU_CONTAINER_CLOSE)
		return;
	mutex_lock(&iommu->lock);
	iommu->container_open = false;
	mutex_unlock(&iommu->lock);
}

/* ---- ioctls ---- */

static int vfio_iommu_type1_check_extension(struct vfio_iommu *iommu, unsigned long arg)
{
	switch (arg) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_TYPE1_NESTING_IOMMU:
	case VFIO_UNMAP_ALL:
		return 1;
	case VFIO_UPDATE_VADDR:
		/* From 6.1.y on only once it can tell that no mdev is attached. */
		return kernel_version < KERNEL_6_1 || iommu;
	case VFIO_DMA_CC_IOMMU:
		return 0;	/* the simple IOMMU cannot enforce coherency */
	default:
		return 0;
	}
}

static int vfio_iommu_type1_get_info(struct vfio_iommu *iommu, void __user *arg)
{
	const size_t minsz = offsetof(struct vfio_iommu_type1_info, iova_pgsizes) + sizeof(u64);
	struct vfio_iommu_type1_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = VFIO_IOMMU_INFO_PGSIZES;
	info.iova_pgsizes = PAGE_SIZE;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static int vfio_iommu_type1_map_dma(struct vfio_iommu *iommu, void __user *arg)
{
	const u32 known = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	struct vfio_iommu_type1_dma_map map;

	if (copy_from_user(&map, arg, sizeof(map)))
		return -EFAULT;
	if (map.argsz < sizeof(map) || (map.flags & ~known))
		return -EINVAL;
	return vfio_dma_do_map(iommu, &map);
}

static int vfio_iommu_type1_unmap_dma(struct vfio_iommu *iommu, void __user *arg)
{
	const size_t minsz = offsetof(struct vfio_iommu_type1_dma_unmap, data);
	struct vfio_iommu_type1_dma_unmap unmap;
	int ret;

	if (copy_from_user(&unmap, arg, minsz))
		return -EFAULT;
	if (unmap.argsz < minsz || (unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL))
		return -EINVAL;
	ret = vfio_dma_do_unmap(iommu, &unmap);
	if (ret)
		return ret;
	return copy_to_user(arg, &unmap, minsz) ? -EFAULT : 0;
}

static long vfio_iommu_type1_ioctl(void *iommu_data, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case VFIO_CHECK_EXTENSION:
		return vfio_iommu_type1_check_extension(iommu_data, arg);
	case VFIO_IOMMU_GET_INFO:
		return vfio_iommu_type1_get_info(iommu_data, (void __user *)arg);
	case VFIO_IOMMU_MAP_DMA:
		return vfio_iommu_type1_map_dma(iommu_data, (void __user *)arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return vfio_iommu_type1_unmap_dma(iommu_data, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

/* ---- external users ---- */

static struct vfio_pin *vfio_find_pin(struct vfio_dma *dma, dma_addr_t iova)
{
	struct vfio_pin *pin;

	list_for_each_entry(pin, &dma->pins, next)
		if (pin->iova == iova)
			return pin;
	return NULL;
}

/* Locks: holds iommu->lock. */
static int vfio_unpin_one(struct vfio_iommu *iommu, dma_addr_t iova)
{
	struct vfio_dma *dma = vfio_find_dma(iommu, iova, PAGE_SIZE);
	struct vfio_pin *pin = dma ? vfio_find_pin(dma, iova) : NULL;

	if (!pin || !pin->count)
		return -EINVAL;
	if (!--pin->count && !dma->iommu_mapped)
		vfio_unpin(pin);
	return 0;
}

static int vfio_pin_one(struct vfio_iommu *iommu, dma_addr_t iova, int prot,
			unsigned long *pfn)
{
	struct vfio_dma *dma = vfio_find_dma(iommu, iova, PAGE_SIZE);
	struct vfio_pin *pin;

	if (!dma)
		return -EINVAL;
	if ((dma->prot & prot) != prot)
		return -EPERM;
	pin = vfio_find_pin(dma, iova);
	if (!pin)
		pin = vfio_pin_page(dma, iova);
	if (IS_ERR(pin))
		return PTR_ERR(pin);
	pin->count++;
	*pfn = pin->pfn;
	return 0;
}

/* All, or none. Pinning needs somebody to tell about an unmap: a notifier. */
static int vfio_iommu_type1_pin_pages(void *iommu_data, struct iommu_group *group,
				      unsigned long *user_pfn, int npage, int prot,
				      unsigned long *phys_pfn)
{
	struct vfio_iommu *iommu = iommu_data;
	int i, ret = 0;

	if (!iommu->v2)
		return -EACCES;
	mutex_lock(&iommu->lock);
	if (!iommu->notifier.head) {
		ret = -EINVAL;
		goto out_unlock;
	}
	for (i = 0; i < npage; i++) {
		ret = vfio_pin_one(iommu, user_pfn[i] << PAGE_SHIFT, prot, &phys_pfn[i]);
		if (ret)
			break;
	}
	if (ret)
		while (i-- > 0)
			vfio_unpin_one(iommu, user_pfn[i] << PAGE_SHIFT);
out_unlock:
	mutex_unlock(&iommu->lock);
	return ret ? ret : npage;
}

/* How many were unpinned before the first that was not pinned. */
static int vfio_iommu_type1_unpin_pages(void *iommu_data, unsigned long *user_pfn, int npage)
{
	struct vfio_iommu *iommu = iommu_data;
	int i;

	if (!iommu->v2)
		return -EACCES;
	mutex_lock(&iommu->lock);
	for (i = 0; i < npage; i++)
		if (vfio_unpin_one(iommu, user_pfn[i] << PAGE_SHIFT))
			break;
	mutex_unlock(&iommu->lock);
	return i > 0 || !npage ? i : -EINVAL;
}

static int vfio_iommu_type1_register_notifier(void *iommu_data, unsigned long *events,
					      struct notifier_block *nb)
{
	struct vfio_iommu *iommu = iommu_data;

	*events &= ~VFIO_IOMMU_NOTIFY_DMA_UNMAP;
	if (*events)
		return -EINVAL;
	return blocking_notifier_chain_register(&iommu->notifier, nb);
}

static int vfio_iommu_type1_unregister_notifier(void *iommu_data, struct notifier_block *nb)
{
	struct vfio_iommu *iommu = iommu_data;

	return blocking_notifier_chain_unregister(&iommu->notifier, nb);
}

/*
 * One range's part of a copy between @data and the user memory behind @iova.
 * A kernel thread borrows the address space that the range was mapped from.
 *
 * Locks: holds iommu->lock. Returns the bytes done, or -errno.
 */
static long vfio_iommu_type1_dma_rw_chunk(struct vfio_iommu *iommu, dma_addr_t iova, void *data,
					  size_t count, bool write)
{
	struct vfio_dma *dma = vfio_find_dma(iommu, iova, 1);
	struct task_struct *task = get_current();
	struct mm_struct *own = task->mm;
	void __user *at;
	bool failed;

	if (!dma)
		return -EINVAL;
	if ((write && !(dma->prot & IOMMU_WRITE)) || !(dma->prot & IOMMU_READ))
		return -EPERM;
	if (own && own != dma->mm)
		return -EFAULT;
	if (count > dma->iova + dma->size - iova)
		count = dma->iova + dma->size - iova;
	at = u64_to_user_ptr(dma->vaddr + (iova - dma->iova));
	task->mm = dma->mm;
	failed = write ? copy_to_user(at, data, count) : copy_from_user(data, at, count);
	task->mm = own;
	return failed ? -EFAULT : (long)count;
}

/* The CPU reads or writes what a device would have by DMA. */
static int vfio_iommu_type1_dma_rw(void *iommu_data, dma_addr_t user_iova, void *data,
				   size_t count, bool write)
{
	struct vfio_iommu *iommu = iommu_data;
	long done = 0;

	mutex_lock(&iommu->lock);
	while (count && done >= 0) {
		done = vfio_iommu_type1_dma_rw_chunk(iommu, user_iova, data, count, write);
		if (done > 0) {
			count -= done;
			data = (u8 *)data + done;
			user_iova += done;
		}
	}
	mutex_unlock(&iommu->lock);
	return done < 0 ? done : 0;
}

static struct iommu_domain *vfio_iommu_type1_group_iommu_domain(void *iommu_data,
								struct iommu_group *group)
{
	struct vfio_iommu *iommu = iommu_data;
	struct iommu_domain *found = ERR_PTR(-ENODEV);
	struct vfio_domain *domain;

	if (!iommu || !group)
		return ERR_PTR(-EINVAL);
	mutex_lock(&iommu->lock);
	list_for_each_entry(domain, &iommu->domain_list, next)
		if (find_in(&domain->group_list, group))
			found = domain->domain;
	mutex_unlock(&iommu->lock);
	return found;
}

static const struct vfio_iommu_driver_ops vfio_iommu_driver_ops_type1 = {
	.name = "vfio-iommu-type1",
	.owner = THIS_MODULE,
	.open = vfio_iommu_type1_open,
	.release = vfio_iommu_type1_release,
	.ioctl = vfio_iommu_type1_ioctl,
	.attach_group = vfio_iommu_type1_attach_group,
	.detach_group = vfio_iommu_type1_detach_group,
	.pin_pages = vfio_iommu_type1_pin_pages,
	.unpin_pages = vfio_iommu_type1_unpin_pages,
	.register_notifier = vfio_iommu_type1_register_notifier,
	.unregister_notifier = vfio_iommu_type1_unregister_notifier,
	.dma_rw = vfio_iommu_type1_dma_rw,
	.group_iommu_domain = vfio_iommu_type1_group_iommu_domain,
	.notify = vfio_iommu_type1_notify,
};

static int vfio_iommu_type1_init(void)
{
	return vfio_register_iommu_driver(&vfio_iommu_driver_ops_type1);
}

static void vfio_iommu_type1_cleanup(void)
{
	vfio_unregister_iommu_driver(&vfio_iommu_driver_ops_type1);
}

MODULE_DEFINE(vfio_iommu_type1_init, vfio_iommu_type1_cleanup, MODULE(vfio));
