// SPDX-License-Identifier: GPL-2.0-only
/* vfio-pci: binding, first open and last close, regions, requests, failures. */
#include <signal.h>

#include <vfiosim/kapi.h>
#include <vfiosim/kapi/iommu.h>
#include <vfiosim/kapi/vfio_pci.h>
#include <vfiosim/kapi/vgaarb.h>

#include "vpci.h"

static const struct vpci_run *const both_cores[] = { &vpci_list_5_14, &vpci_space_6_12 };

/* ---- binding ---- */

static void refused_devices(void *fixture)
{
	static const struct {
		const char *what, *name;
		struct pci_model model;
		int ret, num_vf;
	} rows[] = {
		{ "a bridge", "0000:00:05.0",
		  { .name = "bridge", .vendor = 1, .device = 1, .hdr_type = 1 }, -EINVAL },
		{ "a device on the denylist", "0000:00:06.0",
		  { .name = "qat", .vendor = 0x8086, .device = 0x37c8 }, -EINVAL },
		{ "a plain one", "0000:00:07.0", { .name = "plain", .vendor = 1, .device = 1 }, 0 },
		{ "one whose VFs are on", "0000:00:08.0",
		  { .name = "plain", .vendor = 1, .device = 1 }, -EBUSY, 2 },
	};

	pci_create_machine(&sim_iommu_ops);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pci_bus *bus = pci_bus_of_name(rows[i].name, NULL);
		struct pci_dev *pdev = pci_plug(bus, pci_devfn_of_name(rows[i].name),
						&rows[i].model, 100 + i);

		vfiosim_say("%s", rows[i].what);
		vfiosim_expect(!IS_ERR(pdev));
		vfiosim_expect(!driver_override_store(pdev, "vfio-pci"));
		pdev->num_vf = rows[i].num_vf;
		pdev->is_physfn = rows[i].num_vf > 0;
		vfiosim_expect(driver_bind_store(&vfio_pci_driver.driver, pci_name(pdev)) ==
			       rows[i].ret);
		pdev->num_vf = pdev->is_physfn = 0;
		/* VF-141: nothing is left of a refused one, not even in its group. */
		vfiosim_expect(iommu_group_refs(pdev->dev.iommu_group) == (rows[i].ret ? 1 : 3));
		device_release_driver(&pdev->dev);
	}
}

static void boot_machine(void *fixture)
{
	/* Plugging anything loads the modules. */
	vfiosim_expect(vpci_plug("0000:00:1f.0") != NULL);
}

