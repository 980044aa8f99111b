// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core of a tree that keeps it in one file, vfio.c, unmodified; and in the
 * same unit, since it must see that file's statics, what the core knows of its
 * groups. Only those forms of struct vfio_group are read that 5.14 has.
 */
#include "vfio.c"

#include <vfiosim/kapi/vfio_facts.h>

#include "bridge.h"

#ifdef VFIOSIM_GROUP_OF_5_14
static void observe_group(struct vfio_group_facts *g, struct vfio_group *group)
{
	g->group = group;
	g->iommu_group = group->iommu_group;
	g->device_list = &group->device_list;
	g->container = group->container;
	g->node = dev_name(group->dev);
	g->refs = group->kref.refcount.refs.counter;
	g->users = group->container_users.counter;
	g->opened = group->opened.counter;
	g->devices = group->dev_counter;
	g->unbound = vfio_facts_length(&group->unbound_list);
}

static void observe_groups(struct vfio_facts *facts)
{
	struct vfio_group *group;
	struct vfio_group_facts *g;

	if (!vfio.group_list.prev)
		return;
	list_for_each_entry_reverse(group, &vfio.group_list, vfio_next) {
		g = vfio_facts_add(facts);
		if (!g)
			return;
		observe_group(g, group);
	}
}
#else
static void observe_groups(struct vfio_facts *facts)
{
}
#endif

void tree_observe(void *data)
{
	struct vfio_facts *facts = data;

#ifdef VFIOSIM_PIN_COUNT
	facts->pins = VFIOSIM_PIN_COUNT;
	facts->mnt = VFIOSIM_PIN_MNT;
#endif
	observe_groups(facts);
}
