/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Per-worker counters. One writer (the worker that owns the block), any number of
 * readers (control sums over workers). Nothing is ever reset: a reader keeps a
 * baseline. Live figures are created minus ended, summed over workers, because a
 * record may end on another worker than the one that made it.
 *
 * The counting law, per sum over workers:
 *   messages_received = forwarded + answered + absorbed + all drops of scope MESSAGE + messages_parked
 * messages_parked comes to zero when no name is waited for.
 */
#ifndef BYEPASS_COUNTERS_H
#define BYEPASS_COUNTERS_H

#include "byepass/drops.h"
#include "byepass/states.h"

#include <stdint.h>

/* X(token): methods in the order of enum bp_sip_method; OTHER is every extension method. */
#define BP_METHODS(X) \
	X(OTHER) X(INVITE) X(ACK) X(CANCEL) X(BYE) X(OPTIONS) X(REGISTER) X(PRACK) X(UPDATE) X(INFO) \
	X(SUBSCRIBE) X(NOTIFY) X(REFER) X(MESSAGE) X(PUBLISH)

enum bp_method {
#define X(token) BP_METHOD_##token,
	BP_METHODS(X)
#undef X
	BP_METHOD_COUNT,
};

/* X(name, text): what became of a CANCEL (RFC 3261 9, 16.10). */
#define BP_CANCEL_OUTCOMES(X) \
	X(matched, "cancel was asked while the INVITE rang") \
	X(unmatched, "no transaction: 481") \
	X(before_1xx, "held until the first 1xx (RFC 3261 9.1)") \
	X(lost_to_2xx, "the 200 to the INVITE had won") \
	X(late, "the transaction already had another final response")

enum bp_cancel_outcome {
#define X(name, text) BP_CANCEL_##name,
	BP_CANCEL_OUTCOMES(X)
#undef X
	BP_CANCEL_OUTCOME_COUNT,
};

/* X(name, text): why a dialog ended. */
#define BP_DIALOG_ENDS(X) \
	X(bye, "a BYE was answered") \
	X(bye_unanswered, "a BYE got no answer (RFC 3261 15.1.1)") \
	X(no_ack, "the 2xx was never acknowledged") \
	X(expired, "lived longer than the configured limit") \
	X(session_expired, "its session timer ran out (RFC 4028 8.3)") \
	X(refresh_failed, "a re-INVITE or UPDATE got 408, 481 or no answer (RFC 3261 12.2.1.2)")

enum bp_dialog_end {
#define X(name, text) BP_DIALOG_END_##name,
	BP_DIALOG_ENDS(X)
#undef X
	BP_DIALOG_END_COUNT,
};

enum bp_direction { BP_IN, BP_OUT, BP_DIRECTION_COUNT };
enum bp_transaction_kind { BP_KIND_INVITE, BP_KIND_NON_INVITE, BP_KIND_COUNT };

/* X(name, text): what the engine's memory holds. */
#define BP_POOLS(X) \
	X(record, "relay records") \
	X(dialog, "calls and dialogs") \
	X(timer, "chunks of timer entries") \
	X(kept, "messages and other blocks that live as long as they are needed")

enum bp_pool_kind {
#define X(name, text) BP_POOL_KIND_##name,
	BP_POOLS(X)
#undef X
	BP_POOL_KIND_COUNT,
};

/* X(name, text): what a worker's turn consists of, in this order. */
#define BP_STAGES(X) \
	X(receive, "taking bursts from the devices") \
	X(input, "Ethernet, IP and UDP of what came in") \
	X(engine, "SIP: parse, match, act, edit; the headers of what is sent") \
	X(timers, "timers that were due") \
	X(rest, "ticks, mail, quiescent state") \
	X(transmit, "handing frames to the devices")

enum bp_stage {
#define X(name, text) BP_STAGE_##name,
	BP_STAGES(X)
#undef X
	BP_STAGE_COUNT,
};

