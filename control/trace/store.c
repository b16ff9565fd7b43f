/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A ring of messages and, beside it, a hash of each Call-ID: a million hashes are
 * scanned in less than a millisecond, which spares an index. See store.h.
 */
#include "trace/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct bp_trace_store {
	pthread_mutex_t lock;
	uint32_t capacity;
	uint64_t added; /* in all; the next goes to added % capacity */
	struct bp_event_message *ring;
	uint32_t *hash;
};

/* FNV-1a. Chooses candidates only, the Call-ID itself is compared. */
static uint32_t
hash_of(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

int
bp_trace_store_create(struct bp_trace_store **out, uint32_t capacity)
{
	struct bp_trace_store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return -ENOMEM;
	store->capacity = capacity;
	store->ring = calloc(capacity > 0 ? capacity : 1, sizeof(*store->ring));
	store->hash = calloc(capacity > 0 ? capacity : 1, sizeof(*store->hash));
	if (store->ring == NULL || store->hash == NULL) {
		free(store->ring);
		free(store->hash);
		free(store);
		return -ENOMEM;
	}
	pthread_mutex_init(&store->lock, NULL);
	*out = store;
	return 0;
}

void
bp_trace_store_free(struct bp_trace_store *store)
{
	if (store == NULL)
		return;
	pthread_mutex_destroy(&store->lock);
	free(store->ring);
	free(store->hash);
	free(store);
}

void
bp_trace_store_add(struct bp_trace_store *store, const struct bp_event_message *events, unsigned count)
{
	if (store->capacity == 0)
		return;
	pthread_mutex_lock(&store->lock);
	for (unsigned i = 0; i < count; i++) {
		uint64_t at = store->added++ % store->capacity;

		store->ring[at] = events[i];
		store->ring[at].call_id[sizeof(events[i].call_id) - 1] = '\0';
		store->ring[at].start_line[sizeof(events[i].start_line) - 1] = '\0';
		store->hash[at] = hash_of(store->ring[at].call_id);
	}
	pthread_mutex_unlock(&store->lock);
}

/* Stable by time: a worker reports in order, several workers are merged. */
static void
sort_by_time(struct bp_event_message *events, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		struct bp_event_message moved;
		unsigned k = i;

		if (events[i - 1].time_us <= events[i].time_us)
			continue;
		moved = events[i];
		for (; k > 0 && events[k - 1].time_us > moved.time_us; k--)
			events[k] = events[k - 1];
		events[k] = moved;
	}
}

unsigned
bp_trace_store_call(struct bp_trace_store *store, const char *call_id, struct bp_event_message **events)
{
	struct bp_event_message *found = calloc(BP_TRACE_ANSWER_MAX, sizeof(*found));
	char known[sizeof(found->call_id)];
	unsigned count = 0;
	uint64_t first;
	uint32_t hash;

	*events = NULL;
	if (found == NULL)
		return 0;
	memset(known, 0, sizeof(known)); /* events carry a long Call-ID cut off */
	memcpy(known, call_id, strnlen(call_id, sizeof(known) - 1));
	hash = hash_of(known);
	pthread_mutex_lock(&store->lock);
	first = store->added > store->capacity ? store->added - store->capacity : 0;
	for (uint64_t i = first; i < store->added && count < BP_TRACE_ANSWER_MAX; i++) {
		uint64_t at = i % store->capacity;

		if (store->hash[at] == hash && strcmp(store->ring[at].call_id, known) == 0)
			found[count++] = store->ring[at];
	}
	pthread_mutex_unlock(&store->lock);
	sort_by_time(found, count);
	if (count == 0) {
		free(found);
		return 0;
	}
	*events = found;
	return count;
}

unsigned
bp_trace_store_recent(struct bp_trace_store *store, unsigned max, struct bp_event_message **events)
{
	struct bp_event_message *found;
	unsigned count;

	*events = NULL;
	pthread_mutex_lock(&store->lock);
	count = store->added < store->capacity ? (unsigned)store->added : store->capacity;
	if (max > BP_TRACE_ANSWER_MAX)
		max = BP_TRACE_ANSWER_MAX;
	if (count > max)
		count = max;
	found = count > 0 ? calloc(count, sizeof(*found)) : NULL;
	if (found == NULL)
		count = 0;
	for (unsigned i = 0; i < count; i++)
		found[i] = store->ring[(store->added - count + i) % store->capacity];
	pthread_mutex_unlock(&store->lock);
	sort_by_time(found, count);
	*events = found;
	return count;
}
