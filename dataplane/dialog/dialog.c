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
	return bp_digest64(&dialogs->key, bp_sip_at(m, span), span.size);
}

/* The same whichever side asks: the tags' hashes go in sorted. */
static void
identity(const struct bp_dialogs *dialogs, uint64_t call_id, uint64_t tag_a, uint64_t tag_b, uint64_t id[2])
{
	uint64_t words[3] = {call_id, tag_a < tag_b ? tag_a : tag_b, tag_a < tag_b ? tag_b : tag_a};
	struct bp_digest digest;

	bp_digest_begin(&digest, &dialogs->key);
	bp_digest_add(&digest, words, sizeof(words));
	bp_digest_end(&digest, 0, id);
}

/* On its way in: a call that spirals through us has the same Call-ID and tags twice, as two calls. */
static bool
match_in_call(const struct bp_table_node *node, const void *key)
{
	const struct bp_dialog *dialog = caa_container_of(node, struct bp_dialog, node), *other = key;

	return dialog->call == other->call;
}

bool
bp_dialog_contact(const struct bp_sip_message *m, struct bp_sip_uri *uri, struct bp_span *kept)
{
	*kept = (struct bp_span){0, 0};
	if (m->known.contact.whole.size > 0)
		*uri = m->known.contact;
	else if (!bp_sip_first_uri(m, BP_SIP_CONTACT, uri))
		return false;
	if (uri->whole.size > BP_CONTACT_SIZE_MAX)
		return true;
	*kept = uri->whole;
	if (uri->headers.offset != 0) /* not allowed in a dialog's Contact (19.1.1 table 1), nor in a Request-URI */
		kept->size = (uint16_t)(uri->headers.offset - 1 - kept->offset);
	return true;
}

static void
copy_names(struct bp_remote *remote, const struct bp_names *names)
{
	remote->name_size = names->name_size;
	remote->call_id_size = names->call_id_size;
	remote->routes_size = names->routes_size;
	memcpy(remote->uri + remote->uri_size, names->text, bp_names_size(remote));
}

/* Those of the remote that it replaces. */
static void
take_over_names(struct bp_remote *remote, const struct bp_remote *old)
{
	remote->name_size = old->name_size;
	remote->call_id_size = old->call_id_size;
	remote->routes_size = old->routes_size;
	memcpy(remote->uri + remote->uri_size, old->uri + old->uri_size, bp_names_size(old));
}

/* @old: the remote that it replaces, or NULL. */
static struct bp_kept *
make_remote(const struct bp_dialog_worker *worker, const struct bp_hop *hop, const char *uri, uint16_t uri_size,
	const struct bp_remote *old)
{
	const struct bp_names *names = hop->names;
	uint32_t size = (uint32_t)sizeof(struct bp_remote) + uri_size;
	struct bp_remote *remote;
	struct bp_kept *kept;

	if (names != NULL)
		size += (uint32_t)names->name_size + names->call_id_size + names->routes_size;
	else if (old != NULL)
		size += bp_names_size(old);
	kept = bp_kept_take(worker->memory, size);
	if (kept == NULL)
		return NULL;
	bp_count(&worker->counters->kept_taken, 1);
	kept->size = (uint16_t)size;
	remote = (struct bp_remote *)kept->bytes;
	remote->flow = hop->flow;
	remote->by_contact = hop->by_contact;
	remote->uri_size = uri_size;
	remote->name_size = remote->call_id_size = remote->routes_size = 0;
	if (uri_size > 0)
		memcpy(remote->uri, uri, uri_size);
	if (names != NULL)
		copy_names(remote, names);
	else if (old != NULL && old->name_size > 0)
		take_over_names(remote, old);
	return kept;
}

const struct bp_remote *
bp_dialog_remote(struct bp_dialog *dialog, enum bp_side side)
{
	const struct bp_kept *kept = atomic_load(&dialog->remotes[side]);

	return kept ? (const struct bp_remote *)kept->bytes : NULL;
}

static void
set_remote(const struct bp_dialog_worker *worker, struct bp_dialog *dialog, enum bp_side side, struct bp_kept *kept)
{
	struct bp_kept *old = NULL;

	if (kept != NULL || atomic_load(&dialog->remotes[side]) != NULL)
		old = atomic_exchange(&dialog->remotes[side], kept);
	if (old == NULL)
		return;
	bp_count(&worker->counters->kept_returned, 1);
	bp_slot_retire(worker->memory, &old->slot);
}

