/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How calls end: both sides are done, or time is over. Every call that was begun is counted here once.
 */
#include "generator/side.h"

static void
release(struct gen *gen, struct call *call)
{
	callee_block_return(gen, call);
	if (call->caller_block != BLOCK_NONE) {
		gen->shapes[gen->calls.blocks[call->caller_block].shape].users--;
		block_return(&gen->calls, call->caller_block);
	}
	call_return(&gen->calls, call);
}

void
call_drop(struct gen *gen, struct call *call)
{
	if (call->flags & CALL_TIMED)
		timers_remove(&gen->timers, call);
	release(gen, call);
}

static void
end(struct gen *gen, struct call *call)
{
	if (call->failure != 0) {
		gen->report.failed[call->failure - 1]++;
	} else {
		gen->report.ok++;
		gen->report.ok_by[call->scenario]++;
		if (call->scenario == GEN_RACE && call->caller_block != BLOCK_NONE)
			gen->report.race_answered++;
		else if (call->scenario == GEN_RACE)
			gen->report.race_cancelled++;
	}
	release(gen, call);
}

void
caller_done(struct gen *gen, struct call *call)
{
	call->caller = CALLER_DONE;
	call->caller_due = call->act_due = 0;
	if (call->callee == CALLEE_DONE || call->callee == CALLEE_IDLE)
		end(gen, call);
	else if (call->callee == CALLEE_CONFIRMED && call->failure != 0)
		end(gen, call); /* its BYE was refused: no other one comes */
	else
		call_wait(gen, call, &call->act_due, gen->t1_64);
}

void
callee_done(struct gen *gen, struct call *call)
{
	call->callee = CALLEE_DONE;
	call->callee_due = 0;
	if (call->caller == CALLER_DONE)
		end(gen, call);
}

/* Something that was put off: an answer, a CANCEL, a BYE; or nobody told the callee that the call is over. */
static void
act(struct gen *gen, struct call *call)
{
	struct writer writer;

	call->act_due = 0;
	message_writer(gen, call, &writer);
	if (call->caller == CALLER_DONE) {
		call_fail(call, call->callee == CALLEE_CONFIRMED ? GEN_FAILED_NO_BYE : GEN_FAILED_LEFT);
		end(gen, call);
	} else if (call->caller == CALLER_ANSWERED) {
		caller_bye(gen, call, &writer);
	} else if (call->scenario == GEN_CANCEL && call->caller == CALLER_PROCEEDING) {
		caller_cancel(gen, call, &writer);
	} else if (call->scenario == GEN_BYE || call->scenario == GEN_RACE) {
		callee_answer(gen, call, &writer);
	}
}

static bool
is_due(const struct gen *gen, uint32_t due)
{
	return due != 0 && (int32_t)(gen->tick - due) >= 0;
}

static void
earliest(uint32_t *due, uint32_t other)
{
	if (other != 0 && (*due == 0 || (int32_t)(other - *due) < 0))
		*due = other;
}

void
call_timer(struct gen *gen, struct call *call)
{
	uint64_t number = call->number;
	uint32_t due = 0;

	if (number == 0)
		return;
	if (is_due(gen, call->caller_due))
		caller_timer(gen, call);
	if (call->number == number && is_due(gen, call->callee_due))
		callee_timer(gen, call);
	if (call->number == number && is_due(gen, call->act_due))
		act(gen, call);
	if (call->number != number)
		return;
	earliest(&due, call->caller_due);
	earliest(&due, call->callee_due);
	earliest(&due, call->act_due);
	if (due != 0)
		timers_arm(&gen->timers, call, gen->tick, due);
}
