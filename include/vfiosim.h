/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: vfiosim
 *
 * vfiosim runs a scenario - a handful of tasks that make system calls to, or
 * call directly into, a model of the kernel under a vfio device - under every
 * schedule it can afford, and reports the first schedule that breaks something.
 *
 * Promises that hold for every function below:
 *
 *   - The same scenario, options and schedule give the same run, byte for byte.
 *   - Expected failures are returned. Misuse of the API is a bug in the caller:
 *     it prints one line and calls abort().
 *   - No call keeps a pointer to its arguments after it returns, except that
 *     scenarios and the strings in them must outlive their use.
 */
#ifndef VFIOSIM_H
#define VFIOSIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VFIOSIM_API __attribute__((visibility("default")))

/** enum vfiosim_verdict - how one run, or a whole exploration, ended */
enum vfiosim_verdict {
	VFIOSIM_OK = 0,		/**< every run finished, every detector was silent */
	VFIOSIM_VIOLATION,	/**< a detector or an expectation fired; see the report */
	VFIOSIM_DEADLOCK,	/**< no task could run, yet some had not finished */
	VFIOSIM_BUDGET,		/**< a budget was reached first: nothing proven */
};

#define VFIOSIM_TASKS_MAX 16

/** enum vfiosim_kernel - whose behaviour where kernel versions differ */
enum vfiosim_kernel {
	VFIOSIM_KERNEL_DEFAULT = 0,	/**< what the command line says, else 5.14 */
	VFIOSIM_KERNEL_5_14,
	VFIOSIM_KERNEL_6_1,
	VFIOSIM_KERNEL_6_12,
	VFIOSIM_KERNEL_6_18,
};

struct vfiosim_report;

/** struct vfiosim_task - one of the tasks that race */
struct vfiosim_task {
	const char *name;		/**< column heading in traces */
	void (*run)(void *fixture);
};

/**
 * struct vfiosim_scenario - the unit of exploration; normally static const
 * @name: what the command line and the traces call it
 * @summary: one sentence for "list"
 * @fixture_size: bytes of zeroed state handed to every callback; part of the
 *	modelled state: it is reset between runs
 * @setup: runs alone before the tasks start; must not fail
 * @teardown: runs alone after the last task; the kernel must be idle after it
 * @check: asked after every step while no kernel code is between two halves of
 *	something; false is a violation ("expectation"). May be NULL
 * @tolerate: detectors that are findings and not failures here, a list such as
 *	"warn,hung-task"; NULL for none
 * @kernel: the kernel version whose behaviour is asked for
 * @core: the vfio core: NULL for the command line's, else "port" (5.14 with the
 *	patch), "merged" (6.12's lifetime), or the path of a core of one's own
 * @tasks: the tasks that race, ended by an entry without a name
 */
struct vfiosim_scenario {
	const char *name;
	const char *summary;
	size_t fixture_size;
	void (*setup)(void *fixture);
	void (*teardown)(void *fixture);
	bool (*check)(const void *fixture);
	const char *tolerate;
	enum vfiosim_kernel kernel;
	const char *core;
	struct vfiosim_task tasks[VFIOSIM_TASKS_MAX + 1];
};

