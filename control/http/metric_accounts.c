/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Metrics of call detail records, and of each trunk as RFC 6076 wants them; see metric.h.
 */
#include "http/metric.h"

#include <inttypes.h>
#include <string.h>

void
bp_metric_cdr(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	struct bp_cdr_stats stats = {0};
	uint64_t value;

	if (view->control->cdr != NULL)
		bp_cdr_writer_stats(view->control->cdr, &stats);
	memcpy(&value, (const char *)&stats + m->offset, sizeof(value));
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, value);
}

static const struct kpi {
	const char *metric, *labels;
	size_t offset;
} kpis[] = {
#define X(name, metric, labels) {"kpi_" metric, labels, offsetof(struct bp_kpi, name)},
	BP_KPIS(X)
#undef X
};

static void
write_kpi(const struct kpi *row, const char *trunk, const struct bp_kpi *kpi, FILE *stream)
{
	size_t size = strlen(row->metric);
	uint64_t value;

	memcpy(&value, (const char *)kpi + row->offset, sizeof(value));
	fprintf(stream, "byepass_%s{trunk=\"%s\"%s%s} ", row->metric, trunk, row->labels[0] != '\0' ? "," : "",
		row->labels);
	if (strcmp(row->metric + size - 4, "_sum") == 0)
		fprintf(stream, "%" PRIu64 ".%06" PRIu64 "\n", value / 1000000, value % 1000000);
	else
		fprintf(stream, "%" PRIu64 "\n", value);
}

/* The rows of BP_KPIS that belong to the metric. */
void
bp_metric_kpi(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	const struct bp_config *config = view->control->config;

	for (uint16_t trunk = 0; trunk < config->trunk_count; trunk++) {
		struct bp_kpi kpi;

		bp_dataplane_kpi(view->control->dataplane, trunk, &kpi);
		for (size_t i = 0; i < sizeof(kpis) / sizeof(kpis[0]); i++)
			if (strncmp(kpis[i].metric, m->name, strlen(m->name)) == 0)
				write_kpi(&kpis[i], config->trunks[trunk].name, &kpi, stream);
	}
}
