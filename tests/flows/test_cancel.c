/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CANCEL in all its cases: matched and not, before and after each response, against the 200, against a
 * callee that is dead. RFC 3261 9, 16.10; RFC 3326; DESIGN section 2.
 */
#include "agent.h"

#include <string.h>

#define outcome(w, name) (world_sum(w)->cancel_outcomes[BP_CANCEL_##name])

/* INVITE, 100, 180, CANCEL, 200, 487, ACK: two transactions. */
static void
cancelled_after_180(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	/* 9.1: one Via, that of the INVITE's branch; R-URI, Call-ID, To, From, CSeq number the same. */
	check_int(w, text_count(cancel, "Via"), 1);
	check_text(w, text_value(cancel, "Via", 0), text_value(call.seen, "Via", 0));
	check_text(w, text_uri(cancel), text_uri(call.seen));
	check_text(w, text_header(cancel, "Call-ID"), text_header(call.seen, "Call-ID"));
	check_text(w, text_header(cancel, "From"), text_header(call.seen, "From"));
	check_text(w, text_header(cancel, "To"), text_header(call.seen, "To"));
	check_text(w, text_header(cancel, "CSeq"), "1 CANCEL");
	check(w, !text_header(cancel, "Require") && !text_header(cancel, "Proxy-Require"));
	call_cancelled(w, &call, cancel);
	check_dialogs(w, 0, 0);
	check_int(w, outcome(w, matched), 1);
	check_int(w, world_sum(w)->responses[BP_OUT][487], 1);
}

static void
cancelled_from_core(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &bob, &alice);
	call_ring(w, &call, 183);
	call_cancelled(w, &call, call_cancel(w, &call));
}

/* A 100 from downstream is a provisional response as well (9.1). */
static void
cancelled_after_100_from_callee(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	call_cancelled(w, &call, call_cancel(w, &call));
}

/* 9.1: no CANCEL before the first 1xx; the INVITE is retransmitted meanwhile. */
static void
held_until_1xx(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	say(w, &alice, ua_cancel(call.invite));
	expect_answered(w);
	expect_status(w, &alice, 200, "CANCEL");
	expect_nothing(w);
	world_wait(w, T1);
	expect_same(w, expect(w, &bob, "INVITE"), call.seen);
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, call.seen, 180, call.tag));
	expect_status(w, &alice, 180, "INVITE");
	cancel = expect(w, &bob, "CANCEL");
	expect_nothing(w);
	world_wait(w, MS(400));
	call_cancelled(w, &call, cancel);
	check_int(w, outcome(w, before_1xx), 1);
	check_int(w, outcome(w, matched), 0);
}

/* The held CANCEL goes out once, whatever comes first. */
static void
held_until_100(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 200, "CANCEL");
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	cancel = expect(w, &bob, "CANCEL");
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, call.seen, 180, call.tag));
	expect_forwarded(w);
	expect_status(w, &alice, 180, "INVITE");
	expect_nothing(w);
	call_cancelled(w, &call, cancel);
}

/* A final response without any 1xx: nothing is left to be cancelled. */
static void
held_then_refused(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 200, "CANCEL");
	call_refuse(w, &call, 486);
}

static void
held_then_answered(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 200, "CANCEL");
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* 9.2: each CANCEL that comes again is answered again, the same way; nothing more goes downstream. */
static void
cancel_again(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel, *first, *again;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	say(w, &alice, ua_cancel(call.invite));
	first = expect_status(w, &alice, 200, "CANCEL");
	cancel = expect(w, &bob, "CANCEL");
	for (unsigned i = 0; i < 3; i++) {
		say(w, &alice, ua_cancel(call.invite));
		again = expect_status(w, &alice, 200, "CANCEL");
		expect_same(w, again, first);
		expect_nothing(w);
	}
	call_cancelled(w, &call, cancel);
	say(w, &alice, ua_cancel(call.invite));
	again = expect_status(w, &alice, 200, "CANCEL");
	expect_nothing(w);
	check_int(w, world_sum(w)->requests[BP_OUT][BP_METHOD_CANCEL], 1);
}

