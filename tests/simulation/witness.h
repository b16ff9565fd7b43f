/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The witness stands at the edge and sees every message that goes in and comes out, and when the engine's call that
 * has it in hand begins and returns. It knows the rules (RFC 3261 9, 13, 16, 17, RFC 6026) and what each of
 * the two sides may expect; the first rule that is broken ends the run.
 *
 * A call of the engine may be stopped in its middle. What one call did is sure to bind another only if it
 * returned before the other began: that is what marks and ticks are for.
 */
#ifndef BYEPASS_TESTS_SIMULATION_WITNESS_H
#define BYEPASS_TESTS_SIMULATION_WITNESS_H

#include "sim.h"

/* A kind of message that came in. */
struct mark {
	uint64_t us;         /* the first one; the engine's time */
	uint64_t last_us;    /* the last one */
	uint64_t end_us;     /* at `end` */
	uint64_t begin, end; /* ticks: the first call with it began; the first time that none was under way any more */
	unsigned count, busy;
};

/* A dialog that the edge should know: one 2xx with its To tag was forwarded. While another call with such a 2xx is
 * stopped in its middle, it may be the one that makes the dialog, and then it is not there yet. */
struct talk {
	uint64_t tag;
	uint64_t us;
	uint64_t made; /* tick from which on it is sure to be there; 0: not yet */
	uint64_t given_up_us; /* when a BYE may have been found to have no answer; 0: never */
	struct mark acked, bye_answered;
	uint64_t answered_us; /* the call that made it had begun */
	uint64_t bye_us;      /* the BYE that ended it had come first; 0: none */
	bool bye_from_callee;
	struct branch *refreshes;       /* re-INVITEs and UPDATEs within it */
	uint64_t session_us, session_noted_us; /* when its session may expire; when that was said */
	bool had_session, unsure_session; /* unsure: two 2xx with different ones at the same time */
	unsigned cseq[SIDES];      /* highest that was forwarded */
	uint64_t cseq_tick[SIDES]; /* when that was sure */
	unsigned byes[SIDES];      /* of the edge's own to that side */
	bool created, ended; /* as the counters say; ended: by that BYE */
	struct talk *next;
};

/* One server transaction of the edge; a client transaction of a user agent. */
struct upstream {
	struct client *client;
	struct mark arrived, cancel, ack;
	unsigned cancel_status; /* the edge's answer to the CANCEL */
	bool trying;            /* a 100 to a non-INVITE was sent */
	uint64_t made; /* tick at which its first branch went out */
	struct branch *branches;
	unsigned branch_count;
	unsigned final, finals; /* first final response that the edge sent, how many in all */
	uint64_t final_us, final_hash;
	uint64_t final_begin, final_tick; /* when the call that sent it began, and when it sent it */
	uint64_t final_end;               /* when that call returned */
	uint64_t lost_2xx; /* tick: a 2xx was not forwarded, and nothing had been sent that explains it */
	struct upstream *earlier; /* its record is over and gone; the request came again */
};

/* One client transaction of the edge. */
struct branch {
	struct upstream *up;
	struct agent *to;
	struct sent *request;
	uint64_t us; /* begun */
	uint64_t hash;
	unsigned sends;
	struct mark provisional, refused, accepted; /* 1xx; 3xx-6xx, or any final response to a non-INVITE; 2xx */
	uint64_t refresh_us;                        /* last 1xx but 100 (16.7 step 2) */
	bool c_due;                                 /* when that came */
	unsigned status;                            /* of the first in `refused` */
	bool ambiguous;                             /* another one came at the same time, and may have been first */
	unsigned answering;                         /* hands that have a 2xx to its INVITE */
	uint64_t answered;                          /* tick of the end of the last one that sent it up */
	struct mark cancel_answered, failed;        /* failed: ICMP */
	uint64_t cancel_us;
	unsigned cancels, acks;
	struct branch *next, *next_refresh;
};

/* The call that a worker's engine is in, and what came out of it so far. */
struct in_hand {
	unsigned worker;
	const struct bp_counters *counters;
	uint64_t byes, dialogs;  /* that it had ended by BYE, or made, before */
	const struct sent *sent; /* NULL: timers, or an ICMP error */
	uint64_t begin, now_us;
	unsigned forwarded; /* copies of what came in */
	unsigned answers;   /* responses to `up` */
	struct upstream *finished; /* that got its first final response */
	struct branch *acked;
	unsigned cancel_status;
	struct upstream *up; /* of what came in */
	struct mark *mark;   /* that it makes */
	struct talk *talk;   /* that it should end */
	struct talk *refreshed;  /* that it should end, because a refresh has failed */
	uint64_t refreshed_until_us; /* the same dialog's end without that */
	uint64_t refresh_failures;
};

