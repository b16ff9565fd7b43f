/* SPDX-License-Identifier: BSD-3-Clause
 *
 * byepass-bench table: hash tables of relay records at millions of live entries. Every case runs in a process of its
 * own: records first, then the table is filled (insert), looked up at random (lookup), asked for what it does not have
 * (miss), and churned: thousands leave, and come again after a grace period (remove, replace).
 */
#include "bench.h"
#include "support.h"
#include "table.h"

#include <getopt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 8
#define CASES_MAX 8
#define CHUNK 4096u     /* operations from one look at the clock to the next */
#define CHURN_ROUNDS 64u
#define LOOKUPS 512u /* chunks of each thread; fewer in a small table */
#define LOOKUPS_LEAST 8u
#define ENTRIES_LEAST (4 * CHUNK) /* of each thread */
#define ENTRIES_MOST 1000000000u

enum phase { INSERT, LOOKUP, MISS, REMOVE, REPLACE, PHASES };
static const char *const phase_names[] = {"insert", "lookup", "miss", "remove", "replace"};

struct result {
	bool valid;
	double ns[PHASES]; /* of one operation of one thread: the median */
	double bytes_per_entry;
	double huge_share; /* of all memory, in huge pages */
};

struct options {
	const struct bench_contender *contenders[3];
	unsigned contender_count;
	uint32_t entries[CASES_MAX];
	unsigned entry_count;
	unsigned threads[CASES_MAX], thread_count;
	unsigned rounds;
	bool huge;
	const char *json;
};

struct run {
	const struct bench_contender *contender;
	struct bench_record *records;
	void *table;
	uint32_t entries;
	unsigned threads;
	pthread_barrier_t barrier;
	_Atomic bool failed;
};

/* Times of chunks, in nanoseconds of one operation. */
struct samples {
	float *ns;
	size_t count, capacity;
};

struct worker {
	struct run *run;
	unsigned number;
	unsigned round;
	struct samples samples[PHASES];
};

static const struct bench_contender *const all[] = {&bench_own, &bench_lfht,
#ifdef BENCH_DPDK
	&bench_rte,
#endif
};
#define ALL (sizeof(all) / sizeof(all[0]))

static void
help(void)
{
	puts("usage: byepass-bench table [OPTION...]\n"
	     "  --tables LIST    of byepass, cds_lfht, rte_hash; default: all\n"
	     "  --entries LIST   live entries in millions, or with a k in thousands; default: 1,10,30\n"
	     "  --threads LIST   default: 1,2\n"
	     "  --rounds N       of lookup, miss and churn on the same table; default: 3\n"
	     "  --pages KIND     huge (default) or small\n"
	     "  --json FILE      writes the results");
}

static void
choose(struct options *options, const char *list)
{
	options->contender_count = 0;
	for (char *name = strtok(strdup(list), ","); name != NULL; name = strtok(NULL, ",")) {
		unsigned i = 0;

		while (i < ALL && strcmp(all[i]->name, name) != 0)
			i++;
		if (i == ALL || options->contender_count == ALL)
			bench_usage("no table \"%s\"", name);
		options->contenders[options->contender_count++] = all[i];
	}
}

/* "500k,1,10" */
static void
parse_entries(struct options *options, const char *list)
{
	const char *text = list;
	char *end;

	for (options->entry_count = 0;; text = end + 1) {
		unsigned long number = strtoul(text, &end, 10), unit = *end == 'k' ? 1000 : 1000000;

		if (end == text || number == 0 || number > ENTRIES_MOST / unit || options->entry_count == CASES_MAX)
			bench_usage("\"%s\" is no list of numbers of entries up to %u million", list,
				ENTRIES_MOST / 1000000);
		options->entries[options->entry_count++] = (uint32_t)(number * unit);
		end += *end == 'k';
		if (*end == '\0')
			return;
		if (*end != ',')
			bench_usage("\"%s\" is no list of numbers", list);
	}
}

