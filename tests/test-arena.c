// SPDX-License-Identifier: GPL-2.0-only
/* Objects are found from inside, keep their history, and repeat their addresses. */
#include <vfiosim/kapi.h>

#include "arena.h"
#include "simtest.h"

static void nothing(void *fixture)
{
}

static const struct vfiosim_scenario idle = {
	.name = "idle", .tasks = { { "idle", nothing } },
};

static void begin(void)
{
	run_begin(&(struct run_config){ .scenario = &idle });
}

START_TEST(any_address_inside_finds_its_object)
{
	static const size_t sizes[] = { 1, 32, 33, 240, 1000, 8000, 20000, 100000 };

	begin();
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *body = arena_alloc(sizes[i], "memory", true, NULL);

		ck_assert_ptr_eq(object_body(arena_object(body)), body);
		ck_assert_ptr_eq(arena_object(body + sizes[i] - 1), arena_object(body));
		ck_assert_uint_eq(arena_object(body)->size, sizes[i]);
		ck_assert_uint_eq((unsigned long)body % 16, 0);
	}
	ck_assert_ptr_null(arena_object((void *)ARENA_HEAP - 1));
	ck_assert_ptr_null(arena_object((void *)(ARENA_END - 1)));
}
END_TEST

START_TEST(addresses_repeat_between_runs)
{
	void *first[3];

	begin();
	for (int i = 0; i < 3; i++)
		first[i] = arena_alloc(100 << i, "memory", true, NULL);
	begin();
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_eq(arena_alloc(100 << i, "memory", true, NULL), first[i]);
}
END_TEST

static const struct {
	const char *text, *name;
} types[] = {
	{ "sizeof(*group)", "group" },
	{ "sizeof(struct vfio_device)", "vfio_device" },
	{ "sizeof(*container->group)", "group" },
	{ "n * sizeof(int)", "n" },
	{ "inode", "inode" },
};

START_TEST(types_are_read_out_of_size_expressions)
{
	ck_assert_str_eq(type_name(type_id(types[_i].text)), types[_i].name);
}
END_TEST

START_TEST(a_freed_object_remembers_who_freed_it)
{
	struct object *object;
	void *body;

	begin();
	body = arena_alloc(40, "memory", true, (void *)0x1234);
	object = arena_object(body);
	arena_free(object, (void *)0x5678, 3);
	ck_assert_uint_eq(object->state, OBJECT_FREED);
	ck_assert_uint_eq(object->site, 0x1234);
	ck_assert_uint_eq(object_obituary(object).site, 0x5678);
	ck_assert_uint_eq(object_obituary(object).task, 3);
	ck_assert(obituary_is_intact(object));
}
END_TEST

START_TEST(memory_is_not_reused_while_in_quarantine)
{
	void *body;

	begin();
	body = arena_alloc(40, "memory", true, NULL);
	arena_free(arena_object(body), NULL, 0);
	ck_assert_ptr_ne(arena_alloc(40, "memory", true, NULL), body);
	arena_set_quarantine(0);
	body = arena_alloc(40, "memory", true, NULL);
	arena_free(arena_object(body), NULL, 0);
	ck_assert_ptr_eq(arena_alloc(40, "memory", true, NULL), body);
	body = arena_alloc(50000, "memory", true, NULL);
	arena_free(arena_object(body), NULL, 0);
	ck_assert_ptr_eq(arena_alloc(50000, "memory", true, NULL), body);
}
END_TEST

static void count_object(struct object *object, void *data)
{
	if (object->state == OBJECT_LIVE)
		++*(unsigned int *)data;
}

START_TEST(a_mapping_takes_at_most_160_bytes)
{
	unsigned int count = 0, wanted = 100000;
	size_t before;

	begin();
	before = arena_heap_size();
	for (unsigned int i = 0; i < wanted; i++)
		arena_alloc(136, "vm_area_struct", true, NULL);
	arena_for_each(count_object, &count);
	ck_assert_uint_eq(count, wanted);
	ck_assert_uint_le((arena_heap_size() - before) / wanted, 160);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tc = tcase_create("arena");

	tcase_add_checked_fixture(tc, NULL, arena_reset);
	tcase_add_test(tc, any_address_inside_finds_its_object);
	tcase_add_test(tc, addresses_repeat_between_runs);
	tcase_add_loop_test(tc, types_are_read_out_of_size_expressions, 0, ARRAY_SIZE(types));
	tcase_add_test(tc, a_freed_object_remembers_who_freed_it);
	tcase_add_test(tc, memory_is_not_reused_while_in_quarantine);
	tcase_add_test(tc, a_mapping_takes_at_most_160_bytes);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
