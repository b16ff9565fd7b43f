/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every flow with the Nth request for memory refused, for every N until the flow asks no more: then a new request gets
 * 503 with Retry-After, or what could not be kept is counted and the flow goes on. Nothing leaks, nobody gets two
 * final responses, the counting law holds, and the next call through the same edge is as good as ever.
 */
#include "dry.h"
#include "people.h"

#include "transaction/timers.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static void
both_at_once(struct bp_config *config)
{
	world_config_two_targets(config, 1, 1);
	config->trunks[0].parallel = true;
}

static void
bob_then_carol(struct bp_config *config)
{
	world_config_two_targets(config, 1, 2);
	config->trunks[0].timeout_us = SECONDS(2);
}

static const struct script scripts[] = {
	{"answered", "INVITE", .bob = {180, 200}, .bye = true, .expected = "INVITE 200, BYE 200"},
	{"dialog", "INVITE", .bob = {183, 200}, .dialog = true, .bye = true,
		.expected = "INVITE 200, INVITE 200, INFO 200, BYE 200"},
	{"two answers", "INVITE", .bob = {180, 200, .twice = true}, .bye = true,
		.expected = "INVITE 200, INVITE 200, BYE 200"},
	{"cancelled", "INVITE", .bob = {180, 0}, .cancel_at = 180, .expected = "CANCEL 200, INVITE 487"},
	{"cancelled early", "INVITE", .bob = {180, 0}, .cancel_at = 100, .expected = "CANCEL 200, INVITE 487"},
	{"refused", "INVITE", .bob = {180, 486}, .again = true, .expected = "INVITE 486, ACK again 0"},
	{"silence", "INVITE", .expected = "INVITE 408"},
	{"fork answered", "INVITE", .bob = {180, 0}, .carol = {180, 200}, .bye = true, .prepare = both_at_once,
		.expected = "INVITE 200, BYE 200"},
	{"fork refused", "INVITE", .bob = {180, 401, .challenge = "WWW-Authenticate: Digest realm=\"b\", nonce=\"1\""},
		.carol = {180, 407, .challenge = "Proxy-Authenticate: Digest realm=\"c\", nonce=\"2\""},
		.prepare = both_at_once, .expected = "INVITE 401"},
	{"fork cancelled", "INVITE", .bob = {180, 0}, .carol = {183, 0}, .cancel_at = 183, .prepare = both_at_once,
		.expected = "CANCEL 200, INVITE 487"},
	{"failover", "INVITE", .bob = {0, 503}, .carol = {180, 200}, .bye = true, .prepare = bob_then_carol,
		.expected = "INVITE 200, BYE 200"},
	{"failover from silence", "INVITE", .carol = {180, 200}, .bye = true, .prepare = bob_then_carol,
		.expected = "INVITE 200, BYE 200"},
	{"all fail", "INVITE", .bob = {0, 503}, .carol = {0, 503}, .prepare = bob_then_carol,
		.expected = "INVITE 500"},
	{"message", "MESSAGE", .bob = {0, 200}, .again = true, .expected = "MESSAGE 200, again 200"},
	{"message refused", "MESSAGE", .bob = {0, 486}, .again = true, .expected = "MESSAGE 486, again 486"},
	{"message failover", "MESSAGE", .bob = {0, 503}, .carol = {0, 200}, .prepare = bob_then_carol,
		.expected = "MESSAGE 200"},
	{"message fork", "MESSAGE", .bob = {0, 200}, .carol = {0, 404}, .prepare = both_at_once,
		.expected = "MESSAGE 200"},
	{"message unanswered", "MESSAGE", .expected = ""},
};
#define SCRIPTS (sizeof(scripts) / sizeof(scripts[0]))

static uint64_t
dropped(struct world *w)
{
	const struct bp_counters *sum = world_sum(w);
	uint64_t count = 0;

	for (unsigned i = 0; i < BP_DROP_COUNT; i++)
		count += sum->drops[i];
	return count;
}

static uint64_t
in_use(struct world *w, enum bp_pool_kind pool)
{
	return world_sum(w)->pool_taken_bytes[pool] - world_sum(w)->pool_returned_bytes[pool];
}

