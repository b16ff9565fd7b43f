/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From the client side of a record to its server side: responses go upstream with our Via
 * popped (RFC 3261 16.7), are kept where they must be repeated, and start the server timers.
 */
#include "proxy/context.h"

static void
retire(struct bp_engine *engine, struct bp_kept *kept)
{
	if (kept == NULL)
		return;
	bp_count(&engine->counters->kept_returned, 1);
	bp_slot_retire(engine->memory, &kept->slot);
}

/* Sends @m upstream without its top Via. @keep: it will have to be repeated. */
static int
pass(struct bp_engine *engine, struct bp_record *record, const struct bp_sip_message *m, bool keep)
{
	struct bp_kept *kept = NULL;
	bool too_large = false;

	bp_edits_begin(&engine->edits, m);
	bp_edit_pop_via(&engine->edits);
	if (keep)
		kept = bp_keep_edits(engine, m->status, &too_large);
	if (too_large)
		return BP_DROP_too_large_to_forward;
	bp_count_response(engine, m->status);
	if (kept == NULL) {
		if (keep)
			bp_count(&engine->counters->drops[BP_DROP_response_not_kept], 1);
		bp_transmit_edits(engine, &record->upstream);
		return BP_VERDICT_FORWARDED;
	}
	bp_transmit_bytes(engine, &record->upstream, kept->bytes, kept->size);
	retire(engine, bp_record_keep_response(record, kept));
	return BP_VERDICT_FORWARDED;
}

int
bp_upstream_provisional(
	struct bp_engine *engine, struct bp_record *record, uint32_t generation, const struct bp_sip_message *m)
{
	unsigned event = bp_record_is_invite(record) ? (unsigned)BP_IST_ON_TU_1XX : BP_NIST_ON_TU_1XX;

	if (bp_server_event(record, generation, event, 0, m->status).action != BP_DO_SEND)
		return BP_DROP_response_unexpected;
	return pass(engine, record, m, true);
}

/* Every 2xx to an INVITE goes upstream, the first and each repetition (RFC 6026 7.1); none is kept here. */
int
bp_upstream_2xx(struct bp_engine *engine, struct bp_record *record, uint32_t generation, const struct bp_sip_message *m)
{
	struct bp_swap swap = bp_server_event(record, generation, BP_IST_ON_TU_2XX, BP_WORD_2XX_SEEN, m->status);

	if (swap.action != BP_DO_SEND)
		return BP_DROP_response_unexpected;
	if (BP_WORD_GET(swap.before, STATE) == BP_IST_PROCEEDING) {
		bp_arm(engine, BP_DURATION_64T1, bp_entry(record, generation, 0, BP_TIMER_L));
		retire(engine, atomic_exchange(&record->response, NULL));
	}
	if (record->dialog != BP_NO_INDEX && m->to_tag.size > 0 &&
		bp_dialog_confirm(&engine->dialogs, record->dialog, record->dialog_generation, m, engine->now_us) == NULL)
		bp_count(&engine->counters->drops[BP_DROP_call_not_kept], 1);
	return pass(engine, record, m, false);
}

static void
arm_final(struct bp_engine *engine, struct bp_record *record, uint32_t generation)
{
	if (!bp_record_is_invite(record)) {
		bp_arm_linger(engine, &record->upstream, BP_DURATION_64T1,
			bp_entry(record, generation, 0, BP_TIMER_J));
		return;
	}
	if (!record->upstream.reliable)
		bp_arm(engine, BP_DURATION_T1, bp_entry(record, generation, 0, BP_TIMER_G));
	bp_arm(engine, BP_DURATION_64T1, bp_entry(record, generation, 0, BP_TIMER_H));
}

int
bp_upstream_final(
	struct bp_engine *engine, struct bp_record *record, uint32_t generation, const struct bp_sip_message *m)
{
	struct bp_swap swap;
	int verdict;

	if (!bp_record_is_invite(record) && m->status == 408) { /* RFC 4320 4.2: never sent to a non-INVITE */
		bp_upstream_nothing(engine, record, generation);
		return BP_VERDICT_ABSORBED;
	}
	swap = bp_server_branch_done(record, generation, m->status);
	if (swap.action == BP_DO_ABSORB)
		return BP_VERDICT_ABSORBED;
	if (swap.action != BP_DO_SEND)
		return BP_DROP_response_unexpected;
	verdict = pass(engine, record, m, true);
	arm_final(engine, record, generation);
	return verdict;
}

void
bp_upstream_own(struct bp_engine *engine, struct bp_record *record, uint32_t generation, uint16_t status)
{
	const struct bp_sip_message *request = bp_kept_request(engine, record);
	struct bp_sip_message *m = &engine->received;
	const char *extra = status == 503 ? "Retry-After: 5\r\n" : NULL;
	char tag[17];
	uint32_t size = 0;

	bp_answer_tag(engine, record->id, tag);
	if (request != NULL)
		size = bp_build_response(request, status, bp_sip_reason(status), NULL, tag, extra, engine->scratch,
			BP_SIP_MESSAGE_SIZE_MAX);
	if (bp_server_branch_done(record, generation, status).action != BP_DO_SEND)
		return;
	if (size > 0 && bp_sip_parse(m, engine->scratch, size, &engine->limits) == BP_SIP_FAULT_NONE)
		pass(engine, record, m, true);
	else
		bp_count(&engine->counters->drops[BP_DROP_response_not_kept], 1);
	arm_final(engine, record, generation);
}

void
bp_upstream_nothing(struct bp_engine *engine, struct bp_record *record, uint32_t generation)
{
	bp_server_event(record, generation, BP_NIST_ON_TU_NOTHING, 0, 0);
	bp_finish(engine, record, generation);
}

bool
bp_upstream_repeat(struct bp_engine *engine, struct bp_record *record)
{
	const struct bp_kept *kept = atomic_load(&record->response);

	if (kept == NULL)
		return false;
	bp_transmit_bytes(engine, &record->upstream, kept->bytes, kept->size);
	bp_count_response(engine, kept->status);
	return true;
}
