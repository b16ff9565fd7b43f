/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The shared hash table, lock-free: readers under RCU, insert-if-absent by compare-and-swap.
 * Keys are 128-bit keyed hashes, so the bucket index is the key's own first word. Fixed
 * size; the nodes live in the slots. liburcu's cds_lfht stands behind it.
 */
#ifndef BYEPASS_TRANSACTION_TABLE_H
#define BYEPASS_TRANSACTION_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <urcu-qsbr.h>
#include <urcu/rculfhash.h>

struct bp_table;

/* Whether @node is what @key asks for. @key begins with the 128-bit identity. */
typedef int (*bp_table_match)(struct cds_lfht_node *node, const void *key);

/* @entries: expected; rounded up to a power of two buckets. 0 or -ENOMEM. Off-worker, registered RCU reader or not. */
int bp_table_create(struct bp_table **out, uint32_t entries);
void bp_table_free(struct bp_table *table);

/* The node that matches, or NULL. RCU: valid until the caller's next quiescent state. */
struct cds_lfht_node *bp_table_find(struct bp_table *table, const uint64_t id[2], bp_table_match match, const void *key);

/* Inserts @node unless a matching one is there: returns @node, or the one that was first. */
struct cds_lfht_node *bp_table_add(
	struct bp_table *table, const uint64_t id[2], bp_table_match match, const void *key, struct cds_lfht_node *node);

/* Takes @node out. False: somebody else did. Its memory must outlive a grace period. */
bool bp_table_remove(struct bp_table *table, struct cds_lfht_node *node);

#endif
