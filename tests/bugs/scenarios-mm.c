// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scenarios that the memory model's bugs are caught in: one task that uses every
 * call with all invariants asked after each step, and a zap against partners.
 */
#include "../mmrace.h"

/* ---- one task, every call ---- */

static void use_device(int fd)
{
	struct mm_struct *fresh;

	mapped(fd, 0, 6, RW, SHARED, 0);
	mapped(fd, 6, 2, RW, SHARED, 6);
	expect_layout("0-6rws0 6-8rws6");
	expect_long(store(1, 1) | store(4, 1) | store(5, 1), 0);
	expect_long(protect(2, 2, R), 0);
	expect_long(load(3), 0);
	expect_long(unmap(5, 2), 0);
	expect_long(move(0, 2, 2, 16), AT(16));
	vfiosim_expect(present(17));
	fresh = mm_alloc();
	expect_long(dup_mmap(fresh, mm), 0);
	act_in(fresh);
	expect_long(store(4, 1), 0);
	act_in(mm);
	unmap_mapping_range(mapping_of_fd(fd), 0, 0, 1);
	vfiosim_expect(!user_page_present(fresh, AT(17)) && !present(17) && !present(4));
	mmput(fresh);
}

static void use_plain(int fd)
{
	mapped(fd, 32, 4, RW, SHARED, 0);
	mapped(fd, 40, 4, RW, PRIVATE, 0);
	expect_long(store(33, 7) | store(41, 9), 0);
	expect_long(value_at(33), 7);
	expect_long(protect(34, 1, R) | protect(34, 1, RW), 0);
	expect_long(store(41, 10), 0);
	expect_long(protect(41, 1, R), 0);
	expect_long(load(44), MAPERR);
	expect_long(move(32, 4, 4, 48), AT(48));
	expect_long(value_at(49), 7);
	expect_long(memfd_truncate(file_of(fd), PAGES(1)), 0);
	expect_long(load(49), ADRERR);
}

static void every_call(void *unused)
{
	world_begin();
	use_device(device_file());
	use_plain(plain_file(4));
	world_end();
}

static const struct vfiosim_scenario mm_calls = {
	.name = "mm-calls",
	.summary = "one task uses every call of the memory model; invariants",
	.check = mm_invariants_hold,
	.tasks = { { "task", every_call } },
};

static const struct vfiosim_scenario mm_calls_6_12 = {
	.name = "mm-calls-6.12",
	.summary = "the same, as of 6.12",
	.kernel = VFIOSIM_KERNEL_6_12,
	.check = mm_invariants_hold,
	.tasks = { { "task", every_call } },
};

/* ---- a process ends, then memory is switched off: no invariant is asked before ---- */

static void exit_then_zap(void *unused)
{
	struct mm_struct *fresh;
	int fd;

	world_begin();
	fd = device_file();
	mapped(fd, 0, 2, RW, SHARED, 0);
	fresh = mm_alloc();
	expect_long(dup_mmap(fresh, mm), 0);
	mmput(fresh);
	unmap_mapping_range(mapping_of_fd(fd), 0, 0, 1);
	world_end();
}

static const struct vfiosim_scenario mm_exit_zap = {
	.name = "mm-exit-zap",
	.summary = "a zap behind the end of a process that shared the mapping",
	.tasks = { { "task", exit_then_zap } },
};

/* ---- two devices behind one inode: only f_mapping tells them apart ---- */

static void two_devices(void *unused)
{
	int a, b, common;
	struct file *file;

	world_begin();
	a = device_file();
	b = device_file();
	common = get_unused_fd_flags(0);
	file = memfd_reopen(file_of(a), O_RDWR);
	file->f_op = &device_fops;
	file->f_mapping = mapping_of_fd(b);
	fd_install(common, file);
	mapped(a, 0, 1, RW, SHARED, 0);
	mapped(common, 1, 1, RW, SHARED, 0);
	expect_long(store(0, 1) | store(1, 1), 0);
	unmap_mapping_range(mapping_of_fd(b), 0, 0, 1);
	vfiosim_expect(present(0) && !present(1));
	expect_long(unmap(0, 2), 0);
	world_end();
}

static const struct vfiosim_scenario mm_two_devices = {
	.name = "mm-two-devices",
	.summary = "files of one inode with mappings of their own",
	.tasks = { { "task", two_devices } },
};

/* ---- a file opened twice, and mapped through the second one ---- */

static void opened_twice(void *unused)
{
	int first, second;

	world_begin();
	first = plain_file(2);
	second = reopen(first, O_RDWR);
	mapped(second, 0, 2, R, SHARED, 0);
	close_fd(first);
	task_work_run();
	close_fd(second);
	cond_resched();
	expect_long(unmap(0, 2), 0);
	world_end();
}

static const struct vfiosim_scenario mm_opened_twice = {
	.name = "mm-opened-twice",
	.summary = "a mapping of a file keeps the inode, whichever descriptor goes",
	.check = mm_invariants_hold,
	.tasks = { { "task", opened_twice } },
};

/* ---- a device is unbound while it is open, and nothing is mapped ---- */

struct opened {
	struct vfiosim_device *device;
	struct vfiosim_process *alice;
	struct vfiosim_user user;
};

static void bind_and_open(void *data)
{
	struct opened *o = data;

	o->device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .bars = { { .size = 0x4000 } } });
	o->alice = vfiosim_process("alice");
	vfiosim_expect(vfiosim_bind(NULL, o->device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&o->user, o->alice, o->device) == 0);
}

static void unbind_device(void *data)
{
	struct opened *o = data;

	vfiosim_unbind(NULL, o->device);
}

static void close_device(void *data)
{
	struct opened *o = data;

	vfiosim_user_close(&o->user);
}

static const struct vfiosim_scenario mm_opened_device = {
	.name = "mm-opened-device",
	.summary = "the mapping of an open device is that of a living inode",
	.fixture_size = sizeof(struct opened),
	.setup = bind_and_open,
	.check = mm_invariants_hold,
	.tasks = { { "admin", unbind_device }, { "alice", close_device } },
};

/* ---- a zap against one or two partners ---- */

#define ZAP_AGAINST(variable, word, ...)					\
	static const struct vfiosim_scenario variable = {			\
		.name = "mm-zap-" word,						\
		.summary = "memory is switched off against " word,		\
		.setup = setup, .teardown = teardown,				\
		.tasks = { { "zap", switch_off }, __VA_ARGS__ },		\
	}

ZAP_AGAINST(zap_fault, "fault", { "touch", touch_new });
ZAP_AGAINST(zap_faults, "faults", { "touch", touch_new }, { "other", touch_same });
ZAP_AGAINST(zap_mmap, "mmap", { "mmap", map_and_touch });
ZAP_AGAINST(zap_fork, "fork", { "fork", fork_it });
ZAP_AGAINST(zap_move, "move", { "mremap", move_it });
ZAP_AGAINST(zap_split, "split", { "mprotect", split_it });
ZAP_AGAINST(zap_munmap, "munmap", { "munmap", unmap_part });

static void unmap_all(void *unused)
{
	share_space();
	vfiosim_expect(!unmap(0, 4));
	leave();
}

ZAP_AGAINST(zap_munmap_all, "munmap-all", { "munmap", unmap_all });

VFIOSIM_PROGRAM(&mm_calls, &mm_calls_6_12, &mm_exit_zap, &mm_two_devices, &mm_opened_twice,
		&mm_opened_device, &zap_fault, &zap_faults, &zap_mmap, &zap_fork, &zap_move,
		&zap_split, &zap_munmap, &zap_munmap_all);
