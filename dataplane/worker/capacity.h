/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How many records and dialogs there are when the configuration says auto, and what memory the engine takes
 * for them. Pure arithmetic.
 */
#ifndef BYEPASS_WORKER_CAPACITY_H
#define BYEPASS_WORKER_CAPACITY_H

#include "byepass/config.h"

#include <stddef.h>

#define BP_CAPACITY_MODEST 262144u /* records when nobody reserved huge pages for more */
#define BP_CAPACITY_LEAST 4096u
#define BP_CAPACITY_MOST (64u << 20)

/* Bytes that one record and one dialog take of their pools: 128 each, and 17 for each timer entry (16, and the
 * heads of the chunks). A timer's are touched only when it is used. */
#define BP_CAPACITY_RECORD (128u + 12u * 17u)
#define BP_CAPACITY_DIALOG (128u + 2u * 17u)

/* Timer entries of a record on the average: a retransmission and the end of its life. */
#define BP_CAPACITY_TIMERS_USED (2u * 17u)

/* Two buckets of the table for each at most, allocated aside. */
#define BP_CAPACITY_BUCKETS 32u

/* Kept memory. Of a record on the average: while its request is under way its live part (512 bytes) and the
 * request (1 to 1.5 KiB); then, for the 32 seconds that its response may be asked for again, that (half a
 * kilobyte or one). A call that rings for ten seconds comes to 975 for each of its two records. Of a dialog: two
 * remotes, 96 to 192 bytes each. */
#define BP_CAPACITY_KEPT 1024u
#define BP_CAPACITY_DIALOG_KEPT (2u * 192u)

/* A call detail record, of each call that is up or on its way: 384 to 512. */
#define BP_CAPACITY_CDR 512u

/* All pools and all kept memory together: what the engine's 32-bit places can name is 128 GiB. */
#define BP_CAPACITY_REACH ((128ull << 30) - (64ull << 20))

struct bp_capacity {
	uint32_t transactions;
	uint32_t dialogs;
	uint64_t kept_bytes;
	uint64_t bytes; /* of all of it: what is mapped */
	uint64_t used_bytes; /* what will be touched of it; where `kept` was configured, timers as they are used on the average */
};

/* @wanted:    0 = auto.
 * @huge:      bytes of free huge pages that somebody reserved, less what DPDK needs; all of them may be used.
 * @available: bytes of memory that is available, huge pages aside.
 * Auto takes at most a quarter of the memory. As many dialogs as records: a call has two records for 32
 * seconds each and one dialog for as long as people talk. Kept memory gets less than its share where the pools
 * leave less of what the engine can name. */
void bp_capacity_plan(
	struct bp_capacity *out, const struct bp_config_capacity *wanted, uint64_t huge, uint64_t available);

/* Calls have records: kept memory grows by one for each dialog, as far as it can be named. */
void bp_capacity_add_cdrs(struct bp_capacity *plan);

/* 0, or -ENOMEM and a line in @error: the plan and @besides, bytes for DPDK, are more than @machine, all the
 * memory that there is (0: unknown, all is good). */
int bp_capacity_check(const struct bp_capacity *plan, uint64_t besides, uint64_t machine, char *error, size_t error_size);

#endif
