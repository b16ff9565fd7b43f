/* SPDX-License-Identifier: BSD-3-Clause
 *
 * RFC 3263 section 4 for one name over UDP: NAPTR, SRV, AAAA and A, one after the other, as the answers come in.
 * Who asks the name servers is told by the caller. Thread: the one that resolves.
 */
#ifndef BYEPASS_DNS_LOCATE_H
#define BYEPASS_DNS_LOCATE_H

#include "dns/answer.h"

#define BP_LOCATE_SERVERS_MAX 16   /* SRV records of one name that are followed */
#define BP_LOCATE_ADDRESSES_MAX 8  /* of one host and family */

/* Called once for each query, maybe before the query function returns. */
typedef void bp_dns_done(
	void *argument, enum bp_dns_outcome outcome, const uint8_t *bytes, size_t size);

struct bp_locate_options {
	void *context;
	/* Asks for records of @type of @name, and hands over the whole answer. FAILED comes without one. */
	void (*query)(void *context, const char *name, enum bp_dns_type type, bp_dns_done *done, void *argument);
	/* Whether a next hop can have this address. */
	bool (*usable)(void *context, const struct bp_ip *ip);
	bool ipv4, ipv6; /* families that a realm has */
};

struct bp_located {
	struct bp_name_entry *entry; /* malloc()ed, with key, status and targets; the receiver's. NULL: no memory */
	uint32_t ttl_s; /* of FOUND; of NONE, 0: unknown */
};

/* Begins. @done is called once, maybe before this returns. -ENOMEM: it never will be. */
int bp_locate(const struct bp_locate_options *options, const struct bp_name_key *key,
	void (*done)(void *argument, const struct bp_located *located), void *argument);

#endif
