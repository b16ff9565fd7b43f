/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A request arrives: to the transaction it repeats, or through the checks of RFC 3261 16.3
 * and on its way.
 */
#include "proxy/context.h"

/* Where responses to it go: back to the source (18.2.2), to the port of sent-by unless rport asks for the source
 * port (RFC 3581 4). A maddr is not followed: it would let a stranger aim our responses. */
static struct bp_flow
reply_flow(const struct bp_sip_message *m, const struct bp_flow *from)
{
	struct bp_flow reply = *from;

	if (m->via.rport_at == 0)
		reply.port = m->via.port ? m->via.port : 5060;
	return reply;
}

int
bp_request_repeated(struct bp_engine *engine, const struct bp_request *request, struct bp_record *record)
{
	unsigned event = bp_record_is_invite(record) ? (unsigned)BP_IST_ON_INVITE : BP_NIST_ON_REQUEST;
	uint32_t generation = bp_word_generation(atomic_load(&record->server));
	struct bp_swap swap = bp_step_server(engine, record, generation, event, 0, 0);

	bp_count(&engine->counters->retransmissions[BP_IN][request->m->method], 1);
	if (swap.action == BP_DO_ABSORB)
		return BP_VERDICT_ABSORBED;
	if (swap.action != BP_DO_REPEAT_RESPONSE)
		return BP_DROP_request_unexpected;
	if (bp_upstream_repeat(engine, record, request))
		return BP_VERDICT_ANSWERED;
	if (!bp_record_is_invite(record) || BP_WORD_GET(swap.after, STATE) != BP_IST_PROCEEDING)
		return BP_VERDICT_ABSORBED; /* its response is being made */
	bp_answer_trying(engine, request);
	return BP_VERDICT_ANSWERED;
}

/* 16.3 step 2; sips would need TLS, which this edge does not have. tel is for a trunk to understand. */
static bool
scheme_known(const struct bp_sip_uri *uri)
{
	return uri->scheme == BP_URI_SIP || uri->scheme == BP_URI_TEL;
}

/* 16.3 step 5: no extension is understood that a Proxy-Require could ask for. */
static int
refuse_extensions(struct bp_engine *engine, const struct bp_request *request)
{
	static const char name[] = "Unsupported: ";
	struct bp_sip_walk walk = {0};
	char extra[512];
	size_t size = sizeof(name) - 1;

	memcpy(extra, name, size);
	while (bp_sip_walk_next(request->m, BP_SIP_PROXY_REQUIRE, &walk)) {
		if (size + walk.element.size + 5 > sizeof(extra))
			break;
		if (walk.index > 0) {
			memcpy(extra + size, ", ", 2);
			size += 2;
		}
		memcpy(extra + size, bp_sip_at(request->m, walk.element), walk.element.size);
		size += walk.element.size;
	}
	memcpy(extra + size, "\r\n", 3);
	return bp_answer(engine, request, 420, extra);
}

static int
answer_for_edge(struct bp_engine *engine, const struct bp_request *request)
{
	/* what the edge is to who asks it, not what it passes on (11.2) */
	static const char options[] = "Allow: OPTIONS\r\nAccept: application/sdp\r\nAccept-Encoding: identity\r\n"
				      "Accept-Language: en\r\nSupported: path\r\n";

	if (request->m->method == BP_METHOD_OPTIONS)
		return bp_answer(engine, request, 200, options);
	return bp_answer(engine, request, 405, "Allow: OPTIONS\r\n");
}

static int
refuse(struct bp_engine *engine, const struct bp_request *request, int status)
{
	return bp_answer(engine, request, (uint16_t)status, NULL);
}

/* Since no record was found another worker may have forwarded the same BYE, and its response may have ended the dialog:
 * then that is the answer, and no other. */
static int
refuse_without_dialog(struct bp_engine *engine, struct bp_request *request)
{
	struct bp_record *record =
		bp_record_find(engine->edge->transactions, request->id, request->m->method);

	return record ? bp_request_repeated(engine, request, record) : refuse(engine, request, 481);
}

static int
receive_new(struct bp_engine *engine, struct bp_request *request)
{
	const struct bp_sip_message *m = request->m;
	struct bp_destination destination;
	bool waits;
	int status;

	if (!scheme_known(&m->target))
		return refuse(engine, request, 416);
	if (m->max_forwards == 0)
		return refuse(engine, request, 483);
	if (bp_forward_loops(engine, request))
		return refuse(engine, request, 482);
	if (bp_sip_first(m, BP_SIP_PROXY_REQUIRE) != NULL)
		return refuse_extensions(engine, request);
	if (engine->draining && m->to_tag.size == 0)
		return refuse(engine, request, 503);
	status = bp_route_request(engine, request, &destination);
	waits = status == BP_ROUTE_WAITS;
	if (status == BP_ROUTE_TO_EDGE)
		return answer_for_edge(engine, request);
	if (status == 481)
		return refuse_without_dialog(engine, request);
	if (status != 0 && !waits)
		return refuse(engine, request, status);
	if (m->method == BP_METHOD_INVITE || m->method == BP_METHOD_UPDATE) {
		status = bp_session_request(engine, request, &destination);
		if (status != 0)
			return status;
	}
	if (waits)
		return bp_park(engine, request, &destination);
	return bp_forward(engine, request, &destination);
}

/* A request that the grammar refuses; an ACK is never answered. */
static int
receive_faulty(struct bp_engine *engine, const struct bp_request *request)
{
	const struct bp_sip_message *m = request->m;
	uint16_t status = bp_sip_fault_status(m->fault);

	if (m->method == BP_METHOD_ACK)
		return BP_DROP_ack_malformed;
	if (status == 0 || !bp_sip_answerable(m))
		return BP_DROP_request_malformed;
	return bp_answer_text(engine, request, status, bp_sip_fault_text(m->fault), NULL);
}

int
bp_request_receive(struct bp_engine *engine, const struct bp_view *view, const struct bp_flow *from)
{
	const struct bp_sip_message *m = &view->m;
	struct bp_request request = {
		.m = m, .from = from, .reply = reply_flow(m, from), .id = {view->id[0], view->id[1]}};
	struct bp_record *record;

	if (m->fault != BP_SIP_FAULT_START_LINE) /* else it is no request at all */
		bp_count(&engine->counters->requests[BP_IN][m->method], 1);
	if (m->fault != BP_SIP_FAULT_NONE)
		return receive_faulty(engine, &request);
	switch (m->method) {
	case BP_METHOD_ACK:
		return bp_ack_receive(engine, &request);
	case BP_METHOD_CANCEL:
		return bp_cancel_receive(engine, &request);
	default:
		record = bp_record_find(engine->edge->transactions, request.id, m->method);
		return record ? bp_request_repeated(engine, &request, record) : receive_new(engine, &request);
	}
}
