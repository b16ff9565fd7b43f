/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is kept of a dialog so that the edge can end it in its peers' names (dialogs.reap: bye): From, To, Call-ID and
 * both route sets (RFC 3261 12.1, 12.2.1.1). Read from the INVITE for the caller, from its 2xx for the callee.
 */
#include "proxy/context.h"

struct writer {
	struct bp_names *names;
	unsigned size;
	bool full;
};

static unsigned
put(struct writer *w, const char *text, unsigned size)
{
	if (w->full || size > sizeof(w->names->text) - w->size) {
		w->full = true;
		return 0;
	}
	memcpy(w->names->text + w->size, text, size);
	w->size += size;
	return size;
}

/* "<URI>;tag=TAG": all of From or To that identifies a side (12.2.1.1). */
static void
put_name(struct writer *w, const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_span tag)
{
	const struct bp_sip_header *header = bp_sip_first(m, id);
	struct bp_sip_address address;
	unsigned begin = w->size;

	if (!bp_sip_address_cut(m->bytes, header->value, &address)) {
		w->full = true;
		return;
	}
	put(w, "<", 1);
	put(w, bp_sip_at(m, address.uri), address.uri.size);
	put(w, ">", 1);
	if (tag.size > 0) {
		put(w, ";tag=", 5);
		put(w, bp_sip_at(m, tag), tag.size);
	}
	w->names->name_size = (uint16_t)(w->size - begin);
}

static void
put_route(struct writer *w, const struct bp_sip_message *m, struct bp_span element, unsigned begin)
{
	if (w->size > begin)
		put(w, ", ", 2);
	put(w, bp_sip_at(m, element), element.size);
}

static const struct bp_names *
finish(struct writer *w, unsigned routes)
{
	w->names->routes_size = (uint16_t)(w->size - routes);
	if (w->full)
		*w->names = (struct bp_names){.name_size = 0};
	return w->names;
}

/* The way back to the caller begins at the topmost entry. */
const struct bp_names *
bp_names_of_request(struct bp_engine *engine, const struct bp_sip_message *m)
{
	struct writer w = {.names = &engine->names};
	struct bp_sip_walk walk = {0};
	unsigned routes;

	put_name(&w, m, BP_SIP_FROM, m->from_tag);
	w.names->call_id_size = (uint16_t)put(&w, bp_sip_at(m, m->call_id), m->call_id.size);
	routes = w.size;
	while (bp_sip_walk_next(m, BP_SIP_RECORD_ROUTE, &walk))
		put_route(&w, m, walk.element, routes);
	return finish(&w, routes);
}

static bool
is_own(const struct bp_engine *engine, const struct bp_sip_message *m, struct bp_span element)
{
	struct bp_sip_address address;
	struct bp_sip_uri uri;

	return bp_sip_address_cut(m->bytes, element, &address) && bp_sip_uri_cut(m->bytes, address.uri, &uri) &&
		bp_uri_is_own(engine, m->bytes, &uri);
}

#define ROUTES_MAX 16

/* The way on to the callee begins at the entry just above ours. */
const struct bp_names *
bp_names_of_response(struct bp_engine *engine, const struct bp_sip_message *m)
{
	struct writer w = {.names = &engine->names};
	struct bp_span above[ROUTES_MAX];
	struct bp_sip_walk walk = {0};
	unsigned routes, count = 0;
	bool own = false;

	put_name(&w, m, BP_SIP_TO, m->to_tag);
	w.names->call_id_size = 0;
	routes = w.size;
	while (!own && bp_sip_walk_next(m, BP_SIP_RECORD_ROUTE, &walk)) {
		own = is_own(engine, m, walk.element);
		if (!own && count < ROUTES_MAX)
			above[count] = walk.element;
		count += !own;
	}
	if (count > ROUTES_MAX)
		w.full = true;
	while (own && count > 0 && !w.full)
		put_route(&w, m, above[--count], routes);
	return finish(&w, routes);
}
