/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dialogs that nobody ends with an answered BYE: each ends for one reason, silently or with ACK and BYE of the edge's
 * own (dialogs.reap). RFC 3261 12.2.1, 13.3.1.4, 15.1.1, 17.1.2; DESIGN sections 2 and 6.
 */
#include "agent.h"

#include "transaction/timers.h"

#include <stdlib.h>
#include <string.h>

#define ended(w, how) (world_sum(w)->dialogs_ended[BP_DIALOG_END_##how])

static void
reap_by_bye(struct bp_config *config)
{
	config->reap_by_bye = true;
}

static const struct world_options bye = {
	.workers = 1, .transactions = 4096, .dialogs = 1024, .kept_bytes = 4 << 20, .prepare = reap_by_bye};
static const struct world_options two = {
	.workers = 2, .transactions = 4096, .dialogs = 1024, .kept_bytes = 4 << 20, .prepare = reap_by_bye};

/* "<sip:x>;tag=y" of a header that may have a display name. */
static const char *
name_of(const char *value)
{
	return text_printf("<%s>;tag=%s", text_address(value), text_param(value, "tag"));
}

/* One of the edge's own, in the name of @from's peer. */
static void
check_own(struct world *w, const char *request, const struct leg *to, unsigned cseq)
{
	check_text(w, text_header(request, "From"), name_of(to->remote));
	check_text(w, text_header(request, "To"), name_of(to->local));
	check_text(w, text_header(request, "Call-ID"), to->call_id);
	check_text(w, text_uri(request), ua_contact(to->peer));
	check_text(w, text_header(request, "Max-Forwards"), "70");
	check_int(w, text_cseq(request), cseq);
	check_int(w, text_count(request, "Via"), 1);
	check_int(w, text_count(request, "Route"), 0);
	check(w, strncmp(text_param(text_value(request, "Via", 0), "branch"), "z9hG4bK", 7) == 0);
}

/* 13.3.1.4: no ACK within 64*T1. ACK to the callee, BYE to both; their answers end the transactions. */
static void
no_ack_ends_by_bye(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *ack, *to_callee, *to_caller;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	world_wait(w, TIMER_64T1);
	check_int(w, ended(w, no_ack), 1);
	ack = expect(w, &bob, "ACK");
	check_own(w, ack, &call.callee, call.caller.invite_cseq);
	to_caller = expect(w, &alice, "BYE");
	check_own(w, to_caller, &call.caller, 1);
	to_callee = expect(w, &bob, "BYE");
	check_own(w, to_callee, &call.callee, call.caller.cseq + 1);
	check(w, text_header(to_callee, "Reason") != NULL);
	say(w, &bob, ua_response(&bob, to_callee, 200, NULL));
	expect_absorbed(w);
	say(w, &alice, ua_response(&alice, to_caller, 481, NULL));
	expect_absorbed(w);
	world_wait(w, SECONDS(40));
	expect_nothing(w);
}

/* 17.1.2: timers E and F: at T1, 2*T1, 4*T1, then each T2, until 64*T1. */
static void
own_bye_is_repeated(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *first;

	call_up(w, &call, &alice, &bob);
	world_wait(w, SECONDS(7200) + SECONDS(40));
	check_int(w, ended(w, expired), 1);
	first = expect(w, &alice, "BYE");
	for (unsigned i = 0; i < 10; i++)
		expect_same(w, expect(w, &alice, "BYE"), first);
	check_int(w, world_take(w, &bob), 11);
	expect_nothing(w);
	check_int(w, world_sum(w)->retransmissions[BP_OUT][BP_METHOD_BYE], 20);
}

/* CSeq goes on from the last request of that side (12.2.1.1), PRACK in the early dialog and CSeq gaps too. */
static void
cseq_goes_on(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg early;

	call_invite(w, &call, &alice, &bob);
	early = leg_caller(&alice, call.invite, call_ring(w, &call, 183));
	early.cseq += 6;
	leg_exchange(w, &early, &(struct leg){.peer = &bob}, "PRACK", 200);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_exchange(w, &call.callee, &call.caller, "INFO", 200);
	call.callee.cseq = 40; /* a lower one changes nothing (12.2.2) */
	leg_exchange(w, &call.callee, &call.caller, "INFO", 500);
	world_wait(w, SECONDS(7200));
	check_int(w, ended(w, expired), 1);
	check_int(w, text_cseq(expect(w, &alice, "BYE")), 102);
	check_int(w, text_cseq(expect(w, &bob, "BYE")), early.cseq + 1);
	world_take(w, NULL);
	world_wait(w, SECONDS(40));
	world_take(w, NULL);
}

