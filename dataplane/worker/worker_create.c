/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Making and freeing a worker. Control thread only.
 */
#include "proxy/engine.h"
#include "wire/wire.h"
#include "worker/ports.h"
#include "worker/reclaim.h"
#include "worker/worker.h"

#include <errno.h>
#include <stdlib.h>

static int
create_wire(struct bp_worker *worker, const struct bp_ports *ports, struct bp_neighbours *neighbours)
{
	const struct bp_wire_handlers handlers = {
		.context = worker, .datagrams = bp_worker_datagrams, .unreachable = bp_worker_unreachable};
	struct bp_wire_port *wire_ports = calloc(ports->count ? ports->count : 1, sizeof(*wire_ports));
	int rc;

	worker->ports = calloc(ports->count ? ports->count : 1, sizeof(*worker->ports));
	if (!wire_ports || !worker->ports) {
		free(wire_ports);
		return -ENOMEM;
	}
	worker->port_count = ports->count;
	for (unsigned i = 0; i < ports->count; i++) {
		wire_ports[i] = ports->ports[i].wire;
		wire_ports[i].queue = (uint16_t)worker->index;
		worker->ports[i].id = wire_ports[i].id;
		worker->ports[i].queue = wire_ports[i].queue;
	}
	rc = bp_wire_create(&worker->wire, worker->config, wire_ports, ports->count, neighbours,
		worker->pools.packets, worker->pools.large, &handlers, &worker->counters);
	free(wire_ports);
	return rc;
}

int
bp_worker_create(struct bp_worker *worker, unsigned index, const struct bp_config *config,
	const struct bp_ports *ports, struct bp_neighbours *neighbours, struct bp_edge *edge,
	const struct bp_clock *clock, struct call_rcu_data *reclaim, struct bp_spread *spread)
{
	const struct bp_engine_hooks hooks = {.context = worker,
		.reserve = bp_worker_reserve,
		.send = bp_worker_send,
		.defer = bp_reclaim_defer,
		.resolve = bp_worker_resolve,
		.resolved = bp_worker_resolved};
	int rc;

	worker->index = index;
	worker->config = config;
	worker->clock = *clock;
	worker->reclaim = reclaim;
	worker->spread = spread;
	worker->next_timer_us = UINT64_MAX;
	worker->announcements = index == 0 ? BP_WORKER_ANNOUNCEMENTS : 0;
	worker->announce_us = index == 0 ? 0 : UINT64_MAX;

	rc = bp_mailbox_create(&worker->mailbox);
	if (!rc && config->trace.messages)
		rc = bp_trace_create(&worker->trace, index, BP_TRACE_RING_SIZE, &worker->counters);
	if (!rc)
		rc = create_wire(worker, ports, neighbours);
	if (!rc)
		rc = bp_engine_create(&worker->engine, edge, (uint16_t)index, &hooks, &worker->counters);
	return rc;
}

void
bp_worker_free(struct bp_worker *worker)
{
	bp_engine_free(worker->engine);
	bp_wire_free(worker->wire);
	bp_trace_free(worker->trace);
	bp_mailbox_free(&worker->mailbox);
	free(worker->ports);
	worker->engine = NULL;
	worker->wire = NULL;
	worker->trace = NULL;
	worker->ports = NULL;
}
