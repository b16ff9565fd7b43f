/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every history of one record, up to a number of events. One scenario a process: histories NAME [DEPTH [FINE]].
 */
#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <urcu-qsbr.h>

static const uint16_t invite_statuses[] = {100, 180, 200, 486, 487, 503, 0};
static const uint16_t failover_statuses[] = {180, 200, 486, 503, 0};
static const uint16_t fork_statuses[] = {180, 200, 486, 603, 0};
static const uint16_t other_statuses[] = {100, 200, 404, 408, 0};

/* What an ordinary run takes; scripts/interleavings goes on until there are no other states. */
static const struct {
	struct stage_options options;
	unsigned depth, fine;
} scenarios[] = {
	{{"invite", "INVITE", 1, false, invite_statuses}, 60, 60},
	{{"other", "MESSAGE", 1, false, other_statuses}, 60, 60},
	{{"failover", "INVITE", 2, false, failover_statuses}, 6, 4},
	{{"fork", "INVITE", 2, true, fork_statuses}, 6, 4},
	{{"other-failover", "MESSAGE", 2, false, other_statuses}, 8, 8},
	{{"other-fork", "MESSAGE", 2, true, other_statuses}, 8, 8},
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

static int
run(unsigned number, unsigned depth, unsigned fine)
{
	struct history_stats stats;

	urcu_qsbr_register_thread();
	history_search(&scenarios[number].options, depth, fine, &stats);
	urcu_qsbr_unregister_thread();
	printf("%s: %" PRIu64 " states in histories of up to %u events%s, %" PRIu64 " of them ends; %" PRIu64
	       " single events, %" PRIu64 " meetings of two in %" PRIu64 " schedules; %" PRIu64
	       " states compared with what was taken for the same\n",
		scenarios[number].options.name, stats.states, stats.depth, stats.complete ? ", and there are no others" : "",
		stats.over, stats.steps, stats.meetings, stats.schedules, stats.compared);
	return 0;
}

int
main(int argc, char **argv)
{
	for (unsigned i = 0; argc >= 2 && i < SCENARIOS; i++)
		if (strcmp(argv[1], scenarios[i].options.name) == 0)
			return run(i, argc > 2 ? (unsigned)atoi(argv[2]) : scenarios[i].depth,
				argc > 3 ? (unsigned)atoi(argv[3]) : scenarios[i].fine);
	fprintf(stderr, "usage: %s NAME [DEPTH [FINE]]; names:", argv[0]);
	for (unsigned i = 0; i < SCENARIOS; i++)
		fprintf(stderr, " %s", scenarios[i].options.name);
	fprintf(stderr, "\n");
	return 2;
}
