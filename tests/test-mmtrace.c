// SPDX-License-Identifier: GPL-2.0-only
/* Reading and writing recorded traces: what is accepted, and the words for what is not. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mmtrace.h"

#define HEADER \
	"mmtrace 1\nkernel 6.18.44 x86_64\npage 4096\nbase 0x200000000000\nwindow 8\n" \
	"seed -\nprofile hand:test\novercommit 0\nops %d\nfeatures%s\nunmerged 0\nbegin\n"

#define EMPTY_END "end\nE p0 0 ........\n"

/* Twelve lines of header; the first step stands in line 13. */
static GString *small_trace(int ops, const char *body)
{
	GString *text = g_string_new(NULL);

	g_string_printf(text, HEADER, ops, "");
	g_string_append(text, body);
	return text;
}

static const char good_body[] =
	"# a comment,  with anything: \x01\n"
	"1 file f0 8 = ok\n"
	"2 open p0 h0 f0 ro = ok\n"
	"3 mmap p0 h0 1 4 r-- s fixed+nr 2 = ok\n"
	"V p0 0 0 1\n"
	"v 1 5 r--s f0 d0 2 n\n"
	"T p0 1 ----\n"
	"4 read p0 2 = ok 18446744073709551615\n"
	"T p0 2 F?\n"
	"5 fork p0 p1 = ok\n"
	"V p1 0 0 1\n"
	"v 1 5 r--s f0 d0 2 n\n"
	"T p1 1 -oo-\n"
	"6 exit p0 = ok\n"
	"7 mremap p1 1 4 4+1 inplace = -ENOMEM\n"
	"8 fread f0 0+5 = eof\n"
	"9 write p1 7 = SIGSEGV.MAPERR\n"
	"end\n"
	"E p1 1 .-oo-...\n"
	"v 1 5 r--s f0 d0 2 n\n";

static struct mmtrace *parse_good(void)
{
	g_autoptr(GError) error = NULL;
	GString *text = small_trace(9, good_body);
	struct mmtrace *trace = mmtrace_parse("good", text->str, text->len, &error);

	ck_assert_msg(trace != NULL, "%s", error ? error->message : "?");
	g_string_free(text, TRUE);
	return trace;
}

START_TEST(a_trace_is_read_field_by_field)
{
	g_autoptr(mmtrace) trace = parse_good();
	const struct mmtrace_step *step = &g_array_index(trace->steps, struct mmtrace_step, 2);

	ck_assert_str_eq(trace->release, "6.18.44");
	ck_assert_uint_eq(trace->base, 0x200000000000);
	ck_assert_uint_eq(trace->window, 8);
	ck_assert_uint_eq(trace->steps->len, 9);
	ck_assert_int_eq(step->op.kind, MMOP_MMAP);
	ck_assert_uint_eq(step->op.addr, MMOP_PAGE);
	ck_assert_uint_eq(step->op.length, 4 * MMOP_PAGE);
	ck_assert_uint_eq(step->op.offset, 2 * MMOP_PAGE);
	ck_assert(step->op.noreserve && !step->op.noreplace);
	ck_assert_uint_eq(step->line, 16);
	ck_assert_uint_eq(step->changes, 2);
	ck_assert_uint_eq(step[1].result.value, UINT64_MAX);
	ck_assert_int_eq(step[4].result.outcome, MMOP_ERROR);
	ck_assert_uint_eq(step[4].op.new_length, 4 * MMOP_PAGE + 1);
}
END_TEST

START_TEST(steps_applied_one_by_one_reach_the_final_dump)
{
	g_autoptr(mmtrace) trace = parse_good();
	struct mmstate state;

	mmstate_init(&state, trace->window);
	for (unsigned int i = 0; i < trace->steps->len; i++)
		mmtrace_apply(trace, &g_array_index(trace->steps, struct mmtrace_step, i), &state);
	ck_assert_ptr_null(state.proc[0]);
	ck_assert_uint_eq(state.proc[1]->nvma, 1);
	ck_assert_int_eq(memcmp(state.proc[1]->state, ".-oo-...", 8), 0);
	mmstate_clear(&state);
}
END_TEST

