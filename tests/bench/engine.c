/* SPDX-License-Identifier: BSD-3-Clause
 *
 * `byepass-bench engine`: a fixed number of whole calls through the real engine, without packets, in virtual time. The
 * cycles of each call into the engine are taken; the far ends' work is not in them. First as many calls as the RFC's
 * timers keep are made, so that memory is as full, and as cold, as it stays.
 */
#include "engine.h"

#include "bench.h"
#include "support.h"

#include "sip/scan.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#define GROUP_MAX 64
#define BURST_MAX 64
#define BUCKETS 4096
#define BUCKET_CYCLES 16
#define BLOCK 8192 /* calls of which a mean is taken */
#define BLOCKS_MAX 16384
#define FLUSH_US 10000 /* as the worker's tick */
#define EXPIRE_BUDGET 64
#define INTERRUPTED 200000 /* cycles: the machine did something else meanwhile */
#define FIRST_NUMBER UINT64_C(7000000000) /* such digits stand nowhere else */

enum { TIMERS = ENGINE_STEPS, FLUSH, BURSTS, KINDS };

struct kind {
	const char *name;
	uint64_t cycles, count;
	uint32_t buckets[BUCKETS];
};

struct incoming {
	const struct bp_flow *from;
	uint32_t size;
	uint64_t number;
	unsigned step;
	uint8_t bytes[ENGINE_SIZE_MAX] __attribute__((aligned(64)));
};

struct run {
	struct engine_options options;
	struct engine_edge edge;
	struct engine_scenario *scenario;
	struct engine_call *calls;
	uint64_t ring; /* of calls */
	struct kind kinds[KINDS];
	uint64_t now_us, next_flush_us;
	uint64_t stamp_cycles; /* that taking the time costs */
	uint64_t bad, interrupted;
	bool measuring;
	uint64_t block_cycles, block_calls;
	double blocks[BLOCKS_MAX];
	unsigned block_count;
	struct incoming *incoming;
	unsigned burst_count;
};

static inline uint64_t
stamp(void)
{
#if defined(__x86_64__)
	unsigned aux;

	return __rdtscp(&aux); /* waits for what came before it */
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
#endif
}

static void
account(struct run *r, unsigned kind, uint64_t begin, uint64_t end)
{
	uint64_t cycles = end - begin > r->stamp_cycles ? end - begin - r->stamp_cycles : 0;
	struct kind *k = &r->kinds[kind];

	if (!r->measuring)
		return;
	if (cycles >= INTERRUPTED) {
		r->interrupted++;
		return;
	}
	k->cycles += cycles;
	k->count++;
	k->buckets[cycles / BUCKET_CYCLES < BUCKETS ? cycles / BUCKET_CYCLES : BUCKETS - 1]++;
	r->block_cycles += cycles;
}

/* One function for each kind of message, so that callgrind tells them apart. */
#define RECEIVE(i)                                                                                     \
	static __attribute__((noinline)) void receive_##i(struct run *r, const struct incoming *m)    \
	{                                                                                             \
		bp_engine_receive(r->edge.engine, m->from, m->bytes, m->size, r->now_us);             \
		__asm__ volatile("" ::: "memory");                                                    \
	}
RECEIVE(0)
RECEIVE(1)
RECEIVE(2)
RECEIVE(3)
RECEIVE(4)
RECEIVE(5)
static void (*const receivers[ENGINE_STEPS])(struct run *, const struct incoming *) = {
	receive_0, receive_1, receive_2, receive_3, receive_4, receive_5};

static __attribute__((noinline)) void
run_timers(struct run *r)
{
	uint64_t next;

	do
		next = bp_engine_expire(r->edge.engine, r->now_us, EXPIRE_BUDGET);
	while (next <= r->now_us);
}

static __attribute__((noinline)) void
run_flush(struct run *r)
{
	bp_engine_flush(r->edge.engine);
}

