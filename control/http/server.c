/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libmicrohttpd around the API: one thread per listening socket, few connections,
 * small requests, short patience. See server.h.
 */
#include "http/server.h"
#include "http/api.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define TIMEOUT_SECONDS 10
#define REQUEST_BYTES 16384 /* line and headers of a request, and what a reply needs for its own */

struct bp_http {
	struct bp_control *control;
	struct MHD_Daemon *tcp, *unix_;
	char path[108];
};

static const char *
query(const struct bp_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->context, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result
send_reply(struct MHD_Connection *connection, struct bp_reply *reply)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (reply->body == NULL)
		return MHD_NO; /* no memory even for an error: the connection is closed */
	response = MHD_create_response_from_buffer(reply->size, reply->body, MHD_RESPMEM_MUST_FREE);
	if (response == NULL) {
		free(reply->body);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", reply->type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (reply->status == 405)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct bp_http *http = context;
	struct bp_request request = {.method = method, .path = url, .query = query, .context = connection};
	struct bp_reply reply = {0};

	if (*state == NULL) { /* the headers are there; the reply is given when the request is whole */
		*state = http;
		return MHD_YES;
	}
	if (*upload_size >
		0) { /* nothing here takes a body: it is read and forgotten, bounded by the timeout */
		*upload_size = 0;
		return MHD_YES;
	}
	bp_api_handle(http->control, &request, &reply);
	return send_reply(connection, &reply);
}

static struct MHD_Daemon *
serve(struct bp_http *http, int fd)
{
	return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, answer, http,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)REQUEST_BYTES, MHD_OPTION_END);
}

int
bp_http_start(struct bp_http **out, struct bp_http_sockets *sockets, struct bp_control *control)
{
	struct bp_http *http = calloc(1, sizeof(*http));

	if (http == NULL)
		return -ENOMEM;
	http->control = control;
	memcpy(http->path, sockets->path, sizeof(http->path));
	if (sockets->tcp >= 0) {
		http->tcp = serve(http, sockets->tcp);
		if (http->tcp == NULL)
			goto fail;
		sockets->tcp = -1; /* libmicrohttpd closes it */
	}
	if (sockets->unix_ >= 0) {
		http->unix_ = serve(http, sockets->unix_);
		if (http->unix_ == NULL)
			goto fail;
		sockets->unix_ = -1;
	}
	sockets->path[0] = '\0';
	*out = http;
	return 0;
fail:
	http->path[0] = '\0'; /* the socket file is still the caller's */
	bp_http_stop(http);
	return -EIO;
}

void
bp_http_stop(struct bp_http *http)
{
	if (http == NULL)
		return;
	if (http->tcp != NULL)
		MHD_stop_daemon(http->tcp);
	if (http->unix_ != NULL)
		MHD_stop_daemon(http->unix_);
	if (http->path[0] != '\0')
		unlink(http->path);
	free(http);
}
