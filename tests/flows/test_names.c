/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Next hops that are names: an answer that is known is used at once, a request whose name is not known
 * waits, once, with a limit and a time. RFC 3263 4.1 to 4.3, RFC 2782; RFC 3261 9.2, 16.7, 17.2 for what
 * comes meanwhile. Who answers the questions is the test.
 */
#include "agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "sip:alice@phones.example.com"
#define WAIT SECONDS(4)

static const struct peer phone1 = {"phone1", "192.0.2.71", 5060, ACCESS};
static const struct peer phone2 = {"phone2", "192.0.2.72", 5070, ACCESS};
static const struct peer phone3 = {"phone3", "192.0.2.73", 5060, ACCESS};

static void
known(struct world *w, const char *host, uint16_t port, const struct peer *at)
{
	world_name(w, host, port, BP_NAME_FOUND);
	world_name_at(w, at, 0, 0, 0);
}

/* The request waits; the caller of an INVITE has his 100. */
static void
parked(struct world *w, struct call *call, const struct peer *from, const char *uri)
{
	*call = (struct call){.from = from, .uri = uri, .invite = ua_invite(from, uri), .tag = ua_new_tag()};
	say(w, from, call->invite);
	expect_parked(w);
	expect_status(w, from, 100, "INVITE");
	expect_nothing(w);
}

static void
goes_on(struct world *w, struct call *call, const struct peer *to)
{
	world_wait(w, MS(60));
	call->to = to;
	call->seen = expect(w, to, "INVITE");
	expect_nothing(w);
	check_text(w, text_uri(call->seen), call->uri); /* RFC 3263 4: the URI is not rewritten */
	check_text(w, text_header(call->seen, "Max-Breadth"), "60");
	check_int(w, world_sum(w)->messages_parked, 0);
}

/* The edge's own final response to what waited: repeated, and ACKed like any other. */
static void
refused_late(struct world *w, struct call *call, unsigned status)
{
	const char *response = expect_status(w, call->from, status, "INVITE");

	expect_nothing(w);
	check_int(w, world_sum(w)->messages_parked, 0);
	say(w, call->from, call->invite);
	expect_answered(w);
	expect_same(w, expect_status(w, call->from, status, "INVITE"), response);
	say(w, call->from, ua_ack(call->invite, response));
	expect_absorbed(w);
	expect_nothing(w);
	check_int(w, text_count(response, "Via"), 1);
}

static void
refused_at_once(struct world *w, const struct peer *from, const char *uri, unsigned status)
{
	const char *invite = ua_invite(from, uri);

	say(w, from, invite);
	expect_answered(w);
	say(w, from, ua_ack(invite, expect_status(w, from, status, "INVITE")));
	expect_absorbed(w);
	expect_nothing(w);
}

static void
answer_at_hand(void **state)
{
	struct world *w = *state;
	struct call call;

	known(w, "phones.example.com", 0, &phone1);
	call_invite_with(w, &call, &bob, &phone1, ua_invite(&bob, "sip:alice@Phones.EXAMPLE.com."));
	check_text(w, text_uri(call.seen), "sip:alice@Phones.EXAMPLE.com.");
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_int(w, w->names_asked, 0);
	check_int(w, world_sum(w)->names_parked, 0);
}

static void
waits_and_goes_on(void **state)
{
	struct world *w = *state;
	struct call call;

	parked(w, &call, &bob, NAME);
	check_int(w, w->names_asked, 1);
	check_int(w, world_sum(w)->messages_parked, 1);
	world_wait(w, SECONDS(1));
	expect_nothing(w);
	known(w, "phones.example.com", 0, &phone1);
	goes_on(w, &call, &phone1);
	call_ring(w, &call, 180);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_reinvite(w, &call.callee, &call.caller);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
	check_int(w, world_sum(w)->names_parked, 1);
}

/* What cannot be forwarded need not wait (RFC 5393 5.3.3). */
static void
without_breadth(void **state)
{
	struct world *w = *state;
	const char *invite = text_add_first(ua_invite(&bob, NAME), "Max-Breadth: 0");

	say(w, &bob, invite);
	say(w, &bob, ua_ack(invite, expect_status(w, &bob, 440, "INVITE")));
	expect_nothing(w);
	check_int(w, world_sum(w)->names_parked, 0);
}

