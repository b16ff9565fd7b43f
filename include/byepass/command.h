/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What control may tell a worker while it runs. A command goes through the worker's mailbox, is
 * executed between two bursts and acknowledged; see bp_dataplane_drain().
 */
#ifndef BYEPASS_COMMAND_H
#define BYEPASS_COMMAND_H

#include <stdint.h>

/* X(token, text) */
#define BP_COMMANDS(X)                                                                                       \
	X(PING, "nothing but the acknowledgement: the worker turns its loop")                                \
	X(PROBE, "OPTIONS to a target; the argument is of bp_probe_argument()")                                \
	X(DRAIN, "refuse new requests with 503 from now on")

enum bp_command {
#define X(token, text) BP_COMMAND_##token,
	BP_COMMANDS(X)
#undef X
		BP_COMMAND_COUNT,
};

static inline uint64_t
bp_probe_argument(uint16_t trunk, uint16_t target, uint32_t number)
{
	return (uint64_t)trunk << 48 | (uint64_t)target << 32 | number;
}

#endif
