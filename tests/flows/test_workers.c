/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Two workers, one edge: any message may come to either, twice, or to both. Correctness never depends on
 * which worker gets a message (DESIGN sections 5 and 6).
 */
#include "agent.h"

#include <string.h>

/* The answered call, eight messages in, spread over the workers in every way there is. */
static void
answered_call_in_every_spread(void **state)
{
	struct world *w = *state;
	struct call call;
	unsigned count = 0;

	for (uint64_t pattern = 0; pattern < 64; pattern++) {
		w->pattern = pattern;
		w->pattern_left = 64;
		call_up(w, &call, &alice, &bob);        /* INVITE, 180, 200, ACK */
		leg_bye(w, &call.caller, &call.callee); /* BYE, 200 */
		count++;
		check_dialogs(w, count, count);
		w->pattern_left = 0;
		world_wait(w, SECONDS(1));
	}
}

/* The cancelled call: INVITE, 180, CANCEL, 200, 487, ACK. */
static void
cancelled_call_in_every_spread(void **state)
{
	struct world *w = *state;
	struct call call;

	for (uint64_t pattern = 0; pattern < 64; pattern++) {
		w->pattern = pattern;
		w->pattern_left = 64;
		call_invite(w, &call, &alice, &bob);
		call_ring(w, &call, 180);
		call_cancelled(w, &call, call_cancel(w, &call));
		w->pattern_left = 0;
	}
	check_int(w, world_sum(w)->cancel_outcomes[BP_CANCEL_matched], 64);
}

/* Held CANCEL: INVITE, CANCEL, 100, 200, 487, ACK. */
static void
held_cancel_in_every_spread(void **state)
{
	struct world *w = *state;
	struct call call;

	for (uint64_t pattern = 0; pattern < 64; pattern++) {
		w->pattern = pattern;
		w->pattern_left = 64;
		call_invite(w, &call, &alice, &bob);
		say(w, &alice, ua_cancel(call.invite));
		expect_status(w, &alice, 200, "CANCEL");
		expect_nothing(w);
		say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
		call_cancelled(w, &call, expect(w, &bob, "CANCEL"));
		w->pattern_left = 0;
	}
}

/* Refused call with a re-sent INVITE, a repeated final, a repeated ACK. */
static void
refused_call_in_every_spread(void **state)
{
	struct world *w = *state;
	struct call call;

	for (uint64_t pattern = 0; pattern < 64; pattern++) {
		w->pattern = pattern;
		w->pattern_left = 64;
		call_invite(w, &call, &alice, &bob);
		say(w, &alice, call.invite);
		expect_status(w, &alice, 100, "INVITE");
		call_refuse(w, &call, 486);
		say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
		expect_absorbed(w);
		expect(w, &bob, "ACK");
		say(w, &alice, ua_ack(call.invite, call.answer));
		expect_absorbed(w);
		expect_nothing(w);
		w->pattern_left = 0;
	}
}

