/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The choice of the final response among the branches of an INVITE (RFC 3261 16.7 steps 4 to 6, 16.8, 16.9).
 */
#include "witness.h"

#include "edge.h"
#include "people.h"

/* A final response that has a say. */
static bool
has_answer(const struct sim *sim, const struct branch *branch)
{
	return branch->refused.end > 0 && !branch->ambiguous &&
		!branch_may_be_abandoned(sim, branch, mark_settled_us(sim, &branch->refused)) &&
		!branch_may_be_over(sim, branch, mark_settled_us(sim, &branch->refused));
}

static unsigned
class_of(unsigned status)
{
	return status >= 600 ? 0 : status / 100; /* a 6xx first, then the lowest class */
}

/* The class that the response must not exceed; 7: no branch has an answer. */
static unsigned
best_class(const struct sim *sim, const struct upstream *up)
{
	unsigned best = 7;

	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next)
		if (has_answer(sim, branch) && class_of(branch->status) < best)
			best = class_of(branch->status);
	return best;
}

/* Whether there was nothing but what sends the request to the next target, and one is left. */
static bool
stopped_too_soon(const struct sim *sim, const struct upstream *up)
{
	enum trunk trunk = up->client->call->trunk;

	if (up->client->leg != NULL || trunk == NO_TRUNK || up->cancel.begin > 0 ||
		up->branch_count >= edge_target_count(sim->edge, trunk))
		return false;
	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next) {
		bool gave_way = branch->refused.begin > 0 ? branch->status == 503 && !branch->ambiguous
							  : branch->provisional.begin == 0;

		if (!gave_way)
			return false;
	}
	return true;
}

void
witness_choice(struct sim *sim, struct in_hand *hand, struct upstream *up, unsigned status)
{
	struct call *call = up->client->call;
	unsigned best = best_class(sim, up);

	for (const struct branch *branch = up->branches; branch != NULL; branch = branch->next)
		if (branch->refused.begin == 0 && !branch_may_be_over(sim, branch, sim->now_us) &&
			!branch_may_be_abandoned(sim, branch, sim->now_us))
			sim_fail(sim, call, "a %u went up while the branch to %s is pending (RFC 3261 16.7 step 5)",
				status, branch->to->contact);
	if (class_of(status) > best)
		sim_fail(sim, call, "a %u went up though a better response is there (RFC 3261 16.7 step 6)", status);
	if (stopped_too_soon(sim, up))
		sim_fail(sim, call, "a %u went up though a target is left to try", status);
}
