/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Routes and replies, see api.h.
 */
#include "http/api.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *path;
	bp_handler *handle;
} routes[] = {
	{"/metrics", bp_handle_metrics},
	{"/healthz", bp_handle_healthz},
	{"/readyz", bp_handle_readyz},
	{"/v1/status", bp_handle_status},
	{"/v1/drops", bp_handle_drops},
	{"/v1/trace", bp_handle_trace},
	{"/v1/trunks", bp_handle_trunks},
};

void
bp_reply_json(struct bp_reply *reply, unsigned status, json_t *json)
{
	char *text = json != NULL ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
	size_t size = text != NULL ? strlen(text) : 0;

	json_decref(json);
	free(reply->body);
	*reply = (struct bp_reply){.status = 500, .type = "application/json"};
	reply->body = text != NULL ? realloc(text, size + 2) : NULL;
	if (reply->body == NULL) {
		free(text);
		return;
	}
	memcpy(reply->body + size, "\n", 2);
	reply->size = size + 1;
	reply->status = status;
}

void
bp_reply_error(struct bp_reply *reply, unsigned status, const char *format, ...)
{
	char message[256];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	for (char *p = message; *p != '\0'; p++) {
		if (*p < 0x20 || *p >= 0x7f)
			*p = '?';
	}
	bp_reply_json(reply, status,
		json_pack("{s:{s:i,s:s}}", "error", "status", (int)status, "message", message));
}

/* "/v1/calls/ID/ladder", where ID may have slashes of its own. True: answered. */
static bool
handle_call(struct bp_control *control, const struct bp_request *request, struct bp_reply *reply)
{
	static const char before[] = "/v1/calls/", after[] = "/ladder";
	size_t size = strlen(request->path), head = sizeof(before) - 1, tail = sizeof(after) - 1;
	char *call_id;

	if (strncmp(request->path, before, head) != 0 || size <= head + tail ||
		strcmp(request->path + size - tail, after) != 0)
		return false;
	call_id = strndup(request->path + head, size - head - tail);
	if (call_id == NULL)
		bp_reply_error(reply, 500, "out of memory");
	else
		bp_handle_ladder(control, request, call_id, reply);
	free(call_id);
	return true;
}

void
bp_api_handle(struct bp_control *control, const struct bp_request *request, struct bp_reply *reply)
{
	*reply = (struct bp_reply){.status = 500, .type = "application/json"};
	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
		bp_reply_error(reply, 405, "method %.16s is not allowed here, only GET and HEAD are",
			request->method);
		return;
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(request->path, routes[i].path) == 0) {
			routes[i].handle(control, request, reply);
			return;
		}
	}
	if (!handle_call(control, request, reply))
		bp_reply_error(reply, 404, "there is nothing at %.128s", request->path);
}
