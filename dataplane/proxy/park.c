/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Requests that wait until the name of their next hop is known. Such a request has its record from the
 * start, without a branch, so that a retransmission is absorbed and a CANCEL counts wherever they
 * come in; the message itself waits in kept memory, in a list of the worker that took it. That
 * worker alone goes on with it: when an answer is published, when a CANCEL came, when time is over.
 */
#include "proxy/context.h"

#define WALK_BUDGET 64        /* requests looked at in one turn */
#define WALK_NEWS_US 1000     /* between two walks, however much is published */
#define WALK_QUIET_US 50000   /* the same when nothing is: CANCELs are seen, and time that is over */

struct bp_parked {
	struct bp_slot slot;
	struct bp_parked *next, *previous;
	uint64_t deadline_us;
	uint64_t id[2];
	struct bp_record *record;
	uint32_t generation;
	uint32_t size;
	struct bp_flow from;
	struct bp_name_key name;
	uint8_t bytes[];
};

static void
append(struct bp_parking *parking, struct bp_parked *parked)
{
	parked->next = NULL;
	parked->previous = parking->last;
	*(parking->last ? &parking->last->next : &parking->first) = parked;
	parking->last = parked;
	parking->count++;
}

static void
take_out(struct bp_parking *parking, struct bp_parked *parked)
{
	*(parked->previous ? &parked->previous->next : &parking->first) = parked->next;
	*(parked->next ? &parked->next->previous : &parking->last) = parked->previous;
	if (parking->at == parked)
		parking->at = parked->next;
	parking->count--;
}

static int
refuse_full(struct bp_engine *engine, const struct bp_request *request)
{
	bp_count(&engine->counters->names_park_full, 1);
	return bp_answer(engine, request, 503, NULL);
}

int
bp_park(struct bp_engine *engine, const struct bp_request *request, const struct bp_destination *destination)
{
	const struct bp_sip_message *m = request->m;
	struct bp_record *record, *first;
	struct bp_parked *parked;
	int breadth = bp_breadth(m);

	if (breadth <= 0)
		return bp_breadth_refuse(engine, request, breadth);
	if (engine->parking.count >= engine->config->dns.parked)
		return refuse_full(engine, request);
	parked = (struct bp_parked *)bp_block_take(engine->memory, sizeof(*parked) + m->size);
	if (parked == NULL)
		return refuse_full(engine, request);
	record = bp_forward_later(engine, request, &first);
	if (record == NULL) {
		bp_slot_return(engine->memory, &parked->slot);
		return first ? bp_request_repeated(engine, request, first) : refuse_full(engine, request);
	}
	bp_count(&engine->counters->kept_taken, 1);
	bp_block_charge(engine->memory, &parked->slot, bp_kind_of(m->method));
	parked->deadline_us = engine->now_us + engine->config->dns.wait_us;
	memcpy(parked->id, request->id, sizeof(parked->id));
	parked->record = record;
	parked->generation = bp_word_generation(atomic_load(&record->server));
	parked->from = *request->from;
	parked->name = destination->name;
	parked->size = m->size;
	memcpy(parked->bytes, m->bytes, m->size);
	if (engine->parking.count == 0)
		engine->parking.walk_us = 0; /* the answer may be here already */
	append(&engine->parking, parked);
	bp_count(&engine->counters->names_parked, 1);
	bp_count(&engine->counters->messages_parked, 1);
	return BP_VERDICT_PARKED;
}

static bool
is_cancelled(const struct bp_parked *parked)
{
	return (atomic_load(&parked->record->server) & BP_WORD_CANCEL_ASKED) != 0;
}

/* Whether @parked need wait no longer; *status: it is refused, 0: it goes its way. */
static bool
is_over(struct bp_engine *engine, const struct bp_parked *parked, uint16_t *status)
{
	const struct bp_name_entry *name;

	*status = 0;
	if (is_cancelled(parked)) {
		*status = 487;
		return true;
	}
	if (engine->hooks.resolve(engine->hooks.context, &parked->name, false, &name) != BP_NAME_WAITS)
		return true;
	if (parked->deadline_us > engine->now_us)
		return false;
	bp_count(&engine->counters->names_timeout, 1);
	*status = 503;
	return true;
}

