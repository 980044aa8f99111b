// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping BARs and taking the mappings away, in both designs: the tables of
 * docs/observed/real-kernel-vfio.md section 6, the reach of
 * section 7, and MM-198.
 */
#include <vfiosim/kapi.h>
#include <vfiosim/kapi/vfio_pci.h>

#include "mm_internal.h"
#include "vfio_core.h"
#include "vfio_pci_private.h"
#include "vpci.h"

/* ---- section 6: what may be mapped (MM-187, VF-151..VF-154) ---- */

static void mmap_table(void *fixture)
{
	static const struct {
		const char *what;
		unsigned int index;
		uint64_t offset, length;
		int flags, ret;
	} rows[] = {
		{ "whole", 2, 0, VPCI_BAR, MAP_SHARED, 0 },
		{ "private", 2, 0, VPCI_BAR, MAP_PRIVATE, -EINVAL },
		{ "length 0", 2, 0, 0, MAP_SHARED, -EINVAL },
		{ "length 100 is one page", 2, 0, 100, MAP_SHARED, 0 },
		{ "offset not page aligned", 2, 100, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "offset = size", 2, VPCI_BAR, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "offset + length > size", 2, VPCI_BAR - VPCI_PAGE, 2 * VPCI_PAGE, MAP_SHARED,
		  -EINVAL },
		{ "length > size", 2, 0, VPCI_BAR + VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "last page alone", 2, VPCI_BAR - VPCI_PAGE, VPCI_PAGE, MAP_SHARED, 0 },
		{ "near the window's end", 2, (1ULL << 40) - VPCI_PAGE, VPCI_PAGE, MAP_SHARED,
		  -EINVAL },
		{ "256 bytes are padded to a page", 0, 0, VPCI_PAGE, MAP_SHARED, 0 },
		{ "256 bytes are not two pages", 0, 0, 2 * VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "absent BAR", 1, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "upper half of a 64-bit BAR", 3, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "I/O ports", 4, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "ROM", 6, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "config", 7, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "VGA", 8, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "index 9", 9, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "index 100", 100, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
	};
	struct vpci *v = fixture;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ret = vfiosim_mmap(v->alice, 0, rows[i].length, PROT_READ | PROT_WRITE,
					   rows[i].flags, v->user.device,
					   VPCI_REGION(rows[i].index) + rows[i].offset);

		vfiosim_say("%s: %s", rows[i].what, vfiosim_error_name(ret));
		vfiosim_expect(rows[i].ret ? ret == rows[i].ret : ret > 0);
	}
}

START_TEST(only_whole_pages_of_memory_bars_can_be_mapped_shared)
{
	vpci_run_one(mmap_table, vpci_designs[_i].run, NULL);
}
END_TEST

static void map_while_off(void *fixture)
{
	struct vpci *v = fixture;
	int64_t late;

	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	late = vfiosim_bar_map(v->alice, v->user.device, 2);
	vfiosim_expect(late > 0);
	vfiosim_expect(vfiosim_load(v->alice, late, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, true) == 0);
	vfiosim_expect(vfiosim_load(v->alice, late, NULL) == VFIOSIM_TOUCH_OK);
}

START_TEST(mmap_works_while_memory_is_off_and_populates_nothing)
{
	vpci_run_one(map_while_off, vpci_designs[_i].run, NULL);
}
END_TEST

static void refused_fixed(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_mmap(v->alice, v->bar, VPCI_PAGE, PROT_READ,
				    MAP_SHARED | MAP_FIXED, v->user.device,
				    VPCI_REGION(2) + VPCI_BAR) == -EINVAL);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_SIGSEGV_MAPERR);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + VPCI_PAGE, NULL) == VFIOSIM_TOUCH_OK);
}

START_TEST(a_refused_fixed_mapping_has_removed_the_old_page_all_the_same)
{
	vpci_run_one(refused_fixed, vpci_designs[_i].run, NULL);
}
END_TEST

/* ---- what the driver makes of a mapping ---- */

static struct vfio_pci_device *driver_of(const char *name)
{
	return pci_get_drvdata(pci_find_by_name(name));
}

