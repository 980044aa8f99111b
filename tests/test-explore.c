// SPDX-License-Identifier: GPL-2.0-only
/* Strategies, budgets, shards, checkpoints, minimisation and the report. */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vfiosim/kapi.h>

#include "engine.h"
#include "simtest.h"
#include "workloads.h"

struct result {
	enum vfiosim_verdict verdict;
	uint64_t runs, digest;
	char detector[32];
};

static struct result explore(const struct vfiosim_scenario *scenario,
			     struct vfiosim_options options)
{
	struct vfiosim_report *report;
	struct result r = { .verdict = vfiosim_explore(scenario, &options, &report) };

	r.runs = vfiosim_report_runs(report);
	r.digest = vfiosim_report_digest(report);
	g_strlcpy(r.detector, vfiosim_report_detector(report) ?: "", sizeof(r.detector));
	vfiosim_report_free(report);
	return r;
}

/* ---- budgets ---- */

START_TEST(a_used_up_budget_is_no_success)
{
	struct result r = explore(workload_w1(3, 10), (struct vfiosim_options){ .runs_max = 100 });

	ck_assert_int_eq(r.verdict, VFIOSIM_BUDGET);
	ck_assert_uint_eq(r.runs, 100);
	r = explore(workload_w1(3, 10), (struct vfiosim_options){ .milliseconds_max = 20,
								   .runs_max = UINT64_MAX });
	ck_assert_int_eq(r.verdict, VFIOSIM_BUDGET);
	r = explore(workload_w1(2, 1), (struct vfiosim_options){ .strategy = VFIOSIM_PCT,
								  .runs_max = 10 });
	ck_assert_int_eq(r.verdict, VFIOSIM_BUDGET);
}
END_TEST

/* ---- strategies ---- */

static const struct {
	const char *what;
	enum vfiosim_strategy strategy;
} finders[] = {
	{ "depth first", VFIOSIM_EXHAUSTIVE },
	{ "every schedule", VFIOSIM_NAIVE },
	{ "priorities", VFIOSIM_PCT },
	{ "a random walk", VFIOSIM_RANDOM },
	{ "states", VFIOSIM_STATES },
};

START_TEST(every_strategy_finds_a_deadlock_and_repeats_itself)
{
	struct vfiosim_options options = { .strategy = finders[_i].strategy };
	struct result first = explore(&workload_abba, options);
	struct result second = explore(&workload_abba, options);

	ck_assert_msg(first.verdict == VFIOSIM_DEADLOCK, "%s finds nothing", finders[_i].what);
	ck_assert_str_eq(first.detector, "deadlock");
	ck_assert_uint_eq(first.runs, second.runs);
	ck_assert_uint_eq(first.digest, second.digest);
}
END_TEST

START_TEST(the_seed_alone_decides_random_runs)
{
	struct vfiosim_options options = { .strategy = VFIOSIM_RANDOM, .runs_max = 50 };
	struct result a = explore(workload_w1(3, 3), options), b;

	options.seed = 2;
	b = explore(workload_w1(3, 3), options);
	ck_assert_uint_ne(a.digest, b.digest);
}
END_TEST

START_TEST(a_search_over_states_visits_fewer_of_them_than_there_are_traces)
{
	struct vfiosim_options options = { .strategy = VFIOSIM_STATES };
	struct vfiosim_report *report;

	ck_assert_int_eq(vfiosim_explore(workload_w1(3, 4), &options, &report), VFIOSIM_OK);
	ck_assert_msg(strstr(vfiosim_report_text(report), " states"), "%s",
		      vfiosim_report_text(report));
	ck_assert_uint_lt(vfiosim_report_runs(report), 100);
	vfiosim_report_free(report);
}
END_TEST

static __attribute__((noinline)) void scribble(void)
{
	char text[400];

	memset(text, 7, sizeof(text));
	__asm__ volatile("" : : "r"(text) : "memory");
}

/* Waits with memory on its stack that nobody wrote. */
static __attribute__((noinline)) void lock_with_a_hole(struct mutex *lock)
{
	char hole[200];

	__asm__ volatile("" : : "r"(hole) : "memory");
	mutex_lock(lock);
	mutex_unlock(lock);
}

static void make_lock(void *fixture)
{
	mutex_init((struct mutex *)fixture);
}

static void lock_and_scribble(void *fixture)
{
	lock_with_a_hole(fixture);
	scribble();
}

static const struct vfiosim_scenario holes = {
	.name = "holes", .fixture_size = sizeof(struct mutex), .setup = make_lock,
	.tasks = { { "a", lock_and_scribble }, { "b", lock_and_scribble } },
};

