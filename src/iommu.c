// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU groups, domains, the bus listener, and a simple IOMMU.
 * Kernel original: drivers/iommu/iommu.c.
 *
 * Lock order (outer first):
 *
 *   bus_notifier.rwsem (read)
 *     group->notifier.rwsem (read)	(around the callbacks)
 *   group->mutex			(members, domain, owner; iommu_group_for_each_dev()
 *					 calls out under it)
 *
 * dev->iommu_group is written under no lock and read without one: a device is in
 * a group from before its first probe until after its last remove.
 */
#include <vfiosim/kapi/idr.h>
#include <vfiosim/kapi/iommu.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>

#include "base.h"
#include "engine.h"

struct iommu_group {
	struct kref kref;
	int id;
	char *name;
	struct list_head devices;
	struct mutex mutex;
	struct blocking_notifier_head notifier;
	void *iommu_data;
	void (*iommu_data_release)(void *iommu_data);
	struct iommu_domain *default_domain;
	struct iommu_domain *domain;
	unsigned int owner_cnt;
	void *owner;
};

struct group_device {
	struct list_head list;
	struct device *dev;
};

struct iommu_mapping {
	struct list_head list;
	unsigned long iova;
	phys_addr_t paddr;
	size_t size;
	int prot;
};

static struct ida iommu_group_ida KSTATE = IDA_INIT(iommu_group_ida);

/* ---- domains ---- */

static struct iommu_domain *__iommu_domain_alloc(struct bus_type *bus, unsigned int type)
{
	struct iommu_domain *domain;

	if (!bus->iommu_ops)
		return NULL;
	domain = bus->iommu_ops->domain_alloc(type);
	if (!domain)
		return NULL;
	domain->ops = bus->iommu_ops;
	domain->type = type;
	INIT_LIST_HEAD(&domain->mappings);
	return domain;
}

struct iommu_domain *iommu_domain_alloc(struct bus_type *bus)
{
	return __iommu_domain_alloc(bus, IOMMU_DOMAIN_UNMANAGED);
}

void iommu_domain_free(struct iommu_domain *domain)
{
	struct iommu_mapping *mapping, *next;

	list_for_each_entry_safe(mapping, next, &domain->mappings, list) {
		list_del(&mapping->list);
		kfree(mapping);
	}
	domain->ops->domain_free(domain);
}

static int __iommu_attach_device(struct iommu_domain *domain, struct device *dev)
{
	return domain->ops->attach_dev(domain, dev);
}

static void __iommu_detach_device(struct iommu_domain *domain, struct device *dev)
{
	if (domain->ops->detach_dev)
		domain->ops->detach_dev(domain, dev);
}

/* The first mapping that ends behind @iova, or the list's head. */
static struct list_head *iommu_mapping_find(struct iommu_domain *domain, unsigned long iova)
{
	struct iommu_mapping *mapping;

	list_for_each_entry(mapping, &domain->mappings, list)
		if (mapping->iova + mapping->size > iova)
			return &mapping->list;
	return &domain->mappings;
}

/* Context: may sleep. The caller serialises the maps of one domain. */
int iommu_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr, size_t size,
	      int prot)
{
	struct list_head *next = iommu_mapping_find(domain, iova);
	struct iommu_mapping *mapping;

	if ((iova | paddr | size) & ~PAGE_MASK)
		return -EINVAL;
	if (next != &domain->mappings &&
	    list_entry(next, struct iommu_mapping, list)->iova < iova + size)
		return -EBUSY;
	mapping = kzalloc(sizeof(struct iommu_mapping), GFP_KERNEL);
	if (!mapping)
		return -ENOMEM;
	mapping->iova = iova;
	mapping->paddr = paddr;
	mapping->size = size;
	mapping->prot = prot;
	list_add_tail(&mapping->list, next);
	return 0;
}

