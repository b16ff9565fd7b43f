/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The engine's door: a datagram comes in, is parsed once, goes to its act, and its one
 * disposition is counted.
 */
#include "proxy/engine.h"

#include "proxy/context.h"

#include <errno.h>
#include <stdlib.h>

#define ASKED_AHEAD 2 /* datagrams whose bytes are on their way while another is read */
#define ASKED_MAX 1536 /* bytes of one */

static void
derive_keys(struct bp_edge *edge, const uint8_t seed[32])
{
	struct bp_hash_key root[2] = {bp_hash_key_load(seed), bp_hash_key_load(seed + 16)};
	struct bp_hash_key branch, tag, digests, *keys[] = {&branch, &tag, &digests};

	for (uint8_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		keys[i]->k0 = bp_hash64(&root[0], &i, 1);
		keys[i]->k1 = bp_hash64(&root[1], &i, 1);
	}
	bp_prf_key_make(&edge->branch_key, &branch, true);
	bp_prf_key_make(&edge->tag_key, &tag, true);
	bp_digest_key_make(&edge->identity_key, &digests, 'i');
	bp_digest_key_make(&edge->routing_key, &digests, 'r');
	bp_digest_key_make(&edge->dialogs.key, &digests, 'd');
}

static int
create_table(struct bp_table **out, const struct bp_memory *memory, enum bp_pool_id pool, size_t node_offset,
	const struct bp_edge_options *options)
{
	struct bp_table_options table = {
		.entries = pool == BP_POOL_RECORD ? options->transactions : options->dialogs,
		.node_offset = node_offset,
		.map = options->map,
		.unmap = options->unmap,
	};

	table.slots = bp_pool_slots(memory, pool, &table.slot_size);
	return bp_table_create(out, &table);
}

static bool
create_accounts(struct bp_edge *edge)
{
	size_t kpis = (size_t)edge->workers * edge->config->trunk_count;

	edge->kpi_count = edge->config->trunk_count;
	edge->posts = aligned_alloc(64, edge->workers * sizeof(*edge->posts));
	edge->kpis = aligned_alloc(64, (kpis + 1) * sizeof(*edge->kpis));
	if (edge->posts == NULL || edge->kpis == NULL)
		return false;
	memset(edge->posts, 0, edge->workers * sizeof(*edge->posts));
	memset(edge->kpis, 0, (kpis + 1) * sizeof(*edge->kpis));
	return true;
}

int
bp_edge_create(struct bp_edge **out, const struct bp_config *config, const struct bp_edge_options *options)
{
	uint64_t credit = bp_timers_credit(options->transactions, options->dialogs, options->workers);
	struct bp_memory_options memory = {
		.workers = options->workers,
		.slots = {options->transactions, options->dialogs,
			bp_timers_chunks(credit, options->dialogs, options->workers)},
		.slot_size = {sizeof(struct bp_record), sizeof(struct bp_dialog), 4096},
		.kept_bytes = options->kept_bytes,
		.timer_credit = credit,
		.map = options->map,
		.unmap = options->unmap,
	};
	struct bp_edge *edge;
	int error;

	if (options->workers == 0 || options->workers > UINT8_MAX || (options->map == NULL) != (options->unmap == NULL))
		return -EINVAL;
	edge = calloc(1, sizeof(*edge));
	if (edge == NULL)
		return -ENOMEM;
	edge->config = config;
	edge->workers = options->workers;
	edge->epoch = (uint32_t)options->epoch;
	derive_keys(edge, options->seed);
	error = bp_memory_create(&edge->memory, &memory);
	if (error == 0)
		error = create_table(&edge->transactions, edge->memory, BP_POOL_RECORD,
			offsetof(struct bp_record, node), options);
	if (error == 0)
		error = create_table(&edge->dialogs.table, edge->memory, BP_POOL_DIALOG,
			offsetof(struct bp_dialog, node), options);
	if (error != 0) {
		bp_edge_free(edge);
		return error;
	}
	edge->dialogs.memory = edge->memory;
	if (!create_accounts(edge)) {
		bp_edge_free(edge);
		return -ENOMEM;
	}
	*out = edge;
	return 0;
}

void
bp_edge_free(struct bp_edge *edge)
{
	if (edge == NULL)
		return;
	bp_table_free(edge->transactions);
	bp_table_free(edge->dialogs.table);
	bp_memory_free(edge->memory);
	free(edge->posts);
	free(edge->kpis);
	free(edge);
}

unsigned
bp_edge_cdrs(struct bp_edge *edge, void (*take)(void *context, const struct bp_cdr *cdr), void *context)
{
	unsigned count = 0;

	for (uint16_t i = 0; i < edge->workers; i++) {
		struct bp_cdr_block *block = bp_cdr_collect(&edge->posts[i]);

		while (block != NULL) {
			struct bp_cdr_block *next = block->next;

			take(context, &block->cdr);
			bp_cdr_give_back(&edge->posts[i], block);
			block = next;
			count++;
		}
	}
	return count;
}

