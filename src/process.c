// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes: made by fork, replaced by exec, ended by exit or a signal. Follows
 * kernel/fork.c (copy_process), fs/exec.c (begin_new_exec), kernel/exit.c
 * (do_exit) and kernel/signal.c (complete_signal, get_signal) in the order in
 * which files and memory are taken and given back; nothing else of them is here.
 *
 * Lock order: no lock of its own. What tasks share in a process (is it exiting,
 * which signals) is announced as ENG_OP_SIGNAL on the process.
 */
#include <asm/signal.h>

#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/work.h>

#include "engine.h"
#include "process.h"
#include "vfs.h"

#define NOFILE_SOFT 1024UL
#define SIGNAL_BIT(signal) (1UL << ((signal) - 1))

static struct list_head processes KSTATE = LIST_HEAD_INIT(processes);
static struct process *init_process KSTATE = NULL;
static pid_t last_pid KSTATE = 0;

static void announce(const struct process *process, enum eng_access access)
{
	eng_point(ENG_OP_SIGNAL, process, access);
}

/* ---- threads ---- */

static struct task_struct *thread_alloc(struct process *process)
{
	struct task_struct *task = kzalloc(sizeof(struct task_struct), GFP_KERNEL);

	if (!task)
		return NULL;
	task->pid = ++last_pid;
	task->tgid = process->nr_threads ? process->tgid : task->pid;
	process->tgid = task->tgid;
	strscpy(task->comm, process->name, sizeof(task->comm));
	task->nsproxy = &init_nsproxy;
	task->cred = get_cred(&init_cred);
	task->process = process;
	task->rlimit_nofile = NOFILE_SOFT;
	task->rlimit_as = ~0UL;
	eng_name(task, process->name);
	process->thread[process->nr_threads++] = task;
	process->nr_live++;
	return task;
}

/* Takes back the newest thread, which nobody has acted for yet. */
static void thread_free(struct task_struct *task)
{
	struct process *process = task->process;

	process->thread[--process->nr_threads] = NULL;
	process->nr_live--;
	put_cred(task->cred);
	kfree(task);
}

static void thread_inherit(struct task_struct *task, const struct task_struct *from)
{
	put_cred(task->cred);
	task->cred = get_cred(from->cred);
	task->rlimit_nofile = from->rlimit_nofile;
	task->rlimit_as = from->rlimit_as;
}

/* What clone() shares: +1 on the table and on the users of the mm. */
static int thread_clone(struct process *process)
{
	struct task_struct *leader = process->thread[0];
	struct task_struct *task = thread_alloc(process);

	if (!task)
		return -ENOMEM;
	thread_inherit(task, leader);
	atomic_inc(&leader->files->count);
	task->files = leader->files;
	mmget(leader->mm);
	task->mm = leader->mm;
	task->active_mm = leader->mm;
	return 0;
}

int process_add_threads(struct process *process, unsigned int count)
{
	int ret = 0;

	if (count > PROCESS_THREADS_MAX)
		return -EINVAL;
	if (process->exiting)
		return -ESRCH;
	while (!ret && process->nr_threads < count)
		ret = thread_clone(process);
	return ret;
}

/* ---- creation ---- */

static struct process *process_alloc(const char *name)
{
	struct process *process = kzalloc(sizeof(struct process), GFP_KERNEL);

	if (!process)
		return NULL;
	strscpy(process->name, name, sizeof(process->name));
	init_completion(&process->exited);
	eng_name(process, process->name);
	if (!thread_alloc(process)) {
		kfree(process);
		return NULL;
	}
	list_add_tail(&process->list, &processes);
	return process;
}

/* For a process that never ran. */
static void process_free(struct process *process)
{
	list_del(&process->list);
	thread_free(process->thread[0]);
	kfree(process);
}

static struct process *create(const char *name)
{
	struct process *process = process_alloc(name);
	struct task_struct *task;