/* Removes mappings that lie wholly in the range, up to the first gap; bytes removed. */
size_t iommu_unmap(struct iommu_domain *domain, unsigned long iova, size_t size)
{
	size_t done = 0;

	while (done < size) {
		struct list_head *at = iommu_mapping_find(domain, iova + done);
		struct iommu_mapping *mapping = list_entry(at, struct iommu_mapping, list);

		if (at == &domain->mappings || mapping->iova != iova + done ||
		    mapping->size > size - done)
			break;
		done += mapping->size;
		list_del(&mapping->list);
		kfree(mapping);
	}
	return done;
}

phys_addr_t iommu_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	struct list_head *at = iommu_mapping_find(domain, iova);
	struct iommu_mapping *mapping = list_entry(at, struct iommu_mapping, list);

	if (at == &domain->mappings || mapping->iova > iova)
		return 0;
	return mapping->paddr + (iova - mapping->iova);
}

/* ---- groups: life ---- */

/* Refs: one, the caller's. ERR_PTR on failure. */
struct iommu_group *iommu_group_alloc(void)
{
	struct iommu_group *group = kzalloc(sizeof(struct iommu_group), GFP_KERNEL);
	int id;

	if (!group)
		return ERR_PTR(-ENOMEM);
	id = ida_alloc(&iommu_group_ida, GFP_KERNEL);
	if (id < 0) {
		kfree(group);
		return ERR_PTR(id);
	}
	group->id = id;
	kref_init(&group->kref);
	mutex_init(&group->mutex);
	INIT_LIST_HEAD(&group->devices);
	BLOCKING_INIT_NOTIFIER_HEAD(&group->notifier);
	return group;
}

static void iommu_group_release(struct kref *kref)
{
	struct iommu_group *group = container_of(kref, struct iommu_group, kref);

	if (group->iommu_data_release)
		group->iommu_data_release(group->iommu_data);
	ida_free(&iommu_group_ida, group->id);
	if (group->default_domain)
		iommu_domain_free(group->default_domain);
	kfree(group->name);
	kfree(group);
}

/* Context: any. Refs: +1 on the group that is returned. */
struct iommu_group *iommu_group_get(struct device *dev)
{
	struct iommu_group *group = shared_READ_ONCE(dev->iommu_group);

	if (group) {
		kref_get(&group->kref);
		eng_event("iommu_group_get", group, "%d", group->id);
	}
	return group;
}

struct iommu_group *iommu_group_ref_get(struct iommu_group *group)
{
	kref_get(&group->kref);
	eng_event("iommu_group_get", group, "%d", group->id);
	return group;
}

/* Context: may sleep, when this is the last reference. */
void iommu_group_put(struct iommu_group *group)
{
	if (!group)
		return;
	eng_event("iommu_group_put", group, "%d", group->id);
	kref_put(&group->kref, iommu_group_release);
}

int iommu_group_id(struct iommu_group *group)
{
	return group->id;
}

/* Refs: on failure the group has no name, not the old one. */
int iommu_group_set_name(struct iommu_group *group, const char *name)
{
	kfree(group->name);
	group->name = NULL;
	if (!name)
		return 0;
	group->name = kstrdup(name, GFP_KERNEL);
	return group->name ? 0 : -ENOMEM;
}

void *iommu_group_get_iommudata(struct iommu_group *group)
{
	return group->iommu_data;
}

void iommu_group_set_iommudata(struct iommu_group *group, void *data,
			       void (*release)(void *data))
{
	group->iommu_data = data;
	group->iommu_data_release = release;
}

/* ---- groups: members ---- */

static void group_notify(struct iommu_group *group, unsigned long action, struct device *dev)
{
	static const char *const names[] = {
		[IOMMU_GROUP_NOTIFY_ADD_DEVICE] = "ADD",
		[IOMMU_GROUP_NOTIFY_DEL_DEVICE] = "DEL",
		[IOMMU_GROUP_NOTIFY_BIND_DRIVER] = "BIND",
		[IOMMU_GROUP_NOTIFY_BOUND_DRIVER] = "BOUND",
		[IOMMU_GROUP_NOTIFY_UNBIND_DRIVER] = "UNBIND",
		[IOMMU_GROUP_NOTIFY_UNBOUND_DRIVER] = "UNBOUND",
	};

	eng_event("iommu_group_notify", group, "%s %s", names[action], dev_name(dev));
	blocking_notifier_call_chain(&group->notifier, action, dev);
}

