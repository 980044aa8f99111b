// SPDX-License-Identifier: GPL-2.0-only
/*
 * An object on a list dies while somebody looks it up.
 *
 * Two owners put their reference; the last put takes the list's lock *before*
 * the count reaches zero (kref_put_mutex), unlinks the object and frees it. So a
 * reader who holds the lock and finds the object on the list knows that its
 * count is not zero, and may take a reference. No schedule uses freed memory.
 */
#include <vfiosim/kapi.h>

#include "vfiosim.h"

struct object {
	struct kref kref;
	struct list_head list;
	int value;
};

struct world {
	struct mutex lock;
	struct list_head objects;
	struct object *owned;
};

static struct world *the_world KSTATE = NULL;

static void setup(void *data)
{
	struct world *w = data;

	the_world = w;
	mutex_init(&w->lock);
	INIT_LIST_HEAD(&w->objects);
	w->owned = kzalloc(sizeof(struct object), GFP_KERNEL);
	kref_init(&w->owned->kref);
	kref_get(&w->owned->kref);
	list_add(&w->owned->list, &w->objects);
}

/* Called with the lock held, which it drops. */
static void release(struct kref *kref)
{
	struct object *object = container_of(kref, struct object, kref);

	list_del(&object->list);
	mutex_unlock(&the_world->lock);
	kfree(object);
}

static void owner(void *data)
{
	struct world *w = data;

	kref_put_mutex(&w->owned->kref, release, &w->lock);
}

static void reader(void *data)
{
	struct world *w = data;
	struct object *object = NULL;

	mutex_lock(&w->lock);
	if (!list_empty(&w->objects)) {
		object = list_first_entry(&w->objects, struct object, list);
		kref_get(&object->kref);
	}
	mutex_unlock(&w->lock);
	if (!object)
		return;
	shared_WRITE_ONCE(object->value, 1);
	kref_put_mutex(&object->kref, release, &w->lock);
}

static void nothing_left(void *data)
{
	struct world *w = data;

	vfiosim_expect(list_empty(&w->objects));
}

static const struct vfiosim_scenario kref_lookup = {
	.name = "kref_lookup",
	.summary = "two owners put an object while a reader looks it up",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = nothing_left,
	.tasks = { { "first", owner }, { "second", owner }, { "reader", reader } },
};

VFIOSIM_PROGRAM(&kref_lookup);
