// SPDX-License-Identifier: GPL-2.0-only
/* The model's side of bench/mm: system calls without a system call. */
#define VFIOSIM_HOST
#include <linux/mman.h>

#include <vfiosim/kapi/mm.h>

#include "arena.h"
#include "mm-side.h"
#include "run.h"
#include "sched.h"

static struct {
	struct mm_struct *mm;
	struct mm_struct *child;
	struct files_struct *files;
	struct file *file;
	int fd;
} bench KSTATE;

static void check(bool good)
{
	if (!good)
		eng_fail("bug", NULL, "a system call of the benchmark failed");
}

static void new_file(unsigned long pages)
{
	if (bench.file)
		close_fd(bench.fd);
	bench.file = memfd_file("bench", 0);
	memfd_truncate(bench.file, pages * PAGE_SIZE);
	bench.fd = get_unused_fd_flags(0);
	fd_install(bench.fd, bench.file);
}

static void map(unsigned long addr, unsigned long pages, unsigned long pgoff)
{
	check(ksys_mmap(addr, pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			bench.fd, pgoff * PAGE_SIZE) == addr);
}

static void unmap(unsigned long addr, unsigned long pages)
{
	check(!ksys_munmap(addr, pages * PAGE_SIZE));
}

static void protect(unsigned long addr, unsigned long pages, bool write)
{
	check(!ksys_mprotect(addr, pages * PAGE_SIZE, PROT_READ | (write ? PROT_WRITE : 0)));
}

static void move(unsigned long addr, unsigned long pages, unsigned long to)
{
	check(ksys_mremap(addr, pages * PAGE_SIZE, pages * PAGE_SIZE,
			  MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
}

static void store(unsigned long addr)
{
	u64 value = addr;
	int code;

	check(!user_access(addr, true, &value, sizeof(value), &code));
}

static void drop(unsigned long addr, unsigned long pages)
{
	check(!ksys_madvise(addr, pages * PAGE_SIZE, MADV_DONTNEED));
}

static void punch(unsigned long pgoff)
{
	check(!memfd_punch(bench.file, pgoff * PAGE_SIZE, PAGE_SIZE));
}

static void fork_space(void)
{
	bench.child = mm_alloc();
	check(!dup_mmap(bench.child, bench.mm));
}

static void end_child(void)
{
	mmput(bench.child);
}

const struct side model_side = {
	.name = "model",
	.file = new_file,
	.map = map,
	.unmap = unmap,
	.protect = protect,
	.move = move,
	.store = store,
	.drop = drop,
	.punch = punch,
	.fork = fork_space,
	.end_child = end_child,
};

/* ---- the run ---- */

static struct {
	void (*body)(void *data);
	void *data;
} job;

static void run_body(void *fixture)
{
	struct task_struct *task = get_current();
	struct mm_struct *own_mm = task->mm;
	struct files_struct *own_files = task->files;

	kernel_version = KERNEL_6_18;
	bench.mm = task->mm = task->active_mm = mm_alloc();
	bench.files = task->files = alloc_files();
	task->rlimit_as = ~0UL;
	task->rlimit_nofile = 64;
	sysctl_max_map_count = 1 << 30;
	job.body(job.data);
	task->mm = task->active_mm = NULL;
	mmput(bench.mm);
	put_files_struct(bench.files);
	task->files = own_files;
	task_work_run();
	task->mm = task->active_mm = own_mm;
}

bool in_model(void (*body)(void *data), void *data)
{
	static const struct vfiosim_scenario scenario = { .name = "bench-mm",
							  .setup = run_body };
	const struct run_config config = { .scenario = &scenario };

	job.body = body;
	job.data = data;
	run_begin(&config);
	while (run_menu())
		run_step(__builtin_ctzll(run_menu()->enabled), ENG_READY);
	return run_end() == VFIOSIM_OK;
}

size_t model_bytes(void)
{
	return ENGINE->heap.top - ARENA_HEAP;
}
