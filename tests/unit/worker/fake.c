/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See fake.h. Implements wire/wire.h and proxy/engine.h.
 */
#include "fake.h"
#include "proxy/engine.h"
#include "transaction/slab.h"
#include "wire/wire.h"

#include <rte_mbuf.h>

struct fake fake;

static int thing; /* all opaque pointers point here */

int
bp_neighbours_create(struct bp_neighbours **out, unsigned capacity, int numa_node)
{
	fake.neighbours++;
	*out = (struct bp_neighbours *)&thing;
	return 0;
}

void
bp_neighbours_free(struct bp_neighbours *neighbours)
{
	fake.neighbours -= neighbours != NULL;
}

int
bp_wire_create(struct bp_wire **out, const struct bp_config *config, const struct bp_wire_port *ports,
	unsigned port_count, struct bp_neighbours *neighbours, struct rte_mempool *packets,
	struct rte_mempool *large, const struct bp_wire_handlers *handlers, struct bp_counters *counters)
{
	fake.wires++;
	fake.counters = counters;
	fake.context = handlers->context;
	fake.datagrams = handlers->datagrams;
	fake.unreachable = handlers->unreachable;
	*out = (struct bp_wire *)&thing;
	return 0;
}

void
bp_wire_free(struct bp_wire *wire)
{
	fake.wires -= wire != NULL;
}

void
bp_wire_input(struct bp_wire *wire, unsigned port, struct rte_mbuf **frames, unsigned count, uint64_t now_us)
{
	fake.bursts++;
	fake.frames += count;
	fake.input_us = now_us;
	fake.input_port = port;
	rte_pktmbuf_free_bulk(frames, count);
}

uint8_t *
bp_wire_reserve(struct bp_wire *wire, const struct bp_flow *to, uint32_t size)
{
	return fake.no_room ? NULL : fake.room;
}

void
bp_wire_send(struct bp_wire *wire, const struct bp_flow *to, uint32_t size)
{
	fake.sent++;
}

unsigned
bp_wire_flush(struct bp_wire *wire)
{
	fake.flushes++;
	return 0;
}

void
bp_wire_tick(struct bp_wire *wire, uint64_t now_us)
{
	fake.ticks++;
	fake.tick_us = now_us;
}

void
bp_wire_announce(struct bp_wire *wire, uint64_t now_us)
{
	fake.announcements++;
	fake.announce_us = now_us;
}

int
bp_edge_create(struct bp_edge **out, const struct bp_config *config, const struct bp_edge_options *options)
{
	void *memory = options->map(1000);

	if (!memory)
		return -ENOMEM;
	options->unmap(memory, 1000);
	fake.edges++;
	fake.transactions = options->transactions;
	fake.dialogs = options->dialogs;
	fake.kept_bytes = options->kept_bytes;
	fake.workers = options->workers;
	memcpy(fake.seed, options->seed, sizeof(fake.seed));
	*out = (struct bp_edge *)&thing;
	return 0;
}

void
bp_edge_free(struct bp_edge *edge)
{
	fake.edges -= edge != NULL;
}

int
bp_engine_create(struct bp_engine **out, struct bp_edge *edge, uint16_t worker,
	const struct bp_engine_hooks *hooks, struct bp_counters *counters)
{
	if (fake.engine_rc)
		return fake.engine_rc;
	fake.engines++;
	fake.reserve = hooks->reserve;
	fake.send = hooks->send;
	fake.defer = hooks->defer;
	*out = (struct bp_engine *)&thing;
	return 0;
}

void
bp_engine_free(struct bp_engine *engine)
{
	fake.engines -= engine != NULL;
}

void
bp_engine_receive(struct bp_engine *engine, const struct bp_flow *from, const uint8_t *bytes, uint32_t size,
	uint64_t now_us)
{
	fake.received++;
	fake.received_us = now_us;
	fake.received_size = size;
	fake.flow = *from;
}

void
bp_engine_receive_burst(
	struct bp_engine *engine, const struct bp_datagram *datagrams, unsigned count, uint64_t now_us)
{
	for (unsigned i = 0; i < count; i++)
		bp_engine_receive(engine, &datagrams[i].from, datagrams[i].bytes, datagrams[i].size, now_us);
}

uint64_t
bp_engine_expire(struct bp_engine *engine, uint64_t now_us, unsigned budget)
{
	fake.expired++;
	fake.expired_us = now_us;
	return fake.next_us;
}

void
bp_engine_flush(struct bp_engine *engine)
{
	fake.flushed++;
}

void
bp_engine_flow_failed(struct bp_engine *engine, const struct bp_flow *to, const uint8_t *quoted,
	uint32_t size, uint64_t now_us)
{
	fake.failed++;
	fake.flow = *to;
}

void
bp_engine_probe(struct bp_engine *engine, uint16_t trunk, uint16_t target, uint32_t number, uint64_t now_us)
{
}

void
bp_engine_release(struct bp_engine *engine, uint64_t now_us)
{
}

void
bp_engine_drain(struct bp_engine *engine)
{
	__atomic_store_n(&fake.drained, fake.drained + 1, __ATOMIC_RELEASE);
}

void
bp_batch_release(struct bp_batch *batch)
{
	__atomic_store_n(&fake.released, fake.released + 1, __ATOMIC_RELEASE);
}

unsigned
bp_edge_cdrs(struct bp_edge *edge, void (*take)(void *context, const struct bp_cdr *cdr), void *context)
{
	return 0;
}

unsigned
bp_edge_cut_cdrs(
	struct bp_edge *edge, uint64_t now_us, void (*take)(void *context, const struct bp_cdr *cdr), void *context)
{
	return 0;
}

bool
bp_edge_kpi(const struct bp_edge *edge, uint16_t trunk, struct bp_kpi *out)
{
	memset(out, 0, sizeof(*out));
	return false;
}
