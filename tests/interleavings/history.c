/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See history.h.
 */
#include "history.h"

#include "explorer.h"

#include <stdio.h>
#include <stdlib.h>

/* How a state is reached from the one before. */
struct state {
	uint32_t before;
	uint16_t depth;
	uint8_t count; /* of events: 0 at the root, 2 when they met */
	struct stage_event events[2];
	char *schedule; /* of a meeting */
};

struct set {
	uint64_t *places;
	size_t size, count; /* size is a power of two */
};

static struct state *states;
static uint32_t state_count, state_capacity;
static struct set met, meetings;
static struct stage_snapshot *root, *here;
static uint32_t expanding;
static unsigned depth_limit;
static struct history_stats *stats;
static const struct stage_event *meeting;

/* False: it was there. */
static bool
set_add(struct set *set, uint64_t value)
{
	size_t at;

	value |= value == 0;
	if (2 * set->count >= set->size) {
		struct set larger = {.size = set->size ? 2 * set->size : 4096};

		larger.places = calloc(larger.size, sizeof(*larger.places));
		for (size_t i = 0; i < set->size; i++)
			if (set->places[i] != 0)
				set_add(&larger, set->places[i]);
		free(set->places);
		*set = larger;
	}
	for (at = value & (set->size - 1); set->places[at] != 0; at = (at + 1) & (set->size - 1))
		if (set->places[at] == value)
			return false;
	set->places[at] = value;
	set->count++;
	return true;
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
	struct state last = {.count = (uint8_t)count, .events = {events[0], events[count - 1]}};
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

/* A step is done: is it right, and is this a new state? */
static void
arrive(const struct stage_event *events, unsigned count, const char *schedule)
{
	const char *wrong = stage_after();
	struct state *state;
	bool over;

	if (wrong != NULL)
		report(events, count, schedule, wrong);
	if (!set_add(&met, stage_hash(true)))
		return;
	if (state_count == state_capacity) {
		state_capacity = state_capacity ? 2 * state_capacity : 1024;
		states = realloc(states, state_capacity * sizeof(*states));
	}
	state = &states[state_count++];
	*state = (struct state){.before = expanding,
		.count = (uint8_t)count,
		.depth = (uint16_t)(count ? states[expanding].depth + count : 0),
		.events = {events[0], events[count > 1]},
		.schedule = schedule ? strdup(schedule) : NULL};
	stats->states++;
	if (state->depth > stats->depth)
		stats->depth = state->depth;
	over = stage_is_over();
	stats->over += over;
	wrong = stage_run_out();
	if (wrong != NULL)
		report(events, count, schedule, wrong);
	if (over) /* what comes now finds nothing: it is the root again, with a used slot */
		state->depth = UINT16_MAX;
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

static uint64_t
event_key(const struct stage_event *event)
{
	return (uint64_t)event->what << 24 | (uint64_t)event->branch << 16 | event->detail;
}

/* How two events meet depends on the words and on what hangs on the record, not on the timers that wait. */
static bool
is_new_meeting(uint64_t core, const struct stage_event *a, const struct stage_event *b)
{
	uint64_t x = event_key(a), y = event_key(b);
	uint64_t key = core ^ ((x < y ? x << 32 | y : y << 32 | x) * UINT64_C(0x9e3779b97f4a7c15));

	return set_add(&meetings, key);
}

static void
meet(uint64_t core, const struct stage_event *a, const struct stage_event *b)
{
	struct stage_event events[2] = {*a, *b};
	struct explorer_job job = {.acts = 2, .context = events, .reset = reset, .act = act, .check = check};
	struct explorer_stats its = {0};

	if (!stage_may_meet(a, b) || !is_new_meeting(core, a, b))
		return;
	meeting = events;
	explorer_run(&job, &its);
	stats->meetings++;
	stats->schedules += its.schedules;
}

static void
expand(uint32_t number)
{
	struct stage_event events[STAGE_EVENTS_MAX];
	unsigned count, depth = states[number].depth;
	uint64_t core;

	expanding = number;
	go_to(number, false);
	stage_save(&here);
	count = stage_events(events);
	core = stage_hash(false);
	for (unsigned i = 0; i < count; i++) {
		stage_restore(here);
		stage_before(&events[i], 1);
		stage_happen(&events[i]);
		stats->steps++;
		arrive(&events[i], 1, NULL);
	}
	for (unsigned i = 0; i < count && depth + 2 <= depth_limit; i++)
		for (unsigned j = i + 1; j < count; j++)
			meet(core, &events[i], &events[j]);
}

void
history_search(const struct stage_options *options, unsigned depth, struct history_stats *out)
{
	static const struct stage_event none;
	bool complete = true;

	*out = (struct history_stats){0};
	stats = out;
	depth_limit = depth;
	stage_create(options);
	stage_save(&root);
	arrive(&none, 0, NULL);
	for (uint32_t i = 0; i < state_count; i++) {
		if (states[i].depth < depth)
			expand(i);
		else
			complete &= states[i].depth == UINT16_MAX;
	}
	stats->complete = complete;
}
