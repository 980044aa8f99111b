// SPDX-License-Identifier: GPL-2.0-only
/*
 * The half of the glue that is compiled against the tree: gives the library's
 * drivers and backends, which speak kapi/vfio.h, the tree's own core.
 *
 * Two lives of a device. Before 6.0 a driver embeds struct vfio_device and the
 * core only initialises it: the tree's object lies over kapi's, which is larger.
 * Later the core allocates it: then kapi's object is a second one, made before
 * and freed in the tree's release callback.
 *
 * VFIOSIM_* are what vfiosim-kbuild read off the tree's headers.
 */
#include <linux/vfio.h>
#ifdef VFIOSIM_PRIVATE_HEADER
#include "vfio.h"
#endif

#include "bridge.h"

#define TABLES_MAX 8

int vfiosim_tree_init(void);
void vfiosim_tree_exit(void);
#ifdef VFIOSIM_MODULE_PARAM
#ifdef CONFIG_VFIO_NOIOMMU
extern bool *const vfiosim_param_enable_unsafe_noiommu_mode;
#endif
#endif

/* The tree's table for one driver, made of the driver's own. */
struct table {
	struct vfio_device_ops ops;
	const void *driver;
};

/* Allocated by the tree's core; vdev first, as vfio_alloc_device() wants it. */
struct tree_device {
	struct vfio_device vdev;
	void *outer;
};

static struct table tables[TABLES_MAX];

static const void *driver_of(struct vfio_device *vdev)
{
	return container_of(vdev->ops, struct table, ops)->driver;
}

#ifdef VFIOSIM_ALLOC_DEVICE
static void *outer_of(struct vfio_device *vdev)
{
	return container_of(vdev, struct tree_device, vdev)->outer;
}
#else
static void *outer_of(struct vfio_device *vdev)
{
	return vdev;
}
#endif

/* ---- callbacks ---- */

static int glue_open(struct vfio_device *vdev)
{
	return bridge_open(driver_of(vdev), outer_of(vdev));
}

static void glue_close(struct vfio_device *vdev)
{
	bridge_close(driver_of(vdev), outer_of(vdev));
}

static ssize_t glue_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	return bridge_read(driver_of(vdev), outer_of(vdev), buf, count, ppos);
}

static ssize_t glue_write(struct vfio_device *vdev, const char __user *buf, size_t count,
			  loff_t *ppos)
{
	return bridge_write(driver_of(vdev), outer_of(vdev), buf, count, ppos);
}

static long glue_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	return bridge_ioctl(driver_of(vdev), outer_of(vdev), cmd, arg);
}

static int glue_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	return bridge_mmap(driver_of(vdev), outer_of(vdev), vma);
}

static void glue_request(struct vfio_device *vdev, unsigned int count)
{
	bridge_request(driver_of(vdev), outer_of(vdev), count);
}

static int glue_match(struct vfio_device *vdev, char *name)
{
	return bridge_match(driver_of(vdev), outer_of(vdev), name);
}

#ifdef VFIOSIM_ALLOC_DEVICE
static void glue_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	bridge_dma_unmap(driver_of(vdev), outer_of(vdev), iova, length);
}

/* Allocations in progress, one for each task: init runs inside of them. */
struct allocation {
	struct task_struct *task;
	void *outer;
	struct allocation *next;
};

static struct allocation *allocations;

static int glue_init(struct vfio_device *vdev)
{
	struct tree_device *device = container_of(vdev, struct tree_device, vdev);
	struct allocation *a = allocations;

	while (a->task != get_current())
		a = a->next;
	device->outer = a->outer;
	bridge_fill_outer(device->outer, vdev->dev, driver_of(vdev));
	return bridge_init(driver_of(vdev), device->outer);
}

static void glue_release(struct vfio_device *vdev)
{
	void *outer = outer_of(vdev);

	bridge_release(driver_of(vdev), outer);
	kfree(outer);
#ifdef VFIOSIM_FREE_DEVICE
	vfio_free_device(vdev);		/* 6.0 and 6.1: the driver's release does it */
#endif
}
#endif

