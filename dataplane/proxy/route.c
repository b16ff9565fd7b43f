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
	struct bp_span token_text;
	struct bp_span next;         /* first Route that is not ours; size 0: none */
	struct bp_sip_uri next_uri;
	struct bp_span last;         /* last Route */
	bool has_path;
	struct bp_flow path;         /* that our Path token in the first Route leads to (RFC 3327) */
	struct bp_dialog *vouches;   /* for the token, whose check was not computed; NULL: it was */
	uint32_t dialog_generation;  /* of what vouches */
	enum bp_side from;
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

/* Computed when it is first asked for. */
uint16_t
bp_listener_mark(struct bp_engine *engine, uint16_t listener)
{
	static const struct bp_hash_key plain = {0, 0};

	if (bp_listener(engine, listener) == NULL)
		return 0;
	for (; engine->marked <= listener; engine->marked++) {
		const struct bp_config_listener *next = &engine->config->listeners[engine->marked];

		engine->marks[engine->marked] = (uint16_t)bp_hash64(&plain, next->text, next->text_size);
	}
	return engine->marks[listener];
}

/* The listener that a token's mark names; false: it is gone. */
static bool
unmark_listener(struct bp_engine *engine, struct bp_flow *flow)
{
	for (uint16_t i = 0; i < engine->config->listener_count; i++) {
		if (bp_listener_mark(engine, i) != flow->listener)
			continue;
		flow->listener = i;
		return true;
	}
	return false;
}

/* Whether @text is an address of ours as we write it: nearly always it is. False: it may still be. */
static bool
text_is_own(const struct bp_engine *engine, const uint8_t *text, unsigned size)
{
	for (unsigned i = 0; i < engine->config->listener_count; i++) {
		const struct bp_config_listener *listener = &engine->config->listeners[i];

		if (listener->text_size == size && memcmp(listener->text, text, size) == 0)
			return true;
	}
	return false;
}

bool
bp_via_is_own(const struct bp_engine *engine, const struct bp_sip_message *m)
{
	struct bp_sip_uri sent_by = {.scheme = BP_URI_SIP, .host = m->via.host, .port = m->via.port};

	return text_is_own(engine, m->bytes + m->via.sent_by.offset, m->via.sent_by.size) ||
		bp_uri_is_own(engine, m->bytes, &sent_by);
}

bool
bp_route_is_own(const struct bp_engine *engine, const uint8_t *bytes, struct bp_span route, struct bp_span *user)
{
	static const char begin[] = "<sip:", end[] = ";lr>";
	unsigned begin_size = sizeof(begin) - 1, end_size = sizeof(end) - 1;
	const uint8_t *text = bytes + route.offset, *at;

	if (route.size < begin_size + end_size || memcmp(text, begin, begin_size) != 0 ||
		memcmp(text + route.size - end_size, end, end_size) != 0)
		return false;
	at = memchr(text + begin_size, '@', route.size - begin_size - end_size);
	if (at == NULL || !text_is_own(engine, at + 1, (unsigned)(text + route.size - end_size - at - 1)))
		return false;
	*user = (struct bp_span){.offset = (uint16_t)(route.offset + begin_size),
		.size = (uint16_t)(at - text - begin_size)};
	return true;
}

bool
bp_uri_is_own(const struct bp_engine *engine, const uint8_t *bytes, const struct bp_sip_uri *uri)
{
	struct bp_ip ip;

	return (uri->scheme == BP_URI_SIP || uri->scheme == BP_URI_SIPS) && bp_sip_host_ip(bytes, uri->host, &ip) &&
		ip_is_own(engine, &ip, uri->port ? uri->port : 5060);
}

struct bp_route_call
bp_call_of(const struct bp_engine *engine, const struct bp_sip_message *m)
{
	return bp_route_call(&engine->route_keys[0], bp_sip_at(m, m->call_id), m->call_id.size);
}

/* Signed with today's secret, or with one that was retired while its calls were up. */
static bool
read_token(struct bp_engine *engine, const struct bp_request *request, struct bp_span text,
	struct bp_route_token *token)
{
	const struct bp_sip_message *m = request->m;

