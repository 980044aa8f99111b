// SPDX-License-Identifier: GPL-2.0-only
/* IOMMU groups: members, events, domains, references; mediated devices' groups. */
#include <vfiosim/kapi/mdev.h>

#include "engine.h"

#include "drv.h"

static int is_it(struct device *dev, void *wanted)
{
	return dev == wanted;
}

static int group_event(struct notifier_block *nb, unsigned long action, void *data)
{
	static const char *const names[] = {
		"?", "add", "del", "bind", "bound", "unbind", "unbound",
	};

	drv_note(names[action]);
	/* VF-189: and a device that goes is still told of as a member. */
	vfiosim_expect(iommu_group_for_each_dev(((struct device *)data)->iommu_group, data,
						is_it) == 1);
	return NOTIFY_OK;
}

static struct notifier_block group_nb KSTATE = { .notifier_call = group_event };

/* A device behind the simple IOMMU; equal requester ids share a group. */
static struct device *plug(const char *name, u32 requester_id)
{
	struct device *dev = drv_new_device(name);

	vfiosim_expect(!requester_id || !iommu_fwspec_init(dev, requester_id));
	vfiosim_expect(!device_add(dev));
	return dev;
}

static void boot(void)
{
	drv_boot();
	vfiosim_expect(!bus_set_iommu(&drv_bus, &sim_iommu_ops));
	vfiosim_expect(!driver_register(&drv_driver));
}

static void shutdown(void)
{
	driver_unregister(&drv_driver);
	bus_set_iommu(&drv_bus, NULL);
	drv_shutdown();
}

/* VF-185, VF-186 */
static void ids_and_references(void *fixture)
{
	struct iommu_group *a = iommu_group_alloc(), *b = iommu_group_alloc();

	vfiosim_expect(iommu_group_id(a) == 0 && iommu_group_id(b) == 1);
	vfiosim_expect(iommu_group_refs(a) == 1 && iommu_group_members(a) == 0);
	vfiosim_expect(iommu_group_ref_get(a) == a && iommu_group_refs(a) == 2);
	iommu_group_put(a);
	iommu_group_put(a);
	a = iommu_group_alloc();
	vfiosim_expect(iommu_group_id(a) == 0);
	vfiosim_expect(!iommu_group_set_name(a, "group a"));
	iommu_group_put(a);
	iommu_group_put(b);
}

START_TEST(groups_take_the_lowest_free_number)
{
	assert_runs(ids_and_references);
}
END_TEST

static void note_release(void *data)
{
	drv_note("iommudata released");
}

static void iommudata(void *fixture)
{
	struct iommu_group *group = iommu_group_alloc();

	iommu_group_set_iommudata(group, fixture, note_release);
	vfiosim_expect(iommu_group_get_iommudata(group) == fixture);
	iommu_group_put(group);
	drv_expect_log("iommudata released");
}

START_TEST(the_last_reference_runs_the_iommudata_hook)
{
	assert_runs(iommudata);
}
END_TEST

/* VF-188, VF-189, VF-192 */
static void membership(void *fixture)
{
	struct device *a, *b, *c, *none;
	struct iommu_group *group;

	boot();
	a = plug("a", 1);
	b = plug("b", 1);
	c = plug("c", 2);
	none = plug("none", 0);
	group = iommu_group_get(a);
	vfiosim_expect(group && group == b->iommu_group && group != c->iommu_group);
	vfiosim_expect(!iommu_group_get(none));
	vfiosim_expect(iommu_group_members(group) == 2 && iommu_group_refs(group) == 3);
	device_unregister(b);
	vfiosim_expect(iommu_group_members(group) == 1 && iommu_group_refs(group) == 2);
	iommu_group_put(group);
	device_unregister(a);
	device_unregister(c);
	device_unregister(none);
	shutdown();
}

START_TEST(a_device_is_in_its_group_from_add_until_removed)
{
	assert_runs(membership);
}
END_TEST

