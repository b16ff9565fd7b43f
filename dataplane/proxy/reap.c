/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The reaper: dialogs that nobody ends. By policy (dialogs.reap: bye) it says ACK and BYE in the peers' names to
 * whoever may still be there (RFC 3261 13.3.1.4, 15.1.1). A BYE of the edge's own is a relay record without
 * a server side: its NICT (17.1.2) runs like any other, and nothing goes upstream.
 */
#include "proxy/context.h"

/* Both sides of a dialog that is about to end. RCU. */
struct sides {
	const struct bp_remote *remotes[2];
	uint32_t cseq[2]; /* of the next request in that side's name */
	uint32_t invite_cseq;
	uint64_t mark[2]; /* names what is sent */
};

struct text {
	uint8_t *out;
	unsigned size;
};

static void
add(struct text *t, const char *bytes, unsigned size)
{
	memcpy(t->out + t->size, bytes, size);
	t->size += size;
}

#define ADD(t, literal) add(t, literal, sizeof(literal) - 1)

static void
add_number(struct text *t, uint32_t number)
{
	char digits[10];
	unsigned count = 0;

	do
		digits[sizeof(digits) - ++count] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	add(t, digits + sizeof(digits) - count, count);
}

static const char *
reason_line(enum bp_dialog_end reason)
{
	switch (reason) {
	case BP_DIALOG_END_no_ack:
		return "Reason: SIP;cause=408;text=\"No ACK\"\r\n";
	case BP_DIALOG_END_session_expired:
		return "Reason: SIP;cause=408;text=\"Session expired\"\r\n";
	case BP_DIALOG_END_refresh_failed:
		return "Reason: SIP;cause=481;text=\"Peer is gone\"\r\n";
	default:
		return "Reason: SIP;cause=408;text=\"Call too long\"\r\n";
	}
}

/* Request-URI and Route (12.2.1.1): a strict router that comes first stands in the Request-URI. */
struct way {
	struct bp_span uri, routes; /* in bytes of the remote's text */
	bool strict;
};

static struct way
way_to(const struct bp_remote *remote)
{
	unsigned routes = (unsigned)remote->uri_size + remote->name_size + remote->call_id_size;
	struct way way = {.uri = {0, remote->uri_size}, .routes = {(uint16_t)routes, remote->routes_size}};
	const uint8_t *bytes = (const uint8_t *)remote->uri, *comma;
	struct bp_span first = way.routes;
	struct bp_sip_address address;
	struct bp_sip_uri uri;

	if (remote->routes_size == 0)
		return way;
	comma = memchr(bytes + routes, '>', remote->routes_size);
	if (comma != NULL)
		first.size = (uint16_t)(comma + 1 - (bytes + routes));
	if (!bp_sip_address_cut(bytes, first, &address) || !bp_sip_uri_cut(bytes, address.uri, &uri) || uri.loose)
		return way;
	way.strict = true;
	way.uri = address.uri;
	comma = memchr(bytes + routes, ',', remote->routes_size);
	way.routes.offset = (uint16_t)(comma ? comma + 2 - bytes : routes + remote->routes_size);
	way.routes.size = (uint16_t)(routes + remote->routes_size - way.routes.offset);
	return way;
}

static void
add_routes(struct text *t, const struct bp_remote *remote, const struct way *way)
{
	if (way->routes.size == 0 && !way->strict)
		return;
	ADD(t, "Route: ");
	add(t, remote->uri + way->routes.offset, way->routes.size);
	if (way->strict) {
		if (way->routes.size > 0)
			ADD(t, ", ");
		ADD(t, "<");
		add(t, remote->uri, remote->uri_size);
		ADD(t, ">");
	}
	ADD(t, "\r\n");
}