	if (text.size != BP_ROUTE_TOKEN_SIZE_V4 && text.size != BP_ROUTE_TOKEN_SIZE_MAX)
		return false;
	if (bp_route_token_read(
		    &engine->route_keys[0], bp_sip_at(m, text), text.size, bp_call_of(engine, m), token))
		return unmark_listener(engine, &token->onward);
	for (unsigned i = 1; i <= engine->config->old_secret_count; i++) {
		const struct bp_route_key *key = &engine->route_keys[i];

		if (bp_route_token_read(key, bp_sip_at(m, text), text.size,
			    bp_route_call(key, bp_sip_at(m, m->call_id), m->call_id.size), token))
			return unmark_listener(engine, &token->onward);
	}
	return false;
}

/* The same of a Path, which is signed for no call. */
static bool
read_path(struct bp_engine *engine, const struct bp_request *request, struct bp_span text, struct bp_flow *onward)
{
	struct bp_route_token token;

	for (unsigned i = 0; i <= engine->config->old_secret_count; i++) {
		const struct bp_route_key *key = &engine->route_keys[i];

		if (!bp_route_token_read(key, bp_sip_at(request->m, text), text.size,
			    bp_route_call(key, BP_PATH_CALL, sizeof(BP_PATH_CALL) - 1), &token) ||
			!unmark_listener(engine, &token.onward))
			continue;
		*onward = token.onward;
		return true;
	}
	return false;
}

/* Where a token names the dialog that the request belongs to by its Call-ID and tags, it tells nothing that these do not,
 * and nothing else of it is used: its check need not be computed. */
static bool
is_vouched_for(struct bp_engine *engine, const struct bp_request *request, struct bp_span text, struct route_view *view)
{
	const struct bp_edge *edge = engine->edge;
	const struct bp_sip_message *m = request->m;

	if (m->to_tag.size == 0 || !bp_route_token_open(bp_sip_at(m, text), text.size, &view->token) ||
		view->token.epoch != edge->epoch || view->token.node != engine->config->node_id)
		return false;
	view->vouches = bp_dialog_find_in_call(&edge->dialogs, m, view->token.index, view->token.generation, &view->from,
		&view->dialog_generation);
	return view->vouches != NULL;
}

/* The second of a pair names the same call from the other side. */
static bool
twins(const struct bp_route_token *a, const struct bp_route_token *b)
{
	return a->side != b->side && a->index == b->index && a->generation == b->generation && a->epoch == b->epoch &&
		a->node == b->node;
}

/* Whether a leading Route of ours goes: the first always does, the second of a pair when it names the same call from
 * the other side. Nothing else that the second says is used, so its check is only computed when its text is not like the
 * first's (other families). */
static bool
take_own(struct bp_engine *engine, const struct bp_request *request, struct bp_span text, unsigned before,
	struct route_view *view)
{
	struct bp_route_token token;

	if (before == 0) {
		view->has_token = is_vouched_for(engine, request, text, view) ||
			read_token(engine, request, text, &view->token);
		view->token_text = text;
		view->has_path = !view->has_token && text.size > 0 && read_path(engine, request, text, &view->path);
		return true;
	}
	if (!view->has_token)
		return false;
	if (text.size == view->token_text.size &&
		bp_route_token_twins(bp_sip_at(request->m, view->token_text), bp_sip_at(request->m, text)))
		return true;
	return read_token(engine, request, text, &token) && twins(&view->token, &token);
}

static unsigned
count_lines(const struct bp_sip_message *m, enum bp_sip_header_id id)
{
	const struct bp_sip_header *header = bp_sip_first(m, id);
	unsigned count = 0;

	for (; header != NULL; header = bp_sip_next(m, header))
		count++;
	return count;
}

/* Leading Routes as we write them, each on a line of its own. */
static void
take_plain_routes(struct bp_engine *engine, const struct bp_request *request, struct route_view *view,
	struct bp_destination *destination)
{
	const struct bp_sip_message *m = request->m;
	const struct bp_sip_header *header = bp_sip_first(m, BP_SIP_ROUTE);
	unsigned before = view->has_token; /* that of a strict router's Request-URI */
	struct bp_span user;

