/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The table of dataplane/transaction/table.c in one bucket: two and three workers add, find and remove,
 * interrupted before each atomic access, in every order. All nodes have the same tag, so that every lookup looks at every
 * node. At the end the bucket is walked: each node stands in it as often as it should, and nothing is half done.
 */
#include "explorer.h"

#include "transaction/table.c"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NODES 16
#define STEPS 3 /* of one act */
#define DEEP 8  /* in acts: takes a minute */

/* What an act does, one after the other. */
enum what { NOTHING, ADD, FIND, REMOVE, FIND_REMOVE, REMOVE_ADD };
struct step {
	enum what what;
	int node;  /* that is added, removed, or whose id is looked for */
	int other; /* REMOVE_ADD: added after that */
};

struct scenario {
	const char *name;
	int before;                        /* nodes 0 ... before-1 are in the table */
	unsigned acts;
	struct step steps[EXPLORER_ACTS_MAX][STEPS];
	int must[NODES];  /* ends with -1: these nodes are in the table at the end */
	int among[NODES]; /* ends with -1: exactly one of these, which have one id */
	int gone[NODES];  /* ends with -1: these are not */
};

static struct bp_table_node nodes[NODES], nodes_before[NODES];
static struct bucket bucket, bucket_before;
static struct bp_table table = {.buckets = &bucket, .count = 1, .nodes = (uint8_t *)nodes, .slot_size = sizeof(nodes[0])};
static const struct scenario *scenario;
static struct bp_table_node *results[EXPLORER_ACTS_MAX][STEPS];
static struct explorer_stats total;

/* Nodes of one id: 8 and 9 and 10. All others have their own. All have the same tag. */
static uint64_t
second_half(int node)
{
	return node == 9 || node == 10 ? 8 : (uint64_t)node;
}

static _Noreturn void
wrong(const char *why)
{
	printf("%s: %s (schedule %s)\n", scenario->name, why, explorer_schedule());
	fail();
	abort();
}

static void
reset(void *context)
{
	bucket = bucket_before;
	memcpy(nodes, nodes_before, sizeof(nodes));
	memset(results, 0, sizeof(results));
}

static bool
same_id(const struct bp_table_node *a, const struct bp_table_node *b)
{
	return a->id[1] == b->id[1];
}

static struct bp_table_node *
take(const struct step *step)
{
	return bp_table_remove(&table, &nodes[step->node]) ? &nodes[step->node] : NULL;
}

/* Whoever finds a node may remove it, even before the one who adds it has come back. */
static struct bp_table_node *
find_and_take(const struct step *step)
{
	struct bp_table_node *found = bp_table_find(&table, nodes[step->node].id, NULL, NULL);

	return found && bp_table_remove(&table, found) ? found : NULL;
}

static void
act(void *context, unsigned number)
{
	for (unsigned i = 0; i < STEPS; i++) {
		const struct step *step = &scenario->steps[number][i];
		struct bp_table_node **result = &results[number][i];

		switch (step->what) {
		case NOTHING:
			return;
		case ADD:
			*result = bp_table_add(&table, &nodes[step->node], NULL, NULL);
			break;
		case FIND:
			*result = bp_table_find(&table, nodes[step->node].id, NULL, NULL);
			break;
		case REMOVE:
			*result = take(step);
			break;
		case FIND_REMOVE:
			*result = find_and_take(step);
			break;
		case REMOVE_ADD:
			*result = take(step);
			if (*result != NULL)
				*result = bp_table_add(&table, &nodes[step->other], NULL, NULL);
			break;
		}
	}
}

/* Times that @node stands in the bucket. */
static unsigned
times(int node)
{
	unsigned count = 0, length = 0;
	uint64_t word;

	for (unsigned i = 0; i < ENTRIES; i++)
		count += (uint32_t)bucket.entries[i] == (uint32_t)node + 1;
	for (word = bucket.overflow; (uint32_t)word != 0 && length++ <= NODES; word = node_at(&table, word)->next)
		count += (uint32_t)word == (uint32_t)node + 1;
	if (length > NODES)
		wrong("the list goes round");
	return count;
}

/* An add returned its own node or one of the same id; a find that may not miss found. Of the adds of one id that
 * stays in the table, one returned its own. */