/* A port in the URI: another question, without SRV (4.2). */
static void
port_is_another_question(void **state)
{
	struct world *w = *state;
	struct call call;

	known(w, "phones.example.com", 0, &phone1);
	parked(w, &call, &bob, NAME ":5070");
	known(w, "phones.example.com", 5070, &phone2);
	goes_on(w, &call, &phone2);
	call_refuse(w, &call, 486);
}

/* 4: TARGET is the maddr. */
static void
maddr_is_the_target(void **state)
{
	struct world *w = *state;
	struct call call;

	known(w, "gate.example.com", 0, &phone1);
	call_invite_with(w, &call, &bob, &phone1, ua_invite(&bob, "sip:x@elsewhere.example.com;maddr=gate.example.com"));
	call_refuse(w, &call, 486);
	check_int(w, w->names_asked, 0);
}

/* 4.1: only UDP is spoken here. */
static void
other_transports(void **state)
{
	struct world *w = *state;
	struct call call;

	known(w, "phones.example.com", 0, &phone1);
	refused_at_once(w, &bob, NAME ";transport=tcp", 404);
	refused_at_once(w, &bob, NAME ";transport=sctp", 404);
	refused_at_once(w, &bob, NAME ";x=y;Transport=ws", 404);
	call_invite_with(w, &call, &bob, &phone1, ua_invite(&bob, NAME ";transport=UDP"));
	call_refuse(w, &call, 486);
	check_int(w, w->names_asked, 0);
}

/* A Route decides before the Request-URI (RFC 3261 16.6 step 6, 7). */
static void
route_is_a_name(void **state)
{
	struct world *w = *state;
	const char *invite = text_add_first(ua_invite(&bob, NAME), "Route: <sip:next.example.com;lr>");
	struct call call = {.from = &bob, .uri = NAME, .invite = invite, .tag = "t"};

	say(w, &bob, invite);
	expect_parked(w);
	expect_status(w, &bob, 100, "INVITE");
	known(w, "phones.example.com", 0, &phone1);
	world_wait(w, MS(60));
	expect_nothing(w);
	known(w, "next.example.com", 0, &phone2);
	goes_on(w, &call, &phone2);
	check_text(w, text_header(call.seen, "Route"), "<sip:next.example.com;lr>");
	call_refuse(w, &call, 486);
}

/* What is not known at all gets 404; as a Route, 480; no answer from any name server, 503 with Retry-After. */
static void
no_such_name(void **state)
{
	struct world *w = *state;
	const char *invite = text_add_first(ua_invite(&bob, NAME), "Route: <sip:none.example.com;lr>"), *response;
	struct call call;

	world_name(w, "none.example.com", 0, BP_NAME_NONE);
	world_name(w, "failed.example.com", 0, BP_NAME_FAILED);
	refused_at_once(w, &bob, "sip:x@none.example.com", 404);
	say(w, &bob, invite);
	expect_status(w, &bob, 480, "INVITE");
	invite = ua_invite(&bob, "sip:x@failed.example.com");
	say(w, &bob, invite);
	response = expect_status(w, &bob, 503, "INVITE");
	check(w, text_header(response, "Retry-After") != NULL);
	parked(w, &call, &bob, "sip:x@later.example.com");
	world_name(w, "later.example.com", 0, BP_NAME_NONE);
	world_wait(w, MS(60));
	refused_late(w, &call, 404);
	parked(w, &call, &bob, "sip:x@dead.example.com");
	world_name(w, "dead.example.com", 0, BP_NAME_FAILED);
	world_wait(w, MS(60));
	refused_late(w, &call, 503);
}

/* Names that no host can have are not asked for. */
static void
no_name_at_all(void **state)
{
	struct world *w = *state;
	char uri[400] = "sip:x@";

	for (unsigned i = 0; i < 64; i++)
		strcat(uri, "a");
	strcat(uri, ".example.com");
	refused_at_once(w, &bob, uri, 404);
	strcpy(uri, "sip:x@");
	for (unsigned i = 0; i < 50; i++)
		strcat(uri, "label.");
	strcat(uri, "com");
	refused_at_once(w, &bob, uri, 404);
	check_int(w, w->names_asked, 0);
}

