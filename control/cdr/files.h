/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The files that call detail records go to. The one being written ends in ".part"; when it is large or old enough
 * it gets its name, and by that belongs to whoever collects it. A file with its name is whole: every line ends,
 * also after a crash, whose torn last line the next start cuts off. One thread.
 */
#ifndef BYEPASS_CDR_FILES_H
#define BYEPASS_CDR_FILES_H

#include "byepass/config.h"

#include <sys/types.h>

/* What a disk does; tests put faults in here. */
struct bp_cdr_io {
	int (*open)(const char *path, int flags, mode_t mode);
	ssize_t (*write)(int fd, const void *bytes, size_t size);
	int (*fsync)(int fd);
	int (*rename)(const char *from, const char *to);
};

struct bp_cdr_files;

/* @io: NULL: the real one. The folder must be there and be writable; ".part" files that nobody holds are finished.
 * 0, or -errno and a line in @error. */
int bp_cdr_files_open(struct bp_cdr_files **out, const struct bp_config_cdr *config, uint16_t node,
	const struct bp_cdr_io *io, uint64_t now_us, char *error, size_t error_size);

/* Writes what it can of @bytes, whole lines but for what an earlier call left over; returns how many. Less than
 * @size: bp_cdr_files_error() says why, and the rest may come later. @now_us: UTC. */
size_t bp_cdr_files_write(struct bp_cdr_files *files, const char *bytes, size_t size, uint64_t now_us);

/* Between two lines: forces to disk what is due, ends the file when it is large or old enough. Returns when it
 * wants to be called again, UTC; UINT64_MAX: after the next write. */
uint64_t bp_cdr_files_tick(struct bp_cdr_files *files, uint64_t now_us);

/* Ends the file; a line that could not be written to its end is cut off. NULL is legal. */
void bp_cdr_files_close(struct bp_cdr_files *files);

/* -errno of what went wrong last; 0: nothing since it was asked. */
int bp_cdr_files_error(struct bp_cdr_files *files);

uint64_t bp_cdr_files_finished(const struct bp_cdr_files *files); /* files that have their name */

#endif
