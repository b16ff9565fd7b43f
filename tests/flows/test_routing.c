/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where a request goes: configured routes by realm, number and domain; targets by priority and weight; the
 * caller's Route; strict routers before and behind us. RFC 3261 16.4, 16.5, 16.6 steps 6 and 7, 16.12.
 */
#include "agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add_route(struct bp_config *config, const char *user_prefix, const char *domain, uint16_t trunk)
{
	struct bp_config_route route = {.from = 0, .trunk = trunk, .realm = 1};

	route.user_prefix_size =
		(uint8_t)snprintf(route.user_prefix, sizeof(route.user_prefix), "%s", user_prefix);
	route.domain_size = (uint8_t)snprintf(route.domain, sizeof(route.domain), "%s", domain);
	config->routes = realloc(config->routes, (config->route_count + 1) * sizeof(*config->routes));
	config->routes[config->route_count++] = route;
}

static void
goes_to(struct world *w, const struct peer *from, const struct peer *to, const char *uri)
{
	struct call call;

	call_invite_with(w, &call, from, to, ua_invite(from, uri));
	check_text(w, text_uri(call.seen), uri);
	call_refuse(w, &call, 486);
}

static void
refused(struct world *w, const struct peer *from, const char *uri, unsigned status)
{
	const char *invite = ua_invite(from, uri);

	say(w, from, invite);
	expect_answered(w);
	say(w, from, ua_ack(invite, expect_status(w, from, status, "INVITE")));
	expect_absorbed(w);
	expect_nothing(w);
}

/* Routes stand in the order of their precedence: by the beginning of the user, by the domain, by both. */
static void
first_route_that_matches(void **state)
{
	struct world *w = *state;
	struct bp_config *config = world_config(false);

	config->generation = 2;
	config->route_count = 0;
	add_route(config, "+4930", "", 0);
	add_route(config, "+49", "germany.example.com", BP_CONFIG_NONE);
	add_route(config, "", "carrier.example.com", 0);
	world_reload(w, config);
	goes_to(w, &alice, &bob, "sip:+4930123@anywhere.example.org");
	goes_to(w, &alice, &bob, "sip:+4930123@germany.example.com");
	goes_to(w, &alice, &bob, "sip:x@carrier.example.com");
	goes_to(w, &alice, &bob, "sip:x@Carrier.EXAMPLE.com;user=phone");
	goes_to(w, &alice, &bob, "sip:carrier.example.com");
	refused(w, &alice, "sip:+4989@germany.example.com", 404); /* matches the second: a name, no address */
	refused(w, &alice, "sip:+4989@other.example.com", 404);
	refused(w, &alice, "sip:+493@other.example.com", 404);
	refused(w, &bob, "sip:+4930123@192.0.2.10", 404); /* no route from core any more */
}

/* By the method, and by the hosts of From and To. */
static void
by_method_and_domains(void **state)
{
	struct world *w = *state;
	struct bp_config *config = world_config(false);
	const char *message, *seen;

	config->generation = 2;
	config->route_count = 0;
	add_route(config, "", "", 0);
	config->routes[0].methods = 1 << BP_METHOD_INVITE | 1 << BP_METHOD_OTHER;
	config->routes[0].from_domain_size = (uint8_t)strlen(strcpy(config->routes[0].from_domain, "example.com"));
	config->routes[0].to_domain_size = (uint8_t)strlen(strcpy(config->routes[0].to_domain, "b.example"));
	world_reload(w, config);
	goes_to(w, &alice, &bob, "sip:x@b.example");
	refused(w, &alice, "sip:x@c.example", 404);
	message = ua_request(&alice, "MESSAGE", "sip:x@b.example");
	say(w, &alice, message);
	expect_status(w, &alice, 404, "MESSAGE");
	say(w, &alice, ua_request(&alice, "PING", "sip:x@b.example"));
	seen = expect(w, &bob, "PING");
	say(w, &bob, ua_response(&bob, seen, 200, "t"));
	expect_status(w, &alice, 200, "PING");
}

/* Out of a realm by the Request-URI (RFC 3263 for addresses): port, maddr, IPv6. */
static void
by_request_uri(void **state)
{
	struct world *w = *state;
	static const struct peer phone = {"phone", "192.0.2.77", 5080, ACCESS};

	goes_to(w, &bob, &alice, "sip:alice@192.0.2.10");
	goes_to(w, &bob, &phone, "sip:phone@192.0.2.77:5080");
	goes_to(w, &bob, &phone, "sip:phone@somewhere.example.com:5080;maddr=192.0.2.77");
	goes_to(w, &bob, &alice6, "sip:alice@[2001:db8:1::10]:5060");
	goes_to(w, &carol, &alice, "sip:192.0.2.10");
}

