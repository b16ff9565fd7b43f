/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See post.h. The order that the rings themselves need is made by liburcu's barriers, which are plain instructions.
 */
#include "post.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/arch.h>

#define RING 512u
#define WORDS (LETTER_MAX / 8)

struct envelope {
	_Atomic uint32_t from, size;
	_Atomic uint64_t words[WORDS];
};

struct ring {
	_Atomic uint32_t put __attribute__((aligned(64)));
	_Atomic uint32_t taken __attribute__((aligned(64)));
	struct envelope envelopes[RING];
};

static struct ring *rings; /* [from][to] */

#define relaxed_load(p) atomic_load_explicit(p, memory_order_relaxed)
#define relaxed_store(p, value) atomic_store_explicit(p, value, memory_order_relaxed)

void
post_begin(void)
{
	rings = calloc(THREADS_MAX * THREADS_MAX, sizeof(*rings));
	if (rings == NULL)
		abort();
}

void
post_end(void)
{
	free(rings);
}

static struct ring *
ring_of(unsigned from, unsigned to)
{
	return &rings[from * THREADS_MAX + to];
}

bool
post_put(unsigned from_thread, unsigned to_thread, uint32_t from, const char *bytes, size_t size)
{
	struct ring *ring = ring_of(from_thread, to_thread);
	uint32_t put = relaxed_load(&ring->put);
	struct envelope *envelope = &ring->envelopes[put % RING];

	if (size > LETTER_MAX)
		abort();
	if (put - relaxed_load(&ring->taken) == RING)
		return false;
	cmm_smp_mb();
	relaxed_store(&envelope->from, from);
	relaxed_store(&envelope->size, (uint32_t)size);
	for (size_t at = 0; at < size; at += 8) {
		uint64_t word = 0;

		memcpy(&word, bytes + at, size - at < 8 ? size - at : 8);
		relaxed_store(&envelope->words[at / 8], word);
	}
	cmm_smp_mb();
	relaxed_store(&ring->put, put + 1);
	return true;
}

static bool
take_from(struct ring *ring, struct letter *letter)
{
	uint32_t taken = relaxed_load(&ring->taken);
	struct envelope *envelope = &ring->envelopes[taken % RING];

	if (relaxed_load(&ring->put) == taken)
		return false;
	cmm_smp_mb();
	letter->from = relaxed_load(&envelope->from);
	letter->size = relaxed_load(&envelope->size);
	for (size_t at = 0; at < letter->size; at += 8) {
		uint64_t word = relaxed_load(&envelope->words[at / 8]);

		memcpy(letter->bytes + at, &word, 8); /* the last one too: LETTER_MAX is a multiple */
	}
	cmm_smp_mb();
	relaxed_store(&ring->taken, taken + 1);
	return true;
}

bool
post_take(unsigned thread, struct letter *letter)
{
	for (unsigned from = 0; from < THREADS_MAX; from++)
		if (take_from(ring_of(from, thread), letter))
			return true;
	return false;
}

unsigned
post_waiting(unsigned thread)
{
	unsigned count = 0;

	for (unsigned from = 0; from < THREADS_MAX; from++) {
		struct ring *ring = ring_of(from, thread);

		count += relaxed_load(&ring->put) - relaxed_load(&ring->taken);
	}
	return count;
}
