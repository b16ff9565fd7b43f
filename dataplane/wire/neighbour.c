/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The neighbour table (see neighbour.h). Two buckets of eight slots for each key, chosen by a hash with
 * a random secret; nothing is ever allocated, what is idle makes room.
 *
 * One word of each slot decides: MAC address, state, generation. Whoever takes a slot moves the
 * word to CLAIMED with the next generation (CAS), writes the key (relaxed), and publishes by storing the word
 * (release). A reader loads the word (acquire), compares the key, and loads the word again: the
 * same generation both times means that the key belongs to it. Two workers that miss at the same moment may
 * make two entries for one key: replies go to both, the first is used, the other falls idle and is evicted.
 */
#include "wire/neighbour.h"

#include "wire/neighbour_table.h"

/* The slot number @way of 2 * BP_NEIGHBOUR_WAYS that a key with hash @h may be in. */
static struct bp_neighbour_slot *
slot_of(struct bp_neighbours *neighbours, uint64_t h, unsigned way)
{
	uint32_t bucket = (uint32_t)(way < BP_NEIGHBOUR_WAYS ? h : h >> 32) & neighbours->bucket_mask;

	return &neighbours->slots[bucket * BP_NEIGHBOUR_WAYS + way % BP_NEIGHBOUR_WAYS];
}

static enum bp_neighbour_slot_state
word_state(uint64_t word)
{
	return (enum bp_neighbour_slot_state)(word >> BP_NEIGHBOUR_STATE_SHIFT & 0xf);
}

static uint64_t
word_make(const struct rte_ether_addr *mac, enum bp_neighbour_slot_state state, uint64_t generation)
{
	uint64_t word = 0;

	for (unsigned i = 0; mac != NULL && i < 6; i++)
		word = word << 8 | mac->addr_bytes[i];
	return word << 16 | (uint64_t)state << BP_NEIGHBOUR_STATE_SHIFT |
	       (generation & BP_NEIGHBOUR_GENERATION_MASK);
}

static void
word_mac(uint64_t word, struct rte_ether_addr *mac)
{
	for (unsigned i = 0; i < 6; i++)
		mac->addr_bytes[i] = (uint8_t)(word >> (56 - 8 * i));
}

/* The word of @slot if it holds @words, else 0 (a word in use is never 0). */
static uint64_t
slot_match(struct bp_neighbour_slot *slot, const struct bp_neighbour_words *words)
{
	uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire), again;

	if (word_state(word) < SLOT_INCOMPLETE ||
		atomic_load_explicit(&slot->ip[1], memory_order_relaxed) != words->ip[1] ||
		atomic_load_explicit(&slot->ip[0], memory_order_relaxed) != words->ip[0] ||
		atomic_load_explicit(&slot->link, memory_order_relaxed) != words->link)
		return 0;
	atomic_thread_fence(memory_order_acquire);
	again = atomic_load_explicit(&slot->word, memory_order_relaxed);
	if (word_state(again) < SLOT_INCOMPLETE || ((again ^ word) & BP_NEIGHBOUR_GENERATION_MASK) != 0)
		return 0;
	return again;
}

/* How gladly @slot is given up: 0 not at all, else the larger the better. @asking: we want to send, so an
 * entry that nobody has answered for may go at any age; a flood of dead addresses must not lock out a live
 * one. */
static uint64_t
slot_idleness(struct bp_neighbour_slot *slot, uint64_t word, bool asking, uint64_t now_us)
{
	uint64_t used_us = atomic_load_explicit(&slot->used_us, memory_order_relaxed);
	uint64_t idle_us = used_us == 0 || used_us > now_us ? 0 : now_us - used_us;

	switch (word_state(word)) {
	case SLOT_FREE:
		return UINT64_MAX;
	case SLOT_INCOMPLETE:
		return asking || idle_us > BP_NEIGHBOUR_IN_USE_US ? (UINT64_C(1) << 62) + idle_us : 0;
	case SLOT_RESOLVED:
		if (used_us == 0) /* learned and never used */
			return UINT64_C(1) << 61;
		return idle_us > BP_NEIGHBOUR_IN_USE_US ? idle_us : 0;
	default:
		return 0;
	}
}

