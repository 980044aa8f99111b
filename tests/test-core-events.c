// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order of actions inside each step, against data/core-5.14-patched/events.txt.
 *
 * All lines are compared, of steps that succeed and of those that fail, but for two:
 * "alloc node inode" and "free node inode". There an inode is made for each open of
 * a node, here (and in the kernel) the node has one. Where the recording frees at
 * once, the model hands the object to RCU: that is the moment that counts.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core-script.h"
#include "sched.h"
#include "simtest.h"
#include "trace.h"

/* What an event is called in the recording: by its name, object's and text's beginning. */
static const struct {
	const char *what, *object, *text, *line;
} words[] = {
	{ "iommu_group_get", "", "", "iommu group get" },
	{ "iommu_group_put", "", "", "iommu group put" },
	{ "iommu_group_notify", "", "BIND ", "event BIND" },
	{ "iommu_group_notify", "", "BOUND ", "event BOUND" },
	{ "iommu_group_notify", "", "UNBIND ", "event UNBIND" },
	{ "iommu_group_notify", "", "UNBOUND ", "event UNBOUND" },
	{ "node_create", "", "vfio/", "node created" },
	{ "node_delete", "", "vfio/", "node destroyed" },
	{ "module_get", "module_vfio", "", "module core get" },
	{ "module_put", "module_vfio", "", "module core put" },
	{ "module_get", "core_drv_module", "", "module drv get" },
	{ "module_put", "core_drv_module", "", "module drv put" },
	{ "module_get", "core_be_module", "", "module be get" },
	{ "module_put", "core_be_module", "", "module be put" },
	{ "mnt_get", "mount#", "", "mount ref get" },
	{ "mnt_put", "mount#", "", "mount ref put" },
	{ "fc_alloc", "", "", "alloc mount context" },
	{ "fc_free", "", "", "free mount context" },
	{ "sb_new", "", "", "alloc superblock" },
	{ "mnt_new", "", "", "alloc mount" },
	{ "work_queue", "do_work#", "", "queue deferred put" },
	{ "fd_reserve", "", "", "fd number reserved" },
	{ "file_new", "", "", "alloc file" },
	{ "release", "file#", "", "file release begins" },
	{ "backend_asked", "", "", "backend asked for the extension" },
	{ "backend_open", "", "", "backend open" },
	{ "backend_attach", "", "", "backend attach" },
	{ "backend_detach", "", "", "backend detach" },
	{ "backend_release", "", "", "backend release" },
	{ "backend_notify", "", "", "backend notified of container close" },
	{ "driver_open", "", "", "driver open" },
	{ "driver_release", "", "", "driver release" },
	{ "driver_request", "", "0", "driver request 0" },
	{ "driver_request", "", "1", "driver request 1" },
	{ "complete", "", "", "complete" },
	{ "wake_up", "", "", "wake container waiters" },
	{ "alloc", "", "core_object", "alloc driver device" },
	{ "free", "", "core_object", "free driver device" },
	{ "alloc", "", "group", "alloc vfio group" },
	{ "free", "", "group", "free vfio group" },
	{ "alloc", "", "device", "alloc class device object" },
	{ "free", "", "device", "free class device object" },
	{ "alloc", "", "pseudo_fs_context", "alloc pseudo context" },
	{ "free", "", "pseudo_fs_context", "free pseudo context" },
	{ "alloc", "", "do_work", "alloc deferred put item" },
	{ "free", "", "do_work", "free deferred put item" },
	{ "alloc", "", "unbound", "alloc unbound entry" },
	{ "free", "", "unbound", "free unbound entry" },
	{ "alloc", "", "container", "alloc container" },
	{ "free", "", "container", "free container" },
	{ "alloc", "", "data", "alloc backend data" },
	{ "free", "", "data", "free backend data" },
	{ "alloc", "", "len", "alloc device name copy" },
	{ "free", "", "len", "free device name copy" },
	/* What waits for RCU here was freed at once there. */
	{ "rcu_queue", "file#", "", "free file" },
	{ "rcu_queue", "super_block#", "", "free superblock" },
	{ "rcu_queue", "mount#", "", "free mount" },
	{ "mnt_cleanup", "mount#", "", "mount destroyed" },
	{ "fd_unreserve", "", "", "fd number returned" },
	{ "iommu_chain", "", "register", "iommu chain: register" },
	{ "iommu_chain", "", "unregister", "iommu chain: unregister" },
};

