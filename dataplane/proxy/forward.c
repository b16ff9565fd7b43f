/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Request forwarding (RFC 3261 16.6): the edits, the relay record, the first transmission and its
 * timers. An ACK to a 2xx goes without a record (16.11).
 */
#include "proxy/account.h"

static uint64_t
routing_hash(const struct bp_engine *engine, const struct bp_request *request)
{
	const struct bp_digest_key *key = &engine->edge->routing_key;
	const struct bp_config_listener *in = bp_listener(engine, request->from->listener);
	const struct bp_sip_message *m = request->m;
	const struct bp_sip_header *route = bp_sip_first(m, BP_SIP_ROUTE);
	uint16_t realm = in ? in->realm : BP_CONFIG_NONE; /* routes depend on it */
	const struct bp_sip_header *second = route ? bp_sip_next(m, route) : NULL;
	uint64_t routes = 0, out[2];
	struct bp_digest digest;

	bp_digest_begin(&digest, key);
	bp_digest_add(&digest, bp_sip_at(m, m->uri), m->uri.size);
	bp_digest_add(&digest, bp_sip_at(m, m->call_id), m->call_id.size);
	if (second != NULL && second->next) { /* more than there are parts for */
		for (; route != NULL; route = bp_sip_next(m, route))
			routes = bp_digest_mix(
				routes + bp_digest64(key, bp_sip_at(m, route->value), route->value.size));
		bp_digest_add(&digest, &routes, sizeof(routes));
	} else if (route != NULL) {
		bp_digest_add(&digest, bp_sip_at(m, route->value), route->value.size);
		if (second != NULL)
			bp_digest_add(&digest, bp_sip_at(m, second->value), second->value.size);
	}
	bp_digest_end(&digest, (uint64_t)m->cseq << 32 | (uint64_t)m->method << 16 | realm, out);
	return out[0];
}

static bool
came_this_way(const struct bp_engine *engine, const struct bp_request *request, const struct bp_sip_via *via)
{
	const char *branch = bp_sip_at(request->m, via->branch);
	struct bp_record *record;
	struct bp_branch_id id;
	const struct bp_live *live;

	if (!bp_branch_id_read(&engine->edge->branch_key, branch, via->branch.size, &id))
		return false;
	record = (struct bp_record *)bp_slot_at(engine->edge->memory, BP_POOL_RECORD, id.index);
	live = record ? atomic_load(&record->live) : NULL;
	return live != NULL && bp_word_generation(atomic_load(&record->server)) == id.generation &&
		live->routing_hash == request->routing_hash;
}

/* A Via of ours whose record chose its way by the same words: a loop. By others: a spiral, and allowed (RFC 5393
 * 4.2). A record that is gone tells nothing; Max-Forwards then ends it. */
bool
bp_forward_loops(struct bp_engine *engine, struct bp_request *request)
{
	const struct bp_sip_message *m = request->m;
	struct bp_sip_walk walk = {0};
	struct bp_sip_via via;

	request->routing_hash = routing_hash(engine, request);
	if (came_this_way(engine, request, &m->via))
		return true;
	if (m->via.last && bp_sip_first(m, BP_SIP_VIA)->next == 0) /* the only one */
		return false;
	while (bp_sip_walk_next(m, BP_SIP_VIA, &walk))
		if (walk.index > 0 && bp_sip_via_cut(m->bytes, walk.element, &via) &&
			came_this_way(engine, request, &via))
			return true;
	return false;
}

/* Appends text to a line that is being built; the callers' buffers hold every part at its longest. */
static inline unsigned
put(char *line, unsigned at, const char *text, unsigned size)
{
	bp_put((uint8_t *)line + at, text, size);
	return at + size;
}

#define PUT(line, at, literal) put(line, at, literal, sizeof(literal) - 1)

/* Up to three digits. */
static unsigned
write_number(char *out, unsigned number)
{
	unsigned size = 0;

	if (number >= 100)
		out[size++] = (char)('0' + number / 100);
	if (number >= 10)
		out[size++] = (char)('0' + number / 10 % 10);
	out[size++] = (char)('0' + number % 10);
	return size;
}

