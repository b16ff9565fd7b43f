/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Client branches: the request as it goes to one target. Branch 0 is what bp_forward() made; the
 * others of a fork, and those that serial failover adds, are made from it (RFC 3261 16.6, 16.7).
 */
#include "proxy/context.h"

/* Both tokens name the same call; the caller's leads on to this branch's target. */
static void
edit_record_routes(struct bp_engine *engine, const struct bp_sip_message *m, const struct bp_record *record,
	const struct bp_live *live, const struct bp_flow *target)
{
	const struct bp_sip_header *callee = bp_sip_first(m, BP_SIP_RECORD_ROUTE);
	const struct bp_sip_header *caller = callee ? bp_sip_next(m, callee) : NULL;
	struct bp_route_token token = {
		.side = BP_SIDE_CALLEE,
		.node = engine->config->node_id,
		.epoch = engine->edge->epoch,
		.index = record->dialog,
		.generation = record->dialog_generation,
		.onward = live->back,
	};
	struct bp_route_call call = bp_call_of(engine, m);
	char line[BP_RECORD_ROUTE_SIZE_MAX + 2];
	unsigned size;

	if (caller == NULL)
		return;
	size = bp_record_route_write(engine, call, bp_listener(engine, target->listener), &token, line);
	memcpy(line + size, "\r\n", 2);
	bp_edit_replace(&engine->edits, callee->line.offset, callee->line.size, line, (uint16_t)(size + 2));
	token.side = BP_SIDE_CALLER;
	token.onward = *target;
	size = bp_record_route_write(engine, call, bp_listener(engine, record->upstream.listener), &token, line);
	memcpy(line + size, "\r\n", 2);
	bp_edit_replace(&engine->edits, caller->line.offset, caller->line.size, line, (uint16_t)(size + 2));
}

static bool
edit_for_target(struct bp_engine *engine, const struct bp_sip_message *m, const struct bp_record *record,
	const struct bp_live *live, struct bp_branch_id id, const struct bp_flow *target)
{
	const struct bp_sip_header *via = bp_sip_first(m, BP_SIP_VIA);
	char text[BP_BRANCH_ID_SIZE], line[BP_VIA_SIZE_MAX + 2], uri[512];
	struct bp_sip_uri old;
	unsigned size;

	bp_edits_begin(&engine->edits, m);
	bp_branch_id_write(&engine->edge->branch_key, id, text);
	size = bp_via_write(bp_listener(engine, target->listener), text, sizeof(text), line);
	memcpy(line + size, "\r\n", 2);
	bp_edit_replace(&engine->edits, via->line.offset, via->line.size, line, (uint16_t)(size + 2));
	if (live->own_routes > 0)
		edit_record_routes(engine, m, record, live, target);
	if (!live->readdressed)
		return true;
	size = bp_sip_uri_cut(m->bytes, m->uri, &old) ? bp_readdress(m->bytes, &old, target, uri, sizeof(uri)) : 0;
	bp_edit_request_uri(&engine->edits, uri, (uint16_t)size);
	return size > 0;
}

static bool
prepare(struct bp_engine *engine, struct bp_record *record, struct bp_live *live, uint32_t generation,
	unsigned index, const struct bp_flow *target)
{
	struct bp_branch_id id = {.index = bp_slot_index(engine->edge->memory, &record->slot),
		.generation = generation,
		.branch = (uint8_t)index};
	const struct bp_sip_message *m = bp_kept_parse(engine, atomic_load(&live->branches[0].request));
	struct bp_branch *branch = &live->branches[index];
	struct bp_kept *kept;
	bool too_large;

	if (m == NULL || bp_listener(engine, target->listener) == NULL ||
		bp_listener(engine, record->upstream.listener) == NULL ||
		!edit_for_target(engine, m, record, live, id, target))
		return false;
	kept = bp_keep_edits(engine, 0, &too_large);
	if (kept == NULL)
		return false;
	branch->flow = *target;
	branch->started_us = engine->now_us;
	atomic_store(&branch->request, kept);
	return true;
}

