/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: vfiosim
 *
 * vfiosim runs a scenario - a handful of tasks that make system calls to, or
 * call directly into, a model of the kernel under a vfio device - under every
 * schedule it can afford, and reports the first schedule that breaks something.
 *
 * Promises that hold for every function below:
 *
 *   - The same scenario, options and schedule give the same run, byte for byte.
 *   - Expected failures are returned. Misuse of the API is a bug in the caller:
 *     it prints one line and calls abort().
 *   - No call keeps a pointer to its arguments after it returns, except that
 *     scenarios and the strings in them must outlive their use.
 */
#ifndef VFIOSIM_H
#define VFIOSIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VFIOSIM_API __attribute__((visibility("default")))

/** enum vfiosim_verdict - how one run, or a whole exploration, ended */
enum vfiosim_verdict {
	VFIOSIM_OK = 0,		/**< every run finished, every detector was silent */
	VFIOSIM_VIOLATION,	/**< a detector or an expectation fired; see the report */
	VFIOSIM_DEADLOCK,	/**< no task could run, yet some had not finished */
	VFIOSIM_BUDGET,		/**< a budget was reached first: nothing proven */
};

#define VFIOSIM_TASKS_MAX 16

struct vfiosim_report;

/** struct vfiosim_task - one of the tasks that race */
struct vfiosim_task {
	const char *name;		/**< column heading in traces */
	void (*run)(void *fixture);
};

/**
 * struct vfiosim_scenario - the unit of exploration; normally static const
 * @name: what the command line and the traces call it
 * @summary: one sentence for "list"
 * @fixture_size: bytes of zeroed state handed to every callback; part of the
 *	modelled state: it is reset between runs
 * @setup: runs alone before the tasks start; must not fail
 * @teardown: runs alone after the last task; the kernel must be idle after it
 * @check: asked after every step while no kernel code is between two halves of
 *	something; false is a violation ("expectation"). May be NULL
 * @tolerate: detectors that are findings and not failures here, a list such as
 *	"warn,hung-task"; NULL for none
 * @tasks: the tasks that race, ended by an entry without a name
 */
struct vfiosim_scenario {
	const char *name;
	const char *summary;
	size_t fixture_size;
	void (*setup)(void *fixture);
	void (*teardown)(void *fixture);
	bool (*check)(const void *fixture);
	const char *tolerate;
	struct vfiosim_task tasks[VFIOSIM_TASKS_MAX + 1];
};

/** vfiosim_expect() - a fact that must hold; ends the run as "expectation" if not */
#define vfiosim_expect(fact) \
	vfiosim_expect_at((fact), #fact, __FILE__, __LINE__)
VFIOSIM_API void vfiosim_expect_at(bool holds, const char *fact, const char *file, int line);

#ifdef __cplusplus
}
#endif

#endif
