// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a device's VMA as others may see it, step by step: whether it is in
 * its address space's set, in its file's tree, how many entries lie in its range,
 * and how many references its file has; and in what state each hook is called.
 */
#include <glib.h>

#include "steptest.h"

#include "mmworld.h"

static struct vm_area_struct *watched KSTATE;
static struct file *watched_file KSTATE;
static struct mm_struct *other_mm KSTATE;
static struct files_struct *files KSTATE;
static bool watching KSTATE;	/* the next new VMA is the one */

/* ---- what is to be seen ---- */

static bool in_set(struct vm_area_struct *vma)
{
	return find_vma(vma->vm_mm, vma->vm_start) == vma;
}

static unsigned int entries_in(struct vm_area_struct *vma)
{
	unsigned int count = 0;

	for (unsigned long at = vma->vm_start; at < vma->vm_end; at += PAGE_SIZE)
		count += user_page_present(vma->vm_mm, at);
	return count;
}

/* w, r or -: how mmap_lock is held. */
static char lock_of(const struct mm_struct *space)
{
	if (space->mmap_lock.owner)
		return 'w';
	return space->mmap_lock.readers ? 'r' : '-';
}

static void describe(struct vm_area_struct *vma, char *text)
{
	sprintf(text, "%c%c%c%u", lock_of(vma->vm_mm), in_set(vma) ? 's' : '-',
		vma->shared_leaf ? 't' : '-', entries_in(vma));
}

/* ---- a device whose hooks say in what state they are called ---- */

static void note_state(const char *what, struct vm_area_struct *vma)
{
	char text[16];

	describe(vma, text);
	note("%s%s(%s)", hook_log[0] ? " " : "", what, text);
}

static void watch(struct vm_area_struct *vma)
{
	if (watching)
		watched = vma;
	watching = false;
}

static void staged_open(struct vm_area_struct *vma)
{
	note_state("open", vma);
	watch(vma);
}

static void staged_close(struct vm_area_struct *vma)
{
	note_state("close", vma);
	if (vma == watched)
		watched = NULL;
}

static int staged_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	note_state("may_split", vma);
	return 0;
}

static int staged_mremap(struct vm_area_struct *vma)
{
	note_state("mremap", vma);
	return 0;
}

static int staged_mprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			   unsigned long flags)
{
	note_state("mprotect", vma);
	return 0;
}

static vm_fault_t staged_fault(struct vm_fault *vmf)
{
	note_state("fault", vmf->vma);
	return vmf_insert_pfn(vmf->vma, vmf->address, DEVICE_PFN + vmf->pgoff);
}

static int staged_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = {
		.open = staged_open, .close = staged_close, .may_split = staged_may_split,
		.mremap = staged_mremap, .mprotect = staged_mprotect, .fault = staged_fault,
	};

	note_state("mmap", vma);
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	watch(vma);
	return 0;
}

/* ---- the world: pages 0 to 3 of the device, the first two touched ---- */

static void setup(void *unused)
{
	static const struct file_operations fops = { .mmap = staged_mmap };
	int fd;

	world_begin();
	fd = device_file();
	watched_file = file_of(fd);
	watched_file->f_op = &fops;
	mapped(fd, 0, 4, RW, SHARED, 0);
	expect_long(store(0, 1) | store(1, 1), 0);
	watched = vma_at(0);
	files = get_current()->files;
	other_mm = NULL;
	noted();
}

static void teardown(void *unused)
{
	if (other_mm)
		mmput(other_mm);
	world_end();
}

static void (*act)(void);	/* of the host: chosen by the test */

static void actor(void *unused)
{
	get_current()->mm = mm;
	get_current()->files = files;
	act();
	get_current()->mm = NULL;
	get_current()->files = NULL;
}

/* ---- acts ---- */

static void act_map(void)
{
	watching = true;
	mapped(0, 8, 2, RW, SHARED, 4);
	expect_long(store(9, 1), 0);
}

static void act_unmap(void)
{
	expect_long(unmap(0, 4), 0);
}

static void act_cut(void)
{
	expect_long(unmap(1, 2), 0);
}

static void act_map_over(void)
{
	expect_long(map(ANON, 0, 4, RW, PRIVATE, 0), AT(0));
}

static void act_protect(void)
{
	watching = true;
	expect_long(protect(0, 1, R), 0);
}

