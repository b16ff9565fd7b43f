/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Trunks and routes of the snapshot. See build.h.
 */
#include "config/build.h"
#include "byepass/names.h"

#include <stdlib.h>
#include <string.h>

/* The listener of @realm that a message to @to leaves from: one whose network has it, else one with a
 * gateway. BP_CONFIG_NONE: none; *family says whether there is one of its family at all. */
static uint16_t
way_out(const struct bp_builder *b, uint16_t realm, const struct bp_endpoint *to, bool *family)
{
	static const struct bp_ip none;
	uint16_t best = BP_CONFIG_NONE;

	*family = false;
	for (uint16_t i = 0; i < b->config->listener_count; i++) {
		const struct bp_config_listener *listener = &b->config->listeners[i];
		const struct bp_config_interface *interface = &b->config->interfaces[listener->interface];
		struct bp_prefix prefix = {interface->ip, interface->prefix, interface->family};

		if (listener->realm != realm || listener->family != to->family)
			continue;
		*family = true;
		if (bp_prefix_contains(&prefix, &to->ip))
			return i;
		if (best == BP_CONFIG_NONE && !bp_ip_equal(&interface->gateway, &none))
			best = i;
	}
	return best;
}

/* Whether @ip is one of the edge's own in @realm. */
static bool
is_own(const struct bp_builder *b, uint16_t realm, const struct bp_ip *ip)
{
	for (uint16_t i = b->first_interface[realm]; i < b->first_interface[realm + 1]; i++) {
		if (bp_ip_equal(&b->config->interfaces[i].ip, ip))
			return true;
	}
	return false;
}

/* Why no host can have the address of @to, by itself and in the networks of @realm; NULL: one can. */
static const char *
unusable(const struct bp_builder *b, uint16_t realm, const struct bp_endpoint *to)
{
	struct bp_prefix prefix = {to->ip, to->family == 4 ? 32 : 128, to->family};
	const char *why = bp_builder_unusable(&prefix);

	for (uint16_t i = b->first_interface[realm]; i < b->first_interface[realm + 1] && why == NULL; i++) {
		const struct bp_config_interface *interface = &b->config->interfaces[i];
		struct bp_prefix network = {interface->ip, interface->prefix, interface->family};

		if (interface->family != to->family || !bp_prefix_contains(&network, &to->ip))
			continue;
		network.ip = to->ip;
		why = bp_builder_unusable(&network);
	}
	return why;
}

/* Finds the way to one target, and says why there is none. */
static void
route_target(struct bp_builder *b, const struct bp_file_target *in, const struct bp_file_trunk *trunk,
	uint16_t realm, struct bp_config_target *out)
{
	const struct bp_endpoint *to = &in->uri.endpoint;
	const yaml_node_t *node = bp_builder_at(b, in->node, "uri");
	const struct bp_file_realm *where = (const struct bp_file_realm *)b->file->realms.items + realm;
	bool faulty = where->address.faulty || where->listen.faulty, family;
	const char *why = unusable(b, realm, to);

	out->flow.listener = way_out(b, realm, to, &family);
	if (is_own(b, realm, &to->ip))
		bp_document_error(b->document, node, b->path,
			"found \"%s\", which is the edge itself, expected another host", in->uri.text);
	else if (why != NULL)
		bp_document_error(b->document, node, b->path,
			"found \"%s\", which is %s, expected the address of a host", in->uri.text, why);
	else if (!family && !faulty)
		bp_document_error(b->document, node, b->path,
			"found \"%s\", expected a target of a family that realm \"%s\" has an address of "
			"(not IPv%u)",
			in->uri.text, trunk->realm, to->family);
	else if (out->flow.listener == BP_CONFIG_NONE && !faulty)
		bp_document_error(b->document, node, b->path,
			"found \"%s\", which is not on-link in realm \"%s\", expected an IPv%u gateway there "
			"or another"
			" target",
			in->uri.text, trunk->realm, to->family);
}