unsigned
bp_via_write(const struct bp_config_listener *out, const char *branch, unsigned branch_size, char *line)
{
	unsigned size = PUT(line, 0, "Via: SIP/2.0/UDP ");

	size = put(line, size, out->text, out->text_size);
	size = PUT(line, size, ";branch=");
	return put(line, size, branch, branch_size);
}

unsigned
bp_record_route_write(struct bp_engine *engine, struct bp_route_call call, const struct bp_config_listener *listener,
	const struct bp_route_token *token, char *line)
{
	struct bp_route_token marked = *token;
	unsigned size = PUT(line, 0, "Record-Route: <sip:");

	marked.onward.listener = bp_listener_mark(engine, token->onward.listener);
	size += bp_route_token_write(&engine->route_keys[0], &marked, call, line + size);
	size = PUT(line, size, "@");
	size = put(line, size, listener->text, listener->text_size);
	return PUT(line, size, ";lr>");
}

static void
push_via(struct bp_engine *engine, const struct bp_config_listener *out, const char *branch, unsigned branch_size)
{
	char line[BP_VIA_SIZE_MAX];
	unsigned size = bp_via_write(out, branch, branch_size, line);

	bp_edit_push_header(&engine->edits, BP_SIP_VIA, line, (uint16_t)size);
}

static void
push_record_route(struct bp_engine *engine, struct bp_route_call call, const struct bp_config_listener *listener,
	const struct bp_route_token *token)
{
	char line[BP_RECORD_ROUTE_SIZE_MAX];
	unsigned size = bp_record_route_write(engine, call, listener, token, line);

	bp_edit_push_header(&engine->edits, BP_SIP_RECORD_ROUTE, line, (uint16_t)size);
}

/* The callee's. */
static struct bp_route_token
first_token(const struct bp_engine *engine, const struct bp_destination *destination, uint32_t index,
	uint32_t generation)
{
	return (struct bp_route_token){
		.side = BP_SIDE_CALLEE,
		.node = engine->config->node_id,
		.epoch = engine->edge->epoch,
		.index = index,
		.generation = generation,
		.onward = destination->back.flow,
	};
}

/* Two entries, one facing each side (16.6 step 4, 16.7 step 8 without its rewriting): the callee's on top. */
static void
push_record_routes(struct bp_engine *engine, const struct bp_request *request, const struct bp_destination *destination,
	uint32_t index, uint32_t generation)
{
	struct bp_route_token token = first_token(engine, destination, index, generation);
	struct bp_route_call call = bp_call_of(engine, request->m);

	push_record_route(engine, call, bp_listener(engine, destination->flow.listener), &token);
	token.side = BP_SIDE_CALLER;
	token.onward = destination->flow;
	push_record_route(engine, call, bp_listener(engine, request->from->listener), &token);
}

/* Where requests to the user agent that registers are to come back to: our side of the registrar, and the flow to the user
 * agent in a token that is signed for no call (RFC 3327 5.2). */
static unsigned
write_path(struct bp_engine *engine, const struct bp_request *request, const struct bp_destination *destination, char *line)
{
	struct bp_route_token token = first_token(engine, destination, 0, 0);
	const struct bp_route_key *key = &engine->route_keys[0];
	const struct bp_config_listener *listener = bp_listener(engine, destination->flow.listener);
	unsigned size = PUT(line, 0, "Path: <sip:");

	token.onward = *request->from;
	token.onward.listener = bp_listener_mark(engine, request->from->listener);
	size += bp_route_token_write(key, &token, bp_route_call(key, BP_PATH_CALL, sizeof(BP_PATH_CALL) - 1), line + size);
	size = PUT(line, size, "@");
	size = put(line, size, listener->text, listener->text_size);
	return PUT(line, size, ";lr>");
}

int
bp_breadth(const struct bp_sip_message *m)
{
	const struct bp_sip_header *header = bp_sip_first(m, BP_SIP_MAX_BREADTH);
	int value = 0;

	if (header == NULL)
		return BP_BREADTH_MAX;
	if (header->value.size == 0 || header->next != 0)
		return -1;
	for (unsigned i = 0; i < header->value.size; i++) {
		uint8_t digit = (uint8_t)(bp_sip_at(m, header->value)[i] - '0');

		if (digit > 9)
			return -1;
		if (value <= BP_BREADTH_MAX)
			value = value * 10 + digit;
	}
	return value < BP_BREADTH_MAX ? value : BP_BREADTH_MAX;
}

