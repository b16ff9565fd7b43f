/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The timers of the stage. Which worker armed one is no part of a state: it may run at either, so that no history
 * is missed, and some are looked at that no edge has.
 */
#include "stage_inside.h"

#include "slab_inside.h"

#include <stdlib.h>

static const struct bp_dialog *
dialog_of(const struct bp_timer_entry *entry)
{
	return (const struct bp_dialog *)bp_slot_at(stage.edge->memory, BP_POOL_DIALOG, entry->index);
}

unsigned
stage_timer_branch(const struct bp_timer_entry *entry)
{
	const struct bp_dialog *dialogs;
	unsigned place = 0;
	size_t size;

	if (entry->timer != BP_TIMER_DIALOG)
		return entry->branch;
	dialogs = slab_used(stage.edge->memory, BP_POOL_DIALOG, &size);
	for (size_t i = 0; i < size / sizeof(*dialogs); i++)
		place += BP_WORD_GET(dialogs[i].word, STATE) >= BP_DIALOG_CONFIRMED &&
			dialogs[i].tags[BP_SIDE_CALLEE] < dialog_of(entry)->tags[BP_SIDE_CALLEE];
	return place;
}

static bool
is_armed(const struct bp_timer_entry *entry)
{
	const struct bp_record *record;

	if (entry->timer == BP_TIMER_DIALOG)
		return bp_word_generation(dialog_of(entry)->word) == entry->generation;
	record = (const struct bp_record *)bp_slot_at(stage.edge->memory, BP_POOL_RECORD, entry->index);
	return bp_word_generation(record->server) == entry->generation;
}

unsigned
stage_timers(struct bp_timer_entry *out[STAGE_TIMERS_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < STAGE_WORKERS * BP_DURATION_COUNT; i++) {
		struct bp_timer_fifo *fifo = &stage.engines[i / BP_DURATION_COUNT]->timers.fifos[i % BP_DURATION_COUNT];

		if (fifo->head != fifo->tail)
			abort(); /* a chunk is more than a history has timers */
		for (unsigned j = fifo->read; fifo->head != NULL && j < fifo->write; j++) {
			if (!is_armed(&fifo->head->entries[j]))
				continue;
			if (count == STAGE_TIMERS_MAX)
				abort();
			out[count++] = &fifo->head->entries[j];
		}
	}
	return count;
}

/* ---- timers that mean nothing any more ---- */

/* Whether @machine ignores @event in @state and in every state that can follow. */
static bool
is_ignored(const struct bp_machine *machine, unsigned state, unsigned event)
{
	unsigned reached = 1u << state, before;

	do {
		before = reached;
		for (unsigned i = 0; i < machine->state_count; i++)
			for (unsigned j = 0; (reached >> i & 1) != 0 && j < machine->event_count; j++)
				reached |= 1u << machine->steps[i * machine->event_count + j].next;
	} while (reached != before);
	for (unsigned i = 0; i < machine->state_count; i++)
		if ((reached >> i & 1) != 0 && machine->steps[i * machine->event_count + event].action != BP_DO_IGNORE)
			return false;
	return true;
}

static bool
cancel_ignores(uint64_t word, const struct bp_machine *machine, unsigned event)
{
	unsigned cancel = BP_WORD_GET(word, CANCEL);

	return cancel != 0 && is_ignored(machine, cancel - 1, event);
}

