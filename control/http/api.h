/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The HTTP API without HTTP: a method, a path and a query in, a reply out. server.c
 * puts it on sockets; tests call it directly. Handlers run on the threads of the HTTP
 * servers and only read.
 */
#ifndef BYEPASS_HTTP_API_H
#define BYEPASS_HTTP_API_H

#include "state.h"

#include <jansson.h>
#include <stdio.h>

struct bp_request {
	const char *method; /* "GET" */
	const char *path;   /* percent-decoded, without the query */
	/* Value of a query parameter, or NULL when it is not there. */
	const char *(*query)(const struct bp_request *request, const char *name);
	void *context; /* of @query */
};

struct bp_reply {
	unsigned status;
	const char *type; /* static */
	char *body;       /* owned; from malloc */
	size_t size;
};

/* Answers. The reply always has a status, and a body but when memory is short. Free its body. */
void bp_api_handle(struct bp_control *control, const struct bp_request *request, struct bp_reply *reply);

/* Makes {"error": {"status": , "message": }}. */
void bp_reply_error(struct bp_reply *reply, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Makes a JSON body of @json, whose reference it takes; NULL: out of memory. */
void bp_reply_json(struct bp_reply *reply, unsigned status, json_t *json);

/* The handlers, one per route. */
typedef void bp_handler(struct bp_control *control, const struct bp_request *request, struct bp_reply *reply);
bp_handler bp_handle_metrics;
bp_handler bp_handle_healthz;
bp_handler bp_handle_readyz;
bp_handler bp_handle_status;
bp_handler bp_handle_drops;
bp_handler bp_handle_trace;
bp_handler bp_handle_trunks;
/* /v1/calls/ID/ladder: @call_id is cut out of the path. */
void bp_handle_ladder(struct bp_control *control, const struct bp_request *request, const char *call_id,
	struct bp_reply *reply);

/* Writes all metrics in Prometheus text format 0.0.4. */
void bp_metrics_write(struct bp_control *control, FILE *stream);

/* Writes the tables of docs/metrics.md. */
void bp_metrics_describe(FILE *stream);

/* Writes what memory is used for: rows of byepass_memory_bytes. */
void bp_metrics_memory(FILE *stream, const char *name);

#endif
