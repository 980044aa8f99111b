// SPDX-License-Identifier: GPL-2.0-only
/*
 * The port against the executed 5.14-rc core: every trace of
 * data/core-5.14-patched, value by value. Where they differ the model is wrong.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core-script.h"
#include "sched.h"
#include "simtest.h"
#include "trace.h"

static const char *data_path(const char *name)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/data/core-5.14-patched/%s", TESTS_DIR, name);
	return path;
}

static GPtrArray *recorded, *scripts;

static void read_files(void)
{
	recorded = core_read_sections(data_path("traces.txt"));
	scripts = core_read_sections(data_path("steps.txt"));
}

START_TEST(the_port_reproduces_the_recorded_trace)
{
	const struct core_section *want = g_ptr_array_index(recorded, _i);
	const struct core_section *script = core_find_section(scripts, want->id);
	const struct finding *failure;
	unsigned int rows, skipped;
	struct core_step *steps;
	const char *detector;
	GError *error = NULL;
	char *differences;

	ck_assert_msg(script, "steps.txt has no section %s", want->id);
	steps = core_parse_script(script, "steps.txt", &detector, &error);
	ck_assert_msg(steps, "%s", error ? error->message : "no steps");
	core_run(steps);
	failure = run_failure();
	differences = core_compare(want, core_log, &rows, &skipped);
	ck_assert_msg(!*differences, "\n%.3000s", differences);
	free(differences);
	if (detector)
		ck_assert_msg(failure && !strcmp(failure->detector, detector), "%s: no %s",
			      want->id, detector);
	else
		ck_assert_msg(!failure, "%s: %s: %s", want->id, failure->detector,
			      failure->message);
}
END_TEST

START_TEST(every_recorded_trace_has_a_script)
{
	ck_assert_uint_eq(recorded->len, 26);
	ck_assert_uint_eq(scripts->len, recorded->len);
}
END_TEST

/* ---- what the recordings show ---- */

/*
 * A number of the specification, and the place where a recording shows it: parts of the row
 * of @step ("name#2": the second of that name) or, NULL, of a remark. The whole row is
 * compared above; this says what in it is the behaviour, and that it is there.
 */
