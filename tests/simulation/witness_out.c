/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What comes out of the edge: form, way, and, for requests, whether the transaction that they belong to may send them.
 */
#include "witness.h"

#include "edge.h"
#include "people.h"
#include "sip/message.h"

#include <string.h>

static struct call *
call_of(const struct sim *sim, const struct seen *m)
{
	unsigned index;

	if (m->call_id.size < 6 || memcmp(m->call_id.at, "call-", 5) != 0)
		return NULL;
	index = text_number((struct text){m->call_id.at + 5, m->call_id.size - 5});
	return index < sim->conditions.calls ? &sim->calls[index] : NULL;
}

static struct sent *
sent_of(const struct sim *sim, const struct seen *m)
{
	return m->serial > 0 && m->serial <= sim->sent_count ? sim->sents[m->serial - 1] : NULL;
}

/* ---- requests that come from an agent ---- */

static bool
is_target(const struct sim *sim, const struct agent *to, enum trunk trunk)
{
	for (unsigned i = 0; i < edge_target_count(sim->edge, trunk); i++)
		if (edge_target(sim->edge, i) == to)
			return true;
	return false;
}

/* A dialog of a fork, made when the first one had ended already: the caller's Contact is not known any more, and one
 * without a route set leaves the Request-URI as it is. */
static bool
is_target_forgotten(const struct sim *sim, const struct sent *sent, const struct seen *m)
{
	for (const struct talk *talk = sent->call->talks; talk != NULL; talk = talk->next)
		if ((talk->ended || talk_end_us(sim, talk) <= sim->now_us) && sent->leg->side == CALLEE &&
			text_equal(m->uri, sent->seen.uri))
			return true;
	return false;
}

static void
check_way(struct sim *sim, const struct sent *sent, const struct agent *to, const struct seen *m)
{
	const struct leg *leg = sent->leg;
	bool right;

	if (leg != NULL)
		right = to == leg->peers[0] || to == leg->peers[1];
	else if (sent->call->trunk == NO_TRUNK)
		right = to == sent->call->phone;
	else
		right = is_target(sim, to, sent->call->trunk);
	if (!right)
		sim_fail(sim, sent->call, "a request went to %s, who has nothing to do with it", to->contact);
	if (leg != NULL && !text_is(m->uri, leg->target) && !is_target_forgotten(sim, sent, m))
		sim_fail(sim, sent->call, "the Request-URI is not the remote target (RFC 3261 12.2.1.1)");
}

static void
check_unchanged(struct sim *sim, const struct sent *sent, const struct seen *m)
{
	const struct essence *in = &sent->seen.essence, *out = &m->essence;

	if (in->body != out->body)
		sim_fail(sim, sent->call, "the body was changed");
	else if (in->lines != out->lines)
		sim_fail(sim, sent->call, "a header was changed that a proxy must not touch (RFC 3261 16.6)");
	else if (out->via_count != in->via_count + 1 || out->vias[2] != in->vias[1] ||
		!text_equal(m->branch[1], sent->seen.branch[0]) || !text_equal(m->sent_by[1], sent->seen.sent_by[0]))
		sim_fail(sim, sent->call, "not just one Via was pushed (RFC 3261 16.6 step 8)");
	else if (m->max_forwards != sent->seen.max_forwards - 1)
		sim_fail(sim, sent->call, "Max-Forwards is %d (RFC 3261 16.6 step 3)", m->max_forwards);
	else if (m->route_count > 0)
		sim_fail(sim, sent->call, "our Route is still there (RFC 3261 16.4)");
}

unsigned
witness_sends_max(const struct sim *sim, bool invite)
{
	uint64_t interval_us = sim->conditions.timers.t1_us, at_us = 0;
	unsigned sends = 0;

	for (; at_us < sim_64t1(sim); sends++) {
		at_us += interval_us;
		interval_us *= 2;
		if (!invite && interval_us > sim->conditions.timers.t2_us)
			interval_us = sim->conditions.timers.t2_us;
	}
	return sends;
}

