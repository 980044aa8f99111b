// SPDX-License-Identifier: GPL-2.0-only
/* kmalloc and friends, caches, and the faults that they can have. */
#include <vfiosim/kapi.h>

#include "engine.h"
#include "simtest.h"

struct node {
	int constructed;
	int value;
	char more[100];
};

static void construct(void *object)
{
	struct node *node = object;

	memset(node, 0, sizeof(*node));
	node->constructed = 1;
}

static KSTATE DEFINE_KMEM_CACHE(node_cache, "node", struct node, construct);

static void sizes(void *fixture)
{
	static const size_t wanted[] = { 1, 16, 17, 250, 300, 4000, 8000, 9000, 100000 };
	char *block[ARRAY_SIZE(wanted)];

	for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++) {
		block[i] = kzalloc(wanted[i], GFP_KERNEL);
		vfiosim_expect(!block[i][0] && !block[i][wanted[i] - 1]);
		memset(block[i], i + 1, wanted[i]);
		vfiosim_expect(ksize(block[i]) == wanted[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++) {
		vfiosim_expect(block[i][0] == (char)(i + 1));
		vfiosim_expect(block[i][wanted[i] - 1] == (char)(i + 1));
		kfree(block[i]);
	}
	kfree(NULL);
	kfree(kmalloc(0, GFP_KERNEL));
	vfiosim_expect(!kmalloc_array(1UL << 40, 1UL << 40, GFP_KERNEL));
}

static void growing(void *fixture)
{
	int *numbers = kcalloc(4, sizeof(*numbers), GFP_KERNEL);

	numbers[3] = 33;
	numbers = krealloc(numbers, 4000, GFP_KERNEL);
	vfiosim_expect(numbers[3] == 33);
	kfree(numbers);
}

static void strings(void *fixture)
{
	char *a = kstrdup("name", GFP_KERNEL), *b = kasprintf(GFP_KERNEL, "%s%d", a, 7);
	char *c = kstrndup("longer", 4, GFP_KERNEL), *d = kmemdup("xy", 3, GFP_KERNEL);
	char cut[4];

	vfiosim_expect(!strcmp(b, "name7") && !strcmp(c, "long") && !strcmp(d, "xy"));
	vfiosim_expect(strscpy(cut, "abc", 4) == 3 && strscpy(cut, "abcd", 4) == -E2BIG);
	vfiosim_expect(!strcmp(cut, "abc") && scnprintf(cut, 4, "%d", 12345) == 3);
	kfree(a);
	kfree(b);
	kfree(c);
	kfree(d);
}

/* FS-83, FS-205 */
static void inherited_fields(void *fixture)
{
	struct node *node = kmem_cache_alloc(&node_cache, GFP_KERNEL), *again;

	vfiosim_expect(node->constructed == 1);
	node->value = 42;
	kmem_cache_free(&node_cache, node);
	again = kmem_cache_alloc(&node_cache, GFP_KERNEL);
	vfiosim_expect(again == node && again->value == 42);
	kmem_cache_free(&node_cache, again);
}

static const struct {
	const char *what;
	void (*body)(void *fixture);
} bodies[] = {
	{ "every size is usable and distinct", sizes },
	{ "krealloc keeps the contents", growing },
	{ "strings are copied", strings },
	{ "a constructed object comes back as it was left", inherited_fields },
};

START_TEST(memory_is_as_the_row_says)
{
	assert_runs(bodies[_i].body);
}
END_TEST

static void use_cached(void *fixture)
{
	struct node *node = kmem_cache_alloc(&node_cache, GFP_KERNEL);

	kmem_cache_free(&node_cache, node);
	kmem_cache_free(&node_cache, node);
}

static void leak_cached(void *fixture)
{
	kmem_cache_alloc(&node_cache, GFP_KERNEL);
}

static void check_cached(void *fixture)
{
	struct node *node = kmem_cache_alloc(&node_cache, GFP_KERNEL);

	kmem_cache_free(&node_cache, node);
	eng_check(&node->value);
}

START_TEST(cached_objects_have_the_detectors_of_others)
{
	assert_detects("double-free", use_cached);
	assert_detects("leak", leak_cached);
	ck_assert_ptr_nonnull(strstr(run_failure()->message, "node#1 from leak_cached()"));
	assert_detects("use-after-free", check_cached);
}
END_TEST

static void three_allocations(void *fixture)
{
	struct node *node = kmalloc(sizeof(*node), GFP_KERNEL);
	char *name = kstrdup("name", GFP_KERNEL);
	struct node *cached = kmem_cache_alloc(&node_cache, GFP_KERNEL);

	kfree(node);
	kfree(name);
	if (cached)
		kmem_cache_free(&node_cache, cached);
}

static const struct vfiosim_scenario allocating = {
	.name = "allocating", .tasks = { { "alone", three_allocations } },
};

START_TEST(each_allocation_can_be_made_to_fail_by_name)
{
	static const char *const sites[] = { "node", "string", "node" };

	for (unsigned int nth = 1; nth <= 3; nth++) {
		ck_assert_int_eq(simtest_run_fault(&allocating, nth), VFIOSIM_OK);
		ck_assert_str_eq(simtest_failed_site(), sites[nth - 1]);
	}
	simtest_run_fault(&allocating, 4);
	ck_assert_ptr_null(simtest_failed_site());
	assert_scenario_survives_faults(&allocating, 3);
}
END_TEST

static void trust_allocation(void *fixture)
{
	struct node *node = kmalloc(sizeof(*node), GFP_KERNEL);

	node->value = 1;
	kfree(node);
}

START_TEST(an_unchecked_allocation_is_found_by_its_fault)
{
	static const struct vfiosim_scenario scenario = {
		.name = "trusting", .tasks = { { "alone", trust_allocation } },
	};

	if (simtest_has_memory_checker())
		return;
	ck_assert_int_eq(simtest_run_fault(&scenario, 1), VFIOSIM_VIOLATION);
	ck_assert_str_eq(run_failure()->detector, "crash");
}
END_TEST

static void churn(void *fixture)
{
	void *blocks[50];

	for (int round = 0; round < 2000; round++) {
		for (int i = 0; i < 50; i++)
			blocks[i] = kmalloc(40 + i * 8, GFP_KERNEL);
		for (int i = 0; i < 50; i++)
			kfree(blocks[i]);
	}
}

START_TEST(the_quarantine_is_bounded)
{
	static const struct vfiosim_scenario scenario = {
		.name = "churn", .setup = churn, .tasks = { { "idle", growing } },
	};

	run_begin(&(struct run_config){ .scenario = &scenario });
	ck_assert_uint_lt(snapshot_size(), 3 << 20);
	ck_assert_int_eq(run_end(), VFIOSIM_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slab");
	TCase *tc = tcase_create("slab");

	tcase_add_loop_test(tc, memory_is_as_the_row_says, 0, ARRAY_SIZE(bodies));
	tcase_add_test(tc, cached_objects_have_the_detectors_of_others);
	tcase_add_test(tc, each_allocation_can_be_made_to_fail_by_name);
	tcase_add_test(tc, an_unchecked_allocation_is_found_by_its_fault);
	tcase_add_test(tc, the_quarantine_is_bounded);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
