/* SPDX-License-Identifier: BSD-3-Clause
 *
 * When two states of the stage are the same: when the same can follow from both. No part of a state are times and
 * bytes, which slot of a pool is used, which worker armed a timer, and whatever nobody will look at again: statuses in words
 * (no code reads them), bits that only decide about a final response once that is out, timers that every state to
 * come ignores (that they do nothing is looked at wherever one is left).
 */
#include "stage_inside.h"

#include "slab_inside.h"

#include <stdlib.h>

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

/* What of a branch's word still decides about something. */
static uint64_t
live_branch_word(uint64_t word)
{
	uint64_t dead = BP_WORD_MASK(STATUS) | BP_WORD_1XX_SEEN; /* the latter only counts how a CANCEL came out */

	if (!stage_is_waiting(word))
		dead |= BP_WORD_ABANDONED;
	return (uint32_t)(word & ~dead);
}

/* The same of a server word. Who rings may still be told to stop; new branches are made only for a final response. */
static uint64_t
live_server_word(struct bp_record *record)
{
	uint64_t word = record->server, dead = BP_WORD_MASK(STATUS) | BP_WORD_2XX_SEEN;
	bool waiting = false;

	for (unsigned i = 0; i < record->branch_count; i++)
		waiting |= stage_is_waiting(stage_branch_word(record, i));
	if (!bp_server_final_owed(record, word))
		dead |= BP_WORD_MASK(PENDING);
	if (!bp_server_final_owed(record, word) && !waiting)
		dead |= BP_WORD_CANCEL_ASKED | BP_WORD_STOPPED;
	return (uint32_t)(word & ~dead);
}

/* Who asks again is given the last response until the server side says otherwise. */
static bool
response_is_repeated(const struct bp_record *record)
{
	unsigned state = BP_WORD_GET(record->server, STATE);

	return stage.invite ? state <= BP_IST_COMPLETED : state <= BP_NIST_COMPLETED;
}

static void
mix_record(struct digest *digest, struct bp_record *record)
{
	const struct bp_live *live = record->live;
	bool owed = bp_server_final_owed(record, record->server), ringing = false;

	mix(digest, live_server_word(record));
	mix(digest, record->branch_count);
	mix(digest, response_is_repeated(record) ? kept_status(record->response) : 0);
	mix(digest, record->ack != NULL);
	for (unsigned i = 0; i < record->branch_count; i++) {
		uint64_t word = stage_branch_word(record, i);

		ringing |= stage_is_waiting(word);
		mix(digest, live_branch_word(word));
		mix(digest, live ? live->branches[i].request != NULL : 2);
		mix(digest, live && owed ? kept_status(live->branches[i].response) : 0);
		mix(digest, owed ? seen.branches[i].worst : 0);
		mix(digest, stage_is_waiting(word) ? seen.branches[i].provisional : 2);
	}
	mix(digest, live ? 1u + (ringing && live->reason != NULL) : 0);
	mix(digest, live && owed && live->next_target < 4 ? live->next_target : 4);
}

/* In no order: which of two has the lower slot means nothing. */
static uint64_t
dialogs_digest(void)
{
	const struct bp_dialog *dialogs;
	uint64_t sum = 0;
	size_t size;

	dialogs = slab_used(stage.edge->memory, BP_POOL_DIALOG, &size);
	for (size_t i = 0; i < size / sizeof(*dialogs); i++) {
		struct digest digest = {2};

		if (BP_WORD_GET(dialogs[i].word, STATE) == BP_DIALOG_FREE)
			continue;
		mix(&digest, (uint32_t)dialogs[i].word);
		if (BP_WORD_GET(dialogs[i].word, STATE) >= BP_DIALOG_CONFIRMED)
			mix(&digest, dialogs[i].tags[BP_SIDE_CALLEE]);
		mix(&digest, (dialogs[i].remotes[0] != NULL) + 2u * (dialogs[i].remotes[1] != NULL));
		mix(&digest, dialogs[i].sibling != 0);
		sum += digest.sum;
	}
	return sum;
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* How often an interval was doubled changes nothing but the time. */
static void
mix_timers(struct digest *digest)
{
	struct bp_timer_entry *entries[STAGE_TIMERS_MAX];
	unsigned armed = stage_timers(entries), count = 0;
	uint32_t list[STAGE_TIMERS_MAX];

	for (unsigned i = 0; i < armed; i++)
		if (!stage_timer_is_idle(entries[i]))
			list[count++] = (uint32_t)entries[i]->timer << 8 | stage_timer_branch(entries[i]) << 4 |
				(entries[i]->timer == BP_TIMER_D ? entries[i]->step & 15 : 0);
	qsort(list, count, sizeof(list[0]), compare);
	for (unsigned i = 0; i < count; i++)
		mix(digest, list[i] + 1);
}

uint64_t
stage_hash(void)
{
	struct bp_record *record = stage_record();
	struct digest digest = {1};

	mix(&digest, stage_is_over() + 2u * seen.anew);
	if (record != NULL)
		mix_record(&digest, record);
	mix(&digest, dialogs_digest());
	mix(&digest, (seen.final != 0) + (seen.final >= 300u)); /* which it is, is what is kept to be repeated */
	for (unsigned i = 0; i < STAGE_BRANCHES; i++)
		mix(&digest, seen.branches[i].size == 0 ? 0 : 1u + seen.branches[i].cancels);
	mix_timers(&digest);
	return digest.sum;
}