	if (!process)
		return NULL;
	task = process->thread[0];
	task->files = alloc_files();
	if (!task->files)
		goto err_free;
	task->mm = mm_alloc();
	if (!task->mm)
		goto err_files;
	task->active_mm = task->mm;
	return process;

err_files:
	put_files_struct(task->files);
err_free:
	process_free(process);
	return NULL;
}

static void exit_everybody(void)
{
	exit_users();
	exit_init();
	flush_everything();
}

struct process *process_init(void)
{
	if (init_process)
		return init_process;
	init_process = create("init");
	eng_at_end(exit_everybody);
	return init_process;
}

/* Init comes first: made in the setup, it is there when faults are injected. */
struct process *process_create(const char *name)
{
	return process_init() ? create(name) : NULL;
}

/* ---- acting for a thread ---- */

static bool thread_is_idle(const struct task_struct *task)
{
	return !task->in_syscall && !(task->flags & PF_EXITING);
}

struct task_struct *process_enter(struct process *process)
{
	announce(process, ENG_READ);
	if (process->exiting)
		return ERR_PTR(-ESRCH);
	for (unsigned int i = 0; i < process->nr_threads; i++) {
		struct task_struct *task = process->thread[i];

		if (!thread_is_idle(task))
			continue;
		task->in_syscall = 1;
		task_become(task);
		return task;
	}
	eng_fail("misuse", process,
		 "all %d threads of %s are in system calls: call vfiosim_threads() in the setup",
		 process->nr_threads, process->name);
}

void process_leave(struct task_struct *task)
{
	task->in_syscall = 0;
	task_become(NULL);
}

/* ---- fork ---- */

/* The new table, or NULL with *error. Runs ->flush of each slot on failure later on (FS-146). */
static int copy_files(struct task_struct *child)
{
	int error = 0;

	child->files = dup_fd(get_current()->files, &error);
	return child->files ? 0 : error;
}

/* MM-101: whatever goes wrong, the caller sees -ENOMEM. */
static int copy_mm(struct task_struct *child)
{
	struct mm_struct *mm = mm_alloc();

	if (!mm)
		return -ENOMEM;
	if (dup_mmap(mm, get_current()->mm)) {
		mmput(mm);
		return -ENOMEM;
	}
	child->mm = mm;
	child->active_mm = mm;
	return 0;
}

/*
 * fork() of the current thread: a child with one thread, not acted for by anybody.
 *
 * Context: may sleep.
 * Locks:   takes and drops both mmap_locks, and the i_mmap_rwsem of each mapping.
 * Refs:    +1 on each file per installed descriptor and per mapping, owned by the
 *          child. On failure none: the descriptors are closed here, in the
 *          parent's context, the files before the memory was copied (FS-146).
 */
struct process *copy_process(const char *name)
{
	struct task_struct *parent = get_current();
	struct process *child = process_alloc(name);
	struct task_struct *task;
	int error;

	if (!child)
		return ERR_PTR(-ENOMEM);
	task = child->thread[0];
	thread_inherit(task, parent);
	child->ignored = parent->process->ignored;
	child->caught = parent->process->caught;
	error = copy_files(task);
	if (error)
		goto err_free;
	error = copy_mm(task);
	if (error)
		goto err_files;
	eng_event("fork", parent->process, "%O", child);
	return child;

err_files:
	put_files_struct(task->files);
err_free:
	process_free(child);
	return ERR_PTR(error);
}

/* ---- exit ---- */

static void exit_stage(const char *stage)
{
	eng_event("exit_stage", get_current()->process, "%s", stage);
}

/* The last user of the mm tears it down: mappings go before descriptors (MM-109). */
static void exit_mm(void)
{
	struct task_struct *task = get_current();
	struct mm_struct *mm = task->mm;

	if (!mm)
		return;
	task->mm = NULL;
	task->active_mm = NULL;
	mmput(mm);
}

static void exit_notify(struct task_struct *task)
{
	struct process *process = task->process;

	announce(process, ENG_WRITE);
	put_cred(task->cred);
	task->cred = NULL;
	if (--process->nr_live == 0)
		complete_all(&process->exited);
}