/* What one message made the engine send. */
static void
check(struct run *r, const struct incoming *m, unsigned *at)
{
	struct engine_step *step = &r->scenario->steps[m->step];
	struct engine_call *call = &r->calls[m->number % r->ring];

	for (unsigned i = 0; i < step->out_count; i++) {
		struct engine_expected *expected = &step->out[i];
		const struct engine_sent *sent = &r->edge.sent[*at];
		const struct bp_flow *to = expected->upstream ? &r->edge.caller : &r->edge.callee;

		if (*at == r->edge.sent_count || !bp_flow_equal(&sent->to, to) ||
			!engine_take(expected, call, m->number, sent->bytes, sent->size, m->number % 64 == 0)) {
			if (r->bad++ == 0)
				fprintf(stderr, "call %llu, %s: not \"%s...\" as it should be but\n%.*s\n",
					(unsigned long long)m->number, step->name, expected->begin,
					*at < r->edge.sent_count ? (int)sent->size : 0, (const char *)sent->bytes);
			return;
		}
		(*at)++;
	}
}

static struct incoming *
prepare(struct run *r, unsigned place, unsigned step, uint64_t number)
{
	struct incoming *m = &r->incoming[place];

	m->number = number;
	m->step = step;
	m->from = r->scenario->steps[step].from_callee ? &r->edge.callee : &r->edge.caller;
	m->size = engine_fill(&r->scenario->steps[step], &r->calls[number % r->ring], number, m->bytes);
	return m;
}

static void
receive_one(struct run *r, unsigned step, uint64_t number)
{
	const struct incoming *m = prepare(r, 0, step, number);
	unsigned at = 0;
	uint64_t begin;

	r->edge.sent_count = 0;
	begin = stamp();
	receivers[step](r, m);
	account(r, step, begin, stamp());
	check(r, m, &at);
	if (at != r->edge.sent_count)
		r->bad++;
}

static void
end_block(struct run *r, unsigned calls)
{
	if (!r->measuring)
		return;
	r->block_calls += calls;
	if (r->block_calls < BLOCK)
		return;
	if (r->block_count < BLOCKS_MAX)
		r->blocks[r->block_count++] = (double)r->block_cycles / (double)r->block_calls;
	r->block_calls = 0;
	r->block_cycles = 0;
}

/* The end of a turn: time goes on, timers run. */
static void
end_turn(struct run *r, unsigned calls, bool begun)
{
	uint64_t begin;

	r->now_us += (uint64_t)calls * 1000000 / r->options.rate;
	begin = stamp();
	run_timers(r);
	account(r, TIMERS, begin, stamp());
	if (r->next_flush_us <= r->now_us) {
		r->next_flush_us = r->now_us + FLUSH_US;
		begin = stamp();
		run_flush(r);
		account(r, FLUSH, begin, stamp());
	}
	engine_edge_release(&r->edge);
	end_block(r, begun ? calls : 0);
}

static __attribute__((noinline)) void
receive_burst(struct run *r, const struct bp_datagram *datagrams)
{
	bp_engine_receive_burst(r->edge.engine, datagrams, r->burst_count, r->now_us);
	__asm__ volatile("" ::: "memory");
}

/* Hands the messages that wait to the engine, and checks what it made of them. */
static void
end_burst(struct run *r)
{
	struct bp_datagram datagrams[BURST_MAX];
	unsigned at = 0;
	uint64_t begin;

	if (r->burst_count == 0)
		return;
	for (unsigned i = 0; i < r->burst_count; i++)
		datagrams[i] = (struct bp_datagram){
			.from = *r->incoming[i].from, .size = r->incoming[i].size, .bytes = r->incoming[i].bytes};
	r->edge.sent_count = 0;
	begin = stamp();
	receive_burst(r, datagrams);
	account(r, BURSTS, begin, stamp());
	for (unsigned i = 0; i < r->burst_count; i++)
		check(r, &r->incoming[i], &at);
	if (at != r->edge.sent_count)
		r->bad++;
	r->burst_count = 0;
}

static void
receive_next(struct run *r, unsigned step, uint64_t number)
{
	if (r->options.burst == 0) {
		receive_one(r, step, number);
		return;
	}
	prepare(r, r->burst_count++, step, number);
	if (r->burst_count == r->options.burst)
		end_burst(r);
}