static void forwarded_events(void *fixture)
{
	struct iommu_group *group;
	struct device *dev;

	boot();
	dev = plug("a", 1);
	group = iommu_group_get(dev);
	vfiosim_expect(!iommu_group_register_notifier(group, &group_nb));
	drv_forget();
	vfiosim_expect(!driver_bind_store(&drv_driver, "a"));
	drv_expect_log("BIND bind probe BOUND bound");
	drv_forget();
	vfiosim_expect(!driver_unbind_store(&drv_driver, "a"));
	drv_expect_log("UNBIND unbind remove UNBOUND unbound");
	drv_probe_result = -EIO;
	drv_forget();
	driver_bind_store(&drv_driver, "a");
	drv_expect_log("BIND bind probe NOT_BOUND");
	drv_forget();
	device_unregister(dev);
	drv_expect_log("DEL REMOVED del release");
	vfiosim_expect(iommu_group_refs(group) == 1);
	vfiosim_expect(!iommu_group_unregister_notifier(group, &group_nb));
	vfiosim_expect(iommu_group_unregister_notifier(group, &group_nb) == -ENOENT);
	iommu_group_put(group);
	shutdown();
}

START_TEST(bind_events_reach_the_group_but_del_and_not_bound_do_not)
{
	assert_runs(forwarded_events);
}
END_TEST

static int stop_at_b(struct device *dev, void *data)
{
	drv_note(dev_name(dev));
	return strcmp(dev_name(dev), "b") ? 0 : 42;
}

/* VF-190 */
static void walking(void *fixture)
{
	struct device *a, *b, *c;

	boot();
	a = plug("a", 1);
	b = plug("b", 1);
	c = plug("c", 1);
	drv_forget();
	vfiosim_expect(iommu_group_for_each_dev(a->iommu_group, NULL, stop_at_b) == 42);
	drv_expect_log("a b");
	device_unregister(a);
	device_unregister(b);
	device_unregister(c);
	shutdown();
}

START_TEST(a_walk_goes_in_the_order_of_insertion_until_the_first_result)
{
	assert_runs(walking);
}
END_TEST

