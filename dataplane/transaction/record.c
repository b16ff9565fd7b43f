/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The relay record's words: every change of a state happens here, by compare-and-swap on what
 * the machine's table says.
 */
#include "transaction/record.h"


/* The cancel field holds the CANCEL transaction's state plus one; 0: there is none. */
#define CANCEL_NONE 0

void
bp_record_identity(const struct bp_digest_key *key, const struct bp_sip_message *m, uint64_t id[2])
{
	uint16_t port = m->via.port ? m->via.port : 5060;
	struct bp_digest digest;

	bp_digest_begin(&digest, key);
	if (m->via.magic) {
		bp_digest_add(&digest, bp_sip_at(m, m->via.branch), m->via.branch.size);
		bp_digest_add_folded(&digest, bp_sip_at(m, m->via.host), m->via.host.size);
		bp_digest_end(&digest, port, id);
	} else {
		bp_digest_add(&digest, bp_sip_at(m, m->uri), m->uri.size);
		bp_digest_add(&digest, bp_sip_at(m, m->from_tag), m->from_tag.size);
		bp_digest_add(&digest, bp_sip_at(m, m->call_id), m->call_id.size);
		bp_digest_add(&digest, bp_sip_at(m, m->via.element), m->via.element.size);
		bp_digest_end(&digest, m->cseq, id);
	}
}

static struct bp_record *
record_of(const struct bp_table_node *node)
{
	return node ? caa_container_of(node, struct bp_record, node) : NULL;
}

/* @key: the method that is looked for. */
static bool
match(const struct bp_table_node *node, const void *key)
{
	enum bp_method method = *(const enum bp_method *)key;

	switch (method) {
	case BP_METHOD_ACK:
		return record_of(node)->method == BP_METHOD_INVITE;
	case BP_METHOD_CANCEL: /* never kept as a record of its own */
		return true;
	default:
		return record_of(node)->method == method;
	}
}

struct bp_record *
bp_record_find(struct bp_table *table, const uint64_t id[2], enum bp_method method)
{
	return record_of(bp_table_find(table, id, match, &method));
}

struct bp_record *
bp_record_add(struct bp_table *table, struct bp_record *record)
{
	enum bp_method method = record->method;

	return record_of(bp_table_add(table, &record->node, match, &method));
}

static const struct bp_swap stale = {.action = BP_DO_DROP};

static const struct bp_step *
server_step(const struct bp_record *record, uint64_t word, unsigned event)
{
	unsigned state = BP_WORD_GET(word, STATE);

	return bp_record_is_invite(record) ? &bp_ist_table[state][event] : &bp_nist_table[state][event];
}

static uint64_t
next_word(uint64_t word, const struct bp_step *step, uint64_t set, uint16_t status)
{
	word = BP_WORD_SET(word, STATE, step->next) | set;
	return status ? BP_WORD_SET(word, STATUS, status) : word;
}

struct bp_swap
bp_server_event(struct bp_record *record, uint32_t generation, unsigned event, uint64_t set, uint16_t status)
{
	uint64_t word = atomic_load(&record->server);

	while (bp_word_generation(word) == generation) {
		const struct bp_step *step = server_step(record, word, event);
		uint64_t next;

		if (step->action == BP_DO_DROP || step->action == BP_DO_IGNORE)
			return (struct bp_swap){word, word, step->action};
		next = next_word(word, step, set, status);
		if (atomic_compare_exchange_weak(&record->server, &word, next))
			return (struct bp_swap){word, next, step->action};
	}
	return stale;
}

bp_word *
bp_branch_word(struct bp_record *record, unsigned branch)
{
	struct bp_live *live;

	if (branch == 0)
		return &record->branch;
	live = atomic_load(&record->live);
	return live != NULL && branch < live->room ? &live->branches[branch].word : NULL;
}

struct bp_swap
bp_branch_event(struct bp_record *record, uint32_t generation, unsigned branch, unsigned event, uint64_t set,
	uint16_t status)
{
	bp_word *place = bp_branch_word(record, branch);
	uint64_t word = place ? atomic_load(place) : 0;

	while (place != NULL && bp_word_generation(word) == generation) {
		unsigned state = BP_WORD_GET(word, STATE);
		const struct bp_step *step =
			bp_record_is_invite(record) ? &bp_ict_table[state][event] : &bp_nict_table[state][event];
		uint64_t next;

		if (step->action == BP_DO_DROP || step->action == BP_DO_IGNORE)
			return (struct bp_swap){word, word, step->action};
		next = next_word(word, step, set, status);
		if (atomic_compare_exchange_weak(place, &word, next))
			return (struct bp_swap){word, next, step->action};
	}
	return stale;
}

