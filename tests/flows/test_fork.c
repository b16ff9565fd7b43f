/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A trunk that forks: bob and carol ring at once. Who answers first has the call, the other gets a CANCEL;
 * when nobody answers the best refusal goes up. RFC 3261 16.6, 16.7 steps 4 to 10, 16.8, 16.10; RFC 6026.
 */
#include "agent.h"

#include <string.h>

/* One call, two callees. */
struct fork {
	struct call bob, carol;
};

static void
fork_invite(struct world *w, struct fork *fork)
{
	const char *invite = ua_invite(&alice, "sip:x@example.com");
	const char *b, *c;

	fork->bob = (struct call){.from = &alice, .to = &bob, .invite = invite, .tag = ua_new_tag()};
	fork->carol = (struct call){.from = &alice, .to = &carol, .invite = invite, .tag = ua_new_tag()};
	say(w, &alice, invite);
	expect_forwarded(w);
	expect_status(w, &alice, 100, "INVITE");
	b = fork->bob.seen = expect(w, &bob, "INVITE");
	c = fork->carol.seen = expect(w, &carol, "INVITE");
	expect_nothing(w);
	/* 16.6: two branches, alike but for the hop. */
	check(w, strcmp(text_value(b, "Via", 0), text_value(c, "Via", 0)) != 0);
	check_text(w, text_value(b, "Via", 1), text_value(c, "Via", 1));
	check_int(w, text_count(c, "Via"), 2);
	check_text(w, text_uri(b), text_uri(c));
	check_text(w, text_body(b), text_body(c));
	check_text(w, text_header(b, "Max-Forwards"), text_header(c, "Max-Forwards"));
}

static void
ring_both(struct world *w, struct fork *fork)
{
	call_ring(w, &fork->bob, 180);
	call_ring(w, &fork->carol, 183);
}

/* A refusal that waits for the others: ACKed, nothing goes up yet (16.7 step 5). */
static void
refuse_and_wait(struct world *w, struct call *call, unsigned status)
{
	const char *ack;

	say(w, call->to, ua_response(call->to, call->seen, status, call->tag));
	expect_absorbed(w);
	ack = expect(w, call->to, "ACK");
	check_text(w, text_value(ack, "Via", 0), text_value(call->seen, "Via", 0));
	expect_nothing(w);
}

/* The last refusal: the best of all, @status with @tag, goes up. */
static void
refuse_last(struct world *w, struct call *call, unsigned status, unsigned best, const char *tag)
{
	say(w, call->to, ua_response(call->to, call->seen, status, call->tag));
	expect_forwarded(w);
	expect(w, call->to, "ACK");
	call->answer = expect_status(w, &alice, best, "INVITE");
	expect_nothing(w);
	if (tag)
		check_text(w, text_tag(call->answer, "To"), tag);
	say(w, &alice, ua_ack(call->invite, call->answer));
	expect_absorbed(w);
	expect_nothing(w);
}

/* The CANCEL that @call's callee got is obeyed. */
static void
obey_cancel(struct world *w, struct call *call)
{
	const char *cancel = expect(w, call->to, "CANCEL");

	check_text(w, text_value(cancel, "Via", 0), text_value(call->seen, "Via", 0));
	expect_nothing(w);
	say(w, call->to, ua_response(call->to, cancel, 200, call->tag));
	expect_absorbed(w);
	refuse_and_wait(w, call, 487);
}

static void
answer(struct world *w, struct call *call)
{
	say(w, call->to, ua_response(call->to, call->seen, 200, call->tag));
	expect_forwarded(w);
	call->answer = expect_status(w, &alice, 200, "INVITE");
	call->caller = leg_caller(&alice, call->invite, call->answer);
	call->callee = leg_callee(call->to, call->seen, call->tag);
}

/* 16.7 step 10: the first 2xx cancels the others. */
static void
first_answer_wins(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	ring_both(w, &fork);
	answer(w, &fork.carol);
	obey_cancel(w, &fork.bob);
	call_ack(w, &fork.carol);
	leg_reinvite(w, &fork.carol.callee, &fork.carol.caller);
	leg_bye(w, &fork.carol.caller, &fork.carol.callee);
	check_dialogs(w, 1, 1);
}

static void
first_branch_answers(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	ring_both(w, &fork);
	answer(w, &fork.bob);
	obey_cancel(w, &fork.carol);
	call_ack(w, &fork.bob);
	leg_bye(w, &fork.bob.callee, &fork.bob.caller);
	check_dialogs(w, 1, 1);
}

