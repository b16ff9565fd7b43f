/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calls that are refused or never answered: 3xx-6xx with their ACKs hop by hop, retransmissions on both
 * sides, dead and unreachable callees. RFC 3261 16.7, 16.9, 17.1.1, 17.2.1; RFC 6026.
 */
#include "agent.h"

#include <string.h>

/* 17.1.1.3: the ACK is ours, sent at once, one Via: that of the INVITE as we sent it; To of the response. */
static void
ack_is_hop_by_hop(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *ack, *final;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect_forwarded(w);
	ack = expect(w, &bob, "ACK");
	check_int(w, text_count(ack, "Via"), 1);
	check_text(w, text_value(ack, "Via", 0), text_value(call.seen, "Via", 0));
	check_text(w, text_uri(ack), text_uri(call.seen));
	check_text(w, text_tag(ack, "To"), call.tag);
	check_text(w, text_header(ack, "From"), text_header(call.seen, "From"));
	check_text(w, text_header(ack, "Call-ID"), text_header(call.seen, "Call-ID"));
	check_text(w, text_header(ack, "CSeq"), "1 ACK");
	final = expect_status(w, &alice, 486, "INVITE");
	check_text(w, text_tag(final, "To"), call.tag);
	check_int(w, text_count(final, "Via"), 1);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	expect_nothing(w);
	check_dialogs(w, 0, 0);
}

/* Every class, known and unknown codes; headers and bodies pass. */
static void
every_class(void **state)
{
	struct world *w = *state;
	static const unsigned codes[] = {300, 301, 302, 305, 380, 400, 401, 403, 404, 405, 407, 408, 410, 415,
		420, 422, 423, 433, 480, 481, 482, 484, 486, 487, 488, 491, 499, 500, 501, 504, 513, 580, 599,
		600, 603, 604, 606, 607, 699};
	struct call call;

	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		call_invite(w, &call, &alice, &bob);
		if (i % 2)
			call_ring(w, &call, 180);
		call_refuse(w, &call, codes[i]);
	}
}

/* 16.7 step 6: a 503 speaks of the one who sent it; the edge itself is well, and says 500. */
static void
unavailable_downstream(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 503, call.tag));
	expect_forwarded(w);
	expect(w, &bob, "ACK");
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 500, "INVITE")));
	expect_absorbed(w);
	expect_nothing(w);
}

/* The contacts of a 302 are the caller's to follow: the edge does not recurse. */
static void
redirect_passes(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	final = text_add(ua_response(&bob, call.seen, 302, call.tag),
		"Contact: <sip:bob@elsewhere.example.com>;q=0.7");
	say(w, &bob, final);
	expect(w, &bob, "ACK");
	final = expect_status(w, &alice, 302, "INVITE");
	check_text(w, text_header(final, "Contact"), "<sip:bob@elsewhere.example.com>;q=0.7");
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
}

/* 401 and 407: the caller tries again with credentials, same Call-ID, next CSeq, new branch. */
static void
challenged(void **state)
{
	struct world *w = *state;
	struct call call, again;
	const char *final, *invite;

	call_invite(w, &call, &alice, &bob);
	final = text_add(ua_response(&bob, call.seen, 407, call.tag),
		"Proxy-Authenticate: Digest realm=\"a\", nonce=\"b\", qop=\"auth,auth-int\"");
	say(w, &bob, final);
	expect(w, &bob, "ACK");
	final = expect_status(w, &alice, 407, "INVITE");
	check(w, strstr(final, "qop=\"auth,auth-int\"") != NULL);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	invite = text_set(call.invite, "CSeq", "2 INVITE");
	invite = text_swap(invite, text_param(text_value(invite, "Via", 0), "branch"), ua_new_branch());
	invite = text_add(invite, "Proxy-Authorization: Digest username=\"alice\", response=\"x\"");
	call_invite_with(w, &again, &alice, &bob, invite);
	check(w, text_header(again.seen, "Proxy-Authorization") != NULL);
	call_answer(w, &again);
	call_ack(w, &again);
	leg_bye(w, &again.caller, &again.callee);
	check_dialogs(w, 1, 1);
}

