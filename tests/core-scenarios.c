// SPDX-License-Identifier: GPL-2.0-only
/*
 * See core-scenarios.h. Kernel side; the world is that of core-driver.h. Results
 * are checked where they are made; what a race may end in is said in one place.
 */
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/vfio_facts.h>

#include "core-driver.h"
#include "core-scenarios.h"
#include "invariants_vfio.h"
#include "process.h"
#include "syscall.h"

#define PROT_READ_WRITE 3
#define MAP_SHARED 1

/* Does @call as a thread of @process, as a write to sysfs would. */
#define AS(process, call)						\
	({								\
		struct task_struct *as_ = process_enter(process);	\
									\
		exit_to_user_mode(as_, (call));				\
	})

static int bind_a(void)
{
	return AS(core.admin, core_bind(core_find("A"), "simple"));
}

static int bind_b(void)
{
	return AS(core.helper, core_bind(core_find("B"), "simple"));
}

static void teardown(void *fixture)
{
	core_teardown();
}

/* A in group 0, bound. */
static void setup_one(void *fixture)
{
	core_setup();
	core_plug("A", 0);
	vfiosim_expect(bind_a() == 0);
	core_flush();
}

static void open_container(void)
{
	vfiosim_expect(core_open("C", "/dev/vfio/vfio") >= 0);
	vfiosim_expect(core_open_group("G", "0") >= 0);
}

static void attach(void)
{
	vfiosim_expect(core_set_container(core_file("G"), core_file("C")) == 0);
	vfiosim_expect(core_ioctl(core_file("C"), VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) == 0);
}

/* A bound, its group in a configured container; two threads may make calls. */
static void setup_attached(void *fixture)
{
	setup_one(fixture);
	open_container();
	attach();
	vfiosim_expect(process_add_threads(core.user, 2) == 0);
}

/* A bound, group and container open, not attached. */
static void setup_opened(void *fixture)
{
	setup_one(fixture);
	open_container();
	vfiosim_expect(process_add_threads(core.user, 2) == 0);
}

/*
 * ---- the whole life, for faults: any step may fail, nothing may break ----
 *
 * Wherever it settles, nobody is in the middle of anything: there the sums of references
 * and users are asked for.
 */

static void close_if_open(const char *label)
{
	struct core_file *file = core_file(label);

	if (file && file->fd >= 0)
		core_close(file);
}

static void map_and_unmap(const char *label)
{
	struct core_file *file = core_file(label);
	long address;

	address = sys_mmap(core.user, 0, PAGE_SIZE, PROT_READ_WRITE, MAP_SHARED, file->fd, 0);
	core_close(file);
	/* From 6.1 on it may lack memory, and the view would keep the device for ever. */
	if (!IS_ERR((void *)address) && sys_munmap(core.user, address, PAGE_SIZE))
		vfiosim_expect(sys_munmap(core.user, address, PAGE_SIZE) == 0);
}

static void use_device(void)
{
	int first, second;

	if (core_set_container(core_file("G"), core_file("C")))
		return;
	if (core_ioctl(core_file("C"), VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU))
		return;
	core_status(core_file("G"));
	first = core_get_device(core_file("G"), core_dev_name(core_find("A")), "D1");
	second = core_get_device(core_file("G"), core_dev_name(core_find("A")), "D2");
	core_settle();
	if (first >= 0)
		map_and_unmap("D1");
	core_settle();
	if (second >= 0)
		core_close(core_file("D2"));
	core_settle();
}

static void live(void *fixture)
{
	int a = bind_a(), b = bind_b();

	if (core_open("C", "/dev/vfio/vfio") >= 0 && core_open_group("G", "0") >= 0 && !a)
		use_device();
	close_if_open("G");
	core_settle();
	close_if_open("C");
	if (!a)
		AS(core.admin, core_unbind(core_find("A")));
	core_settle();
	if (!b)
		AS(core.admin, core_unbind(core_find("B")));
	core_flush();
	core_settle();
}

static void setup_bare(void *fixture)
{
	core_setup();
}

static void setup_two_plugged(void *fixture)
{
	core_setup();
	core_plug("A", 0);
	core_plug("B", 0);
}

static void setup_plain(void *fixture)
{
	core_setup();
	core_plug("A", -1);
	vfiosim_expect(iommu_fwspec_init(core_find("A")->dev, 9) == 0);
}