START_TEST(bridges_and_denylisted_devices_cannot_be_bound)
{
	/* VF-140 */
	static const struct vfiosim_scenario scenario = {
		.name = "refused", .setup = boot_machine,
		.tasks = { { "alice", refused_devices } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

static void no_group(void *fixture)
{
	struct vfiosim_device *device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:00:08.0", .no_iommu = true });

	vfio_noiommu = false;
	vfiosim_expect(vfiosim_bind(NULL, device, "vfio-pci") == -EINVAL);
	vfiosim_expect(vfiosim_peek("pins", NULL) == 0);
}

START_TEST(a_device_without_group_cannot_be_bound)
{
	assert_runs(no_group);
}
END_TEST

/* ---- open and close ---- */

static bool device_view(const char *name, struct vfio_pci_view *view)
{
	return vfio_pci_view(pci_find_by_name(name), view);
}

static void open_counts(void *fixture)
{
	struct vpci *v = fixture;
	struct vfio_pci_view view;
	int second;

	vfiosim_expect(device_view("0000:01:00.0", &view) && view.open_count >= 1);
	vfiosim_expect(view.memory_enabled && view.claimed_bars == 1);
	second = vfiosim_ioctl(v->alice, v->user.group, VFIO_GROUP_GET_DEVICE_FD,
			       vfiosim_device_name(v->device));
	vfiosim_expect(second >= 0);
	/* VF-145: the second open counts and sets nothing up again. */
	vfiosim_expect(device_view("0000:01:00.0", &view) && view.open_count == 2);
	vfiosim_expect(vfiosim_munmap(v->alice, v->bar, VPCI_BAR) == 0);
	vfiosim_expect(vfiosim_close(v->alice, v->user.device) == 0);
	vfiosim_expect(device_view("0000:01:00.0", &view) && view.claimed_bars == 1);
	vfiosim_expect(vfiosim_close(v->alice, second) == 0);
	vfiosim_expect(device_view("0000:01:00.0", &view));
	vfiosim_expect(view.open_count == 0 && view.claimed_bars == 0 && !view.memory_enabled);
	v->user.device = -1;
	vfiosim_user_close(&v->user);
}

START_TEST(the_last_close_gives_the_bars_back)
{
	/* VF-148, VF-149 */
	vpci_run_one(open_counts, both_cores[_i], NULL);
}
END_TEST

/* COMMAND at the first open is 0x103; a true last close puts it back (section 7). */
static void command_survives(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vpci_config_read(v, PCI_COMMAND, 2) == 0x103);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vfiosim_close(v->alice, v->user.device) == 0);
	v->user.device = vfiosim_ioctl(v->alice, v->user.group, VFIO_GROUP_GET_DEVICE_FD,
				       vfiosim_device_name(v->device));
	/* The mapping kept the device open. */
	vfiosim_expect(vpci_config_read(v, PCI_COMMAND, 2) == 0x101);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_munmap(v->alice, v->bar, VPCI_BAR) == 0);
	vfiosim_expect(vfiosim_close(v->alice, v->user.device) == 0);
	v->user.device = vfiosim_ioctl(v->alice, v->user.group, VFIO_GROUP_GET_DEVICE_FD,
				       vfiosim_device_name(v->device));
	vfiosim_expect(vpci_config_read(v, PCI_COMMAND, 2) == 0x103);
}

START_TEST(memory_off_survives_while_a_mapping_is_left_and_no_longer)
{
	vpci_run_one(command_survives, both_cores[_i], NULL);
}
END_TEST

/* VF-146, VF-268: while somebody holds the device lock, a first open cannot reset. */
static void open_locked(void *fixture)
{
	struct vpci *v = fixture;
	struct pci_dev *pdev = pci_find_by_name("0000:01:00.0");
	int fd;

	vfiosim_expect(vfiosim_munmap(v->alice, v->bar, VPCI_BAR) == 0);
	vfiosim_expect(vfiosim_close(v->alice, v->user.device) == 0);
	device_lock(&pdev->dev);
	fd = vfiosim_ioctl(v->alice, v->user.group, VFIO_GROUP_GET_DEVICE_FD,
			   vfiosim_device_name(v->device));
	vfiosim_expect(fd == -EAGAIN);
	device_unlock(&pdev->dev);
	fd = vfiosim_ioctl(v->alice, v->user.group, VFIO_GROUP_GET_DEVICE_FD,
			   vfiosim_device_name(v->device));
	vfiosim_expect(fd >= 0);
	v->user.device = fd;
	/* A reset on request finds the lock taken as well. */
	device_lock(&pdev->dev);
	vfiosim_expect(vfiosim_ioctl(v->alice, fd, VFIO_DEVICE_RESET, 0) == -EAGAIN);
	device_unlock(&pdev->dev);
}

START_TEST(a_first_open_and_a_reset_only_try_the_device_lock)
{
	struct vpci_run run = *both_cores[_i];

	run.resets = VFIOSIM_RESET_FLR;
	vpci_run_one(open_locked, &run, NULL);
}
END_TEST

/* VF-243: the device is public before its probe has ended, and the device lock is held. */
static void setup_plugged(void *fixture)
{
	struct vpci *v = fixture;

	v->device = vpci_plug("0000:01:00.0");
	v->alice = vfiosim_process("alice");
}

