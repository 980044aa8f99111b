// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading "mmtrace 1", strictly: whatever the format does not allow is refused
 * with the line and the reason, and so is whatever contradicts the lines before
 * it. A trace that was read can be replayed without further checks.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mmtrace.h"

#define TRACE_BYTES_MAX (256UL << 20)
#define STEPS_MAX 10000000
#define UNMERGED_MAX 1000000000

struct reader {
	struct mmtrace *trace;
	const char *name;
	char *next;		/* the next line; the text is cut up in place */
	char *end;
	unsigned int line;
	struct mmtext_words words;
	struct mmtext_why why;
	struct mmstate state;
	uint64_t steps;		/* announced by the header */
};

struct mmtrace *mmtrace_new(const char *name)
{
	struct mmtrace *trace = g_new0(struct mmtrace, 1);

	trace->name = g_strdup(name);
	trace->steps = g_array_sized_new(FALSE, FALSE, sizeof(struct mmtrace_step), 64);
	trace->changes = g_array_sized_new(FALSE, FALSE, sizeof(struct mmstate_change), 64);
	trace->vmas = g_array_sized_new(FALSE, FALSE, sizeof(struct mmop_vma), 64);
	trace->states = g_string_new(NULL);
	return trace;
}

void mmtrace_free(struct mmtrace *trace)
{
	if (!trace)
		return;
	g_free(trace->name);
	g_free(trace->release);
	g_free(trace->machine);
	g_free(trace->seed);
	g_free(trace->profile);
	g_free(trace->features);
	g_array_free(trace->steps, TRUE);
	g_array_free(trace->changes, TRUE);
	g_array_free(trace->vmas, TRUE);
	g_string_free(trace->states, TRUE);
	g_free(trace);
}

/* A comment is any text, between any two lines; one that is cut off stays to be found. */
static void skip_comments(struct reader *r)
{
	char *newline;

	while (r->next < r->end && *r->next == '#') {
		newline = memchr(r->next, '\n', r->end - r->next);
		if (!newline)
			return;
		r->next = newline + 1;
		r->line++;
	}
}

/* The next line's words. False at the end of the file and on an ill-formed line. */
static bool read_line(struct reader *r)
{
	char *start, *newline;

	if (r->line)		/* the first line says what the file is */
		skip_comments(r);
	start = r->next;
	r->line++;
	r->words.count = 0;
	if (start == r->end)
		return mmtext_fail(&r->why, "the file ends here, too early");
	newline = memchr(start, '\n', r->end - start);
	if (!newline)
		return mmtext_fail(&r->why, "the last line is cut off");
	r->next = newline + 1;
	return mmtext_split(start, newline - start, &r->words, &r->why);
}

/* What the next line starts with, without reading it; 0 at the end. */
static char peek(struct reader *r)
{
	skip_comments(r);
	return r->next < r->end ? *r->next : '\0';
}

/* ---- header ---- */

/* The next line must be @key and @count fields (-1: any number). */
static bool read_key(struct reader *r, const char *key, int count)
{
	if (!read_line(r))
		return false;
	if (strcmp(r->words.word[0], key))
		return mmtext_fail(&r->why, "expected \"%s\", not \"%.40s\"", key,
				   r->words.word[0]);
	if (count >= 0 && r->words.count != (unsigned int)count + 1)
		return mmtext_fail(&r->why, "%s has %d field%s, not %u", key, count,
				   count == 1 ? "" : "s", r->words.count - 1);
	return true;
}

static bool read_key_number(struct reader *r, const char *key, uint64_t max, uint64_t *value)
{
	return read_key(r, key, 1) && mmtext_number(r->words.word[1], max, value, &r->why);
}

static bool read_kernel(struct reader *r)
{
	if (!read_key(r, "kernel", 2))
		return false;
	r->trace->release = g_strdup(r->words.word[1]);
	r->trace->machine = g_strdup(r->words.word[2]);
	return true;
}

