// SPDX-License-Identifier: GPL-2.0-only
/*
 * See core-commands.h. Each command is a function of its words and gives the
 * step's return value; the last one of a step counts.
 */
#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/panic.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>

#include "core-commands.h"
#include "core-driver.h"
#include "engine.h"
#include "mm_internal.h"
#include "process.h"
#include "syscall.h"

#define PROT_READ_WRITE 3
#define MAP_SHARED 1

DECLARE_MODULE(vfio);

char core_log[CORE_LOG_SIZE];
size_t core_log_used;
bool core_stop_script;

typedef const struct core_command *cmd;

static void remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void remark(const char *format, ...)
{
	va_list args;

	core_log_used += scnprintf(core_log + core_log_used, CORE_LOG_SIZE - core_log_used, "  ");
	va_start(args, format);
	core_log_used += vscnprintf(core_log + core_log_used, CORE_LOG_SIZE - core_log_used,
				    format, args);
	va_end(args);
	core_log_used += scnprintf(core_log + core_log_used, CORE_LOG_SIZE - core_log_used, "\n");
}

static long number(const char *text)
{
	long value = 0;
	bool negative = text && *text == '-';

	for (text += negative; text && *text >= '0' && *text <= '9'; text++)
		value = value * 10 + *text - '0';
	return negative ? -value : value;
}

static struct core_device *device_named(const char *name)
{
	struct core_device *device = core_find(name);

	if (!device)
		eng_fail("misuse", NULL, "%s: no device is plugged by that name", name);
	return device;
}

static struct core_device *device_of(cmd c)
{
	return device_named(c->word[1]);
}

/* A place for a mapping. */
static unsigned int slot_of(const char *word)
{
	long slot = number(word);

	if (slot < 0 || slot >= CORE_MAPPINGS)
		eng_fail("misuse", NULL, "%s: mappings are numbered 0 to %d", word,
			 CORE_MAPPINGS - 1);
	return slot;
}

static unsigned int mapped_slot_of(const char *word, struct core_file *const *files)
{
	unsigned int slot = slot_of(word);

	if (!files[slot])
		eng_fail("misuse", NULL, "%s: nothing is mapped there", word);
	return slot;
}

static struct core_file *file_named(const char *label)
{
	struct core_file *file = core_file(label);

	if (!file)
		eng_fail("misuse", NULL, "%s: no file was opened under that label", label);
	return file;
}

/* ---- devices and drivers ---- */

static long cmd_plug(cmd c)
{
	core_plug(c->word[1], *c->word[2] == '-' ? -1 : number(c->word[2]));
	return 0;
}

static long cmd_bind(cmd c)
{
	return core_bind(device_of(c), c->word[2] ? c->word[2] : "simple");
}

static long cmd_unbind(cmd c)
{
	return core_unbind(device_of(c));
}

static long cmd_unplug(cmd c)
{
	struct core_device *device = device_of(c);

	core_unplug(device);
	if (device->pdev)
		pci_dev_put(device->pdev);
	device->dev = NULL;
	device->pdev = NULL;
	return 0;
}

static long cmd_flush_in_remove(cmd c)
{
	device_of(c)->flush_in_remove = true;
	return 0;
}

static void unbinder(void *device)
{
	struct task_struct *task = process_enter(core.helper);

	core_unbind(device);
	exit_to_user_mode(task, 0);
}

static void unplugger(void *data)
{
	struct task_struct *task = process_enter(core.helper);
	struct core_device *device = data;
	struct pci_dev *pdev = device->pdev;

	core_unplug(device);
	exit_to_user_mode(task, 0);
	device->dev = NULL;
	device->pdev = NULL;
	pci_dev_put(pdev);
}

static long cmd_start_unbind(cmd c)
{
	core.other = eng_spawn("unbinder", unbinder, device_of(c), false);
	core_settle();
	return 0;
}

static long cmd_start_unplug(cmd c)
{
	core.other = eng_spawn("unplug", unplugger, device_of(c), false);
	core_settle();
	return 0;
}

static long cmd_signal(cmd c)
{
	kill_process(core.helper, 15);
	core_settle();
	return 0;
}

static long cmd_register(cmd c)
{
	return core_register(device_of(c), false);
}

static long cmd_register_second(cmd c)
{
	return core_register(device_of(c), true);
}