/* A number without a domain goes to the trunk as it is. */
static void
tel_uri(void **state)
{
	struct world *w = *state;

	goes_to(w, &alice, &bob, "tel:+49-30-1234567");
	goes_to(w, &alice, &bob, "tel:110;phone-context=+49");
	refused(w, &bob, "tel:+4930", 404);
}

/* 16.5: what is addressed to the edge by name of a user is readdressed to the target. */
static void
user_at_the_edge(void **state)
{
	struct world *w = *state;
	struct call call;

	call_invite_with(w, &call, &alice, &bob, ua_invite(&alice, "sip:service@192.0.2.1:5060"));
	check_text(w, text_uri_user(text_uri(call.seen)), "service");
	check(w, strncmp(text_uri_hostport(text_uri(call.seen)), "10.0.0.2", 8) == 0);
	call_refuse(w, &call, 486);
	call_invite_with(w, &call, &alice, &bob, ua_invite(&alice, "sip:service@192.0.2.1;user=phone;x=y"));
	check(w, strstr(text_uri(call.seen), ";user=phone;x=y") != NULL);
	call_refuse(w, &call, 486);
}

static struct bp_config *
with_targets(const uint16_t priority[2], const uint16_t weight[2])
{
	static const struct peer *const peers[] = {&bob, &carol};
	struct bp_config *config = world_config(false);
	struct bp_config_trunk *trunk = &config->trunks[0];

	config->generation = 2;
	trunk->target_count = 2;
	trunk->targets = realloc(trunk->targets, 2 * sizeof(*trunk->targets));
	for (unsigned i = 0; i < 2; i++) {
		trunk->targets[i] = (struct bp_config_target){
			.flow = peer_flow(peers[i]), .priority = priority[i], .weight = weight[i]};
	}
	return config;
}

/* How many of @count calls go to bob; the others go to carol. */
static unsigned
share_of_bob(struct world *w, unsigned count)
{
	unsigned share = 0;

	for (unsigned i = 0; i < count; i++) {
		struct call call = {
			.from = &alice, .tag = "t", .invite = ua_invite(&alice, "sip:x@example.com")};

		say(w, &alice, call.invite);
		expect_status(w, &alice, 100, "INVITE");
		call.seen = expect_anywhere(w, "INVITE");
		call.to = w->last_flow.ip.bytes[15] == 2 ? &bob : &carol;
		share += call.to == &bob;
		call_refuse(w, &call, 486);
	}
	world_wait(w, SECONDS(60));
	return share;
}

static void
targets_by_weight(void **state)
{
	struct world *w = *state;
	unsigned share;

	world_reload(w, with_targets((uint16_t[]){1, 1}, (uint16_t[]){3, 1}));
	share = share_of_bob(w, 400);
	check(w, share > 250 && share < 350);
	world_reload(w, with_targets((uint16_t[]){1, 1}, (uint16_t[]){0, 1}));
	check_int(w, share_of_bob(w, 50), 0);
	world_reload(w, with_targets((uint16_t[]){1, 1}, (uint16_t[]){0, 0}));
	share = share_of_bob(w, 50);
	check(w, share > 5 && share < 45);
}

static void
targets_by_priority(void **state)
{
	struct world *w = *state;

	world_reload(w, with_targets((uint16_t[]){1, 2}, (uint16_t[]){1, 100}));
	check_int(w, share_of_bob(w, 50), 50);
}

/* The same call takes the same target: an INVITE with credentials finds the proxy that challenged it. */
static void
one_call_one_target(void **state)
{
	struct world *w = *state;

	world_reload(w, with_targets((uint16_t[]){1, 1}, (uint16_t[]){1, 1}));
	for (unsigned i = 0; i < 20; i++) {
		const struct peer *first = NULL;
		const char *invite = ua_invite(&alice, "sip:x@example.com");

		for (unsigned cseq = 1; cseq < 4; cseq++) {
			struct call call = {.from = &alice, .tag = "t"};

			invite = text_set(invite, "CSeq", text_printf("%u INVITE", cseq));
			invite = text_swap(
				invite, text_param(text_value(invite, "Via", 0), "branch"), ua_new_branch());
			call.invite = invite;
			say(w, &alice, invite);
			expect_status(w, &alice, 100, "INVITE");
			call.seen = expect_anywhere(w, "INVITE");
			call.to = w->last_flow.ip.bytes[15] == 2 ? &bob : &carol;
			check(w, first == NULL || first == call.to);
			first = call.to;
			call_refuse(w, &call, 407);
		}
	}
}

