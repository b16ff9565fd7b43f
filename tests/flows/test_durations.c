/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The timers with other T1, T2 and T4 than the default ones: each instant follows from these three and from nothing
 * else. RFC 3261 17.1.1.2, 17.1.2.2, 17.2.1, 17.2.2, table 4; RFC 6026; RFC 4320.
 */
#include "agent.h"

#include "transaction/machine.h"

#include <stdlib.h>
#include <string.h>

static uint64_t t1, t2, t4, d;

static void
set(struct bp_config *config, uint64_t t1_us, uint64_t t2_us, uint64_t t4_us)
{
	t1 = t1_us;
	t2 = t2_us;
	t4 = t4_us;
	d = 64 * t1 > SECONDS(32) ? 64 * t1 : SECONDS(32);
	config->timers.t1_us = t1;
	config->timers.t2_us = t2;
	config->timers.t4_us = t4;
	config->timers.d_us = d;
}

/* T2 is no multiple of T1, and T4 is less than T2. */
static void
make_swift(struct bp_config *config)
{
	set(config, MS(250), MS(1700), MS(1200));
}

static void
make_slow(struct bp_config *config)
{
	set(config, SECONDS(2), SECONDS(5), SECONDS(20));
}

/* T2 is less than T1: E and G begin with T1 all the same. */
static void
make_flat(struct bp_config *config)
{
	set(config, MS(1000), MS(650), MS(5000));
}

/* The same message to @to again and again until @end, from @from on at intervals of T1, doubled, up to @most; and nothing
 * else to anybody. Returns how often. */
static unsigned
sent_again(struct world *w, const struct peer *to, const char *message, uint64_t from, uint64_t most, uint64_t end)
{
	unsigned status = text_status(message), count = 0;
	const char *method = text_cseq_method(message);
	uint64_t interval = t1, at = from + t1;

	for (; at < end; count++) {
		world_run_until(w, at - 1);
		expect_nothing(w);
		world_run_until(w, at);
		expect_same(w, world_expect(w, to, method, status, __FILE__, __LINE__), message);
		expect_at(w, at);
		expect_nothing(w);
		interval = 2 * interval < most ? 2 * interval : most;
		at += interval;
	}
	world_run_until(w, end - 1);
	expect_nothing(w);
	return count;
}

static uint64_t
left(struct world *w, enum bp_machine_id machine, unsigned state)
{
	return world_sum(w)->states_left[machine][state];
}

/* A doubles without end; B is 64*T1. */
static void
a_and_b(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	check_int(w, sent_again(w, &bob, call.seen, 0, UINT64_MAX / 4, 64 * t1), 6);
	world_run_until(w, 64 * t1);
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 408, "INVITE")));
	expect_at(w, 64 * t1);
	expect_absorbed(w);
}

/* E doubles up to T2; F is 64*T1, and nothing goes up but a 100. */
static void
e_and_f(void **state)
{
	struct world *w = *state;
	uint64_t interval = t1, at = t1;
	const char *seen;

	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
	seen = expect(w, &bob, "OPTIONS");
	while (at < 64 * t1) {
		world_run_until(w, at - 1);
		check_int(w, world_take(w, &bob), 0);
		world_run_until(w, at);
		world_take(w, &alice);
		expect_same(w, expect(w, &bob, "OPTIONS"), seen);
		expect_at(w, at);
		interval = 2 * interval < t2 ? 2 * interval : t2;
		at += interval;
	}
	world_run_until(w, 64 * t1 - 1);
	check_int(w, left(w, BP_MACHINE_NICT, BP_NICT_TRYING), 0);
	world_run_until(w, 64 * t1);
	check_int(w, left(w, BP_MACHINE_NICT, BP_NICT_TRYING), 1);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_NON_INVITE], 1);
	expect_nothing(w);
}

/* A 100 as E reaches T2 (RFC 4320 4.1): never early, and late by T1 at most. */
static void
trying_when_e_reaches_t2(void **state)
{
	struct world *w = *state;
	uint64_t due = t1;

	for (uint64_t interval = t1; interval < t2; interval *= 2)
		due += interval == t1 ? 0 : interval;
	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
	world_run_until(w, due - 1);
	check_int(w, world_take(w, &alice), 0);
	world_run_until(w, due + t1);
	world_take(w, &bob);
	expect_status(w, &alice, 100, "OPTIONS");
	world_run_until(w, 64 * t1);
	check_int(w, world_take(w, &alice), 0);
	world_take(w, &bob);
}

/* After a 1xx E goes on at T2 (17.1.2.2 Proceeding). */
static void
e_in_proceeding(void **state)
{
	struct world *w = *state;
	const char *seen;
	uint64_t at = t1;

	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
	seen = expect(w, &bob, "OPTIONS");
	say(w, &bob, ua_response(&bob, seen, 100, NULL));
	expect_absorbed(w);
	for (; at < 64 * t1; at += t2) {
		world_run_until(w, at - 1);
		check_int(w, world_take(w, &bob), 0);
		world_run_until(w, at);
		check_int(w, world_take(w, &bob), 1);
	}
	world_run_until(w, 64 * t1);
	check_int(w, world_take(w, &bob), 0);
	check_int(w, world_take(w, &alice), 1); /* the 100 */
	check_int(w, left(w, BP_MACHINE_NICT, BP_NICT_PROCEEDING), 1);
}