static const struct {
	const char *numbers, *trace, *step, *shows, *what;
} cells[] = {
	{ "VF-1, FS-13", "VF-375", "start", "pins=0 mnt=0 mref=0 sbs=0",
	  "at rest no pin and no mount" },
	{ "VF-4, VF-95", "VF-377", "open container", "cont=C:ref1,n0,be0 mod=core:2",
	  "a container of its file alone" },
	{ "VF-5, VF-37", "VF-377", "open group 0", "ref2,u0,o1,d1,c0,ub0",
	  "the device's reference and the file's" },
	{ "VF-6", "VF-321", "register a device without an iommu group", "dev=A:r0,i-",
	  "an object that was zeroed" },
	{ "VF-7", "VF-389", "bind A (no iommu group)", "node=noiommu-1",
	  "a group of the parameter's making" },
	{ "VF-14", "VF-393", "load core and backend", "pins=0 mnt=0 mref=0 sbs=0 mod=core:0",
	  "no mount before the first device" },
	{ "VF-15", "VF-393", "open container after unload", "ret=-19",
	  "nothing of the module is left" },
	{ "VF-20", "VF-389", "set iommu 8", "ret=0 n1,be1",
	  "NULL data is no error" },
	{ "VF-21", "VF-389", "check extension 8, empty container", "ret=1",
	  "the parameter is on, and 8 is asked for" },
	{ "VF-101", "VF-389", "set iommu 1", "ret=-19",
	  "nothing was tried to the point of an error" },
	{ "VF-21", "VF-389", "set iommu 8 without RAWIO", "ret=-1",
	  "it opens for the privileged only" },
	{ "VF-30, VF-34, VF-60", "VF-376", "bind B", "group=g0:ref4 d2 iommu=0:ref5,m2",
	  "found, and the second IOMMU reference given back" },
	{ "VF-31, VF-289", "VF-375-unflushed", "unbind A, nothing flushed",
	  "group=g0:ref3,u0,o0,d0 work=3",
	  "deferred puts keep the group" },
	{ "VF-32", "VF-375-unflushed", "rest after flushing deferred work",
	  "group=- node=- iommu=0:ref1,m1",
	  "the last put frees node, minor and reference" },
	{ "VF-33, VF-43, VF-50", "VF-44", "device added to an idle group",
	  "group=g0:ref2,u0 warn=0 work=1",
	  "the callback's reference, put later" },
	{ "VF-35", "VF-38", "open a minor without group", "ret=-19",
	  "no such minor" },
	{ "VF-36", "VF-321", "external get from that device", "ret=-19",
	  "no group by that device" },
	{ "VF-44", "VF-44", "device added to a live group", "warn=1 u1",
	  "a warning, no change" },
	{ "VF-45", "VF-44", "removed again (DEL event)", "group=g0:ref2,u0,o0,d1,c0,ub0 work=1",
	  "no action but the deferred put" },
	{ "VF-46", "VF-375", "bind A", "group=g0:ref2,u0,o0,d1 work=1",
	  "BOUND alone found the group" },
	{ "VF-48", "VF-381", "bind pci-stub to A", "ret=0 u2",
	  "users, and viable: no stop" },
	{ "VF-49", "VF-381", "unbind A", "d1,cC,ub0",
	  "UNBOUND took the entry away" },
	{ "VF-54", "VF-53", "A bound to pci-stub", "ret=1",
	  "by name" },
	{ "VF-54", "VF-53", "A bound to pci-stub2", "ret=0",
	  "by the exact name" },
	{ "VF-54", "VF-53", "same, PCI header type 1 (bridge)", "ret=1",
	  "any driver of a bridge" },
	{ "VF-55", "VF-53", "A bound to a host driver", "ret=0",
	  "every member counts" },
	{ "VF-58", "VF-384", "register#2", "ret=0 dev=A:r1,i1",
	  "again without a new init" },
	{ "VF-59, VF-321", "VF-321", "register a device without an iommu group",
	  "ret=-22 pins=0 group=-",
	  "refused without a trace" },
	{ "VF-63, VF-64, VF-65", "VF-382", "register", "dev=A:r1,i1 group=g0:ref1,u0,o0,d1",
	  "the group's reference moved to the listed device" },
	{ "VF-66, VF-322", "VF-382", "register a second object for the same device",
	  "ret=-16 pins=1 inodes=1 group=g0:ref1,u0,o0,d1 warn=1",
	  "a duplicate leaves everything as it was" },
	{ "VF-69", "VF-375", "bind A", "sbs=1 mod=core:1",
	  "the superblock holds the module" },
	{ "VF-70", "VF-375", "bind A", "pins=1 mnt=1 mref=1 inodes=1",
	  "one pin, one inode" },
	{ "VF-72", "VF-376", "bind B", "pins=2 mnt=1 mref=2 sbs=1 inodes=2",
	  "one mount for two" },
	{ "VF-73", "VF-376", "unbind B", "pins=0 mnt=0 mref=0 sbs=0",
	  "the mount goes with the last pin" },
	{ "VF-74", "VF-376", "bind B", "mod=core:1",
	  "once, however many pins" },
	{ "VF-77", "VF-382", "unregister", "inodes=0 dev=A:r0,igone",
	  "evicted at once" },
	{ "VF-80", "VF-256", "unbind waits", "dev=A:r1,i1 ub1 req=A:1",
	  "the registration's own reference is gone" },
	{ "VF-81", "VF-375", "unbind A (driver flushes in remove)", "req=A:0 t=0",
	  "unused: nobody is asked" },
	{ "VF-82", "VF-379", NULL, "task unbinder: completion wait (uninterruptible)",
	  "after the first signal" },
	{ "VF-83", "VF-379", "second signal at 5 s", "msg=1 req=A:2",
	  "warned and asked once for signals" },
	{ "VF-85", "VF-381", "get A", "ret=-19 d1",
	  "unlisted" },
	{ "VF-88", "VF-382", "unregister", "group=- node=-",
	  "the last put freed the group" },
	{ "VF-90", "VF-256", "close last fd", "dev=A:r0,i1",
	  "the completion, not the list" },
	{ "VF-91", "VF-256", "open while waiting for the container", "ret=-19 dev=A:r0",
	  "zero stays zero" },
	{ "VF-93", "VF-93", NULL,
	  "match answers A (older) 1, B (newer) -13: result -13, match calls 1, opened none",
	  "newest first, an error ends the search" },
	{ "VF-94", "VF-377", "get device fd 2", "dev=A:r3,i1",
	  "registration and two files" },
	{ "VF-96, VF-97", "VF-377", "close container", "cont=C:ref1,n1,be1",
	  "the group keeps container and backend" },
	{ "VF-98", "ioctl-matrix", "unknown container ioctl, backend", "ret=101",
	  "forwarded" },
	{ "VF-98", "ioctl-matrix", "unknown container ioctl, no backend", "ret=-22",
	  "nobody to forward to" },
	{ "VF-100", "ioctl-matrix", "check extension 3", "ret=0",
	  "the last answer" },
	{ "VF-100", "VF-389", "check extension 1", "ret=0",
	  "the other kind is skipped" },
	{ "VF-102", "VF-377", NULL, "backends open 1 attached 1",
	  "every listed group is attached" },
	{ "VF-110", "VF-377", "get device before attach", "ret=-22",
	  "no users" },
	{ "VF-110", "VF-377", "get device before set iommu", "ret=-22",
	  "no backend" },
	{ "VF-110", "VF-53", "get device, not viable", "ret=-22",
	  "not viable" },
	{ "VF-111", "VF-389", "get device without RAWIO", "ret=-1",
	  "a fake group wants privilege" },
	{ "VF-112", "VF-377", "get unknown name", "ret=-19",
	  "no such device" },
	{ "VF-113, VF-119, VF-120", "VF-377", "get device fd 1", "ret=5 u2 drv:1 D1:1",
	  "module, user, installed file" },
	{ "VF-118, VF-211", "VF-377", NULL,
	  "mapping of both files is the device mapping and inode the shared one: 1 1; f_mode 1f",
	  "the override, and nothing else" },
	{ "VF-121", "VF-389", "get device", "ret=6 msg=2",
	  "warned about" },
	{ "VF-124, VF-125", "VF-377", "close device fd 1", "dev=A:r2,i1 u1 drv:1 file=D2:1",
	  "released before close returns" },
	{ "VF-127", "VF-387", NULL, "device tree 2 (child after parent: 1)",
	  "linked behind the parent's" },
	{ "VF-212", "VF-386", NULL, "device tree 1, writable 1, shared tree 0",
	  "in the device's tree, in no other" },
	{ "VF-281, VF-293", "VF-381-host", "A unbound, group live", "u1,o1 be1",
	  "users: what binds a host driver next stops the kernel, as the script expects" },
	{ "VF-258, VF-378", "VF-378-group-open", "30 s more", "t=55 u1,o1,d0,cC req=A:3",
	  "waits for the container, and asks nobody" },
	{ "VF-260, VF-381", "VF-381", NULL, "task unbinder: done",
	  "not the last device: no wait" },
	{ "VF-276", "VF-377", "unset while devices open", "ret=-16 u3",
	  "users in the way" },
	{ "VF-279", "VF-53", "set container, group not viable", "ret=0 u1",
	  "nobody asks" },
	{ "VF-336", "VF-377", "second open of group", "ret=-16 ref2 o1",
	  "opened restored, reference returned" },
	{ "VF-336", "VF-389", "open fake group without RAWIO", "ret=-1 group=g1:ref1,u0,o0",
	  "reference returned" },
	{ "VF-336", "VF-377", "reopen group while devices open", "ret=-16 ref1 o0",
	  "a container is set" },
	{ "VF-337", "VF-53", "external get, not viable", "ret=-22 u1",
	  "the user that was counted is taken back" },
	{ "VF-337", "VF-389", "external user of fake group", "ret=-1 u2",
	  "taken back" },
	{ "VF-375", "VF-375", "unbind A (driver flushes in remove)",
	  "pins=0 mnt=0 group=- work=0 iommu=0:ref1,m1",
	  "everything is gone, UNBOUND finds no listener" },
	{ "VF-376", "VF-376", "unbind A", "pins=1 inodes=1 d1,c0,ub0",
	  "the other one stays" },
	{ "VF-377", "VF-377", "close device fd 2", "group=g0:ref1,u0,o0,d1,c0 cont=- be:0",
	  "the last user frees backend and container" },
	{ "VF-378", "VF-378-group-closed", NULL, "request times: 0 10 20",
	  "asked at once and every ten seconds" },
	{ "VF-379", "VF-379", NULL, "request times: 0 3 13 23",
	  "and once right after the signal" },
	{ "VF-380", "VF-380", "60 s later", "t=60 dev=A:r0,igone req=A:0",
	  "waits, asks nobody" },
	{ "VF-386", "VF-386", "12 s", "dev=A:r1,i1 file=D1:1 req=A:2",
	  "a view keeps file and device" },
	{ "VF-387", "VF-387", "munmap", "file=D1:1 pins=1",
	  "the child's view still does" },
	{ "VF-388", "VF-388", NULL, "after range unmap on A: A 0 A2 0 B 4",
	  "A's views and no others" },
	{ "VF-393", "VF-393", "unload with a registered device", "ret=-11",
	  "refused" },
	{ "VF-393", "VF-393", "unload#3", "ret=0",
	  "and then not" },
};