static bool read_base(struct reader *r)
{
	const char *word;
	char *end;
	uint64_t room = (MMOP_WINDOW_MAX + MMOP_GUARD) * MMOP_PAGE;

	if (!read_key(r, "base", 1))
		return false;
	word = r->words.word[1];
	if (strncmp(word, "0x", 2) || strlen(word) > 18 || !word[2] ||
	    word[2 + strspn(word + 2, "0123456789abcdef")])
		return mmtext_fail(&r->why, "\"%.40s\" is not a hexadecimal address", word);
	r->trace->base = g_ascii_strtoull(word, &end, 16);
	if (r->trace->base % MMOP_PAGE)
		return mmtext_fail(&r->why, "base %s is not whole pages", word);
	if (r->trace->base < 0x10000 + MMOP_GUARD * MMOP_PAGE ||
	    r->trace->base > 0x7ffffffff000 - room)
		return mmtext_fail(&r->why, "no window fits at base %s", word);
	return true;
}

static bool read_window(struct reader *r)
{
	uint64_t window;

	if (!read_key_number(r, "window", MMOP_WINDOW_MAX, &window))
		return false;
	if (!window)
		return mmtext_fail(&r->why, "a window has at least one page");
	r->trace->window = window;
	return true;
}

static bool read_seed(struct reader *r)
{
	uint64_t seed;

	if (!read_key(r, "seed", 1))
		return false;
	r->trace->seed = g_strdup(r->words.word[1]);
	return !strcmp(r->trace->seed, "-") ||
	       mmtext_number(r->trace->seed, UINT64_MAX, &seed, &r->why);
}

/* Words that others choose traces by; only "calls" changes what may follow. */
static bool read_features(struct reader *r)
{
	g_autoptr(GString) features = g_string_new(NULL);

	if (!read_key(r, "features", -1))
		return false;
	for (unsigned int i = 1; i < r->words.count; i++) {
		r->trace->calls |= !strcmp(r->words.word[i], "calls");
		g_string_append_printf(features, " %s", r->words.word[i]);
	}
	r->trace->features = g_strdup(features->str);
	return true;
}

static bool read_first_line(struct reader *r)
{
	if (!read_key(r, "mmtrace", 1))
		return false;
	return !strcmp(r->words.word[1], "1") ||
	       mmtext_fail(&r->why, "format \"%.40s\" is not known, only 1 is", r->words.word[1]);
}

static bool read_page_size(struct reader *r)
{
	uint64_t bytes;

	if (!read_key_number(r, "page", UINT32_MAX, &bytes))
		return false;
	return bytes == MMOP_PAGE ||
	       mmtext_fail(&r->why, "pages of %llu bytes are not modelled, only of %lu",
			   (unsigned long long)bytes, MMOP_PAGE);
}

static bool read_profile(struct reader *r)
{
	if (!read_key(r, "profile", 1))
		return false;
	r->trace->profile = g_strdup(r->words.word[1]);
	return true;
}

static bool read_header(struct reader *r)
{
	uint64_t overcommit, unmerged;

	if (!read_first_line(r) || !read_kernel(r) || !read_page_size(r) || !read_base(r) ||
	    !read_window(r) || !read_seed(r) || !read_profile(r) ||
	    !read_key_number(r, "overcommit", 2, &overcommit) ||
	    !read_key_number(r, "ops", STEPS_MAX, &r->steps) || !read_features(r) ||
	    !read_key_number(r, "unmerged", UNMERGED_MAX, &unmerged) ||
	    !read_key(r, "begin", 0))
		return false;
	r->trace->overcommit = overcommit;
	r->trace->unmerged = unmerged;
	return true;
}

/* ---- steps ---- */

