/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What happens when a timer comes up: the state machine decides whether it still means
 * anything. Timers keep their RFC letters.
 */
#include "proxy/account.h"

struct fired {
	struct bp_engine *engine;
	struct bp_record *record;
	struct bp_timer_entry entry;
};

static void
arm_again(const struct fired *f, unsigned duration)
{
	struct bp_timer_entry entry = f->entry;

	if (entry.step < 63)
		entry.step++;
	bp_arm(f->engine, duration, entry);
}

static void
repeat_request(const struct fired *f)
{
	struct bp_live *live = atomic_load(&f->record->live);
	const struct bp_branch *branch = live ? &live->branches[f->entry.branch] : NULL;
	const struct bp_kept *kept = branch ? atomic_load(&branch->request) : NULL;

	if (kept == NULL)
		return;
	bp_transmit_bytes(f->engine, &branch->flow, kept->bytes, kept->size);
	bp_count_request(f->engine, f->record->method);
	bp_count(&f->engine->counters->retransmissions[BP_OUT][f->record->method], 1);
}

static struct bp_swap
branch_event(const struct fired *f, unsigned event)
{
	return bp_step_branch(f->engine, f->record, f->entry.generation, f->entry.branch, event, 0, 0);
}

static void
run_a(const struct fired *f)
{
	struct bp_swap swap = branch_event(f, BP_ICT_ON_TIMER_A);
	unsigned state = BP_WORD_GET(swap.after, STATE);

	if (swap.action == BP_DO_REPEAT_REQUEST) {
		repeat_request(f);
		arm_again(f, bp_timer_doubled(&f->engine->timers, f->entry.step + 1u, false));
	}
	if (f->entry.step == 0 && swap.action != BP_DO_DROP &&
		(state == BP_ICT_CALLING || state == BP_ICT_PROCEEDING))
		bp_branch_linger(f->engine, f->record, &f->entry);
}

/* In Proceeding the interval is T2 (17.1.2.2). */
static void
run_e(const struct fired *f)
{
	struct bp_swap swap = branch_event(f, BP_NICT_ON_TIMER_E);

	if (swap.action != BP_DO_REPEAT_REQUEST) {
		/* the first branch is over, another one may keep the caller waiting (RFC 4320 4.1) */
		if (f->entry.step == 0 && f->entry.branch == 0 &&
			BP_WORD_GET(atomic_load(&f->record->server), STATE) == BP_NIST_TRYING)
			bp_branch_trying(f->engine, f->record, &f->entry);
		return;
	}
	repeat_request(f);
	arm_again(f, BP_WORD_GET(swap.after, STATE) == BP_NICT_PROCEEDING
			? (unsigned)BP_DURATION_T2
			: bp_timer_doubled(&f->engine->timers, f->entry.step + 1u, true));
	if (f->entry.step == 0)
		bp_branch_linger(f->engine, f->record, &f->entry);
}

static bool
abandoned(const struct bp_swap *swap)
{
	return (swap->after & BP_WORD_ABANDONED) != 0;
}

/* The branch ended without a final response. One that never answered lets the next target try (16.9); else it
 * counts as a 408, or 487 when the caller had asked to cancel. */
static void
invite_timed_out(const struct fired *f, const struct bp_swap *swap, bool silent)
{
	bool cancelled = (atomic_load(&f->record->server) & BP_WORD_CANCEL_ASKED) != 0;

	if (!cancelled)
		bp_reap_refresh_failed(f->engine, f->record, f->entry.branch);
	if (!abandoned(swap)) {
		if (silent)
			bp_health_failed(f->engine, f->record, f->entry.branch);
		if (silent && bp_branch_next(f->engine, f->record, f->entry.generation))
			bp_upstream_settle(f->engine, f->record, f->entry.generation, f->entry.branch, 408);
		else
			bp_upstream_own(f->engine, f->record, f->entry.generation, f->entry.branch,
				cancelled ? 487 : 408);
	}
	bp_finish(f->engine, f->record, f->entry.generation);
}

static void
run_invite_end(const struct fired *f, unsigned event)
{
	struct bp_swap swap = branch_event(f, event);

	switch (swap.action) {
	case BP_DO_TIMEOUT:
		invite_timed_out(f, &swap, event == BP_ICT_ON_TIMER_B);
		break;
	case BP_DO_ASK_CANCEL:
		bp_cancel_branch(f->engine, f->record, f->entry.generation, f->entry.branch);
		break;
	case BP_DO_END:
		bp_finish(f->engine, f->record, f->entry.generation);
		break;
	default:
		break;
	}
}

