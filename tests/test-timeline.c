// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timeline of a traced run, and the golden one of the story.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simtest.h"
#include "timeline.h"

extern const struct vfiosim_scenario *const __start_vfiosim_scenarios[];
extern const struct vfiosim_scenario *const __stop_vfiosim_scenarios[];

static const struct vfiosim_scenario *example(const char *name)
{
	const struct vfiosim_scenario *const *at = __start_vfiosim_scenarios;

	for (; at < __stop_vfiosim_scenarios; at++)
		if (*at && !strcmp((*at)->name, name))
			return *at;
	ck_abort_msg("no example is called %s", name);
}

/* The timeline of one run of @scenario; the caller frees it. */
static char *timeline_of(const struct vfiosim_scenario *scenario, unsigned int width)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	assert_scenario_ok(scenario);
	out = open_memstream(&text, &size);
	timeline_print(out, width);
	fclose(out);
	return text;
}

static char *file_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	ck_assert_msg(file != NULL, "cannot open %s", path);
	ck_assert(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

/* Where two texts part, for somebody who has to find out why. */
static unsigned int first_different_line(const char *a, const char *b)
{
	unsigned int line = 1;

	for (; *a && *a == *b; a++, b++)
		line += *a == '\n';
	return line;
}

START_TEST(the_story_has_its_golden_timeline)
{
	char *text = timeline_of(example("story"), 0);
	char *golden;

	if (getenv("VFIOSIM_GOLDEN")) {
		FILE *file = fopen(getenv("VFIOSIM_GOLDEN"), "we");

		fputs(text, file);
		fclose(file);
	}
	golden = file_text(GOLDEN "/story.trace");
	ck_assert_msg(!strcmp(text, golden),
		      "line %u differs; VFIOSIM_GOLDEN=tests/golden/story.trace rewrites it",
		      first_different_line(text, golden));
	free(text);
	free(golden);
}
END_TEST

/* ---- small pictures ---- */

static void opens_and_fails(void *data)
{
	struct vfiosim_process *alice = vfiosim_process("alice");

	vfiosim_close(alice, vfiosim_eventfd(alice, 1, 0));
	vfiosim_close(alice, 0);
	vfiosim_load(alice, 0x1000, NULL);
}

static const struct vfiosim_scenario small = {
	.name = "small", .tasks = { { "task", opens_and_fails } },
};

START_TEST(a_result_stands_beside_its_call)
{
	char *text = timeline_of(&small, 0);

	ck_assert_str_eq(text,
			 "  seconds alice\n"
			 "    0.000 eventfd 1 = 0\n"
			 "          close 0\n"
			 "          . file#1 released\n"
			 "          close 0 = EBADF\n"
			 "          load from no mapping\n"
			 "          = SIGSEGV 1\n");
	free(text);
}
END_TEST

static bool has_line_over(const char *text, size_t width)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		if (strcspn(line, "\n") > width)
			return true;
	return false;
}

START_TEST(columns_fit_the_width_that_was_asked_for)
{
	char *wide = timeline_of(example("story"), 0);
	static const unsigned int widths[] = { 150, 132, 131, 100, 80, 77 };

	ck_assert(has_line_over(wide, 150));
	for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		char *narrow = timeline_of(example("story"), widths[i]);

		ck_assert_msg(!has_line_over(narrow, widths[i]), "width %u", widths[i]);
		ck_assert_ptr_nonnull(strstr(narrow, "carol"));
		free(narrow);
	}
	free(wide);
}
END_TEST

static void opens_two(void *data)
{
	vfiosim_eventfd(vfiosim_process("alice"), 1, 0);
	vfiosim_eventfd(vfiosim_process("bob"), 2, 0);
}

static const struct vfiosim_scenario crowded = {
	.name = "crowded", .tasks = { { "task", opens_two } },
};

START_TEST(columns_that_do_not_fit_become_stairs)
{
	char *text = timeline_of(&crowded, 30);

	/* Four columns a stair; the names need more. */
	ck_assert_str_eq(text,
			 "  seconds alice\n"
			 "              bob\n"
			 "    0.000 eventfd 1 = 0\n"
			 "              eventfd 2 = 0\n");
	free(text);
}
END_TEST

START_TEST(no_address_is_in_any_timeline)
{
	const struct vfiosim_scenario *const *at = __start_vfiosim_scenarios;

	for (; at < __stop_vfiosim_scenarios; at++) {
		char *text;

		if (!*at)
			continue;
		text = timeline_of(*at, 0);
		ck_assert_msg(!strstr(text, "0x11") && !strstr(text, "7fff"), "%s", text);
		free(text);
	}
}
END_TEST

START_TEST(ioctls_have_their_names)
{
	ck_assert_str_eq(ioctl_name(0x3b64), "VFIO_GET_API_VERSION");
	ck_assert_str_eq(ioctl_name(0x3b6a), "VFIO_GROUP_GET_DEVICE_FD");
	ck_assert_ptr_null(ioctl_name(1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timeline");
	TCase *tc = tcase_create("timeline");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_story_has_its_golden_timeline);
	tcase_add_test(tc, a_result_stands_beside_its_call);
	tcase_add_test(tc, columns_fit_the_width_that_was_asked_for);
	tcase_add_test(tc, columns_that_do_not_fit_become_stairs);
	tcase_add_test(tc, no_address_is_in_any_timeline);
	tcase_add_test(tc, ioctls_have_their_names);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
