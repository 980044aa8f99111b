// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order of locks, section J.2 of docs/spec/vfio.md: which lock is taken while
 * which is held, in whole lives of devices. An inversion is found by the engine's
 * own detector; here each edge of the specification must have been seen, and none
 * that it forbids.
 */
#include <glib.h>

#include "core-scenarios.h"
#include "trace.h"
#include "vpci.h"

/* "group#12.device_lock" as "group.device_lock". */
static char *class_of(const char *object)
{
	GString *out = g_string_new(NULL);

	for (const char *at = object; *at; at++) {
		if (*at == '#')
			at += strspn(at + 1, "0123456789");
		else
			g_string_append_c(out, *at);
	}
	return g_string_free(out, FALSE);
}

enum lock_event { NOT_A_LOCK, TAKEN, LEFT };

static enum lock_event lock_event(const struct trace_event *e)
{
	static const char *const takes[] = { "mutex_lock", "mutex_trylock", "spin_lock",
					     "down_read", "down_write" };
	static const char *const leaves[] = { "mutex_unlock", "spin_unlock", "up_read",
					      "up_write" };

	if (e->kind != TRACE_STEP)
		return NOT_A_LOCK;
	for (size_t i = 0; i < G_N_ELEMENTS(takes); i++)
		if (!strcmp(e->what, takes[i]))
			return TAKEN;
	for (size_t i = 0; i < G_N_ELEMENTS(leaves); i++)
		if (!strcmp(e->what, leaves[i]))
			return LEFT;
	return NOT_A_LOCK;
}

static void forget(GPtrArray *held, const char *object)
{
	for (guint i = held->len; i > 0; i--) {
		if (!strcmp(g_ptr_array_index(held, i - 1), object)) {
			g_ptr_array_remove_index(held, i - 1);
			return;
		}
	}
}

/* All edges of the last run as "outer > inner", added to @edges. */
static void add_edges(GHashTable *edges)
{
	g_autoptr(GHashTable) tasks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							    (GDestroyNotify)g_ptr_array_unref);

	for (size_t i = 0; i < trace_count(); i++) {
		const struct trace_event *e = trace_get(i);
		enum lock_event event = lock_event(e);
		g_autofree char *inner = class_of(e->object);
		GPtrArray *held;

		if (event == NOT_A_LOCK)
			continue;
		held = g_hash_table_lookup(tasks, e->task_name);
		if (!held) {
			held = g_ptr_array_new_with_free_func(g_free);
			g_hash_table_insert(tasks, g_strdup(e->task_name), held);
		}
		if (event == LEFT) {
			forget(held, e->object);
			continue;
		}
		for (guint k = 0; k < held->len; k++) {
			g_autofree char *outer = class_of(g_ptr_array_index(held, k));

			g_hash_table_add(edges, g_strdup_printf("%s > %s", outer, inner));
		}
		g_ptr_array_add(held, g_strdup(e->object));
	}
}

static void use_device(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vfiosim_munmap(v->alice, v->bar, VPCI_BAR) == 0);
	vfiosim_user_close(&v->user);
	vfiosim_expect(vfiosim_unbind(NULL, v->device) == 0);
}

/* The lives of both drivers under the port; of the merged core's for its own order. */
static GHashTable *edges_of(const struct vpci_run *run)
{
	GHashTable *edges = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	if (run == &vpci_list_5_14) {
		assert_scenario_ok(&core_whole_life);
		add_edges(edges);
	}
	vpci_run_one(use_device, run, NULL);
	add_edges(edges);
	return edges;
}

