/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The devices of the machine that scripts/real-kernel boots, for scenarios that
 * run there as well as in the model. See docs/observed/real-kernel-vfio.md, 1.
 */
#ifndef VFIOSIM_TESTS_MACHINE_H
#define VFIOSIM_TESTS_MACHINE_H

#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/mman.h>

#include "vfiosim.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define PAGE 4096ULL
#define REGION(index) ((uint64_t)(index) << 40)

/* 1 MiB of registers; no reset. Alone in its group. */
#define DEVICE_EDU { .name = "0000:00:04.0", .group = 1, .bars = { { .size = MIB(1) } } }

/* BAR0 256 bytes of registers, BAR2 4 MiB of RAM: what is stored stays. */
#define DEVICE_IVSHMEM							\
	{ .name = "0000:00:06.0", .group = 3,				\
	  .bars = { { .size = 256 }, { 0 },				\
		    { .size = MIB(4), .flags = VFIOSIM_BAR_RAM | VFIOSIM_BAR_64BIT } } }

/* Two functions of one device, in one group. */
#define DEVICE_PAIR_A { .name = "0000:00:09.0", .group = 6, .bars = { { .size = MIB(1) } } }
#define DEVICE_PAIR_B { .name = "0000:00:09.1", .group = 6, .bars = { { .size = MIB(1) } } }

/* 16 KiB of registers behind a root port of its own; FLR, and power states. */
#define DEVICE_NVME							\
	{ .name = "0000:01:00.0", .group = 8, .has_pm = true,		\
	  .resets = VFIOSIM_RESET_FLR | VFIOSIM_RESET_BUS,					\
	  .bars = { { .size = KIB(16), .flags = VFIOSIM_BAR_64BIT } } }

/*
 * Two devices on one conventional bus, in one group: they are reset together. The
 * card has a driver of the host's. Plug it first: it is the one that there is only one of.
 */
#define DEVICE_BUS_CARD							\
	{ .name = "0000:03:02.0", .group = 9, .resets = VFIOSIM_RESET_BUS, \
	  .bars = { { .size = KIB(128) } } }
#define DEVICE_BUS_EDU							\
	{ .name = "0000:03:01.0", .group = 9, .resets = VFIOSIM_RESET_BUS, \
	  .bars = { { .size = MIB(1) } } }

/* Says "what: result" with the result as a number or an error name. */
static inline long say(const char *what, long result)
{
	if (result < 0)
		vfiosim_say("%s: %s", what, vfiosim_error_name(result));
	else
		vfiosim_say("%s: %ld", what, result);
	return result;
}

/* The same for calls whose good result is a number that means nothing elsewhere. */
static inline long say_ok(const char *what, long result)
{
	vfiosim_say("%s: %s", what, result < 0 ? vfiosim_error_name(result) : "ok");
	return result;
}

static inline void say_touch(const char *what, struct vfiosim_process *process, uint64_t address)
{
	vfiosim_say("%s: %s", what, vfiosim_touch_name(vfiosim_load(process, address, NULL)));
}

#endif