/* The line of @lines that belongs to the @nth step of that name, or is a remark with @shows. */
static const char *line_of(char **lines, const char *step, const char *shows)
{
	const char *mark = step ? strchr(step, '#') : NULL;
	g_autofree char *start = step ?
		g_strdup_printf("step=\"%.*s\"", (int)strcspn(step, "#"), step) : NULL;
	int nth = mark ? atoi(mark + 1) : 1;

	for (int i = 0; lines[i]; i++) {
		if (step ? g_str_has_prefix(lines[i], start) && --nth == 0 :
		    *lines[i] == ' ' && strstr(lines[i], shows) != NULL)
			return lines[i];
	}
	return NULL;
}

static void assert_shown(char **lines, const char *whose, int cell)
{
	const char *step = cells[cell].step, *shows = cells[cell].shows;
	const char *line = line_of(lines, step, shows);
	g_auto(GStrv) parts = g_strsplit(shows, " ", step ? 0 : 1);

	ck_assert_msg(line, "%s: no line \"%s\" %s", cells[cell].numbers, step ? step : shows,
		      whose);
	for (int i = 0; parts[i]; i++)
		ck_assert_msg(strstr(line, parts[i]), "%s (%s): no %s %s:\n%s",
			      cells[cell].numbers, cells[cell].what, parts[i], whose, line);
}