/* One has not shown a 1xx yet when the other answers: its CANCEL waits (9.1). */
static void
cancel_waits_for_1xx(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	call_ring(w, &fork.bob, 180);
	answer(w, &fork.bob);
	expect_nothing(w);
	call_ack(w, &fork.bob);
	world_wait(w, T1);
	expect_same(w, expect(w, &carol, "INVITE"), fork.carol.seen);
	say(w, &carol, ua_response(&carol, fork.carol.seen, 180, fork.carol.tag));
	check(w, w->fate != FATE_FORWARDED);
	obey_cancel(w, &fork.carol);
	leg_bye(w, &fork.bob.caller, &fork.bob.callee);
	check_dialogs(w, 1, 1);
}

/* Both answer: every 2xx goes up (16.7 step 5), two dialogs, and the caller ends one of them. */
static void
both_answer(void **state)
{
	struct world *w = *state;
	struct fork fork;
	const char *cancel;

	fork_invite(w, &fork);
	ring_both(w, &fork);
	answer(w, &fork.bob);
	cancel = expect(w, &carol, "CANCEL");
	answer(w, &fork.carol);
	say(w, &carol, ua_response(&carol, cancel, 200, fork.carol.tag));
	expect_absorbed(w);
	expect_nothing(w);
	check_dialogs(w, 2, 0);
	call_ack(w, &fork.bob);
	call_ack(w, &fork.carol);
	leg_bye(w, &fork.carol.caller, &fork.carol.callee);
	check_dialogs(w, 2, 1);
	leg_reinvite(w, &fork.bob.callee, &fork.bob.caller);
	leg_bye(w, &fork.bob.callee, &fork.bob.caller);
	check_dialogs(w, 2, 2);
}

/* Each repeats its 200: forwarded each time; the CANCEL to the loser is sent once. */
static void
both_answer_again_and_again(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	ring_both(w, &fork);
	answer(w, &fork.bob);
	say(w, &carol, ua_response(&carol, expect(w, &carol, "CANCEL"), 481, NULL));
	answer(w, &fork.carol);
	for (unsigned i = 0; i < 4; i++) {
		world_wait(w, SECONDS(1));
		answer(w, i % 2 ? &fork.bob : &fork.carol);
		expect_nothing(w);
	}
	check_dialogs(w, 2, 0);
	call_ack(w, &fork.bob);
	call_ack(w, &fork.carol);
	leg_bye(w, &fork.bob.caller, &fork.bob.callee);
	leg_bye(w, &fork.carol.callee, &fork.carol.caller);
	check_dialogs(w, 2, 2);
}

/* An ACK with the branch of its INVITE, as before RFC 3261, goes on as long as there is a 2xx to acknowledge: also when the
 * other branch's 2xx keeps the record longer than timer L does. */
static void
ack_with_branch_of_invite(void **state)
{
	struct world *w = *state;
	struct fork fork;
	const char *ack;

	fork_invite(w, &fork);
	ring_both(w, &fork);
	answer(w, &fork.bob);
	say(w, &carol, ua_response(&carol, expect(w, &carol, "CANCEL"), 481, NULL));
	call_ack(w, &fork.bob);
	world_wait(w, SECONDS(20));
	answer(w, &fork.carol);
	world_wait(w, TIMER_64T1 - SECONDS(10));
	ack = leg_ack(&fork.carol.caller);
	say(w, &alice, text_set(ack, "Via", text_value(fork.bob.invite, "Via", 0)));
	expect_forwarded(w);
	expect(w, &carol, "ACK");
	expect_nothing(w);
	world_wait(w, TIMER_64T1);
	check_dialogs(w, 2, 0);
	leg_bye(w, &fork.bob.caller, &fork.bob.callee);
	leg_bye(w, &fork.carol.callee, &fork.carol.caller);
	check_dialogs(w, 2, 2);
}

/* One is busy: the other goes on ringing, and answers. */
static void
one_busy_one_answers(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	ring_both(w, &fork);
	refuse_and_wait(w, &fork.bob, 486);
	world_wait(w, SECONDS(10));
	expect_nothing(w);
	say(w, &alice, fork.bob.invite);
	expect_status(w, &alice, 183, "INVITE");
	answer(w, &fork.carol);
	expect_nothing(w);
	call_ack(w, &fork.carol);
	/* bob's 486 again: its ACK was lost. */
	refuse_and_wait(w, &fork.bob, 486);
	leg_bye(w, &fork.carol.caller, &fork.carol.callee);
	check_dialogs(w, 1, 1);
}

