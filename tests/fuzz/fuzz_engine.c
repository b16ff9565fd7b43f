/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The whole engine in the world of tests/flows: two sides talk through it, time passes, workers take turns,
 * as the input says (engine_input.h). At each message the counting law is checked and what leaves is
 * parsed; when all timers have run out everything must be back in its pool, and a good call goes through.
 */
#include "../flows/agent.h"
#include "engine_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 150
#define MESSAGE_MAX 65507
#define SPOILS_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct spoil {
	uint16_t offset;
	uint8_t remove, insert;
	const uint8_t *bytes;
};

struct play {
	struct world *w;
	const uint8_t *at, *end;
	struct spoil spoils[SPOILS_MAX];
	unsigned spoil_count;
	uint16_t worker;
	bool drained;
};

static const struct peer *const peers[] = {&alice, &bob, &mallory, &carol, &alice6, &bob6};
#define PEERS (sizeof(peers) / sizeof(peers[0]))

static const char *const methods[] = {"INVITE", "BYE", "CANCEL", "ACK", "OPTIONS", "REGISTER", "MESSAGE",
	"UPDATE", "PRACK", "INFO", "SUBSCRIBE", "NOTIFY", "REFER", "PUBLISH", "STRANGE"};
#define METHODS (sizeof(methods) / sizeof(methods[0]))

static const uint16_t statuses[] = {100, 180, 183, 199, 200, 202, 299, 302, 401, 407, 404, 408, 481, 486, 487,
	491, 500, 503, 600, 603, 699};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static const char *const tags[] = {"one", "two", NULL, "three"};
#define TAGS (sizeof(tags) / sizeof(tags[0]))

/* ---- the input ---- */

static unsigned
take(struct play *play)
{
	return play->at < play->end ? *play->at++ : 0;
}

static unsigned
take_two(struct play *play)
{
	unsigned low = take(play);

	return low | take(play) << 8;
}

static const uint8_t *
take_bytes(struct play *play, unsigned *size)
{
	const uint8_t *bytes = play->at;

	if (*size > (size_t)(play->end - play->at))
		*size = (unsigned)(play->end - play->at);
	play->at += *size;
	return bytes;
}

/* ---- what the edge has sent ---- */

static const struct peer *
peer_of(const struct bp_flow *flow)
{
	for (unsigned i = 0; i < PEERS; i++) {
		struct bp_flow its = peer_flow(peers[i]);

		if (bp_flow_equal(&its, flow))
			return peers[i];
	}
	return NULL;
}

/* The user agents read well-formed messages only. */
static bool
readable(const struct passed *passed)
{
	static const char *const names[] = {"Via", "From", "To", "Call-ID", "CSeq"};

	if (strlen(passed->text) != passed->size || !strstr(passed->text, "\r\n\r\n"))
		return false;
	for (unsigned i = 0; i < 5; i++)
		if (!text_header(passed->text, names[i]))
			return false;
	return peer_of(&passed->flow) != NULL;
}

enum wanted { ANY, REQUEST, RESPONSE };

static const struct passed *
sent_before(struct play *play, unsigned which, enum wanted wanted)
{
	const struct world *w = play->w;
	const struct passed *found = NULL;

	for (unsigned i = w->log_count; i-- > 0;) {
		const struct passed *passed = &w->log[i];
		bool response = strncmp(passed->text, "SIP/2.0 ", 8) == 0;

		if (!passed->out || (wanted == REQUEST && response) || (wanted == RESPONSE && !response))
			continue;
		if (!readable(passed))
			continue;
		found = passed;
		if (which-- == 0)
			break;
	}
	return found;
}

/* ---- speaking ---- */

static size_t
spoil(struct play *play, uint8_t *bytes, size_t size)
{
	for (unsigned i = 0; i < play->spoil_count; i++) {
		const struct spoil *s = &play->spoils[i];
		size_t offset = size ? s->offset % (size + 1) : 0, remove = s->remove;

		if (remove > size - offset)
			remove = size - offset;
		if (size - remove + s->insert > MESSAGE_MAX)
			continue;
		memmove(bytes + offset + s->insert, bytes + offset + remove, size - offset - remove);
		if (s->insert)
			memcpy(bytes + offset, s->bytes, s->insert);
		size = size - remove + s->insert;
	}
	play->spoil_count = 0;
	return size;
}