/* 16.6 steps 1 to 8 as edits of the received message, but for Record-Route. */
static void
edit_request(struct bp_engine *engine, const struct bp_request *request, const struct bp_destination *destination,
	const char *branch, unsigned branch_size)
{
	const struct bp_sip_message *m = request->m;
	struct bp_edits *edits = &engine->edits;
	unsigned pop = destination->own_routes;
	char breadth[4];

	bp_edits_begin(edits, m);
	push_via(engine, bp_listener(engine, destination->flow.listener), branch, branch_size);
	bp_edit_via_received(edits, &request->from->ip, request->from->port);
	bp_edit_max_forwards(edits, m->max_forwards < 0 ? 70 : (uint8_t)(m->max_forwards - 1));
	bp_edit_replace_header(edits, BP_SIP_MAX_BREADTH, breadth, (uint16_t)write_number(breadth, destination->breadth));
	for (unsigned i = 0; i < destination->session_edit_count; i++) {
		const struct bp_session_edit *edit = &destination->session_edits[i];

		bp_edit_replace(edits, edit->offset, edit->remove, edit->text, edit->size);
	}
	if (destination->strict_out.size > 0) {
		bp_edit_request_uri(edits, bp_sip_at(m, destination->strict_out), destination->strict_out.size);
		if (destination->uri_size > 0)
			bp_edit_append_route(edits, destination->uri, destination->uri_size);
		else
			bp_edit_append_route(edits, bp_sip_at(m, m->uri), m->uri.size);
		pop++;
	} else if (destination->uri_size > 0) {
		bp_edit_request_uri(edits, destination->uri, destination->uri_size);
	}
	if (destination->strict_in && pop + 1u >= destination->routes) {
		bp_edit_delete_header(edits, BP_SIP_ROUTE); /* nothing is left of it */
		return;
	}
	if (pop > 0)
		bp_edit_pop_routes(edits, pop);
	if (destination->strict_in)
		bp_edit_pop_last_route(edits);
}

/* The text of the changes to a request, until it is copied. */
struct texts {
	char via[BP_VIA_SIZE_MAX + 2];
	char routes[2][BP_RECORD_ROUTE_SIZE_MAX + 2];
	char hops[32];
	char breadth[4];
};

static unsigned
end_line(char *line, unsigned size)
{
	memcpy(line + size, "\r\n", 2);
	return size + 2;
}

/* Whether gather_request() can do it: what strict routers ask for, and lists in one line, are for edit_request(). */
static bool
is_plain(const struct bp_request *request, const struct bp_destination *destination)
{
	return !destination->strict_in && destination->strict_out.size == 0 && request->m->max_forwards > 0 &&
		destination->own_routes == destination->own_lines;
}

/* 16.6 steps 1 to 8 of a request that is_plain(), but for Record-Route. */
static void
gather_request(struct bp_engine *engine, struct bp_gather *g, struct texts *texts, const struct bp_request *request,
	const struct bp_destination *destination, const char *branch, unsigned branch_size)
{
	const struct bp_sip_message *m = request->m;
	const struct bp_sip_header *via = bp_sip_first(m, BP_SIP_VIA), *route = bp_sip_first(m, BP_SIP_ROUTE);
	const struct bp_sip_header *hops = bp_sip_first(m, BP_SIP_MAX_FORWARDS);
	const struct bp_sip_header *breadth = bp_sip_first(m, BP_SIP_MAX_BREADTH);
	unsigned size = bp_via_write(bp_listener(engine, destination->flow.listener), branch, branch_size, texts->via);

	bp_gather_begin(g, m);
	if (destination->uri_size > 0)
		bp_gather_change(g, m->uri.offset, m->uri.size, destination->uri, destination->uri_size);
	bp_gather_change(g, via->line.offset, 0, texts->via, end_line(texts->via, size));
	bp_source_text(&engine->source, request->from);
	bp_gather_via(g, &engine->source);
	for (unsigned i = 0; i < destination->own_lines; i++, route = bp_sip_next(m, route))
		bp_gather_change(g, route->line.offset, route->line.size, "", 0);
	size = write_number(texts->hops, (unsigned)m->max_forwards - 1);
	if (breadth == NULL) { /* nearly always: behind Max-Forwards */
		size = PUT(texts->hops, size, "\r\nMax-Breadth: ");
		size += write_number(texts->hops + size, destination->breadth);
	} else if (bp_breadth(m) != destination->breadth || breadth->value.size > 2) {
		bp_gather_change(g, breadth->value.offset, breadth->value.size, texts->breadth,
			write_number(texts->breadth, destination->breadth));
	}
	bp_gather_change(g, hops->value.offset, hops->value.size, texts->hops, size);
	for (unsigned i = 0; i < destination->session_edit_count; i++) {
		const struct bp_session_edit *edit = &destination->session_edits[i];

		bp_gather_change(g, edit->offset, edit->remove, edit->text, edit->size);
	}
}

