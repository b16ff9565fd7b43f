/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The steps of the four machines, as transaction/record.c takes them, with the counters that make the
 * gauges of byepass_transactions. A record may be stepped by any worker, so each counts what it
 * saw enter and leave; only the sums over workers mean anything. Terminated is no place to
 * be counted in: it is left as it is entered.
 */
#include "proxy/context.h"

static void
count(struct bp_engine *engine, enum bp_machine_id machine, unsigned terminated, const struct bp_swap *swap)
{
	unsigned from = BP_WORD_GET(swap->before, STATE), to = BP_WORD_GET(swap->after, STATE);

	if (from == to || swap->action == BP_DO_DROP)
		return;
	bp_count(&engine->counters->states_left[machine][from], 1);
	if (to != terminated)
		bp_count(&engine->counters->states_entered[machine][to], 1);
}

static void
count_server(struct bp_engine *engine, const struct bp_record *record, const struct bp_swap *swap)
{
	if (bp_record_is_invite(record))
		count(engine, BP_MACHINE_IST, BP_IST_TERMINATED, swap);
	else
		count(engine, BP_MACHINE_NIST, BP_NIST_TERMINATED, swap);
}

struct bp_swap
bp_step_server(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned event, uint64_t set,
	uint16_t status)
{
	struct bp_swap swap = bp_server_event(record, generation, event, set, status);

	count_server(engine, record, &swap);
	return swap;
}

struct bp_swap
bp_step_branch_done(struct bp_engine *engine, struct bp_record *record, uint32_t generation, uint16_t status)
{
	struct bp_swap swap = bp_server_branch_done(record, generation, status);

	count_server(engine, record, &swap);
	return swap;
}

struct bp_swap
bp_step_branch(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch, unsigned event,
	uint64_t set, uint16_t status)
{
	struct bp_swap swap = bp_branch_event(record, generation, branch, event, set, status);

	if (bp_record_is_invite(record))
		count(engine, BP_MACHINE_ICT, BP_ICT_TERMINATED, &swap);
	else
		count(engine, BP_MACHINE_NICT, BP_NICT_TERMINATED, &swap);
	return swap;
}

void
bp_step_begin(struct bp_engine *engine, enum bp_machine_id machine)
{
	bp_count(&engine->counters->states_entered[machine][0], 1);
}
