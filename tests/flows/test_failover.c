/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A trunk with two targets, one behind the other: bob is tried first, carol when bob is overloaded,
 * unreachable or silent. RFC 3261 16.6 step 7, 16.7 step 6, 16.9; RFC 3263 4.3.
 */
#include "agent.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE SECONDS(2)

/* The call goes on at carol: what the edge sent to her is like what it sent to bob but for the hop. */
static void
at_carol(struct world *w, struct call *call)
{
	const char *first = call->seen;

	call->seen = expect(w, &carol, "INVITE");
	call->to = &carol;
	call->tag = ua_new_tag();
	check(w, strcmp(text_value(first, "Via", 0), text_value(call->seen, "Via", 0)) != 0);
	check_text(w, text_value(call->seen, "Via", 1), text_value(first, "Via", 1));
	check_int(w, text_count(call->seen, "Via"), 2);
	check_text(w, text_uri(call->seen), text_uri(first));
	check_text(w, text_header(call->seen, "Max-Forwards"), text_header(first, "Max-Forwards"));
	check_text(w, text_body(call->seen), text_body(first));
	check_int(w, text_count(call->seen, "Record-Route"), text_count(first, "Record-Route"));
}

/* Up at carol, with requests both ways, to the end. */
static void
up_and_down(struct world *w, struct call *call)
{
	call_ring(w, call, 180);
	call_answer(w, call);
	call_ack(w, call);
	leg_reinvite(w, &call->callee, &call->caller);
	leg_exchange(w, &call->caller, &call->callee, "INFO", 200);
	leg_bye(w, &call->caller, &call->callee);
	check_dialogs(w, 1, 1);
}

static void
bob_refuses(struct world *w, struct call *call, unsigned status)
{
	const char *ack;

	say(w, &bob, ua_response(&bob, call->seen, status, "bob"));
	ack = expect(w, &bob, "ACK");
	check_text(w, text_value(ack, "Via", 0), text_value(call->seen, "Via", 0));
	check_text(w, text_tag(ack, "To"), "bob");
}

/* 16.7 step 6: a 503 is about the one who sent it. */
static void
overloaded(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	bob_refuses(w, &call, 503);
	at_carol(w, &call);
	expect_nothing(w);
	up_and_down(w, &call);
}

/* 18.4. */
static void
unreachable(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_flow_failed(w, &bob, call.seen);
	at_carol(w, &call);
	expect_nothing(w);
	up_and_down(w, &call);
}

/* The trunk gives bob two seconds, in which timer A runs. */
static void
silent(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_run_until(w, PATIENCE - 1);
	check_int(w, world_take(w, &bob), 2);
	expect_nothing(w);
	world_run_until(w, PATIENCE);
	at_carol(w, &call);
	expect_at(w, PATIENCE);
	up_and_down(w, &call);
	world_wait(w, SECONDS(100));
	world_take(w, &bob); /* the INVITE may go on being repeated to bob until timer B */
}

/* Without a patience of its own timer B decides. */
static void
silent_until_timer_b(void **state)
{
	struct world *w = *state;
	struct call call;

	w->config->trunks[0].timeout_us = 0;
	call_invite(w, &call, &alice, &bob);
	world_run_until(w, TIMER_64T1);
	check_int(w, world_take(w, &bob), 6);
	at_carol(w, &call);
	expect_at(w, TIMER_64T1);
	up_and_down(w, &call);
}

/* Given up, bob rings after all: he gets a CANCEL, and nobody hears of him. */
static void
wakes_up_and_rings(void **state)
{
	struct world *w = *state;
	struct call call, late;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	late = call;
	world_run_until(w, PATIENCE);
	world_take(w, &bob);
	at_carol(w, &call);
	say(w, &bob, ua_response(&bob, late.seen, 180, "bob"));
	expect_absorbed(w);
	cancel = expect(w, &bob, "CANCEL");
	check_text(w, text_value(cancel, "Via", 0), text_value(late.seen, "Via", 0));
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, cancel, 200, "bob"));
	say(w, &bob, ua_response(&bob, late.seen, 487, "bob"));
	expect_absorbed(w);
	expect(w, &bob, "ACK");
	expect_nothing(w);
	up_and_down(w, &call);
}

