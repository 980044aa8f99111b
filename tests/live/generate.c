// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interesting address-space operations meet the edges of mappings. So most
 * positions are drawn from the edges that exist, give or take a page, and only
 * some from the whole window.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "generate.h"

#define ATTEMPTS 1000

#define W(file, drop, open, dup, close, mmap, munmap, mprotect, mremap, read, write, madvise,	\
	  trunc, punch, fork, exit, fread, fwrite)						\
	{ file, drop, open, dup, close, mmap, munmap, mprotect, mremap, read, write, madvise,	\
	  trunc, punch, fork, exit, fread, fwrite }

const struct profile profiles[] = {
	{ "mixed", W(1, 1, 4, 2, 3, 40, 16, 24, 20, 30, 36, 14, 6, 14, 5, 4, 3, 6),
	  64, 4, 40, 4, 30, 50, 15, 15, 5 },
	{ "shared", W(1, 0, 4, 2, 2, 40, 16, 24, 16, 30, 30, 8, 6, 16, 0, 0, 3, 8),
	  48, 3, 48, 1, 5, 95, 10, 5, 3 },
	{ "private", W(1, 0, 3, 2, 2, 36, 14, 24, 16, 30, 44, 10, 8, 14, 0, 0, 3, 8),
	  48, 3, 48, 1, 20, 5, 10, 30, 3 },
	{ "anon", W(0, 0, 0, 0, 0, 40, 18, 34, 22, 16, 40, 12, 0, 0, 2, 1, 0, 0),
	  48, 0, 1, 2, 100, 4, 0, 15, 3 },
	{ "fork", W(1, 0, 3, 2, 2, 34, 14, 22, 16, 34, 44, 16, 6, 14, 14, 12, 3, 6),
	  40, 3, 32, 6, 35, 40, 10, 10, 2 },
	{ "remap", W(1, 0, 3, 1, 1, 36, 10, 18, 60, 20, 26, 8, 4, 6, 3, 2, 2, 4),
	  64, 3, 40, 2, 35, 50, 10, 10, 6 },
	{ "zap", W(1, 0, 4, 2, 2, 34, 8, 8, 10, 50, 44, 8, 16, 40, 6, 4, 4, 12),
	  32, 2, 24, 4, 5, 55, 10, 5, 2 },
	{ "errors", W(2, 1, 6, 5, 6, 40, 20, 26, 26, 20, 20, 16, 6, 12, 3, 3, 4, 4),
	  40, 4, 40, 3, 30, 50, 30, 15, 45 },
	{ "calls", W(1, 0, 3, 1, 1, 40, 14, 24, 20, 26, 26, 60, 4, 8, 5, 4, 2, 4),
	  48, 3, 40, 3, 40, 50, 10, 10, 6, .newer = 30 },
	{ "sealed", W(1, 0, 3, 1, 1, 40, 20, 24, 24, 26, 26, 20, 4, 8, 4, 3, 2, 4),
	  64, 3, 40, 3, 40, 50, 10, 10, 6, .seals = 2 },
	{ "wide", W(1, 0, 3, 2, 2, 60, 16, 30, 30, 30, 30, 12, 4, 10, 3, 2, 2, 6),
	  512, 4, 300, 3, 30, 50, 10, 10, 3 },
};
const unsigned int profiles_count = G_N_ELEMENTS(profiles);

uint64_t generator_random(struct generator *g, uint64_t bound)
{
	/* xorshift64*, the high half; the bias of % is of no account here. */
	g->random ^= g->random >> 12;
	g->random ^= g->random << 25;
	g->random ^= g->random >> 27;
	return (g->random * 0x2545f4914f6cdd1dULL >> 32) % bound;
}

#define pick generator_random

static bool chance(struct generator *g, unsigned int percent)
{
	return pick(g, 100) < percent;
}

void generator_init(struct generator *g, const struct profile *profile, uint64_t seed)
{
	*g = (struct generator){ .profile = *profile };
	/* Neighbouring seeds must not give neighbouring sequences; zero is a fixed point. */
	g->random = (seed + 1) * 0x9e3779b97f4a7c15ULL | 1;
	for (int i = 0; i < 8; i++)
		pick(g, 2);
}