/* Refreshed by each 1xx: the deadline in the record is the true one (16.7 step 2, 16.8). */
static void
run_c(const struct fired *f)
{
	struct bp_live *live = atomic_load(&f->record->live);
	uint64_t deadline_us = live ? atomic_load(&live->branches[f->entry.branch].deadline_us) : 0;
	bp_word *place = bp_branch_word(f->record, f->entry.branch);
	unsigned state = place ? BP_WORD_GET(atomic_load(place), STATE) : BP_ICT_TERMINATED;

	if (state != BP_ICT_CALLING && state != BP_ICT_PROCEEDING)
		return;
	if (deadline_us <= f->engine->now_us)
		run_invite_end(f, BP_ICT_ON_TIMER_C);
	else if (!bp_timer_arm_hop(&f->engine->timers, deadline_us, f->entry, f->engine->now_us))
		bp_count(&f->engine->counters->drops[BP_DROP_timer_no_memory], 1);
}

static void
run_d(const struct fired *f)
{
	struct bp_timer_entry entry = f->entry;

	if (entry.step == 0) {
		run_invite_end(f, BP_ICT_ON_TIMER_D);
		return;
	}
	entry.step--;
	bp_arm(f->engine, BP_DURATION_64T1, entry);
}

static void
run_trying(const struct fired *f)
{
	struct bp_live *live = atomic_load(&f->record->live);
	uint64_t due_us;

	if (live == NULL || BP_WORD_GET(atomic_load(&f->record->server), STATE) != BP_NIST_TRYING)
		return;
	due_us = live->branches[0].started_us + bp_timer_trying_us(&f->engine->timers);
	if (due_us <= f->engine->now_us)
		bp_upstream_trying(f->engine, f->record, f->entry.generation);
	else if (!bp_timer_arm_hop(&f->engine->timers, due_us, f->entry, f->engine->now_us))
		bp_count(&f->engine->counters->drops[BP_DROP_timer_no_memory], 1);
}

static void
run_f(const struct fired *f)
{
	struct bp_swap swap = branch_event(f, BP_NICT_ON_TIMER_F);

	if (swap.action != BP_DO_TIMEOUT)
		return;
	if (abandoned(&swap)) {
		bp_finish(f->engine, f->record, f->entry.generation);
		return;
	}
	if ((swap.before & BP_WORD_1XX_SEEN) == 0)
		bp_health_failed(f->engine, f->record, f->entry.branch);
	if (f->record->method == BP_METHOD_BYE && f->record->dialog != BP_NO_INDEX)
		bp_account_bye_over(
			f->engine, f->record, NULL, f->record->dialog, f->record->dialog_generation, false);
	bp_reap_refresh_failed(f->engine, f->record, f->entry.branch);
	bp_upstream_nothing(f->engine, f->record, f->entry.generation, f->entry.branch);
}

static void
run_g(const struct fired *f)
{
	struct bp_swap swap = bp_step_server(f->engine, f->record, f->entry.generation, BP_IST_ON_TIMER_G, 0, 0);

	if (swap.action != BP_DO_REPEAT_RESPONSE)
		return;
	bp_upstream_repeat(f->engine, f->record, NULL);
	arm_again(f, bp_timer_doubled(&f->engine->timers, f->entry.step + 1u, true));
}

static void
run_server_end(const struct fired *f, unsigned event)
{
	if (bp_step_server(f->engine, f->record, f->entry.generation, event, 0, 0).action == BP_DO_END)
		bp_finish(f->engine, f->record, f->entry.generation);
}

static void
run_cancel_e(const struct fired *f)
{
	struct bp_swap swap =
		bp_branch_cancel_event(f->record, f->entry.generation, f->entry.branch, BP_NICT_ON_TIMER_E);

	if (swap.action != BP_DO_REPEAT_REQUEST)
		return;
	bp_cancel_repeat(f->engine, f->record, f->entry.branch);
	arm_again(f, bp_timer_doubled(&f->engine->timers, f->entry.step + 1u, true));
}

/* 64*T1 after our CANCEL: its transaction times out, and so does an INVITE that has no final response yet (9.1). */
static void
run_cancel_f(const struct fired *f)
{
	bp_branch_cancel_event(f->record, f->entry.generation, f->entry.branch, BP_NICT_ON_TIMER_F);
	if (bp_record_is_invite(f->record))
		run_invite_end(f, BP_ICT_ON_CANCEL_TIMEOUT);
	bp_finish(f->engine, f->record, f->entry.generation);
}

