/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The answered call, message by message: what the edge adds to an INVITE, what it passes on, what it
 * answers by itself, until the BYE. RFC 3261 16, 17; RFC 3581; RFC 6026; DESIGN section 2.
 */
#include "agent.h"

#include "transaction/machine.h"
#include "transaction/timers.h"

#include <stdlib.h>
#include <string.h>

/* INVITE, 100, 180, 200, ACK, BYE, 200: three transactions, one dialog. */
static void
call_ended_by_caller(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	check_dialogs(w, 1, 0);
	world_wait(w, SECONDS(60));
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
	check_int(w, world_sum(w)->transactions_created[BP_KIND_INVITE], 1);
	check_int(w, world_sum(w)->transactions_created[BP_KIND_NON_INVITE], 1);
}

static void
call_ended_by_callee(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

static void
call_from_core_to_access(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &bob, &alice);
	leg_reinvite(w, &call.caller, &call.callee);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* 100 comes at once, without a To tag (8.2.6.2), with Timestamp (8.2.6.1); to the very Via. */
static void
trying_at_once(void **state)
{
	struct world *w = *state;
	const char *invite = text_add(ua_invite(&alice, "sip:bob@example.com"), "Timestamp: 54.3"), *trying;
	struct call call = {0};

	say(w, &alice, invite);
	trying = expect_status(w, &alice, 100, "INVITE");
	expect_at(w, 0);
	check(w, !text_tag(trying, "To"));
	check_int(w, text_count(trying, "Via"), 1);
	check_text(w, text_param(text_value(trying, "Via", 0), "branch"),
		text_param(text_value(invite, "Via", 0), "branch"));
	check_text(w, text_header(trying, "Call-ID"), text_header(invite, "Call-ID"));
	check_text(w, text_header(trying, "From"), text_header(invite, "From"));
	check_text(w, text_header(trying, "CSeq"), "1 INVITE");
	check(w, text_header(trying, "Timestamp") &&
			 strncmp(text_header(trying, "Timestamp"), "54.3", 4) == 0);
	call = (struct call){.from = &alice, .to = &bob, .invite = invite, .tag = ua_new_tag()};
	call.seen = expect(w, &bob, "INVITE");
	call_refuse(w, &call, 486);
}

/* 16.6 step 8: our Via on top, with the cookie, ours alone; the caller's below it. */
static void
our_via_on_top(void **state)
{
	struct world *w = *state;
	struct call call, other;
	const char *via;

	call_invite(w, &call, &alice, &bob);
	check_int(w, text_count(call.seen, "Via"), 2);
	via = text_value(call.seen, "Via", 0);
	check_text(w, text_sent_by(via), EDGE_CORE);
	check(w, strncmp(text_param(via, "branch"), "z9hG4bK", 7) == 0);
	via = text_value(call.seen, "Via", 1);
	check_text(w, text_sent_by(via), "192.0.2.10:5060");
	check_text(w, text_param(via, "branch"), text_param(text_value(call.invite, "Via", 0), "branch"));
	call_invite(w, &other, &alice, &bob);
	check(w, strcmp(text_value(call.seen, "Via", 0), text_value(other.seen, "Via", 0)) != 0);
	call_refuse(w, &call, 486);
	call_refuse(w, &other, 486);
}

/* RFC 3581 section 4: the source's address and port, when rport asks for it. Responses go there. */
static void
received_and_rport(void **state)
{
	struct world *w = *state;
	static const struct peer nat = {"nat", "198.51.100.7", 40123, ACCESS};
	const char *invite = text_swap(
		ua_invite(&nat, "sip:bob@example.com"), "UDP 198.51.100.7:40123", "UDP 192.168.1.2:5060");
	const char *via;
	struct call call;

	call_invite_with(w, &call, &nat, &bob, invite);
	via = text_value(call.seen, "Via", 1);
	check_text(w, text_sent_by(via), "192.168.1.2:5060");
	check_text(w, text_param(via, "received"), "198.51.100.7");
	check_text(w, text_param(via, "rport"), "40123");
	call_refuse(w, &call, 486);
}

/* 18.2.1, 18.2.2: without rport, responses go to the source's address and the port of sent-by. */
static void
received_without_rport(void **state)
{
	struct world *w = *state;
	static const struct peer source = {"source", "198.51.100.7", 40123, ACCESS};
	static const struct peer home = {"home", "198.51.100.7", 5070, ACCESS};
	const char *invite = ua_invite(&source, "sip:bob@example.com"), *seen, *via;

	invite = text_swap(
		text_swap(invite, ";rport", ""), "UDP 198.51.100.7:40123", "UDP client.example.com:5070");
	say(w, &source, invite);
	expect_status(w, &home, 100, "INVITE");
	seen = expect(w, &bob, "INVITE");
	via = text_value(seen, "Via", 1);
	check_text(w, text_param(via, "received"), "198.51.100.7");
	check(w, !text_param(via, "rport"));
	say(w, &bob, ua_response(&bob, seen, 404, "t"));
	expect(w, &bob, "ACK");
	say(w, &source, ua_ack(invite, expect_status(w, &home, 404, "INVITE")));
	expect_absorbed(w);
}

/* 18.2.2: sent-by without a port means 5060. */
static void
sent_by_without_port(void **state)
{
	struct world *w = *state;
	const char *invite =
		text_swap(ua_invite(&alice, "sip:bob@example.com"), "192.0.2.10:5060;", "192.0.2.10;");
	struct call call;

	call_invite_with(w, &call, &alice, &bob, text_swap(invite, ";rport", ""));
	check(w, !text_param(text_value(call.seen, "Via", 1), "received"));
	call_refuse(w, &call, 486);
}

/* 16.6 step 3. */
static void
max_forwards_counts_down(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:bob@example.com");
	struct call call;

	call_invite_with(w, &call, &alice, &bob, invite);
	check_text(w, text_header(call.seen, "Max-Forwards"), "69");
	call_refuse(w, &call, 486);
	call_invite_with(
		w, &call, &alice, &bob, text_delete(ua_invite(&alice, "sip:b@example.com"), "Max-Forwards"));
	check_text(w, text_header(call.seen, "Max-Forwards"), "70");
	call_refuse(w, &call, 486);
	call_invite_with(w, &call, &alice, &bob,
		text_set(ua_invite(&alice, "sip:b@example.com"), "Max-Forwards", "1"));
	check_text(w, text_header(call.seen, "Max-Forwards"), "0");
	call_refuse(w, &call, 486);
}

static void
check_record_route(struct world *w, const char *value, const char *hostport)
{
	const char *uri = text_address(value);

	check(w, strncmp(value, "<sip:", 5) == 0);
	check_text(w, text_uri_hostport(uri), hostport);
	check(w, text_uri_param(uri, "lr") != NULL);
	check(w, strlen(text_uri_user(uri)) >= 16);
}

/* 16.6 step 4, RFC 5658: two entries when the call crosses listeners; the top one faces the callee. */
static void
two_record_routes(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	check_int(w, text_count(call.seen, "Record-Route"), 2);
	check_record_route(w, text_value(call.seen, "Record-Route", 0), EDGE_CORE);
	check_record_route(w, text_value(call.seen, "Record-Route", 1), EDGE_ACCESS);
	check_text(w, text_value(call.answer, "Record-Route", 0), text_value(call.seen, "Record-Route", 0));
	check_text(w, text_value(call.answer, "Record-Route", 1), text_value(call.seen, "Record-Route", 1));
	leg_bye(w, &call.caller, &call.callee);
}

/* Ours go above those that stand there already. */
static void
record_route_above_others(void **state)
{
	struct world *w = *state;
	const char *invite = text_add_first(ua_invite(&alice, "sip:bob@example.com"),
		"Record-Route: <sip:p1.example.com;lr>,<sip:p2.example.com;lr>");
	struct call call;

	call_invite_with(w, &call, &alice, &bob, invite);
	check_int(w, text_count(call.seen, "Record-Route"), 4);
	check_record_route(w, text_value(call.seen, "Record-Route", 0), EDGE_CORE);
	check_record_route(w, text_value(call.seen, "Record-Route", 1), EDGE_ACCESS);
	check_text(w, text_value(call.seen, "Record-Route", 2), "<sip:p1.example.com;lr>");
	check_text(w, text_value(call.seen, "Record-Route", 3), "<sip:p2.example.com;lr>");
	call_refuse(w, &call, 486);
}

/* All that is not ours to change passes byte for byte: unknown headers, odd spellings, the body. */
static void
the_rest_passes_untouched(void **state)
{
	struct world *w = *state;
	const char *odd =
		"X-Odd:  a ,b;c=\"d, e\"\r\n folded\r\nsubject: first\r\nSUBJECT:\tsecond\r\nk:100rel";
	const char *invite = text_add(ua_invite(&alice, "sip:bob@example.com;user=phone"), odd);
	struct call call;

	call_invite_with(w, &call, &alice, &bob, invite);
	check(w, strstr(call.seen, odd) != NULL);
	check_text(w, text_body(call.seen), SDP);
	check_text(w, text_uri(call.seen), "sip:bob@example.com;user=phone");
	check_text(w, text_header(call.seen, "Contact"), text_header(invite, "Contact"));
	check_text(w, text_header(call.seen, "From"), text_header(invite, "From"));
	call_refuse(w, &call, 486);
}

/* 16.7 step 3-9: a response goes upstream without our Via, the rest as it came. */
static void
responses_pass_untouched(void **state)
{
	struct world *w = *state;
	const char *answer, *odd = "X-Odd:  a ,b\r\nServer: a (b, c)", *seen;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	answer = text_add(ua_response(&bob, call.seen, 200, call.tag), odd);
	say(w, &bob, answer);
	seen = expect_status(w, &alice, 200, "INVITE");
	check_int(w, text_count(seen, "Via"), 1);
	check_text(w, text_value(seen, "Via", 0), text_value(call.seen, "Via", 1));
	check(w, strstr(seen, odd) != NULL);
	check_text(w, text_body(seen), SDP);
	check_text(w, text_header(seen, "To"), text_header(answer, "To"));
	check_text(w, text_header(seen, "Contact"), text_header(answer, "Contact"));
	call.caller = leg_caller(&alice, call.invite, seen);
	call.callee = leg_callee(&bob, call.seen, call.tag);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* 16.7 step 5: every 1xx but 100 goes upstream; our own 100 never passes a hop. */
static void
provisionals_forwarded_but_100(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	expect_absorbed(w);
	expect_nothing(w);
	call_ring(w, &call, 180);
	call_ring(w, &call, 181);
	call_ring(w, &call, 183);
	call_ring(w, &call, 199);
	call_ring(w, &call, 183);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	expect_absorbed(w);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

static void
answered_without_ringing(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* 17.2.1: an INVITE that comes again in Proceeding gets the last provisional response again. */
static void
invite_again_in_proceeding(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *again, *ringing;

	call_invite(w, &call, &alice, &bob);
	say(w, &alice, call.invite);
	expect_status(w, &alice, 100, "INVITE");
	expect_nothing(w);
	ringing = call_ring(w, &call, 180);
	say(w, &alice, call.invite);
	again = expect_status(w, &alice, 180, "INVITE");
	expect_same(w, again, ringing);
	expect_nothing(w);
	ringing = call_ring(w, &call, 183);
	say(w, &alice, call.invite);
	again = expect_status(w, &alice, 183, "INVITE");
	expect_same(w, again, ringing);
	check_int(w, world_sum(w)->transactions_created[BP_KIND_INVITE], 1);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* A 100 from downstream is not what upstream was told last. */
static void
invite_again_after_100_from_callee(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	say(w, &alice, call.invite);
	expect_status(w, &alice, 180, "INVITE");
	expect_nothing(w);
	call_refuse(w, &call, 486);
}

/* RFC 6026 7.1: in Accepted an INVITE that comes again is absorbed. */
static void
invite_again_in_accepted(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	say(w, &alice, call.invite);
	expect_absorbed(w);
	expect_nothing(w);
	call_ack(w, &call);
	world_wait(w, TIMER_64T1 - MS(1));
	say(w, &alice, call.invite);
	expect_absorbed(w);
	expect_nothing(w);
	leg_bye(w, &call.caller, &call.callee);
}

/* RFC 6026 7.1: a 2xx that comes again is forwarded each time, and so is each ACK. */
static void
answer_again(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *answer, *first;
	uint64_t interval = T1;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	first = call.answer;
	answer = ua_response(&bob, call.seen, 200, call.tag);
	for (unsigned i = 0; i < 5; i++, interval *= 2) {
		world_wait(w, interval);
		say(w, &bob, answer);
		expect_forwarded(w);
		expect_same(w, expect_status(w, &alice, 200, "INVITE"), first);
		call_ack(w, &call);
	}
	check_dialogs(w, 1, 0);
	leg_bye(w, &call.caller, &call.callee);
}

/* RFC 6026 7.2: the client transaction is over after timer M; a 2xx then is stale. */
static void
answer_again_too_late(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	world_wait(w, TIMER_64T1 + SECONDS(1));
	say(w, &bob, ua_response(&bob, call.seen, 200, call.tag));
	expect_dropped(w, response_stale_branch);
	leg_bye(w, &call.caller, &call.callee);
}

/* RFC 6026 7.2: in Accepted, what is not a 2xx goes nowhere. */
static void
others_after_answer(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	check(w, w->fate == FATE_DROPPED || w->fate == FATE_ABSORBED);
	say(w, &bob, ua_response(&bob, call.seen, 180, call.tag));
	expect_dropped(w, response_unexpected);
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect_dropped(w, response_unexpected);
	say(w, &bob, ua_response(&bob, call.seen, 302, "another"));
	expect_dropped(w, response_unexpected);
	expect_nothing(w);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* The ACK for a 2xx: both our Route entries popped, R-URI the callee's Contact, body kept, Max-Forwards
 * counted. */
static void
ack_for_answer(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *ack, *seen;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	ack = text_set_body(leg_ack(&call.caller), "application/sdp", SDP);
	say(w, &alice, ack);
	expect_forwarded(w);
	seen = expect(w, &bob, "ACK");
	check_int(w, text_count(seen, "Route"), 0);
	check_text(w, text_uri(seen), "sip:bob@10.0.0.2:5060");
	check_text(w, text_body(seen), SDP);
	check_text(w, text_header(seen, "Max-Forwards"), "69");
	check_int(w, text_count(seen, "Via"), 2);
	check_text(w, text_sent_by(text_value(seen, "Via", 0)), EDGE_CORE);
	/* 16.11: the same request gets the same branch. */
	say(w, &alice, ack);
	expect_same(w, expect(w, &bob, "ACK"), seen);
	/* Another ACK, another branch. */
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* 13.2.2.4 says a new branch; clients of old give the ACK for a 2xx that of their INVITE. It has to pass all
 * the same. */
static void
ack_with_the_branch_of_the_invite(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *ack;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	ack = leg_ack(&call.caller);
	ack = text_swap(ack, text_param(text_value(ack, "Via", 0), "branch"),
		text_param(text_value(call.invite, "Via", 0), "branch"));
	for (unsigned i = 0; i < 2; i++) {
		say(w, &alice, ack);
		expect_forwarded(w);
		expect(w, &bob, "ACK");
		expect_nothing(w);
	}
	world_wait(w, TIMER_64T1 + SECONDS(1));
	say(w, &alice, ack);
	expect_forwarded(w);
	expect(w, &bob, "ACK");
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* A response to an ACK is nothing that exists. */
static void
response_to_ack(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *ack;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	ack = call_ack(w, &call);
	say(w, &bob, ua_response(&bob, ack, 200, NULL));
	expect_dropped(w, response_stray_ack);
	leg_bye(w, &call.caller, &call.callee);
}

/* RFC 6026 Accepted, 16.7 step 5: a proxy downstream forks; every 2xx goes upstream, and is a dialog. */
static void
forked_downstream(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg caller[3], callee[3];
	static const char *const tags[] = {"fork-a", "fork-b", "fork-c"};

	call_invite(w, &call, &alice, &bob);
	for (unsigned i = 0; i < 3; i++) {
		say(w, &bob, ua_response(&bob, call.seen, 180, tags[i]));
		check_text(w, text_tag(expect_status(w, &alice, 180, "INVITE"), "To"), tags[i]);
	}
	for (unsigned i = 0; i < 3; i++) {
		world_wait(w, MS(100));
		say(w, &bob, ua_response(&bob, call.seen, 200, tags[i]));
		expect_forwarded(w);
		caller[i] = leg_caller(&alice, call.invite, expect_status(w, &alice, 200, "INVITE"));
		callee[i] = leg_callee(&bob, call.seen, tags[i]);
	}
	check_dialogs(w, 3, 0);
	for (unsigned i = 0; i < 3; i++) {
		say(w, &alice, leg_ack(&caller[i]));
		expect_forwarded(w);
		check_text(w, text_tag(expect(w, &bob, "ACK"), "To"), tags[i]);
	}
	leg_bye(w, &caller[1], &callee[1]);
	check_dialogs(w, 3, 1);
	leg_bye(w, &callee[0], &caller[0]);
	check_dialogs(w, 3, 2);
	leg_reinvite(w, &caller[2], &callee[2]);
	leg_bye(w, &caller[2], &callee[2]);
	check_dialogs(w, 3, 3);
}

/* 7.3.3: compact names all through. */
static void
compact_headers(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:bob@example.com");
	struct call call;

	invite = text_swap(invite, "\r\nVia:", "\r\nv:");
	invite = text_swap(invite, "\r\nFrom:", "\r\nf:");
	invite = text_swap(invite, "\r\nTo:", "\r\nt:");
	invite = text_swap(invite, "\r\nCall-ID:", "\r\ni:");
	invite = text_swap(invite, "\r\nContact:", "\r\nm:");
	invite = text_swap(invite, "\r\nContent-Length:", "\r\nl:");
	invite = text_swap(invite, "\r\nContent-Type:", "\r\nc:");
	call_invite_with(w, &call, &alice, &bob, invite);
	check(w, strstr(call.seen, "\r\ni: call-") != NULL);
	call_ring(w, &call, 180);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* Several Vias in one line: ours goes above, and only ours comes off again. */
static void
vias_in_one_line(void **state)
{
	struct world *w = *state;
	const char *invite = text_swap(ua_invite(&alice, "sip:bob@example.com"), ";rport\r\n",
		";rport, SIP/2.0/UDP behind.example.com;branch=z9hG4bK-behind\r\n");
	struct call call;

	call_invite_with(w, &call, &alice, &bob, invite);
	check_int(w, text_count(call.seen, "Via"), 3);
	call_answer(w, &call);
	check_int(w, text_count(call.answer, "Via"), 2);
	check_text(w, text_sent_by(text_value(call.answer, "Via", 1)), "behind.example.com");
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* A callee that writes all Vias into one line. */
static void
callee_folds_vias(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *answer;

	call_invite(w, &call, &alice, &bob);
	answer = ua_response(&bob, call.seen, 486, call.tag);
	answer = text_swap(answer, text_printf("\r\nVia: %s", text_value(call.seen, "Via", 1)), "");
	answer = text_swap(answer, text_value(call.seen, "Via", 0),
		text_printf("%s , %s", text_value(call.seen, "Via", 0), text_value(call.seen, "Via", 1)));
	check_int(w, text_count(answer, "Via"), 2);
	say(w, &bob, answer);
	expect(w, &bob, "ACK");
	answer = expect_status(w, &alice, 486, "INVITE");
	check_int(w, text_count(answer, "Via"), 1);
	say(w, &alice, ua_ack(call.invite, answer));
	expect_absorbed(w);
}

/* A caller behind a NAT: its Contact is of no use, its flow is. */
static void
caller_behind_nat(void **state)
{
	struct world *w = *state;
	static const struct peer nat = {"nat", "198.51.100.7", 40123, ACCESS};
	const char *invite = ua_invite(&nat, "sip:bob@example.com");
	struct call call;

	invite = text_set(invite, "Contact", "<sip:nat@192.168.1.2:5060>");
	invite = text_swap(invite, "UDP 198.51.100.7:40123", "UDP 192.168.1.2:5060");
	call_invite_with(w, &call, &nat, &bob, invite);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_reinvite(w, &call.callee, &call.caller);
	/* Its next Contact is of no more use than the first. */
	invite = text_set(leg_request(&call.caller, "INVITE"), "Contact", "<sip:nat@192.168.1.2:5062>");
	say(w, &nat, invite);
	expect_status(w, &nat, 100, "INVITE");
	say(w, &bob, ua_response(&bob, expect(w, &bob, "INVITE"), 200, NULL));
	expect_status(w, &nat, 200, "INVITE");
	say(w, &nat, leg_ack(&call.caller));
	expect(w, &bob, "ACK");
	call.callee.target = "sip:nat@192.168.1.2:5062";
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

static void
ipv6_call(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice6, &bob6);
	check_text(w, text_sent_by(text_value(call.seen, "Via", 0)), EDGE_CORE6);
	check_record_route(w, text_value(call.seen, "Record-Route", 0), EDGE_CORE6);
	check_record_route(w, text_value(call.seen, "Record-Route", 1), EDGE_ACCESS6);
	leg_reinvite(w, &call.callee, &call.caller);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

static void
ipv6_call_from_core(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &bob6, &alice6);
	check_text(w, text_sent_by(text_value(call.seen, "Via", 0)), EDGE_ACCESS6);
	leg_bye(w, &call.callee, &call.caller);
}

/* IPv6 outside, IPv4 inside: the edge stands in both. */
static void
ipv6_to_ipv4(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice6, &bob);
	check_text(w, text_sent_by(text_value(call.seen, "Via", 0)), EDGE_CORE);
	check_record_route(w, text_value(call.seen, "Record-Route", 0), EDGE_CORE);
	check_record_route(w, text_value(call.seen, "Record-Route", 1), EDGE_ACCESS6);
	leg_reinvite(w, &call.callee, &call.caller);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

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

/* A message much longer than a packet. */
static void
large_body(void **state)
{
	struct world *w = *state;
	char body[6001];
	struct call call;

	for (unsigned i = 0; i < sizeof(body) - 1; i++)
		body[i] = "abcdefghijklmnopqrstuvwxyz\r\n"[i % 28];
	body[sizeof(body) - 1] = '\0';
	call_invite_with(w, &call, &alice, &bob,
		text_set_body(ua_invite(&alice, "sip:bob@example.com"), "text/plain", body));
	check_text(w, text_body(call.seen), body);
	/* It is kept whole: timer A sends the same again. */
	world_wait(w, T1);
	expect_same(w, expect(w, &bob, "INVITE"), call.seen);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* 18.3: what stands behind Content-Length bytes is not part of the message. */
static void
junk_behind_the_body(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite_with(w, &call, &alice, &bob,
		text_printf("%sjunk\r\n\r\n", ua_invite(&alice, "sip:bob@example.com")));
	check_text(w, text_body(call.seen), SDP);
	call_refuse(w, &call, 486);
}

/* A hundred calls at the same time do not mix. */
static void
many_calls(void **state)
{
	struct world *w = *state;
	static struct call calls[100];

	for (unsigned i = 0; i < 100; i++)
		call_invite(w, &calls[i], i % 3 ? &alice : &mallory, &bob);
	for (unsigned i = 100; i-- > 0;)
		call_ring(w, &calls[i], 180);
	for (unsigned i = 0; i < 100; i++)
		if (i % 4 == 0)
			call_refuse(w, &calls[i], 486);
		else
			call_answer(w, &calls[i]);
	for (unsigned i = 0; i < 100; i++)
		if (i % 4)
			call_ack(w, &calls[i]);
	for (unsigned i = 100; i-- > 0;)
		if (i % 4 == 1)
			leg_bye(w, &calls[i].caller, &calls[i].callee);
		else if (i % 4)
			leg_bye(w, &calls[i].callee, &calls[i].caller);
	check_dialogs(w, 75, 75);
}

static const struct world_options core6 = {
	.workers = 1, .transactions = 256, .dialogs = 128, .kept_bytes = 4 << 20, .core6 = true};

static const struct CMUnitTest tests[] = {
	flow_test(call_ended_by_caller),
	flow_test(call_ended_by_callee),
	flow_test(call_from_core_to_access),
	flow_test(trying_at_once),
	flow_test(our_via_on_top),
	flow_test(received_and_rport),
	flow_test(received_without_rport),
	flow_test(sent_by_without_port),
	flow_test(max_forwards_counts_down),
	flow_test(two_record_routes),
	flow_test(record_route_above_others),
	flow_test(the_rest_passes_untouched),
	flow_test(responses_pass_untouched),
	flow_test(provisionals_forwarded_but_100),
	flow_test(answered_without_ringing),
	flow_test(invite_again_in_proceeding),
	flow_test(invite_again_after_100_from_callee),
	flow_test(invite_again_in_accepted),
	flow_test(answer_again),
	flow_test(answer_again_too_late),
	flow_test(others_after_answer),
	flow_test(ack_for_answer),
	flow_test(ack_with_the_branch_of_the_invite),
	flow_test(response_to_ack),
	flow_test(forked_downstream),
	flow_test(compact_headers),
	flow_test(vias_in_one_line),
	flow_test(callee_folds_vias),
	flow_test(caller_behind_nat),
	flow_test_with(ipv6_call, &core6),
	flow_test_with(ipv6_call_from_core, &core6),
	flow_test(ipv6_to_ipv4),
	flow_test(answered_call_keeps_little),
	flow_test(transactions_by_state),
	flow_test(finished_transactions_are_small),
	flow_test(cancelled_transactions_are_small),
	flow_test(large_body),
	flow_test(junk_behind_the_body),
	flow_test(many_calls),
};

FLOW_TESTS_MAIN(tests)
