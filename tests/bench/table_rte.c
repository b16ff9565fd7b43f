/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DPDK's rte_hash as a contender, in its lock-free read-write mode; writers exclude each other
 * when there are several. Removed keys are freed through DPDK's own QSBR.
 */
#include "table.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_lcore.h>
#include <rte_memory.h>
#include <rte_rcu_qsbr.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct table {
	struct rte_hash *hash;
	struct rte_rcu_qsbr *qsbr;
};

static __thread unsigned this_thread;

static int
advise(const struct rte_memseg_list *list, void *argument)
{
	madvise(list->base_va, list->len, MADV_HUGEPAGE);
	return 0;
}

static bool
begin(uint64_t bytes, bool huge)
{
	static char text[] = "byepass-bench\0--no-huge\0--no-pci\0--no-telemetry\0--log-level=lib.*:error\0-l\0000\0-m";
	char megabytes[32], *arguments[9], *at = text;

	snprintf(megabytes, sizeof(megabytes), "%llu", (unsigned long long)(bytes >> 20) + 64);
	for (unsigned i = 0; i < 8; i++, at += strlen(at) + 1)
		arguments[i] = at;
	arguments[8] = megabytes;
	if (rte_eal_init(9, arguments) < 0) {
		printf("rte_hash: EAL does not start: %s\n", rte_strerror(rte_errno));
		return false;
	}
	if (huge)
		rte_memseg_list_walk(advise, NULL);
	return true;
}

/* The keys are random bits already. */
static uint32_t
signature(const void *key, uint32_t size, uint32_t init)
{
	return (uint32_t)(*(const uint64_t *)key >> 32);
}

static void *
create(struct bench_record *records, uint32_t entries, unsigned threads, bool huge)
{
	struct rte_hash_parameters parameters = {
		.name = "bench",
		/* with several writers each keeps some free places to itself */
		.entries = entries + (threads > 1 ? 128 * RTE_MAX_LCORE : 0),
		.key_len = 16,
		.hash_func = signature,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE |
			(threads > 1 ? RTE_HASH_EXTRA_FLAGS_MULTI_WRITER_ADD : 0),
	};
	size_t size = rte_rcu_qsbr_get_memsize(threads);
	struct table *table = calloc(1, sizeof(*table));
	struct rte_hash_rcu_config rcu = {.mode = RTE_HASH_QSBR_MODE_DQ};

	table->hash = rte_hash_create(&parameters);
	if (table->hash == NULL) {
		printf("rte_hash: %s\n", rte_strerror(rte_errno));
		free(table);
		return NULL;
	}
	table->qsbr = aligned_alloc(64, (size + 63) & ~(size_t)63);
	rte_rcu_qsbr_init(table->qsbr, threads);
	rcu.v = table->qsbr;
	rte_hash_rcu_qsbr_add(table->hash, &rcu);
	return table;
}

static void
destroy(void *opaque)
{
	struct table *table = opaque;

	rte_hash_free(table->hash);
	free(table->qsbr);
	free(table);
}

static void
enter(void *opaque, unsigned thread)
{
	struct table *table = opaque;

	rte_thread_register();
	this_thread = thread;
	rte_rcu_qsbr_thread_register(table->qsbr, thread);
	rte_rcu_qsbr_thread_online(table->qsbr, thread);
}

static void
leave(void *opaque, unsigned thread)
{
	struct table *table = opaque;

	rte_rcu_qsbr_thread_offline(table->qsbr, thread);
	rte_rcu_qsbr_thread_unregister(table->qsbr, thread);
	rte_thread_unregister();
}

static inline const struct bench_record *
find(struct bench_work *work, const uint64_t id[2])
{
	const struct table *table = work->table;
	void *record;

	if (rte_hash_lookup_with_hash_data(table->hash, id, signature(id, 16, 0), &record) < 0)
		return NULL;
	return record;
}

/* Add overwrites, so that absence is looked for first: not even then is it insert-if-absent among writers. */
static inline bool
add(struct bench_work *work, struct bench_record *record)
{
	const struct table *table = work->table;
	uint32_t hash = signature(record->own.id, 16, 0);
	void *first;

	return rte_hash_lookup_with_hash_data(table->hash, record->own.id, hash, &first) < 0 &&
		rte_hash_add_key_with_hash_data(table->hash, record->own.id, hash, record) == 0;
}

static inline bool
take(struct bench_work *work, struct bench_record *record)
{
	const struct table *table = work->table;

	return rte_hash_del_key_with_hash(table->hash, record->own.id, signature(record->own.id, 16, 0)) >= 0;
}

static inline void
rest(struct bench_work *work)
{
	const struct table *table = work->table;

	rte_rcu_qsbr_quiescent(table->qsbr, this_thread);
}

BENCH_LOOPS(find, add, take, rest)

const struct bench_contender bench_rte = {
	.name = "rte_hash",
	.begin = begin,
	.create = create,
	.destroy = destroy,
	.enter = enter,
	.leave = leave,
	.insert = insert,
	.remove = take_out,
	.lookup = lookup,
	.miss = miss,
	.node_bytes = 0,
};