/* Given up, bob refuses: ACKed, nothing more. */
static void
wakes_up_and_refuses(void **state)
{
	struct world *w = *state;
	struct call call, late;

	call_invite(w, &call, &alice, &bob);
	late = call;
	world_run_until(w, PATIENCE);
	world_take(w, &bob);
	at_carol(w, &call);
	bob_refuses(w, &late, 486);
	expect_nothing(w);
	up_and_down(w, &call);
}

/* Given up, bob answers: a 2xx is always forwarded (16.7 step 5), and carol need not ring any more. */
static void
wakes_up_and_answers(void **state)
{
	struct world *w = *state;
	struct call call, late;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	late = call;
	world_run_until(w, PATIENCE);
	world_take(w, &bob);
	at_carol(w, &call);
	call_ring(w, &call, 180);
	say(w, &bob, ua_response(&bob, late.seen, 200, late.tag));
	expect_forwarded(w);
	late.answer = expect_status(w, &alice, 200, "INVITE");
	cancel = expect(w, &carol, "CANCEL");
	expect_nothing(w);
	say(w, &carol, ua_response(&carol, cancel, 200, call.tag));
	say(w, &carol, ua_response(&carol, call.seen, 487, call.tag));
	expect(w, &carol, "ACK");
	expect_nothing(w);
	late.caller = leg_caller(&alice, late.invite, late.answer);
	late.callee = leg_callee(&bob, late.seen, late.tag);
	call_ack(w, &late);
	leg_bye(w, &late.callee, &late.caller);
	check_dialogs(w, 1, 1);
}

/* Who is ringing is not given up, and a refusal that is not 503 is final. */
static void
no_failover(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	world_wait(w, SECONDS(60));
	expect_nothing(w);
	call_refuse(w, &call, 486);
	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 603);
	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 500);
	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	world_wait(w, SECONDS(60));
	expect_nothing(w);
	call_refuse(w, &call, 480);
	check_int(w, world_sum(w)->requests[BP_OUT][BP_METHOD_INVITE], 4);
}

/* All are overloaded: the edge is not, so it says 500 (16.7 step 6). */
static void
all_overloaded(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	bob_refuses(w, &call, 503);
	at_carol(w, &call);
	say(w, &carol, ua_response(&carol, call.seen, 503, "carol"));
	expect(w, &carol, "ACK");
	final = expect_status(w, &alice, 500, "INVITE");
	expect_nothing(w);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
}

static void
all_unreachable(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_flow_failed(w, &bob, call.seen);
	at_carol(w, &call);
	world_flow_failed(w, &carol, call.seen);
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 503, "INVITE")));
	expect_absorbed(w);
}

static void
all_silent(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	world_run_until(w, PATIENCE);
	at_carol(w, &call);
	world_run_until(w, PATIENCE + TIMER_64T1);
	world_take(w, &bob);
	check_int(w, world_take(w, &carol), 6);
	final = expect_status(w, &alice, 408, "INVITE");
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
}

/* The caller retransmits while the second target is tried: 100 again, no INVITE more. */
static void
caller_insists(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	bob_refuses(w, &call, 503);
	at_carol(w, &call);
	say(w, &alice, call.invite);
	expect_status(w, &alice, 100, "INVITE");
	expect_nothing(w);
	up_and_down(w, &call);
}

/* bob's 503 comes again: ACKed again, carol gets no second INVITE. */
static void
overloaded_again(void **state)
{
	struct world *w = *state;
	struct call call, first;

	call_invite(w, &call, &alice, &bob);
	first = call;
	bob_refuses(w, &call, 503);
	at_carol(w, &call);
	for (unsigned i = 0; i < 3; i++) {
		bob_refuses(w, &first, 503);
		expect_absorbed(w);
		expect_nothing(w);
	}
	call_answer(w, &call);
	bob_refuses(w, &first, 503);
	expect_nothing(w);
	call_ack(w, &call);
	leg_bye(w, &call.callee, &call.caller);
	bob_refuses(w, &first, 503);
	expect_nothing(w);
}

/* CANCEL reaches whoever rings now. */
static void
cancelled_at_the_second(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	bob_refuses(w, &call, 503);
	at_carol(w, &call);
	call_ring(w, &call, 180);
	call_cancelled(w, &call, call_cancel(w, &call));
}

