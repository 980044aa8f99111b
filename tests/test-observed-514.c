// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where 5.14 differs from the kernels that were observed: section 10 of
 * docs/observed/real-kernel-vfio.md, item by item, as far as a user can see it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/mman.h>

#include <vfiosim.h>

#include "simtest.h"

#define NAME "0000:01:00.0"
#define NEIGHBOUR "0000:01:00.1"

struct world {
	struct vfiosim_device *device, *neighbour;
	struct vfiosim_process *alice;
	struct vfiosim_user user;
	bool unbound;
};

static struct vfiosim_device *plug(const char *name)
{
	return vfiosim_plug(&(struct vfiosim_device_desc){
		.name = name, .group = 7, .bars = { [0] = { .size = 0x1000 } } });
}

/* Two devices in a group; one is vfio-pci's and open. */
static void setup(void *data)
{
	struct world *w = data;

	w->device = plug(NAME);
	w->neighbour = plug(NEIGHBOUR);
	w->alice = vfiosim_process("alice");
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&w->user, w->alice, w->device) == 0);
}

static long get_device(struct world *w, const char *name)
{
	return vfiosim_ioctl(w->alice, w->user.group, VFIO_GROUP_GET_DEVICE_FD, name);
}

static long set_container(struct world *w, int fd)
{
	return vfiosim_ioctl(w->alice, w->user.group, VFIO_GROUP_SET_CONTAINER, &fd);
}

static unsigned int status(struct world *w)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	vfiosim_expect(!vfiosim_ioctl(w->alice, w->user.group, VFIO_GROUP_GET_STATUS, &status));
	return status.flags;
}

/* Leaves the group's file and the container's, not attached to each other. */
static void detach(struct world *w)
{
	vfiosim_close(w->alice, w->user.device);
	w->user.device = -1;
	vfiosim_expect(!vfiosim_ioctl(w->alice, w->user.group, VFIO_GROUP_UNSET_CONTAINER, 0));
}

/* Items 1 and 3; VF-103, VF-104, VF-110 */
static void errors(void *data)
{
	struct world *w = data;
	int null = vfiosim_open(w->alice, "/dev/null", O_RDWR);

	vfiosim_expect(get_device(w, "nobody") == -ENODEV);
	vfiosim_expect(set_container(w, 55) == -EINVAL);
	detach(w);
	vfiosim_expect(get_device(w, "nobody") == -EINVAL);
	vfiosim_expect(set_container(w, -1) == -EINVAL);
	vfiosim_expect(set_container(w, 55) == -EBADF);
	vfiosim_expect(set_container(w, null) == -EINVAL);
	vfiosim_expect(set_container(w, w->user.group) == -EINVAL);
}

/* Item 4; VF-53 */
static void viability(void *data)
{
	struct world *w = data;

	detach(w);
	vfiosim_expect(status(w) == VFIO_GROUP_FLAGS_VIABLE);
	vfiosim_expect(vfiosim_bind(NULL, w->neighbour, "host") == 0);
	vfiosim_expect(status(w) == 0);
	vfiosim_expect(set_container(w, w->user.container) == 0);
	vfiosim_expect(status(w) == VFIO_GROUP_FLAGS_CONTAINER_SET);
	vfiosim_expect(get_device(w, NAME) == -EINVAL);
}

/* Item 5; VF-54 */
static void stub(void *data)
{
	struct world *w = data;

	vfiosim_expect(vfiosim_bind(NULL, w->neighbour, "pci-stub") == 0);
	vfiosim_expect(status(w) & VFIO_GROUP_FLAGS_VIABLE);
	vfiosim_expect(get_device(w, NAME) >= 0 && get_device(w, NEIGHBOUR) == -ENODEV);
}

/* Item 6; VF-48 */
static void host_driver(void *data)
{
	struct world *w = data;

	vfiosim_bind(NULL, w->neighbour, "host");
}

