/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names of next hops (RFC 3263): a thread that takes the workers' questions, asks name servers through c-ares,
 * and publishes what it finds. Targets of trunks are resolved from the start.
 */
#ifndef BYEPASS_DNS_H
#define BYEPASS_DNS_H

#include "dns/cache.h"

struct bp_dns;
struct bp_dataplane;

/* Starts the thread and tells the data path of its table. Names are off: 0 and *out NULL. @config and @dataplane outlive
 * it. 0, or -errno and a line in @error. */
int bp_dns_start(struct bp_dns **out, const struct bp_config *config, struct bp_dataplane *dataplane, char *error,
	size_t error_size);

/* Ends the thread; workers may still look names up, until bp_dns_free(). NULL is legal for both. */
void bp_dns_stop(struct bp_dns *dns);
void bp_dns_free(struct bp_dns *dns);

/* NULL: names are off. Any thread. */
const struct bp_dns_counters *bp_dns_counters(const struct bp_dns *dns);

#endif
