/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Asking for memory before it is needed: records, dialogs, buckets are seldom in the caches. Nothing is decided here,
 * and what is asked for may be the wrong thing: a message before this one may change everything.
 */
#include "proxy/context.h"

/* A write is to come. */
static void
ask(const void *memory)
{
	__builtin_prefetch(memory, 1);
}

/* The call that the topmost Route names. */
static void
ask_for_call(const struct bp_engine *engine, const struct bp_sip_message *m)
{
	const struct bp_sip_header *route = bp_sip_first(m, BP_SIP_ROUTE);
	const uint8_t *slot;
	struct bp_span user;
	uint32_t index;

	if (route == NULL || !bp_route_is_own(engine, m->bytes, route->value, &user) ||
		!bp_route_token_index(bp_sip_at(m, user), user.size, &index))
		return;
	slot = (const uint8_t *)bp_slot_at(engine->edge->memory, BP_POOL_DIALOG, index);
	if (slot == NULL)
		return;
	ask(slot);
	ask(slot + 64);
}

void
bp_prefetch_first(const struct bp_engine *engine, struct bp_view *view)
{
	const struct bp_sip_message *m = &view->m;
	struct bp_branch_id id;

	view->record = NULL;
	if (view->too_large || view->fault != BP_SIP_FAULT_NONE)
		return;
	if (m->status == 0) {
		bp_table_prefetch(engine->edge->transactions, view->id);
		ask_for_call(engine, m);
	} else if (bp_branch_id_open(bp_sip_at(m, m->via.branch), m->via.branch.size, &id)) {
		view->record = (struct bp_record *)bp_slot_at(engine->edge->memory, BP_POOL_RECORD, id.index);
		if (view->record != NULL) {
			ask(view->record);
			ask((const uint8_t *)view->record + 64);
		}
	}
}

void
bp_prefetch_then(const struct bp_engine *engine, const struct bp_view *view)
{
	const struct bp_record *record = view->record;
	const uint8_t *live, *dialog;
	uint32_t index;

	if (record == NULL || view->too_large)
		return;
	live = (const uint8_t *)atomic_load_explicit(&record->live, memory_order_relaxed);
	if (live != NULL) {
		ask(live);
		ask(live + 64);
	}
	index = bp_peek(&record->dialog);
	dialog = index == BP_NO_INDEX ? NULL
				      : (const uint8_t *)bp_slot_at(engine->edge->memory, BP_POOL_DIALOG, index);
	if (dialog != NULL) {
		ask(dialog);
		ask(dialog + 64);
	}
}