/* 16.7 step 6: the best of two refusals. */
static void
best_refusal(void **state)
{
	struct world *w = *state;
	static const struct {
		unsigned first, second, best;
		bool of_second;
	} cases[] = {
		{404, 302, 302, true}, /* the lower class */
		{302, 486, 302, false},
		{500, 486, 486, true},
		{503, 480, 480, true},
		{486, 503, 486, false},
		{500, 503, 500, false},
		{404, 401, 401, true}, /* what helps to try again */
		{407, 486, 407, false},
		{404, 415, 415, true},
		{484, 404, 484, false},
		{486, 486, 486, false},
		{404, 603, 603, true}, /* 6xx before all */
		{302, 600, 600, true},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fork fork;
		const char *tag;

		fork_invite(w, &fork);
		ring_both(w, &fork);
		refuse_and_wait(w, &fork.bob, cases[i].first);
		tag = cases[i].of_second ? fork.carol.tag : fork.bob.tag;
		refuse_last(w, &fork.carol, cases[i].second, cases[i].best,
			cases[i].first == cases[i].second ? NULL : tag);
	}
}

/* 16.7 step 5: a 6xx cancels the others at once, and goes up when they are done. */
static void
global_failure(void **state)
{
	struct world *w = *state;
	struct fork fork;
	const char *cancel;

	fork_invite(w, &fork);
	ring_both(w, &fork);
	say(w, &bob, ua_response(&bob, fork.bob.seen, 603, fork.bob.tag));
	expect(w, &bob, "ACK");
	cancel = expect(w, &carol, "CANCEL");
	expect_nothing(w);
	say(w, &carol, ua_response(&carol, cancel, 200, fork.carol.tag));
	expect_absorbed(w);
	refuse_last(w, &fork.carol, 487, 603, fork.bob.tag);
}

/* 16.7 step 7: all challenges go up in one 401 or 407. */
static void
challenges_joined(void **state)
{
	struct world *w = *state;
	struct fork fork;
	const char *final;

	fork_invite(w, &fork);
	say(w, &bob,
		text_add(ua_response(&bob, fork.bob.seen, 401, fork.bob.tag),
			"WWW-Authenticate: Digest realm=\"b\""));
	expect(w, &bob, "ACK");
	final = text_add(ua_response(&carol, fork.carol.seen, 407, fork.carol.tag),
		"Proxy-Authenticate: Digest realm=\"c\"\r\nProxy-Authenticate: Digest realm=\"d\"");
	say(w, &carol, final);
	expect(w, &carol, "ACK");
	final = world_expect(
		w, &alice, "INVITE", text_status(w->log[w->log_count - 1].text), __FILE__, __LINE__);
	check(w, text_status(final) == 401 || text_status(final) == 407);
	check(w, strstr(final, "WWW-Authenticate: Digest realm=\"b\"") != NULL);
	check(w, strstr(final, "Proxy-Authenticate: Digest realm=\"c\"") != NULL);
	check(w, strstr(final, "Proxy-Authenticate: Digest realm=\"d\"") != NULL);
	expect_nothing(w);
	say(w, &alice, ua_ack(fork.bob.invite, final));
	expect_absorbed(w);
}

/* 16.10: CANCEL goes to each pending branch; one 487 goes up. */
static void
caller_cancels(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	ring_both(w, &fork);
	say(w, &alice, ua_cancel(fork.bob.invite));
	expect_status(w, &alice, 200, "CANCEL");
	say(w, &bob, ua_response(&bob, expect(w, &bob, "CANCEL"), 200, fork.bob.tag));
	say(w, &carol, ua_response(&carol, expect(w, &carol, "CANCEL"), 200, fork.carol.tag));
	expect_nothing(w);
	refuse_and_wait(w, &fork.carol, 487);
	refuse_last(w, &fork.bob, 487, 487, NULL);
}

/* One refused already, one rings, then CANCEL: only who rings gets it. */
static void
caller_cancels_what_is_left(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	ring_both(w, &fork);
	refuse_and_wait(w, &fork.bob, 480);
	say(w, &alice, ua_cancel(fork.bob.invite));
	expect_status(w, &alice, 200, "CANCEL");
	say(w, &carol, ua_response(&carol, expect(w, &carol, "CANCEL"), 200, fork.carol.tag));
	expect_nothing(w);
	say(w, &carol, ua_response(&carol, fork.carol.seen, 487, fork.carol.tag));
	expect(w, &carol, "ACK");
	{
		const char *final = world_expect(
			w, &alice, "INVITE", text_status(w->log[w->log_count - 1].text), __FILE__, __LINE__);

		check(w, text_status(final) == 480 || text_status(final) == 487);
		expect_nothing(w);
		say(w, &alice, ua_ack(fork.bob.invite, final));
		expect_absorbed(w);
	}
}

