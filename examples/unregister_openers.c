// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device is unregistered while two openers arrive: vfio's protocol in small.
 *
 * Unregistering clears the flag under the lock, drops the first reference and
 * waits until the last one is gone; then it frees. An opener takes a reference
 * only while the flag is set, under the same lock. Leave that test out and the
 * explorer shows the opener that uses freed memory.
 */
#include <vfiosim/kapi.h>

#include "vfiosim.h"

struct thing {
	refcount_t refs;
	struct completion gone;
	int value;
};

struct world {
	struct mutex lock;
	struct thing *thing;
	bool registered;
};

static void setup(void *data)
{
	struct world *w = data;

	mutex_init(&w->lock);
	w->thing = kzalloc(sizeof(struct thing), GFP_KERNEL);
	refcount_set(&w->thing->refs, 1);
	init_completion(&w->thing->gone);
	w->registered = true;
}

static void put(struct thing *thing)
{
	if (refcount_dec_and_test(&thing->refs))
		complete(&thing->gone);
}

static void unregister(void *data)
{
	struct world *w = data;
	struct thing *thing = w->thing;

	mutex_lock(&w->lock);
	w->registered = false;
	mutex_unlock(&w->lock);
	put(thing);
	wait_for_completion(&thing->gone);
	kfree(thing);
}

static void opener(void *data)
{
	struct world *w = data;
	struct thing *thing = NULL;

	mutex_lock(&w->lock);
	if (w->registered) {
		thing = w->thing;
		refcount_inc(&thing->refs);
	}
	mutex_unlock(&w->lock);
	if (!thing)
		return;
	shared_READ_ONCE(thing->value);
	put(thing);
}

static const struct vfiosim_scenario unregister_openers = {
	.name = "unregister_openers",
	.summary = "unregister waits for two openers, or turns them away",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "unregister", unregister }, { "first", opener }, { "second", opener } },
};

VFIOSIM_PROGRAM(&unregister_openers);