static void act_move(void)
{
	watching = true;
	expect_long(move(0, 4, 4, 16), AT(16));
}

static void act_shrink(void)
{
	expect_long(ksys_mremap(AT(0), PAGES(4), PAGES(2), 0, 0), AT(0));
}

static void act_fork(void)
{
	watching = true;
	other_mm = mm_alloc();
	expect_long(dup_mmap(other_mm, mm), 0);
}

static void act_exit(void)
{
	struct mm_struct *child = mm_alloc();

	expect_long(dup_mmap(child, mm), 0);
	noted();
	mmput(child);
}

/* ---- hooks: MM-14, and what MM-10, MM-12, MM-111 say of the lock ---- */

static const struct {
	const char *what;
	void (*act)(void);
	const char *hooks[KERNEL_6_18 + 1];	/* NULL: as in the version before */
} contexts[] = {
	/* MM-10: mmap has the lock for write, a fault for read; MM-141 */
	{ "mmap and a fault", act_map, { "mmap(w--0) fault(rst0)" } },
	/* MM-12: close runs with the lock held for read after the downgrade */
	{ "munmap", act_unmap, { "close(r--0)" } },
	/* MM-73: open of a split: in no set and no tree, its range's entries are there */
	{ "munmap in the middle", act_cut,
	  { "may_split(wst2) open(w--1) may_split(wst1) open(w--1) close(r--0)", NULL,
	    "may_split(wst2) open(w--1) may_split(wst1) open(w--0) close(r--0)" } },
	{ "MAP_FIXED over it", act_map_over, { "close(w--0)" } },
	{ "mprotect", act_protect, { "mprotect(wst2) may_split(wst2) open(w--1)" } },
	{ "mremap", act_move, { "open(w--0) mremap(wst2) close(w--0)" } },
	/* MM-12: the shrinking form of mremap downgrades as well */
	{ "mremap to less", act_shrink, { "may_split(wst2) open(w--0) close(r--0)",
	  NULL, "may_split(wst2) open(w--2) close(r--0)" } },
	/* MM-98, MM-99, MM-264: 5.14 opens when all is done, later ones before link and copy */
	{ "fork", act_fork, { "open(wst2)", "open(ws-0)" } },
	/* MM-108, MM-111: no lock at exit up to 6.1, then the lock for write */
	{ "exit", act_exit, { "close(---0)", NULL, "close(w--0)" } },
};

static struct vfiosim_scenario scenario_of(const char *name, void (*body)(void), int kernel)
{
	act = body;
	return (struct vfiosim_scenario){
		.name = name, .kernel = VFIOSIM_KERNEL_5_14 + kernel, .setup = setup,
		.teardown = teardown, .tasks = { { "actor", actor } },
	};
}

static const char *expected_in(const char *const *rows, int kernel)
{
	while (!rows[kernel])
		kernel--;
	return rows[kernel];
}

START_TEST(hooks_are_called_in_the_state_that_the_kernel_has)
{
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++) {
		struct vfiosim_scenario scenario =
			scenario_of(contexts[_i].what, contexts[_i].act, kernel);

		step_begin(&scenario);
		step_out("actor");
		ck_assert_msg(!strcmp(hook_log, expected_in(contexts[_i].hooks, kernel)),
			      "%s, kernel %d: %s", contexts[_i].what, kernel, hook_log);
		step_finish(VFIOSIM_OK);
	}
}
END_TEST

/* ---- how each call holds mmap_lock: MM-10, MM-12 ---- */

static void plain_view(void *unused)
{
	setup(NULL);
	watched_file = file_of(plain_file(8));
	mapped(1, 32, 4, RW, SHARED, 0);
}

static int advice;	/* of the host: chosen by the test */

static void act_advise(void)
{
	ksys_madvise(AT(32), PAGES(1), advice);
}

static void act_ask_resident(void)
{
	u8 vec[1];

	expect_long(ksys_mincore(AT(32), PAGES(1), vec), 0);
}

static void act_grow_heap(void)
{
	ksys_brk(mm->brk + PAGE_SIZE);
}

static void act_remap_file(void)
{
	expect_long(ksys_remap_file_pages(AT(32), PAGES(1), 0, 1, 0), 0);
}

static void act_fault(void)
{
	expect_long(load(33), 0);
}

