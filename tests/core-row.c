// SPDX-License-Identifier: GPL-2.0-only
/*
 * One line of state, in the columns of docs/observed/core-5.14-patched/README.txt.
 * Looks into everything, changes nothing, and is no choice point.
 */
#include "run.h"

#include <vfiosim/kapi/mount.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/vfio_facts.h>

#include "arena.h"
#include "core-driver.h"
#include "vfio_container.h"

#define GROUPS_MAX 8

struct line {
	char *text;
	size_t size;
	size_t used;
};

static void put(struct line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line->used += vscnprintf(line->text + line->used, line->size - line->used, format, args);
	va_end(args);
}

/* ---- counting what only the arena knows ---- */

static void count_put(struct object *object, void *data)
{
	if (object->state == OBJECT_LIVE && !strcmp(type_name(object->type), "do_work"))
		++*(int *)data;
}

int core_deferred_puts(void)
{
	int puts = 0;

	arena_for_each(count_put, &puts);
	return puts;
}

const char *core_other_state(void)
{
	unsigned int i;

	for (i = 0; i < ENGINE->n_tasks; i++) {
		const struct pending *pending = &ENGINE->pending[i];

		if (&ENGINE->tasks[i].ts != core.other || ENGINE->tasks[i].ended)
			continue;
		if (pending->op == ENG_OP_WAIT_COMPLETION)
			return pending->can_be_interrupted ? "completion wait (interruptible)" :
				"completion wait (uninterruptible)";
		return pending->op == ENG_OP_WAIT_EVENT ? "container wait" : "running";
	}
	return "done";
}

unsigned int core_warnings(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < run.n_findings; i++)
		n += !strcmp(run.findings[i].detector, "warn");
	return n;
}

static unsigned int messages(void)
{
	unsigned int level, n = 0;

	for (level = LEVEL_EMERG; level <= LEVEL_WARNING; level++)
		n += printk_count(level);
	return n;
}

/* ---- columns ---- */

static void put_pins(struct line *line, const struct vfio_facts *facts)
{
	int superblocks = 0, inodes = 0;
	struct super_block *sb;

	if (facts->mnt) {
		sb = facts->mnt->mnt_sb;
		inodes = sb->s_unlisted_inodes;
		hlist_for_each_entry(sb, &sb->s_type->fs_supers, s_instances)
			superblocks++;
	}
	put(line, " pins=%d mnt=%d mref=%d sbs=%d inodes=%d", facts->pins, !!facts->mnt,
	    facts->mnt ? real_mount(facts->mnt)->mnt_count : 0, superblocks, inodes);
}

static bool is_listed(const struct vfio_facts *facts, struct vfio_device *vdev)
{
	const struct vfio_device *it;
	unsigned int i;

	for (i = 0; i < facts->n_groups; i++)
		list_for_each_entry(it, facts->group[i].device_list, group_next)
			if (it == vdev)
				return true;
	return false;
}

static void put_device_state(struct line *line, const struct vfio_facts *facts,
			     const struct core_device *device)
{
	struct vfio_device *vdev;

	put(line, "%s:", device->name);
	if (!device->object) {
		put(line, "-");
		return;
	}
	vdev = &device->object->vdev;
	put(line, "r%d,i", vdev->refcount.refs.counter);
	if (!vdev->inode)
		put(line, "-");
	else if (IS_ERR(vdev->inode))
		put(line, "E%ld", PTR_ERR(vdev->inode));
	else if (vfio_core_allocates() || is_listed(facts, vdev))
		put(line, "%d", vdev->inode->i_count.counter);
	else
		put(line, "gone");
}

static void put_devices(struct line *line, const struct vfio_facts *facts)
{
	unsigned int i;

	put(line, " dev=");
	for (i = 0; i < core.n_devices; i++) {
		put(line, "%s", i ? ";" : "");
		put_device_state(line, facts, &core.device[i]);
	}
}

static const char *container_label(const void *container)
{
	unsigned int i;

	if (!container)
		return "0";
	for (i = 0; i < core.n_files; i++)
		if (core.file[i].container == container)
			return core.file[i].label;
	return "?";
}

static void put_groups(struct line *line, const struct vfio_facts *facts)
{
	unsigned int i;

	put(line, " group=%s", facts->n_groups ? "" : "-");
	for (i = 0; i < facts->n_groups; i++) {
		const struct vfio_group_facts *g = &facts->group[i];

		put(line, "%sg%d:ref%d,u%d,o%d,d%d,c%s,ub%d", i ? ";" : "",
		    iommu_group_id(g->iommu_group), g->refs, g->users, g->opened, g->devices,
		    container_label(g->container), g->unbound);
	}
}

