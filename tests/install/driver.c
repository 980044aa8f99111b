// SPDX-License-Identifier: GPL-2.0-only
/* A driver in the kernel's style, with state of its own that every run must find as it was. */
#include <vfiosim.h>
#include <vfiosim/kapi.h>

static KSTATE DEFINE_MUTEX(probe_mutex);
static int probes KSTATE = 40;
static struct list_head probed KSTATE = LIST_HEAD_INIT(probed);

struct probe {
	struct list_head list;
	int number;
};

static void driver_probe(void *unused)
{
	struct probe *probe = kzalloc(sizeof(*probe), GFP_KERNEL);

	if (!probe)
		return;
	mutex_lock(&probe_mutex);
	probe->number = ++probes;
	list_add_tail(&probe->list, &probed);
	mutex_unlock(&probe_mutex);
}

static void driver_remove(void *unused)
{
	struct probe *probe, *next;

	vfiosim_expect(probes == 42);
	list_for_each_entry_safe(probe, next, &probed, list) {
		list_del(&probe->list);
		kfree(probe);
	}
}

const struct vfiosim_scenario driver_scenario = {
	.name = "driver", .teardown = driver_remove,
	.tasks = { { "first", driver_probe }, { "second", driver_probe } },
};
