// SPDX-License-Identifier: GPL-2.0-only
/* The commands list, run, explore and replay. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"
#include "html.h"
#include "json.h"
#include "say.h"
#include "schedule.h"
#include "shard.h"
#include "timeline.h"

int command_list(struct cli *cli)
{
	for (guint i = 0; i < cli->chosen->len; i++) {
		const struct vfiosim_scenario *s = g_ptr_array_index(cli->chosen, i);
		g_autoptr(GString) tasks = g_string_new(NULL);

		for (unsigned int t = 0; t < VFIOSIM_TASKS_MAX && s->tasks[t].name; t++)
			g_string_append_printf(tasks, "%s%s", t ? ", " : "", s->tasks[t].name);
		printf("%-24s %s\n", s->name, s->summary ?: "");
		if (cli->verbose)
			printf("%-24s tasks: %s\n", "", tasks->str);
	}
	return EXIT_GOOD;
}

/* ---- what explore, run and replay have in common ---- */

static bool write_files(struct cli *cli, struct vfiosim_report *report)
{
	bool good = true;

	if (cli->json_file) {
		g_autofree char *json = report_json(report);

		good = cli_write(cli, cli->json_file, json) && good;
	}
	if (cli->html_file) {
		g_autofree char *html = report_html(report);

		good = cli_write(cli, cli->html_file, html) && good;
	}
	if (cli->save_file && report->schedule)
		good = cli_write(cli, cli->save_file, report->schedule) && good;
	return good;
}

/* By a report that programs read: nothing else may come between. */
static bool is_stdout_taken(const struct cli *cli)
{
	const char *const files[] = { cli->json_file, cli->html_file, cli->save_file };

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		if (files[i] && g_str_equal(files[i], "-"))
			return true;
	return false;
}

static bool fired(const struct vfiosim_report *report, const char *detector)
{
	if (report->failed && g_str_equal(report->finding.detector, detector))
		return true;
	for (guint i = 0; i < report->outcomes->len; i++)
		if (g_str_equal(g_array_index(report->outcomes, struct outcome, i).detector,
				detector))
			return true;
	return false;
}

static int status_of(struct cli *cli, const struct vfiosim_report *report)
{
	if (!cli->expect)
		return cli_status(report->verdict);
	if (fired(report, cli->expect))
		return EXIT_GOOD;
	fprintf(is_stdout_taken(cli) ? stderr : stdout, "%s: expected %s, which did not fire\n",
		report->scenario->name, cli->expect);
	return EXIT_FOUND;
}

static bool is_scenario_file_shared(const struct cli *cli)
{
	return cli->chosen->len > 1 && (cli->json_file || cli->html_file || cli->save_file ||
					cli->options.checkpoint);
}

/* ---- explore ---- */

static int explore_one(struct cli *cli, const struct vfiosim_scenario *scenario)
{
	struct vfiosim_report *report;
	GError *error = NULL;
	int status;

	if (!cli->quiet && isatty(STDERR_FILENO))
		cli->options.progress = true;
	report = explore_shared(scenario, &cli->options, &error);
	if (!report) {
		status = cli_complain(cli, "%s", error->message);
		g_error_free(error);
		return status;
	}
	if (!is_stdout_taken(cli) && (!cli->quiet || report->verdict != VFIOSIM_OK))
		fputs(vfiosim_report_text(report), stdout);
	status = write_files(cli, report) ? status_of(cli, report) : EXIT_INPUT;
	vfiosim_report_free(report);
	return status;
}

int command_explore(struct cli *cli)
{
	int worst = EXIT_GOOD;

	if (is_scenario_file_shared(cli))
		return cli_complain(cli, "one file for %u scenarios: name one scenario",
				    cli->chosen->len);
	for (guint i = 0; i < cli->chosen->len && worst != EXIT_INPUT; i++) {
		worst = cli_worse(worst, explore_one(cli, g_ptr_array_index(cli->chosen, i)));
		if (exploration_interrupted)
			break;
	}
	return worst;
}

/* ---- run ---- */

static struct vfiosim_report *run_once(const struct vfiosim_scenario *scenario, bool lines)
{
	struct vfiosim_options options = { .runs_max = 1, .no_minimize = true };
	struct vfiosim_report *report;
	struct exploration x;

	exploration_init(&x, scenario, &options);
	exploration_begin(&x, NULL, 0);
	exploration_finish(&x, 0);
	x.verdict = x.finding.detector[0] ? x.verdict : VFIOSIM_OK;
	report = report_new(&x);
	if (!report->failed) {
		x.config.tracing = true;
		if (lines)
			say_to(stdout);
		exploration_begin(&x, NULL, 0);
		run_end();
		say_to(NULL);
		report_take_run(report);
	}
	exploration_clear(&x);
	return report;
}

