/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The configured ports as DPDK ports: found by device name, given one queue pair per
 * worker, started, read, closed. Nothing here asks which driver a port has, only what it can do.
 * Control thread only.
 */
#ifndef BYEPASS_WORKER_PORTS_H
#define BYEPASS_WORKER_PORTS_H

#include "byepass/dataplane.h"
#include "wire/wire.h"
#include "worker/pools.h"

#define BP_PORT_RX_DESCRIPTORS 1024
#define BP_PORT_TX_DESCRIPTORS 1024

struct bp_port {
	const struct bp_config_port *config;
	struct bp_wire_port wire; /* queue is filled in per worker */
	bool started;
	bool promiscuous; /* we made it so, and undo it */
	uint16_t mtu_before; /* of the kernel's interface, where we changed it; 0: nothing to undo */
	bool tap;         /* we hold the other end: its link is up for as long as we run, in whatever namespace it is */
};

struct bp_ports {
	struct bp_port *ports; /* as many as configured, same order */
	unsigned count;
	uint16_t queues; /* queue pairs of every port = workers that carry traffic */
};

/* Finds the devices that EAL made and how many queue pairs all of them have: a message that comes in on one
 * port leaves on any other, so a worker needs a queue pair on every port. @workers: those wanted. 0 or -errno
 * with a line in @error. bp_ports_close() in either case. */
int bp_ports_find(struct bp_ports *ports, const struct bp_config *config, unsigned workers,
	void (*notice)(const char *line), char *error, size_t error_size);

/* Configures and starts all. @pools: each worker's, ports->queues of them. */
int bp_ports_open(struct bp_ports *ports, const struct bp_pools *const *pools,
	void (*notice)(const char *line), char *error, size_t error_size);

/* Undoes what a kernel interface would keep after us: promiscuous mode, the MTU. Workers may still run. */
void bp_ports_restore(struct bp_ports *ports);

/* NULL members are legal. Workers have stopped. */
void bp_ports_close(struct bp_ports *ports);

/* Name, MAC, link and statistics of one port. 0 or -errno. */
int bp_ports_read(const struct bp_ports *ports, unsigned port, struct bp_dataplane_port *out);

#endif
