// SPDX-License-Identifier: GPL-2.0-only
/* --jobs: shards as child processes of this one; and merge, for shards elsewhere. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checkpoint.h"
#include "cli.h"
#include "json.h"
#include "shard.h"

#define LISTEN_MS 100

/* What a child tells: this, then its outcomes and its failing schedule. */
struct message {
	uint64_t runs, cut, steps, depth_max, digest, restored, reexecuted;
	unsigned int tasks;
	enum vfiosim_verdict verdict;
	const char *why_stopped;	/* constants: the same address in the parent */
	struct finding finding;
	size_t live_bytes;
	guint outcomes, decisions;
};

struct job {
	pid_t pid;
	int fd;
	bool done;
	struct message message;
	GArray *outcomes;
	GArray *schedule;
};

/* All jobs, as the one who waits for one of them sees them. */
struct listener {
	const struct job *jobs;
	unsigned int n;
	bool *passed_on;		/* the wish to end */
};

/* ---- the child ---- */

static void write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(1);
		at += n;
		size -= n;
	}
}

static void tell(int fd, const struct exploration *x)
{
	struct message m = {
		.runs = x->runs, .cut = x->cut, .steps = x->steps, .depth_max = x->depth_max,
		.digest = x->digest, .restored = x->restored, .reexecuted = x->reexecuted,
		.tasks = x->tasks, .verdict = x->verdict, .why_stopped = x->why_stopped,
		.finding = x->finding, .live_bytes = x->live_bytes,
		.outcomes = x->outcomes->len, .decisions = x->schedule->len,
	};

	write_all(fd, &m, sizeof(m));
	write_all(fd, x->outcomes->data, m.outcomes * sizeof(struct outcome));
	write_all(fd, x->schedule->data, m.decisions * sizeof(struct decision));
}

/* All jobs' together are what was allowed; a job has one run at least. */
static uint64_t runs_of_job(uint64_t runs, unsigned int jobs, unsigned int index)
{
	return MAX(runs / jobs + (index < runs % jobs), 1);
}