	for (; header != NULL && before < 2; header = bp_sip_next(m, header), before++) {
		if (!bp_route_is_own(engine, m->bytes, header->value, &user) ||
			!take_own(engine, request, user, before, view) || !view->has_token)
			return; /* the first token is read again then, the second leaves nothing behind */
		view->last = (struct bp_span){
			.offset = (uint16_t)(header->value.offset + 1), .size = (uint16_t)(header->value.size - 2)};
		destination->routes++;
		destination->own_routes++;
		destination->own_lines++;
	}
}

/* Counts the leading Routes that are ours, takes the token of the first, and finds what comes after. */
static bool
read_routes(struct bp_engine *engine, const struct bp_request *request, struct route_view *view,
	struct bp_destination *destination)
{
	const struct bp_sip_message *m = request->m;
	unsigned strict = view->has_token, taken;
	struct bp_sip_walk walk = {0};
	struct bp_sip_address address;
	struct bp_sip_uri uri;
	bool leading = true;

	take_plain_routes(engine, request, view, destination);
	taken = destination->routes;
	if (taken > 0 && count_lines(m, BP_SIP_ROUTE) == taken)
		return true;
	while (bp_sip_walk_next(m, BP_SIP_ROUTE, &walk)) {
		if (walk.index < taken)
			continue;
		if (!bp_sip_address_cut(m->bytes, walk.element, &address) ||
			!bp_sip_uri_cut(m->bytes, address.uri, &uri) || uri.headers.offset != 0)
			return false; /* a Route has no headers (19.1.1 table 1): it may become the Request-URI */
		view->last = address.uri;
		destination->routes++;
		if (leading && destination->own_routes + strict < 2 && bp_uri_is_own(engine, m->bytes, &uri) &&
			take_own(engine, request, uri.user, destination->own_routes + strict, view)) {
			destination->own_routes++;
			continue;
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

bool
bp_flow_to(const struct bp_engine *engine, const struct bp_ip *ip, uint16_t port, uint16_t realm, struct bp_flow *flow)
{
	uint16_t listener = ip_is_own(engine, ip, port) ? BP_CONFIG_NONE : listener_in(engine, realm, ip);

	if (listener == BP_CONFIG_NONE)
		return false;
	*flow = (struct bp_flow){.ip = *ip, .port = port, .listener = listener, .transport = BP_TRANSPORT_UDP};
	return true;
}

/* RFC 3263 for addresses: maddr before host, port 5060 when none is given. Names: bp_name_route(). */
bool
bp_flow_to_uri(const struct bp_engine *engine, const uint8_t *bytes, const struct bp_sip_uri *uri, uint16_t realm,
	struct bp_flow *flow)
{
	struct bp_span host = uri->maddr.size ? uri->maddr : uri->host;
	struct bp_ip ip;

	return uri->scheme == BP_URI_SIP && bp_sip_host_ip(bytes, host, &ip) &&
		bp_flow_to(engine, &ip, uri->port ? uri->port : 5060, realm, flow);
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
route_in_dialog(struct bp_engine *engine, const struct bp_request *request, struct route_view *view,
	struct bp_destination *destination)
{
	const struct bp_edge *edge = engine->edge;
	bool known = view->has_token && view->token.epoch == edge->epoch && view->token.node == engine->config->node_id;
	enum bp_side from = view->from;

	destination->dialog = view->vouches;
	destination->dialog_generation = view->dialog_generation;
	if (view->vouches == NULL)
		destination->dialog = bp_dialog_find(&edge->dialogs, request->m, known ? view->token.index : BP_NO_INDEX,
			view->token.generation, &from, &destination->dialog_generation);
	destination->dialog_side = from;
	if (destination->dialog != NULL)
		bp_dialog_seen(destination->dialog, from, request->m->cseq);
	else if (known)
		bp_call_seen(&edge->dialogs, request->m, view->token.index, view->token.generation);
	if (view->next.size > 0 && !view->next_uri.loose)
		destination->strict_out = view->next;
	if (destination->dialog != NULL && route_by_dialog(engine, destination->dialog, from, view, destination))
		return 0;
	if (view->vouches != NULL) /* now the rest of the token counts */
		view->has_token = read_token(engine, request, view->token_text, &view->token);
	return view->has_token ? route_by_token(engine, request, view, destination) : 481;
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
	const struct bp_config_trunk *chosen = &engine->config->trunks[trunk];
	uint32_t place = chosen->by_turn
		? engine->turn++
		: (uint32_t)bp_digest64(&engine->edge->routing_key, bp_sip_at(m, m->call_id), m->call_id.size);

	destination->trunk = trunk;
	destination->place = bp_target_place(engine, chosen, place);
	if (chosen->named) {
		int status = bp_name_trunk(engine, chosen, destination);

		if (status != 0)
			return status;
	} else {
		if (!bp_target_pick(engine, chosen, destination->place, &destination->order))
			return chosen->target_count > 0 ? 503 : 404; /* all are draining; there are none */
		destination->flow = destination->order.target->flow;
	}
	if (!view->uri_own)
		return 0;
	destination->uri_size = (uint16_t)bp_readdress(
		m->bytes, &view->uri, &destination->flow, destination->uri, sizeof(destination->uri));
	return destination->uri_size > 0 ? 0 : 414;
}

static int
route_to(struct bp_engine *engine, const struct bp_sip_message *m, const struct bp_route_choice *choice,
	const struct route_view *view, struct bp_destination *destination)
{
	const struct bp_sip_uri *uri = view->next.size ? &view->next_uri : &view->uri;

	destination->record_route = forms_dialog(m->method);
	if (choice->trunk != BP_CONFIG_NONE)
		return route_to_trunk(engine, m, choice->trunk, view, destination);
	if (view->next.size > 0 && !view->next_uri.loose)
		destination->strict_out = view->next;
	if (bp_flow_to_uri(engine, m->bytes, uri, choice->route->realm, &destination->flow))
		return 0;
	destination->place =
		(uint32_t)bp_digest64(&engine->edge->routing_key, bp_sip_at(m, m->call_id), m->call_id.size);
	return bp_name_route(engine, m->bytes, uri, choice->route->realm, view->next.size > 0, destination);
}

/* Whether whoever registers is to be reached through us. */
static bool
wants_path(const struct bp_engine *engine, const struct bp_sip_message *m, uint16_t realm)
{
	enum bp_path policy = engine->config->realms[realm].path;
	struct bp_sip_walk walk = {0};

	if (policy != BP_PATH_SUPPORTED)
		return policy == BP_PATH_ALWAYS;
	while (bp_sip_walk_next(m, BP_SIP_SUPPORTED, &walk))
		if (bp_span_is(m->bytes, walk.element, "path"))
			return true;
	return false;
}

static int
route_outside(struct bp_engine *engine, const struct bp_request *request, const struct route_view *view,
	struct bp_destination *destination)
{
	const struct bp_config_listener *in = bp_listener(engine, request->from->listener);
	const struct bp_sip_message *m = request->m;
	bool for_edge = view->uri_own && view->uri.user.size == 0 && view->next.size == 0;
	struct bp_route_choice choice;

	if (in == NULL)
		return 404;
	if (view->has_path && is_trusted(engine, in)) { /* from others it would open a way to phones of others */
		destination->flow = view->path;
		destination->record_route = forms_dialog(m->method);
		if (view->next.size > 0 && !view->next_uri.loose)
			destination->strict_out = view->next;
		return 0;
	}
	destination->path = m->method == BP_METHOD_REGISTER && wants_path(engine, m, in->realm);
	if (for_edge && m->method == BP_METHOD_OPTIONS)
		return BP_ROUTE_TO_EDGE;
	if (bp_route_choose(engine->config, m, &view->uri, in->realm, &choice))
		return route_to(engine, m, &choice, view, destination);
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
	view.uri = m->target;
	view.uri_own = bp_uri_is_own(engine, m->bytes, &view.uri);
	strict = view.uri_own && view.uri.user.size > 0 && read_token(engine, request, view.uri.user, &view.token);
	view.has_token = strict;
	view.token_text = view.uri.user;
	if (!read_routes(engine, request, &view, destination))
		return 400;
	if (strict)
		undo_strict(engine, m, &view, destination);
	if (m->to_tag.size > 0)
		return route_in_dialog(engine, request, &view, destination);
	return route_outside(engine, request, &view, destination);
}
