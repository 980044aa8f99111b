// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vma list of vfio-pci in 5.14 (section I): what a fault fills, what open and
 * close do, the loop that zaps, and what it does about dying address spaces.
 */
#include <string.h>

#include "vpci.h"

static uint32_t touch(struct vfiosim_process *process, uint64_t address)
{
	return vfiosim_load(process, address, NULL);
}

/* ---- faults ---- */

/* MM-188: the whole VMA by one fault, and none after it; SIGBUS while memory is off */
static void filled_and_zapped(void *fixture)
{
	struct vpci *v = fixture;

	for (unsigned int page = 0; page < 16; page++)
		vfiosim_expect(touch(v->alice, v->bar + page * VPCI_PAGE) == 0);
	vfiosim_expect(vpci_present(v, v->bar, 16) == 16);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vpci_present(v, v->bar, 16) == 0);
	vfiosim_expect(touch(v->alice, v->bar + VPCI_PAGE) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, true) == 0);
	vfiosim_expect(touch(v->alice, v->bar + VPCI_PAGE) == 0);
	vfiosim_expect(vpci_present(v, v->bar, 16) == 16);
}

START_TEST(one_fault_fills_the_whole_mapping)
{
	vpci_run_one(filled_and_zapped, &vpci_list_5_14, NULL);
	ck_assert_uint_eq(simtest_trace_count("remap_pfn_range"), 2);
	/* MM-199: the inode's tree is there, and nobody asks it. */
	ck_assert_uint_eq(simtest_trace_count("unmap_mapping_pages"), 0);
}
END_TEST

/* MM-216: no memory for the entry: the VMA is emptied, not listed, and filled again */
START_TEST(a_mapping_that_cannot_be_listed_is_not_filled)
{
	static const struct vfiosim_scenario scenario = {
		.name = "unlisted", .fixture_size = sizeof(struct vpci),
		.kernel = VFIOSIM_KERNEL_5_14, .core = "port", .setup = vpci_setup,
		.tasks = { { "alice", filled_and_zapped } },
	};

	vpci_run = vpci_list_5_14;
	ck_assert_int_eq(simtest_run_fault_at(&scenario, "vfio_pci_mmap_vma", 1), VFIOSIM_OK);
	ck_assert_ptr_nonnull(simtest_failed_site());
	ck_assert_uint_eq(simtest_trace_count("remap_pfn_range"), 3);
}
END_TEST

/* ---- open and close: MM-189 ---- */

static void split_and_unmapped(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(touch(v->alice, v->bar) == 0);
	vfiosim_expect(vfiosim_mprotect(v->alice, v->bar + 4 * VPCI_PAGE, 4 * VPCI_PAGE,
					PROT_READ) == 0);
	/* The middle is the original; open has emptied both outer pieces. */
	vfiosim_expect(vpci_present(v, v->bar, 4) == 0);
	vfiosim_expect(vpci_present(v, v->bar + 4 * VPCI_PAGE, 4) == 4);
	vfiosim_expect(vpci_present(v, v->bar + 8 * VPCI_PAGE, 8) == 0);
	vfiosim_expect(touch(v->alice, v->bar) == 0);
	vfiosim_expect(vfiosim_munmap(v->alice, v->bar + 4 * VPCI_PAGE, 4 * VPCI_PAGE) == 0);
	/* What close took off the list is not looked at by the zap. */
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vpci_present(v, v->bar, 16) == 0);
}

START_TEST(open_empties_and_close_unlists)
{
	vpci_run_one(split_and_unmapped, &vpci_list_5_14, NULL);
}
END_TEST

/* ---- the zap ---- */

struct family {
	struct vpci a;
	struct vfiosim_process *child;
};

static void setup_family(void *fixture)
{
	struct family *f = fixture;

	vpci_setup(&f->a);
	f->child = vfiosim_fork(f->a.alice, "child");
	vfiosim_expect(touch(f->child, f->a.bar) == 0);
	vfiosim_expect(touch(f->a.alice, f->a.bar) == 0);
}

static void child_exits(void *fixture)
{
	struct family *f = fixture;

	vfiosim_exit(f->child);
}

static void memory_goes_off(void *fixture)
{
	struct family *f = fixture;

	vfiosim_expect(vfiosim_memory_space(f->a.alice, f->a.user.device, false) == 0);
	vfiosim_expect(vpci_present(&f->a, f->a.bar, 16) == 0);
}

/*
 * MM-190, MM-191: each address space in turn, its mmap_lock taken outside vma_lock,
 * then memory_lock with an empty list. MM-193: one that is exiting is dropped from
 * the list; nobody can run there any more.
 */
START_TEST(the_zap_leaves_dying_address_spaces_to_their_exit)
{
	static const struct vfiosim_scenario scenario = {
		.name = "family", .fixture_size = sizeof(struct family),
		.kernel = VFIOSIM_KERNEL_5_14, .core = "port", .setup = setup_family,
		.tasks = { { "exit", child_exits }, { "off", memory_goes_off } },
	};
	unsigned int dropped = 0, zapped = 0;

	vpci_run = vpci_list_5_14;
	for (unsigned int seed = 1; seed <= 150; seed++) {
		ck_assert_msg(simtest_run_random(&scenario, seed) == VFIOSIM_OK, "seed %u: %s",
			      seed, run_failure() ? run_failure()->message : "?");
		dropped += simtest_trace_count("vma_list_of_the_dead") > 0;
		zapped += simtest_trace_count("vma_list_of_the_dead") == 0;
	}
	ck_assert_uint_gt(dropped, 0);
	ck_assert_uint_gt(zapped, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vma_list");
	TCase *tc = tcase_create("vma_list");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, one_fault_fills_the_whole_mapping);
	tcase_add_test(tc, a_mapping_that_cannot_be_listed_is_not_filled);
	tcase_add_test(tc, open_empties_and_close_unlists);
	tcase_add_test(tc, the_zap_leaves_dying_address_spaces_to_their_exit);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
