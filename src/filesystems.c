// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of filesystem types by name. Follows fs/filesystems.c. A type that
 * is only mounted by pointer, as a pinned pseudo filesystem is, never comes
 * here: the list has nothing to do with its life (FS-32).
 *
 * Lock order: file_systems_lock is a leaf.
 */
#include "vfs.h"

static KSTATE DEFINE_SPINLOCK(file_systems_lock);
static struct file_system_type *file_systems KSTATE;

/* The link that points to the type called @name, or the one at the list's end. */
static struct file_system_type **find_filesystem(const char *name)
{
	struct file_system_type **link = &file_systems;

	while (*link && strcmp((*link)->name, name))
		link = &(*link)->next;
	return link;
}

/*
 * Context: atomic.
 * Locks:   takes and drops file_systems_lock.
 */
int register_filesystem(struct file_system_type *type)
{
	struct file_system_type **link;
	int ret = -EBUSY;

	BUG_ON(strchr(type->name, '.'));
	if (type->next)
		return -EBUSY;
	spin_lock(&file_systems_lock);
	link = find_filesystem(type->name);
	if (!*link) {
		*link = type;
		ret = 0;
	}
	spin_unlock(&file_systems_lock);
	return ret;
}

/*
 * Context: may sleep (waits for a grace period).
 * Locks:   takes and drops file_systems_lock.
 */
int unregister_filesystem(struct file_system_type *type)
{
	struct file_system_type **link = &file_systems;

	might_sleep();
	spin_lock(&file_systems_lock);
	while (*link && *link != type)
		link = &(*link)->next;
	if (!*link) {
		spin_unlock(&file_systems_lock);
		return -EINVAL;
	}
	*link = type->next;
	type->next = NULL;
	spin_unlock(&file_systems_lock);
	synchronize_rcu();
	return 0;
}

/* Refs: on success +1 on the type's module. No module is loaded by name here. */
struct file_system_type *get_fs_type(const char *name)
{
	struct file_system_type *type;

	spin_lock(&file_systems_lock);
	type = *find_filesystem(name);
	if (type && !try_module_get(type->owner))
		type = NULL;
	spin_unlock(&file_systems_lock);
	return type;
}

/*
 * FS-197: __module_get() would "succeed" on a module that is going. The caller
 * had to own a reference, and then it could not be.
 */
void get_filesystem(struct file_system_type *type)
{
	struct module *owner = type->owner;

	if (owner && (owner->state == MODULE_STATE_GOING || owner->refcnt.counter <= 0))
		eng_report(MODULE_GONE, owner, "filesystem type %s is used after the last "
			   "reference on its module went", type->name);
	__module_get(owner);
}

void put_filesystem(struct file_system_type *type)
{
	module_put(type->owner);
}
