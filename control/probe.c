/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Probing of targets, see probe.h. A probe is a NICT of which the workers keep nothing: control repeats it at the times of
 * timer E (RFC 3261 17.1.2.2) until it is answered or its time is over.
 */
#include "probe.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

struct probed {
	uint16_t trunk, target;
	uint32_t number; /* of the probe under way, or of the last */
	uint64_t begin_us, due_us;
	uint32_t sent; /* times; 0: the probe that is due next */
	bool waiting;  /* a probe is under way */
	bool down;
	uint32_t streak; /* results in succession that speak against its state */
	_Atomic uint64_t answered, failed; /* main: rw, others: ro */
};

struct bp_prober {
	const struct bp_config *config;
	uint32_t count;
	uint64_t random;
	uint32_t *first; /* by trunk, into `list`; UINT32_MAX: not probed */
	struct probed *list;
};

static uint64_t
next_random(struct bp_prober *prober)
{
	prober->random ^= prober->random << 13;
	prober->random ^= prober->random >> 7;
	return prober->random ^= prober->random << 17;
}

static const struct bp_config_trunk *
trunk_of(const struct bp_prober *prober, const struct probed *probed)
{
	return &prober->config->trunks[probed->trunk];
}

int
bp_prober_create(struct bp_prober **out, const struct bp_config *config, uint64_t now_us, uint64_t seed)
{
	struct bp_prober *prober = calloc(1, sizeof(*prober));
	uint32_t count = 0;

	if (prober == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < config->trunk_count; i++)
		count += config->trunks[i].probe.interval_us != 0 ? config->trunks[i].target_count : 0u;
	prober->config = config;
	prober->random = seed | 1;
	prober->first = calloc(config->trunk_count + 1u, sizeof(*prober->first));
	prober->list = calloc(count + 1u, sizeof(*prober->list));
	if (prober->first == NULL || prober->list == NULL) {
		bp_prober_free(prober);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < config->trunk_count; i++) {
		const struct bp_config_trunk *trunk = &config->trunks[i];

		prober->first[i] = trunk->probe.interval_us != 0 && trunk->state != NULL ? prober->count : UINT32_MAX;
		for (unsigned t = 0; prober->first[i] != UINT32_MAX && t < trunk->target_count; t++)
			prober->list[prober->count++] = (struct probed){.trunk = (uint16_t)i,
				.target = (uint16_t)t,
				.due_us = now_us + next_random(prober) % trunk->probe.interval_us};
	}
	*out = prober;
	return 0;
}

void
bp_prober_free(struct bp_prober *prober)
{
	if (prober == NULL)
		return;
	free(prober->first);
	free(prober->list);
	free(prober);
}

bool
bp_prober_active(const struct bp_prober *prober)
{
	return prober->count > 0;
}

/* The next one @interval after the begin of this one, a tenth more or less. */
static void
finish(struct bp_prober *prober, struct probed *probed, uint64_t now_us)
{
	uint64_t interval_us = trunk_of(prober, probed)->probe.interval_us;

	probed->waiting = false;
	probed->sent = 0;
	probed->due_us = probed->begin_us + interval_us * 9 / 10 + next_random(prober) % (interval_us / 5);
	if (probed->due_us < now_us)
		probed->due_us = now_us;
}

static void
judge(struct bp_prober *prober, struct probed *probed, bool good)
{
	const struct bp_config_trunk *trunk = trunk_of(prober, probed);

	atomic_fetch_add(good ? &probed->answered : &probed->failed, 1);
	probed->streak = good == probed->down ? probed->streak + 1 : 0;
	if (probed->streak < (probed->down ? trunk->probe.up : trunk->probe.down))
		return;
	probed->streak = 0;
	probed->down = !probed->down;
	bp_health_set(&trunk->state->targets[probed->target].probed_down, probed->down);
	bp_log(probed->down ? BP_LOG_WARNING : BP_LOG_INFO, probed->down ? "target_down" : "target_up", "trunk=%s target=%s",
		trunk->name, trunk->targets[probed->target].uri);
}

/* Whether the probe under way has its answer, or its time is over. */
static bool
is_over(struct bp_prober *prober, struct probed *probed, uint64_t now_us)
{
	const struct bp_config_trunk *trunk = trunk_of(prober, probed);
	uint64_t answer = bp_health_get(&trunk->state->targets[probed->target].answered);
	uint64_t status = answer & 0xffff;

	if (answer != 0 && answer >> 16 == probed->number) {
		if (status != BP_PROBE_SKIPPED)
			judge(prober, probed, status != 503 && status != 408);
	} else if (now_us < probed->begin_us + trunk->probe.timeout_us) {
		return false;
	} else if (probed->sent > 0) { /* else no worker could send it: that says nothing of the target */
		judge(prober, probed, false);
	}
	finish(prober, probed, now_us);
	return true;
}

/* After T1, 3*T1, 7*T1 ... and then at each T2. */
static uint64_t
repeat_us(const struct bp_config_timers *timers, uint32_t sent)
{
	uint64_t at_us = 0, step_us = timers->t1_us;

	for (uint32_t i = 0; i < sent; i++) {
		at_us += step_us;
		step_us = step_us * 2 < timers->t2_us ? step_us * 2 : timers->t2_us;
	}
	return at_us;
}

static void
turn(struct bp_prober *prober, struct bp_dataplane *dataplane, struct probed *probed, uint64_t now_us)
{
	if (probed->waiting && is_over(prober, probed, now_us))
		return;
	if (probed->due_us > now_us)
		return;
	if (!probed->waiting) {
		probed->waiting = true;
		probed->number++;
		probed->begin_us = now_us;
	}
	if (bp_dataplane_probe(dataplane, probed->trunk, probed->target, probed->number) != 0)
		return;
	probed->sent++;
	probed->due_us = probed->begin_us + repeat_us(&prober->config->timers, probed->sent);
}

void
bp_prober_turn(struct bp_prober *prober, struct bp_dataplane *dataplane, uint64_t now_us)
{
	for (uint32_t i = 0; i < prober->count; i++)
		turn(prober, dataplane, &prober->list[i], now_us);
}

bool
bp_prober_read(const struct bp_prober *prober, unsigned trunk, unsigned target, struct bp_prober_counts *out)
{
	const struct probed *probed;

	if (prober == NULL || prober->first[trunk] == UINT32_MAX)
		return false;
	probed = &prober->list[prober->first[trunk] + target];
	*out = (struct bp_prober_counts){atomic_load(&probed->answered), atomic_load(&probed->failed)};
	return true;
}
