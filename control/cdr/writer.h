/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The thread that writes call detail records. The main loop takes them from the workers and puts them into a queue
 * of bounded length; a disk that is slow or full fills the queue, then records are lost, and counted, and no
 * worker and no call takes notice. When the disk has room again the thread goes on where it was, in the middle of
 * a line if need be.
 */
#ifndef BYEPASS_CDR_WRITER_H
#define BYEPASS_CDR_WRITER_H

#include "cdr/files.h"
#include "byepass/cdr.h"

struct bp_cdr_writer;

struct bp_cdr_stats {
	uint64_t written;   /* records in files */
	uint64_t lost;      /* the queue was full, or the disk at the end */
	uint64_t repeated;  /* refusals of a request that was refused and recorded before */
	uint64_t errors;    /* of the disk */
	uint64_t files;     /* that have their name */
	uint64_t waiting;   /* records in the queue */
};

/* @config: outlives the writer; its cdr.folder is not empty. @started_us: UTC, part of the records' ids. @io: as for
 * bp_cdr_files_open(). 0, or -errno and a line in @error. */
int bp_cdr_writer_start(struct bp_cdr_writer **out, const struct bp_config *config, uint64_t started_us,
	const struct bp_cdr_io *io, char *error, size_t error_size);

/* What waits is written, if the disk takes it; NULL is legal. */
void bp_cdr_writer_stop(struct bp_cdr_writer *writer);

/* Copies @cdr into the queue. Never waits for the disk. @writer: a struct bp_cdr_writer; the signature is that of
 * bp_dataplane_cdrs(). Any thread. */
void bp_cdr_writer_put(void *writer, const struct bp_cdr *cdr, int64_t offset_us);

/* Any thread. */
void bp_cdr_writer_stats(struct bp_cdr_writer *writer, struct bp_cdr_stats *out);

#endif
