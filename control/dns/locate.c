/* SPDX-License-Identifier: BSD-3-Clause
 *
 * RFC 3263 section 4 for one name, see locate.h.
 */
#include "dns/locate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIP_PORT 5060

struct server {
	uint16_t priority, weight, port;
	char name[BP_NAME_SIZE_MAX + 1];
	struct bp_ip v6[BP_LOCATE_ADDRESSES_MAX], v4[BP_LOCATE_ADDRESSES_MAX];
	unsigned v6_count, v4_count;
};

struct locate {
	struct bp_locate_options options;
	struct bp_name_key key;
	void (*done)(void *argument, const struct bp_located *located);
	void *argument;
	char host[BP_NAME_SIZE_MAX + 1];
	char service[BP_NAME_SIZE_MAX + 1]; /* where the SRV records are */
	bool only_srv; /* the domain says how it is reached, and plain addresses are not among it */
	bool failed;   /* a query that could have led further got no answer */
	uint32_t ttl_s, negative_s;
	unsigned pending; /* queries for addresses */
	unsigned server_count;
	struct server servers[BP_LOCATE_SERVERS_MAX];
	struct bp_dns_answer answer; /* scratch */
};

struct address_query {
	struct locate *locate;
	struct server *server;
	enum bp_dns_type type;
};

static void
note_ttl(struct locate *l, uint32_t ttl_s)
{
	if (ttl_s < l->ttl_s)
		l->ttl_s = ttl_s;
}

static void
note_negative(struct locate *l, uint32_t ttl_s)
{
	if (ttl_s != 0 && (l->negative_s == 0 || ttl_s < l->negative_s))
		l->negative_s = ttl_s;
}

/* By priority; of one priority those without weight first (RFC 2782), else as they came. */
static bool
is_before(const struct server *a, const struct server *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->weight == 0 && b->weight != 0;
}

static void
sort_servers(struct locate *l)
{
	for (unsigned i = 1; i < l->server_count; i++)
		for (unsigned k = i; k > 0 && is_before(&l->servers[k], &l->servers[k - 1]); k--) {
			struct server moved = l->servers[k];

			l->servers[k] = l->servers[k - 1];
			l->servers[k - 1] = moved;
		}
}

static void
add_targets(struct bp_name_entry *entry, const struct server *server, unsigned number)
{
	for (unsigned i = 0; i < server->v6_count + server->v4_count && entry->count < BP_NAME_TARGETS_MAX; i++)
		entry->targets[entry->count++] = (struct bp_name_target){
			.ip = i < server->v6_count ? server->v6[i] : server->v4[i - server->v6_count],
			.port = server->port,
			.priority = server->priority,
			.weight = server->weight,
			.server = (uint16_t)number,
		};
}

static void
finish(struct locate *l)
{
	struct bp_name_entry *entry =
		calloc(1, sizeof(*entry) + BP_NAME_TARGETS_MAX * sizeof(entry->targets[0]));
	struct bp_located located = {.entry = entry, .ttl_s = l->negative_s};

	if (entry != NULL) {
		entry->key = l->key;
		sort_servers(l);
		for (unsigned i = 0; i < l->server_count; i++)
			add_targets(entry, &l->servers[i], i);
		entry->status = entry->count > 0 ? BP_NAME_FOUND : l->failed ? BP_NAME_FAILED : BP_NAME_NONE;
		if (entry->count > 0)
			located.ttl_s = l->ttl_s;
	}
	l->done(l->argument, &located);
	free(l);
}

static void
release(struct locate *l)
{
	if (--l->pending == 0)
		finish(l);
}

static void
take_addresses(struct locate *l, struct server *server, enum bp_dns_type type)
{
	struct bp_ip *list = type == BP_DNS_AAAA ? server->v6 : server->v4;
	unsigned *count = type == BP_DNS_AAAA ? &server->v6_count : &server->v4_count;

	note_ttl(l, l->answer.ttl_s);
	for (unsigned i = 0; i < l->answer.count && *count < BP_LOCATE_ADDRESSES_MAX; i++) {
		const struct bp_ip *ip = &l->answer.records[i].ip;

		/* a mapped one would be an IPv4 address in disguise */
		if ((type == BP_DNS_AAAA && bp_ip_is_v4(ip)) || !l->options.usable(l->options.context, ip))
			continue;
		list[(*count)++] = *ip;
	}
}

static void
address_done(void *argument, enum bp_dns_outcome outcome, const uint8_t *bytes, size_t size)
{
	struct address_query *query = argument;
	struct locate *l = query->locate;

	if (outcome == BP_DNS_GOOD)
		outcome = bp_dns_answer_read(bytes, size, query->server->name, query->type, &l->answer);
	if (outcome == BP_DNS_GOOD)
		take_addresses(l, query->server, query->type);
	else if (outcome == BP_DNS_NOTHING)
		note_negative(l, l->answer.ttl_s);
	else
		l->failed = true;
	free(query);
	release(l);
}

static void
ask_address(struct locate *l, struct server *server, enum bp_dns_type type)
{
	struct address_query *query = malloc(sizeof(*query));

	if (query == NULL) {
		l->failed = true;
		return;
	}
	*query = (struct address_query){l, server, type};
	l->pending++;
	l->options.query(l->options.context, server->name, type, address_done, query);
}

