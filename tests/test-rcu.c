// SPDX-License-Identifier: GPL-2.0-only
/* Grace periods wait for the readers that were inside, and for no others. */
#include <vfiosim/kapi.h>

#include "simtest.h"

struct item {
	struct callback_head rcu;
	int value;
};

struct world {
	struct item *item;
	int callbacks;
	bool reader_inside, seen_after;
};

static struct world *world KSTATE = NULL;

static void init_world(void *fixture)
{
	world = fixture;
	world->item = kzalloc(sizeof(*world->item), GFP_KERNEL);
	world->item->value = 7;
}

static void free_item(struct callback_head *head)
{
	world->callbacks++;
	vfiosim_expect(!world->reader_inside);
	kfree(container_of(head, struct item, rcu));
}

static void read_item(void *fixture)
{
	struct item *item;

	rcu_read_lock();
	item = rcu_dereference(world->item);
	world->reader_inside = item;
	shared_read(item);
	vfiosim_expect(!item || item->value == 7);
	world->reader_inside = false;
	rcu_read_unlock();
}

static void remove_item(void *fixture)
{
	struct item *item = world->item;

	rcu_assign_pointer(world->item, NULL);
	call_rcu(&item->rcu, free_item);
}

static void remove_and_wait(void *fixture)
{
	struct item *item = world->item;

	rcu_assign_pointer(world->item, NULL);
	synchronize_rcu();
	vfiosim_expect(!world->reader_inside);
	kfree(item);
}

START_TEST(a_callback_waits_for_readers)
{
	static const struct vfiosim_scenario scenario = {
		.name = "call-rcu", .fixture_size = sizeof(struct world), .setup = init_world,
		.tasks = { { "reader", read_item }, { "updater", remove_item } },
	};

	assert_scenario_ok_random(&scenario, 200);
}
END_TEST

START_TEST(synchronize_rcu_waits_for_readers)
{
	static const struct vfiosim_scenario scenario = {
		.name = "sync-rcu", .fixture_size = sizeof(struct world), .setup = init_world,
		.tasks = { { "reader", read_item }, { "updater", remove_and_wait } },
	};

	assert_scenario_ok_random(&scenario, 200);
}
END_TEST

/* Wrong: the pointer is unpublished after the callback was queued. */
static void remove_too_late(void *fixture)
{
	struct item *item = world->item;

	call_rcu(&item->rcu, free_item);
	rcu_assign_pointer(world->item, NULL);
}

static bool some_schedule_fails(const struct vfiosim_scenario *scenario, unsigned int runs)
{
	for (unsigned int seed = 1; seed <= runs; seed++)
		if (simtest_run_random(scenario, seed) != VFIOSIM_OK)
			return true;
	return false;
}

START_TEST(a_reader_that_came_later_does_not_hold_the_grace_period_up)
{
	static const struct vfiosim_scenario scenario = {
		.name = "late-unpublish", .fixture_size = sizeof(struct world),
		.setup = init_world,
		.tasks = { { "reader", read_item }, { "updater", remove_too_late } },
	};

	if (!simtest_has_memory_checker())
		ck_assert(some_schedule_fails(&scenario, 300));
}
END_TEST

static void barrier_waits(void *fixture)
{
	struct item *item;

	init_world(fixture);
	item = world->item;
	call_rcu(&item->rcu, free_item);
	vfiosim_expect(rcu_pending_callbacks() == 1);
	rcu_barrier();
	vfiosim_expect(world->callbacks == 1 && !rcu_pending_callbacks());
}

static void free_by_rcu(void *fixture)
{
	struct item *item = kzalloc(sizeof(*item), GFP_KERNEL);

	rcu_read_lock();
	rcu_read_lock();
	vfiosim_expect(rcu_read_lock_held());
	kfree_rcu(item, rcu);
	rcu_read_unlock();
	item->value = 3;
	rcu_read_unlock();
}

static void unlock_too_often(void *fixture)
{
	rcu_read_unlock();
}

static void sleep_in_callback(struct callback_head *head)
{
	msleep(1);
}

static void queue_sleeper(void *fixture)
{
	call_rcu(fixture, sleep_in_callback);
	rcu_barrier();
}

START_TEST(rcu_barrier_waits_for_callbacks)
{
	assert_runs(barrier_waits);
}
END_TEST

/* FS-205 */
START_TEST(memory_is_valid_until_the_grace_period_is_over)
{
	assert_runs(free_by_rcu);
	ck_assert_uint_eq(simtest_trace_count("rcu_run"), 1);
}
END_TEST

START_TEST(misuse_of_rcu_is_found)
{
	assert_detects("bug", unlock_too_often);
	assert_detects("sleeping-while-atomic", queue_sleeper);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rcu");
	TCase *tc = tcase_create("rcu");

	tcase_add_test(tc, a_callback_waits_for_readers);
	tcase_add_test(tc, synchronize_rcu_waits_for_readers);
	tcase_add_test(tc, a_reader_that_came_later_does_not_hold_the_grace_period_up);
	tcase_add_test(tc, rcu_barrier_waits_for_callbacks);
	tcase_add_test(tc, memory_is_valid_until_the_grace_period_is_over);
	tcase_add_test(tc, misuse_of_rcu_is_found);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