/*
 * The end of one thread, in the order of FS-149: when the queued releases run,
 * the task has no memory, no files and no namespaces left (FS-150).
 *
 * Context: may sleep; the caller acts for @task, and is nobody afterwards.
 */
static void do_exit(struct task_struct *task)
{
	task->flags |= PF_EXITING;
	exit_stage("mm");
	exit_mm();
	exit_stage("files");
	exit_files(task);
	task->nsproxy = NULL;
	exit_stage("task_work");
	task_work_run();
	exit_stage("dead");
	exit_notify(task);
	process_leave(task);
}

/* Others that sit in system calls leave at their next look at signals. */
static void zap_other_threads(struct process *process)
{
	for (unsigned int i = 0; i < process->nr_threads; i++) {
		struct task_struct *task = process->thread[i];

		if (task != get_current() && task->in_syscall && !(task->flags & PF_EXITING))
			send_sig(SIGKILL, task);
	}
}

/* Threads in user mode have nothing to interrupt: they exit here, one by one. */
static void exit_idle_threads(struct process *process)
{
	for (unsigned int i = 0; i < process->nr_threads; i++) {
		struct task_struct *task = process->thread[i];

		if (!thread_is_idle(task))
			continue;
		task->in_syscall = 1;
		task_become(task);
		do_exit(task);
	}
}

void do_group_exit(void)
{
	struct task_struct *task = get_current();
	struct process *process = task->process;

	announce(process, ENG_WRITE);
	process->exiting = true;
	zap_other_threads(process);
	do_exit(task);
	exit_idle_threads(process);
}

/* ---- exec ---- */

static bool is_single_threaded(const void *process)
{
	return ((const struct process *)process)->nr_live == 1;
}

/* All other threads die first, so that the table and the mm are ours alone. */
static void de_thread(struct process *process)
{
	struct task_struct *task = get_current();

	announce(process, ENG_WRITE);
	zap_other_threads(process);
	exit_idle_threads(process);
	task_become(task);
	eng_wait(ENG_OP_SIGNAL, process, ENG_READ, is_single_threaded, process, ENG_FOREVER,
		 ENG_UNINTERRUPTIBLE);
}

static void exec_mmap(struct mm_struct *mm)
{
	struct task_struct *task = get_current();
	struct mm_struct *old_mm = task->mm;

	task->mm = mm;
	task->active_mm = mm;
	mmput(old_mm);
}

/*
 * execve(): a new address space, then the close-on-exec descriptors go (MM-110).
 * Caught signals are back at their default.
 *
 * Context: may sleep. Refs: on failure nothing has changed.
 */
int begin_new_exec(void)
{
	struct process *process = get_current()->process;
	struct mm_struct *mm = mm_alloc();
	int ret;

	if (!mm)
		return -ENOMEM;
	de_thread(process);
	ret = unshare_files();
	if (ret) {
		mmput(mm);
		return ret;
	}
	exec_mmap(mm);
	process->caught = 0;
	do_close_on_exec(get_current()->files);
	eng_event("exec", process, "");
	return 0;
}

/* ---- signals ---- */

void process_set_action(struct process *process, int signal, bool ignore, bool catch)
{
	unsigned long bit = SIGNAL_BIT(signal);

	announce(process, ENG_WRITE);
	process->ignored = ignore ? process->ignored | bit : process->ignored & ~bit;
	process->caught = catch ? process->caught | bit : process->caught & ~bit;
}

static bool signal_is_ignored(const struct process *process, int signal)
{
	if (signal == SIGKILL)
		return false;
	if (process->ignored & SIGNAL_BIT(signal))
		return true;
	return !(process->caught & SIGNAL_BIT(signal)) &&
	       (signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGCONT);
}

/* The body of the task that ends a process which was in user mode when killed. */
static void exit_by_signal(void *arg)
{
	struct task_struct *task = arg;

	task_become(task);
	do_exit(task);
	exit_idle_threads(task->process);
}

/*
 * A signal that kills: all threads hear SIGKILL at once, as complete_signal()
 * does for any fatal signal. If none is in a system call, a task is started
 * that takes the first one through its exit.
 */
