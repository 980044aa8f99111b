// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scenarios that the filesystem's bugs are caught in. Those called "...-checked"
 * ask all invariants after every step; the others leave it to the detectors.
 */
#include <sys/mman.h>

#include <vfiosim.h>

#include "../pfs.h"
#include "../fdtest.h"

#include "invariants.h"

/* ---- pins ---- */

static void make_and_unmake(void *unused)
{
	struct inode *inode = pfs_inode_new();

	if (!IS_ERR(inode))
		pfs_inode_put(inode);
}

static void all_unpinned(void *unused)
{
	vfiosim_expect(pfs_is_gone());
}

static const struct vfiosim_scenario pins = {
	.name = "fs-pins",
	.summary = "two drivers bind and unbind",
	.teardown = all_unpinned,
	.tasks = { { "T1", make_and_unmake }, { "T2", make_and_unmake } },
};

static const struct vfiosim_scenario pins_checked = {
	.name = "fs-pins-checked",
	.summary = "two drivers bind and unbind; invariants",
	.check = fs_invariants_hold,
	.teardown = all_unpinned,
	.tasks = { { "T1", make_and_unmake }, { "T2", make_and_unmake } },
};

static void twice_in_turn(void *unused)
{
	struct inode *first = pfs_inode_new(), *second = pfs_inode_new();

	pfs_inode_put(second);
	pfs_inode_put(first);
	make_and_unmake(NULL);
}

static const struct vfiosim_scenario pins_alone = {
	.name = "fs-pins-alone",
	.summary = "two devices of one driver, then one again",
	.teardown = all_unpinned,
	.tasks = { { "T1", twice_in_turn } },
};

static void visit(struct super_block *sb, void *unused)
{
	cond_resched();
}

static void walk(void *unused)
{
	iterate_supers(visit, NULL);
}

static const struct vfiosim_scenario walker_checked = {
	.name = "fs-walker-checked",
	.summary = "sync(2) against a bind and unbind; invariants",
	.check = fs_invariants_hold,
	.teardown = all_unpinned,
	.tasks = { { "T1", make_and_unmake }, { "sync", walk } },
};

static struct super_block *scanned KSTATE;

static void pin_for_scan(void *unused)
{
	vfiosim_expect(pfs_pin() == 0);
	scanned = pfs_mnt->mnt_sb;
}

static void unpin(void *unused)
{
	pfs_unpin();
}

static void scan(void *unused)
{
	super_cache_scan(scanned);
}

static void scan_in_turn(void *unused)
{
	pin_for_scan(NULL);
	super_cache_scan(scanned);
	pfs_unpin();
}

static const struct vfiosim_scenario shrinker_alone = {
	.name = "fs-shrinker-alone",
	.summary = "memory pressure, then the last unbind",
	.teardown = all_unpinned,
	.tasks = { { "T1", scan_in_turn } },
};

static const struct vfiosim_scenario shrinker = {
	.name = "fs-shrinker",
	.summary = "memory pressure against the last unbind",
	.setup = pin_for_scan,
	.teardown = all_unpinned,
	.tasks = { { "T1", unpin }, { "kswapd", scan } },
};

/* ---- files ---- */

static void use_files(void *unused)
{
	struct files_struct *child;
	int error;

	process_begin();
	if (note_fd(1) == 0) {
		ksys_dup(0);
		ksys_dup2(0, 5);
		fdput(fdget(0));
	}
	if (note_fd(2) >= 0)
		ksys_dup2(2, 1);
	child = dup_fd(get_current()->files, &error);
	if (child)
		put_files_struct(child);
	task_work_run();
	ksys_close(0);
	ksys_close_range(1, 2, 0);
	process_end();
}

static void no_file_left(void *unused)
{
	vfiosim_expect(!files_stat.nr_files && note_module.refcnt.counter == 1);
}

static const struct vfiosim_scenario files = {
	.name = "fs-files",
	.summary = "a process opens, duplicates, forks, closes and exits",
	.teardown = no_file_left,
	.tasks = { { "T1", use_files } },
};

static const struct vfiosim_scenario files_checked = {
	.name = "fs-files-checked",
	.summary = "a process opens, duplicates, forks, closes and exits; invariants",
	.check = fs_invariants_hold,
	.teardown = no_file_left,
	.tasks = { { "T1", use_files } },
};

static void reap(void *unused)
{
	struct file *file = note_file(3);

	get_current()->flags |= PF_KTHREAD;
	fput(file);
}

static const struct vfiosim_scenario delayed = {
	.name = "fs-delayed-fput",
	.summary = "a kernel thread drops the last reference on a file",
	.teardown = no_file_left,
	.tasks = { { "kthread", reap } },
};