/* Lines that need more than one event to be told. */
static const char *const told_otherwise[] = {
	"alloc root inode", "alloc device inode", "device inode put", "root inode put",
	"free root inode", "free device inode",
	"fd installed; mapping of the node", "fd installed; mapping of the device",
};

static bool is_compared(const char *line)
{
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (!strcmp(words[i].line, line))
			return true;
	for (size_t i = 0; i < G_N_ELEMENTS(told_otherwise); i++)
		if (!strcmp(told_otherwise[i], line))
			return true;
	return false;
}

/* A line that the recording has, and that nobody thought of, is an error. */
static bool is_left_out(const char *line)
{
	return !strcmp(line, "alloc node inode") || !strcmp(line, "free node inode");
}

/* Inodes of the private filesystem by name, and files that map one. */
static GHashTable *kinds;

static const char *inode_line(const struct trace_event *e)
{
	const char *kind = g_hash_table_lookup(kinds, e->object);

	if (!strcmp(e->what, "inode_new") && strstr(e->text, "sb super_block#")) {
		bool device = strstr(e->text, "unlisted");

		g_hash_table_insert(kinds, g_strdup(e->object), device ? "device" : "root");
		return device ? "alloc device inode" : "alloc root inode";
	}
	if (!strcmp(e->what, "inode_put") && kind)
		return *kind == 'd' ? "device inode put" : "root inode put";
	return NULL;
}

/* "inode#2+0x198" goes to RCU. */
static const char *freed_inode_line(const struct trace_event *e)
{
	g_autofree char *name = g_strndup(e->object, strcspn(e->object, "+"));
	const char *kind = g_hash_table_lookup(kinds, name);

	return !kind ? NULL : *kind == 'd' ? "free device inode" : "free root inode";
}

static const char *line_of(const struct trace_event *e)
{
	if (!strcmp(e->what, "f_mapping_set"))
		g_hash_table_insert(kinds, g_strdup(e->object), "mapped");
	if (!strcmp(e->what, "fd_install")) {
		const char *file = strstr(e->text, "file#");

		return file && g_hash_table_contains(kinds, file) ?
			"fd installed; mapping of the device" : "fd installed; mapping of the node";
	}
	if (g_str_has_prefix(e->what, "inode_"))
		return inode_line(e);
	if (!strcmp(e->what, "rcu_queue") && g_str_has_prefix(e->object, "inode#"))
		return freed_inode_line(e);
	/* The event is of the attempt. */
	if (!strcmp(e->what, "fd_reserve") && g_str_has_prefix(e->text, "fd -"))
		return NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (!strcmp(words[i].what, e->what) &&
		    g_str_has_prefix(e->object, words[i].object) &&
		    g_str_has_prefix(e->text, words[i].text))
			return words[i].line;
	return NULL;
}

/* The return value in the next row of the log. */
static void append_returns(GString *out, const char **log)
{
	const char *ret = *log ? strstr(*log, "\" ret=") : NULL;

	if (ret)
		g_string_append_printf(out, "  returns %ld\n", strtol(ret + 6, NULL, 10));
	*log = ret ? ret + 1 : NULL;
}

/* "step name" and "    line" of the run, as in the recording. */
static GString *modelled(void)
{
	GString *out = g_string_new(NULL);
	const char *log = core_log;
	bool not_bound = false, inside = false;

	kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = 0; i < trace_count(); i++) {
		const struct trace_event *e = trace_get(i);
		const char *line = NULL;

		if (!strcmp(e->what, "core_row")) {
			append_returns(out, &log);
			inside = false;
		} else if (!strcmp(e->what, "core_step")) {
			g_string_append_printf(out, "step \"%s\"\n", e->text);
			inside = true;
		} else if (!strcmp(e->what, "bus_notify")) {
			not_bound = !strcmp(e->text, "DRIVER_NOT_BOUND");
		} else if (not_bound && g_str_has_prefix(e->what, "iommu_group_")) {
			/* The recording's driver core has no such event: a look at the group. */
			continue;
		} else if (e->kind == TRACE_EVENT || !strcmp(e->what, "complete") ||
			   !strcmp(e->what, "wake_up")) {
			line = line_of(e);
		}
		if (line && inside)
			g_string_append_printf(out, "    %s\n", line);
	}
	g_hash_table_destroy(kinds);
	return out;
}