static void
check_results(unsigned *added, unsigned *removed)
{
	for (unsigned i = 0; i < (scenario->acts & 7); i++)
		for (unsigned j = 0; j < STEPS; j++) {
			const struct step *step = &scenario->steps[i][j];
			const struct bp_table_node *result = results[i][j], *node = &nodes[step->node];

			if (step->what == ADD && (result == NULL || !same_id(result, node)))
				wrong("add returned a strange node");
			if (step->what == FIND && step->node < scenario->before && result != node)
				wrong("a node that is in the table all the time was not found");
			if (result == NULL)
				continue;
			if (step->what == ADD)
				added[result - nodes] += result == node;
			if (step->what == REMOVE_ADD && !same_id(result, &nodes[step->other]))
				wrong("add returned a strange node");
			if (step->what == REMOVE_ADD) {
				removed[step->node]++;
				added[step->other] += result == &nodes[step->other];
			}
			if (step->what == REMOVE || step->what == FIND_REMOVE)
				removed[result - nodes]++;
		}
}

static void
check(void *context)
{
	unsigned added[NODES] = {0}, removed[NODES] = {0}, one = 0;

	for (int i = 0; i < scenario->before; i++)
		added[i] = 1;
	check_results(added, removed);
	if ((bucket.gate & BUSY) != 0)
		wrong("the gate is busy");
	for (int i = 0; i < NODES; i++) {
		if (removed[i] > added[i] || added[i] > 1)
			wrong("added or removed more than once");
		if (times(i) != added[i] - removed[i])
			wrong("a node stands in the bucket too often or not at all");
		if (times(i) != 0 && bp_table_find(&table, nodes[i].id, NULL, NULL) != &nodes[i])
			wrong("a node that is in the bucket is not found");
	}
	for (const int *i = scenario->must; *i >= 0; i++)
		if (times(*i) != 1)
			wrong("a node is missing");
	for (const int *i = scenario->gone; *i >= 0; i++)
		if (times(*i) != 0)
			wrong("a node is still there");
	for (const int *i = scenario->among; *i >= 0; i++)
		one += times(*i);
	if (scenario->among[0] >= 0 && one != 1)
		wrong("two nodes of one id, or none");
	if ((uint32_t)bucket.overflow == 0 && (bucket.overflow & FILTER) != 0)
		wrong("an empty list has a filter");
}

static void
prepare(void)
{
	memset(&bucket, 0, sizeof(bucket));
	for (int i = 0; i < NODES; i++)
		nodes[i] = (struct bp_table_node){.id = {5, second_half(i)}};
	for (int i = 0; i < scenario->before; i++)
		if (bp_table_add(&table, &nodes[i], NULL, NULL) != &nodes[i])
			wrong("preparation");
	bucket_before = bucket;
	memcpy(nodes_before, nodes, sizeof(nodes));
}