static void binder(void *fixture)
{
	vfiosim_bind(NULL, ((struct vpci *)fixture)->device, "vfio-pci");
}

static void early_opener(void *fixture)
{
	struct vpci *v = fixture;
	int ret = vfiosim_user_open(&v->user, v->alice, v->device);

	vfiosim_expect(ret != -EAGAIN);
	if (!ret)
		vfiosim_user_close(&v->user);
}

static enum vfiosim_verdict explore_early_open(const struct vpci_run *run, unsigned int resets)
{
	const struct vfiosim_options options = {
		.preemptions_bounded = true, .preemptions_max = 1, .no_minimize = true,
		.runs_max = 3000,
	};
	const struct vfiosim_scenario scenario = {
		.name = "early open", .fixture_size = sizeof(struct vpci),
		.kernel = run->kernel, .core = run->core, .setup = setup_plugged,
		.tasks = { { "binder", binder }, { "opener", early_opener } },
	};

	vpci_run = *run;
	vpci_run.resets = resets;
	return vfiosim_explore(&scenario, &options, NULL);
}

START_TEST(an_open_during_the_probe_cannot_reset_the_device)
{
	ck_assert_int_eq(explore_early_open(both_cores[_i], VFIOSIM_RESET_FLR), VFIOSIM_VIOLATION);
	ck_assert_int_eq(explore_early_open(both_cores[_i], 0), VFIOSIM_OK);
}
END_TEST

/* ---- regions ---- */

static void regions(void *fixture)
{
	const unsigned int rw = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	const unsigned int rwm = rw | VFIO_REGION_INFO_FLAG_MMAP;
	const struct {
		const char *what;
		unsigned int index;
		int ret;
		uint64_t size;
		unsigned int flags;
	} rows[] = {
		{ "small BAR, padded", 0, 0, 0x100, rwm },
		{ "absent BAR", 1, 0, 0, 0 },
		{ "64-bit RAM BAR", 2, 0, VPCI_BAR, rwm },
		{ "its upper half", 3, 0, 0, 0 },
		{ "I/O ports", 4, 0, 0x40, rw },
		{ "ROM", 6, 0, 0, 0 },
		{ "config", 7, 0, 256, rw },
		{ "VGA", 8, -EINVAL, 0, 0 },
		{ "no such region", 9, -EINVAL, 0, 0 },
	};
	struct vpci *v = fixture;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vfio_region_info info = { .argsz = sizeof(info), .index = rows[i].index };

		vfiosim_say("%s", rows[i].what);
		vfiosim_expect(vfiosim_ioctl(v->alice, v->user.device,
					     VFIO_DEVICE_GET_REGION_INFO, &info) == rows[i].ret);
		if (rows[i].ret)
			continue;
		vfiosim_expect(info.size == rows[i].size && info.flags == rows[i].flags);
		vfiosim_expect(info.offset == VPCI_REGION(rows[i].index));
	}
}

START_TEST(regions_are_told_as_they_are)
{
	vpci_run_one(regions, both_cores[_i], NULL);
}
END_TEST

static void bad_arguments(void *fixture)
{
	struct vfio_device_info info = { .argsz = 4 };
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_ioctl(v->alice, v->user.device, VFIO_DEVICE_GET_INFO, &info) ==
		       -EINVAL);
	vfiosim_expect(vfiosim_ioctl(v->alice, v->user.device, VFIO_DEVICE_GET_INFO,
				     VFIOSIM_BAD_POINTER) == -EFAULT);
	info.argsz = sizeof(info);
	vfiosim_expect(vfiosim_ioctl(v->alice, v->user.device, VFIO_DEVICE_GET_INFO, &info) == 0);
	vfiosim_expect(info.flags == VFIO_DEVICE_FLAGS_PCI);
	vfiosim_expect(info.num_regions == 9 && info.num_irqs == 5);
	vfiosim_expect(vfiosim_ioctl(v->alice, v->user.device, VFIO_DEVICE_IOEVENTFD, 0) ==
		       -ENOTTY);
}

