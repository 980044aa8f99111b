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
extern bool vfiosim_param_enable_unsafe_noiommu_mode;
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
#ifdef VFIOSIM_INODE
	bridge_fill_outer(device->outer, vdev->dev, driver_of(vdev), vdev->inode);
#else
	bridge_fill_outer(device->outer, vdev->dev, driver_of(vdev), NULL);
#endif
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

static void take_parameter(void)
{
#if defined(VFIOSIM_MODULE_PARAM) && defined(CONFIG_VFIO_NOIOMMU)
	vfiosim_param_enable_unsafe_noiommu_mode = bridge_noiommu();
#endif
}

int tree_init(void)
{
	take_parameter();
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

	take_parameter();
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
	take_parameter();
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

/* The core makes a set of its own for a device that was given none. */
int tree_register(void *outer)
{
	int ret = vfio_register_group_dev(inner(outer));

#ifdef VFIOSIM_DEV_SET
	bridge_set_dev_set(outer, inner(outer)->dev_set);
#endif
	return ret;
}

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
#ifdef VFIOSIM_GET_FROM_DEV
	take_parameter();
	return vfio_iommu_group_get(dev);
#else
	return iommu_group_get(dev);
#endif
}

void tree_iommu_group_put(struct iommu_group *group, struct device *dev)
{
#ifdef VFIOSIM_GET_FROM_DEV
	vfio_iommu_group_put(group, dev);
#else
	iommu_group_put(group);
#endif
}

bool tree_has_external_users(void)
{
#ifdef VFIOSIM_EXTERNAL_USER
	return true;
#else
	return false;
#endif
}

struct vfio_group *tree_get_external_user(struct file *file)
{
#ifdef VFIOSIM_EXTERNAL_USER
	return vfio_group_get_external_user(file);
#else
	return ERR_PTR(-EOPNOTSUPP);
#endif
}

void tree_put_external_user(struct vfio_group *group)
{
#ifdef VFIOSIM_EXTERNAL_USER
	vfio_group_put_external_user(group);
#endif
}

/* ---- IOMMU backends ---- */

/*
 * A backend's callbacks get only their data, so each slot of the table has
 * callbacks of its own, which know the slot.
 */
struct backend {
	struct vfio_iommu_driver_ops ops;
	const void *driver;
};

#define BACKENDS_MAX 2
static struct backend backends[BACKENDS_MAX];

#ifdef VFIOSIM_GROUP_TYPE
#define GROUP_TYPE_PARAMETER , enum vfio_group_type type
#else
#define GROUP_TYPE_PARAMETER
#endif

#define BACKEND_SLOT(n)								\
static void *slot##n##_open(unsigned long arg)					\
{										\
	return bridge_iommu_open(backends[n].driver, arg);			\
}										\
static void slot##n##_release(void *data)					\
{										\
	bridge_iommu_release(backends[n].driver, data);				\
}										\
static long slot##n##_ioctl(void *data, unsigned int cmd, unsigned long arg)	\
{										\
	return bridge_iommu_ioctl(backends[n].driver, data, cmd, arg);		\
}										\
static int slot##n##_attach(void *data, struct iommu_group *group GROUP_TYPE_PARAMETER) \
{										\
	return bridge_iommu_attach(backends[n].driver, data, group);		\
}										\
static void slot##n##_detach(void *data, struct iommu_group *group)		\
{										\
	bridge_iommu_detach(backends[n].driver, data, group);			\
}

BACKEND_SLOT(0)
BACKEND_SLOT(1)

static const struct vfio_iommu_driver_ops slots[BACKENDS_MAX] = {
	{ .open = slot0_open, .release = slot0_release, .ioctl = slot0_ioctl,
	  .attach_group = slot0_attach, .detach_group = slot0_detach },
	{ .open = slot1_open, .release = slot1_release, .ioctl = slot1_ioctl,
	  .attach_group = slot1_attach, .detach_group = slot1_detach },
};

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
		backend->ops = slots[backend - backends];
		*(const char **)&backend->ops.name = bridge_iommu_name(ops);
		backend->ops.owner = bridge_iommu_owner(ops);
	}
	return vfio_register_iommu_driver(&backend->ops);
}

void tree_unregister_iommu_driver(const void *ops)
{
	struct backend *backend = backend_for(ops);

	if (backend)
		vfio_unregister_iommu_driver(&backend->ops);
}
