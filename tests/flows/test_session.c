/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Session timers (RFC 4028) as section 8 wants them of a proxy: Session-Expires and Min-SE on their way, 422, the answer
 * for a callee that does not know them, and the end of a session that nobody refreshes.
 */
#include "agent.h"

#include <string.h>

#define ended(w, how) (world_sum(w)->dialogs_ended[BP_DIALOG_END_##how])

static void
ask_for_sessions(struct bp_config *config)
{
	config->session_s = 1800;
	config->session_min_s = 120;
}

static const struct world_options asks = {
	.workers = 1, .transactions = 4096, .dialogs = 1024, .kept_bytes = 4 << 20, .prepare = ask_for_sessions};

/* An INVITE with these header lines; NULL: none. Returns it as the callee got it. */
static const char *
invite_with(struct world *w, struct call *call, const char *lines)
{
	const char *invite = ua_invite(&alice, "sip:bob@example.com");

	call_invite_with(w, call, &alice, &bob, lines ? text_add(invite, lines) : invite);
	return call->seen;
}

/* A 200 with these lines, and its ACK. Returns it as the caller got it. */
static const char *
answer_with(struct world *w, struct call *call, const char *lines)
{
	const char *answer = ua_response(&bob, call->seen, 200, call->tag);

	say(w, &bob, lines ? text_add(answer, lines) : answer);
	expect_forwarded(w);
	call->answer = expect_status(w, &alice, 200, "INVITE");
	call->caller = leg_caller(&alice, call->invite, call->answer);
	call->callee = leg_callee(&bob, call->seen, call->tag);
	call_ack(w, call);
	return call->answer;
}

static void
check_expired(struct world *w, unsigned seconds)
{
	world_wait(w, SECONDS(seconds - 2));
	check_int(w, ended(w, session_expired), 0);
	world_wait(w, SECONDS(4));
	check_int(w, ended(w, session_expired), 1);
	expect_nothing(w); /* 8.3: a proxy does not send BYE */
}

/* 8.1: without configuration nothing is asked for; 8.2: what is in the 2xx counts. */
static void
watched(void **state)
{
	struct world *w = *state;
	struct call call;

	invite_with(w, &call, "Supported: timer\r\nSession-Expires: 300");
	check_text(w, text_header(call.seen, "Session-Expires"), "300");
	answer_with(w, &call, "Require: timer\r\nSession-Expires: 200;refresher=uac");
	check_text(w, text_header(call.answer, "Session-Expires"), "200;refresher=uac");
	check_expired(w, 200);
}

static void
compact_form(void **state)
{
	struct world *w = *state;
	struct call call;

	invite_with(w, &call, "k: 100rel, timer\r\nx: 300");
	answer_with(w, &call, "x: 240 ;refresher=uas");
	check_expired(w, 240);
}

/* No Session-Expires in the 2xx: there is no session expiration, and none is made up by one who did not ask. */
static void
not_asked_for(void **state)
{
	struct world *w = *state;
	struct call call;

	invite_with(w, &call, "Supported: timer\r\nSession-Expires: 300");
	check(w, text_header(answer_with(w, &call, NULL), "Session-Expires") == NULL);
	world_wait(w, SECONDS(1000));
	check_int(w, ended(w, session_expired), 0);
	leg_bye(w, &call.caller, &call.callee);
}

/* Each 2xx to a re-INVITE or UPDATE moves it on; one without Session-Expires ends it (8.2, 9). */
static void
refreshed(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *seen;

	invite_with(w, &call, "Supported: timer\r\nSession-Expires: 200");
	answer_with(w, &call, "Session-Expires: 200;refresher=uas");
	for (unsigned i = 0; i < 5; i++) {
		world_wait(w, SECONDS(150));
		say(w, &bob, text_add(leg_request(&call.callee, "UPDATE"), "Session-Expires: 200;refresher=uac"));
		seen = expect(w, &alice, "UPDATE");
		say(w, &alice, text_add(ua_response(&alice, seen, 200, NULL), "Session-Expires: 200;refresher=uac"));
		expect_status(w, &bob, 200, "UPDATE");
	}
	world_wait(w, SECONDS(150));
	leg_reinvite(w, &call.caller, &call.callee);
	world_wait(w, SECONDS(1000));
	check_int(w, ended(w, session_expired), 0);
	leg_bye(w, &call.caller, &call.callee);
	check_dialogs(w, 1, 1);
}

/* A refused refresh leaves the expiration where it was. */
static void
refresh_refused(void **state)
{
	struct world *w = *state;
	struct call call;

	invite_with(w, &call, "Supported: timer\r\nSession-Expires: 200");
	answer_with(w, &call, "Session-Expires: 200;refresher=uas");
	world_wait(w, SECONDS(100));
	leg_exchange(w, &call.callee, &call.caller, "UPDATE", 500);
	check_expired(w, 100);
}