static bool
set_contact(const struct bp_dialog_worker *worker, struct bp_dialog *dialog, enum bp_side side,
	const struct bp_sip_message *m, const struct bp_hop *hop)
{
	struct bp_kept *kept = make_remote(
		worker, hop, bp_sip_at(m, hop->contact), hop->contact.size, bp_dialog_remote(dialog, side));

	if (kept == NULL)
		return false;
	set_remote(worker, dialog, side, kept);
	return true;
}

static void
drop_remotes(const struct bp_dialog_worker *worker, struct bp_dialog *dialog)
{
	set_remote(worker, dialog, BP_SIDE_CALLER, NULL);
	set_remote(worker, dialog, BP_SIDE_CALLEE, NULL);
}

/* Whoever brought the slot to FREE gives it back; the next user has the next generation. */
static void
retire(const struct bp_dialog_worker *worker, struct bp_dialog *dialog)
{
	drop_remotes(worker, dialog);
	bp_slot_retire(worker->memory, &dialog->slot);
}

static void
clear(struct bp_dialog *dialog)
{
	atomic_store_explicit(&dialog->remotes[BP_SIDE_CALLER], NULL, memory_order_relaxed);
	atomic_store_explicit(&dialog->remotes[BP_SIDE_CALLEE], NULL, memory_order_relaxed);
	atomic_store_explicit(&dialog->sibling, 0, memory_order_relaxed);
	atomic_store_explicit(&dialog->cdr, NULL, memory_order_relaxed);
	dialog->trunk = UINT16_MAX;
	atomic_store_explicit(&dialog->cseq[BP_SIDE_CALLEE], 0, memory_order_relaxed);
	atomic_store_explicit(&dialog->session, 0, memory_order_relaxed);
}

struct bp_dialog *
bp_call_reserve(
	const struct bp_dialog_worker *worker, const struct bp_sip_message *m, const struct bp_hop *caller)
{
	struct bp_dialog *dialog = (struct bp_dialog *)bp_slot_take(worker->memory, BP_POOL_DIALOG);
	uint64_t word;

	if (dialog == NULL)
		return NULL;
	word = atomic_load(&dialog->word);
	clear(dialog);
	dialog->call = bp_slot_index(worker->dialogs->memory, &dialog->slot);
	dialog->call_id_hash = hash_span(worker->dialogs, m, m->call_id);
	dialog->tags[BP_SIDE_CALLER] = hash_span(worker->dialogs, m, m->from_tag);
	atomic_store_explicit(&dialog->cseq[BP_SIDE_CALLER], m->cseq, memory_order_relaxed);
	if (!set_contact(worker, dialog, BP_SIDE_CALLER, m, caller)) {
		bp_slot_return(worker->memory, &dialog->slot);
		return NULL;
	}
	atomic_store_explicit(
		&dialog->word, BP_WORD_SET(word, STATE, BP_DIALOG_RESERVED) | BP_DIALOG_HELD, memory_order_release);
	bp_count(&worker->counters->calls_reserved, 1);
	return dialog;
}

static bool
has_cdr(struct bp_dialog *dialog)
{
	return atomic_load(&dialog->cdr) != NULL;
}

static uint64_t
free_word(uint64_t word)
{
	return (uint64_t)(bp_word_generation(word) + 1) << BP_WORD_GENERATION_SHIFT;
}

/* Lets one slot of an INVITE go; returns the index + 1 of its sibling, which is looked for after that: see join_call(). */
static uint32_t
release_one(const struct bp_dialog_worker *worker, struct bp_dialog *dialog, uint32_t generation)
{
	uint64_t word = atomic_load(&dialog->word);

	while (bp_word_generation(word) == generation && (word & BP_DIALOG_HELD) != 0) {
		bool over = state_of(word) == BP_DIALOG_RESERVED || state_of(word) == BP_DIALOG_ENDED;
		uint64_t next = over ? free_word(word) : word & ~BP_DIALOG_HELD;

		if (!atomic_compare_exchange_weak(&dialog->word, &word, next))
			continue;
		if (state_of(word) == BP_DIALOG_RESERVED)
			bp_count(&worker->counters->calls_released, 1);
		if (over) {
			if (has_cdr(dialog))
				bp_cdr_released(worker, dialog);
			retire(worker, dialog);
		}
		break;
	}
	return atomic_load(&dialog->sibling);
}

