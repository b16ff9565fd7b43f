/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dialogs: reserved at the INVITE, confirmed by a 2xx, ended by a BYE or by the reaper. Who changes
 * the word owns what follows; the sides are written before the slot is in the table.
 */
#include "dialog/dialog.h"

#include "sip/uri.h"

static struct bp_dialog *
slot_at(const struct bp_dialogs *dialogs, uint32_t index)
{
	return (struct bp_dialog *)bp_slot_at(dialogs->memory, BP_POOL_DIALOG, index);
}

static enum bp_dialog_state
state_of(uint64_t word)
{
	return (enum bp_dialog_state)BP_WORD_GET(word, STATE);
}

static uint64_t
hash_span(const struct bp_dialogs *dialogs, const struct bp_sip_message *m, struct bp_span span)
{
	return bp_hash64(&dialogs->key, bp_sip_at(m, span), span.size);
}

/* The same whichever side asks: the tags' hashes go in sorted. */
static void
identity(const struct bp_dialogs *dialogs, uint64_t call_id, uint64_t tag_a, uint64_t tag_b, uint64_t id[2])
{
	uint64_t words[3] = {call_id, tag_a < tag_b ? tag_a : tag_b, tag_a < tag_b ? tag_b : tag_a};
	struct bp_hash hash;

	bp_hash_begin(&hash, &dialogs->key, 128);
	bp_hash_add(&hash, words, sizeof(words));
	bp_hash_end(&hash, id);
}

static int
match(struct cds_lfht_node *node, const void *key)
{
	const struct bp_dialog *dialog = caa_container_of(node, struct bp_dialog, node);
	const uint64_t *id = key;

	return dialog->id[0] == id[0] && dialog->id[1] == id[1];
}

/* The URI of the first Contact, written at @at of the text when it fits. */
static uint16_t
keep_contact(struct bp_dialog *dialog, const struct bp_sip_message *m, unsigned at)
{
	const struct bp_sip_header *contact = bp_sip_first(m, BP_SIP_CONTACT);
	struct bp_sip_walk walk = {0};
	struct bp_sip_address address;

	if (contact == NULL || !bp_sip_walk_next(m, BP_SIP_CONTACT, &walk) ||
		!bp_sip_address_cut(m->bytes, walk.element, &address) || address.uri.size + at > sizeof(dialog->text))
		return 0;
	memcpy(dialog->text + at, bp_sip_at(m, address.uri), address.uri.size);
	return address.uri.size;
}

struct bp_dialog *
bp_call_reserve(const struct bp_dialog_worker *worker, const struct bp_sip_message *m, const struct bp_flow *caller,
	const struct bp_flow *callee, uint64_t now_us)
{
	struct bp_dialog *dialog = (struct bp_dialog *)bp_slot_take(worker->memory, BP_POOL_DIALOG);
	uint64_t word;

	if (dialog == NULL)
		return NULL;
	word = atomic_load(&dialog->word);
	dialog->call_id_hash = hash_span(worker->dialogs, m, m->call_id);
	dialog->caller_tag = hash_span(worker->dialogs, m, m->from_tag);
	dialog->caller = *caller;
	dialog->callee = *callee;
	dialog->reserved_us = now_us;
	dialog->caller_contact_size = keep_contact(dialog, m, 0);
	dialog->callee_contact_size = 0;
	atomic_store(&dialog->word, BP_WORD_SET(word, STATE, BP_DIALOG_RESERVED) | BP_DIALOG_HELD);
	bp_count(&worker->counters->calls_reserved, 1);
	return dialog;
}

/* Whoever brought the slot to FREE gives it back; the next user has the next generation. */
static void
retire(const struct bp_dialog_worker *worker, struct bp_dialog *dialog)
{
	bp_slot_retire(worker->memory, &dialog->slot);
}

static uint64_t
free_word(uint64_t word)
{
	return (uint64_t)(bp_word_generation(word) + 1) << BP_WORD_GENERATION_SHIFT;
}