START_TEST(ioctls_check_their_argument)
{
	vpci_run_one(bad_arguments, both_cores[_i], NULL);
}
END_TEST

static void bar_access(void *fixture)
{
	struct vpci *v = fixture;
	uint8_t bytes[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, back[16];

	/* VF-163: unaligned pieces go by 1, 2 and 4 bytes. */
	vfiosim_expect(vfiosim_pwrite(v->alice, v->user.device, bytes, 9, VPCI_REGION(2) + 3) == 9);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, back, 9, VPCI_REGION(2) + 3) == 9);
	vfiosim_expect(!memcmp(bytes, back, 9));
	/* Cut at the end, refused behind it. */
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, back, 16,
				     VPCI_REGION(2) + VPCI_BAR - 4) == 4);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, back, 4,
				     VPCI_REGION(2) + VPCI_BAR) == -EINVAL);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, back, 4, VPCI_REGION(6)) == -EINVAL);
	/* VF-163: ports are not tested for memory. */
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, back, 4, VPCI_REGION(4)) == 4);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, back, 4, VPCI_REGION(2)) == -EIO);
}

START_TEST(bars_can_be_read_and_written_in_pieces)
{
	vpci_run_one(bar_access, both_cores[_i], NULL);
}
END_TEST

/* ---- the request eventfd (VF-174) ---- */

struct irq_arg {
	struct vfio_irq_set head;
	union {
		int fd;
		uint8_t byte;
	};
};

static long set_req(struct vpci *v, uint32_t data, unsigned int start, unsigned int count,
		    int value)
{
	struct irq_arg arg = {
		.head = { .argsz = sizeof(arg), .index = VFIO_PCI_REQ_IRQ_INDEX,
			  .flags = VFIO_IRQ_SET_ACTION_TRIGGER | data,
			  .start = start, .count = count },
		.fd = value };

	return vfiosim_ioctl(v->alice, v->user.device, VFIO_DEVICE_SET_IRQS, &arg);
}

static uint64_t count_of(struct vpci *v, int fd)
{
	uint64_t count = 0;

	vfiosim_read(v->alice, fd, &count, sizeof(count));
	return count;
}

static void request_table(void *fixture)
{
	const uint32_t none = VFIO_IRQ_SET_DATA_NONE, boolean = VFIO_IRQ_SET_DATA_BOOL,
		       eventfd = VFIO_IRQ_SET_DATA_EVENTFD;
	struct vpci *v = fixture;
	int fd = vfiosim_eventfd(v->alice, 0, 04000 /* O_NONBLOCK */);

	vfiosim_expect(set_req(v, none, 0, 1, 0) == -EINVAL);
	vfiosim_expect(set_req(v, none, 0, 0, 0) == -EINVAL);
	vfiosim_expect(set_req(v, eventfd, 0, 1, 999) == -EBADF);
	vfiosim_expect(set_req(v, eventfd, 0, 1, v->user.device) == -EINVAL);
	vfiosim_expect(set_req(v, eventfd, 0, 1, fd) == 0);
	vfiosim_expect(set_req(v, none, 0, 1, 0) == 0 && count_of(v, fd) == 1);
	vfiosim_expect(set_req(v, boolean, 0, 1, 1) == 0 && count_of(v, fd) == 1);
	vfiosim_expect(set_req(v, boolean, 0, 1, 0) == 0 && count_of(v, fd) == 0);
	vfiosim_expect(set_req(v, boolean, 0, 0, 1) == -EINVAL);
	vfiosim_expect(set_req(v, eventfd, 0, 0, fd) == -EINVAL);
	vfiosim_expect(set_req(v, eventfd, 1, 1, fd) == -EINVAL);
	vfiosim_expect(set_req(v, eventfd, 0, 2, fd) == -EINVAL);
	vfiosim_expect(set_req(v, eventfd, 0, 1, -1) == 0);
	vfiosim_expect(set_req(v, none, 0, 1, 0) == -EINVAL);
	vfiosim_expect(set_req(v, eventfd, 0, 1, fd) == 0 && set_req(v, none, 0, 0, 0) == 0);
	vfiosim_expect(set_req(v, none, 0, 0, 0) == -EINVAL);
}

