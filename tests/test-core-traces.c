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

static Suite *core_traces_suite(void)
{
	Suite *suite = suite_create("core-traces");
	TCase *tcase = tcase_create("recorded");

	tcase_add_test(tcase, every_recorded_trace_has_a_script);
	tcase_add_loop_test(tcase, the_port_reproduces_the_recorded_trace, 0, recorded->len);
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

	read_files();
	if (argc > 1)
		return show(argv[1]);
	runner = srunner_create(core_traces_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
