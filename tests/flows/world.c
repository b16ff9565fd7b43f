/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The world: edge, engines, hooks, clock, and what must hold when all is over. See world.h.
 */
#include "world.h"

#include "sip/message.h"
#include "sip/uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#define EXPIRE_BUDGET 16
#define STEPS_MAX 2000000

unsigned world_serial;

static const struct world_options defaults = {
	.workers = 1, .transactions = 1024, .dialogs = 512, .kept_bytes = 8 << 20};

/* ---- pools from the heap, so that a sanitizer sees their ends and their leaks ---- */

struct mapping {
	void *memory;
	size_t size;
};
static struct mapping mappings[256];

static void *
map_heap(size_t size)
{
	void *memory = NULL;

	for (size_t i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++) {
		if (mappings[i].memory)
			continue;
		if (posix_memalign(&memory, 4096, size ? size : 1) != 0)
			return NULL;
		memset(memory, 0, size);
		mappings[i] = (struct mapping){memory, size};
		return memory;
	}
	return NULL;
}

static void
unmap_heap(void *memory, size_t size)
{
	for (size_t i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++) {
		if (mappings[i].memory != memory)
			continue;
		if (mappings[i].size != size)
			fail_msg("pool of %zu bytes given back as %zu", mappings[i].size, size);
		free(memory);
		mappings[i].memory = NULL;
		return;
	}
	fail_msg("unmap of memory that was never mapped");
}

/* ---- hooks ---- */

static void
drop_reservation(struct world_hook *hook)
{
	free(hook->reserved);
	hook->reserved = NULL;
}

static uint8_t *
hook_reserve(void *context, const struct bp_flow *to, uint32_t size)
{
	struct world_hook *hook = context;

	drop_reservation(hook);
	if (hook->world->fail_reserves > 0) {
		hook->world->fail_reserves--;
		bp_count(&hook->world->counters[hook->worker].drops[BP_DROP_tx_no_buffer], 1);
		return NULL;
	}
	hook->reserved = malloc(size ? size : 1);
	hook->reserved_size = size;
	hook->to = *to;
	return hook->reserved;
}

struct passed *
world_log(struct world *w, uint16_t worker, const struct bp_flow *flow, const void *bytes, size_t size,
	bool out)
{
	struct passed *passed;

	if (w->log_count == w->log_capacity) {
		w->log_capacity = w->log_capacity ? 2 * w->log_capacity : 64;
		w->log = realloc(w->log, w->log_capacity * sizeof(*w->log));
	}
	passed = &w->log[w->log_count++];
	*passed = (struct passed){
		.time_us = w->now_us,
		.flow = *flow,
		.text = text_copy(bytes, size),
		.size = (uint32_t)size,
		.worker = worker,
		.out = out,
	};
	return passed;
}

/* A response goes where its top Via says (18.2.2, RFC 3581). */
static bool
response_goes_home(const struct bp_sip_message *m, const struct bp_flow *to)
{
	const struct bp_sip_via *via = &m->via;
	struct bp_span host = via->received.size ? via->received : via->host;
	uint16_t port = via->port ? via->port : 5060;
	struct bp_ip ip;
	char text[64];

	if (via->maddr.size)
		return true;
	if (via->rport.size)
		port = (uint16_t)atoi(text_copy(bp_sip_at(m, via->rport), via->rport.size));
	snprintf(text, sizeof(text), "%.*s", host.size, bp_sip_at(m, host));
	if (strchr(text, ':') && text[0] != '[') /* received: brackets are optional (RFC 5118 4.5) */
		snprintf(text, sizeof(text), "[%.*s]", host.size, bp_sip_at(m, host));
	if (!bp_sip_host_ip((const uint8_t *)text, (struct bp_span){0, (uint16_t)strlen(text)}, &ip))
		return true;
	return bp_ip_equal(&ip, &to->ip) && port == to->port;
}