static void
check_sizes(const struct options *options)
{
	for (unsigned i = 0; i < options->thread_count; i++) {
		if (options->threads[i] > THREADS_MAX)
			bench_usage("at most %d threads", THREADS_MAX);
		for (unsigned j = 0; j < options->entry_count; j++)
			if (options->entries[j] / options->threads[i] < ENTRIES_LEAST)
				bench_usage("at least %u entries for each thread", ENTRIES_LEAST);
	}
}

static void
parse(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{"tables", required_argument, NULL, 't'},
		{"entries", required_argument, NULL, 'e'},
		{"threads", required_argument, NULL, 'n'},
		{"rounds", required_argument, NULL, 'r'},
		{"pages", required_argument, NULL, 'p'},
		{"json", required_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	*options = (struct options){.contender_count = ALL, .rounds = 3, .huge = true};
	memcpy(options->contenders, all, sizeof(all));
	parse_entries(options, "1,10,30");
	options->thread_count = bench_numbers("1,2", options->threads, CASES_MAX);
	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (option) {
		case 't':
			choose(options, optarg);
			break;
		case 'e':
			parse_entries(options, optarg);
			break;
		case 'n':
			options->thread_count = bench_numbers(optarg, options->threads, CASES_MAX);
			break;
		case 'r':
			bench_numbers(optarg, &options->rounds, 1);
			break;
		case 'p':
			if (strcmp(optarg, "huge") != 0 && strcmp(optarg, "small") != 0)
				bench_usage("--pages is huge or small");
			options->huge = optarg[0] == 'h';
			break;
		case 'j':
			options->json = optarg;
			break;
		case 'h':
			help();
			exit(0);
		default:
			exit(2);
		}
	}
	if (optind < argc)
		bench_usage("what is \"%s\"?", argv[optind]);
	check_sizes(options);
}

static double
read_kilobytes(const char *name)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	double kilobytes = 0;
	char line[256];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			kilobytes = atof(line + strlen(name) + 1);
	if (file != NULL)
		fclose(file);
	return kilobytes;
}

