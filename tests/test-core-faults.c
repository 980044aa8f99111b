// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure of every step of a device's life with the port, one at a time: what the
 * step returns, what is left in the columns of the recorded traces, and what is left
 * after deferred work. The table is section K of docs/spec/vfio.md, spelled out; a fault
 * point that it does not know fails the test.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core-script.h"
#include "sched.h"

enum effect {
	NOTHING,	/* as before the step, once deferred work has run */
	SAME,		/* as if nothing had failed: the kernel does not mind */
	LESS,		/* as if nothing had failed but for what the row names */
};

/*
 * @step NULL: any; @nth 0: any, else which of the points of that name in the step.
 * The first row that fits counts.
 */
static const struct expected {
	const char *what, *step, *site;
	unsigned int nth;
	long ret;
	enum effect effect;
	const char *differs, *leaves;	/* LESS: columns of the step's and of the last row */
} table[] = {
	{ "VF-9, VF-312: the misc device", "load", "device", 0, -ENOMEM, NOTHING },
	{ "VF-312: its name", "load", "string", 1, -ENOMEM, NOTHING },
	{ "VF-312: its kobject", "load", "kobject_add", 0, -ENOMEM, NOTHING },
	{ "VF-349: the node's name", "load", "string", 2, 0, SAME },
	{ "VF-10, VF-313: the class", "load", "class", 0, -ENOMEM, NOTHING },
	{ "VF-11, VF-314: the region's memory", "load", "chrdev_region", 1, -ENOMEM, NOTHING },
	{ "VF-314: a free major number", "load", "chrdev_region", 2, -EBUSY, NOTHING },
	{ "VF-12, VF-315: the cdev", "load", "cdev_probe", 0, -ENOMEM, NOTHING },
	{ "VF-13: the noiommu backend is not asked for", "load", "driver", 1, 0, SAME },
	{ "VF-17, VF-316: a backend's entry", "load", "driver", 2, -ENOMEM, NOTHING },

	/* The bus: what the driver core makes of it is said in VF-201 and VF-202. */
	{ "VF-198: driver_override", "bind A", "string", 1, -ENOMEM, NOTHING },
	{ "VF-198: driver_override", "bind B", "string", 1, -ENOMEM, NOTHING },
	{ "VF-200: DMA of the bus", NULL, "dma_configure", 0, -ENODEV, NOTHING },
	{ "VF-202: driver links", NULL, "driver_sysfs_add", 0, 0, NOTHING },
	{ "VF-202: attributes; the entry of unregister stays without UNBOUND", "bind B",
	  "device_add_groups", 0, 0, LESS,
	  "pins=1 mref=1 inodes=1 dev=A:r1,i1;B:- group=g0:ref2,u0,o0,d1,c0,ub1 "
	  "iommu=0:ref4,m2 work=1",
	  "pins=1 mref=1 inodes=1 dev=A:r1,i1;B:- group=g0:ref1,u0,o0,d1,c0,ub1 "
	  "iommu=0:ref4,m2" },
	{ "VF-202: attributes", NULL, "device_add_groups", 0, 0, NOTHING },

	{ "VF-340: a fake group", NULL, "iommu_group", 0, -EINVAL, NOTHING },
	{ "VF-338, VF-340: its number", "bind without IOMMU", "ida", 1, -EINVAL, NOTHING },
	{ "VF-56: its name, which nobody needs", "bind without IOMMU", "string", 1, 0, SAME },
	{ "VF-339, VF-340: its member", NULL, "group_device", 0, -EINVAL, NOTHING },
	{ "VF-341: the driver's object", NULL, "core_object", 0, -ENOMEM, NOTHING },
	{ "VF-317, VF-23: the group", NULL, "group", 0, -ENOMEM, NOTHING },
	{ "VF-318, VF-24: the chain", NULL, "iommu_group_register_notifier", 0, -ENOMEM, NOTHING },
	{ "VF-319, VF-26: the minor", NULL, "idr", 0, -ENOMEM, NOTHING },
	{ "VF-320, VF-27: the class device", NULL, "device", 0, -ENOMEM, NOTHING },
	{ "VF-320: its name", NULL, "string", 2, -ENOMEM, NOTHING },
	{ "VF-320: its kobject", NULL, "kobject_add", 0, -ENOMEM, NOTHING },
	{ "VF-349: the node's name: then the default one", NULL, "string", 0, 0, SAME },
	{ "VF-28: the node itself, which the driver core can do without", NULL, "dev_node", 0, 0,
	  SAME },
	{ "VF-28: its entry", "load", "dentry", 0, 0, SAME },
	{ "VF-28: its inode", "load", "inode", 0, 0, SAME },
	{ "VF-28: its inode", "load", "inode_security", 0, 0, SAME },
	{ "VF-335: the file's entry", "get device", "dentry", 0, -ENOMEM, NOTHING },
	{ "VF-335: the file's entry", "second get", "dentry", 0, -ENOMEM, NOTHING },
	{ "VF-28: its entry", NULL, "dentry", 1, 0, SAME },
	{ "VF-28: its inode", "bind A", "inode", 1, 0, SAME },
	{ "VF-28: its inode", "bind A", "inode_security", 1, 0, SAME },
	{ "VF-28: its inode", "bind without IOMMU", "inode", 1, 0, SAME },
	{ "VF-28: its inode", "bind without IOMMU", "inode_security", 1, 0, SAME },

	{ "VF-71, VF-323: the context", NULL, "fs_context", 0, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: the pseudo context", NULL, "pseudo_fs_context", 0, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: the source", NULL, "fc_source", 0, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: a security module", NULL, "fs_context_parse_param", 0, -EACCES, NOTHING },
	{ "VF-71, VF-323: the superblock", NULL, "super_block", 0, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: its parts", NULL, "sb_security", 0, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: its parts", NULL, "sb_freeze_rwsem", 0, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: its parts", NULL, "sb_shrinker", 0, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: its parts", NULL, "sb_lru", 0, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: no anonymous device left", NULL, "anon_bdev_space", 0, -EMFILE, NOTHING },
	{ "VF-71, VF-323: its number, or the mount's", NULL, "ida", 0, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: the root dentry", NULL, "dentry", 2, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: mount options", NULL, "sb_set_mnt_opts", 0, -EACCES, NOTHING },
	{ "VF-71, VF-323: the mount", NULL, "mount", 0, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: its parts", NULL, "mnt_devname", 0, -ENOMEM, NOTHING },
	{ "VF-71, VF-323: its parts", NULL, "mnt_percpu", 0, -ENOMEM, NOTHING },
	{ "VF-62, VF-70, VF-324, VF-383: root or device inode", NULL, "inode", 0, -ENOMEM,
	  NOTHING },
	{ "VF-62, VF-70, VF-324, VF-383: root or device inode", NULL, "inode_security", 0, -ENOMEM,
	  NOTHING },

	/* The reference that a callback took stays for ever. */
	{ "VF-51, VF-326: BOUND", "bind A", "do_work", 0, 0, LESS, "work=0 warn=1",
	  "group=g0:ref2,u0,o0,d1,c0,ub0 warn=1" },
	{ "VF-51, VF-326: BIND or BOUND", "bind B", "do_work", 0, 0, LESS, "work=1 warn=1",
	  "group=g0:ref3,u0,o0,d2,c0,ub0 warn=1" },
	{ "VF-51, VF-326: UNBIND or UNBOUND", "unbind B", "do_work", 0, 0, LESS, "work=1 warn=1",
	  "group=g0:ref3,u1,o1,d1,cC,ub0 warn=1" },
	{ "VF-51, VF-326: UNBIND or UNBOUND", "unbind A", "do_work", 0, 0, LESS, "work=1 warn=1",
	  "group=g0:ref1,u0,o0,d0,c0,ub0 iommu=0:ref3,m2 node=0 warn=1" },
	{ "VF-79, VF-325, VF-291: the unbound entry", NULL, "unbound", 0, 0, LESS, "warn=1",
	  "warn=1" },

	{ "VF-116: a number", NULL, "fd_limit", 0, -EMFILE, NOTHING },
	{ "VF-116: too many files", NULL, "file_max", 0, -ENFILE, NOTHING },
	{ "VF-116: a file", NULL, "file", 0, -ENOMEM, NOTHING },
	{ "VF-116: a security module", NULL, "file_security", 0, -EACCES, NOTHING },
	{ "a security module at open", NULL, "file_open_security", 0, -EACCES, NOTHING },
	{ "VF-327, VF-95: the container", NULL, "container", 0, -ENOMEM, NOTHING },
	{ "VF-328, VF-101: the backend's data", NULL, "data", 0, -ENOMEM, NOTHING },
	{ "VF-329, VF-330: the backend's attach", NULL, "backend_attach", 0, -EIO, NOTHING },
	{ "VF-42, VF-103, VF-331: a bad address", NULL, "copy_from_user", 0, -EFAULT, NOTHING },
	{ "VF-42: a bad address", NULL, "copy_to_user", 0, -EFAULT, NOTHING },
	{ "VF-109, VF-331: the copy of the name", NULL, "len", 0, -ENOMEM, NOTHING },
	{ "VF-114, VF-333, VF-385: the driver's open", NULL, "driver_open", 0, -EIO, NOTHING },
	{ "VF-116, VF-335: the core is going", NULL, "module_going", 0, -ENOENT, NOTHING },
	{ "VF-116, VF-335: no anonymous inode", NULL, "anon_inode_inode", 0, -ENODEV, NOTHING },
	{ "VF-123: a view", NULL, "vm_area_struct", 0, -ENOMEM, NOTHING },
	{ "VF-123: its tables", NULL, "pte_table", 0, -ENOMEM, NOTHING },
};

/* ---- one run ---- */

struct outcome {
	const char *site, *step;
	char *before, *row, *flushed;	/* of the log; NULL: the run had none */
};

static bool is_row_of(const char *line, const char *step)
{
	size_t length = strlen(step);

	return g_str_has_prefix(line, "step=\"") && !strncmp(line + 6, step, length) &&
	       line[6 + length] == '"';
}

static void find_rows(const char *log, const char *step, struct outcome *out)
{
	g_auto(GStrv) lines = g_strsplit(log, "\n", 0);

	for (int i = 0; lines[i]; i++) {
		if (is_row_of(lines[i], step)) {
			out->before = g_strdup(i ? lines[i - 1] : "");
			out->row = g_strdup(lines[i]);
		} else if (is_row_of(lines[i], "flushed")) {
			out->flushed = g_strdup(lines[i]);
		}
	}
}

/* The value of a column, or "". */
static char *column(const char *row, const char *name)
{
	g_autofree char *key = g_strdup_printf(" %s=", name);
	const char *at = row ? strstr(row, key) : NULL;

	if (!at)
		return g_strdup("");
	at += strlen(key);
	return g_strndup(at, strcspn(at, " "));
}

static const char *const columns[] = {
	"pins", "mnt", "mref", "sbs", "inodes", "dev", "group", "cont", "iommu", "mod", "file",
	"req", "work", "node", "warn",
};

/* Columns of @have that are not as in @want, "name=value" each, but for @but. */
static char *differences(const char *want, const char *have, const char *but)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
		g_autofree char *a = column(want, columns[i]), *b = column(have, columns[i]);

		if (strcmp(a, b) && (!but || strcmp(columns[i], but)))
			g_string_append_printf(out, "%s%s=%s", out->len ? " " : "", columns[i], b);
	}
	return g_string_free(out, FALSE);
}

/* ---- judging ---- */

static const struct expected *expected_of(const struct outcome *out, unsigned int nth)
{
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		const struct expected *e = &table[i];

		if ((!e->step || !strcmp(e->step, out->step)) && !strcmp(e->site, out->site) &&
		    (!e->nth || e->nth == nth))
			return e;
	}
	return NULL;
}