/* The fields behind a line's letter: a process, then @count numbers up to 16 bits. */
static bool read_fields(struct reader *r, unsigned int count, unsigned int *proc,
			uint64_t *numbers)
{
	if (!mmtext_id(r->words.word[1], 'p', MMOP_PROCS_MAX, proc, &r->why))
		return false;
	for (unsigned int i = 0; i < count; i++)
		if (!mmtext_number(r->words.word[2 + i], MMOP_WINDOW_MAX, &numbers[i], &r->why))
			return false;
	return true;
}

static bool read_vmas(struct reader *r, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct mmop_vma vma;

		if (peek(r) && peek(r) != 'v') {
			r->line++;
			return mmtext_fail(&r->why, "expected v line %llu of %llu",
					   (unsigned long long)i + 1, (unsigned long long)count);
		}
		if (!read_line(r) || !mmtext_vma(&r->words, &vma, &r->why))
			return false;
		if (!r->trace->calls && vma.flags & ~MMOP_VMA_PLAIN_FLAGS)
			return mmtext_fail(&r->why, "\"%.40s\" is not - or some of adn, "
					   "each once", r->words.word[7]);
		g_array_append_val(r->trace->vmas, vma);
	}
	return true;
}

static bool has_fields(struct reader *r, const char *letter, unsigned int count)
{
	if (strcmp(r->words.word[0], letter))
		return mmtext_fail(&r->why, "\"%.40s\" starts no line", r->words.word[0]);
	return r->words.count == count + 1 ||
	       mmtext_fail(&r->why, "a %s line has %u fields, not %u", letter, count + 1,
			   r->words.count);
}

static bool read_splice(struct reader *r, struct mmstate_change *change)
{
	unsigned int proc;
	uint64_t number[3];

	if (!has_fields(r, "V", 4) || !read_fields(r, 3, &proc, number))
		return false;
	*change = (struct mmstate_change){
		.proc = proc, .start = number[0], .removed = number[1], .count = number[2],
		.at = r->trace->vmas->len,
	};
	return read_vmas(r, number[2]) &&
	       mmstate_splice(&r->state, change,
			      &g_array_index(r->trace->vmas, struct mmop_vma, change->at),
			      &r->why);
}

static bool read_pages(struct reader *r, struct mmstate_change *change)
{
	const char *states;
	unsigned int proc;
	uint64_t start;

	if (!has_fields(r, "T", 3) || !read_fields(r, 1, &proc, &start))
		return false;
	states = r->words.word[3];
	if (strlen(states) > MMOP_WINDOW_MAX)
		return mmtext_fail(&r->why, "more than %d page states", MMOP_WINDOW_MAX);
	*change = (struct mmstate_change){
		.proc = proc, .pages = true, .start = start, .count = strlen(states),
		.at = r->trace->states->len,
	};
	if (!mmstate_pages(&r->state, change, states, &r->why))
		return false;
	g_string_append(r->trace->states, states);
	return true;
}

/* V before T, one V a process, processes ascending. */
static bool change_in_order(struct reader *r, const struct mmstate_change *last,
			    const struct mmstate_change *change)
{
	if (change->proc < last->proc)
		return mmtext_fail(&r->why, "p%d stands after p%d", change->proc, last->proc);
	if (change->proc == last->proc && !change->pages)
		return mmtext_fail(&r->why, "the V line of p%d is not its first", change->proc);
	return true;
}

static bool read_change(struct reader *r, struct mmtrace_step *step)
{
	struct mmstate_change change;
	unsigned int line = r->line + 1;
	bool good;

	if (!read_line(r))
		return false;
	good = r->words.word[0][0] == 'V' ? read_splice(r, &change) : read_pages(r, &change);
	if (!good)
		return false;
	if (step->changes) {
		GArray *changes = r->trace->changes;

		if (!change_in_order(r, &g_array_index(changes, struct mmstate_change,
						       changes->len - 1), &change)) {
			r->line = line;
			return false;
		}
	}
	g_array_append_val(r->trace->changes, change);
	step->changes++;
	return true;
}

