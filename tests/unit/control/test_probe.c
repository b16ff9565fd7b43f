/* SPDX-License-Identifier: BSD-3-Clause
 *
 * When probes are sent and what they make of a target, in virtual time, with a data path that only notes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_dataplane.h"
#include "probe.h"

#define MS(n) ((uint64_t)(n)*1000)
#define INTERVAL MS(10000)
#define TIMEOUT MS(2000)

struct scene {
	struct bp_config config;
	struct bp_config_trunk trunks[2];
	struct bp_config_target targets[3];
	struct bp_dataplane dataplane;
	struct bp_prober *prober;
	uint64_t now_us;
};

static struct bp_trunk_health *
make_state(unsigned targets)
{
	size_t size = sizeof(struct bp_trunk_health) + targets * sizeof(struct bp_target_health);
	struct bp_trunk_health *state = aligned_alloc(64, size);

	memset(state, 0, size);
	return state;
}

static int
setup(void **state)
{
	struct scene *s = aligned_alloc(64, (sizeof(*s) + 63) / 64 * 64);

	memset(s, 0, sizeof(*s));
	s->config.timers = (struct bp_config_timers){.t1_us = MS(500), .t2_us = MS(4000)};
	s->config.trunk_count = 2;
	s->config.trunks = s->trunks;
	for (unsigned i = 0; i < 2; i++) {
		s->trunks[i].targets = &s->targets[i];
		s->trunks[i].target_count = (uint16_t)(i + 1);
		s->trunks[i].state = make_state(i + 1);
	}
	s->trunks[1].probe = (struct bp_config_probe){INTERVAL, TIMEOUT, 2, 3};
	s->now_us = MS(1000000);
	s->dataplane.probe_room = 1000;
	assert_int_equal(bp_prober_create(&s->prober, &s->config, s->now_us, 42), 0);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	bp_prober_free(s->prober);
	free(s->trunks[0].state);
	free(s->trunks[1].state);
	free(s);
	return 0;
}

/* Turns every 20 ms until a probe of the second trunk's @target is sent; returns its number. The other target answers. */
static uint32_t
next_probe(struct scene *s, unsigned target, uint64_t most_us)
{
	uint64_t end_us = s->now_us + most_us;

	for (; s->now_us < end_us; s->now_us += MS(20)) {
		uint32_t found = 0;

		s->dataplane.probe_count = 0;
		bp_prober_turn(s->prober, &s->dataplane, s->now_us);
		for (unsigned i = 0; i < s->dataplane.probe_count; i++) {
			uint64_t probe = s->dataplane.probes[i];
			unsigned at = probe >> 32 & 0xffff;

			assert_int_equal(probe >> 48, 1); /* the first trunk is not probed */
			if (at == target)
				found = (uint32_t)probe;
			else
				bp_health_set(&s->trunks[1].state->targets[at].answered, (probe & 0xffffffff) << 16 | 200);
		}
		if (found != 0)
			return found;
	}
	return 0;
}

static void
answer(struct scene *s, unsigned target, uint32_t number, uint16_t status)
{
	bp_health_set(&s->trunks[1].state->targets[target].answered, (uint64_t)number << 16 | status);
}

static bool
is_down(struct scene *s, unsigned target)
{
	return bp_health_get(&s->trunks[1].state->targets[target].probed_down) != 0;
}

/* At its interval, a tenth more or less, each with a number of its own; not always the same. */
static void
at_intervals(void **state)
{
	struct scene *s = *state;
	uint64_t last_us = 0, shortest = UINT64_MAX, longest = 0;

	for (uint32_t i = 1; i <= 20; i++) {
		assert_int_equal(next_probe(s, 0, 2 * INTERVAL), i);
		answer(s, 0, i, 200);
		if (i > 1) {
			uint64_t us = s->now_us - last_us;

			assert_in_range(us, INTERVAL * 9 / 10, INTERVAL * 11 / 10 + MS(20));
			shortest = us < shortest ? us : shortest;
			longest = us > longest ? us : longest;
		}
		last_us = s->now_us;
	}
	assert_true(longest - shortest > INTERVAL / 20);
	assert_false(is_down(s, 0));
}

