/* SPDX-License-Identifier: BSD-3-Clause
 *
 * When all timers have run out: what every transaction, every dialog and every piece of memory must have come to.
 */
#include "edge.h"
#include "people.h"

#include <string.h>

/* ---- one transaction ---- */

/* The branch still had to be cancelled when both the reason (@us, @end) and its 1xx were known: it was not over, and no
 * final response was on its way. */
static bool
had_to_be_cancelled(const struct sim *sim, const struct branch *branch, uint64_t us, uint64_t end)
{
	const struct mark *provisional = &branch->provisional;
	uint64_t known = provisional->end > end ? provisional->end : end;

	if (provisional->end == 0)
		return false;
	if (us < provisional->end_us) /* until then timer B may have been first */
		us = provisional->end_us;
	if (branch_may_be_over(sim, branch, us))
		return false;
	return !(branch->refused.begin > 0 && branch->refused.begin <= known) &&
		!(branch->accepted.begin > 0 && branch->accepted.begin <= known);
}

/* Whether a final response, or the 2xx that becomes it, may have been first. */
static bool
came_too_late(const struct upstream *up, const struct mark *cancel)
{
	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next)
		if (branch->accepted.begin > 0 && branch->accepted.begin <= cancel->end)
			return true;
	return up->final > 0 && up->final_begin <= cancel->end;
}

/* RFC 3261 9.2, 16.10: a CANCEL that was answered 200 leaves no branch ringing. */
static void
judge_cancel(struct sim *sim, const struct upstream *up)
{
	if (up->cancel_status != 200 || up->cancel.end == 0 || came_too_late(up, &up->cancel))
		return;
	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next)
		if (branch->cancels == 0 && had_to_be_cancelled(sim, branch, up->cancel.end_us, up->cancel.end))
			sim_fail(sim, up->client->call, "the CANCEL was never sent to %s, who is ringing",
				branch->to->contact);
}

/* What decided the branch, if it was sure to be first on it; NULL: nothing that stops the others. */
static const struct mark *
decision(const struct sim *sim, const struct branch *branch)
{
	const struct mark *accepted = &branch->accepted, *refused = &branch->refused;

	if (accepted->end > 0 && (refused->begin == 0 || accepted->end < refused->begin))
		return branch_may_be_over(sim, branch, mark_settled_us(sim, accepted)) ? NULL : accepted;
	if (refused->end == 0 || branch->ambiguous || accepted->begin > 0 ||
		branch_may_be_over(sim, branch, mark_settled_us(sim, refused)))
		return NULL;
	if (branch->status >= 600 && !branch_may_be_abandoned(sim, branch, mark_settled_us(sim, refused)))
		return refused;
	return branch->status < 300 ? refused : NULL;
}

/* When it was sure that @why stops the others: another branch may have decided at the same time, and do the work. */
static uint64_t
decided_end(const struct upstream *up, const struct mark *why)
{
	uint64_t end = why->end;

	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next) {
		if (branch->accepted.begin > 0 && branch->accepted.begin <= end && branch->accepted.end > end)
			end = branch->accepted.end;
		if (branch->refused.begin > 0 && branch->refused.begin <= end && branch->refused.end > end)
			end = branch->refused.end;
	}
	return end;
}

/* RFC 3261 16.7 steps 5 and 10: a 2xx or 6xx on one branch leaves no other ringing. */
static void
judge_losers(struct sim *sim, const struct upstream *up)
{
	for (const struct branch *winner = up->branches; winner != NULL; winner = winner->next) {
		const struct mark *why = decision(sim, winner);

		if (why == NULL)
			continue;
		for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next)
			if (branch != winner && branch->cancels == 0 && branch->us <= why->us &&
				had_to_be_cancelled(sim, branch, why->end_us, decided_end(up, why)))
				sim_fail(sim, up->client->call,
					"%s is left ringing, though %s has decided (RFC 3261 16.7)",
					branch->to->contact, winner->to->contact);
	}
}