/* Each row replaces the whole body; the message is what stands behind "t:". */
static const struct {
	const char *what;
	int ops;
	const char *body;
	const char *message;
} malformed[] = {
	{ "nothing after begin", 0, "", "13: the file ends here, too early" },
	{ "no newline at the end", 0, "end", "13: the last line is cut off" },
	{ "comment cut off", 0, "# half", "13: the last line is cut off" },
	{ "empty line", 0, "\n" EMPTY_END, "13: empty line" },
	{ "two spaces", 1, "1  file f0 1 = ok\n", "13: fields are separated by single spaces" },
	{ "space at the end", 1, "1 file f0 1 = ok \n",
	  "13: fields are separated by single spaces" },
	{ "carriage return", 0, "end\r\n", "13: byte 0x0d is not printable ASCII" },
	{ "not ASCII", 0, "\xc3\xa9\n", "13: byte 0xc3 is not printable ASCII" },
	{ "unknown line", 0, "x\n",
	  "13: expected a step, a comment or \"end\", not \"x\"" },
	{ "a splice without a step", 0, "V p0 0 0 0\n",
	  "13: expected a step, a comment or \"end\", not \"V\"" },
	{ "step number", 1, "2 file f0 1 = ok\n", "13: step 1 was expected, not 2" },
	{ "step number with zeros", 1, "01 file f0 1 = ok\n", "13: \"01\" is not a number" },
	{ "step number with letters", 1, "1x file f0 1 = ok\n", "13: \"1x\" is not a number" },
	{ "fewer steps than announced", 2, "1 file f0 1 = ok\n" EMPTY_END,
	  "14: 1 steps, but the header says ops 2" },
	{ "more steps than announced", 0, "1 file f0 1 = ok\n" EMPTY_END,
	  "14: 1 steps, but the header says ops 0" },
	{ "no result", 1, "1 file f0 1\n", "13: no \"=\" and result" },
	{ "no operation", 1, "1 = ok\n", "13: no operation" },
	{ "nothing after =", 1, "1 file f0 1 =\n", "13: no result after \"=\"" },
	{ "unknown operation", 1, "1 brk p0 1 = ok\n", "13: \"brk\" is not an operation" },
	{ "too few arguments", 1, "1 file f0 = ok\n", "13: file has too few arguments" },
	{ "too many arguments", 1, "1 file f0 1 2 = ok\n", "13: file has too many arguments" },
	{ "new address in place", 1, "1 mremap p0 0 1 1 inplace 4 = ok\n",
	  "13: mremap has too many arguments" },
	{ "no new address", 1, "1 mremap p0 0 1 1 fixed = ok\n",
	  "13: mremap has too few arguments" },
	{ "unknown result", 1, "1 file f0 1 = fine\n", "13: \"fine\" is not a result" },
	{ "unknown errno", 1, "1 file f0 1 = -ENOSUCH\n",
	  "13: \"ENOSUCH\" is not the name of an error" },
	{ "unknown signal", 1, "1 read p0 1 = SIGBUS.MAPERR\n",
	  "13: \"SIGBUS.MAPERR\" is not a result" },
	{ "value of a write", 1, "1 write p0 1 = ok 5\n", "13: too many fields after \"=\"" },
	{ "value too large", 1, "1 read p0 1 = ok 18446744073709551616\n",
	  "13: 18446744073709551616 is more than 18446744073709551615" },
	{ "read without a value", 1, "1 read p0 1 = ok\n", "13: read does not end in ok" },
	{ "mmap ends in a signal", 1, "1 mmap p0 anon 0 1 rw- p fixed 0 = SIGBUS.ADRERR\n",
	  "13: mmap does not end in SIGBUS.ADRERR" },
	{ "write at end of file", 1, "1 write p0 1 = eof\n", "13: write does not end in eof" },
	{ "not a process", 1, "1 munmap q0 0 1 = ok\n", "13: \"q0\" is not p and a number" },
	{ "no number of the process", 1, "1 munmap p 0 1 = ok\n",
	  "13: \"p\" is not p and a number" },
	{ "process 64", 1, "1 munmap p64 0 1 = ok\n", "13: 64 is more than 63" },
	{ "process not started", 1, "1 munmap p1 0 1 = ok\n", "13: p1 is not alive" },
	{ "process gone", 2, "1 exit p0 = ok\n2 munmap p0 0 1 = ok\n", "14: p0 is not alive" },
	{ "wrong child", 1, "1 fork p0 p2 = ok\n", "13: the child's id must be p1" },
	{ "file 16", 1, "1 file f16 1 = ok\n", "13: 16 is more than 15" },
	{ "file twice", 2, "1 file f0 1 = ok\n2 file f0 1 = ok\n", "14: f0 exists already" },
	{ "no such file", 1, "1 trunc f3 1 = ok\n", "13: f3 was never created" },
	{ "descriptor 16", 1, "1 close p0 h16 = ok\n", "13: 16 is more than 15" },
	{ "file of half a page", 1, "1 file f0 1+5 = ok\n",
	  "13: the size of a file is not whole pages" },
	{ "too many bytes", 1, "1 munmap p0 1+4096 1 = ok\n", "13: 4096 is more than 4095" },
	{ "no bytes after +", 1, "1 munmap p0 1+ 1 = ok\n", "13: \"\" is not a number" },
	{ "no pages before +", 1, "1 munmap p0 +1 1 = ok\n", "13: \"\" is not a number" },
	{ "zero bytes after +", 1, "1 munmap p0 1+0 1 = ok\n", "13: 1+0 is written 1" },
	{ "negative", 1, "1 munmap p0 -1 1 = ok\n", "13: \"-1\" is not a number" },
	{ "overflow", 1, "1 munmap p0 99999999999999999999 1 = ok\n",
	  "13: 99999999999999999999 is more than 4503599627370495" },
	{ "outside the window", 1, "1 munmap p0 8 1 = ok\n",
	  "13: the range leaves the window of 8 pages" },
	{ "out of the window", 1, "1 munmap p0 6 3 = ok\n",
	  "13: the range leaves the window of 8 pages" },
	{ "moved out of the window", 1, "1 mremap p0 0 1 2 fixed 7 = ok\n",
	  "13: the new range leaves the window of 8 pages" },
	{ "grows over everything", 1, "1 mremap p0 0 1 529 inplace = ok\n",
	  "13: the new length is more than window and guard" },
	{ "touch inside a page", 1, "1 read p0 1+8 = ok 0\n",
	  "13: the address of a touch is not whole pages" },
	{ "protection", 1, "1 mprotect p0 0 1 rwX = ok\n",
	  "13: \"rwX\" is not rwx with - for what is missing" },
	{ "length of the protection", 1, "1 mprotect p0 0 1 rw = ok\n",
	  "13: \"rw\" is not a protection such as rw-" },
	{ "sharing", 1, "1 mmap p0 anon 0 1 rw- q fixed 0 = ok\n",
	  "13: \"q\" is not s, p or x" },
	{ "how", 1, "1 mmap p0 anon 0 1 rw- p hint 0 = ok\n",
	  "13: \"hint\" is not fixed or noreplace, perhaps with +nr" },
	{ "open mode", 2, "1 file f0 1 = ok\n2 open p0 h0 f0 wo = ok\n",
	  "14: \"wo\" is not rw or ro" },
	{ "mremap mode", 1, "1 mremap p0 0 1 1 maymove = ok\n",
	  "13: \"maymove\" is not inplace, fixed, dontunmap or fixedonly" },
	{ "advice", 1, "1 madvise p0 forget 0 1 = ok\n",
	  "13: \"forget\" is not dontneed, dontfork or dofork" },
	{ "advice that needs a feature", 1, "1 madvise p0 free 0 1 = ok\n",
	  "13: this madvise is for traces with the feature calls" },
	{ "call that needs a feature", 1, "1 mlock p0 0 1 = ok\n",
	  "13: this mlock is for traces with the feature calls" },
	{ "mode that needs a feature", 1, "1 mremap p0 0 1 1 hint 2 = ok\n",
	  "13: this mremap is for traces with the feature calls" },
	{ "way that needs a feature", 1, "1 mmap p0 anon 0 1 rw- p fixed+pop 0 = ok\n",
	  "13: this mmap is for traces with the feature calls" },
	{ "mapping flag that needs a feature", 1,
	  "1 mmap p0 anon 0 1 rw- p fixed 0 = ok\nV p0 0 0 1\nv 0 1 rw-p a - 0 al\n",
	  "15: \"al\" is not - or some of adn, each once" },
	{ "state of a process not started", 1, "1 file f0 1 = ok\nT p1 0 .\n",
	  "14: p1 is not alive" },
	{ "state after exit", 1, "1 exit p0 = ok\nT p0 0 .\n", "14: p0 is not alive" },
	{ "unknown page state", 1, "1 file f0 1 = ok\nT p0 0 .Q\n",
	  "14: 'Q' is not a page state" },
	{ "page states leave the window", 1, "1 file f0 1 = ok\nT p0 7 ..\n",
	  "14: the page states leave the window of 8 pages" },
	{ "mapped without a mapping", 1, "1 file f0 1 = ok\nT p0 3 -\n",
	  "14: page 3 of p0 is '-', but not mapped" },
	{ "a mapping without pages", 1,
	  "1 mmap p0 anon 0 1 rw- p fixed 0 = ok\nV p0 0 0 1\nv 0 1 rw-p a - 0 a\n",
	  "15: page 0 of p0 is '.', but mapped" },
	{ "three fields of a T line", 1, "1 file f0 1 = ok\nT p0 3\n",
	  "14: a T line has 4 fields, not 3" },
	{ "a word that only starts with T", 1, "1 file f0 1 = ok\nTp0 3 - -\n",
	  "14: \"Tp0\" starts no line" },
	{ "four fields of a V line", 1, "1 file f0 1 = ok\nV p0 0 0\n",
	  "14: a V line has 5 fields, not 4" },
	{ "splice behind the list", 1, "1 file f0 1 = ok\nV p0 0 1 0\n",
	  "14: p0 has 0 mappings, 1 cannot be removed at 0" },
	{ "a missing v line", 1, "1 file f0 1 = ok\nV p0 0 0 1\nT p0 0 -\n",
	  "15: expected v line 1 of 1" },
	{ "fields of a v line", 1, "1 file f0 1 = ok\nV p0 0 0 1\nv 0 1 rw-p a - 0\n",
	  "15: a v line has 8 fields, not 7" },
	{ "empty mapping", 1, "1 file f0 1 = ok\nV p0 0 0 1\nv 1 1 rw-p a - 0 a\n",
	  "15: mapping [1, 1) is empty" },
	{ "mapping behind the window", 1, "1 file f0 1 = ok\nV p0 0 0 1\nv 7 9 rw-p a - 0 a\n",
	  "15: a mapping ends at page 9, after the window" },
	{ "overlapping mappings", 1,
	  "1 file f0 1 = ok\nV p0 0 0 2\nv 0 3 rw-p a - 0 a\nv 2 4 rw-p a - 0 a\n",
	  "16: mapping [2, 4) is out of order or overlaps" },
	{ "permissions", 1, "1 file f0 1 = ok\nV p0 0 0 1\nv 0 1 rw-x a - 0 a\n",
	  "15: \"rw-x\" is not permissions such as rw-s" },
	{ "shared private memory", 1, "1 file f0 1 = ok\nV p0 0 0 1\nv 0 1 rw-s a - 0 a\n",
	  "15: a is private, zN is shared, this is rw-s" },
	{ "unknown object", 1, "1 file f0 1 = ok\nV p0 0 0 1\nv 0 1 rw-s b0 - 0 -\n",
	  "15: \"b0\" is not fN, a or zN" },
	{ "object never created", 1, "1 file f0 1 = ok\nV p0 0 0 1\nv 0 1 rw-s f1 d0 0 -\n",
	  "15: f1 was never created" },
	{ "description never opened", 1, "1 file f0 1 = ok\nV p0 0 0 1\nv 0 1 rw-s f0 d0 0 -\n",
	  "15: d0 was never opened" },
	{ "shared memory never mapped", 1, "1 file f0 1 = ok\nV p0 0 0 1\nv 0 1 rw-s z0 - 0 -\n",
	  "15: z0 was never mapped" },
	{ "description of anonymous memory", 1,
	  "1 file f0 1 = ok\nV p0 0 0 1\nv 0 1 rw-p a d0 0 a\n",
	  "15: only a file mapping has a description, not \"d0\"" },
	{ "offset of anonymous memory", 1, "1 file f0 1 = ok\nV p0 0 0 1\nv 0 1 rw-p a - 4 a\n",
	  "15: the page offset of a is always 0" },
	{ "flag twice", 1, "1 file f0 1 = ok\nV p0 0 0 1\nv 0 1 rw-p a - 0 aa\n",
	  "15: \"aa\" is not - or some of adn, each once" },
	{ "two splices of a process", 1, "1 file f0 1 = ok\nV p0 0 0 0\nV p0 0 0 0\n",
	  "15: the V line of p0 is not its first" },
	{ "splice after pages", 1, "1 file f0 1 = ok\nT p0 0 .\nV p0 0 0 0\n",
	  "15: the V line of p0 is not its first" },
	{ "processes out of order", 1, "1 fork p0 p1 = ok\nT p1 0 .\nT p0 0 .\n",
	  "15: p0 stands after p1" },
	{ "no final dump", 0, "end\n", "14: the file ends here, too early" },
	{ "final dump of another process", 0, "end\nE p1 0 ........\n",
	  "14: expected the E line of p0" },
	{ "final states", 0, "end\nE p0 0 .......-\n",
	  "14: the pages of p0 are not what the steps say" },
	{ "length of the final states", 0, "end\nE p0 0 .......\n",
	  "14: the pages of p0 are not what the steps say" },
	{ "number of final mappings", 0, "end\nE p0 1 ........\nv 0 1 rw-p a - 0 a\n",
	  "14: p0 has 0 mappings, not 1" },
	{ "one final dump too many", 0, EMPTY_END "E p1 0 ........\n",
	  "15: nothing may follow the final dump" },
	{ "text behind the final dump", 0, EMPTY_END "\n",
	  "15: nothing may follow the final dump" },
};

