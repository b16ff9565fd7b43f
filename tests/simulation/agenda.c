/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A binary heap of events. See agenda.h.
 */
#include "agenda.h"

#include <stdlib.h>

static bool
earlier(const struct event *a, const struct event *b)
{
	return a->time_us < b->time_us || (a->time_us == b->time_us && a->order < b->order);
}

void
agenda_add(struct agenda *agenda, const struct event *event)
{
	unsigned at = agenda->count++;

	if (agenda->count > agenda->capacity) {
		agenda->capacity = agenda->capacity ? 2 * agenda->capacity : 1024;
		agenda->heap = realloc(agenda->heap, agenda->capacity * sizeof(*agenda->heap));
		if (agenda->heap == NULL)
			abort();
	}
	for (; at > 0 && earlier(event, &agenda->heap[(at - 1) / 2]); at = (at - 1) / 2)
		agenda->heap[at] = agenda->heap[(at - 1) / 2];
	agenda->heap[at] = *event;
}

bool
agenda_next(struct agenda *agenda, struct event *event)
{
	struct event *heap = agenda->heap, last;
	unsigned at = 0, child;

	if (agenda->count == 0)
		return false;
	*event = heap[0];
	last = heap[--agenda->count];
	while ((child = 2 * at + 1) < agenda->count) {
		if (child + 1 < agenda->count && earlier(&heap[child + 1], &heap[child]))
			child++;
		if (!earlier(&heap[child], &last))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = last;
	return true;
}

void
agenda_free(struct agenda *agenda)
{
	free(agenda->heap);
	*agenda = (struct agenda){0};
}