/* In-dialog requests with repetitions: re-INVITE, 200, ACK, OPTIONS twice, 200, again. */
static void
dialog_in_every_spread(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *request, *seen, *response;

	call_up(w, &call, &alice, &bob);
	for (uint64_t pattern = 0; pattern < 128; pattern++) {
		w->pattern = pattern;
		w->pattern_left = 64;
		leg_reinvite(w, &call.callee, &call.caller);
		request = leg_request(&call.caller, "OPTIONS");
		say(w, &alice, request);
		seen = expect(w, &bob, "OPTIONS");
		say(w, &alice, request);
		expect_absorbed(w);
		say(w, &bob, ua_response(&bob, seen, 200, NULL));
		response = expect_status(w, &alice, 200, "OPTIONS");
		say(w, &alice, request);
		expect_same(w, expect_status(w, &alice, 200, "OPTIONS"), response);
		w->pattern_left = 0;
		world_wait(w, MS(200));
	}
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* The same INVITE at both: one goes on, the other is absorbed, or answered 100 again. */
static void
invite_at_both(void **state)
{
	struct world *w = *state;
	struct call call = {.from = &alice, .to = &bob};

	call.invite = ua_invite(&alice, "sip:bob@example.com");
	call.tag = ua_new_tag();
	w->worker = 0;
	say(w, &alice, call.invite);
	expect_forwarded(w);
	w->worker = 1;
	say(w, &alice, call.invite);
	check(w, w->fate == FATE_ABSORBED || w->fate == FATE_ANSWERED);
	check(w, world_take(w, &alice) <= 2);
	call.seen = expect(w, &bob, "INVITE");
	expect_nothing(w);
	check_int(w, world_sum(w)->transactions_created[BP_KIND_INVITE], 1);
	call_refuse(w, &call, 486);
}

static void
bye_at_both(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *bye, *seen;

	call_up(w, &call, &alice, &bob);
	bye = leg_request(&call.caller, "BYE");
	w->worker = 1;
	say(w, &alice, bye);
	expect_forwarded(w);
	w->worker = 0;
	say(w, &alice, bye);
	expect_absorbed(w);
	seen = expect(w, &bob, "BYE");
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, seen, 200, NULL));
	expect_forwarded(w);
	expect_status(w, &alice, 200, "BYE");
	w->worker = 1;
	say(w, &bob, ua_response(&bob, seen, 200, NULL));
	check(w, w->fate != FATE_FORWARDED);
	expect_nothing(w);
	check_dialogs(w, 1, 1);
}

/* The same CANCEL at both: two 200s, one CANCEL downstream. */
static void
cancel_at_both(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel, *first;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	w->worker = 1;
	say(w, &alice, ua_cancel(call.invite));
	first = expect_status(w, &alice, 200, "CANCEL");
	w->worker = 0;
	say(w, &alice, ua_cancel(call.invite));
	expect_same(w, expect_status(w, &alice, 200, "CANCEL"), first);
	cancel = expect(w, &bob, "CANCEL");
	expect_nothing(w);
	call_cancelled(w, &call, cancel);
}