static struct vm_area_struct *first_vma(struct vfio_pci_device *vdev)
{
	struct mapping_iter iter;

	return vma_interval_tree_iter_first(&iter, &vdev->vdev.inode->i_mapping->i_mmap, 0, ~0UL);
}

/* VF-156; VF-157 and VF-177: what the mapping is found by */
static void marks(void *fixture)
{
	const unsigned long flags = VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	struct vfio_pci_device *vdev = driver_of("0000:01:00.0");
	struct vm_area_struct *vma = first_vma(vdev);
	unsigned long physical = pci_resource_start(vdev->pdev, 2) >> PAGE_SHIFT;

	vfiosim_expect(vma && vma->vm_private_data == vdev);
	vfiosim_expect((vma->vm_flags & flags) == flags);
	vfiosim_expect(vma->vm_pgoff == (vpci_run.design == VFIOSIM_VMA_LIST ?
					 physical : VPCI_REGION(2) >> PAGE_SHIFT));
	vfiosim_expect(!vma->vm_ops->open == (vpci_run.design != VFIOSIM_VMA_LIST));
	vfiosim_expect(!vma->vm_ops->close == (vpci_run.design != VFIOSIM_VMA_LIST));
}

START_TEST(a_mapping_is_marked_and_keyed_as_the_design_wants)
{
	vpci_run_one(marks, vpci_designs[_i].run, NULL);
}
END_TEST

/* VF-155: somebody else has the BAR; VF-270 is the same between two first users. */
static void claimed_by_a_stranger(void *fixture)
{
	struct vpci *v = fixture;
	struct pci_dev *pdev = pci_find_by_name("0000:01:00.0");
	uint32_t value;

	vfiosim_expect(pci_request_selected_regions(pdev, 1 << 0, "stranger") == 0);
	vfiosim_expect(vfiosim_bar_map(v->alice, v->user.device, 0) == -EBUSY);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, &value, 4, VPCI_REGION(0)) ==
		       -EBUSY);
	pci_release_selected_regions(pdev, 1 << 0);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, &value, 4, VPCI_REGION(0)) == 4);
}

START_TEST(a_bar_is_claimed_at_its_first_use)
{
	vpci_run_one(claimed_by_a_stranger, vpci_designs[_i].run, NULL);
}
END_TEST

static struct resource in_the_way KSTATE;

/* VF-147: the rest of the small BAR's page is somebody else's. */
static void shared_page(void *fixture)
{
	struct vpci *v = fixture;
	struct resource *bar = &pci_find_by_name("0000:01:00.0")->resource[0];
	struct vfio_region_info info = { .argsz = sizeof(info), .index = 0 };

	vfiosim_expect(vfiosim_munmap(v->alice, v->bar, VPCI_BAR) == 0);
	vfiosim_expect(vfiosim_close(v->alice, v->user.device) == 0);
	in_the_way = (struct resource){ .name = "neighbour", .start = bar->start + 0x800,
					.end = bar->start + 0x8ff, .flags = bar->flags };
	vfiosim_expect(request_resource(&in_the_way) == 0);
	v->user.device = vfiosim_ioctl(v->alice, v->user.group, VFIO_GROUP_GET_DEVICE_FD,
				       vfiosim_device_name(v->device));
	vfiosim_expect(vfiosim_ioctl(v->alice, v->user.device, VFIO_DEVICE_GET_REGION_INFO,
				     &info) == 0);
	vfiosim_expect(!(info.flags & VFIO_REGION_INFO_FLAG_MMAP));
	vfiosim_expect(vfiosim_mmap(v->alice, 0, VPCI_PAGE, PROT_READ, MAP_SHARED,
				    v->user.device, VPCI_REGION(0)) == -EINVAL);
	release_resource(&in_the_way);
}

START_TEST(a_small_bar_cannot_be_mapped_when_its_page_is_shared)
{
	vpci_run_one(shared_page, vpci_designs[_i].run, NULL);
}
END_TEST

