/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a call keeps, and how it is counted: what stays of an INVITE that was answered, of transactions that are over and wait
 * for stray messages, and the gauges of their states. DESIGN sections 6 and 8.
 */
#include "agent.h"

#include "transaction/machine.h"
#include "transaction/timers.h"

#include <string.h>

/* DESIGN section 8: what was kept of an INVITE goes as soon as it is answered, not after 64*T1. What stays
 * are the two remote targets of the dialog, and its call detail record if there is one. */
static void
answered_call_keeps_little(void **state)
{
	struct world *w = *state;
	unsigned record = w->config->cdr.folder[0] != '\0';
	struct call call;

	call_up(w, &call, &alice, &bob);
	check_int(w, world_sum(w)->kept_taken - world_sum(w)->kept_returned, 2 + record);
	world_wait(w, SECONDS(60));
	check_int(w, world_sum(w)->kept_taken - world_sum(w)->kept_returned, 2 + record);
	leg_bye(w, &call.caller, &call.callee);
	world_settle(w);
	check_int(w, world_sum(w)->kept_taken - world_sum(w)->kept_returned,
		1); /* the 200 to the BYE, for timer J */
}

static uint64_t
in_use(struct world *w, enum bp_pool_kind pool)
{
	return world_sum(w)->pool_taken_bytes[pool] - world_sum(w)->pool_returned_bytes[pool];
}

/* What carriers' equipment sends: an INVITE of 800 bytes that came through a proxy, with SDP; names of the software. */
static const char *
long_invite(void)
{
	const char *invite = ua_invite(&alice, "sip:+4940314159265358@example.com;user=phone");

	invite = text_add(invite, "Allow: INVITE, ACK, CANCEL, BYE, PRACK, OPTIONS, UPDATE, INFO, REFER, NOTIFY\r\n"
				  "Supported: timer, 100rel, replaces\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n"
				  "P-Asserted-Identity: \"Alice Liddell\" <sip:+4930271828182845@example.com>\r\n"
				  "User-Agent: Carrier-SBC/7.4.1 (build 20231114)");
	invite = text_set_body(invite, "application/sdp",
		SDP "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
		    "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n");
	/* behind alice's proxy's Via, which stays on top */
	return text_swap(invite, "Max-Forwards",
		"Via: SIP/2.0/UDP 192.0.2.77:5062;branch=z9hG4bK-524287-1---8e1b2c3d4f5a6978;rport=5062\r\nMax-Forwards");
}

static void
long_call(struct world *w, bool answered)
{
	struct call call;
	const char *invite = long_invite(), *answer, *bye;

	check(w, strlen(invite) >= 800);
	call_invite_with(w, &call, &alice, &bob, invite);
	call_ring(w, &call, 180);
	if (!answered) {
		call_cancelled(w, &call, call_cancel(w, &call));
		return;
	}
	answer = text_add(ua_response(&bob, call.seen, 200, call.tag), "Server: Softswitch/12.3 (build 20240229)");
	check_int(w, text_count(answer, "Via"), 3);
	check_int(w, text_count(answer, "Record-Route"), 2);
	say(w, &bob, answer);
	expect_forwarded(w);
	call.answer = expect_status(w, &alice, 200, "INVITE");
	call.caller = leg_caller(&alice, call.invite, call.answer);
	call.callee = leg_callee(&bob, call.seen, call.tag);
	call_ack(w, &call);
	bye = leg_exchange_begin(w, &call.caller, &call.callee, "BYE");
	say(w, &bob, text_add(ua_response(&bob, bye, 200, NULL),
			     "Server: Softswitch/12.3 (build 20240229)\r\nUser-Agent: Carrier-SBC/7.4.1"));
	expect_forwarded(w);
	expect_status(w, &alice, 200, "BYE");
}

enum { BUCKET = 16 }; /* of the table, for each record */

/* Bytes of all records, what hangs on them and their timers; the first chunks of the FIFOs are as many for one record as
 * for a million. */
static uint64_t
transaction_bytes(struct world *w)
{
	return in_use(w, BP_POOL_KIND_record) + in_use(w, BP_POOL_KIND_kept) + in_use(w, BP_POOL_KIND_timer) -
		BP_TIMER_STOCK * sizeof(struct bp_timer_chunk);
}

/* DESIGN section 12: a finished transaction that lingers for its timers takes at most 256 bytes all told:
 * record, what is kept of its response, its timers and its place in the table. */
