// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group and its containers as if one call came after the other: what
 * vfiosim_vfio_spec allows (docs/spec/vfio.md, D and E). Both designs agree on it.
 *
 * Judged are the calls that say whether a group is in use, in a container, and
 * ready to be opened. Errors that come from elsewhere (no memory, no descriptor, a
 * device that is not there) change nothing and are allowed. Host side, pure.
 */
#define VFIOSIM_HOST
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vfiosim.h>

/* A history holds 48 calls, so no more files can be open, nor containers be made. */
#define FILES 48
#define GROUPS 64
#define CONTAINERS 48

enum kind { NO_FILE, CONTAINER, GROUP, DEVICE };

struct spec_file {
	const void *process;
	int fd;
	unsigned char kind;
	unsigned char which;		/* container or group */
};

struct spec_state {
	struct spec_file file[FILES];
	unsigned char opened[GROUPS];
	unsigned char devices[GROUPS];	/* open files of its devices */
	unsigned char container[GROUPS];	/* from 1; 0: none */
	unsigned char groups[CONTAINERS + 1];
	unsigned char backend[CONTAINERS + 1];
	unsigned char n_containers;
};

static struct spec_file *find(struct spec_state *s, const void *process, long fd)
{
	for (int i = 0; i < FILES; i++)
		if (s->file[i].kind && s->file[i].process == process && s->file[i].fd == fd)
			return &s->file[i];
	return NULL;
}

static bool add(struct spec_state *s, const struct vfiosim_call *call, enum kind kind, int which)
{
	for (int i = 0; i < FILES; i++) {
		if (s->file[i].kind)
			continue;
		s->file[i].process = call->process;
		s->file[i].fd = call->result;
		s->file[i].kind = kind;
		s->file[i].which = which;
		return true;
	}
	return false;
}

static void leave(struct spec_state *s, int group)
{
	int container = s->container[group];

	s->container[group] = 0;
	if (container && !--s->groups[container])
		s->backend[container] = 0;
}

/* The group's file and each open device use the container; the last one leaves it. */
static void let_go(struct spec_state *s, int group)
{
	if (!s->opened[group] && !s->devices[group])
		leave(s, group);
}

static bool step_open(struct spec_state *s, const struct vfiosim_call *call)
{
	const char *digits = strpbrk(call->text, "0123456789");
	int group = digits ? atoi(digits) % GROUPS : 0;

	if (!digits)
		return call->result < 0 ||
		       (s->n_containers < CONTAINERS &&
			add(s, call, CONTAINER, ++s->n_containers));
	if (call->result == -EBUSY)
		return s->opened[group] || s->devices[group];
	if (call->result < 0)
		return true;
	if (s->opened[group] || s->devices[group])
		return false;
	s->opened[group] = 1;
	return add(s, call, GROUP, group);
}

static bool step_close(struct spec_state *s, const struct vfiosim_call *call)
{
	struct spec_file *file = find(s, call->process, call->argument[0]);
	struct spec_file was;

	if (!file)
		return true;
	if (call->result == -EBADF)
		return false;
	was = *file;
	memset(file, 0, sizeof(*file));
	if (was.kind == GROUP)
		s->opened[was.which] = 0;
	else if (was.kind == DEVICE)
		s->devices[was.which]--;
	if (was.kind != CONTAINER)
		let_go(s, was.which);
	return true;
}

static bool step_set(struct spec_state *s, const struct vfiosim_call *call, int group)
{
	const struct spec_file *to = find(s, call->process, call->argument[1]);

	if (call->result == -EINVAL)
		return s->container[group] || !to || to->kind != CONTAINER;
	if (call->result)
		return true;
	if (s->container[group] || !to || to->kind != CONTAINER)
		return false;
	s->container[group] = to->which;
	s->groups[to->which]++;
	return true;
}

static bool step_unset(struct spec_state *s, const struct vfiosim_call *call, int group)
{
	if (call->result == -EINVAL)
		return !s->container[group];
	if (call->result == -EBUSY)
		return s->container[group] && s->devices[group];
	if (call->result)
		return true;
	if (!s->container[group] || s->devices[group])
		return false;
	leave(s, group);
	return true;
}

static bool step_get_device(struct spec_state *s, const struct vfiosim_call *call, int group)
{
	int container = s->container[group];
	bool ready = container && s->backend[container];

	if (call->result == -EINVAL)
		return !ready;
	if (call->result < 0)
		return true;
	if (!ready)
		return false;
	s->devices[group]++;
	return add(s, call, DEVICE, group);
}

static bool step_set_iommu(struct spec_state *s, const struct vfiosim_call *call, int container)
{
	bool possible = s->groups[container] && !s->backend[container];

	if (call->result == -EINVAL)
		return !possible;
	if (call->result)
		return true;
	s->backend[container] = 1;
	return possible;
}

static bool step(void *state, const struct vfiosim_call *call)
{
	struct spec_state *s = state;
	const struct spec_file *file;

	if (!strcmp(call->name, "open"))
		return step_open(s, call);
	if (!strcmp(call->name, "close"))
		return step_close(s, call);
	file = find(s, call->process, call->argument[0]);
	if (!file)
		return true;
	if (file->kind == CONTAINER && !strcmp(call->name, "SET_IOMMU"))
		return step_set_iommu(s, call, file->which);
	if (file->kind != GROUP)
		return true;
	if (!strcmp(call->name, "SET_CONTAINER"))
		return step_set(s, call, file->which);
	if (!strcmp(call->name, "UNSET_CONTAINER"))
		return step_unset(s, call, file->which);
	if (!strcmp(call->name, "GET_DEVICE_FD"))
		return step_get_device(s, call, file->which);
	return true;
}

const struct vfiosim_spec vfiosim_vfio_spec = {
	.name = "the state of groups and containers",
	.state_size = sizeof(struct spec_state),
	.step = step,
};
