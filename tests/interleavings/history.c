/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See history.h.
 */
#include "history.h"

#include "explorer.h"
#include "table_inside.h"

#include <stdio.h>
#include <stdlib.h>

#define FUTURES_EACH 64 /* arrivals of which one is looked at more closely */

/* How a state is reached from the one before. */
struct state {
	uint32_t before;
	uint16_t depth;
	uint8_t count; /* of events: 0 at the root, 2 when they met */
	bool whole;    /* operations on tables were whole as they met */
	bool over;     /* the record has ended */
	struct stage_event events[2];
	char *schedule; /* of a meeting */
	uint64_t futures;
};

/* Which states there are, by their hash. */
struct place {
	uint64_t hash; /* 0: empty */
	uint32_t number;
};

static struct state *states;
static uint32_t state_count, state_capacity;
static struct place *places;
static size_t place_count; /* a power of two */
static struct stage_snapshot *root, *here;
static uint32_t expanding;
static struct history_stats *stats;
static const struct stage_event *meeting;
static bool whole;

static struct place *
place_of(uint64_t hash)
{
	size_t at = hash & (place_count - 1);

	while (places[at].hash != 0 && places[at].hash != hash)
		at = (at + 1) & (place_count - 1);
	return &places[at];
}

static void
make_room(void)
{
	struct place *old = places;
	size_t old_count = place_count;

	if (state_count < state_capacity)
		return;
	state_capacity = state_capacity ? 2 * state_capacity : 1024;
	states = realloc(states, state_capacity * sizeof(*states));
	place_count = 4 * (size_t)state_capacity;
	places = calloc(place_count, sizeof(*places));
	if (states == NULL || places == NULL)
		abort();
	for (size_t i = 0; i < old_count; i++)
		if (old[i].hash != 0)
			*place_of(old[i].hash) = old[i];
	free(old);
}

/* The state with this hash. *@known: it was there. */
static struct state *
state_of(uint64_t hash, bool *known)
{
	struct place *place;

	make_room();
	hash |= hash == 0;
	place = place_of(hash);
	*known = place->hash != 0;
	if (!*known) {
		*place = (struct place){hash, state_count};
		states[state_count++] = (struct state){0};
	}
	return &states[place->number];
}

static void
act(void *context, unsigned number)
{
	stage_happen(&((const struct stage_event *)context)[number]);
}

/* Goes from the state before to @state. NULL or what went wrong. */
static const char *
follow(const struct state *state)
{
	struct explorer_job job = {.acts = 2, .context = (void *)(uintptr_t)state->events, .act = act};

	table_be_whole(state->whole);
	stage_before(state->events, state->count);
	if (state->count == 1)
		stage_happen(&state->events[0]);
	else if (state->count == 2)
		explorer_replay(&job, state->schedule);
	return stage_after();
}

static void
go_to(uint32_t number, bool print)
{
	uint32_t way[64];
	unsigned length = 0;

	for (uint32_t i = number; states[i].count > 0; i = states[i].before)
		way[length++] = i;
	stage_restore(root);
	while (length-- > 0) {
		const struct state *state = &states[way[length]];

		if (print && state->count == 2)
			printf("  at once, in this order of their accesses: %s\n", state->schedule);
		follow(state);
	}
}

/* From the state that is expanded, @events went wrong. The search ends here. */
static _Noreturn void
report(const struct stage_event *events, unsigned count, const char *schedule, const char *wrong)
{
	struct state last = {.count = (uint8_t)count, .whole = whole, .events = {events[0], events[count - 1]}};
	const char *again;

	last.schedule = schedule ? strdup(schedule) : NULL;
	printf("%s\n", wrong);
	stage_trace(true);
	go_to(expanding, true);
	if (schedule != NULL)
		printf("  at once, in this order of their accesses: %s\n", last.schedule);
	again = follow(&last);
	if (again == NULL) {
		printf("  and then all timers run out\n");
		stage_run_out();
	}
	exit(1);
}

/* What each single event would make of the state that is. */
static uint64_t
futures(void)
{
	static struct stage_snapshot *start;
	struct stage_event events[STAGE_EVENTS_MAX];
	unsigned count = stage_events(events);
	uint64_t sum = 1;

	stage_save(&start);
	for (unsigned i = 0; i < count; i++) {
		uint64_t key = (uint64_t)events[i].what << 24 | (uint64_t)events[i].branch << 16 | events[i].detail;

		stage_restore(start);
		if (stage_is_idle(&events[i]))
			continue;
		stage_before(&events[i], 1);
		stage_happen(&events[i]);
		stage_after();
		sum += (stage_hash() ^ key) * UINT64_C(0x9fb21c651e98df25);
	}
	stage_restore(start);
	return sum | 1;
}

