/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a configuration to running workers, and back. Control thread only. Each step of
 * bp_dataplane_start() has its opposite in take_down(), which is also what bp_dataplane_stop() is.
 */
#include "byepass/dataplane.h"
#include "proxy/engine.h"
#include "worker/notice.h"
#include "worker/reclaim.h"
#include "worker/spread.h"
#include "worker/state.h"

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <urcu-qsbr.h>

#define NEIGHBOURS 4096
#define US_BEFORE_START 1000000 /* the workers' clock begins here: no deadline is ever near zero */

/* Huge pages for everything, else for DPDK alone, else none; and how many records fit. */
static int
plan_memory(struct bp_dataplane *dataplane, char *error, size_t error_size)
{
	const struct bp_config *config = dataplane->config;
	enum bp_hugepages mode = config->workers.hugepages;
	uint64_t dpdk = bp_pools_memory(config);
	uint64_t huge;
	char reason[192] = "";
	int rc;

	bp_hugepages_find(&dataplane->hugepages);
	huge = mode == BP_HUGEPAGES_OFF ? 0 : bp_hugepages_free(&dataplane->hugepages);
	bp_capacity_plan(&dataplane->capacity, &config->capacity, huge > dpdk ? huge - dpdk : 0,
		bp_machine_memory_available());
	if (config->cdr.folder[0] != '\0')
		bp_capacity_add_cdrs(&dataplane->capacity);
	rc = bp_capacity_check(&dataplane->capacity, dpdk, bp_machine_memory(), error, error_size);
	if (rc)
		return rc;
	rc = bp_hugepages_acquire(
		&dataplane->hugepages, mode, dpdk + dataplane->capacity.bytes, reason, sizeof(reason));
	if (rc) {
		snprintf(error, error_size, "workers.hugepages: %s", reason);
		return rc;
	}
	dataplane->hugepages.slabs = dataplane->hugepages.use;
	if (mode == BP_HUGEPAGES_AUTO && !dataplane->hugepages.use) {
		bp_hugepages_acquire(&dataplane->hugepages, mode, dpdk, reason, sizeof(reason));
		if (!dataplane->hugepages.use)
			bp_notice(dataplane->notice, "plain memory is used, which is slower: %s", reason);
		else
			bp_notice(dataplane->notice, "records are in plain memory, which is slower: %s",
				reason);
	}
	return 0;
}

static int
start_eal(struct bp_dataplane *dataplane, char *error, size_t error_size)
{
	unsigned memory_mb = (unsigned)(bp_pools_memory(dataplane->config) >> 20) + 1;
	int rc = bp_eal_arguments_build(&dataplane->arguments, dataplane->config, dataplane->custom.devices == NULL,
		dataplane->hugepages.use, memory_mb);

	if (!rc)
		rc = bp_eal_start(&dataplane->arguments, dataplane->config, error, error_size);
	dataplane->eal = rc == 0;
	if (!rc && dataplane->custom.devices)
		rc = dataplane->custom.devices(dataplane->custom.context);
	return rc;
}

/* Finds the ports, and with them how many workers there are; gives each its buffers; opens the ports. */
static int
start_ports(struct bp_dataplane *dataplane, char *error, size_t error_size)
{
	const struct bp_config *config = dataplane->config;
	const struct bp_pools *pools[BP_CONFIG_WORKERS_MAX];
	int rc = bp_ports_find(
		&dataplane->ports, config, config->workers.count, dataplane->notice, error, error_size);

	if (rc)
		return rc;
	for (unsigned i = 0; i < dataplane->ports.queues; i++) {
		int node = (int)rte_lcore_to_socket_id(BP_EAL_LCORE(i));
		struct bp_worker *worker = rte_zmalloc_socket("worker", sizeof(*worker), 64, node);

		if (!worker)
			return -ENOMEM;
		dataplane->workers[dataplane->worker_count++] = worker;
		rc = bp_pools_create(&worker->pools, config, i, node);
		if (rc)
			return rc;
		pools[i] = &worker->pools;
	}
	return bp_ports_open(&dataplane->ports, pools, dataplane->notice, error, error_size);
}