START_TEST(the_recording_and_the_port_show_it)
{
	const struct core_section *want = core_find_section(recorded, cells[_i].trace);
	const struct core_section *script = core_find_section(scripts, cells[_i].trace);
	g_auto(GStrv) lines = NULL;
	const char *detector;

	ck_assert_msg(want && script, "no trace %s", cells[_i].trace);
	g_ptr_array_add(want->lines, NULL);
	assert_shown((char **)want->lines->pdata, "in the recording", _i);
	core_run(core_parse_script(script, "steps.txt", &detector, NULL));
	lines = g_strsplit(core_log, "\n", 0);
	assert_shown(lines, "in the port's run", _i);
}
END_TEST

/* ---- scripts and recordings that nobody here has seen ---- */

static struct core_section *section_of(char *line)
{
	static struct core_section *volatile kept;	/* for leak checkers */
	struct core_section *section = kept = g_new0(struct core_section, 1);

	section->id = section->title = "made-up";
	section->line = 10;
	section->lines = g_ptr_array_new();
	g_ptr_array_add(section->lines, line);
	return section;
}

static const struct {
	char *line;
	const char *says;
} bad_lines[] = {
	{ "plug A 0; frobnicate A", "steps.txt:11: no command \"frobnicate A\"" },
	{ "\"bind\": bind", "steps.txt:11: \"bind\": want bind DEV [DRIVER]" },
	{ "signal now", "steps.txt:11: \"signal now\": want signal " },
	{ "\"half a name: flush", "steps.txt:11: no second quote" },
};

