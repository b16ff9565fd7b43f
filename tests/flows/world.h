/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A world for one flow: an edge with one or two engines, the network around it as named
 * peers, and a clock that stands still until told. What the engines send is kept in order
 * with its time and worker; a failed check prints the ladder of the whole flow so far.
 *
 * At each message received the counting law is checked; when a test has ended all timers run
 * out, and then nothing may have been sent that the test did not expect, and every record,
 * dialog, call slot and kept message must be back.
 */
#ifndef BYEPASS_TESTS_FLOWS_WORLD_H
#define BYEPASS_TESTS_FLOWS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proxy/engine.h"
#include "text.h"

#define MS(n) ((uint64_t)(n)*1000)
#define SECONDS(n) ((uint64_t)(n)*1000000)
#define T1 MS(500)
#define T2 SECONDS(4)
#define T4 SECONDS(5)
#define TIMER_64T1 (64 * T1)
#define TIMER_C SECONDS(180)
#define WORLD_WORKERS_MAX 2
#define WORLD_CDRS_MAX 4096

/* Somebody on the network, and the listener of the edge that it talks to. */
struct peer {
	const char *name;
	const char *host; /* as in SIP: IPv6 in brackets */
	uint16_t port;
	uint16_t listener;
};

enum listener { ACCESS, CORE, ACCESS6, CORE6, LISTENERS };
#define EDGE_ACCESS "192.0.2.1:5060"
#define EDGE_CORE "10.0.0.1:5060"
#define EDGE_ACCESS6 "[2001:db8:1::1]:5060"
#define EDGE_CORE6 "[2001:db8:2::1]:5060"

extern const struct peer alice;   /* access, 192.0.2.10 */
extern const struct peer mallory; /* access, 198.51.100.66 */
extern const struct peer bob;     /* core, 10.0.0.2: the trunk's target */
extern const struct peer carol;   /* core, 10.0.0.3 */
extern const struct peer alice6;  /* access, 2001:db8:1::10 */
extern const struct peer bob6;    /* core, 2001:db8:2::2: the trunk's target when options.core6 */

struct world_options {
	uint16_t workers;
	uint32_t transactions;
	uint32_t dialogs;
	uint64_t kept_bytes;
	uint64_t t1_us; /* 0: 500 ms */
	bool core6;     /* the trunk's target is bob6 */
	bool names;     /* names are resolved, by world_name() */
	bool names_late; /* whatever is asked for is bob, then carol, from the next moment on */
	void (*prepare)(struct bp_config *config);
};

/* What became of the message received last. */
enum fate { FATE_NONE, FATE_FORWARDED, FATE_ANSWERED, FATE_ABSORBED, FATE_DROPPED, FATE_PARKED };

struct passed {
	uint64_t time_us;
	struct bp_flow flow;
	const char *text;
	uint32_t size;
	uint16_t worker;
	bool out;   /* sent by the edge */
	bool taken; /* by an expect; of messages in: unused */
};

struct batches {
	struct bp_batch **list;
	unsigned count, capacity;
};

#define WORLD_NAMES_MAX 64

