// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants of the port: VF-208 to VF-227 of docs/spec/vfio.md.
 *
 * Some hold at every step; some while the lock that covers them is free; those
 * about sums of references hold while nobody is in the middle of anything: every
 * task is outside of the kernel or sleeps in one of unregister's waits. The merged
 * core has others: invariants_merged.c.
 */
#define VFIOSIM_HOST
#include <string.h>

#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/pin.h>

#include "invariants_merged.h"
#include "invariants_vfio.h"
#include "invariants_view.h"
#include "mm_internal.h"
#include "run.h"
#include "vfio_core.h"

#define for_each_group(group) \
	list_for_each_entry(group, &vfio.group_list, vfio_next)
#define for_each_device(device, group) \
	list_for_each_entry(device, &(group)->device_list, group_next)

/* ---- when may one ask? ---- */

/* The lists can only be walked while nobody changes them. */
static bool groups_stable(void)
{
	struct vfio_group *group;

	if (!vfio.group_list.next || vfio.group_lock.owner)
		return false;
	for_each_group(group)
		if (group->device_lock.owner)
			return false;
	return true;
}

/* ---- counting ---- */

static unsigned int files_with(const struct file_operations *fops, const void *private_data)
{
	const struct file *file;
	unsigned int n = 0;

	for_each(FILES, file)
		n += file->f_op == fops && file->f_count.counter > 0 &&
		     (!private_data || file->private_data == private_data);
	return n;
}

static unsigned int device_files(const struct vfio_group *group)
{
	const struct vfio_device *device;
	const struct file *file;
	unsigned int n = 0;

	for_each(FILES, file) {
		if (file->f_op != &vfio_device_fops || file->f_count.counter <= 0)
			continue;
		device = file->private_data;
		n += device->group == group;
	}
	return n;
}

static bool device_is_listed(const struct vfio_device *wanted)
{
	const struct vfio_device *device;
	const struct vfio_group *group;

	for_each_group(group)
		for_each_device(device, group)
			if (device == wanted)
				return true;
	return false;
}

static bool has_unbound_entry(const struct vfio_group *group, const struct device *dev)
{
	const struct vfio_unbound_dev *unbound;

	list_for_each_entry(unbound, &group->unbound_list, unbound_next)
		if (unbound->dev == dev)
			return true;
	return false;
}

/* ---- the predicates ---- */

static bool pins_and_mount(const void **object)
{
	const struct vfio_device *device;
	const struct vfio_group *group;
	int devices = 0;

	if (pin_fs_locked())
		return true;
	for_each_group(group)
		for_each_device(device, group)
			devices++;
	return vfio.vfio_fs_cnt >= devices && !vfio.vfio_fs_cnt == !vfio.vfio_fs_mnt;
}

static bool pins_exact(const void **object)
{
	const struct vfio_device *device;
	const struct vfio_group *group;
	int devices = 0;

	for_each_group(group)
		for_each_device(device, group)
			devices++;
	return vfio.vfio_fs_cnt == devices;
}

static bool mount_count(const void **object)
{
	return !vfio.vfio_fs_mnt ||
	       real_mount(vfio.vfio_fs_mnt)->mnt_count == vfio.vfio_fs_cnt;
}

/* Its own, with one reference, and of the superblock that is pinned. */
static bool own_inode(const void **object)
{
	const struct vfio_device *device, *other;
	const struct vfio_group *group, *in;

	for_each_group(group) {
		for_each_device(device, group) {
			*object = device;
			if (!is_live(device->inode) || device->inode->i_count.counter != 1 ||
			    !vfio.vfio_fs_mnt ||
			    device->inode->i_sb != vfio.vfio_fs_mnt->mnt_sb)
				return false;
			for_each_group(in)
				for_each_device(other, in)
					if (other != device && other->inode == device->inode)
						return false;
		}
	}
	return true;
}

static bool mapping_is_the_devices(const struct file *file)
{
	const struct vfio_device *device = file->private_data;

	return file->f_mapping == device->inode->i_mapping &&
	       file->f_inode != device->inode && file->f_inode->i_mapping != file->f_mapping;
}