/* Once CANCEL is asked no further target is tried. */
static void
cancelled_at_the_first(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 200, "CANCEL");
	bob_refuses(w, &call, 503);
	check_int(w, world_take(w, &carol), 0);
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 500, "INVITE")));
	expect_absorbed(w);
}

/* The patience ends while CANCEL is asked: carol must not ring. */
static void
silent_and_cancelled(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 200, "CANCEL");
	world_run_until(w, TIMER_64T1);
	check_int(w, world_take(w, &carol), 0);
	check_int(w, world_take(w, &bob), 6);
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 487, "INVITE")));
	expect_absorbed(w);
}

/* user@edge is readdressed to the target that is tried. */
static void
readdressed_for_each(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite_with(w, &call, &alice, &bob, ua_invite(&alice, "sip:service@192.0.2.1:5060"));
	check_text(w, text_uri(call.seen), "sip:service@10.0.0.2");
	bob_refuses(w, &call, 503);
	call.seen = expect(w, &carol, "INVITE");
	check_text(w, text_uri(call.seen), "sip:service@10.0.0.3");
	call.to = &carol;
	up_and_down(w, &call);
}

/* Another method fails over as well; a 503 of the last one becomes 500, and is repeated as such. */
static void
message(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "MESSAGE", "sip:x@example.com"), *seen, *response;

	say(w, &alice, request);
	seen = expect(w, &bob, "MESSAGE");
	say(w, &bob, ua_response(&bob, seen, 503, "b"));
	seen = expect(w, &carol, "MESSAGE");
	expect_nothing(w);
	say(w, &alice, request);
	expect_absorbed(w);
	say(w, &carol, ua_response(&carol, seen, 200, "c"));
	response = expect_status(w, &alice, 200, "MESSAGE");
	say(w, &alice, request);
	expect_same(w, expect_status(w, &alice, 200, "MESSAGE"), response);
	request = ua_request(&alice, "MESSAGE", "sip:x@example.com");
	say(w, &alice, request);
	say(w, &bob, ua_response(&bob, expect(w, &bob, "MESSAGE"), 503, "b"));
	say(w, &carol, ua_response(&carol, expect(w, &carol, "MESSAGE"), 503, "c"));
	response = expect_status(w, &alice, 500, "MESSAGE");
	say(w, &alice, request);
	expect_same(w, expect_status(w, &alice, 500, "MESSAGE"), response);
	expect_nothing(w);
}

static void
message_to_the_silent(void **state)
{
	struct world *w = *state;
	const char *seen;

	say(w, &alice, ua_request(&alice, "MESSAGE", "sip:x@example.com"));
	world_run_until(w, PATIENCE);
	check_int(w, world_take(w, &bob), 3);
	seen = expect(w, &carol, "MESSAGE");
	say(w, &carol, ua_response(&carol, seen, 200, "c"));
	expect_status(w, &alice, 200, "MESSAGE");
	world_wait(w, SECONDS(100));
	world_take(w, &bob);
	expect_nothing(w);
}

/* The trunk is another one since the call began: no further target can be named. */
static void
reloaded_meanwhile(void **state)
{
	struct world *w = *state;
	struct bp_config *config = world_config(false);
	struct call call;

	call_invite(w, &call, &alice, &bob);
	config->generation = 2;
	world_config_two_targets(config, 2, 1); /* bob is the second now */
	world_reload(w, config);
	bob_refuses(w, &call, 503);
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 500, "INVITE")));
	expect_absorbed(w);
}

/* He rang until timer C, and then did not even take the CANCEL: that is an answer of a kind, nobody else is
 * tried. */
static void
rang_too_long(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	world_run_until(w, TIMER_C + TIMER_64T1);
	check_int(w, world_take(w, &carol), 0);
	check_int(w, world_take(w, &bob), 11);
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 408, "INVITE")));
	expect_absorbed(w);
}

/* A patience that is no sum of T1s: never too early, and late by T1 at most. */
static void
odd_patience(void **state)
{
	struct world *w = *state;
	struct call call;

	w->config->trunks[0].timeout_us = MS(1200);
	call_invite(w, &call, &alice, &bob);
	world_run_until(w, MS(1200) - 1);
	check_int(w, world_take(w, &carol), 0);
	world_run_until(w, MS(1200) + T1);
	at_carol(w, &call);
	world_take(w, &bob);
	call_refuse(w, &call, 486);
	world_wait(w, SECONDS(40));
	world_take(w, &bob);
}

