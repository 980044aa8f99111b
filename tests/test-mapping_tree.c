// SPDX-License-Identifier: GPL-2.0-only
/* The tree of mappings against a sorted list with the two rules of MM-148. */
#include "mmtest.h"

#define VMAS 2000

static u64 seed KSTATE;
static struct mapping_tree tree KSTATE;
static unsigned long pgoff_base KSTATE;
static unsigned int pgoffs KSTATE;
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
	struct vm_area_struct *vma = fresh(pgoff_base + random_below(pgoffs), 1 + random_below(9));
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
	struct vm_area_struct *vma;
	struct mapping_iter iter;
	int n = 0;

	vma_interval_tree_foreach(vma, &iter, &tree, first, last) {
		while (n < count && (list[n]->vm_pgoff > last || last_page(list[n]) < first))
			n++;
		vfiosim_expect(n < count && vma == list[n]);
		n++;
	}
	for (; n < count; n++)
		vfiosim_expect(list[n]->vm_pgoff > last || last_page(list[n]) < first);
}

static void check_random_query(void)
{
	unsigned long first = pgoff_base + random_below(pgoffs + 10);

	check_query(first, first + random_below(pgoffs));
}

static int walk_seed;

/* Few first pages and many, small and beyond what an entry's reach can tell. */
static const struct {
	const char *what;
	unsigned long base;
	unsigned int pgoffs;
} layouts[] = {
	{ "many equals", 0, 20 },
	{ "few equals", 0, 2000 },
	{ "about the highest reach", 0xfffffff0, 40 },
	{ "beyond the highest reach", 1UL << 40, 500 },
};

static void random_walk(void *unused)
{
	seed = walk_seed;
	pgoff_base = layouts[walk_seed % ARRAY_SIZE(layouts)].base;
	pgoffs = layouts[walk_seed % ARRAY_SIZE(layouts)].pgoffs;
	for (int step = 0; step < 3000; step++) {
		if (count == VMAS || (count && !random_below(step < 1500 ? 4 : 2)))
			remove_any();
		else if (count && !random_below(3))
			insert_copy();
		else
			insert_new();
		check_random_query();
		if (step % 8 == 0)
			vfiosim_expect(mapping_tree_is_right(&tree));
		if (step % 50 == 0)
			check_query(0, ~0UL);
	}
	while (count)
		remove_any();
	vfiosim_expect(!tree.root && !tree.last);
}

static void in_file_order(void *unused)
{
	for (count = 0; count < VMAS; count++) {
		list[count] = fresh(3 * count, 2);
		vma_interval_tree_insert(list[count], &tree);
	}
	vfiosim_expect(mapping_tree_is_right(&tree));
	for (unsigned int page = 0; page < 3 * VMAS; page++)
		check_query(page, page);
	while (count)
		remove_any();
}

/* MM-146, MM-147, MM-148, MM-149 */
START_TEST(the_tree_agrees_with_a_sorted_list)
{
	walk_seed = _i;
	assert_runs(random_walk);
}
END_TEST

START_TEST(mappings_made_in_file_order_are_found)
{
	assert_runs(in_file_order);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("mapping_tree");

	tcase_add_loop_test(tc, the_tree_agrees_with_a_sorted_list, 0, 8);
	tcase_add_test(tc, mappings_made_in_file_order_are_found);
	return mm_main("mapping_tree", tc);
}