/* The slot of the two buckets that is given up most gladly; NULL: all are in use. */
static struct bp_neighbour_slot *
slot_victim(struct bp_neighbours *neighbours, uint64_t h, bool asking, uint64_t now_us, uint64_t *best_word)
{
	struct bp_neighbour_slot *best = NULL;
	uint64_t best_idleness = 0;

	for (unsigned way = 0; way < 2 * BP_NEIGHBOUR_WAYS; way++) {
		struct bp_neighbour_slot *slot = slot_of(neighbours, h, way);
		uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
		uint64_t idleness = slot_idleness(slot, word, asking, now_us);

		if (idleness > best_idleness) {
			best = slot;
			best_idleness = idleness;
			*best_word = word;
		}
		if (idleness == UINT64_MAX)
			break;
	}
	return best;
}

/* Takes a slot for a new entry; NULL: none, or other workers were faster each time. */
static struct bp_neighbour_slot *
slot_claim(struct bp_neighbours *neighbours, uint64_t h, bool asking, uint64_t now_us, uint64_t *claimed)
{
	for (unsigned tries = 0; tries < 3; tries++) {
		uint64_t word = 0;
		struct bp_neighbour_slot *slot = slot_victim(neighbours, h, asking, now_us, &word);

		if (slot == NULL)
			return NULL;
		*claimed = word_make(NULL, SLOT_CLAIMED, word + 1);
		if (atomic_compare_exchange_strong(&slot->word, &word, *claimed))
			return slot;
	}
	return NULL;
}

/* Fills a slot that was claimed and lets the others see it. */
static void
slot_publish(struct bp_neighbour_slot *slot, const struct bp_neighbour_words *words, uint64_t word)
{
	atomic_thread_fence(memory_order_release); /* who sees the new key sees that it was claimed */
	atomic_store_explicit(&slot->ip[0], words->ip[0], memory_order_relaxed);
	atomic_store_explicit(&slot->ip[1], words->ip[1], memory_order_relaxed);
	atomic_store_explicit(&slot->link, words->link, memory_order_relaxed);
	atomic_store_explicit(&slot->word, word, memory_order_release);
}

/* True for the one caller who may send request number @requests. */
static bool
slot_ask(struct bp_neighbour_slot *slot, uint64_t asked, uint64_t now_us, unsigned requests)
{
	return atomic_compare_exchange_strong(&slot->asked, &asked, now_us << 2 | requests);
}

static enum bp_neighbour_state
use_incomplete(struct bp_neighbour_slot *slot, uint64_t now_us, enum bp_neighbour_ask *ask)
{
	uint64_t asked = atomic_load_explicit(&slot->asked, memory_order_relaxed);

	if ((int64_t)(now_us - (asked >> 2)) >= (int64_t)BP_NEIGHBOUR_ASK_US &&
		slot_ask(slot, asked, now_us, 1))
		*ask = BP_NEIGHBOUR_ASK_ALL;
	return BP_NEIGHBOUR_WAIT;
}

/* No probe was answered: back to INCOMPLETE, and asked for at once by the one who wins. */
static enum bp_neighbour_state
use_forget(struct bp_neighbour_slot *slot, uint64_t word, uint64_t asked, uint64_t now_us,
	enum bp_neighbour_ask *ask)
{
	if (slot_ask(slot, asked, now_us, 1)) {
		*ask = BP_NEIGHBOUR_ASK_ALL;
		atomic_compare_exchange_strong(&slot->word, &word, word_make(NULL, SLOT_INCOMPLETE, word));
	}
	return BP_NEIGHBOUR_WAIT;
}

static enum bp_neighbour_state
use_resolved(struct bp_neighbour_slot *slot, uint64_t word, uint64_t now_us, struct rte_ether_addr *mac,
	enum bp_neighbour_ask *ask)
{
	int64_t age_us = (int64_t)(now_us - atomic_load_explicit(&slot->confirmed_us, memory_order_relaxed));
	uint64_t asked;
	unsigned requests;

