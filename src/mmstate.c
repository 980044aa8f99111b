// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader's state of a trace and the checks that need it. Whoever writes a
 * trace by hand or by program learns here what does not fit together.
 */
#include <string.h>

#include "mmstate.h"

static void start_process(struct mmstate *state)
{
	struct mmstate_proc *proc = g_new0(struct mmstate_proc, 1);

	memset(proc->state, '.', sizeof(proc->state));
	state->proc[state->procs++] = proc;
}

void mmstate_init(struct mmstate *state, unsigned int window)
{
	*state = (struct mmstate){ .window = window };
	start_process(state);
}

void mmstate_clear(struct mmstate *state)
{
	for (unsigned int i = 0; i < state->procs; i++)
		g_clear_pointer(&state->proc[i], g_free);
}

void mmstate_copy(struct mmstate *to, const struct mmstate *from)
{
	while (to->procs < from->procs)
		start_process(to);
	for (unsigned int i = 0; i < from->procs; i++) {
		const struct mmstate_proc *proc = from->proc[i];

		if (!proc) {
			g_clear_pointer(&to->proc[i], g_free);
			continue;
		}
		to->proc[i]->nvma = proc->nvma;
		memcpy(to->proc[i]->vma, proc->vma, proc->nvma * sizeof(*proc->vma));
		memcpy(to->proc[i]->state, proc->state, from->window);
	}
	to->files = from->files;
	to->descs = from->descs;
	to->shared_anon = from->shared_anon;
}

static bool in_window(const struct mmstate *state, const char *what, uint64_t addr,
		      uint64_t length, struct mmtext_why *why)
{
	uint64_t size = state->window * MMOP_PAGE;

	if (addr < size && length <= size - addr)
		return true;
	return mmtext_fail(why, "%s leaves the window of %u pages", what, state->window);
}

static bool whole_pages(const char *what, uint64_t bytes, struct mmtext_why *why)
{
	return bytes % MMOP_PAGE == 0 || mmtext_fail(why, "%s is not whole pages", what);
}

static bool remap_in_window(const struct mmstate *state, const struct mmop *op,
			    struct mmtext_why *why)
{
	if (!in_window(state, "the old range", op->addr, op->length, why))
		return false;
	if (op->mode != MMOP_INPLACE)
		return in_window(state, "the new range", op->new_addr, op->new_length, why);
	/* Growing in place may aim past the window: the guard stops it. */
	if (op->new_length > (MMOP_WINDOW_MAX + MMOP_GUARD) * MMOP_PAGE)
		return mmtext_fail(why, "the new length is more than window and guard");
	return true;
}

static bool mincore_fits(const struct mmstate *state, const struct mmop *op,
			 struct mmtext_why *why)
{
	if (op->length > MMOP_MINCORE_PAGES * MMOP_PAGE)
		return mmtext_fail(why, "mincore asks for more than %d pages",
				   MMOP_MINCORE_PAGES);
	return in_window(state, "the range", op->addr, op->length, why);
}

static bool range_fits(const struct mmstate *state, const struct mmop *op, struct mmtext_why *why)
{
	switch (op->kind) {
	case MMOP_MMAP:
	case MMOP_MUNMAP:
	case MMOP_MPROTECT:
	case MMOP_MADVISE:
	case MMOP_MLOCK:
	case MMOP_MUNLOCK:
	case MMOP_MSEAL:
	case MMOP_MSYNC:
	case MMOP_REMAP_FILE:
		return in_window(state, "the range", op->addr, op->length, why);
	case MMOP_MINCORE:
		return mincore_fits(state, op, why);
	case MMOP_MREMAP:
		return remap_in_window(state, op, why);
	case MMOP_READ:
	case MMOP_WRITE:
		return in_window(state, "the page", op->addr, MMOP_PAGE, why) &&
		       whole_pages("the address of a touch", op->addr, why);
	case MMOP_FILE:
	case MMOP_TRUNC:
		return whole_pages("the size of a file", op->length, why);
	default:
		return true;
	}
}

static bool names_process(const struct mmop *op)
{
	switch (op->kind) {
	case MMOP_FILE:
	case MMOP_DROP:
	case MMOP_TRUNC:
	case MMOP_PUNCH:
	case MMOP_FREAD:
	case MMOP_FWRITE:
		return false;
	default:
		return true;
	}
}

static bool file_fits(const struct mmstate *state, const struct mmop *op, struct mmtext_why *why)
{
	bool exists = state->files & 1U << op->file;

	if (op->kind == MMOP_FILE)
		return !exists || mmtext_fail(why, "f%d exists already", op->file);
	return exists || mmtext_fail(why, "f%d was never created", op->file);
}

static bool actors_fit(const struct mmstate *state, const struct mmop *op, struct mmtext_why *why)
{
	if (names_process(op) && !state->proc[op->proc])
		return mmtext_fail(why, "p%d is not alive", op->proc);
	if ((!names_process(op) || op->kind == MMOP_OPEN) && !file_fits(state, op, why))
		return false;
	if (op->kind == MMOP_FORK && state->procs == MMOP_PROCS_MAX)
		return mmtext_fail(why, "more than %d processes", MMOP_PROCS_MAX);
	if (op->kind == MMOP_FORK && op->child != state->procs)
		return mmtext_fail(why, "the child's id must be p%u", state->procs);
	return true;
}

bool mmstate_possible(const struct mmstate *state, const struct mmop *op, struct mmtext_why *why)
{
	return actors_fit(state, op, why) && range_fits(state, op, why);
}

