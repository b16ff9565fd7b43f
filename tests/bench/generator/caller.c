/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The calling side: INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER as a UAC sends them, with its retransmissions (RFC 3261
 * 9.1, 13.2, 15.1.1, 17.1).
 */
#include "generator/side.h"

static enum gen_scenario
draw(struct gen *gen)
{
	gen->random = gen->random * 6364136223846793005u + 1442695040888963407u;
	return (enum gen_scenario)gen->scenarios[gen->random >> 56];
}

static const struct template *
initial_request(const struct gen *gen, const struct call *call)
{
	switch (call->scenario) {
	case GEN_OPTIONS:
		return &gen->options_request;
	case GEN_REGISTER:
		return &gen->register_request;
	default:
		return &gen->invite;
	}
}

bool
caller_begin(struct gen *gen, uint64_t intended)
{
	struct writer writer;
	struct call *call;

	gen->report.started++;
	if (!frame_mbufs(gen, 1)) {
		gen->report.failed[GEN_FAILED_NO_MBUF]++;
		return false;
	}
	call = call_take(&gen->calls, gen->options.instance);
	if (call == NULL) {
		gen->report.failed[GEN_FAILED_LIMIT]++;
		return false;
	}
	if (gen->calls.open > gen->report.open_peak)
		gen->report.open_peak = gen->calls.open;
	call->scenario = draw(gen);
	call->begun = intended;
	call->request_at = fine(intended);
	call->source = (uint8_t)(gen->calls.serial % gen->sides[CALLER].place_count);
	call->trunk = gen->redirect ? (uint8_t)(gen->calls.serial % gen->sides[CALLEE].place_count) : 0;
	if (call->scenario == GEN_OPTIONS || call->scenario == GEN_REGISTER)
		call->caller = CALLER_REQUESTING;
	gen_histogram_record(&gen->report.late_by, gen->now - intended);
	message_writer(gen, call, &writer);
	frame_send(gen, CALLER, initial_request(gen, call), &writer, NULL);
	call_wait(gen, call, &call->caller_due, gen->doubled.intervals[0]);
	return true;
}

static void
send_again(struct gen *gen, struct call *call, const struct template *template, const uint8_t *kept)
{
	struct writer writer;

	message_writer(gen, call, &writer);
	frame_send(gen, CALLER, template, &writer, kept);
	gen->report.retransmitted[template->kind]++;
}

/* The next interval, or false: that was the last one. */
static bool
back_off(struct gen *gen, struct call *call, const struct backoff *backoff)
{
	uint32_t interval = backoff->intervals[++call->caller_tries];

	if (interval == 0)
		return false;
	call_wait(gen, call, &call->caller_due, interval);
	return true;
}

static const struct block *
caller_block(const struct gen *gen, const struct call *call)
{
	return &gen->calls.blocks[call->caller_block];
}

static const struct template *
reply_of(const struct gen *gen, const struct block *block, unsigned reply)
{
	return gen->shapes[block->shape].replies[reply];
}

void
caller_cancel(struct gen *gen, struct call *call, const struct writer *writer)
{
	call->caller = CALLER_CANCELLING;
	call->act_due = 0;
	call->caller_tries = 0;
	call->request_at = fine(gen->now);
	frame_send(gen, CALLER, &gen->cancel, writer, NULL);
	call_wait(gen, call, &call->caller_due, gen->capped.intervals[0]);
}

void
caller_bye(struct gen *gen, struct call *call, const struct writer *writer)
{
	const struct block *block = caller_block(gen, call);

	call->caller = CALLER_REQUESTING;
	call->act_due = 0;
	call->caller_tries = 0;
	call->request_at = fine(gen->now);
	frame_send(gen, CALLER, reply_of(gen, block, REPLY_BYE), writer, block->bytes);
	call_wait(gen, call, &call->caller_due, gen->capped.intervals[0]);
}

static void
hold(struct gen *gen, struct call *call, const struct writer *writer)
{
	call->caller = CALLER_ANSWERED;
	call->caller_due = 0;
	if (gen->hold == 0)
		caller_bye(gen, call, writer);
	else
		call_wait(gen, call, &call->act_due, gen->hold);
}

