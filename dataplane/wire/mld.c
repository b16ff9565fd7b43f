/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Multicast listener discovery, a host's part (RFC 3810; RFC 2710 for old queriers): switches that listen in
 * pass neighbour solicitations on only to those who said that they want their group. Reports are sent when we
 * announce ourselves and when a querier asks.
 */
#include "wire/checksum.h"
#include "wire/ethernet.h"
#include "wire/icmp.h"
#include "wire/state.h"

#include <netinet/in.h>

enum { QUERY = 130, REPORT_V1 = 131, REPORT_V2 = 143 };
enum { MODE_IS_EXCLUDE = 2, CHANGE_TO_EXCLUDE = 4 }; /* nobody excluded: we want what comes from all */

#define QUERY_SIZE_V1 24
#define QUERY_SIZE_V2 28
#define RECORDS_MAX 50 /* of one report: far below any MTU */

struct hop_by_hop { /* RFC 2711: routers look into it though it is not for them */
	uint8_t next_header;
	uint8_t units;
	uint8_t router_alert[4];
	uint8_t padding[2];
};
static_assert(sizeof(struct hop_by_hop) == 8, "RFC 8200 4.3");

struct record { /* RFC 3810 5.2.4 */
	uint8_t type;
	uint8_t auxiliary_size;
	uint8_t source_count[2];
	uint8_t group[16];
};
static_assert(sizeof(struct record) == 20, "RFC 3810 5.2.4");

static const struct bp_ip routers_v2 = {.bytes = {0xff, 0x02, [15] = 0x16}};

/* Sends the @size bytes of ICMPv6 @message, whose checksum is zero, to group @destination. */
static void
send_report(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct bp_ip *destination,
	uint8_t *message, uint32_t size)
{
	static const struct hop_by_hop header = {
		.next_header = IPPROTO_ICMPV6, .router_alert = {5, 2, 0, 0}, .padding = {1, 0}};
	struct bp_output output = {
		.mbuf = bp_output_alloc(wire, (uint32_t)sizeof(header) + size),
		.source = wire->ports[port].link_local,
		.destination = *destination,
		.port = port,
		.vlan = vlan,
		.listener = BP_CONFIG_NONE,
		.family = 6,
		.protocol = IPPROTO_HOPOPTS,
		.hop_limit = 1,
	};
	struct rte_ether_addr mac = bp_ethernet_multicast(destination);
	uint16_t checksum;

	if (output.mbuf == NULL)
		return;
	checksum = bp_checksum_transport(6, &output.source, destination, IPPROTO_ICMPV6, message, size);
	memcpy(message + 2, &checksum, sizeof(checksum));
	memcpy(rte_pktmbuf_mtod(output.mbuf, uint8_t *), &header, sizeof(header));
	memcpy(rte_pktmbuf_mtod_offset(output.mbuf, uint8_t *, sizeof(header)), message, size);
	bp_output_emit(wire, &output, &mac);
}

struct report {
	uint8_t head[8]; /* type, code, checksum, reserved, number of records */
	struct record records[RECORDS_MAX];
	uint8_t count;
};

static void
report_send(struct bp_wire *wire, uint16_t port, uint16_t vlan, struct report *report)
{
	if (report->count == 0)
		return;
	memset(report->head, 0, sizeof(report->head));
	report->head[0] = REPORT_V2;
	report->head[7] = report->count;
	send_report(wire, port, vlan, &routers_v2, report->head,
		(uint32_t)(sizeof(report->head) + report->count * sizeof(struct record)));
	report->count = 0;
}

static void
report_add(struct report *report, uint8_t type, const struct bp_ip *group)
{
	struct record *record = &report->records[report->count++];

	memset(record, 0, sizeof(*record));
	record->type = type;
	memcpy(record->group, group->bytes, sizeof(record->group));
}

/* Answers for one group: into @report, or (an old querier's) by a report of its own. */
static void
answer(struct bp_wire *wire, const struct bp_packet *packet, const struct bp_ip *asked,
	const struct bp_ip *ip, struct report *report)
{
	static const struct bp_ip all;
	struct bp_ip group = bp_ip_solicited_node(ip);
	uint8_t message[QUERY_SIZE_V1] = {REPORT_V1};

	if (!bp_ip_equal(asked, &all) && !bp_ip_equal(asked, &group))
		return;
	if (report == NULL) {
		memcpy(message + 8, group.bytes, sizeof(group.bytes));
		send_report(wire, packet->port, packet->vlan, &group, message, sizeof(message));
		return;
	}
	report_add(report, MODE_IS_EXCLUDE, &group);
	if (report->count == RECORDS_MAX)
		report_send(wire, packet->port, packet->vlan, report);
}

unsigned
bp_mld_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	struct report report = {.count = 0}, *target = size >= QUERY_SIZE_V2 ? &report : NULL;
	struct bp_ip asked;

	/* RFC 3810 6.2, 8.3.1: from a neighbour, never from beyond. */
	if (bytes[0] != QUERY || !bp_ip_is_link_local(&packet->source) || packet->hop_limit != 1 ||
		(size != QUERY_SIZE_V1 && size < QUERY_SIZE_V2))
		return BP_DROP_icmp_foreign;
	if (!bp_bucket_take(
		    &wire->icmp_errors, BP_ICMP_ERRORS_PER_SECOND, BP_ICMP_ERRORS_BURST, wire->now_us))
		return BP_DROP_icmp_limited;
	memcpy(asked.bytes, bytes + 8, sizeof(asked.bytes));
	answer(wire, packet, &asked, &wire->ports[packet->port].link_local, target);
	for (unsigned i = 0; i < bp_addresses_interface_count(wire->addresses); i++) {
		const struct bp_interface *interface = bp_addresses_interface(wire->addresses, (uint16_t)i);

		if (interface->family == 6 && interface->port == packet->port &&
			interface->vlan == packet->vlan)
			answer(wire, packet, &asked, &interface->ip, target);
	}
	report_send(wire, packet->port, packet->vlan, &report);
	return BP_VERDICT_HANDLED;
}

void
bp_mld_join(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct bp_ip *ip)
{
	struct bp_ip own = bp_ip_solicited_node(&wire->ports[port].link_local),
		     group = bp_ip_solicited_node(ip);
	struct report report = {.count = 0};

	report_add(&report, CHANGE_TO_EXCLUDE, &group);
	report_add(&report, CHANGE_TO_EXCLUDE, &own);
	report_send(wire, port, vlan, &report);
}
