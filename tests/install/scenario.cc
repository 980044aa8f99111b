// SPDX-License-Identifier: GPL-2.0-only
/* A scenario in C++. The calls of vfiosim.h are for it; the kernel's headers are for C alone. */
#include <vfiosim.h>

struct world {
	vfiosim_device *device;
	int won;
};

static void setup(void *data)
{
	vfiosim_device_desc desc = {};

	desc.name = "0000:01:00.0";
	static_cast<world *>(data)->device = vfiosim_plug(&desc);
	vfiosim_threads(nullptr, 2);
}

static void bind(void *data)
{
	world *w = static_cast<world *>(data);

	w->won += !vfiosim_bind(nullptr, w->device, "vfio-pci");
}

static void check(void *data)
{
	vfiosim_expect(static_cast<world *>(data)->won == 1);
}

static vfiosim_scenario race()
{
	vfiosim_scenario scenario = {};

	scenario.name = "race";
	scenario.fixture_size = sizeof(world);
	scenario.setup = setup;
	scenario.teardown = check;
	scenario.tasks[0] = { "alice", bind };
	scenario.tasks[1] = { "bob", bind };
	return scenario;
}

static const vfiosim_scenario the_race = race();
VFIOSIM_PROGRAM(&the_race);
