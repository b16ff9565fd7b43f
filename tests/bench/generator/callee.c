/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The called side: a UAS's responses, with the retransmission of its final ones (RFC 3261 13.3.1.4, 15.1.2, 17.2).
 */
#include "generator/side.h"

static const struct block *
callee_block(const struct gen *gen, const struct call *call)
{
	return &gen->calls.blocks[call->callee_block];
}

void
callee_block_return(struct gen *gen, struct call *call)
{
	if (call->callee_block == BLOCK_NONE)
		return;
	gen->shapes[callee_block(gen, call)->shape].users--;
	block_return(&gen->calls, call->callee_block);
	call->callee_block = BLOCK_NONE;
}

static void
respond(struct gen *gen, struct call *call, const struct writer *writer, unsigned reply)
{
	const struct block *block = callee_block(gen, call);

	frame_send(gen, CALLEE, gen->shapes[block->shape].replies[reply], writer, block->bytes);
}

void
callee_ring(struct gen *gen, struct call *call, const struct writer *writer)
{
	call->callee = CALLEE_RINGING;
	call->response_at = fine(gen->now);
	respond(gen, call, writer, REPLY_RINGING);
}

void
callee_answer(struct gen *gen, struct call *call, const struct writer *writer)
{
	if (call->callee != CALLEE_RINGING)
		return; /* a CANCEL has ended it */
	call->callee = CALLEE_ANSWERED;
	call->response_at = fine(gen->now);
	call->callee_tries = 0;
	call->act_due = 0;
	respond(gen, call, writer, REPLY_OK);
	call_wait(gen, call, &call->callee_due, gen->capped.intervals[0]);
}

/* What rings at once, and what waits for its CANCEL. */
static void
begin(struct gen *gen, struct call *call, const struct writer *writer)
{
	switch (call->scenario) {
	case GEN_CANCEL_EARLY:
		if (call->flags & CALL_RING_NOW)
			callee_ring(gen, call, writer);
		else if (gen->direct) /* a CANCEL needs a provisional response (RFC 3261 9.1), and nobody else sends one */
			respond(gen, call, writer, REPLY_TRYING);
		break;
	case GEN_BYE:
		callee_ring(gen, call, writer);
		if (gen->ring == 0)
			callee_answer(gen, call, writer);
		else
			call_wait(gen, call, &call->act_due, gen->ring);
		break;
	default:
		callee_ring(gen, call, writer);
		break;
	}
}

static void
repeat_response(struct gen *gen, struct call *call, const struct writer *writer)
{
	gen->report.repeated++;
	if (call->callee == CALLEE_RINGING)
		respond(gen, call, writer, REPLY_RINGING);
	else if (call->callee == CALLEE_REFUSED)
		respond(gen, call, writer, REPLY_TERMINATED);
	else if (call->callee == CALLEE_WAITING && gen->direct)
		respond(gen, call, writer, REPLY_TRYING);
}

static void
invited(struct gen *gen, struct message *message)
{
	struct call *call = message->call;
	struct block *block;
	uint32_t index;

	if (call->callee != CALLEE_IDLE) {
		repeat_response(gen, call, &message->writer);
		return;
	}
	block = block_take(&gen->calls, &index);
	if (block == NULL)
		return; /* it will come again */
	call->callee_block = index & BLOCK_NONE;
	block->shape = (uint16_t)(message->shape - gen->shapes);
	message->shape->users++;
	shape_keep(message->shape, message->bytes, block->bytes);
	call->trunk = (uint8_t)message->place;
	call->callee = CALLEE_WAITING;
	gen_histogram_record(&gen->report.transit, gen->now - call->begun);
	begin(gen, call, &message->writer);
}

static void
acknowledged(struct gen *gen, struct message *message)
{
	struct call *call = message->call;

	if (call->callee != CALLEE_ANSWERED && call->callee != CALLEE_REFUSED) {
		gen->report.repeated++;
		return;
	}
	call->callee_due = 0;
	callee_block_return(gen, call);
	if (call->callee == CALLEE_REFUSED) {
		callee_done(gen, call);
		return;
	}
	gen_histogram_record(&gen->report.onward, since(gen, call->request_at));
	call->callee = CALLEE_CONFIRMED;
	if (call->flags & CALL_BYE_SEEN)
		callee_done(gen, call);
}