/* What is wrong with @out, or "". @clean: the same step when nothing fails. */
static char *judge(const struct expected *e, const struct outcome *out,
		   const struct outcome *clean)
{
	g_autofree char *ret = column(out->row, "ret"), *want = g_strdup_printf("%ld", e->ret);
	g_autofree char *clean_ret = column(clean->row, "ret");
	g_autofree char *step = NULL, *rest = NULL;

	if (strcmp(ret, e->effect == NOTHING ? want : clean_ret))
		return g_strdup_printf("returns %s, not %s", ret, want);
	if (e->effect == NOTHING) {
		rest = differences(out->before, out->flushed, "warn");
		return *rest ? g_strdup_printf("leaves %s", rest) : g_strdup("");
	}
	step = differences(clean->row, out->row, NULL);
	if (strcmp(step, e->differs ? e->differs : ""))
		return g_strdup_printf("differs by %s, not by %s", step, e->differs);
	rest = differences(clean->flushed, out->flushed, NULL);
	if (strcmp(rest, e->leaves ? e->leaves : ""))
		return g_strdup_printf("leaves %s, not %s", rest, e->leaves);
	return g_strdup("");
}

/* A reference that is never put shows at the end of the run, and nothing else may. */
static bool is_kernels_own(const struct expected *e)
{
	const struct finding *failure = run_failure();

	if (!failure)
		return true;
	return strstr(e->what, "VF-326") && (!strcmp(failure->detector, "leak") ||
					    strstr(failure->message, "VF-227"));
}