static void
speak_bytes(struct play *play, const struct peer *from, const void *bytes, size_t size)
{
	static uint8_t message[MESSAGE_MAX + 1];

	if (size > MESSAGE_MAX)
		return;
	memcpy(message, bytes, size);
	size = spoil(play, message, size);
	play->w->worker = play->w->inside ? !play->w->busy : play->worker % play->w->options.workers;
	say_bytes(play->w, from, message, size);
}

static void
speak(struct play *play, const struct peer *from, const char *text)
{
	speak_bytes(play, from, text, strlen(text));
}

static const char *
lines_of(const char *message, const char *name, const char *as, bool backwards)
{
	const char *lines = "";
	unsigned count = text_count(message, name);

	for (unsigned i = 0; i < count && i < 8; i++)
		lines = text_printf(
			"%s%s: %s\r\n", lines, as, text_value(message, name, backwards ? count - 1 - i : i));
	return lines;
}

static const char *
field_of(const char *message, enum field field)
{
	const char *contact;

	switch (field) {
	case FIELD_BRANCH:
		return text_param(text_value(message, "Via", 0), "branch");
	case FIELD_VIAS:
		return lines_of(message, "Via", "Via", false);
	case FIELD_ROUTES:
		return lines_of(message, "Record-Route", "Route", true);
	case FIELD_FROM:
		return text_header(message, "From");
	case FIELD_TO:
		return text_header(message, "To");
	case FIELD_CALL_ID:
		return text_header(message, "Call-ID");
	case FIELD_URI:
		return text_uri(message);
	default:
		contact = text_value(message, "Contact", 0);
		return contact ? text_address(contact) : NULL;
	}
}

static void
step_raw(struct play *play)
{
	static uint8_t message[MESSAGE_MAX];
	const struct peer *from = peers[take(play) % PEERS];
	unsigned in_size = take_two(play);
	const uint8_t *in = take_bytes(play, &in_size);
	size_t size = 0;

	for (unsigned i = 0; i < in_size && size < MESSAGE_MAX; i++) {
		const struct passed *passed;
		const char *text = NULL;

		if (in[i] != ESCAPE || i + 2 >= in_size) {
			message[size++] = in[i];
			continue;
		}
		passed = sent_before(play, in[i + 1], ANY);
		if (passed)
			text = field_of(passed->text, in[i + 2] % FIELD_COUNT);
		if (text && strlen(text) <= MESSAGE_MAX - size) {
			memcpy(message + size, text, strlen(text));
			size += strlen(text);
		}
		i += 2;
	}
	speak_bytes(play, from, message, size);
}

static void
step_request(struct play *play)
{
	const struct peer *from = peers[take(play) % PEERS];
	const struct peer *to = from->listener == CORE || from->listener == CORE6 ? &alice : &bob;
	const char *method = methods[take(play) % METHODS];

	if (strcmp(method, "INVITE") == 0)
		speak(play, from, ua_invite(from, ua_uri(from, to)));
	else
		speak(play, from, ua_request(from, method, ua_uri(from, to)));
}

static void
step_response(struct play *play)
{
	const struct passed *request = sent_before(play, take(play), REQUEST);
	unsigned status = statuses[take(play) % STATUSES];
	const char *tag = tags[take(play) % TAGS];
	const struct peer *from;

	if (!request)
		return;
	from = peer_of(&request->flow);
	speak(play, from, ua_response(from, request->text, status, tag));
}

/* The request that a response is for, as the edge received it. */
static const char *
request_of(const struct world *w, const char *response)
{
	const char *branch = text_param(text_value(response, "Via", 0), "branch");

	for (unsigned i = 0; branch && *branch && i < w->log_count; i++) {
		const struct passed *passed = &w->log[i];

		if (!passed->out && strncmp(passed->text, "SIP/2.0 ", 8) != 0 &&
			strstr(passed->text, branch) && readable(passed) &&
			text_value(passed->text, "Contact", 0))
			return passed->text;
	}
	return NULL;
}

