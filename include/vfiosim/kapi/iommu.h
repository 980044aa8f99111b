/* SPDX-License-Identifier: GPL-2.0-only */
/* IOMMU groups, their notifier chain, and the domains that they are attached to. */
#ifndef VFIOSIM_KAPI_IOMMU_H
#define VFIOSIM_KAPI_IOMMU_H

#include <vfiosim/kapi/device.h>

struct iommu_domain;
struct iommu_group;

#define IOMMU_GROUP_NOTIFY_ADD_DEVICE 1
#define IOMMU_GROUP_NOTIFY_DEL_DEVICE 2
#define IOMMU_GROUP_NOTIFY_BIND_DRIVER 3
#define IOMMU_GROUP_NOTIFY_BOUND_DRIVER 4
#define IOMMU_GROUP_NOTIFY_UNBIND_DRIVER 5
#define IOMMU_GROUP_NOTIFY_UNBOUND_DRIVER 6

#define IOMMU_READ (1 << 0)
#define IOMMU_WRITE (1 << 1)
#define IOMMU_CACHE (1 << 2)

#define IOMMU_DOMAIN_UNMANAGED 1
#define IOMMU_DOMAIN_DMA 3

enum iommu_cap {
	IOMMU_CAP_CACHE_COHERENCY,
	IOMMU_CAP_INTR_REMAP,
	IOMMU_CAP_NOEXEC,
	IOMMU_CAP_ENFORCE_CACHE_COHERENCY,
};

struct iommu_domain {
	unsigned int type;
	const struct iommu_ops *ops;
	unsigned int attached;		/* devices, for checkers */
	struct list_head devices;	/* those; as drivers of real IOMMUs keep them */
	struct list_head mappings;	/* ranges of IOVA, by address */
};

/*
 * @device_group names the group a new device belongs to: a new one, or that of
 * a device it cannot be told apart from (+1 reference in both cases).
 */
struct iommu_ops {
	bool (*capable)(enum iommu_cap cap);
	struct iommu_domain *(*domain_alloc)(unsigned int type);
	void (*domain_free)(struct iommu_domain *domain);
	int (*attach_dev)(struct iommu_domain *domain, struct device *dev);
	void (*detach_dev)(struct iommu_domain *domain, struct device *dev);
	int (*probe_device)(struct device *dev);
	void (*release_device)(struct device *dev);
	struct iommu_group *(*device_group)(struct device *dev);
	unsigned long pgsize_bitmap;
	struct module *owner;
};

/* What firmware says about a device: which requester id its DMA carries. */
struct dev_iommu {
	u32 requester_id;
	struct iommu_domain *domain;	/* what the device is attached to */
	struct list_head attached;	/* to domain->devices */
};

/*
 * An IOMMU whose groups are the requester ids: devices that share one share a
 * group, a device without one (dev->iommu is NULL) is not behind it.
 */
extern const struct iommu_ops sim_iommu_ops SIM(sim_iommu_ops);
int iommu_fwspec_init(struct device *dev, u32 requester_id) KAPI(iommu_fwspec_init);
void iommu_fwspec_free(struct device *dev) KAPI(iommu_fwspec_free);

int bus_set_iommu(struct bus_type *bus, const struct iommu_ops *ops) KAPI(bus_set_iommu);
/*
 * Whether there is one, and what it can. iommu_probe_device() gives a device its group: 0,
 * -ENODEV without an IOMMU, -ENOMEM; iommu_release_device() takes it out again. May sleep.
 */
bool iommu_present(struct bus_type *bus) KAPI(iommu_present);
bool iommu_capable(struct bus_type *bus, enum iommu_cap cap) KAPI(iommu_capable);
bool device_iommu_capable(struct device *dev, enum iommu_cap cap) KAPI(device_iommu_capable);
int iommu_probe_device(struct device *dev) KAPI(iommu_probe_device);
void iommu_release_device(struct device *dev) KAPI(iommu_release_device);

/* Groups. */
struct iommu_group *iommu_group_alloc(void) KAPI(iommu_group_alloc);
struct iommu_group *iommu_group_get(struct device *dev) KAPI(iommu_group_get);
struct iommu_group *iommu_group_ref_get(struct iommu_group *group) KAPI(iommu_group_ref_get);
void iommu_group_put(struct iommu_group *group) KAPI(iommu_group_put);
int iommu_group_id(struct iommu_group *group) KAPI(iommu_group_id);
int iommu_group_set_name(struct iommu_group *group, const char *name)
	KAPI(iommu_group_set_name);
void *iommu_group_get_iommudata(struct iommu_group *group) KAPI(iommu_group_get_iommudata);
void iommu_group_set_iommudata(struct iommu_group *group, void *data,
			       void (*release)(void *data)) KAPI(iommu_group_set_iommudata);
int iommu_group_add_device(struct iommu_group *group, struct device *dev)
	KAPI(iommu_group_add_device);
void iommu_group_remove_device(struct device *dev) KAPI(iommu_group_remove_device);
int iommu_group_for_each_dev(struct iommu_group *group, void *data,
			     int (*fn)(struct device *dev, void *data))
	KAPI(iommu_group_for_each_dev);
int iommu_group_register_notifier(struct iommu_group *group, struct notifier_block *nb)
	KAPI(iommu_group_register_notifier);
int iommu_group_unregister_notifier(struct iommu_group *group, struct notifier_block *nb)
	KAPI(iommu_group_unregister_notifier);
/* For checkers and recorded traces: no choice point, no reference. */
unsigned int iommu_group_refs(const struct iommu_group *group) SIM(iommu_group_refs);
unsigned int iommu_group_members(const struct iommu_group *group) SIM(iommu_group_members);

/* Domains. */
struct iommu_domain *iommu_domain_alloc(struct bus_type *bus) KAPI(iommu_domain_alloc);
void iommu_domain_free(struct iommu_domain *domain) KAPI(iommu_domain_free);
int iommu_attach_group(struct iommu_domain *domain, struct iommu_group *group)
	KAPI(iommu_attach_group);
void iommu_detach_group(struct iommu_domain *domain, struct iommu_group *group)
	KAPI(iommu_detach_group);
struct iommu_domain *iommu_get_domain_for_dev(struct device *dev)
	KAPI(iommu_get_domain_for_dev);
int iommu_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr, size_t size,
	      int prot) KAPI(iommu_map);
size_t iommu_unmap(struct iommu_domain *domain, unsigned long iova, size_t size)
	KAPI(iommu_unmap);
phys_addr_t iommu_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
	KAPI(iommu_iova_to_phys);

/* Ownership of a group's DMA (6.12). */
int iommu_group_claim_dma_owner(struct iommu_group *group, void *owner)
	KAPI(iommu_group_claim_dma_owner);
void iommu_group_release_dma_owner(struct iommu_group *group)
	KAPI(iommu_group_release_dma_owner);
bool iommu_group_dma_owner_claimed(struct iommu_group *group)
	KAPI(iommu_group_dma_owner_claimed);
int iommu_device_use_default_domain(struct device *dev) KAPI(iommu_device_use_default_domain);
void iommu_device_unuse_default_domain(struct device *dev)
	KAPI(iommu_device_unuse_default_domain);

#endif