/* 9.2, 8.2.6.2: the To tag of the 200 is that of what the edge itself says to the INVITE. */
static void
same_to_tag(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *tag, *final;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	say(w, &alice, ua_cancel(call.invite));
	tag = text_tag(expect_status(w, &alice, 200, "CANCEL"), "To");
	check(w, tag != NULL);
	say(w, &bob, ua_response(&bob, expect(w, &bob, "CANCEL"), 200, call.tag));
	world_wait(w, TIMER_64T1 + T1);
	final = expect_status(w, &alice, 487, "INVITE");
	check_text(w, text_tag(final, "To"), tag);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	world_take(w, &alice);
}

/* RFC 3326: the reason is passed on. */
static void
reason_passed_on(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *reason = "SIP ;cause=200 ;text=\"Call completed elsewhere\"", *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	say(w, &alice, text_add(ua_cancel(call.invite), text_printf("Reason: %s", reason)));
	expect_status(w, &alice, 200, "CANCEL");
	cancel = expect(w, &bob, "CANCEL");
	check_text(w, text_header(cancel, "Reason"), reason);
	call_cancelled(w, &call, cancel);
}

/* Also when the CANCEL was held. */
static void
reason_of_held_cancel(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *reason = "Q.850;cause=16;text=\"Terminated\"", *cancel;

	call_invite(w, &call, &alice, &bob);
	say(w, &alice, text_add(ua_cancel(call.invite), text_printf("Reason: %s", reason)));
	expect_status(w, &alice, 200, "CANCEL");
	say(w, &bob, ua_response(&bob, call.seen, 180, call.tag));
	expect_status(w, &alice, 180, "INVITE");
	cancel = expect(w, &bob, "CANCEL");
	check_text(w, text_header(cancel, "Reason"), reason);
	call_cancelled(w, &call, cancel);
}

/* 9.1: the Route of the request that is cancelled stands in its CANCEL. */
static void
cancel_carries_route(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:bob@example.com"), *cancel, *seen;

	invite = text_add_first(invite, "Route: <sip:192.0.2.1:5060;lr>, <sip:10.0.0.3:5060;lr>");
	say(w, &alice, invite);
	expect_status(w, &alice, 100, "INVITE");
	seen = expect_anywhere(w, "INVITE");
	check_text(w, text_value(seen, "Route", 0), "<sip:10.0.0.3:5060;lr>");
	check_int(w, text_count(seen, "Route"), 1);
	check(w, w->last_flow.listener == CORE);
	{
		const struct peer *next = w->last_flow.ip.bytes[15] == 3 ? &carol : &bob;

		say(w, next, ua_response(next, seen, 180, "t"));
		expect_status(w, &alice, 180, "INVITE");
		say(w, &alice, ua_cancel(invite));
		expect_status(w, &alice, 200, "CANCEL");
		cancel = expect(w, next, "CANCEL");
		check_text(w, text_value(cancel, "Route", 0), "<sip:10.0.0.3:5060;lr>");
		check_int(w, text_count(cancel, "Route"), 1);
		say(w, next, ua_response(next, cancel, 200, "t"));
		say(w, next, ua_response(next, seen, 487, "t"));
		expect(w, next, "ACK");
		say(w, &alice, ua_ack(invite, expect_status(w, &alice, 487, "INVITE")));
	}
}

/* 16.10 says forward statelessly; the edge has state for every INVITE it forwarded, so 481. */
static void
cancel_matches_nothing(void **state)
{
	struct world *w = *state;
	const char *cancel = ua_cancel(ua_invite(&alice, "sip:bob@example.com")), *first;

	say(w, &alice, cancel);
	expect_answered(w);
	first = expect_status(w, &alice, 481, "CANCEL");
	check(w, text_tag(first, "To") != NULL);
	say(w, &alice, cancel);
	expect_same(w, expect_status(w, &alice, 481, "CANCEL"), first);
	expect_nothing(w);
	check_int(w, outcome(w, unmatched), 2);
}

