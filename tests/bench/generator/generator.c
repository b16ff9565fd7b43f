/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Making a generator, and its turns. See generator.h.
 */
#include "generator/frame.h"
#include "generator/messages.h"
#include "generator/side.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_prefetch.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define TIMERS_PER_TURN 64
#define PREFETCH 4

static uint32_t
ticks(const struct gen *gen, double seconds)
{
	return (uint32_t)(seconds * gen->options.tsc_hz / (1 << TIMERS_TICK_BITS));
}

/* Intervals doubled up to @most, and a last one that ends 64*T1 after the beginning (RFC 3261 17.1). */
static void
make_backoff(const struct gen *gen, struct backoff *backoff, double most)
{
	double t1 = gen->options.t1_s, interval = t1, spent = 0;
	unsigned i = 0;

	memset(backoff, 0, sizeof(*backoff));
	for (; i < BACKOFF_MAX - 1 && spent + interval < 64 * t1; i++) {
		backoff->intervals[i] = ticks(gen, interval);
		spent += interval;
		interval = interval * 2 < most ? interval * 2 : most;
	}
	if (i < BACKOFF_MAX - 1)
		backoff->intervals[i] = ticks(gen, 64 * t1 - spent);
}

/* One of 256 entries is drawn for each call. */
static int
make_mix(struct gen *gen, char *error)
{
	unsigned total = 0, sum = 0, at = 0;

	for (unsigned i = 0; i < GEN_SCENARIO_COUNT; i++)
		total += gen->options.weights[i];
	if (total == 0) {
		snprintf(error, 256, "no scenario");
		return -EINVAL;
	}
	for (unsigned i = 0; i < GEN_SCENARIO_COUNT; i++) {
		sum += gen->options.weights[i];
		while (at < sum * 256 / total)
			gen->scenarios[at++] = (uint8_t)i;
	}
	return 0;
}

/* The file's lines as pieces. */
static int
read_headers(struct gen *gen, const char *path, char *error)
{
	FILE *file = fopen(path, "r");
	char line[1024], *at;
	size_t used = 0;

	gen->extra = calloc(1, MESSAGE_MAX);
	if (file == NULL || gen->extra == NULL) {
		snprintf(error, 256, "%s: %s", path, strerror(errno));
		if (file != NULL)
			fclose(file);
		return -EINVAL;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		while ((at = strstr(line, "{call}")) != NULL) {
			*at = NUMBER[0];
			memmove(at + 1, at + 6, strlen(at + 6) + 1);
		}
		if (line[0] == '\0')
			continue;
		used += (size_t)snprintf(gen->extra + used, MESSAGE_MAX - used, "%s\r\n", line);
		if (strchr(line, ':') == NULL || used >= MESSAGE_MAX) {
			snprintf(error, 256, "%s: \"%.100s\" is no header line, or they are too long", path, line);
			fclose(file);
			return -EINVAL;
		}
	}
	fclose(file);
	return 0;
}

static int
check_options(const struct gen_options *options, char *error)
{
	if (options->calls_max == 0 || options->calls_max > (uint32_t)1 << GEN_INDEX_BITS) {
		snprintf(error, 256, "between 1 and %u calls may be open", 1u << GEN_INDEX_BITS);
		return -EINVAL;
	}
	if (options->t1_s < 0.001 || options->t2_s < options->t1_s || options->t1_s > 10) {
		snprintf(error, 256, "T1 must be 1 ms to 10 s, T2 not less");
		return -EINVAL;
	}
	if (options->ring_s < 0 || options->ring_s > 3600 || options->hold_s < 0 || options->hold_s > 3600) {
		snprintf(error, 256, "ring and hold times are 0 to 3600 s");
		return -EINVAL;
	}
	return 0;
}

static void
set_times(struct gen *gen)
{
	const struct gen_options *options = &gen->options;
	double durations[] = {options->t1_s, 2 * options->t1_s, 4 * options->t1_s, options->t2_s, 64 * options->t1_s,
		options->ring_s, options->hold_s};

	gen->ring = ticks(gen, options->ring_s);
	gen->hold = ticks(gen, options->hold_s);
	gen->t1_64 = ticks(gen, 64 * options->t1_s);
	gen->no_final = ticks(gen, options->ring_s + 180);
	make_backoff(gen, &gen->doubled, 64 * options->t1_s);
	make_backoff(gen, &gen->capped, options->t2_s);
	timers_begin(&gen->timers, gen->calls.calls, options->tsc_hz, durations,
		sizeof(durations) / sizeof(durations[0]));
}

