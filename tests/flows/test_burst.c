/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Messages that come in one burst are read ahead and asked for ahead, but act in the order of their arrival: each sees
 * what those before it have done.
 */
#include "agent.h"

#include <string.h>

struct part {
	const struct peer *from;
	const char *text;
};

static void
say_burst(struct world *w, const struct part *parts, unsigned count)
{
	struct bp_datagram datagrams[64];

	for (unsigned i = 0; i < count; i++) {
		datagrams[i] = (struct bp_datagram){.from = peer_flow(parts[i].from),
			.size = (uint32_t)strlen(parts[i].text),
			.bytes = (const uint8_t *)parts[i].text};
		world_log(w, 0, &datagrams[i].from, parts[i].text, datagrams[i].size, false);
	}
	w->received += count;
	bp_engine_receive_burst(w->engines[0], datagrams, count, w->now_us);
}

/* The INVITE stands just before its retransmission and its CANCEL. */
static void
invite_and_its_cancel(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:bob@example.com"), *seen, *cancel;
	const struct part parts[] = {{&alice, invite}, {&alice, invite}, {&alice, ua_cancel(invite)}};

	say_burst(w, parts, 3);
	expect_status(w, &alice, 100, "INVITE");
	seen = expect(w, &bob, "INVITE");
	expect_status(w, &alice, 100, "INVITE");
	expect_status(w, &alice, 200, "CANCEL");
	expect_nothing(w); /* the CANCEL waits for the first 1xx */
	say(w, &bob, ua_response(&bob, seen, 180, "x"));
	expect_status(w, &alice, 180, "INVITE");
	cancel = expect(w, &bob, "CANCEL");
	say(w, &bob, ua_response(&bob, cancel, 200, "x"));
	say(w, &bob, ua_response(&bob, seen, 487, "x"));
	expect(w, &bob, "ACK");
	say(w, &alice, ua_ack(invite, expect_status(w, &alice, 487, "INVITE")));
	expect_absorbed(w);
}

/* CANCEL and 200 cross within one burst, in both orders: whoever is first wins. */
static void
cancel_and_200(void **state)
{
	struct world *w = *state;

	for (unsigned order = 0; order < 2; order++) {
		struct call call;
		struct part parts[2];

		call_invite(w, &call, &alice, &bob);
		call_ring(w, &call, 180);
		parts[order] = (struct part){&alice, ua_cancel(call.invite)};
		parts[!order] = (struct part){&bob, ua_response(&bob, call.seen, 200, call.tag)};
		say_burst(w, parts, 2);
		if (order == 0) {
			expect_status(w, &alice, 200, "CANCEL");
			expect(w, &bob, "CANCEL");
			expect_status(w, &alice, 200, "INVITE");
		} else {
			expect_status(w, &alice, 200, "INVITE");
			expect_status(w, &alice, 200, "CANCEL");
		}
		expect_nothing(w);
	}
	check_int(w, world_sum(w)->cancel_outcomes[BP_CANCEL_matched], 1);
	check_int(w, world_sum(w)->cancel_outcomes[BP_CANCEL_lost_to_2xx], 1);
	check_int(w, world_sum(w)->dialogs_created, 2);
}

/* More messages than are read ahead, good and bad, long and empty: every one is accounted for. */
static void
all_sorts(void **state)
{
	struct world *w = *state;
	const char *invite = ua_invite(&alice, "sip:bob@example.com");
	const char *const sorts[] = {"\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", "junk", invite, "", "INVITE sip:x SIP/2.0\r\n\r\n"};
	struct part parts[60];

	for (unsigned i = 0; i < 60; i++)
		parts[i] = (struct part){&alice, i % 7 == 6
				? ua_request(&alice, "OPTIONS", "sip:bob@example.com")
				: sorts[i % 7]};
	say_burst(w, parts, 60);
	expect_status(w, &alice, 100, "INVITE");
	expect(w, &bob, "INVITE");
	for (unsigned i = 1; i < 9; i++) {
		expect(w, &bob, "OPTIONS");
		expect_status(w, &alice, 100, "INVITE");
	}
	w->unchecked = true; /* what nobody answers is repeated until it is over */
}

static const struct CMUnitTest tests[] = {
	flow_test(invite_and_its_cancel),
	flow_test(cancel_and_200),
	flow_test(all_sorts),
};

FLOW_TESTS_MAIN(tests)
