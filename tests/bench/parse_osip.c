/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libosip2 as it is meant to be used: the whole message into its structures, then what
 * is asked for by name.
 */
#include "parse.h"

#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct result {
	osip_message_t *m;
	osip_via_t *via;
	osip_route_t *route;
	osip_record_route_t *record;
	osip_contact_t *contact;
	osip_header_t *max_forwards;
	osip_generic_param_t *branch, *rport, *from_tag, *to_tag;
	osip_uri_param_t *route_lr, *record_lr;
};

static void
no_trace(const char *file, int line, osip_trace_level_t level, const char *format, va_list arguments)
{
}

static void
setup(void)
{
	parser_init();
	osip_trace_initialize_func(END_TRACE_LEVEL, no_trace); /* it would print what it does not like */
}

static bool
read_message(const uint8_t *bytes, uint32_t size, struct result *r)
{
	if (osip_message_init(&r->m) != 0)
		return false;
	if (osip_message_parse(r->m, (const char *)bytes, size) != 0)
		return false;
	osip_message_get_via(r->m, 0, &r->via);
	if (r->via) {
		osip_via_param_get_byname(r->via, (char *)"branch", &r->branch);
		osip_via_param_get_byname(r->via, (char *)"rport", &r->rport);
	}
	if (r->m->from)
		osip_generic_param_get_byname(&r->m->from->gen_params, (char *)"tag", &r->from_tag);
	if (r->m->to)
		osip_generic_param_get_byname(&r->m->to->gen_params, (char *)"tag", &r->to_tag);
	osip_message_get_max_forwards(r->m, 0, &r->max_forwards);
	osip_message_get_route(r->m, 0, &r->route);
	if (r->route && r->route->url)
		osip_uri_uparam_get_byname(r->route->url, (char *)"lr", &r->route_lr);
	osip_message_get_record_route(r->m, 0, &r->record);
	if (r->record && r->record->url)
		osip_uri_uparam_get_byname(r->record->url, (char *)"lr", &r->record_lr);
	osip_message_get_contact(r->m, 0, &r->contact);
	return true;
}

static bool
run(const uint8_t *bytes, uint32_t size)
{
	struct result r = {.m = NULL};
	bool good = read_message(bytes, size, &r);

	__asm__ volatile("" ::"r"(&r) : "memory");
	osip_message_free(r.m);
	return good;
}

static void
uri_fields(struct parse_fields *f, const osip_uri_t *uri, enum parse_field host)
{
	if (uri == NULL)
		return;
	/* IPv6 references come without brackets */
	if (uri->host && strchr(uri->host, ':'))
		snprintf(f->text[host], PARSE_TEXT_MAX, "[%s]", uri->host);
	else
		parse_field_text(f, host, uri->host);
	parse_field_text(f, host + 1, uri->port);
}

static void
start_fields(struct parse_fields *f, const osip_message_t *m)
{
	if (m->sip_method)
		parse_field_text(f, PARSE_METHOD, m->sip_method);
	else
		parse_field_number(f, PARSE_STATUS, (uint32_t)m->status_code);
	if (m->req_uri) {
		parse_field_text(f, PARSE_URI_USER, m->req_uri->username);
		uri_fields(f, m->req_uri, PARSE_URI_HOST);
	}
}

static void
set_fields(struct parse_fields *f, const struct result *r)
{
	const osip_message_t *m = r->m;
	char *text = NULL;

	start_fields(f, m);
	if (r->via) {
		osip_generic_param_t *received = NULL;

		osip_via_param_get_byname(r->via, (char *)"received", &received);
		parse_field_text(f, PARSE_RECEIVED, received ? received->gvalue : NULL);
		if (r->via->host && strchr(r->via->host, ':'))
			snprintf(f->text[PARSE_VIA_HOST], PARSE_TEXT_MAX, "[%s]", r->via->host);
		else
			parse_field_text(f, PARSE_VIA_HOST, r->via->host);
		parse_field_text(f, PARSE_VIA_PORT, r->via->port);
	}
	parse_field_text(f, PARSE_BRANCH, r->branch ? r->branch->gvalue : NULL);
	parse_field_text(f, PARSE_RPORT, r->rport ? "yes" : NULL);
	parse_field_text(f, PARSE_FROM_TAG, r->from_tag ? r->from_tag->gvalue : NULL);
	parse_field_text(f, PARSE_TO_TAG, r->to_tag ? r->to_tag->gvalue : NULL);
	if (m->call_id && osip_call_id_to_str(m->call_id, &text) == 0)
		parse_field_text(f, PARSE_CALL_ID, text);
	osip_free(text);
	if (m->cseq) {
		parse_field_text(f, PARSE_CSEQ, m->cseq->number);
		parse_field_text(f, PARSE_CSEQ_METHOD, m->cseq->method);
	}
	parse_field_text(f, PARSE_MAX_FORWARDS, r->max_forwards ? r->max_forwards->hvalue : NULL);
	uri_fields(f, r->route ? r->route->url : NULL, PARSE_ROUTE_HOST);
	parse_field_text(f, PARSE_ROUTE_LR, r->route_lr ? "yes" : NULL);
	uri_fields(f, r->record ? r->record->url : NULL, PARSE_RECORD_HOST);
	parse_field_text(f, PARSE_RECORD_LR, r->record_lr ? "yes" : NULL);
	text = NULL;
	if (r->contact && r->contact->url && osip_uri_to_str(r->contact->url, &text) == 0)
		parse_field_text(f, PARSE_CONTACT, text);
	osip_free(text);
	if (m->content_length)
		parse_field_text(f, PARSE_CONTENT_LENGTH, m->content_length->value);
}

static bool
fields(const uint8_t *bytes, uint32_t size, struct parse_fields *f)
{
	struct result r = {.m = NULL};
	bool good = read_message(bytes, size, &r);

	if (good)
		set_fields(f, &r);
	osip_message_free(r.m);
	return good;
}

const struct parse_parser parse_osip = {"osip", setup, run, fields};
