/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Requests that are neither INVITE nor in a dialog: forwarded with state, answered once, repeated as
 * often as asked. RFC 3261 16, 17.1.2, 17.2.2; RFC 4320, 4321.
 */
#include "agent.h"

#include <string.h>

/* Forwarded, no 100; the response goes back. Returns the request as the core got it. */
static const char *
forwarded(struct world *w, const struct peer *from, const struct peer *to, const char *request)
{
	const char *seen;

	say(w, from, request);
	expect_forwarded(w);
	seen = expect(w, to, text_method(request));
	expect_nothing(w);
	return seen;
}

static const char *
answered(struct world *w, const struct peer *from, const struct peer *to, const char *seen, unsigned status)
{
	const char *response;

	say(w, from, ua_response(from, seen, status, "answer"));
	expect_forwarded(w);
	response = expect_status(w, to, status, text_method(seen));
	expect_nothing(w);
	return response;
}

static void
options_forwarded(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "OPTIONS", "sip:bob@example.com"), *seen, *response;

	seen = forwarded(w, &alice, &bob, request);
	check_int(w, text_count(seen, "Via"), 2);
	check_text(w, text_sent_by(text_value(seen, "Via", 0)), EDGE_CORE);
	check_text(w, text_header(seen, "Max-Forwards"), "69");
	check_text(w, text_uri(seen), "sip:bob@example.com");
	response = answered(w, &bob, &alice, seen, 200);
	check_int(w, text_count(response, "Via"), 1);
	check_text(w, text_tag(response, "To"), "answer");
	check_int(w, world_sum(w)->transactions_created[BP_KIND_NON_INVITE], 1);
	check_dialogs(w, 0, 0);
}

/* All methods that exist, and one that does not (16.3: a proxy does not care). */
static void
every_method(void **state)
{
	struct world *w = *state;
	static const char *const methods[] = {"OPTIONS", "REGISTER", "SUBSCRIBE", "NOTIFY", "REFER",
		"MESSAGE", "PUBLISH", "INFO", "FROBNICATE", "!.%*_+`'~", "invite"};

	for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		const char *request = ua_request(&alice, methods[i], "sip:bob@example.com");

		answered(w, &bob, &alice, forwarded(w, &alice, &bob, request), i % 2 ? 200 : 202);
		request = ua_request(&bob, methods[i], ua_contact(&alice));
		answered(w, &alice, &bob, forwarded(w, &bob, &alice, request), 405);
	}
}

static void
every_final_code(void **state)
{
	struct world *w = *state;
	static const unsigned codes[] = {200, 202, 204, 302, 400, 401, 403, 404, 405, 407, 415, 420, 423, 480,
		481, 489, 491, 500, 501, 513, 600, 603, 606, 699};

	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		answered(w, &bob, &alice,
			forwarded(w, &alice, &bob, ua_request(&alice, "MESSAGE", "sip:bob@example.com")),
			codes[i]);
}

static void
message_with_body(void **state)
{
	struct world *w = *state;
	const char *request = text_set_body(ua_request(&alice, "MESSAGE", "sip:bob@example.com"),
		"text/plain", "Watson, come here.\r\n\r\nINVITE x\r\n");
	const char *seen = forwarded(w, &alice, &bob, request);

	check_text(w, text_body(seen), text_body(request));
	check_text(w, text_header(seen, "Content-Type"), "text/plain");
	answered(w, &bob, &alice, seen, 200);
}

/* 17.2.2 Trying, RFC 4320 4.1: what comes again before there is a response is absorbed, without 100. */
static void
again_in_trying(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "OPTIONS", "sip:bob@example.com");
	const char *seen = forwarded(w, &alice, &bob, request);

	for (unsigned i = 0; i < 3; i++) {
		say(w, &alice, request);
		expect_absorbed(w);
		expect_nothing(w);
	}
	answered(w, &bob, &alice, seen, 200);
}

