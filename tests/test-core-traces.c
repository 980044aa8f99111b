// SPDX-License-Identifier: GPL-2.0-only
/*
 * The port against the executed 5.14-rc core: every trace of
 * data/core-5.14-patched, value by value. Where they differ the model is wrong.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core-script.h"
#include "sched.h"
#include "simtest.h"

static const char *data_path(const char *name)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/data/core-5.14-patched/%s", TESTS_DIR, name);
	return path;
}

static GPtrArray *recorded, *scripts;

static void read_files(void)
{
	recorded = core_read_sections(data_path("traces.txt"));
	scripts = core_read_sections(data_path("steps.txt"));
}

START_TEST(the_port_reproduces_the_recorded_trace)
{
	const struct core_section *want = g_ptr_array_index(recorded, _i);
	const struct core_section *script = core_find_section(scripts, want->id);
	const struct finding *failure;
	unsigned int rows, skipped;
	struct core_step *steps;
	const char *detector;
	GError *error = NULL;
	char *differences;

	ck_assert_msg(script, "steps.txt has no section %s", want->id);
	steps = core_parse_script(script, "steps.txt", &detector, &error);
	ck_assert_msg(steps, "%s", error ? error->message : "no steps");
	core_run(steps);
	failure = run_failure();
	differences = core_compare(want, core_log, &rows, &skipped);
	ck_assert_msg(!*differences, "\n%.3000s", differences);
	free(differences);
	if (detector)
		ck_assert_msg(failure && !strcmp(failure->detector, detector), "%s: no %s",
			      want->id, detector);
	else
		ck_assert_msg(!failure, "%s: %s: %s", want->id, failure->detector,
			      failure->message);
}
END_TEST

START_TEST(every_recorded_trace_has_a_script)
{
	ck_assert_uint_eq(recorded->len, 26);
	ck_assert_uint_eq(scripts->len, recorded->len);
}
END_TEST

/* ---- scripts and recordings that nobody here has seen ---- */

static struct core_section *section_of(char *line)
{
	static struct core_section *volatile kept;	/* for leak checkers */
	struct core_section *section = kept = g_new0(struct core_section, 1);

	section->id = section->title = "made-up";
	section->line = 10;
	section->lines = g_ptr_array_new();
	g_ptr_array_add(section->lines, line);
	return section;
}

static const struct {
	char *line;
	const char *says;
} bad_lines[] = {
	{ "plug A 0; frobnicate A", "steps.txt:11: no command \"frobnicate A\"" },
	{ "\"bind\": bind", "steps.txt:11: \"bind\": want bind DEV [DRIVER]" },
	{ "signal now", "steps.txt:11: \"signal now\": want signal " },
	{ "\"half a name: flush", "steps.txt:11: no second quote" },
};

START_TEST(a_step_that_cannot_be_understood_is_named_with_its_line)
{
	const char *detector;
	GError *error = NULL;

	ck_assert(!core_parse_script(section_of(bad_lines[_i].line), "steps.txt", &detector,
				     &error));
	ck_assert_str_eq(error->message, bad_lines[_i].says);
	g_error_free(error);
}
END_TEST

START_TEST(a_column_that_the_model_has_not_is_named)
{
	unsigned int rows, skipped;
	struct core_section *want = section_of("step=\"x\" ret=0 colour=red");

	g_autofree char *differences =
		core_compare(want, "step=\"x\" ret=1\n", &rows, &skipped);

	ck_assert_str_eq(differences,
			 "made-up: step=\"x\": recorded ret=0, model ret=1\n"
			 "made-up: step=\"x\": recorded colour=red, a column that the model does "
			 "not know\n");
	ck_assert_uint_eq(rows, 1);
}
END_TEST

