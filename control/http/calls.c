/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /v1/calls/ID/ladder and /v1/trace: what the trace store knows, as JSON or drawn.
 */
#include "config/units.h"
#include "http/api.h"
#include "trace/ladder.h"

#include <stdlib.h>
#include <string.h>

#define TRACE_DEFAULT 50

static json_t *
message_json(const struct bp_control *control, const struct bp_event_message *event, bool repeated)
{
	const struct bp_config *config = control->config;
	char call_id[sizeof(event->call_id)], line[sizeof(event->start_line)], far[BP_ENDPOINT_TEXT_SIZE];
	bool known = event->flow.listener < config->listener_count;

	return json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:i,s:I,s:s,s:s,s:i,s:i,s:b}", "time_us",
		(json_int_t)event->time_us, "direction", event->direction == BP_IN ? "in" : "out", "endpoint",
		bp_unit_endpoint_text(&event->flow.ip, event->flow.port, far, sizeof(far)), "listener",
		known ? config->listeners[event->flow.listener].text : "", "realm",
		known ? config->realms[config->listeners[event->flow.listener].realm].name : "", "method",
		bp_trace_method(event->method), "status", (int)event->status, "cseq", (json_int_t)event->cseq,
		"start_line", bp_trace_clean(event->start_line, line, sizeof(line)), "call_id",
		bp_trace_clean(event->call_id, call_id, sizeof(call_id)), "size", (int)event->size, "worker",
		(int)event->worker, "repeated", repeated);
}

/* @same_call: the events are one call's, so that repetitions can be told. */
static json_t *
messages_json(const struct bp_control *control, const struct bp_event_message *events, unsigned count,
	bool same_call)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list,
			message_json(control, &events[i], same_call && bp_trace_is_repeated(events, i)));
	return list;
}

/* A whole number from the query, or @standard when it is not there. False: out of range, answered with 400.
 */
static bool
query_number(const struct bp_request *request, const char *name, unsigned min, unsigned max,
	unsigned standard, unsigned *value, struct bp_reply *reply)
{
	const char *text = request->query(request, name);
	uint64_t number = standard;

	if (text != NULL && (!bp_unit_number(text, &number) || number < min || number > max)) {
		bp_reply_error(
			reply, 400, "found %s=%.32s, expected a number from %u to %u", name, text, min, max);
		return false;
	}
	*value = (unsigned)number;
	return true;
}

/* ?format=text (default @standard) or json. False: neither, answered with 400. */
static bool
query_format(const struct bp_request *request, bool standard_json, bool *json, struct bp_reply *reply)
{
	const char *text = request->query(request, "format");

	*json = text == NULL ? standard_json : strcmp(text, "json") == 0;
	if (text != NULL && !*json && strcmp(text, "text") != 0) {
		bp_reply_error(reply, 400, "found format=%.32s, expected text or json", text);
		return false;
	}
	return true;
}

static void
draw(const struct bp_control *control, const struct bp_event_message *events, unsigned count, unsigned width,
	struct bp_reply *reply)
{
	FILE *stream = open_memstream(&reply->body, &reply->size);

	if (stream == NULL) {
		bp_reply_error(reply, 500, "out of memory");
		return;
	}
	bp_ladder_draw(events, count, control->config, width, stream);
	if (fclose(stream) != 0) {
		bp_reply_error(reply, 500, "out of memory");
		return;
	}
	reply->status = 200;
	reply->type = "text/plain; charset=utf-8";
}

void
bp_handle_ladder(struct bp_control *control, const struct bp_request *request, const char *call_id,
	struct bp_reply *reply)
{
	struct bp_event_message *events = NULL;
	unsigned count, width;
	bool json;

	if (!query_format(request, false, &json, reply) ||
		!query_number(request, "width", BP_LADDER_WIDTH_MIN, BP_LADDER_WIDTH_MAX, BP_LADDER_WIDTH,
			&width, reply))
		return;
	if (control->config->trace.messages == 0) {
		bp_reply_error(reply, 404, "tracing is off (trace.messages is 0)");
		return;
	}
	count = bp_trace_store_call(control->trace, call_id, &events);
	if (count == 0)
		bp_reply_error(reply, 404,
			"no message of call %.128s is known; the last %u messages are kept", call_id,
			control->config->trace.messages);
	else if (json)
		bp_reply_json(reply, 200,
			json_pack("{s:o}", "messages", messages_json(control, events, count, true)));
	else
		draw(control, events, count, width, reply);
	free(events);
}

void
bp_handle_trace(struct bp_control *control, const struct bp_request *request, struct bp_reply *reply)
{
	struct bp_event_message *events = NULL;
	unsigned count, max;

	if (!query_number(request, "max", 1, BP_TRACE_ANSWER_MAX, TRACE_DEFAULT, &max, reply))
		return;
	count = bp_trace_store_recent(control->trace, max, &events);
	bp_reply_json(
		reply, 200, json_pack("{s:o}", "messages", messages_json(control, events, count, false)));
	free(events);
}