unsigned
bp_edge_cut_cdrs(
	struct bp_edge *edge, uint64_t now_us, void (*take)(void *context, const struct bp_cdr *cdr), void *context)
{
	unsigned count = 0;
	struct bp_dialog *dialog;

	for (uint32_t i = 0; (dialog = (struct bp_dialog *)bp_slot_at(edge->memory, BP_POOL_DIALOG, i)) != NULL; i++) {
		struct bp_cdr_block *block = bp_cdr_take_off(dialog);
		struct bp_cdr *cdr = block ? &block->cdr : NULL;

		if (cdr == NULL)
			continue;
		cdr->kind = cdr->answer_us > 0 ? BP_CDR_DIALOG : BP_CDR_ATTEMPT;
		cdr->why = BP_CDR_WHY_edge_stopped;
		cdr->ended_by = BP_CDR_BY_edge;
		cdr->end_us = now_us;
		cdr->serial = ++edge->posts[0].serial;
		atomic_fetch_and(&cdr->races, (1u << BP_CDR_RACE_COUNT) - 1);
		take(context, cdr);
		count++;
	}
	return count;
}

bool
bp_edge_kpi(const struct bp_edge *edge, uint16_t trunk, struct bp_kpi *out)
{
	memset(out, 0, sizeof(*out));
	if (trunk >= edge->kpi_count)
		return false;
	for (uint16_t i = 0; i < edge->workers; i++) {
		const struct bp_kpi *kpi = &edge->kpis[(size_t)i * edge->kpi_count + trunk];

#define X(name, metric, labels) out->name += bp_count_read(&kpi->name);
		BP_KPIS(X)
#undef X
	}
	return true;
}

const struct bp_config *
bp_edge_configure(struct bp_edge *edge, const struct bp_config *config)
{
	return __atomic_exchange_n(&edge->config, config, __ATOMIC_SEQ_CST); /* rcu_xchg_pointer drops const */
}

int
bp_engine_create(struct bp_engine **out, struct bp_edge *edge, uint16_t worker, const struct bp_engine_hooks *hooks,
	struct bp_counters *counters)
{
	struct bp_engine *engine;

	if (worker >= edge->workers)
		return -EINVAL;
	engine = calloc(1, sizeof(*engine));
	if (engine == NULL)
		return -ENOMEM;
	engine->edge = edge;
	engine->worker = worker;
	engine->hooks = *hooks;
	engine->counters = counters;
	engine->memory = bp_memory_home(edge->memory, worker, hooks->defer, hooks->context, counters);
	bp_timers_begin(&engine->timers, engine->memory, &edge->config->timers);
	if (!bp_timers_fill(&engine->timers)) {
		free(engine);
		return -ENOMEM;
	}
	engine->dialogs = (struct bp_dialog_worker){
		.dialogs = &edge->dialogs,
		.memory = engine->memory,
		.timers = &engine->timers,
		.counters = counters,
		.cdr = &edge->posts[worker],
	};
	engine->post = &edge->posts[worker];
	engine->post->worker = (uint8_t)worker;
	engine->kpis = &edge->kpis[(size_t)worker * edge->kpi_count];
	engine->kpi_count = edge->kpi_count;
	*out = engine;
	return 0;
}

void
bp_engine_free(struct bp_engine *engine)
{
	free(engine);
}

/* Each call of the engine runs on one snapshot. */
void
bp_engine_configure(struct bp_engine *engine)
{
	/* what rcu_dereference() does, as C11 and ThreadSanitizer know it */
	const struct bp_config *config = __atomic_load_n(&engine->edge->config, __ATOMIC_ACQUIRE);

	engine->post->now_us = engine->now_us;
	/* an old snapshot's address may be used again */
	if (config == engine->config && config->generation == engine->config_generation)
		return;
	engine->config = config;
	engine->config_generation = config->generation;
	engine->post->on = config->cdr.folder[0] != '\0';
	engine->limits = (struct bp_sip_limits){
		.headers = config->limits.headers, .vias = config->limits.vias, .uri = config->limits.uri};
	engine->response_limits = engine->limits;
	engine->response_limits.vias++;
	bp_timers_configure(&engine->timers, &config->timers);
	bp_route_key_make(&engine->route_keys[0], config->secret);
	for (unsigned i = 0; i < config->old_secret_count; i++)
		bp_route_key_make(&engine->route_keys[1 + i], config->old_secrets[i]);
	engine->marked = 0;
}

/* By its first characters; line ends may stand before them (7.5). */
static bool
is_response(const uint8_t *bytes, uint32_t size)
{
	uint32_t at = 0;

	while (at < size && at < 16 && (bytes[at] == '\r' || bytes[at] == '\n'))
		at++;
	return size - at >= 4 && memcmp(bytes + at, "SIP/", 4) == 0;
}

