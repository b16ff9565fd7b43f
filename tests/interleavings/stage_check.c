/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The stage as a state: saved, restored, hashed, and what must hold in it.
 */
#include "stage_inside.h"

#include "slab_inside.h"

#include <stdlib.h>

#define RANGES_MAX 2048
#define STAGE_TAKEN 16 /* blocks of one size that a step takes at most */
#define STAGE_SLOTS 5 /* of records, and of dialogs, that one worker may use */

struct stage_snapshot {
	struct stage_range ranges[RANGES_MAX];
	unsigned count;
	size_t size, capacity;
	uint8_t *bytes;
};

uint64_t
stage_sum(size_t offset)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		sum += *(const uint64_t *)((const uint8_t *)&stage.counters[i] + offset);
	return sum;
}

#define SUM(member) stage_sum(offsetof(struct bp_counters, member))

struct bp_record *
stage_record(void)
{
	struct bp_record *record;

	if (seen.branches[0].size == 0)
		return NULL;
	record = (struct bp_record *)bp_slot_at(stage.edge->memory, BP_POOL_RECORD, seen.index);
	return bp_word_generation(record->server) == seen.generation ? record : NULL;
}

/* ---- what is in use ---- */

typedef void each_block(void *context, struct bp_slot *block);

static void
each_if(each_block *each, void *context, struct bp_kept *kept)
{
	if (kept != NULL)
		each(context, &kept->slot);
}

static void
each_of_live(struct bp_live *live, each_block *each, void *context)
{
	each(context, &live->slot);
	each_if(each, context, live->reason);
	for (unsigned i = 0; i < live->room; i++) {
		each_if(each, context, live->branches[i].request);
		each_if(each, context, live->branches[i].response);
	}
}

/* All kept memory that the record and the dialogs hold. */
static void
each_used_block(each_block *each, void *context)
{
	struct bp_record *record = stage_record();
	struct bp_dialog *dialogs;
	size_t size;

	if (record != NULL) {
		each_if(each, context, record->response);
		each_if(each, context, record->ack);
		if (record->live != NULL)
			each_of_live(record->live, each, context);
	}
	dialogs = slab_used(stage.edge->memory, BP_POOL_DIALOG, &size);
	for (size_t i = 0; i < size / sizeof(*dialogs); i++) {
		if (BP_WORD_GET(dialogs[i].word, STATE) == BP_DIALOG_FREE)
			continue;
		each_if(each, context, dialogs[i].remotes[0]);
		each_if(each, context, dialogs[i].remotes[1]);
	}
}

/* ---- save and restore ---- */

static void
put_range(struct stage_snapshot *snapshot, void *at, size_t size)
{
	if (size == 0)
		return;
	if (snapshot->count == RANGES_MAX)
		abort();
	snapshot->ranges[snapshot->count++] = (struct stage_range){at, size};
	if (snapshot->size + size > snapshot->capacity) {
		snapshot->capacity = 2 * (snapshot->size + size);
		snapshot->bytes = realloc(snapshot->bytes, snapshot->capacity);
	}
	memcpy(snapshot->bytes + snapshot->size, at, size);
	snapshot->size += size;
}

static void
put_link(void *context, struct bp_slot *slot)
{
	put_range(context, slot, sizeof(*slot));
}

static void
put_block(void *context, struct bp_slot *block)
{
	put_range(context, block, slab_block_size(stage.edge->memory, block));
}

/* Of a chunk: its links, and the entries that are written. */
static void
put_timers(struct stage_snapshot *snapshot)
{
	struct bp_timer_chunk *chunks;
	size_t size;

	chunks = slab_used(stage.edge->memory, BP_POOL_TIMER, &size);
	for (size_t i = 0; i < size / sizeof(*chunks); i++)
		put_range(snapshot, &chunks[i], offsetof(struct bp_timer_chunk, entries));
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		for (unsigned j = 0; j < BP_DURATION_COUNT; j++) {
			const struct bp_timer_fifo *fifo = &stage.engines[i]->timers.fifos[j];

			if (fifo->head != NULL)
				put_range(snapshot, fifo->head->entries, fifo->write * sizeof(struct bp_timer_entry));
		}
}

/* The first slots of each worker: a history uses few, and the last one that came home first. */
static void
put_slots(struct stage_snapshot *snapshot, enum bp_pool_id pool, size_t slot_size)
{
	uint8_t *slots;
	size_t size;

	slots = slab_used(stage.edge->memory, pool, &size);
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		put_range(snapshot, slots + i * size / STAGE_WORKERS, STAGE_SLOTS * slot_size);
}

