/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where requests within a dialog go, learned when it is made (RFC 3261 12.1, 12.2.1.1): to the
 * nearest proxy that recorded its route, else to the Contact. Out of an untrusted realm neither is
 * believed when it leads elsewhere than the message came from: such a user agent sits behind a
 * NAT, or lies.
 */
#include "proxy/context.h"

static bool
is_trusted(const struct bp_engine *engine, uint16_t listener)
{
	const struct bp_config_listener *it = bp_listener(engine, listener);

	return it != NULL && engine->config->realms[it->realm].trust == BP_TRUST_TRUSTED;
}

static bool
flow_to_address(const struct bp_engine *engine, const struct bp_sip_message *m, struct bp_span element,
	uint16_t listener, struct bp_flow *flow)
{
	const struct bp_config_listener *out = bp_listener(engine, listener);
	struct bp_sip_address address;
	struct bp_sip_uri uri;

	return out != NULL && bp_sip_address_cut(m->bytes, element, &address) &&
		bp_sip_uri_cut(m->bytes, address.uri, &uri) && bp_flow_to_uri(engine, m->bytes, &uri, out->realm, flow);
}

/* Of a Contact that was cut open. */
static bool
flow_to_contact(const struct bp_engine *engine, const struct bp_sip_message *m, const struct bp_sip_uri *contact,
	uint16_t listener, struct bp_flow *flow)
{
	const struct bp_config_listener *out = bp_listener(engine, listener);

	return out != NULL && bp_flow_to_uri(engine, m->bytes, contact, out->realm, flow);
}

struct bp_hop
bp_remote_of_request(struct bp_engine *engine, const struct bp_request *request)
{
	struct bp_hop hop = {.flow = request->reply,
		.names = engine->config->reap_by_bye ? bp_names_of_request(engine, request->m) : NULL};
	struct bp_sip_walk walk = {0};
	struct bp_sip_uri contact;
	struct bp_flow flow;
	bool known = bp_dialog_contact(request->m, &contact, &hop.contact);

	if (!is_trusted(engine, request->from->listener))
		return hop;
	if (bp_sip_walk_next(request->m, BP_SIP_RECORD_ROUTE, &walk)) {
		if (flow_to_address(engine, request->m, walk.element, request->from->listener, &flow))
			hop.flow = flow;
	} else if (known && flow_to_contact(engine, request->m, &contact, request->from->listener, &flow)) {
		hop.flow = flow;
		hop.by_contact = true;
	}
	return hop;
}

/* The Record-Route element that stands just above ours: the nearest proxy downstream. */
static bool
nearest_route(const struct bp_engine *engine, const struct bp_sip_message *m, struct bp_span *nearest)
{
	struct bp_sip_walk walk = {0};
	struct bp_sip_address address;
	const struct bp_sip_header *first = bp_sip_first(m, BP_SIP_RECORD_ROUTE);
	struct bp_sip_uri uri;
	struct bp_span user;
	bool found = false;

	if (first == NULL || bp_route_is_own(engine, m->bytes, first->value, &user))
		return false;
	while (bp_sip_walk_next(m, BP_SIP_RECORD_ROUTE, &walk)) {
		if (bp_sip_address_cut(m->bytes, walk.element, &address) &&
			bp_sip_uri_cut(m->bytes, address.uri, &uri) && bp_uri_is_own(engine, m->bytes, &uri))
			return found;
		*nearest = walk.element;
		found = true;
	}
	return false;
}

struct bp_hop
bp_remote_of_response(struct bp_engine *engine, const struct bp_sip_message *m, const struct bp_flow *over)
{
	struct bp_hop hop = {
		.flow = *over, .names = engine->config->reap_by_bye ? bp_names_of_response(engine, m) : NULL};
	struct bp_sip_uri contact;
	struct bp_span element;
	struct bp_flow flow;
	bool known = bp_dialog_contact(m, &contact, &hop.contact);

	if (!is_trusted(engine, over->listener))
		return hop;
	if (nearest_route(engine, m, &element)) {
		if (flow_to_address(engine, m, element, over->listener, &flow))
			hop.flow = flow;
	} else if (known && flow_to_contact(engine, m, &contact, over->listener, &flow)) {
		hop.flow = flow;
		hop.by_contact = true;
	}
	return hop;
}

static void
refresh_side(
	struct bp_engine *engine, struct bp_dialog *dialog, enum bp_side side, const struct bp_sip_message *m)
{
	const struct bp_remote *remote = bp_dialog_remote(dialog, side);
	struct bp_sip_uri contact;
	struct bp_flow flow;
	struct bp_span kept;
	bool known = bp_dialog_contact(m, &contact, &kept);

	if (remote != NULL)
		bp_dialog_refresh(&engine->dialogs, dialog, side, m,
			known && flow_to_contact(engine, m, &contact, remote->flow.listener, &flow) ? &flow : NULL);
}

void
bp_remote_session(struct bp_engine *engine, const struct bp_record *record, struct bp_dialog *dialog, enum bp_side from,
	const struct bp_sip_message *m)
{
	bool by_sender;
	uint32_t seconds = bp_session_of_response(record, m, &by_sender);
	enum bp_side other = from == BP_SIDE_CALLER ? BP_SIDE_CALLEE : BP_SIDE_CALLER;

	bp_dialog_session(
		dialog, by_sender ? from : other, seconds ? engine->now_us + (uint64_t)seconds * 1000000 : 0);
}

void
bp_remote_refresh(struct bp_engine *engine, struct bp_record *record, unsigned branch, const struct bp_sip_message *m)
{
	const struct bp_sip_message *request;
	struct bp_dialog *dialog;
	enum bp_side from;
	uint32_t generation;

	if (!record->to_tagged || (record->method != BP_METHOD_INVITE && record->method != BP_METHOD_UPDATE))
		return;
	dialog = bp_dialog_find(&engine->edge->dialogs, m, BP_NO_INDEX, 0, &from, &generation);
	if (dialog == NULL)
		return;
	bp_remote_session(engine, record, dialog, from, m);
	refresh_side(engine, dialog, from == BP_SIDE_CALLER ? BP_SIDE_CALLEE : BP_SIDE_CALLER, m);
	request = bp_kept_request(engine, record, branch);
	if (request != NULL)
		refresh_side(engine, dialog, from, request);
}
