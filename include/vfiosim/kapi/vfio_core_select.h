/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which vfio core a run uses.
 *
 * The default of the process is set from outside any run (a command line
 * option); a scenario's setup may override it for its own run, before it loads
 * the core. A run that has loaded a core stays with it.
 */
#ifndef VFIOSIM_KAPI_VFIO_CORE_SELECT_H
#define VFIOSIM_KAPI_VFIO_CORE_SELECT_H

#include <vfiosim/kapi/types.h>

struct vfio_core_ops;
struct vfio_facts;

/**
 * struct vfiosim_core - one linked-in vfio core
 * @name: "port" (5.14-rc with the inode patch) or "merged" (6.12's lifetime)
 * @summary: one line
 * @init: what loading the module "vfio" runs
 * @exit: what unloading it runs
 * @device_inodes: each device has an inode, through which its mappings are found
 * @observe: tells what it knows, see <vfiosim/kapi/vfio_facts.h>
 * @ops: where the exported names of kapi/vfio.h go
 */
struct vfiosim_core {
	const char *name;
	const char *summary;
	bool device_inodes;
	int (*init)(void);
	void (*exit)(void);
	void (*observe)(struct vfio_facts *facts);
	const struct vfio_core_ops *ops;
};

/* VFIOSIM_CORE_ABI of the library; a core file's must be the same. */
extern const unsigned long vfiosim_core_abi SIM(vfiosim_core_abi);

/* Ends with NULL. */
extern const struct vfiosim_core *const vfiosim_cores[] SIM(vfiosim_cores);

/* NULL when there is no core of that name. */
const struct vfiosim_core *vfiosim_core_find(const char *name) SIM(vfiosim_core_find);

/* The core that this run uses. */
const struct vfiosim_core *vfiosim_core(void) SIM(vfiosim_core);

/* For this run only; before vfio is loaded. */
void vfiosim_core_use(const struct vfiosim_core *core) SIM(vfiosim_core_use);

/* For all runs from now on that do not choose; outside any run. */
void vfiosim_core_set_default(const struct vfiosim_core *core) SIM(vfiosim_core_set_default);

#endif
