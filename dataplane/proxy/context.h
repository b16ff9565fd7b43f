/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the acts of this room share: the edge, the engine, the message in hand, and what became
 * of it. Private to dataplane/proxy.
 */
#ifndef BYEPASS_PROXY_CONTEXT_H
#define BYEPASS_PROXY_CONTEXT_H

#include "dialog/dialog.h"
#include "proxy/engine.h"
#include "proxy/gather.h"
#include "sip/edit.h"
#include "sip/shape.h"
#include "sip/uri.h"
#include "transaction/branch_id.h"

/* What became of a message: a drop reason, or one of these. One per message: the counting law. */
enum bp_verdict {
	BP_VERDICT_FORWARDED = BP_DROP_COUNT,
	BP_VERDICT_ANSWERED,
	BP_VERDICT_ABSORBED,
	BP_VERDICT_PARKED, /* on its way: it waits for a name */
};

/* Shared by all workers; const once made, but for config. */
struct bp_edge {
	const struct bp_config *config; /* RCU: read with acquire; control swaps it */
	struct bp_memory *memory;
	struct bp_table *transactions;
	struct bp_dialogs dialogs;
	struct bp_prf_key branch_key, tag_key;
	struct bp_digest_key identity_key, routing_key;
	uint32_t epoch;
	uint16_t workers;
	struct bp_cdr_post *posts; /* one a worker */
	struct bp_kpi *kpis;       /* of each worker, one a trunk */
	uint16_t kpi_count;        /* of one worker */
};

/* A datagram that was read and waits for its turn. */
struct bp_view {
	enum bp_sip_fault fault;
	bool too_large;
	uint64_t id[2];           /* of a request's server transaction */
	struct bp_record *record; /* that a response seems to be for; only to ask for memory */
	struct bp_sip_message m;
};

/* Datagrams of a burst that are read ahead of the one at work; a power of two. */
#define BP_VIEWS 4

/* Requests that wait for a name, the oldest first. */
struct bp_parking {
	struct bp_parked *first, *last;
	struct bp_parked *at; /* where the walk that is under way goes on; NULL: none is */
	uint32_t count;
	uint64_t news;    /* hooks.resolved() as the last walk began */
	uint64_t walk_us; /* when that was */
};

/* One per worker. */
struct bp_engine {
	struct bp_edge *edge;
	const struct bp_config *config; /* of the call that runs */
	struct bp_engine_hooks hooks;
	struct bp_counters *counters;
	struct bp_memory_home *memory;
	struct bp_timers timers;
	struct bp_dialog_worker dialogs;
	struct bp_cdr_post *post;
	struct bp_kpi *kpis; /* by trunk, @kpi_count of them */
	uint16_t kpi_count;
	struct bp_sip_limits limits;          /* of a request */
	struct bp_sip_limits response_limits; /* with room for our own Via */
	uint64_t config_generation;
	uint64_t now_us;
	struct bp_flow from; /* of the message in hand */
	uint16_t worker;
	bool draining;
	uint32_t turn; /* of trunks whose requests take turns at the targets */
	struct bp_parking parking;
	/* scratch, too large for a stack frame */
	struct bp_view views[BP_VIEWS];
	struct bp_sip_message own; /* the edge's response as it comes from a branch */
	struct bp_sip_message kept;
	struct bp_edits edits;
	uint8_t scratch[BP_SIP_MESSAGE_SIZE_MAX + 1];
	struct bp_route_key route_keys[1 + BP_CONFIG_OLD_SECRETS_MAX]; /* of the configuration's secrets, today's first */
	uint16_t marks[BP_CONFIG_LISTENERS_MAX]; /* of listeners; the first @marked are known */
	unsigned marked;
	struct bp_names names; /* of the message in hand */
	struct bp_source_text source; /* of the last request that was sent on */
	struct bp_sip_shapes shapes;
};

/* A walk over the targets of a trunk, in the order of one call. */
struct bp_target_order {
	const struct bp_config_target *target; /* the last that was picked */
	uint32_t next;                         /* how many are behind it, those that were skipped too */
};

/* A received request on its way through the acts. */
struct bp_request {
	const struct bp_sip_message *m;
	const struct bp_flow *from;
	struct bp_flow reply; /* where responses go (18.2.2, RFC 3581) */
	uint64_t id[2];       /* of its server transaction */
	uint64_t routing_hash; /* of what its way is chosen by (RFC 5393 4.2) */
};