/* VF-191: higher priority first, equal ones in the order of registration. */
#define PRIORITY_BLOCK(name, word, prio)						\
	static int name##_call(struct notifier_block *nb, unsigned long action, void *data) \
	{										\
		drv_note(word);								\
		return NOTIFY_OK;							\
	}										\
	static struct notifier_block name KSTATE = {				\
		.notifier_call = name##_call, .priority = prio }

PRIORITY_BLOCK(low_nb, "low", -1);
PRIORITY_BLOCK(first_nb, "first", 0);
PRIORITY_BLOCK(second_nb, "second", 0);
PRIORITY_BLOCK(high_nb, "high", 5);

static void chain_order(void *fixture)
{
	struct notifier_block *const blocks[] = { &low_nb, &first_nb, &high_nb, &second_nb };
	struct iommu_group *group;
	struct device *dev;

	boot();
	dev = plug("a", 1);
	group = iommu_group_get(dev);
	for (unsigned int i = 0; i < ARRAY_SIZE(blocks); i++)
		vfiosim_expect(!iommu_group_register_notifier(group, blocks[i]));
	bus_unregister_notifier(&drv_bus, &drv_nb);
	drv_forget();
	vfiosim_expect(!driver_bind_store(&drv_driver, "a"));
	drv_expect_log("high first second low probe high first second low");
	vfiosim_expect(!bus_register_notifier(&drv_bus, &drv_nb));
	for (unsigned int i = 0; i < ARRAY_SIZE(blocks); i++)
		iommu_group_unregister_notifier(group, blocks[i]);
	iommu_group_put(group);
	device_unregister(dev);
	shutdown();
}

START_TEST(the_chain_calls_by_priority_then_by_age)
{
	assert_runs(chain_order);
}
END_TEST

/* VF-193 */
static void attaching(void *fixture)
{
	struct iommu_domain *domain, *other, *dma;
	struct iommu_group *group;
	struct device *a, *b;

	boot();
	a = plug("a", 1);
	b = plug("b", 1);
	group = iommu_group_get(a);
	dma = iommu_get_domain_for_dev(a);
	domain = iommu_domain_alloc(&drv_bus);
	other = iommu_domain_alloc(&drv_bus);
	vfiosim_expect(dma && dma->attached == 2);
	vfiosim_expect(!iommu_attach_group(domain, group));
	vfiosim_expect(domain->attached == 2 && dma->attached == 0);
	vfiosim_expect(iommu_get_domain_for_dev(b) == domain);
	vfiosim_expect(iommu_attach_group(other, group) == -EBUSY);
	iommu_detach_group(domain, group);
	vfiosim_expect(domain->attached == 0 && dma->attached == 2);
	vfiosim_expect(!iommu_attach_group(other, group));
	iommu_detach_group(other, group);
	iommu_domain_free(other);
	iommu_domain_free(domain);
	iommu_group_put(group);
	device_unregister(a);
	device_unregister(b);
	shutdown();
}

START_TEST(a_group_is_in_one_domain_and_falls_back_to_the_default_one)
{
	assert_runs(attaching);
}
END_TEST

/* VF-193, second half: what was attached before a member failed stays so. */
static void attach_half(void *fixture)
{
	struct iommu_domain *domain;
	struct device *a, *b;
	int ret;

	boot();
	a = plug("a", 1);
	b = plug("b", 1);
	domain = iommu_domain_alloc(&drv_bus);
	ret = iommu_attach_group(domain, a->iommu_group);
	eng_event("outcome", NULL, "ret %d attached %u", ret, domain->attached);
	if (!ret)
		iommu_detach_group(domain, a->iommu_group);
	/* After a failure nobody detaches: the members lose the domain with its end. */
	iommu_domain_free(domain);
	vfiosim_expect(ret ? !a->iommu->domain : a->iommu->domain != NULL);
	device_unregister(a);
	device_unregister(b);
	shutdown();
}

START_TEST(a_failing_member_leaves_the_earlier_ones_attached)
{
	static const struct vfiosim_scenario scenario = {
		.name = "attach half", .tasks = { { "alice", attach_half } },
	};

	/* Each goes into the default domain when it is plugged in; a is the third one. */
	simtest_run_fault_at(&scenario, "iommu_attach_dev", 4);
	ck_assert_uint_eq(simtest_trace_count("ret -16 attached 1"), 1);
}
END_TEST

static void mapping(void *fixture)
{
	struct iommu_domain *domain;

	boot();
	domain = iommu_domain_alloc(&drv_bus);
	vfiosim_expect(!iommu_map(domain, 0x3000, 0xa000, 0x1000, IOMMU_READ));
	vfiosim_expect(!iommu_map(domain, 0x1000, 0xb000, 0x2000, IOMMU_READ));
	vfiosim_expect(iommu_map(domain, 0x2000, 0, 0x1000, IOMMU_READ) == -EBUSY);
	vfiosim_expect(iommu_map(domain, 0x800, 0, 0x1000, IOMMU_READ) == -EINVAL);
	vfiosim_expect(iommu_iova_to_phys(domain, 0x2010) == 0xc010);
	vfiosim_expect(iommu_iova_to_phys(domain, 0x3fff) == 0xafff);
	vfiosim_expect(!iommu_iova_to_phys(domain, 0x4000) && !iommu_iova_to_phys(domain, 0xfff));
	vfiosim_expect(iommu_unmap(domain, 0x1000, 0x1000) == 0);
	vfiosim_expect(iommu_unmap(domain, 0x1000, 0x10000) == 0x3000);
	iommu_domain_free(domain);
	shutdown();
}

START_TEST(mappings_do_not_overlap_and_are_unmapped_whole)
{
	assert_runs(mapping);
}
END_TEST

/* VF-194 */
static void ownership(void *fixture)
{
	struct device *dev;

	boot();
	dev = plug("a", 1);
	vfiosim_expect(!iommu_group_claim_dma_owner(dev->iommu_group, &group_nb));
	vfiosim_expect(iommu_group_dma_owner_claimed(dev->iommu_group));
	vfiosim_expect(iommu_group_claim_dma_owner(dev->iommu_group, &group_nb) == -EPERM);
	vfiosim_expect(iommu_device_use_default_domain(dev) == -EBUSY);
	iommu_group_release_dma_owner(dev->iommu_group);
	vfiosim_expect(!iommu_device_use_default_domain(dev));
	vfiosim_expect(!iommu_device_use_default_domain(dev));
	vfiosim_expect(iommu_group_claim_dma_owner(dev->iommu_group, &group_nb) == -EPERM);
	iommu_device_unuse_default_domain(dev);
	iommu_device_unuse_default_domain(dev);
	vfiosim_expect(!iommu_group_dma_owner_claimed(dev->iommu_group));
	device_unregister(dev);
	shutdown();
}

START_TEST(an_owner_and_ordinary_drivers_exclude_each_other)
{
	assert_runs(ownership);
}
END_TEST

/* VF-338, VF-339 */
static void plug_survivor(void *fixture)
{
	struct device *dev;

	if (bus_register(&drv_bus))
		return;
	bus_set_iommu(&drv_bus, &sim_iommu_ops);
	dev = drv_new_device("a");
	if (!dev)
		goto out;
	if (iommu_fwspec_init(dev, 1))
		goto out_put;
	if (!device_add(dev)) {
		vfiosim_expect(!dev->iommu_group || iommu_group_members(dev->iommu_group) == 1);
		device_del(dev);
	}
out_put:
	put_device(dev);
out:
	bus_set_iommu(&drv_bus, NULL);
	bus_unregister(&drv_bus);
}

START_TEST(a_device_that_cannot_join_its_group_leaves_nothing_behind)
{
	static const struct vfiosim_scenario scenario = {
		.name = "plug under faults", .tasks = { { "alice", plug_survivor } },
	};

	assert_scenario_survives_faults(&scenario, 7);
}
END_TEST

/* Unregistering a notifier waits until no callback of the chain runs (VF-191). */
static void chain_setup(void *fixture)
{
	boot();
	plug("a", 1);
}

static int slow_event(struct notifier_block *nb, unsigned long action, void *data)
{
	drv_note("in");
	msleep(10);
	drv_note("out");
	return NOTIFY_OK;
}

static struct notifier_block slow_nb KSTATE = { .notifier_call = slow_event };

static void bind_slowly(void *fixture)
{
	struct device *dev = bus_find_device_by_name(&drv_bus, NULL, "a");

	iommu_group_register_notifier(dev->iommu_group, &slow_nb);
	put_device(dev);
	drv_forget();
	driver_bind_store(&drv_driver, "a");
}

static void unregister_soon(void *fixture)
{
	struct device *dev = bus_find_device_by_name(&drv_bus, NULL, "a");

	msleep(5);
	iommu_group_unregister_notifier(dev->iommu_group, &slow_nb);
	put_device(dev);
	drv_note("unregistered");
	vfiosim_expect(strstr(drv_log, "in out") && !strstr(drv_log, "in unregistered"));
}

static void chain_teardown(void *fixture)
{
	struct device *dev = bus_find_device_by_name(&drv_bus, NULL, "a");

	device_unregister(dev);
	put_device(dev);
	shutdown();
}

START_TEST(unregistering_waits_for_running_callbacks)
{
	static const struct vfiosim_scenario scenario = {
		.name = "unregister waits", .setup = chain_setup, .teardown = chain_teardown,
		.tasks = { { "alice", bind_slowly }, { "bob", unregister_soon } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

/* ---- mediated devices ---- */

static int mdev_probe_noting(struct mdev_device *mdev)
{
	vfiosim_expect(mdev->dev.iommu_group);
	vfiosim_expect(iommu_group_members(mdev->dev.iommu_group) == 1);
	drv_note("probe");
	return drv_probe_result;
}

static void mdev_remove_noting(struct mdev_device *mdev)
{
	vfiosim_expect(mdev->dev.iommu_group);
	drv_note("remove");
}

static int parent_create(struct mdev_device *mdev)
{
	drv_note("create");
	return eng_fail_here("parent_create") ? -ENOSPC : 0;
}

static void parent_remove(struct mdev_device *mdev)
{
	drv_note("parent-remove");
}

static struct mdev_driver test_mdev_driver KSTATE = {
	.driver = { .name = "test-mdev" },
	.probe = mdev_probe_noting,
	.remove = mdev_remove_noting,
};

static const struct mdev_parent_ops test_parent_ops = {
	.device_driver = &test_mdev_driver,
	.create = parent_create,
	.remove = parent_remove,
};

static struct device *mdev_boot(void)
{
	struct device *parent;

	drv_boot();
	vfiosim_expect(!mdev_init() && !mdev_register_driver(&test_mdev_driver));
	parent = drv_new_device("parent");
	vfiosim_expect(!device_add(parent) && !mdev_register_device(parent, &test_parent_ops));
	drv_forget();
	return parent;
}

static void mdev_shutdown(struct device *parent)
{
	mdev_unregister_device(parent);
	mdev_unregister_driver(&test_mdev_driver);
	device_unregister(parent);
	mdev_exit();
	drv_shutdown();
}

/* VF-195, VF-206, VF-390 */
static void mdev_life(void *fixture)
{
	struct device *parent = mdev_boot();
	struct mdev_device *a, *b;

	vfiosim_expect(!mdev_device_create(parent, "uuid-a"));
	drv_expect_log("create probe");
	vfiosim_expect(mdev_device_create(parent, "uuid-a") == -EEXIST);
	vfiosim_expect(!mdev_device_create(parent, "uuid-b"));
	a = mdev_find("uuid-a");
	b = mdev_find("uuid-b");
	vfiosim_expect(a->dev.iommu_group != b->dev.iommu_group);
	vfiosim_expect(driver_bind_store(&test_mdev_driver.driver, "uuid-a") == -ENODEV);
	drv_forget();
	vfiosim_expect(!mdev_device_remove(a));
	drv_expect_log("remove parent-remove");
	vfiosim_expect(mdev_device_remove(a) == -EAGAIN);
	put_device(&a->dev);
	put_device(&b->dev);
	vfiosim_expect(!mdev_find("uuid-a"));
	mdev_shutdown(parent);
	drv_expect_log("remove parent-remove remove parent-remove DEL REMOVED release");
}

START_TEST(each_mediated_device_has_a_fresh_group_around_its_driver)
{
	assert_runs(mdev_life);
}
END_TEST

/* VF-206: it has left its parent, whoever refers to it still. */
static void mdev_referenced(void *fixture)
{
	struct device *parent = mdev_boot();
	struct mdev_device *a;

	vfiosim_expect(!mdev_device_create(parent, "uuid-a"));
	a = mdev_find("uuid-a");
	drv_forget();
	mdev_unregister_device(parent);
	drv_expect_log("remove parent-remove");
	vfiosim_expect(mdev_device_remove(a) == -EAGAIN);
	put_device(&a->dev);
	vfiosim_expect(!mdev_register_device(parent, &test_parent_ops));
	mdev_shutdown(parent);
}

START_TEST(a_parent_removes_a_device_once_that_somebody_refers_to)
{
	assert_runs(mdev_referenced);
}
END_TEST

/* What two tasks share: a device, and its parent. */
static struct device *media_parent KSTATE;
static struct mdev_device *media KSTATE;

static void media_setup(void *fixture)
{
	media_parent = mdev_boot();
	vfiosim_expect(!mdev_device_create(media_parent, "uuid-a"));
	media = mdev_find("uuid-a");
}

static void media_teardown(void *fixture)
{
	put_device(&media->dev);
	mdev_shutdown(media_parent);
}

static void remove_media(void *fixture)
{
	mdev_device_remove(media);
}

static void remove_parent(void *fixture)
{
	mdev_unregister_device(media_parent);
}

/*
 * VF-206: the device is claimed, then the parent's whole unregister goes by, which asks for no
 * claim; unreg_sem is free again, and the device is taken down once more.
 */
START_TEST(a_device_claimed_before_its_parent_went_is_removed_twice)
{
	static const struct vfiosim_scenario scenario = {
		.name = "mdev and parent", .setup = media_setup, .teardown = media_teardown,
		.tasks = { { "user", remove_media }, { "driver", remove_parent } },
	};

	const struct vfiosim_options options = { .no_minimize = true };
	struct vfiosim_report *report = NULL;

	if (simtest_has_memory_checker())
		return;
	vfiosim_explore(&scenario, &options, &report);
	ck_assert_ptr_nonnull(vfiosim_report_detector(report));
	ck_assert_str_eq(vfiosim_report_detector(report), "use-after-free");
	vfiosim_report_free(report);
}
END_TEST

static void mdev_failing_probe(void *fixture)
{
	struct device *parent = mdev_boot();

	drv_probe_result = -EIO;
	vfiosim_expect(mdev_device_create(parent, "uuid-a") == -EIO);
	drv_expect_log("create probe parent-remove");
	drv_probe_result = 0;
	vfiosim_expect(!mdev_device_create(parent, "uuid-a"));
	mdev_shutdown(parent);
}

START_TEST(a_failed_mediated_probe_undoes_create_and_frees_the_uuid)
{
	assert_runs(mdev_failing_probe);
}
END_TEST

/* VF-346 */
static void mdev_survivor(void *fixture)
{
	struct device *parent;

	if (mdev_init())
		return;
	if (mdev_register_driver(&test_mdev_driver))
		goto out;
	parent = kzalloc(sizeof(struct device), GFP_KERNEL);
	if (!parent)
		goto out_driver;
	device_initialize(parent);
	parent->release = drv_release;
	if (!mdev_register_device(parent, &test_parent_ops)) {
		mdev_device_create(parent, "uuid-a");
		mdev_unregister_device(parent);
	}
	put_device(parent);
out_driver:
	mdev_unregister_driver(&test_mdev_driver);
out:
	mdev_exit();
}

START_TEST(no_single_failure_of_a_mediated_create_leaves_anything_behind)
{
	static const struct vfiosim_scenario scenario = {
		.name = "mdev under faults", .tasks = { { "alice", mdev_survivor } },
	};

	assert_scenario_survives_faults(&scenario, 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("iommu");
	TCase *groups = tcase_create("groups"), *mdev = tcase_create("mdev");

	tcase_add_test(groups, groups_take_the_lowest_free_number);
	tcase_add_test(groups, the_last_reference_runs_the_iommudata_hook);
	tcase_add_test(groups, a_device_is_in_its_group_from_add_until_removed);
	tcase_add_test(groups, bind_events_reach_the_group_but_del_and_not_bound_do_not);
	tcase_add_test(groups, a_walk_goes_in_the_order_of_insertion_until_the_first_result);
	tcase_add_test(groups, the_chain_calls_by_priority_then_by_age);
	tcase_add_test(groups, a_group_is_in_one_domain_and_falls_back_to_the_default_one);
	tcase_add_test(groups, a_failing_member_leaves_the_earlier_ones_attached);
	tcase_add_test(groups, mappings_do_not_overlap_and_are_unmapped_whole);
	tcase_add_test(groups, an_owner_and_ordinary_drivers_exclude_each_other);
	tcase_add_test(groups, a_device_that_cannot_join_its_group_leaves_nothing_behind);
	tcase_add_test(groups, unregistering_waits_for_running_callbacks);
	tcase_add_test(mdev, each_mediated_device_has_a_fresh_group_around_its_driver);
	tcase_add_test(mdev, a_parent_removes_a_device_once_that_somebody_refers_to);
	tcase_add_test(mdev, a_device_claimed_before_its_parent_went_is_removed_twice);
	tcase_add_test(mdev, a_failed_mediated_probe_undoes_create_and_frees_the_uuid);
	tcase_add_test(mdev, no_single_failure_of_a_mediated_create_leaves_anything_behind);
	suite_add_tcase(suite, groups);
	suite_add_tcase(suite, mdev);
	return simtest_main(suite);
}