static void be_child(int fd, const struct exploration *parent, unsigned int index)
{
	struct vfiosim_options options = parent->options;
	struct exploration x;

	options.shard_count = options.jobs;
	options.shard_index = index;
	options.runs_max = runs_of_job(options.runs_max, options.jobs, index);
	options.jobs = 1;
	options.progress = options.progress && index == 0;
	/* The parent says when to end; one that is killed cannot. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	exploration_init(&x, parent->scenario, &options);
	exploration_run(&x);
	tell(fd, &x);
	_exit(0);
}

/* ---- the parent ---- */

/* Who asked this process to end may not have asked its children. */
static void pass_on_interrupt(const struct job *jobs, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (jobs[i].pid && !jobs[i].done)
			kill(jobs[i].pid, SIGTERM);
}

static bool read_all(const struct listener *l, int fd, void *data, size_t size)
{
	char *at = data;

	while (size) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (exploration_interrupted && !*l->passed_on) {
			*l->passed_on = true;
			pass_on_interrupt(l->jobs, l->n);
		}
		/* Now and then, since a signal may come just before. */
		if (poll(&ready, 1, LISTEN_MS) <= 0)
			continue;
		n = read(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		size -= n;
	}
	return true;
}

static void start(struct job *job, const struct exploration *x, unsigned int index)
{
	int ends[2];

	if (pipe(ends) < 0)
		g_error("pipe: %s", g_strerror(errno));
	fflush(NULL);
	job->pid = fork();
	if (job->pid < 0)
		g_error("fork: %s", g_strerror(errno));
	if (!job->pid) {
		close(ends[0]);
		be_child(ends[1], x, index);
	}
	close(ends[1]);
	job->fd = ends[0];
}

static bool hear(const struct listener *l, struct job *job)
{
	struct message *m = &job->message;
	bool good = read_all(l, job->fd, m, sizeof(*m));

	job->outcomes = g_array_new(FALSE, FALSE, sizeof(struct outcome));
	job->schedule = g_array_new(FALSE, FALSE, sizeof(struct decision));
	if (good) {
		g_array_set_size(job->outcomes, m->outcomes);
		g_array_set_size(job->schedule, m->decisions);
		good = read_all(l, job->fd, job->outcomes->data,
				m->outcomes * sizeof(struct outcome)) &&
		       read_all(l, job->fd, job->schedule->data,
				m->decisions * sizeof(struct decision));
	}
	close(job->fd);
	while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
		;
	job->done = true;
	return good;
}

static int severity(enum vfiosim_verdict verdict)
{
	return verdict == VFIOSIM_OK ? 0 : verdict == VFIOSIM_BUDGET ? 1 : 2;
}

static void add_outcomes(GArray *to, const GArray *from)
{
	for (guint i = 0; i < from->len; i++) {
		const struct outcome *o = &g_array_index(from, struct outcome, i);

		outcome_of(to, o->detector)->runs += o->runs;
	}
}

static void add_up(struct exploration *x, const struct job *job)
{
	const struct message *m = &job->message;

	x->runs += m->runs;
	x->cut += m->cut;
	x->steps += m->steps;
	x->digest += m->digest;
	x->restored += m->restored;
	x->reexecuted += m->reexecuted;
	x->depth_max = MAX(x->depth_max, m->depth_max);
	x->tasks = MAX(x->tasks, m->tasks);
	x->live_bytes = MAX(x->live_bytes, m->live_bytes);
	add_outcomes(x->outcomes, job->outcomes);
	if (severity(m->verdict) > severity(x->verdict)) {
		x->verdict = m->verdict;
		x->why_stopped = m->why_stopped;
		x->stopped = true;
	}
	if (m->finding.detector[0] && !x->finding.detector[0]) {
		x->finding = m->finding;
		g_array_append_vals(x->schedule, job->schedule->data, job->schedule->len);
	}
}

/*
 * In order of their numbers, so that the answer does not depend on who is
 * faster: after a failure only the shards before it are heard to their end.
 */
static void explore_jobs(struct exploration *x)
{
	unsigned int n = x->options.jobs;
	g_autofree struct job *jobs = g_new0(struct job, n);
	bool stop = false, passed_on = false;
	const struct listener listener = { jobs, n, &passed_on };

	for (unsigned int i = 0; i < n; i++)
		start(&jobs[i], x, i);
	for (unsigned int i = 0; i < n; i++) {
		if (stop)
			kill(jobs[i].pid, SIGKILL);
		if (hear(&listener, &jobs[i]))
			add_up(x, &jobs[i]);
		else if (!stop)
			exploration_stop(x, VFIOSIM_BUDGET, "a job died");
		g_array_unref(jobs[i].outcomes);
		g_array_unref(jobs[i].schedule);
		stop = stop || (x->finding.detector[0] && !x->options.keep_going);
	}
}

struct vfiosim_report *explore_shared(const struct vfiosim_scenario *scenario,
				      const struct vfiosim_options *options, GError **error)
{
	struct vfiosim_report *report;
	struct exploration x;

	exploration_init(&x, scenario, options);
	if (x.options.resume && !checkpoint_check(&x, error)) {
		exploration_clear(&x);
		return NULL;
	}
	if (x.options.jobs > 1)
		explore_jobs(&x);
	else
		exploration_run(&x);
	report = report_new(&x);
	exploration_clear(&x);
	return report;
}

/* ---- merge ---- */

struct sum {
	uint64_t runs, cut, steps, digest;
	GArray *outcomes;
	enum vfiosim_verdict verdict;
};

static bool fits(const struct cli *cli, const struct shard_report *first,
		 const struct shard_report *r, const bool *seen)
{
	if (!g_str_equal(r->scenario, first->scenario))
		cli_complain(cli, "%s: of scenario %s, where %s is of %s", r->file, r->scenario,
			     first->file, first->scenario);
	else if (r->count != first->count)
		cli_complain(cli, "%s: a shard of %u, where %s is one of %u", r->file, r->count,
			     first->file, first->count);
	else if (!g_str_equal(r->options, first->options))
		cli_complain(cli, "%s: explored with other options than %s", r->file,
			     first->file);
	else if (seen[r->index])
		cli_complain(cli, "%s: shard %u comes twice", r->file, r->index);
	else
		return true;
	return false;
}

static void add_shard(struct sum *sum, const struct shard_report *r)
{
	sum->runs += r->runs;
	sum->cut += r->cut;
	sum->steps += r->steps;
	sum->digest += r->digest;
	if (severity(r->verdict) > severity(sum->verdict))
		sum->verdict = r->verdict;
	add_outcomes(sum->outcomes, r->outcomes);
	if (r->failure)
		printf("shard %u: %s\n  replay: %s %s %s\n", r->index, r->failure,
		       report_replay(), r->scenario, r->token ?: "");
}

static int missing(const struct cli *cli, const struct shard_report *first, const bool *seen)
{
	for (unsigned int i = 0; i < first->count; i++)
		if (!seen[i])
			return cli_complain(cli, "shard %u of %u is missing", i, first->count);
	return EXIT_GOOD;
}

static int print_sum(const struct shard_report *first, const struct sum *sum)
{
	printf("%s: %s after %llu runs (%llu more cut short), %llu steps, %u shards, "
	       "digest %016llx\n", first->scenario, verdict_word(sum->verdict),
	       (unsigned long long)sum->runs, (unsigned long long)sum->cut,
	       (unsigned long long)sum->steps, first->count, (unsigned long long)sum->digest);
	for (guint i = 0; i < sum->outcomes->len; i++) {
		const struct outcome *o = &g_array_index(sum->outcomes, struct outcome, i);

		printf("  %llu x %s\n", (unsigned long long)o->runs, o->detector);
	}
	return cli_status(sum->verdict);
}

int command_merge(struct cli *cli)
{
	g_autoptr(GPtrArray) reports =
		g_ptr_array_new_with_free_func((GDestroyNotify)shard_report_free);
	struct sum sum = { .outcomes = g_array_new(FALSE, FALSE, sizeof(struct outcome)) };
	g_autofree bool *seen = NULL;
	int status = EXIT_GOOD;

	for (char **file = cli->words; *file && !status; file++) {
		g_autoptr(GError) error = NULL;
		struct shard_report *r = shard_report_load(*file, &error);
		const struct shard_report *first;

		if (!r) {
			status = cli_complain(cli, "%s", error->message);
			break;
		}
		g_ptr_array_add(reports, r);
		first = g_ptr_array_index(reports, 0);
		if (!seen)
			seen = g_new0(bool, first->count);
		if (!fits(cli, first, r, seen)) {
			status = EXIT_INPUT;
			break;
		}
		seen[r->index] = true;
		add_shard(&sum, r);
	}
	if (!status)
		status = missing(cli, g_ptr_array_index(reports, 0), seen);
	if (!status)
		status = print_sum(g_ptr_array_index(reports, 0), &sum);
	g_array_unref(sum.outcomes);
	return status;
}
