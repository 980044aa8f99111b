// SPDX-License-Identifier: GPL-2.0-only
/* Devices and classes: their life, their nodes, what fails. */
#include "engine.h"

#include "drv.h"

static void life(void *fixture)
{
	struct device *dev;

	drv_boot();
	dev = drv_new_device("a");
	vfiosim_expect(!strcmp(dev_name(dev), "a"));
	get_device(dev);
	vfiosim_expect(!device_add(dev) && device_is_registered(dev));
	device_unregister(dev);
	vfiosim_expect(!device_is_registered(dev));
	drv_expect_log("ADD DEL REMOVED");
	put_device(dev);
	drv_expect_log("ADD DEL REMOVED release");
	drv_shutdown();
}

START_TEST(a_device_is_released_with_its_last_reference)
{
	assert_runs(life);
}
END_TEST

/* VF-196 */
static void refused_adds(void *fixture)
{
	struct device *a, *twin, *nameless;

	drv_boot();
	a = drv_new_device("a");
	twin = drv_new_device("a");
	nameless = drv_new_device("");
	kfree(nameless->name);
	nameless->name = NULL;
	vfiosim_expect(!device_add(a));
	vfiosim_expect(device_add(twin) == -EEXIST);
	vfiosim_expect(device_add(nameless) == -EINVAL);
	drv_expect_log("ADD");
	put_device(twin);
	put_device(nameless);
	device_unregister(a);
	drv_shutdown();
}

START_TEST(a_device_needs_a_name_of_its_own)
{
	assert_runs(refused_adds);
}
END_TEST

/* The dead mark keeps binders out from before DEL on (VF-199). */
static void dead_device(void *fixture)
{
	struct device *dev;

	drv_boot();
	vfiosim_expect(!driver_register(&drv_driver));
	dev = get_device(drv_new_device("a"));
	vfiosim_expect(!device_add(dev));
	device_del(dev);
	vfiosim_expect(device_driver_attach(&drv_driver, dev) == -ENODEV);
	vfiosim_expect(driver_bind_store(&drv_driver, "a") == -ENODEV);
	put_device(dev);
	put_device(dev);
	driver_unregister(&drv_driver);
	drv_shutdown();
}

START_TEST(a_deleted_device_cannot_be_bound)
{
	assert_runs(dead_device);
}
END_TEST

static void parent_and_child(void *fixture)
{
	struct device *parent, *child;

	drv_boot();
	parent = drv_new_device("parent");
	child = drv_new_device("child");
	child->parent = parent;
	vfiosim_expect(!device_add(parent) && !device_add(child));
	drv_forget();
	device_unregister(parent);
	drv_expect_log("DEL REMOVED");
	device_unregister(child);
	drv_expect_log("DEL REMOVED DEL REMOVED release release");
	drv_shutdown();
}

START_TEST(a_child_keeps_its_parent)
{
	assert_runs(parent_and_child);
}
END_TEST

static char *named_node(struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "drv/%s", dev_name(dev));
}

static bool node_opens(const char *path)
{
	struct file *file = filp_open(path, 0, 0);

	if (!IS_ERR(file))
		fput(file);
	task_work_run();
	/* A node without a driver behind it gives ENXIO, no node ENOENT. */
	return PTR_ERR(file) != -ENOENT;
}

static void class_nodes(void *fixture)
{
	struct class *class = class_create(NULL, "drv");
	struct device *dev, *found;

	class->devnode = named_node;
	dev = device_create(class, NULL, MKDEV(300, 7), fixture, "n%d", 7);
	vfiosim_expect(!IS_ERR(dev) && dev_get_drvdata(dev) == fixture);
	vfiosim_expect(!strcmp(dev_name(dev), "n7"));
	vfiosim_expect(node_opens("/dev/drv/n7"));
	/* VF-320 */
	vfiosim_expect(PTR_ERR(device_create(class, NULL, MKDEV(300, 8), NULL, "n7")) == -EEXIST);
	found = class_find_device_by_devt(class, MKDEV(300, 7));
	vfiosim_expect(found == dev);
	put_device(found);
	device_destroy(class, MKDEV(300, 9));
	device_destroy(class, MKDEV(300, 7));
	vfiosim_expect(!node_opens("/dev/drv/n7"));
	class_destroy(class);
}

START_TEST(a_class_device_has_a_node_while_it_lives)
{
	assert_runs(class_nodes);
}
END_TEST

/* VF-349: without memory for the name the node gets the device's own. */
static char *no_name(struct device *dev, umode_t *mode)
{
	return NULL;
}

static void default_node(void *fixture)
{
	struct class *class = class_create(NULL, "drv");

	class->devnode = no_name;
	device_create(class, NULL, MKDEV(300, 7), NULL, "n7");
	vfiosim_expect(node_opens("/dev/n7") && !node_opens("/dev/drv/n7"));
	device_destroy(class, MKDEV(300, 7));
	class_destroy(class);
}

START_TEST(a_class_that_cannot_name_its_node_gets_the_default_name)
{
	assert_runs(default_node);
}
END_TEST

static void create_survivor(void *fixture)
{
	struct class *class = class_create(NULL, "drv");
	struct device *dev;

	if (IS_ERR(class))
		return;
	dev = device_create(class, NULL, MKDEV(300, 7), NULL, "n7");
	if (!IS_ERR(dev))
		device_destroy(class, MKDEV(300, 7));
	class_destroy(class);
}

START_TEST(no_single_failure_of_device_create_leaves_anything_behind)
{
	static const struct vfiosim_scenario scenario = {
		.name = "device_create under faults", .tasks = { { "alice", create_survivor } },
	};

	assert_scenario_survives_faults(&scenario, 4);
}
END_TEST

static void no_release(void *fixture)
{
	struct device *dev;

	drv_boot();
	dev = drv_new_device("a");
	dev->release = NULL;
	put_device(dev);
	drv_shutdown();
}

START_TEST(a_device_without_release_hook_is_warned_about)
{
	assert_detects("warn", no_release);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("device");
	TCase *life_case = tcase_create("life"), *classes = tcase_create("classes");

	tcase_add_test(life_case, a_device_is_released_with_its_last_reference);
	tcase_add_test(life_case, a_device_needs_a_name_of_its_own);
	tcase_add_test(life_case, a_deleted_device_cannot_be_bound);
	tcase_add_test(life_case, a_child_keeps_its_parent);
	tcase_add_test(life_case, a_device_without_release_hook_is_warned_about);
	tcase_add_test(classes, a_class_device_has_a_node_while_it_lives);
	tcase_add_test(classes, a_class_that_cannot_name_its_node_gets_the_default_name);
	tcase_add_test(classes, no_single_failure_of_device_create_leaves_anything_behind);
	suite_add_tcase(suite, life_case);
	suite_add_tcase(suite, classes);
	return simtest_main(suite);
}
