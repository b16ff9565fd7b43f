/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What control may tell a worker while it runs. A command goes through the worker's mailbox, is
 * executed between two bursts and acknowledged; see bp_dataplane_drain().
 */
#ifndef BYEPASS_COMMAND_H
#define BYEPASS_COMMAND_H

/* X(token, text) */
#define BP_COMMANDS(X)                                                                                       \
	X(PING, "nothing but the acknowledgement: the worker turns its loop")                                \
	X(DRAIN, "refuse new requests with 503 from now on")

enum bp_command {
#define X(token, text) BP_COMMAND_##token,
	BP_COMMANDS(X)
#undef X
		BP_COMMAND_COUNT,
};

#endif
