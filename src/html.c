// SPDX-License-Identifier: GPL-2.0-only
/* The timeline as a table, one column per task; events between steps can be folded away. */
#include "html.h"

static const char style[] =
	"body{font:14px/1.4 sans-serif;margin:2em;max-width:100em}"
	"table{border-collapse:collapse}"
	"th{position:sticky;top:0;background:#eee;text-align:left;padding:.3em 1em}"
	"td{padding:.1em 1em;vertical-align:top;border-left:1px solid #ddd;"
	"font-family:monospace;white-space:pre-wrap}"
	"td:first-child{color:#888;text-align:right;border:0}"
	"tr.event td{color:#777;font-size:90%}"
	"tr.switch td{border-top:2px solid #bbb}"
	".finding{background:#c00;color:#fff;font-weight:bold;padding:0 .4em}"
	".choice{color:#b50}"
	"body.steps tr.event{display:none}"
	"body.race tr.alone{display:none}"
	"pre{background:#f6f6f6;padding:1em;overflow:auto}";

static void add_escaped(GString *out, const char *text)
{
	g_autofree char *safe = g_markup_escape_text(text, -1);

	g_string_append(out, safe);
}

static void add_paragraph(GString *out, const char *tag, const char *text)
{
	g_string_append_printf(out, "<%s>", tag);
	add_escaped(out, text);
	g_string_append_printf(out, "</%s>\n", tag);
}

static uint64_t tasks_shown(const struct vfiosim_report *r)
{
	uint64_t seen = 0;

	for (guint i = 0; i < r->events->len; i++) {
		const struct trace_event *e = &g_array_index(r->events, struct trace_event, i);

		if (e->task >= 0)
			seen |= 1ULL << e->task;
	}
	return seen;
}

static const char *name_of(const struct vfiosim_report *r, int task)
{
	for (guint i = 0; i < r->events->len; i++) {
		const struct trace_event *e = &g_array_index(r->events, struct trace_event, i);

		if (e->task == task)
			return e->task_name;
	}
	return "?";
}

/* Before the tasks start or after they have ended, where hundreds of steps hide the race. */
static bool is_alone(const struct vfiosim_report *r, const struct trace_event *e)
{
	return e->kind != TRACE_FINDING &&
	       (e->number < r->first_event || e->number >= r->last_event);
}

/* A finding of the run as a whole, in nobody's column. */
static void add_finding(GString *out, const struct trace_event *e)
{
	g_autofree char *text = report_cell(e);

	g_string_append(out, "<tr class=\"step\"><td></td><td colspan=\"99\">"
			     "<span class=\"finding\">");
	add_escaped(out, text);
	g_string_append(out, "</span></td></tr>\n");
}

static void add_row(GString *out, const struct trace_event *e, uint64_t tasks,
		    const char *classes)
{
	g_autofree char *text = report_cell(e);
	bool step = e->kind == TRACE_STEP || e->kind == TRACE_FINDING || e->kind == TRACE_DATA;

	g_string_append_printf(out, "<tr class=\"%s%s\"><td>", step ? "step" : "event", classes);
	if (e->kind == TRACE_STEP)
		g_string_append_printf(out, "%llu", (unsigned long long)e->step);
	g_string_append(out, "</td>");
	for (int i = 0; i < TASKS_MAX; i++) {
		if (!(tasks >> i & 1))
			continue;
		g_string_append(out, "<td>");
		if (e->task == i) {
			const char *class = e->kind == TRACE_FINDING ? "finding" :
					    e->kind == TRACE_DATA ? "choice" : "";

			g_string_append_printf(out, "<span class=\"%s\">", class);
			add_escaped(out, text);
			g_string_append(out, "</span>");
		}
		g_string_append(out, "</td>");
	}
	g_string_append(out, "</tr>\n");
}

static void add_table(GString *out, const struct vfiosim_report *r)
{
	uint64_t tasks = tasks_shown(r);
	int last = -1;

	g_string_append(out, "<label><input type=\"checkbox\" checked onchange=\""
			     "document.body.classList.toggle('steps')\"> show events between steps"
			     "</label>\n"
			     "<label><input type=\"checkbox\" onchange=\""
			     "document.body.classList.toggle('race')\"> show setup and teardown"
			     "</label>\n<table><thead><tr><th>#</th>");
	for (int i = 0; i < TASKS_MAX; i++)
		if (tasks >> i & 1)
			add_paragraph(out, "th", name_of(r, i));
	g_string_append(out, "</tr></thead><tbody>\n");
	for (guint i = 0; i < r->events->len; i++) {
		const struct trace_event *e = &g_array_index(r->events, struct trace_event, i);

		if (e->task < 0) {
			if (e->kind == TRACE_FINDING)
				add_finding(out, e);
			continue;
		}
		add_row(out, e, tasks, is_alone(r, e) ? " alone" :
			last >= 0 && last != e->task ? " switch" : "");
		last = e->task;
	}
	g_string_append(out, "</tbody></table>\n");
}

char *report_html(const struct vfiosim_report *r)
{
	GString *out = g_string_new("<!DOCTYPE html>\n<html lang=\"en\"><head>"
				    "<meta charset=\"utf-8\"><title>");

	add_escaped(out, r->scenario->name);
	g_string_append_printf(out, "</title><style>%s</style></head>\n<body class=\"race\">\n",
			       style);
	add_paragraph(out, "h1", r->scenario->name);
	if (r->scenario->summary)
		add_paragraph(out, "p", r->scenario->summary);
	if (r->failed) {
		g_autofree char *line = g_strdup_printf("%s: %s", r->finding.detector,
							r->finding.message);

		add_paragraph(out, "h2", line);
	}
	add_paragraph(out, "pre", vfiosim_report_text(r));
	if (r->events->len)
		add_table(out, r);
	if (r->schedule) {
		add_paragraph(out, "h2", "schedule");
		add_paragraph(out, "pre", r->schedule);
	}
	g_string_append(out, "</body></html>\n");
	return g_string_free(out, FALSE);
}
