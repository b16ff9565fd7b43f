/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A datagram has arrived at a user agent: to the transaction, the dialog or the person that it is for (RFC 3261
 * 17.1.3, 17.2.3, 12.2.2).
 */
#include "people.h"

#include <string.h>

static void
receive_response(struct sim *sim, struct agent *agent, const struct seen *m)
{
	static const char prefix[] = "z9hG4bK-sim-";
	unsigned size = sizeof(prefix) - 1;
	unsigned index = text_number((struct text){m->branch[0].at + size, m->branch[0].size - size});

	/* the witness has seen to it that it is the agent's own */
	client_receive(sim, sim->clients[index], m);
}

/* RFC 3261 9.2: the person decides; who knows nothing of it says so. */
static void
receive_cancel(struct sim *sim, struct agent *agent, struct call *call, struct server *server, const struct seen *m)
{
	if (server == NULL)
		sent_response(sim, agent, call, m, 481, "none", NULL, 0);
	else
		callee_cancelled(sim, server, m);
}

static void
receive_new(struct sim *sim, struct agent *agent, struct call *call, const struct seen *m)
{
	struct leg *leg = leg_find(call, side_of(call, agent), m);
	struct server *server;

	if (text_is(m->method, "ACK")) {
		if (leg != NULL)
			leg_receive(sim, leg, NULL, m);
		return;
	}
	server = server_new(sim, agent, call, m);
	if (m->to_tag.size == 0)
		callee_receive(sim, server);
	else if (leg != NULL)
		leg_receive(sim, leg, server, m);
	else
		server_respond(sim, server, 481);
}

void
agent_receive(struct sim *sim, struct agent *agent, const char *bytes, unsigned size)
{
	struct server *server;
	struct call *call;
	struct seen m;

	if (!message_read(bytes, size, &m))
		return;
	call = &sim->calls[text_number((struct text){m.call_id.at + 5, m.call_id.size - 5})];
	if (is_dead(sim, call, side_of(call, agent)))
		return;
	if (m.status > 0) {
		receive_response(sim, agent, &m);
		return;
	}
	server = server_find(sim, agent, &m);
	if (text_is(m.method, "CANCEL"))
		receive_cancel(sim, agent, call, server, &m);
	else if (server != NULL)
		server_receive(sim, server, &m);
	else
		receive_new(sim, agent, call, &m);
}