START_TEST(malformed_bodies_are_refused_with_line_and_reason)
{
	g_autoptr(GError) error = NULL;
	GString *text = small_trace(malformed[_i].ops, malformed[_i].body);
	g_autofree char *message = g_strconcat("t:", malformed[_i].message, NULL);

	ck_assert_msg(!mmtrace_parse("t", text->str, text->len, &error), "%s",
		      malformed[_i].what);
	ck_assert_msg(!strcmp(error->message, message), "%s: %s", malformed[_i].what,
		      error->message);
	g_string_free(text, TRUE);
}
END_TEST

/* Each row replaces one line of a good header. */
static const struct {
	const char *what;
	unsigned int line;
	const char *text;
	const char *message;
} headers[] = {
	{ "other file", 1, "#!/bin/sh", "1: expected \"mmtrace\", not \"#!/bin/sh\"" },
	{ "other version", 1, "mmtrace 2", "1: format \"2\" is not known, only 1 is" },
	{ "no version", 1, "mmtrace", "1: mmtrace has 1 field, not 0" },
	{ "no machine", 2, "kernel 6.1", "2: kernel has 2 fields, not 1" },
	{ "page size", 3, "page 16384",
	  "3: pages of 16384 bytes are not modelled, only of 4096" },
	{ "decimal base", 4, "base 4096", "4: \"4096\" is not a hexadecimal address" },
	{ "no digits", 4, "base 0x", "4: \"0x\" is not a hexadecimal address" },
	{ "long base", 4, "base 0x10000200000000000",
	  "4: \"0x10000200000000000\" is not a hexadecimal address" },
	{ "unaligned base", 4, "base 0x200000000800", "4: base 0x200000000800 is not whole pages" },
	{ "base at zero", 4, "base 0x0", "4: no window fits at base 0x0" },
	{ "base beyond user space", 4, "base 0x7fffffffe000",
	  "4: no window fits at base 0x7fffffffe000" },
	{ "no window", 5, "window 0", "5: a window has at least one page" },
	{ "large window", 5, "window 513", "5: 513 is more than 512" },
	{ "seed", 6, "seed x", "6: \"x\" is not a number" },
	{ "no profile", 7, "profile", "7: profile has 1 field, not 0" },
	{ "overcommit", 8, "overcommit 3", "8: 3 is more than 2" },
	{ "ops", 9, "ops 99999999999", "9: 99999999999 is more than 10000000" },
	{ "order", 10, "unmerged 0", "10: expected \"features\", not \"unmerged\"" },
	{ "begin", 12, "begin now", "12: begin has 0 fields, not 1" },
};