void
bp_call_release(const struct bp_dialog_worker *worker, uint32_t index, uint32_t generation)
{
	struct bp_dialog *dialog = slot_at(worker->dialogs, index);
	uint32_t next = dialog ? release_one(worker, dialog, generation) : 0;

	while (next != 0) {
		dialog = slot_at(worker->dialogs, next - 1);
		next = release_one(worker, dialog, bp_word_generation(atomic_load(&dialog->word)));
	}
}

/* The dialog of the call with this tag of the callee, ended or not. *@count: how many there are. */
static struct bp_dialog *
find_sibling(const struct bp_dialogs *dialogs, struct bp_dialog *call, uint64_t callee_tag, unsigned *count)
{
	struct bp_dialog *dialog = call;

	for (*count = 0; dialog != NULL && *count < BP_DIALOG_SIBLINGS_MAX; (*count)++) {
		enum bp_dialog_state state = state_of(atomic_load(&dialog->word));
		uint32_t next = atomic_load(&dialog->sibling);

		if (state >= BP_DIALOG_CONFIRMED && dialog->tags[BP_SIDE_CALLEE] == callee_tag)
			return dialog;
		dialog = next ? slot_at(dialogs, next - 1) : NULL;
	}
	return NULL;
}

/* @caller: where the caller is reached when the first dialog of the call, which knew it better, has ended. */
static struct bp_dialog *
copy_of(const struct bp_dialog_worker *worker, struct bp_dialog *call, const struct bp_flow *caller)
{
	struct bp_dialog *other = (struct bp_dialog *)bp_slot_take(worker->memory, BP_POOL_DIALOG);
	const struct bp_remote *known = bp_dialog_remote(call, BP_SIDE_CALLER);
	struct bp_hop hop = {
		.flow = known ? known->flow : *caller, .by_contact = known != NULL && known->by_contact};
	struct bp_kept *kept =
		other ? make_remote(worker, &hop, known ? known->uri : NULL, known ? known->uri_size : 0, known) : NULL;

	if (kept == NULL) {
		if (other != NULL)
			bp_slot_return(worker->memory, &other->slot);
		return NULL;
	}
	clear(other);
	other->call = call->call;
	other->trunk = call->trunk;
	other->call_id_hash = call->call_id_hash;
	other->tags[BP_SIDE_CALLER] = call->tags[BP_SIDE_CALLER];
	for (unsigned side = 0; side < 2; side++) /* those of requests in early dialogs may be of any callee's */
		atomic_store(&other->cseq[side], atomic_load(&call->cseq[side]));
	atomic_store(&other->remotes[BP_SIDE_CALLER], kept);
	return other;
}

/* A slot for a 2xx: the reserved one for the first, a copy of it for the others of a fork. */
static struct bp_dialog *
claim(const struct bp_dialog_worker *worker, struct bp_dialog *call, uint32_t generation, const struct bp_flow *caller)
{
	uint64_t word = atomic_load(&call->word);

	while (bp_word_generation(word) == generation && state_of(word) == BP_DIALOG_RESERVED)
		if (atomic_compare_exchange_weak(
			    &call->word, &word, BP_WORD_SET(word, STATE, BP_DIALOG_FILLING)))
			return call;
	return bp_word_generation(word) == generation ? copy_of(worker, call, caller) : NULL;
}

/* The reserved slot is no longer FILLING. If the INVITE's record has let it go meanwhile, nobody else will free it. */
static void
leave_filling(const struct bp_dialog_worker *worker, struct bp_dialog *call, enum bp_dialog_state state)
{
	uint64_t word = atomic_load(&call->word), next;

	do
		next = (word & BP_DIALOG_HELD) != 0 ? BP_WORD_SET(word, STATE, state) : free_word(word);
	while (!atomic_compare_exchange_weak(&call->word, &word, next));
	if ((word & BP_DIALOG_HELD) != 0)
		return;
	if (state == BP_DIALOG_RESERVED)
		bp_count(&worker->counters->calls_released, 1);
	retire(worker, call);
}

/* Gives a slot that claim() took back as it was. */
static void
unclaim(const struct bp_dialog_worker *worker, struct bp_dialog *dialog, bool reserved)
{
	set_remote(worker, dialog, BP_SIDE_CALLEE, NULL);
	if (reserved) {
		leave_filling(worker, dialog, BP_DIALOG_RESERVED);
		return;
	}
	atomic_store(&dialog->word, free_word(atomic_load(&dialog->word)));
	retire(worker, dialog);
}