START_TEST(a_step_that_cannot_be_understood_is_named_with_its_line)
{
	const char *detector;
	GError *error = NULL;

	ck_assert(!core_parse_script(section_of(bad_lines[_i].line), "steps.txt", &detector,
				     &error));
	ck_assert_str_eq(error->message, bad_lines[_i].says);
	g_error_free(error);
}
END_TEST

START_TEST(a_column_that_the_model_has_not_is_named)
{
	unsigned int rows, skipped;
	struct core_section *want = section_of("step=\"x\" ret=0 colour=red");

	g_autofree char *differences =
		core_compare(want, "step=\"x\" ret=1\n", &rows, &skipped);

	ck_assert_str_eq(differences,
			 "made-up: step=\"x\": recorded ret=0, model ret=1\n"
			 "made-up: step=\"x\": recorded colour=red, a column that the model does "
			 "not know\n");
	ck_assert_uint_eq(rows, 1);
}
END_TEST

/* Commands that no recorded trace uses yet, and what their step must return. */
static const struct {
	char *line;
	const char *row;
} more_steps[] = {
	/* VF-317, VF-323, VF-333: what fails where is said in the script. */
	{ "plug A 0; fail group; \"x\": bind A", "step=\"x\" ret=-12" },
	{ "plug A 0; fail super_block; \"x\": bind A", "step=\"x\" ret=-12" },
	{ "plug A 0; plug B 0; bind A; fail inode; \"x\": bind B", "step=\"x\" ret=-12" },
	/* VF-328, VF-329: the backend's error, and what was there before it */
	{ "plug A 0; bind A; open C; open_group G 0; set G C; backend_open_error -13; "
	  "\"x\": set_iommu C 1", "step=\"x\" ret=-13" },
	{ "plug A 0; bind A; open C; open_group G 0; set G C; backend_attach_error 1; "
	  "\"x\": set_iommu C 1", "step=\"x\" ret=-5" },
	/* VF-102, VF-329: the one that was refused counts, the one before it is taken back. */
	{ "plug A 0; plug B 1; bind A; bind B; open C; open_group G 0; open_group H 1; set G C; "
	  "set H C; backend_attach_error 2; \"x\": set_iommu C 1; remark_backend",
	  "  backends open 0 attached 1" },
	/* VF-114, VF-115 */
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; open_error A -16; "
	  "\"x\": get G A D", "step=\"x\" ret=-16" },
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; nofile 3; "
	  "\"x\": get G A D", "step=\"x\" ret=-24" },
	/* VF-332: the reference on the device is returned: a close later it can be unbound. */
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; driver_going 1; "
	  "\"x\": get G A D", "step=\"x\" ret=-19 t=0 pins=1 mnt=1 mref=1 sbs=1 inodes=1 "
	  "dev=A:r1,i1 group=g0:ref3,u1,o1" },
	/* VF-134, VF-135: the backend has neither op */
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; "
	  "\"x\": unpin A 1", "step=\"x\" ret=-25" },
	/* VF-134: 512 are not too many yet */
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; "
	  "\"x\": pin A 512", "step=\"x\" ret=-25" },
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; "
	  "\"x\": pin A -1", "step=\"x\" ret=-7" },
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; "
	  "\"x\": dma_rw A 1", "step=\"x\" ret=-25" },
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; "
	  "\"x\": forget_notifier A iommu", "step=\"x\" ret=-25" },
	/* VF-391: two external users at once */
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; external_dev A one; "
	  "external_dev A two; external_put one; \"x\": external_put two",
	  "step=\"x\" ret=0" },
	{ "plug A 0; bind A; open C; open_group G 0; set G C; set_iommu C 1; get G A D; "
	  "mmap D 0; fork; munmap 0; \"x\": child_exit", "step=\"x\" ret=0" },
};

