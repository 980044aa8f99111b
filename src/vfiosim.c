// SPDX-License-Identifier: GPL-2.0-only
/*
 * The public entry points that scenarios call: each one is the kernel-side
 * function behind it (syscall.c, process.c, machine.c). Nothing is decided here;
 * the file is the border between the words of include/vfiosim.h and those of
 * the modelled kernel. The only file that exports symbols of its own.
 */
#define VFIOSIM_HOST
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>
#include <linux/vfio.h>

#include <vfiosim/kapi/vfio_core_select.h>

#include "engine.h"
#include "history.h"
#include "machine.h"
#include "process.h"
#include "run.h"
#include "say.h"
#include "syscall.h"
#include "vfiosim.h"

static FILE *say_stream;

void say_to(FILE *stream)
{
	say_stream = stream;
}

void vfiosim_say(const char *format, ...)
{
	g_autofree char *line = NULL;
	va_list arguments;

	if (!say_stream && !eng_tracing)
		return;
	va_start(arguments, format);
	line = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	/* The trace outlives the line, so it gets one that lives for ever. */
	eng_event("say", NULL, "%s", g_intern_string(line));
	if (say_stream)
		fprintf(say_stream, "%s\n", line);
}

/*
 * Before the machine boots: the core that the scenario asks for by name; else it
 * is the one that the command line chose, or that goes with the kernel version.
 */
static void choose_core(void)
{
	const char *name = run.scenario->core;
	const struct vfiosim_core *core;

	if (name) {
		core = vfiosim_core_find(name);
		if (!core)
			eng_fail("misuse", NULL, "scenario %s asks for core \"%s\", unknown here",
				 run.scenario->name, name);
		vfiosim_core_use(core);
	}
}

void vfiosim_call_begin(const char *name, long argument)
{
	const struct vfiosim_call call = { .name = name, .argument = { argument } };

	history_call(&call);
}

void vfiosim_call_end(long result)
{
	history_return(result);
}

/* ---- time and order ---- */

void vfiosim_yield(void)
{
	cond_resched();
}

void vfiosim_sleep_ms(unsigned int milliseconds)
{
	msleep(milliseconds);
}

static bool gate_is_open(const void *gate)
{
	return ((const struct vfiosim_gate *)gate)->open;
}

void vfiosim_gate_open(struct vfiosim_gate *gate)
{
	eng_point(ENG_OP_COMPLETE, gate, ENG_WRITE);
	gate->open = 1;
}

void vfiosim_gate_wait(struct vfiosim_gate *gate)
{
	eng_wait(ENG_OP_WAIT_COMPLETION, gate, ENG_READ, gate_is_open, gate, ENG_FOREVER,
		 ENG_UNINTERRUPTIBLE);
}

/* ---- processes ---- */

static struct process *to_process(struct vfiosim_process *process)
{
	return (struct process *)process;
}

static struct vfiosim_process *from_process(struct process *process)
{
	return (struct vfiosim_process *)process;
}

/* Init for NULL, where a call needs the process itself. */
static struct process *process_or_init(struct vfiosim_process *process)
{
	return process ? to_process(process) : process_init();
}

struct vfiosim_process *vfiosim_process(const char *name)
{
	return from_process(process_create(name));
}

void vfiosim_threads(struct vfiosim_process *process, unsigned int count)
{
	int ret = process_add_threads(process_or_init(process), count);

	if (ret)
		eng_fail("misuse", process, "vfiosim_threads(%d): error %d", count, ret);
}

struct vfiosim_process *vfiosim_fork(struct vfiosim_process *parent, const char *child_name)
{
	return from_process(sys_fork(to_process(parent), child_name));
}

int vfiosim_fork_error(struct vfiosim_process *parent)
{
	return process_or_init(parent)->fork_error;
}

int vfiosim_exec(struct vfiosim_process *process)
{
	return sys_exec(to_process(process));
}

