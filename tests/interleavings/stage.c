/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Edge, engines, messages in and out, events. See stage.h; what must hold is in stage_check.c.
 */
#include "stage_inside.h"

#include "../flows/world.h"
#include "explorer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct stage stage;
struct seen seen;

static const struct peer *const targets[STAGE_BRANCHES] = {&bob, &carol, &carol};
static bool tracing;

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

static bool
begins(const struct stage_worker *worker, const char *text)
{
	return strncmp((const char *)worker->out, text, strlen(text)) == 0;
}

static bool
cseq_is(const struct stage_worker *worker, uint32_t size, const char *method)
{
	const char *cseq = memmem(worker->out, size, "\r\nCSeq: 1 ", 10);

	return cseq != NULL && strncmp(cseq + 10, method, strlen(method)) == 0;
}

/* Which record and branch sent it; see branch_id.h. */
static struct bp_branch_id
branch_of(const struct stage_worker *worker, uint32_t size)
{
	const char *text = memmem(worker->out, size, BP_BRANCH_ID_PREFIX, sizeof(BP_BRANCH_ID_PREFIX) - 1);
	struct bp_branch_id id = {0};

	if (text == NULL || !bp_branch_id_read(&stage.edge->branch_key, text, BP_BRANCH_ID_SIZE, &id) ||
		id.branch >= STAGE_BRANCHES)
		abort();
	return id;
}

static bool
is_timer(const struct stage_event *event, enum bp_timer timer)
{
	return event->what == STAGE_TIMER && (event->detail == timer || event->detail == STAGE_ANY_TIMER);
}

static void
note_final(unsigned status, const struct stage_event *event)
{
	bool again = event->what == STAGE_REQUEST || is_timer(event, BP_TIMER_G);

	if (seen.anew)
		return;
	if (seen.final != 0 && seen.final != status)
		seen.wrong = "two different final responses went up";
	if (!again && seen.final != 0 && status >= 300)
		seen.wrong = "a final response went up twice";
	seen.final = (uint16_t)status;
}

static void
note_request(const struct stage_worker *worker, uint32_t size, const struct stage_event *event)
{
	struct bp_branch_id id;
	struct seen_branch *its;

	if (memmem(worker->out, size, BP_BRANCH_ID_STATELESS_PREFIX, sizeof(BP_BRANCH_ID_STATELESS_PREFIX) - 1)) {
		if (event->what != STAGE_ACK) /* of a 2xx, from end to end */
			seen.wrong = "a request without a record";
		return;
	}
	id = branch_of(worker, size);
	its = &seen.branches[id.branch];
	if (seen.branches[0].size == 0) {
		seen.index = id.index;
		seen.generation = id.generation;
	}
	if (id.index != seen.index || id.generation != seen.generation)
		seen.anew = true;
	else if (begins(worker, "ACK ")) {
		its->acks++;
	} else if (begins(worker, "CANCEL ")) {
		if (!its->provisional)
			seen.wrong = "a CANCEL before the first 1xx";
		if (its->cancels > 0 && !is_timer(event, BP_TIMER_CANCEL_E))
			seen.wrong = "a second CANCEL";
		its->cancels = 1;
	} else if (its->size == 0) {
		memcpy(its->text, worker->out, size);
		its->size = (uint16_t)size;
	} else if (event->what != STAGE_TIMER || size != its->size || memcmp(its->text, worker->out, size) != 0) {
		seen.wrong = "a branch was sent twice";
	}
}

static void
trace_message(const struct stage_worker *worker, uint32_t size)
{
	const char *cseq = (const char *)memmem(worker->out, size, "\r\nCSeq: 1 ", 10) + 10;

	printf("    worker %u sends %.*s (%.*s)\n", worker->number, (int)strcspn((const char *)worker->out, "\r"),
		worker->out, (int)strcspn(cseq, "\r"), cseq);
}

static void
send(void *context, const struct bp_flow *to, uint32_t size)
{
	struct stage_worker *worker = context;
	const struct stage_event *event = worker->event;
	unsigned status;

	if (tracing)
		trace_message(worker, size);
	if (!begins(worker, "SIP/2.0 ")) {
		note_request(worker, size, event);
		return;
	}
	status = (unsigned)atoi((const char *)worker->out + 8);
	if (cseq_is(worker, size, "CANCEL")) {
		seen.refused |= status == 481;
		if (status != 200 && status != 481)
			seen.wrong = "a CANCEL was answered neither 200 nor 481";
	} else if (status >= 200) {
		note_final(status, event);
	}
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
		for (unsigned id = 0; id < BP_POOL_KEPT + 10; id++)
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
			.context = &stage.workers[i], .reserve = reserve, .send = send, .defer = defer};

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
	for (uint8_t worker = 0; worker < STAGE_WORKERS; worker++)
		out[count++] = (struct stage_event){
			.what = (uint8_t)what, .worker = worker, .branch = (uint8_t)branch, .detail = (uint16_t)detail};
	return count;
}