static bool file_is_open(const struct core_file *file)
{
	return file->fd >= 0 || file->dup >= 0 || file->in_child || file->mappings;
}

static bool is_live(const void *pointer)
{
	return arena_holds(pointer) && arena_object(pointer) &&
	       arena_object(pointer)->state == OBJECT_LIVE;
}

/* Length of the list of groups; -1: it has no end, -2: a poisoned link, -3: a freed entry. */
static int attached(const struct vfio_container *container)
{
	const struct list_head *pos = container->group_list.next;
	int n;

	for (n = 0; pos != &container->group_list; pos = pos->next) {
		if (pos == LIST_POISON1)
			return -2;
		if (!is_live(pos))
			return -3;
		if (++n > GROUPS_MAX)
			return -1;
	}
	return n;
}

static void put_containers(struct line *line)
{
	const char *separator = "";
	unsigned int i;

	put(line, " cont=");
	for (i = 0; i < core.n_files; i++) {
		const struct vfio_container *container = core.file[i].container;

		if (!is_live(container))
			continue;
		put(line, "%s%s:ref%d,n%d,be%d", separator, core.file[i].label,
		    container->kref.refcount.refs.counter, attached(container),
		    !!container->iommu_driver);
		separator = ";";
	}
	put(line, "%s", *separator ? "" : "-");
}

static void note_group(struct iommu_group *group, struct iommu_group *found[GROUPS_MAX])
{
	unsigned int at = 0, i;

	if (!group)
		return;
	while (found[at] && iommu_group_id(found[at]) < iommu_group_id(group))
		at++;
	if (found[at] == group || found[GROUPS_MAX - 1])
		return;
	for (i = GROUPS_MAX - 1; i > at; i--)
		found[i] = found[i - 1];
	found[at] = group;
}

static void put_iommu_groups(struct line *line, const struct vfio_facts *facts)
{
	struct iommu_group *found[GROUPS_MAX] = { NULL };
	unsigned int i;

	for (i = 0; i < facts->n_groups; i++)
		note_group(facts->group[i].iommu_group, found);
	for (i = 0; i < core.n_devices; i++) {
		if (core.device[i].dev)
			note_group(core.device[i].dev->iommu_group, found);
		note_group(core.device[i].group, found);
	}
	put(line, " iommu=%s", found[0] ? "" : "-");
	for (i = 0; found[i]; i++)
		put(line, "%s%d:ref%u,m%u", i ? ";" : "", iommu_group_id(found[i]),
		    iommu_group_refs(found[i]), iommu_group_members(found[i]));
}

static int references(const struct module *module)
{
	return module->state == MODULE_STATE_LIVE ? module->refcnt.counter - 1 : 0;
}

DECLARE_MODULE(vfio);

static void put_files(struct line *line)
{
	const char *separator = "";
	unsigned int i;

	put(line, " mod=core:%d;drv:%d;be:%d file=", references(MODULE(vfio)),
	    references(&core_drv_module), references(&core_be_module));
	for (i = 0; i < core.n_files; i++) {
		if (!file_is_open(&core.file[i]))
			continue;
		put(line, "%s%.*s:%ld", separator,
		    (int)strcspn(core.file[i].label, "."), core.file[i].label,
		    core.file[i].file->f_count.counter);
		separator = ";";
	}
	put(line, "%s", *separator ? "" : "-");
}

static void put_rest(struct line *line, const struct vfio_facts *facts)
{
	unsigned int i;

	put(line, " req=");
	for (i = 0; i < core.n_devices; i++)
		put(line, "%s%s:%u", i ? ";" : "", core.device[i].name,
		    core.device[i].requests);
	put(line, " warn=%u msg=%u work=%d node=%s", core_warnings(), messages(),
	    core_deferred_puts(), facts->n_groups ? "" : "-");
	for (i = 0; i < facts->n_groups; i++)
		put(line, "%s%s", i ? "," : "", facts->group[i].node);
}

int core_row(char *buffer, size_t size, const char *step, long ret)
{
	struct line line = { .text = buffer, .size = size };
	struct vfio_facts facts;

	vfio_observe(&facts);
	put(&line, "step=\"%s\" ret=%ld t=%llu", step, ret, eng_now() / 1000000000);
	put_pins(&line, &facts);
	put_devices(&line, &facts);
	put_groups(&line, &facts);
	put_containers(&line);
	put_iommu_groups(&line, &facts);
	put_files(&line);
	put_rest(&line, &facts);
	return line.used;
}
