/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The edge of byepass-bench call: bp_dataplane_start() with a configuration like anybody's, on two net_ring ports whose
 * other ends are the generator's. Main thread.
 */
#include "call.h"
#include "config/load.h"
#include "support.h"
#include "worker/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdlib.h>
#include <string.h>

#define RING_SIZE 4096
#define CALLER_NET 0x0a010000u /* 10.1.0.0/16, the edge is .0.1 */
#define CALLEE_NET 0x0a020000u

static unsigned queues;
static bool hot;

/* A pair of ports, one the other's far end. */
static int
make_pair(const char *name, uint16_t *far)
{
	struct rte_ring *up[CALL_LANES_MAX], *down[CALL_LANES_MAX];
	char text[RTE_RING_NAMESIZE];
	int port;

	for (unsigned i = 0; i < queues; i++) {
		snprintf(text, sizeof(text), "%s-up%u", name, i);
		up[i] = rte_ring_create(text, RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		snprintf(text, sizeof(text), "%s-down%u", name, i);
		/* one peer that reads what all workers send */
		down[i] = hot && i > 0 ? down[0]
				       : rte_ring_create(text, RING_SIZE, SOCKET_ID_ANY,
						 (hot ? 0 : RING_F_SP_ENQ) | RING_F_SC_DEQ);
		if (up[i] == NULL || down[i] == NULL)
			return -ENOMEM;
	}
	if (rte_eth_from_rings(name, up, queues, down, queues, SOCKET_ID_ANY) < 0)
		return -ENODEV;
	snprintf(text, sizeof(text), "%s-far", name);
	port = rte_eth_from_rings(text, down, queues, up, queues, SOCKET_ID_ANY);
	if (port < 0)
		return -ENODEV;
	*far = (uint16_t)port;
	return 0;
}

static int
start_far(uint16_t port, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = {0};
	int rc = rte_eth_dev_configure(port, (uint16_t)queues, (uint16_t)queues, &conf);

	for (uint16_t i = 0; i < queues && rc == 0; i++) {
		rc = rte_eth_rx_queue_setup(port, i, 512, (unsigned)SOCKET_ID_ANY, NULL, pool);
		if (rc == 0)
			rc = rte_eth_tx_queue_setup(port, i, 512, (unsigned)SOCKET_ID_ANY, NULL);
	}
	return rc == 0 ? rte_eth_dev_start(port) : rc;
}

static int
make_devices(void *context)
{
	struct call_edge *edge = context;
	int rc = make_pair("caller", &edge->caller_port);

	if (rc == 0)
		rc = make_pair("callee", &edge->callee_port);
	if (rc != 0)
		return rc;
	edge->pool = rte_pktmbuf_pool_create("far", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (edge->pool == NULL)
		return -ENOMEM;
	rc = start_far(edge->caller_port, edge->pool);
	return rc == 0 ? start_far(edge->callee_port, edge->pool) : rc;
}

/* What an operator would write. */
static struct bp_config *
load(const struct call_options *options)
{
	struct bp_config *config = NULL;
	struct bp_report report;
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (options->config != NULL) {
		bp_report_init(&report, options->config);
		if (bp_config_load(&config, options->config, &report) != 0)
			bp_report_print(&report, stderr);
		return config;
	}
	out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	fprintf(out, "workers: { control_cpu: %u, cpus: [", options->control_cpu);
	for (unsigned i = 0; i < options->workers; i++)
		fprintf(out, "%s%u", i > 0 ? ", " : "", options->first_cpu + i);
	fprintf(out, "], spread: %s }\ncapacity: { ", options->hot ? "call_id" : "queues");
	if (options->kept != 0)
		fprintf(out, "kept: %u, ", options->kept);
	fprintf(out, "transactions: %" PRIu64 ", dialogs: %" PRIu64 " }\n", options->transactions, options->dialogs);
	fputs("ports:\n"
	      "  - { name: caller, device: net_ring_caller }\n"
	      "  - { name: callee, device: net_ring_callee }\n"
	      "realms:\n"
	      "  - { name: access, port: caller, address: 10.1.0.1/16, listen: [\"udp:5060\"], trust: untrusted }\n"
	      "  - { name: core, port: callee, address: 10.2.0.1/16, listen: [\"udp:5060\"], trust: trusted }\n"
	      "trunks:\n  - { name: core, realm: core, targets: [",
		out);
	for (unsigned i = 0; i < options->trunks; i++)
		fprintf(out, "%s{ uri: \"sip:10.2.1.%u:5060\" }", i > 0 ? ", " : "", 1 + i);
	fputs("] }\nroutes:\n  - { from: access, trunk: core }\n  - { from: core, realm: access }\n"
	      "control: { http: \"127.0.0.1:9060\", socket: none }\n",
		out);
	if (fclose(out) != 0)
		return NULL;
	bp_report_init(&report, "the benchmark's configuration");
	if (bp_config_load_text(&config, "bench.yaml", text, size, &report) != 0) {
		bp_report_print(&report, stderr);
		fputs(text, stderr);
	}
	free(text);
	return config;
}

static void
notice(const char *line)
{
	fprintf(stderr, "notice: %s\n", line);
}

bool
call_edge_start(struct call_edge *edge, const struct call_options *options, int (*run)(void *worker))
{
	struct bp_config *config = load(options);
	const struct bp_dataplane_custom custom = {.devices = make_devices, .context = edge, .run = run};
	struct bp_dataplane_port port;
	char error[256];

	if (config == NULL)
		return false;
	queues = config->workers.count;
	hot = options->hot;
	if (bp_dataplane_start_custom(&edge->dataplane, config, bp_config_free, notice, &custom, error, sizeof(error)) != 0) {
		fprintf(stderr, "byepass-bench: %s\n", error);
		bp_config_free(config);
		return false;
	}
	edge->workers = bp_dataplane_worker_count(edge->dataplane);
	if (bp_dataplane_port_count(edge->dataplane) < 2)
		bench_usage("the configuration has no ports net_ring_caller and net_ring_callee");
	bp_dataplane_port(edge->dataplane, 0, &port);
	memcpy(edge->caller_mac, port.mac, 6);
	bp_dataplane_port(edge->dataplane, 1, &port);
	memcpy(edge->callee_mac, port.mac, 6);
	return true;
}

void
call_edge_stop(struct call_edge *edge)
{
	rte_eth_dev_stop(edge->caller_port);
	rte_eth_dev_stop(edge->callee_port);
	bp_dataplane_stop(edge->dataplane);
}

void
call_edge_ends(const struct call_edge *edge, const struct call_options *options, unsigned lane, struct gen_end *caller,
	struct gen_end *callee)
{
	*caller = (struct gen_end){.port = edge->caller_port,
		.rx_queue = (uint16_t)lane,
		.tx_queue = (uint16_t)lane,
		.mac = {2, 0, 0, 0, 1, 1},
		.ip = CALLER_NET + 0x101,
		.udp = 5060,
		.addresses = options->sources,
		.udp_ports = 1,
		.peer_ip = CALLER_NET + 1,
		.peer_udp = 5060};
	*callee = (struct gen_end){.port = edge->callee_port,
		.rx_queue = (uint16_t)lane,
		.tx_queue = (uint16_t)lane,
		.mac = {2, 0, 0, 0, 2, 1},
		.ip = CALLEE_NET + 0x101,
		.udp = 5060,
		.addresses = options->trunks,
		.udp_ports = 1,
		.peer_ip = CALLEE_NET + 1,
		.peer_udp = 5060};
	memcpy(caller->peer_mac, edge->caller_mac, 6);
	memcpy(callee->peer_mac, edge->callee_mac, 6);
}