static void
check_repetition(struct sim *sim, const struct in_hand *hand, struct branch *branch, uint64_t hash)
{
	struct call *call = branch->request->call;
	bool invite = branch->up->client->invite;

	branch->sends++;
	if (branch->hash != hash)
		sim_fail(sim, call, "a request was repeated with other words");
	else if (branch->sends > witness_sends_max(sim, invite))
		sim_fail(sim, call, "a request was sent %u times", branch->sends);
	else if (invite && mark_before(&branch->provisional, hand))
		sim_fail(sim, call, "an INVITE was repeated after its 1xx (RFC 3261 17.1.1.2)");
	else if (mark_before(&branch->refused, hand) || mark_before(&branch->accepted, hand))
		sim_fail(sim, call, "a request was repeated after its final response (RFC 3261 17.1)");
}

/* What sends the request to the next target: a 503, an ICMP error, silence. */
static bool
may_give_way(const struct sim *sim, const struct branch *branch)
{
	uint64_t target_us = sim->conditions.target_us, silent_us = sim->now_us - branch->us;

	if (branch->provisional.begin > 0)
		silent_us = branch->provisional.us - branch->us;
	return branch->failed.begin > 0 || branch->status == 503 || branch->ambiguous || silent_us >= sim_64t1(sim) ||
		(target_us > 0 && branch->request->call->trunk == TRUNK_SERIAL && silent_us >= target_us);
}

/* Beyond those that begin a fork each branch takes the place of one that gave way; none comes after a 6xx (16.7 step
 * 5). */
static void
check_reason_to_add(struct sim *sim, const struct in_hand *hand, const struct upstream *up)
{
	struct call *call = up->client->call;
	unsigned begins = 1, gave_way = 0;

	if (up->client->leg != NULL || call->trunk == NO_TRUNK)
		return;
	if (call->trunk == TRUNK_PARALLEL) /* the last one is of a lower priority */
		begins = edge_target_count(sim->edge, TRUNK_PARALLEL) - 1;
	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next) {
		gave_way += may_give_way(sim, branch);
		if (branch->status >= 600 && !branch->ambiguous && mark_before(&branch->refused, hand) &&
			!branch_may_be_abandoned(sim, branch, mark_settled_us(sim, &branch->refused)) &&
			!branch_may_be_over(sim, branch, mark_settled_us(sim, &branch->refused)))
			sim_fail(sim, call, "a branch was added after a %u (RFC 3261 16.7 step 5)", branch->status);
	}
	if (up->branch_count >= begins + gave_way)
		sim_fail(sim, call, "a branch was added, though none has given way");
}

/* RFC 3261 17.2: one record per request as long as it may be repeated; 16.10: no new branch once a CANCEL was asked. */
static void
check_new_branch(struct sim *sim, struct in_hand *hand, const struct upstream *up, const struct agent *to)
{
	struct call *call = up->client->call;

	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next)
		if (branch->to == to)
			sim_fail(sim, call, "a repeated %s was forwarded as a new one (RFC 3261 17.2)",
				up->client->method);
	if (up->final > 0 && up->final_tick < hand->begin)
		sim_fail(sim, call, "a branch was added after the final response");
	if (up->client->invite && up->branch_count > 0 && mark_before(&up->cancel, hand) && up->cancel_status == 200)
		sim_fail(sim, call, "a branch was added after the CANCEL (RFC 3261 16.10)");
	check_reason_to_add(sim, hand, up);
}

/* The transaction of the edge that a new branch belongs to: a record may be gone, and a late copy of its request makes
 * another. */
static struct upstream *
upstream_for(struct sim *sim, const struct in_hand *hand, const struct sent *sent)
{
	struct upstream *up = sent->client->up, *again;

	if (!upstream_may_be_over(sim, up, sim->now_us)) /* the call may have been stopped while timer F ran out */
		return up;
	again = upstream_new(sim, sent->client);
	again->arrived = (struct mark){.us = hand->now_us, .begin = hand->begin, .end = hand->begin, .count = 1};
	return again;
}

static void
new_branch(struct sim *sim, struct in_hand *hand, struct sent *sent, struct agent *to, const struct seen *m,
	uint64_t hash)
{
	struct upstream *up = upstream_for(sim, hand, sent);
	struct branch *branch = sim_alloc(sim, sizeof(*branch));

	check_new_branch(sim, hand, up, to);
	if (up->branch_count++ == 0) {
		sim->records[sent->client->invite]++;
		up->made = ++sim->tick;
	}
	*branch = (struct branch){.up = up,
		.to = to,
		.request = sent,
		.us = hand->now_us,
		.refresh_us = hand->now_us,
		.hash = hash,
		.sends = 1,
		.next = up->branches};
	up->branches = branch;
	map_add(sim->branches, text_hash(m->branch[0]), branch);
	if (sent->leg != NULL)
		talk_refresh(witness_talk_of(sent->leg), branch);
	if (sent->leg != NULL && strcmp(sent->method, "BYE") == 0) /* timer F */
		talk_give_up(witness_talk_of(sent->leg), hand->now_us + sim_64t1(sim));
}

