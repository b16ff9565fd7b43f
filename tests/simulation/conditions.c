/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a seed is like: each draws its own network, its own workers and its own kind of people, so that every
 * extreme has its turn.
 */
#include "sim.h"

static unsigned
below(struct random *random, unsigned n)
{
	return random_below(random, n);
}

static bool
one_in(struct random *random, unsigned n)
{
	return below(random, n) == 0;
}

/* A share that is often nothing, seldom @most. */
static unsigned
share(struct random *random, unsigned most)
{
	switch (below(random, 4)) {
	case 0:
		return 0;
	case 1:
		return below(random, most / 4 + 1);
	default:
		return below(random, most + 1);
	}
}

static void
choose_network(struct conditions *c, struct random *random)
{
	static const uint64_t delays_us[] = {0, 0, MS(1), MS(20), MS(120)};
	static const uint64_t jitters_us[] = {0, 100, MS(5), MS(100), MS(600)};

	c->loss = share(random, 300);
	c->duplicates = share(random, 200);
	c->doubles = share(random, 400);
	c->delay_us = delays_us[below(random, 5)];
	c->jitter_us = jitters_us[below(random, 5)];
	c->shuffle = one_in(random, 2);
}

static void
choose_edge(struct conditions *c, struct random *random)
{
	static const uint64_t lags_us[] = {0, 0, 50, MS(1), MS(60)};
	static const unsigned stops[] = {0, 30, 150, 600, 3000};

	c->workers = one_in(random, 8) ? 1 : 2 + below(random, 2);
	c->targets = 2 + below(random, TARGETS_MAX - 1);
	c->timers = (struct bp_config_timers){MS(500), SECONDS(4), SECONDS(5), SECONDS(180), SECONDS(32)};
	if (one_in(random, 8))
		c->timers = (struct bp_config_timers){MS(300), SECONDS(2), SECONDS(3), SECONDS(60), SECONDS(32)};
	c->dialog_us = SECONDS(one_in(random, 4) ? 90 : 900);
	c->target_us = one_in(random, 3) ? 0 : MS(400) + MS(below(random, 6000));
	c->reap_by_bye = one_in(random, 2);
	c->edge_session_s = one_in(random, 3) ? 90 + below(random, 60) : 0;
	c->lag_us = lags_us[below(random, 5)];
	c->stops = stops[below(random, 5)];
	c->hook_stops = share(random, 300);
}

static void
choose_people(struct conditions *c, struct random *random)
{
	static const unsigned calls[] = {20, 40, 80, 160, 320};

	c->calls = calls[below(random, 5)] + below(random, 40);
	if (one_in(random, 20)) /* most of what goes wrong needs few; some need a crowd */
		c->calls = 1000 + below(random, 2000);
	c->session_s = one_in(random, 3) ? 0 : 90 + below(random, 200);
	c->window_us = one_in(random, 3) ? SECONDS(1) : SECONDS(40);
	c->core_callers = share(random, 600);
	c->plain = share(random, 300);
	c->cancels = share(random, 900);
	c->refusals = share(random, 600);
	c->silents = share(random, 200);
	c->endless = share(random, 100);
	c->deaths = share(random, 200);
	c->outages = share(random, 500);
	c->routeless = share(random, 300);
	c->forks = share(random, 300);
	c->twice = share(random, 200);
	c->rude = share(random, 300);
}

void
conditions_choose(struct conditions *conditions, struct random *random)
{
	choose_edge(conditions, random);
	choose_network(conditions, random);
	choose_people(conditions, random);
}