/* What can be known of a datagram before its turn: nothing of the edge's memory is looked at. */
static void
read_ahead(struct bp_engine *engine, struct bp_view *view, const uint8_t *bytes, uint32_t size)
{
	struct bp_sip_message *m = &view->m;

	view->too_large = size > engine->config->limits.message;
	if (view->too_large)
		return;
	view->fault = bp_sip_parse_shaped(&engine->shapes, m, bytes, size,
		is_response(bytes, size) ? &engine->response_limits : &engine->limits);
	if (m->status == 0 && view->fault != BP_SIP_FAULT_EMPTY)
		bp_record_identity(&engine->edge->identity_key, m, view->id);
}

static int
act(struct bp_engine *engine, const struct bp_view *view, const struct bp_flow *from)
{
	const struct bp_sip_message *m = &view->m;

	if (view->too_large)
		return BP_DROP_message_too_large;
	if (view->fault == BP_SIP_FAULT_EMPTY) /* a keepalive (RFC 5626 4.4.1 has the like) */
		return BP_VERDICT_ABSORBED;
	if (m->status == 0)
		return bp_request_receive(engine, view, from);
	if (m->status < BP_STATUS_MAX)
		bp_count(&engine->counters->responses[BP_IN][m->status], 1);
	return view->fault == BP_SIP_FAULT_NONE ? bp_response_receive(engine, m) : BP_DROP_response_malformed;
}

static void
receive(struct bp_engine *engine, const struct bp_view *view, const struct bp_flow *from)
{
	struct bp_counters *counters = engine->counters;
	int verdict;

	engine->from = *from;
	bp_count(&counters->messages_received, 1);
	verdict = act(engine, view, from);
	switch (verdict) {
	case BP_VERDICT_FORWARDED:
		bp_count(&counters->forwarded, 1);
		break;
	case BP_VERDICT_ANSWERED:
		bp_count(&counters->answered, 1);
		break;
	case BP_VERDICT_ABSORBED:
		bp_count(&counters->absorbed, 1);
		break;
	case BP_VERDICT_PARKED:
		break; /* counted when it goes on */
	default:
		bp_count(&counters->drops[verdict], 1);
	}
}

void
bp_engine_receive(
	struct bp_engine *engine, const struct bp_flow *from, const uint8_t *bytes, uint32_t size, uint64_t now_us)
{
	engine->now_us = now_us;
	bp_engine_configure(engine);
	read_ahead(engine, &engine->views[0], bytes, size);
	receive(engine, &engine->views[0], from);
}

/* Another core has just written it. */
static void
ask_for_bytes(const struct bp_datagram *datagram)
{
	uint32_t size = datagram->size < ASKED_MAX ? datagram->size : ASKED_MAX;

	for (uint32_t at = 0; at < size; at += 64)
		__builtin_prefetch(datagram->bytes + at, 0);
}

/* The datagram at work is BP_VIEWS - 1 behind the one that is read; half way what that one leads to is asked for. */
void
bp_engine_receive_burst(
	struct bp_engine *engine, const struct bp_datagram *datagrams, unsigned count, uint64_t now_us)
{
	unsigned read = 0;

	engine->now_us = now_us;
	bp_engine_configure(engine);
	for (unsigned i = 0; i < count && i < ASKED_AHEAD; i++)
		ask_for_bytes(&datagrams[i]);
	for (unsigned i = 0; i < count; i++) {
		for (; read < count && read < i + BP_VIEWS; read++) {
			struct bp_view *view = &engine->views[read % BP_VIEWS];

			if (read + ASKED_AHEAD < count)
				ask_for_bytes(&datagrams[read + ASKED_AHEAD]);
			read_ahead(engine, view, datagrams[read].bytes, datagrams[read].size);
			bp_prefetch_first(engine, view);
		}
		if (i + BP_VIEWS / 2 < read)
			bp_prefetch_then(engine, &engine->views[(i + BP_VIEWS / 2) % BP_VIEWS]);
		receive(engine, &engine->views[i % BP_VIEWS], &datagrams[i].from);
	}
}

uint64_t
bp_engine_expire(struct bp_engine *engine, uint64_t now_us, unsigned budget)
{
	struct bp_timer_entry entry;
	uint64_t next_us, walk_us;

	engine->now_us = now_us;
	bp_engine_configure(engine);
	if (bp_cdr_has_back(engine->post))
		bp_cdr_take_back(&engine->dialogs);
	while (budget-- > 0 && bp_timer_pop(&engine->timers, now_us, &entry)) {
		bp_timer_prefetch(engine);
		__atomic_store_n(&engine->counters->timer_lag_us, now_us - entry.deadline_us, __ATOMIC_RELAXED);
		bp_timer_run(engine, &entry);
	}
	if (engine->parking.count == 0)
		return bp_timer_next(&engine->timers);
	walk_us = bp_parking_walk(engine);
	next_us = bp_timer_next(&engine->timers);
	return walk_us < next_us ? walk_us : next_us;
}

void
bp_engine_flush(struct bp_engine *engine)
{
	bp_memory_flush(engine->memory);
	bp_timers_fill(&engine->timers); /* a worker may see responses only */
}

void
bp_engine_drain(struct bp_engine *engine)
{
	engine->draining = true;
}