static const struct {
	const char *name;
	enum mmop_kind kind;
} kinds[] = {
	{ "file", MMOP_FILE }, { "drop", MMOP_DROP }, { "open", MMOP_OPEN }, { "dup", MMOP_DUP },
	{ "close", MMOP_CLOSE }, { "mmap", MMOP_MMAP }, { "munmap", MMOP_MUNMAP },
	{ "mprotect", MMOP_MPROTECT }, { "mremap", MMOP_MREMAP }, { "read", MMOP_READ },
	{ "write", MMOP_WRITE }, { "madvise", MMOP_MADVISE }, { "trunc", MMOP_TRUNC },
	{ "punch", MMOP_PUNCH }, { "fork", MMOP_FORK }, { "exit", MMOP_EXIT },
	{ "fread", MMOP_FREAD }, { "fwrite", MMOP_FWRITE },
	{ "mlock", MMOP_MLOCK }, { "munlock", MMOP_MUNLOCK }, { "msync", MMOP_MSYNC },
	{ "mincore", MMOP_MINCORE }, { "remap_file_pages", MMOP_REMAP_FILE },
	{ "mseal", MMOP_MSEAL },
};

static bool set_weight(struct profile *profile, const char *text)
{
	g_auto(GStrv) sides = g_strsplit(text, "=", 2);
	guint64 weight;

	if (!sides[0] || !sides[1] ||
	    !g_ascii_string_to_unsigned(sides[1], 10, 0, 1000000, &weight, NULL))
		return false;
	for (unsigned int i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (!strcmp(sides[0], kinds[i].name)) {
			profile->weight[kinds[i].kind] = weight;
			return true;
		}
	}
	return false;
}

bool profile_set_weights(struct profile *profile, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, ",", -1);
	unsigned int sum = 0;

	for (char **word = words; *word; word++)
		if (!set_weight(profile, *word))
			return false;
	for (unsigned int kind = 0; kind < MMOP_KINDS; kind++)
		sum += profile->weight[kind];
	return sum > 0;
}

static unsigned int pick_process(struct generator *g, const struct mmstate *state)
{
	unsigned int alive[MMOP_PROCS_MAX], count = 0;

	for (unsigned int i = 0; i < state->procs; i++)
		if (state->proc[i])
			alive[count++] = i;
	return alive[pick(g, count)];
}

static unsigned int alive_count(const struct mmstate *state)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < state->procs; i++)
		count += state->proc[i] != NULL;
	return count;
}

static int pick_file(struct generator *g, const struct recording *r, bool kept)
{
	unsigned int some[MMOP_FILES_MAX], count = 0;

	for (unsigned int i = 0; i < MMOP_FILES_MAX; i++)
		if (recording_state(r)->files & 1U << i && !(kept && recording_dropped(r, i)))
			some[count++] = i;
	return count ? (int)some[pick(g, count)] : -1;
}

/* A descriptor that is open (or not); -1 if there is none. */
static int pick_handle(struct generator *g, const struct recording *r, unsigned int proc,
		       bool open)
{
	unsigned int some[MMOP_HANDLES_MAX], count = 0;

	for (unsigned int i = 0; i < 8; i++)
		if ((recording_desc(r, proc, i) >= 0) == open)
			some[count++] = i;
	return count ? (int)some[pick(g, count)] : -1;
}

/* A page boundary of the window, 0 to window. */
static unsigned int pick_edge(struct generator *g, const struct mmstate *state,
			      unsigned int proc)
{
	const struct mmstate_proc *p = state->proc[proc];
	int edge;

	if (!p->nvma || chance(g, 25))
		return pick(g, state->window + 1);
	edge = chance(g, 50) ? p->vma[pick(g, p->nvma)].start : p->vma[pick(g, p->nvma)].end;
	if (chance(g, 40))
		edge += (int)pick(g, 5) - 2;
	return CLAMP(edge, 0, (int)state->window);
}

static void pick_range(struct generator *g, const struct mmstate *state, unsigned int proc,
		       uint64_t *addr, uint64_t *length)
{
	unsigned int a = pick_edge(g, state, proc), b = pick_edge(g, state, proc);
	unsigned int start, end;

	if (chance(g, 60)) {	/* most ranges are short */
		b = a + 1 + pick(g, 8);
		b = MIN(b, state->window);
	}
	start = MIN(a, b);
	end = MAX(a, b);
	if (start == end)
		start = start ? start - 1 : 0;
	if (start == end)
		end++;
	*addr = start * MMOP_PAGE;
	*length = (end - start) * MMOP_PAGE;
}