static void
nobody_answers(void **state)
{
	struct world *w = *state;
	struct call call;

	parked(w, &call, &bob, NAME);
	world_run_until(w, WAIT - 1);
	expect_nothing(w);
	world_run_until(w, WAIT);
	refused_late(w, &call, 503);
	expect_at(w, WAIT);
	check_int(w, world_sum(w)->names_timeout, 1);
	/* asked again, the name is asked for again */
	parked(w, &call, &bob, NAME);
	check_int(w, w->names_asked, 2);
	known(w, "phones.example.com", 0, &phone1);
	goes_on(w, &call, &phone1);
	call_refuse(w, &call, 486);
}

/* Retransmissions meanwhile: 100 again for an INVITE, nothing for another; no second question, no second way. */
static void
repeated_meanwhile(void **state)
{
	struct world *w = *state;
	const char *message = ua_request(&bob, "MESSAGE", NAME);
	struct call call;

	parked(w, &call, &bob, NAME);
	for (unsigned i = 0; i < w->options.workers; i++) {
		w->worker = (uint16_t)i;
		say(w, &bob, call.invite);
		expect_answered(w);
		expect_status(w, &bob, 100, "INVITE");
		expect_nothing(w);
	}
	w->worker = 0;
	say(w, &bob, message);
	expect_parked(w);
	for (unsigned i = 0; i < w->options.workers; i++) {
		w->worker = (uint16_t)i;
		say(w, &bob, message);
		expect_absorbed(w);
	}
	expect_nothing(w);
	check_int(w, w->names_asked, 2);
	known(w, "phones.example.com", 0, &phone1);
	world_wait(w, MS(60));
	call.to = &phone1;
	call.seen = expect(w, &phone1, "INVITE");
	message = expect(w, &phone1, "MESSAGE");
	expect_nothing(w);
	say(w, &phone1, ua_response(&phone1, message, 200, "m"));
	expect_forwarded(w);
	expect_status(w, &bob, 200, "MESSAGE");
	call_refuse(w, &call, 486);
}

/* 9.2: 200 to the CANCEL, 487 to the INVITE, which goes nowhere any more; by whichever worker. */
static void
cancelled_meanwhile(void **state)
{
	struct world *w = *state;
	struct call call;

	for (unsigned i = 0; i < w->options.workers; i++) {
		w->worker = 0;
		parked(w, &call, &bob, NAME);
		w->worker = (uint16_t)i;
		say(w, &bob, ua_cancel(call.invite));
		expect_answered(w);
		expect_status(w, &bob, 200, "CANCEL");
		say(w, &bob, ua_cancel(call.invite));
		expect_answered(w);
		expect_status(w, &bob, 200, "CANCEL");
		world_wait(w, MS(60));
		refused_late(w, &call, 487);
	}
	known(w, "phones.example.com", 0, &phone1);
	world_wait(w, SECONDS(60));
	expect_nothing(w);
	check_int(w, world_sum(w)->cancel_outcomes[BP_CANCEL_before_1xx], w->options.workers);
}

/* A CANCEL and the answer at the same time: the CANCEL was first. */
static void
cancelled_as_the_answer_comes(void **state)
{
	struct world *w = *state;
	struct call call;

	parked(w, &call, &bob, NAME);
	say(w, &bob, ua_cancel(call.invite));
	expect_status(w, &bob, 200, "CANCEL");
	known(w, "phones.example.com", 0, &phone1);
	world_wait(w, MS(60));
	refused_late(w, &call, 487);
}

/* A CANCEL of a pending non-INVITE is answered; the request's own answer decides. */
static void
cancelled_after_it_went_on(void **state)
{
	struct world *w = *state;
	struct call call;

	parked(w, &call, &bob, NAME);
	known(w, "phones.example.com", 0, &phone1);
	goes_on(w, &call, &phone1);
	say(w, &bob, ua_cancel(call.invite));
	expect_status(w, &bob, 200, "CANCEL");
	expect_nothing(w); /* held until the first 1xx (9.1) */
	say(w, &phone1, ua_response(&phone1, call.seen, 180, call.tag));
	expect_status(w, &bob, 180, "INVITE");
	call_cancelled(w, &call, expect(w, &phone1, "CANCEL"));
}