/* More targets than one record has branches for: the last refusal goes up. */
static void
too_many_targets(void **state)
{
	struct world *w = *state;
	struct bp_config *config = world_config(false);
	struct bp_config_trunk *trunk = &config->trunks[0];
	struct call call = {.from = &alice, .invite = ua_invite(&alice, "sip:x@example.com")};
	unsigned tried = 0;

	config->generation = 2;
	trunk->target_count = 12;
	trunk->targets = realloc(trunk->targets, 12 * sizeof(*trunk->targets));
	for (unsigned i = 0; i < 12; i++) {
		trunk->targets[i] =
			(struct bp_config_target){.flow = peer_flow(&bob), .priority = (uint16_t)i};
		trunk->targets[i].flow.port = (uint16_t)(5070 + i);
	}
	world_reload(w, config);
	say(w, &alice, call.invite);
	expect_status(w, &alice, 100, "INVITE");
	for (;;) {
		struct peer target = {"target", "10.0.0.2", (uint16_t)(5070 + tried), CORE};

		call.seen = expect(w, &target, "INVITE");
		tried++;
		say(w, &target, ua_response(&target, call.seen, 503, "t"));
		expect(w, &target, "ACK");
		if (w->log[w->log_count - 1].flow.listener == ACCESS)
			break;
		check(w, tried < 12);
	}
	check(w, tried >= 4);
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 500, "INVITE")));
	expect_absorbed(w);
}

/* The tokens that carol got, and alice for her, lead on when all memory is gone. */
static void
restart_after_failover(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	bob_refuses(w, &call, 503);
	at_carol(w, &call);
	call_answer(w, &call);
	call_ack(w, &call);
	world_restart(w);
	leg_reinvite(w, &call.callee, &call.caller);
	leg_exchange(w, &call.caller, &call.callee, "INFO", 200);
	leg_bye(w, &call.callee, &call.caller);
}

/* In the dialog everything goes to carol, from everywhere. */
static void
spread_over_workers(void **state)
{
	struct world *w = *state;

	for (uint64_t pattern = 0; pattern < 128; pattern++) {
		struct call call;

		w->pattern = pattern;
		w->pattern_left = 64;
		call_invite(w, &call, &alice, &bob);
		bob_refuses(w, &call, 503);
		at_carol(w, &call);
		call_ring(w, &call, 180);
		if (pattern % 2) {
			call_answer(w, &call);
			call_ack(w, &call);
			leg_bye(w, &call.callee, &call.caller);
		} else {
			call_cancelled(w, &call, call_cancel(w, &call));
		}
		w->pattern_left = 0;
	}
}

static void
bob_then_carol(struct bp_config *config)
{
	world_config_two_targets(config, 1, 2);
	config->trunks[0].timeout_us = PATIENCE;
}

static const struct world_options options = {
	.workers = 1, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20, .prepare = bob_then_carol};
static const struct world_options two = {
	.workers = 2, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20, .prepare = bob_then_carol};

/* ---- the target's time is over, and right after carol's INVITE went out it reacts, at the other worker ---- */

static const struct peer dave = {"dave", "10.0.0.4", 5060, CORE};

struct awakening {
	const char *invite; /* as bob got it */
	unsigned status;    /* that he says; 0: an ICMP error comes */
	unsigned times;
};

static void
wake_up(struct world *w, void *argument)
{
	struct awakening *bobs = argument;
	struct bp_flow flow = peer_flow(&carol);

	if (bobs->times > 0 || !bp_flow_equal(&w->log[w->log_count - 1].flow, &flow))
		return;
	bobs->times++;
	w->worker = !w->busy;
	if (bobs->status != 0)
		say(w, &bob, ua_response(&bob, bobs->invite, bobs->status, "bob"));
	else
		world_flow_failed(w, &bob, bobs->invite);
}