static int
by_priority(const void *a, const void *b)
{
	const struct bp_config_target *x = a, *y = b;

	return x->priority - y->priority;
}

/* Targets keep the order of the file among equals: insertion sort, stable, lists are short. */
static void
sort_targets(struct bp_config_target *targets, uint16_t count)
{
	for (uint16_t i = 1; i < count; i++) {
		struct bp_config_target moved = targets[i];
		uint16_t k = i;

		for (; k > 0 && by_priority(&targets[k - 1], &moved) > 0; k--)
			targets[k] = targets[k - 1];
		targets[k] = moved;
	}
}

/* A target that is a name: known before the way there is. */
static void
name_target(struct bp_builder *b, const struct bp_file_target *in, struct bp_config_trunk *trunk,
	struct bp_config_target *out)
{
	if (in->uri.host_size == 0)
		return;
	if (b->config->dns.mode == BP_DNS_OFF) {
		bp_document_error(b->document, bp_builder_at(b, in->node, "uri"), b->path,
			"found \"%s\", expected an IP address, because dns.servers is none", in->uri.text);
		return;
	}
	out->name = bp_builder_alloc(b, 1, sizeof(*out->name));
	if (out->name != NULL)
		bp_name_key_make(out->name, in->uri.text + 4, in->uri.host_size, in->uri.endpoint.port);
	trunk->named = true;
}

/* Whether the file names one target twice. */
static bool
is_same_target(const struct bp_config_target *a, const struct bp_config_target *b)
{
	if (a->name != NULL || b->name != NULL)
		return a->name != NULL && b->name != NULL && bp_name_key_equal(a->name, b->name);
	return a->flow.port == b->flow.port && bp_ip_equal(&a->flow.ip, &b->flow.ip);
}

static void
build_targets(struct bp_builder *b, const struct bp_file_trunk *in, uint32_t trunk,
	struct bp_config_trunk *out, bool realm_known)
{
	const struct bp_file_target *target = in->targets.items;

	for (uint32_t i = 0; i < in->targets.count; i++) {
		struct bp_config_target *t = &out->targets[i];
		const struct bp_endpoint *to = &target[i].uri.endpoint;

		t->weight = target[i].weight;
		t->priority = target[i].priority;
		t->draining = target[i].drain != 0;
		out->draining |= t->draining;
		t->flow.ip = to->ip;
		t->flow.port = to->port;
		t->flow.transport = BP_TRANSPORT_UDP;
		memcpy(t->uri, target[i].uri.text, sizeof(t->uri));
		bp_builder_path(b, "trunks[%u].targets[%u].uri", trunk, i);
		name_target(b, &target[i], out, t);
		if (to->family == 0 && t->name == NULL)
			continue;
		if (realm_known && t->name == NULL)
			route_target(b, &target[i], in, out->realm, t);
		for (uint32_t k = 0; k < i; k++) {
			if (is_same_target(&out->targets[k], t))
				bp_document_error(b->document, bp_builder_at(b, target[i].node, "uri"),
					b->path,
					"found \"%s\" again, expected each target once (it is on line %u)",
					target[i].uri.text, bp_node_line(target[k].node));
		}
	}
	out->target_count = (uint16_t)in->targets.count;
	sort_targets(out->targets, out->target_count);
}

/* How a trunk tries its targets. A timeout that timer B or F forestalls would never come. */
static void
build_trying(
	struct bp_builder *b, const struct bp_file_trunk *in, uint32_t index, struct bp_config_trunk *out)
{
	uint64_t end_us = 64 * b->file->timers.t1_us;
	char found[32], end[32];

	out->parallel = in->fork != 0;
	out->by_turn = in->hash != 0;
	out->timeout_us = in->timeout_us;
	if (in->timeout_us != 0 && end_us != 0 && in->timeout_us >= end_us)
		bp_document_error(b->document, bp_builder_at(b, in->node, "timeout"),
			bp_builder_path(b, "trunks[%u].timeout", index),
			"found %s, expected less than 64*t1 (%s), or none",
			bp_unit_duration_text(in->timeout_us, found, sizeof(found)),
			bp_unit_duration_text(end_us, end, sizeof(end)));
}

