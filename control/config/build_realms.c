/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ports and realms of the snapshot: interfaces, gateways, listeners. See build.h.
 */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>

/* A listener or an interface, sorted to find those that are there twice. */
struct place {
	const struct bp_config_interface *interface;
	const yaml_node_t *node;
	uint16_t listen; /* UDP port; 0 for an interface */
};

static void
check_devices(struct bp_builder *b, const struct bp_file_port *ports, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		size_t size = strcspn(ports[i].device, ",");

		for (uint32_t k = 0; k < i && size > 0; k++) {
			if (strcspn(ports[k].device, ",") != size ||
				strncmp(ports[k].device, ports[i].device, size) != 0)
				continue;
			bp_document_error(b->document, bp_builder_at(b, ports[i].node, "device"),
				bp_builder_path(b, "ports[%u].device", i),
				"found \"%.*s\" again, expected a device of its own (port \"%s\" on line %u "
				"has it)",
				(int)size, ports[i].device, ports[k].name, bp_node_line(ports[k].node));
			break;
		}
	}
}

void
bp_build_ports(struct bp_builder *b)
{
	const struct bp_schema_list *list = &b->file->ports;
	const struct bp_file_port *in = list->items;

	bp_names_collect(b, &b->ports, list, sizeof(*in), offsetof(struct bp_file_port, name), "ports");
	b->config->ports = bp_builder_alloc(b, list->count, sizeof(struct bp_config_port));
	if (b->config->ports == NULL)
		return;
	b->config->port_count = (uint16_t)list->count;
	for (uint32_t i = 0; i < list->count; i++) {
		struct bp_config_port *out = &b->config->ports[i];

		memcpy(out->name, in[i].name, sizeof(out->name));
		memcpy(out->device, in[i].device, sizeof(out->device));
		out->mtu = in[i].mtu;
	}
	check_devices(b, in, list->count);
}

static bool
all_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

const char *
bp_builder_unusable(const struct bp_prefix *prefix)
{
	const uint8_t *ip = prefix->ip.bytes;
	uint32_t v4, host;

	if (prefix->family == 6) {
		if (ip[0] == 0xff)
			return "a multicast address";
		return all_zero(ip, 15) && ip[15] <= 1 ? "the unspecified or the loopback address" : NULL;
	}
	v4 = (uint32_t)ip[12] << 24 | (uint32_t)ip[13] << 16 | (uint32_t)ip[14] << 8 | ip[15];
	host = prefix->bits == 32 ? 0 : 0xffffffffu >> prefix->bits;
	if (ip[12] == 0 || ip[12] == 127 || ip[12] >= 224)
		return "not the address of a host";
	if (prefix->bits > 30)
		return NULL;
	if ((v4 & host) == 0)
		return "the address of the network itself";
	return (v4 & host) == host ? "the broadcast address of its network" : NULL;
}

static int
by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = x->interface->port - y->interface->port;

	if (order == 0)
		order = x->interface->vlan - y->interface->vlan;
	if (order == 0)
		order = memcmp(&x->interface->ip, &y->interface->ip, sizeof(x->interface->ip));
	if (order == 0)
		order = x->listen - y->listen;
	if (order == 0)
		order = x->interface < y->interface ? -1 : x->interface > y->interface;
	return order;
}

static bool
same_place(const struct place *x, const struct place *y)
{
	return x->interface->port == y->interface->port && x->interface->vlan == y->interface->vlan &&
	       bp_ip_equal(&x->interface->ip, &y->interface->ip) && x->listen == y->listen;
}

/* Two realms may share an address when their listeners differ; then it is one network and one prefix length.
 */