static bool
is_live(const struct bp_timer_entry *entry)
{
	const struct bp_record *record;
	const struct bp_dialog *dialog;

	if (entry->timer == BP_TIMER_DIALOG) {
		dialog = (const struct bp_dialog *)bp_slot_at(stage.edge->memory, BP_POOL_DIALOG, entry->index);
		return bp_word_generation(dialog->word) == entry->generation;
	}
	record = (const struct bp_record *)bp_slot_at(stage.edge->memory, BP_POOL_RECORD, entry->index);
	return bp_word_generation(record->server) == entry->generation;
}

unsigned
stage_timers(unsigned worker, struct bp_timer_entry **out)
{
	struct bp_timers *timers = &stage.engines[worker]->timers;
	unsigned count = 0;

	for (unsigned i = 0; i < BP_DURATION_COUNT; i++) {
		struct bp_timer_fifo *fifo = &timers->fifos[i];

		if (fifo->head != fifo->tail)
			abort(); /* a chunk is more than a history has timers */
		for (unsigned j = fifo->read; fifo->head != NULL && j < fifo->write; j++)
			if (is_live(&fifo->head->entries[j]))
				out[count++] = &fifo->head->entries[j];
	}
	if (count > STAGE_TIMERS_MAX)
		abort();
	return count;
}

static unsigned
add_timers(struct stage_event *out, unsigned count)
{
	struct bp_timer_entry *entries[STAGE_TIMERS_MAX];

	for (uint8_t worker = 0; worker < STAGE_WORKERS; worker++) {
		unsigned armed = stage_timers(worker, entries);

		for (unsigned i = 0; i < armed; i++) {
			struct stage_event event = {.what = STAGE_TIMER,
				.worker = worker,
				.branch = entries[i]->branch,
				.detail = entries[i]->timer};
			unsigned j = 0;

			while (j < count && memcmp(&out[j], &event, sizeof(event)) != 0)
				j++;
			if (j == count)
				out[count++] = event;
		}
	}
	return count;
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
	count = add_timers(out, count);
	if (count > STAGE_EVENTS_MAX)
		abort();
	return count;
}

static struct bp_timer_entry *
timer_of(const struct stage_event *event)
{
	struct bp_timer_entry *entries[STAGE_TIMERS_MAX];
	unsigned armed = stage_timers(event->worker, entries);

	for (unsigned i = 0; i < armed; i++)
		if (entries[i]->timer == event->detail && entries[i]->branch == event->branch)
			return entries[i];
	abort();
}

/* When a timer may run; timer C and TARGET look at a deadline that is kept elsewhere. */
static uint64_t
due_us(const struct bp_timer_entry *entry)
{
	const struct bp_record *record =
		(const struct bp_record *)bp_slot_at(stage.edge->memory, BP_POOL_RECORD, entry->index);
	uint64_t due = entry->deadline_us, other = 0;

	if (entry->timer == BP_TIMER_DIALOG || record->live == NULL)
		return due;
	if (entry->timer == BP_TIMER_C)
		other = record->live->branches[entry->branch].deadline_us;
	if (entry->timer == BP_TIMER_TARGET)
		other = record->live->branches[entry->branch].started_us + SECONDS(5);
	return other > due ? other : due;
}

static void
prepare_timer(const struct stage_event *event)
{
	struct bp_timer_entry *entry = timer_of(event);

	stage.workers[event->worker].timer = entry;
	if (due_us(entry) > seen.now_us)
		seen.now_us = due_us(entry);
}

void
stage_before(const struct stage_event *events, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (events[i].what == STAGE_TIMER)
			prepare_timer(&events[i]);
	seen.refused = false;
	seen.first = !stage_has_record();
	for (unsigned i = 0; i < count; i++) {
		struct seen_branch *branch = &seen.branches[events[i].branch];

		if (events[i].what == STAGE_RESPONSE && events[i].detail < 200)
			branch->provisional = true;
		stage.workers[events[i].worker].text_size = 0;
	}
}

bool
stage_may_meet(const struct stage_event *a, const struct stage_event *b)
{
	return a->worker != b->worker;
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

/* As bp_engine_expire() does, but with this one entry. */
static void
run_timer(struct stage_worker *worker)
{
	struct bp_engine *engine = stage.engines[worker->number];
	struct bp_timer_entry *place = worker->timer, entry = *place;

	for (unsigned i = 0; i < BP_DURATION_COUNT; i++) {
		struct bp_timer_fifo *fifo = &engine->timers.fifos[i];

		if (fifo->head == NULL || place < fifo->head->entries || place >= fifo->head->entries + fifo->write)
			continue;
		fifo->write--;
		memmove(place, place + 1, (size_t)(fifo->head->entries + fifo->write - place) * sizeof(*place));
		engine->timers.heads_us[i] =
			fifo->read < fifo->write ? fifo->head->entries[fifo->read].deadline_us : UINT64_MAX;
		break;
	}
	engine->timers.armed--;
	engine->now_us = seen.now_us;
	bp_engine_configure(engine);
	bp_timer_run(engine, &entry);
}

void
stage_happen(const struct stage_event *event)
{
	struct stage_worker *worker = &stage.workers[event->worker];
	const struct seen_branch *branch = &seen.branches[event->branch];
	const struct peer *target = targets[event->branch];
	struct bp_flow flow;

	worker->event = event;
	if (tracing)
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
		run_timer(worker);
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
	tracing = on;
}
