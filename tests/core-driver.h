/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small world around a vfio core, for tests that compare it with a recording:
 * physical devices A, B, ..., a simple vfio driver, host drivers, and a backend
 * of which everything is known. Kernel side; the conventions are those of
 * docs/observed/core-5.14-patched/README.txt. Works for both cores.
 */
#ifndef VFIOSIM_TESTS_CORE_DRIVER_H
#define VFIOSIM_TESTS_CORE_DRIVER_H

#include <vfiosim/kapi/module.h>
#include <vfiosim/kapi/pci.h>
#include <vfiosim/kapi/vfio.h>

#define CORE_DEVICES 8
#define CORE_FILES 32
#define CORE_TIMES 8
#define CORE_MAPPINGS 8
#define CORE_EXTERNALS 4
#define CORE_ANY_NAME (-1000)	/* core_device.match: no match callback is asked */

/* What the driver allocates for one device it is bound to. */
struct core_object {
	struct vfio_device vdev;	/* first */
	struct core_device *device;
};

/* One physical device, and what its driver has seen. */
struct core_device {
	const char *name;		/* "A" */
	struct device *dev;
	struct pci_dev *pdev;		/* NULL on the plain bus */
	struct device plain;
	struct core_object *object;	/* NULL while no driver object exists */
	struct core_object *second;	/* by core_register() beside the first */
	struct iommu_group *group;	/* the driver's reference while bound */
	bool flush_in_remove;
	bool added;			/* to an IOMMU group by hand */
	bool keeps_object;		/* remove leaves it to core_object_drop() */
	int match;			/* answer of the match callback */
	int match_calls;
	int opens, releases;
	int open_error;
	unsigned int requests;
	u64 request_times[CORE_TIMES];
};

/* An open file description of the user process. */
struct core_file {
	char label[8];
	struct file *file;
	struct vfio_container *container;
	int fd;				/* -1: closed */
	int dup;			/* a second descriptor, or -1 */
	bool in_child;			/* and one of the child's */
	int mappings;
};

struct core_backend {
	int opens, releases;		/* of its data */
	int attaches, detaches;
	int notifies;
	int asks;
	int open_error;
	int attach_error_at;		/* the n-th attach fails, 0: none */
};

struct core_external {
	char label[8];
	struct vfio_group *group;	/* NULL: free */
};

struct process;

struct core_world {
	struct core_device device[CORE_DEVICES];
	unsigned int n_devices;
	struct core_file file[CORE_FILES];
	unsigned int n_files;
	struct core_backend backend;
	bool one_set;			/* merged: all devices are reset together */
	struct process *user;		/* opens the files */
	struct process *admin;		/* binds and unbinds */
	struct process *helper;		/* whom the task "unbinder" or "unplug" acts for */
	unsigned int kvm_calls;
	unsigned long events;
	struct notifier_block kvm_listener;
	struct core_external external[CORE_EXTERNALS];
	struct iommu_group *kept_group;	/* outlives its members: +1 */
	unsigned long mapped[CORE_MAPPINGS];	/* addresses by number */
	unsigned long mapped_length[CORE_MAPPINGS];
	struct core_file *mapped_file[CORE_MAPPINGS];	/* NULL: nothing is mapped */
	struct core_file *child_file[CORE_MAPPINGS];
	struct process *child;		/* NULL: none lives */
	struct task_struct *other;	/* the task that unbinds or unplugs */
};

extern struct core_world core SIM(core_world);
extern struct module core_drv_module SIM(core_drv_module);
extern struct module core_be_module SIM(core_be_module);

/* Loads vfio, the backend and the drivers; makes the user process. */
void core_setup(void) SIM(core_setup);
/* Closes, unbinds and unloads whatever is left. */
void core_teardown(void) SIM(core_teardown);

/*
 * A device: @group >= 0 on the PCI bus in the IOMMU group of that requester id,
 * -1 on a bus without an IOMMU.
 */
struct core_device *core_plug(const char *name, int group) SIM(core_plug);
struct core_device *core_find(const char *name) SIM(core_find);
struct core_file *core_file(const char *label) SIM(core_file);
const char *core_dev_name(const struct core_device *device) SIM(core_dev_name);

/* Bind by name of the driver: "simple", "pci-stub", "pci-stub2", "host". */
int core_bind(struct core_device *device, const char *driver) SIM(core_bind);
int core_unbind(struct core_device *device) SIM(core_unbind);
void core_unplug(struct core_device *device) SIM(core_unplug);

/* The next remove leaves the object alive; drop it by hand. */
void core_keep_object(struct core_device *device) SIM(core_keep_object);
void core_object_drop(struct core_device *device) SIM(core_object_drop);

/* Straight to the core, without driver and bus events. */
int core_register(struct core_device *device, bool second) SIM(core_register);
void core_unregister(struct core_device *device) SIM(core_unregister);

/* System calls of the user process; a file gets @label. */
int core_open(const char *label, const char *path) SIM(core_open);
int core_open_group(const char *label, const char *number) SIM(core_open_group);
int core_close(struct core_file *file) SIM(core_close);
long core_ioctl(struct core_file *file, unsigned int command, unsigned long argument)
	SIM(core_ioctl);
int core_set_container(struct core_file *group, struct core_file *container)
	SIM(core_set_container);
/* The flags, or -errno. */
int core_status(struct core_file *group) SIM(core_status);
int core_get_device(struct core_file *group, const char *name, const char *label)
	SIM(core_get_device);

/* Deferred puts of groups that are queued or running. */
int core_deferred_puts(void) SIM(core_deferred_puts);
/* Runs the deferred work that is queued, and what it queues: how many items. */
int core_flush(void) SIM(core_flush);
/* Everybody else gets as far as they can, but for deferred work. */
void core_settle(void) SIM(core_settle);
bool core_is_flushing(void) SIM(core_is_flushing);
extern const unsigned int core_settling SIM(core_settling);

/* Unloads the backend and the core, if nobody uses them. */
int core_unload(void) SIM(core_unload);
/* After the core was loaded again: registers the backend. */
int core_reload_backend(void) SIM(core_reload_backend);
/* WARNs of this run. */
unsigned int core_warnings(void) SIM(core_warnings);
/* What core.other waits for, in the recording's words. */
const char *core_other_state(void) SIM(core_other_state);
/* One line of state, in the columns of the recording. */
int core_row(char *buffer, size_t size, const char *step, long ret) SIM(core_row);

#endif
