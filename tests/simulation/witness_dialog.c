/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What ends a dialog but a BYE: refreshes that fail (RFC 3261 12.2.1.2), sessions that expire (RFC 4028 8.2), and the
 * edge's own BYE and ACK, which must have such a reason. See witness.h.
 */
#include "witness.h"

#include "edge.h"
#include "people.h"

#include <string.h>

/* A transaction of the edge without a server side. */
struct own {
	uint64_t hash;
	unsigned sends;
	const struct agent *to;
};

static bool
is_refresh(const struct branch *branch)
{
	return strcmp(branch->up->client->method, "INVITE") == 0 || strcmp(branch->up->client->method, "UPDATE") == 0;
}

void
talk_refresh(struct talk *talk, struct branch *branch)
{
	if (talk == NULL || !is_refresh(branch))
		return;
	branch->next_refresh = talk->refreshes;
	talk->refreshes = branch;
}

/* When this one may have been found to have failed; NEVER: not at all. */
static uint64_t
failed_us(const struct sim *sim, const struct branch *branch)
{
	const struct mark *refused = &branch->refused;
	uint64_t silent_us = branch->us + sim_64t1(sim);

	if (refused->begin > 0 && (branch->status == 408 || branch->status == 481 || branch->ambiguous))
		return refused->us;
	if (refused->begin > 0 && mark_settled_us(sim, refused) < silent_us)
		return NEVER;
	if (branch->accepted.begin > 0 && mark_settled_us(sim, &branch->accepted) < silent_us)
		return NEVER;
	return silent_us; /* timers B and F, C later */
}

uint64_t
talk_refresh_end_us(const struct sim *sim, const struct talk *talk)
{
	uint64_t end_us = NEVER;

	for (const struct branch *branch = talk->refreshes; branch != NULL; branch = branch->next_refresh) {
		uint64_t us = failed_us(sim, branch);

		end_us = us < end_us ? us : end_us;
	}
	return end_us;
}

/* A 2xx to a refresh went up; of two at nearly the same time either may have been the last to count. */
void
talk_session(const struct in_hand *hand, struct talk *talk, const struct seen *m)
{
	uint64_t end_us = m->session > 0 ? hand->now_us + SECONDS(m->session) : NEVER;
	bool again = talk->session_noted_us > 0 && hand->now_us < talk->session_noted_us + SECONDS(2);

	if (m->session > 0)
		talk->had_session = true;
	if (again && (end_us > talk->session_us + SECONDS(3) || talk->session_us > end_us + SECONDS(3)))
		talk->unsure_session = true;
	if (!again || end_us < talk->session_us)
		talk->session_us = end_us;
	talk->session_noted_us = hand->now_us;
}

bool
talk_may_grow_old(const struct sim *sim, const struct talk *talk)
{
	return !talk->had_session || talk->unsure_session || talk->refreshes != NULL ||
		talk->session_us + SECONDS(2) >= talk->us + sim->conditions.dialog_us;
}

void
refresh_begin(struct sim *sim, struct in_hand *hand)
{
	const struct sent *sent = hand->sent;
	const struct branch *branch = sent->branch;
	struct talk *talk = branch->up->client->leg ? witness_talk_of(branch->up->client->leg) : NULL;

	if (talk == NULL || !is_refresh(branch) || (sent->status != 408 && sent->status != 481) ||
		strcmp(sent->method, "CANCEL") == 0 || branch->refused.begin > 0 || !talk_is_up(sim, talk, hand))
		return;
	hand->refreshed = talk;
	hand->refreshed_until_us = talk_end_us(sim, talk);
	hand->refresh_failures = hand->counters->dialogs_ended[BP_DIALOG_END_refresh_failed];
}

