/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What nearly every message needs of an edit: a few changes, known not to overlap, whose text stays where it is, and
 * one gathered copy. sip/edit.h does the rest: strict routers, lists in one line. Private to dataplane/proxy.
 */
#ifndef BYEPASS_PROXY_GATHER_H
#define BYEPASS_PROXY_GATHER_H

#include "sip/message.h"

/* A forwarded request has nine changes at most: Request-URI, Via, rport and received, two Routes of ours, Max-Forwards, two
 * Record-Routes. */
#define BP_GATHER_MAX 16

struct bp_gather_change {
	const char *text;
	uint16_t offset, remove, insert;
};

struct bp_gather {
	const struct bp_sip_message *m;
	uint32_t size; /* of the changed message */
	unsigned count;
	struct bp_gather_change list[BP_GATHER_MAX]; /* by offset */
};

/* What a Via says of where a request came from. */
struct bp_source_text {
	struct bp_ip ip; /* that the text is of */
	uint16_t port;
	uint8_t port_size, address_size;
	char text_port[6];      /* "=" port */
	char text_address[50];  /* ";received=" address */
};
#define BP_GATHER_VIA_TEXT (sizeof(";received=") + 46)

/* As memcpy; returns the end of @to. Most pieces are short, and a call costs more than they do. */
static inline uint8_t *
bp_put(uint8_t *to, const void *from, size_t size)
{
	const uint8_t *f = from;

	if (size > 64) {
		memcpy(to, f, size);
	} else if (size > 32) {
		uint8_t a[32], b[32];

		memcpy(a, f, 32);
		memcpy(b, f + size - 32, 32);
		memcpy(to, a, 32);
		memcpy(to + size - 32, b, 32);
	} else if (size >= 16) {
		uint8_t a[16], b[16];

		memcpy(a, f, 16);
		memcpy(b, f + size - 16, 16);
		memcpy(to, a, 16);
		memcpy(to + size - 16, b, 16);
	} else if (size >= 8) {
		uint64_t a, b;

		memcpy(&a, f, 8);
		memcpy(&b, f + size - 8, 8);
		memcpy(to, &a, 8);
		memcpy(to + size - 8, &b, 8);
	} else {
		for (size_t i = 0; i < size; i++)
			to[i] = f[i];
	}
	return to + size;
}

#define BP_PUT(to, literal) bp_put(to, literal, sizeof(literal) - 1)

static inline void
bp_gather_begin(struct bp_gather *g, const struct bp_sip_message *m)
{
	g->m = m;
	g->size = m->size;
	g->count = 0;
}

/* Whether what is already there at this or another offset stands behind a change at @offset. At one offset what only
 * comes in stands before what takes bytes out, else in the order in which they are added. */
static inline bool
bp_gather_is_behind(const struct bp_gather_change *there, unsigned offset, unsigned remove)
{
	return there->offset > offset || (there->offset == offset && remove == 0 && there->remove > 0);
}

/* @remove bytes at @offset go, @insert bytes of @text come, which must stay there. No two may remove the same byte. */
static inline void
bp_gather_change(struct bp_gather *g, unsigned offset, unsigned remove, const char *text, unsigned insert)
{
	unsigned place = g->count++;

	for (; place > 0 && bp_gather_is_behind(&g->list[place - 1], offset, remove); place--)
		g->list[place] = g->list[place - 1];
	g->list[place] = (struct bp_gather_change){
		.text = text, .offset = (uint16_t)offset, .remove = (uint16_t)remove, .insert = (uint16_t)insert};
	g->size += insert - remove;
}

/* Makes @text that of @from, unless it is already: many requests in a row come from one trunk. */
void bp_source_text(struct bp_source_text *text, const struct bp_flow *from);

/* received= and rport= of the topmost Via (18.2.1, RFC 3581 4), as bp_edit_via_received(). @text: of the source; must
 * stay as it is. */
void bp_gather_via(struct bp_gather *g, const struct bp_source_text *text);

/* Whether UDP over IPv4 can carry it. */
bool bp_gather_fits(const struct bp_gather *g);

/* @out: room for g->size bytes. */
void bp_gather_write(const struct bp_gather *g, uint8_t *out);

#endif
