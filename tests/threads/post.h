/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Letters from thread to thread that carry bytes and nothing else: no lock, no acquire, no release that
 * ThreadSanitizer could take for order. A real network gives none either: what one worker wrote before it sent
 * something must be visible to another by the engine's own doing. One ring for each pair.
 */
#ifndef BYEPASS_TESTS_THREADS_POST_H
#define BYEPASS_TESTS_THREADS_POST_H

#include "grace.h"

#include <stdbool.h>
#include <stddef.h>

#define LETTER_MAX 2048 /* bytes */

struct letter {
	uint32_t from; /* whoever it is for the caller */
	uint32_t size;
	char bytes[LETTER_MAX];
};

void post_begin(void);
void post_end(void);

/* False: the ring is full. */
bool post_put(unsigned from_thread, unsigned to_thread, uint32_t from, const char *bytes, size_t size);

/* Takes one letter from any ring to @thread. */
bool post_take(unsigned thread, struct letter *letter);

/* Letters that wait for @thread. */
unsigned post_waiting(unsigned thread);

#endif