START_TEST(the_request_eventfd_follows_its_table)
{
	vpci_run_one(request_table, both_cores[_i], NULL);
}
END_TEST

struct blocked {
	struct vpci v;
	int eventfd;
};

static void blocked_setup(void *fixture)
{
	struct blocked *b = fixture;

	vpci_setup(fixture);
	b->eventfd = vfiosim_eventfd(b->v.alice, 0, 04000);
	vfiosim_expect(set_req(&b->v, VFIO_IRQ_SET_DATA_EVENTFD, 0, 1, b->eventfd) == 0);
}

static void unbinder(void *fixture)
{
	struct blocked *b = fixture;

	vfiosim_expect(vfiosim_unbind(NULL, b->v.device) == 0);
}

/* VF-84: at 0, 10 and 20 seconds; what is open goes at 25. */
static void releaser(void *fixture)
{
	struct blocked *b = fixture;

	vfiosim_sleep_ms(5000);
	vfiosim_expect(count_of(&b->v, b->eventfd) == 1);
	vfiosim_sleep_ms(10000);
	vfiosim_expect(count_of(&b->v, b->eventfd) == 1);
	vfiosim_sleep_ms(10000);
	vfiosim_expect(count_of(&b->v, b->eventfd) == 1);
	vfiosim_user_close(&b->v.user);
	vfiosim_munmap(b->v.alice, b->v.bar, VPCI_BAR);
}

START_TEST(a_blocked_unbind_signals_the_request_eventfd_every_ten_seconds)
{
	struct vfiosim_scenario scenario = {
		.name = "request", .fixture_size = sizeof(struct blocked),
		.kernel = both_cores[_i]->kernel, .core = both_cores[_i]->core,
		.setup = blocked_setup,
		.tasks = { { "unbinder", unbinder }, { "releaser", releaser } },
	};

	vpci_run = *both_cores[_i];
	assert_scenario_ok(&scenario);
	ck_assert_uint_eq(simtest_trace_count("Relaying device request to user (#0)"), 1);
	ck_assert_uint_eq(simtest_trace_count("No device request channel"), 0);
}
END_TEST

static void idle(void *fixture)
{
}

/* What a run that was stopped leaves goes when the next one begins: leak checkers look. */
static void forget_the_run(void)
{
	assert_runs(idle);
}

START_TEST(without_an_eventfd_one_line_is_logged_and_no_more)
{
	struct vfiosim_scenario scenario = {
		.name = "request", .fixture_size = sizeof(struct blocked),
		.kernel = both_cores[_i]->kernel, .core = both_cores[_i]->core,
		.setup = vpci_setup,
		.tasks = { { "unbinder", unbinder }, { "releaser", releaser } },
		.tolerate = "expectation",
	};

	vpci_run = *both_cores[_i];
	simtest_run(&scenario);
	ck_assert_uint_eq(simtest_trace_count("No device request channel"), 1);
	forget_the_run();
}
END_TEST

/* VF-264: the last close takes the eventfd away while a request may be under way. */
static void close_at_once(void *fixture)
{
	struct blocked *b = fixture;

	vfiosim_munmap(b->v.alice, b->v.bar, VPCI_BAR);
	vfiosim_user_close(&b->v.user);
}

START_TEST(a_request_and_the_last_close_get_along)
{
	const struct vfiosim_scenario scenario = {
		.name = "request and close", .fixture_size = sizeof(struct blocked),
		.kernel = both_cores[_i]->kernel, .core = both_cores[_i]->core,
		.setup = blocked_setup,
		.tasks = { { "unbinder", unbinder }, { "closer", close_at_once } },
	};

	vpci_run = *both_cores[_i];
	assert_scenario_ok_random(&scenario, 40);
}
END_TEST

