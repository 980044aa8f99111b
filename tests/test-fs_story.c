// SPDX-License-Identifier: GPL-2.0-only
/* Files, mappings and devices together: who keeps whom, and who goes first. */
#define VFIOSIM_HOST
#include <asm/mman.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "steptest.h"

#include "fdtest.h"
#include "pfs.h"

#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/mm_types.h>

#define WINDOW 0x200000000000UL
#define RW (PROT_READ | PROT_WRITE)

static struct inode *device KSTATE;
static struct notes closed KSTATE;
static struct mm_struct *shared_mm KSTATE;
static long results[4] KSTATE;

/* ---- a device whose pages are faulted in, on an inode of its own ---- */

static void dev_close(struct vm_area_struct *vma)
{
	note(&closed, (long)vma->vm_file->private_data);
}

static vm_fault_t dev_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, 0xfe000 + vmf->pgoff);
}

static const struct vm_operations_struct dev_vm_ops = { .close = dev_close, .fault = dev_fault };

static int dev_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &dev_vm_ops;
	return 0;
}

static const struct file_operations dev_fops = {
	.owner = &note_module, .flush = note_flush, .release = note_release,
	.read = note_read, .write = note_write, .mmap = dev_mmap,
};

static int dev_fd(long tag)
{
	struct file *file = anon_inode_getfile("[device]", &dev_fops, (void *)tag, O_RDWR);
	int fd = get_unused_fd_flags(O_CLOEXEC);

	file->f_mapping = device->i_mapping;
	fd_install(fd, file);
	return fd;
}

static void enter(void)
{
	process_begin();
	get_current()->mm = mm_alloc();
}

static void leave(void)
{
	struct mm_struct *mm = get_current()->mm;

	get_current()->flags |= PF_EXITING;
	get_current()->mm = NULL;
	mmput(mm);
	process_end();
}

static unsigned long at(long page)
{
	return WINDOW + page * PAGE_SIZE;
}