static bool changes_consistent(struct reader *r, const struct mmtrace_step *step)
{
	for (unsigned int i = 0; i < step->changes; i++) {
		const struct mmstate_change *change =
			&g_array_index(r->trace->changes, struct mmstate_change, step->change + i);

		if (!mmstate_consistent(&r->state, change->proc, &r->why))
			return false;
	}
	return true;
}

/* The reader stands behind the step's own line. */
static bool read_step(struct reader *r)
{
	struct mmtrace_step step = { .line = r->line, .change = r->trace->changes->len };
	uint64_t number;

	if (!mmtext_number(r->words.word[0], STEPS_MAX, &number, &r->why))
		return false;
	if (number != r->trace->steps->len + 1)
		return mmtext_fail(&r->why, "step %u was expected, not %llu",
				   r->trace->steps->len + 1, (unsigned long long)number);
	if (!mmtext_step(&r->words, 1, &step.op, &step.result, &r->why))
		return false;
	if (!r->trace->calls && mmtext_needs_calls(&step.op))
		return mmtext_fail(&r->why, "this %.40s is for traces with the feature calls",
				   r->words.word[1]);
	if (!mmstate_operation(&r->state, &step.op, &step.result, &r->why))
		return false;
	while (peek(r) == 'V' || peek(r) == 'T')
		if (!read_change(r, &step))
			return false;
	g_array_append_val(r->trace->steps, step);
	return changes_consistent(r, &step);
}

static bool read_body(struct reader *r)
{
	for (;;) {
		if (!read_line(r))
			return false;
		if (!strcmp(r->words.word[0], "end") && r->words.count == 1)
			break;
		if (!g_ascii_isdigit(r->words.word[0][0]))
			return mmtext_fail(&r->why, "expected a step, a comment or \"end\", not "
					   "\"%.40s\"", r->words.word[0]);
		if (!read_step(r))
			return false;
	}
	return r->trace->steps->len == r->steps ||
	       mmtext_fail(&r->why, "%u steps, but the header says ops %llu",
			   r->trace->steps->len, (unsigned long long)r->steps);
}

/* ---- final dump ---- */

static bool same_list(struct reader *r, unsigned int proc, const struct mmop_vma *vmas,
		      uint64_t count)
{
	const struct mmstate_proc *p = r->state.proc[proc];

	if (count != p->nvma)
		return mmtext_fail(&r->why, "p%u has %u mappings, not %llu", proc, p->nvma,
				   (unsigned long long)count);
	for (unsigned int i = 0; i < count; i++)
		if (!mmstate_same_vma(&vmas[i], &p->vma[i]))
			return mmtext_fail(&r->why, "mapping %u of p%u is not what the steps say",
					   i, proc);
	return true;
}

static bool read_final(struct reader *r, unsigned int proc)
{
	unsigned int line, named = 0, kept = r->trace->vmas->len;
	uint64_t count;
	bool same;

	if (!read_line(r))
		return false;
	line = r->line;
	if (!has_fields(r, "E", 3) || !read_fields(r, 1, &named, &count))
		return false;
	if (named != proc)
		return mmtext_fail(&r->why, "expected the E line of p%u", proc);
	if (strlen(r->words.word[3]) != r->trace->window ||
	    memcmp(r->words.word[3], r->state.proc[proc]->state, r->trace->window))
		return mmtext_fail(&r->why, "the pages of p%u are not what the steps say", proc);
	if (!read_vmas(r, count))
		return false;
	same = same_list(r, proc, &g_array_index(r->trace->vmas, struct mmop_vma, kept), count);
	g_array_set_size(r->trace->vmas, kept);
	if (!same)
		r->line = line;
	return same;
}

static bool read_finals(struct reader *r)
{
	for (unsigned int proc = 0; proc < r->state.procs; proc++)
		if (r->state.proc[proc] && !read_final(r, proc))
			return false;
	skip_comments(r);
	if (r->next == r->end)
		return true;
	r->line++;
	return mmtext_fail(&r->why, "nothing may follow the final dump");
}

