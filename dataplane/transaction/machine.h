/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The four transaction machines as tables: RFC 3261 figures 5 to 8, with RFC 6026 (Accepted,
 * timers L and M) and RFC 4320 in them. table[state][event] gives the next state and
 * what to do; a pair that cannot be is an action that drops and counts. One file per machine.
 */
#ifndef BYEPASS_TRANSACTION_MACHINE_H
#define BYEPASS_TRANSACTION_MACHINE_H

#include "byepass/states.h"

#include <stdint.h>

/* clang-format off */
#define BP_ICT_EVENTS(X) X(ICT, 1XX) X(ICT, 2XX) X(ICT, 3XX_6XX) X(ICT, TIMER_A) X(ICT, TIMER_B) X(ICT, TIMER_C) \
	X(ICT, CANCEL_TIMEOUT) X(ICT, FLOW_FAILED) X(ICT, TIMER_D) X(ICT, TIMER_M)

#define BP_IST_EVENTS(X) X(IST, INVITE) X(IST, ACK) X(IST, TU_1XX) X(IST, TU_2XX) X(IST, TU_3XX_6XX) \
	X(IST, TIMER_G) X(IST, TIMER_H) X(IST, TIMER_I) X(IST, TIMER_L)

#define BP_NICT_EVENTS(X) X(NICT, 1XX) X(NICT, FINAL) X(NICT, TIMER_E) X(NICT, TIMER_F) X(NICT, FLOW_FAILED) \
	X(NICT, TIMER_K)

#define BP_NIST_EVENTS(X) X(NIST, REQUEST) X(NIST, TU_1XX) X(NIST, TU_FINAL) X(NIST, TU_NOTHING) X(NIST, TIMER_J)

/* X(name, text): what the winner of a swap does. */
#define BP_ACTIONS(X) \
	X(IGNORE, "nothing: a timer that is no longer wanted") \
	X(DROP, "drop and count: not expected in this state") \
	X(ABSORB, "take it in, nothing to do") \
	X(REPEAT_REQUEST, "send the request again") \
	X(REPEAT_RESPONSE, "send the last response again") \
	X(REPEAT_ACK, "send the ACK again") \
	X(PASS, "pass to the transaction user") \
	X(PASS_ACK, "send the ACK, pass to the transaction user") \
	X(PASS_REQUEST, "an ACK for a 2xx: forward it") \
	X(SEND, "send the response") \
	X(ASK_CANCEL, "send CANCEL") \
	X(TIMEOUT, "tell the transaction user: timed out") \
	X(FAILED, "tell the transaction user: transport failed") \
	X(END, "over")
/* clang-format on */

#define X(machine, name) BP_##machine##_##name,
enum bp_ict_state { BP_ICT_STATES(X) BP_ICT_STATE_COUNT };
enum bp_ist_state { BP_IST_STATES(X) BP_IST_STATE_COUNT };
enum bp_nict_state { BP_NICT_STATES(X) BP_NICT_STATE_COUNT };
enum bp_nist_state { BP_NIST_STATES(X) BP_NIST_STATE_COUNT };
#undef X
#define X(machine, name) BP_##machine##_ON_##name,
enum bp_ict_event { BP_ICT_EVENTS(X) BP_ICT_EVENT_COUNT };
enum bp_ist_event { BP_IST_EVENTS(X) BP_IST_EVENT_COUNT };
enum bp_nict_event { BP_NICT_EVENTS(X) BP_NICT_EVENT_COUNT };
enum bp_nist_event { BP_NIST_EVENTS(X) BP_NIST_EVENT_COUNT };
#undef X
#define X(name, text) BP_DO_##name,
enum bp_action { BP_ACTIONS(X) BP_ACTION_COUNT };
#undef X

struct bp_step {
	uint8_t next;   /* state */
	uint8_t action; /* enum bp_action */
};

extern const struct bp_step bp_ict_table[BP_ICT_STATE_COUNT][BP_ICT_EVENT_COUNT];
extern const struct bp_step bp_ist_table[BP_IST_STATE_COUNT][BP_IST_EVENT_COUNT];
extern const struct bp_step bp_nict_table[BP_NICT_STATE_COUNT][BP_NICT_EVENT_COUNT];
extern const struct bp_step bp_nist_table[BP_NIST_STATE_COUNT][BP_NIST_EVENT_COUNT];

/* A machine with its names, for drawings and for decoding words. */
struct bp_machine {
	const char *name;
	uint8_t state_count, event_count;
	const char *const *states;
	const char *const *events;
	const struct bp_step *steps; /* [state_count][event_count] */
};
extern const struct bp_machine bp_ict_machine, bp_ist_machine, bp_nict_machine, bp_nist_machine;

const char *bp_action_text(enum bp_action action);

#endif
