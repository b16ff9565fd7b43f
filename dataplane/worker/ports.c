/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Opening ports. Offloads are taken when the device has them and never assumed. Not taken: mbuf fast
 * free, because one queue sends out of two pools (packets and large); scattered reception, because the pool's
 * buffers hold a whole frame of the configured MTU; transmission of chains, because each frame is one segment.
 */
#include "worker/ports.h"
#include "worker/device.h"
#include "worker/eal.h"
#include "worker/host_interface.h"
#include "worker/notice.h"

#include <rte_ethdev.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define RX_OFFLOADS (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM)
#define TX_OFFLOADS (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

static_assert(BP_CONFIG_PORTS_MAX <= RTE_MAX_ETHPORTS, "what the configuration admits, DPDK can hold");

/* @what failed with @rc on this port: one line. Returns rc. */
static int
fail(const struct bp_port *port, const char *what, int rc, char *error, size_t error_size)
{
	const char *complaint = bp_eal_complaint(port->config->device);

	snprintf(error, error_size, "port %s (%s): %s: %s", port->config->name, port->config->device, what,
		*complaint ? complaint : strerror(-rc));
	return rc;
}

static int
find_one(struct bp_port *port, struct rte_eth_dev_info *info, char *error, size_t error_size)
{
	char name[BP_CONFIG_DEVICE_SIZE];
	int rc;

	bp_device_name(port->config->device, name, sizeof(name));
	rc = rte_eth_dev_get_port_by_name(name, &port->wire.id);
	if (rc)
		return fail(port, "cannot be opened", rc, error, error_size);
	rc = rte_eth_dev_info_get(port->wire.id, info);
	if (rc)
		return fail(port, "no information about the device", rc, error, error_size);
	if (info->max_rx_queues == 0 || info->max_tx_queues == 0)
		return fail(port, "the device has no queues", -ENODEV, error, error_size);
	if (info->max_mtu && port->config->mtu > info->max_mtu) {
		snprintf(error, error_size, "port %s: MTU %u is more than the device's %u",
			port->config->name, port->config->mtu, info->max_mtu);
		return -EINVAL;
	}
	return 0;
}

/* A device with queues that nobody looks at loses what comes in on them. */
static int
check_all_served(const struct bp_ports *ports, char *error, size_t error_size)
{
	for (unsigned i = 0; i < ports->count; i++) {
		const struct bp_config_port *port = ports->ports[i].config;
		unsigned pairs = bp_device_queue_pairs(port->device);

		if (pairs <= ports->queues)
			continue;
		snprintf(error, error_size,
			"port %s (%s): %u queue pairs for %u worker%s: what comes in on the others would be "
			"lost",
			port->name, port->device, pairs, ports->queues, ports->queues == 1 ? "" : "s");
		return -EINVAL;
	}
	return 0;
}

int
bp_ports_find(struct bp_ports *ports, const struct bp_config *config, unsigned workers,
	void (*notice)(const char *line), char *error, size_t error_size)
{
	const struct bp_port *narrowest = NULL;

	ports->queues = (uint16_t)workers;
	ports->count = 0;
	ports->ports = calloc(config->port_count ? config->port_count : 1, sizeof(*ports->ports));
	if (!ports->ports)
		return -ENOMEM;
	for (; ports->count < config->port_count; ports->count++) {
		struct bp_port *port = &ports->ports[ports->count];
		struct rte_eth_dev_info info;
		int rc;

		port->config = &config->ports[ports->count];
		rc = find_one(port, &info, error, error_size);
		if (rc)
			return rc;
		if (RTE_MIN(info.max_rx_queues, info.max_tx_queues) < ports->queues) {
			ports->queues = RTE_MIN(info.max_rx_queues, info.max_tx_queues);
			narrowest = port;
		}
	}
	if (narrowest)
		bp_notice(notice, "port %s (%s) has %u queue pair%s: as many workers are started, not %u",
			narrowest->config->name, narrowest->config->device, ports->queues,
			ports->queues == 1 ? "" : "s", workers);
	return check_all_served(ports, error, error_size);
}

