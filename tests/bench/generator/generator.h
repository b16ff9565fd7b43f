/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The generator: SIP callers and callees on DPDK ports, so that whatever stands between them can be measured.
 * It is turned by one thread and makes no system call, takes no lock and no memory after gen_create(). Every
 * message is checked whole, every call is accounted for. IPv4 and UDP only.
 *
 * One generator has one end that calls and one that is called; for more queues or ports make more generators,
 * each with its own `instance`. Time is the time stamp counter's, and comes from outside.
 */
#ifndef BYEPASS_BENCH_GENERATOR_H
#define BYEPASS_BENCH_GENERATOR_H

#include "generator/histogram.h"

#include <stdbool.h>
#include <stdint.h>

struct gen;

/* One end's place on the wire. Addresses and UDP ports are in host byte order. The port is configured and started by
 * whoever calls; both ends may share a port and a queue, if their addresses or UDP ports differ. */
struct gen_end {
	uint16_t port, rx_queue, tx_queue; /* of DPDK */
	uint8_t mac[6];       /* own; all zero: the port's */
	uint8_t peer_mac[6];  /* the target's; all zero: asked for by ARP */
	uint32_t ip;          /* the first of `addresses` consecutive ones, all of the same length as text */
	uint16_t udp;         /* the first of `udp_ports` consecutive ones, all of the same length as text */
	uint16_t addresses;   /* callers: sources, callees: trunks. 0 means 1 */
	uint16_t udp_ports;   /* 0 means 1; addresses * udp_ports may not be more than GEN_PLACES_MAX */
	uint32_t peer_ip;     /* the target, as this end sees it */
	uint16_t peer_udp;
	bool checksum; /* UDP checksums are made and checked in software. Else the field is zero when sending, which is
			* legal over IPv4 (RFC 768), and not looked at */
};
#define GEN_PLACES_MAX 256

/* X(id, name) */
#define GEN_SCENARIOS(X) \
	X(BYE, "bye") X(CANCEL, "cancel") X(CANCEL_EARLY, "cancel-early") X(RACE, "race") X(OPTIONS, "options") \
	X(REGISTER, "register")

enum gen_scenario {
#define X(id, name) GEN_##id,
	GEN_SCENARIOS(X)
#undef X
	GEN_SCENARIO_COUNT,
};

struct gen_options {
	struct gen_end caller, callee;
	uint16_t weights[GEN_SCENARIO_COUNT]; /* the mix; gen_scenario_read() */
	double rate;          /* calls a second by the schedule, whatever becomes of the calls before (open loop).
			       * INFINITY: a new one whenever fewer than `window` are open */
	uint32_t calls_max;   /* open at once; what the schedule wants beyond is failed[LIMIT] */
	uint32_t window;      /* with rate INFINITY; 0: 128 */
	uint64_t calls_total; /* no more than so many; 0: no end */
	double ring_s;        /* 180 -> 200 of a `bye` call, 180 -> CANCEL of a `cancel` one */
	double hold_s;        /* ACK -> BYE */
	double t1_s, t2_s;    /* of its own retransmissions (RFC 3261 17.1.1.1) */
	uint16_t message_size; /* of an INVITE in bytes, filled up in its SDP; 0: as it comes (about 700) */
	const char *headers;  /* a file with header lines for every initial request, or NULL. "{call}" in it becomes the
			       * call's number, 16 hexadecimal digits */
	const char *target;   /* host of the Request-URI of initial requests; NULL: the caller's peer_ip:peer_udp */
	uint8_t instance;     /* 0..255, in the number of each call */
	uint64_t seed;        /* of the mix, and of what makes this run's Call-IDs and branches its own */
	int socket;           /* of NUMA, for mbufs; -1: any */
	bool direct;          /* nobody stands in between: the ends face each other (byepass-bench loopback) */
	bool virtual_time;    /* time moves only by gen_turn(); else the counter is read again within a turn */
	double tsc_hz;        /* 0: rte_get_tsc_hz() */
};

/* Why a call failed. X(id, text) */
#define GEN_FAILURES(X) \
	X(LIMIT, "too many open calls, not begun") \
	X(NO_MBUF, "no mbuf, not begun") \
	X(TIMER_B, "no response to INVITE (timer B)") \
	X(TIMER_F, "no final response to a request (timer F)") \
	X(NO_FINAL, "no final response to INVITE within 180 s (or 32 s after CANCEL)") \
	X(NO_ACK, "no ACK to a final response (timer H)") \
	X(NO_BYE, "no BYE came to the callee") \
	X(LEFT, "the callee was left without an end") \
	X(STATUS_3XX, "answered 3xx") \
	X(STATUS_408, "answered 408") \
	X(STATUS_481, "answered 481") \
	X(STATUS_4XX, "answered another 4xx") \
	X(STATUS_503, "answered 503") \
	X(STATUS_5XX, "answered another 5xx") \
	X(STATUS_6XX, "answered 6xx") \
	X(WRONG_END, "another final response than the scenario's") \
	X(WRONG_MESSAGE, "a message of the call was wrong")

enum gen_failure {
#define X(id, text) GEN_FAILED_##id,
	GEN_FAILURES(X)
#undef X
	GEN_FAILURE_COUNT,
};

/* The messages of all scenarios. X(id, name). TRYING is 100, RINGING 180, OK 200 to INVITE; OK_* the others' 200. FINAL
 * is any other final response to INVITE. */
#define GEN_KINDS(X) \
	X(INVITE, "INVITE") X(ACK, "ACK") X(BYE, "BYE") X(CANCEL, "CANCEL") X(OPTIONS, "OPTIONS") \
	X(REGISTER, "REGISTER") X(TRYING, "100") X(RINGING, "180") X(OK, "200") X(FINAL, "final") \
	X(OK_BYE, "200 (BYE)") X(OK_CANCEL, "200 (CANCEL)") X(OK_OTHER, "200 (other)") \
	X(ACK_FINAL, "ACK (final)")