START_TEST(malformed_headers_are_refused_with_line_and_reason)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *message = g_strconcat("t:", headers[_i].message, NULL);
	GString *text = small_trace(0, EMPTY_END);
	g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
	g_autofree char *broken = NULL;

	g_free(lines[headers[_i].line - 1]);
	lines[headers[_i].line - 1] = g_strdup(headers[_i].text);
	broken = g_strjoinv("\n", lines);
	ck_assert_msg(!mmtrace_parse("t", broken, strlen(broken), &error), "%s",
		      headers[_i].what);
	ck_assert_msg(!strcmp(error->message, message), "%s: %s", headers[_i].what,
		      error->message);
	g_string_free(text, TRUE);
}
END_TEST

START_TEST(what_the_format_leaves_free_is_taken)
{
	g_autofree char *pages = g_strnfill(512, '-');
	g_autofree char *text = g_strdup_printf(
		"mmtrace 1\n# in the header\nkernel 6.18.44 x86_64\npage 4096\nbase 0x10000000\n"
		"window 512\nseed 18446744073709551615\nprofile mixed+jitter\novercommit 2\n"
		"ops 1\nfeatures fork of-the-future anon anon\nunmerged 7\n#\nbegin\n"
		"1 mmap p0 anon 0 512 rw- p fixed+nr 0 = ok\n"
		"# between a step and what came of it\n"
		"V p0 0 0 1\n#\nv 0 512 rw-p a - 0 nda\n# three flags\nT p0 0 %s\n"
		"end\n#\nE p0 1 %s\n#\nv 0 512 rw-p a - 0 adn\n# behind it\n",
		pages, pages);
	g_autoptr(GError) error = NULL;
	g_autoptr(mmtrace) trace = mmtrace_parse("t", text, strlen(text), &error);

	ck_assert_msg(trace != NULL, "%s", error ? error->message : "?");
	ck_assert_str_eq(trace->features, " fork of-the-future anon anon");
	ck_assert(!trace->calls);
	ck_assert_uint_eq(trace->unmerged, 7);
}
END_TEST

