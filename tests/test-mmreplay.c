// SPDX-License-Identifier: GPL-2.0-only
/* The replayer's eyes: each kind of difference is seen, at its step, and only there. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mmreplay.h"

/* Recorded on 6.18; line 13 is the first step. */
static const char recorded[] =
	"mmtrace 1\nkernel 6.18.44 x86_64\npage 4096\nbase 0x200000000000\nwindow 8\n"
	"seed -\nprofile hand:test\novercommit 0\nops 14\nfeatures anon acct\nunmerged 0\nbegin\n"
	"1 file f0 8 = ok\n"
	"2 open p0 h0 f0 rw = ok\n"
	"3 mmap p0 h0 0 2 rw- s fixed 0 = ok\n"
	"V p0 0 0 1\n"
	"v 0 2 rw-s f0 d0 0 -\n"
	"T p0 0 --\n"
	"4 mmap p0 h0 2 2 r-- s fixed 2 = ok\n"
	"V p0 1 0 1\n"
	"v 2 4 r--s f0 d0 2 -\n"
	"T p0 2 --\n"
	"5 write p0 1 = ok\n"
	"T p0 1 F\n"
	"6 mmap p0 anon 6 1 rw- p fixed 0 = ok\n"
	"V p0 2 0 1\n"
	"v 6 7 rw-p a - 0 a\n"
	"T p0 6 -\n"
	"7 write p0 6 = ok\n"
	"T p0 6 A\n"
	"8 read p0 1 = ok 5\n"
	"9 write p0 3 = SIGSEGV.ACCERR\n"
	"10 mprotect p0 4 1 r-- = -ENOMEM\n"
	"11 fork p0 p1 = ok\n"
	"V p1 0 0 3\n"
	"v 0 2 rw-s f0 d0 0 -\n"
	"v 2 4 r--s f0 d0 2 -\n"
	"v 6 7 rw-p a - 0 a\n"
	"T p1 0 -o--\nT p1 6 A\n"
	"12 write p1 6 = ok\n"
	"13 exit p1 = ok\n"
	"14 fread f0 8 = eof\n"
	"end\n"
	"E p0 3 -F--..A.\n"
	"v 0 2 rw-s f0 d0 0 -\n"
	"v 2 4 r--s f0 d0 2 -\n"
	"v 6 7 rw-p a - 0 a\n";

static struct mmtrace *load(const char *text)
{
	g_autoptr(GError) error = NULL;
	struct mmtrace *trace = mmtrace_parse("t", text, strlen(text), &error);

	ck_assert_msg(trace != NULL, "%s", error ? error->message : "");
	return trace;
}

static unsigned int replay_text(const char *text, unsigned int level, bool no_values,
				char **report_text)
{
	const struct mmreplay_options options = { .level = level, .no_values = no_values };
	g_autoptr(mmtrace) trace = load(text);
	struct mmreplay_report report;

	mmreplay(trace, &options, &report);
	*report_text = report.text;
	return report.difference;
}

/* The first mapping in two pieces, wherever it is shown; the others move up. */
#define SPLIT_FROM { "V p0 2 0 1", "V p0 1 0 1", "V p0 0 0 1\nv 0 2 rw-s f0 d0 0 -", "E p0 3", \
		     "A.\nv 0 2 rw-s f0 d0 0 -" }
#define SPLIT_TO { "V p0 3 0 1", "V p0 2 0 1", \
		   "V p0 0 0 2\nv 0 1 rw-s f0 d0 0 -\nv 1 2 rw-s f0 d0 1 -", "E p0 4", \
		   "A.\nv 0 1 rw-s f0 d0 0 -\nv 1 2 rw-s f0 d0 1 -" }
#define PIECES_MAX 5

