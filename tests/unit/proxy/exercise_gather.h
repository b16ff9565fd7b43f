/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the engine does to a message with proxy/gather.h, done to arbitrary bytes, and once more with sip/edit.h: both
 * must come to the same. Aborts when something that must hold does not. Shared by the unit test and the fuzz target.
 */
#ifndef BYEPASS_TESTS_PROXY_EXERCISE_GATHER_H
#define BYEPASS_TESTS_PROXY_EXERCISE_GATHER_H

#include <stddef.h>
#include <stdint.h>

/* Which changes, in the first byte of the input. */
enum gather_choice {
	GATHER_POP_VIA = 1, /* and none of the others */
	GATHER_URI = 2,
	GATHER_PUSH_VIA = 4,
	GATHER_SOURCE = 8,
	GATHER_ROUTES = 16,
	GATHER_HOPS = 32,
	GATHER_RECORD_ROUTES = 64,
	GATHER_IPV6 = 128, /* where the request comes from */
};
#define GATHER_SOURCE_SIZE 18 /* then port and address */

/* The choice, the source, and the message behind them. Returns how many changes were made, -1: it is no message. */
int exercise_gather(const uint8_t *bytes, size_t size);

#endif