void
bp_call_release(const struct bp_dialog_worker *worker, uint32_t index, uint32_t generation)
{
	struct bp_dialog *dialog = slot_at(worker->dialogs, index);
	uint64_t word = dialog ? atomic_load(&dialog->word) : 0;

	while (dialog != NULL && bp_word_generation(word) == generation && (word & BP_DIALOG_HELD) != 0) {
		bool over = state_of(word) == BP_DIALOG_RESERVED || state_of(word) == BP_DIALOG_ENDED;
		uint64_t next = over ? free_word(word) : word & ~BP_DIALOG_HELD;

		if (!atomic_compare_exchange_weak(&dialog->word, &word, next))
			continue;
		if (state_of(word) == BP_DIALOG_RESERVED)
			bp_count(&worker->counters->calls_released, 1);
		if (over)
			retire(worker, dialog);
		return;
	}
}

/* A slot for a 2xx: the reserved one for the first, a copy of it for the others of a fork. */
static struct bp_dialog *
claim(const struct bp_dialog_worker *worker, struct bp_dialog *call, uint32_t generation)
{
	uint64_t word = atomic_load(&call->word);
	struct bp_dialog *other;

	while (bp_word_generation(word) == generation && state_of(word) == BP_DIALOG_RESERVED)
		if (atomic_compare_exchange_weak(
			    &call->word, &word, BP_WORD_SET(word, STATE, BP_DIALOG_FILLING)))
			return call;
	if (bp_word_generation(word) != generation)
		return NULL;
	other = (struct bp_dialog *)bp_slot_take(worker->memory, BP_POOL_DIALOG);
	if (other == NULL)
		return NULL;
	other->call_id_hash = call->call_id_hash;
	other->caller_tag = call->caller_tag;
	other->caller = call->caller;
	other->callee = call->callee;
	other->reserved_us = call->reserved_us;
	other->caller_contact_size = call->caller_contact_size;
	memcpy(other->text, call->text, call->caller_contact_size);
	return other;
}

static struct bp_timer_entry
timer_of(const struct bp_dialogs *dialogs, const struct bp_dialog *dialog, uint32_t generation)
{
	return (struct bp_timer_entry){.index = bp_slot_index(dialogs->memory, &dialog->slot),
		.generation = generation,
		.timer = BP_TIMER_DIALOG};
}

struct bp_dialog *
bp_dialog_confirm(const struct bp_dialog_worker *worker, uint32_t index, uint32_t generation,
	const struct bp_sip_message *response, uint64_t now_us)
{
	struct bp_dialogs *dialogs = worker->dialogs;
	struct bp_dialog *call = slot_at(dialogs, index), *dialog;
	uint64_t callee_tag = hash_span(dialogs, response, response->to_tag);
	struct cds_lfht_node *node;
	uint64_t id[2], word;

	if (call == NULL || bp_word_generation(atomic_load(&call->word)) != generation)
		return NULL;
	identity(dialogs, call->call_id_hash, call->caller_tag, callee_tag, id);
	node = bp_table_find(dialogs->table, id, match, id);
	if (node != NULL)
		return caa_container_of(node, struct bp_dialog, node);
	dialog = claim(worker, call, generation);
	if (dialog == NULL)
		return NULL;
	dialog->id[0] = id[0];
	dialog->id[1] = id[1];
	dialog->callee_tag = callee_tag;
	dialog->answered_us = now_us;
	dialog->callee_contact_size = keep_contact(dialog, response, dialog->caller_contact_size);
	word = atomic_load(&dialog->word);
	atomic_store(&dialog->word, BP_WORD_SET(word, STATE, BP_DIALOG_CONFIRMED));
	node = bp_table_add(dialogs->table, id, match, id, &dialog->node);
	if (node != &dialog->node) { /* another worker had the same 2xx */
		atomic_store(&dialog->word,
			BP_WORD_SET(word, STATE, dialog == call ? BP_DIALOG_RESERVED : BP_DIALOG_FREE));
		if (dialog != call)
			bp_slot_return(worker->memory, &dialog->slot);
		return caa_container_of(node, struct bp_dialog, node);
	}
	if (dialog == call)
		bp_count(&worker->counters->calls_released, 1);
	bp_count(&worker->counters->dialogs_created, 1);
	if (!bp_timer_arm(
		    worker->timers, BP_DURATION_64T1, timer_of(dialogs, dialog, bp_word_generation(word)), now_us))
		bp_count(&worker->counters->drops[BP_DROP_timer_no_memory], 1);
	return dialog;
}

/* Whether @m belongs to @dialog, and which side sent it. */
static bool
belongs(const struct bp_dialogs *dialogs, const struct bp_dialog *dialog, const struct bp_sip_message *m,
	enum bp_side *from)
{
	uint64_t from_tag = hash_span(dialogs, m, m->from_tag), to_tag = hash_span(dialogs, m, m->to_tag);

