/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What `byepass-bench table` asks of a table. Each contender names records by index; its loops are its own, so that
 * no call through a pointer stands in what is measured.
 */
#ifndef BYEPASS_BENCH_TABLE_H
#define BYEPASS_BENCH_TABLE_H

#include "transaction/table.h"

#include <urcu/rculfhash.h>

/* As large as a relay record; what a lookup touches is in its first cache line. */
struct bench_record {
	uint64_t word; /* stands for the server word: whoever finds a record reads it */
	struct bp_table_node own;
	struct cds_lfht_node lfht;
	uint8_t rest[128 - 48];
} __attribute__((aligned(128)));
static_assert(sizeof(struct bench_record) == 128, "two cache lines");

/* A piece of work of one thread: indices from @first on, @count of them. */
struct bench_work {
	void *table;
	struct bench_record *records;
	uint32_t entries; /* records that are, or will be, in the table */
	uint32_t first, count;
	uint64_t seed;    /* of the random choice of keys */
	uint64_t found;   /* out */
	uint64_t sum;     /* out: of the words read */
};

struct bench_contender {
	const char *name;
	/* Before the records are made. False, having said why: cannot run here. NULL: nothing to do. */
	bool (*begin)(uint64_t bytes, bool huge);
	void *(*create)(struct bench_record *records, uint32_t entries, unsigned threads, bool huge);
	void (*destroy)(void *table);
	void (*enter)(void *table, unsigned thread); /* each thread, before its first work */
	void (*leave)(void *table, unsigned thread);
	void (*insert)(struct bench_work *work); /* all of [first, first + count) */
	void (*remove)(struct bench_work *work); /* the same */
	void (*lookup)(struct bench_work *work); /* @count random ones of all entries */
	void (*miss)(struct bench_work *work);   /* @count keys that are not there */
	size_t node_bytes;                       /* of each record, beyond its id */
};

extern const struct bench_contender bench_own, bench_lfht, bench_rte;

static inline uint64_t
bench_mix(uint64_t x) /* splitmix64 */
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* The id of record @index, as random as a keyed hash. Those from BENCH_ABSENT on are never in a table. */
#define BENCH_ABSENT (UINT64_C(1) << 40)
static inline void
bench_id(uint64_t index, uint64_t id[2])
{
	id[0] = bench_mix(index);
	id[1] = bench_mix(~index);
}

/* A quiescent state for every burst, as on a worker. */
#define BENCH_BURST 32

/* The loops. FIND(work, id): struct bench_record *; ADD and TAKE(work, record): bool; REST(work): quiescent. */
#define BENCH_LOOPS(FIND, ADD, TAKE, REST) \
	static void insert(struct bench_work *work) \
	{ \
		for (uint32_t i = 0; i < work->count; i++) { \
			work->found += ADD(work, &work->records[work->first + i]); \
			if (i % BENCH_BURST == 0) \
				REST(work); \
		} \
	} \
	static void take_out(struct bench_work *work) \
	{ \
		for (uint32_t i = 0; i < work->count; i++) { \
			work->found += TAKE(work, &work->records[work->first + i]); \
			if (i % BENCH_BURST == 0) \
				REST(work); \
		} \
	} \
	static void lookup(struct bench_work *work) \
	{ \
		uint64_t id[2]; \
\
		for (uint32_t i = 0; i < work->count; i++) { \
			const struct bench_record *record; \
\
			bench_id((bench_mix(work->seed + i) >> 32) * work->entries >> 32, id); \
			record = FIND(work, id); \
			if (record != NULL) { \
				work->found++; \
				work->sum += record->word; \
			} \
			if (i % BENCH_BURST == 0) \
				REST(work); \
		} \
	} \
	static void miss(struct bench_work *work) \
	{ \
		uint64_t id[2]; \
\
		for (uint32_t i = 0; i < work->count; i++) { \
			bench_id(BENCH_ABSENT + work->seed + i, id); \
			work->found += FIND(work, id) != NULL; \
			if (i % BENCH_BURST == 0) \
				REST(work); \
		} \
	}

#endif