/* Two entries, as push_record_routes(). */
static void
gather_record_routes(struct bp_engine *engine, struct bp_gather *g, struct texts *texts,
	const struct bp_request *request, const struct bp_destination *destination, const struct bp_record *record)
{
	const struct bp_sip_header *first = bp_sip_first(request->m, BP_SIP_RECORD_ROUTE);
	unsigned offset = first ? first->line.offset : request->m->headers_offset, size;
	struct bp_route_token token = first_token(engine, destination, record->dialog, record->dialog_generation);
	struct bp_route_call call = bp_call_of(engine, request->m);

	size = bp_record_route_write(engine, call, bp_listener(engine, destination->flow.listener), &token,
		texts->routes[0]);
	bp_gather_change(g, offset, 0, texts->routes[0], end_line(texts->routes[0], size));
	token.side = BP_SIDE_CALLER;
	token.onward = destination->flow;
	size = bp_record_route_write(engine, call, bp_listener(engine, request->from->listener), &token,
		texts->routes[1]);
	bp_gather_change(g, offset, 0, texts->routes[1], end_line(texts->routes[1], size));
}

static void
gather_path(struct bp_engine *engine, struct bp_gather *g, struct texts *texts, const struct bp_request *request,
	const struct bp_destination *destination)
{
	const struct bp_sip_header *first = bp_sip_first(request->m, BP_SIP_PATH);
	unsigned size = write_path(engine, request, destination, texts->routes[0]);

	bp_gather_change(g, first ? first->line.offset : request->m->headers_offset, 0, texts->routes[0],
		end_line(texts->routes[0], size));
}

static void
push_path(struct bp_engine *engine, const struct bp_request *request, const struct bp_destination *destination)
{
	char line[BP_RECORD_ROUTE_SIZE_MAX];
	unsigned size = write_path(engine, request, destination, line);

	bp_edit_push_header(&engine->edits, BP_SIP_PATH, line, (uint16_t)size);
}

static int
forward_plain_ack(struct bp_engine *engine, const struct bp_request *request,
	const struct bp_destination *destination, const char *branch)
{
	struct bp_gather gather;
	struct texts texts;

	gather_request(engine, &gather, &texts, request, destination, branch, BP_BRANCH_ID_STATELESS_SIZE);
	if (!bp_gather_fits(&gather))
		return BP_DROP_too_large_to_forward;
	bp_transmit_gather(engine, &destination->flow, &gather);
	bp_count_request(engine, BP_METHOD_ACK);
	return BP_VERDICT_FORWARDED;
}

int
bp_forward_ack(struct bp_engine *engine, const struct bp_request *request, struct bp_destination *destination)
{
	char branch[BP_BRANCH_ID_STATELESS_SIZE];
	int breadth = bp_breadth(request->m);

	destination->breadth = (uint8_t)(breadth > 0 ? breadth : BP_BREADTH_MAX);
	bp_branch_id_write_stateless(bp_prf64(&engine->edge->branch_key, request->id), branch);
	if (is_plain(request, destination))
		return forward_plain_ack(engine, request, destination, branch);
	edit_request(engine, request, destination, branch, sizeof(branch));
	if (bp_edits_size(&engine->edits) == 0)
		return BP_DROP_too_large_to_forward;
	bp_transmit_edits(engine, &destination->flow);
	bp_count_request(engine, BP_METHOD_ACK);
	return BP_VERDICT_FORWARDED;
}

