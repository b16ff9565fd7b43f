/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Call detail records: one for each INVITE that makes no dialog, one for each dialog, with the right times, names and
 * ends.
 */
#include "agent.h"

#include "dialog/dialog.h"
#include "proxy/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
with_two_at_once(struct bp_config *config)
{
	world_config_cdr(config);
	world_config_two_targets(config, 1, 1);
	config->trunks[0].parallel = true;
}

static const struct world_options one = {
	.workers = 1, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20, .prepare = world_config_cdr};
static const struct world_options two_targets = {
	.workers = 1, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20, .prepare = with_two_at_once};

#define cdr_test(f) flow_test_with(f, &one)
#define WHY_END(name) ((int)BP_CDR_FAILURE_COUNT + (int)BP_DIALOG_END_##name)

static const struct bp_cdr *
only_cdr(struct world *w)
{
	world_take_cdrs(w);
	check_int(w, w->cdr_count, 1);
	return w->cdrs[0];
}

static const char *
text_of(const struct bp_cdr *cdr, enum bp_cdr_text which)
{
	return text_copy(bp_cdr_text(cdr, which), cdr->sizes[which]);
}

static const char *
user_of(const struct bp_cdr *cdr, enum bp_cdr_text which)
{
	const uint8_t *user = cdr->users[which - BP_CDR_TEXT_from];

	return text_copy(bp_cdr_text(cdr, which) + user[0], user[1]);
}

static const char *
with_line(const char *message, const char *line)
{
	const char *at = strstr(message, "Max-Forwards:");

	return text_printf("%.*s%s\r\n%s", (int)(at - message), message, line, at);
}

static void
check_end(struct world *w, const struct bp_cdr *cdr, enum bp_cdr_kind kind, int why, enum bp_cdr_ender by)
{
	check_int(w, cdr->kind, kind);
	check_int(w, cdr->why, why);
	check_int(w, cdr->ended_by, by);
}

/* INVITE, 0.4 s later 180, 3 s later 200, 60 s later BYE. */
static void
answered(void **state)
{
	struct world *w = *state;
	const struct bp_cdr *cdr;
	struct bp_flow to;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_wait(w, MS(400));
	call_ring(w, &call, 180);
	world_wait(w, SECONDS(1));
	call_ring(w, &call, 183);
	world_wait(w, SECONDS(2));
	call_answer(w, &call);
	call_ack(w, &call);
	world_wait(w, SECONDS(60));
	check_int(w, (world_take_cdrs(w), w->cdr_count), 0);
	leg_bye(w, &call.caller, &call.callee);
	cdr = only_cdr(w);
	check_end(w, cdr, BP_CDR_DIALOG, WHY_END(bye), BP_CDR_BY_caller);
	check_int(w, cdr->start_us - w->start_us, 0);
	check_int(w, cdr->ring_us - cdr->start_us, MS(400));
	check_int(w, cdr->answer_us - cdr->start_us, MS(3400));
	check_int(w, cdr->end_us - cdr->answer_us, SECONDS(60));
	check_int(w, cdr->status, 200);
	check_int(w, cdr->races, 0);
	check_text(w, text_of(cdr, BP_CDR_TEXT_realm_in), "access");
	check_text(w, text_of(cdr, BP_CDR_TEXT_realm_out), "core");
	check_text(w, text_of(cdr, BP_CDR_TEXT_trunk_out), w->config->trunks[0].name);
	check_text(w, text_of(cdr, BP_CDR_TEXT_call_id), text_header(call.invite, "Call-ID"));
	check_text(w, user_of(cdr, BP_CDR_TEXT_from), "alice");
	check_text(w, user_of(cdr, BP_CDR_TEXT_request_uri), "bob");
	check_text(w, text_of(cdr, BP_CDR_TEXT_asserted), ""); /* whoever is not trusted asserts nothing */
	to = peer_flow(&bob);
	check(w, bp_ip_equal(&cdr->target.ip, &to.ip));
}