static uint64_t
times_dry(struct world *w)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < BP_POOL_KIND_COUNT; i++)
		count += world_sum(w)->pool_dry[i];
	return count;
}

/* All is back; a worker holds its stock and the last chunk of each FIFO. */
static void
check_pools(struct world *w)
{
	check_int(w, in_use(w, BP_POOL_KIND_record), 0);
	check_int(w, in_use(w, BP_POOL_KIND_dialog), 0);
	check_int(w, in_use(w, BP_POOL_KIND_kept), 0);
	check(w, in_use(w, BP_POOL_KIND_timer) <=
			w->options.workers * (BP_TIMER_STOCK + BP_DURATION_COUNT) * sizeof(struct bp_timer_chunk));
}

/* How many were refused, and what that did. */
struct tally {
	unsigned runs, refused, counted, unharmed;
};

static void
check_play(struct world *w, const struct play *done, uint64_t dropped_before, struct tally *tally)
{
	bool as_ever = strcmp(done->outcome, done->script->expected) == 0;

	if (done->wrong != NULL)
		world_fail(w, __FILE__, __LINE__, "%s", done->wrong);
	if (!as_ever && !done->refused && dropped(w) == dropped_before)
		world_fail(w, __FILE__, __LINE__, "\"%s\" is neither a 503 nor counted", done->outcome);
	tally->runs++;
	if (as_ever)
		tally->unharmed++;
	else if (done->refused)
		tally->refused++;
	else
		tally->counted++;
}

/* One world: the script with requests for memory @first to @last refused, then without. False: fewer were made. */
static bool
run(const struct script *script, uint16_t workers, unsigned first, unsigned last, struct tally *tally)
{
	struct world_options options = {.workers = workers, .transactions = 128, .dialogs = 64, .kept_bytes = 1 << 20,
		.prepare = script->prepare};
	void *state = &options;
	struct play done;
	struct world *w;
	unsigned asked;

	dry_between(0, 0);
	assert_int_equal(world_setup(&state), 0);
	w = state;
	snprintf(w->note, sizeof(w->note), "%s: %u to %u of %u workers", script->name, first, last, workers);
	dry_between(first, last);
	play(&done, w, script);
	asked = dry_asked();
	dry_between(0, 0);
	if (asked >= first)
		check_int(w, times_dry(w), (asked < last ? asked : last) - first + 1);
	check_play(w, &done, 0, tally);
	play(&done, w, script);
	check_text(w, done.outcome, script->expected);
	check(w, done.wrong == NULL);
	world_idle(w);
	world_take(w, NULL);
	world_quiesce(w);
	check_pools(w);
	assert_int_equal(world_teardown(&state), 0);
	return asked >= first;
}

/* Refuses @count requests, or all that follow (0), beginning with each. */
static void
every_nth(uint16_t workers, unsigned count)
{
	for (unsigned i = 0; i < SCRIPTS; i++) {
		struct tally tally = {0};
		unsigned n = 1;

		while (run(&scripts[i], workers, n, count ? n + count - 1 : UINT_MAX, &tally))
			n++;
		print_message("%-22s %3u requests for memory: %3u refused with 503, %3u counted, %3u unharmed\n",
			scripts[i].name, n - 1, tally.refused, tally.counted, tally.unharmed - 1);
		assert_in_range(n, 5, 1000);
		assert_true(tally.refused > 0);
	}
}

static void
one_refused(void **state)
{
	every_nth(1, 1);
}

static void
two_refused(void **state)
{
	every_nth(1, 2);
}

static void
all_refused_from_one_on(void **state)
{
	every_nth(1, 0);
}

static void
one_refused_of_two_workers(void **state)
{
	every_nth(2, 1);
}

static void
all_refused_of_two_workers(void **state)
{
	every_nth(2, 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_refused),
		cmocka_unit_test(two_refused),
		cmocka_unit_test(all_refused_from_one_on),
		cmocka_unit_test(one_refused_of_two_workers),
		cmocka_unit_test(all_refused_of_two_workers),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
