/* SPDX-License-Identifier: BSD-3-Clause
 *
 * `byepass-bench parse`: measures and prints. Parsers take turns within each round, so
 * that what else happens on the machine hits all of them; numbers are medians over the rounds.
 */
#include "parse.h"

#include "bench.h"

#include "sip/scan.h"

#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#define ROUNDS_MAX 101
#define SETS (PARSE_MIX + 2) /* each message alone, the mix, the varied ones */
#define SLICE_NS 1000000     /* of one parser on one set in one round */
#define COUNTED_VARIED 50    /* of the varied messages, for the mean of instructions */

static const struct parse_parser *const parsers[] = {
	&parse_byepass,
#ifdef BENCH_OSIP
	&parse_osip,
#endif
#ifdef BENCH_SOFIA
	&parse_sofia,
#endif
	&parse_scan,
	&parse_memcpy,
};
#define PARSERS (sizeof(parsers) / sizeof(parsers[0]))

struct set {
	const char *name;
	const struct parse_message *messages;
	uint32_t count;
	uint64_t bytes; /* of all of them */
};

struct measure {
	double round_ns[ROUNDS_MAX]; /* per message */
	double ns, best_ns, cycles_per_byte;
	double instructions; /* a mean for several messages; 0: not counted */
	uint32_t repeats;
};

static struct set sets[SETS];
static struct measure measures[SETS][PARSERS];
static double tsc_ghz;

static double
clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Cycles of the time stamp counter per nanosecond; 0 where there is none. */
static double
measure_tsc(void)
{
#if defined(__x86_64__)
	double begin = clock_ns(CLOCK_MONOTONIC_RAW), end;
	uint64_t first = __rdtsc();

	do {
		end = clock_ns(CLOCK_MONOTONIC_RAW);
	} while (end - begin < 2e7);
	return (double)(__rdtsc() - first) / (end - begin);
#else
	return 0;
#endif
}

/* Nanoseconds of processor time for @repeats times all messages of the set. */
static double
run_ns(const struct parse_parser *parser, const struct set *set, uint32_t repeats)
{
	double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	for (uint32_t i = 0; i < repeats; i++) {
		for (uint32_t k = 0; k < set->count; k++)
			parser->run(set->messages[k].bytes, set->messages[k].size);
	}
	return clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static void
calibrate(const struct parse_parser *parser, const struct set *set, struct measure *measure)
{
	uint32_t repeats = 1;

	while (run_ns(parser, set, repeats) < SLICE_NS / 4.0)
		repeats *= 2;
	measure->repeats = repeats * 4;
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(const double *values, unsigned count)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(sorted[0]), compare_doubles);
	return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static void
conclude(const struct set *set, struct measure *measure, unsigned rounds)
{
	measure->ns = median(measure->round_ns, rounds);
	measure->best_ns = measure->round_ns[0];
	for (unsigned r = 1; r < rounds; r++) {
		if (measure->round_ns[r] < measure->best_ns)
			measure->best_ns = measure->round_ns[r];
	}
	measure->cycles_per_byte = measure->ns * tsc_ghz * set->count / (double)set->bytes;
}

static void
measure_all(unsigned rounds)
{
	for (unsigned s = 0; s < SETS; s++) {
		for (unsigned p = 0; p < PARSERS; p++)
			calibrate(parsers[p], &sets[s], &measures[s][p]);
	}
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned s = 0; s < SETS; s++) {
			for (unsigned p = 0; p < PARSERS; p++) {
				struct measure *measure = &measures[s][p];

				measure->round_ns[r] = run_ns(parsers[p], &sets[s], measure->repeats) /
						       ((double)measure->repeats * sets[s].count);
			}
		}
	}
	for (unsigned s = 0; s < SETS; s++) {
		for (unsigned p = 0; p < PARSERS; p++)
			conclude(&sets[s], &measures[s][p], rounds);
	}
}

