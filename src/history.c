// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linearizability: do the results of the calls of a run fit some order of them,
 * one at a time, in which no call comes before one that had returned when it
 * began? Asked whenever no call is under way, by trying the calls that may come
 * next, one after the other (Wing and Gong), and no pair of a set of calls done
 * and a state twice (Lowe).
 *
 * Owns the history, which lies in the run's memory. No locks. A call's begin
 * reads the history and its end writes it, so that the explorer tries both orders
 * of one call's end and another's begin. Host side.
 */
#define VFIOSIM_HOST
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "history.h"
#include "run.h"

#define CALLS_MAX 48

struct entry {
	struct vfiosim_call call;
	u32 began, ended;		/* 0: has not returned */
	u32 task;
};

struct history {
	u32 n, pending, clock;
	struct entry entry[CALLS_MAX];
};

const size_t history_size = sizeof(struct history);

struct search {
	const struct history *h;
	const struct vfiosim_spec *spec;
	GHashTable *seen;		/* GBytes: the calls done and the state */
	u64 longest;			/* the most calls that any order explains */
};

/* ---- the search ---- */

static bool is_new(const struct search *s, u64 done, const void *state)
{
	g_autoptr(GByteArray) key = g_byte_array_new();

	g_byte_array_append(key, (const guint8 *)&done, sizeof(done));
	g_byte_array_append(key, state, s->spec->state_size);
	return g_hash_table_add(s->seen, g_byte_array_free_to_bytes(g_steal_pointer(&key)));
}

/* Whatever comes next began before each of the others had returned. */
static u32 first_return(const struct search *s, u64 done)
{
	u32 first = G_MAXUINT32;

	for (u32 i = 0; i < s->h->n; i++)
		if (!(done >> i & 1) && s->h->entry[i].ended < first)
			first = s->h->entry[i].ended;
	return first;
}

static bool fits(struct search *s, u64 done, const void *state)
{
	u32 limit = first_return(s, done);

	if (__builtin_popcountll(done) > __builtin_popcountll(s->longest))
		s->longest = done;
	if (done == (1ULL << s->h->n) - 1)
		return true;
	if (!is_new(s, done, state))
		return false;
	for (u32 i = 0; i < s->h->n; i++) {
		g_autofree void *after = NULL;

		if (done >> i & 1 || s->h->entry[i].began > limit)
			continue;
		after = g_memdup2(state, s->spec->state_size);
		if (s->spec->step(after, &s->h->entry[i].call) && fits(s, done | 1ULL << i, after))
			return true;
	}
	return false;
}

/* ---- what is said ---- */

static void add_call(GString *out, const struct entry *e)
{
	g_string_append_printf(out, "%s%s %s(", out->len ? "; " : "",
			       ENGINE->tasks[e->task].ts.comm, e->call.name);
	if (e->call.text)
		g_string_append_printf(out, "\"%s\"", e->call.text);
	else
		g_string_append_printf(out, "%ld", e->call.argument[0]);
	for (size_t i = 1; i < G_N_ELEMENTS(e->call.argument); i++)
		if (e->call.argument[i])
			g_string_append_printf(out, ", %ld", e->call.argument[i]);
	g_string_append_printf(out, ") = %ld [%u-%u]", e->call.result, e->began, e->ended);
}

/* Those of setup come one by one and say little. */
static void report_misfit(const struct search *s)
{
	g_autoptr(GString) all = g_string_new(NULL), rest = g_string_new(NULL);

	for (u32 i = 0; i < s->h->n; i++) {
		const struct entry *e = &s->h->entry[i];

		if (e->task != run.setup_task)
			add_call(all, e);
		if (!(s->longest >> i & 1))
			g_string_append_printf(rest, "%s%s's %s", rest->len ? ", " : "",
					       ENGINE->tasks[e->task].ts.comm, e->call.name);
	}
	eng_report("not-linearizable", NULL, "in no order does %s allow: %s; "
		   "the longest leaves %s", s->spec->name, all->str, rest->str);
}

static void check(const struct history *h)
{
	const struct vfiosim_spec *spec = run.scenario->spec;
	g_autofree void *state = g_malloc0(spec->state_size);
	struct search s = { .h = h, .spec = spec };

	s.seen = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
				       (GDestroyNotify)g_bytes_unref, NULL);
	if (!fits(&s, 0, state))
		report_misfit(&s);
	g_hash_table_unref(s.seen);
}

/* ---- recording ---- */

bool history_is_kept(void)
{
	return ENGINE->history && run.phase != PHASE_TEARDOWN;
}

static struct entry *pending_call(struct history *h)
{
	for (u32 i = h->n; i--;)
		if (h->entry[i].task == ENGINE->current)
			return h->entry[i].ended ? NULL : &h->entry[i];
	return NULL;
}

void history_call(const struct vfiosim_call *call)
{
	struct history *h = ENGINE->history;

	if (!history_is_kept())
		return;
	if (pending_call(h))
		eng_fail("misuse", NULL, "%s begins inside of another call", call->name);
	eng_point_slow(ENG_OP_STEP, h, ENG_READ);
	if (h->n == CALLS_MAX)
		eng_fail("misuse", NULL, "more than %d calls for a specification", CALLS_MAX);
	h->entry[h->n++] = (struct entry){
		.call = *call, .began = ++h->clock, .task = ENGINE->current,
	};
	h->pending++;
}

void history_return(long result)
{
	struct history *h = ENGINE->history;
	struct entry *e;

	if (!history_is_kept())
		return;
	eng_point_slow(ENG_OP_STEP, h, ENG_WRITE);
	e = pending_call(h);
	if (!e)
		eng_fail("misuse", NULL, "vfiosim_return() without vfiosim_call()");
	e->call.result = result;
	e->ended = ++h->clock;
	if (!--h->pending)
		check(h);
}