/* 8.1: the edge inserts what it wants, never a refresher. */
static void
inserted(void **state)
{
	struct world *w = *state;
	struct call call;

	invite_with(w, &call, "Supported: timer");
	check_text(w, text_header(call.seen, "Session-Expires"), "1800");
	check(w, text_header(call.seen, "Min-SE") == NULL);
	answer_with(w, &call, "Require: timer\r\nSession-Expires: 900;refresher=uac");
	check_text(w, text_header(call.answer, "Session-Expires"), "900;refresher=uac");
	check_int(w, text_count(call.answer, "Require"), 1);
	check_expired(w, 900);
}

static void
inserted_above_min_se(void **state)
{
	struct world *w = *state;
	struct call call;

	invite_with(w, &call, "Supported: timer\r\nMin-SE: 2400");
	check_text(w, text_header(call.seen, "Session-Expires"), "2400");
	check_text(w, text_header(call.seen, "Min-SE"), "2400");
	call_refuse(w, &call, 486);
}

/* 8.1: reduced, but not below Min-SE; the refresher stays. */
static void
reduced(void **state)
{
	struct world *w = *state;
	struct call call;

	invite_with(w, &call, "Supported: timer\r\nSession-Expires: 7200;refresher=uac");
	check_text(w, text_header(call.seen, "Session-Expires"), "1800;refresher=uac");
	call_refuse(w, &call, 486);
	invite_with(w, &call, "Supported: timer\r\nMin-SE: 3600\r\nSession-Expires: 7200;refresher=uac");
	check_text(w, text_header(call.seen, "Session-Expires"), "3600;refresher=uac");
	call_refuse(w, &call, 486);
	invite_with(w, &call, "Supported: timer\r\nSession-Expires: 600");
	check_text(w, text_header(call.seen, "Session-Expires"), "600");
	call_refuse(w, &call, 486);
}

/* 8.1: too short, and the caller can be told so. */
static void
too_small(void **state)
{
	struct world *w = *state;
	const char *invite = text_add(
		ua_invite(&alice, "sip:bob@example.com"), "Supported: replaces, timer\r\nSession-Expires: 100\r\nMin-SE: 90");
	const char *answer;

	say(w, &alice, invite);
	expect_answered(w);
	answer = expect_status(w, &alice, 422, "INVITE");
	check_text(w, text_header(answer, "Min-SE"), "120");
	say(w, &alice, ua_ack(invite, answer));
	expect_absorbed(w);
	expect_nothing(w);
}

/* Who cannot be told is helped: Min-SE is raised, and Session-Expires with it. */
static void
too_small_without_support(void **state)
{
	struct world *w = *state;
	struct call call;

	invite_with(w, &call, "Session-Expires: 100;x=y");
	check_text(w, text_header(call.seen, "Min-SE"), "120");
	check_text(w, text_header(call.seen, "Session-Expires"), "120;x=y");
	call_refuse(w, &call, 486);
	invite_with(w, &call, "Min-SE: 95\r\nSession-Expires: 100");
	check_text(w, text_header(call.seen, "Min-SE"), "120");
	check_text(w, text_header(call.seen, "Session-Expires"), "120");
	call_refuse(w, &call, 486);
}

/* 8.2: the callee knows nothing of it, the caller does: he is to refresh. */
static void
callee_without_support(void **state)
{
	struct world *w = *state;
	struct call call;

	invite_with(w, &call, "Supported: timer");
	answer_with(w, &call, NULL);
	check_text(w, text_header(call.answer, "Session-Expires"), "1800;refresher=uac");
	check_text(w, text_header(call.answer, "Require"), "timer");
	check_text(w, text_body(call.answer), SDP);
	check_expired(w, 1800);
}

static void
callee_without_support_requires(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *again;

	invite_with(w, &call, "Supported: timer\r\nSession-Expires: 600");
	answer_with(w, &call, "Require: foo");
	check_text(w, text_header(call.answer, "Session-Expires"), "600;refresher=uac");
	check_text(w, text_header(call.answer, "Require"), "timer, foo");
	/* each repetition says the same */
	say(w, &bob, text_add(ua_response(&bob, call.seen, 200, call.tag), "Require: foo"));
	again = expect_status(w, &alice, 200, "INVITE");
	check_text(w, text_header(again, "Session-Expires"), "600;refresher=uac");
	check_expired(w, 600);
}

/* UPDATE is a refresh like any other; its 200 is repeated as it was. */
static void
update_answered_without_support(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *update, *seen, *answer;

	invite_with(w, &call, "Supported: timer");
	answer_with(w, &call, NULL);
	world_wait(w, SECONDS(1700));
	update = text_add(leg_request(&call.caller, "UPDATE"), "Supported: timer");
	say(w, &alice, update);
	seen = expect(w, &bob, "UPDATE");
	check_text(w, text_header(seen, "Session-Expires"), "1800");
	say(w, &bob, ua_response(&bob, seen, 200, NULL));
	answer = expect_status(w, &alice, 200, "UPDATE");
	check_text(w, text_header(answer, "Session-Expires"), "1800;refresher=uac");
	say(w, &alice, update);
	expect_same(w, expect_status(w, &alice, 200, "UPDATE"), answer);
	check_expired(w, 1800);
}