/* 17.2.2 Completed: the final response again, the very same, until timer J. */
static void
again_in_completed(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "OPTIONS", "sip:bob@example.com");
	const char *response = answered(w, &bob, &alice, forwarded(w, &alice, &bob, request), 200);
	static const uint64_t at[] = {0, MS(500), SECONDS(5), SECONDS(20), TIMER_64T1 - 1};

	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		world_run_until(w, at[i]);
		say(w, &alice, request);
		expect_answered(w);
		expect_same(w, expect_status(w, &alice, 200, "OPTIONS"), response);
		expect_nothing(w);
	}
	check_int(w, world_sum(w)->transactions_created[BP_KIND_NON_INVITE], 1);
}

/* A long response with headers and body of its own is repeated byte for byte as well. */
static void
long_response_again(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "SUBSCRIBE", "sip:bob@example.com"), *seen, *response;
	char body[3001];

	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	seen = forwarded(w, &alice, &bob, request);
	response = ua_response(&bob, seen, 200, "answer");
	response = text_add(response, "Expires: 3600\r\nContact: <sip:bob@10.0.0.2>\r\nServer: some");
	say(w, &bob, text_set_body(response, "text/plain", body));
	response = expect_status(w, &alice, 200, "SUBSCRIBE");
	check_text(w, text_body(response), body);
	say(w, &alice, request);
	expect_same(w, expect_status(w, &alice, 200, "SUBSCRIBE"), response);
}

/* A final response that comes again is absorbed: upstream has its own timers (17.1.2.2 Completed). */
static void
final_again(void **state)
{
	struct world *w = *state;
	const char *seen = forwarded(w, &alice, &bob, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));

	answered(w, &bob, &alice, seen, 200);
	say(w, &bob, ua_response(&bob, seen, 200, "answer"));
	check(w, w->fate != FATE_FORWARDED);
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, seen, 404, "answer"));
	check(w, w->fate != FATE_FORWARDED);
	expect_nothing(w);
}

/* 100 from downstream goes no further (16.7 step 5). */
static void
trying_absorbed(void **state)
{
	struct world *w = *state;
	const char *seen = forwarded(w, &alice, &bob, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));

	say(w, &bob, ua_response(&bob, seen, 100, NULL));
	expect_absorbed(w);
	expect_nothing(w);
	answered(w, &bob, &alice, seen, 200);
}

/* RFC 4320 4.1: no other 1xx to a non-INVITE; if one comes, it does no harm. */
static void
ringing_to_options(void **state)
{
	struct world *w = *state;
	const char *seen = forwarded(w, &alice, &bob, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));

	say(w, &bob, ua_response(&bob, seen, 180, "answer"));
	expect_absorbed(w);
	expect_nothing(w);
	answered(w, &bob, &alice, seen, 200);
}

/* RFC 4320 4.2: no 408 to a non-INVITE. RFC 4321 1.4: it would come too late for anybody. */
static void
callee_dead(void **state)
{
	struct world *w = *state;
	const char *seen = forwarded(w, &alice, &bob, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));

	world_wait(w, TIMER_64T1 + SECONDS(1));
	check_int(w, world_take(w, &bob), 10);
	expect_status(w, &alice, 100, "OPTIONS");
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, seen, 200, "answer"));
	expect_dropped(w, response_stale_branch);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_NON_INVITE], 1);
}

/* 18.4: ICMP says that the next hop is not there: as if 503 had come. */
static void
callee_unreachable(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "OPTIONS", "sip:bob@example.com");
	const char *seen = forwarded(w, &alice, &bob, request), *response;

	world_flow_failed(w, &bob, seen);
	response = expect_status(w, &alice, 503, "OPTIONS");
	expect_nothing(w);
	say(w, &alice, request);
	expect_same(w, expect_status(w, &alice, 503, "OPTIONS"), response);
}