/* All but responses by status, which are many and not looked at. */
static void
put_counters(struct stage_snapshot *snapshot, uint8_t *counters)
{
	size_t from = offsetof(struct bp_counters, responses);
	size_t to = from + sizeof(((struct bp_counters *)NULL)->responses);

	put_range(snapshot, counters, from);
	put_range(snapshot, counters + to, sizeof(struct bp_counters) - to);
}

void
stage_save(struct stage_snapshot **out)
{
	struct bp_memory *memory = stage.edge->memory;
	struct stage_snapshot *snapshot = *out ? *out : calloc(1, sizeof(*snapshot));
	size_t size;
	void *at;

	snapshot->count = 0;
	snapshot->size = 0;
	at = slab_control(memory, &size);
	put_range(snapshot, at, size);
	put_slots(snapshot, BP_POOL_RECORD, sizeof(struct bp_record));
	put_slots(snapshot, BP_POOL_DIALOG, sizeof(struct bp_dialog));
	put_timers(snapshot);
	slab_each_free_block(memory, STAGE_TAKEN, put_link, snapshot);
	each_used_block(put_block, snapshot);
	for (unsigned i = 1; i < stage.map_count; i++) /* the tables */
		put_range(snapshot, stage.maps[i].at, stage.maps[i].size);
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		put_range(snapshot, stage.engines[i], offsetof(struct bp_engine, views));
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		put_counters(snapshot, (uint8_t *)&stage.counters[i]);
	put_range(snapshot, &seen, sizeof(seen));
	*out = snapshot;
}

void
stage_restore(const struct stage_snapshot *snapshot)
{
	const uint8_t *bytes = snapshot->bytes;

	for (unsigned i = 0; i < snapshot->count; i++) {
		memcpy(snapshot->ranges[i].at, bytes, snapshot->ranges[i].size);
		bytes += snapshot->ranges[i].size;
	}
	stage.batch_count = 0;
}

/* ---- what must hold ---- */

static void
quiesce(void)
{
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		bp_engine_flush(stage.engines[i]);
	while (stage.batch_count > 0)
		bp_batch_release(stage.batches[--stage.batch_count]);
}

bool
stage_is_over(void)
{
	return stage_has_record() && stage_record() == NULL;
}

static const char *
check_law(void)
{
	static const uint8_t scope[BP_DROP_COUNT] = {
#define X(name, scope, severity, text) BP_DROP_SCOPE_##scope,
		BP_DROPS(X)
#undef X
	};
	uint64_t accounted = SUM(forwarded) + SUM(answered) + SUM(absorbed);

	for (unsigned i = 0; i < BP_DROP_COUNT; i++) {
		uint64_t drops = stage_sum(offsetof(struct bp_counters, drops) + 8 * i);

		if (scope[i] == BP_DROP_SCOPE_MESSAGE)
			accounted += drops;
		else if (drops != 0 && !(i == BP_DROP_ack_not_sent && stage_is_over())) /* timer D was just then */
			return "something could not be kept or sent, though there is memory";
	}
	return accounted == SUM(messages_received) ? NULL : "the counting law does not hold";
}

static void
add_bytes(void *context, struct bp_slot *block)
{
	*(uint64_t *)context += slab_block_size(stage.edge->memory, block);
}

static uint64_t
in_use(enum bp_pool_kind kind)
{
	return stage_sum(offsetof(struct bp_counters, pool_taken_bytes) + 8 * (size_t)kind) -
		stage_sum(offsetof(struct bp_counters, pool_returned_bytes) + 8 * (size_t)kind);
}

/* What was taken is what the record and the dialogs hold. */
static const char *
check_memory(void)
{
	uint64_t blocks = 0, dialogs_used = 0;
	const struct bp_dialog *dialogs;
	size_t size;

	each_used_block(add_bytes, &blocks);
	dialogs = slab_used(stage.edge->memory, BP_POOL_DIALOG, &size);
	for (size_t i = 0; i < size / sizeof(*dialogs); i++)
		dialogs_used += BP_WORD_GET(dialogs[i].word, STATE) != BP_DIALOG_FREE;
	if (in_use(BP_POOL_KIND_record) > STAGE_SLOTS * sizeof(struct bp_record) ||
		in_use(BP_POOL_KIND_dialog) > STAGE_SLOTS * sizeof(struct bp_dialog))
		return "more slots are used than snapshots hold";
	if (in_use(BP_POOL_KIND_kept) != blocks)
		return "kept memory leaks, or was given back twice";
	if (in_use(BP_POOL_KIND_record) != (stage_record() != NULL) * sizeof(struct bp_record))
		return "a record leaks, or was given back twice";
	if (in_use(BP_POOL_KIND_dialog) != dialogs_used * sizeof(struct bp_dialog))
		return "a dialog leaks, or was given back twice";
	return NULL;
}

