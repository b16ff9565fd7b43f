/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A generator on rings with a small stateless proxy as its target, all in virtual time: what the proxy does to
 * messages can be made wrong.
 */
#ifndef BYEPASS_TEST_BENCH_TARGET_H
#define BYEPASS_TEST_BENCH_TARGET_H

#include "generator/shape.h"

#include <rte_ring.h>

struct target {
	struct gen *gen;
	struct rte_ring *to_caller, *to_callee, *from_caller, *from_callee;
	uint64_t now;
	/* Every message on its way out of the proxy; may change it. @side: who gets it. */
	void (*mangle)(struct target *target, enum side_id side, char *message);
	/* Every frame just before it goes. */
	void (*look)(struct target *target, enum side_id side, const struct rte_mbuf *mbuf);
	const void *argument;
};

/* Once for the process. */
void target_eal(void);
/* @options: all but the ends. */
void target_begin(struct target *target, struct gen_options *options);
void target_end(struct target *target);
/* A message of the target's own. */
void target_send(struct target *target, enum side_id side, const char *text);
/* Until all calls are over. */
void target_run(struct target *target);

#endif