/* Same branch, another sent-by: another transaction (17.2.3). */
static void
cancel_of_another(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	say(w, &mallory, text_swap(ua_cancel(call.invite), "UDP 192.0.2.10:5060", "UDP 198.51.100.66:5060"));
	expect_status(w, &mallory, 481, "CANCEL");
	expect_nothing(w);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* After the 200 it has no effect, but is answered (9.2). */
static void
cancel_after_answer(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	call_answer(w, &call);
	say(w, &alice, ua_cancel(call.invite));
	expect_answered(w);
	expect_status(w, &alice, 200, "CANCEL");
	expect_nothing(w);
	check_int(w, outcome(w, lost_to_2xx), 1);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* CANCEL wins in the edge, but the 200 was on its way: it is forwarded, the call stands (16.7 step 5). */
static void
answer_crosses_cancel(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	call_answer(w, &call);
	say(w, &bob, ua_response(&bob, cancel, 200, call.tag));
	expect_absorbed(w);
	call_ack(w, &call);
	check_dialogs(w, 1, 0);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
	check_int(w, outcome(w, matched), 1);
}

/* The callee knows nothing of it any more (RFC 5407 3.1.2). */
static void
answer_crosses_cancel_481(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	call_answer(w, &call);
	say(w, &bob, ua_response(&bob, cancel, 481, call.tag));
	expect_absorbed(w);
	expect_nothing(w);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* In Completed a CANCEL has no effect. */
static void
cancel_after_refusal(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	say(w, &alice, ua_cancel(call.invite));
	expect_answered(w);
	expect_status(w, &alice, 200, "CANCEL");
	expect_nothing(w);
	check_int(w, outcome(w, late), 1);
}

/* The CANCEL's own server transaction (timer J) outlives that of the INVITE. */
static void
cancel_again_until_its_timer_j(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *first;

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	world_run_until(w, SECONDS(10));
	say(w, &alice, ua_cancel(call.invite));
	first = expect_status(w, &alice, 200, "CANCEL");
	world_run_until(w, SECONDS(10) + TIMER_64T1 - 1);
	say(w, &alice, ua_cancel(call.invite));
	expect_same(w, expect_status(w, &alice, 200, "CANCEL"), first);
	world_run_until(w, SECONDS(10) + TIMER_64T1 + 1);
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 481, "CANCEL");
}

static void
cancel_between_refusal_and_ack(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect(w, &bob, "ACK");
	final = expect_status(w, &alice, 486, "INVITE");
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 200, "CANCEL");
	expect_nothing(w);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
}

/* The CANCEL client transaction is a non-INVITE one: timer E until its 200 (17.1.2.2). */
static void
cancel_retransmitted_downstream(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	for (unsigned i = 0; i < 4; i++) {
		static const uint64_t at[] = {MS(500), MS(1500), MS(3500), MS(7500)};

		world_run_until(w, at[i]);
		expect_same(w, expect(w, &bob, "CANCEL"), cancel);
		expect_at(w, at[i]);
		expect_nothing(w);
	}
	call_cancelled(w, &call, cancel);
}

/* 487 is there, the 200 to the CANCEL was lost: the CANCEL is not repeated for a transaction that is over,
 * or at most until timer F; whatever the callee says to it is absorbed. */
static void
cancelled_before_its_200(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	call_refuse(w, &call, 487);
	say(w, &bob, ua_response(&bob, cancel, 200, call.tag));
	expect_absorbed(w);
	expect_nothing(w);
}

/* A provisional response to a CANCEL and a second 200 mean nothing. */
static void
odd_responses_to_cancel(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	say(w, &bob, ua_response(&bob, cancel, 100, NULL));
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, cancel, 200, call.tag));
	say(w, &bob, ua_response(&bob, cancel, 200, call.tag));
	expect_nothing(w);
	call_refuse(w, &call, 487);
	say(w, &bob, ua_response(&bob, cancel, 200, call.tag));
	expect_nothing(w);
}

/* A callee that takes the CANCEL but goes on ringing: what it says is forwarded. */
static void
rings_on(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	say(w, &bob, ua_response(&bob, cancel, 200, call.tag));
	call_ring(w, &call, 183);
	say(w, &alice, call.invite);
	expect_status(w, &alice, 183, "INVITE");
	call_refuse(w, &call, 487);
}

/* 9.1: no final response 64*T1 after the CANCEL: the transaction is given up, upstream gets 487. */
static void
callee_never_answers_the_invite(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel, *final;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	world_run_until(w, SECONDS(10));
	cancel = call_cancel(w, &call);
	say(w, &bob, ua_response(&bob, cancel, 200, call.tag));
	world_run_until(w, SECONDS(10) + TIMER_64T1 - MS(1));
	expect_nothing(w);
	world_run_until(w, SECONDS(10) + TIMER_64T1);
	final = expect_status(w, &alice, 487, "INVITE");
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	expect_nothing(w);
	check_dialogs(w, 0, 0);
}