/* 12.2.1.1: proxies beyond, on both sides, are gone through; the remote target is the Contact of the last refresh. */
static void
own_bye_has_route_and_target(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&carol, ua_uri(&carol, &alice)), *answer, *seen, *request;
	struct call call;
	struct leg from;

	invite = text_add_first(invite, "Record-Route: <sip:10.0.0.3:5060;lr>, <sip:p2.example.com;lr>");
	call_invite_with(w, &call, &carol, &alice, invite);
	answer = text_add_first(
		ua_response(&alice, call.seen, 200, call.tag), "Record-Route: <sip:r2.example.com;lr>\r\nRecord-Route: <sip:r1.example.com;lr>");
	say(w, &alice, answer);
	answer = expect_status(w, &carol, 200, "INVITE");
	call.caller = leg_caller(&carol, call.invite, answer);
	call.caller.route_count = 0;
	from = call.caller;
	say(w, &carol, leg_ack(&from));
	expect(w, &alice, "ACK");
	say(w, &carol, text_set(leg_request(&from, "UPDATE"), "Contact", "<sip:carol-new@10.0.0.9>"));
	seen = expect(w, &alice, "UPDATE");
	say(w, &alice, ua_response(&alice, seen, 200, NULL));
	expect_status(w, &carol, 200, "UPDATE");
	world_wait(w, SECONDS(7200));
	request = expect(w, &carol, "BYE");
	check_text(w, text_uri(request), "sip:carol-new@10.0.0.9");
	check_text(w, text_header(request, "Route"), "<sip:10.0.0.3:5060;lr>, <sip:p2.example.com;lr>");
	request = expect(w, &alice, "BYE");
	check_text(w, text_uri(request), ua_contact(&alice));
	check_text(w, text_header(request, "Route"), "<sip:r1.example.com;lr>, <sip:r2.example.com;lr>");
	world_wait(w, SECONDS(40));
	world_take(w, NULL);
}

/* 12.2.1.1: the first proxy is a strict router. */
static void
own_bye_to_a_strict_router(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&carol, ua_uri(&carol, &alice)), *request;
	struct call call;

	invite = text_add_first(invite, "Record-Route: <sip:10.0.0.3:5060>, <sip:p2.example.com;lr>");
	call_invite_with(w, &call, &carol, &alice, invite);
	call_answer(w, &call);
	world_wait(w, TIMER_64T1);
	request = expect(w, &carol, "BYE");
	check_text(w, text_uri(request), "sip:10.0.0.3:5060");
	check_text(w, text_header(request, "Route"), text_printf("<sip:p2.example.com;lr>, <%s>", ua_contact(&carol)));
	world_wait(w, SECONDS(40));
	world_take(w, NULL);
}

/* 12.2.1.2: 481 or 408 to a re-INVITE or UPDATE: the dialog is gone. Who sent it lives, and gets the BYE. */
static void
refresh_answered(struct world *w, const char *method, unsigned status)
{
	struct call call;
	const char *seen, *own;

	call_up(w, &call, &alice, &bob);
	seen = leg_exchange_begin(w, &call.callee, &call.caller, method);
	say(w, &alice, ua_response(&alice, seen, status, NULL));
	own = expect(w, &bob, "BYE");
	check_own(w, own, &call.callee, call.caller.cseq + 1);
	say(w, &bob, ua_response(&bob, own, 200, NULL));
	expect_absorbed(w);
	world_wait(w, SECONDS(100));
	world_take(w, &alice); /* ACKs */
	world_take(w, &bob);
}

static void
refresh_fails(void **state)
{
	struct world *w = *state;

	refresh_answered(w, "INVITE", 481);
	refresh_answered(w, "INVITE", 408);
	refresh_answered(w, "UPDATE", 481);
	refresh_answered(w, "UPDATE", 408);
	check_int(w, ended(w, refresh_failed), 4);
	check_int(w, world_sum(w)->dialogs_created, 4);
}