/* 17.2.1 timer G: the final response is repeated upstream until the ACK is there. */
static void
repeated_upstream_until_ack(void **state)
{
	struct world *w = *state;
	static const uint64_t at[] = {MS(500), MS(1500), MS(3500), MS(7500), MS(11500)};
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect(w, &bob, "ACK");
	final = expect_status(w, &alice, 486, "INVITE");
	for (unsigned i = 0; i < 5; i++) {
		world_run_until(w, at[i]);
		expect_same(w, expect_status(w, &alice, 486, "INVITE"), final);
		expect_at(w, at[i]);
		expect_nothing(w);
	}
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	world_wait(w, SECONDS(40));
	expect_nothing(w);
}

/* Timer H: the ACK never comes; at 64*T1 the server transaction ends. */
static void
never_acked_upstream(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect(w, &bob, "ACK");
	expect_status(w, &alice, 486, "INVITE");
	world_wait(w, TIMER_64T1 + SECONDS(1));
	check_int(w, world_take(w, &alice), 10); /* 0.5 1.5 3.5 7.5 11.5 ... 31.5 */
	world_wait(w, TIMER_64T1);
	expect_nothing(w);
}

/* 17.2.1: an INVITE that comes again in Completed gets the final response again, in Confirmed nothing. */
static void
invite_again_after_refusal(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 404, call.tag));
	expect(w, &bob, "ACK");
	final = expect_status(w, &alice, 404, "INVITE");
	say(w, &alice, call.invite);
	expect_same(w, expect_status(w, &alice, 404, "INVITE"), final);
	expect_nothing(w);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	say(w, &alice, call.invite);
	expect_absorbed(w);
	expect_nothing(w);
	check_int(w, world_sum(w)->transactions_created[BP_KIND_INVITE], 1);
}

/* 17.1.1.2 Completed: a final response that comes again is ACKed again, and not forwarded. */
static void
refused_again(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *ack;

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	for (unsigned i = 0; i < 4; i++) {
		world_wait(w, SECONDS(1));
		say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
		expect_absorbed(w);
		ack = expect(w, &bob, "ACK");
		check_text(w, text_value(ack, "Via", 0), text_value(call.seen, "Via", 0));
		check_text(w, text_tag(ack, "To"), call.tag);
		expect_nothing(w);
	}
	check_int(w, world_sum(w)->responses[BP_OUT][486], 1);
}

/* The ACK that comes again in Confirmed is absorbed (timer I). */
static void
ack_again(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	for (unsigned i = 0; i < 3; i++) {
		say(w, &alice, ua_ack(call.invite, call.answer));
		expect_absorbed(w);
		expect_nothing(w);
		world_wait(w, SECONDS(1));
	}
}

/* Timer I over: an ACK then belongs to nothing. */
static void
ack_much_too_late(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	world_wait(w, SECONDS(120));
	say(w, &alice, ua_ack(call.invite, call.answer));
	expect_dropped(w, ack_unmatched);
}

/* Another failure after the first: absorbed or dropped, never forwarded (16.7 step 5). */
static void
another_failure_after_the_first(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	say(w, &bob, ua_response(&bob, call.seen, 603, "other"));
	check(w, w->fate != FATE_FORWARDED);
	check_int(w, world_take(w, &alice), 0);
	world_take(w, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 180, call.tag));
	check(w, w->fate == FATE_DROPPED || w->fate == FATE_ABSORBED);
	expect_nothing(w);
}

/* 16.7 step 5: a 2xx is forwarded even after another final response, while there is state. */
static void
answer_after_refusal(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	say(w, &bob, ua_response(&bob, call.seen, 200, "other"));
	/* The client transaction is Completed (17.1.1.2): it has nothing to do with a 2xx. */
	check(w, w->fate == FATE_DROPPED || w->fate == FATE_FORWARDED);
	world_take(w, &alice);
}