	word_mac(word, mac);
	if (age_us < (int64_t)BP_NEIGHBOUR_CONFIRMED_US)
		return BP_NEIGHBOUR_RESOLVED;
	asked = atomic_load_explicit(&slot->asked, memory_order_relaxed);
	requests = asked & 3;
	if (requests == 0) {
		/* Not used for as long again: too old to trust while a probe is under way. */
		if (age_us >= 2 * (int64_t)BP_NEIGHBOUR_CONFIRMED_US)
			return use_forget(slot, word, asked, now_us, ask);
		if (slot_ask(slot, asked, now_us, 1))
			*ask = BP_NEIGHBOUR_ASK_ONE;
		return BP_NEIGHBOUR_RESOLVED;
	}
	if ((int64_t)(now_us - (asked >> 2)) < (int64_t)BP_NEIGHBOUR_ASK_US)
		return BP_NEIGHBOUR_RESOLVED;
	if (requests >= BP_NEIGHBOUR_ASKS ||
		(int64_t)(now_us - (asked >> 2)) >= (int64_t)(BP_NEIGHBOUR_ASKS * BP_NEIGHBOUR_ASK_US))
		return use_forget(slot, word, asked, now_us, ask);
	if (slot_ask(slot, asked, now_us, requests + 1))
		*ask = BP_NEIGHBOUR_ASK_ALL; /* it may have a new MAC address */
	return BP_NEIGHBOUR_RESOLVED;
}

enum bp_neighbour_state
bp_neighbour_use(struct bp_neighbours *neighbours, const struct bp_neighbour_key *key, bool create,
	uint64_t now_us, struct rte_ether_addr *mac, enum bp_neighbour_ask *ask)
{
	struct bp_neighbour_words words = bp_neighbour_key_words(key);
	uint64_t h = bp_neighbour_hash(neighbours, &words), word;
	struct bp_neighbour_slot *slot;

	*ask = BP_NEIGHBOUR_ASK_NONE;
	for (unsigned way = 0; way < 2 * BP_NEIGHBOUR_WAYS; way++) {
		slot = slot_of(neighbours, h, way);
		word = slot_match(slot, &words);
		if (word == 0)
			continue;
		/* The line is shared: written only when it says something new. */
		if (now_us - atomic_load_explicit(&slot->used_us, memory_order_relaxed) > BP_NEIGHBOUR_ASK_US)
			atomic_store_explicit(&slot->used_us, now_us, memory_order_relaxed);
		if (word_state(word) == SLOT_INCOMPLETE)
			return use_incomplete(slot, now_us, ask);
		return use_resolved(slot, word, now_us, mac, ask);
	}
	slot = create ? slot_claim(neighbours, h, true, now_us, &word) : NULL;
	if (slot == NULL)
		return BP_NEIGHBOUR_FULL;
	atomic_store_explicit(&slot->confirmed_us, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->used_us, now_us, memory_order_relaxed);
	atomic_store_explicit(&slot->asked, now_us << 2 | 1, memory_order_relaxed);
	slot_publish(slot, &words, word_make(NULL, SLOT_INCOMPLETE, word));
	*ask = BP_NEIGHBOUR_ASK_ALL;
	return BP_NEIGHBOUR_WAIT;
}

/* An answer that comes long after we have stopped asking was not asked for. */
static bool
slot_expects(struct bp_neighbour_slot *slot, uint64_t now_us)
{
	uint64_t asked = atomic_load_explicit(&slot->asked, memory_order_relaxed);

	return (int64_t)(now_us - (asked >> 2)) <= (int64_t)(BP_NEIGHBOUR_ASKS * BP_NEIGHBOUR_ASK_US);
}

static void
slot_update(struct bp_neighbours *neighbours, struct bp_neighbour_slot *slot, uint64_t word,
	const struct rte_ether_addr *mac, bool solicited, uint64_t now_us)
{
	uint64_t next = word_make(mac, SLOT_RESOLVED, word);

	if (word == next && !solicited)
		return; /* nothing new, and no proof that it hears us */
	atomic_store_explicit(&slot->confirmed_us, solicited ? now_us : now_us - BP_NEIGHBOUR_CONFIRMED_US,
		memory_order_relaxed);
	atomic_store_explicit(&slot->asked, 0, memory_order_relaxed);
	/* Where the swap fails, another reply or the slot's next tenant was faster. */
	if (word != next && atomic_compare_exchange_strong(&slot->word, &word, next))
		atomic_fetch_add_explicit(&neighbours->resolutions, 1, memory_order_release);
}

/* Whether the MAC address that is known was asked, alone, and has not answered for a second. */
static bool
slot_is_silent(struct bp_neighbour_slot *slot, uint64_t now_us)
{
	uint64_t asked = atomic_load_explicit(&slot->asked, memory_order_relaxed);

	return (asked & 3) > 1 ||
	       ((asked & 3) == 1 && (int64_t)(now_us - (asked >> 2)) >= (int64_t)BP_NEIGHBOUR_ASK_US);
}