const struct vfiosim_scenario core_whole_life = {
	.name = "core-whole-life",
	.summary = "two devices of one group, from the first bind to the last unbind",
	.fixture_size = 16,
	.setup = setup_two_plugged,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tolerate = "warn",
	.tasks = { { "main", live } },
};

/* ---- VF-384: the same object again ---- */

static void reregister(void *fixture)
{
	struct core_device *a = core_find("A");
	struct iommu_group *group = iommu_group_alloc();
	unsigned int i;
	int ret;

	if (IS_ERR(group))
		return;
	ret = iommu_group_add_device(group, a->dev);
	iommu_group_put(group);
	if (ret)
		return;
	a->added = true;
	for (i = 0; i < 2; i++) {
		ret = AS(core.admin, core_register(a, false));
		if (ret)
			continue;
		vfiosim_expect(a->object->vdev.inode->i_count.counter == 1);
		AS(core.admin, (core_unregister(a), 0));
		vfiosim_expect(a->object->vdev.comp.done == 0);
	}
}

const struct vfiosim_scenario core_reregister = {
	.name = "core-reregister",
	.summary = "one object is registered twice, one after the other",
	.fixture_size = 16,
	.setup = setup_plain,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tolerate = "warn",
	.tasks = { { "main", reregister } },
};

/* ---- merged: the object's life, not the registration's (VF-395) ---- */

static int pins(void)
{
	struct vfio_facts facts;

	vfio_observe(&facts);
	return facts.pins;
}

static void object_life(void *fixture)
{
	struct core_device *a = core_find("A");
	int ret;

	/* No IOMMU group: allocated, but registration fails. */
	ret = AS(core.admin, core_register(a, false));
	vfiosim_expect(ret < 0);
	if (!a->object)
		return;
	vfiosim_expect(pins() == 1 && a->object->vdev.inode->i_count.counter == 1);
	core_object_drop(a);
	vfiosim_expect(pins() == 0);

	if (AS(core.admin, core_bind(core_find("B"), "simple")))
		return;
	vfiosim_expect(pins() == 1);
	core_keep_object(core_find("B"));
	AS(core.admin, core_unbind(core_find("B")));
	/* Unregistered, yet its inode may still be zapped (VF-356). */
	vfiosim_expect(pins() == 1);
	vfiosim_expect(core_find("B")->object->vdev.inode->i_count.counter == 1);
	core_object_drop(core_find("B"));
	vfiosim_expect(pins() == 0);
}

static void setup_object(void *fixture)
{
	core_setup();
	core_plug("A", -1);
	core_plug("B", 0);
}

const struct vfiosim_scenario core_object_life = {
	.name = "core-object-life",
	.summary = "a device object pins the filesystem from its allocation to its release",
	.core = "merged",
	.kernel = VFIOSIM_KERNEL_6_12,
	.fixture_size = 16,
	.setup = setup_object,
	.teardown = teardown,
	.tolerate = "warn",
	.tasks = { { "main", object_life } },
};

/* ---- merged, for its invariants: a life, a device in use, a device set ---- */

const struct vfiosim_scenario core_merged_life = {
	.name = "core-merged-life",
	.summary = "the merged core: from the first bind to the last unbind",
	.core = "merged",
	.kernel = VFIOSIM_KERNEL_6_12,
	.fixture_size = 16,
	.setup = setup_two_plugged,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tolerate = "warn",
	.tasks = { { "main", live } },
};

/* VF-356, VF-370: a member of the set that is no longer registered. */
static void share_a_set(void *fixture)
{
	if (bind_a())
		return;
	if (!bind_b()) {
		core_keep_object(core_find("A"));
		AS(core.admin, core_unbind(core_find("A")));
		core_settle();
		vfiosim_expect(core_find("A")->object->vdev.dev_set->device_count == 2);
		core_object_drop(core_find("A"));
		core_settle();
		vfiosim_expect(core_find("B")->object->vdev.dev_set->device_count == 1);
	}
}

static void setup_set_of_two(void *fixture)
{
	setup_two_plugged(fixture);
	core.one_set = true;
}

