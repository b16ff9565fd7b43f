/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The simulated world: an edge with its workers, a network, callers and callees, and a clock. Everything that
 * happens follows from the seed. A rule that is broken ends the run; running the same seed again with the offending
 * call traced prints its ladder.
 */
#ifndef BYEPASS_TESTS_SIMULATION_SIM_H
#define BYEPASS_TESTS_SIMULATION_SIM_H

#include "agenda.h"
#include "message.h"
#include "mutate.h" /* struct random */
#include "proxy/engine.h"

#define MS(n) ((uint64_t)(n)*1000)
#define SECONDS(n) ((uint64_t)(n)*1000000)
#define NEVER UINT64_MAX
#define WORKERS_MAX 3
#define TARGETS_MAX 5
#define NOT_TRACED UINT32_MAX

enum side { CALLER, CALLEE, SIDES };
enum trunk { TRUNK_ONE, TRUNK_SERIAL, TRUNK_PARALLEL, TRUNKS, NO_TRUNK = TRUNKS };

/* What a seed is like. Shares are per mille. */
struct conditions {
	/* the edge */
	unsigned workers, targets;
	struct bp_config_timers timers;
	uint64_t dialog_us, target_us; /* longest life of a dialog; patience of the serial trunk */
	bool reap_by_bye;
	unsigned edge_session_s;       /* session interval that the edge asks for; 0: none */
	uint64_t lag_us;               /* how late a worker looks at its timers, at most */
	unsigned stops;                /* atomic operations between two stops of a worker, on average; 0: none */
	unsigned hook_stops;           /* share of messages in the middle of whose sending it stops */
	/* the network */
	unsigned loss, duplicates, doubles; /* doubles: handed to two workers */
	uint64_t delay_us, jitter_us;
	bool shuffle; /* what happens at one time happens in any order */
	/* the people */
	unsigned calls;
	unsigned session_s; /* what those who know session timers ask for; 0: nothing */
	uint64_t window_us; /* in which the calls begin */
	unsigned core_callers, plain, cancels, refusals, silents, endless, deaths, outages, routeless, forks, twice, rude;
};

/* A user agent at its address. */
struct agent {
	unsigned index;
	bool core, target;
	bool rport, routeless; /* routeless: forgets its route sets */
	bool timer;            /* knows session timers (RFC 4028) */
	bool icmp;             /* while it is down, its host says so */
	uint64_t down_us, up_us;
	struct bp_flow flow;  /* as the edge sees it */
	char address[32];     /* the same */
	char sent_by[32];     /* as it sees itself */
	char contact[64];
};

enum cancel_when {
	CANCEL_NEVER,
	CANCEL_AT_ONCE,     /* with the INVITE */
	CANCEL_ON_100,
	CANCEL_ON_18X,
	CANCEL_AFTER,       /* some time */
	CANCEL_WITH_ANSWER, /* just when the callee sends its final response */
	CANCEL_ON_FINAL,
	CANCEL_TIMES,
};

struct caller_plan {
	enum cancel_when cancel;
	uint64_t cancel_us, patience_us; /* patience: longest ringing */
	uint64_t ack_us;                 /* delay of the first ACK; NEVER: no ACK at all */
	bool bye_first, early_bye;       /* BYE before the ACK; BYE to an early dialog */
	unsigned requests;               /* within the dialog, re-INVITEs among them */
	uint64_t talk_us[SIDES];         /* until that side hangs up; NEVER: it does not */
};

struct call {
	unsigned index;
	struct agent *caller, *phone; /* phone: whom a caller in the core calls */
	enum trunk trunk;             /* that a caller in access goes through */
	const char *method;           /* that it begins with */
	struct caller_plan plan;
	uint64_t dead_us[SIDES];
	char caller_tag[16];
	struct client *first;
	struct leg *legs;
	struct talk *talks; /* dialogs that the edge should have, see witness.h */
	bool answered;
};

/* What a message that an agent sends is, for the witness. */
enum sent_kind { SENT_REQUEST, SENT_CANCEL, SENT_ACK_HOP, SENT_ACK_2XX, SENT_RESPONSE };
struct sent {
	unsigned serial, status;
	enum sent_kind kind;
	struct call *call;
	struct agent *agent;
	struct client *client; /* the transaction that a request begins, cancels, or acknowledges hop by hop */
	struct branch *branch; /* the edge's branch that a response answers */
	struct leg *leg;       /* that a request belongs to */
	const char *method;    /* of CSeq */
	unsigned size;
	char *bytes;
	struct seen seen;
};

