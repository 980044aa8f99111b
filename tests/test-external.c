// SPDX-License-Identifier: GPL-2.0-only
/*
 * External users of a group, with the type1 backend: a KVM that holds the group
 * behind a file (VF-129 to VF-133, VF-136, VF-391), and the driver of an emulated
 * device that pins user memory and is told when it goes (VF-134, VF-135, VF-137).
 */
#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/work.h>

#include "core-driver.h"
#include "invariants_vfio.h"
#include "process.h"
#include "simtest.h"
#include "syscall.h"

#define PROT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS 0x22
#define IOVA 0x100000UL
#define IOVA_PFN (IOVA >> PAGE_SHIFT)
#define RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

DECLARE_MODULE(vfio_iommu_type1);

static struct {
	struct vfio_group *group;
	unsigned long memory;		/* two pages of the user's at IOVA */
	u64 told_iova, told_size;
	unsigned int told;
	void *kvm;
	unsigned int kvms;
	struct notifier_block listener, kvm_listener;
} ext KSTATE;

static struct device *dev_a(void)
{
	return core_find("A")->dev;
}

static long map_dma(u64 iova, unsigned long vaddr, u64 size, u32 flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = flags, .vaddr = vaddr, .iova = iova, .size = size,
	};

	return core_ioctl(core_file("C"), VFIO_IOMMU_MAP_DMA, (unsigned long)&map);
}

static long unmap_dma(u64 iova, u64 size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = size,
	};
	long ret = core_ioctl(core_file("C"), VFIO_IOMMU_UNMAP_DMA, (unsigned long)&unmap);

	return ret ? ret : (long)unmap.size;
}

static void setup_bound(const char *name, int group)
{
	core_plug(name, group);
	vfiosim_expect(core_bind(core_find(name), "simple") == 0);
	core_flush();
}

/* The group of A in a container of the type1 backend, two pages of memory mapped for it. */
static void setup_attached(void)
{
	vfiosim_expect(core_open("C", "/dev/vfio/vfio") >= 0);
	vfiosim_expect(core_open_group("G", "0") >= 0);
	vfiosim_expect(core_set_container(core_file("G"), core_file("C")) == 0);
	vfiosim_expect(core_ioctl(core_file("C"), VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) == 0);
	ext.memory = sys_mmap(core.user, 0, 2 * PAGE_SIZE, PROT_READ_WRITE,
			      MAP_PRIVATE_ANONYMOUS, -1, 0);
	vfiosim_expect(!IS_ERR((void *)ext.memory));
	vfiosim_expect(map_dma(IOVA, ext.memory, 2 * PAGE_SIZE, RW) == 0);
	vfiosim_expect(process_add_threads(core.user, 2) == 0);
}

static void setup(void *unused)
{
	core_setup();
	vfiosim_expect(load_module(MODULE(vfio_iommu_type1)) == 0);
	setup_bound("A", 0);
	setup_attached();
}

static void setup_two(void *unused)
{
	core_setup();
	vfiosim_expect(load_module(MODULE(vfio_iommu_type1)) == 0);
	setup_bound("A", 0);
	setup_bound("B", 0);
	setup_attached();
}

static void teardown(void *unused)
{
	exit_users();
	core_flush();
	vfiosim_expect(delete_module(MODULE(vfio_iommu_type1)) == 0);
	core_teardown();
}

static void hold_group(void)
{
	ext.group = vfio_group_get_external_user(core_file("G")->file);
	vfiosim_expect(!IS_ERR(ext.group));
}

/* ---- KVM ---- */

static int note_kvm(struct notifier_block *nb, unsigned long action, void *data)
{
	vfiosim_expect(action == VFIO_GROUP_NOTIFY_SET_KVM);
	ext.kvm = data;
	ext.kvms++;
	return NOTIFY_OK;
}

static int listen_for_kvm(void)
{
	unsigned long events = VFIO_GROUP_NOTIFY_SET_KVM;

	ext.kvm_listener.notifier_call = note_kvm;
	return vfio_register_notifier(dev_a(), VFIO_GROUP_NOTIFY, &events, &ext.kvm_listener);
}

