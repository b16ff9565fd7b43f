/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Coroutines, and the search through their schedules. See explorer.h.
 */
#include "explorer.h"

#include "shim/stdatomic.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STEPS_MAX 4096
#define STACK_SIZE (1 << 20) /* an act may keep whole messages on it */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

struct access {
	const volatile void *place;
	enum explorer_kind kind;
	uint64_t value; /* of a store */
};

struct coroutine {
	ucontext_t context;
	jmp_buf jump;
	bool started, over;
	struct access next; /* what it waits to do */
	uint8_t *stack;
};

/* A state on the way, and the step out of it. */
struct node {
	uint8_t chosen;
	uint8_t done;  /* acts whose step from here was explored, the chosen one among them */
	uint8_t todo;  /* acts whose step from here must be explored */
	uint8_t sleep; /* acts whose step from here was explored elsewhere */
	struct access pending[EXPLORER_ACTS_MAX];
	struct access access; /* of the chosen, as it turned out */
	uint16_t clock[EXPLORER_ACTS_MAX];
};

static struct coroutine coroutines[EXPLORER_ACTS_MAX];
#ifdef SANITIZED
static ucontext_t main_context;
#else
static jmp_buf main_jump;
#endif
static const struct explorer_job *job;
static int current = -1;
static bool only_read;
static bool whole; /* the step goes on whatever is accessed */

static struct node nodes[STEPS_MAX];
static unsigned depth;  /* nodes that the next run follows */
static unsigned length; /* steps of the run */

int
explorer_current(void)
{
	return current;
}

const char *
explorer_schedule(void)
{
	static char text[STEPS_MAX + 1];

	for (unsigned i = 0; i < length; i++)
		text[i] = (char)('0' + nodes[i].chosen);
	text[length] = '\0';
	return text;
}

/* ---- coroutines ---- */

/* swapcontext() asks the kernel for the signal mask each time; the sanitizer knows it, but not a jump from
 * stack to stack. */
static void
to_main(struct coroutine *coroutine)
{
#ifdef SANITIZED
	swapcontext(&coroutine->context, &main_context);
#else
	if (_setjmp(coroutine->jump) == 0)
		_longjmp(main_jump, 1);
#endif
}

static void
body(void)
{
	struct coroutine *self = &coroutines[current];

	job->act(job->context, (unsigned)current);
	self->over = true;
	to_main(self);
}

/* Until its next access, or its end. */
static void
step(unsigned act)
{
	struct coroutine *coroutine = &coroutines[act];

	current = (int)act;
	only_read = false;
#ifdef SANITIZED
	swapcontext(&main_context, &coroutine->context);
#else
	if (_setjmp(main_jump) == 0) {
		if (coroutine->started)
			_longjmp(coroutine->jump, 1);
		coroutine->started = true;
		setcontext(&coroutine->context);
	}
#endif
	current = -1;
}

static void
start(unsigned act)
{
	struct coroutine *coroutine = &coroutines[act];

	if (coroutine->stack == NULL)
		coroutine->stack = malloc(STACK_SIZE);
	coroutine->started = false;
	coroutine->over = false;
	getcontext(&coroutine->context);
	coroutine->context.uc_stack.ss_sp = coroutine->stack;
	coroutine->context.uc_stack.ss_size = STACK_SIZE;
	coroutine->context.uc_link = NULL;
	makecontext(&coroutine->context, body, 0);
	step(act);
}

void
explorer_access(const volatile void *place, enum explorer_kind kind, uint64_t value)
{
	if (current < 0 || whole)
		return;
	coroutines[current].next = (struct access){place, kind, value};
	to_main(&coroutines[current]);
}

void
explorer_begin_whole(const volatile void *place, bool writes)
{
	explorer_access(place, writes ? EXPLORER_WRITE : EXPLORER_READ, 0);
	whole = true;
}

void
explorer_end_whole(bool only)
{
	whole = false;
	only_read = only;
}

void
explorer_only_read(void)
{
	only_read = true;
}

/* ---- the search ---- */

static bool
dependent(const struct access *a, const struct access *b)
{
	if (a->place != b->place || (a->kind == EXPLORER_READ && b->kind == EXPLORER_READ))
		return false;
	return a->kind != EXPLORER_STORE || b->kind != EXPLORER_STORE || a->value != b->value;
}

static uint8_t
alive(void)
{
	uint8_t acts = 0;

	for (unsigned i = 0; i < job->acts; i++)
		acts |= (uint8_t)(!coroutines[i].over << i);
	return acts;
}