#define BP_STATUS_MAX 700

#define BP_RECORD_BYTES 128 /* of each relay record, whatever hangs on it */

struct bp_counters {
	/* messages: the counting law */
	uint64_t messages_received;
	uint64_t forwarded;
	uint64_t answered;
	uint64_t absorbed;
	uint64_t messages_parked; /* gauge: received, and waiting for a name */
	uint64_t drops[BP_DROP_COUNT];
	/* what they were */
	uint64_t requests[BP_DIRECTION_COUNT][BP_METHOD_COUNT];
	uint64_t responses[BP_DIRECTION_COUNT][BP_STATUS_MAX]; /* by status code */
	uint64_t retransmissions[BP_DIRECTION_COUNT][BP_METHOD_COUNT];
	uint64_t cancel_outcomes[BP_CANCEL_OUTCOME_COUNT];
	/* names (RFC 3263) */
	uint64_t names_parked;      /* requests that had to wait */
	uint64_t names_park_full;   /* refused: too many wait already (dns.parked), or no memory */
	uint64_t names_timeout;     /* no answer in time (dns.wait) */
	uint64_t names_asked;       /* questions to control */
	uint64_t names_ask_full;    /* refused: control is behind with the questions */
	/* records */
	uint64_t transactions_created[BP_KIND_COUNT];
	uint64_t transactions_ended[BP_KIND_COUNT];
	uint64_t states_entered[BP_MACHINE_COUNT][BP_STATES_MAX]; /* machines now in a state: entered minus left */
	uint64_t states_left[BP_MACHINE_COUNT][BP_STATES_MAX];
	uint64_t dialogs_created;
	uint64_t dialogs_ended[BP_DIALOG_END_COUNT];
	uint64_t calls_reserved; /* call slots taken at an INVITE and given back when nothing came of it */
	uint64_t calls_released;
	uint64_t probes_sent;    /* OPTIONS to targets of trunks, retransmissions too */
	uint64_t probes_answered; /* final responses to them */
	uint64_t cdrs_finished; /* call detail records left for control */
	uint64_t kept_taken; /* blocks of kept memory; equal when all is idle */
	uint64_t kept_returned;
	uint64_t kept_taken_bytes[BP_KIND_COUNT]; /* of kept memory, what hangs on relay records */
	uint64_t kept_returned_bytes[BP_KIND_COUNT];
	uint64_t pool_taken_bytes[BP_POOL_KIND_COUNT]; /* in use: taken minus returned */
	uint64_t pool_returned_bytes[BP_POOL_KIND_COUNT];
	uint64_t pool_dry[BP_POOL_KIND_COUNT]; /* memory was asked for and none was free */
	/* wire */
	uint64_t frames_received;
	uint64_t frames_sent;
	/* frames_received = frames_handled + frames_delivered + frames_held + all drops of scope FRAME */
	uint64_t frames_handled; /* ARP, ND, ICMP: consumed without a drop or a message */
	uint64_t bytes_received;
	uint64_t bytes_sent;
	uint64_t datagrams_reassembled;
	uint64_t datagrams_fragmented;
	uint64_t icmp_unreachable_received;
	uint64_t frames_delivered; /* became a message, or a fragment of one */
	uint64_t frames_handed_out; /* to other workers, whole (workers.spread); received is counted where they go */
	uint64_t frames_handed_in;
	uint64_t frames_held;      /* gauge: fragments that wait for the others */
	/* loop */
	uint64_t loops;
	uint64_t busy_us; /* time in turns that found work */
	uint64_t idle_us;
	uint64_t stage_cycles[BP_STAGE_COUNT]; /* of turns that found work; time stamp counter */
	uint64_t timer_lag_us; /* gauge: how late the last expired timer was */
} __attribute__((aligned(64)));

/* Adds to a counter that only the calling worker writes; a reader never sees a torn value. */
static inline void
bp_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline uint64_t
bp_count_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

#endif