/* 17.1.1.2: timer A until timer B, then as if 408 had come (16.8, 16.9). */
static void
callee_dead(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	world_wait(w, TIMER_64T1);
	check_int(w, world_take(w, &bob), 6);
	final = expect_status(w, &alice, 408, "INVITE");
	expect_at(w, TIMER_64T1);
	check(w, text_tag(final, "To") != NULL);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	expect_nothing(w);
	/* Too late. */
	world_wait(w, SECONDS(5));
	say(w, &bob, ua_response(&bob, call.seen, 180, call.tag));
	check(w, w->fate == FATE_DROPPED);
	expect_nothing(w);
}

/* The caller retransmits all the while; it gets 100 again and again, and 408 at last. */
static void
callee_dead_caller_insists(void **state)
{
	struct world *w = *state;
	struct call call;
	uint64_t at = 0;

	call_invite(w, &call, &alice, &bob);
	for (uint64_t interval = T1; at + interval < TIMER_64T1; interval *= 2) {
		at += interval;
		world_run_until(w, at - MS(1));
		say(w, &alice, call.invite);
		expect_status(w, &alice, 100, "INVITE");
	}
	world_run_until(w, TIMER_64T1);
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 408, "INVITE")));
	expect_absorbed(w);
	check_int(w, world_take(w, &bob), 6);
}

/* The first 1xx ends the retransmissions; 64*T1 then mean nothing. */
static void
ringing_stops_timers_a_and_b(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_wait(w, MS(1600));
	check_int(w, world_take(w, &bob), 2);
	call_ring(w, &call, 180);
	world_wait(w, SECONDS(120));
	expect_nothing(w);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* 18.4, 16.9: an ICMP error for the INVITE is as if 503 had come. */
static void
callee_unreachable(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	world_flow_failed(w, &bob, call.seen);
	final = expect_status(w, &alice, 503, "INVITE");
	check(w, text_tag(final, "To") != NULL);
	expect_nothing(w);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	check_int(w, world_sum(w)->responses[BP_OUT][503], 1);
}

/* The quotation is cut off before the branch ends: nothing to go by, nothing happens. */
static void
unreachable_but_quotation_too_short(void **state)
{
	struct world *w = *state;
	struct call call;
	size_t end;

	call_invite(w, &call, &alice, &bob);
	end = (size_t)(strstr(call.seen, "branch=z9") - call.seen) +
	      strlen(text_param(text_value(call.seen, "Via", 0), "branch")) + 6;
	for (size_t size = 0; size <= end; size++)
		world_flow_failed(w, &bob, text_copy(call.seen, size));
	world_flow_failed(w, &bob, NULL);
	world_flow_failed(w, &bob, "nonsense");
	expect_nothing(w);
	world_flow_failed(w, &bob, text_copy(call.seen, end + 1));
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 503, "INVITE")));
	expect_absorbed(w);
}

/* An ICMP error about another address than the INVITE went to (RFC 5927: check what can be checked). */
static void
unreachable_somebody_else(void **state)
{
	struct world *w = *state;
	static const struct peer other_port = {"bob", "10.0.0.2", 5070, CORE};
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_flow_failed(w, &carol, call.seen);
	world_flow_failed(w, &other_port, call.seen);
	expect_nothing(w);
	call_refuse(w, &call, 486);
}

/* Once it rang it is reachable: a late ICMP error, for whatever we sent, ends nothing. */
static void
unreachable_while_ringing(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	world_flow_failed(w, &bob, call.seen);
	expect_nothing(w);
	call_refuse(w, &call, 486);
	world_flow_failed(w, &bob, call.seen);
	expect_nothing(w);
}

/* Calls that fail at once free their records in T4, but their timers A to H stay armed for 64*T1: a dead core
 * for a minute at the highest rate that the records allow must not use the timers up. */
static void
unreachable_for_a_minute(void **state)
{
	struct world *w = *state;
	struct call call;

	for (unsigned i = 0; i < 60 * 190; i++) {
		call_invite(w, &call, &alice, &bob);
		world_flow_failed(w, &bob, call.seen);
		say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 503, "INVITE")));
		expect_absorbed(w);
		world_wait(w, SECONDS(1) / 190);
	}
	check_int(w, world_dropped(w, timer_no_memory), 0);
}

