/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The targets of a trunk in the order in which one call tries them: by priority, and among equals from a place
 * chosen by weight. The same call always gets the same order.
 */
#include "proxy/context.h"

/* How many targets from @first on have its priority. */
static unsigned
group_size(const struct bp_config_trunk *trunk, unsigned first)
{
	unsigned end = first;

	while (end < trunk->target_count && trunk->targets[end].priority == trunk->targets[first].priority)
		end++;
	return end - first;
}

static unsigned
choose(const struct bp_config_target *targets, unsigned count, uint32_t place)
{
	uint32_t weights = 0;

	for (unsigned i = 0; i < count; i++)
		weights += targets[i].weight;
	if (weights == 0)
		return place % count;
	place %= weights;
	for (unsigned i = 0; i < count; i++) {
		if (place < targets[i].weight)
			return i;
		place -= targets[i].weight;
	}
	return 0;
}

const struct bp_config_target *
bp_target(const struct bp_config_trunk *trunk, uint32_t place, unsigned nth)
{
	unsigned first = 0, count;

	while (first < trunk->target_count) {
		count = group_size(trunk, first);
		if (nth < count)
			return &trunk->targets[first +
				(choose(trunk->targets + first, count, place) + nth) % count];
		nth -= count;
		first += count;
	}
	return NULL;
}

unsigned
bp_target_fork(const struct bp_config_trunk *trunk)
{
	unsigned count = trunk->parallel && trunk->target_count > 0 ? group_size(trunk, 0) : 1;

	return count < BP_BRANCHES_MAX ? count : BP_BRANCHES_MAX;
}
