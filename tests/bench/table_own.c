/* SPDX-License-Identifier: BSD-3-Clause
 *
 * dataplane/transaction/table.c as a contender.
 */
#include "table.h"

#include <sys/mman.h>

static void *
map(size_t size, int advice)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, size, advice);
	return memory;
}

static void *
map_huge(size_t size)
{
	return map(size, MADV_HUGEPAGE);
}

static void *
map_small(size_t size)
{
	return map(size, MADV_NOHUGEPAGE);
}

static void
unmap(void *memory, size_t size)
{
	munmap(memory, size);
}

static void *
create(struct bench_record *records, uint32_t entries, unsigned threads, bool huge)
{
	const struct bp_table_options options = {
		.entries = entries,
		.slots = records,
		.slot_size = sizeof(*records),
		.node_offset = offsetof(struct bench_record, own),
		.map = huge ? map_huge : map_small,
		.unmap = unmap,
	};
	struct bp_table *table;

	return bp_table_create(&table, &options) == 0 ? table : NULL;
}

static void
destroy(void *table)
{
	bp_table_free(table);
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

static inline const struct bench_record *
find(struct bench_work *work, const uint64_t id[2])
{
	const struct bp_table_node *node = bp_table_find(work->table, id, NULL, NULL);

	return node ? caa_container_of(node, struct bench_record, own) : NULL;
}

static inline bool
add(struct bench_work *work, struct bench_record *record)
{
	return bp_table_add(work->table, &record->own, NULL, NULL) == &record->own;
}

static inline bool
take(struct bench_work *work, struct bench_record *record)
{
	return bp_table_remove(work->table, &record->own);
}

static inline void
rest(struct bench_work *work)
{
	urcu_qsbr_quiescent_state();
}

BENCH_LOOPS(find, add, take, rest)

const struct bench_contender bench_own = {
	.name = "byepass",
	.create = create,
	.destroy = destroy,
	.enter = enter,
	.leave = leave,
	.insert = insert,
	.remove = take_out,
	.lookup = lookup,
	.miss = miss,
	.node_bytes = sizeof(((struct bench_record *)0)->own.next),
};
