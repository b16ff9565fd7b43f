/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is going to happen, by time: a heap of events. Of equal times the order is that of their making, or chance.
 */
#ifndef BYEPASS_TESTS_SIMULATION_AGENDA_H
#define BYEPASS_TESTS_SIMULATION_AGENDA_H

#include <stdbool.h>
#include <stdint.h>

struct sim;
typedef void (*event_run)(struct sim *sim, void *object, uint64_t argument);

struct event {
	uint64_t time_us, order;
	event_run run;
	void *object;
	uint64_t argument;
};

struct agenda {
	struct event *heap;
	unsigned count, capacity;
};

void agenda_add(struct agenda *agenda, const struct event *event);
/* False: nothing is left to do. */
bool agenda_next(struct agenda *agenda, struct event *event);
void agenda_free(struct agenda *agenda);

#endif