const struct vfiosim_scenario core_merged_set = {
	.name = "core-merged-set",
	.summary = "the merged core: two devices that are reset together, one unregistered",
	.core = "merged",
	.kernel = VFIOSIM_KERNEL_6_12,
	.fixture_size = 16,
	.setup = setup_set_of_two,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tolerate = "warn",
	.tasks = { { "main", share_a_set } },
};

/* ---- VF-8 to VF-16, VF-312 to VF-315: the module itself ---- */

DECLARE_MODULE(vfio);

static void reload(void *fixture)
{
	unsigned int i;

	vfiosim_expect(core_unload() == 0);
	vfiosim_expect(core_open("X", "/dev/vfio/vfio") < 0);
	/* A load that fails leaves nothing: the next one finds all names free. */
	for (i = 0; i < 4 && load_module(MODULE(vfio)); i++)
		vfiosim_expect(core_open("X", "/dev/vfio/vfio") < 0);
	vfiosim_expect(MODULE(vfio)->state == MODULE_STATE_LIVE);
	vfiosim_expect(core_reload_backend() == 0 || core_reload_backend() == 0);
}

const struct vfiosim_scenario core_module_reload = {
	.name = "core-module-reload",
	.summary = "the core is unloaded and loaded again",
	.fixture_size = 16,
	.setup = setup_bare,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tolerate = "warn",
	.tasks = { { "main", reload } },
};

/* ---- VF-56, VF-57, VF-389, VF-340 ---- */

static void noiommu_life(void *fixture)
{
	int ret;

	vfio_noiommu = true;
	ret = bind_a();
	if (!ret) {
		AS(core.admin, core_unbind(core_find("A")));
		vfiosim_expect(!core_find("A")->dev->iommu_group);
	}
	core_flush();
	core_settle();
}

const struct vfiosim_scenario core_noiommu_life = {
	.name = "core-noiommu-life",
	.summary = "a device without an IOMMU gets a fake group, and loses it again",
	.fixture_size = 16,
	.setup = setup_plain,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tolerate = "warn",
	.tasks = { { "main", noiommu_life } },
};

/* ---- races that end well ---- */

static void setup_two_apart(void *fixture)
{
	core_setup();
	core_plug("A", 0);
	core_plug("B", 1);
}

static void task_bind_a(void *fixture)
{
	vfiosim_expect(bind_a() == 0);
}

static void task_bind_b(void *fixture)
{
	vfiosim_expect(bind_b() == 0);
}

static void task_unbind_a(void *fixture)
{
	AS(core.admin, core_unbind(core_find("A")));
}

/* VF-245: both mount, one mount stays. */
const struct vfiosim_scenario core_two_first_binds = {
	.name = "core-two-first-binds",
	.summary = "the first two devices of the machine are bound at once",
	.fixture_size = 16,
	.setup = setup_two_apart,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "binder-a", task_bind_a }, { "binder-b", task_bind_b } },
};

static void setup_a_bound_b_not(void *fixture)
{
	setup_two_apart(fixture);
	vfiosim_expect(bind_a() == 0);
	core_flush();
}

/* VF-246: the old superblock dies beside the new one. */
const struct vfiosim_scenario core_last_pin_and_first = {
	.name = "core-last-pin-and-first",
	.summary = "the only device is unbound while another is bound",
	.fixture_size = 16,
	.setup = setup_a_bound_b_not,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "unbinder", task_unbind_a }, { "binder", task_bind_b } },
};

static void task_open_and_close(void *fixture)
{
	const char *name = core_dev_name(core_find("A"));
	int fd = sys_ioctl(core.user, core_file("G")->fd, VFIO_GROUP_GET_DEVICE_FD,
			   (unsigned long)name);

	/* VF-255: no such device any more, or the window of VF-53. */
	vfiosim_expect(fd >= 0 || fd == -ENODEV || fd == -EINVAL);
	if (fd >= 0)
		sys_close(core.user, fd);
	/* Or unregister would wait for the container (VF-87); 6.12's has left it then. */
	vfiosim_expect(core_ioctl(core_file("G"), VFIO_GROUP_UNSET_CONTAINER, 0) == 0 ||
		       vfio_core_allocates());
}

const struct vfiosim_scenario core_open_and_unbind = {
	.name = "core-open-and-unbind",
	.summary = "a device is opened while it is unbound",
	.fixture_size = 16,
	.setup = setup_attached,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "opener", task_open_and_close }, { "unbinder", task_unbind_a } },
};

