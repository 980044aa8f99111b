// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the differential checks and prints each observation:
 *
 *	test-checks model 5.14	in the model of that version, against the specification
 *	test-checks live	on this kernel and in the model of the nearest version,
 *				against each other and the specification
 *
 * Exit status: 0 all agree, 1 something differs, 77 the live kernel cannot be used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "checks.h"
#include "live.h"
#include "mmreplay.h"
#include "sched.h"

static void observation_free(gpointer data)
{
	struct observation *observation = data;

	g_free(observation->what);
	g_free(observation->expected);
	g_free(observation->seen);
	g_free(observation);
}

static struct checker *checker_new(const struct backend *b, enum kernel_version version)
{
	struct checker *c = g_new0(struct checker, 1);

	c->b = b;
	c->version = version;
	c->observations = g_ptr_array_new_with_free_func(observation_free);
	return c;
}

static void checker_free(struct checker *c)
{
	g_ptr_array_free(c->observations, TRUE);
	g_free(c);
}

/* What the setup of the run that is under way carries out. */
static struct {
	const struct check *check;
	struct checker *checker;
} now;

static void run_in_model(void *fixture)
{
	const char *why;

	kernel_version = now.checker->version;
	now.checker->b->start(&why);
	now.check->run(now.checker);
	now.checker->b->stop();
}

static void note_failure(struct checker *c)
{
	struct observation *observation = g_new0(struct observation, 1);
	const struct finding *finding = run_failure();

	observation->what = g_strdup("the run");
	observation->expected = g_strdup("ends well");
	observation->seen = finding ? g_strdup_printf("%s: %s", finding->detector,
						      finding->message) : g_strdup("fails");
	g_ptr_array_add(c->observations, observation);
}

static struct checker *check_model(const struct check *check, enum kernel_version version)
{
	static const struct vfiosim_scenario scenario = { .name = "checks",
							  .setup = run_in_model };
	const struct run_config config = { .scenario = &scenario };
	const struct menu *menu;

	now.check = check;
	now.checker = checker_new(&model_backend, version);
	run_begin(&config);
	while ((menu = run_menu()))
		run_step(__builtin_ctzll(menu->enabled), ENG_READY);
	if (run_end() != VFIOSIM_OK)
		note_failure(now.checker);
	return now.checker;
}

static struct checker *check_live(const struct check *check, enum kernel_version version)
{
	struct checker *c = checker_new(&live_backend, version);
	const char *why;

	if (!c->b->start(&why)) {
		printf("SKIP: the live kernel cannot be used here: %s\n", why);
		exit(LIVE_SKIP);
	}
	check->run(c);
	c->b->stop();
	return c;
}

static const struct observation *get(const struct checker *c, unsigned int i)
{
	static const struct observation none = { "(no more)", "-", "-" };

	return c && i < c->observations->len ? c->observations->pdata[i] : &none;
}

/* A line per observation; a star where two of the three columns differ. */
static unsigned int print_rows(const struct checker *live, const struct checker *model)
{
	unsigned int count = MAX(live ? live->observations->len : 0, model->observations->len);
	unsigned int differences = 0;

	for (unsigned int i = 0; i < count; i++) {
		const struct observation *row = get(live && i < live->observations->len ? live :
						    model, i);
		const char *on_model = get(model, i)->seen;
		const char *on_live = live ? get(live, i)->seen : row->expected;
		bool same = !strcmp(on_live, on_model) && !strcmp(row->expected, on_model);

		differences += !same;
		printf("%s %-46s | %s", same ? " " : "*", row->what, row->expected);
		if (!same)
			printf(" | live %s | model %s", live ? on_live : "not asked", on_model);
		printf("\n");
	}
	return differences;
}

static unsigned int run_check(const struct check *check, enum kernel_version version, bool live)
{
	struct checker *on_live = live ? check_live(check, version) : NULL;
	struct checker *on_model = check_model(check, version);
	unsigned int differences;

	printf("%s %s\n", check->id, check->summary);
	if (live && !on_live->observations->len) {
		printf("  not to be had on this machine\n");
		differences = 0;
	} else {
		differences = print_rows(on_live, on_model);
	}
	if (on_live)
		checker_free(on_live);
	checker_free(on_model);
	return differences;
}

int main(int argc, char **argv)
{
	bool live = argc == 2 && !strcmp(argv[1], "live");
	unsigned int differences = 0;
	struct utsname name;
	const char *release;

	if (!live && !(argc == 3 && !strcmp(argv[1], "model"))) {
		fprintf(stderr, "usage: test-checks live | test-checks model RELEASE\n");
		return 2;
	}
	uname(&name);
	release = live ? name.release : argv[2];
	for (unsigned int i = 0; i < checks_count; i++)
		differences += run_check(&checks[i], mmreplay_kernel(release), live);
	printf("checks %u differences %u\n", checks_count, differences);
	return differences ? EXIT_FAILURE : EXIT_SUCCESS;
}