/* The same 200 at both: both go upstream; one dialog. */
static void
answer_at_both(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	w->worker = 1;
	call_answer(w, &call);
	w->worker = 0;
	say(w, &bob, ua_response(&bob, call.seen, 200, call.tag));
	expect_forwarded(w);
	expect_status(w, &alice, 200, "INVITE");
	check_dialogs(w, 1, 0);
	call_ack(w, &call);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* 486 at one, 200 at the other: exactly one goes upstream. */
static void
final_against_final(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	w->worker = 0;
	call_answer(w, &call);
	w->worker = 1;
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect_dropped(w, response_unexpected);
	expect_nothing(w);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* What one worker answered, the other's timers must not repeat. */
static void
timers_stop_across_workers(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final, *seen;

	w->worker = 0;
	call_invite(w, &call, &alice, &bob);
	w->worker = 1;
	call_ring(w, &call, 180);
	world_wait(w, SECONDS(40)); /* A and B of worker 0 */
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect(w, &bob, "ACK");
	final = expect_status(w, &alice, 486, "INVITE");
	world_wait(w, T1); /* G, of whichever worker */
	expect_status(w, &alice, 486, "INVITE");
	w->worker = 0;
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	world_wait(w, SECONDS(40));
	expect_nothing(w);
	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
	seen = expect(w, &bob, "OPTIONS");
	w->worker = 1;
	say(w, &bob, ua_response(&bob, seen, 200, "x"));
	expect_status(w, &alice, 200, "OPTIONS");
	world_wait(w, SECONDS(40));
	expect_nothing(w);
}

/* Timers C and the CANCEL's E run, whoever made the record. */
static void
timer_c_across_workers(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	w->worker = 1;
	call_invite(w, &call, &alice, &bob);
	w->worker = 0;
	call_ring(w, &call, 180);
	world_run_until(w, SECONDS(100));
	call_ring(w, &call, 183);
	world_run_until(w, SECONDS(100) + TIMER_C);
	cancel = expect(w, &bob, "CANCEL");
	world_wait(w, T1);
	expect_same(w, expect(w, &bob, "CANCEL"), cancel);
	w->worker = 1;
	call_cancelled(w, &call, cancel);
}

/* A worker says 487 by its timer while the final response comes at the other. */
static void
timeout_against_final(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final;

	w->worker = 0;
	call_invite(w, &call, &alice, &bob);
	world_wait(w, TIMER_64T1);
	world_take(w, &bob);
	final = expect_status(w, &alice, 408, "INVITE");
	w->worker = 1;
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	check(w, w->fate != FATE_FORWARDED);
	world_take(w, &bob);
	expect_nothing(w);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
}

/* Errors without state are the same at both workers; the ACK may come to the other one. */
static void
stateless_errors_at_both(void **state)
{
	struct world *w = *state;
	const char *invite = text_set(ua_invite(&alice, "sip:bob@example.com"), "Max-Forwards", "0"), *first;

	w->worker = 0;
	say(w, &alice, invite);
	first = expect_status(w, &alice, 483, "INVITE");
	w->worker = 1;
	say(w, &alice, invite);
	expect_same(w, expect_status(w, &alice, 483, "INVITE"), first);
	say(w, &alice, ua_ack(invite, first));
	expect_absorbed(w);
}

/* Nothing is released before the end: what was freed must not be in the way. */
static void
no_quiescent_state_for_long(void **state)
{
	struct world *w = *state;
	struct call call;

	w->hold_batches = true;
	for (unsigned i = 0; i < 200; i++) {
		w->pattern = 0x9e3779b97f4a7c15u * (i + 1);
		w->pattern_left = 64;
		call_invite(w, &call, &alice, &bob);
		if (i % 3 == 0) {
			call_refuse(w, &call, 404);
		} else {
			call_answer(w, &call);
			call_ack(w, &call);
			leg_bye(w, &call.callee, &call.caller);
		}
		w->pattern_left = 0;
		world_wait(w, MS(300));
	}
	world_wait(w, SECONDS(100));
	w->hold_batches = false;
	world_quiesce(w);
	call_up(w, &call, &alice, &bob);
	leg_bye(w, &call.caller, &call.callee);
}

/* Records taken by one worker and given back at the other come home: the pools do not run dry. */
static void
records_come_home(void **state)
{
	struct world *w = *state;
	struct call call;

	for (unsigned i = 0; i < 2000; i++) {
		w->worker = 0;
		call_invite(w, &call, &alice, &bob);
		w->worker = 1;
		call_refuse(w, &call, 486);
		world_wait(w, SECONDS(1));
	}
}

/* In the middle of a worker's call, right after it has sent @method or @status to @to, somebody reacts at the
 * other. */
struct reaction {
	const struct peer *to;
	unsigned status;
	const char *method;
	struct call *call;
	const char *(*make)(struct call *call, const char *sent);
	unsigned times;
};

static void
react(struct world *w, void *argument)
{
	struct reaction *reaction = argument;
	struct bp_flow flow = peer_flow(reaction->to);
	const struct passed *last = &w->log[w->log_count - 1];

	if (reaction->times > 0 || !bp_flow_equal(&last->flow, &flow) ||
		text_status(last->text) != reaction->status ||
		strcmp(text_cseq_method(last->text), reaction->method) != 0)
		return;
	reaction->times++;
	w->worker = !w->busy;
	say(w, reaction->to, reaction->make(reaction->call, last->text));
}

static const char *
make_ack(struct call *call, const char *final)
{
	return ua_ack(call->invite, final);
}

static const char *
make_cancel(struct call *call, const char *sent)
{
	return ua_cancel(call->invite);
}

static const char *
make_answer(struct call *call, const char *invite)
{
	return ua_response(&bob, invite, 200, call->tag);
}

static const char *
make_refusal(struct call *call, const char *invite)
{
	return ua_response(&bob, invite, 486, call->tag);
}

static const char *
make_ok(struct call *call, const char *request)
{
	return ua_response(&bob, request, 200, NULL);
}

static const char *
make_bye(struct call *call, const char *answer)
{
	call->caller = leg_caller(&alice, call->invite, answer);
	return leg_request(&call->caller, "BYE");
}

static void
set_reaction(struct world *w, struct reaction *reaction)
{
	w->between = reaction ? react : NULL;
	w->between_argument = reaction;
}

/* The ACK is there before the worker has kept the final response that it acknowledges. */
static void
ack_while_final_is_sent(void **state)
{
	struct world *w = *state;
	struct call call;
	struct reaction ack = {&alice, 486, "INVITE", &call, make_ack, 0};

	call_invite(w, &call, &alice, &bob);
	set_reaction(w, &ack);
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	set_reaction(w, NULL);
	check_int(w, ack.times, 1);
	expect(w, &bob, "ACK");
	expect_status(w, &alice, 486, "INVITE");
	world_wait(w, SECONDS(40));
	expect_nothing(w);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_INVITE], 1);
}