static void two_admins(void *fixture)
{
	blocked_setup(fixture);
	vfiosim_threads(NULL, 2);
}

/* Section 8: a second writer waits for the device lock, and has nothing left to do. */
START_TEST(a_second_unbind_ends_after_the_first)
{
	const struct vfiosim_scenario scenario = {
		.name = "two unbinds", .fixture_size = sizeof(struct blocked),
		.kernel = both_cores[_i]->kernel, .core = both_cores[_i]->core,
		.setup = two_admins,
		.tasks = { { "unbinder", unbinder }, { "second", unbinder },
			   { "releaser", releaser } },
	};

	vpci_run = *both_cores[_i];
	assert_scenario_ok(&scenario);
}
END_TEST

static void unbind_own_device(void *fixture)
{
	struct blocked *b = fixture;

	vfiosim_unbind(b->v.alice, b->v.device);
}

static void killer(void *fixture)
{
	struct blocked *b = fixture;

	vfiosim_sleep_ms(1000);
	vfiosim_kill(b->v.alice, SIGKILL);
}

START_TEST(who_unbinds_what_he_holds_waits_for_himself_and_cannot_be_killed)
{
	/* VF-257; the end of section 8 */
	const struct vfiosim_scenario scenario = {
		.name = "self", .fixture_size = sizeof(struct blocked), .setup = blocked_setup,
		.kernel = both_cores[_i]->kernel, .core = both_cores[_i]->core,
		.tasks = { { "alice", unbind_own_device }, { "killer", killer } },
	};

	vpci_run = *both_cores[_i];
	assert_scenario_detects("hung-task", &scenario);
	forget_the_run();
}
END_TEST

/* ---- the device's interrupts, as far as a user can trigger them ---- */

static long set_irqs(struct vpci *v, unsigned int index, uint32_t flags, unsigned int count,
		     int value)
{
	struct irq_arg arg = {
		.head = { .argsz = sizeof(arg), .index = index, .flags = flags, .count = count },
		.fd = value };

	return vfiosim_ioctl(v->alice, v->user.device, VFIO_DEVICE_SET_IRQS, &arg);
}

static void interrupts(void *fixture)
{
	const uint32_t trigger = VFIO_IRQ_SET_ACTION_TRIGGER;
	struct vpci *v = fixture;
	int fd = vfiosim_eventfd(v->alice, 0, 04000);

	vfiosim_expect(set_irqs(v, 1, trigger | VFIO_IRQ_SET_DATA_NONE, 1, 0) == -EINVAL);
	vfiosim_expect(set_irqs(v, 1, trigger | VFIO_IRQ_SET_DATA_EVENTFD, 1, fd) == 0);
	vfiosim_expect(set_irqs(v, 1, trigger | VFIO_IRQ_SET_DATA_NONE, 1, 0) == 0);
	vfiosim_expect(count_of(v, fd) == 1);
	/* One kind at a time. */
	vfiosim_expect(set_irqs(v, 0, trigger | VFIO_IRQ_SET_DATA_EVENTFD, 1, fd) == -EINVAL);
	vfiosim_expect(set_irqs(v, 1, trigger | VFIO_IRQ_SET_DATA_NONE, 0, 0) == 0);
	vfiosim_expect(set_irqs(v, 0, trigger | VFIO_IRQ_SET_DATA_EVENTFD, 1, fd) == 0);
	vfiosim_expect(set_irqs(v, 0, VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_DATA_NONE, 1, 0) ==
		       0);
	vfiosim_expect(set_irqs(v, 0, trigger | VFIO_IRQ_SET_DATA_NONE, 1, 0) == 0);
	vfiosim_expect(count_of(v, fd) == 0);
	vfiosim_expect(set_irqs(v, 0, VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_NONE, 1, 0) ==
		       0);
	vfiosim_expect(set_irqs(v, 0, trigger | VFIO_IRQ_SET_DATA_NONE, 1, 0) == 0);
	vfiosim_expect(count_of(v, fd) == 1);
	/* Left set: the last close takes them away. */
}