/* What of the live part depends on where the request goes. */
static void
fill_way(struct bp_engine *engine, struct bp_live *live, unsigned room, const struct bp_destination *destination)
{
	live->room = room & 127;
	live->config_generation = (uint32_t)engine->config->generation;
	live->trunk = destination->trunk;
	live->readdressed = destination->trunk != BP_CONFIG_NONE && destination->uri_size > 0;
	live->own_routes = destination->record_route ? 2 : 0;
	live->listed = destination->listed > 0;
	live->call_place = destination->place;
	live->back = destination->back.flow;
	for (unsigned i = 1; i < destination->listed && i < room; i++)
		live->branches[i].flow = destination->flows[i];
	live->branches[0].flow = destination->flow;
	live->branches[0].started_us = engine->now_us;
}

/* Fills the record; nobody sees it yet. */
static void
fill(struct bp_engine *engine, struct bp_record *record, struct bp_live *live, unsigned room,
	const struct bp_request *request, const struct bp_destination *destination)
{
	record->node.id[0] = request->id[0];
	record->node.id[1] = request->id[1];
	record->method = request->m->method;
	record->to_tagged = request->m->to_tag.size > 0;
	record->own = false;
	record->session = destination->session;
	record->upstream = request->reply;
	atomic_store_explicit(&record->response, NULL, memory_order_relaxed);
	atomic_store_explicit(&record->ack, NULL, memory_order_relaxed);
	memset((uint8_t *)live + sizeof(live->slot), 0, sizeof(*live) - sizeof(live->slot));
	memset(live->branches, 0, room * sizeof(live->branches[0]));
	live->routing_hash = request->routing_hash;
	record->watched = destination->trunk != BP_CONFIG_NONE && engine->config->trunks[destination->trunk].state != NULL;
	fill_way(engine, live, room, destination);
}

/* The server word comes last, released: who reads it with this generation sees all that was filled in. Nobody else
 * writes here before the record stands in the table. */
static void
start_machines(struct bp_record *record, struct bp_live *live, uint32_t generation, unsigned branches)
{
	uint64_t base = (uint64_t)generation << BP_WORD_GENERATION_SHIFT;
	bool invite = bp_record_is_invite(record);
	uint64_t server = BP_WORD_SET(base, STATE, invite ? (unsigned)BP_IST_PROCEEDING : BP_NIST_TRYING);
	uint64_t branch = BP_WORD_SET(base, STATE, invite ? (unsigned)BP_ICT_CALLING : BP_NICT_TRYING);

	atomic_store_explicit(&record->live, live, memory_order_relaxed);
	atomic_store_explicit(&record->branch_count, (uint8_t)branches, memory_order_relaxed);
	atomic_store_explicit(&record->branch, branch, memory_order_relaxed);
	for (unsigned i = 1; i < branches; i++)
		atomic_store_explicit(&live->branches[i].word, branch, memory_order_relaxed);
	atomic_store_explicit(&record->server, BP_WORD_SET(server, PENDING, branches), memory_order_release);
}

/* Branches that there will ever be. */
static unsigned
room_for(const struct bp_engine *engine, const struct bp_destination *destination)
{
	unsigned targets = destination->listed > 0 ? destination->listed
		: destination->trunk == BP_CONFIG_NONE
		? 1u
		: engine->config->trunks[destination->trunk].target_count;

	return targets < BP_BRANCHES_MAX ? targets : BP_BRANCHES_MAX;
}

/* The call that an INVITE opens, or the dialog that a BYE will end. False: no slot for the call. */
static bool
attach_dialog(struct bp_engine *engine, struct bp_record *record, const struct bp_request *request,
	const struct bp_destination *destination)
{
	struct bp_dialog *dialog = NULL;

	record->dialog_generation = destination->dialog_generation;
	if (request->m->method == BP_METHOD_INVITE && destination->record_route) {
		dialog = bp_call_reserve(&engine->dialogs, request->m, &destination->back);
		if (dialog == NULL)
			return false;
		record->dialog_generation = bp_word_generation(atomic_load(&dialog->word));
	} else if (request->m->method == BP_METHOD_BYE) {
		dialog = destination->dialog;
		if (engine->post->on && dialog != NULL)
			bp_account_bye(engine, dialog, destination->dialog_side);
	}
	record->dialog = dialog ? bp_slot_index(engine->edge->memory, &dialog->slot) : BP_NO_INDEX;
	return true;
}

