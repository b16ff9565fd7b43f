/* SPDX-License-Identifier: BSD-3-Clause
 *
 * People who react to whatever comes, so that a flow goes on, and ends, though something in the edge failed: alice
 * calls, bob and carol answer as the script says, lost or unanswered messages are sent again. What became of it all is
 * one line of text.
 */
#ifndef BYEPASS_TESTS_OOM_PEOPLE_H
#define BYEPASS_TESTS_OOM_PEOPLE_H

#include "../flows/agent.h"

/* How somebody answers alice's first request. 0: not at all. */
struct answer {
	unsigned ring, final;
	bool twice;            /* two phones behind him answer with 200 */
	const char *challenge; /* header line of the final response */
};

struct script {
	const char *name;
	const char *method;   /* of alice's first request */
	struct answer bob, carol;
	unsigned cancel_at;   /* alice cancels when she sees this status */
	bool dialog;          /* bob's re-INVITE from another place, then alice's INFO */
	bool bye;             /* alice hangs up */
	bool again;           /* her first request comes once more when it is answered, and bob's refusal too */
	bool named;           /* where it goes is a name that is not known yet */
	void (*prepare)(struct bp_config *config);
	const char *expected; /* what becomes of it when memory is there */
};

#define PENDING_MAX 64
#define CALLS_MAX 16

/* Sent again until it is answered. */
struct pending {
	const struct peer *from;
	const char *text, *key;
	unsigned left;
};

/* An INVITE that somebody got. */
struct received {
	const struct peer *at;
	const char *invite, *tag, *response;
	bool final, acked;
};

struct play {
	struct world *w;
	const struct script *script;
	unsigned at; /* in the world's log */
	const char *request;
	struct pending pending[PENDING_MAX];
	unsigned pending_count;
	struct received received[CALLS_MAX];
	unsigned received_count;
	struct leg caller, callee;
	const char *tags[4]; /* of the 2xx that alice has seen */
	unsigned tag_count;
	const char *step;    /* the request in the dialog that is under way */
	unsigned step_number;
	unsigned final;      /* first final response to her first request */
	bool cancelled, repeated;
	bool refused;        /* a 503 with Retry-After came */
	const char *wrong;   /* what no lack of memory excuses */
	char outcome[512];
};

/* Plays all of it, with time for every timer of a transaction. */
void play(struct play *play, struct world *w, const struct script *script);

#endif
