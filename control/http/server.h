/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The API on sockets: TCP and a Unix socket, each with a thread of libmicrohttpd. The
 * sockets are opened before anything else starts, so that a port that is taken is
 * found while there is still nothing to take back.
 */
#ifndef BYEPASS_HTTP_SERVER_H
#define BYEPASS_HTTP_SERVER_H

#include "state.h"

struct bp_http_sockets {
	int tcp;        /* -1: none */
	int unix_;      /* -1: none */
	char path[108]; /* of the Unix socket, removed by bp_http_close() */
};

/* Opens what @config asks for. A socket file that nobody listens on any more is replaced; its folder is made
 * when it is not there. 0, or -errno and one line for a person in @error, and nothing is open. */
int bp_http_open(
	struct bp_http_sockets *sockets, const struct bp_config_control *config, char *error, size_t size);

/* Closes what bp_http_open() opened and was not taken over by bp_http_start(), and removes the socket file.
 */
void bp_http_close(struct bp_http_sockets *sockets);

struct bp_http;

/* Serves on the sockets, and takes them over. 0, or -errno; then they are still the caller's. */
int bp_http_start(struct bp_http **out, struct bp_http_sockets *sockets, struct bp_control *control);

/* Ends the threads and closes the sockets. NULL is legal. */
void bp_http_stop(struct bp_http *http);

#endif