static uint64_t count_states(const struct vfiosim_scenario *scenario)
{
	struct vfiosim_options options = { .strategy = VFIOSIM_STATES };
	struct vfiosim_report *report;
	uint64_t states;

	vfiosim_explore(scenario, &options, &report);
	states = vfiosim_report_states(report);
	vfiosim_report_free(report);
	return states;
}

/* A state shows what lies on the stacks, even where its tasks never wrote. */
START_TEST(a_search_over_states_counts_the_same_whatever_ran_before)
{
	uint64_t states = count_states(&holes);

	for (int again = 0; again < 4; again++)
		ck_assert_uint_eq(count_states(&holes), states);
}
END_TEST

START_TEST(each_run_gives_the_same_trace_twice)
{
	struct vfiosim_options options = { .check_determinism = true };
	struct result r = explore(&workload_w2, options);

	ck_assert_int_eq(r.verdict, VFIOSIM_OK);
	ck_assert_uint_gt(r.runs, 1);
}
END_TEST

static int runs_ever;

static void misbehave(void *fixture)
{
	struct mutex *lock = fixture;

	/* State that no reset knows of: the mistake that is looked for. */
	if (++runs_ever % 2)
		cond_resched();
	mutex_lock(lock);
	mutex_unlock(lock);
}

static void init_lock(void *fixture)
{
	mutex_init((struct mutex *)fixture);
}

START_TEST(a_scenario_that_remembers_its_last_run_is_found_out)
{
	static const struct vfiosim_scenario leaky = {
		.name = "leaky", .fixture_size = sizeof(struct mutex), .setup = init_lock,
		.tasks = { { "a", misbehave } },
	};
	struct result r = explore(&leaky, (struct vfiosim_options){ .check_determinism = true });

	ck_assert_int_eq(r.verdict, VFIOSIM_VIOLATION);
	ck_assert_str_eq(r.detector, "nondeterminism");
}
END_TEST

struct beginning {
	struct mutex lock;
	struct completion done;
	struct work_struct work;
	int ended;
};

static void complete_beginning(struct work_struct *work)
{
	complete(&container_of(work, struct beginning, work)->done);
}

/* Blocks: what goes on meanwhile is no decision of a schedule's. */
static void begin_and_wait(void *fixture)
{
	struct beginning *b = fixture;

	mutex_init(&b->lock);
	init_completion(&b->done);
	INIT_WORK(&b->work, complete_beginning);
	schedule_work(&b->work);
	wait_for_completion(&b->done);
}

static void take_beginning(void *fixture)
{
	struct beginning *b = fixture;

	mutex_lock(&b->lock);
	mutex_unlock(&b->lock);
	b->ended++;
}

static bool somebody_is_left(const void *fixture)
{
	return ((const struct beginning *)fixture)->ended < 2;
}

static const struct vfiosim_scenario beginnings[] = {
	{ .name = "setup blocks", .fixture_size = sizeof(struct beginning),
	  .setup = begin_and_wait,
	  .tasks = { { "a", take_beginning }, { "b", take_beginning } } },
	{ .name = "a check that only the end breaks", .fixture_size = sizeof(struct beginning),
	  .setup = begin_and_wait, .check = somebody_is_left,
	  .tasks = { { "a", take_beginning }, { "b", take_beginning } } },
};

/* However it is come back to, by however many steps of a script at once. */
START_TEST(a_run_by_script_is_the_run_by_steps)
{
	struct vfiosim_options options = {
		.backtracking = VFIOSIM_REEXECUTE, .check_determinism = true,
		.keep_going = true, .no_minimize = true,
	};
	struct result again = explore(&beginnings[_i], options), restored;

	ck_assert_str_ne(again.detector, "nondeterminism");
	ck_assert_str_eq(again.detector, beginnings[_i].check ? "expectation" : "");
	ck_assert_uint_gt(again.runs, 1);
	options.backtracking = VFIOSIM_BACKTRACK_AUTO;
	restored = explore(&beginnings[_i], options);
	ck_assert_uint_eq(again.runs, restored.runs);
	ck_assert_uint_eq(again.digest, restored.digest);
}
END_TEST

/* ---- shards ---- */

static struct result all_shards(const struct vfiosim_scenario *scenario, unsigned int count,
				struct vfiosim_options options)
{
	struct result sum = { .verdict = VFIOSIM_OK };

	for (unsigned int i = 0; i < count; i++) {
		struct result r;

		options.shard_index = i;
		options.shard_count = count;
		r = explore(scenario, options);
		sum.runs += r.runs;
		sum.digest += r.digest;
	}
	return sum;
}

