// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's string helpers. */
#include <vfiosim/kapi.h>

#include "simtest.h"

static const struct {
	const char *text;
	unsigned int base;
	int ret;
	unsigned int value;
} numbers[] = {
	{ "17", 10, 0, 17 },	   { "17\n", 0, 0, 17 },       { "0x1f", 0, 0, 31 },
	{ "0x1F", 16, 0, 31 },	   { "017", 0, 0, 15 },	       { "+5", 10, 0, 5 },
	{ "", 10, -EINVAL, 0 },	   { "5x", 10, -EINVAL, 0 },   { "0x", 0, -EINVAL, 0 },
	{ "-1", 10, -EINVAL, 0 },  { "4294967296", 10, -ERANGE, 0 },
};

START_TEST(numbers_are_read_as_the_kernel_reads_them)
{
	unsigned int value = 0;

	ck_assert_int_eq(kstrtouint(numbers[_i].text, numbers[_i].base, &value),
			 numbers[_i].ret);
	ck_assert_uint_eq(value, numbers[_i].value);
}
END_TEST

START_TEST(words_are_matched)
{
	static const char *const words[] = { "one", "two", NULL, "three" };
	bool yes = false;

	ck_assert_int_eq(match_string(words, 4, "two"), 1);
	ck_assert_int_eq(match_string(words, 4, "three"), -EINVAL);
	ck_assert(sysfs_streq("on\n", "on") && sysfs_streq("on", "on\n"));
	ck_assert(!sysfs_streq("on", "off") && !sysfs_streq("on\nx", "on"));
	ck_assert_int_eq(kstrtobool("on", &yes), 0);
	ck_assert(yes);
	ck_assert_int_eq(kstrtobool("off", &yes), 0);
	ck_assert(!yes);
	ck_assert_int_eq(kstrtobool("maybe", &yes), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("string");
	TCase *tc = tcase_create("string");

	tcase_add_loop_test(tc, numbers_are_read_as_the_kernel_reads_them, 0,
			    ARRAY_SIZE(numbers));
	tcase_add_test(tc, words_are_matched);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