/* What a session timer changes in a request: text of its own in the place of some bytes. */
struct bp_session_edit {
	uint16_t offset, remove;
	uint8_t size;
	char text[32];
};

/* Lines that a 2xx gets on its way up (RFC 4028 8.2). */
struct bp_session_lines {
	char expires[48];
};

/* Where a request goes (16.4 to 16.6). */
struct bp_destination {
	struct bp_flow flow;
	struct bp_hop back;            /* where requests within the dialog to its sender will go */
	struct bp_dialog *dialog;      /* that an ACK or BYE belongs to, NULL: none known */
	uint32_t dialog_generation;    /* as it was found */
	enum bp_side dialog_side;      /* that sent the request, when a dialog was found */
	uint16_t routes;               /* Route elements in all */
	uint16_t own_routes;           /* leading Route elements that are ours and go */
	uint16_t own_lines;            /* of them, leading lines of one element each */
	bool record_route;             /* insert ours (16.6 step 4) */
	bool path;                     /* insert ours (RFC 3327 5.2) */
	uint8_t breadth;               /* of each branch (RFC 5393 5.3) */
	bool strict_in;                /* the last hop was a strict router: the last Route becomes the Request-URI (16.4) */
	struct bp_span strict_out;     /* the next hop is one: this Route becomes the Request-URI (16.6 step 6) */
	uint16_t trunk;                /* that the target was chosen from, or BP_CONFIG_NONE */
	uint32_t place;                /* of the call in the trunk's order of targets */
	struct bp_target_order order;  /* how far the targets are taken */
	uint8_t listed;                /* flows below, of a next hop that is a name; 0: there are none */
	uint8_t at_once;               /* of them, to be tried at the same time */
	uint16_t uri_size;             /* new Request-URI; 0: unchanged */
	uint16_t session_edit_count;
	uint32_t session;              /* see bp_record.session */
	char uri[512];
	struct bp_flow flows[BP_BRANCHES_MAX]; /* the first is @flow; in the order in which they are tried */
	struct bp_name_key name;       /* that BP_ROUTE_WAITS is about */
	struct bp_session_edit session_edits[2];
};

/* engine.c */
void bp_engine_configure(struct bp_engine *engine);

/* step.c: the machines' steps, counted by state. See transaction/record.h for what they do. */
struct bp_swap bp_step_server(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned event,
	uint64_t set, uint16_t status);
struct bp_swap bp_step_branch(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch,
	unsigned event, uint64_t set, uint16_t status);
struct bp_swap bp_step_branch_done(
	struct bp_engine *engine, struct bp_record *record, uint32_t generation, uint16_t status);
/* A machine was started in its first state, or never came to life after all. */
void bp_step_begin(struct bp_engine *engine, enum bp_machine_id machine);

/* transmit.c: everything that leaves, leaves here, and is counted here. */
void bp_transmit_bytes(struct bp_engine *engine, const struct bp_flow *to, const uint8_t *bytes, uint32_t size);
/* Applies engine->edits into the transmit buffer. */
void bp_transmit_edits(struct bp_engine *engine, const struct bp_flow *to);
void bp_transmit_gather(struct bp_engine *engine, const struct bp_flow *to, const struct bp_gather *gather);
/* Into kept memory; NULL: no memory. */
struct bp_kept *bp_keep_gather(struct bp_engine *engine, const struct bp_gather *gather, uint16_t status);
/* The response @m without its topmost Via (16.7 step 3). */
void bp_gather_pop_via(struct bp_gather *gather, const struct bp_sip_message *m);
/* Applies engine->edits into kept memory; NULL: no memory, or too large (*too_large). */
struct bp_kept *bp_keep_edits(struct bp_engine *engine, uint16_t status, bool *too_large);
void bp_count_request(struct bp_engine *engine, enum bp_method method);
void bp_count_response(struct bp_engine *engine, uint16_t status);
void bp_arm(struct bp_engine *engine, unsigned duration, struct bp_timer_entry entry);
/* A timer that only waits for stray packets: on a reliable flow it runs at once (17.1.1.2, 17.1.2.2, 17.2). */
void bp_arm_linger(struct bp_engine *engine, bool reliable, unsigned duration, struct bp_timer_entry entry);

