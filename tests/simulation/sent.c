/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Messages of the user agents as they are made: each gets a serial number and is kept, so that the witness can
 * compare what comes out of the edge with what went in.
 */
#include "people.h"

#include <stdlib.h>
#include <string.h>

/* Gives a message its serial number, its bytes, and its place among all that was sent. */
static struct sent *
sent_new(struct sim *sim, enum sent_kind kind, struct agent *agent, struct call *call)
{
	struct sent *sent = sim_alloc(sim, sizeof(*sent));

	sim_append(&sim->sents, &sim->sent_count, sent);
	sent->serial = sim->sent_count;
	sent->kind = kind;
	sent->agent = agent;
	sent->call = call;
	return sent;
}

static void
sent_set(struct sent *sent, const char *bytes, unsigned size)
{
	sent->bytes = malloc(size + 1);
	memcpy(sent->bytes, bytes, size);
	sent->bytes[size] = '\0';
	sent->size = size;
	if (!message_read(sent->bytes, size, &sent->seen))
		abort();
}

struct sent *
sent_request(struct sim *sim, enum sent_kind kind, struct agent *agent, struct call *call, struct wording *wording)
{
	struct sent *sent = sent_new(sim, kind, agent, call);
	char bytes[MESSAGE_SIZE_MAX];

	wording->serial = sent->serial;
	wording->call = call->index;
	wording->sent_by = agent->sent_by;
	wording->rport = agent->rport;
	if (strcmp(wording->method, "INVITE") == 0 || strcmp(wording->method, "UPDATE") == 0) {
		wording->timer = agent->timer;
		wording->session = agent->timer ? sim->conditions.session_s : 0;
	}
	sent->method = wording->method;
	sent_set(sent, bytes, message_write_request(wording, bytes));
	return sent;
}

struct sent *
sent_response(struct sim *sim, struct agent *agent, struct call *call, const struct seen *request, unsigned status,
	const char *tag, const char *contact, unsigned body)
{
	struct sent *sent = sent_new(sim, SENT_RESPONSE, agent, call);
	char bytes[MESSAGE_SIZE_MAX];
	unsigned session = agent->timer && status / 100 == 2 ? request->session : 0;

	sent->status = status;
	sent->branch = witness_branch(sim, request->branch[0]);
	sent->method = sim_copy(sim, request->method);
	sent_set(sent, bytes, message_write_response(request, status, tag, contact, sent->serial, body, session, bytes));
	network_to_edge(sim, sent);
	return sent;
}