static void set_iommu_group(struct device *dev, struct iommu_group *group)
{
	eng_point(ENG_OP_WRITE_ONCE, &dev->iommu_group, ENG_WRITE);
	dev->iommu_group = group;
}

/* Into the list, and into the domain that the group is in. Locks: takes group->mutex. */
static int group_link_device(struct iommu_group *group, struct group_device *device)
{
	int ret = 0;

	mutex_lock(&group->mutex);
	list_add_tail(&device->list, &group->devices);
	if (group->domain)
		ret = __iommu_attach_device(group->domain, device->dev);
	mutex_unlock(&group->mutex);
	return ret;
}

/*
 * Context: may sleep.
 * Refs:    +1 on @group until the device is removed. On failure, none, and no event.
 */
int iommu_group_add_device(struct iommu_group *group, struct device *dev)
{
	struct group_device *device = kzalloc(sizeof(struct group_device), GFP_KERNEL);
	int ret;

	if (!device)
		return -ENOMEM;
	device->dev = dev;
	kref_get(&group->kref);
	set_iommu_group(dev, group);

	ret = group_link_device(group, device);
	if (ret)
		goto err_unlink;
	group_notify(group, IOMMU_GROUP_NOTIFY_ADD_DEVICE, dev);
	return 0;

err_unlink:
	mutex_lock(&group->mutex);
	list_del(&device->list);
	mutex_unlock(&group->mutex);
	set_iommu_group(dev, NULL);
	kref_put(&group->kref, iommu_group_release);
	kfree(device);
	return ret;
}

/* Refs: returns the member's entry, unlinked, or NULL. Locks: takes group->mutex. */
static struct group_device *group_unlink_device(struct iommu_group *group, struct device *dev)
{
	struct group_device *device, *found = NULL;

	mutex_lock(&group->mutex);
	list_for_each_entry(device, &group->devices, list) {
		if (device->dev != dev)
			continue;
		found = device;
		list_del(&found->list);
		break;
	}
	mutex_unlock(&group->mutex);
	return found;
}

/* DEL_DEVICE goes out first, while the device is still a member. Refs: -1 on the group. */
void iommu_group_remove_device(struct device *dev)
{
	struct iommu_group *group = dev->iommu_group;
	struct group_device *device;

	if (!group)
		return;
	group_notify(group, IOMMU_GROUP_NOTIFY_DEL_DEVICE, dev);
	device = group_unlink_device(group, dev);
	if (!device)
		return;
	kfree(device);
	set_iommu_group(dev, NULL);
	kref_put(&group->kref, iommu_group_release);
}

static int __iommu_group_for_each_dev(struct iommu_group *group, void *data,
				      int (*fn)(struct device *dev, void *data))
{
	struct group_device *device;
	int ret = 0;

	list_for_each_entry(device, &group->devices, list) {
		ret = fn(device->dev, data);
		if (ret)
			break;
	}
	return ret;
}

/* In the order of insertion, until the first non-zero. Locks: holds group->mutex. */
int iommu_group_for_each_dev(struct iommu_group *group, void *data,
			     int (*fn)(struct device *dev, void *data))
{
	int ret;

	mutex_lock(&group->mutex);
	ret = __iommu_group_for_each_dev(group, data, fn);
	mutex_unlock(&group->mutex);
	return ret;
}

/* The kernel's cannot fail; a fault point, so that VF-318 can be reached. */
int iommu_group_register_notifier(struct iommu_group *group, struct notifier_block *nb)
{
	if (eng_fail_here("iommu_group_register_notifier"))
		return -ENOMEM;
	eng_event("iommu_chain", group, "register");
	return blocking_notifier_chain_register(&group->notifier, nb);
}

/* Context: sleeps until no callback of the chain runs. */
int iommu_group_unregister_notifier(struct iommu_group *group, struct notifier_block *nb)
{
	eng_event("iommu_chain", group, "unregister");
	return blocking_notifier_chain_unregister(&group->notifier, nb);
}