/* answer.c: the edge's own responses. */
int bp_answer(struct bp_engine *engine, const struct bp_request *request, uint16_t status, const char *extra);
int bp_answer_text(struct bp_engine *engine, const struct bp_request *request, uint16_t status, const char *reason,
	const char *extra);
void bp_answer_trying(struct bp_engine *engine, const struct bp_request *request);
void bp_answer_tag(const struct bp_engine *engine, const uint64_t id[2], char tag[17]);
bool bp_answer_is_acked(const struct bp_engine *engine, const struct bp_request *request);

/* request.c */
int bp_request_receive(struct bp_engine *engine, const struct bp_view *view, const struct bp_flow *from);
/* Asks for what the datagram will need first; what it then leads to. */
void bp_prefetch_first(const struct bp_engine *engine, struct bp_view *view);
void bp_prefetch_then(const struct bp_engine *engine, const struct bp_view *view);
int bp_request_repeated(struct bp_engine *engine, const struct bp_request *request, struct bp_record *record);

/* route.c: 0 and *destination, or the status to refuse with; BP_ROUTE_TO_EDGE: it is for the edge itself;
 * BP_ROUTE_WAITS: the next hop is a name that is being resolved. */
enum { BP_ROUTE_TO_EDGE = 1, BP_ROUTE_WAITS = 2 };
int bp_route_request(
	struct bp_engine *engine, const struct bp_request *request, struct bp_destination *destination);
bool bp_uri_is_own(const struct bp_engine *engine, const uint8_t *bytes, const struct bp_sip_uri *uri);
bool bp_via_is_own(const struct bp_engine *engine, const struct bp_sip_message *m);
/* Whether @route is "<sip:USER@ADDRESS;lr>" with an address of ours, as our Record-Routes are. False: it may still be
 * ours, in another spelling. */
bool bp_route_is_own(
	const struct bp_engine *engine, const uint8_t *bytes, struct bp_span route, struct bp_span *user);
/* Names a listener in route tokens, which outlive the snapshot that its index belongs to. */
uint16_t bp_listener_mark(struct bp_engine *engine, uint16_t listener);
/* The Call-ID of a request as tokens of today's key are signed with it. */
struct bp_route_call bp_call_of(const struct bp_engine *engine, const struct bp_sip_message *m);
/* user@host of @uri becomes user@target, in @out of at least @capacity bytes. Returns its size, 0: too long. */
unsigned bp_readdress(const uint8_t *bytes, const struct bp_sip_uri *uri, const struct bp_flow *target, char *out,
	unsigned capacity);

/* route_index.c: the configured route of a request that came from @realm for @uri. False: there is none. */
struct bp_route_choice {
	const struct bp_config_route *route;
	uint16_t trunk; /* BP_CONFIG_NONE: the route's realm */
};
bool bp_route_choose(const struct bp_config *config, const struct bp_sip_message *m, const struct bp_sip_uri *uri,
	uint16_t realm, struct bp_route_choice *choice);

/* RFC 3263 for addresses: where @uri leads out of @realm; false: nowhere, or to ourselves. */
bool bp_flow_to_uri(const struct bp_engine *engine, const uint8_t *bytes, const struct bp_sip_uri *uri, uint16_t realm,
	struct bp_flow *flow);

/* The same for @ip and @port. */
bool bp_flow_to(const struct bp_engine *engine, const struct bp_ip *ip, uint16_t port, uint16_t realm,
	struct bp_flow *flow);

/* name.c: RFC 3263 for names. Fills destination->flow and its list. @route: the URI is that of a Route. Returns as
 * bp_route_request(). */
int bp_name_route(struct bp_engine *engine, const uint8_t *bytes, const struct bp_sip_uri *uri, uint16_t realm,
	bool route, struct bp_destination *destination);
/* The targets of a trunk some of which are names, in the order of destination->place. */
int bp_name_trunk(
	struct bp_engine *engine, const struct bp_config_trunk *trunk, struct bp_destination *destination);
/* Whether a target's name has an answer now; whether @flow is one of its addresses; the first of them. */
bool bp_name_is_known(const struct bp_engine *engine, const struct bp_name_key *key);
bool bp_name_leads_to(const struct bp_engine *engine, const struct bp_name_key *key, const struct bp_flow *flow);
bool bp_name_first(
	const struct bp_engine *engine, const struct bp_name_key *key, uint16_t realm, struct bp_flow *flow);
