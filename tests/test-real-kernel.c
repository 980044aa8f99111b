// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same scenarios in the model and on a real kernel: the result lines that
 * scripts/record-real-kernel kept under tests/real-kernel/recorded must come out
 * of the model too, word for word.
 *
 * usage: test-real-kernel RECORDED_FOLDER KERNEL CORE
 * KERNEL is 6.12 or 6.1; CORE is "merged", "port" or a file of vfiosim-kbuild.
 * Prints, per scenario, lines compared and lines that differ.
 */
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "core_load.h"
#include "say.h"
#include "simtest.h"

extern const struct vfiosim_scenario *const __start_vfiosim_scenarios[];
extern const struct vfiosim_scenario *const __stop_vfiosim_scenarios[];

static const char *recorded;
static enum vfiosim_kernel kernel;

/* The scenario's result lines in the model, then how the run ended if it ended badly. */
static char *model_lines(const struct vfiosim_scenario *original)
{
	struct vfiosim_scenario scenario = *original;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	scenario.kernel = kernel;
	scenario.core = NULL;		/* the one under test */
	say_to(stream);
	if (simtest_run(&scenario) != VFIOSIM_OK)
		fprintf(stream, "%s: %s\n", run_failure()->detector, run_failure()->message);
	say_to(NULL);
	fclose(stream);
	return text;
}

static unsigned int differing_lines(char **real, char **model)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < g_strv_length(real) || i < g_strv_length(model); i++) {
		const char *r = i < g_strv_length(real) ? real[i] : "(no more)";
		const char *m = i < g_strv_length(model) ? model[i] : "(no more)";

		if (strcmp(r, m) == 0)
			continue;
		if (count++ < 5)
			printf("  line %u\n    real kernel: %s\n    model:       %s\n",
			       i + 1, r, m);
	}
	return count;
}

/*
 * FS-8, VF-38..VF-42, VF-103..VF-108, VF-168..VF-174, VF-182, VF-194, MM-94, MM-195,
 * MM-196, MM-198; observed, 2-9
 */
START_TEST(the_model_prints_what_the_real_kernel_printed)
{
	const struct vfiosim_scenario *scenario = __start_vfiosim_scenarios[_i];
	g_autofree char *name = NULL, *path = NULL, *model = NULL, *real = NULL;
	g_auto(GStrv) real_lines = NULL, lines = NULL;
	unsigned int differ;

	if (!scenario)		/* a gap that the linker left between two files' scenarios */
		return;
	name = g_strconcat(scenario->name, ".txt", NULL);
	path = g_build_filename(recorded, name, NULL);
	ck_assert_msg(g_file_get_contents(path, &real, NULL, NULL), "%s: no recording", path);
	if (g_str_has_prefix(real, "SKIPPED ")) {
		printf("%s: not played on the real kernel: %s", scenario->name, real + 8);
		return;
	}
	model = model_lines(scenario);
	real_lines = g_strsplit(real, "\n", -1);
	lines = g_strsplit(model, "\n", -1);
	differ = differing_lines(real_lines, lines);
	printf("%s: %u lines compared, %u differ\n", scenario->name,
	       g_strv_length(real_lines) - 1, differ);
	fflush(stdout);
	ck_assert_uint_eq(differ, 0);
}
END_TEST

static void usage(void)
{
	fprintf(stderr, "usage: test-real-kernel RECORDED_FOLDER 6.12|6.1 CORE\n");
	exit(2);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	Suite *suite = suite_create("real-kernel");
	TCase *tcase = tcase_create("result lines");

	if (argc != 4)
		usage();
	recorded = argv[1];
	kernel = strcmp(argv[2], "6.1") == 0 ? VFIOSIM_KERNEL_6_1 : VFIOSIM_KERNEL_6_12;
	if (!core_select(argv[3], &error)) {
		fprintf(stderr, "test-real-kernel: %s\n", error->message);
		return 2;
	}
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, the_model_prints_what_the_real_kernel_printed, 0,
			    __stop_vfiosim_scenarios - __start_vfiosim_scenarios);
	suite_add_tcase(suite, tcase);
	return simtest_main(suite);
}
