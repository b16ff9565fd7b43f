/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See exercise_gather.h.
 */
#include "exercise_gather.h"

#include "proxy/gather.h"
#include "sip/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

static const struct bp_sip_limits limits = {
	.headers = BP_SIP_HEADERS_MAX - 1, .vias = UINT16_MAX, .uri = UINT16_MAX};
static const char uri[] = "sip:somebody@192.0.2.77:5090", via[] = "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKbp0\r\n",
		  hops[] = "69", routes[2][40] = {"Record-Route: <sip:one;lr>\r\n", "Record-Route: <sip:two;lr>\r\n"};

/* Both ways at once. */
struct both {
	struct bp_gather gather;
	struct bp_edits edits;
};

static void
change(struct both *both, unsigned offset, unsigned remove, const char *text, unsigned insert)
{
	bp_gather_change(&both->gather, offset, remove, text, insert);
	bp_edit_replace(&both->edits, (uint16_t)offset, (uint16_t)remove, text, (uint16_t)insert);
}

/* As bp_gather_pop_via(). */
static void
pop_via(struct both *both, const struct bp_sip_message *m)
{
	const struct bp_sip_header *first = bp_sip_first(m, BP_SIP_VIA);
	struct bp_sip_walk walk = {0};

	if (m->via.last)
		bp_gather_change(&both->gather, first->line.offset, first->line.size, "", 0);
	else if (bp_sip_walk_next(m, BP_SIP_VIA, &walk))
		bp_gather_change(&both->gather, first->value.offset, walk.next - first->value.offset, "", 0);
	bp_edit_pop_via(&both->edits);
}

static void
add_source(struct both *both, const struct bp_flow *from)
{
	static struct bp_source_text text; /* kept from one to the next, as the engine does */

	bp_source_text(&text, from);
	MUST(text.port_size <= sizeof(text.text_port) && text.address_size <= sizeof(text.text_address));
	bp_gather_via(&both->gather, &text);
	bp_edit_via_received(&both->edits, &from->ip, from->port);
}

/* As the engine forwards a request. */
static void
forward(struct both *both, const struct bp_sip_message *m, unsigned choice, const struct bp_flow *from)
{
	const struct bp_sip_header *top = bp_sip_first(m, BP_SIP_VIA), *route = bp_sip_first(m, BP_SIP_ROUTE);
	const struct bp_sip_header *max = bp_sip_first(m, BP_SIP_MAX_FORWARDS);
	const struct bp_sip_header *record_route = bp_sip_first(m, BP_SIP_RECORD_ROUTE);
	unsigned offset = record_route ? record_route->line.offset : m->headers_offset;

	if ((choice & GATHER_URI) != 0 && m->status == 0)
		change(both, m->uri.offset, m->uri.size, uri, sizeof(uri) - 1);
	if ((choice & GATHER_PUSH_VIA) != 0)
		change(both, top->line.offset, 0, via, sizeof(via) - 1);
	if ((choice & GATHER_SOURCE) != 0)
		add_source(both, from);
	for (unsigned i = 0; i < 2 && (choice & GATHER_ROUTES) != 0 && route != NULL; i++, route = bp_sip_next(m, route))
		change(both, route->line.offset, route->line.size, "", 0);
	if ((choice & GATHER_HOPS) != 0 && max != NULL)
		change(both, max->value.offset, max->value.size, hops, sizeof(hops) - 1);
	for (unsigned i = 0; i < 2 && (choice & GATHER_RECORD_ROUTES) != 0; i++)
		change(both, offset, 0, routes[i], (unsigned)strlen(routes[i]));
}

/* In their order, inside the message, one behind the other. */
static void
check_bounds(const struct bp_gather *g)
{
	int64_t size = g->m->size;
	uint32_t end = 0;

	MUST(g->count <= BP_GATHER_MAX);
	for (unsigned i = 0; i < g->count; i++) {
		const struct bp_gather_change *one = &g->list[i];

		MUST(one->offset >= end);
		end = (uint32_t)one->offset + one->remove;
		MUST(end <= g->m->size);
		size += one->insert - (int64_t)one->remove;
	}
	MUST(size == g->size);
}

static void
compare(const struct both *both)
{
	uint32_t size = bp_edits_size(&both->edits);
	uint8_t *expected, *out;

	MUST(bp_gather_fits(&both->gather) == (size > 0));
	if (size == 0)
		return;
	MUST(size == both->gather.size);
	expected = malloc(size);
	out = malloc(size); /* of exactly that size: a byte beyond it shows */
	MUST(expected != NULL && out != NULL);
	MUST(bp_edits_apply(&both->edits, expected, size) == size);
	bp_gather_write(&both->gather, out);
	MUST(memcmp(out, expected, size) == 0);
	free(expected);
	free(out);
}

int
exercise_gather(const uint8_t *bytes, size_t size)
{
	static struct bp_sip_message m;
	static struct both both;
	unsigned choice = size > 0 ? bytes[0] : 0;
	struct bp_flow from = {.ip = {{[10] = 0xff, [11] = 0xff}}}; /* ::ffff:0:0/96: IPv4 */
	uint8_t *copy;
	int count = -1;

	if (size <= 1 + GATHER_SOURCE_SIZE || size - 1 - GATHER_SOURCE_SIZE > BP_SIP_MESSAGE_SIZE_MAX)
		return -1;
	memcpy(&from.port, bytes + 1, 2);
	if ((choice & GATHER_IPV6) != 0)
		memcpy(from.ip.bytes, bytes + 3, 16);
	else
		memcpy(from.ip.bytes + 12, bytes + 3, 4);
	bytes += 1 + GATHER_SOURCE_SIZE;
	size -= 1 + GATHER_SOURCE_SIZE;
	copy = malloc(size);
	MUST(copy != NULL);
	memcpy(copy, bytes, size);
	if (bp_sip_parse(&m, copy, (uint32_t)size, &limits) == BP_SIP_FAULT_NONE) {
		bp_gather_begin(&both.gather, &m);
		bp_edits_begin(&both.edits, &m);
		if ((choice & GATHER_POP_VIA) != 0)
			pop_via(&both, &m);
		else
			forward(&both, &m, choice, &from);
		check_bounds(&both.gather);
		compare(&both);
		count = (int)both.gather.count;
	}
	free(copy);
	return count;
}
