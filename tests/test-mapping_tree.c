// SPDX-License-Identifier: GPL-2.0-only
/* The tree of mappings against a sorted list with the two rules of MM-148. */
#include "mmtest.h"

#define VMAS 200

static u64 seed KSTATE;
static struct rb_root_cached tree KSTATE;
static struct vm_area_struct *list[VMAS] KSTATE;
static int count KSTATE;

static unsigned int random_below(unsigned int bound)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % bound;
}

static unsigned long last_page(const struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

static void list_insert(struct vm_area_struct *vma, int at)
{
	memmove(&list[at + 1], &list[at], (count++ - at) * sizeof(list[0]));
	list[at] = vma;
}

static struct vm_area_struct *fresh(unsigned long pgoff, unsigned long pages)
{
	struct vm_area_struct *vma = vm_area_alloc(NULL);

	vma->vm_start = AT(0);
	vma->vm_end = AT(pages);
	vma->vm_pgoff = pgoff;
	return vma;
}

/* Behind all with the same first page. */
static void insert_new(void)
{
	struct vm_area_struct *vma = fresh(random_below(20), 1 + random_below(9));
	int at = 0;

	while (at < count && list[at]->vm_pgoff <= vma->vm_pgoff)
		at++;
	list_insert(vma, at);
	vma_interval_tree_insert(vma, &tree);
}

/* Directly behind its parent. */
static void insert_copy(void)
{
	int at = random_below(count);
	struct vm_area_struct *vma = fresh(list[at]->vm_pgoff, vma_pages(list[at]));

	vma_interval_tree_insert_after(vma, list[at], &tree);
	list_insert(vma, at + 1);
}

static void remove_any(void)
{
	int at = random_below(count);
	struct vm_area_struct *vma = list[at];

	vma_interval_tree_remove(vma, &tree);
	memmove(&list[at], &list[at + 1], (--count - at) * sizeof(list[0]));
	vm_area_free(vma);
}

/* MM-147: exactly those that overlap, in the order of the list. */
static void check_query(unsigned long first, unsigned long last)
{
	struct vm_area_struct *vma = vma_interval_tree_iter_first(&tree, first, last);

	for (int n = 0; n < count; n++) {
		if (list[n]->vm_pgoff > last || last_page(list[n]) < first)
			continue;
		vfiosim_expect(vma == list[n]);
		vma = vma_interval_tree_iter_next(vma, first, last);
	}
	vfiosim_expect(!vma);
}

/* What a node keeps is that of its subtree, neither less nor more. */
static unsigned long check_summaries(struct rb_node *node)
{
	struct vm_area_struct *vma = rb_entry(node, struct vm_area_struct, shared_rb);
	unsigned long last = last_page(vma), below;

	for (int side = 0; side < 2; side++) {
		struct rb_node *child = side ? node->rb_right : node->rb_left;

		below = child ? check_summaries(child) : 0;
		last = below > last ? below : last;
	}
	vfiosim_expect(vma->shared_last == last);
	return last;
}

static int walk_seed;

static void random_walk(void *unused)
{
	seed = walk_seed;
	for (int step = 0; step < 3000; step++) {
		if (count == VMAS || (count && !random_below(3)))
			remove_any();
		else if (count && !random_below(3))
			insert_copy();
		else
			insert_new();
		check_query(random_below(30), random_below(30) + random_below(10));
		if (step % 10 == 0 && count)
			check_summaries(tree.rb_root.rb_node);
		if (step % 50 == 0)
			check_query(0, ~0UL);
	}
	while (count)
		remove_any();
	vfiosim_expect(RB_EMPTY_ROOT(&tree.rb_root) && !tree.rb_leftmost);
}

/* MM-146, MM-147, MM-148, MM-149 */
START_TEST(the_tree_agrees_with_a_sorted_list)
{
	walk_seed = _i;
	assert_runs(random_walk);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("mapping_tree");

	tcase_add_loop_test(tc, the_tree_agrees_with_a_sorted_list, 1, 9);
	return mm_main("mapping_tree", tc);
}