/* The name that @uri is resolved by. False: it is none that can be. */
bool bp_name_key_of(const uint8_t *bytes, const struct bp_sip_uri *uri, struct bp_name_key *key);

/* park.c: requests that wait for a name. */
int bp_park(struct bp_engine *engine, const struct bp_request *request, const struct bp_destination *destination);
/* Goes on with what need not wait any more. Returns when to look again, UINT64_MAX: nothing waits. */
uint64_t bp_parking_walk(struct bp_engine *engine);

/* remote.c: where requests within a dialog go. */
/* To the sender of an INVITE. */
struct bp_hop bp_remote_of_request(struct bp_engine *engine, const struct bp_request *request);
/* To the sender of a 2xx to an INVITE that was sent to @hop. */
struct bp_hop bp_remote_of_response(
	struct bp_engine *engine, const struct bp_sip_message *m, const struct bp_flow *hop);
/* A 2xx to what @from sent goes up: when the session expires (RFC 4028 8.2). */
void bp_remote_session(struct bp_engine *engine, const struct bp_record *record, struct bp_dialog *dialog,
	enum bp_side from, const struct bp_sip_message *m);
/* A 2xx to a re-INVITE or UPDATE: both Contacts may be new (12.2). @branch: its request is still kept. */
void bp_remote_refresh(
	struct bp_engine *engine, struct bp_record *record, unsigned branch, const struct bp_sip_message *m);

/* names.c: what the edge's own BYE will need. Valid until the next call. */
const struct bp_names *bp_names_of_request(struct bp_engine *engine, const struct bp_sip_message *m);
const struct bp_names *bp_names_of_response(struct bp_engine *engine, const struct bp_sip_message *m);

/* session.c */
/* A request to be forwarded that may refresh a session (INVITE, UPDATE). 0, or the verdict of its refusal. */
int bp_session_request(
	struct bp_engine *engine, const struct bp_request *request, struct bp_destination *destination);
/* The session interval in s of a 2xx as it goes upstream; 0: the session does not expire. *@by_caller: who sent the
 * request refreshes it. */
uint32_t bp_session_of_response(const struct bp_record *record, const struct bp_sip_message *m, bool *by_caller);
/* Whether a 2xx must tell the caller of the session that the callee does not know. */
static inline bool
bp_session_is_untold(const struct bp_record *record, const struct bp_sip_message *m)
{
	return (record->session & BP_SESSION_TIMER) != 0 && m->status / 100 == 2 &&
		m->first[BP_SIP_SESSION_EXPIRES] == 0;
}
void bp_session_gather(
	struct bp_gather *gather, const struct bp_record *record, struct bp_session_lines *lines);

/* reap.c: dialogs that end otherwise than by an answered BYE. */
/* Its timer says so, see bp_dialog_due(). */
void bp_reap_due(struct bp_engine *engine, const struct bp_timer_entry *entry, enum bp_dialog_end reason);
/* A re-INVITE or UPDATE got 408, 481 or nothing (12.2.1.2). @branch: its request is still kept. */
void __attribute__((cold)) bp_reap_refresh_failed(struct bp_engine *engine, struct bp_record *record, unsigned branch);

/* target.c: the order in which a call tries the targets of its trunk. False: there are no more. */
bool bp_target_pick(const struct bp_engine *engine, const struct bp_config_trunk *trunk, uint32_t place,
	struct bp_target_order *order);
/* The place of a call that would have @place if all targets were up. */
uint32_t bp_target_place(const struct bp_engine *engine, const struct bp_config_trunk *trunk, uint32_t place);
/* How many targets are tried at once, with the first, which @order has picked. */
unsigned bp_target_fork(const struct bp_engine *engine, const struct bp_config_trunk *trunk, uint32_t place,
	struct bp_target_order order);

/* health.c: what became of requests to the targets of trunks. */
/* The first response of @branch, or its final one. */
void bp_health_heard(struct bp_engine *engine, struct bp_record *record, unsigned branch, const struct bp_sip_message *m);
/* It was silent for too long, or cannot be reached. */
void bp_health_failed(struct bp_engine *engine, struct bp_record *record, unsigned branch);
/* The trunk that the targets of @live come from; NULL: there is none, or it may have changed. */
const struct bp_config_trunk *bp_trunk_of(const struct bp_engine *engine, const struct bp_live *live);

