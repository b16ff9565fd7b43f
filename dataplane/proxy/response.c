/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A response arrives (RFC 3261 16.7, 17.1.3): its top Via is ours and its branch names the record;
 * the client machine says what to do. Also failures of the transport (16.9, 18.4).
 */
#include "proxy/account.h"

static struct bp_record *
record_of(const struct bp_engine *engine, struct bp_branch_id id)
{
	struct bp_record *record =
		(struct bp_record *)bp_slot_at(engine->edge->memory, BP_POOL_RECORD, id.index);

	if (record == NULL || bp_word_generation(atomic_load(&record->server)) != id.generation ||
		id.branch >= atomic_load(&record->branch_count))
		return NULL;
	return record;
}

/* Not everybody's: who wrote that Via never sent the request (RFC 4475 3.3.10). */
static int
check_host(const struct bp_sip_message *m, struct bp_span host)
{
	static const char broadcast[] = "255.255.255.255";

	if (host.size == sizeof(broadcast) - 1 && memcmp(bp_sip_at(m, host), broadcast, sizeof(broadcast) - 1) == 0)
		return BP_DROP_response_malformed;
	return 0;
}

/* The Via under ours leads on: it must be there, and be one. */
static int
check_next_via(const struct bp_sip_message *m)
{
	const struct bp_sip_header *first = bp_sip_first(m, BP_SIP_VIA);
	struct bp_sip_walk walk = {0};
	struct bp_sip_via via;

	if (m->known.next_host.size > 0)
		return check_host(m, m->known.next_host);
	if (m->via.last && first->next) { /* alone in its line, as we write it */
		if (!bp_sip_line_via(m, bp_sip_next(m, first), &via))
			return BP_DROP_response_malformed;
		return check_host(m, via.host);
	}
	if (!bp_sip_walk_next(m, BP_SIP_VIA, &walk) || !bp_sip_walk_next(m, BP_SIP_VIA, &walk))
		return BP_DROP_response_no_via;
	if (!bp_sip_via_cut(m->bytes, walk.element, &via))
		return BP_DROP_response_malformed;
	return check_host(m, via.host);
}

static bool
begins_with(const struct bp_sip_message *m, struct bp_span span, const char *prefix, unsigned size)
{
	return span.size >= size && memcmp(bp_sip_at(m, span), prefix, size) == 0;
}

/* The branch is not that of a record. */
static int
without_record(struct bp_engine *engine, const struct bp_sip_message *m)
{
	if (begins_with(m, m->via.branch, BP_BRANCH_ID_STATELESS_PREFIX, sizeof(BP_BRANCH_ID_STATELESS_PREFIX) - 1))
		return BP_DROP_response_stray_ack;
	if (begins_with(m, m->via.branch, BP_PROBE_PREFIX, sizeof(BP_PROBE_PREFIX) - 1))
		return bp_probe_response(engine, m);
	return BP_DROP_response_forged_branch;
}

/* What a repeated ACK needs that the repeated response does not have: flow, Request-URI, Route lines. */
struct ack_rest {
	struct bp_flow flow;
	uint16_t uri_size;
};

/* False: no memory. */
static bool
keep_ack_rest(struct bp_engine *engine, struct bp_record *record, const struct bp_sip_message *request,
	const struct bp_flow *flow)
{
	struct ack_rest rest = {.flow = *flow, .uri_size = request->uri.size};
	const struct bp_sip_header *route;
	unsigned size = sizeof(rest) + request->uri.size;
	struct bp_kept *kept;

	for (route = bp_sip_first(request, BP_SIP_ROUTE); route != NULL; route = bp_sip_next(request, route))
		size += route->line.size;
	kept = bp_kept_take(engine->memory, size);
	if (kept == NULL)
		return false;
	bp_count(&engine->counters->kept_taken, 1);
	bp_block_charge(engine->memory, &kept->slot, BP_KIND_INVITE);
	kept->size = (uint16_t)size;
	memcpy(kept->bytes, &rest, sizeof(rest));
	memcpy(kept->bytes + sizeof(rest), bp_sip_at(request, request->uri), request->uri.size);
	size = sizeof(rest) + request->uri.size;
	for (route = bp_sip_first(request, BP_SIP_ROUTE); route != NULL; route = bp_sip_next(request, route)) {
		memcpy(kept->bytes + size, bp_sip_at(request, route->line), route->line.size);
		size += route->line.size;
	}
	bp_retire_kept(engine, atomic_exchange(&record->ack, kept));
	return true;
}

