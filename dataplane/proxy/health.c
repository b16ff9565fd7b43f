/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Live traffic and the targets of trunks: timeouts, 503 and ICMP errors in succession hold a target for a while, and so
 * does the Retry-After of a 503 (RFC 3261 21.5.4). Nothing is done here as long as all is well. Probes are in probe.c.
 */
#include "proxy/context.h"

/* Which target @branch was sent to; all addresses of a name are one target. NULL: the trunk has changed, or keeps no
 * health, or the name leads elsewhere now. */
static struct bp_target_health *
target_of(const struct bp_engine *engine, const struct bp_config_trunk *trunk, const struct bp_live *live, unsigned branch)
{
	if (trunk == NULL || trunk->state == NULL)
		return NULL;
	for (unsigned i = 0; i < trunk->target_count; i++) {
		const struct bp_config_target *target = &trunk->targets[i];
		const struct bp_flow *flow = &live->branches[branch].flow;

		if (target->name ? bp_name_leads_to(engine, target->name, flow) : bp_flow_equal(&target->flow, flow))
			return &trunk->state->targets[i];
	}
	return NULL;
}

static void
hold(struct bp_target_health *target, uint64_t now_us, uint64_t for_us)
{
	if (bp_health_get(&target->held_until_us) >= now_us + for_us)
		return;
	bp_health_add(&target->holds);
	bp_health_set(&target->held_until_us, now_us + for_us);
}

/* Its failures are not taken back by being held: when the time is over, the first one more holds it again. */
static void
fail(const struct bp_config_trunk *trunk, struct bp_target_health *target, uint64_t now_us)
{
	uint64_t failures;

	if (trunk->health.failures == 0)
		return;
	failures = bp_health_add(&target->failures);
	bp_health_set(&trunk->state->suspect, 1); /* behind it: see forgive() */
	if (failures >= trunk->health.failures && bp_health_get(&target->held_until_us) <= now_us)
		hold(target, now_us, trunk->health.hold_us);
}

/* Once no target has failures nobody needs to look. Who fails meanwhile sets the mark after the failure: either it stands
 * after ours, or we see the failure. */
static void
forgive(const struct bp_config_trunk *trunk, struct bp_target_health *target)
{
	if (bp_health_get(&target->failures) != 0)
		bp_health_set(&target->failures, 0);
	bp_health_set(&trunk->state->suspect, 0);
	for (unsigned i = 0; i < trunk->target_count; i++)
		if (bp_health_get(&trunk->state->targets[i].failures) != 0)
			bp_health_set(&trunk->state->suspect, 1);
}

/* Microseconds; 0: there is none. */
static uint64_t
retry_after_us(const struct bp_sip_message *m, uint64_t most_us)
{
	const struct bp_sip_header *header = bp_sip_first(m, BP_SIP_RETRY_AFTER);
	uint64_t seconds = 0;

	if (header == NULL)
		return 0;
	for (unsigned i = 0; i < header->value.size; i++) {
		uint8_t digit = (uint8_t)(bp_sip_at(m, header->value)[i] - '0');

		if (digit > 9)
			break;
		seconds = seconds * 10 + digit;
		if (seconds * 1000000 >= most_us)
			return most_us;
	}
	return seconds * 1000000;
}

void
bp_health_heard(
	struct bp_engine *engine, struct bp_record *record, unsigned branch, const struct bp_sip_message *m)
{
	const struct bp_live *live = atomic_load(&record->live);
	const struct bp_config_trunk *trunk = live ? bp_trunk_of(engine, live) : NULL;
	struct bp_target_health *target;
	uint64_t for_us;

	if (trunk == NULL || trunk->state == NULL || (m->status != 503 && bp_health_get(&trunk->state->suspect) == 0))
		return;
	target = target_of(engine, trunk, live, branch);
	if (target == NULL)
		return;
	if (m->status != 503) {
		forgive(trunk, target);
		return;
	}
	for_us = retry_after_us(m, trunk->health.retry_after_us);
	if (for_us > 0)
		hold(target, engine->now_us, for_us);
	fail(trunk, target, engine->now_us);
}

void
bp_health_failed(struct bp_engine *engine, struct bp_record *record, unsigned branch)
{
	const struct bp_live *live = record->watched ? atomic_load(&record->live) : NULL;
	const struct bp_config_trunk *trunk = live ? bp_trunk_of(engine, live) : NULL;
	struct bp_target_health *target = target_of(engine, trunk, live, branch);

	if (target != NULL)
		fail(trunk, target, engine->now_us);
}
