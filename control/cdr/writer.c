/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The writer of call detail records, see writer.h.
 */
#include "cdr/writer.h"
#include "cdr/format.h"
#include "cdr/trunks.h"
#include "log.h"
#include "state.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH_SIZE (256 * 1024)
#define RETRY_US 500000       /* until a disk that failed is asked again */
#define LONGEST_WAIT_US 1000000
#define REFUSALS 65536        /* that are remembered, to record each once */

struct entry {
	struct entry *next;
	int64_t offset_us;
	/* behind it the record */
};

struct bp_cdr_writer {
	const struct bp_config *config;
	struct bp_cdr_files *files;
	struct bp_cdr_trunks *trunks;
	uint64_t started_us;
	uint64_t refusal_us; /* how long a refusal may be repeated: 64*T1 */
	struct refusal {
		uint64_t attempt, end_us;
	} *refusals; /* by the attempt's low bits */
	pthread_t thread;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	struct entry *first, **last;
	bool stop;

	/* writer's thread */
	struct entry *taken;
	char *batch;
	size_t batch_size, batch_done; /* bytes in it, and of them in the file */
	uint64_t batch_records;
	bool failing;

	/* any thread: ro, but for what put() does */
	_Atomic uint64_t waiting, written, lost, repeated, errors, finished;
};

void
bp_cdr_writer_put(void *context, const struct bp_cdr *cdr, int64_t offset_us)
{
	struct bp_cdr_writer *writer = context;
	size_t size = bp_cdr_size(cdr);
	struct entry *entry = NULL;

	if (atomic_load(&writer->waiting) < writer->config->cdr.queue)
		entry = malloc(sizeof(*entry) + size);
	if (entry == NULL) {
		atomic_fetch_add(&writer->lost, 1);
		return;
	}
	entry->next = NULL;
	entry->offset_us = offset_us;
	memcpy(entry + 1, cdr, size);
	atomic_fetch_add(&writer->waiting, 1);
	pthread_mutex_lock(&writer->lock);
	*writer->last = entry;
	writer->last = &entry->next;
	pthread_mutex_unlock(&writer->lock);
	pthread_cond_signal(&writer->wake);
}

/* The edge keeps nothing of what it refuses: a request that comes again is refused again, and is no further attempt. */
static bool
is_repeated(struct bp_cdr_writer *writer, const struct bp_cdr *cdr)
{
	struct refusal *known = &writer->refusals[cdr->attempt % REFUSALS];
	bool again;

	if (cdr->why != BP_CDR_WHY_refused)
		return false;
	again = known->attempt == cdr->attempt && known->end_us != 0 &&
		cdr->end_us < known->end_us + writer->refusal_us;
	if (!again)
		*known = (struct refusal){cdr->attempt, cdr->end_us};
	return again;
}

/* Formats what is taken, as far as there is room. */
static void
fill(struct bp_cdr_writer *writer)
{
	struct bp_cdr_place place = {.node = writer->config->node_id, .started_us = writer->started_us};

	while (writer->taken != NULL && writer->batch_size + BP_CDR_LINE_MAX <= BATCH_SIZE) {
		struct entry *entry = writer->taken;
		const struct bp_cdr *cdr = (const struct bp_cdr *)(entry + 1);

		writer->taken = entry->next;
		if (is_repeated(writer, cdr)) {
			atomic_fetch_add(&writer->repeated, 1);
			atomic_fetch_sub(&writer->waiting, 1);
		} else {
			place.offset_us = entry->offset_us;
			place.trunk_in = bp_cdr_trunk(writer->trunks, cdr);
			writer->batch_size += bp_cdr_format(
				writer->config->cdr.format, cdr, &place, writer->batch + writer->batch_size);
			writer->batch_records++;
		}
		free(entry);
	}
}

static void
note_disk(struct bp_cdr_writer *writer)
{
	int error = bp_cdr_files_error(writer->files);

	atomic_store(&writer->finished, bp_cdr_files_finished(writer->files));
	if (error != 0) {
		atomic_fetch_add(&writer->errors, 1);
		if (!writer->failing)
			bp_log(BP_LOG_ERROR, "cdr_disk", "error=%d text=\"%s\"", -error, strerror(-error));
	} else if (writer->failing) {
		bp_log(BP_LOG_NOTICE, "cdr_disk_well", "lost=%" PRIu64, atomic_load(&writer->lost));
	}
	writer->failing = error != 0;
}

/* Puts the batch into the file. False: not all of it. */
static bool
flush(struct bp_cdr_writer *writer, uint64_t now_us)
{
	size_t left = writer->batch_size - writer->batch_done;

	if (left > 0)
		writer->batch_done +=
			bp_cdr_files_write(writer->files, writer->batch + writer->batch_done, left, now_us);
	if (writer->batch_done < writer->batch_size)
		return false;
	atomic_fetch_add(&writer->written, writer->batch_records);
	atomic_fetch_sub(&writer->waiting, writer->batch_records);
	writer->batch_size = writer->batch_done = 0;
	writer->batch_records = 0;
	return true;
}

