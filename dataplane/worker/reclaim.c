/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The worker's side of reclamation. The thread is made in reclaim_control.c.
 */
#include "worker/reclaim.h"
#include "proxy/engine.h"
#include "transaction/slab.h"

#include <urcu/compiler.h>

static void
release(struct rcu_head *head)
{
	bp_batch_release(caa_container_of(head, struct bp_batch, rcu));
}

void
bp_reclaim_defer(void *context, struct bp_batch *batch)
{
	call_rcu(&batch->rcu, release);
}
