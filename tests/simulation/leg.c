/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Legs: each side of each dialog (RFC 3261 12), the requests within it, its end (15).
 */
#include "people.h"

#include <stdio.h>
#include <string.h>

#define EDGE_URI(core) ((core) ? "sip:10.0.0.1:5060" : "sip:192.0.2.1:5060")

const char *
leg_callee_tag(const struct leg *leg)
{
	return leg->side == CALLEE ? leg->local_tag : leg->remote_tag;
}

struct leg *
leg_find(struct call *call, enum side side, const struct seen *m)
{
	struct text local = m->status > 0 ? m->from_tag : m->to_tag, remote = m->status > 0 ? m->to_tag : m->from_tag;
	struct leg *leg = call->legs;

	while (leg != NULL && !(leg->side == side && text_is(local, leg->local_tag) && text_is(remote, leg->remote_tag)))
		leg = leg->next;
	return leg;
}

static void
copy_tag(char *tag, size_t size, struct text text)
{
	snprintf(tag, size, "%.*s", (int)text.size, text.at);
}

/* A caller takes the route set in reverse order (12.1.2). */
static const char *
route_lines(struct sim *sim, const struct seen *m, enum side side)
{
	char lines[1024];
	int size = 0;

	for (unsigned i = 0; i < m->record_route_count; i++) {
		struct text route = m->record_routes[side == CALLER ? m->record_route_count - 1 - i : i];

		size += snprintf(lines + size, sizeof(lines) - (size_t)size, "Route: %.*s\r\n", (int)route.size,
			route.at);
	}
	return sim_copy(sim, (struct text){lines, (unsigned)size});
}

/* "sip:c12@...": agent 12 of the core. */
static struct agent *
owner_of(const struct sim *sim, struct text contact)
{
	bool core = contact.size > 5 && contact.at[4] == 'c';

	return sim->agents[core][text_number((struct text){contact.at + 5, contact.size - 5})];
}

void
leg_refresh(struct sim *sim, struct leg *leg, const struct seen *m)
{
	leg->target = sim_copy(sim, m->contact);
	leg->routes = route_lines(sim, m, leg->side);
	leg->peers[0] = owner_of(sim, m->contact);
	leg->peers[1] = leg->side == CALLER ? sim->sents[m->serial - 1]->agent : leg->peers[0];
}

struct leg *
leg_new(struct sim *sim, struct call *call, struct agent *agent, enum side side, const char *tag, const struct seen *m)
{
	struct leg *leg = sim_alloc(sim, sizeof(*leg));

	leg->call = call;
	leg->agent = agent;
	leg->side = side;
	snprintf(leg->local_tag, sizeof(leg->local_tag), "%s", tag);
	copy_tag(leg->remote_tag, sizeof(leg->remote_tag), side == CALLER ? m->to_tag : m->from_tag);
	leg->cseq = side == CALLER ? 1 : 100;
	leg_refresh(sim, leg, m);
	leg->deaf = sim_chance(sim, sim->conditions.rude / 4);
	leg->careful = sim_chance(sim, sim->conditions.rude / 2);
	leg->next = call->legs;
	call->legs = leg;
	return leg;
}

/* ---- requests ---- */

static bool
is_over(const struct sim *sim, const struct leg *leg)
{
	return is_dead(sim, leg->call, leg->side);
}

/* Who forgot his route set knows only the edge. */
static struct wording
words_of(const struct leg *leg, const char *method, unsigned cseq, char from[32], char to[32])
{
	const char *const names[SIDES] = {"caller", "callee"};
	bool routeless = leg->agent->routeless;

	snprintf(from, 32, "sip:%s%u@example.com", names[leg->side], leg->call->index);
	snprintf(to, 32, "sip:%s%u@example.com", names[!leg->side], leg->call->index);
	return (struct wording){
		.method = method,
		.uri = routeless ? EDGE_URI(leg->agent->core) : leg->target,
		.routes = routeless ? NULL : leg->routes,
		.from = from,
		.from_tag = leg->local_tag,
		.to = to,
		.to_tag = leg->remote_tag,
		.contact = strcmp(method, "ACK") == 0 ? NULL : leg->agent->contact,
		.cseq = cseq,
	};
}

struct client *
leg_request(struct sim *sim, struct leg *leg, const char *method)
{
	char from[32], to[32];
	struct wording wording = words_of(leg, method, ++leg->cseq, from, to);
	struct client *client;

	wording.body = strcmp(method, "BYE") == 0 ? 0 : 20 + sim_below(sim, 100);
	client = client_new(sim, leg->agent, leg->call, leg, &wording);
	client_start(sim, client);
	return client;
}

void
leg_ack(struct sim *sim, struct leg *leg, unsigned cseq)
{
	char from[32], to[32];
	struct wording wording = words_of(leg, "ACK", cseq, from, to);

	if (is_over(sim, leg))
		return;
	if (leg->ack == NULL || leg->ack->seen.cseq != cseq)
		leg->ack = client_ack_2xx(sim, leg, &wording);
	network_to_edge(sim, leg->ack);
}

/* Challenged, it comes again, with credentials. */
static void
bye_answered(struct sim *sim, struct client *client, unsigned status, const struct seen *m)
{
	if (m != NULL && status == 401 && !is_over(sim, client->leg))
		leg_request(sim, client->leg, "BYE");
}

void
leg_bye(struct sim *sim, struct leg *leg)
{
	if (leg->ended || is_over(sim, leg))
		return;
	leg->ended = true;
	leg_request(sim, leg, "BYE")->answered = bye_answered;
}