static double
mean_instructions(const struct parse_parser *parser, const struct set *set, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += parse_count_instructions(parser, &set->messages[i]);
	return (double)sum / count;
}

/* Steps take a while: each of the five once, and some of the varied ones with our own parser alone. */
static void
count_all(void)
{
	for (unsigned p = 0; p < PARSERS; p++) {
		for (unsigned s = 0; s < PARSE_MIX; s++) {
			measures[s][p].instructions = mean_instructions(parsers[p], &sets[s], 1);
			measures[PARSE_MIX][p].instructions += measures[s][p].instructions / PARSE_MIX;
		}
	}
	measures[PARSE_MIX + 1][0].instructions =
		mean_instructions(parsers[0], &sets[PARSE_MIX + 1], COUNTED_VARIED);
}

static void
make_sets(void)
{
	for (unsigned i = 0; i < PARSE_MIX; i++)
		sets[i] = (struct set){parse_mix[i].name, &parse_mix[i], 1, 0};
	sets[PARSE_MIX] = (struct set){"mix", parse_mix, PARSE_MIX, 0};
	sets[PARSE_MIX + 1] = (struct set){"varied", parse_varied, PARSE_VARIED, 0};
	for (unsigned s = 0; s < SETS; s++) {
		for (uint32_t i = 0; i < sets[s].count; i++)
			sets[s].bytes += sets[s].messages[i].size;
	}
}

/* All parsers must find the same in all messages, or the comparison is worth nothing. */
static bool
all_agree(const struct parse_message *message)
{
	static struct parse_fields expected, got;
	bool agree = true;

	memset(&expected, 0, sizeof(expected));
	if (!parsers[0]->fields(message->bytes, message->size, &expected)) {
		fprintf(stderr, "%s does not parse %s:\n%.*s\n", parsers[0]->name, message->name,
			(int)message->size, (const char *)message->bytes);
		return false;
	}
	for (unsigned p = 1; p < PARSERS; p++) {
		if (parsers[p]->fields == NULL)
			continue;
		memset(&got, 0, sizeof(got));
		if (!parsers[p]->fields(message->bytes, message->size, &got)) {
			fprintf(stderr, "%s does not parse %s\n", parsers[p]->name, message->name);
			agree = false;
			continue;
		}
		for (unsigned f = 0; f < PARSE_FIELD_COUNT; f++) {
			if (strcmp(got.text[f], expected.text[f]) == 0)
				continue;
			fprintf(stderr, "%s of %s: \"%s\" by %s, \"%s\" by %s\n", parse_field_names[f],
				message->name, expected.text[f], parsers[0]->name, got.text[f],
				parsers[p]->name);
			agree = false;
		}
	}
	return agree;
}

static bool
is_peer(const struct parse_parser *parser)
{
	return parser->fields && parser != &parse_byepass;
}

/* How many times faster than the fastest other parser, as the median over rounds; 0: no other was built in.
 */
static double
ratio(const struct set *set, unsigned rounds)
{
	struct measure *row = measures[set - sets];
	double ratios[ROUNDS_MAX];

	for (unsigned r = 0; r < rounds; r++) {
		double best = 0;

		for (unsigned p = 0; p < PARSERS; p++) {
			if (is_peer(parsers[p]) && (best == 0 || row[p].round_ns[r] < best))
				best = row[p].round_ns[r];
		}
		ratios[r] = best / row[0].round_ns[r];
	}
	return median(ratios, rounds);
}

/* What malloc() is: the other parsers' cost depends on it. */
static const char *
allocator(void)
{
	return dlsym(RTLD_DEFAULT, "mallctl") != NULL ? "jemalloc" : "of the C library";
}