/* DPDK's start took a while: long enough to measure the counter well. */
static void
start_clock(struct bp_dataplane *dataplane)
{
	struct bp_clock_sample now;
	uint64_t hz;

	bp_clock_look(&now);
	hz = bp_clock_frequency(&dataplane->begin, &now, rte_get_tsc_hz());
	bp_clock_init(&dataplane->clock, now.tsc - hz / 1000000 * US_BEFORE_START, hz);
}

static int
start_edge(struct bp_dataplane *dataplane)
{
	struct bp_edge_options options = {
		.workers = (uint16_t)dataplane->worker_count,
		.transactions = dataplane->capacity.transactions,
		.dialogs = dataplane->capacity.dialogs,
		.kept_bytes = dataplane->capacity.kept_bytes,
		.map = bp_hugepages_map,
		.unmap = bp_hugepages_unmap,
		.epoch = (uint64_t)time(NULL),
	};
	int rc;

	if (getrandom(options.seed, sizeof(options.seed), 0) != sizeof(options.seed))
		return -EIO;
	bp_hugepages_map_from(&dataplane->hugepages);
	rc = bp_edge_create(&dataplane->edge, dataplane->config, &options);
	explicit_bzero(options.seed, sizeof(options.seed));
	return rc;
}

static int
start_workers(struct bp_dataplane *dataplane)
{
	int rc;

	for (unsigned i = 0; i < dataplane->worker_count; i++) {
		rc = bp_worker_create(dataplane->workers[i], i, dataplane->config, &dataplane->ports,
			dataplane->neighbours, dataplane->edge, &dataplane->clock, dataplane->reclaim, dataplane->spread);
		if (rc)
			return rc;
	}
	for (unsigned i = 0; i < dataplane->worker_count; i++) {
		rc = rte_eal_remote_launch(dataplane->custom.run ? dataplane->custom.run : bp_worker_run,
			dataplane->workers[i], BP_EAL_LCORE(i));
		if (rc)
			return rc;
	}
	for (unsigned i = 0; i < dataplane->worker_count; i++)
		while (!__atomic_load_n(&dataplane->workers[i]->running, __ATOMIC_ACQUIRE))
			rte_delay_us_sleep(100);
	return 0;
}

void
bp_dataplane_stop_workers(struct bp_dataplane *dataplane)
{
	for (unsigned i = 0; i < dataplane->worker_count; i++)
		__atomic_store_n(&dataplane->workers[i]->stop, true, __ATOMIC_RELAXED);
	if (dataplane->eal)
		rte_eal_mp_wait_lcore();
}

/* Undoes whatever was done, last things first. An engine may hand over a last batch as it is freed: control
 * is a reader of RCU for as long as that takes. */
static void
take_down(struct bp_dataplane *dataplane)
{
	bp_dataplane_stop_workers(dataplane);
	bp_eal_log_hold(true); /* nobody is helped by what drivers say while they are closed */
	if (dataplane->reclaim) {
		rcu_register_thread();
		bp_reclaim_join(dataplane->reclaim);
	}
	for (unsigned i = 0; i < dataplane->worker_count; i++)
		bp_worker_free(dataplane->workers[i]);
	if (dataplane->reclaim) {
		bp_reclaim_join(NULL);
		rcu_unregister_thread();
		bp_reclaim_stop(dataplane->reclaim);
	}
	bp_edge_free(dataplane->edge);
	bp_spread_free(dataplane->spread);
	bp_neighbours_free(dataplane->neighbours);
	bp_ports_close(&dataplane->ports);
	for (unsigned i = 0; i < dataplane->worker_count; i++) {
		bp_pools_free(&dataplane->workers[i]->pools);
		rte_free(dataplane->workers[i]);
	}
	if (dataplane->eal)
		bp_eal_stop();
	bp_eal_arguments_free(&dataplane->arguments);
	bp_hugepages_release(&dataplane->hugepages);
	pthread_mutex_destroy(&dataplane->command_lock);
	free(dataplane);
}