/* Takes a slot that stands in the table out of use: until the INVITE's record is over nobody adds its node again. */
static void
withdraw(const struct bp_dialog_worker *worker, struct bp_dialog *dialog, bool reserved)
{
	bp_table_remove(worker->dialogs->table, &dialog->node);
	if (!reserved) {
		unclaim(worker, dialog, false);
		return;
	}
	set_remote(worker, dialog, BP_SIDE_CALLEE, NULL);
	bp_count(&worker->counters->calls_released, 1);
	leave_filling(worker, dialog, BP_DIALOG_ENDED);
}

/* A copy joins its call and is HELD. The INVITE's record may be over just now: whoever ends it lets the call go and then
 * looks for siblings, we join and then look whether the call was let go. One of the two sees the other. */
static void
join_call(const struct bp_dialogs *dialogs, struct bp_dialog *call, struct bp_dialog *dialog)
{
	uint64_t word = atomic_load(&dialog->word);
	uint32_t first = atomic_load(&call->sibling);

	atomic_store(&dialog->word, BP_WORD_SET(word, STATE, BP_DIALOG_FILLING) | BP_DIALOG_HELD);
	do
		atomic_store(&dialog->sibling, first);
	while (!atomic_compare_exchange_weak(
		&call->sibling, &first, bp_slot_index(dialogs->memory, &dialog->slot) + 1));
}

/* The dialog is there, and HELD unless the record has let it go. Returns its generation. */
static uint32_t
set_confirmed(const struct bp_dialog_worker *worker, struct bp_dialog *dialog, struct bp_dialog *call,
	uint32_t call_generation)
{
	uint64_t word = atomic_load(&dialog->word), calls;
	uint32_t generation = bp_word_generation(word);

	while (!atomic_compare_exchange_weak(&dialog->word, &word, BP_WORD_SET(word, STATE, BP_DIALOG_CONFIRMED)))
		;
	calls = atomic_load(&call->word);
	if (dialog != call && (bp_word_generation(calls) != call_generation || (calls & BP_DIALOG_HELD) == 0))
		release_one(worker, dialog, generation);
	return generation;
}

static struct bp_timer_entry
timer_of(const struct bp_dialogs *dialogs, const struct bp_dialog *dialog, uint32_t generation)
{
	return (struct bp_timer_entry){.index = bp_slot_index(dialogs->memory, &dialog->slot),
		.generation = generation,
		.timer = BP_TIMER_DIALOG};
}

static void
count_new(const struct bp_dialog_worker *worker, const struct bp_dialog *dialog, uint32_t generation, bool reserved,
	uint64_t now_us)
{
	if (reserved)
		bp_count(&worker->counters->calls_released, 1);
	bp_count(&worker->counters->dialogs_created, 1);
	if (!bp_timer_arm(
		    worker->timers, BP_DURATION_64T1, timer_of(worker->dialogs, dialog, generation), now_us))
		bp_count(&worker->counters->drops[BP_DROP_timer_no_memory], 1);
}

struct bp_dialog *
bp_dialog_confirm(const struct bp_dialog_worker *worker, uint32_t index, uint32_t generation,
	const struct bp_sip_message *response, const struct bp_flow *caller, const struct bp_hop *callee, uint64_t now_us)
{
	struct bp_dialogs *dialogs = worker->dialogs;
	struct bp_dialog *call = slot_at(dialogs, index), *dialog, *sibling;
	uint64_t callee_tag = hash_span(dialogs, response, response->to_tag), id[2];
	struct bp_table_node *node;
	unsigned count;
	uint32_t own;

	if (call == NULL || bp_word_generation(atomic_load(&call->word)) != generation)
		return NULL;
	identity(dialogs, call->call_id_hash, call->tags[BP_SIDE_CALLER], callee_tag, id);
	bp_table_prefetch(dialogs->table, id);
	dialog = find_sibling(dialogs, call, callee_tag, &count);
	if (dialog != NULL || count == BP_DIALOG_SIBLINGS_MAX)
		return dialog;
	dialog = claim(worker, call, generation, caller);
	if (dialog == NULL)
		return NULL;
	if (!set_contact(worker, dialog, BP_SIDE_CALLEE, response, callee)) {
		unclaim(worker, dialog, dialog == call);
		return NULL;
	}
	dialog->tags[BP_SIDE_CALLEE] = callee_tag;
	dialog->answered_us = now_us;
	dialog->invite_cseq = response->cseq;
	dialog->node.id[0] = id[0];
	dialog->node.id[1] = id[1];
	node = bp_table_add(dialogs->table, &dialog->node, match_in_call, dialog);
	if (node != &dialog->node) { /* another worker had the same 2xx */
		unclaim(worker, dialog, dialog == call);
		return caa_container_of(node, struct bp_dialog, node);
	}
	sibling = find_sibling(dialogs, call, callee_tag, &count);
	if (sibling != NULL) { /* another worker had it, and its dialog has ended already */
		withdraw(worker, dialog, dialog == call);
		return sibling;
	}
	if (dialog != call)
		join_call(dialogs, call, dialog);
	if (worker->cdr->on || has_cdr(call))
		bp_cdr_answered(worker, call, dialog, response);
	own = set_confirmed(worker, dialog, call, generation);
	count_new(worker, dialog, own, dialog == call, now_us);
	return dialog;
}