static bool
is_waiting(uint64_t word)
{
	return BP_WORD_GET(word, STATE) <
		(stage.invite ? (unsigned)BP_ICT_COMPLETED : (unsigned)BP_NICT_COMPLETED);
}

static bool
is_ringing(uint64_t word)
{
	return BP_WORD_GET(word, STATE) ==
		(stage.invite ? (unsigned)BP_ICT_PROCEEDING : (unsigned)BP_NICT_PROCEEDING);
}

static uint64_t
branch_word(struct bp_record *record, unsigned branch)
{
	const bp_word *place = bp_branch_word(record, branch);

	return place ? *place : 0;
}

/* A CANCEL that was asked for is sent as soon as the branch has shown a 1xx (9.1); while a final response is owed
 * upstream as many branches as are counted may still bring one. */
static const char *
check_words(struct bp_record *record)
{
	bool asked = (record->server & (BP_WORD_CANCEL_ASKED | BP_WORD_STOPPED)) != 0;
	unsigned waiting = 0;

	for (unsigned i = 0; i < record->branch_count; i++) {
		uint64_t word = branch_word(record, i);
		bool abandoned = (word & BP_WORD_ABANDONED) != 0;

		if (bp_word_generation(word) != seen.generation)
			return "a branch has another generation than its record";
		waiting += is_waiting(word) && !abandoned;
		if (is_ringing(word) && (asked || abandoned) && BP_WORD_GET(word, CANCEL) == 0)
			return "a CANCEL was lost";
		if (is_ringing(word) && (BP_WORD_GET(word, CANCEL) != 0) != (seen.branches[i].cancels == 1))
			return "a CANCEL is in the word but was not sent, or the reverse";
	}
	if (bp_server_final_owed(record, record->server) && BP_WORD_GET(record->server, PENDING) != waiting)
		return "branches that wait are not those that are counted as pending";
	if (bp_server_final_owed(record, record->server) && seen.final != 0)
		return "a final response went up, and the word does not say so";
	if (bp_server_final_owed(record, record->server) && waiting == 0)
		return "a final response is owed, and nobody is left to bring one";
	return NULL;
}

static unsigned
server_end(void)
{
	return stage.invite ? (unsigned)BP_IST_TERMINATED : BP_NIST_TERMINATED;
}

/* The gauges of byepass_transactions say what the words say. */
static const char *
check_gauges(struct bp_record *record)
{
	int64_t expected[BP_MACHINE_COUNT][BP_STATES_MAX] = {{0}};
	unsigned server = stage.invite ? BP_MACHINE_IST : BP_MACHINE_NIST;
	unsigned client = stage.invite ? BP_MACHINE_ICT : BP_MACHINE_NICT;
	unsigned client_end = stage.invite ? (unsigned)BP_ICT_TERMINATED : BP_NICT_TERMINATED;

	if (record != NULL && BP_WORD_GET(record->server, STATE) != server_end())
		expected[server][BP_WORD_GET(record->server, STATE)]++;
	for (unsigned i = 0; record != NULL && i < record->branch_count; i++)
		if (BP_WORD_GET(branch_word(record, i), STATE) != client_end)
			expected[client][BP_WORD_GET(branch_word(record, i), STATE)]++;
	for (unsigned i = 0; i < BP_MACHINE_COUNT; i++)
		for (unsigned j = 0; j < BP_STATES_MAX; j++)
			if ((int64_t)(SUM(states_entered[i][j]) - SUM(states_left[i][j])) != expected[i][j])
				return "a gauge of states is wrong";
	return NULL;
}

static const char *
check_ends(const struct bp_record *record)
{
	unsigned kind = stage.invite ? BP_KIND_INVITE : BP_KIND_NON_INVITE;
	uint64_t created = SUM(transactions_created[kind]), ended = SUM(transactions_ended[kind]);

	if (created > 1u + seen.anew || (seen.anew && !stage_is_over()))
		return "one request made two records";
	if (ended != stage_is_over())
		return "the record has not ended exactly once";
	if (seen.refused && !seen.first && record != NULL)
		return "a CANCEL got a 481, and there is a record";
	return NULL;
}

const char *
stage_after(void)
{
	struct bp_record *record;
	const char *wrong = seen.wrong;

	quiesce();
	record = stage_record();
	wrong = wrong ? wrong : check_law();
	wrong = wrong ? wrong : check_ends(record);
	if (seen.anew) /* nobody follows that */
		return wrong;
	wrong = wrong ? wrong : check_memory();
	wrong = wrong ? wrong : check_gauges(record);
	if (wrong == NULL && record != NULL)
		wrong = check_words(record);
	return wrong;
}