/* CANCEL before any 1xx: each branch gets it as soon as it shows one. */
static void
caller_cancels_early(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	say(w, &alice, ua_cancel(fork.bob.invite));
	expect_status(w, &alice, 200, "CANCEL");
	expect_nothing(w);
	say(w, &carol, ua_response(&carol, fork.carol.seen, 100, NULL));
	obey_cancel(w, &fork.carol);
	say(w, &bob, ua_response(&bob, fork.bob.seen, 100, NULL));
	say(w, &bob, ua_response(&bob, expect(w, &bob, "CANCEL"), 200, fork.bob.tag));
	refuse_last(w, &fork.bob, 487, 487, NULL);
}

/* One is dead: the other's refusal waits for timer B, and is better than the 408 of the dead one. */
static void
one_dead_one_busy(void **state)
{
	struct world *w = *state;
	struct fork fork;
	const char *final;

	fork_invite(w, &fork);
	refuse_and_wait(w, &fork.bob, 486);
	world_run_until(w, TIMER_64T1 - 1);
	check_int(w, world_take(w, &carol), 6);
	expect_nothing(w);
	world_run_until(w, TIMER_64T1);
	final = expect_status(w, &alice, 486, "INVITE");
	check_text(w, text_tag(final, "To"), fork.bob.tag);
	say(w, &alice, ua_ack(fork.bob.invite, final));
	expect_absorbed(w);
}

static void
one_dead_one_answers(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	call_ring(w, &fork.carol, 180);
	world_run_until(w, TIMER_64T1 + SECONDS(1));
	check_int(w, world_take(w, &bob), 6);
	expect_nothing(w);
	answer(w, &fork.carol);
	expect_nothing(w);
	call_ack(w, &fork.carol);
	leg_bye(w, &fork.carol.callee, &fork.carol.caller);
	check_dialogs(w, 1, 1);
}

static void
both_dead(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	world_run_until(w, TIMER_64T1);
	check_int(w, world_take(w, &bob), 6);
	check_int(w, world_take(w, &carol), 6);
	say(w, &alice, ua_ack(fork.bob.invite, expect_status(w, &alice, 408, "INVITE")));
	expect_absorbed(w);
}

/* ICMP for one: the other decides. */
static void
one_unreachable(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	world_flow_failed(w, &carol, fork.carol.seen);
	expect_nothing(w);
	call_ring(w, &fork.bob, 180);
	refuse_last(w, &fork.bob, 486, 486, fork.bob.tag);
	fork_invite(w, &fork);
	world_flow_failed(w, &bob, fork.bob.seen);
	expect_nothing(w);
	answer(w, &fork.carol);
	call_ack(w, &fork.carol);
	leg_bye(w, &fork.carol.caller, &fork.carol.callee);
}

/* Timer C of each branch by itself (16.8). */
static void
timer_c(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	ring_both(w, &fork);
	world_run_until(w, SECONDS(100));
	call_ring(w, &fork.carol, 180);
	world_run_until(w, TIMER_C);
	obey_cancel(w, &fork.bob);
	world_run_until(w, SECONDS(270));
	expect_nothing(w);
	answer(w, &fork.carol);
	expect_nothing(w);
	call_ack(w, &fork.carol);
	leg_bye(w, &fork.carol.caller, &fork.carol.callee);
}

/* The loser ignores its CANCEL and never ends: the record does, 64*T1 after the CANCEL. */
static void
loser_never_ends(void **state)
{
	struct world *w = *state;
	struct fork fork;

	fork_invite(w, &fork);
	ring_both(w, &fork);
	answer(w, &fork.bob);
	say(w, &carol, ua_response(&carol, expect(w, &carol, "CANCEL"), 200, fork.carol.tag));
	call_ack(w, &fork.bob);
	leg_bye(w, &fork.bob.caller, &fork.bob.callee);
	world_wait(w, SECONDS(120));
	expect_nothing(w);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_INVITE], 1);
}

