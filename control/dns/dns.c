/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The thread that resolves names, see dns.h. It is the only one that touches c-ares' channel, the cache and the
 * table's writer. Workers do not wake it (that would be a system call on their side): it looks at their rings.
 */
#include "dns/dns.h"
#include "byepass/dataplane.h"
#include "state.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define TURN_BUSY_MS 1
#define TURN_IDLE_MS 5
#define BUSY_US 1000000 /* for how long after a question the next is looked for more often */
#define EDNS_SIZE 1232

struct bp_dns {
	const struct bp_config *config;
	struct bp_name_table_writer writer;
	struct bp_dns_cache *cache;
	struct bp_dns_counters counters;
	ares_channel channel;
	bool library, open; /* c-ares is initialised, and its channel */
	pthread_t thread;
	bool running;
	_Atomic bool stop;
	unsigned turn;     /* worker whose ring is looked at first */
	uint64_t asked_us; /* when the last question was taken */
};

struct query {
	struct bp_dns *dns;
	bp_dns_done *done;
	void *argument;
};

static enum bp_dns_outcome
outcome_of(int status, const uint8_t *bytes)
{
	switch (status) {
	case ARES_SUCCESS:
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
		return bytes ? BP_DNS_GOOD : BP_DNS_NOTHING; /* the reader finds out */
	case ARES_EBADRESP:
	case ARES_EBADNAME:
		return BP_DNS_BAD;
	default:
		return BP_DNS_FAILED;
	}
}

static void
answered(void *argument, int status, int timeouts, unsigned char *bytes, int size)
{
	struct query *query = argument;
	struct bp_dns_counters *counters = &query->dns->counters;
	enum bp_dns_outcome outcome = outcome_of(status, bytes);

	atomic_fetch_add(outcome == BP_DNS_FAILED ? &counters->query_failures
				: outcome == BP_DNS_BAD  ? &counters->bad_answers
							 : &counters->answers, 1);
	query->done(query->argument, outcome, bytes, size > 0 ? (size_t)size : 0);
	free(query);
}

static void
ask(void *context, const char *name, enum bp_dns_type type, bp_dns_done *done, void *argument)
{
	struct bp_dns *dns = context;
	struct query *query = malloc(sizeof(*query));

	if (query == NULL) {
		done(argument, BP_DNS_FAILED, NULL, 0);
		return;
	}
	*query = (struct query){dns, done, argument};
	atomic_fetch_add(&dns->counters.queries, 1);
	ares_query(dns->channel, name, ns_c_in, (int)type, answered, query);
}

static bool
is_own(const struct bp_config *config, const struct bp_ip *ip)
{
	for (unsigned i = 0; i < config->interface_count; i++)
		if (bp_ip_equal(&config->interfaces[i].ip, ip))
			return true;
	return false;
}

/* Addresses that no other host can have: what a stranger's zone could aim at us, or at everybody. */
static bool
is_host(const struct bp_ip *ip)
{
	static const struct bp_ip unspecified, loopback = {.bytes = {[15] = 1}};
	const uint8_t *v4 = ip->bytes + 12;

	if (bp_ip_is_v4(ip))
		return v4[0] != 0 && v4[0] != 127 && v4[0] < 224 && !(v4[0] == 169 && v4[1] == 254);
	if (bp_ip_equal(ip, &unspecified) || bp_ip_equal(ip, &loopback))
		return false;
	return ip->bytes[0] != 0xff && !(ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80);
}

static bool
usable(void *context, const struct bp_ip *ip)
{
	struct bp_dns *dns = context;

	if (is_host(ip) && !is_own(dns->config, ip))
		return true;
	atomic_fetch_add(&dns->counters.refused, 1);
	return false;
}

