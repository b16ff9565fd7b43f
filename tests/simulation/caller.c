/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Callers: what each has in mind, and how it takes the answers (RFC 3261 9.1, 13.2, 15).
 */
#include "people.h"

#include <stdio.h>

static void
plan_end(struct sim *sim, struct caller_plan *plan)
{
	uint64_t talk_us = sim_chance(sim, 200) ? 0 : sim_between(sim, 0, sim_chance(sim, 500) ? SECONDS(3) : SECONDS(60));
	unsigned who = sim_below(sim, 100);

	plan->talk_us[CALLER] = who < 70 ? talk_us : NEVER;
	plan->talk_us[CALLEE] = who >= 40 && who < 97 ? talk_us : NEVER; /* 40 to 69: both at once */
	plan->requests = sim_chance(sim, 300) ? sim_below(sim, 4) : 0;
}

static void
plan_call(struct sim *sim, struct caller_plan *plan)
{
	const struct conditions *c = &sim->conditions;

	if (sim_chance(sim, c->cancels))
		plan->cancel = (enum cancel_when)(1 + sim_below(sim, CANCEL_TIMES - 1));
	plan->cancel_us = sim_between(sim, 0, sim_chance(sim, 500) ? SECONDS(1) : SECONDS(40));
	plan->patience_us = sim_chance(sim, c->endless) ? NEVER : sim_between(sim, SECONDS(5), SECONDS(60));
	if (sim_chance(sim, c->rude / 4))
		plan->ack_us = NEVER;
	else if (sim_chance(sim, c->rude))
		plan->ack_us = sim_between(sim, 0, SECONDS(20));
	plan->bye_first = sim_chance(sim, c->rude / 4);
	plan->early_bye = sim_chance(sim, c->rude / 4);
	plan_end(sim, plan);
}

void
caller_plan(struct sim *sim, struct call *call)
{
	static const char *const plain[] = {"OPTIONS", "MESSAGE", "SUBSCRIBE", "PUBLISH", "EXTENSION"};
	const struct conditions *c = &sim->conditions;
	bool core = sim_chance(sim, c->core_callers);

	call->caller = agent_new(sim, core);
	call->trunk = core ? NO_TRUNK : (enum trunk)sim_below(sim, TRUNKS);
	call->phone = core ? agent_new(sim, false) : NULL;
	call->method = sim_chance(sim, c->plain) ? plain[sim_below(sim, 5)] : "INVITE";
	snprintf(call->caller_tag, sizeof(call->caller_tag), "k%u", call->index);
	for (unsigned side = 0; side < SIDES; side++)
		call->dead_us[side] = sim_chance(sim, c->deaths / 2)
			? sim->start_us + sim_between(sim, 0, c->window_us + SECONDS(60))
			: NEVER;
	if (call->phone != NULL && sim_chance(sim, c->outages / 2)) {
		call->phone->down_us = sim->start_us + sim_between(sim, 0, c->window_us);
		call->phone->icmp = sim_chance(sim, 500);
	}
	plan_call(sim, &call->plan);
}

/* ---- the way to the dialog ---- */

void
caller_cancel(struct sim *sim, void *object, uint64_t unused)
{
	struct call *call = object;

	client_cancel(sim, call->first);
}

static void
lose_patience(struct sim *sim, void *object, uint64_t unused)
{
	struct call *call = object;

	if (call->first->state < CLIENT_COMPLETED)
		client_cancel(sim, call->first);
}

static void
acknowledge(struct sim *sim, void *object, uint64_t cseq)
{
	struct leg *leg = object;

	leg->acked = true;
	leg_ack(sim, leg, (unsigned)cseq);
}