/* A refusal is one line that starts with the name and a line number. */
static void check_refusal(const char *text, size_t length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(mmtrace) trace = mmtrace_parse("t", text, length, &error);

	if (trace)
		return;
	ck_assert_int_eq(strncmp(error->message, "t:", 2), 0);
	ck_assert(g_ascii_isdigit(error->message[2]));
	ck_assert_ptr_null(strchr(error->message, '\n'));
	ck_assert_uint_lt(strlen(error->message), 256);
}

START_TEST(a_trace_cut_off_anywhere_is_refused)
{
	GString *text = small_trace(9, good_body);

	for (size_t length = 0; length < text->len; length++) {
		g_autoptr(GError) error = NULL;
		/* A copy of just that size, so that a read beyond it is seen. */
		g_autofree char *part = g_memdup2(text->str, length);

		ck_assert_msg(!mmtrace_parse("t", part, length, &error),
			      "accepted when cut at byte %zu", length);
		check_refusal(part, length);
	}
	g_string_free(text, TRUE);
}
END_TEST

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

static void mutate(char *text, size_t length, uint64_t *state)
{
	for (unsigned int n = 1 + next_random(state) % 3; n; n--) {
		char *at = &text[next_random(state) % length];

		switch (next_random(state) % 4) {
		case 0:
			*at = next_random(state);
			break;
		case 1:
			*at = "0123456789 \n.-pfhvVTEw="[next_random(state) % 23];
			break;
		case 2:
			*at = text[next_random(state) % length];
			break;
		default:
			*at ^= 1 << next_random(state) % 8;
		}
	}
}