/* All that can be written now. Returns when to look again, UTC. */
static uint64_t
write_out(struct bp_cdr_writer *writer)
{
	uint64_t next_us;

	do {
		uint64_t now_us = bp_now_utc_us();

		fill(writer);
		if (!flush(writer, now_us)) {
			note_disk(writer);
			return now_us + RETRY_US;
		}
		next_us = bp_cdr_files_tick(writer->files, now_us);
		note_disk(writer);
	} while (writer->taken != NULL);
	return next_us;
}

static void
wait_until(struct bp_cdr_writer *writer, uint64_t until_us)
{
	uint64_t now_us = bp_now_utc_us(), us = LONGEST_WAIT_US;
	struct timespec until;

	if (until_us < now_us + us)
		us = until_us > now_us ? until_us - now_us : 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(us % 1000000) * 1000;
	until.tv_sec += (time_t)(us / 1000000) + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&writer->wake, &writer->lock, &until);
}

static void *
run(void *context)
{
	struct bp_cdr_writer *writer = context;
	uint64_t next_us = 0;
	bool stop;

	do {
		pthread_mutex_lock(&writer->lock);
		/* a disk that fails is asked again when it is time, not for each record that comes */
		if (!writer->stop && (writer->first == NULL || writer->failing || writer->taken != NULL))
			wait_until(writer, next_us);
		stop = writer->stop;
		if (writer->taken == NULL) {
			writer->taken = writer->first;
			writer->first = NULL;
			writer->last = &writer->first;
		}
		stop = stop && writer->first == NULL;
		pthread_mutex_unlock(&writer->lock);
		if (stop || !writer->failing || bp_now_utc_us() >= next_us)
			next_us = write_out(writer);
	} while (!stop);
	return NULL;
}

static void
drop_rest(struct bp_cdr_writer *writer)
{
	struct entry *entry = writer->taken;
	uint64_t whole = 0; /* of the batch, whose rest found no room */

	for (size_t i = 0; i < writer->batch_done; i++)
		whole += writer->batch[i] == '\n';
	atomic_fetch_add(&writer->written, whole);
	atomic_fetch_add(&writer->lost, atomic_load(&writer->waiting) - whole);
	atomic_store(&writer->waiting, 0);
	while (entry != NULL) {
		struct entry *next = entry->next;

		free(entry);
		entry = next;
	}
}

static void
destroy(struct bp_cdr_writer *writer)
{
	bp_cdr_files_close(writer->files);
	bp_cdr_trunks_free(writer->trunks);
	free(writer->refusals);
	free(writer->batch);
	pthread_cond_destroy(&writer->wake);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

int
bp_cdr_writer_start(struct bp_cdr_writer **out, const struct bp_config *config, uint64_t started_us,
	const struct bp_cdr_io *io, char *error, size_t error_size)
{
	struct bp_cdr_writer *writer = calloc(1, sizeof(*writer));
	pthread_condattr_t monotonic;
	int result;

	if (writer == NULL)
		return -ENOMEM;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&writer->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	writer->config = config;
	writer->started_us = started_us;
	writer->refusal_us = 64 * config->timers.t1_us;
	writer->last = &writer->first;
	writer->batch = malloc(BATCH_SIZE);
	writer->refusals = calloc(REFUSALS, sizeof(*writer->refusals));
	writer->trunks = bp_cdr_trunks_create(config);
	snprintf(error, error_size, "no memory for call detail records");
	result = writer->batch && writer->refusals && writer->trunks ? 0 : -ENOMEM;
	if (result == 0)
		result = bp_cdr_files_open(&writer->files, &config->cdr, config->node_id, io, started_us, error, error_size);
	if (result == 0) {
		result = -pthread_create(&writer->thread, NULL, run, writer);
		if (result != 0)
			snprintf(error, error_size, "no thread for call detail records");
	}
	if (result != 0) {
		destroy(writer);
		return result;
	}
	pthread_setname_np(writer->thread, "cdr");
	*error = '\0';
	*out = writer;
	return 0;
}

void
bp_cdr_writer_stop(struct bp_cdr_writer *writer)
{
	if (writer == NULL)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->stop = true;
	pthread_mutex_unlock(&writer->lock);
	pthread_cond_signal(&writer->wake);
	pthread_join(writer->thread, NULL);
	drop_rest(writer);
	if (atomic_load(&writer->lost) > 0)
		bp_log(BP_LOG_ERROR, "cdr_lost", "records=%" PRIu64, atomic_load(&writer->lost));
	destroy(writer);
}

void
bp_cdr_writer_stats(struct bp_cdr_writer *writer, struct bp_cdr_stats *out)
{
	*out = (struct bp_cdr_stats){
		.written = atomic_load(&writer->written),
		.lost = atomic_load(&writer->lost),
		.repeated = atomic_load(&writer->repeated),
		.errors = atomic_load(&writer->errors),
		.files = atomic_load(&writer->finished),
		.waiting = atomic_load(&writer->waiting),
	};
}