static void share_setup(void *unused)
{
	shared_table = NULL;
	thread_begin();
	note_fd(1);
	get_current()->files = NULL;
}

static void share_end(void *unused)
{
	put_files_struct(shared_table);
	task_work_run();
	no_file_left(NULL);
}

static void thread_end(void)
{
	exit_files(get_current());
	task_work_run();
}

static void opener(void *unused)
{
	thread_begin();
	note_fd(2);
	thread_end();
}

static void reader(void *unused)
{
	struct file *file;

	thread_begin();
	file = fget(1);
	if (file) {
		vfiosim_expect(file->f_op == &note_fops);
		fput(file);
	}
	thread_end();
}

static void closer(void *unused)
{
	thread_begin();
	close_fd(0);
	ksys_dup2(0, 1);
	thread_end();
}

static const struct vfiosim_scenario threads = {
	.name = "fs-threads",
	.summary = "threads of one table open, read and close",
	.setup = share_setup,
	.teardown = share_end,
	.tasks = { { "opener", opener }, { "reader", reader }, { "closer", closer } },
};

static const struct vfiosim_scenario threads_checked = {
	.name = "fs-threads-checked",
	.summary = "threads of one table open, read and close; invariants",
	.check = fs_invariants_hold,
	.setup = share_setup,
	.teardown = share_end,
	.tasks = { { "opener", opener }, { "reader", reader } },
};

static void swapper(void *unused)
{
	thread_begin();
	ksys_dup2(0, 1);
	thread_end();
}

static void swap_reader(void *unused)
{
	struct file *file;

	thread_begin();
	file = fget(1);
	vfiosim_expect(file);
	fput(file);
	thread_end();
}

static void swap_setup(void *unused)
{
	shared_table = NULL;
	thread_begin();
	note_fd(1);
	note_fd(2);
	get_current()->files = NULL;
}

static const struct vfiosim_scenario swap = {
	.name = "fs-dup2-vs-fget",
	.summary = "a descriptor is replaced while it is looked up: it is never closed",
	.setup = swap_setup,
	.teardown = share_end,
	.tasks = { { "swapper", swapper }, { "reader", swap_reader } },
};

static void leave_a_file_unread(void *unused)
{
	int socks[2], fds[1];

	process_begin();
	if (ksys_socketpair(socks) == 0) {
		fds[0] = note_fd(1);
		ksys_send_fds(socks[0], fds, 1);
		ksys_close(fds[0]);
	}
	process_end();
}

static const struct vfiosim_scenario unread = {
	.name = "fs-in-flight-unread",
	.summary = "a socket is closed with a file in its queue",
	.teardown = no_file_left,
	.tasks = { { "T1", leave_a_file_unread } },
};

static void pass_a_file(void *unused)
{
	int socks[2], fds[1];

	process_begin();
	if (ksys_socketpair(socks) == 0) {
		fds[0] = note_fd(1);
		ksys_send_fds(socks[0], fds, 1);
		ksys_close(fds[0]);
		ksys_recv_fds(socks[1], fds, 1, 0);
		task_work_run();
		ksys_close(fds[0]);
	}
	process_end();
}

static const struct vfiosim_scenario in_flight = {
	.name = "fs-in-flight",
	.summary = "a file travels through a socket",
	.teardown = no_file_left,
	.tasks = { { "T1", pass_a_file } },
};

/* ---- character devices ---- */

static dev_t devt KSTATE;
static struct cdev chr KSTATE;

static void chr_setup(void *unused)
{
	vfiosim_expect(alloc_chrdev_region(&devt, 0, 1, "chr") == 0);
	cdev_init(&chr, &note_fops);
	vfiosim_expect(cdev_add(&chr, devt, 1) == 0);
	vfiosim_expect(devtmpfs_create_node("chr", 0600, devt) == 0);
}

static void chr_end(void *unused)
{
	devtmpfs_delete_node("chr");
	cdev_del(&chr);
	unregister_chrdev_region(devt, 1);
	vfiosim_expect(!chr.kobj.count.counter && list_empty(&chr.list));
	no_file_left(NULL);
}

static void chr_open_close(void *unused)
{
	struct file *file = filp_open("/dev/chr", O_RDWR, 0);

	if (!IS_ERR(file))
		fput(file);
	task_work_run();
}

static const struct vfiosim_scenario cdev_opens = {
	.name = "fs-cdev-opens",
	.summary = "two first opens of one device node",
	.setup = chr_setup,
	.teardown = chr_end,
	.tasks = { { "T1", chr_open_close }, { "T2", chr_open_close } },
};

/* ---- the whole stack ---- */

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *alice;
	struct vfiosim_user user;
	int64_t mapped_at;
};

static void plug(void *data)
{
	struct world *w = data;

	w->device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .bars = { { .size = 0x4000 } } });
	w->alice = vfiosim_process("alice");
}

