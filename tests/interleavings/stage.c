/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Edge, engines, events. See stage.h; what comes out is looked at in stage_seen.c, what must hold in stage_check.c.
 */
#include "stage_inside.h"

#include "../flows/world.h"
#include "explorer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct stage stage;

static const struct peer *const targets[STAGE_BRANCHES] = {&bob, &carol, &carol};

/* ---- memory ---- */

static void *
map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		abort();
	stage.maps[stage.map_count++] = (struct stage_range){memory, size};
	return memory;
}

static void
unmap(void *memory, size_t size)
{
}

/* ---- what the engines call ---- */

static uint8_t *
reserve(void *context, const struct bp_flow *to, uint32_t size)
{
	struct stage_worker *worker = context;

	if (size > sizeof(worker->out))
		abort();
	return worker->out;
}

static void
defer(void *context, struct bp_batch *batch)
{
	if (stage.batch_count == sizeof(stage.batches) / sizeof(stage.batches[0]))
		abort();
	stage.batches[stage.batch_count++] = batch;
}

/* ---- the beginning ---- */

static void
make_texts(const char *method)
{
	static const char format[] =
		"%s sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK1;rport\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>%s\r\n"
		"Call-ID: c\r\nCSeq: 1 %s\r\n%sContent-Length: 0\r\n\r\n";

	snprintf(stage.request, sizeof(stage.request), format, method, "", method, "Contact: <sip:alice@192.0.2.10>\r\n");
	snprintf(stage.cancel, sizeof(stage.cancel), format, "CANCEL", "", "CANCEL", "Reason: SIP ;cause=200\r\n");
	snprintf(stage.ack, sizeof(stage.ack), format, "ACK", ";tag=b0", "ACK", "");
}

static struct bp_config *
make_config(const struct stage_options *options)
{
	struct bp_config *config = world_config(false);

	if (options->targets == 2) {
		world_config_two_targets(config, 1, options->parallel ? 1 : 2);
		config->trunks[0].parallel = options->parallel;
		config->trunks[0].timeout_us = options->parallel ? 0 : SECONDS(5);
	}
	return config;
}

/* Each worker has some of everything on its own list: carving out of the common pool is not what is looked at here,
 * and would multiply the schedules. */
static void
warm_up(void)
{
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		for (unsigned id = 0; id < BP_POOL_KEPT + 17; /* up to 1,536 bytes */ id++)
			bp_slot_return(
				stage.engines[i]->memory, bp_slot_take(stage.engines[i]->memory, (enum bp_pool_id)id));
}

void
stage_create(const struct stage_options *options)
{
	struct bp_edge_options edge = {.workers = STAGE_WORKERS,
		.transactions = 64,
		.dialogs = 64,
		.kept_bytes = 1 << 20,
		.map = map,
		.unmap = unmap,
		.epoch = 1};

	memset(&stage, 0, sizeof(stage));
	memset(&seen, 0, sizeof(seen));
	stage.options = options;
	stage.invite = strcmp(options->method, "INVITE") == 0;
	make_texts(options->method);
	if (bp_edge_create(&stage.edge, make_config(options), &edge) != 0)
		abort();
	for (uint16_t i = 0; i < STAGE_WORKERS; i++) {
		struct bp_engine_hooks hooks = {
			.context = &stage.workers[i], .reserve = reserve, .send = stage_send, .defer = defer};

		stage.workers[i].number = i;
		if (bp_engine_create(&stage.engines[i], stage.edge, i, &hooks, &stage.counters[i]) != 0)
			abort();
		bp_engine_expire(stage.engines[i], 0, 0); /* reads its configuration */
	}
	warm_up();
	seen.now_us = SECONDS(1000);
}

/* ---- events ---- */

bool
stage_has_record(void)
{
	return stage_sum(offsetof(struct bp_counters, transactions_created)) +
			stage_sum(offsetof(struct bp_counters, transactions_created) + 8) >
		0;
}

static unsigned
add(struct stage_event *out, unsigned count, enum stage_what what, unsigned branch, unsigned detail)
{
	if (count == STAGE_EVENTS_MAX)
		abort();
	out[count] = (struct stage_event){.what = (uint8_t)what, .branch = (uint8_t)branch, .detail = (uint16_t)detail};
	return count + 1;
}

static unsigned
add_timers(struct stage_event *out, unsigned count)
{
	struct bp_timer_entry *entries[STAGE_TIMERS_MAX];
	unsigned armed = stage_timers(entries), all = count, j;

	for (unsigned i = 0; i < armed; i++) {
		unsigned branch = stage_timer_branch(entries[i]);

		for (j = count; j < all && (out[j].branch != branch || out[j].detail != entries[i]->timer);)
			j++;
		if (j == all)
			all = add(out, all, STAGE_TIMER, branch, entries[i]->timer);
	}
	return all;
}

