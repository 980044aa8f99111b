// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfiosim_main() of the host backend: runs scenarios on this machine's kernel,
 * as root, and prints their result lines.
 *
 * usage: PROGRAM [list | run [SCENARIO...]]
 *
 * Each scenario runs in a coordinator of its own, so that one that never ends
 * costs its own time limit and nobody else's.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend.h"
#include "machine.h"

#define SCENARIO_SECONDS_MAX 300

struct thread {
	const struct vfiosim_task *task;
	void *fixture;
	pthread_t id;
};

static void *run_task(void *data)
{
	struct thread *thread = data;

	thread->task->run(thread->fixture);
	return NULL;
}

/* All tasks at once: what order there is, the scenario's gates and sleeps make. */
static void run_tasks(const struct vfiosim_scenario *scenario, void *fixture)
{
	struct thread threads[VFIOSIM_TASKS_MAX];
	int count = 0;

	for (; scenario->tasks[count].name; count++) {
		threads[count] = (struct thread){ &scenario->tasks[count], fixture, 0 };
		pthread_create(&threads[count].id, NULL, run_task, &threads[count]);
	}
	for (int i = 0; i < count; i++)
		pthread_join(threads[i].id, NULL);
}

/* A scenario that names its core is about one kernel, and no other plays it. */
static void skip_if_of_another_kernel(const struct vfiosim_scenario *scenario)
{
	if (!scenario->core || scenario->kernel == machine_kernel())
		return;
	vfiosim_say("SKIPPED it is about another kernel");
	exit(77);
}

static int run_here(const struct vfiosim_scenario *scenario)
{
	void *fixture = calloc(1, scenario->fixture_size + 1);

	skip_if_of_another_kernel(scenario);
	backend_start();
	machine_read();
	if (scenario->setup)
		scenario->setup(fixture);
	run_tasks(scenario, fixture);
	if (scenario->teardown)
		scenario->teardown(fixture);
	backend_end_scenario();
	devices_end_scenario();
	free(fixture);
	return backend_expectations_failed() ? 1 : 0;
}

static int run_scenario(const struct vfiosim_scenario *scenario)
{
	int status;
	pid_t pid;

	printf("== %s\n", scenario->name);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(SCENARIO_SECONDS_MAX);
		exit(run_here(scenario));
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status)) {
		printf("STOPPED by signal %d\n", WTERMSIG(status));
		return 1;
	}
	return WEXITSTATUS(status) == 77 ? 0 : WEXITSTATUS(status);
}

static bool is_wanted(const char *name, int count, char **names)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return count == 0;
}

int vfiosim_main(int argc, char **argv, const struct vfiosim_scenario *const scenarios[])
{
	int skip = argc > 1 && (strcmp(argv[1], "run") == 0 || strcmp(argv[1], "list") == 0);
	bool list = skip && strcmp(argv[1], "list") == 0;
	int failed = 0;

	if (argc == 3 && strcmp(argv[1], "--serve") == 0) {
		struct host_reply reply = { 0 };
		int socket = atoi(argv[2]);

		host_send(socket, &reply, sizeof(reply), NULL, 0, -1);
		host_serve(socket);
	}

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; scenarios[i]; i++) {
		if (!is_wanted(scenarios[i]->name, argc - 1 - skip, argv + 1 + skip))
			continue;
		if (list)
			printf("%s\t%s\n", scenarios[i]->name, scenarios[i]->summary);
		else
			failed |= run_scenario(scenarios[i]);
	}
	return failed;
}
