/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Whether the targets of a trunk can be used. The one part of the snapshot that is written to while it is in force: workers
 * note what became of the requests that they sent (dataplane/proxy/health.c), control says what probes made of it
 * (control/probe.c). All fields are read and written with the functions below; none guards another.
 */
#ifndef BYEPASS_HEALTH_H
#define BYEPASS_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

/* In the place of a status: the target is a name without an answer, so nothing was sent. */
#define BP_PROBE_SKIPPED 0

struct bp_target_health {
	uint64_t held_until_us; /* workers: rw. Their clock; until then no new request goes there */
	uint64_t failures;      /* workers: rw. In succession */
	uint64_t holds;         /* workers: rw. Times that it was held */
	uint64_t probed_down;   /* control: w, workers: r */
	uint64_t answered;      /* workers: w, control: r. The probe answered last: number << 16 | status */
} __attribute__((aligned(64)));

struct bp_trunk_health {
	uint64_t suspect __attribute__((aligned(64))); /* workers: rw. 1: some target may have failures */
	struct bp_target_health targets[] __attribute__((aligned(64)));
};

static inline uint64_t
bp_health_get(const uint64_t *field)
{
	return __atomic_load_n(field, __ATOMIC_SEQ_CST);
}

static inline void
bp_health_set(uint64_t *field, uint64_t value)
{
	__atomic_store_n(field, value, __ATOMIC_SEQ_CST);
}

static inline uint64_t
bp_health_add(uint64_t *field)
{
	return __atomic_add_fetch(field, 1, __ATOMIC_SEQ_CST);
}

static inline bool
bp_health_is_up(const struct bp_target_health *health, uint64_t now_us)
{
	return bp_health_get(&health->probed_down) == 0 && bp_health_get(&health->held_until_us) <= now_us;
}

#endif