static long cmd_unregister(cmd c)
{
	core_unregister(device_of(c));
	return 0;
}

static long cmd_free(cmd c)
{
	struct core_device *device = device_of(c);

	kfree(device->object);
	device->object = NULL;
	kfree(device->second);
	device->second = NULL;
	return 0;
}

static long cmd_header(cmd c)
{
	device_of(c)->pdev->hdr_type = number(c->word[2]);
	return 0;
}

static long cmd_match(cmd c)
{
	device_of(c)->match = number(c->word[2]);
	return 0;
}

/* ---- iommu groups by hand ---- */

static long cmd_join(cmd c)
{
	struct core_device *device = device_of(c);
	struct iommu_group *group;
	int ret;

	if (!strcmp(c->word[2], "new"))
		group = iommu_group_alloc();
	else
		group = iommu_group_ref_get(core.kept_group);
	if (IS_ERR(group))
		return PTR_ERR(group);
	/* Attaching the group's domain looks for a requester id. */
	if (!device->dev->iommu)
		BUG_ON(iommu_fwspec_init(device->dev, 99));
	ret = iommu_group_add_device(group, device->dev);
	device->added = !ret && !device->pdev;
	if (group == core.kept_group)
		iommu_group_put(group);
	else
		core.kept_group = group;
	return ret;
}

/* The maker's reference of "join DEV new". */
static long cmd_put_group(cmd c)
{
	iommu_group_put(core.kept_group);
	core.kept_group = NULL;
	return 0;
}

/* For "join A kept", when the group may have lost all members by then. */
static long cmd_keep_group(cmd c)
{
	core.kept_group = device_of(c)->dev->iommu_group;
	return 0;
}

static long cmd_leave(cmd c)
{
	struct core_device *device = device_of(c);

	device->added = false;
	iommu_group_remove_device(device->dev);
	return 0;
}

/* ---- files ---- */

static long cmd_open(cmd c)
{
	return core_open(c->word[1], c->word[2] ? c->word[2] : "/dev/vfio/vfio");
}

static long cmd_open_group(cmd c)
{
	return core_open_group(c->word[1], c->word[2]);
}

/* A node by hand, with the major number of an open file's and another minor. */
static long cmd_mknod(cmd c)
{
	struct inode *inode = file_named(c->word[2])->file->f_inode;

	return devtmpfs_create_node(c->word[1], 0666, MKDEV(imajor(inode), number(c->word[3])));
}

static long cmd_rmnod(cmd c)
{
	devtmpfs_delete_node(c->word[1]);
	return 0;
}

static long cmd_close(cmd c)
{
	return core_close(file_named(c->word[1]));
}

static long cmd_dup(cmd c)
{
	struct core_file *file = file_named(c->word[1]);

	file->dup = sys_dup(core.user, file->fd);
	return file->dup;
}

/* The file lives on through its other descriptor, under the same label. */
static long cmd_close_original(cmd c)
{
	struct core_file *file = file_named(c->word[1]);
	int fd = file->fd;

	file->fd = file->dup;
	file->dup = -1;
	return sys_close(core.user, fd);
}

static long cmd_set(cmd c)
{
	return core_set_container(file_named(c->word[1]), file_named(c->word[2]));
}

static long cmd_set_fd(cmd c)
{
	int fd = number(c->word[2]);
	unsigned long arg = strcmp(c->word[2], "bad") ? (unsigned long)&fd : 8;

	return core_ioctl(file_named(c->word[1]), VFIO_GROUP_SET_CONTAINER, arg);
}

static long cmd_unset(cmd c)
{
	return core_ioctl(file_named(c->word[1]), VFIO_GROUP_UNSET_CONTAINER, 0);
}

static long cmd_set_iommu(cmd c)
{
	return core_ioctl(file_named(c->word[1]), VFIO_SET_IOMMU, number(c->word[2]));
}

static long cmd_extension(cmd c)
{
	return core_ioctl(file_named(c->word[1]), VFIO_CHECK_EXTENSION, number(c->word[2]));
}

static long cmd_status(cmd c)
{
	return core_status(file_named(c->word[1]));
}

static long cmd_status_argsz(cmd c)
{
	struct vfio_group_status status = { .argsz = number(c->word[2]) };
	unsigned long arg = strcmp(c->word[2], "bad") ? (unsigned long)&status : 8;

	return core_ioctl(file_named(c->word[1]), VFIO_GROUP_GET_STATUS, arg);
}