struct bp_swap
bp_server_branch_done(struct bp_record *record, uint32_t generation, uint16_t status)
{
	unsigned event = bp_record_is_invite(record) ? (unsigned)BP_IST_ON_TU_3XX_6XX : BP_NIST_ON_TU_FINAL;
	uint64_t word = atomic_load(&record->server);

	while (bp_word_generation(word) == generation) {
		unsigned pending = BP_WORD_GET(word, PENDING);
		const struct bp_step *step = server_step(record, word, event);
		uint64_t next = BP_WORD_SET(word, PENDING, pending - 1);
		enum bp_action action = BP_DO_ABSORB;

		if (pending == 1) {
			action = step->action;
			if (action == BP_DO_SEND)
				next = next_word(next, step, 0, status);
		}
		if (atomic_compare_exchange_weak(&record->server, &word, next))
			return (struct bp_swap){word, next, action};
	}
	return stale;
}

bool
bp_server_final_owed(const struct bp_record *record, uint64_t word)
{
	unsigned state = BP_WORD_GET(word, STATE);

	if (bp_record_is_invite(record))
		return state == BP_IST_PROCEEDING;
	return state == BP_NIST_TRYING || state == BP_NIST_PROCEEDING;
}

bool
bp_server_branch_add(struct bp_record *record, uint32_t generation)
{
	uint64_t word = atomic_load(&record->server);

	while (bp_word_generation(word) == generation && bp_server_final_owed(record, word) &&
		(word & (BP_WORD_CANCEL_ASKED | BP_WORD_STOPPED)) == 0 &&
		BP_WORD_GET(word, PENDING) < BP_BRANCHES_MAX) {
		uint64_t next = BP_WORD_SET(word, PENDING, BP_WORD_GET(word, PENDING) + 1);

		if (atomic_compare_exchange_weak(&record->server, &word, next))
			return true;
	}
	return false;
}

void
bp_server_stop(struct bp_record *record, uint32_t generation)
{
	uint64_t word = atomic_load(&record->server);

	while (bp_word_generation(word) == generation &&
		!atomic_compare_exchange_weak(&record->server, &word, word | BP_WORD_STOPPED))
		;
}

struct bp_swap
bp_server_cancel(struct bp_record *record, uint32_t generation)
{
	uint64_t word = atomic_load(&record->server);

	while (bp_word_generation(word) == generation && (word & BP_WORD_FREE) == 0) {
		uint64_t next = word;

		if (BP_WORD_GET(word, CANCEL) != CANCEL_NONE)
			return (struct bp_swap){word, word, BP_DO_REPEAT_RESPONSE};
		if (bp_server_final_owed(record, word))
			next |= BP_WORD_CANCEL_ASKED;
		next = BP_WORD_SET(next, CANCEL, BP_NIST_COMPLETED + 1);
		if (atomic_compare_exchange_weak(&record->server, &word, next))
			return (struct bp_swap){word, next, BP_DO_SEND};
	}
	return stale;
}

bool
bp_branch_cancel(struct bp_record *record, uint32_t generation, unsigned branch)
{
	unsigned proceeding = bp_record_is_invite(record) ? (unsigned)BP_ICT_PROCEEDING : BP_NICT_PROCEEDING;
	bp_word *place = bp_branch_word(record, branch);
	uint64_t word = place ? atomic_load(place) : 0;

	while (place != NULL && bp_word_generation(word) == generation && BP_WORD_GET(word, STATE) == proceeding &&
		BP_WORD_GET(word, CANCEL) == CANCEL_NONE) {
		uint64_t next = BP_WORD_SET(word, CANCEL, BP_NICT_TRYING + 1);

		if (atomic_compare_exchange_weak(place, &word, next))
			return true;
	}
	return false;
}

