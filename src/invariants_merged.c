// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants of the merged core: what section L of docs/spec/vfio.md says in
 * the place of J.1. The numbers are those of its paragraphs.
 *
 * Some hold whenever the lists can be walked; those about sums hold while nobody
 * is in the middle of anything. An unregister that waits for the last user has
 * taken its device off the group's list, but still counts as one of its drivers.
 */
#define VFIOSIM_HOST
#include <string.h>

#include <vfiosim/kapi/fs_context.h>
#include <vfiosim/kapi/mm.h>

#include "invariants_merged.h"
#include "invariants_view.h"
#include "run.h"
#include "vfio_merged.h"

static struct vfio_facts facts;

#define for_each_group(g) \
	for (g = facts.group; g < facts.group + facts.n_groups; g++)
#define for_each_device(device, g) \
	list_for_each_entry(device, (g)->device_list, group_next)

/* ---- when may one ask? ---- */

static bool lists_stable(void)
{
	const struct vfio_group_facts *g;
	const struct vfio_device *device;

	if (facts.busy)
		return false;
	for_each_group(g) {
		if (g->group->device_lock.owner)
			return false;
		for_each_device(device, g)
			if (device->dev_set && device->dev_set->lock.owner)
				return false;
	}
	return true;
}

/* ---- counting ---- */

/* Open files of @device whose opening has ended. */
static int device_files(const struct vfio_device *device)
{
	const struct vfio_device_file *df;
	const struct file *file;
	int n = 0;

	for_each(FILES, file) {
		df = file->private_data;
		n += file->f_op == &vfio_device_fops && file->f_count.counter > 0 &&
		     df->device == device;
	}
	return n;
}

static int references_by(const void *private_data)
{
	const struct file *file;
	int n = 0;

	for_each(FILES, file)
		n += file->f_count.counter > 0 && file->private_data == private_data;
	return n;
}

/* ---- the predicates ---- */

static bool pins_and_inodes(const void **object)
{
	if (!facts.mnt)
		return !facts.pins;
	return facts.pins > 0 && facts.mnt->mnt_sb->s_unlisted_inodes == facts.pins;
}

static bool has_own_inode(const struct vfio_device *device)
{
	const struct vfio_group_facts *g;
	const struct vfio_device *other;

	if (!is_live(device->inode) || device->inode->i_count.counter != 1 || !facts.mnt ||
	    device->inode->i_sb != facts.mnt->mnt_sb)
		return false;
	for_each_group(g)
		for_each_device(other, g)
			if (other != device && other->inode == device->inode)
				return false;
	return true;
}

static bool own_inode(const void **object)
{
	const struct vfio_group_facts *g;
	const struct vfio_device *device;

	for_each_group(g) {
		for_each_device(device, g) {
			*object = device;
			if (!has_own_inode(device))
				return false;
		}
	}
	return true;
}

/* Whoever resets a set zaps its members through their inodes, registered or not. */
static bool members_have_inodes(const void **object)
{
	const struct vfio_group_facts *g;
	const struct vfio_device *device, *member;

	for_each_group(g) {
		for_each_device(device, g) {
			if (!device->dev_set)
				continue;
			list_for_each_entry(member, &device->dev_set->device_list, dev_set_list) {
				*object = member;
				if (!is_live(member->inode) || member->inode->i_count.counter < 1)
					return false;
			}
		}
	}
	return true;
}

static bool set_counts(const void **object)
{
	const struct vfio_group_facts *g;
	const struct vfio_device *device, *member;
	unsigned int listed;
	bool found;

	for_each_group(g) {
		for_each_device(device, g) {
			*object = device;
			if (!device->dev_set)
				continue;
			listed = 0;
			found = false;
			list_for_each_entry(member, &device->dev_set->device_list, dev_set_list) {
				listed++;
				found |= member == device;
			}
			if (!found || listed != device->dev_set->device_count)
				return false;
		}
	}
	return true;
}

static bool file_mapping(const void **object)
{
	const struct vfio_device_file *df;
	const struct file *file;

	for_each(FILES, file) {
		if (file->f_op != &vfio_device_fops || file->f_count.counter <= 0)
			continue;
		df = file->private_data;
		*object = file;
		if (file->f_mapping != df->device->inode->i_mapping ||
		    file->f_inode == df->device->inode)
			return false;
	}
	return true;
}

static bool open_counts(const void **object)
{
	const struct vfio_group_facts *g;
	const struct vfio_device *device;

	for_each_group(g) {
		for_each_device(device, g) {
			*object = device;
			if ((int)device->open_count != device_files(device))
				return false;
		}
	}
	return true;
}

