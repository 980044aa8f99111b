// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it takes to see the bugs of docs/history.md that the other scenarios pass by: a
 * mapping that is made while memory goes off, several files of one device, a copy
 * from a BAR to a BAR, requests, power states, group files that outlive their device.
 */
#include <vfiosim/kapi.h>
#include <vfiosim/kapi/iommu.h>
#include <vfiosim/kapi/vfio_pci.h>

#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>

#include <vfiosim.h>

#include "process.h"

#define BAR_SIZE 0x2000
#define CONFIG (7ULL << 40)

struct world {
	struct vfiosim_device *device;
	struct vfiosim_process *alice;
	struct vfiosim_user user;
	int64_t bar;
	int event;
};

static void setup_design(void *fixture, enum vfiosim_design design)
{
	struct world *w = fixture;

	w->device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .design = design, .has_pm = true,
		.bars = { [2] = { .size = BAR_SIZE,
				  .flags = VFIOSIM_BAR_RAM | VFIOSIM_BAR_64BIT } } });
	w->alice = vfiosim_process("alice");
	vfiosim_threads(w->alice, 3);
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&w->user, w->alice, w->device) == 0);
	w->bar = -1;
}

static void setup_opened(void *fixture)
{
	setup_design(fixture, VFIOSIM_ADDRESS_SPACE);
}

static void setup_listed(void *fixture)
{
	setup_design(fixture, VFIOSIM_VMA_LIST);
}

static void setup_mapped(void *fixture)
{
	struct world *w = fixture;

	setup_opened(fixture);
	w->bar = vfiosim_bar_map(w->alice, w->user.device, 2);
	vfiosim_expect(w->bar > 0 && vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_TOUCH_OK);
}

static void memory_off(void *fixture)
{
	struct world *w = fixture;

	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, false) == 0);
}

static void map_bar(void *fixture)
{
	struct world *w = fixture;

	w->bar = vfiosim_bar_map(w->alice, w->user.device, 2);
	vfiosim_expect(w->bar > 0);
}

/* Memory is off for good: whoever made the mapping, and when, it leads nowhere. */
static void nothing_leads_there(void *fixture)
{
	struct world *w = fixture;

	vfiosim_expect(vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
}

static int another_file(struct world *w)
{
	return vfiosim_ioctl(w->alice, w->user.group, VFIO_GROUP_GET_DEVICE_FD, "0000:01:00.0");
}

static void switch_through_another_file(void *fixture)
{
	struct world *w = fixture;
	int second = another_file(w);

	vfiosim_expect(second >= 0);
	vfiosim_expect(vfiosim_memory_space(w->alice, second, false) == 0);
}

static void switch_after_another_file(void *fixture)
{
	struct world *w = fixture;

	vfiosim_expect(vfiosim_close(w->alice, another_file(w)) == 0);
	/* An inode's memory goes after a grace period. */
	vfiosim_sleep_ms(1000);
	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, false) == 0);
}

/* read(device, address of a mapped BAR): the copy to user memory faults into the driver. */
static void read_into_the_bar(void *fixture)
{
	struct world *w = fixture;
	struct task_struct *task = process_enter((struct process *)w->alice);
	loff_t pos = 2ULL << 40;
	struct fd f = fdget(w->user.device);
	ssize_t done = f.file->f_op->read(f.file, (char __user *)w->bar + 0x1000, 4, &pos);

	fdput(f);
	exit_to_user_mode(task, 0);
	vfiosim_expect(done == 4 || done == -EIO || done == -EFAULT);
}

static void set_request_eventfd(struct world *w, int fd)
{
	struct {
		struct vfio_irq_set head;
		int fd;
	} arg = { { .argsz = sizeof(arg), .index = VFIO_PCI_REQ_IRQ_INDEX, .count = 1,
		    .flags = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD }, fd };

	vfiosim_expect(vfiosim_ioctl(w->alice, w->user.device, VFIO_DEVICE_SET_IRQS, &arg) == 0);
}