static struct core_step *steps_of(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "; \"", 2);
	struct core_section *section = section_of(g_strdup(lines[0]));
	const char *detector;

	g_ptr_array_add(section->lines, g_strconcat("\"", lines[1], NULL));
	return core_parse_script(section, "more", &detector, NULL);
}

START_TEST(a_script_says_what_fails)
{
	core_run(steps_of(more_steps[_i].line));
	ck_assert_msg(!run_failure(), "%s", run_failure() ? run_failure()->message : "");
	ck_assert_msg(strstr(core_log, more_steps[_i].row), "%s", core_log);
}
END_TEST

/* Where after event @from of the run an event @what of an object of @type comes, or -1. */
static gssize event_after(gssize from, const char *what, const char *type)
{
	for (gssize i = from + 1; i < (gssize)trace_count(); i++) {
		const struct trace_event *e = trace_get(i);

		if (!strcmp(e->what, what) && g_str_has_prefix(e->object, type))
			return i;
	}
	return -1;
}

/* VF-40, VF-259: whoever opens it again between the two is told EBUSY. */
START_TEST(a_group_file_detaches_before_the_group_counts_as_closed)
{
	gssize detached;

	core_run(steps_of("plug A 0; bind A; flush; open C; open_group G 0; set G C; "
			  "\"x\": close G"));
	detached = event_after(-1, "detach", "group#");
	ck_assert_int_ge(detached, 0);
	ck_assert_int_ge(event_after(detached, "atomic_rmw", "group#"), 0);
	ck_assert_int_lt(event_after(detached, "atomic_rmw", "group#"),
			 event_after(detached, "core_row", ""));
}
END_TEST

static Suite *core_traces_suite(void)
{
	Suite *suite = suite_create("core-traces");
	TCase *tcase = tcase_create("recorded");

	tcase_add_test(tcase, every_recorded_trace_has_a_script);
	tcase_add_loop_test(tcase, the_port_reproduces_the_recorded_trace, 0, recorded->len);
	tcase_add_loop_test(tcase, the_recording_and_the_port_show_it, 0, G_N_ELEMENTS(cells));
	tcase_add_loop_test(tcase, a_step_that_cannot_be_understood_is_named_with_its_line, 0,
			    G_N_ELEMENTS(bad_lines));
	tcase_add_test(tcase, a_column_that_the_model_has_not_is_named);
	tcase_add_test(tcase, a_group_file_detaches_before_the_group_counts_as_closed);
	tcase_add_loop_test(tcase, a_script_says_what_fails, 0, G_N_ELEMENTS(more_steps));
	suite_add_tcase(suite, tcase);
	return suite;
}

/* "test-core-traces ID" shows what the model does there, and where it differs. */
static int show(const char *id)
{
	const struct core_section *want = core_find_section(recorded, id);
	const struct core_section *script = core_find_section(scripts, id);
	unsigned int rows, skipped;
	const char *detector;
	char *differences;

	if (!want || !script)
		return 2;
	core_run(core_parse_script(script, "steps.txt", &detector, NULL));
	printf("%s", core_log);
	if (run_failure())
		printf("%s: %s\n", run_failure()->detector, run_failure()->message);
	differences = core_compare(want, core_log, &rows, &skipped);
	printf("---\n%s", differences);
	free(differences);
	printf("%u rows, %u remarks not made\n", rows, skipped);
	return 0;
}

int main(int argc, char **argv)
{
	SRunner *runner;
	int failed;

	simtest_take_core();
	read_files();
	if (argc > 1)
		return show(argv[1]);
	runner = srunner_create(core_traces_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