int
bp_dataplane_start(struct bp_dataplane **out, const struct bp_config *config,
	void (*free_config)(const struct bp_config *), void (*notice)(const char *line), char *error,
	size_t error_size)
{
	return bp_dataplane_start_custom(
		out, config, free_config, notice, &(struct bp_dataplane_custom){0}, error, error_size);
}

int
bp_dataplane_start_custom(struct bp_dataplane **out, const struct bp_config *config,
	void (*free_config)(const struct bp_config *), void (*notice)(const char *line),
	const struct bp_dataplane_custom *custom, char *error, size_t error_size)
{
	struct bp_dataplane *dataplane = calloc(1, sizeof(*dataplane));
	int rc;

	if (error_size)
		*error = '\0';
	if (!dataplane)
		return -ENOMEM;
	dataplane->config = config;
	dataplane->notice = notice;
	dataplane->custom = *custom;
	pthread_mutex_init(&dataplane->command_lock, NULL);
	bp_clock_look(&dataplane->begin);

	rc = plan_memory(dataplane, error, error_size);
	if (rc)
		goto fail;
	rc = start_eal(dataplane, error, error_size);
	if (rc)
		goto fail;
	rc = start_ports(dataplane, error, error_size);
	if (rc)
		goto fail;
	start_clock(dataplane);
	rc = -ENOMEM;
	dataplane->reclaim = bp_reclaim_start(config->workers.control_cpu);
	if (!dataplane->reclaim)
		goto fail;
	rc = bp_neighbours_create(&dataplane->neighbours, NEIGHBOURS, (int)rte_socket_id());
	if (rc)
		goto fail;
	if (config->workers.spread == BP_SPREAD_CALL_ID && dataplane->worker_count > 1)
		rc = bp_spread_create(&dataplane->spread, dataplane->worker_count);
	if (!rc)
		rc = start_edge(dataplane);
	if (rc)
		goto fail;
	rc = start_workers(dataplane);
	if (rc)
		goto fail;
	bp_eal_log_hold(false);
	dataplane->free_config = free_config;
	*out = dataplane;
	return 0;

fail:
	if (error_size && !*error)
		snprintf(error, error_size, "the data path does not start: %s", strerror(-rc));
	take_down(dataplane);
	return rc;
}

void
bp_dataplane_abandon(struct bp_dataplane *dataplane)
{
	if (!dataplane)
		return;
	bp_ports_restore(&dataplane->ports);
	/* still mapped: the kernel takes each page back as the process lets go of it */
	bp_hugepages_release(&dataplane->hugepages);
}

void
bp_dataplane_stop(struct bp_dataplane *dataplane)
{
	const struct bp_config *config;
	void (*free_config)(const struct bp_config *config);

	if (!dataplane)
		return;
	config = dataplane->config;
	free_config = dataplane->free_config;
	take_down(dataplane);
	if (free_config) /* no reader is left: the workers have ended */
		free_config(config);
}

int
bp_dataplane_capacity_of(const struct bp_config *config, uint32_t *transactions, uint32_t *dialogs, char *error,
	size_t error_size)
{
	struct bp_hugepage_pool hugepages;
	uint64_t dpdk = bp_pools_memory(config);
	struct bp_capacity capacity;
	uint64_t huge;

	bp_hugepages_find(&hugepages);
	huge = config->workers.hugepages == BP_HUGEPAGES_OFF ? 0 : bp_hugepages_free(&hugepages);
	bp_capacity_plan(
		&capacity, &config->capacity, huge > dpdk ? huge - dpdk : 0, bp_machine_memory_available());
	if (config->cdr.folder[0] != '\0')
		bp_capacity_add_cdrs(&capacity);
	if (transactions)
		*transactions = capacity.transactions;
	if (dialogs)
		*dialogs = capacity.dialogs;
	return bp_capacity_check(&capacity, dpdk, bp_machine_memory(), error, error_size);
}
