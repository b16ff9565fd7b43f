/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The shared hash table, lock-free: readers under RCU, insert-if-absent by compare-and-swap.
 * Keys are 128-bit keyed hashes, so that bucket and tag are the key's own bits and nobody
 * outside can aim for one bucket. Fixed size; the nodes lie in the slots of one pool, and the
 * table names them by 32-bit index.
 */
#ifndef BYEPASS_TRANSACTION_TABLE_H
#define BYEPASS_TRANSACTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <urcu-qsbr.h>

struct bp_table;

/* Part of each slot that goes into a table. */
struct bp_table_node {
	uint64_t id[2];        /* the key; const while the node is in the table and a grace period after */
	_Atomic uint64_t next; /* the table's own: of nodes that found their bucket full */
};

struct bp_table_options {
	uint32_t entries;   /* expected at most; with more it only becomes slower */
	void *slots;        /* the pool: slot i begins at slots + i * slot_size */
	size_t slot_size;   /* bytes */
	size_t node_offset; /* of the node in its slot */
	void *(*map)(size_t size); /* zeroed memory; NULL: mmap */
	void (*unmap)(void *memory, size_t size);
};

/* Whether @node is what @key asks for, beyond its id being the same. */
typedef bool (*bp_table_match)(const struct bp_table_node *node, const void *key);

/* 0 or -ENOMEM. Off-worker. */
int bp_table_create(struct bp_table **out, const struct bp_table_options *options);

/* What is still in it lies in slots that go with their pool. NULL is legal. */
void bp_table_free(struct bp_table *table);

/* The node with this id that matches (@match NULL: any), or NULL. RCU: valid until the caller's next quiescent
 * state. */
struct bp_table_node *bp_table_find(
	struct bp_table *table, const uint64_t id[2], bp_table_match match, const void *key);

/* Asks for the memory of this id's bucket. */
void bp_table_prefetch(const struct bp_table *table, const uint64_t id[2]);

/* Inserts @node unless a matching one with its id is there: returns @node, or the one that was first. @node was not
 * in the table for at least a grace period. Lock-free. RCU as above. */
struct bp_table_node *bp_table_add(
	struct bp_table *table, struct bp_table_node *node, bp_table_match match, const void *key);

/* Takes @node, which was seen in the table, out; true for one caller only. Its slot must outlive a grace period. Lock-free. RCU as above. */
bool bp_table_remove(struct bp_table *table, struct bp_table_node *node);

#endif