bool mmstate_operation(struct mmstate *state, const struct mmop *op,
		       const struct mmop_result *result, struct mmtext_why *why)
{
	if (!mmstate_possible(state, op, why))
		return false;
	if (result->outcome != MMOP_OK)
		return true;
	if (op->kind == MMOP_FILE)
		state->files |= 1U << op->file;
	else if (op->kind == MMOP_OPEN)
		state->descs++;
	else if (op->kind == MMOP_MMAP && op->handle == MMOP_ANON && op->share == 's')
		state->shared_anon++;
	else if (op->kind == MMOP_FORK)
		start_process(state);
	else if (op->kind == MMOP_EXIT)
		g_clear_pointer(&state->proc[op->proc], g_free);
	return true;
}

static bool known_object(const struct mmstate *state, const struct mmop_vma *vma,
			 struct mmtext_why *why)
{
	if (vma->object == 'f' && !(state->files & 1U << vma->id))
		return mmtext_fail(why, "f%d was never created", vma->id);
	if (vma->object == 'f' && vma->desc >= (int64_t)state->descs)
		return mmtext_fail(why, "d%d was never opened", vma->desc);
	if (vma->object == 'z' && vma->id >= (int64_t)state->shared_anon)
		return mmtext_fail(why, "z%d was never mapped", vma->id);
	return true;
}

static bool list_in_order(const struct mmstate *state, const struct mmstate_proc *proc,
			  struct mmtext_why *why)
{
	unsigned int end = 0;

	for (unsigned int i = 0; i < proc->nvma; i++) {
		const struct mmop_vma *vma = &proc->vma[i];

		if (vma->start < end)
			return mmtext_fail(why, "mapping [%d, %d) is out of order or overlaps",
					   vma->start, vma->end);
		end = vma->end;
	}
	return end <= state->window ||
	       mmtext_fail(why, "a mapping ends at page %u, after the window", end);
}

static bool lives(const struct mmstate *state, unsigned int proc, struct mmtext_why *why)
{
	return state->proc[proc] || mmtext_fail(why, "p%u is not alive", proc);
}

bool mmstate_splice(struct mmstate *state, const struct mmstate_change *change,
		    const struct mmop_vma *inserted, struct mmtext_why *why)
{
	struct mmstate_proc *proc = state->proc[change->proc];
	unsigned int tail;

	if (!lives(state, change->proc, why))
		return false;
	if (change->start + change->removed > proc->nvma)
		return mmtext_fail(why, "p%u has %u mappings, %u cannot be removed at %u",
				   change->proc, proc->nvma, change->removed, change->start);
	tail = proc->nvma - change->start - change->removed;
	if (change->start + change->count + tail > state->window)
		return mmtext_fail(why, "more mappings than pages in the window");
	for (unsigned int i = 0; i < change->count; i++)
		if (!known_object(state, &inserted[i], why))
			return false;
	memmove(&proc->vma[change->start + change->count],
		&proc->vma[change->start + change->removed], tail * sizeof(*proc->vma));
	if (change->count)
		memcpy(&proc->vma[change->start], inserted, change->count * sizeof(*inserted));
	proc->nvma = change->start + change->count + tail;
	return list_in_order(state, proc, why);
}

bool mmstate_pages(struct mmstate *state, const struct mmstate_change *change, const char *states,
		   struct mmtext_why *why)
{
	if (!lives(state, change->proc, why))
		return false;
	if (change->start + change->count > state->window)
		return mmtext_fail(why, "the page states leave the window of %u pages",
				   state->window);
	for (unsigned int i = 0; i < change->count; i++)
		if (!strchr(".-FAZ?o", states[i]))
			return mmtext_fail(why, "'%c' is not a page state", states[i]);
	memcpy(&state->proc[change->proc]->state[change->start], states, change->count);
	return true;
}

bool mmstate_consistent(const struct mmstate *state, unsigned int proc, struct mmtext_why *why)
{
	const struct mmstate_proc *p = state->proc[proc];
	const struct mmop_vma *vma = p->vma, *end = p->vma + p->nvma;

	for (unsigned int page = 0; page < state->window; page++) {
		bool mapped;

		while (vma < end && vma->end <= page)
			vma++;
		mapped = vma < end && vma->start <= page;
		if (mapped == (p->state[page] == '.'))
			return mmtext_fail(why, "page %u of p%u is '%c', but %s", page, proc,
					   p->state[page], mapped ? "mapped" : "not mapped");
	}
	return true;
}

bool mmstate_same_vma(const struct mmop_vma *a, const struct mmop_vma *b)
{
	return a->start == b->start && a->end == b->end && a->perm == b->perm &&
	       a->flags == b->flags && a->object == b->object && a->id == b->id &&
	       a->desc == b->desc && a->pgoff == b->pgoff;
}

bool mmstate_continues(const struct mmop_vma *a, const struct mmop_vma *b)
{
	return a->end == b->start && a->perm == b->perm && a->flags == b->flags &&
	       a->object == b->object && a->id == b->id && a->desc == b->desc &&
	       (a->object == 'a' || a->pgoff + (a->end - a->start) == b->pgoff);
}

unsigned int mmstate_join(struct mmop_vma *vma, unsigned int nvma)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < nvma; i++) {
		if (kept && mmstate_continues(&vma[kept - 1], &vma[i]))
			vma[kept - 1].end = vma[i].end;
		else
			vma[kept++] = vma[i];
	}
	return kept;
}