/* No answer at all is a 408 (8.1.3.1). */
static void
refresh_unanswered(void **state)
{
	struct world *w = *state;
	static const char *const methods[] = {"INVITE", "UPDATE"};
	struct call call;

	for (unsigned i = 0; i < 2; i++) {
		call_up(w, &call, &alice, &bob);
		leg_exchange_begin(w, &call.caller, &call.callee, methods[i]);
		world_wait(w, TIMER_64T1);
		check_int(w, ended(w, refresh_failed), i + 1);
		world_wait(w, SECONDS(100));
		world_take(w, NULL);
	}
}

/* Other refusals, a cancelled re-INVITE, and a 481 to any other request leave the dialog as it is. */
static void
other_refusals_do_not_end(void **state)
{
	struct world *w = *state;
	static const unsigned codes[] = {488, 491, 500, 603};
	struct call call, again;

	call_up(w, &call, &alice, &bob);
	for (unsigned i = 0; i < 4; i++)
		leg_exchange(w, &call.caller, &call.callee, "UPDATE", codes[i]);
	leg_exchange(w, &call.caller, &call.callee, "INFO", 481);
	again = (struct call){.from = &alice, .to = &bob, .invite = leg_request(&call.caller, "INVITE")};
	say(w, &alice, again.invite);
	expect_status(w, &alice, 100, "INVITE");
	again.seen = expect(w, &bob, "INVITE");
	call_ring(w, &again, 180);
	call_cancelled(w, &again, call_cancel(w, &again));
	check_dialogs(w, 1, 0);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
	check_int(w, ended(w, refresh_failed), 0);
}

/* A BYE without an answer: the one who sent it is done, the other is gone. Nobody needs another. */
static void
unanswered_bye_needs_no_other(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	leg_exchange_begin(w, &call.caller, &call.callee, "BYE");
	world_wait(w, TIMER_64T1 + SECONDS(1));
	check_int(w, ended(w, bye_unanswered), 1);
	check_int(w, world_take(w, &bob), 10);
	expect_status(w, &alice, 100, "BYE");
	world_wait(w, SECONDS(100));
	expect_nothing(w);
}

/* A fork that was answered twice: each dialog ends by itself, in its own names. */
static void
siblings_end_one_by_one(void **state)
{
	struct world *w = *state;
	struct call call, other;
	const char *answer;

	call_up(w, &call, &alice, &bob);
	other = call;
	other.tag = ua_new_tag();
	say(w, &bob, ua_response(&bob, other.seen, 200, other.tag));
	answer = expect_status(w, &alice, 200, "INVITE");
	other.caller = leg_caller(&alice, other.invite, answer);
	other.callee = leg_callee(&bob, other.seen, other.tag);
	world_wait(w, TIMER_64T1);
	check_int(w, ended(w, no_ack), 1);
	check_own(w, expect(w, &bob, "ACK"), &other.callee, 1);
	check_own(w, expect(w, &alice, "BYE"), &other.caller, 1);
	check_own(w, expect(w, &bob, "BYE"), &other.callee, 2);
	world_wait(w, SECONDS(40));
	world_take(w, NULL);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 2, 1);
}

/* Names too long to be kept: the dialog ends silently, which is counted. */
static void
names_too_long(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:bob@example.com"), *big = "x";
	struct call call;

	while (strlen(big) < 1000)
		big = text_printf("%s%s", big, big);
	invite = text_set(invite, "Call-ID", big);
	call_invite_with(w, &call, &alice, &bob, invite);
	call_answer(w, &call);
	world_wait(w, TIMER_64T1);
	check_int(w, ended(w, no_ack), 1);
	check_int(w, world_dropped(w, bye_not_made), 1);
	expect_nothing(w);
}

/* The peer is gone altogether: ICMP ends the edge's transaction at once. */
static void
own_bye_unreachable(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *own;

	call_up(w, &call, &alice, &bob);
	world_wait(w, SECONDS(7200));
	expect(w, &alice, "BYE");
	own = expect(w, &bob, "BYE");
	world_flow_failed(w, &bob, own);
	world_wait(w, SECONDS(1));
	check_int(w, world_take(w, &bob), 0);
	world_wait(w, SECONDS(40));
	check_int(w, world_take(w, &alice), 10);
}

