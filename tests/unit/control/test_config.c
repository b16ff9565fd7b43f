/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the loader makes of a good file, value by value. Bad ones are in tests/config/bad.
 * argv[1]: tests/config/good.
 */
#include "byepass/counters.h"
#include "config/load.h"
#include "config/units.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *folder;

static struct bp_config *
load(const char *name, struct bp_report *report)
{
	struct bp_config *config = NULL;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (bp_config_load(&config, path, report) != 0)
		bp_report_print(report, stderr);
	assert_non_null(config);
	assert_int_equal(report->errors, 0);
	return config;
}

/* Loads text that must be refused with one error, and returns that error. */
static const char *
refused(const char *text, size_t size, struct bp_report *report)
{
	struct bp_config *config = NULL;

	assert_int_equal(bp_config_load_text(&config, "text.yaml", text, size, report), -EINVAL);
	assert_null(config);
	assert_true(report->errors >= 1);
	return report->error[0].text;
}

static struct bp_ip
ip(const char *text)
{
	struct bp_ip out;
	uint8_t family;

	assert_true(bp_unit_ip(text, &out, &family));
	return out;
}

static void
test_defaults(void **state)
{
	struct bp_report report;
	struct bp_config *c = load("minimal.yaml", &report);

	assert_int_equal(c->generation, 1);
	assert_int_equal(c->workers.count, 1);
	assert_int_equal(c->workers.cpus[0], 1);
	assert_int_equal(c->workers.control_cpu, 0);
	assert_int_equal(c->workers.hugepages, BP_HUGEPAGES_AUTO);
	assert_int_equal(c->workers.poll, BP_POLL_ADAPTIVE);
	assert_string_equal(c->workers.eal_args, "");
	assert_int_equal(c->capacity.transactions, 0);
	assert_int_equal(c->capacity.dialogs, 0);
	assert_true(c->timers.t1_us == 500000 && c->timers.t2_us == 4000000 && c->timers.t4_us == 5000000);
	assert_true(c->timers.c_us == 180000000 && c->timers.d_us == 32000000);
	assert_int_equal(c->limits.headers, 128);
	assert_int_equal(c->limits.vias, 70);
	assert_int_equal(c->limits.uri, 2048);
	assert_int_equal(c->limits.message, 65507);
	assert_int_equal(c->trace.messages, 0);
	assert_string_equal(c->control.http, "127.0.0.1:9060");
	assert_string_equal(c->control.socket, "/run/byepass/control.sock");
	assert_string_equal(c->control.token_file, "");
	assert_string_equal(c->cdr.folder, "");
	assert_int_equal(c->cdr.format, BP_CDR_JSON);
	assert_true(c->cdr.rotate_size == 268435456 && c->cdr.rotate_age_us == 3600000000);
	assert_true(c->cdr.fsync_us == 1000000 && c->cdr.queue == 65536);
	assert_true(c->drain_us == 60000000 && c->dialog_us == 43200000000);
	assert_int_equal(c->node_id, 0);
	assert_int_equal(c->ports[0].mtu, 1500);
	assert_int_equal(c->realms[0].trust, BP_TRUST_UNTRUSTED);
	assert_int_equal(c->realms[1].trust, BP_TRUST_TRUSTED);
	assert_int_equal(c->listeners[0].port, 5060);
	assert_int_equal(c->trunks[0].targets[0].weight, 1);
	assert_int_equal(c->trunks[0].targets[0].priority, 1);
	assert_int_equal(report.notices, 1); /* no secrets file */
	bp_config_free(c);
}

