// SPDX-License-Identifier: GPL-2.0-only
/*
 * Progress of unregister, for every core: its waits end once nobody holds the
 * device (VF-82), and nobody is left who has put its group into a container
 * (VF-87). A user who keeps the device keeps an unregister waiting for ever: that
 * is no finding. What it asks for, the core tells (<vfiosim/kapi/vfio_facts.h>).
 *
 * No kernel original. No locks: it is asked while nobody can run. Host side.
 */
#define VFIOSIM_HOST
#include <string.h>

#include <vfiosim/kapi/dcache.h>
#include <vfiosim/kapi/fs.h>
#include <vfiosim/kapi/vfio_core_ops.h>
#include <vfiosim/kapi/vfio_facts.h>

#include "engine.h"
#include "invariants.h"

static struct view files = { .type = "file" };

/* Anonymous, or the character device that 6.12 may have for each device. */
static bool is_device_file(const struct file *file)
{
	const char *name = file->f_path.dentry ? file->f_path.dentry->d_name : "";

	return !strcmp(name, "[vfio-device]") ||
	       (!strncmp(name, "vfio", 4) && name[4] >= '0' && name[4] <= '9');
}

/* One that is being opened or released counts: its task, or a worker, has a way to go. */
static bool device_files_exist(void)
{
	if (!view_fill(&files, 1, true))
		return true;
	for (unsigned int i = 0; i < files.count; i++)
		if (is_device_file(files.object[i]))
			return true;
	return false;
}

/* Step 4: until the last registration is given back. */
static const char *users_in_vain(const struct vfio_device *device)
{
	if (!vfio_device_registrations((struct vfio_device *)device))
		return "the last user has let go of it";
	if (eng_promises_only() && !device_files_exist())
		return "it has no file, and nobody is left to give a reference back";
	return NULL;
}

/* Step 6 of 5.14: until the group has left its container. */
static const char *container_in_vain(const struct vfio_device *device)
{
	const struct vfio_group_facts *g;
	struct vfio_facts facts;

	vfio_observe(&facts);
	for (g = facts.group; g < facts.group + facts.n_groups; g++) {
		if (g->iommu_group != device->dev->iommu_group)
			continue;
		if (!g->container)
			return "its group has left the container";
		if (!g->users && !g->opened && eng_promises_only())
			return "its group is in a container without a user, "
			       "and nobody is left to take it out";
	}
	return NULL;
}

const char *vfio_unregister_in_vain(const void *device, unsigned int op)
{
	switch (op) {
	case ENG_OP_WAIT_COMPLETION:
		return users_in_vain(device);
	case ENG_OP_WAIT_EVENT:
		return container_in_vain(device);
	default:
		return NULL;
	}
}