static bool file_mapping(const void **object)
{
	const struct files_struct *table;
	const struct file *file;

	for_each(TABLES, table) {
		for (unsigned int fd = 0; fd < table->fdt->slots; fd++) {
			file = files_peek(table, fd);
			*object = file;
			if (file && file->f_op == &vfio_device_fops &&
			    !mapping_is_the_devices(file))
				return false;
		}
	}
	return true;
}

/* Every view in @mapping must be @wanted's, or must not be of any device (NULL). */
static bool tree_views(struct address_space *mapping, const struct vfio_device *wanted,
		       const void **object)
{
	const struct vm_area_struct *vma;
	struct mapping_iter iter;

	if (mapping->i_mmap_rwsem.owner)
		return true;
	vma_interval_tree_foreach(vma, &iter, &mapping->i_mmap, 0, ~0UL) {
		bool ours = vma->vm_file->f_op == &vfio_device_fops;

		*object = vma;
		if (ours != !!wanted)
			return false;
		if (ours && (vma->vm_file->private_data != wanted ||
			     vma->vm_file->f_count.counter <= 0))
			return false;
	}
	return true;
}

static bool views_in_tree(const void **object)
{
	const struct vfio_device *device;
	const struct vfio_group *group;
	const struct file *file;

	for_each_group(group)
		for_each_device(device, group)
			if (!tree_views(device->inode->i_mapping, device, object))
				return false;
	for_each(FILES, file)
		if (file->f_op == &vfio_device_fops && file->f_count.counter > 0 &&
		    !tree_views(file->f_inode->i_mapping, NULL, object))
			return false;
	return true;
}

static bool files_of_listed(const void **object)
{
	const struct file *file;

	for_each(FILES, file) {
		*object = file;
		if (file->f_op == &vfio_device_fops && file->f_count.counter > 0 &&
		    !device_is_listed(file->private_data))
			return false;
	}
	return true;
}

static bool device_references(const void **object)
{
	const struct vfio_device *device;
	const struct vfio_group *group;

	for_each_group(group) {
		for_each_device(device, group) {
			int files = files_with(&vfio_device_fops, device);
			int refs = device->refcount.refs.counter;

			*object = device;
			if (refs != files + !has_unbound_entry(group, device->dev) &&
			    refs != files)
				return false;
		}
	}
	return true;
}

static bool device_list(const void **object)
{
	const struct vfio_device *device;
	const struct vfio_group *group;
	unsigned int listed;

	for_each_group(group) {
		listed = 0;
		*object = group;
		for_each_device(device, group) {
			listed++;
			if (device->group != group)
				return false;
		}
		if (group->dev_counter != listed)
			return false;
	}
	return true;
}

static bool listed_group(const void **object)
{
	const struct vfio_group *group;

	for_each_group(group) {
		*object = group;
		if (!is_live(group) || group->kref.refcount.refs.counter < 1 ||
		    IS_ERR_OR_NULL(group->dev))
			return false;
	}
	return true;
}

static bool group_references(const void **object)
{
	const struct vfio_group *group;
	unsigned int known;

	for_each_group(group) {
		known = group->dev_counter + files_with(&vfio_group_fops, group);
		*object = group;
		if ((unsigned int)group->kref.refcount.refs.counter < known)
			return false;
	}
	return true;
}

static bool one_group_each(const void **object)
{
	const struct vfio_group *group, *other;

	for_each_group(group) {
		*object = group;
		for_each_group(other)
			if (other != group && other->iommu_group == group->iommu_group)
				return false;
	}
	return true;
}

static bool iommu_reference(const void **object)
{
	const struct vfio_group *group;

	for_each_group(group) {
		*object = group;
		if (iommu_group_refs(group->iommu_group) <
		    iommu_group_members(group->iommu_group) + 1)
			return false;
	}
	return true;
}

