// SPDX-License-Identifier: GPL-2.0-only
/* Modules: references and states. */
#define KBUILD_MODNAME simtest
#include <vfiosim/kapi.h>

#include "simtest.h"

static int init_result KSTATE = 0;
static bool refs_while_coming KSTATE = false;

static int init_simtest(void)
{
	refs_while_coming = try_module_get(THIS_MODULE);
	module_put(THIS_MODULE);
	return init_result;
}

static void exit_simtest(void)
{
	vfiosim_expect(!try_module_get(THIS_MODULE));
}

MODULE_DEFINE(init_simtest, exit_simtest);

static struct module user KSTATE = {
	.name = "user", .state = MODULE_STATE_UNFORMED, .uses = { THIS_MODULE },
};

/* FS-36, FS-38 */
static void load_and_unload(void *fixture)
{
	vfiosim_expect(try_module_get(NULL));
	vfiosim_expect(!try_module_get(THIS_MODULE));
	vfiosim_expect(delete_module(THIS_MODULE) == -ENOENT);
	vfiosim_expect(load_module(THIS_MODULE) == 0 && refs_while_coming);
	vfiosim_expect(load_module(THIS_MODULE) == -EEXIST);
	vfiosim_expect(find_module("simtest") == THIS_MODULE);
	vfiosim_expect(try_module_get(THIS_MODULE) && module_refcount(THIS_MODULE) == 1);
	vfiosim_expect(delete_module(THIS_MODULE) == -EAGAIN);
	module_put(THIS_MODULE);
	vfiosim_expect(delete_module(THIS_MODULE) == 0);
	vfiosim_expect(!find_module("simtest"));
	vfiosim_expect(load_module(THIS_MODULE) == 0);
	vfiosim_expect(delete_module(THIS_MODULE) == 0);
}

static void dependencies(void *fixture)
{
	vfiosim_expect(load_module(&user) == -ENOENT);
	load_module(THIS_MODULE);
	vfiosim_expect(load_module(&user) == 0);
	vfiosim_expect(delete_module(THIS_MODULE) == -EAGAIN);
	vfiosim_expect(delete_module(&user) == 0);
	vfiosim_expect(delete_module(THIS_MODULE) == 0);
}

static void failing_init(void *fixture)
{
	init_result = -ENOMEM;
	vfiosim_expect(load_module(THIS_MODULE) == -ENOMEM);
	vfiosim_expect(!find_module("simtest"));
	init_result = 0;
	vfiosim_expect(load_module(THIS_MODULE) == 0);
}

/* A module that is going takes no new users, but who holds it may hold it twice (FS-34). */
static void going(void *fixture)
{
	load_module(THIS_MODULE);
	vfiosim_expect(try_module_get(THIS_MODULE));
	THIS_MODULE->state = MODULE_STATE_GOING;
	vfiosim_expect(!try_module_get(THIS_MODULE));
	__module_get(THIS_MODULE);
	vfiosim_expect(module_refcount(THIS_MODULE) == 2);
	vfiosim_expect(delete_module(THIS_MODULE) == -EBUSY);
	module_put(THIS_MODULE);
	module_put(THIS_MODULE);
	THIS_MODULE->state = MODULE_STATE_LIVE;
	vfiosim_expect(delete_module(THIS_MODULE) == 0);
}

static const struct {
	const char *what;
	void (*body)(void *fixture);
} bodies[] = {
	{ "a module in use is not unloaded", load_and_unload },
	{ "a module that others use is not unloaded", dependencies },
	{ "a module whose init fails is gone", failing_init },
	{ "a module that is going takes no new users", going },
};

START_TEST(modules_load_and_unload)
{
	assert_runs(bodies[_i].body);
}
END_TEST

/* FS-37 */
static void put_too_often(void *fixture)
{
	load_module(THIS_MODULE);
	module_put(THIS_MODULE);
	module_put(THIS_MODULE);
}

START_TEST(a_put_at_zero_warns)
{
	assert_detects("warn", put_too_often);
}
END_TEST

static void load(void *fixture)
{
	load_module(THIS_MODULE);
}

static void use(void *fixture)
{
	if (!try_module_get(THIS_MODULE))
		return;
	vfiosim_expect(THIS_MODULE->state == MODULE_STATE_LIVE);
	cond_resched();
	vfiosim_expect(THIS_MODULE->state == MODULE_STATE_LIVE);
	module_put(THIS_MODULE);
}

static void unload(void *fixture)
{
	int ret = delete_module(THIS_MODULE);

	vfiosim_expect(ret == 0 || ret == -EAGAIN);
}

START_TEST(a_reference_keeps_the_module)
{
	static const struct vfiosim_scenario scenario = {
		.name = "use-vs-unload", .setup = load,
		.tasks = { { "user", use }, { "rmmod", unload } },
	};

	assert_scenario_ok_random(&scenario, 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("module");
	TCase *tc = tcase_create("module");

	tcase_add_loop_test(tc, modules_load_and_unload, 0, ARRAY_SIZE(bodies));
	tcase_add_test(tc, a_put_at_zero_warns);
	tcase_add_test(tc, a_reference_keeps_the_module);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