/* Undoes what bp_forward prepared, before anybody saw it. */
static void
discard(struct bp_engine *engine, struct bp_record *record, struct bp_live *live)
{
	for (unsigned i = 0; i < live->room; i++) {
		struct bp_kept *kept = atomic_load(&live->branches[i].request);

		if (kept == NULL)
			continue;
		bp_count(&engine->counters->kept_returned, 1);
		bp_slot_return(engine->memory, &kept->slot);
	}
	if (record->method == BP_METHOD_INVITE && record->dialog != BP_NO_INDEX)
		bp_call_release(&engine->dialogs, record->dialog, record->dialog_generation);
	bp_count(&engine->counters->kept_returned, 1);
	bp_slot_return(engine->memory, &live->slot);
	bp_slot_return(engine->memory, &record->slot);
}

static bool
prepare_first(struct bp_engine *engine, struct bp_record *record, struct bp_live *live, uint32_t generation,
	const struct bp_request *request, const struct bp_destination *destination, bool *too_large)
{
	struct bp_branch_id id = {
		.index = bp_slot_index(engine->edge->memory, &record->slot), .generation = generation, .branch = 0};
	char branch[BP_BRANCH_ID_SIZE];
	struct bp_gather gather;
	struct texts texts;
	struct bp_kept *kept;

	bp_branch_id_write(&engine->edge->branch_key, id, branch);
	if (is_plain(request, destination)) {
		gather_request(engine, &gather, &texts, request, destination, branch, sizeof(branch));
		if (destination->record_route)
			gather_record_routes(engine, &gather, &texts, request, destination, record);
		else if (destination->path)
			gather_path(engine, &gather, &texts, request, destination);
		*too_large = !bp_gather_fits(&gather);
		kept = *too_large ? NULL : bp_keep_gather(engine, &gather, 0);
	} else {
		edit_request(engine, request, destination, branch, sizeof(branch));
		if (destination->record_route)
			push_record_routes(engine, request, destination, record->dialog, record->dialog_generation);
		else if (destination->path)
			push_path(engine, request, destination);
		kept = bp_keep_edits(engine, 0, too_large);
	}
	atomic_store_explicit(&live->branches[0].request, kept, memory_order_relaxed);
	return kept != NULL;
}

/* How many branches the request goes to at once. */
static unsigned
fork_width(const struct bp_engine *engine, const struct bp_destination *destination)
{
	if (destination->listed > 0)
		return destination->at_once;
	if (destination->trunk == BP_CONFIG_NONE)
		return 1;
	return bp_target_fork(
		engine, &engine->config->trunks[destination->trunk], destination->place, destination->order);
}

/* The further branches of a parallel fork, all before the first is sent, so that none comes too late. */
static unsigned
prepare_fork(struct bp_engine *engine, struct bp_record *record, struct bp_live *live, uint32_t generation,
	const struct bp_destination *destination, unsigned width)
{
	struct bp_target_order order = destination->order;
	const struct bp_config_trunk *trunk;
	unsigned count = 1;
	bool good = true;

	atomic_store_explicit(&live->next_target, destination->listed > 0 ? width : order.next, memory_order_relaxed);
	if (width == 1)
		return 1;
	if (destination->listed > 0) {
		while (count < width && bp_branch_prepare(engine, record, live, generation, count,
						&destination->flows[count]))
			count++;
		return count;
	}
	trunk = &engine->config->trunks[destination->trunk];
	for (unsigned i = 1; i < width && bp_target_pick(engine, trunk, destination->place, &order); i++) {
		good = good && bp_branch_prepare(engine, record, live, generation, count, &order.target->flow);
		count += good;
	}
	atomic_store(&live->next_target, order.next);
	return count;
}

