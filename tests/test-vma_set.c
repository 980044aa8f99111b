// SPDX-License-Identifier: GPL-2.0-only
/* The set of VMAs against a plain array, under long random sequences. */
#include "mmtest.h"

#define SLOTS 600		/* possible VMAs: slot n may use pages 4n to 4n+3 */

static u64 seed KSTATE;
static struct vm_area_struct *model[SLOTS] KSTATE;
static struct vma_set set KSTATE;

static unsigned int random_below(unsigned int bound)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % bound;
}

static struct vm_area_struct *model_find(unsigned long addr)
{
	for (int n = 0; n < SLOTS; n++) {
		if (model[n] && model[n]->vm_end > addr)
			return model[n];
	}
	return NULL;
}

static void add_vma(unsigned int slot)
{
	struct vm_area_struct *vma = vm_area_alloc(NULL);

	vma->vm_start = AT(4 * slot + random_below(2));
	vma->vm_end = vma->vm_start + PAGES(1 + random_below(3));
	model[slot] = vma;
	vma_set_insert(&set, vma);
}

static void remove_one(unsigned int slot)
{
	vma_set_erase(&set, model[slot]);
	vm_area_free(model[slot]);
	model[slot] = NULL;
}

/* Where the VMA before @slot ends. */
static unsigned long end_before(unsigned int slot)
{
	while (slot--) {
		if (model[slot])
			return model[slot]->vm_end;
	}
	return 0;
}

/* Within the slot's four pages, as a merge or a cut would do. */
static void move_start(unsigned int slot)
{
	struct vm_area_struct *vma = model[slot];
	unsigned long start = AT(4 * slot + random_below(4));

	if (start < vma->vm_end && start >= end_before(slot))
		vma_set_move_start(&set, vma, start);
}

/* A VMA may swallow the place of a neighbour that is gone: bounds must not lie. */
static void grow_over_gap(unsigned int slot)
{
	unsigned int next = slot + 1;

	while (next < SLOTS && !model[next])
		next++;
	if (next < SLOTS)
		model[slot]->vm_end = model[next]->vm_start;
}

static void check_around(unsigned int slot)
{
	unsigned long addr = AT(4 * slot + random_below(6));
	struct vma_iter iter;
	struct vm_area_struct *vma = vma_set_find(&set, addr, &iter);
	struct vm_area_struct *prev = NULL;

	vfiosim_expect(vma == model_find(addr));
	for (int n = 0; n < SLOTS && model[n] != vma; n++)
		prev = model[n] ? model[n] : prev;
	if (vma)
		vfiosim_expect(vma_iter_peek_prev(&iter) == prev);
}

static void check_all(void)
{
	struct vma_iter iter;
	struct vm_area_struct *vma = vma_set_first(&set, &iter), *last = NULL;

	for (int n = 0; n < SLOTS; n++) {
		if (!model[n])
			continue;
		vfiosim_expect(vma == model[n]);
		last = vma;
		vma = vma_iter_next(&iter);
	}
	vfiosim_expect(!vma && vma_set_last(&set) == last);
}

static void random_walk(void *unused)
{
	for (int step = 0; step < 6000; step++) {
		unsigned int slot = random_below(SLOTS);
		/* Grows for a while, shrinks for a while. */
		bool grow = step / 1000 % 2 == 0;

		if (!model[slot] && random_below(4) < (grow ? 3 : 1) &&
		    end_before(slot) <= AT(4 * slot))
			add_vma(slot);
		else if (model[slot] && random_below(8) < (grow ? 1 : 6))
			remove_one(slot);
		else if (model[slot] && random_below(2))
			move_start(slot);
		else if (model[slot])
			grow_over_gap(slot);
		check_around(random_below(SLOTS));
		if (step % 100 == 0)
			check_all();
	}
	for (int n = 0; n < SLOTS; n++) {
		if (model[n])
			remove_one(n);
	}
	vfiosim_expect(!set.root);
}

static int walk_seed;

static void seeded_walk(void *unused)
{
	seed = walk_seed;
	random_walk(NULL);
}

START_TEST(the_set_agrees_with_an_array)
{
	walk_seed = _i;
	assert_runs(seeded_walk);
}
END_TEST

static void ordered(void *unused)
{
	for (int n = 0; n < SLOTS; n++)
		add_vma(n);
	check_all();
	for (int n = 0; n < SLOTS; n++)
		remove_one(n);
	for (int n = SLOTS; n--;)
		add_vma(n);
	check_all();
	for (int n = SLOTS; n--;)
		remove_one(n);
	vfiosim_expect(!set.root && !set.height);
}

START_TEST(ascending_and_descending_orders_work)
{
	assert_runs(ordered);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("vma_set");

	tcase_add_loop_test(tc, the_set_agrees_with_an_array, 1, 9);
	tcase_add_test(tc, ascending_and_descending_orders_work);
	return mm_main("vma_set", tc);
}