static void
speak_in_dialog(struct play *play, struct leg *leg, const char *method)
{
	if (!leg->target || !leg->local || !leg->remote || !leg->call_id)
		return;
	speak(play, leg->peer, strcmp(method, "ACK") == 0 ? leg_ack(leg) : leg_request(leg, method));
}

static void
step_reaction(struct play *play)
{
	const struct passed *response = sent_before(play, take(play), RESPONSE);
	unsigned choice = take(play);
	const char *method = methods[choice % METHODS], *request;
	const struct peer *from;
	struct leg leg;

	if (!response || !(request = request_of(play->w, response->text)))
		return;
	from = peer_of(&response->flow);
	if (strcmp(method, "CANCEL") == 0) {
		speak(play, from, ua_cancel(request));
	} else if (strcmp(method, "ACK") == 0 && text_status(response->text) >= 300) {
		speak(play, from, ua_ack(request, response->text));
	} else if (text_value(response->text, "Contact", 0)) {
		leg = leg_caller(from, request, response->text);
		if (choice & 0x80) /* as phones do that lose their route set */
			leg = leg_without_routes(&leg, EDGE_ACCESS);
		leg.cseq += choice >> 4 & 7;
		speak_in_dialog(play, &leg, method);
	}
}

static void
step_callee(struct play *play)
{
	const struct passed *request = sent_before(play, take(play), REQUEST);
	unsigned choice = take(play);
	const char *tag = tags[take(play) % TAGS];
	struct leg leg;

	if (!request || !tag || !text_value(request->text, "Contact", 0))
		return;
	leg = leg_callee(peer_of(&request->flow), request->text, tag);
	leg.cseq += choice >> 4;
	speak_in_dialog(play, &leg, methods[choice % METHODS]);
}

static void
step_again(struct play *play)
{
	const struct world *w = play->w;
	const struct passed *found = NULL;
	unsigned which = take_two(play), peer = take(play);

	for (unsigned i = w->log_count; i-- > 0;) {
		if (w->log[i].out)
			continue;
		found = &w->log[i];
		if (which-- == 0)
			break;
	}
	if (found) {
		const struct peer *from = peer_of(&found->flow);

		speak_bytes(
			play, peer & 0x80 || !from ? peers[peer % PEERS] : from, found->text, found->size);
	}
}

static void
step_spoil(struct play *play)
{
	struct spoil s = {.offset = (uint16_t)take_two(play), .remove = (uint8_t)take(play)};
	unsigned insert = take(play);

	s.bytes = take_bytes(play, &insert);
	s.insert = (uint8_t)insert;
	if (play->spoil_count < SPOILS_MAX)
		play->spoils[play->spoil_count++] = s;
}

/* True: it was a step that says something. */
static bool
speaking_step(struct play *play, enum step step)
{
	switch (step) {
	case STEP_RAW:
		step_raw(play);
		return true;
	case STEP_REQUEST:
		step_request(play);
		return true;
	case STEP_RESPONSE:
		step_response(play);
		return true;
	case STEP_REACTION:
		step_reaction(play);
		return true;
	case STEP_CALLEE:
		step_callee(play);
		return true;
	case STEP_AGAIN:
		step_again(play);
		return true;
	default:
		return false;
	}
}

/* ---- the rest of the world ---- */

static void
prepare(struct bp_config *config, enum world_kind kind)
{
	config->dialog_us = SECONDS(600);
	config->reap_by_bye = true;
	config->session_s = 1800;
	if (kind == KIND_FORK) {
		world_config_two_targets(config, 1, 1);
		config->trunks[0].parallel = true;
	} else if (kind == KIND_FAILOVER) {
		world_config_two_targets(config, 1, 2);
		config->trunks[0].timeout_us = SECONDS(1);
	}
}