/* Begins @count calls, and brings those that began before on by a message each: the first one's last message comes
 * `spread` calls after its last but one. @last: no more begin, those under way come to their end. */
static uint64_t
run_calls(struct run *r, uint64_t first, uint64_t count, unsigned stop_before)
{
	unsigned group = r->options.group, spread = r->options.spread;
	uint64_t turns = (count + group - 1) / group + (uint64_t)(ENGINE_STEPS - 1) * spread / group;

	for (uint64_t turn = 0; turn < turns; turn++) {
		for (unsigned step = 0; step < stop_before; step++) {
			uint64_t at = turn * group - (uint64_t)step * spread;

			for (unsigned i = 0; i < group; i++, at++)
				if (at < count) /* wraps below 0 */
					receive_next(r, step, first + at);
		}
		end_burst(r);
		end_turn(r, group, turn * group < count);
	}
	return first + count;
}

static void
calibrate(struct run *r)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < 10000; i++) {
		uint64_t begin = stamp(), end = stamp();

		if (end - begin < best)
			best = end - begin;
	}
	r->stamp_cycles = best;
}

static uint64_t
in_use(const struct run *r)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < BP_POOL_KIND_COUNT; i++)
		bytes += r->edge.counters->pool_taken_bytes[i] - r->edge.counters->pool_returned_bytes[i];
	return bytes;
}

/* Lets all timers of RFC 3261 run out. */
static void
settle(struct run *r)
{
	for (unsigned i = 0; i < 1000; i++) {
		r->now_us += (uint64_t)r->options.linger_ms * 10;
		run_timers(r);
		run_flush(r);
		engine_edge_release(&r->edge);
	}
}

static bool
law_holds(const struct run *r)
{
	static const uint8_t scope[BP_DROP_COUNT] = {
#define X(name, scope, severity, text) BP_DROP_SCOPE_##scope,
		BP_DROPS(X)
#undef X
	};
	const struct bp_counters *c = r->edge.counters;
	uint64_t sum = c->forwarded + c->answered + c->absorbed, drops = 0;

	for (unsigned i = 0; i < BP_DROP_COUNT; i++) {
		drops += c->drops[i];
		if (scope[i] == BP_DROP_SCOPE_MESSAGE)
			sum += c->drops[i];
	}
	return sum == c->messages_received && drops == 0;
}

static bool
all_came_back(const struct run *r)
{
	const struct bp_counters *c = r->edge.counters;

	return c->transactions_created[0] == c->transactions_ended[0] &&
		c->transactions_created[1] == c->transactions_ended[1] && c->kept_taken == c->kept_returned &&
		c->calls_reserved == c->calls_released && c->dialogs_created == c->dialogs_ended[BP_DIALOG_END_bye];
}

static uint64_t
percentile(const struct kind *k, unsigned per_mille)
{
	uint64_t want = k->count * per_mille / 1000, sum = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		sum += k->buckets[i];
		if (sum > want)
			return (uint64_t)i * BUCKET_CYCLES;
	}
	return (uint64_t)BUCKETS * BUCKET_CYCLES;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