bool
bp_dialog_is_filling(struct bp_dialog *dialog)
{
	return state_of(atomic_load(&dialog->word)) == BP_DIALOG_FILLING;
}

/* What a message says of its dialog. */
struct names {
	uint64_t call_id, from_tag, to_tag;
};

/* Whether a message belongs to @dialog, and which side sent it. */
static bool
belongs(const struct bp_dialog *dialog, const struct names *names, enum bp_side *from)
{
	*from = names->from_tag == dialog->tags[BP_SIDE_CALLER] ? BP_SIDE_CALLER : BP_SIDE_CALLEE;
	return names->from_tag == dialog->tags[*from] && names->to_tag == dialog->tags[!*from];
}

static bool
is_up(uint64_t word)
{
	return state_of(word) == BP_DIALOG_CONFIRMED || state_of(word) == BP_DIALOG_ACKED;
}

void
bp_dialog_refresh(const struct bp_dialog_worker *worker, struct bp_dialog *dialog, enum bp_side side,
	const struct bp_sip_message *m, const struct bp_flow *flow)
{
	const struct bp_remote *old = bp_dialog_remote(dialog, side);
	struct bp_sip_uri cut;
	struct bp_span uri;
	struct bp_hop hop;

	bp_dialog_contact(m, &cut, &uri);
	if (old == NULL || uri.size == 0 ||
		(uri.size == old->uri_size && memcmp(bp_sip_at(m, uri), old->uri, uri.size) == 0))
		return;
	hop = (struct bp_hop){.flow = old->by_contact && flow ? *flow : old->flow, .by_contact = old->by_contact,
		.contact = uri};
	set_contact(worker, dialog, side, m, &hop);
	if (!is_up(atomic_load(&dialog->word))) /* it ended meanwhile, and what was set may have come too late to be retired with it */
		set_remote(worker, dialog, side, NULL);
}

/* Whether the request belongs to @dialog and it is up; then *@found is its generation. */
static bool
is_of(struct bp_dialog *dialog, const struct names *names, enum bp_side *from, uint32_t *found)
{
	uint64_t word = atomic_load(&dialog->word);

	*found = bp_word_generation(word);
	return is_up(word) && belongs(dialog, names, from);
}

static struct bp_dialog *
find_in_call(const struct bp_dialogs *dialogs, const struct names *names, uint32_t index, uint32_t generation,
	enum bp_side *from, uint32_t *found)
{
	struct bp_dialog *dialog = index == BP_NO_INDEX ? NULL : slot_at(dialogs, index);

	if (dialog == NULL || bp_word_generation(atomic_load(&dialog->word)) != generation ||
		dialog->call_id_hash != names->call_id)
		return NULL;
	for (unsigned i = 0; dialog != NULL && i < BP_DIALOG_SIBLINGS_MAX; i++) {
		uint32_t next = atomic_load(&dialog->sibling);

		if (is_of(dialog, names, from, found))
			return dialog;
		dialog = next ? slot_at(dialogs, next - 1) : NULL;
	}
	return NULL;
}

static struct names
names_of(const struct bp_dialogs *dialogs, const struct bp_sip_message *m)
{
	return (struct names){.call_id = hash_span(dialogs, m, m->call_id),
		.from_tag = hash_span(dialogs, m, m->from_tag),
		.to_tag = hash_span(dialogs, m, m->to_tag)};
}

