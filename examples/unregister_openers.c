// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device is unregistered while two openers arrive: vfio's protocol in small.
 *
 * Unregistering clears the pointer, puts its reference, waits for the last, frees.
 * Openers test the pointer; else the explorer shows one that uses freed memory.
 */
#include <vfiosim/kapi.h>
#include "vfiosim.h"

static struct mutex lock KSTATE = MUTEX_INIT(lock);
static struct thing { refcount_t refs; struct completion gone; int value; } *registered KSTATE;

static void setup(void *data)
{
	registered = kzalloc(sizeof(struct thing), GFP_KERNEL);
	refcount_set(&registered->refs, 1);
	init_completion(&registered->gone);
}

static void put(struct thing *thing)
{
	if (refcount_dec_and_test(&thing->refs))
		complete(&thing->gone);
}

static void unregister(void *data)
{
	struct thing *thing = registered;

	mutex_lock(&lock);
	registered = NULL;
	mutex_unlock(&lock);
	put(thing);
	wait_for_completion(&thing->gone);
	kfree(thing);
}

static void opener(void *data)
{
	struct thing *thing;

	mutex_lock(&lock);
	thing = registered;
	if (thing)
		refcount_inc(&thing->refs);
	mutex_unlock(&lock);
	if (!thing)
		return;
	shared_READ_ONCE(thing->value);
	put(thing);
}

static const struct vfiosim_scenario unregister_openers = {
	.name = "unregister_openers", .setup = setup,
	.summary = "unregister waits for two openers, or turns them away",
	.tasks = { { "unregister", unregister }, { "first", opener }, { "second", opener } },
};

VFIOSIM_PROGRAM(&unregister_openers);