static void
trunk_without_targets(void **state)
{
	struct world *w = *state;
	struct bp_config *config = world_config(false);

	config->generation = 2;
	config->trunks[0].target_count = 0;
	world_reload(w, config);
	refused(w, &alice, "sip:bob@example.com", 404);
}

/* 16.4: Route names us, nothing else follows: it goes, the Request-URI decides. */
static void
edge_as_outbound_proxy(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *invite = ua_invite(&alice, "sip:bob@example.com");

	call_invite_with(w, &call, &alice, &bob, text_add_first(invite, "Route: <sip:192.0.2.1;lr>"));
	check_int(w, text_count(call.seen, "Route"), 0);
	call_answer(w, &call);
	call_ack(w, &call);
	leg_bye(w, &call.caller, &call.callee);
}

/* The core may send a request through a proxy in access by Route (16.6 step 7). */
static void
route_of_the_core(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *invite = ua_invite(&bob, "sip:x@far-away.example.com");

	invite = text_add_first(invite, "Route: <sip:10.0.0.1;lr>, <sip:192.0.2.10:5060;lr>");
	call_invite_with(w, &call, &bob, &alice, invite);
	check_int(w, text_count(call.seen, "Route"), 1);
	check_text(w, text_value(call.seen, "Route", 0), "<sip:192.0.2.10:5060;lr>");
	check_text(w, text_uri(call.seen), "sip:x@far-away.example.com");
	call_refuse(w, &call, 486);
}

/* 16.6 step 6: the next hop is a strict router: it gets the Request-URI of its own, the target goes last. */
static void
strict_router_behind(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *invite = ua_invite(&bob, "sip:x@far-away.example.com");

	invite = text_add_first(
		invite, "Route: <sip:10.0.0.1;lr>, <sip:192.0.2.10:5060>, <sip:p2.example.com>");
	call_invite_with(w, &call, &bob, &alice, invite);
	check_text(w, text_uri(call.seen), "sip:192.0.2.10:5060");
	check_int(w, text_count(call.seen, "Route"), 2);
	check_text(w, text_value(call.seen, "Route", 0), "<sip:p2.example.com>");
	check_text(w, text_value(call.seen, "Route", 1), "<sip:x@far-away.example.com>");
	call_refuse(w, &call, 486);
}

/* The Route of a strict router becomes the Request-URI: what could not stand in a start line must not get
 * there. */
static void
strict_router_that_is_no_request_uri(void **state)
{
	struct world *w = *state;
	static const char *const routes[] = {"<sip:192.0.2.10?lr>", "<sip:192.0.2.10 x>",
		"<sip:192.0.2.10;a=\r\n b>", "<sip:192.0.2.10 SIP/2.0\r\n Evil: yes>", "<sip:>", "<x>"};

	w->unchecked = true;
	for (unsigned i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		struct call call;
		const char *invite = ua_invite(&bob, "sip:x@far-away.example.com");

		invite = text_add_first(invite, text_printf("Route: <sip:10.0.0.1;lr>, %s", routes[i]));
		say(w, &bob, invite);
		world_take(w, NULL);
		call_up(w, &call, &alice, &bob);
		call.caller.routes[call.caller.route_count++] = routes[i];
		say(w, &alice, leg_request(&call.caller, "INFO"));
		say(w, &alice, leg_request(&call.caller, "BYE"));
		world_wait(w, SECONDS(40));
		world_take(w, NULL);
	}
}

/* 16.4: the previous hop is a strict router: our Record-Route URI is the Request-URI, the target is the last
 * Route. */
static void
strict_router_before(void **state)
{
	struct world *w = *state;
	struct call call;
	struct leg strict;
	const char *bye, *target;

	call_up(w, &call, &alice, &bob);
	strict = call.caller;
	target = text_printf("<%s>", strict.target);
	strict.target = text_address(strict.routes[0]);
	strict.routes[0] = strict.routes[1];
	strict.routes[1] = target;
	bye = leg_exchange_begin(w, &strict, &call.callee, "BYE");
	check_text(w, text_uri(bye), "sip:bob@10.0.0.2:5060");
	check_int(w, text_count(bye, "Route"), 0);
	say(w, &bob, ua_response(&bob, bye, 200, NULL));
	expect_status(w, &alice, 200, "BYE");
	check_dialogs(w, 1, 1);
}