START_TEST(the_union_over_shards_is_the_single_run)
{
	static const unsigned int counts[] = { 1, 2, 3, 5, 8, 16 };
	const struct vfiosim_scenario *scenario = workload_w3(3);
	struct result whole = explore(scenario, (struct vfiosim_options){ 0 });
	struct result sum = all_shards(scenario, counts[_i], (struct vfiosim_options){ 0 });

	ck_assert_uint_eq(sum.runs, whole.runs);
	ck_assert_uint_eq(sum.digest, whole.digest);
}
END_TEST

START_TEST(shards_of_random_programs_lose_and_double_nothing)
{
	struct vfiosim_options options = { .keep_going = true, .no_minimize = true };

	for (unsigned int seed = 0; seed < 12; seed++) {
		const struct vfiosim_scenario *scenario = workload_random(500 + 12 * _i + seed);
		struct result whole = explore(scenario, options);
		struct result sum = all_shards(scenario, 2 + seed % 4, options);

		ck_assert_msg(sum.runs == whole.runs && sum.digest == whole.digest,
			      "%s: %llu runs where there are %llu", scenario->summary,
			      (unsigned long long)sum.runs, (unsigned long long)whole.runs);
	}
}
END_TEST

/* Two tasks claim one thing by looking first; most of what they do is beside the point. */
struct claim {
	atomic_t claimed, won;
	int flag;
	atomic_t counted[2];
};

struct claims {
	struct claim *claim;
};

static void make_claim(void *fixture)
{
	struct claim *claim = kzalloc(sizeof(*claim), GFP_KERNEL);

	atomic_set(&claim->claimed, 0);
	((struct claims *)fixture)->claim = claim;
}

static G_GNUC_NO_INLINE void look_and_take(struct claim *claim)
{
	if (shared_READ_ONCE(claim->flag) || atomic_read(&claim->claimed))
		return;
	atomic_inc(&claim->claimed);
	atomic_inc(&claim->won);
}

static void claim_first(void *fixture)
{
	struct claim *claim = ((struct claims *)fixture)->claim;

	for (int i = 0; i < 10; i++)
		atomic_inc(&claim->counted[0]);
	look_and_take(claim);
}

static void claim_second(void *fixture)
{
	struct claim *claim = ((struct claims *)fixture)->claim;

	for (int i = 0; i < 12; i++)
		atomic_inc(&claim->counted[1]);
	look_and_take(claim);
}

static void judge_claims(void *fixture)
{
	struct claim *claim = ((struct claims *)fixture)->claim;

	if (claim->won.counter > 1)
		eng_report("expectation", claim, "two have won");
	kfree(claim);
}

static const struct vfiosim_scenario claiming = {
	.name = "claiming", .fixture_size = sizeof(struct claims),
	.setup = make_claim, .teardown = judge_claims,
	.tasks = { { "first", claim_first }, { "second", claim_second } },
};

/* ---- checkpoints ---- */

START_TEST(a_search_that_is_left_and_resumed_again_and_again_comes_to_the_same_end)
{
	static const enum vfiosim_backtracking ways[] = { VFIOSIM_SNAPSHOT, VFIOSIM_REEXECUTE };
	const struct vfiosim_scenario *scenario = workload_w3(3);
	struct result whole = explore(scenario, (struct vfiosim_options){ 0 }), r;
	g_autofree char *file = g_strdup_printf("checkpoint-%d-%d", (int)getpid(), _i);
	struct vfiosim_options options = {
		.checkpoint = file, .runs_max = 37, .backtracking = ways[_i],
	};

	unlink(file);
	do {
		r = explore(scenario, options);
		options.resume = true;
		options.runs_max += 37;
	} while (r.verdict == VFIOSIM_BUDGET && options.runs_max < 10000);
	ck_assert_int_eq(r.verdict, VFIOSIM_OK);
	ck_assert_uint_eq(r.runs, whole.runs);
	ck_assert_uint_eq(r.digest, whole.digest);
	ck_assert(access(file, F_OK) != 0);	/* nothing is left to resume */
}
END_TEST

static void choose_badly(void *fixture)
{
	vfiosim_expect(eng_choose("which", 10) != 1);
}

static const struct vfiosim_scenario choosing = {
	.name = "choosing", .fixture_size = 8, .tasks = { { "only", choose_badly } },
};