/* RFC 3261 12.2.1.2. */
void
refresh_end(struct sim *sim, const struct in_hand *hand)
{
	const struct branch *branch = hand->sent->branch;
	const struct talk *talk = hand->refreshed;

	if (talk == NULL || branch->refused.count > 1 || talk->bye_answered.begin > 0 ||
		sim->now_us >= hand->refreshed_until_us || branch->accepted.begin > 0 ||
		branch_may_be_over(sim, branch, sim->now_us) ||
		hand->counters->dialogs_ended[BP_DIALOG_END_refresh_failed] > hand->refresh_failures)
		return;
	for (const struct branch *other = talk->refreshes; other != NULL; other = other->next_refresh)
		if (other != branch && failed_us(sim, other) <= sim->now_us)
			return;
	sim_fail(sim, hand->sent->call, "a refresh failed, but its dialog goes on (RFC 3261 12.2.1.2)");
}

/* ---- the edge's own requests ---- */

static struct talk *
talk_of(const struct call *call, const struct agent *to, const struct seen *m, enum side *side)
{
	*side = to == call->caller || text_is(m->to_tag, call->caller_tag) ? CALLER : CALLEE;
	return witness_talk((struct call *)call, text_hash(*side == CALLER ? m->from_tag : m->to_tag));
}

/* An ACK that overtook the making of the dialog, in another hand, is not known to it. */
static bool
is_near(const struct sim *sim, const struct talk *talk)
{
	return !talk_is_acked(sim, talk) || talk->acked.us + SECONDS(1) >= talk->us + sim_64t1(sim);
}

static const char *
fault_of_own(const struct sim *sim, const struct in_hand *hand, const struct talk *talk, enum side side,
	const struct seen *m)
{
	bool ack = text_is(m->method, "ACK");
	uint64_t no_ack_us, now_us = hand->now_us + SECONDS(1); /* another hand may have made the dialog, a little before */

	if (!edge_config(sim->edge)->reap_by_bye)
		return "though it is to be silent";
	if (talk == NULL || talk->us == 0)
		return "to a dialog that there is not";
	no_ack_us = talk->us + sim_64t1(sim);
	if (m->serial != 0 || m->body.size > 0 || m->essence.via_count != 1)
		return "that is not its own";
	if (ack && (side != CALLEE || !is_near(sim, talk) || now_us < no_ack_us || m->cseq != 1))
		return "that nothing asks for";
	if (!ack && now_us < talk_end_us(sim, talk) && !(is_near(sim, talk) && now_us >= no_ack_us))
		return "to a dialog that is up";
	if (!ack && talk->cseq_tick[!side] < hand->begin && m->cseq <= talk->cseq[!side])
		return "whose CSeq is not higher than the last one (RFC 3261 12.2.1.1)";
	return NULL;
}

static void
check_own_way(struct sim *sim, struct call *call, const struct agent *to, enum side side, const struct seen *m)
{
	for (const struct leg *leg = call->legs; leg != NULL; leg = leg->next)
		if (leg->side == side && leg->agent == to && text_is(m->to_tag, leg->local_tag))
			return;
	if (side == CALLER ? to != call->caller : !to->core && to != call->phone)
		sim_fail(sim, call, "the edge's own %.*s went to %s", (int)m->method.size, m->method.at, to->contact);
}

void
witness_own(struct sim *sim, struct in_hand *hand, struct call *call, const struct agent *to, const struct seen *m,
	uint64_t hash)
{
	enum side side;
	struct talk *talk = talk_of(call, to, m, &side);
	struct own *own = map_find(sim->owns, text_hash(m->branch[0]));
	const char *fault;

	if (own != NULL) {
		if (own->hash != hash || own->to != to || ++own->sends > witness_sends_max(sim, false))
			sim_fail(sim, call, "the edge's own %.*s was not repeated as it should be", (int)m->method.size,
				m->method.at);
		return;
	}
	fault = fault_of_own(sim, hand, talk, side, m);
	if (fault != NULL)
		sim_fail(sim, call, "a %.*s of the edge's own %s", (int)m->method.size, m->method.at, fault);
	check_own_way(sim, call, to, side, m);
	own = sim_alloc(sim, sizeof(*own));
	*own = (struct own){.hash = hash, .sends = 1, .to = to};
	map_add(sim->owns, text_hash(m->branch[0]), own);
	if (talk != NULL && !text_is(m->method, "ACK")) {
		if (talk->byes[side]++ > 0)
			sim_fail(sim, call, "the edge said BYE twice to one side");
		sim->records[false]++;
		sim->totals.own_byes++;
	}
}
