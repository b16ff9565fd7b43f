/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Non-INVITE client transaction: RFC 3261 17.1.2 figure 6. Its time-out makes no 408
 * upstream (RFC 4320 4.1): the transaction user ends the server side in silence. The CANCEL
 * that a branch sends runs on this table too, in the cancel bits of the branch word.
 */
#include "transaction/machine.h"

#define TO(state, action) {BP_NICT_##state, BP_DO_##action}

const struct bp_step bp_nict_table[BP_NICT_STATE_COUNT][BP_NICT_EVENT_COUNT] = {
	[BP_NICT_TRYING] = {
		[BP_NICT_ON_1XX] = TO(PROCEEDING, PASS),
		[BP_NICT_ON_FINAL] = TO(COMPLETED, PASS),
		[BP_NICT_ON_TIMER_E] = TO(TRYING, REPEAT_REQUEST),
		[BP_NICT_ON_TIMER_F] = TO(TERMINATED, TIMEOUT),
		[BP_NICT_ON_FLOW_FAILED] = TO(TERMINATED, FAILED),
		[BP_NICT_ON_TIMER_K] = TO(TRYING, IGNORE),
	},
	[BP_NICT_PROCEEDING] = {
		[BP_NICT_ON_1XX] = TO(PROCEEDING, PASS),
		[BP_NICT_ON_FINAL] = TO(COMPLETED, PASS),
		[BP_NICT_ON_TIMER_E] = TO(PROCEEDING, REPEAT_REQUEST),
		[BP_NICT_ON_TIMER_F] = TO(TERMINATED, TIMEOUT),
		[BP_NICT_ON_FLOW_FAILED] = TO(TERMINATED, FAILED),
		[BP_NICT_ON_TIMER_K] = TO(PROCEEDING, IGNORE),
	},
	[BP_NICT_COMPLETED] = {
		[BP_NICT_ON_1XX] = TO(COMPLETED, DROP),
		[BP_NICT_ON_FINAL] = TO(COMPLETED, ABSORB),
		[BP_NICT_ON_TIMER_E] = TO(COMPLETED, IGNORE),
		[BP_NICT_ON_TIMER_F] = TO(COMPLETED, IGNORE),
		[BP_NICT_ON_FLOW_FAILED] = TO(COMPLETED, IGNORE),
		[BP_NICT_ON_TIMER_K] = TO(TERMINATED, END),
	},
	[BP_NICT_TERMINATED] = {
		[BP_NICT_ON_1XX] = TO(TERMINATED, DROP),
		[BP_NICT_ON_FINAL] = TO(TERMINATED, DROP),
		[BP_NICT_ON_TIMER_E] = TO(TERMINATED, IGNORE),
		[BP_NICT_ON_TIMER_F] = TO(TERMINATED, IGNORE),
		[BP_NICT_ON_FLOW_FAILED] = TO(TERMINATED, IGNORE),
		[BP_NICT_ON_TIMER_K] = TO(TERMINATED, IGNORE),
	},
};

#define X(machine, name) #name,
static const char *const states[] = {BP_NICT_STATES(X)};
static const char *const events[] = {BP_NICT_EVENTS(X)};
#undef X

const struct bp_machine bp_nict_machine = {
	"NICT", BP_NICT_STATE_COUNT, BP_NICT_EVENT_COUNT, states, events, &bp_nict_table[0][0]};