static void act_zap_plain(void)
{
	unmap_mapping_range(watched_file->f_mapping, 0, 0, true);
}

static const struct {
	const char *what;
	void (*act)(void);
	int advice;
	const char *modes;
} holders[] = {
	{ "munmap", act_unmap, 0, "wr" },
	{ "munmap in the middle", act_cut, 0, "wr" },
	{ "MAP_FIXED over it", act_map_over, 0, "w" },
	{ "mprotect", act_protect, 0, "w" },
	{ "mremap", act_move, 0, "w" },
	{ "mremap to less", act_shrink, 0, "wr" },
	{ "fork, in the parent", act_fork, 0, "w" },
	{ "remap_file_pages, which populates", act_remap_file, 0, "w-r" },
	{ "brk", act_grow_heap, 0, "w" },
	{ "DONTFORK", act_advise, MADV_DONTFORK, "w" },
	{ "SEQUENTIAL", act_advise, MADV_SEQUENTIAL, "w" },
	{ "WIPEONFORK", act_advise, MADV_WIPEONFORK, "w" },
	{ "DONTNEED", act_advise, MADV_DONTNEED, "r" },
	{ "FREE", act_advise, MADV_FREE, "r" },
	{ "COLD", act_advise, MADV_COLD, "r" },
	{ "PAGEOUT", act_advise, MADV_PAGEOUT, "r" },
	{ "WILLNEED", act_advise, MADV_WILLNEED, "r" },
	{ "REMOVE, which lets go meanwhile", act_advise, MADV_REMOVE, "r-r" },
	{ "POPULATE_WRITE", act_advise, MADV_POPULATE_WRITE, "r" },
	{ "mincore", act_ask_resident, 0, "r" },
	{ "a fault", act_fault, 0, "r" },
	{ "a zap", act_zap_plain, 0, "" },
};

/* The modes in which the actor's steps find the lock; w and r of two holds are one. */
static void note_modes(char *modes)
{
	size_t length = 0;

	while (!step_ended("actor") && !run_failure()) {
		char mode;

		step_once("actor");
		mode = lock_of(mm);
		if (length < 15 && (length ? modes[length - 1] : '-') != mode)
			modes[length++] = mode;
	}
	while (length && modes[length - 1] == '-')
		length--;
	modes[length] = '\0';
}

START_TEST(each_call_holds_mmap_lock_as_the_kernel_does)
{
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++) {
		struct vfiosim_scenario scenario =
			scenario_of(holders[_i].what, holders[_i].act, kernel);
		char modes[16];

		advice = holders[_i].advice;
		scenario.setup = plain_view;
		step_begin(&scenario);
		note_modes(modes);
		ck_assert_msg(!strcmp(modes, holders[_i].modes), "%s, kernel %d: \"%s\"",
			      holders[_i].what, kernel, modes);
		step_finish(VFIOSIM_OK);
	}
}
END_TEST

/* ---- stages: MM-45 ---- */

static const struct {
	const char *what;
	void (*act)(void);
	const char *stages[KERNEL_6_18 + 1];
} lives[] = {
	/* MM-37: set, then tree, under both locks; MM-41: no entry before that */
	{ "mmap and a fault", act_map,
	  { "w--0/4 ws-0/4 wst0/4 -st0/4 -st0/3 rst0/3 rst1/3 -st1/3" } },
	/* MM-53, MM-54, MM-55: out of the set, downgrade, entries, out of the tree */
	{ "munmap", act_unmap, { "-st2/2 w-t2/2 r-t2/2 r-t1/2 r-t0/2 r--0/2" } },
	{ "MAP_FIXED over it", act_map_over, { "-st2/2 w-t2/2 w-t1/2 w-t0/2 w--0/2" } },
	/* MM-97, MM-98, MM-99, MM-100: the entries are copied when it is in the tree */
	{ "fork", act_fork, { "wst0/3 wst1/3 wst2/3 -st2/3",
			      "ws-0/2 ws-0/3 wst0/3 wst1/3 wst2/3 -st2/3" } },
	/* MM-87, MM-91: linked before the entries move */
	{ "mremap: the new one", act_move,
	  { "w--0/3 ws-0/3 wst0/3 wst1/3 wst2/3 wst2/2 -st2/2" } },
	/* MM-72: open, then set and tree at once */
	{ "mprotect: the new piece", act_protect, { "w--1/3 wst1/3 -st1/3" } },
};