/* A request to @to in the other side's name. Returns its size. */
static unsigned
write_request(struct bp_engine *engine, const struct sides *sides, enum bp_side to, const char *method, uint32_t cseq,
	const char *branch, unsigned branch_size, const char *reason)
{
	const struct bp_remote *remote = sides->remotes[to], *other = sides->remotes[!to];
	const struct bp_remote *caller = sides->remotes[BP_SIDE_CALLER];
	struct way way = way_to(remote);
	struct text t = {.out = engine->scratch};
	char via[BP_VIA_SIZE_MAX];

	add(&t, method, (unsigned)strlen(method));
	ADD(&t, " ");
	add(&t, remote->uri + way.uri.offset, way.uri.size);
	ADD(&t, " SIP/2.0\r\n");
	add(&t, via, bp_via_write(bp_listener(engine, remote->flow.listener), branch, branch_size, via));
	ADD(&t, "\r\nMax-Forwards: 70\r\n");
	add_routes(&t, remote, &way);
	ADD(&t, "From: ");
	add(&t, other->uri + other->uri_size, other->name_size);
	ADD(&t, "\r\nTo: ");
	add(&t, remote->uri + remote->uri_size, remote->name_size);
	ADD(&t, "\r\nCall-ID: ");
	add(&t, caller->uri + caller->uri_size + caller->name_size, caller->call_id_size);
	ADD(&t, "\r\nCSeq: ");
	add_number(&t, cseq);
	ADD(&t, " ");
	add(&t, method, (unsigned)strlen(method));
	ADD(&t, "\r\n");
	add(&t, reason, (unsigned)strlen(reason));
	ADD(&t, "Content-Length: 0\r\n\r\n");
	return t.size;
}

/* The 2xx was never acknowledged: without this the callee would repeat it, or take the BYE for a mistake. */
static void
send_ack(struct bp_engine *engine, const struct sides *sides)
{
	const struct bp_remote *callee = sides->remotes[BP_SIDE_CALLEE];
	char branch[BP_BRANCH_ID_STATELESS_SIZE];
	unsigned size;

	bp_branch_id_write_stateless(bp_prf64(&engine->edge->branch_key, sides->mark), branch);
	size = write_request(engine, sides, BP_SIDE_CALLEE, "ACK", sides->invite_cseq, branch, sizeof(branch), "");
	bp_transmit_bytes(engine, &callee->flow, engine->scratch, size);
	bp_count_request(engine, BP_METHOD_ACK);
}

/* Nobody sees the record until its branch is answered. */
static void
fill(struct bp_engine *engine, struct bp_record *record, struct bp_live *live, const struct bp_flow *to)
{
	record->method = BP_METHOD_BYE;
	record->to_tagged = true;
	record->own = true;
	record->watched = false;
	record->session = 0;
	record->dialog = BP_NO_INDEX;
	record->dialog_generation = 0;
	record->upstream = (struct bp_flow){.port = 0};
	atomic_store_explicit(&record->response, NULL, memory_order_relaxed);
	atomic_store_explicit(&record->ack, NULL, memory_order_relaxed);
	memset((uint8_t *)live + sizeof(live->slot), 0,
		sizeof(*live) - sizeof(live->slot) + sizeof(live->branches[0]));
	live->room = 1;
	live->trunk = BP_CONFIG_NONE;
	live->branches[0].flow = *to;
	live->branches[0].started_us = engine->now_us;
}

static void
start(struct bp_record *record, struct bp_live *live, uint32_t generation)
{
	uint64_t base = (uint64_t)generation << BP_WORD_GENERATION_SHIFT;

	atomic_store_explicit(&record->live, live, memory_order_relaxed);
	atomic_store_explicit(&record->branch_count, 1, memory_order_relaxed);
	atomic_store_explicit(&record->branch, BP_WORD_SET(base, STATE, BP_NICT_TRYING), memory_order_relaxed);
	atomic_store_explicit(&record->server, BP_WORD_SET(base, STATE, BP_NIST_TERMINATED), memory_order_release);
}

static struct bp_kept *
make_bye(struct bp_engine *engine, const struct sides *sides, enum bp_side to, struct bp_branch_id id,
	enum bp_dialog_end reason)
{
	char branch[BP_BRANCH_ID_SIZE];
	struct bp_kept *kept;
	unsigned size;

	bp_branch_id_write(&engine->edge->branch_key, id, branch);
	size = write_request(
		engine, sides, to, "BYE", sides->cseq[!to], branch, sizeof(branch), reason_line(reason));
	kept = bp_kept_take(engine->memory, size);
	if (kept == NULL)
		return NULL;
	bp_count(&engine->counters->kept_taken, 1);
	kept->size = (uint16_t)size;
	kept->status = 0;
	memcpy(kept->bytes, engine->scratch, size);
	return kept;
}

