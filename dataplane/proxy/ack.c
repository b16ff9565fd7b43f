/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The whole of what the edge does with an ACK: to a 3xx-6xx it belongs to the INVITE's server
 * transaction and ends here; to a 2xx it is a transaction of its own, goes end to end, and
 * is forwarded each time it comes (RFC 3261 13.2.2.4, 16.11, 17.1.1.3). Never answered.
 */
#include "proxy/context.h"

/* Returns a verdict, or -1: the ACK of a 2xx, to be forwarded. */
static int
receive_in_transaction(struct bp_engine *engine, struct bp_record *record)
{
	uint32_t generation = bp_word_generation(atomic_load(&record->server));
	struct bp_swap swap = bp_step_server(engine, record, generation, BP_IST_ON_ACK, 0, 0);

	switch (swap.action) {
	case BP_DO_ABSORB:
		if (BP_WORD_GET(swap.before, STATE) == BP_IST_COMPLETED) {
			bp_retire_kept(engine, atomic_exchange(&record->response, NULL));
			bp_arm_linger(engine, record->upstream.reliable, BP_DURATION_T4,
				bp_entry(engine, record, generation, 0, BP_TIMER_I));
		}
		return BP_VERDICT_ABSORBED;
	case BP_DO_PASS_REQUEST:
		return -1;
	default:
		return BP_DROP_request_unexpected;
	}
}

int
bp_ack_receive(struct bp_engine *engine, struct bp_request *request)
{
	struct bp_record *record = bp_record_find(engine->edge->transactions, request->id, BP_METHOD_ACK);
	struct bp_destination destination;
	int verdict;

	if (record != NULL) {
		verdict = receive_in_transaction(engine, record);
		if (verdict >= 0)
			return verdict;
	} else if (bp_answer_is_acked(engine, request)) {
		return BP_VERDICT_ABSORBED;
	}
	if (request->m->to_tag.size == 0 || bp_route_request(engine, request, &destination) != 0)
		return BP_DROP_ack_unmatched;
	if (request->m->max_forwards == 0)
		return BP_DROP_ack_rejected;
	if (destination.dialog != NULL)
		bp_dialog_acked(destination.dialog);
	return bp_forward_ack(engine, request, &destination);
}