/* An ICMP error that quotes somebody else's branch changes nothing. */
static void
unreachable_forged(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *branch, *forged;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	branch = text_param(text_value(call.seen, "Via", 0), "branch");
	forged = text_swap(call.seen, branch, text_printf("%.*sXXXX", (int)strlen(branch) - 4, branch));
	world_flow_failed(w, &bob, forged);
	expect_nothing(w);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* RFC 2543 caller: no magic cookie in its branch, or no branch at all (17.2.3). */
static void
rfc2543(struct world *w, const char *via_params)
{
	const char *invite = ua_invite(&alice, "sip:bob@example.com");
	const char *old = text_value(invite, "Via", 0);
	struct call call;
	const char *cancel;

	invite = text_swap(invite, old, text_printf("SIP/2.0/UDP 192.0.2.10:5060%s", via_params));
	call_invite_with(w, &call, &alice, &bob, invite);
	say(w, &alice, invite);
	expect_status(w, &alice, 100, "INVITE");
	expect_nothing(w);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	call_cancelled(w, &call, cancel);
	say(w, &alice, invite);
	expect_absorbed(w);
	expect_nothing(w);
	check_int(w, world_sum(w)->requests[BP_OUT][BP_METHOD_INVITE], 1);
}

static void
rfc2543_caller(void **state)
{
	rfc2543(*state, "");
}

static void
rfc2543_caller_with_branch(void **state)
{
	rfc2543(*state, ";branch=1");
}

static void
rfc2543_answered(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:bob@example.com");
	struct call call;

	invite = text_swap(invite, text_value(invite, "Via", 0), "SIP/2.0/UDP 192.0.2.10:5060");
	call_invite_with(w, &call, &alice, &bob, invite);
	call_ring(w, &call, 180);
	call_answer(w, &call);
	say(w, &alice, invite);
	expect_absorbed(w);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* Two INVITEs without branches that differ in From tag, Call-ID or CSeq only are two transactions. */
static void
rfc2543_two_calls(void **state)
{
	struct world *w = *state;
	const char *one = ua_invite(&alice, "sip:bob@example.com"), *two;
	struct call first, second;

	one = text_swap(one, text_value(one, "Via", 0), "SIP/2.0/UDP 192.0.2.10:5060;branch=1");
	two = text_set(one, "Call-ID", "another");
	call_invite_with(w, &first, &alice, &bob, one);
	call_invite_with(w, &second, &alice, &bob, two);
	call_refuse(w, &second, 486);
	call_refuse(w, &first, 486);
	two = text_set(one, "CSeq", "2 INVITE");
	call_invite_with(w, &second, &alice, &bob, two);
	call_refuse(w, &second, 486);
}

static const struct world_options as_many_dialogs = {
	.workers = 1, .transactions = 1024, .dialogs = 1024, .kept_bytes = 8 << 20};

static const struct CMUnitTest tests[] = {
	flow_test(ack_is_hop_by_hop),
	flow_test(every_class),
	flow_test(unavailable_downstream),
	flow_test(redirect_passes),
	flow_test(challenged),
	flow_test(repeated_upstream_until_ack),
	flow_test(never_acked_upstream),
	flow_test(invite_again_after_refusal),
	flow_test(refused_again),
	flow_test(ack_again),
	flow_test(ack_much_too_late),
	flow_test(another_failure_after_the_first),
	flow_test(answer_after_refusal),
	flow_test(callee_dead),
	flow_test(callee_dead_caller_insists),
	flow_test(ringing_stops_timers_a_and_b),
	flow_test(callee_unreachable),
	flow_test(unreachable_but_quotation_too_short),
	flow_test(unreachable_somebody_else),
	flow_test(unreachable_while_ringing),
	flow_test_with(unreachable_for_a_minute, &as_many_dialogs),
	flow_test(unreachable_forged),
	flow_test(rfc2543_caller),
	flow_test(rfc2543_caller_with_branch),
	flow_test(rfc2543_answered),
	flow_test(rfc2543_two_calls),
};

FLOW_TESTS_MAIN(tests)