START_TEST(interrupts_are_of_one_kind_at_a_time)
{
	vpci_run_one(interrupts, both_cores[_i], NULL);
}
END_TEST

/* ---- failures ---- */

/* VF-341, VF-342, VF-343, VF-344: whatever fails, everything goes back. */
static void bind_and_use(void *fixture)
{
	struct vpci *v = fixture;

	v->device = vpci_plug("0000:01:00.0");
	v->alice = v->device ? vfiosim_process("alice") : NULL;
	if (!v->alice || vfiosim_bind(NULL, v->device, "vfio-pci"))
		return;
	if (!vfiosim_user_open(&v->user, v->alice, v->device)) {
		v->bar = vfiosim_bar_map(v->alice, v->user.device, 2);
		if (v->bar > 0)
			vfiosim_load(v->alice, v->bar, NULL);
		vfiosim_memory_space(v->alice, v->user.device, false);
	}
	vfiosim_exit(v->alice);
	vfiosim_wait_exit(v->alice);
	vfiosim_unbind(NULL, v->device);
	vfiosim_expect(vfiosim_peek("pins", NULL) == 0);
}

/* A leak that the kernel itself warns of: VF-51 in the port, 6.12's group creation. */
static bool failure_is_known(void)
{
	return !run_failure() || (!strcmp(run_failure()->detector, "leak") &&
				  simtest_trace_count("*** warn") > 0);
}

START_TEST(no_single_failure_leaves_anything_behind_but_what_the_kernel_warns_of)
{
	struct vfiosim_scenario scenario = {
		.name = "faults", .fixture_size = sizeof(struct vpci),
		.kernel = both_cores[_i]->kernel, .core = both_cores[_i]->core,
		.tolerate = "warn", .tasks = { { "alice", bind_and_use } },
	};
	unsigned int nth = 0;

	vpci_run = *both_cores[_i];
	vpci_run.resets = VFIOSIM_RESET_FLR;
	do {
		simtest_run_fault(&scenario, ++nth);
		ck_assert_msg(failure_is_known(), "fault %u (%s): %s", nth,
			      simtest_failed_site(), run_failure()->message);
	} while (simtest_failed_site());
	ck_assert_uint_gt(nth, 90);
}
END_TEST

/* VF-254: the arbiter keeps a pointer to what a failed probe has freed. */
static struct pci_dev *plug_vga(void)
{
	struct pci_bus *root = pci_create_machine(&sim_iommu_ops);

	return pci_plug(root, PCI_DEVFN(9, 0), pci_find_model("vga"), 900);
}

static void bind_vga_and_ask(void *fixture)
{
	struct pci_dev *pdev = plug_vga();
	int ret;

	if (IS_ERR_OR_NULL(pdev) || driver_override_store(pdev, "vfio-pci"))
		return;
	ret = driver_bind_store(&vfio_pci_driver.driver, pci_name(pdev));
	vga_arbiter_ask(true);
	vfiosim_expect(ret || vga_arbiter_ask(false) == 1);
}

static bool vga_fault_finds(const struct vpci_run *run, const char *detector)
{
	struct vfiosim_scenario scenario = {
		.name = "vga", .setup = boot_machine, .kernel = run->kernel, .core = run->core,
		.tasks = { { "alice", bind_vga_and_ask } },
	};

	for (unsigned int nth = 1; nth < 200; nth++) {
		simtest_run_fault(&scenario, nth);
		if (run_failure() && !strcmp(run_failure()->detector, detector))
			return true;
		if (!simtest_failed_site())
			return false;
	}
	return false;
}