/* Each row replaces pieces of the recording, every time they occur. */
static const struct {
	const char *what;
	const char *from[PIECES_MAX];
	const char *to[PIECES_MAX];
	unsigned int level;
	bool no_values;
	unsigned int step;	/* that must differ; 0: none */
	const char *says;
} broken[] = {
	{ "nothing", {}, {}, 0, false, 0, NULL },
	{ "an error for a success", { "5 write p0 1 = ok\nT p0 1 F" },
	  { "5 write p0 1 = SIGBUS.ADRERR\nT p0 1 F" }, 1, false, 5, "model    ok" },
	{ "a success for an error", { "r-- = -ENOMEM" }, { "r-- = ok" }, 0, false, 10,
	  "kernel   ok" },
	{ "another error", { "r-- = -ENOMEM" }, { "r-- = -EINVAL" }, 0, false, 10,
	  "model    -ENOMEM" },
	{ "another signal", { "SIGSEGV.ACCERR" }, { "SIGSEGV.MAPERR" }, 0, false, 9,
	  "model    SIGSEGV.ACCERR" },
	{ "another value", { "ok 5" }, { "ok 4" }, 0, false, 8, "model    ok 5" },
	{ "another value that nobody asks for", { "ok 5" }, { "ok 4" }, 0, true, 0, NULL },
	{ "data for the end of the file", { "= eof" }, { "= ok 0" }, 0, false, 14,
	  "model    eof" },
	{ "a page that is there, said to be absent", { "T p0 1 F", "-F--..A." },
	  { "T p0 1 -", "----..A." }, 1, false, 5, "^" },
	{ "a page that is absent, said to be there", { "T p0 0 --", "-F--..A." },
	  { "T p0 0 F-", "FF--..A." }, 1, false, 3, "^" },
	{ "a private page, said to be the file's", { "T p0 6 A", "-F--..A." },
	  { "T p0 6 F", "-F--..F." }, 1, false, 7, "^" },
	{ "a file's page, said to be private", { "T p0 1 F", "-F--..A." },
	  { "T p0 1 A", "-A--..A." }, 1, false, 5, "^" },
	{ "a page that only reads touched", { "T p0 6 A", "-F--..A." },
	  { "T p0 6 Z", "-F--..Z." }, 1, false, 0, NULL },
	{ "a page without a rule", { "T p0 6 A", "-F--..A." }, { "T p0 6 ?", "-F--..?." }, 1,
	  false, 0, NULL },
	{ "permissions", { "v 6 7 rw-p" }, { "v 6 7 r--p" }, 2, false, 6, "* 6 7 r--p" },
	{ "permissions that nobody asks for", { "v 6 7 rw-p" }, { "v 6 7 r--p" }, 1, false, 0,
	  NULL },
	{ "flags", { "a - 0 a" }, { "a - 0 d" }, 0, false, 6, "mappings of p0" },
	{ "the file's page", { "d0 2 -" }, { "d0 1 -" }, 0, false, 4, "mappings of p0" },
	{ "the object", { "v 6 7 rw-p a - 0 a" }, { "v 6 7 rw-p f0 d0 0 a" }, 0, false, 6,
	  "mappings of p0" },
	{ "a neighbour left apart", SPLIT_FROM, SPLIT_TO, 3, false, 3, "* 0 1" },
	{ "a neighbour left apart, compared joined", SPLIT_FROM, SPLIT_TO, 2, false, 0, NULL },
};

static char *replace(const char *text, const char *from, const char *to)
{
	g_auto(GStrv) parts = g_strsplit(text, from, -1);

	ck_assert_msg(parts[1] != NULL, "the recording has no \"%s\"", from);
	return g_strjoinv(to, parts);
}

static char *break_recording(int row)
{
	char *text = g_strdup(recorded);

	for (int i = 0; i < PIECES_MAX && broken[row].from[i]; i++) {
		char *next = replace(text, broken[row].from[i], broken[row].to[i]);

		g_free(text);
		text = next;
	}
	return text;
}