static void task_close_group(void *fixture)
{
	vfiosim_expect(core_close(core_file("G")) == 0);
}

/* VF-89, VF-228: when the last device is gone its group has been detached. */
static void task_unbind_last(void *fixture)
{
	task_unbind_a(fixture);
	vfiosim_expect(core.backend.attaches == 1 && core.backend.detaches == 1);
}

/* VF-259, VF-261: whichever side puts last frees the group. */
const struct vfiosim_scenario core_close_and_unbind = {
	.name = "core-close-and-unbind",
	.summary = "an attached group is closed while its last device is unbound",
	.fixture_size = 16,
	.setup = setup_attached,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "closer", task_close_group }, { "unbinder", task_unbind_last } },
};

static void task_close_container(void *fixture)
{
	vfiosim_expect(core_close(core_file("C")) == 0);
}

static void task_set(void *fixture)
{
	int fd = core_file("C")->fd, ret;

	ret = core_ioctl(core_file("G"), VFIO_GROUP_SET_CONTAINER, (unsigned long)&fd);
	vfiosim_expect(ret == 0 || ret == -EBADF || ret == -EINVAL);
}

/* VF-282 */
const struct vfiosim_scenario core_container_close_and_set = {
	.name = "core-container-close-and-set",
	.summary = "a container is closed while a group is put into it",
	.fixture_size = 16,
	.setup = setup_opened,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "closer", task_close_container }, { "setter", task_set } },
};

static void setup_set(void *fixture)
{
	setup_opened(fixture);
	vfiosim_expect(core_set_container(core_file("G"), core_file("C")) == 0);
}

static void task_set_iommu(void *fixture)
{
	long ret = core_ioctl(core_file("C"), VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU);

	vfiosim_expect(ret == 0 || ret == -EINVAL);
}

static void teardown_two_set_iommu(void *fixture)
{
	vfiosim_expect(core.backend.opens == 1);
	core_teardown();
	vfiosim_expect(core.backend.releases == 1);
}

/* VF-283: one of the two configures the container. */
const struct vfiosim_scenario core_two_set_iommu = {
	.name = "core-two-set-iommu",
	.summary = "two threads configure one container",
	.fixture_size = 16,
	.setup = setup_set,
	.teardown = teardown_two_set_iommu,
	.check = vfio_invariants_hold,
	.tasks = { { "first", task_set_iommu }, { "second", task_set_iommu } },
};

static void setup_two_openers(void *fixture)
{
	setup_one(fixture);
	vfiosim_expect(process_add_threads(core.user, 2) == 0);
}

static void task_open_group(void *fixture)
{
	int fd = sys_open(core.user, "/dev/vfio/0", 2);

	vfiosim_expect(fd >= 0 || fd == -EBUSY);
	if (fd >= 0)
		sys_close(core.user, fd);
}

/* VF-40: whoever had it open, it can be opened again. */
static void teardown_reopen(void *fixture)
{
	vfiosim_expect(core_open_group("G", "0") >= 0);
	core_teardown();
}

/* VF-38, VF-284 */
const struct vfiosim_scenario core_two_opens = {
	.name = "core-two-opens",
	.summary = "two threads open one group",
	.fixture_size = 16,
	.setup = setup_two_openers,
	.teardown = teardown_reopen,
	.check = vfio_invariants_hold,
	.tasks = { { "first", task_open_group }, { "second", task_open_group } },
};

static void setup_two_together(void *fixture)
{
	core_setup();
	core_plug("A", 0);
	core_plug("B", 0);
}

/* VF-65, VF-68: a device is public, inode and all, before its bind returns. */
static void setup_neighbour_attached(void *fixture)
{
	setup_two_together(fixture);
	vfiosim_expect(bind_b() == 0);
	core_flush();
	open_container();
	attach();
}

static void task_open_neighbour(void *fixture)
{
	const char *name = core_dev_name(core_find("A"));
	int fd = sys_ioctl(core.user, core_file("G")->fd, VFIO_GROUP_GET_DEVICE_FD,
			   (unsigned long)name);

	/* -EINVAL: its driver is set before it is listed (VF-53). */
	vfiosim_expect(fd >= 0 || fd == -ENODEV || fd == -EINVAL);
	if (fd >= 0)
		sys_close(core.user, fd);
}