static unsigned
append(uint8_t *out, unsigned at, const void *bytes, unsigned size)
{
	memcpy(out + at, bytes, size);
	return at + size;
}

static unsigned
append_line(uint8_t *out, unsigned at, const struct bp_sip_message *m, enum bp_sip_header_id id)
{
	const struct bp_sip_header *header = bp_sip_first(m, id);

	return append(out, at, bp_sip_at(m, header->line), header->line.size);
}

/* The request as far as an ACK is made from it, put together from what was kept and the response at hand. */
static const struct bp_sip_message *
request_from_rest(struct bp_engine *engine, const struct bp_kept *kept, struct ack_rest *rest,
	const struct bp_sip_message *response)
{
	char via[BP_VIA_SIZE_MAX];
	unsigned size, routes;
	uint8_t *out = engine->scratch;

	memcpy(rest, kept->bytes, sizeof(*rest));
	routes = sizeof(*rest) + rest->uri_size;
	if (bp_listener(engine, rest->flow.listener) == NULL ||
		(size_t)kept->size + response->size + BP_VIA_SIZE_MAX + 64 > sizeof(engine->scratch) / 2)
		return NULL;
	size = append(out, 0, "INVITE ", 7);
	size = append(out, size, kept->bytes + sizeof(*rest), rest->uri_size);
	size = append(out, size, " SIP/2.0\r\n", 10);
	size = append(out, size, via,
		bp_via_write(bp_listener(engine, rest->flow.listener), bp_sip_at(response, response->via.branch),
			response->via.branch.size, via));
	size = append(out, size, "\r\n", 2);
	size = append(out, size, kept->bytes + routes, kept->size - routes);
	size = append_line(out, size, response, BP_SIP_FROM);
	size = append_line(out, size, response, BP_SIP_TO);
	size = append_line(out, size, response, BP_SIP_CALL_ID);
	size = append_line(out, size, response, BP_SIP_CSEQ);
	size = append(out, size, "\r\n", 2);
	return bp_sip_parse(&engine->kept, out, size, &bp_no_limits) == BP_SIP_FAULT_NONE ? &engine->kept : NULL;
}

static void
transmit_ack(struct bp_engine *engine, const struct bp_sip_message *request, const struct bp_sip_message *response,
	const struct bp_flow *flow)
{
	uint8_t *ack = engine->scratch + sizeof(engine->scratch) / 2;
	uint32_t size = bp_build_ack(request, response, ack, sizeof(engine->scratch) / 2);

	if (size == 0) {
		bp_count(&engine->counters->drops[BP_DROP_ack_not_sent], 1);
		return;
	}
	bp_transmit_bytes(engine, flow, ack, size);
	bp_count_request(engine, BP_METHOD_ACK);
}

/* Returns the kept request, in engine->kept; NULL: it is gone already, or never was there. */
static const struct bp_sip_message *
send_ack(struct bp_engine *engine, const struct bp_sip_message *response, struct bp_record *record, unsigned branch)
{
	const struct bp_live *live = atomic_load(&record->live); /* once: another worker may drop it now */
	const struct bp_kept *kept = live ? atomic_load(&live->branches[branch].request) : NULL;
	const struct bp_sip_message *whole = bp_kept_parse(engine, kept), *request = whole;
	const struct bp_flow *flow = live ? &live->branches[branch].flow : NULL;
	struct ack_rest rest;

	kept = atomic_load(&record->ack); /* it is there before the live part goes */
	if (request == NULL && kept != NULL) {
		request = request_from_rest(engine, kept, &rest, response);
		flow = &rest.flow;
	}
	if (request == NULL || flow == NULL)
		bp_count(&engine->counters->drops[BP_DROP_ack_not_sent], 1);
	else
		transmit_ack(engine, request, response, flow);
	return whole;
}