struct world {
	struct world_options options;
	struct bp_name_entry *names[WORLD_NAMES_MAX]; /* that are known */
	unsigned name_count;
	uint64_t names_news;
	unsigned names_asked;     /* questions so far */
	bool names_busy;          /* no question is taken */
	struct bp_config *config; /* in force */
	struct bp_edge *edge;
	struct bp_engine *engines[WORLD_WORKERS_MAX];
	struct bp_counters counters[WORLD_WORKERS_MAX];
	struct world_hook {
		struct world *world;
		uint16_t worker;
		uint8_t *reserved;
		uint32_t reserved_size;
		struct bp_flow to;
	} hooks[WORLD_WORKERS_MAX];
	uint16_t worker; /* that say() talks to */
	uint64_t now_us, start_us;
	struct passed *log;
	unsigned log_count, log_capacity;
	unsigned log_first; /* all before it is taken */
	struct batches batches;
	struct bp_cdr *cdrs[WORLD_CDRS_MAX]; /* as control would have taken them */
	unsigned cdr_count; /* kept; further ones are only counted */
	unsigned cdr_total, cdr_dialogs;
	struct bp_counters past; /* of edges that were restarted */
	uint64_t received;       /* messages handed to the engines */
	uint64_t last_us;        /* time of the message that was expected last */
	uint16_t last_worker;    /* that sent it */
	struct bp_flow last_flow;
	enum fate fate;
	enum bp_drop drop; /* why, for FATE_DROPPED */
	/* Called in the middle of an engine's call, right after it has sent something; may say() to the other
	 * worker. */
	void (*between)(struct world *w, void *argument);
	void *between_argument;
	bool inside;            /* between() is running */
	uint16_t busy;          /* the worker in whose call it runs */
	uint64_t pattern;       /* bit n: the worker that gets the n-th message from here */
	unsigned pattern_left;  /* so many messages go by the pattern */
	unsigned fail_reserves; /* so many reserve calls from now on find no buffer */
	bool hold_batches;      /* nothing is released before the end of the test */
	bool unchecked;         /* hostile input: messages sent need not be expected */
	bool lossy;             /* the edge was restarted: what it held is gone */
	const char *bad_answer; /* what the parser says of a refusal that was just sent */
	char note[64];          /* printed with a failure */
	bool failed;
	bool broken; /* failed inside an engine's call: nothing can be freed any more */
};

/* cmocka fixtures. */
int world_group_setup(void **state);
int world_group_teardown(void **state);
int world_setup(void **state);     /* *state: options or NULL; becomes the world */
int world_setup_two(void **state); /* two workers */
int world_teardown(void **state);

#define flow_test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
#define flow_test_two(f) cmocka_unit_test_setup_teardown(f, world_setup_two, world_teardown)
/* clang-format off */
#define flow_test_with(f, options) \
	{ \
		#f, f, world_setup, world_teardown, (void *)(uintptr_t)(options) \
	}
/* clang-format on */
#define FLOW_TESTS_MAIN(tests) \
	int main(int argc, char **argv) \
	{ \
		if (argc > 1) \
			cmocka_set_test_filter(argv[1]); \
		return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown); \
	}

/* Makes tags, branches and Call-IDs; begins anew with each world, so that a seed replays alone. */
extern unsigned world_serial;

struct bp_flow peer_flow(const struct peer *peer);
const char *peer_hostport(const struct peer *peer);

/* One datagram from @from to the edge, on worker w->worker. */
void say(struct world *w, const struct peer *from, const char *text);
void say_bytes(struct world *w, const struct peer *from, const void *bytes, size_t size);

/* The oldest message not yet taken that the edge sent to @to; the test fails when there is none or when it is
 * another. The result lives as long as the world. Times and flows of it are in w->last_*. */
#define expect(w, to, method) world_expect(w, to, method, 0, __FILE__, __LINE__)
#define expect_status(w, to, status, cseq_method) world_expect(w, to, cseq_method, status, __FILE__, __LINE__)
/* The same, but to anybody: where it went is in w->last_flow. */
#define expect_anywhere(w, method) world_expect(w, NULL, method, 0, __FILE__, __LINE__)
/* Nothing that the edge sent is left untaken. */
#define expect_nothing(w) world_expect_nothing(w, __FILE__, __LINE__)
/* What became of the message received last. */
#define expect_forwarded(w) world_expect_fate(w, FATE_FORWARDED, BP_DROP_COUNT, __FILE__, __LINE__)
#define expect_answered(w) world_expect_fate(w, FATE_ANSWERED, BP_DROP_COUNT, __FILE__, __LINE__)
#define expect_absorbed(w) world_expect_fate(w, FATE_ABSORBED, BP_DROP_COUNT, __FILE__, __LINE__)
#define expect_parked(w) world_expect_fate(w, FATE_PARKED, BP_DROP_COUNT, __FILE__, __LINE__)
#define expect_dropped(w, reason) world_expect_fate(w, FATE_DROPPED, BP_DROP_##reason, __FILE__, __LINE__)
/* The message that was expected last was sent at this time after the start of the world. */
#define expect_at(w, us) world_expect_at(w, us, __FILE__, __LINE__)
/* The same message, byte for byte. */
#define expect_same(w, a, b) world_check_text(w, a, b, #a, __FILE__, __LINE__)

