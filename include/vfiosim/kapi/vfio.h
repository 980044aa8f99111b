/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a vfio driver, an IOMMU backend and an external user see of the core.
 *
 * Two cores are linked in: the port of 5.14-rc with the inode patch ("port")
 * and the merged form ("merged", 6.12). Drivers call the names below; which core they
 * reach is settled for a whole run, see <vfiosim/kapi/vfio_core_select.h>.
 * Where the versions disagree the comment at the member or function says so.
 *
 * Originals: include/linux/vfio.h of 5.14 and of 6.12.
 */
#ifndef VFIOSIM_KAPI_VFIO_H
#define VFIOSIM_KAPI_VFIO_H

#include <vfiosim/kapi/atomic.h>
#include <vfiosim/kapi/device.h>
#include <vfiosim/kapi/fs.h>
#include <vfiosim/kapi/iommu.h>
#include <vfiosim/kapi/list.h>
#include <vfiosim/kapi/lock.h>
#include <vfiosim/kapi/module.h>
#include <vfiosim/kapi/notifier.h>
#include <vfiosim/kapi/types.h>
#include <vfiosim/kapi/wait.h>

#include <linux/vfio.h>

/* Both cores define the same names; each puts its own prefix on the symbols. */
#ifndef VFIO_CORE_SYMBOL
#define VFIO_CORE_SYMBOL(name) KAPI(name)
#endif

struct vfio_device_set;
struct vfio_group;
struct vm_area_struct;

/*
 * Embedded in a driver's own structure. Under the port the driver allocates it
 * zeroed and calls vfio_init_group_dev(); under 6.12 vfio_alloc_device() makes
 * it and vfio_put_device() ends it.
 */
struct vfio_device {
	struct device *dev;
	const struct vfio_device_ops *ops;
	/* For the core only from here on. */
	struct vfio_group *group;
	refcount_t refcount;		/* the spec's reg-ref */
	struct completion comp;
	struct list_head group_next;
	struct inode *inode;		/* whose i_mapping all files of the device use */
	/* 6.12 only */
	struct vfio_device_set *dev_set;
	struct list_head dev_set_list;
	struct device device;		/* "vfio<index>"; its release ends the object */
	unsigned int index;
	unsigned int open_count;	/* under dev_set->lock */
	struct kvm *kvm;
	void *tree;			/* a kernel tree's own object for the device */
};

/*
 * @open, @release: port: once for every file. 6.12 does not know @open, and
 *	calls @release once, when the object goes.
 * @init, @open_device, @close_device: 6.12 only; the last two at the first open
 *	and the last close.
 * @request: the device is wanted back; @count counts the requests.
 * @match: whether @name means this device: < 0 error, 0 no, > 0 yes.
 */
struct vfio_device_ops {
	const char *name;
	int (*init)(struct vfio_device *device);
	void (*release)(struct vfio_device *device);
	int (*open)(struct vfio_device *device);
	int (*open_device)(struct vfio_device *device);
	void (*close_device)(struct vfio_device *device);
	ssize_t (*read)(struct vfio_device *device, char __user *buf, size_t count,
			loff_t *ppos);
	ssize_t (*write)(struct vfio_device *device, const char __user *buf, size_t count,
			 loff_t *ppos);
	long (*ioctl)(struct vfio_device *device, unsigned int cmd, unsigned long arg);
	int (*mmap)(struct vfio_device *device, struct vm_area_struct *vma);
	void (*request)(struct vfio_device *device, unsigned int count);
	int (*match)(struct vfio_device *device, char *name);
	void (*dma_unmap)(struct vfio_device *device, u64 iova, u64 length);
};

/* ---- devices ---- */
struct iommu_group *vfio_iommu_group_get(struct device *dev)
	VFIO_CORE_SYMBOL(vfio_iommu_group_get);
/* Refs: drops one on @group, and takes @dev out of a fake one. Context: may sleep. */
void vfio_iommu_group_put(struct iommu_group *group, struct device *dev)
	VFIO_CORE_SYMBOL(vfio_iommu_group_put);

void vfio_init_group_dev(struct vfio_device *device, struct device *dev,
			 const struct vfio_device_ops *ops)
	VFIO_CORE_SYMBOL(vfio_init_group_dev);		/* port */
int vfio_register_group_dev(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_register_group_dev);
/* 6.12: a mediated device, which gets a group of its own here. */
int vfio_register_emulated_iommu_dev(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_register_emulated_iommu_dev);
void vfio_unregister_group_dev(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_unregister_group_dev);
struct vfio_device *vfio_device_get_from_dev(struct device *dev)
	VFIO_CORE_SYMBOL(vfio_device_get_from_dev);	/* port */
void vfio_device_put(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_put);		/* port */

/*
 * 6.12: @size bytes that begin with a struct vfio_device, or an error pointer.
 * @type names the objects in reports.
 */
