/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Probing of targets: when to send OPTIONS, when to repeat it, and what the answers make of a target. Workers send, and
 * recognise the answers. The main thread calls all of this; only bp_prober_read() is for others too.
 */
#ifndef BYEPASS_PROBE_H
#define BYEPASS_PROBE_H

#include "byepass/dataplane.h"

struct bp_prober;

struct bp_prober_counts {
	uint64_t answered, failed; /* probes */
};

/* @config: outlives the prober. 0 or -ENOMEM. Free with bp_prober_free(); NULL is legal. */
int bp_prober_create(struct bp_prober **out, const struct bp_config *config, uint64_t now_us, uint64_t seed);
void bp_prober_free(struct bp_prober *prober);

/* Whether anything is probed at all. */
bool bp_prober_active(const struct bp_prober *prober);

/* Sends what is due and judges what is over. @now_us: monotonic. */
void bp_prober_turn(struct bp_prober *prober, struct bp_dataplane *dataplane, uint64_t now_us);

/* Any thread. False: the target is not probed. */
bool bp_prober_read(const struct bp_prober *prober, unsigned trunk, unsigned target, struct bp_prober_counts *out);

#endif
