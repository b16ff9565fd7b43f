/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Targets that are not up: bob is tried first and carol after him, unless bob has failed too often, has asked for a pause
 * (RFC 3261 21.5.4), drains, or a probe says that he is down. And the probes themselves (11, 17.1.2).
 */
#include "agent.h"

#include <stdlib.h>
#include <string.h>

#define HOLD SECONDS(30)
#define PAUSE SECONDS(20) /* the longest */

static void
watch(struct bp_config *config, uint32_t failures)
{
	struct bp_config_trunk *trunk = &config->trunks[0];
	size_t size = sizeof(*trunk->state) + trunk->target_count * sizeof(trunk->state->targets[0]);

	trunk->health = (struct bp_config_health){.failures = failures, .hold_us = HOLD, .retry_after_us = PAUSE};
	trunk->state = aligned_alloc(64, size);
	memset(trunk->state, 0, size);
}

static void
bob_then_carol(struct bp_config *config)
{
	world_config_two_targets(config, 1, 2);
	strcpy(config->trunks[0].targets[0].uri, "sip:10.0.0.2:5060");
	watch(config, 3);
}

static void
bob_and_carol(struct bp_config *config)
{
	world_config_two_targets(config, 1, 1);
	config->trunks[0].targets[1].weight = 1;
	watch(config, 3);
}

static void
name_then_carol(struct bp_config *config)
{
	struct bp_config_target *target;

	bob_then_carol(config);
	target = &config->trunks[0].targets[0];
	config->trunks[0].named = true;
	strcpy(target->uri, "sip:a.example.com");
	memset(&target->flow, 0, sizeof(target->flow));
	target->name = calloc(1, sizeof(*target->name));
	bp_name_key_make(target->name, "a.example.com", strlen("a.example.com"), 0);
}

static void
known(struct world *w)
{
	world_name(w, "a.example.com", 0, BP_NAME_FOUND);
	world_name_at(w, &bob, 1, 1, 0);
}

static struct bp_target_health *
health(struct world *w, unsigned target)
{
	return &w->config->trunks[0].state->targets[target];
}

/* A call that @first refuses with 503 and @extra, and carol takes. */
static void
fails_over(struct world *w, const char *extra)
{
	struct call call;
	const char *refusal;

	call_invite(w, &call, &alice, &bob);
	refusal = ua_response(&bob, call.seen, 503, "bob");
	say(w, &bob, extra ? text_add_first(refusal, extra) : refusal);
	expect(w, &bob, "ACK");
	call.seen = expect(w, &carol, "INVITE");
	call.to = &carol;
	call.tag = ua_new_tag();
	call_refuse(w, &call, 486);
}

static void
goes_to(struct world *w, const struct peer *to)
{
	struct call call;

	call_invite_with(w, &call, &alice, to, ua_invite(&alice, "sip:x@example.com"));
	call_refuse(w, &call, 486);
}

/* Three in succession hold him for a while; then the first one more does. An answer wipes it all out. */
static void
failures_in_succession(void **state)
{
	struct world *w = *state;

	fails_over(w, NULL);
	fails_over(w, NULL);
	goes_to(w, &bob); /* 486: he is there */
	fails_over(w, NULL);
	fails_over(w, NULL);
	check_int(w, health(w, 0)->holds, 0);
	fails_over(w, NULL);
	check_int(w, health(w, 0)->holds, 1);
	goes_to(w, &carol);
	world_wait(w, HOLD - 1);
	goes_to(w, &carol);
	world_wait(w, 1);
	fails_over(w, NULL);
	check_int(w, health(w, 0)->holds, 2);
	goes_to(w, &carol);
	world_wait(w, HOLD);
	goes_to(w, &bob);
	check_int(w, health(w, 0)->failures, 0);
	fails_over(w, NULL);
	goes_to(w, &bob);
}

/* ICMP and silence count as much, of INVITEs and of others; an answer to any request is one. */
static void
icmp_and_silence(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *seen;

	call_invite(w, &call, &alice, &bob);
	world_flow_failed(w, &bob, call.seen);
	call.seen = expect(w, &carol, "INVITE");
	call.to = &carol;
	call.tag = ua_new_tag();
	call_refuse(w, &call, 486);
	check_int(w, health(w, 0)->failures, 1);
	call_invite(w, &call, &alice, &bob);
	world_wait(w, TIMER_64T1);
	world_take(w, &bob);
	call.seen = expect(w, &carol, "INVITE");
	call.to = &carol;
	call.tag = ua_new_tag();
	call_refuse(w, &call, 486);
	check_int(w, health(w, 0)->failures, 2);
	say(w, &alice, ua_request(&alice, "MESSAGE", "sip:x@example.com"));
	expect(w, &bob, "MESSAGE");
	world_wait(w, TIMER_64T1);
	world_take(w, &bob);
	world_take(w, &alice); /* the 100 of RFC 4320 */
	check_int(w, health(w, 0)->failures, 3);
	say(w, &alice, ua_request(&alice, "MESSAGE", "sip:x@example.com"));
	seen = expect(w, &carol, "MESSAGE");
	say(w, &carol, ua_response(&carol, seen, 200, "c"));
	expect_status(w, &alice, 200, "MESSAGE");
	world_wait(w, HOLD);
	say(w, &alice, ua_request(&alice, "MESSAGE", "sip:x@example.com"));
	seen = expect(w, &bob, "MESSAGE");
	say(w, &bob, ua_response(&bob, seen, 200, "b"));
	expect_status(w, &alice, 200, "MESSAGE");
	check_int(w, health(w, 0)->failures, 0);
}