/* Whether the next target was tried for this branch's silence, and long enough ago. */
static bool
was_abandoned(const struct sim *sim, const struct branch *branch)
{
	uint64_t said_us = branch->provisional.us;

	for (const struct branch *next = branch->up->branches; next != branch; next = next->next)
		if (next->next == branch)
			return branch_may_be_abandoned(sim, branch, said_us) && next->us + SECONDS(1) < said_us;
	return false;
}

/* Who wakes up after that is told to stop; else he would ring beside the next one. */
static void
judge_abandoned(struct sim *sim, const struct upstream *up)
{
	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next)
		if (branch->cancels == 0 && was_abandoned(sim, branch) &&
			had_to_be_cancelled(sim, branch, branch->provisional.us, branch->provisional.end))
			sim_fail(sim, up->client->call, "%s was given up and is left ringing", branch->to->contact);
}

/* Nothing at all came back: then the request, and the CANCEL, must have been repeated. Some, because workers are
 * late. */
static void
judge_repetition(struct sim *sim, const struct upstream *up)
{
	unsigned enough = up->client->invite ? 5 : 8;
	bool once_a_t2 = !up->client->invite; /* after its 1xx (17.1.2.2) */

	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next) {
		bool silent = branch->provisional.begin == 0 && !branch_answered(branch);

		if (silent && branch->failed.begin == 0 && branch->sends < enough)
			sim_fail(sim, up->client->call, "a %s without an answer was sent %u times only",
				up->client->method, branch->sends);
		if (once_a_t2 && !branch_answered(branch) && branch->failed.begin == 0 && branch->sends < 6)
			sim_fail(sim, up->client->call, "a %s without a final response was sent %u times only",
				up->client->method, branch->sends);
		if (branch->cancels > 0 && branch->cancels < 8 && branch->cancel_answered.begin == 0 &&
			!branch_answered(branch) && up->client->invite)
			sim_fail(sim, up->client->call, "a CANCEL without an answer was sent %u times only",
				branch->cancels);
	}
	if (up->client->invite && up->final >= 300 && up->branch_count > 0 && up->ack.begin == 0 && up->finals < 8)
		sim_fail(sim, up->client->call, "a %u without an ACK was sent %u times only", up->final, up->finals);
}

/* Whether another branch was sure to be pending when @branch had its answer. */
static bool
others_were_pending(const struct sim *sim, const struct branch *branch)
{
	uint64_t us = branch->refused.us;

	for (const struct branch *other = branch->up->branches; other != NULL; other = other->next)
		if (other != branch && !(other->refused.begin > 0 && other->refused.begin < branch->refused.begin) &&
			other->us <= us && !branch_may_be_over(sim, other, us) &&
			!branch_may_be_abandoned(sim, other, us))
			return true;
	return false;
}

/* A non-INVITE gets no 408 (RFC 4320 4.2). Of several branches, the silence of one may be better than what the others
 * said, but for a 2xx; and that comes too late when all that were not given up are over. */
static bool
was_answered(const struct sim *sim, const struct upstream *up)
{
	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next) {
		uint64_t settled_us = mark_settled_us(sim, &branch->refused);

		if (branch->refused.begin == 0 || branch->status == 408 || branch->ambiguous ||
			branch_may_be_over(sim, branch, settled_us))
			continue;
		if (up->branch_count == 1)
			return true;
		if (branch->status < 300 && (!branch_may_be_abandoned(sim, branch, settled_us) ||
						    others_were_pending(sim, branch)))
			return true;
	}
	return false;
}