/* Who holds a token of one call must not reach whatever he likes in the core with it. */
static void
token_is_no_passport(void **state)
{
	struct world *w = *state;
	static const struct peer inside = {"inside", "10.0.0.99", 5060, CORE};
	struct call call;
	struct leg attacker;

	call_up(w, &call, &alice, &bob);
	attacker = call.caller;
	attacker.target = "sip:admin@10.0.0.99:5060";
	say(w, &alice, leg_request(&attacker, "MESSAGE"));
	check_int(w, world_take(w, &inside), 0);
	world_take(w, NULL);
	world_wait(w, SECONDS(40));
	world_take(w, NULL);
	leg_bye(w, &call.caller, &call.callee);
}

/* Nor in the early dialog, where the token is all there is; nor when the edge has forgotten the call. */
static void
early_token_is_no_passport(void **state)
{
	struct world *w = *state;
	static const struct peer inside = {"inside", "10.0.0.99", 5060, CORE};
	struct call call;
	struct leg attacker;

	call_invite(w, &call, &alice, &bob);
	attacker = leg_caller(&alice, call.invite, call_ring(w, &call, 183));
	attacker.target = "sip:admin@10.0.0.99:5060";
	say(w, &alice, leg_request(&attacker, "PRACK"));
	check_int(w, world_take(w, &inside), 0);
	say(w, &bob, ua_response(&bob, expect(w, &bob, "PRACK"), 481, NULL));
	expect_status(w, &alice, 481, "PRACK");
	call_answer(w, &call);
	call_ack(w, &call);
	world_restart(w);
	say(w, &alice, leg_request(&attacker, "INFO"));
	check_int(w, world_take(w, &inside), 0);
	say(w, &bob, ua_response(&bob, expect(w, &bob, "INFO"), 481, NULL));
	expect_status(w, &alice, 481, "INFO");
}

/* The callee's requests in the early dialog reach a caller whose Contact is of no use. */
static void
early_request_to_caller_behind_nat(void **state)
{
	struct world *w = *state;
	static const struct peer nat = {"nat", "198.51.100.7", 40123, ACCESS};
	const char *invite =
		text_set(ua_invite(&nat, "sip:bob@example.com"), "Contact", "<sip:nat@192.168.1.2:5060>");
	struct leg callee, caller = {.peer = &nat};
	struct call call;

	call_invite_with(w, &call, &nat, &bob, invite);
	call_ring(w, &call, 183);
	callee = leg_callee(&bob, call.seen, call.tag);
	leg_exchange(w, &callee, &caller, "UPDATE", 200);
	call_answer(w, &call);
	call_ack(w, &call);
	world_restart(w);
	leg_exchange(w, &callee, &caller, "INFO", 200);
	leg_bye(w, &callee, &caller);
}

/* A new request with a token of ours in the first header line: our Route goes and our Record-Routes come at one place. */
static void
own_route_first(void **state)
{
	struct world *w = *state;
	struct call call, again;
	const char *invite;

	call_up(w, &call, &alice, &bob);
	invite = text_set(ua_invite(&alice, "sip:bob@example.com"), "Call-ID", call.caller.call_id);
	invite = text_add_first(invite, text_printf("Route: %s", call.caller.routes[0]));
	call_invite_with(w, &again, &alice, &bob, invite);
	check_int(w, text_count(again.seen, "Route"), 0);
	check_int(w, text_count(again.seen, "Record-Route"), 2);
	call_refuse(w, &again, 486);
	leg_bye(w, &call.caller, &call.callee);
}

static const struct CMUnitTest tests[] = {
	flow_test(own_route_first),
	flow_test(first_route_that_matches),
	flow_test(by_method_and_domains),
	flow_test(by_request_uri),
	flow_test(tel_uri),
	flow_test(user_at_the_edge),
	flow_test(targets_by_weight),
	flow_test(targets_by_priority),
	flow_test(one_call_one_target),
	flow_test(trunk_without_targets),
	flow_test(edge_as_outbound_proxy),
	flow_test(route_of_the_core),
	flow_test(strict_router_behind),
	flow_test(strict_router_that_is_no_request_uri),
	flow_test(strict_router_before),
	flow_test(token_is_no_passport),
	flow_test(early_token_is_no_passport),
	flow_test(early_request_to_caller_behind_nat),
};

FLOW_TESTS_MAIN(tests)