/* The 200 to a request that is not INVITE, out of the request. */
static void
accept(struct gen *gen, struct message *message, bool first)
{
	struct shape *shape = message->shape;
	uint8_t kept[BLOCK_BYTES];

	shape_keep(shape, message->bytes, kept);
	if (first) {
		gen_histogram_record(&gen->report.onward, since(gen, message->call->request_at));
		message->call->response_at = fine(gen->now);
	} else {
		gen->report.repeated++;
	}
	frame_send(gen, CALLEE, shape->replies[REPLY_OK_REQUEST], &message->writer, kept);
}

static void
ended(struct gen *gen, struct message *message)
{
	struct call *call = message->call;
	bool first = !(call->flags & CALL_BYE_SEEN);

	if (call->callee != CALLEE_CONFIRMED && call->callee != CALLEE_ANSWERED && call->callee != CALLEE_DONE) {
		call_fail(call, GEN_FAILED_WRONG_MESSAGE);
		return;
	}
	accept(gen, message, first);
	call->flags |= CALL_BYE_SEEN;
	if (call->callee == CALLEE_CONFIRMED) /* else the 200 is repeated until its ACK is here */
		callee_done(gen, call);
}

static void
cancelled(struct gen *gen, struct message *message)
{
	struct call *call = message->call;
	bool pending = call->callee == CALLEE_WAITING || call->callee == CALLEE_RINGING;
	uint8_t kept[BLOCK_BYTES];

	if (call->callee == CALLEE_IDLE) {
		call_fail(call, GEN_FAILED_WRONG_MESSAGE);
		return;
	}
	if (pending && gen->direct) {
		gen_histogram_record(&gen->report.onward, since(gen, call->request_at));
		call->response_at = fine(gen->now);
	} else if (!pending && call->callee != CALLEE_ANSWERED) {
		gen->report.repeated++;
	}
	shape_keep(message->shape, message->bytes, kept);
	frame_send(gen, CALLEE, message->shape->replies[REPLY_OK_REQUEST], &message->writer, kept);
	if (!pending)
		return; /* a final response was sent: without effect (9.2) */
	call->callee = CALLEE_REFUSED;
	call->flags |= CALL_REFUSED;
	call->callee_tries = 0;
	call->act_due = 0;
	call->response_at = fine(gen->now);
	respond(gen, call, &message->writer, REPLY_TERMINATED);
	call_wait(gen, call, &call->callee_due, gen->capped.intervals[0]);
}

void
callee_receive(struct gen *gen, struct message *message)
{
	struct call *call = message->call;

	switch (message->shape->kind) {
	case GEN_KIND_INVITE:
		invited(gen, message);
		break;
	case GEN_KIND_ACK:
	case GEN_KIND_ACK_FINAL:
		acknowledged(gen, message);
		break;
	case GEN_KIND_BYE:
		ended(gen, message);
		break;
	case GEN_KIND_CANCEL:
		cancelled(gen, message);
		break;
	default: /* OPTIONS, REGISTER */
		accept(gen, message, call->callee == CALLEE_IDLE);
		if (call->callee == CALLEE_IDLE) {
			call->trunk = (uint8_t)message->place;
			callee_done(gen, call);
		}
		break;
	}
}

void
callee_timer(struct gen *gen, struct call *call)
{
	uint32_t interval = gen->capped.intervals[++call->callee_tries];
	unsigned reply = call->callee == CALLEE_ANSWERED ? REPLY_OK : REPLY_TERMINATED;
	struct writer writer;

	call->callee_due = 0;
	if (call->callee != CALLEE_ANSWERED && call->callee != CALLEE_REFUSED)
		return;
	if (interval == 0) {
		call_fail(call, GEN_FAILED_NO_ACK);
		callee_done(gen, call);
		return;
	}
	message_writer(gen, call, &writer);
	respond(gen, call, &writer, reply);
	gen->report.retransmitted[reply == REPLY_OK ? GEN_KIND_OK : GEN_KIND_FINAL]++;
	call_wait(gen, call, &call->callee_due, interval);
}
