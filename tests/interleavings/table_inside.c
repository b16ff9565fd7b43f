/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See table_inside.h.
 */
#include "table_inside.h"

#include "explorer.h"

static struct bp_table_node *table_find(
	struct bp_table *table, const uint64_t id[2], bp_table_match match, const void *key);
static struct bp_table_node *table_add(
	struct bp_table *table, struct bp_table_node *node, bp_table_match match, const void *key);
static bool table_remove(struct bp_table *table, struct bp_table_node *node);

#define bp_table_find table_find
#define bp_table_add table_add
#define bp_table_remove table_remove
#include "transaction/table.c"
#undef bp_table_find
#undef bp_table_add
#undef bp_table_remove

static bool whole;

void
table_be_whole(bool on)
{
	whole = on;
}

struct bp_table_node *
bp_table_find(struct bp_table *its, const uint64_t id[2], bp_table_match match, const void *key)
{
	struct bp_table_node *found;

	if (!whole)
		return table_find(its, id, match, key);
	explorer_begin_whole(bucket_of(its, id), false);
	found = table_find(its, id, match, key);
	explorer_end_whole(true);
	return found;
}

struct bp_table_node *
bp_table_add(struct bp_table *its, struct bp_table_node *node, bp_table_match match, const void *key)
{
	struct bp_table_node *first;

	if (!whole)
		return table_add(its, node, match, key);
	explorer_begin_whole(bucket_of(its, node->id), true);
	first = table_add(its, node, match, key);
	explorer_end_whole(first != node);
	return first;
}

bool
bp_table_remove(struct bp_table *its, struct bp_table_node *node)
{
	bool removed;

	if (!whole)
		return table_remove(its, node);
	explorer_begin_whole(bucket_of(its, node->id), true);
	removed = table_remove(its, node);
	explorer_end_whole(!removed);
	return removed;
}