/* Any request of the vfio type by its number after VFIO_BASE. */
static long cmd_ioctl(cmd c)
{
	return core_ioctl(file_named(c->word[1]), _IO(VFIO_TYPE, VFIO_BASE + number(c->word[2])),
			  0);
}

static long cmd_get(cmd c)
{
	struct core_device *device = core_find(c->word[2]);

	return core_get_device(file_named(c->word[1]),
			       device && device->dev ? core_dev_name(device) : c->word[2],
			       c->word[3] ? c->word[3] : "?");
}

/* GET_DEVICE_FD with a bad pointer, nothing, or so many characters. */
static long cmd_get_name(cmd c)
{
	static char text[8192];
	long length = number(c->word[2]);

	memset(text, 'x', sizeof(text));
	text[length] = 0;
	return core_ioctl(file_named(c->word[1]), VFIO_GROUP_GET_DEVICE_FD,
			  strcmp(c->word[2], "bad") ? (unsigned long)text : 8);
}

static long cmd_fd_of(cmd c)
{
	return file_named(c->word[1])->fd;
}

static long cmd_ret(cmd c)
{
	return number(c->word[1]);
}

/* ---- external users, pins, notifiers ---- */

/* External users may carry a label; those without share one place. */
static struct core_external *external_labelled(const char *label)
{
	struct core_external *free = NULL;
	unsigned int i;

	label = label ? label : "";
	for (i = 0; i < CORE_EXTERNALS; i++) {
		struct core_external *external = &core.external[i];

		if (external->group && !strcmp(external->label, label))
			return external;
		if (!external->group && !free)
			free = external;
	}
	if (!free)
		eng_fail("misuse", NULL, "%s: more than %d external users", label,
			 CORE_EXTERNALS);
	strscpy(free->label, label, sizeof(free->label));
	return free;
}

static long external(struct vfio_group *group, const char *label)
{
	if (IS_ERR(group))
		return PTR_ERR(group);
	external_labelled(label)->group = group;
	return 0;
}

static long cmd_external_dev(cmd c)
{
	return external(vfio_group_get_external_user_from_dev(device_of(c)->dev), c->word[2]);
}

static long cmd_external_file(cmd c)
{
	return external(vfio_group_get_external_user(file_named(c->word[1])->file), c->word[2]);
}

static long cmd_external_put(cmd c)
{
	struct core_external *external = external_labelled(c->word[1]);

	if (!external->group)
		eng_fail("misuse", NULL, "no external user is labelled \"%s\"", external->label);
	vfio_group_put_external_user(external->group);
	external->group = NULL;
	return 0;
}

static long cmd_pin(cmd c)
{
	unsigned long user = 0, phys = 0;

	return vfio_pin_pages(device_of(c)->dev, &user, number(c->word[2]), 0, &phys);
}

static long cmd_unpin(cmd c)
{
	unsigned long user = 0;

	return vfio_unpin_pages(device_of(c)->dev, &user, number(c->word[2]));
}

/* DMA by the processor, through the group of a device. */
static long cmd_dma_rw(cmd c)
{
	struct vfio_group *group = vfio_group_get_external_user_from_dev(device_of(c)->dev);
	char byte = 0;
	long ret;

	if (IS_ERR(group))
		return PTR_ERR(group);
	ret = vfio_dma_rw(group, 0, &byte, number(c->word[2]), true);
	vfio_group_put_external_user(group);
	return ret;
}

static int kvm_told(struct notifier_block *nb, unsigned long action, void *data)
{
	core.kvm_calls++;
	return NOTIFY_OK;
}

static enum vfio_notify_type notify_type(const char *word)
{
	return strcmp(word, "group") ? VFIO_IOMMU_NOTIFY : VFIO_GROUP_NOTIFY;
}

static long cmd_forget_notifier(cmd c)
{
	return vfio_unregister_notifier(device_of(c)->dev, notify_type(c->word[2]),
					&core.kvm_listener);
}

static long cmd_notifier(cmd c)
{
	enum vfio_notify_type type = notify_type(c->word[2]);
	long ret;

	core.events = number(c->word[3]);
	core.kvm_listener.notifier_call = kvm_told;
	ret = vfio_register_notifier(device_of(c)->dev, type, &core.events, &core.kvm_listener);
	return ret;
}