static void
test_values(void **state)
{
	struct bp_report report;
	struct bp_config *c = load("full.yaml", &report);

	assert_int_equal(c->node_id, 17);
	assert_int_equal(c->workers.count, 2);
	assert_int_equal(c->workers.cpus[1], 2);
	assert_int_equal(c->workers.hugepages, BP_HUGEPAGES_OFF);
	assert_int_equal(c->workers.poll, BP_POLL_BUSY);
	assert_string_equal(c->workers.eal_args, "--log-level=pmd.net.tap:8");
	assert_int_equal(c->capacity.transactions, 65536);
	assert_int_equal(c->capacity.dialogs, 32768);
	assert_true(c->timers.t1_us == 200000 && c->timers.t2_us == 2000000 && c->timers.t4_us == 2500000);
	assert_true(c->timers.c_us == 240000000 && c->timers.d_us == 32000000);
	assert_int_equal(c->limits.headers, 64);
	assert_int_equal(c->limits.vias, 20);
	assert_int_equal(c->limits.uri, 512);
	assert_int_equal(c->limits.message, 16384);
	assert_int_equal(c->trace.messages, 0);
	assert_string_equal(c->control.http, "[::1]:9061");
	assert_string_equal(c->control.socket, "/run/byepass/other.sock");
	assert_string_equal(c->cdr.folder, "/var/lib/byepass/cdr");
	assert_int_equal(c->cdr.format, BP_CDR_CSV);
	assert_true(c->cdr.rotate_size == 1048576 && c->cdr.rotate_age_us == 600000000);
	assert_true(c->cdr.fsync_us == BP_CDR_FSYNC_BATCH && c->cdr.queue == 1000);
	assert_true(c->drain_us == 60000000 && c->dialog_us == 7200000000);
	assert_int_equal(c->port_count, 2);
	assert_string_equal(c->ports[0].name, "p0");
	assert_string_equal(c->ports[0].device, "0000:01:00.0");
	assert_int_equal(c->ports[0].mtu, 9000);
	assert_int_equal(c->realm_count, 2);
	assert_int_equal(c->old_secret_count, 2);
	bp_config_free(c);
}

static void
test_interfaces(void **state)
{
	static const char *const gateways[] = {"192.0.2.254", NULL, "fe80::1", "10.0.0.254", NULL};
	static const char *const texts[] = {"192.0.2.1:5060", "198.51.100.1:5060", "[2001:db8:1::1]:5060",
		"192.0.2.1:5070", "198.51.100.1:5070", "[2001:db8:1::1]:5070", "10.0.0.1:5060",
		"[2001:db8:2::1]:5060"};
	static const struct bp_ip none;
	struct bp_report report;
	struct bp_config *c = load("full.yaml", &report);

	assert_int_equal(c->interface_count, 5);
	for (unsigned i = 0; i < 5; i++) {
		struct bp_ip gateway = gateways[i] != NULL ? ip(gateways[i]) : none;

		assert_int_equal(c->interfaces[i].realm, i < 3 ? 0 : 1);
		assert_int_equal(c->interfaces[i].port, i < 3 ? 0 : 1);
		assert_int_equal(c->interfaces[i].vlan, i < 3 ? 100 : 0);
		assert_memory_equal(&c->interfaces[i].gateway, &gateway, sizeof(gateway));
	}
	assert_int_equal(c->interfaces[1].prefix, 28);
	assert_int_equal(c->interfaces[1].family, 4);
	assert_int_equal(c->interfaces[2].prefix, 64);
	assert_int_equal(c->interfaces[2].family, 6);
	assert_int_equal(c->listener_count, 8);
	for (unsigned i = 0; i < 8; i++) {
		const struct bp_config_listener *l = &c->listeners[i];

		assert_string_equal(l->text, texts[i]);
		assert_int_equal(l->text_size, strlen(texts[i]));
		assert_int_equal(l->realm, c->interfaces[l->interface].realm);
		assert_int_equal(l->family, c->interfaces[l->interface].family);
		assert_true(bp_ip_equal(&l->ip, &c->interfaces[l->interface].ip));
		assert_int_equal(l->transport, BP_TRANSPORT_UDP);
	}
	assert_int_equal(c->listeners[3].port, 5070);
	bp_config_free(c);
}