static void
finished_transactions_are_small(void **state)
{
	enum { CALLS = 480 };
	struct world *w = *state;
	uint64_t bytes;

	for (int i = 0; i < CALLS; i++)
		long_call(w, true);
	world_wait(w, SECONDS(10)); /* what lingers: timers A, E and K are over */
	world_quiesce(w);
	bytes = transaction_bytes(w) / (2 * CALLS) + BUCKET;
	print_message("%u bytes for a finished transaction\n", (unsigned)bytes);
	check(w, bytes <= 256);
	check_int(w, in_use(w, BP_POOL_KIND_kept), CALLS * 96); /* none of the INVITE's: so it takes 160, and the BYE 256 */
}

/* A cancelled INVITE may be asked for its ACK again: of the 487 nothing stays once it is acknowledged, of the INVITE what an
 * ACK is made from and where the caller is. It has the timers D and H, and those of two CANCELs. */
static void
cancelled_transactions_are_small(void **state)
{
	enum { CALLS = 480 };
	struct world *w = *state;
	uint64_t bytes;

	for (int i = 0; i < CALLS; i++)
		long_call(w, false);
	world_wait(w, SECONDS(10));
	world_quiesce(w);
	bytes = transaction_bytes(w) / CALLS + BUCKET;
	print_message("%u bytes for a cancelled transaction\n", (unsigned)bytes);
	check(w, bytes <= 448);
}

static void
check_states(struct world *w, enum bp_transaction_kind kind, const unsigned expected[BP_STATES_MAX])
{
	const struct bp_counters *sum = world_sum(w);
	bool invite = kind == BP_KIND_INVITE;
	enum bp_machine_id machine = invite ? BP_MACHINE_IST : BP_MACHINE_NIST;
	unsigned terminated = invite ? (unsigned)BP_IST_TERMINATED : BP_NIST_TERMINATED;
	uint64_t others = 0;

	for (unsigned i = 0; i < terminated; i++) {
		uint64_t count = sum->states_entered[machine][i] - sum->states_left[machine][i];

		check_int(w, count, expected[i]);
		others += count;
	}
	check_int(w, sum->transactions_created[kind] - sum->transactions_ended[kind] - others, expected[terminated]);
}

/* byepass_transactions: each record is in one state, that of its server machine, and Terminated while it waits for its
 * client side. byepass_transaction_bytes: what hangs on records is counted as their kind's. */
static void
transactions_by_state(void **state)
{
	enum { P = 0, C = 1, CONFIRMED = 2, A = 3, T = 4 };
	struct world *w = *state;
	const struct bp_counters *sum;
	struct call call, up;
	uint64_t dialogs;

	call_invite(w, &call, &alice, &bob);
	check_states(w, BP_KIND_INVITE, (unsigned[BP_STATES_MAX]){[P] = 1});
	sum = world_sum(w);
	check(w, sum->kept_taken_bytes[BP_KIND_INVITE] - sum->kept_returned_bytes[BP_KIND_INVITE] >= strlen(call.seen));
	call_up(w, &up, &alice, &bob);
	check_states(w, BP_KIND_INVITE, (unsigned[BP_STATES_MAX]){[P] = 1, [A] = 1});
	call_refuse(w, &call, 486);
	check_states(w, BP_KIND_INVITE, (unsigned[BP_STATES_MAX]){[CONFIRMED] = 1, [A] = 1});
	world_wait(w, SECONDS(5) + MS(1));
	check_states(w, BP_KIND_INVITE, (unsigned[BP_STATES_MAX]){[T] = 1, [A] = 1});
	leg_bye(w, &up.caller, &up.callee);
	check_states(w, BP_KIND_NON_INVITE, (unsigned[BP_STATES_MAX]){[2] = 1});
	world_settle(w);
	sum = world_sum(w);
	check_int(w, sum->kept_taken_bytes[BP_KIND_NON_INVITE] - sum->kept_returned_bytes[BP_KIND_NON_INVITE], 32);
	dialogs = in_use(w, BP_POOL_KIND_kept) - 32 - sum->kept_taken_bytes[BP_KIND_INVITE] +
		  sum->kept_returned_bytes[BP_KIND_INVITE];
	check_int(w, dialogs, 96); /* where the caller of the refused call is, in its reserved slot */
	world_wait(w, TIMER_64T1);
	check_states(w, BP_KIND_INVITE, (unsigned[BP_STATES_MAX]){0});
	check_states(w, BP_KIND_NON_INVITE, (unsigned[BP_STATES_MAX]){0});
}

static const struct CMUnitTest tests[] = {
	flow_test(answered_call_keeps_little),
	flow_test(transactions_by_state),
	flow_test(finished_transactions_are_small),
	flow_test(cancelled_transactions_are_small),
};

FLOW_TESTS_MAIN(tests)