static void
forwarded_request(
	struct sim *sim, struct in_hand *hand, struct agent *to, const struct seen *m, uint64_t hash, struct sent *sent)
{
	struct branch *branch = witness_branch(sim, m->branch[0]);

	if (sent->kind == SENT_ACK_HOP && upstream_may_be_over(sim, sent->client->up, sim->now_us))
		return; /* one that came after timer H, or I, is nothing that the edge could know */
	if (sent->kind != SENT_REQUEST && sent->kind != SENT_ACK_2XX) {
		sim_fail(sim, sent->call, "%s was forwarded, which ends at the edge (RFC 3261 9.2, 17.2.1)",
			sent->kind == SENT_CANCEL ? "a CANCEL" : "the ACK for a refusal");
		return;
	}
	check_way(sim, sent, to, m);
	check_unchanged(sim, sent, m);
	if (sent == hand->sent)
		hand->forwarded++;
	if (sent->kind == SENT_ACK_2XX)
		return;
	if (branch == NULL)
		new_branch(sim, hand, sent, to, m, hash);
	else if (branch->to != to)
		sim_fail(sim, sent->call, "a request was repeated to another");
	else
		check_repetition(sim, hand, branch, hash);
}

/* ---- requests of the edge's own ---- */

static bool
made_from(const struct branch *branch, const struct seen *m)
{
	const struct seen *request = &branch->request->seen;

	return m->essence.via_count == 1 && m->cseq == request->cseq && text_equal(m->from, request->from) &&
		text_equal(m->call_id, request->call_id) && m->body.size == 0;
}

static bool
has_reason_to_cancel(const struct sim *sim, const struct branch *branch, uint64_t now_us)
{
	const struct upstream *up = branch->up;
	uint64_t target_us = sim->conditions.target_us;

	/* of two 1xx at once the one that came first may be the last to set the timer */
	if (up->cancel.begin > 0 || branch->c_due ||
		now_us + SECONDS(1) >= branch->refresh_us + sim->conditions.timers.c_us)
		return true;
	if (target_us > 0 && up->client->call->trunk == TRUNK_SERIAL && now_us >= branch->us + target_us)
		return true;
	for (const struct branch *other = up->branches; other != NULL; other = other->next)
		if (other != branch && branch_has_decided(other))
			return true;
	return false;
}

static void
own_cancel(struct sim *sim, struct in_hand *hand, struct branch *branch, const struct seen *m)
{
	struct call *call = branch->request->call;
	const struct client *cancel = branch->up->client->cancel;

	if (!made_from(branch, m) || !text_equal(m->to, branch->request->seen.to))
		sim_fail(sim, call, "the CANCEL does not match its request (RFC 3261 9.1)");
	else if (branch->provisional.begin == 0)
		sim_fail(sim, call, "a CANCEL went out before the first 1xx (RFC 3261 9.1)");
	else if (branch->cancels == 0 && !has_reason_to_cancel(sim, branch, hand->now_us))
		sim_fail(sim, call, "a CANCEL went out that nothing asks for");
	else if (m->reason.size > 0 && (cancel == NULL || !text_equal(m->reason, cancel->request->seen.reason)))
		sim_fail(sim, call, "a CANCEL went out with a Reason that nobody gave (RFC 3326)");
	else if (m->reason.size == 0 && cancel != NULL && cancel->request->seen.reason.size > 0 &&
		branch->up->cancel_status == 200 && mark_before(&branch->up->cancel, hand) && branch->cancels == 0 &&
		!branch_answered(branch))
		sim_fail(sim, call, "a CANCEL went out without the Reason that was given (RFC 3326)");
	else if (branch->cancels == 0 && (mark_before(&branch->refused, hand) || mark_before(&branch->accepted, hand)))
		sim_fail(sim, call, "a CANCEL went out after the final response (RFC 3261 9.1)");
	else if (mark_before(&branch->cancel_answered, hand))
		sim_fail(sim, call, "a CANCEL was repeated after its final response (RFC 3261 17.1.2)");
	if (branch->cancels++ == 0)
		branch->cancel_us = hand->now_us;
	if (branch->cancels > witness_sends_max(sim, false))
		sim_fail(sim, call, "a CANCEL was sent %u times", branch->cancels);
}

