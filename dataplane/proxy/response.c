/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A response arrives (RFC 3261 16.7, 17.1.3): its top Via is ours and its branch names the record;
 * the client machine says what to do. Also failures of the transport (16.9, 18.4).
 */
#include "proxy/context.h"

static struct bp_record *
record_of(const struct bp_engine *engine, struct bp_branch_id id)
{
	struct bp_record *record =
		(struct bp_record *)bp_slot_at(engine->edge->memory, BP_POOL_RECORD, id.index);

	if (record == NULL || bp_word_generation(atomic_load(&record->server)) != id.generation ||
		id.branch >= record->branch_count)
		return NULL;
	return record;
}

static bool
via_is_own(const struct bp_engine *engine, const struct bp_sip_message *m)
{
	struct bp_sip_uri sent_by = {.scheme = BP_URI_SIP, .host = m->via.host, .port = m->via.port};

	return bp_uri_is_own(engine, m->bytes, &sent_by);
}

static bool
has_next_via(const struct bp_sip_message *m)
{
	return !m->via.last || bp_sip_next(m, bp_sip_first(m, BP_SIP_VIA)) != NULL;
}

static bool
begins_with(const struct bp_sip_message *m, struct bp_span span, const char *prefix, unsigned size)
{
	return span.size >= size && memcmp(bp_sip_at(m, span), prefix, size) == 0;
}

static int
why_unreadable(const struct bp_sip_message *m)
{
	if (begins_with(m, m->via.branch, BP_BRANCH_ID_STATELESS_PREFIX, sizeof(BP_BRANCH_ID_STATELESS_PREFIX) - 1))
		return BP_DROP_response_stray_ack;
	return BP_DROP_response_forged_branch;
}

static void
send_ack(struct bp_engine *engine, const struct bp_sip_message *response, struct bp_record *record, unsigned branch)
{
	const struct bp_sip_message *request = bp_kept_request(engine, record);
	uint32_t size;

	if (request == NULL) {
		bp_count(&engine->counters->drops[BP_DROP_ack_not_sent], 1);
		return;
	}
	size = bp_build_ack(request, response, engine->scratch, BP_SIP_MESSAGE_SIZE_MAX);
	bp_transmit_bytes(engine, &record->branches[branch].flow, engine->scratch, size);
	bp_count_request(engine, BP_METHOD_ACK);
}

/* Timer D is at least 32 s whatever T1 is (17.1.1.2): as many times 64*T1 as that takes. */
static void
arm_d(struct bp_engine *engine, struct bp_record *record, struct bp_branch_id id)
{
	uint64_t unit = engine->timers.duration_us[BP_DURATION_64T1];
	struct bp_timer_entry entry = bp_entry(record, id.generation, id.branch, BP_TIMER_D);

	entry.step = (uint8_t)((engine->config->timers.d_us + unit - 1) / unit - 1);
	bp_arm_linger(engine, &record->branches[id.branch].flow, BP_DURATION_64T1, entry);
}

static int
invite_provisional(struct bp_engine *engine, const struct bp_sip_message *m, struct bp_record *record,
	struct bp_branch_id id)
{
	int verdict = BP_VERDICT_ABSORBED; /* a 100 ends at this hop */

	if (m->status > 100) {
		atomic_store(&record->branches[id.branch].c_deadline_us,
			engine->now_us + engine->config->timers.c_us);
		verdict = bp_upstream_provisional(engine, record, id.generation, m);
	}
	bp_cancel_if_asked(engine, record, id.generation, id.branch);
	return verdict;
}

static int
invite_2xx(struct bp_engine *engine, const struct bp_sip_message *m, struct bp_record *record, struct bp_branch_id id,
	const struct bp_swap *swap)
{
	if (BP_WORD_GET(swap->before, STATE) != BP_ICT_ACCEPTED) {
		bp_arm(engine, BP_DURATION_64T1, bp_entry(record, id.generation, id.branch, BP_TIMER_M));
		if (record->branch_count == 1)
			bp_drop_request(engine, record);
	}
	return bp_upstream_2xx(engine, record, id.generation, m);
}

static int
invite_response(
	struct bp_engine *engine, const struct bp_sip_message *m, struct bp_record *record, struct bp_branch_id id)
{
	unsigned event = m->status < 200 ? BP_ICT_ON_1XX : m->status < 300 ? BP_ICT_ON_2XX : BP_ICT_ON_3XX_6XX;
	uint64_t set = event == BP_ICT_ON_1XX ? BP_WORD_1XX_SEEN : 0;
	uint16_t status = event == BP_ICT_ON_1XX ? 0 : m->status;
	struct bp_swap swap = bp_branch_event(record, id.generation, id.branch, event, set, status);