/* Its way, as if it had just come. 0 and *destination, or the status to refuse with; BP_ROUTE_WAITS: what was known is
 * forgotten already. */
static int
route(struct bp_engine *engine, struct bp_request *request, struct bp_destination *destination)
{
	int status;

	status = bp_route_request(engine, request, destination);
	if (status == 0 && (request->m->method == BP_METHOD_INVITE || request->m->method == BP_METHOD_UPDATE) &&
		bp_session_request(engine, request, destination) != 0)
		return 422; /* only if the configuration is another one now */
	return status == BP_ROUTE_TO_EDGE ? 404 : status; /* the same */
}

static void
count_verdict(struct bp_counters *counters, int verdict)
{
	bp_count(verdict == BP_VERDICT_FORWARDED ? &counters->forwarded : &counters->answered, 1);
}

/* False: it waits on after all. */
static bool
go_on(struct bp_engine *engine, struct bp_parked *parked, uint16_t refused)
{
	struct bp_sip_message *m = &engine->views[0].m; /* no burst is read while timers run */
	struct bp_request request = {
		.m = m, .from = &parked->from, .reply = parked->record->upstream, .id = {parked->id[0], parked->id[1]}};
	struct bp_destination destination;
	int status = refused;

	/* it was read without a fault when it came */
	if (bp_sip_parse(m, parked->bytes, parked->size, &bp_no_limits) != BP_SIP_FAULT_NONE)
		status = 500;
	engine->from = parked->from;
	bp_timers_fill(&engine->timers); /* each is a message of its own */
	if (status == 0)
		status = route(engine, &request, &destination);
	if (status == BP_ROUTE_WAITS && parked->deadline_us > engine->now_us)
		return false;
	if (status == BP_ROUTE_WAITS)
		status = 503;
	take_out(&engine->parking, parked);
	bp_count(&engine->counters->messages_parked, (uint64_t)-1);
	count_verdict(engine->counters, bp_forward_now(engine, &request, &destination, parked->record, parked->generation,
						(uint16_t)status));
	bp_count(&engine->counters->kept_returned, 1);
	bp_slot_return(engine->memory, &parked->slot); /* nobody else has seen it */
	return true;
}

static void
begin_walk(struct bp_engine *engine)
{
	struct bp_parking *parking = &engine->parking;
	uint64_t news = engine->hooks.resolved(engine->hooks.context);
	uint64_t since_us = engine->now_us - parking->walk_us;
	bool due = parking->first->deadline_us <= engine->now_us;

	if (!due && since_us < (news != parking->news ? WALK_NEWS_US : WALK_QUIET_US))
		return;
	parking->news = news;
	parking->walk_us = engine->now_us;
	parking->at = parking->first;
}

uint64_t
bp_parking_walk(struct bp_engine *engine)
{
	struct bp_parking *parking = &engine->parking;
	unsigned budget = WALK_BUDGET;
	uint16_t status;

	if (parking->at == NULL)
		begin_walk(engine);
	while (parking->at != NULL && budget-- > 0) {
		struct bp_parked *parked = parking->at;

		parking->at = parked->next;
		if (is_over(engine, parked, &status))
			go_on(engine, parked, status);
	}
	if (parking->count == 0)
		return UINT64_MAX;
	if (parking->at != NULL)
		return engine->now_us;
	return parking->first->deadline_us < parking->walk_us + WALK_QUIET_US
		? parking->first->deadline_us
		: parking->walk_us + WALK_QUIET_US;
}

void
bp_engine_release(struct bp_engine *engine, uint64_t now_us)
{
	engine->now_us = now_us;
	bp_engine_configure(engine);
	while (engine->parking.first != NULL)
		go_on(engine, engine->parking.first, 503);
}