/* witness_in.c */
void witness_begin(struct sim *sim, struct in_hand *hand, struct sent *sent, uint64_t now_us);
void witness_end(struct sim *sim, struct in_hand *hand);
/* An ICMP error that quotes this. */
void witness_unreachable(struct sim *sim, struct in_hand *hand, const char *quoted, unsigned size);

/* witness_out.c */
void witness_sent(struct sim *sim, struct in_hand *hand, const struct bp_flow *to, const char *bytes, unsigned size);

/* How often a request may be sent: at 0, T1, 3*T1, 7*T1 ..., no more than T2 apart unless it is an INVITE. */
unsigned witness_sends_max(const struct sim *sim, bool invite);

/* witness_dialog.c */
/* A response that fails a refresh comes in: the dialog ends with it. */
void refresh_begin(struct sim *sim, struct in_hand *hand);
void refresh_end(struct sim *sim, const struct in_hand *hand);
void talk_refresh(struct talk *talk, struct branch *branch);
/* When a refresh may have been found to have failed; NEVER: none. */
uint64_t talk_refresh_end_us(const struct sim *sim, const struct talk *talk);
/* The 2xx to a refresh @m goes up. */
void talk_session(const struct in_hand *hand, struct talk *talk, const struct seen *m);
/* Whether it may live to its greatest age: no session is sure to end before (RFC 4028 8.3). */
bool talk_may_grow_old(const struct sim *sim, const struct talk *talk);
/* A BYE or ACK that no agent sent. */
void witness_own(struct sim *sim, struct in_hand *hand, struct call *call, const struct agent *to, const struct seen *m,
	uint64_t hash);

/* witness_response.c */
void witness_response(struct sim *sim, struct in_hand *hand, const struct agent *to, const struct seen *m, uint64_t hash);

/* witness_fork.c */
/* The first non-2xx final response to an INVITE goes up. */
void witness_choice(struct sim *sim, struct in_hand *hand, struct upstream *up, unsigned status);

/* billing.c: when all is over, the call detail records. */
void judge_bills(struct sim *sim);

/* verdict.c: when all is over. */
void verdict(struct sim *sim);

/* witness.c */
struct branch *witness_branch(const struct sim *sim, struct text branch);
struct upstream *upstream_new(struct sim *sim, struct client *client);
/* Whether its record may be gone at @now_us. */
bool upstream_may_be_over(const struct sim *sim, const struct upstream *up, uint64_t now_us);
/* Whether the edge's client transaction may have ended without a final response at @now_us. */
bool branch_may_be_over(const struct sim *sim, const struct branch *branch, uint64_t now_us);
/* Whether the branch may have given way to the next target before @now_us, as trunk.timeout wants. */
bool branch_may_be_abandoned(const struct sim *sim, const struct branch *branch, uint64_t now_us);
struct talk *witness_talk(struct call *call, uint64_t tag);
/* @us: when its 2xx was forwarded; 0: not yet. */
struct talk *talk_new(struct sim *sim, struct call *call, uint64_t tag, uint64_t us);
struct talk *witness_talk_of(const struct leg *leg);
uint64_t witness_talk_tag(const struct leg *leg);
/* Whether the edge knows that its 2xx was acknowledged in time. */
bool talk_is_acked(const struct sim *sim, const struct talk *talk);
/* A BYE to it is without an answer at @us. */
void talk_give_up(struct talk *talk, uint64_t us);
/* When the edge may end it without an answered BYE: no ACK, too old, a BYE without an answer. */
uint64_t talk_end_us(const struct sim *sim, const struct talk *talk);
/* Whether the edge has it from the beginning of this call to its end, for sure. */
bool talk_is_up(const struct sim *sim, const struct talk *talk, const struct in_hand *hand);
uint64_t sim_64t1(const struct sim *sim);
/* Ours or not, the first 2xx or final response on it has begun to come in. */
static inline bool
branch_answered(const struct branch *branch)
{
	return branch->refused.begin > 0 || branch->accepted.begin > 0;
}

/* Maybe by a 2xx or 6xx, which makes the other branches pointless (RFC 3261 16.7 steps 5 and 10). */
static inline bool
branch_has_decided(const struct branch *branch)
{
	return branch->accepted.begin > 0 || branch->status / 100 == 2 || branch->status >= 600 || branch->ambiguous;
}

/* When the first one was sure to have had its effect: its call may have been stopped. */
static inline uint64_t
mark_settled_us(const struct sim *sim, const struct mark *mark)
{
	return mark->end > 0 ? mark->end_us : sim->now_us;
}

static inline bool
mark_before(const struct mark *mark, const struct in_hand *hand)
{
	return mark->end > 0 && mark->end < hand->begin;
}

#endif
