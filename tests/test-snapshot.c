// SPDX-License-Identifier: GPL-2.0-only
/* A restored snapshot goes on exactly as the run would have. */
#include <glib.h>
#include <stdlib.h>

#include <vfiosim/kapi.h>

#include "simtest.h"

struct world {
	struct mutex lock, inner;
	struct list_head items;
	int count;
};

struct item {
	struct list_head list;
	char text[200];
};

static int static_count KSTATE = 0;

static void init_world(void *fixture)
{
	struct world *w = fixture;

	mutex_init(&w->lock);
	mutex_init(&w->inner);
	INIT_LIST_HEAD(&w->items);
}

static void add_and_remove(void *fixture)
{
	struct world *w = fixture;
	struct item *item;

	for (int i = 0; i < 4; i++) {
		item = kzalloc(sizeof(*item), GFP_KERNEL);
		mutex_lock(&w->lock);
		list_add(&item->list, &w->items);
		static_count++;
		mutex_lock(&w->inner);
		w->count++;
		mutex_unlock(&w->inner);
		mutex_unlock(&w->lock);
		mutex_lock(&w->lock);
		item = list_first_entry(&w->items, struct item, list);
		list_del(&item->list);
		mutex_unlock(&w->lock);
		kfree(item);
	}
}

static void expect_all(void *fixture)
{
	struct world *w = fixture;

	vfiosim_expect(w->count == 12 && static_count == 12 && list_empty(&w->items));
}

static const struct vfiosim_scenario busy = {
	.name = "busy", .fixture_size = sizeof(struct world),
	.setup = init_world, .teardown = expect_all,
	.tasks = { { "a", add_and_remove }, { "b", add_and_remove }, { "c", add_and_remove } },
};

static unsigned int nth_enabled(uint64_t enabled, unsigned int seed)
{
	for (seed %= __builtin_popcountll(enabled); seed; seed--)
		enabled &= enabled - 1;
	return __builtin_ctzll(enabled);
}

static unsigned int run_steps(unsigned int count, unsigned int seed)
{
	const struct menu *menu = NULL;
	unsigned int n = 0;

	while (n < count && (menu = run_menu())) {
		seed = seed * 1103515245 + 12345;
		run_step(nth_enabled(menu->enabled, seed >> 16), ENG_READY);
		n++;
	}
	return n;
}

/* The list of the run that goes on, or is taken back. */
static const struct decision *same_decisions(void)
{
	const struct decision *decisions;

	run_decisions(&decisions);
	return decisions;
}

static uint64_t run_to_end(unsigned int seed)
{
	run_steps(1000, seed);
	ck_assert_int_eq(run_end(), VFIOSIM_OK);
	return run_trace_hash();
}

START_TEST(a_restored_run_ends_as_it_would_have)
{
	uint64_t hash, first;
	void *buffer;

	if (!snapshot_possible())
		return;
	for (unsigned int steps = 1; steps < 100; steps += 7) {
		run_begin(&(struct run_config){ .scenario = &busy });
		run_steps(steps, 3);
		if (!run_menu())
			break;
		/* A hash says which statics differ: a snapshot then holds no others. */
		if (steps % 2)
			snapshot_hash();
		buffer = malloc(snapshot_size());
		snapshot_save(buffer);
		hash = snapshot_hash();
		first = run_to_end(5);
		snapshot_restore(buffer, same_decisions());
		ck_assert(snapshot_hash() == hash);
		run_to_end(6);
		if (steps % 3)
			snapshot_hash();
		snapshot_restore(buffer, same_decisions());
		ck_assert(run_to_end(5) == first);
		free(buffer);
	}
}
END_TEST

START_TEST(a_snapshot_survives_another_run)
{
	const struct decision *decisions;
	g_autofree struct decision *kept = NULL;
	uint64_t first;
	void *buffer;
	size_t n;

	if (!snapshot_possible())
		return;
	run_begin(&(struct run_config){ .scenario = &busy });
	run_steps(20, 3);
	run_menu();
	buffer = malloc(snapshot_size());
	snapshot_save(buffer);
	n = run_decisions(&decisions);
	kept = g_memdup2(decisions, n * sizeof(*kept));
	first = run_to_end(5);
	run_begin(&(struct run_config){ .scenario = &busy });
	run_to_end(99);
	snapshot_restore(buffer, kept);
	ck_assert(run_to_end(5) == first);
	free(buffer);
}
END_TEST

static void break_something(void *fixture)
{
	struct world *w = fixture;

	cond_resched();
	vfiosim_expect(w->count != 1);
}

static void count_one(void *fixture)
{
	cond_resched();
	((struct world *)fixture)->count++;
	cond_resched();
	((struct world *)fixture)->count++;
}

START_TEST(a_failed_run_can_be_taken_back)
{
	static const struct vfiosim_scenario scenario = {
		.name = "fails", .fixture_size = sizeof(struct world),
		.tasks = { { "judge", break_something }, { "counter", count_one } },
	};
	void *buffer;

	if (!snapshot_possible())
		return;
	run_begin(&(struct run_config){ .scenario = &scenario });
	run_menu();
	run_step(0, ENG_READY);
	run_menu();
	run_step(1, ENG_READY);
	run_menu();
	run_step(1, ENG_READY);
	run_menu();
	buffer = malloc(snapshot_size());
	snapshot_save(buffer);
	run_step(0, ENG_READY);
	ck_assert_ptr_null(run_menu());
	ck_assert_int_eq(run_end(), VFIOSIM_VIOLATION);
	snapshot_restore(buffer, same_decisions());
	ck_assert_ptr_null(run_failure());
	run_menu();
	run_step(1, ENG_READY);
	ck_assert_int_eq(run_end(), VFIOSIM_OK);
	free(buffer);
}
END_TEST

START_TEST(equal_states_have_equal_hashes)
{
	uint64_t hash[2];

	if (!snapshot_possible())
		return;
	for (unsigned int order = 0; order < 2; order++) {
		run_begin(&(struct run_config){ .scenario = &busy });
		for (unsigned int i = 0; i < 2; i++) {
			run_menu();
			run_step(order ? 1 - i : i, ENG_READY);
		}
		run_menu();
		run_step(2, ENG_READY);
		run_menu();
		hash[order] = snapshot_hash();
	}
	/* Each allocated one item: the same objects, but swapped between the tasks. */
	ck_assert(hash[0] != hash[1]);
	run_step(2, ENG_READY);
	run_menu();
	ck_assert(snapshot_hash() != hash[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *tc = tcase_create("snapshot");

	tcase_add_test(tc, a_restored_run_ends_as_it_would_have);
	tcase_add_test(tc, a_snapshot_survives_another_run);
	tcase_add_test(tc, a_failed_run_can_be_taken_back);
	tcase_add_test(tc, equal_states_have_equal_hashes);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