static void
ask_addresses(struct locate *l)
{
	l->pending = 1; /* held until all are asked */
	for (unsigned i = 0; i < l->server_count; i++) {
		if (l->options.ipv6)
			ask_address(l, &l->servers[i], BP_DNS_AAAA);
		if (l->options.ipv4)
			ask_address(l, &l->servers[i], BP_DNS_A);
	}
	release(l);
}

/* 4.2: no SRV records, or a port was written: the name itself. */
static void
ask_host(struct locate *l, uint16_t port)
{
	l->servers[0] = (struct server){.port = port};
	strcpy(l->servers[0].name, l->host);
	l->server_count = 1;
	ask_addresses(l);
}

/* Those of the lowest priorities, where there are too many. "." says that there is no such service here (RFC 2782). */
static void
take_servers(struct locate *l)
{
	const struct bp_dns_record *records = l->answer.records;

	for (unsigned n = 0; n < l->answer.count && l->server_count < BP_LOCATE_SERVERS_MAX; n++) {
		const struct bp_dns_record *next = NULL;
		struct server *server;

		for (unsigned i = 0; i < l->answer.count; i++) {
			bool later = n == 0 || records[i].priority > l->servers[l->server_count - 1].priority;

			if (later && (next == NULL || records[i].priority < next->priority))
				next = &records[i];
		}
		if (next == NULL)
			break;
		for (unsigned i = 0; i < l->answer.count && l->server_count < BP_LOCATE_SERVERS_MAX; i++) {
			if (records[i].priority != next->priority)
				continue;
			server = &l->servers[l->server_count++];
			*server = (struct server){
				.priority = records[i].priority, .weight = records[i].weight, .port = records[i].port};
			strcpy(server->name, records[i].name);
		}
	}
}

/* A target that is no name, or a port 0, leads nowhere. */
static void
drop_useless(struct locate *l)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < l->server_count; i++)
		if (l->servers[i].name[0] != '\0' && l->servers[i].port != 0)
			l->servers[kept++] = l->servers[i];
	l->server_count = kept;
}

static void
srv_done(void *argument, enum bp_dns_outcome outcome, const uint8_t *bytes, size_t size)
{
	struct locate *l = argument;

	if (outcome == BP_DNS_GOOD)
		outcome = bp_dns_answer_read(bytes, size, l->service, BP_DNS_SRV, &l->answer);
	switch (outcome) {
	case BP_DNS_GOOD:
		note_ttl(l, l->answer.ttl_s);
		take_servers(l);
		drop_useless(l);
		ask_addresses(l);
		return;
	case BP_DNS_NOTHING:
		note_negative(l, l->answer.ttl_s);
		if (!l->only_srv) {
			ask_host(l, SIP_PORT);
			return;
		}
		break;
	case BP_DNS_FAILED:
	case BP_DNS_BAD:
		l->failed = true;
		break;
	}
	finish(l);
}

static void
ask_srv(struct locate *l)
{
	if (l->service[0] == '\0') /* the name is so long that there can be none */
		ask_host(l, SIP_PORT);
	else
		l->options.query(l->options.context, l->service, BP_DNS_SRV, srv_done, l);
}

/* 4.1: the best record for UDP (RFC 3403 4.1: by order, then by preference). A domain that names transports, but not this
 * one, is only asked for its SRV records, never taken for a host. */
static void
take_naptr(struct locate *l)
{
	const struct bp_dns_record *best = NULL;

	for (unsigned i = 0; i < l->answer.count; i++) {
		const struct bp_dns_record *r = &l->answer.records[i];

		if (strncmp(r->service, "sip+d2", 6) == 0 || strncmp(r->service, "sips+d2", 7) == 0)
			l->only_srv = true;
		if (strcmp(r->service, "sip+d2u") != 0 || strcmp(r->flags, "s") != 0 || r->regexp || r->name[0] == '\0')
			continue;
		if (best == NULL || r->priority < best->priority ||
			(r->priority == best->priority && r->weight < best->weight))
			best = r;
	}
	if (best != NULL) {
		strcpy(l->service, best->name);
		note_ttl(l, l->answer.ttl_s);
	}
}

static void
naptr_done(void *argument, enum bp_dns_outcome outcome, const uint8_t *bytes, size_t size)
{
	struct locate *l = argument;

	if (outcome == BP_DNS_GOOD)
		outcome = bp_dns_answer_read(bytes, size, l->host, BP_DNS_NAPTR, &l->answer);
	if (outcome == BP_DNS_FAILED || outcome == BP_DNS_BAD) {
		l->failed = true;
		finish(l);
		return;
	}
	if (outcome == BP_DNS_GOOD)
		take_naptr(l);
	ask_srv(l);
}

int
bp_locate(const struct bp_locate_options *options, const struct bp_name_key *key,
	void (*done)(void *argument, const struct bp_located *located), void *argument)
{
	struct locate *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return -ENOMEM;
	l->options = *options;
	l->key = *key;
	l->done = done;
	l->argument = argument;
	l->ttl_s = UINT32_MAX;
	memcpy(l->host, key->host, key->size);
	if (snprintf(l->service, sizeof(l->service), "_sip._udp.%s", l->host) >= (int)sizeof(l->service))
		l->service[0] = '\0';
	if (key->port != 0)
		ask_host(l, key->port);
	else
		options->query(options->context, l->host, BP_DNS_NAPTR, naptr_done, l);
	return 0;
}
