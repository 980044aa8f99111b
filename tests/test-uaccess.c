// SPDX-License-Identifier: GPL-2.0-only
/* Copies from and to user memory: whole, cut off by a bad page, and failing. */
#include <vfiosim/kapi.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/uaccess.h>

#include "process.h"
#include "simtest.h"
#include "syscall.h"

#define PROT_READ_WRITE 3
#define PROT_READ_ONLY 1
#define MAP_PRIVATE_ANONYMOUS 0x22

static struct process *user KSTATE;
static unsigned long memory KSTATE;	/* two pages, nothing behind them */

static void make_memory(void *unused)
{
	user = process_create("user");
	memory = sys_mmap(user, 0, 3 * PAGE_SIZE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
	vfiosim_expect(!IS_ERR((void *)memory));
	vfiosim_expect(sys_munmap(user, memory + 2 * PAGE_SIZE, PAGE_SIZE) == 0);
}

static void end(void *unused)
{
	exit_users();
	exit_init();
}

static void across_pages(void *unused)
{
	struct task_struct *task = process_enter(user);
	char out[64], in[64] = "";
	unsigned long at = memory + PAGE_SIZE - 13;	/* unaligned, over the boundary */

	for (unsigned int i = 0; i < sizeof(out); i++)
		out[i] = i * 7;
	vfiosim_expect(!copy_to_user((void *)at, out, sizeof(out)));
	vfiosim_expect(!copy_from_user(in, (void *)at, sizeof(in)));
	vfiosim_expect(!memcmp(in, out, sizeof(in)));
	vfiosim_expect(!clear_user((void *)(at + 1), 62));
	vfiosim_expect(!copy_from_user(in, (void *)at, sizeof(in)));
	vfiosim_expect(in[0] == out[0] && !in[1] && !in[62] && in[63] == out[63]);
	exit_to_user_mode(task, 0);
}

static void cut_off(void *unused)
{
	struct task_struct *task = process_enter(user);
	unsigned long end_of = memory + 2 * PAGE_SIZE;
	char bytes[32];

	memset(bytes, 'x', sizeof(bytes));
	/* What is left is told to the byte; what was copied stays copied. */
	vfiosim_expect(copy_to_user((void *)(end_of - 10), bytes, 32) == 22);
	vfiosim_expect(copy_from_user(bytes, (void *)(end_of - 5), 32) == 27);
	vfiosim_expect(!bytes[5] || bytes[5] == 'x');
	vfiosim_expect(copy_from_user(bytes, (void *)end_of, 1) == 1);
	vfiosim_expect(clear_user((void *)(end_of - 100), 150) == 50);
	vfiosim_expect(get_user(bytes[0], (char *)end_of) == -EFAULT);
	vfiosim_expect(put_user(bytes[0], (char *)(end_of - 1)) == 0);
	exit_to_user_mode(task, 0);
}

static void protected_page(void *unused)
{
	struct task_struct *task;
	int word = 5;

	vfiosim_expect(sys_mprotect(user, memory, PAGE_SIZE, PROT_READ_ONLY) == 0);
	task = process_enter(user);
	vfiosim_expect(put_user(word, (int *)memory) == -EFAULT);
	vfiosim_expect(get_user(word, (int *)memory) == 0 && !word);
	exit_to_user_mode(task, 0);
}

/* VF-109: -EFAULT, -EINVAL without a NUL in reach, the copy otherwise. */
static void strings(void *unused)
{
	struct task_struct *task = process_enter(user);
	unsigned long end_of = memory + 2 * PAGE_SIZE;
	char *copy;

	vfiosim_expect(!copy_to_user((void *)(end_of - 4), "abc", 4));
	copy = strndup_user((char *)(end_of - 4), PAGE_SIZE);
	vfiosim_expect(!IS_ERR(copy) && !strcmp(copy, "abc"));
	kfree(copy);
	vfiosim_expect(strndup_user((char *)(end_of - 4), 3) == ERR_PTR(-EINVAL));
	vfiosim_expect(!put_user((char)'d', (char *)(end_of - 1)));
	vfiosim_expect(strndup_user((char *)(end_of - 4), PAGE_SIZE) == ERR_PTR(-EFAULT));
	vfiosim_expect(memdup_user((void *)(end_of - 4), 5) == ERR_PTR(-EFAULT));
	copy = memdup_user((void *)(end_of - 4), 4);
	vfiosim_expect(!IS_ERR(copy) && !memcmp(copy, "abcd", 4));
	kfree(copy);
	exit_to_user_mode(task, 0);
}

static const struct {
	const char *what;
	void (*body)(void *fixture);
} cases[] = {
	{ "a copy over a page boundary", across_pages },
	{ "a copy into the void", cut_off },
	{ "a page that may not be written", protected_page },
	{ "strings", strings },
};

START_TEST(user_memory_is_copied_up_to_the_first_bad_byte)
{
	const struct vfiosim_scenario scenario = {
		.name = cases[_i].what, .setup = make_memory, .teardown = end,
		.tasks = { { "T1", cases[_i].body } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

/* VF-331: each way in which the copy of a string can fail is an error of its own. */
static void copy_a_string(void *unused)
{
	struct task_struct *task = process_enter(user);
	char *copy = strndup_user((char *)memory, 10);

	if (IS_ERR(copy))
		vfiosim_expect(PTR_ERR(copy) == -ENOMEM || PTR_ERR(copy) == -EFAULT);
	else
		kfree(copy);
	exit_to_user_mode(task, 0);
}

START_TEST(a_failed_copy_of_a_string_leaves_nothing)
{
	static const struct vfiosim_scenario scenario = {
		.name = "string", .setup = make_memory, .teardown = end,
		.tasks = { { "T1", copy_a_string } },
	};

	assert_scenario_survives_faults(&scenario, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("uaccess");
	TCase *tcase = tcase_create("uaccess");

	tcase_add_loop_test(tcase, user_memory_is_copied_up_to_the_first_bad_byte, 0,
			    ARRAY_SIZE(cases));
	tcase_add_test(tcase, a_failed_copy_of_a_string_leaves_nothing);
	suite_add_tcase(suite, tcase);
	return simtest_main(suite);
}