/* Now and then: whether what is taken for a state that is known has the same futures. */
static void
compare_futures(struct state *state, const struct stage_event *events, unsigned count, const char *schedule)
{
	static unsigned turn;
	uint64_t its;

	if (++turn % FUTURES_EACH != 0 || stage_is_over())
		return;
	its = futures();
	if (state->futures != 0 && state->futures != its)
		report(events, count, schedule, "two states that are taken for the same differ in what can follow");
	stats->compared += state->futures != 0;
	state->futures = its;
}

/* A step is done: is it right, and is this a new state, or a shorter way to one? Returns its number. */
static uint32_t
arrive(const struct stage_event *events, unsigned count, const char *schedule)
{
	const char *wrong = stage_after();
	unsigned depth = count ? states[expanding].depth + count : 0;
	struct state *state;
	bool known, over;

	if (wrong != NULL)
		report(events, count, schedule, wrong);
	state = state_of(stage_hash(), &known);
	compare_futures(state, events, count, schedule);
	if (known && state->depth <= depth)
		return (uint32_t)(state - states);
	over = known ? state->over : stage_is_over();
	free(state->schedule);
	*state = (struct state){.before = expanding,
		.count = (uint8_t)count,
		.depth = (uint16_t)depth,
		.whole = whole,
		.over = over,
		.futures = state->futures,
		.events = {events[0], events[count > 1]},
		.schedule = schedule ? strdup(schedule) : NULL};
	if (known)
		return (uint32_t)(state - states);
	stats->states++;
	stats->over += over;
	wrong = stage_run_out();
	if (wrong != NULL)
		report(events, count, schedule, wrong);
	return (uint32_t)(state - states);
}

static void
reset(void *context)
{
	stage_restore(here);
	stage_before(meeting, 2);
}

static void
check(void *context)
{
	arrive(meeting, 2, explorer_schedule());
}

static void
meet(const struct stage_event *a, const struct stage_event *b)
{
	struct stage_event events[2] = {*a, *b};
	struct explorer_job job = {.acts = 2, .context = events, .reset = reset, .act = act, .check = check};
	struct explorer_stats its = {0};

	events[1].worker = 1;
	meeting = events;
	explorer_run(&job, &its);
	stats->meetings++;
	stats->schedules += its.schedules;
}

static void
happen(const struct stage_event *event, bool idle)
{
	stage_restore(here);
	stage_before(event, 1);
	stage_happen(event);
	stats->steps++;
	if (arrive(event, 1, NULL) != expanding && idle)
		report(event, 1, NULL, "a timer that means nothing any more did something");
}

/* Of two events at once neither is an idle timer: those have just been seen to do nothing. */
static void
expand(uint32_t number, unsigned depth_limit, unsigned fine_limit)
{
	struct stage_event events[STAGE_EVENTS_MAX];
	unsigned count, depth = states[number].depth;
	bool idle[STAGE_EVENTS_MAX];

	expanding = number;
	go_to(number, false);
	stage_save(&here);
	count = stage_events(events);
	for (unsigned i = 0; i < count; i++)
		idle[i] = stage_is_idle(&events[i]);
	for (unsigned i = 0; i < count; i++)
		happen(&events[i], idle[i]);
	whole = depth + 2 > fine_limit;
	table_be_whole(whole);
	for (unsigned i = 0; i < count && depth + 2 <= depth_limit; i++)
		for (unsigned j = i; j < count; j++)
			if (!idle[i] && !idle[j] && stage_may_meet(&events[i], &events[j]))
				meet(&events[i], &events[j]);
}

void
history_search(const struct stage_options *options, unsigned depth, unsigned fine, struct history_stats *out)
{
	static const struct stage_event none;
	bool more = true;

	*out = (struct history_stats){0};
	stats = out;
	stage_create(options);
	stage_save(&root);
	arrive(&none, 0, NULL);
	/* what two events at once lead to is two events further, but may be found to be nearer */
	for (unsigned i = 0; i < depth && more; i++) {
		more = false;
		if (getenv("INTERLEAVINGS_PROGRESS"))
			fprintf(stderr, "%u: %u states, %lu schedules\n", i, state_count, stats->schedules);
		for (uint32_t j = 0; j < state_count; j++) {
			more |= states[j].depth > i && !states[j].over;
			/* what comes after the end finds nothing: it is the root again, with a used slot */
			if (states[j].depth == i && !states[j].over)
				expand(j, depth, fine);
		}
	}
	for (uint32_t j = 0; j < state_count; j++)
		if (states[j].depth > stats->depth)
			stats->depth = states[j].depth;
	stats->complete = !more && stats->depth + 2 <= depth;
}
