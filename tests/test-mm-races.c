// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver switches its memory off (lock, zap, switch, unlock) while something
 * else happens to the same mappings: MM-185. Afterwards no entry may show the
 * device and every touch is SIGBUS. Drivers that get it wrong must be found.
 */
#include "mmtest.h"

#define RUNS 150
#define RUNS_TO_FIND 3000

static struct file *device KSTATE;
static struct mm_struct *child KSTATE;
static struct files_struct *files KSTATE;
static struct rw_semaphore memory_lock KSTATE;
static bool memory_on KSTATE;

/* How a wrong driver is wrong (MM-144). Chosen by the test, so not part of a run. */
enum wrong { RIGHT, TEST_BEFORE_LOCK, INSERT_AFTER_UNLOCK, ZAP_BEFORE_LOCK, TWO_HOLDS,
	     FILL_IN_MMAP, REMAP_PER_FAULT };
static enum wrong wrong;

static vm_fault_t insert(struct vm_fault *vmf)
{
	unsigned long pfn = DEVICE_PFN + vmf->pgoff;

	if (wrong != REMAP_PER_FAULT)
		return vmf_insert_pfn(vmf->vma, vmf->address, pfn);
	return io_remap_pfn_range(vmf->vma, vmf->address, pfn, PAGE_SIZE,
				  vmf->vma->vm_page_prot) ? VM_FAULT_SIGBUS : VM_FAULT_NOPAGE;
}

static vm_fault_t fault(struct vm_fault *vmf)
{
	vm_fault_t ret = VM_FAULT_SIGBUS;
	bool on = shared_READ_ONCE(memory_on);

	down_read(&memory_lock);
	if (wrong != TEST_BEFORE_LOCK)
		on = memory_on;
	if (on && wrong != INSERT_AFTER_UNLOCK)
		ret = insert(vmf);
	up_read(&memory_lock);
	if (on && wrong == INSERT_AFTER_UNLOCK)
		ret = insert(vmf);
	return ret;
}

static int device_mmap_locked(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = fault };
	int ret = 0;

	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	if (wrong != FILL_IN_MMAP)
		return 0;
	down_read(&memory_lock);
	if (memory_on)
		ret = remap_pfn_range(vma, vma->vm_start, DEVICE_PFN + vma->vm_pgoff,
				      vma->vm_end - vma->vm_start, vma->vm_page_prot);
	up_read(&memory_lock);
	return ret;
}

static const struct file_operations fops = { .mmap = device_mmap_locked };

static void zap(void)
{
	unmap_mapping_range(device->f_mapping, 0, 6LL << 40, true);
}

static void switch_off(void *unused)
{
	if (wrong == ZAP_BEFORE_LOCK)
		zap();
	down_write(&memory_lock);
	if (wrong != ZAP_BEFORE_LOCK)
		zap();
	if (wrong == TWO_HOLDS) {
		up_write(&memory_lock);
		down_write(&memory_lock);
	}
	shared_WRITE_ONCE(memory_on, false);
	up_write(&memory_lock);
}

/* ---- the world: pages 0 to 3 mapped, the first two touched ---- */

static void setup(void *unused)
{
	int fd;

	world_begin();
	__init_rwsem(&memory_lock, "memory_lock");
	memory_on = true;
	fd = device_file();
	device = file_of(fd);
	device->f_op = &fops;
	mapped(fd, 0, 4, RW, SHARED, 0);
	if (wrong != FILL_IN_MMAP)
		expect_long(store(0, 1) | store(1, 1), 0);
	child = NULL;
	files = get_current()->files;
}

static void no_entry_is_left(struct mm_struct *space)
{
	struct vm_area_struct *vma = find_vma(space, 0);

	act_in(space);
	for (; vma; vma = vma_next(vma)) {
		for (long page = page_of(vma->vm_start); page < page_of(vma->vm_end); page++) {
			vfiosim_expect(!present(page));
			expect_long(load(page), ADRERR);
		}
	}
}

static void teardown(void *unused)
{
	vfiosim_expect(!memory_on);
	vfiosim_expect(mm_invariants_hold(NULL));
	if (child) {
		no_entry_is_left(child);
		mmput(child);
	}
	no_entry_is_left(mm);
	world_end();
}

/* ---- partners ---- */

static void share_space(void)
{
	get_current()->mm = mm;
}