/* Each state that another task may see, once; "refs" of the file behind it. */
static void note_stage(GString *text, char *last)
{
	char now[32];

	if (!watched && other_mm)
		watched = find_vma(other_mm, 0);
	if (!watched)
		return;
	describe(watched, now);
	sprintf(now + strlen(now), "/%ld", file_count(watched_file));
	if (!strcmp(now, last))
		return;
	strcpy(last, now);
	g_string_append_printf(text, "%s%s", text->len ? " " : "", now);
}

START_TEST(every_stage_of_a_life_can_be_seen)
{
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++) {
		struct vfiosim_scenario scenario =
			scenario_of(lives[_i].what, lives[_i].act, kernel);
		g_autoptr(GString) text = g_string_new(NULL);
		char last[32] = "";

		step_begin(&scenario);
		if (lives[_i].act != act_unmap && lives[_i].act != act_map_over)
			watched = NULL;
		while (!step_ended("actor") && !run_failure()) {
			step_once("actor");
			note_stage(text, last);
		}
		ck_assert_msg(!strcmp(text->str, expected_in(lives[_i].stages, kernel)),
			      "%s, kernel %d: %s", lives[_i].what, kernel, text->str);
		step_finish(VFIOSIM_OK);
	}
}
END_TEST

/* ---- a zap, and who waits for it ---- */

static void act_zap(void)
{
	unmap_mapping_range(watched_file->f_mapping, 0, 0, true);
}

static void touch_both(void)
{
	mapped(0, 8, 2, RW, SHARED, 4);
	expect_long(store(8, 1) | store(9, 1), 0);
}

static void two_views(void *unused)
{
	setup(NULL);
	touch_both();
	noted();
}

/* MM-157, MM-158, MM-159: VMA after VMA, entry after entry; each step can be seen */
START_TEST(a_zap_clears_one_entry_after_another)
{
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++) {
		struct vfiosim_scenario scenario = scenario_of("zap", act_zap, kernel);
		g_autoptr(GString) text = g_string_new(NULL);
		char now[32], last[32] = "";

		scenario.setup = two_views;
		step_begin(&scenario);
		while (!step_ended("actor") && !run_failure()) {
			step_once("actor");
			sprintf(now, "%u/%u", entries_in(find_vma(mm, AT(0))),
				entries_in(find_vma(mm, AT(8))));
			if (strcmp(now, last))
				g_string_append_printf(text, " %s", now);
			strcpy(last, now);
		}
		ck_assert_str_eq(text->str, " 2/2 1/2 0/2 0/1 0/0");
		step_finish(VFIOSIM_OK);
	}
}
END_TEST

static void zapper(void *unused)
{
	act_zap();
}

static void touch_again(void)
{
	expect_long(store(1, 1), 0);
}

static const struct {
	const char *what;
	void (*act)(void);
	bool waits[2];		/* up to 5.14, since 6.1 */
} meanwhile[] = {
	{ "a second zap", act_zap, { true, false } },
	{ "mmap", act_map, { true, true } },
	{ "munmap", act_unmap, { true, true } },
	{ "a split", act_protect, { true, true } },
	{ "fork", act_fork, { true, true } },
	{ "a fault", touch_again, { false, false } },
};

/* MM-142, MM-165, MM-265: a zap is in its middle; who changes the tree waits, a fault does not */
START_TEST(changes_of_the_tree_wait_for_a_zap)
{
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++) {
		struct vfiosim_scenario scenario =
			scenario_of("zap", meanwhile[_i].act, kernel);
		bool waits = meanwhile[_i].waits[kernel >= KERNEL_6_1];

		scenario.tasks[1] = (struct vfiosim_task){ "zapper", zapper };
		step_begin(&scenario);
		while (entries_in(find_vma(mm, AT(0))) == 2)
			step_once("zapper");
		while (!step_ended("actor") && !step_blocked("actor") && !run_failure())
			step_once("actor");
		ck_assert_msg(step_blocked("actor") == waits, "%s, kernel %d",
			      meanwhile[_i].what, kernel);
		step_finish(VFIOSIM_OK);
	}
}
END_TEST

/* ---- what a walk of the tree sees while ranges change (MM-13, MM-70) ---- */

