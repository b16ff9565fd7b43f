/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Client transactions of the user agents: RFC 3261 17.1 with RFC 6026. See people.h.
 */
#include "people.h"

#include <stdio.h>
#include <string.h>

/* Most phones have one Via; some sit behind a proxy, whose Via stands below. */
static const char *
via_below(struct sim *sim, const struct agent *agent)
{
	return agent->index % 8 == 3 ? "Via: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK-below\r\n" : NULL;
}

struct client *
client_new(struct sim *sim, struct agent *agent, struct call *call, struct leg *leg, struct wording *wording)
{
	struct client *client = sim_alloc(sim, sizeof(*client));

	client->index = sim->client_count;
	sim_append(&sim->clients, &sim->client_count, client);
	client->agent = agent;
	client->call = call;
	client->leg = leg;
	client->method = wording->method;
	client->invite = strcmp(wording->method, "INVITE") == 0;
	snprintf(client->branch, sizeof(client->branch), "z9hG4bK-sim-%u", client->index);
	wording->branch = client->branch;
	wording->below = via_below(sim, agent);
	client->request = sent_request(sim, SENT_REQUEST, agent, call, wording);
	client->request->client = client;
	client->request->leg = leg;
	upstream_new(sim, client);
	return client;
}

struct sent *
client_ack_2xx(struct sim *sim, struct leg *leg, struct wording *wording)
{
	char branch[24];
	struct sent *sent;

	if (leg->side == CALLER && wording->cseq == 1 && leg->agent->index % 16 == 5) /* some take the INVITE's again */
		snprintf(branch, sizeof(branch), "%s", leg->call->first->branch);
	else
		snprintf(branch, sizeof(branch), "z9hG4bK-ack-%u", sim->sent_count);
	wording->branch = branch;
	sent = sent_request(sim, SENT_ACK_2XX, leg->agent, leg->call, wording);
	sent->leg = leg;
	return sent;
}

/* ---- timers ---- */

static bool
is_over(const struct sim *sim, const struct client *client)
{
	return is_dead(sim, client->call, side_of(client->call, client->agent));
}

/* Timers A and E. */
static void
repeat(struct sim *sim, void *object, uint64_t interval_us)
{
	const struct bp_config_timers *timers = &sim->conditions.timers;
	struct client *client = object;

	if (client->state >= (client->invite ? CLIENT_PROCEEDING : CLIENT_COMPLETED) || is_over(sim, client))
		return;
	network_to_edge(sim, client->request);
	interval_us *= 2;
	if (!client->invite && (interval_us > timers->t2_us || client->state == CLIENT_PROCEEDING))
		interval_us = timers->t2_us;
	sim_after(sim, interval_us, repeat, client, interval_us);
}

/* Timers B and F. */
static void
time_out(struct sim *sim, void *object, uint64_t unused)
{
	struct client *client = object;

	if (client->state >= (client->invite ? CLIENT_PROCEEDING : CLIENT_COMPLETED) || is_over(sim, client))
		return;
	client->state = CLIENT_TERMINATED;
	if (client->answered != NULL)
		client->answered(sim, client, 408, NULL);
}

void
client_start(struct sim *sim, struct client *client)
{
	uint64_t t1_us = sim->conditions.timers.t1_us;

	network_to_edge(sim, client->request);
	sim_after(sim, t1_us, repeat, client, t1_us);
	sim_after(sim, sim_64t1(sim), time_out, client, 0);
}

/* ---- requests that are made from another: one Via, the same branch (RFC 3261 9.1, 17.1.1.3) ---- */

static struct sent *
make_from(struct sim *sim, struct client *client, enum sent_kind kind, const char *method, const char *to_tag)
{
	const struct seen *request = &client->request->seen;
	struct sent *sent;
	char from[128], to[128];
	struct wording wording = {
		.method = method,
		.uri = sim_copy(sim, request->uri),
		.branch = client->branch,
		.from = from,
		.from_tag = sim_copy(sim, request->from_tag),
		.to = to,
		.to_tag = to_tag,
		.cseq = request->cseq,
		.reason = kind == SENT_CANCEL && client->call->index % 2 ? "SIP;cause=200;text=\"elsewhere\"" : NULL,
		.routes = client->leg && !client->agent->routeless ? client->leg->routes : NULL,
	};
	const char *end = memchr(request->to.at, '>', request->to.size);

	snprintf(from, sizeof(from), "%.*s", (int)(request->from.size - 7 - request->from_tag.size),
		request->from.at + 1);
	snprintf(to, sizeof(to), "%.*s", (int)(end - request->to.at - 1), request->to.at + 1);
	sent = sent_request(sim, kind, client->agent, client->call, &wording);
	sent->client = client;
	sent->leg = client->leg;
	return sent;
}

static const char *
own_to_tag(struct sim *sim, const struct client *client)
{
	const struct seen *request = &client->request->seen;

	return request->to_tag.size > 0 ? sim_copy(sim, request->to_tag) : NULL;
}

void
client_cancel(struct sim *sim, struct client *client)
{
	struct client *cancel;

	if (client->cancel != NULL || is_over(sim, client))
		return;
	cancel = sim_alloc(sim, sizeof(*cancel));
	*cancel = (struct client){
		.agent = client->agent, .call = client->call, .leg = client->leg, .method = "CANCEL", .of = client};
	cancel->request = make_from(sim, client, SENT_CANCEL, "CANCEL", own_to_tag(sim, client));
	client->cancel = cancel;
	sim->totals.cancels++;
	client_start(sim, cancel);
}

/* ---- responses ---- */

static void
acknowledge(struct sim *sim, struct client *client, const struct seen *m)
{
	if (client->ack == NULL)
		client->ack = make_from(sim, client, SENT_ACK_HOP, "ACK", sim_copy(sim, m->to_tag));
	network_to_edge(sim, client->ack);
}

static void
receive_final(struct sim *sim, struct client *client, const struct seen *m)
{
	bool first = client->state < CLIENT_COMPLETED, accepted = client->invite && m->status < 300;

	client->finals++;
	if (client->status == 0)
		client->status = m->status;
	if (client->state < CLIENT_COMPLETED)
		client->state = CLIENT_COMPLETED;
	if (client->invite && !accepted)
		acknowledge(sim, client, m);
	if (client->answered != NULL && (first || accepted)) /* each 2xx is the transaction user's */
		client->answered(sim, client, m->status, m);
}

void
client_receive(struct sim *sim, struct client *client, const struct seen *m)
{
	if (text_is(m->method, "CANCEL"))
		client = client->cancel;
	if (client == NULL || client->state == CLIENT_TERMINATED)
		return;
	if (m->status >= 200) {
		receive_final(sim, client, m);
		return;
	}
	if (client->state > CLIENT_PROCEEDING)
		return;
	client->state = CLIENT_PROCEEDING;
	if (client->answered != NULL)
		client->answered(sim, client, m->status, m);
}
