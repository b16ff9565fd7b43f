/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The shared table on cds_lfht of fixed size: no resizing, no accounting, so that neither lookup
 * nor insertion ever leaves the worker.
 */
#include "transaction/table.h"

#include <errno.h>
#include <stdlib.h>

struct bp_table {
	struct cds_lfht *lfht;
};

int
bp_table_create(struct bp_table **out, uint32_t entries)
{
	struct bp_table *table = calloc(1, sizeof(*table));
	unsigned long buckets = 64;

	if (table == NULL)
		return -ENOMEM;
	while (buckets < entries)
		buckets *= 2;
	table->lfht = cds_lfht_new(buckets, buckets, buckets, 0, NULL);
	if (table->lfht == NULL) {
		free(table);
		return -ENOMEM;
	}
	*out = table;
	return 0;
}

/* What is still in the table lies in slots that go with their pool. */
static void
empty(struct cds_lfht *lfht)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	rcu_read_lock();
	cds_lfht_first(lfht, &iter);
	while ((node = cds_lfht_iter_get_node(&iter)) != NULL) {
		cds_lfht_next(lfht, &iter);
		cds_lfht_del(lfht, node);
	}
	rcu_read_unlock();
}

void
bp_table_free(struct bp_table *table)
{
	if (table == NULL)
		return;
	empty(table->lfht);
	cds_lfht_destroy(table->lfht, NULL);
	free(table);
}

struct cds_lfht_node *
bp_table_find(struct bp_table *table, const uint64_t id[2], bp_table_match match, const void *key)
{
	struct cds_lfht_iter iter;

	cds_lfht_lookup(table->lfht, (unsigned long)id[0], match, key, &iter);
	return cds_lfht_iter_get_node(&iter);
}

struct cds_lfht_node *
bp_table_add(struct bp_table *table, const uint64_t id[2], bp_table_match match, const void *key,
	struct cds_lfht_node *node)
{
	cds_lfht_node_init(node);
	return cds_lfht_add_unique(table->lfht, (unsigned long)id[0], match, key, node);
}

bool
bp_table_remove(struct bp_table *table, struct cds_lfht_node *node)
{
	return cds_lfht_del(table->lfht, node) == 0;
}
