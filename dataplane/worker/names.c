/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The worker's side of names (byepass/names.h): a look into the table that control writes, and a
 * question into the worker's own ring. Thread: the worker. RCU: an online reader.
 */
#include "worker/worker.h"

enum bp_name_status
bp_worker_resolve(void *context, const struct bp_name_key *key, bool ask, const struct bp_name_entry **name)
{
	struct bp_worker *worker = context;
	struct bp_name_table *names = __atomic_load_n(&worker->names, __ATOMIC_ACQUIRE);

	if (names == NULL)
		return BP_NAME_OFF;
	*name = bp_name_find(names, key);
	if (*name != NULL)
		return (enum bp_name_status)(*name)->status;
	if (!ask)
		return BP_NAME_WAITS;
	if (!bp_name_ask(names, worker->index, key)) {
		bp_count(&worker->counters.names_ask_full, 1);
		return BP_NAME_BUSY;
	}
	bp_count(&worker->counters.names_asked, 1);
	return BP_NAME_WAITS;
}

uint64_t
bp_worker_resolved(void *context)
{
	struct bp_worker *worker = context;
	struct bp_name_table *names = __atomic_load_n(&worker->names, __ATOMIC_ACQUIRE);

	return names ? atomic_load_explicit(&names->news, memory_order_acquire) : 0;
}