static int
configure(struct bp_port *port, uint16_t queues, const struct rte_eth_dev_info *info)
{
	uint64_t hash = info->flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP);
	struct rte_eth_conf conf = {
		.rxmode.mtu = port->config->mtu,
		.rxmode.offloads = info->rx_offload_capa & RX_OFFLOADS,
		.txmode.offloads = info->tx_offload_capa & TX_OFFLOADS,
	};

	if (queues > 1 && hash) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = hash;
	}
	port->wire.rx_checksum = conf.rxmode.offloads != 0;
	port->wire.tx_ipv4_checksum = conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	port->wire.tx_udp_checksum = conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	if (bp_device_is_memory(port->config->device)) {
		port->wire.rx_checksum = true;
		port->wire.tx_udp_checksum = true;
	}
	return rte_eth_dev_configure(port->wire.id, queues, queues, &conf);
}

static int
setup_queues(struct bp_port *port, uint16_t queues, const struct rte_eth_dev_info *info,
	const struct bp_pools *const *pools)
{
	uint16_t rx = BP_PORT_RX_DESCRIPTORS, tx = BP_PORT_TX_DESCRIPTORS;
	int node = rte_eth_dev_socket_id(port->wire.id);
	struct rte_eth_rxconf rx_conf = info->default_rxconf;
	struct rte_eth_txconf tx_conf = info->default_txconf;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->wire.id, &rx, &tx);

	if (rc)
		return rc;
	rx_conf.offloads = 0; /* those of the port apply to its queues */
	tx_conf.offloads = 0;
	for (uint16_t queue = 0; queue < queues && !rc; queue++) {
		rc = rte_eth_rx_queue_setup(port->wire.id, queue, rx, (unsigned)node, &rx_conf,
			bp_pools_receive(pools[queue], port->config));
		if (!rc)
			rc = rte_eth_tx_queue_setup(port->wire.id, queue, tx, (unsigned)node, &tx_conf);
	}
	return rc;
}

/* Neighbour discovery comes to solicited-node multicast addresses. */
static void
receive_multicast(struct bp_port *port, void (*notice)(const char *line))
{
	int rc;

	if (rte_eth_allmulticast_enable(port->wire.id) == 0 || rte_eth_promiscuous_get(port->wire.id) == 1)
		return;
	rc = rte_eth_promiscuous_enable(port->wire.id);
	port->promiscuous = rc == 0;
	if (!port->promiscuous &&
		rc != -ENOTSUP) /* not supported: a device without a filter, all comes through */
		bp_notice(notice,
			"port %s: the device does not take multicast (%s); IPv6 neighbours may not find us",
			port->config->name, strerror(-rc));
}

/* DPDK gives both ends of a TAP one address, the kernel's. With the same on either side neither ARP, nor a
 * bridge, nor an address made from the MAC would work, so our end gets one of its own, derived from the
 * other. */
static int
own_mac(struct bp_port *port, unsigned if_index)
{
	struct rte_ether_addr mac;
	int rc = rte_eth_macaddr_get(port->wire.id, &mac);

	if (rc)
		return rc;
	if (rte_is_zero_ether_addr(&mac)) /* a device without one (net_ring) */
		rte_eth_random_addr(mac.addr_bytes);
	port->tap = if_index && bp_host_interface_is_far_end(if_index);
	if (port->tap) {
		mac.addr_bytes[0] |= RTE_ETHER_LOCAL_ADMIN_ADDR;
		mac.addr_bytes[1] ^= 0x40;
	}
	memcpy(port->wire.mac, mac.addr_bytes, sizeof(port->wire.mac));
	return 0;
}