/* A page of the window, often a mapped one. */
static uint64_t pick_page(struct generator *g, const struct mmstate *state, unsigned int proc)
{
	const struct mmstate_proc *p = state->proc[proc];
	const struct mmop_vma *vma;

	if (!p->nvma || chance(g, 10))
		return pick(g, state->window) * MMOP_PAGE;
	vma = &p->vma[pick(g, p->nvma)];
	return (vma->start + pick(g, vma->end - vma->start)) * MMOP_PAGE;
}

/* Not execute alone: that takes a protection key, which is not modelled. */
static uint8_t pick_prot(struct generator *g)
{
	static const uint8_t prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
		PROT_READ, PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC, PROT_WRITE,
		PROT_READ | PROT_WRITE | PROT_EXEC,
	};

	return prots[pick(g, G_N_ELEMENTS(prots))];
}

/* Continue the file page of the mapping before or behind, as merges need it. */
static uint64_t fitting_offset(struct generator *g, const struct mmstate *state,
			       const struct mmop *op)
{
	const struct mmstate_proc *p = state->proc[op->proc];
	unsigned int start = op->addr / MMOP_PAGE, pages = op->length / MMOP_PAGE;

	for (unsigned int k = 0; k < p->nvma; k++) {
		const struct mmop_vma *vma = &p->vma[k];

		if (vma->object != 'f')
			continue;
		if (vma->start <= start && start <= vma->end && chance(g, 70))
			return (vma->pgoff + start - vma->start) * MMOP_PAGE;
		if (vma->start == start + pages && vma->pgoff >= pages && chance(g, 70))
			return (vma->pgoff - pages) * MMOP_PAGE;
	}
	return pick(g, g->profile.file_pages + 2) * MMOP_PAGE;
}

/* The descriptor that a neighbour was mapped through, if it is still open. */
static int fitting_handle(struct generator *g, const struct recording *r, const struct mmop *op)
{
	const struct mmstate_proc *p = recording_state(r)->proc[op->proc];
	unsigned int start = op->addr / MMOP_PAGE, end = start + op->length / MMOP_PAGE;

	for (unsigned int k = 0; k < p->nvma; k++) {
		if (p->vma[k].desc < 0 || (p->vma[k].end != start && p->vma[k].start != end))
			continue;
		for (int handle = 0; handle < MMOP_HANDLES_MAX; handle++)
			if (recording_desc(r, op->proc, handle) == p->vma[k].desc &&
			    chance(g, 70))
				return handle;
	}
	return pick_handle(g, r, op->proc, true);
}

static bool make_mmap(struct generator *g, const struct recording *r, struct mmop *op)
{
	const struct mmstate *state = recording_state(r);

	pick_range(g, state, op->proc, &op->addr, &op->length);
	op->prot = pick_prot(g);
	op->share = chance(g, g->profile.shared) ? 's' : 'p';
	op->noreplace = chance(g, 15);
	op->noreserve = chance(g, g->profile.noreserve);
	op->populate = chance(g, g->profile.newer / 2);
	op->locked = !op->populate && chance(g, g->profile.newer / 3);
	if (chance(g, g->profile.anonymous))
		return true;
	op->handle = fitting_handle(g, r, op);
	if (op->handle < 0)
		return false;
	op->offset = fitting_offset(g, state, op);
	return true;
}

/* A hint is followed only where nothing is mapped; elsewhere the kernel chooses. */
static bool target_is_free(const struct mmstate *state, const struct mmop *op)
{
	const char *pages = state->proc[op->proc]->state;
	unsigned int first = op->new_addr / MMOP_PAGE, count = op->new_length / MMOP_PAGE;

	if (first + count > state->window)
		return false;
	for (unsigned int i = 0; i < count; i++)
		if (pages[first + i] != '.')
			return false;
	return true;
}

