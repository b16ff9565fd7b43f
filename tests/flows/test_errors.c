/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the edge refuses by itself, without state: the same request gets the same response, To tag
 * included (8.2.7), and the ACK to it is absorbed. And what it drops, with the reason counted.
 * RFC 3261 8.2, 16.3, 16.5, 18.3; RFC 5393; RFC 4475.
 */
#include "agent.h"

#include <string.h>

/* Sends, expects this status twice in the same bytes, ACKs it when it was an INVITE. */
static const char *
refused(struct world *w, const struct peer *from, const char *request, unsigned status)
{
	const char *method = text_cseq_method(request);
	const char *response;

	say(w, from, request);
	expect_answered(w);
	response = expect_status(w, from, status, method);
	expect_nothing(w);
	check(w, text_tag(response, "To") != NULL);
	check_text(w, text_header(response, "Call-ID"), text_header(request, "Call-ID"));
	check_text(w, text_header(response, "From"), text_header(request, "From"));
	check_text(w, text_header(response, "CSeq"), text_header(request, "CSeq"));
	check_int(w, text_count(response, "Via"), text_count(request, "Via"));
	say(w, from, request);
	expect_same(w, expect_status(w, from, status, method), response);
	expect_nothing(w);
	if (strcmp(method, "INVITE") == 0) {
		say(w, from, ua_ack(request, response));
		expect_absorbed(w);
		expect_nothing(w);
	}
	check_int(w, world_sum(w)->requests[BP_OUT][BP_METHOD_INVITE], 0);
	return response;
}

static void
max_forwards_0(void **state)
{
	struct world *w = *state;
	static const char *const methods[] = {
		"INVITE", "BYE", "MESSAGE", "REGISTER", "SUBSCRIBE", "FROBNICATE"};

	for (unsigned i = 0; i < 6; i++)
		refused(w, &alice,
			text_set(ua_request(&alice, methods[i], "sip:bob@example.com"), "Max-Forwards", "0"),
			483);
}