#ifdef VFIOSIM_DEVICE_FEATURE
/* The library's drivers take the whole ioctl, as 5.14's do: its header lies before @arg. */
static int glue_feature(struct vfio_device *vdev, u32 flags, void __user *arg, size_t argsz)
{
	return bridge_ioctl(driver_of(vdev), outer_of(vdev), VFIO_DEVICE_FEATURE,
			    (unsigned long)arg - sizeof(struct vfio_device_feature));
}
#endif

#ifdef VFIOSIM_REGION_INFO_CAPS
/*
 * The library's drivers answer GET_REGION_INFO as a whole, capabilities behind
 * the structure, their offsets counted from its start. From 6.19 on the core
 * copies, and asks for the capabilities alone, counted from the first.
 */
static int region_info(struct vfio_device *vdev, struct vfio_region_info *to)
{
	struct task_struct *task = get_current();
	bool was = task->host_memory;
	int ret;

	task->host_memory = true;	/* @to is no memory of the modelled process */
	ret = bridge_ioctl(driver_of(vdev), outer_of(vdev), VFIO_DEVICE_GET_REGION_INFO,
			   (unsigned long)to);
	task->host_memory = was;
	return ret;
}

/* Refs: the caller frees @caps->buf, on failure too. */
static int take_capabilities(struct vfio_info_cap *caps, struct vfio_region_info *whole)
{
	struct vfio_info_cap_header *cap;

	caps->size = whole->argsz - whole->cap_offset;
	caps->buf = kzalloc(caps->size, GFP_KERNEL);
	if (!caps->buf)
		return -ENOMEM;
	memcpy(caps->buf, (void *)whole + whole->cap_offset, caps->size);
	for (cap = caps->buf; cap->next; cap = (void *)caps->buf + cap->next)
		cap->next -= whole->cap_offset;
	return 0;
}

static int glue_region_info_caps(struct vfio_device *vdev, struct vfio_region_info *info,
				 struct vfio_info_cap *caps)
{
	struct vfio_region_info own = { .argsz = sizeof(own), .index = info->index };
	struct vfio_region_info *whole;
	int ret = region_info(vdev, &own);

	if (ret)
		return ret;
	info->flags = own.flags & ~VFIO_REGION_INFO_FLAG_CAPS;
	info->offset = own.offset;
	info->size = own.size;
	if (own.argsz <= sizeof(own))
		return 0;

	whole = kzalloc(own.argsz, GFP_KERNEL);
	if (!whole)
		return -ENOMEM;
	whole->argsz = own.argsz;
	whole->index = info->index;
	ret = region_info(vdev, whole);
	if (!ret)
		ret = take_capabilities(caps, whole);
	kfree(whole);
	return ret;
}
#endif

static void fill_table(struct vfio_device_ops *ops, const void *driver)
{
	unsigned int has = bridge_device_has(driver);

	ops->name = (char *)bridge_device_ops_name(driver);
	ops->read = has & BRIDGE_READ ? glue_read : NULL;
	ops->write = has & BRIDGE_WRITE ? glue_write : NULL;
	ops->ioctl = has & BRIDGE_IOCTL ? glue_ioctl : NULL;
	ops->mmap = has & BRIDGE_MMAP ? glue_mmap : NULL;
	ops->request = has & BRIDGE_REQUEST ? glue_request : NULL;
	ops->match = has & BRIDGE_MATCH ? glue_match : NULL;
#ifdef VFIOSIM_DEVICE_FEATURE
	ops->device_feature = has & BRIDGE_IOCTL ? glue_feature : NULL;
#endif
#ifdef VFIOSIM_REGION_INFO_CAPS
	ops->get_region_info_caps = has & BRIDGE_IOCTL ? glue_region_info_caps : NULL;
#endif
#ifdef VFIOSIM_OPEN_DEVICE
	ops->open_device = glue_open;
	ops->close_device = glue_close;
#else
	ops->open = glue_open;
	ops->release = glue_close;
#endif
#ifdef VFIOSIM_ALLOC_DEVICE
	ops->init = glue_init;
	ops->release = glue_release;
	ops->dma_unmap = has & BRIDGE_DMA_UNMAP ? glue_dma_unmap : NULL;
#endif
}

