/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The answered call, message by message: what the edge adds to an INVITE, what it passes on, what it
 * answers by itself, until the BYE. RFC 3261 16, 17; RFC 3581; RFC 6026; DESIGN section 2.
 */
#include "agent.h"

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
	flow_test(large_body),
	flow_test(junk_behind_the_body),
	flow_test(many_calls),
};

FLOW_TESTS_MAIN(tests)
