/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The edge under test: one bp_edge, one to three engines, each worker a fiber that may be stopped in the middle
 * of its engine's call. Batches of freed memory go back when every worker has passed a quiescent state, and somewhat
 * later; what is then free is spoilt first.
 */
#ifndef BYEPASS_TESTS_SIMULATION_EDGE_H
#define BYEPASS_TESTS_SIMULATION_EDGE_H

#include "sim.h"

struct edge;

struct edge *edge_create(struct sim *sim);
/* No worker has anything to do any more: the last batches go back. */
void edge_settle(struct edge *edge);
void edge_free(struct edge *edge);

/* A datagram arrives at the edge: a worker will take it, or two of them. */
void edge_receive(struct edge *edge, struct sent *sent);
/* An ICMP error about a datagram that was sent @to; as much of it as is quoted. */
void edge_unreachable(struct edge *edge, const struct bp_flow *to, const char *quoted, unsigned size);

const struct bp_config *edge_config(const struct edge *edge);
/* Summed over the workers. */
struct bp_counters edge_counters(const struct edge *edge);
uint64_t edge_received(const struct edge *edge);
/* Call detail records that control took; some were there already after each turn. */
unsigned edge_cdrs(const struct edge *edge, struct bp_cdr *const **cdrs);
/* A target of the trunk: an agent of the core. */
struct agent *edge_target(const struct edge *edge, unsigned target);
/* How many targets a trunk has: the first so many. */
unsigned edge_target_count(const struct edge *edge, enum trunk trunk);

/* edge_config.c */
struct bp_config *edge_config_create(const struct conditions *conditions, struct agent *const *targets);
void edge_config_free(struct bp_config *config);

#endif