static void
build_probe(struct bp_builder *b, const struct bp_file_probe *in, uint32_t index, struct bp_config_probe *out)
{
	char found[32], interval[32];

	*out = (struct bp_config_probe){in->interval_us, in->timeout_us, in->up, in->down};
	if (in->interval_us != 0 && in->timeout_us >= in->interval_us)
		bp_document_error(b->document, bp_builder_at(b, in->node, "timeout"),
			bp_builder_path(b, "trunks[%u].probe.timeout", index),
			"found %s, expected less than interval (%s)", bp_unit_duration_text(in->timeout_us, found, sizeof(found)),
			bp_unit_duration_text(in->interval_us, interval, sizeof(interval)));
}

/* Where nothing can change nothing is kept: a lone target is used whatever became of it, so it is only counted and shown
 * where that is asked for. */
static void
build_health(struct bp_builder *b, const struct bp_file_trunk *in, struct bp_config_trunk *out)
{
	size_t size = sizeof(*out->state) + in->targets.count * sizeof(out->state->targets[0]);

	out->health =
		(struct bp_config_health){in->health.failures, in->health.hold_us, in->health.retry_after_us};
	if (out->health.failures == 0 && out->probe.interval_us == 0 &&
		(out->health.retry_after_us == 0 || in->targets.count < 2))
		return;
	out->state = aligned_alloc(64, size);
	if (out->state == NULL)
		bp_report_error(b->document->report, 0, 0, "", "out of memory");
	else
		memset(out->state, 0, size);
}

void
bp_build_trunks(struct bp_builder *b)
{
	const struct bp_schema_list *list = &b->file->trunks;
	const struct bp_file_trunk *in = list->items;

	bp_names_collect(b, &b->trunks, list, sizeof(*in), offsetof(struct bp_file_trunk, name), "trunks");
	b->config->trunks = bp_builder_alloc(b, list->count, sizeof(struct bp_config_trunk));
	if (b->config->trunks == NULL)
		return;
	for (uint32_t i = 0; i < list->count; i++) {
		struct bp_config_trunk *out = &b->config->trunks[i];
		bool known;

		b->config->trunk_count++;
		memcpy(out->name, in[i].name, sizeof(out->name));
		build_trying(b, &in[i], i, out);
		build_probe(b, &in[i].probe, i, &out->probe);
		build_health(b, &in[i], out);
		bp_builder_path(b, "trunks[%u].realm", i);
		known = bp_names_find(b, &b->realms, in[i].realm, bp_builder_at(b, in[i].node, "realm"),
			"realm", &out->realm);
		/* A realm that was not built through has its own error. */
		known = known && out->realm < b->config->realm_count;
		known = known && b->first_interface[out->realm + 1] > b->first_interface[out->realm];
		out->targets = bp_builder_alloc(b, in[i].targets.count, sizeof(struct bp_config_target));
		if (out->targets != NULL)
			build_targets(b, &in[i], i, out, known);
	}
}

