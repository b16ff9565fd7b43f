/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The whole of what the edge does with a CANCEL (RFC 3261 9.1, 9.2, 16.10): answers it at once,
 * asks each pending branch to stop as soon as that branch has shown a 1xx, and keeps the CANCEL
 * transactions of both sides in the words of the request's own record.
 */
#include "proxy/account.h"

/* Keeps the Reason lines (RFC 3326) for the CANCELs that the branches will send. */
static void
keep_reason(struct bp_engine *engine, struct bp_record *record, const struct bp_sip_message *m)
{
	const struct bp_sip_header *reason = bp_sip_first(m, BP_SIP_REASON);
	struct bp_live *live = atomic_load(&record->live);
	struct bp_kept *kept, *none = NULL;
	unsigned size = 0;

	for (; reason != NULL; reason = bp_sip_next(m, reason))
		size += reason->line.size;
	if (size == 0 || live == NULL || atomic_load(&live->reason) != NULL)
		return;
	kept = bp_kept_take(engine->memory, size);
	if (kept == NULL)
		return; /* the CANCEL goes without it */
	bp_count(&engine->counters->kept_taken, 1);
	bp_block_charge(engine->memory, &kept->slot, bp_kind_of(record->method));
	kept->status = 0;
	kept->size = 0;
	for (reason = bp_sip_first(m, BP_SIP_REASON); reason != NULL; reason = bp_sip_next(m, reason)) {
		memcpy(kept->bytes + kept->size, bp_sip_at(m, reason->line), reason->line.size);
		kept->size = (uint16_t)(kept->size + reason->line.size);
	}
	if (!atomic_compare_exchange_strong(&live->reason, &none, kept)) {
		bp_count(&engine->counters->kept_returned, 1);
		bp_slot_return(engine->memory, &kept->slot);
	} else if (atomic_load(&record->live) != live) { /* dropped meanwhile, and did not take it along */
		bp_retire_kept(engine, atomic_exchange(&live->reason, NULL));
	}
}

static enum bp_cancel_outcome
outcome_of(struct bp_record *record, uint64_t before, uint64_t after)
{
	unsigned state = BP_WORD_GET(before, STATE);

	if ((after & BP_WORD_CANCEL_ASKED) == 0)
		return bp_record_is_invite(record) && state == BP_IST_ACCEPTED ? BP_CANCEL_lost_to_2xx : BP_CANCEL_late;
	for (unsigned i = 0; i < atomic_load(&record->branch_count); i++) {
		bp_word *place = bp_branch_word(record, i);

		if (place != NULL && (atomic_load(place) & BP_WORD_1XX_SEEN) != 0)
			return BP_CANCEL_matched;
	}
	return BP_CANCEL_before_1xx;
}

int
bp_cancel_receive(struct bp_engine *engine, const struct bp_request *request)
{
	struct bp_record *record = bp_record_find(engine->edge->transactions, request->id, BP_METHOD_CANCEL);
	enum bp_cancel_outcome outcome;
	uint32_t generation;
	struct bp_swap swap;

	if (record == NULL) {
		bp_count(&engine->counters->cancel_outcomes[BP_CANCEL_unmatched], 1);
		return bp_answer(engine, request, 481, NULL);
	}
	generation = bp_word_generation(atomic_load(&record->server));
	keep_reason(engine, record, request->m);
	swap = bp_server_cancel(record, generation);
	if (swap.action == BP_DO_DROP) {
		bp_count(&engine->counters->cancel_outcomes[BP_CANCEL_unmatched], 1);
		return bp_answer(engine, request, 481, NULL);
	}
	if (swap.action == BP_DO_REPEAT_RESPONSE) {
		bp_count(&engine->counters->retransmissions[BP_IN][BP_METHOD_CANCEL], 1);
		return bp_answer(engine, request, 200, NULL);
	}
	outcome = outcome_of(record, swap.before, swap.after);
	bp_count(&engine->counters->cancel_outcomes[outcome], 1);
	bp_account_cancel(engine, record, outcome);
	bp_answer(engine, request, 200, NULL);
	bp_arm_linger(engine, record->upstream.reliable, BP_DURATION_64T1,
		bp_entry(engine, record, generation, 0, BP_TIMER_CANCEL_J));
	for (unsigned i = 0; i < atomic_load(&record->branch_count); i++)
		bp_cancel_if_asked(engine, record, generation, i);
	return BP_VERDICT_ANSWERED;
}