START_TEST(random_damage_never_does_more_than_a_refusal)
{
	uint64_t state = 20261122;
	GString *text = small_trace(9, good_body);

	for (int round = 0; round < 20000; round++) {
		g_autofree char *copy = g_memdup2(text->str, text->len);

		mutate(copy, text->len, &state);
		check_refusal(copy, text->len);
	}
	g_string_free(text, TRUE);
}
END_TEST

START_TEST(what_was_read_is_written_back_word_for_word)
{
	g_autoptr(mmtrace) trace = parse_good();
	GString *text = small_trace(9, strchr(good_body, '\n') + 1);
	GString *written = mmtrace_write(trace);

	ck_assert_str_eq(written->str, text->str);
	g_string_free(text, TRUE);
	g_string_free(written, TRUE);
}
END_TEST

/* Records @from again, step by step, from the states that it leads through. */
static struct mmtrace *record_again(const struct mmtrace *from)
{
	struct mmtrace *to = mmtrace_new("again");
	struct mmstate before, after;

	to->release = g_strdup(from->release);
	to->machine = g_strdup(from->machine);
	to->seed = g_strdup(from->seed);
	to->profile = g_strdup(from->profile);
	to->features = g_strdup(from->features);
	to->base = from->base;
	to->window = from->window;
	mmstate_init(&before, from->window);
	mmstate_init(&after, from->window);
	for (unsigned int i = 0; i < from->steps->len; i++) {
		const struct mmtrace_step *step =
			&g_array_index(from->steps, struct mmtrace_step, i);

		mmtrace_apply(from, step, &after);
		mmtrace_record(to, &step->op, &step->result, &before, &after);
		mmtrace_apply(from, step, &before);
	}
	mmstate_clear(&before);
	mmstate_clear(&after);
	return to;
}