/* Timer D is at least 32 s whatever T1 is (17.1.1.2): as many times 64*T1 as that takes. */
static void
arm_d(struct bp_engine *engine, struct bp_record *record, struct bp_branch_id id, bool reliable)
{
	uint64_t unit = engine->timers.duration_us[BP_DURATION_64T1];
	uint64_t times = (engine->config->timers.d_us + unit - 1) / unit;
	struct bp_timer_entry entry = bp_entry(engine, record, id.generation, id.branch, BP_TIMER_D);

	entry.step = (times > 63 ? 63 : times ? times - 1 : 0) & 63;
	bp_arm_linger(engine, reliable, BP_DURATION_64T1, entry);
}

static bool
is_abandoned(uint64_t word)
{
	return (word & BP_WORD_ABANDONED) != 0;
}

static int
invite_provisional(struct bp_engine *engine, const struct bp_sip_message *m, struct bp_record *record,
	struct bp_branch_id id, const struct bp_swap *swap)
{
	struct bp_live *live = atomic_load(&record->live);
	int verdict = BP_VERDICT_ABSORBED; /* a 100 ends at this hop */

	if (m->status > 100 && !is_abandoned(swap->after)) {
		if (live != NULL)
			atomic_store_explicit(&live->branches[id.branch].deadline_us,
				engine->now_us + engine->config->timers.c_us, memory_order_relaxed);
		verdict = bp_upstream_provisional(engine, record, id.generation, m);
	}
	bp_cancel_if_asked(engine, record, id.generation, id.branch);
	return verdict;
}

static int
invite_2xx(struct bp_engine *engine, const struct bp_sip_message *m, struct bp_record *record, struct bp_branch_id id,
	const struct bp_swap *swap)
{
	bool accepted;
	int verdict = bp_upstream_2xx(engine, record, id.generation, id.branch, m, &accepted);
	struct bp_timer_entry entry = bp_entry(engine, record, id.generation, id.branch, BP_TIMER_M);

	if (BP_WORD_GET(swap->before, STATE) == BP_ICT_ACCEPTED) {
		if (accepted)
			bp_arm(engine, BP_DURATION_64T1, bp_entry(engine, record, id.generation, 0, BP_TIMER_L));
	} else {
		entry.step = accepted; /* L and M run out together */
		bp_arm(engine, BP_DURATION_64T1, entry);
		bp_cancel_pending(engine, record, id.generation);
		bp_drop_live(engine, record);
	}
	return verdict;
}

/* A 6xx: no new branches, whoever is just about to add one, and CANCEL for the others (16.7 step 5). */
static void
end_search(struct bp_engine *engine, struct bp_record *record, uint32_t generation)
{
	bp_server_stop(record, generation);
	bp_cancel_pending(engine, record, generation);
}

/* To a refresh: the peer is gone, or does not know the dialog (12.2.1.2). */
static bool
is_end_of_dialog(const struct bp_sip_message *m)
{
	return m->status == 408 || m->status == 481;
}

/* 3xx-6xx: the ACK is ours to send (17.1.1.3). A 503 lets the next target try (16.7 step 6). */
static int
invite_final(struct bp_engine *engine, const struct bp_sip_message *m, struct bp_record *record, struct bp_branch_id id,
	const struct bp_swap *swap)
{
	const struct bp_flow *flow = bp_branch_flow(record, id.branch);
	const struct bp_sip_message *request;
	bool only = id.branch == 0 && flow != NULL, reliable = flow != NULL && flow->reliable, rest_kept = false;
	int verdict = BP_VERDICT_ABSORBED;

	if (is_end_of_dialog(m))
		bp_reap_refresh_failed(engine, record, id.branch);
	request = send_ack(engine, m, record, id.branch);
	/* now that the request is at hand; after a 503 another branch may come, and the request stays */
	if (only && request != NULL && m->status != 503 && atomic_load(&record->branch_count) == 1)
		rest_kept = keep_ack_rest(engine, record, request, flow);
	if (!is_abandoned(swap->after)) {
		if (m->status >= 600)
			end_search(engine, record, id.generation);
		if (m->status == 503 && bp_branch_next(engine, record, id.generation))
			bp_upstream_settle(engine, record, id.generation, id.branch, 503);
		else
			verdict = bp_upstream_final(engine, record, id.generation, id.branch, m);
	}
	if (only && atomic_load(&record->branch_count) == 1) {
		request = rest_kept ? NULL : bp_kept_request(engine, record, 0);
		if (request == NULL || keep_ack_rest(engine, record, request, flow))
			bp_drop_live(engine, record); /* else repeated ACKs are still made from it */
	}
	arm_d(engine, record, id, reliable);
	return verdict;
}

