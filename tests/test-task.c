// SPDX-License-Identifier: GPL-2.0-only
/* Signals, context, and work on the way back to user mode. */
#include <vfiosim/kapi.h>

#include "simtest.h"

static struct {
	char order[8];
	unsigned int n;
	struct callback_head late;
} seen KSTATE = { .n = 0 };

struct letter {
	struct callback_head work;
	char letter;
	struct letter *adds;
};

static void note(struct callback_head *head)
{
	struct letter *letter = container_of(head, struct letter, work);

	seen.order[seen.n++] = letter->letter;
	if (letter->adds)
		task_work_add(current, &letter->adds->work, TWA_RESUME);
}

/* FS-122 */
static void newest_first(void *fixture)
{
	struct letter extra = { { NULL, note }, 'x', NULL };
	struct letter letters[] = {
		{ { NULL, note }, 'a', NULL }, { { NULL, note }, 'b', &extra },
		{ { NULL, note }, 'c', NULL },
	};

	for (int i = 0; i < 3; i++)
		vfiosim_expect(!task_work_add(current, &letters[i].work, TWA_RESUME));
	task_work_run();
	vfiosim_expect(seen.n == 4 && !memcmp(seen.order, "cbax", 4));
	vfiosim_expect(!current->task_works);
}

/* FS-123 */
static void closes_at_exit(void *fixture)
{
	struct letter letter = { { NULL, note }, 'a', NULL };

	vfiosim_expect(!task_work_add(current, &letter.work, TWA_RESUME));
	current->flags |= PF_EXITING;
	task_work_run();
	vfiosim_expect(seen.n == 1);
	vfiosim_expect(task_work_add(current, &letter.work, TWA_RESUME) == -ESRCH);
	task_work_run();
	vfiosim_expect(seen.n == 1);
}

static void signals(void *fixture)
{
	current->blocked = 1UL << 14;
	send_sig(15, current);
	vfiosim_expect(!signal_pending(current));
	send_sig(10, current);
	vfiosim_expect(signal_pending(current) && !fatal_signal_pending(current));
	send_sig(9, current);
	vfiosim_expect(fatal_signal_pending(current));
}

static void acting(void *fixture)
{
	struct task_struct *other = fixture, *self = current;

	strcpy(other->comm, "other");
	vfiosim_expect(!task_become(other));
	vfiosim_expect(current == other);
	vfiosim_expect(task_become(NULL) == other);
	vfiosim_expect(current == self);
}

static void capabilities(void *fixture)
{
	struct cred cred = { .capabilities = 1UL << CAP_SYS_RAWIO };

	vfiosim_expect(capable(CAP_SYS_ADMIN));
	current->cred = &cred;
	vfiosim_expect(capable(CAP_SYS_RAWIO) && !capable(CAP_SYS_ADMIN));
	current->cred = NULL;
}

static const struct {
	const char *what;
	void (*body)(void *fixture);
} bodies[] = {
	{ "task work runs newest first, and work that work adds", newest_first },
	{ "the list is closed once an exiting task has emptied it", closes_at_exit },
	{ "only signals that are not blocked are pending", signals },
	{ "a task can act as another", acting },
	{ "capabilities are those of the credentials", capabilities },
};

START_TEST(a_task_knows_about_itself)
{
	assert_runs(bodies[_i].body);
}
END_TEST

static void resched_with_irqs_off(void *fixture)
{
	current->irqs_disabled++;
	cond_resched();
}

static void resched_under_preempt_disable(void *fixture)
{
	preempt_disable();
	cond_resched();
}

START_TEST(sleeping_points_look_at_the_context)
{
	assert_detects("sleeping-while-atomic", resched_with_irqs_off);
	assert_detects("sleeping-while-atomic", resched_under_preempt_disable);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("task");
	TCase *tc = tcase_create("task");

	tcase_add_loop_test(tc, a_task_knows_about_itself, 0, ARRAY_SIZE(bodies));
	tcase_add_test(tc, sleeping_points_look_at_the_context);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
