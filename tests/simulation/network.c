/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Addresses, and the network between them: it loses, repeats, delays and reorders. A host that is down may say so by
 * ICMP.
 */
#include "sim.h"

#include "edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCESS_NET 198, 18
#define CORE_NET 10, 1

static struct bp_ip
ip_of(bool core, unsigned index)
{
	uint8_t access[4] = {ACCESS_NET, (uint8_t)(index >> 8), (uint8_t)index};
	uint8_t inside[4] = {CORE_NET, (uint8_t)(index >> 8), (uint8_t)index};

	return bp_ip_from_v4(core ? inside : access);
}

/* A phone behind a NAT knows itself by another address and asks for rport (RFC 3581). */
struct agent *
agent_new(struct sim *sim, bool core)
{
	struct agent *agent = sim_alloc(sim, sizeof(*agent));
	unsigned index = sim->agent_count[core];
	bool behind_nat = !core && sim_chance(sim, 200);

	agent->index = index;
	agent->core = core;
	agent->rport = behind_nat || sim_chance(sim, 300);
	agent->routeless = sim_chance(sim, sim->conditions.routeless);
	agent->timer = sim_chance(sim, 500);
	agent->down_us = agent->up_us = NEVER;
	agent->flow = (struct bp_flow){.ip = ip_of(core, index),
		.port = (uint16_t)(sim_chance(sim, 500) ? 5060 : 20000 + sim_below(sim, 40000)),
		.listener = core ? 1 : 0,
		.transport = BP_TRANSPORT_UDP};
	snprintf(agent->address, sizeof(agent->address), "%s.%u.%u:%u", core ? "10.1" : "198.18", index >> 8 & 255,
		index & 255, agent->flow.port);
	snprintf(agent->sent_by, sizeof(agent->sent_by), "%s.%u.%u:%u",
		behind_nat ? "192.168"
		: core	   ? "10.1"
			   : "198.18",
		index >> 8 & 255, index & 255, behind_nat ? 5070 : agent->flow.port);
	snprintf(agent->contact, sizeof(agent->contact), "sip:%s%u@%s", core ? "c" : "a", index, agent->sent_by);
	sim_append(&sim->agents[core], &sim->agent_count[core], agent);
	return agent;
}

struct agent *
agent_at(const struct sim *sim, const struct bp_flow *flow)
{
	unsigned index = (unsigned)flow->ip.bytes[14] << 8 | flow->ip.bytes[15];
	bool core = flow->listener == 1;

	if (flow->listener > 1 || index >= sim->agent_count[core] ||
		!bp_flow_equal(&sim->agents[core][index]->flow, flow))
		return NULL;
	return sim->agents[core][index];
}

bool
agent_is_down(const struct sim *sim, const struct agent *agent)
{
	return sim->now_us >= agent->down_us && sim->now_us < agent->up_us;
}

/* Never as long as T4, which is what the timers take for the longest life of a message. */
static uint64_t
delay(struct sim *sim)
{
	const struct conditions *c = &sim->conditions;
	uint64_t jitter_us = c->jitter_us;

	if (jitter_us > 0 && sim_chance(sim, 30))
		jitter_us *= 2;
	return c->delay_us + (jitter_us > 0 ? sim_between(sim, 0, jitter_us) : 0);
}

static unsigned
copies(struct sim *sim)
{
	if (sim_chance(sim, sim->conditions.loss)) {
		sim->totals.lost++;
		return 0;
	}
	if (!sim_chance(sim, sim->conditions.duplicates))
		return 1;
	sim->totals.repeated++;
	return 2;
}

/* ---- to the edge ---- */

static void
arrive_at_edge(struct sim *sim, void *object, uint64_t unused)
{
	edge_receive(sim->edge, object);
}

void
network_to_edge(struct sim *sim, struct sent *sent)
{
	unsigned count = copies(sim);

	if (agent_is_down(sim, sent->agent))
		return;
	if (count == 0)
		ladder_message(sim, sent->call, LADDER_LOST, sent->agent, sent->bytes, -1);
	while (count-- > 0)
		sim_after(sim, delay(sim), arrive_at_edge, sent, 0);
}

/* ---- from the edge ---- */

struct datagram {
	struct agent *to;
	struct call *call;
	unsigned size;
	char bytes[];
};

static void
fail(struct sim *sim, void *object, uint64_t unused)
{
	struct datagram *datagram = object;

	edge_unreachable(sim->edge, &datagram->to->flow, datagram->bytes, datagram->size);
	free(datagram);
}

static void
arrive_at_agent(struct sim *sim, void *object, uint64_t unused)
{
	struct datagram *datagram = object;

	if (!agent_is_down(sim, datagram->to)) {
		ladder_message(sim, datagram->call, LADDER_ARRIVED, datagram->to, datagram->bytes, -1);
		agent_receive(sim, datagram->to, datagram->bytes, datagram->size);
		free(datagram);
		return;
	}
	ladder_message(sim, datagram->call, LADDER_LOST, datagram->to, datagram->bytes, -1);
	if (!datagram->to->icmp || sim_chance(sim, sim->conditions.loss)) {
		free(datagram);
		return;
	}
	if (sim_chance(sim, 200)) /* a router that quotes little */
		datagram->size = sim_below(sim, datagram->size);
	sim_after(sim, delay(sim), fail, datagram, 0);
}

void
network_from_edge(struct sim *sim, const struct bp_flow *to, const char *bytes, unsigned size, struct call *call)
{
	struct agent *agent = agent_at(sim, to);
	unsigned count = copies(sim);

	if (agent == NULL)
		return;
	if (count == 0)
		ladder_message(sim, call, LADDER_LOST, agent, bytes, -1);
	while (count-- > 0) {
		struct datagram *datagram = malloc(sizeof(*datagram) + size + 1);

		*datagram = (struct datagram){.to = agent, .call = call, .size = size};
		memcpy(datagram->bytes, bytes, size);
		datagram->bytes[size] = '\0';
		sim_after(sim, delay(sim), arrive_at_agent, datagram, 0);
	}
}
