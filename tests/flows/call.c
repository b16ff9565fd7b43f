/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The steps that most flows have in common. See agent.h.
 */
#include "agent.h"

#include <string.h>

void
call_invite_with(struct world *w, struct call *call, const struct peer *from, const struct peer *to,
	const char *invite)
{
	*call = (struct call){
		.from = from, .to = to, .invite = invite, .uri = text_uri(invite), .tag = ua_new_tag()};
	say(w, from, invite);
	expect_forwarded(w);
	expect_status(w, from, 100, "INVITE");
	call->seen = expect(w, to, "INVITE");
	expect_nothing(w);
}

void
call_invite(struct world *w, struct call *call, const struct peer *from, const struct peer *to)
{
	call_invite_with(w, call, from, to, ua_invite(from, ua_uri(from, to)));
}

const char *
call_ring(struct world *w, struct call *call, unsigned status)
{
	const char *ringing;

	say(w, call->to, ua_response(call->to, call->seen, status, call->tag));
	expect_forwarded(w);
	ringing = expect_status(w, call->from, status, "INVITE");
	expect_nothing(w);
	return ringing;
}

void
call_answer(struct world *w, struct call *call)
{
	say(w, call->to, ua_response(call->to, call->seen, 200, call->tag));
	expect_forwarded(w);
	call->answer = expect_status(w, call->from, 200, "INVITE");
	expect_nothing(w);
	call->caller = leg_caller(call->from, call->invite, call->answer);
	call->callee = leg_callee(call->to, call->seen, call->tag);
}

const char *
call_ack(struct world *w, struct call *call)
{
	const char *ack;

	say(w, call->from, leg_ack(&call->caller));
	expect_forwarded(w);
	ack = expect(w, call->to, "ACK");
	expect_nothing(w);
	return ack;
}

void
call_up(struct world *w, struct call *call, const struct peer *from, const struct peer *to)
{
	call_invite(w, call, from, to);
	call_ring(w, call, 180);
	call_answer(w, call);
	call_ack(w, call);
}

void
call_refuse(struct world *w, struct call *call, unsigned status)
{
	const char *ack;

	say(w, call->to, ua_response(call->to, call->seen, status, call->tag));
	expect_forwarded(w);
	ack = expect(w, call->to, "ACK");
	check_text(w, text_value(ack, "Via", 0), text_value(call->seen, "Via", 0));
	call->answer = expect_status(w, call->from, status, "INVITE");
	expect_nothing(w);
	say(w, call->from, ua_ack(call->invite, call->answer));
	expect_absorbed(w);
	expect_nothing(w);
}

const char *
call_cancel(struct world *w, struct call *call)
{
	const char *cancel;

	say(w, call->from, ua_cancel(call->invite));
	expect_answered(w);
	expect_status(w, call->from, 200, "CANCEL");
	cancel = expect(w, call->to, "CANCEL");
	expect_nothing(w);
	return cancel;
}

void
call_cancelled(struct world *w, struct call *call, const char *cancel)
{
	say(w, call->to, ua_response(call->to, cancel, 200, call->tag));
	expect_absorbed(w);
	expect_nothing(w);
	call_refuse(w, call, 487);
}

const char *
leg_exchange_begin(struct world *w, struct leg *from, struct leg *to, const char *method)
{
	const char *request;

	say(w, from->peer, leg_request(from, method));
	expect_forwarded(w);
	if (strcmp(method, "INVITE") == 0)
		expect_status(w, from->peer, 100, "INVITE");
	request = expect(w, to->peer, method);
	expect_nothing(w);
	return request;
}

void
leg_exchange(struct world *w, struct leg *from, struct leg *to, const char *method, unsigned status)
{
	const char *request = leg_exchange_begin(w, from, to, method);

	say(w, to->peer, ua_response(to->peer, request, status, NULL));
	expect_forwarded(w);
	expect_status(w, from->peer, status, method);
	expect_nothing(w);
}

void
leg_bye(struct world *w, struct leg *from, struct leg *to)
{
	leg_exchange(w, from, to, "BYE", 200);
}

void
leg_reinvite(struct world *w, struct leg *from, struct leg *to)
{
	leg_exchange(w, from, to, "INVITE", 200);
	say(w, from->peer, leg_ack(from));
	expect_forwarded(w);
	expect(w, to->peer, "ACK");
	expect_nothing(w);
}