/* Neither side knows session timers: there is no expiration. */
static void
nobody_supports(void **state)
{
	struct world *w = *state;
	struct call call;

	invite_with(w, &call, NULL);
	check_text(w, text_header(call.seen, "Session-Expires"), "1800");
	check(w, text_header(answer_with(w, &call, NULL), "Session-Expires") == NULL);
	world_wait(w, SECONDS(4000));
	check_int(w, ended(w, session_expired), 0);
	leg_bye(w, &call.caller, &call.callee);
}

/* What cannot be read goes through as it is. */
static void
malformed(void **state)
{
	struct world *w = *state;
	static const char *const values[] = {"", "soon", ";refresher=uac", "-1", "99999999999999999999"};
	struct call call;

	for (unsigned i = 0; i < 4; i++) {
		invite_with(w, &call, text_printf("Supported: timer\r\nSession-Expires: %s", values[i]));
		check_text(w, text_header(call.seen, "Session-Expires"), values[i]);
		answer_with(w, &call, text_printf("Session-Expires: %s", values[i]));
		leg_bye(w, &call.caller, &call.callee);
	}
	invite_with(w, &call, text_printf("Supported: timer\r\nSession-Expires: %s", values[4]));
	check_text(w, text_header(call.seen, "Session-Expires"), "1800");
	answer_with(w, &call, text_printf("Session-Expires: %s;refresher=uac", values[4]));
	check_int(w, ended(w, session_expired), 0);
	leg_bye(w, &call.caller, &call.callee);
}

/* A 2xx with next to no session does not end the call at once: no UAS may say less than 90 (9). */
static void
shorter_than_allowed(void **state)
{
	struct world *w = *state;
	struct call call;

	invite_with(w, &call, "Supported: timer\r\nSession-Expires: 90");
	answer_with(w, &call, "Session-Expires: 1;refresher=uas");
	check_expired(w, 90);
}

/* Two callees of a fork, two sessions (8.2). */
static void
fork_has_two_sessions(void **state)
{
	struct world *w = *state;
	struct call call, other;
	const char *answer;

	invite_with(w, &call, "Supported: timer\r\nSession-Expires: 400");
	answer_with(w, &call, "Session-Expires: 400;refresher=uac");
	other = call;
	other.tag = ua_new_tag();
	answer_with(w, &other, "Session-Expires: 100;refresher=uac");
	world_wait(w, SECONDS(104));
	check_int(w, ended(w, session_expired), 1);
	answer = "UPDATE";
	leg_exchange(w, &call.caller, &call.callee, answer, 491);
	world_wait(w, SECONDS(300));
	check_int(w, ended(w, session_expired), 2);
}

/* RFC 4028 with a strict router in front: the other editor. */
static void
inserted_for_a_list_of_routes(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *seen;

	invite_with(w, &call, "Supported: timer");
	answer_with(w, &call, "Session-Expires: 1800;refresher=uac");
	call.caller.routes[0] = text_printf("%s, %s", call.caller.routes[0], call.caller.routes[1]);
	call.caller.route_count = 1;
	say(w, &alice, text_add(leg_request(&call.caller, "UPDATE"), "Session-Expires: 3600;refresher=uac\r\nSupported: timer"));
	seen = expect(w, &bob, "UPDATE");
	check_text(w, text_header(seen, "Session-Expires"), "1800;refresher=uac");
	say(w, &bob, text_add(ua_response(&bob, seen, 200, NULL), "Session-Expires: 1800;refresher=uac"));
	expect_status(w, &alice, 200, "UPDATE");
	leg_bye(w, &call.caller, &call.callee);
}

static const struct CMUnitTest tests[] = {
	flow_test(watched),
	flow_test(compact_form),
	flow_test(not_asked_for),
	flow_test(refreshed),
	flow_test(refresh_refused),
	flow_test_with(inserted, &asks),
	flow_test_with(inserted_above_min_se, &asks),
	flow_test_with(reduced, &asks),
	flow_test_with(too_small, &asks),
	flow_test_with(too_small_without_support, &asks),
	flow_test_with(callee_without_support, &asks),
	flow_test_with(callee_without_support_requires, &asks),
	flow_test_with(update_answered_without_support, &asks),
	flow_test_with(nobody_supports, &asks),
	flow_test_with(malformed, &asks),
	flow_test(shorter_than_allowed),
	flow_test(fork_has_two_sessions),
	flow_test_with(inserted_for_a_list_of_routes, &asks),
};

FLOW_TESTS_MAIN(tests)
