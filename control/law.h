/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The counting law: messages received = forwarded + answered + absorbed + dropped + parked,
 * summed over workers. Read while workers run, so a message that is being handled is
 * told from one that is lost.
 */
#ifndef BYEPASS_LAW_H
#define BYEPASS_LAW_H

#include "byepass/dataplane.h"

/* Messages of one worker that may be between "received" and their disposition when it is looked at: it handles
 * one after the other. */
#define BP_LAW_IN_FLIGHT 1

struct bp_law {
	uint64_t received;
	uint64_t accounted; /* forwarded, answered, absorbed, or dropped as a message */
	bool holds;
};

/* Messages that were dropped: the drops of scope MESSAGE. */
uint64_t bp_law_dropped(const struct bp_counters *counters);

/* forwarded + answered + absorbed + dropped. */
uint64_t bp_law_accounted(const struct bp_counters *counters);

/* Looks at the running workers up to @attempts times, a millisecond apart, until the two sides are equal. It is
 * off when they differ and neither has moved in all that time, or when they differ by more than what may be in
 * flight. One attempt alone cannot tell what is lost from what is in flight: it allows for that much.
 * @between: called between two looks instead of sleeping; NULL: sleep. */
void bp_law_check(
	const struct bp_dataplane *dataplane, unsigned attempts, void (*between)(void), struct bp_law *law);

/* "holds", or what is off. Returns @out. */
const char *bp_law_text(const struct bp_law *law, char *out, size_t size);

#endif