static const struct {
	const char *what;
	const struct vpci_run *run;
	const char *outer, *inner;
} orders[] = {
	{ "VF-143, VF-231", &vpci_list_5_14, "pci_dev.mutex", "vfio.group_lock" },
	{ "VF-143, VF-231", &vpci_list_5_14, "pci_dev.mutex", "group.device_lock" },
	{ "VF-232", &vpci_list_5_14, "subsys_private.rwsem", "iommu_group.rwsem" },
	{ "VF-232", &vpci_list_5_14, "iommu_group.rwsem", "vfio.group_lock" },
	{ "VF-232", &vpci_list_5_14, "iommu_group.rwsem", "group.unbound_lock" },
	{ "VF-233", &vpci_list_5_14, "iommu_group.mutex", "group.unbound_lock" },
	{ "VF-233", &vpci_list_5_14, "iommu_group.mutex", "group.device_lock" },
	{ "VF-3, VF-234", &vpci_list_5_14, "container.group_lock", "vfio.iommu_drivers_lock" },
	{ "VF-3, VF-234", &vpci_list_5_14, "vfio.iommu_drivers_lock", "vfio_iommu.lock" },
	{ "VF-234", &vpci_list_5_14, "vfio_iommu.lock", "iommu_group.mutex" },
	{ "VF-236", &vpci_list_5_14, "vfio.group_lock", "nodes_lock" },
	{ "VF-144, VF-237", &vpci_list_5_14, "reflck_lock", "pci_bus_sem" },
	{ "VF-237", &vpci_list_5_14, "pci_bus_sem", "vfio.group_lock" },
	{ "VF-238", &vpci_list_5_14, "mm_struct.mmap_lock", "vfio_pci_device.vma_lock" },
	{ "VF-238", &vpci_list_5_14, "vfio_pci_device.vma_lock", "vfio_pci_device.memory_lock" },
	{ "VF-238", &vpci_space_6_12, "mm_struct.mmap_lock", "vfio_pci_device.memory_lock" },
	{ "VF-238", &vpci_space_6_12, "vfio_pci_device.memory_lock", "inode.i_mmap_rwsem" },
	{ "VF-239", &vpci_list_5_14, "pci_dev.mutex", "pin_fs_lock" },
	{ "VF-239", &vpci_list_5_14, "pci_dev.mutex", "super_block.s_umount" },
	{ "VF-239", &vpci_list_5_14, "pci_dev.mutex", "shrinker_rwsem" },
	{ "FS-174", &vpci_list_5_14, "super_block.s_umount", "sb_lock" },
	{ "FS-174", &vpci_list_5_14, "super_block.s_umount", "shrinker_rwsem" },
	/* The group's device is named "0"; "fresh" is the set's name where it is made. */
	{ "VF-361", &vpci_space_6_12, "vfio.group_lock", "0.group_lock" },
	{ "VF-361", &vpci_space_6_12, "0.group_lock", "fresh.lock" },
	{ "VF-361", &vpci_space_6_12, "0.group_lock", "container.group_lock" },
};

START_TEST(each_nesting_of_the_specification_happens_and_never_the_other_way_round)
{
	g_autoptr(GHashTable) edges = edges_of(orders[_i].run);
	g_autofree char *edge = g_strdup_printf("%s > %s", orders[_i].outer, orders[_i].inner);
	g_autofree char *inverse = g_strdup_printf("%s > %s", orders[_i].inner, orders[_i].outer);

	ck_assert_msg(g_hash_table_contains(edges, edge), "%s: no %s", orders[_i].what, edge);
	ck_assert_msg(!g_hash_table_contains(edges, inverse), "%s: %s", orders[_i].what, inverse);
}
END_TEST

/* What no lock of vfio is held around. */
static const struct {
	const char *what, *outer, *inner;
} never[] = {
	{ "VF-29, VF-236: a chain's lock", "vfio.group_lock", "iommu_group.rwsem" },
	{ "FS-175, VF-86, VF-239: the pin", "vfio.group_lock", "pin_fs_lock" },
	{ "FS-175, VF-86, VF-239: the pin", "group.device_lock", "pin_fs_lock" },
	{ "FS-175, VF-86, VF-239: the mount", "vfio.group_lock", "super_block.s_umount" },
	{ "FS-175, VF-86, VF-239: the mount", "group.device_lock", "super_block.s_umount" },
	{ "VF-67: the list, in the duplicate check", "vfio.group_lock", "group.device_lock" },
	{ "VF-41: a container under a group", "group.device_lock", "container.group_lock" },
};

START_TEST(some_locks_are_never_taken_under_others)
{
	g_autoptr(GHashTable) edges = edges_of(&vpci_list_5_14);
	g_autofree char *edge = g_strdup_printf("%s > %s", never[_i].outer, never[_i].inner);

	ck_assert_msg(!g_hash_table_contains(edges, edge), "%s: %s", never[_i].what, edge);
}
END_TEST

/* "test-lock-order edges" shows what is seen. */
static int show(void)
{
	static const struct vpci_run *const runs[] = { &vpci_list_5_14, &vpci_space_6_12 };

	for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
		g_autoptr(GHashTable) edges = edges_of(runs[i]);
		g_autoptr(GList) keys = g_hash_table_get_keys(edges);

		keys = g_list_sort(keys, (GCompareFunc)strcmp);
		for (GList *at = keys; at; at = at->next)
			printf("%s: %s\n", runs[i]->core, (char *)at->data);
	}
	return 0;
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("lock-order");
	TCase *tcase = tcase_create("order");

	if (argc > 1)
		return show();
	tcase_add_loop_test(tcase,
			    each_nesting_of_the_specification_happens_and_never_the_other_way_round,
			    0, G_N_ELEMENTS(orders));
	tcase_add_loop_test(tcase, some_locks_are_never_taken_under_others, 0,
			    G_N_ELEMENTS(never));
	suite_add_tcase(suite, tcase);
	return simtest_main(suite);
}
