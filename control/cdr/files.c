/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files of call detail records, see files.h.
 */
#include "cdr/files.h"
#include "cdr/format.h"
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME_SIZE 128
#define PART ".part"
#define TAIL 4096

struct bp_cdr_files {
	struct bp_config_cdr config;
	struct bp_cdr_io io;
	uint16_t node;
	int folder; /* for its fsync */
	int fd;     /* -1: no file is open */
	char name[NAME_SIZE]; /* without the folder and ".part" */
	char path[BP_CONFIG_PATH_SIZE + NAME_SIZE + sizeof(PART)];
	uint64_t size, lines_end; /* bytes; of whole lines */
	uint64_t opened_us;
	uint64_t dirty_us; /* when something was first written that is not forced to disk; 0: nothing */
	uint32_t serial;
	uint64_t finished;
	int error;
};

static int
open_file(const char *path, int flags, mode_t mode)
{
	return open(path, flags, mode);
}

static const struct bp_cdr_io real_io = {.open = open_file, .write = write, .fsync = fsync, .rename = rename};

static void
failed(struct bp_cdr_files *files)
{
	files->error = -errno;
}

static void
path_of(const struct bp_cdr_files *files, const char *name, const char *end, char *out, size_t size)
{
	if (snprintf(out, size, "%s/%s%s", files->config.folder, name, end) >= (int)size)
		out[0] = '\0';
}

/* The file has its last byte: forced to disk, it gets its name, and the folder is told. */
static void
publish(struct bp_cdr_files *files, int fd, const char *part, const char *name)
{
	char path[sizeof(files->path)];
	bool sync = files->config.fsync_us != BP_CDR_FSYNC_NEVER;

	if (sync && files->io.fsync(fd) != 0)
		failed(files);
	path_of(files, name, "", path, sizeof(path));
	if (files->io.rename(part, path) != 0) {
		failed(files); /* the next start tries again */
		return;
	}
	files->finished++;
	if (sync && files->io.fsync(files->folder) != 0)
		failed(files);
}

/* ---- what a crash left ---- */

/* Bytes up to the end of the last whole line; -1: cannot be read. */
static off_t
whole_lines(int fd, off_t size)
{
	char tail[TAIL];

	while (size > 0) {
		size_t part = size < TAIL ? (size_t)size : TAIL;
		const char *last;

		if (pread(fd, tail, part, size - (off_t)part) != (ssize_t)part)
			return -1;
		last = memrchr(tail, '\n', part);
		if (last != NULL)
			return size - (off_t)part + (last - tail) + 1;
		size -= (off_t)part;
	}
	return 0;
}

static void
finish_one(struct bp_cdr_files *files, const char *part, const char *name)
{
	int fd = open(part, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	off_t size, whole;

	if (fd < 0)
		return;
	size = lseek(fd, 0, SEEK_END);
	whole = flock(fd, LOCK_EX | LOCK_NB) == 0 ? whole_lines(fd, size) : -1; /* else another daemon writes it */
	if (whole == 0) {
		unlink(part);
	} else if (whole > 0 && (whole == size || ftruncate(fd, whole) == 0)) {
		if (whole < size)
			bp_log(BP_LOG_WARNING, "cdr_torn", "file=%s bytes_cut=%lld", name, (long long)(size - whole));
		publish(files, fd, part, name);
	}
	close(fd);
}

static void
finish_left_over(struct bp_cdr_files *files)
{
	DIR *folder = opendir(files->config.folder);
	char prefix[32], part[sizeof(files->path)], name[NAME_SIZE];
	const struct dirent *entry;

	snprintf(prefix, sizeof(prefix), "cdr-%u-", files->node);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		size_t size = strlen(entry->d_name), end = sizeof(PART) - 1;

		if (size <= end || size >= NAME_SIZE || strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
			strcmp(entry->d_name + size - end, PART) != 0)
			continue;
		memcpy(name, entry->d_name, size - end);
		name[size - end] = '\0';
		path_of(files, entry->d_name, "", part, sizeof(part));
		finish_one(files, part, name);
	}
	if (folder != NULL)
		closedir(folder);
}

/* ---- the file being written ---- */

static size_t
write_all(struct bp_cdr_files *files, const char *bytes, size_t size)
{
	size_t done = 0;
	const char *last;

	while (done < size) {
		ssize_t count = files->io.write(files->fd, bytes + done, size - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			if (count == 0)
				errno = ENOSPC;
			failed(files);
			break;
		}
		done += (size_t)count;
	}
	last = memrchr(bytes, '\n', done);
	if (last != NULL)
		files->lines_end = files->size + (size_t)(last - bytes) + 1;
	files->size += done;
	return done;
}