static void
not_too_many(void **state)
{
	struct world *w = *state;
	struct call calls[4];

	for (unsigned i = 0; i < 4; i++)
		parked(w, &calls[i], &bob, NAME);
	refused_at_once(w, &bob, NAME, 503);
	check_int(w, world_sum(w)->names_park_full, 1);
	check_int(w, world_sum(w)->messages_parked, 4);
	check_int(w, w->names_asked, 5); /* control asks for a name once, however often it is told */
	known(w, "phones.example.com", 0, &phone1);
	world_wait(w, MS(60));
	for (unsigned i = 0; i < 4; i++) {
		calls[i].seen = expect(w, &phone1, "INVITE");
		calls[i].to = &phone1;
	}
	expect_nothing(w);
	for (unsigned i = 0; i < 4; i++)
		call_refuse(w, &calls[i], 486);
}

static void
no_question_is_taken(void **state)
{
	struct world *w = *state;

	w->names_busy = true;
	refused_at_once(w, &bob, NAME, 503);
	check_int(w, world_sum(w)->names_parked, 0);
}

/* What was known is forgotten again before the request had its turn: it waits on. */
static void
forgotten_again(void **state)
{
	struct world *w = *state;
	struct call call;

	parked(w, &call, &bob, NAME);
	world_wait(w, SECONDS(1));
	known(w, "phones.example.com", 0, &phone1);
	world_names_forget(w);
	world_wait(w, MS(60));
	expect_nothing(w);
	world_run_until(w, WAIT);
	refused_late(w, &call, 503);
}

/* Drained: what waits goes on, what is new does not begin. */
static void
drained_meanwhile(void **state)
{
	struct world *w = *state;
	struct call call;

	parked(w, &call, &bob, NAME);
	world_drain(w);
	refused_at_once(w, &bob, NAME, 503);
	known(w, "phones.example.com", 0, &phone1);
	goes_on(w, &call, &phone1);
	call_refuse(w, &call, 486);
}

/* The worker stops: who waits is told. */
static void
stopped_meanwhile(void **state)
{
	struct world *w = *state;
	struct call call;

	parked(w, &call, &bob, NAME);
	world_restart(w);
	expect_status(w, &bob, 503, "INVITE");
	check_int(w, world_sum(w)->messages_parked, 0);
}

/* RFC 2782, RFC 3263 4.3: by priority, each with a branch of its own; all addresses of a server before the next one. */
static void
further_servers(void **state)
{
	struct world *w = *state;
	const char *first;
	struct call call;

	world_name(w, "phones.example.com", 0, BP_NAME_FOUND);
	world_name_at(w, &phone1, 10, 1, 0);
	world_name_at(w, &phone2, 10, 1, 0);
	world_name_at(w, &phone3, 20, 1, 1);
	call_invite_with(w, &call, &bob, &phone1, ua_invite(&bob, NAME));
	first = call.seen;
	say(w, &phone1, ua_response(&phone1, call.seen, 503, "t1"));
	expect(w, &phone1, "ACK");
	call.seen = expect(w, &phone2, "INVITE");
	check(w, strcmp(text_value(first, "Via", 0), text_value(call.seen, "Via", 0)) != 0);
	world_flow_failed(w, &phone2, call.seen);
	call.seen = expect(w, &phone3, "INVITE");
	expect_nothing(w);
	call.to = &phone3;
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.callee, &call.caller);
}

/* Silence until timer B is a failure too (4.3); the last one's decides. */
static void
further_servers_after_silence(void **state)
{
	struct world *w = *state;
	struct call call;

	parked(w, &call, &bob, NAME);
	world_name(w, "phones.example.com", 0, BP_NAME_FOUND);
	world_name_at(w, &phone1, 10, 1, 0);
	world_name_at(w, &phone2, 20, 1, 1);
	goes_on(w, &call, &phone1);
	world_wait(w, TIMER_64T1);
	check_int(w, world_take(w, &phone1), 6);
	call.seen = expect(w, &phone2, "INVITE");
	call.to = &phone2;
	say(w, &phone2, ua_response(&phone2, call.seen, 503, "t2"));
	expect(w, &phone2, "ACK");
	call.answer = expect_status(w, &bob, 500, "INVITE"); /* RFC 3261 16.7 step 6 */
	say(w, &bob, ua_ack(call.invite, call.answer));
	expect_absorbed(w);
}