static void read_bar_0(void *fixture)
{
	struct vpci *v = fixture;
	uint32_t value;
	ssize_t ret = vfiosim_pread(v->alice, v->user.device, &value, 4, VPCI_REGION(0));

	vfiosim_expect(ret == 4 || ret == -EBUSY);
	if (ret == -EBUSY)
		vfiosim_say("spurious EBUSY");
}

static void two_threads(void *fixture)
{
	struct vpci *v = fixture;

	vpci_setup(fixture);
	vfiosim_threads(v->alice, 2);
}

START_TEST(two_first_users_of_a_bar_may_get_in_each_others_way)
{
	/* VF-270, a bug of both kernels */
	struct vfiosim_scenario scenario = {
		.name = "two readers", .fixture_size = sizeof(struct vpci), .setup = two_threads,
		.kernel = vpci_designs[_i].run->kernel, .core = vpci_designs[_i].run->core,
		.tasks = { { "one", read_bar_0 }, { "other", read_bar_0 } },
	};
	unsigned int spurious = 0;

	vpci_run = *vpci_designs[_i].run;
	for (unsigned int seed = 1; seed <= 40; seed++) {
		ck_assert_int_eq(simtest_run_random(&scenario, seed), VFIOSIM_OK);
		spurious += simtest_trace_count("spurious EBUSY");
	}
	ck_assert_uint_gt(spurious, 0);
	ck_assert_uint_lt(spurious, 40);
}
END_TEST

/* VF-176, VF-307: the list needs no tree; the address space is one call, for all BARs. */
static void zap_once(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
}

START_TEST(only_the_address_space_unmaps_through_the_inode)
{
	bool list = vpci_designs[_i].run->design == VFIOSIM_VMA_LIST;

	vpci_run_one(zap_once, vpci_designs[_i].run, NULL);
	ck_assert_uint_eq(simtest_trace_count("unmap_mapping_pages"), !list);
	/* Pages of [0, 6 << 40). */
	ck_assert_uint_eq(simtest_trace_count("0-5fffffff"), !list);
}
END_TEST

/* VF-162: a VF has no memory bit of its own; what its user writes there is virtual. */
static void always_on(void *fixture)
{
	struct vpci *v = fixture;

	pci_find_by_name("0000:01:00.0")->no_command_memory = true;
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(!vfiosim_present(v->alice, v->bar));
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
}

START_TEST(a_device_without_memory_bit_is_always_on)
{
	vpci_run_one(always_on, vpci_designs[_i].run, NULL);
}
END_TEST

/* VF-164, VF-300: the zap finds the entry of a process that is past all system calls. */
static void child_dies(void *fixture)
{
	struct vpci *v = fixture;
	struct vfiosim_process *child = vfiosim_fork(v->alice, "child");

	vfiosim_load(child, v->bar, NULL);
	vfiosim_exit(child);
}

static void zap_and_look(void *fixture)
{
	struct vfio_pci_view view;

	zap_once(fixture);
	/* VF-165 */
	vfiosim_expect(vfio_pci_view(pci_find_by_name("0000:01:00.0"), &view));
	vfiosim_expect(!view.memory_enabled && !view.listed_vmas && !view.ptes);
}

START_TEST(the_zap_drops_the_entries_of_dying_processes)
{
	const struct vfiosim_scenario scenario = {
		.name = "exit and zap", .fixture_size = sizeof(struct vpci), .setup = two_threads,
		.kernel = vpci_list_5_14.kernel, .core = vpci_list_5_14.core,
		.tasks = { { "child", child_dies }, { "zap", zap_and_look } },
	};
	unsigned int dead = 0;

	vpci_run = vpci_list_5_14;
	for (unsigned int seed = 1; seed <= 80; seed++) {
		ck_assert_int_eq(simtest_run_random(&scenario, seed), VFIOSIM_OK);
		dead += simtest_trace_count("vma_list_of_the_dead");
	}
	ck_assert_uint_gt(dead, 0);
}
END_TEST

/* ---- faults that fail, locks that are taken in the wrong order ---- */