static int
invite_response(
	struct bp_engine *engine, const struct bp_sip_message *m, struct bp_record *record, struct bp_branch_id id)
{
	unsigned event = m->status < 200 ? BP_ICT_ON_1XX : m->status < 300 ? BP_ICT_ON_2XX : BP_ICT_ON_3XX_6XX;
	uint64_t set = event == BP_ICT_ON_1XX ? BP_WORD_1XX_SEEN : 0;
	uint16_t status = event == BP_ICT_ON_1XX ? 0 : m->status;
	struct bp_swap swap = bp_step_branch(engine, record, id.generation, id.branch, event, set, status);

	switch (swap.action) {
	case BP_DO_PASS:
		bp_health_response(engine, record, id.branch, m);
		return event == BP_ICT_ON_1XX ? invite_provisional(engine, m, record, id, &swap)
					      : invite_2xx(engine, m, record, id, &swap);
	case BP_DO_PASS_ACK:
		bp_health_response(engine, record, id.branch, m);
		return invite_final(engine, m, record, id, &swap);
	case BP_DO_REPEAT_ACK:
		send_ack(engine, m, record, id.branch);
		return BP_VERDICT_ABSORBED;
	default:
		return BP_DROP_response_unexpected;
	}
}

/* What a final response to a BYE means for its dialog: over (15.1.1), unless the BYE will come again with
 * credentials. One that was sent while the dialog was early finds it only now. */
static void
end_dialog(struct bp_engine *engine, struct bp_record *record, const struct bp_sip_message *m)
{
	uint32_t index = record->dialog, generation = record->dialog_generation;
	bool early = index == BP_NO_INDEX;
	struct bp_dialog *dialog;
	enum bp_side from;

	if (record->method != BP_METHOD_BYE || m->status == 401 || m->status == 407)
		return;
	if (early) {
		dialog = bp_dialog_find(&engine->edge->dialogs, m, BP_NO_INDEX, 0, &from, &generation);
		if (dialog == NULL)
			return;
		index = bp_slot_index(engine->edge->memory, &dialog->slot);
	}
	bp_account_bye_over(engine, record, m, index, generation, early);
}

/* To the edge's own BYE: whatever it says, the dialog is over. */
static int
own_final(struct bp_engine *engine, struct bp_record *record, struct bp_branch_id id, bool reliable)
{
	bp_drop_live(engine, record);
	bp_arm_linger(engine, reliable, BP_DURATION_T4,
		bp_entry(engine, record, id.generation, id.branch, BP_TIMER_K));
	return BP_VERDICT_ABSORBED;
}

static int
other_final(struct bp_engine *engine, const struct bp_sip_message *m, struct bp_record *record, struct bp_branch_id id,
	const struct bp_swap *swap)
{
	const struct bp_flow *flow = bp_branch_flow(record, id.branch);
	bool reliable = flow != NULL && flow->reliable;
	int verdict = BP_VERDICT_ABSORBED;

	if (record->own)
		return own_final(engine, record, id, reliable);
	end_dialog(engine, record, m);
	if (is_end_of_dialog(m))
		bp_reap_refresh_failed(engine, record, id.branch);
	if (m->status >= 200 && m->status < 300)
		bp_remote_refresh(engine, record, id.branch, m);
	if (m->status >= 600 && !is_abandoned(swap->after))
		end_search(engine, record, id.generation);
	if (is_abandoned(swap->after)) {
		if (m->status < 300) /* it stands, unless another came first (16.7 step 5) */
			verdict = bp_upstream_other_2xx(engine, record, id.generation, m);
	} else if (m->status == 503 && bp_branch_next(engine, record, id.generation)) {
		bp_upstream_settle(engine, record, id.generation, id.branch, 503);
	} else {
		verdict = bp_upstream_final(engine, record, id.generation, id.branch, m);
	}
	bp_drop_live(engine, record);
	bp_arm_linger(engine, reliable, BP_DURATION_T4,
		bp_entry(engine, record, id.generation, id.branch, BP_TIMER_K));
	return verdict;
}