const struct vfiosim_scenario core_bind_and_open = {
	.name = "core-bind-and-open",
	.summary = "a device is opened while it is being bound",
	.fixture_size = 16,
	.setup = setup_neighbour_attached,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "binder", task_bind_a }, { "opener", task_open_neighbour } },
};

/* ---- a group that comes and goes ---- */

/* VF-310: no such group, or one without devices. */
static void task_open_dying_group(void *fixture)
{
	int fd = sys_open(core.user, "/dev/vfio/0", 2);

	vfiosim_expect(fd >= 0 || fd == -ENODEV || fd == -ENXIO || fd == -ENOENT);
	if (fd >= 0)
		sys_close(core.user, fd);
}

const struct vfiosim_scenario core_open_and_destroy = {
	.name = "core-open-and-destroy",
	.summary = "a group is opened while its last device is unbound",
	.fixture_size = 16,
	.setup = setup_one,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "opener", task_open_dying_group }, { "unbinder", task_unbind_a } },
};

/* What one sees of the only group, if it is open and has no devices. */
static const struct vfio_group *empty_open_group(struct vfio_facts *facts)
{
	vfio_observe(facts);
	if (facts->n_groups != 1 || facts->group[0].devices || !facts->group[0].opened)
		return NULL;
	return facts->group[0].group;
}

/* A register that fails leaves the group to who has opened it; the next one uses it. */
static void task_bind_until_bound(void *fixture)
{
	struct vfio_facts facts;
	const struct vfio_group *kept;

	if (!bind_a())
		return;
	kept = empty_open_group(&facts);
	if (!kept)
		return;
	vfiosim_expect(bind_a() == 0);
	vfio_observe(&facts);
	vfiosim_expect(facts.n_groups == 1 && facts.group[0].group == kept &&
		       facts.group[0].devices == 1);
	/* The test wants to see that exploration comes here. */
	vfiosim_expect(!"a group without devices was used again");
}

static void task_open_and_keep(void *fixture)
{
	sys_open(core.user, "/dev/vfio/0", 2);
}

static void setup_unbound(void *fixture)
{
	core_setup();
	core_plug("A", 0);
}

/* VF-251 */
const struct vfiosim_scenario core_failed_bind_and_open = {
	.name = "core-failed-bind-and-open",
	.summary = "a group is opened while the register that made it fails",
	.fixture_size = 16,
	.setup = setup_unbound,
	.teardown = teardown,
	.tolerate = "warn,leak",
	.tasks = { { "binder", task_bind_until_bound }, { "opener", task_open_and_keep } },
};

/* VF-295: the next group has the name, and perhaps the memory, of the last. */
static void task_churn(void *fixture)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		vfiosim_expect(bind_a() == 0);
		task_unbind_a(fixture);
	}
}

static void setup_one_plugged(void *fixture)
{
	core_setup();
	core_plug("A", 0);
}

const struct vfiosim_scenario core_churn = {
	.name = "core-churn",
	.summary = "a group is made and destroyed while its deferred puts run",
	.fixture_size = 16,
	.setup = setup_one_plugged,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "admin", task_churn } },
};

/* VF-241: forced, since nothing but the driver core's lock keeps two apart. */
static void setup_forced(void *fixture)
{
	setup_one(fixture);
	core_keep_object(core_find("A"));
	task_unbind_a(fixture);
	core_object_drop(core_find("A"));
	core_flush();
}

static void task_register_first(void *fixture)
{
	int ret = AS(core.admin, core_register(core_find("A"), false));

	vfiosim_expect(ret == 0 || ret == -EBUSY);
}

static void task_register_second(void *fixture)
{
	int ret = AS(core.helper, core_register(core_find("A"), true));

	vfiosim_expect(ret == 0 || ret == -EBUSY);
}