/* A CANCEL may go once a provisional response is there (RFC 3261 9.1). */
static void
provisional(struct gen *gen, struct message *message)
{
	struct call *call = message->call;
	bool ringing = message->shape->kind == GEN_KIND_RINGING;

	if (call->caller == CALLER_REQUESTING || call->flags & CALL_FINAL || (ringing && call->flags & CALL_RANG)) {
		gen->report.repeated++;
		return;
	}
	if (ringing) {
		call->flags |= CALL_RANG;
		gen_histogram_record(&gen->report.ringing, gen->now - call->begun);
		gen_histogram_record(&gen->report.back, since(gen, call->response_at));
	}
	if (call->caller == CALLER_CALLING) {
		call->caller = CALLER_PROCEEDING;
		call->caller_due = due_in(gen, gen->no_final);
	}
	if (call->caller != CALLER_PROCEEDING)
		return;
	if (call->scenario == GEN_CANCEL_EARLY) {
		caller_cancel(gen, call, &message->writer);
	} else if (call->scenario == GEN_CANCEL && ringing) {
		if (gen->ring == 0)
			caller_cancel(gen, call, &message->writer);
		else
			call_wait(gen, call, &call->act_due, gen->ring);
	} else if (call->scenario == GEN_RACE && ringing) {
		caller_cancel(gen, call, &message->writer);
		/* of every second call the 200 comes a little later, so that either can be first */
		if (call->number >> 32 & 1)
			callee_answer(gen, call, &message->writer);
		else
			call_wait(gen, call, &call->act_due, 1);
	}
}

/* The 200 to the INVITE. */
static void
answered(struct gen *gen, struct message *message)
{
	struct call *call = message->call;
	struct shape *shape = message->shape;
	struct block *block;
	uint32_t index;

	if (call->flags & CALL_FINAL) {
		uint8_t kept[BLOCK_BYTES];

		gen->report.repeated++;
		if (call->caller_block == BLOCK_NONE)
			return; /* another final response was first */
		shape_keep(shape, message->bytes, kept);
		frame_send(gen, CALLER, shape->replies[REPLY_ACK], &message->writer, kept);
		return;
	}
	block = block_take(&gen->calls, &index);
	if (block == NULL)
		return; /* it will come again */
	call->caller_block = index & BLOCK_NONE;
	block->shape = (uint16_t)(shape - gen->shapes);
	shape->users++;
	shape_keep(shape, message->bytes, block->bytes);
	call->flags |= CALL_FINAL;
	gen_histogram_record(&gen->report.setup, gen->now - call->begun);
	gen_histogram_record(&gen->report.back, since(gen, call->response_at));
	call->request_at = fine(gen->now);
	frame_send(gen, CALLER, shape->replies[REPLY_ACK], &message->writer, block->bytes);
	if (call->scenario != GEN_BYE && call->scenario != GEN_RACE)
		call_fail(call, GEN_FAILED_WRONG_END);
	if (call->caller != CALLER_CANCELLING) /* else its response comes first */
		hold(gen, call, &message->writer);
}

static void
fail_by_status(struct call *call, unsigned status)
{
	if (status < 400)
		call_fail(call, GEN_FAILED_STATUS_3XX);
	else if (status < 500)
		call_fail(call, status == 408 ? GEN_FAILED_STATUS_408 :
				status == 481 ? GEN_FAILED_STATUS_481 :
						GEN_FAILED_STATUS_4XX);
	else if (status < 600)
		call_fail(call, status == 503 ? GEN_FAILED_STATUS_503 : GEN_FAILED_STATUS_5XX);
	else
		call_fail(call, GEN_FAILED_STATUS_6XX);
}

