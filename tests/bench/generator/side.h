/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The two sides of calls: what they do when a message comes or time passes. caller.c, callee.c and ending.c.
 */
#ifndef BYEPASS_BENCH_SIDE_H
#define BYEPASS_BENCH_SIDE_H

#include "generator/shape.h"

/* Begins a call that the schedule intended for that time. False: no slot or no mbuf; it failed. */
bool caller_begin(struct gen *gen, uint64_t intended);
void caller_receive(struct gen *gen, struct message *message);
/* Its timer is due. */
void caller_timer(struct gen *gen, struct call *call);
void caller_cancel(struct gen *gen, struct call *call, const struct writer *writer);
void caller_bye(struct gen *gen, struct call *call, const struct writer *writer);

void callee_receive(struct gen *gen, struct message *message);
void callee_timer(struct gen *gen, struct call *call);
/* Sends the 180 or 200 that the INVITE has waited for. */
void callee_ring(struct gen *gen, struct call *call, const struct writer *writer);
void callee_answer(struct gen *gen, struct call *call, const struct writer *writer);
/* An OPTIONS request that is not of a call is answered, so that the target takes the side for alive. */
void callee_ping(struct gen *gen, enum side_id side, const struct rte_mbuf *mbuf);

/* ending.c: the first reason counts. */
static inline void
call_fail(struct call *call, enum gen_failure failure)
{
	if (call->failure == 0)
		call->failure = (unsigned)failure + 1u;
}
/* The caller has nothing more to do: the call is over when the callee has not either. */
void caller_done(struct gen *gen, struct call *call);
void callee_done(struct gen *gen, struct call *call);
/* The call came up in the timers. */
void call_timer(struct gen *gen, struct call *call);
void callee_block_return(struct gen *gen, struct call *call);
void call_drop(struct gen *gen, struct call *call); /* without counting it */

static inline void
call_wait(struct gen *gen, struct call *call, uint32_t *due, uint32_t ticks)
{
	*due = due_in(gen, ticks);
	timers_arm(&gen->timers, call, gen->tick, *due);
}

#endif
