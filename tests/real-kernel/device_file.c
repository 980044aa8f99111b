// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device file seen as a file, and the regions and interrupts that it tells of.
 * docs/observed/real-kernel-vfio.md, 5.
 */
#include "ivshmem.h"

static void as_a_file(struct world *w)
{
	int fd = w->user.device;
	char bytes[8];

	vfiosim_say("read and write %d, close on exec %d",
		    (vfiosim_fcntl(w->p, fd, F_GETFL, 0) & O_ACCMODE) == O_RDWR,
		    !!(vfiosim_fcntl(w->p, fd, F_GETFD, 0) & FD_CLOEXEC));
	say("lseek", vfiosim_lseek(w->p, fd, 0, 0));
	say("ftruncate", vfiosim_ftruncate(w->p, fd, 0));
	say("punch a hole", vfiosim_punch(w->p, fd, 0, PAGE));
	say("read at 0", vfiosim_read(w->p, fd, bytes, 4));
	say("read again", vfiosim_read(w->p, fd, bytes, 4));
	say("read of nothing", vfiosim_read(w->p, fd, bytes, 0));
	say("read, bad pointer", vfiosim_pread(w->p, fd, VFIOSIM_BAD_POINTER, 4, REGION(7)));
	say("unknown ioctl", vfiosim_ioctl(w->p, fd, _IO(';', 199), 0));
}

static void regions(struct world *w)
{
	for (unsigned int index = 0; index <= 9; index++) {
		struct vfio_region_info info = { .argsz = sizeof(info), .index = index };
		long ret = vfiosim_ioctl(w->p, w->user.device, VFIO_DEVICE_GET_REGION_INFO, &info);

		/* Sizes of devices differ; that there is none, or one to be mapped, does not. */
		if (index != 1)
			vfiosim_say("region %u: %s, there %d, mappable %d, at index %d", index,
				    vfiosim_error_name(ret), !ret && info.size,
				    !ret && !!(info.flags & VFIO_REGION_INFO_FLAG_MMAP),
				    !ret && info.offset == REGION(index));
	}
}

static void accesses(struct world *w)
{
	static const struct {
		const char *what;
		uint64_t offset;
		size_t size;
	} rows[] = {
		{ "BAR0", REGION(0), 4 }, { "BAR0, 1 byte", REGION(0) + 3, 1 },
		{ "end of BAR0", REGION(0) + 252, 8 }, { "behind BAR0", REGION(0) + 256, 4 },
		{ "BAR2, odd", REGION(2) + 5, 8 }, { "behind BAR2", REGION(2) + MIB(4), 4 },
		{ "BAR3", REGION(3), 4 }, { "config", REGION(7), 8 },
		{ "VGA", REGION(8), 4 }, { "region 9", REGION(9), 4 },
	};
	char bytes[8];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		say(rows[i].what, vfiosim_pread(w->p, w->user.device, bytes, rows[i].size,
						rows[i].offset));
}

static void user(void *data)
{
	struct world *w = data;

	as_a_file(w);
	regions(w);
	accesses(w);
	vfiosim_exit(w->p);
}

static const struct vfiosim_scenario device_file = {
	.name = "device_file",
	.summary = "a device file as a file, its regions, accesses to each of them",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&device_file);
