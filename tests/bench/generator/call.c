/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The memory of calls. See call.h.
 */
#include "generator/call.h"

#include <errno.h>
#include <sys/mman.h>

static void *
map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

static void
unmap(void *memory, size_t size)
{
	if (memory != NULL)
		munmap(memory, size);
}

int
calls_create(struct calls *calls, uint32_t count)
{
	uint64_t blocks = (uint64_t)count * 2 + 64;

	memset(calls, 0, sizeof(*calls));
	calls->count = calls->free_call_count = count;
	calls->block_count = calls->free_block_count = blocks < BLOCK_NONE ? (uint32_t)blocks : BLOCK_NONE - 1;
	calls->calls = map(sizeof(*calls->calls) * count);
	calls->blocks = map(sizeof(*calls->blocks) * (size_t)calls->block_count);
	calls->free_calls = map(sizeof(uint32_t) * count);
	calls->free_blocks = map(sizeof(uint32_t) * (size_t)calls->block_count);
	if (calls->calls == NULL || calls->blocks == NULL || calls->free_calls == NULL || calls->free_blocks == NULL) {
		calls_free(calls);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++)
		calls->free_calls[i] = count - 1 - i;
	for (uint32_t i = 0; i < calls->block_count; i++)
		calls->free_blocks[i] = calls->block_count - 1 - i;
	return 0;
}

void
calls_free(struct calls *calls)
{
	unmap(calls->calls, sizeof(*calls->calls) * calls->count);
	unmap(calls->blocks, sizeof(*calls->blocks) * (size_t)calls->block_count);
	unmap(calls->free_calls, sizeof(uint32_t) * calls->count);
	unmap(calls->free_blocks, sizeof(uint32_t) * (size_t)calls->block_count);
	memset(calls, 0, sizeof(*calls));
}
