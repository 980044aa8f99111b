// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each open file and each bound device adds to the modules' reference
 * counts, and when a module can be unloaded. docs/observed/real-kernel-vfio.md, 3.
 * Counts are those of the users: modules that depend on another are not counted.
 */
#include "machine.h"

struct world {
	struct vfiosim_device *a, *b;
	struct vfiosim_process *p;
	struct vfiosim_user user;
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc a = DEVICE_EDU, b = DEVICE_IVSHMEM;
	struct world *w = data;

	w->a = vfiosim_plug(&a);
	w->b = vfiosim_plug(&b);
	w->p = vfiosim_process("user");
}

static void refs(const char *when)
{
	vfiosim_say("%s: vfio %d, type1 %d, vfio_pci %d", when, vfiosim_module_refs("vfio"),
		    vfiosim_module_refs("vfio_iommu_type1"), vfiosim_module_refs("vfio_pci"));
}

static void user(void *data)
{
	struct world *w = data;
	int second, container;
	int64_t address;

	refs("idle");
	vfiosim_bind(NULL, w->a, "vfio-pci");
	refs("one device bound");
	vfiosim_bind(NULL, w->b, "vfio-pci");
	refs("two bound");
	container = vfiosim_open(w->p, "/dev/vfio/vfio", O_RDWR);
	refs("container open");
	vfiosim_close(w->p, container);
	vfiosim_expect(vfiosim_user_open(&w->user, w->p, w->a) == 0);
	refs("container, group, device");
	second = vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_GET_DEVICE_FD,
			       vfiosim_device_name(w->a));
	refs("second device file");
	vfiosim_close(w->p, second);
	address = vfiosim_bar_map(w->p, w->user.device, 0);
	vfiosim_user_close(&w->user);
	refs("only a mapping left");
	vfiosim_munmap(w->p, address, MIB(1));
	refs("nothing left");
	say("unbind one", vfiosim_unbind(NULL, w->a));
	refs("one bound");
	say("unbind the other", vfiosim_unbind(NULL, w->b));
	refs("none bound");
	vfiosim_exit(w->p);
}

static const struct vfiosim_scenario module_refs = {
	.name = "module_refs",
	.summary = "what each file and each bound device adds to the modules' counts",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&module_refs);