bool
bp_branch_prepare(struct bp_engine *engine, struct bp_record *record, struct bp_live *live, uint32_t generation,
	unsigned index, const struct bp_flow *target)
{
	if (prepare(engine, record, live, generation, index, target))
		return true;
	bp_count(&engine->counters->drops[BP_DROP_branch_not_made], 1);
	return false;
}

const struct bp_config_trunk *
bp_trunk_of(const struct bp_engine *engine, const struct bp_live *live)
{
	if (live->trunk == BP_CONFIG_NONE || live->config_generation != (uint32_t)engine->config->generation)
		return NULL;
	return &engine->config->trunks[live->trunk];
}

/* How many targets there are to be tried. */
static unsigned
targets_of(const struct bp_live *live, const struct bp_config_trunk *trunk)
{
	return live->listed ? live->room : trunk->target_count;
}

bool
bp_branch_may_come(const struct bp_engine *engine, struct bp_live *live)
{
	const struct bp_config_trunk *trunk = bp_trunk_of(engine, live);

	if (live->listed)
		return live->room > 1;
	return trunk != NULL && trunk->target_count > 1; /* the last target may be taken and not yet pending */
}

/* B and C, or F and the 100 of RFC 4320. B and F come up @duration after @from_us. */
static void
arm_ends(struct bp_engine *engine, struct bp_record *record, struct bp_live *live, uint32_t generation, unsigned index,
	unsigned duration, uint64_t from_us)
{
	bool invite = bp_record_is_invite(record);
	struct bp_timer_entry end = bp_entry(engine, record, generation, index, invite ? BP_TIMER_B : BP_TIMER_F);
	struct bp_timer_entry other =
		bp_entry(engine, record, generation, index, invite ? BP_TIMER_C : BP_TIMER_TRYING);
	uint64_t due_us = invite ? atomic_load(&live->branches[index].deadline_us)
				 : live->branches[index].started_us + bp_timer_trying_us(&engine->timers);
	bool armed = bp_timer_arm(&engine->timers, duration, end, from_us);

	if (invite || index == 0)
		armed = bp_timer_arm_hop(&engine->timers, due_us, other, from_us) && armed;
	if (!armed)
		bp_count(&engine->counters->drops[BP_DROP_timer_no_memory], 1);
}

/* Most requests have their answer before timer A or E comes up for the first time. So B, C and F are armed only then,
 * for what is left of their time, as of when it was due: a worker that was held up takes all in the right order. */
void
bp_branch_linger(struct bp_engine *engine, struct bp_record *record, const struct bp_timer_entry *first)
{
	struct bp_live *live = atomic_load(&record->live);

	if (live != NULL)
		arm_ends(engine, record, live, first->generation, first->branch, BP_DURATION_63T1, first->deadline_us);
}

void
bp_branch_trying(struct bp_engine *engine, struct bp_record *record, const struct bp_timer_entry *first)
{
	struct bp_live *live = atomic_load(&record->live);
	struct bp_timer_entry entry = bp_entry(engine, record, first->generation, 0, BP_TIMER_TRYING);

	if (live != NULL && !bp_timer_arm_hop(&engine->timers,
				    live->branches[0].started_us + bp_timer_trying_us(&engine->timers), entry, first->deadline_us))
		bp_count(&engine->counters->drops[BP_DROP_timer_no_memory], 1);
}

