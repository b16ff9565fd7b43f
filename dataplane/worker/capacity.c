/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What "auto" comes to. Control thread, or byepass --check.
 */
#include "worker/capacity.h"

#define PER_CALL (BP_CAPACITY_RECORD + BP_CAPACITY_KEPT + BP_CAPACITY_DIALOG)

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Records, each with a dialog, that "auto" allows. */
static uint32_t
automatic(uint64_t huge, uint64_t available)
{
	uint64_t share = (huge + available) / 4;
	uint64_t count = smaller(huge, share) / PER_CALL;

	if (count < BP_CAPACITY_MODEST)
		count = smaller(BP_CAPACITY_MODEST, share / PER_CALL);
	if (count < BP_CAPACITY_LEAST)
		count = BP_CAPACITY_LEAST;
	return (uint32_t)smaller(count, BP_CAPACITY_MOST);
}

void
bp_capacity_plan(
	struct bp_capacity *out, const struct bp_config_capacity *wanted, uint64_t huge, uint64_t available)
{
	out->transactions = wanted->transactions ? wanted->transactions : automatic(huge, available);
	out->dialogs = wanted->dialogs ? wanted->dialogs : out->transactions;
	out->kept_bytes = (uint64_t)out->transactions * BP_CAPACITY_KEPT;
	out->bytes = out->kept_bytes + (uint64_t)out->transactions * BP_CAPACITY_RECORD +
		     (uint64_t)out->dialogs * BP_CAPACITY_DIALOG;
}