/* What must be true of every message that leaves. Returns what is wrong, or NULL. */
static const char *
output_fault(const struct world *w, const struct bp_flow *to, const char *text, uint32_t size)
{
	static const struct bp_sip_limits limits = {.headers = 255, .vias = 200, .uri = 8192};
	struct bp_sip_message m;
	enum bp_sip_fault fault = bp_sip_parse(&m, (const uint8_t *)text, size, &limits);
	const char *sent_by;

	/* The Vias below ours are the callee's to spoil: who gets them knows that. */
	if (w->unchecked && m.status != 0 && fault == BP_SIP_FAULT_BAD_VIA)
		return NULL;
	if (fault != BP_SIP_FAULT_NONE)
		return text_printf("the parser says: %s", bp_sip_fault_text(fault));
	if (m.size != size)
		return "junk behind the message";
	if (to->listener >= LISTENERS)
		return "no such listener";
	sent_by = text_copy(bp_sip_at(&m, m.via.sent_by), m.via.sent_by.size);
	if (m.status == 0) {
		if (strcmp(sent_by, w->config->listeners[to->listener].text) != 0)
			return text_printf("top Via is not ours: %s", sent_by);
		if (!m.via.magic)
			return "our branch has no magic cookie (RFC 3261 8.1.1.7)";
		if (m.max_forwards < 0)
			return "no Max-Forwards";
	} else if (!w->unchecked && !response_goes_home(&m, to)) {
		return "response not sent where its top Via says (18.2.2, RFC 3581)";
	}
	return NULL;
}

static void
hook_send(void *context, const struct bp_flow *to, uint32_t size)
{
	struct world_hook *hook = context;
	struct world *w = hook->world;
	const char *fault, *text;

	if (!hook->reserved || size > hook->reserved_size || !bp_flow_equal(to, &hook->to)) {
		w->broken = true;
		world_fail(w, __FILE__, __LINE__,
			"send without reserve, to another, or of more than was reserved");
	}
	text = world_log(w, hook->worker, to, hook->reserved, size, true)->text;
	drop_reservation(hook);
	fault = output_fault(w, to, text, size);
	if (fault && text_status(text) >= 400) {
		w->bad_answer = fault; /* a refusal repeats what was wrong in the request (8.2.6.2);
					  say_bytes() looks */
	} else if (fault) {
		w->broken = true;
		world_fail(w, __FILE__, __LINE__, "bad message sent: %s", fault);
	}
	if (w->between && !w->inside) {
		w->inside = true;
		w->busy = hook->worker;
		w->between(w, w->between_argument);
		w->inside = false;
	}
}

static void
hook_defer(void *context, struct bp_batch *batch)
{
	struct world_hook *hook = context;
	struct batches *batches = &hook->world->batches;

	if (batches->count == batches->capacity) {
		batches->capacity = batches->capacity ? 2 * batches->capacity : 16;
		batches->list = realloc(batches->list, batches->capacity * sizeof(*batches->list));
	}
	batches->list[batches->count++] = batch;
}

/* ---- names ---- */

static enum bp_name_status
hook_resolve(void *context, const struct bp_name_key *key, bool ask, const struct bp_name_entry **name)
{
	struct world *w = ((struct world_hook *)context)->world;

	for (unsigned i = 0; i < w->name_count; i++) {
		if (!bp_name_key_equal(&w->names[i]->key, key))
			continue;
		*name = w->names[i];
		return (enum bp_name_status)w->names[i]->status;
	}
	if (!ask)
		return BP_NAME_WAITS;
	if (w->names_busy)
		return BP_NAME_BUSY;
	w->names_asked++;
	if (w->options.names_late) {
		world_name(w, text_copy(key->host, key->size), key->port, BP_NAME_FOUND);
		world_name_at(w, &bob, 1, 1, 0);
		world_name_at(w, &carol, 2, 1, 1);
	}
	return BP_NAME_WAITS;
}

static uint64_t
hook_resolved(void *context)
{
	return ((struct world_hook *)context)->world->names_news;
}