static void setup_request(void *fixture)
{
	struct world *w = fixture;

	setup_opened(fixture);
	w->event = vfiosim_eventfd(w->alice, 0, 0);
	set_request_eventfd(w, w->event);
	vfiosim_expect(vfiosim_close(w->alice, w->event) == 0);
}

/* The last reference on the eventfd goes while an unbind may be asking through it. */
static void take_the_eventfd_back(void *fixture)
{
	struct world *w = fixture;

	set_request_eventfd(w, -1);
	vfiosim_user_close(&w->user);
}

static void unbind(void *fixture)
{
	struct world *w = fixture;

	vfiosim_expect(vfiosim_unbind(NULL, w->device) == 0);
}

static void to_d3(struct world *w)
{
	uint8_t where = 0;
	uint16_t d3 = 3;

	vfiosim_expect(vfiosim_pread(w->alice, w->user.device, &where, 1,
				     CONFIG + PCI_CAPABILITY_LIST) == 1 && where);
	vfiosim_expect(vfiosim_pwrite(w->alice, w->user.device, &d3, 2,
				      CONFIG + where + PCI_PM_CTRL) == 2);
}

static void sleep_twice(void *fixture)
{
	struct world *w = fixture;

	to_d3(w);
	to_d3(w);
	vfiosim_expect(vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
}

/* Files of another kind, which share the device file's inode, have their own mapping. */
static void open_another_kind(void *fixture)
{
	struct world *w = fixture;
	struct task_struct *task;
	struct fd f;

	w->event = vfiosim_eventfd(w->alice, 0, 0);
	task = process_enter((struct process *)w->alice);
	f = fdget(w->event);
	vfiosim_expect(f.file->f_mapping->host == file_inode(f.file));
	fdput(f);
	exit_to_user_mode(task, 0);
}

/* The list is emptied, and then what was on it goes. */
static void unmap_after_the_zap(void *fixture)
{
	struct world *w = fixture;

	map_bar(fixture);
	vfiosim_expect(vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_TOUCH_OK);
	memory_off(fixture);
	vfiosim_expect(vfiosim_munmap(w->alice, w->bar, BAR_SIZE) == 0);
}

static struct pci_dev *plug_pf(void)
{
	struct pci_dev *pf = pci_plug(pci_create_machine(&sim_iommu_ops), PCI_DEVFN(10, 0),
				      pci_find_model("igb"), 700);

	vfio_pci_enable_sriov = true;
	vfiosim_expect(!IS_ERR(pf) && !driver_override_store(pf, "vfio-pci"));
	return pf;
}

/* Twice, since the first bind may fail. */
static void bind_pf(void *fixture)
{
	struct pci_dev *pf = plug_pf();

	for (int i = 0; i < 2; i++) {
		if (!driver_bind_store(&vfio_pci_driver.driver, pci_name(pf)))
			device_release_driver(&pf->dev);
	}
}

/* What stands for a random token: the first PF of a run has this one. */
#define FIRST_TOKEN " vf_token=a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0"

static long open_vf(struct vfiosim_process *bob, struct pci_dev *vf)
{
	int container = vfiosim_open(bob, "/dev/vfio/vfio", O_RDWR), group;
	char text[80];

	snprintf(text, sizeof(text), "/dev/vfio/%d", iommu_group_id(vf->dev.iommu_group));
	group = vfiosim_open(bob, text, O_RDWR);
	vfiosim_expect(!vfiosim_ioctl(bob, group, VFIO_GROUP_SET_CONTAINER, &container));
	vfiosim_expect(!vfiosim_ioctl(bob, container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	snprintf(text, sizeof(text), "%s" FIRST_TOKEN, pci_name(vf));
	return vfiosim_ioctl(bob, group, VFIO_GROUP_GET_DEVICE_FD, text);
}

/* A VF has no memory bit: its memory is always on. */
static void read_from_a_vf(void *fixture)
{
	struct vfiosim_process *bob = vfiosim_process("bob");
	struct pci_dev *pf = plug_pf();
	uint32_t value;
	long fd;

	vfiosim_expect(!driver_bind_store(&vfio_pci_driver.driver, pci_name(pf)));
	vfiosim_expect(sriov_numvfs_store(pf, 1) == 0);
	fd = open_vf(bob, pci_find_by_name("0000:00:0a.1"));
	vfiosim_expect(fd >= 0);
	vfiosim_expect(vfiosim_pread(bob, fd, &value, 4, 0) == 4);
	vfiosim_exit(bob);
	vfiosim_wait_exit(bob);
	vfiosim_expect(sriov_numvfs_store(pf, 0) == 0);
	device_release_driver(&pf->dev);
}

/* The file of a group that has lost its last device. */
static void setup_group_only(void *fixture)
{
	struct world *w = fixture;

	setup_opened(fixture);
	vfiosim_close(w->alice, w->user.device);
	w->user.device = -1;
}

static void outlive_the_device(void *fixture)
{
	struct world *w = fixture;
	struct vfio_group_status status = { .argsz = sizeof(status) };

	unbind(fixture);
	vfiosim_unplug(NULL, w->device);
	vfiosim_expect(vfiosim_ioctl(w->alice, w->user.group, VFIO_GROUP_GET_STATUS, &status) ==
		       -ENODEV);
	vfiosim_user_close(&w->user);
}

#define SCENARIO(id, title, text, prepare, end, ...)				\
	static const struct vfiosim_scenario id = {				\
		.name = title, .summary = text, .fixture_size = sizeof(struct world), \
		.setup = prepare, .teardown = end, .tasks = { __VA_ARGS__ },	\
	}

SCENARIO(map_race, "hist-map-race", "a BAR is mapped while memory goes off", setup_opened,
	 nothing_leads_there, { "mapper", map_bar }, { "switcher", memory_off });
SCENARIO(two_files, "hist-two-files", "memory off through a second file of the device",
	 setup_mapped, nothing_leads_there, { "alice", switch_through_another_file });
SCENARIO(file_closed, "hist-file-closed", "memory off after a second file was closed",
	 setup_mapped, nothing_leads_there, { "alice", switch_after_another_file });
SCENARIO(bar_to_bar, "hist-bar-to-bar", "a BAR is read into a mapped BAR while memory goes off",
	 setup_mapped, NULL, { "reader", read_into_the_bar }, { "switcher", memory_off });
SCENARIO(three_parties, "hist-three-parties", "the same, and a third thread maps",
	 setup_mapped, NULL, { "reader", read_into_the_bar }, { "switcher", memory_off },
	 { "mapper", map_bar });
SCENARIO(request_race, "hist-request-race", "the request eventfd goes while an unbind asks",
	 setup_request, NULL, { "alice", take_the_eventfd_back }, { "admin", unbind });
SCENARIO(power, "hist-d3", "a mapped device is put to sleep, twice", setup_mapped, NULL,
	 { "alice", sleep_twice });

SCENARIO(list_zapped, "hist-list-zapped", "a VMA goes after the list was emptied", setup_listed,
	 NULL, { "alice", unmap_after_the_zap });
SCENARIO(another_kind, "hist-eventfd", "an eventfd is made beside a device's file", setup_opened,
	 NULL, { "alice", open_another_kind });
SCENARIO(pf_bind, "hist-pf-bind", "a PF is bound twice, once perhaps in vain", setup_opened, NULL,
	 { "admin", bind_pf });

static const struct vfiosim_scenario vf_memory = {
	.name = "hist-vf", .summary = "a register of a VF is read",
	.core = "merged", .kernel = VFIOSIM_KERNEL_6_12, .fixture_size = sizeof(struct world),
	.setup = setup_opened, .tasks = { { "bob", read_from_a_vf } },
};

static const struct vfiosim_scenario group_outlives = {
	.name = "hist-group-outlives",
	.summary = "a group's file is there when the last device has gone",
	.core = "merged", .kernel = VFIOSIM_KERNEL_6_12, .fixture_size = sizeof(struct world),
	.setup = setup_group_only, .tasks = { { "alice", outlive_the_device } },
};

VFIOSIM_PROGRAM(&map_race, &two_files, &file_closed, &bar_to_bar, &three_parties, &request_race,
		&power, &list_zapped, &another_kind,
		&pf_bind, &vf_memory, &group_outlives);