static void
check_twins(struct bp_builder *b, struct place *places, uint32_t count)
{
	char text[BP_ENDPOINT_TEXT_SIZE];

	qsort(places, count, sizeof(*places), by_place);
	for (uint32_t i = 1; i < count; i++) {
		const struct bp_config_interface *me = places[i].interface, *other = places[i - 1].interface;

		if (!same_place(&places[i], &places[i - 1]))
			continue;
		if (places[i].listen != 0 && me != other && me->realm == other->realm)
			continue; /* the address is there twice, which has been said */
		if (me == other && me != &b->config->interfaces[b->first_interface[me->realm]])
			continue; /* the same entry twice, said for the realm's first address */
		if (places[i].listen != 0)
			bp_document_error(b->document, places[i].node,
				bp_builder_path(b, "realms[%u].listen", me->realm),
				"found udp %s on port \"%s\" again, expected another address or port (realm "
				"\"%s\" on line %u"
				" has it)",
				bp_unit_endpoint_text(&me->ip, places[i].listen, text, sizeof(text)),
				b->config->ports[me->port].name, b->config->realms[other->realm].name,
				bp_node_line(places[i - 1].node));
		else if (me->realm == other->realm || me->prefix != other->prefix)
			bp_document_error(b->document, places[i].node,
				bp_builder_path(b, "realms[%u].address", me->realm),
				"found %s/%u again, expected %s (realm \"%s\" on line %u has it)",
				bp_unit_ip_text(&me->ip, text, sizeof(text)), me->prefix,
				me->realm == other->realm ? "an address once" : "the same prefix length",
				b->config->realms[other->realm].name, bp_node_line(places[i - 1].node));
	}
}

static void
build_addresses(struct bp_builder *b, const struct bp_file_realm *in, uint16_t realm, uint16_t port,
	struct place *places)
{
	for (uint32_t i = 0; i < in->address.count; i++) {
		const struct bp_schema_item *item = bp_schema_item(&in->address, i, sizeof(struct bp_prefix));
		struct bp_config_interface *out = &b->config->interfaces[b->config->interface_count];
		char text[BP_ENDPOINT_TEXT_SIZE];
		struct bp_prefix prefix;
		const char *why;

		memcpy(&prefix, item->value, sizeof(prefix));
		why = bp_builder_unusable(&prefix);
		if (why != NULL)
			bp_document_error(b->document, item->node,
				bp_builder_path(b, "realms[%u].address", realm),
				"found %s/%u, which is %s, expected the address of a host",
				bp_unit_ip_text(&prefix.ip, text, sizeof(text)), prefix.bits, why);
		*out = (struct bp_config_interface){.realm = realm,
			.port = port,
			.vlan = in->vlan,
			.prefix = prefix.bits,
			.family = prefix.family,
			.ip = prefix.ip};
		places[b->config->interface_count++] = (struct place){out, item->node, 0};
	}
}

/* Gives @gateway to the interfaces of the realm that reach it. Returns how many; *taken: one had a gateway;
 * *why: no host can have its address, in a network of the realm. */
static unsigned
give_gateway(
	struct bp_builder *b, uint16_t realm, const struct bp_ip *gateway, bool *own, bool *taken, const char **why)
{
	bool link_local = gateway->bytes[0] == 0xfe && (gateway->bytes[1] & 0xc0) == 0x80;
	unsigned given = 0;

	for (uint16_t i = b->first_interface[realm]; i < b->config->interface_count; i++) {
		struct bp_config_interface *interface = &b->config->interfaces[i];
		struct bp_prefix prefix = {interface->ip, interface->prefix, interface->family};

		*own |= bp_ip_equal(gateway, &interface->ip);
		if (!bp_prefix_contains(&prefix, gateway) && !(link_local && interface->family == 6))
			continue;
		*taken |= !all_zero(interface->gateway.bytes, sizeof(interface->gateway.bytes));
		interface->gateway = *gateway;
		prefix.ip = *gateway;
		if (*why == NULL)
			*why = bp_builder_unusable(&prefix);
		given++;
	}
	return given;
}

static void
build_gateways(struct bp_builder *b, const struct bp_file_realm *in, uint16_t realm)
{
	for (uint32_t i = 0; i < in->gateway.count; i++) {
		const struct bp_schema_item *item =
			bp_schema_item(&in->gateway, i, sizeof(struct bp_endpoint));
		bool own = false, taken = false;
		const char *why = NULL;
		char text[BP_ENDPOINT_TEXT_SIZE];
		struct bp_endpoint gateway;
		unsigned given;

		memcpy(&gateway, item->value, sizeof(gateway));
		given = give_gateway(b, realm, &gateway.ip, &own, &taken, &why);
		bp_unit_ip_text(&gateway.ip, text, sizeof(text));
		bp_builder_path(b, "realms[%u].gateway", realm);
		if (own)
			bp_document_error(b->document, item->node, b->path,
				"found %s, which is the edge's own address, expected that of a router", text);
		else if (why != NULL)
			bp_document_error(b->document, item->node, b->path,
				"found %s, which is %s, expected the address of a router", text, why);
		else if (taken)
			bp_document_error(b->document, item->node, b->path,
				"found %s, a second gateway for the same address, expected one", text);
		else if (given == 0 && !in->address.faulty)
			bp_document_error(b->document, item->node, b->path,
				"found %s, which is not on-link, expected an address in a network of the "
				"realm",
				text);
	}
}

