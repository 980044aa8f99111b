// SPDX-License-Identifier: GPL-2.0-only
/* Schedules as text: reading, writing, following, and following after an edit. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include <vfiosim/kapi.h>

#include "schedule.h"
#include "simtest.h"
#include "workloads.h"

static const struct {
	const char *what;
	const char *text;
	const char *message;
} bad_texts[] = {
	{ "no text at all", "", "file:1: no steps: not a schedule" },
	{ "a comment only", "# scenario: x\n", "file:1: no steps: not a schedule" },
	{ "too few words", "a mutex_lock lock\na mutex_lock\n",
	  "file:2: expected TASK OPERATION OBJECT [timeout|signal]" },
	{ "an unknown operation", "a lock_mutex lock\n",
	  "file:1: no such operation: \"lock_mutex\"" },
	{ "an unknown way to end a wait", "a wait_for_completion c late\n",
	  "file:1: expected timeout or signal, not \"late\"" },
	{ "a fault before any step", "+ fail inode\n",
	  "file:1: a data choice before the first step" },
	{ "neither fail nor choose", "a start -\n+ pick inode\n",
	  "file:2: expected \"+ fail SITE [NTH]\" or \"+ choose WHAT VALUE [NTH]\"" },
	{ "a value that is no number", "a start -\n+ choose coin heads\n",
	  "file:2: not a value: \"heads\"" },
	{ "a count of zero", "a start -\n+ fail inode 0\n", "file:2: not a count: \"0\"" },
	{ "a word too many", "a start -\n+ fail inode 1 2\n", "file:2: wrong number of words" },
	{ "an open quote", "'a start -\n", NULL },
	{ "a token with a hole", "0*2..1", "file:1: bad item in the schedule: \"\"" },
	{ "a task that cannot be", "64", "file:1: bad item in the schedule: \"64\"" },
	{ "data before the first step", "d1.0", NULL },
	{ "a repeat of nothing", "0*0", "file:1: bad item in the schedule: \"0*0\"" },
	{ "a number that does not end", "0*99999999", NULL },
};

START_TEST(a_bad_schedule_is_refused_with_file_and_line)
{
	g_autoptr(GError) error = NULL;
	struct schedule *s = schedule_parse(bad_texts[_i].text, "file", &error);

	ck_assert_msg(!s, "%s: accepted", bad_texts[_i].what);
	ck_assert_msg(strstr(error->message, "file:") == error->message, "%s", error->message);
	ck_assert(!strchr(error->message, '\n'));
	if (bad_texts[_i].message)
		ck_assert_str_eq(error->message, bad_texts[_i].message);
}
END_TEST

/* The failing schedule of @scenario, as the explorer found it. */
static struct schedule *failing(const struct vfiosim_scenario *scenario)
{
	struct run_config config = { .scenario = scenario };
	const struct vfiosim_options options = { .no_minimize = true };
	struct vfiosim_report *report;
	const struct decision *d;
	size_t n;

	vfiosim_explore(scenario, &options, &report);
	ck_assert_ptr_nonnull(vfiosim_report_detector(report));
	vfiosim_report_free(report);
	/* The report's last act was to replay it. */
	n = run_decisions(&d);
	return schedule_record(&config, d, n);
}

static struct replay follow(const struct vfiosim_scenario *scenario,
			    const struct schedule *schedule, bool strict, bool *fits)
{
	struct run_config config = { .scenario = scenario };
	struct replay replay = { .strict = strict, .seed = 1 };

	*fits = schedule_replay(&config, schedule, &replay);
	return replay;
}

START_TEST(a_schedule_survives_being_written_and_read)
{
	struct schedule *s = failing(&workload_abba), *again;
	g_autofree char *text = schedule_to_text(s);
	g_autofree char *twice = NULL;
	struct replay replay;
	bool fits;

	again = schedule_parse(text, "text", NULL);
	ck_assert_ptr_nonnull(again);
	twice = schedule_to_text(again);
	ck_assert_str_eq(text, twice);
	ck_assert_str_eq(again->detector, "deadlock");
	replay = follow(&workload_abba, again, true, &fits);
	ck_assert(fits);
	ck_assert_uint_eq(replay.divergences->len, 0);
	ck_assert_int_eq(replay.verdict, VFIOSIM_DEADLOCK);
	g_ptr_array_unref(replay.divergences);
	schedule_free(again);
	schedule_free(s);
}
END_TEST

/* AB-BA again, edited: one task does something more, and it is named otherwise. */
struct edited {
	struct mutex a, b;
	atomic_t more;
};

static void edited_setup(void *fixture)
{
	struct edited *e = fixture;

	mutex_init(&e->a);
	mutex_init(&e->b);
}