static const struct vfio_device_ops *table_for(const void *driver)
{
	struct table *table = tables;

	while (table < tables + TABLES_MAX && table->driver && table->driver != driver)
		table++;
	BUG_ON(table == tables + TABLES_MAX);
	if (!table->driver) {
		table->driver = driver;
		fill_table(&table->ops, driver);
	}
	return &table->ops;
}

/* ---- devices ---- */

void tree_take_parameter(void)
{
#if defined(VFIOSIM_MODULE_PARAM) && defined(CONFIG_VFIO_NOIOMMU)
	*vfiosim_param_enable_unsafe_noiommu_mode = bridge_noiommu();
#endif
}

int tree_init(void)
{
	tree_take_parameter();
	return vfiosim_tree_init();
}

void tree_exit(void)
{
	vfiosim_tree_exit();
}

#ifdef VFIOSIM_ALLOC_DEVICE
/* kapi's object keeps a pointer to the tree's, in a member of its own. */
static struct tree_device **link_of(void *outer)
{
	return outer + bridge_outer_size();
}

static struct vfio_device *inner(void *outer)
{
	return &(*link_of(outer))->vdev;
}

bool tree_allocates(void)
{
	return true;
}

void *tree_alloc_device(size_t size, const char *type, struct device *dev, const void *ops)
{
	struct allocation here = { .task = get_current(), .next = allocations };
	struct allocation **link = &allocations;
	struct vfio_device *vdev;

	tree_take_parameter();
	here.outer = __kmalloc_named(size, GFP_KERNEL | __GFP_ZERO, type);
	if (!here.outer)
		return ERR_PTR(-ENOMEM);

	allocations = &here;
	vdev = _vfio_alloc_device(sizeof(struct tree_device), dev, table_for(ops));
	while (*link != &here)
		link = &(*link)->next;
	*link = here.next;

	if (IS_ERR(vdev)) {
		kfree(here.outer);
		return vdev;
	}
	*link_of(here.outer) = container_of(vdev, struct tree_device, vdev);
	return here.outer;
}

void tree_put_device(void *outer)
{
	vfio_put_device(inner(outer));
}

void tree_init_group_dev(void *outer, struct device *dev, const void *ops)
{
	BUG();		/* drivers ask tree_allocates() first */
}

int tree_assign_device_set(void *outer, void *set_id)
{
	int ret = vfio_assign_device_set(inner(outer), set_id);

	bridge_set_dev_set(outer, inner(outer)->dev_set);
	return ret;
}
#else
static struct vfio_device *inner(void *outer)
{
	return outer;
}

bool tree_allocates(void)
{
	return false;
}

void *tree_alloc_device(size_t size, const char *type, struct device *dev, const void *ops)
{
	BUG();
}

void tree_put_device(void *outer)
{
	BUG();
}

void tree_init_group_dev(void *outer, struct device *dev, const void *ops)
{
	BUG_ON(sizeof(struct vfio_device) > bridge_outer_size());
	tree_take_parameter();
	vfio_init_group_dev(outer, dev, table_for(ops));
}

int tree_assign_device_set(void *outer, void *set_id)
{
#ifdef VFIOSIM_DEV_SET
	return vfio_assign_device_set(inner(outer), set_id);
#else
	return -EOPNOTSUPP;
#endif
}
#endif

/*
 * 5.15 to 5.19: a device that was initialised must be uninitialised, which the
 * library's drivers of that form do not know; it leaves the device's set.
 */
static void uninit(void *outer)
{
#ifdef VFIOSIM_UNINIT
	vfio_uninit_group_dev(inner(outer));
	inner(outer)->dev_set = NULL;
#endif
}

/* The core makes a set of its own for a device that was given none. */
static int registered(void *outer, int ret)
{
#ifdef VFIOSIM_ALLOC_DEVICE
	bridge_set_dev_set(outer, inner(outer)->dev_set);
#endif
	if (ret)
		uninit(outer);
	return ret;
}

