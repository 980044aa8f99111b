// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timeline: who did what, what came of it, and what is held afterwards.
 *
 * Each line belongs to one actor, a process or a task, and stands in its column.
 * A system call is its name and arguments; what it brought about in the kernel
 * follows, marked by a dot; its result by an equals sign. On the right is what
 * changed with it: the pins on vfio's filesystem, and for each device its files,
 * mappings and page table entries.
 *
 * Where the columns do not fit they become stairs: each actor begins a little to the
 * right of the one before, and its text runs on over the others' places, which is free
 * since a line has one actor.
 *
 * Host side; no kernel original. Reads the event ring, and nothing else.
 */
#define VFIOSIM_HOST
#include "timeline.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <linux/vfio.h>

#include "trace.h"
#include "vfiosim.h"

#define COLUMN_MIN 16
#define COLUMN_WANTED 26
#define STAIR_MIN 2
#define TIME_WIDTH 9
#define STATE_WIDTH 14

static const struct {
	unsigned int request;
	const char *name;
} ioctls[] = {
#define X(name) { name, #name }
	X(VFIO_GET_API_VERSION),
	X(VFIO_CHECK_EXTENSION),
	X(VFIO_SET_IOMMU),
	X(VFIO_GROUP_GET_STATUS),
	X(VFIO_GROUP_SET_CONTAINER),
	X(VFIO_GROUP_UNSET_CONTAINER),
	X(VFIO_GROUP_GET_DEVICE_FD),
	X(VFIO_DEVICE_GET_INFO),
	X(VFIO_DEVICE_GET_REGION_INFO),
	X(VFIO_DEVICE_GET_IRQ_INFO),
	X(VFIO_DEVICE_SET_IRQS),
	X(VFIO_DEVICE_RESET),
	X(VFIO_DEVICE_PCI_HOT_RESET),
	X(VFIO_IOMMU_MAP_DMA),
	X(VFIO_IOMMU_UNMAP_DMA),
#undef X
};

const char *ioctl_name(unsigned int request)
{
	for (size_t i = 0; i < G_N_ELEMENTS(ioctls); i++) {
		if (ioctls[i].request == request)
			return ioctls[i].name;
	}
	return NULL;
}

/*
 * The events that are shown. In @phrase, %o stands for the event's object and %t
 * for its text; a phrase that starts with a dot is an effect, not an act.
 */
static const struct phrase {
	const char *what;
	const char *phrase;
} phrases[] = {
	{ "kill", "kill %o: %t" },
	{ "load", "load from %t" },
	{ "store", "store to %t" },
	{ "fork", ". %t is born" },
	{ "exec", ". %o starts anew" },
	{ "register", ". register %t" },
	{ "unregister", ". unregister %t" },
	{ "pin_publish", ". mount vfio's filesystem" },
	{ "pin_clear", ". unmount it" },
	{ "sb_new", ". %o made" },
	{ "sb_inactive", ". %o killed" },
	{ "inode_new", ". %o made" },
	{ "inode_final", ". %o goes" },
	{ "f_mapping_set", ". %o maps through %t" },
	{ "attach", ". %o joins %t" },
	{ "detach", ". %o leaves %t" },
	{ "set_iommu", ". %o uses %t" },
	{ "release", ". %o released" },
	{ "vma_link", ". %o linked" },
	{ "vma_unlink", ". %o unlinked" },
	{ "zap", ". %o zapped" },
	{ "vfio_pci_zapped", ". all mappings zapped" },
	{ "eventfd_signal", ". %o %t" },
	{ "pci_hw_reset", ". %o reset" },
	{ "bus_reset", ". reset of %t" },
	{ "group_new", ". %o made" },
	{ "group_free", ". %o goes" },
};

/* Tasks whose events are not part of anybody's story. */
static const char *const unseen[] = { "setup", "shutdown", "rcu", "-", NULL };

struct row {
	uint64_t now;
	unsigned int actor;
	bool is_call;		/* may take its result on the same line */
	char *text;
	GPtrArray *state;	/* by subject: what changed with it, or NULL */
};

