/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hostile input at every state, from seeds: bots place calls, and what they say is spoiled, repeated, lost,
 * or comes from somebody else. Nothing has to work but this: every message is accounted for, whatever leaves
 * is well-formed, everything comes back to its pool, and a good call goes through afterwards.
 *
 * BYEPASS_HOSTILE_SEEDS: how many seeds a test runs (default 60); BYEPASS_HOSTILE_FIRST: the first one.
 */
#include "agent.h"
#include "mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 150

struct bots {
	struct world *w;
	struct random random;
	unsigned spoil;       /* percent of messages that are spoiled */
	unsigned seen;        /* log entries that the bots have looked at */
	const char *pool[64]; /* what was said before, to be said again and spliced in */
	unsigned pool_count;
};

static const struct peer *const peers[] = {&alice, &bob, &mallory, &carol, &alice6};

static unsigned
seeds(void)
{
	const char *text = getenv("BYEPASS_HOSTILE_SEEDS");

	return text ? (unsigned)atoi(text) : 60;
}

static unsigned
first_seed(void)
{
	const char *text = getenv("BYEPASS_HOSTILE_FIRST");

	return text ? (unsigned)atoi(text) : 0;
}

static void
remember(struct bots *bots, const char *text)
{
	bots->pool[bots->pool_count < 64 ? bots->pool_count++ : random_below(&bots->random, 64)] = text;
}

/* Says it, spoils it, forgets it, says it twice. */
static void
bot_say(struct bots *bots, const struct peer *from, const char *text)
{
	uint8_t bytes[MUTATE_SIZE_MAX];
	struct world *w = bots->w;
	struct random *random = &bots->random;
	size_t size = strlen(text);
	unsigned dice = random_below(random, 100);

	if (size > MUTATE_SIZE_MAX)
		return;
	remember(bots, text);
	w->worker = w->inside ? !w->busy : (uint16_t)random_below(random, w->options.workers);
	w->fail_reserves = random_below(random, 50) == 0 ? 1 + random_below(random, 3) : 0;
	if (dice < 3)
		return;
	if (dice < 6)
		from = peers[random_below(random, 5)];
	memcpy(bytes, text, size);
	if (random_below(random, 100) < bots->spoil) {
		const char *other = bots->pool[random_below(random, bots->pool_count)];

		size = mutate(random, bytes, size, other);
		say_bytes(w, from, bytes, size);
		if (random_below(random, 3) > 0)
			return;
		memcpy(bytes, text, size = strlen(text));
	}
	say_bytes(w, from, bytes, size);
	if (random_below(random, 8) == 0) {
		w->worker = w->inside ? !w->busy : (uint16_t)random_below(random, w->options.workers);
		say_bytes(w, from, bytes, size);
	}
	w->fail_reserves = 0;
}

static bool
usable(const struct passed *passed)
{
	static const char *const names[] = {"Via", "From", "To", "Call-ID", "CSeq"};

	if (strlen(passed->text) != passed->size || !strstr(passed->text, "\r\n\r\n"))
		return false;
	for (unsigned i = 0; i < 5; i++)
		if (!text_header(passed->text, names[i]))
			return false;
	return true;
}

static const struct peer *
peer_of(const struct bp_flow *flow)
{
	for (unsigned i = 0; i < 5; i++) {
		struct bp_flow its = peer_flow(peers[i]);

		if (bp_flow_equal(&its, flow))
			return peers[i];
	}
	return NULL;
}

static void
bot_takes_request(struct bots *bots, const struct peer *peer, const char *request)
{
	static const unsigned finals[] = {
		200, 200, 200, 200, 486, 302, 404, 503, 603, 487, 401, 481, 299, 699};
	const char *method = text_method(request);
	struct random *random = &bots->random;

	if (strcmp(method, "ACK") == 0)
		return;
	if (strcmp(method, "INVITE") == 0) {
		for (unsigned n = random_below(random, 3); n > 0; n--)
			bot_say(bots, peer, ua_response(peer, request, n == 2 ? 100 : 180, "one"));
		if (random_below(random, 3) == 0)
			return;
	} else if (random_below(random, 10) == 0) {
		return;
	}
	bot_say(bots, peer,
		ua_response(peer, request, finals[random_below(random, 14)],
			random_below(random, 5) ? "one" : "two"));
}

