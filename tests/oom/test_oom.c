/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every flow with the Nth request for memory refused, for every N until the flow asks no more: then a new request gets
 * 503 with Retry-After, or what could not be kept is counted and the flow goes on. Nothing leaks, nobody gets two
 * final responses, the counting law holds, and the next call through the same edge is as good as ever.
 */
#include "dry.h"
#include "people.h"

#include "proxy/context.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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

/* To where the Request-URI says, a name: requests wait for it. */
static void
by_name(struct bp_config *config)
{
	config->routes[0] = (struct bp_config_route){.from = 0, .trunk = BP_CONFIG_NONE, .realm = 1};
}

/* The reaper says BYE to both. */
static void
soon_by_bye(struct bp_config *config)
{
	config->reap_by_bye = true;
	config->dialog_us = SECONDS(40);
}

static const struct script scripts[] = {
	{"named", "INVITE", .bob = {180, 200}, .bye = true, .prepare = by_name, .named = true,
		.expected = "INVITE 200, BYE 200"},
	{"named failover", "INVITE", .bob = {0, 503}, .carol = {180, 200}, .bye = true, .prepare = by_name, .named = true,
		.expected = "INVITE 200, BYE 200"},
	{"named cancelled early", "INVITE", .bob = {180, 0}, .cancel_at = 100, .prepare = by_name, .named = true,
		.expected = "CANCEL 200, INVITE 487"},
	{"named message", "MESSAGE", .bob = {0, 503}, .carol = {0, 200}, .prepare = by_name, .named = true,
		.expected = "MESSAGE 200"},
	{"answered", "INVITE", .bob = {180, 200}, .bye = true, .expected = "INVITE 200, BYE 200"},
	{"dialog", "INVITE", .bob = {183, 200}, .dialog = true, .bye = true,
		.expected = "INVITE 200, INVITE 200, INFO 200, BYE 200"},
	{"ended by the edge", "INVITE", .bob = {180, 200}, .prepare = soon_by_bye, .expected = "INVITE 200"},
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

/* All is back, promises as well; a worker holds its stock and the last chunk of each FIFO. */
static void
check_pools(struct world *w)
{
	int64_t credit = *bp_memory_timer_credit(w->engines[0]->memory);

	for (unsigned i = 0; i < w->options.workers; i++)
		credit += w->engines[i]->timers.credit;
	check_int(w, credit, bp_timers_credit(w->options.transactions, w->options.dialogs, w->options.workers));
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
		.prepare = script->prepare, .names = script->named, .names_late = script->named};
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
	world_names_forget(w);
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

/* ---- more timers than anybody reckoned with ---- */

#define TARGETS 7
#define FLOOD 1024u /* calls: as many as there are records */

static struct peer targets[TARGETS];

static void
seven_at_once(struct bp_config *config)
{
	struct bp_config_trunk *trunk = &config->trunks[0];

	trunk->target_count = TARGETS;
	trunk->targets = realloc(trunk->targets, TARGETS * sizeof(*trunk->targets));
	trunk->parallel = true;
	for (unsigned i = 0; i < TARGETS; i++) {
		static char hosts[TARGETS][16];

		snprintf(hosts[i], sizeof(hosts[i]), "10.0.0.%u", i + 2);
		targets[i] = (struct peer){.name = "target", .host = hosts[i], .port = 5060, .listener = CORE};
		trunk->targets[i] =
			(struct bp_config_target){.flow = peer_flow(&targets[i]), .priority = 1, .weight = 1};
	}
}

/* Who got an INVITE just now rings. Returns how many. */
static unsigned
all_ring(struct world *w, unsigned *at)
{
	unsigned count = 0;

	for (; *at < w->log_count; ++*at) {
		struct passed *passed = &w->log[*at];
		const struct peer *target = &targets[(passed->flow.ip.bytes[15] - 2) % TARGETS];

		passed->taken = true;
		if (!passed->out || text_status(passed->text) != 0 || strcmp(text_method(passed->text), "INVITE") != 0)
			continue;
		say(w, target, ua_response(target, passed->text, 180, ua_new_tag()));
		count++;
	}
	return count;
}

/* Every record is a fork to seven who ring, then all are cancelled, and nobody answers any more: several times the timers
 * that their pool was made for. What was let in has all of its timers, hence its end; the others got 503. */
static void
flood_of_forks(void **state)
{
	struct world_options options = {.workers = 1, .transactions = FLOOD, .dialogs = FLOOD, .kept_bytes = 64 << 20,
		.prepare = seven_at_once};
	void *world_state = &options;
	const char *invites[FLOOD];
	unsigned at = 0, let_in;
	struct world *w;

	dry_between(0, 0);
	assert_int_equal(world_setup(&world_state), 0);
	w = world_state;
	for (unsigned i = 0; i < FLOOD; i++) {
		invites[i] = ua_invite(&alice, "sip:bob@example.com");
		say(w, &alice, invites[i]);
		all_ring(w, &at);
	}
	let_in = (unsigned)world_sum(w)->transactions_created[BP_KIND_INVITE];
	check(w, let_in > FLOOD / 10);
	check_int(w, world_sum(w)->responses[BP_OUT][503], FLOOD - let_in);
	for (unsigned i = 0; i < FLOOD; i++)
		say(w, &alice, ua_cancel(invites[i]));
	check_int(w, world_sum(w)->requests[BP_OUT][BP_METHOD_CANCEL], let_in * TARGETS);
	w->unchecked = true;
	world_idle(w);
	world_take(w, NULL);
	world_quiesce(w);
	print_message("%u of %u forks to seven were let in\n", let_in, FLOOD);
	check_int(w, world_sum(w)->drops[BP_DROP_timer_no_memory], 0);
	check_pools(w);
	assert_int_equal(world_teardown(&world_state), 0);
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
		cmocka_unit_test(flood_of_forks),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