/* 17.1.4, figure 6: an OPTIONS is sent again in Proceeding, too, and fails as in Trying. */
static void
callee_unreachable_in_proceeding(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "OPTIONS", "sip:bob@example.com");
	const char *seen = forwarded(w, &alice, &bob, request);

	say(w, &bob, ua_response(&bob, seen, 100, NULL));
	expect_absorbed(w);
	world_wait(w, T1);
	expect_same(w, expect(w, &bob, "OPTIONS"), seen);
	world_flow_failed(w, &bob, seen);
	expect_status(w, &alice, 503, "OPTIONS");
	world_wait(w, TIMER_64T1 - T1);
	expect_nothing(w);
	world_wait(w, T1 + MS(1));
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_NON_INVITE], 1);
}

/* 11.2: OPTIONS to the edge itself; a host without user is ours to answer. */
static void
options_to_the_edge(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "OPTIONS", "sip:192.0.2.1:5060"), *response;

	say(w, &alice, request);
	expect_answered(w);
	response = expect_status(w, &alice, 200, "OPTIONS");
	check(w, text_tag(response, "To") != NULL);
	for (unsigned i = 0; i < 5; i++) /* 11.2 */
		check(w, text_header(response, (const char *const[]){"Allow", "Accept", "Accept-Encoding", "Accept-Language",
						       "Supported"}[i]) != NULL);
	say(w, &alice, request);
	expect_same(w, expect_status(w, &alice, 200, "OPTIONS"), response);
	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:192.0.2.1"));
	expect_status(w, &alice, 200, "OPTIONS");
	say(w, &bob, ua_request(&bob, "OPTIONS", "sip:10.0.0.1:5060"));
	expect_status(w, &bob, 200, "OPTIONS");
	say(w, &alice6, ua_request(&alice6, "OPTIONS", "sip:[2001:db8:1::1]:5060"));
	expect_status(w, &alice6, 200, "OPTIONS");
	expect_nothing(w);
}

/* 11: Max-Forwards 0 makes whoever has it the one to answer: 200 or 483. */
static void
options_for_the_last_hop(void **state)
{
	struct world *w = *state;

	say(w, &alice, text_set(ua_request(&alice, "OPTIONS", "sip:192.0.2.1"), "Max-Forwards", "0"));
	expect_answered(w);
	check_int(w, world_take(w, &alice), 1);
	say(w, &alice, text_set(ua_request(&alice, "OPTIONS", "sip:bob@example.com"), "Max-Forwards", "0"));
	expect_answered(w);
	check_int(w, world_take(w, &alice), 1);
	expect_nothing(w);
}

/* The same Call-ID and CSeq with another branch is another transaction. */
static void
branch_decides(void **state)
{
	struct world *w = *state;
	const char *one = ua_request(&alice, "OPTIONS", "sip:bob@example.com"), *two, *seen_one, *seen_two;

	two = text_swap(one, text_param(text_value(one, "Via", 0), "branch"), ua_new_branch());
	seen_one = forwarded(w, &alice, &bob, one);
	seen_two = forwarded(w, &alice, &bob, two);
	answered(w, &bob, &alice, seen_two, 200);
	answered(w, &bob, &alice, seen_one, 404);
}

/* 17.2.3: same branch and sent-by, another method: another transaction. */
static void
method_decides(void **state)
{
	struct world *w = *state;
	const char *one = ua_request(&alice, "OPTIONS", "sip:bob@example.com"), *two, *seen_one, *seen_two;

	two = text_set_method(one, "MESSAGE");
	seen_one = forwarded(w, &alice, &bob, one);
	seen_two = forwarded(w, &alice, &bob, two);
	answered(w, &bob, &alice, seen_two, 200);
	answered(w, &bob, &alice, seen_one, 404);
	say(w, &alice, one);
	expect_status(w, &alice, 404, "OPTIONS");
	say(w, &alice, two);
	expect_status(w, &alice, 200, "MESSAGE");
}

