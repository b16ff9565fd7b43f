/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Free huge pages are used, missing ones are asked of the kernel (root, and memory that is not too
 * fragmented) and given back at the end. See Documentation/admin-guide/mm/hugetlbpage.rst in Linux.
 */
#include "worker/hugepages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PLAIN_ALIGNMENT (2ull << 20) /* size rounding when there are no huge pages; lets THP help */

static struct {
	const struct bp_hugepage_pool *pool;
	unsigned plain;
} source;

static uint64_t
read_meminfo_kb(const char *key)
{
	FILE *file = fopen("/proc/meminfo", "re");
	size_t length = strlen(key);
	char line[128];
	uint64_t kb = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, length) == 0) {
			kb = strtoull(line + length, NULL, 10);
			break;
		}
	}
	fclose(file);
	return kb;
}

static int
read_number(const struct bp_hugepage_pool *pool, const char *name, uint64_t *value)
{
	char path[160];
	FILE *file;
	int fields;

	snprintf(path, sizeof(path), "%s/%s", pool->directory, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	fields = fscanf(file, "%" SCNu64, value);
	fclose(file);
	return fields == 1 ? 0 : -EIO;
}

static int
write_total(const struct bp_hugepage_pool *pool, uint64_t pages)
{
	char path[160];
	FILE *file;
	int rc = 0;

	snprintf(path, sizeof(path), "%s/nr_hugepages", pool->directory);
	file = fopen(path, "we");
	if (!file)
		return -errno;
	if (fprintf(file, "%" PRIu64 "\n", pages) < 0)
		rc = -EIO;
	if (fclose(file))
		rc = -errno;
	return rc;
}

void
bp_hugepages_find(struct bp_hugepage_pool *pool)
{
	uint64_t kb = read_meminfo_kb("Hugepagesize:");

	memset(pool, 0, sizeof(*pool));
	pool->page_size = kb << 10;
	snprintf(pool->directory, sizeof(pool->directory), "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB",
		kb);
}

uint64_t
bp_hugepages_free(const struct bp_hugepage_pool *pool)
{
	uint64_t free_pages, reserved;

	if (!pool->page_size || read_number(pool, "free_hugepages", &free_pages))
		return 0;
	if (read_number(pool, "resv_hugepages", &reserved)) /* free but promised to a mapping */
		reserved = 0;
	return free_pages > reserved ? (free_pages - reserved) * pool->page_size : 0;
}

uint64_t
bp_machine_memory_available(void)
{
	return read_meminfo_kb("MemAvailable:") << 10;
}

uint64_t
bp_machine_memory(void)
{
	return read_meminfo_kb("MemTotal:") << 10;
}

/* Raises the kernel's pool until @bytes are free. What came of it shows in the number of pages, not in the
 * write's success: the kernel gives as many as it finds. */
static int
grow(struct bp_hugepage_pool *pool, uint64_t bytes)
{
	uint64_t missing = bytes - bp_hugepages_free(pool);
	uint64_t pages = (missing + pool->page_size - 1) / pool->page_size;
	uint64_t before, after;
	int rc;

	rc = read_number(pool, "nr_hugepages", &before);
	if (rc)
		return rc;
	rc = write_total(pool, before + pages);
	if (rc)
		return rc;
	rc = read_number(pool, "nr_hugepages", &after);
	if (rc)
		return rc;
	pool->added = after > before ? after - before : 0;
	return bp_hugepages_free(pool) >= bytes ? 0 : -ENOMEM;
}

int
bp_hugepages_acquire(
	struct bp_hugepage_pool *pool, enum bp_hugepages mode, uint64_t bytes, char *error, size_t error_size)
{
	uint64_t have = bp_hugepages_free(pool);
	int rc = 0;

	pool->use = false;
	if (mode == BP_HUGEPAGES_OFF)
		return 0;
	if (!pool->page_size)
		rc = -ENOSYS;
	else if (have < bytes && mode == BP_HUGEPAGES_AUTO && bytes - have > BP_HUGEPAGES_ASK)
		rc = -E2BIG;
	else if (have < bytes && bytes - have > bp_machine_memory_available() / 4 * 3)
		rc = -ENOMEM; /* the kernel would try, and take what everybody else lives on */
	else if (have < bytes)
		rc = grow(pool, bytes);
	if (!rc) {
		pool->use = true;
		return 0;
	}
	bp_hugepages_release(pool);
	snprintf(error, error_size, "%" PRIu64 " MiB of huge pages are wanted, %" PRIu64 " MiB are free, %s",
		bytes >> 20, have >> 20,
		rc == -E2BIG ? "and so many are not taken unasked" : "more cannot be had");
	return mode == BP_HUGEPAGES_ON ? -ENOMEM : 0;
}

void
bp_hugepages_release(struct bp_hugepage_pool *pool)
{
	uint64_t total;

	if (pool->added && read_number(pool, "nr_hugepages", &total) == 0)
		write_total(pool, total > pool->added ? total - pool->added : 0);
	pool->added = 0;
}

void
bp_hugepages_map_from(const struct bp_hugepage_pool *pool)
{
	source.pool = pool;
	source.plain = 0;
}

/* The size both map and unmap use: an munmap() of huge pages must be a multiple of their size. */
static size_t
rounded(size_t size)
{
	size_t unit = source.pool && source.pool->slabs ? source.pool->page_size : PLAIN_ALIGNMENT;

	return (size + unit - 1) / unit * unit;
}

void *
bp_hugepages_map(size_t size)
{
	void *memory;

	size = rounded(size);
	if (source.pool && source.pool->slabs) {
		/* populated now, so that no worker ever waits for a page to be cleared */
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
		if (memory != MAP_FAILED)
			return memory;
		source.plain++;
	}
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

void
bp_hugepages_unmap(void *memory, size_t size)
{
	if (memory)
		munmap(memory, rounded(size));
}

unsigned
bp_hugepages_plain_mappings(void)
{
	return source.plain;
}