/* Closes it; one without a record is thrown away. */
static void
end_file(struct bp_cdr_files *files)
{
	if (files->fd < 0)
		return;
	if (files->lines_end < files->size && ftruncate(files->fd, (off_t)files->lines_end) != 0)
		failed(files);
	if (files->lines_end <= strlen(bp_cdr_head(files->config.format)))
		unlink(files->path);
	else
		publish(files, files->fd, files->path, files->name);
	close(files->fd);
	files->fd = -1;
	files->dirty_us = 0;
}

static bool
begin_file(struct bp_cdr_files *files, uint64_t now_us)
{
	const char *head = bp_cdr_head(files->config.format);
	time_t seconds = (time_t)(now_us / 1000000);
	char date[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%S", &tm);
	snprintf(files->name, sizeof(files->name), "cdr-%u-%s%03uZ-%06" PRIu32 ".%s", files->node, date,
		(unsigned)(now_us % 1000000 / 1000), ++files->serial,
		files->config.format == BP_CDR_CSV ? "csv" : "jsonl");
	path_of(files, files->name, PART, files->path, sizeof(files->path));
	files->fd = files->io.open(files->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);
	if (files->fd < 0) {
		failed(files);
		return false;
	}
	flock(files->fd, LOCK_EX | LOCK_NB);
	files->size = files->lines_end = 0;
	files->opened_us = now_us;
	files->dirty_us = 0;
	if (write_all(files, head, strlen(head)) == strlen(head))
		return true;
	end_file(files);
	return false;
}

size_t
bp_cdr_files_write(struct bp_cdr_files *files, const char *bytes, size_t size, uint64_t now_us)
{
	size_t done;

	if (files->fd < 0 && !begin_file(files, now_us))
		return 0;
	done = write_all(files, bytes, size);
	if (done > 0 && files->dirty_us == 0)
		files->dirty_us = now_us;
	return done;
}

static void
force(struct bp_cdr_files *files)
{
	if (files->io.fsync(files->fd) != 0)
		failed(files);
	files->dirty_us = 0;
}

uint64_t
bp_cdr_files_tick(struct bp_cdr_files *files, uint64_t now_us)
{
	uint64_t fsync_us = files->config.fsync_us, end_us, force_us = UINT64_MAX;

	if (files->fd < 0)
		return UINT64_MAX;
	end_us = files->opened_us + files->config.rotate_age_us;
	/* a clock that was set back must not keep a file open for ever */
	if (files->size >= files->config.rotate_size || now_us >= end_us || now_us < files->opened_us) {
		end_file(files);
		return UINT64_MAX;
	}
	if (files->dirty_us != 0 && fsync_us != BP_CDR_FSYNC_NEVER) {
		force_us = files->dirty_us + (fsync_us == BP_CDR_FSYNC_BATCH ? 0 : fsync_us);
		if (force_us <= now_us) {
			force(files);
			force_us = UINT64_MAX;
		}
	}
	return force_us < end_us ? force_us : end_us;
}

int
bp_cdr_files_open(struct bp_cdr_files **out, const struct bp_config_cdr *config, uint16_t node,
	const struct bp_cdr_io *io, uint64_t now_us, char *error, size_t error_size)
{
	struct bp_cdr_files *files = calloc(1, sizeof(*files));

	if (files == NULL)
		return -ENOMEM;
	files->config = *config;
	files->io = io ? *io : real_io;
	files->node = node;
	files->fd = -1;
	files->folder = open(config->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (files->folder < 0 || access(config->folder, W_OK | X_OK) != 0) {
		int result = -errno;

		snprintf(error, error_size, "cdr.folder %s: %s", config->folder, strerror(errno));
		if (files->folder >= 0)
			close(files->folder);
		free(files);
		return result;
	}
	finish_left_over(files);
	*out = files;
	return 0;
}

void
bp_cdr_files_close(struct bp_cdr_files *files)
{
	if (files == NULL)
		return;
	end_file(files);
	close(files->folder);
	free(files);
}

int
bp_cdr_files_error(struct bp_cdr_files *files)
{
	int error = files->error;

	files->error = 0;
	return error;
}

uint64_t
bp_cdr_files_finished(const struct bp_cdr_files *files)
{
	return files->finished;
}