/* As wide as the terminal, or as it likes where the output is no terminal. */
static unsigned int output_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void show_run(struct cli *cli, const struct vfiosim_report *report)
{
	g_autoptr(GString) out = g_string_new(NULL);

	if (is_stdout_taken(cli) ||
	    ((cli->quiet || cli->lines) && report->verdict == VFIOSIM_OK))
		return;
	if (cli->timeline) {
		timeline_print(stdout, output_width());
	} else {
		report_timeline(report, cli->verbose, out);
		fputs(out->str, stdout);
	}
	printf("%s: %s%s%s%s%s\n", report->scenario->name, verdict_word(report->verdict),
	       report->failed ? ": " : "", report->failed ? report->finding.detector : "",
	       report->failed ? ": " : "", report->failed ? report->finding.message : "");
}

int command_run(struct cli *cli)
{
	int worst = EXIT_GOOD;

	if (is_scenario_file_shared(cli))
		return cli_complain(cli, "one file for %u scenarios: name one scenario",
				    cli->chosen->len);
	for (guint i = 0; i < cli->chosen->len; i++) {
		struct vfiosim_report *report =
			run_once(g_ptr_array_index(cli->chosen, i), cli->lines);
		int status = write_files(cli, report) ? status_of(cli, report) : EXIT_INPUT;

		show_run(cli, report);
		worst = cli_worse(worst, status);
		vfiosim_report_free(report);
	}
	return worst;
}

/* ---- replay ---- */

static struct schedule *load(struct cli *cli, const char *word)
{
	bool file = g_file_test(word, G_FILE_TEST_EXISTS);
	g_autoptr(GError) error = NULL;
	struct schedule *schedule = file ? schedule_load(word, &error) :
					   schedule_parse(word, "schedule", &error);

	if (!schedule)
		cli_complain(cli, "%s%s", error->message,
			     file || schedule_is_token(word) ? "" : " (and there is no such file)");
	return schedule;
}

/* The run is replayed twice: once for what it decides, once to be looked at. */
static struct vfiosim_report *replay_report(const struct vfiosim_scenario *scenario,
					    const struct run_config *config,
					    const struct replay *replay)
{
	struct vfiosim_options options = { .no_minimize = true,
					   .faults_max = config->faults,
					   .races = config->races,
					   .plain_points = config->plain_points };
	struct vfiosim_report *report;
	const struct decision *d;
	struct exploration x;
	size_t n = run_decisions(&d);

	exploration_init(&x, scenario, &options);
	x.runs = 1;
	x.verdict = replay->verdict;
	if (run_failure())
		x.finding = *run_failure();
	g_array_append_vals(x.schedule, d, n);
	report = report_new(&x);
	if (!report->failed) {
		g_autofree struct decision *copy = g_memdup2(d, n * sizeof(*d));

		x.config.tracing = true;
		exploration_begin(&x, copy, n);
		run_end();
		report_take_run(report);
	}
	exploration_clear(&x);
	return report;
}

static int replay_here(struct cli *cli, const struct vfiosim_scenario *scenario,
		       const struct schedule *schedule)
{
	struct run_config config = {
		.scenario = scenario,
		.faults = schedule->faults || cli->options.faults_max,
		.races = cli->options.races || cli->options.plain_points,
		.plain_points = cli->options.plain_points,
	};
	struct replay replay = { .strict = cli->strict, .seed = cli->options.seed ?: 1 };
	struct vfiosim_report *report;
	bool fits = schedule_replay(&config, schedule, &replay);
	int status;

	for (guint i = 0; i < replay.divergences->len; i++)
		fprintf(is_stdout_taken(cli) ? stderr : stdout, "diverged: %s\n",
			(char *)g_ptr_array_index(replay.divergences, i));
	g_ptr_array_unref(replay.divergences);
	if (!fits)
		return EXIT_FOUND;
	report = replay_report(scenario, &config, &replay);
	if (cli->verbose || !report->failed)
		show_run(cli, report);
	if (report->failed && !is_stdout_taken(cli))
		fputs(vfiosim_report_text(report), stdout);
	status = write_files(cli, report) ? status_of(cli, report) : EXIT_INPUT;
	vfiosim_report_free(report);
	return status;
}

int command_replay(struct cli *cli)
{
	const struct vfiosim_scenario *scenario = g_ptr_array_index(cli->chosen, 0);
	struct schedule *schedule = load(cli, cli->words[0]);
	int status;

	if (!schedule)
		return EXIT_INPUT;
	if (schedule->scenario && !g_str_equal(schedule->scenario, scenario->name))
		cli_complain(cli, "note: %s is a schedule of %s", cli->words[0],
			     schedule->scenario);
	if (cli->valgrind || cli->gdb)
		status = replay_elsewhere(cli, scenario, schedule);
	else
		status = replay_here(cli, scenario, schedule);
	schedule_free(schedule);
	return status;
}
