// SPDX-License-Identifier: GPL-2.0-only
/* Scenarios of the driver core and vfio-pci that the clean model passes. */
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sys/mman.h>

#include <vfiosim.h>

#define BAR_SIZE 0x4000

struct world {
	struct vfiosim_device *device, *neighbour;
	struct vfiosim_process *alice;
	struct vfiosim_user user, other;
	int64_t bar, other_bar;
	int eventfd;
};

static struct vfiosim_device *plug(const char *name, enum vfiosim_design design)
{
	return vfiosim_plug(&(struct vfiosim_device_desc){
		.name = name, .design = design, .has_pm = true,
		.resets = VFIOSIM_RESET_FLR | VFIOSIM_RESET_BUS,
		.bars = { [2] = { .size = BAR_SIZE,
				  .flags = VFIOSIM_BAR_RAM | VFIOSIM_BAR_64BIT } } });
}

static void setup(struct world *w, enum vfiosim_design design)
{
	w->device = plug("0000:01:00.0", design);
	w->alice = vfiosim_process("alice");
	vfiosim_threads(w->alice, 3);
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&w->user, w->alice, w->device) == 0);
	w->bar = vfiosim_bar_map(w->alice, w->user.device, 2);
}

static void setup_list(void *fixture)
{
	setup(fixture, VFIOSIM_VMA_LIST);
}

static void setup_space(void *fixture)
{
	setup(fixture, VFIOSIM_ADDRESS_SPACE);
}

/* Touch, off, SIGBUS, on, touch: the whole point of the driver's care. */
static void switch_memory(void *fixture)
{
	struct world *w = fixture;
	uint32_t value = 0;

	vfiosim_expect(vfiosim_store(w->alice, w->bar, 7) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(w->alice, w->bar + 0x1000, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, false) == 0);
	vfiosim_expect(vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, true) == 0);
	vfiosim_expect(vfiosim_load(w->alice, w->bar, &value) == VFIOSIM_TOUCH_OK && value == 7);
}

/* Cut a hole, so that the list has to follow the pieces. */
static void cut_and_switch(void *fixture)
{
	struct world *w = fixture;

	vfiosim_expect(vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_munmap(w->alice, w->bar + 0x1000, 0x1000);
	vfiosim_expect(vfiosim_load(w->alice, w->bar + 0x2000, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, false) == 0);
	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, true) == 0);
	vfiosim_expect(vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_munmap(w->alice, w->bar, BAR_SIZE);
	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, false) == 0);
}

static void touch(void *fixture)
{
	struct world *w = fixture;

	vfiosim_load(w->alice, w->bar, NULL);
	vfiosim_load(w->alice, w->bar, NULL);
}

static void memory_off(void *fixture)
{
	struct world *w = fixture;

	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, false) == 0);
	vfiosim_expect(vfiosim_memory_space(w->alice, w->user.device, false) == 0);
}

static void reset(void *fixture)
{
	struct world *w = fixture;

	vfiosim_expect(vfiosim_load(w->alice, w->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_ioctl(w->alice, w->user.device, VFIO_DEVICE_RESET, 0) == 0);
	vfiosim_expect(!vfiosim_present(w->alice, w->bar));
}

/* A request eventfd that nobody clears, then the last close. */
static void leave_request_eventfd(void *fixture)
{
	struct world *w = fixture;
	struct {
		struct vfio_irq_set head;
		int fd;
	} arg = { { .argsz = sizeof(arg), .index = VFIO_PCI_REQ_IRQ_INDEX, .count = 1,
		    .flags = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD } };

	arg.fd = vfiosim_eventfd(w->alice, 0, 0);
	vfiosim_expect(vfiosim_ioctl(w->alice, w->user.device, VFIO_DEVICE_SET_IRQS, &arg) == 0);
	vfiosim_munmap(w->alice, w->bar, BAR_SIZE);
	vfiosim_user_close(&w->user);
}

/* Open and close on a bus that two devices share, at once. */
static void setup_bus(void *fixture)
{
	struct world *w = fixture;

	w->alice = vfiosim_process("alice");
	vfiosim_threads(w->alice, 3);
	w->device = plug("0000:01:00.0", VFIOSIM_ADDRESS_SPACE);
	w->neighbour = plug("0000:01:01.0", VFIOSIM_ADDRESS_SPACE);
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_bind(NULL, w->neighbour, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&w->user, w->alice, w->device) == 0);
	vfiosim_expect(vfiosim_user_open(&w->other, w->alice, w->neighbour) == 0);
	w->bar = vfiosim_bar_map(w->alice, w->user.device, 2);
	w->other_bar = vfiosim_bar_map(w->alice, w->other.device, 2);
}

