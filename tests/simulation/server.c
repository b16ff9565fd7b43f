/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Server transactions of the user agents: RFC 3261 17.2 with RFC 6026. See people.h.
 */
#include "people.h"

#include <stdio.h>
#include <string.h>

static uint64_t
key_of(const struct agent *agent, const struct seen *m)
{
	return text_hash(m->branch[0]) + agent->index * 2 + agent->core;
}

struct server *
server_find(struct sim *sim, const struct agent *agent, const struct seen *m)
{
	return map_find(sim->servers, key_of(agent, m));
}

/* A copy of the request that outlives its datagram. */
static void
keep_request(struct sim *sim, struct server *server, const struct seen *m)
{
	struct text whole = {m->start.at, (unsigned)(m->body.at + m->body.size - m->start.at)};

	message_read(sim_copy(sim, whole), whole.size, &server->request);
}

struct server *
server_new(struct sim *sim, struct agent *agent, struct call *call, const struct seen *m)
{
	struct server *server = sim_alloc(sim, sizeof(*server));

	server->agent = agent;
	server->at = agent;
	server->call = call;
	server->invite = text_is(m->method, "INVITE");
	keep_request(sim, server, m);
	snprintf(server->tag, sizeof(server->tag), "s%u", ++sim->tag_count);
	map_add(sim->servers, key_of(agent, m), server);
	return server;
}

static bool
is_over(const struct sim *sim, const struct server *server)
{
	return is_dead(sim, server->call, side_of(server->call, server->agent));
}

/* Timer G. */
static void
repeat(struct sim *sim, void *object, uint64_t interval_us)
{
	struct server *server = object;
	uint64_t t2_us = sim->conditions.timers.t2_us;

	if (server->state != SERVER_COMPLETED || is_over(sim, server))
		return;
	network_to_edge(sim, server->last);
	interval_us = 2 * interval_us > t2_us ? t2_us : 2 * interval_us;
	sim_after(sim, interval_us, repeat, server, interval_us);
}

/* Timers H and J. */
static void
terminate(struct sim *sim, void *object, uint64_t unused)
{
	struct server *server = object;

	server->state = SERVER_TERMINATED;
}

/* A 18x of a callee makes an early dialog, so it has a Contact. */
static const char *
contact_for(const struct server *server, unsigned status)
{
	return server->invite && status > 100 && status < 300 ? server->at->contact : NULL;
}

void
server_respond(struct sim *sim, struct server *server, unsigned status)
{
	uint64_t t1_us = sim->conditions.timers.t1_us;

	if (server->state >= SERVER_COMPLETED || is_over(sim, server))
		return;
	server->last = sent_response(sim, server->agent, server->call, &server->request, status, server->tag,
		contact_for(server, status), 0);
	if (status < 200)
		return;
	server->state = SERVER_COMPLETED;
	sim_after(sim, sim_64t1(sim), terminate, server, 0);
	if (server->invite)
		sim_after(sim, t1_us, repeat, server, t1_us);
}

struct sent *
server_accept(struct sim *sim, struct server *server, unsigned status, const char *tag)
{
	if (is_over(sim, server))
		return NULL;
	server->state = SERVER_ACCEPTED;
	return sent_response(sim, server->agent, server->call, &server->request, status, tag, server->at->contact,
		60 + sim_below(sim, 200));
}

void
server_receive(struct sim *sim, struct server *server, const struct seen *m)
{
	if (text_is(m->method, "ACK")) {
		if (server->state == SERVER_COMPLETED)
			server->state = SERVER_CONFIRMED;
		return;
	}
	if (server->last != NULL && (server->state == SERVER_PROCEEDING || server->state == SERVER_COMPLETED))
		network_to_edge(sim, server->last);
}