void vfiosim_exit(struct vfiosim_process *process)
{
	sys_exit(to_process(process));
}

void vfiosim_wait_exit(struct vfiosim_process *process)
{
	sys_wait_exit(to_process(process));
}

bool vfiosim_is_alive(struct vfiosim_process *process)
{
	return !process_or_init(process)->exiting;
}

void vfiosim_sigaction(struct vfiosim_process *process, int signal,
		       enum vfiosim_signal_action action)
{
	process_set_action(process_or_init(process), signal, action == VFIOSIM_SIGNAL_IGNORE,
			   action == VFIOSIM_SIGNAL_CATCH);
}

int vfiosim_kill(struct vfiosim_process *process, int signal)
{
	return kill_process(process_or_init(process), signal);
}

void vfiosim_rlimit_nofile(struct vfiosim_process *process, unsigned long limit)
{
	sys_rlimit_nofile(to_process(process), limit);
}

void vfiosim_rlimit_as(struct vfiosim_process *process, unsigned long bytes)
{
	sys_rlimit_as(to_process(process), bytes);
}

void vfiosim_capability(struct vfiosim_process *process, int capability, bool on)
{
	process_set_capability(process_or_init(process), capability, on);
}

/* ---- files ---- */

int vfiosim_open(struct vfiosim_process *process, const char *path, int flags)
{
	struct vfiosim_call call = { .name = "open", .process = process };
	int ret;

	/* The nodes come with the modules, which no scenario without a device has loaded. */
	if (g_str_has_prefix(path, "/dev/vfio/"))
		vfiosim_boot();
	if (history_is_kept())
		call.text = g_intern_string(path);
	history_call(&call);
	ret = sys_open(to_process(process), path, flags);
	history_return(ret);
	return ret;
}

int vfiosim_close(struct vfiosim_process *process, int fd)
{
	const struct vfiosim_call call = {
		.name = "close", .process = process, .argument = { fd },
	};
	int ret;

	history_call(&call);
	ret = sys_close(to_process(process), fd);
	history_return(ret);
	return ret;
}

int vfiosim_close_range(struct vfiosim_process *process, unsigned int first, unsigned int last,
			unsigned int flags)
{
	return sys_close_range(to_process(process), first, last, flags);
}

int vfiosim_dup(struct vfiosim_process *process, int fd)
{
	return sys_dup(to_process(process), fd);
}

int vfiosim_dup2(struct vfiosim_process *process, int fd, int new_fd)
{
	return sys_dup2(to_process(process), fd, new_fd);
}

int vfiosim_dup3(struct vfiosim_process *process, int fd, int new_fd, int flags)
{
	return sys_dup3(to_process(process), fd, new_fd, flags);
}

int vfiosim_fcntl(struct vfiosim_process *process, int fd, int command, long argument)
{
	return sys_fcntl(to_process(process), fd, command, argument);
}

ssize_t vfiosim_read(struct vfiosim_process *process, int fd, void *buffer, size_t size)
{
	return sys_read(to_process(process), fd, buffer, size);
}

ssize_t vfiosim_write(struct vfiosim_process *process, int fd, const void *buffer, size_t size)
{
	return sys_write(to_process(process), fd, buffer, size);
}

ssize_t vfiosim_pread(struct vfiosim_process *process, int fd, void *buffer, size_t size,
		      int64_t offset)
{
	return sys_pread(to_process(process), fd, buffer, size, offset);
}

ssize_t vfiosim_pwrite(struct vfiosim_process *process, int fd, const void *buffer, size_t size,
		       int64_t offset)
{
	return sys_pwrite(to_process(process), fd, buffer, size, offset);
}

int64_t vfiosim_lseek(struct vfiosim_process *process, int fd, int64_t offset, int whence)
{
	return sys_lseek(to_process(process), fd, offset, whence);
}