static void edited_ab(void *fixture)
{
	struct edited *e = fixture;

	atomic_inc(&e->more);
	mutex_lock(&e->a);
	mutex_lock(&e->b);
	mutex_unlock(&e->b);
	mutex_unlock(&e->a);
}

static void edited_ba(void *fixture)
{
	struct edited *e = fixture;

	mutex_lock(&e->b);
	mutex_lock(&e->a);
	mutex_unlock(&e->a);
	mutex_unlock(&e->b);
}

static const struct vfiosim_scenario edited = {
	.name = "abba", .fixture_size = sizeof(struct edited), .setup = edited_setup,
	.tolerate = "lock-inversion",
	.tasks = { { "alice", edited_ab }, { "bob", edited_ba } },
};

START_TEST(a_schedule_survives_an_added_step)
{
	struct schedule *s = failing(&workload_abba);
	struct replay replay;
	bool fits;

	replay = follow(&edited, s, false, &fits);
	ck_assert(fits);
	ck_assert_uint_ge(replay.divergences->len, 1);
	ck_assert_int_eq(replay.verdict, VFIOSIM_DEADLOCK);
	g_ptr_array_unref(replay.divergences);

	replay = follow(&edited, s, true, &fits);
	ck_assert(!fits);
	ck_assert_uint_ge(replay.divergences->len, 1);
	g_ptr_array_unref(replay.divergences);
	schedule_free(s);
}
END_TEST

START_TEST(a_schedule_survives_a_removed_step)
{
	struct schedule *s = failing(&edited);
	struct replay replay;
	bool fits;

	replay = follow(&workload_abba, s, false, &fits);
	ck_assert(fits);
	ck_assert_int_eq(replay.verdict, VFIOSIM_DEADLOCK);
	g_ptr_array_unref(replay.divergences);
	schedule_free(s);
}
END_TEST

START_TEST(the_rule_after_a_divergence_is_the_seeds_alone)
{
	struct schedule *s = schedule_parse("p start -\n", "text", NULL);
	const struct vfiosim_scenario *scenario = workload_random(3);
	uint64_t hash;
	bool fits;

	g_ptr_array_unref(follow(scenario, s, false, &fits).divergences);
	hash = run_trace_hash();
	g_ptr_array_unref(follow(scenario, s, false, &fits).divergences);
	ck_assert_uint_eq(hash, run_trace_hash());
	schedule_free(s);
}
END_TEST

/* ---- faults by name ---- */

struct allocator {
	int failed;
};

static void allocate_three(void *fixture)
{
	struct allocator *a = fixture;

	for (int i = 0; i < 3; i++) {
		void *p = kzalloc(32, GFP_KERNEL);

		if (!p)
			a->failed |= 1 << i;
		kfree(p);
	}
	vfiosim_expect(a->failed != 2);
}

static const struct vfiosim_scenario allocations = {
	.name = "allocations", .fixture_size = sizeof(struct allocator),
	.tasks = { { "only", allocate_three } },
};

START_TEST(a_fault_is_found_again_by_its_name)
{
	const struct vfiosim_options options = { .faults_max = 1 };
	struct run_config config = { .scenario = &allocations, .faults = true };
	struct replay replay = { .strict = true };
	struct vfiosim_report *report;
	struct schedule *s;
	g_autofree char *text = NULL;
	const struct decision *d;
	size_t n;

	ck_assert_int_eq(vfiosim_explore(&allocations, &options, &report), VFIOSIM_VIOLATION);
	vfiosim_report_free(report);
	n = run_decisions(&d);
	s = schedule_record(&config, d, n);
	text = schedule_to_text(s);
	schedule_free(s);
	ck_assert_msg(strstr(text, "+ fail ") && strstr(text, " 2\n"), "%s", text);
	s = schedule_parse(text, "text", NULL);
	ck_assert(s->faults);
	ck_assert(schedule_replay(&config, s, &replay));
	ck_assert_int_eq(replay.verdict, VFIOSIM_VIOLATION);
	g_ptr_array_unref(replay.divergences);
	schedule_free(s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("schedule");
	TCase *text = tcase_create("text");

	tcase_add_loop_test(text, a_bad_schedule_is_refused_with_file_and_line, 0,
			    G_N_ELEMENTS(bad_texts));
	tcase_add_test(text, a_schedule_survives_being_written_and_read);
	tcase_add_test(text, a_schedule_survives_an_added_step);
	tcase_add_test(text, a_schedule_survives_a_removed_step);
	tcase_add_test(text, the_rule_after_a_divergence_is_the_seeds_alone);
	tcase_add_test(text, a_fault_is_found_again_by_its_name);
	suite_add_tcase(suite, text);
	return simtest_main(suite);
}
