/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What goes into the edge, and what must have come of it when the engine's call returns.
 */
#include "witness.h"

#include "edge.h"
#include "dialog/dialog.h" /* BP_DIALOG_SIBLINGS_MAX */
#include "people.h"

#include <string.h>

static void
mark_begin(struct sim *sim, struct mark *mark, uint64_t now_us)
{
	if (mark->begin == 0) {
		mark->begin = sim->tick;
		mark->us = now_us;
	}
	mark->last_us = now_us;
	mark->count++;
	mark->busy++;
}

static void
mark_end(struct sim *sim, struct mark *mark)
{
	if (--mark->busy > 0 || mark->end > 0)
		return;
	mark->end = sim->tick;
	mark->end_us = sim->now_us;
}

/* The mark that a response makes on its branch. */
static struct mark *
response_mark(const struct sent *sent)
{
	struct branch *branch = sent->branch;

	if (strcmp(sent->method, "CANCEL") == 0)
		return sent->status >= 200 ? &branch->cancel_answered : NULL;
	if (sent->status < 200)
		return &branch->provisional;
	return sent->status < 300 && branch->up->client->invite ? &branch->accepted : &branch->refused;
}

/* Where what came in is marked; NULL: nowhere. */
static struct mark *
mark_of(const struct sent *sent)
{
	struct talk *talk;

	switch (sent->kind) {
	case SENT_REQUEST:
		return &sent->client->up->arrived;
	case SENT_CANCEL:
		return &sent->client->up->cancel;
	case SENT_ACK_HOP:
		return &sent->client->up->ack;
	case SENT_ACK_2XX:
		talk = witness_talk_of(sent->leg);
		return talk ? &talk->acked : NULL;
	default:
		return sent->branch ? response_mark(sent) : NULL;
	}
}

/* The dialog that a BYE's first final response ends, unless the BYE will come again with credentials. Its 2xx may be
 * just on its way up, or never come. */
static struct talk *
ended_talk(struct sim *sim, const struct sent *sent)
{
	const struct branch *branch = sent->branch;
	const struct leg *leg = branch->up->client->leg;
	struct talk *talk;

	if (strcmp(sent->method, "BYE") != 0 || sent->status < 200 || sent->status == 401 || sent->status == 407 ||
		leg == NULL || (branch->refused.count > 0 && branch->refused.busy == 0))
		return NULL;
	talk = witness_talk_of(leg);
	return talk != NULL ? talk : talk_new(sim, leg->call, witness_talk_tag(leg), 0);
}

static void
note_response(const struct sent *sent)
{
	struct branch *branch = sent->branch;

	if (strcmp(sent->method, "CANCEL") == 0)
		return;
	if (response_mark(sent) != &branch->refused)
		return;
	if (branch->refused.begin == 0)
		branch->status = sent->status;
	else if (branch->refused.end == 0 && branch->status != sent->status)
		branch->ambiguous = true;
}

static bool
is_answer(const struct sent *sent)
{
	return sent->branch->up->client->invite && sent->status >= 200 && sent->status < 300 &&
		strcmp(sent->method, "CANCEL") != 0;
}

void
witness_begin(struct sim *sim, struct in_hand *hand, struct sent *sent, uint64_t now_us)
{
	struct mark *mark;

	*hand = (struct in_hand){.worker = hand->worker,
		.counters = hand->counters,
		.dialogs = hand->counters->dialogs_created,
		.byes = hand->counters->dialogs_ended[BP_DIALOG_END_bye],
		.sent = sent,
		.begin = ++sim->tick,
		.now_us = now_us};
	if (sent == NULL)
		return;
	sim->totals.received++;
	if (sent->kind == SENT_RESPONSE && sent->branch != NULL) {
		hand->up = sent->branch->up;
		refresh_begin(sim, hand);
		note_response(sent);
		sent->branch->answering += is_answer(sent);
		hand->talk = ended_talk(sim, sent);
		if (hand->talk != NULL)
			mark_begin(sim, &hand->talk->bye_answered, now_us);
	} else if (sent->client != NULL) {
		hand->up = sent->client->up;
	}
	mark = mark_of(sent);
	if (mark != NULL)
		mark_begin(sim, mark, now_us);
	hand->mark = mark;
}

