/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Non-INVITE server transaction: RFC 3261 17.2.2 figure 8. TU_NOTHING is the client side's
 * time-out, which sends nothing (RFC 4320 4.2). The CANCEL that the edge answers runs on this
 * table too, in the cancel bits of the server word.
 */
#include "transaction/machine.h"

#define TO(state, action) {BP_NIST_##state, BP_DO_##action}

const struct bp_step bp_nist_table[BP_NIST_STATE_COUNT][BP_NIST_EVENT_COUNT] = {
	[BP_NIST_TRYING] = {
		[BP_NIST_ON_REQUEST] = TO(TRYING, ABSORB),
		[BP_NIST_ON_TU_1XX] = TO(PROCEEDING, SEND),
		[BP_NIST_ON_TU_FINAL] = TO(COMPLETED, SEND),
		[BP_NIST_ON_TU_NOTHING] = TO(TERMINATED, END),
		[BP_NIST_ON_TIMER_J] = TO(TRYING, IGNORE),
	},
	[BP_NIST_PROCEEDING] = {
		[BP_NIST_ON_REQUEST] = TO(PROCEEDING, REPEAT_RESPONSE),
		[BP_NIST_ON_TU_1XX] = TO(PROCEEDING, SEND),
		[BP_NIST_ON_TU_FINAL] = TO(COMPLETED, SEND),
		[BP_NIST_ON_TU_NOTHING] = TO(TERMINATED, END),
		[BP_NIST_ON_TIMER_J] = TO(PROCEEDING, IGNORE),
	},
	[BP_NIST_COMPLETED] = {
		[BP_NIST_ON_REQUEST] = TO(COMPLETED, REPEAT_RESPONSE),
		[BP_NIST_ON_TU_1XX] = TO(COMPLETED, DROP),
		[BP_NIST_ON_TU_FINAL] = TO(COMPLETED, DROP),
		[BP_NIST_ON_TU_NOTHING] = TO(COMPLETED, IGNORE),
		[BP_NIST_ON_TIMER_J] = TO(TERMINATED, END),
	},
	[BP_NIST_TERMINATED] = {
		[BP_NIST_ON_REQUEST] = TO(TERMINATED, DROP),
		[BP_NIST_ON_TU_1XX] = TO(TERMINATED, DROP),
		[BP_NIST_ON_TU_FINAL] = TO(TERMINATED, DROP),
		[BP_NIST_ON_TU_NOTHING] = TO(TERMINATED, IGNORE),
		[BP_NIST_ON_TIMER_J] = TO(TERMINATED, IGNORE),
	},
};

#define X(machine, name) #name,
static const char *const states[] = {BP_NIST_STATES(X)};
static const char *const events[] = {BP_NIST_EVENTS(X)};
#undef X

const struct bp_machine bp_nist_machine = {
	"NIST", BP_NIST_STATE_COUNT, BP_NIST_EVENT_COUNT, states, events, &bp_nist_table[0][0]};

const char *
bp_action_text(enum bp_action action)
{
	static const char *const texts[] = {
#define X(name, text) text,
		BP_ACTIONS(X)
#undef X
	};
	return texts[action];
}