static int kill_fatally(struct process *process)
{
	bool somebody_leaves = false;
	struct task_struct *task;

	process->exiting = true;
	zap_other_threads(process);
	for (unsigned int i = 0; i < process->nr_threads; i++)
		somebody_leaves |= process->thread[i]->in_syscall;
	if (somebody_leaves)
		return 0;
	task = process->thread[0];
	task->in_syscall = 1;
	eng_spawn(process->name, exit_by_signal, task, false);
	return 0;
}

/* A handler runs in the first thread that sits in a system call, else at once. */
static int kill_caught(struct process *process, int signal)
{
	for (unsigned int i = 0; i < process->nr_threads; i++) {
		struct task_struct *task = process->thread[i];

		if (task->in_syscall && !(task->flags & PF_EXITING)) {
			send_sig(signal, task);
			return 0;
		}
	}
	return 0;
}

int kill_process(struct process *process, int signal)
{
	if (signal < 0 || signal > 64)
		return -EINVAL;
	announce(process, ENG_WRITE);
	if (process->nr_live == 0)
		return -ESRCH;
	if (signal == 0 || process->exiting || signal_is_ignored(process, signal))
		return 0;
	eng_event("kill", process, "signal %d", signal);
	if (signal != SIGKILL && (process->caught & SIGNAL_BIT(signal)))
		return kill_caught(process, signal);
	return kill_fatally(process);
}

/*
 * What the current thread does about its signals on the way to user mode: a
 * handler does nothing, SIGKILL ends it, and *killed says so.
 */
static void get_signal(struct task_struct *task, bool *killed)
{
	eng_point(ENG_OP_SIGNAL, &task->pending, ENG_READ);
	if (!task->pending)
		return;
	if (task->pending & SIGNAL_BIT(SIGKILL)) {
		*killed = true;
		do_exit(task);
		if (task->process->exiting)
			exit_idle_threads(task->process);
		return;
	}
	task->pending = 0;
}

long exit_to_user_mode(struct task_struct *task, long result)
{
	bool killed = false;

	do {
		if (task->task_works)
			task_work_run();
		get_signal(task, &killed);
	} while (!killed && task->task_works);
	if (killed)
		return -ESRCH;
	process_leave(task);
	if (result == -ERESTARTSYS || result == -ERESTARTNOINTR)
		return -EINTR;
	return result;
}

/* ---- credentials ---- */

int process_set_capability(struct process *process, int capability, bool on)
{
	struct task_struct *leader = process->thread[0];
	struct cred *cred = kmemdup(leader->cred, sizeof(struct cred), GFP_KERNEL);

	if (!cred)
		return -ENOMEM;
	/* Open files keep it beyond the process; the initial one is never freed either. */
	eng_not_leak(cred);
	atomic_set(&cred->usage, 1);
	if (on)
		cred->capabilities |= 1UL << capability;
	else
		cred->capabilities &= ~(1UL << capability);
	for (unsigned int i = 0; i < process->nr_threads; i++) {
		put_cred(process->thread[i]->cred);
		process->thread[i]->cred = get_cred(cred);
	}
	return 0;
}

/* ---- the end of a run ---- */

static void process_forget(struct process *process)
{
	list_del(&process->list);
	while (process->nr_threads > 0)
		kfree(process->thread[--process->nr_threads]);
	kfree(process);
}

/* Waits for its end, which somebody else may have begun. */
static void process_end(struct process *process)
{
	struct task_struct *task;

	if (!process->exiting) {
		task = process_enter(process);
		BUG_ON(IS_ERR(task));
		do_group_exit();
	}
	wait_for_completion(&process->exited);
	process_forget(process);
}

void exit_users(void)
{
	struct process *process, *next;

	list_for_each_entry_safe(process, next, &processes, list) {
		if (process != init_process)
			process_end(process);
	}
}

void exit_init(void)
{
	if (init_process)
		process_end(init_process);
	init_process = NULL;
}
