/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where a request goes: Route preprocessing (RFC 3261 16.4), inside a dialog by route token or
 * by the dialog itself, outside by the configured routes (16.5).
 */
#include "proxy/context.h"

/* What the request's own words say, before any decision. */
struct route_view {
	struct bp_sip_uri uri;       /* Request-URI */
	bool uri_own;                /* it names the edge */
	bool has_token;
	struct bp_route_token token; /* of the entry that this side uses */
	struct bp_span next;         /* first Route that is not ours; size 0: none */
	struct bp_sip_uri next_uri;
	struct bp_span last;         /* last Route */
};

static bool
ip_is_own(const struct bp_engine *engine, const struct bp_ip *ip, uint16_t port)
{
	for (unsigned i = 0; i < engine->config->listener_count; i++) {
		const struct bp_config_listener *listener = &engine->config->listeners[i];

		if (listener->port == port && bp_ip_equal(&listener->ip, ip))
			return true;
	}
	return false;
}

uint16_t
bp_listener_mark(const struct bp_config_listener *listener)
{
	static const struct bp_hash_key plain = {0, 0};

	return (uint16_t)bp_hash64(&plain, listener->text, listener->text_size);
}

/* The listener that a token's mark names; false: it is gone. */
static bool
unmark_listener(const struct bp_engine *engine, struct bp_flow *flow)
{
	for (uint16_t i = 0; i < engine->config->listener_count; i++) {
		if (bp_listener_mark(&engine->config->listeners[i]) != flow->listener)
			continue;
		flow->listener = i;
		return true;
	}
	return false;
}

bool
bp_uri_is_own(const struct bp_engine *engine, const uint8_t *bytes, const struct bp_sip_uri *uri)
{
	struct bp_ip ip;

	return (uri->scheme == BP_URI_SIP || uri->scheme == BP_URI_SIPS) && bp_sip_host_ip(bytes, uri->host, &ip) &&
		ip_is_own(engine, &ip, uri->port ? uri->port : 5060);
}

static bool
read_token_with(const uint8_t secret[16], const struct bp_sip_message *m, const struct bp_sip_uri *uri,
	struct bp_route_token *token)
{
	struct bp_hash_key key = bp_hash_key_load(secret);

	return bp_route_token_read(&key, bp_sip_at(m, uri->user), uri->user.size, bp_sip_at(m, m->call_id),
		m->call_id.size, token);
}

/* Signed with today's secret, or with one that was retired while its calls were up. */
static bool
read_token(const struct bp_engine *engine, const struct bp_sip_message *m, const struct bp_sip_uri *uri,
	struct bp_route_token *token)
{
	const struct bp_config *config = engine->config;

	if (read_token_with(config->secret, m, uri, token))
		return unmark_listener(engine, &token->onward);
	for (unsigned i = 0; i < config->old_secret_count; i++)
		if (read_token_with(config->old_secrets[i], m, uri, token))
			return unmark_listener(engine, &token->onward);
	return false;
}

/* The second of a pair names the same call from the other side. */
static bool
twins(const struct bp_route_token *a, const struct bp_route_token *b)
{
	return a->side != b->side && a->index == b->index && a->generation == b->generation && a->epoch == b->epoch &&
		a->node == b->node;
}

/* Counts the leading Routes that are ours, takes the token of the first, and finds what comes after. */
static bool
read_routes(const struct bp_engine *engine, const struct bp_sip_message *m, struct route_view *view,
	struct bp_destination *destination)
{
	bool leading = true, strict = view->has_token;
	struct bp_sip_walk walk = {0};
	struct bp_sip_address address;
	struct bp_route_token token;
	struct bp_sip_uri uri;

	while (bp_sip_walk_next(m, BP_SIP_ROUTE, &walk)) {
		if (!bp_sip_address_cut(m->bytes, walk.element, &address) ||
			!bp_sip_uri_cut(m->bytes, address.uri, &uri) || uri.headers.offset != 0)
			return false; /* a Route has no headers (19.1.1 table 1): it may become the Request-URI */
		view->last = address.uri;
		destination->routes++;
		if (leading && destination->own_routes + strict < 2 && bp_uri_is_own(engine, m->bytes, &uri)) {
			bool valid = read_token(engine, m, &uri, &token);

			if (destination->own_routes + strict == 0 ||
				(valid && view->has_token && twins(&view->token, &token))) {
				if (!view->has_token && valid) {
					view->has_token = true;
					view->token = token;
				}
				destination->own_routes++;
				continue;
			}
		}
		if (leading) {
			view->next = address.uri;
			view->next_uri = uri;
		}
		leading = false;
	}
	return true;
}