	*from = from_tag == dialog->caller_tag ? BP_SIDE_CALLER : BP_SIDE_CALLEE;
	return *from == BP_SIDE_CALLER
		? to_tag == dialog->callee_tag
		: from_tag == dialog->callee_tag && to_tag == dialog->caller_tag;
}

static bool
up(const struct bp_dialog *dialog)
{
	enum bp_dialog_state state = state_of(atomic_load(&dialog->word));

	return state == BP_DIALOG_CONFIRMED || state == BP_DIALOG_ACKED;
}

struct bp_dialog *
bp_dialog_find(const struct bp_dialogs *dialogs, const struct bp_sip_message *m, uint32_t index, uint32_t generation,
	enum bp_side *from)
{
	uint64_t call_id = hash_span(dialogs, m, m->call_id), id[2];
	struct bp_dialog *dialog = index == BP_NO_INDEX ? NULL : slot_at(dialogs, index);
	struct cds_lfht_node *node;

	if (dialog != NULL && bp_word_generation(atomic_load(&dialog->word)) == generation && up(dialog) &&
		dialog->call_id_hash == call_id && belongs(dialogs, dialog, m, from))
		return dialog;
	identity(dialogs, call_id, hash_span(dialogs, m, m->from_tag), hash_span(dialogs, m, m->to_tag), id);
	node = bp_table_find(dialogs->table, id, match, id);
	if (node == NULL)
		return NULL;
	dialog = caa_container_of(node, struct bp_dialog, node);
	return up(dialog) && belongs(dialogs, dialog, m, from) ? dialog : NULL;
}

void
bp_dialog_acked(struct bp_dialog *dialog)
{
	uint64_t word = atomic_load(&dialog->word);

	while (state_of(word) == BP_DIALOG_CONFIRMED)
		if (atomic_compare_exchange_weak(
			    &dialog->word, &word, BP_WORD_SET(word, STATE, BP_DIALOG_ACKED)))
			return;
}

bool
bp_dialog_end(const struct bp_dialog_worker *worker, uint32_t index, uint32_t generation, enum bp_dialog_end reason)
{
	struct bp_dialog *dialog = slot_at(worker->dialogs, index);
	uint64_t word = dialog ? atomic_load(&dialog->word) : 0;

	while (dialog != NULL && bp_word_generation(word) == generation &&
		(state_of(word) == BP_DIALOG_CONFIRMED || state_of(word) == BP_DIALOG_ACKED)) {
		bool held = (word & BP_DIALOG_HELD) != 0;
		uint64_t next = held ? BP_WORD_SET(word, STATE, BP_DIALOG_ENDED) : free_word(word);

		if (!atomic_compare_exchange_weak(&dialog->word, &word, next))
			continue;
		bp_table_remove(worker->dialogs->table, &dialog->node);
		bp_count(&worker->counters->dialogs_ended[reason], 1);
		if (!held)
			retire(worker, dialog);
		return true;
	}
	return false;
}

void
bp_dialog_expire(
	const struct bp_dialog_worker *worker, const struct bp_timer_entry *entry, uint64_t max_age_us, uint64_t now_us)
{
	struct bp_dialog *dialog = slot_at(worker->dialogs, entry->index);
	uint64_t word = dialog ? atomic_load(&dialog->word) : 0, end_us;

	if (dialog == NULL || bp_word_generation(word) != entry->generation || !up(dialog))
		return;
	if (state_of(word) == BP_DIALOG_CONFIRMED) {
		bp_dialog_end(worker, entry->index, entry->generation, BP_DIALOG_END_no_ack);
		return;
	}
	end_us = dialog->answered_us + max_age_us;
	if (end_us <= now_us)
		bp_dialog_end(worker, entry->index, entry->generation, BP_DIALOG_END_expired);
	else if (!bp_timer_arm_hop(worker->timers, end_us, *entry, now_us))
		bp_count(&worker->counters->drops[BP_DROP_timer_no_memory], 1);
}

const char *
bp_dialog_contact(const struct bp_dialog *dialog, enum bp_side side, unsigned *size)
{
	*size = side == BP_SIDE_CALLER ? dialog->caller_contact_size : dialog->callee_contact_size;
	if (*size == 0)
		return NULL;
	return dialog->text + (side == BP_SIDE_CALLER ? 0 : dialog->caller_contact_size);
}