/* A definite answer ends the search: only 503, ICMP and silence go on. */
static void
no_further_server_after_an_answer(void **state)
{
	struct world *w = *state;
	struct call call;

	world_name(w, "phones.example.com", 0, BP_NAME_FOUND);
	world_name_at(w, &phone1, 10, 1, 0);
	world_name_at(w, &phone2, 20, 1, 1);
	call_invite_with(w, &call, &bob, &phone1, ua_invite(&bob, NAME));
	call_refuse(w, &call, 486);
}

static bool
is_at(const struct world *w, const struct peer *peer)
{
	struct bp_flow flow = peer_flow(peer);

	return bp_flow_equal(&w->last_flow, &flow);
}

/* RFC 2782: shares by weight among those of one priority; the same call always finds the same. */
static void
servers_by_weight(void **state)
{
	struct world *w = *state;
	const struct peer *phones[] = {&phone1, &phone2, &phone3};
	unsigned first[3] = {0}, second[3] = {0};

	world_name(w, "phones.example.com", 0, BP_NAME_FOUND);
	world_name_at(w, &phone1, 5, 0, 0);
	world_name_at(w, &phone2, 5, 30, 1);
	world_name_at(w, &phone3, 5, 60, 2);
	for (unsigned i = 0; i < 200; i++) {
		const char *message = ua_request(&bob, "MESSAGE", NAME), *seen = NULL;
		unsigned at = 0;

		say(w, &bob, message);
		seen = expect_anywhere(w, "MESSAGE");
		while (at < 2 && !is_at(w, phones[at]))
			at++;
		first[at]++;
		world_flow_failed(w, phones[at], seen);
		seen = expect_anywhere(w, "MESSAGE");
		for (unsigned k = 0; k < 3; k++)
			if (is_at(w, phones[k])) {
				check(w, k != at);
				second[k]++;
				say(w, phones[k], ua_response(phones[k], seen, 200, "t"));
			}
		expect_status(w, &bob, 200, "MESSAGE");
	}
	check(w, first[0] < 20); /* one in ninety-one */
	check(w, first[1] > 40 && first[1] < 95);
	check(w, first[2] > 100 && first[2] < 160);
	check(w, second[0] > 0 && second[1] > 0 && second[2] > 0);
}

/* Addresses that the realm cannot reach, and our own, are left out. */
static void
addresses_that_are_no_use(void **state)
{
	struct world *w = *state;
	static const struct peer us = {"us", "192.0.2.1", 5060, ACCESS};
	struct call call;

	world_name(w, "phones.example.com", 0, BP_NAME_FOUND);
	world_name_at(w, &us, 1, 0, 0);
	world_name_at(w, &alice6, 1, 0, 0);
	world_name_at(w, &phone1, 1, 0, 0);
	world_name(w, "ours.example.com", 0, BP_NAME_FOUND);
	world_name_at(w, &us, 1, 0, 0);
	call_invite_with(w, &call, &bob, &alice6, ua_invite(&bob, NAME));
	call_refuse(w, &call, 486);
	refused_at_once(w, &bob, "sip:x@ours.example.com", 404);
}

/* ---- trunks whose targets are names ---- */

static struct bp_name_key *
key_of(const char *host)
{
	struct bp_name_key *key = calloc(1, sizeof(*key));

	if (!bp_name_key_make(key, host, strlen(host), 0))
		abort();
	return key;
}

static void
name_the_targets(struct bp_config *config)
{
	world_config_two_targets(config, 1, 2);
	config->trunks[0].named = true;
	config->trunks[0].targets[0].name = key_of("a.example.com");
}

static void
fork_the_targets(struct bp_config *config)
{
	name_the_targets(config);
	config->trunks[0].parallel = true;
	config->trunks[0].targets[1].priority = 1;
}

static const struct world_options plain = {
	.workers = 1, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20, .names = true};
static const struct world_options two_workers = {
	.workers = 2, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20, .names = true};
static const struct world_options trunk = {.workers = 1,
	.transactions = 1024,
	.dialogs = 512,
	.kept_bytes = 8 << 20,
	.names = true,
	.prepare = name_the_targets};
static const struct world_options forking = {.workers = 1,
	.transactions = 1024,
	.dialogs = 512,
	.kept_bytes = 8 << 20,
	.names = true,
	.prepare = fork_the_targets};

