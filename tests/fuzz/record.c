/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linked into the flow tests, in front of the engine (-Wl,--wrap): writes each test's flow as an
 * input of the fuzz target `engine` into the folder BYEPASS_RECORD, named by a number. Keys and
 * branches are the same in each world, so what was recorded means the same when it is replayed.
 */
#include "../flows/world.h"
#include "engine_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX 12000

static struct {
	uint8_t bytes[INPUT_MAX];
	size_t size;
	bool full;
	uint64_t now_us;
	uint16_t worker;
	unsigned number;
} input;

int __real_bp_edge_create(
	struct bp_edge **out, const struct bp_config *config, const struct bp_edge_options *options);
int __wrap_bp_edge_create(
	struct bp_edge **out, const struct bp_config *config, const struct bp_edge_options *options);
void __real_bp_edge_free(struct bp_edge *edge);
void __wrap_bp_edge_free(struct bp_edge *edge);
int __real_bp_engine_create(struct bp_engine **out, struct bp_edge *edge, uint16_t worker,
	const struct bp_engine_hooks *hooks, struct bp_counters *counters);
int __wrap_bp_engine_create(struct bp_engine **out, struct bp_edge *edge, uint16_t worker,
	const struct bp_engine_hooks *hooks, struct bp_counters *counters);
void __real_bp_engine_receive(struct bp_engine *engine, const struct bp_flow *from, const uint8_t *bytes,
	uint32_t size, uint64_t now_us);
void __wrap_bp_engine_receive(struct bp_engine *engine, const struct bp_flow *from, const uint8_t *bytes,
	uint32_t size, uint64_t now_us);

static const struct peer *const peers[] = {
	&alice, &bob, &mallory, &carol, &alice6, &bob6}; /* as fuzz_engine.c */
static struct bp_engine *engines[WORLD_WORKERS_MAX];

static void
put(const void *bytes, size_t size)
{
	input.full |= size > INPUT_MAX - input.size;
	if (input.full)
		return;
	memcpy(input.bytes + input.size, bytes, size);
	input.size += size;
}

static void
put_two(unsigned number)
{
	put((uint8_t[]){(uint8_t)number, (uint8_t)(number >> 8)}, 2);
}

static void
write_input(void)
{
	const char *folder = getenv("BYEPASS_RECORD");
	char path[512];
	FILE *file;

	if (!folder || input.full || input.size < 2)
		return;
	snprintf(path, sizeof(path), "%s/%d-%u", folder, (int)getpid(), input.number++);
	file = fopen(path, "wb");
	if (!file || fwrite(input.bytes, 1, input.size, file) != input.size || fclose(file) != 0) {
		perror(path);
		abort();
	}
}

int
__wrap_bp_edge_create(
	struct bp_edge **out, const struct bp_config *config, const struct bp_edge_options *options)
{
	const struct bp_config_trunk *trunk = &config->trunks[0];
	enum world_kind kind = KIND_PLAIN;
	uint8_t first;

	if (trunk->target_count > 1)
		kind = trunk->parallel ? KIND_FORK : KIND_FAILOVER;
	else if (trunk->targets[0].flow.listener == CORE6)
		kind = KIND_CORE6;
	first = (uint8_t)(kind << 1 | (options->workers > 1 ? WORLD_TWO_WORKERS : 0));
	input.size = 0;
	input.full = false;
	input.now_us = 0;
	input.worker = 0;
	put(&first, 1);
	return __real_bp_edge_create(out, config, options);
}

void
__wrap_bp_edge_free(struct bp_edge *edge)
{
	write_input();
	__real_bp_edge_free(edge);
}

int
__wrap_bp_engine_create(struct bp_engine **out, struct bp_edge *edge, uint16_t worker,
	const struct bp_engine_hooks *hooks, struct bp_counters *counters)
{
	int status = __real_bp_engine_create(out, edge, worker, hooks, counters);

	engines[worker] = *out;
	return status;
}

void
__wrap_bp_engine_receive(struct bp_engine *engine, const struct bp_flow *from, const uint8_t *bytes,
	uint32_t size, uint64_t now_us)
{
	uint16_t worker = engine == engines[1];
	uint64_t waited = (now_us - input.now_us + MS(5)) / MS(10);

	if (input.now_us && waited) {
		put((uint8_t[]){STEP_WAIT}, 1);
		put_two(waited < 0xffff ? (unsigned)waited : 0xffff);
	}
	input.now_us = now_us;
	if (worker != input.worker)
		put((uint8_t[]){STEP_WORKER, (uint8_t)worker}, 2);
	input.worker = worker;
	for (uint8_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		struct bp_flow its = peer_flow(peers[i]);

		if (!bp_flow_equal(&its, from))
			continue;
		put((uint8_t[]){STEP_RAW, i}, 2);
		put_two(size);
		put(bytes, size);
	}
	__real_bp_engine_receive(engine, from, bytes, size, now_us);
}