static void leave(void)
{
	get_current()->mm = NULL;
}

static void touch_new(void *unused)
{
	share_space();
	store(0, 1);
	store(2, 1);
	leave();
}

static void touch_same(void *unused)
{
	share_space();
	load(2);
	leave();
}

static void map_and_touch(void *unused)
{
	share_space();
	get_current()->files = files;
	mapped(0, 8, 2, RW, SHARED, 4);
	if (wrong != FILL_IN_MMAP)
		store(8, 1);
	get_current()->files = NULL;
	leave();
}

static void fork_it(void *unused)
{
	struct mm_struct *fresh = mm_alloc();

	share_space();
	vfiosim_expect(!dup_mmap(fresh, mm));
	child = fresh;
	leave();
}

static void move_it(void *unused)
{
	share_space();
	vfiosim_expect(move(0, 4, 4, 16) == AT(16));
	leave();
}

static void split_it(void *unused)
{
	share_space();
	vfiosim_expect(!protect(1, 2, R));
	vfiosim_expect(!protect(1, 2, RW));
	leave();
}

static void unmap_part(void *unused)
{
	share_space();
	vfiosim_expect(!unmap(1, 2));
	leave();
}

static const struct partner {
	const char *what;
	void (*run)(void *);
	void (*other)(void *);	/* a third task, or NULL */
} partners[] = {
	{ "fault", touch_new, NULL },
	{ "two faults", touch_new, touch_same },
	{ "mmap", map_and_touch, NULL },
	{ "fork", fork_it, NULL },
	{ "fork and a fault", fork_it, touch_same },
	{ "mremap", move_it, NULL },
	{ "mremap and a fault", move_it, touch_new },
	{ "split and merge", split_it, NULL },
	{ "munmap", unmap_part, NULL },
	{ "second zap", switch_off, NULL },
};

static struct vfiosim_scenario scenario_with(const struct partner *partner, int kernel)
{
	struct vfiosim_scenario scenario = {
		.name = partner->what, .setup = setup, .teardown = teardown,
		.check = mm_invariants_hold,
		.kernel = VFIOSIM_KERNEL_5_14 + kernel,
		.tasks = { { "zap", switch_off }, { "partner", partner->run } },
	};

	if (partner->other)
		scenario.tasks[2] = (struct vfiosim_task){ "other", partner->other };
	return scenario;
}

START_TEST(a_zap_against_anything_leaves_no_entry)
{
	wrong = RIGHT;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++) {
		struct vfiosim_scenario scenario = scenario_with(&partners[_i], kernel);

		assert_scenario_ok_random(&scenario, RUNS);
	}
}
END_TEST

/* MM-144, MM-185: the last column */
static const struct {
	const char *what;
	enum wrong wrong;
	unsigned int partner;
	const char *detector;
} mistakes[] = {
	{ "memory state tested before the lock", TEST_BEFORE_LOCK, 0, "expectation" },
	{ "entry made after the unlock", INSERT_AFTER_UNLOCK, 0, "expectation" },
	{ "zap before the lock", ZAP_BEFORE_LOCK, 0, "expectation" },
	{ "zap and switch under two holds", TWO_HOLDS, 0, "expectation" },
	{ "entries made in ->mmap", FILL_IN_MMAP, 2, "expectation" },
	{ "remap_pfn_range for each fault", REMAP_PER_FAULT, 1, "bug" },
};

START_TEST(a_wrong_driver_is_found)
{
	struct vfiosim_scenario scenario;
	const struct finding *failure = NULL;

	wrong = mistakes[_i].wrong;
	scenario = scenario_with(&partners[mistakes[_i].partner], KERNEL_5_14);
	for (unsigned int seed = 1; seed <= RUNS_TO_FIND && !failure; seed++) {
		simtest_run_random(&scenario, seed);
		failure = run_failure();
	}
	ck_assert_msg(failure != NULL, "%s: not found", mistakes[_i].what);
	ck_assert_str_eq(failure->detector, mistakes[_i].detector);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("mm-races");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_zap_against_anything_leaves_no_entry, 0,
			    ARRAY_SIZE(partners));
	tcase_add_loop_test(tc, a_wrong_driver_is_found, 0, ARRAY_SIZE(mistakes));
	return mm_main("mm-races", tc);
}
