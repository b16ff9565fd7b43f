/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A REGISTER that passes gets a Path (RFC 3327 5.2), and what the registrar sends along it reaches who registered.
 */
#include "agent.h"

#include <string.h>

/* Behind a NAT: her Contact is of no use. */
static const struct peer nat = {"nat", "198.51.100.7", 41000, ACCESS};

static const char *
register_from(const struct peer *from, const char *supported)
{
	const char *request = ua_request(from, "REGISTER", "sip:example.com");

	request = text_set(request, "Contact", "<sip:alice@192.168.1.2:5060>");
	return supported ? text_add(request, text_printf("Supported: %s", supported)) : request;
}

/* As the registrar gets it; 200. */
static const char *
registered(struct world *w, const struct peer *from, const char *request)
{
	const char *seen;

	say(w, from, request);
	seen = expect(w, &bob, "REGISTER");
	say(w, &bob, ua_response(&bob, seen, 200, "b"));
	expect_status(w, from, 200, "REGISTER");
	return seen;
}

static void
when_supported(void **state)
{
	struct world *w = *state;
	const char *seen;

	check_int(w, text_count(registered(w, &alice, register_from(&alice, NULL)), "Path"), 0);
	check_int(w, text_count(registered(w, &alice, register_from(&alice, "100rel, outbound")), "Path"), 0);
	seen = registered(w, &alice, register_from(&alice, "100rel, PATH"));
	check_int(w, text_count(seen, "Path"), 1);
	check_int(w, text_count(seen, "Record-Route"), 0);
	check(w, strstr(text_value(seen, "Path", 0), "@" EDGE_CORE ";lr>") != NULL);
	/* only REGISTER */
	say(w, &alice, text_add(ua_request(&alice, "MESSAGE", "sip:bob@example.com"), "Supported: path"));
	seen = expect(w, &bob, "MESSAGE");
	check_int(w, text_count(seen, "Path"), 0);
	say(w, &bob, ua_response(&bob, seen, 200, "b"));
	expect_status(w, &alice, 200, "MESSAGE");
}

/* By policy; ours is put before those that are there already, also where Max-Forwards is not. */
static void
by_policy(void **state)
{
	struct world *w = *state;
	const char *seen, *request = register_from(&alice, NULL);

	w->config->realms[0].path = BP_PATH_ALWAYS;
	seen = registered(w, &alice, text_add(request, "Path: <sip:inner.example.com;lr>"));
	check_int(w, text_count(seen, "Path"), 2);
	check(w, strstr(text_value(seen, "Path", 0), "@" EDGE_CORE ";lr>") != NULL);
	check_text(w, text_value(seen, "Path", 1), "<sip:inner.example.com;lr>");
	seen = registered(w, &alice, text_delete(register_from(&alice, NULL), "Max-Forwards"));
	check_int(w, text_count(seen, "Path"), 1);
	w->config->realms[0].path = BP_PATH_NEVER;
	check_int(w, text_count(registered(w, &alice, register_from(&alice, "path")), "Path"), 0);
}

/* What the registrar got as Path it uses as Route: the call goes to where the REGISTER came from. */
static void
leads_back(void **state)
{
	struct world *w = *state;
	const char *path = text_value(registered(w, &nat, register_from(&nat, "path")), "Path", 0), *invite;
	struct call call;

	for (unsigned i = 0; i < 2; i++) { /* also when the edge was restarted meanwhile */
		invite = text_add(ua_invite(&bob, "sip:alice@192.168.1.2:5060"), text_printf("Route: %s", path));
		call_invite_with(w, &call, &bob, &nat, invite);
		check_text(w, text_uri(call.seen), "sip:alice@192.168.1.2:5060");
		check_int(w, text_count(call.seen, "Route"), 0);
		check_int(w, text_count(call.seen, "Record-Route"), 2);
		call_ring(w, &call, 180);
		call_answer(w, &call);
		call_ack(w, &call);
		leg_bye(w, &call.callee, &call.caller);
		world_restart(w);
	}
}

/* From a realm that is not trusted a Path is no way to somebody else's phone; nor is one that was changed. */
static void
is_no_passport(void **state)
{
	struct world *w = *state;
	const char *path = text_value(registered(w, &nat, register_from(&nat, "path")), "Path", 0), *invite, *seen;
	struct bp_flow phone = peer_flow(&nat);
	char changed[256];

	invite = text_add(ua_invite(&mallory, "sip:x@example.com"), text_printf("Route: %s", path));
	say(w, &mallory, invite);
	expect_status(w, &mallory, 100, "INVITE");
	seen = expect(w, &bob, "INVITE"); /* as any other */
	say(w, &bob, ua_response(&bob, seen, 486, "b"));
	expect(w, &bob, "ACK");
	say(w, &mallory, ua_ack(invite, expect_status(w, &mallory, 486, "INVITE")));
	strcpy(changed, path);
	changed[30] = changed[30] == 'A' ? 'B' : 'A';
	invite = text_add(ua_invite(&carol, "sip:alice@192.168.1.2:5060"), text_printf("Route: %s", changed));
	say(w, &carol, invite);
	expect_status(w, &carol, 100, "INVITE");
	expect_anywhere(w, "INVITE"); /* to its Request-URI */
	check(w, !bp_ip_equal(&w->last_flow.ip, &phone.ip));
	w->unchecked = true;
}

static const struct CMUnitTest tests[] = {
	flow_test(when_supported),
	flow_test(by_policy),
	flow_test(leads_back),
	flow_test(is_no_passport),
};

FLOW_TESTS_MAIN(tests)
