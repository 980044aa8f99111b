// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two devices in one IOMMU group, each with vfio, with a stub, or with nobody.
 * docs/observed/real-kernel-vfio.md, 9.
 */
#include "machine.h"

struct world {
	struct vfiosim_device *a, *b;
	struct vfiosim_process *p;
	struct vfiosim_user user;
	int second;
	struct vfiosim_gate busy, unbound;
	bool a_unbound;
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc a = DEVICE_PAIR_A, b = DEVICE_PAIR_B;
	struct world *w = data;

	w->a = vfiosim_plug(&a);
	w->b = vfiosim_plug(&b);
	vfiosim_bind(NULL, w->a, "vfio-pci");
	w->p = vfiosim_process("user");
}

static void say_status(const char *when, struct world *w)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	long ret = vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_GET_STATUS, &status);

	vfiosim_say("%s: status %s flags %u", when, vfiosim_error_name(ret), status.flags);
}

static int get(struct world *w, const char *what, struct vfiosim_device *device)
{
	return say_ok(what, vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_GET_DEVICE_FD,
					  vfiosim_device_name(device)));
}

static void neighbours(struct world *w)
{
	vfiosim_expect(vfiosim_user_open(&w->user, w->p, w->a) == 0);
	say_status("neighbour without a driver", w);
	get(w, "its device", w->b);
	say("bind it to pci-stub", vfiosim_bind(NULL, w->b, "pci-stub"));
	say_status("neighbour with pci-stub", w);
	get(w, "its device", w->b);
	say("unbind it", vfiosim_unbind(NULL, w->b));
	say("bind it to vfio-pci", vfiosim_bind(NULL, w->b, "vfio-pci"));
	w->second = get(w, "its device", w->b);
}

static void one_disabled(struct world *w)
{
	int64_t a = vfiosim_bar_map(w->p, w->user.device, 0);
	int64_t b = vfiosim_bar_map(w->p, w->second, 0);

	say_touch("one", w->p, a);
	say_touch("other", w->p, b);
	vfiosim_memory_space(w->p, w->user.device, false);
	say_touch("memory of one off, one", w->p, a);
	say_touch("other", w->p, b);
	vfiosim_memory_space(w->p, w->user.device, true);
	vfiosim_munmap(w->p, a, MIB(1));
	vfiosim_gate_open(&w->busy);
	vfiosim_sleep_ms(300);
	vfiosim_say("unbind of one, open: done %d", w->a_unbound);
	vfiosim_close(w->p, w->user.device);
	w->user.device = -1;
	vfiosim_gate_wait(&w->unbound);
	vfiosim_say("its file closed: done %d", w->a_unbound);
	say_touch("other goes on", w->p, b);
	say_status("group goes on", w);
	vfiosim_munmap(w->p, b, MIB(1));
}

static void user(void *data)
{
	struct world *w = data;
	char path[VFIOSIM_PATH_MAX];
	int fd;

	neighbours(w);
	one_disabled(w);
	vfiosim_close(w->p, w->user.group);
	vfiosim_close(w->p, w->user.container);
	fd = vfiosim_open(w->p, vfiosim_group_path(w->b, path), O_RDWR);
	say_ok("reopen, a device still open", fd);
	vfiosim_close(w->p, w->second);
	fd = vfiosim_open(w->p, path, O_RDWR);
	say_ok("reopen, all closed", fd);
	vfiosim_exit(w->p);
	say("unbind the other", vfiosim_unbind(NULL, w->b));
	w->p = vfiosim_process("later");
	say_ok("node without any vfio device", vfiosim_open(w->p, path, O_RDWR));
	vfiosim_exit(w->p);
}

static void admin(void *data)
{
	struct world *w = data;

	vfiosim_gate_wait(&w->busy);
	vfiosim_unbind(NULL, w->a);
	w->a_unbound = true;
	vfiosim_gate_open(&w->unbound);
}

static const struct vfiosim_scenario group_of_two = {
	.name = "group_of_two",
	.summary = "two devices in one IOMMU group, with vfio, a stub, or nobody",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.tasks = { { "user", user }, { "admin", admin } },
};

VFIOSIM_PROGRAM(&group_of_two);