static void
arm_first(struct bp_engine *engine, struct bp_record *record, struct bp_live *live, uint32_t generation, unsigned index)
{
	enum bp_timer repeat = bp_record_is_invite(record) ? BP_TIMER_A : BP_TIMER_E;
	const struct bp_config_trunk *trunk = bp_trunk_of(engine, live);
	uint64_t now_us = engine->now_us;
	bool armed = true;

	if (!live->branches[index].flow.reliable)
		armed = bp_timer_arm(
			&engine->timers, BP_DURATION_T1, bp_entry(engine, record, generation, index, repeat), now_us);
	if (live->branches[index].flow.reliable || !armed)
		arm_ends(engine, record, live, generation, index, BP_DURATION_64T1, now_us);
	if (trunk != NULL && trunk->timeout_us > 0 &&
		atomic_load(&live->next_target) < targets_of(live, trunk))
		armed = bp_timer_arm_hop(&engine->timers, now_us + trunk->timeout_us,
				bp_entry(engine, record, generation, index, BP_TIMER_TARGET), now_us) && armed;
	if (!armed)
		bp_count(&engine->counters->drops[BP_DROP_timer_no_memory], 1);
}

void
bp_branch_launch(
	struct bp_engine *engine, struct bp_record *record, struct bp_live *live, uint32_t generation, unsigned index)
{
	struct bp_branch *branch = &live->branches[index];
	const struct bp_kept *kept = atomic_load(&branch->request);

	/* before a 1xx can move it */
	atomic_store_explicit(
		&branch->deadline_us, engine->now_us + engine->config->timers.c_us, memory_order_release);
	bp_step_begin(engine, bp_record_is_invite(record) ? BP_MACHINE_ICT : BP_MACHINE_NICT);
	if (kept != NULL)
		bp_transmit_bytes(engine, &branch->flow, kept->bytes, kept->size);
	bp_count_request(engine, record->method);
	arm_first(engine, record, live, generation, index);
}

/* Takes the next branch number; BP_BRANCHES_MAX: all are used. */
static unsigned
take_index(struct bp_record *record, const struct bp_live *live)
{
	uint8_t count = atomic_load(&record->branch_count);

	while (count < live->room)
		if (atomic_compare_exchange_weak(&record->branch_count, &count, (uint8_t)(count + 1)))
			return count;
	return BP_BRANCHES_MAX;
}

/* The same, with memory for its timers. What is promised here is redeemed with the record. */
static unsigned
promise_branch(struct bp_engine *engine, struct bp_record *record, const struct bp_live *live)
{
	unsigned index;

	if (!bp_timers_promise(&engine->timers, BP_TIMERS_OF_BRANCH)) {
		bp_count(&engine->counters->drops[BP_DROP_branch_not_made], 1);
		return BP_BRANCHES_MAX;
	}
	index = take_index(record, live);
	if (index == BP_BRANCHES_MAX)
		bp_timers_redeem(&engine->timers, BP_TIMERS_OF_BRANCH);
	return index;
}

/* The next target that nobody else takes. NULL: none is left. */
static const struct bp_config_target *
take_target(const struct bp_engine *engine, const struct bp_config_trunk *trunk, struct bp_live *live)
{
	uint32_t taken = atomic_fetch_add(&live->next_target, 1);
	struct bp_target_order order;

	for (;;) {
		order = (struct bp_target_order){.next = taken};
		if (!bp_target_pick(engine, trunk, live->call_place, &order))
			return NULL;
		taken++;
		if (order.next == taken) /* nothing was skipped */
			return order.target;
		if (atomic_compare_exchange_strong(&live->next_target, &taken, order.next))
			return order.target;
		/* another worker has taken some of what was skipped: from there on */
		taken = atomic_fetch_add(&live->next_target, 1);
	}
}

/* The next one that no branch was sent to, by the trunk or by the list of a name. In a list it is the place of the branch
 * that says where; this is only the ticket for one. NULL: there is none. */
static const struct bp_flow *
next_flow(const struct bp_engine *engine, struct bp_live *live)
{
	const struct bp_config_trunk *trunk = bp_trunk_of(engine, live);
	const struct bp_config_target *target;
	uint32_t nth;

	if (live->listed) {
		if (live->config_generation != (uint32_t)engine->config->generation)
			return NULL; /* listeners may have changed */
		nth = atomic_fetch_add(&live->next_target, 1);
		return nth < live->room ? &live->branches[nth].flow : NULL;
	}
	target = trunk ? take_target(engine, trunk, live) : NULL;
	return target ? &target->flow : NULL;
}

