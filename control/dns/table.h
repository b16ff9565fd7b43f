/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The writer's side of the table of byepass/names.h. One thread writes; what it takes out stays until no worker can see
 * it any more.
 */
#ifndef BYEPASS_DNS_TABLE_H
#define BYEPASS_DNS_TABLE_H

#include "byepass/names.h"

struct bp_name_table_writer {
	struct bp_name_table *table;
	struct bp_name_entry *retired; /* taken out, linked by next_retired */
	uint32_t count;                /* entries */
};

/* Room for @entries names, a ring for each of @workers. 0 or -ENOMEM, -EIO. */
int bp_name_table_create(struct bp_name_table_writer *writer, uint32_t entries, unsigned workers);
/* No worker looks any more. */
void bp_name_table_free(struct bp_name_table_writer *writer);

/* @entry, malloc()ed, is known from now on, in the place of @old (NULL: none); the table's from now on. False: its
 * bucket is full, and @entry is freed. */
bool bp_name_table_put(struct bp_name_table_writer *writer, struct bp_name_entry *entry, struct bp_name_entry *old);
void bp_name_table_take(struct bp_name_table_writer *writer, struct bp_name_entry *entry);

/* Frees what was taken out, after a grace period that it waits for. */
void bp_name_table_reclaim(struct bp_name_table_writer *writer);

/* The next question of any worker, false: there is none. */
bool bp_name_table_question(struct bp_name_table_writer *writer, unsigned *turn, struct bp_name_key *key);

#endif
