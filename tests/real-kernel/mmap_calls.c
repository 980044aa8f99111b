// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap of BARs with every argument that matters, and the calls on what is mapped.
 * docs/observed/real-kernel-vfio.md, 6.
 */
#include "ivshmem.h"

#define WINDOW 0x200000000000ULL
#define RW (PROT_READ | PROT_WRITE)

static const struct {
	const char *what;
	uint64_t length;
	int protection;
	int flags;
	uint64_t offset;
} attempts[] = {
	{ "whole, rw", MIB(4), RW, MAP_SHARED, REGION(2) },
	{ "PROT_NONE", MIB(4), PROT_NONE, MAP_SHARED, REGION(2) },
	{ "read only", MIB(4), PROT_READ, MAP_SHARED, REGION(2) },
	{ "write only", MIB(4), PROT_WRITE, MAP_SHARED, REGION(2) },
	{ "read and exec", MIB(4), PROT_READ | PROT_EXEC, MAP_SHARED, REGION(2) },
	{ "SHARED_VALIDATE", MIB(4), RW, MAP_SHARED_VALIDATE, REGION(2) },
	{ "private rw", MIB(4), RW, MAP_PRIVATE, REGION(2) },
	{ "private read", MIB(4), PROT_READ, MAP_PRIVATE, REGION(2) },
	{ "length 0", 0, RW, MAP_SHARED, REGION(2) },
	{ "length 100", 100, RW, MAP_SHARED, REGION(2) },
	{ "offset not page aligned", PAGE, RW, MAP_SHARED, REGION(2) + 100 },
	{ "offset = size", PAGE, RW, MAP_SHARED, REGION(2) + MIB(4) },
	{ "offset + length > size", 2 * PAGE, RW, MAP_SHARED, REGION(2) + MIB(4) - PAGE },
	{ "length > size", MIB(8), RW, MAP_SHARED, REGION(2) },
	{ "near the end of the region's window", PAGE, RW, MAP_SHARED, REGION(3) - PAGE },
	{ "last page alone", PAGE, RW, MAP_SHARED, REGION(2) + MIB(4) - PAGE },
	{ "BAR of 256 bytes, a page", PAGE, RW, MAP_SHARED, REGION(0) },
	{ "BAR of 256 bytes, two pages", 2 * PAGE, RW, MAP_SHARED, REGION(0) },
	{ "absent BAR", PAGE, RW, MAP_SHARED, REGION(4) },
	{ "upper half of a 64-bit BAR", PAGE, RW, MAP_SHARED, REGION(3) },
	{ "ROM", PAGE, RW, MAP_SHARED, REGION(6) },
	{ "config", PAGE, RW, MAP_SHARED, REGION(7) },
	{ "VGA", PAGE, RW, MAP_SHARED, REGION(8) },
	{ "index 9", PAGE, RW, MAP_SHARED, REGION(9) },
	{ "index 100", PAGE, RW, MAP_SHARED, REGION(100) },
	{ "negative offset", PAGE, RW, MAP_SHARED, -PAGE },
	{ "MAP_SYNC", PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, REGION(2) },
	{ "MAP_HUGETLB", PAGE, RW, MAP_SHARED | MAP_HUGETLB, REGION(2) },
	{ "MAP_POPULATE", PAGE, RW, MAP_SHARED | MAP_POPULATE, REGION(2) },
	{ "MAP_LOCKED", PAGE, RW, MAP_SHARED | MAP_LOCKED, REGION(2) },
};

static void try_all(struct world *w)
{
	for (unsigned int i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		int64_t address = vfiosim_mmap(w->p, WINDOW, attempts[i].length,
					       attempts[i].protection, attempts[i].flags,
					       w->user.device, attempts[i].offset);

		if (address < 0) {
			vfiosim_say("mmap %s: %s", attempts[i].what, vfiosim_error_name(address));
			continue;
		}
		vfiosim_say("mmap %s: ok, populated %d", attempts[i].what,
			    (attempts[i].protection & PROT_READ) &&
				    vfiosim_present(w->p, address));
		vfiosim_munmap(w->p, address, attempts[i].length);
	}
}

static int64_t map_at(struct world *w, uint64_t address, uint64_t pages)
{
	return vfiosim_mmap(w->p, address, pages * PAGE, RW, MAP_SHARED | MAP_FIXED,
			    w->user.device, REGION(2) + MIB(1));
}

