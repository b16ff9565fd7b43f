/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The proxy is stateless: its branch and its route are made of the call's number. It answers nothing but
 * 100, and passes CANCEL and its response on hop by hop. See target.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "target.h"

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 2048
#define CALLER_VIA "Via: SIP/2.0/UDP 10.1.0.100:5060;branch=z9hG4bKg%.16si\r\n"

void
target_eal(void)
{
	static char text[] = "test\0--no-huge\0--no-pci\0--no-telemetry\0--no-shconf\0--log-level=lib.*:error\0"
			     "-m\00064\0-l\0000";
	char *arguments[10], *at = text;

	for (unsigned i = 0; i < 10; i++, at += strlen(at) + 1)
		arguments[i] = at;
	assert_true(rte_eal_init(10, arguments) >= 0);
}

static struct rte_ring *
ring(const char *name, unsigned number)
{
	char full[32];
	struct rte_ring *made;

	snprintf(full, sizeof(full), "%s-%u", name, number);
	made = rte_ring_create(full, 1024, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	assert_non_null(made);
	return made;
}

static uint16_t
port(const char *name, unsigned number, struct rte_ring *rx, struct rte_ring *tx)
{
	static const struct rte_eth_conf conf;
	static struct rte_mempool *pool;
	char full[32];
	int made;

	if (pool == NULL)
		pool = rte_pktmbuf_pool_create("rx", 63, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	snprintf(full, sizeof(full), "%s-%u", name, number);
	made = rte_eth_from_rings(full, &rx, 1, &tx, 1, 0);
	assert_true(made >= 0);
	assert_int_equal(rte_eth_dev_configure((uint16_t)made, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup((uint16_t)made, 0, 0, 0, NULL, pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup((uint16_t)made, 0, 0, 0, NULL), 0);
	assert_int_equal(rte_eth_dev_start((uint16_t)made), 0);
	return (uint16_t)made;
}

void
target_begin(struct target *target, struct gen_options *options)
{
	static unsigned number;
	struct gen_end *caller = &options->caller, *callee = &options->callee;
	char error[256];

	memset(target, 0, sizeof(*target));
	number++;
	target->to_caller = ring("to-caller", number);
	target->to_callee = ring("to-callee", number);
	target->from_caller = ring("from-caller", number);
	target->from_callee = ring("from-callee", number);
	caller->port = port("caller", number, target->to_caller, target->from_caller);
	callee->port = port("callee", number, target->to_callee, target->from_callee);
	memcpy(caller->mac, "\2test\1", 6);
	memcpy(callee->mac, "\2test\2", 6);
	memcpy(caller->peer_mac, "\2test\3", 6);
	memcpy(callee->peer_mac, "\2test\4", 6);
	caller->ip = 0x0a010064;
	caller->peer_ip = 0x0a010001;
	callee->ip = 0x0a020064;
	callee->peer_ip = 0x0a020001;
	caller->udp = callee->udp = caller->peer_udp = callee->peer_udp = 5060;
	options->virtual_time = true;
	options->tsc_hz = 2.5e9;
	if (gen_create(&target->gen, options, error) != 0)
		fail_msg("%s", error);
}

static void
close_port(uint16_t number)
{
	rte_eth_dev_stop(number);
	rte_eth_dev_close(number);
}

void
target_end(struct target *target)
{
	struct gen_end caller = target->gen->options.caller, callee = target->gen->options.callee;
	struct rte_mempool *pool = target->gen->pool;

	/* every mbuf is back, or in the stash */
	assert_int_equal(rte_mempool_in_use_count(pool), target->gen->stash_count);
	gen_free(target->gen);
	close_port(caller.port);
	close_port(callee.port);
	rte_ring_free(target->to_caller);
	rte_ring_free(target->to_callee);
	rte_ring_free(target->from_caller);
	rte_ring_free(target->from_callee);
}

static char *
line_of(char *message, const char *name)
{
	char *line = strstr(message, name);

	assert_non_null(line);
	return line;
}

static void
cut_line(char *line)
{
	char *end = strstr(line, "\r\n") + 2;

	memmove(line, end, strlen(end) + 1);
}

static void
insert(char *at, const char *text)
{
	memmove(at + strlen(text), at, strlen(at) + 1);
	memcpy(at, text, strlen(text));
}

static void
send_text(struct target *target, enum side_id side, struct rte_mbuf *mbuf, char *message)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	struct rte_ipv4_hdr *ip = (void *)(frame + 14);
	struct rte_udp_hdr *udp = (void *)(frame + 34);
	uint16_t size;

	if (target->mangle != NULL)
		target->mangle(target, side, message);
	size = (uint16_t)strlen(message);
	memcpy(frame + 42, message, size);
	ip->src_addr = htonl(side == CALLER ? 0x0a010001 : 0x0a020001);
	ip->dst_addr = htonl(side == CALLER ? 0x0a010064 : 0x0a020064);
	ip->total_length = htons((uint16_t)(size + 28));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->dgram_len = htons((uint16_t)(size + 8));
	udp->dgram_cksum = 0;
	mbuf->data_len = (uint16_t)(size + 42);
	mbuf->pkt_len = mbuf->data_len;
	if (target->look != NULL)
		target->look(target, side, mbuf);
	assert_int_equal(rte_ring_enqueue(side == CALLER ? target->to_caller : target->to_callee, mbuf), 0);
}

void
target_send(struct target *target, enum side_id side, const char *text)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(target->gen->pool);
	char message[TEXT_MAX];
	uint8_t *frame;

	assert_non_null(mbuf);
	frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	memcpy(frame, target->gen->invite.frame, HEADERS_SIZE);
	memcpy(frame + 12, "\x08\0", 2);
	memcpy(frame + 34, frame + 36, 2); /* from the target's port, which is the same as ours */
	snprintf(message, sizeof(message), "%s", text);
	send_text(target, side, mbuf, message);
}

/* The proxy's own words for a call: of different length, like those of proxies out there. */
static uint32_t
word(const char *number)
{
	return (uint32_t)strtoul(number + 8, NULL, 16) * 2654435761u >> (number[15] % 4 * 4);
}

static void
trying(struct target *target, struct rte_mbuf *mbuf, const char *invite)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, mbuf->pool, 0, UINT32_MAX);
	char message[TEXT_MAX], *end;

	assert_non_null(copy);
	snprintf(message, sizeof(message), "%s", invite);
	end = strstr(message, "\r\n");
	memmove(message + 18, end, strlen(end) + 1);
	memcpy(message, "SIP/2.0 100 Trying", 18);
	cut_line(line_of(message, "Max-Forwards: "));
	cut_line(line_of(message, "Contact: "));
	cut_line(line_of(message, "Content-Type: "));
	snprintf(line_of(message, "Content-Length: "), 32, "Content-Length: 0\r\n\r\n");
	send_text(target, CALLER, copy, message);
}