static long cmd_remark_kvm(cmd c)
{
	struct vfio_group *group;

	remark("events word after: %lu", core.events);
	group = vfio_group_get_external_user(file_named(c->word[1])->file);
	vfio_group_set_kvm(group, (struct kvm *)&core);
	vfio_group_put_external_user(group);
	remark("calls after set_kvm: %u", core.kvm_calls);
	return 0;
}

/* ---- memory ---- */

static long cmd_mmap(cmd c)
{
	struct core_file *file = file_named(c->word[1]);
	unsigned int slot = slot_of(c->word[2]);
	unsigned long pages = c->word[3] ? number(c->word[3]) : 1;
	long address;

	core.mapped_length[slot] = pages * PAGE_SIZE;
	address = sys_mmap(core.user, 0, core.mapped_length[slot], PROT_READ_WRITE, MAP_SHARED,
			   file->fd, 0);
	if (IS_ERR((void *)address))
		return address;
	core.mapped[slot] = address;
	core.mapped_file[slot] = file;
	file->mappings++;
	return 0;
}

static long munmap_slot(struct process *process, const char *word, struct core_file **files)
{
	unsigned int slot = mapped_slot_of(word, files);

	files[slot]->mappings--;
	files[slot] = NULL;
	return sys_munmap(process, core.mapped[slot], core.mapped_length[slot]);
}

static long cmd_munmap(cmd c)
{
	return munmap_slot(core.user, c->word[1], core.mapped_file);
}

/* The child has the views and the descriptors, too. */
static long cmd_fork(cmd c)
{
	unsigned int i;
	long ret;

	core.child = sys_fork(core.user, "child");
	if (IS_ERR_OR_NULL(core.child)) {
		ret = core.child ? PTR_ERR(core.child) : -ENOMEM;
		core.child = NULL;
		return ret;
	}
	for (i = 0; i < ARRAY_SIZE(core.mapped_file); i++) {
		core.child_file[i] = core.mapped_file[i];
		if (core.child_file[i])
			core.child_file[i]->mappings++;
	}
	for (i = 0; i < core.n_files; i++)
		core.file[i].in_child = core.file[i].fd >= 0 || core.file[i].dup >= 0;
	return 0;
}

static long cmd_child_munmap(cmd c)
{
	return munmap_slot(core.child, c->word[1], core.child_file);
}

static long cmd_child_exit(cmd c)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(core.child_file); i++) {
		if (core.child_file[i])
			core.child_file[i]->mappings--;
		core.child_file[i] = NULL;
	}
	for (i = 0; i < core.n_files; i++)
		core.file[i].in_child = false;
	sys_exit(core.child);
	core.child = NULL;
	return 0;
}

/* ---- what fails from now on ---- */

static long cmd_nofile(cmd c)
{
	sys_rlimit_nofile(core.user, number(c->word[1]));
	return 0;
}

static long cmd_open_error(cmd c)
{
	device_of(c)->open_error = number(c->word[2]);
	return 0;
}

/* As while somebody unloads the driver: no reference is to be had any more. */
static long cmd_driver_going(cmd c)
{
	core_drv_module.state = number(c->word[1]) ? MODULE_STATE_GOING : MODULE_STATE_LIVE;
	return 0;
}

static long cmd_backend_open_error(cmd c)
{
	core.backend.open_error = number(c->word[1]);
	return 0;
}

/* The NTH attach from now on fails. */
static long cmd_backend_attach_error(cmd c)
{
	core.backend.attach_error_at = core.backend.attaches + number(c->word[1]);
	return 0;
}

/*
 * A mark among the decisions of the run: core_run() makes the fault point fail
 * that is meant, when it has seen where in the run it is.
 */
static long cmd_fail(cmd c)
{
	eng_choose("core_fail", 2);
	return 0;
}

/* ---- the world ---- */

static long cmd_flush(cmd c)
{
	return core_flush();
}

static long cmd_settle(cmd c)
{
	core_settle();
	return 0;
}

/* Until so many seconds after the beginning. */
static long cmd_until(cmd c)
{
	u64 until = number(c->word[1]) * 1000ULL, now = eng_now() / 1000000;

	if (until > now)
		msleep(until - now);
	core_settle();
	return 0;
}