/* Which a specification gets to see; NULL: not this one. */
static const char *judged_ioctl(unsigned long request)
{
	switch (request) {
	case VFIO_GROUP_SET_CONTAINER:
		return "SET_CONTAINER";
	case VFIO_GROUP_UNSET_CONTAINER:
		return "UNSET_CONTAINER";
	case VFIO_SET_IOMMU:
		return "SET_IOMMU";
	case VFIO_GROUP_GET_DEVICE_FD:
		return "GET_DEVICE_FD";
	default:
		return NULL;
	}
}

/* The descriptor that SET_CONTAINER is given; -1: none that can be read. */
static long container_of_call(unsigned long request, uintptr_t argument)
{
	if (request != VFIO_GROUP_SET_CONTAINER || !history_is_kept())
		return 0;
	return argument > (uintptr_t)VFIOSIM_BAD_POINTER ? *(const int *)argument : -1;
}

long vfiosim_ioctl_word(struct vfiosim_process *process, int fd, unsigned long request,
			uintptr_t argument)
{
	const struct vfiosim_call call = {
		.name = judged_ioctl(request), .process = process,
		.argument = { fd, container_of_call(request, argument) },
	};
	long ret;

	if (call.name)
		history_call(&call);
	ret = sys_ioctl(to_process(process), fd, request, argument);
	if (call.name)
		history_return(ret);
	return ret;
}

int vfiosim_eventfd(struct vfiosim_process *process, unsigned int count, int flags)
{
	return sys_eventfd(to_process(process), count, flags);
}

int vfiosim_memfd(struct vfiosim_process *process, const char *name, unsigned int flags)
{
	return sys_memfd(to_process(process), name, flags);
}

int vfiosim_ftruncate(struct vfiosim_process *process, int fd, int64_t length)
{
	return sys_ftruncate(to_process(process), fd, length);
}

int vfiosim_punch(struct vfiosim_process *process, int fd, int64_t offset, int64_t length)
{
	return sys_punch(to_process(process), fd, offset, length);
}

int vfiosim_socketpair(struct vfiosim_process *a, struct vfiosim_process *b, int fds[2])
{
	return sys_socketpair(to_process(a), to_process(b), fds);
}

int vfiosim_send_fd(struct vfiosim_process *process, int socket, int fd)
{
	return sys_send_fd(to_process(process), socket, fd);
}

int vfiosim_recv_fd(struct vfiosim_process *process, int socket)
{
	return sys_recv_fd(to_process(process), socket);
}

/* ---- memory ---- */

int64_t vfiosim_mmap(struct vfiosim_process *process, uint64_t address, uint64_t length,
		     int protection, int flags, int fd, uint64_t offset)
{
	return sys_mmap(to_process(process), address, length, protection, flags, fd, offset);
}

int vfiosim_munmap(struct vfiosim_process *process, uint64_t address, uint64_t length)
{
	return sys_munmap(to_process(process), address, length);
}

int vfiosim_mprotect(struct vfiosim_process *process, uint64_t address, uint64_t length,
		     int protection)
{
	return sys_mprotect(to_process(process), address, length, protection);
}

int64_t vfiosim_mremap(struct vfiosim_process *process, uint64_t address, uint64_t old_length,
		       uint64_t new_length, int flags, uint64_t new_address)
{
	return sys_mremap(to_process(process), address, old_length, new_length, flags,
			  new_address);
}

int vfiosim_madvise(struct vfiosim_process *process, uint64_t address, uint64_t length,
		    int advice)
{
	return sys_madvise(to_process(process), address, length, advice);
}

enum vfiosim_touch vfiosim_load(struct vfiosim_process *process, uint64_t address,
				uint32_t *value)
{
	uint32_t ignored = 0;

	return sys_touch(to_process(process), address, false, value ? value : &ignored);
}

enum vfiosim_touch vfiosim_store(struct vfiosim_process *process, uint64_t address,
				 uint32_t value)
{
	return sys_touch(to_process(process), address, true, &value);
}

bool vfiosim_present(struct vfiosim_process *process, uint64_t address)
{
	return sys_present(to_process(process), address);
}

