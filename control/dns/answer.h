/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading what a name server sent (RFC 1035 4, 2782, 3403, 2308). All of it is hostile: every length is checked,
 * every loop is bounded. No state, any thread.
 */
#ifndef BYEPASS_DNS_ANSWER_H
#define BYEPASS_DNS_ANSWER_H

#include "byepass/names.h"

#define BP_DNS_RECORDS_MAX 32  /* of one answer that are kept */
#define BP_DNS_ALIASES_MAX 8   /* CNAMEs one after another */
#define BP_DNS_SECTION_MAX 256 /* records of one answer that are looked at */

enum bp_dns_type {
	BP_DNS_A = 1,
	BP_DNS_CNAME = 5,
	BP_DNS_SOA = 6,
	BP_DNS_AAAA = 28,
	BP_DNS_SRV = 33,
	BP_DNS_NAPTR = 35,
};

enum bp_dns_outcome {
	BP_DNS_GOOD,    /* there are records */
	BP_DNS_NOTHING, /* no such name, or nothing of this type; ttl_s says for how long, 0: it does not say */
	BP_DNS_FAILED,  /* no server answered, or none knows */
	BP_DNS_BAD,     /* an answer that makes no sense */
};

struct bp_dns_record {
	struct bp_ip ip; /* A, AAAA */
	/* SRV: priority, weight, port; NAPTR: order, preference */
	uint16_t priority, weight, port;
	char flags[8];    /* NAPTR, lower case */
	char service[32]; /* NAPTR, lower case */
	bool regexp;      /* NAPTR: there is one */
	char name[BP_NAME_SIZE_MAX + 1]; /* SRV: target, NAPTR: replacement; "": the root */
};

struct bp_dns_answer {
	uint32_t ttl_s; /* the least of all records that led here */
	unsigned count;
	struct bp_dns_record records[BP_DNS_RECORDS_MAX];
};

/* The records of @type that the message says of @name (lower case, no last dot), through aliases. */
enum bp_dns_outcome bp_dns_answer_read(
	const uint8_t *bytes, size_t size, const char *name, enum bp_dns_type type, struct bp_dns_answer *answer);

#endif
