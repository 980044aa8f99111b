// SPDX-License-Identifier: GPL-2.0-only
/* vfiosim_main(): options, and which command gets them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "core_load.h"
#include "tsan.h"

#define VERSION "0.1.0"

/* ---- options ---- */

/* Which commands know an option. */
enum {
	FOR_RUN = 1, FOR_EXPLORE = 2, FOR_REPLAY = 4, FOR_FAULTS = 8, FOR_COMPARE = 16,
	FOR_MERGE = 32,
	FOR_SEARCH = FOR_EXPLORE | FOR_COMPARE,
};

enum kind { FLAG, NUMBER, TEXT, WORD, SHARD, SECONDS };

struct option {
	const char *name;
	const char *value;		/* what the usage calls it; NULL: a flag */
	enum kind kind;
	unsigned int commands;
	size_t offset;			/* into struct cli */
	const char *const *words;	/* WORD: which, in the order of their enum */
	uint64_t least, most;		/* NUMBER */
	uint8_t bytes;			/* of the field */
	const char *help;
};

static const char *const strategies[] = {
	"exhaustive", "naive", "pct", "random", "states", NULL
};
static const char *const backtrackings[] = { "auto", "reexecute", "snapshot", NULL };

#define AT(field) offsetof(struct cli, field), .bytes = sizeof(((struct cli *)0)->field)

static const struct option options[] = {
	{ "strategy", "NAME", WORD, FOR_SEARCH, AT(options.strategy), .words = strategies,
	  .help = "exhaustive (default), naive, pct, random or states" },
	{ "backtrack", "NAME", WORD, FOR_SEARCH, AT(options.backtracking), .words = backtrackings,
	  .help = "auto (default), reexecute or snapshot" },
	{ "seed", "N", NUMBER, FOR_SEARCH | FOR_REPLAY, AT(options.seed),
	  .least = 1, .most = UINT64_MAX,
	  .help = "of the random strategies, and of replay after a divergence" },
	{ "runs", "N", NUMBER, FOR_SEARCH, AT(options.runs_max), .least = 1, .most = UINT64_MAX,
	  .help = "budget of runs (default 1000000; 10000 for pct and random)" },
	{ "time", "SECONDS", SECONDS, FOR_SEARCH, AT(options.milliseconds_max),
	  .help = "budget of real time" },
	{ "steps", "N", NUMBER, FOR_SEARCH | FOR_FAULTS, AT(options.steps_max),
	  .least = 1, .most = 1000000000, .help = "steps of one run; more are a failure" },
	{ "depth", "N", NUMBER, FOR_SEARCH, AT(options.depth), .least = 1, .most = 32,
	  .help = "of the bugs that pct looks for (default 3)" },
	{ "preemptions", "N", NUMBER, FOR_SEARCH, AT(options.preemptions_max), .most = 1000,
	  .help = "only runs with at most N preemptions" },
	{ "faults-max", "N", NUMBER, FOR_SEARCH | FOR_FAULTS | FOR_REPLAY,
	  AT(options.faults_max), .most = 1000,
	  .help = "let up to N fault points of a run fail" },
	{ "timeouts-max", "N", NUMBER, FOR_SEARCH, AT(options.timeouts_max), .most = 1000,
	  .help = "let up to N timeouts of a run pass while others could run" },
	{ "jobs", "N", NUMBER, FOR_EXPLORE, AT(options.jobs), .least = 1, .most = 256,
	  .help = "processes that share the work" },
	{ "shard", "I/N", SHARD, FOR_EXPLORE, AT(options.shard_index),
	  .help = "explore part I of N, I from 0; see merge" },
	{ "keep-going", NULL, FLAG, FOR_SEARCH, AT(options.keep_going),
	  .help = "count failures instead of stopping at the first" },
	{ "no-minimize", NULL, FLAG, FOR_EXPLORE, AT(options.no_minimize),
	  .help = "show the failing schedule as it was found" },
	{ "check-determinism", NULL, FLAG, FOR_EXPLORE, AT(options.check_determinism),
	  .help = "run each schedule twice and compare" },
	{ "races", NULL, FLAG, FOR_SEARCH | FOR_REPLAY | FOR_FAULTS, AT(options.races),
	  .help = "look for data races in code compiled with -fsanitize=thread" },
	{ "plain-points", NULL, FLAG, FOR_SEARCH | FOR_REPLAY, AT(options.plain_points),
	  .help = "let tasks be preempted at each plain access of such code" },
	{ "progress", NULL, FLAG, FOR_SEARCH, AT(options.progress),
	  .help = "show progress on stderr (default on a terminal)" },
	{ "checkpoint", "FILE", TEXT, FOR_EXPLORE, AT(options.checkpoint),
	  .help = "save the state of the search here when it ends early" },
	{ "resume", NULL, FLAG, FOR_EXPLORE, AT(options.resume),
	  .help = "begin with what the checkpoint holds" },
	{ "expect", "DETECTOR", TEXT, FOR_EXPLORE | FOR_FAULTS | FOR_REPLAY | FOR_RUN, AT(expect),
	  .help = "succeed if this detector fires, fail if not" },
	{ "save", "FILE", TEXT, FOR_EXPLORE, AT(save_file),
	  .help = "write the failing schedule here" },
	{ "json", "FILE", TEXT,
	  FOR_EXPLORE | FOR_REPLAY | FOR_RUN | FOR_MERGE | FOR_COMPARE, AT(json_file),
	  .help = "write the report as JSON; - is stdout" },
	{ "html", "FILE", TEXT, FOR_EXPLORE | FOR_REPLAY | FOR_RUN, AT(html_file),
	  .help = "write the report as a page of HTML" },
	{ "core", "NAME", TEXT, 0xff & ~FOR_MERGE, AT(core_a),
	  .help = "the vfio core; compare takes two" },
	{ "kernel", "VERSION", WORD, 0xff & ~FOR_MERGE, AT(kernel), .words = kernel_names,
	  .help = "5.14 (default), 6.1, 6.12 or 6.18, for scenarios that name none" },
	{ "timeline", NULL, FLAG, FOR_RUN, AT(timeline),
	  .help = "show what each process did and what came of it, not each step" },
	{ "lines", NULL, FLAG, FOR_RUN, AT(lines),
	  .help = "print the scenario's own result lines only" },
	{ "traces", NULL, FLAG, FOR_COMPARE, AT(traces),
	  .help = "each schedule of the first core must leave the same trace on the second" },
	{ "strict", NULL, FLAG, FOR_REPLAY, AT(strict),
	  .help = "stop where the schedule does not fit" },
	{ "valgrind", NULL, FLAG, FOR_REPLAY, AT(valgrind), .help = "replay under memcheck" },
	{ "gdb", NULL, FLAG, FOR_REPLAY, AT(gdb),
	  .help = "replay in gdb, stopped before the failing step" },
	{ "verbose", NULL, FLAG, 0xff, AT(verbose), .help = "show all events, not only steps" },
	{ "quiet", NULL, FLAG, 0xff, AT(quiet), .help = "print only what went wrong" },
};