START_TEST(recording_finds_the_changes_between_two_states)
{
	g_autoptr(mmtrace) trace = parse_good();
	g_autoptr(mmtrace) again = record_again(trace);
	GString *first = mmtrace_write(trace), *second = mmtrace_write(again);

	ck_assert_str_eq(first->str, second->str);
	g_string_free(first, TRUE);
	g_string_free(second, TRUE);
}
END_TEST

START_TEST(a_missing_file_is_named_in_the_message)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(mmtrace_load("no/such.trace", &error));
	ck_assert_str_eq(error->message, "no/such.trace: No such file or directory");
}
END_TEST

START_TEST(a_directory_is_no_trace)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(mmtrace_load("/", &error));
	ck_assert_str_eq(error->message, "/: Is a directory");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mmtrace");
	TCase *tc = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, a_trace_is_read_field_by_field);
	tcase_add_test(tc, steps_applied_one_by_one_reach_the_final_dump);
	tcase_add_loop_test(tc, malformed_bodies_are_refused_with_line_and_reason, 0,
			    G_N_ELEMENTS(malformed));
	tcase_add_test(tc, what_the_format_leaves_free_is_taken);
	tcase_add_loop_test(tc, malformed_headers_are_refused_with_line_and_reason, 0,
			    G_N_ELEMENTS(headers));
	tcase_add_test(tc, a_trace_cut_off_anywhere_is_refused);
	tcase_add_test(tc, random_damage_never_does_more_than_a_refusal);
	tcase_add_test(tc, what_was_read_is_written_back_word_for_word);
	tcase_add_test(tc, recording_finds_the_changes_between_two_states);
	tcase_add_test(tc, a_missing_file_is_named_in_the_message);
	tcase_add_test(tc, a_directory_is_no_trace);
	tcase_set_timeout(tc, 30);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
