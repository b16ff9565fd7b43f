/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A whole load: file, document, schema, build, secrets, capacity. See load.h.
 */
#include "config/load.h"
#include "config/build.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

void
bp_config_free(const struct bp_config *config)
{
	struct bp_config *c = (struct bp_config *)(uintptr_t)config;

	if (c == NULL)
		return;
	for (uint16_t i = 0; i < c->trunk_count; i++) {
		for (uint16_t k = 0; k < c->trunks[i].target_count; k++)
			free(c->trunks[i].targets[k].name);
		free(c->trunks[i].targets);
		free(c->trunks[i].state);
	}
	free(c->ports);
	free(c->realms);
	free(c->interfaces);
	free(c->listeners);
	free(c->trunks);
	free(c->routes);
	bp_route_index_free(c->route_index);
	explicit_bzero(c->secret, sizeof(c->secret));
	explicit_bzero(c->old_secrets, sizeof(c->old_secrets));
	free(c);
}

void
bp_config_beside(const char *config, const char *name, char *path, size_t size)
{
	const char *slash = strrchr(config, '/');

	if (name[0] == '/' || slash == NULL)
		snprintf(path, size, "%s", name);
	else
		snprintf(path, size, "%.*s/%s", (int)(slash - config), config, name);
}

static void
build_secrets(struct bp_document *document, const struct bp_file *file, const char *config_path,
	struct bp_config *config)
{
	char path[1024], why[160];
	const char *found;

	if (file->secrets.path[0] == '\0') {
		if (getrandom(config->secret, sizeof(config->secret), 0) != (ssize_t)sizeof(config->secret))
			bp_report_error(document->report, 0, 0, "secrets.file", "no random bytes: %s",
				strerror(errno));
		bp_report_notice(document->report,
			"no secrets.file: route tokens are signed with a random key and die with this process;"
			" calls that are up do not survive a restart");
		return;
	}
	bp_config_beside(config_path, file->secrets.path, path, sizeof(path));
	found = bp_config_secrets(config, path, why, sizeof(why));
	if (found != NULL)
		bp_document_error(document, bp_document_get(document, file->secrets.node, "file"),
			"secrets.file",
			"found %s, expected a file of mode 0600 with 32 hexadecimal digits a line", found);
}

int
bp_config_load_text(
	struct bp_config **out, const char *path, const char *text, size_t size, struct bp_report *report)
{
	struct bp_config *config = calloc(1, sizeof(*config));
	struct bp_file *file = calloc(1, sizeof(*file));
	struct bp_document document = {0};
	int result = -EINVAL;

	bp_report_init(report, path);
	if (config == NULL || file == NULL) {
		bp_report_error(report, 0, 0, "", "out of memory");
		result = -ENOMEM;
		goto out;
	}
	if (!bp_document_open(&document, text, size, report))
		goto out;
	bp_schema_read(&document, &bp_file_schema, bp_document_root(&document), "", file);
	bp_build(&document, file, config);
	build_secrets(&document, file, path, config);
	if (report->errors > 0)
		goto out;
	*out = config;
	config = NULL;
	result = 0;
out:
	if (file != NULL)
		bp_schema_free(&bp_file_schema, file);
	free(file);
	bp_document_close(&document);
	bp_config_free(config);
	return result;
}

/* Reads the whole file; the buffer is the caller's. */
static int
read_file(const char *path, char **text, size_t *size, struct bp_report *report)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	size_t room;
	int error = 0;

	if (file == NULL || fstat(fileno(file), &status) != 0) {
		error = errno;
		bp_report_error(report, 0, 0, "", "cannot be read: %s", strerror(error));
		goto out;
	}
	if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
		error = EINVAL;
		bp_report_error(report, 0, 0, "", "found something that is not a file, expected a YAML file");
		goto out;
	}
	room = S_ISREG(status.st_mode) ? (size_t)status.st_size + 1 : BP_CONFIG_FILE_MAX;
	if (room > BP_CONFIG_FILE_MAX) {
		error = EFBIG;
		bp_report_error(report, 0, 0, "", "found %zu bytes, expected at most %u", room - 1,
			BP_CONFIG_FILE_MAX - 1);
		goto out;
	}
	*text = malloc(room);
	if (*text == NULL) {
		error = ENOMEM;
		bp_report_error(report, 0, 0, "", "out of memory");
		goto out;
	}
	*size = fread(*text, 1, room, file);
	if (ferror(file)) {
		error = EIO;
		bp_report_error(report, 0, 0, "", "cannot be read");
	}
out:
	if (file != NULL)
		fclose(file);
	return -error;
}

int
bp_config_load(struct bp_config **out, const char *path, struct bp_report *report)
{
	char *text = NULL;
	size_t size = 0;
	int result;

	bp_report_init(report, path);
	result = read_file(path, &text, &size, report);
	if (result == 0)
		result = bp_config_load_text(out, path, text, size, report);
	free(text);
	return result;
}

static void
count_of(FILE *stream, uint32_t count, const char *what, const char *end)
{
	fprintf(stream, "%" PRIu32 " %s%s%s", count, what, count == 1 ? "" : "s", end);
}

void
bp_config_summary(const struct bp_config *config, uint32_t transactions, uint32_t dialogs, FILE *stream)
{
	uint64_t call_us = 2 * 64 * config->timers.t1_us; /* two transactions, each kept for 64*T1 */
	char text[32];

	count_of(stream, config->workers.count, "worker", ", ");
	count_of(stream, config->port_count, "port", ", ");
	count_of(stream, config->realm_count, "realm", ", ");
	count_of(stream, config->listener_count, "listener", ", ");
	count_of(stream, config->trunk_count, "trunk", ", ");
	count_of(stream, config->route_count, "route", "");
	if (config->route_index != NULL)
		fprintf(stream, " (%" PRIu32 " prefixes)", config->route_index->prefixes);
	fputc('\n', stream);
	fprintf(stream,
		"capacity.transactions %" PRIu32 "%s: about %" PRIu64
		" calls/s sustained (%s of records a call)\n",
		transactions, config->capacity.transactions == 0 ? " (auto)" : "",
		transactions * UINT64_C(1000000) / call_us, bp_unit_duration_text(call_us, text, sizeof(text)));
	fprintf(stream, "capacity.dialogs %" PRIu32 "%s: as many calls up at the same time\n", dialogs,
		config->capacity.dialogs == 0 ? " (auto)" : "");
}