static void
judge_transaction(struct sim *sim, const struct upstream *up)
{
	if (up->arrived.count > 0 && up->final == 0 && (up->client->invite || was_answered(sim, up)))
		sim_fail(sim, up->client->call, "a %s got no final response", up->client->method);
	if (up->lost_2xx > 0 && !(up->final >= 300 && up->final_begin <= up->lost_2xx))
		sim_fail(sim, up->client->call, "a 2xx did not go up (RFC 3261 16.7 step 5, RFC 6026 7.1)");
	judge_cancel(sim, up);
	judge_losers(sim, up);
	judge_abandoned(sim, up);
	judge_repetition(sim, up);
}

/* Where nothing is lost and nobody dies, every INVITE ends at its caller, too. */
static void
judge_client(struct sim *sim, const struct client *client)
{
	if (sim->conditions.loss > 0 || client->status > 0 || !client->invite || client->call->dead_us[CALLER] < NEVER ||
		client->call->dead_us[CALLEE] < NEVER || client->agent->down_us < NEVER)
		return;
	sim_fail(sim, client->call, "an INVITE was sent, but its sender saw no final response");
}

/* ---- counters ---- */

static void
judge_pair(struct sim *sim, const char *what, uint64_t taken, uint64_t returned)
{
	if (taken != returned)
		sim_fail(sim, NULL, "%s: %llu taken, %llu returned", what, (unsigned long long)taken,
			(unsigned long long)returned);
}

/* DESIGN section 9. */
static void
judge_law(struct sim *sim, const struct bp_counters *sum)
{
	static const uint8_t scope[BP_DROP_COUNT] = {
#define X(name, drop_scope, severity, text) BP_DROP_SCOPE_##drop_scope,
		BP_DROPS(X)
#undef X
	};
	uint64_t accounted = sum->forwarded + sum->answered + sum->absorbed;

	for (unsigned i = 0; i < BP_DROP_COUNT; i++)
		if (scope[i] == BP_DROP_SCOPE_MESSAGE)
			accounted += sum->drops[i];
	judge_pair(sim, "messages", edge_received(sim->edge), sum->messages_received);
	judge_pair(sim, "messages accounted for", sum->messages_received, accounted);
	judge_pair(sim, "responses not kept", 0, sum->drops[BP_DROP_response_not_kept]);
	judge_pair(sim, "timers without memory", 0, sum->drops[BP_DROP_timer_no_memory]);
}

static void
judge_memory(struct sim *sim, const struct bp_counters *sum)
{
	uint64_t ended = 0;

	for (unsigned i = 0; i < BP_DIALOG_END_COUNT; i++)
		ended += sum->dialogs_ended[i];
	judge_pair(sim, "INVITE records", sum->transactions_created[BP_KIND_INVITE],
		sum->transactions_ended[BP_KIND_INVITE]);
	judge_pair(sim, "other records", sum->transactions_created[BP_KIND_NON_INVITE],
		sum->transactions_ended[BP_KIND_NON_INVITE]);
	judge_pair(sim, "dialogs", sum->dialogs_created, ended);
	judge_pair(sim, "calls", sum->calls_reserved, sum->calls_released);
	judge_pair(sim, "kept messages", sum->kept_taken, sum->kept_returned);
	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		judge_pair(sim, "bytes of transactions", sum->kept_taken_bytes[i], sum->kept_returned_bytes[i]);
	for (unsigned i = 0; i < BP_POOL_KIND_COUNT; i++)
		if (i != BP_POOL_KIND_timer) /* each FIFO keeps its last chunk */
			judge_pair(sim, "bytes of a pool", sum->pool_taken_bytes[i], sum->pool_returned_bytes[i]);
	for (unsigned i = 0; i < BP_MACHINE_COUNT; i++)
		for (unsigned j = 0; j < BP_STATES_MAX; j++)
			judge_pair(sim, "machines in a state", sum->states_entered[i][j], sum->states_left[i][j]);
}

/* ---- dialogs ---- */

