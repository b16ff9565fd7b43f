/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The end of a record: when its last machine is over, exactly one worker takes it out of the
 * table and sends its memory home through RCU.
 */
#include "proxy/context.h"

void
bp_retire_kept(struct bp_engine *engine, struct bp_kept *kept)
{
	if (kept == NULL)
		return;
	bp_count(&engine->counters->kept_returned, 1);
	bp_slot_retire(engine->memory, &kept->slot);
}

/* Mostly there is nothing, and then nothing is written. Who puts something here looks whether the record is still there
 * after that, as we look here after we took it away: one of the two sees the other. */
static void
retire_at(struct bp_engine *engine, _Atomic(struct bp_kept *) *place)
{
	if (atomic_load(place) != NULL)
		bp_retire_kept(engine, atomic_exchange(place, NULL));
}

static void
retire_live(struct bp_engine *engine, struct bp_record *record)
{
	struct bp_live *live = atomic_exchange(&record->live, NULL);

	if (live == NULL)
		return;
	for (unsigned i = 0; i < live->room; i++) {
		retire_at(engine, &live->branches[i].request);
		retire_at(engine, &live->branches[i].response);
	}
	retire_at(engine, &live->reason);
	bp_count(&engine->counters->kept_returned, 1);
	bp_slot_retire(engine->memory, &live->slot);
}

/* The words of further branches stand in the live part: with those it stays until the record ends. Another worker may
 * be adding one: it makes it pending first, and cannot any more once the final response is out. */
void
bp_drop_live(struct bp_engine *engine, struct bp_record *record)
{
	uint64_t word = atomic_load(&record->server);

	if (!bp_server_final_owed(record, word) && BP_WORD_GET(word, PENDING) <= 1 &&
		atomic_load(&record->branch_count) == 1)
		retire_live(engine, record);
}

const struct bp_sip_limits bp_no_limits = {
	.headers = BP_SIP_HEADERS_MAX - 1, .vias = UINT16_MAX, .uri = UINT16_MAX};

const struct bp_sip_message *
bp_kept_parse(struct bp_engine *engine, const struct bp_kept *kept)
{
	if (kept == NULL || bp_sip_parse(&engine->kept, kept->bytes, kept->size, &bp_no_limits) != BP_SIP_FAULT_NONE)
		return NULL;
	return &engine->kept;
}

const struct bp_sip_message *
bp_kept_request(struct bp_engine *engine, struct bp_record *record, unsigned branch)
{
	struct bp_live *live = atomic_load(&record->live);

	return live ? bp_kept_parse(engine, atomic_load(&live->branches[branch].request)) : NULL;
}

void
bp_finish(struct bp_engine *engine, struct bp_record *record, uint32_t generation)
{
	bool invite = bp_record_is_invite(record);

	if (!bp_record_end(record, generation))
		return;
	bp_timers_redeem(&engine->timers, bp_timers_of(atomic_load(&record->branch_count)));
	if (!record->own)
		bp_table_remove(engine->edge->transactions, &record->node);
	retire_live(engine, record);
	retire_at(engine, &record->response);
	retire_at(engine, &record->ack);
	if (invite && record->dialog != BP_NO_INDEX)
		bp_call_release(&engine->dialogs, record->dialog, record->dialog_generation);
	bp_count(&engine->counters->transactions_ended[invite ? BP_KIND_INVITE : BP_KIND_NON_INVITE], 1);
	bp_slot_retire(engine->memory, &record->slot);
}