static void hot_reset(void *fixture)
{
	struct world *w = fixture;
	struct {
		struct vfio_pci_hot_reset head;
		int fds[2];
	} arg = { { .argsz = sizeof(arg), .count = 2 }, { w->user.group, w->other.group } };

	vfiosim_expect(vfiosim_load(w->alice, w->other_bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_ioctl(w->alice, w->user.device, VFIO_DEVICE_PCI_HOT_RESET,
				     &arg) == 0);
	vfiosim_expect(!vfiosim_present(w->alice, w->other_bar));
	vfiosim_expect(vfiosim_load(w->alice, w->other_bar, NULL) == VFIOSIM_TOUCH_OK);
}

/* Nobody looks at the mappings afterwards. */
static void hot_reset_only(void *fixture)
{
	struct world *w = fixture;
	struct {
		struct vfio_pci_hot_reset head;
		int fds[2];
	} arg = { { .argsz = sizeof(arg), .count = 2 }, { w->user.group, w->other.group } };

	vfiosim_expect(vfiosim_load(w->alice, w->other_bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_ioctl(w->alice, w->user.device, VFIO_DEVICE_PCI_HOT_RESET,
				     &arg) == 0);
}

/* Bind and unbind, nobody opens. */
static void setup_plugged(void *fixture)
{
	struct world *w = fixture;

	w->device = plug("0000:01:00.0", VFIOSIM_ADDRESS_SPACE);
}

static void bind_twice(void *fixture)
{
	struct world *w = fixture;

	for (int i = 0; i < 2; i++) {
		vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
		vfiosim_expect(vfiosim_unbind(NULL, w->device) == 0);
	}
}

static void bind_when_it_fails(void *fixture)
{
	struct world *w = fixture;

	if (!vfiosim_bind(NULL, w->device, "vfio-pci"))
		vfiosim_expect(vfiosim_unbind(NULL, w->device) == 0);
}

#define SCENARIO(id, title, text, prepare, ...)					\
	static const struct vfiosim_scenario id = {				\
		.name = title, .summary = text, .fixture_size = sizeof(struct world), \
		.setup = prepare, .tasks = { __VA_ARGS__ },			\
	}

SCENARIO(drv_space, "drv-space", "memory off and on, through the inode's address space",
	 setup_space, { "alice", switch_memory });
SCENARIO(drv_list, "drv-list", "memory off and on, by the list of VMAs",
	 setup_list, { "alice", switch_memory });
SCENARIO(drv_list_cut, "drv-list-cut", "the list follows the pieces of a cut mapping",
	 setup_list, { "alice", cut_and_switch });
SCENARIO(drv_space_race, "drv-space-race", "faults against memory off, address space",
	 setup_space, { "toucher", touch }, { "switcher", memory_off });
SCENARIO(drv_list_race, "drv-list-race", "faults against faults and memory off, list",
	 setup_list, { "toucher", touch }, { "switcher", memory_off }, { "second", touch });
SCENARIO(drv_reset, "drv-reset", "a reset takes the mappings away",
	 setup_space, { "alice", reset });
SCENARIO(drv_request, "drv-request", "the last close drops the request eventfd",
	 setup_space, { "alice", leave_request_eventfd });
SCENARIO(drv_hot_reset, "drv-hot-reset", "a hot reset takes the whole bus's mappings away",
	 setup_bus, { "alice", hot_reset });
SCENARIO(drv_hot_reset_only, "drv-hot-reset-only", "a hot reset that nobody looks behind",
	 setup_bus, { "alice", hot_reset_only });
SCENARIO(drv_bind, "drv-bind", "bind and unbind, twice", setup_plugged, { "alice", bind_twice });
SCENARIO(drv_bind_fails, "drv-bind-fails", "a bind that may fail",
	 setup_plugged, { "alice", bind_when_it_fails });

VFIOSIM_PROGRAM(&drv_space, &drv_list, &drv_list_cut, &drv_space_race, &drv_list_race, &drv_reset,
		&drv_request, &drv_hot_reset, &drv_hot_reset_only, &drv_bind, &drv_bind_fails);
