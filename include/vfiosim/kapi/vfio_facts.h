/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a core knows about its groups, in one form for both cores: for checkers,
 * recorded traces and comparisons. Looking is no choice point and takes no lock,
 * so what is seen may be half done.
 */
#ifndef VFIOSIM_KAPI_VFIO_FACTS_H
#define VFIOSIM_KAPI_VFIO_FACTS_H

#include <vfiosim/kapi/vfio.h>

#define VFIO_FACTS_GROUPS 16

struct vfio_group_facts {
	const struct vfio_group *group;
	struct iommu_group *iommu_group;
	const struct list_head *device_list;
	const void *container;
	const char *node;
	int refs;		/* port: the kref. merged: registered devices */
	int users;
	int opened;
	int devices;		/* port: dev_counter. merged: as refs */
	int unbound;
};

struct vfio_facts {
	bool busy;		/* somebody is changing the list of groups */
	int pins;
	struct vfsmount *mnt;
	unsigned int n_groups;
	struct vfio_group_facts group[VFIO_FACTS_GROUPS];	/* oldest first */
};

/* Of the core of this run; nothing if it was never loaded. */
void vfio_observe(struct vfio_facts *facts) SIM(vfio_observe);

/*
 * For struct eng_promise of the engine: why the unregister of @device, a struct
 * vfio_device, that is blocked in @op will wait for ever, or NULL.
 */
const char *vfio_unregister_in_vain(const void *device, unsigned int op)
	SIM(vfio_unregister_in_vain);

/* An empty slot for one more group, or NULL when the table is full. */
static inline struct vfio_group_facts *vfio_facts_add(struct vfio_facts *facts)
{
	if (facts->n_groups == VFIO_FACTS_GROUPS)
		return NULL;
	return &facts->group[facts->n_groups++];
}

static inline int vfio_facts_length(const struct list_head *head)
{
	const struct list_head *pos;
	int length = 0;

	list_for_each(pos, head)
		length++;
	return length;
}

#endif
