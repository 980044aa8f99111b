/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modelled processes: threads that share descriptors, memory and signals. A
 * thread has no coroutine of its own; tasks of the scenario act for it.
 */
#ifndef VFIOSIM_PROCESS_H
#define VFIOSIM_PROCESS_H

#include <vfiosim/kapi/sched.h>
#include <vfiosim/kapi/wait.h>

#define PROCESS_THREADS_MAX 8

struct process {
	struct list_head list;		/* all of them, oldest first */
	char name[TASK_COMM_LEN];
	pid_t tgid;
	bool exiting;			/* exit has begun: no more system calls */
	u8 nr_threads;			/* made */
	u8 nr_live;			/* not through with exit_notify() */
	int fork_error;			/* of its last fork() */
	unsigned long ignored;		/* signals, bit n-1 */
	unsigned long caught;
	struct completion exited;
	struct task_struct *thread[PROCESS_THREADS_MAX];
};

/* A process without a parent, or NULL when memory runs out. */
struct process *process_create(const char *name) SIM(process_create);
/* The administrator: made at the first call, never exits before shutdown. */
struct process *process_init(void) SIM(process_init);
/* clone(CLONE_THREAD) until there are @count; -ENOMEM, -EINVAL beyond the maximum. */
int process_add_threads(struct process *process, unsigned int count) SIM(process_add_threads);

/*
 * Act for a thread of @process that nobody acts for, and leave again. An error
 * pointer (-ESRCH) when the process has begun to exit.
 */
struct task_struct *process_enter(struct process *process) SIM(process_enter);
void process_leave(struct task_struct *task) SIM(process_leave);
/*
 * Back from a system call that ended with @result: releases that were put off
 * run now, then signals are looked at. Returns what user mode sees; -ESRCH when
 * it does not come to see it. Leaves @task in any case.
 */
long exit_to_user_mode(struct task_struct *task, long result) SIM(exit_to_user_mode);

/* For the thread that the caller acts for. */
struct process *copy_process(const char *name) SIM(copy_process);
int begin_new_exec(void) KAPI(begin_new_exec);
void do_group_exit(void) KAPI(do_group_exit);

/* Whether user mode ignores or catches @signal from now on; neither: the default. */
void process_set_action(struct process *process, int signal, bool ignore, bool catch)
	SIM(process_set_action);
/* kill(2), by nobody in particular: 0, -EINVAL or -ESRCH. */
int kill_process(struct process *process, int signal) SIM(kill_process);
/* New credentials with or without one capability, for files opened from now on. */
int process_set_capability(struct process *process, int capability, bool on)
	SIM(process_set_capability);

/* At the end of a run: all exit, oldest first, and are forgotten; init is the last. */
void exit_users(void) SIM(exit_users);
void exit_init(void) SIM(exit_init);

#endif