static bool users_and_container(const void **object)
{
	const struct vfio_group *group;
	unsigned int known;

	for_each_group(group) {
		int users = group->container_users.counter;

		known = device_files(group);
		if (group->container)
			known += files_with(&vfio_group_fops, group);
		*object = group;
		if (users < (int)known || !users != !group->container)
			return false;
	}
	return true;
}

/* How often @group is on the container's list; -1: the list has no end, or a freed entry. */
static int times_attached(const struct vfio_container *container, const struct vfio_group *group)
{
	const struct list_head *pos;
	int n = 0, length = 0;

	for (pos = container->group_list.next; pos != &container->group_list; pos = pos->next) {
		if (++length > VFIO_FACTS_GROUPS || !is_live(pos))
			return -1;
		n += pos == &group->container_next;
	}
	return n;
}

static bool attached_once(const void **object)
{
	const struct vfio_group *group;

	for_each_group(group) {
		const struct vfio_container *container = group->container;

		*object = group;
		if (!container)
			continue;
		if (!is_live(container))
			return false;
		if (!container->group_lock.owner && times_attached(container, group) != 1)
			return false;
	}
	return true;
}

/* Groups that say they are in @container. */
static int groups_of(const struct vfio_container *container)
{
	const struct vfio_group *group;
	int n = 0;

	for_each_group(group)
		n += group->container == container;
	return n;
}

/* The other direction: nobody else is on a container's list, and each group holds it. */
static bool container_counts(const void **object)
{
	const struct vfio_container *container;
	const struct list_head *pos;
	int groups, listed;

	for_each(CONTAINERS, container) {
		groups = groups_of(container);
		listed = 0;
		*object = container;
		list_for_each(pos, &container->group_list)
			if (++listed > groups)
				return false;
		if (listed != groups || container->kref.refcount.refs.counter !=
		    groups + (int)files_with(&vfio_fops, container))
			return false;
	}
	return true;
}

static bool backend_module(const void **object)
{
	const struct vfio_container *container;

	for_each(CONTAINERS, container) {
		const struct vfio_iommu_driver *driver = container->iommu_driver;

		*object = container;
		if (driver && driver->ops->owner && driver->ops->owner->refcnt.counter < 2)
			return false;
	}
	return true;
}

static bool one_kind(const void **object)
{
	const struct vfio_group *group;

	for_each_group(group) {
		*object = group;
		if (is_live(group->container) && !group->container->group_lock.owner &&
		    group->container->noiommu != group->noiommu)
			return false;
	}
	return true;
}

static bool opened_once(const void **object)
{
	const struct vfio_group *group;

	for_each_group(group) {
		*object = group;
		if (group->opened.counter < 0 || group->opened.counter > 1)
			return false;
	}
	return true;
}

/* Released by a worker, perhaps: until then the file points to the group. */
static bool opened_by_file(const void **object)
{
	const struct vfio_group *group;
	const struct file *file;
	int files;

	for_each_group(group) {
		files = 0;
		*object = group;
		for_each(FILES, file)
			files += file->f_op == &vfio_group_fops && file->private_data == group;
		if (files != group->opened.counter)
			return false;
	}
	return true;
}

static bool unbound_in_progress(const void **object)
{
	const struct vfio_unbound_dev *unbound;
	const struct vfio_group *group;

	for_each_group(group) {
		list_for_each_entry(unbound, &group->unbound_list, unbound_next) {
			*object = group;
			if (unbound->dev->driver && !unbound->dev->mutex.owner)
				return false;
		}
	}
	return true;
}

DECLARE_MODULE(vfio);

static bool module_count(const void **object)
{
	unsigned int known = files_with(&vfio_fops, NULL) + files_with(&vfio_group_fops, NULL) +
			     files_with(&vfio_device_fops, NULL) + !!vfio.vfio_fs_mnt;

	*object = MODULE(vfio);
	return MODULE(vfio)->state != MODULE_STATE_LIVE ||
	       MODULE(vfio)->refcnt.counter - 1 >= (int)known;
}