struct vfio_device *_vfio_alloc_device(size_t size, const char *type, struct device *dev,
				       const struct vfio_device_ops *ops)
	VFIO_CORE_SYMBOL(_vfio_alloc_device);
void vfio_put_device(struct vfio_device *device) VFIO_CORE_SYMBOL(vfio_put_device);
bool vfio_device_try_get_registration(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_try_get_registration);
void vfio_device_put_registration(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_put_registration);
int vfio_assign_device_set(struct vfio_device *device, void *set_id)
	VFIO_CORE_SYMBOL(vfio_assign_device_set);

/* A set of devices that are reset together; @set_id is an address that they share. */
struct vfio_device_set {
	void *set_id;
	struct mutex lock;
	struct list_head device_list;	/* by vfio_device.dev_set_list, oldest first */
	unsigned int device_count;
	struct list_head next;		/* the kernel keeps an xarray */
};

/*
 * A core from a kernel tree keeps these in an object of its own: the device whose
 * place in its set's list @node is; how often a device is open; its reg-ref, 0 after
 * unregister; and the inode whose mapping all its files use, or NULL.
 */
unsigned int vfio_device_registrations(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_registrations);
struct inode *vfio_device_inode(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_inode);
struct vfio_device *vfio_device_set_entry(struct list_head *node)
	VFIO_CORE_SYMBOL(vfio_device_set_entry);
unsigned int vfio_device_open_count(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_open_count);

#define vfio_for_each_in_set(device, node, dev_set)				\
	for (node = (dev_set)->device_list.next;				\
	     node != &(dev_set)->device_list &&					\
	     (device = vfio_device_set_entry(node));				\
	     node = node->next)

/* ---- IOMMU backends ---- */
enum vfio_iommu_notify_type {
	VFIO_IOMMU_CONTAINER_CLOSE = 0,
};

/* 6.12's attach_group() has a third argument, the group's type, left out here. */
struct vfio_iommu_driver_ops {
	const char *name;
	struct module *owner;
	void *(*open)(unsigned long arg);
	void (*release)(void *iommu_data);
	ssize_t (*read)(void *iommu_data, char __user *buf, size_t count, loff_t *ppos);
	ssize_t (*write)(void *iommu_data, const char __user *buf, size_t count,
			 loff_t *ppos);
	long (*ioctl)(void *iommu_data, unsigned int cmd, unsigned long arg);
	int (*mmap)(void *iommu_data, struct vm_area_struct *vma);
	int (*attach_group)(void *iommu_data, struct iommu_group *group);
	void (*detach_group)(void *iommu_data, struct iommu_group *group);
	int (*pin_pages)(void *iommu_data, struct iommu_group *group, unsigned long *user_pfn,
			 int npage, int prot, unsigned long *phys_pfn);
	int (*unpin_pages)(void *iommu_data, unsigned long *user_pfn, int npage);
	int (*register_notifier)(void *iommu_data, unsigned long *events,
				 struct notifier_block *nb);
	int (*unregister_notifier)(void *iommu_data, struct notifier_block *nb);
	int (*dma_rw)(void *iommu_data, dma_addr_t user_iova, void *data, size_t count,
		      bool write);
	struct iommu_domain *(*group_iommu_domain)(void *iommu_data,
						   struct iommu_group *group);
	void (*notify)(void *iommu_data, enum vfio_iommu_notify_type event);
};

/*
 * Context: may sleep. Locks: takes and drops vfio.iommu_drivers_lock. Refs: none on the
 * module; a container takes one while it uses the backend. 0, -ENOMEM, or -EINVAL twice.
 */
int vfio_register_iommu_driver(const struct vfio_iommu_driver_ops *ops)
	VFIO_CORE_SYMBOL(vfio_register_iommu_driver);
void vfio_unregister_iommu_driver(const struct vfio_iommu_driver_ops *ops)
	VFIO_CORE_SYMBOL(vfio_unregister_iommu_driver);

/* ---- external users (port; 6.12 has the file queries below) ---- */
/*
 * Context: may sleep. Refs: on success a container user and one on the group, until
 * vfio_group_put_external_user(); else an error pointer and none. What stands between
 * needs them: the container may be gone otherwise.
 */
struct vfio_group *vfio_group_get_external_user(struct file *filep)
	VFIO_CORE_SYMBOL(vfio_group_get_external_user);
void vfio_group_put_external_user(struct vfio_group *group)
	VFIO_CORE_SYMBOL(vfio_group_put_external_user);
struct vfio_group *vfio_group_get_external_user_from_dev(struct device *dev)
	VFIO_CORE_SYMBOL(vfio_group_get_external_user_from_dev);
bool vfio_external_group_match_file(struct vfio_group *group, struct file *filep)
	VFIO_CORE_SYMBOL(vfio_external_group_match_file);
int vfio_external_user_iommu_id(struct vfio_group *group)
	VFIO_CORE_SYMBOL(vfio_external_user_iommu_id);
long vfio_external_check_extension(struct vfio_group *group, unsigned long arg)
	VFIO_CORE_SYMBOL(vfio_external_check_extension);

