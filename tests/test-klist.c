// SPDX-License-Identifier: GPL-2.0-only
/* Lists that may change under their walkers. */
#include <vfiosim/kapi.h>
#include <vfiosim/kapi/klist.h>

#include "simtest.h"

struct item {
	struct klist_node node;
	int references;
	char letter;
};

static void item_get(struct klist_node *node)
{
	container_of(node, struct item, node)->references++;
}

static void item_put(struct klist_node *node)
{
	container_of(node, struct item, node)->references--;
}

static struct klist list KSTATE;
static struct item items[4] KSTATE;

static void fill(void *unused)
{
	klist_init(&list, item_get, item_put);
	for (unsigned int i = 0; i < ARRAY_SIZE(items); i++) {
		items[i].letter = 'a' + i;
		klist_add_tail(&items[i].node, &list);
	}
}

static char next_letter(struct klist_iter *walk)
{
	struct klist_node *node = klist_next(walk);

	return node ? container_of(node, struct item, node)->letter : 0;
}

/* "abcd" with what a walk meets. */
static void walk_all(char *met)
{
	struct klist_iter walk;

	klist_iter_init_node(&list, &walk, NULL);
	while ((*met = next_letter(&walk)))
		met++;
	klist_iter_exit(&walk);
}

static void in_order(void *unused)
{
	struct klist_iter walk;
	char met[8];

	walk_all(met);
	vfiosim_expect(!strcmp(met, "abcd"));
	klist_del(&items[1].node);
	vfiosim_expect(!klist_node_attached(&items[1].node) && !items[1].references);
	walk_all(met);
	vfiosim_expect(!strcmp(met, "acd"));
	/* From the middle: what comes behind the node. */
	klist_iter_init_node(&list, &walk, &items[2].node);
	vfiosim_expect(next_letter(&walk) == 'd' && !next_letter(&walk));
	klist_iter_exit(&walk);
	/* From a node that has left: from the beginning. */
	klist_iter_init_node(&list, &walk, &items[1].node);
	vfiosim_expect(next_letter(&walk) == 'a');
	klist_iter_exit(&walk);
	vfiosim_expect(items[0].references == 1);
}

START_TEST(a_walk_meets_what_is_on_the_list_in_order)
{
	static const struct vfiosim_scenario scenario = {
		.name = "walk", .setup = fill, .tasks = { { "T1", in_order } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

/* A node that is walked on stays linked, and its object alive, until the walker leaves. */
static void under_a_walker(void *unused)
{
	struct klist_iter walk;

	klist_iter_init_node(&list, &walk, NULL);
	vfiosim_expect(next_letter(&walk) == 'a' && next_letter(&walk) == 'b');
	klist_del(&items[1].node);
	vfiosim_expect(klist_node_attached(&items[1].node) && items[1].references == 1);
	klist_del(&items[2].node);
	vfiosim_expect(!klist_node_attached(&items[2].node));
	vfiosim_expect(next_letter(&walk) == 'd');
	vfiosim_expect(!klist_node_attached(&items[1].node) && !items[1].references);
	klist_iter_exit(&walk);
}

START_TEST(a_node_under_a_walker_leaves_with_the_walker)
{
	static const struct vfiosim_scenario scenario = {
		.name = "walker", .setup = fill, .tasks = { { "T1", under_a_walker } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

static void walk_slowly(void *unused)
{
	struct klist_iter walk;
	char letter;

	klist_iter_init_node(&list, &walk, NULL);
	while ((letter = next_letter(&walk))) {
		cond_resched();
		/* Whoever removes it has not returned while we stand here. */
		vfiosim_expect(items[letter - 'a'].letter == letter);
	}
	klist_iter_exit(&walk);
}

static void remove_each(void *unused)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(items); i++) {
		klist_remove(&items[i].node);
		items[i].letter = 'x';		/* its memory may go */
	}
}

START_TEST(remove_returns_when_nobody_stands_on_the_node)
{
	static const struct vfiosim_scenario scenario = {
		.name = "remove", .setup = fill,
		.tasks = { { "walker", walk_slowly }, { "remover", remove_each } },
	};

	assert_scenario_ok_random(&scenario, 100);
}
END_TEST

static void forget_to_leave(void *unused)
{
	struct klist_iter walk;

	klist_iter_init_node(&list, &walk, NULL);
	next_letter(&walk);
	klist_remove(&items[0].node);
}

START_TEST(a_remover_waits_for_ever_for_a_walker_that_stays)
{
	static const struct vfiosim_scenario scenario = {
		.name = "stay", .setup = fill, .tasks = { { "T1", forget_to_leave } },
	};

	assert_scenario_detects("deadlock", &scenario);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("klist");
	TCase *tcase = tcase_create("klist");

	tcase_add_test(tcase, a_walk_meets_what_is_on_the_list_in_order);
	tcase_add_test(tcase, a_node_under_a_walker_leaves_with_the_walker);
	tcase_add_test(tcase, remove_returns_when_nobody_stands_on_the_node);
	tcase_add_test(tcase, a_remover_waits_for_ever_for_a_walker_that_stays);
	suite_add_tcase(suite, tcase);
	return simtest_main(suite);
}