START_TEST(each_kind_of_difference_is_seen_at_its_step)
{
	g_autofree char *text = break_recording(_i), *says = NULL;
	unsigned int step = replay_text(text, broken[_i].level, broken[_i].no_values, &says);

	ck_assert_msg(step == broken[_i].step, "%s: step %u differs:\n%s", broken[_i].what, step,
		      says ? says : "");
	if (broken[_i].says)
		ck_assert_msg(strstr(says, broken[_i].says) != NULL, "%s: \"%s\" not in\n%s",
			      broken[_i].what, broken[_i].says, says);
}
END_TEST

START_TEST(a_report_names_file_line_step_and_operation)
{
	g_autofree char *text = replace(recorded, "ok 5", "ok 4"), *says = NULL;

	replay_text(text, 0, false, &says);
	ck_assert_str_eq(says, "t:31: step 8 differs: read p0 1\n"
			       "  kernel   ok 4\n"
			       "  model    ok 5\n");
}
END_TEST

START_TEST(a_replay_repeats_itself)
{
	g_autofree char *text = replace(recorded, "v 6 7 rw-p", "v 6 7 r--p");
	g_autofree char *first = NULL, *second = NULL;

	replay_text(text, 0, false, &first);
	replay_text(text, 0, false, &second);
	ck_assert_str_eq(first, second);
}
END_TEST

START_TEST(the_level_is_what_the_header_allows)
{
	const struct mmreplay_options any = { 0 }, forced = { .level = MMREPLAY_FORCED };
	g_autofree char *text = replace(recorded, "unmerged 0", "unmerged 3");
	g_autoptr(mmtrace) trace = load(text);
	struct mmreplay_report report;

	mmreplay(trace, &any, &report);
	ck_assert_uint_eq(report.level, MMREPLAY_JOINED);
	mmreplay_report_clear(&report);
	mmreplay(trace, &forced, &report);
	ck_assert_uint_eq(report.level, MMREPLAY_EXACT);
	mmreplay_report_clear(&report);
}
END_TEST

/* A page only read, then two forks; the children's page is @first and @second. */
static struct mmtrace *forks_after_a_read(const char *first, const char *second)
{
	g_autofree char *text = g_strdup_printf(
		"mmtrace 1\nkernel 6.18.44 x86_64\npage 4096\nbase 0x200000000000\nwindow 1\n"
		"seed -\nprofile hand:test\novercommit 0\nops 4\nfeatures anonread\nunmerged 0\n"
		"begin\n"
		"1 mmap p0 anon 0 1 rw- p fixed 0 = ok\n"
		"V p0 0 0 1\nv 0 1 rw-p a - 0 a\nT p0 0 -\n"
		"2 read p0 0 = ok 0\nT p0 0 Z\n"
		"3 fork p0 p1 = ok\nV p1 0 0 1\nv 0 1 rw-p a - 0 a\nT p1 0 %s\n"
		"4 fork p0 p2 = ok\nV p2 0 0 1\nv 0 1 rw-p a - 0 a\nT p2 0 %s\n"
		"end\n"
		"E p0 1 Z\nv 0 1 rw-p a - 0 a\n"
		"E p1 1 %s\nv 0 1 rw-p a - 0 a\n"
		"E p2 1 %s\nv 0 1 rw-p a - 0 a\n", first, second, first, second);

	return load(text);
}

/* What a kernel that never overcommits thinks of MAP_NORESERVE: nothing. */
START_TEST(noreserve_counts_unless_overcommit_is_off)
{
	static const char *const flags[] = { "n", "n", "a" };

	for (int mode = 0; mode <= 2; mode++) {
		g_autofree char *report = NULL, *text = g_strdup_printf(
			"mmtrace 1\nkernel 6.18.44 x86_64\npage 4096\n"
			"base 0x200000000000\nwindow 1\nseed -\nprofile hand:test\n"
			"overcommit %d\nops 1\nfeatures\nunmerged 0\nbegin\n"
			"1 mmap p0 anon 0 1 rw- p fixed+nr 0 = ok\n"
			"V p0 0 0 1\nv 0 1 rw-p a - 0 %s\nT p0 0 -\n"
			"end\nE p0 1 -\nv 0 1 rw-p a - 0 %s\n", mode, flags[mode], flags[mode]);

		ck_assert_msg(!replay_text(text, MMREPLAY_EXACT, false, &report), "%s", report);
	}
}
END_TEST