/* Where it goes: exactly one of three keys. */
static bool
build_way(struct bp_builder *b, const struct bp_file_route *in, uint32_t index, struct bp_config_route *out)
{
	const yaml_node_t *trunk = bp_document_get(b->document, in->node, "trunk");
	const yaml_node_t *realm = bp_document_get(b->document, in->node, "realm");
	const yaml_node_t *file = bp_document_get(b->document, in->node, "prefixes_file");
	const yaml_node_t *prefix = bp_document_get(b->document, in->node, "user_prefix");

	out->trunk = BP_CONFIG_NONE;
	if (in->node->type == YAML_MAPPING_NODE && (trunk != NULL) + (realm != NULL) + (file != NULL) != 1) {
		bool none = trunk == NULL && realm == NULL && file == NULL;

		bp_document_error(b->document, none ? in->node : file != NULL ? file : realm,
			bp_builder_path(b, "routes[%u]", index),
			"found %s, expected either trunk: NAME or realm: NAME or prefixes_file: PATH",
			none ? "neither trunk nor realm" : file != NULL ? "prefixes_file beside them" : "trunk and realm");
		return false;
	}
	if (file != NULL && prefix != NULL) {
		bp_document_error(b->document, prefix, bp_builder_path(b, "routes[%u].user_prefix", index),
			"found a prefix beside prefixes_file, expected one of them");
		return false;
	}
	out->listed = file != NULL;
	if (trunk != NULL) {
		bp_builder_path(b, "routes[%u].trunk", index);
		return bp_names_find(b, &b->trunks, in->trunk, trunk, "trunk", &out->trunk);
	}
	bp_builder_path(b, "routes[%u].realm", index);
	return realm == NULL || bp_names_find(b, &b->realms, in->realm, realm, "realm", &out->realm);
}

static uint8_t
copy_domain(char out[128], const char in[128])
{
	memcpy(out, in, 128);
	return (uint8_t)strlen(in);
}

static bool
build_route(struct bp_builder *b, const struct bp_file_route *in, uint32_t index, struct bp_config_route *out)
{
	bool good;

	bp_builder_path(b, "routes[%u].from", index);
	good = bp_names_find(
		b, &b->realms, in->from, bp_builder_at(b, in->node, "from"), "realm", &out->from);
	good &= build_way(b, in, index, out);
	for (uint32_t i = 0; i < in->methods.count; i++) {
		int method;

		memcpy(&method, bp_schema_item(&in->methods, i, sizeof(method))->value, sizeof(method));
		out->methods |= (uint16_t)(1u << method);
	}
	out->order = index;
	out->user_prefix_size = (uint8_t)strlen(in->user_prefix);
	memcpy(out->user_prefix, in->user_prefix, sizeof(out->user_prefix));
	out->domain_size = copy_domain(out->domain, in->domain);
	out->from_domain_size = copy_domain(out->from_domain, in->from_domain);
	out->to_domain_size = copy_domain(out->to_domain, in->to_domain);
	return good && in->from[0] != '\0' && !in->methods.faulty;
}

static int
by_precedence(const void *a, const void *b)
{
	return bp_route_compare(a, b);
}

/* All routes with those that files stand for, sorted and checked. */
static void
index_routes(struct bp_builder *b)
{
	struct bp_route_sources sources = {0};
	unsigned errors = b->document->report->errors;
	bool listed = false;

	qsort(b->config->routes, b->config->route_count, sizeof(*b->config->routes), by_precedence);
	for (uint32_t i = 0; i < b->config->route_count; i++) {
		const struct bp_config_route *route = &b->config->routes[i];

		listed |= route->listed;
		if (route->listed)
			bp_build_prefixes(b, &sources, i, route->order);
		else if (!bp_route_sources_add(b, &sources, (struct bp_route_source){route->user_prefix, i, 0,
				 route->trunk, route->user_prefix_size}))
			break;
	}
	if (b->document->report->errors == errors)
		bp_build_route_index(b, sources.list, sources.count, listed);
	for (uint32_t i = 0; i < sources.text_count; i++)
		free(sources.texts[i]);
	free(sources.texts);
	free(sources.list);
}

void
bp_build_routes(struct bp_builder *b)
{
	const struct bp_schema_list *list = &b->file->routes;
	const struct bp_file_route *in = list->items;
	bool good = !list->faulty;

	b->config->routes = bp_builder_alloc(b, list->count, sizeof(struct bp_config_route));
	if (b->config->routes == NULL)
		return;
	b->config->route_count = list->count;
	for (uint32_t i = 0; i < list->count; i++)
		good &= build_route(b, &in[i], i, &b->config->routes[i]);
	if (good)
		index_routes(b);
}