static void
reload(struct play *play, enum world_kind kind)
{
	struct bp_config *config = world_config(kind == KIND_CORE6);

	prepare(config, kind);
	world_reload(play->w, config);
}

static void
unreachable(struct play *play)
{
	const struct passed *passed = sent_before(play, take(play), ANY);
	size_t quoted = 4 * (size_t)take(play);

	if (!passed)
		return;
	world_flow_failed(play->w, peer_of(&passed->flow),
		quoted ? text_copy(passed->text, quoted < passed->size ? quoted : passed->size) : NULL);
}

static void
other_step(struct play *play, enum step step)
{
	struct world *w = play->w;

	switch (step) {
	case STEP_WAIT:
		world_wait(w, MS(10) * take_two(play));
		break;
	case STEP_UNREACHABLE:
		w->worker = play->worker % w->options.workers;
		unreachable(play);
		break;
	case STEP_SPOIL:
		step_spoil(play);
		break;
	case STEP_NO_BUFFER:
		w->fail_reserves = take(play) % 8;
		break;
	case STEP_RELOAD:
		reload(play, take(play) % 4);
		break;
	case STEP_RESTART:
		world_restart(w);
		play->drained = false;
		break;
	case STEP_DRAIN:
		world_drain(w);
		play->drained = true;
		break;
	default:
		play->worker = (uint16_t)(take(play) & 1);
		break;
	}
}

/* Right after the edge has sent something. Timers, and what stops a worker, have to wait. */
static void
between(struct world *w, void *argument)
{
	struct play *play = argument;
	const uint8_t *at = play->at;

	if (at < play->end && !speaking_step(play, *play->at++ % STEP_COUNT))
		play->at = at;
}

/* All is over: everything is back, and a call goes through as if nothing had been. */
static void
finish(struct play *play)
{
	struct world *w = play->w;
	struct call call;

	w->between = NULL;
	w->hold_batches = false;
	w->fail_reserves = 0;
	w->worker = 0;
	world_wait(w, w->config->dialog_us + SECONDS(600));
	world_quiesce(w);
	world_take(w, NULL);
	for (unsigned i = 0; !w->lossy && i < BP_POOL_KIND_COUNT; i++)
		if (i != BP_POOL_KIND_timer) /* each FIFO keeps its last chunk */
			check_int(w, world_sum(w)->pool_returned_bytes[i], world_sum(w)->pool_taken_bytes[i]);
	/* What is free in a small pool may be in the list of a worker that has nothing to do. */
	if (play->drained || w->options.transactions < 64)
		return;
	reload(play, KIND_PLAIN);
	call_up(w, &call, &alice, &bob);
	leg_bye(w, &call.caller, &call.callee);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct world_options one = {
		.workers = 1, .transactions = 64, .dialogs = 32, .kept_bytes = 512 << 10};
	static bool ready;
	struct world_options options = one;
	struct play play = {.at = bytes, .end = bytes + size};
	unsigned first = take(&play);
	void *state = &options;

	if (!ready) {
		setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed check is a crash */
		world_group_setup(&state);
		ready = true;
	}
	if (first & WORLD_TWO_WORKERS)
		options.workers = 2;
	if (first & WORLD_SMALL_POOLS) {
		options.transactions = 24;
		options.dialogs = 8;
		options.kept_bytes = 256 << 10;
	}
	options.core6 = WORLD_KIND(first) == KIND_CORE6;
	if (world_setup(&state) != 0)
		abort();
	play.w = state;
	prepare(play.w->config, WORLD_KIND(first));
	play.w->unchecked = true;
	play.w->hold_batches = (first & WORLD_HOLD_BATCHES) != 0;
	if (first & WORLD_INTERLEAVED && options.workers == 2)
		play.w->between = between;
	play.w->between_argument = &play;
	for (unsigned i = 0; i < STEPS_MAX && play.at < play.end; i++) {
		enum step step = take(&play) % STEP_COUNT;

		if (!speaking_step(&play, step))
			other_step(&play, step);
	}
	finish(&play);
	world_teardown(&state);
	return 0;
}