static GPtrArray *flows;

static const char *script_path(void)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/data/core-5.14-patched/faults-steps.txt", TESTS_DIR);
	return path;
}

/* The step's row without faults, and what deferred work makes of it. */
static struct outcome clean_outcome(const char *log, const char *step)
{
	g_auto(GStrv) lines = g_strsplit(log, "\n", 0);
	struct outcome out = { .step = step };

	for (int i = 0; lines[i]; i++) {
		if (!is_row_of(lines[i], step))
			continue;
		out.row = g_strdup(lines[i]);
		out.flushed = g_strdup(lines[i + 1] && g_str_has_prefix(lines[i + 1],
				       "step=\"flush ") ? lines[i + 1] : lines[i]);
	}
	return out;
}

static void outcome_clear(struct outcome *out)
{
	g_free(out->before);
	g_free(out->row);
	g_free(out->flushed);
}

/* Which of the fault points of this name in this step it is. */
static unsigned int occurrence(GHashTable *seen, const struct outcome *out)
{
	char *key = g_strdup_printf("%s/%s", out->step, out->site);
	unsigned int n = GPOINTER_TO_UINT(g_hash_table_lookup(seen, key)) + 1;

	g_hash_table_insert(seen, key, GUINT_TO_POINTER(n));
	return n;
}