/* The INVITE that a response is for, as it was said. */
static const char *
invite_of(const struct bots *bots, const char *response)
{
	const char *branch = text_param(text_value(response, "Via", 0), "branch");

	for (unsigned i = 0; branch && i < bots->pool_count; i++)
		if (strncmp(bots->pool[i], "INVITE", 6) == 0 && strstr(bots->pool[i], branch))
			return bots->pool[i];
	return NULL;
}

static void
bot_takes_response(struct bots *bots, const struct peer *peer, const char *response)
{
	unsigned status = text_status(response);
	const char *invite;
	struct leg leg;

	if (strcmp(text_cseq_method(response), "INVITE") != 0 || !(invite = invite_of(bots, response)))
		return;
	if (status < 200) {
		if (random_below(&bots->random, 3) == 0)
			bot_say(bots, peer, ua_cancel(invite));
		if (status == 100 || !text_value(response, "Contact", 0))
			return;
		leg = leg_caller(peer, invite, response);
		if (random_below(&bots->random, 8) == 0)
			bot_say(bots, peer,
				leg_request(&leg, random_below(&bots->random, 2) ? "BYE" : "PRACK"));
	} else if (status >= 300) {
		bot_say(bots, peer, ua_ack(invite, response));
	} else if (text_value(response, "Contact", 0)) {
		static const char *const methods[] = {"INVITE", "UPDATE", "INFO", "BYE", "BYE", "BYE"};

		leg = leg_caller(peer, invite, response);
		if (random_below(&bots->random, 4) == 0)
			leg = leg_without_routes(&leg, EDGE_ACCESS);
		if (random_below(&bots->random, 6))
			bot_say(bots, peer, leg_ack(&leg));
		for (unsigned n = random_below(&bots->random, 3); n > 0; n--)
			bot_say(bots, peer, leg_request(&leg, methods[random_below(&bots->random, 6)]));
	}
}

/* The bots react to what the edge has sent since last time. */
static void
bots_react(struct bots *bots)
{
	struct world *w = bots->w;
	unsigned until = w->log_count;

	while (bots->seen < until) {
		struct passed passed = w->log[bots->seen++];
		const struct peer *peer = peer_of(&passed.flow);

		if (!passed.out || !peer || !usable(&passed))
			continue;
		if (text_method(passed.text))
			bot_takes_request(bots, peer, passed.text);
		else
			bot_takes_response(bots, peer, passed.text);
	}
}