/* VF-345: nothing of the mapping stays, and the next touch fills it. */
static void touch_when_it_fails(void *fixture)
{
	struct vpci *v = fixture;
	struct vfio_pci_view view;
	enum vfiosim_touch touch;

	v->device = vpci_plug("0000:01:00.0");
	v->alice = v->device ? vfiosim_process("alice") : NULL;
	if (!v->alice || vfiosim_bind(NULL, v->device, "vfio-pci") ||
	    vfiosim_user_open(&v->user, v->alice, v->device))
		return;
	/* The upper pages need another page table than the lower ones. */
	v->bar = vfiosim_mmap(v->alice, 0x200000000000 - 4 * VPCI_PAGE, VPCI_BAR, PROT_READ,
			      MAP_SHARED | MAP_FIXED, v->user.device, VPCI_REGION(2));
	if (v->bar < 0)
		return;
	touch = vfiosim_load(v->alice, v->bar, NULL);
	vfiosim_expect(vfio_pci_view(pci_find_by_name("0000:01:00.0"), &view));
	vfiosim_expect(view.listed_vmas == (touch == 0));
	vfiosim_expect(view.ptes == (touch ? 0 : 16));
	vfiosim_say("first touch: %s", vfiosim_touch_name(touch));
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
}

START_TEST(a_fault_that_fails_leaves_the_mapping_empty_and_unlisted)
{
	struct vfiosim_scenario scenario = {
		.name = "failing fault", .fixture_size = sizeof(struct vpci),
		.tolerate = "warn,leak", .tasks = { { "alice", touch_when_it_fails } },
	};
	unsigned int nth = 0, sigbus = 0, oom = 0;

	vpci_run = vpci_list_5_14;
	do {
		ck_assert_int_eq(simtest_run_fault(&scenario, ++nth), VFIOSIM_OK);
		sigbus += simtest_trace_count("first touch: SIGBUS 2");
		/* Out of memory: the touch is tried again, and finds some. */
		oom += simtest_trace_count("result 1)") + simtest_trace_count("result 1\n");
	} while (simtest_failed_site());
	ck_assert_uint_gt(oom, 0);
	ck_assert_uint_gt(sigbus, 0);
}
END_TEST

/* Each takes what the driver's fault or zap takes, the other way round (VF-238). */
static void memory_before_vma(void *fixture)
{
	struct vfio_pci_device *vdev = driver_of("0000:01:00.0");

	zap_once(fixture);
	down_read(&vdev->memory_lock);
	mutex_lock(&vdev->vma_lock);
}

static void vma_before_mmap(void *fixture)
{
	struct vfio_pci_device *vdev = driver_of("0000:01:00.0");
	struct mm_struct *mm = first_vma(vdev)->vm_mm;

	zap_once(fixture);
	mutex_lock(&vdev->vma_lock);
	down_read(&mm->mmap_lock);
}

static void memory_before_mmap(void *fixture)
{
	struct vfio_pci_device *vdev = driver_of("0000:01:00.0");
	struct mm_struct *mm = first_vma(vdev)->vm_mm;

	zap_once(fixture);
	down_read(&vdev->memory_lock);
	down_read(&mm->mmap_lock);
}

static void tree_before_memory(void *fixture)
{
	struct vfio_pci_device *vdev = driver_of("0000:01:00.0");

	zap_once(fixture);
	down_read(&vdev->vdev.inode->i_mapping->i_mmap_rwsem);
	down_read(&vdev->memory_lock);
}

static void set_lock_inside_group_lock(void *fixture)
{
	struct vfio_pci_device *vdev = driver_of("0000:01:00.0");
	struct vpci *v = fixture;

	/* The last close walks the bus, and looks up each function. */
	vfiosim_munmap(v->alice, v->bar, VPCI_BAR);
	vfiosim_user_close(&v->user);
	mutex_lock(&vdev->vdev.group->device_lock);
	vfio_pci_reflck_lock(vdev);
}