/* CANCEL as soon as the 100 is out, before the INVITE has left. */
static void
cancel_while_invite_is_launched(void **state)
{
	struct world *w = *state;
	struct call call = {.from = &alice, .to = &bob, .invite = ua_invite(&alice, "sip:bob@example.com")};
	struct reaction cancel = {&alice, 100, "INVITE", &call, make_cancel, 0};

	call.tag = ua_new_tag();
	set_reaction(w, &cancel);
	say(w, &alice, call.invite);
	set_reaction(w, NULL);
	expect_status(w, &alice, 100, "INVITE");
	expect_status(w, &alice, 200, "CANCEL");
	call.seen = expect(w, &bob, "INVITE");
	expect_nothing(w);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	call_cancelled(w, &call, expect(w, &bob, "CANCEL"));
}

/* CANCEL while the 180 is being forwarded: one CANCEL goes out, whoever sends it. */
static void
cancel_while_180_is_forwarded(void **state)
{
	struct world *w = *state;
	struct call call;
	struct reaction cancel = {&alice, 180, "INVITE", &call, make_cancel, 0};
	const char *sent;

	call_invite(w, &call, &alice, &bob);
	set_reaction(w, &cancel);
	say(w, &bob, ua_response(&bob, call.seen, 180, call.tag));
	set_reaction(w, NULL);
	check_int(w, cancel.times, 1);
	expect_status(w, &alice, 180, "INVITE");
	expect_status(w, &alice, 200, "CANCEL");
	sent = expect(w, &bob, "CANCEL");
	expect_nothing(w);
	call_cancelled(w, &call, sent);
}

/* CANCEL while the 200 is being forwarded: too late, no CANCEL goes out. */
static void
cancel_while_200_is_forwarded(void **state)
{
	struct world *w = *state;
	struct call call;
	struct reaction cancel = {&alice, 200, "INVITE", &call, make_cancel, 0};

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	set_reaction(w, &cancel);
	say(w, &bob, ua_response(&bob, call.seen, 200, call.tag));
	set_reaction(w, NULL);
	check_int(w, cancel.times, 1);
	call.answer = expect_status(w, &alice, 200, "INVITE");
	expect_status(w, &alice, 200, "CANCEL");
	expect_nothing(w);
	check_int(w, world_sum(w)->cancel_outcomes[BP_CANCEL_lost_to_2xx], 1);
	call.caller = leg_caller(&alice, call.invite, call.answer);
	call.callee = leg_callee(&bob, call.seen, call.tag);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* The answer is there before the worker that sends the INVITE has armed its timers. */
static void
answer_while_invite_is_launched(void **state)
{
	struct world *w = *state;
	struct call call = {.from = &alice, .to = &bob, .invite = ua_invite(&alice, "sip:bob@example.com")};
	struct reaction answer = {&bob, 0, "INVITE", &call, make_answer, 0};

	call.tag = ua_new_tag();
	set_reaction(w, &answer);
	say(w, &alice, call.invite);
	set_reaction(w, NULL);
	expect_status(w, &alice, 100, "INVITE");
	call.seen = expect(w, &bob, "INVITE");
	call.answer = expect_status(w, &alice, 200, "INVITE");
	expect_nothing(w);
	call.caller = leg_caller(&alice, call.invite, call.answer);
	call.callee = leg_callee(&bob, call.seen, call.tag);
	call_ack(w, &call);
	world_wait(w, SECONDS(200));
	expect_nothing(w);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

static void
refusal_while_invite_is_launched(void **state)
{
	struct world *w = *state;
	struct call call = {.from = &alice, .to = &bob, .invite = ua_invite(&alice, "sip:bob@example.com")};
	struct reaction refusal = {&bob, 0, "INVITE", &call, make_refusal, 0};

	call.tag = ua_new_tag();
	set_reaction(w, &refusal);
	say(w, &alice, call.invite);
	set_reaction(w, NULL);
	expect_status(w, &alice, 100, "INVITE");
	expect(w, &bob, "INVITE");
	expect(w, &bob, "ACK");
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 486, "INVITE")));
	expect_absorbed(w);
	world_wait(w, SECONDS(200));
	expect_nothing(w);
}