/* BYE to one early dialog of two. */
static void
bye_to_one_early_dialog(void **state)
{
	struct world *w = *state;
	struct fork fork;
	struct leg early;

	fork_invite(w, &fork);
	early = leg_caller(&alice, fork.carol.invite, call_ring(w, &fork.carol, 180));
	call_ring(w, &fork.bob, 180);
	leg_exchange(w, &early, &(struct leg){.peer = &carol}, "BYE", 200);
	refuse_and_wait(w, &fork.carol, 487);
	answer(w, &fork.bob);
	expect_nothing(w);
	call_ack(w, &fork.bob);
	leg_bye(w, &fork.bob.caller, &fork.bob.callee);
	check_dialogs(w, 1, 1);
}

/* A non-INVITE forks too: the first 2xx goes up, the other one is absorbed. */
static void
message(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "MESSAGE", "sip:x@example.com"), *b, *c, *response;

	say(w, &alice, request);
	b = expect(w, &bob, "MESSAGE");
	c = expect(w, &carol, "MESSAGE");
	say(w, &carol, ua_response(&carol, c, 200, "c"));
	expect_forwarded(w);
	response = expect_status(w, &alice, 200, "MESSAGE");
	check_text(w, text_tag(response, "To"), "c");
	say(w, &bob, ua_response(&bob, b, 200, "b"));
	check(w, w->fate != FATE_FORWARDED);
	expect_nothing(w);
	say(w, &alice, request);
	expect_same(w, expect_status(w, &alice, 200, "MESSAGE"), response);
}

static void
message_refused_by_one(void **state)
{
	struct world *w = *state;
	const char *b, *c;

	say(w, &alice, ua_request(&alice, "MESSAGE", "sip:x@example.com"));
	b = expect(w, &bob, "MESSAGE");
	c = expect(w, &carol, "MESSAGE");
	say(w, &bob, ua_response(&bob, b, 404, "b"));
	expect_absorbed(w);
	expect_nothing(w);
	say(w, &carol, ua_response(&carol, c, 200, "c"));
	expect_forwarded(w);
	expect_status(w, &alice, 200, "MESSAGE");
	say(w, &alice, ua_request(&alice, "MESSAGE", "sip:x@example.com"));
	b = expect(w, &bob, "MESSAGE");
	c = expect(w, &carol, "MESSAGE");
	say(w, &bob, ua_response(&bob, b, 500, "b"));
	say(w, &carol, ua_response(&carol, c, 404, "c"));
	check_text(w, text_tag(expect_status(w, &alice, 404, "MESSAGE"), "To"), "c");
	expect_nothing(w);
}

/* 408 of one says nothing about the other, and never goes up (RFC 4320 4.2). */
static void
message_timed_out_at_one(void **state)
{
	struct world *w = *state;
	const char *b, *c;

	say(w, &alice, ua_request(&alice, "MESSAGE", "sip:x@example.com"));
	b = expect(w, &bob, "MESSAGE");
	c = expect(w, &carol, "MESSAGE");
	say(w, &bob, ua_response(&bob, b, 408, "b"));
	expect_absorbed(w);
	expect_nothing(w);
	say(w, &carol, ua_response(&carol, c, 200, "c"));
	expect_forwarded(w);
	expect_status(w, &alice, 200, "MESSAGE");
}

/* One is dead: the refusal of the other must not be lost with it. */
static void
message_one_dead(void **state)
{
	struct world *w = *state;
	const char *b;

	say(w, &alice, ua_request(&alice, "MESSAGE", "sip:x@example.com"));
	b = expect(w, &bob, "MESSAGE");
	say(w, &bob, ua_response(&bob, b, 404, "b"));
	expect_absorbed(w);
	world_wait(w, TIMER_64T1 + SECONDS(1));
	world_take(w, &carol);
	/* RFC 4320 4.1: too late for the caller by then, whether something goes up or not. */
	world_take(w, &alice);
}

/* Over the workers in every way: 180s, the answer, the loser's end, ACK. */
static void
spread_over_workers(void **state)
{
	struct world *w = *state;

	for (uint64_t pattern = 0; pattern < 256; pattern++) {
		struct fork fork;

		w->pattern = pattern;
		w->pattern_left = 64;
		fork_invite(w, &fork);
		ring_both(w, &fork);
		if (pattern % 2) {
			answer(w, &fork.carol);
			obey_cancel(w, &fork.bob);
			call_ack(w, &fork.carol);
			leg_bye(w, &fork.carol.callee, &fork.carol.caller);
		} else {
			refuse_and_wait(w, &fork.carol, 486);
			refuse_last(w, &fork.bob, 302, 302, fork.bob.tag);
		}
		w->pattern_left = 0;
		world_wait(w, MS(500));
	}
}

