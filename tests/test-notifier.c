// SPDX-License-Identifier: GPL-2.0-only
/* Blocking notifier chains: VF-191. */
#include <vfiosim/kapi.h>

#include "simtest.h"

static struct {
	char calls[16];
	unsigned int n;
	int answer;
} seen KSTATE = { .n = 0 };

static int record(char letter)
{
	seen.calls[seen.n++ % sizeof(seen.calls)] = letter;
	cond_resched();
	return seen.answer;
}

static int call_a(struct notifier_block *block, unsigned long action, void *data)
{
	return record('a');
}

static int call_b(struct notifier_block *block, unsigned long action, void *data)
{
	return record('b');
}

static int call_c(struct notifier_block *block, unsigned long action, void *data)
{
	return record('c');
}

static KSTATE BLOCKING_NOTIFIER_HEAD(chain);
static struct notifier_block a KSTATE = { .notifier_call = call_a };
static struct notifier_block b KSTATE = { .notifier_call = call_b, .priority = 5 };
static struct notifier_block c KSTATE = { .notifier_call = call_c };

static void order(void *fixture)
{
	vfiosim_expect(blocking_notifier_call_chain(&chain, 1, NULL) == NOTIFY_DONE);
	blocking_notifier_chain_register(&chain, &a);
	blocking_notifier_chain_register(&chain, &b);
	blocking_notifier_chain_register(&chain, &c);
	seen.answer = NOTIFY_OK;
	vfiosim_expect(blocking_notifier_call_chain(&chain, 1, NULL) == NOTIFY_OK);
	vfiosim_expect(seen.n == 3 && !memcmp(seen.calls, "bac", 3));
	seen.answer = NOTIFY_BAD;
	vfiosim_expect(blocking_notifier_call_chain(&chain, 1, NULL) == NOTIFY_BAD);
	vfiosim_expect(seen.n == 4);
	vfiosim_expect(blocking_notifier_chain_unregister(&chain, &b) == 0);
	vfiosim_expect(blocking_notifier_chain_unregister(&chain, &b) == -ENOENT);
}

START_TEST(callbacks_run_by_priority_then_age)
{
	assert_runs(order);
}
END_TEST

static void register_twice(void *fixture)
{
	blocking_notifier_chain_register(&chain, &a);
	vfiosim_expect(blocking_notifier_chain_register(&chain, &a) == 0);
}

START_TEST(a_second_registration_warns)
{
	assert_detects("warn", register_twice);
}
END_TEST

static void empty_chain_takes_no_lock(void *fixture)
{
	down_write(&chain.rwsem);
	blocking_notifier_call_chain(&chain, 1, NULL);
	up_write(&chain.rwsem);
}

START_TEST(an_empty_chain_is_seen_without_the_lock)
{
	assert_runs(empty_chain_takes_no_lock);
}
END_TEST

static void register_a(void *fixture)
{
	blocking_notifier_chain_register(&chain, &a);
}

static void call_chain(void *fixture)
{
	blocking_notifier_call_chain(&chain, 1, NULL);
}

static void remove_a(void *fixture)
{
	unsigned int before;

	blocking_notifier_chain_unregister(&chain, &a);
	before = seen.n;
	cond_resched();
	vfiosim_expect(seen.n == before);
}

START_TEST(unregister_waits_for_running_callbacks)
{
	static const struct vfiosim_scenario scenario = {
		.name = "call-vs-unregister", .setup = register_a,
		.tasks = { { "caller", call_chain }, { "remover", remove_a } },
	};

	assert_scenario_ok_random(&scenario, 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifier");
	TCase *tc = tcase_create("notifier");

	tcase_add_test(tc, callbacks_run_by_priority_then_age);
	tcase_add_test(tc, a_second_registration_warns);
	tcase_add_test(tc, an_empty_chain_is_seen_without_the_lock);
	tcase_add_test(tc, unregister_waits_for_running_callbacks);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
