/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Huge pages: whether there are enough, whether the kernel gives more, and slab memory out of
 * them. Control thread only.
 */
#ifndef BYEPASS_WORKER_HUGEPAGES_H
#define BYEPASS_WORKER_HUGEPAGES_H

#include "byepass/config.h"

#include <stddef.h>

struct bp_hugepage_pool {
	char directory[96]; /* /sys/kernel/mm/hugepages/hugepages-2048kB; tests name their own */
	uint64_t page_size; /* bytes; 0: none */
	uint64_t added;     /* pages asked of the kernel, given back by bp_hugepages_release */
	bool use;           /* EAL takes huge pages */
	bool slabs;         /* bp_hugepages_map too */
};

/* Finds the kernel's default huge page size. */
void bp_hugepages_find(struct bp_hugepage_pool *pool);

/* Bytes in huge pages that are free now. */
uint64_t bp_hugepages_free(const struct bp_hugepage_pool *pool);

/* What AUTO asks of the kernel at most. Nobody said that this process may take the machine's memory for good;
 * more than this is used when somebody has reserved it. */
#define BP_HUGEPAGES_ASK (1ull << 30)

/* Decides pool->use: true when @bytes are free, or can be had by raising nr_hugepages. With mode ON and none
 * to be had: -ENOMEM and a line in @error. With AUTO: 0, pool->use false, and the reason in @error, for a
 * notice. On failure nothing was taken. */
int bp_hugepages_acquire(struct bp_hugepage_pool *pool, enum bp_hugepages mode, uint64_t bytes, char *error,
	size_t error_size);

/* Gives back what acquire added. */
void bp_hugepages_release(struct bp_hugepage_pool *pool);

/* bp_edge_options.map and unmap. Zeroed memory, in huge pages when pool->slabs and some are left, else plain.
 */
void bp_hugepages_map_from(const struct bp_hugepage_pool *pool);
void *bp_hugepages_map(size_t size);
void bp_hugepages_unmap(void *memory, size_t size);

/* How many mappings had to be plain although pool->slabs, since bp_hugepages_map_from. */
unsigned bp_hugepages_plain_mappings(void);

/* MemAvailable and MemTotal, bytes; 0 when unknown. */
uint64_t bp_machine_memory_available(void);
uint64_t bp_machine_memory(void);

#endif
