// SPDX-License-Identifier: GPL-2.0-only
/* Work queues, timers and delayed work. */
#include <vfiosim/kapi.h>

#include "simtest.h"

struct world {
	struct work_struct work, second;
	struct delayed_work delayed;
	struct timer_list timer;
	struct completion gate;
	struct workqueue_struct *queue;
	int runs, inside, order[4];
	unsigned long when;
};

static struct world *world KSTATE = NULL;

static void count_run(struct work_struct *work)
{
	vfiosim_expect(!world->inside++);
	cond_resched();
	world->order[world->runs++ % 4] = work == &world->second ? 2 : 1;
	world->when = jiffies;
	world->inside--;
}

static void count_timer(struct timer_list *timer)
{
	world->runs++;
	world->when = jiffies;
	vfiosim_expect(current->in_interrupt);
}

static void init_world(void *fixture)
{
	world = fixture;
	INIT_WORK(&world->work, count_run);
	INIT_WORK(&world->second, count_run);
	INIT_DELAYED_WORK(&world->delayed, count_run);
	timer_setup(&world->timer, count_timer, 0);
	init_completion(&world->gate);
}

static void flush_waits(void *fixture)
{
	init_world(fixture);
	vfiosim_expect(!flush_work(&world->work));
	vfiosim_expect(schedule_work(&world->work));
	vfiosim_expect(!schedule_work(&world->work));
	flush_work(&world->work);
	vfiosim_expect(world->runs == 1 && !work_pending(&world->work));
	vfiosim_expect(schedule_work(&world->work));
	flush_scheduled_work();
	vfiosim_expect(world->runs == 2);
}

static void cancel(void *fixture)
{
	init_world(fixture);
	schedule_work(&world->work);
	vfiosim_expect(cancel_work_sync(&world->work));
	flush_everything();
	vfiosim_expect(!cancel_work_sync(&world->work) && !world->runs);
}

static void ordered_queue(void *fixture)
{
	init_world(fixture);
	world->queue = create_singlethread_workqueue("ordered");
	queue_work(world->queue, &world->work);
	queue_work(world->queue, &world->second);
	flush_workqueue(world->queue);
	vfiosim_expect(world->runs == 2 && world->order[0] == 1 && world->order[1] == 2);
	queue_work(world->queue, &world->work);
	destroy_workqueue(world->queue);
	vfiosim_expect(world->runs == 3);
}

static void delayed_work(void *fixture)
{
	init_world(fixture);
	vfiosim_expect(schedule_delayed_work(&world->delayed, 50));
	vfiosim_expect(!schedule_delayed_work(&world->delayed, 10));
	msleep(200);
	vfiosim_expect(!world->runs);
	msleep(400);
	vfiosim_expect(world->runs == 1 && world->when == 50);
	schedule_delayed_work(&world->delayed, 50);
	vfiosim_expect(cancel_delayed_work_sync(&world->delayed));
	schedule_delayed_work(&world->delayed, 5000);
	vfiosim_expect(flush_delayed_work(&world->delayed) && world->runs == 2);
}

/* The item is pending while its timer runs: nobody queues it a second time. */
static void delayed_work_again(void *fixture)
{
	init_world(fixture);
	vfiosim_expect(queue_delayed_work(system_wq, &world->delayed, 50));
	vfiosim_expect(!queue_delayed_work(system_wq, &world->delayed, 0));
	vfiosim_expect(mod_delayed_work(system_wq, &world->delayed, 20));
	msleep(1000);
	vfiosim_expect(world->runs == 1 && world->when == 20);
	vfiosim_expect(!mod_delayed_work(system_wq, &world->delayed, 20));
	vfiosim_expect(cancel_delayed_work(&world->delayed));
	vfiosim_expect(!cancel_delayed_work(&world->delayed));
	vfiosim_expect(queue_delayed_work(system_wq, &world->delayed, 0));
	vfiosim_expect(cancel_delayed_work(&world->delayed));
	msleep(1000);
	vfiosim_expect(world->runs == 1);
}

static void requeue_once(struct work_struct *work)
{
	if (!world->runs++)
		queue_work(world->queue, work);
}

static void drain(void *fixture)
{
	init_world(fixture);
	INIT_WORK(&world->work, requeue_once);
	world->queue = alloc_workqueue("drained", 0, 0);
	queue_work(world->queue, &world->work);
	drain_workqueue(world->queue);
	vfiosim_expect(world->runs == 2);
	queue_work(world->queue, &world->work);
	vfiosim_expect(cancel_work(&world->work) && !cancel_work(&world->work));
	destroy_workqueue(world->queue);
	vfiosim_expect(world->runs == 2);
}

