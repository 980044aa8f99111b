/* SPDX-License-Identifier: GPL-2.0-only */
/* libcheck tests of the memory model: a body, in each modelled kernel, in a world. */
#ifndef VFIOSIM_MMTEST_H
#define VFIOSIM_MMTEST_H

#include "mmworld.h"
#include "simtest.h"

/* @body must end well in @kernel, a world around it. */
#define assert_mm(kernel, body) mm_assert(kernel, body, __FILE__, __LINE__)

static void (*mm_body)(void);

MMTEST void mm_task(void *unused)
{
	world_begin();
	mm_body();
	world_end();
}

MMTEST void mm_assert(enum kernel_version kernel, void (*body)(void), const char *file, int line)
{
	struct vfiosim_scenario scenario = {
		.name = "mm", .kernel = VFIOSIM_KERNEL_5_14 + (kernel - KERNEL_5_14),
		.tasks = { { "task", mm_task } },
	};
	const struct finding *failure;

	mm_body = body;
	if (simtest_run(&scenario) == VFIOSIM_OK)
		return;
	failure = run_failure();
	ck_abort_msg("%s:%d: kernel %d: %s: %s", file, line, kernel,
		     failure ? failure->detector : "?", failure ? failure->message : "?");
}

/* @body must be stopped by @detector. */
MMTEST void assert_mm_detects(enum kernel_version kernel, void (*body)(void),
			      const char *detector)
{
	struct vfiosim_scenario scenario = {
		.name = "mm", .kernel = VFIOSIM_KERNEL_5_14 + (kernel - KERNEL_5_14),
		.tasks = { { "task", mm_task } },
	};

	mm_body = body;
	simtest_run(&scenario);
	ck_assert_msg(run_failure() != NULL, "nothing was found, %s expected", detector);
	ck_assert_str_eq(run_failure()->detector, detector);
}

/* A test that must hold in every modelled kernel. */
#define mm_test(name)							\
	static void name##_body(void);					\
	START_TEST(name)						\
	{								\
		assert_mm(_i, name##_body);				\
	}								\
	END_TEST							\
	static void name##_body(void)
#define add(name) tcase_add_loop_test(tc, name, 0, KERNEL_6_18 + 1)

MMTEST int mm_main(const char *name, TCase *tc)
{
	Suite *suite = suite_create(name);

	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}

#endif