/* One 503 is enough when it says for how long; no longer than the trunk allows. */
static void
retry_after(void **state)
{
	struct world *w = *state;

	fails_over(w, "Retry-After: 10 (a break);duration=60");
	goes_to(w, &carol);
	world_wait(w, SECONDS(10) - 1);
	goes_to(w, &carol);
	world_wait(w, 1);
	fails_over(w, "Retry-After: 18446744073709551617");
	goes_to(w, &carol);
	world_wait(w, PAUSE);
	goes_to(w, &bob);
	fails_over(w, "Retry-After: soon");
	goes_to(w, &bob);
}

/* Nobody is up: then they are tried as if all were. */
static void
all_down(void **state)
{
	struct world *w = *state;

	bp_health_set(&health(w, 0)->probed_down, 1);
	goes_to(w, &carol);
	bp_health_set(&health(w, 1)->probed_down, 1);
	fails_over(w, NULL);
	bp_health_set(&health(w, 1)->probed_down, 0);
	goes_to(w, &carol);
}

/* A target that is down is not tried as the second either. */
static void
second_is_down(void **state)
{
	struct world *w = *state;
	struct call call;

	bp_health_set(&health(w, 1)->probed_down, 1);
	call_invite(w, &call, &alice, &bob);
	say(w, &bob, ua_response(&bob, call.seen, 503, "bob"));
	expect(w, &bob, "ACK");
	say(w, &alice, ua_ack(call.invite, expect_status(w, &alice, 500, "INVITE")));
	expect_nothing(w);
}

/* What drains keeps its calls and gets no new ones, even if nobody else can take them. */
static void
draining(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *invite;

	call_up(w, &call, &alice, &bob);
	w->config->trunks[0].draining = w->config->trunks[0].targets[0].draining = true;
	goes_to(w, &carol);
	bp_health_set(&health(w, 1)->probed_down, 1);
	goes_to(w, &carol);
	leg_reinvite(w, &call.caller, &call.callee);
	leg_bye(w, &call.caller, &call.callee);
	w->config->trunks[0].targets[1].draining = true;
	invite = ua_invite(&alice, "sip:x@example.com");
	say(w, &alice, invite);
	say(w, &alice, ua_ack(invite, expect_status(w, &alice, 503, "INVITE")));
	expect_nothing(w);
}

/* A parallel fork goes to those that are up. */
static void
fork_to_those_up(void **state)
{
	struct world *w = *state;

	w->config->trunks[0].parallel = true;
	bp_health_set(&health(w, 0)->probed_down, 1);
	for (unsigned i = 0; i < 8; i++)
		goes_to(w, &carol);
	expect_nothing(w);
}

/* The calls of one that is down are shared; with one other, that one has them all, wherever a call begins. */
static void
shared_by_the_others(void **state)
{
	struct world *w = *state;

	for (unsigned down = 0; down < 2; down++) {
		bp_health_set(&health(w, down)->probed_down, 1);
		for (unsigned i = 0; i < 20; i++)
			goes_to(w, down ? &bob : &carol);
		bp_health_set(&health(w, down)->probed_down, 0);
	}
}

/* In turn, by weight. */
static void
in_turn(void **state)
{
	struct world *w = *state;

	w->config->trunks[0].by_turn = true;
	w->config->trunks[0].targets[0].weight = 2;
	for (unsigned i = 0; i < 3; i++) {
		goes_to(w, &bob);
		goes_to(w, &bob);
		goes_to(w, &carol);
	}
}

/* What a probe looks like, and who may answer it. */
static void
probe(void **state)
{
	struct world *w = *state;
	const char *options, *response;

	bp_engine_probe(w->engines[0], 0, 0, 7, w->now_us);
	options = expect(w, &bob, "OPTIONS");
	check_text(w, text_uri(options), "sip:10.0.0.2:5060");
	check_int(w, text_count(options, "Via"), 1);
	check_int(w, text_count(options, "Record-Route"), 0);
	check_text(w, text_header(options, "Max-Forwards"), "70");
	bp_engine_probe(w->engines[0], 0, 0, 7, w->now_us);
	expect_same(w, expect(w, &bob, "OPTIONS"), options); /* a retransmission */
	response = ua_response(&bob, options, 100, NULL);
	say(w, &bob, response);
	expect_absorbed(w);
	check_int(w, health(w, 0)->answered, 0);
	say(w, &bob, ua_response(&bob, options, 404, "b"));
	expect_absorbed(w);
	check_int(w, health(w, 0)->answered, 7 << 16 | 404);
	check_int(w, health(w, 1)->answered, 0);
	check_int(w, world_sum(w)->probes_sent, 2);
	check_int(w, world_sum(w)->probes_answered, 1);
	bp_engine_probe(w->engines[0], 0, 9, 7, w->now_us); /* there is none */
	bp_engine_probe(w->engines[0], 9, 0, 7, w->now_us);
	expect_nothing(w);
}