void
world_name(struct world *w, const char *host, uint16_t port, enum bp_name_status status)
{
	struct bp_name_entry *name = calloc(1, sizeof(*name) + BP_NAME_TARGETS_MAX * sizeof(name->targets[0]));

	if (w->name_count == WORLD_NAMES_MAX || !bp_name_key_make(&name->key, host, strlen(host), port))
		fail_msg("a name too many, or none: %s", host);
	name->status = (uint8_t)status;
	w->names[w->name_count++] = name;
	w->names_news++;
}

void
world_name_at(struct world *w, const struct peer *at, uint16_t priority, uint16_t weight, uint16_t server)
{
	struct bp_name_entry *name = w->names[w->name_count - 1];

	name->targets[name->count++] = (struct bp_name_target){
		.ip = peer_flow(at).ip, .port = at->port, .priority = priority, .weight = weight, .server = server};
}

void
world_names_forget(struct world *w)
{
	while (w->name_count > 0)
		free(w->names[--w->name_count]);
}

/* ---- the edge ---- */

static int
edge_start(struct world *w)
{
	struct bp_edge_options options = {
		.workers = w->options.workers,
		.transactions = w->options.transactions,
		.dialogs = w->options.dialogs,
		.kept_bytes = w->options.kept_bytes,
		.map = map_heap,
		.unmap = unmap_heap,
		.epoch = 1700000000 + w->now_us / 1000000,
	};

	for (unsigned i = 0; i < sizeof(options.seed); i++)
		options.seed[i] = (uint8_t)(i * 37 + options.epoch);
	if (bp_edge_create(&w->edge, w->config, &options) != 0)
		return -1;
	memset(w->counters, 0, sizeof(w->counters));
	for (uint16_t i = 0; i < w->options.workers; i++) {
		struct bp_engine_hooks hooks = {.context = &w->hooks[i],
			.reserve = hook_reserve,
			.send = hook_send,
			.defer = hook_defer,
			.resolve = w->options.names ? hook_resolve : NULL,
			.resolved = w->options.names ? hook_resolved : NULL};

		w->hooks[i] = (struct world_hook){.world = w, .worker = i};
		if (bp_engine_create(&w->engines[i], w->edge, i, &hooks, &w->counters[i]) != 0)
			return -1;
	}
	return 0;
}

static void
release_batches(struct world *w)
{
	/* A batch may be deferred while another is released only from the engine's calls, never from release.
	 */
	for (unsigned i = 0; i < w->batches.count; i++)
		bp_batch_release(w->batches.list[i]);
	w->batches.count = 0;
}

static void
keep_cdr(void *context, const struct bp_cdr *cdr)
{
	struct world *w = context;

	w->cdr_total++;
	w->cdr_dialogs += cdr->kind == BP_CDR_DIALOG;
	if (w->cdr_count == WORLD_CDRS_MAX)
		return;
	w->cdrs[w->cdr_count] = malloc(bp_cdr_size(cdr));
	memcpy(w->cdrs[w->cdr_count++], cdr, bp_cdr_size(cdr));
}

void
world_take_cdrs(struct world *w)
{
	bp_edge_cdrs(w->edge, keep_cdr, w);
}

void
world_config_cdr(struct bp_config *config)
{
	snprintf(config->cdr.folder, sizeof(config->cdr.folder), "cdr");
}

void
world_quiesce(struct world *w)
{
	world_take_cdrs(w);
	for (uint16_t i = 0; i < w->options.workers; i++)
		bp_engine_flush(w->engines[i]);
	urcu_qsbr_quiescent_state();
	release_batches(w);
}

static void
edge_stop(struct world *w)
{
	for (uint16_t i = 0; i < w->options.workers; i++) {
		if (w->engines[i]) {
			bp_engine_release(w->engines[i], w->now_us);
			bp_engine_flush(w->engines[i]);
			bp_engine_free(w->engines[i]);
		}
		w->engines[i] = NULL;
		drop_reservation(&w->hooks[i]);
	}
	urcu_qsbr_quiescent_state();
	release_batches(w);
	bp_edge_free(w->edge);
	w->edge = NULL;
}