static long map(int fd, long page, unsigned long count)
{
	return ksys_mmap(at(page), count * PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
}

static bool touch(long page)
{
	u64 value = 0;
	int code;

	return user_access(at(page), false, &value, sizeof(value), &code) == 0;
}

static bool present(long page)
{
	return user_page_present(get_current()->mm, at(page));
}

static void make_device(void *unused)
{
	device = pfs_inode_new();
	vfiosim_expect(!IS_ERR(device));
}

static void drop_device(void *unused)
{
	vfiosim_expect(!mapping_mapped(&device->i_data));
	vfiosim_expect(!device->i_data.i_mmap_writable && device->i_count.counter == 1);
	pfs_inode_put(device);
}

/* ---- golden traces ---- */

static void map_close_unmap(void *unused)
{
	struct file *file;
	int fd;

	enter();
	fd = dev_fd(3);
	file = files_peek(get_current()->files, fd);
	vfiosim_expect(map(fd, 0, 4) == (long)at(0) && file_count(file) == 2 && touch(1));
	vfiosim_expect(device->i_data.i_mmap_writable == 1);
	vfiosim_expect(close_fd(fd) == 0 && file_count(file) == 1);
	task_work_run();
	vfiosim_expect(NOTED(flushed, 3) && !released.count && touch(2));
	vfiosim_expect(ksys_munmap(at(0), 4 * PAGE_SIZE) == 0 && NOTED(closed, 3));
	vfiosim_expect(!released.count);
	task_work_run();
	vfiosim_expect(NOTED(released, 3));
	leave();
}

/* T-4, FS-9, FS-103..FS-105, FS-185, INV-14, INV-15 */
START_TEST(mapping_keeps_the_file_after_its_close)
{
	static const struct vfiosim_scenario scenario = {
		.name = "map-close-unmap", .check = fs_invariants_hold, .setup = make_device,
		.teardown = drop_device, .tasks = { { "T1", map_close_unmap } },
	};

	step_all(&scenario, VFIOSIM_OK);
	expect_order((const char *const[]){
		"fd_install", "vma_link", "fd_clear", "file_put count 1", "vma_unlink",
		"file_put count 0", "fput_queued route task_work", "fput_begin", "release",
		NULL });
}
END_TEST

static void exit_with_files_and_a_mapping(void *unused)
{
	int third;

	enter();
	vfiosim_expect(ksys_dup2(dev_fd(5), 5) == 5 && close_fd(0) == 0);
	vfiosim_expect(ksys_dup2(dev_fd(7), 7) == 7 && close_fd(0) == 0);
	third = dev_fd(3);
	vfiosim_expect(map(third, 0, 1) == (long)at(0) && close_fd(third) == 0);
	task_work_run();
	flushed.count = 0;
	vfiosim_expect(!released.count);
	leave();
	vfiosim_expect(NOTED(closed, 3) && NOTED(flushed, 5, 7) && NOTED(released, 7, 5, 3));
}

/* T-5, FS-104, FS-149, FS-150, FS-186 */
START_TEST(exit_releases_files_downwards_and_mapped_ones_last)
{
	static const struct vfiosim_scenario scenario = {
		.name = "exit", .check = fs_invariants_hold, .setup = make_device,
		.teardown = drop_device, .tasks = { { "T1", exit_with_files_and_a_mapping } },
	};

	step_all(&scenario, VFIOSIM_OK);
	expect_order((const char *const[]){ "vma_unlink", "file_put count 0", "exit_stage",
					    "file_put count 0", "file_put count 0", "release",
					    "release", "release", NULL });
}
END_TEST

static void map_denied(void *unused)
{
	struct file *file;
	int fd;

	enter();
	fd = dev_fd(1);
	file = files_peek(get_current()->files, fd);
	device->i_data.i_mmap_writable = -1;
	vfiosim_expect(map(fd, 0, 1) == -EPERM);
	vfiosim_expect(device->i_data.i_mmap_writable == -1 && file_count(file) == 1);
	device->i_data.i_mmap_writable = 0;
	vfiosim_expect(map(fd, 0, 1) == (long)at(0));
	leave();
}

/* FS-106 */
START_TEST(denied_writers_are_eperm)
{
	static const struct vfiosim_scenario scenario = {
		.name = "denied", .setup = make_device, .teardown = drop_device,
		.tasks = { { "T1", map_denied } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

/* As it was before devices had inodes of their own: f_mapping is left alone. */
static int old_dev_fd(long tag)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	fd_install(fd, anon_inode_getfile("[device]", &dev_fops, (void *)tag, O_RDWR));
	return fd;
}

static void one_tree_for_all(void *unused)
{
	enter();
	vfiosim_expect(map(old_dev_fd(1), 0, 1) == (long)at(0));
	vfiosim_expect(map(old_dev_fd(2), 1, 1) == (long)at(1));
	vfiosim_expect(map(dev_fd(3), 2, 1) == (long)at(2));
	vfiosim_expect(touch(0) && touch(1) && touch(2));
	unmap_mapping_range(files_peek(get_current()->files, 0)->f_mapping, 0, 0, 1);
	vfiosim_expect(!present(0) && !present(1) && present(2));
	unmap_mapping_range(device->i_mapping, 0, 0, 1);
	vfiosim_expect(!present(2) && touch(0));
	leave();
}

/* FS-102, FS-108 */
START_TEST(shared_inodes_tree_holds_strangers_together)
{
	static const struct vfiosim_scenario scenario = {
		.name = "one-tree", .setup = make_device, .teardown = drop_device,
		.tasks = { { "T1", one_tree_for_all } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

/* FS-180 */
START_TEST(events_carry_number_task_and_context)
{
	static const struct vfiosim_scenario scenario = {
		.name = "events", .setup = make_device, .teardown = drop_device,
		.tasks = { { "T1", map_close_unmap } },
	};
	bool softirq = false, task = false;

	step_all(&scenario, VFIOSIM_OK);
	for (size_t i = 0; i < trace_count(); i++) {
		const struct trace_event *event = trace_get(i);

		ck_assert_uint_eq(event->number, trace_get(0)->number + i);
		task |= !strcmp(event->task_name, "T1");
		softirq |= !strcmp(event->what, "inode_rcu_free") && event->in_interrupt;
	}
	ck_assert(task && softirq);
}
END_TEST

/* ---- mappings against the walk that unmaps them ---- */

static void mapper(void *unused)
{
	int fd;

	enter();
	fd = dev_fd(1);
	vfiosim_expect(map(fd, 0, 2) == (long)at(0));
	vfiosim_expect(touch(0) && touch(1));
	results[0] = present(0) + present(1);
	vfiosim_expect(ksys_munmap(at(0), 2 * PAGE_SIZE) == 0);
	leave();
}

static void zapper(void *unused)
{
	unmap_mapping_range(device->i_mapping, 0, 0, 1);
}

static const struct vfiosim_scenario zap_vs_map = {
	.name = "zap-vs-map", .check = fs_invariants_hold, .setup = make_device,
	.teardown = drop_device, .tasks = { { "mapper", mapper }, { "zapper", zapper } },
};

/* I-15, FS-107 */
START_TEST(mapping_that_is_linked_later_is_not_zapped)
{
	step_begin(&zap_vs_map);
	step_past("zapper", ENG_OP_DOWN_WRITE, "i_mmap_rwsem", 1);
	while (!step_blocked("mapper"))
		step_once("mapper");
	ck_assert_int_eq(event_count("vma_link"), 0);
	step_out("zapper");
	step_out("mapper");
	ck_assert_int_eq(results[0], 2);
	step_finish(VFIOSIM_OK);
}
END_TEST

/* I-16, FS-107: zapped while linked, or gone; the walk waits for the unlink */
START_TEST(unlinking_and_zapping_take_turns)
{
	step_begin(&zap_vs_map);
	step_past("mapper", ENG_OP_UP_WRITE, "i_mmap_rwsem", 1);
	step_past("mapper", ENG_OP_DOWN_WRITE, "i_mmap_rwsem", 1);
	while (!step_blocked("zapper"))
		step_once("zapper");
	step_finish(VFIOSIM_OK);

	step_begin(&zap_vs_map);
	step_past("mapper", ENG_OP_UP_WRITE, "i_mmap_rwsem", 1);
	step_until("mapper", ENG_OP_DOWN_WRITE, "i_mmap_rwsem");
	step_past("zapper", ENG_OP_DOWN_WRITE, "i_mmap_rwsem", 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

static struct mm_struct *child_mm KSTATE;

static void forker(void *unused)
{
	struct mm_struct *mm;
	int fd;

	enter();
	mm = get_current()->mm;
	fd = dev_fd(1);
	vfiosim_expect(map(fd, 0, 1) == (long)at(0) && touch(0));
	child_mm = mm_alloc();
	cond_resched();
	vfiosim_expect(dup_mmap(child_mm, mm) == 0);
	results[0] = user_page_present(mm, at(0));
	results[1] = user_page_present(child_mm, at(0));
	mmput(child_mm);
	leave();
}

/* I-17: a copy made after the walk has nothing that the parent had not refaulted */
START_TEST(zap_leaves_no_page_to_a_forked_child)
{
	static const struct vfiosim_scenario scenario = {
		.name = "zap-vs-fork", .check = fs_invariants_hold, .setup = make_device,
		.teardown = drop_device, .tasks = { { "forker", forker }, { "zapper", zapper } },
	};

	/* The walk has the tree before the child is linked. */
	step_begin(&scenario);
	step_until("forker", ENG_OP_YIELD, "");
	step_past("zapper", ENG_OP_DOWN_WRITE, "i_mmap_rwsem", 1);
	while (!step_blocked("forker"))
		step_once("forker");
	step_out("zapper");
	step_out("forker");
	ck_assert(!results[0] && !results[1]);
	step_finish(VFIOSIM_OK);

	/* The child is linked, its entries not copied yet. */
	step_begin(&scenario);
	step_until("forker", ENG_OP_YIELD, "");
	step_past("forker", ENG_OP_UP_WRITE, "i_mmap_rwsem", 1);
	step_out("zapper");
	step_out("forker");
	ck_assert(!results[0] && !results[1]);
	step_finish(VFIOSIM_OK);
}
END_TEST

/* ---- threads: mmap against close ---- */

static void share_process(void *unused)
{
	make_device(NULL);
	shared_table = NULL;
	thread_begin();
	shared_mm = mm_alloc();
	dev_fd(9);
	get_current()->files = NULL;
}

static void end_process(void *unused)
{
	struct mm_struct *mm = shared_mm;

	vfiosim_expect(!released.count);
	mmput(mm);
	put_files_struct(shared_table);
	task_work_run();
	vfiosim_expect(NOTED(released, 9));
	drop_device(NULL);
}

static void thread_mmap(void *unused)
{
	thread_begin();
	get_current()->mm = shared_mm;
	results[0] = map(0, 0, 1);
	get_current()->mm = NULL;
	exit_files(get_current());
	task_work_run();
}

static void thread_close(void *unused)
{
	thread_begin();
	results[1] = close_fd(0);
	exit_files(get_current());
	task_work_run();
}

/* I-26, FS-105: the mmap owns a reference from its lookup on */
START_TEST(mmap_in_flight_survives_the_close)
{
	static const struct vfiosim_scenario scenario = {
		.name = "mmap-vs-close", .check = fs_invariants_hold, .setup = share_process,
		.teardown = end_process,
		.tasks = { { "mapper", thread_mmap }, { "closer", thread_close } },
	};

	step_begin(&scenario);
	step_past("mapper", ENG_OP_ATOMIC_RMW, "file#", 1);
	step_out("closer");
	ck_assert_int_eq(results[1], 0);
	ck_assert_int_eq(event_count("vma_link"), 0);
	step_out("mapper");
	ck_assert_int_eq(results[0], (long)at(0));
	step_finish(VFIOSIM_OK);
}
END_TEST

/* ---- the device goes ---- */

struct vfio_world {
	struct vfiosim_device *device;
	struct vfiosim_process *alice;
	struct vfiosim_user user;
};

static void vfio_setup(void *data)
{
	struct vfio_world *w = data;

	w->device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .bars = { { .size = 0x4000 } } });
	w->alice = vfiosim_process("alice");
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&w->user, w->alice, w->device) == 0);
}

static void vfio_close(void *data)
{
	struct vfio_world *w = data;

	vfiosim_user_close(&w->user);
}

static void vfio_unbind(void *data)
{
	struct vfio_world *w = data;

	vfiosim_expect(vfiosim_unbind(NULL, w->device) == 0);
}

static const struct vfiosim_scenario unbind_open = {
	.name = "unbind-open", .fixture_size = sizeof(struct vfio_world),
	.check = fs_invariants_hold, .setup = vfio_setup,
	.tasks = { { "alice", vfio_close }, { "admin", vfio_unbind } },
};

static unsigned int device_releases(void)
{
	return event_count("release_enter count 0");
}

/* T-7, I-25, FS-6, FS-7, FS-10, FS-188, INV-18, INV-19 */
START_TEST(inode_may_go_while_fput_is_after_the_release)
{
	step_begin(&unbind_open);
	while (!step_blocked("admin"))
		step_once("admin");
	ck_assert_uint_eq(device_releases(), 0);
	/* Alice's file is past its ->release; what comes after it must not care. */
	while (!step_can_run("admin"))
		step_once("alice");
	while (!step_ended("admin") && !event_count("pin_clear") && step_can_run("admin"))
		step_once("admin");
	ck_assert_uint_eq(event_count("pin_clear"), 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

static void map_late(void *data)
{
	struct vfio_world *w = data;
	int64_t bar;

	cond_resched();
	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, true) == 0);
	bar = vfiosim_bar_map(w->alice, w->user.device, 0);
	vfiosim_expect(bar > 0 && vfiosim_load(w->alice, bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_user_close(&w->user);
	cond_resched();
	vfiosim_expect(vfiosim_munmap(w->alice, bar, 0x4000) == 0);
}

/* I-27 */
START_TEST(mapping_made_while_unregister_waits_is_waited_for)
{
	static const struct vfiosim_scenario scenario = {
		.name = "map-late", .fixture_size = sizeof(struct vfio_world),
		.check = fs_invariants_hold, .setup = vfio_setup,
		.tasks = { { "alice", map_late }, { "admin", vfio_unbind } },
	};

	step_begin(&scenario);
	step_until("alice", ENG_OP_YIELD, "");
	while (!step_blocked("admin"))
		step_once("admin");
	step_once("alice");
	step_until("alice", ENG_OP_YIELD, "");
	ck_assert(step_blocked("admin"));
	ck_assert_uint_eq(event_count("pin_clear"), 0);
	step_finish(VFIOSIM_OK);
	ck_assert_uint_eq(event_count("pin_clear"), 1);
}
END_TEST

static void unplugged(void *data)
{
	struct vfio_world *w = data;

	w->device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .bars = { { .size = 0x4000 } } });
}

static void try_bind(void *data)
{
	struct vfio_world *w = data;

	results[0] = vfiosim_bind(NULL, w->device, "vfio-pci");
	if (!results[0])
		vfiosim_expect(vfiosim_unbind(NULL, w->device) == 0);
	vfiosim_expect(vfiosim_peek("pins", NULL) == 0);
	vfiosim_expect(vfiosim_peek("superblocks", NULL) == 0);
}

/* ERR-23, FS-3, FS-5: a bind whose inode cannot be had leaves nothing */
START_TEST(registration_without_an_inode_leaves_nothing)
{
	static const struct vfiosim_scenario scenario = {
		.name = "bind-fails", .fixture_size = sizeof(struct vfio_world),
		.tolerate = "warn", .setup = unplugged, .tasks = { { "admin", try_bind } },
	};
	static const char *const sites[] = { "pseudo_fs_context", "super_block", "dentry",
					     "mount", "fs_context" };
	unsigned int seen = 0;
	const char *site;

	for (unsigned int nth = 0; (site = step_fault(&scenario, nth)); nth++) {
		for (size_t i = 0; i < ARRAY_SIZE(sites); i++)
			seen |= !strcmp(site, sites[i]) && results[0] == -ENOMEM ? 1U << i : 0;
		run_end();
	}
	run_end();
	ck_assert_uint_eq(seen, (1U << ARRAY_SIZE(sites)) - 1);
}
END_TEST

STEPTEST_MAIN("fs_story",
	mapping_keeps_the_file_after_its_close,
	exit_releases_files_downwards_and_mapped_ones_last,
	denied_writers_are_eperm,
	shared_inodes_tree_holds_strangers_together,
	events_carry_number_task_and_context,
	mapping_that_is_linked_later_is_not_zapped,
	unlinking_and_zapping_take_turns,
	zap_leaves_no_page_to_a_forked_child,
	mmap_in_flight_survives_the_close,
	inode_may_go_while_fput_is_after_the_release,
	mapping_made_while_unregister_waits_is_waited_for,
	registration_without_an_inode_leaves_nothing)
