/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The end of a record: when its last machine is over, exactly one worker takes it out of the
 * table and sends its memory home through RCU.
 */
#include "proxy/context.h"

static void
drop_kept(struct bp_engine *engine, _Atomic(struct bp_kept *) *place)
{
	struct bp_kept *kept = atomic_exchange(place, NULL);

	if (kept == NULL)
		return;
	bp_count(&engine->counters->kept_returned, 1);
	bp_slot_retire(engine->memory, &kept->slot);
}

void
bp_drop_request(struct bp_engine *engine, struct bp_record *record)
{
	drop_kept(engine, &record->request);
}

const struct bp_sip_message *
bp_kept_request(struct bp_engine *engine, struct bp_record *record)
{
	const struct bp_kept *kept = atomic_load(&record->request);

	/* It was parsed when it came; limits that have shrunk since then must not lose its call. */
	static const struct bp_sip_limits limits = {
		.headers = BP_SIP_HEADERS_MAX - 1, .vias = UINT16_MAX, .uri = UINT16_MAX};

	if (kept == NULL || bp_sip_parse(&engine->kept, kept->bytes, kept->size, &limits) != BP_SIP_FAULT_NONE)
		return NULL;
	return &engine->kept;
}

void
bp_finish(struct bp_engine *engine, struct bp_record *record, uint32_t generation)
{
	bool invite = bp_record_is_invite(record);

	if (!bp_record_end(record, generation))
		return;
	bp_table_remove(engine->edge->transactions, &record->node);
	drop_kept(engine, &record->request);
	drop_kept(engine, &record->response);
	drop_kept(engine, &record->reason);
	if (invite && record->dialog != BP_NO_INDEX)
		bp_call_release(&engine->dialogs, record->dialog, record->dialog_generation);
	bp_count(&engine->counters->transactions_ended[invite ? BP_KIND_INVITE : BP_KIND_NON_INVITE], 1);
	bp_slot_retire(engine->memory, &record->slot);
}
