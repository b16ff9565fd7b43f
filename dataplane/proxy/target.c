/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The targets of a trunk in the order in which one call tries them: by priority, and among equals from a place
 * chosen by weight. The same place always gives the same order; targets that are not up are skipped, unless none is.
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

static bool
is_up(const struct bp_config_trunk *trunk, unsigned index, uint64_t now_us)
{
	return !trunk->targets[index].draining &&
		(trunk->state == NULL || bp_health_is_up(&trunk->state->targets[index], now_us));
}

static bool
any_up(const struct bp_config_trunk *trunk, unsigned first, unsigned count, uint64_t now_us)
{
	for (unsigned i = 0; i < count; i++)
		if (is_up(trunk, first + i, now_us))
			return true;
	return false;
}

/* Whether targets may be skipped at all. */
static bool
is_watched(const struct bp_config_trunk *trunk)
{
	return trunk->state != NULL || trunk->draining;
}

bool
bp_target_pick(const struct bp_config_trunk *trunk, uint32_t place, uint64_t now_us, struct bp_target_order *order)
{
	bool watched = is_watched(trunk), up = watched && any_up(trunk, 0, trunk->target_count, now_us);
	unsigned first = 0, count, nth = order->next;

	for (; first < trunk->target_count; first += count) {
		unsigned start;

		count = group_size(trunk, first);
		if (nth >= count) {
			nth -= count;
			continue;
		}
		start = choose(trunk->targets + first, count, place);
		for (; nth < count; nth++) {
			unsigned index = first + (start + nth) % count;

			order->next++;
			if (watched && (trunk->targets[index].draining || (up && !is_up(trunk, index, now_us))))
				continue;
			order->target = &trunk->targets[index];
			return true;
		}
		nth = 0;
	}
	return false;
}

#define PLACES_TRIED 16

/* The calls of a target that is not up are to be shared by all others, by weight, not taken by its neighbour. */
uint32_t
bp_target_place(const struct bp_config_trunk *trunk, uint32_t place, uint64_t now_us)
{
	unsigned first = 0, count;

	if (!is_watched(trunk))
		return place;
	for (; first < trunk->target_count; first += count) {
		count = group_size(trunk, first);
		if (!any_up(trunk, first, count, now_us))
			continue;
		for (unsigned i = 0; i < PLACES_TRIED; i++) {
			if (is_up(trunk, first + choose(trunk->targets + first, count, place), now_us))
				break;
			place = (place ^ place >> 15) * 0x2c1b3c6du + 0x297a2d39u;
		}
		return place;
	}
	return place;
}

unsigned
bp_target_fork(const struct bp_config_trunk *trunk, uint32_t place, uint64_t now_us, struct bp_target_order order)
{
	unsigned count = 1;
	uint16_t priority;

	if (!trunk->parallel || order.target == NULL)
		return 1;
	priority = order.target->priority;
	while (count < BP_BRANCHES_MAX && bp_target_pick(trunk, place, now_us, &order) && order.target->priority == priority)
		count++;
	return count;
}
