/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What "auto" comes to. Control thread, or byepass --check.
 */
#include "worker/capacity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define PER_CALL                                                                                             \
	(BP_CAPACITY_RECORD + BP_CAPACITY_KEPT + BP_CAPACITY_DIALOG + BP_CAPACITY_DIALOG_KEPT +              \
		2 * BP_CAPACITY_BUCKETS)

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
	uint64_t pools;

	out->transactions = wanted->transactions ? wanted->transactions : automatic(huge, available);
	out->dialogs = wanted->dialogs ? wanted->dialogs : out->transactions;
	pools = (uint64_t)out->transactions * BP_CAPACITY_RECORD + (uint64_t)out->dialogs * BP_CAPACITY_DIALOG;
	out->kept_bytes = (uint64_t)out->transactions * (wanted->kept ? wanted->kept : BP_CAPACITY_KEPT) +
			  (uint64_t)out->dialogs * BP_CAPACITY_DIALOG_KEPT;
	if (pools < BP_CAPACITY_REACH) /* always, with what the configuration admits */
		out->kept_bytes = smaller(out->kept_bytes, BP_CAPACITY_REACH - pools);
	out->bytes = pools + out->kept_bytes +
		     ((uint64_t)out->transactions + out->dialogs) * BP_CAPACITY_BUCKETS;
	out->used_bytes = out->bytes;
	if (wanted->kept) /* whoever counts so closely leaves no room for what is never touched */
		out->used_bytes -= (uint64_t)out->transactions * (BP_CAPACITY_RECORD - 128u - BP_CAPACITY_TIMERS_USED);
}

void
bp_capacity_add_cdrs(struct bp_capacity *plan)
{
	uint64_t pools = (uint64_t)plan->transactions * BP_CAPACITY_RECORD + (uint64_t)plan->dialogs * BP_CAPACITY_DIALOG;
	uint64_t named = pools + plan->kept_bytes;
	uint64_t more = (uint64_t)plan->dialogs * BP_CAPACITY_CDR;

	if (named + more > BP_CAPACITY_REACH)
		more = named < BP_CAPACITY_REACH ? BP_CAPACITY_REACH - named : 0;
	plan->kept_bytes += more;
	plan->bytes += more;
	plan->used_bytes += more;
}

int
bp_capacity_check(
	const struct bp_capacity *plan, uint64_t besides, uint64_t machine, char *error, size_t error_size)
{
	if (machine == 0 || plan->used_bytes + besides <= machine)
		return 0;
	snprintf(error, error_size,
		"capacity: %" PRIu32 " transactions and %" PRIu32 " dialogs take %" PRIu64
		" MiB, packet buffers %" PRIu64 " MiB, and this machine has %" PRIu64 " MiB",
		plan->transactions, plan->dialogs, plan->used_bytes >> 20, besides >> 20, machine >> 20);
	return -ENOMEM;
}
