/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See people.h.
 */
#include "people.h"

#include <stdio.h>
#include <string.h>

#define TIMES 7 /* a message is sent again at most so often */

static void
note(struct play *play, const char *what, unsigned status)
{
	size_t size = strlen(play->outcome);

	snprintf(play->outcome + size, sizeof(play->outcome) - size, "%s%s %u", size ? ", " : "", what, status);
}

/* What a request and its responses share. */
static const char *
key_of(const char *text)
{
	return text_printf("%s %s", text_value(text, "Via", 0), text_cseq_method(text));
}

static const char *
branch_of(const char *text)
{
	return text_param(text_value(text, "Via", 0), "branch");
}

static const struct peer *
peer_at(const struct bp_flow *flow)
{
	static const struct peer *const peers[] = {&alice, &bob, &carol};

	for (unsigned i = 0; i < 3; i++) {
		struct bp_flow its = peer_flow(peers[i]);

		if (bp_ip_equal(&its.ip, &flow->ip))
			return peers[i];
	}
	return NULL;
}

/* Workers take turns. */
static void
speak(struct play *play, const struct peer *from, const char *text)
{
	struct world *w = play->w;

	w->worker = (uint16_t)((w->worker + 1) % w->options.workers);
	say(w, from, text);
}

static void
insist(struct play *play, const struct peer *from, const char *text, const char *key)
{
	if (play->pending_count == PENDING_MAX)
		fail_msg("%s: too much goes on", play->script->name);
	play->pending[play->pending_count++] =
		(struct pending){.from = from, .text = text, .key = key, .left = TIMES};
	speak(play, from, text);
}

static void
ask(struct play *play, const struct peer *from, const char *request)
{
	insist(play, from, request, text_printf("%s %s", branch_of(request), text_cseq_method(request)));
}

/* No more of what waits for @key. */
static void
settle(struct play *play, const char *key)
{
	for (unsigned i = 0; i < play->pending_count; i++)
		if (strcmp(play->pending[i].key, key) == 0)
			play->pending[i].left = 0;
}

static void
say_again(struct play *play)
{
	for (unsigned i = 0; i < play->pending_count; i++)
		if (play->pending[i].left > 0) {
			play->pending[i].left--;
			speak(play, play->pending[i].from, play->pending[i].text);
		}
}

/* ---- the dialog ---- */

static void
next_step(struct play *play)
{
	static const char *const methods[] = {"INVITE", "INFO", "BYE"};
	unsigned number;
	const char *request;

	if (play->step_number == 0 && !play->script->dialog)
		play->step_number = 2;
	number = play->step_number++;
	if (number > 2 || (number == 2 && !play->script->bye)) {
		play->step = NULL;
		return;
	}
	if (number == 0)
		request = text_set(leg_request(&play->callee, "INVITE"), "Contact", "<sip:bob@10.0.0.2:5099>");
	else
		request = leg_request(&play->caller, methods[number]);
	play->step = request;
	ask(play, number == 0 ? play->callee.peer : play->caller.peer, request);
}

static void
step_answered(struct play *play, const char *response)
{
	unsigned status = text_status(response);

	note(play, text_cseq_method(response), status);
	if (strcmp(text_cseq_method(response), "INVITE") == 0)
		speak(play, play->callee.peer, status < 300 ? leg_ack(&play->callee) : ua_ack(play->step, response));
	next_step(play);
}

/* ---- alice's first request ---- */

static void
answered_2xx(struct play *play, const char *response)
{
	const char *tag = text_tag(response, "To");
	struct leg leg = leg_caller(&alice, play->request, response);

	speak(play, &alice, leg_ack(&leg));
	for (unsigned i = 0; i < play->tag_count; i++)
		if (strcmp(play->tags[i], tag) == 0)
			return;
	play->tags[play->tag_count++] = tag;
	note(play, "INVITE", 200);
	if (play->tag_count > 1) { /* one call is enough */
		leg.cseq++;
		ask(play, &alice, leg_request(&leg, "BYE"));
		return;
	}
	play->caller = leg;
	for (unsigned i = 0; i < play->received_count; i++)
		if (strncmp(tag, play->received[i].tag, strlen(play->received[i].tag)) == 0)
			play->callee = leg_callee(play->received[i].at, play->received[i].invite, tag);
	if (play->script->dialog || play->script->bye)
		next_step(play);
}

static void
first_answered(struct play *play, const char *response)
{
	unsigned status = text_status(response);
	bool invite = strcmp(play->script->method, "INVITE") == 0;

	if (status == play->script->cancel_at && !play->cancelled) {
		play->cancelled = true;
		ask(play, &alice, text_add(ua_cancel(play->request), "Reason: SIP;cause=200;text=\"elsewhere\""));
	}
	if (status < 200)
		return;
	if (play->final != 0 && play->final != status && (play->final >= 300 || status >= 300))
		play->wrong = "two final responses to one request";
	if (play->final == 0 && (!invite || status >= 300))
		note(play, play->script->method, status);
	else if (play->repeated && play->final == status && !invite)
		note(play, "again", status);
	if (invite && status < 300)
		answered_2xx(play, response);
	else if (invite)
		speak(play, &alice, ua_ack(play->request, response));
	if (play->final == 0 && play->script->again && !play->refused && !play->repeated && (!invite || status >= 300)) {
		play->repeated = true;
		play->final = status;
		speak(play, &alice, play->request);
	}
	play->final = status;
}