/* The listeners of one realm: each `listen` on each of its addresses. */
static void
build_listeners(struct bp_builder *b, const struct bp_file_realm *in, uint16_t realm, struct place *places)
{
	for (uint32_t l = 0; l < in->listen.count; l++) {
		const struct bp_schema_item *item = bp_schema_item(&in->listen, l, sizeof(uint16_t));
		uint16_t port;

		memcpy(&port, item->value, sizeof(port));
		for (uint16_t i = b->first_interface[realm]; i < b->config->interface_count; i++) {
			const struct bp_config_interface *interface = &b->config->interfaces[i];
			struct bp_config_listener *out = &b->config->listeners[b->config->listener_count];

			*out = (struct bp_config_listener){.realm = realm,
				.interface = i,
				.port = port,
				.transport = BP_TRANSPORT_UDP,
				.family = interface->family,
				.ip = interface->ip};
			bp_unit_endpoint_text(&out->ip, port, out->text, sizeof(out->text));
			out->text_size = (uint8_t)strlen(out->text);
			places[b->config->listener_count++] =
				(struct place){interface, item->node != NULL ? item->node : in->node, port};
		}
	}
}

/* Room for all interfaces and listeners that the realms can come to. */
static bool
make_room(struct bp_builder *b, struct place **interfaces, struct place **listeners)
{
	const struct bp_file_realm *in = b->file->realms.items;
	uint32_t count = b->file->realms.count, interface_count = 0, listener_count = 0;

	for (uint32_t i = 0; i < count; i++) {
		interface_count += in[i].address.count;
		listener_count += in[i].address.count * in[i].listen.count;
	}
	if (listener_count > BP_CONFIG_LISTENERS_MAX || interface_count > BP_CONFIG_LISTENERS_MAX) {
		bp_document_error(b->document, bp_builder_at(b, b->file->node, "realms"), "realms",
			"found %u listeners on %u addresses in all, expected at most %u of each",
			listener_count, interface_count, BP_CONFIG_LISTENERS_MAX);
		return false;
	}
	b->config->realms = bp_builder_alloc(b, count, sizeof(struct bp_config_realm));
	b->config->interfaces = bp_builder_alloc(b, interface_count, sizeof(struct bp_config_interface));
	b->config->listeners = bp_builder_alloc(b, listener_count, sizeof(struct bp_config_listener));
	b->first_interface = bp_builder_alloc(b, count + 1, sizeof(uint16_t));
	*interfaces = bp_builder_alloc(b, interface_count, sizeof(struct place));
	*listeners = bp_builder_alloc(b, listener_count, sizeof(struct place));
	return b->config->realms != NULL && b->config->interfaces != NULL && b->config->listeners != NULL &&
	       b->first_interface != NULL && *interfaces != NULL && *listeners != NULL;
}

void
bp_build_realms(struct bp_builder *b)
{
	const struct bp_file_realm *in = b->file->realms.items;
	struct place *interfaces = NULL, *listeners = NULL;

	bp_names_collect(
		b, &b->realms, &b->file->realms, sizeof(*in), offsetof(struct bp_file_realm, name), "realms");
	if (!make_room(b, &interfaces, &listeners)) {
		b->realms.faulty = true;
		goto out;
	}
	for (uint16_t i = 0; i < b->file->realms.count; i++) {
		struct bp_config_realm *out = &b->config->realms[b->config->realm_count++];
		uint16_t port = 0;

		memcpy(out->name, in[i].name, sizeof(out->name));
		out->trust = (enum bp_trust)in[i].trust;
		out->path = (enum bp_path)in[i].path;
		b->first_interface[i] = b->config->interface_count;
		bp_builder_path(b, "realms[%u].port", i);
		if (bp_names_find(
			    b, &b->ports, in[i].port, bp_builder_at(b, in[i].node, "port"), "port", &port)) {
			build_addresses(b, &in[i], i, port, interfaces);
			build_gateways(b, &in[i], i);
			build_listeners(b, &in[i], i, listeners);
		}
		b->first_interface[i + 1] = b->config->interface_count;
	}
	check_twins(b, interfaces, b->config->interface_count);
	check_twins(b, listeners, b->config->listener_count);
out:
	free(interfaces);
	free(listeners);
}