static void
forward_request(struct target *target, struct rte_mbuf *mbuf, char *message)
{
	char *number = line_of(message, "Call-ID: ") + 9, via[128], route[128], *line = line_of(message, "Via: ");
	bool hop = strncmp(message, "CANCEL", 6) == 0 ||
		(strncmp(message, "ACK", 3) == 0 && strstr(line, "\r\n")[-1] == 'i');
	bool invite = strncmp(message, "INVITE", 6) == 0, dialog = strstr(message, "\r\nRoute: ") != NULL;

	snprintf(via, sizeof(via), "Via: SIP/2.0/UDP 10.2.0.1:5060;branch=z9hG4bKp.%x\r\n", word(number));
	snprintf(route, sizeof(route), "<sip:r%08x@10.1.0.1;lr>\r\n", word(number) ^ 0x5a5a);
	if (invite)
		trying(target, mbuf, message);
	if (dialog) {
		line = line_of(message, "Route: ");
		assert_memory_equal(line + 7, route, strlen(route)); /* the generator's route set */
		cut_line(line);
	}
	memcpy(line_of(message, "Max-Forwards: 70"), "Max-Forwards: 69", 16);
	line = line_of(message, "Via: ");
	if (hop)
		cut_line(line);
	insert(line, via);
	if (invite) {
		insert(line, route);
		insert(line, "Record-Route: ");
	}
	send_text(target, CALLEE, mbuf, message);
}

static void
forward_response(struct target *target, struct rte_mbuf *mbuf, char *message)
{
	char *line = line_of(message, "Via: "), via[128];

	assert_memory_equal(line, "Via: SIP/2.0/UDP 10.2.0.1:5060;branch=z9hG4bKp.", 47);
	cut_line(line);
	if (strstr(message, " CANCEL\r\n") != NULL) {
		snprintf(via, sizeof(via), CALLER_VIA, line_of(message, "Call-ID: ") + 9);
		insert(line, via);
	}
	send_text(target, CALLER, mbuf, message);
}

static void
forward(struct target *target)
{
	void *mbuf;
	char message[TEXT_MAX];

	while (rte_ring_dequeue(target->from_caller, &mbuf) == 0) {
		snprintf(message, sizeof(message), "%.*s", ((struct rte_mbuf *)mbuf)->data_len - 42,
			rte_pktmbuf_mtod_offset((struct rte_mbuf *)mbuf, const char *, 42));
		forward_request(target, mbuf, message);
	}
	while (rte_ring_dequeue(target->from_callee, &mbuf) == 0) {
		snprintf(message, sizeof(message), "%.*s", ((struct rte_mbuf *)mbuf)->data_len - 42,
			rte_pktmbuf_mtod_offset((struct rte_mbuf *)mbuf, const char *, 42));
		forward_response(target, mbuf, message);
	}
}

void
target_run(struct target *target)
{
	while (!gen_exhausted(target->gen) || !gen_idle(target->gen)) {
		target->now += gen_turn(target->gen, target->now) ? 2500 : 2500000;
		forward(target);
	}
	gen_turn(target->gen, target->now);
}
