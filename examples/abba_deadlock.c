// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two locks, taken in both orders: the oldest deadlock there is.
 *
 * The default schedule lets each task run through, so nothing hangs; yet the
 * lock-order detector already sees that both orders occur. "vfiosim explore"
 * finds the schedule in which both tasks wait for ever, and prints it.
 */
#include <vfiosim/kapi.h>

#include "vfiosim.h"

struct world {
	struct mutex inner, outer;
};

static void setup(void *data)
{
	struct world *w = data;

	mutex_init(&w->inner);
	mutex_init(&w->outer);
}

static void forwards(void *data)
{
	struct world *w = data;

	mutex_lock(&w->outer);
	mutex_lock(&w->inner);
	mutex_unlock(&w->inner);
	mutex_unlock(&w->outer);
}

static void backwards(void *data)
{
	struct world *w = data;

	mutex_lock(&w->inner);
	mutex_lock(&w->outer);
	mutex_unlock(&w->outer);
	mutex_unlock(&w->inner);
}

static const struct vfiosim_scenario abba_deadlock = {
	.name = "abba_deadlock",
	.summary = "two tasks take two locks in opposite order",
	.tolerate = "lock-inversion",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "forwards", forwards }, { "backwards", backwards } },
};

VFIOSIM_PROGRAM(&abba_deadlock);