/* Item 9: the node lives as long as the group's file, and the file is not stale. */
static void group_file(void *data)
{
	struct world *w = data;
	char path[VFIOSIM_PATH_MAX];

	vfiosim_group_path(w->device, path);
	detach(w);
	vfiosim_expect(vfiosim_unbind(NULL, w->device) == 0);
	vfiosim_expect(vfiosim_open(w->alice, path, O_RDWR) == -EBUSY);
	vfiosim_expect(status(w) == VFIO_GROUP_FLAGS_VIABLE);
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
	vfiosim_expect(set_container(w, w->user.container) == 0);
	vfiosim_expect(!vfiosim_ioctl(w->alice, w->user.container, VFIO_SET_IOMMU,
				      VFIO_TYPE1_IOMMU));
	vfiosim_expect(get_device(w, NAME) >= 0);
}

/* Item 12 */
static void container_file(void *data)
{
	struct world *w = data;

	vfiosim_expect(vfiosim_mmap(w->alice, 0, 0x1000, PROT_READ, MAP_SHARED,
				    w->user.container, 0) == -EINVAL);
}

static const struct {
	const char *what;
	void (*body)(void *data);
	const char *detector;
} alone[] = {
	{ "users and viability before the name; -EINVAL for what is no container", errors },
	{ "a group with a foreign driver enters a container, and opens nothing", viability },
	{ "pci-stub leaves a group viable", stub },
	{ "a host driver beside an open device stops the kernel", host_driver, "bug" },
	{ "a group's file outlives its devices, and is good for the next", group_file },
	{ "a container's mmap asks the backend", container_file },
};

START_TEST(a_user_sees_5_14_differ_from_6_12)
{
	const struct vfiosim_scenario scenario = {
		.name = alone[_i].what, .core = "port", .fixture_size = sizeof(struct world),
		.setup = setup, .tasks = { { "alice", alone[_i].body } },
	};

	assert_scenario_detects(alone[_i].detector, &scenario);
}
END_TEST

static void unbind(void *data)
{
	struct world *w = data;

	vfiosim_expect(vfiosim_unbind(NULL, w->device) == 0);
	w->unbound = true;
}

/* Item 7: 6.12 says -ENODEV. VF-85 */
static void open_another(void *data)
{
	struct world *w = data;
	long fd;

	vfiosim_sleep_ms(1000);
	fd = get_device(w, NAME);
	vfiosim_expect(fd >= 0 && !w->unbound);
	vfiosim_close(w->alice, w->user.device);
	vfiosim_sleep_ms(1000);
	vfiosim_expect(!w->unbound);
	w->user.device = fd;
	vfiosim_user_close(&w->user);
}

START_TEST(a_device_can_be_opened_while_its_unbind_waits_and_prolongs_it)
{
	static const struct vfiosim_scenario scenario = {
		.name = "open beside unbind", .core = "port",
		.fixture_size = sizeof(struct world), .setup = setup,
		.tasks = { { "alice", open_another }, { "admin", unbind } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

/* Item 8: nobody has the device; 6.12 detaches the group itself. VF-87 */
static void unset_late(void *data)
{
	struct world *w = data;

	vfiosim_close(w->alice, w->user.device);
	w->user.device = -1;
	vfiosim_sleep_ms(1000);
	vfiosim_expect(!w->unbound);
	vfiosim_expect(!vfiosim_ioctl(w->alice, w->user.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	vfiosim_sleep_ms(1000);
	vfiosim_expect(w->unbound);
	vfiosim_user_close(&w->user);
}

START_TEST(the_last_unbind_waits_until_the_group_has_left_its_container)
{
	static const struct vfiosim_scenario scenario = {
		.name = "unbind and container", .core = "port",
		.fixture_size = sizeof(struct world), .setup = setup,
		.tasks = { { "alice", unset_late }, { "admin", unbind } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("observed_514");
	TCase *tcase = tcase_create("differences");

	tcase_add_loop_test(tcase, a_user_sees_5_14_differ_from_6_12, 0,
			    sizeof(alone) / sizeof(*alone));
	tcase_add_test(tcase, a_device_can_be_opened_while_its_unbind_waits_and_prolongs_it);
	tcase_add_test(tcase, the_last_unbind_waits_until_the_group_has_left_its_container);
	suite_add_tcase(suite, tcase);
	return simtest_main(suite);
}
