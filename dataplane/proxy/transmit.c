/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The way out: every message that leaves passes here, on a worker. A message that finds
 * no transmit buffer is lost like one on the wire, and repaired like that.
 */
#include "proxy/context.h"

void
bp_transmit_bytes(struct bp_engine *engine, const struct bp_flow *to, const uint8_t *bytes, uint32_t size)
{
	uint8_t *out = engine->hooks.reserve(engine->hooks.context, to, size);

	if (out == NULL)
		return;
	memcpy(out, bytes, size);
	engine->hooks.send(engine->hooks.context, to, size);
}

void
bp_transmit_edits(struct bp_engine *engine, const struct bp_flow *to)
{
	uint32_t size = bp_edits_size(&engine->edits);
	uint8_t *out = size ? engine->hooks.reserve(engine->hooks.context, to, size) : NULL;

	if (out == NULL)
		return;
	bp_edits_apply(&engine->edits, out, size);
	engine->hooks.send(engine->hooks.context, to, size);
}

void
bp_transmit_gather(struct bp_engine *engine, const struct bp_flow *to, const struct bp_gather *gather)
{
	uint8_t *out = engine->hooks.reserve(engine->hooks.context, to, gather->size);

	if (out == NULL)
		return;
	bp_gather_write(gather, out);
	engine->hooks.send(engine->hooks.context, to, gather->size);
}

struct bp_kept *
bp_keep_gather(struct bp_engine *engine, const struct bp_gather *gather, uint16_t status)
{
	struct bp_kept *kept = bp_kept_take(engine->memory, gather->size);

	if (kept == NULL)
		return NULL;
	bp_count(&engine->counters->kept_taken, 1);
	bp_block_charge(engine->memory, &kept->slot, bp_kind_of(gather->m->method));
	kept->status = status;
	kept->size = (uint16_t)gather->size;
	bp_gather_write(gather, kept->bytes);
	return kept;
}

void
bp_gather_pop_via(struct bp_gather *gather, const struct bp_sip_message *m)
{
	const struct bp_sip_header *first = bp_sip_first(m, BP_SIP_VIA);
	struct bp_sip_walk walk = {0};

	bp_gather_begin(gather, m);
	if (m->via.last) /* its line goes, else what stands before the next element */
		bp_gather_change(gather, first->line.offset, first->line.size, "", 0);
	else if (bp_sip_walk_next(m, BP_SIP_VIA, &walk))
		bp_gather_change(gather, first->value.offset, walk.next - first->value.offset, "", 0);
}

struct bp_kept *
bp_keep_edits(struct bp_engine *engine, uint16_t status, bool *too_large)
{
	uint32_t size = bp_edits_size(&engine->edits);
	struct bp_kept *kept;

	*too_large = size == 0;
	kept = size ? bp_kept_take(engine->memory, size) : NULL;
	if (kept == NULL)
		return NULL;
	bp_count(&engine->counters->kept_taken, 1);
	bp_block_charge(engine->memory, &kept->slot, bp_kind_of(engine->edits.m->method));
	kept->status = status;
	kept->size = (uint16_t)bp_edits_apply(&engine->edits, kept->bytes, size);
	return kept;
}

void
bp_count_request(struct bp_engine *engine, enum bp_method method)
{
	bp_count(&engine->counters->requests[BP_OUT][method], 1);
}

void
bp_count_response(struct bp_engine *engine, uint16_t status)
{
	bp_count(&engine->counters->responses[BP_OUT][status], 1);
}

void
bp_arm(struct bp_engine *engine, unsigned duration, struct bp_timer_entry entry)
{
	if (!bp_timer_arm(&engine->timers, duration, entry, engine->now_us))
		bp_count(&engine->counters->drops[BP_DROP_timer_no_memory], 1);
}

void
bp_arm_linger(struct bp_engine *engine, bool reliable, unsigned duration, struct bp_timer_entry entry)
{
	if (reliable)
		bp_timer_run(engine, &entry);
	else
		bp_arm(engine, duration, entry);
}