static bool read_trace(struct reader *r)
{
	bool good;

	if (!read_header(r))
		return false;
	mmstate_init(&r->state, r->trace->window);
	good = read_body(r) && read_finals(r);
	mmstate_clear(&r->state);
	return good;
}

struct mmtrace *mmtrace_parse(const char *name, const char *text, size_t length, GError **error)
{
	g_autofree char *copy = g_memdup2(text, length);
	g_autoptr(mmtrace) trace = mmtrace_new(name);
	struct reader *r = g_new0(struct reader, 1);
	bool good;

	r->trace = trace;
	r->name = name;
	r->next = copy;
	r->end = copy ? copy + length : copy;
	good = read_trace(r);
	if (!good)
		g_set_error(error, MMTRACE_ERROR, 0, "%s:%u: %s", name, r->line, r->why.text);
	g_free(r);
	return good ? g_steal_pointer(&trace) : NULL;
}

/* All of @stream, be it a pipe; NULL with errno. */
static GString *read_all(FILE *stream)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char block[65536];
	size_t length;

	while ((length = fread(block, 1, sizeof(block), stream)) > 0) {
		if (text->len + length > TRACE_BYTES_MAX) {
			errno = EFBIG;
			return NULL;
		}
		g_string_append_len(text, block, length);
	}
	return ferror(stream) ? NULL : g_steal_pointer(&text);
}

struct mmtrace *mmtrace_load(const char *path, GError **error)
{
	g_autoptr(GString) text = NULL;
	FILE *stream = fopen(path, "re");

	if (stream)
		text = read_all(stream);
	if (!text)
		g_set_error(error, MMTRACE_ERROR, 0, "%s: %s", path, g_strerror(errno));
	if (stream)
		fclose(stream);
	return text ? mmtrace_parse(path, text->str, text->len, error) : NULL;
}

void mmtrace_apply(const struct mmtrace *trace, const struct mmtrace_step *step,
		   struct mmstate *state)
{
	struct mmtext_why why;
	bool good = mmstate_operation(state, &step->op, &step->result, &why);

	for (unsigned int i = 0; i < step->changes && good; i++) {
		const struct mmstate_change *change =
			&g_array_index(trace->changes, struct mmstate_change, step->change + i);

		if (change->pages)
			good = mmstate_pages(state, change, trace->states->str + change->at, &why);
		else
			good = mmstate_splice(state, change, &g_array_index(trace->vmas,
					      struct mmop_vma, change->at), &why);
	}
	g_assert(good);
}

/* ---- recording ---- */

static void add_splice(struct mmtrace *trace, unsigned int id, const struct mmstate_proc *old,
		       const struct mmstate_proc *new)
{
	struct mmstate_change change = { .proc = id, .at = trace->vmas->len };
	unsigned int shorter = MIN(old->nvma, new->nvma), head = 0, tail = 0;

	while (head < shorter && mmstate_same_vma(&old->vma[head], &new->vma[head]))
		head++;
	while (tail < shorter - head && mmstate_same_vma(&old->vma[old->nvma - 1 - tail],
							 &new->vma[new->nvma - 1 - tail]))
		tail++;
	change.start = head;
	change.removed = old->nvma - head - tail;
	change.count = new->nvma - head - tail;
	if (!change.removed && !change.count)
		return;
	g_array_append_vals(trace->vmas, &new->vma[head], change.count);
	g_array_append_val(trace->changes, change);
}

/* One T line for each stretch of changed pages; gaps of a few pages are bridged. */
static void add_pages(struct mmtrace *trace, unsigned int id, const char *old, const char *new)
{
	const unsigned int bridge = 6;

	for (unsigned int page = 0; page < trace->window; page++) {
		struct mmstate_change change = { .proc = id, .pages = true, .start = page };
		unsigned int end = page + 1;

		if (old[page] == new[page])
			continue;
		for (; page < trace->window && page < end + bridge; page++)
			if (old[page] != new[page])
				end = page + 1;
		page = end - 1;
		change.count = end - change.start;
		change.at = trace->states->len;
		g_string_append_len(trace->states, new + change.start, change.count);
		g_array_append_val(trace->changes, change);
	}
}

