// SPDX-License-Identifier: GPL-2.0-only
/*
 * Three tasks, each of which locks, counts and unlocks three times.
 *
 * The explorer's yardstick: what matters is in which order the lock is taken,
 * so there are exactly 9! / (3! 3! 3!) = 1680 different runs, and an explorer
 * that reduces well carries out no more than these.
 */
#include <vfiosim/kapi.h>

#include "vfiosim.h"

#define TASKS 3
#define ROUNDS 3

struct world {
	struct mutex lock;
	int counter;
};

static void setup(void *data)
{
	struct world *w = data;

	mutex_init(&w->lock);
}

static void count(void *data)
{
	struct world *w = data;

	for (int i = 0; i < ROUNDS; i++) {
		mutex_lock(&w->lock);
		w->counter++;
		mutex_unlock(&w->lock);
	}
}

static void nothing_lost(void *data)
{
	struct world *w = data;

	vfiosim_expect(w->counter == TASKS * ROUNDS);
}

static const struct vfiosim_scenario lock_counter = {
	.name = "lock_counter",
	.summary = "three tasks count under a lock: 1680 different runs",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = nothing_lost,
	.tasks = { { "one", count }, { "two", count }, { "three", count } },
};

VFIOSIM_PROGRAM(&lock_counter);
