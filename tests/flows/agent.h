/* SPDX-License-Identifier: BSD-3-Clause
 *
 * User agents as functions: each makes one message out of what was sent or received before, by the
 * rules of RFC 3261. And the steps that most flows have in common, so that a test says only
 * what is particular to it. Tags, branches and Call-IDs are never used twice in one process.
 */
#ifndef BYEPASS_TESTS_FLOWS_AGENT_H
#define BYEPASS_TESTS_FLOWS_AGENT_H

#include "world.h"

#define AGENT_ROUTES_MAX 8
#define SDP \
	"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 4000 RTP/AVP " \
	"0\r\n"

/* A request outside a dialog (8.1.1): a new branch, Call-ID and From tag, CSeq 1, no body. */
const char *ua_request(const struct peer *from, const char *method, const char *uri);
/* INVITE with an offer. */
const char *ua_invite(const struct peer *from, const char *uri);
/* "sip:alice@192.0.2.10:5060" */
const char *ua_contact(const struct peer *peer);
/* The URI that @from calls to reach @to through the edge. */
const char *ua_uri(const struct peer *from, const struct peer *to);
const char *ua_new_tag(void);
const char *ua_new_branch(void);

/* A response (8.2.6.2, 12.1.1). @tag: To tag when the request has none. A 2xx to an INVITE has an answer. */
const char *ua_response(const struct peer *from, const char *request, unsigned status, const char *tag);
/* ACK for a 3xx-6xx (17.1.1.3). */
const char *ua_ack(const char *invite, const char *response);
/* CANCEL (9.1). */
const char *ua_cancel(const char *invite);

/* One side of a dialog (12.1). */
struct leg {
	const struct peer *peer;
	const char *call_id, *local, *remote; /* From and To values with tags */
	const char *target;
	const char *routes[AGENT_ROUTES_MAX];
	unsigned route_count;
	unsigned cseq;
	unsigned invite_cseq; /* of the INVITE that an ACK is for */
};
/* @response: 1xx with a To tag or 2xx, as the caller received it. */
struct leg leg_caller(const struct peer *peer, const char *invite, const char *response);
/* @invite: as the callee received it. */
struct leg leg_callee(const struct peer *peer, const char *invite, const char *tag);
/* The next request in the dialog (12.2.1.1), for loose routers. */
const char *leg_request(struct leg *leg, const char *method);
/* ACK for a 2xx (13.2.2.4); each is a transaction of its own. */
const char *leg_ack(const struct leg *leg);
/* The same leg without its route set, as phones that lose it send; the Request-URI is the edge. */
struct leg leg_without_routes(const struct leg *leg, const char *edge);

/* A call in its steps. */
struct call {
	const struct peer *from, *to;
	const char *uri;
	const char *invite; /* as the caller sent it */
	const char *seen;   /* as the callee received it */
	const char *tag;    /* of the callee */
	const char *answer; /* as the caller received it */
	struct leg caller, callee;
};

/* The caller sends, gets its 100; the callee has the INVITE. */
void call_invite(struct world *w, struct call *call, const struct peer *from, const struct peer *to);
/* The same with an INVITE made by the test. */
void call_invite_with(struct world *w, struct call *call, const struct peer *from, const struct peer *to,
	const char *invite);
/* A provisional response from callee to caller; returns it as the caller got it. */
const char *call_ring(struct world *w, struct call *call, unsigned status);
/* 200 from callee to caller; both have their legs. */
void call_answer(struct world *w, struct call *call);
/* ACK for the 2xx from caller to callee; returns it as the callee got it. */
const char *call_ack(struct world *w, struct call *call);
/* All of it: INVITE, 100, 180, 200, ACK. */
void call_up(struct world *w, struct call *call, const struct peer *from, const struct peer *to);
/* 3xx-6xx from the callee, its ACK; forwarded, and ACKed by the caller. */
void call_refuse(struct world *w, struct call *call, unsigned status);
/* CANCEL in Proceeding: 200 for it; returns the CANCEL that the callee got. */
const char *call_cancel(struct world *w, struct call *call);
/* The callee ends the cancelled call: 200 to the CANCEL, 487, ACKs on both sides. */
void call_cancelled(struct world *w, struct call *call, const char *cancel);

/* A request in the dialog, from one leg to the other; returns it as received. */
const char *leg_exchange_begin(struct world *w, struct leg *from, struct leg *to, const char *method);
/* The same and its response back. */
void leg_exchange(struct world *w, struct leg *from, struct leg *to, const char *method, unsigned status);
/* BYE and its 200. */
void leg_bye(struct world *w, struct leg *from, struct leg *to);
void leg_reinvite(struct world *w, struct leg *from, struct leg *to);

/* The dialogs that have been, and how they ended. */
#define check_dialogs(w, created, by_bye) world_check_dialogs(w, created, by_bye, __FILE__, __LINE__)
void world_check_dialogs(struct world *w, unsigned created, unsigned by_bye, const char *file, int line);

#endif
