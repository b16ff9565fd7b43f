/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The call flows of RFC 3665 section 3 by name, with the edge in the place of the (first) proxy. A second
 * proxy, where a flow has one, is the peer in the core, which adds its Via and its Record-Route.
 */
#include "agent.h"

#include <string.h>

#define PROXY2_RR "Record-Route: <sip:10.0.0.2:5060;lr>"

/* What Proxy 2 makes of a response of Bob: its Record-Route stands above ours. */
static const char *
through_proxy2(const char *response)
{
	return text_add_first(response, PROXY2_RR);
}

/* 3.1: INVITE F1, 180 F2, 200 F3, ACK F4, BYE F5 (from Bob), 200 F6. */
static void
s3_1_successful_session_establishment(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	call_answer(w, &call);
	call_ack(w, &call);
	world_wait(w, SECONDS(10));
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* 3.2: two proxies that both record-route. */
static void
s3_2_through_two_proxies(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *answer, *ack, *bye;

	call_invite(w, &call, &alice, &bob);                   /* F1 F2 F3 */
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL)); /* F5 */
	expect_absorbed(w);
	say(w, &bob, through_proxy2(ua_response(&bob, call.seen, 180, call.tag))); /* F7 */
	expect_status(w, &alice, 180, "INVITE");                                   /* F8 */
	answer = text_set(ua_response(&bob, call.seen, 200, call.tag), "Contact", "<sip:bob@10.99.0.1>");
	say(w, &bob, through_proxy2(answer));             /* F10 */
	answer = expect_status(w, &alice, 200, "INVITE"); /* F11 */
	call.caller = leg_caller(&alice, call.invite, answer);
	check_int(w, call.caller.route_count, 3);
	say(w, &alice, leg_ack(&call.caller)); /* F12 */
	ack = expect(w, &bob, "ACK");          /* F13 */
	check_text(w, text_header(ack, "Route"), "<sip:10.0.0.2:5060;lr>");
	check_text(w, text_uri(ack), "sip:bob@10.99.0.1");
	call.callee = leg_callee(&bob, call.seen, call.tag);            /* Proxy 2 took its own Route off */
	bye = leg_exchange_begin(w, &call.callee, &call.caller, "BYE"); /* F16 F17 */
	say(w, &alice, ua_response(&alice, bye, 200, NULL));            /* F18 */
	expect_status(w, &bob, 200, "BYE");                             /* F19 */
	check_dialogs(w, 1, 1);
}

static const char *
with_credentials(const char *invite, unsigned cseq, const char *credentials)
{
	invite = text_set(invite, "CSeq", text_printf("%u INVITE", cseq));
	invite = text_swap(invite, text_param(text_value(invite, "Via", 0), "branch"), ua_new_branch());
	return text_add(invite, credentials);
}

/* 3.3: 407 of Proxy 1 (here: of the next proxy), then 407 of Proxy 2, then the call. */
static void
s3_3_multiple_proxy_authentication(void **state)
{
	struct world *w = *state;
	struct call first, second, third;
	const char *one =
		"Proxy-Authorization: Digest username=\"alice\", realm=\"a\", nonce=\"1\", response=\"x\"";
	const char *two =
		"Proxy-Authorization: Digest username=\"alice\", realm=\"b\", nonce=\"2\", response=\"y\"";

	call_invite(w, &first, &alice, &bob);                                               /* F1 */
	call_refuse(w, &first, 407);                                                        /* F2 F3 */
	call_invite_with(w, &second, &alice, &bob, with_credentials(first.invite, 2, one)); /* F4 F5 F6 */
	call_refuse(w, &second, 407);                                                       /* F7-F10 */
	call_invite_with(w, &third, &alice, &bob, with_credentials(second.invite, 3, two)); /* F11-F13 */
	check_int(w, text_count(third.seen, "Proxy-Authorization"),
		8); /* two lines; commas are not ours to judge */
	call_ring(w, &third, 180);
	call_answer(w, &third);
	call_ack(w, &third);
	leg_bye(w, &third.callee, &third.caller);
	check_dialogs(w, 1, 1);
}