/* How many of the first steps are all known to come before @act's next one. */
static unsigned
known(const uint16_t *clock, unsigned act)
{
	unsigned least = STEPS_MAX;

	for (unsigned k = 0; k < job->acts; k++)
		if (k != act && clock[k] < least)
			least = clock[k];
	return least;
}

/* Step @i is done. Whatever depends on it and could have come the other way round is to be tried so. */
static void
note_races(unsigned i, uint16_t clocks[][EXPLORER_ACTS_MAX])
{
	struct node *node = &nodes[i];
	uint16_t *clock = clocks[node->chosen];
	bool latest = true;

	if (i + 1 < depth) { /* as in the run before */
		memcpy(clock, node->clock, sizeof(node->clock));
		return;
	}
	for (unsigned j = i; j-- > known(clock, node->chosen);) {
		const struct node *before = &nodes[j];

		if (before->chosen == node->chosen || !dependent(&before->access, &node->access))
			continue;
		if (latest && clock[before->chosen] < j + 1) {
			nodes[j].todo |= (uint8_t)(1 << node->chosen);
			latest = false;
		}
		for (unsigned k = 0; k < job->acts; k++)
			if (before->clock[k] > clock[k])
				clock[k] = before->clock[k];
	}
	clock[node->chosen] = (uint16_t)(i + 1);
	memcpy(node->clock, clock, sizeof(node->clock));
}

/* The sleepers of the state after step @i: those whose step the chosen one does not touch. */
static uint8_t
still_asleep(unsigned i)
{
	const struct node *node = &nodes[i];
	uint8_t sleep = 0;

	for (unsigned k = 0; k < job->acts; k++)
		if (k != node->chosen && ((node->sleep | node->done) >> k & 1) != 0 &&
			!dependent(&node->pending[k], &node->access))
			sleep |= (uint8_t)(1 << k);
	return sleep;
}

static void
enter_node(unsigned i, uint8_t sleep)
{
	struct node *node = &nodes[i];
	uint8_t choice = alive() & (uint8_t)~sleep;

	*node = (struct node){.sleep = sleep};
	if (choice == 0)
		return;
	/* the one that went last goes on: fewer switches, the same classes */
	node->chosen = (uint8_t)__builtin_ctz(choice);
	if (i > 0 && (choice >> nodes[i - 1].chosen & 1) != 0)
		node->chosen = nodes[i - 1].chosen;
	node->todo = (uint8_t)(1 << node->chosen);
	node->done = node->todo;
}

/* One schedule: follows the first @depth nodes, then goes its own way. False: it was one that is known. */
static bool
run(void)
{
	static uint16_t clocks[EXPLORER_ACTS_MAX][EXPLORER_ACTS_MAX];
	uint8_t sleep = 0;

	memset(clocks, 0, sizeof(clocks));
	job->reset(job->context);
	for (unsigned i = 0; i < job->acts; i++)
		start(i);
	for (length = 0; alive() != 0; length++) {
		struct node *node = &nodes[length];

		if (length == STEPS_MAX) {
			fprintf(stderr, "a schedule never comes to an end: %s\n", explorer_schedule());
			abort();
		}
		if (length >= depth)
			enter_node(length, sleep);
		if (node->todo == 0)
			return false;
		for (unsigned i = 0; i < job->acts; i++)
			node->pending[i] = coroutines[i].next;
		node->access = node->pending[node->chosen];
		step(node->chosen);
		if (only_read)
			node->access.kind = EXPLORER_READ;
		note_races(length, clocks);
		sleep = still_asleep(length);
	}
	return true;
}

/* Back to the last state with a step that is still to be tried. False: all is done. */
static bool
backtrack(void)
{
	for (depth = length; depth > 0; depth--) {
		struct node *node = &nodes[depth - 1];
		uint8_t rest = node->todo & (uint8_t) ~(node->done | node->sleep);

		if (rest == 0)
			continue;
		node->chosen = (uint8_t)__builtin_ctz(rest);
		node->done |= (uint8_t)(1 << node->chosen);
		return true;
	}
	return false;
}

void
explorer_run(const struct explorer_job *its, struct explorer_stats *stats)
{
	job = its;
	depth = 0;
	do {
		if (run()) {
			stats->schedules++;
			job->check(job->context);
		} else {
			stats->cut++;
		}
		stats->accesses += length;
		if (length > stats->longest)
			stats->longest = length;
	} while (backtrack());
}

void
explorer_replay(const struct explorer_job *its, const char *schedule)
{
	job = its;
	for (unsigned i = 0; i < job->acts; i++)
		start(i);
	for (length = 0; alive() != 0 && schedule[length] != '\0'; length++) {
		nodes[length].chosen = (uint8_t)(schedule[length] - '0');
		step(nodes[length].chosen);
	}
}