void
witness_unreachable(struct sim *sim, struct in_hand *hand, const char *quoted, unsigned size)
{
	static const char mark[] = ";branch=";
	const char *at = memmem(quoted, size, mark, sizeof(mark) - 1), *end;
	struct branch *branch;

	if (at == NULL)
		return;
	at += sizeof(mark) - 1;
	end = memchr(at, '\r', (size_t)(quoted + size - at));
	branch = witness_branch(sim, (struct text){at, (unsigned)((end ? end : quoted + size) - at)});
	if (branch == NULL)
		return;
	mark_begin(sim, &branch->failed, hand->now_us);
	hand->mark = &branch->failed;
	if (branch->request->leg != NULL && strcmp(branch->request->method, "BYE") == 0)
		talk_give_up(witness_talk_of(branch->request->leg), hand->now_us);
}

/* ---- what must have come of it ---- */

/* Whether the trunk has a target that none of the branches went to. */
static bool
has_more_targets(const struct sim *sim, const struct upstream *up)
{
	enum trunk trunk = up->client->call->trunk;

	return up->client->leg == NULL && trunk != NO_TRUNK &&
		up->branch_count < edge_target_count(sim->edge, trunk);
}

/* RFC 3261 16.7 step 5, RFC 6026 7.1: each 2xx goes up, also when a CANCEL was asked, and each time that it comes;
 * unless another hand has a refusal that it is about to send, or had the same 2xx at the same time and sent that. */
static void
check_2xx(struct sim *sim, const struct in_hand *hand)
{
	const struct branch *branch = hand->sent->branch;
	struct upstream *up = branch->up;

	if (branch->answering > 1 || branch->answered > hand->begin)
		return;
	if (hand->forwarded > 0 || branch->refused.begin > 0 || up->final >= 300 ||
		branch_may_be_over(sim, branch, mark_settled_us(sim, &branch->accepted)) ||
		sim->now_us >= branch->accepted.us + sim_64t1(sim) || /* timer M */
		(up->final > 0 && sim->now_us >= up->final_us + sim_64t1(sim))) /* timer L */
		return;
	ladder_note(sim, hand->sent->call, "??? this 2xx does not go up: who is sending a refusal just now?");
	if (up->lost_2xx == 0)
		up->lost_2xx = sim->tick;
}

/* RFC 3261 17.1.1.2: each 3xx-6xx is acknowledged, again and again until timer D is over. */
static void
check_refusal(struct sim *sim, const struct in_hand *hand)
{
	const struct branch *branch = hand->sent->branch;
	uint64_t d_us = sim->conditions.timers.d_us;

	if (hand->acked == branch || branch->accepted.begin > 0)
		return;
	if (branch_may_be_over(sim, branch, mark_settled_us(sim, &branch->refused)) ||
		sim->now_us >= branch->refused.us + d_us)
		return;
	sim_fail(sim, hand->sent->call, "a %u was not acknowledged (RFC 3261 17.1.1.2)", hand->sent->status);
}

/* Another call may just be trying the next target for this one's silence: the response then waits for that one's. */
static bool
may_be_trying_next(const struct sim *sim, const struct branch *branch)
{
	uint64_t target_us = sim->conditions.target_us;

	return branch->up->client->call->trunk == TRUNK_SERIAL && target_us > 0 && branch->provisional.end == 0 &&
		sim->now_us >= branch->us + target_us;
}

/* RFC 3261 16.7: the first final response to a non-INVITE goes up, but for a 408 (RFC 4320 4.2). */
static void
check_final(struct sim *sim, const struct in_hand *hand)
{
	const struct branch *branch = hand->sent->branch;
	const struct upstream *up = branch->up;

	if (hand->forwarded > 0 || branch->refused.begin != hand->begin || branch->refused.busy > 1 ||
		up->branch_count > 1 || up->final > 0 || up->arrived.end == 0)
		return;
	if (branch_may_be_over(sim, branch, sim->now_us) || hand->sent->status == 408 ||
		(has_more_targets(sim, up) && (hand->sent->status == 503 || may_be_trying_next(sim, branch))))
		return;
	sim_fail(sim, hand->sent->call, "a final response did not go up (RFC 3261 16.7)");
}

/* RFC 3261 16.7 step 5: provisional responses to an INVITE go up, but for 100. */
static void
check_provisional(struct sim *sim, const struct in_hand *hand)
{
	const struct branch *branch = hand->sent->branch;
	const struct upstream *up = branch->up;

	if (hand->forwarded > 0 || hand->sent->status == 100 || branch_answered(branch) || up->branch_count > 1 ||
		up->final > 0 || branch_may_be_over(sim, branch, sim->now_us) || has_more_targets(sim, up))
		return;
	sim_fail(sim, hand->sent->call, "a %u did not go up (RFC 3261 16.7 step 5)", hand->sent->status);
}

