/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Next hops that are names (RFC 3263): what control has found out becomes a list of flows in the
 * order of RFC 2782, the first to be tried now, the others by serial failover. Nothing is
 * waited for here; a request whose name is not known yet is parked (park.c).
 */
#include "proxy/context.h"

/* @lower: lower case and signs. */
static bool
is_text(const uint8_t *text, const char *lower, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]) != lower[i])
			return false;
	return true;
}

/* Only UDP is spoken. Of ;transport= the parser knows its own; another is no way to go (RFC 3263 4.1). */
static bool
is_over_udp(const uint8_t *bytes, const struct bp_sip_uri *uri)
{
	static const char name[] = ";transport=";
	const uint8_t *at = bytes + uri->params.offset;

	if (uri->transport != BP_TRANSPORT_COUNT)
		return uri->transport == BP_TRANSPORT_UDP;
	for (unsigned i = 0; i + sizeof(name) - 1 <= uri->params.size; i++)
		if (is_text(at + i, name, sizeof(name) - 1))
			return false;
	return true;
}

bool
bp_name_key_of(const uint8_t *bytes, const struct bp_sip_uri *uri, struct bp_name_key *key)
{
	struct bp_span host = uri->maddr.size ? uri->maddr : uri->host;
	struct bp_ip ip;

	return uri->scheme == BP_URI_SIP && !bp_sip_host_ip(bytes, host, &ip) && is_over_udp(bytes, uri) &&
		bp_name_key_make(key, (const char *)bytes + host.offset, host.size, uri->port);
}

/* Appends the addresses of one server, as far as @realm leads there. */
static unsigned
add_server(const struct bp_engine *engine, const struct bp_name_entry *name, unsigned first, uint16_t realm,
	struct bp_flow *flows, unsigned room)
{
	unsigned count = 0;

	for (unsigned i = first; i < name->count && name->targets[i].server == name->targets[first].server; i++)
		if (count < room &&
			bp_flow_to(engine, &name->targets[i].ip, name->targets[i].port, realm, &flows[count]))
			count++;
	return count;
}

/* RFC 2782: a server among those of one priority that were not taken yet, by weight; those without weight stand first.
 * Returns the place of its first address. */
static unsigned
choose(const struct bp_name_entry *name, unsigned begin, unsigned end, uint64_t taken, uint32_t place)
{
	uint32_t sum = 0, chosen, last = begin;

	for (unsigned i = begin; i < end; i++)
		if ((taken >> name->targets[i].server & 1) == 0 &&
			(i == begin || name->targets[i].server != name->targets[i - 1].server))
			sum += name->targets[i].weight;
	chosen = place % (sum + 1);
	sum = 0;
	for (unsigned i = begin; i < end; i++) {
		if ((taken >> name->targets[i].server & 1) != 0 ||
			(i > begin && name->targets[i].server == name->targets[i - 1].server))
			continue;
		sum += name->targets[i].weight;
		last = i;
		if (sum >= chosen)
			break;
	}
	return last;
}

/* The flows of @name in the order in which the call at @place tries them; the same each time. */
static unsigned
expand(const struct bp_engine *engine, const struct bp_name_entry *name, uint32_t place, uint16_t realm,
	struct bp_flow *flows, unsigned room)
{
	unsigned count = 0, begin = 0, end;
	uint64_t taken = 0;

	for (; begin < name->count && count < room; begin = end) {
		unsigned servers = 0;

		for (end = begin; end < name->count && name->targets[end].priority == name->targets[begin].priority;
			end++)
			servers += end == begin || name->targets[end].server != name->targets[end - 1].server;
		for (; servers > 0 && count < room; servers--) {
			unsigned i = choose(name, begin, end, taken, place);

			taken |= UINT64_C(1) << name->targets[i].server;
			count += add_server(engine, name, i, realm, flows + count, room - count);
			place = (uint32_t)bp_name_mix(place + UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd6e8feb86659fd93));
		}
	}
	return count;
}

static enum bp_name_status
resolve(const struct bp_engine *engine, const struct bp_name_key *key, bool ask, const struct bp_name_entry **name)
{
	if (engine->hooks.resolve == NULL)
		return BP_NAME_OFF;
	return engine->hooks.resolve(engine->hooks.context, key, ask, name);
}

/* The domain of a Request-URI that does not exist is as unknown as a user (21.4.5); one in a Route is a next hop that
 * cannot be had now (21.4.18). No answer is a failure of ours (21.5.4). */
int
bp_name_route(struct bp_engine *engine, const uint8_t *bytes, const struct bp_sip_uri *uri, uint16_t realm, bool route,
	struct bp_destination *destination)
{
	int none = route ? 480 : 404;
	const struct bp_name_entry *name;

	if (!bp_name_key_of(bytes, uri, &destination->name))
		return 404;
	switch (resolve(engine, &destination->name, true, &name)) {
	case BP_NAME_FOUND:
		destination->listed = (uint8_t)expand(
			engine, name, destination->place, realm, destination->flows, BP_BRANCHES_MAX);
		destination->at_once = 1;
		destination->flow = destination->flows[0];
		return destination->listed > 0 ? 0 : none;
	case BP_NAME_WAITS:
		return BP_ROUTE_WAITS;
	case BP_NAME_NONE:
		return none;
	case BP_NAME_FAILED:
	case BP_NAME_BUSY:
		return 503;
	case BP_NAME_OFF:
		break;
	}
	return 404;
}

bool
bp_name_is_known(const struct bp_engine *engine, const struct bp_name_key *key)
{
	const struct bp_name_entry *name;

	return resolve(engine, key, false, &name) == BP_NAME_FOUND;
}

bool
bp_name_leads_to(const struct bp_engine *engine, const struct bp_name_key *key, const struct bp_flow *flow)
{
	const struct bp_name_entry *name;

	if (resolve(engine, key, false, &name) != BP_NAME_FOUND)
		return false;
	for (unsigned i = 0; i < name->count; i++)
		if (name->targets[i].port == flow->port && bp_ip_equal(&name->targets[i].ip, &flow->ip))
			return true;
	return false;
}

bool
bp_name_first(const struct bp_engine *engine, const struct bp_name_key *key, uint16_t realm, struct bp_flow *flow)
{
	const struct bp_name_entry *name;

	return resolve(engine, key, false, &name) == BP_NAME_FOUND && expand(engine, name, 0, realm, flow, 1) > 0;
}

/* A target that is a name counts as down for as long as nothing is known of it. Of a fork's targets each is one branch,
 * so only the first address of its name counts. */
int
bp_name_trunk(struct bp_engine *engine, const struct bp_config_trunk *trunk, struct bp_destination *destination)
{
	struct bp_target_order order = {0};
	const struct bp_name_entry *name;
	unsigned count = 0, priority = 0;

	destination->at_once = 0;
	while (count < BP_BRANCHES_MAX && bp_target_pick(engine, trunk, destination->place, &order)) {
		const struct bp_config_target *target = order.target;
		unsigned room = trunk->parallel ? 1 : BP_BRANCHES_MAX - count, before = count;

		if (target->name == NULL)
			destination->flows[count++] = target->flow;
		else if (resolve(engine, target->name, false, &name) == BP_NAME_FOUND)
			count += expand(engine, name, destination->place, trunk->realm, destination->flows + count, room);
		if (before == 0 && count > 0)
			priority = target->priority;
		if (count > before && target->priority == priority && (trunk->parallel || before == 0))
			destination->at_once++;
	}
	destination->listed = (uint8_t)count;
	destination->flow = destination->flows[0];
	return count > 0 ? 0 : 503;
}
