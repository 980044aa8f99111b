// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who keeps an unbind waiting, and what still works meanwhile.
 * docs/observed/real-kernel-vfio.md, 8.
 */
#include <errno.h>
#include <signal.h>

#include "machine.h"

enum holder {
	NOBODY, CONTAINER_FILE, GROUP_FILE, GROUP_ATTACHED, DEVICE_FILE, MAPPING, FORKED_CHILD,
	EXEC, KILLED, IN_FLIGHT, HOLDERS
};

static const char *const holder_names[HOLDERS] = {
	"nothing open", "a container file", "a group file", "a group with an iommu",
	"a device file", "a mapping only", "a forked child", "a process that execs",
	"a process that is killed", "a file in flight in a socket",
};

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *p, *other;
	struct vfiosim_user user;
	struct vfiosim_gate start[HOLDERS], bound[HOLDERS];
	int unbound;		/* how many unbinds have returned */
	int sockets[2];
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc edu = DEVICE_EDU;
	struct world *w = data;

	w->device = vfiosim_plug(&edu);
	vfiosim_bind(NULL, w->device, "vfio-pci");
}

static void open_only(struct world *w, enum holder holder)
{
	char path[VFIOSIM_PATH_MAX];

	w->user = (struct vfiosim_user){ w->p, -1, -1, -1 };
	if (holder == CONTAINER_FILE)
		w->user.container = vfiosim_open(w->p, "/dev/vfio/vfio", O_RDWR);
	if (holder == GROUP_FILE)
		w->user.group = vfiosim_open(w->p, vfiosim_group_path(w->device, path), O_RDWR);
}

static int64_t hold(struct world *w, enum holder holder)
{
	int64_t address;

	if (holder < GROUP_ATTACHED) {
		open_only(w, holder);
		return 0;
	}
	vfiosim_expect(vfiosim_user_open(&w->user, w->p, w->device) == 0);
	address = vfiosim_bar_map(w->p, w->user.device, 0);
	if (holder != MAPPING && holder != FORKED_CHILD)
		vfiosim_munmap(w->p, address, MIB(1));
	if (holder == GROUP_ATTACHED) {
		vfiosim_close(w->p, w->user.device);
		w->user.device = -1;
	}
	if (holder == MAPPING)
		vfiosim_user_close(&w->user);
	if (holder == FORKED_CHILD)
		w->other = vfiosim_fork(w->p, "child");
	if (holder == IN_FLIGHT) {
		vfiosim_socketpair(w->p, w->other, w->sockets);
		vfiosim_send_fd(w->p, w->sockets[0], w->user.device);
		vfiosim_user_close(&w->user);
	}
	return address;
}

static void while_it_waits(struct world *w, int64_t address)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	char path[VFIOSIM_PATH_MAX];

	if (w->user.device >= 0) {
		say("  info", vfiosim_ioctl(w->p, w->user.device, VFIO_DEVICE_GET_INFO, &info));
		say("  unset", vfiosim_ioctl(w->p, w->user.group, VFIO_GROUP_UNSET_CONTAINER, 0));
		address = vfiosim_bar_map(w->p, w->user.device, 0);
		say_ok("  new mmap", address);
	}
	if (address > 0)
		say_touch("  touch", w->p, address);
	if (w->user.device >= 0)
		vfiosim_munmap(w->p, address, MIB(1));
	say_ok("  the group's node",
	       vfiosim_open(w->p, vfiosim_group_path(w->device, path), O_RDWR));
}

static void let_go(struct world *w, enum holder holder, int64_t address)
{
	switch (holder) {
	case EXEC:
		vfiosim_exec(w->p);
		break;
	case KILLED:
		vfiosim_kill(w->p, SIGKILL);
		break;
	case MAPPING:
		vfiosim_munmap(w->p, address, MIB(1));
		break;
	case FORKED_CHILD:
		vfiosim_exit(w->p);
		vfiosim_sleep_ms(200);
		vfiosim_say("  the parent is gone: unbound %d", w->unbound > (int)holder);
		vfiosim_exit(w->other);
		break;
	case IN_FLIGHT:
		vfiosim_exit(w->p);
		vfiosim_exit(w->other);
		break;
	default:
		vfiosim_user_close(&w->user);
	}
}

static void one_case(struct world *w, enum holder holder)
{
	int64_t address;

	w->p = vfiosim_process("user");
	w->other = vfiosim_process("other");
	vfiosim_say("%s", holder_names[holder]);
	address = hold(w, holder);
	vfiosim_gate_open(&w->start[holder]);
	vfiosim_sleep_ms(300);
	vfiosim_say("  unbound at once: %d", w->unbound > (int)holder);
	if (holder == DEVICE_FILE || holder == MAPPING)
		while_it_waits(w, address);
	let_go(w, holder, address);
	vfiosim_gate_wait(&w->bound[holder]);
	vfiosim_exit(w->p);
	vfiosim_exit(w->other);
}

static void user(void *data)
{
	for (enum holder holder = 0; holder < HOLDERS; holder++)
		one_case(data, holder);
}

static void admin(void *data)
{
	struct world *w = data;

	for (enum holder holder = 0; holder < HOLDERS; holder++) {
		vfiosim_gate_wait(&w->start[holder]);
		vfiosim_unbind(NULL, w->device);
		w->unbound++;
		vfiosim_sleep_ms(500);
		vfiosim_bind(NULL, w->device, "vfio-pci");
		vfiosim_gate_open(&w->bound[holder]);
	}
}

static void teardown(void *data)
{
	struct world *w = data;

	vfiosim_unbind(NULL, w->device);
}

static const struct vfiosim_scenario unbind_cases = {
	.name = "unbind_cases",
	.summary = "who keeps an unbind waiting, and what works meanwhile",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tasks = { { "user", user }, { "admin", admin } },
};

VFIOSIM_PROGRAM(&unbind_cases);
