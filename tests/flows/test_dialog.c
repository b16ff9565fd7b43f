/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside the dialog: BYE, re-INVITE, UPDATE, INFO, PRACK by route token in both directions, by Call-ID and
 * tags for phones that lost their route set; what ends a dialog and what does not. RFC 3261 12, 15, 16.4; RFC
 * 3262, 3311; DESIGN sections 2 and 6.
 */
#include "agent.h"

#include <string.h>

#define ended(w, how) (world_sum(w)->dialogs_ended[BP_DIALOG_END_##how])

/* 16.4, 16.6: both our Route entries go; R-URI stays; Via and Max-Forwards as ever; no 100. */
static void
bye_by_token(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *bye;

	call_up(w, &call, &alice, &bob);
	check_int(w, call.caller.route_count, 2);
	bye = leg_exchange_begin(w, &call.caller, &call.callee, "BYE");
	check_int(w, text_count(bye, "Route"), 0);
	check_int(w, text_count(bye, "Record-Route"), 0);
	check_text(w, text_uri(bye), "sip:bob@10.0.0.2:5060");
	check_text(w, text_header(bye, "Max-Forwards"), "69");
	check_int(w, text_count(bye, "Via"), 2);
	check_dialogs(w, 1, 0);
	say(w, &bob, ua_response(&bob, bye, 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	check_dialogs(w, 1, 1);
}

static void
bye_by_token_from_callee(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *bye;

	call_up(w, &call, &alice, &bob);
	check_int(w, call.callee.route_count, 2);
	check_text(w, text_uri_hostport(text_address(call.callee.routes[0])), EDGE_CORE);
	bye = leg_exchange_begin(w, &call.callee, &call.caller, "BYE");
	check_int(w, text_count(bye, "Route"), 0);
	check_text(w, text_uri(bye), "sip:alice@192.0.2.10:5060");
	check_text(w, text_sent_by(text_value(bye, "Via", 0)), EDGE_ACCESS);
	say(w, &alice, ua_response(&alice, bye, 200, NULL));
	expect_status(w, &bob, 200, "BYE");
	check_dialogs(w, 1, 1);
}

/* Every method that lives in a dialog, both ways, with failures too; none of them ends it. */
static void
every_method(void **state)
{
	struct world *w = *state;
	static const char *const methods[] = {
		"UPDATE", "INFO", "OPTIONS", "REFER", "NOTIFY", "MESSAGE", "SUBSCRIBE", "FROBNICATE"};
	static const unsigned codes[] = {200, 202, 403, 405, 488, 491, 500, 603};
	struct call call;

	call_up(w, &call, &alice, &bob);
	for (unsigned i = 0; i < 8; i++) {
		leg_exchange(w, &call.caller, &call.callee, methods[i], 200);
		leg_exchange(w, &call.callee, &call.caller, methods[i], codes[i]);
	}
	check_dialogs(w, 1, 0);
	leg_bye(w, &call.caller, &call.callee);
}

static void
reinvite_both_ways(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	for (unsigned i = 0; i < 3; i++) {
		leg_reinvite(w, &call.caller, &call.callee);
		leg_reinvite(w, &call.callee, &call.caller);
		world_wait(w, SECONDS(10));
	}
	check_dialogs(w, 1, 0);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* A re-INVITE that is refused leaves all as it was (14.1). */
static void
reinvite_refused(void **state)
{
	struct world *w = *state;
	struct call call, again;

	call_up(w, &call, &alice, &bob);
	again = (struct call){.from = &alice, .to = &bob, .invite = leg_request(&call.caller, "INVITE")};
	say(w, &alice, again.invite);
	expect_status(w, &alice, 100, "INVITE");
	again.seen = expect(w, &bob, "INVITE");
	call_refuse(w, &again, 488);
	check_dialogs(w, 1, 0);
	leg_exchange(w, &call.callee, &call.caller, "INFO", 200);
	leg_bye(w, &call.caller, &call.callee);
}

/* RFC 3262: 183 with RSeq, PRACK in the early dialog by the same tokens. */
static void
prack_in_early_dialog(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg early;
	const char *ringing, *prack;

	call_invite(w, &call, &alice, &bob);
	say(w, &bob,
		text_add(ua_response(&bob, call.seen, 183, call.tag), "Require: 100rel\r\nRSeq: 776655"));
	ringing = expect_status(w, &alice, 183, "INVITE");
	check_text(w, text_header(ringing, "RSeq"), "776655");
	early = leg_caller(&alice, call.invite, ringing);
	check_int(w, early.route_count, 2);
	prack = text_add(leg_request(&early, "PRACK"), "RAck: 776655 1 INVITE");
	say(w, &alice, prack);
	expect_forwarded(w);
	prack = expect(w, &bob, "PRACK");
	check_int(w, text_count(prack, "Route"), 0);
	say(w, &bob, ua_response(&bob, prack, 200, NULL));
	expect_status(w, &alice, 200, "PRACK");
	leg_exchange(w, &early, &(struct leg){.peer = &bob}, "UPDATE", 200);
	call_answer(w, &call);
	call_ack(w, &call);
	call.caller.cseq = early.cseq;
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* 15: BYE in an early dialog is for the callee to deal with; INVITE gets its 487. */
static void
bye_in_early_dialog(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg early;

	call_invite(w, &call, &alice, &bob);
	early = leg_caller(&alice, call.invite, call_ring(w, &call, 180));
	leg_exchange(w, &early, &(struct leg){.peer = &bob}, "BYE", 200);
	call_refuse(w, &call, 487);
	check_dialogs(w, 0, 0);
}

/* 12.1: several callees ring, each is an early dialog of its own, and requests in each find their way. A BYE ends only
 * the one that it names (15). */
static void
several_early_dialogs(void **state)
{
	struct world *w = *state;
	struct leg early[3];
	struct call call;
	const char *seen;

	call_invite(w, &call, &alice, &bob);
	for (unsigned i = 0; i < 3; i++) {
		call.tag = ua_new_tag();
		early[i] = leg_caller(&alice, call.invite, call_ring(w, &call, 180 + i % 2 * 3));
	}
	for (unsigned i = 3; i-- > 0;) {
		say(w, &alice, leg_request(&early[i], "PRACK"));
		expect_forwarded(w);
		seen = expect(w, &bob, "PRACK");
		check_text(w, text_tag(seen, "To"), text_param(early[i].remote, "tag"));
		say(w, &bob, ua_response(&bob, seen, 200, NULL));
		expect_status(w, &alice, 200, "PRACK");
	}
	leg_exchange(w, &early[0], &(struct leg){.peer = &bob}, "BYE", 200);
	leg_exchange(w, &early[1], &(struct leg){.peer = &bob}, "UPDATE", 200);
	check_dialogs(w, 0, 0);
	call_answer(w, &call); /* the last one */
	call_ack(w, &call);
	leg_exchange(w, &early[1], &(struct leg){.peer = &bob}, "BYE", 200);
	check_dialogs(w, 1, 0);
	call.caller.cseq = 20;
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* The callee, too, may send requests in an early dialog (RFC 3311 4), but no BYE (15). */
static void
update_of_the_callee_in_early_dialog(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg early;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 183);
	early = leg_callee(&bob, call.seen, call.tag);
	leg_exchange(w, &early, &(struct leg){.peer = &alice}, "UPDATE", 200);
	call_answer(w, &call);
	call_ack(w, &call);
	call.callee.cseq = early.cseq;
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* RFC 5407 3.2.4 the other way: the BYE overtakes the ACK. */
static void
bye_before_ack(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
	/* The ACK comes after all; its token brings it on. */
	call_ack(w, &call);
}

/* A BYE that comes again: absorbed while it runs, answered again afterwards. */
static void
bye_again(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *bye, *seen, *response;

	call_up(w, &call, &alice, &bob);
	bye = leg_request(&call.caller, "BYE");
	say(w, &alice, bye);
	seen = expect(w, &bob, "BYE");
	say(w, &alice, bye);
	expect_absorbed(w);
	say(w, &bob, ua_response(&bob, seen, 200, NULL));
	response = expect_status(w, &alice, 200, "BYE");
	for (unsigned i = 0; i < 3; i++) {
		world_wait(w, SECONDS(4));
		say(w, &alice, bye);
		expect_answered(w);
		expect_same(w, expect_status(w, &alice, 200, "BYE"), response);
		expect_nothing(w);
	}
	check_dialogs(w, 1, 1);
}

/* 401 and 407 challenge: the dialog stands until a BYE with credentials. */
static void
bye_challenged(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	leg_exchange(w, &call.caller, &call.callee, "BYE", 401);
	check_dialogs(w, 1, 0);
	leg_exchange(w, &call.caller, &call.callee, "BYE", 407);
	check_dialogs(w, 1, 0);
	leg_exchange(w, &call.caller, &call.callee, "INFO", 200);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* 12.2.1.2, 15.1.1: 481 to a BYE ends it just as well. */
static void
bye_answered_481(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	leg_exchange(w, &call.caller, &call.callee, "BYE", 481);
	check_dialogs(w, 1, 1);
}

/* So does 408; but no 408 goes upstream to a non-INVITE (RFC 4320 4.2). */
static void
bye_answered_408(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *bye;

	call_up(w, &call, &alice, &bob);
	bye = leg_exchange_begin(w, &call.callee, &call.caller, "BYE");
	say(w, &alice, ua_response(&alice, bye, 408, NULL));
	expect_absorbed(w);
	expect_nothing(w);
	check_dialogs(w, 1, 1);
}

/* 15.1.1: the session is over as soon as the BYE is sent, whatever the answer; only a challenge is another
 * matter. */
static void
bye_answered_500(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	leg_exchange(w, &call.caller, &call.callee, "BYE", 500);
	check_dialogs(w, 1, 1);
}

/* 15.1.1: no response at all to the BYE: for the one who sent it the call is over, and so it is for us. */
static void
bye_never_answered(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	leg_exchange_begin(w, &call.caller, &call.callee, "BYE");
	world_wait(w, TIMER_64T1 + SECONDS(1));
	check_int(w, world_take(w, &bob), 10);
	expect_status(w, &alice, 100, "BYE");
	expect_nothing(w);
	check_dialogs(w, 1, 0);
	check_int(w, ended(w, bye_unanswered), 1);
}

/* The callee's second BYE after the end, by token: the token alone brings it to the other side (default). */
static void
bye_after_the_end(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	leg_bye(w, &call.caller, &call.callee);
	world_wait(w, SECONDS(100));
	leg_exchange(w, &call.callee, &call.caller, "BYE", 481);
	check_dialogs(w, 1, 1);
}

/* 12.1: phones without a route set; the call is found by Call-ID and tags, the BYE goes to the peer's
 * Contact. */
static void
bye_without_route_set(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg bare;
	const char *bye;

	call_up(w, &call, &alice, &bob);
	bare = leg_without_routes(&call.caller, EDGE_ACCESS);
	bye = leg_exchange_begin(w, &bare, &call.callee, "BYE");
	check_text(w, text_uri(bye), "sip:bob@10.0.0.2:5060");
	say(w, &bob, ua_response(&bob, bye, 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	check_dialogs(w, 1, 1);
}

static void
bye_without_route_set_from_callee(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg bare;
	const char *bye;

	call_up(w, &call, &alice, &bob);
	bare = leg_without_routes(&call.callee, EDGE_CORE);
	bye = leg_exchange_begin(w, &bare, &call.caller, "BYE");
	check_text(w, text_uri(bye), "sip:alice@192.0.2.10:5060");
	say(w, &alice, ua_response(&alice, bye, 200, NULL));
	expect_status(w, &bob, 200, "BYE");
	check_dialogs(w, 1, 1);
}

/* As the built-in scenarios of SIPp do: the BYE has the INVITE's Request-URI, a user at the edge. */
static void
bye_to_the_old_request_uri(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg bare;

	call_invite_with(w, &call, &alice, &bob, ua_invite(&alice, "sip:service@192.0.2.1:5060"));
	call_ring(w, &call, 180);
	call_answer(w, &call);
	bare = leg_without_routes(&call.caller, "service@192.0.2.1:5060");
	say(w, &alice, leg_ack(&bare));
	expect_forwarded(w);
	expect(w, &bob, "ACK");
	leg_bye(w, &bare, &call.callee);
	check_dialogs(w, 1, 1);
}

/* No route set, but the peer's Contact as the Request-URI, sent to the edge. */
static void
bye_to_contact_without_route_set(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg bare;

	call_up(w, &call, &alice, &bob);
	bare = call.caller;
	bare.route_count = 0;
	leg_bye(w, &bare, &call.callee);
	call_up(w, &call, &alice, &bob);
	bare = call.callee;
	bare.route_count = 0;
	leg_bye(w, &bare, &call.caller);
	check_dialogs(w, 2, 2);
}

/* Only the first of the two entries came back. */
static void
one_route_is_enough(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	call.caller.route_count = 1;
	leg_exchange(w, &call.caller, &call.callee, "INFO", 200);
	call.callee.route_count = 1;
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* Both entries in one header line. */
static void
routes_in_one_line(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	call.caller.routes[0] = text_printf("%s, %s", call.caller.routes[0], call.caller.routes[1]);
	call.caller.route_count = 1;
	leg_exchange(w, &call.caller, &call.callee, "INFO", 200);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

static void
ack_and_bye_without_route_set(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg bare;
	const char *ack;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	bare = leg_without_routes(&call.caller, EDGE_ACCESS);
	for (unsigned i = 0; i < 3; i++) {
		say(w, &alice, leg_ack(&bare));
		expect_forwarded(w);
		ack = expect(w, &bob, "ACK");
		check_text(w, text_uri(ack), "sip:bob@10.0.0.2:5060");
		expect_nothing(w);
	}
	leg_bye(w, &bare, &call.callee);
	check_dialogs(w, 1, 1);
}

/* Nothing that we know: 481 (15.1.2). */
static void
bye_matches_nothing(void **state)
{
	struct world *w = *state;
	struct leg stranger = {.peer = &alice,
		.call_id = "nobody@nowhere",
		.local = "<sip:alice@example.com>;tag=a",
		.remote = "<sip:bob@example.com>;tag=b",
		.target = "sip:192.0.2.1:5060"};
	const char *bye = leg_request(&stranger, "BYE"), *first;

	say(w, &alice, bye);
	expect_answered(w);
	first = expect_status(w, &alice, 481, "BYE");
	say(w, &alice, bye);
	expect_same(w, expect_status(w, &alice, 481, "BYE"), first);
	stranger.target = "sip:bob@192.0.2.1";
	say(w, &alice, leg_request(&stranger, "BYE"));
	expect_status(w, &alice, 481, "BYE");
	expect_nothing(w);
}

/* Right Call-ID, a wrong tag: another dialog, which is not ours. */
static void
bye_with_wrong_tags(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg wrong;

	call_up(w, &call, &alice, &bob);
	wrong = leg_without_routes(&call.caller, EDGE_ACCESS);
	wrong.remote = "<sip:bob@example.com>;tag=wrong";
	say(w, &alice, leg_request(&wrong, "BYE"));
	expect_status(w, &alice, 481, "BYE");
	wrong = leg_without_routes(&call.caller, EDGE_ACCESS);
	wrong.local = "<sip:alice@example.com>;tag=wrong";
	say(w, &alice, leg_request(&wrong, "BYE"));
	expect_status(w, &alice, 481, "BYE");
	expect_nothing(w);
	check_dialogs(w, 1, 0);
	leg_bye(w, &call.caller, &call.callee);
}

/* A token that we did not sign opens nothing. */
static void
forged_token(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg forger;
	const char *user, *forged;

	call_up(w, &call, &alice, &bob);
	user = text_uri_user(text_address(call.caller.routes[0]));
	for (unsigned i = 0; i < strlen(user); i++) {
		char *changed = text_copy(user, strlen(user));

		changed[i] = changed[i] == 'a' ? 'b' : 'a';
		forger = call.caller;
		forger.peer = &mallory;
		forger.call_id = "forged@nowhere";
		forger.target = "sip:192.0.2.1";
		forged = text_printf("<sip:%s@" EDGE_ACCESS ";lr>", changed);
		forger.routes[0] = forged;
		forger.route_count = 1;
		say(w, &mallory, leg_request(&forger, "BYE"));
		expect_answered(w);
		check_int(w, world_take(w, &mallory), 1);
		expect_nothing(w);
	}
	leg_bye(w, &call.caller, &call.callee);
}

/* An ACK that belongs to nothing is dropped, never answered (17). */
static void
stray_ack(void **state)
{
	struct world *w = *state;
	struct leg stranger = {.peer = &alice,
		.call_id = "nobody@nowhere",
		.local = "<sip:alice@example.com>;tag=a",
		.remote = "<sip:bob@example.com>;tag=b",
		.target = "sip:192.0.2.1:5060"};

	say(w, &alice, leg_ack(&stranger));
	expect_dropped(w, ack_unmatched);
	expect_nothing(w);
}

/* 2xx never ACKed: the callee repeats it until 64*T1; then the dialog ends with its own reason. */
static void
never_acked(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	world_wait(w, SECONDS(600));
	check_dialogs(w, 1, 0);
	check_int(w, ended(w, no_ack), 1);
	world_take(w, NULL); /* by policy the edge may end it with ACK and BYE */
}

/* Acknowledged calls live; those that nobody ends are reaped at the configured age. */
static void
reaped_when_too_old(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	world_wait(w, SECONDS(7200) - SECONDS(100));
	check_int(w, ended(w, expired), 0);
	leg_exchange(w, &call.caller, &call.callee, "OPTIONS", 200);
	world_wait(w, SECONDS(7200));
	check_int(w, ended(w, expired), 1);
	world_take(w, NULL);
}

/* 12.2.1.1, 16.12: the callee's Contact is not where the INVITE was sent; requests in the dialog go there. */
static void
callee_contact_elsewhere(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *answer;

	call_invite(w, &call, &alice, &bob);
	answer =
		text_set(ua_response(&bob, call.seen, 200, call.tag), "Contact", "<sip:carol@10.0.0.3:5060>");
	say(w, &bob, answer);
	answer = expect_status(w, &alice, 200, "INVITE");
	call.caller = leg_caller(&alice, call.invite, answer);
	call.callee = leg_callee(&carol, call.seen, call.tag);
	say(w, &alice, leg_ack(&call.caller));
	expect(w, &carol, "ACK");
	leg_exchange(w, &call.caller, &call.callee, "INFO", 200);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* A proxy behind us that record-routes: requests go to it, with its Route. */
static void
proxy_behind_record_routes(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *answer, *ack;

	call_invite(w, &call, &alice, &bob);
	answer = text_set(
		ua_response(&bob, call.seen, 200, call.tag), "Contact", "<sip:callee@10.99.0.9:5060>");
	answer = text_add_first(answer, "Record-Route: <sip:10.0.0.2:5060;lr>");
	say(w, &bob, answer);
	answer = expect_status(w, &alice, 200, "INVITE");
	call.caller = leg_caller(&alice, call.invite, answer);
	check_int(w, call.caller.route_count, 3);
	say(w, &alice, leg_ack(&call.caller));
	ack = expect(w, &bob, "ACK");
	check_int(w, text_count(ack, "Route"), 1);
	check_text(w, text_value(ack, "Route", 0), "<sip:10.0.0.2:5060;lr>");
	check_text(w, text_uri(ack), "sip:callee@10.99.0.9:5060");
	leg_exchange(w, &call.caller, &(struct leg){.peer = &bob}, "BYE", 200);
	check_dialogs(w, 1, 1);
}

/* 12.2.1.2: a re-INVITE moves the target; later requests without route set go to the new one. */
static void
target_refreshed(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg bare;
	const char *invite, *seen, *answer, *bye;

	call_up(w, &call, &alice, &bob);
	invite = leg_request(&call.caller, "INVITE");
	say(w, &alice, invite);
	expect_status(w, &alice, 100, "INVITE");
	seen = expect(w, &bob, "INVITE");
	answer = text_set(ua_response(&bob, seen, 200, NULL), "Contact", "<sip:bob2@10.0.0.3:5060>");
	say(w, &bob, answer);
	answer = expect_status(w, &alice, 200, "INVITE");
	call.caller.target = text_address(text_value(answer, "Contact", 0));
	call.callee.peer = &carol;
	say(w, &alice, leg_ack(&call.caller));
	expect(w, &carol, "ACK");
	bare = leg_without_routes(&call.caller, EDGE_ACCESS);
	bye = leg_exchange_begin(w, &bare, &call.callee, "BYE");
	check_text(w, text_uri(bye), "sip:bob2@10.0.0.3:5060");
	say(w, &carol, ua_response(&carol, bye, 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	check_dialogs(w, 1, 1);
}

/* RFC 3311 5.1: UPDATE refreshes the target too: that of its sender, and that of who answers. */
static void
target_refreshed_by_update(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg bare;
	const char *update, *seen, *bye;

	call_up(w, &call, &alice, &bob);
	call.callee.peer = &carol; /* where bob is now */
	update = leg_request(&call.callee, "UPDATE");
	say(w, &carol, update);
	seen = expect(w, &alice, "UPDATE");
	say(w, &alice,
		text_set(ua_response(&alice, seen, 200, NULL), "Contact", "<sip:alice-new@192.0.2.10:5060>"));
	expect_status(w, &carol, 200, "UPDATE");
	bare = leg_without_routes(&call.callee, EDGE_CORE);
	bye = leg_exchange_begin(w, &bare, &call.caller, "INFO");
	check_text(w, text_uri(bye), "sip:alice-new@192.0.2.10:5060");
	say(w, &alice, ua_response(&alice, bye, 200, NULL));
	expect_status(w, &carol, 200, "INFO");
	bare = leg_without_routes(&call.caller, EDGE_ACCESS);
	bye = leg_exchange_begin(w, &bare, &call.callee, "BYE");
	check_text(w, text_uri(bye), ua_contact(&carol));
	say(w, &carol, ua_response(&carol, bye, 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	check_dialogs(w, 1, 1);
}

/* An untrusted caller says that it is reached elsewhere: requests still go to where it is (RFC 5626 3.4's
 * reason). */
static void
untrusted_contact_is_not_believed(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&mallory, "sip:bob@example.com");
	struct call call;

	invite = text_set(invite, "Contact", "<sip:victim@192.0.2.77:5060>");
	invite = text_add(invite, "Via: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bK-behind");
	invite = text_add(invite, "Record-Route: <sip:192.0.2.78;lr>");
	call_invite_with(w, &call, &mallory, &bob, invite);
	call_answer(w, &call);
	call_ack(w, &call);
	call.callee.route_count = 2; /* ours alone */
	leg_exchange(w, &call.callee, &call.caller, "INFO", 200);
	leg_bye(w, &call.callee, &call.caller);
	check_dialogs(w, 1, 1);
}

/* The Contact of a 2xx becomes the Request-URI of a phone that lost its route set: what could not stand in a
 * start line must not get there. (Each message that leaves is parsed, see world.c.) */
static void
contact_that_is_no_request_uri(void **state)
{
	struct world *w = *state;
	static const char *const contacts[] = {"<sip:bob@:9999910.0.0.2:5060>", "<sip:bob@10.0.0.2*5060>",
		"<sip:bob@10.0.0.2 SIP/2.0>", "<sip:bob@10.0.0.2;a=\r\n b>",
		"<sip:bob@10.0.0.2 SIP/2.0\r\n Evil: yes>", "<>", "*", "\"sip:bob@10.0.0.2\"", "<sip:>",
		"<sip:bob@[::1>", "<bob>", "<sip:bob@10.0.0.2?Subject=x>", "sip:bob@10.0.0.2 x"};

	w->unchecked = true;
	for (unsigned i = 0; i < sizeof(contacts) / sizeof(contacts[0]); i++) {
		struct call call;
		struct leg bare;

		call_invite(w, &call, &alice, &bob);
		say(w, &bob, text_set(ua_response(&bob, call.seen, 200, call.tag), "Contact", contacts[i]));
		call.caller = leg_caller(&alice, call.invite, expect_status(w, &alice, 200, "INVITE"));
		bare = leg_without_routes(&call.caller, EDGE_ACCESS);
		say(w, &alice, leg_ack(&bare));
		say(w, &alice, leg_request(&bare, "INFO"));
		say(w, &alice, leg_request(&bare, "BYE"));
		world_wait(w, SECONDS(40));
		world_take(w, NULL);
	}
}

static const struct CMUnitTest tests[] = {
	flow_test(bye_by_token),
	flow_test(bye_by_token_from_callee),
	flow_test(every_method),
	flow_test(reinvite_both_ways),
	flow_test(reinvite_refused),
	flow_test(prack_in_early_dialog),
	flow_test(bye_in_early_dialog),
	flow_test(several_early_dialogs),
	flow_test(update_of_the_callee_in_early_dialog),
	flow_test(bye_before_ack),
	flow_test(bye_again),
	flow_test(bye_challenged),
	flow_test(bye_answered_481),
	flow_test(bye_answered_408),
	flow_test(bye_answered_500),
	flow_test(bye_never_answered),
	flow_test(bye_after_the_end),
	flow_test(bye_without_route_set),
	flow_test(bye_without_route_set_from_callee),
	flow_test(bye_to_the_old_request_uri),
	flow_test(bye_to_contact_without_route_set),
	flow_test(one_route_is_enough),
	flow_test(routes_in_one_line),
	flow_test(ack_and_bye_without_route_set),
	flow_test(bye_matches_nothing),
	flow_test(bye_with_wrong_tags),
	flow_test(forged_token),
	flow_test(stray_ack),
	flow_test(never_acked),
	flow_test(reaped_when_too_old),
	flow_test(callee_contact_elsewhere),
	flow_test(proxy_behind_record_routes),
	flow_test(target_refreshed),
	flow_test(target_refreshed_by_update),
	flow_test(untrusted_contact_is_not_believed),
	flow_test(contact_that_is_no_request_uri),
};

FLOW_TESTS_MAIN(tests)