static int
publish(struct bp_engine *engine, const struct bp_request *request, const struct bp_destination *destination,
	struct bp_record *record, struct bp_live *live, uint32_t generation, unsigned *branches)
{
	bool invite = bp_record_is_invite(record);
	unsigned count = *branches;
	struct bp_record *first;

	if (invite)
		bp_account_begin(engine, request, destination, record);
	start_machines(record, live, generation, count);
	first = bp_record_add(engine->edge->transactions, record);
	if (first != record) { /* another worker has the same request in hand */
		bp_account_undo(engine, record);
		discard(engine, record, live);
		*branches = 0;
		return bp_request_repeated(engine, request, first);
	}
	bp_count(&engine->counters->transactions_created[invite ? BP_KIND_INVITE : BP_KIND_NON_INVITE], 1);
	bp_step_begin(engine, invite ? BP_MACHINE_IST : BP_MACHINE_NIST);
	if (invite) {
		bp_account_begun(engine, destination, record);
		bp_answer_trying(engine, request);
	}
	for (unsigned i = 0; i < count; i++)
		bp_branch_launch(engine, record, live, generation, i);
	return BP_VERDICT_FORWARDED;
}

/* @branches: in, the width of the fork; out, how many the record has, 0: there is none. */
static int
forward(struct bp_engine *engine, const struct bp_request *request, struct bp_destination *destination,
	unsigned *branches)
{
	struct bp_record *record = (struct bp_record *)bp_slot_take(engine->memory, BP_POOL_RECORD);
	unsigned width = *branches, room = room_for(engine, destination);
	struct bp_live *live = (struct bp_live *)bp_block_take(
		engine->memory, sizeof(*live) + room * sizeof(live->branches[0]));
	uint32_t generation;
	bool too_large;

	*branches = 0;
	if (record == NULL || live == NULL) {
		bp_slot_return(engine->memory, live ? &live->slot : NULL);
		bp_slot_return(engine->memory, record ? &record->slot : NULL);
		return bp_answer(engine, request, 503, NULL);
	}
	bp_count(&engine->counters->kept_taken, 1);
	bp_block_charge(engine->memory, &live->slot, bp_kind_of(request->m->method));
	generation = bp_word_generation(atomic_load(&record->server));
	if (destination->record_route)
		destination->back = bp_remote_of_request(engine, request);
	fill(engine, record, live, room, request, destination);
	if (!attach_dialog(engine, record, request, destination)) {
		record->dialog = BP_NO_INDEX;
		discard(engine, record, live);
		return bp_answer(engine, request, 503, NULL);
	}
	if (!prepare_first(engine, record, live, generation, request, destination, &too_large)) {
		discard(engine, record, live);
		return bp_answer(engine, request, too_large ? 513 : 503, NULL);
	}
	*branches = prepare_fork(engine, record, live, generation, destination, width);
	return publish(engine, request, destination, record, live, generation, branches);
}

int
bp_breadth_refuse(struct bp_engine *engine, const struct bp_request *request, int breadth)
{
	return breadth < 0 ? bp_answer_text(engine, request, 400, "Bad Max-Breadth", NULL)
			   : bp_answer(engine, request, 440, NULL);
}

int
bp_forward(struct bp_engine *engine, const struct bp_request *request, struct bp_destination *destination)
{
	unsigned branches = fork_width(engine, destination), promised;
	int breadth = bp_breadth(request->m), verdict;

	if (breadth <= 0)
		return bp_breadth_refuse(engine, request, breadth);
	if (branches > (unsigned)breadth) /* the others are tried later, one after another */
		branches = (unsigned)breadth;
	destination->breadth = (uint8_t)((unsigned)breadth / branches);
	promised = bp_timers_of(branches);
	if (!bp_timers_promise(&engine->timers, promised))
		return bp_answer(engine, request, 503, NULL);
	verdict = forward(engine, request, destination, &branches);
	bp_timers_redeem(&engine->timers, promised - (branches > 0 ? bp_timers_of(branches) : 0));
	return verdict;
}

