/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timers A to M at their microsecond: when each fires, what it sends, what stops it.
 * RFC 3261 17, 16.6 step 11, 16.8; RFC 6026; RFC 4320.
 */
#include "agent.h"

#include <string.h>

/* The same message to @to at each of these times, nothing else in between or right after. */
static void
repeated_at(struct world *w, const struct peer *to, const char *message, const uint64_t *at, unsigned count)
{
	unsigned status = text_status(message);
	const char *method = text_cseq_method(message);

	for (unsigned i = 0; i < count; i++) {
		world_run_until(w, at[i] - 1);
		expect_nothing(w);
		world_run_until(w, at[i]);
		expect_same(w, world_expect(w, to, method, status, __FILE__, __LINE__), message);
		expect_at(w, at[i]);
		expect_nothing(w);
	}
}

/* A: T1, doubled each time; B: 64*T1, and 408. */
static void
timers_a_and_b(void **state)
{
	struct world *w = *state;
	static const uint64_t at[] = {MS(500), MS(1500), MS(3500), MS(7500), MS(15500), MS(31500)};
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	repeated_at(w, &bob, call.seen, at, 6);
	world_run_until(w, TIMER_64T1 - 1);
	expect_nothing(w);
	world_run_until(w, TIMER_64T1);
	final = expect_status(w, &alice, 408, "INVITE");
	expect_at(w, TIMER_64T1);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	world_wait(w, TIMER_64T1);
	expect_nothing(w);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_INVITE], 1);
}

/* Another T1: everything that is made of it follows. */
static void
another_t1(void **state)
{
	struct world *w = *state;
	static const uint64_t at[] = {MS(100), MS(300), MS(700), MS(1500), MS(3100), MS(6300)};
	struct call call;

	call_invite(w, &call, &alice, &bob);
	repeated_at(w, &bob, call.seen, at, 6);
	world_run_until(w, MS(6400));
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 408, "INVITE")));
	expect_at(w, MS(6400));
}

/* A and B stop at a final response. */
static void
final_stops_a_and_b(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_wait(w, MS(499));
	call_refuse(w, &call, 486);
	world_wait(w, SECONDS(100));
	expect_nothing(w);
	call_invite(w, &call, &alice, &bob);
	world_wait(w, MS(499));
	call_answer(w, &call);
	call_ack(w, &call);
	world_wait(w, SECONDS(100));
	expect_nothing(w);
	leg_bye(w, &call.caller, &call.callee);
}

/* C, 16.8: rang too long: CANCEL. The callee's 487 goes upstream. */
static void
timer_c(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	world_run_until(w, TIMER_C - 1);
	expect_nothing(w);
	world_run_until(w, TIMER_C);
	cancel = expect(w, &bob, "CANCEL");
	expect_at(w, TIMER_C);
	expect_nothing(w);
	call_cancelled(w, &call, cancel);
}

/* Each 1xx but 100 starts it again (16.7 step 2). */
static void
timer_c_refreshed(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	for (unsigned i = 1; i <= 5; i++) {
		world_run_until(w, i * SECONDS(100));
		call_ring(w, &call, i % 2 ? 180 : 183);
	}
	world_run_until(w, SECONDS(500) + TIMER_C - 1);
	expect_nothing(w);
	world_run_until(w, SECONDS(500) + TIMER_C);
	call_cancelled(w, &call, expect(w, &bob, "CANCEL"));
}

/* 100 does not. */
static void
timer_c_not_refreshed_by_100(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	world_run_until(w, SECONDS(100));
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	expect_nothing(w);
	world_run_until(w, TIMER_C - 1);
	expect_nothing(w);
	world_run_until(w, TIMER_C);
	call_cancelled(w, &call, expect(w, &bob, "CANCEL"));
}

/* C, and the callee is dead: CANCEL by timer E, then 408 after 64*T1 more (16.8). */
static void
timer_c_and_no_final(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	world_run_until(w, TIMER_C + TIMER_64T1 - 1);
	check_int(w, world_take(w, &bob), 11);
	expect_nothing(w);
	world_run_until(w, TIMER_C + TIMER_64T1);
	final = expect_status(w, &alice, 408, "INVITE");
	expect_at(w, TIMER_C + TIMER_64T1);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	world_take(w, &bob);
}

/* Cancelled by the caller, then timer C would fire: it was cancelled already. */
static void
timer_c_after_cancel(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel, *final;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	world_run_until(w, TIMER_C - SECONDS(10));
	cancel = call_cancel(w, &call);
	say(w, &bob, ua_response(&bob, cancel, 200, call.tag));
	world_run_until(w, TIMER_C - SECONDS(10) + TIMER_64T1 - 1);
	expect_nothing(w);
	world_run_until(w, TIMER_C - SECONDS(10) + TIMER_64T1);
	final = expect_status(w, &alice, 487, "INVITE");
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
}