static long cmd_capable(cmd c)
{
	return process_set_capability(core.user, CAP_SYS_RAWIO, number(c->word[1]));
}

static long cmd_noiommu(cmd c)
{
	vfio_noiommu = number(c->word[1]);
	return 0;
}

static long cmd_unload(cmd c)
{
	return core_unload();
}

static long cmd_load(cmd c)
{
	return load_module(MODULE(vfio)) ?: core_reload_backend();
}

/* ---- remarks ---- */

static long cmd_remark_task(cmd c)
{
	remark("task %s: %s", core.other->comm, core_other_state());
	return 0;
}

static long cmd_remark_task_settled(cmd c)
{
	core_settle();
	return cmd_remark_task(c);
}

/* Opens whichever of two devices answers, and tells what was asked. */
static long cmd_remark_match(cmd c)
{
	struct core_device *a = device_named(c->word[2]), *b = device_named(c->word[3]);
	int opens = a->opens, calls = a->match_calls + b->match_calls, fd;
	const char *opened = "none";

	fd = core_get_device(file_named(c->word[1]), "any", "M");
	if (fd >= 0) {
		opened = a->opens > opens ? a->name : b->name;
		core_close(&core.file[--core.n_files]);
	}
	remark("match answers %s (older) %d, %s (newer) %d: result %s%d, match calls %d, opened %s",
	       a->name, a->match, b->name, b->match, fd >= 0 ? "fd " : "", fd,
	       a->match_calls + b->match_calls - calls, opened);
	return 0;
}

static long cmd_remark_warnings(cmd c)
{
	remark("warnings %u", core_warnings());
	return 0;
}

static struct inode *inode_of(const char *name)
{
	return device_named(name)->object->vdev.inode;
}

static long cmd_remark_inodes(cmd c)
{
	remark("distinct inodes: %d", inode_of(c->word[1]) != inode_of(c->word[2]));
	return 0;
}

static long cmd_remark_files(cmd c)
{
	struct address_space *mapping = inode_of(c->word[1])->i_mapping;
	struct file *a = file_named(c->word[2])->file, *b = file_named(c->word[3])->file;

	remark("mapping of both files is the device mapping and inode the shared one: %d %d; "
	       "f_mode %x", a->f_mapping == mapping && b->f_mapping == mapping,
	       a->f_inode == b->f_inode && a->f_inode->i_mapping != mapping,
	       a->f_mode & 0x1f);
	return 0;
}

static long cmd_remark_backend(cmd c)
{
	const struct core_backend *be = &core.backend;
	int open = be->opens - be->releases;

	if (open)
		remark("backends open %d attached %d", open, be->attaches - be->detaches);
	else
		remark("backends open %d attached %d notify %d", open,
		       be->attaches - be->detaches, be->notifies);
	return 0;
}

static long cmd_remark_times(cmd c)
{
	const struct core_device *device = device_of(c);
	char text[64];
	unsigned int i;
	int used = 0;

	for (i = 0; i < device->requests && i < CORE_TIMES; i++)
		used += scnprintf(text + used, sizeof(text) - used, " %llu",
				  device->request_times[i]);
	remark("request times:%s", text);
	return 0;
}

static int vmas_of(struct address_space *mapping)
{
	struct vm_area_struct *vma;
	struct mapping_iter iter;
	int n = 0;

	vma_interval_tree_foreach(vma, &iter, &mapping->i_mmap, 0, ~0UL)
		n++;
	return n;
}

static long cmd_remark_trees(cmd c)
{
	struct address_space *mapping = inode_of(c->word[1])->i_mapping;
	struct file *file = core.mapped_file[number(c->word[2])]->file;

	remark("device tree %d, writable %d, shared tree %d", vmas_of(mapping),
	       mapping->i_mmap_writable, vmas_of(file->f_inode->i_mapping));
	return 0;
}

/* Both views begin at the same page: the tree's order is the order of linking. */
static long cmd_remark_forked(cmd c)
{
	struct address_space *mapping = inode_of(c->word[1])->i_mapping;
	struct vm_area_struct *vma;
	struct mapping_iter iter;

	vma = vma_interval_tree_iter_first(&iter, &mapping->i_mmap, 0, ~0UL);

	remark("device tree %d (child after parent: %d)", vmas_of(mapping),
	       vma->vm_mm == core.user->thread[0]->mm);
	return 0;
}