START_TEST(a_failed_registration_leaves_a_stale_pointer_with_the_vga_arbiter_in_5_14)
{
	if (simtest_has_memory_checker())
		return;
	ck_assert(vga_fault_finds(&vpci_list_5_14, "use-after-free"));
	ck_assert(!vga_fault_finds(&vpci_space_6_12, "use-after-free"));
}
END_TEST

/* ---- hot unplug ---- */

static void unplugger(void *fixture)
{
	struct blocked *b = fixture;

	vfiosim_expect(vfiosim_unplug(NULL, b->v.device) == 0);
}

static void closer(void *fixture)
{
	struct blocked *b = fixture;

	vfiosim_sleep_ms(100);
	/* VF-143, VF-207: remove waits with the device locked. */
	vfiosim_expect(!device_trylock(&pci_find_by_name("0000:01:00.0")->dev));
	vfiosim_expect(vfiosim_load(b->v.alice, b->v.bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_user_close(&b->v.user);
	vfiosim_munmap(b->v.alice, b->v.bar, VPCI_BAR);
}

START_TEST(hot_unplug_waits_for_the_user)
{
	/* VF-392; section 8: sysfs remove blocks in the same way */
	struct vfiosim_scenario scenario = {
		.name = "unplug", .fixture_size = sizeof(struct blocked), .setup = vpci_setup,
		.kernel = both_cores[_i]->kernel, .core = both_cores[_i]->core,
		.tasks = { { "unplugger", unplugger }, { "closer", closer } },
	};

	vpci_run = *both_cores[_i];
	assert_scenario_ok(&scenario);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vfio_pci");
	TCase *bind = tcase_create("bind"), *use = tcase_create("use"),
	      *fail = tcase_create("fail");

	tcase_add_test(bind, bridges_and_denylisted_devices_cannot_be_bound);
	tcase_add_test(bind, a_device_without_group_cannot_be_bound);
	tcase_add_loop_test(bind, hot_unplug_waits_for_the_user, 0, 2);
	tcase_add_loop_test(use, the_last_close_gives_the_bars_back, 0, 2);
	tcase_add_loop_test(use, memory_off_survives_while_a_mapping_is_left_and_no_longer, 0, 2);
	tcase_add_loop_test(use, a_first_open_and_a_reset_only_try_the_device_lock, 0, 2);
	tcase_add_loop_test(bind, an_open_during_the_probe_cannot_reset_the_device, 0, 2);
	tcase_add_loop_test(use, a_request_and_the_last_close_get_along, 0, 2);
	tcase_add_loop_test(use, a_second_unbind_ends_after_the_first, 0, 2);
	tcase_add_loop_test(use, who_unbinds_what_he_holds_waits_for_himself_and_cannot_be_killed,
			    0, 2);
	tcase_add_loop_test(use, regions_are_told_as_they_are, 0, 2);
	tcase_add_loop_test(use, ioctls_check_their_argument, 0, 2);
	tcase_add_loop_test(use, bars_can_be_read_and_written_in_pieces, 0, 2);
	tcase_add_loop_test(use, the_request_eventfd_follows_its_table, 0, 2);
	tcase_add_loop_test(use, a_blocked_unbind_signals_the_request_eventfd_every_ten_seconds,
			    0, 2);
	tcase_add_loop_test(use, without_an_eventfd_one_line_is_logged_and_no_more, 0, 2);
	tcase_add_loop_test(use, interrupts_are_of_one_kind_at_a_time, 0, 2);
	tcase_add_loop_test(fail,
			    no_single_failure_leaves_anything_behind_but_what_the_kernel_warns_of,
			    0, 2);
	tcase_add_test(fail,
		       a_failed_registration_leaves_a_stale_pointer_with_the_vga_arbiter_in_5_14);
	tcase_set_timeout(bind, 60);
	tcase_set_timeout(use, 60);
	tcase_set_timeout(fail, 60);
	suite_add_tcase(suite, bind);
	suite_add_tcase(suite, use);
	suite_add_tcase(suite, fail);
	return simtest_main(suite);
}
