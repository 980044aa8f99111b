// SPDX-License-Identifier: GPL-2.0-only
/*
 * An object on a list dies while somebody looks it up.
 *
 * The last put takes the list's lock *before* the count reaches zero, unlinks the
 * object and frees it. So a reader who holds the lock and finds the object listed
 * may take a reference: its count is not zero. No schedule uses freed memory.
 */
#include <vfiosim/kapi.h>
#include "vfiosim.h"

struct object { struct kref kref; struct list_head list; int value; };
static struct mutex lock KSTATE = MUTEX_INIT(lock);
static struct list_head objects KSTATE = LIST_HEAD_INIT(objects);
static struct object *owned KSTATE;

static void setup(void *data)
{
	owned = kzalloc(sizeof(struct object), GFP_KERNEL);
	kref_init(&owned->kref);
	kref_get(&owned->kref);
	list_add(&owned->list, &objects);
}

/* Called with the lock held, which it drops. */
static void release(struct kref *kref)
{
	struct object *object = container_of(kref, struct object, kref);

	list_del(&object->list);
	mutex_unlock(&lock);
	kfree(object);
}

static void owner(void *data)
{
	kref_put_mutex(&owned->kref, release, &lock);
}

static void reader(void *data)
{
	struct object *object;

	mutex_lock(&lock);
	object = list_first_entry_or_null(&objects, struct object, list);
	if (object)
		kref_get(&object->kref);
	mutex_unlock(&lock);
	if (!object)
		return;
	shared_WRITE_ONCE(object->value, 1);
	kref_put_mutex(&object->kref, release, &lock);
}

static const struct vfiosim_scenario kref_lookup = {
	.name = "kref_lookup", .summary = "two owners put an object while a reader looks it up",
	.setup = setup, .tasks = { { "first", owner }, { "second", owner }, { "reader", reader } },
};

VFIOSIM_PROGRAM(&kref_lookup);