static void
counters_add(struct bp_counters *sum, const struct bp_counters *counters)
{
	for (size_t i = 0; i < sizeof(*sum) / sizeof(uint64_t); i++)
		((uint64_t *)sum)[i] += ((const uint64_t *)counters)[i];
}

const struct bp_counters *
world_sum(struct world *w)
{
	static struct bp_counters sum;

	sum = w->past;
	for (uint16_t i = 0; i < w->options.workers; i++)
		counters_add(&sum, &w->counters[i]);
	return &sum;
}

void
world_restart(struct world *w)
{
	for (uint16_t i = 0; i < w->options.workers; i++)
		bp_engine_release(w->engines[i], w->now_us);
	w->past = *world_sum(w);
	w->lossy = true;
	edge_stop(w);
	w->now_us += SECONDS(1);
	if (edge_start(w) != 0)
		fail_msg("the edge did not start again");
}

void
world_reload(struct world *w, struct bp_config *config)
{
	const struct bp_config *old = bp_edge_configure(w->edge, config);

	check(w, old == w->config);
	world_quiesce(w);
	world_config_free(w->config);
	w->config = config;
}

void
world_drain(struct world *w)
{
	for (uint16_t i = 0; i < w->options.workers; i++)
		bp_engine_drain(w->engines[i]);
}

/* ---- the clock ---- */

static uint64_t
expire_all(struct world *w)
{
	uint64_t next = UINT64_MAX;

	for (uint16_t i = 0; i < w->options.workers; i++) {
		uint64_t its = bp_engine_expire(w->engines[i], w->now_us, EXPIRE_BUDGET);

		if (its < next)
			next = its;
	}
	if (!w->hold_batches)
		world_quiesce(w);
	return next;
}

static void
run_until(struct world *w, uint64_t until_us)
{
	uint16_t worker = w->worker;

	for (unsigned steps = 0;; steps++) {
		uint64_t next = expire_all(w);

		if (w->bad_answer)
			world_fail(w, __FILE__, __LINE__, "bad message sent: %s", w->bad_answer);
		if (steps > STEPS_MAX)
			world_fail(w, __FILE__, __LINE__, "timers never come to an end");
		if (next <= w->now_us)
			continue;
		if (next > until_us || next == UINT64_MAX)
			break;
		w->now_us = next;
	}
	if (until_us > w->now_us && until_us != UINT64_MAX)
		w->now_us = until_us;
	w->worker = worker;
}

void
world_run_until(struct world *w, uint64_t us_after_start)
{
	run_until(w, w->start_us + us_after_start);
}

void
world_wait(struct world *w, uint64_t us)
{
	run_until(w, w->now_us + us);
}

void
world_idle(struct world *w)
{
	run_until(w, UINT64_MAX);
}

void
world_flow_failed(struct world *w, const struct peer *to, const char *quoted)
{
	struct bp_flow flow = peer_flow(to);

	bp_engine_flow_failed(w->engines[w->worker], &flow, (const uint8_t *)quoted,
		quoted ? (uint32_t)strlen(quoted) : 0, w->now_us);
}

/* ---- what must hold ---- */

/* The counting law of DESIGN section 9. */
static void
check_law(struct world *w)
{
	static const uint8_t scope[BP_DROP_COUNT] = {
#define X(name, scope, severity, text) BP_DROP_SCOPE_##scope,
		BP_DROPS(X)
#undef X
	};
	const struct bp_counters *sum = world_sum(w);
	uint64_t accounted = sum->forwarded + sum->answered + sum->absorbed + sum->messages_parked;

	for (unsigned i = 0; i < BP_DROP_COUNT; i++)
		if (scope[i] == BP_DROP_SCOPE_MESSAGE)
			accounted += sum->drops[i];
	check_int(w, sum->messages_received, w->received);
	check_int(w, accounted, w->received);
}