unsigned int iommu_group_refs(const struct iommu_group *group)
{
	return group->kref.refcount.refs.counter;
}

unsigned int iommu_group_members(const struct iommu_group *group)
{
	const struct list_head *pos;
	unsigned int members = 0;

	list_for_each(pos, &group->devices)
		members++;
	return members;
}

/* ---- groups: attaching ---- */

static int iommu_group_do_attach_device(struct device *dev, void *data)
{
	return __iommu_attach_device(data, dev);
}

static int iommu_group_do_detach_device(struct device *dev, void *data)
{
	__iommu_detach_device(data, dev);
	return 0;
}

/* Devices that were attached before one failed stay attached (VF-193). */
static int __iommu_attach_group(struct iommu_domain *domain, struct iommu_group *group)
{
	int ret;

	if (group->default_domain && group->domain != group->default_domain)
		return -EBUSY;
	ret = __iommu_group_for_each_dev(group, domain, iommu_group_do_attach_device);
	if (!ret)
		group->domain = domain;
	return ret;
}

int iommu_attach_group(struct iommu_domain *domain, struct iommu_group *group)
{
	int ret;

	mutex_lock(&group->mutex);
	ret = __iommu_attach_group(domain, group);
	mutex_unlock(&group->mutex);
	return ret;
}

static void __iommu_detach_group(struct iommu_domain *domain, struct iommu_group *group)
{
	if (!group->default_domain) {
		__iommu_group_for_each_dev(group, domain, iommu_group_do_detach_device);
		group->domain = NULL;
		return;
	}
	if (group->domain == group->default_domain)
		return;
	if (WARN_ON(__iommu_group_for_each_dev(group, group->default_domain,
					       iommu_group_do_attach_device)))
		return;
	group->domain = group->default_domain;
}

void iommu_detach_group(struct iommu_domain *domain, struct iommu_group *group)
{
	mutex_lock(&group->mutex);
	__iommu_detach_group(domain, group);
	mutex_unlock(&group->mutex);
}

struct iommu_domain *iommu_get_domain_for_dev(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct iommu_domain *domain;

	if (!group)
		return NULL;
	domain = group->domain;
	iommu_group_put(group);
	return domain;
}

/* ---- ownership, instead of a viability test (VF-194) ---- */

int iommu_group_claim_dma_owner(struct iommu_group *group, void *owner)
{
	int ret = 0;

	mutex_lock(&group->mutex);
	if (group->owner_cnt) {
		ret = -EPERM;
	} else {
		group->owner = owner;
		group->owner_cnt = 1;
	}
	mutex_unlock(&group->mutex);
	return ret;
}

void iommu_group_release_dma_owner(struct iommu_group *group)
{
	mutex_lock(&group->mutex);
	if (!WARN_ON(!group->owner_cnt || !group->owner)) {
		group->owner_cnt = 0;
		group->owner = NULL;
	}
	mutex_unlock(&group->mutex);
}

bool iommu_group_dma_owner_claimed(struct iommu_group *group)
{
	unsigned int count;

	mutex_lock(&group->mutex);
	count = group->owner_cnt;
	mutex_unlock(&group->mutex);
	return count;
}

/* An ordinary driver binds: it needs the group to itself and its like. */
int iommu_device_use_default_domain(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	int ret = 0;

	if (!group)
		return 0;
	mutex_lock(&group->mutex);
	if (group->owner_cnt && (group->domain != group->default_domain || group->owner))
		ret = -EBUSY;
	else
		group->owner_cnt++;
	mutex_unlock(&group->mutex);
	iommu_group_put(group);
	return ret;
}

void iommu_device_unuse_default_domain(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);

	if (!group)
		return;
	mutex_lock(&group->mutex);
	if (!WARN_ON(!group->owner_cnt))
		group->owner_cnt--;
	mutex_unlock(&group->mutex);
	iommu_group_put(group);
}

/* ---- buses ---- */