/* The callee's BYE is lost for a while: it counts from when it came first, and its Reason is kept. */
static void
ended_by_callee(void **state)
{
	struct world *w = *state;
	const struct bp_cdr *cdr;
	const char *bye, *seen;
	struct call call;

	call_up(w, &call, &alice, &bob);
	world_wait(w, SECONDS(10));
	bye = with_line(leg_request(&call.callee, "BYE"), "Reason: Q.850;cause=16;text=\"Normal\"");
	say(w, &bob, bye);
	seen = expect(w, &alice, "BYE");
	world_wait(w, MS(400));
	say(w, &bob, bye);
	say(w, &alice, ua_response(&alice, seen, 200, NULL));
	expect_status(w, &bob, 200, "BYE");
	cdr = only_cdr(w);
	check_end(w, cdr, BP_CDR_DIALOG, WHY_END(bye), BP_CDR_BY_callee);
	check_int(w, cdr->end_us - cdr->answer_us, SECONDS(10));
	check_text(w, text_copy(cdr->reason, cdr->reason_size), "Q.850;cause=16;text=\"Normal\"");
}

static void
busy(void **state)
{
	struct world *w = *state;
	const struct bp_cdr *cdr;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_wait(w, MS(300));
	call_refuse(w, &call, 486);
	cdr = only_cdr(w);
	check_end(w, cdr, BP_CDR_ATTEMPT, BP_CDR_WHY_rejected, BP_CDR_BY_callee);
	check_int(w, cdr->status, 486);
	check_int(w, cdr->ring_us, 0);
	check_int(w, cdr->answer_us, 0);
	check_int(w, cdr->end_us - cdr->start_us, MS(300));
	check_int(w, cdr->target.port, bob.port);
	world_idle(w);
	check_int(w, (world_take_cdrs(w), w->cdr_count), 1);
}

static void
no_answer(void **state)
{
	struct world *w = *state;
	const struct bp_cdr *cdr;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	w->unchecked = true;
	world_wait(w, TIMER_64T1);
	cdr = only_cdr(w);
	check_end(w, cdr, BP_CDR_ATTEMPT, BP_CDR_WHY_timeout, BP_CDR_BY_edge);
	check_int(w, cdr->status, 408);
	check_int(w, cdr->end_us - cdr->start_us, TIMER_64T1);
}

static void
unreachable(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_flow_failed(w, &bob, call.seen);
	check_end(w, only_cdr(w), BP_CDR_ATTEMPT, BP_CDR_WHY_unreachable, BP_CDR_BY_edge);
	check_int(w, w->cdrs[0]->status, 503);
	w->unchecked = true;
}

static void
cancelled(void **state)
{
	struct world *w = *state;
	const struct bp_cdr *cdr;
	const char *cancel;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	world_wait(w, SECONDS(3));
	say(w, &alice, with_line(ua_cancel(call.invite), "Reason: SIP;cause=200;text=\"elsewhere\""));
	expect_status(w, &alice, 200, "CANCEL");
	cancel = expect(w, &bob, "CANCEL");
	call_cancelled(w, &call, cancel);
	cdr = only_cdr(w);
	check_end(w, cdr, BP_CDR_ATTEMPT, BP_CDR_WHY_cancelled, BP_CDR_BY_caller);
	check_int(w, cdr->status, 487);
	check_int(w, cdr->ring_us - cdr->start_us, 0);
	check(w, cdr->ring_us > 0);
	check_int(w, cdr->races, 0);
	check_text(w, text_copy(cdr->reason, cdr->reason_size), "SIP;cause=200;text=\"elsewhere\"");
}

static void
cancelled_before_1xx(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 200, "CANCEL");
	say(w, &bob, ua_response(&bob, call.seen, 100, NULL));
	call_cancelled(w, &call, expect(w, &bob, "CANCEL"));
	check_end(w, only_cdr(w), BP_CDR_ATTEMPT, BP_CDR_WHY_cancelled, BP_CDR_BY_caller);
	check_int(w, w->cdrs[0]->races, 1 << BP_CDR_RACE_cancel_before_1xx);
}

static void
cancel_lost(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 200, "CANCEL");
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_end(w, only_cdr(w), BP_CDR_DIALOG, WHY_END(bye), BP_CDR_BY_caller);
	check_int(w, w->cdrs[0]->races, 1 << BP_CDR_RACE_cancel_lost_to_2xx);
}

static void
bye_before_ack(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	leg_bye(w, &call.callee, &call.caller);
	check_end(w, only_cdr(w), BP_CDR_DIALOG, WHY_END(bye), BP_CDR_BY_callee);
	check_int(w, w->cdrs[0]->races, 1 << BP_CDR_RACE_bye_before_ack);
}