/* A strict router puts our Record-Route URI into the Request-URI and the real one last into Route (16.4). */
static void
undo_strict(const struct bp_engine *engine, const struct bp_sip_message *m, struct route_view *view,
	struct bp_destination *destination)
{
	if (view->last.size == 0 || view->last.size > sizeof(destination->uri) ||
		!bp_sip_uri_cut(m->bytes, view->last, &view->uri))
		return;
	destination->strict_in = true;
	destination->uri_size = view->last.size;
	memcpy(destination->uri, bp_sip_at(m, view->last), view->last.size);
	view->uri_own = bp_uri_is_own(engine, m->bytes, &view->uri);
	if (view->next.offset == view->last.offset)
		view->next.size = 0;
}

/* The listener of @realm that speaks the family of @ip; BP_CONFIG_NONE: none. */
static uint16_t
listener_in(const struct bp_engine *engine, uint16_t realm, const struct bp_ip *ip)
{
	for (uint16_t i = 0; i < engine->config->listener_count; i++) {
		const struct bp_config_listener *listener = &engine->config->listeners[i];

		if (listener->realm == realm && (listener->family == 4) == bp_ip_is_v4(ip))
			return i;
	}
	return BP_CONFIG_NONE;
}

/* RFC 3263 for addresses: maddr before host, port 5060 when none is given. Names are not resolved here. */
bool
bp_flow_to_uri(const struct bp_engine *engine, const uint8_t *bytes, const struct bp_sip_uri *uri, uint16_t realm,
	struct bp_flow *flow)
{
	struct bp_span host = uri->maddr.size ? uri->maddr : uri->host;
	uint16_t port = uri->port ? uri->port : 5060, listener;
	struct bp_ip ip;

	if (uri->scheme != BP_URI_SIP || !bp_sip_host_ip(bytes, host, &ip) || ip_is_own(engine, &ip, port))
		return false;
	listener = listener_in(engine, realm, &ip);
	if (listener == BP_CONFIG_NONE)
		return false;
	*flow = (struct bp_flow){.ip = ip, .port = port, .listener = listener, .transport = BP_TRANSPORT_UDP};
	return true;
}

/* To the other side as the dialog knows it, whatever the request's own Route and Request-URI say: who holds a token
 * reaches his peer with it and nobody else. The Request-URI is made right when the sender only knew the edge. */
static bool
route_by_dialog(const struct bp_engine *engine, struct bp_dialog *dialog, enum bp_side from,
	const struct route_view *view, struct bp_destination *destination)
{
	const struct bp_remote *remote =
		bp_dialog_remote(dialog, from == BP_SIDE_CALLER ? BP_SIDE_CALLEE : BP_SIDE_CALLER);

	if (remote == NULL || bp_listener(engine, remote->flow.listener) == NULL)
		return false;
	destination->flow = remote->flow;
	if (view->uri_own && remote->uri_size > 0 && remote->uri_size <= sizeof(destination->uri)) {
		memcpy(destination->uri, remote->uri, remote->uri_size);
		destination->uri_size = remote->uri_size;
	}
	return true;
}

static bool
is_trusted(const struct bp_engine *engine, const struct bp_config_listener *listener)
{
	return engine->config->realms[listener->realm].trust == BP_TRUST_TRUSTED;
}

/* By the token alone: the call is still early, or its memory is gone. Towards the caller the token's flow is right.
 * Towards a trusted callee a trusted sender goes where his Route or Request-URI says, another where the INVITE went; so
 * do all towards a callee that is not trusted, whose Contact is not believed either (remote.c). */
static int
route_by_token(struct bp_engine *engine, const struct bp_request *request, const struct route_view *view,
	struct bp_destination *destination)
{
	const struct bp_config_listener *out = bp_listener(engine, view->token.onward.listener);
	const struct bp_config_listener *in = bp_listener(engine, request->from->listener);
	const struct bp_sip_uri *uri = view->next.size ? &view->next_uri : &view->uri;

	if (out == NULL || in == NULL)
		return 481;
	if (view->token.side == BP_SIDE_CALLEE || !is_trusted(engine, in) || !is_trusted(engine, out) ||
		!bp_flow_to_uri(engine, request->m->bytes, uri, out->realm, &destination->flow))
		destination->flow = view->token.onward;
	return 0;
}

static int
route_in_dialog(struct bp_engine *engine, const struct bp_request *request, const struct route_view *view,
	struct bp_destination *destination)
{
	const struct bp_edge *edge = engine->edge;
	bool known = view->has_token && view->token.epoch == edge->epoch && view->token.node == engine->config->node_id;
	enum bp_side from;

	destination->dialog = bp_dialog_find(&edge->dialogs, request->m, known ? view->token.index : BP_NO_INDEX,
		view->token.generation, &from, &destination->dialog_generation);
	if (view->next.size > 0 && !view->next_uri.loose)
		destination->strict_out = view->next;
	if (destination->dialog != NULL && route_by_dialog(engine, destination->dialog, from, view, destination))
		return 0;
	return view->has_token ? route_by_token(engine, request, view, destination) : 481;
}