bool
stage_timer_is_idle(const struct bp_timer_entry *entry)
{
	struct bp_record *record = stage_record();
	uint64_t server = record ? record->server : 0, word = record ? stage_branch_word(record, entry->branch) : 0;
	unsigned state = BP_WORD_GET(word, STATE), server_state = BP_WORD_GET(server, STATE);

	if (entry->timer == BP_TIMER_DIALOG)
		return BP_WORD_GET(dialog_of(entry)->word, STATE) == BP_DIALOG_ENDED;
	if (record == NULL)
		return false;
	switch ((enum bp_timer)entry->timer) {
#define ICT(letter) \
	case BP_TIMER_##letter: \
		return is_ignored(&bp_ict_machine, state, BP_ICT_ON_TIMER_##letter);
#define NICT(letter) \
	case BP_TIMER_##letter: \
		return is_ignored(&bp_nict_machine, state, BP_NICT_ON_TIMER_##letter);
#define IST(letter) \
	case BP_TIMER_##letter: \
		return is_ignored(&bp_ist_machine, server_state, BP_IST_ON_TIMER_##letter);
		ICT(B) ICT(C) ICT(D) NICT(F) NICT(K) IST(G) IST(H) IST(I) IST(L)
#undef ICT
#undef NICT
#undef IST
	case BP_TIMER_A: /* the first one arms B and C */
		if (entry->step == 0 && (state == BP_ICT_CALLING || state == BP_ICT_PROCEEDING))
			return false;
		return is_ignored(&bp_ict_machine, state, BP_ICT_ON_TIMER_A);
	case BP_TIMER_E: /* the first one of the first branch arms what sends the 100 */
		if (entry->step == 0 && entry->branch == 0 && server_state == BP_NIST_TRYING)
			return false;
		return is_ignored(&bp_nict_machine, state, BP_NICT_ON_TIMER_E);
	case BP_TIMER_M: /* L may be in it */
		return is_ignored(&bp_ict_machine, state, BP_ICT_ON_TIMER_M) &&
			(entry->step == 0 || is_ignored(&bp_ist_machine, server_state, BP_IST_ON_TIMER_L));
	case BP_TIMER_J:
		return is_ignored(&bp_nist_machine, server_state, BP_NIST_ON_TIMER_J);
	case BP_TIMER_CANCEL_E:
		return cancel_ignores(word, &bp_nict_machine, BP_NICT_ON_TIMER_E);
	case BP_TIMER_CANCEL_F:
		return cancel_ignores(word, &bp_nict_machine, BP_NICT_ON_TIMER_F) &&
			(!stage.invite || is_ignored(&bp_ict_machine, state, BP_ICT_ON_CANCEL_TIMEOUT));
	case BP_TIMER_CANCEL_K:
		return cancel_ignores(word, &bp_nict_machine, BP_NICT_ON_TIMER_K);
	case BP_TIMER_CANCEL_J:
		return cancel_ignores(server, &bp_nist_machine, BP_NIST_ON_TIMER_J);
	case BP_TIMER_TARGET: /* it looks for the first state of either machine, to which neither returns */
		return state != 0;
	case BP_TIMER_TRYING:
		return server_state != BP_NIST_TRYING;
	default:
		return false;
	}
}

/* ---- running one ---- */

static bool
is_of(const struct bp_timer_entry *entry, const struct stage_event *event)
{
	return entry->timer == event->detail && stage_timer_branch(entry) == event->branch;
}

bool
stage_is_idle(const struct stage_event *event)
{
	struct bp_timer_entry *entries[STAGE_TIMERS_MAX];
	unsigned armed = event->what == STAGE_TIMER ? stage_timers(entries) : 0;

	for (unsigned i = 0; i < armed; i++)
		if (is_of(entries[i], event))
			return stage_timer_is_idle(entries[i]);
	return false;
}

/* Timers that are armed together stay with one worker. */
static unsigned
company(const struct stage_event *event)
{
	switch ((enum bp_timer)event->detail) {
	case BP_TIMER_A:
	case BP_TIMER_B:
	case BP_TIMER_C:
	case BP_TIMER_E:
	case BP_TIMER_F:
	case BP_TIMER_TARGET:
	case BP_TIMER_TRYING:
		return 1;
	case BP_TIMER_G:
	case BP_TIMER_H:
		return 2;
	case BP_TIMER_CANCEL_E:
	case BP_TIMER_CANCEL_F:
		return 3;
	default:
		return 0;
	}
}

bool
stage_may_meet(const struct stage_event *a, const struct stage_event *b)
{
	if (a->what != STAGE_TIMER || b->what != STAGE_TIMER || a->branch != b->branch)
		return true;
	return a->detail != b->detail && (company(a) == 0 || company(a) != company(b));
}

/* The deadline of a timer that looks at one which is kept elsewhere; else 0. */
static uint64_t
deadline_us(const struct bp_timer_entry *entry)
{
	const struct bp_record *record =
		(const struct bp_record *)bp_slot_at(stage.edge->memory, BP_POOL_RECORD, entry->index);
	const struct bp_branch *branch = entry->timer != BP_TIMER_DIALOG && record->live != NULL
		? &record->live->branches[entry->branch]
		: NULL;

	if (entry->timer == BP_TIMER_DIALOG)
		return dialog_of(entry)->answered_us + stage.edge->config->dialog_us;
	if (branch == NULL)
		return 0;
	if (entry->timer == BP_TIMER_C)
		return branch->deadline_us;
	if (entry->timer == BP_TIMER_TARGET)
		return branch->started_us + stage.edge->config->trunks[0].timeout_us;
	if (entry->timer == BP_TIMER_TRYING)
		return branch->started_us + bp_timer_trying_us(&stage.engines[0]->timers);
	return 0;
}

/* When a timer runs and does not just wait for longer. */
static uint64_t
due_us(const struct bp_timer_entry *entry)
{
	return deadline_us(entry) > entry->deadline_us ? deadline_us(entry) : entry->deadline_us;
}

static void
remove_entry(struct bp_timers *timers, struct bp_timer_entry *place)
{
	for (unsigned i = 0; i < BP_DURATION_COUNT; i++) {
		struct bp_timer_fifo *fifo = &timers->fifos[i];

		if (fifo->head == NULL || place < fifo->head->entries || place >= fifo->head->entries + fifo->write)
			continue;
		fifo->write--;
		memmove(place, place + 1, (size_t)(fifo->head->entries + fifo->write - place) * sizeof(*place));
		timers->heads_us[i] = fifo->read < fifo->write ? fifo->head->entries[fifo->read].deadline_us : UINT64_MAX;
		timers->armed--;
	}
}

void
stage_timer_take(const struct stage_event *event)
{
	struct bp_timer_entry *entries[STAGE_TIMERS_MAX];
	unsigned armed = stage_timers(entries), i = 0;

	while (i < armed && !is_of(entries[i], event))
		i++;
	if (i == armed)
		abort();
	if (due_us(entries[i]) > seen.now_us)
		seen.now_us = due_us(entries[i]);
	stage.workers[event->worker].timer = *entries[i];
	for (unsigned j = 0; j < STAGE_WORKERS; j++)
		remove_entry(&stage.engines[j]->timers, entries[i]);
}

/* As bp_engine_expire() does, but with this one entry. */
void
stage_timer_run(struct stage_worker *worker)
{
	struct bp_engine *engine = stage.engines[worker->number];

	engine->now_us = seen.now_us;
	bp_engine_configure(engine);
	bp_timer_run(engine, &worker->timer);
}
