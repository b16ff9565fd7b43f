/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What control may ask of the data path. All calls are made from control threads
 * (the EAL main lcore), never from a worker.
 */
#ifndef BYEPASS_DATAPLANE_H
#define BYEPASS_DATAPLANE_H

#include "byepass/cdr.h"
#include "byepass/config.h"
#include "byepass/counters.h"
#include "byepass/events.h"
#include "byepass/names.h"
#include "byepass/kpi.h"

struct bp_dataplane;

struct bp_dataplane_port {
	char name[BP_CONFIG_NAME_SIZE];
	uint8_t mac[6];
	bool link_up;
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
	uint64_t rx_missed, rx_errors, rx_no_buffer, tx_errors;
};

/* Starts EAL, opens the ports, makes the pools and the table and launches one worker per configured CPU
 * (fewer, with a notice, when a port has fewer queues).
 * @config: snapshot; the data path takes it over and frees it with @free_config (NULL: nobody does) after a
 *          grace period. On failure it still belongs to the caller.
 * @error:  on failure, one line that a person understands, at most @error_size bytes with its NUL.
 * @notice: called once for each thing that the operator should know (no hugepages: slower), may be NULL.
 * Returns 0 and *@out, or -errno and nothing started. EAL can be started once in a process.
 * Thread: the caller becomes EAL's main lcore: it is pinned to control_cpu and SIGIO is blocked in it, so in
 * the threads that it makes later (net_tap signals its packets that way; workers take it). Workers block all
 * other signals. */
int bp_dataplane_start(struct bp_dataplane **out, const struct bp_config *config,
	void (*free_config)(const struct bp_config *), void (*notice)(const char *line), char *error,
	size_t error_size);

/* For a program that brings its own devices, or turns the workers itself (byepass-bench). */
struct bp_dataplane_custom {
	/* Makes the devices that the configuration names; EAL is up, and was told of none. Main lcore. 0 or -errno. */
	int (*devices)(void *context);
	void *context;
	/* The lcore's function in place of bp_worker_run() (worker/worker.h); NULL: that one. */
	int (*run)(void *worker);
};

/* bp_dataplane_start() but for what is @custom. */
int bp_dataplane_start_custom(struct bp_dataplane **out, const struct bp_config *config,
	void (*free_config)(const struct bp_config *), void (*notice)(const char *line),
	const struct bp_dataplane_custom *custom, char *error, size_t error_size);

/* Stops the workers, closes the ports, frees all. Calls still up are cut: drain first. */
void bp_dataplane_stop(struct bp_dataplane *dataplane);

/* For who is about to _exit(): undoes what would outlive the process (huge pages asked of the kernel, MTU and
 * promiscuous mode of its interfaces) and waits for nobody, not even for a worker that is stuck. Nothing else may
 * be called after it. */
void bp_dataplane_abandon(struct bp_dataplane *dataplane);

unsigned bp_dataplane_worker_count(const struct bp_dataplane *dataplane);

/* The live counters of worker @worker, read with bp_count_read(). Valid until stop. */
const struct bp_counters *bp_dataplane_counters(const struct bp_dataplane *dataplane, unsigned worker);

/* The sum over all workers, into *@out. */
void bp_dataplane_sum(const struct bp_dataplane *dataplane, struct bp_counters *out);

/* Refuse new INVITEs and other new requests with 503 from now on; what runs goes on. Sent through every
 * worker's mailbox and acknowledged. 0, or -ETIMEDOUT if a worker did not answer in 1 s. */
int bp_dataplane_drain(struct bp_dataplane *dataplane);

/* Has a worker send OPTIONS number @number to a target of a trunk that keeps the health of its targets; the answer will
 * stand there (byepass/health.h). Does not wait for it. 0, or -EAGAIN: the worker has enough to do, try again later. */
int bp_dataplane_probe(struct bp_dataplane *dataplane, uint16_t trunk, uint16_t target, uint32_t number);

/* The workers' clock, which bp_target_health.held_until_us is of. */
uint64_t bp_dataplane_now_us(const struct bp_dataplane *dataplane);

/* From now on the workers look names up in @names and put their questions there; it has a ring for each worker and
 * stays until stop. */
void bp_dataplane_names(struct bp_dataplane *dataplane, struct bp_name_table *names);

/* True when every worker has turned its loop since the last call: the liveness of /healthz. */
bool bp_dataplane_alive(struct bp_dataplane *dataplane);

/* Takes up to @max trace events of all workers; returns how many. One reader thread. */
unsigned bp_dataplane_events(struct bp_dataplane *dataplane, struct bp_event_message *events, unsigned max);

/* Gives @take each call detail record that the workers have finished; @cdr is good during the call, its times plus
 * @offset_us are microseconds since the epoch, UTC. Returns how many. One thread. */
unsigned bp_dataplane_cdrs(struct bp_dataplane *dataplane,
	void (*take)(void *context, const struct bp_cdr *cdr, int64_t offset_us), void *context);

/* The workers end; the records that they have finished, and those of the calls that are cut by that, go to @take as in
 * bp_dataplane_cdrs(). bp_dataplane_stop() comes next. */
void bp_dataplane_halt(struct bp_dataplane *dataplane,
	void (*take)(void *context, const struct bp_cdr *cdr, int64_t offset_us), void *context);

/* The figures of a trunk, summed over the workers. */
void bp_dataplane_kpi(const struct bp_dataplane *dataplane, uint16_t trunk, struct bp_kpi *out);

unsigned bp_dataplane_port_count(const struct bp_dataplane *dataplane);
int bp_dataplane_port(const struct bp_dataplane *dataplane, unsigned port, struct bp_dataplane_port *out);

/* What "auto" would come to on this machine now; for byepass --check, before anything is started. Any of the
 * two may be NULL. 0, or -ENOMEM and a line in @error: the start would refuse it, this machine has less memory. */
int bp_dataplane_capacity_of(const struct bp_config *config, uint32_t *transactions, uint32_t *dialogs, char *error,
	size_t error_size);

/* The snapshot in force, and the capacity that "auto" came to. */
const struct bp_config *bp_dataplane_config(const struct bp_dataplane *dataplane);
void bp_dataplane_capacity(const struct bp_dataplane *dataplane, uint32_t *transactions, uint32_t *dialogs);

#endif