/* Who is right? Probed at the next use, but no more than once a second, whatever is claimed. */
static void
slot_doubt(struct bp_neighbour_slot *slot, uint64_t now_us)
{
	uint64_t confirmed_us = atomic_load_explicit(&slot->confirmed_us, memory_order_relaxed);
	int64_t age_us = (int64_t)(now_us - confirmed_us);

	if (age_us >= (int64_t)(BP_NEIGHBOUR_CONFIRMED_US - BP_NEIGHBOUR_ASK_US)) /* it is in doubt already */
		return;
	if (age_us < (int64_t)BP_NEIGHBOUR_ASK_US)
		now_us = confirmed_us + BP_NEIGHBOUR_ASK_US;
	atomic_store_explicit(
		&slot->confirmed_us, now_us - BP_NEIGHBOUR_CONFIRMED_US, memory_order_relaxed);
}

/* RFC 4861 7.2.5, appendix C, and the defence of what is known. False: the answer is not wanted. */
static bool
slot_confirm(struct bp_neighbours *neighbours, struct bp_neighbour_slot *slot, uint64_t word,
	const struct rte_ether_addr *mac, bool solicited, bool override, uint64_t now_us)
{
	struct rte_ether_addr known;
	bool differs;

	if (mac == NULL) {
		word_mac(word, &known);
		mac = &known;
	}
	differs = word != word_make(mac, SLOT_RESOLVED, word);
	if (word_state(word) == SLOT_INCOMPLETE) {
		if (mac == &known || !slot_expects(slot, now_us))
			return false;
	} else if (differs && (!override || !slot_is_silent(slot, now_us))) {
		slot_doubt(slot, now_us);
		return true;
	}
	slot_update(neighbours, slot, word, mac, solicited, now_us);
	return true;
}

bool
bp_neighbour_confirm(struct bp_neighbours *neighbours, const struct bp_neighbour_key *key,
	const struct rte_ether_addr *mac, bool solicited, bool override, uint64_t now_us)
{
	struct bp_neighbour_words words = bp_neighbour_key_words(key);
	uint64_t h = bp_neighbour_hash(neighbours, &words), word;
	bool known = false;

	for (unsigned way = 0; way < 2 * BP_NEIGHBOUR_WAYS; way++) {
		struct bp_neighbour_slot *slot = slot_of(neighbours, h, way);

		word = slot_match(slot, &words);
		if (word != 0 && slot_confirm(neighbours, slot, word, mac, solicited, override, now_us))
			known = true;
	}
	return known;
}

void
bp_neighbour_learn(struct bp_neighbours *neighbours, const struct bp_neighbour_key *key,
	const struct rte_ether_addr *mac, uint64_t now_us)
{
	struct bp_neighbour_words words = bp_neighbour_key_words(key);
	uint64_t h = bp_neighbour_hash(neighbours, &words), word;
	bool known = false;
	struct bp_neighbour_slot *slot;

	for (unsigned way = 0; way < 2 * BP_NEIGHBOUR_WAYS; way++) {
		slot = slot_of(neighbours, h, way);
		word = slot_match(slot, &words);
		if (word == 0)
			continue;
		known = true;
		if (word_state(word) == SLOT_RESOLVED && word != word_make(mac, SLOT_RESOLVED, word) &&
			!slot_is_silent(slot, now_us))
			slot_doubt(slot, now_us);
		else
			slot_update(neighbours, slot, word, mac, false, now_us);
	}
	if (known)
		return;
	slot = slot_claim(neighbours, h, false, now_us, &word);
	if (slot == NULL)
		return;
	atomic_store_explicit(&slot->confirmed_us, now_us - BP_NEIGHBOUR_CONFIRMED_US, memory_order_relaxed);
	atomic_store_explicit(&slot->used_us, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->asked, 0, memory_order_relaxed);
	slot_publish(slot, &words, word_make(mac, SLOT_RESOLVED, word));
	atomic_fetch_add_explicit(&neighbours->resolutions, 1, memory_order_release);
}

uint32_t
bp_neighbours_resolutions(const struct bp_neighbours *neighbours)
{
	return atomic_load_explicit(&neighbours->resolutions, memory_order_acquire);
}

uint32_t
bp_neighbours_next_fragment(struct bp_neighbours *neighbours)
{
	return atomic_fetch_add_explicit(&neighbours->fragment, 1, memory_order_relaxed);
}