static int
other_response(
	struct bp_engine *engine, const struct bp_sip_message *m, struct bp_record *record, struct bp_branch_id id)
{
	unsigned event = m->status < 200 ? BP_NICT_ON_1XX : BP_NICT_ON_FINAL;
	uint64_t set = event == BP_NICT_ON_1XX ? BP_WORD_1XX_SEEN : 0;
	uint16_t status = event == BP_NICT_ON_1XX ? 0 : m->status;
	struct bp_swap swap = bp_step_branch(engine, record, id.generation, id.branch, event, set, status);

	if (swap.action == BP_DO_ABSORB)
		return BP_VERDICT_ABSORBED;
	if (swap.action != BP_DO_PASS)
		return BP_DROP_response_unexpected;
	bp_health_response(engine, record, id.branch, m);
	if (event == BP_NICT_ON_FINAL)
		return other_final(engine, m, record, id, &swap);
	bp_cancel_if_asked(engine, record, id.generation, id.branch);
	return BP_VERDICT_ABSORBED; /* no 1xx goes on to a non-INVITE: RFC 4320 4.1; its 100 is our own */
}

int
bp_response_receive(struct bp_engine *engine, const struct bp_sip_message *m)
{
	struct bp_record *record;
	struct bp_branch_id id;
	int why;

	if (!bp_via_is_own(engine, m))
		return BP_DROP_response_no_via;
	if (!bp_branch_id_read(&engine->edge->branch_key, bp_sip_at(m, m->via.branch), m->via.branch.size, &id))
		return without_record(engine, m);
	record = record_of(engine, id);
	if (record == NULL)
		return BP_DROP_response_stale_branch;
	if (m->method == BP_METHOD_CANCEL)
		return bp_cancel_response(engine, m->status, record, id);
	if (m->method != record->method)
		return BP_DROP_response_method_mismatch;
	why = record->own ? 0 : check_next_via(m);
	if (why != 0)
		return why;
	return bp_record_is_invite(record) ? invite_response(engine, m, record, id)
					   : other_response(engine, m, record, id);
}

/* The branch stands in the top Via of the datagram that an ICMP error quotes; what lies behind is cut off. */
static bool
quoted_branch(const struct bp_engine *engine, const uint8_t *quoted, uint32_t size, struct bp_branch_id *id)
{
	const char *at = size > 0 ? memmem(quoted, size, BP_BRANCH_ID_PREFIX, sizeof(BP_BRANCH_ID_PREFIX) - 1)
				  : NULL;

	return at != NULL && (uint32_t)((const char *)quoted + size - at) >= BP_BRANCH_ID_SIZE &&
		bp_branch_id_read(&engine->edge->branch_key, at, BP_BRANCH_ID_SIZE, id);
}

void
bp_engine_flow_failed(
	struct bp_engine *engine, const struct bp_flow *to, const uint8_t *quoted, uint32_t size, uint64_t now_us)
{
	const struct bp_flow *flow;
	struct bp_record *record;
	struct bp_branch_id id;
	struct bp_swap swap;
	unsigned event;

	engine->now_us = now_us;
	bp_engine_configure(engine);
	if (!quoted_branch(engine, quoted, size, &id))
		return;
	record = record_of(engine, id);
	flow = record ? bp_branch_flow(record, id.branch) : NULL;
	if (flow == NULL || !bp_ip_equal(&flow->ip, &to->ip) || flow->port != to->port)
		return;
	event = bp_record_is_invite(record) ? (unsigned)BP_ICT_ON_FLOW_FAILED : BP_NICT_ON_FLOW_FAILED;
	swap = bp_step_branch(engine, record, id.generation, id.branch, event, 0, 503);
	if (swap.action != BP_DO_FAILED)
		return;
	if (!is_abandoned(swap.after)) {
		bp_health_failed(engine, record, id.branch);
		if (bp_branch_next(engine, record, id.generation)) {
			bp_upstream_settle(engine, record, id.generation, id.branch, 503);
		} else {
			bp_upstream_own(engine, record, id.generation, id.branch, 503); /* 16.9 */
			if (record->method == BP_METHOD_BYE && record->dialog != BP_NO_INDEX)
				bp_account_bye_over(engine, record, NULL, record->dialog, record->dialog_generation, false);
		}
	}
	bp_finish(engine, record, id.generation);
}