static bool make_mremap(struct generator *g, const struct recording *r, struct mmop *op)
{
	const struct mmstate *state = recording_state(r);
	uint64_t ignored;

	static const uint8_t modes[] = { MMOP_INPLACE, MMOP_INPLACE, MMOP_FIXED, MMOP_FIXED,
					 MMOP_FIXED, MMOP_DONTUNMAP };

	pick_range(g, state, op->proc, &op->addr, &op->length);
	op->mode = modes[pick(g, G_N_ELEMENTS(modes))];
	op->new_length = op->length;
	if (op->mode != MMOP_DONTUNMAP && chance(g, 45))
		op->new_length = (1 + pick(g, 2 * op->length / MMOP_PAGE + 2)) * MMOP_PAGE;
	if (chance(g, 6))
		op->length = 0;
	if (op->mode != MMOP_INPLACE)
		pick_range(g, state, op->proc, &op->new_addr, &ignored);
	if (op->mode == MMOP_DONTUNMAP && chance(g, g->profile.newer) && target_is_free(state, op))
		op->mode = MMOP_HINT;
	return true;
}

static bool make_file_op(struct generator *g, const struct recording *r, struct mmop *op)
{
	int file = pick_file(g, r, true);

	if (file < 0)
		return false;
	op->file = file;
	op->offset = pick(g, g->profile.file_pages + 1) * MMOP_PAGE;
	op->length = (1 + pick(g, 6)) * MMOP_PAGE;
	if (op->kind == MMOP_TRUNC)
		op->length = pick(g, g->profile.file_pages + 1) * MMOP_PAGE;
	return true;
}

static bool make_file(struct generator *g, const struct mmstate *state, struct mmop *op)
{
	while (op->file < MMOP_FILES_MAX && state->files & 1U << op->file)
		op->file++;
	op->length = pick(g, g->profile.file_pages + 1) * MMOP_PAGE;
	return op->file < g->profile.files;
}

static bool make_handle_op(struct generator *g, const struct recording *r, struct mmop *op)
{
	int file = pick_file(g, r, true);

	op->handle = pick_handle(g, r, op->proc, op->kind == MMOP_CLOSE && chance(g, 90));
	op->handle2 = pick_handle(g, r, op->proc, chance(g, 90));
	if (op->kind == MMOP_OPEN && file < 0)
		return false;
	op->file = op->kind == MMOP_OPEN ? file : 0;
	op->readonly = op->kind == MMOP_OPEN && chance(g, g->profile.readonly);
	return op->handle >= 0 && (op->kind != MMOP_DUP || op->handle2 >= 0);
}

static bool make_process_op(struct generator *g, const struct mmstate *state, struct mmop *op)
{
	op->child = op->kind == MMOP_FORK ? state->procs : 0;
	if (op->kind == MMOP_EXIT)
		return alive_count(state) > 1;
	return state->procs < MMOP_PROCS_MAX && alive_count(state) < g->profile.procs;
}

/* What only traces with the feature "calls" have. */
static bool make_newer(struct generator *g, const struct mmstate *state, struct mmop *op)
{
	pick_range(g, state, op->proc, &op->addr, &op->length);
	if (op->kind == MMOP_MSYNC)
		op->mode = pick(g, MMOP_SYNCS);
	if (op->kind == MMOP_MINCORE)
		op->length = MIN(op->length, MMOP_MINCORE_PAGES * MMOP_PAGE);
	if (op->kind == MMOP_REMAP_FILE)
		op->offset = pick(g, g->profile.file_pages + 2) * MMOP_PAGE;
	return true;
}

/* Of advice without a length the kernel only says whether it knows it. */
static bool is_compiled_in(unsigned int advice)
{
	if (advice >= MMOP_MERGEABLE)
		return !madvise(NULL, 0, MADV_MERGEABLE);
	if (advice >= MMOP_HUGEPAGE)
		return !madvise(NULL, 0, MADV_HUGEPAGE);
	return true;
}