static void
run(const struct fired *f)
{
	switch ((enum bp_timer)f->entry.timer) {
	case BP_TIMER_A:
		run_a(f);
		break;
	case BP_TIMER_B:
		run_invite_end(f, BP_ICT_ON_TIMER_B);
		break;
	case BP_TIMER_C:
		run_c(f);
		break;
	case BP_TIMER_D:
		run_d(f);
		break;
	case BP_TIMER_E:
		run_e(f);
		break;
	case BP_TIMER_F:
		run_f(f);
		break;
	case BP_TIMER_G:
		run_g(f);
		break;
	case BP_TIMER_H:
		run_server_end(f, BP_IST_ON_TIMER_H);
		break;
	case BP_TIMER_I:
		run_server_end(f, BP_IST_ON_TIMER_I);
		break;
	case BP_TIMER_J:
		run_server_end(f, BP_NIST_ON_TIMER_J);
		break;
	case BP_TIMER_K:
		if (branch_event(f, BP_NICT_ON_TIMER_K).action == BP_DO_END)
			bp_finish(f->engine, f->record, f->entry.generation);
		break;
	case BP_TIMER_L:
		run_server_end(f, BP_IST_ON_TIMER_L);
		break;
	case BP_TIMER_M:
		if (f->entry.step != 0)
			run_server_end(f, BP_IST_ON_TIMER_L);
		run_invite_end(f, BP_ICT_ON_TIMER_M);
		break;
	case BP_TIMER_CANCEL_E:
		run_cancel_e(f);
		break;
	case BP_TIMER_CANCEL_F:
		run_cancel_f(f);
		break;
	case BP_TIMER_CANCEL_K:
		bp_branch_cancel_event(f->record, f->entry.generation, f->entry.branch, BP_NICT_ON_TIMER_K);
		bp_finish(f->engine, f->record, f->entry.generation);
		break;
	case BP_TIMER_CANCEL_J:
		bp_server_cancel_event(f->record, f->entry.generation, BP_NIST_ON_TIMER_J);
		bp_finish(f->engine, f->record, f->entry.generation);
		break;
	case BP_TIMER_TARGET:
		bp_timer_target(f->engine, f->record, &f->entry);
		break;
	case BP_TIMER_TRYING:
		run_trying(f);
		break;
	case BP_TIMER_DIALOG:
	case BP_TIMER_COUNT:
		break;
	}
}

void
bp_timer_run(struct bp_engine *engine, const struct bp_timer_entry *entry)
{
	struct fired fired = {.engine = engine, .entry = *entry};

	if (entry->timer == BP_TIMER_DIALOG) {
		int reason = bp_dialog_due(&engine->dialogs, entry, engine->config->dialog_us, engine->now_us);

		if (reason >= 0)
			bp_reap_due(engine, entry, (enum bp_dialog_end)reason);
		return;
	}
	fired.record = (struct bp_record *)bp_slot_at(engine->edge->memory, BP_POOL_RECORD, entry->index);
	if (fired.record != NULL && bp_word_generation(atomic_load(&fired.record->server)) == entry->generation)
		run(&fired);
}

#define FAR 8 /* entries ahead: their records */
#define NEAR 4 /* what the records that end lead to */

static const uint8_t *
slot_of(const struct bp_engine *engine, const struct bp_timer_entry *entry)
{
	return (const uint8_t *)bp_slot_at(
		engine->edge->memory, entry->timer == BP_TIMER_DIALOG ? BP_POOL_DIALOG : BP_POOL_RECORD, entry->index);
}

static void
prefetch_end(const struct bp_engine *engine, struct bp_record *record)
{
	const uint64_t id[2] = {bp_peek(&record->node.id[0]), bp_peek(&record->node.id[1])};
	uint32_t dialog = bp_peek(&record->dialog);

	bp_table_prefetch(engine->edge->transactions, id);
	__builtin_prefetch(atomic_load_explicit(&record->response, memory_order_relaxed), 1);
	if (dialog != BP_NO_INDEX && bp_peek(&record->method) == BP_METHOD_INVITE)
		__builtin_prefetch(bp_slot_at(engine->edge->memory, BP_POOL_DIALOG, dialog), 1);
}

void
bp_timer_prefetch(const struct bp_engine *engine)
{
	const struct bp_timer_entry *far = bp_timer_ahead(&engine->timers, FAR), *near;
	const uint8_t *slot = far ? slot_of(engine, far) : NULL;

	if (slot != NULL) {
		__builtin_prefetch(slot, 1);
		__builtin_prefetch(slot + 64, 1);
	}
	near = bp_timer_ahead(&engine->timers, NEAR);
	if (near == NULL || (near->timer != BP_TIMER_J && near->timer != BP_TIMER_M))
		return;
	slot = slot_of(engine, near);
	if (slot != NULL)
		prefetch_end(engine, (struct bp_record *)slot);
}