static bool at_rest(const void **object)
{
	const struct vfio_group *group;

	for_each_group(group) {
		*object = group;
		if (!group->dev_counter && !files_with(&vfio_group_fops, group) &&
		    !group->container_users.counter && !view[PUTS].count)
			return false;
	}
	return true;
}

enum when {
	STABLE,		/* the lists' locks are free */
	QUIET,		/* nobody is in the middle of anything */
};

static const struct {
	struct invariant invariant;
	enum when when;
} table[] = {
	{ { 208, "pins", "a listed device has a pin, and no pin means no mount",
	    pins_and_mount }, STABLE },
	{ { 208, "pins-exact", "there are as many pins as listed devices", pins_exact }, QUIET },
	{ { 209, "mount-count", "the mount's references are the pins", mount_count }, QUIET },
	{ { 210, "own-inode", "a listed device has an inode of its own, referenced once, "
	    "of the pinned superblock", own_inode }, STABLE },
	{ { 211, "file-mapping", "an installed file of a device maps the device's inode and "
	    "is that of the shared one", file_mapping }, STABLE },
	{ { 212, "views-in-tree", "a mapped view of a device belongs to its inode, by a file "
	    "that is not released", views_in_tree }, STABLE },
	{ { 213, "files-of-listed", "no file, and so no view, is left of a device that has "
	    "been unlisted", files_of_listed }, STABLE },
	/* Before those that trust in it. */
	{ { 225, "unbound", "who is noted as unbound is being unbound",
	    unbound_in_progress }, QUIET },
	{ { 215, "device-references", "a device is referenced by its registration and by "
	    "each of its files", device_references }, QUIET },
	{ { 216, "device-list", "a device is on its group's list, and the counter is the "
	    "list's length", device_list }, STABLE },
	{ { 217, "listed-group", "a listed group lives and has a node", listed_group }, STABLE },
	{ { 217, "group-references", "a group is referenced by each of its devices and files",
	    group_references }, QUIET },
	{ { 218, "one-group-each", "an IOMMU group has one vfio group at most",
	    one_group_each }, STABLE },
	{ { 219, "iommu-reference", "a listed group holds its IOMMU group",
	    iommu_reference }, STABLE },
	{ { 220, "users", "users are counted, and exist exactly while there is a container",
	    users_and_container }, QUIET },
	{ { 221, "attached-once", "a group is on its container's list once",
	    attached_once }, STABLE },
	{ { 221, "container-counts", "a container lists the groups that are in it, and is "
	    "referenced by them and by its file", container_counts }, QUIET },
	{ { 222, "backend-module", "a configured container holds its backend's module",
	    backend_module }, QUIET },
	{ { 223, "one-kind", "the groups of a container are all real or all fake",
	    one_kind }, STABLE },
	{ { 224, "opened-once", "a group has one open file at most", opened_once }, STABLE },
	{ { 224, "opened-by-file", "a group is marked as open while its file is, and no longer",
	    opened_by_file }, QUIET },
	{ { 226, "module-count", "files and the mount hold the module", module_count }, QUIET },
	{ { 227, "at-rest", "a group that nobody uses is gone", at_rest }, QUIET },
};

const struct invariant *vfio_invariants_broken(const void **object)
{
	bool quiet;

	if (vfiosim_core() == &vfio_core_merged)
		return merged_invariants_broken(object);
	if (vfiosim_core() != &vfio_core_port || !groups_stable())
		return NULL;
	quiet = view_is_quiet(NULL);
	if (!view_take())
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		*object = NULL;
		if ((quiet || table[i].when == STABLE) && !table[i].invariant.holds(object))
			return &table[i].invariant;
	}
	return NULL;
}

bool vfio_invariants_hold(const void *fixture)
{
	const void *object = NULL;
	const struct invariant *broken = vfio_invariants_broken(&object);

	if (broken)
		eng_report("invariant", object, "VF-%d (%s) is broken: %s", broken->number,
			   broken->name, broken->says);
	return !broken;
}
