/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A worker's packet buffers, and how much DPDK memory all of it takes. Control thread only.
 */
#ifndef BYEPASS_WORKER_POOLS_H
#define BYEPASS_WORKER_POOLS_H

#include "byepass/config.h"

struct rte_mempool;

struct bp_pools {
	struct rte_mempool *packets; /* a frame of the largest MTU each, at least 2,048 bytes */
	struct rte_mempool *large; /* 64 KiB each: reassembled and to-be-fragmented datagrams in one piece */
	struct rte_mempool
		*frames; /* for ports that hand over frames longer than their MTU; NULL: there is none */
};

/* The pools of worker @worker, near @node. 0 or -errno; bp_pools_free() in either case. */
int bp_pools_create(struct bp_pools *pools, const struct bp_config *config, unsigned worker, int node);
void bp_pools_free(struct bp_pools *pools);

/* The pool that @port's receive queue takes its buffers from. */
struct rte_mempool *bp_pools_receive(const struct bp_pools *pools, const struct bp_config_port *port);

/* Bytes of DPDK memory for pools, rings and tables of @config. An estimate on the safe side. */
uint64_t bp_pools_memory(const struct bp_config *config);

#endif
