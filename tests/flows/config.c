/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The configuration of the test world, by hand: a realm "access" that is not trusted, a realm "core"
 * that is, each with an IPv4 and an IPv6 listener; access goes to a trunk into the core, the
 * core reaches access by Request-URI.
 */
#include "world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

const struct peer alice = {"alice", "192.0.2.10", 5060, ACCESS};
const struct peer mallory = {"mallory", "198.51.100.66", 5060, ACCESS};
const struct peer bob = {"bob", "10.0.0.2", 5060, CORE};
const struct peer carol = {"carol", "10.0.0.3", 5060, CORE};
const struct peer alice6 = {"alice6", "[2001:db8:1::10]", 5060, ACCESS6};
const struct peer bob6 = {"bob6", "[2001:db8:2::2]", 5060, CORE6};

static struct bp_ip
ip_from_text(const char *text)
{
	struct bp_ip ip;
	uint8_t v4[4];
	char v6[64];

	if (inet_pton(AF_INET, text, v4) == 1)
		return bp_ip_from_v4(v4);
	snprintf(v6, sizeof(v6), "%s", text[0] == '[' ? text + 1 : text);
	v6[strcspn(v6, "]")] = '\0';
	if (inet_pton(AF_INET6, v6, ip.bytes) != 1)
		abort();
	return ip;
}

struct bp_flow
peer_flow(const struct peer *peer)
{
	struct bp_flow flow = {
		.ip = ip_from_text(peer->host),
		.port = peer->port,
		.listener = peer->listener,
		.transport = BP_TRANSPORT_UDP,
	};

	return flow;
}

const char *
peer_hostport(const struct peer *peer)
{
	return text_printf("%s:%u", peer->host, peer->port);
}

static void
add_listener(struct bp_config *config, enum listener index, uint16_t realm, const char *ip)
{
	struct bp_config_listener *listener = &config->listeners[index];
	struct bp_config_interface *interface = &config->interfaces[index];
	bool v6 = ip[0] == '[';

	interface->realm = realm;
	interface->port = realm;
	interface->family = v6 ? 6 : 4;
	interface->prefix = v6 ? 64 : 24;
	interface->ip = ip_from_text(ip);
	listener->realm = realm;
	listener->interface = index;
	listener->port = 5060;
	listener->transport = BP_TRANSPORT_UDP;
	listener->family = interface->family;
	listener->ip = interface->ip;
	listener->text_size = (uint8_t)snprintf(listener->text, sizeof(listener->text), "%s:5060", ip);
}

struct bp_config *
world_config(bool core6)
{
	const struct peer *target = core6 ? &bob6 : &bob;
	struct bp_config *config = calloc(1, sizeof(*config));

	*config = (struct bp_config){
		.generation = 1,
		.workers = {.count = 1},
		.timers = {.t1_us = T1, .t2_us = T2, .t4_us = T4, .c_us = TIMER_C, .d_us = TIMER_64T1},
		.limits = {.headers = 128, .vias = 32, .uri = 1024, .message = 65507},
		.drain_us = SECONDS(60),
		.dialog_us = SECONDS(7200),
		.dns = {.mode = BP_DNS_SYSTEM, .parked = 4, .wait_us = SECONDS(4)},
		.session_min_s = 90,
		.secret = "a secret, 16 by",
		.node_id = 7,
		.port_count = 2,
		.realm_count = 2,
		.interface_count = LISTENERS,
		.listener_count = LISTENERS,
		.trunk_count = 1,
		.route_count = 2,
	};
	config->ports = calloc(2, sizeof(*config->ports));
	config->realms = calloc(2, sizeof(*config->realms));
	config->interfaces = calloc(LISTENERS, sizeof(*config->interfaces));
	config->listeners = calloc(LISTENERS, sizeof(*config->listeners));
	config->trunks = calloc(1, sizeof(*config->trunks));
	config->routes = calloc(2, sizeof(*config->routes));
	config->trunks[0].targets = calloc(1, sizeof(*config->trunks[0].targets));
	for (unsigned i = 0; i < 2; i++) {
		snprintf(config->ports[i].name, sizeof(config->ports[i].name), "p%u", i);
		config->ports[i].mtu = 1500;
	}
	snprintf(config->realms[0].name, sizeof(config->realms[0].name), "access");
	config->realms[0].trust = BP_TRUST_UNTRUSTED;
	snprintf(config->realms[1].name, sizeof(config->realms[1].name), "core");
	config->realms[1].trust = BP_TRUST_TRUSTED;
	add_listener(config, ACCESS, 0, "192.0.2.1");
	add_listener(config, CORE, 1, "10.0.0.1");
	add_listener(config, ACCESS6, 0, "[2001:db8:1::1]");
	add_listener(config, CORE6, 1, "[2001:db8:2::1]");
	snprintf(config->trunks[0].name, sizeof(config->trunks[0].name), "core");
	config->trunks[0].realm = 1;
	config->trunks[0].target_count = 1;
	config->trunks[0].targets[0].flow = peer_flow(target);
	config->trunks[0].targets[0].weight = 1;
	config->trunks[0].targets[0].priority = 1;
	snprintf(config->trunks[0].targets[0].uri, sizeof(config->trunks[0].targets[0].uri), "sip:%s:%u",
		target->host, target->port);
	config->routes[0] = (struct bp_config_route){.from = 0, .trunk = 0, .realm = 1};
	config->routes[1] = (struct bp_config_route){.from = 1, .trunk = BP_CONFIG_NONE, .realm = 0};
	return config;
}

void
world_config_two_targets(struct bp_config *config, uint16_t bobs_priority, uint16_t carols_priority)
{
	struct bp_config_trunk *trunk = &config->trunks[0];

	trunk->target_count = 2;
	trunk->targets = realloc(trunk->targets, 2 * sizeof(*trunk->targets));
	trunk->targets[0] =
		(struct bp_config_target){.flow = peer_flow(&bob), .priority = bobs_priority, .weight = 1};
	trunk->targets[1] = (struct bp_config_target){
		.flow = peer_flow(&carol), .priority = carols_priority, .weight = 0};
}

void
world_config_free(struct bp_config *config)
{
	for (unsigned i = 0; i < config->trunks[0].target_count; i++)
		free(config->trunks[0].targets[i].name);
	free(config->trunks[0].targets);
	free(config->trunks[0].state);
	free(config->ports);
	free(config->realms);
	free(config->interfaces);
	free(config->listeners);
	free(config->trunks);
	free(config->routes);
	free(config);
}