static void
reinvite_answered(struct sim *sim, struct client *client, unsigned status, const struct seen *m)
{
	if (status >= 200)
		client->leg->pending = false;
	if (status >= 200 && status < 300 && m != NULL)
		leg_ack(sim, client->leg, m->cseq);
}

static void
cancel_later(struct sim *sim, void *object, uint64_t unused)
{
	struct client *client = object;

	if (client->state < CLIENT_COMPLETED)
		client_cancel(sim, client);
}

/* Something within the dialog; some of it is taken back at once. */
static void
do_something(struct sim *sim, void *object, uint64_t unused)
{
	static const char *const methods[] = {"INVITE", "INVITE", "INFO", "UPDATE", "OPTIONS", "MESSAGE", "NOTIFY"};
	const char *method = methods[sim_below(sim, sizeof(methods) / sizeof(methods[0]))];
	struct leg *leg = object;
	struct client *client;

	if (leg->ended || leg->pending || is_over(sim, leg))
		return;
	client = leg_request(sim, leg, method);
	if (client->invite) {
		leg->pending = true;
		client->answered = reinvite_answered;
	}
	if (sim_chance(sim, sim->conditions.cancels / 4))
		sim_after(sim, sim_chance(sim, 500) ? 0 : sim_between(sim, 0, SECONDS(2)), cancel_later, client, 0);
}

static void
hang_up(struct sim *sim, void *object, uint64_t unused)
{
	leg_bye(sim, object);
}

void
leg_live(struct sim *sim, struct leg *leg)
{
	const struct caller_plan *plan = &leg->call->plan;
	uint64_t talk_us = plan->talk_us[leg->side];

	for (unsigned i = 0; i < plan->requests; i++)
		sim_after(sim, sim_between(sim, 0, talk_us < SECONDS(60) ? talk_us : SECONDS(60)), do_something, leg, 0);
	if (talk_us != NEVER)
		sim_after(sim, talk_us, hang_up, leg, 0);
}

/* ---- what the other side sends ---- */

/* 13.3.1.4: at T1, doubled up to T2, for 64*T1; who gets no ACK ends it with a BYE. */
static void
repeat_answer(struct sim *sim, void *object, uint64_t argument)
{
	const struct bp_config_timers *timers = &sim->conditions.timers;
	struct leg *leg = object;
	uint64_t serial = argument & UINT32_MAX, interval_us = argument >> 32;

	if (leg->answer == NULL || leg->answer->serial != serial || is_over(sim, leg))
		return;
	if (sim->now_us >= leg->answer_us + sim_64t1(sim)) {
		leg->answer = NULL;
		leg_bye(sim, leg);
		return;
	}
	network_to_edge(sim, leg->answer);
	interval_us = 2 * interval_us > timers->t2_us ? timers->t2_us : 2 * interval_us;
	sim_after(sim, interval_us, repeat_answer, leg, interval_us << 32 | serial);
}

void
leg_answer(struct sim *sim, struct leg *leg, struct sent *answer)
{
	uint64_t t1_us = sim->conditions.timers.t1_us;

	leg->answer = answer;
	leg->answer_us = sim->now_us;
	sim_after(sim, t1_us, repeat_answer, leg, t1_us << 32 | answer->serial);
}

static void
receive_ack(struct sim *sim, struct leg *leg, const struct seen *m)
{
	bool first = leg->side == CALLEE && !leg->acked;

	if (leg->answer == NULL || leg->answer->seen.cseq != m->cseq)
		return;
	leg->answer = NULL;
	leg->acked = true;
	if (first)
		leg_live(sim, leg);
}

static void
answer_reinvite(struct sim *sim, void *object, uint64_t unused)
{
	struct server *server = object;
	struct leg *leg = server->leg;
	struct sent *answer;

	if (server->state != SERVER_PROCEEDING)
		return;
	if (leg->ended || leg->pending || leg->answer != NULL || sim_chance(sim, 150)) {
		server_respond(sim, server, leg->ended ? 481 : leg->pending ? 491 : 488);
		return;
	}
	answer = server_accept(sim, server, 200, NULL);
	if (answer != NULL)
		leg_answer(sim, leg, answer);
}

static void
answer_request(struct sim *sim, void *object, uint64_t unused)
{
	server_respond(sim, object, sim_chance(sim, 850) ? 200 : 400 + sim_below(sim, 100));
}

static void
receive_bye(struct sim *sim, struct leg *leg, struct server *server)
{
	bool was_early = leg->early;

	if (leg->careful && !leg->deaf) {
		leg->careful = false;
		server_respond(sim, server, 401);
		return;
	}
	leg->ended = true;
	leg->early = false;
	leg->answer = NULL;
	if (leg->deaf)
		return;
	server_respond(sim, server, 200);
	if (was_early && leg->invited != NULL)
		callee_bye(sim, leg->invited);
}

void
leg_receive(struct sim *sim, struct leg *leg, struct server *server, const struct seen *m)
{
	uint64_t delay_us = sim_chance(sim, 500) ? 0 : sim_between(sim, 0, SECONDS(4));

	if (server == NULL) {
		receive_ack(sim, leg, m);
		return;
	}
	server->leg = leg;
	server->at = leg->agent;
	if (text_is(m->method, "BYE"))
		receive_bye(sim, leg, server);
	else if (leg->ended)
		server_respond(sim, server, 481);
	else if (server->invite)
		sim_after(sim, delay_us, answer_reinvite, server, 0);
	else if (!sim_chance(sim, sim->conditions.silents))
		sim_after(sim, delay_us, answer_request, server, 0);
}
