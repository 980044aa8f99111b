/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modules: a reference count and a state.
 *
 * A source file that is part of a module says so before its first include:
 *
 *	#define KBUILD_MODNAME vfio
 *
 * and one file of the module has MODULE_DEFINE(init, exit) at its end. Elsewhere
 * THIS_MODULE is NULL, which is how the kernel treats built-in code.
 */
#ifndef VFIOSIM_KAPI_MODULE_H
#define VFIOSIM_KAPI_MODULE_H

#include <vfiosim/kapi/atomic.h>
#include <vfiosim/kapi/list.h>

enum module_state {
	MODULE_STATE_LIVE,
	MODULE_STATE_COMING,
	MODULE_STATE_GOING,
	MODULE_STATE_UNFORMED,
};

#define MODULE_USES_MAX 4

struct module {
	enum module_state state;
	atomic_t refcnt;		/* the loader's base of 1 included */
	const char *name;
	int (*init)(void);
	void (*exit)(void);
	struct list_head list;		/* the loaded ones */
	struct module *uses[MODULE_USES_MAX];	/* modules that this one depends on */
	unsigned int users;		/* modules that depend on this one */
};

#define MODULE_PASTE_(a, b) a##b
#define MODULE_PASTE(a, b) MODULE_PASTE_(a, b)
#define MODULE_TEXT_(a) #a
#define MODULE_TEXT(a) MODULE_TEXT_(a)

/* Refers to the module @mod (a token) of another file. */
#define DECLARE_MODULE(mod) \
	extern struct module MODULE_PASTE(__module_, mod) \
		__asm__("vfiosim_module_" MODULE_TEXT(mod)) \
		__attribute__((visibility("default")))
#define MODULE(mod) (&MODULE_PASTE(__module_, mod))

#ifdef KBUILD_MODNAME
DECLARE_MODULE(KBUILD_MODNAME);
#define THIS_MODULE MODULE(KBUILD_MODNAME)
/* The rest are the modules that it uses: MODULE_DEFINE(init, exit, MODULE(vfio)). */
#define MODULE_DEFINE(init_, exit_, ...)					\
	struct module MODULE_PASTE(__module_, KBUILD_MODNAME) KSTATE = {	\
		.state = MODULE_STATE_UNFORMED,					\
		.name = MODULE_TEXT(KBUILD_MODNAME),				\
		.init = init_, .exit = exit_,					\
		.uses = { __VA_ARGS__ },					\
	}
#else
#define THIS_MODULE ((struct module *)NULL)
#endif

#define module_init(fn) _Static_assert(1, "the module's MODULE_DEFINE() names it")
#define module_exit(fn) _Static_assert(1, "the module's MODULE_DEFINE() names it")
#define EXPORT_SYMBOL(symbol) _Static_assert(1, "")
#define EXPORT_SYMBOL_GPL(symbol) _Static_assert(1, "")
#define MODULE_LICENSE(text) _Static_assert(1, "")
#define MODULE_AUTHOR(text) _Static_assert(1, "")
#define MODULE_DESCRIPTION(text) _Static_assert(1, "")
#define MODULE_VERSION(text) _Static_assert(1, "")
#define MODULE_ALIAS(text) _Static_assert(1, "")
#define MODULE_SOFTDEP(text) _Static_assert(1, "")
#define MODULE_PARM_DESC(parameter, text) _Static_assert(1, "")
#define module_param_named(name, value, type, perm) _Static_assert(1, "")

/* NULL passes. Fails once the module is going or was never loaded (FS-36). */
bool try_module_get(struct module *module) KAPI(try_module_get);
void __module_get(struct module *module) KAPI(__module_get);
void module_put(struct module *module) KAPI(module_put);
/* Without the loader's base reference. */
int module_refcount(struct module *module) KAPI(module_refcount);

/* insmod and rmmod. Loading also takes a reference on each module in ->uses. */
int load_module(struct module *module) KAPI(load_module);
int delete_module(struct module *module) KAPI(delete_module);
struct module *find_module(const char *name) KAPI(find_module);

#endif