/* At least one is there, each with an inode of its own; the newest is found first. */
static void teardown_forced(void *fixture)
{
	struct core_device *a = core_find("A");
	struct vfio_device *vdevs[] = { &a->object->vdev, &a->second->vdev };
	struct vfio_facts facts;
	unsigned int i, registered = 0;

	vfio_observe(&facts);
	for (i = 0; i < 2; i++)
		registered += vdevs[i]->refcount.refs.counter == 1;
	vfiosim_expect(registered >= 1 && facts.pins == (int)registered);
	vfiosim_expect(registered == 1 || vdevs[0]->inode != vdevs[1]->inode);
	for (i = 0; i < 2; i++)
		if (vdevs[i]->refcount.refs.counter == 1)
			vfio_unregister_group_dev(vdevs[i]);
	core_teardown();
}

const struct vfiosim_scenario core_forced_duplicate = {
	.name = "core-forced-duplicate",
	.summary = "two objects are registered for one device at once",
	.fixture_size = 16,
	.setup = setup_forced,
	.teardown = teardown_forced,
	.check = vfio_invariants_hold,
	.tolerate = "warn,leak",
	.tasks = { { "first", task_register_first }, { "second", task_register_second } },
};

/* ---- alone: a device that is in use when it is unbound ---- */

static void setup_in_use(void *fixture)
{
	setup_attached(fixture);
	vfiosim_expect(core_get_device(core_file("G"), core_dev_name(core_find("A")), "D") >= 0);
}

/* VF-256: opens it once more, maps it, and lets go in the order that keeps it longest. */
static void task_use_and_let_go(void *fixture)
{
	int fd;
	long at;

	core_settle();
	fd = core_get_device(core_file("G"), core_dev_name(core_find("A")), "D2");
	vfiosim_expect(fd >= 0 || fd == -ENODEV || fd == -EINVAL);
	vfiosim_expect(core_close(core_file("D")) == 0);
	vfiosim_expect(core_close(core_file("G")) == 0);
	if (fd >= 0) {
		at = sys_mmap(core.user, 0, PAGE_SIZE, PROT_READ_WRITE, MAP_SHARED, fd, 0);
		vfiosim_expect(!IS_ERR((void *)at));
		vfiosim_expect(core_close(core_file("D2")) == 0);
		vfiosim_expect(sys_munmap(core.user, at, PAGE_SIZE) == 0);
	}
}

const struct vfiosim_scenario core_busy_unbind = {
	.name = "core-busy-unbind",
	.summary = "a device is unbound while it is open, opened again and mapped",
	.fixture_size = 16,
	.setup = setup_in_use,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "user", task_use_and_let_go }, { "unbinder", task_unbind_a } },
};

static void task_close_group_under_device(void *fixture)
{
	vfiosim_expect(core_close(core_file("G")) == 0);
	core_settle();
	vfiosim_expect(core_close(core_file("D")) == 0);
}

/* VF-368: the device keeps the group's file. */
const struct vfiosim_scenario core_merged_busy = {
	.name = "core-merged-busy",
	.summary = "the merged core: a device is unbound while it is open",
	.core = "merged",
	.kernel = VFIOSIM_KERNEL_6_12,
	.fixture_size = 16,
	.setup = setup_in_use,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tolerate = "warn",
	.tasks = { { "user", task_close_group_under_device }, { "unbinder", task_unbind_a } },
};

static void close_group_under_two(void *fixture)
{
	open_container();
	attach();
	vfiosim_expect(core_get_device(core_file("G"), core_dev_name(core_find("A")), "DA") >= 0);
	vfiosim_expect(core_get_device(core_file("G"), core_dev_name(core_find("B")), "DB") >= 0);
	vfiosim_expect(core_close(core_file("G")) == 0);
	core_settle();
	vfiosim_expect(core_close(core_file("DB")) == 0);
	vfiosim_expect(core_close(core_file("DA")) == 0);
}

static void setup_two_bound(void *fixture)
{
	setup_two_plugged(fixture);
	vfiosim_expect(!bind_a() && !bind_b());
}

/* VF-368: each of them keeps the group's file. */
const struct vfiosim_scenario core_merged_two_open = {
	.name = "core-merged-two-open",
	.summary = "the merged core: a group is closed under two open devices",
	.core = "merged",
	.kernel = VFIOSIM_KERNEL_6_12,
	.fixture_size = 16,
	.setup = setup_two_bound,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "user", close_group_under_two } },
};

/* ---- alone: the same device once more (VF-61, VF-382) ---- */