/* ---- machine ---- */

static struct machine_device *to_machine(struct vfiosim_device *device)
{
	return (struct machine_device *)device;
}

static const struct {
	unsigned int public;
	u8 kernel;
} reset_words[] = {
	{ VFIOSIM_RESET_FLR, PCI_RESET_FLR },
	{ VFIOSIM_RESET_AF_FLR, PCI_RESET_AF_FLR },
	{ VFIOSIM_RESET_PM, PCI_RESET_PM },
	{ VFIOSIM_RESET_BUS, PCI_RESET_BUS },
};

G_STATIC_ASSERT(VFIOSIM_BAR_IO == MACHINE_BAR_IO);
G_STATIC_ASSERT(VFIOSIM_BAR_64BIT == MACHINE_BAR_64BIT);
G_STATIC_ASSERT(VFIOSIM_BAR_RAM == MACHINE_BAR_RAM);

int vfiosim_boot(void)
{
	choose_core();
	return machine_boot(true);
}

struct vfiosim_device *vfiosim_plug(const struct vfiosim_device_desc *desc)
{
	struct machine_slot slot = {
		.name = desc->name,
		.group = desc->group,
		.design = desc->design,
		.header_type = desc->header_type,
		.slot_reset = desc->resets & VFIOSIM_RESET_SLOT,
		.no_iommu = desc->no_iommu,
		.has_pm = desc->has_pm,
		.mediated = desc->bus == VFIOSIM_BUS_MDEV,
	};

	choose_core();
	for (size_t i = 0; i < G_N_ELEMENTS(reset_words); i++) {
		if (desc->resets & reset_words[i].public)
			slot.resets |= reset_words[i].kernel;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(desc->bars); i++) {
		slot.bar_size[i] = desc->bars[i].size;
		slot.bar_flags[i] = desc->bars[i].flags;
	}
	return (struct vfiosim_device *)machine_plug(&slot);
}

const char *vfiosim_device_name(struct vfiosim_device *device)
{
	return machine_device_name(to_machine(device));
}

const char *vfiosim_group_path(struct vfiosim_device *device, char buffer[VFIOSIM_PATH_MAX])
{
	int group = machine_device_group(to_machine(device));

	if (group < 0)
		g_strlcpy(buffer, "/dev/vfio/none", VFIOSIM_PATH_MAX);
	else
		g_snprintf(buffer, VFIOSIM_PATH_MAX, "/dev/vfio/%s%d",
			   machine_device_is_noiommu(to_machine(device)) ? "noiommu-" : "", group);
	return buffer;
}

int vfiosim_bind(struct vfiosim_process *process, struct vfiosim_device *device,
		 const char *driver)
{
	return machine_bind(to_process(process), to_machine(device), driver);
}

int vfiosim_unbind(struct vfiosim_process *process, struct vfiosim_device *device)
{
	return machine_unbind(to_process(process), to_machine(device));
}

int vfiosim_unplug(struct vfiosim_process *process, struct vfiosim_device *device)
{
	return machine_unplug(to_process(process), to_machine(device));
}

int vfiosim_sysfs_reset(struct vfiosim_process *process, struct vfiosim_device *device)
{
	return machine_reset(to_process(process), to_machine(device));
}

int vfiosim_module_refs(const char *module)
{
	return machine_module_refs(module);
}

int vfiosim_rmmod(struct vfiosim_process *process, const char *module)
{
	return machine_rmmod(to_process(process), module);
}

int vfiosim_insmod(struct vfiosim_process *process, const char *module)
{
	choose_core();
	return machine_insmod(to_process(process), module);
}

long vfiosim_peek(const char *what, struct vfiosim_device *device)
{
	return machine_peek(what, to_machine(device));
}

bool vfiosim_peek_is(const char *what, struct vfiosim_device *device, long value)
{
	long seen = vfiosim_peek(what, device);

	return seen == value || seen == -ENOSYS;
}