static const struct {
	const char *what;
	const char *first;
	const char *second;
	enum mmreplay_zeropage option;
	unsigned int step;	/* that must differ; 0: none */
	bool zeropage;		/* the report says */
} zeropages[] = {
	{ "a kernel with a zero page", "o", "o", MMREPLAY_ZEROPAGE_AUTO, 0, true },
	{ "a kernel without", "?", "?", MMREPLAY_ZEROPAGE_AUTO, 0, false },
	{ "one with, told so", "o", "o", MMREPLAY_ZEROPAGE_MAPPED, 0, true },
	{ "one with, told otherwise", "o", "o", MMREPLAY_ZEROPAGE_FORBIDDEN, 3, false },
	{ "one without, told so", "?", "?", MMREPLAY_ZEROPAGE_FORBIDDEN, 0, false },
	{ "one without, told otherwise", "?", "?", MMREPLAY_ZEROPAGE_MAPPED, 3, true },
	{ "neither, first with", "o", "?", MMREPLAY_ZEROPAGE_AUTO, 4, true },
	{ "neither, first without", "?", "o", MMREPLAY_ZEROPAGE_AUTO, 4, false },
};

START_TEST(a_trace_decides_as_a_whole_whether_its_kernel_has_a_zero_page)
{
	const struct mmreplay_options options = { .level = MMREPLAY_FORCED,
						  .zeropage = zeropages[_i].option };
	g_autoptr(mmtrace) trace = forks_after_a_read(zeropages[_i].first,
						      zeropages[_i].second);
	struct mmreplay_report report;

	mmreplay(trace, &options, &report);
	ck_assert_msg(report.difference == zeropages[_i].step, "%s: step %u differs:\n%s",
		      zeropages[_i].what, report.difference, report.text ? report.text : "");
	ck_assert_msg(report.zeropage == zeropages[_i].zeropage, "%s: wrong kernel",
		      zeropages[_i].what);
	mmreplay_report_clear(&report);
}
END_TEST

static const struct {
	const char *release;
	enum kernel_version version;
} releases[] = {
	{ "5.14.0-rc5", KERNEL_5_14 },
	{ "4.19.0", KERNEL_5_14 },
	{ "5.15.0-generic", KERNEL_5_14 },
	{ "6.1.0-18-amd64", KERNEL_6_1 },
	{ "6.2", KERNEL_6_1 },
	{ "6.12.117", KERNEL_6_12 },
	{ "6.17.1", KERNEL_6_18 },
	{ "6.18.44-fc-v769", KERNEL_6_18 },
	{ "7.3.0", KERNEL_6_18 },
	{ "unknown", KERNEL_5_14 },
};

START_TEST(the_nearest_modelled_kernel_is_chosen)
{
	ck_assert_int_eq(mmreplay_kernel(releases[_i].release), releases[_i].version);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mmreplay");
	TCase *tc = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, each_kind_of_difference_is_seen_at_its_step, 0,
			    G_N_ELEMENTS(broken));
	tcase_add_test(tc, a_report_names_file_line_step_and_operation);
	tcase_add_test(tc, a_replay_repeats_itself);
	tcase_add_test(tc, noreserve_counts_unless_overcommit_is_off);
	tcase_add_test(tc, the_level_is_what_the_header_allows);
	tcase_add_loop_test(tc, a_trace_decides_as_a_whole_whether_its_kernel_has_a_zero_page, 0,
			    G_N_ELEMENTS(zeropages));
	tcase_add_loop_test(tc, the_nearest_modelled_kernel_is_chosen, 0,
			    G_N_ELEMENTS(releases));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