#define VFIO_PIN_PAGES_MAX_ENTRIES (PAGE_SIZE / sizeof(unsigned long))

/*
 * Context: may sleep. Pages pinned or unpinned, or -errno. Refs: by @dev: the group's and a
 * container user, for the length of the call. By @group: the caller is an external user.
 */
int vfio_pin_pages(struct device *dev, unsigned long *user_pfn, int npage, int prot,
		   unsigned long *phys_pfn) VFIO_CORE_SYMBOL(vfio_pin_pages);
int vfio_unpin_pages(struct device *dev, unsigned long *user_pfn, int npage)
	VFIO_CORE_SYMBOL(vfio_unpin_pages);
int vfio_group_pin_pages(struct vfio_group *group, unsigned long *user_iova_pfn, int npage,
			 int prot, unsigned long *phys_pfn)
	VFIO_CORE_SYMBOL(vfio_group_pin_pages);
int vfio_group_unpin_pages(struct vfio_group *group, unsigned long *user_iova_pfn, int npage)
	VFIO_CORE_SYMBOL(vfio_group_unpin_pages);
int vfio_dma_rw(struct vfio_group *group, dma_addr_t user_iova, void *data, size_t len,
		bool write) VFIO_CORE_SYMBOL(vfio_dma_rw);
struct iommu_domain *vfio_group_iommu_domain(struct vfio_group *group)
	VFIO_CORE_SYMBOL(vfio_group_iommu_domain);

enum vfio_notify_type {
	VFIO_IOMMU_NOTIFY = 0,
	VFIO_GROUP_NOTIFY = 1,
};

#define VFIO_IOMMU_NOTIFY_DMA_UNMAP (1UL << 0)
#define VFIO_GROUP_NOTIFY_SET_KVM (1UL << 0)

/*
 * Context: may sleep; a group notifier is called at once when KVM is known already.
 * Refs: as vfio_pin_pages(). None is kept: the caller unregisters before its device goes.
 */
int vfio_register_notifier(struct device *dev, enum vfio_notify_type type,
			   unsigned long *events, struct notifier_block *nb)
	VFIO_CORE_SYMBOL(vfio_register_notifier);
int vfio_unregister_notifier(struct device *dev, enum vfio_notify_type type,
			     struct notifier_block *nb)
	VFIO_CORE_SYMBOL(vfio_unregister_notifier);

struct kvm;
/* Context: may sleep, in the notifiers. Refs: none on @kvm. */
void vfio_group_set_kvm(struct vfio_group *group, struct kvm *kvm)
	VFIO_CORE_SYMBOL(vfio_group_set_kvm);

/* 6.12 */
bool vfio_file_is_valid(struct file *file) VFIO_CORE_SYMBOL(vfio_file_is_valid);
bool vfio_file_has_dev(struct file *file, struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_file_has_dev);
void vfio_file_set_kvm(struct file *file, struct kvm *kvm)
	VFIO_CORE_SYMBOL(vfio_file_set_kvm);

/* ---- helpers for drivers' ioctls, the same in both cores: src/vfio_helpers.c ---- */
struct vfio_info_cap {
	struct vfio_info_cap_header *buf;
	size_t size;
};

struct vfio_info_cap_header *vfio_info_cap_add(struct vfio_info_cap *caps, size_t size,
					       u16 id, u16 version) KAPI(vfio_info_cap_add);
void vfio_info_cap_shift(struct vfio_info_cap *caps, size_t offset) KAPI(vfio_info_cap_shift);
/* Adds a copy of @cap. Refs: as vfio_info_cap_add(). 0 or -ENOMEM. */
int vfio_info_add_capability(struct vfio_info_cap *caps, struct vfio_info_cap_header *cap,
			     size_t size) KAPI(vfio_info_add_capability);
/*
 * 0 with the bytes that follow the header in @data_size; -EINVAL for a header that fits no
 * device of @num_irqs. @data_size may be NULL where none may follow.
 */
int vfio_set_irqs_validate_and_prepare(struct vfio_irq_set *hdr, int num_irqs,
				       int max_irq_type, size_t *data_size)
	KAPI(vfio_set_irqs_validate_and_prepare);

/* The module parameter enable_unsafe_noiommu_mode. Its address marks fake groups. */
extern bool vfio_noiommu SIM(vfio_noiommu);

/*
 * Which life a driver leads under the core of this run: true, vfio_alloc_device()
 * to vfio_put_device() (merged); false, vfio_init_group_dev() in memory of its own.
 */
bool vfio_core_allocates(void) SIM(vfio_core_allocates);

/* struct my_device *m = vfio_alloc_device(my_device, vdev, dev, ops); vdev comes first. */
#define vfio_alloc_device(dev_struct, member, dev, ops)				\
	container_of(_vfio_alloc_device(sizeof(struct dev_struct), #dev_struct, dev, ops),	\
		     struct dev_struct, member)

#endif