static void kvm_holds(void *unused)
{
	struct kvm *kvm = (struct kvm *)&ext;

	setup_bound("B", 1);
	vfiosim_expect(core_open_group("other", "1") >= 0);
	/* VF-130: only a group's file; VF-133. */
	vfiosim_expect(vfio_group_get_external_user(core_file("C")->file) == ERR_PTR(-EINVAL));
	hold_group();
	vfiosim_expect(vfio_external_group_match_file(ext.group, core_file("G")->file));
	vfiosim_expect(!vfio_external_group_match_file(ext.group, core_file("C")->file));
	vfiosim_expect(!vfio_external_group_match_file(ext.group, core_file("other")->file));
	vfiosim_expect(vfio_external_user_iommu_id(ext.group) ==
		       iommu_group_id(dev_a()->iommu_group));
	vfiosim_expect(vfio_external_check_extension(ext.group, VFIO_TYPE1v2_IOMMU) == 1);
	vfiosim_expect(vfio_external_check_extension(ext.group, 77) == 0);

	/* VF-135, VF-136: who comes late is told at once, and of each change. */
	vfio_group_set_kvm(ext.group, kvm);
	vfiosim_expect(listen_for_kvm() == 0 && ext.kvms == 1 && ext.kvm == kvm);
	vfio_group_set_kvm(ext.group, NULL);
	vfiosim_expect(ext.kvms == 2 && !ext.kvm);
	vfiosim_expect(vfio_unregister_notifier(dev_a(), VFIO_GROUP_NOTIFY, &ext.kvm_listener) ==
		       0);
	vfiosim_expect(vfio_unregister_notifier(dev_a(), VFIO_GROUP_NOTIFY, &ext.kvm_listener) ==
		       -ENOENT);
	vfiosim_expect(vfio_unregister_notifier(dev_a(), 7, &ext.kvm_listener) == -EINVAL);
	vfiosim_expect(vfio_unregister_notifier(dev_a(), VFIO_GROUP_NOTIFY, NULL) == -EINVAL);

	/* VF-391: the group's file closes, the attachment stays; VF-132: the put ends it. */
	vfiosim_expect(core_ioctl(core_file("G"), VFIO_GROUP_UNSET_CONTAINER, 0) == -EBUSY);
	vfiosim_expect(core_close(core_file("G")) == 0);
	vfiosim_expect(vfio_external_check_extension(ext.group, VFIO_TYPE1v2_IOMMU) == 1);
	vfiosim_expect(core_open_group("G2", "0") == -EBUSY);
	vfio_group_put_external_user(ext.group);
	vfiosim_expect(core_open_group("G2", "0") >= 0);
	vfiosim_expect(core_ioctl(core_file("G2"), VFIO_GROUP_UNSET_CONTAINER, 0) == -EINVAL);
	/* VF-131: nobody attached it again. */
	vfiosim_expect(vfio_group_get_external_user_from_dev(dev_a()) == ERR_PTR(-EINVAL));
}