static void bind(void *data)
{
	struct world *w = data;

	plug(data);
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
}

static void map_and_fork(void *data)
{
	struct world *w = data;
	struct vfiosim_process *child;
	struct vfiosim_user user;
	int64_t at;

	if (vfiosim_user_open(&user, w->alice, w->device) < 0)
		return;
	vfiosim_memory_space(w->alice, user.device, true);
	at = vfiosim_bar_map(w->alice, user.device, 0);
	if (at > 0)
		vfiosim_load(w->alice, at, NULL);
	child = vfiosim_fork(w->alice, "child");
	if (child)
		vfiosim_exit(child);
	vfiosim_user_close(&user);
	if (at > 0)
		vfiosim_munmap(w->alice, at, 0x4000);
}

static void unbind(void *data)
{
	struct world *w = data;

	vfiosim_unbind(NULL, w->device);
}

static void bind_unbind(void *data)
{
	struct world *w = data;

	if (vfiosim_bind(NULL, w->device, "vfio-pci") == 0)
		vfiosim_unbind(NULL, w->device);
}

static const struct vfiosim_scenario vfio_map = {
	.name = "fs-vfio-map",
	.tolerate = "warn",
	.summary = "a process maps a BAR, forks and goes while the driver is unbound",
	.fixture_size = sizeof(struct world),
	.setup = bind,
	.tasks = { { "alice", map_and_fork }, { "admin", unbind } },
};

static const struct vfiosim_scenario vfio_map_checked = {
	.name = "fs-vfio-map-checked",
	.summary = "the same; invariants",
	.fixture_size = sizeof(struct world),
	.setup = bind,
	.check = fs_invariants_hold,
	.tasks = { { "alice", map_and_fork }, { "admin", unbind } },
};

static void bind_and_open(void *data)
{
	struct world *w = data;

	bind(data);
	vfiosim_expect(vfiosim_user_open(&w->user, w->alice, w->device) == 0);
}

static void bind_open_and_map(void *data)
{
	struct world *w = data;

	bind_and_open(data);
	w->mapped_at = vfiosim_bar_map(w->alice, w->user.device, 0);
	vfiosim_expect(w->mapped_at > 0);
}

static void unmap_and_close(void *data)
{
	struct world *w = data;

	vfiosim_user_close(&w->user);
	if (w->mapped_at)
		vfiosim_munmap(w->alice, w->mapped_at, 0x4000);
}

static const struct vfiosim_scenario vfio_opened_checked = {
	.name = "fs-vfio-opened-checked",
	.summary = "a driver is unbound while a process has the device open; invariants",
	.fixture_size = sizeof(struct world),
	.setup = bind_and_open,
	.check = fs_invariants_hold,
	.tasks = { { "admin", unbind }, { "alice", unmap_and_close } },
};

static const struct vfiosim_scenario vfio_mapped = {
	.name = "fs-vfio-mapped",
	.summary = "a driver is unbound while a process has a BAR mapped",
	.fixture_size = sizeof(struct world),
	.setup = bind_open_and_map,
	.tasks = { { "admin", unbind }, { "alice", unmap_and_close } },
};

static const struct vfiosim_scenario vfio_mapped_checked = {
	.name = "fs-vfio-mapped-checked",
	.summary = "the same; invariants",
	.fixture_size = sizeof(struct world),
	.setup = bind_open_and_map,
	.check = fs_invariants_hold,
	.tasks = { { "admin", unbind }, { "alice", unmap_and_close } },
};

static void exit_with_container(void *data)
{
	struct world *w = data;

	vfiosim_open(w->alice, "/dev/vfio/vfio", O_RDWR);
	vfiosim_exit(w->alice);
}

static const struct vfiosim_scenario vfio_container = {
	.name = "fs-vfio-container",
	.summary = "a process exits with a container open, no device is bound",
	.fixture_size = sizeof(struct world),
	.setup = plug,
	.tasks = { { "alice", exit_with_container } },
};

static const struct vfiosim_scenario vfio_bind = {
	.name = "fs-vfio-bind",
	.tolerate = "warn",
	.summary = "a driver is bound and unbound",
	.fixture_size = sizeof(struct world),
	.setup = plug,
	.tasks = { { "admin", bind_unbind } },
};

VFIOSIM_PROGRAM(&pins, &pins_checked, &pins_alone, &walker_checked, &shrinker, &shrinker_alone,
		&files, &swap, &unread,
		&files_checked, &delayed, &threads, &threads_checked, &in_flight, &cdev_opens,
		&vfio_map, &vfio_map_checked, &vfio_opened_checked,
		&vfio_mapped, &vfio_mapped_checked, &vfio_container, &vfio_bind);
