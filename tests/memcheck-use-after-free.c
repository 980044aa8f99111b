// SPDX-License-Identifier: GPL-2.0-only
/* Uses freed memory: tests/cli has memcheck stop it, and the library's own detector else. */
#include <vfiosim.h>
#include <vfiosim/kapi.h>

struct thing {
	struct mutex lock;
};

static void use_it(struct thing *thing)
{
	mutex_lock(&thing->lock);
}

static void free_then_use(void *fixture)
{
	struct thing *thing = kzalloc(sizeof(*thing), GFP_KERNEL);

	mutex_init(&thing->lock);
	kfree(thing);
	use_it(thing);
}

static const struct vfiosim_scenario use_after_free = {
	.name = "use_after_free", .tasks = { { "alone", free_then_use } },
};

VFIOSIM_PROGRAM(&use_after_free);
