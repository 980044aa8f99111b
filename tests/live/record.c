// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recorder. Most of a state is read from /proc; what the kernel does not
 * show is followed here page by page: through which open file description a
 * page was mapped, which shared anonymous object it belongs to, and whether
 * this process has touched it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "live.h"
#include "record.h"

#define NR_MSEAL 462		/* newer than the headers may be */
#define FIRST_FD 200		/* handle h of a process is descriptor 200 + h */

struct page {
	int desc;		/* -1: none */
	int shared_anon;	/* -1: none */
	bool touched;		/* by this process, since it was last absent */
	bool only_read;
	bool left_out;		/* by fork */
	bool read_in;		/* touched by the kernel for the process, without a write */
	bool brought_in;	/* the same, with a write where the mapping is private */
};

struct process {
	int desc[MMOP_HANDLES_MAX];
	struct page page[MMOP_WINDOW_MAX];
};

struct recording {
	struct live *live;
	struct mmtrace *trace;
	struct mmstate before;
	struct mmstate now;
	struct process process[MMOP_PROCS_MAX];
	int file_fd[MMOP_FILES_MAX];	/* -1: dropped */
	uint64_t file_size[MMOP_FILES_MAX];
	unsigned long file_inode[MMOP_FILES_MAX];
	GArray *desc_file;		/* int: which file a description is of */
	bool saw[9];
};

enum feature { ANON, ANONREAD, ACCT, FORK, LAZYFORK, SHAREDANON, MULTIVMA, DONTUNMAP,
	       CALLS };
static const char *const feature_names[] = {
	"anon", "anonread", "acct", "fork", "lazyfork", "sharedanon", "multivma-mremap",
	"dontunmap", "calls",
};

static const struct page no_page = { .desc = -1, .shared_anon = -1 };

static unsigned int pages_of(uint64_t bytes)
{
	return (bytes + MMOP_PAGE - 1) / MMOP_PAGE;
}

static void forget(struct recording *r, unsigned int proc, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		r->process[proc].page[i] = no_page;
}

static void forget_process(struct recording *r, unsigned int proc)
{
	for (unsigned int i = 0; i < MMOP_HANDLES_MAX; i++)
		r->process[proc].desc[i] = -1;
	forget(r, proc, 0, MMOP_WINDOW_MAX);
}

static void describe_machine(struct mmtrace *trace, unsigned int window)
{
	g_autofree char *overcommit = NULL;
	struct utsname name;

	uname(&name);
	trace->release = g_strdup(name.release);
	trace->machine = g_strdup(name.machine);
	trace->base = LIVE_BASE;
	trace->window = window;
	if (g_file_get_contents("/proc/sys/vm/overcommit_memory", &overcommit, NULL, NULL))
		trace->overcommit = atoi(overcommit);
}

struct recording *recording_start(unsigned int window, const char **why)
{
	struct live *live = live_start(LIVE_BASE, window, why);
	struct recording *r;

	if (!live)
		return NULL;
	r = g_new0(struct recording, 1);
	r->live = live;
	r->trace = mmtrace_new("live");
	describe_machine(r->trace, window);
	mmstate_init(&r->before, window);
	mmstate_init(&r->now, window);
	for (unsigned int i = 0; i < MMOP_FILES_MAX; i++)
		r->file_fd[i] = -1;
	r->desc_file = g_array_new(FALSE, FALSE, sizeof(int));
	forget_process(r, 0);
	return r;
}

const struct mmstate *recording_state(const struct recording *r)
{
	return &r->now;
}

int recording_desc(const struct recording *r, unsigned int proc, unsigned int handle)
{
	return r->process[proc].desc[handle];
}

bool recording_dropped(const struct recording *r, unsigned int file)
{
	return r->file_fd[file] < 0;
}

/* ---- carrying out ---- */

static void set_result(struct mmop_result *result, long value)
{
	*result = (struct mmop_result){ .outcome = value < 0 ? MMOP_ERROR : MMOP_OK };
	if (value < 0)
		result->error = -value;
}

static long errno_of(long value)
{
	return value == -1 ? -errno : value;
}