/* RFC 3261 9.2: 200 when there is a transaction, 481 when there is none. */
static void
check_cancel(struct sim *sim, const struct in_hand *hand)
{
	const struct upstream *up = hand->up;
	unsigned status = hand->cancel_status;

	if (status != 200 && status != 481)
		sim_fail(sim, hand->sent->call, "a CANCEL was answered %u", status);
	else if (status == 481 && mark_before(&up->arrived, hand) && up->branch_count > 0 &&
		!upstream_may_be_over(sim, up, sim->now_us))
		sim_fail(sim, hand->sent->call, "a CANCEL was answered 481, though its transaction is there");
	else if (status == 200 && up->arrived.begin == 0)
		sim_fail(sim, hand->sent->call, "a CANCEL was answered 200, though nothing is there to cancel");
}

static unsigned
dialogs_of(const struct call *call)
{
	unsigned count = 0;

	for (const struct talk *talk = call->talks; talk != NULL; talk = talk->next)
		count += talk->created;
	return count;
}

/* RFC 3261 13.2.2.4: one dialog for each To tag, up to a limit. */
static void
check_made(struct sim *sim, const struct in_hand *hand)
{
	const struct sent *sent = hand->sent;
	uint64_t made = hand->counters->dialogs_created - hand->dialogs;
	struct talk *talk;

	if (strcmp(sent->method, "INVITE") != 0 || sent->status / 100 != 2 || sent->branch->up->client->leg != NULL)
		return;
	talk = witness_talk(sent->call, text_hash(sent->seen.to_tag));
	if (made + (talk != NULL && talk->created) > 1 || (made > 0 && (talk == NULL || talk->us == 0)))
		sim_fail(sim, sent->call, "one dialog too many was made");
	if (talk == NULL || talk->us == 0 || talk->made > 0)
		return;
	if (made > 0)
		talk->answered_us = hand->now_us;
	talk->created = talk->created || made > 0;
	if (sent->branch->accepted.busy > 0)
		return;
	if (talk->created)
		talk->made = sim->tick;
	else if (dialogs_of(sent->call) < BP_DIALOG_SIBLINGS_MAX)
		sim_fail(sim, sent->call, "no dialog was made of a 2xx (RFC 3261 13.2.2.4)");
}

static const struct branch *
first_branch(const struct upstream *up)
{
	const struct branch *branch = up->branches;

	while (branch->next != NULL)
		branch = branch->next;
	return branch;
}

/* RFC 3261 15.1.1: the dialog is over, once; unless the reaper was first. */
static void
check_bye(struct sim *sim, const struct in_hand *hand)
{
	struct talk *talk = hand->talk;
	uint64_t byes = hand->counters->dialogs_ended[BP_DIALOG_END_bye] - hand->byes;

	mark_end(sim, &talk->bye_answered);
	if (byes + talk->ended > 1)
		sim_fail(sim, hand->sent->call, "a dialog was ended twice");
	if (byes > 0) {
		talk->bye_us = first_branch(hand->sent->branch->up)->us;
		talk->bye_from_callee = hand->sent->branch->up->client->leg->side == CALLEE;
	}
	talk->ended = talk->ended || byes > 0;
	if (hand->sent->branch->refused.begin == hand->begin && !talk->ended && talk->made > 0 &&
		talk->made < hand->begin && talk->bye_answered.busy == 0 && sim->now_us < talk_end_us(sim, talk) &&
		!branch_may_be_over(sim, hand->sent->branch, sim->now_us))
		sim_fail(sim, hand->sent->call, "a BYE was answered, but its dialog goes on (RFC 3261 15.1.1)");
}

static void
end_answer(const struct sim *sim, const struct in_hand *hand)
{
	struct branch *branch = hand->sent->branch;

	branch->answering--;
	if (hand->forwarded > 0)
		branch->answered = sim->tick + 1;
}

static void
check_response(struct sim *sim, const struct in_hand *hand)
{
	const struct sent *sent = hand->sent;

	if (strcmp(sent->method, "CANCEL") == 0)
		return;
	if (!sent->branch->up->client->invite) {
		if (sent->status >= 200)
			check_final(sim, hand);
	} else if (sent->status < 200)
		check_provisional(sim, hand);
	else if (sent->status < 300)
		check_2xx(sim, hand);
	else
		check_refusal(sim, hand);
}

