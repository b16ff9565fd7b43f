/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The state machines of the user agents: client and server transactions (RFC 3261 17, as user agents have
 * them), legs of dialogs (12), and what callers and callees make of them. Written from the RFC, apart from the
 * engine's machines.
 */
#ifndef BYEPASS_TESTS_SIMULATION_PEOPLE_H
#define BYEPASS_TESTS_SIMULATION_PEOPLE_H

#include "sim.h"
#include "witness.h"

/* sent.c */
/* Makes a request; the caller says what it is and sends it. @wording: all that the agent itself does not know. */
struct sent *sent_request(
	struct sim *sim, enum sent_kind kind, struct agent *agent, struct call *call, struct wording *wording);
/* Makes a response and sends it. @contact: NULL: none. */
struct sent *sent_response(struct sim *sim, struct agent *agent, struct call *call, const struct seen *request,
	unsigned status, const char *tag, const char *contact, unsigned body);

enum client_state { CLIENT_CALLING, CLIENT_PROCEEDING, CLIENT_COMPLETED, CLIENT_TERMINATED };

struct client {
	unsigned index;
	struct agent *agent;
	struct call *call;
	struct leg *leg; /* that it belongs to; NULL: it began outside */
	const char *method;
	bool invite;
	enum client_state state;
	char branch[24];
	struct sent *request, *ack;
	struct client *cancel; /* its CANCEL */
	struct client *of;     /* of a CANCEL: what it cancels */
	unsigned status;       /* final, as received */
	unsigned finals;       /* received */
	/* The transaction user; @m is NULL when nothing came in time. */
	void (*answered)(struct sim *sim, struct client *client, unsigned status, const struct seen *m);
	struct upstream *up; /* what the witness saw of it at the edge */
};

/* client.c */
/* @wording: all that the transaction itself does not know. */
struct client *client_new(struct sim *sim, struct agent *agent, struct call *call, struct leg *leg, struct wording *wording);
void client_start(struct sim *sim, struct client *client);
void client_cancel(struct sim *sim, struct client *client);
void client_receive(struct sim *sim, struct client *client, const struct seen *m);
/* An ACK for a 2xx is no transaction, but has a branch of its own. */
struct sent *client_ack_2xx(struct sim *sim, struct leg *leg, struct wording *wording);

enum server_state { SERVER_PROCEEDING, SERVER_COMPLETED, SERVER_CONFIRMED, SERVER_ACCEPTED, SERVER_TERMINATED };
enum on_cancel { STOP, STOP_LATE, REFUSE_CANCEL, IGNORE_CANCEL, ANSWER_ANYWAY, STOP_NEVER };

struct callee_plan {
	uint64_t ring_us, answer_us, again_us; /* after the INVITE; again: after the answer */
	unsigned rings, status, second, tags;  /* second: status of a second final response; 0: none */
	enum on_cancel on_cancel;
	bool trying, bye_early;
};

struct server {
	struct agent *agent;
	struct agent *at; /* whom its Contact names */
	struct call *call;
	struct leg *leg; /* that it belongs to; NULL: it came from outside */
	struct seen request;
	bool invite, cancelled;
	char tag[16];
	enum server_state state;
	struct sent *last; /* to repeat */
	struct callee_plan plan;
};

/* server.c */
struct server *server_find(struct sim *sim, const struct agent *agent, const struct seen *m);
struct server *server_new(struct sim *sim, struct agent *agent, struct call *call, const struct seen *m);
/* A response that is no 2xx to an INVITE: sends it, keeps it to repeat it, and repeats it until it is acknowledged. */
void server_respond(struct sim *sim, struct server *server, unsigned status);
/* A 2xx to an INVITE: its repetition is the transaction user's. */
struct sent *server_accept(struct sim *sim, struct server *server, unsigned status, const char *tag);
/* The request again, or an ACK for what was refused. */
void server_receive(struct sim *sim, struct server *server, const struct seen *m);

/* One side of a dialog. */
struct leg {
	struct call *call;
	struct agent *agent;    /* where it lives */
	struct agent *peers[2]; /* who may get its requests: the owner of the peer's Contact, and the target */
	enum side side;
	char local_tag[24], remote_tag[24];
	const char *target, *routes;
	unsigned cseq;
	bool early, ended, acked;
	bool pending;           /* a re-INVITE is under way */
	bool deaf;              /* does not answer BYE */
	bool careful;           /* wants credentials with a BYE */
	struct server *invited; /* callee: the INVITE that made it */
	struct sent *answer;    /* the 2xx that waits for its ACK */
	uint64_t answer_us;
	struct sent *ack; /* the last one */
	struct leg *next;
};

/* leg.c */
struct leg *leg_find(struct call *call, enum side side, const struct seen *m);
/* @m: the first message of the other side: INVITE for a callee, 1xx or 2xx for a caller. */
struct leg *leg_new(
	struct sim *sim, struct call *call, struct agent *agent, enum side side, const char *tag, const struct seen *m);
/* A 2xx makes an early dialog a dialog: route set and remote target are what it says (13.2.2.4). */
void leg_refresh(struct sim *sim, struct leg *leg, const struct seen *m);
const char *leg_callee_tag(const struct leg *leg);
struct client *leg_request(struct sim *sim, struct leg *leg, const char *method);
void leg_bye(struct sim *sim, struct leg *leg);
void leg_ack(struct sim *sim, struct leg *leg, unsigned cseq);
/* A request within the dialog arrived, ACK among them. @server: NULL for an ACK. */
void leg_receive(struct sim *sim, struct leg *leg, struct server *server, const struct seen *m);
/* Repeats a 2xx until it is acknowledged (13.3.1.4). */
void leg_answer(struct sim *sim, struct leg *leg, struct sent *answer);
/* The dialog is up: what this side will do in it. */
void leg_live(struct sim *sim, struct leg *leg);

/* caller.c */
void caller_plan(struct sim *sim, struct call *call);
void caller_start(struct sim *sim, void *object, uint64_t unused);
void caller_cancel(struct sim *sim, void *object, uint64_t unused);

/* callee.c */
void callee_receive(struct sim *sim, struct server *server);
void callee_cancelled(struct sim *sim, struct server *server, const struct seen *m);
/* A BYE ended the leg of @server before it was answered. */
void callee_bye(struct sim *sim, struct server *server);

static inline bool
is_dead(const struct sim *sim, const struct call *call, enum side side)
{
	return call->dead_us[side] <= sim->now_us;
}

static inline enum side
side_of(const struct call *call, const struct agent *agent)
{
	return agent == call->caller ? CALLER : CALLEE;
}

#endif
