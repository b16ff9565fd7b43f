/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which route a request takes: random configurations through the loader, random requests, and a reference that looks at
 * every route and takes the best by the rules as docs/configuration.md has them. Routes one by one, in the index, and in
 * a file of prefixes must all say the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/load.h"
#include "proxy/context.h"

#define ROUTES_MAX 120
#define HOSTS 3
#define TRUNKS 5

static const char *const hosts[HOSTS] = {"a.example", "b.example", "10.0.0.9"};
static const char *const methods[] = {"INVITE", "REGISTER", "MESSAGE", "PING"};
static const enum bp_method method_ids[] = {BP_METHOD_INVITE, BP_METHOD_REGISTER, BP_METHOD_MESSAGE, BP_METHOD_OTHER};

/* A route as it is meant. */
struct rule {
	unsigned from;
	char prefix[16];
	int domain, from_domain, to_domain; /* into hosts; -1: any */
	unsigned methods;                   /* bits of `methods`; 0: any */
	unsigned trunk;
	unsigned order; /* of routes in the file; the lines of one prefixes_file have the same */
};

struct request {
	unsigned realm, method;
	char user[24];
	int domain, from_domain, to_domain; /* -1: tel, no host at all */
};

static uint64_t state;

static unsigned
random_below(unsigned limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % limit;
}

static void
random_digits(char *out, unsigned max)
{
	unsigned size = random_below(max + 1);

	for (unsigned i = 0; i < size; i++)
		out[i] = "+12"[random_below(3)];
	out[size] = '\0';
}

static unsigned
specificity(const struct rule *rule)
{
	return (rule->domain >= 0) * 8u + (rule->from_domain >= 0) * 4u + (rule->to_domain >= 0) * 2u + (rule->methods != 0);
}

static bool
matches(const struct rule *rule, const struct request *request)
{
	return rule->from == request->realm && strncmp(request->user, rule->prefix, strlen(rule->prefix)) == 0 &&
		(rule->domain < 0 || rule->domain == request->domain) &&
		(rule->from_domain < 0 || rule->from_domain == request->from_domain) &&
		(rule->to_domain < 0 || rule->to_domain == request->to_domain) &&
		(rule->methods == 0 || (rule->methods >> request->method & 1));
}

static bool
better(const struct rule *a, const struct rule *b)
{
	if (strlen(a->prefix) != strlen(b->prefix))
		return strlen(a->prefix) > strlen(b->prefix);
	if (specificity(a) != specificity(b))
		return specificity(a) > specificity(b);
	return a->order < b->order;
}

/* The reference. -1: none. */
static int
best(const struct rule *rules, unsigned count, const struct request *request)
{
	int found = -1;

	for (unsigned i = 0; i < count; i++)
		if (matches(&rules[i], request) && (found < 0 || better(&rules[i], &rules[found])))
			found = (int)i;
	return found;
}

/* One that takes all that @rule would, with the same precedence. */
static bool
covered(const struct rule *rules, unsigned count, const struct rule *rule)
{
	for (unsigned i = 0; i < count; i++)
		if (rules[i].from == rule->from && strcmp(rules[i].prefix, rule->prefix) == 0 &&
			rules[i].domain == rule->domain && rules[i].from_domain == rule->from_domain &&
			rules[i].to_domain == rule->to_domain && specificity(&rules[i]) == specificity(rule) &&
			(rules[i].methods == 0 || (rule->methods & ~rules[i].methods) == 0))
			return true;
	return false;
}

static struct rule
random_rule(unsigned order)
{
	struct rule rule = {.from = random_below(2), .trunk = random_below(TRUNKS), .order = order};

	random_digits(rule.prefix, 6);
	rule.domain = random_below(3) == 0 ? (int)random_below(HOSTS) : -1;
	rule.from_domain = random_below(4) == 0 ? (int)random_below(HOSTS) : -1;
	rule.to_domain = random_below(4) == 0 ? (int)random_below(HOSTS) : -1;
	rule.methods = random_below(3) == 0 ? 1 + random_below(15) : 0;
	return rule;
}

static void
print_conditions(FILE *out, const struct rule *rule)
{
	fprintf(out, " - { from: r%u", rule->from);
	if (rule->domain >= 0)
		fprintf(out, ", domain: '%s'", hosts[rule->domain]);
	if (rule->from_domain >= 0)
		fprintf(out, ", from_domain: '%s'", hosts[rule->from_domain]);
	if (rule->to_domain >= 0)
		fprintf(out, ", to_domain: '%s'", hosts[rule->to_domain]);
	if (rule->methods == 0)
		return;
	fprintf(out, ", method: [");
	for (unsigned i = 0; i < 4; i++)
		if (rule->methods >> i & 1)
			fprintf(out, "%s,", i == 3 ? "OTHER" : methods[i]);
	fprintf(out, "]");
}

