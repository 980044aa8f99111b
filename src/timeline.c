// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timeline: who did what, what came of it, and what is held afterwards.
 *
 * Each line belongs to one actor, a process or a task, and stands in its column.
 * A system call is its name and arguments; what it brought about in the kernel
 * follows, marked by a dot; its result by an equals sign. The last column is the
 * state after the line, where that changed: pins on vfio's filesystem, and files,
 * mappings and page table entries of each device.
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

#define WIDTH_DEFAULT 150
#define COLUMN_MIN 18
#define TIME_WIDTH 9
#define STATE_WIDTH 30

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
	{ "say", "\"%t\"" },
	{ "signal", "= signal %t" },
	{ "kill", "kill %o: %t" },
	{ "fork", ". %t is born" },
	{ "exec", ". %o starts anew" },
	{ "register", ". register %t" },
	{ "unregister", ". unregister %t" },
	{ "pin_publish", ". mount vfio's filesystem" },
	{ "pin_clear", ". unmount vfio's filesystem" },
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

struct timeline {
	GPtrArray *actors;	/* names, in order of appearance */
	GPtrArray *rows;	/* struct row */
	GHashTable *state;	/* subject: its text */
	GPtrArray *subjects;	/* in order of appearance */
};

struct row {
	uint64_t now;
	unsigned int actor;
	char *text;
	char *state;		/* NULL: as before */
};

static void row_free(void *data)
{
	struct row *row = data;

	g_free(row->text);
	g_free(row->state);
	g_free(row);
}

static void timeline_clear(struct timeline *t)
{
	g_ptr_array_unref(t->actors);
	g_ptr_array_unref(t->rows);
	g_ptr_array_unref(t->subjects);
	g_hash_table_unref(t->state);
}