START_TEST(a_failure_before_the_checkpoint_is_not_forgotten)
{
	g_autofree char *file = g_strdup_printf("checkpoint-fail-%d", (int)getpid());
	struct vfiosim_options options = {
		.checkpoint = file, .keep_going = true, .no_minimize = true, .runs_max = 4,
	};
	struct vfiosim_report *report;

	unlink(file);
	ck_assert_int_eq(vfiosim_explore(&choosing, &options, &report), VFIOSIM_VIOLATION);
	vfiosim_report_free(report);
	options.resume = true;
	options.runs_max = 100;
	ck_assert_int_eq(vfiosim_explore(&choosing, &options, &report), VFIOSIM_VIOLATION);
	ck_assert_str_eq(vfiosim_report_detector(report), "expectation");
	ck_assert_msg(strstr(vfiosim_report_text(report), "replay choosing 0.d1"), "%s",
		      vfiosim_report_text(report));
	ck_assert(access(file, F_OK) != 0);
	vfiosim_report_free(report);
}
END_TEST

/* ---- data choices, faults, timeouts ---- */

struct chooser {
	int sum;
};

static void choose_twice(void *fixture)
{
	struct chooser *c = fixture;

	c->sum = eng_choose("tens", 3) * 10;
	c->sum += eng_choose("units", 4);
	vfiosim_expect(c->sum != 23);
}

START_TEST(all_data_choices_are_tried)
{
	static const struct vfiosim_scenario choices = {
		.name = "choices", .fixture_size = sizeof(struct chooser),
		.tasks = { { "only", choose_twice } },
	};
	struct vfiosim_options options = { .keep_going = true };
	struct result r = explore(&choices, options);

	ck_assert_uint_eq(r.runs, 12);
	ck_assert_str_eq(r.detector, "expectation");
}
END_TEST

struct holder {
	void *kept[3];
};

static void allocate(void *fixture)
{
	struct holder *h = fixture;
	int failed = 0;

	for (int i = 0; i < 3; i++) {
		h->kept[i] = kzalloc(16, GFP_KERNEL);
		failed += !h->kept[i];
	}
	for (int i = 0; i < 3; i++)
		kfree(h->kept[i]);
	vfiosim_expect(failed < 2);
}

static const struct {
	unsigned int faults_max;
	uint64_t runs;
	enum vfiosim_verdict verdict;
} fault_bounds[] = {
	{ 0, 1, VFIOSIM_OK }, { 1, 4, VFIOSIM_OK }, { 2, 7, VFIOSIM_VIOLATION },
	{ 3, 8, VFIOSIM_VIOLATION },
};

START_TEST(faults_are_tried_up_to_their_bound)
{
	static const struct vfiosim_scenario scenario = {
		.name = "allocate", .fixture_size = sizeof(struct holder),
		.tasks = { { "only", allocate } },
	};
	struct vfiosim_options options = {
		.faults_max = fault_bounds[_i].faults_max, .keep_going = true,
		.no_minimize = true,
	};
	struct result r = explore(&scenario, options);

	ck_assert_uint_eq(r.runs, fault_bounds[_i].runs);
	ck_assert_int_eq(r.verdict, fault_bounds[_i].verdict);
}
END_TEST

struct waiter {
	struct completion done;
	bool timed_out;
};

static void init_waiter(void *fixture)
{
	init_completion(&((struct waiter *)fixture)->done);
}

static void wait_a_while(void *fixture)
{
	struct waiter *w = fixture;

	w->timed_out = !wait_for_completion_timeout(&w->done, HZ);
	vfiosim_expect(!w->timed_out);
}

static void complete_it(void *fixture)
{
	complete(&((struct waiter *)fixture)->done);
}

START_TEST(a_timeout_passes_early_only_if_that_is_asked_for)
{
	static const struct vfiosim_scenario scenario = {
		.name = "timeout", .fixture_size = sizeof(struct waiter), .setup = init_waiter,
		.tasks = { { "waiter", wait_a_while }, { "completer", complete_it } },
	};
	struct result r = explore(&scenario, (struct vfiosim_options){ 0 });

	ck_assert_int_eq(r.verdict, VFIOSIM_OK);
	r = explore(&scenario, (struct vfiosim_options){ .timeouts_max = 1 });
	ck_assert_int_eq(r.verdict, VFIOSIM_VIOLATION);
}
END_TEST

/* ---- what a failure looks like ---- */