/* A failing default domain leaves the group without one, as the kernel does. */
static void iommu_alloc_default_domain(struct iommu_group *group, struct device *dev)
{
	if (group->default_domain)
		return;
	group->default_domain = __iommu_domain_alloc(dev->bus, IOMMU_DOMAIN_DMA);
	if (!group->domain)
		group->domain = group->default_domain;
}

/*
 * Put a new device into its group. Refs: the group's members keep it alive, not
 * this function's reference.
 */
int iommu_probe_device(struct device *dev)
{
	const struct iommu_ops *ops = dev->bus->iommu_ops;
	struct iommu_group *group;
	int ret;

	if (!ops)
		return -ENODEV;
	ret = ops->probe_device(dev);
	if (ret)
		return ret;
	group = ops->device_group(dev);
	if (IS_ERR(group)) {
		ret = PTR_ERR(group);
		goto err_release;
	}
	iommu_alloc_default_domain(group, dev);
	ret = iommu_group_add_device(group, dev);
	kref_put(&group->kref, iommu_group_release);
	if (ret)
		goto err_release;
	return 0;

err_release:
	ops->release_device(dev);
	return ret;
}

void iommu_release_device(struct device *dev)
{
	if (!dev->bus->iommu_ops || !dev->iommu)
		return;
	dev->bus->iommu_ops->release_device(dev);
	iommu_group_remove_device(dev);
}

static unsigned long group_action_of(unsigned long bus_action)
{
	switch (bus_action) {
	case BUS_NOTIFY_BIND_DRIVER:
		return IOMMU_GROUP_NOTIFY_BIND_DRIVER;
	case BUS_NOTIFY_BOUND_DRIVER:
		return IOMMU_GROUP_NOTIFY_BOUND_DRIVER;
	case BUS_NOTIFY_UNBIND_DRIVER:
		return IOMMU_GROUP_NOTIFY_UNBIND_DRIVER;
	case BUS_NOTIFY_UNBOUND_DRIVER:
		return IOMMU_GROUP_NOTIFY_UNBOUND_DRIVER;
	default:
		return 0;
	}
}

/* Context: may sleep. Locks: the bus chain is held for reading. */
static int iommu_bus_notifier(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;
	struct iommu_group *group;

	if (action == BUS_NOTIFY_ADD_DEVICE)
		return iommu_probe_device(dev) ? NOTIFY_DONE : NOTIFY_OK;
	if (action == BUS_NOTIFY_REMOVED_DEVICE) {
		iommu_release_device(dev);
		return NOTIFY_OK;
	}
	group = iommu_group_get(dev);
	if (!group)
		return NOTIFY_DONE;
	if (group_action_of(action))
		group_notify(group, group_action_of(action), dev);
	iommu_group_put(group);
	return NOTIFY_DONE;
}

static int add_iommu_group(struct device *dev, void *data)
{
	iommu_probe_device(dev);
	return 0;
}

/* NULL takes the IOMMU away again; no device may be left in a group of it then. */
int bus_set_iommu(struct bus_type *bus, const struct iommu_ops *ops)
{
	struct notifier_block *nb = &bus->p->iommu_nb;

	if (!ops) {
		if (bus->iommu_ops)
			bus_unregister_notifier(bus, nb);
		bus->iommu_ops = NULL;
		return 0;
	}
	if (bus->iommu_ops)
		return -EBUSY;
	bus->iommu_ops = ops;
	nb->notifier_call = iommu_bus_notifier;
	bus_register_notifier(bus, nb);
	return bus_for_each_dev(bus, NULL, NULL, add_iommu_group);
}

bool iommu_present(struct bus_type *bus)
{
	return bus->iommu_ops != NULL;
}

bool iommu_capable(struct bus_type *bus, enum iommu_cap cap)
{
	return bus->iommu_ops && bus->iommu_ops->capable && bus->iommu_ops->capable(cap);
}

bool device_iommu_capable(struct device *dev, enum iommu_cap cap)
{
	return dev->iommu && iommu_capable(dev->bus, cap);
}

/* ---- the simple IOMMU ---- */