bool
bp_branch_next(struct bp_engine *engine, struct bp_record *record, uint32_t generation)
{
	struct bp_live *live = atomic_load(&record->live);
	uint64_t base = (uint64_t)generation << BP_WORD_GENERATION_SHIFT;
	bool invite = bp_record_is_invite(record);
	const struct bp_flow *flow = live ? next_flow(engine, live) : NULL;
	unsigned index;

	if (flow == NULL || !bp_server_branch_add(record, generation))
		return false;
	index = promise_branch(engine, record, live);
	if (index < BP_BRANCHES_MAX && live->listed)
		flow = &live->branches[index].flow;
	if (index == BP_BRANCHES_MAX || !bp_branch_prepare(engine, record, live, generation, index, flow)) {
		if (index < BP_BRANCHES_MAX)
			atomic_store(&live->branches[index].word,
				BP_WORD_SET(base, STATE, invite ? (unsigned)BP_ICT_TERMINATED : BP_NICT_TERMINATED));
		bp_upstream_settle(engine, record, generation, 0, 500);
		return false;
	}
	atomic_store(&live->branches[index].word,
		BP_WORD_SET(base, STATE, invite ? (unsigned)BP_ICT_CALLING : BP_NICT_TRYING));
	bp_branch_launch(engine, record, live, generation, index);
	return true;
}

/* Whether it is worth while to give a target up: there seems to be another one, and the caller still waits. */
static bool
is_next_wanted(const struct bp_record *record, const struct bp_live *live, const struct bp_config_trunk *trunk)
{
	uint64_t word = atomic_load(&record->server);

	return atomic_load(&live->next_target) < targets_of(live, trunk) && bp_server_final_owed(record, word) &&
		(word & (BP_WORD_CANCEL_ASKED | BP_WORD_STOPPED)) == 0;
}

/* The target kept silent for as long as its trunk allows: the next one is tried. Should it wake up after all, a 1xx
 * gets a CANCEL, and a 2xx is forwarded for as long as no other final response is out. The swap that abandons the branch
 * decides who goes on: a response or an ICMP error that another worker has in hand comes either before it, and then the
 * search is that worker's, or after it, and then changes nothing. */
void
bp_timer_target(struct bp_engine *engine, struct bp_record *record, const struct bp_timer_entry *entry)
{
	struct bp_live *live = atomic_load(&record->live);
	const struct bp_config_trunk *trunk = live ? bp_trunk_of(engine, live) : NULL;
	bp_word *place = bp_branch_word(record, entry->branch);
	unsigned waiting = bp_record_is_invite(record) ? (unsigned)BP_ICT_CALLING : BP_NICT_TRYING;
	uint64_t due_us;
	bool given_up;

	if (trunk == NULL || place == NULL || BP_WORD_GET(atomic_load(place), STATE) != waiting)
		return;
	due_us = live->branches[entry->branch].started_us + trunk->timeout_us;
	if (due_us > engine->now_us) {
		if (!bp_timer_arm_hop(&engine->timers, due_us, *entry, engine->now_us))
			bp_count(&engine->counters->drops[BP_DROP_timer_no_memory], 1);
		return;
	}
	if (!is_next_wanted(record, live, trunk) || !bp_branch_abandon(record, entry->generation, entry->branch))
		return;
	given_up = bp_branch_next(engine, record, entry->generation) ||
		!bp_branch_resume(record, entry->generation, entry->branch);
	if (given_up)
		bp_health_failed(engine, record, entry->branch);
	if (given_up)
		bp_upstream_settle(engine, record, entry->generation, entry->branch, 408);
}
