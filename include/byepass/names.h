/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names of next hops (RFC 3263). Control resolves and publishes what it found in a table that
 * the workers read under RCU, without a lock; one control thread writes. A worker that misses
 * a name puts a question into a ring of its own, which it never waits for. What stands in the
 * table is fresh: control takes it out, or replaces it, when its time to live is over.
 */
#ifndef BYEPASS_NAMES_H
#define BYEPASS_NAMES_H

#include "byepass/flow.h"

#include <stdatomic.h>
#include <stddef.h>

#define BP_NAME_SIZE_MAX 253    /* bytes of a name without its last dot (RFC 1035 2.3.4) */
#define BP_NAME_LABEL_MAX 63
#define BP_NAME_TARGETS_MAX 32  /* addresses of one name that are kept */
#define BP_NAME_RING_SIZE 256   /* questions of one worker that control has not taken yet; a power of two */
#define BP_NAME_CHAIN_MAX 32    /* names in one bucket */

/* What is asked for: lower case, no last dot. The same name with a port is another question (RFC 3263 4.2). */
struct bp_name_key {
	uint16_t port; /* as written in the URI; 0: none, so NAPTR and SRV records count */
	uint8_t size;
	char host[BP_NAME_SIZE_MAX];
};
static_assert(sizeof(struct bp_name_key) == 256, "copied into a ring");

enum bp_name_status {
	BP_NAME_FOUND,
	BP_NAME_NONE,   /* there is no such name, or nothing of it can be used */
	BP_NAME_FAILED, /* no name server answered */
	BP_NAME_WAITS,  /* the question is on its way */
	BP_NAME_BUSY,   /* too many questions are */
	BP_NAME_OFF,    /* names are not resolved here */
};

/* An address of a server. All of one server stand together, in the order in which they are tried. */
struct bp_name_target {
	struct bp_ip ip;
	uint16_t port;
	uint16_t priority; /* of its SRV record (RFC 2782), else 0 */
	uint16_t weight;
	uint16_t server; /* number of the SRV record */
};

/* What is known of a name. Immutable once published, but for next and used. */
struct bp_name_entry {
	_Atomic(struct bp_name_entry *) next; /* of its bucket; control: rw, worker: ro */
	struct bp_name_entry *next_retired;   /* control's own */
	uint64_t hash;
	struct bp_name_key key;
	_Atomic uint8_t used; /* since control looked last; worker: sets, control: clears */
	uint8_t status;       /* enum bp_name_status: FOUND, NONE or FAILED */
	uint16_t count;
	struct bp_name_target targets[]; /* by priority; of the same one, weight 0 first */
};

/* One worker's questions. */
struct bp_name_ring {
	_Atomic uint32_t head __attribute__((aligned(64))); /* worker: rw, control: ro */
	_Atomic uint32_t tail __attribute__((aligned(64))); /* control: rw, worker: ro */
	struct bp_name_key keys[BP_NAME_RING_SIZE];
};

struct bp_name_table {
	uint64_t secret[2]; /* of the hash: nobody outside can aim for one bucket */
	uint32_t mask;      /* buckets less one */
	uint16_t ring_count;
	struct bp_name_ring *rings;   /* of each worker */
	_Atomic(struct bp_name_entry *) *buckets;
	_Atomic uint64_t news __attribute__((aligned(64))); /* answers published; control: rw, worker: ro */
};

static inline uint64_t
bp_name_mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
bp_name_hash(const struct bp_name_table *names, const struct bp_name_key *key)
{
	uint64_t hash = names->secret[0] ^ ((uint64_t)key->port << 8 | key->size), word;
	unsigned at = 0;

	for (; at + 8 <= key->size; at += 8) {
		memcpy(&word, key->host + at, 8);
		hash = bp_name_mix(hash ^ word, names->secret[1]);
	}
	word = 0;
	memcpy(&word, key->host + at, key->size - at);
	return bp_name_mix(hash ^ word, names->secret[1]) ^ hash;
}

static inline bool
bp_name_key_equal(const struct bp_name_key *a, const struct bp_name_key *b)
{
	return a->size == b->size && a->port == b->port && memcmp(a->host, b->host, a->size) == 0;
}

/* Makes the key of a host and a port. False: no host can have that name.
 * Any thread. */
static inline bool
bp_name_key_make(struct bp_name_key *key, const char *host, size_t size, uint16_t port)
{
	unsigned label = 0;

	if (size > 0 && host[size - 1] == '.')
		size--;
	if (size == 0 || size > BP_NAME_SIZE_MAX)
		return false;
	key->port = port;
	key->size = (uint8_t)size;
	for (size_t i = 0; i < size; i++) {
		char c = host[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if (c == '.' ? label == 0
			     : !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > BP_NAME_LABEL_MAX)
			return false;
		key->host[i] = c;
	}
	return true;
}

/* What is known of a name; NULL: nothing. Worker, or control.
 * RCU: the result is good until the caller's next quiescent state. */
static inline struct bp_name_entry *
bp_name_find(const struct bp_name_table *names, const struct bp_name_key *key)
{
	uint64_t hash = bp_name_hash(names, key);
	struct bp_name_entry *name = atomic_load_explicit(&names->buckets[hash & names->mask], memory_order_acquire);

	for (unsigned i = 0; name != NULL && i < BP_NAME_CHAIN_MAX; i++) {
		if (name->hash == hash && bp_name_key_equal(&name->key, key)) {
			if (atomic_load_explicit(&name->used, memory_order_relaxed) == 0)
				atomic_store_explicit(&name->used, 1, memory_order_relaxed);
			return name;
		}
		name = atomic_load_explicit(&name->next, memory_order_acquire);
	}
	return NULL;
}

/* Puts a question. False: control is behind with this worker's. Thread: the ring's worker. */
static inline bool
bp_name_ask(struct bp_name_table *names, unsigned worker, const struct bp_name_key *key)
{
	struct bp_name_ring *ring;
	uint32_t head;

	if (worker >= names->ring_count)
		return false;
	ring = &names->rings[worker];
	head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	if (head - atomic_load_explicit(&ring->tail, memory_order_acquire) >= BP_NAME_RING_SIZE)
		return false;
	memcpy(&ring->keys[head % BP_NAME_RING_SIZE], key, offsetof(struct bp_name_key, host) + key->size);
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	return true;
}

#endif