/* A final response may be about to go up. */
static bool
may_be_ending(const struct sim *sim, const struct upstream *up)
{
	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next)
		if (branch_answered(branch) || branch_may_be_over(sim, branch, sim->now_us))
			return true;
	return false;
}

/* RFC 3261 17.2: a request that comes again is answered as before, while there is an answer and nobody has acknowledged
 * it. */
static void
check_repeated(struct sim *sim, const struct in_hand *hand)
{
	const struct client *client = hand->sent->client;
	const struct upstream *up = hand->up;
	bool owed = up->final_end > 0 && up->final_end < hand->begin;

	if (hand->answers > 0 || client->up != up || up->branch_count == 0 || !mark_before(&up->arrived, hand) ||
		upstream_may_be_over(sim, up, sim->now_us))
		return;
	if (client->invite && up->final == 0)
		owed = !may_be_ending(sim, up);
	else if (client->invite)
		owed = owed && up->final >= 300 && up->ack.begin == 0;
	if (owed)
		sim_fail(sim, client->call, "a repeated %s got no answer (RFC 3261 17.2)", client->method);
}

/* RFC 3261 13.2.2.4, 16.11: the ACK of a 2xx goes on, each time that it comes. */
static void
check_ack(struct sim *sim, const struct in_hand *hand)
{
	const struct talk *talk = witness_talk_of(hand->sent->leg);
	const struct client *client = hand->sent->call->first;

	if (text_is(hand->sent->seen.branch[0], client->branch) && upstream_may_be_over(sim, client->up, sim->now_us))
		return; /* nothing tells it from the ACK of a refusal */
	if (hand->forwarded == 0 && talk != NULL && talk_is_up(sim, talk, hand))
		sim_fail(sim, hand->sent->call, "the ACK of a 2xx did not go on (RFC 3261 16.11)");
}

static void
check_request(struct sim *sim, const struct in_hand *hand)
{
	switch (hand->sent->kind) {
	case SENT_REQUEST:
		check_repeated(sim, hand);
		break;
	case SENT_CANCEL:
		check_cancel(sim, hand);
		break;
	case SENT_ACK_2XX:
		check_ack(sim, hand);
		break;
	default:
		break;
	}
}

/* What is true once the call has returned. */
static void
note_end(const struct sim *sim, const struct in_hand *hand)
{
	const struct sent *sent = hand->sent;

	if (hand->finished != NULL)
		hand->finished->final_end = sim->tick;
	if (sent != NULL && sent->kind == SENT_RESPONSE && sent->branch != NULL && sent->status > 100 &&
		sent->status < 200) {
		/* until now timer C may have been that of the one before, and come up */
		if (hand->now_us + SECONDS(1) >= sent->branch->refresh_us + sim->conditions.timers.c_us)
			sent->branch->c_due = true;
		sent->branch->refresh_us = hand->now_us;
	}
}

static bool
sent_in_dialog(const struct in_hand *hand)
{
	return hand->sent != NULL && hand->sent->kind == SENT_REQUEST && hand->sent->leg != NULL && hand->forwarded > 0;
}

/* RFC 3261 12.2.2: the highest of each side. Of a request that came before the dialog was sure to be there, in the hand of
 * another worker, it may know nothing. */
static void
note_cseq(const struct sim *sim, const struct in_hand *hand)
{
	const struct sent *sent = hand->sent;
	struct talk *talk = witness_talk_of(sent->leg);
	enum side side = sent->leg->side;

	if (talk == NULL || talk->made == 0 || talk->made > hand->begin || sent->seen.cseq <= talk->cseq[side])
		return;
	talk->cseq[side] = sent->seen.cseq;
	talk->cseq_tick[side] = sim->tick;
}

void
witness_end(struct sim *sim, struct in_hand *hand)
{
	if (hand->sent != NULL && hand->sent->kind == SENT_RESPONSE && hand->sent->branch != NULL) {
		check_response(sim, hand);
		if (is_answer(hand->sent))
			end_answer(sim, hand);
	}
	if (hand->sent != NULL)
		check_request(sim, hand);
	sim->tick++;
	note_end(sim, hand);
	if (hand->mark != NULL)
		mark_end(sim, hand->mark);
	if (hand->sent != NULL && hand->sent->kind == SENT_RESPONSE && hand->sent->branch != NULL)
		check_made(sim, hand);
	if (hand->talk != NULL)
		check_bye(sim, hand);
	if (hand->refreshed != NULL)
		refresh_end(sim, hand);
	if (sent_in_dialog(hand))
		note_cseq(sim, hand);
}
