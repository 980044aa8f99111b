// SPDX-License-Identifier: GPL-2.0-only
/*
 * See core-random.h. A command is only made up where the kernel would let somebody
 * do it and come back: what may wait for ever is left to the other task, and while
 * that one waits nobody asks for the locks that it holds.
 */
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/vfio_facts.h>

#include "core-commands.h"
#include "core-driver.h"
#include "core-random.h"
#include "vfio_container.h"
#include "engine.h"

#define WORD 24
#define DEVICES_MAX 6
#define FILES_MAX (CORE_FILES - 2)

DECLARE_MODULE(vfio);

static KSTATE struct {
	uint32_t state;
	struct core_command command;
	char word[CORE_WORDS][WORD];
	unsigned int words;
	unsigned int labels;
	const struct core_device *busy;		/* the other task's, while it lives */
	bool registered[CORE_DEVICES];		/* by hand, not by a driver */
	bool bound[CORE_DEVICES];		/* to whatever driver, now or before */
	bool by_hand;
} made;

static uint32_t below(uint32_t limit)
{
	made.state ^= made.state << 13;
	made.state ^= made.state >> 17;
	made.state ^= made.state << 5;
	return made.state % limit;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The next word of the command. */
static void say(const char *format, ...)
{
	char *word = made.word[made.words];
	va_list args;

	va_start(args, format);
	vscnprintf(word, WORD, format, args);
	va_end(args);
	made.command.word[made.words++] = word;
}

static void say_label(char kind)
{
	say("%c%u", kind, ++made.labels);
}

/* ---- what there is to choose from ---- */

static bool is_unloaded(void)
{
	return MODULE(vfio)->state != MODULE_STATE_LIVE;
}

static bool other_works(void)
{
	return core.other && strcmp(core_other_state(), "done");
}

/* A random device for which @fits holds, or NULL. */
static struct core_device *some_device(bool (*fits)(const struct core_device *device))
{
	unsigned int i, first = below(core.n_devices);

	for (i = 0; i < core.n_devices; i++) {
		struct core_device *device = &core.device[(first + i) % core.n_devices];

		if (device->dev && fits(device))
			return device;
	}
	return NULL;
}

static bool any(const struct core_device *device)
{
	return true;
}

/* Nobody holds its lock for long. */
static bool is_free(const struct core_device *device)
{
	return !(other_works() && device == made.busy);
}

static bool is_registered_by_hand(const struct core_device *device)
{
	return made.registered[device - core.device];
}

static bool can_be_bound(const struct core_device *device)
{
	/* No event takes a device of that bus from the unbound list (VF-195, VF-206). */
	if (!device->pdev && made.bound[device - core.device] && !made.by_hand)
		return false;
	return is_free(device) && !device->object && !is_unloaded();
}

static bool is_bound(const struct core_device *device)
{
	return is_free(device) && device->dev->driver;
}

static bool is_open_to_files(const struct core_device *device)
{
	return !is_registered_by_hand(device);
}

static bool can_be_registered(const struct core_device *device)
{
	return is_free(device) && !device->dev->driver && !is_registered_by_hand(device) &&
	       device->match == CORE_ANY_NAME && !is_unloaded();
}

/* Without waiting for anybody. */
static bool can_be_unregistered(const struct core_device *device)
{
	struct vfio_facts facts;
	unsigned int i;

	if (!is_registered_by_hand(device) || device->object->vdev.refcount.refs.counter != 1)
		return false;
	vfio_observe(&facts);
	for (i = 0; i < facts.n_groups; i++)
		if (facts.group[i].container)
			return false;
	return true;
}

static bool has_an_old_object(const struct core_device *device)
{
	return is_free(device) && !device->dev->driver && device->object &&
	       !is_registered_by_hand(device);
}

static bool can_join(const struct core_device *device)
{
	return !device->pdev && is_free(device) && !device->dev->iommu_group;
}

static bool can_leave(const struct core_device *device)
{
	return device->added && device->dev->iommu_group;
}

static bool is_on_pci(const struct core_device *device)
{
	return device->pdev && is_free(device) && !device->dev->driver;
}

static bool can_be_unplugged(const struct core_device *device)
{
	return is_free(device) && !device->object && !is_registered_by_hand(device) &&
	       !device->added;
}

/* A random open file whose label begins with one of @kinds, or NULL. */
static struct core_file *some_file(const char *kinds)
{
	unsigned int i, first;

	if (!core.n_files)
		return NULL;
	first = below(core.n_files);
	for (i = 0; i < core.n_files; i++) {
		struct core_file *file = &core.file[(first + i) % core.n_files];

		if (file->fd >= 0 && strchr(kinds, *file->label))
			return file;
	}
	return NULL;
}

static bool one_more_file(void)
{
	return core.n_files < FILES_MAX;
}

/* ---- commands: false where there is nothing to do it with ---- */

static bool say_device(const char *name, bool (*fits)(const struct core_device *device))
{
	struct core_device *device = some_device(fits);

	if (!device)
		return false;
	say("%s", name);
	say("%s", device->name);
	return true;
}

static bool say_file(const char *name, const char *kinds)
{
	struct core_file *file = some_file(kinds);

	if (!file)
		return false;
	say("%s", name);
	say("%s", file->label);
	return true;
}

static bool make_plug(void)
{
	if (core.n_devices == DEVICES_MAX || other_works())
		return false;
	say("plug");
	say("%c", 'A' + core.n_devices);
	if (below(4))
		say("%u", below(3) ? 0 : 1);
	else
		say("-");
	return true;
}

static bool make_bind(void)
{
	static const char *const names[] = { "pci-stub", "pci-stub2", "host" };

	if (!say_device("bind", can_be_bound))
		return false;
	if (!below(5))
		say("%s", names[below(ARRAY_SIZE(names))]);
	return true;
}

static bool start(const char *what, bool (*fits)(const struct core_device *device))
{
	if (other_works() || !say_device(what, fits))
		return false;
	made.busy = core_find(made.word[1]);
	return true;
}

static bool make_unbind(void)
{
	return start("start_unbind", is_bound);
}

static bool make_unplug(void)
{
	struct core_device *device;

	if (!start("start_unplug", is_bound))
		return false;
	device = core_find(made.word[1]);
	if (device->pdev && !device->added)
		return true;
	made.words = 0;
	return false;
}

static bool make_unplug_idle(void)
{
	return !other_works() && say_device("unplug", can_be_unplugged);
}

static bool make_signal(void)
{
	say("signal");
	return other_works();
}

static bool make_register(void)
{
	return made.by_hand && say_device("register", can_be_registered);
}

static bool make_register_second(void)
{
	struct core_device *device = some_device(is_registered_by_hand);

	if (!device || device->second)
		return false;
	say("register_second");
	say("%s", device->name);
	return true;
}

static bool make_unregister(void)
{
	return say_device("unregister", can_be_unregistered);
}

static bool make_free(void)
{
	return say_device("free", has_an_old_object);
}

static bool make_match(void)
{
	static const int answers[] = { 0, 1, 1, -13, CORE_ANY_NAME };

	if (!say_device("match", is_open_to_files))
		return false;
	say("%d", answers[below(ARRAY_SIZE(answers))]);
	return true;
}

static bool make_header(void)
{
	if (!say_device("header", is_on_pci))
		return false;
	say("%u", below(2));
	return true;
}

static bool make_join(void)
{
	if ((core.kept_group && !made.by_hand) || !say_device("join", can_join))
		return false;
	say(core.kept_group ? "kept" : "new");
	return true;
}

static bool make_leave(void)
{
	return say_device("leave", can_leave);
}

static bool make_put_group(void)
{
	say("put_group");
	return core.kept_group != NULL;
}

static bool make_open(void)
{
	say("open");
	say_label('C');
	return one_more_file();
}

static bool make_open_group(void)
{
	static const char *const names[] = {
		"0", "0", "0", "0", "1", "1", "2", "noiommu-0", "noiommu-2"
	};

	say("open_group");
	say_label('G');
	say("%s", names[below(ARRAY_SIZE(names))]);
	return one_more_file();
}

static bool make_close(void)
{
	return say_file("close", "CGD");
}

static bool make_dup(void)
{
	struct core_file *file = some_file("CGD");

	if (!file || file->dup >= 0)
		return false;
	say("dup");
	say("%s", file->label);
	return true;
}

static bool make_close_original(void)
{
	unsigned int i, first = below(core.n_files + 1);

	for (i = 0; i < core.n_files; i++) {
		const struct core_file *file = &core.file[(first + i) % core.n_files];

		if (file->dup < 0)
			continue;
		say("close_original");
		say("%s", file->label);
		return true;
	}
	return false;
}

static bool make_set(void)
{
	struct core_file *container = some_file("C");

	if (!container || !say_file("set", "G"))
		return false;
	say("%s", container->label);
	return true;
}

static bool make_set_fd(void)
{
	if (!say_file("set_fd", "G"))
		return false;
	if (below(4))
		say("%d", (int)below(10) - 1);
	else
		say("bad");
	return true;
}

static bool make_unset(void)
{
	return say_file("unset", "G");
}

static bool make_set_iommu(void)
{
	if (!say_file("set_iommu", "C"))
		return false;
	say("%u", below(6) ? 1 : below(3) * 4);
	return true;
}

static bool make_extension(void)
{
	if (!say_file("extension", "C"))
		return false;
	say("%u", below(2) ? 1 : below(11));
	return true;
}

static bool make_status(void)
{
	return say_file("status", "G");
}

static bool make_status_argsz(void)
{
	if (!say_file("status_argsz", "G"))
		return false;
	if (below(3))
		say("%u", 6 + below(4));
	else
		say("bad");
	return true;
}

static bool make_ioctl(void)
{
	if (!say_file("ioctl", "CGD"))
		return false;
	say("%u", below(13));
	return true;
}

static bool make_get(void)
{
	struct core_device *device = some_device(is_open_to_files);

	if (!device || !one_more_file() || !say_file("get", "G"))
		return false;
	say("%s", below(12) ? device->name : "nobody");
	say_label('D');
	return true;
}

static bool make_get_name(void)
{
	if (!say_file("get_name", "G"))
		return false;
	if (below(3))
		say("%u", 4090 + below(10));
	else
		say("bad");
	return true;
}

static bool say_free_external(bool free)
{
	unsigned int i, first = below(CORE_EXTERNALS);

	for (i = 0; i < CORE_EXTERNALS; i++) {
		struct core_external *external = &core.external[(first + i) % CORE_EXTERNALS];

		if (!external->group != free)
			continue;
		if (free)
			say_label('x');
		else
			say("%s", external->label);
		return true;
	}
	return false;
}

static bool make_external_dev(void)
{
	return say_device("external_dev", any) && say_free_external(true);
}

static bool make_external_file(void)
{
	return say_file("external_file", "GGGC") && say_free_external(true);
}

static bool make_external_put(void)
{
	say("external_put");
	return say_free_external(false);
}

static bool say_pages(const char *name)
{
	static const unsigned int pages[] = { 0, 1, 1, 512, 513 };

	if (!say_device(name, any))
		return false;
	say("%u", pages[below(ARRAY_SIZE(pages))]);
	return true;
}

static bool make_pin(void)
{
	return say_pages("pin");
}

static bool make_unpin(void)
{
	return say_pages("unpin");
}

static bool make_dma_rw(void)
{
	if (!say_device("dma_rw", any))
		return false;
	say("%u", below(2));
	return true;
}

static bool make_notifier(void)
{
	if (!say_device("notifier", any))
		return false;
	say(below(3) ? "group" : "iommu");
	say("%u", below(2) ? 1 : below(4));
	return true;
}

static bool make_forget_notifier(void)
{
	if (!say_device("forget_notifier", any))
		return false;
	say(below(3) ? "group" : "iommu");
	return true;
}

static bool say_slot(struct core_file *const *files, bool used)
{
	unsigned int i, first = below(CORE_MAPPINGS);

	for (i = 0; i < CORE_MAPPINGS; i++) {
		unsigned int slot = (first + i) % CORE_MAPPINGS;

		if (!files[slot] != used) {
			say("%u", slot);
			return true;
		}
	}
	return false;
}

static bool make_mmap(void)
{
	unsigned int slot;

	if (!say_file("mmap", "DDDG"))
		return false;
	/* The child's views stay where they are. */
	for (slot = 0; slot < CORE_MAPPINGS; slot++)
		if (!core.mapped_file[slot] && !core.child_file[slot])
			break;
	say("%u", slot);
	say("%u", 1 + below(3));
	return slot < CORE_MAPPINGS;
}

static bool make_munmap(void)
{
	say("munmap");
	return say_slot(core.mapped_file, true);
}

static bool make_child_munmap(void)
{
	say("child_munmap");
	return say_slot(core.child_file, true);
}

static bool make_fork(void)
{
	say("fork");
	return !core.child;
}

static bool make_child_exit(void)
{
	say("child_exit");
	return core.child != NULL;
}

static bool make_flush(void)
{
	say("flush");
	return true;
}

static bool make_until(void)
{
	say("until");
	say("%llu", eng_now() / 1000000000 + 1 + below(12));
	return true;
}

static bool make_capable(void)
{
	say("capable");
	say("%u", below(2));
	return true;
}

static bool make_noiommu(void)
{
	say("noiommu");
	say("%u", below(3) != 0);
	return true;
}

static bool make_nofile(void)
{
	say("nofile");
	say("%u", below(3) ? 64 : 3 + below(6));
	return true;
}

static bool make_open_error(void)
{
	if (!say_device("open_error", any))
		return false;
	say("%d", below(2) ? 0 : -16);
	return true;
}

static bool make_driver_going(void)
{
	say("driver_going");
	say("%u", !below(3));
	return true;
}

static bool make_backend_open_error(void)
{
	say("backend_open_error");
	say("%d", below(3) ? 0 : -13);
	return true;
}

static bool make_backend_attach_error(void)
{
	say("backend_attach_error");
	say("%u", 1 + below(2));
	return true;
}

/* A backend's module that is used cannot go; and nobody waits for deferred puts (VF-15). */
static bool make_unload(void)
{
	say("unload");
	return !is_unloaded() && core_be_module.refcnt.counter == 1 && !other_works() &&
	       !core_deferred_puts();
}

static bool make_load(void)
{
	say("load");
	return is_unloaded();
}

/* ---- the way to an open device ---- */

static const struct core_file *file_of_group(const struct vfio_group *group)
{
	unsigned int i;

	for (i = 0; i < core.n_files; i++)
		if (*core.file[i].label == 'G' && core.file[i].fd >= 0 &&
		    core.file[i].file->private_data == group)
			return &core.file[i];
	return NULL;
}

static const struct core_file *file_of_container(const void *container)
{
	unsigned int i;

	for (i = 0; i < core.n_files; i++)
		if (core.file[i].fd >= 0 && core.file[i].container == container)
			return &core.file[i];
	return NULL;
}

static bool make_next_open_group(const struct vfio_group_facts *group)
{
	say("open_group");
	say_label('G');
	say("%s", group->node);
	return one_more_file();
}

static bool make_next_set(const struct core_file *file)
{
	struct core_file *container = some_file("C");

	if (!container)
		return make_open();
	say("set");
	say("%s", file->label);
	say("%s", container->label);
	return true;
}

static bool make_next_get(const struct vfio_group_facts *group, const struct core_file *file)
{
	unsigned int i, first = below(core.n_devices);

	for (i = 0; i < core.n_devices; i++) {
		const struct core_device *device =
			&core.device[(first + i) % core.n_devices];

		if (!device->dev || device->dev->iommu_group != group->iommu_group ||
		    !device->object || is_registered_by_hand(device))
			continue;
		say("get");
		say("%s", file->label);
		say("%s", device->name);
		say_label('D');
		return one_more_file();
	}
	return false;
}

/* What somebody who wants to open a device does next. */
static bool make_next(void)
{
	const struct vfio_group_facts *group;
	const struct core_file *file, *container;
	struct vfio_facts facts;

	vfio_observe(&facts);
	if (!facts.n_groups)
		return make_bind();
	group = &facts.group[below(facts.n_groups)];
	file = file_of_group(group->group);
	if (!file)
		return !group->container && make_next_open_group(group);
	if (!group->container)
		return make_next_set(file);
	container = file_of_container(group->container);
	if (container && !container->container->iommu_driver) {
		say("set_iommu");
		say("%s", container->label);
		say("%u", *group->node == 'n' ? 8 : 1);
		return true;
	}
	return make_next_get(group, file);
}

static const struct {
	bool (*make)(void);
	unsigned int weight;
} makers[] = {
	{ make_next, 60 },
	{ make_plug, 4 }, { make_bind, 10 }, { make_unbind, 8 }, { make_unplug, 2 },
	{ make_unplug_idle, 1 }, { make_signal, 3 }, { make_register, 2 },
	{ make_register_second, 1 }, { make_unregister, 2 }, { make_free, 2 },
	{ make_match, 1 }, { make_header, 1 }, { make_join, 3 }, { make_leave, 2 },
	{ make_put_group, 1 }, { make_open, 3 }, { make_open_group, 4 }, { make_close, 8 },
	{ make_dup, 2 }, { make_close_original, 2 }, { make_set, 3 }, { make_set_fd, 1 },
	{ make_unset, 3 }, { make_set_iommu, 3 }, { make_extension, 1 }, { make_status, 2 },
	{ make_status_argsz, 1 }, { make_ioctl, 2 }, { make_get, 4 }, { make_get_name, 1 },
	{ make_external_dev, 3 }, { make_external_file, 3 }, { make_external_put, 5 },
	{ make_pin, 1 }, { make_unpin, 1 }, { make_dma_rw, 1 }, { make_notifier, 2 },
	{ make_forget_notifier, 1 }, { make_mmap, 5 }, { make_munmap, 3 },
	{ make_child_munmap, 2 }, { make_fork, 1 }, { make_child_exit, 2 }, { make_flush, 6 },
	{ make_until, 3 }, { make_capable, 2 }, { make_noiommu, 2 }, { make_nofile, 1 },
	{ make_open_error, 1 }, { make_driver_going, 1 }, { make_backend_open_error, 1 },
	{ make_backend_attach_error, 1 }, { make_unload, 1 }, { make_load, 40 },
};

/* ---- steps ---- */

static bool (*some_maker(void))(void)
{
	unsigned int i, at, sum = 0;

	for (i = 0; i < ARRAY_SIZE(makers); i++)
		sum += makers[i].weight;
	at = below(sum);
	for (i = 0; at >= makers[i].weight; i++)
		at -= makers[i].weight;
	return makers[i].make;
}

static void begin_command(void)
{
	memset(&made.command, 0, sizeof(made.command));
	made.words = 0;
}

/* Keeps what of the world cannot be seen in it. */
static void carry_out(void)
{
	const char *name = made.word[0];
	struct core_device *device = made.words > 1 ? core_find(made.word[1]) : NULL;
	long ret;

	/* A device keeps its name; the word is written over. */
	if (!strcmp(name, "plug"))
		made.command.word[1] = (const char *[]){ "A", "B", "C", "D", "E", "F" }
			[core.n_devices];
	ret = core_step(&made.command);
	if (!strcmp(name, "register"))
		made.registered[device - core.device] = !ret;
	else if (!strcmp(name, "unregister"))
		made.registered[device - core.device] = false;
	else if (!strcmp(name, "bind") && !ret)
		made.bound[device - core.device] = true;
}

static void one_step(void)
{
	do
		begin_command();
	while (!some_maker()());
	carry_out();
}

/* Until none of its kind is left. */
static void all_of(bool (*make)(void))
{
	for (;;) {
		begin_command();
		if (!make())
			return;
		carry_out();
	}
}

void core_make_up(uint32_t seed, unsigned int steps, bool by_hand)
{
	unsigned int i;

	made.by_hand = by_hand;
	eng_choose(CORE_FAULTS_FROM_HERE, 2);
	made.state = seed * 2654435761u + 1;
	begin_command();
	make_plug();
	carry_out();
	for (i = 0; i < steps; i++)
		one_step();
	all_of(make_external_put);
	all_of(make_child_exit);
	all_of(make_munmap);
	all_of(make_close_original);
	all_of(make_close);
	all_of(make_unregister);
	all_of(make_put_group);
	begin_command();
	make_flush();
	carry_out();
}