static const struct {
	const char *what;
	const struct vpci_run *run;
	void (*body)(void *fixture);
} wrong_orders[] = {
	{ "list: memory_lock, vma_lock", &vpci_list_5_14, memory_before_vma },
	{ "list: vma_lock, mmap_lock", &vpci_list_5_14, vma_before_mmap },
	{ "list: memory_lock, mmap_lock", &vpci_list_5_14, memory_before_mmap },
	{ "space: memory_lock, mmap_lock", &vpci_space_6_12, memory_before_mmap },
	{ "space: i_mmap_rwsem, memory_lock", &vpci_space_6_12, tree_before_memory },
	{ "port: device_lock, reset lock", &vpci_list_5_14, set_lock_inside_group_lock },
};

START_TEST(whoever_takes_the_locks_the_other_way_round_is_reported)
{
	struct vpci_run run = *wrong_orders[_i].run;

	run.resets = VFIOSIM_RESET_BUS;
	/* VF-166, VF-181, VF-237, VF-238 */
	vpci_run_one(wrong_orders[_i].body, &run, "lock-inversion");
}
END_TEST

/* ---- population (MM-198: faults for 16 pages; MM-267: 6.12 fills one page) ---- */

static void first_touch(void *fixture)
{
	struct vpci *v = fixture;
	bool whole = vpci_run.design != VFIOSIM_ADDRESS_SPACE;

	vfiosim_expect(vpci_present(v, v->bar, 16) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 5 * VPCI_PAGE, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vpci_present(v, v->bar, 16) == (whole ? 16 : 1));
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vpci_present(v, v->bar, 16) == 0);
	vfiosim_expect(vfiosim_peek("ptes", v->device) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, true) == 0);
	vfiosim_expect(vpci_present(v, v->bar, 16) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vpci_present(v, v->bar, 16) == (whole ? 16 : 1));
}

START_TEST(the_first_touch_fills_a_page_or_the_whole_mapping)
{
	/* VF-158, VF-180, VF-394 */
	vpci_run_one(first_touch, vpci_designs[_i].run, NULL);
}
END_TEST

/* What is stored in a RAM BAR outlives the zap. */
static void contents(void *fixture)
{
	struct vpci *v = fixture;
	uint32_t value = 0;

	vfiosim_expect(vfiosim_store(v->alice, v->bar + 0x1234, 0xcafe) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, &value, 4,
				     VPCI_REGION(2) + 0x1234) == -EIO);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, true) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 0x1234, &value) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(value == 0xcafe);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, &value, 4,
				     VPCI_REGION(2) + 0x1234) == 4 && value == 0xcafe);
}

START_TEST(stored_data_is_still_there_after_memory_was_off)
{
	vpci_run_one(contents, vpci_designs[_i].run, NULL);
}
END_TEST

/* ---- which mappings a zap reaches ---- */

static void off_and_expect_sigbus(struct vpci *v, uint64_t address)
{
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vfiosim_peek("ptes", v->device) == 0);
	vfiosim_expect(vfiosim_load(v->alice, address, NULL) == VFIOSIM_SIGBUS_ADRERR);
}

static void through_closed_fd(void *fixture)
{
	struct vpci *v = fixture;
	int fd = vfiosim_dup(v->alice, v->user.device);
	int64_t bar = vfiosim_bar_map(v->alice, fd, 2);

	vfiosim_expect(vfiosim_load(v->alice, bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_close(v->alice, fd) == 0);
	off_and_expect_sigbus(v, bar);
}

static void read_only_and_none(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_mprotect(v->alice, v->bar, 4 * VPCI_PAGE, PROT_READ) == 0);
	vfiosim_expect(vfiosim_mprotect(v->alice, v->bar + 8 * VPCI_PAGE, 4 * VPCI_PAGE,
					PROT_NONE) == 0);
	off_and_expect_sigbus(v, v->bar);
	vfiosim_expect(vfiosim_store(v->alice, v->bar, 1) == VFIOSIM_SIGSEGV_ACCERR);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 8 * VPCI_PAGE, NULL) ==
		       VFIOSIM_SIGSEGV_ACCERR);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 12 * VPCI_PAGE, NULL) ==
		       VFIOSIM_SIGBUS_ADRERR);
}