/* Everything that was taken came back. */
static void
check_leaks(struct world *w)
{
	const struct bp_counters *sum = world_sum(w);
	uint64_t ended = 0;

	for (unsigned i = 0; i < BP_DIALOG_END_COUNT; i++)
		ended += sum->dialogs_ended[i];
	check_int(w, sum->transactions_ended[BP_KIND_INVITE], sum->transactions_created[BP_KIND_INVITE]);
	check_int(w, sum->transactions_ended[BP_KIND_NON_INVITE],
		sum->transactions_created[BP_KIND_NON_INVITE]);
	check_int(w, ended, sum->dialogs_created);
	check_int(w, sum->calls_released, sum->calls_reserved);
	check_int(w, sum->kept_returned, sum->kept_taken);
	check_int(w, sum->messages_parked, 0);
	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		check_int(w, sum->kept_returned_bytes[i], sum->kept_taken_bytes[i]);
	for (unsigned i = 0; i < BP_MACHINE_COUNT; i++)
		for (unsigned j = 0; j < BP_STATES_MAX; j++)
			check_int(w, sum->states_left[i][j], sum->states_entered[i][j]);
}

void
world_settle(struct world *w)
{
	for (unsigned i = 0; i < 100; i++) { /* a turn takes only so many back */
		world_quiesce(w);
		expire_all(w);
	}
}

/* Each dialog has a record, each of its own number, and its memory came back. */
static void
check_cdrs(struct world *w)
{
	world_settle(w);
	if (w->config->cdr.folder[0] == '\0' || w->lossy)
		return;
	check_int(w, w->cdr_total, world_sum(w)->cdrs_finished);
	for (unsigned i = 0; i < w->cdr_count; i++) {
		for (unsigned k = 0; k < i; k++)
			check(w, w->cdrs[i]->serial != w->cdrs[k]->serial || w->cdrs[i]->worker != w->cdrs[k]->worker);
	}
	if (world_dropped(w, cdr_no_memory) == 0)
		check_int(w, w->cdr_dialogs, world_sum(w)->dialogs_created);
}

/* Every message that left, or found no transmit buffer, is counted as what it was. */
static void
check_sent(struct world *w)
{
	const struct bp_counters *sum = world_sum(w);
	uint64_t counted = 0, sent = 0;

	for (unsigned i = 0; i < w->log_count; i++)
		sent += w->log[i].out;
	for (unsigned i = 0; i < BP_METHOD_COUNT; i++)
		counted += sum->requests[BP_OUT][i];
	for (unsigned i = 0; i < BP_STATUS_MAX; i++)
		counted += sum->responses[BP_OUT][i];
	check_int(w, counted, sent + sum->drops[BP_DROP_tx_no_buffer]);
}

int
world_group_setup(void **state)
{
	urcu_qsbr_register_thread();
	return 0;
}

int
world_group_teardown(void **state)
{
	urcu_qsbr_unregister_thread();
	return 0;
}

int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	world_serial = 0;
	w->options = *state ? *(const struct world_options *)*state : defaults;
	w->now_us = w->start_us = SECONDS(1000000);
	w->config = world_config(w->options.core6);
	if (w->options.t1_us)
		w->config->timers.t1_us = w->options.t1_us;
	if (getenv("BYP_CDR"))
		world_config_cdr(w->config);
	if (w->options.prepare)
		w->options.prepare(w->config);
	*state = w;
	return edge_start(w);
}

int
world_setup_two(void **state)
{
	struct world_options two = defaults;

	two.workers = 2;
	*state = &two;
	return world_setup(state);
}

int
world_teardown(void **state)
{
	struct world *w = *state;

	if (!w->failed) {
		if (!w->unchecked)
			expect_nothing(w);
		world_idle(w);
		world_quiesce(w);
		if (!w->unchecked)
			expect_nothing(w);
		check_law(w);
		check_cdrs(w);
		if (!w->lossy)
			check_leaks(w);
		check_sent(w);
	}
	if (!w->broken)
		edge_stop(w);
	world_config_free(w->config);
	world_names_forget(w);
	free(w->batches.list);
	for (unsigned i = 0; i < w->cdr_count; i++)
		free(w->cdrs[i]);
	free(w->log);
	free(w);
	text_free_all();
	return 0;
}