/* A target that nothing is known of is down: the next one takes the call, and nobody waits. */
static void
trunk_target_unknown(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &carol);
	call_refuse(w, &call, 486);
	known(w, "a.example.com", 0, &bob);
	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 503, "b"));
	expect(w, &bob, "ACK");
	call.seen = expect(w, &carol, "INVITE");
	call.to = &carol;
	call_refuse(w, &call, 486);
	check_int(w, w->names_asked, 0);
}

static void
trunk_all_unknown(void **state)
{
	struct world *w = *state;

	w->config->trunks[0].target_count = 1;
	refused_at_once(w, &alice, "sip:x@example.com", 503);
	w->config->trunks[0].target_count = 2;
}

/* One name, several servers: all of them before the next target. */
static void
trunk_target_of_several(void **state)
{
	struct world *w = *state;
	static const struct peer dave = {"dave", "10.0.0.4", 5060, CORE};
	struct call call;

	world_name(w, "a.example.com", 0, BP_NAME_FOUND);
	world_name_at(w, &bob, 1, 1, 0);
	world_name_at(w, &dave, 2, 1, 1);
	call_invite(w, &call, &alice, &bob);
	world_flow_failed(w, &bob, call.seen);
	call.seen = expect(w, &dave, "INVITE");
	world_flow_failed(w, &dave, call.seen);
	call.seen = expect(w, &carol, "INVITE");
	call.to = &carol;
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* A trunk's patience counts for each address of a name. */
static void
trunk_target_silent(void **state)
{
	struct world *w = *state;
	struct call call;

	w->config->trunks[0].timeout_us = SECONDS(2);
	known(w, "a.example.com", 0, &bob);
	call_invite(w, &call, &alice, &bob);
	world_run_until(w, SECONDS(2));
	check_int(w, world_take(w, &bob), 2);
	call.seen = expect(w, &carol, "INVITE");
	expect_at(w, SECONDS(2));
	call.to = &carol;
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	world_wait(w, SECONDS(100));
	world_take(w, &bob);
}

static void
trunk_forks(void **state)
{
	struct world *w = *state;
	const char *at_bob;
	struct call call;

	known(w, "a.example.com", 0, &bob);
	call = (struct call){.from = &alice, .invite = ua_invite(&alice, "sip:x@example.com"), .tag = "c"};
	say(w, &alice, call.invite);
	expect_status(w, &alice, 100, "INVITE");
	at_bob = expect(w, &bob, "INVITE");
	call.seen = expect(w, &carol, "INVITE");
	expect_nothing(w);
	call.to = &carol;
	say(w, &bob, ua_response(&bob, at_bob, 486, "b"));
	expect(w, &bob, "ACK");
	expect_nothing(w);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

static const struct CMUnitTest tests[] = {
	flow_test_with(answer_at_hand, &plain),
	flow_test_with(waits_and_goes_on, &plain),
	flow_test_with(without_breadth, &plain),
	flow_test_with(port_is_another_question, &plain),
	flow_test_with(maddr_is_the_target, &plain),
	flow_test_with(other_transports, &plain),
	flow_test_with(route_is_a_name, &plain),
	flow_test_with(no_such_name, &plain),
	flow_test_with(no_name_at_all, &plain),
	flow_test_with(nobody_answers, &plain),
	flow_test_with(repeated_meanwhile, &two_workers),
	flow_test_with(cancelled_meanwhile, &two_workers),
	flow_test_with(cancelled_as_the_answer_comes, &plain),
	flow_test_with(cancelled_after_it_went_on, &plain),
	flow_test_with(not_too_many, &plain),
	flow_test_with(no_question_is_taken, &plain),
	flow_test_with(forgotten_again, &plain),
	flow_test_with(drained_meanwhile, &plain),
	flow_test_with(stopped_meanwhile, &plain),
	flow_test_with(further_servers, &plain),
	flow_test_with(further_servers_after_silence, &plain),
	flow_test_with(no_further_server_after_an_answer, &plain),
	flow_test_with(servers_by_weight, &plain),
	flow_test_with(addresses_that_are_no_use, &plain),
	flow_test_with(trunk_target_unknown, &trunk),
	flow_test_with(trunk_all_unknown, &trunk),
	flow_test_with(trunk_target_of_several, &trunk),
	flow_test_with(trunk_target_silent, &trunk),
	flow_test_with(trunk_forks, &forking),
};

FLOW_TESTS_MAIN(tests)