static void
print_table(unsigned rounds)
{
	printf("variant %s, time stamp counter %.3f GHz, medians of %u rounds, allocator %s\n\n", bp_variant->name, tsc_ghz,
		rounds, allocator());
	printf("%-8s %6s  %-8s %9s %9s %8s %13s %12s %8s\n", "message", "bytes", "parser", "ns", "best",
		"cyc/byte", "messages/s", "instructions", "ratio");
	for (unsigned s = 0; s < SETS; s++) {
		for (unsigned p = 0; p < PARSERS; p++) {
			const struct measure *m = &measures[s][p];

			printf("%-8s %6.0f  %-8s %9.1f %9.1f %8.2f %13.0f ", p ? "" : sets[s].name,
				(double)sets[s].bytes / sets[s].count, parsers[p]->name, m->ns, m->best_ns,
				m->cycles_per_byte, 1e9 / m->ns);
			if (m->instructions > 0)
				printf("%12.0f", m->instructions);
			else
				printf("%12s", "-");
			if (is_peer(parsers[p]))
				printf(" %7.1fx", m->ns / measures[s][0].ns);
			putchar('\n');
		}
	}
	if (ratio(&sets[0], rounds) > 0)
		printf("\nto the fastest other parser: mix %.1fx, varied %.1fx\n",
			ratio(&sets[PARSE_MIX], rounds), ratio(&sets[PARSE_MIX + 1], rounds));
	else
		printf("\nbuilt without libosip2 and sofia-sip: nothing to compare with\n");
}

static void
write_set(FILE *to, const struct set *set)
{
	fprintf(to, "{\"name\": \"%s\", \"size\": %.1f", set->name, (double)set->bytes / set->count);
	for (unsigned p = 0; p < PARSERS; p++) {
		const struct measure *m = &measures[set - sets][p];

		fprintf(to,
			", \"%s\": {\"ns\": %.2f, \"best_ns\": %.2f, \"cycles_per_byte\": %.3f, "
			"\"messages_per_second\": %.0f, \"instructions\": ",
			parsers[p]->name, m->ns, m->best_ns, m->cycles_per_byte, 1e9 / m->ns);
		if (m->instructions > 0)
			fprintf(to, "%.1f}", m->instructions);
		else
			fprintf(to, "null}");
	}
	fputc('}', to);
}