static void
own_ack(struct sim *sim, struct in_hand *hand, struct branch *branch, const struct seen *m)
{
	struct call *call = branch->request->call;

	branch->acks++;
	hand->acked = branch;
	if (!branch->up->client->invite || branch->refused.begin == 0)
		sim_fail(sim, call, "an ACK went out for nothing");
	else if (!made_from(branch, m) ||
		(hand->sent != NULL && hand->sent->branch == branch && !text_equal(m->to, hand->sent->seen.to)))
		sim_fail(sim, call, "the ACK does not match what it acknowledges (RFC 3261 17.1.1.3)");
}

static void
own_request(
	struct sim *sim, struct in_hand *hand, const struct agent *to, const struct seen *m, uint64_t hash)
{
	struct branch *branch = witness_branch(sim, m->branch[0]);
	struct call *call = call_of(sim, m);

	if (branch == NULL && call != NULL && (text_is(m->method, "BYE") || text_is(m->method, "ACK")))
		witness_own(sim, hand, call, to, m, hash);
	else if (branch == NULL)
		sim_fail(sim, call_of(sim, m), "a %.*s that nobody sent", (int)m->method.size, m->method.at);
	else if (branch->to != to)
		sim_fail(sim, branch->request->call, "a %.*s went to another than its request", (int)m->method.size,
			m->method.at);
	else if (text_is(m->method, "CANCEL"))
		own_cancel(sim, hand, branch, m);
	else if (text_is(m->method, "ACK"))
		own_ack(sim, hand, branch, m);
	else
		sim_fail(sim, branch->request->call, "a %.*s of the edge's own", (int)m->method.size, m->method.at);
}

/* ---- all ---- */

static const char *
fault_of(const struct sim *sim, const struct bp_flow *to, const char *bytes, unsigned size)
{
	static struct bp_sip_message parsed;
	enum bp_sip_fault fault = bp_sip_parse(&parsed, (const uint8_t *)bytes, size, NULL);
	const struct bp_config *config = edge_config(sim->edge);
	struct text own;

	if (fault != BP_SIP_FAULT_NONE)
		return bp_sip_fault_text(fault);
	if (parsed.size != size)
		return "junk behind its end";
	if (to->listener >= config->listener_count)
		return "no such listener";
	own = (struct text){bp_sip_at(&parsed, parsed.via.sent_by), parsed.via.sent_by.size};
	if (parsed.status == 0 && !text_is(own, config->listeners[to->listener].text))
		return "its top Via is not that of the listener";
	if (parsed.status != 0 && text_is(own, config->listeners[to->listener].text))
		return "our Via was not popped";
	return NULL;
}

void
witness_sent(struct sim *sim, struct in_hand *hand, const struct bp_flow *to, const char *bytes, unsigned size)
{
	const char *fault = fault_of(sim, to, bytes, size);
	struct agent *agent = agent_at(sim, to);
	struct sent *sent;
	struct seen m;
	uint64_t hash;

	if (fault != NULL || !message_read(bytes, size, &m)) {
		sim_fail(sim, NULL, "a bad message went out (%s): %.80s", fault ? fault : "unreadable", bytes);
		return;
	}
	hash = bytes_hash(bytes, size, 0);
	sim->totals.sent++;
	sim_note(sim, hash + sim->now_us + hand->worker);
	ladder_message(sim, call_of(sim, &m), LADDER_OUT, agent, bytes, (int)hand->worker);
	if (agent == NULL) {
		sim_fail(sim, call_of(sim, &m), "a message went to a stranger: %.80s", bytes);
		return;
	}
	sent = sent_of(sim, &m);
	if (m.status > 0)
		witness_response(sim, hand, agent, &m, hash);
	else if (sent != NULL)
		forwarded_request(sim, hand, agent, &m, hash, sent);
	else
		own_request(sim, hand, agent, &m, hash);
	if (sim->failed)
		ladder_note(sim, call_of(sim, &m), "in:\n%s\nout:\n%.*s", hand->sent ? hand->sent->bytes : "(timer)",
			(int)size, bytes);
	network_from_edge(sim, to, bytes, size, call_of(sim, &m));
}
