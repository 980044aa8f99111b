// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all invariants look at: live objects, found by their type's name in the
 * arena, so that the model keeps no lists for its checkers. Host side.
 */
#define VFIOSIM_HOST
#include <string.h>

#include "invariants.h"
#include "run.h"

struct fill {
	struct view *view;
	unsigned int kinds;
	bool immortal;
	bool overflows;
};

static bool is_wanted(const struct fill *fill, const struct object *object)
{
	return object->state == OBJECT_LIVE ||
	       (fill->immortal && object->state == OBJECT_IMMORTAL);
}

static void view_add(struct object *object, void *data)
{
	struct fill *fill = data;
	const char *type = type_name(object->type);

	if (!is_wanted(fill, object))
		return;
	for (unsigned int k = 0; k < fill->kinds; k++) {
		struct view *view = &fill->view[k];

		if (strcmp(view->type, type))
			continue;
		if (view->count < VIEW_MAX)
			view->object[view->count++] = object_body(object);
		else
			fill->overflows = true;
		return;
	}
}

bool view_fill(struct view *view, unsigned int kinds, bool immortal)
{
	struct fill fill = { view, kinds, immortal, false };

	for (unsigned int k = 0; k < kinds; k++)
		view[k].count = 0;
	arena_for_each(view_add, &fill);
	return !fill.overflows;
}