struct command {
	const char *name;
	int (*run)(struct cli *cli);
	unsigned int commands;
	int words;			/* after the scenario; -1: no scenario, any words */
	bool needs_scenario;
	const char *usage;
	const char *help;
};

static const struct command commands[] = {
	{ "list", command_list, 0, 0, false, "", "name the scenarios" },
	{ "run", command_run, FOR_RUN, 0, false, "[SCENARIO...]",
	  "run once, without preemptions, and show the run" },
	{ "explore", command_explore, FOR_EXPLORE, 0, false, "[SCENARIO...]",
	  "run under every schedule, or as many as the budget allows" },
	{ "replay", command_replay, FOR_REPLAY, 1, true, "SCENARIO SCHEDULE",
	  "run one schedule: a file, or the word that explore printed" },
	{ "faults", command_faults, FOR_FAULTS, 0, false, "[SCENARIO...]",
	  "fail each step that can fail, one run each" },
	{ "compare", command_compare, FOR_COMPARE, 0, false,
	  "--core A --core B [SCENARIO...]", "which outcomes only one core has" },
	{ "merge", command_merge, FOR_MERGE, -1, false, "FILE...",
	  "add up the JSON reports of shards" },
};

static const struct option *find_option(const char *name, size_t length)
{
	for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
		if (strlen(options[i].name) == length && !strncmp(options[i].name, name, length))
			return &options[i];
	return NULL;
}

static int set_word(struct cli *cli, const struct option *o, const char *value)
{
	for (unsigned int i = 0; o->words[i]; i++) {
		if (!g_str_equal(o->words[i], value))
			continue;
		memcpy((char *)cli + o->offset, &i, sizeof(i));
		return 0;
	}
	return cli_complain(cli, "--%s %s: expected %s", o->name, value, o->help);
}