/* 300 to 699 to the INVITE. */
static void
refused(struct gen *gen, struct message *message)
{
	struct call *call = message->call;
	struct shape *shape = message->shape;
	bool cancelled = call->caller == CALLER_CANCELLING || call->caller == CALLER_CANCELLED;
	uint8_t kept[BLOCK_BYTES];

	shape_keep(shape, message->bytes, kept);
	if (call->flags & CALL_FINAL)
		gen->report.repeated++;
	if (call->caller_block != BLOCK_NONE)
		return; /* a 200 was first */
	frame_send(gen, CALLER, shape->replies[REPLY_ACK_FINAL], &message->writer, kept);
	if (call->flags & CALL_FINAL)
		return;
	call->flags |= CALL_FINAL;
	call->request_at = fine(gen->now);
	if (shape->own_tag)
		gen_histogram_record(&gen->report.back, since(gen, call->response_at));
	if (!cancelled || shape->status != 487)
		fail_by_status(call, shape->status);
	if (call->caller != CALLER_CANCELLING)
		caller_done(gen, call);
}

static void
cancel_answered(struct gen *gen, struct message *message)
{
	struct call *call = message->call;

	if (call->caller != CALLER_CANCELLING) {
		gen->report.repeated++;
		return;
	}
	/* 481: the 200 to the INVITE has ended its transaction before (9.2) */
	if (message->shape->status != 200 && !(message->shape->status == 481 && call->scenario == GEN_RACE))
		fail_by_status(call, message->shape->status);
	call->caller = CALLER_CANCELLED;
	call->caller_due = 0;
	if (call->caller_block != BLOCK_NONE) {
		hold(gen, call, &message->writer);
	} else if (call->flags & CALL_FINAL) {
		caller_done(gen, call);
	} else {
		call_wait(gen, call, &call->caller_due, gen->t1_64);
		call->flags |= CALL_RING_NOW;
		if (call->scenario == GEN_CANCEL_EARLY && call->callee == CALLEE_WAITING)
			callee_ring(gen, call, &message->writer);
	}
}

/* A final response to BYE, OPTIONS or REGISTER. */
static void
request_answered(struct gen *gen, struct message *message)
{
	struct call *call = message->call;

	if (call->caller != CALLER_REQUESTING) {
		gen->report.repeated++;
		return;
	}
	if (message->shape->status != 200)
		fail_by_status(call, message->shape->status);
	if (message->shape->own_tag)
		gen_histogram_record(&gen->report.back, since(gen, call->response_at));
	caller_done(gen, call);
}

void
caller_receive(struct gen *gen, struct message *message)
{
	switch (message->shape->kind) {
	case GEN_KIND_TRYING:
	case GEN_KIND_RINGING:
		provisional(gen, message);
		break;
	case GEN_KIND_OK:
		answered(gen, message);
		break;
	case GEN_KIND_FINAL:
		refused(gen, message);
		break;
	case GEN_KIND_OK_CANCEL:
		cancel_answered(gen, message);
		break;
	default:
		request_answered(gen, message);
		break;
	}
}

static void
request_timer(struct gen *gen, struct call *call)
{
	bool bye = call->caller_block != BLOCK_NONE;

	if (!back_off(gen, call, &gen->capped)) {
		call_fail(call, GEN_FAILED_TIMER_F);
		caller_done(gen, call);
	} else if (bye) {
		const struct block *block = caller_block(gen, call);

		send_again(gen, call, reply_of(gen, block, REPLY_BYE), block->bytes);
	} else {
		send_again(gen, call, initial_request(gen, call), NULL);
	}
}

void
caller_timer(struct gen *gen, struct call *call)
{
	call->caller_due = 0;
	switch (call->caller) {
	case CALLER_CALLING:
		if (back_off(gen, call, &gen->doubled)) {
			send_again(gen, call, &gen->invite, NULL);
			return;
		}
		call_fail(call, GEN_FAILED_TIMER_B);
		break;
	case CALLER_REQUESTING:
		request_timer(gen, call);
		return;
	case CALLER_CANCELLING:
		if (back_off(gen, call, &gen->capped)) {
			send_again(gen, call, &gen->cancel, NULL);
			return;
		}
		call_fail(call, GEN_FAILED_TIMER_F);
		if (call->caller_block != BLOCK_NONE) { /* it was answered meanwhile */
			struct writer writer;

			message_writer(gen, call, &writer);
			hold(gen, call, &writer);
			return;
		}
		break;
	case CALLER_PROCEEDING:
	case CALLER_CANCELLED:
		call_fail(call, GEN_FAILED_NO_FINAL);
		break;
	default:
		return;
	}
	caller_done(gen, call);
}
