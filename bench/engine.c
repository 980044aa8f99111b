// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the engine costs: ns for a choice point that goes on, for a switch, for a
 * whole re-execution, and for a snapshot and its way back. Medians of seven.
 *
 * The workload is w1 of tests/workloads.h: three tasks that lock
 * and unlock one mutex ten times each, 60 points.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <vfiosim/kapi/lock.h>
#include <vfiosim/kapi/slab.h>

#include "arena.h"
#include "sched.h"

#define ROUNDS 7
#define TASKS 3
#define LOCKS 10

struct world {
	struct mutex lock;
	long count;
};

static void setup(void *data)
{
	struct world *world = data;

	mutex_init(&world->lock);
}

static void lock_ten_times(void *data)
{
	struct world *world = data;

	for (int i = 0; i < LOCKS; i++) {
		mutex_lock(&world->lock);
		world->count++;
		mutex_unlock(&world->lock);
	}
}

static const struct vfiosim_scenario w1 = {
	.name = "w1-3x10", .fixture_size = sizeof(struct world), .setup = setup,
	.tasks = { { "a", lock_ten_times }, { "b", lock_ten_times }, { "c", lock_ten_times } },
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median ns of one of the @count operations that @fn carries out. */
static double measure(void (*fn)(unsigned int count), unsigned int count)
{
	double took[ROUNDS];

	fn(count / 10);
	for (int i = 0; i < ROUNDS; i++) {
		double start = now();

		fn(count);
		took[i] = (now() - start) / count;
	}
	qsort(took, ROUNDS, sizeof(took[0]), ascending);
	return took[ROUNDS / 2];
}

static struct decision schedule[DECISIONS_MAX];
static size_t schedule_length;

/* A full run whose tasks take turns every @every steps; keeps its schedule. */
static void record(unsigned int every)
{
	const struct decision *decisions;
	const struct menu *menu;
	unsigned int task = 0, left = every;

	run_begin(&(struct run_config){ .scenario = &w1 });
	while ((menu = run_menu())) {
		if (!left-- || !(menu->enabled >> task & 1)) {
			do {
				task = (task + 1) % TASKS;
			} while (!(menu->enabled >> task & 1));
			left = every - 1;
		}
		run_step(task, ENG_READY);
	}
	run_end();
	schedule_length = run_decisions(&decisions);
	for (size_t i = 0; i < schedule_length; i++)
		schedule[i] = decisions[i];
}

static void re_execute(unsigned int count)
{
	struct run_config config = {
		.scenario = &w1, .script = schedule, .script_length = schedule_length,
	};

	for (unsigned int i = 0; i < count; i++) {
		run_begin(&config);
		if (run_menu() || run_end() != VFIOSIM_OK)
			abort();
	}
}

static void step_all(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		run_begin(&(struct run_config){ .scenario = &w1 });
		for (size_t n = 0; n < schedule_length && run_menu(); n++)
			run_step(schedule[n].value, ENG_READY);
		if (run_menu() || run_end() != VFIOSIM_OK)
			abort();
	}
}

static void begin_only(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		run_begin(&(struct run_config){ .scenario = &w1 });
}

static char *buffer;

static void save(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		snapshot_save(buffer);
}

static void restore(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		snapshot_restore(buffer, schedule);
}

static void hash(unsigned int count)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < count; i++)
		sum += snapshot_hash();
	if (sum == 1)
		abort();
}

static unsigned int solo_count;

static void solo_points(void *data)
{
	struct world *world = data;

	mutex_init(&world->lock);
	for (unsigned int i = 0; i < solo_count; i++) {
		mutex_lock(&world->lock);
		mutex_unlock(&world->lock);
	}
}

static void solo_memory(void *data)
{
	for (unsigned int i = 0; i < solo_count; i++)
		kfree(kmalloc(144, GFP_KERNEL));
}

static void run_alone(void (*body)(void *data), unsigned int count)
{
	struct vfiosim_scenario scenario = {
		.name = "solo", .fixture_size = sizeof(struct world), .setup = body,
		.tasks = { { "nobody", setup } },
	};

	solo_count = count;
	run_begin(&(struct run_config){ .scenario = &scenario });
	run_end();
}

static void lock_alone(unsigned int count)
{
	run_alone(solo_points, count);
}

static void allocate_alone(unsigned int count)
{
	run_alone(solo_memory, count);
}

static void report_re_execution(unsigned int every)
{
	double ns;

	record(every);
	ns = measure(re_execute, 20000);
	printf("re-execution, a switch every %2u points %8.0f ns %8.0f k exec/s %6.1f ns/point\n",
	       every, ns, 1e6 / ns, ns / schedule_length);
}

int main(void)
{
	double ns;

	printf("w1 3x10: medians of %d\n", ROUNDS);
	report_re_execution(20);
	report_re_execution(6);
	report_re_execution(2);
	ns = measure(step_all, 20000);
	printf("stepped through the menu              %8.0f ns %8.0f k exec/s %6.1f ns/point\n",
	       ns, 1e6 / ns, ns / schedule_length);
	ns = measure(begin_only, 20000);
	printf("run_begin() alone                     %8.0f ns\n", ns);
	ns = measure(lock_alone, 1000000);
	printf("lock and unlock in setup              %8.1f ns\n", ns);
	ns = measure(allocate_alone, 1000000);
	printf("kmalloc and kfree, quarantine on      %8.1f ns\n", ns);
	arena_set_quarantine(0);
	ns = measure(allocate_alone, 1000000);
	printf("kmalloc and kfree, quarantine off     %8.1f ns\n", ns);
	if (!snapshot_possible())
		return 0;
	run_begin(&(struct run_config){ .scenario = &w1 });
	for (int i = 0; i < 30 && run_menu(); i++)
		run_step(schedule[i].value, ENG_READY);
	run_menu();
	buffer = malloc(snapshot_size() + 4096);
	printf("snapshot of %5zu bytes: save           %8.0f ns\n", snapshot_size(),
	       measure(save, 100000));
	printf("                        restore        %8.0f ns\n", measure(restore, 100000));
	printf("                        hash           %8.0f ns\n", measure(hash, 100000));
	free(buffer);
	return 0;
}
