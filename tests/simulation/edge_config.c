/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The edge's configuration: that of the flow tests, with three trunks that share the targets and a prefix to choose
 * each by: one target, several one after another, several at once.
 */
#include "edge.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

static void
make_trunk(struct bp_config_trunk *trunk, const char *name, unsigned count, struct agent *const *targets)
{
	snprintf(trunk->name, sizeof(trunk->name), "%s", name);
	trunk->realm = 1;
	trunk->target_count = (uint16_t)count;
	trunk->targets = calloc(count, sizeof(*trunk->targets));
	for (unsigned i = 0; i < count; i++) {
		trunk->targets[i].flow = targets[i]->flow;
		trunk->targets[i].weight = (uint16_t)(1 + i % 2);
		trunk->targets[i].priority = 1;
		snprintf(trunk->targets[i].uri, sizeof(trunk->targets[i].uri), "sip:%s", targets[i]->sent_by);
	}
}

static void
make_route(struct bp_config_route *route, const char *prefix, uint16_t trunk)
{
	*route = (struct bp_config_route){.from = 0, .trunk = trunk, .realm = 1};
	route->user_prefix_size = (uint8_t)snprintf(route->user_prefix, sizeof(route->user_prefix), "%s", prefix);
}

struct bp_config *
edge_config_create(const struct conditions *conditions, struct agent *const *targets)
{
	struct bp_config *config = world_config(false);

	config->timers = conditions->timers;
	config->dialog_us = conditions->dialog_us;
	snprintf(config->cdr.folder, sizeof(config->cdr.folder), "cdr"); /* calls have records */
	config->reap_by_bye = conditions->reap_by_bye;
	config->session_s = conditions->edge_session_s;
	free(config->trunks[0].targets);
	free(config->trunks);
	free(config->routes);
	config->trunk_count = TRUNKS;
	config->trunks = calloc(TRUNKS, sizeof(*config->trunks));
	make_trunk(&config->trunks[TRUNK_ONE], "one", 1, targets);
	make_trunk(&config->trunks[TRUNK_SERIAL], "serial", conditions->targets, targets);
	make_trunk(&config->trunks[TRUNK_PARALLEL], "parallel", conditions->targets, targets);
	config->trunks[TRUNK_SERIAL].timeout_us = conditions->target_us;
	config->trunks[TRUNK_PARALLEL].parallel = true;
	config->trunks[TRUNK_PARALLEL].targets[conditions->targets - 1].priority = 2;
	config->route_count = TRUNKS + 1;
	config->routes = calloc(TRUNKS + 1, sizeof(*config->routes));
	make_route(&config->routes[0], "one", TRUNK_ONE);
	make_route(&config->routes[1], "serial", TRUNK_SERIAL);
	make_route(&config->routes[2], "parallel", TRUNK_PARALLEL);
	config->routes[3] = (struct bp_config_route){.from = 1, .trunk = BP_CONFIG_NONE, .realm = 0};
	return config;
}

void
edge_config_free(struct bp_config *config)
{
	for (unsigned i = 1; i < config->trunk_count; i++)
		free(config->trunks[i].targets);
	world_config_free(config); /* the first trunk's, and all else */
}