int iommu_fwspec_init(struct device *dev, u32 requester_id)
{
	dev->iommu = kzalloc(sizeof(struct dev_iommu), GFP_KERNEL);
	if (!dev->iommu)
		return -ENOMEM;
	dev->iommu->requester_id = requester_id;
	return 0;
}

static void sim_iommu_leave(struct iommu_domain *domain, struct dev_iommu *member)
{
	list_del(&member->attached);
	domain->attached--;
	member->domain = NULL;
}

void iommu_fwspec_free(struct device *dev)
{
	if (dev->iommu && dev->iommu->domain)
		sim_iommu_leave(dev->iommu->domain, dev->iommu);
	kfree(dev->iommu);
	dev->iommu = NULL;
}

static bool sim_iommu_capable(enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY || cap == IOMMU_CAP_INTR_REMAP;
}

static struct iommu_domain *sim_iommu_domain_alloc(unsigned int type)
{
	struct iommu_domain *domain = kzalloc(sizeof(struct iommu_domain), GFP_KERNEL);

	if (domain)
		INIT_LIST_HEAD(&domain->devices);
	return domain;
}

static void sim_iommu_detach_dev(struct iommu_domain *domain, struct device *dev)
{
	if (dev->iommu->domain == domain)
		sim_iommu_leave(domain, dev->iommu);
}

/*
 * Whoever is still attached is left without a domain, as with the drivers of
 * Intel's and AMD's IOMMUs: a group of which one member could not be attached
 * has others that were, and nobody detaches those (VF-193).
 */
static void sim_iommu_domain_free(struct iommu_domain *domain)
{
	while (!list_empty(&domain->devices))
		sim_iommu_leave(domain, list_first_entry(&domain->devices, struct dev_iommu,
							 attached));
	kfree(domain);
}

/* Going back from a user's domain to the default one cannot fail in this hardware. */
static bool sim_iommu_can_fail(const struct iommu_domain *domain, const struct device *dev)
{
	return domain->type != IOMMU_DOMAIN_DMA || !dev->iommu->domain;
}

static int sim_iommu_attach_dev(struct iommu_domain *domain, struct device *dev)
{
	if (sim_iommu_can_fail(domain, dev) && eng_fail_here("iommu_attach_dev"))
		return -EBUSY;
	if (dev->iommu->domain)
		sim_iommu_detach_dev(dev->iommu->domain, dev);
	dev->iommu->domain = domain;
	list_add_tail(&dev->iommu->attached, &domain->devices);
	domain->attached++;
	return 0;
}

static int sim_iommu_probe_device(struct device *dev)
{
	return dev->iommu ? 0 : -ENODEV;
}

static void sim_iommu_release_device(struct device *dev)
{
	if (dev->iommu && dev->iommu->domain)
		sim_iommu_detach_dev(dev->iommu->domain, dev);
}

struct same_requester {
	struct device *dev;
	struct iommu_group *group;
};

static int find_same_requester(struct device *other, void *data)
{
	struct same_requester *same = data;

	if (other == same->dev || !other->iommu || !other->iommu_group ||
	    other->iommu->requester_id != same->dev->iommu->requester_id)
		return 0;
	kref_get(&other->iommu_group->kref);
	same->group = other->iommu_group;
	return 1;
}

static struct iommu_group *sim_iommu_device_group(struct device *dev)
{
	struct same_requester same = { .dev = dev };

	bus_for_each_dev(dev->bus, NULL, &same, find_same_requester);
	return same.group ? same.group : iommu_group_alloc();
}

const struct iommu_ops sim_iommu_ops = {
	.capable = sim_iommu_capable,
	.domain_alloc = sim_iommu_domain_alloc,
	.domain_free = sim_iommu_domain_free,
	.attach_dev = sim_iommu_attach_dev,
	.detach_dev = sim_iommu_detach_dev,
	.probe_device = sim_iommu_probe_device,
	.release_device = sim_iommu_release_device,
	.device_group = sim_iommu_device_group,
	.pgsize_bitmap = PAGE_SIZE,
};