/* RFC 5407 3.1.4: the first that is answered ends it. */
static void
bye_glare(void **state)
{
	struct world *w = *state;
	const char *to_bob, *to_alice;
	struct call call;

	call_up(w, &call, &alice, &bob);
	to_bob = leg_exchange_begin(w, &call.caller, &call.callee, "BYE");
	world_wait(w, MS(10));
	to_alice = leg_exchange_begin(w, &call.callee, &call.caller, "BYE");
	say(w, &alice, ua_response(&alice, to_alice, 200, NULL));
	expect_status(w, &bob, 200, "BYE");
	say(w, &bob, ua_response(&bob, to_bob, 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	check_end(w, only_cdr(w), BP_CDR_DIALOG, WHY_END(bye), BP_CDR_BY_callee);
	check_int(w, w->cdrs[0]->end_us - w->cdrs[0]->answer_us, MS(10));
	check_int(w, w->cdrs[0]->races, 1 << BP_CDR_RACE_bye_glare);
}

/* A challenged BYE ends nothing: the time is that of the one with credentials. */
static void
bye_challenged(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	leg_exchange(w, &call.caller, &call.callee, "BYE", 407);
	check_int(w, (world_take_cdrs(w), w->cdr_count), 0);
	world_wait(w, SECONDS(5));
	leg_bye(w, &call.caller, &call.callee);
	check_int(w, only_cdr(w)->end_us - w->cdrs[0]->answer_us, SECONDS(5));
}

static void
bye_unanswered(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	world_wait(w, SECONDS(20));
	leg_exchange_begin(w, &call.caller, &call.callee, "BYE");
	w->unchecked = true;
	world_wait(w, TIMER_64T1);
	check_end(w, only_cdr(w), BP_CDR_DIALOG, WHY_END(bye_unanswered), BP_CDR_BY_caller);
	check_int(w, w->cdrs[0]->end_us - w->cdrs[0]->answer_us, SECONDS(20));
}

static void
reaped(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	world_wait(w, TIMER_64T1);
	check_end(w, only_cdr(w), BP_CDR_DIALOG, WHY_END(no_ack), BP_CDR_BY_edge);
	check_int(w, w->cdrs[0]->end_us - w->cdrs[0]->answer_us, TIMER_64T1);
}

/* Both targets answer: two dialogs, two records of one attempt. */
static void
forked_answered_twice(void **state)
{
	const char *invite, *to_bob, *to_carol, *first, *second;
	struct world *w = *state;
	struct leg a, b;

	invite = ua_invite(&alice, ua_uri(&alice, &bob));
	say(w, &alice, invite);
	expect_status(w, &alice, 100, "INVITE");
	to_bob = expect(w, &bob, "INVITE");
	to_carol = expect(w, &carol, "INVITE");
	say(w, &bob, ua_response(&bob, to_bob, 200, "b-tag"));
	first = expect_status(w, &alice, 200, "INVITE");
	world_wait(w, MS(100));
	say(w, &carol, ua_response(&carol, to_carol, 200, "c-tag"));
	second = expect_status(w, &alice, 200, "INVITE");
	a = leg_caller(&alice, invite, first);
	b = leg_caller(&alice, invite, second);
	say(w, &alice, leg_ack(&a));
	expect(w, &bob, "ACK");
	say(w, &alice, leg_ack(&b));
	expect(w, &carol, "ACK");
	world_wait(w, SECONDS(1));
	say(w, &alice, leg_request(&b, "BYE"));
	say(w, &carol, ua_response(&carol, expect(w, &carol, "BYE"), 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	world_wait(w, SECONDS(1));
	say(w, &alice, leg_request(&a, "BYE"));
	say(w, &bob, ua_response(&bob, expect(w, &bob, "BYE"), 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	world_take_cdrs(w);
	check_int(w, w->cdr_count, 2);
	check_int(w, w->cdrs[0]->attempt, w->cdrs[1]->attempt);
	check_int(w, w->cdrs[0]->answer_us - w->cdrs[1]->answer_us, MS(100));
	check_int(w, w->cdrs[0]->end_us - w->cdrs[0]->answer_us, SECONDS(1));
	check_int(w, w->cdrs[1]->end_us - w->cdrs[1]->answer_us, MS(2100));
	check_text(w, user_of(w->cdrs[0], BP_CDR_TEXT_from), "alice");
	world_idle(w);
}

/* The second 2xx comes when the first dialog is over, and its record with it. */
static void
forked_late(void **state)
{
	const char *invite, *to_bob, *to_carol, *first;
	struct world *w = *state;
	struct leg a, b;

	invite = ua_invite(&alice, ua_uri(&alice, &bob));
	say(w, &alice, invite);
	expect_status(w, &alice, 100, "INVITE");
	to_bob = expect(w, &bob, "INVITE");
	to_carol = expect(w, &carol, "INVITE");
	say(w, &bob, ua_response(&bob, to_bob, 200, "b-tag"));
	first = expect_status(w, &alice, 200, "INVITE");
	a = leg_caller(&alice, invite, first);
	say(w, &alice, leg_request(&a, "BYE"));
	say(w, &bob, ua_response(&bob, expect(w, &bob, "BYE"), 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	say(w, &carol, ua_response(&carol, to_carol, 200, "c-tag"));
	b = leg_caller(&alice, invite, expect_status(w, &alice, 200, "INVITE"));
	world_quiesce(w);
	say(w, &alice, leg_request(&b, "BYE"));
	say(w, &carol, ua_response(&carol, expect(w, &carol, "BYE"), 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	world_take_cdrs(w);
	check_int(w, w->cdr_count, 2);
	check_int(w, w->cdrs[0]->attempt, w->cdrs[1]->attempt);
	check_text(w, user_of(w->cdrs[1], BP_CDR_TEXT_from), "alice");
	check_text(w, text_of(w->cdrs[1], BP_CDR_TEXT_call_id), text_header(invite, "Call-ID"));
}

/* More answers than dialogs are kept: the further ones change nothing. */
static void
answered_too_often(void **state)
{
	struct world *w = *state;
	const char *first = NULL;
	struct call call;
	struct leg a;

	call_invite(w, &call, &alice, &bob);
	for (unsigned i = 0; i < BP_DIALOG_SIBLINGS_MAX + 2; i++) {
		const char *answer;

		say(w, &bob, ua_response(&bob, call.seen, 200, text_printf("tag-%u", i)));
		answer = expect_status(w, &alice, 200, "INVITE");
		first = first ? first : answer;
		world_wait(w, MS(10));
	}
	a = leg_caller(&alice, call.invite, first);
	say(w, &alice, leg_request(&a, "BYE"));
	say(w, &bob, ua_response(&bob, expect(w, &bob, "BYE"), 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	check_int(w, only_cdr(w)->answer_us - w->start_us, 0);
	world_idle(w);
	check_int(w, (world_take_cdrs(w), w->cdr_count), BP_DIALOG_SIBLINGS_MAX);
}

static void
refused_by_edge(void **state)
{
	struct world *w = *state;
	const char *invite = text_swap(ua_invite(&alice, ua_uri(&alice, &bob)), "Max-Forwards: 70", "Max-Forwards: 0");
	const char *refusal;

	say(w, &alice, invite);
	refusal = expect_status(w, &alice, 483, "INVITE");
	say(w, &alice, ua_ack(invite, refusal));
	check_end(w, only_cdr(w), BP_CDR_ATTEMPT, BP_CDR_WHY_refused, BP_CDR_BY_edge);
	check_int(w, w->cdrs[0]->status, 483);
	check_int(w, w->cdrs[0]->target.port, 0);
	check_text(w, user_of(w->cdrs[0], BP_CDR_TEXT_from), "alice");
	/* its retransmission is refused again, as nothing was kept: the same attempt */
	say(w, &alice, invite);
	expect_status(w, &alice, 483, "INVITE");
	world_take_cdrs(w);
	check_int(w, w->cdrs[1]->attempt, w->cdrs[0]->attempt);
}

/* What the core asserts is believed; hostile bytes are kept as they came. */
static void
asserted(void **state)
{
	struct world *w = *state;
	const struct bp_cdr *cdr;
	const char *invite = ua_invite(&bob, ua_uri(&bob, &alice));
	struct call call;

	invite = with_line(invite, "P-Asserted-Identity: \"\xff\xfe\" <sip:+4912\xc3\x28" "34@example.com;x=\"y\">");
	invite = text_swap(invite, "Max-Forwards", "P-Asserted-Identity: tel:+1\r\nMax-Forwards");
	call_invite_with(w, &call, &bob, &alice, invite);
	call_refuse(w, &call, 603);
	cdr = only_cdr(w);
	check_text(w, text_of(cdr, BP_CDR_TEXT_realm_in), "core");
	check_text(w, text_of(cdr, BP_CDR_TEXT_trunk_out), "");
	check(w, cdr->sizes[BP_CDR_TEXT_asserted] > 0);
}

/* A re-INVITE is no attempt. */
static void
reinvite(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	leg_reinvite(w, &call.caller, &call.callee);
	leg_bye(w, &call.caller, &call.callee);
	only_cdr(w);
}

static void
trunk_figures(void **state)
{
	struct world *w = *state;
	struct bp_kpi kpi;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_wait(w, MS(200));
	call_ring(w, &call, 180);
	world_wait(w, SECONDS(1));
	call_answer(w, &call);
	call_ack(w, &call);
	world_wait(w, SECONDS(30));
	leg_exchange_begin(w, &call.callee, &call.caller, "BYE");
	world_wait(w, MS(50));
	say(w, &alice, ua_response(&alice, w->log[w->log_count - 1].text, 200, NULL));
	expect_status(w, &bob, 200, "BYE");
	call_invite(w, &call, &alice, &bob);
	world_wait(w, MS(100));
	call_refuse(w, &call, 486);
	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 302);
	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 407);
	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 500);
	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 404);
	check(w, bp_edge_kpi(w->edge, 0, &kpi));
	check_int(w, kpi.attempts, 6);
	check_int(w, kpi.answered, 1);
	check_int(w, kpi.user, 1);
	check_int(w, kpi.redirected, 1);
	check_int(w, kpi.challenged, 1);
	check_int(w, kpi.ineffective, 1);
	check_int(w, kpi.other, 1);
	check_int(w, kpi.srd_good, 1);
	check_int(w, kpi.srd_good_us, MS(200));
	check_int(w, kpi.srd_failed, 3); /* neither the redirected nor the challenged one */
	check_int(w, kpi.srd_failed_us, MS(100));
	check_int(w, kpi.sdd_good, 1);
	check_int(w, kpi.sdd_good_us, MS(50));
	check_int(w, kpi.sdt_us, SECONDS(30));
	check(w, !bp_edge_kpi(w->edge, 1000, &kpi));
}

static void
keep_cut(void *context, const struct bp_cdr *cdr)
{
	struct world *w = context;

	w->cdrs[w->cdr_count] = malloc(bp_cdr_size(cdr));
	memcpy(w->cdrs[w->cdr_count++], cdr, bp_cdr_size(cdr));
}

/* The edge stops with a call up and another ringing: they are billed until then. */
static void
edge_stopped(void **state)
{
	struct world *w = *state;
	struct call up, ringing;

	call_up(w, &up, &alice, &bob);
	call_invite(w, &ringing, &alice, &bob);
	call_ring(w, &ringing, 180);
	world_wait(w, SECONDS(7));
	check_int(w, bp_edge_cut_cdrs(w->edge, w->now_us, keep_cut, w), 2);
	w->lossy = w->unchecked = true;
	check_end(w, w->cdrs[0], BP_CDR_DIALOG, BP_CDR_WHY_edge_stopped, BP_CDR_BY_edge);
	check_int(w, w->cdrs[0]->end_us - w->cdrs[0]->answer_us, SECONDS(7));
	check_end(w, w->cdrs[1], BP_CDR_ATTEMPT, BP_CDR_WHY_edge_stopped, BP_CDR_BY_edge);
	check_int(w, bp_edge_cut_cdrs(w->edge, w->now_us, keep_cut, w), 0);
}

/* Records that control does not take wait, and lose their order with nobody. */
static void
nobody_takes(void **state)
{
	struct world *w = *state;
	struct call call;

	for (unsigned i = 0; i < 300; i++) {
		call_invite(w, &call, &alice, &bob);
		call_refuse(w, &call, 486);
	}
	world_take_cdrs(w);
	check_int(w, w->cdr_count, 300);
	for (unsigned i = 0; i < 300; i++)
		check_int(w, w->cdrs[i]->serial, i + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cdr_test(answered),
		cdr_test(ended_by_callee),
		cdr_test(busy),
		cdr_test(no_answer),
		cdr_test(unreachable),
		cdr_test(cancelled),
		cdr_test(cancelled_before_1xx),
		cdr_test(cancel_lost),
		cdr_test(bye_before_ack),
		cdr_test(bye_glare),
		cdr_test(bye_challenged),
		cdr_test(bye_unanswered),
		cdr_test(reaped),
		flow_test_with(forked_answered_twice, &two_targets),
		flow_test_with(forked_late, &two_targets),
		cdr_test(answered_too_often),
		cdr_test(refused_by_edge),
		cdr_test(asserted),
		cdr_test(reinvite),
		cdr_test(trunk_figures),
		cdr_test(edge_stopped),
		cdr_test(nobody_takes),
	};

	return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