static void with_a_hole(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_munmap(v->alice, v->bar + 4 * VPCI_PAGE, VPCI_PAGE) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 5 * VPCI_PAGE, NULL) == VFIOSIM_TOUCH_OK);
	off_and_expect_sigbus(v, v->bar);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 4 * VPCI_PAGE, NULL) ==
		       VFIOSIM_SIGSEGV_MAPERR);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 5 * VPCI_PAGE, NULL) ==
		       VFIOSIM_SIGBUS_ADRERR);
}

static void shrunk(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_mremap(v->alice, v->bar, VPCI_BAR, 4 * VPCI_PAGE, 0, 0) == v->bar);
	off_and_expect_sigbus(v, v->bar);
}

static void overlapping(void *fixture)
{
	struct vpci *v = fixture;
	int64_t other = vfiosim_bar_map(v->alice, v->user.device, 2);

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(v->alice, other, NULL) == VFIOSIM_TOUCH_OK);
	off_and_expect_sigbus(v, v->bar);
	vfiosim_expect(vfiosim_load(v->alice, other, NULL) == VFIOSIM_SIGBUS_ADRERR);
}

static void both_bars(void *fixture)
{
	struct vpci *v = fixture;
	int64_t small = vfiosim_mmap(v->alice, 0, VPCI_PAGE, PROT_READ, MAP_SHARED,
				     v->user.device, VPCI_REGION(0));

	vfiosim_expect(vfiosim_load(v->alice, small, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	off_and_expect_sigbus(v, small);
}

/* fork in 5.14's own order (VF-298) and in the address space. */
static void forked(void *fixture)
{
	struct vpci *v = fixture;
	struct vfiosim_process *child;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	child = vfiosim_fork(v->alice, "child");
	/* The list zaps the child's copy at once, the address space lets it be. */
	vfiosim_expect(vfiosim_present(child, v->bar) == (vpci_run.design != VFIOSIM_VMA_LIST));
	vfiosim_expect(vfiosim_load(child, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	off_and_expect_sigbus(v, v->bar);
	vfiosim_expect(vfiosim_load(child, v->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
}

static const struct {
	const char *what;
	void (*body)(void *fixture);
} reach_rows[] = {
	{ "through an fd since closed", through_closed_fd },
	{ "read-only, partly mprotected, PROT_NONE", read_only_and_none },
	{ "partly unmapped", with_a_hole },
	{ "shrunk", shrunk },
	{ "two that overlap", overlapping },
	{ "BAR 0 and BAR 2", both_bars },
	{ "a forked child's", forked },
};
#define N_REACH_ROWS (int)(sizeof(reach_rows) / sizeof(*reach_rows))

START_TEST(a_zap_reaches_every_mapping_of_the_device)
{
	const struct vpci_run *run = vpci_designs[_i % VPCI_DESIGNS].run;

	/* The hole of 6.1's fork order has a test of its own. */
	if (run == &vpci_list_6_1 && reach_rows[_i / VPCI_DESIGNS].body == forked)
		return;
	vpci_run_one(reach_rows[_i / VPCI_DESIGNS].body, run, NULL);
}
END_TEST

/* ---- the two holes of the list (MM-195, MM-196, VF-299) ---- */

static void moved(void *fixture)
{
	struct vpci *v = fixture;
	int64_t there = vfiosim_mmap(v->alice, 0, VPCI_BAR, PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t value = 0;

	vfiosim_expect(vfiosim_store(v->alice, v->bar, 7) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_mremap(v->alice, v->bar, VPCI_BAR, VPCI_BAR,
				      MREMAP_MAYMOVE | MREMAP_FIXED, there) == there);
	vfiosim_expect(vpci_present(v, there, 16) ==
		       (vpci_run.design == VFIOSIM_ADDRESS_SPACE ? 1 : 16));
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_say("moved: %s", vfiosim_touch_name(vfiosim_load(v->alice, there, &value)));
	vfiosim_say("value %x", value);
}

static void forked_after_touch(void *fixture)
{
	struct vpci *v = fixture;
	struct vfiosim_process *child;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	child = vfiosim_fork(v->alice, "child");
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_say("child: %s", vfiosim_touch_name(vfiosim_load(child, v->bar, NULL)));
}

START_TEST(only_the_list_misses_a_moved_mapping)
{
	struct vpci_run run = *vpci_designs[_i].run;
	bool hole = run.design == VFIOSIM_VMA_LIST;

	vpci_run_one(moved, &run, hole ? "pte-while-memory-off" : NULL);
	run.tolerate = "pte-while-memory-off,warn";
	vpci_run_one(moved, &run, NULL);
	ck_assert_uint_eq(simtest_trace_count("moved: ok"), hole);
	ck_assert_uint_eq(simtest_trace_count("moved: SIGBUS"), !hole);
	/* The device does not answer any more: its bus says all ones. */
	ck_assert_uint_eq(simtest_trace_count("value ffffffff"), hole);
}
END_TEST

START_TEST(only_the_list_of_6_1_misses_a_childs_entries)
{
	struct vpci_run run = *vpci_designs[_i].run;
	bool hole = run.design == VFIOSIM_VMA_LIST && run.kernel == VFIOSIM_KERNEL_6_1;

	vpci_run_one(forked_after_touch, &run, hole ? "pte-while-memory-off" : NULL);
	run.tolerate = "pte-while-memory-off,warn";
	vpci_run_one(forked_after_touch, &run, NULL);
	ck_assert_uint_eq(simtest_trace_count("child: ok"), hole);
	ck_assert_uint_eq(simtest_trace_count("child: SIGBUS"), !hole);
}
END_TEST

/* MM-194: which pieces of a split mapping lose their entries. */
static void split(void *fixture)
{
	struct vpci *v = fixture;
	bool list = vpci_run.design == VFIOSIM_VMA_LIST;

	for (unsigned int i = 0; i < 16; i++)
		vfiosim_expect(vfiosim_load(v->alice, v->bar + i * VPCI_PAGE, NULL) == 0);
	vfiosim_expect(vfiosim_munmap(v->alice, v->bar + 8 * VPCI_PAGE, VPCI_PAGE) == 0);
	vfiosim_expect(vpci_present(v, v->bar, 8) == 8);
	vfiosim_expect(vpci_present(v, v->bar + 9 * VPCI_PAGE, 7) == (list ? 0 : 7));
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 12 * VPCI_PAGE, NULL) == 0);
	vfiosim_expect(vpci_present(v, v->bar + 9 * VPCI_PAGE, 7) == 7);
}

START_TEST(the_upper_rest_of_a_cut_mapping_faults_again_under_the_list)
{
	vpci_run_one(split, vpci_designs[_i].run, NULL);
}
END_TEST

/* ---- other devices ---- */

struct two {
	struct vpci a;
	struct vfiosim_device *device;
	struct vfiosim_user user;
	int64_t bar;
};

static void setup_two(void *fixture)
{
	struct two *t = fixture;

	vpci_setup(&t->a);
	t->device = vpci_plug("0000:02:00.0");
	vfiosim_expect(vfiosim_bind(NULL, t->device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&t->user, t->a.alice, t->device) == 0);
	t->bar = vfiosim_bar_map(t->a.alice, t->user.device, 2);
}

static void zap_one_of_two(void *fixture)
{
	struct two *t = fixture;

	vfiosim_expect(vfiosim_load(t->a.alice, t->a.bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(t->a.alice, t->bar, NULL) == VFIOSIM_TOUCH_OK);
	off_and_expect_sigbus(&t->a, t->a.bar);
	vfiosim_expect(vfiosim_present(t->a.alice, t->bar));
}

START_TEST(a_zap_leaves_other_devices_alone)
{
	/* VF-122, VF-267: what one shared inode could not tell apart */
	struct vfiosim_scenario scenario = {
		.name = "two devices", .fixture_size = sizeof(struct two), .setup = setup_two,
		.kernel = vpci_designs[_i].run->kernel, .core = vpci_designs[_i].run->core,
		.tasks = { { "alice", zap_one_of_two } },
	};

	vpci_run = *vpci_designs[_i].run;
	assert_scenario_ok(&scenario);
}
END_TEST

/* ---- races: faults, mmap, fork and zap at once (VF-296..VF-298) ---- */

static void toucher(void *fixture)
{
	struct vpci *v = fixture;

	for (unsigned int i = 0; i < 2; i++) {
		enum vfiosim_touch touch = vfiosim_load(v->alice, v->bar, NULL);

		vfiosim_expect(touch == VFIOSIM_TOUCH_OK || touch == VFIOSIM_SIGBUS_ADRERR);
	}
}

static void switcher(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, true) == 0);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
}

static void forker(void *fixture)
{
	struct vpci *v = fixture;
	struct vfiosim_process *child = vfiosim_fork(v->alice, "child");
	enum vfiosim_touch touch = vfiosim_load(child, v->bar, NULL);

	vfiosim_expect(touch == VFIOSIM_TOUCH_OK || touch == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_exit(child);
}

static void race_setup(void *fixture)
{
	struct vpci *v = fixture;

	vpci_setup(fixture);
	vfiosim_threads(v->alice, 3);
}

static void race_end(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_peek("ptes", v->device) == 0);
}

START_TEST(no_fault_slips_past_a_zap_in_any_schedule_tried)
{
	struct vfiosim_scenario scenario = {
		.name = "fault, fork, zap", .fixture_size = sizeof(struct vpci),
		.kernel = vpci_designs[_i].run->kernel, .core = vpci_designs[_i].run->core,
		.setup = race_setup, .teardown = race_end,
		.tasks = { { "toucher", toucher }, { "switcher", switcher },
			   { "forker", forker } },
	};

	vpci_run = *vpci_designs[_i].run;
	if (vpci_run.kernel == VFIOSIM_KERNEL_6_1)
		return;		/* its fork has a hole, see above */
	assert_scenario_ok_random(&scenario, 60);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vfio_pci_mmap");
	TCase *map = tcase_create("mmap"), *zap = tcase_create("zap"),
	      *races = tcase_create("races");

	vpci_add(map, only_whole_pages_of_memory_bars_can_be_mapped_shared);
	vpci_add(map, mmap_works_while_memory_is_off_and_populates_nothing);
	vpci_add(map, a_refused_fixed_mapping_has_removed_the_old_page_all_the_same);
	vpci_add(map, a_mapping_is_marked_and_keyed_as_the_design_wants);
	vpci_add(map, a_bar_is_claimed_at_its_first_use);
	vpci_add(map, a_small_bar_cannot_be_mapped_when_its_page_is_shared);
	vpci_add(map, two_first_users_of_a_bar_may_get_in_each_others_way);
	vpci_add(zap, only_the_address_space_unmaps_through_the_inode);
	vpci_add(zap, a_device_without_memory_bit_is_always_on);
	tcase_add_test(races, the_zap_drops_the_entries_of_dying_processes);
	tcase_add_test(map, a_fault_that_fails_leaves_the_mapping_empty_and_unlisted);
	tcase_add_loop_test(map, whoever_takes_the_locks_the_other_way_round_is_reported,
			    0, sizeof(wrong_orders) / sizeof(*wrong_orders));
	vpci_add(map, the_first_touch_fills_a_page_or_the_whole_mapping);
	vpci_add(map, stored_data_is_still_there_after_memory_was_off);
	tcase_add_loop_test(zap, a_zap_reaches_every_mapping_of_the_device,
			    0, N_REACH_ROWS * VPCI_DESIGNS);
	vpci_add(zap, only_the_list_misses_a_moved_mapping);
	vpci_add(zap, only_the_list_of_6_1_misses_a_childs_entries);
	vpci_add(zap, the_upper_rest_of_a_cut_mapping_faults_again_under_the_list);
	vpci_add(zap, a_zap_leaves_other_devices_alone);
	vpci_add(races, no_fault_slips_past_a_zap_in_any_schedule_tried);
	tcase_set_timeout(races, 60);
	suite_add_tcase(suite, map);
	suite_add_tcase(suite, zap);
	suite_add_tcase(suite, races);
	return simtest_main(suite);
}
