/* SPDX-License-Identifier: BSD-3-Clause
 *
 * liburcu's cds_lfht as a contender: of fixed size, no accounting, as a worker would use it.
 */
#include "table.h"

static void *
create(struct bench_record *records, uint32_t entries, unsigned threads, bool huge)
{
	unsigned long buckets = 64;

	while (buckets < entries)
		buckets *= 2;
	return cds_lfht_new(buckets, buckets, buckets, 0, NULL);
}

static void
destroy(void *table)
{
	cds_lfht_destroy(table, NULL); /* of an empty one; the process ends anyway */
}

static void
enter(void *table, unsigned thread)
{
	urcu_qsbr_register_thread();
}

static void
leave(void *table, unsigned thread)
{
	urcu_qsbr_unregister_thread();
}

static int
match(struct cds_lfht_node *node, const void *key)
{
	const struct bench_record *record = caa_container_of(node, struct bench_record, lfht);
	const uint64_t *id = key;

	return record->own.id[0] == id[0] && record->own.id[1] == id[1];
}

static inline const struct bench_record *
find(struct bench_work *work, const uint64_t id[2])
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	cds_lfht_lookup(work->table, (unsigned long)id[0], match, id, &iter);
	node = cds_lfht_iter_get_node(&iter);
	return node ? caa_container_of(node, struct bench_record, lfht) : NULL;
}

static inline bool
add(struct bench_work *work, struct bench_record *record)
{
	cds_lfht_node_init(&record->lfht);
	return cds_lfht_add_unique(work->table, (unsigned long)record->own.id[0], match, record->own.id,
		       &record->lfht) == &record->lfht;
}

static inline bool
take(struct bench_work *work, struct bench_record *record)
{
	return cds_lfht_del(work->table, &record->lfht) == 0;
}

static inline void
rest(struct bench_work *work)
{
	urcu_qsbr_quiescent_state();
}

BENCH_LOOPS(find, add, take, rest)

const struct bench_contender bench_lfht = {
	.name = "cds_lfht",
	.create = create,
	.destroy = destroy,
	.enter = enter,
	.leave = leave,
	.insert = insert,
	.remove = take_out,
	.lookup = lookup,
	.miss = miss,
	.node_bytes = sizeof(struct cds_lfht_node),
};