#define check(w, condition) world_check(w, condition, #condition, __FILE__, __LINE__)
#define check_int(w, a, b) world_check_int(w, (int64_t)(a), (int64_t)(b), #a, __FILE__, __LINE__)
#define check_text(w, a, b) world_check_text(w, a, b, #a, __FILE__, __LINE__)

const char *world_expect(struct world *w, const struct peer *to, const char *method, unsigned status,
	const char *file, int line);
void world_expect_nothing(struct world *w, const char *file, int line);
void world_expect_fate(struct world *w, enum fate fate, enum bp_drop drop, const char *file, int line);
void world_expect_at(struct world *w, uint64_t us, const char *file, int line);
void world_check(struct world *w, bool condition, const char *text, const char *file, int line);
void world_check_int(struct world *w, int64_t a, int64_t b, const char *text, const char *file, int line);
void world_check_text(
	struct world *w, const char *a, const char *b, const char *text, const char *file, int line);
_Noreturn void world_fail(struct world *w, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Lets time pass; every timer that is due on the way runs at its own time. */
void world_run_until(struct world *w, uint64_t us_after_start);
void world_wait(struct world *w, uint64_t us);
/* Until no engine has a timer left. */
void world_idle(struct world *w);
/* A quiescent state of all workers, at the end of a grace period. */
void world_quiesce(struct world *w);
/* How many untaken messages to @to are in the log; those are taken. NULL: to anybody. */
unsigned world_take(struct world *w, const struct peer *to);
/* The peer that a message arrived from or went to cannot be reached. @quoted: the datagram, or NULL. */
void world_flow_failed(struct world *w, const struct peer *to, const char *quoted);
/* The edge dies and starts again with the same configuration and fresh keys. */
void world_restart(struct world *w);
void world_drain(struct world *w);
/* From now on @host with @port (0: none) is known as @status; world_name_at() adds an address to it. */
void world_name(struct world *w, const char *host, uint16_t port, enum bp_name_status status);
void world_name_at(struct world *w, const struct peer *at, uint16_t priority, uint16_t weight, uint16_t server);
/* Nothing is known of any name any more. */
void world_names_forget(struct world *w);
/* A new snapshot is in force from now on; the old one is freed. */
void world_reload(struct world *w, struct bp_config *config);

/* options.prepare: calls have records. With BYP_CDR in the environment all worlds do. */
void world_config_cdr(struct bp_config *config);
/* The call detail records so far are in w->cdrs. */
void world_take_cdrs(struct world *w);
/* Until all their memory is back. */
void world_settle(struct world *w);

/* Counters of all workers. */
const struct bp_counters *world_sum(struct world *w);
#define world_dropped(w, reason) (world_sum(w)->drops[BP_DROP_##reason])

struct passed *world_log(struct world *w, uint16_t worker, const struct bp_flow *flow, const void *bytes,
	size_t size, bool out);

/* ladder.c */
void ladder_print(const struct world *w);
const char *ladder_peer(const struct bp_flow *flow);

/* config.c */
struct bp_config *world_config(bool core6);
/* The trunk has bob and carol as targets. */
void world_config_two_targets(struct bp_config *config, uint16_t bobs_priority, uint16_t carols_priority);
void world_config_free(struct bp_config *config);

#endif