/* An answer stops C. */
static void
timer_c_stopped(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	world_wait(w, TIMER_C * 2);
	expect_nothing(w);
	leg_bye(w, &call.caller, &call.callee);
}

/* D, at least 32 s: a final response that comes again is ACKed until then. */
static void
timer_d(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	world_run_until(w, SECONDS(32) - 1);
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect_absorbed(w);
	expect(w, &bob, "ACK");
	world_run_until(w, SECONDS(33));
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect_dropped(w, response_stale_branch);
	expect_nothing(w);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_INVITE], 1);
}

/* E: T1, doubled up to T2; F: 64*T1, and nothing (RFC 4320 4.2). */
static void
timers_e_and_f(void **state)
{
	struct world *w = *state;
	static const uint64_t at[] = {MS(500), MS(1500), MS(3500), MS(7500), MS(11500), MS(15500), MS(19500),
		MS(23500), MS(27500), MS(31500)};
	const char *seen;

	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
	seen = expect(w, &bob, "OPTIONS");
	repeated_at(w, &bob, seen, at, 2);
	world_run_until(w, at[2]); /* E reaches T2: time for a 100 upstream (RFC 4320 4.1) */
	expect_same(w, expect(w, &bob, "OPTIONS"), seen);
	expect_status(w, &alice, 100, "OPTIONS");
	repeated_at(w, &bob, seen, at + 3, 7);
	world_run_until(w, TIMER_64T1);
	expect_nothing(w);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_NON_INVITE], 1);
}

/* 17.1.2.2 Proceeding: E is T2 from then on; F still counts. */
static void
timer_e_in_proceeding(void **state)
{
	struct world *w = *state;
	static const uint64_t at[] = {
		MS(500), MS(4500), MS(8500), MS(12500), MS(16500), MS(20500), MS(24500), MS(28500)};
	const char *seen;

	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
	seen = expect(w, &bob, "OPTIONS");
	world_run_until(w, MS(100));
	say(w, &bob, ua_response(&bob, seen, 100, NULL));
	expect_absorbed(w);
	repeated_at(w, &bob, seen, at, 1);
	world_run_until(w, MS(3500));
	expect_status(w, &alice, 100, "OPTIONS"); /* our own (RFC 4320 4.1) */
	repeated_at(w, &bob, seen, at + 1, 7);
	world_run_until(w, TIMER_64T1);
	expect_nothing(w);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_NON_INVITE], 1);
}

/* A final response stops E. */
static void
timer_e_stopped(void **state)
{
	struct world *w = *state;
	const char *seen;

	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
	seen = expect(w, &bob, "OPTIONS");
	world_run_until(w, MS(499));
	say(w, &bob, ua_response(&bob, seen, 200, "x"));
	expect_status(w, &alice, 200, "OPTIONS");
	world_wait(w, SECONDS(100));
	expect_nothing(w);
}

/* G: the final response upstream, T1, doubled up to T2; H: 64*T1, and silence. */
static void
timers_g_and_h(void **state)
{
	struct world *w = *state;
	static const uint64_t at[] = {MS(500), MS(1500), MS(3500), MS(7500), MS(11500), MS(15500), MS(19500),
		MS(23500), MS(27500), MS(31500)};
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect(w, &bob, "ACK");
	final = expect_status(w, &alice, 486, "INVITE");
	repeated_at(w, &alice, final, at, 10);
	world_run_until(w, TIMER_64T1 + SECONDS(60));
	expect_nothing(w);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_INVITE], 1);
}

/* The edge's own 408 is repeated by G as well. */
static void
timer_g_for_our_own_response(void **state)
{
	struct world *w = *state;
	static const uint64_t at[] = {TIMER_64T1 + MS(500), TIMER_64T1 + MS(1500), TIMER_64T1 + MS(3500)};
	struct call call;
	const char *final;

	call_invite(w, &call, &alice, &bob);
	world_run_until(w, TIMER_64T1);
	check_int(w, world_take(w, &bob), 6);
	final = expect_status(w, &alice, 408, "INVITE");
	repeated_at(w, &alice, final, at, 3);
	say(w, &alice, ua_ack(call.invite, final));
	expect_absorbed(w);
	world_wait(w, SECONDS(60));
	expect_nothing(w);
}