/* probe.c: a response whose branch begins as those of probes do. */
int bp_probe_response(struct bp_engine *engine, const struct bp_sip_message *m);

static inline void
bp_health_response(struct bp_engine *engine, struct bp_record *record, unsigned branch, const struct bp_sip_message *m)
{
	if (record->watched)
		bp_health_heard(engine, record, branch, m);
}

/* forward.c */
int bp_forward(struct bp_engine *engine, const struct bp_request *request, struct bp_destination *destination);
int bp_forward_ack(struct bp_engine *engine, const struct bp_request *request, struct bp_destination *destination);
/* A record without a branch, for a request whose way is not known yet: its retransmissions and a CANCEL find it. NULL:
 * there is no memory (*first NULL), or another worker has the same request in hand (*first). */
struct bp_record *bp_forward_later(
	struct bp_engine *engine, const struct bp_request *request, struct bp_record **first);
/* The way of such a record is known: its request is sent. @status: it is refused instead, 0: no. Returns a verdict. */
int bp_forward_now(struct bp_engine *engine, const struct bp_request *request, struct bp_destination *destination,
	struct bp_record *record, uint32_t generation, uint16_t status);
bool bp_forward_loops(struct bp_engine *engine, struct bp_request *request);
unsigned bp_via_write(const struct bp_config_listener *out, const char *branch, unsigned branch_size, char *line);
unsigned bp_record_route_write(struct bp_engine *engine, struct bp_route_call call,
	const struct bp_config_listener *listener, const struct bp_route_token *token, char *line);
/* The Incoming Max-Breadth of a request (RFC 5393 5.3.3), no more than our maximum; 0: none can be forwarded, -1: it is
 * no number. */
int bp_breadth(const struct bp_sip_message *m);
/* The response to one that cannot be forwarded for its sake. */
int bp_breadth_refuse(struct bp_engine *engine, const struct bp_request *request, int breadth);
#define BP_PATH_CALL " path " /* no Call-ID has a space: what a Path token is signed with in its place */
#define BP_BREADTH_MAX 60
#define BP_VIA_SIZE_MAX 160
#define BP_RECORD_ROUTE_SIZE_MAX 192

/* branch.c: client branches. */
/* Makes branch @index of a record that goes to @target from what branch 0 sends. False: no memory; counted. */
bool bp_branch_prepare(struct bp_engine *engine, struct bp_record *record, struct bp_live *live, uint32_t generation,
	unsigned index, const struct bp_flow *target);
/* First transmission and timers. */
void bp_branch_launch(struct bp_engine *engine, struct bp_record *record, struct bp_live *live, uint32_t generation,
	unsigned index);
/* Timer A or E came up for the @first time and the branch still waits: its other timers are armed. */
void bp_branch_linger(struct bp_engine *engine, struct bp_record *record, const struct bp_timer_entry *first);
/* Of these only what sends the 100 of RFC 4320. */
void bp_branch_trying(struct bp_engine *engine, struct bp_record *record, const struct bp_timer_entry *first);
/* Sends the request to the next target of its trunk (16.7 step 6 of serial search, 16.9). False: there is none, or
 * the server side wants no more. */
bool bp_branch_next(struct bp_engine *engine, struct bp_record *record, uint32_t generation);
/* Whether another worker may be adding a branch just now. */
bool bp_branch_may_come(const struct bp_engine *engine, struct bp_live *live);
/* Asks for the memory that the next timers will look at. */
void bp_timer_prefetch(const struct bp_engine *engine);
void bp_timer_target(struct bp_engine *engine, struct bp_record *record, const struct bp_timer_entry *entry);

/* ack.c */
int bp_ack_receive(struct bp_engine *engine, struct bp_request *request);

/* cancel.c */
int bp_cancel_receive(struct bp_engine *engine, const struct bp_request *request);
void bp_cancel_branch(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch);
void bp_cancel_pending(struct bp_engine *engine, struct bp_record *record, uint32_t generation);
void bp_cancel_if_asked(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch);
int bp_cancel_response(struct bp_engine *engine, uint16_t status, struct bp_record *record, struct bp_branch_id id);
void bp_cancel_repeat(struct bp_engine *engine, struct bp_record *record, unsigned branch);