/** vfiosim_expect() - a fact that must hold; ends the run as "expectation" if not */
#define vfiosim_expect(fact) \
	vfiosim_expect_at((fact), #fact, __FILE__, __LINE__)
VFIOSIM_API void vfiosim_expect_at(bool holds, const char *fact, const char *file, int line);

/*
 * ---- result lines, time, order ----
 *
 * What follows can be carried out by the model as well as by real processes on
 * a real kernel, so that one scenario runs on both. A scenario that means to be
 * compared prints with vfiosim_say() only, and never prints an address, a time,
 * a process id or a device's real name.
 */

/** vfiosim_say() - print one result line; silent while a run is explored */
VFIOSIM_API void vfiosim_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** vfiosim_error_name() - "EBUSY" for -EBUSY or EBUSY, "0" for results >= 0 */
VFIOSIM_API const char *vfiosim_error_name(long result);

/** vfiosim_yield() - let others run first, if the schedule wants that */
VFIOSIM_API void vfiosim_yield(void);

/** vfiosim_sleep_ms() - sleep in virtual time: everybody else gets as far as they can */
VFIOSIM_API void vfiosim_sleep_ms(unsigned int milliseconds);

/** struct vfiosim_gate - lets one task wait for another; lies in the fixture, starts closed */
struct vfiosim_gate {
	int open;
};

VFIOSIM_API void vfiosim_gate_open(struct vfiosim_gate *gate);
VFIOSIM_API void vfiosim_gate_wait(struct vfiosim_gate *gate);

/*
 * ---- processes ----
 *
 * Every call names the process that makes it. Any task may call for any process;
 * a task that does so is, for the length of the call, a thread of that process.
 * A process has one thread unless vfiosim_threads() says so: two tasks that make
 * calls in one single-threaded process at the same time are a mistake in the
 * scenario, and end the run as "misuse".
 *
 * Results are values, or -errno. All calls give -ESRCH when the process is gone.
 * Where a call takes a process, NULL means init: root, always there, never exits.
 */
struct vfiosim_process;

/** vfiosim_process() - start a process: no files, an empty address space, all capabilities */
VFIOSIM_API struct vfiosim_process *vfiosim_process(const char *name);

/** vfiosim_threads() - from now on up to @count tasks may be in @process at once */
VFIOSIM_API void vfiosim_threads(struct vfiosim_process *process, unsigned int count);

/** vfiosim_fork() - the child, or NULL; then vfiosim_fork_error() tells the -errno */
VFIOSIM_API struct vfiosim_process *vfiosim_fork(struct vfiosim_process *parent,
						 const char *child_name);
VFIOSIM_API int vfiosim_fork_error(struct vfiosim_process *parent);

VFIOSIM_API int vfiosim_exec(struct vfiosim_process *process);
VFIOSIM_API void vfiosim_exit(struct vfiosim_process *process);

/** vfiosim_wait_exit() - wait until @process has ended, its files released */
VFIOSIM_API void vfiosim_wait_exit(struct vfiosim_process *process);

/** vfiosim_is_alive() - false once @process has begun to exit */
VFIOSIM_API bool vfiosim_is_alive(struct vfiosim_process *process);

/** enum vfiosim_signal_action - what a process does about a signal */
enum vfiosim_signal_action {
	VFIOSIM_SIGNAL_DEFAULT,		/**< it kills the process */
	VFIOSIM_SIGNAL_IGNORE,
	VFIOSIM_SIGNAL_CATCH,		/**< a handler that does nothing */
};

VFIOSIM_API void vfiosim_sigaction(struct vfiosim_process *process, int signal,
				   enum vfiosim_signal_action action);
VFIOSIM_API int vfiosim_kill(struct vfiosim_process *process, int signal);

/** vfiosim_rlimit_nofile() - the soft limit; open files stay open */
VFIOSIM_API void vfiosim_rlimit_nofile(struct vfiosim_process *process, unsigned long limit);
VFIOSIM_API void vfiosim_rlimit_as(struct vfiosim_process *process, unsigned long bytes);

/** vfiosim_capability() - give or take one CAP_* of <linux/capability.h> */
VFIOSIM_API void vfiosim_capability(struct vfiosim_process *process, int capability, bool on);

/*
 * ---- files ----
 *
 * Flags and commands are those of <fcntl.h>, <sys/eventfd.h>, <linux/vfio.h>.
 * Buffers and arguments are the scenario's own memory. VFIOSIM_BAD_POINTER is an
 * address that the kernel cannot read or write (EFAULT).
 */
#define VFIOSIM_BAD_POINTER ((void *)8)

VFIOSIM_API int vfiosim_open(struct vfiosim_process *process, const char *path, int flags);
VFIOSIM_API int vfiosim_close(struct vfiosim_process *process, int fd);
VFIOSIM_API int vfiosim_close_range(struct vfiosim_process *process, unsigned int first,
				    unsigned int last, unsigned int flags);
VFIOSIM_API int vfiosim_dup(struct vfiosim_process *process, int fd);
VFIOSIM_API int vfiosim_dup2(struct vfiosim_process *process, int fd, int new_fd);
VFIOSIM_API int vfiosim_dup3(struct vfiosim_process *process, int fd, int new_fd, int flags);
/** vfiosim_fcntl() - F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL */
VFIOSIM_API int vfiosim_fcntl(struct vfiosim_process *process, int fd, int command, long argument);
VFIOSIM_API ssize_t vfiosim_read(struct vfiosim_process *process, int fd, void *buffer,
				 size_t size);
VFIOSIM_API ssize_t vfiosim_write(struct vfiosim_process *process, int fd, const void *buffer,
				  size_t size);
VFIOSIM_API ssize_t vfiosim_pread(struct vfiosim_process *process, int fd, void *buffer,
				  size_t size, int64_t offset);
VFIOSIM_API ssize_t vfiosim_pwrite(struct vfiosim_process *process, int fd, const void *buffer,
				   size_t size, int64_t offset);
VFIOSIM_API int64_t vfiosim_lseek(struct vfiosim_process *process, int fd, int64_t offset,
				  int whence);

/** vfiosim_ioctl() - @argument is a pointer or an integer, as the request says */
#define vfiosim_ioctl(process, fd, request, argument) \
	vfiosim_ioctl_word((process), (fd), (request), (uintptr_t)(argument))
VFIOSIM_API long vfiosim_ioctl_word(struct vfiosim_process *process, int fd,
				    unsigned long request, uintptr_t argument);

VFIOSIM_API int vfiosim_eventfd(struct vfiosim_process *process, unsigned int count, int flags);
VFIOSIM_API int vfiosim_memfd(struct vfiosim_process *process, const char *name,
			      unsigned int flags);
VFIOSIM_API int vfiosim_ftruncate(struct vfiosim_process *process, int fd, int64_t length);
/** vfiosim_punch() - fallocate(PUNCH_HOLE | KEEP_SIZE) */
VFIOSIM_API int vfiosim_punch(struct vfiosim_process *process, int fd, int64_t offset,
			      int64_t length);

/**
 * vfiosim_socketpair() - a pair of sockets, one end in each process
 * @a: gets fds[0]
 * @b: gets fds[1]; may be @a
 *
 * A file that was sent and not received yet is in no descriptor table: the queue
 * keeps it open.
 */
VFIOSIM_API int vfiosim_socketpair(struct vfiosim_process *a, struct vfiosim_process *b,
				   int fds[2]);
VFIOSIM_API int vfiosim_send_fd(struct vfiosim_process *process, int socket, int fd);
/** vfiosim_recv_fd() - the new descriptor; -EAGAIN when nothing was sent */
VFIOSIM_API int vfiosim_recv_fd(struct vfiosim_process *process, int socket);

/*
 * ---- memory ----
 *
 * Addresses are the process's own; never dereference one, never print one.
 */

/** vfiosim_mmap() - the address, or -errno; flags of <sys/mman.h> */
VFIOSIM_API int64_t vfiosim_mmap(struct vfiosim_process *process, uint64_t address,
				 uint64_t length, int protection, int flags, int fd,
				 uint64_t offset);
VFIOSIM_API int vfiosim_munmap(struct vfiosim_process *process, uint64_t address,
			       uint64_t length);
VFIOSIM_API int vfiosim_mprotect(struct vfiosim_process *process, uint64_t address,
				 uint64_t length, int protection);
VFIOSIM_API int64_t vfiosim_mremap(struct vfiosim_process *process, uint64_t address,
				   uint64_t old_length, uint64_t new_length, int flags,
				   uint64_t new_address);
VFIOSIM_API int vfiosim_madvise(struct vfiosim_process *process, uint64_t address,
				uint64_t length, int advice);

/**
 * enum vfiosim_touch - how a load or store ended: 0, or signal | si_code << 8
 *
 * The signal is only told, not delivered: a scenario touches in order to know.
 */
enum vfiosim_touch {
	VFIOSIM_TOUCH_OK = 0,
	VFIOSIM_SIGSEGV_MAPERR = 11 | 1 << 8,	/**< nothing is mapped there */
	VFIOSIM_SIGSEGV_ACCERR = 11 | 2 << 8,	/**< the mapping forbids it */
	VFIOSIM_SIGBUS_ADRERR = 7 | 2 << 8,	/**< the driver refused the fault */
};

/** vfiosim_load() - a 32-bit load; @value may be NULL */
VFIOSIM_API enum vfiosim_touch vfiosim_load(struct vfiosim_process *process, uint64_t address,
					    uint32_t *value);
VFIOSIM_API enum vfiosim_touch vfiosim_store(struct vfiosim_process *process, uint64_t address,
					     uint32_t value);
/** vfiosim_touch_name() - "ok", "SIGBUS 2", "SIGSEGV 1" */
VFIOSIM_API const char *vfiosim_touch_name(enum vfiosim_touch touch);

/**
 * vfiosim_present() - whether a touch of @address would find its page table entry
 *
 * The model looks. A real kernel can only be asked by touching, and counting the
 * faults, so there the question itself faults the page in.
 */
VFIOSIM_API bool vfiosim_present(struct vfiosim_process *process, uint64_t address);

/*
 * ---- machine ----
 */

enum vfiosim_bar_flags {
	VFIOSIM_BAR_IO = 1,		/**< ports, not memory: cannot be mapped */
	VFIOSIM_BAR_64BIT = 2,		/**< takes the next BAR's place too */
	VFIOSIM_BAR_RAM = 4,		/**< keeps what is stored */
};

struct vfiosim_bar {
	uint64_t size;			/**< 0: absent */
	uint32_t flags;
};

enum vfiosim_reset {
	VFIOSIM_RESET_FLR = 1,		/**< function level reset, PCIe */
	VFIOSIM_RESET_AF_FLR = 2,	/**< the conventional capability */
	VFIOSIM_RESET_PM = 4,		/**< D3hot and back */
	VFIOSIM_RESET_BUS = 8,		/**< shared with the rest of the bus */
	VFIOSIM_RESET_SLOT = 16,	/**< shared with the rest of the slot */
};

/** enum vfiosim_design - how the driver finds the mappings of its BARs */
enum vfiosim_design {
	VFIOSIM_DESIGN_DEFAULT = 0,	/**< what the kernel version has */
	VFIOSIM_VMA_LIST,		/**< it keeps a list of VMAs (5.14, 6.1) */
	VFIOSIM_ADDRESS_SPACE,		/**< through the device inode's mapping (merged) */
	VFIOSIM_ADDRESS_SPACE_WHOLE,	/**< as above; a fault fills the whole VMA (patch 3) */
};

enum vfiosim_bus {
	VFIOSIM_BUS_PCI = 0,
	VFIOSIM_BUS_MDEV,		/**< a mediated device: a fresh group each */
};

/**
 * struct vfiosim_device_desc - a device to plug in; zero means the usual
 * @name: "0000:01:00.0": its bus and slot say what it shares a reset with; for a
 *	mediated device any uuid, and all but @bus is ignored: it is bound at once
 * @group: devices of one number share an IOMMU group; 0: a group of its own
 * @bars: BAR 0 to 5
 * @header_type: 0 an endpoint, 1 a bridge
 * @resets: enum vfiosim_reset, or-ed
 * @no_iommu: there is no IOMMU; the first device decides for the whole machine
 * @has_pm: has the power management capability
 */
struct vfiosim_device_desc {
	const char *name;
	unsigned int group;
	enum vfiosim_bus bus;
	enum vfiosim_design design;
	struct vfiosim_bar bars[6];
	uint8_t header_type;
	unsigned int resets;
	bool no_iommu;
	bool has_pm;
};

struct vfiosim_device;

/** vfiosim_plug() - plug it in; no driver yet. NULL if the kernel refused it */
VFIOSIM_API struct vfiosim_device *vfiosim_plug(const struct vfiosim_device_desc *desc);

/** vfiosim_device_name() - what GET_DEVICE_FD wants to hear; may differ from desc->name */
VFIOSIM_API const char *vfiosim_device_name(struct vfiosim_device *device);

/** vfiosim_group_path() - "/dev/vfio/N" into @buffer; returns @buffer */
#define VFIOSIM_PATH_MAX 32
VFIOSIM_API const char *vfiosim_group_path(struct vfiosim_device *device,
					   char buffer[VFIOSIM_PATH_MAX]);

/*
 * Writes to sysfs by @process. bind and unbind take the device lock and may
 * block for as long as anybody uses the device. Drivers besides "vfio-pci":
 * "pci-stub" and "pcieport", which leave a group viable, "host", which does not,
 * and "vfio-mdev".
 */
VFIOSIM_API int vfiosim_bind(struct vfiosim_process *process, struct vfiosim_device *device,
			     const char *driver);
VFIOSIM_API int vfiosim_unbind(struct vfiosim_process *process, struct vfiosim_device *device);
/** vfiosim_unplug() - hot removal; the device is gone when this returns */
VFIOSIM_API int vfiosim_unplug(struct vfiosim_process *process, struct vfiosim_device *device);
/** vfiosim_sysfs_reset() - echo 1 > reset */
VFIOSIM_API int vfiosim_sysfs_reset(struct vfiosim_process *process,
				    struct vfiosim_device *device);

/**
 * vfiosim_module_refs() - as /proc/modules tells, without the modules that depend on it
 *
 * Return: the count, or -ENOENT when @module is not loaded.
 */
VFIOSIM_API int vfiosim_module_refs(const char *module);
VFIOSIM_API int vfiosim_rmmod(struct vfiosim_process *process, const char *module);
VFIOSIM_API int vfiosim_insmod(struct vfiosim_process *process, const char *module);

/**
 * vfiosim_peek() - look at kernel state that no system call shows
 * @what: "pins", "superblocks", "inodes" (those of the vfio filesystem), or for one
 *	device "mappings" (VMAs in its inode's tree), "ptes" (present in these),
 *	"inode-refs", "files"
 * @device: which, or NULL for a sum
 *
 * Return: the number; -ENOSYS on a real kernel, and for all but "files" with a core
 * whose devices have no inode (6.1's).
 */
VFIOSIM_API long vfiosim_peek(const char *what, struct vfiosim_device *device);

/** vfiosim_peek_is() - whether vfiosim_peek() answers @value, or cannot answer */
VFIOSIM_API bool vfiosim_peek_is(const char *what, struct vfiosim_device *device, long value);

/** vfiosim_expect_peek() - expects it, wherever it can be seen */
#define vfiosim_expect_peek(what, device, value) \
	vfiosim_expect(vfiosim_peek_is((what), (device), (value)))

/*
 * ---- a user of vfio, in the usual five system calls ----
 *
 * Made of the calls above.
 */
struct vfiosim_user {
	struct vfiosim_process *process;
	int container;
	int group;
	int device;
};

/**
 * vfiosim_user_open() - container, group, SET_CONTAINER, SET_IOMMU, GET_DEVICE_FD
 *
 * Return: 0, or the first call's error; what was opened by then is closed again.
 */
VFIOSIM_API int vfiosim_user_open(struct vfiosim_user *user, struct vfiosim_process *process,
				  struct vfiosim_device *device);
/** vfiosim_user_close() - device, group, container; entries that are -1 are skipped */
VFIOSIM_API void vfiosim_user_close(struct vfiosim_user *user);

/** vfiosim_bar_map() - map all of a BAR, shared, readable and writable */
VFIOSIM_API int64_t vfiosim_bar_map(struct vfiosim_process *process, int device_fd, int bar);
VFIOSIM_API uint64_t vfiosim_bar_size(struct vfiosim_process *process, int device_fd, int bar);

/** vfiosim_memory_space() - set or clear the memory bit of the PCI command register */
VFIOSIM_API int vfiosim_memory_space(struct vfiosim_process *process, int device_fd, bool on);

/*
 * ---- programs ----
 */

/**
 * vfiosim_main() - the command line over the scenarios of one program
 * @scenarios: ended by NULL; without arguments each one is run once
 */
VFIOSIM_API int vfiosim_main(int argc, char **argv,
			     const struct vfiosim_scenario *const scenarios[]);

/**
 * VFIOSIM_PROGRAM() - at the end of a file: its scenarios, as pointers
 *
 * Makes the file a program of its own. Built with -DVFIOSIM_COLLECT it becomes a
 * part of a larger program instead, which finds all scenarios of its parts in
 * the linker section vfiosim_scenarios.
 */
#ifdef VFIOSIM_COLLECT
#define VFIOSIM_PROGRAM(...)							\
	static const struct vfiosim_scenario *const vfiosim_program_scenarios[]	\
	__attribute__((used, section("vfiosim_scenarios"))) = { __VA_ARGS__ }
#else
#define VFIOSIM_PROGRAM(...)							\
	int main(int argc, char **argv)						\
	{									\
		static const struct vfiosim_scenario *const scenarios[] = {	\
			__VA_ARGS__, NULL					\
		};								\
										\
		return vfiosim_main(argc, argv, scenarios);			\
	}									\
	extern int vfiosim_program_needs_semicolon
#endif

/* ---- exploration ---- */

/** enum vfiosim_strategy - how the next schedule is chosen */
enum vfiosim_strategy {
	VFIOSIM_EXHAUSTIVE = 0,	/**< depth first, one schedule of each trace (DPOR) */
	VFIOSIM_NAIVE,		/**< depth first, every schedule; to check the former */
	VFIOSIM_PCT,		/**< random priorities, depth-1 places where they change */
	VFIOSIM_RANDOM,		/**< uniform random walk */
	VFIOSIM_STATES,		/**< depth first over states; for scenarios that converge */
};

/** enum vfiosim_backtracking - how the explorer returns to a branch point */
enum vfiosim_backtracking {
	VFIOSIM_BACKTRACK_AUTO = 0,	/**< by the size of the live state */
	VFIOSIM_REEXECUTE,
	VFIOSIM_SNAPSHOT,
};

/**
 * struct vfiosim_options - zero in any field means its documented default
 * @strategy: how the next schedule is chosen
 * @backtracking: how the explorer returns to a branch point
 * @seed: for the random strategies; 0: 1
 * @runs_max: a budget; 0: 1,000,000, or 10,000 for the random strategies
 * @steps_max: steps of one run; 0: the engine's limit
 * @milliseconds_max: a budget of real time; 0: none
 * @depth: of the bugs that PCT looks for; 0: 3
 * @preemptions_bounded: @preemptions_max counts; else there is no bound
 * @preemptions_max: times in a run that a task that could go on is switched away
 * @faults_max: injected faults in a run; 0: nothing fails
 * @timeouts_max: timeouts in a run that pass while others could run; 0: none;
 *	UINT32_MAX: no bound, which takes fewer runs where it ends
 * @shard_index: which part of the schedules to run, below @shard_count
 * @shard_count: number of parts; 0: 1
 * @jobs: processes that share the work; 0: 1
 * @keep_going: go on after a failing run, and count what fails how often
 * @no_minimize: report the first failing schedule as it was found
 * @check_determinism: run each schedule twice and compare
 * @races: look for data races among plain accesses of code that was compiled
 *	with -fsanitize=thread; "data-race" is the detector
 * @plain_points: each plain access of such code is a choice point; implies @races
 * @progress: show on stderr how far it is
 * @checkpoint: file to save the state of the search to when it ends early
 * @resume: begin with what @checkpoint holds
 * @on_run: called after each run with a number that is the same for all
 *	schedules of one trace; NULL for none
 * @data: for @on_run
 */
struct vfiosim_options {
	enum vfiosim_strategy strategy;
	enum vfiosim_backtracking backtracking;
	uint64_t seed;
	uint64_t runs_max;
	uint64_t steps_max;
	uint64_t milliseconds_max;
	uint32_t depth;
	bool preemptions_bounded;
	uint32_t preemptions_max;
	uint32_t faults_max;
	uint32_t timeouts_max;
	uint32_t shard_index;
	uint32_t shard_count;
	uint32_t jobs;
	bool keep_going;
	bool no_minimize;
	bool check_determinism;
	bool races;
	bool plain_points;
	bool progress;
	const char *checkpoint;
	bool resume;
	void (*on_run)(void *data, enum vfiosim_verdict verdict, uint64_t trace);
	void *data;
};

/**
 * vfiosim_explore() - run @scenario under many schedules
 * @scenario: what to run
 * @options: limits, or NULL for all defaults
 * @report_out: set to a report that the caller frees, or NULL if not wanted
 *
 * Stops at the first run that does not end in VFIOSIM_OK, unless told to go on.
 *
 * Return: the verdict, also found in the report. VFIOSIM_BUDGET is no proof.
 */
VFIOSIM_API enum vfiosim_verdict
vfiosim_explore(const struct vfiosim_scenario *scenario, const struct vfiosim_options *options,
		struct vfiosim_report **report_out);

VFIOSIM_API enum vfiosim_verdict vfiosim_report_verdict(const struct vfiosim_report *report);
/** vfiosim_report_runs() - runs that went to their end: with DPOR, distinct traces */
VFIOSIM_API uint64_t vfiosim_report_runs(const struct vfiosim_report *report);
/** vfiosim_report_cut() - runs dropped on the way, since another run covers them */
VFIOSIM_API uint64_t vfiosim_report_cut(const struct vfiosim_report *report);
/** vfiosim_report_states() - distinct states, of a search over states */
VFIOSIM_API uint64_t vfiosim_report_states(const struct vfiosim_report *report);
/** vfiosim_report_digest() - the set of traces as one number, whatever their order */
VFIOSIM_API uint64_t vfiosim_report_digest(const struct vfiosim_report *report);
/** vfiosim_report_detector() - what fired first, or NULL */
VFIOSIM_API const char *vfiosim_report_detector(const struct vfiosim_report *report);
/** vfiosim_report_text() - the whole report for a terminal; lives as long as @report */
VFIOSIM_API const char *vfiosim_report_text(const struct vfiosim_report *report);
VFIOSIM_API void vfiosim_report_free(struct vfiosim_report *report);

#ifdef __cplusplus
}
#endif

#endif