static int set_number(struct cli *cli, const struct option *o, const char *value)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(value, 10, o->least, o->most, &number, NULL))
		return cli_complain(cli, "--%s %s: expected a number from %llu to %llu", o->name,
				    value, (unsigned long long)o->least,
				    (unsigned long long)o->most);
	memcpy((char *)cli + o->offset, &number, o->bytes);
	if (o->offset == offsetof(struct cli, options.preemptions_max))
		cli->options.preemptions_bounded = true;
	return 0;
}

static int set_seconds(struct cli *cli, const struct option *o, const char *value)
{
	char *end;
	double seconds = g_ascii_strtod(value, &end);

	if (end == value || *end || !(seconds > 0 && seconds < 1e9))
		return cli_complain(cli, "--%s %s: expected seconds, more than 0", o->name, value);
	cli->options.milliseconds_max = MAX(1, seconds * 1000);
	return 0;
}

static int set_shard(struct cli *cli, const struct option *o, const char *value)
{
	unsigned int index, count;
	char rest;

	if (sscanf(value, "%u/%u%c", &index, &count, &rest) != 2 || !count || index >= count ||
	    count > 1000000)
		return cli_complain(cli, "--%s %s: expected I/N with 0 <= I < N", o->name, value);
	cli->options.shard_index = index;
	cli->options.shard_count = count;
	return 0;
}

static int set_second_core(struct cli *cli, const char *value)
{
	if (cli->core_b)
		return cli_complain(cli, "--core %s: a third core", value);
	cli->core_b = value;
	return 0;
}

static int set_option(struct cli *cli, const struct option *o, const char *value)
{
	switch (o->kind) {
	case FLAG:
		*((bool *)cli + o->offset) = true;
		return 0;
	case NUMBER:
		return set_number(cli, o, value);
	case WORD:
		return set_word(cli, o, value);
	case SECONDS:
		return set_seconds(cli, o, value);
	case SHARD:
		return set_shard(cli, o, value);
	case TEXT:
		if (o->offset == offsetof(struct cli, core_a) && cli->core_a)
			return set_second_core(cli, value);
		memcpy((char *)cli + o->offset, &value, sizeof(value));
	}
	return 0;
}

/* Parse the word at @argv[*i], which begins with "-", and its value if it has one. */
static int parse_option(struct cli *cli, const struct command *command, char **argv, int *i)
{
	const char *word = argv[*i];
	const char *name = g_str_equal(word, "-v") ? "verbose" :
			   g_str_equal(word, "-q") ? "quiet" : word + strspn(word, "-");
	const char *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *o = find_option(name, length);
	const char *value = equals ? equals + 1 : NULL;

	if (!o)
		return cli_complain(cli, "unknown option %s; \"%s help %s\" lists them", word,
				    cli->program, command->name);
	if (o->commands != 0xff && !(o->commands & command->commands))
		return cli_complain(cli, "%s does not take --%s", command->name, o->name);
	if (!o->value)
		return value ? cli_complain(cli, "--%s takes no value", o->name) :
			       set_option(cli, o, NULL);
	if (!value)
		value = argv[++*i];
	if (!value || !*value)
		return cli_complain(cli, "--%s wants a value: %s", o->name, o->value);
	return set_option(cli, o, value);
}

static const struct vfiosim_scenario *find_scenario(const struct cli *cli, const char *name)
{
	for (size_t i = 0; cli->scenarios[i]; i++)
		if (g_str_equal(cli->scenarios[i]->name, name))
			return cli->scenarios[i];
	return NULL;
}

static int take_scenario(struct cli *cli, const char *name)
{
	const struct vfiosim_scenario *scenario = find_scenario(cli, name);

	if (!scenario)
		return cli_complain(cli, "no scenario \"%s\"; \"%s list\" names them", name,
				    cli->program);
	g_ptr_array_add(cli->chosen, (void *)scenario);
	return 0;
}

