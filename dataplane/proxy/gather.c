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
bp_gather_via(struct bp_gather *g, const struct bp_flow *from, char text[BP_GATHER_VIA_TEXT])
{
	const struct bp_sip_via *via = &g->m->via;
	char *address = text + 16;
	struct bp_ip host;
	unsigned size;

	if (via->rport_at) {
		text[0] = '=';
		size = 1 + write_port(text + 1, from->port);
		/* the value that a client wrote is not to be believed */
		bp_gather_change(g, via->rport_at,
			via->rport.size ? (unsigned)via->rport.offset + via->rport.size - via->rport_at : 0u, text, size);
	} else if (!via->received.size && bp_sip_host_ip(g->m->bytes, via->host, &host) &&
		bp_ip_equal(&host, &from->ip)) {
		return;
	}
	size = bp_sip_ip_write(&from->ip, address);
	if (address[0] == '[') { /* via-received has no brackets: RFC 5118 4.5 */
		address++;
		size -= 2;
	}
	if (via->received.size) {
		bp_gather_change(g, via->received.offset, via->received.size, address, size);
		return;
	}
	memcpy(address - 10, ";received=", 10);
	bp_gather_change(g, (unsigned)via->element.offset + via->element.size, 0, address - 10, size + 10);
}