/* Waits for an answer of a server, but no longer than the workers' questions may wait. */
static void
exchange(struct bp_dns *dns, int timeout_ms)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	struct pollfd polls[ARES_GETSOCK_MAXNUM];
	/* unsigned: c-ares' own macros shift a one into the sign */
	unsigned bits = (unsigned)ares_getsock(dns->channel, sockets, ARES_GETSOCK_MAXNUM);
	nfds_t count = 0;

	for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short events = (short)((bits >> i & 1 ? POLLIN : 0) |
			(bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0));

		if (events != 0)
			polls[count++] = (struct pollfd){.fd = sockets[i], .events = events};
	}
	poll(polls, count, timeout_ms);
	for (nfds_t i = 0; i < count; i++) {
		bool in = (polls[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
		bool out = (polls[i].revents & POLLOUT) != 0;

		if (in || out)
			ares_process_fd(dns->channel, in ? polls[i].fd : ARES_SOCKET_BAD,
				out ? polls[i].fd : ARES_SOCKET_BAD);
	}
	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void
take_questions(struct bp_dns *dns, uint64_t now_us)
{
	struct bp_name_key key;

	while (bp_dns_cache_has_room(dns->cache) && bp_name_table_question(&dns->writer, &dns->turn, &key)) {
		dns->asked_us = now_us;
		bp_dns_cache_ask(dns->cache, &key, false, now_us);
	}
}

static void *
run(void *argument)
{
	struct bp_dns *dns = argument;

	pthread_setname_np(pthread_self(), "dns");
	while (!atomic_load(&dns->stop)) {
		uint64_t now_us = bp_now_monotonic_us();

		bp_dns_cache_tick(dns->cache, now_us);
		take_questions(dns, now_us);
		exchange(dns, now_us - dns->asked_us < BUSY_US ? TURN_BUSY_MS : TURN_IDLE_MS);
		bp_name_table_reclaim(&dns->writer);
	}
	return NULL;
}

static int
open_channel(struct bp_dns *dns, char *error, size_t error_size)
{
	const struct bp_config_dns *config = &dns->config->dns;
	struct ares_options options = {
		.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = (int)(config->timeout_us / 1000),
		.tries = config->tries,
		.ednspsz = EDNS_SIZE,
	};
	char list[BP_CONFIG_DNS_SERVERS_MAX * 65] = "";
	size_t used = 0;
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	dns->library = status == ARES_SUCCESS;
	if (status == ARES_SUCCESS)
		status = ares_init_options(&dns->channel, &options,
			ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ);
	dns->open = status == ARES_SUCCESS;
	for (unsigned i = 0; i < config->server_count; i++)
		used += (size_t)snprintf(
			list + used, sizeof(list) - used, "%s%s", i > 0 ? "," : "", config->servers[i]);
	if (status == ARES_SUCCESS && config->mode == BP_DNS_SERVERS)
		status = ares_set_servers_ports_csv(dns->channel, list);
	if (status == ARES_SUCCESS)
		return 0;
	snprintf(error, error_size, "dns.servers: %s", ares_strerror(status));
	return -EINVAL;
}

static void
pin_targets(struct bp_dns *dns, uint64_t now_us)
{
	for (unsigned i = 0; i < dns->config->trunk_count; i++) {
		const struct bp_config_trunk *trunk = &dns->config->trunks[i];

		for (unsigned k = 0; k < trunk->target_count; k++)
			if (trunk->targets[k].name != NULL)
				bp_dns_cache_ask(dns->cache, trunk->targets[k].name, true, now_us);
	}
}

static int
make(struct bp_dns *dns, unsigned workers)
{
	struct bp_locate_options options = {.context = dns, .query = ask, .usable = usable};
	uint64_t random;
	int rc = bp_name_table_create(&dns->writer, dns->config->dns.cache, workers);

	if (rc == 0 && getrandom(&random, sizeof(random), 0) != sizeof(random))
		rc = -EIO;
	for (unsigned i = 0; i < dns->config->listener_count; i++)
		*(dns->config->listeners[i].family == 4 ? &options.ipv4 : &options.ipv6) = true;
	if (rc == 0)
		rc = bp_dns_cache_create(
			&dns->cache, &dns->config->dns, &dns->writer, &options, &dns->counters, random);
	return rc;
}

int
bp_dns_start(struct bp_dns **out, const struct bp_config *config, struct bp_dataplane *dataplane, char *error,
	size_t error_size)
{
	struct bp_dns *dns;
	int rc;

	*out = NULL;
	if (config->dns.mode == BP_DNS_OFF)
		return 0;
	dns = calloc(1, sizeof(*dns));
	if (dns == NULL)
		return -ENOMEM;
	dns->config = config;
	rc = open_channel(dns, error, error_size);
	if (rc == 0)
		rc = make(dns, bp_dataplane_worker_count(dataplane));
	if (rc != 0) {
		bp_dns_free(dns);
		return rc;
	}
	bp_dataplane_names(dataplane, dns->writer.table);
	pin_targets(dns, bp_now_monotonic_us());
	*out = dns; /* the table is the workers' from now on */
	rc = -pthread_create(&dns->thread, NULL, run, dns);
	dns->running = rc == 0;
	return rc;
}

void
bp_dns_stop(struct bp_dns *dns)
{
	if (dns == NULL || !dns->running)
		return;
	atomic_store(&dns->stop, true);
	pthread_join(dns->thread, NULL);
	dns->running = false;
}

void
bp_dns_free(struct bp_dns *dns)
{
	if (dns == NULL)
		return;
	bp_dns_stop(dns);
	if (dns->open)
		ares_destroy(dns->channel); /* ends all queries: the cache still stands */
	if (dns->library)
		ares_library_cleanup();
	bp_dns_cache_free(dns->cache);
	bp_name_table_free(&dns->writer);
	free(dns);
}

const struct bp_dns_counters *
bp_dns_counters(const struct bp_dns *dns)
{
	return dns ? &dns->counters : NULL;
}
