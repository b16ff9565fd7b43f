/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The builder's own helpers and the sections that need no names, see build.h.
 */
#include "config/build.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void *
bp_builder_alloc(struct bp_builder *b, size_t count, size_t size)
{
	void *memory = calloc(count > 0 ? count : 1, size);

	if (memory == NULL)
		bp_report_error(b->document->report, 0, 0, "", "out of memory");
	return memory;
}

const char *
bp_builder_path(struct bp_builder *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(b->path, sizeof(b->path), format, args);
	va_end(args);
	return b->path;
}

const yaml_node_t *
bp_builder_at(struct bp_builder *b, const yaml_node_t *map, const char *key)
{
	const yaml_node_t *node = bp_document_get(b->document, map, key);

	return node != NULL ? node : map;
}

static int
by_name(const void *a, const void *b)
{
	const struct bp_name *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order != 0 ? order : x->index < y->index ? -1 : x->index > y->index;
}

void
bp_names_collect(struct bp_builder *b, struct bp_names *names, const struct bp_schema_list *items,
	size_t size, size_t offset, const char *list)
{
	names->faulty = items->faulty && items->count == 0;
	names->sorted = bp_builder_alloc(b, items->count, sizeof(struct bp_name));
	if (names->sorted == NULL)
		return;
	for (uint32_t i = 0; i < items->count; i++) {
		const char *name = (const char *)items->items + i * size + offset;

		if (name[0] != '\0')
			names->sorted[names->count++] = (struct bp_name){name, i};
		else
			names->faulty = true; /* it has been refused */
	}
	qsort(names->sorted, names->count, sizeof(struct bp_name), by_name);
	for (uint32_t i = 1; i < names->count; i++) {
		const struct bp_name *name = &names->sorted[i], *first = name - 1;
		const yaml_node_t *nodes[2];

		if (strcmp(name->text, first->text) != 0)
			continue;
		memcpy(&nodes[0], (const char *)items->items + first->index * size, sizeof(nodes[0]));
		memcpy(&nodes[1], (const char *)items->items + name->index * size, sizeof(nodes[1]));
		bp_document_error(b->document, bp_builder_at(b, nodes[1], "name"),
			bp_builder_path(b, "%s[%u].name", list, name->index),
			"found \"%s\" again, expected a name of its own (it is on line %u)", name->text,
			bp_node_line(nodes[0]));
	}
}

static void
list_names(const struct bp_names *names, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < names->count && i < 8 && used < size; i++)
		used += (size_t)snprintf(
			out + used, size - used, "%s%s", i > 0 ? ", " : "", names->sorted[i].text);
	if (names->count > 8 && used < size)
		snprintf(out + used, size - used, ", ...");
}

