/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What "capacity: auto" comes to. Each of the two gets an eighth of the memory: a
 * record counts with what it keeps while it is under way, and numbers are rounded
 * down to a power of two, which the table wants anyway.
 */
#include "config/load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define TRANSACTION_BYTES 1024 /* record, table, and its share of kept messages */
#define DIALOG_BYTES 512
#define TRANSACTIONS_MIN (1u << 14)
#define TRANSACTIONS_MAX (1u << 26)

static uint32_t
fit(uint64_t memory, uint32_t bytes)
{
	uint64_t count = memory / 8 / bytes;
	uint32_t power = TRANSACTIONS_MIN;

	while (power < TRANSACTIONS_MAX && (uint64_t)power * 2 <= count)
		power *= 2;
	return power;
}

void
bp_config_capacity(struct bp_config_capacity *capacity, uint64_t memory)
{
	if (capacity->transactions == 0)
		capacity->transactions = fit(memory, TRANSACTION_BYTES);
	if (capacity->dialogs == 0)
		capacity->dialogs = fit(memory, DIALOG_BYTES);
}

uint64_t
bp_config_memory(void)
{
	uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
	uint64_t limit;

	if (file != NULL) {
		if (fscanf(file, "%" SCNu64, &limit) == 1 && limit < memory)
			memory = limit;
		fclose(file);
	}
	return memory;
}