/* I: after the ACK, ACKs that come again are absorbed for T4 at least. */
static void
timer_i(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	world_run_until(w, T4 - 1);
	say(w, &alice, ua_ack(call.invite, call.answer));
	expect_absorbed(w);
	expect_nothing(w);
}

/* J: the final response to a non-INVITE again until then; afterwards it is a new request. */
static void
timer_j(void **state)
{
	struct world *w = *state;
	const char *request = ua_request(&alice, "OPTIONS", "sip:bob@example.com"), *seen;

	say(w, &alice, request);
	seen = expect(w, &bob, "OPTIONS");
	world_run_until(w, SECONDS(3));
	world_take(w, &bob);
	say(w, &bob, ua_response(&bob, seen, 200, "x"));
	expect_status(w, &alice, 200, "OPTIONS");
	world_run_until(w, SECONDS(3) + TIMER_64T1 - 1);
	say(w, &alice, request);
	expect_answered(w);
	expect_status(w, &alice, 200, "OPTIONS");
	world_run_until(w, SECONDS(3) + TIMER_64T1 + 1);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_NON_INVITE], 1);
	say(w, &alice, request);
	expect_forwarded(w);
	seen = expect(w, &bob, "OPTIONS");
	say(w, &bob, ua_response(&bob, seen, 200, "x"));
	expect_status(w, &alice, 200, "OPTIONS");
}

/* L and M (RFC 6026): 64*T1 after the first 2xx the INVITE transaction ends on both sides. */
static void
timers_l_and_m(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_run_until(w, MS(400));
	call_answer(w, &call);
	call_ack(w, &call);
	world_run_until(w, MS(400) + TIMER_64T1 - 1);
	say(w, &bob, ua_response(&bob, call.seen, 200, call.tag));
	expect_forwarded(w);
	expect_status(w, &alice, 200, "INVITE");
	say(w, &alice, call.invite);
	expect_absorbed(w);
	world_run_until(w, MS(400) + TIMER_64T1 + 1);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_INVITE], 1);
	say(w, &bob, ua_response(&bob, call.seen, 200, call.tag));
	expect_dropped(w, response_stale_branch);
	leg_bye(w, &call.caller, &call.callee);
}

/* A worker that was held up: all that was due comes at once, in order, and each thing once. */
static void
late_worker(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *request = ua_request(&alice, "OPTIONS", "sip:bob@example.com");

	call_invite(w, &call, &alice, &bob);
	say(w, &alice, request);
	expect(w, &bob, "OPTIONS");
	w->now_us += SECONDS(300);
	world_wait(w, 0);
	check(w, world_take(w, &bob) <= 16);
	expect_status(w, &alice, 100, "OPTIONS");
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 408, "INVITE")));
	expect_absorbed(w);
	world_wait(w, SECONDS(40));
	expect_nothing(w);
}

/* A thousand timers at the same moment: a few per turn, none lost. */
static void
many_at_once(void **state)
{
	struct world *w = *state;
	const char *seen[200];

	for (unsigned i = 0; i < 200; i++) {
		say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
		seen[i] = expect(w, &bob, "OPTIONS");
	}
	world_run_until(w, MS(500));
	check_int(w, world_take(w, &bob), 200);
	for (unsigned i = 0; i < 200; i += 2) {
		say(w, &bob, ua_response(&bob, seen[i], 200, "x"));
		expect_status(w, &alice, 200, "OPTIONS");
	}
	world_run_until(w, MS(1500));
	check_int(w, world_take(w, &bob), 100);
	world_run_until(w, TIMER_64T1);
	check_int(w, world_take(w, &bob), 800);
	check_int(w, world_take(w, &alice), 100); /* a 100 each */
}

static const struct world_options fast = {
	.workers = 1, .transactions = 256, .dialogs = 128, .kept_bytes = 4 << 20, .t1_us = MS(100)};

static const struct CMUnitTest tests[] = {
	flow_test(timers_a_and_b),
	flow_test_with(another_t1, &fast),
	flow_test(final_stops_a_and_b),
	flow_test(timer_c),
	flow_test(timer_c_refreshed),
	flow_test(timer_c_not_refreshed_by_100),
	flow_test(timer_c_and_no_final),
	flow_test(timer_c_after_cancel),
	flow_test(timer_c_stopped),
	flow_test(timer_d),
	flow_test(timers_e_and_f),
	flow_test(timer_e_in_proceeding),
	flow_test(timer_e_stopped),
	flow_test(timers_g_and_h),
	flow_test(timer_g_for_our_own_response),
	flow_test(timer_i),
	flow_test(timer_j),
	flow_test(timers_l_and_m),
	flow_test(late_worker),
	flow_test(many_at_once),
};

FLOW_TESTS_MAIN(tests)
