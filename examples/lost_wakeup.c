// SPDX-License-Identifier: GPL-2.0-only
/*
 * A wake-up that comes between looking and sleeping is lost.
 *
 * The consumer tests the flag, and only then joins the wait queue. If the
 * producer sets the flag and wakes everybody in between, nobody was there to be
 * woken, and the consumer sleeps for ever. wait_event() exists because it looks
 * again after it has joined. The default schedule happens to get away with it.
 */
#include <vfiosim/kapi.h>

#include "vfiosim.h"

struct world {
	wait_queue_head_t queue;
	bool ready;
};

static void setup(void *data)
{
	struct world *w = data;

	init_waitqueue_head(&w->queue);
}

static void producer(void *data)
{
	struct world *w = data;

	shared_WRITE_ONCE(w->ready, true);
	wake_up(&w->queue);
}

static void consumer(void *data)
{
	struct world *w = data;
	wait_queue_entry_t entry;

	if (shared_READ_ONCE(w->ready))
		return;
	init_wait_entry(&entry, 0);
	prepare_to_wait_event(&w->queue, &entry, TASK_UNINTERRUPTIBLE);
	/* Here wait_event() would look at w->ready once more. */
	wait_woken_entry(&w->queue, &entry, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
	finish_wait(&w->queue, &entry);
}

static const struct vfiosim_scenario lost_wakeup = {
	.name = "lost_wakeup",
	.summary = "a flag is tested before the wait queue is joined",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "producer", producer }, { "consumer", consumer } },
};

VFIOSIM_PROGRAM(&lost_wakeup);
