// SPDX-License-Identifier: GPL-2.0-only
/* Uses freed memory: must be stopped by memcheck or ASan, with exit status not 0. */
#include <vfiosim/kapi.h>

#include "sched.h"

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

int main(void)
{
	static const struct vfiosim_scenario scenario = {
		.name = "use-after-free", .tasks = { { "alone", free_then_use } },
	};

	run_begin(&(struct run_config){ .scenario = &scenario });
	while (run_menu())
		run_step(0, ENG_READY);
	run_end();
	return 0;
}
