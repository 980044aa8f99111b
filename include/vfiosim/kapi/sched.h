/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks as the kernel side sees them. The engine owns how they run. */
#ifndef VFIOSIM_KAPI_SCHED_H
#define VFIOSIM_KAPI_SCHED_H

#include <vfiosim/kapi/list.h>

struct cred;
struct files_struct;
struct mm_struct;
struct nsproxy;
struct process;

#define TASK_COMM_LEN 16

/* task_struct.flags */
#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000

#define SIGKILL_BIT (1UL << 8)		/* bit (signal number - 1), as in sigset_t */

struct callback_head {
	struct callback_head *next;
	void (*func)(struct callback_head *head);
};
#define rcu_head callback_head

/*
 * @process is NULL for kernel threads. A modelled process has one task_struct
 * for each engine task that makes system calls in its name (its threads).
 */
struct task_struct {
	pid_t pid;			/* thread id, from 1; deterministic */
	pid_t tgid;
	char comm[TASK_COMM_LEN];
	unsigned int flags;
	struct mm_struct *mm;
	struct mm_struct *active_mm;
	struct files_struct *files;
	struct nsproxy *nsproxy;	/* NULL late in exit (FS-40) */
	const struct cred *cred;
	struct process *process;
	struct callback_head *task_works;
	unsigned long pending;		/* signals, bit n-1 */
	unsigned long blocked;
	unsigned long rlimit_nofile;
	unsigned long rlimit_as;	/* bytes */
	int in_syscall;
	int fds_reserved;		/* and neither installed nor given back yet (FS-198) */
	bool host_memory;		/* user pointers point into the scenario (uaccess.h) */
	/* Context, kept by the primitives; see might_sleep(). */
	int preempt_count;		/* spinlocks held */
	int rcu_read_lock_nesting;
	u32 rcu_entered;		/* rcu.c: when the read section began */
	int irqs_disabled;
	int in_interrupt;
	void *engine;			/* the engine's task, opaque here */
};

/*
 * The task that runs, never NULL. Signals end interruptible waits; only SIGKILL ends killable
 * ones. cond_resched(), msleep(): may sleep.
 */
struct task_struct *get_current(void) KAPI(get_current);
#ifndef VFIOSIM_HOST		/* host files have other uses for the word */
#define current get_current()
#endif
bool signal_pending(struct task_struct *task) KAPI(signal_pending);
bool fatal_signal_pending(struct task_struct *task) KAPI(fatal_signal_pending);
void send_sig(int signal, struct task_struct *task) KAPI(send_sig);
void cond_resched(void) KAPI(cond_resched);
void msleep(unsigned int milliseconds) KAPI(msleep);
extern const unsigned long jiffies_per_second SIM(jiffies_per_second);
unsigned long get_jiffies(void) SIM(get_jiffies);
pid_t task_pid_nr(struct task_struct *task) KAPI(task_pid_nr);

/* Fails the run ("sleeping-while-atomic") in a context that must not sleep. */
void might_sleep(void) KAPI(might_sleep);

/* task_work.c: runs newest first on the way back to user mode. */
enum task_work_notify_mode {
	TWA_NONE,
	TWA_RESUME,
	TWA_SIGNAL,
};
int task_work_add(struct task_struct *task, struct callback_head *work,
		  enum task_work_notify_mode notify) KAPI(task_work_add);
void task_work_run(void) KAPI(task_work_run);

/* A bit of the current credentials. No choice point. */
bool capable(int capability) KAPI(capable);
#define CAP_SYS_RAWIO 17
#define CAP_SYS_ADMIN 21

/*
 * From here on the engine's task that runs acts as @task: get_current() is @task,
 * and its signals are what interrupts waits. Returns whom it acted as before;
 * NULL means the engine's own task_struct. No choice point.
 */
struct task_struct *task_become(struct task_struct *task) SIM(task_become);

#endif
