/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A call detail record as a worker leaves it for control: one for each INVITE outside a dialog that made none, one
 * for each dialog. Times are the engine's; bp_dataplane_cdrs() says how far they are from UTC.
 */
#ifndef BYEPASS_CDR_H
#define BYEPASS_CDR_H

#include "byepass/counters.h"
#include "byepass/flow.h"

#include <stdatomic.h>

/* clang-format off */
/* X(name, text): why an attempt that made no dialog ended. Dialogs end by BP_DIALOG_ENDS. */
#define BP_CDR_FAILURES(X) \
	X(rejected, "a final response other than 2xx came from the callee's side") \
	X(cancelled, "the caller sent a CANCEL, and no 2xx came") \
	X(timeout, "no final response came in time") \
	X(unreachable, "it could not be sent on, or to no target any more") \
	X(refused, "the edge refused it, and sent it to nobody") \
	X(no_dialog, "a 2xx that no dialog could be made of") \
	X(edge_stopped, "the edge stopped while it was under way; a dialog, too: its peers go on, and their BYE finds them")

/* X(name, text) */
#define BP_CDR_ENDERS(X) X(caller, "the caller") X(callee, "the callee") X(edge, "the edge itself")

/* X(name, text): races that the call went through; a bit each. */
#define BP_CDR_RACES(X) \
	X(cancel_before_1xx, "a CANCEL came before any provisional response, and was held (RFC 3261 9.1)") \
	X(cancel_lost_to_2xx, "a CANCEL came when the 2xx had won") \
	X(early_bye, "a BYE was sent before the 2xx (RFC 5407 3.1.3)") \
	X(bye_before_ack, "a BYE ended it and no ACK was seen") \
	X(bye_glare, "both sides sent a BYE (RFC 5407 3.1.4)")

/* X(name): texts, one behind the other, in this order. */
#define BP_CDR_TEXTS(X) X(call_id) X(from) X(to) X(request_uri) X(asserted) X(realm_in) X(realm_out) X(trunk_out)
/* clang-format on */

enum bp_cdr_kind { BP_CDR_ATTEMPT, BP_CDR_DIALOG };

enum bp_cdr_ender {
#define X(name, text) BP_CDR_BY_##name,
	BP_CDR_ENDERS(X)
#undef X
};

enum bp_cdr_why {
#define X(name, text) BP_CDR_WHY_##name,
	BP_CDR_FAILURES(X)
#undef X
	BP_CDR_FAILURE_COUNT,
	BP_CDR_WHY_COUNT = BP_CDR_FAILURE_COUNT + BP_DIALOG_END_COUNT, /* BP_CDR_FAILURE_COUNT + enum bp_dialog_end */
};

enum bp_cdr_race {
#define X(name, text) BP_CDR_RACE_##name,
	BP_CDR_RACES(X)
#undef X
	BP_CDR_RACE_COUNT,
	/* for the worker's use */
	BP_CDR_NOTE_BYE_CALLER = 28,
	BP_CDR_NOTE_BYE_CALLEE,
	BP_CDR_NOTE_DIALOGS, /* an attempt of which a dialog was made elsewhere */
};

enum bp_cdr_text {
#define X(name) BP_CDR_TEXT_##name,
	BP_CDR_TEXTS(X)
#undef X
	BP_CDR_TEXT_COUNT,
};

#define BP_CDR_URIS 4 /* from, to, request_uri, asserted: texts 1 to 4, whose user part is marked */
#define BP_CDR_TEXT_MAX 255
#define BP_CDR_REASON_MAX 94

struct bp_cdr {
	uint64_t serial;           /* of the worker, from 1 on */
	uint64_t attempt;          /* keyed digest of the INVITE's server transaction: names the INVITE */
	uint64_t start_us;         /* the INVITE came */
	_Atomic uint64_t ring_us;  /* the first 18x went up; 0: none */
	uint64_t answer_us;        /* a 2xx went up; 0: none */
	uint64_t end_us;           /* final response, BYE, or when the edge gave up */
	struct bp_flow source;     /* where the INVITE came from */
	struct bp_flow target;     /* where it was sent; port 0: nowhere */
	_Atomic uint32_t races;    /* bits by enum bp_cdr_race */
	uint16_t status;           /* final response to the INVITE */
	uint8_t kind, ended_by, why;
	uint8_t worker;            /* that finished it */
	uint8_t cut;               /* a text was longer than can be kept */
	uint8_t reason_size;
	uint8_t users[BP_CDR_URIS][2]; /* offset in the text and size of the user part; size 0: none */
	uint8_t sizes[BP_CDR_TEXT_COUNT];
	char reason[BP_CDR_REASON_MAX]; /* value of the Reason header of BYE or CANCEL (RFC 3326) */
	/* behind it the texts, as they came: any byte may be in them */
};

/* The bytes of a text; its size is cdr->sizes[which]. */
static inline const char *
bp_cdr_text(const struct bp_cdr *cdr, enum bp_cdr_text which)
{
	unsigned at = 0;

	for (unsigned i = 0; i < which; i++)
		at += cdr->sizes[i];
	return (const char *)(cdr + 1) + at;
}

static inline size_t
bp_cdr_size(const struct bp_cdr *cdr)
{
	return sizeof(*cdr) + (size_t)(bp_cdr_text(cdr, BP_CDR_TEXT_COUNT) - bp_cdr_text(cdr, 0));
}

#endif