/* G doubles up to T2; H is 64*T1. */
static void
g_and_h(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 486, call.tag));
	expect(w, &bob, "ACK");
	sent_again(w, &alice, expect_status(w, &alice, 486, "INVITE"), 0, t2, 64 * t1);
	check_int(w, left(w, BP_MACHINE_IST, BP_IST_COMPLETED), 0);
	world_run_until(w, 64 * t1);
	check_int(w, left(w, BP_MACHINE_IST, BP_IST_COMPLETED), 1);
	expect_nothing(w);
}

/* I is T4 after the ACK; D is 64*T1, and 32 s at least. */
static void
i_and_d(void **state)
{
	struct world *w = *state;
	struct call call;
	uint64_t over = (d + 64 * t1 - 1) / (64 * t1) * (64 * t1); /* in steps of 64*T1 */

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	world_run_until(w, t4 - 1);
	check_int(w, left(w, BP_MACHINE_IST, BP_IST_CONFIRMED), 0);
	world_run_until(w, t4);
	check_int(w, left(w, BP_MACHINE_IST, BP_IST_CONFIRMED), 1);
	world_run_until(w, over - 1);
	check_int(w, left(w, BP_MACHINE_ICT, BP_ICT_COMPLETED), 0);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_INVITE], 0);
	world_run_until(w, over);
	check_int(w, left(w, BP_MACHINE_ICT, BP_ICT_COMPLETED), 1);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_INVITE], 1);
}

/* K is T4, J is 64*T1 after the final response. */
static void
j_and_k(void **state)
{
	struct world *w = *state;
	const char *seen;

	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
	seen = expect(w, &bob, "OPTIONS");
	say(w, &bob, ua_response(&bob, seen, 200, "x"));
	expect_status(w, &alice, 200, "OPTIONS");
	world_run_until(w, t4 - 1);
	check_int(w, left(w, BP_MACHINE_NICT, BP_NICT_COMPLETED), 0);
	world_run_until(w, t4);
	check_int(w, left(w, BP_MACHINE_NICT, BP_NICT_COMPLETED), 1);
	world_run_until(w, 64 * t1 - 1);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_NON_INVITE], 0);
	world_run_until(w, 64 * t1);
	check_int(w, left(w, BP_MACHINE_NIST, BP_NIST_COMPLETED), 1);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_NON_INVITE], 1);
	expect_nothing(w);
}

/* L and M are 64*T1 after the 2xx. */
static void
l_and_m(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	call_ack(w, &call);
	world_run_until(w, 64 * t1 - 1);
	check_int(w, left(w, BP_MACHINE_IST, BP_IST_ACCEPTED), 0);
	check_int(w, left(w, BP_MACHINE_ICT, BP_ICT_ACCEPTED), 0);
	world_run_until(w, 64 * t1);
	check_int(w, left(w, BP_MACHINE_IST, BP_IST_ACCEPTED), 1);
	check_int(w, left(w, BP_MACHINE_ICT, BP_ICT_ACCEPTED), 1);
	check_int(w, world_sum(w)->transactions_ended[BP_KIND_INVITE], 1);
	leg_bye(w, &call.caller, &call.callee);
}

/* The CANCEL's own E, doubled up to T2, and F: 64*T1 after it the INVITE is given up, too (9.1). */
static void
cancel_without_answer(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	sent_again(w, &bob, cancel, 0, t2, 64 * t1);
	world_run_until(w, 64 * t1);
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 487, "INVITE")));
	expect_at(w, 64 * t1);
	expect_absorbed(w);
}

static const struct world_options swift = {
	.workers = 1, .transactions = 256, .dialogs = 128, .kept_bytes = 4 << 20, .prepare = make_swift};
static const struct world_options slow = {
	.workers = 1, .transactions = 256, .dialogs = 128, .kept_bytes = 4 << 20, .prepare = make_slow};
static const struct world_options flat = {
	.workers = 1, .transactions = 256, .dialogs = 128, .kept_bytes = 4 << 20, .prepare = make_flat};

/* clang-format off */
#define ALL(f) flow_test_with(f, &swift), flow_test_with(f, &slow), flow_test_with(f, &flat)
/* clang-format on */

static const struct CMUnitTest tests[] = {
	ALL(a_and_b),
	ALL(e_and_f),
	ALL(trying_when_e_reaches_t2),
	ALL(e_in_proceeding),
	ALL(g_and_h),
	ALL(i_and_d),
	ALL(j_and_k),
	ALL(l_and_m),
	ALL(cancel_without_answer),
};

FLOW_TESTS_MAIN(tests)