static bool
route_matches(const struct bp_config_route *route, const struct bp_sip_message *m, const struct bp_sip_uri *uri,
	uint16_t realm)
{
	if (route->from != realm || uri->user.size < route->user_prefix_size ||
		memcmp(bp_sip_at(m, uri->user), route->user_prefix, route->user_prefix_size) != 0)
		return false;
	return route->domain_size == 0 || bp_span_is(m->bytes, uri->host, route->domain);
}

/* A Request-URI that names the edge is the edge's to change (16.5). */
unsigned
bp_readdress(const uint8_t *bytes, const struct bp_sip_uri *uri, const struct bp_flow *target, char *out, unsigned capacity)
{
	unsigned head = uri->host.offset - uri->whole.offset, end = uri->whole.offset + uri->whole.size;
	unsigned tail = uri->params.size ? uri->params.offset : uri->headers.size ? uri->headers.offset - 1u : end;
	unsigned size = head;

	if (head + 48 + (end - tail) > capacity)
		return 0;
	memcpy(out, bytes + uri->whole.offset, head);
	size += bp_sip_ip_write(&target->ip, out + size);
	if (target->port != 5060) {
		char digits[5];
		unsigned count = 0;

		for (unsigned port = target->port; port > 0; port /= 10)
			digits[count++] = (char)('0' + port % 10);
		out[size++] = ':';
		while (count > 0)
			out[size++] = digits[--count];
	}
	memcpy(out + size, bytes + tail, end - tail);
	return size + end - tail;
}

static bool
forms_dialog(enum bp_method method)
{
	return method == BP_METHOD_INVITE || method == BP_METHOD_SUBSCRIBE || method == BP_METHOD_REFER ||
		method == BP_METHOD_NOTIFY;
}

static int
route_to_trunk(struct bp_engine *engine, const struct bp_sip_message *m, uint16_t trunk, const struct route_view *view,
	struct bp_destination *destination)
{
	const struct bp_config_target *target;

	destination->trunk = trunk;
	destination->place = (uint32_t)bp_hash64(
		&engine->edge->routing_key, bp_sip_at(m, m->call_id), m->call_id.size);
	target = bp_target(&engine->config->trunks[trunk], destination->place, 0);
	if (target == NULL)
		return 404;
	destination->flow = target->flow;
	if (!view->uri_own)
		return 0;
	destination->uri_size = (uint16_t)bp_readdress(
		m->bytes, &view->uri, &target->flow, destination->uri, sizeof(destination->uri));
	return destination->uri_size > 0 ? 0 : 414;
}

static int
route_to(struct bp_engine *engine, const struct bp_sip_message *m, const struct bp_config_route *route,
	const struct route_view *view, struct bp_destination *destination)
{
	const struct bp_sip_uri *uri = view->next.size ? &view->next_uri : &view->uri;

	destination->record_route = forms_dialog(m->method);
	if (route->trunk != BP_CONFIG_NONE)
		return route_to_trunk(engine, m, route->trunk, view, destination);
	if (view->next.size > 0 && !view->next_uri.loose)
		destination->strict_out = view->next;
	return bp_flow_to_uri(engine, m->bytes, uri, route->realm, &destination->flow) ? 0 : 404;
}

static int
route_outside(struct bp_engine *engine, const struct bp_request *request, const struct route_view *view,
	struct bp_destination *destination)
{
	const struct bp_config_listener *in = bp_listener(engine, request->from->listener);
	const struct bp_sip_message *m = request->m;
	bool for_edge = view->uri_own && view->uri.user.size == 0 && view->next.size == 0;

	if (in == NULL)
		return 404;
	if (for_edge && m->method == BP_METHOD_OPTIONS)
		return BP_ROUTE_TO_EDGE;
	for (uint32_t i = 0; i < engine->config->route_count; i++)
		if (route_matches(&engine->config->routes[i], m, &view->uri, in->realm))
			return route_to(engine, m, &engine->config->routes[i], view, destination);
	return for_edge ? BP_ROUTE_TO_EDGE : 404;
}

int
bp_route_request(struct bp_engine *engine, const struct bp_request *request, struct bp_destination *destination)
{
	const struct bp_sip_message *m = request->m;
	struct route_view view = {.has_token = false};
	bool strict;

	memset(destination, 0, offsetof(struct bp_destination, uri));
	destination->trunk = BP_CONFIG_NONE;
	if (!bp_sip_uri_cut(m->bytes, m->uri, &view.uri))
		return 400;
	view.uri_own = bp_uri_is_own(engine, m->bytes, &view.uri);
	strict = view.uri_own && read_token(engine, m, &view.uri, &view.token);
	view.has_token = strict;
	if (!read_routes(engine, m, &view, destination))
		return 400;
	if (strict)
		undo_strict(engine, m, &view, destination);
	if (m->to_tag.size > 0)
		return route_in_dialog(engine, request, &view, destination);
	return route_outside(engine, request, &view, destination);
}