/* What happened, in numbers that add up over seeds. */
#define TOTALS(X) \
	X(calls) X(dialogs) X(received) X(sent) X(lost) X(repeated) X(cancels) X(cancels_won) X(cancels_lost) \
	X(own_byes) X(stops) X(virtual_us) X(trace) /* trace: hash of every message, when and by whom it was taken or sent */
struct totals {
#define X(name) uint64_t name;
	TOTALS(X)
#undef X
};

struct sim {
	struct conditions conditions;
	struct random random;
	uint64_t now_us, start_us, order;
	struct agenda agenda;
	struct edge *edge;
	struct block *memory; /* of sim_alloc */
	struct map *branches, *servers, *owns;
	struct agent **agents[2]; /* of access, of the core */
	unsigned agent_count[2];
	struct call *calls;
	struct client **clients;
	unsigned client_count;
	struct sent **sents;
	unsigned sent_count, tag_count;
	uint64_t tick; /* counts the beginnings and ends of the engine's calls */
	uint64_t records[2]; /* that the witness saw made: of others, of INVITEs */
	struct totals totals;
	uint32_t traced;
	bool failed;
	struct call *offender;
	char violation[512];
};

/* sim.c */
struct sim_result {
	bool failed;
	uint32_t offender; /* a call, or NOT_TRACED */
	struct totals totals;
	char violation[512];
};
/* The call that the engine has in hand, or NOT_TRACED; kept where it can be read after a crash. */
extern uint32_t *sim_in_hand;
/* Runs one seed to its end. @traced: a call whose ladder is printed as it happens. */
struct sim_result sim_run(uint64_t seed, uint32_t traced);
/* Zeroed, until the end of the run. */
void *sim_alloc(struct sim *sim, size_t size);
char *sim_copy(struct sim *sim, struct text text);
/* Appends to an array of pointers that grows. */
void sim_append(void *array, unsigned *count, void *item);
void sim_at(struct sim *sim, uint64_t time_us, event_run run, void *object, uint64_t argument);
void sim_after(struct sim *sim, uint64_t delay_us, event_run run, void *object, uint64_t argument);
unsigned sim_below(struct sim *sim, unsigned n);
/* @low to @high, both inclusive. */
uint64_t sim_between(struct sim *sim, uint64_t low, uint64_t high);
bool sim_chance(struct sim *sim, unsigned per_mille);
/* Makes @value part of the trace. */
void sim_note(struct sim *sim, uint64_t value);
/* A rule is broken; the first one counts. @call: may be NULL. */
void sim_fail(struct sim *sim, struct call *call, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* conditions.c */
void conditions_choose(struct conditions *conditions, struct random *random);

/* map.c: from hashes to pointers. */
struct map *map_create(void);
void map_free(struct map *map);
void map_add(struct map *map, uint64_t key, void *value);
void *map_find(const struct map *map, uint64_t key);

/* jobs.c */
/* Runs the seeds in @jobs processes. Returns the lowest one that fails, or NEVER; then *@totals are the sums. */
uint64_t jobs_run(uint64_t first, uint64_t seeds, unsigned jobs, struct totals *totals);
/* Runs one seed again, twice, and prints what happened. */
void jobs_explain(uint64_t seed);

/* network.c */
struct agent *agent_new(struct sim *sim, bool core);
struct agent *agent_at(const struct sim *sim, const struct bp_flow *flow);
bool agent_is_down(const struct sim *sim, const struct agent *agent);
void network_to_edge(struct sim *sim, struct sent *sent);
void network_from_edge(
	struct sim *sim, const struct bp_flow *to, const char *bytes, unsigned size, struct call *call);

/* agent.c: a datagram has arrived. */
void agent_receive(struct sim *sim, struct agent *agent, const char *bytes, unsigned size);

/* ladder.c */
enum ladder { LADDER_IN, LADDER_OUT, LADDER_LOST, LADDER_ARRIVED };
void ladder_message(struct sim *sim, struct call *call, enum ladder what, const struct agent *agent, const char *bytes,
	int worker);
void ladder_note(struct sim *sim, struct call *call, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
