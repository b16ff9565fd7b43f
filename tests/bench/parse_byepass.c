/* SPDX-License-Identifier: BSD-3-Clause
 *
 * dataplane/sip as the proxy uses it: the view, then the first Route and Record-Route
 * cut open, and the Contact.
 */
#include "parse.h"

#include "sip/message.h"
#include "sip/uri.h"

#include <stdio.h>

struct result {
	bool has_route, has_record, has_contact;
	struct bp_sip_address contact;
	struct bp_sip_uri route, record;
};

static struct bp_sip_message view;
static const struct bp_sip_limits limits = {.headers = 128, .vias = 64, .uri = 2048};

static void
setup(void)
{
}

static inline bool
read_message(const uint8_t *bytes, uint32_t size, struct result *r)
{
	if (bp_sip_parse(&view, bytes, size, &limits) != BP_SIP_FAULT_NONE)
		return false;
	r->has_route = bp_sip_first_uri(&view, BP_SIP_ROUTE, &r->route);
	r->has_record = bp_sip_first_uri(&view, BP_SIP_RECORD_ROUTE, &r->record);
	r->has_contact = bp_sip_first_address(&view, BP_SIP_CONTACT, &r->contact);
	return true;
}

static bool
run(const uint8_t *bytes, uint32_t size)
{
	struct result r;
	bool good = read_message(bytes, size, &r);

	__asm__ volatile("" ::"r"(&r), "r"(&view) : "memory");
	return good;
}

static void
set_span(struct parse_fields *f, enum parse_field field, struct bp_span span)
{
	parse_field_set(f, field, bp_sip_at(&view, span), span.size);
}

static void
uri_fields(struct parse_fields *f, const struct bp_sip_uri *uri, enum parse_field host)
{
	if (uri->host.size == 0)
		return;
	set_span(f, host, uri->host);
	if (uri->port)
		parse_field_number(f, host + 1, uri->port);
}

static void
set_fields(struct parse_fields *f, const struct result *r)
{
	set_span(f, PARSE_METHOD, view.method_text);
	if (view.status)
		parse_field_number(f, PARSE_STATUS, view.status);
	set_span(f, PARSE_URI_USER, view.target.user);
	uri_fields(f, &view.target, PARSE_URI_HOST);
	set_span(f, PARSE_VIA_HOST, view.via.host);
	if (view.via.port)
		parse_field_number(f, PARSE_VIA_PORT, view.via.port);
	set_span(f, PARSE_BRANCH, view.via.branch);
	set_span(f, PARSE_RECEIVED, view.via.received);
	parse_field_text(f, PARSE_RPORT, view.via.rport_at ? "yes" : NULL);
	set_span(f, PARSE_FROM_TAG, view.from_tag);
	set_span(f, PARSE_TO_TAG, view.to_tag);
	set_span(f, PARSE_CALL_ID, view.call_id);
	parse_field_number(f, PARSE_CSEQ, view.cseq);
	set_span(f, PARSE_CSEQ_METHOD, view.cseq_method);
	if (view.max_forwards >= 0)
		parse_field_number(f, PARSE_MAX_FORWARDS, (uint32_t)view.max_forwards);
	if (r->has_route) {
		uri_fields(f, &r->route, PARSE_ROUTE_HOST);
		parse_field_text(f, PARSE_ROUTE_LR, r->route.loose ? "yes" : NULL);
	}
	if (r->has_record) {
		uri_fields(f, &r->record, PARSE_RECORD_HOST);
		parse_field_text(f, PARSE_RECORD_LR, r->record.loose ? "yes" : NULL);
	}
	if (r->has_contact)
		set_span(f, PARSE_CONTACT, r->contact.uri);
	if (view.first[BP_SIP_CONTENT_LENGTH])
		parse_field_number(f, PARSE_CONTENT_LENGTH, view.body.size);
}

static bool
fields(const uint8_t *bytes, uint32_t size, struct parse_fields *f)
{
	struct result r;

	if (!read_message(bytes, size, &r))
		return false;
	set_fields(f, &r);
	return true;
}

const struct parse_parser parse_byepass = {"byepass", setup, run, fields};