START_TEST(a_failure_is_minimised_and_explained)
{
	struct vfiosim_options options = { .strategy = VFIOSIM_RANDOM, .seed = 7 };
	struct vfiosim_report *report;
	const char *text;

	ck_assert_int_eq(vfiosim_explore(&workload_abba, &options, &report), VFIOSIM_DEADLOCK);
	text = vfiosim_report_text(report);
	ck_assert_ptr_nonnull(strstr(text, "abba: deadlock: nobody can run"));
	ck_assert_ptr_nonnull(strstr(text, "1 preemption, the fewest possible"));
	ck_assert_ptr_nonnull(strstr(text, "** DEADLOCK **"));
	ck_assert_ptr_nonnull(strstr(text, "nearest schedule that passes: at step"));
	ck_assert_ptr_nonnull(strstr(text, "replay abba "));
	ck_assert_ptr_null(strstr(text, "0x7f"));
	vfiosim_report_free(report);
}
END_TEST

static const struct {
	const char *what;
	const char *text;
	bool absent;
} said[] = {
	{ "a field's name, and the function",
	  "atomic_read(claim#1.claimed) in look_and_take()" },
	{ "how much is left out", "... 12 steps" },
	{ "that it can be had", "-v shows the steps that are left out" },
	{ "who made the object", "claim#1: 20 bytes, allocated by setup in make_claim()" },
	{ "the nearest schedule that passes", "nearest schedule that passes: at step" },
	{ "the difference to it, as in the timeline", ", where here second does atomic_r" },
	{ "where the finding comes from", "** EXPECTATION ** in teardown" },
	{ "frames of the engine", "trace_step", true },
	{ "steps on what nobody shares", "claim#1+0x10", true },
};

START_TEST(a_report_leaves_out_what_does_not_matter)
{
	struct vfiosim_report *report;
	const char *text;

	ck_assert_int_eq(vfiosim_explore(&claiming, NULL, &report), VFIOSIM_VIOLATION);
	text = vfiosim_report_text(report);
	ck_assert_msg(!strstr(text, said[_i].text) == said[_i].absent, "%s: \"%s\" %s in\n%s",
		      said[_i].what, said[_i].text, said[_i].absent ? "is" : "is not", text);
	vfiosim_report_free(report);
}
END_TEST

static long resident_pages(void)
{
	long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	ck_assert_int_eq(fscanf(f, "%ld %ld", &size, &resident), 2);
	fclose(f);
	return resident;
}

START_TEST(memory_does_not_grow_with_the_number_of_runs)
{
	long before, after;

	if (simtest_has_memory_checker())
		return;
	explore(workload_w1(3, 10), (struct vfiosim_options){ .runs_max = 2000 });
	before = resident_pages();
	explore(workload_w1(3, 10), (struct vfiosim_options){ .runs_max = 100000 });
	after = resident_pages();
	/* 1 MB for 98,000 more runs: what the allocator touches late, and no leak. */
	ck_assert_int_le(after - before, 256);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explore");
	TCase *all = tcase_create("explore");

	tcase_set_timeout(all, 60);
	tcase_add_test(all, a_used_up_budget_is_no_success);
	tcase_add_loop_test(all, every_strategy_finds_a_deadlock_and_repeats_itself, 0,
			    G_N_ELEMENTS(finders));
	tcase_add_test(all, the_seed_alone_decides_random_runs);
	tcase_add_test(all, a_search_over_states_visits_fewer_of_them_than_there_are_traces);
	tcase_add_test(all, a_search_over_states_counts_the_same_whatever_ran_before);
	tcase_add_test(all, each_run_gives_the_same_trace_twice);
	tcase_add_test(all, a_scenario_that_remembers_its_last_run_is_found_out);
	tcase_add_loop_test(all, a_run_by_script_is_the_run_by_steps, 0,
			    G_N_ELEMENTS(beginnings));
	tcase_add_loop_test(all, the_union_over_shards_is_the_single_run, 0, 6);
	tcase_add_loop_test(all, shards_of_random_programs_lose_and_double_nothing, 0, 4);
	tcase_add_loop_test(all,
		a_search_that_is_left_and_resumed_again_and_again_comes_to_the_same_end, 0, 2);
	tcase_add_test(all, a_failure_before_the_checkpoint_is_not_forgotten);
	tcase_add_test(all, all_data_choices_are_tried);
	tcase_add_loop_test(all, faults_are_tried_up_to_their_bound, 0,
			    G_N_ELEMENTS(fault_bounds));
	tcase_add_test(all, a_timeout_passes_early_only_if_that_is_asked_for);
	tcase_add_test(all, a_failure_is_minimised_and_explained);
	tcase_add_loop_test(all, a_report_leaves_out_what_does_not_matter, 0,
			    G_N_ELEMENTS(said));
	tcase_add_test(all, memory_does_not_grow_with_the_number_of_runs);
	suite_add_tcase(suite, all);
	return simtest_main(suite);
}
