/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The writer's side of the table of names, see table.h.
 */
#include "dns/table.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <urcu-qsbr.h>

int
bp_name_table_create(struct bp_name_table_writer *writer, uint32_t entries, unsigned workers)
{
	struct bp_name_table *table = aligned_alloc(64, sizeof(*table));
	uint32_t buckets = 16;

	*writer = (struct bp_name_table_writer){.table = table};
	if (table == NULL)
		return -ENOMEM;
	memset(table, 0, sizeof(*table));
	while (buckets < entries)
		buckets *= 2;
	table->mask = buckets - 1;
	table->ring_count = (uint16_t)workers;
	table->buckets = calloc(buckets, sizeof(*table->buckets));
	table->rings = aligned_alloc(64, workers * sizeof(*table->rings));
	if (table->buckets == NULL || table->rings == NULL) {
		bp_name_table_free(writer);
		return -ENOMEM;
	}
	memset(table->rings, 0, workers * sizeof(*table->rings));
	if (getrandom(table->secret, sizeof(table->secret), 0) != sizeof(table->secret)) {
		bp_name_table_free(writer);
		return -EIO;
	}
	table->secret[1] |= 1;
	return 0;
}

static void
free_retired(struct bp_name_table_writer *writer)
{
	while (writer->retired != NULL) {
		struct bp_name_entry *entry = writer->retired;

		writer->retired = entry->next_retired;
		free(entry);
	}
}

void
bp_name_table_free(struct bp_name_table_writer *writer)
{
	struct bp_name_table *table = writer->table;

	if (table == NULL)
		return;
	free_retired(writer);
	for (uint32_t i = 0; table->buckets != NULL && i <= table->mask; i++)
		for (struct bp_name_entry *entry = atomic_load(&table->buckets[i]), *next; entry != NULL; entry = next) {
			next = atomic_load(&entry->next);
			free(entry);
		}
	free(table->buckets);
	free(table->rings);
	free(table);
	writer->table = NULL;
}

/* The link that leads to @entry, or the bucket's last one; *@length: links before it. */
static _Atomic(struct bp_name_entry *) *
link_to(struct bp_name_table *table, uint64_t hash, const struct bp_name_entry *entry, unsigned *length)
{
	_Atomic(struct bp_name_entry *) *link = &table->buckets[hash & table->mask];
	struct bp_name_entry *at;

	for (*length = 0; (at = atomic_load(link)) != entry && at != NULL; link = &at->next)
		(*length)++;
	return link;
}

static void
retire(struct bp_name_table_writer *writer, struct bp_name_entry *entry)
{
	entry->next_retired = writer->retired; /* its next still leads readers on */
	writer->retired = entry;
}

bool
bp_name_table_put(struct bp_name_table_writer *writer, struct bp_name_entry *entry, struct bp_name_entry *old)
{
	struct bp_name_table *table = writer->table;
	_Atomic(struct bp_name_entry *) *link;
	unsigned length;

	entry->hash = bp_name_hash(table, &entry->key);
	link = link_to(table, entry->hash, old, &length);
	if (old == NULL && length >= BP_NAME_CHAIN_MAX) {
		free(entry);
		return false;
	}
	atomic_store(&entry->next, old ? atomic_load(&old->next) : NULL);
	atomic_store_explicit(link, entry, memory_order_release);
	if (old != NULL)
		retire(writer, old);
	else
		writer->count++;
	atomic_fetch_add(&table->news, 1);
	return true;
}

void
bp_name_table_take(struct bp_name_table_writer *writer, struct bp_name_entry *entry)
{
	unsigned length;
	_Atomic(struct bp_name_entry *) *link = link_to(writer->table, entry->hash, entry, &length);

	atomic_store_explicit(link, atomic_load(&entry->next), memory_order_release);
	retire(writer, entry);
	writer->count--;
}

void
bp_name_table_reclaim(struct bp_name_table_writer *writer)
{
	if (writer->retired == NULL)
		return;
	synchronize_rcu();
	free_retired(writer);
}

bool
bp_name_table_question(struct bp_name_table_writer *writer, unsigned *turn, struct bp_name_key *key)
{
	for (unsigned i = 0; i < writer->table->ring_count; i++) {
		struct bp_name_ring *ring = &writer->table->rings[(*turn + i) % writer->table->ring_count];
		uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

		if (atomic_load_explicit(&ring->head, memory_order_acquire) == tail)
			continue;
		*key = ring->keys[tail % BP_NAME_RING_SIZE];
		atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
		*turn += i + 1;
		return true;
	}
	return false;
}