struct bp_dialog *
bp_dialog_find_in_call(const struct bp_dialogs *dialogs, const struct bp_sip_message *m, uint32_t index,
	uint32_t generation, enum bp_side *from, uint32_t *found)
{
	struct names names;

	if (index == BP_NO_INDEX)
		return NULL;
	names = names_of(dialogs, m);
	return find_in_call(dialogs, &names, index, generation, from, found);
}

struct bp_dialog *
bp_dialog_find(const struct bp_dialogs *dialogs, const struct bp_sip_message *m, uint32_t index, uint32_t generation,
	enum bp_side *from, uint32_t *found)
{
	const struct names names = names_of(dialogs, m);
	struct bp_dialog *dialog = find_in_call(dialogs, &names, index, generation, from, found);
	struct bp_table_node *node;
	uint64_t id[2];

	if (dialog != NULL)
		return dialog;
	identity(dialogs, names.call_id, names.from_tag, names.to_tag, id);
	node = bp_table_find(dialogs->table, id, NULL, NULL);
	if (node == NULL)
		return NULL;
	dialog = caa_container_of(node, struct bp_dialog, node);
	return is_of(dialog, &names, from, found) ? dialog : NULL;
}

enum bp_side
bp_dialog_side(const struct bp_dialogs *dialogs, const struct bp_dialog *dialog, const struct bp_sip_message *m)
{
	return hash_span(dialogs, m, m->from_tag) == dialog->tags[BP_SIDE_CALLER] ? BP_SIDE_CALLER : BP_SIDE_CALLEE;
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
		if (has_cdr(dialog))
			bp_cdr_dialog_ended(worker, dialog, reason, state_of(word) == BP_DIALOG_ACKED);
		drop_remotes(worker, dialog);
		if (!held)
			bp_slot_retire(worker->memory, &dialog->slot);
		return true;
	}
	return false;
}

void
bp_dialog_seen(struct bp_dialog *dialog, enum bp_side from, uint32_t cseq)
{
	uint32_t known = atomic_load_explicit(&dialog->cseq[from], memory_order_relaxed);

	while (cseq > known && !atomic_compare_exchange_weak(&dialog->cseq[from], &known, cseq))
		;
}

void
bp_call_seen(const struct bp_dialogs *dialogs, const struct bp_sip_message *m, uint32_t index, uint32_t generation)
{
	struct bp_dialog *call = slot_at(dialogs, index);
	uint64_t word = call ? atomic_load(&call->word) : 0;

	if (call == NULL || bp_word_generation(word) != generation || (word & BP_DIALOG_HELD) == 0 ||
		call->call_id_hash != hash_span(dialogs, m, m->call_id))
		return;
	bp_dialog_seen(call,
		hash_span(dialogs, m, m->from_tag) == call->tags[BP_SIDE_CALLER] ? BP_SIDE_CALLER : BP_SIDE_CALLEE,
		m->cseq);
}

void
bp_dialog_session(struct bp_dialog *dialog, enum bp_side refresher, uint64_t end_us)
{
	uint64_t session = end_us ? end_us << 1 | (uint64_t)refresher : 0;

	if (atomic_load_explicit(&dialog->session, memory_order_relaxed) != session)
		atomic_store(&dialog->session, session);
}

struct bp_dialog *
bp_dialog_at(const struct bp_dialogs *dialogs, uint32_t index)
{
	return slot_at(dialogs, index);
}

int
bp_dialog_due(const struct bp_dialog_worker *worker, const struct bp_timer_entry *entry, uint64_t max_age_us,
	uint64_t now_us)
{
	struct bp_dialog *dialog = slot_at(worker->dialogs, entry->index);
	uint64_t word = dialog ? atomic_load(&dialog->word) : 0, end_us, session_us;
	bool by_session;

	if (dialog == NULL || bp_word_generation(word) != entry->generation || !is_up(word))
		return -1;
	if (state_of(word) == BP_DIALOG_CONFIRMED)
		return BP_DIALOG_END_no_ack;
	end_us = dialog->answered_us + max_age_us;
	session_us = atomic_load(&dialog->session) >> 1;
	by_session = session_us - 1 < end_us - 1; /* 0: never */
	if (by_session)
		end_us = session_us;
	if (end_us <= now_us)
		return by_session ? BP_DIALOG_END_session_expired : BP_DIALOG_END_expired;
	if (!bp_timer_arm_hop(worker->timers, end_us, *entry, now_us))
		bp_count(&worker->counters->drops[BP_DROP_timer_no_memory], 1);
	return -1;
}