static void
print_head(FILE *out)
{
	fprintf(out, "ports: [{name: p, device: d}]\nrealms:\n - {name: r0, port: p, address: 10.0.0.1/24}\n"
		" - {name: r1, port: p, vlan: 7, address: 10.0.1.1/24}\ntrunks:\n");
	for (unsigned i = 0; i < TRUNKS; i++)
		fprintf(out, " - {name: t%u, realm: r0, targets: [{uri: 'sip:10.0.0.%u'}]}\n", i, i + 2);
	fprintf(out, "routes:\n");
}

static struct bp_config *
load(const char *text, size_t size, const char *path)
{
	static struct bp_report report;
	struct bp_config *config = NULL;

	if (bp_config_load_text(&config, path, text, size, &report) != 0) {
		bp_report_print(&report, stderr);
		fprintf(stderr, "%s\n", text);
	}
	assert_non_null(config);
	return config;
}

static struct request
random_request(const struct rule *rules, unsigned count)
{
	struct request request = {.realm = random_below(2), .method = random_below(4)};

	/* often what some route waits for */
	snprintf(request.user, sizeof(request.user), "%s", random_below(2) && count ? rules[random_below(count)].prefix : "");
	random_digits(request.user + strlen(request.user), 5);
	request.domain = (int)random_below(HOSTS + 1) - 1;
	request.from_domain = (int)random_below(HOSTS + 1) - 1;
	request.to_domain = (int)random_below(HOSTS + 1) - 1;
	if (request.domain < 0 && request.user[0] == '\0')
		request.domain = 0;
	if (request.domain < 0 && strspn(request.user + (request.user[0] == '+'), "12") + (request.user[0] == '+') !=
			strlen(request.user))
		request.domain = 1; /* no telephone number */
	if (request.domain < 0 && strcmp(request.user, "+") == 0)
		request.domain = 1;
	return request;
}

static const char *
uri(char *out, size_t size, const char *user, int domain)
{
	static const char *const spellings[HOSTS] = {"A.Example", "b.example", "10.0.0.9"};

	if (domain < 0)
		snprintf(out, size, "tel:%s", user[0] != '\0' ? user : "110");
	else
		snprintf(out, size, "sip:%s%s%s", user, user[0] != '\0' ? "@" : "", spellings[domain]);
	return out;
}

static void
parse(const struct request *request, char text[1024], struct bp_sip_message *m)
{
	char to[64], from[64], target[64];
	int size = snprintf(text, 1024,
		"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <%s>;tag=1\r\nTo: \"x, y\" <%s>\r\n"
		"Call-ID: 1\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		methods[request->method], uri(target, sizeof(target), request->user, request->domain),
		uri(from, sizeof(from), "x", request->from_domain), uri(to, sizeof(to), "y", request->to_domain),
		methods[request->method]);

	if (request->from_domain < 0 || request->to_domain < 0) { /* x and y are no numbers */
		for (char *at = text; (at = strstr(at, "tel:")) != NULL; at++)
			if (at[4] == 'x' || at[4] == 'y')
				at[4] = '7';
	}
	assert_int_equal(bp_sip_parse(m, (const uint8_t *)text, (uint32_t)size, NULL), BP_SIP_FAULT_NONE);
}

static void
compare(const struct bp_config *config, const struct rule *rules, unsigned count, const struct request *request)
{
	static struct bp_sip_message m;
	struct bp_route_choice choice = {0};
	char text[1024];
	int wanted = best(rules, count, request);
	bool found;

	parse(request, text, &m);
	assert_int_equal(m.method, method_ids[request->method]);
	found = bp_route_choose(config, &m, &m.target, (uint16_t)request->realm, &choice);
	if (found != (wanted >= 0) || (found && choice.route->order != rules[wanted].order) ||
		(found && choice.trunk != rules[wanted].trunk)) {
		fprintf(stderr, "%.*s", 200, text);
		fail_msg("wanted rule %d, trunk %u; found %d, route %u, trunk %u", wanted,
			wanted >= 0 ? rules[wanted].trunk : 0, found, found ? choice.route->order : 0, choice.trunk);
	}
}

