// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules: state, references, loading and unloading. Follows kernel/module.c
 * (FS-36 to FS-38).
 *
 * Lock order: module_mutex is outermost; it is not held while init and exit run.
 */
#include <vfiosim/kapi/module.h>
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/lock.h>
#include <vfiosim/kapi/string.h>

#include "engine.h"

static KSTATE DEFINE_MUTEX(module_mutex);
static struct list_head modules KSTATE = LIST_HEAD_INIT(modules);

/* Context: any. Refs: +1 on success. */
bool try_module_get(struct module *module)
{
	if (!module)
		return true;
	eng_point(ENG_OP_MODULE_GET, module, ENG_WRITE);
	if (module->state == MODULE_STATE_GOING || module->state == MODULE_STATE_UNFORMED ||
	    module->refcnt.counter == 0) {
		eng_only_read();
		return false;
	}
	module->refcnt.counter++;
	eng_event("module_get", module, "refs %d", module->refcnt.counter - 1);
	return true;
}

/* For callers that own a reference already; does not look at the state (FS-34). */
void __module_get(struct module *module)
{
	if (!module)
		return;
	eng_point(ENG_OP_MODULE_GET, module, ENG_WRITE);
	module->refcnt.counter++;
	eng_event("module_get", module, "refs %d", module->refcnt.counter - 1);
}

/* Never below 0: that is a WARN (FS-37). */
void module_put(struct module *module)
{
	if (!module)
		return;
	eng_point(ENG_OP_MODULE_PUT, module, ENG_WRITE);
	if (module->refcnt.counter > 0)
		module->refcnt.counter--;
	else
		WARN(1, "module %s is put once too often", module->name);
	eng_event("module_put", module, "refs %d", module->refcnt.counter - 1);
}

int module_refcount(struct module *module)
{
	eng_point(ENG_OP_MODULE_STATE, module, ENG_READ);
	return module->refcnt.counter - 1;
}

/* Locks: holds module_mutex. */
static struct module *find_loaded(const char *name)
{
	struct module *module;

	list_for_each_entry(module, &modules, list)
		if (!strcmp(module->name, name))
			return module;
	return NULL;
}

struct module *find_module(const char *name)
{
	struct module *module;

	mutex_lock(&module_mutex);
	module = find_loaded(name);
	mutex_unlock(&module_mutex);
	return module;
}

static void set_state(struct module *module, enum module_state state)
{
	eng_point(ENG_OP_MODULE_STATE, module, ENG_WRITE);
	module->state = state;
}

static void put_used(struct module *module)
{
	for (int i = 0; i < MODULE_USES_MAX && module->uses[i]; i++) {
		module->uses[i]->users--;
		module_put(module->uses[i]);
	}
}

static int get_used(struct module *module)
{
	for (int i = 0; i < MODULE_USES_MAX && module->uses[i]; i++) {
		if (module->uses[i]->state == MODULE_STATE_LIVE &&
		    try_module_get(module->uses[i])) {
			module->uses[i]->users++;
			continue;
		}
		while (i-- > 0) {
			module->uses[i]->users--;
			module_put(module->uses[i]);
		}
		return -ENOENT;
	}
	return 0;
}

static int link_module(struct module *module)
{
	int ret = -EEXIST;

	mutex_lock(&module_mutex);
	if (!find_loaded(module->name)) {
		ret = get_used(module);
		if (!ret) {
			list_add(&module->list, &modules);
			module->refcnt.counter = 1;
		}
	}
	mutex_unlock(&module_mutex);
	return ret;
}

static void unlink_module(struct module *module)
{
	mutex_lock(&module_mutex);
	list_del(&module->list);
	put_used(module);
	mutex_unlock(&module_mutex);
	set_state(module, MODULE_STATE_UNFORMED);
}

/* insmod. Context: may sleep. -EEXIST, -ENOENT (a module it uses), or init's error. */
int load_module(struct module *module)
{
	int ret = link_module(module);

	if (ret)
		return ret;
	set_state(module, MODULE_STATE_COMING);
	ret = module->init ? module->init() : 0;
	if (!ret) {
		set_state(module, MODULE_STATE_LIVE);
		return 0;
	}
	set_state(module, MODULE_STATE_GOING);
	module_put(module);
	unlink_module(module);
	return ret;
}

/* The tests of delete_module(2), in the kernel's order (FS-38). */
static int may_delete(struct module *module)
{
	if (find_loaded(module->name) != module)
		return -ENOENT;
	if (module->users)
		return -EWOULDBLOCK;
	if (module->state != MODULE_STATE_LIVE || (module->init && !module->exit))
		return -EBUSY;
	eng_point(ENG_OP_MODULE_STATE, module, ENG_WRITE);
	if (module->refcnt.counter > 1)
		return -EWOULDBLOCK;
	module->refcnt.counter = 0;
	module->state = MODULE_STATE_GOING;
	return 0;
}

/* rmmod. Context: may sleep. */
int delete_module(struct module *module)
{
	int ret;

	mutex_lock(&module_mutex);
	ret = may_delete(module);
	mutex_unlock(&module_mutex);
	if (ret)
		return ret;
	if (module->exit)
		module->exit();
	unlink_module(module);
	return 0;
}
