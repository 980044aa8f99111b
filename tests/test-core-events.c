// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order of actions inside each step, against data/core-5.14-patched/events.txt.
 *
 * Compared are the actions that are events of the model: references, mounts,
 * inodes, files, callbacks, bus events. Plain allocations and frees are not
 * events, and where the recording frees at once the model waits for RCU. An inode
 * of a node belongs to the node in the model, to the open in the recording.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core-script.h"
#include "sched.h"
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
};

/* Lines that need more than one event to be told. */
static const char *const told_otherwise[] = {
	"alloc root inode", "alloc device inode", "device inode put", "root inode put",
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
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (!strcmp(words[i].what, e->what) &&
		    g_str_has_prefix(e->object, words[i].object) &&
		    g_str_has_prefix(e->text, words[i].text))
			return words[i].line;
	return NULL;
}

/* "step name" and "    line" of the run, as in the recording. */
static GString *modelled(void)
{
	GString *out = g_string_new(NULL);

	kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = 0; i < trace_count(); i++) {
		const struct trace_event *e = trace_get(i);
		const char *line = NULL;

		if (!strcmp(e->what, "core_step"))
			g_string_append_printf(out, "step \"%s\"\n", e->text);
		else if (e->kind == TRACE_EVENT || !strcmp(e->what, "complete") ||
			 !strcmp(e->what, "wake_up"))
			line = line_of(e);
		if (line && out->len)
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
		} else if (wanted && g_str_has_prefix(lines[i], "    ") &&
			   is_compared(lines[i] + 4)) {
			g_string_append_printf(out, "%s\n", lines[i]);
		}
	}
	return out;
}

START_TEST(the_port_acts_in_the_recorded_order)
{
	g_autofree char *dir = g_build_filename(TESTS_DIR, "data/core-5.14-patched", NULL);
	g_autofree char *script = g_build_filename(dir, "events-steps.txt", NULL);
	g_autofree char *events = g_build_filename(dir, "events.txt", NULL);
	static GPtrArray *volatile sections;	/* kept, for leak checkers */
	const char *detector;
	GString *want, *have;
	char *end;

	sections = core_read_sections(script);
	core_run(core_parse_script(g_ptr_array_index(sections, 0), script, &detector, NULL));
	ck_assert_msg(!run_failure(), "%s", run_failure() ? run_failure()->message : "");
	have = modelled();
	/* What the end of the run does is not part of the last step. */
	end = strstr(have->str, "step \"end\"");
	ck_assert(end);
	g_string_truncate(have, end - have->str);
	want = recorded(events, have->str);
	if (strcmp(want->str, have->str)) {
		fprintf(stderr, "recorded:\n%s\nmodel:\n%s", want->str, have->str);
		ck_abort_msg("the orders differ, see above");
	}
	g_string_free(want, TRUE);
	g_string_free(have, TRUE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core-events");
	TCase *tcase = tcase_create("recorded");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, the_port_acts_in_the_recorded_order);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
