/* SPDX-License-Identifier: BSD-3-Clause
 *
 * sofia-sip as it is meant to be used: a message object of the bytes, whose headers
 * are parsed into structures.
 */
#include "parse.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wredundant-decls"
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/url.h>
#pragma GCC diagnostic pop
#include <stdio.h>
#include <string.h>

struct result {
	msg_t *msg;
	sip_t *sip;
	int route_lr, record_lr;
};

static void
setup(void)
{
	su_init();
}

static bool
read_message(const uint8_t *bytes, uint32_t size, struct result *r)
{
	r->msg = msg_make(sip_default_mclass(), 0, bytes, (ssize_t)size);
	if (r->msg == NULL)
		return false;
	r->sip = sip_object(r->msg);
	if (r->sip == NULL || r->sip->sip_error || (!r->sip->sip_request && !r->sip->sip_status))
		return false;
	if (r->sip->sip_route)
		r->route_lr = url_has_param(r->sip->sip_route->r_url, "lr");
	if (r->sip->sip_record_route)
		r->record_lr = url_has_param(r->sip->sip_record_route->r_url, "lr");
	return true;
}

static bool
run(const uint8_t *bytes, uint32_t size)
{
	struct result r = {.msg = NULL};
	bool good = read_message(bytes, size, &r);

	__asm__ volatile("" ::"r"(&r) : "memory");
	msg_destroy(r.msg);
	return good;
}

static void
uri_fields(struct parse_fields *f, const url_t *uri, enum parse_field host)
{
	parse_field_text(f, host, uri->url_host);
	parse_field_text(f, host + 1, uri->url_port);
}

static void
set_fields(struct parse_fields *f, const struct result *r)
{
	const sip_t *sip = r->sip;

	if (sip->sip_request) {
		parse_field_text(f, PARSE_METHOD, sip->sip_request->rq_method_name);
		parse_field_text(f, PARSE_URI_USER, sip->sip_request->rq_url->url_user);
		uri_fields(f, sip->sip_request->rq_url, PARSE_URI_HOST);
	} else {
		parse_field_number(f, PARSE_STATUS, (uint32_t)sip->sip_status->st_status);
	}
	if (sip->sip_via) {
		parse_field_text(f, PARSE_VIA_HOST, sip->sip_via->v_host);
		parse_field_text(f, PARSE_VIA_PORT, sip->sip_via->v_port);
		parse_field_text(f, PARSE_BRANCH, sip->sip_via->v_branch);
		parse_field_text(f, PARSE_RECEIVED, sip->sip_via->v_received);
		parse_field_text(f, PARSE_RPORT, sip->sip_via->v_rport ? "yes" : NULL);
	}
	parse_field_text(f, PARSE_FROM_TAG, sip->sip_from ? sip->sip_from->a_tag : NULL);
	parse_field_text(f, PARSE_TO_TAG, sip->sip_to ? sip->sip_to->a_tag : NULL);
	parse_field_text(f, PARSE_CALL_ID, sip->sip_call_id ? sip->sip_call_id->i_id : NULL);
	if (sip->sip_cseq) {
		parse_field_number(f, PARSE_CSEQ, sip->sip_cseq->cs_seq);
		parse_field_text(f, PARSE_CSEQ_METHOD, sip->sip_cseq->cs_method_name);
	}
	if (sip->sip_max_forwards)
		parse_field_number(f, PARSE_MAX_FORWARDS, (uint32_t)sip->sip_max_forwards->mf_count);
	if (sip->sip_route) {
		uri_fields(f, sip->sip_route->r_url, PARSE_ROUTE_HOST);
		parse_field_text(f, PARSE_ROUTE_LR, r->route_lr ? "yes" : NULL);
	}
	if (sip->sip_record_route) {
		uri_fields(f, sip->sip_record_route->r_url, PARSE_RECORD_HOST);
		parse_field_text(f, PARSE_RECORD_LR, r->record_lr ? "yes" : NULL);
	}
	if (sip->sip_contact)
		url_e(f->text[PARSE_CONTACT], PARSE_TEXT_MAX, sip->sip_contact->m_url);
	if (sip->sip_content_length)
		parse_field_number(f, PARSE_CONTENT_LENGTH, (uint32_t)sip->sip_content_length->l_length);
}

static bool
fields(const uint8_t *bytes, uint32_t size, struct parse_fields *f)
{
	struct result r = {.msg = NULL};
	bool good = read_message(bytes, size, &r);

	if (good)
		set_fields(f, &r);
	msg_destroy(r.msg);
	return good;
}

const struct parse_parser parse_sofia = {"sofia", setup, run, fields};