bool
bp_names_find(struct bp_builder *b, const struct bp_names *names, const char *name, const yaml_node_t *node,
	const char *what, uint16_t *index)
{
	uint32_t low = 0, high = names->count;
	char known[320];

	while (low < high) { /* the first of equal names, which may be there twice */
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(names->sorted[middle].text, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < names->count && strcmp(names->sorted[low].text, name) == 0) {
		*index = (uint16_t)names->sorted[low].index;
		return true;
	}
	if (name[0] == '\0' || names->faulty)
		return false;
	list_names(names, known, sizeof(known));
	if (known[0] != '\0')
		bp_document_error(b->document, node, b->path, "found \"%s\", expected the name of a %s (%s)",
			name, what, known);
	else
		bp_document_error(b->document, node, b->path,
			"found \"%s\", expected the name of a %s (there is none)", name, what);
	return false;
}

static void
build_workers(struct bp_builder *b)
{
	const struct bp_file_workers *in = &b->file->workers;
	struct bp_config_workers *out = &b->config->workers;

	out->control_cpu = in->control_cpu;
	out->hugepages = (enum bp_hugepages)in->hugepages;
	out->poll = (enum bp_poll)in->poll;
	out->spread = (enum bp_spread_by)in->spread;
	memcpy(out->eal_args, in->eal_args, sizeof(out->eal_args));
	for (uint32_t i = 0; i < in->cpus.count; i++) {
		const struct bp_schema_item *item = bp_schema_item(&in->cpus, i, sizeof(uint16_t));
		const yaml_node_t *node = item->node != NULL ? item->node : in->node;
		uint16_t cpu;

		memcpy(&cpu, item->value, sizeof(cpu));
		bp_builder_path(b, "workers.cpus[%u]", i);
		for (uint16_t k = 0; k < out->count; k++) {
			if (out->cpus[k] == cpu)
				bp_document_error(b->document, node, b->path,
					"found CPU %u again, expected each CPU once", cpu);
		}
		if (cpu == in->control_cpu && out->poll == BP_POLL_BUSY)
			bp_document_error(b->document, node, b->path,
				"found CPU %u, which is workers.control_cpu, expected another, or poll: "
				"adaptive",
				cpu);
		out->cpus[out->count++] = cpu;
	}
}

static void
build_timers(struct bp_builder *b)
{
	const struct bp_file_timers *in = &b->file->timers;
	struct bp_config_timers *out = &b->config->timers;
	char found[32], other[32];

	*out = (struct bp_config_timers){in->t1_us, in->t2_us, in->t4_us, in->c_us, in->d_us};
	if (in->t1_us != 0 && in->t2_us != 0 && in->t1_us > in->t2_us)
		bp_document_error(b->document, bp_builder_at(b, in->node, "t1"), "timers.t1",
			"found %s, expected no more than timers.t2 (%s)",
			bp_unit_duration_text(in->t1_us, found, sizeof(found)),
			bp_unit_duration_text(in->t2_us, other, sizeof(other)));
	if (in->d_us == 0)
		out->d_us = 64 * in->t1_us;
	else if (in->t1_us != 0 && in->d_us < 64 * in->t1_us)
		bp_document_error(b->document, bp_builder_at(b, in->node, "d"), "timers.d",
			"found %s, expected at least 64*t1 (%s), or auto",
			bp_unit_duration_text(in->d_us, found, sizeof(found)),
			bp_unit_duration_text(64 * in->t1_us, other, sizeof(other)));
}

/* Header fields have whole seconds (RFC 4028 4, 5). */
static uint32_t
whole_seconds(struct bp_builder *b, const char *key, uint64_t us)
{
	char path[32], found[32];

	snprintf(path, sizeof(path), "sessions.%s", key);
	if (us % 1000000 != 0)
		bp_document_error(b->document, bp_builder_at(b, b->file->sessions.node, key), path,
			"found %s, expected whole seconds", bp_unit_duration_text(us, found, sizeof(found)));
	return (uint32_t)(us / 1000000);
}

static void
build_sessions(struct bp_builder *b)
{
	const struct bp_file_sessions *in = &b->file->sessions;
	char found[32], other[32];

	b->config->session_s = whole_seconds(b, "expires", in->expires_us);
	b->config->session_min_s = whole_seconds(b, "min", in->min_us);
	if (in->expires_us != 0 && in->min_us > in->expires_us)
		bp_document_error(b->document, bp_builder_at(b, in->node, "min"), "sessions.min",
			"found %s, expected no more than sessions.expires (%s)",
			bp_unit_duration_text(in->min_us, found, sizeof(found)),
			bp_unit_duration_text(in->expires_us, other, sizeof(other)));
}

static void
build_dns(struct bp_builder *b)
{
	const struct bp_file_dns *in = &b->file->dns;
	struct bp_config_dns *out = &b->config->dns;

	out->tries = in->tries;
	out->cache = in->cache;
	out->parked = in->parked;
	out->timeout_us = in->timeout_us;
	out->wait_us = in->wait_us;
	out->negative_ttl_us = in->negative_ttl_us;
	out->min_ttl_us = in->min_ttl_us;
	out->max_ttl_us = in->max_ttl_us;
	if (in->min_ttl_us > in->max_ttl_us && in->max_ttl_us != 0)
		bp_document_error(b->document, bp_builder_at(b, in->node, "min_ttl"), "dns.min_ttl",
			"found more than dns.max_ttl, expected no more than that");
	for (uint32_t i = 0; i < in->servers.count; i++) {
		const struct bp_schema_item *item = bp_schema_item(&in->servers, i, sizeof(struct bp_endpoint));
		struct bp_endpoint server;

		memcpy(&server, item->value, sizeof(server));
		if (server.family != 0) {
			out->mode = BP_DNS_SERVERS;
			bp_unit_endpoint_text(
				&server.ip, server.port, out->servers[out->server_count++], sizeof(out->servers[0]));
		} else if (in->servers.count > 1) {
			bp_document_error(b->document, item->node, "dns.servers",
				"found a list with none or system, expected addresses, or one of the words alone");
		} else {
			out->mode = (enum bp_dns_mode)server.port;
		}
	}
}

static void
build_values(struct bp_builder *b)
{
	const struct bp_file *in = b->file;
	struct bp_config *out = b->config;

	out->generation = 1;
	out->node_id = in->node_id;
	out->drain_us = in->drain_us;
	out->dialog_us = in->dialogs.max_age_us;
	out->reap_by_bye = in->dialogs.reap == 1;
	build_sessions(b);
	out->capacity = (struct bp_config_capacity){
		in->capacity.transactions, in->capacity.dialogs, in->capacity.kept};
	out->limits = (struct bp_config_limits){
		in->limits.headers, in->limits.vias, in->limits.uri, in->limits.message};
	out->trace.messages = (uint32_t)in->trace.value;
	out->control = in->control.values;
	if (out->control.http[0] == '\0' && out->control.socket[0] == '\0')
		bp_document_error(b->document, in->control.node, "control",
			"found neither http nor socket, expected at least one of them");
}

/* control.cdr is short for cdr.folder. */
static void
build_cdr(struct bp_builder *b)
{
	const struct bp_file *in = b->file;
	struct bp_config_cdr *out = &b->config->cdr;

	*out = in->cdr.values;
	out->format = (enum bp_cdr_format)in->cdr.format;
	if (in->control.cdr[0] == '\0')
		return;
	if (out->folder[0] != '\0')
		bp_document_error(b->document, bp_builder_at(b, in->control.node, "cdr"), "control.cdr",
			"found a folder here and in cdr.folder, expected one of them");
	memcpy(out->folder, in->control.cdr, sizeof(out->folder));
}

void
bp_build(struct bp_document *document, const struct bp_file *file, struct bp_config *config)
{
	struct bp_builder b = {.document = document, .file = file, .config = config};

	build_values(&b);
	build_cdr(&b);
	build_workers(&b);
	build_timers(&b);
	build_dns(&b);
	bp_build_ports(&b);
	bp_build_realms(&b);
	bp_build_trunks(&b);
	bp_build_routes(&b);
	free(b.ports.sorted);
	free(b.realms.sorted);
	free(b.trunks.sorted);
	free(b.first_interface);
}