/* response.c */
int bp_response_receive(struct bp_engine *engine, const struct bp_sip_message *m);

/* upstream.c: from the client side to the server side of a record. */
int bp_upstream_provisional(
	struct bp_engine *engine, struct bp_record *record, uint32_t generation, const struct bp_sip_message *m);
/* *@accepted: timer L is to be armed. */
int bp_upstream_2xx(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch,
	const struct bp_sip_message *m, bool *accepted);
int bp_upstream_final(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch,
	const struct bp_sip_message *m);
/* A 2xx does not wait for the other branches (16.7 step 5); of a non-INVITE only the first goes up. */
int bp_upstream_other_2xx(
	struct bp_engine *engine, struct bp_record *record, uint32_t generation, const struct bp_sip_message *m);
/* No response came from downstream: the edge's own @status, from the kept request. */
void bp_upstream_own(
	struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch, uint16_t status);
/* @branch is over with nothing to pass on, or was never made: when it was the last pending one, what the others
 * answered goes up, else the edge's own @status. */
void bp_upstream_settle(
	struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch, uint16_t status);
/* A non-INVITE's branch ended without a response: nothing is sent, and without other branches the server side is over. */
void bp_upstream_nothing(struct bp_engine *engine, struct bp_record *record, uint32_t generation, unsigned branch);
/* The last response again; false: there is none yet. @request: what asks for it, NULL: timer G. */
bool bp_upstream_repeat(struct bp_engine *engine, struct bp_record *record, const struct bp_request *request);
/* A non-INVITE has waited for so long that it gets a 100 (RFC 4320 4.1). */
void bp_upstream_trying(struct bp_engine *engine, struct bp_record *record, uint32_t generation);

/* reply.c: a final response to a non-INVITE is kept as what it adds to its request. */
struct bp_kept *bp_reply_keep(struct bp_engine *engine, const struct bp_record *record, const struct bp_sip_message *m);
void bp_reply_send(struct bp_engine *engine, const struct bp_kept *kept, const struct bp_request *request,
	const struct bp_flow *to);
#define BP_REPLY_FLAG 0x8000 /* in bp_kept.status: kept so */

/* best.c: the best response of a fork (16.7 step 6). Returns it in kept memory, or NULL. */
struct bp_kept *bp_best_response(struct bp_engine *engine, struct bp_record *record, struct bp_live *live);

/* timer.c */
void bp_timer_run(struct bp_engine *engine, const struct bp_timer_entry *entry);

/* finish.c */
void bp_finish(struct bp_engine *engine, struct bp_record *record, uint32_t generation);
/* A kept message goes home through RCU; NULL is legal. */
void bp_retire_kept(struct bp_engine *engine, struct bp_kept *kept);
/* The live part of a record with one branch goes home, because its final response is out. */
void bp_drop_live(struct bp_engine *engine, struct bp_record *record);
/* Parses the request of @branch into engine->kept; NULL: it is gone. */
const struct bp_sip_message *bp_kept_request(struct bp_engine *engine, struct bp_record *record, unsigned branch);
const struct bp_sip_message *bp_kept_parse(struct bp_engine *engine, const struct bp_kept *kept);
/* What passed the limits when it came must not be lost because we added to it, or because they shrank. */
extern const struct bp_sip_limits bp_no_limits;

/* Reads what another worker may be writing just now, to ask for memory: nothing may be decided by it. */
#define bp_peek(place) __atomic_load_n(place, __ATOMIC_RELAXED)

/* The flow of a branch, kept where it lives; NULL once the live part is gone. */
static inline const struct bp_flow *
bp_branch_flow(struct bp_record *record, unsigned branch)
{
	struct bp_live *live = atomic_load(&record->live);

	return live ? &live->branches[branch].flow : NULL;
}

static inline struct bp_timer_entry
bp_entry(const struct bp_engine *engine, const struct bp_record *record, uint32_t generation, unsigned branch,
	enum bp_timer timer)
{
	return (struct bp_timer_entry){.index = bp_slot_index(engine->edge->memory, &record->slot),
		.generation = generation,
		.timer = timer,
		.branch = branch & 15};
}

static inline const struct bp_config_listener *
bp_listener(const struct bp_engine *engine, uint16_t listener)
{
	return listener < engine->config->listener_count ? &engine->config->listeners[listener] : NULL;
}

#endif