static void check_fault(struct outcome *out, unsigned int nth, const char *clean_log,
			GHashTable *seen)
{
	struct outcome clean = clean_outcome(clean_log, out->step);
	const struct expected *e = expected_of(out, occurrence(seen, out));
	char *wrong;

	find_rows(core_log, out->step, out);
	ck_assert_msg(e, "fault %u, %s in \"%s\": not in the table", nth, out->site, out->step);
	ck_assert_msg(out->row && out->flushed, "fault %u, %s in \"%s\": the run broke off: %s",
		      nth, out->site, out->step, run_failure() ? run_failure()->message : "");
	wrong = judge(e, out, &clean);
	ck_assert_msg(!*wrong, "fault %u, %s in \"%s\" (%s): %s", nth, out->site, out->step,
		      e->what, wrong);
	ck_assert_msg(is_kernels_own(e), "fault %u, %s in \"%s\" (%s): %s", nth, out->site,
		      out->step, e->what, run_failure()->message);
	g_free(wrong);
	outcome_clear(&clean);
}

static const unsigned int least[] = { 80, 5, 40, 14 };

/* VF-352: each row of section K by failing exactly one step. */
START_TEST(every_failure_leaves_what_the_table_says)
{
	const struct core_section *flow = g_ptr_array_index(flows, _i);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	unsigned int checked = 0;
	struct core_step *steps;
	const char *detector;
	char *clean_log;

	steps = core_parse_script(flow, script_path(), &detector, NULL);
	ck_assert(steps);
	core_run(steps);
	ck_assert(!run_failure());
	clean_log = g_strdup(core_log);
	for (unsigned int nth = 1; ; nth++) {
		struct outcome out = { NULL };

		out.site = core_run_failing(steps, nth, &out.step);
		if (!out.site)
			break;
		if (!*out.step)
			continue;
		check_fault(&out, nth, clean_log, seen);
		outcome_clear(&out);
		checked++;
	}
	g_free(clean_log);
	ck_assert_uint_ge(checked, least[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core-faults");
	TCase *tcase = tcase_create("sweeps");
	SRunner *runner = srunner_create(suite);
	int failed;

	flows = core_read_sections(script_path());
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, every_failure_leaves_what_the_table_says, 0, flows->len);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