#define NONE {-1}
/* clang-format off */
static const struct scenario scenarios[] = {
	{"two add one id to an empty bucket", 0, 2, {{{ADD, 8}}, {{ADD, 9}}}, NONE, {8, 9, -1}, NONE},
	{"three add one id to an empty bucket", 0, 3, {{{ADD, 8}}, {{ADD, 9}}, {{ADD, 10}}}, NONE, {8, 9, 10, -1}, NONE},
	{"two add one id, one entry is left", 5, 2, {{{ADD, 8}}, {{ADD, 9}}}, {0, 4, -1}, {8, 9, -1}, NONE},
	{"two add one id to a list", 6, 2, {{{ADD, 8}}, {{ADD, 9}}}, {0, 5, -1}, {8, 9, -1}, NONE},
	{"three add one id to a list", 6, 3, {{{ADD, 8}}, {{ADD, 9}}, {{ADD, 10}}}, {0, 5, -1}, {8, 9, 10, -1}, NONE},
	{"two ids, one entry is left", 5, 2, {{{ADD, 8}}, {{ADD, 11}}}, {8, 11, -1}, NONE, NONE},
	{"three ids, one entry is left", 5, 3 | DEEP, {{{ADD, 8}}, {{ADD, 11}}, {{ADD, 12}}}, {8, 11, 12, -1}, NONE, NONE},
	{"two remove one", 3, 2, {{{REMOVE, 1}}, {{REMOVE, 1}}}, {0, 2, -1}, NONE, {1, -1}},
	{"two remove one off the list", 8, 2, {{{REMOVE, 6}}, {{REMOVE, 6}}}, {0, 7, -1}, NONE, {6, -1}},
	{"neighbours in the list are removed", 8, 2, {{{REMOVE, 6}}, {{REMOVE, 7}}}, {0, 5, -1}, NONE, {6, 7, -1}},
	{"three leave the list", 8, 3, {{{REMOVE, 6}}, {{REMOVE, 7}}, {{REMOVE, 6}}}, {0, 5, -1}, NONE, {6, 7, -1}},
	{"one is found and removed while it is added", 0, 2, {{{ADD, 8}}, {{FIND_REMOVE, 8}}}, NONE, NONE, NONE},
	{"the same at the last entry", 5, 2, {{{ADD, 8}}, {{FIND_REMOVE, 8}}}, {0, -1}, NONE, NONE},
	{"the same in a list", 6, 2, {{{ADD, 8}}, {{FIND_REMOVE, 8}}}, {0, -1}, NONE, NONE},
	{"one is found and removed while two add it", 0, 3, {{{ADD, 8}}, {{ADD, 9}}, {{FIND_REMOVE, 8}}}, NONE, NONE, NONE},
	{"the same in a list", 6, 3, {{{ADD, 8}}, {{ADD, 9}}, {{FIND_REMOVE, 8}}}, {0, -1}, NONE, NONE},
	{"an entry changes hands while one adds", 6, 2, {{{ADD, 8}}, {{REMOVE_ADD, 2, 11}}}, {8, 11, -1}, NONE, {2, -1}},
	{"an entry changes hands twice while one adds", 6, 2,
		{{{ADD, 8}}, {{REMOVE_ADD, 2, 11}, {REMOVE_ADD, 11, 12}}}, {8, 12, -1}, NONE, {2, 11, -1}},
	{"an entry changes hands while two add one id", 6, 3 | DEEP,
		{{{ADD, 8}}, {{ADD, 9}}, {{REMOVE_ADD, 2, 11}}}, {11, -1}, {8, 9, -1}, {2, -1}},
	{"one is removed and another added, others add the same", 1, 3,
		{{{REMOVE_ADD, 0, 8}}, {{ADD, 9}}, {{FIND, 8}}}, NONE, {8, 9, -1}, {0, -1}},
	{"a node at the end of the list is found all the time", 7, 3,
		{{{FIND, 6}}, {{ADD, 8}}, {{ADD, 11}}}, {6, 8, 11, -1}, NONE, NONE},
	{"a node in the list is found while its neighbours leave", 9, 3,
		{{{FIND, 7}}, {{REMOVE, 6}}, {{REMOVE, 8}}}, {7, -1}, NONE, {6, 8, -1}},
	{"the list changes on both sides of a node that is found", 8, 3,
		{{{FIND, 6}}, {{REMOVE, 7}}, {{ADD, 8}}}, {6, 8, -1}, NONE, {7, -1}},
	{"an entry is found while others come and go", 6, 3,
		{{{FIND, 5}}, {{REMOVE, 1}}, {{ADD, 8}}}, {5, 8, -1}, NONE, {1, -1}},
};
/* clang-format on */

/* Some have millions of schedules: only on demand. */
static bool
deep_only(const struct scenario *its)
{
	return (its->acts & DEEP) != 0 && getenv("INTERLEAVINGS_DEEP") == NULL;
}

static void
test_scenarios(void **state)
{
	for (unsigned i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		struct explorer_stats stats = {0};
		struct explorer_job job = {.reset = reset, .act = act, .check = check};

		scenario = &scenarios[i];
		if (deep_only(scenario))
			continue;
		job.acts = scenario->acts & 7;
		prepare();
		explorer_run(&job, &stats);
		printf("%9" PRIu64 " schedules of up to %3u accesses: %s\n", stats.schedules, stats.longest, scenario->name);
		total.schedules += stats.schedules;
		total.accesses += stats.accesses;
		total.cut += stats.cut;
	}
	printf("%9" PRIu64 " schedules in all, %" PRIu64 " cut short, %" PRIu64 " accesses\n", total.schedules, total.cut,
		total.accesses);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenarios),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