/* A kernel interface would keep our MTU after us: what it had is remembered. -ENOTSUP: a device that carries
 * whatever fits a buffer. */
static int
set_mtu(struct bp_port *port, unsigned if_index)
{
	uint16_t before = bp_host_interface_mtu(if_index);
	int rc = rte_eth_dev_set_mtu(port->wire.id, port->config->mtu);

	if (rc == 0 && before != port->config->mtu)
		port->mtu_before = before;
	port->wire.mtu = port->config->mtu;
	return rc == -ENOTSUP || before == port->config->mtu ? 0 : rc;
}

static int
open_one(struct bp_port *port, uint16_t queues, const struct bp_pools *const *pools,
	void (*notice)(const char *line), char *error, size_t error_size)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(port->wire.id, &info);

	if (!rc)
		rc = configure(port, queues, &info);
	if (rc)
		return fail(port, "cannot be configured", rc, error, error_size);
	rc = setup_queues(port, queues, &info, pools);
	if (rc)
		return fail(port, "queues cannot be set up", rc, error, error_size);
	rc = set_mtu(port, info.if_index);
	if (rc)
		return fail(port, "its MTU cannot be set", rc, error, error_size);
	rc = own_mac(port, info.if_index);
	if (rc)
		return fail(port, "has no MAC address", rc, error, error_size);
	rc = rte_eth_dev_start(port->wire.id);
	if (rc)
		return fail(port, "cannot be started", rc, error, error_size);
	port->started = true;
	receive_multicast(port, notice);
	return 0;
}

int
bp_ports_open(struct bp_ports *ports, const struct bp_pools *const *pools, void (*notice)(const char *line),
	char *error, size_t error_size)
{
	int rc = 0;

	for (unsigned i = 0; i < ports->count && !rc; i++)
		rc = open_one(&ports->ports[i], ports->queues, pools, notice, error, error_size);
	return rc;
}

void
bp_ports_restore(struct bp_ports *ports)
{
	for (unsigned i = 0; i < ports->count; i++) {
		struct bp_port *port = &ports->ports[i];

		if (port->promiscuous)
			rte_eth_promiscuous_disable(port->wire.id);
		if (port->mtu_before && !port->tap) /* the kernel's end of a TAP goes with us */
			rte_eth_dev_set_mtu(port->wire.id, port->mtu_before);
		port->promiscuous = false;
		port->mtu_before = 0;
	}
}

void
bp_ports_close(struct bp_ports *ports)
{
	bp_ports_restore(ports);
	for (unsigned i = 0; i < ports->count; i++) {
		struct bp_port *port = &ports->ports[i];

		if (port->started)
			rte_eth_dev_stop(port->wire.id);
		rte_eth_dev_close(port->wire.id);
	}
	free(ports->ports);
	memset(ports, 0, sizeof(*ports));
}

int
bp_ports_read(const struct bp_ports *ports, unsigned index, struct bp_dataplane_port *out)
{
	const struct bp_port *port;
	struct rte_eth_stats stats;
	struct rte_eth_link link;
	int rc;

	if (index >= ports->count)
		return -EINVAL;
	port = &ports->ports[index];
	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "%s", port->config->name);
	memcpy(out->mac, port->wire.mac, sizeof(out->mac));
	rc = rte_eth_link_get_nowait(port->wire.id, &link);
	out->link_up = port->tap || (rc == 0 && link.link_status == RTE_ETH_LINK_UP);
	rc = rte_eth_stats_get(port->wire.id, &stats);
	if (rc)
		return rc;
	out->rx_packets = stats.ipackets;
	out->tx_packets = stats.opackets;
	out->rx_bytes = stats.ibytes;
	out->tx_bytes = stats.obytes;
	out->rx_missed = stats.imissed;
	out->rx_errors = stats.ierrors;
	out->rx_no_buffer = stats.rx_nombuf;
	out->tx_errors = stats.oerrors;
	return 0;
}