static int
write_json(const char *path, unsigned rounds)
{
	FILE *to = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");

	if (to == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	fprintf(to,
		"{\"bench\": \"parse\", \"variant\": \"%s\", \"tsc_ghz\": %.4f, \"rounds\": %u, \"allocator\": \"%s\",\n "
		"\"messages\": [",
		bp_variant->name, tsc_ghz, rounds, allocator());
	for (unsigned s = 0; s < PARSE_MIX; s++) {
		fputs(s ? ",\n  " : "\n  ", to);
		write_set(to, &sets[s]);
	}
	fputs("],\n \"mix\": ", to);
	write_set(to, &sets[PARSE_MIX]);
	fputs(",\n \"varied\": ", to);
	write_set(to, &sets[PARSE_MIX + 1]);
	if (ratio(&sets[0], rounds) > 0)
		fprintf(to, ",\n \"ratio_to_fastest_peer\": %.2f, \"ratio_to_fastest_peer_varied\": %.2f}\n",
			ratio(&sets[PARSE_MIX], rounds), ratio(&sets[PARSE_MIX + 1], rounds));
	else
		fputs(",\n \"ratio_to_fastest_peer\": null, \"ratio_to_fastest_peer_varied\": null}\n", to);
	if (to != stdout && fclose(to) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	return 0;
}

/* For profilers: nothing but one parser on one message, again and again. */
static int
run_only(const char *parser, const char *message, unsigned long count)
{
	for (unsigned p = 0; p < PARSERS; p++) {
		for (unsigned i = 0; i < PARSE_MIX; i++) {
			if (strcmp(parsers[p]->name, parser) != 0 || strcmp(parse_mix[i].name, message) != 0)
				continue;
			while (count--)
				parsers[p]->run(parse_mix[i].bytes, parse_mix[i].size);
			return 0;
		}
	}
	fprintf(stderr, "byepass-bench parse: no parser %s or no message %s\n", parser, message);
	return 2;
}

static int
choose_variant(const char *name)
{
	for (unsigned i = 0; bp_variants[i]; i++) {
		if (strcmp(bp_variants[i]->name, name) != 0)
			continue;
		if (!bp_variants[i]->supported()) {
			fprintf(stderr, "byepass-bench parse: this machine has no %s\n", name);
			return -1;
		}
		bp_variant = bp_variants[i];
		return 0;
	}
	fprintf(stderr, "byepass-bench parse: no variant is named %s\n", name);
	return -1;
}

static void
usage(FILE *to)
{
	fprintf(to,
		"byepass-bench parse [--json FILE] [--rounds N] [--seed N] [--variant NAME] [--no-count]\n"
		"byepass-bench parse --run PARSER:MESSAGE:COUNT [--variant NAME]\n\n"
		"  --json FILE     also write the numbers there (- is stdout)\n"
		"  --rounds N      medians over so many rounds (15)\n"
		"  --seed N        of the thousand varied messages (1)\n"
		"  --variant NAME  another variant than the best one of this machine:");
	for (unsigned i = 0; bp_variants[i]; i++)
		fprintf(to, " %s", bp_variants[i]->name);
	fprintf(to, "\n"
		    "  --no-count      do not count instructions\n"
		    "  --run P:M:N     only run parser P on message M (INVITE, 180, ...) N times, for "
		    "profilers\n");
}

struct options {
	const char *json, *variant;
	char *run;
	unsigned rounds;
	uint64_t seed;
	bool count;
};

/* 0; else what the program ends with, plus 1. */
static int
read_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {{"json", required_argument, NULL, 'j'},
		{"rounds", required_argument, NULL, 'r'}, {"seed", required_argument, NULL, 's'},
		{"variant", required_argument, NULL, 'v'}, {"no-count", no_argument, NULL, 'n'},
		{"run", required_argument, NULL, 'x'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		switch (option) {
		case 'j':
			options->json = optarg;
			break;
		case 'r':
			options->rounds = (unsigned)strtoul(optarg, NULL, 10);
			if (options->rounds < 1 || options->rounds > ROUNDS_MAX)
				return fprintf(stderr, "--rounds: 1 to %u\n", ROUNDS_MAX), 3;
			break;
		case 's':
			options->seed = strtoull(optarg, NULL, 10);
			break;
		case 'v':
			options->variant = optarg;
			break;
		case 'n':
			options->count = false;
			break;
		case 'x':
			options->run = optarg;
			break;
		case 'h':
			return usage(stdout), 1;
		default:
			return usage(stderr), 3;
		}
	}
	return optind < argc ? (usage(stderr), 3) : 0;
}

int
bench_parse(int argc, char **argv)
{
	struct options options = {.rounds = 15, .seed = 1, .count = true};
	int status = read_options(argc, argv, &options);

	if (status)
		return status - 1;
	if (options.variant && choose_variant(options.variant) != 0)
		return 2;
	parse_messages_make(options.seed);
	for (unsigned p = 0; p < PARSERS; p++)
		parsers[p]->setup();
	if (options.run) {
		char *parser = strtok(options.run, ":"), *message = strtok(NULL, ":"),
		     *count = strtok(NULL, ":");

		if (count == NULL)
			return usage(stderr), 2;
		return run_only(parser, message, strtoul(count, NULL, 10));
	}
	make_sets();
	for (unsigned i = 0; i < PARSE_MIX; i++)
		status |= !all_agree(&parse_mix[i]);
	for (unsigned i = 0; i < PARSE_VARIED; i++)
		status |= !all_agree(&parse_varied[i]);
	if (status)
		return 1;
	tsc_ghz = measure_tsc();
	measure_all(options.rounds);
	if (options.count)
		count_all();
	print_table(options.rounds);
	return options.json ? write_json(options.json, options.rounds) : 0;
}
