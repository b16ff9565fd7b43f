/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What must hold in every state of the stage.
 */
#include "stage_inside.h"

#include "slab_inside.h"

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

static void
each_if(stage_block *each, void *context, struct bp_kept *kept)
{
	if (kept != NULL)
		each(context, &kept->slot);
}

static void
each_of_live(struct bp_live *live, stage_block *each, void *context)
{
	each(context, &live->slot);
	each_if(each, context, live->reason);
	for (unsigned i = 0; i < live->room; i++) {
		each_if(each, context, live->branches[i].request);
		each_if(each, context, live->branches[i].response);
	}
}

void
stage_each_block(stage_block *each, void *context)
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

static void
add_charged(void *context, struct bp_slot *block)
{
	if (block->charged != 0)
		((uint64_t *)context)[block->charged - 1] += slab_block_size(stage.edge->memory, block);
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
	uint64_t blocks = 0, dialogs_used = 0, charged[BP_KIND_COUNT] = {0};
	const struct bp_dialog *dialogs;
	size_t size;

	stage_each_block(add_bytes, &blocks);
	stage_each_block(add_charged, charged);
	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		if (SUM(kept_taken_bytes[i]) - SUM(kept_returned_bytes[i]) != charged[i])
			return "the bytes of a kind of transactions are wrong";
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

bool
stage_is_waiting(uint64_t word)
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

uint64_t
stage_branch_word(struct bp_record *record, unsigned branch)
{
	const struct bp_live *live = record->live;

	if (branch == 0)
		return record->branch;
	return live != NULL ? live->branches[branch].word : 0;
}

bool
stage_is_pending(struct bp_record *record, unsigned branch)
{
	uint64_t word = stage_branch_word(record, branch);

	return branch < record->branch_count && stage_is_waiting(word) && (word & BP_WORD_ABANDONED) == 0;
}

/* A CANCEL that was asked for is sent as soon as the branch has shown a 1xx (9.1); while a final response is owed
 * upstream as many branches as are counted may still bring one. */
static const char *
check_words(struct bp_record *record)
{
	bool asked = (record->server & (BP_WORD_CANCEL_ASKED | BP_WORD_STOPPED)) != 0;
	unsigned waiting = 0;

	for (unsigned i = 0; i < record->branch_count; i++) {
		uint64_t word = stage_branch_word(record, i);
		bool abandoned = (word & BP_WORD_ABANDONED) != 0;

		if (bp_word_generation(word) != seen.generation)
			return "a branch has another generation than its record";
		waiting += stage_is_waiting(word) && !abandoned;
		if (is_ringing(word) && (asked || abandoned) && BP_WORD_GET(word, CANCEL) == 0)
			return "a CANCEL was lost";
		if (is_ringing(word) && (BP_WORD_GET(word, CANCEL) != 0) != (seen.branches[i].cancels == 1))
			return "a CANCEL is in the word but was not sent, or the reverse";
	}
	if (!stage.options->parallel && waiting > 1)
		return "two targets are at work that should be tried one after another";
	if (stage.invite && BP_WORD_GET(record->server, STATE) == BP_IST_ACCEPTED && waiting > 0 && !asked)
		return "a 2xx went up, and another branch rings on (16.7 step 10)";
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

static bool
cancel_is_over(uint64_t word, unsigned end)
{
	return BP_WORD_GET(word, CANCEL) == 0 || BP_WORD_GET(word, CANCEL) == end + 1;
}

/* Whoever ends the last machine ends the record: that is left to no timer. */
static const char *
check_end(struct bp_record *record)
{
	unsigned end = stage.invite ? (unsigned)BP_ICT_TERMINATED : BP_NICT_TERMINATED;

	if (BP_WORD_GET(record->server, STATE) != server_end() || !cancel_is_over(record->server, BP_NIST_TERMINATED))
		return NULL;
	for (unsigned i = 0; i < record->branch_count; i++)
		if (BP_WORD_GET(stage_branch_word(record, i), STATE) != end ||
			!cancel_is_over(stage_branch_word(record, i), BP_NICT_TERMINATED))
			return NULL;
	return "every machine is over, and the record is not";
}

/* What is repeated for who asks again is the final response that went up. */
static const char *
check_kept(const struct bp_record *record)
{
	const struct bp_kept *kept = record->response;
	unsigned completed = stage.invite ? (unsigned)BP_IST_COMPLETED : BP_NIST_COMPLETED;

	if (seen.final == 0 || kept == NULL || BP_WORD_GET(record->server, STATE) != completed)
		return NULL;
	if ((kept->status & ~(unsigned)BP_REPLY_FLAG) != seen.final)
		return "another response is kept than the final one that went up";
	return NULL;
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
		if (BP_WORD_GET(stage_branch_word(record, i), STATE) != client_end)
			expected[client][BP_WORD_GET(stage_branch_word(record, i), STATE)]++;
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
	if (wrong == NULL && record != NULL)
		wrong = check_end(record);
	if (wrong == NULL && record != NULL)
		wrong = check_kept(record);
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
	for (unsigned i = 0; i < STAGE_BRANCHES; i++)
		seen.branches[i].over = true;
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

