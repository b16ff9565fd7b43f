/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What names are known, for how long, and which are looked up again: bounded, by time to live. Time comes
 * from the caller. Thread: the one that resolves; others read the counters.
 */
#ifndef BYEPASS_DNS_CACHE_H
#define BYEPASS_DNS_CACHE_H

#include "byepass/config.h"
#include "dns/locate.h"
#include "dns/table.h"

#define BP_DNS_LOCATES_MAX 256    /* names that are being resolved at the same time */
#define BP_DNS_TICK_US 100000     /* between two looks at all entries */
#define BP_DNS_FAILURE_US 5000000 /* for how long it is remembered that no server answered */

/* X(name, text) */
#define BP_DNS_COUNTERS(X) \
	X(queries, "queries to name servers") \
	X(answers, "answers of name servers") \
	X(query_failures, "queries without an answer that helps: time is over, or the server failed") \
	X(bad_answers, "answers that make no sense") \
	X(found, "names resolved to addresses") \
	X(none, "names that there are not, or that lead nowhere") \
	X(failed, "names that no server knew about") \
	X(refused, "addresses left out: the edge's own, loopback, multicast and the like") \
	X(refreshed, "names resolved again before their time was over") \
	X(evicted, "names forgotten to make room") \
	X(full, "questions dropped: no room could be made") \
	X(us, "microseconds from question to result, of all names together")

struct bp_dns_counters {
#define X(name, text) _Atomic uint64_t name;
	BP_DNS_COUNTERS(X)
#undef X
	_Atomic uint64_t entries;   /* gauge */
	_Atomic uint64_t resolving; /* gauge */
};

struct bp_dns_cache;

/* 0 or -errno. @writer, @options and @counters outlive it. @random: seeds the jitter. */
int bp_dns_cache_create(struct bp_dns_cache **out, const struct bp_config_dns *config,
	struct bp_name_table_writer *writer, const struct bp_locate_options *options,
	struct bp_dns_counters *counters, uint64_t random);
/* No query is under way any more. NULL is legal. */
void bp_dns_cache_free(struct bp_dns_cache *cache);

/* A name is asked for: resolved unless it is known or on its way. @pin: it stays, and is resolved again for ever. */
void bp_dns_cache_ask(struct bp_dns_cache *cache, const struct bp_name_key *key, bool pin, uint64_t now_us);

/* Whether more names may be resolved at the same time. */
bool bp_dns_cache_has_room(const struct bp_dns_cache *cache);

/* Forgets and refreshes what is due. To be called before results come in: they are as of this time. */
void bp_dns_cache_tick(struct bp_dns_cache *cache, uint64_t now_us);

#endif
