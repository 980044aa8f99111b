// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order of actions inside each step, against data/core-5.14-patched/events.txt.
 *
 * Compared are the actions that are events of the model: references, mounts,
 * inodes, files, callbacks, bus events, in steps that succeed and in those that
 * fail; and, by themselves, the allocations, since the n-th one to fail should be
 * the same here and there. Frees are not events, and where the recording frees at
 * once the model waits for RCU. An inode of a node belongs to the node in the
 * model, to the open in the recording.
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

/* "step name" and "    line" of the run, as in the recording. */
static GString *modelled(void)
{
	GString *out = g_string_new(NULL);
	bool not_bound = false;

	kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = 0; i < trace_count(); i++) {
		const struct trace_event *e = trace_get(i);
		const char *line = NULL;

		if (!strcmp(e->what, "core_step"))
			g_string_append_printf(out, "step \"%s\"\n", e->text);
		else if (!strcmp(e->what, "bus_notify"))
			not_bound = !strcmp(e->text, "DRIVER_NOT_BOUND");
		/* The recording's driver core has no such event: a look at the group. */
		else if (not_bound && g_str_has_prefix(e->what, "iommu_group_"))
			continue;
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

static const char *data_path(const char *name)
{
	return g_build_filename(TESTS_DIR, "data/core-5.14-patched", name, NULL);
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

/* Allocations by the name of their fault point; inodes are told apart by what went before. */
static const struct {
	const char *site, *line;
} allocations[] = {
	{ "core_object", "alloc driver device" }, { "group", "alloc vfio group" },
	{ "device", "alloc class device object" }, { "fs_context", "alloc mount context" },
	{ "pseudo_fs_context", "alloc pseudo context" }, { "super_block", "alloc superblock" },
	{ "root", "alloc root inode" }, { "mount", "alloc mount" },
	{ "inode", "alloc device inode" }, { "do_work", "alloc deferred put item" },
	{ "unbound", "alloc unbound entry" }, { "container", "alloc container" },
	{ "data", "alloc backend data" }, { "len", "alloc device name copy" },
	{ "file", "alloc file" },
};

static void append_allocation(GString *out, const char *name, bool by_line)
{
	for (size_t i = 0; i < G_N_ELEMENTS(allocations); i++)
		if (!strcmp(by_line ? allocations[i].line : allocations[i].site, name))
			g_string_append_printf(out, "%s\n", allocations[i].line);
}

static GString *modelled_allocations(void)
{
	g_autoptr(GPtrArray) sites = core_fault_points(script_of("events"));
	GString *out = g_string_new(NULL);
	bool fresh_sb = false, of_node = false, begun = false;

	for (guint i = 0; i < sites->len; i++) {
		const char *site = g_ptr_array_index(sites, i);

		/* What plugging allocates is no step. */
		begun |= !strcmp(site, "core_object");
		of_node |= !strcmp(site, "dev_node");
		fresh_sb |= !strcmp(site, "super_block");
		if (!begun)
			continue;
		if (strcmp(site, "inode"))
			append_allocation(out, site, false);
		else if (!of_node)
			append_allocation(out, fresh_sb ? "root" : site, false);
		if (!strcmp(site, "inode")) {
			fresh_sb &= of_node;
			of_node = false;
		}
	}
	return out;
}

/* Up to the end of the flow, but for the steps that fail. */
static GString *recorded_allocations(void)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	GString *out = g_string_new(NULL);
	bool fails = false;

	ck_assert(g_file_get_contents(data_path("events.txt"), &text, NULL, NULL));
	lines = g_strsplit(text, "\n", 0);
	for (int i = 0; lines[i] && !strstr(lines[i], "flush until idle"); i++) {
		if (g_str_has_prefix(lines[i], "step "))
			fails = strstr(lines[i], "fails");
		else if (!fails)
			append_allocation(out, g_strstrip(lines[i]), true);
	}
	return out;
}

START_TEST(the_port_allocates_in_the_recorded_order)
{
	GString *want = recorded_allocations();

	ck_assert_uint_gt(want->len, 400);
	compare(want, modelled_allocations());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core-events");
	TCase *tcase = tcase_create("recorded");
	SRunner *runner = srunner_create(suite);
	int failed;

	scripts = core_read_sections(data_path("events-steps.txt"));
	tcase_add_test(tcase, the_port_acts_in_the_recorded_order);
	tcase_add_loop_test(tcase, the_port_fails_in_the_recorded_order, 0,
			    G_N_ELEMENTS(failing));
	tcase_add_test(tcase, the_port_allocates_in_the_recorded_order);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