static bool make(struct generator *g, const struct recording *r, struct mmop *op)
{
	const struct mmstate *state = recording_state(r);

	switch (op->kind) {
	case MMOP_FILE:
		return make_file(g, state, op);
	case MMOP_OPEN:
	case MMOP_DUP:
	case MMOP_CLOSE:
		return make_handle_op(g, r, op);
	case MMOP_MMAP:
		return make_mmap(g, r, op);
	case MMOP_MREMAP:
		return make_mremap(g, r, op);
	case MMOP_READ:
	case MMOP_WRITE:
		op->addr = pick_page(g, state, op->proc);
		return true;
	case MMOP_FORK:
	case MMOP_EXIT:
		return make_process_op(g, state, op);
	case MMOP_MUNMAP:
	case MMOP_MPROTECT:
	case MMOP_MADVISE:
		pick_range(g, state, op->proc, &op->addr, &op->length);
		op->prot = op->kind == MMOP_MPROTECT ? pick_prot(g) : 0;
		if (op->kind == MMOP_MADVISE)
			op->mode = pick(g, chance(g, g->profile.newer ? 80 : 0) ? MMOP_ADVICES :
					   MMOP_PLAIN_ADVICES);
		return op->kind != MMOP_MADVISE || is_compiled_in(op->mode);
	case MMOP_MLOCK:
	case MMOP_MUNLOCK:
	case MMOP_MSYNC:
	case MMOP_MINCORE:
	case MMOP_REMAP_FILE:
	case MMOP_MSEAL:
		return make_newer(g, state, op);
	default:
		return make_file_op(g, r, op);
	}
}

/* One argument becomes unusual, most often wrong. */
static void make_odd(struct generator *g, struct mmop *op)
{
	uint64_t bytes = 1 + pick(g, MMOP_PAGE - 1);
	bool remap = op->kind == MMOP_MREMAP;

	switch (pick(g, 8)) {
	case 0:
		op->addr += bytes;
		break;
	case 1:
		op->length = 0;
		break;
	case 2:
		op->length = op->length > MMOP_PAGE ? op->length - bytes : bytes;
		break;
	case 3:
		op->offset += op->kind == MMOP_MMAP && op->handle == MMOP_ANON ? 0 : bytes;
		break;
	case 4:
		op->new_length = remap && chance(g, 50) ? op->new_length - bytes : 0;
		break;
	case 5:
		op->new_addr += remap && op->mode != MMOP_INPLACE ? bytes : 0;
		break;
	case 6:
		op->share = op->kind == MMOP_MMAP ? 'x' : op->share;
		break;
	default:
		op->mode = remap ? pick(g, MMOP_HINT) : op->mode;
	}
}

static bool can_be_odd(const struct mmop *op)
{
	return op->kind >= MMOP_FIRST_CALL || op->kind == MMOP_MMAP ||
	       op->kind == MMOP_MUNMAP || op->kind == MMOP_MPROTECT ||
	       op->kind == MMOP_MREMAP || op->kind == MMOP_MADVISE || op->kind == MMOP_PUNCH;
}

static enum mmop_kind pick_kind(struct generator *g)
{
	unsigned int sum = 0, at, kind = 0;

	if (g->profile.seals && chance(g, g->profile.seals))
		return MMOP_MSEAL;
	if (chance(g, g->profile.newer))
		return MMOP_FIRST_CALL + pick(g, MMOP_MSEAL - MMOP_FIRST_CALL);
	for (unsigned int i = 0; i < MMOP_KINDS; i++)
		sum += g->profile.weight[i];
	at = pick(g, sum);
	while (at >= g->profile.weight[kind])
		at -= g->profile.weight[kind++];
	return kind;
}

/* The first operations give every run something to work on. */
static bool make_start(struct generator *g, struct mmop *op)
{
	unsigned int files = MIN(2, g->profile.files);

	if (g->made >= 2 * files)
		return false;
	*op = (struct mmop){ .kind = g->made < files ? MMOP_FILE : MMOP_OPEN,
			     .handle = MMOP_ANON, .file = g->made % files };
	if (op->kind == MMOP_FILE)
		op->length = (1 + pick(g, g->profile.file_pages)) * MMOP_PAGE;
	else
		op->handle = op->file;
	return true;
}

void generate(struct generator *g, const struct recording *r, struct mmop *op)
{
	const struct mmstate *state = recording_state(r);
	struct mmtext_why why;

	if (make_start(g, op)) {
		g->made++;
		return;
	}
	g->made++;
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		*op = (struct mmop){ .kind = pick_kind(g), .handle = MMOP_ANON };
		op->proc = pick_process(g, state);
		if (!make(g, r, op))
			continue;
		if (can_be_odd(op) && chance(g, g->profile.odd))
			make_odd(g, op);
		if (mmstate_possible(state, op, &why))
			return;
	}
	/* These weights leave nothing to do; a look at a page always works. */
	*op = (struct mmop){ .kind = MMOP_READ, .proc = pick_process(g, state),
			     .handle = MMOP_ANON };
}