static struct bench_record *
make_records(uint32_t entries, bool huge)
{
	size_t size = (size_t)entries * sizeof(struct bench_record);
	struct bench_record *records =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (records == MAP_FAILED)
		return NULL;
	madvise(records, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (uint32_t i = 0; i < entries; i++) {
		bench_id(i, records[i].own.id);
		records[i].word = 1;
	}
	return records;
}

static void
add_sample(struct samples *samples, double ns)
{
	if (samples->count == samples->capacity) {
		samples->capacity = samples->capacity ? 2 * samples->capacity : 1024;
		samples->ns = realloc(samples->ns, samples->capacity * sizeof(*samples->ns));
	}
	samples->ns[samples->count++] = (float)ns;
}

static int
compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static double
median(struct samples *samples)
{
	qsort(samples->ns, samples->count, sizeof(*samples->ns), compare);
	return samples->ns[samples->count / 2];
}

/* Time of the CPU, not of the clock: whoever else runs on it is not our business. */
static uint64_t
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* One chunk; @found: what each of its operations must say. */
static void
measure(struct worker *worker, enum phase phase, void (*work)(struct bench_work *), struct bench_work *piece, bool found)
{
	uint64_t begin = cpu_ns();

	piece->found = 0;
	work(piece);
	add_sample(&worker->samples[phase], (double)(cpu_ns() - begin) / piece->count);
	if (piece->found != (found ? piece->count : 0)) {
		printf("%s: %s found %llu of %u\n", worker->run->contender->name, phase_names[phase],
			(unsigned long long)piece->found, piece->count);
		worker->run->failed = true;
	}
}

static void
meet(struct worker *worker)
{
	pthread_barrier_wait(&worker->run->barrier);
}

static void
fill(struct worker *worker, struct bench_work *piece)
{
	uint32_t share = worker->run->entries / worker->run->threads, first = piece->first;

	for (uint32_t done = 0; done < share; done += piece->count) {
		piece->first = first + done;
		piece->count = share - done < CHUNK ? share - done : CHUNK;
		measure(worker, INSERT, worker->run->contender->insert, piece, true);
	}
}

static void
look_up(struct worker *worker, struct bench_work *piece, enum phase phase, void (*work)(struct bench_work *))
{
	unsigned chunks = worker->run->entries / (CHUNK / 2);

	if (chunks > LOOKUPS)
		chunks = LOOKUPS;
	if (chunks < LOOKUPS_LEAST)
		chunks = LOOKUPS_LEAST;
	piece->seed = (uint64_t)(worker->number + 1 + 10 * worker->round) << 32;
	piece->count = CHUNK;
	for (unsigned i = 0; i < chunks; i++, piece->seed += CHUNK)
		measure(worker, phase, work, piece, phase == LOOKUP);
}

/* Those that left wait for a grace period: all threads meet between leaving and coming again, which is one. */
static void
churn(struct worker *worker, struct bench_work *piece)
{
	struct run *run = worker->run;
	uint32_t share = run->entries / run->threads;
	uint64_t seed = bench_mix(worker->number + 100u * worker->round);

	piece->count = CHUNK;
	for (unsigned i = 0; i < CHURN_ROUNDS; i++) {
		piece->first = worker->number * share + (uint32_t)(bench_mix(seed + i) % (share - CHUNK));
		measure(worker, REMOVE, run->contender->remove, piece, true);
		meet(worker);
		measure(worker, REPLACE, run->contender->insert, piece, true);
		meet(worker);
	}
}

static void *
work(void *argument)
{
	struct worker *worker = argument;
	struct run *run = worker->run;
	const struct bench_contender *contender = run->contender;
	uint32_t share = run->entries / run->threads;
	struct bench_work piece = {.table = run->table,
		.records = run->records,
		.entries = share * run->threads,
		.first = worker->number * share};

	bench_pin(worker->number);
	contender->enter(run->table, worker->number);
	meet(worker);
	if (worker->round == 0)
		fill(worker, &piece);
	meet(worker);
	look_up(worker, &piece, LOOKUP, contender->lookup);
	meet(worker);
	look_up(worker, &piece, MISS, contender->miss);
	meet(worker);
	churn(worker, &piece);
	contender->leave(run->table, worker->number);
	return NULL;
}

static void
run_round(struct run *run, struct worker *workers, unsigned round)
{
	pthread_t threads[THREADS_MAX];

	pthread_barrier_init(&run->barrier, NULL, run->threads);
	for (unsigned i = 0; i < run->threads; i++) {
		workers[i].run = run;
		workers[i].number = i;
		workers[i].round = round;
		pthread_create(&threads[i], NULL, work, &workers[i]);
	}
	for (unsigned i = 0; i < run->threads; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&run->barrier);
}

/* In the child. */
static struct result
run_case(const struct options *options, const struct bench_contender *contender, uint32_t entries, unsigned threads)
{
	struct run run = {.contender = contender, .entries = entries, .threads = threads};
	struct worker workers[THREADS_MAX] = {0};
	struct result result = {0};
	double before;

	if (contender->begin != NULL && !contender->begin((uint64_t)entries * 128, options->huge))
		return result;
	run.records = make_records(entries, options->huge);
	before = read_kilobytes("Rss:");
	if (run.records != NULL)
		run.table = contender->create(run.records, entries, threads, options->huge);
	if (run.table == NULL) {
		printf("%s: no memory\n", contender->name);
		return result;
	}
	for (unsigned round = 0; round < options->rounds; round++) {
		run_round(&run, workers, round);
		if (round == 0)
			result.bytes_per_entry = (read_kilobytes("Rss:") - before) * 1024 / entries +
				(double)contender->node_bytes;
	}
	result.huge_share = read_kilobytes("AnonHugePages:") / read_kilobytes("Rss:");
	for (unsigned i = 0; i < PHASES; i++) {
		for (unsigned j = 0; j < threads; j++)
			result.ns[i] += median(&workers[j].samples[i]);
		result.ns[i] /= threads;
	}
	result.valid = !run.failed;
	return result;
}

/* A process for each case: none finds the memory of another. */
static struct result
fork_case(const struct options *options, const struct bench_contender *contender, uint32_t entries, unsigned threads)
{
	struct result result = {0};
	int ends[2];
	pid_t child;

	if (pipe(ends) != 0 || (child = fork()) < 0) {
		perror("byepass-bench");
		exit(1);
	}
	if (child == 0) {
		result = run_case(options, contender, entries, threads);
		_exit(write(ends[1], &result, sizeof(result)) != sizeof(result));
	}
	close(ends[1]);
	if (read(ends[0], &result, sizeof(result)) != sizeof(result))
		result.valid = false;
	close(ends[0]);
	waitpid(child, NULL, 0);
	return result;
}

static void
report(struct bench_json *json, const struct bench_contender *contender, uint32_t entries, unsigned threads,
	const struct result *result)
{
	char key[32];

	printf("%-10s %11u %8u", contender->name, entries, threads);
	for (unsigned i = 0; i < PHASES; i++)
		printf(" %8.1f", result->ns[i]);
	printf(" %12.1f %6.0f%%\n", result->bytes_per_entry, 100 * result->huge_share);
	bench_json_begin(json, NULL, '{');
	bench_json_text(json, "table", contender->name);
	bench_json_number(json, "entries", entries);
	bench_json_number(json, "threads", threads);
	for (unsigned i = 0; i < PHASES; i++) {
		snprintf(key, sizeof(key), "%s_ns", phase_names[i]);
		bench_json_number(json, key, result->ns[i]);
	}
	bench_json_number(json, "bytes_per_entry", result->bytes_per_entry);
	bench_json_number(json, "huge_page_share", result->huge_share);
	bench_json_end(json, '}');
}

/* Who else wants the CPUs: times are of the CPU, but caches and memory are shared. */
static void
report_load(struct bench_json *json, const char *key)
{
	double load = 0;

	if (getloadavg(&load, 1) != 1)
		return;
	printf("load average %.2f\n", load);
	bench_json_number(json, key, load);
}

/* glibc's malloc, which cds_lfht uses, gives huge pages only when it is told so at the start. */
static void
ask_for_huge_pages(char **argv)
{
	static const char tunable[] = "glibc.malloc.hugetlb=1";
	const char *tunables = getenv("GLIBC_TUNABLES");

	if (tunables != NULL && strstr(tunables, tunable) != NULL)
		return;
	setenv("GLIBC_TUNABLES", tunable, 1);
	execv("/proc/self/exe", argv);
	perror("/proc/self/exe");
}

int
bench_table(int argc, char **argv)
{
	struct options options;
	struct bench_json json;
	bool failed = false;

	parse(&options, argc, argv);
	if (options.huge)
		ask_for_huge_pages(argv - 1);
	json = bench_json_open(options.json);
	bench_machine(&json);
	report_load(&json, "load_before");
	puts("nanoseconds of CPU for one operation of one thread, medians; bytes without record and id\n");
	printf("%-10s %11s %8s", "table", "entries", "threads");
	for (unsigned i = 0; i < PHASES; i++)
		printf(" %8s", phase_names[i]);
	printf(" %12s %7s\n", "bytes/entry", "huge");
	bench_json_begin(&json, "results", '[');
	for (unsigned i = 0; i < options.entry_count; i++)
		for (unsigned j = 0; j < options.thread_count; j++)
			for (unsigned k = 0; k < options.contender_count; k++) {
				uint32_t entries = options.entries[i];
				struct result result = fork_case(
					&options, options.contenders[k], entries, options.threads[j]);

				if (result.valid)
					report(&json, options.contenders[k], entries, options.threads[j], &result);
				failed |= !result.valid;
			}
	bench_json_end(&json, ']');
	report_load(&json, "load_after");
	bench_json_close(&json);
	return failed;
}
