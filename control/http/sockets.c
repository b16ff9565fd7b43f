/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Listening sockets of the API, see server.h.
 */
#include "config/units.h"
#include "http/server.h"

#include <errno.h>
#include <libgen.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64

static int
fail(int code, char *error, size_t size, const char *what, const char *where)
{
	if (code == EADDRINUSE)
		snprintf(error, size,
			"%s %s is taken: another program, perhaps another byepass, listens there", what,
			where);
	else
		snprintf(error, size, "%s %s cannot be opened: %s", what, where, strerror(code));
	return -code;
}

static int
open_tcp(const char *text, char *error, size_t size)
{
	struct bp_endpoint endpoint;
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	bool v6;
	int on = 1, code, fd;

	if (!bp_unit_endpoint(text, 0, &endpoint))
		return fail(EINVAL, error, size, "control.http", text);
	v6 = endpoint.family == 6;
	memcpy(&six.sin6_addr, endpoint.ip.bytes, 16);
	six.sin6_port = htons(endpoint.port);
	memcpy(&four.sin_addr, endpoint.ip.bytes + 12, 4);
	four.sin_port = htons(endpoint.port);
	fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(errno, error, size, "control.http", text);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, v6 ? (struct sockaddr *)&six : (struct sockaddr *)&four,
		    v6 ? sizeof(six) : sizeof(four)) == 0 &&
		listen(fd, BACKLOG) == 0)
		return fd;
	code = errno;
	close(fd);
	return fail(code, error, size, "control.http", text);
}

/* Whether somebody answers at the socket file. */
static bool
is_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served;

	if (fd < 0)
		return false;
	served = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN;
	close(fd);
	return served;
}

/* Makes the folder of the socket when it is not there. Its parent must be. */
static void
make_folder(const char *path)
{
	char copy[108];

	snprintf(copy, sizeof(copy), "%s", path);
	mkdir(dirname(copy), 0755); /* bind() says what is wrong when this fails */
}

static int
open_unix(const char *path, char *error, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;
	mode_t mask;
	int fd, code;

	memcpy(address.sun_path, path, strnlen(path, sizeof(address.sun_path) - 1));
	make_folder(path);
	if (is_served(&address))
		return fail(EADDRINUSE, error, size, "control.socket", path);
	if (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode)) {
		snprintf(error, size,
			"control.socket %s cannot be opened: a file that is no socket is in the way", path);
		return -EEXIST;
	}
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(errno, error, size, "control.socket", path);
	mask = umask(0117); /* owner and group */
	code = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, BACKLOG) == 0
		       ? 0
		       : errno;
	umask(mask);
	if (code == 0)
		return fd;
	close(fd);
	return fail(code, error, size, "control.socket", path);
}

int
bp_http_open(
	struct bp_http_sockets *sockets, const struct bp_config_control *config, char *error, size_t size)
{
	*sockets = (struct bp_http_sockets){.tcp = -1, .unix_ = -1};
	if (config->http[0] != '\0') {
		sockets->tcp = open_tcp(config->http, error, size);
		if (sockets->tcp < 0)
			return sockets->tcp;
	}
	if (config->socket[0] != '\0') {
		sockets->unix_ = open_unix(config->socket, error, size);
		if (sockets->unix_ < 0) {
			int code = sockets->unix_;

			bp_http_close(sockets);
			return code;
		}
		memcpy(sockets->path, config->socket, sizeof(sockets->path));
	}
	return 0;
}

void
bp_http_close(struct bp_http_sockets *sockets)
{
	if (sockets->tcp >= 0)
		close(sockets->tcp);
	if (sockets->unix_ >= 0)
		close(sockets->unix_);
	if (sockets->path[0] != '\0')
		unlink(sockets->path);
	*sockets = (struct bp_http_sockets){.tcp = -1, .unix_ = -1};
}