static int pages_of(unsigned int slot)
{
	unsigned long at;
	int n = 0;

	for (at = 0; at < core.mapped_length[slot]; at += PAGE_SIZE)
		n += user_page_present(core.user->thread[0]->mm, core.mapped[slot] + at);
	return n;
}

static long cmd_remark_pages(cmd c)
{
	static const char *const what[] = {
		"mapped pages", "after range unmap on the shared mapping:",
		"after range unmap on A:",
	};

	remark("%s A %d A2 %d B %d", what[number(c->word[1])], pages_of(0), pages_of(1),
	       pages_of(2));
	return 0;
}

static long cmd_unmap(cmd c)
{
	unmap_mapping_range(inode_of(c->word[1])->i_mapping, 0, 0, 1);
	return 0;
}

static long cmd_unmap_shared(cmd c)
{
	unmap_mapping_range(core.mapped_file[0]->file->f_inode->i_mapping, 0, 0, 1);
	return 0;
}

static long cmd_remark_taints(cmd c)
{
	remark("taints %d, device messages %u", get_taint() == 1UL << TAINT_USER,
	       printk_count(LEVEL_WARNING));
	return 0;
}

static long cmd_expect(cmd c)
{
	/* For the reader of the script; what follows ends the run. */
	return 0;
}

/* Words in brackets may be left out. */
static const struct {
	const char *name, *usage;
	long (*run)(cmd c);
	bool admin;		/* carried out by a process, not a system call by itself */
} commands[] = {
	{ "plug", "DEV GROUP|-", cmd_plug },
	{ "bind", "DEV [DRIVER]", cmd_bind, true },
	{ "unbind", "DEV", cmd_unbind, true },
	{ "unplug", "DEV", cmd_unplug, true },
	{ "flush_in_remove", "DEV", cmd_flush_in_remove },
	{ "start_unbind", "DEV", cmd_start_unbind },
	{ "start_unplug", "DEV", cmd_start_unplug },
	{ "signal", "", cmd_signal },
	{ "register", "DEV", cmd_register, true },
	{ "register_second", "DEV", cmd_register_second, true },
	{ "unregister", "DEV", cmd_unregister, true },
	{ "free", "DEV", cmd_free },
	{ "header", "DEV N", cmd_header },
	{ "match", "DEV ANSWER", cmd_match },
	{ "join", "DEV kept|new", cmd_join, true },
	{ "keep_group", "DEV", cmd_keep_group },
	{ "leave", "DEV", cmd_leave, true },
	{ "open", "LABEL [PATH]", cmd_open },
	{ "open_group", "LABEL NAME", cmd_open_group },
	{ "mknod", "PATH LABEL MINOR", cmd_mknod },
	{ "rmnod", "PATH", cmd_rmnod },
	{ "close", "LABEL", cmd_close },
	{ "dup", "LABEL", cmd_dup },
	{ "close_original", "LABEL", cmd_close_original },
	{ "set", "GROUP CONTAINER", cmd_set },
	{ "set_fd", "GROUP FD|bad", cmd_set_fd },
	{ "unset", "GROUP", cmd_unset },
	{ "set_iommu", "CONTAINER N", cmd_set_iommu },
	{ "extension", "CONTAINER N", cmd_extension },
	{ "status", "GROUP", cmd_status },
	{ "status_argsz", "GROUP SIZE|bad", cmd_status_argsz },
	{ "ioctl", "LABEL N", cmd_ioctl },
	{ "get", "GROUP DEV|NAME [LABEL]", cmd_get },
	{ "get_name", "GROUP LENGTH|bad", cmd_get_name },
	{ "fd_of", "LABEL", cmd_fd_of },
	{ "ret", "N", cmd_ret },
	{ "external_dev", "DEV [LABEL]", cmd_external_dev, true },
	{ "external_file", "GROUP [LABEL]", cmd_external_file, true },
	{ "external_put", "[LABEL]", cmd_external_put, true },
	{ "pin", "DEV PAGES", cmd_pin, true },
	{ "unpin", "DEV PAGES", cmd_unpin, true },
	{ "dma_rw", "DEV LENGTH", cmd_dma_rw, true },
	{ "notifier", "DEV group|iommu EVENTS", cmd_notifier, true },
	{ "forget_notifier", "DEV group|iommu", cmd_forget_notifier, true },
	{ "remark_kvm", "GROUP", cmd_remark_kvm },
	{ "mmap", "LABEL SLOT [PAGES]", cmd_mmap },
	{ "munmap", "SLOT", cmd_munmap },
	{ "fork", "", cmd_fork },
	{ "child_munmap", "SLOT", cmd_child_munmap },
	{ "child_exit", "", cmd_child_exit },
	{ "flush", "", cmd_flush },
	{ "settle", "", cmd_settle },
	{ "until", "SECONDS", cmd_until },
	{ "capable", "0|1", cmd_capable },
	{ "noiommu", "0|1", cmd_noiommu },
	{ "unload", "", cmd_unload },
	{ "load", "", cmd_load },
	{ "put_group", "", cmd_put_group },
	{ "nofile", "LIMIT", cmd_nofile },
	{ "open_error", "DEV ERRNO", cmd_open_error },
	{ "driver_going", "0|1", cmd_driver_going },
	{ "backend_open_error", "ERRNO", cmd_backend_open_error },
	{ "backend_attach_error", "NTH", cmd_backend_attach_error },
	{ "fail", "SITE [NTH]", cmd_fail },
	{ "remark_task", "", cmd_remark_task },
	{ "remark_task_settled", "", cmd_remark_task_settled },
	{ "remark_match", "GROUP DEV DEV", cmd_remark_match },
	{ "remark_warnings", "", cmd_remark_warnings },
	{ "remark_inodes", "DEV DEV", cmd_remark_inodes },
	{ "remark_files", "DEV LABEL LABEL", cmd_remark_files },
	{ "remark_backend", "", cmd_remark_backend },
	{ "remark_times", "DEV", cmd_remark_times },
	{ "remark_trees", "DEV SLOT", cmd_remark_trees },
	{ "remark_forked", "DEV", cmd_remark_forked },
	{ "remark_pages", "0|1|2", cmd_remark_pages },
	{ "unmap", "DEV", cmd_unmap },
	{ "unmap_shared", "", cmd_unmap_shared },
	{ "remark_taints", "", cmd_remark_taints },
	{ "expect", "DETECTOR", cmd_expect },
};