static bool registrations(const void **object)
{
	const struct vfio_group_facts *g;
	const struct vfio_device *device;

	for_each_group(g) {
		for_each_device(device, g) {
			*object = device;
			if (device->refcount.refs.counter != 1 + device_files(device) ||
			    device->comp.done)
				return false;
		}
	}
	return true;
}

/* Devices that are unregistered, and wait, are drivers still. */
static bool some_wait;

static bool group_drivers(const void **object)
{
	const struct vfio_group_facts *g;
	int listed;

	for_each_group(g) {
		listed = vfio_facts_length(g->device_list);
		*object = g->group;
		if (g->refs < 1 || g->refs < listed || (!some_wait && g->refs != listed))
			return false;
	}
	return true;
}

/* The devices of @g that are open: those of files, registered or not. */
static int open_devices(const struct vfio_group_facts *g)
{
	const struct vfio_device_file *df, *earlier;
	const struct file *file, *other;
	int n = 0;

	for_each(FILES, file) {
		bool first = true;

		if (file->f_op != &vfio_device_fops || file->f_count.counter <= 0)
			continue;
		df = file->private_data;
		for_each(FILES, other) {
			if (other == file)
				break;
			earlier = other->private_data;
			first &= other->f_op != &vfio_device_fops ||
				 other->f_count.counter <= 0 || earlier->device != df->device;
		}
		n += first && df->device->group == g->group;
	}
	return n;
}

static bool users(const void **object)
{
	const struct vfio_group_facts *g;

	for_each_group(g) {
		*object = g->group;
		if (g->users != !!g->container + open_devices(g))
			return false;
	}
	return true;
}

static bool group_file_is_held(const void **object)
{
	const struct vfio_group_facts *g;

	for_each_group(g) {
		const struct file *file = g->group->opened_file;
		int open = open_devices(g);

		*object = g->group;
		if (open && (!is_live(file) || file->f_count.counter < open))
			return false;
		if (g->container && !file)
			return false;
	}
	return true;
}

static bool one_group_each(const void **object)
{
	const struct vfio_group_facts *g, *other;

	for_each_group(g) {
		*object = g->group;
		if (!g->iommu_group)
			return false;
		for_each_group(other)
			if (other != g && other->iommu_group == g->iommu_group)
				return false;
	}
	return true;
}

static int groups_of(const struct vfio_container *container)
{
	const struct vfio_group_facts *g;
	int n = 0;

	for_each_group(g)
		n += g->container == container;
	return n;
}

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
		if (listed != groups ||
		    container->kref.refcount.refs.counter != groups + references_by(container))
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
	{ { 356, "members-have-inodes", "each member of a device set has its inode, registered "
	    "or not", members_have_inodes }, STABLE },
	{ { 355, "pins-and-inodes", "there are as many pins as devices allocated, and each has "
	    "an inode", pins_and_inodes }, QUIET },
	{ { 355, "own-inode", "a registered device has an inode of its own, referenced once, of "
	    "the pinned superblock", own_inode }, STABLE },
	{ { 358, "registrations", "a registered device is referenced by its registration and by "
	    "each of its files", registrations }, QUIET },
	{ { 360, "group-drivers", "a group counts its devices, and is listed while there are "
	    "any", group_drivers }, QUIET },
	{ { 360, "one-group-each", "a listed group has an IOMMU group, and has it alone",
	    one_group_each }, STABLE },
	{ { 363, "container-counts", "a container lists the groups that are in it, and is "
	    "referenced by them and by its file", container_counts }, QUIET },
	{ { 365, "file-mapping", "a file of a device maps the device's inode and is that of the "
	    "shared one", file_mapping }, QUIET },
	{ { 367, "open-count", "a device counts its open files", open_counts }, QUIET },
	{ { 368, "users", "a group's users are its attachment and its open devices", users },
	  QUIET },
	{ { 368, "group-file", "each open device holds the file of its group",
	    group_file_is_held }, QUIET },
	{ { 370, "device-set", "a registered device is a member of its set, which counts its "
	    "members", set_counts }, QUIET },
};

const struct invariant *merged_invariants_broken(const void **object)
{
	bool quiet;

	vfio_observe(&facts);
	if (!lists_stable())
		return NULL;
	quiet = view_is_quiet(&some_wait);
	if (!view_take())
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		*object = NULL;
		if ((quiet || table[i].when == STABLE) && !table[i].invariant.holds(object))
			return &table[i].invariant;
	}
	return NULL;
}
