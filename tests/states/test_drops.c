/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The cells of docs/state-machines.md that cannot be: a message brings each about that a peer can bring about,
 * on the real engine in virtual time, and it is counted by the reason that is drawn there.
 */
#include "agent.h"

#include <string.h>

static void
at_once(struct bp_config *config)
{
	world_config_two_targets(config, 1, 1);
	config->trunks[0].parallel = true;
}

static const struct world_options fork_options = {
	.workers = 1, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20, .prepare = at_once};

static void
from_bob(struct world *w, const struct call *call, unsigned status)
{
	say(w, &bob, ua_response(&bob, call->seen, status, call->tag));
}

/* ICT, Completed: 1xx, 2xx. */
static void
ict_completed(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_refuse(w, &call, 486);
	from_bob(w, &call, 180);
	expect_dropped(w, response_unexpected);
	from_bob(w, &call, 200);
	expect_dropped(w, response_unexpected);
	expect_nothing(w);
}

/* ICT, Accepted: 1xx, 300-699. */
static void
ict_accepted(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_answer(w, &call);
	from_bob(w, &call, 100);
	expect_dropped(w, response_unexpected);
	from_bob(w, &call, 603);
	expect_dropped(w, response_unexpected);
	expect_nothing(w);
}

/* ICT, Terminated by an ICMP error, while another branch goes on: everything. */
static void
ict_terminated(void **state)
{
	static const unsigned statuses[] = {180, 200, 486};
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:x@example.com"), *at_bob, *at_carol;

	say(w, &alice, invite);
	expect_status(w, &alice, 100, "INVITE");
	at_bob = expect(w, &bob, "INVITE");
	at_carol = expect(w, &carol, "INVITE");
	world_flow_failed(w, &bob, at_bob);
	for (unsigned i = 0; i < 3; i++) {
		say(w, &bob, ua_response(&bob, at_bob, statuses[i], "b"));
		expect_dropped(w, response_unexpected);
	}
	expect_nothing(w);
	say(w, &carol, ua_response(&carol, at_carol, 200, "c"));
	expect_status(w, &alice, 200, "INVITE");
}

/* IST, Proceeding: ACK. */
static void
ist_proceeding(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite(w, &call, &alice, &bob);
	call_ring(w, &call, 180);
	say(w, &alice, ua_ack(call.invite, ua_response(&bob, call.invite, 486, call.tag)));
	expect_dropped(w, request_unexpected);
	expect_nothing(w);
	call_refuse(w, &call, 486);
}

/* IST, Accepted: 1xx of another branch. */
static void
ist_accepted(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:x@example.com"), *at_bob, *at_carol, *cancel;

	say(w, &alice, invite);
	expect_status(w, &alice, 100, "INVITE");
	at_bob = expect(w, &bob, "INVITE");
	at_carol = expect(w, &carol, "INVITE");
	say(w, &bob, ua_response(&bob, at_bob, 200, "b"));
	expect_status(w, &alice, 200, "INVITE");
	say(w, &carol, ua_response(&carol, at_carol, 180, "c"));
	expect_dropped(w, response_unexpected);
	cancel = expect(w, &carol, "CANCEL");
	say(w, &carol, ua_response(&carol, cancel, 200, "c"));
	say(w, &carol, ua_response(&carol, at_carol, 487, "c"));
	expect_absorbed(w); /* a final response that comes too late for its fork is ACKed, and no drop */
	expect(w, &carol, "ACK");
	expect_nothing(w);
}

/* NICT, Completed: 1xx. */
static void
nict_completed(void **state)
{
	struct world *w = *state;
	const char *seen;

	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
	seen = expect(w, &bob, "OPTIONS");
	say(w, &bob, ua_response(&bob, seen, 200, "b"));
	expect_status(w, &alice, 200, "OPTIONS");
	say(w, &bob, ua_response(&bob, seen, 100, NULL));
	expect_dropped(w, response_unexpected);
	expect_nothing(w);
}

/* NICT, Terminated, while the server side still waits for timer J. */
static void
nict_terminated(void **state)
{
	struct world *w = *state;
	const char *seen;

	say(w, &alice, ua_request(&alice, "OPTIONS", "sip:bob@example.com"));
	seen = expect(w, &bob, "OPTIONS");
	say(w, &bob, ua_response(&bob, seen, 200, "b"));
	expect_status(w, &alice, 200, "OPTIONS");
	world_wait(w, T4 + MS(1));
	say(w, &bob, ua_response(&bob, seen, 200, "b"));
	expect_dropped(w, response_unexpected);
	say(w, &bob, ua_response(&bob, seen, 100, NULL));
	expect_dropped(w, response_unexpected);
	expect_nothing(w);
}

/* NIST, Completed: a second final response, of another branch. Not a drop: the MUST discard of 17.2.2, counted as
 * absorbed. */
static void
nist_completed(void **state)
{
	struct world *w = *state;
	const char *at_bob, *at_carol;

	say(w, &alice, ua_request(&alice, "MESSAGE", "sip:x@example.com"));
	at_bob = expect(w, &bob, "MESSAGE");
	at_carol = expect(w, &carol, "MESSAGE");
	say(w, &bob, ua_response(&bob, at_bob, 200, "b"));
	expect_status(w, &alice, 200, "MESSAGE");
	say(w, &carol, ua_response(&carol, at_carol, 202, "c"));
	expect_absorbed(w);
	expect_nothing(w);
}

static const struct CMUnitTest tests[] = {
	flow_test(ict_completed),
	flow_test(ict_accepted),
	flow_test_with(ict_terminated, &fork_options),
	flow_test(ist_proceeding),
	flow_test_with(ist_accepted, &fork_options),
	flow_test(nict_completed),
	flow_test(nict_terminated),
	flow_test_with(nist_completed, &fork_options),
};

FLOW_TESTS_MAIN(tests)