/* Not even the CANCEL is answered: timers E and F, then the same. */
static void
callee_dies_after_180(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final;
	unsigned repeated;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	call_cancel(w, &call);
	world_wait(w, TIMER_64T1);
	repeated = world_take(w, &bob);
	check_int(w, repeated, 10);
	final = expect_status(w, &alice, 487, "INVITE");
	expect_at(w, TIMER_64T1);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
}

/* Never a 1xx: timer B, and 487 since CANCEL was asked. */
static void
callee_dead_from_the_start(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 200, "CANCEL");
	world_wait(w, TIMER_64T1);
	check_int(w, world_take(w, &bob), 6); /* INVITEs by timer A, no CANCEL */
	final = expect_status(w, &alice, 487, "INVITE");
	expect_at(w, TIMER_64T1);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	check_int(w, world_sum(w)->requests[BP_OUT][BP_METHOD_CANCEL], 0);
}

/* A 2xx after the CANCEL gave up: the transaction is over upstream, nobody could take it. */
static void
answer_after_giving_up(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel, *final;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	say(w, &bob, ua_response(&bob, cancel, 200, call.tag));
	world_wait(w, TIMER_64T1);
	final = expect_status(w, &alice, 487, "INVITE");
	say(w, &alice, ua_ack(call.invite, final));
	world_wait(w, SECONDS(10));
	say(w, &bob, ua_response(&bob, call.seen, 200, call.tag));
	/* 16.7 step 5 wants 2xx forwarded even after another final, as far as there is a record of it. */
	check(w, w->fate == FATE_FORWARDED || w->fate == FATE_DROPPED);
	world_take(w, &alice);
}

/* Cancelled, yet another failure: it goes upstream as it came. */
static void
cancelled_but_busy(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	call_refuse(w, &call, 603);
	say(w, &bob, ua_response(&bob, cancel, 481, call.tag));
	expect_absorbed(w);
}

/* Forked downstream and cancelled: one 487, for one branch is ours. */
static void
forked_and_cancelled(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 180, "a"));
	say(w, &bob, ua_response(&bob, call.seen, 183, "b"));
	expect_status(w, &alice, 180, "INVITE");
	expect_status(w, &alice, 183, "INVITE");
	cancel = call_cancel(w, &call);
	call_cancelled(w, &call, cancel);
}

/* re-INVITE cancelled: the dialog stands. */
static void
reinvite_cancelled(void **state)
{
	struct world *w = *state;
	struct call call, again;

	call_up(w, &call, &alice, &bob);
	again = (struct call){.from = &alice, .to = &bob, .invite = leg_request(&call.caller, "INVITE")};
	say(w, &alice, again.invite);
	expect_status(w, &alice, 100, "INVITE");
	again.seen = expect(w, &bob, "INVITE");
	call_ring(w, &again, 180);
	call_cancelled(w, &again, call_cancel(w, &again));
	check_dialogs(w, 1, 0);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* A pending UPDATE can be cancelled too; its own final response decides. */
static void
update_cancelled(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *update, *seen, *cancel;

	call_up(w, &call, &alice, &bob);
	update = leg_request(&call.caller, "UPDATE");
	say(w, &alice, update);
	seen = expect(w, &bob, "UPDATE");
	say(w, &bob, ua_response(&bob, seen, 100, NULL));
	say(w, &alice, ua_cancel(update));
	expect_status(w, &alice, 200, "CANCEL");
	cancel = expect(w, &bob, "CANCEL");
	check_text(w, text_value(cancel, "Via", 0), text_value(seen, "Via", 0));
	say(w, &bob, ua_response(&bob, cancel, 200, NULL));
	expect_absorbed(w);
	say(w, &bob, ua_response(&bob, seen, 487, NULL));
	expect_forwarded(w);
	expect_status(w, &alice, 487, "UPDATE");
	leg_bye(w, &call.caller, &call.callee);
}

/* 9.1 holds for any request: no CANCEL before a provisional response; the 200 may come first, and then none
 * at all. */
static void
update_cancelled_before_1xx(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *update, *seen, *cancel;

	call_up(w, &call, &alice, &bob);
	update = leg_request(&call.caller, "UPDATE");
	say(w, &alice, update);
	seen = expect(w, &bob, "UPDATE");
	say(w, &alice, ua_cancel(update));
	expect_status(w, &alice, 200, "CANCEL");
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, seen, 100, NULL));
	cancel = expect(w, &bob, "CANCEL");
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, cancel, 200, NULL));
	say(w, &bob, ua_response(&bob, seen, 487, NULL));
	expect_status(w, &alice, 487, "UPDATE");
	update = leg_request(&call.caller, "UPDATE");
	say(w, &alice, update);
	seen = expect(w, &bob, "UPDATE");
	say(w, &alice, ua_cancel(update));
	expect_status(w, &alice, 200, "CANCEL");
	say(w, &bob, ua_response(&bob, seen, 200, NULL));
	expect_status(w, &alice, 200, "UPDATE");
	expect_nothing(w);
	leg_bye(w, &call.caller, &call.callee);
}

