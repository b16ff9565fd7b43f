/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Callees: what each does with an INVITE, a CANCEL, or a request out of the blue (RFC 3261 8.2, 9.2, 13.3). Some keep
 * the rules, some do not.
 */
#include "people.h"

#include <stdio.h>

#define RINGS_MAX 12 /* of one who never answers: each refreshes timer C */

static void
tag_of(const struct server *server, unsigned which, char tag[24])
{
	snprintf(tag, 24, "%s%.*s", server->tag, (int)which, "xxxxxxxx");
}

static unsigned
refusal(struct sim *sim)
{
	static const unsigned statuses[] = {301, 302, 401, 404, 407, 408, 480, 486, 487, 500, 503, 503, 504, 600, 603};

	return statuses[sim_below(sim, sizeof(statuses) / sizeof(statuses[0]))];
}

static uint64_t
ringing_time(struct sim *sim)
{
	switch (sim_below(sim, 8)) {
	case 0:
	case 1:
		return 0;
	case 2:
	case 3:
		return sim_between(sim, 0, SECONDS(2));
	case 4:
		return sim_chance(sim, sim->conditions.endless) ? sim_between(sim, SECONDS(30), SECONDS(260))
								: sim_between(sim, 0, SECONDS(8));
	default:
		return sim_between(sim, 0, SECONDS(20));
	}
}

static void
plan(struct sim *sim, struct callee_plan *plan)
{
	const struct conditions *c = &sim->conditions;

	plan->trying = sim_chance(sim, 300);
	plan->ring_us = sim_chance(sim, 500) ? 0 : sim_between(sim, 0, 4 * c->timers.t1_us);
	plan->rings = sim_below(sim, 4);
	plan->answer_us = plan->ring_us + ringing_time(sim);
	plan->status = sim_chance(sim, c->refusals) ? refusal(sim) : 200;
	plan->tags = sim_chance(sim, c->forks) ? 2 + sim_below(sim, 3) : 1;
	if (sim_chance(sim, c->twice))
		plan->second = sim_chance(sim, 400) ? 200 : refusal(sim);
	plan->again_us = sim_chance(sim, 300) ? 0 : sim_between(sim, 0, SECONDS(5));
	if (sim_chance(sim, c->rude))
		plan->on_cancel = (enum on_cancel)(1 + sim_below(sim, STOP_NEVER));
	plan->bye_early = sim_chance(sim, c->rude / 4);
	if (sim_chance(sim, c->endless))
		plan->answer_us = NEVER;
}

/* ---- INVITE ---- */

/* One of the phones behind this address answers. */
static void
accept(struct sim *sim, struct server *server, unsigned which)
{
	char tag[24];
	struct sent *answer;
	struct leg *leg;

	tag_of(server, which, tag);
	answer = server_accept(sim, server, 200, tag);
	if (answer == NULL)
		return;
	leg = leg_new(sim, server->call, server->at, CALLEE, tag, &server->request);
	leg->invited = server;
	leg_answer(sim, leg, answer);
	if (server->plan.bye_early)
		leg_bye(sim, leg);
}

static void
accept_more(struct sim *sim, void *object, uint64_t which)
{
	accept(sim, object, (unsigned)which);
}

/* A second final response, against the rules; a 2xx with a tag that nobody stands behind. */
static void
answer_again(struct sim *sim, void *object, uint64_t unused)
{
	struct server *server = object;
	unsigned status = server->plan.second;
	char tag[24];

	snprintf(tag, sizeof(tag), "%s%s", server->tag, sim_chance(sim, 500) ? "" : "again");
	if (!is_dead(sim, server->call, CALLEE))
		sent_response(sim, server->agent, server->call, &server->request, status,
			tag, status < 300 ? server->at->contact : NULL, 0);
}

