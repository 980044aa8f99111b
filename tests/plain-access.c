// SPDX-License-Identifier: GPL-2.0-only
/* Small pieces of kernel code, right and wrong, as the compiler instruments them. */
#include "plain-access.h"

#include <vfiosim/kapi.h>

struct shared {
	struct mutex lock;
	struct rw_semaphore sem;
	struct completion done;
	int value;
	int tolerant;		/* a race here is what the scenario tolerates */
	char bytes[8];
};

static void setup(void *fixture)
{
	struct shared *s = fixture;

	mutex_init(&s->lock);
	init_rwsem(&s->sem);
	init_completion(&s->done);
}

static void count(void *fixture)
{
	((struct shared *)fixture)->value++;
}

static void count_locked(void *fixture)
{
	struct shared *s = fixture;

	mutex_lock(&s->lock);
	s->value++;
	mutex_unlock(&s->lock);
}

static void write_and_complete(void *fixture)
{
	struct shared *s = fixture;

	s->value = 42;
	complete(&s->done);
}

static void wait_and_read(void *fixture)
{
	struct shared *s = fixture;

	wait_for_completion(&s->done);
	vfiosim_expect(s->value == 42);
}

static void write_once(void *fixture)
{
	WRITE_ONCE(((struct shared *)fixture)->value, 1);
}

static void read_once(void *fixture)
{
	int value = READ_ONCE(((struct shared *)fixture)->value);

	vfiosim_expect(value >= 0);
}

static void write_plainly(void *fixture)
{
	((struct shared *)fixture)->value = 1;
}

static void read_under_sem(void *fixture)
{
	struct shared *s = fixture;

	down_read(&s->sem);
	vfiosim_expect(s->value >= 0);
	up_read(&s->sem);
}

static void write_under_read_sem(void *fixture)
{
	struct shared *s = fixture;

	down_read(&s->sem);
	s->value = 1;
	up_read(&s->sem);
}

static void write_first_byte(void *fixture)
{
	((struct shared *)fixture)->bytes[0] = 1;
}

static void write_second_byte(void *fixture)
{
	((struct shared *)fixture)->bytes[1] = 1;
}

static void expect_two(void *fixture)
{
	vfiosim_expect(((struct shared *)fixture)->value == 2);
}

#define SCENARIO(name_, first, second, ...)					\
	const struct vfiosim_scenario plain_##name_ = {				\
		.name = "plain-" #name_, .fixture_size = sizeof(struct shared),	\
		.setup = setup, .tasks = { { "p", first }, { "q", second } }, __VA_ARGS__ \
	}

SCENARIO(unlocked, count, count);
SCENARIO(locked, count_locked, count_locked, .teardown = expect_two);
SCENARIO(completed, write_and_complete, wait_and_read);
SCENARIO(marked, write_once, read_once);
SCENARIO(half_marked, write_plainly, read_once);
SCENARIO(readers, read_under_sem, write_under_read_sem);
SCENARIO(neighbours, write_first_byte, write_second_byte);
SCENARIO(lost_update, count, count, .tolerate = "data-race", .teardown = expect_two);