struct bp_record *
bp_forward_later(struct bp_engine *engine, const struct bp_request *request, struct bp_record **first)
{
	static const struct bp_destination nowhere = {.trunk = BP_CONFIG_NONE};
	bool invite = request->m->method == BP_METHOD_INVITE;
	unsigned promised = bp_timers_of(1);
	struct bp_record *record;
	struct bp_live *live;
	uint32_t generation;

	*first = NULL;
	if (!bp_timers_promise(&engine->timers, promised))
		return NULL;
	record = (struct bp_record *)bp_slot_take(engine->memory, BP_POOL_RECORD);
	live = (struct bp_live *)bp_block_take(
		engine->memory, sizeof(*live) + BP_BRANCHES_MAX * sizeof(live->branches[0]));
	if (record == NULL || live == NULL) {
		bp_slot_return(engine->memory, live ? &live->slot : NULL);
		bp_slot_return(engine->memory, record ? &record->slot : NULL);
		bp_timers_redeem(&engine->timers, promised);
		return NULL;
	}
	bp_count(&engine->counters->kept_taken, 1);
	bp_block_charge(engine->memory, &live->slot, bp_kind_of(request->m->method));
	generation = bp_word_generation(atomic_load(&record->server));
	fill(engine, record, live, BP_BRANCHES_MAX, request, &nowhere);
	record->dialog = BP_NO_INDEX;
	start_machines(record, live, generation, 1);
	/* pending, but no machine runs yet: nothing is to be cancelled or to come to an end */
	atomic_store(&record->branch, BP_WORD_SET((uint64_t)generation << BP_WORD_GENERATION_SHIFT, STATE,
					      invite ? (unsigned)BP_ICT_TERMINATED : BP_NICT_TERMINATED));
	*first = bp_record_add(engine->edge->transactions, record);
	if (*first != record) {
		discard(engine, record, live);
		bp_timers_redeem(&engine->timers, promised);
		return NULL;
	}
	bp_count(&engine->counters->transactions_created[invite ? BP_KIND_INVITE : BP_KIND_NON_INVITE], 1);
	bp_step_begin(engine, invite ? BP_MACHINE_IST : BP_MACHINE_NIST);
	if (invite)
		bp_answer_trying(engine, request);
	return record;
}

/* The edge's own response, as to any other request that it sent: from branch 0, which is never sent. */
static int
refuse_later(struct bp_engine *engine, const struct bp_request *request, struct bp_record *record,
	struct bp_live *live, uint32_t generation, uint16_t status)
{
	struct bp_destination nowhere = {.trunk = BP_CONFIG_NONE, .flow = *request->from};
	bool too_large;

	if (atomic_load(&live->branches[0].request) == NULL && bp_listener(engine, request->from->listener) != NULL)
		prepare_first(engine, record, live, generation, request, &nowhere, &too_large);
	if (engine->post->on && record->dialog == BP_NO_INDEX)
		bp_account_refused(engine, request, status);
	bp_upstream_settle(engine, record, generation, 0, status);
	bp_drop_live(engine, record);
	return BP_VERDICT_ANSWERED;
}

int
bp_forward_now(struct bp_engine *engine, const struct bp_request *request, struct bp_destination *destination,
	struct bp_record *record, uint32_t generation, uint16_t status)
{
	struct bp_live *live = atomic_load(&record->live);
	bool invite = bp_record_is_invite(record), too_large;

	if (status != 0)
		return refuse_later(engine, request, record, live, generation, status);
	if (destination->record_route)
		destination->back = bp_remote_of_request(engine, request);
	record->session = destination->session;
	destination->breadth = (uint8_t)bp_breadth(request->m); /* one branch at a time */
	fill_way(engine, live, room_for(engine, destination), destination);
	if (!attach_dialog(engine, record, request, destination))
		return refuse_later(engine, request, record, live, generation, 503);
	if (invite) {
		bp_account_begin(engine, request, destination, record);
		bp_account_begun(engine, destination, record);
	}
	if (!prepare_first(engine, record, live, generation, request, destination, &too_large))
		return refuse_later(engine, request, record, live, generation, too_large ? 513 : 503);
	atomic_store(&live->next_target, 1);
	atomic_store(&record->branch, BP_WORD_SET((uint64_t)generation << BP_WORD_GENERATION_SHIFT, STATE,
					      invite ? (unsigned)BP_ICT_CALLING : BP_NICT_TRYING));
	bp_branch_launch(engine, record, live, generation, 0);
	return BP_VERDICT_FORWARDED;
}