/* Plain words: scenarios, then what the command wants after them. */
static int take_words(struct cli *cli, const struct command *command, GPtrArray *words)
{
	guint scenarios = words->len;
	int status = 0;

	if (command->words < 0)
		scenarios = 0;
	else if (command->words > 0)
		scenarios = MIN(words->len, 1);
	for (guint i = 0; i < scenarios && !status; i++)
		status = take_scenario(cli, g_ptr_array_index(words, i));
	if (status)
		return status;
	if (command->words > 0 && words->len - scenarios != (guint)command->words)
		return cli_complain(cli, "usage: %s %s %s", cli->program, command->name,
				    command->usage);
	if (command->words < 0 && !words->len)
		return cli_complain(cli, "usage: %s %s %s", cli->program, command->name,
				    command->usage);
	for (guint i = scenarios; i < words->len; i++)
		cli->words[i - scenarios] = g_ptr_array_index(words, i);
	for (size_t i = 0; !scenarios && command->words == 0 && cli->scenarios[i]; i++)
		g_ptr_array_add(cli->chosen, (void *)cli->scenarios[i]);
	return 0;
}

/* Files that are written: each of its own, only one of them stdout, and possible. */
static int check_files(const struct cli *cli)
{
	const char *const files[] = {
		cli->json_file, cli->html_file, cli->save_file, cli->options.checkpoint,
	};
	const char *checkpoint = cli->options.checkpoint;

	/* It is put in place of the last one. */
	if (checkpoint && (g_str_equal(checkpoint, "-") ||
			   (g_file_test(checkpoint, G_FILE_TEST_EXISTS) &&
			    !g_file_test(checkpoint, G_FILE_TEST_IS_REGULAR))))
		return cli_complain(cli, "--checkpoint %s: not a file", checkpoint);
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		for (size_t k = 0; files[i] && k < i; k++)
			if (files[k] && g_str_equal(files[i], files[k]))
				return cli_complain(cli, "%s: one file for two purposes", files[i]);
		if (files[i] && !cli_may_write(cli, files[i]))
			return EXIT_INPUT;
	}
	return 0;
}

static int check_together(struct cli *cli, const struct command *command)
{
	const struct vfiosim_options *o = &cli->options;
	bool random = o->strategy == VFIOSIM_PCT || o->strategy == VFIOSIM_RANDOM;

	if ((o->races || o->plain_points) && !tsan_present())
		return cli_complain(cli, "no code here was compiled with -fsanitize=thread");
	if (cli->core_b && command->commands != FOR_COMPARE)
		return cli_complain(cli, "%s takes one --core", command->name);
	if (o->check_determinism && o->strategy == VFIOSIM_STATES)
		return cli_complain(cli, "--check-determinism needs whole runs, "
					 "which --strategy states does not make");
	if (cli->expect && !g_strv_contains(detector_names, cli->expect)) {
		g_autofree char *known = g_strjoinv(", ", (char **)detector_names);

		return cli_complain(cli, "--expect: no detector \"%s\": %s", cli->expect, known);
	}
	if (o->resume && !o->checkpoint)
		return cli_complain(cli, "--resume wants --checkpoint FILE");
	if (o->checkpoint && o->strategy == VFIOSIM_STATES)
		return cli_complain(cli, "--checkpoint does not work with --strategy states");
	if (o->checkpoint && o->jobs > 1)
		return cli_complain(cli, "--checkpoint does not work with --jobs; use --shard");
	if (o->shard_count > 1 && o->jobs > 1)
		return cli_complain(cli, "--shard and --jobs exclude each other");
	if (o->strategy == VFIOSIM_STATES && (o->shard_count > 1 || o->jobs > 1))
		return cli_complain(cli, "--strategy states cannot be shared out");
	if (o->preemptions_bounded && (random || o->strategy == VFIOSIM_STATES))
		return cli_complain(cli, "--preemptions needs --strategy exhaustive or naive");
	if (o->preemptions_bounded && (o->shard_count > 1 || o->jobs > 1))
		return cli_complain(cli, "--preemptions cannot be shared out: "
					 "runs would be counted twice");
	return 0;
}

/* ---- help ---- */

static void print_usage(const struct cli *cli)
{
	printf("usage: %s COMMAND [OPTION...] [WORD...]\n\n", cli->program);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		printf("  %-8s %-34s %s\n", commands[i].name, commands[i].usage, commands[i].help);
	printf("  %-8s %-34s %s\n\n", "help", "[COMMAND]", "its options");
	printf("exit status: 0 nothing found; 1 a failure or a difference; 2 bad input;\n"
	       "3 a budget was used up first, so nothing is proven\n");
}