/* The timers that the record may have are promised. False: no memory. */
static bool
launch_bye(struct bp_engine *engine, const struct sides *sides, enum bp_side to, enum bp_dialog_end reason)
{
	struct bp_record *record = (struct bp_record *)bp_slot_take(engine->memory, BP_POOL_RECORD);
	struct bp_live *live = (struct bp_live *)bp_block_take(engine->memory, sizeof(*live) + sizeof(live->branches[0]));
	uint32_t generation = record ? bp_word_generation(atomic_load(&record->server)) : 0;
	struct bp_kept *kept = NULL;

	if (record != NULL && live != NULL)
		kept = make_bye(engine, sides, to,
			(struct bp_branch_id){.index = bp_slot_index(engine->edge->memory, &record->slot),
				.generation = generation},
			reason);
	if (kept == NULL) {
		bp_slot_return(engine->memory, live ? &live->slot : NULL);
		bp_slot_return(engine->memory, record ? &record->slot : NULL);
		return false;
	}
	bp_count(&engine->counters->kept_taken, 1);
	fill(engine, record, live, &sides->remotes[to]->flow);
	atomic_store_explicit(&live->branches[0].request, kept, memory_order_relaxed);
	start(record, live, generation);
	bp_count(&engine->counters->transactions_created[BP_KIND_NON_INVITE], 1);
	bp_branch_launch(engine, record, live, generation, 0);
	return true;
}

static void
send_bye(struct bp_engine *engine, const struct sides *sides, enum bp_side to, enum bp_dialog_end reason)
{
	unsigned promised = bp_timers_of(1);

	if (bp_timers_promise(&engine->timers, promised)) {
		if (launch_bye(engine, sides, to, reason))
			return;
		bp_timers_redeem(&engine->timers, promised);
	}
	bp_count(&engine->counters->drops[BP_DROP_bye_not_made], 1);
}

/* Whether all that a request to either side needs was kept. */
static bool
read_sides(struct bp_engine *engine, uint32_t index, uint32_t generation, struct sides *sides)
{
	struct bp_dialog *dialog = bp_dialog_at(&engine->edge->dialogs, index);
	bool good = dialog != NULL;

	for (unsigned side = 0; good && side < 2; side++) {
		const struct bp_remote *remote = bp_dialog_remote(dialog, (enum bp_side)side);

		good = remote != NULL && remote->name_size > 0 && remote->uri_size > 0 &&
			bp_listener(engine, remote->flow.listener) != NULL;
		sides->remotes[side] = remote;
		sides->cseq[side] = atomic_load(&dialog->cseq[side]) + 1;
	}
	if (!good)
		return false;
	sides->invite_cseq = dialog->invite_cseq;
	sides->mark[0] = (uint64_t)generation << 32 | index;
	sides->mark[1] = dialog->answered_us;
	return true;
}

#define BOTH 3u
#define BIT(side) (1u << (side))

static void
end(struct bp_engine *engine, uint32_t index, uint32_t generation, enum bp_dialog_end reason, unsigned living)
{
	bool by_bye = engine->config->reap_by_bye;
	struct sides sides;
	bool known = by_bye && read_sides(engine, index, generation, &sides); /* before they are dropped */

	if (!bp_dialog_end(&engine->dialogs, index, generation, reason) || !by_bye)
		return;
	if (!known) {
		bp_count(&engine->counters->drops[BP_DROP_bye_not_made], 1);
		return;
	}
	if (reason == BP_DIALOG_END_no_ack)
		send_ack(engine, &sides);
	for (unsigned side = 0; side < 2; side++)
		if ((living & BIT(side)) != 0)
			send_bye(engine, &sides, (enum bp_side)side, reason);
}

void
bp_reap_due(struct bp_engine *engine, const struct bp_timer_entry *entry, enum bp_dialog_end reason)
{
	end(engine, entry->index, entry->generation, reason, BOTH);
}

/* The peer of who sent it does not know the dialog, or is gone: who sent it lives. */
void
bp_reap_refresh_failed(struct bp_engine *engine, struct bp_record *record, unsigned branch)
{
	const struct bp_sip_message *m;
	enum bp_side from;
	uint32_t generation;
	struct bp_dialog *dialog;

	if (!record->to_tagged || (record->method != BP_METHOD_INVITE && record->method != BP_METHOD_UPDATE))
		return;
	m = bp_kept_request(engine, record, branch);
	dialog = m ? bp_dialog_find(&engine->edge->dialogs, m, BP_NO_INDEX, 0, &from, &generation) : NULL;
	if (dialog != NULL)
		end(engine, bp_slot_index(engine->edge->memory, &dialog->slot), generation,
			BP_DIALOG_END_refresh_failed, BIT(from));
}
