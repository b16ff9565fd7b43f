/* SPDX-License-Identifier: BSD-3-Clause
 *
 * byepass-bench route: a file of prefixes of 3 to 11 digits, read by the loader, and requests that are matched with them:
 * how long the load takes, what memory is kept, what a match costs. Instructions are counted by single steps.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench.h"
#include "config/load.h"
#include "parse.h"
#include "proxy/context.h"
#include "support.h"

#define REQUESTS 4096 /* different ones, in turn */
#define COUNTED 64    /* of them, for instructions */

struct options {
	unsigned prefixes, matches;
	bool misses;
	const char *json;
};

struct request {
	char text[512];
	struct bp_sip_message m;
};

static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t
next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* The @i-th prefix, of 3 to 11 digits, as many of each length as there can be: no two are the same. */
static void
prefix_of(unsigned i, char out[24])
{
	unsigned digits = 3 + i % 9;
	uint64_t half = 500, number = i / 9, offset = 0;

	for (unsigned k = 3; k < digits; k++)
		half *= 10;
	if (number >= half) { /* there are not so many short ones */
		digits += 4;
		half *= 10000;
		offset = half;
	}
	snprintf(out, 24, "+%0*llu", (int)digits, (unsigned long long)(number * 7919 % half + offset));
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long
resident_kib(void)
{
	long pages = 0, all = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file != NULL) {
		if (fscanf(file, "%ld %ld", &all, &pages) != 2)
			pages = 0;
		fclose(file);
	}
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void
write_files(const char *folder, unsigned prefixes)
{
	char path[128], prefix[24];
	FILE *out;

	snprintf(path, sizeof(path), "%s/prefixes.csv", folder);
	out = fopen(path, "we");
	if (out == NULL)
		bench_usage("%s cannot be written", path);
	for (unsigned i = 0; i < prefixes; i++) {
		prefix_of(i, prefix);
		fprintf(out, "%s,t%u\n", prefix, i % 16);
	}
	fclose(out);
	snprintf(path, sizeof(path), "%s/config.yaml", folder);
	out = fopen(path, "we");
	if (out == NULL)
		bench_usage("%s cannot be written", path);
	fprintf(out, "ports: [{name: p, device: d}]\nrealms: [{name: r, port: p, address: 10.0.0.1/24}]\ntrunks:\n");
	for (unsigned i = 0; i < 16; i++)
		fprintf(out, " - {name: t%u, realm: r, targets: [{uri: 'sip:10.0.0.%u'}]}\n", i, i + 2);
	fprintf(out, "routes:\n - {from: r, prefixes_file: prefixes.csv}\n");
	fclose(out);
}

static struct bp_config *
load(unsigned prefixes)
{
	static struct bp_report report;
	char folder[] = "/tmp/byepass-bench-XXXXXX", path[128];
	struct bp_config *config = NULL;

	if (mkdtemp(folder) == NULL)
		bench_usage("no temporary folder");
	write_files(folder, prefixes);
	snprintf(path, sizeof(path), "%s/config.yaml", folder);
	if (bp_config_load(&config, path, &report) != 0)
		bp_report_print(&report, stderr);
	unlink(path);
	snprintf(path, sizeof(path), "%s/prefixes.csv", folder);
	unlink(path);
	rmdir(folder);
	if (config == NULL)
		exit(1);
	return config;
}

static struct request *
make_requests(const struct options *o)
{
	struct request *requests = calloc(REQUESTS, sizeof(*requests));

	for (unsigned i = 0; requests != NULL && i < REQUESTS; i++) {
		char number[40], prefix[24];
		int size;

		prefix_of((unsigned)(next_random() % o->prefixes), prefix);
		snprintf(number, sizeof(number), "%s%07u", o->misses ? "+0" : prefix, (unsigned)(next_random() % 10000000));
		size = snprintf(requests[i].text, sizeof(requests[i].text),
			"INVITE sip:%s@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
			"To: <sip:%s@10.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n",
			number, number);
		if (bp_sip_parse(&requests[i].m, (const uint8_t *)requests[i].text, (uint32_t)size, NULL) != BP_SIP_FAULT_NONE)
			exit(1);
	}
	return requests;
}

static bool
match_once(const struct bp_config *config, const struct bp_sip_message *m, struct bp_route_choice *choice)
{
	return bp_route_choose(config, m, &m->target, 0, choice);
}

static uint64_t
match_all(const struct bp_config *config, const struct request *requests, unsigned matches)
{
	struct bp_route_choice choice = {0};
	uint64_t found = 0;

	for (unsigned i = 0; i < matches; i++)
		found += match_once(config, &requests[i % REQUESTS].m, &choice);
	return found;
}

static const struct bp_config *counted_config;
static const struct request *counted_requests;

/* As a parser's: @size says which request. */
static bool
run_counted(const uint8_t *bytes, uint32_t size)
{
	struct bp_route_choice choice;

	return match_once(counted_config, &counted_requests[size].m, &choice);
}

/* Of one match, on the average. */
static double
count_instructions(const struct bp_config *config, const struct request *requests)
{
	static const struct parse_parser match = {.name = "match", .run = run_counted};
	uint64_t sum = 0;

	counted_config = config;
	counted_requests = requests;
	for (uint32_t i = 0; i < COUNTED; i++)
		sum += parse_count_instructions(&match, &(struct parse_message){.size = i});
	return (double)sum / COUNTED;
}

static struct options
read_options(int argc, char **argv)
{
	static const struct option names[] = {{"prefixes", required_argument, NULL, 'p'},
		{"matches", required_argument, NULL, 'm'}, {"misses", no_argument, NULL, 'x'},
		{"json", required_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct options o = {.prefixes = 1000000, .matches = 4000000};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 'p' || option == 'm')
			bench_numbers(optarg, option == 'p' ? &o.prefixes : &o.matches, 1);
		else if (option == 'x')
			o.misses = true;
		else if (option == 'j')
			o.json = optarg;
		else
			bench_usage("byepass-bench route [--prefixes N] [--matches N] [--misses] [--json FILE]");
	}
	if (o.prefixes == 0 || o.prefixes > 10000000 || o.matches == 0)
		bench_usage("--prefixes from 1 to 10000000, --matches from 1");
	return o;
}

int
bench_route(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct bench_json json = bench_json_open(o.json);
	long before_kib = resident_kib(), after_kib;
	double begin = seconds(), load_s, match_s;
	struct bp_config *config = load(o.prefixes);
	uint64_t cycles, found;
	double instructions;
	struct request *requests;

	load_s = seconds() - begin;
	after_kib = resident_kib();
	requests = make_requests(&o);
	match_all(config, requests, REQUESTS); /* the requests are in the cache afterwards, as in a worker's */
	begin = seconds();
	cycles = __rdtsc();
	found = match_all(config, requests, o.matches);
	cycles = __rdtsc() - cycles;
	match_s = seconds() - begin;
	instructions = count_instructions(config, requests);
	bench_machine(&json);
	printf("%u prefixes: loaded in %.2f s with their file written, %.1f MiB kept and not yet given back\n", o.prefixes,
		load_s, (double)(after_kib - before_kib) / 1024);
	printf("index %.1f MiB: %.1f bytes a prefix\n",
		(double)(config->route_index->entry_words * 8 + (config->route_index->bucket_mask + 1) * 64) / (1 << 20),
		(double)(config->route_index->entry_words * 8 + (config->route_index->bucket_mask + 1) * 64) / o.prefixes);
	printf("a match: %.0f ns, %.0f cycles of the time stamp counter, %.0f instructions; %.1f%% found a route\n",
		match_s / o.matches * 1e9, (double)cycles / o.matches, instructions,
		100.0 * (double)found / o.matches);
	bench_json_number(&json, "prefixes", o.prefixes);
	bench_json_number(&json, "load_seconds", load_s);
	bench_json_number(&json, "match_ns", match_s / o.matches * 1e9);
	bench_json_number(&json, "match_cycles", (double)cycles / o.matches);
	bench_json_number(&json, "match_instructions", instructions);
	bench_json_close(&json);
	bp_config_free(config);
	free(requests);
	return 0;
}