static void
one_step(struct bots *bots)
{
	static const char *const methods[] = {
		"OPTIONS", "REGISTER", "MESSAGE", "BYE", "CANCEL", "ACK", "PRACK", "FOO"};
	struct random *random = &bots->random;
	struct world *w = bots->w;

	switch (random_below(random, 12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		bot_say(bots, &alice, ua_invite(&alice, ua_uri(&alice, &bob)));
		break;
	case 4:
		bot_say(bots, &bob, ua_invite(&bob, ua_uri(&bob, &alice)));
		break;
	case 5:
		bot_say(bots, &alice,
			ua_request(&alice, methods[random_below(random, 8)], ua_uri(&alice, &bob)));
		break;
	case 6:
	case 7:
		if (bots->pool_count > 0)
			bot_say(bots, peers[random_below(random, 5)],
				bots->pool[random_below(random, bots->pool_count)]);
		break;
	case 8:
		if (w->log_count > 0)
			world_flow_failed(w, random_below(random, 2) ? &bob : &alice,
				random_below(random, 4) ? w->log[random_below(random, w->log_count)].text
							: NULL);
		break;
	case 9:
		world_wait(w, random_below(random, 2) ? MS(200) : SECONDS(random_below(random, 40)));
		break;
	default:
		world_wait(w, MS(10));
		break;
	}
	bots_react(bots);
}

/* After all that a good call goes through. */
static void
still_alive(struct world *w)
{
	struct call call;

	w->fail_reserves = 0;
	w->config->trunks[0].target_count = 1;
	world_wait(w, w->config->dialog_us + SECONDS(600));
	world_settle(w);
	world_take(w, NULL);
	for (unsigned i = 0; i < BP_POOL_KIND_COUNT; i++)
		if (i != BP_POOL_KIND_timer) /* each FIFO keeps its last chunk */
			check_int(w, world_sum(w)->pool_returned_bytes[i], world_sum(w)->pool_taken_bytes[i]);
	/* A small pool may be free, and in the list of a worker that has nothing to do. */
	if (w->options.transactions < 64)
		return;
	call_up(w, &call, &alice, &bob);
	leg_bye(w, &call.caller, &call.callee);
	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	call_cancelled(w, &call, call_cancel(w, &call));
}

/* In the middle of one worker's work the answer to what it has just sent reaches the other one, or something
 * that was said before does. */
static void
bots_in_between(struct world *w, void *argument)
{
	struct bots *bots = argument;
	unsigned dice = random_below(&bots->random, 4);

	if (dice == 0 && bots->pool_count > 0)
		bot_say(bots, peers[random_below(&bots->random, 2)],
			bots->pool[random_below(&bots->random, bots->pool_count)]);
	else if (dice < 3)
		bots_react(bots);
}

static void
run_seeds(const struct world_options *options, unsigned spoil, bool hold_batches, bool interleave)
{
	for (unsigned seed = first_seed(); seed < first_seed() + seeds(); seed++) {
		void *state = (void *)(uintptr_t)options;
		struct bots bots = {.random = {seed * 1000003u + spoil}, .spoil = spoil};

		assert_int_equal(world_setup(&state), 0);
		bots.w = state;
		bots.w->unchecked = true;
		bots.w->hold_batches = hold_batches;
		bots.w->between = interleave ? bots_in_between : NULL;
		bots.w->between_argument = &bots;
		snprintf(bots.w->note, sizeof(bots.w->note), "seed %u", seed);
		for (unsigned step = 0; step < STEPS; step++)
			one_step(&bots);
		bots.w->between = NULL;
		bots.w->hold_batches = false;
		still_alive(bots.w);
		world_teardown(&state);
	}
}

static const struct world_options one_worker = {
	.workers = 1, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20};
static const struct world_options two_workers = {
	.workers = 2, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20};
static const struct world_options small = {
	.workers = 2, .transactions = 24, .dialogs = 8, .kept_bytes = 256 << 10};

static void
lost_and_repeated(void **state)
{
	run_seeds(&one_worker, 0, false, false);
}

static void
lost_and_repeated_two_workers(void **state)
{
	run_seeds(&two_workers, 0, false, false);
}

static void
spoiled_now_and_then(void **state)
{
	run_seeds(&one_worker, 15, false, false);
}

static void
spoiled_mostly(void **state)
{
	run_seeds(&two_workers, 70, false, false);
}

static void
spoiled_in_small_pools(void **state)
{
	run_seeds(&small, 20, false, false);
}

static void
spoiled_and_nothing_released(void **state)
{
	run_seeds(&two_workers, 20, true, false);
}

static void
interleaved(void **state)
{
	run_seeds(&two_workers, 0, false, true);
}

static void
interleaved_and_spoiled(void **state)
{
	run_seeds(&two_workers, 10, false, true);
}

static void
interleaved_in_small_pools(void **state)
{
	run_seeds(&small, 0, true, true);
}

static void
forking(struct bp_config *config)
{
	world_config_two_targets(config, 1, 1);
	config->trunks[0].parallel = true;
}

static void
failing_over(struct bp_config *config)
{
	world_config_two_targets(config, 1, 2);
	config->trunks[0].timeout_us = SECONDS(1);
}

static const struct world_options forks = {
	.workers = 2, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20, .prepare = forking};
static const struct world_options small_forks = {
	.workers = 2, .transactions = 24, .dialogs = 8, .kept_bytes = 256 << 10, .prepare = forking};
static const struct world_options failovers = {
	.workers = 2, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20, .prepare = failing_over};

static void
forked(void **state)
{
	run_seeds(&forks, 10, false, false);
}

static void
forked_and_interleaved(void **state)
{
	run_seeds(&forks, 5, false, true);
}

static void
forked_in_small_pools(void **state)
{
	run_seeds(&small_forks, 5, false, true);
}

static void
failed_over(void **state)
{
	run_seeds(&failovers, 10, false, false);
}

static void
failed_over_and_interleaved(void **state)
{
	run_seeds(&failovers, 5, false, true);
}

static void
garbage(void **state)
{
	struct world *w = *state;
	struct random random = {42};
	uint8_t bytes[1500];

	w->unchecked = true;
	for (unsigned i = 0; i < 20000; i++) {
		size_t size = random_below(&random, i % 10 ? 64 : sizeof(bytes));

		for (size_t k = 0; k < size; k++)
			bytes[k] = i % 2 ? (uint8_t)random_next(&random)
					 : (uint8_t)(32 + random_below(&random, 95));
		say_bytes(w, peers[i % 5], bytes, size);
	}
	check_int(w, world_sum(w)->forwarded, 0);
	still_alive(w);
}

/* Each prefix of each message of a call, at the moment when the whole one would be right. */
static void
prefixes(struct world *w, const struct peer *from, const char *text)
{
	for (size_t size = 0; size < strlen(text); size++)
		say_bytes(w, from, text, size);
	world_take(w, NULL);
}

static void
every_prefix(void **state)
{
	struct world *w = *state;
	struct call call = {.from = &alice, .to = &bob, .tag = "prefix"};
	const char *bye;

	w->unchecked = true;
	call.invite = ua_invite(&alice, "sip:bob@example.com");
	prefixes(w, &alice, call.invite);
	call_invite_with(w, &call, &alice, &bob, ua_invite(&alice, "sip:bob@example.com"));
	prefixes(w, &bob, ua_response(&bob, call.seen, 180, call.tag));
	call_ring(w, &call, 180);
	prefixes(w, &bob, ua_response(&bob, call.seen, 200, call.tag));
	prefixes(w, &alice, ua_cancel(call.invite));
	call_answer(w, &call);
	prefixes(w, &alice, leg_ack(&call.caller));
	call_ack(w, &call);
	bye = leg_request(&call.caller, "BYE");
	prefixes(w, &alice, bye);
	leg_bye(w, &call.caller, &call.callee);
	still_alive(w);
}

/* Each byte of a message replaced by each of a few that mean something. */
static void
every_byte(struct world *w, const struct peer *from, const char *text)
{
	static const uint8_t others[] = {0, '\r', '\n', ' ', ',', ';', ':', '<', '>', '"', '@', '[', 0xff};
	size_t size = strlen(text);
	uint8_t *bytes = malloc(size);

	for (size_t at = 0; at < size; at++) {
		for (unsigned i = 0; i < sizeof(others); i++) {
			memcpy(bytes, text, size);
			bytes[at] = others[i];
			say_bytes(w, from, bytes, size);
		}
		if (at % 8 == 0)
			world_wait(w, SECONDS(70));
	}
	free(bytes);
	world_wait(w, SECONDS(70));
	world_take(w, NULL);
}

static void
every_byte_of_an_invite(void **state)
{
	struct world *w = *state;

	w->unchecked = true;
	every_byte(w, &alice, text_set_body(ua_invite(&alice, "sip:bob@example.com"), NULL, "x"));
	still_alive(w);
}

static void
every_byte_of_a_response(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *response;

	w->unchecked = true;
	w->config->timers.c_us = SECONDS(180);
	call_invite(w, &call, &alice, &bob);
	response = text_set_body(ua_response(&bob, call.seen, 180, call.tag), NULL, "");
	every_byte(w, &bob, response);
	still_alive(w);
}

static void
every_byte_of_a_bye(void **state)
{
	struct world *w = *state;
	struct call call;

	w->unchecked = true;
	call_up(w, &call, &alice, &bob);
	every_byte(w, &alice, leg_request(&call.caller, "BYE"));
	still_alive(w);
}

static void
every_byte_of_a_cancel(void **state)
{
	struct world *w = *state;
	struct call call;

	w->unchecked = true;
	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	every_byte(w, &alice, ua_cancel(call.invite));
	still_alive(w);
}

static const struct CMUnitTest tests[] = {
	flow_test_with(garbage, &one_worker),
	flow_test(every_prefix),
	flow_test(every_byte_of_an_invite),
	flow_test(every_byte_of_a_response),
	flow_test(every_byte_of_a_bye),
	flow_test(every_byte_of_a_cancel),
	cmocka_unit_test(lost_and_repeated),
	cmocka_unit_test(lost_and_repeated_two_workers),
	cmocka_unit_test(spoiled_now_and_then),
	cmocka_unit_test(spoiled_mostly),
	cmocka_unit_test(spoiled_in_small_pools),
	cmocka_unit_test(spoiled_and_nothing_released),
	cmocka_unit_test(interleaved),
	cmocka_unit_test(interleaved_and_spoiled),
	cmocka_unit_test(interleaved_in_small_pools),
	cmocka_unit_test(forked),
	cmocka_unit_test(forked_and_interleaved),
	cmocka_unit_test(forked_in_small_pools),
	cmocka_unit_test(failed_over),
	cmocka_unit_test(failed_over_and_interleaved),
};

FLOW_TESTS_MAIN(tests)