struct timeline {
	GPtrArray *actors;	/* names, in order of appearance */
	GPtrArray *rows;	/* struct row */
	GPtrArray *subjects;	/* of which there is state, in order of appearance */
	GHashTable *state;	/* subject: its text now */
};

static void row_free(void *data)
{
	struct row *row = data;

	g_free(row->text);
	g_ptr_array_unref(row->state);
	g_free(row);
}

static void timeline_init(struct timeline *t)
{
	t->actors = g_ptr_array_new_with_free_func(g_free);
	t->rows = g_ptr_array_new_with_free_func(row_free);
	t->subjects = g_ptr_array_new_with_free_func(g_free);
	t->state = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void timeline_clear(struct timeline *t)
{
	g_ptr_array_unref(t->actors);
	g_ptr_array_unref(t->rows);
	g_ptr_array_unref(t->subjects);
	g_hash_table_unref(t->state);
}

/* The index of @name in @list, at whose end it is added if it is new. */
static unsigned int index_of(GPtrArray *list, const char *name)
{
	unsigned int index;

	if (!g_ptr_array_find_with_equal_func(list, name, g_str_equal, &index)) {
		index = list->len;
		g_ptr_array_add(list, g_strdup(name));
	}
	return index;
}

/* ---- from events to lines ---- */

static char *fill_phrase(const char *phrase, const struct trace_event *event)
{
	GString *text = g_string_new(NULL);

	for (const char *p = phrase; *p; p++) {
		if (p[0] == '%' && p[1] == 'o')
			g_string_append(text, event->object);
		else if (p[0] == '%' && p[1] == 't')
			g_string_append(text, event->text);
		else {
			g_string_append_c(text, *p);
			continue;
		}
		p++;
	}
	return g_string_free(text, FALSE);
}

/* The kernel's longer words, as a narrow column likes them. */
static char *shorten(char *text)
{
	static const char *const words[][2] = {
		{ "vm_area_struct#", "vma#" },
		{ "super_block#", "superblock#" },
	};
	GString *line = g_string_new(text);

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		g_string_replace(line, words[i][0], words[i][1], 0);
	g_free(text);
	return g_strchomp(g_string_free(line, FALSE));
}

/* "5, 3b64" is the text of an ioctl: descriptor and request. */
static char *ioctl_text(const char *text)
{
	const char *comma = strchr(text, ',');
	const char *name = comma ? ioctl_name(strtoul(comma + 1, NULL, 16)) : NULL;

	if (!name)
		return g_strdup_printf("ioctl %s", text);
	return g_strdup_printf("%s on %.*s", name + strlen("VFIO_"), (int)(comma - text), text);
}

/* "5 at 70000000004": the upper part of an offset into a device file is a region. */
static char *transfer_text(const char *call, const char *text)
{
	static const char *const regions[] = { "BAR0", "BAR1", "BAR2", "BAR3", "BAR4", "BAR5",
					       "ROM", "CONFIG", "VGA" };
	const char *at = strstr(text, " at ");
	uint64_t offset = at ? g_ascii_strtoull(at + 4, NULL, 16) : 0;
	uint64_t region = offset >> 40;

	if (!region || region >= G_N_ELEMENTS(regions))
		return g_strdup_printf("%s %s", call, text);
	return g_strdup_printf("%s %.*s at %s+%x", call, (int)(at - text), text, regions[region],
			       (unsigned int)(offset & 0xffffffff));
}

static char *result_text(const char *text)
{
	long result = strtol(text, NULL, 10);

	return result < 0 ? g_strdup_printf("= %s", vfiosim_error_name(result)) :
			    g_strdup_printf("= %s", text);
}

/* "7, code 2" is the text of a signal. */
static char *signal_text(const char *text)
{
	const char *code = strrchr(text, ' ');
	int touch = atoi(text) | (code ? atoi(code) : 0) << 8;

	return g_strdup_printf("= %s", vfiosim_touch_name(touch));
}

static char *phrase_text(const struct trace_event *event)
{
	for (size_t i = 0; i < G_N_ELEMENTS(phrases); i++) {
		if (g_str_equal(event->what, phrases[i].what))
			return fill_phrase(phrases[i].phrase, event);
	}
	return NULL;
}

/* NULL: the event is not for this picture. */
static char *event_text(const struct trace_event *event)
{
	if (event->kind == TRACE_FINDING)
		return g_strdup_printf("*** %s: %s", event->what, event->text);
	if (event->kind == TRACE_PRINTK)
		return g_strdup_printf("log: %s", event->text);
	if (event->kind != TRACE_EVENT)
		return NULL;
	if (g_str_equal(event->what, "sys_ioctl"))
		return ioctl_text(event->text);
	if (g_str_has_prefix(event->what, "sys_"))
		return transfer_text(event->what + strlen("sys_"), event->text);
	if (g_str_equal(event->what, "return"))
		return result_text(event->text);
	if (g_str_equal(event->what, "signal"))
		return signal_text(event->text);
	return phrase_text(event);
}

/* The state belongs to the line before, which brought it about. */
static void take_state(struct timeline *t, const struct trace_event *event)
{
	unsigned int subject = index_of(t->subjects, event->object);
	const char *before = g_hash_table_lookup(t->state, event->object);
	struct row *last;

	if (before && g_str_equal(before, event->text))
		return;
	g_hash_table_insert(t->state, g_strdup(event->object), g_strdup(event->text));
	if (!t->rows->len)
		return;
	last = t->rows->pdata[t->rows->len - 1];
	if (last->state->len <= subject)
		g_ptr_array_set_size(last->state, subject + 1);
	g_free(last->state->pdata[subject]);
	last->state->pdata[subject] = g_strdup(event->text);
}

/* A result that follows its call at once stands on the call's line. */
static bool joins_last_row(struct timeline *t, unsigned int actor, const char *text)
{
	struct row *last = t->rows->len ? t->rows->pdata[t->rows->len - 1] : NULL;
	char *joined;

	if (!last || *text != '=' || last->actor != actor || !last->is_call)
		return false;
	joined = g_strdup_printf("%s %s", last->text, text);
	g_free(last->text);
	last->text = joined;
	last->is_call = false;
	return true;
}

static void add_row(struct timeline *t, const struct trace_event *event, char *text)
{
	/* A call's result comes when the task acts for nobody any more. */
	const char *name = *event->process ? event->process :
			   *text == '=' ? event->object : event->task_name;
	unsigned int actor = index_of(t->actors, name);
	struct row *row;

	if (joins_last_row(t, actor, text)) {
		g_free(text);
		return;
	}
	row = g_new0(struct row, 1);
	row->now = event->now;
	row->actor = actor;
	row->is_call = *text != '.' && *text != '=';
	row->text = text;
	row->state = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(t->rows, row);
}

static void take_event(struct timeline *t, const struct trace_event *event)
{
	char *text;

	if (g_strv_contains(unseen, event->task_name) && event->kind != TRACE_FINDING)
		return;
	if (event->kind == TRACE_EVENT && g_str_equal(event->what, "state")) {
		take_state(t, event);
		return;
	}
	text = event_text(event);
	if (text)
		add_row(t, event, shorten(text));
}

/* ---- from lines to a page ---- */

/* How many bytes of @text go on one line of @width: up to a space, if there is one. */
static size_t line_length(const char *text, size_t width)
{
	size_t length = strlen(text);

	if (length <= width)
		return length;
	for (size_t cut = width; cut > width / 2; cut--) {
		/* A result keeps its equals sign. */
		if (text[cut] == ' ' && text[cut - 1] != '=')
			return cut;
	}
	return width;
}

struct page {
	FILE *stream;
	size_t step;		/* from one actor's beginning to the next one's */
	size_t room;		/* of all actors together, a space behind the last included */
	bool stairs;		/* text may run on to the end of the room */
	const struct timeline *t;
};

static size_t text_width(const struct page *page, unsigned int actor)
{
	return (page->stairs ? page->room - page->step * actor : page->step) - 1;
}

/* Pads to where the state begins, then shows what changed, each under its subject. */
static void append_state(const struct page *page, GString *line, const GPtrArray *state)
{
	size_t at = TIME_WIDTH + 1 + page->room;

	for (unsigned int i = 0; i < state->len; i++, at += STATE_WIDTH) {
		const char *text = state->pdata[i];

		if (text)
			g_string_append_printf(line, "%*s| %s",
					       MAX((int)at - (int)line->len, 0), "", text);
	}
}

/* A line of the timeline, on as many lines of the page as it takes. */
static void print_row(const struct page *page, const struct row *row, const char *time)
{
	const char *text = row->text;
	bool first = true;

	while (*text) {
		g_autoptr(GString) line = g_string_new(NULL);
		size_t length = line_length(text, text_width(page, row->actor));

		g_string_append_printf(line, "%*s %*s%.*s", TIME_WIDTH, first ? time : "",
				       (int)(page->step * row->actor), "", (int)length, text);
		if (first)
			append_state(page, line, row->state);
		fprintf(page->stream, "%s\n", line->str);
		text += length;
		text += strspn(text, " ");
		first = false;
	}
}

/* The actors' names: a stair that is too short for its name ends the line. */
static void append_names(const struct page *page, GString *line)
{
	for (unsigned int i = 0; i < page->t->actors->len; i++) {
		const char *name = page->t->actors->pdata[i];

		g_string_append(line, name);
		if (i + 1 < page->t->actors->len && strlen(name) >= page->step) {
			fprintf(page->stream, "%s\n", line->str);
			g_string_printf(line, "%*s", (int)(TIME_WIDTH + 1 + page->step * (i + 1)),
					"");
		} else {
			g_string_append_printf(line, "%*s",
				MAX((int)page->step - (int)strlen(name), 0), "");
		}
	}
}

static void print_head(const struct page *page)
{
	g_autoptr(GString) line = g_string_new(NULL);

	g_string_append_printf(line, "%*s ", TIME_WIDTH, "seconds");
	append_names(page, line);
	while (line->len < TIME_WIDTH + 1 + page->room)
		g_string_append_c(line, ' ');
	for (unsigned int i = 0; i < page->t->subjects->len; i++) {
		const char *subject = page->t->subjects->pdata[i];

		g_string_append_printf(line, "| %-*s", STATE_WIDTH - 2,
				       *subject ? subject : "pins");
	}
	fprintf(page->stream, "%s\n", g_strchomp(line->str));
}

static void print_rows(const struct page *page)
{
	uint64_t shown = UINT64_MAX;

	for (unsigned int i = 0; i < page->t->rows->len; i++) {
		const struct row *row = page->t->rows->pdata[i];
		char time[32] = "";

		if (row->now != shown)
			g_snprintf(time, sizeof(time), "%.3f", row->now / 1e9);
		shown = row->now;
		print_row(page, row, time);
	}
}

/* As wide as wanted, or as @width leaves room for; 0: no limit. */
static void lay_out(struct page *page, unsigned int width)
{
	size_t taken = TIME_WIDTH + 1 + STATE_WIDTH * page->t->subjects->len;
	size_t actors = MAX(page->t->actors->len, 1);
	size_t room = !width ? SIZE_MAX : width > taken ? width - taken : 0;

	page->stairs = room / actors < COLUMN_MIN;
	if (page->stairs) {
		page->step = room > COLUMN_MIN ? (room - COLUMN_MIN) / (actors - 1) : 0;
		page->step = MAX(page->step, STAIR_MIN);
		page->room = MAX(room, page->step * (actors - 1) + COLUMN_MIN);
	} else {
		page->step = MIN(room / actors, COLUMN_WANTED);
		page->room = page->step * actors;
	}
}

void timeline_print(FILE *stream, unsigned int width)
{
	struct timeline t;
	struct page page = { .stream = stream, .t = &t };
	size_t count = trace_count();

	timeline_init(&t);
	for (size_t i = 0; i < count; i++)
		take_event(&t, trace_get(i));
	lay_out(&page, width);
	print_head(&page);
	print_rows(&page);
	timeline_clear(&t);
}
