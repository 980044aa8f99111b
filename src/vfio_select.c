// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module "vfio": whichever core this run uses. Drivers, backends and
 * external users call the kernel's names, which end up here.
 *
 * No kernel original: a kernel has one core. No locks.
 */
#define KBUILD_MODNAME vfio

#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/module.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/vfio_core_ops.h>
#include <vfiosim/kapi/vfio_facts.h>

#include "engine.h"

const unsigned long vfiosim_core_abi = VFIOSIM_CORE_ABI;

const struct vfiosim_core *const vfiosim_cores[] = {
	&vfio_core_port,
	&vfio_core_merged,
	NULL,
};

/*
 * A setting of the process, not of the modelled kernel: it outlives runs. NULL:
 * the core that goes with the kernel version.
 */
static const struct vfiosim_core *default_core;
/* What this run's setup asked for. */
static KSTATE const struct vfiosim_core *chosen_core;

KSTATE bool vfio_noiommu;

const struct vfiosim_core *vfiosim_core_find(const char *name)
{
	unsigned int i;

	for (i = 0; vfiosim_cores[i]; i++)
		if (!strcmp(vfiosim_cores[i]->name, name))
			return vfiosim_cores[i];
	return NULL;
}

const struct vfiosim_core *vfiosim_core(void)
{
	if (chosen_core)
		return chosen_core;
	if (default_core)
		return default_core;
	return kernel_version >= KERNEL_6_12 ? &vfio_core_merged : &vfio_core_port;
}

void vfiosim_core_use(const struct vfiosim_core *core)
{
	chosen_core = core;
}

void vfiosim_core_set_default(const struct vfiosim_core *core)
{
	default_core = core;
}

void vfio_observe(struct vfio_facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	vfiosim_core()->observe(facts);
}

bool vfio_core_allocates(void)
{
	return vfiosim_core()->ops->_vfio_alloc_device;
}

#define X(result, name, parameters, arguments)				\
	result name parameters						\
	{								\
		BUG_ON(!vfiosim_core()->ops->name);			\
		return vfiosim_core()->ops->name arguments;		\
	}
/* The progress detector watches this one (VF-82, VF-87). */
#define L(result, name, parameters, arguments)				\
	result name parameters						\
	{								\
		struct eng_promise promise = {				\
			.object = device,				\
			.in_vain = vfio_unregister_in_vain,		\
		};							\
									\
		eng_promise(&promise);					\
		vfiosim_core()->ops->name arguments;			\
		eng_promise_kept(&promise);				\
	}
VFIO_CORE_CALLS_EACH(X, L)
#undef L
#undef X

static int vfio_select_init(void)
{
	return vfiosim_core()->init();
}

static void vfio_select_exit(void)
{
	vfiosim_core()->exit();
}

MODULE_DEFINE(vfio_select_init, vfio_select_exit);