static void
response_at(struct play *play, const struct peer *peer, const char *response)
{
	unsigned status = text_status(response);
	const char *method = text_cseq_method(response);

	if (status >= 200 || strcmp(method, "INVITE") == 0)
		settle(play, text_printf("%s %s", branch_of(response), method));
	if (status == 503) {
		if (text_header(response, "Retry-After") == NULL)
			play->wrong = "503 without Retry-After";
		play->refused = true;
	}
	if (peer == &alice && strcmp(branch_of(response), branch_of(play->request)) == 0 &&
		strcmp(method, play->script->method) == 0)
		first_answered(play, response);
	else if (play->step != NULL && strcmp(branch_of(response), branch_of(play->step)) == 0 && status >= 200)
		step_answered(play, response);
	else if (strcmp(method, "CANCEL") == 0)
		note(play, method, status);
}

/* ---- those who are called ---- */

static void
respond(struct play *play, struct received *received, unsigned status, const char *tag, const char *line)
{
	const char *response = ua_response(received->at, received->invite, status, tag);

	if (line != NULL)
		response = text_add(response, line);
	received->response = response;
	if (status < 200) {
		speak(play, received->at, response);
		return;
	}
	received->final = true;
	insist(play, received->at, response,
		text_printf("ACK %s %s", received->at->name, text_header(received->invite, "Call-ID")));
}

static void
invited(struct play *play, const struct peer *peer, const char *invite)
{
	const struct answer own = {.final = 200}, *answer = peer == &bob ? &play->script->bob : &play->script->carol;
	struct received *received = play->received;

	for (unsigned i = 0; i < play->received_count; i++, received++)
		if (received->at == peer && strcmp(key_of(received->invite), key_of(invite)) == 0) {
			if (received->response != NULL)
				speak(play, peer, received->response);
			return;
		}
	if (play->received_count == CALLS_MAX)
		fail_msg("%s: too many INVITEs", play->script->name);
	play->received_count++;
	*received = (struct received){.at = peer, .invite = invite, .tag = ua_new_tag()};
	if (text_tag(invite, "To") != NULL)
		answer = &own; /* within the dialog */
	if (answer->ring != 0)
		respond(play, received, answer->ring, received->tag, NULL);
	if (answer->final != 0 && !received->final)
		respond(play, received, answer->final, received->tag, answer->challenge);
	if (answer->twice)
		respond(play, received, answer->final, text_printf("%s-second", received->tag), NULL);
}

static void
cancelled(struct play *play, const struct peer *peer, const char *cancel)
{
	speak(play, peer, ua_response(peer, cancel, 200, "cancel"));
	for (unsigned i = 0; i < play->received_count; i++) {
		struct received *received = &play->received[i];

		if (received->at == peer && !received->final &&
			strcmp(branch_of(received->invite), branch_of(cancel)) == 0)
			respond(play, received, 487, received->tag, NULL);
	}
}

static void
acked(struct play *play, const struct peer *peer, const char *ack)
{
	settle(play, text_printf("ACK %s %s", peer->name, text_header(ack, "Call-ID")));
	for (unsigned i = 0; i < play->received_count; i++) {
		struct received *received = &play->received[i];

		if (received->at != peer || strcmp(branch_of(received->invite), branch_of(ack)) != 0)
			continue;
		if (received->acked) {
			note(play, "ACK again", 0);
		} else if (play->script->again) { /* as if it had been lost */
			received->acked = true;
			speak(play, peer, received->response);
		}
	}
}

static void
request_at(struct play *play, const struct peer *peer, const char *request)
{
	const char *method = text_method(request);

	if (strcmp(method, "INVITE") == 0)
		invited(play, peer, request);
	else if (strcmp(method, "CANCEL") == 0)
		cancelled(play, peer, request);
	else if (strcmp(method, "ACK") == 0)
		acked(play, peer, request);
	else if (text_tag(request, "To") != NULL)
		speak(play, peer, ua_response(peer, request, 200, NULL));
	else if ((peer == &bob ? play->script->bob.final : play->script->carol.final) != 0)
		speak(play, peer,
			ua_response(peer, request, peer == &bob ? play->script->bob.final : play->script->carol.final,
				ua_new_tag()));
}

static void
react(struct play *play)
{
	struct world *w = play->w;

	for (; play->at < w->log_count; play->at++) {
		struct passed *passed = &w->log[play->at];
		const struct peer *peer = peer_at(&passed->flow);
		const char *text = passed->text;

		if (!passed->out)
			continue;
		passed->taken = true;
		if (peer == NULL)
			fail_msg("%s: a message to nobody", play->script->name);
		if (text_status(text) != 0)
			response_at(play, peer, text);
		else
			request_at(play, peer, text);
	}
}

void
play(struct play *play, struct world *w, const struct script *script)
{
	*play = (struct play){.w = w, .script = script, .at = w->log_count};
	if (strcmp(script->method, "INVITE") == 0)
		play->request = ua_invite(&alice, "sip:bob@example.com");
	else
		play->request = ua_request(&alice, script->method, "sip:bob@example.com");
	ask(play, &alice, play->request);
	react(play);
	for (unsigned i = 0; i < 240; i++) { /* timers B, then D, H or CANCEL's F */
		world_wait(w, T1);
		react(play);
		say_again(play);
		react(play);
	}
}
