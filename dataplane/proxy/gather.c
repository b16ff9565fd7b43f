/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The gathered copy, and the changes of a Via. See gather.h.
 */
#include "proxy/gather.h"

#include "sip/uri.h"

#define DATAGRAM_MAX 65507 /* what IPv4 and UDP leave of 65,535 bytes */

bool
bp_gather_fits(const struct bp_gather *g)
{
	return g->size <= DATAGRAM_MAX;
}

void
bp_gather_write(const struct bp_gather *g, uint8_t *out)
{
	const uint8_t *in = g->m->bytes;
	uint32_t at = 0;

	for (unsigned i = 0; i < g->count; i++) {
		const struct bp_gather_change *change = &g->list[i];

		out = bp_put(out, in + at, change->offset - at);
		out = bp_put(out, change->text, change->insert);
		at = (uint32_t)change->offset + change->remove;
	}
	bp_put(out, in + at, g->m->size - at);
}

static unsigned
write_port(char *out, uint16_t port)
{
	char digits[5];
	unsigned count = 0;

	do
		digits[count++] = (char)('0' + port % 10);
	while ((port /= 10) > 0);
	for (unsigned i = 0; i < count; i++)
		out[i] = digits[count - 1 - i];
	return count;
}

void
bp_source_text(struct bp_source_text *text, const struct bp_flow *from)
{
	char address[48];
	unsigned size, brackets;

	if (text->address_size > 0 && text->port == from->port && bp_ip_equal(&text->ip, &from->ip))
		return;
	text->ip = from->ip;
	text->port = from->port;
	text->text_port[0] = '=';
	text->port_size = (uint8_t)(1 + write_port(text->text_port + 1, from->port));
	size = bp_sip_ip_write(&from->ip, address);
	brackets = address[0] == '['; /* via-received has none: RFC 5118 4.5 */
	memcpy(text->text_address, ";received=", 10);
	memcpy(text->text_address + 10, address + brackets, size - 2 * brackets);
	text->address_size = (uint8_t)(10 + size - 2 * brackets);
}

void
bp_gather_via(struct bp_gather *g, const struct bp_source_text *text)
{
	const struct bp_sip_via *via = &g->m->via;
	struct bp_ip host;

	if (via->rport_at) /* the value that a client wrote is not to be believed */
		bp_gather_change(g, via->rport_at,
			via->rport.size ? (unsigned)via->rport.offset + via->rport.size - via->rport_at : 0u,
			text->text_port, text->port_size);
	else if (!via->received.size && bp_sip_host_ip(g->m->bytes, via->host, &host) &&
		bp_ip_equal(&host, &text->ip))
		return;
	if (via->received.size)
		bp_gather_change(g, via->received.offset, via->received.size, text->text_address + 10,
			text->address_size - 10u);
	else
		bp_gather_change(g, (unsigned)via->element.offset + via->element.size, 0, text->text_address,
			text->address_size);
}