int tree_register(void *outer)
{
	return registered(outer, vfio_register_group_dev(inner(outer)));
}

#if VFIOSIM_DECLARES_vfio_register_emulated_iommu_dev
static int register_emulated(void *outer)
{
	return registered(outer, vfio_register_emulated_iommu_dev(inner(outer)));
}

int (*tree_register_emulated(void))(void *outer)
{
	return register_emulated;
}
#else
int (*tree_register_emulated(void))(void *outer)
{
	return NULL;
}
#endif

/* As the core's own functions of this name do, which it does not export. */
bool tree_try_get(void *outer)
{
	return refcount_inc_not_zero(&inner(outer)->refcount);
}

void tree_put(void *outer)
{
	if (refcount_dec_and_test(&inner(outer)->refcount))
		complete(&inner(outer)->comp);
}

unsigned int tree_registrations(void *outer)
{
	return inner(outer)->refcount.refs.counter;
}

bool tree_has_inodes(void)
{
#ifdef VFIOSIM_INODE
	return true;
#else
	return false;
#endif
}

struct inode *tree_inode(void *outer)
{
#ifdef VFIOSIM_INODE
	return inner(outer)->inode;
#else
	return NULL;
#endif
}

void *tree_set_entry(struct list_head *node)
{
#ifdef VFIOSIM_DEV_SET
	return outer_of(list_entry(node, struct vfio_device, dev_set_list));
#else
	BUG();
#endif
}

unsigned int tree_open_count(void *outer)
{
#ifdef VFIOSIM_DEV_SET
	return inner(outer)->open_count;
#else
	BUG();
#endif
}

bool tree_file_is_valid(struct file *file)
{
#ifdef VFIOSIM_FILE_IS_VALID
	return vfio_file_is_valid(file);
#elif defined(VFIOSIM_FILE_IS_GROUP)
	return vfio_file_is_group(file);
#else
	return false;
#endif
}

bool tree_file_has_dev(struct file *file, void *outer)
{
#ifdef VFIOSIM_FILE_HAS_DEV
	return vfio_file_has_dev(file, inner(outer));
#else
	return false;
#endif
}

void tree_unregister(void *outer)
{
	vfio_unregister_group_dev(inner(outer));
	uninit(outer);
}

void *tree_device_get_from_dev(struct device *dev)
{
#ifdef VFIOSIM_GET_FROM_DEV
	struct vfio_device *vdev = vfio_device_get_from_dev(dev);

	return vdev ? outer_of(vdev) : NULL;
#else
	return NULL;
#endif
}

void tree_device_put(void *outer)
{
#ifdef VFIOSIM_GET_FROM_DEV
	vfio_device_put(inner(outer));
#else
	BUG();
#endif
}

struct iommu_group *tree_iommu_group_get(struct device *dev)
{
#if VFIOSIM_DECLARES_vfio_iommu_group_get
	tree_take_parameter();
	return vfio_iommu_group_get(dev);
#else
	return iommu_group_get(dev);
#endif
}

void tree_iommu_group_put(struct iommu_group *group, struct device *dev)
{
#if VFIOSIM_DECLARES_vfio_iommu_group_get
	vfio_iommu_group_put(group, dev);
#else
	iommu_group_put(group);
#endif
}

/*
 * The calls that take no device, straight from the tree: each if the tree's
 * headers declare it, and with the type that kapi/vfio.h gives it.
 */
#ifdef VFIOSIM_EXTERNAL_USER
#include <vfiosim/kapi/vfio_core_ops.h>

#define SAME_TYPE(ops, name) \
	__builtin_types_compatible_p(__typeof__(&name), __typeof__((ops)->name))
#define FILL_1(ops, name) \
	((ops)->name = __builtin_choose_expr(SAME_TYPE(ops, name), name, NULL))
#define FILL_0(ops, name) ((void)0)
#define FILL_PASTE(declared, ops, name) FILL_##declared(ops, name)
#define FILL_EXPAND(declared, ops, name) FILL_PASTE(declared, ops, name)
#define FILL(ops, name) FILL_EXPAND(VFIOSIM_DECLARES_##name, ops, name)