unsigned
stage_events(struct stage_event out[STAGE_EVENTS_MAX])
{
	unsigned count = add(out, add(out, 0, STAGE_REQUEST, 0, 0), STAGE_CANCEL, 0, 0);

	if (!stage_has_record())
		return count;
	if (stage.invite)
		count = add(out, count, STAGE_ACK, 0, 0);
	for (unsigned i = 0; i < STAGE_BRANCHES; i++) {
		if (seen.branches[i].size == 0)
			continue;
		for (const uint16_t *status = stage.options->statuses; *status != 0; status++)
			count = add(out, count, STAGE_RESPONSE, i, *status);
		count = add(out, count, STAGE_FLOW_FAILED, i, 0);
		if (seen.branches[i].cancels > 0)
			count = add(out, count, STAGE_CANCEL_RESPONSE, i, 200);
	}
	return add_timers(out, count);
}

void
stage_before(const struct stage_event *events, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (events[i].what == STAGE_TIMER)
			stage_timer_take(&events[i]);
	seen.refused = false;
	seen.first = !stage_has_record();
	stage_note_begin();
	for (unsigned i = 0; i < count; i++)
		stage_note_coming(&events[i], count > 1 ? &events[1 - i] : NULL);
	for (unsigned i = 0; i < count; i++)
		stage.workers[events[i].worker].text_size = 0;
}

/* The lines of a request that a response copies (8.2.6.2). */
static unsigned
copy_lines(const struct seen_branch *branch, const char *name, char *out)
{
	const char *at = branch->text, *end;
	unsigned size = 0;

	for (; (end = strstr(at, "\r\n")) != NULL && end != at; at = end + 2) {
		if (strncmp(at, name, strlen(name)) != 0)
			continue;
		memcpy(out + size, at, (size_t)(end + 2 - at));
		size += (unsigned)(end + 2 - at);
	}
	return size;
}

static uint32_t
make_response(const struct stage_event *event, const char *method, char *out)
{
	const struct seen_branch *branch = &seen.branches[event->branch];
	unsigned size = (unsigned)sprintf(out, "SIP/2.0 %u x\r\n", event->detail);

	size += copy_lines(branch, "Via:", out + size);
	size += copy_lines(branch, "From:", out + size);
	size += copy_lines(branch, "To:", out + size);
	if (event->detail > 100)
		size += (unsigned)sprintf(out + size - 2, ";tag=b%u\r\n", event->branch) - 2;
	size += copy_lines(branch, "Call-ID:", out + size);
	size += (unsigned)sprintf(out + size, "CSeq: 1 %s\r\n", method);
	size += (unsigned)sprintf(out + size, "Contact: <sip:b%u@10.0.0.2>\r\nContent-Length: 0\r\n\r\n", event->branch);
	return size;
}

static void
receive(struct stage_worker *worker, const struct peer *from, const char *text, uint32_t size)
{
	struct bp_flow flow = peer_flow(from);

	bp_engine_receive(stage.engines[worker->number], &flow, (const uint8_t *)text, size, seen.now_us);
}

void
stage_happen(const struct stage_event *event)
{
	struct stage_worker *worker = &stage.workers[event->worker];
	const struct seen_branch *branch = &seen.branches[event->branch];
	const struct peer *target = targets[event->branch];
	struct bp_flow flow;

	worker->event = event;
	if (stage.tracing)
		printf("  %s\n", stage_event_text(event));
	switch ((enum stage_what)event->what) {
	case STAGE_REQUEST:
		receive(worker, &alice, stage.request, (uint32_t)strlen(stage.request));
		break;
	case STAGE_ACK:
		receive(worker, &alice, stage.ack, (uint32_t)strlen(stage.ack));
		break;
	case STAGE_CANCEL:
		receive(worker, &alice, stage.cancel, (uint32_t)strlen(stage.cancel));
		break;
	case STAGE_RESPONSE:
		worker->text_size = make_response(event, stage.options->method, worker->text);
		receive(worker, target, worker->text, worker->text_size);
		break;
	case STAGE_CANCEL_RESPONSE:
		worker->text_size = make_response(event, "CANCEL", worker->text);
		receive(worker, target, worker->text, worker->text_size);
		break;
	case STAGE_FLOW_FAILED:
		flow = peer_flow(target);
		bp_engine_flow_failed(stage.engines[worker->number], &flow, (const uint8_t *)branch->text, branch->size,
			seen.now_us);
		break;
	case STAGE_TIMER:
		stage_timer_run(worker);
		break;
	}
}

const char *
stage_event_text(const struct stage_event *event)
{
	static char text[2][80];
	static unsigned turn;
	char *out = text[turn++ & 1];
	static const char *const names[] = {"the request", "ACK", "CANCEL", "", "200 to CANCEL", "unreachable", "timer"};

	switch ((enum stage_what)event->what) {
	case STAGE_RESPONSE:
		snprintf(out, 80, "%u on branch %u at worker %u", event->detail, event->branch, event->worker);
		break;
	case STAGE_TIMER:
		snprintf(out, 80, "timer %s of branch %u at worker %u", bp_timer_name((enum bp_timer)event->detail),
			event->branch, event->worker);
		break;
	case STAGE_CANCEL_RESPONSE:
	case STAGE_FLOW_FAILED:
		snprintf(out, 80, "%s on branch %u at worker %u", names[event->what], event->branch, event->worker);
		break;
	default:
		snprintf(out, 80, "%s at worker %u", names[event->what], event->worker);
	}
	return out;
}

void
stage_trace(bool on)
{
	stage.tracing = on;
}