/* The caller hangs up on the other worker while the 200 is still being forwarded: the dialog is there to be
 * ended. */
static void
bye_while_200_is_forwarded(void **state)
{
	struct world *w = *state;
	struct call call;
	struct reaction bye = {&alice, 200, "INVITE", &call, make_bye, 0};

	call_invite(w, &call, &alice, &bob);
	set_reaction(w, &bye);
	say(w, &bob, ua_response(&bob, call.seen, 200, call.tag));
	set_reaction(w, NULL);
	expect_status(w, &alice, 200, "INVITE");
	say(w, &bob, ua_response(&bob, expect(w, &bob, "BYE"), 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	call.caller.invite_cseq = 1;
	call_ack(w, &call);
	check_dialogs(w, 1, 1);
}

/* The response is there before the worker that sends the request has armed its timers. */
static void
response_while_request_is_launched(void **state)
{
	struct world *w = *state;
	struct reaction ok = {&bob, 0, "OPTIONS", NULL, make_ok, 0};

	set_reaction(w, &ok);
	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
	set_reaction(w, NULL);
	expect(w, &bob, "OPTIONS");
	expect_status(w, &alice, 200, "OPTIONS");
	world_wait(w, SECONDS(100));
	expect_nothing(w);
}

static const struct world_options two_small = {
	.workers = 2, .transactions = 256, .dialogs = 128, .kept_bytes = 2 << 20};

static const struct CMUnitTest tests[] = {
	flow_test_two(answered_call_in_every_spread),
	flow_test_two(cancelled_call_in_every_spread),
	flow_test_two(held_cancel_in_every_spread),
	flow_test_two(refused_call_in_every_spread),
	flow_test_two(dialog_in_every_spread),
	flow_test_two(invite_at_both),
	flow_test_two(bye_at_both),
	flow_test_two(cancel_at_both),
	flow_test_two(answer_at_both),
	flow_test_two(final_against_final),
	flow_test_two(timers_stop_across_workers),
	flow_test_two(timer_c_across_workers),
	flow_test_two(timeout_against_final),
	flow_test_two(stateless_errors_at_both),
	flow_test_two(no_quiescent_state_for_long),
	flow_test_two(ack_while_final_is_sent),
	flow_test_two(cancel_while_invite_is_launched),
	flow_test_two(cancel_while_180_is_forwarded),
	flow_test_two(cancel_while_200_is_forwarded),
	flow_test_two(answer_while_invite_is_launched),
	flow_test_two(refusal_while_invite_is_launched),
	flow_test_two(bye_while_200_is_forwarded),
	flow_test_two(response_while_request_is_launched),
	flow_test_with(records_come_home, &two_small),
};

FLOW_TESTS_MAIN(tests)