/* 17: an ACK is never answered. */
static void
ack_with_max_forwards_0(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	say(w, &alice, text_set(leg_ack(&call.caller), "Max-Forwards", "0"));
	expect_dropped(w, ack_rejected);
	expect_nothing(w);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

static void
bad_max_forwards(void **state)
{
	struct world *w = *state;

	refused(w, &alice, text_set(ua_invite(&alice, "sip:bob@example.com"), "Max-Forwards", "many"), 400);
	refused(w, &alice, text_set(ua_invite(&alice, "sip:bob@example.com"), "Max-Forwards", "256"), 400);
	refused(w, &alice, text_set(ua_invite(&alice, "sip:bob@example.com"), "Max-Forwards", "-1"), 400);
}

/* 16.5: nowhere to send it. */
static void
no_route(void **state)
{
	struct world *w = *state;

	refused(w, &bob, ua_invite(&bob, "sip:alice@no-such-host.example.com"), 404);
	refused(w, &bob, ua_request(&bob, "MESSAGE", "sip:alice@example.com"), 404);
}

/* A user at the edge itself, from the core: the edge has no users. */
static void
no_user_here(void **state)
{
	struct world *w = *state;

	refused(w, &bob, ua_invite(&bob, "sip:alice@10.0.0.1:5060"), 404);
	refused(w, &bob, ua_invite(&bob, "sip:alice@192.0.2.1"), 404);
}

/* 16.3 step 2. */
static void
unknown_scheme(void **state)
{
	struct world *w = *state;

	refused(w, &alice, ua_invite(&alice, "mailto:bob@example.com"), 416);
	refused(w, &alice, ua_request(&alice, "OPTIONS", "nobodyKnowsThisScheme:totallyopaquecontent"), 416);
	refused(w, &bob, ua_invite(&bob, "http:alice"), 416);
}

/* 16.3 step 5: 420, and what is not supported. */
static void
proxy_require(void **state)
{
	struct world *w = *state;
	const char *invite = text_add(ua_invite(&alice, "sip:bob@example.com"), "Proxy-Require: foo, bar");
	const char *response = refused(w, &alice, invite, 420);

	check_int(w, text_count(response, "Unsupported"), 2);
	check_text(w, text_value(response, "Unsupported", 0), "foo");
	check_text(w, text_value(response, "Unsupported", 1), "bar");
	response = refused(w, &alice,
		text_add(ua_request(&alice, "OPTIONS", "sip:bob@example.com"), "Proxy-Require: sec-agree"),
		420);
	check_text(w, text_value(response, "Unsupported", 0), "sec-agree");
}

/* 8.2.2.3, 16.3: Require is for the far end. */
static void
require_passes(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite_with(
		w, &call, &alice, &bob, text_add(ua_invite(&alice, "sip:bob@example.com"), "Require: foo"));
	check_text(w, text_header(call.seen, "Require"), "foo");
	call_refuse(w, &call, 420);
}

static void
version(void **state)
{
	struct world *w = *state;
	const char *invite =
		text_swap(ua_invite(&alice, "sip:bob@example.com"), "SIP/2.0\r\n", "SIP/7.0\r\n");

	refused(w, &alice, invite, 505);
}

static void
malformed_requests(void **state)
{
	struct world *w = *state;
	const char *invite;

	invite = ua_invite(&alice, "sip:bob@example.com");
	refused(w, &alice, text_set(invite, "CSeq", "1 BYE"), 400);
	invite = ua_invite(&alice, "sip:bob@example.com");
	refused(w, &alice, text_set(invite, "Content-Length", "9999"), 400);
	invite = ua_invite(&alice, "sip:bob@example.com");
	refused(w, &alice, text_set(invite, "Content-Length", "-10"), 400);
	invite = ua_invite(&alice, "sip:bob@example.com");
	refused(w, &alice, text_set(invite, "CSeq", "36893488147419103232 INVITE"), 400);
}

/* What is missing makes it unanswerable, or 400: but it never goes on. */
static void
missing_headers(void **state)
{
	struct world *w = *state;
	static const char *const names[] = {"Via", "From", "To", "Call-ID", "CSeq"};

	for (unsigned i = 0; i < 5; i++) {
		say(w, &alice, text_delete(ua_invite(&alice, "sip:bob@example.com"), names[i]));
		check(w, w->fate == FATE_ANSWERED ||
				 (w->fate == FATE_DROPPED && w->drop == BP_DROP_request_malformed));
		check_int(w, world_take(w, &bob), 0);
		world_take(w, &alice);
		say(w, &alice, text_delete(ua_request(&alice, "OPTIONS", "sip:192.0.2.1"), names[i]));
		check(w, w->fate == FATE_ANSWERED ||
				 (w->fate == FATE_DROPPED && w->drop == BP_DROP_request_malformed));
		world_take(w, &alice);
	}
}

static void
repeated_headers(void **state)
{
	struct world *w = *state;
	static const char *const lines[] = {"From: <sip:x@example.com>;tag=1", "To: <sip:y@example.com>",
		"Call-ID: second", "CSeq: 2 INVITE", "Max-Forwards: 3", "Content-Length: 0"};

	for (unsigned i = 0; i < 6; i++) {
		say(w, &alice, text_add(ua_invite(&alice, "sip:bob@example.com"), lines[i]));
		check(w, w->fate == FATE_ANSWERED || w->fate == FATE_DROPPED);
		check_int(w, world_take(w, &bob), 0);
		world_take(w, &alice);
	}
}

static void
malformed_ack(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	say(w, &alice, text_set(leg_ack(&call.caller), "CSeq", "1 INVITE"));
	expect_dropped(w, ack_malformed);
	say(w, &alice, text_set(leg_ack(&call.caller), "Content-Length", "100"));
	expect_dropped(w, ack_malformed);
	expect_nothing(w);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

static void
malformed_responses(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *response;

	call_invite(w, &call, &alice, &bob);
	response = ua_response(&bob, call.seen, 200, call.tag);
	say(w, &bob, text_set(response, "Content-Length", "5000"));
	expect_dropped(w, response_malformed);
	say(w, &bob, text_delete(response, "Call-ID"));
	expect_dropped(w, response_malformed);
	say(w, &bob, text_swap(response, "UDP 192.0.2.10", "UDP 255.255.255.255")); /* RFC 4475 3.3.10 */
	expect_dropped(w, response_malformed);
	say(w, &bob, text_swap(response, "SIP/2.0 200", "SIP/2.0 20"));
	expect_dropped(w, response_malformed);
	say(w, &bob, text_swap(response, "SIP/2.0 200", "SIP/2.0 999"));
	check(w, w->fate == FATE_DROPPED);
	say(w, &bob, text_delete(response, "Via"));
	check(w, w->fate == FATE_DROPPED);
	expect_nothing(w);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* Keepalives and other nothings. */
static void
empty_datagrams(void **state)
{
	struct world *w = *state;

	say(w, &alice, "");
	expect_absorbed(w);
	say(w, &alice, "\r\n");
	expect_absorbed(w);
	say(w, &alice, "\r\n\r\n");
	expect_absorbed(w);
	say_bytes(w, &alice, "\0\0\0\0", 4);
	check(w, w->fate == FATE_DROPPED);
	say(w, &alice, "x");
	check(w, w->fate == FATE_DROPPED);
	expect_nothing(w);
}

/* 18.1.2: the top Via is not ours. */
static void
response_for_somebody_else(void **state)
{
	struct world *w = *state;

	say(w, &bob, ua_response(&bob, ua_invite(&alice, "sip:bob@example.com"), 200, "x"));
	expect_dropped(w, response_no_via);
	expect_nothing(w);
}

static void
response_with_forged_branch(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *branch, *response;

	call_invite(w, &call, &alice, &bob);
	branch = text_param(text_value(call.seen, "Via", 0), "branch");
	for (size_t i = 7; i < strlen(branch); i++) {
		char *forged = text_copy(branch, strlen(branch));

		forged[i] = forged[i] == '0' ? '1' : '0';
		response = text_swap(ua_response(&bob, call.seen, 200, call.tag), branch, forged);
		say(w, &bob, response);
		check(w, w->fate == FATE_DROPPED);
		check(w, w->drop == BP_DROP_response_forged_branch ||
				 w->drop == BP_DROP_response_stale_branch ||
				 w->drop == BP_DROP_response_stray_ack);
		expect_nothing(w);
	}
	response = text_swap(ua_response(&bob, call.seen, 200, call.tag), branch, "z9hG4bK");
	say(w, &bob, response);
	expect_dropped(w, response_forged_branch);
	response = text_swap(ua_response(&bob, call.seen, 200, call.tag), branch, text_printf("%sA", branch));
	say(w, &bob, response);
	expect_dropped(w, response_forged_branch);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

static void
response_with_stale_branch(void **state)
{
	struct world *w = *state;
	struct call call, next;

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	world_wait(w, SECONDS(120));
	say(w, &bob, ua_response(&bob, call.seen, 200, call.tag));
	expect_dropped(w, response_stale_branch);
	/* The record serves another call now: the old branch is still the old one. */
	call_invite(w, &next, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 200, call.tag));
	expect_dropped(w, response_stale_branch);
	expect_nothing(w);
	call_refuse(w, &next, 486);
}

static void
response_with_another_method(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, text_set(ua_response(&bob, call.seen, 200, call.tag), "CSeq", "1 BYE"));
	expect_dropped(w, response_method_mismatch);
	/* 9.1: a response to a CANCEL that was never sent. */
	say(w, &bob, text_set(ua_response(&bob, call.seen, 200, call.tag), "CSeq", "1 CANCEL"));
	check(w, w->fate == FATE_DROPPED || w->fate == FATE_ABSORBED);
	expect_nothing(w);
	call_refuse(w, &call, 486);
}

/* Only our Via stands in it: nobody to send it to. */
static void
response_without_callers_via(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *response, *via;

	call_invite(w, &call, &alice, &bob);
	response = ua_response(&bob, call.seen, 180, call.tag);
	via = text_printf("Via: %s\r\n", text_value(call.seen, "Via", 1));
	say(w, &bob, text_swap(response, via, ""));
	check(w, w->fate == FATE_DROPPED);
	expect_nothing(w);
	call_refuse(w, &call, 486);
}

/* 16.3 step 4, RFC 5393: what comes back just as it went would go round for ever. */
static void
loop(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *back, *response;

	call_invite(w, &call, &alice, &bob);
	back = text_add_first(call.seen, "Via: SIP/2.0/UDP 198.51.100.66:5060;branch=z9hG4bK-mallory");
	say(w, &mallory, back);
	expect_answered(w);
	response = expect_status(w, &mallory, 482, "INVITE");
	check_int(w, text_count(response, "Via"), 3);
	expect_nothing(w);
	say(w, &mallory, ua_ack(back, response));
	expect_absorbed(w);
	call_refuse(w, &call, 486);
}

/* 16.6: a spiral has another Request-URI when it comes back, and goes on. */
static void
spiral(void **state)
{
	struct world *w = *state;
	struct call call, second;
	const char *back;

	call_invite(w, &call, &alice, &bob);
	back = text_add_first(call.seen, "Via: SIP/2.0/UDP 198.51.100.66:5060;branch=z9hG4bK-spiral");
	back = text_set_uri(back, "sip:bob-at-home@example.com");
	call_invite_with(w, &second, &mallory, &bob, back);
	check_int(w, text_count(second.seen, "Via"), 4);
	check_int(w, text_count(second.seen, "Record-Route"), 4);
	call_answer(w, &second);
	/* The proxy in between passes the answer on, back through the edge. */
	say(w, &bob,
		text_swap(
			second.answer, text_printf("Via: %s\r\n", text_value(second.answer, "Via", 0)), ""));
	expect_forwarded(w);
	call.answer = expect_status(w, &alice, 200, "INVITE");
	check_int(w, text_count(call.answer, "Via"), 1);
	check_int(w, text_count(call.answer, "Record-Route"), 4);
	say(w, &alice, leg_ack(&second.caller));
	world_take(w, NULL);
	world_wait(w, SECONDS(200));
	world_take(w, NULL);
}

/* What others put into Vias before us is not a loop of ours. */
static void
others_vias_are_no_loop(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:bob@example.com");
	struct call call;

	invite = text_add(invite, "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-not-ours-at-all");
	invite = text_add(invite, "Via: SIP/2.0/UDP 192.0.2.1:5060");
	call_invite_with(w, &call, &alice, &bob, invite);
	call_refuse(w, &call, 486);
}

static void
draining(void **state)
{
	struct world *w = *state;
	const char *response;

	world_drain(w);
	response = refused(w, &alice, ua_invite(&alice, "sip:bob@example.com"), 503);
	check(w, text_header(response, "Retry-After") != NULL);
	response = refused(w, &alice, ua_request(&alice, "REGISTER", "sip:example.com"), 503);
	check(w, text_header(response, "Retry-After") != NULL);
	response = refused(w, &bob, ua_request(&bob, "OPTIONS", ua_contact(&alice)), 503);
	check(w, text_header(response, "Retry-After") != NULL);
}

/* Limits of the configuration. */
static void
over_the_limits(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:bob@example.com");
	char uri[2000];

	for (unsigned i = 0; i < 130; i++)
		invite = text_add(invite, text_printf("X-%u: y", i));
	refused(w, &alice, invite, 513);
	invite = ua_invite(&alice, "sip:bob@example.com");
	for (unsigned i = 0; i < 40; i++)
		invite = text_add(
			invite, text_printf("Via: SIP/2.0/UDP h%u.example.com;branch=z9hG4bK-%u", i, i));
	say(w, &alice, invite);
	expect_answered(w);
	expect_status(w, &alice, 513, "INVITE");
	memset(uri, 'a', sizeof(uri) - 1);
	memcpy(uri, "sip:", 4);
	memcpy(uri + sizeof(uri) - 14, "@example.com", 13);
	say(w, &alice, ua_request(&alice, "OPTIONS", uri));
	expect_answered(w);
	expect_status(w, &alice, 414, "OPTIONS");
	expect_nothing(w);
}

/* Pools run dry: 503 with Retry-After, nothing leaks, and when they fill again calls go again. */
static void
runs_dry(struct world *w, const char *body)
{
	static struct call calls[300];
	unsigned count = 0;
	const char *invite, *response;

	for (;;) {
		struct call *call = &calls[count];

		invite = ua_invite(&alice, "sip:bob@example.com");
		if (body)
			invite = text_set_body(invite, "text/plain", body);
		say(w, &alice, invite);
		if (w->fate != FATE_FORWARDED)
			break;
		*call = (struct call){.from = &alice, .to = &bob, .invite = invite, .tag = ua_new_tag()};
		expect_status(w, &alice, 100, "INVITE");
		call->seen = expect(w, &bob, "INVITE");
		expect_nothing(w);
		call_ring(w, call, 180);
		count++;
		check(w, count < 300);
	}
	check(w, count > 0);
	expect_answered(w);
	response = expect_status(w, &alice, 503, "INVITE");
	check(w, text_header(response, "Retry-After") != NULL);
	check(w, text_tag(response, "To") != NULL);
	expect_nothing(w);
	say(w, &alice, ua_ack(invite, response));
	expect_absorbed(w);
	for (unsigned i = 0; i < count; i++) {
		if (i % 2) {
			/* With nothing left what is up must go on. */
			say(w, &bob, ua_response(&bob, calls[i].seen, 486, calls[i].tag));
			expect_forwarded(w);
			expect(w, &bob, "ACK");
			say(w, &alice, ua_ack(calls[i].invite, expect_status(w, &alice, 486, "INVITE")));
			expect_absorbed(w);
		} else {
			call_answer(w, &calls[i]);
			call_ack(w, &calls[i]);
		}
	}
	world_wait(w, SECONDS(40));
	for (unsigned i = 0; i < count; i += 2) /* a BYE needs a record of its own */
		leg_bye(w, &calls[i].caller, &calls[i].callee);
	world_wait(w, SECONDS(40));
	call_up(w, &calls[0], &alice, &bob);
	leg_bye(w, &calls[0].caller, &calls[0].callee);
}

static void
transactions_run_dry(void **state)
{
	runs_dry(*state, NULL);
}

static void
dialogs_run_dry(void **state)
{
	runs_dry(*state, NULL);
}

static void
kept_memory_runs_dry(void **state)
{
	char body[4001];

	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	runs_dry(*state, body);
}

/* No transmit buffer now and then: retransmissions repair all. */
static void
no_transmit_buffer(void **state)
{
	struct world *w = *state;
	struct call call = {.from = &alice, .to = &bob, .tag = ua_new_tag()};
	const char *final;

	call.invite = ua_invite(&alice, "sip:bob@example.com");
	w->fail_reserves = 2;
	say(w, &alice, call.invite);
	expect_nothing(w);
	w->fail_reserves = 0;
	world_wait(w, T1);
	call.seen = expect(w, &bob, "INVITE");
	say(w, &alice, call.invite);
	expect_status(w, &alice, 100, "INVITE");
	call_ring(w, &call, 180);
	w->fail_reserves = 10;
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	w->fail_reserves = 0;
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect(w, &bob, "ACK");
	world_wait(w, T1);
	final = expect_status(w, &alice, 486, "INVITE");
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
}

static const struct world_options few_transactions = {
	.workers = 1, .transactions = 16, .dialogs = 512, .kept_bytes = 8 << 20};
static const struct world_options few_dialogs = {
	.workers = 1, .transactions = 1024, .dialogs = 8, .kept_bytes = 8 << 20};
static const struct world_options little_memory = {
	.workers = 1, .transactions = 1024, .dialogs = 512, .kept_bytes = 128 << 10};

static const struct CMUnitTest tests[] = {
	flow_test(max_forwards_0),
	flow_test(ack_with_max_forwards_0),
	flow_test(bad_max_forwards),
	flow_test(no_route),
	flow_test(no_user_here),
	flow_test(unknown_scheme),
	flow_test(proxy_require),
	flow_test(require_passes),
	flow_test(version),
	flow_test(malformed_requests),
	flow_test(missing_headers),
	flow_test(repeated_headers),
	flow_test(malformed_ack),
	flow_test(malformed_responses),
	flow_test(empty_datagrams),
	flow_test(response_for_somebody_else),
	flow_test(response_with_forged_branch),
	flow_test(response_with_stale_branch),
	flow_test(response_with_another_method),
	flow_test(response_without_callers_via),
	flow_test(loop),
	flow_test(spiral),
	flow_test(others_vias_are_no_loop),
	flow_test(draining),
	flow_test(over_the_limits),
	flow_test_with(transactions_run_dry, &few_transactions),
	flow_test_with(dialogs_run_dry, &few_dialogs),
	flow_test_with(kept_memory_runs_dry, &little_memory),
	flow_test(no_transmit_buffer),
};

FLOW_TESTS_MAIN(tests)
