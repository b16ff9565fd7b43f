/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One metric: a row of the table in metrics.c, and the functions that rows use to
 * write their samples (metric_writers.c). All read a view, which is taken once for a scrape.
 */
#ifndef BYEPASS_HTTP_METRIC_H
#define BYEPASS_HTTP_METRIC_H

#include "http/api.h"

struct bp_metric_view {
	struct bp_control *control;
	unsigned workers;
	struct bp_counters *each; /* of each worker; owned */
	struct bp_counters sum;
	struct bp_live live;
};

struct bp_metric {
	const char *name;   /* without the prefix byepass_ */
	const char *type;   /* "counter" or "gauge" */
	const char *labels; /* for the documentation */
	const char *help;
	void (*write)(const struct bp_metric_view *view, const struct bp_metric *metric, FILE *stream);
	size_t offset; /* of the counter, for the general writers */
};

/* A writer: the samples of @metric, one a line, with the prefix and the labels. */
typedef void bp_metric_writer(
	const struct bp_metric_view *view, const struct bp_metric *metric, FILE *stream);

/* The counters at metric->offset: summed over workers, of each worker, of each worker as microseconds that become
 * seconds; then tables of counters there, by direction and method, and by kind of transaction. */
bp_metric_writer bp_metric_sum;
bp_metric_writer bp_metric_workers;
bp_metric_writer bp_metric_stages;
bp_metric_writer bp_metric_workers_seconds;
bp_metric_writer bp_metric_methods;
bp_metric_writer bp_metric_kinds;

/* The figure at metric->offset in struct bp_dataplane_port, of each port. */
bp_metric_writer bp_metric_port;

/* The counter at metric->offset in struct bp_dns_counters; 0 when names are off. */
bp_metric_writer bp_metric_dns;
bp_metric_writer bp_metric_dns_seconds;
/* The figure at metric->offset in struct bp_cdr_stats. */
bp_metric_writer bp_metric_cdr;

/* One metric each. */
bp_metric_writer bp_metric_dns_results;
bp_metric_writer bp_metric_busy;
bp_metric_writer bp_metric_codes;
bp_metric_writer bp_metric_dispositions;
bp_metric_writer bp_metric_drops;
bp_metric_writer bp_metric_cancels;
bp_metric_writer bp_metric_dialog_ends;
bp_metric_writer bp_metric_transactions;
bp_metric_writer bp_metric_transaction_bytes;
bp_metric_writer bp_metric_dialogs;
bp_metric_writer bp_metric_calls;
bp_metric_writer bp_metric_kept;
bp_metric_writer bp_metric_transactions_limit;
bp_metric_writer bp_metric_dialogs_limit;
bp_metric_writer bp_metric_law;
bp_metric_writer bp_metric_link;
bp_metric_writer bp_metric_memory;
bp_metric_writer bp_metric_generation;
bp_metric_writer bp_metric_build;
bp_metric_writer bp_metric_started;
bp_metric_writer bp_metric_draining;
bp_metric_writer bp_metric_up;
bp_metric_writer bp_metric_machines;
bp_metric_writer bp_metric_pools;
bp_metric_writer bp_metric_pools_dry;
bp_metric_writer bp_metric_trunk_up;
bp_metric_writer bp_metric_trunk_holds;
bp_metric_writer bp_metric_trunk_probes;
bp_metric_writer bp_metric_kpi;

#endif