/* Each configuration as it is, and with the index taken away or forced upon it. */
static void
index_is_linear(void **unused)
{
	static struct rule rules[ROUTES_MAX];
	unsigned found = 0;

	for (unsigned round = 0; round < 300; round++) {
		unsigned wanted = 1 + random_below(round % 3 == 0 ? 8 : ROUTES_MAX), count = 0;
		struct bp_route_index *index;
		struct bp_config *config;
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		print_head(out);
		while (count < wanted) {
			struct rule rule = random_rule(count);

			if (covered(rules, count, &rule)) {
				wanted--;
				continue;
			}
			rules[count++] = rule;
			print_conditions(out, &rule);
			if (rule.prefix[0] != '\0')
				fprintf(out, ", user_prefix: '%s'", rule.prefix);
			fprintf(out, ", trunk: t%u }\n", rule.trunk);
		}
		fclose(out);
		if (count == 0) {
			free(text);
			continue;
		}
		config = load(text, size, "text.yaml");
		assert_int_equal(config->route_index != NULL, count > 8);
		index = config->route_index;
		for (unsigned i = 0; i < 200; i++) {
			struct request request = random_request(rules, count);

			config->route_index = i % 2 ? index : NULL;
			found += best(rules, count, &request) >= 0;
			compare(config, rules, count, &request);
		}
		config->route_index = index;
		bp_config_free(config);
		free(text);
	}
	assert_true(found > 10000); /* requests that found a route at all */
}

/* Routes with files of prefixes beside others. */
static void
files_are_routes(void **unused)
{
	static struct rule rules[ROUTES_MAX * 4];
	char folder[] = "/tmp/byepass-routes-XXXXXX", path[64], csv[64];

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/config.yaml", folder);
	for (unsigned round = 0; round < 50; round++) {
		unsigned count = 0, order = 0, files = random_below(4);
		struct bp_config *config;
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		print_head(out);
		for (unsigned i = 0; i < files || order == 0; i++) {
			struct rule rule = random_rule(order);
			FILE *list;

			snprintf(csv, sizeof(csv), "%s/%u.csv", folder, i);
			list = fopen(csv, "w");
			assert_non_null(list);
			print_conditions(out, &rule);
			fprintf(out, ", prefixes_file: %u.csv }\n", i);
			for (unsigned line = 0; line < random_below(100); line++) {
				random_digits(rule.prefix, 7);
				rule.trunk = random_below(TRUNKS);
				if (rule.prefix[0] == '\0' || covered(rules, count, &rule))
					continue;
				rules[count++] = rule;
				fprintf(list, "%s,t%u\n", rule.prefix, rule.trunk);
			}
			fclose(list);
			order++;
			rule = random_rule(order);
			if (rule.prefix[0] == '\0' || covered(rules, count, &rule))
				continue;
			rules[count++] = rule;
			print_conditions(out, &rule);
			fprintf(out, ", user_prefix: '%s', trunk: t%u }\n", rule.prefix, rule.trunk);
			order++;
		}
		fclose(out);
		config = load(text, size, path);
		assert_non_null(config->route_index);
		for (unsigned i = 0; i < 200; i++) {
			struct request request = random_request(rules, count);

			compare(config, rules, count, &request);
		}
		bp_config_free(config);
		free(text);
	}
	for (unsigned i = 0; i < 4; i++) {
		snprintf(csv, sizeof(csv), "%s/%u.csv", folder, i);
		unlink(csv);
	}
	rmdir(folder);
}

/* A user of every length up to far beyond the longest prefix, prefixes of every length that there can be. */
static void
long_users(void **unused)
{
	static struct bp_sip_message m;
	char *text = NULL, message[1024], user[128];
	struct bp_route_choice choice;
	struct bp_config *config;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	memset(user, '1', sizeof(user));
	print_head(out);
	for (int length = 1; length <= 63; length++)
		fprintf(out, " - { from: r0, user_prefix: '%.*s', trunk: t0 }\n", length, user);
	fclose(out);
	config = load(text, size, "text.yaml");
	for (int length = 0; length <= 100; length++) {
		int bytes = snprintf(message, sizeof(message),
			"INVITE sip:%.*s%sx SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
			"To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n",
			length, user, length ? "@" : "");

		assert_int_equal(bp_sip_parse(&m, (const uint8_t *)message, (uint32_t)bytes, NULL), BP_SIP_FAULT_NONE);
		assert_int_equal(bp_route_choose(config, &m, &m.target, 0, &choice), length > 0);
		if (length > 0)
			assert_int_equal(choice.route->user_prefix_size, length < 63 ? length : 63);
		assert_false(bp_route_choose(config, &m, &m.target, 1, &choice));
	}
	bp_config_free(config);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_is_linear),
		cmocka_unit_test(files_are_routes),
		cmocka_unit_test(long_users),
	};

	state = 88172645463325252ull;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