static long create_file(struct recording *r, const struct mmop *op)
{
	struct stat stat;
	int fd = memfd_create("f", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		live_die("memfd_create: %s", strerror(errno));
	if (ftruncate(fd, op->length) || fstat(fd, &stat))
		live_die("a file of %lu bytes: %s", (unsigned long)op->length, strerror(errno));
	r->file_fd[op->file] = fd;
	r->file_size[op->file] = op->length;
	r->file_inode[op->file] = stat.st_ino;
	return 0;
}

static long drop_file(struct recording *r, const struct mmop *op)
{
	long result = errno_of(close(r->file_fd[op->file]));

	r->file_fd[op->file] = -1;
	return result;
}

/* Pages of file (f) or shared memory (z) @id from @first to before @last left everywhere. */
static void zapped(struct recording *r, char object, int id, uint64_t first, uint64_t last)
{
	for (unsigned int p = 0; p < r->now.procs; p++) {
		const struct mmstate_proc *proc = r->now.proc[p];

		for (unsigned int k = 0; proc && k < proc->nvma; k++) {
			const struct mmop_vma *vma = &proc->vma[k];

			if (vma->object != object || vma->id != id)
				continue;
			for (unsigned int i = vma->start; i < vma->end; i++) {
				uint64_t index = vma->pgoff + (i - vma->start);

				if (index >= first && index < last)
					r->process[p].page[i].left_out = false;
			}
		}
	}
}

static long truncate_file(struct recording *r, const struct mmop *op)
{
	if (ftruncate(r->file_fd[op->file], op->length))
		return -errno;
	if (op->length < r->file_size[op->file])
		zapped(r, 'f', op->file, pages_of(op->length), UINT64_MAX);
	r->file_size[op->file] = op->length;
	return 0;
}

static long punch_file(struct recording *r, const struct mmop *op)
{
	if (fallocate(r->file_fd[op->file], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      op->offset, op->length))
		return -errno;
	zapped(r, 'f', op->file, (op->offset + MMOP_PAGE - 1) / MMOP_PAGE,
	       (op->offset + op->length) / MMOP_PAGE);
	return 0;
}

static void read_file(struct recording *r, const struct mmop *op, struct mmop_result *result)
{
	uint64_t value = 0;
	ssize_t done = pread(r->file_fd[op->file], &value, sizeof(value), op->offset);

	set_result(result, errno_of(done));
	if (done >= 0)
		result->outcome = done ? MMOP_VALUE : MMOP_EOF;
	result->value = done > 0 ? value : 0;
}

static long write_file(struct recording *r, const struct mmop *op, uint64_t token)
{
	uint64_t page[MMOP_PAGE / sizeof(uint64_t)] = { token };
	ssize_t done = pwrite(r->file_fd[op->file], page, sizeof(page), op->offset);

	if (done < 0)
		return -errno;
	if (op->offset + done > r->file_size[op->file])
		r->file_size[op->file] = op->offset + done;
	return 0;
}

static long open_file(struct recording *r, const struct mmop *op)
{
	char *path = live_shared(r->live);
	long fd, result;

	sprintf(path, "/proc/%d/fd/%d", getpid(), r->file_fd[op->file]);
	fd = live_syscall(r->live, op->proc, SYS_openat, AT_FDCWD, (long)path,
			  op->readonly ? O_RDONLY : O_RDWR);
	if (fd < 0)
		return fd;
	result = live_syscall(r->live, op->proc, SYS_dup3, fd, FIRST_FD + op->handle, 0);
	live_syscall(r->live, op->proc, SYS_close, fd);
	if (result < 0)
		return result;
	r->process[op->proc].desc[op->handle] = r->desc_file->len;
	g_array_append_val(r->desc_file, (int){ op->file });
	return 0;
}

static long dup_handle(struct recording *r, const struct mmop *op)
{
	long result = live_syscall(r->live, op->proc, SYS_dup2, FIRST_FD + op->handle2,
				   FIRST_FD + op->handle);

	if (result < 0)
		return result;
	r->process[op->proc].desc[op->handle] = r->process[op->proc].desc[op->handle2];
	return 0;
}

static long close_handle(struct recording *r, const struct mmop *op)
{
	r->process[op->proc].desc[op->handle] = -1;
	return live_syscall(r->live, op->proc, SYS_close, FIRST_FD + op->handle);
}

static long map(struct recording *r, const struct mmop *op)
{
	long flags = op->noreplace ? MAP_FIXED_NOREPLACE : MAP_FIXED;

	if (op->share != 'x')
		flags |= op->share == 's' ? MAP_SHARED : MAP_PRIVATE;
	flags |= op->noreserve ? MAP_NORESERVE : 0;
	flags |= op->populate ? MAP_POPULATE : 0;
	flags |= op->locked ? MAP_LOCKED : 0;
	if (op->handle == MMOP_ANON)
		flags |= MAP_ANONYMOUS;
	return live_syscall(r->live, op->proc, SYS_mmap, LIVE_BASE + op->addr, op->length, op->prot,
			    flags, op->handle == MMOP_ANON ? -1 : FIRST_FD + op->handle,
			    op->offset);
}

static long remap(struct recording *r, const struct mmop *op)
{
	static const int flags[MMOP_MREMAP_MODES] = {
		[MMOP_FIXED] = MREMAP_MAYMOVE | MREMAP_FIXED,
		[MMOP_DONTUNMAP] = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
		[MMOP_FIXEDONLY] = MREMAP_FIXED,
		[MMOP_HINT] = MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
	};

	return live_syscall(r->live, op->proc, SYS_mremap, LIVE_BASE + op->addr, op->length,
			    op->new_length, flags[op->mode], LIVE_BASE + op->new_addr);
}

static long advise(struct recording *r, const struct mmop *op)
{
	static const int advice[MMOP_ADVICES] = {
		MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_NORMAL, MADV_RANDOM,
		MADV_SEQUENTIAL, MADV_DONTDUMP, MADV_DODUMP, MADV_REMOVE, MADV_FREE, MADV_COLD,
		MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_WIPEONFORK, MADV_KEEPONFORK,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE, MADV_UNMERGEABLE,
	};

	return live_syscall(r->live, op->proc, SYS_madvise, LIVE_BASE + op->addr, op->length,
			    advice[op->mode]);
}

static long synchronize(struct recording *r, const struct mmop *op)
{
	static const int flags[MMOP_SYNCS] = { MS_SYNC, MS_ASYNC, MS_INVALIDATE };

	return live_syscall(r->live, op->proc, SYS_msync, LIVE_BASE + op->addr, op->length,
			    flags[op->mode]);
}

static void ask_resident(struct recording *r, const struct mmop *op, struct mmop_result *result)
{
	uint8_t *vec = live_shared(r->live);

	memset(vec, 0, MMOP_MINCORE_PAGES);
	set_result(result, live_syscall(r->live, op->proc, SYS_mincore, LIVE_BASE + op->addr,
					op->length, (long)vec));
	if (result->outcome != MMOP_OK)
		return;
	result->outcome = MMOP_VALUE;
	for (unsigned int page = 0; page < MMOP_MINCORE_PAGES; page++)
		result->value |= (uint64_t)(vec[page] & 1) << page;
}

static void touch(struct recording *r, const struct mmop *op, uint64_t token,
		  struct mmop_result *result)
{
	bool write = op->kind == MMOP_WRITE;
	uint64_t value = token;

	*result = (struct mmop_result){
		.outcome = live_touch(r->live, op->proc, LIVE_BASE + op->addr, write, &value),
	};
	if (result->outcome == MMOP_OK && !write) {
		result->outcome = MMOP_VALUE;
		result->value = value;
	}
}

static long end_process(struct recording *r, const struct mmop *op)
{
	live_exit(r->live, op->proc);
	return 0;
}

static long start_child(struct recording *r, const struct mmop *op)
{
	int child = live_fork(r->live, op->proc);

	return child < 0 ? child : 0;
}

static long in_process(struct recording *r, const struct mmop *op)
{
	switch (op->kind) {
	case MMOP_OPEN:
		return open_file(r, op);
	case MMOP_DUP:
		return dup_handle(r, op);
	case MMOP_CLOSE:
		return close_handle(r, op);
	case MMOP_MMAP:
		return map(r, op);
	case MMOP_MUNMAP:
		return live_syscall(r->live, op->proc, SYS_munmap, LIVE_BASE + op->addr,
				    op->length);
	case MMOP_MPROTECT:
		return live_syscall(r->live, op->proc, SYS_mprotect, LIVE_BASE + op->addr,
				    op->length, op->prot);
	case MMOP_MREMAP:
		return remap(r, op);
	case MMOP_MADVISE:
		return advise(r, op);
	case MMOP_FORK:
		return start_child(r, op);
	case MMOP_EXIT:
		return end_process(r, op);
	case MMOP_MLOCK:
	case MMOP_MUNLOCK:
		return live_syscall(r->live, op->proc,
				    op->kind == MMOP_MLOCK ? SYS_mlock : SYS_munlock,
				    LIVE_BASE + op->addr, op->length);
	case MMOP_MSEAL:
		return live_syscall(r->live, op->proc, NR_MSEAL, LIVE_BASE + op->addr,
				    op->length, 0);
	case MMOP_MSYNC:
		return synchronize(r, op);
	case MMOP_REMAP_FILE:
		return live_syscall(r->live, op->proc, SYS_remap_file_pages, LIVE_BASE + op->addr,
				    op->length, 0, op->offset / MMOP_PAGE, 0);
	}
	live_die("operation %d is not one of a process", op->kind);
}

static void execute(struct recording *r, const struct mmop *op, uint64_t token,
		    struct mmop_result *result)
{
	switch (op->kind) {
	case MMOP_FILE:
		set_result(result, create_file(r, op));
		break;
	case MMOP_DROP:
		set_result(result, drop_file(r, op));
		break;
	case MMOP_TRUNC:
		set_result(result, truncate_file(r, op));
		break;
	case MMOP_PUNCH:
		set_result(result, punch_file(r, op));
		break;
	case MMOP_FREAD:
		read_file(r, op, result);
		break;
	case MMOP_FWRITE:
		set_result(result, write_file(r, op, token));
		break;
	case MMOP_READ:
	case MMOP_WRITE:
		touch(r, op, token, result);
		break;
	case MMOP_MINCORE:
		ask_resident(r, op, result);
		break;
	default:
		set_result(result, in_process(r, op));
	}
}

/* ---- following what the kernel does not show ---- */

static void follow_map(struct recording *r, const struct mmop *op)
{
	struct process *process = &r->process[op->proc];
	unsigned int first = op->addr / MMOP_PAGE;
	struct page page = no_page;

	if (op->handle != MMOP_ANON)
		page.desc = process->desc[op->handle];
	else if (op->share == 's')
		page.shared_anon = r->now.shared_anon - 1;
	page.brought_in = op->populate || op->locked;
	for (unsigned int i = 0; i < pages_of(op->length); i++)
		process->page[first + i] = page;
}

static bool has_flag(const struct recording *r, unsigned int id, unsigned int page,
		     unsigned int flag)
{
	const struct mmstate_proc *proc = r->before.proc[id];

	for (unsigned int k = 0; k < proc->nvma; k++)
		if (proc->vma[k].start <= page && page < proc->vma[k].end)
			return proc->vma[k].flags & flag;
	return false;
}

static bool was_present(const struct recording *r, unsigned int proc, unsigned int page)
{
	return strchr("FAZ?", r->before.proc[proc]->state[page]);
}

/*
 * What mlock and MADV_POPULATE_* bring in, however far they came: nobody can see
 * whether one that failed has written to a page that was there before.
 */
static void follow_populate(struct recording *r, const struct mmop *op, bool failed)
{
	struct page *page = r->process[op->proc].page;
	unsigned int end = MIN(pages_of(op->addr + op->length), r->now.window);

	for (unsigned int i = op->addr / MMOP_PAGE; i < end; i++) {
		if (op->kind == MMOP_MPROTECT &&
		    !(has_flag(r, op->proc, i, MMOP_VMA_LOCKED) && op->prot & PROT_WRITE))
			continue;
		if (failed && was_present(r, op->proc, i))
			continue;
		if (op->kind == MMOP_MADVISE && op->mode == MMOP_POPULATE_READ)
			page[i].read_in = true;
		else
			page[i].brought_in = true;
	}
}

/* The same file through the same description, but nothing touched. */
static void follow_remap_file(struct recording *r, const struct mmop *op)
{
	struct page *page = &r->process[op->proc].page[op->addr / MMOP_PAGE];

	for (unsigned int i = 0; i < op->length / MMOP_PAGE; i++)
		page[i] = (struct page){ .desc = page[i].desc, .brought_in = true,
					 .shared_anon = page[i].shared_anon };
}

/* The page as a mapping that grows over it, or a second view of it, has it. */
static struct page untouched(const struct page *page)
{
	return (struct page){ .desc = page->desc, .shared_anon = page->shared_anon };
}

/* Does this mremap leave the old mapping where it is? */
static bool stays(const struct mmop *op)
{
	return op->mode == MMOP_DONTUNMAP || op->mode == MMOP_HINT;
}

/* The old range leaves; with DONTUNMAP only its pages do. */
static void follow_source(struct recording *r, const struct mmop *op)
{
	struct page *page = &r->process[op->proc].page[op->addr / MMOP_PAGE];

	for (unsigned int i = 0; i < pages_of(op->length); i++)
		page[i] = stays(op) ? untouched(&page[i]) : no_page;
}

static bool was_mapped(const struct recording *r, unsigned int proc, unsigned int page)
{
	return r->before.proc[proc]->state[page] != '.';
}

static void follow_remap(struct recording *r, const struct mmop *op)
{
	struct page *page = r->process[op->proc].page, moved[MMOP_WINDOW_MAX], grown;
	unsigned int from = op->addr / MMOP_PAGE, length = pages_of(op->length);
	unsigned int to = op->mode == MMOP_INPLACE ? from : op->new_addr / MMOP_PAGE;

	memcpy(moved, page + from, length * sizeof(*page));
	grown = untouched(&page[length ? from + length - 1 : from]);
	if (length)
		follow_source(r, op);
	for (unsigned int i = 0; i < pages_of(op->new_length); i++) {
		if (i >= length)
			page[to + i] = grown;
		else if (was_mapped(r, op->proc, from + i))
			page[to + i] = moved[i];	/* a hole leaves the target alone */
	}
	/* If the mapping is locked, what was added has been brought in. */
	for (unsigned int i = length; i < pages_of(op->new_length); i++)
		page[to + i].brought_in = length && has_flag(r, op->proc, from, MMOP_VMA_LOCKED);
	if (stays(op))
		r->saw[DONTUNMAP] = true;
}

/*
 * A failed move of several mappings may have moved the first ones. What left
 * its place and stands at the new one has moved.
 */
static void follow_failed_move(struct recording *r, const struct mmop *op)
{
	struct page *page = r->process[op->proc].page;
	unsigned int from = op->addr / MMOP_PAGE, to = op->new_addr / MMOP_PAGE;
	struct live_vma vmas[MMOP_WINDOW_MAX];
	bool mapped[MMOP_WINDOW_MAX] = { false };
	unsigned int count;

	count = live_maps(r->live, op->proc, LIVE_BASE, LIVE_BASE + r->now.window * MMOP_PAGE,
			  vmas, MMOP_WINDOW_MAX);
	for (unsigned int k = 0; k < count; k++)
		for (unsigned long at = vmas[k].start; at < vmas[k].end; at += MMOP_PAGE)
			mapped[(at - LIVE_BASE) / MMOP_PAGE] = true;
	for (unsigned int i = 0; i < pages_of(op->length) && to + i < r->now.window; i++) {
		if (!was_mapped(r, op->proc, from + i) || mapped[from + i] || !mapped[to + i])
			continue;
		page[to + i] = page[from + i];
		r->saw[MULTIVMA] = true;
	}
}

static bool seal_stops(const struct recording *r, const struct mmop *op, unsigned int start,
		       unsigned int end)
{
	unsigned int shift = op->new_addr / MMOP_PAGE - op->addr / MMOP_PAGE;

	for (unsigned int i = start; i < end; i++)
		if (has_flag(r, op->proc, i, MMOP_VMA_SEALED) ||
		    has_flag(r, op->proc, i + shift, MMOP_VMA_SEALED))
			return true;
	return false;
}

/* With DONTUNMAP the place tells nothing; what a seal did not stop has moved. */
static void follow_sealed_move(struct recording *r, const struct mmop *op)
{
	const struct mmstate_proc *proc = r->before.proc[op->proc];
	struct page *page = r->process[op->proc].page;
	unsigned int from = op->addr / MMOP_PAGE, to = op->new_addr / MMOP_PAGE;

	for (unsigned int k = 0; k < proc->nvma; k++) {
		unsigned int start = MAX(proc->vma[k].start, from);
		unsigned int end = MIN(proc->vma[k].end, from + pages_of(op->length));

		if (start < end && seal_stops(r, op, start, end))
			return;
		for (unsigned int i = start; i < end; i++) {
			page[to + i - from] = page[i];
			page[i] = untouched(&page[i]);
			r->saw[MULTIVMA] = true;
		}
	}
}

static void follow_fork(struct recording *r, const struct mmop *op)
{
	const struct mmstate_proc *parent = r->before.proc[op->proc];
	struct process *child = &r->process[op->child];

	*child = r->process[op->proc];
	for (unsigned int i = 0; i < r->now.window; i++) {
		char state = parent->state[i];
		struct page *page = &child->page[i];

		/* Wiped is not left out: nobody may have such a page in the child. */
		page->left_out = state != '.' && state != '-' &&
				 !has_flag(r, op->proc, i, MMOP_VMA_WIPEONFORK);
		page->touched = state == 'A';
	}
	r->saw[FORK] = true;
}

static void follow_touch(struct recording *r, const struct mmop *op)
{
	struct page *page = &r->process[op->proc].page[op->addr / MMOP_PAGE];

	page->only_read = op->kind == MMOP_READ && (page->only_read || !page->touched);
	page->touched = true;
	page->left_out = false;
}

/* Whether this mapping is where advice that drops pages ended with @error. */
static bool advice_stops(const struct mmop_vma *vma, const struct mmop *op, unsigned int error)
{
	if (error == EPERM)
		return vma->flags & MMOP_VMA_SEALED && vma->object == 'a' &&
		       !(vma->perm & PROT_WRITE);
	if (op->mode == MMOP_DONTNEED)
		return error == EINVAL && vma->flags & MMOP_VMA_LOCKED;
	/* REMOVE needs a file; which descriptors are read-only is not known here. */
	return error == EACCES || vma->object == 'a' || vma->flags & MMOP_VMA_LOCKED;
}

/* Mapping by mapping up to the one that ended it, if one did: what was dropped is absent. */
static void follow_advice(struct recording *r, const struct mmop *op, unsigned int error)
{
	const struct mmstate_proc *proc = r->before.proc[op->proc];
	unsigned int first = op->addr / MMOP_PAGE, last = first + pages_of(op->length);

	if ((op->mode != MMOP_DONTNEED && op->mode != MMOP_REMOVE) || op->addr % MMOP_PAGE)
		return;
	for (unsigned int k = 0; k < proc->nvma; k++) {
		const struct mmop_vma *vma = &proc->vma[k];
		unsigned int start = MAX(vma->start, first), end = MIN(vma->end, last);

		if (start >= end)
			continue;
		if (advice_stops(vma, op, error))
			return;
		for (unsigned int i = start; i < end; i++)
			r->process[op->proc].page[i].left_out = false;
		if (op->mode == MMOP_REMOVE)
			zapped(r, vma->object, vma->id, vma->pgoff + start - vma->start,
			       vma->pgoff + end - vma->start);
	}
}

static bool spans_mappings(const struct recording *r, const struct mmop *op)
{
	const struct mmstate_proc *proc = r->before.proc[op->proc];
	unsigned int first = op->addr / MMOP_PAGE, end = first + pages_of(op->length);

	for (unsigned int k = 0; k < proc->nvma; k++)
		if (proc->vma[k].start <= first && first < proc->vma[k].end)
			return proc->vma[k].end < end;
	return false;
}

static void follow_success(struct recording *r, const struct mmop *op)
{
	switch (op->kind) {
	case MMOP_MMAP:
		follow_map(r, op);
		break;
	case MMOP_MREMAP:
		r->saw[MULTIVMA] |= spans_mappings(r, op);
		follow_remap(r, op);
		break;
	case MMOP_MADVISE:
		follow_advice(r, op, 0);
		break;
	case MMOP_FORK:
		follow_fork(r, op);
		break;
	case MMOP_REMAP_FILE:
		follow_remap_file(r, op);
		break;
	case MMOP_READ:
	case MMOP_WRITE:
		follow_touch(r, op);
		break;
	}
}

static bool populates(const struct mmop *op)
{
	/* An mprotect copies the pages of private locked memory that becomes writable. */
	return op->kind == MMOP_MLOCK || op->kind == MMOP_MPROTECT || (op->kind == MMOP_MADVISE &&
	       (op->mode == MMOP_POPULATE_READ || op->mode == MMOP_POPULATE_WRITE));
}

static void follow(struct recording *r, const struct mmop *op, const struct mmop_result *result)
{
	if (populates(op))
		follow_populate(r, op, result->outcome == MMOP_ERROR);
	if (result->outcome == MMOP_OK || result->outcome == MMOP_VALUE)
		follow_success(r, op);
	else if (op->kind == MMOP_MADVISE)
		follow_advice(r, op, result->error);
	else if (op->kind == MMOP_MREMAP && op->mode == MMOP_FIXED &&
		 op->addr % MMOP_PAGE == 0 && op->new_addr % MMOP_PAGE == 0)
		follow_failed_move(r, op);
	else if (op->kind == MMOP_MREMAP && op->mode == MMOP_DONTUNMAP && result->error == EPERM)
		follow_sealed_move(r, op);
}

/* ---- looking ---- */

static void name_object(struct recording *r, const struct page *page, unsigned long inode,
			struct mmop_vma *vma)
{
	vma->desc = page->desc;
	vma->object = page->desc >= 0 ? 'f' : page->shared_anon >= 0 ? 'z' : 'a';
	if (vma->object == 'f')
		vma->id = g_array_index(r->desc_file, int, page->desc);
	else if (vma->object == 'z')
		vma->id = page->shared_anon;
	if ((vma->object == 'a') != (inode == 0) ||
	    (vma->object == 'f' && inode != r->file_inode[vma->id]))
		live_die("the recorder lost track of page %d: it is not of %c%d", vma->start,
			 vma->object, vma->id);
}

/* As /proc/PID/smaps has them; the bits of mmop_vma.flags, in order. */
static const char *const flag_names[] = {
	" ac ", " dc ", " nr ", " lo ", " sr ", " rr ", " dd ", " wf ", " sl ",
	" hg ", " nh ", " mg ",
};

static void convert(struct recording *r, unsigned int proc, const struct live_vma *from,
		    struct mmop_vma *to)
{
	unsigned long end = LIVE_BASE + r->now.window * MMOP_PAGE;

	if (from->start < LIVE_BASE || from->end > end)
		live_die("a mapping crosses the edge of the window");
	*to = (struct mmop_vma){
		.start = (from->start - LIVE_BASE) / MMOP_PAGE,
		.end = (from->end - LIVE_BASE) / MMOP_PAGE,
	};
	for (int i = 0; i < 3; i++)
		to->perm |= (from->perm[i] != '-') << i;
	if (from->perm[3] == 's')
		to->perm |= MMOP_VMA_SHARED;
	for (unsigned int i = 0; i < G_N_ELEMENTS(flag_names); i++)
		if (strstr(from->flags, flag_names[i]))
			to->flags |= 1 << i;
	name_object(r, &r->process[proc].page[to->start], from->inode, to);
	to->pgoff = to->object == 'a' ? 0 : from->offset / MMOP_PAGE;
}

/* The kernel touched the page for the process, if it has come to be present. */
static void take_in(struct page *page, const struct mmop_vma *vma)
{
	bool write = page->brought_in && vma->perm & PROT_WRITE;

	if (!page->read_in && !page->brought_in)
		return;
	page->only_read = !write && (page->only_read || !page->touched);
	page->touched = true;
	page->read_in = false;
	page->brought_in = false;
}

static char page_state(struct page *page, char object, uint64_t entry)
{
	if (!(entry & LIVE_PRESENT)) {
		page->touched = false;
		page->only_read = false;
		return page->left_out ? 'o' : '-';
	}
	page->left_out = false;
	if (!page->touched)
		return '?';
	if (object == 'a')
		return page->only_read ? 'Z' : 'A';
	return entry & LIVE_FILE_PAGE ? 'F' : 'A';
}

static void note_features(struct recording *r, const struct mmstate_proc *proc)
{
	for (unsigned int k = 0; k < proc->nvma; k++) {
		r->saw[ACCT] |= proc->vma[k].flags & MMOP_VMA_ACCOUNT;
		r->saw[SHAREDANON] |= proc->vma[k].object == 'z';
		if (k && mmstate_continues(&proc->vma[k - 1], &proc->vma[k]))
			r->trace->unmerged++;
	}
	r->saw[ANON] |= memchr(proc->state, 'A', r->now.window) != NULL;
	r->saw[ANONREAD] |= memchr(proc->state, 'Z', r->now.window) != NULL;
	r->saw[LAZYFORK] |= memchr(proc->state, 'o', r->now.window) != NULL;
}

static void observe(struct recording *r, unsigned int id)
{
	struct mmstate_proc *proc = r->now.proc[id];
	struct live_vma vmas[MMOP_WINDOW_MAX];
	uint64_t entries[MMOP_WINDOW_MAX];
	unsigned int page = 0;

	proc->nvma = live_maps(r->live, id, LIVE_BASE, LIVE_BASE + r->now.window * MMOP_PAGE,
			       vmas, MMOP_WINDOW_MAX);
	live_pagemap(r->live, id, LIVE_BASE, r->now.window, entries);
	memset(proc->state, '.', r->now.window);
	for (unsigned int k = 0; k < proc->nvma; k++) {
		struct mmop_vma *vma = &proc->vma[k];

		convert(r, id, &vmas[k], vma);
		forget(r, id, page, vma->start);
		for (page = vma->start; page < vma->end; page++) {
			take_in(&r->process[id].page[page], vma);
			proc->state[page] = page_state(&r->process[id].page[page], vma->object,
						       entries[page]);
		}
	}
	forget(r, id, page, r->now.window);
	note_features(r, proc);
}

void recording_step(struct recording *r, const struct mmop *op)
{
	struct mmop_result result;
	struct mmtext_why why;

	execute(r, op, r->trace->steps->len + 1, &result);
	if (!mmstate_operation(&r->now, op, &result, &why))
		live_die("an operation that is not possible: %s", why.text);
	follow(r, op, &result);
	for (unsigned int id = 0; id < r->now.procs; id++)
		if (r->now.proc[id])
			observe(r, id);
	mmtrace_record(r->trace, op, &result, &r->before, &r->now);
	mmstate_copy(&r->before, &r->now);
}

struct mmtrace *recording_finish(struct recording *r, const char *seed, const char *profile)
{
	struct mmtrace *trace = r->trace;
	g_autoptr(GString) features = g_string_new(NULL);

	r->saw[CALLS] = trace->calls;
	for (unsigned int i = 0; i < G_N_ELEMENTS(feature_names); i++)
		if (r->saw[i])
			g_string_append_printf(features, " %s", feature_names[i]);
	trace->features = g_strdup(features->str);
	trace->seed = g_strdup(seed);
	trace->profile = g_strdup(profile);
	live_stop(r->live);
	for (unsigned int i = 0; i < MMOP_FILES_MAX; i++)
		if (r->file_fd[i] >= 0)
			close(r->file_fd[i]);
	mmstate_clear(&r->before);
	mmstate_clear(&r->now);
	g_array_free(r->desc_file, TRUE);
	g_free(r);
	return trace;
}
