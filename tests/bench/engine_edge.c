/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The edge of `byepass-bench engine`: the real engine, with a configuration made by hand and hooks that take what is
 * sent without any packet.
 */
#include "engine.h"

#include "transaction/slab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

static const char *pages = "huge pages";
static bool plain_pages;
static uint64_t mapped_bytes;

static void *
map(size_t size)
{
	size_t rounded = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	void *memory = MAP_FAILED;

	mapped_bytes += size;
	if (!plain_pages)
		memory = mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (memory != MAP_FAILED)
		return memory;
	memory = mmap(NULL, rounded + HUGE_PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	memory = (void *)(((uintptr_t)memory + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
	pages = !plain_pages && madvise(memory, rounded, MADV_HUGEPAGE) == 0 ? "transparent huge pages" : "4 KiB pages";
	return memory;
}

/* The process ends soon. */
static void
unmap(void *memory, size_t size)
{
}

const char *
engine_edge_pages(void)
{
	return pages;
}

uint64_t
engine_edge_bytes(void)
{
	return mapped_bytes;
}

static uint8_t *
reserve(void *context, const struct bp_flow *to, uint32_t size)
{
	struct engine_edge *e = context;

	return size <= ENGINE_SIZE_MAX && e->sent_count < ENGINE_SENT_MAX ? e->sent[e->sent_count].bytes : NULL;
}

static void
send(void *context, const struct bp_flow *to, uint32_t size)
{
	struct engine_edge *e = context;
	struct engine_sent *sent = &e->sent[e->sent_count++];

	sent->to = *to;
	sent->size = size;
}

static void
defer(void *context, struct bp_batch *batch)
{
	struct engine_edge *e = context;

	if (e->batch_count == sizeof(e->batches) / sizeof(e->batches[0]))
		abort(); /* the engine has fewer */
	e->batches[e->batch_count++] = batch;
}

void
engine_edge_release(struct engine_edge *e)
{
	for (unsigned i = 0; i < e->batch_count; i++)
		bp_batch_release(e->batches[i]);
	e->batch_count = 0;
}

static struct bp_flow
flow(const char *ip, uint16_t listener)
{
	unsigned a, b, c, d;
	struct bp_flow flow = {.port = 5060, .listener = listener, .transport = BP_TRANSPORT_UDP};

	sscanf(ip, "%u.%u.%u.%u", &a, &b, &c, &d);
	flow.ip = bp_ip_from_v4((uint8_t[]){(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d});
	return flow;
}

static void
add_realm(struct bp_config *config, uint16_t i, const char *name, enum bp_trust trust, const char *ip)
{
	struct bp_config_listener *listener = &config->listeners[i];

	snprintf(config->realms[i].name, sizeof(config->realms[i].name), "%s", name);
	config->realms[i].trust = trust;
	config->interfaces[i] = (struct bp_config_interface){
		.realm = i, .port = i, .family = 4, .prefix = 24, .ip = flow(ip, i).ip};
	*listener = (struct bp_config_listener){.realm = i,
		.interface = i,
		.port = 5060,
		.transport = BP_TRANSPORT_UDP,
		.family = 4,
		.ip = flow(ip, i).ip};
	listener->text_size = (uint8_t)snprintf(listener->text, sizeof(listener->text), "%s:5060", ip);
}

static struct bp_config *
make_config(const struct engine_options *options, const struct bp_flow *callee)
{
	struct bp_config *config = calloc(1, sizeof(*config));
	uint64_t t1_us = (uint64_t)options->linger_ms * 1000 / 64;

	*config = (struct bp_config){
		.generation = 1,
		.workers = {.count = 1},
		.timers = {.t1_us = t1_us, .t2_us = 8 * t1_us, .t4_us = 10 * t1_us, .c_us = 360 * t1_us, .d_us = 64 * t1_us},
		.limits = {.headers = 128, .vias = 32, .uri = 1024, .message = 65507},
		.dialog_us = UINT64_C(7200000000),
		.secret = "a secret, 16 by",
		.node_id = 7,
		.port_count = 2,
		.realm_count = 2,
		.interface_count = 2,
		.listener_count = 2,
		.trunk_count = 1,
		.route_count = 1,
	};
	config->ports = calloc(2, sizeof(*config->ports));
	config->realms = calloc(2, sizeof(*config->realms));
	config->interfaces = calloc(2, sizeof(*config->interfaces));
	config->listeners = calloc(2, sizeof(*config->listeners));
	config->trunks = calloc(1, sizeof(*config->trunks));
	config->routes = calloc(1, sizeof(*config->routes));
	config->trunks[0].targets = calloc(1, sizeof(*config->trunks[0].targets));
	add_realm(config, 0, "access", BP_TRUST_UNTRUSTED, "192.0.2.1");
	add_realm(config, 1, "core", BP_TRUST_TRUSTED, "10.0.0.1");
	config->trunks[0].realm = 1;
	config->trunks[0].target_count = 1;
	config->trunks[0].targets[0] = (struct bp_config_target){.flow = *callee, .weight = 1, .priority = 1};
	config->routes[0] = (struct bp_config_route){.from = 0, .trunk = 0, .realm = 1};
	return config;
}

void
engine_edge_begin(struct engine_edge *e, const struct engine_options *options)
{
	struct bp_engine_hooks hooks = {.context = e, .reserve = reserve, .send = send, .defer = defer};
	uint64_t alive = (uint64_t)options->rate * options->linger_ms / 1000 + 8u * options->spread;
	struct bp_edge_options edge = {
		.workers = 1,
		.transactions = (uint32_t)(alive * 5 / 2 + 4096),
		.dialogs = (uint32_t)(alive * 5 / 4 + 4096),
		.kept_bytes = alive * 512 + (32u << 20),
		.map = map,
		.unmap = unmap,
		.seed = "always the same, so counts are",
		.epoch = 1700000000,
	};

	plain_pages = options->plain_pages;
	*e = (struct engine_edge){.caller = flow("192.0.2.10", 0), .callee = flow("10.0.0.2", 1)};
	e->config = make_config(options, &e->callee);
	e->counters = aligned_alloc(64, sizeof(*e->counters));
	e->sent = aligned_alloc(64, sizeof(*e->sent) * ENGINE_SENT_MAX);
	memset(e->counters, 0, sizeof(*e->counters));
	memset(e->sent, 0, sizeof(*e->sent) * ENGINE_SENT_MAX);
	if (bp_edge_create(&e->edge, e->config, &edge) != 0 ||
		bp_engine_create(&e->engine, e->edge, 0, &hooks, e->counters) != 0) {
		fprintf(stderr, "byepass-bench: no memory for %llu calls\n", (unsigned long long)alive);
		exit(1);
	}
}

void
engine_edge_end(struct engine_edge *e)
{
	bp_engine_free(e->engine);
	bp_edge_free(e->edge);
	free(e->config->trunks[0].targets);
	free(e->config->ports);
	free(e->config->realms);
	free(e->config->interfaces);
	free(e->config->listeners);
	free(e->config->trunks);
	free(e->config->routes);
	free(e->config);
	free(e->counters);
	free(e->sent);
}