static void act_split_and_join(void)
{
	expect_long(protect(33, 1, R), 0);
	expect_long(protect(33, 1, RW), 0);
	expect_long(ksys_mremap(AT(32), PAGES(4), PAGES(5), 0, 0), AT(32));
	expect_long(ksys_mremap(AT(32), PAGES(5), PAGES(4), 0, 0), AT(32));
}

/* How often the tree shows file page @index. */
static unsigned int views_of(pgoff_t index)
{
	struct vm_area_struct *vma;
	struct mapping_iter iter;
	unsigned int count = 0;

	vma_interval_tree_foreach(vma, &iter, &watched_file->f_mapping->i_mmap, index, index)
		count++;
	return count;
}

START_TEST(a_walk_sees_every_page_once_whatever_is_split_or_joined)
{
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++) {
		struct vfiosim_scenario scenario =
			scenario_of("split", act_split_and_join, kernel);

		scenario.setup = plain_view;
		step_begin(&scenario);
		while (!step_ended("actor") && !run_failure()) {
			step_once("actor");
			if (watched_file->f_mapping->i_mmap_rwsem.owner)
				continue;
			for (pgoff_t index = 0; index < 4; index++)
				ck_assert_uint_eq(views_of(index), 1);
		}
		step_finish(VFIOSIM_OK);
	}
}
END_TEST

/* ---- killed while waiting for the lock (MM-11) ---- */

static struct task_struct *waiter KSTATE;

static void hold_lock(void *unused)
{
	mmap_write_lock(mm);
	mmap_write_unlock(mm);
}

static void call_and_note(long result)
{
	note("%ld", result);
}

static void act_killed_munmap(void)
{
	waiter = get_current();
	call_and_note(unmap(0, 1));
}

static void act_killed_mmap(void)
{
	waiter = get_current();
	call_and_note(map(ANON, 40, 1, RW, PRIVATE, 0));
}

static void act_killed_mprotect(void)
{
	waiter = get_current();
	call_and_note(protect(0, 1, R));
}

static void act_killed_mremap(void)
{
	waiter = get_current();
	call_and_note(move(0, 1, 1, 50));
}

static void act_killed_madvise(void)
{
	waiter = get_current();
	call_and_note(ksys_madvise(AT(0), PAGES(1), MADV_DONTFORK));
}

static void act_killed_brk(void)
{
	waiter = get_current();
	call_and_note(ksys_brk(mm->start_brk + 1));
}

static void (*const killed[])(void) = {
	act_killed_munmap, act_killed_mmap, act_killed_mprotect, act_killed_mremap,
	act_killed_madvise, act_killed_brk,
};

START_TEST(a_fatal_signal_ends_the_wait_for_mmap_lock)
{
	struct vfiosim_scenario scenario = scenario_of("killed", killed[_i], KERNEL_5_14);

	scenario.tasks[1] = (struct vfiosim_task){ "holder", hold_lock };
	step_begin(&scenario);
	step_past("holder", ENG_OP_DOWN_WRITE, "mmap_lock", 1);
	while (!step_blocked("actor"))
		step_once("actor");
	waiter->pending |= SIGKILL_BIT;
	run_step(step_number("actor"), ENG_SIGNAL);
	step_out("actor");
	ck_assert_str_eq(hook_log, "-4");
	step_out("holder");
	step_finish(VFIOSIM_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mm-stages");
	TCase *tc = tcase_create("mm-stages");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, hooks_are_called_in_the_state_that_the_kernel_has, 0,
			    ARRAY_SIZE(contexts));
	tcase_add_loop_test(tc, each_call_holds_mmap_lock_as_the_kernel_does, 0,
			    ARRAY_SIZE(holders));
	tcase_add_loop_test(tc, every_stage_of_a_life_can_be_seen, 0, ARRAY_SIZE(lives));
	tcase_add_test(tc, a_zap_clears_one_entry_after_another);
	tcase_add_loop_test(tc, changes_of_the_tree_wait_for_a_zap, 0, ARRAY_SIZE(meanwhile));
	tcase_add_test(tc, a_walk_sees_every_page_once_whatever_is_split_or_joined);
	tcase_add_loop_test(tc, a_fatal_signal_ends_the_wait_for_mmap_lock, 0, ARRAY_SIZE(killed));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