/* Sets or takes away BP_WORD_ABANDONED while the branch has said nothing. */
static bool
change_abandoned(struct bp_record *record, uint32_t generation, unsigned branch, uint64_t from, uint64_t to)
{
	unsigned waiting = bp_record_is_invite(record) ? (unsigned)BP_ICT_CALLING : BP_NICT_TRYING;
	bp_word *place = bp_branch_word(record, branch);
	uint64_t word = place ? atomic_load(place) : 0;

	while (place != NULL && bp_word_generation(word) == generation && BP_WORD_GET(word, STATE) == waiting &&
		(word & BP_WORD_ABANDONED) == from)
		if (atomic_compare_exchange_weak(place, &word, (word & ~BP_WORD_ABANDONED) | to))
			return true;
	return false;
}

bool
bp_branch_abandon(struct bp_record *record, uint32_t generation, unsigned branch)
{
	return change_abandoned(record, generation, branch, 0, BP_WORD_ABANDONED);
}

bool
bp_branch_resume(struct bp_record *record, uint32_t generation, unsigned branch)
{
	return change_abandoned(record, generation, branch, BP_WORD_ABANDONED, 0);
}

static struct bp_swap
cancel_event(bp_word *place, uint32_t generation, const struct bp_machine *machine, unsigned event)
{
	uint64_t word = place ? atomic_load(place) : 0;

	while (place != NULL && bp_word_generation(word) == generation && BP_WORD_GET(word, CANCEL) != CANCEL_NONE) {
		unsigned state = BP_WORD_GET(word, CANCEL) - 1;
		const struct bp_step *step = &machine->steps[state * machine->event_count + event];
		uint64_t next = BP_WORD_SET(word, CANCEL, step->next + 1);

		if (atomic_compare_exchange_weak(place, &word, next))
			return (struct bp_swap){word, next, step->action};
	}
	return stale;
}

struct bp_swap
bp_branch_cancel_event(struct bp_record *record, uint32_t generation, unsigned branch, unsigned event)
{
	return cancel_event(bp_branch_word(record, branch), generation, &bp_nict_machine, event);
}

struct bp_swap
bp_server_cancel_event(struct bp_record *record, uint32_t generation, unsigned event)
{
	return cancel_event(&record->server, generation, &bp_nist_machine, event);
}

static bool
cancel_over(uint64_t word, unsigned terminated)
{
	unsigned cancel = BP_WORD_GET(word, CANCEL);

	return cancel == CANCEL_NONE || cancel == terminated + 1;
}

static bool
branches_over(struct bp_record *record, uint32_t generation)
{
	unsigned terminated = bp_record_is_invite(record) ? (unsigned)BP_ICT_TERMINATED : BP_NICT_TERMINATED;

	for (unsigned i = 0; i < atomic_load(&record->branch_count); i++) {
		bp_word *place = bp_branch_word(record, i);
		uint64_t word = place ? atomic_load(place) : 0;

		if (bp_word_generation(word) != generation || BP_WORD_GET(word, STATE) != terminated ||
			!cancel_over(word, BP_NICT_TERMINATED))
			return false;
	}
	return true;
}

bool
bp_record_end(struct bp_record *record, uint32_t generation)
{
	unsigned terminated = bp_record_is_invite(record) ? (unsigned)BP_IST_TERMINATED : BP_NIST_TERMINATED;
	unsigned branch_terminated =
		bp_record_is_invite(record) ? (unsigned)BP_ICT_TERMINATED : BP_NICT_TERMINATED;
	uint64_t word = atomic_load(&record->server);

	while (bp_word_generation(word) == generation && (word & BP_WORD_FREE) == 0 &&
		BP_WORD_GET(word, STATE) == terminated && cancel_over(word, BP_NIST_TERMINATED) &&
		branches_over(record, generation)) {
		uint64_t next = (uint64_t)(generation + 1) << BP_WORD_GENERATION_SHIFT;

		/* Terminated in the next life already, for whoever reads the generation too late. */
		if (!atomic_compare_exchange_weak(
			    &record->server, &word, BP_WORD_SET(next, STATE, terminated) | BP_WORD_FREE))
			continue;
		for (unsigned i = atomic_load(&record->branch_count); i-- > 0;)
			atomic_store_explicit(bp_branch_word(record, i), BP_WORD_SET(next, STATE, branch_terminated),
				memory_order_release);
		return true;
	}
	return false;
}

struct bp_kept *
bp_record_keep_response(struct bp_record *record, struct bp_kept *kept)
{
	struct bp_kept *old = atomic_load(&record->response);

	do {
		if (old != NULL && old->status >= 200)
			return kept;
	} while (!atomic_compare_exchange_weak(&record->response, &old, kept));
	return old;
}
