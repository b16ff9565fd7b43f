/* SPDX-License-Identifier: BSD-3-Clause
 *
 * User agents as functions. See agent.h.
 */
#include "agent.h"

#include <string.h>

const char *
ua_new_tag(void)
{
	return text_printf("tag%u", ++world_serial);
}

const char *
ua_new_branch(void)
{
	return text_printf("z9hG4bK-ua-%u", ++world_serial);
}

const char *
ua_contact(const struct peer *peer)
{
	return text_printf("sip:%s@%s:%u", peer->name, peer->host, peer->port);
}

const char *
ua_uri(const struct peer *from, const struct peer *to)
{
	if (from->listener == ACCESS || from->listener == ACCESS6)
		return text_printf("sip:%s@example.com", to->name);
	return ua_contact(to);
}

const char *
ua_request(const struct peer *from, const char *method, const char *uri)
{
	return text_printf("%s %s SIP/2.0\r\n"
			   "Via: SIP/2.0/UDP %s:%u;branch=%s;rport\r\n"
			   "Max-Forwards: 70\r\n"
			   "From: \"%s\" <sip:%s@example.com>;tag=%s\r\n"
			   "To: <%s>\r\n"
			   "Call-ID: call-%u@%s\r\n"
			   "CSeq: 1 %s\r\n"
			   "Contact: <%s>\r\n"
			   "Content-Length: 0\r\n"
			   "\r\n",
		method, uri, from->host, from->port, ua_new_branch(), from->name, from->name, ua_new_tag(),
		uri, ++world_serial, from->name, method, ua_contact(from));
}

const char *
ua_invite(const struct peer *from, const char *uri)
{
	return text_set_body(ua_request(from, "INVITE", uri), "application/sdp", SDP);
}

/* All lines of a header as they stand. */
static const char *
copied_lines(const char *message, const char *name)
{
	const char *lines = "", *value;

	for (unsigned i = 0; (value = text_value(message, name, i)); i++)
		lines = text_printf("%s%s: %s\r\n", lines, name, value);
	return lines;
}

static const char *
reason_phrase(unsigned status)
{
	switch (status) {
	case 100:
		return "Trying";
	case 180:
		return "Ringing";
	case 200:
		return "OK";
	case 486:
		return "Busy Here";
	case 487:
		return "Request Terminated";
	default:
		return "Whatever";
	}
}

const char *
ua_response(const struct peer *from, const char *request, unsigned status, const char *tag)
{
	const char *to = text_header(request, "To"), *method = text_cseq_method(request), *response;
	bool invite = strcmp(method, "INVITE") == 0;

	if (status > 100 && tag && !text_param(to, "tag"))
		to = text_printf("%s;tag=%s", to, tag);
	response = text_printf(
		"SIP/2.0 %u %s\r\n%sFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n%s%sContent-Length: "
		"0\r\n\r\n",
		status, reason_phrase(status), copied_lines(request, "Via"), text_header(request, "From"), to,
		text_header(request, "Call-ID"), text_cseq(request), method,
		status > 100 && status < 300 ? copied_lines(request, "Record-Route") : "",
		invite && status > 100 && status < 300 ? text_printf("Contact: <%s>\r\n", ua_contact(from))
						       : "");
	if (invite && status / 100 == 2)
		response = text_set_body(response, "application/sdp", SDP);
	return response;
}

const char *
ua_ack(const char *invite, const char *response)
{
	return text_printf(
		"ACK %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
		"CSeq: %u ACK\r\n%sContent-Length: 0\r\n\r\n",
		text_uri(invite), text_value(invite, "Via", 0), text_header(invite, "From"),
		text_header(response, "To"), text_header(invite, "Call-ID"), text_cseq(invite),
		copied_lines(invite, "Route"));
}

const char *
ua_cancel(const char *invite)
{
	return text_printf(
		"CANCEL %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
		"CSeq: %u CANCEL\r\n%sContent-Length: 0\r\n\r\n",
		text_uri(invite), text_value(invite, "Via", 0), text_header(invite, "From"),
		text_header(invite, "To"), text_header(invite, "Call-ID"), text_cseq(invite),
		copied_lines(invite, "Route"));
}

struct leg
leg_caller(const struct peer *peer, const char *invite, const char *response)
{
	struct leg leg = {
		.peer = peer,
		.call_id = text_header(invite, "Call-ID"),
		.local = text_header(invite, "From"),
		.remote = text_header(response, "To"),
		.target = text_address(text_value(response, "Contact", 0)),
		.route_count = text_count(response, "Record-Route"),
		.cseq = text_cseq(invite),
		.invite_cseq = text_cseq(invite),
	};

	if (leg.route_count > AGENT_ROUTES_MAX)
		leg.route_count = AGENT_ROUTES_MAX;
	for (unsigned i = 0; i < leg.route_count; i++) /* in reverse order (12.1.2) */
		leg.routes[i] = text_value(response, "Record-Route", leg.route_count - 1 - i);
	return leg;
}

struct leg
leg_callee(const struct peer *peer, const char *invite, const char *tag)
{
	const char *to = text_header(invite, "To");
	struct leg leg = {
		.peer = peer,
		.call_id = text_header(invite, "Call-ID"),
		.local = text_param(to, "tag") ? to : text_printf("%s;tag=%s", to, tag),
		.remote = text_header(invite, "From"),
		.target = text_address(text_value(invite, "Contact", 0)),
		.route_count = text_count(invite, "Record-Route"),
		.cseq = 100,
	};

	if (leg.route_count > AGENT_ROUTES_MAX)
		leg.route_count = AGENT_ROUTES_MAX;
	for (unsigned i = 0; i < leg.route_count; i++)
		leg.routes[i] = text_value(invite, "Record-Route", i);
	return leg;
}

static const char *
in_dialog(const struct leg *leg, const char *method, unsigned cseq)
{
	const char *routes = "";

	for (unsigned i = 0; i < leg->route_count; i++)
		routes = text_printf("%sRoute: %s\r\n", routes, leg->routes[i]);
	return text_printf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%u;branch=%s;rport\r\nMax-Forwards: 70\r\n%s"
			   "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nContact: "
			   "<%s>\r\nContent-Length: 0\r\n\r\n",
		method, leg->target, leg->peer->host, leg->peer->port, ua_new_branch(), routes, leg->local,
		leg->remote, leg->call_id, cseq, method, ua_contact(leg->peer));
}

const char *
leg_request(struct leg *leg, const char *method)
{
	const char *request = in_dialog(leg, method, ++leg->cseq);

	if (strcmp(method, "INVITE") == 0) {
		leg->invite_cseq = leg->cseq;
		request = text_set_body(request, "application/sdp", SDP);
	}
	return request;
}

const char *
leg_ack(const struct leg *leg)
{
	return text_delete(in_dialog(leg, "ACK", leg->invite_cseq), "Contact");
}

struct leg
leg_without_routes(const struct leg *leg, const char *edge)
{
	struct leg bare = *leg;

	bare.route_count = 0;
	bare.target = text_printf("sip:%s", edge);
	return bare;
}

void
world_check_dialogs(struct world *w, unsigned created, unsigned by_bye, const char *file, int line)
{
	const struct bp_counters *sum = world_sum(w);

	world_check_int(w, (int64_t)sum->dialogs_created, created, "dialogs created", file, line);
	world_check_int(w, (int64_t)sum->dialogs_ended[BP_DIALOG_END_bye], by_bye, "dialogs ended by BYE",
		file, line);
}