static void
both_at_once(struct bp_config *config)
{
	world_config_two_targets(config, 1, 1);
	config->trunks[0].parallel = true;
}

/* RFC 5393 5.3.3: each request has a Max-Breadth, no more than 60, and that of a fork is divided. */
static void
breadth_divided(void **state)
{
	static const struct {
		const char *sent, *branch;
	} cases[] = {{NULL, "30"}, {"60", "30"}, {"5", "2"}, {"2", "1"}, {"900", "30"}, {"99999999999999999999", "30"}};
	struct world *w = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *request = ua_request(&alice, "MESSAGE", "sip:x@example.com"), *at_bob, *at_carol;

		say(w, &alice, cases[i].sent ? text_set(request, "Max-Breadth", cases[i].sent) : request);
		at_bob = expect(w, &bob, "MESSAGE");
		at_carol = expect(w, &carol, "MESSAGE");
		check_int(w, text_count(at_bob, "Max-Breadth"), 1);
		check_text(w, text_header(at_bob, "Max-Breadth"), cases[i].branch);
		check_text(w, text_header(at_carol, "Max-Breadth"), cases[i].branch);
		say(w, &bob, ua_response(&bob, at_bob, 200, "b"));
		expect_status(w, &alice, 200, "MESSAGE");
		say(w, &carol, ua_response(&carol, at_carol, 404, "c"));
	}
}

/* With a breadth of one the targets are tried one after another; with none no request can go on. */
static void
breadth_too_small(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "MESSAGE", "sip:x@example.com"), *seen;
	const struct peer *second;

	say(w, &alice, text_set(request, "Max-Breadth", "1"));
	seen = expect_anywhere(w, "MESSAGE");
	expect_nothing(w);
	check_text(w, text_header(seen, "Max-Breadth"), "1");
	second = w->last_flow.ip.bytes[15] == 2 ? &carol : &bob;
	say(w, second == &bob ? &carol : &bob, ua_response(&bob, seen, 503, "b"));
	seen = expect(w, second, "MESSAGE");
	check_text(w, text_header(seen, "Max-Breadth"), "1");
	say(w, second, ua_response(second, seen, 200, "c"));
	expect_status(w, &alice, 200, "MESSAGE");
	request = ua_request(&alice, "MESSAGE", "sip:x@example.com");
	say(w, &alice, text_set(request, "Max-Breadth", "0"));
	expect_status(w, &alice, 440, "MESSAGE");
	request = ua_request(&alice, "MESSAGE", "sip:x@example.com");
	say(w, &alice, text_set(request, "Max-Breadth", "-1"));
	expect_status(w, &alice, 400, "MESSAGE");
	expect_nothing(w);
}

static const struct world_options options = {
	.workers = 1, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20, .prepare = both_at_once};
static const struct world_options two = {
	.workers = 2, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20, .prepare = both_at_once};

static const struct CMUnitTest tests[] = {
	flow_test_with(breadth_divided, &options),
	flow_test_with(breadth_too_small, &options),
	flow_test_with(first_answer_wins, &options),
	flow_test_with(first_branch_answers, &options),
	flow_test_with(cancel_waits_for_1xx, &options),
	flow_test_with(both_answer, &options),
	flow_test_with(both_answer_again_and_again, &options),
	flow_test_with(ack_with_branch_of_invite, &options),
	flow_test_with(one_busy_one_answers, &options),
	flow_test_with(best_refusal, &options),
	flow_test_with(global_failure, &options),
	flow_test_with(challenges_joined, &options),
	flow_test_with(caller_cancels, &options),
	flow_test_with(caller_cancels_what_is_left, &options),
	flow_test_with(caller_cancels_early, &options),
	flow_test_with(one_dead_one_busy, &options),
	flow_test_with(one_dead_one_answers, &options),
	flow_test_with(both_dead, &options),
	flow_test_with(one_unreachable, &options),
	flow_test_with(timer_c, &options),
	flow_test_with(loser_never_ends, &options),
	flow_test_with(bye_to_one_early_dialog, &options),
	flow_test_with(message, &options),
	flow_test_with(message_refused_by_one, &options),
	flow_test_with(message_timed_out_at_one, &options),
	flow_test_with(message_one_dead, &options),
	flow_test_with(spread_over_workers, &two),
};

FLOW_TESTS_MAIN(tests)