enum gen_kind {
#define X(id, name) GEN_KIND_##id,
	GEN_KINDS(X)
#undef X
	GEN_KIND_COUNT,
};

/* What is wrong with a message that was received: the rules of a full check. X(id, text) */
#define GEN_FAULTS(X) \
	X(NONE, "nothing") X(FRAME, "addresses, lengths or checksum of the frame") X(PARSE, "no SIP message") \
	X(UNKNOWN, "no message of a scenario") X(STATUS, "status or reason") X(VIA, "Via") X(CSEQ, "CSeq") \
	X(CALL_ID, "Call-ID") X(FROM, "From") X(TO, "To") X(URI, "Request-URI") X(MAX_FORWARDS, "Max-Forwards") \
	X(ROUTE, "Route or Record-Route") X(CONTACT, "Contact") X(LENGTH, "Content-Length") X(BODY, "body") \
	X(HEADER, "another header line")

enum gen_fault {
#define X(id, text) GEN_FAULT_##id,
	GEN_FAULTS(X)
#undef X
	GEN_FAULT_COUNT,
};

struct gen_report {
	uint64_t started, ok, failed[GEN_FAILURE_COUNT];
	uint64_t ok_by[GEN_SCENARIO_COUNT]; /* parts of ok */
	uint64_t race_answered, race_cancelled; /* parts of ok_by[GEN_RACE]: both outcomes are right */
	uint64_t open, open_peak;               /* now; most since the last reset */
	uint64_t sent[GEN_KIND_COUNT], received[GEN_KIND_COUNT], retransmitted[GEN_KIND_COUNT];
	uint64_t repeated;    /* received: retransmissions of the target or the other end, answered or absorbed */
	uint64_t pings;       /* OPTIONS requests of the target's own, answered; sent[] has the responses */
	uint64_t late;        /* received: of a call that is over */
	uint64_t wrong[GEN_FAULT_COUNT]; /* received and ill, by the rule that it broke */
	uint64_t slow;        /* received: parsed in full, because no shape was known */
	uint64_t shapes, shapes_refused; /* known now; messages whose form found no place */
	uint64_t frames_in, frames_out, frames_ignored, bytes_in, bytes_out;
	uint64_t tx_refused; /* frames that the port did not take; retransmissions repair that */
	uint64_t turns, busy_turns, busy_cycles; /* turns with work and the cycles spent in them (0 in virtual time) */
	uint64_t kept_bytes_peak; /* beside GEN_CALL_SIZE a call: what had to be kept of the target's bytes, at most */
	/* All in TSC cycles. Latency counts from the time that the schedule intended. */
	struct gen_histogram transit; /* caller's INVITE, intended time -> arrival at the callee */
	struct gen_histogram onward;  /* the caller's other requests -> callee */
	struct gen_histogram back;    /* the callee's responses -> caller */
	struct gen_histogram ringing; /* INVITE, intended time -> first 180 (post-dial delay) */
	struct gen_histogram setup;   /* INVITE, intended time -> 200 */
	struct gen_histogram late_by; /* of the generator itself: intended time of an INVITE -> handed to the port */
};

#define GEN_CALL_SIZE 64 /* bytes of the generator's own for an open call */

/* Everything at its default: one `bye` call after another at 1,000 a second, calls_max 1 Mi, T1 500 ms, T2 4 s.
 * Ends must still be filled in. */
void gen_options_default(struct gen_options *options);

/* "bye", "mixed" (70 bye, 20 cancel, 5 cancel-early, 5 race), or "bye=70,options=30". False: none of these. */
bool gen_scenario_read(const char *text, uint16_t weights[GEN_SCENARIO_COUNT]);
const char *gen_scenario_name(enum gen_scenario scenario);
const char *gen_failure_text(enum gen_failure failure);
const char *gen_kind_name(enum gen_kind kind);
const char *gen_fault_text(enum gen_fault fault);

/* Makes a generator; ports must be started, EAL initialized.
 * @error: at least 256 bytes, gets the reason. Returns 0 or -errno. */
int gen_create(struct gen **gen, const struct gen_options *options, char *error);
void gen_free(struct gen *gen);

/* One turn: bursts from both ends, timers that are due, new calls that are due, bursts to both ends. Returns whether
 * there was anything to do. @tsc: now, never less than the last time. Thread: always the same one. */
bool gen_turn(struct gen *gen, uint64_t tsc);

/* Calls a second from now on; 0: no new calls; INFINITY: by the window. Thread: that of gen_turn(). */
void gen_rate(struct gen *gen, double rate);

/* The targets' MAC addresses are known. Until then gen_turn() asks for them and starts no calls. */
bool gen_ready(const struct gen *gen);

/* No call is open. */
bool gen_idle(const struct gen *gen);

/* calls_total were begun. */
bool gen_exhausted(const struct gen *gen);

/* Ends all open calls without a trace; they count as neither ok nor failed. For the end of a measurement whose calls
 * are held long. Thread: that of gen_turn(). */
void gen_abandon(struct gen *gen);

/* What there is since the last reset. The report is large (histograms): not for the stack. Thread: that of gen_turn(),
 * or any while nobody turns. */
void gen_report(const struct gen *gen, struct gen_report *report);
void gen_report_reset(struct gen *gen);
/* Adds @more to @sum (several generators). */
void gen_report_add(struct gen_report *sum, const struct gen_report *more);

uint64_t gen_report_failed(const struct gen_report *report); /* the sum over all reasons */

#endif
