/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The race conditions of RFC 5407 section 3 and its appendices, with the edge between Alice and Bob. What
 * crosses on the wire there crosses inside the edge here: it has to bring every message to the other side,
 * whatever state the dialog is in.
 */
#include "agent.h"

#include <string.h>

/* 3.1.1: the 180 is lost, the INVITE comes again when the 200 is there already. */
static void
s3_1_1_invite_retransmitted_against_200(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180); /* lost between us and Alice */
	world_wait(w, T1);
	call_answer(w, &call);
	say(w, &alice, call.invite);
	expect_absorbed(w);
	expect_nothing(w);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* 3.1.2: CANCEL against 200, the CANCEL is first at the edge: it passes, the callee says 200 to it or 481. */
static void
cancel_against_200(struct world *w, unsigned status)
{
	struct call call;
	const char *cancel;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	cancel = call_cancel(w, &call);
	call_answer(w, &call);
	say(w, &bob, ua_response(&bob, cancel, status, call.tag));
	expect_absorbed(w);
	expect_nothing(w);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

static void
s3_1_2_cancel_against_200(void **state)
{
	cancel_against_200(*state, 200);
}

static void
s3_1_2_cancel_against_200_uncorrected_callee(void **state)
{
	cancel_against_200(*state, 481);
}

/* 3.1.2, the 200 is first at the edge. */
static void
s3_1_2_200_against_cancel(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	call_answer(w, &call);
	say(w, &alice, ua_cancel(call.invite));
	expect_status(w, &alice, 200, "CANCEL");
	expect_nothing(w);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* 3.1.3: BYE in the early dialog against the 200; the BYE is first at the edge. */
static void
s3_1_3_early_bye_against_200(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg early;
	const char *bye;

	call_invite(w, &call, &alice, &bob);
	early = leg_caller(&alice, call.invite, call_ring(w, &call, 180));
	say(w, &alice, leg_request(&early, "BYE"));
	expect_forwarded(w);
	bye = expect(w, &bob, "BYE");
	call_answer(w, &call);
	say(w, &bob, ua_response(&bob, bye, 200, NULL));
	expect_forwarded(w);
	expect_status(w, &alice, 200, "BYE");
	call_ack(w, &call);
	check_dialogs(w, 1, 1);
}

/* 3.1.3, the 200 is first at the edge. */
static void
s3_1_3_200_against_early_bye(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg early;

	call_invite(w, &call, &alice, &bob);
	early = leg_caller(&alice, call.invite, call_ring(w, &call, 180));
	call_answer(w, &call);
	leg_exchange(w, &early, &call.callee, "BYE", 200);
	call_ack(w, &call);
	check_dialogs(w, 1, 1);
}

/* The ACK is lost before the edge; the caller's next request is on its way when the 200 comes again. */
static void
unacked(struct world *w, struct call *call)
{
	call_invite(w, call, &alice, &bob);
	call_ring(w, call, 180);
	call_answer(w, call);
	world_wait(w, T1);
}

static void
answer_again(struct world *w, struct call *call)
{
	say(w, &bob, ua_response(&bob, call->seen, 200, call->tag));
	expect_forwarded(w);
	expect_status(w, &alice, 200, "INVITE");
	expect_nothing(w);
}

/* 3.1.4: re-INVITE against the repeated 200; both are answered 200. */
static void
s3_1_4_reinvite_before_ack(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg first;
	const char *reinvite;

	unacked(w, &call);
	first = call.caller;
	say(w, &alice, leg_request(&call.caller, "INVITE"));
	expect_status(w, &alice, 100, "INVITE");
	reinvite = expect(w, &bob, "INVITE");
	answer_again(w, &call);
	say(w, &alice, leg_ack(&first));
	expect_forwarded(w);
	check_int(w, text_cseq(expect(w, &bob, "ACK")), 1);
	say(w, &bob, ua_response(&bob, reinvite, 200, NULL));
	expect_status(w, &alice, 200, "INVITE");
	say(w, &alice, leg_ack(&call.caller));
	expect_forwarded(w);
	check_int(w, text_cseq(expect(w, &bob, "ACK")), 2);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* 3.1.5: the offer was in the 200: Bob says 491 to the re-INVITE. */
static void
s3_1_5_reinvite_before_ack_491(void **state)
{
	struct world *w = *state;
	struct call call, again;
	struct leg first;

	unacked(w, &call);
	first = call.caller;
	again = (struct call){.from = &alice, .to = &bob, .invite = leg_request(&call.caller, "INVITE")};
	say(w, &alice, again.invite);
	expect_status(w, &alice, 100, "INVITE");
	again.seen = expect(w, &bob, "INVITE");
	answer_again(w, &call);
	say(w, &alice, leg_ack(&first));
	expect_forwarded(w);
	expect(w, &bob, "ACK");
	call_refuse(w, &again, 491);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* 3.1.6: BYE against the repeated 200; the ACK comes after the BYE. */
static void
s3_1_6_bye_before_ack(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *bye;

	unacked(w, &call);
	say(w, &alice, leg_request(&call.caller, "BYE"));
	bye = expect(w, &bob, "BYE");
	answer_again(w, &call);
	call_ack(w, &call);
	say(w, &bob, ua_response(&bob, bye, 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	check_dialogs(w, 1, 1);
}

/* The same with the BYE's 200 before the repeated 200 and the ACK: no second dialog comes to life. */
static void
s3_1_6_200_repeated_after_bye(void **state)
{
	struct world *w = *state;
	struct call call;

	unacked(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	answer_again(w, &call);
	call_ack(w, &call);
	check_dialogs(w, 1, 1);
	world_wait(w, SECONDS(100));
	check_dialogs(w, 1, 1);
}

/* 3.2.1: BYE from both ends at once. */
static void
s3_2_1_bye_from_both_ends(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *from_alice, *from_bob;

	call_up(w, &call, &alice, &bob);
	say(w, &alice, leg_request(&call.caller, "BYE"));
	expect_forwarded(w);
	from_alice = expect(w, &bob, "BYE");
	say(w, &bob, leg_request(&call.callee, "BYE"));
	expect_forwarded(w);
	from_bob = expect(w, &alice, "BYE");
	say(w, &bob, ua_response(&bob, from_alice, 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	say(w, &alice, ua_response(&alice, from_bob, 200, NULL));
	expect_status(w, &bob, 200, "BYE");
	expect_nothing(w);
	check_dialogs(w, 1, 1);
}

/* The second BYE arrives after the first one's 200. */
static void
s3_2_1_second_bye_late(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	leg_bye(w, &call.caller, &call.callee);
	leg_exchange(w, &call.callee, &call.caller, "BYE", 200);
	check_dialogs(w, 1, 1);
}

/* Both lost their route sets: the second BYE finds no dialog any more and gets 481 (15.1.2). */
static void
s3_2_1_second_bye_late_without_route_set(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg bare;

	call_up(w, &call, &alice, &bob);
	leg_bye(w, &call.caller, &call.callee);
	world_wait(w, SECONDS(100));
	bare = leg_without_routes(&call.callee, EDGE_CORE);
	say(w, &bob, leg_request(&bare, "BYE"));
	expect_status(w, &bob, 481, "BYE");
	check_dialogs(w, 1, 1);
}

/* 3.2.2: re-INVITE of Bob against BYE of Alice: she says 481 to it. */
static void
s3_2_2_reinvite_against_bye(void **state)
{
	struct world *w = *state;
	struct call call, again;
	const char *bye;

	call_up(w, &call, &alice, &bob);
	say(w, &alice, leg_request(&call.caller, "BYE"));
	bye = expect(w, &bob, "BYE");
	again = (struct call){.from = &bob, .to = &alice, .invite = leg_request(&call.callee, "INVITE")};
	say(w, &bob, again.invite);
	expect_status(w, &bob, 100, "INVITE");
	again.seen = expect(w, &alice, "INVITE");
	say(w, &bob, ua_response(&bob, bye, 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	call_refuse(w, &again, 481);
	check_dialogs(w, 1, 1);
}

/* 3.2.3: BYE of Alice against the 200 to her re-INVITE: she ACKs it, the dialog stays dead. */
static void
s3_2_3_200_for_reinvite_against_bye(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg of_reinvite;
	const char *reinvite, *bye;

	call_up(w, &call, &alice, &bob);
	say(w, &alice, leg_request(&call.caller, "INVITE"));
	expect_status(w, &alice, 100, "INVITE");
	reinvite = expect(w, &bob, "INVITE");
	of_reinvite = call.caller;
	say(w, &alice, leg_request(&call.caller, "BYE"));
	bye = expect(w, &bob, "BYE");
	say(w, &bob, ua_response(&bob, reinvite, 200, NULL));
	expect_forwarded(w);
	expect_status(w, &alice, 200, "INVITE");
	say(w, &bob, ua_response(&bob, bye, 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	say(w, &alice, leg_ack(&of_reinvite));
	expect_forwarded(w);
	expect(w, &bob, "ACK");
	check_dialogs(w, 1, 1);
}

/* The other order: the BYE is through when the 200 to the re-INVITE comes. It makes no dialog. */
static void
s3_2_3_200_for_reinvite_after_bye(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg of_reinvite;
	const char *reinvite;

	call_up(w, &call, &alice, &bob);
	say(w, &alice, leg_request(&call.caller, "INVITE"));
	expect_status(w, &alice, 100, "INVITE");
	reinvite = expect(w, &bob, "INVITE");
	of_reinvite = call.caller;
	leg_bye(w, &call.caller, &call.callee);
	say(w, &bob, ua_response(&bob, reinvite, 200, NULL));
	expect_forwarded(w);
	expect_status(w, &alice, 200, "INVITE");
	say(w, &alice, leg_ack(&of_reinvite));
	expect_forwarded(w);
	expect(w, &bob, "ACK");
	world_wait(w, SECONDS(100));
	check_dialogs(w, 1, 1);
}

/* 3.2.4: ACK of Alice against BYE of Bob, either first. */
static void
s3_2_4_ack_against_bye(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *bye;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	say(w, &bob, leg_request(&call.callee, "BYE"));
	bye = expect(w, &alice, "BYE");
	call_ack(w, &call);
	say(w, &alice, ua_response(&alice, bye, 200, NULL));
	expect_status(w, &bob, 200, "BYE");
	check_dialogs(w, 1, 1);
}

static void
s3_2_4_bye_through_before_ack(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	leg_bye(w, &call.callee, &call.caller);
	call_ack(w, &call);
	check_dialogs(w, 1, 1);
}

/* 3.3.1: re-INVITEs cross, 491 to both; the owner of the Call-ID waits longer; then one by one. */
static void
s3_3_1_reinvite_crossover(void **state)
{
	struct world *w = *state;
	struct call call, of_alice, of_bob;
	const char *final;

	call_up(w, &call, &alice, &bob);
	of_alice = (struct call){.from = &alice, .to = &bob, .invite = leg_request(&call.caller, "INVITE")};
	of_bob = (struct call){.from = &bob, .to = &alice, .invite = leg_request(&call.callee, "INVITE")};
	say(w, &alice, of_alice.invite);
	say(w, &bob, of_bob.invite);
	expect_status(w, &alice, 100, "INVITE");
	of_alice.seen = expect(w, &bob, "INVITE");
	expect_status(w, &bob, 100, "INVITE");
	of_bob.seen = expect(w, &alice, "INVITE");
	say(w, &bob, ua_response(&bob, of_alice.seen, 491, NULL));
	expect(w, &bob, "ACK");
	say(w, &alice, ua_response(&alice, of_bob.seen, 491, NULL));
	final = expect_status(w, &alice, 491, "INVITE");
	say(w, &alice, ua_ack(of_alice.invite, final));
	expect_absorbed(w);
	expect(w, &alice, "ACK");
	final = expect_status(w, &bob, 491, "INVITE");
	say(w, &bob, ua_ack(of_bob.invite, final));
	expect_absorbed(w);
	expect_nothing(w);
	world_wait(w, SECONDS(1));
	leg_reinvite(w, &call.callee, &call.caller);
	world_wait(w, SECONDS(2));
	leg_reinvite(w, &call.caller, &call.callee);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* 3.3.2: UPDATE against re-INVITE: 491 to both. */
static void
s3_3_2_update_against_reinvite(void **state)
{
	struct world *w = *state;
	struct call call, of_bob;
	const char *update;

	call_up(w, &call, &alice, &bob);
	say(w, &alice, leg_request(&call.caller, "UPDATE"));
	update = expect(w, &bob, "UPDATE");
	of_bob = (struct call){.from = &bob, .to = &alice, .invite = leg_request(&call.callee, "INVITE")};
	say(w, &bob, of_bob.invite);
	expect_status(w, &bob, 100, "INVITE");
	of_bob.seen = expect(w, &alice, "INVITE");
	say(w, &bob, ua_response(&bob, update, 491, NULL));
	expect_status(w, &alice, 491, "UPDATE");
	call_refuse(w, &of_bob, 491);
	world_wait(w, SECONDS(1));
	leg_reinvite(w, &call.callee, &call.caller);
	world_wait(w, SECONDS(2));
	leg_exchange(w, &call.caller, &call.callee, "UPDATE", 200);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* 3.3.3: REFER against BYE: 481 to the REFER. */
static void
s3_3_3_refer_against_bye(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *bye, *refer;

	call_up(w, &call, &alice, &bob);
	say(w, &alice, leg_request(&call.caller, "BYE"));
	bye = expect(w, &bob, "BYE");
	say(w, &bob, text_add(leg_request(&call.callee, "REFER"), "Refer-To: <sip:carol@example.com>"));
	refer = expect(w, &alice, "REFER");
	say(w, &bob, ua_response(&bob, bye, 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	say(w, &alice, ua_response(&alice, refer, 481, NULL));
	expect_status(w, &bob, 481, "REFER");
	expect_nothing(w);
	check_dialogs(w, 1, 1);
}

/* Appendix A: forked, BYE for one early dialog; the other one answers. */
static void
appendix_a_bye_for_one_early_dialog(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg early;
	const char *ringing;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 180, "branch-one"));
	ringing = expect_status(w, &alice, 180, "INVITE");
	early = leg_caller(&alice, call.invite, ringing);
	call_ring(w, &call, 180);
	leg_exchange(w, &early, &(struct leg){.peer = &bob}, "BYE", 200);
	call_answer(w, &call);
	call_ack(w, &call);
	check_dialogs(w, 1, 0);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* Appendix B: BYE right behind a re-INVITE that has no response yet; the INVITE comes again after the BYE's
 * 200. */
static void
appendix_b_bye_over_reinvite(void **state)
{
	struct world *w = *state;
	struct call call, again;

	call_up(w, &call, &alice, &bob);
	again = (struct call){.from = &alice, .to = &bob, .invite = leg_request(&call.caller, "INVITE")};
	say(w, &alice, again.invite);
	expect_status(w, &alice, 100, "INVITE");
	again.seen = expect(w, &bob, "INVITE");
	leg_bye(w, &call.caller, &call.callee);
	say(w, &alice, again.invite);
	expect_status(w, &alice, 100, "INVITE");
	expect_nothing(w);
	call_refuse(w, &again, 481);
	check_dialogs(w, 1, 1);
}

/* The same, and the re-INVITE was lost before it came to the edge: it starts after the end of the dialog. */
static void
appendix_b_reinvite_after_bye(void **state)
{
	struct world *w = *state;
	struct call call, again;

	call_up(w, &call, &alice, &bob);
	again = (struct call){.from = &alice, .to = &bob, .invite = leg_request(&call.caller, "INVITE")};
	leg_bye(w, &call.caller, &call.callee);
	say(w, &alice, again.invite);
	expect_status(w, &alice, 100, "INVITE");
	again.seen = expect(w, &bob, "INVITE");
	call_refuse(w, &again, 481);
	check_dialogs(w, 1, 1);
}

/* Appendix E: a new To tag in a 2xx when another early dialog was there: its own dialog. */
static void
appendix_e_new_to_tag_in_2xx(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 180, "rang-first"));
	expect_status(w, &alice, 180, "INVITE");
	call_answer(w, &call);
	call_ack(w, &call);
	check_dialogs(w, 1, 0);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

static const struct CMUnitTest tests[] = {
	flow_test(s3_1_1_invite_retransmitted_against_200),
	flow_test(s3_1_2_cancel_against_200),
	flow_test(s3_1_2_cancel_against_200_uncorrected_callee),
	flow_test(s3_1_2_200_against_cancel),
	flow_test(s3_1_3_early_bye_against_200),
	flow_test(s3_1_3_200_against_early_bye),
	flow_test(s3_1_4_reinvite_before_ack),
	flow_test(s3_1_5_reinvite_before_ack_491),
	flow_test(s3_1_6_bye_before_ack),
	flow_test(s3_1_6_200_repeated_after_bye),
	flow_test(s3_2_1_bye_from_both_ends),
	flow_test(s3_2_1_second_bye_late),
	flow_test(s3_2_1_second_bye_late_without_route_set),
	flow_test(s3_2_2_reinvite_against_bye),
	flow_test(s3_2_3_200_for_reinvite_against_bye),
	flow_test(s3_2_3_200_for_reinvite_after_bye),
	flow_test(s3_2_4_ack_against_bye),
	flow_test(s3_2_4_bye_through_before_ack),
	flow_test(s3_3_1_reinvite_crossover),
	flow_test(s3_3_2_update_against_reinvite),
	flow_test(s3_3_3_refer_against_bye),
	flow_test(appendix_a_bye_for_one_early_dialog),
	flow_test(appendix_b_bye_over_reinvite),
	flow_test(appendix_b_reinvite_after_bye),
	flow_test(appendix_e_new_to_tag_in_2xx),
};

FLOW_TESTS_MAIN(tests)