/* The answer arrives at the other worker, twice. */
static void
own_bye_on_two_workers(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *own, *answer;

	call_up(w, &call, &alice, &bob);
	world_wait(w, SECONDS(7200));
	check_int(w, ended(w, expired), 1);
	expect(w, &alice, "BYE");
	own = expect(w, &bob, "BYE");
	answer = ua_response(&bob, own, 200, NULL);
	for (uint16_t i = 2; i-- > 0;) {
		w->worker = i;
		say(w, &bob, answer);
		expect_absorbed(w);
	}
	world_wait(w, SECONDS(40));
	check_int(w, world_take(w, &bob), 0);
	check_int(w, world_take(w, &alice), 10);
}

/* What an established call takes: dialog, both remotes with the names, its timer. DESIGN section 12: 512 bytes. */
static unsigned
bytes_of_call(struct world *w)
{
	enum { CALLS = 255, BUCKET = 16 };
	const struct bp_counters *sum;
	uint64_t bytes = 0;
	struct call call;

	for (unsigned i = 0; i < CALLS; i++) {
		const char *invite = ua_invite(&alice, "sip:+4930123456789@sip.example.com;user=phone");

		invite = text_set(invite, "From", text_printf("\"Alice Liddell\" <sip:+493098765432@sip.example.com>;tag=as%08x%u", i * 7919, i));
		invite = text_set(invite, "Call-ID", text_printf("%08x-9c1f-4f7b-8a30-0242ac11%04x", i * 104729, i));
		call_invite_with(w, &call, &alice, &bob, invite);
		call_ring(w, &call, 180);
		call_answer(w, &call);
		call_ack(w, &call);
	}
	world_wait(w, SECONDS(100)); /* nothing is left but the calls */
	world_quiesce(w);
	sum = world_sum(w);
	for (unsigned pool = 0; pool < BP_POOL_KIND_COUNT; pool++)
		if (pool != BP_POOL_KIND_timer)
			bytes += sum->pool_taken_bytes[pool] - sum->pool_returned_bytes[pool];
	check_int(w, sum->dialogs_created, CALLS);
	for (unsigned i = 0; i < BP_DIALOG_END_COUNT; i++)
		check_int(w, sum->dialogs_ended[i], 0);
	return (unsigned)(bytes / CALLS + sizeof(struct bp_timer_entry) + BUCKET);
}

/* A call detail record comes on top, where calls have one. */
static unsigned
record_bytes(const struct world *w)
{
	return w->config->cdr.folder[0] != '\0' ? 448 : 0;
}

static void
established_calls_are_small(void **state)
{
	struct world *w = *state;
	unsigned bytes = bytes_of_call(w);

	print_message("%u bytes for an established call\n", bytes);
	check(w, bytes <= 352 + record_bytes(w));
	world_wait(w, SECONDS(7200));
}

static void
established_calls_with_names_are_small(void **state)
{
	struct world *w = *state;
	unsigned bytes = bytes_of_call(w);

	print_message("%u bytes for an established call that may be ended by BYE\n", bytes);
	check(w, bytes <= 512 + record_bytes(w));
	world_wait(w, SECONDS(7300));
	world_take(w, NULL);
}

static const struct CMUnitTest tests[] = {
	flow_test_with(no_ack_ends_by_bye, &bye),
	flow_test_with(own_bye_is_repeated, &bye),
	flow_test_with(cseq_goes_on, &bye),
	flow_test_with(own_bye_has_route_and_target, &bye),
	flow_test_with(own_bye_to_a_strict_router, &bye),
	flow_test_with(refresh_fails, &bye),
	flow_test_with(refresh_unanswered, &bye),
	flow_test_with(other_refusals_do_not_end, &bye),
	flow_test_with(unanswered_bye_needs_no_other, &bye),
	flow_test_with(siblings_end_one_by_one, &bye),
	flow_test_with(names_too_long, &bye),
	flow_test_with(own_bye_unreachable, &bye),
	flow_test_with(own_bye_on_two_workers, &two),
	flow_test(established_calls_are_small),
	flow_test_with(established_calls_with_names_are_small, &bye),
};

FLOW_TESTS_MAIN(tests)