/* As timer E: after T1 and 3*T1, with the same number, until its time is over. */
static void
repeated(void **state)
{
	struct scene *s = *state;
	uint32_t number = next_probe(s, 0, 2 * INTERVAL);
	uint64_t begin_us = s->now_us;

	s->now_us += MS(20);
	assert_int_equal(next_probe(s, 0, TIMEOUT), number);
	assert_int_equal(s->now_us - begin_us, MS(500));
	s->now_us += MS(20);
	assert_int_equal(next_probe(s, 0, TIMEOUT), number);
	assert_int_equal(s->now_us - begin_us, MS(1500));
	s->now_us += MS(20);
	assert_int_equal(next_probe(s, 0, MS(5000)), 0);
	s->now_us += MS(20);
	assert_int_equal(next_probe(s, 0, INTERVAL), number + 1);
}

/* Lets a probe be answered with @status. */
static void
one(struct scene *s, uint16_t status)
{
	uint32_t number = next_probe(s, 0, 2 * INTERVAL);

	assert_int_not_equal(number, 0);
	answer(s, 0, number, status);
	s->now_us += MS(20);
	assert_int_equal(next_probe(s, 0, MS(20)), 0); /* judged */
}

/* Three in succession without an answer make it down, two with one up again. What a target answers does not matter but for
 * 503 and 408. */
static void
thresholds(void **state)
{
	struct scene *s = *state;
	struct bp_prober_counts counts;

	one(s, 503);
	one(s, 408);
	one(s, 404);
	one(s, 503);
	one(s, 503);
	assert_false(is_down(s, 0));
	one(s, 503);
	assert_true(is_down(s, 0));
	assert_false(is_down(s, 1));
	one(s, 200);
	one(s, 503);
	one(s, 200);
	assert_true(is_down(s, 0));
	one(s, 200);
	assert_false(is_down(s, 0));
	assert_true(bp_prober_read(s->prober, 1, 0, &counts));
	assert_int_equal(counts.answered, 4);
	assert_int_equal(counts.failed, 6);
	assert_false(bp_prober_read(s->prober, 0, 0, &counts));
}

/* Silence does the same, each time only when the time is over; an answer to an earlier probe is none. */
static void
silence(void **state)
{
	struct scene *s = *state;

	for (unsigned i = 0; i < 3; i++) {
		uint32_t number = next_probe(s, 0, 2 * INTERVAL);
		uint64_t begin_us = s->now_us;

		answer(s, 0, number - 1, 200);
		for (s->now_us += MS(20); s->now_us < begin_us + TIMEOUT; s->now_us += MS(20)) {
			s->dataplane.probe_count = 0;
			bp_prober_turn(s->prober, &s->dataplane, s->now_us);
			assert_false(is_down(s, 0));
		}
		s->dataplane.probe_count = 0;
		bp_prober_turn(s->prober, &s->dataplane, s->now_us);
	}
	assert_true(is_down(s, 0));
}

/* When workers cannot send, nothing is learnt of the targets. */
static void
busy_workers(void **state)
{
	struct scene *s = *state;

	s->dataplane.probe_room = 0;
	for (unsigned i = 0; i < 10000; i++, s->now_us += MS(20))
		bp_prober_turn(s->prober, &s->dataplane, s->now_us);
	assert_false(is_down(s, 0));
	assert_false(is_down(s, 1));
	s->dataplane.probe_room = 1000;
	assert_int_not_equal(next_probe(s, 0, 2 * INTERVAL), 0);
}

/* A name without an answer: nothing was sent, so nothing is learnt, and the next one comes at its time. */
static void
skipped(void **state)
{
	struct scene *s = *state;
	struct bp_prober_counts counts;

	for (unsigned i = 0; i < 5; i++)
		one(s, BP_PROBE_SKIPPED);
	assert_false(is_down(s, 0));
	assert_true(bp_prober_read(s->prober, 1, 0, &counts));
	assert_int_equal(counts.answered + counts.failed, 0);
	one(s, 503);
	one(s, 503);
	one(s, BP_PROBE_SKIPPED);
	one(s, 503);
	assert_true(is_down(s, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(at_intervals, setup, teardown),
		cmocka_unit_test_setup_teardown(repeated, setup, teardown),
		cmocka_unit_test_setup_teardown(thresholds, setup, teardown),
		cmocka_unit_test_setup_teardown(silence, setup, teardown),
		cmocka_unit_test_setup_teardown(busy_workers, setup, teardown),
		cmocka_unit_test_setup_teardown(skipped, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