static void duplicate(void *fixture)
{
	struct core_device *a = core_find("A");

	/* VF-360: 6.12 has another error for it. */
	vfiosim_expect(AS(core.admin, core_register(a, true)) ==
		       (vfio_core_allocates() ? -EINVAL : -EBUSY));
	core_settle();
}

const struct vfiosim_scenario core_duplicate = {
	.name = "core-duplicate",
	.summary = "a second object is registered for a device that is bound",
	.fixture_size = 16,
	.setup = setup_one,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tolerate = "warn",
	.tasks = { { "main", duplicate } },
};

/* ---- alone: bound again while a neighbour keeps the group (VF-52, VF-225) ---- */

static void rebind(void *fixture)
{
	vfiosim_expect(bind_a() == 0 && bind_b() == 0);
	AS(core.admin, core_unbind(core_find("A")));
	vfiosim_expect(bind_a() == 0);
	core_settle();
}

const struct vfiosim_scenario core_rebind = {
	.name = "core-rebind",
	.summary = "one of two devices is unbound and bound again",
	.fixture_size = 16,
	.setup = setup_two_together,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "main", rebind } },
};

/* ---- alone: a real group and a fake one in one container (VF-103, VF-223) ---- */

static void setup_mixed(void *fixture)
{
	setup_one(fixture);
	vfio_noiommu = true;
	core_plug("B", -1);
	vfiosim_expect(bind_b() == 0);
	core_flush();
	open_container();
	vfiosim_expect(core_open_group("F", "noiommu-1") >= 0);
}

static void mix(void *fixture)
{
	int real = core_set_container(core_file("G"), core_file("C"));
	int fake = core_set_container(core_file("F"), core_file("C"));

	core_settle();
	vfiosim_expect(real == 0 && fake == -EPERM);
	vfiosim_expect(core_ioctl(core_file("G"), VFIO_GROUP_UNSET_CONTAINER, 0) == 0);
	vfiosim_expect(core_set_container(core_file("F"), core_file("C")) == 0);
}

const struct vfiosim_scenario core_mixed_kinds = {
	.name = "core-mixed-kinds",
	.summary = "a group without an IOMMU is put beside one that has one",
	.fixture_size = 16,
	.setup = setup_mixed,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tolerate = "warn",
	.tasks = { { "main", mix } },
};

/* ---- races that 5.14 loses ---- */

static void task_set_first(void *fixture)
{
	core_set_container(core_file("G"), core_file("C"));
}

static void task_set_second(void *fixture)
{
	core_set_container(core_file("G"), core_file("C2"));
}

static void setup_two_containers(void *fixture)
{
	setup_opened(fixture);
	vfiosim_expect(core_open("C2", "/dev/vfio/vfio") >= 0);
}

/* VF-271: both find no users, both link the group. */
const struct vfiosim_scenario core_set_container_twice = {
	.name = "core-set-container-twice",
	.summary = "two threads put one group into two containers",
	.fixture_size = 16,
	.setup = setup_two_containers,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "first", task_set_first }, { "second", task_set_second } },
};

/* The same without anybody to tell early: the last unbind blocks for ever. */
const struct vfiosim_scenario core_set_container_twice_unseen = {
	.name = "core-set-container-twice-unseen",
	.summary = "two threads put one group into two containers, and nobody looks",
	.fixture_size = 16,
	.setup = setup_two_containers,
	.teardown = teardown,
	.tasks = { { "first", task_set_first }, { "second", task_set_second } },
};

static void setup_set_two_containers(void *fixture)
{
	setup_two_containers(fixture);
	vfiosim_expect(core_set_container(core_file("G"), core_file("C")) == 0);
}

static void task_unset(void *fixture)
{
	core_ioctl(core_file("G"), VFIO_GROUP_UNSET_CONTAINER, 0);
}

/* VF-272: the group is set to another container before the first is left. */
const struct vfiosim_scenario core_unset_and_set = {
	.name = "core-unset-and-set",
	.summary = "a group leaves its container while it is put into another",
	.fixture_size = 16,
	.setup = setup_set_two_containers,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "leaver", task_unset }, { "setter", task_set_second } },
};

static void task_get_device(void *fixture)
{
	const char *name = core_dev_name(core_find("A"));
	int fd = sys_ioctl(core.user, core_file("G")->fd, VFIO_GROUP_GET_DEVICE_FD,
			   (unsigned long)name);

	if (fd >= 0)
		sys_close(core.user, fd);
}