const char *
stage_run_out(void)
{
	static const struct stage_event nothing = {.what = STAGE_TIMER, .detail = STAGE_ANY_TIMER};
	uint64_t next = 0;
	const char *wrong;

	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		stage.workers[i].event = &nothing;
	seen.now_us++;
	for (unsigned turns = 0; next != UINT64_MAX; turns++) {
		if (turns > 10000)
			return "timers never come to an end";
		next = UINT64_MAX;
		for (unsigned i = 0; i < STAGE_WORKERS; i++) {
			uint64_t its = bp_engine_expire(stage.engines[i], seen.now_us, 64);

			next = its < next ? its : next;
		}
		quiesce();
		if (next != UINT64_MAX && next > seen.now_us)
			seen.now_us = next;
	}
	wrong = seen.anew ? seen.wrong : stage_after();
	if (wrong == NULL && in_use(BP_POOL_KIND_record) != 0)
		wrong = "a record stays for ever";
	if (wrong == NULL && in_use(BP_POOL_KIND_dialog) != 0)
		wrong = "a dialog stays for ever";
	if (wrong == NULL && in_use(BP_POOL_KIND_kept) != 0)
		wrong = "kept memory stays for ever";
	if (wrong == NULL && stage.invite && stage_has_record() && seen.final == 0)
		wrong = "an INVITE never got a final response";
	return wrong;
}

/* ---- the same or not ---- */

struct digest {
	uint64_t sum;
};

static void
mix(struct digest *digest, uint64_t value)
{
	digest->sum = (digest->sum ^ value) * UINT64_C(0x9fb21c651e98df25);
	digest->sum ^= digest->sum >> 29;
}

static uint64_t
kept_status(const struct bp_kept *kept)
{
	return kept ? kept->status + UINT64_C(1) : 0;
}

static void
mix_record(struct digest *digest, struct bp_record *record)
{
	const struct bp_live *live = record->live;

	mix(digest, (uint32_t)record->server);
	mix(digest, record->branch_count);
	mix(digest, kept_status(record->response));
	mix(digest, record->ack != NULL);
	mix(digest, live != NULL);
	for (unsigned i = 0; i < record->branch_count; i++) {
		mix(digest, (uint32_t)branch_word(record, i));
		mix(digest, live ? live->branches[i].request != NULL : 2);
		mix(digest, live ? kept_status(live->branches[i].response) : 0);
	}
	if (live != NULL) {
		mix(digest, live->reason != NULL);
		mix(digest, live->next_target < 4 ? live->next_target : 4);
	}
}

static void
mix_rest(struct digest *digest)
{
	const struct bp_dialog *dialogs;
	size_t size;

	dialogs = slab_used(stage.edge->memory, BP_POOL_DIALOG, &size);
	for (size_t i = 0; i < size / sizeof(*dialogs); i++)
		if (BP_WORD_GET(dialogs[i].word, STATE) != BP_DIALOG_FREE)
			mix(digest, (uint32_t)dialogs[i].word);
	mix(digest, seen.final);
	for (unsigned i = 0; i < STAGE_BRANCHES; i++)
		mix(digest, seen.branches[i].size == 0 ? 0 : 1u + seen.branches[i].provisional + 2u * seen.branches[i].cancels);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The timers that are armed; how often an interval was doubled changes nothing but the time. */
static uint64_t
timers_digest(unsigned flip)
{
	uint32_t list[STAGE_WORKERS * STAGE_TIMERS_MAX];
	struct bp_timer_entry *entries[STAGE_TIMERS_MAX];
	struct digest digest = {0};
	unsigned count = 0;

	for (unsigned i = 0; i < STAGE_WORKERS; i++) {
		unsigned armed = stage_timers(i, entries);

		for (unsigned j = 0; j < armed; j++)
			list[count++] = (i ^ flip) << 16 | (uint32_t)entries[j]->timer << 8 | (uint32_t)entries[j]->branch << 4 |
				(entries[j]->timer == BP_TIMER_D ? entries[j]->step & 15 : 0);
	}
	qsort(list, count, sizeof(list[0]), compare);
	for (unsigned i = 0; i < count; i++)
		mix(&digest, list[i] + 1);
	return digest.sum;
}

uint64_t
stage_hash(bool timers)
{
	struct bp_record *record = stage_record();
	struct digest digest = {1};
	uint64_t one, other;

	mix(&digest, stage_is_over() + 2u * seen.anew);
	if (record != NULL)
		mix_record(&digest, record);
	mix_rest(&digest);
	if (timers) { /* the workers are alike: a state and its mirror image are the same */
		one = timers_digest(0);
		other = timers_digest(1);
		mix(&digest, one < other ? one : other);
	}
	return digest.sum;
}