static void
send(struct bp_engine *engine, struct bp_record *record, unsigned branch)
{
	struct bp_live *live = atomic_load(&record->live);
	const struct bp_sip_message *m = bp_kept_request(engine, record, branch);
	const struct bp_kept *reason = live ? atomic_load(&live->reason) : NULL;
	uint32_t size;

	if (m == NULL) /* a final response came meanwhile: nothing is left to cancel */
		return;
	size = bp_build_cancel(m, reason ? (const char *)reason->bytes : NULL, reason ? reason->size : 0,
		engine->scratch, BP_SIP_MESSAGE_SIZE_MAX);
	bp_transmit_bytes(engine, &live->branches[branch].flow, engine->scratch, size);
	bp_count_request(engine, BP_METHOD_CANCEL);
}

/* The first CANCEL of a branch; who swaps its state sends it. */
void
bp_cancel_branch(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch)
{
	const struct bp_flow *flow = bp_branch_flow(record, branch);

	if (!bp_branch_cancel(record, generation, branch))
		return;
	send(engine, record, branch);
	if (flow != NULL && !flow->reliable)
		bp_arm(engine, BP_DURATION_T1, bp_entry(engine, record, generation, branch, BP_TIMER_CANCEL_E));
	bp_arm(engine, BP_DURATION_64T1, bp_entry(engine, record, generation, branch, BP_TIMER_CANCEL_F));
}

/* The branches that a 2xx or 6xx on another one makes pointless (16.7 steps 5 and 10). One that another worker is just
 * adding is pending before it has a number. */
void
bp_cancel_pending(struct bp_engine *engine, struct bp_record *record, uint32_t generation)
{
	if (BP_WORD_GET(atomic_load(&record->server), PENDING) <= 1 && atomic_load(&record->branch_count) == 1)
		return;
	bp_server_stop(record, generation);
	for (unsigned i = 0; i < atomic_load(&record->branch_count); i++)
		bp_cancel_if_asked(engine, record, generation, i);
}

/* Every branch event ends here: whichever of CANCEL and 1xx is second sends it (9.1). */
void
bp_cancel_if_asked(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch)
{
	bp_word *place = bp_branch_word(record, branch);
	bool asked = (atomic_load(&record->server) & (BP_WORD_CANCEL_ASKED | BP_WORD_STOPPED)) != 0;

	if (asked || (place != NULL && (atomic_load(place) & BP_WORD_ABANDONED) != 0))
		bp_cancel_branch(engine, record, generation, branch);
}

void
bp_cancel_repeat(struct bp_engine *engine, struct bp_record *record, unsigned branch)
{
	bp_count(&engine->counters->retransmissions[BP_OUT][BP_METHOD_CANCEL], 1);
	send(engine, record, branch);
}

/* The response to our CANCEL says nothing about the request itself (9.1): it only stops the repeating. */
int
bp_cancel_response(struct bp_engine *engine, uint16_t status, struct bp_record *record, struct bp_branch_id id)
{
	unsigned event = status < 200 ? BP_NICT_ON_1XX : BP_NICT_ON_FINAL;
	struct bp_swap swap = bp_branch_cancel_event(record, id.generation, id.branch, event);

	if (swap.action == BP_DO_DROP)
		return BP_DROP_response_unexpected;
	if (swap.action == BP_DO_PASS && event == BP_NICT_ON_FINAL)
		bp_arm(engine, BP_DURATION_T4,
			bp_entry(engine, record, id.generation, id.branch, BP_TIMER_CANCEL_K));
	return BP_VERDICT_ABSORBED;
}