static int print_help(const struct cli *cli, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		const struct command *c = &commands[i];

		if (!name || !g_str_equal(c->name, name))
			continue;
		printf("usage: %s %s [OPTION...] %s\n%s\n\n", cli->program, c->name, c->usage,
		       c->help);
		for (size_t k = 0; k < G_N_ELEMENTS(options); k++) {
			const struct option *o = &options[k];
			g_autofree char *left = g_strdup_printf("--%s %s", o->name, o->value ?: "");

			if (o->commands == 0xff || (o->commands & c->commands))
				printf("  %-24s %s\n", left, o->help);
		}
		return EXIT_GOOD;
	}
	if (name)
		return cli_complain(cli, "no command \"%s\"", name);
	print_usage(cli);
	return EXIT_GOOD;
}

/* ---- main ---- */

static void on_interrupt(int signal)
{
	/* The second one ends the program at once. */
	if (exploration_interrupted)
		_exit(128 + signal);
	exploration_interrupted = 1;
}

static void catch_interrupt(void)
{
	struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

/* Before check_together(): a core may hold the instrumented code. */
static int load_cores(struct cli *cli)
{
	const char *const names[] = { cli->core_b, cli->core_a };
	g_autoptr(GError) error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (names[i] && !core_select(names[i], &error))
			return cli_complain(cli, "%s", error->message);
	return 0;
}

const char *cli_kernel(const struct cli *cli)
{
	return kernel_names[cli->kernel];
}

/* A schedule fits one core, one kernel version and one kind of choice points. */
static void name_replay(const struct cli *cli)
{
	GString *command = g_string_new(cli->called);

	g_string_append(command, " replay");
	if (cli->core_a)
		g_string_append_printf(command, " --core %s", cli->core_a);
	if (cli->kernel)
		g_string_append_printf(command, " --kernel %s", cli_kernel(cli));
	if (cli->options.plain_points)
		g_string_append(command, " --plain-points");
	report_set_replay(g_string_free(command, FALSE));
}

static int run_command(struct cli *cli, const struct command *command, char **argv)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	bool only_words = false;
	int status = 0;

	for (int i = 0; argv[i] && !status; i++) {
		if (!only_words && g_str_equal(argv[i], "--"))
			only_words = true;
		else if (!only_words && argv[i][0] == '-' && argv[i][1])
			status = parse_option(cli, command, argv, &i);
		else
			g_ptr_array_add(words, argv[i]);
	}
	status = status ?: take_words(cli, command, words) ?: load_cores(cli) ?:
		 check_together(cli, command) ?: check_files(cli);
	if (status)
		return status;
	if (cli->kernel)
		run_kernel_default = cli->kernel;
	name_replay(cli);
	catch_interrupt();
	status = command->run(cli);
	report_set_replay(NULL);
	return status;
}

static bool wants_help(char **words)
{
	for (; *words && !g_str_equal(*words, "--"); words++)
		if (g_str_equal(*words, "--help") || g_str_equal(*words, "-h"))
			return true;
	return false;
}

static int main_command(int argc, char **argv, const struct vfiosim_scenario *const scenarios[])
{
	g_autofree char *program = g_path_get_basename(argc ? argv[0] : "vfiosim");
	g_autofree char **words = g_new0(char *, argc + 1);
	g_autoptr(GPtrArray) chosen = g_ptr_array_new();
	struct cli cli = {
		.program = program, .called = argc ? argv[0] : program,
		.scenarios = scenarios, .chosen = chosen, .words = words,
	};
	const char *name = argc > 1 ? argv[1] : "run";

	if (g_str_equal(name, "--version")) {
		printf("%s %s\n", program, VERSION);
		return EXIT_GOOD;
	}
	if (g_str_equal(name, "help") || g_str_equal(name, "--help") || g_str_equal(name, "-h"))
		return print_help(&cli, argc > 2 ? argv[2] : NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (!g_str_equal(commands[i].name, name))
			continue;
		cli.arguments = argc > 1 ? argv + 2 : argv + argc;
		if (wants_help(cli.arguments))
			return print_help(&cli, name);
		return run_command(&cli, &commands[i], cli.arguments);
	}
	return cli_complain(&cli, "no command \"%s\"; \"%s help\" lists them", name, program);
}

/* What could not be printed was not said: a full disk is no success. */
int vfiosim_main(int argc, char **argv, const struct vfiosim_scenario *const scenarios[])
{
	int status = main_command(argc, argv, scenarios);

	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fprintf(stderr, "%s: standard output: %s\n", argc ? argv[0] : "vfiosim",
		g_strerror(errno));
	return EXIT_INPUT;
}