const char *core_command_usage(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].usage;
	return NULL;
}

static long run_command(cmd c)
{
	struct task_struct *task;
	unsigned int i = 0;

	while (strcmp(commands[i].name, c->word[0]))
		i++;
	if (!commands[i].admin)
		return commands[i].run(c);
	task = process_enter(core.admin);
	return exit_to_user_mode(task, commands[i].run(c));
}

static void log_row(const char *name, long ret)
{
	eng_event("core_row", NULL, "%s", name);
	core_log_used += core_row(core_log + core_log_used, CORE_LOG_SIZE - core_log_used, name,
				  ret);
	core_log_used += scnprintf(core_log + core_log_used, CORE_LOG_SIZE - core_log_used, "\n");
}

long core_step(cmd c)
{
	char name[128];
	unsigned int i;
	int used = 0;
	long ret;

	for (i = 0; i < CORE_WORDS && c->word[i]; i++)
		used += scnprintf(name + used, sizeof(name) - used, "%s%s", i ? " " : "",
				  c->word[i]);
	eng_event("core_step", NULL, "%s", name);
	ret = run_command(c);
	log_row(name, ret);
	return ret;
}

/* Remarks come behind the row; what follows the first one does so, too. */
static void run_step_commands(const struct core_step *step)
{
	const struct core_command *c;
	long ret = 0;

	if (step->name)
		eng_event("core_step", NULL, "%s", step->name);
	for (c = step->first; c && strncmp(c->word[0], "remark", 6); c = c->next)
		ret = run_command(c);
	if (step->name)
		log_row(step->name, ret);
	for (; c && !core_stop_script; c = c->next)
		run_command(c);
}

void core_run_script(const struct core_step *script)
{
	const struct core_step *step;

	core_stop_script = false;
	for (step = script; step && !core_stop_script; step = step->next)
		run_step_commands(step);
	eng_event("core_step", NULL, "end");
	if (core_stop_script)
		log_row("flushed", core_flush());
}