static unsigned int actor_index(struct timeline *t, const char *name)
{
	unsigned int index;

	if (!g_ptr_array_find_with_equal_func(t->actors, name, g_str_equal, &index)) {
		index = t->actors->len;
		g_ptr_array_add(t->actors, g_strdup(name));
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

/* "5, 3b64" is the text of an ioctl: descriptor and request. */
static char *ioctl_text(const char *text)
{
	const char *comma = strchr(text, ',');
	const char *name = comma ? ioctl_name(strtoul(comma + 1, NULL, 16)) : NULL;

	if (!name)
		return g_strdup_printf("ioctl %s", text);
	return g_strdup_printf("%s on %.*s", name + strlen("VFIO_"), (int)(comma - text), text);
}

static char *result_text(const char *text)
{
	long result = strtol(text, NULL, 10);

	return result < 0 ? g_strdup_printf("= %s", vfiosim_error_name(result)) :
			    g_strdup_printf("= %s", text);
}

static bool in_list(const char *what, const char *const *list)
{
	return g_strv_contains(list, what);
}

/* NULL: the event is not for this picture. */
static char *event_text(const struct trace_event *event)
{
	static const char *const touches[] = { "load", "store", NULL };

	if (event->kind == TRACE_FINDING)
		return g_strdup_printf("*** %s: %s", event->what, event->text);
	if (event->kind == TRACE_PRINTK)
		return g_strdup_printf("log: %s", event->text);
	if (event->kind != TRACE_EVENT)
		return NULL;
	if (g_str_equal(event->what, "sys_ioctl"))
		return ioctl_text(event->text);
	if (g_str_has_prefix(event->what, "sys_"))
		return g_strdup_printf("%s %s", event->what + strlen("sys_"), event->text);
	if (g_str_equal(event->what, "return"))
		return result_text(event->text);
	if (in_list(event->what, touches))
		return g_strdup_printf("%s %s", event->what, event->text);
	for (size_t i = 0; i < G_N_ELEMENTS(phrases); i++) {
		if (g_str_equal(event->what, phrases[i].what))
			return fill_phrase(phrases[i].phrase, event);
	}
	return NULL;
}

static char *state_text(struct timeline *t)
{
	GString *text = g_string_new(NULL);

	for (unsigned int i = 0; i < t->subjects->len; i++) {
		const char *subject = t->subjects->pdata[i];

		g_string_append_printf(text, "%s%s%s%s", i ? "; " : "", subject,
				       *subject ? ": " : "",
				       (const char *)g_hash_table_lookup(t->state, subject));
	}
	return g_string_free(text, FALSE);
}

/* The state belongs to the line before, which brought it about. */
static void take_state(struct timeline *t, const struct trace_event *event)
{
	struct row *last = t->rows->len ? t->rows->pdata[t->rows->len - 1] : NULL;

	if (!g_hash_table_contains(t->state, event->object))
		g_ptr_array_add(t->subjects, g_strdup(event->object));
	g_hash_table_insert(t->state, g_strdup(event->object), g_strdup(event->text));
	if (!last)
		return;
	g_free(last->state);
	last->state = state_text(t);
}

static void take_event(struct timeline *t, const struct trace_event *event)
{
	struct row *row;
	char *text;

	if (event->kind == TRACE_EVENT && g_str_equal(event->what, "state")) {
		take_state(t, event);
		return;
	}
	text = event_text(event);
	if (!text)
		return;
	row = g_new0(struct row, 1);
	row->now = event->now;
	row->actor = actor_index(t, event->task_name);
	row->text = g_strchomp(text);
	g_ptr_array_add(t->rows, row);
}

/* ---- from lines to a page ---- */

/* How many bytes of @text go on one line of @width: up to a space, if there is one. */
static size_t line_length(const char *text, size_t width)
{
	size_t length = strlen(text);
	size_t cut;

	if (length <= width)
		return length;
	for (cut = width; cut > width / 2; cut--) {
		if (text[cut] == ' ')
			return cut;
	}
	return width;
}

struct page {
	FILE *stream;
	size_t column;		/* width of each actor's, a space included */
	size_t state;		/* of the state's */
	unsigned int n_actors;
};

static void print_line(const struct page *page, const char *time, unsigned int actor,
		       const char *text, size_t length, const char *state, size_t state_length)
{
	g_autoptr(GString) line = g_string_new(NULL);
	size_t end = TIME_WIDTH + 1 + page->column * page->n_actors;

	g_string_append_printf(line, "%*s ", TIME_WIDTH, time);
	g_string_append_printf(line, "%*s%.*s", (int)(page->column * actor), "", (int)length,
			       text);
	if (state_length)
		g_string_append_printf(line, "%*s| %.*s", (int)(end - line->len), "",
				       (int)state_length, state);
	fprintf(page->stream, "%s\n", line->str);
}

/* A line of the timeline, on as many lines of the page as it takes. */
static void print_row(const struct page *page, const struct row *row, const char *time)
{
	const char *text = row->text;
	const char *state = row->state ? row->state : "";

	while (*text || *state) {
		size_t length = line_length(text, page->column - 1);
		size_t state_length = line_length(state, page->state);

		print_line(page, time, row->actor, text, length, state, state_length);
		text += length;
		text += strspn(text, " ");
		state += state_length;
		state += strspn(state, " ");
		time = "";
	}
}

static void print_head(const struct page *page, const struct timeline *t)
{
	fprintf(page->stream, "%*s ", TIME_WIDTH, "seconds");
	for (unsigned int i = 0; i < page->n_actors; i++)
		fprintf(page->stream, "%-*s", (int)page->column,
			(const char *)t->actors->pdata[i]);
	fprintf(page->stream, "| held now\n");
}

/* A row that changed nothing in the state repeats nothing. */
static void drop_repeated_states(struct timeline *t)
{
	const char *before = NULL;

	for (unsigned int i = 0; i < t->rows->len; i++) {
		struct row *row = t->rows->pdata[i];

		if (row->state && before && g_str_equal(row->state, before))
			g_clear_pointer(&row->state, g_free);
		else if (row->state)
			before = row->state;
	}
}

static void print_rows(const struct page *page, const struct timeline *t)
{
	uint64_t shown = UINT64_MAX;

	for (unsigned int i = 0; i < t->rows->len; i++) {
		const struct row *row = t->rows->pdata[i];
		char time[32] = "";

		if (row->now != shown)
			g_snprintf(time, sizeof(time), "%.3f", row->now / 1e9);
		shown = row->now;
		print_row(page, row, time);
	}
}

void timeline_print(FILE *stream, unsigned int width)
{
	struct timeline t = {
		.actors = g_ptr_array_new_with_free_func(g_free),
		.rows = g_ptr_array_new_with_free_func(row_free),
		.subjects = g_ptr_array_new_with_free_func(g_free),
		.state = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
	};
	struct page page = { .stream = stream, .state = STATE_WIDTH };
	size_t count = trace_count();
	size_t room = (width ? width : WIDTH_DEFAULT) - TIME_WIDTH - STATE_WIDTH - 3;

	for (size_t i = 0; i < count; i++)
		take_event(&t, trace_get(i));
	page.n_actors = t.actors->len;
	page.column = page.n_actors ? MAX(room / page.n_actors, COLUMN_MIN) : COLUMN_MIN;
	drop_repeated_states(&t);
	print_head(&page, &t);
	print_rows(&page, &t);
	timeline_clear(&t);
}