	switch (swap.action) {
	case BP_DO_PASS:
		return event == BP_ICT_ON_1XX ? invite_provisional(engine, m, record, id)
					      : invite_2xx(engine, m, record, id, &swap);
	case BP_DO_PASS_ACK:
		send_ack(engine, m, record, id.branch);
		arm_d(engine, record, id);
		return bp_upstream_final(engine, record, id.generation, m);
	case BP_DO_REPEAT_ACK:
		send_ack(engine, m, record, id.branch);
		return BP_VERDICT_ABSORBED;
	default:
		return BP_DROP_response_unexpected;
	}
}

/* What a final response to a BYE means for its dialog (15.1.1): over, unless it asks to come again. */
static void
end_dialog(struct bp_engine *engine, const struct bp_record *record, uint16_t status)
{
	if (record->method == BP_METHOD_BYE && record->dialog != BP_NO_INDEX &&
		(status < 300 || status == 408 || status == 481))
		bp_dialog_end(&engine->dialogs, record->dialog, record->dialog_generation, BP_DIALOG_END_bye);
}

static int
other_response(
	struct bp_engine *engine, const struct bp_sip_message *m, struct bp_record *record, struct bp_branch_id id)
{
	unsigned event = m->status < 200 ? BP_NICT_ON_1XX : BP_NICT_ON_FINAL;
	uint64_t set = event == BP_NICT_ON_1XX ? BP_WORD_1XX_SEEN : 0;
	uint16_t status = event == BP_NICT_ON_1XX ? 0 : m->status;
	struct bp_swap swap = bp_branch_event(record, id.generation, id.branch, event, set, status);
	int verdict = BP_VERDICT_ABSORBED;

	if (swap.action == BP_DO_ABSORB)
		return BP_VERDICT_ABSORBED;
	if (swap.action != BP_DO_PASS)
		return BP_DROP_response_unexpected;
	if (event == BP_NICT_ON_1XX) {
		if (m->status > 100)
			verdict = bp_upstream_provisional(engine, record, id.generation, m);
		bp_cancel_if_asked(engine, record, id.generation, id.branch);
		return verdict;
	}
	bp_drop_request(engine, record);
	bp_arm_linger(engine, &record->branches[id.branch].flow, BP_DURATION_T4,
		bp_entry(record, id.generation, id.branch, BP_TIMER_K));
	end_dialog(engine, record, m->status);
	return bp_upstream_final(engine, record, id.generation, m);
}

int
bp_response_receive(struct bp_engine *engine, const struct bp_sip_message *m)
{
	struct bp_record *record;
	struct bp_branch_id id;

	if (!via_is_own(engine, m))
		return BP_DROP_response_no_via;
	if (!bp_branch_id_read(&engine->edge->branch_key, bp_sip_at(m, m->via.branch), m->via.branch.size, &id))
		return why_unreadable(m);
	record = record_of(engine, id);
	if (record == NULL)
		return BP_DROP_response_stale_branch;
	if (m->method == BP_METHOD_CANCEL)
		return bp_cancel_response(engine, m->status, record, id);
	if (m->method != record->method)
		return BP_DROP_response_method_mismatch;
	if (!has_next_via(m))
		return BP_DROP_response_no_via;
	return bp_record_is_invite(record) ? invite_response(engine, m, record, id)
					   : other_response(engine, m, record, id);
}

/* The branch stands in the top Via of the datagram that an ICMP error quotes; what lies behind is cut off. */
static bool
quoted_branch(const struct bp_engine *engine, const uint8_t *quoted, uint32_t size, struct bp_branch_id *id)
{
	const char *at = memmem(quoted, size, BP_BRANCH_ID_PREFIX, sizeof(BP_BRANCH_ID_PREFIX) - 1);

	return at != NULL && (uint32_t)((const char *)quoted + size - at) >= BP_BRANCH_ID_SIZE &&
		bp_branch_id_read(&engine->edge->branch_key, at, BP_BRANCH_ID_SIZE, id);
}

void
bp_engine_flow_failed(
	struct bp_engine *engine, const struct bp_flow *to, const uint8_t *quoted, uint32_t size, uint64_t now_us)
{
	struct bp_record *record;
	struct bp_branch_id id;
	unsigned event;

	engine->now_us = now_us;
	bp_engine_configure(engine);
	if (!quoted_branch(engine, quoted, size, &id))
		return;
	record = record_of(engine, id);
	if (record == NULL || !bp_ip_equal(&record->branches[id.branch].flow.ip, &to->ip) ||
		record->branches[id.branch].flow.port != to->port)
		return;
	event = bp_record_is_invite(record) ? (unsigned)BP_ICT_ON_FLOW_FAILED : BP_NICT_ON_FLOW_FAILED;
	if (bp_branch_event(record, id.generation, id.branch, event, 0, 503).action != BP_DO_FAILED)
		return;
	bp_upstream_own(engine, record, id.generation, 503); /* 16.9 */
	bp_finish(engine, record, id.generation);
}