static void
test_trunks(void **state)
{
	struct bp_report report;
	struct bp_config *c = load("full.yaml", &report);
	const struct bp_config_trunk *core = &c->trunks[0], *far = &c->trunks[1], *peers = &c->trunks[2];
	struct bp_ip address = ip("10.0.0.2");

	assert_int_equal(c->trunk_count, 3);
	assert_string_equal(core->name, "core");
	assert_int_equal(core->realm, 1);
	assert_true(core->parallel && core->timeout_us == 1500000);
	assert_true(!far->parallel && far->timeout_us == 0);
	assert_int_equal(core->target_count, 3); /* by priority, then as written */
	assert_string_equal(core->targets[0].uri, "sip:10.0.0.2:5060");
	assert_string_equal(core->targets[1].uri, "sip:10.0.0.3:5060");
	assert_string_equal(core->targets[2].uri, "sip:10.0.0.4");
	assert_int_equal(core->targets[0].weight, 3);
	assert_int_equal(core->targets[2].priority, 20);
	assert_true(bp_ip_equal(&core->targets[0].flow.ip, &address));
	assert_int_equal(core->targets[2].flow.port, 5060);
	assert_int_equal(core->targets[0].flow.listener, 6);
	assert_int_equal(core->targets[0].flow.transport, BP_TRANSPORT_UDP);
	assert_int_equal(core->targets[0].flow.reliable, 0);
	assert_true(c->trunks[0].by_turn && c->trunks[0].draining && c->trunks[0].targets[1].draining);
	assert_int_equal(c->trunks[0].health.failures, 5);
	assert_true(c->trunks[0].health.hold_us == 10000000 && c->trunks[0].health.retry_after_us == 120000000);
	assert_true(c->trunks[0].probe.interval_us == 15000000 && c->trunks[0].probe.timeout_us == 1000000);
	assert_true(c->trunks[0].probe.up == 1 && c->trunks[0].probe.down == 4);
	assert_non_null(c->trunks[0].state);
	assert_false(far->by_turn || far->draining);
	assert_int_equal(far->targets[0].flow.listener, 6); /* by its gateway */
	assert_int_equal(far->targets[0].flow.port, 5080);
	assert_int_equal(far->targets[1].flow.listener, 7);   /* on-link */
	assert_int_equal(peers->targets[0].flow.listener, 1); /* the address of its network, not the first */
	assert_int_equal(peers->targets[1].flow.listener, 2); /* by the link-local gateway */
	bp_config_free(c);
}

static void
test_routes(void **state)
{
	struct bp_report report;
	struct bp_config *c = load("full.yaml", &report);

	assert_int_equal(c->route_count, 7); /* by precedence */
	assert_int_equal(c->routes[0].from, 0);
	assert_int_equal(c->routes[0].trunk, 1);
	assert_string_equal(c->routes[0].user_prefix, "+49");
	assert_int_equal(c->routes[0].user_prefix_size, 3);
	assert_string_equal(c->routes[0].domain, "example.com");
	assert_int_equal(c->routes[0].domain_size, 11);
	assert_string_equal(c->routes[1].domain, "[2001:db8:1::1]");
	assert_int_equal(c->routes[2].user_prefix_size, 0);
	assert_int_equal(c->routes[2].trunk, 0);
	assert_int_equal(c->routes[3].from, 1);
	assert_int_equal(c->routes[3].trunk, BP_CONFIG_NONE);
	assert_int_equal(c->routes[3].realm, 0);
	assert_int_equal(c->routes[4].order, 5);
	assert_string_equal(c->routes[4].from_domain, "a.example");
	assert_string_equal(c->routes[4].to_domain, "b.example");
	assert_int_equal(c->routes[4].methods, 1 << BP_METHOD_INVITE | 1 << BP_METHOD_OTHER);
	assert_true(c->routes[5].listed);
	assert_int_equal(c->routes[6].order, 4);
	assert_int_equal(c->route_index->prefixes, 7);
	bp_config_free(c);
}

static void
test_secrets(void **state)
{
	struct bp_report report;
	struct bp_config *c = load("full.yaml", &report), *d;

	assert_memory_equal(
		c->secret, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 16);
	assert_int_equal(c->old_secret_count, 2);
	assert_memory_equal(
		c->old_secrets[0], "\xff\xee\xdd\xcc\xbb\xaa\x99\x88\x77\x66\x55\x44\x33\x22\x11\x00", 16);
	assert_memory_equal(
		c->old_secrets[1], "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f", 16);
	bp_config_free(c);
	c = load("minimal.yaml", &report);
	d = load("minimal.yaml", &report);
	assert_memory_not_equal(c->secret, d->secret, 16); /* random each time */
	bp_config_free(c);
	bp_config_free(d);
}

