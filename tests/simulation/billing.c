/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Each call is billed once, for the right time: the call detail records that control took, against what the
 * witness saw. A dialog has one record, from the 2xx that made it to the BYE that ended it, as they came to the
 * edge; an INVITE that made none has one, of its final response.
 */
#include "edge.h"
#include "people.h"
#include "witness.h"

#include <stdlib.h>

#define DIALOG_END(name) (BP_CDR_FAILURE_COUNT + BP_DIALOG_END_##name)

/* The records of one call; each is struck off once it is accounted for. */
struct bills {
	struct sim *sim;
	struct call *call;
	const struct bp_cdr **open;
	unsigned count;
};

static const struct bp_cdr *
strike(struct bills *bills, unsigned index)
{
	const struct bp_cdr *cdr = bills->open[index];

	bills->open[index] = bills->open[--bills->count];
	return cdr;
}

static uint64_t
later(uint64_t a_us, uint64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

/* No dialog ends before its answer: a BYE that came first ends it as it begins. */
static bool
fits_dialog(const struct sim *sim, const struct bp_cdr *cdr, const struct talk *talk)
{
	uint64_t least_us = talk->answered_us;

	if (cdr->kind != BP_CDR_DIALOG || cdr->answer_us != talk->answered_us || cdr->status / 100 != 2)
		return false;
	if (talk->ended)
		return cdr->why == DIALOG_END(bye) && cdr->end_us == later(talk->bye_us, talk->answered_us) &&
			cdr->ended_by == (talk->bye_from_callee ? BP_CDR_BY_callee : BP_CDR_BY_caller);
	if (cdr->why == DIALOG_END(no_ack))
		least_us += sim_64t1(sim);
	else if (cdr->why == DIALOG_END(expired))
		least_us += sim->conditions.dialog_us;
	if (cdr->why == DIALOG_END(expired) && !talk_may_grow_old(sim, talk))
		return false;
	return cdr->why != DIALOG_END(bye) && cdr->end_us >= least_us;
}

/* For who has to understand a failure. */
static void
note_open(const struct bills *bills)
{
	for (unsigned i = 0; i < bills->count; i++) {
		const struct bp_cdr *cdr = bills->open[i];

		ladder_note(bills->sim, bills->call,
			"record: %s, status %u, why %u, by %u, from %.6f, answered %.6f, to %.6f",
			cdr->kind == BP_CDR_DIALOG ? "dialog" : "attempt", cdr->status, cdr->why, cdr->ended_by,
			(double)(cdr->start_us - bills->sim->start_us) / 1e6,
			cdr->answer_us ? (double)(cdr->answer_us - bills->sim->start_us) / 1e6 : 0.0,
			(double)(cdr->end_us - bills->sim->start_us) / 1e6);
	}
}

static void
judge_talk(struct bills *bills, const struct talk *talk)
{
	for (unsigned i = 0; i < bills->count; i++)
		if (fits_dialog(bills->sim, bills->open[i], talk)) {
			strike(bills, i);
			return;
		}
	note_open(bills);
	sim_fail(bills->sim, bills->call, "a dialog of %llu us has no call detail record that says so",
		(unsigned long long)(talk->bye_us > talk->answered_us ? talk->bye_us - talk->answered_us : 0));
}

static const struct branch *
first_branch(const struct upstream *up)
{
	const struct branch *branch = up->branches;

	while (branch->next != NULL)
		branch = branch->next;
	return branch;
}

static bool
fits_attempt(const struct bp_cdr *cdr, const struct upstream *up)
{
	if (cdr->kind != BP_CDR_ATTEMPT || cdr->status != up->final)
		return false;
	if (up->branch_count == 0)
		return cdr->why == BP_CDR_WHY_refused;
	return cdr->why != BP_CDR_WHY_refused && cdr->end_us == up->final_us && cdr->start_us == first_branch(up)->us &&
		cdr->answer_us == 0;
}

static void
judge_attempt(struct bills *bills, const struct upstream *up)
{
	if (up->final < 300)
		return;
	for (unsigned i = 0; i < bills->count; i++)
		if (fits_attempt(bills->open[i], up)) {
			const struct bp_cdr *cdr = strike(bills, i);

			if (cdr->why == BP_CDR_WHY_cancelled && up->cancel.begin == 0)
				sim_fail(bills->sim, bills->call, "a call is billed as cancelled, but there was no CANCEL");
			return;
		}
	note_open(bills);
	sim_fail(bills->sim, bills->call, "an INVITE that ended with %u has no call detail record that says so", up->final);
}

/* A refusal that is said again is recorded again, with the same name: the writer drops it. */
static bool
is_repetition(const struct bills *bills, const struct bp_cdr *cdr)
{
	struct bp_cdr *const *all;
	unsigned count = edge_cdrs(bills->sim->edge, &all);

	for (unsigned i = 0; cdr->why == BP_CDR_WHY_refused && i < count; i++)
		if (all[i] != cdr && all[i]->attempt == cdr->attempt)
			return true;
	return false;
}

/* What makes no dialog though it was answered. */
static bool
was_answered_in_vain(const struct bills *bills, const struct bp_cdr *cdr)
{
	return cdr->why == BP_CDR_WHY_no_dialog && cdr->status / 100 == 2 && bills->call->talks == NULL;
}

static void
judge_call(struct bills *bills)
{
	struct sim *sim = bills->sim;

	for (const struct talk *talk = bills->call->talks; talk != NULL; talk = talk->next)
		if (talk->created)
			judge_talk(bills, talk);
	for (unsigned i = 0; i < sim->client_count; i++) {
		const struct client *client = sim->clients[i];

		if (client->call != bills->call || client->of != NULL || !client->invite || client->leg != NULL)
			continue;
		for (const struct upstream *up = client->up; up != NULL; up = up->earlier)
			judge_attempt(bills, up);
	}
	for (unsigned i = 0; i < bills->count && !sim->failed; i++) {
		const struct bp_cdr *cdr = bills->open[i];

		if (!is_repetition(bills, cdr) && !was_answered_in_vain(bills, cdr))
			sim_fail(sim, bills->call, "billed for nothing: a record of %s, status %u, why %u, %llu us",
				cdr->kind == BP_CDR_DIALOG ? "a dialog" : "an attempt", cdr->status, cdr->why,
				(unsigned long long)(cdr->end_us - cdr->start_us));
	}
}

static struct call *
call_of(const struct sim *sim, const struct bp_cdr *cdr)
{
	const char *call_id = bp_cdr_text(cdr, BP_CDR_TEXT_call_id);
	unsigned size = cdr->sizes[BP_CDR_TEXT_call_id], index;

	if (size < 6 || memcmp(call_id, "call-", 5) != 0)
		return NULL;
	index = text_number((struct text){call_id + 5, size - 5});
	return index < sim->conditions.calls ? &sim->calls[index] : NULL;
}

static int
by_call(const void *a, const void *b)
{
	const struct bills *x = a, *y = b;

	return (x->call > y->call) - (x->call < y->call);
}

/* Sorts the records into their calls. */
void
judge_bills(struct sim *sim)
{
	struct bp_cdr *const *all;
	unsigned count = edge_cdrs(sim->edge, &all), at = 0;
	struct bills *each = sim_alloc(sim, (count + 1) * sizeof(*each));
	const struct bp_cdr **open = sim_alloc(sim, (count + 1) * sizeof(*open));

	for (unsigned i = 0; i < count; i++) {
		each[i] = (struct bills){.sim = sim, .call = call_of(sim, all[i]), .open = (const struct bp_cdr **)&all[i]};
		if (each[i].call == NULL) {
			sim_fail(sim, NULL, "a call detail record of a call that is none");
			return;
		}
	}
	qsort(each, count, sizeof(*each), by_call);
	for (unsigned c = 0; c < sim->conditions.calls && !sim->failed; c++) {
		struct bills bills = {.sim = sim, .call = &sim->calls[c], .open = open};

		for (; at < count && each[at].call == bills.call; at++)
			open[bills.count++] = *each[at].open;
		judge_call(&bills);
	}
}
