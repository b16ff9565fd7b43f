/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The data path's state, shared by start.c and dataplane.c. Control threads only.
 */
#ifndef BYEPASS_WORKER_STATE_H
#define BYEPASS_WORKER_STATE_H

#include "byepass/dataplane.h"
#include "worker/capacity.h"
#include "worker/eal.h"
#include "worker/hugepages.h"
#include "worker/ports.h"
#include "worker/worker.h"

#include <pthread.h>

struct bp_dataplane {
	const struct bp_config *config;
	void (*free_config)(const struct bp_config *config);
	void (*notice)(const char *line);
	struct bp_dataplane_custom custom;

	/* in the order in which they are made */
	struct bp_clock_sample begin;
	struct bp_hugepage_pool hugepages;
	struct bp_capacity capacity;
	struct bp_eal_arguments arguments;
	bool eal;
	struct bp_ports ports;
	unsigned worker_count;
	struct bp_worker *workers[BP_CONFIG_WORKERS_MAX]; /* in memory of the worker's node */
	struct bp_clock clock;
	struct call_rcu_data *reclaim;
	struct bp_neighbours *neighbours;
	struct bp_spread *spread; /* NULL: none */
	struct bp_edge *edge;

	pthread_mutex_t command_lock; /* one producer per mailbox */
	uint64_t loops_seen[BP_CONFIG_WORKERS_MAX];
	unsigned events_turn;
};

/* start.c: waits for all workers to end. */
void bp_dataplane_stop_workers(struct bp_dataplane *dataplane);

#endif
