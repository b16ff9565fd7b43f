/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The state of trunks and their targets: /v1/trunks and the metrics that have their names as labels.
 */
#include "http/metric.h"
#include "probe.h"

#include <inttypes.h>

static bool
is_up(const struct bp_control *control, const struct bp_config_trunk *trunk, unsigned target)
{
	return trunk->state == NULL ||
		bp_health_is_up(&trunk->state->targets[target], bp_dataplane_now_us(control->dataplane));
}

static json_t *
describe_probe(const struct bp_control *control, unsigned trunk, unsigned target)
{
	struct bp_prober_counts counts;

	if (!bp_prober_read(control->prober, trunk, target, &counts))
		return json_null();
	return json_pack("{s:I,s:I}", "answered", (json_int_t)counts.answered, "failed", (json_int_t)counts.failed);
}

static json_t *
describe_target(const struct bp_control *control, unsigned trunk, unsigned target)
{
	const struct bp_config_trunk *t = &control->config->trunks[trunk];
	const struct bp_config_target *to = &t->targets[target];
	const struct bp_target_health *health = t->state != NULL ? &t->state->targets[target] : NULL;
	uint64_t now_us = bp_dataplane_now_us(control->dataplane);
	uint64_t until_us = health != NULL ? bp_health_get(&health->held_until_us) : 0;

	return json_pack("{s:s,s:i,s:i,s:s,s:f,s:I,s:I,s:o}", "uri", to->uri, "priority", (int)to->priority, "weight",
		(int)to->weight, "state", to->draining ? "draining" : is_up(control, t, target) ? "up" : "down",
		"held_seconds", until_us > now_us ? (double)(until_us - now_us) / 1e6 : 0.0, "failures",
		health != NULL ? (json_int_t)bp_health_get(&health->failures) : 0, "holds",
		health != NULL ? (json_int_t)bp_health_get(&health->holds) : 0, "probes",
		describe_probe(control, trunk, target));
}

void
bp_handle_trunks(struct bp_control *control, const struct bp_request *request, struct bp_reply *reply)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < control->config->trunk_count; i++) {
		const struct bp_config_trunk *trunk = &control->config->trunks[i];
		json_t *targets = json_array();

		for (unsigned t = 0; t < trunk->target_count; t++)
			json_array_append_new(targets, describe_target(control, i, t));
		json_array_append_new(list, json_pack("{s:s,s:s,s:o}", "name", trunk->name, "realm",
						    control->config->realms[trunk->realm].name, "targets", targets));
	}
	bp_reply_json(reply, 200, json_pack("{s:o}", "trunks", list));
}

void
bp_metric_trunk_up(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	const struct bp_config *config = view->control->config;

	for (unsigned i = 0; i < config->trunk_count; i++)
		for (unsigned t = 0; t < config->trunks[i].target_count; t++)
			fprintf(stream, "byepass_%s{trunk=\"%s\",target=\"%s\"} %d\n", m->name, config->trunks[i].name,
				config->trunks[i].targets[t].uri, is_up(view->control, &config->trunks[i], t));
}

void
bp_metric_trunk_holds(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	const struct bp_config *config = view->control->config;

	for (unsigned i = 0; i < config->trunk_count; i++)
		for (unsigned t = 0; config->trunks[i].state != NULL && t < config->trunks[i].target_count; t++)
			fprintf(stream, "byepass_%s{trunk=\"%s\",target=\"%s\"} %" PRIu64 "\n", m->name, config->trunks[i].name,
				config->trunks[i].targets[t].uri, bp_health_get(&config->trunks[i].state->targets[t].holds));
}

void
bp_metric_trunk_probes(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	const struct bp_config *config = view->control->config;
	struct bp_prober_counts counts;

	for (unsigned i = 0; i < config->trunk_count; i++) {
		for (unsigned t = 0; t < config->trunks[i].target_count; t++) {
			const char *name = config->trunks[i].name, *uri = config->trunks[i].targets[t].uri;

			if (!bp_prober_read(view->control->prober, i, t, &counts))
				continue;
			fprintf(stream, "byepass_%s{trunk=\"%s\",target=\"%s\",result=\"answered\"} %" PRIu64 "\n", m->name, name,
				uri, counts.answered);
			fprintf(stream, "byepass_%s{trunk=\"%s\",target=\"%s\",result=\"failed\"} %" PRIu64 "\n", m->name, name,
				uri, counts.failed);
		}
	}
}