void mmtrace_record(struct mmtrace *trace, const struct mmop *op,
		    const struct mmop_result *result, const struct mmstate *before,
		    const struct mmstate *after)
{
	struct mmtrace_step step = { *op, *result, .change = trace->changes->len };
	g_autofree struct mmstate_proc *empty = g_new0(struct mmstate_proc, 1);

	memset(empty->state, '.', sizeof(empty->state));
	for (unsigned int id = 0; id < after->procs; id++) {
		const struct mmstate_proc *old = before->proc[id];

		if (!after->proc[id])
			continue;
		if (!old)
			old = empty;
		add_splice(trace, id, old, after->proc[id]);
		add_pages(trace, id, old->state, after->proc[id]->state);
	}
	step.changes = trace->changes->len - step.change;
	trace->calls |= mmtext_needs_calls(op);
	g_array_append_val(trace->steps, step);
}

/* ---- writing ---- */

static void write_header(GString *text, const struct mmtrace *trace)
{
	g_string_append_printf(text, "mmtrace 1\nkernel %s %s\npage %lu\n", trace->release,
			       trace->machine, MMOP_PAGE);
	g_string_append_printf(text, "base 0x%llx\nwindow %u\n", (unsigned long long)trace->base,
			       trace->window);
	g_string_append_printf(text, "seed %s\nprofile %s\novercommit %u\nops %u\n", trace->seed,
			       trace->profile, trace->overcommit, trace->steps->len);
	g_string_append_printf(text, "features%s\nunmerged %u\nbegin\n", trace->features,
			       trace->unmerged);
}

static void write_vmas(GString *text, const struct mmop_vma *vma, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		g_string_append(text, "v ");
		mmtext_append_vma(text, &vma[i]);
		g_string_append_c(text, '\n');
	}
}

static void write_change(GString *text, const struct mmtrace *trace,
			 const struct mmstate_change *change)
{
	if (change->pages) {
		g_string_append_printf(text, "T p%d %d %.*s\n", change->proc, change->start,
				       change->count, trace->states->str + change->at);
		return;
	}
	g_string_append_printf(text, "V p%d %d %d %d\n", change->proc, change->start,
			       change->removed, change->count);
	write_vmas(text, &g_array_index(trace->vmas, struct mmop_vma, change->at), change->count);
}

static void write_final(GString *text, const struct mmtrace *trace, const struct mmstate *state)
{
	for (unsigned int id = 0; id < state->procs; id++) {
		const struct mmstate_proc *proc = state->proc[id];

		if (!proc)
			continue;
		g_string_append_printf(text, "E p%u %u %.*s\n", id, proc->nvma,
				       (int)trace->window, proc->state);
		write_vmas(text, proc->vma, proc->nvma);
	}
}

GString *mmtrace_write(const struct mmtrace *trace)
{
	GString *text = g_string_new(NULL);
	struct mmstate state;

	write_header(text, trace);
	mmstate_init(&state, trace->window);
	for (unsigned int i = 0; i < trace->steps->len; i++) {
		const struct mmtrace_step *step =
			&g_array_index(trace->steps, struct mmtrace_step, i);

		g_string_append_printf(text, "%u ", i + 1);
		mmtext_append_op(text, &step->op);
		g_string_append(text, " = ");
		mmtext_append_result(text, &step->result);
		g_string_append_c(text, '\n');
		for (unsigned int k = 0; k < step->changes; k++)
			write_change(text, trace, &g_array_index(trace->changes,
				     struct mmstate_change, step->change + k));
		mmtrace_apply(trace, step, &state);
	}
	g_string_append(text, "end\n");
	write_final(text, trace, &state);
	mmstate_clear(&state);
	return text;
}