/* Commands that no recorded trace uses yet, and what their step must return. */
static const struct {
	char *line;
	const char *row;
} more_steps[] = {
	/* VF-317, VF-323, VF-333: what fails where is said in the script. */
	{ "plug A 0; fail group; \"x\": bind A", "step=\"x\" ret=-12" },
	{ "plug A 0; fail super_block; \"x\": bind A", "step=\"x\" ret=-12" },
	{ "plug A 0; plug B 0; bind A; fail inode; \"x\": bind B", "step=\"x\" ret=-12" },
	/* VF-328, VF-329: the backend's error, and what was there before it */
	{ "plug A 0; bind A; open C; open_group G 0; set G C; backend_open_error -13; "
	  "\"x\": set_iommu C 1", "step=\"x\" ret=-13" },
	{ "plug A 0; bind A; open C; open_group G 0; set G C; backend_attach_error 1; "
	  "\"x\": set_iommu C 1", "step=\"x\" ret=-5" },
	/* VF-114, VF-115 */
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; open_error A -16; "
	  "\"x\": get G A D", "step=\"x\" ret=-16" },
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; nofile 3; "
	  "\"x\": get G A D", "step=\"x\" ret=-24" },
	/* VF-134, VF-135: the backend has neither op */
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; "
	  "\"x\": unpin A 1", "step=\"x\" ret=-25" },
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; "
	  "\"x\": dma_rw A 1", "step=\"x\" ret=-25" },
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; "
	  "\"x\": forget_notifier A iommu", "step=\"x\" ret=-25" },
	/* VF-391: two external users at once */
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; external_dev A one; "
	  "external_dev A two; external_put one; \"x\": external_put two",
	  "step=\"x\" ret=0" },
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; get G A D; "
	  "mmap D 0; fork; munmap 0; \"x\": child_exit", "step=\"x\" ret=0" },
};

static struct core_step *steps_of(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "; \"", 2);
	struct core_section *section = section_of(g_strdup(lines[0]));
	const char *detector;

	g_ptr_array_add(section->lines, g_strconcat("\"", lines[1], NULL));
	return core_parse_script(section, "more", &detector, NULL);
}

START_TEST(a_script_says_what_fails)
{
	core_run(steps_of(more_steps[_i].line));
	ck_assert_msg(!run_failure(), "%s", run_failure() ? run_failure()->message : "");
	ck_assert_msg(strstr(core_log, more_steps[_i].row), "%s", core_log);
}
END_TEST

static Suite *core_traces_suite(void)
{
	Suite *suite = suite_create("core-traces");
	TCase *tcase = tcase_create("recorded");

	tcase_add_test(tcase, every_recorded_trace_has_a_script);
	tcase_add_loop_test(tcase, the_port_reproduces_the_recorded_trace, 0, recorded->len);
	tcase_add_loop_test(tcase, a_step_that_cannot_be_understood_is_named_with_its_line, 0,
			    G_N_ELEMENTS(bad_lines));
	tcase_add_test(tcase, a_column_that_the_model_has_not_is_named);
	tcase_add_loop_test(tcase, a_script_says_what_fails, 0, G_N_ELEMENTS(more_steps));
	suite_add_tcase(suite, tcase);
	return suite;
}

/* "test-core-traces ID" shows what the model does there, and where it differs. */
static int show(const char *id)
{
	const struct core_section *want = core_find_section(recorded, id);
	const struct core_section *script = core_find_section(scripts, id);
	unsigned int rows, skipped;
	const char *detector;
	char *differences;

	if (!want || !script)
		return 2;
	core_run(core_parse_script(script, "steps.txt", &detector, NULL));
	printf("%s", core_log);
	if (run_failure())
		printf("%s: %s\n", run_failure()->detector, run_failure()->message);
	differences = core_compare(want, core_log, &rows, &skipped);
	printf("---\n%s", differences);
	free(differences);
	printf("%u rows, %u remarks not made\n", rows, skipped);
	return 0;
}

int main(int argc, char **argv)
{
	SRunner *runner;
	int failed;

	simtest_take_core();
	read_files();
	if (argc > 1)
		return show(argv[1]);
	runner = srunner_create(core_traces_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
