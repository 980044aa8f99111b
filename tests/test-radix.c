// SPDX-License-Identifier: GPL-2.0-only
/* Sparse arrays against a plain one; slots that stay; nodes that are given back. */
#include "mmtest.h"

#define SPAN 4096

static u64 seed KSTATE;
static u64 model[SPAN] KSTATE;
static struct radix radix KSTATE;

static unsigned int random_below(unsigned int bound)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % bound;
}

/* Far apart, so that every level has work to do. */
static unsigned long index_of(unsigned int n)
{
	return (unsigned long)(n & 63) | (unsigned long)(n >> 6) << 30;
}

static void store_at(unsigned int n, u64 word)
{
	u64 *slot = radix_slot(&radix, index_of(n), "test_node");

	vfiosim_expect(slot == radix_find(&radix, index_of(n)));
	*slot = word;
	model[n] = word;
}

static void check_range(unsigned int from, unsigned int to)
{
	unsigned long index = index_of(from), nr;
	unsigned int n = from;
	u64 *slot;

	while ((slot = radix_next(&radix, &index, index_of(to), &nr))) {
		for (; nr--; index++, slot++) {
			if (!*slot)
				continue;
			while (index_of(n) < index)
				vfiosim_expect(!model[n++]);
			vfiosim_expect(index_of(n) == index && model[n] == *slot);
			n++;
		}
	}
	while (n < to)
		vfiosim_expect(!model[n++]);
}

static int walk_seed;

static void random_walk(void *unused)
{
	seed = walk_seed;
	for (int step = 0; step < 3000; step++) {
		unsigned int n = random_below(SPAN), m = n + random_below(SPAN - n);

		store_at(n, random_below(3) ? step + 1 : 0);
		if (step % 100 == 0)
			check_range(n, m);
		if (step % 500 == 0)
			radix_prune(&radix, index_of(n), index_of(m));
	}
	check_range(0, SPAN - 1);
	for (unsigned int n = 0; n < SPAN; n++) {
		u64 *slot = radix_find(&radix, index_of(n));

		if (slot)
			*slot = 0;
	}
	radix_prune(&radix, 0, ~0UL >> PAGE_SHIFT);
	vfiosim_expect(!radix.root);
}

START_TEST(the_sparse_array_agrees_with_a_plain_one)
{
	walk_seed = _i;
	assert_runs(random_walk);
}
END_TEST

/* MM-55: only tables that lie wholly between the neighbours go */
static void prune_borders(void *unused)
{
	u64 *slot = radix_slot(&radix, 5, "test_node");

	radix_prune(&radix, 6, 1000);
	vfiosim_expect(radix_find(&radix, 5) == slot);
	radix_prune(&radix, 0, 31);
	vfiosim_expect(radix_find(&radix, 5) == slot);
	*slot = 1;
	radix_prune(&radix, 0, 1000);
	vfiosim_expect(radix_find(&radix, 5) == slot);
	*slot = 0;
	radix_prune(&radix, 0, 32);
	vfiosim_expect(!radix_find(&radix, 5));
}

START_TEST(a_table_that_a_neighbour_may_use_stays)
{
	assert_runs(prune_borders);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("radix");

	tcase_add_loop_test(tc, the_sparse_array_agrees_with_a_plain_one, 1, 9);
	tcase_add_test(tc, a_table_that_a_neighbour_may_use_stays);
	return mm_main("radix", tc);
}