static int
make_pool(struct gen *gen, char *error)
{
	static unsigned made;
	char name[32];

	snprintf(name, sizeof(name), "generator-%u", made++);
	gen->pool = rte_pktmbuf_pool_create(
		name, 8191, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, gen->options.socket);
	if (gen->pool == NULL) {
		snprintf(error, 256, "no memory for mbufs");
		return -ENOMEM;
	}
	return 0;
}

static int
make_parts(struct gen *gen, char *error)
{
	const struct gen_options *options = &gen->options;
	int failed = check_options(options, error);

	if (failed == 0)
		failed = make_mix(gen, error);
	if (failed == 0)
		failed = frame_side_create(&gen->sides[CALLER], error);
	if (failed == 0)
		failed = frame_side_create(&gen->sides[CALLEE], error);
	gen->redirect = gen->direct && (gen->sides[CALLER].place_count > 1 || gen->sides[CALLEE].place_count > 1);
	if (failed == 0 && options->headers != NULL)
		failed = read_headers(gen, options->headers, error);
	if (failed != 0)
		return failed;
	snprintf(error, 256, "no memory");
	if (shapes_create(gen) != 0 || calls_create(&gen->calls, options->calls_max) != 0)
		return -ENOMEM;
	gen->calls.serial = (uint32_t)(gen->random >> 13); /* so that branches are this run's own, too */
	set_times(gen);
	failed = make_pool(gen, error);
	return failed == 0 ? messages_create(gen, error) : failed;
}

static void
set_target(struct gen *gen)
{
	const struct gen_end *end = &gen->options.caller;
	uint32_t ip = htonl(end->peer_ip);
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &ip, text, sizeof(text));
	if (gen->options.target != NULL)
		snprintf(gen->target, sizeof(gen->target), "%s", gen->options.target);
	else
		snprintf(gen->target, sizeof(gen->target), "%s:%u", text, end->peer_udp);
}

int
gen_create(struct gen **gen, const struct gen_options *options, char *error)
{
	struct gen *made = aligned_alloc(64, (sizeof(*made) + 63) / 64 * 64);
	int failed;

	if (made == NULL) {
		snprintf(error, 256, "no memory");
		return -ENOMEM;
	}
	memset(made, 0, sizeof(*made));
	made->options = *options;
	if (made->options.tsc_hz == 0)
		made->options.tsc_hz = (double)rte_get_tsc_hz();
	made->direct = options->direct;
	made->random = options->seed * 2862933555777941757u + 3037000493u;
	made->compare = compare_choose();
	made->sides[CALLER].end = options->caller;
	made->sides[CALLEE].end = options->callee;
	made->shared_queue = options->caller.port == options->callee.port &&
		options->caller.rx_queue == options->callee.rx_queue;
	snprintf(made->run, sizeof(made->run), "%08x", (uint32_t)(made->random >> 32));
	set_target(made);
	failed = make_parts(made, error);
	if (failed != 0) {
		gen_free(made);
		return failed;
	}
	gen_report_reset(made);
	*gen = made;
	return 0;
}

void
gen_free(struct gen *gen)
{
	if (gen == NULL)
		return;
	for (uint32_t i = 0; i < gen->stash_count; i++)
		rte_pktmbuf_free(gen->stash[i]);
	rte_mempool_free(gen->pool);
	shapes_free(gen);
	calls_free(&gen->calls);
	free(gen->extra);
	free(gen);
}

static void
wrong(struct gen *gen, const struct message *message, enum gen_fault fault)
{
	gen->report.wrong[fault]++;
	if (message->call != NULL)
		call_fail(message->call, GEN_FAILED_WRONG_MESSAGE);
}

static void
receive_message(struct gen *gen, enum side_id id, const struct frame_in *in, const struct rte_mbuf *mbuf)
{
	enum gen_fault fault = GEN_FAULT_NONE;
	struct message message;

	switch (message_check(gen, id, in, &message, &fault)) {
	case MESSAGE_GOOD:
		gen->report.received[message.shape->kind]++;
		if (id == CALLEE)
			callee_receive(gen, &message);
		else
			caller_receive(gen, &message);
		break;
	case MESSAGE_LATE:
		gen->report.late++;
		break;
	case MESSAGE_PING:
		callee_ping(gen, id, mbuf);
		break;
	case MESSAGE_WRONG:
		wrong(gen, &message, fault);
		break;
	case MESSAGE_REFUSED:
		break;
	}
}