/* What is wrong with a secrets file, said. */
static void
test_secret_files(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *why;
	} rows[] = {
		{"00112233445566778899aabbccddeeff\n", 0600, NULL},
		{"00112233445566778899aabbccddeeff", 0640, NULL},
		{"00112233445566778899aabbccddeeff\n", 0604, "everybody may use (mode 0604)"},
		{"00112233445566778899aabbccddeeff\n", 0602, "everybody may use (mode 0602)"},
		{"", 0600, "without a key"},
		{"# nothing\n\n", 0600, "without a key"},
		{"00112233445566778899aabbccddeef\n", 0600, "line 1 is no key"},
		{"# one\n00112233445566778899aabbccddeeff0\n", 0600, "line 2 is no key"},
		{"00112233445566778899aabbccddeeff\n00112233445566778899aabbccddeefg\n", 0600,
			"line 2 is no key"},
		{"00112233445566778899aabbccddeeff 00\n", 0600, "line 1 is no key"},
	};
	char path[] = "/tmp/byepass-secrets-XXXXXX", why[160];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_config config = {0};
		const char *found;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, rows[i].text, strlen(rows[i].text), 0), strlen(rows[i].text));
		assert_int_equal(fchmod(fd, rows[i].mode), 0);
		found = bp_config_secrets(&config, path, why, sizeof(why));
		if (rows[i].why == NULL)
			assert_null(found);
		else if (found == NULL || strstr(found, rows[i].why) == NULL)
			fail_msg("row %zu: %s", i, found);
	}
	unlink(path);
	close(fd);
}

static void
test_too_many_secrets(void **state)
{
	char path[] = "/tmp/byepass-secrets-XXXXXX", why[160];
	int fd = mkstemp(path);
	struct bp_config config = {0};

	assert_true(fd >= 0);
	for (int i = 0; i < 1 + BP_CONFIG_OLD_SECRETS_MAX; i++)
		assert_int_equal(write(fd, "00112233445566778899aabbccddeeff\n", 33), 33);
	assert_null(bp_config_secrets(&config, path, why, sizeof(why)));
	assert_int_equal(config.old_secret_count, BP_CONFIG_OLD_SECRETS_MAX);
	assert_int_equal(write(fd, "00112233445566778899aabbccddeeff\n", 33), 33);
	assert_non_null(bp_config_secrets(&config, path, why, sizeof(why)));
	unlink(path);
	close(fd);
}

/* Timer D follows T1 when nobody says otherwise. */
static void
test_timer_d(void **state)
{
	static const char text[] =
		"timers: {t1: 50ms}\nports: [{name: p, device: d}]\n"
		"realms: [{name: r, port: p, address: 10.0.0.1/24}]\nroutes: [{from: r, realm: r}]\n";
	struct bp_config *config = NULL;
	struct bp_report report;

	assert_int_equal(bp_config_load_text(&config, "text.yaml", text, sizeof(text) - 1, &report), 0);
	assert_true(config->timers.t1_us == 50000 && config->timers.d_us == 3200000);
	bp_config_free(config);
}

/* A file of a hundred thousand routes is read, and one that is cut off anywhere is refused or read, never
 * worse. */