/* 3.4: the way is down (ICMP, or nobody answers); the next attempt gets through. */
static void
s3_4_proxy_failure(void **state)
{
	struct world *w = *state;
	struct call failed, call;
	const char *final;

	call_invite(w, &failed, &alice, &bob);
	world_flow_failed(w, &bob, failed.seen);
	final = expect_status(w, &alice, 503, "INVITE");
	say(w, &alice, ua_ack(failed.invite, final));
	expect_absorbed(w);
	call_invite_with(w, &call, &alice, &bob,
		text_swap(failed.invite, text_param(text_value(failed.invite, "Via", 0), "branch"),
			ua_new_branch()));
	call_ring(w, &call, 180);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* 3.5: through an ALG: the edge is in its place; BYE from the inside. */
static void
s3_5_through_an_alg(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *bye;

	call_up(w, &call, &alice, &bob);
	check_text(w, text_body(call.answer), SDP);
	bye = leg_exchange_begin(w, &call.callee, &call.caller, "BYE");
	check_text(w, text_sent_by(text_value(bye, "Via", 0)), EDGE_ACCESS);
	say(w, &alice, ua_response(&alice, bye, 200, NULL));
	expect_status(w, &bob, 200, "BYE");
	check_dialogs(w, 1, 1);
}

/* 3.6: 302 of a redirect server; then through the proxy, no offer in the INVITE, SDP in the ACK. */
static void
s3_6_redirect_and_sdp_in_ack(void **state)
{
	struct world *w = *state;
	struct call redirected, call;
	const char *invite, *ack;

	call_invite_with(w, &redirected, &alice, &bob, ua_request(&alice, "INVITE", "sip:bob@example.com"));
	call_refuse(w, &redirected, 302); /* F2 F3 */
	invite = with_credentials(redirected.invite, 2, "X-Redirected: yes");
	call_invite_with(w, &call, &alice, &bob, text_set_uri(invite, "sip:bob@chicago.example.com"));
	check_text(w, text_uri(call.seen), "sip:bob@chicago.example.com");
	call_ring(w, &call, 180);
	call_answer(w, &call);
	say(w, &alice, text_set_body(leg_ack(&call.caller), "application/sdp", SDP));
	expect_forwarded(w);
	ack = expect(w, &bob, "ACK");
	check_text(w, text_body(ack), SDP);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* 3.7: Bob's address changes; he re-INVITEs from the new one, with the new Contact. */
static void
s3_7_reinvite_after_address_change(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *invite, *seen, *bye;

	call_up(w, &call, &alice, &bob);
	call.callee.peer = &carol; /* where Bob is now */
	invite = leg_request(&call.callee, "INVITE");
	say(w, &carol, invite); /* F9 */
	expect_status(w, &carol, 100, "INVITE");
	seen = expect(w, &alice, "INVITE");
	check_text(w, text_address(text_header(seen, "Contact")), ua_contact(&carol));
	call.caller.target = ua_contact(&carol);
	say(w, &alice, ua_response(&alice, seen, 200, NULL)); /* F10 */
	expect_status(w, &carol, 200, "INVITE");
	say(w, &carol, leg_ack(&call.callee)); /* F11 */
	expect(w, &alice, "ACK");
	bye = leg_exchange_begin(w, &call.caller, &call.callee, "BYE"); /* F12 */
	check_text(w, text_uri(bye), ua_contact(&carol));
	say(w, &carol, ua_response(&carol, bye, 200, NULL)); /* F13 */
	expect_status(w, &alice, 200, "BYE");
	check_dialogs(w, 1, 1);
}

/* 3.8: no answer; Alice cancels. */
static void
s3_8_no_answer(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	call_ring(w, &call, 180);
	world_wait(w, SECONDS(20));
	call_cancelled(w, &call, call_cancel(w, &call)); /* F9-F20 */
	check_dialogs(w, 0, 0);
}

/* 3.9: busy. */
static void
s3_9_busy(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	call_refuse(w, &call, 486);
}

/* 3.10: Bob's phone is dead; Proxy 2 gives up after its timer B with 480. */
static void
s3_10_no_response_from_user_agent(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL)); /* F5 */
	world_wait(w, TIMER_64T1);
	expect_nothing(w);
	call_refuse(w, &call, 480); /* F12-F15 */
}

/* 3.10 with the edge as Proxy 2: it retransmits six times, then gives up (408, 16.8; the RFC's example has
 * 480). */
static void
s3_10_edge_as_proxy_2(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_wait(w, TIMER_64T1);
	check_int(w, world_take(w, &bob), 6);
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 408, "INVITE")));
	expect_absorbed(w);
}

/* 3.11: temporarily unavailable. */
static void
s3_11_temporarily_unavailable(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	call_ring(w, &call, 180);
	call_refuse(w, &call, 480);
}

static const struct CMUnitTest tests[] = {
	flow_test(s3_1_successful_session_establishment),
	flow_test(s3_2_through_two_proxies),
	flow_test(s3_3_multiple_proxy_authentication),
	flow_test(s3_4_proxy_failure),
	flow_test(s3_5_through_an_alg),
	flow_test(s3_6_redirect_and_sdp_in_ack),
	flow_test(s3_7_reinvite_after_address_change),
	flow_test(s3_8_no_answer),
	flow_test(s3_9_busy),
	flow_test(s3_10_no_response_from_user_agent),
	flow_test(s3_10_edge_as_proxy_2),
	flow_test(s3_11_temporarily_unavailable),
};

FLOW_TESTS_MAIN(tests)