/* One frame, for one side or, on a common queue, for whichever has its address. */
static void
receive(struct gen *gen, enum side_id id, struct rte_mbuf *mbuf)
{
	struct frame_in in;
	enum frame_is is = frame_read(gen, &gen->sides[id], mbuf, &in);

	gen->report.bytes_in += mbuf->pkt_len;
	if (is == FRAME_OTHER && gen->shared_queue) {
		id = id == CALLER ? CALLEE : CALLER;
		is = frame_read(gen, &gen->sides[id], mbuf, &in);
	}
	switch (is) {
	case FRAME_MESSAGE:
		receive_message(gen, id, &in, mbuf);
		break;
	case FRAME_ARP:
		frame_arp(gen, &gen->sides[CALLER], mbuf);
		if (gen->shared_queue || id == CALLEE)
			frame_arp(gen, &gen->sides[CALLEE], mbuf);
		break;
	case FRAME_WRONG:
		gen->report.wrong[GEN_FAULT_FRAME]++;
		break;
	case FRAME_OTHER:
		gen->report.frames_ignored++;
		break;
	}
	frame_return(gen, mbuf);
}

static void
look(struct gen *gen)
{
	if (gen->options.virtual_time)
		return;
	gen->now = rte_rdtsc();
	gen->tick = timers_tick(gen->now);
}

static unsigned
receive_burst(struct gen *gen, enum side_id id)
{
	const struct gen_end *end = &gen->sides[id].end;
	struct rte_mbuf *mbufs[BURST];
	uint16_t count = rte_eth_rx_burst(end->port, end->rx_queue, mbufs, BURST);

	if (count == 0)
		return 0;
	look(gen);
	gen->report.frames_in += count;
	for (uint16_t i = 0; i < count && i < PREFETCH; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (uint16_t i = 0; i < count; i++) {
		if (i + PREFETCH < count)
			rte_prefetch0(rte_pktmbuf_mtod(mbufs[i + PREFETCH], void *));
		receive(gen, id, mbufs[i]);
	}
	return count;
}

static bool
more_calls(const struct gen *gen)
{
	return gen->options.calls_total == 0 || gen->begun < gen->options.calls_total;
}

static unsigned
begin_calls(struct gen *gen)
{
	uint32_t window = gen->options.window;
	uint64_t intended = gen->now;
	unsigned count = 0;

	while (count < BURST && more_calls(gen)) {
		if (gen->schedule.closed) {
			if (gen->calls.open >= window)
				break;
		} else if (!schedule_due(&gen->schedule, gen->now, &intended)) {
			break;
		}
		gen->begun++;
		count++;
		if (!caller_begin(gen, intended) && gen->schedule.closed)
			break;
	}
	return count;
}

static unsigned
run_timers(struct gen *gen)
{
	struct call *call;
	unsigned count = 0;

	while (count < TIMERS_PER_TURN && (call = timers_pop(&gen->timers, gen->tick)) != NULL) {
		call_timer(gen, call);
		count++;
	}
	return count;
}

static void
get_ready(struct gen *gen)
{
	frame_ask(gen, &gen->sides[CALLER]);
	frame_ask(gen, &gen->sides[CALLEE]);
	gen->ready = gen->sides[CALLER].mac_known && gen->sides[CALLEE].mac_known;
	if (gen->ready)
		gen_rate(gen, gen->options.rate);
}

bool
gen_turn(struct gen *gen, uint64_t tsc)
{
	unsigned work;

	gen->now = tsc;
	gen->tick = timers_tick(tsc);
	work = receive_burst(gen, CALLEE);
	frame_flush(gen, &gen->sides[CALLEE]);
	if (!gen->shared_queue)
		work += receive_burst(gen, CALLER);
	if (gen->ready)
		work += begin_calls(gen);
	else
		get_ready(gen);
	if (timers_due(&gen->timers, gen->tick))
		work += run_timers(gen);
	frame_flush(gen, &gen->sides[CALLER]);
	frame_flush(gen, &gen->sides[CALLEE]);
	gen->report.turns++;
	if (work == 0)
		return false;
	gen->report.busy_turns++;
	if (!gen->options.virtual_time)
		gen->report.busy_cycles += rte_rdtsc() - tsc;
	return true;
}

void
gen_rate(struct gen *gen, double rate)
{
	gen->options.rate = rate;
	schedule_set(&gen->schedule, rate, gen->options.tsc_hz, gen->now);
}

bool
gen_ready(const struct gen *gen)
{
	return gen->ready;
}

bool
gen_idle(const struct gen *gen)
{
	return gen->calls.open == 0;
}

bool
gen_exhausted(const struct gen *gen)
{
	return !more_calls(gen);
}

void
gen_abandon(struct gen *gen)
{
	for (uint32_t i = 0; i < gen->calls.count && gen->calls.open > 0; i++) {
		if (gen->calls.calls[i].number != 0)
			call_drop(gen, &gen->calls.calls[i]);
	}
}