static void
answer(struct sim *sim, void *object, uint64_t unused)
{
	struct server *server = object;
	const struct callee_plan *plan = &server->plan;

	if (server->state != SERVER_PROCEEDING || server->cancelled)
		return;
	if (server->call->plan.cancel == CANCEL_WITH_ANSWER)
		sim_after(sim, sim_chance(sim, 500) ? 0 : sim_between(sim, 0, MS(300)), caller_cancel, server->call, 0);
	if (plan->second != 0)
		sim_after(sim, plan->again_us, answer_again, server, 0);
	if (plan->status >= 300) {
		server_respond(sim, server, plan->status);
		return;
	}
	accept(sim, server, 0);
	for (unsigned i = 1; i < plan->tags; i++)
		sim_after(sim, sim_chance(sim, 300) ? 0 : sim_between(sim, 0, SECONDS(3)), accept_more, server, i);
}

static void
ring(struct sim *sim, void *object, uint64_t times)
{
	struct server *server = object;
	unsigned which = server->plan.tags > 1 ? (unsigned)times % server->plan.tags : 0;
	char tag[24];

	if (server->state != SERVER_PROCEEDING || server->cancelled || is_dead(sim, server->call, CALLEE))
		return;
	tag_of(server, which, tag);
	server->last = sent_response(sim, server->agent, server->call, &server->request, times % 3 == 1 ? 183 : 180, tag,
		server->at->contact, sim_chance(sim, 300) ? 50 : 0);
	if (times < (server->plan.answer_us == NEVER ? RINGS_MAX : server->plan.rings))
		sim_after(sim, sim_chance(sim, 500) ? sim_between(sim, 0, SECONDS(1)) : SECONDS(60), ring, server,
			times + 1);
}

static void
receive_invite(struct sim *sim, struct server *server)
{
	struct callee_plan *its = &server->plan;

	plan(sim, its);
	if (server->agent->core && sim_chance(sim, sim->conditions.forks)) /* the phones sit elsewhere */
		server->at = agent_new(sim, true);
	if (sim_chance(sim, sim->conditions.silents))
		return;
	if (its->trying)
		server_respond(sim, server, 100);
	if (its->rings > 0)
		sim_after(sim, its->ring_us, ring, server, 1);
	if (its->answer_us != NEVER)
		sim_after(sim, its->answer_us, answer, server, 0);
}

/* ---- CANCEL, BYE ---- */

static void
stop(struct sim *sim, void *object, uint64_t unused)
{
	server_respond(sim, object, 487);
}

static void
answer_cancel(struct sim *sim, struct server *server, const struct seen *m, unsigned status)
{
	sent_response(sim, server->agent, server->call, m, status, server->tag, NULL, 0);
}

void
callee_cancelled(struct sim *sim, struct server *server, const struct seen *m)
{
	enum on_cancel how = server->plan.on_cancel;

	if (how == IGNORE_CANCEL)
		return;
	answer_cancel(sim, server, m, how == REFUSE_CANCEL ? 481 : 200);
	if (how == REFUSE_CANCEL || server->state != SERVER_PROCEEDING || server->cancelled)
		return;
	if (how == ANSWER_ANYWAY) {
		answer(sim, server, 0);
		return;
	}
	server->cancelled = true;
	if (how == STOP)
		sim_after(sim, sim_chance(sim, 500) ? 0 : sim_between(sim, 0, SECONDS(1)), stop, server, 0);
	else if (how == STOP_LATE)
		sim_after(sim, sim_between(sim, 0, SECONDS(45)), stop, server, 0);
}

void
callee_bye(struct sim *sim, struct server *server)
{
	if (server->state != SERVER_PROCEEDING || server->cancelled)
		return;
	server->cancelled = true;
	stop(sim, server, 0);
}

/* ---- all else ---- */

static void
answer_plain(struct sim *sim, void *object, uint64_t unused)
{
	server_respond(sim, object, sim_chance(sim, sim->conditions.refusals) ? refusal(sim) : 200);
}

void
callee_receive(struct sim *sim, struct server *server)
{
	uint64_t delay_us = sim_chance(sim, 400) ? 0 : sim_between(sim, 0, sim_chance(sim, 800) ? SECONDS(3) : SECONDS(40));

	if (server->invite) {
		receive_invite(sim, server);
		return;
	}
	if (sim_chance(sim, sim->conditions.silents))
		return;
	if (sim_chance(sim, 200))
		server_respond(sim, server, sim_chance(sim, 500) ? 100 : 183);
	sim_after(sim, delay_us, answer_plain, server, 0);
}