/* The recording without what is not compared, only the steps that were run. */
static GString *recorded(const char *path, const char *run)
{
	GString *out = g_string_new(NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	bool wanted = false;

	ck_assert(g_file_get_contents(path, &text, NULL, NULL));
	lines = g_strsplit(text, "\n", 0);
	for (int i = 0; lines[i]; i++) {
		if (g_str_has_prefix(lines[i], "step ")) {
			/* The flow ends where the first step would come again. */
			wanted = strstr(run, lines[i]) && !strstr(out->str, lines[i]);
			if (wanted)
				g_string_append_printf(out, "%s\n", lines[i]);
		} else if (wanted && g_str_has_prefix(lines[i], "    ")) {
			ck_assert_msg(is_compared(lines[i] + 4) || is_left_out(lines[i] + 4),
				      "%s:%d: \"%s\" is no action that the model knows",
				      path, i + 1, lines[i] + 4);
			if (is_compared(lines[i] + 4))
				g_string_append_printf(out, "%s\n", lines[i]);
		} else if (wanted && g_str_has_prefix(lines[i], "  returns ")) {
			g_string_append_printf(out, "%s\n", lines[i]);
		} else if (wanted && !strcmp(lines[i], "  blocked")) {
			/* Another task does it here; to start that returns 0. */
			g_string_append(out, "  returns 0\n");
		}
	}
	return out;
}

static const char *data_path(const char *name)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/data/core-5.14-patched/%s", TESTS_DIR, name);
	return path;
}

static GPtrArray *scripts;

static struct core_step *script_of(const char *id)
{
	const char *detector;
	GError *error = NULL;
	struct core_step *script;

	script = core_parse_script(core_find_section(scripts, id), "events-steps.txt", &detector,
				   &error);
	ck_assert_msg(script, "%s", error ? error->message : "no steps");
	return script;
}

static void compare(GString *want, GString *have)
{
	/* Only the port itself tells that it sets the mapping. */
	if (getenv("VFIOSIM_CORE"))
		g_string_replace(want, "mapping of the device", "mapping of the node", 0);
	if (strcmp(want->str, have->str)) {
		fprintf(stderr, "recorded:\n%s\nmodel:\n%s", want->str, have->str);
		ck_abort_msg("the orders differ, see above");
	}
	g_string_free(want, TRUE);
	g_string_free(have, TRUE);
}

/* What the end of the run does is not part of the last step. */
static GString *modelled_steps(void)
{
	GString *have = modelled();
	char *end = strstr(have->str, "step \"end\"");

	ck_assert(end);
	g_string_truncate(have, end - have->str);
	return have;
}

START_TEST(the_port_acts_in_the_recorded_order)
{
	GString *have;

	core_run(script_of("events"));
	ck_assert_msg(!run_failure(), "%s", run_failure() ? run_failure()->message : "");
	have = modelled_steps();
	compare(recorded(data_path("events.txt"), have->str), have);
}
END_TEST

/* VF-324, VF-334, VF-335: which of the points of this name in the last step fails. */
static const struct {
	const char *script, *step, *site;
	unsigned int nth;
} failing[] = {
	{ "number", "get device fd, number fails", "fd_limit", 1 },
	{ "file", "get device fd, file fails", "file", 1 },
	{ "inode", "bind A, device inode fails", "inode", 3 },
};

START_TEST(the_port_fails_in_the_recorded_order)
{
	struct core_step *script = script_of(failing[_i].script);
	const char *site, *step;
	unsigned int met = 0;
	GString *have;

	for (unsigned int nth = 1; met < failing[_i].nth; nth++) {
		site = core_run_failing(script, nth, &step);
		ck_assert_msg(site, "no such fault point");
		met += !strcmp(step, failing[_i].step) && !strcmp(site, failing[_i].site);
	}
	have = modelled_steps();
	compare(recorded(data_path("events.txt"), have->str), have);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core-events");
	TCase *tcase = tcase_create("recorded");
	SRunner *runner = srunner_create(suite);
	int failed;

	simtest_take_core();
	core_trace_memory = true;
	scripts = core_read_sections(data_path("events-steps.txt"));
	tcase_add_test(tcase, the_port_acts_in_the_recorded_order);
	tcase_add_loop_test(tcase, the_port_fails_in_the_recorded_order, 0,
			    G_N_ELEMENTS(failing));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
