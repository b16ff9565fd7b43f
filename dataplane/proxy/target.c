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

/* Whether a request may go there at all; to a name as long as something is known of it. */
static bool
is_usable(const struct bp_engine *engine, const struct bp_config_target *target)
{
	return !target->draining && (target->name == NULL || bp_name_is_known(engine, target->name));
}

static bool
is_up(const struct bp_engine *engine, const struct bp_config_trunk *trunk, unsigned index)
{
	return (trunk->state == NULL || bp_health_is_up(&trunk->state->targets[index], engine->now_us)) &&
		is_usable(engine, &trunk->targets[index]);
}

static bool
any_up(const struct bp_engine *engine, const struct bp_config_trunk *trunk, unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (is_up(engine, trunk, first + i))
			return true;
	return false;
}

/* Whether targets may be skipped at all. */
static bool
is_watched(const struct bp_config_trunk *trunk)
{
	return trunk->state != NULL || trunk->draining || trunk->named;
}

bool
bp_target_pick(const struct bp_engine *engine, const struct bp_config_trunk *trunk, uint32_t place,
	struct bp_target_order *order)
{
	bool watched = is_watched(trunk), up = watched && any_up(engine, trunk, 0, trunk->target_count);
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
			if (watched && !(up ? is_up(engine, trunk, index) : is_usable(engine, &trunk->targets[index])))
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
bp_target_place(const struct bp_engine *engine, const struct bp_config_trunk *trunk, uint32_t place)
{
	unsigned first = 0, count;

	if (!is_watched(trunk))
		return place;
	for (; first < trunk->target_count; first += count) {
		count = group_size(trunk, first);
		if (!any_up(engine, trunk, first, count))
			continue;
		for (unsigned i = 0; i < PLACES_TRIED; i++) {
			if (is_up(engine, trunk, first + choose(trunk->targets + first, count, place)))
				break;
			place = (place ^ place >> 15) * 0x2c1b3c6du + 0x297a2d39u;
		}
		return place;
	}
	return place;
}

unsigned
bp_target_fork(const struct bp_engine *engine, const struct bp_config_trunk *trunk, uint32_t place,
	struct bp_target_order order)
{
	unsigned count = 1;
	uint16_t priority;

	if (!trunk->parallel || order.target == NULL)
		return 1;
	priority = order.target->priority;
	while (count < BP_BRANCHES_MAX && bp_target_pick(engine, trunk, place, &order) && order.target->priority == priority)
		count++;
	return count;
}
