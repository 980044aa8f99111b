/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event ring and the names of objects. Events are recorded only while
 * tracing; names are made when somebody asks.
 */
#ifndef VFIOSIM_TRACE_H
#define VFIOSIM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"

#define TRACE_EVENTS_MAX 65536

enum trace_kind {
	TRACE_STEP,		/* a choice point was passed: what = the operation */
	TRACE_EVENT,		/* eng_event() */
	TRACE_PRINTK,
	TRACE_DATA,		/* a data choice that was not 0 */
	TRACE_FINDING,
	TRACE_TASK,		/* a task began or ended */
};

struct trace_event {
	uint64_t number;	/* from 0, without gaps */
	uint64_t step;
	uint64_t now;		/* virtual ns */
	uint8_t kind;		/* enum trace_kind */
	uint8_t how;		/* TRACE_STEP: enum eng_wake */
	int16_t task;		/* -1: none */
	bool in_interrupt;
	char task_name[24];
	char process[16];	/* that the task acted for, or "" */
	char what[32];
	char object[64];	/* name, or "" */
	uint32_t field;		/* for trace_object() */
	char function[48];	/* TRACE_STEP: that took the step, or "" */
	char text[160];
};

/* Forgets all events, and records from now on or not. */
void trace_reset(bool tracing) SIM(trace_reset);
/* Allocations and frees are events, too. */
extern bool eng_tracing_memory SIM(eng_tracing_memory);
void trace_step_slow(enum eng_op op, const void *object, enum eng_wake how)
	SIM(trace_step_slow);
static inline void trace_step(enum eng_op op, const void *object, enum eng_wake how)
{
	if (__builtin_expect(eng_tracing, 0))
		trace_step_slow(op, object, how);
}
void trace_add(enum trace_kind kind, const char *what, const void *object, const char *text)
	SIM(trace_add);

/* Events that are still in the ring: [first, first + count). */
size_t trace_count(void) SIM(trace_count);
/* The number that the next event will have. */
uint64_t trace_end(void) SIM(trace_end);
const struct trace_event *trace_get(size_t index) SIM(trace_get);
/* One line of text for an event; returns @buffer. */
char *trace_format(const struct trace_event *event, char *buffer, size_t size)
	SIM(trace_format);

/* The event's object with the field's name, if one was learned; @buffer may hold it. */
const char *trace_object(const struct trace_event *event, char *buffer, size_t size)
	SIM(trace_object);

/* What a trace calls the operation. */
const char *op_word(enum eng_op op) SIM(op_word);
/* As object_name(), but a lock's or queue's own name is looked up by @op. */
const char *object_name_op(enum eng_op op, const void *object) SIM(object_name_op);

#endif