/* Of several that answer, one is talked to. */
static void
begin_dialog(struct sim *sim, struct client *client, struct leg *leg, unsigned cseq)
{
	struct call *call = client->call;
	bool unwanted = client->cancel != NULL || call->answered;

	call->answered = true;
	if (call->plan.bye_first)
		leg_bye(sim, leg);
	if (call->plan.ack_us == 0)
		acknowledge(sim, leg, cseq);
	else if (call->plan.ack_us != NEVER)
		sim_after(sim, call->plan.ack_us, acknowledge, leg, cseq);
	if (unwanted)
		leg_bye(sim, leg);
	else
		leg_live(sim, leg);
}

static void
receive_2xx(struct sim *sim, struct client *client, const struct seen *m)
{
	struct leg *leg = leg_find(client->call, CALLER, m);

	if (leg == NULL)
		leg = leg_new(sim, client->call, client->agent, CALLER, client->call->caller_tag, m);
	else if (!leg->early) { /* again */
		if (leg->acked)
			leg_ack(sim, leg, m->cseq);
		return;
	}
	if (leg->early)
		leg_refresh(sim, leg, m);
	leg->early = false;
	begin_dialog(sim, client, leg, m->cseq);
}

static void
receive_18x(struct sim *sim, struct client *client, const struct seen *m)
{
	struct call *call = client->call;
	struct leg *leg;

	if (call->plan.cancel == CANCEL_ON_18X)
		client_cancel(sim, client);
	if (!call->plan.early_bye || m->to_tag.size == 0 || m->contact.size == 0 || leg_find(call, CALLER, m) != NULL)
		return;
	leg = leg_new(sim, call, client->agent, CALLER, call->caller_tag, m);
	leg->early = true;
	leg_bye(sim, leg);
}

static void
answered(struct sim *sim, struct client *client, unsigned status, const struct seen *m)
{
	const struct caller_plan *plan = &client->call->plan;

	if (m == NULL)
		return;
	if (status == 100 && plan->cancel == CANCEL_ON_100)
		client_cancel(sim, client);
	if (status > 100 && status < 200 && client->invite)
		receive_18x(sim, client, m);
	if (status >= 200 && status < 300 && client->invite)
		receive_2xx(sim, client, m);
	if (status >= 200 && plan->cancel == CANCEL_ON_FINAL)
		client_cancel(sim, client);
}

/* ---- the first request ---- */

static void
name_callee(struct sim *sim, const struct call *call, char *uri, size_t size)
{
	static const char *const trunks[TRUNKS] = {"one", "serial", "parallel"};

	if (call->phone != NULL)
		snprintf(uri, size, "sip:a%u@%s", call->phone->index, call->phone->address);
	else
		snprintf(uri, size, "sip:%s%u@%s", trunks[call->trunk], call->index,
			sim_chance(sim, 300) ? "192.0.2.1:5060" : "example.com");
}

void
caller_start(struct sim *sim, void *object, uint64_t unused)
{
	struct call *call = object;
	char uri[96], from[48], to[48];
	struct wording wording = {
		.method = call->method,
		.uri = uri,
		.from = from,
		.from_tag = call->caller_tag,
		.to = to,
		.contact = call->caller->contact,
		.cseq = 1,
		.body = sim_chance(sim, 100) ? 1500 : sim_below(sim, 250),
	};

	if (is_dead(sim, call, CALLER))
		return;
	name_callee(sim, call, uri, sizeof(uri));
	snprintf(from, sizeof(from), "sip:caller%u@example.com", call->index);
	snprintf(to, sizeof(to), "sip:callee%u@example.com", call->index);
	call->first = client_new(sim, call->caller, call, NULL, &wording);
	call->first->answered = answered;
	client_start(sim, call->first);
	if (call->plan.cancel == CANCEL_AT_ONCE)
		client_cancel(sim, call->first);
	if (call->plan.cancel == CANCEL_AFTER)
		sim_after(sim, call->plan.cancel_us, caller_cancel, call, 0);
	if (call->plan.patience_us != NEVER)
		sim_after(sim, call->plan.patience_us, lose_patience, call, 0);
}