/* VF-274: the container goes between the test and the use. */
const struct vfiosim_scenario core_get_device_and_unset = {
	.name = "core-get-device-and-unset",
	.summary = "a device is opened while its group leaves the container",
	.fixture_size = 16,
	.setup = setup_attached,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "opener", task_get_device }, { "leaver", task_unset } },
};

/* B stays, A goes: the group belongs to vfio all the time. */
static void setup_pair(void *fixture)
{
	core_setup();
	core_plug("A", 0);
	core_plug("B", 0);
	vfiosim_expect(bind_a() == 0 && bind_b() == 0);
	core_flush();
	open_container();
	attach();
}

static void task_status(void *fixture)
{
	int flags = core_status(core_file("G"));

	vfiosim_expect(flags & VFIO_GROUP_FLAGS_VIABLE);
}

/* VF-53: three looks that are not atomic together. */
const struct vfiosim_scenario core_status_and_unbind = {
	.name = "core-status-and-unbind",
	.summary = "a group's status is asked for while one of its devices is unbound",
	.fixture_size = 16,
	.setup = setup_pair,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "user", task_status }, { "unbinder", task_unbind_a } },
};

/*
 * VF-25: both find no group. Who comes second takes the first one's, and nobody
 * gives back the reference on the IOMMU group that was meant for its own.
 */
const struct vfiosim_scenario core_two_binds_of_a_group = {
	.name = "core-two-binds-of-a-group",
	.summary = "the two devices of one group are bound at once",
	.fixture_size = 16,
	.setup = setup_two_together,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = { { "binder-a", task_bind_a }, { "binder-b", task_bind_b } },
};

static void setup_fake_attached(void *fixture)
{
	core_setup();
	vfio_noiommu = true;
	core_plug("A", -1);
	vfiosim_expect(bind_a() == 0);
	vfiosim_expect(core_open("C", "/dev/vfio/vfio") >= 0);
	vfiosim_expect(core_open_group("G", "noiommu-0") >= 0);
	vfiosim_expect(core_set_container(core_file("G"), core_file("C")) == 0);
	vfiosim_expect(core_ioctl(core_file("C"), VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU) == 0);
	vfiosim_expect(process_add_threads(core.user, 2) == 0);
}

/* Guesses the number of the new descriptor, and lets go of the container. */
static void task_close_and_unset(void *fixture)
{
	if (sys_close(core.user, 5) == 0)
		core_ioctl(core_file("G"), VFIO_GROUP_UNSET_CONTAINER, 0);
}

static void task_open_fake(void *fixture)
{
	int fd = core_ioctl(core_file("G"), VFIO_GROUP_GET_DEVICE_FD, (unsigned long)"A");

	/* Nobody may be left waiting for it. */
	if (fd >= 0)
		sys_close(core.user, fd);
	core_ioctl(core_file("G"), VFIO_GROUP_UNSET_CONTAINER, 0);
}

/* VF-265: the device is freed before the warning about it is printed. */
const struct vfiosim_scenario core_noiommu_open_and_gone = {
	.name = "core-noiommu-open-and-gone",
	.summary = "a device is opened, closed and unbound before the opener is back",
	.fixture_size = 16,
	.setup = setup_fake_attached,
	.teardown = teardown,
	.check = vfio_invariants_hold,
	.tasks = {
		{ "opener", task_open_fake },
		{ "closer", task_close_and_unset },
		{ "unbinder", task_unbind_a },
	},
};

const struct vfiosim_scenario *const core_scenarios[] = {
	&core_whole_life, &core_reregister, &core_module_reload, &core_noiommu_life,
	&core_two_first_binds, &core_last_pin_and_first, &core_open_and_unbind,
	&core_close_and_unbind, &core_container_close_and_set, &core_two_set_iommu,
	&core_two_opens, &core_open_and_destroy, &core_churn,
	&core_forced_duplicate, &core_two_binds_of_a_group, &core_bind_and_open, &core_busy_unbind,
	&core_duplicate, &core_rebind, &core_mixed_kinds, &core_set_container_twice,
	&core_set_container_twice_unseen, &core_unset_and_set,
	&core_get_device_and_unset, &core_status_and_unbind, &core_noiommu_open_and_gone,
	NULL
};
