/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The thread that resolves names, with c-ares, on a data path that is not there: what a worker would ask and find.
 * usage: dns-probe CONFIG. Standard input: "ask HOST PORT" puts a question, when nothing is known, and says what is then
 * published; "look HOST PORT" says what is known now; "counters". Each is answered by one line.
 */
#include "config/load.h"
#include "dns/dns.h"
#include "fake_dataplane.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <urcu-qsbr.h>

static const char *const statuses[] = {"found", "none", "failed"};

static void
say(const struct bp_name_entry *entry)
{
	char text[64];

	printf("%s", entry ? statuses[entry->status] : "unknown");
	for (unsigned i = 0; entry != NULL && i < entry->count; i++) {
		const struct bp_name_target *t = &entry->targets[i];
		bool v4 = bp_ip_is_v4(&t->ip);

		inet_ntop(v4 ? AF_INET : AF_INET6, t->ip.bytes + (v4 ? 12 : 0), text, sizeof(text));
		printf(" %s/%u/%u/%u", text, t->port, t->priority, t->weight);
	}
	printf("\n");
	fflush(stdout);
}

static void
ask(const char *host, unsigned port, bool wait)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct bp_name_entry *entry;
	struct bp_name_key key;

	if (!bp_name_key_make(&key, host, strlen(host), (uint16_t)port)) {
		printf("no name\n");
		fflush(stdout);
		return;
	}
	entry = bp_name_find(fake_names, &key);
	if (entry == NULL && wait)
		bp_name_ask(fake_names, 0, &key);
	for (unsigned i = 0; entry == NULL && wait && i < 30000; i++) {
		urcu_qsbr_thread_offline();
		nanosleep(&pause, NULL);
		urcu_qsbr_thread_online();
		entry = bp_name_find(fake_names, &key);
	}
	say(entry);
	urcu_qsbr_quiescent_state();
}

static void
say_counters(const struct bp_dns_counters *counters)
{
#define X(name, text) printf("%s=%" PRIu64 " ", #name, atomic_load(&counters->name));
	BP_DNS_COUNTERS(X)
#undef X
	printf("entries=%" PRIu64 "\n", atomic_load(&counters->entries));
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct bp_dataplane *dataplane;
	struct bp_config *config;
	struct bp_report *report = calloc(1, sizeof(*report));
	char error[256] = "", line[512], host[400];
	struct bp_dns *dns;
	unsigned port;

	if (report == NULL || argc != 2 || bp_config_load(&config, argv[1], report) != 0) {
		if (report != NULL)
			bp_report_print(report, stderr);
		return 1;
	}
	free(report);
	if (bp_dataplane_start(&dataplane, config, bp_config_free, NULL, error, sizeof(error)) != 0 ||
		bp_dns_start(&dns, config, dataplane, error, sizeof(error)) != 0 || dns == NULL) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	urcu_qsbr_register_thread();
	for (;;) {
		urcu_qsbr_thread_offline();
		if (fgets(line, sizeof(line), stdin) == NULL)
			break;
		urcu_qsbr_thread_online();
		if (sscanf(line, "ask %399s %u", host, &port) == 2)
			ask(host, port, true);
		else if (sscanf(line, "look %399s %u", host, &port) == 2)
			ask(host, port, false);
		else
			say_counters(bp_dns_counters(dns));
	}
	urcu_qsbr_unregister_thread();
	bp_dns_stop(dns);
	bp_dataplane_stop(dataplane);
	bp_dns_free(dns);
	return 0;
}