static void timers(void *fixture)
{
	init_world(fixture);
	vfiosim_expect(!mod_timer(&world->timer, jiffies + 100));
	vfiosim_expect(mod_timer(&world->timer, jiffies + 20));
	msleep(500);
	vfiosim_expect(world->runs == 1 && world->when == 20);
	mod_timer(&world->timer, jiffies + 20);
	vfiosim_expect(del_timer_sync(&world->timer) == 1);
	vfiosim_expect(del_timer(&world->timer) == 0);
	msleep(500);
	vfiosim_expect(world->runs == 1 && !timer_pending(&world->timer));
}

static const struct {
	const char *what;
	void (*body)(void *fixture);
} bodies[] = {
	{ "flush_work waits for the item", flush_waits },
	{ "cancelled work does not run", cancel },
	{ "a single-threaded queue keeps the order", ordered_queue },
	{ "delayed work runs when its time has come", delayed_work },
	{ "delayed work is queued once", delayed_work_again },
	{ "a drained queue has done what its work queued", drain },
	{ "timers fire when due", timers },
};

START_TEST(queues_and_timers_do_as_the_kernel_s)
{
	assert_runs(bodies[_i].body);
}
END_TEST

static void queue_twice(void *fixture)
{
	for (int i = 0; i < 3; i++) {
		schedule_work(&world->work);
		cond_resched();
	}
}

static void expect_runs(void *fixture)
{
	flush_everything();
	vfiosim_expect(world->runs >= 1 && world->runs <= 6);
}

START_TEST(an_item_never_runs_twice_at_once)
{
	static const struct vfiosim_scenario scenario = {
		.name = "requeue", .fixture_size = sizeof(struct world),
		.setup = init_world, .teardown = expect_runs,
		.tasks = { { "a", queue_twice }, { "b", queue_twice } },
	};

	assert_scenario_ok_random(&scenario, 100);
	assert_scenario_repeats(&scenario);
}
END_TEST

static void wait_at_gate(struct work_struct *work)
{
	wait_for_completion(&world->gate);
	world->runs++;
}

static void open_gate(struct work_struct *work)
{
	complete(&world->gate);
}

static void blocked_work(void *fixture)
{
	init_world(fixture);
	INIT_WORK(&world->work, wait_at_gate);
	INIT_WORK(&world->second, open_gate);
	schedule_work(&world->work);
	schedule_work(&world->second);
	flush_everything();
	vfiosim_expect(world->runs == 1);
}

START_TEST(work_that_blocks_does_not_hold_up_other_work)
{
	assert_runs(blocked_work);
}
END_TEST

static void queue_uninitialised(void *fixture)
{
	schedule_work(fixture);
}

static void leave_lock(struct work_struct *work)
{
	preempt_disable();
}

static void queue_bad_work(void *fixture)
{
	struct work_struct *work = fixture;

	INIT_WORK(work, leave_lock);
	schedule_work(work);
	flush_work(work);
}

START_TEST(misuse_of_work_is_a_bug)
{
	assert_detects("bug", queue_uninitialised);
	assert_detects("bug", queue_bad_work);
}
END_TEST

static void leave_work_behind(void *fixture)
{
	init_world(fixture);
	schedule_work(&world->work);
	schedule_delayed_work(&world->delayed, 10);
}

static void expect_drained(void *fixture)
{
	vfiosim_expect(world->runs == 2);
}

START_TEST(a_run_ends_when_the_background_is_idle)
{
	static const struct vfiosim_scenario scenario = {
		.name = "drain", .fixture_size = sizeof(struct world),
		.teardown = expect_drained, .tasks = { { "alone", leave_work_behind } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("work");
	TCase *tc = tcase_create("work");

	tcase_add_loop_test(tc, queues_and_timers_do_as_the_kernel_s, 0, ARRAY_SIZE(bodies));
	tcase_add_test(tc, an_item_never_runs_twice_at_once);
	tcase_add_test(tc, work_that_blocks_does_not_hold_up_other_work);
	tcase_add_test(tc, misuse_of_work_is_a_bug);
	tcase_add_test(tc, a_run_ends_when_the_background_is_idle);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