static void
test_large_and_cut(void **state)
{
	static const char head[] =
		"ports: [{name: p, device: d}]\nrealms: [{name: r, port: p, address: 10.0.0.1/24}]\n"
		"trunks: [{name: t, realm: r, targets: [{uri: 'sip:10.0.0.2'}]}]\nroutes:\n";
	struct bp_config *config = NULL;
	struct bp_report report;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	fputs(head, stream);
	for (unsigned i = 0; i < 100000; i++)
		fprintf(stream, " - {from: r, user_prefix: '%u', trunk: t}\n", i);
	fclose(stream);
	assert_int_equal(bp_config_load_text(&config, "large.yaml", text, size, &report), 0);
	assert_int_equal(config->route_count, 100000);
	assert_string_equal(config->routes[0].user_prefix, "10000"); /* the first of the longest */
	assert_string_equal(config->routes[99999].user_prefix, "9");
	assert_int_equal(config->route_index->prefixes, 100000);
	bp_config_free(config);
	for (size_t cut = 0; cut < sizeof(head) + 80; cut++) {
		config = NULL;
		if (bp_config_load_text(&config, "cut.yaml", text, cut, &report) != 0)
			assert_true(report.errors > 0);
		bp_config_free(config);
	}
	free(text);
}

/* Sixteen listeners on each of sixteen addresses: sixteen such realms are the most, one more is too many. */
static void
test_many_listeners(void **state)
{
	for (unsigned realms = 16; realms <= 17; realms++) {
		struct bp_config *config = NULL;
		struct bp_report report;
		char *text = NULL;
		size_t size = 0;
		FILE *stream = open_memstream(&text, &size);

		fputs("ports: [{name: p, device: d}]\nroutes: [{from: r0, realm: r0}]\nrealms:\n", stream);
		for (unsigned r = 0; r < realms; r++) {
			fprintf(stream, " - {name: r%u, port: p, vlan: %u, address: [", r, r + 1);
			for (unsigned i = 1; i <= 16; i++)
				fprintf(stream, "10.0.0.%u/24, ", i);
			fprintf(stream, "], listen: [");
			for (unsigned i = 1; i <= 16; i++)
				fprintf(stream, "'udp:%u', ", 5060 + i);
			fprintf(stream, "]}\n");
		}
		fclose(stream);
		if (realms == 16) {
			assert_int_equal(bp_config_load_text(&config, "many.yaml", text, size, &report), 0);
			assert_int_equal(config->listener_count, BP_CONFIG_LISTENERS_MAX);
			bp_config_free(config);
		} else {
			assert_non_null(strstr(
				refused(text, size, &report), "found 4352 listeners on 272 addresses"));
			assert_int_equal(report.errors, 1);
		}
		free(text);
	}
}

/* Errors beyond the maximum are counted, not kept. */
static void
test_many_errors(void **state)
{
	struct bp_report report;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	fputs("ports: [{name: p, device: d}]\nrealms: [{name: r, port: p, address: 10.0.0.1/24}]\nroutes:\n",
		stream);
	for (unsigned i = 0; i < 1000; i++)
		fprintf(stream, " - {from: r, user_prefix: '%u', trunk: t%u}\n", i, i);
	fclose(stream);
	refused(text, size, &report);
	assert_int_equal(report.errors, 1000);
	free(text);
}

/* A value that is as long as an error message can bear does not break it. */
static void
test_long_values(void **state)
{
	struct bp_report report;
	char *text = malloc(70000);

	assert_non_null(text);
	memset(text, 'x', 70000);
	assert_non_null(strstr(refused(text, 70000, &report), "found a single value"));
	memcpy(text, "node: ", 6);
	assert_non_null(strstr(refused(text, 70000, &report), "xxx...\", expected a number"));
	memcpy(text + 60000, ": 1\n", 4);
	memset(text, 'k', 6);
	refused(text, 60004, &report); /* a key as long as that */
	memset(text, '[', 70000);
	assert_non_null(strstr(refused(text, 70000, &report), "17 levels deep"));
	memset(text, '{', 70000);
	assert_non_null(strstr(refused(text, 70000, &report), "17 levels deep"));
	free(text);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_trunks),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_secret_files),
		cmocka_unit_test(test_too_many_secrets),
		cmocka_unit_test(test_timer_d),
		cmocka_unit_test(test_large_and_cut),
		cmocka_unit_test(test_many_listeners),
		cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_long_values),
	};
	char secrets[512];

	if (argc != 2)
		return 2;
	folder = argv[1];
	snprintf(secrets, sizeof(secrets), "%s/secrets", folder);
	if (chmod(secrets, 0600) != 0) /* a checkout knows no modes */
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