/* A signature that is wrong, of another place, of another snapshot. */
static void
forged_probe(void **state)
{
	struct world *w = *state;
	struct bp_config *config = world_config(false);
	const char *options, *via;
	char *changed;

	bp_engine_probe(w->engines[0], 0, 0, 7, w->now_us);
	options = expect(w, &bob, "OPTIONS");
	via = text_header(options, "Via");
	for (unsigned i = 0; i < 4; i++) { /* trunk, target, number, check */
		changed = strdup(via);
		changed[strcspn(changed, "=") + 10 + (unsigned[]){3, 7, 15, 31}[i]] ^= 1;
		say(w, &bob, ua_response(&bob, text_set(options, "Via", changed), 200, "b"));
		expect_dropped(w, response_forged_branch);
		free(changed);
	}
	say(w, &bob, ua_response(&bob, text_set(options, "CSeq", "1 INVITE"), 200, "b"));
	expect_dropped(w, response_method_mismatch);
	bob_then_carol(config);
	config->generation = 2;
	world_reload(w, config);
	say(w, &bob, ua_response(&bob, options, 200, "b"));
	expect_dropped(w, response_forged_branch);
	check_int(w, health(w, 0)->answered, 0);
}

/* Without an answer a name is down; with one its addresses are one target, whose failures count. */
static void
name_without_an_answer(void **state)
{
	struct world *w = *state;

	bp_health_set(&health(w, 1)->probed_down, 1);
	goes_to(w, &carol); /* the only one there is a way to */
	known(w);
	goes_to(w, &bob);
	bp_health_set(&health(w, 1)->probed_down, 0);
	for (unsigned i = 0; i < 3; i++)
		fails_over(w, NULL);
	check_int(w, health(w, 0)->holds, 1);
	goes_to(w, &carol);
	bp_health_set(&health(w, 1)->probed_down, 1);
	goes_to(w, &bob);
	check_int(w, health(w, 0)->failures, 0);
	w->config->trunks[0].draining = w->config->trunks[0].targets[0].draining = true;
	goes_to(w, &carol);
}

/* To the first address of a name; while there is none, nothing, and that it was so is noted. */
static void
probe_of_a_name(void **state)
{
	struct world *w = *state;
	const char *options;

	bp_engine_probe(w->engines[0], 0, 0, 7, w->now_us);
	expect_nothing(w);
	check_int(w, health(w, 0)->answered, 7 << 16 | BP_PROBE_SKIPPED);
	check_int(w, world_sum(w)->probes_sent, 0);
	known(w);
	bp_engine_probe(w->engines[0], 0, 0, 8, w->now_us);
	options = expect(w, &bob, "OPTIONS");
	expect_nothing(w);
	check_text(w, text_uri(options), "sip:a.example.com");
	say(w, &bob, ua_response(&bob, options, 200, "b"));
	expect_absorbed(w);
	check_int(w, health(w, 0)->answered, 8 << 16 | 200);
	check_int(w, w->names_asked, 0);
}

static const struct world_options named = {.workers = 1,
	.transactions = 256,
	.dialogs = 128,
	.kept_bytes = 1 << 20,
	.names = true,
	.prepare = name_then_carol};
static const struct world_options serial = {
	.workers = 1, .transactions = 256, .dialogs = 128, .kept_bytes = 1 << 20, .prepare = bob_then_carol};
static const struct world_options equal = {
	.workers = 1, .transactions = 256, .dialogs = 128, .kept_bytes = 1 << 20, .prepare = bob_and_carol};

static const struct CMUnitTest tests[] = {
	flow_test_with(failures_in_succession, &serial),
	flow_test_with(icmp_and_silence, &serial),
	flow_test_with(retry_after, &serial),
	flow_test_with(all_down, &serial),
	flow_test_with(second_is_down, &serial),
	flow_test_with(draining, &serial),
	flow_test_with(fork_to_those_up, &equal),
	flow_test_with(shared_by_the_others, &equal),
	flow_test_with(in_turn, &equal),
	flow_test_with(probe, &serial),
	flow_test_with(forged_probe, &serial),
	flow_test_with(name_without_an_answer, &named),
	flow_test_with(probe_of_a_name, &named),
};

FLOW_TESTS_MAIN(tests)