/* bob, then carol, then dave; up to the moment at which carol has her INVITE. */
static void
wakes_up_just_then(struct world *w, struct call *call, unsigned status)
{
	struct bp_config *config = world_config(false);
	struct bp_config_trunk *trunk = &config->trunks[0];
	struct awakening bobs = {.status = status};

	config->generation = 2;
	world_config_two_targets(config, 1, 2);
	trunk->target_count = 3;
	trunk->timeout_us = PATIENCE;
	trunk->targets = realloc(trunk->targets, 3 * sizeof(*trunk->targets));
	trunk->targets[2] = (struct bp_config_target){.flow = peer_flow(&dave), .priority = 3};
	world_reload(w, config);
	w->worker = 0;
	call_invite(w, call, &alice, &bob);
	bobs.invite = call->seen;
	world_run_until(w, PATIENCE - 1);
	check_int(w, world_take(w, &bob), 2);
	w->between = wake_up;
	w->between_argument = &bobs;
	world_run_until(w, PATIENCE);
	w->between = NULL;
	check_int(w, bobs.times, 1);
}

/* dave, who would be next, is left alone as long as carol is at work. */
static void
ends_at_carol(struct world *w, struct call *call)
{
	at_carol(w, call);
	expect_nothing(w);
	up_and_down(w, call);
	world_wait(w, SECONDS(100));
	expect_nothing(w);
}

static void
overloaded_just_then(void **state)
{
	struct world *w = *state;
	struct call call;

	wakes_up_just_then(w, &call, 503);
	expect(w, &bob, "ACK");
	ends_at_carol(w, &call);
}

static void
unreachable_just_then(void **state)
{
	struct world *w = *state;
	struct call call;

	wakes_up_just_then(w, &call, 0);
	ends_at_carol(w, &call);
}

static void
rings_just_then(void **state)
{
	struct world *w = *state;
	struct call call, late;
	const char *cancel;

	wakes_up_just_then(w, &call, 180);
	late = call;
	cancel = expect(w, &bob, "CANCEL");
	say(w, &bob, ua_response(&bob, cancel, 200, "bob"));
	say(w, &bob, ua_response(&bob, late.seen, 487, "bob"));
	expect_absorbed(w);
	expect(w, &bob, "ACK");
	ends_at_carol(w, &call);
}

/* RFC 4320 4.1: the caller hears something, though the first branch ended at once and the second is silent. */
static void
trying_after_failover(void **state)
{
	struct world *w = *state;
	struct bp_config *config = world_config(false);
	const char *request = ua_request(&alice, "MESSAGE", "sip:bob@example.com"), *seen;

	config->generation = 2;
	world_config_two_targets(config, 0, 1);
	world_reload(w, config);
	say(w, &alice, request);
	expect_forwarded(w);
	seen = expect(w, &bob, "MESSAGE");
	say(w, &bob, ua_response(&bob, seen, 503, "x"));
	seen = expect(w, &carol, "MESSAGE");
	world_wait(w, SECONDS(10));
	check(w, world_take(w, &carol) > 3);
	check_int(w, world_take(w, &alice), 1);
	say(w, &carol, ua_response(&carol, seen, 200, "OK"));
	expect_status(w, &alice, 200, "MESSAGE");
}

static const struct CMUnitTest tests[] = {
	flow_test(trying_after_failover),
	flow_test_with(overloaded, &options),
	flow_test_with(unreachable, &options),
	flow_test_with(silent, &options),
	flow_test_with(silent_until_timer_b, &options),
	flow_test_with(wakes_up_and_rings, &options),
	flow_test_with(wakes_up_and_refuses, &options),
	flow_test_with(wakes_up_and_answers, &options),
	flow_test_with(no_failover, &options),
	flow_test_with(all_overloaded, &options),
	flow_test_with(all_unreachable, &options),
	flow_test_with(all_silent, &options),
	flow_test_with(caller_insists, &options),
	flow_test_with(overloaded_again, &options),
	flow_test_with(cancelled_at_the_second, &options),
	flow_test_with(cancelled_at_the_first, &options),
	flow_test_with(silent_and_cancelled, &options),
	flow_test_with(readdressed_for_each, &options),
	flow_test_with(message, &options),
	flow_test_with(message_to_the_silent, &options),
	flow_test_with(reloaded_meanwhile, &options),
	flow_test_with(rang_too_long, &options),
	flow_test_with(odd_patience, &options),
	flow_test_with(too_many_targets, &options),
	flow_test_with(restart_after_failover, &options),
	flow_test_with(spread_over_workers, &two),
	flow_test_with(overloaded_just_then, &two),
	flow_test_with(unreachable_just_then, &two),
	flow_test_with(rings_just_then, &two),
};

FLOW_TESTS_MAIN(tests)
