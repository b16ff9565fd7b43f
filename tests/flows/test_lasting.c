/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calls that outlive what carries them: the edge starts again with the same secrets, with a new one, without the old one; the
 * configuration is swapped; the edge drains. DESIGN section 6.
 */
#include "agent.h"

#include <string.h>

/* The edge dies with the call up; its tokens outlive it (DESIGN section 6). */
static void
restart_loses_no_call(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	world_restart(w);
	leg_exchange(w, &call.caller, &call.callee, "INFO", 200);
	leg_reinvite(w, &call.callee, &call.caller);
	leg_reinvite(w, &call.caller, &call.callee);
	leg_bye(w, &call.callee, &call.caller);
}

static struct bp_config *
with_new_key(bool old_one_kept)
{
	struct bp_config *config = world_config(false);

	memcpy(config->old_secrets[0], config->secret, sizeof(config->secret));
	memcpy(config->secret, "another secret..", sizeof(config->secret));
	config->old_secret_count = old_one_kept;
	config->generation = 2;
	return config;
}

/* A new key signs, the old one still checks: calls go on under their old tokens, new ones get new ones. */
static void
restart_with_a_new_key(void **state)
{
	struct world *w = *state;
	struct call call, next;

	call_up(w, &call, &alice, &bob);
	world_reload(w, with_new_key(true));
	world_restart(w);
	leg_reinvite(w, &call.callee, &call.caller);
	leg_reinvite(w, &call.caller, &call.callee);
	call_up(w, &next, &alice, &bob);
	leg_bye(w, &call.caller, &call.callee);
	leg_bye(w, &next.callee, &next.caller);
}

/* Without the old key its tokens are anybody's. */
static void
restart_without_the_old_key(void **state)
{
	struct world *w = *state;
	struct call call;

	call_up(w, &call, &alice, &bob);
	world_reload(w, with_new_key(false));
	world_restart(w);
	say(w, &alice, leg_request(&call.caller, "BYE"));
	expect_answered(w);
	expect_status(w, &alice, 481, "BYE");
	expect_nothing(w);
}

/* A response to what an edge before this one sent. */
static void
response_from_before_the_restart(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	world_restart(w);
	say(w, &bob, ua_response(&bob, call.seen, 200, call.tag));
	check(w, w->fate == FATE_DROPPED);
	expect_nothing(w);
}

/* The configuration is swapped under a call: new calls go by the new one, the call goes on. */
static void
reload_keeps_calls(void **state)
{
	struct world *w = *state;
	struct bp_config *config = world_config(false);
	struct call ringing, up, next;

	call_up(w, &up, &alice, &bob);
	call_invite(w, &ringing, &alice, &bob);
	config->generation = 2;
	config->trunks[0].targets[0].flow = peer_flow(&carol);
	world_reload(w, config);
	call_invite(w, &next, &alice, &carol);
	call_refuse(w, &next, 486);
	leg_reinvite(w, &up.callee, &up.caller);
	leg_bye(w, &up.caller, &up.callee);
	call_ring(w, &ringing, 180);
	call_answer(w, &ringing);
	call_ack(w, &ringing);
	leg_bye(w, &ringing.caller, &ringing.callee);
	check_dialogs(w, 2, 2);
}

/* Draining: what is up goes on. */
static void
drain_keeps_calls(void **state)
{
	struct world *w = *state;
	struct call ringing, up, cancelled;

	call_up(w, &up, &alice, &bob);
	call_invite(w, &ringing, &alice, &bob);
	call_invite(w, &cancelled, &alice, &bob);
	world_drain(w);
	leg_reinvite(w, &up.caller, &up.callee);
	leg_exchange(w, &up.caller, &up.callee, "OPTIONS", 200);
	call_ring(w, &ringing, 180);
	call_answer(w, &ringing);
	call_ack(w, &ringing);
	leg_bye(w, &ringing.callee, &ringing.caller);
	leg_bye(w, &up.caller, &up.callee);
	call_ring(w, &cancelled, 180);
	call_cancelled(w, &cancelled, call_cancel(w, &cancelled));
	check_dialogs(w, 2, 2);
}

static const struct CMUnitTest tests[] = {
	flow_test(restart_loses_no_call),
	flow_test(restart_with_a_new_key),
	flow_test(restart_without_the_old_key),
	flow_test(response_from_before_the_restart),
	flow_test(reload_keeps_calls),
	flow_test(drain_keeps_calls),
};

FLOW_TESTS_MAIN(tests)