/* 17.1.3: the response's CSeq method must be that of the request. */
static void
response_with_another_method(void **state)
{
	struct world *w = *state;
	const char *seen = forwarded(w, &alice, &bob, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));

	say(w, &bob, text_set(ua_response(&bob, seen, 200, "answer"), "CSeq", "1 INFO"));
	expect_dropped(w, response_method_mismatch);
	expect_nothing(w);
	answered(w, &bob, &alice, seen, 200);
}

/* A hundred registrations of one phone. */
static void
register_refreshed(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "REGISTER", "sip:example.com"), *seen;

	for (unsigned i = 1; i <= 100; i++) {
		request = text_set(request, "CSeq", text_printf("%u REGISTER", i));
		request = text_swap(
			request, text_param(text_value(request, "Via", 0), "branch"), ua_new_branch());
		seen = forwarded(w, &alice, &bob, request);
		if (i % 2) {
			say(w, &bob,
				text_add(ua_response(&bob, seen, 401, "r"),
					"WWW-Authenticate: Digest realm=\"x\""));
			expect_status(w, &alice, 401, "REGISTER");
		} else {
			answered(w, &bob, &alice, seen, 200);
		}
		world_wait(w, SECONDS(30));
	}
}

/* RFC 2543 client: no branch (17.2.3). */
static void
rfc2543_client(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "OPTIONS", "sip:bob@example.com"), *seen, *response;

	request = text_swap(request, text_value(request, "Via", 0), "SIP/2.0/UDP 192.0.2.10:5060");
	seen = forwarded(w, &alice, &bob, request);
	say(w, &alice, request);
	expect_absorbed(w);
	response = answered(w, &bob, &alice, seen, 200);
	say(w, &alice, request);
	expect_same(w, expect_status(w, &alice, 200, "OPTIONS"), response);
	seen = forwarded(w, &alice, &bob, text_set(request, "CSeq", "2 OPTIONS"));
	answered(w, &bob, &alice, seen, 200);
}

/* RFC 6665: SUBSCRIBE makes a dialog too; NOTIFY finds its way back by the tokens, and so does the refresh.
 */
static void
subscribe_and_notify(void **state)
{
	struct world *w = *state;
	const char *request = text_add(
			   ua_request(&alice, "SUBSCRIBE", "sip:bob@example.com"), "Event: presence"),
		   *seen;
	struct leg subscriber, notifier;
	const char *response;

	seen = forwarded(w, &alice, &bob, request);
	check_int(w, text_count(seen, "Record-Route"), 2);
	response = text_add(
		ua_response(&bob, seen, 200, "answer"), "Contact: <sip:bob@10.0.0.2:5060>\r\nExpires: 60");
	say(w, &bob, response);
	response = expect_status(w, &alice, 200, "SUBSCRIBE");
	subscriber = leg_caller(&alice, request, response);
	notifier = leg_callee(&bob, seen, "answer");
	leg_exchange(w, &notifier, &subscriber, "NOTIFY", 200);
	leg_exchange(w, &subscriber, &notifier, "SUBSCRIBE", 200);
	leg_exchange(w, &notifier, &subscriber, "NOTIFY", 481);
	check_dialogs(w, 0, 0);
}

static const struct CMUnitTest tests[] = {
	flow_test(options_forwarded),
	flow_test(every_method),
	flow_test(every_final_code),
	flow_test(message_with_body),
	flow_test(again_in_trying),
	flow_test(again_in_completed),
	flow_test(long_response_again),
	flow_test(final_again),
	flow_test(trying_absorbed),
	flow_test(ringing_to_options),
	flow_test(callee_dead),
	flow_test(callee_unreachable),
	flow_test(callee_unreachable_in_proceeding),
	flow_test(options_to_the_edge),
	flow_test(options_for_the_last_hop),
	flow_test(branch_decides),
	flow_test(method_decides),
	flow_test(response_with_another_method),
	flow_test(register_refreshed),
	flow_test(rfc2543_client),
	flow_test(subscribe_and_notify),
};

FLOW_TESTS_MAIN(tests)