START_TEST(a_kvm_keeps_the_group_in_its_container)
{
	static const struct vfiosim_scenario scenario = {
		.name = "kvm-holds", .fixture_size = 16, .setup = setup, .teardown = teardown,
		.check = vfio_invariants_hold, .tasks = { { "kvm", kvm_holds } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

static void setup_held(void *unused)
{
	setup(NULL);
	hold_group();
}

static void kvm_lets_go(void *unused)
{
	vfio_group_put_external_user(ext.group);
}

static void user_closes(void *unused)
{
	vfiosim_expect(core_close(core_file("G")) == 0);
}

static void admin_unbinds(void *unused)
{
	struct task_struct *task = process_enter(core.admin);

	core_unbind(core_find("A"));
	exit_to_user_mode(task, 0);
}

/* VF-132, VF-261: whoever is last detaches; the waiting unregister goes on. */
START_TEST(the_last_user_detaches_whoever_it_is)
{
	static const struct vfiosim_scenario scenario = {
		.name = "kvm-lets-go", .fixture_size = 16, .setup = setup_held,
		.teardown = teardown, .check = vfio_invariants_hold,
		.tasks = {
			{ "kvm", kvm_lets_go }, { "user", user_closes }, { "admin", admin_unbinds },
		},
	};

	assert_scenario_ok_random(&scenario, 60);
}
END_TEST

/* ---- pinned memory ---- */

/* What a driver does when its pages go: it lets go of them. */
static int note_unmap(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct vfio_iommu_type1_dma_unmap *unmap = data;
	unsigned long pfn = unmap->iova >> PAGE_SHIFT;

	vfiosim_expect(action == VFIO_IOMMU_NOTIFY_DMA_UNMAP);
	ext.told++;
	ext.told_iova = unmap->iova;
	ext.told_size = unmap->size;
	vfiosim_expect(vfio_unpin_pages(dev_a(), &pfn, 1) == 1);
	return NOTIFY_OK;
}

static int listen_for_unmap(void)
{
	unsigned long events = VFIO_IOMMU_NOTIFY_DMA_UNMAP;

	ext.listener.notifier_call = note_unmap;
	return vfio_register_notifier(dev_a(), VFIO_IOMMU_NOTIFY, &events, &ext.listener);
}

static void pins(void *unused)
{
	unsigned long user[2] = { IOVA_PFN, IOVA_PFN + 1 }, beyond = IOVA_PFN + 2, phys[2];

	/* Nobody could be told: type1 wants a listener first. */
	vfiosim_expect(vfio_pin_pages(dev_a(), user, 1, IOMMU_READ, phys) == -EINVAL);
	vfiosim_expect(listen_for_unmap() == 0);
	vfiosim_expect(vfio_pin_pages(dev_a(), user, 2, IOMMU_READ | IOMMU_WRITE, phys) == 2);
	vfiosim_expect(phys[0] != phys[1]);
	/* All or none: the second page is not mapped for the device. */
	user[1] = beyond;
	vfiosim_expect(vfio_pin_pages(dev_a(), user, 2, IOMMU_READ, phys) == -EINVAL);
	vfiosim_expect(vfio_unpin_pages(dev_a(), &beyond, 1) == -EINVAL);
	user[1] = IOVA_PFN + 1;
	vfiosim_expect(vfio_unpin_pages(dev_a(), &user[1], 1) == 1);
	vfiosim_expect(vfio_unpin_pages(dev_a(), &user[1], 1) == -EINVAL);

	/* VF-134: what the core itself refuses. */
	vfiosim_expect(vfio_pin_pages(NULL, user, 1, 0, phys) == -EINVAL);
	vfiosim_expect(vfio_pin_pages(dev_a(), user, 513, 0, phys) == -E2BIG);
	vfiosim_expect(vfio_pin_pages(dev_a(), user, -1, 0, phys) == -E2BIG);
	vfiosim_expect(vfio_unpin_pages(dev_a(), user, 0) == -EINVAL);
	vfiosim_expect(vfio_unpin_pages(dev_a(), user, 513) == -E2BIG);

	/* The unmap tells of the page that is pinned still, and waits until it is not. */
	vfiosim_expect(unmap_dma(IOVA, 2 * PAGE_SIZE) == 2 * PAGE_SIZE);
	vfiosim_expect(ext.told == 1 && ext.told_iova == IOVA && ext.told_size == 2 * PAGE_SIZE);
	vfiosim_expect(vfio_unregister_notifier(dev_a(), VFIO_IOMMU_NOTIFY, &ext.listener) == 0);
}

static void pins_by_group(void *unused)
{
	unsigned long user = IOVA_PFN, phys;

	vfiosim_expect(listen_for_unmap() == 0);
	hold_group();
	vfiosim_expect(vfio_group_pin_pages(NULL, &user, 1, 0, &phys) == -EINVAL);
	vfiosim_expect(vfio_group_pin_pages(ext.group, &user, 513, 0, &phys) == -E2BIG);
	vfiosim_expect(vfio_group_pin_pages(ext.group, &user, 1, IOMMU_READ, &phys) == 1);
	vfiosim_expect(vfio_group_unpin_pages(ext.group, &user, 513) == -E2BIG);
	vfiosim_expect(vfio_group_unpin_pages(ext.group, &user, 1) == 1);

	/* VF-137 */
	vfiosim_expect(vfio_group_iommu_domain(NULL) == ERR_PTR(-EINVAL));
	vfiosim_expect(!IS_ERR_OR_NULL(vfio_group_iommu_domain(ext.group)));
	vfio_group_put_external_user(ext.group);
	vfiosim_expect(vfio_unregister_notifier(dev_a(), VFIO_IOMMU_NOTIFY, &ext.listener) == 0);
}

/* VF-134: a second device of the group could be told nothing, so nobody may pin. */
static void pins_beside_a_neighbour(void *unused)
{
	unsigned long user = IOVA_PFN, phys;

	vfiosim_expect(listen_for_unmap() == 0);
	vfiosim_expect(vfio_pin_pages(dev_a(), &user, 1, IOMMU_READ, &phys) == -EINVAL);
	/* By device the number of pages is looked at first, by group the neighbour. */
	vfiosim_expect(vfio_pin_pages(dev_a(), &user, 513, IOMMU_READ, &phys) == -E2BIG);
	hold_group();
	vfiosim_expect(vfio_group_pin_pages(ext.group, &user, 1, 0, &phys) == -EINVAL);
	vfiosim_expect(vfio_group_pin_pages(ext.group, &user, 513, IOMMU_READ, &phys) == -EINVAL);
	vfio_group_put_external_user(ext.group);
	vfiosim_expect(vfio_unregister_notifier(dev_a(), VFIO_IOMMU_NOTIFY, &ext.listener) == 0);
}

static void copies(void *unused)
{
	char out[300], in[300] = "";
	struct task_struct *task;

	memset(out, 'o', sizeof(out));
	vfiosim_expect(map_dma(0x500000, ext.memory, PAGE_SIZE, VFIO_DMA_MAP_FLAG_READ) == 0);
	hold_group();
	vfiosim_expect(vfio_dma_rw(NULL, IOVA, out, 8, true) == -EINVAL);
	vfiosim_expect(vfio_dma_rw(ext.group, IOVA, NULL, 8, true) == -EINVAL);
	vfiosim_expect(vfio_dma_rw(ext.group, IOVA, out, 0, true) == -EINVAL);
	vfiosim_expect(vfio_dma_rw(ext.group, IOVA + 2 * PAGE_SIZE, in, 8, false) == -EINVAL);
	vfiosim_expect(vfio_dma_rw(ext.group, IOVA + PAGE_SIZE - 100, out, 300, true) == 0);
	/* The same memory by another address that may only be read. */
	vfiosim_expect(vfio_dma_rw(ext.group, 0x500000 + PAGE_SIZE - 100, in, 100, false) == 0);
	vfiosim_expect(in[0] == 'o' && in[99] == 'o' && !in[100]);
	vfiosim_expect(vfio_dma_rw(ext.group, 0x500000, out, 8, true) == -EPERM);
	task = process_enter(core.admin);
	vfiosim_expect(vfio_dma_rw(ext.group, IOVA, in, 8, false) == -EFAULT);
	exit_to_user_mode(task, 0);
	vfio_group_put_external_user(ext.group);
}

static const struct {
	const char *what;
	void (*body)(void *fixture);
	void (*setup)(void *fixture);
} uses[] = {
	{ "VF-134, VF-135: pages by device", pins, setup },
	{ "VF-134, VF-137: pages by group", pins_by_group, setup },
	{ "VF-134: pages beside a neighbour", pins_beside_a_neighbour, setup_two },
	{ "VF-134: copies", copies, setup },
};

START_TEST(user_memory_is_pinned_and_copied_through_the_backend)
{
	const struct vfiosim_scenario scenario = {
		.name = uses[_i].what, .fixture_size = 16, .setup = uses[_i].setup,
		.teardown = teardown, .check = vfio_invariants_hold,
		.tasks = { { "driver", uses[_i].body } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

static void pin_and_unpin(void *unused)
{
	unsigned long user = IOVA_PFN, phys;

	if (vfio_pin_pages(dev_a(), &user, 1, IOMMU_READ, &phys) == 1)
		/* Unless the callback did. */
		vfio_unpin_pages(dev_a(), &user, 1);
}

static int let_go(struct notifier_block *nb, unsigned long action, void *data)
{
	unsigned long pfn = IOVA_PFN;

	vfio_unpin_pages(dev_a(), &pfn, 1);
	return NOTIFY_OK;
}

static void setup_pinners(void *unused)
{
	unsigned long events = VFIO_IOMMU_NOTIFY_DMA_UNMAP;

	setup(NULL);
	ext.listener.notifier_call = let_go;
	vfiosim_expect(vfio_register_notifier(dev_a(), VFIO_IOMMU_NOTIFY, &events,
					      &ext.listener) == 0);
}

static void unmap_all(void *unused)
{
	vfiosim_expect(unmap_dma(IOVA, 2 * PAGE_SIZE) == 2 * PAGE_SIZE);
}

START_TEST(an_unmap_and_a_pin_leave_no_page_behind)
{
	static const struct vfiosim_scenario scenario = {
		.name = "pin-and-unmap", .fixture_size = 16, .setup = setup_pinners,
		.teardown = teardown, .check = vfio_invariants_hold,
		.tasks = { { "driver", pin_and_unpin }, { "user", unmap_all } },
	};

	assert_scenario_ok_random(&scenario, 60);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("external");
	TCase *tcase = tcase_create("users");

	tcase_add_test(tcase, a_kvm_keeps_the_group_in_its_container);
	tcase_add_test(tcase, the_last_user_detaches_whoever_it_is);
	tcase_add_loop_test(tcase, user_memory_is_pinned_and_copied_through_the_backend, 0,
			    ARRAY_SIZE(uses));
	tcase_add_test(tcase, an_unmap_and_a_pin_leave_no_page_behind);
	suite_add_tcase(suite, tcase);
	return simtest_main(suite);
}