report(struct run *r, struct bench_json *json, double finished_bytes, double established_bytes)
{
	double total = 0, calls = (double)r->options.calls;

	qsort(r->blocks, r->block_count, sizeof(r->blocks[0]), compare);
	printf("\n%-14s %6s %10s %10s %8s %8s %8s\n", r->scenario->name, "bytes", "a call", "a message", "p10", "p50", "p99");
	bench_json_begin(json, "stages", '{');
	for (unsigned i = 0; i < KINDS; i++) {
		const struct kind *k = &r->kinds[i];

		if (k->count == 0)
			continue;
		total += (double)k->cycles;
		printf("  %-12s %6u %10.0f %10.0f %8llu %8llu %8llu\n", k->name,
			i < ENGINE_STEPS ? r->scenario->steps[i].in.size : 0, (double)k->cycles / calls,
			k->count ? (double)k->cycles / (double)k->count : 0, (unsigned long long)percentile(k, 100),
			(unsigned long long)percentile(k, 500), (unsigned long long)percentile(k, 990));
		bench_json_number(json, k->name, (double)k->cycles / calls);
	}
	bench_json_end(json, '}');
	printf("  %-12s %6s %10.0f\n", "in all", "", total / calls);
	if (r->block_count > 0)
		printf("blocks of %u calls: best %.0f, p10 %.0f, p50 %.0f, p90 %.0f cycles a call\n", BLOCK, r->blocks[0],
			r->blocks[r->block_count / 10], r->blocks[r->block_count / 2],
			r->blocks[r->block_count * 9 / 10]);
	printf("%llu of all were interrupted and are left out\n", (unsigned long long)r->interrupted);
	printf("%.0f bytes a finished call, %.0f an established one\n", finished_bytes, established_bytes);
	bench_json_text(json, "scenario", r->scenario->name);
	bench_json_number(json, "cycles_per_call", total / calls);
	bench_json_number(json, "cycles_per_call_p50", r->block_count ? r->blocks[r->block_count / 2] : 0);
	bench_json_number(json, "bytes_per_call", established_bytes);
	bench_json_number(json, "bytes_per_finished_call", finished_bytes);
}

static void
help(void)
{
	printf("byepass-bench engine: whole calls through the engine alone, without packets\n\n"
	       "  --scenario NAME    bye (default), cancel\n"
	       "  --calls N          that are measured (default 200000)\n"
	       "  --rate N           calls a second of virtual time (default 100000)\n"
	       "  --linger MS        64*T1, which keeps finished transactions (default 6400; the RFC's: 32000)\n"
	       "  --spread N         calls that begin between two messages of one call (default 64)\n"
	       "  --group N          calls of one turn, 1 to 64 (default 8)\n"
	       "  --burst N          messages handed over at once, 1 to 64 (default 1: so that each is measured)\n"
	       "  --variant NAME     of the parser: avx512, avx2, sse42, plain (default: the best)\n"
	       "  --cpu N            to run on (default 0)\n"
	       "  --plain-pages      no huge pages\n"
	       "  --json FILE\n");
}

static void
choose_variant(const char *name)
{
	for (unsigned i = 0; bp_variants[i] != NULL; i++) {
		if (strcmp(bp_variants[i]->name, name) != 0)
			continue;
		if (!bp_variants[i]->supported()) {
			fprintf(stderr, "byepass-bench: this CPU does not have %s\n", name);
			exit(77);
		}
		bp_variant = bp_variants[i];
		return;
	}
	bench_usage("no parser is called \"%s\"", name);
}