static void
judge_dialogs(struct sim *sim, const struct bp_counters *sum)
{
	uint64_t dialogs = 0, by_bye = 0, without_ack = 0, with_session = 0, with_refresh = 0, siblings = 0, aged = 0;

	for (unsigned i = 0; i < sim->conditions.calls; i++)
		for (const struct talk *talk = sim->calls[i].talks; talk != NULL; talk = talk->next) {
			dialogs += talk->created;
			by_bye += talk->ended;
			aged += talk->created && talk_may_grow_old(sim, talk);
			siblings += talk->created && talk->next != NULL; /* made when the first had ended, and what was known of the caller with it */
			with_session += talk->created && talk->had_session;
			with_refresh += talk->created && talk_refresh_end_us(sim, talk) < NEVER;
			without_ack += talk->created && (!talk_is_acked(sim, talk) ||
				talk->acked.us + SECONDS(1) >= talk->us + sim_64t1(sim));
		}
	sim->totals.dialogs = dialogs;
	judge_pair(sim, "dialogs that the witness saw", dialogs, sum->dialogs_created);
	judge_pair(sim, "dialogs ended by BYE", by_bye, sum->dialogs_ended[BP_DIALOG_END_bye]);
	if (sum->dialogs_ended[BP_DIALOG_END_no_ack] > without_ack)
		sim_fail(sim, NULL, "%llu dialogs ended for want of an ACK, at most %llu had none",
			(unsigned long long)sum->dialogs_ended[BP_DIALOG_END_no_ack], (unsigned long long)without_ack);
	if (sum->dialogs_ended[BP_DIALOG_END_expired] > aged)
		sim_fail(sim, NULL, "%llu dialogs lived to their greatest age, but only %llu had no session that ends before",
			(unsigned long long)sum->dialogs_ended[BP_DIALOG_END_expired], (unsigned long long)aged);
	if (sum->dialogs_ended[BP_DIALOG_END_session_expired] > with_session)
		sim_fail(sim, NULL, "%llu sessions expired, there were %llu",
			(unsigned long long)sum->dialogs_ended[BP_DIALOG_END_session_expired],
			(unsigned long long)with_session);
	if (sum->dialogs_ended[BP_DIALOG_END_refresh_failed] > with_refresh)
		sim_fail(sim, NULL, "%llu dialogs ended for a refresh that failed, at most %llu did",
			(unsigned long long)sum->dialogs_ended[BP_DIALOG_END_refresh_failed],
			(unsigned long long)with_refresh);
	if (sum->drops[BP_DROP_bye_not_made] > siblings)
		sim_fail(sim, NULL, "%llu BYEs of the edge's own were not made",
			(unsigned long long)sum->drops[BP_DROP_bye_not_made]);
}

/* Whether a CANCEL came before the callee's answer counts in the end: the race of RFC 3261 9.1. */
static void
count_cancel(struct sim *sim, const struct upstream *up)
{
	if (!up->client->invite || up->cancel_status != 200 || up->final == 0)
		return;
	sim->totals.cancels_won += up->final >= 300;
	sim->totals.cancels_lost += up->final < 300;
}

void
verdict(struct sim *sim)
{
	struct bp_counters sum = edge_counters(sim->edge);

	for (unsigned i = 0; i < sim->client_count; i++) {
		const struct client *client = sim->clients[i];

		if (client->of != NULL)
			continue;
		for (const struct upstream *up = client->up; up != NULL; up = up->earlier) {
			judge_transaction(sim, up);
			count_cancel(sim, up);
		}
		judge_client(sim, client);
	}
	judge_law(sim, &sum);
	judge_memory(sim, &sum);
	judge_dialogs(sim, &sum);
	judge_pair(sim, "call detail records without memory", 0, sum.drops[BP_DROP_cdr_no_memory]);
	judge_bills(sim);
	judge_pair(sim, "INVITE records that the witness saw", sim->records[true],
		sum.transactions_created[BP_KIND_INVITE]);
	judge_pair(sim, "other records that the witness saw", sim->records[false],
		sum.transactions_created[BP_KIND_NON_INVITE]);
}
