/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The search through the histories of a stage: from each state every event happens, and every two events that can be in
 * the hands of two workers at once, in every order of their atomic accesses. A state that was met before is not
 * followed again. Breadth first: each state is met on its shortest way.
 */
#ifndef BYEPASS_INTERLEAVINGS_HISTORY_H
#define BYEPASS_INTERLEAVINGS_HISTORY_H

#include "stage.h"

struct history_stats {
	uint64_t states;    /* that differ */
	uint64_t steps;     /* of one event */
	uint64_t meetings;  /* of two events, that differ */
	uint64_t schedules; /* of meetings */
	uint64_t compared;  /* arrivals at a state whose futures were compared with those of others there */
	uint64_t over;      /* states in which the record has ended */
	unsigned depth;     /* events of the longest history */
	bool complete;      /* there are no other states at any depth */
};

/* @depth: events of a history, at most. @fine: of one in which also the tables' own accesses are interrupted; in longer
 * ones an operation on a table is one access. Prints the first history that goes wrong, message by message, and
 * exits with 1. */
void history_search(const struct stage_options *options, unsigned depth, unsigned fine, struct history_stats *stats);

#endif
