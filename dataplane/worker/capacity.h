/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How many records and dialogs there are when the configuration says auto, and what memory the engine takes
 * for them. Pure arithmetic.
 */
#ifndef BYEPASS_WORKER_CAPACITY_H
#define BYEPASS_WORKER_CAPACITY_H

#include "byepass/config.h"

#define BP_CAPACITY_MODEST 262144u /* records when nobody reserved huge pages for more */
#define BP_CAPACITY_LEAST 4096u
#define BP_CAPACITY_MOST (64u << 20)

/* Bytes that one record takes with all that hangs on it: itself, its dozen timer entries, and the messages
 * that it keeps (half a kilobyte or one, for the 32 seconds that its response may be asked for again). */
#define BP_CAPACITY_RECORD (256u + 12u * 25u)
#define BP_CAPACITY_KEPT 1024u
#define BP_CAPACITY_DIALOG (512u + 2u * 25u)

struct bp_capacity {
	uint32_t transactions;
	uint32_t dialogs;
	uint64_t kept_bytes;
	uint64_t bytes; /* of all of it */
};

/* @wanted:    0 = auto.
 * @huge:      bytes of free huge pages that somebody reserved, less what DPDK needs; all of them may be used.
 * @available: bytes of memory that is available, huge pages aside.
 * Auto takes at most a quarter of the memory. As many dialogs as records: a call has two records for 32
 * seconds each and one dialog for as long as people talk. */
void bp_capacity_plan(
	struct bp_capacity *out, const struct bp_config_capacity *wanted, uint64_t huge, uint64_t available);

#endif