static void
read_options(int argc, char **argv, struct engine_options *o)
{
	static const struct option longs[] = {{"scenario", 1, NULL, 's'}, {"calls", 1, NULL, 'n'}, {"rate", 1, NULL, 'r'},
		{"linger", 1, NULL, 'l'}, {"spread", 1, NULL, 'd'}, {"group", 1, NULL, 'g'}, {"burst", 1, NULL, 'b'},
		{"variant", 1, NULL, 'v'},
		{"cpu", 1, NULL, 'c'}, {"plain-pages", 0, NULL, 'p'}, {"json", 1, NULL, 'j'}, {"help", 0, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	unsigned number;
	int option;

	*o = (struct engine_options){.scenario = engine_scenario("bye"),
		.calls = 200000, .rate = 100000, .linger_ms = 6400, .spread = 64, .group = 8};
	while ((option = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		number = 0;
		if (strchr("nrldgb", option) != NULL && bench_numbers(optarg, &number, 1) != 1)
			bench_usage("\"%s\" is no number", optarg);
		switch (option) {
		case 's':
			o->scenario = engine_scenario(optarg);
			break;
		case 'n':
			o->calls = number;
			break;
		case 'r':
			o->rate = number;
			break;
		case 'l':
			o->linger_ms = number;
			break;
		case 'd':
			o->spread = number;
			break;
		case 'g':
			o->group = number;
			break;
		case 'b':
			o->burst = number == 1 ? 0 : number;
			break;
		case 'v':
			choose_variant(optarg);
			break;
		case 'c':
			o->cpu = (unsigned)atoi(optarg);
			break;
		case 'p':
			o->plain_pages = true;
			break;
		case 'j':
			o->json = optarg;
			break;
		case 'h':
			help();
			exit(0);
		default:
			bench_usage("unknown option");
		}
	}
	if (o->scenario == NULL || optind != argc)
		bench_usage("no such scenario");
	if (o->group > GROUP_MAX || o->burst > BURST_MAX || o->rate > 1000000)
		bench_usage("--group and --burst are at most %u, --rate 1000000", GROUP_MAX);
	o->spread = (o->spread + o->group - 1) / o->group * o->group;
}

static void
begin(struct run *r)
{
	engine_edge_begin(&r->edge, &r->options);
	r->scenario = r->options.scenario;
	r->ring = (uint64_t)ENGINE_STEPS * r->options.spread + r->options.group;
	r->calls = calloc(r->ring, sizeof(*r->calls));
	r->incoming = aligned_alloc(64, sizeof(*r->incoming) * BURST_MAX);
	memset(r->incoming, 0, sizeof(*r->incoming) * BURST_MAX);
	r->now_us = 1000000;
	r->kinds[TIMERS].name = "timers";
	r->kinds[FLUSH].name = "flush";
	r->kinds[BURSTS].name = "bursts";
	for (unsigned i = 0; i < ENGINE_STEPS; i++)
		r->kinds[i].name = r->scenario->steps[i].name;
	calibrate(r);
	engine_compile(r->scenario, 0);
	receive_one(r, 0, FIRST_NUMBER - 1); /* so that the tokens' size is known; nobody answers it */
	engine_compile(r->scenario, engine_token_size(&r->scenario->steps[0].out[1]));
}

/* Calls that are up, when all that the INVITE left is gone. */
static double
measure_established(struct run *r, uint64_t *number)
{
	uint64_t before, calls = 1000, spread = r->options.spread;
	double bytes;

	r->options.spread = r->options.group;
	before = in_use(r);
	*number = run_calls(r, *number, calls, 4);
	settle(r);
	bytes = (double)(in_use(r) - before) / (double)calls;
	r->options.spread = (uint32_t)spread;
	return bytes;
}

int
bench_engine(int argc, char **argv)
{
	static struct run r;
	uint64_t number = FIRST_NUMBER, lingering;
	double finished, established = 0;
	struct bench_json json;

	read_options(argc, argv, &r.options);
	bench_pin(r.options.cpu);
	urcu_qsbr_register_thread();
	begin(&r);
	json = bench_json_open(r.options.json);
	bench_machine(&json);
	lingering = (uint64_t)r.options.rate * r.options.linger_ms / 1000;
	printf("parser %s, %s, %llu calls linger\n", bp_variant->name, engine_edge_pages(),
		(unsigned long long)lingering);

	number = run_calls(&r, number, lingering * 11 / 10 + 1024, ENGINE_STEPS);
	r.measuring = true;
	number = run_calls(&r, number, r.options.calls, ENGINE_STEPS);
	r.measuring = false;
	finished = (double)in_use(&r) / (double)lingering;
	settle(&r);
	for (unsigned i = 0; i < 2; i++)
		settle(&r);
	if (!law_holds(&r) || !all_came_back(&r))
		r.bad++;
	if (strcmp(r.scenario->name, "bye") == 0)
		established = measure_established(&r, &number);
	report(&r, &json, finished, established);
	bench_json_text(&json, "counting_law", r.bad == 0 ? "holds" : "off");
	bench_json_close(&json);
	printf(r.bad == 0 ? "every call as it should be, all memory came back\n" : "WRONG: %llu\n",
		(unsigned long long)r.bad);
	urcu_qsbr_unregister_thread();
	engine_edge_end(&r.edge);
	return r.bad == 0 ? 0 : 1;
}