void tree_fill_calls(void *table)
{
	struct vfio_core_ops *ops = table;

	FILL(ops, vfio_group_get_external_user);
	FILL(ops, vfio_group_put_external_user);
	FILL(ops, vfio_group_get_external_user_from_dev);
	FILL(ops, vfio_external_group_match_file);
	FILL(ops, vfio_external_user_iommu_id);
	FILL(ops, vfio_external_check_extension);
	FILL(ops, vfio_pin_pages);
	FILL(ops, vfio_unpin_pages);
	FILL(ops, vfio_group_pin_pages);
	FILL(ops, vfio_group_unpin_pages);
	FILL(ops, vfio_dma_rw);
	FILL(ops, vfio_group_iommu_domain);
	FILL(ops, vfio_register_notifier);
	FILL(ops, vfio_unregister_notifier);
	FILL(ops, vfio_group_set_kvm);
}
#else
void tree_fill_calls(void *table)
{
}
#endif

/* ---- IOMMU backends ---- */

struct backend {
	struct vfio_iommu_driver_ops ops;
	const void *driver;
};

#define BACKENDS_MAX 2
static struct backend backends[BACKENDS_MAX];

#ifdef VFIOSIM_GROUP_TYPE
/* One more argument than the driver takes, and none that names the driver. */
#define ATTACH(n)								\
static int attach##n(void *data, struct iommu_group *group, enum vfio_group_type type) \
{										\
	return bridge_iommu_attach(backends[n].driver, data, group);		\
}
ATTACH(0)
ATTACH(1)

static int (*const attach[BACKENDS_MAX])(void *, struct iommu_group *, enum vfio_group_type) = {
	attach0, attach1,
};
#endif

static void fill_backend(struct backend *backend, const void *driver)
{
	struct vfio_iommu_driver_ops *ops = &backend->ops;
	struct bridge_iommu from;

	bridge_iommu_fill(driver, &from);
	*(const char **)&ops->name = from.name;
	ops->owner = from.owner;
	ops->open = from.open;
	ops->release = from.release;
	ops->ioctl = from.ioctl;
#ifdef VFIOSIM_GROUP_TYPE
	ops->attach_group = attach[backend - backends];
#else
	ops->attach_group = from.attach_group;
#endif
	ops->detach_group = from.detach_group;
#ifdef VFIOSIM_IOMMU_READ
	ops->read = from.read;
	ops->write = from.write;
	ops->mmap = from.mmap;
#endif
#ifdef VFIOSIM_IOMMU_PIN_BY_PFN
	ops->pin_pages = from.pin_pages;
	ops->unpin_pages = from.unpin_pages;
#endif
#ifdef VFIOSIM_IOMMU_NOTIFIER
	ops->register_notifier = from.register_notifier;
	ops->unregister_notifier = from.unregister_notifier;
#endif
#ifdef VFIOSIM_IOMMU_DMA_RW
	ops->dma_rw = from.dma_rw;
#endif
#ifdef VFIOSIM_IOMMU_DOMAIN
	ops->group_iommu_domain = from.group_iommu_domain;
#endif
#ifdef VFIOSIM_IOMMU_NOTIFY
	ops->notify = from.notify;
#endif
}

static struct backend *backend_for(const void *driver)
{
	for (int n = 0; n < BACKENDS_MAX; n++)
		if (backends[n].driver == driver)
			return &backends[n];
	return NULL;
}

int tree_register_iommu_driver(const void *ops)
{
	struct backend *backend = backend_for(ops);

	if (!backend)
		backend = backend_for(NULL);
	BUG_ON(!backend);
	if (!backend->driver) {
		backend->driver = ops;
		fill_backend(backend, ops);
	}
	return vfio_register_iommu_driver(&backend->ops);
}

void tree_unregister_iommu_driver(const void *ops)
{
	struct backend *backend = backend_for(ops);

	if (backend)
		vfio_unregister_iommu_driver(&backend->ops);
}