static void fixed_over(struct world *w)
{
	map_at(w, WINDOW, 8);
	say_touch("touch", w->p, WINDOW);
	say_ok("FIXED over it, driver refuses",
	       vfiosim_mmap(w->p, WINDOW + 2 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED,
			    w->user.device, REGION(2) + MIB(8)));
	say_touch("the old page", w->p, WINDOW + 2 * PAGE);
	say_touch("its neighbour", w->p, WINDOW + 3 * PAGE);
	say_ok("FIXED over it, good",
	       vfiosim_mmap(w->p, WINDOW + 4 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED,
			    w->user.device, REGION(2)));
	say_touch("the new page", w->p, WINDOW + 4 * PAGE);
	vfiosim_munmap(w->p, WINDOW, 8 * PAGE);
}

static void touches(struct world *w)
{
	map_at(w, WINDOW, 4);
	vfiosim_mprotect(w->p, WINDOW, PAGE, PROT_NONE);
	vfiosim_mprotect(w->p, WINDOW + PAGE, PAGE, PROT_READ);
	say_touch("load from PROT_NONE", w->p, WINDOW);
	vfiosim_say("store to a read-only page: %s",
		    vfiosim_touch_name(vfiosim_store(w->p, WINDOW + PAGE, 1)));
	say_touch("load beyond", w->p, WINDOW + 4 * PAGE);
	vfiosim_memory_space(w->p, w->user.device, false);
	say_touch("memory off", w->p, WINDOW + 2 * PAGE);
	say_ok("mmap while memory is off", map_at(w, WINDOW + 8 * PAGE, 1));
	say_touch("touch of that", w->p, WINDOW + 8 * PAGE);
	vfiosim_memory_space(w->p, w->user.device, true);
	say_touch("memory on", w->p, WINDOW + 8 * PAGE);
	vfiosim_munmap(w->p, WINDOW, 9 * PAGE);
}

static void remaps(struct world *w)
{
	const uint64_t to = WINDOW + 64 * PAGE;

	map_at(w, WINDOW, 8);
	vfiosim_store(w->p, WINDOW + PAGE, 77);
	say_ok("mremap grow", vfiosim_mremap(w->p, WINDOW, 8 * PAGE, 9 * PAGE, 0, 0));
	say_ok("mremap old length 0", vfiosim_mremap(w->p, WINDOW, 0, PAGE, MREMAP_MAYMOVE, 0));
	say_ok("mremap DONTUNMAP", vfiosim_mremap(w->p, WINDOW, PAGE, PAGE,
						  MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0));
	say_ok("mremap new length 0", vfiosim_mremap(w->p, WINDOW, PAGE, 0, 0, 0));
	say_ok("mremap shrink", vfiosim_mremap(w->p, WINDOW, 8 * PAGE, 7 * PAGE, 0, 0));
	say_ok("mremap move", vfiosim_mremap(w->p, WINDOW, 7 * PAGE, 7 * PAGE,
					     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	vfiosim_say("moved along with its page: %d", vfiosim_present(w->p, to + PAGE));
	say_touch("the old place", w->p, WINDOW + PAGE);
	vfiosim_munmap(w->p, to, 7 * PAGE);
}

static const struct {
	const char *what;
	int advice;
} advices[] = {
	{ "NORMAL", MADV_NORMAL }, { "RANDOM", MADV_RANDOM },
	{ "SEQUENTIAL", MADV_SEQUENTIAL }, { "WILLNEED", MADV_WILLNEED },
	{ "DONTNEED", MADV_DONTNEED }, { "FREE", MADV_FREE },
	{ "REMOVE", MADV_REMOVE }, { "DONTFORK", MADV_DONTFORK },
	{ "DOFORK", MADV_DOFORK }, { "DONTDUMP", MADV_DONTDUMP },
	{ "DODUMP", MADV_DODUMP },
};

static void advise(struct world *w)
{
	for (unsigned int i = 0; i < sizeof(advices) / sizeof(*advices); i++) {
		map_at(w, WINDOW, 1);
		vfiosim_load(w->p, WINDOW, NULL);
		vfiosim_say("madvise %s: %s", advices[i].what,
			    vfiosim_error_name(vfiosim_madvise(w->p, WINDOW, PAGE,
							       advices[i].advice)));
		vfiosim_munmap(w->p, WINDOW, PAGE);
	}
}

static void user(void *data)
{
	struct world *w = data;

	try_all(w);
	fixed_over(w);
	touches(w);
	remaps(w);
	advise(w);
	vfiosim_user_close(&w->user);
	vfiosim_exit(w->p);
}

static const struct vfiosim_scenario mmap_calls = {
	.name = "mmap_calls",
	.summary = "mmap of BARs with every argument that matters, and calls on what is mapped",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tolerate = "warn",
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&mmap_calls);