/* CANCEL of a CANCEL or of an ACK is none (9.1, 9.2: it never matches them). */
static void
cancel_after_all_is_over(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	call_cancelled(w, &call, call_cancel(w, &call));
	world_wait(w, SECONDS(120));
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 481, "CANCEL");
}

/* The callee's 487 comes again when our ACK is lost, and is ACKed again. */
static void
terminated_again(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	call_cancelled(w, &call, call_cancel(w, &call));
	for (unsigned i = 0; i < 3; i++) {
		world_wait(w, T1);
		say(w, &bob, ua_response(&bob, call.seen, 487, call.tag));
		expect_absorbed(w);
		expect(w, &bob, "ACK");
		expect_nothing(w);
	}
}

/* The INVITE is retransmitted by the caller after its CANCEL. */
static void
invite_again_after_cancel(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	say(w, &alice, call.invite);
	expect_status(w, &alice, 180, "INVITE");
	expect_nothing(w);
	call_cancelled(w, &call, cancel);
	say(w, &alice, call.invite);
	expect_absorbed(w);
	expect_nothing(w);
}

/* CANCEL that came before its INVITE: 481, and the INVITE stands for itself. */
static void
cancel_before_invite(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:bob@example.com");
	struct call call;

	say(w, &alice, ua_cancel(invite));
	expect_status(w, &alice, 481, "CANCEL");
	call_invite_with(w, &call, &alice, &bob, invite);
	call_refuse(w, &call, 486);
}

/* A CANCEL with Max-Forwards 0 is for us anyway: it is hop by hop. */
static void
cancel_with_max_forwards_0(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	say(w, &alice, text_set(ua_cancel(call.invite), "Max-Forwards", "0"));
	expect_status(w, &alice, 200, "CANCEL");
	cancel = expect(w, &bob, "CANCEL");
	call_cancelled(w, &call, cancel);
}

static const struct CMUnitTest tests[] = {
	flow_test(cancelled_after_180),
	flow_test(cancelled_from_core),
	flow_test(cancelled_after_100_from_callee),
	flow_test(held_until_1xx),
	flow_test(held_until_100),
	flow_test(held_then_refused),
	flow_test(held_then_answered),
	flow_test(cancel_again),
	flow_test(same_to_tag),
	flow_test(reason_passed_on),
	flow_test(reason_of_held_cancel),
	flow_test(cancel_carries_route),
	flow_test(cancel_matches_nothing),
	flow_test(cancel_of_another),
	flow_test(cancel_after_answer),
	flow_test(answer_crosses_cancel),
	flow_test(answer_crosses_cancel_481),
	flow_test(cancel_after_refusal),
	flow_test(cancel_again_until_its_timer_j),
	flow_test(cancel_between_refusal_and_ack),
	flow_test(cancel_retransmitted_downstream),
	flow_test(cancelled_before_its_200),
	flow_test(odd_responses_to_cancel),
	flow_test(rings_on),
	flow_test(callee_never_answers_the_invite),
	flow_test(callee_dies_after_180),
	flow_test(callee_dead_from_the_start),
	flow_test(answer_after_giving_up),
	flow_test(cancelled_but_busy),
	flow_test(forked_and_cancelled),
	flow_test(reinvite_cancelled),
	flow_test(update_cancelled),
	flow_test(update_cancelled_before_1xx),
	flow_test(cancel_after_all_is_over),
	flow_test(terminated_again),
	flow_test(invite_again_after_cancel),
	flow_test(cancel_before_invite),
	flow_test(cancel_with_max_forwards_0),
};

FLOW_TESTS_MAIN(tests)
